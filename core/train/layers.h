/* What the layers of a trained network look like: norms, zeros, dead units, a histogram, and how much
 * of the gradient is the penalty's. Found at a job's end, for one set of weights at a time.
 *
 * The gradient is that of data_loss over the training sample (`evaluate_train`), with dropout off and
 * the weights standing still: a backward pass for each block of batch_rows, all summed. */
#ifndef OCK_TRAIN_LAYERS_H
#define OCK_TRAIN_LAYERS_H

#include "core/train/trainer.h"

enum { OCK_HISTOGRAM_BINS = 32 };

/* Of one linear layer. count, norms, zeros and gradients are over weights and bias, as in the epoch
 * event; the histogram is over the weights alone. */
struct ock_layer_facts {
    size_t layer; /* its position: its name */
    size_t in, out, count;
    double l1_norm, l2_norm;
    size_t zeros, near_zeros; /* w == 0; |w| < 1e-3 max|w| of the layer */
    bool has_dead;            /* a relu or gelu follows */
    size_t dead;              /* units whose activation is 0 on every row of the sample */
    bool has_unread;          /* another linear layer follows */
    size_t unread;            /* units whose outgoing weights are all exactly 0 */
    double min, max;          /* of the weights */
    uint64_t histogram[OCK_HISTOGRAM_BINS]; /* equal bins over [min, max], max in the last one */
    double data_gradient;                   /* ||d data_loss / dw|| */
    double penalty_gradient;                /* ||l1 sign(w) + 2 l2 w||, sign(0) = 0 */
    double penalty_share;                   /* penalty_gradient / (both); NaN where both are 0 */
};

struct ock_layers_report {
    uint32_t epoch; /* 0: the weights of no whole epoch */
    size_t rows;    /* of the sample */
    size_t count;
    struct ock_layer_facts *layers; /* [count], owned */
    double lambda_hat; /* ||d data_loss|| / ||2 w|| over the penalised parameters; NaN for w = 0 */
};

/* Examines weights w ([P]); uses trainer->gradient and the network's buffers, and leaves the network
 * packed with w. *left: a pause was obeyed, *out is untouched. Errors: NOMEM. No number of threads
 * changes a bit. */
enum ock_status ock_layers_examine(struct ock_layers_report *out, struct ock_trainer *trainer,
                                   const float *w, uint32_t epoch, bool *left, struct ock_err *err);
void ock_layers_deinit(struct ock_layers_report *report); /* all-zero: a no-op */

/* The document `layers`: {"rows", "best": {"epoch", "layers": […]}, "last": {…}}. */
void ock_layers_write(const struct ock_layers_report *best, const struct ock_layers_report *last,
                      struct ock_buf *out);
/* A few members of each layer, an array under `key`, for `end`. */
void ock_layers_write_short(struct ock_jsonw *w, const char *key,
                            const struct ock_layers_report *report);

#endif
