/* Long polls: the list of the ticker, and the handler's side of it. */
#include "server/http/wait.h"

#include "server/http/exchange.h"
#include "server/http/server.h"

/* Called by the engine. */
static void wake(void *ctx)
{
    struct ock_exchange *x = ctx;
    ock_pool_poke(x->http->pool, &x->task);
}

static void enlist(struct ock_wait *wait, struct ock_ticker *ticker)
{
    pthread_mutex_lock(&ticker->lock);
    wait->previous = NULL;
    wait->next = ticker->first;
    if (wait->next)
        wait->next->previous = wait;
    ticker->first = wait;
    pthread_cond_signal(&ticker->changed);
    pthread_mutex_unlock(&ticker->lock);
}

bool ock_wait_begin(struct ock_exchange *x, const char *job, int64_t seconds,
                    struct ock_problem *problem)
{
    struct ock_wait *wait = &x->wait;
    int64_t now = ock_http_now_ms();
    *wait = (struct ock_wait){.exchange = x, .begun_ms = now};
    wait->deadline_ms = wait->wake_ms = now + seconds * 1000;
    if (job && !ock_engine_subscribe(x->http->engine, job, wake, x, &wait->subscription, problem))
        return false;
    wait->active = true;
    enlist(wait, &x->http->ticker);
    return true;
}

bool ock_wait_over(const struct ock_exchange *x)
{
    return ock_http_now_ms() >= x->wait.deadline_ms || atomic_load(&x->http->stopping);
}

bool ock_wait_look(struct ock_exchange *x)
{
    int64_t now = ock_http_now_ms();
    if (now < x->wait.look_ms && !ock_wait_over(x)) {
        ock_wait_until(x, x->wait.look_ms);
        return false;
    }
    x->wait.look_ms = now + OCK_WAIT_LOOK_MS;
    return true;
}

void ock_wait_until(struct ock_exchange *x, int64_t wake_ms)
{
    struct ock_ticker *ticker = &x->http->ticker;
    pthread_mutex_lock(&ticker->lock);
    x->wait.wake_ms = wake_ms < x->wait.deadline_ms ? wake_ms : x->wait.deadline_ms;
    pthread_cond_signal(&ticker->changed);
    pthread_mutex_unlock(&ticker->lock);
}

void ock_wait_end(struct ock_exchange *x)
{
    struct ock_wait *wait = &x->wait;
    struct ock_ticker *ticker = &x->http->ticker;
    if (!wait->active)
        return;
    ock_engine_unsubscribe(wait->subscription);
    pthread_mutex_lock(&ticker->lock);
    if (wait->previous)
        wait->previous->next = wait->next;
    else
        ticker->first = wait->next;
    if (wait->next)
        wait->next->previous = wait->previous;
    pthread_mutex_unlock(&ticker->lock);
    wait->active = false;
}

void ock_waits_stop(struct ock_http *http)
{
    pthread_mutex_lock(&http->ticker.lock);
    for (struct ock_wait *wait = http->ticker.first; wait; wait = wait->next)
        ock_pool_poke(http->pool, &wait->exchange->task);
    pthread_mutex_unlock(&http->ticker.lock);
}
