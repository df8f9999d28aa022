/* Arrays that may be too large for memory: beyond OCK_ROOM_BYTES they lie in a nameless file, whose pages
 * the kernel can take back. */
#ifndef OCK_BASE_ROOM_H
#define OCK_BASE_ROOM_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/status.h"

enum { OCK_ROOM_BYTES = 2 << 20 }; /* that are simply allocated */

struct ock_room {
    void *data; /* owned, zeroed, aligned for any type */
    size_t bytes;
    bool mapped;
};

/* The file is made in the folder of path, where that can hold nameless files; else, the array is
 * allocated. Its space is taken before.
 * Errors: NOMEM, NOSPACE, IO. */
enum ock_status ock_room_take(struct ock_room *room, size_t count, size_t size, const char *path,
                              struct ock_err *err);

/* At least `bytes`, with what is there; no less than before. All-zero is an empty room. On error it is as it was.
 * Errors: as take. */
enum ock_status ock_room_grow(struct ock_room *room, size_t bytes, const char *path,
                              struct ock_err *err);
void ock_room_free(struct ock_room *room); /* all-zero, or twice: a no-op */

#endif
