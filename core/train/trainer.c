/* Making a trainer, measuring its weights, keeping and bringing back its state. */
#include "core/train/trainer.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/train/baseline.h"

/* --- Making ------------------------------------------------------------------------------------
 */

static size_t rows_of_buffers(const struct ock_plan *plan)
{
    return plan->batch_rows > plan->evaluation_rows ? plan->batch_rows : plan->evaluation_rows;
}

static size_t sample_count(const struct ock_spec *spec, size_t train_rows)
{
    return spec->train.evaluate_train < train_rows ? spec->train.evaluate_train : train_rows;
}

static void layout_batch(struct ock_trainer *trainer, const struct ock_plan_data *data)
{
    struct ock_arena *arena = &trainer->arena;
    const struct ock_plan *plan = trainer->plan;
    size_t rows = rows_of_buffers(plan);
    bool classes =
        trainer->spec->loss == OCK_CROSS_ENTROPY || trainer->spec->loss == OCK_BINARY_CROSS_ENTROPY;
    trainer->batch.x =
        ock_arena_take(arena, data->rows.sparse ? 0 : rows * data->rows.features, sizeof(float));
    if (data->rows.sparse) {
        trainer->batch.sparse.begin = ock_arena_take(arena, rows + 1, sizeof(size_t));
        trainer->batch.sparse.index = ock_arena_take(arena, plan->batch_terms, sizeof(uint32_t));
        trainer->batch.sparse.value = ock_arena_take(arena, plan->batch_terms, sizeof(float));
    }
    trainer->batch.label = ock_arena_take(arena, classes ? rows : 0, sizeof(int32_t));
    trainer->batch.target = ock_arena_take(arena, classes ? 0 : rows, sizeof(float));
    trainer->batch.weight = ock_arena_take(arena, rows, sizeof(float));
    trainer->work = ock_arena_take(arena, rows * data->outputs, sizeof(float));
    trainer->row_loss = ock_arena_take(arena, rows, sizeof(float));
    trainer->order = ock_arena_take(arena, data->rows.train_rows, sizeof(uint32_t));
    trainer->batch_index = ock_arena_take(arena, plan->batch_rows, sizeof(uint32_t));
    trainer->sample_rows =
        ock_arena_take(arena, sample_count(trainer->spec, data->rows.train_rows), sizeof(uint32_t));
}

static void layout(struct ock_trainer *trainer, const struct ock_plan_data *data, size_t tile_rows)
{
    struct ock_arena *arena = &trainer->arena;
    const struct ock_plan *plan = trainer->plan;
    ock_network_layout(&trainer->net, plan, trainer->kernels, trainer->threads,
                       trainer->spec->train.shards, tile_rows, arena);
    ock_optimizer_layout(&trainer->optimizer, trainer->spec, plan, trainer->kernels,
                         &trainer->net.team, arena);
    if (trainer->spec->train.on_nonfinite == OCK_ROLLBACK)
        ock_optimizer_state_layout(&trainer->good, trainer->spec, plan->parameters,
                                   trainer->optimizer.group_count, arena);
    trainer->best_w = ock_arena_take(arena, plan->parameters, sizeof(float));
    /* When nothing is left to train nothing is rolled back. */
    bool has_good = trainer->spec->train.on_nonfinite == OCK_ROLLBACK;
    float *own = ock_arena_take(arena, has_good ? 0 : plan->parameters, sizeof(float));
    trainer->gradient = has_good ? trainer->good.w : own;
    layout_batch(trainer, data);
}

size_t ock_trainer_bytes(const struct ock_spec *spec, const struct ock_plan *plan,
                         const struct ock_plan_data *data, uint32_t threads)
{
    struct ock_trainer *trainer = calloc(1, sizeof(*trainer));
    if (!trainer)
        return SIZE_MAX / 2;
    /* Counting writes nothing through the spec. */
    union {
        const struct ock_spec *in;
        struct ock_spec *out;
    } borrowed = {.in = spec};
    trainer->spec = borrowed.out;
    trainer->plan = plan;
    trainer->kernels = ock_kernels_get(NULL);
    trainer->threads = threads;
    layout(trainer, data, 0);
    size_t bytes = trainer->arena.used + sizeof(*trainer);
    free(trainer);
    return bytes;
}

/* A fixed sample of the training rows: the `count` with the smallest random keys, in the file's
 * order. Keys are drawn, not sorted out by a second array: a row is in when its turn comes up with
 * the chance that is left (selection sampling, Knuth 3.4.2 S). */
static void choose_sample(struct ock_trainer *trainer)
{
    const struct ock_rows *train = &trainer->data->train;
    size_t wanted = sample_count(trainer->spec, train->count);
    struct ock_stream stream = ock_stream_make(trainer->spec->train.seed, OCK_RANDOM_SAMPLE, 0, 0);
    size_t taken = 0;
    double weight = 0;
    for (size_t i = 0; i < train->count && taken < wanted; i++) {
        double left = (double)(train->count - i);
        if (ock_random_uniform(stream, i) * left >= (double)(wanted - taken))
            continue;
        trainer->sample_rows[taken++] = train->rows[i];
        weight += 1;
    }
    trainer->train_sample = (struct ock_rows){.source = train->source,
                                              .rows = trainer->sample_rows,
                                              .count = taken,
                                              .weight_sum = weight};
    if (wanted == train->count)
        trainer->train_sample = *train;
}

enum ock_status ock_trainer_new(struct ock_trainer **out, struct ock_spec *spec,
                                const struct ock_plan *plan, const struct ock_data *data,
                                const struct ock_kernels *kernels, uint32_t threads,
                                size_t tile_rows, const struct ock_job_hooks *hooks,
                                struct ock_err *err)
{
    assert(spec->resolved && threads > 0);
    struct ock_trainer *trainer = calloc(1, sizeof(*trainer));
    if (!trainer)
        return ock_fail(err, OCK_NOMEM, "out of memory for the trainer");
    trainer->spec = spec;
    trainer->plan = plan;
    trainer->data = data;
    trainer->kernels = kernels;
    trainer->hooks = hooks;
    trainer->threads = threads;
    struct ock_plan_data sizes = ock_plan_data_of(data);
    layout(trainer, &sizes, tile_rows);
    enum ock_status status = ock_arena_allocate(&trainer->arena, err);
    if (status != OCK_OK) {
        ock_trainer_free(trainer);
        return status;
    }
    layout(trainer, &sizes, tile_rows);
    choose_sample(trainer);
    trainer->sink = ock_optimizer_sink(&trainer->optimizer);
    trainer->progress = (struct ock_progress){
        .epoch = 1, .lr = spec->optimizer.lr, .lr_factor = 1, .loss_limit = INFINITY};
    trainer->run_begin_s = ock_clock_s();
    *out = trainer;
    return OCK_OK;
}

void ock_trainer_free(struct ock_trainer *trainer)
{
    if (!trainer)
        return;
    ock_arena_deinit(&trainer->arena);
    free(trainer);
}

double ock_clock_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* --- Measuring ---------------------------------------------------------------------------------
 */

static bool must_pause(void *ctx)
{
    return ock_trainer_is_told(ctx, OCK_COMMAND_PAUSE);
}

bool ock_trainer_measure(struct ock_trainer *trainer, const struct ock_rows *set, const float *w,
                         struct ock_metrics *out)
{
    struct ock_evaluation evaluation = {.net = &trainer->net,
                                        .loss = trainer->spec->loss,
                                        .batch = trainer->batch,
                                        .work = trainer->work,
                                        .row_loss = trainer->row_loss,
                                        .target_mean = trainer->data->target_mean,
                                        .target_scale = trainer->data->target_scale,
                                        .features = trainer->data->features,
                                        .outputs = trainer->data->outputs,
                                        .leave = {must_pause, trainer}};
    return ock_metrics_measure(out, &evaluation, set, w);
}

/* Rows of an epoch's first `batches` minibatches, of which the last may be smaller. */
static uint64_t rows_before(const struct ock_trainer *trainer, uint64_t batches)
{
    uint64_t rows = trainer->data->train.count;
    uint64_t full = batches * trainer->plan->batch_rows;
    return full < rows ? full : rows;
}

bool ock_trainer_report(struct ock_trainer *trainer, struct ock_epoch *out)
{
    const struct ock_progress *progress = &trainer->progress;
    const struct ock_optimizer *optimizer = &trainer->optimizer;
    double train_s = ock_clock_s() - trainer->epoch_begin_s;
    double samples = (double)(rows_before(trainer, progress->batch) -
                              rows_before(trainer, trainer->epoch_begin_batch));
    *out = (struct ock_epoch){.epoch = progress->epoch,
                              .epochs = trainer->spec->train.epochs,
                              .step = progress->step,
                              .classes = trainer->data->classes > 0,
                              .running_loss = progress->loss_sum / progress->weight_sum,
                              .lr = progress->lr_last,
                              .best = progress->best,
                              .skipped = progress->skipped,
                              .threads = trainer->threads};
    out->samples = (uint64_t)(progress->epoch - 1) * trainer->data->train.count +
                   rows_before(trainer, progress->batch);
    out->samples_per_s = samples / (train_s > 1e-9 ? train_s : 1e-9);
    ock_network_pack(&trainer->net, optimizer->state.w);
    if (!ock_trainer_measure(trainer, &trainer->train_sample, optimizer->state.w, &out->train) ||
        !ock_trainer_measure(trainer, &trainer->data->validation, optimizer->state.w,
                             &out->validation))
        return false;
    ock_weights_report(&out->weights, optimizer->groups, optimizer->group_count,
                       optimizer->state.w);
    double data_loss = out->train.present ? out->train.data_loss : (double)NAN;
    out->objective = data_loss + out->weights.penalty_l1 + out->weights.penalty_l2;
    (void)snprintf(out->numerics, sizeof(out->numerics), "%s",
                   ock_kernels_numerics(trainer->kernels));
    ock_trainer_weights_sha256(optimizer->state.w, trainer->plan->parameters, out->weights_sha256);
    double run_s = ock_clock_s() - trainer->run_begin_s;
    out->elapsed_s = progress->elapsed_s + run_s;
    double done = progress->epoch > 0 ? (double)progress->epoch : 1;
    out->eta_s = out->elapsed_s / done * ((double)out->epochs - done);
    return true;
}

void ock_trainer_weights_sha256(const float *w, size_t count, char text[OCK_SHA256_TEXT_SIZE])
{
    struct ock_sha256 sha;
    ock_sha256_init(&sha);
    ock_sha256_add(&sha, w, count * sizeof(*w)); /* x86-64 is little-endian */
    ock_sha256_text(&sha, text);
}

void ock_trainer_state_sha256(const struct ock_trainer *trainer, char text[OCK_SHA256_TEXT_SIZE])
{
    const struct ock_optimizer_state *state = &trainer->optimizer.state;
    const struct ock_progress *progress = &trainer->progress;
    size_t P = trainer->plan->parameters;
    struct ock_sha256 sha;
    ock_sha256_init(&sha);
    ock_sha256_add(&sha, state->w, P * sizeof(float));
    if (state->v)
        ock_sha256_add(&sha, state->v, P * sizeof(float));
    if (state->s)
        ock_sha256_add(&sha, state->s, P * sizeof(float));
    if (state->q)
        ock_sha256_add(&sha, state->q, P * sizeof(double));
    ock_sha256_add(&sha, state->l1_totals, trainer->optimizer.group_count * sizeof(double));
    ock_sha256_add(&sha, &progress->step, sizeof(progress->step));
    ock_sha256_add(&sha, &progress->updates, sizeof(progress->updates));
    ock_sha256_add(&sha, &progress->lr_factor, sizeof(progress->lr_factor));
    ock_sha256_add(&sha, &progress->plateau.factor, sizeof(progress->plateau.factor));
    ock_sha256_text(&sha, text);
}

/* --- Keeping and rolling back ------------------------------------------------------------------
 */

void ock_trainer_keep(struct ock_trainer *trainer)
{
    if (trainer->spec->train.on_nonfinite != OCK_ROLLBACK)
        return;
    struct ock_progress *progress = &trainer->progress;
    ock_optimizer_state_copy(&trainer->good, &trainer->optimizer.state, trainer->plan->parameters,
                             trainer->optimizer.group_count);
    progress->good_valid = 1;
    progress->good_epoch = progress->epoch;
    progress->good_step = progress->step;
    progress->good_updates = progress->updates;
    progress->good_plateau = progress->plateau;
}

void ock_trainer_roll_back(struct ock_trainer *trainer)
{
    struct ock_progress *progress = &trainer->progress;
    assert(progress->good_valid);
    ock_optimizer_state_copy(&trainer->optimizer.state, &trainer->good, trainer->plan->parameters,
                             trainer->optimizer.group_count);
    progress->epoch = progress->good_epoch + 1;
    progress->step = progress->good_step;
    progress->updates = progress->good_updates;
    progress->plateau = progress->good_plateau;
    progress->batch = 0;
    progress->skipped = 0;
    progress->loss_sum = 0;
    progress->weight_sum = 0;
    progress->rollbacks++;
    progress->lr_factor *= 0.5;
}

bool ock_trainer_begin(struct ock_trainer *trainer)
{
    struct ock_metrics initial = {0};
    ock_network_pack(&trainer->net, trainer->optimizer.state.w);
    if (!ock_trainer_measure(trainer, &trainer->train_sample, trainer->optimizer.state.w, &initial))
        return false;
    struct ock_leave leave = {must_pause, trainer};
    double constant = 0;
    if (!ock_baseline_loss(&constant, trainer->spec->loss, trainer->data, &trainer->batch,
                           trainer->plan->batch_rows, &leave))
        return false;
    double larger = initial.data_loss > constant ? initial.data_loss : constant;
    trainer->progress.constant_loss = constant;
    trainer->progress.loss_limit = isfinite(larger) ? 2 * larger : (double)INFINITY;
    ock_trainer_keep(trainer);
    trainer->progress.good_epoch = 0; /* the start: before the first epoch's end */
    return true;
}
