/* The thread that watches the clock: deadlines of long polls, heartbeats, the watchdog,
 * the pace of the streams of all jobs. */
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
    int64_t look_ms; /* when the streams of all jobs look for news; INT64_MAX: they need not */
    bool stopping;
    bool made, started;
    pthread_t thread;
};

/* Errors: LIMIT. */
enum ock_status ock_ticker_start(struct ock_ticker *ticker, struct ock_http *http,
                                 struct ock_err *err);
/* Calls ock_feeds_look at that time, or earlier. */
void ock_ticker_look_at(struct ock_ticker *ticker, int64_t when_ms);
void ock_ticker_stop(struct ock_ticker *ticker); /* all-zero or twice: a no-op */
/* Of a stopped one: nobody asks it for anything any more. All-zero or twice: a no-op. */
void ock_ticker_deinit(struct ock_ticker *ticker);

#endif
