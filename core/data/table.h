/* A dataset's feature columns in the order that a job wants them, read as raw numbers or encoded by
 * a scaler: the inside of a batch source. */
#ifndef OCK_DATA_TABLE_H
#define OCK_DATA_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"
#include "core/data/dataset.h"
#include "core/data/sparse_table.h"

/* Neighbouring columns of one block that are neighbouring features too. */
struct ock_segment {
    enum ock_storage storage;
    const void *data;   /* the block's */
    size_t stride;      /* elements of the block's row */
    size_t offset;      /* first element in it */
    size_t width;       /* features */
    size_t feature;     /* first one */
    const float *bytes; /* bytes that are all scaled alike: [256] encoded values; else NULL */
};

struct ock_table {
    const struct ock_dataset *dataset; /* borrowed */
    size_t rows, features;
    struct ock_segment *segments; /* owned */
    size_t segment_count;
    const double *mean, *scale; /* borrowed, [features] each */
    double clip;
    float *byte_values;             /* owned: what segments point to */
    float *cache;                   /* owned: [rows, features] encoded, or NULL */
    struct ock_sparse_table sparse; /* of sparse rows, which have no segments */
    /* The target and the weights of the rows; the first two exclude each other. */
    int32_t *labels; /* owned, [rows] */
    float *targets;  /* owned, [rows] scaled */
    size_t target;   /* its column */
};

/* columns [features]: the dataset's column of each feature, none a category; of sparse rows as
 * ock_sparse_table_init takes them.
 * Errors: NOMEM. */
enum ock_status ock_table_init(struct ock_table *table, const struct ock_dataset *dataset,
                               const size_t *columns, size_t features, struct ock_err *err);
void ock_table_deinit(struct ock_table *table); /* all-zero: a no-op */

/* values [features]: a row's own numbers. */
void ock_table_raw(const struct ock_table *table, size_t row, double *values);

/* From now on rows can be encoded: y = clip((x - mean[c]) / scale[c], ±clip). Arrays are borrowed.
 * cache: encode all rows at once, where that pays. Errors: NOMEM. */
enum ock_status ock_table_scale(struct ock_table *table, const double *mean, const double *scale,
                                double clip, bool cache, struct ock_err *err);

/* x [count, features]: encoded rows. */
void ock_table_encode(const struct ock_table *table, const uint32_t *rows, size_t count, float *x);

#endif
