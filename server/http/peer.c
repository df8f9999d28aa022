/* The watchdog's list of connections. A connection is ended by shutdown(), which the library sees
 * as the client's end; the descriptor stays its own to close, after it has told us. */
#include "server/http/peer.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "server/http/server.h"

void ock_peers_init(struct ock_peers *peers, size_t count_max)
{
    *peers = (struct ock_peers){.count_max = count_max};
    pthread_mutex_init(&peers->lock, NULL);
}

void ock_peers_deinit(struct ock_peers *peers)
{
    pthread_mutex_destroy(&peers->lock);
}

static void *peer_started(struct ock_peers *peers, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct ock_peer *peer = info ? calloc(1, sizeof(*peer)) : NULL;
    if (!peer)
        return NULL;
    peer->fd = info->connect_fd;
    ock_peer_enter(peer, OCK_PEER_HEADER);
    pthread_mutex_lock(&peers->lock);
    peer->next = peers->first;
    if (peer->next)
        peer->next->previous = peer;
    peers->first = peer;
    peer->surplus = ++peers->count > peers->count_max;
    pthread_mutex_unlock(&peers->lock);
    return peer;
}

static void peer_closed(struct ock_peers *peers, struct ock_peer *peer)
{
    if (!peer)
        return;
    pthread_mutex_lock(&peers->lock);
    if (peer->previous)
        peer->previous->next = peer->next;
    else
        peers->first = peer->next;
    if (peer->next)
        peer->next->previous = peer->previous;
    peers->count--;
    pthread_mutex_unlock(&peers->lock);
    free(peer);
}

void ock_peers_notify(void *cls, struct MHD_Connection *connection, void **socket_context,
                      enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *socket_context = peer_started(cls, connection);
    } else {
        peer_closed(cls, *socket_context);
        *socket_context = NULL;
    }
}

struct ock_peer *ock_peer_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

void ock_peer_enter(struct ock_peer *peer, enum ock_peer_phase phase)
{
    if (!peer)
        return;
    atomic_store(&peer->since_ms, ock_http_now_ms());
    atomic_store(&peer->window_bytes, 0);
    atomic_store(&peer->phase, (int)phase);
}

void ock_peer_body(struct ock_peer *peer, size_t bytes)
{
    if (peer)
        atomic_fetch_add(&peer->window_bytes, bytes);
}

bool ock_peer_is_surplus(const struct ock_peer *peer)
{
    return peer && peer->surplus;
}

/* Whether it is too slow; moves a body's window on. */
static bool too_slow(struct ock_peer *peer, int64_t now_ms)
{
    int64_t elapsed = now_ms - atomic_load(&peer->since_ms);
    switch ((enum ock_peer_phase)atomic_load(&peer->phase)) {
    case OCK_PEER_HEADER:
        return elapsed > (peer->surplus ? OCK_SURPLUS_DEADLINE_MS : OCK_HEADER_DEADLINE_MS);
    case OCK_PEER_KEEPALIVE:
        return elapsed > OCK_KEEPALIVE_DEADLINE_MS;
    case OCK_PEER_BODY:
        if (elapsed < OCK_BODY_WINDOW_MS)
            return false;
        atomic_store(&peer->since_ms, now_ms);
        return atomic_exchange(&peer->window_bytes, 0) < OCK_BODY_WINDOW_BYTES;
    case OCK_PEER_STREAM:
        return elapsed > OCK_STREAM_DEADLINE_MS;
    case OCK_PEER_BUSY:
    default:
        return false;
    }
}

void ock_peers_watch(struct ock_peers *peers, int64_t now_ms)
{
    pthread_mutex_lock(&peers->lock);
    for (struct ock_peer *peer = peers->first; peer; peer = peer->next) {
        if (too_slow(peer, now_ms)) {
            (void)shutdown(peer->fd, SHUT_RDWR);
            peers->cut++;
        }
    }
    pthread_mutex_unlock(&peers->lock);
}
