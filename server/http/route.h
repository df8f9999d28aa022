/* Routes: one table of what the server answers to, from which requests are matched, query
 * parameters are checked, Allow is made and /openapi.json is written, so that they can't differ. */
#ifndef OCK_SERVER_HTTP_ROUTE_H
#define OCK_SERVER_HTTP_ROUTE_H

#include <stdbool.h>

#include "server/http/headers.h"
#include "server/http/target.h"
#include "server/problem.h"

struct ock_exchange;

/* Query parameters and their values. */
enum ock_parameter_kind {
    OCK_PARAMETER_TEXT,
    OCK_PARAMETER_WHOLE,  /* min to max */
    OCK_PARAMETER_BOOL,   /* true, false, 1, 0 */
    OCK_PARAMETER_CHOICE, /* one of `choices` */
    OCK_PARAMETER_PREFIX, /* any name that begins with `name`: "label." */
};
struct ock_parameter {
    const char *name;
    enum ock_parameter_kind kind;
    int64_t min, max;
    const char *choices; /* "csv,idx" */
    const char *about;   /* a sentence for OpenAPI */
};

enum ock_body {
    OCK_BODY_NONE,  /* one that is sent is read and dropped */
    OCK_BODY_JSON,  /* needed; parsed by the handler */
    OCK_BODY_BRIEF, /* likewise, but short, and may be left out: from those who show no token */
    OCK_BODY_FILE,  /* needed; streamed to the engine */
    OCK_BODY_ROWS,  /* needed; JSON or a table, packed or not, at most as long as JSON may be */
};

/* How a handler ended: with an answer, or it has to be called again when it is woken (wait.h). */
enum ock_handled { OCK_HANDLED, OCK_HANDLE_AGAIN };

enum ock_where {
    OCK_ON_LOOP, /* answers from memory: run by the HTTP thread itself */
    OCK_ON_POOL, /* may wait for the disk */
    OCK_ON_ACTS, /* waits for a commit, which a full disk delays by seconds: reads go on beside it */
    OCK_ON_IMPORT,  /* may wait for half a minute: has a pool of its own, as acts have */
    OCK_ON_PREDICT, /* runs a worker process: as many threads as may run at once */
};

struct ock_answer {
    int status;
    const char *type; /* NULL: no body; more than one, between commas */
    const char *about;
    const char *schema; /* of the first type, among OpenAPI's components; NULL: not told */
};

struct ock_route {
    enum ock_method method; /* GET answers HEAD, too */
    enum ock_body body;
    enum ock_where where;
    bool probe;       /* open to everyone: neither Host, Origin nor token are asked for */
    bool open;        /* no token is asked for; Host and Origin are checked */
    const char *path; /* "/v1/jobs/{id}/events" */
    enum ock_handled (*handle)(struct ock_exchange *x);
    bool (*begin)(struct ock_exchange *x, struct ock_problem *problem); /* FILE: before its body */
    const struct ock_parameter *const *parameters; /* NULL-terminated; NULL: none */
    const char *operation;                         /* operationId of OpenAPI */
    const char *summary;
    struct ock_answer answers[6]; /* those that are no problems; ends with status 0 */
};

/* The table, from server/handlers/routes.c. */
extern const struct ock_route ock_routes[];
extern const size_t ock_route_count;

/* The route of a method and path; args get the segments that stand for "{…}" (borrowed).
 * False: 404 or 405 in problem, and for 405 the Allow field's value in allow. */
enum { OCK_ROUTE_ARGS_MAX = 2, OCK_ALLOW_SIZE = 64 };
bool ock_route_find(const struct ock_route **out, enum ock_method method,
                    const struct ock_target *target, const char *args[OCK_ROUTE_ARGS_MAX],
                    char allow[OCK_ALLOW_SIZE], struct ock_problem *problem);

/* Checks all query parameters: unknown (with the nearest right one), repeated, wrong value. False:
 * 400 with all faults. */
bool ock_route_check_query(const struct ock_route *route, const struct ock_target *target,
                           struct ock_problem *problem);

/* A checked parameter's value, or the fallback if it was not sent. */
int64_t ock_query_whole(const struct ock_target *target, const char *name, int64_t fallback);
bool ock_query_bool(const struct ock_target *target, const char *name, bool fallback);

#endif
