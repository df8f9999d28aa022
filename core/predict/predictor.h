/* A model file, opened to predict: plan, weights, scaler and names, from nothing but the file.
 *
 * The file may be a stranger's: all of it is checked (structure by safetensors.h, the spec by its
 * own parser, every shape and name against it) before anything of its sizes is allocated.
 * Rows go the way of validation: the same table, the same forward pass, the same largest output, so
 * the same bits. */
#ifndef OCK_PREDICT_PREDICTOR_H
#define OCK_PREDICT_PREDICTOR_H

#include "core/data/dataset.h"
#include "core/data/row_columns.h"
#include "core/train/spec.h"

struct ock_predictor; /* opaque; one thread at a time */

/* threads: at most so many, fewer where they would not pay.
 * Errors: NOTFOUND, IO, INVALID (no safetensors file, or none that Ockham wrote, and why), LIMIT,
 * UNSUPPORTED, NOMEM. */
enum ock_status ock_predictor_open(struct ock_predictor **out, const char *path, uint32_t threads,
                                   struct ock_err *err);
void ock_predictor_free(struct ock_predictor *predictor); /* NULL is a no-op */

/* What it takes: a column each, in order. Borrowed. */
const struct ock_row_columns *ock_predictor_columns(const struct ock_predictor *predictor);
/* The resolved spec: target, weights. Borrowed. */
const struct ock_spec *ock_predictor_spec(const struct ock_predictor *predictor);
/* Names of the classes in the model's order; 0 and NULL where it predicts a number. */
const char *const *ock_predictor_classes(const struct ock_predictor *predictor, size_t *count);
/* The words for missing values in the tables that it was trained on, between commas; NULL: the usual
 * ones (import.h). Borrowed. */
const char *ock_predictor_missing(const struct ock_predictor *predictor);
/* The largest index among its columns, where it is a model of sparse data; else 0. */
uint32_t ock_predictor_index_max(const struct ock_predictor *predictor);
/* Whether a row may have no value there. */
bool ock_predictor_takes_missing(const struct ock_predictor *predictor, size_t column);

/* Predictions of a block of rows. */
struct ock_predictions {
    size_t rows;
    size_t classes;             /* 0: numbers */
    const int32_t *label;       /* [rows] classes: the first of the largest outputs */
    const float *probabilities; /* [rows, classes] */
    const double *value;        /* [rows] numbers, in the target's own unit */
};
typedef enum ock_status ock_predictions_fn(void *ctx, const struct ock_predictions *predictions,
                                           struct ock_err *err);

/* Predicts every row of the dataset, in order, a block at a time. The dataset was imported with the
 * predictor's columns (import.h, rows). Errors: INVALID (a column is not there or is no number, a
 * value is missing: which row), NOMEM, and take's. */
enum ock_status ock_predictor_run(struct ock_predictor *predictor,
                                  const struct ock_dataset *dataset, ock_predictions_fn *take,
                                  void *ctx, struct ock_err *err);

#endif
