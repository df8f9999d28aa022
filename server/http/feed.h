/* A job's events as a stream (SSE or NDJSON) to one client.
 *
 * Pages of at most 64 KiB are read from the engine by the pool and sent by the HTTP thread from
 * memory. With nothing to send, the connection is suspended; the engine's wake-up, a heartbeat or
 * the server's end resume it. So a reader that is slow costs one page and nobody's time, and one
 * that waits costs no thread.
 *
 * Locks: all feeds' changing fields and the list of feeds are guarded by the hub's mutex, which is
 * also held around suspend and resume (the library's own locks are never held when it calls us).
 * The pool's lock may be taken under it, never the other way round. */
#ifndef OCK_SERVER_HTTP_FEED_H
#define OCK_SERVER_HTTP_FEED_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/problem.h"

struct ock_http;
struct ock_feed;

struct ock_feeds {
    pthread_mutex_t lock;
    struct ock_feed *first;
    size_t count;
};

enum ock_feed_format { OCK_FEED_SSE, OCK_FEED_NDJSON };
const char *ock_feed_type(enum ock_feed_format format); /* the media type */

enum { OCK_FEED_PAGE_BYTES = 64 << 10 };

/* Subscribes and reads the first page of events with seq > after; called on the pool.
 * *over: the job's end was at or before `after`, so that there is nothing to tell (204).
 * False: problem (404). */
bool ock_feed_open(struct ock_feed **out, struct ock_http *http, const char *job, uint64_t after,
                   enum ock_feed_format format, bool *over, struct ock_problem *problem);

/* A feed that was not sent. NULL is a no-op. */
void ock_feed_close(struct ock_feed *feed);

/* The response that carries it; takes the feed in any case. NULL: out of memory. */
struct MHD_Response *ock_feed_response(struct ock_feed *feed, struct MHD_Connection *connection);

void ock_feeds_init(struct ock_feeds *feeds);
void ock_feeds_deinit(struct ock_feeds *feeds);
/* A comment (NDJSON: an empty line) to all that wait: so clients that left are noticed. */
void ock_feeds_heartbeat(struct ock_http *http);
/* Ends all; http->stopping is set. */
void ock_feeds_stop(struct ock_http *http);
size_t ock_feeds_count(struct ock_feeds *feeds);

#endif
