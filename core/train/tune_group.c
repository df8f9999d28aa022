/* A group: some trials on one cut of the data. Without a warm path they train side by side, a
 * minibatch each in turn, which is gathered once for all of them; with it, one after the other,
 * strongest first, each from the weights of the one before. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/train/run.h"
#include "core/train/tune_private.h"

static struct ock_tune_run **slot_of(struct ock_search *search, size_t trial, size_t cut)
{
    return &search->runs[trial * search->cut_count + cut];
}

static bool is_path_cut(const struct ock_search *search, size_t cut)
{
    return cut == search->table.fold_count;
}

void ock_search_close_run(struct ock_search *search, size_t trial, size_t cut, bool done)
{
    struct ock_tune_run **slot = slot_of(search, trial, cut);
    if (*slot)
        ock_tune_run_close(*slot, done);
    free(*slot);
    *slot = NULL;
}

static enum ock_status open_run(struct ock_search *search, size_t trial, size_t cut,
                                const struct ock_data *data, const float *init, struct ock_err *err)
{
    const struct ock_tune_order *order = search->order;
    char checkpoint_path[4096];
    struct ock_run_order run_order = {
        .spec = order->spec,
        .values = search->table.trials[trial].values,
        .data = data,
        .kernels = order->kernels,
        .threads = search->layout.lane_threads,
        .tile_rows = order->job->tile_rows,
        .init_path = order->job->init_path,
        .init_weights = init,
        .data_sha256 = order->data_sha256,
        .hooks = &search->run_hooks,
    };
    /* Runs of a warm path are short and start from each other: they are done again. */
    if (search->state_path[0] && !order->spec->tune.warm &&
        ock_tune_run_path(checkpoint_path, order->job->checkpoint_path, trial, cut))
        run_order.checkpoint_path = checkpoint_path;
    struct ock_tune_run *run = calloc(1, sizeof(*run));
    if (!run)
        return ock_fail(err, OCK_NOMEM, "out of memory for a run of the search");
    bool interrupted = false; /* whoever asks for that has set leave */
    enum ock_status status = ock_tune_run_open(run, &run_order, &interrupted, err);
    if (status != OCK_OK) {
        free(run);
        return status;
    }
    if (interrupted) {
        ock_tune_run_close(run, false);
        free(run);
        return OCK_OK;
    }
    *slot_of(search, trial, cut) = run;
    return OCK_OK;
}

/* --- What a run gave --------------------------------------------------------------------------- */

/* Puts a run's figures into the table, under the mutex; the trial is told once all its folds are. */
static enum ock_status record(struct ock_search *search, size_t trial, size_t cut,
                              const struct ock_fold *figures, struct ock_err *err)
{
    enum ock_status status = OCK_OK;
    pthread_mutex_lock(&search->mutex);
    search->table.trials[trial].folds[cut] = *figures;
    if (ock_trial_is_done(&search->table, trial))
        status = ock_search_tell_trial(search, trial, err);
    if (status == OCK_OK)
        status = ock_search_save(search, false, err);
    pthread_mutex_unlock(&search->mutex);
    return status;
}

static enum ock_status record_failure(struct ock_search *search, size_t trial, size_t cut,
                                      const struct ock_err *why, struct ock_err *err)
{
    struct ock_fold figures = {.status = OCK_FOLD_FAILED};
    figures.epochs = (*slot_of(search, trial, cut))->trainer->progress.epoch;
    (void)snprintf(figures.error, sizeof(figures.error), "%.150s", why->text);
    return record(search, trial, cut, &figures, err);
}

static void record_path(struct ock_search *search, size_t trial, const struct ock_tune_run *run)
{
    struct ock_tune_path *path = &search->path;
    struct ock_weight_report weights;
    const struct ock_optimizer *optimizer = &run->trainer->optimizer;
    ock_weights_report(&weights, optimizer->groups, optimizer->group_count, optimizer->state.w);
    pthread_mutex_lock(&search->mutex);
    path->zeros[trial] = weights.zeros;
    if (path->weights)
        memcpy(&path->weights[trial * path->parameters], optimizer->state.w,
               path->parameters * sizeof(float));
    pthread_mutex_unlock(&search->mutex);
}

/* The run is at the end of this rung: its figures. Of a rung that others follow they are provisional. */
static enum ock_status finish_run(struct ock_search *search, size_t trial, size_t cut,
                                  struct ock_err *err)
{
    struct ock_tune_run *run = *slot_of(search, trial, cut);
    struct ock_fold figures;
    if (is_path_cut(search, cut)) {
        record_path(search, trial, run);
        return OCK_OK;
    }
    if (!ock_tune_run_measure(run, &figures))
        return OCK_OK; /* left: it is measured again after the resumption */
    if (!search->is_last_rung && figures.status == OCK_FOLD_DONE)
        figures.status = OCK_FOLD_PENDING;
    return record(search, trial, cut, &figures, err);
}

static enum ock_status note_epochs(struct ock_search *search, size_t trial, size_t cut,
                                   uint32_t epochs, struct ock_err *err)
{
    pthread_mutex_lock(&search->mutex);
    search->reached[trial * search->cut_count + cut] = epochs;
    enum ock_status status = ock_search_tell_progress(search, err);
    if (status == OCK_OK && atomic_exchange(&search->save_wanted, false))
        status = ock_search_save(search, true, err);
    pthread_mutex_unlock(&search->mutex);
    return status;
}

/* --- Side by side ------------------------------------------------------------------------------ */

static bool is_pending(const struct ock_search *search, size_t trial, size_t cut)
{
    return search->table.trials[trial].folds[cut].status == OCK_FOLD_PENDING;
}

/* Opens what is pending and not yet at work. */
static enum ock_status open_runs(struct ock_search *search, const struct ock_tune_group *group,
                                 const struct ock_data *data, struct ock_err *err)
{
    enum ock_status status = OCK_OK;
    for (size_t i = group->begin; i < group->end && status == OCK_OK; i++) {
        size_t trial = search->alive[i];
        if (is_pending(search, trial, group->cut) && !*slot_of(search, trial, group->cut) &&
            !ock_search_has_left(search))
            status = open_run(search, trial, group->cut, data, NULL, err);
    }
    return status;
}

/* The group's runs that have something left to train in this rung. */
struct crew {
    size_t count;
    struct mate {
        size_t trial;
        struct ock_tune_run *run;
    } * mates; /* owned */
};

static bool has_arrived(const struct ock_search *search, const struct ock_tune_run *run)
{
    return ock_run_is_trained(run->trainer) || run->trainer->progress.epoch > search->until_epoch;
}

/* Those that are at work get one feed, the first one's. */
static enum ock_status gather_crew(struct ock_search *search, const struct ock_tune_group *group,
                                   struct crew *crew, struct ock_err *err)
{
    crew->mates = calloc(group->end - group->begin, sizeof(*crew->mates));
    if (!crew->mates)
        return ock_fail(err, OCK_NOMEM, "out of memory for a group of runs");
    for (size_t i = group->begin; i < group->end; i++) {
        struct ock_tune_run *run = *slot_of(search, search->alive[i], group->cut);
        if (!run)
            continue;
        crew->mates[crew->count++] = (struct mate){search->alive[i], run};
        run->trainer->feed = &crew->mates[0].run->trainer->own_feed;
        ock_feed_use_order(run->trainer->feed);
    }
    return OCK_OK;
}

static bool is_before(const struct ock_progress *a, const struct ock_progress *b)
{
    return a->epoch < b->epoch || (a->epoch == b->epoch && a->batch < b->batch);
}

/* The place of the run that is least far: who stands there goes on. Runs that were resumed, or that
 * went back to an earlier epoch, so catch up with the others. */
static struct ock_progress least_far(const struct crew *crew)
{
    const struct ock_progress *least = &crew->mates[0].run->trainer->progress;
    for (size_t i = 1; i < crew->count; i++) {
        const struct ock_progress *other = &crew->mates[i].run->trainer->progress;
        least = is_before(other, least) ? other : least;
    }
    return *least;
}

/* One minibatch of one run, and what follows; *ended: it has nothing left to do in this rung. Runs
 * that have ended stay until the group has, as the others may use the feed of one. */
static enum ock_status train_mate(struct ock_search *search, const struct mate *mate, size_t cut,
                                  bool *ended, struct ock_err *err)
{
    struct ock_trainer *trainer = mate->run->trainer;
    struct ock_err why = {0};
    bool paused = false;
    uint32_t epoch = trainer->progress.epoch;
    enum ock_status status = ock_run_minibatch(trainer, &paused, &why);
    if (status == OCK_NONFINITE) {
        *ended = true;
        return record_failure(search, mate->trial, cut, &why, err);
    }
    if (status != OCK_OK)
        return ock_fail(err, status, "%s", why.text);
    if (trainer->progress.epoch > epoch)
        status = note_epochs(search, mate->trial, cut, trainer->progress.epoch - 1, err);
    *ended = !paused && has_arrived(search, mate->run);
    return status == OCK_OK && *ended ? finish_run(search, mate->trial, cut, err) : status;
}

static enum ock_status train_crew(struct ock_search *search, struct crew *crew, size_t cut,
                                  struct ock_err *err)
{
    enum ock_status status = OCK_OK;
    while (crew->count > 0 && status == OCK_OK && !ock_search_has_left(search)) {
        const struct ock_progress place = least_far(crew);
        size_t left = 0;
        for (size_t i = 0; i < crew->count; i++) {
            const struct mate mate = crew->mates[i];
            bool ended = false;
            if (status == OCK_OK && !is_before(&place, &mate.run->trainer->progress))
                status = train_mate(search, &mate, cut, &ended, err);
            if (!ended)
                crew->mates[left++] = mate;
        }
        crew->count = left;
    }
    return status;
}

/* What had arrived before, in an earlier attempt, has yet to be measured. */
static enum ock_status finish_arrived(struct ock_search *search, struct crew *crew, size_t cut,
                                      struct ock_err *err)
{
    enum ock_status status = OCK_OK;
    size_t left = 0;
    for (size_t i = 0; i < crew->count; i++) {
        const struct mate mate = crew->mates[i];
        if (status == OCK_OK && has_arrived(search, mate.run))
            status = finish_run(search, mate.trial, cut, err);
        else
            crew->mates[left++] = mate;
    }
    crew->count = left;
    return status;
}

static enum ock_status train_side_by_side(struct ock_search *search,
                                          const struct ock_tune_group *group, struct ock_err *err)
{
    struct crew crew = {0};
    enum ock_status status = gather_crew(search, group, &crew, err);
    if (status == OCK_OK)
        status = finish_arrived(search, &crew, group->cut, err);
    if (status == OCK_OK)
        status = train_crew(search, &crew, group->cut, err);
    free(crew.mates);
    return status;
}

/* A checkpoint of what a pause interrupts, if it is worth one: what took less than a second is sooner
 * trained again. */
static enum ock_status keep_runs(struct ock_search *search, const struct ock_tune_group *group,
                                 struct ock_err *err)
{
    enum ock_status status = OCK_OK;
    if (atomic_load(&search->leave) != OCK_LEAVE_PAUSE)
        return OCK_OK;
    for (size_t i = group->begin; i < group->end && status == OCK_OK; i++) {
        struct ock_tune_run *run = *slot_of(search, search->alive[i], group->cut);
        if (run && is_pending(search, search->alive[i], group->cut) && run->checkpoint.path &&
            ock_clock_s() - run->checkpoint.last_s > 1)
            status = ock_checkpoint_write(run->trainer, err);
    }
    return status;
}

/* Runs that go on in the next rung stay. */
static void close_runs(struct ock_search *search, const struct ock_tune_group *group)
{
    if (!search->is_last_rung && !ock_search_has_left(search))
        return;
    for (size_t i = group->begin; i < group->end; i++)
        ock_search_close_run(search, search->alive[i], group->cut,
                             !is_pending(search, search->alive[i], group->cut));
}

static enum ock_status run_side_by_side(struct ock_search *search,
                                        const struct ock_tune_group *group, struct ock_err *err)
{
    const struct ock_data *data = NULL;
    enum ock_status status = ock_search_acquire(search, group->cut, &data, err);
    if (status != OCK_OK)
        return status;
    status = open_runs(search, group, data, err);
    if (status == OCK_OK)
        status = train_side_by_side(search, group, err);
    if (status == OCK_OK)
        status = keep_runs(search, group, err);
    if (status != OCK_OK)
        atomic_store(&search->leave, OCK_LEAVE_ERROR); /* so that nothing of it goes on */
    close_runs(search, group);
    ock_search_release(search, group->cut);
    return status;
}

/* --- One after the other ----------------------------------------------------------------------- */

/* One strength of a chain; `weights` [P] is where it starts, and what it leaves. */
static enum ock_status run_link(struct ock_search *search, size_t trial, size_t cut,
                                const struct ock_data *data, float *weights, bool *have,
                                struct ock_err *err)
{
    enum ock_status status = open_run(search, trial, cut, data, *have ? weights : NULL, err);
    struct ock_tune_run *run = *slot_of(search, trial, cut);
    if (status != OCK_OK || !run)
        return status;
    struct ock_err why = {0};
    bool paused = false;
    status = ock_run_until(run->trainer, UINT32_MAX, &paused, &why);
    if (status == OCK_NONFINITE) {
        status = is_path_cut(search, cut) ? OCK_OK : record_failure(search, trial, cut, &why, err);
    } else if (status != OCK_OK) {
        (void)ock_fail(err, status, "%s", why.text);
    } else if (!paused) {
        memcpy(weights, run->trainer->optimizer.state.w,
               run->trainer->plan->parameters * sizeof(*weights));
        *have = true;
        status = finish_run(search, trial, cut, err);
    }
    ock_search_close_run(search, trial, cut, true);
    if (status != OCK_OK || paused)
        return status;
    return note_epochs(search, trial, cut, search->order->spec->train.epochs, err);
}

static bool chain_is_done(const struct ock_search *search, size_t cut)
{
    if (is_path_cut(search, cut))
        return search->found.path_done != 0;
    for (size_t t = 0; t < search->table.count; t++) {
        if (search->table.trials[t].folds[cut].status == OCK_FOLD_PENDING)
            return false;
    }
    return true;
}

static enum ock_status run_chain(struct ock_search *search, const struct ock_tune_group *group,
                                 struct ock_err *err)
{
    const struct ock_data *data = NULL;
    bool have = false;
    if (chain_is_done(search, group->cut))
        return OCK_OK;
    float *weights = calloc(search->path.parameters, sizeof(*weights));
    if (!weights)
        return ock_fail(err, OCK_NOMEM, "out of memory for the weights of a path");
    enum ock_status status = ock_search_acquire(search, group->cut, &data, err);
    if (status != OCK_OK) {
        free(weights);
        return status;
    }
    for (size_t t = group->begin;
         t < group->end && status == OCK_OK && !ock_search_has_left(search); t++)
        status = run_link(search, t, group->cut, data, weights, &have, err);
    if (status == OCK_OK && !ock_search_has_left(search) && is_path_cut(search, group->cut)) {
        pthread_mutex_lock(&search->mutex);
        search->found.path_done = 1;
        status = ock_search_save(search, false, err);
        pthread_mutex_unlock(&search->mutex);
    }
    ock_search_release(search, group->cut);
    free(weights);
    return status;
}

enum ock_status ock_search_run_group(struct ock_search *search, const struct ock_tune_group *group,
                                     struct ock_err *err)
{
    return search->order->spec->tune.warm ? run_chain(search, group, err)
                                          : run_side_by_side(search, group, err);
}
