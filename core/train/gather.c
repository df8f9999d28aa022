/* The rows are cut into pieces of some thousand numbers, one task each. */
#include "core/train/gather.h"

enum { PIECE_NUMBERS = 4096, SPARSE_PIECE_ROWS = 256 };

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
    size_t count = left < gather->piece ? left : gather->piece;
    struct ock_batch part = {.x = all->x ? all->x + begin * gather->features : NULL,
                             .label = all->label ? all->label + begin : NULL,
                             .target = all->target ? all->target + begin : NULL,
                             .weight = all->weight + begin};
    ock_source_gather(gather->source, gather->rows + begin, count, &part);
    struct ock_sparse_batch sparse = all->sparse;
    if (sparse.begin)
        ock_source_sparse_terms(gather->source, gather->rows, begin, begin + count, &sparse);
}

void ock_gather(const struct ock_team *team, const struct ock_source *source, const uint32_t *rows,
                size_t count, size_t features, const struct ock_batch *batch)
{
    struct ock_sparse_batch sparse = batch->sparse;
    if (sparse.begin)
        ock_source_sparse_begins(source, rows, count, &sparse);
    size_t piece = sparse.begin ? SPARSE_PIECE_ROWS : PIECE_NUMBERS / features + 1;
    struct gather gather = {source, rows, count, features, piece, batch};
    ock_team_run(team, (count + piece - 1) / piece, gather_task, &gather);
}
