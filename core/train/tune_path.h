/* The coefficients of a linear model on all rows, strength by strength: the warm path. */
#ifndef OCK_TRAIN_TUNE_PATH_H
#define OCK_TRAIN_TUNE_PATH_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/jsonw.h"
#include "core/base/status.h"
#include "core/train/tune_table.h"

/* Beyond so many numbers the path keeps what it counted and not the weights. */
#define OCK_PATH_NUMBERS_MAX ((size_t)200000)

struct ock_tune_path {
    size_t count, parameters, outputs; /* strengths; P of each: weight [out, in], then bias [out] */
    uint64_t *zeros;                   /* owned, [count] */
    float *weights;                    /* owned, [count, P]; NULL: too many */
};

/* Errors: NOMEM. */
enum ock_status ock_tune_path_init(struct ock_tune_path *out, size_t count, size_t parameters,
                                   size_t outputs, struct ock_err *err);
void ock_tune_path_deinit(struct ock_tune_path *path); /* all-zero: a no-op */

/* "path": [{"l1", "l2", "zeros", "weights": [out * in, row by row], "bias": [out]}, …]. biases: whether
 * the layer has them. */
void ock_tune_path_write(struct ock_jsonw *w, const struct ock_tune_path *path,
                         const struct ock_tune_table *table, bool biases);

#endif
