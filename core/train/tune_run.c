/* A trial as a job of its own: its spec, its trainer, its figures. */
#include "core/train/tune_run.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/train/model_file.h"

/* The spec that a person would send for this trial alone. */
static enum ock_status make_spec(struct ock_tune_run *run, const struct ock_run_order *order,
                                 struct ock_err *err)
{
    enum ock_status status = ock_spec_copy(&run->spec, order->spec, err);
    if (status != OCK_OK)
        return status;
    run->spec->optimizer.lr = order->spec->optimizer.lr;
    run->spec->optimizer.lr_auto = false;
    return ock_spec_set_strength(run->spec, order->values, err);
}

static enum ock_status make_trainer(struct ock_tune_run *run, const struct ock_run_order *order,
                                    struct ock_err *err)
{
    struct ock_plan_data sizes = ock_plan_data_of(order->data);
    enum ock_status status = ock_plan_make(&run->plan, run->spec, &sizes, err);
    if (status == OCK_OK)
        status = ock_trainer_new(&run->trainer, run->spec, &run->plan, order->data, order->kernels,
                                 order->threads, order->tile_rows, order->hooks, err);
    if (status == OCK_OK)
        run->trainer->quiet = true;
    if (status != OCK_OK || !order->checkpoint_path)
        return status;
    (void)snprintf(run->checkpoint_path, sizeof(run->checkpoint_path), "%s",
                   order->checkpoint_path);
    run->checkpoint.path = run->checkpoint_path;
    run->checkpoint.last_s = ock_clock_s();
    (void)snprintf(run->checkpoint.data_sha256, sizeof(run->checkpoint.data_sha256), "%s",
                   order->data_sha256);
    run->trainer->checkpoint = &run->checkpoint;
    return ock_spec_hash(run->spec, run->checkpoint.spec_hash) == OCK_OK
               ? OCK_OK
               : ock_fail(err, OCK_NOMEM, "out of memory for a trial's hash");
}

static enum ock_status first_weights(struct ock_trainer *trainer, const struct ock_run_order *order,
                                     struct ock_err *err)
{
    float *w = trainer->optimizer.state.w;
    if (order->init_path)
        return ock_model_read_weights(trainer->plan, order->init_path, w, err);
    if (order->init_weights)
        memcpy(w, order->init_weights, trainer->plan->parameters * sizeof(*w));
    else
        ock_network_init(&trainer->net, trainer->spec->train.seed, w);
    return OCK_OK;
}

enum ock_status ock_tune_run_open(struct ock_tune_run *run, const struct ock_run_order *order,
                                  bool *interrupted, struct ock_err *err)
{
    bool resumed = false;
    char note[OCK_ERR_TEXT_SIZE]; /* a checkpoint that is not used costs time and no bits */
    memset(run, 0, sizeof(*run));
    enum ock_status status = make_spec(run, order, err);
    if (status == OCK_OK)
        status = make_trainer(run, order, err);
    if (status == OCK_OK)
        status = ock_checkpoint_resume(run->trainer, &resumed, note, err);
    if (status == OCK_OK && !resumed)
        status = first_weights(run->trainer, order, err);
    if (status == OCK_OK && !resumed)
        *interrupted = !ock_trainer_begin(run->trainer);
    if (status != OCK_OK)
        ock_tune_run_close(run, false);
    return status;
}

void ock_tune_run_close(struct ock_tune_run *run, bool remove_checkpoint)
{
    char previous[sizeof(run->checkpoint_path) + 16];
    if (remove_checkpoint && run->checkpoint_path[0]) {
        (void)snprintf(previous, sizeof(previous), "%s.previous", run->checkpoint_path);
        (void)unlink(run->checkpoint_path);
        (void)unlink(previous);
    }
    ock_trainer_free(run->trainer);
    ock_spec_free(run->spec);
    run->trainer = NULL;
    run->spec = NULL;
}

static bool is_best(const struct ock_tune_run *run)
{
    return run->spec->train.early_stopping.on && run->trainer->progress.best.epoch > 0;
}

const float *ock_tune_run_weights(const struct ock_tune_run *run)
{
    return is_best(run) ? run->trainer->best_w : run->trainer->optimizer.state.w;
}

/* A loss that is not finite is no figure to be judged by, though every weight is. */
static void check_loss(struct ock_fold *fold, bool present)
{
    if (isfinite(fold->data_loss))
        return;
    fold->status = OCK_FOLD_FAILED;
    (void)snprintf(fold->error, sizeof(fold->error), "%s",
                   present ? "the loss of the fold's validation rows is not finite"
                           : "no validation row of the fold has a weight above 0");
}

bool ock_tune_run_measure(struct ock_tune_run *run, struct ock_fold *out)
{
    struct ock_trainer *trainer = run->trainer;
    const float *w = ock_tune_run_weights(run);
    struct ock_metrics train = {0}, validation = {0};
    struct ock_weight_report weights;
    ock_network_pack(&trainer->net, w);
    if (!ock_trainer_measure(trainer, &trainer->train_sample, w, &train) ||
        !ock_trainer_measure(trainer, &trainer->data->validation, w, &validation))
        return false;
    ock_weights_report(&weights, trainer->optimizer.groups, trainer->optimizer.group_count, w);
    *out = (struct ock_fold){
        .status = OCK_FOLD_DONE,
        .epochs = trainer->last_epoch.epoch,
        .best_epoch = run->spec->train.early_stopping.on ? trainer->progress.best.epoch : 0,
        .data_loss = validation.present ? validation.data_loss : (double)NAN,
        .score = trainer->data->classes > 0 ? validation.accuracy : validation.rmse,
        .train_data_loss = train.data_loss,
        .l1_norm = weights.l1_norm,
        .l2_norm = weights.l2_norm,
        .zeros = weights.zeros,
    };
    check_loss(out, validation.present);
    ock_trainer_weights_sha256(w, trainer->plan->parameters, out->weights_sha256);
    return true;
}
