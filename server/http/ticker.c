/* The clock's thread: sleeps until the next of its duties. */
#include "server/http/ticker.h"

#include <stdatomic.h>
#include <time.h>

#include "server/http/exchange.h"
#include "server/http/server.h"

enum { WATCH_MS = 1000 };

struct duties {
    struct ock_http *http;
    int64_t heartbeat_ms;
    int64_t watch_ms;
    bool look;
};

/* Pokes the waits whose time has come and says when the next one's will. The lock is held. */
static int64_t poke_due(struct ock_http *http, int64_t now_ms, int64_t next_ms)
{
    for (struct ock_wait *wait = http->ticker.first; wait; wait = wait->next) {
        if (wait->wake_ms <= now_ms) {
            ock_pool_poke(http->pool, &wait->exchange->task);
            /* Its handler sets another time, if it must be before the deadline. */
            wait->wake_ms = wait->deadline_ms > now_ms ? wait->deadline_ms : now_ms + WATCH_MS;
        }
        if (wait->wake_ms < next_ms)
            next_ms = wait->wake_ms;
    }
    return next_ms;
}

/* Whether it is time to look for news of all jobs; asked for once, it is done once. The lock is
 * held. */
static bool look_is_due(struct ock_ticker *ticker, int64_t now_ms)
{
    if (now_ms < ticker->look_ms)
        return false;
    ticker->look_ms = INT64_MAX;
    return true;
}

static void sleep_until(struct ock_ticker *ticker, int64_t when_ms)
{
    struct timespec when = {.tv_sec = when_ms / 1000, .tv_nsec = when_ms % 1000 * 1000000};
    (void)pthread_cond_timedwait(&ticker->changed, &ticker->lock, &when);
}

/* What is done without the ticker's lock. */
static void attend(struct duties *duties, int64_t now_ms)
{
    if (duties->look) {
        ock_feeds_look(duties->http);
        duties->look = false;
    }
    if (now_ms >= duties->heartbeat_ms) {
        ock_feeds_heartbeat(duties->http);
        duties->heartbeat_ms = now_ms + OCK_HEARTBEAT_MS;
    }
    if (now_ms >= duties->watch_ms) {
        ock_peers_watch(&duties->http->peers, now_ms);
        duties->watch_ms = now_ms + WATCH_MS;
    }
}

static void *tick(void *ctx)
{
    struct ock_http *http = ctx;
    struct ock_ticker *ticker = &http->ticker;
    int64_t now = ock_http_now_ms();
    struct duties duties = {
        .http = http, .heartbeat_ms = now + OCK_HEARTBEAT_MS, .watch_ms = now + WATCH_MS};
    pthread_mutex_lock(&ticker->lock);
    while (!ticker->stopping) {
        int64_t next =
            duties.heartbeat_ms < duties.watch_ms ? duties.heartbeat_ms : duties.watch_ms;
        next = poke_due(http, ock_http_now_ms(), next);
        sleep_until(ticker, next < ticker->look_ms ? next : ticker->look_ms);
        duties.look = look_is_due(ticker, ock_http_now_ms());
        pthread_mutex_unlock(&ticker->lock);
        attend(&duties, ock_http_now_ms());
        pthread_mutex_lock(&ticker->lock);
    }
    pthread_mutex_unlock(&ticker->lock);
    return NULL;
}

enum ock_status ock_ticker_start(struct ock_ticker *ticker, struct ock_http *http,
                                 struct ock_err *err)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&ticker->lock, NULL);
    pthread_cond_init(&ticker->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    ticker->look_ms = INT64_MAX;
    ticker->made = true;
    int failed = pthread_create(&ticker->thread, NULL, tick, http);
    if (failed)
        return ock_fail(err, OCK_LIMIT, "the system refuses a thread (error %d)", failed);
    ticker->started = true;
    return OCK_OK;
}

void ock_ticker_look_at(struct ock_ticker *ticker, int64_t when_ms)
{
    pthread_mutex_lock(&ticker->lock);
    if (when_ms < ticker->look_ms) {
        ticker->look_ms = when_ms;
        pthread_cond_signal(&ticker->changed);
    }
    pthread_mutex_unlock(&ticker->lock);
}

void ock_ticker_stop(struct ock_ticker *ticker)
{
    if (!ticker->started)
        return;
    pthread_mutex_lock(&ticker->lock);
    ticker->stopping = true;
    pthread_cond_signal(&ticker->changed);
    pthread_mutex_unlock(&ticker->lock);
    pthread_join(ticker->thread, NULL);
    ticker->started = false;
}

void ock_ticker_deinit(struct ock_ticker *ticker)
{
    if (!ticker->made)
        return;
    pthread_cond_destroy(&ticker->changed);
    pthread_mutex_destroy(&ticker->lock);
    ticker->made = false;
}
