/* The scaler: its two numbers for each feature, fitted in double on the training rows. */
#ifndef OCK_DATA_SCALER_H
#define OCK_DATA_SCALER_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"
#include "core/data/table.h"
#include "core/train/spec.h"

/* Fits mean and scale [features] by SPEC.md's table on rows [count >= 1], *clip and *name too.
 * columns: as of ock_table_init. Sums run over the rows in order. Errors: NOMEM. */
enum ock_status ock_scaler_fit(const struct ock_data_spec *spec, const struct ock_table *table,
                               const size_t *columns, const uint32_t *rows, size_t count,
                               double *mean, double *scale, double *clip, const char **name,
                               struct ock_err *err);

#endif
