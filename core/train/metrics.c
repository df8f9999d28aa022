/* Measuring a set of rows, and telling metrics apart. */
#include "core/train/metrics.h"

#include <math.h>

#include "core/data/readahead.h"
#include "core/model/loss.h"
#include "core/train/gather.h"

/* Double sums over the rows of a set, in the rows' order. */
struct sums {
    double weight, loss, right;
    double weight2, loss_w2, loss2_w2; /* for the loss' variance: sums of s^2, s^2 l, s^2 l^2 */
    size_t count;                      /* rows with weight */
    double squares, absolute;          /* of the error in the target's unit */
    double shift, target, target2;     /* for r2: sums of y - shift and its square */
    bool started;
};

static void add_loss(struct sums *sums, double s, double loss)
{
    sums->loss += s * loss;
    sums->weight2 += s * s;
    sums->loss_w2 += s * s * loss;
    sums->loss2_w2 += s * s * (loss * loss);
    sums->count += s > 0;
}

/* Of the weighted mean m: sum s^2 (l - m)^2 / (sum s)^2, times n / (n - 1), which makes it the
 * textbook's for equal weights. */
static double error2_of(const struct sums *sums)
{
    double mean = sums->loss / sums->weight;
    double squares = sums->loss2_w2 - 2 * mean * sums->loss_w2 + mean * mean * sums->weight2;
    double n = (double)sums->count;
    if (sums->count < 2)
        return NAN;
    return (squares > 0 ? squares : 0) / (sums->weight * sums->weight) * (n / (n - 1));
}

static void add_class(struct sums *sums, double s, int32_t label, size_t outputs, const float *z)
{
    sums->right += s * (ock_loss_predicted(outputs, z) == label ? 1.0 : 0.0);
}

static void add_number(struct sums *sums, const struct ock_evaluation *evaluation, double s,
                       double y, float z)
{
    double error = (double)z * evaluation->target_scale + evaluation->target_mean - y;
    sums->squares += s * (error * error);
    sums->absolute += s * fabs(error);
    if (!sums->started)
        sums->shift = y; /* near the data, so that the difference of squares loses nothing */
    sums->started = true;
    double d = y - sums->shift;
    sums->target += s * d;
    sums->target2 += s * (d * d);
}

static void add_block(struct sums *sums, const struct ock_evaluation *evaluation,
                      const struct ock_rows *set, const uint32_t *rows, size_t count,
                      const float *z)
{
    const struct ock_batch *batch = &evaluation->batch;
    for (size_t i = 0; i < count; i++) {
        double s = (double)batch->weight[i];
        const float *row_z = z + i * evaluation->outputs;
        sums->weight += s;
        add_loss(sums, s, (double)evaluation->row_loss[i]);
        if (batch->label)
            add_class(sums, s, batch->label[i], evaluation->outputs, row_z);
        else
            add_number(sums, evaluation, s, ock_source_target(set->source, rows[i]), row_z[0]);
    }
}

static void measure_block(struct sums *sums, const struct ock_evaluation *evaluation,
                          const struct ock_rows *set, size_t begin, size_t count, const float *w)
{
    ock_source_read_ahead(set->source, set->rows + begin, count);
    ock_gather(&evaluation->net->team, set->source, set->rows + begin, count, evaluation->features,
               &evaluation->batch);
    struct ock_pass pass = {.w = w, .rows = count, .sparse = ock_batch_sparse(&evaluation->batch)};
    const float *z = ock_network_forward(evaluation->net, &pass, evaluation->batch.x);
    struct ock_loss_rows rows = {.rows = count,
                                 .outputs = evaluation->outputs,
                                 .z = z,
                                 .label = evaluation->batch.label,
                                 .target = evaluation->batch.target,
                                 .weight = evaluation->batch.weight,
                                 .work = evaluation->work,
                                 .loss = evaluation->row_loss};
    ock_loss_compute(evaluation->loss, evaluation->net->kernels, &rows);
    add_block(sums, evaluation, set, set->rows + begin, count, z);
}

bool ock_metrics_measure(struct ock_metrics *out, const struct ock_evaluation *evaluation,
                         const struct ock_rows *set, const float *w)
{
    struct sums sums = {0};
    size_t block = evaluation->net->plan->evaluation_rows;
    for (size_t begin = 0; begin < set->count; begin += block) {
        const struct ock_leave *leave = &evaluation->leave;
        if (leave->ask && leave->ask(leave->ctx))
            return false;
        size_t left = set->count - begin;
        measure_block(&sums, evaluation, set, begin, left < block ? left : block, w);
    }
    *out = (struct ock_metrics){0};
    if (!(sums.weight > 0))
        return true;
    out->present = true;
    out->data_loss = sums.loss / sums.weight;
    out->loss_error2 = error2_of(&sums);
    out->accuracy = sums.right / sums.weight;
    out->mse = sums.squares / sums.weight;
    out->rmse = sqrt(out->mse);
    out->mae = sums.absolute / sums.weight;
    out->r2 = 1 - sums.squares / (sums.target2 - sums.target * sums.target / sums.weight);
    return true;
}

double ock_epoch_metric(const struct ock_epoch *epoch, enum ock_metric metric)
{
    bool of_train = metric == OCK_METRIC_TRAIN_DATA_LOSS || metric == OCK_METRIC_TRAIN_ACCURACY;
    const struct ock_metrics *set = of_train ? &epoch->train : &epoch->validation;
    if (metric != OCK_METRIC_OBJECTIVE && !set->present)
        return NAN;
    switch (metric) {
    case OCK_METRIC_VALIDATION_DATA_LOSS:
    case OCK_METRIC_TRAIN_DATA_LOSS:
        return set->data_loss;
    case OCK_METRIC_VALIDATION_ACCURACY:
    case OCK_METRIC_TRAIN_ACCURACY:
        return set->accuracy;
    case OCK_METRIC_VALIDATION_RMSE:
        return set->rmse;
    case OCK_METRIC_VALIDATION_MAE:
        return set->mae;
    case OCK_METRIC_VALIDATION_R2:
        return set->r2;
    case OCK_METRIC_OBJECTIVE:
        return epoch->objective;
    }
    return NAN;
}

bool ock_metric_better(enum ock_metric metric, double a, double b, double delta)
{
    bool more_is_better = metric == OCK_METRIC_VALIDATION_ACCURACY ||
                          metric == OCK_METRIC_TRAIN_ACCURACY || metric == OCK_METRIC_VALIDATION_R2;
    if (isnan(b))
        return !isnan(a);
    return more_is_better ? a > b + delta : a < b - delta;
}
