/* The area under the ROC curve of some columns of scores: the chance that a row of the class has a
 * larger score than a row of another one, a tie counting half, rows weighted.
 *
 *   auc = sum over (p, n) of s_p s_n ([x_p > x_n] + [x_p = x_n] / 2) / (sum s_p  sum s_n)
 *
 * Up to OCK_AUC_SCORES_MAX scores are kept and sorted: exact. Beyond, they are counted in bins, fine
 * near 0 and near 1, and a pair within a bin is a tie. */
#ifndef OCK_TRAIN_AUC_H
#define OCK_TRAIN_AUC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

enum { OCK_AUC_SCORES_MAX = 1000000, OCK_AUC_BINS_MAX = 1 << 19 };

struct ock_auc;

/* For `rows` rows of `columns` scores each. Errors: NOMEM. */
enum ock_status ock_auc_new(struct ock_auc **out, size_t rows, size_t columns, struct ock_err *err);
void ock_auc_free(struct ock_auc *auc); /* NULL is a no-op */
/* What it allocates. */
size_t ock_auc_bytes(size_t rows, size_t columns);

/* The next row, of weight s >= 0: scores in [0,1] (what is no number counts as 0); it belongs to the
 * column `positive`, or to none (-1). No more than `rows`. */
void ock_auc_add(struct ock_auc *auc, const float *scores, int32_t positive, float s);
/* NaN: no weight on one side, or there are too many columns for bins. Pure but for a scratch array. */
double ock_auc_of(struct ock_auc *auc, size_t column);
bool ock_auc_is_approximate(const struct ock_auc *auc);

#endif
