/* The penalty's bookkeeping. */
#include "core/train/regularizer.h"

#include <math.h>

size_t ock_groups_make(struct ock_group groups[OCK_GROUPS_MAX], const struct ock_spec *spec,
                       const struct ock_plan *plan)
{
    size_t count = 0;
    for (size_t i = 0; i < plan->layer_count; i++) {
        const struct ock_plan_layer *layer = &plan->layers[i];
        if (layer->weight_count == 0)
            continue;
        groups[count++] = (struct ock_group){.begin = layer->weight_offset,
                                             .count = layer->weight_count,
                                             .layer = i,
                                             .l1 = layer->spec->l1,
                                             .l2 = layer->spec->l2};
        if (layer->bias_count == 0)
            continue;
        bool covered = spec->regularization.biases;
        groups[count++] = (struct ock_group){.begin = layer->bias_offset,
                                             .count = layer->bias_count,
                                             .layer = i,
                                             .bias = true,
                                             .l1 = covered ? layer->spec->l1 : 0,
                                             .l2 = covered ? layer->spec->l2 : 0};
    }
    return count;
}

struct group_sums {
    double absolute, squares;
    float largest;
    size_t zeros;
};

/* Four interleaved sums, so that the additions need not wait for each other; a fixed order. */
static struct group_sums sums_of(const float *w, size_t count)
{
    double absolute[4] = {0};
    double squares[4] = {0};
    struct group_sums sums = {0};
    for (size_t i = 0; i < count; i++) {
        double value = (double)w[i];
        absolute[i % 4] += fabs(value);
        squares[i % 4] += value * value;
        sums.zeros += w[i] == 0.0f;
        float size = fabsf(w[i]);
        sums.largest = size > sums.largest ? size : sums.largest;
    }
    sums.absolute = absolute[0] + absolute[1] + absolute[2] + absolute[3];
    sums.squares = squares[0] + squares[1] + squares[2] + squares[3];
    return sums;
}

static size_t count_below(const float *w, size_t count, float limit)
{
    size_t below = 0;
    for (size_t i = 0; i < count; i++)
        below += fabsf(w[i]) < limit;
    return below;
}

void ock_weights_report(struct ock_weight_report *out, const struct ock_group *groups,
                        size_t group_count, const float *w)
{
    struct ock_weight_report report = {0};
    double squares = 0;
    for (size_t i = 0; i < group_count;) {
        size_t end = i; /* groups [i, end) are one layer's */
        float largest = 0.0f;
        for (; end < group_count && groups[end].layer == groups[i].layer; end++) {
            const struct ock_group *group = &groups[end];
            struct group_sums sums = sums_of(w + group->begin, group->count);
            report.penalty_l1 += group->l1 * sums.absolute;
            report.penalty_l2 += group->l2 * sums.squares;
            report.l1_norm += sums.absolute;
            squares += sums.squares;
            report.zeros += sums.zeros;
            report.count += group->count;
            largest = sums.largest > largest ? sums.largest : largest;
        }
        for (; i < end; i++)
            report.near_zeros += count_below(w + groups[i].begin, groups[i].count, 1e-3f * largest);
    }
    report.l2_norm = sqrt(squares);
    *out = report;
}

struct projection {
    const struct ock_kernels *kernels;
    double max_norm;
    float *w; /* [units, in] */
    size_t in;
};

static void project_task(void *ctx, size_t unit, size_t thread)
{
    (void)thread;
    const struct projection *projection = ctx;
    float *row = projection->w + unit * projection->in;
    double norm = sqrt(projection->kernels->sum_squares(projection->in, row));
    if (!(norm > projection->max_norm))
        return;
    float factor = (float)(projection->max_norm / norm);
    for (size_t i = 0; i < projection->in; i++)
        row[i] *= factor;
}

void ock_max_norm(const struct ock_plan *plan, const struct ock_kernels *kernels,
                  const struct ock_team *team, double max_norm, float *w)
{
    size_t last = plan->layer_count;
    for (size_t i = 0; i < plan->layer_count; i++) {
        if (plan->layers[i].weight_count > 0)
            last = i;
    }
    for (size_t i = 0; i < last; i++) {
        const struct ock_plan_layer *layer = &plan->layers[i];
        if (layer->weight_count == 0)
            continue;
        struct projection projection = {kernels, max_norm, w + layer->weight_offset, layer->in};
        ock_team_run(team, layer->out, project_task, &projection);
    }
}
