/* The sparse columns of a dataset as features: what a table is for dense ones. */
#ifndef OCK_DATA_SPARSE_TABLE_H
#define OCK_DATA_SPARSE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"
#include "core/data/data.h"
#include "core/data/dataset.h"

struct ock_sparse_table {
    struct ock_sparse_rows rows; /* borrowed of the dataset */
    uint32_t *feature;           /* owned, [width]: of each column; UINT32_MAX: none */
    bool all;                    /* every column is a feature */
    double divisor;
};

/* columns [features]: the dataset's column of each feature, rising; SIZE_MAX: the dataset has none,
 * it is 0 in all rows. Looks at every term of the file once. Errors: INVALID (a feature that is not
 * sparse), CORRUPT, NOMEM. */
enum ock_status ock_sparse_table_init(struct ock_sparse_table *table,
                                      const struct ock_dataset *dataset, const size_t *columns,
                                      size_t features, struct ock_err *err);
void ock_sparse_table_deinit(struct ock_sparse_table *table); /* all-zero: a no-op */

/* The terms of all of a dataset's rows, and of the longest one; 0 of a dense one, or NULL. */
void ock_dataset_terms(const struct ock_dataset *dataset, size_t *terms, size_t *row_max);

#endif
