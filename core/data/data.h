/* A job's data: which rows train, validate and test, and the one place where rows come from.
 *
 * struct ock_data is made once from the resolved spec and the open datasets, and is immutable
 * afterwards. It decides the split, fits encoder and scaler on the training rows (in double), numbers the
 * classes over the whole dataset, and hands out minibatches by row index. */
#ifndef OCK_DATA_DATA_H
#define OCK_DATA_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/limits.h"
#include "core/base/status.h"
#include "core/data/dataset.h"
#include "core/data/encoder.h"
#include "core/train/spec.h"

/* Sparse rows of a minibatch, encoded. */
struct ock_sparse_batch {
    size_t *begin;   /* [rows + 1]; NULL: rows are dense */
    uint32_t *index; /* [terms]: features */
    float *value;    /* [terms] */
};

/* Rows as floats: what a minibatch is gathered into. All arrays are the caller's. */
struct ock_batch {
    float *x; /* [rows, features], row stride = features; NULL where rows are sparse: */
    struct ock_sparse_batch sparse;
    int32_t *label; /* [rows] class numbers; NULL for number targets */
    float *target;  /* [rows] scaled target; NULL for classes */
    float *weight;  /* [rows] sample weights (class_weight multiplied in for training rows) */
};

struct ock_source; /* opaque: one dataset behind the encoder and scaler; thread-safe to read */

/* A set of rows: train, validation or test. count 0: there is none, and source may be NULL. */
struct ock_rows {
    const struct ock_source *source; /* borrowed from the struct ock_data */
    const uint32_t *rows;            /* [count] row numbers in the source, in the file's order */
    size_t count;
    double weight_sum; /* sum of the weights */
};

/* y = clip((x - mean[c]) / scale[c], ±clip) for feature c, computed in double, rounded once. */
struct ock_scaler {
    const char *name;    /* "standard", "minmax", "none", "divide", "auto" */
    const double *mean;  /* [features], NULL when name is "none" */
    const double *scale; /* [features] */
    double clip;         /* 10 for auto on numbers, INFINITY else */
};

struct ock_data {
    struct ock_rows train, validation, test;
    size_t features;
    bool sparse;          /* rows are sparse ones, */
    size_t nonzeros;      /* with so many terms in all of the job's datasets, */
    size_t row_terms_max; /* and so many in one row at most */
    size_t outputs;       /* of the network: classes, 1 for binary_cross_entropy or a number */
    size_t classes;       /* 0 for a number target */
    const char *const *class_names;   /* [classes] */
    const char *const *feature_names; /* [features] */
    const struct ock_encoder *encoder;
    size_t wide_count;             /* columns that the training dataset keeps as float64 … */
    const char *const *wide_names; /* … by name, in the features' order */
    const char *missing;           /* the training dataset's words; NULL: the usual ones */
    struct ock_scaler scaler;
    double target_mean, target_scale; /* scaled = (y - mean) / scale; 0 and 1 when not scaled */
    size_t shape_count;               /* image shape, as in the dataset */
    size_t shape[4];
    void *owned;
};

/* Opens a job's data. spec is resolved. validation and test are NULL unless the spec names datasets
 * for them. The datasets are borrowed until ock_data_free.
 * The split: row keys from Philox(split_seed) sort the rows; SPEC.md, data.
 * Errors: INVALID, LIMIT, CORRUPT, NOMEM. */
enum ock_status ock_data_open(struct ock_data **out, const struct ock_spec *spec,
                              const struct ock_dataset *train, const struct ock_dataset *validation,
                              const struct ock_dataset *test, struct ock_err *err);
void ock_data_free(struct ock_data *data); /* NULL is a no-op */

/* How a search cuts the training dataset: a fold's number (it validates, the other folds train), or */
enum { OCK_CUT_SPLIT = -1, OCK_CUT_ALL = -2 }; /* the spec's split; all rows but test's train */

/* The same with another cut. A fold is of the spec's tune, and validation and test are left out. */
enum ock_status ock_data_open_cut(struct ock_data **out, const struct ock_spec *spec,
                                  const struct ock_dataset *train,
                                  const struct ock_dataset *validation,
                                  const struct ock_dataset *test, int cut, struct ock_err *err);

/* fold [rows of the training dataset]: each row's fold, 255 for none. Errors: as of ock_data_open. */
enum ock_status ock_data_folds(const struct ock_spec *spec, const struct ock_dataset *train,
                               bool test_given, unsigned char *fold, struct ock_err *err);

/* The sizes of what ock_data_open would make of the same arguments, found without encoding a row: of
 * the data no more is read than the split (the target column) and the features (categories, numbers
 * that miss some) depend on. Errors: INVALID, LIMIT, CORRUPT, NOMEM. */
struct ock_data_sizes {
    size_t train_rows, validation_rows, test_rows;
    size_t features;
    bool sparse; /* as of struct ock_data */
    size_t nonzeros, row_terms_max;
    char rare_text[OCK_NAME_BYTES_MAX]; /* ock_encoder_rare_text; "": none */
};
enum ock_status ock_data_measure(struct ock_data_sizes *out, const struct ock_spec *spec,
                                 const struct ock_dataset *train,
                                 const struct ock_dataset *validation,
                                 const struct ock_dataset *test, struct ock_err *err);

/* Gathers `count` rows into the batch: row i of the batch is row rows[i] of the source, encoded and
 * scaled. Pure; any cut of the rows into calls gives the same bits. x may be NULL (targets only).
 */
void ock_source_gather(const struct ock_source *source, const uint32_t *rows, size_t count,
                       struct ock_batch *batch);

/* The sparse rows of a batch: first where each of them begins, for rows [0,count); then the terms of
 * any of them, [begin,end). */
void ock_source_sparse_begins(const struct ock_source *source, const uint32_t *rows, size_t count,
                              struct ock_sparse_batch *batch);
void ock_source_sparse_terms(const struct ock_source *source, const uint32_t *rows, size_t begin,
                             size_t end, struct ock_sparse_batch *batch);

/* The target of a row in its own unit, unscaled (numbers only). */
double ock_source_target(const struct ock_source *source, uint32_t row);

#endif
