/* The trainer: epochs of minibatches on one network, from its first values to its end.
 *
 * One allocation at the start, none after. All that decides later bits is in `progress` and in the
 * optimizer's state, so that a checkpoint is a copy of them. */
#ifndef OCK_TRAIN_TRAINER_H
#define OCK_TRAIN_TRAINER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/data/data.h"
#include "core/train/feed.h"
#include "core/train/job.h"
#include "core/train/metrics.h"
#include "core/train/optimizer.h"
#include "core/train/plan.h"
#include "core/train/schedule.h"
#include "core/train/verdict.h"

struct ock_checkpoint_plan;

/* Why no further minibatch is trained. */
enum ock_stop {
    OCK_STOP_NONE = 0,
    OCK_STOP_EARLY_STOPPING,
    OCK_STOP_MAX_STEPS,
    OCK_STOP_DEADLINE,
    OCK_STOP_ASKED,
};

/* How far the run is; plain numbers, written to checkpoints as they are.
 *
 * A run can be left and resumed at four places, told apart by batch and stop: between minibatches
 * (0 < batch < steps_per_epoch), in the evaluation of a whole epoch (batch == steps_per_epoch) or of
 * one that was cut short (stop, batch > 0), and in the ending, when nothing is left to train (stop
 * and batch == 0, or epoch > epochs). */
struct ock_progress {
    uint32_t epoch;              /* at work, from 1 */
    uint32_t rollbacks;          /* done so far */
    uint64_t batch;              /* minibatches done in this epoch */
    uint64_t step;               /* minibatches done in all */
    uint64_t updates;            /* of them with weight: adam's t */
    uint64_t skipped;            /* without weight, in this epoch */
    double loss_sum, weight_sum; /* of this epoch's minibatches: running_loss */
    double lr;                   /* base, once it is known */
    double lr_factor;            /* of the rollbacks: a power of 1/2 */
    double lr_last;              /* of the last step */
    double loss_limit;           /* an epoch above it has failed */
    double constant_loss;        /* data_loss of the best constant prediction */
    double elapsed_s;            /* of earlier attempts and this one */
    struct ock_plateau plateau;
    struct ock_best best;
    struct ock_history history;
    double stop_value; /* early stopping: the best value it counts from */
    uint32_t stop_bad; /* epochs without an improvement on it */
    uint32_t stop_seen;
    uint32_t told_not_learning; /* or it has learned: it is not asked again */
    uint32_t stop;              /* enum ock_stop */
    uint32_t good_valid;        /* there is a good state to roll back to */
    uint32_t good_epoch;        /* its epoch; 0: the start */
    uint64_t good_step, good_updates;
    struct ock_plateau good_plateau;
};

struct ock_trainer {
    struct ock_spec *spec; /* resolved, borrowed; lr is written here once found */
    const struct ock_plan *plan;
    const struct ock_data *data;
    const struct ock_kernels *kernels;
    const struct ock_job_hooks *hooks;
    uint32_t threads;
    struct ock_arena arena; /* owned */
    struct ock_network net;
    struct ock_optimizer optimizer;
    struct ock_optimizer_state good; /* end of the last good epoch; on_nonfinite rollback only */
    float *best_w;                   /* [P] weights of the best epoch */
    float *gradient;                 /* [P] for the ending; where good.w is, once it is of no use */
    struct ock_feed own_feed;
    struct ock_feed *feed;        /* its own, or one that others have too */
    float *work, *row_loss;       /* [batch_rows or evaluation_rows, outputs], [… rows] */
    struct ock_rows train_sample; /* what evaluate_train measures */
    uint32_t *sample_rows;
    struct ock_progress progress;
    struct ock_epoch last_epoch; /* the newest measured epoch */
    uint64_t told_step;          /* ock_job's */
    bool quiet;         /* nobody hears of its epochs: no more is measured than what may fail one */
    const char *tuning; /* borrowed JSON: of the search whose refit this is; NULL: none */
    bool search_stopped; /* somebody ended it */
    bool stop_is_old;    /* before this resumption: whoever asked may ask again, not of the refit */
    bool stop_wanted;
    struct ock_sink sink;
    struct ock_checkpoint_plan *checkpoint; /* borrowed; NULL: no checkpoints */
    double epoch_begin_s;                   /* clocks of this process, for rates only */
    double run_begin_s;
    double progress_told_s;
    uint64_t epoch_begin_batch;
    bool in_epoch; /* its minibatches have begun in this process */
};

enum ock_epoch_end {
    OCK_EPOCH_GOES_ON,
    OCK_EPOCH_DONE,
    OCK_EPOCH_FAILED,
    OCK_EPOCH_PAUSED,
    OCK_EPOCH_CUT
};

/* Makes a trainer for the job with all memory it will need. Everything but `out` is borrowed.
 * Errors: NOMEM. */
enum ock_status ock_trainer_new(struct ock_trainer **out, struct ock_spec *spec,
                                const struct ock_plan *plan, const struct ock_data *data,
                                const struct ock_kernels *kernels, uint32_t threads,
                                size_t tile_rows, const struct ock_job_hooks *hooks,
                                struct ock_err *err);
void ock_trainer_free(struct ock_trainer *trainer); /* NULL is a no-op */

/* Bytes that ock_trainer_new allocates. */
size_t ock_trainer_bytes(const struct ock_spec *spec, const struct ock_plan *plan,
                         const struct ock_plan_data *data, uint32_t threads);

/* The initial loss and the limits that follow from it. Call once on a fresh trainer, after the
 * weights are in optimizer.state.w and before anything else. false: interrupted (below). */
bool ock_trainer_begin(struct ock_trainer *trainer);

/* Whether a command waits; it goes on waiting. Where rows are measured or rates tried out, only a
 * pause is obeyed, by leaving it all: it is done again after the resumption. */
bool ock_trainer_is_told(const struct ock_trainer *trainer, enum ock_command command);

/* Trains the next minibatch. *end: the epoch goes on, is done, failed (not finite), paused, or was
 * cut short by max_steps, the deadline or a stop (progress.stop). An epoch that was left in its
 * evaluation is done, or cut, at once. Errors: an event hook's. */
enum ock_status ock_trainer_minibatch(struct ock_trainer *trainer, enum ock_epoch_end *end,
                                      struct ock_err *err);

/* One step on `count` rows (numbers in the training set's source); returns its loss sum and
 * weight. false: loss, gradient or a weight is not finite. position: of its first row in the epoch.
 */
bool ock_trainer_step(struct ock_trainer *trainer, const uint32_t *rows, size_t count,
                      uint64_t position, double lr, double *loss_sum, double *weight_sum);

/* Metrics of a set with weights w ([P], packed before by ock_network_pack). false: interrupted. */
bool ock_trainer_measure(struct ock_trainer *trainer, const struct ock_rows *set, const float *w,
                         struct ock_metrics *out);

/* Everything that the epoch event reports of the present weights, but `best`. false: interrupted.
 */
bool ock_trainer_report(struct ock_trainer *trainer, struct ock_epoch *out);

/* State kept and brought back: the end of the last epoch that was looked at and found good.
 * Rolling back sets progress.epoch to the one after it. */
void ock_trainer_keep(struct ock_trainer *trainer);
void ock_trainer_roll_back(struct ock_trainer *trainer);

/* SHA-256 of the weights, and of all state (weights, optimizer vectors, counters). */
void ock_trainer_weights_sha256(const float *w, size_t count, char text[OCK_SHA256_TEXT_SIZE]);
void ock_trainer_state_sha256(const struct ock_trainer *trainer, char text[OCK_SHA256_TEXT_SIZE]);

/* Seconds of a monotonic clock: rates, deadlines and checkpoints' pace, never a result. */
double ock_clock_s(void);

#endif
