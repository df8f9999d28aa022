/* The thread that watches the clock: deadlines of long polls, heartbeats, the watchdog. */
#ifndef OCK_SERVER_HTTP_TICKER_H
#define OCK_SERVER_HTTP_TICKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/status.h"

struct ock_http;
struct ock_wait;

struct ock_ticker {
    pthread_mutex_t lock; /* guards what follows and the waits' list fields; a pool's lock may be
                           * taken under it, never the other way round */
    pthread_cond_t changed;
    struct ock_wait *first;
    bool stopping;
    bool started;
    pthread_t thread;
};

/* Errors: LIMIT. */
enum ock_status ock_ticker_start(struct ock_ticker *ticker, struct ock_http *http,
                                 struct ock_err *err);
void ock_ticker_stop(struct ock_ticker *ticker); /* all-zero or twice: a no-op */

#endif
