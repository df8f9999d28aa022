/* The encoder: how a row's own values become features. Fitted on the training rows; a part of the
 * model, so that prediction takes raw rows.
 *
 *   number    its value, or the training rows' mean where it is missing; then, if some training row
 *             misses it, 1 where it is missing, else 0
 *   byte      its value
 *   boolean   1 for yes (true, t, y, 1), else 0; then as a number's
 *   category  1 for the value that it has, one feature a value that is not rare in the training rows,
 *             in order; then one for all rare ones together, if there are such, which takes unknown
 *             values too; then one for missing, if some training row misses it
 *
 * What has no feature is 0 in all of them. */
#ifndef OCK_DATA_ENCODER_H
#define OCK_DATA_ENCODER_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/status.h"
#include "core/data/dataset.h"

enum ock_encoding_kind {
    OCK_ENCODE_NUMBER,
    OCK_ENCODE_BYTE,
    OCK_ENCODE_BOOLEAN,
    OCK_ENCODE_CATEGORY
};

/* One raw column. */
struct ock_encoding {
    const char *name;
    enum ock_encoding_kind kind;
    size_t feature, width;     /* the first of its features, and how many they are */
    double fill;               /* number: stands for a missing value */
    bool other, missing;       /* there is a feature for rare, for missing values */
    size_t value_count;        /* category: values with a feature of their own */
    const char *const *values; /* sorted by bytes */
};

/* What a feature holds: only numbers and bytes are scaled. */
enum ock_feature_kind { OCK_FEATURE_NUMBER, OCK_FEATURE_BYTE, OCK_FEATURE_FLAG };

struct ock_encoder {
    size_t count;                 /* raw columns */
    struct ock_encoding *columns; /* owned, as is all it points to */
    size_t features;
    const char **names;   /* [features]: "age", "age=(missing)", "job=clerk", "job=(other)" */
    unsigned char *kinds; /* [features] enum ock_feature_kind */
    const char **values;
    char *texts;
};

/* columns [count]: the training dataset's feature columns; rows [row_count]: its training rows.
 * A value is rare in fewer rows than a hundredth of them (at least 2, at most 10), or if 100 others
 * are more frequent (of equal ones the first in order count as more). Reads the rows once, in order.
 * Errors: LIMIT (features, texts), CORRUPT, NOMEM. */
enum ock_status ock_encoder_fit(struct ock_encoder *out, const struct ock_dataset *train,
                                const size_t *columns, size_t count, const uint32_t *rows,
                                size_t row_count, struct ock_err *err);
void ock_encoder_deinit(struct ock_encoder *encoder); /* all-zero: a no-op */

/* Whether the column makes one feature, whatever rows train. */
bool ock_encoder_is_plain(const struct ock_dataset *train, size_t column);

/* As JSON, in a model file: [{"name", "type": "number", "fill", "missing"}, {"name", "type":
 * "category", "values", "other", "missing"}, …]; keys that are false are left out. */
void ock_encoder_write(const struct ock_encoder *encoder, struct ock_buf *out);
/* Reads what ock_encoder_write wrote, trusting nothing. Errors: INVALID, LIMIT, NOMEM. */
enum ock_status ock_encoder_read(struct ock_encoder *out, const cJSON *json, struct ock_err *err);

/* The first category none of whose values has a feature of its own, NULL if there is none: it says no
 * more than that something stands there. Borrowed. */
const char *ock_encoder_rare_text(const struct ock_encoder *encoder);

/* The feature for a category's or boolean's text; SIZE_MAX: none. */
size_t ock_encoding_feature(const struct ock_encoding *encoding, const char *text);
/* The feature for a missing value; SIZE_MAX: none. */
size_t ock_encoding_missing(const struct ock_encoding *encoding);

#endif
