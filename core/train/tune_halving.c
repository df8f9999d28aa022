/* Successive halving (Jamieson and Talwalkar 2016), made fair to strong penalties.
 *
 * Weak penalties learn faster, so an early look favours them. A trial is therefore ended only once it
 * has trained for three half-lives of its own shrinkage: by then its weights are what the penalty and
 * the data make of them, and its loss says something of the strength. A weight w shrinks by
 *   lr · (2·lambda + weight_decay + alpha / |w|)
 * of itself in a step, with the mean size of the weights that are not zero for |w|, and lr divided by
 * 1 - momentum; the half-life is ln 2 through that. What hardly shrinks is never ended. */
#include <math.h>
#include <stdlib.h>

#include "core/base/real.h"
#include "core/train/tune_private.h"

static const double half_lives = 3;

uint32_t ock_halving_epochs(const struct ock_tune_spec *tune, uint32_t epochs, uint32_t rung)
{
    const struct ock_halving_spec *halving = &tune->halving;
    if (!halving->on)
        return epochs;
    uint64_t at = halving->min_epochs;
    if (at == 0)
        at = epochs / (halving->factor * halving->factor);
    at = at > 0 ? at : 1;
    for (uint32_t r = 0; r < rung && at < epochs; r++)
        at *= halving->factor;
    return at < epochs ? (uint32_t)at : epochs;
}

/* Steps of the trial's half-life, by what its folds have become; INFINITY: it does not shrink. */
static double half_life_steps(const struct ock_search *search, size_t trial)
{
    const struct ock_trial *row = &search->table.trials[trial];
    const struct ock_tune_run *run = search->runs[trial * search->cut_count];
    double nonzero = (double)search->table.weight_count - row->zeros;
    double l1_norm = 0;
    for (size_t f = 0; f < search->table.fold_count; f++)
        l1_norm += row->folds[f].l1_norm / (double)search->table.fold_count;
    double size = nonzero > 0 ? l1_norm / nonzero : 0;
    double rate = 2 * row->values[OCK_AXIS_L2] + row->values[OCK_AXIS_WEIGHT_DECAY];
    if (row->values[OCK_AXIS_L1] > 0)
        rate += size > 0 ? row->values[OCK_AXIS_L1] / size : (double)INFINITY;
    double lr = run ? run->trainer->progress.lr_last / (1 - run->spec->optimizer.momentum) : 0;
    return rate > 0 && lr > 0 ? ock_ln(2) / (lr * rate) : (double)INFINITY;
}

static double steps_trained(const struct ock_search *search, size_t trial)
{
    double least = INFINITY;
    for (size_t cut = 0; cut < search->table.fold_count; cut++) {
        const struct ock_tune_run *run = search->runs[trial * search->cut_count + cut];
        double steps = run ? (double)run->trainer->progress.step : 0;
        least = steps < least ? steps : least;
    }
    return least;
}

static bool has_failed(const struct ock_search *search, size_t trial)
{
    for (size_t f = 0; f < search->table.fold_count; f++) {
        if (search->table.trials[trial].folds[f].status == OCK_FOLD_FAILED)
            return true;
    }
    return false;
}

/* How many of the others have a smaller mean loss; on a tie the stronger one is the better. */
static size_t rank_of(const struct ock_search *search, size_t trial)
{
    double loss = search->table.trials[trial].mean_data_loss;
    size_t better = 0;
    for (size_t i = 0; i < search->alive_count; i++) {
        size_t other = search->alive[i];
        double others = search->table.trials[other].mean_data_loss;
        if (other != trial && !has_failed(search, other) &&
            (others < loss || (others == loss && other < trial)))
            better++;
    }
    return better;
}

/* Also what is left of a trial that failed in some fold. */
static void end_trial(struct ock_search *search, size_t trial)
{
    for (size_t cut = 0; cut < search->table.fold_count; cut++) {
        struct ock_fold *fold = &search->table.trials[trial].folds[cut];
        if (fold->status == OCK_FOLD_PENDING)
            fold->status = OCK_FOLD_ENDED;
        ock_search_close_run(search, trial, cut, true);
    }
}

void ock_search_end_worst(struct ock_search *search)
{
    uint32_t factor = search->order->spec->tune.halving.factor;
    size_t wanted = (search->alive_count + factor - 1) / factor;
    bool *ends = calloc(search->alive_count + 1, sizeof(*ends));
    if (!ends)
        return; /* nobody is ended: it costs time alone */
    for (size_t i = 0; i < search->alive_count; i++)
        ock_trial_settle(&search->table, search->alive[i]);
    for (size_t i = 0; i < search->alive_count; i++) {
        size_t trial = search->alive[i];
        ends[i] = has_failed(search, trial) ||
                  (rank_of(search, trial) >= wanted &&
                   steps_trained(search, trial) >= half_lives * half_life_steps(search, trial));
    }
    size_t left = 0;
    for (size_t i = 0; i < search->alive_count; i++) {
        if (ends[i])
            end_trial(search, search->alive[i]);
        else
            search->alive[left++] = search->alive[i];
    }
    search->alive_count = left;
    free(ends);
}
