/* The arena: a counter that becomes a block. */
#include "core/base/arena.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *ock_arena_take(struct ock_arena *arena, size_t count, size_t size)
{
    if (count == 0)
        return NULL;
    size_t bytes = 0;
    if (__builtin_mul_overflow(count, size, &bytes) ||
        bytes > SIZE_MAX - OCK_ARENA_ALIGN - arena->used) {
        arena->used = SIZE_MAX - OCK_ARENA_ALIGN;
        return NULL;
    }
    bytes = (bytes + OCK_ARENA_ALIGN - 1) / OCK_ARENA_ALIGN * OCK_ARENA_ALIGN;
    size_t begin = arena->used;
    arena->used += bytes;
    if (!arena->base)
        return NULL;
    assert(arena->used <= arena->size);
    return arena->base + begin;
}

enum ock_status ock_arena_allocate(struct ock_arena *arena, struct ock_err *err)
{
    assert(!arena->base);
    size_t size = arena->used > 0 ? arena->used : OCK_ARENA_ALIGN;
    unsigned char *base = aligned_alloc(OCK_ARENA_ALIGN, size);
    if (!base)
        return ock_fail(err, OCK_NOMEM, "out of memory: training needs %zu MiB", size >> 20);
    memset(base, 0, size);
    *arena = (struct ock_arena){.base = base, .size = size};
    return OCK_OK;
}

void ock_arena_deinit(struct ock_arena *arena)
{
    free(arena->base);
    *arena = (struct ock_arena){0};
}
