/* A dataset's feature columns in the order that a job wants them, read as raw numbers or encoded by
 * a scaler: the inside of a batch source. */
#ifndef OCK_DATA_TABLE_H
#define OCK_DATA_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"
#include "core/data/dataset.h"
#include "core/data/encoder.h"
#include "core/data/sparse_table.h"

/* Neighbouring columns of one block that are neighbouring features too; or one column whose values
 * are looked at one by one. */
struct ock_segment {
    enum ock_storage storage;
    const void *data;   /* the block's */
    size_t stride;      /* elements of the block's row */
    size_t offset;      /* first element in it */
    size_t columns;     /* elements of a row */
    size_t width;       /* features */
    size_t feature;     /* first one */
    const float *bytes; /* bytes that are all scaled alike: [256] encoded values; else NULL */
    /* A column of numbers some of which are missing: what stands for them. */
    const struct ock_encoding *holes;
    /* A category: the place among its features of each code, and last of a missing value;
     * UINT32_MAX: none. */
    uint32_t *map; /* owned, [value_count + 1] */
    size_t value_count;
};

struct ock_table {
    const struct ock_dataset *dataset; /* borrowed */
    size_t rows, features;
    struct ock_segment *segments; /* owned */
    size_t segment_count;
    const struct ock_encoder *encoder; /* borrowed */
    const double *mean, *scale;        /* borrowed, [features] each */
    double clip;
    float *byte_values;             /* owned: what segments point to */
    float *cache;                   /* owned: [rows, features] encoded, or NULL */
    struct ock_sparse_table sparse; /* of sparse rows, which have no segments */
    /* The target and the weights of the rows; the first two exclude each other. */
    int32_t *labels; /* owned, [rows] */
    float *targets;  /* owned, [rows] scaled */
    size_t target;   /* its column */
};

/* columns [encoder->count]: the dataset's column of each of the encoder's; of sparse rows as
 * ock_sparse_table_init takes them. labels, targets and target of the table stay as they are; the rest
 * of it is zero. To be ended by ock_table_deinit in any case. The encoder, fitted on this dataset or another, is borrowed.
 * what: "" or "validation dataset: ", for errors. Errors: INVALID (text where the encoder has
 * numbers, or the other way round), NOMEM. */
enum ock_status ock_table_init(struct ock_table *table, const struct ock_dataset *dataset,
                               const size_t *columns, const struct ock_encoder *encoder,
                               const char *what, struct ock_err *err);
void ock_table_deinit(struct ock_table *table); /* all-zero: a no-op */

/* values [features]: a row's features before scaling; of a missing number NaN. */
void ock_table_raw(const struct ock_table *table, size_t row, double *values);

/* From now on rows can be encoded: y = clip((x - mean[c]) / scale[c], ±clip). Arrays are borrowed.
 * cache: encode all rows at once, where that pays. Errors: NOMEM. */
enum ock_status ock_table_scale(struct ock_table *table, const double *mean, const double *scale,
                                double clip, bool cache, struct ock_err *err);

/* x [count, features]: encoded rows. */
void ock_table_encode(const struct ock_table *table, const uint32_t *rows, size_t count, float *x);

#endif
