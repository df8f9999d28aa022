/* One allocation for everything: the same layout code runs twice, first to count, then to carve.
 *
 * With base NULL, ock_arena_take only counts and returns NULL; `used` is then the size to allocate.
 * So what a plan announces and what a trainer takes cannot differ. */
#ifndef OCK_BASE_ARENA_H
#define OCK_BASE_ARENA_H

#include <stddef.h>

#include "core/base/status.h"

enum { OCK_ARENA_ALIGN = 64 };

struct ock_arena {
    unsigned char *base; /* NULL: counting; else zeroed, in block */
    void *block;         /* owned */
    size_t used;         /* bytes; SIZE_MAX once a sum overflowed */
    size_t size;
};

/* count elements of `size` bytes, aligned to a cache line. NULL while counting or for none. */
void *ock_arena_take(struct ock_arena *arena, size_t count, size_t size);

/* Allocates what a counting run has found and makes the arena ready for the second run.
 * Errors: NOMEM, with the size. */
enum ock_status ock_arena_allocate(struct ock_arena *arena, struct ock_err *err);
void ock_arena_deinit(struct ock_arena *arena); /* all-zero: a no-op */

#endif
