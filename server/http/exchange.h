/* One request and its answer: what a handler is given. */
#ifndef OCK_SERVER_HTTP_EXCHANGE_H
#define OCK_SERVER_HTTP_EXCHANGE_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/http/headers.h"
#include "server/http/pool.h"
#include "server/http/reply.h"
#include "server/http/route.h"
#include "server/http/target.h"
#include "server/http/wait.h"

struct ock_http;

/* Where a request is. The connection is suspended in BEGINNING and WORKING, and only then may the
 * pool touch the exchange; else it belongs to its HTTP thread. */
enum ock_phase {
    OCK_PHASE_NEW,       /* the request line is there */
    OCK_PHASE_BEGINNING, /* the pool prepares an upload */
    OCK_PHASE_BEGUN,     /* … and has: the first call comes again */
    OCK_PHASE_BODY,      /* the body comes */
    OCK_PHASE_DISCARD,   /* the body comes and is dropped; the answer stands */
    OCK_PHASE_WORKING,   /* the handler runs or waits */
    OCK_PHASE_WORKED,    /* the answer stands */
    OCK_PHASE_SENT,
};

struct ock_exchange {
    struct ock_task task;
    struct ock_http *http;
    struct MHD_Connection *connection;
    enum ock_phase phase;
    enum ock_method method;
    bool target_bad;
    char request_id[17];
    int64_t begun_us;
    const struct ock_route *route; /* NULL: none matched */
    struct ock_target target;
    struct ock_headers headers;
    const char *args[OCK_ROUTE_ARGS_MAX]; /* "{…}" of the path */
    uint64_t body_bytes;                  /* received, dropped ones too */
    struct ock_buf body;                  /* OCK_BODY_JSON */
    struct ock_upload *upload;            /* OCK_BODY_FILE */
    char job[OCK_ID_SIZE];                /* a handler's own, between its calls */
    struct ock_wait wait;
    struct ock_reply reply;
};

/* The library's callbacks; cls is the ock_http. */
void *ock_exchange_new(void *cls, const char *uri, struct MHD_Connection *connection);
enum MHD_Result ock_exchange_access(void *cls, struct MHD_Connection *connection, const char *url,
                                    const char *method, const char *version,
                                    const char *upload_data, size_t *upload_data_size,
                                    void **request);
void ock_exchange_completed(void *cls, struct MHD_Connection *connection, void **request,
                            enum MHD_RequestTerminationCode code);

/* For handlers: answers with the problem. Returns OCK_HANDLED. */
enum ock_handled ock_exchange_problem(struct ock_exchange *x, const struct ock_problem *problem);
const char *ock_exchange_field(const struct ock_exchange *x, enum ock_http_field header);

#endif
