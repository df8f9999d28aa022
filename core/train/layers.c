/* One pass over the training sample for gradient and activity, then one over the weights.
 *
 * Every parameter's gradient comes once a backward pass, so it is summed by whoever brings it, block
 * after block: no thread can change the order. Sums over parameters are in double, in their order. */
#include "core/train/layers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/data/readahead.h"
#include "core/model/loss.h"
#include "core/train/gather.h"

/* --- The pass over the rows -------------------------------------------------------------------- */

struct pass_sums {
    struct ock_trainer *trainer;
    const float *w;        /* [P] */
    unsigned char *active; /* [units of all layers]: 1 once a unit was not 0 */
    double weight;
};

static size_t units_of_all(const struct ock_plan *plan)
{
    size_t units = 0;
    for (size_t i = 0; i < plan->layer_count; i++)
        units += plan->layers[i].out;
    return units;
}

static void add_gradient(void *ctx, size_t begin, size_t count, const float *g)
{
    float *sum = (float *)ctx + begin;
    for (size_t i = 0; i < count; i++)
        sum[i] += g[i];
}

/* Whether this activation can be 0 on a whole stretch of inputs. */
static bool may_die(const struct ock_layer_spec *layer)
{
    return layer->type == OCK_ACTIVATION &&
           (layer->activation == OCK_RELU || layer->activation == OCK_GELU);
}

static void mark_active(struct pass_sums *sums, size_t rows)
{
    const struct ock_network *net = &sums->trainer->net;
    unsigned char *active = sums->active;
    for (size_t i = 0; i < net->plan->layer_count; i++) {
        size_t units = net->plan->layers[i].out;
        const float *y = net->layers[i].y;
        for (size_t r = 0; may_die(net->plan->layers[i].spec) && r < rows; r++) {
            for (size_t u = 0; u < units; u++)
                active[u] |= y[r * units + u] != 0.0f;
        }
        active += units;
    }
}

static void add_block(struct pass_sums *sums, const uint32_t *rows, size_t count)
{
    struct ock_trainer *trainer = sums->trainer;
    const struct ock_rows *set = &trainer->train_sample;
    struct ock_network *net = &trainer->net;
    ock_source_read_ahead(set->source, rows, count);
    ock_gather(&net->team, set->source, rows, count, trainer->data->features, &trainer->batch);
    struct ock_pass pass = {
        .w = sums->w, .rows = count, .sparse = ock_batch_sparse(&trainer->batch)};
    struct ock_loss_rows losses = {.rows = count,
                                   .outputs = trainer->data->outputs,
                                   .z = ock_network_forward(net, &pass, trainer->batch.x),
                                   .label = trainer->batch.label,
                                   .target = trainer->batch.target,
                                   .weight = trainer->batch.weight,
                                   .work = trainer->work,
                                   .loss = trainer->row_loss,
                                   .dz = net->gradient[0]};
    ock_loss_compute(trainer->spec->loss, trainer->kernels, &losses);
    mark_active(sums, count);
    for (size_t i = 0; i < count; i++)
        sums->weight += (double)trainer->batch.weight[i];
    struct ock_sink sink = {trainer->gradient, add_gradient};
    ock_network_backward(net, &pass, trainer->batch.x, &sink);
}

/* Blocks are as large as a minibatch: the backward pass has no room for more. As often as elsewhere
 * is asked whether to pause, though minibatches may be small. false: a pause was obeyed. */
static bool pass_over_rows(struct pass_sums *sums)
{
    struct ock_trainer *trainer = sums->trainer;
    const struct ock_rows *set = &trainer->train_sample;
    size_t block = trainer->plan->batch_rows;
    memset(trainer->gradient, 0, trainer->plan->parameters * sizeof(*trainer->gradient));
    ock_network_pack(&trainer->net, sums->w);
    size_t asked = 0; /* the row before which it is asked next */
    for (size_t begin = 0; begin < set->count; begin += block) {
        if (begin >= asked && ock_trainer_is_told(trainer, OCK_COMMAND_PAUSE))
            return false;
        if (begin >= asked)
            asked = begin + trainer->plan->evaluation_rows;
        size_t left = set->count - begin;
        add_block(sums, set->rows + begin, left < block ? left : block);
    }
    return true;
}

/* --- The pass over the weights ----------------------------------------------------------------- */

enum { ASK_PARAMETERS = 4 << 20 }; /* some hundredths of a second */

static double sum_squares(const float *x, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)x[i] * (double)x[i];
    return sum;
}

static double penalty_squares(const struct ock_group *group, const float *w)
{
    double sum = 0;
    for (size_t i = 0; i < group->count; i++) {
        double value = (double)w[group->begin + i];
        double g = group->l1 * ((value > 0) - (value < 0)) + 2 * group->l2 * value;
        sum += g * g;
    }
    return sum;
}

static void fill_histogram(struct ock_layer_facts *facts, const float *w, size_t count)
{
    float min = w[0], max = w[0];
    for (size_t i = 1; i < count; i++) {
        min = w[i] < min ? w[i] : min;
        max = w[i] > max ? w[i] : max;
    }
    facts->min = (double)min;
    facts->max = (double)max;
    double width = (facts->max - facts->min) / OCK_HISTOGRAM_BINS;
    for (size_t i = 0; i < count; i++) {
        double place = width > 0 ? ((double)w[i] - facts->min) / width : 0;
        if (!(place >= 0))
            continue; /* not a number: in none */
        size_t bin = place < OCK_HISTOGRAM_BINS ? (size_t)place : OCK_HISTOGRAM_BINS - 1;
        facts->histogram[bin]++;
    }
}

/* Units of `layer` whose activation was never other than 0. */
static void count_dead(struct ock_layer_facts *facts, const struct ock_plan *plan,
                       const unsigned char *active)
{
    for (size_t i = 0; i < plan->layer_count; i++) {
        if (i > facts->layer && plan->layers[i].spec->type == OCK_LINEAR)
            return;
        if (i > facts->layer && may_die(plan->layers[i].spec)) {
            facts->has_dead = true;
            for (size_t u = 0; u < facts->out; u++)
                facts->dead += !active[u];
            return;
        }
        active += plan->layers[i].out;
    }
}

static void count_unread(struct ock_layer_facts *facts, const struct ock_plan *plan, const float *w)
{
    size_t next = facts->layer + 1;
    while (next < plan->layer_count && plan->layers[next].spec->type != OCK_LINEAR)
        next++;
    if (next == plan->layer_count)
        return;
    facts->has_unread = true;
    const struct ock_plan_layer *reader = &plan->layers[next];
    for (size_t u = 0; u < facts->out; u++) {
        bool read = false;
        for (size_t o = 0; o < reader->out && !read; o++)
            read = w[reader->weight_offset + o * reader->in + u] != 0.0f;
        facts->unread += !read;
    }
}

/* Of the groups [begin, end), which are one layer's. */
static void look_at_layer(struct ock_layer_facts *facts, const struct pass_sums *sums, size_t begin,
                          size_t end)
{
    const struct ock_trainer *trainer = sums->trainer;
    const struct ock_group *groups = trainer->optimizer.groups + begin;
    const struct ock_plan_layer *plan = &trainer->plan->layers[groups[0].layer];
    struct ock_weight_report weights;
    double gradient = 0, penalty = 0;
    for (size_t i = 0; i < end - begin; i++) {
        gradient += sum_squares(trainer->gradient + groups[i].begin, groups[i].count);
        penalty += penalty_squares(&groups[i], sums->w);
    }
    ock_weights_report(&weights, groups, end - begin, sums->w);
    facts->layer = groups[0].layer;
    facts->in = plan->in;
    facts->out = plan->out;
    facts->count = weights.count;
    facts->l1_norm = weights.l1_norm;
    facts->l2_norm = weights.l2_norm;
    facts->zeros = weights.zeros;
    facts->near_zeros = weights.near_zeros;
    facts->data_gradient = sqrt(gradient) / sums->weight;
    facts->penalty_gradient = sqrt(penalty);
    facts->penalty_share =
        facts->penalty_gradient / (facts->penalty_gradient + facts->data_gradient);
    fill_histogram(facts, sums->w + plan->weight_offset, plan->weight_count);
    count_dead(facts, trainer->plan, sums->active);
    count_unread(facts, trainer->plan, sums->w);
}

/* Roegnvaldsson 1998: where training was stopped at the best place, the penalty that would have kept
 * it there balances the data's gradient: ||d data_loss|| = lambda ||d sum w^2||. */
static double lambda_hat_of(const struct pass_sums *sums)
{
    const struct ock_trainer *trainer = sums->trainer;
    double gradient = 0, weights = 0;
    for (size_t i = 0; i < trainer->optimizer.group_count; i++) {
        const struct ock_group *group = &trainer->optimizer.groups[i];
        if (group->bias && !trainer->spec->regularization.biases)
            continue;
        gradient += sum_squares(trainer->gradient + group->begin, group->count);
        weights += sum_squares(sums->w + group->begin, group->count);
    }
    return weights > 0 ? sqrt(gradient) / sums->weight / (2 * sqrt(weights)) : (double)NAN;
}

/* false: a pause was obeyed. */
static bool pass_over_weights(struct ock_layers_report *report, const struct pass_sums *sums)
{
    const struct ock_optimizer *optimizer = &sums->trainer->optimizer;
    size_t looked_at = 0; /* parameters, since it was asked whether to pause */
    for (size_t begin = 0; begin < optimizer->group_count;) {
        size_t end = begin + 1;
        while (end < optimizer->group_count &&
               optimizer->groups[end].layer == optimizer->groups[begin].layer)
            end++;
        if (looked_at > ASK_PARAMETERS && ock_trainer_is_told(sums->trainer, OCK_COMMAND_PAUSE))
            return false;
        looked_at = looked_at > ASK_PARAMETERS ? 0 : looked_at;
        look_at_layer(&report->layers[report->count++], sums, begin, end);
        looked_at += report->layers[report->count - 1].count;
        begin = end;
    }
    report->lambda_hat = lambda_hat_of(sums);
    return true;
}

enum ock_status ock_layers_examine(struct ock_layers_report *out, struct ock_trainer *trainer,
                                   const float *w, uint32_t epoch, bool *left, struct ock_err *err)
{
    struct ock_layers_report report = {.epoch = epoch, .rows = trainer->train_sample.count};
    struct pass_sums sums = {.trainer = trainer, .w = w};
    enum ock_status status = OCK_OK;
    sums.active = calloc(units_of_all(trainer->plan), 1);
    report.layers = calloc(trainer->optimizer.group_count, sizeof(*report.layers));
    if (!sums.active || !report.layers) {
        status = ock_fail(err, OCK_NOMEM, "no memory for the report on the layers");
        goto done;
    }
    *left = !pass_over_rows(&sums) || !pass_over_weights(&report, &sums);
    if (*left)
        goto done;
    *out = report;
    report.layers = NULL;
done:
    free(sums.active);
    ock_layers_deinit(&report);
    return status;
}

void ock_layers_deinit(struct ock_layers_report *report)
{
    free(report->layers);
    report->layers = NULL;
    report->count = 0;
}
