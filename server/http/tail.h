/* A tail: the end of a stream, as all clients that follow it share it; what feed.c and tail.c know
 * of each other.
 *
 * There is one for each job (or "", all jobs) and format that has clients. It alone subscribes to
 * news. As long as somebody waits for them, its task reads what is behind its position from the
 * store, renders it once, and hands the page to all feeds that wait at that position. Feeds that
 * wait elsewhere get their own task poked, which reads for them up to the position: so each of them
 * arrives at a page's edge, and takes part from there.
 *
 * A tail does not run ahead: while all its feeds still send, it reads nothing. So the fastest client
 * sets its pace, and the chain (page.h) bounds what is kept for the others. */
#ifndef OCK_SERVER_HTTP_TAIL_H
#define OCK_SERVER_HTTP_TAIL_H

#include "server/engine.h"
#include "server/http/feed.h"
#include "server/http/page.h"
#include "server/http/pool.h"

/* A client. Its changing fields are guarded by the feeds' lock. */
struct ock_feed {
    struct ock_task task;                /* reads for it alone, and frees it */
    struct ock_tail *tail;               /* immutable, held */
    struct MHD_Connection *connection;   /* immutable once it is sent */
    struct ock_feed *previous, *next;    /* of the tail's list */
    struct ock_page *page;               /* held; NULL: it waits */
    size_t sent;                         /* bytes of the page */
    uint64_t after;                      /* what comes behind the page begins behind this number */
    bool listed, suspended, ended, gone; /* ended: nothing comes behind the page */
    bool reading;                        /* its task reads a page for it */
    bool spread; /* the HTTP thread's: more of the library's buffer is in use than an event takes */
};

struct ock_tail {
    struct ock_task task;
    /* immutable */
    struct ock_http *http;
    struct ock_subscription *subscription;
    char job[OCK_ID_SIZE]; /* "": all jobs */
    enum ock_feed_format format;
    /* of the task's run alone, once it is made */
    uint64_t progress_stamp;
    int64_t look_ms; /* no sooner look again */
    /* guarded by the feeds' lock */
    struct ock_tail *next; /* in its bucket */
    size_t holders;
    uint64_t position; /* what is at or before this number has been read */
    struct ock_chain chain;
    struct ock_feed *first;
    size_t waiting; /* feeds without a page */
    bool more;      /* there may be news behind the position that nobody has asked for */
    bool ended;     /* nothing comes behind the position */
    bool made;      /* the position is known */
};

/* The tail of a job and format, held; subscribes if it is a new one. Without the lock.
 * False: problem (404). */
bool ock_tail_open(struct ock_tail **out, struct ock_http *http, const char *job,
                   enum ock_feed_format format, struct ock_problem *problem);
/* Without the lock. The last holder ends it. */
void ock_tail_release(struct ock_tail *tail);

/* Puts a feed on the list, or takes it off; the lock is held. */
void ock_tail_attach(struct ock_tail *tail, struct ock_feed *feed);
void ock_tail_detach(struct ock_tail *tail, struct ock_feed *feed);

/* Finds what comes next for a feed that has no page: one of the chain, or its own task or the
 * tail's will see to it. The lock is held. */
void ock_tail_next(struct ock_tail *tail, struct ock_feed *feed);

/* The events in (after, until] of the tail's stream as a page, at most so many bytes of them.
 * progress: the newest progress lines, too, from the tail's own task. Waits for the store.
 * *found false: problem (the job is gone); the page is there all the same, and the last one.
 * NULL: out of memory. */
struct ock_page *ock_tail_read(struct ock_tail *tail, uint64_t after, uint64_t until, bool progress,
                               bool *found, struct ock_problem *problem);

/* Gives a feed that waits a page to send, and resumes it. The lock is held. */
void ock_feed_give(struct ock_feed *feed, struct ock_page *page);
/* Nothing comes behind what the feed has. The lock is held. */
void ock_feed_end(struct ock_feed *feed);

#endif
