/* The HTTP server: the library's daemon and all that its callbacks share. */
#ifndef OCK_SERVER_HTTP_SERVER_H
#define OCK_SERVER_HTTP_SERVER_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/engine.h"
#include "server/http/access.h"
#include "server/http/counters.h"
#include "server/http/feed.h"
#include "server/http/peer.h"
#include "server/http/pool.h"
#include "server/http/ticker.h"

enum {
    OCK_JSON_BODY_BYTES_MAX = 16 << 20,     /* a request's JSON */
    OCK_DISCARD_BYTES_MAX = 64 << 20,       /* of a body that is refused, read so that the client
                                             * sees the answer */
    OCK_CONNECTION_MEMORY_BYTES = 16 << 10, /* bounds a request's header */
    OCK_HEARTBEAT_MS = 15000,
    OCK_IDLE_TIMEOUT_S = 60,
    OCK_POOL_DEPTH_MAX = 4096, /* requests that wait for a thread; beyond: 503 */
    OCK_IMPORT_THREADS = 8,
    OCK_PREDICT_THREADS = 4,    /* predictions that run at once */
    OCK_PREDICT_DEPTH_MAX = 64, /* … and that wait; beyond: 503 */
    OCK_ACT_THREADS = 8,
    OCK_IMPORT_WAIT_MS = 30000,
};

/* Immutable after start but for the atomics and what has a lock of its own. */
struct ock_http {
    struct ock_engine *engine;
    struct ock_access access;
    struct ock_pool *pool;    /* handlers and feeds */
    struct ock_pool *imports; /* what may wait for half a minute */
    struct ock_pool *acts;    /* what waits for a commit alone */
    struct ock_pool *predicts;
    struct ock_feeds feeds;
    struct ock_ticker ticker;
    struct ock_peers peers;
    struct ock_counters counters;
    struct MHD_Daemon *daemon;
    int listen_fd; /* the daemon's */
    char *schema;  /* texts that are made once */
    char *openapi;
    char *welcome_text, *welcome_html, *version;
    const char *data_dir;
    uint64_t upload_bytes_max;
    atomic_bool draining;     /* readyz says 503 */
    atomic_bool ending;       /* streams end when they have told what there is */
    atomic_bool stopping;     /* nothing may suspend any more */
    atomic_size_t suspended;  /* connections that wait for us */
    atomic_size_t active;     /* requests between their first line and their answer's end */
    atomic_uint_fast64_t ids; /* of requests */
    atomic_uint denials;      /* wrong tokens whose answer is held back */
    uint64_t id_key;
};

/* Suspends a connection, from its own callback; false: the server is stopping, don't. */
bool ock_http_suspend(struct ock_http *http, struct MHD_Connection *connection);
void ock_http_resume(struct ock_http *http, struct MHD_Connection *connection);

int64_t ock_http_now_ms(void); /* monotonic */

struct ock_http_config {
    struct ock_engine *engine;
    const struct ock_serve_options *options;
    const struct ock_access *access; /* copied */
    const char *url;                 /* for the welcome text */
    int listen_fd;                   /* taken when the start succeeds */
};
/* Errors: NOMEM, LIMIT, IO. */
enum ock_status ock_http_start(struct ock_http **out, const struct ock_http_config *config,
                               struct ock_err *err);
/* Ends streams and waits, closes all connections, frees. False: something did not end in time; the
 * engine may still be in use, and nothing was freed. */
bool ock_http_stop(struct ock_http *http, unsigned wait_ms);

#endif
