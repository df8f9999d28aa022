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
    struct ock_names classes;
    struct ock_names features;      /* all of them, read or not */
    struct ock_encoder encoder;     /* of the columns that are read: of most models all */
    bool has_fills;                 /* false: a model from before there were any */
    bool sparse;                    /* trained on sparse rows: a feature that is left out is 0 */
    struct ock_row_column *columns; /* owned, [encoder.count] */
    size_t column_total;            /* those that are not read too */
    const char **unread;            /* owned, [column_total - encoder.count]: their names, sorted */
    char *unread_texts;             /* owned: what unread points to */
    size_t *inputs;                 /* owned, [input_count]: features of the encoder; NULL: all */
    size_t input_count;             /* of the network */
    double *mean, *scale;           /* owned, [encoder.features] */
    char *missing; /* owned: words for missing values in a table; NULL: the usual ones */
    double clip;
    double target_mean, target_scale;
    size_t outputs;
};

/* Reads and checks all of it against each other. On error *parts is to be deinitialised as well.
 * Errors: INVALID, LIMIT, NOMEM. */
enum ock_status ock_model_parts_read(struct ock_model_parts *parts,
                                     const struct ock_safetensors *file, struct ock_err *err);
/* Those of a pruned model: reads "inputs" and leaves encoder, columns and scaler with what is read.
 * parts has all else. Errors: INVALID, LIMIT, NOMEM. */
enum ock_status ock_model_parts_take_inputs(struct ock_model_parts *parts, const cJSON *inputs,
                                            struct ock_err *err);
void ock_model_parts_deinit(struct ock_model_parts *parts); /* all-zero: a no-op */

#endif
