/* Predictions as people and programs read them, written to a file in pieces.
 *
 * JSON    {"job", "which", "model_sha256", "target", "classes", "predictions": […], "rows"}: a class
 *         is {"class": NAME, "probabilities": {NAME: p, …}}, in the model's order, a number is a number
 * NDJSON  the predictions alone, one a line
 * CSV     a header, "prediction" and "probability_NAME" for each class; then a line a row */
#ifndef OCK_PREDICT_ANSWER_H
#define OCK_PREDICT_ANSWER_H

#include "core/base/buf.h"
#include "core/predict/predictor.h"

enum ock_answer_format { OCK_ANSWER_JSON, OCK_ANSWER_NDJSON, OCK_ANSWER_CSV };

/* What the JSON object says besides; NULL: left out. */
struct ock_answer_head {
    const char *job, *which, *model_sha256;
};

struct ock_answer_file {
    enum ock_answer_format format;
    const struct ock_predictor *predictor; /* borrowed */
    int fd;                                /* borrowed */
    uint64_t bytes, bytes_max;
    size_t rows;
    struct ock_buf piece;
    struct ock_buf quoted; /* the classes' names as this format writes them */
    const char **names;    /* owned, [classes]: pointers into quoted */
    size_t classes;
};

/* Begins an answer. On error it is to be deinitialised as well. Errors: NOMEM. */
enum ock_status ock_answer_begin(struct ock_answer_file *answer, const struct ock_answer_head *head,
                                 struct ock_err *err);
/* An ock_predictions_fn: ctx is the answer. Errors: LIMIT (bytes_max), IO, NOSPACE, NOMEM. */
enum ock_status ock_answer_add(void *ctx, const struct ock_predictions *predictions,
                               struct ock_err *err);
enum ock_status ock_answer_end(struct ock_answer_file *answer, struct ock_err *err);
void ock_answer_deinit(struct ock_answer_file *answer);

#endif
