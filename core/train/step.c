/* Minibatches and epochs. The way of a step: gather, forward, loss, backward with the update inside
 * it, all of them phases of the team. SPEC.md's "One step" says the order, optimizer.c does it. */
#include <math.h>

#include "core/base/jsonw.h"
#include "core/model/loss.h"
#include "core/train/checkpoint.h"
#include "core/train/gather.h"
#include "core/train/trainer.h"

/* --- A step ------------------------------------------------------------------------------------ */

/* sum s and sum s*loss over the rows, in order; with shards, each shard by itself, folded by the
 * same binary tree as the gradients. */
static void sum_losses(const struct ock_trainer *trainer, size_t count, double *loss_sum,
                       double *weight_sum)
{
    double losses[16] = {0}; /* the tree's stack: OCK_SHARDS_MAX is 2^10 */
    double weights[16] = {0};
    size_t shards = trainer->net.shards;
    size_t depth = 0;
    for (size_t s = 0; s < shards; s++) {
        losses[depth] = 0;
        weights[depth] = 0;
        for (size_t i = count * s / shards; i < count * (s + 1) / shards; i++) {
            double weight = (double)trainer->feed->batch.weight[i];
            weights[depth] += weight;
            losses[depth] += weight * (double)trainer->row_loss[i];
        }
        for (size_t bits = s; bits & 1; bits >>= 1, depth--) {
            losses[depth - 1] += losses[depth];
            weights[depth - 1] += weights[depth];
        }
        depth++;
    }
    for (; depth > 1; depth--) {
        losses[depth - 2] += losses[depth - 1];
        weights[depth - 2] += weights[depth - 1];
    }
    *loss_sum = losses[0];
    *weight_sum = weights[0];
}

/* One step on the rows in the feed's batch. */
static bool step_on_batch(struct ock_trainer *trainer, size_t count, uint64_t position, double lr,
                          double *loss_sum, double *weight_sum)
{
    struct ock_network *net = &trainer->net;
    struct ock_optimizer *optimizer = &trainer->optimizer;
    struct ock_pass pass = {.w = optimizer->state.w,
                            .rows = count,
                            .sparse = ock_batch_sparse(&trainer->feed->batch),
                            .training = true,
                            .seed = trainer->spec->train.seed,
                            .epoch = trainer->progress.epoch,
                            .position = position};
    const float *z = ock_network_forward(net, &pass, trainer->feed->batch.x);
    struct ock_loss_rows losses = {.rows = count,
                                   .outputs = trainer->data->outputs,
                                   .z = z,
                                   .label = trainer->feed->batch.label,
                                   .target = trainer->feed->batch.target,
                                   .weight = trainer->feed->batch.weight,
                                   .work = trainer->work,
                                   .loss = trainer->row_loss,
                                   .dz = net->gradient[0]};
    ock_loss_compute(trainer->spec->loss, trainer->kernels, &losses);
    sum_losses(trainer, count, loss_sum, weight_sum);
    if (!isfinite(*loss_sum))
        return false;
    if (!(*weight_sum > 0))
        return true; /* skipped: no row of it counts */
    ock_optimizer_begin(optimizer, lr, *weight_sum, trainer->progress.updates);
    ock_network_backward(net, &pass, trainer->feed->batch.x, &trainer->sink);
    return ock_optimizer_end(optimizer);
}

bool ock_trainer_step(struct ock_trainer *trainer, const uint32_t *rows, size_t count,
                      uint64_t position, double lr, double *loss_sum, double *weight_sum)
{
    ock_feed_use_batch(trainer->feed);
    ock_gather(&trainer->net.team, trainer->data->train.source, rows, count,
               trainer->data->features, &trainer->feed->batch);
    return step_on_batch(trainer, count, position, lr, loss_sum, weight_sum);
}

/* --- An epoch ----------------------------------------------------------------------------------
 */

enum { PROGRESS_EVERY_S = 1 };

static double lr_of_step(const struct ock_trainer *trainer)
{
    const struct ock_progress *progress = &trainer->progress;
    struct ock_schedule_place place = {.epoch = progress->epoch,
                                       .step = progress->step,
                                       .steps_total = trainer->plan->steps_total,
                                       .steps_per_epoch = trainer->plan->steps_per_epoch};
    return progress->lr_factor * ock_schedule_lr(&trainer->spec->optimizer.schedule, progress->lr,
                                                 &progress->plateau, &place);
}

/* One minibatch of the epoch and its counters; false: something was not finite. */
static bool next_step(struct ock_trainer *trainer)
{
    struct ock_progress *progress = &trainer->progress;
    size_t count = ock_feed_take(trainer);
    double loss = 0;
    double weight = 0;
    progress->lr_last = lr_of_step(trainer);
    bool finite = step_on_batch(trainer, count, progress->batch * trainer->plan->batch_rows,
                                progress->lr_last, &loss, &weight);
    progress->batch++;
    progress->step++;
    progress->updates += weight > 0 ? 1u : 0u;
    progress->skipped += weight > 0 ? 0u : 1u;
    progress->loss_sum += loss;
    progress->weight_sum += weight;
    return finite;
}

static enum ock_status tell_progress(struct ock_trainer *trainer, struct ock_err *err)
{
    double now = ock_clock_s();
    if (now - trainer->progress_told_s < PROGRESS_EVERY_S)
        return OCK_OK;
    trainer->progress_told_s = now;
    const struct ock_progress *progress = &trainer->progress;
    double fraction = (double)progress->batch / (double)trainer->plan->steps_per_epoch;
    struct ock_buf body;
    ock_buf_init(&body, OCK_EVENT_BYTES_MAX);
    struct ock_jsonw w = ock_jsonw_make(&body);
    ock_jsonw_object(&w, NULL);
    ock_jsonw_uint(&w, "epoch", progress->epoch);
    ock_jsonw_double(&w, "fraction", fraction);
    ock_jsonw_double(&w, "running_loss", progress->loss_sum / progress->weight_sum);
    ock_jsonw_end_object(&w);
    enum ock_status status = ock_buf_status(&body, err);
    if (status == OCK_OK) {
        struct ock_event event = {"progress", "", body.data};
        status = trainer->hooks->event(trainer->hooks->ctx, &event, err);
    }
    ock_buf_deinit(&body);
    return status;
}

bool ock_trainer_is_told(const struct ock_trainer *trainer, enum ock_command command)
{
    const struct ock_job_hooks *hooks = trainer->hooks;
    if (command == OCK_COMMAND_STOP && trainer->stop_is_old)
        return false;
    return hooks->peek && hooks->peek(hooks->ctx) == command;
}

/* What ends an epoch before its last minibatch. An epoch that was told before a crash comes again as
 * it was: a stop or the deadline waits until then, and one that they had cut is cut at the same
 * step. */
static enum ock_stop reason_to_cut(struct ock_trainer *trainer, enum ock_command command)
{
    const struct ock_train_spec *spec = &trainer->spec->train;
    uint64_t step = trainer->progress.step;
    if (command == OCK_COMMAND_STOP) {
        trainer->stop_wanted = trainer->stop_wanted || !trainer->stop_is_old;
        trainer->stop_is_old = false;
    }
    if (step < trainer->told_step)
        return OCK_STOP_NONE;
    if (trainer->stop_wanted)
        return OCK_STOP_ASKED;
    if (spec->max_steps > 0 && step >= spec->max_steps)
        return OCK_STOP_MAX_STEPS;
    double run_s = ock_clock_s() - trainer->run_begin_s;
    if (spec->deadline_s > 0 && trainer->progress.elapsed_s + run_s >= spec->deadline_s)
        return OCK_STOP_DEADLINE;
    if (step == trainer->told_step && trainer->progress.batch < trainer->plan->steps_per_epoch)
        return spec->deadline_s > 0 ? OCK_STOP_DEADLINE : OCK_STOP_ASKED;
    return OCK_STOP_NONE;
}

/* Clocks of what is trained in this process. */
static void open_epoch(struct ock_trainer *trainer)
{
    trainer->in_epoch = true;
    trainer->epoch_begin_s = ock_clock_s();
    trainer->epoch_begin_batch = trainer->progress.batch;
}

static bool is_over(const struct ock_trainer *trainer)
{
    return trainer->progress.stop || trainer->progress.batch >= trainer->plan->steps_per_epoch;
}

/* After a step: commands, progress, checkpoint. */
static enum ock_status look_around(struct ock_trainer *trainer, enum ock_epoch_end *end,
                                   struct ock_err *err)
{
    const struct ock_job_hooks *hooks = trainer->hooks;
    enum ock_command command = hooks->poll ? hooks->poll(hooks->ctx) : OCK_GO_ON;
    trainer->progress.stop = reason_to_cut(trainer, command);
    if (command == OCK_COMMAND_PAUSE) {
        *end = OCK_EPOCH_PAUSED;
        return OCK_OK;
    }
    if (trainer->progress.stop)
        return OCK_OK;
    enum ock_status status = tell_progress(trainer, err);
    return status == OCK_OK ? ock_checkpoint_if_due(trainer, command == OCK_COMMAND_CHECKPOINT, err)
                            : status;
}

enum ock_status ock_trainer_minibatch(struct ock_trainer *trainer, enum ock_epoch_end *end,
                                      struct ock_err *err)
{
    enum ock_status status = OCK_OK;
    *end = OCK_EPOCH_GOES_ON;
    if (!trainer->in_epoch)
        open_epoch(trainer);
    if (!is_over(trainer)) {
        if (next_step(trainer))
            status = look_around(trainer, end, err);
        else
            *end = OCK_EPOCH_FAILED;
    }
    if (*end == OCK_EPOCH_GOES_ON && is_over(trainer))
        *end = trainer->progress.stop ? OCK_EPOCH_CUT : OCK_EPOCH_DONE;
    trainer->in_epoch = *end == OCK_EPOCH_GOES_ON;
    return status;
}
