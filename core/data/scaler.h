/* The scaler: its two numbers for each feature, fitted in double on the training rows. */
#ifndef OCK_DATA_SCALER_H
#define OCK_DATA_SCALER_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"
#include "core/data/table.h"
#include "core/train/spec.h"

/* Fits mean and scale [features] by SPEC.md's table on rows [count >= 1], *clip and *name too. What
 * the table's encoder made of categories and missing values stays 0 and 1; a missing number counts
 * as the mean that stands for it. Sums run over the rows in order. Errors: INVALID, NOMEM. */
enum ock_status ock_scaler_fit(const struct ock_data_spec *spec, const struct ock_table *table,
                               const uint32_t *rows, size_t count, double *mean, double *scale,
                               double *clip, const char **name, struct ock_err *err);

/* Mean and population deviation of a column of numbers over rows [count], in double, in order; a
 * deviation of 0 becomes 1. */
void ock_target_scaler_fit(const struct ock_dataset *dataset, size_t column, const uint32_t *rows,
                           size_t count, double *mean, double *scale);

#endif
