/* Scaling. Means and variances are two passes in double over the values that are there; a column whose
 * values are all equal gets exactly that as the mean and 1 as the scale, whatever rounding would have
 * made of it. The mean is the encoder's stand-in for a missing value to the bit, so that one is 0. */
#include "core/data/scaler.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

struct range {
    double *row, *min, *max, *count; /* [features] each, in one allocation at row */
};

/* The range of each feature over the rows that have it, how many these are, and their mean. */
static enum ock_status find_range(const struct ock_table *table, const uint32_t *rows, size_t count,
                                  struct range *range, double *mean, struct ock_err *err)
{
    size_t features = table->features;
    range->row = malloc(4 * features * sizeof(double));
    if (!range->row)
        return ock_fail(err, OCK_NOMEM, "out of memory for the scaler");
    range->min = range->row + features;
    range->max = range->min + features;
    range->count = range->max + features;
    for (size_t c = 0; c < features; c++) {
        range->min[c] = INFINITY;
        range->max[c] = -INFINITY;
        range->count[c] = mean[c] = 0;
    }
    for (size_t i = 0; i < count; i++) {
        ock_table_raw(table, rows[i], range->row);
        for (size_t c = 0; c < features; c++) {
            double x = range->row[c];
            bool there = !isnan(x);
            range->min[c] = x < range->min[c] ? x : range->min[c];
            range->max[c] = x > range->max[c] ? x : range->max[c];
            range->count[c] += there ? 1 : 0;
            mean[c] += there ? x : 0;
        }
    }
    for (size_t c = 0; c < features; c++) {
        if (range->count[c] == 0)
            range->min[c] = range->max[c] = 0;
        else
            mean[c] /= range->count[c];
    }
    return OCK_OK;
}

/* scale: the population's standard deviation around the mean. range->row is room. */
static void fit_standard(const struct ock_table *table, const uint32_t *rows, size_t count,
                         const struct range *range, double *mean, double *scale)
{
    size_t features = table->features;
    for (size_t c = 0; c < features; c++)
        scale[c] = 0;
    for (size_t i = 0; i < count; i++) {
        ock_table_raw(table, rows[i], range->row);
        for (size_t c = 0; c < features; c++) {
            double distance = isnan(range->row[c]) ? 0 : range->row[c] - mean[c];
            scale[c] += distance * distance;
        }
    }
    for (size_t c = 0; c < features; c++) {
        scale[c] = range->count[c] > 0 ? sqrt(scale[c] / range->count[c]) : 0;
        if (range->min[c] == range->max[c] || scale[c] == 0) {
            mean[c] = range->min[c];
            scale[c] = 1;
        }
    }
}

/* Bytes are pixels: divided by 255, unless the spec names a scaling. */
static void scale_bytes(const struct ock_table *table, double *mean, double *scale, size_t *numbers)
{
    *numbers = 0;
    for (size_t f = 0; f < table->features; f++) {
        if (table->encoder->kinds[f] == OCK_FEATURE_BYTE) {
            mean[f] = 0;
            scale[f] = 255;
        }
        *numbers += table->encoder->kinds[f] == OCK_FEATURE_NUMBER;
    }
}

static void leave_flags(const struct ock_table *table, double *mean, double *scale)
{
    for (size_t f = 0; f < table->features; f++) {
        if (table->encoder->kinds[f] == OCK_FEATURE_FLAG) {
            mean[f] = 0;
            scale[f] = 1;
        }
    }
}

static void fill(const struct ock_table *table, double *mean, double *scale, double divisor)
{
    for (size_t f = 0; f < table->features; f++) {
        mean[f] = 0;
        scale[f] = divisor;
    }
}

static enum ock_status fit_all(const struct ock_data_spec *spec, const struct ock_table *table,
                               const uint32_t *rows, size_t count, double *mean, double *scale,
                               double *clip, const char **name, struct ock_err *err)
{
    static const char *const names[] = {"auto", "standard", "minmax", "none", "divide"};
    struct range range = {0};
    enum ock_status status = OCK_OK;
    size_t numbers = 1;
    *name = names[spec->scaling];
    *clip = (double)INFINITY;
    switch (spec->scaling) {
    case OCK_SCALING_NONE:
        fill(table, mean, scale, 1);
        return OCK_OK;
    case OCK_SCALING_DIVIDE:
        fill(table, mean, scale, spec->divide);
        return OCK_OK;
    case OCK_SCALING_AUTO:
        if (table->sparse.feature) {
            fill(table, mean, scale, 1);
            return OCK_OK;
        }
        scale_bytes(table, mean, scale, &numbers);
        if (numbers == 0)
            return OCK_OK;
        *clip = 10;
        break;
    case OCK_SCALING_STANDARD:
    case OCK_SCALING_MINMAX:
        break;
    }
    if (table->sparse.feature)
        return ock_fail(err, OCK_INVALID, "this scaling would fill the zeros of sparse data");
    status = find_range(table, rows, count, &range, mean, err);
    if (status != OCK_OK)
        return status;
    assert(range.min && range.max);
    if (spec->scaling == OCK_SCALING_MINMAX) {
        for (size_t f = 0; f < table->features; f++) {
            mean[f] = range.min[f];
            scale[f] = range.max[f] > range.min[f] ? range.max[f] - range.min[f] : 1;
        }
    } else {
        fit_standard(table, rows, count, &range, mean, scale);
        if (spec->scaling == OCK_SCALING_AUTO)
            scale_bytes(table, mean, scale, &numbers);
    }
    free(range.row);
    return OCK_OK;
}

enum ock_status ock_scaler_fit(const struct ock_data_spec *spec, const struct ock_table *table,
                               const uint32_t *rows, size_t count, double *mean, double *scale,
                               double *clip, const char **name, struct ock_err *err)
{
    enum ock_status status = fit_all(spec, table, rows, count, mean, scale, clip, name, err);
    if (status == OCK_OK)
        leave_flags(table, mean, scale);
    return status;
}

void ock_target_scaler_fit(const struct ock_dataset *dataset, size_t column, const uint32_t *rows,
                           size_t count, double *mean, double *scale)
{
    double first = ock_dataset_number(dataset, column, rows[0]);
    double sum = 0, squares = 0;
    bool constant = true;
    for (size_t i = 0; i < count; i++) {
        double y = ock_dataset_number(dataset, column, rows[i]);
        constant = constant && y == first;
        sum += y;
    }
    *mean = constant ? first : sum / (double)count;
    for (size_t i = 0; i < count; i++) {
        double y = ock_dataset_number(dataset, column, rows[i]);
        squares += (y - *mean) * (y - *mean);
    }
    double deviation = sqrt(squares / (double)count);
    *scale = constant || deviation == 0 ? 1 : deviation;
}
