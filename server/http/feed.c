/* Event streams. A feed is a task of the pool (pool.h): what wakes it pokes it, and its run reads
 * one page when the last one has been sent. */
#include "server/http/feed.h"

#include <stdlib.h>
#include <string.h>

#include "server/http/member.h"
#include "server/http/server.h"

enum {
    EVENTS_PER_PAGE = 1000,
    PAGE_BYTES_MAX = 1 << 20,
    OUT_BYTES_MAX = 4 << 20,
    BLOCK_BYTES = 4 << 10
};

struct ock_feed {
    struct ock_task task;
    /* immutable once it is open */
    struct ock_http *http;
    char *job;
    enum ock_feed_format format;
    struct ock_subscription *subscription;
    struct MHD_Connection *connection;
    /* of the task's run alone */
    uint64_t after;
    uint64_t progress_stamp;
    /* guarded by the hub's lock */
    struct ock_feed *previous, *next;
    struct ock_buf out; /* a page; sent up to `sent` */
    size_t sent;
    bool opening; /* the handler reads the first page: run keeps off */
    bool listed;
    bool suspended;
    bool more;  /* there may be events behind the page */
    bool ended; /* nothing comes behind the page */
    bool gone;  /* the client is; the run frees the feed */
};

const char *ock_feed_type(enum ock_feed_format format)
{
    return format == OCK_FEED_SSE ? "text/event-stream" : "application/x-ndjson";
}

void ock_feeds_init(struct ock_feeds *feeds)
{
    *feeds = (struct ock_feeds){.first = NULL};
    pthread_mutex_init(&feeds->lock, NULL);
}

void ock_feeds_deinit(struct ock_feeds *feeds)
{
    pthread_mutex_destroy(&feeds->lock);
}

/* One stored event as SSE; its type and seq stand in front of its text. */
static void add_sse(struct ock_buf *out, const char *line, size_t size)
{
    char type[32];
    uint64_t seq;
    if (ock_member_uint(line, size, "seq", &seq))
        ock_buf_printf(out, "id: %llu\n", (unsigned long long)seq);
    if (ock_member_string(line, size, "type", type, sizeof(type)))
        ock_buf_printf(out, "event: %s\n", type);
    ock_buf_puts(out, "data: ");
    ock_buf_add(out, line, size);
    ock_buf_puts(out, "\n\n");
}

static void add_lines(struct ock_buf *out, enum ock_feed_format format, const struct ock_buf *lines)
{
    if (format == OCK_FEED_NDJSON) {
        ock_buf_add(out, lines->data, lines->size);
        return;
    }
    const char *at = lines->data, *end = lines->data + lines->size;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t size = (size_t)((stop ? stop : end) - at);
        if (size > 0)
            add_sse(out, at, size);
        at += size + 1;
    }
}

/* Appends the next page: stored events, else the newest progress. *ended: nothing comes after it,
 * be it that the job has ended, has been deleted or that there is no memory for its events. */
static bool fill(struct ock_feed *feed, struct ock_buf *out, bool *ended,
                 struct ock_problem *problem)
{
    struct ock_buf lines;
    ock_buf_init(&lines, PAGE_BYTES_MAX);
    uint64_t last = feed->after;
    *ended = false;
    bool found = ock_engine_events(feed->http->engine, feed->job, feed->after, EVENTS_PER_PAGE,
                                   OCK_FEED_PAGE_BYTES, &lines, &last, ended, problem);
    if (found && lines.size > 0) {
        add_lines(out, feed->format, &lines);
        feed->after = last;
    } else if (found && !*ended) {
        if (ock_engine_progress(feed->http->engine, feed->job, &feed->progress_stamp, &lines)) {
            ock_buf_putc(&lines, '\n');
            add_lines(out, feed->format, &lines);
        }
    }
    if (!found || ock_buf_status(&lines, NULL) != OCK_OK || ock_buf_status(out, NULL) != OCK_OK)
        *ended = true;
    ock_buf_deinit(&lines);
    return found;
}

static void free_feed(struct ock_feed *feed)
{
    ock_engine_unsubscribe(feed->subscription);
    ock_buf_deinit(&feed->out);
    free(feed->job);
    free(feed);
}

/* The hub's lock is held. */
static void resume(struct ock_feed *feed)
{
    if (!feed->suspended)
        return;
    feed->suspended = false;
    ock_http_resume(feed->http, feed->connection);
}

/* Hands a page over; behind a heartbeat if one was put there meanwhile. The hub's lock is held. */
static void put(struct ock_feed *feed, struct ock_buf *page)
{
    if (feed->sent < feed->out.size) {
        ock_buf_add(&feed->out, page->data, page->size);
        ock_buf_deinit(page);
        return;
    }
    ock_buf_deinit(&feed->out);
    feed->out = *page;
    feed->sent = 0;
}

static bool run(struct ock_task *task)
{
    struct ock_feed *feed = (struct ock_feed *)task; /* its first member */
    struct ock_feeds *feeds = &feed->http->feeds;
    pthread_mutex_lock(&feeds->lock);
    bool gone = feed->gone;
    bool wanted = !gone && !feed->opening && !feed->ended && feed->sent == feed->out.size;
    feed->more = !wanted;
    pthread_mutex_unlock(&feeds->lock);
    if (gone) {
        free_feed(feed);
        return false;
    }
    if (!wanted)
        return true;

    struct ock_problem problem = {0};
    struct ock_buf page;
    bool ended;
    ock_buf_init(&page, OUT_BYTES_MAX);
    (void)fill(feed, &page, &ended, &problem);

    pthread_mutex_lock(&feeds->lock);
    feed->more = feed->more || page.size > 0;
    put(feed, &page);
    feed->ended = ended;
    if (feed->sent < feed->out.size || feed->ended)
        resume(feed);
    pthread_mutex_unlock(&feeds->lock);
    return true;
}

/* Called by the engine. */
static void wake(void *ctx)
{
    struct ock_feed *feed = ctx;
    ock_pool_poke(feed->http->pool, &feed->task);
}

/* What of the page fits; 0: nothing is there. The hub's lock is held. */
static size_t take(struct ock_feed *feed, char *bytes, size_t size)
{
    size_t left = feed->out.size - feed->sent;
    size_t count = left < size ? left : size;
    if (count == 0)
        return 0;
    memcpy(bytes, feed->out.data + feed->sent, count);
    feed->sent += count;
    if (feed->sent == feed->out.size) {
        ock_buf_deinit(&feed->out); /* ten thousand idle streams should hold no pages */
        feed->sent = 0;
    }
    return count;
}

/* The library's content reader: from memory or not at all. */
static ssize_t read_content(void *ctx, uint64_t position, char *bytes, size_t size)
{
    struct ock_feed *feed = ctx;
    struct ock_feeds *feeds = &feed->http->feeds;
    bool look = false;
    (void)position;
    pthread_mutex_lock(&feeds->lock);
    ssize_t result = (ssize_t)take(feed, bytes, size);
    if (result == 0 && (feed->ended || !ock_http_suspend(feed->http, feed->connection)))
        result = MHD_CONTENT_READER_END_OF_STREAM;
    if (result == 0) {
        feed->suspended = true;
        look = feed->more;
    }
    pthread_mutex_unlock(&feeds->lock);
    if (look)
        ock_pool_poke(feed->http->pool, &feed->task);
    return result;
}

/* Takes it off the list; what is left is done by its run, which may have to wait for the engine. */
void ock_feed_close(struct ock_feed *feed)
{
    if (!feed)
        return;
    struct ock_http *http = feed->http;
    pthread_mutex_lock(&http->feeds.lock);
    if (feed->listed) {
        if (feed->previous)
            feed->previous->next = feed->next;
        else
            http->feeds.first = feed->next;
        if (feed->next)
            feed->next->previous = feed->previous;
        http->feeds.count--;
    }
    feed->gone = true;
    /* Under the lock: a run that is under way can't see `gone`, and free the feed, before this. */
    ock_pool_poke(http->pool, &feed->task);
    pthread_mutex_unlock(&http->feeds.lock);
}

static void free_content(void *ctx)
{
    ock_feed_close(ctx);
}

/* The first page is there: from now on wake-ups count. */
static void enlist(struct ock_feed *feed)
{
    struct ock_feeds *feeds = &feed->http->feeds;
    pthread_mutex_lock(&feeds->lock);
    feed->next = feeds->first;
    if (feed->next)
        feed->next->previous = feed;
    feeds->first = feed;
    feeds->count++;
    feed->listed = true;
    feed->opening = false;
    pthread_mutex_unlock(&feeds->lock);
}

/* NULL: out of memory. */
static struct ock_feed *new_feed(struct ock_http *http, const char *job, uint64_t after,
                                 enum ock_feed_format format)
{
    struct ock_feed *feed = calloc(1, sizeof(*feed));
    char *name = strdup(job);
    if (!feed || !name) {
        free(feed);
        free(name);
        return NULL;
    }
    feed->task.run = run;
    feed->http = http;
    feed->job = name;
    feed->format = format;
    feed->after = after;
    feed->more = true;
    feed->opening = true;
    ock_buf_init(&feed->out, OUT_BYTES_MAX);
    return feed;
}

bool ock_feed_open(struct ock_feed **out, struct ock_http *http, const char *job, uint64_t after,
                   enum ock_feed_format format, bool *over, struct ock_problem *problem)
{
    struct ock_feed *feed = new_feed(http, job, after, format);
    if (!feed) {
        ock_problem_set(problem, 500, "out_of_memory", "The server is out of memory",
                        "there is no memory for another stream; try again later");
        return false;
    }
    if (format == OCK_FEED_SSE)
        ock_buf_puts(&feed->out, "retry: 3000\n\n");
    size_t prologue = feed->out.size;
    if (!ock_engine_subscribe(http->engine, job, wake, feed, &feed->subscription, problem) ||
        !fill(feed, &feed->out, &feed->ended, problem)) {
        ock_feed_close(feed);
        return false;
    }
    *over = feed->ended && feed->out.size == prologue;
    enlist(feed);
    *out = feed;
    return true;
}

struct MHD_Response *ock_feed_response(struct ock_feed *feed, struct MHD_Connection *connection)
{
    feed->connection = connection;
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_content, feed, free_content);
    if (!response)
        ock_feed_close(feed);
    return response;
}

static void add_heartbeat(struct ock_feed *feed)
{
    if (!feed->suspended || feed->out.size > 0)
        return;
    ock_buf_puts(&feed->out, feed->format == OCK_FEED_SSE ? ": heartbeat\n\n" : "\n");
    resume(feed);
}

void ock_feeds_heartbeat(struct ock_http *http)
{
    pthread_mutex_lock(&http->feeds.lock);
    for (struct ock_feed *feed = http->feeds.first; feed; feed = feed->next)
        add_heartbeat(feed);
    pthread_mutex_unlock(&http->feeds.lock);
}

void ock_feeds_stop(struct ock_http *http)
{
    pthread_mutex_lock(&http->feeds.lock);
    for (struct ock_feed *feed = http->feeds.first; feed; feed = feed->next)
        resume(feed);
    pthread_mutex_unlock(&http->feeds.lock);
}

size_t ock_feeds_count(struct ock_feeds *feeds)
{
    pthread_mutex_lock(&feeds->lock);
    size_t count = feeds->count;
    pthread_mutex_unlock(&feeds->lock);
    return count;
}
