/* Events as a stream (SSE or NDJSON) to one client: a job's, or those of all jobs.
 *
 * All clients that have reached the end of the same stream share it (tail.h): news are read and
 * rendered once, and all send from one page. Who is further back (a replay, or a client too slow for
 * the others) reads pages of at most 64 KiB for himself, on the pool, until he has caught up. The
 * HTTP thread only copies from memory. With nothing to send, the connection is suspended; a page, a
 * heartbeat or the server's end resume it. So a reader that is slow costs one page and nobody's
 * time, and one that waits costs no thread.
 *
 * Locks: all changing fields of feeds, tails and pages are guarded by the one lock of ock_feeds,
 * which is also held around suspend and resume (the library's own locks are never held when it
 * calls us). The pool's lock may be taken under it, never the other way round. */
#ifndef OCK_SERVER_HTTP_FEED_H
#define OCK_SERVER_HTTP_FEED_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/http/format.h"
#include "server/problem.h"

struct ock_http;
struct ock_feed;
struct ock_tail;

enum { OCK_TAIL_BUCKETS = 1024 };

struct ock_feeds {
    pthread_mutex_t lock;
    struct ock_tail *buckets[OCK_TAIL_BUCKETS];
    size_t count; /* of feeds */
    size_t open;  /* of ock_feeds_drain's caller: tails that have not told all */
};

enum {
    OCK_FEED_PAGE_BYTES = 64 << 10,     /* of a job's events, before they are rendered */
    OCK_FEED_ALL_PAGE_BYTES = 1 << 20,  /* of all jobs' events */
    OCK_FEED_CHAIN_BYTES = 256 << 10,   /* who is further behind reads for himself */
    OCK_FEED_REPLAY_EVENTS_MAX = 10000, /* of all jobs; beyond: reset */
    OCK_FEED_LOOK_MS = 250,             /* all jobs: no sooner look for news again */
};
#define OCK_FEED_FROM_NOW UINT64_MAX

/* What a client asks for. */
struct ock_feed_request {
    const char *job; /* an id, or "": all jobs */
    uint64_t after;  /* the seq (all jobs: the store's number) of the last event that it has; all
                      * jobs: or OCK_FEED_FROM_NOW */
    enum ock_feed_format format;
};

/* Opens a feed with its first page; called on the pool.
 * *over: the job's end was at or before `after`, so that there is nothing to tell (204).
 * False: problem (404). */
bool ock_feed_open(struct ock_feed **out, struct ock_http *http,
                   const struct ock_feed_request *request, bool *over, struct ock_problem *problem);

/* A feed that was not sent. NULL is a no-op. */
void ock_feed_close(struct ock_feed *feed);

/* The response that carries it; takes the feed in any case. chunked: the client can read chunks
 * (HTTP/1.1). NULL: out of memory. */
struct MHD_Response *ock_feed_response(struct ock_feed *feed, struct MHD_Connection *connection,
                                       bool chunked);

void ock_feeds_init(struct ock_feeds *feeds);
void ock_feeds_deinit(struct ock_feeds *feeds);
/* A comment (NDJSON: an empty line) to all that wait: so clients that left are noticed. */
void ock_feeds_heartbeat(struct ock_http *http);
/* The time has come for the streams of all jobs to look for news. */
void ock_feeds_look(struct ock_http *http);
/* http->ending is set and the engine tells nothing more: lets every stream tell what there is, and
 * end. True: all have been read; else call it again. One thread at a time. */
bool ock_feeds_drain(struct ock_http *http);
/* Ends all; http->stopping is set. */
void ock_feeds_stop(struct ock_http *http);
size_t ock_feeds_count(struct ock_feeds *feeds);

#endif
