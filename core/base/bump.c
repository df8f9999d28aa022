#include "core/base/bump.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>

enum {
    FIRST_BYTES = 1 << 14, /* small tables need no more; each further room is twice as large, */
    LAST_BYTES =
        1 << 23, /* up to this: then what does not fit at a room's end is a quarter of it at most */
    FIRST_ROOMS = 16,
};

void ock_bump_init(struct ock_bump *bump, const char *path)
{
    *bump = (struct ock_bump){.path = path};
    (void)pthread_mutex_init(&bump->mutex, NULL);
}

void ock_bump_clear(struct ock_bump *bump)
{
    for (size_t i = 0; i < bump->count; i++)
        ock_room_free(&bump->rooms[i]);
    bump->count = bump->used = 0;
}

void ock_bump_deinit(struct ock_bump *bump)
{
    ock_bump_clear(bump);
    free(bump->rooms);
    (void)pthread_mutex_destroy(&bump->mutex);
}

/* Another room, with place for `bytes`. */
static enum ock_status add_room(struct ock_bump *bump, size_t bytes, struct ock_err *err)
{
    if (bump->count == bump->capacity) {
        size_t larger = bump->capacity > 0 ? 2 * bump->capacity : FIRST_ROOMS;
        struct ock_room *grown = realloc(bump->rooms, larger * sizeof(*grown));
        if (!grown)
            return ock_fail(err, OCK_NOMEM, "out of memory for small arrays");
        bump->rooms = grown;
        bump->capacity = larger;
    }
    size_t size = bump->count > 0 ? 2 * bump->rooms[bump->count - 1].bytes : FIRST_BYTES;
    size = size < LAST_BYTES ? size : LAST_BYTES;
    enum ock_status status =
        ock_room_take(&bump->rooms[bump->count], size > bytes ? size : bytes, 1, bump->path, err);
    if (status != OCK_OK)
        return status;
    bump->count++;
    bump->used = 0;
    return OCK_OK;
}

enum ock_status ock_bump_take(struct ock_bump *bump, size_t bytes, void **out, struct ock_err *err)
{
    enum ock_status status = OCK_OK;
    assert(bytes > 0 && bytes <= OCK_BUMP_BYTES_MAX);
    size_t step = alignof(max_align_t);
    bytes = (bytes + step - 1) / step * step;
    (void)pthread_mutex_lock(&bump->mutex);
    if (bump->count == 0 || bump->rooms[bump->count - 1].bytes - bump->used < bytes)
        status = add_room(bump, bytes, err);
    if (status == OCK_OK) {
        *out = (char *)bump->rooms[bump->count - 1].data + bump->used;
        bump->used += bytes;
    }
    (void)pthread_mutex_unlock(&bump->mutex);
    return status;
}
