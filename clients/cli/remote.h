/* Requests to an Ockham server, by libcurl. */
#ifndef OCK_CLI_REMOTE_H
#define OCK_CLI_REMOTE_H

#include <stdint.h>
#include <stdio.h>

#include "clients/cli/cli.h"

struct cli_request {
    const char *method; /* "GET", "POST", "PUT", "DELETE" */
    const char *path;   /* "/v1/jobs", escaped, with its query */
    const char *accept; /* NULL: application/json */
    const char *header; /* one more, "Name: value"; NULL: none */
    const char *body;   /* JSON; NULL: none */
    FILE *upload;       /* PUT, POST: the body; NULL: none */
    int64_t upload_size;
    long timeout_s; /* for the whole exchange; 0: none, but a silent minute ends it */
    /* Receives the bytes of a 2xx answer as they come; false ends the transfer. NULL: they are
     * gathered in the answer's body. */
    bool (*sink)(void *ctx, const char *bytes, size_t size);
    /* Called now and then while the exchange lasts, about once a second in silence. NULL: nothing. */
    void (*tick)(void *ctx);
    void *ctx;
};

struct cli_answer {
    long status; /* HTTP's; 0: no answer came */
    struct ock_buf body;
    char filename[128]; /* of Content-Disposition, made safe; "": none */
    bool cut;           /* the connection broke (or a timeout came) after the head of the answer */
    bool refused;       /* status 0 because nobody listens there */
    char trouble[256];  /* libcurl's words, "": none */
};

void cli_answer_init(struct cli_answer *answer);
void cli_answer_deinit(struct cli_answer *answer);

/* One exchange with the server of OCKHAM_URL. What it says stands in the answer; nothing is
 * printed, but for an OCKHAM_URL that is none. false: no answer with a status came. */
bool cli_remote(const struct cli_request *request, struct cli_answer *answer);

/* Says on stderr why the answer is no success, and returns the exit code: CLI_USAGE for 400 and
 * 422, CLI_FAILED else. CLI_DONE (and nothing said) for 2xx. */
enum cli_exit cli_remote_judge(const struct cli_answer *answer);

/* GETs `path` and prints the answer: as it is (json), or by `print`. */
enum cli_exit cli_get(const struct ock_buf *path, bool json,
                      enum cli_exit (*print)(const struct cli_answer *answer));

/* The answer's body as JSON, the caller's (cJSON_Delete); NULL: it is none. */
cJSON *cli_answer_json(const struct cli_answer *answer);

/* Path and query pieces: the text escaped, appended. */
void cli_url_add(struct ock_buf *url, const char *text);

/* The server's address without a slash at its end. */
const char *cli_server_url(void);

#endif
