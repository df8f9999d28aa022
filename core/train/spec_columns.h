/* Which columns of a dataset a spec means. Only core/train/spec*.c include this. */
#ifndef OCK_TRAIN_SPEC_COLUMNS_H
#define OCK_TRAIN_SPEC_COLUMNS_H

#include <stdbool.h>

#include "core/train/spec.h"

struct ock_columns {
    const struct ock_schema *schema; /* borrowed */
    size_t target, weights;          /* SIZE_MAX: not found, or none */
    size_t feature_count;
    size_t *features; /* [column_count + 1], the caller's */
    enum ock_target_kind kind;
};

/* Fills in target, weights and features. Faults: unknown columns (with suggestion), no target,
 * weights that are no weights. */
void ock_columns_find(struct ock_columns *columns, const struct ock_spec *spec,
                      struct ock_faults *faults);

/* Another dataset for validation or test: every column that is needed must be there with the same
 * type, and no class that the training data lack. Faults at `pointer`. */
void ock_columns_compare(const struct ock_columns *columns, const struct ock_schema *other,
                         const char *pointer, struct ock_faults *faults);

/* Of sparse data: scalings that shift, a first layer that is not linear, features out of order
 * (spec_sparse.c). */
void ock_columns_check_sparse(const struct ock_columns *columns, const struct ock_spec *spec,
                              struct ock_faults *faults);

/* The text is one of the column's distinct values. */
bool ock_column_has_value(const struct ock_column *column, const char *text);

#endif
