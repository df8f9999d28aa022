/* How well a constant prediction does: what a network has to beat. */
#ifndef OCK_TRAIN_BASELINE_H
#define OCK_TRAIN_BASELINE_H

#include "core/data/data.h"
#include "core/train/metrics.h"
#include "core/train/spec.h"

/* data_loss of the best constant over the weighted training rows: the classes' entropy; for numbers
 * the least of mse (the mean), huber and mae (found by halving, to 1e-9 of the targets' range).
 * buffer: room for `rows` > 0 labels or targets, and weights; x is not used. false: it was left
 * (asked before each block of `rows`), *out is untouched. */
bool ock_baseline_loss(double *out, enum ock_loss loss, const struct ock_data *data,
                       const struct ock_batch *buffer, size_t rows, const struct ock_leave *leave);

#endif
