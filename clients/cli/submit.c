/* `ockham submit`: a job file to a server. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "clients/cli/args.h"
#include "clients/cli/job.h"
#include "clients/cli/remote.h"

enum { KEY_WATCH = 'w', KEY_JSON = 0x100, ATTEMPTS = 3 };

static const struct argp_option options[] = {
    {"watch", KEY_WATCH, NULL, 0, "Follow it until it ends, as ockham watch does", 0},
    {"json", KEY_JSON, NULL, 0, "Print the job as JSON; with --watch: events as NDJSON", 0},
    {0},
};

static const char doc[] =
    "Sends a job to the server and prints its id.\v"
    "JOB.json may be - for standard input. Its data.dataset is a dataset of the server: ockham "
    "upload puts one there.\n\n"
    "Example:\n"
    "  ockham submit job.json --watch\n\n"
    "Exit code: 0 accepted (with --watch: succeeded), 1 failed, 2 bad usage or spec.";

struct submit_options {
    const char *job;
    bool watch, json;
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct submit_options *o = state->input;
    switch (key) {
    case KEY_WATCH:
        o->watch = true;
        return 0;
    case KEY_JSON:
        o->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (o->job)
            argp_error(state, "one job file at a time: %s and %s", o->job, arg);
        o->job = arg;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which job? Give its JSON file");
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* A key that makes sending the same job again harmless. */
static bool make_key(char header[64])
{
    unsigned char bytes[16];
    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return false;
    int at = snprintf(header, 64, "Idempotency-Key: ");
    for (size_t i = 0; i < sizeof(bytes); i++)
        at += snprintf(header + at, 64 - (size_t)at, "%02x", bytes[i]);
    return true;
}

/* Sends the spec; when the connection breaks before the answer, again with the same key. */
static void send_spec(const char *text, struct cli_answer *answer)
{
    char key[64];
    struct cli_request request = {
        .method = "POST", .path = "/v1/jobs", .body = text, .timeout_s = 120};
    if (make_key(key))
        request.header = key;
    for (int attempt = 1; !cli_remote(&request, answer); attempt++)
        if (answer->refused || !request.header || attempt == ATTEMPTS)
            return;
}

/* Reads the file and looks at its JSON: what is no JSON need not travel. */
static enum cli_exit read_spec(const char *path, char **text)
{
    struct ock_faults *faults = calloc(1, sizeof(*faults));
    cJSON *json = NULL;
    enum cli_exit code = CLI_FAILED;
    if (faults)
        code = cli_spec_read(path, text, &json, faults);
    if (faults && faults->count > 0) {
        cli_say_faults(path, faults);
        code = CLI_USAGE;
    }
    cJSON_Delete(json);
    free(faults);
    return code;
}

static enum cli_exit accepted(const struct submit_options *o, const struct cli_answer *answer)
{
    cJSON *json = cli_answer_json(answer);
    const char *id = cli_text_at(json, "id");
    enum cli_exit code = CLI_DONE;
    if (!id) {
        cli_say("the server accepted the job but told no id");
        code = CLI_FAILED;
    } else if (o->watch) {
        cli_say("%s", id);
        code = cli_follow(id, o->json ? CLI_FORM_JSON : CLI_FORM_PLAIN);
    } else if (o->json) {
        cli_out(answer->body.data, answer->body.size);
        cli_puts("\n");
    } else {
        cli_printf("%s\n", id);
    }
    cJSON_Delete(json);
    return code;
}

enum cli_exit cli_submit(int argc, char **argv)
{
    static const struct argp argp = {options, parse_option, "JOB.json", doc, NULL, NULL, NULL};
    struct submit_options o = {0};
    struct cli_answer answer;
    char *text = NULL;
    argp_parse(&argp, argc, argv, 0, NULL, &o);
    enum cli_exit code = read_spec(o.job, &text);
    if (code != CLI_DONE) {
        free(text);
        return code;
    }
    cli_answer_init(&answer);
    send_spec(text, &answer);
    code = cli_remote_judge(&answer);
    if (code == CLI_DONE)
        code = accepted(&o, &answer);
    cli_answer_deinit(&answer);
    free(text);
    return code;
}
