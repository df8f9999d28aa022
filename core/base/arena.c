/* The arena: a counter that becomes a block. */
#include "core/base/arena.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

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
    /* Not cleared by hand: the kernel's pages are zero, and those that a small job never touches
     * are never made. */
    unsigned char *block =
        size < SIZE_MAX - OCK_ARENA_ALIGN ? calloc(1, size + OCK_ARENA_ALIGN) : NULL;
    if (!block)
        return ock_fail(err, OCK_NOMEM, "out of memory: training needs %zu MiB", size >> 20);
    size_t past = (size_t)(uintptr_t)block % OCK_ARENA_ALIGN;
    *arena =
        (struct ock_arena){.base = block + (OCK_ARENA_ALIGN - past), .block = block, .size = size};
    return OCK_OK;
}

void ock_arena_deinit(struct ock_arena *arena)
{
    free(arena->block);
    *arena = (struct ock_arena){0};
}
