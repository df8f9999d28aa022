/* What an epoch reports: SPEC.md, "What every epoch reports", as a plain value, and its JSON. */
#ifndef OCK_TRAIN_METRICS_H
#define OCK_TRAIN_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/jsonw.h"
#include "core/base/sha256.h"
#include "core/data/data.h"
#include "core/model/network.h"
#include "core/train/regularizer.h"
#include "core/train/spec.h"

/* Sums over one set of rows, weighted by s: loss and, by the target's kind, accuracy or errors. */
struct ock_metrics {
    bool present;       /* false: the set has no rows (or no weight) */
    double data_loss;   /* sum s loss / sum s, in scaled units */
    double loss_error2; /* squared standard error of data_loss; NaN for fewer than two rows */
    double accuracy;    /* classes */
    double mse, rmse, mae, r2; /* numbers, in the target's own unit */
};

/* Asked between blocks of rows; true: give up, the result is not wanted any more. ask may be NULL. */
struct ock_leave {
    bool (*ask)(void *ctx);
    void *ctx;
};

/* Buffers for one block of evaluation, `rows` rows of a set. */
struct ock_evaluation {
    struct ock_network *net;
    enum ock_loss loss;
    struct ock_batch batch; /* [evaluation_rows, …] */
    float *work;            /* [evaluation_rows, outputs] */
    float *row_loss;        /* [evaluation_rows] */
    double target_mean, target_scale;
    size_t features, outputs;
    struct ock_leave leave;
};

/* Measures a set with frozen weights w ([P], packed before by ock_network_pack), dropout off; row
 * sums in double in the set's order, so no block size or thread changes a bit. false: it was left,
 * *out is untouched. */
bool ock_metrics_measure(struct ock_metrics *out, const struct ock_evaluation *evaluation,
                         const struct ock_rows *set, const float *w);

struct ock_best {
    uint32_t epoch; /* 0: none yet */
    enum ock_metric metric;
    double value;
};

struct ock_epoch {
    uint32_t epoch, epochs;
    uint64_t step;
    bool classes; /* accuracy, else errors */
    struct ock_metrics train, validation;
    double running_loss;
    struct ock_weight_report weights;
    double objective;
    double lr;
    struct ock_best best;
    uint64_t skipped; /* minibatches without weight in this epoch */
    uint64_t samples; /* training rows that went through a step, in all epochs up to here */
    double samples_per_s, elapsed_s, eta_s;
    uint32_t threads;
    char numerics[16]; /* the arithmetic that trained it (kernels.h): its bits are that one's */
    char weights_sha256[OCK_SHA256_TEXT_SIZE];
};

/* The metric's value in an epoch; NaN when the epoch does not have it. */
double ock_epoch_metric(const struct ock_epoch *epoch, enum ock_metric metric);
/* Whether a is better than b by more than delta: less for losses, more for accuracy and r2. Any
 * number is better than NaN. */
bool ock_metric_better(enum ock_metric metric, double a, double b, double delta);

/* The epoch event's body. Numbers that are not finite are null and named in "nonfinite". */
void ock_epoch_write(const struct ock_epoch *epoch, struct ock_buf *out);
/* {"data_loss": …, "accuracy": …} of one set, as in the event, for `end`'s test; then "nonfinite"
 * if there is any, so once an object. */
void ock_metrics_write(struct ock_jsonw *w, const char *key, const struct ock_metrics *metrics,
                       bool classes);
/* {"epoch", "metric", "value"}, or null when there is none. */
void ock_best_write(struct ock_jsonw *w, const char *key, const struct ock_best *best);

#endif
