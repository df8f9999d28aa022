/* How a search is spread over threads and memory. No bit of a result depends on it. */
#include <omp.h>
#include <stdlib.h>

#include "core/train/trainer.h"
#include "core/train/tune.h"
#include "core/train/tune_path.h"
#include "core/train/tune_plan.h"

/* Trainers that together fit a core's cache pay side by side: rows are read once for all of them. */
static const size_t group_bytes_max = (size_t)4 << 20;
enum { GROUPS_A_LANE = 8, THREADS_USEFUL_MAX = 256 };

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

size_t ock_tune_trials(const struct ock_tune_spec *tune)
{
    size_t trials = 1;
    for (size_t a = 0; a < OCK_AXES; a++)
        trials *= tune->axes[a].given ? tune->axes[a].count : 1;
    return trials;
}

/* Of the data: the folds or the split, and all rows for the warm path. */
static size_t cuts_of(const struct ock_tune_spec *tune)
{
    return larger(tune->folds, 1) + (tune->warm ? 1 : 0);
}

size_t ock_tune_runs(const struct ock_tune_spec *tune)
{
    return ock_tune_trials(tune) * cuts_of(tune) + (tune->refit ? 1 : 0);
}

struct ock_tune_layout ock_tune_layout_make(const struct ock_tune_spec *tune, uint32_t threads,
                                            uint32_t threads_useful, size_t trainer_bytes)
{
    size_t trials = ock_tune_trials(tune);
    size_t cuts = cuts_of(tune);
    struct ock_tune_layout layout = {.runs = trials * cuts};
    size_t fit = larger(group_bytes_max / larger(trainer_bytes, 1), 1);
    /* Several groups a lane, so that no lane is left alone with the last one, and trials are told as
     * they come. */
    size_t spread = larger(layout.runs / GROUPS_A_LANE / threads, 1);
    layout.group_trials = tune->warm ? trials : smaller(trials, smaller(fit, spread));
    size_t pieces = (trials + layout.group_trials - 1) / layout.group_trials;
    layout.lanes = (uint32_t)smaller(threads, cuts * pieces);
    layout.lane_threads = (uint32_t)larger(smaller(threads_useful, threads / layout.lanes), 1);
    layout.live = layout.lanes * (tune->warm ? 1 : layout.group_trials);
    if (tune->halving.on)
        layout.live = layout.runs;
    return layout;
}

/* --- The plan ---------------------------------------------------------------------------------- */

/* A trial with the most layers: of all that is searched, dropout alone changes a plan. */
static enum ock_status largest_trial(struct ock_spec **out, const struct ock_spec *spec,
                                     struct ock_err *err)
{
    const double values[OCK_AXES] = {[OCK_AXIS_DROPOUT] =
                                         ock_axis_strongest(&spec->tune.axes[OCK_AXIS_DROPOUT])};
    struct ock_spec *copy = NULL;
    enum ock_status status = ock_spec_copy(&copy, spec, err);
    if (status == OCK_OK)
        status = ock_spec_set_strength(copy, values, err);
    if (status != OCK_OK) {
        ock_spec_free(copy);
        return status;
    }
    *out = copy;
    return OCK_OK;
}

/* The table and the path, and the bytes of the state that are made of them, in a buffer that grows by
 * doubling. */
static size_t kept_bytes(const struct ock_tune_spec *tune, size_t runs, size_t parameters)
{
    size_t numbers =
        tune->warm ? smaller(ock_tune_trials(tune) * parameters, OCK_PATH_NUMBERS_MAX) : 0;
    return 3 * (runs * sizeof(struct ock_fold) + numbers * sizeof(float));
}

static size_t useful_threads(const struct ock_tune_spec *tune, uint32_t useful)
{
    return smaller(ock_tune_trials(tune) * larger(tune->folds, 1) * useful, THREADS_USEFUL_MAX);
}

uint32_t ock_tune_threads(const struct ock_spec *spec, uint32_t threads_useful)
{
    if (spec->train.threads > 0)
        return spec->train.threads;
    return (uint32_t)smaller(useful_threads(&spec->tune, threads_useful),
                             (size_t)omp_get_num_procs());
}

enum ock_status ock_tune_plan(struct ock_plan *plan, const struct ock_spec *spec,
                              const struct ock_plan_data *data, size_t data_bytes,
                              struct ock_err *err)
{
    struct ock_spec *trial = NULL;
    struct ock_plan *one = calloc(1, sizeof(*one));
    if (!one)
        return ock_fail(err, OCK_NOMEM, "out of memory for the plan of a search");
    enum ock_status status = largest_trial(&trial, spec, err);
    if (status == OCK_OK)
        status = ock_plan_make(one, trial, data, err);
    if (status == OCK_OK) {
        uint32_t useful = one->threads_useful;
        plan->threads_useful = (uint32_t)useful_threads(&spec->tune, useful);
        uint32_t threads = ock_tune_threads(spec, useful);
        struct ock_tune_layout layout = ock_tune_layout_make(
            &spec->tune, threads, useful, ock_trainer_bytes(trial, one, data, 1));
        size_t search = layout.live * ock_trainer_bytes(trial, one, data, layout.lane_threads) +
                        cuts_of(&spec->tune) * data_bytes +
                        kept_bytes(&spec->tune, layout.runs, one->parameters);
        plan->memory_bytes = larger(larger(one->memory_bytes, search), plan->memory_bytes);
    }
    ock_spec_free(trial);
    free(one);
    return status;
}
