/* What a model's metadata says, as values. Only core/predict includes this. */
#ifndef OCK_PREDICT_MODEL_PARTS_H
#define OCK_PREDICT_MODEL_PARTS_H

#include "core/data/encoder.h"
#include "core/data/row_columns.h"
#include "core/export/safetensors.h"
#include "core/train/spec.h"

struct ock_names {
    cJSON *json; /* owned: the texts live here */
    size_t count;
    const char **items; /* owned, [count] */
};

struct ock_model_parts {
    struct ock_spec *spec; /* owned */
    struct ock_names classes, features;
    struct ock_encoder encoder;
    bool has_fills;                 /* false: a model from before there were any */
    struct ock_row_column *columns; /* owned, [encoder.count] */
    double *mean, *scale;           /* owned, [features.count] */
    double clip;
    double target_mean, target_scale;
    size_t outputs;
};

/* Reads and checks all of it against each other. On error *parts is to be deinitialised as well.
 * Errors: INVALID, LIMIT, NOMEM. */
enum ock_status ock_model_parts_read(struct ock_model_parts *parts,
                                     const struct ock_safetensors *file, struct ock_err *err);
void ock_model_parts_deinit(struct ock_model_parts *parts); /* all-zero: a no-op */

#endif
