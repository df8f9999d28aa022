/* Tails: their table, their task, and who gets a page. */
#include "server/http/tail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/http/server.h"

enum { PROGRESS_BYTES_MAX = 4 << 20 };

static bool run(struct ock_task *task);

static struct ock_tail **bucket_of(struct ock_feeds *feeds, const char *job)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (const char *c = job; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 16777619u;
    return &feeds->buckets[hash % OCK_TAIL_BUCKETS];
}

/* Finds it and holds it; the lock is held. NULL: there is none. */
static struct ock_tail *find(struct ock_feeds *feeds, const char *job, enum ock_feed_format format)
{
    struct ock_tail *tail = *bucket_of(feeds, job);
    while (tail && (tail->format != format || strcmp(tail->job, job) != 0))
        tail = tail->next;
    if (tail)
        tail->holders++;
    return tail;
}

static void enlist(struct ock_feeds *feeds, struct ock_tail *tail)
{
    struct ock_tail **bucket = bucket_of(feeds, tail->job);
    tail->next = *bucket;
    *bucket = tail;
}

/* One that was never put there is not found. */
static void unlist(struct ock_feeds *feeds, const struct ock_tail *tail)
{
    struct ock_tail **at = bucket_of(feeds, tail->job);
    while (*at && *at != tail)
        at = &(*at)->next;
    if (*at)
        *at = tail->next;
}

/* Called by the engine. */
static void wake(void *ctx)
{
    struct ock_tail *tail = ctx;
    ock_pool_poke(tail->http->pool, &tail->task);
}

void ock_tail_release(struct ock_tail *tail)
{
    struct ock_feeds *feeds = &tail->http->feeds;
    pthread_mutex_lock(&feeds->lock);
    if (--tail->holders == 0) {
        unlist(feeds, tail);
        /* Under the lock: a run can't see that nobody holds it, and free it, before this. */
        ock_pool_poke(tail->http->pool, &tail->task);
    }
    pthread_mutex_unlock(&feeds->lock);
}

/* Where the stream is now. Progress from before the first reader is no news. */
static bool look(struct ock_tail *tail, struct ock_problem *problem)
{
    struct ock_engine *engine = tail->http->engine;
    struct ock_buf old;
    uint64_t position, stamp = 0;
    if (!ock_engine_last_event(engine, tail->job, &position, problem))
        return false;
    ock_buf_init(&old, PROGRESS_BYTES_MAX);
    (void)ock_engine_progress(engine, tail->job, &stamp, &old);
    ock_buf_deinit(&old);
    pthread_mutex_lock(&tail->http->feeds.lock);
    tail->position = position;
    tail->progress_stamp = stamp;
    tail->made = true;
    pthread_mutex_unlock(&tail->http->feeds.lock);
    return true;
}

/* Subscribes first and looks second: what comes between is told by a wake-up, whose run, if it
 * comes before the look is done, leaves everything to the first feed. */
static bool make(struct ock_tail **out, struct ock_http *http, const char *job,
                 enum ock_feed_format format, struct ock_problem *problem)
{
    struct ock_tail *tail = calloc(1, sizeof(*tail));
    if (!tail) {
        ock_problem_set(problem, 500, "out_of_memory", "The server is out of memory",
                        "there is no memory for another stream; try again later");
        return false;
    }
    tail->task.run = run;
    tail->http = http;
    tail->format = format;
    tail->holders = 1;
    tail->more = true;
    tail->chain.bytes_max = OCK_FEED_CHAIN_BYTES;
    (void)snprintf(tail->job, sizeof(tail->job), "%s", job);
    if (!ock_engine_subscribe(http->engine, job, wake, tail, &tail->subscription, problem) ||
        !look(tail, problem)) {
        ock_tail_release(tail);
        return false;
    }
    *out = tail;
    return true;
}

bool ock_tail_open(struct ock_tail **out, struct ock_http *http, const char *job,
                   enum ock_feed_format format, struct ock_problem *problem)
{
    struct ock_feeds *feeds = &http->feeds;
    struct ock_tail *made = NULL;
    pthread_mutex_lock(&feeds->lock);
    struct ock_tail *tail = find(feeds, job, format);
    pthread_mutex_unlock(&feeds->lock);
    if (!tail && !make(&made, http, job, format, problem))
        return false;
    if (made) { /* somebody else may have made one meanwhile */
        pthread_mutex_lock(&feeds->lock);
        tail = find(feeds, job, format);
        if (!tail)
            enlist(feeds, made);
        pthread_mutex_unlock(&feeds->lock);
        if (tail)
            ock_tail_release(made);
        else
            tail = made;
    }
    *out = tail;
    return true;
}

void ock_tail_attach(struct ock_tail *tail, struct ock_feed *feed)
{
    feed->next = tail->first;
    if (feed->next)
        feed->next->previous = feed;
    tail->first = feed;
    feed->listed = true;
    if (!feed->page)
        tail->waiting++;
}

void ock_tail_detach(struct ock_tail *tail, struct ock_feed *feed)
{
    if (feed->previous)
        feed->previous->next = feed->next;
    else
        tail->first = feed->next;
    if (feed->next)
        feed->next->previous = feed->previous;
    feed->listed = false;
    if (!feed->page)
        tail->waiting--;
}

void ock_tail_next(struct ock_tail *tail, struct ock_feed *feed)
{
    struct ock_pool *pool = tail->http->pool;
    struct ock_page *page =
        feed->after < tail->position ? ock_chain_find(&tail->chain, feed->after) : NULL;
    if (page)
        ock_feed_give(feed, page);
    else if (feed->after < tail->position)
        ock_pool_poke(pool, &feed->task);
    else if (tail->ended)
        ock_feed_end(feed);
    else if (tail->more)
        ock_pool_poke(pool, &tail->task);
}

/* News for those who wait where the page begins; the others look for themselves. The lock is held.
 */
static void hand_out(struct ock_tail *tail, struct ock_page *page)
{
    ock_chain_add(&tail->chain, page);
    tail->position = page->to;
    tail->ended = page->last;
    for (struct ock_feed *feed = tail->first; feed; feed = feed->next) {
        if (feed->page || feed->reading)
            continue;
        if (feed->after == page->from)
            ock_feed_give(feed, page);
        else
            ock_pool_poke(tail->http->pool, &feed->task);
    }
}

static void free_tail(struct ock_tail *tail)
{
    ock_engine_unsubscribe(tail->subscription);
    ock_chain_clear(&tail->chain);
    free(tail);
}

/* The stream of all jobs is paced: true if it is too early, and the ticker will call again. */
static bool too_early(struct ock_tail *tail)
{
    int64_t now = ock_http_now_ms();
    if (tail->job[0])
        return false;
    if (now < tail->look_ms) {
        ock_ticker_look_at(&tail->http->ticker, tail->look_ms);
        return true;
    }
    tail->look_ms = now + OCK_FEED_LOOK_MS;
    return false;
}

/* Nothing comes behind the position: those who wait there have everything. The lock is held. */
static void end(struct ock_tail *tail)
{
    tail->ended = true;
    for (struct ock_feed *feed = tail->first; feed; feed = feed->next) {
        if (!feed->page && !feed->reading && feed->after >= tail->position)
            ock_feed_end(feed);
    }
}

static bool run(struct ock_task *task)
{
    struct ock_tail *tail = (struct ock_tail *)task; /* its first member */
    struct ock_feeds *feeds = &tail->http->feeds;
    pthread_mutex_lock(&feeds->lock);
    bool over = tail->holders == 0;
    bool ending = atomic_load(&tail->http->ending); /* then all is read, whoever waits */
    bool wanted = !over && tail->made && !tail->ended && (tail->waiting > 0 || ending);
    uint64_t position = tail->position;
    tail->more = !wanted;
    pthread_mutex_unlock(&feeds->lock);
    if (over) {
        free_tail(tail);
        return false;
    }
    if (!wanted || (!ending && too_early(tail)))
        return true;

    struct ock_problem problem = {0};
    bool found;
    struct ock_page *page = ock_tail_read(tail, position, UINT64_MAX, true, &found, &problem);
    pthread_mutex_lock(&feeds->lock);
    if (!page) { /* no memory */
        end(tail);
    } else if (page->text.size > 0 || page->last || page->to > position) {
        tail->more = true;
        hand_out(tail, page);
    } else if (ending) {
        end(tail);
    }
    ock_page_release(page);
    ock_chain_trim(&tail->chain); /* all may have left meanwhile */
    pthread_mutex_unlock(&feeds->lock);
    return true;
}
