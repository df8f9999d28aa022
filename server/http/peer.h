/* Connections as the watchdog sees them.
 *
 * The library's timeout counts silence only, so that one byte every few seconds would hold a
 * connection for ever. Here a request's header has a deadline, a body a least rate, and so has a
 * stream as long as there is something to send.
 *
 * The library stops to accept at its limit, and whoever comes then hangs without a word. So that
 * limit is a little higher than ours: the few connections beyond ours are surplus, and are told to
 * come back later. */
#ifndef OCK_SERVER_HTTP_PEER_H
#define OCK_SERVER_HTTP_PEER_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    OCK_HEADER_DEADLINE_MS = 10000,    /* a connection's first request */
    OCK_KEEPALIVE_DEADLINE_MS = 60000, /* the next one's header, from the end of the last answer */
    OCK_BODY_WINDOW_MS = 10000,        /* a body must bring … */
    OCK_BODY_WINDOW_BYTES = 10 << 10,  /* … so much in each window: 1 KiB/s */
    OCK_STREAM_DEADLINE_MS = 30000,    /* a stream's client takes what the library's buffer holds */
    OCK_SURPLUS_DEADLINE_MS = 2000,    /* a surplus connection's request */
    OCK_SURPLUS_MAX = 64,
};

enum ock_peer_phase {
    OCK_PEER_HEADER,
    OCK_PEER_KEEPALIVE,
    OCK_PEER_BODY,
    OCK_PEER_STREAM, /* something is being sent that comes in pieces */
    OCK_PEER_BUSY,
};

struct ock_peer {
    struct ock_peer *previous, *next; /* guarded by the list's lock */
    int fd;                           /* immutable; open as long as the peer is in the list */
    bool surplus;                     /* immutable */
    atomic_int phase;
    atomic_int_fast64_t since_ms;      /* of the phase, or of the body's window */
    atomic_uint_fast64_t window_bytes; /* since then */
};

struct ock_peers {
    pthread_mutex_t lock;
    struct ock_peer *first;
    uint64_t cut;     /* connections ended by the watchdog */
    size_t count;     /* of connections */
    size_t count_max; /* beyond: surplus; immutable */
};

void ock_peers_init(struct ock_peers *peers, size_t count_max);
void ock_peers_deinit(struct ock_peers *peers);

/* The library's callback for connections that come and go; cls is the ock_peers. */
void ock_peers_notify(void *cls, struct MHD_Connection *connection, void **socket_context,
                      enum MHD_ConnectionNotificationCode code);

/* The peer of a connection; NULL when there was no memory for one. */
struct ock_peer *ock_peer_of(struct MHD_Connection *connection);
/* NULL is a no-op in both. */
void ock_peer_enter(struct ock_peer *peer, enum ock_peer_phase phase);
void ock_peer_body(struct ock_peer *peer, size_t bytes);
bool ock_peer_is_surplus(const struct ock_peer *peer); /* NULL: no */

/* Ends the connections that are too slow. */
void ock_peers_watch(struct ock_peers *peers, int64_t now_ms);

#endif
