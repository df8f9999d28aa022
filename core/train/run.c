/* After each epoch: failed or good, best, patience, report, checkpoint. */
#include "core/train/run.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/jsonw.h"
#include "core/data/encoder.h"
#include "core/train/checkpoint.h"
#include "core/train/ending.h"

enum { ROLLBACKS_MAX = 3, LEARNING_EPOCHS = 3 };

/* --- Telling ----------------------------------------------------------------------------------- */

enum ock_status ock_run_send(const struct ock_job_hooks *hooks, const char *type, const char *key,
                             struct ock_buf *body, struct ock_err *err)
{
    enum ock_status status = ock_buf_status(body, err);
    if (status == OCK_OK) {
        struct ock_event event = {type, key, body->data};
        status = hooks->event(hooks->ctx, &event, err);
    }
    ock_buf_deinit(body);
    return status;
}

static enum ock_status send_body(const struct ock_trainer *trainer, const char *type,
                                 const char *key, struct ock_buf *body, struct ock_err *err)
{
    return ock_run_send(trainer->hooks, type, key, body, err);
}

enum ock_status ock_run_warn(const struct ock_trainer *trainer, const char *code, uint64_t number,
                             const char *message, struct ock_err *err)
{
    char key[96];
    (void)snprintf(key, sizeof(key), "warning:%s:%" PRIu64, code, number);
    struct ock_buf body;
    ock_buf_init(&body, OCK_EVENT_BYTES_MAX);
    struct ock_jsonw w = ock_jsonw_make(&body);
    ock_jsonw_object(&w, NULL);
    ock_jsonw_string(&w, "code", code);
    ock_jsonw_string(&w, "message", message);
    ock_jsonw_end_object(&w);
    return send_body(trainer, "warning", key, &body, err);
}

enum ock_status ock_run_tell_warnings(const struct ock_trainer *trainer, struct ock_err *err)
{
    struct ock_warning warnings[OCK_WARNINGS_MAX];
    size_t count =
        ock_spec_warnings(trainer->spec, ock_encoder_rare_text(trainer->data->encoder), warnings);
    enum ock_status status = OCK_OK;
    for (size_t i = 0; i < count && status == OCK_OK; i++)
        status = ock_run_warn(trainer, warnings[i].code, i, warnings[i].message, err);
    return status;
}

enum ock_status ock_run_log_lr(const struct ock_job_hooks *hooks, const struct ock_lr_found *found,
                               struct ock_err *err)
{
    char message[200];
    (void)snprintf(message, sizeof(message),
                   "learning rate %.6g found on the training rows (cost: %.2f epochs)%s", found->lr,
                   found->cost_epochs,
                   found->limited ? "; the penalty's strength allows no larger one" : "");
    struct ock_buf body;
    ock_buf_init(&body, OCK_EVENT_BYTES_MAX);
    struct ock_jsonw w = ock_jsonw_make(&body);
    ock_jsonw_object(&w, NULL);
    ock_jsonw_string(&w, "level", "info");
    ock_jsonw_string(&w, "message", message);
    ock_jsonw_double(&w, "lr", found->lr);
    ock_jsonw_end_object(&w);
    return ock_run_send(hooks, "log", "log:lr", &body, err);
}

enum ock_status ock_run_tell_resolved(const struct ock_trainer *trainer, struct ock_err *err)
{
    struct ock_buf body;
    ock_buf_init(&body, OCK_EVENT_BYTES_MAX);
    ock_spec_write(trainer->spec, &body);
    if (body.failed == OCK_LIMIT) {
        ock_buf_deinit(&body); /* thousands of feature names: the event says the rate anyway */
        return OCK_OK;
    }
    return send_body(trainer, "resolved", "", &body, err);
}

enum ock_status ock_run_tell_document(const struct ock_job_hooks *hooks, const char *name,
                                      struct ock_buf *body, struct ock_err *err)
{
    char key[64];
    (void)snprintf(key, sizeof(key), "document:%s", name);
    if (body->failed == OCK_LIMIT || body->size > OCK_DOCUMENT_BYTES_MAX) {
        ock_buf_deinit(body);
        return OCK_OK;
    }
    return ock_run_send(hooks, "document", key, body, err);
}

static enum ock_status tell_epoch(const struct ock_trainer *trainer, struct ock_err *err)
{
    char key[32];
    (void)snprintf(key, sizeof(key), "epoch:%u", trainer->last_epoch.epoch);
    struct ock_buf body;
    ock_buf_init(&body, OCK_EVENT_BYTES_MAX);
    ock_epoch_write(&trainer->last_epoch, &body);
    return send_body(trainer, "epoch", key, &body, err);
}

/* --- What follows from an epoch ---------------------------------------------------------------- */

/* Back to the end of the last good epoch with half the rate, three times a job; then, or when the
 * spec says so, the job has failed: NONFINITE. */
static enum ock_status fail_epoch(struct ock_trainer *trainer, const char *why, struct ock_err *err)
{
    struct ock_progress *progress = &trainer->progress;
    if (trainer->spec->train.on_nonfinite == OCK_FAIL)
        return ock_fail(err, OCK_NONFINITE,
                        "epoch %u diverged: %s. Use a smaller optimizer.lr (it was %.6g), "
                        "optimizer.clip_norm, or train.on_nonfinite \"rollback\"",
                        progress->epoch, why, progress->lr_last);
    if (progress->rollbacks >= ROLLBACKS_MAX)
        return ock_fail(err, OCK_NONFINITE,
                        "epoch %u diverged again after %d rollbacks: %s. Use a smaller "
                        "optimizer.lr (it was %.6g at last) or optimizer.clip_norm",
                        progress->epoch, ROLLBACKS_MAX, why, progress->lr_last);
    uint32_t failed = progress->epoch;
    ock_trainer_roll_back(trainer);
    char message[OCK_ERR_TEXT_SIZE];
    (void)snprintf(message, sizeof(message),
                   "epoch %u diverged (%s): back to the end of epoch %u, the learning rate is "
                   "halved to %.6g (%u of %d)",
                   failed, why, progress->good_epoch, progress->lr * progress->lr_factor,
                   progress->rollbacks, ROLLBACKS_MAX);
    return ock_run_warn(trainer, "rollback", progress->rollbacks, message, err);
}

/* Why a measured epoch counts as failed; false: it does not. */
static bool has_failed(const struct ock_trainer *trainer, const struct ock_epoch *epoch,
                       char why[160])
{
    double loss = epoch->train.data_loss;
    if (!epoch->train.present || (isfinite(loss) && loss <= trainer->progress.loss_limit))
        return false;
    (void)snprintf(why, 160,
                   "train.data_loss %.6g is above %.6g, twice that of a start or a constant", loss,
                   trainer->progress.loss_limit);
    return true;
}

/* What `best` looks at: early stopping's metric, else validation's loss, else training's. */
static enum ock_metric best_metric(const struct ock_trainer *trainer)
{
    if (trainer->spec->train.early_stopping.on)
        return trainer->spec->train.early_stopping.metric;
    return trainer->data->validation.weight_sum > 0 ? OCK_METRIC_VALIDATION_DATA_LOSS
                                                    : OCK_METRIC_TRAIN_DATA_LOSS;
}

/* Strictly better, the earliest on a tie; without validation rows, or without weight on any of them,
 * best is last. */
static bool update_best(struct ock_trainer *trainer, struct ock_epoch *epoch)
{
    struct ock_best *best = &trainer->progress.best;
    enum ock_metric metric = best_metric(trainer);
    double value = ock_epoch_metric(epoch, metric);
    bool always =
        !(trainer->data->validation.weight_sum > 0) && !trainer->spec->train.early_stopping.on;
    bool is_better = always || best->epoch == 0 || ock_metric_better(metric, value, best->value, 0);
    if (is_better) {
        *best = (struct ock_best){.epoch = epoch->epoch, .metric = metric, .value = value};
        memcpy(trainer->best_w, trainer->optimizer.state.w,
               trainer->plan->parameters * sizeof(float));
    }
    epoch->best = *best;
    return is_better;
}

/* Patience counts epochs without an improvement of more than min_delta. */
static bool out_of_patience(struct ock_trainer *trainer, const struct ock_epoch *epoch)
{
    const struct ock_early_stopping_spec *spec = &trainer->spec->train.early_stopping;
    struct ock_progress *progress = &trainer->progress;
    if (!spec->on)
        return false;
    double value = ock_epoch_metric(epoch, spec->metric);
    if (progress->stop_seen++ == 0 ||
        ock_metric_better(spec->metric, value, progress->stop_value, spec->min_delta)) {
        progress->stop_value = value;
        progress->stop_bad = 0;
        return false;
    }
    return ++progress->stop_bad >= spec->patience;
}

static enum ock_status warn_if_not_learning(struct ock_trainer *trainer,
                                            const struct ock_epoch *epoch, struct ock_err *err)
{
    struct ock_progress *progress = &trainer->progress;
    bool learns = epoch->train.data_loss < progress->constant_loss;
    if (progress->told_not_learning || (!learns && epoch->epoch < LEARNING_EPOCHS))
        return OCK_OK;
    progress->told_not_learning = 1;
    if (learns)
        return OCK_OK;
    char message[OCK_ERR_TEXT_SIZE];
    (void)snprintf(message, sizeof(message),
                   "after %u epochs train.data_loss is %.6g, no better than the %.6g of a constant "
                   "prediction: look at the learning rate (%.6g), the penalty and the features",
                   epoch->epoch, epoch->train.data_loss, progress->constant_loss,
                   progress->lr_last);
    return ock_run_warn(trainer, "not_learning", 0, message, err);
}

/* --- The loop ---------------------------------------------------------------------------------- */

/* Whether epoch `number` is reported; the last one is `ends`. */
static bool is_reported(const struct ock_trainer *trainer, uint32_t number, bool ends)
{
    uint32_t every = trainer->spec->train.report_every;
    return ends || number == 1 || number % (every > 0 ? every : 1) == 0 ||
           number == trainer->spec->train.epochs;
}

/* Whether training itself depends on what every epoch measures, told or not. */
static bool looks_every_epoch(const struct ock_trainer *trainer)
{
    return trainer->spec->train.early_stopping.on ||
           trainer->spec->optimizer.schedule.name == OCK_PLATEAU;
}

/* Starts the next epoch's counters. */
static void advance(struct ock_trainer *trainer)
{
    struct ock_progress *progress = &trainer->progress;
    progress->epoch++;
    progress->batch = 0;
    progress->skipped = 0;
    progress->loss_sum = 0;
    progress->weight_sum = 0;
}

/* What is good of a run that diverged in its last epoch is kept where nothing more was wanted; else
 * the epoch has to be done again, or the run fails. */
static enum ock_status fail_measured(struct ock_trainer *trainer, const char *why,
                                     struct ock_err *err)
{
    const struct ock_progress *progress = &trainer->progress;
    bool asked_for = progress->stop == OCK_STOP_ASKED || progress->stop == OCK_STOP_DEADLINE;
    if (!asked_for || progress->best.epoch == 0 || !progress->good_valid)
        return fail_epoch(trainer, why, err);
    ock_trainer_roll_back(trainer);
    return OCK_OK;
}

/* What a good epoch leads to: best, rate, patience. */
static void learn_from(struct ock_trainer *trainer, struct ock_epoch *epoch, bool ends)
{
    struct ock_progress *progress = &trainer->progress;
    bool is_best = update_best(trainer, epoch);
    ock_history_observe(&progress->history, epoch, is_best);
    ock_plateau_observe(&trainer->spec->optimizer.schedule, &progress->plateau,
                        epoch->validation.present ? epoch->validation.data_loss
                                                  : epoch->train.data_loss);
    ock_trainer_keep(trainer);
    bool impatient = out_of_patience(trainer, epoch);
    if (!ends && impatient)
        progress->stop = OCK_STOP_EARLY_STOPPING;
    else if (!ends && trainer->progress.step >= trainer->told_step &&
             ock_trainer_is_told(trainer, OCK_COMMAND_STOP)) /* while it was measured */
        progress->stop = OCK_STOP_ASKED;
    trainer->last_epoch = *epoch;
}

/* A run of a search: only whether the epoch is good matters before the last one. */
static enum ock_status finish_quietly(struct ock_trainer *trainer, enum ock_epoch_end *end,
                                      struct ock_err *err)
{
    const float *w = trainer->optimizer.state.w;
    struct ock_epoch epoch = {.epoch = trainer->progress.epoch};
    char why[160];
    ock_network_pack(&trainer->net, w);
    if (!ock_trainer_measure(trainer, &trainer->train_sample, w, &epoch.train)) {
        *end = OCK_EPOCH_PAUSED;
        return OCK_OK;
    }
    if (has_failed(trainer, &epoch, why)) {
        *end = OCK_EPOCH_FAILED;
        return fail_measured(trainer, why, err);
    }
    ock_trainer_keep(trainer);
    trainer->last_epoch = epoch;
    return OCK_OK;
}

/* Measures and tells an epoch whose minibatches are done. *end stays, or becomes FAILED (to be done
 * again, if anything is) or PAUSED (to be measured again). */
static enum ock_status finish_epoch(struct ock_trainer *trainer, enum ock_epoch_end *end,
                                    struct ock_err *err)
{
    struct ock_progress *progress = &trainer->progress;
    bool ends = progress->stop || progress->epoch >= trainer->spec->train.epochs;
    bool reported = is_reported(trainer, progress->epoch, ends);
    if (!reported && !looks_every_epoch(trainer))
        return OCK_OK; /* not kept: nobody knows whether it was good */
    if (trainer->quiet && !looks_every_epoch(trainer))
        return finish_quietly(trainer, end, err);
    struct ock_epoch epoch = {0};
    char why[160];
    if (!ock_trainer_report(trainer, &epoch)) {
        *end = OCK_EPOCH_PAUSED;
        return OCK_OK;
    }
    if (has_failed(trainer, &epoch, why)) {
        *end = OCK_EPOCH_FAILED;
        return fail_measured(trainer, why, err);
    }
    learn_from(trainer, &epoch, ends);
    enum ock_status status = OCK_OK;
    if (reported || progress->stop)
        status = tell_epoch(trainer, err);
    return status == OCK_OK ? warn_if_not_learning(trainer, &epoch, err) : status;
}

static enum ock_status checkpoint_by_epochs(struct ock_trainer *trainer, struct ock_err *err)
{
    uint32_t every = trainer->spec->train.checkpoint_every;
    bool wanted = every > 0 && (trainer->progress.epoch - 1) % every == 0;
    return ock_checkpoint_if_due(trainer, wanted, err);
}

/* What follows from an epoch whose minibatches are over. progress.stop or *paused end the run. */
static enum ock_status close_epoch(struct ock_trainer *trainer, enum ock_epoch_end end,
                                   bool *paused, struct ock_err *err)
{
    struct ock_progress *progress = &trainer->progress;
    enum ock_status status = OCK_OK;
    if (end == OCK_EPOCH_FAILED)
        return fail_epoch(trainer, "a loss, a gradient or a weight is not finite", err);
    if (end != OCK_EPOCH_PAUSED)
        status = finish_epoch(trainer, &end, err);
    *paused = end == OCK_EPOCH_PAUSED;
    if (end == OCK_EPOCH_FAILED && progress->stop == OCK_STOP_MAX_STEPS)
        progress->stop = OCK_STOP_NONE; /* the failed steps are taken back, so they do not count */
    if (status != OCK_OK || *paused || end == OCK_EPOCH_FAILED)
        return status;
    advance(trainer);
    return progress->stop ? OCK_OK : checkpoint_by_epochs(trainer, err);
}

enum ock_status ock_run_minibatch(struct ock_trainer *trainer, bool *paused, struct ock_err *err)
{
    enum ock_epoch_end end;
    enum ock_status status = ock_trainer_minibatch(trainer, &end, err);
    if (status != OCK_OK || end == OCK_EPOCH_GOES_ON)
        return status;
    return close_epoch(trainer, end, paused, err);
}

bool ock_run_is_trained(const struct ock_trainer *trainer)
{
    const struct ock_progress *progress = &trainer->progress;
    return progress->epoch > trainer->spec->train.epochs ||
           (progress->stop && progress->batch == 0);
}

enum ock_status ock_run_until(struct ock_trainer *trainer, uint32_t epoch, bool *paused,
                              struct ock_err *err)
{
    enum ock_status status = OCK_OK;
    while (status == OCK_OK && !*paused && !ock_run_is_trained(trainer) &&
           trainer->progress.epoch <= epoch)
        status = ock_run_minibatch(trainer, paused, err);
    return status;
}

enum ock_status ock_run_epochs(struct ock_trainer *trainer, const struct ock_job *job,
                               enum ock_outcome *outcome, struct ock_err *err)
{
    bool paused = false;
    enum ock_status status = ock_run_until(trainer, UINT32_MAX, &paused, err);
    if (status == OCK_OK && !paused)
        status = ock_ending_succeeded(trainer, job, &paused, err);
    if (status == OCK_OK && paused && trainer->checkpoint && trainer->checkpoint->path)
        status = ock_checkpoint_write(trainer, err);
    if (status == OCK_OK)
        *outcome = paused ? OCK_PAUSED : OCK_SUCCEEDED;
    return status;
}
