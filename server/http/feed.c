/* Feeds. A feed is a task of the pool (pool.h), too: what it can't share it reads for itself there,
 * and there it is freed. */
#include "server/http/feed.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "server/http/server.h"
#include "server/http/tail.h"

enum {
    BLOCK_BYTES = 4 << 10, /* of the library, for clients that cannot read chunks */
    LINE_BYTES_MAX = 256,
    KEPT_BYTES = 2 << 10,
    SOCKET_BYTES = 64 << 10,
    TEXT_BYTES_MAX = 8 << 20,
};

static void out_of_memory(struct ock_problem *problem)
{
    ock_problem_set(problem, 500, "out_of_memory", "The server is out of memory",
                    "there is no memory for another stream; try again later");
}

void ock_feeds_init(struct ock_feeds *feeds)
{
    *feeds = (struct ock_feeds){.count = 0};
    pthread_mutex_init(&feeds->lock, NULL);
}

void ock_feeds_deinit(struct ock_feeds *feeds)
{
    pthread_mutex_destroy(&feeds->lock);
}

/* The lock is held. */
static void resume(struct ock_feed *feed)
{
    if (!feed->suspended)
        return;
    feed->suspended = false;
    ock_http_resume(feed->tail->http, feed->connection);
}

void ock_feed_give(struct ock_feed *feed, struct ock_page *page)
{
    feed->page = ock_page_hold(page);
    feed->sent = 0;
    if (page->to > feed->after)
        feed->after = page->to;
    feed->tail->waiting--;
    resume(feed);
}

void ock_feed_end(struct ock_feed *feed)
{
    feed->ended = true;
    resume(feed);
}

/* The page has been sent: on to the next one, or to wait for it. The lock is held. */
static void turn(struct ock_feed *feed)
{
    struct ock_tail *tail = feed->tail;
    struct ock_page *page = feed->page, *next = page->next;
    feed->page = NULL;
    feed->ended = page->last;
    tail->waiting++;
    if (next)
        ock_feed_give(feed, next);
    ock_page_release(page);
    ock_chain_trim(&tail->chain);
    if (!next && !feed->ended)
        ock_tail_next(tail, feed);
}

/* Copies what there is and fits; 0: nothing is there. The lock is held. */
static size_t take(struct ock_feed *feed, char *bytes, size_t size)
{
    size_t count = 0;
    while (feed->page && count < size) {
        const struct ock_buf *text = &feed->page->text;
        size_t left = text->size - feed->sent, room = size - count;
        size_t part = left < room ? left : room;
        if (part > 0)
            memcpy(bytes + count, text->data + feed->sent, part);
        feed->sent += part;
        count += part;
        if (part == left)
            turn(feed);
    }
    return count;
}

/* The library's buffer is scratch while nothing is in it. What its idle stream will not need for the
 * next event goes back to the system: ten thousand of them wait most of the time. */
static void give_back(struct ock_feed *feed, char *bytes, size_t size)
{
    feed->spread = false;
    const uintptr_t page = 4096;
    uintptr_t from = ((uintptr_t)bytes + KEPT_BYTES + page - 1) / page * page;
    uintptr_t to = ((uintptr_t)bytes + size) / page * page;
    if (from < to)
        (void)madvise((void *)from, to - from, MADV_DONTNEED);
}

/* The library's content reader: from memory or not at all. */
static ssize_t read_content(void *ctx, uint64_t position, char *bytes, size_t size)
{
    struct ock_feed *feed = ctx;
    struct ock_http *http = feed->tail->http;
    (void)position;
    pthread_mutex_lock(&http->feeds.lock);
    ssize_t result = (ssize_t)take(feed, bytes, size);
    if (result == 0 && (feed->ended || !ock_http_suspend(http, feed->connection)))
        result = MHD_CONTENT_READER_END_OF_STREAM;
    if (result == 0)
        feed->suspended = true;
    pthread_mutex_unlock(&http->feeds.lock);
    /* From here on it may be resumed, but this thread alone goes on with it. */
    ock_peer_enter(ock_peer_of(feed->connection), result > 0 ? OCK_PEER_STREAM : OCK_PEER_BUSY);
    if (result > KEPT_BYTES)
        feed->spread = true;
    else if (result == 0 && feed->spread)
        give_back(feed, bytes, size);
    return result;
}

/* Takes it off the list; what is left is done by its run, which may be reading for it. */
void ock_feed_close(struct ock_feed *feed)
{
    if (!feed)
        return;
    struct ock_tail *tail = feed->tail;
    struct ock_http *http = tail->http;
    pthread_mutex_lock(&http->feeds.lock);
    if (feed->listed) {
        ock_tail_detach(tail, feed);
        http->feeds.count--;
    }
    ock_page_release(feed->page);
    feed->page = NULL;
    ock_chain_trim(&tail->chain);
    feed->gone = true;
    /* Under the lock: a run that is under way can't see `gone`, and free the feed, before this. */
    ock_pool_poke(http->pool, &feed->task);
    pthread_mutex_unlock(&http->feeds.lock);
}

static void free_content(void *ctx)
{
    ock_feed_close(ctx);
}

/* A page that was read for this feed alone. NULL: there was no memory for one. The lock is held. */
static void take_own(struct ock_feed *feed, struct ock_page *page)
{
    feed->reading = false;
    if (feed->gone)
        return;
    if (!page) {
        ock_feed_end(feed);
    } else if (page->text.size > 0 || page->last) {
        ock_feed_give(feed, page);
    } else {
        if (page->to > feed->after) /* what was there has been deleted */
            feed->after = page->to;
        ock_tail_next(feed->tail, feed);
    }
}

/* Reads a page for a feed that is not where its tail is. */
static bool run(struct ock_task *task)
{
    struct ock_feed *feed = (struct ock_feed *)task; /* its first member */
    struct ock_tail *tail = feed->tail;
    pthread_mutex_t *lock = &tail->http->feeds.lock;
    pthread_mutex_lock(lock);
    bool gone = feed->gone;
    bool wanted = feed->listed && !feed->ended && !feed->page && feed->after < tail->position;
    uint64_t after = feed->after, until = tail->position;
    feed->reading = wanted;
    pthread_mutex_unlock(lock);
    if (gone) {
        free(feed);
        ock_tail_release(tail);
        return false;
    }
    if (!wanted)
        return true;

    struct ock_problem problem = {0}; /* 55 KiB: not before it is needed */
    bool found;
    struct ock_page *page = ock_tail_read(tail, after, until, false, &found, &problem);
    pthread_mutex_lock(lock);
    take_own(feed, page);
    ock_page_release(page);
    pthread_mutex_unlock(lock);
    return true;
}

/* What a client of all jobs' events is told first: where the stream goes on, if that is not where
 * it left. */
static struct ock_page *begin_all(struct ock_feed *feed, struct ock_buf *text,
                                  struct ock_problem *problem)
{
    struct ock_tail *tail = feed->tail;
    uint64_t now, asked = feed->after;
    if (!ock_engine_last_event(tail->http->engine, "", &now, problem))
        return NULL;
    bool known = asked <= now && now - asked <= OCK_FEED_REPLAY_EVENTS_MAX;
    if (!known && asked != OCK_FEED_FROM_NOW) {
        struct ock_buf line;
        ock_buf_init(&line, LINE_BYTES_MAX);
        ock_buf_printf(&line, "%" PRIu64 " {\"type\":\"reset\",\"events_after\":%" PRIu64 "}\n",
                       now, now);
        ock_format_events(text, tail->format, OCK_NUMBER_IN_FRONT, &line);
        ock_buf_deinit(&line);
    }
    if (!known)
        feed->after = now;
    return ock_page_new(text, feed->after, feed->after, false);
}

/* A job's first events, up to where the tail is. */
static struct ock_page *begin_job(struct ock_feed *feed, struct ock_buf *text, bool *over,
                                  struct ock_problem *problem)
{
    struct ock_tail *tail = feed->tail;
    bool found;
    pthread_mutex_lock(&tail->http->feeds.lock);
    uint64_t until = tail->position;
    pthread_mutex_unlock(&tail->http->feeds.lock);
    struct ock_page *page = ock_tail_read(tail, feed->after, until, false, &found, problem);
    struct ock_page *first = NULL;
    if (page && found) {
        *over = page->last && page->text.size == 0;
        ock_buf_add(text, page->text.data, page->text.size);
        feed->after = page->to;
        if (ock_buf_status(text, NULL) == OCK_OK)
            first = ock_page_new(text, page->from, page->to, page->last);
    }
    ock_page_release(page);
    return first;
}

/* The first page is there: from now on the tail knows the feed. */
static void enlist(struct ock_feed *feed, struct ock_page *first)
{
    struct ock_feeds *feeds = &feed->tail->http->feeds;
    pthread_mutex_lock(&feeds->lock);
    feed->page = first;
    ock_tail_attach(feed->tail, feed);
    feeds->count++;
    pthread_mutex_unlock(&feeds->lock);
}

/* A feed that is on no list yet. NULL: problem. */
static struct ock_feed *new_feed(struct ock_http *http, const struct ock_feed_request *request,
                                 struct ock_problem *problem)
{
    struct ock_feed *feed = calloc(1, sizeof(*feed));
    if (!feed) {
        out_of_memory(problem);
        return NULL;
    }
    feed->task.run = run;
    feed->after = request->after;
    feed->spread = true; /* the header was read there */
    if (ock_tail_open(&feed->tail, http, request->job, request->format, problem))
        return feed;
    free(feed);
    return NULL;
}

bool ock_feed_open(struct ock_feed **out, struct ock_http *http,
                   const struct ock_feed_request *request, bool *over, struct ock_problem *problem)
{
    struct ock_feed *feed = new_feed(http, request, problem);
    struct ock_buf text;
    if (!feed)
        return false;
    *over = false;
    ock_buf_init(&text, TEXT_BYTES_MAX);
    ock_format_begin(&text, request->format);
    struct ock_page *first =
        request->job[0] ? begin_job(feed, &text, over, problem) : begin_all(feed, &text, problem);
    ock_buf_deinit(&text);
    if (!first) {
        if (problem->status == 0)
            out_of_memory(problem);
        ock_feed_close(feed);
        return false;
    }
    enlist(feed, first);
    *out = feed;
    return true;
}

/* The system would keep megabytes for a client that does not read. */
static void limit_socket(struct MHD_Connection *connection)
{
    const int bytes = SOCKET_BYTES;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info)
        (void)setsockopt(info->connect_fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

struct MHD_Response *ock_feed_response(struct ock_feed *feed, struct MHD_Connection *connection,
                                       bool chunked)
{
    feed->connection = connection;
    limit_socket(connection);
    /* Chunks are written where they are sent from; the block is for all others. */
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, chunked ? 1 : BLOCK_BYTES, read_content, feed, free_content);
    if (!response)
        ock_feed_close(feed);
    return response;
}

/* Calls `act` for every tail under the lock. */
static void each_tail(struct ock_feeds *feeds, void (*act)(struct ock_tail *tail))
{
    pthread_mutex_lock(&feeds->lock);
    for (size_t i = 0; i < OCK_TAIL_BUCKETS; i++) {
        for (struct ock_tail *tail = feeds->buckets[i]; tail; tail = tail->next)
            act(tail);
    }
    pthread_mutex_unlock(&feeds->lock);
}

static void add_heartbeats(struct ock_tail *tail)
{
    struct ock_buf text;
    ock_buf_init(&text, LINE_BYTES_MAX);
    ock_format_heartbeat(&text, tail->format);
    struct ock_page *page = ock_page_new(&text, 0, 0, false);
    ock_buf_deinit(&text);
    for (struct ock_feed *feed = page ? tail->first : NULL; feed; feed = feed->next) {
        if (feed->suspended && !feed->page && !feed->reading)
            ock_feed_give(feed, page);
    }
    ock_page_release(page);
}

static void poke_if_all(struct ock_tail *tail)
{
    if (!tail->job[0])
        ock_pool_poke(tail->http->pool, &tail->task);
}

static void poke_if_open(struct ock_tail *tail)
{
    if (tail->ended)
        return;
    tail->http->feeds.open++;
    ock_pool_poke(tail->http->pool, &tail->task);
}

static void resume_all(struct ock_tail *tail)
{
    for (struct ock_feed *feed = tail->first; feed; feed = feed->next)
        resume(feed);
}

void ock_feeds_heartbeat(struct ock_http *http)
{
    each_tail(&http->feeds, add_heartbeats);
}

void ock_feeds_look(struct ock_http *http)
{
    each_tail(&http->feeds, poke_if_all);
}

bool ock_feeds_drain(struct ock_http *http)
{
    http->feeds.open = 0;
    each_tail(&http->feeds, poke_if_open);
    return http->feeds.open == 0;
}

void ock_feeds_stop(struct ock_http *http)
{
    each_tail(&http->feeds, resume_all);
}

size_t ock_feeds_count(struct ock_feeds *feeds)
{
    pthread_mutex_lock(&feeds->lock);
    size_t count = feeds->count;
    pthread_mutex_unlock(&feeds->lock);
    return count;
}
