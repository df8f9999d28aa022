/* A bump allocator: many small arrays that are given back together. They lie one behind the other in rooms
 * (room.h), so that a million of them need no bookkeeping of their own, and the kernel can take their pages
 * back. */
#ifndef OCK_BASE_BUMP_H
#define OCK_BASE_BUMP_H

#include <pthread.h>
#include <stddef.h>

#include "core/base/room.h"

enum { OCK_BUMP_BYTES_MAX = OCK_ROOM_BYTES }; /* bytes; what is larger is a room of its own */

struct ock_bump {
    pthread_mutex_t mutex;
    const char *path;       /* borrowed: of the rooms' files */
    struct ock_room *rooms; /* [count] owned */
    size_t count, capacity;
    size_t used; /* bytes of the last one */
};

void ock_bump_init(struct ock_bump *bump, const char *path);
void ock_bump_deinit(struct ock_bump *bump);
/* Takes back all arrays; others may be taken then. No thread may take one meanwhile. */
void ock_bump_clear(struct ock_bump *bump);

/* Zeroed, aligned for any type, borrowed until clear or deinit. bytes: 1 to OCK_BUMP_BYTES_MAX. Thread-safe. Errors: as
 * ock_room_take. */
enum ock_status ock_bump_take(struct ock_bump *bump, size_t bytes, void **out, struct ock_err *err);

#endif
