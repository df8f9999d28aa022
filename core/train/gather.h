/* Rows of a source into a batch, by the whole team. */
#ifndef OCK_TRAIN_GATHER_H
#define OCK_TRAIN_GATHER_H

#include "core/data/data.h"
#include "core/model/team.h"

/* Row i of the batch is row rows[i] of the source, i < count, encoded and scaled, with its label or
 * target and its weight. features: the width of batch->x. No cut changes a bit (data.h). */
void ock_gather(const struct ock_team *team, const struct ock_source *source, const uint32_t *rows,
                size_t count, size_t features, const struct ock_batch *batch);

/* The batch's sparse rows as a pass takes them. */
static inline struct ock_sparse_rows ock_batch_sparse(const struct ock_batch *batch)
{
    return (struct ock_sparse_rows){batch->sparse.begin, batch->sparse.index, batch->sparse.value};
}

#endif
