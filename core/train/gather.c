/* The rows are cut into pieces of some thousand numbers, one task each. */
#include "core/train/gather.h"

enum { PIECE_NUMBERS = 4096 };

struct gather {
    const struct ock_source *source;
    const uint32_t *rows;
    size_t count, features;
    size_t piece; /* rows of a task */
    const struct ock_batch *batch;
};

static void gather_task(void *ctx, size_t index, size_t thread)
{
    (void)thread;
    const struct gather *gather = ctx;
    const struct ock_batch *all = gather->batch;
    size_t begin = index * gather->piece;
    size_t left = gather->count - begin;
    struct ock_batch part = {.x = all->x + begin * gather->features,
                             .label = all->label ? all->label + begin : NULL,
                             .target = all->target ? all->target + begin : NULL,
                             .weight = all->weight + begin};
    ock_source_gather(gather->source, gather->rows + begin,
                      left < gather->piece ? left : gather->piece, &part);
}

void ock_gather(const struct ock_team *team, const struct ock_source *source, const uint32_t *rows,
                size_t count, size_t features, const struct ock_batch *batch)
{
    size_t piece = PIECE_NUMBERS / features + 1;
    struct gather gather = {source, rows, count, features, piece, batch};
    ock_team_run(team, (count + piece - 1) / piece, gather_task, &gather);
}
