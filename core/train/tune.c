/* A search from its spec to its choice: what is found first (learning rate, ends of ranges), the
 * rungs of trials, the choice, the refit's spec. */
#include "core/train/tune.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/train/lr_search.h"
#include "core/train/run.h"
#include "core/train/tune_plan.h"
#include "core/train/tune_private.h"

/* --- What runs hear ---------------------------------------------------------------------------- */

static enum ock_status hear_nothing(void *ctx, const struct ock_event *event, struct ock_err *err)
{
    (void)ctx;
    (void)event;
    (void)err;
    return OCK_OK;
}

/* A command is taken once and makes all lanes leave: for a run, that is a pause. */
static enum ock_command poll_search(void *ctx)
{
    struct ock_search *search = ctx;
    const struct ock_job_hooks *hooks = search->order->hooks;
    if (ock_search_has_left(search))
        return OCK_COMMAND_PAUSE;
    enum ock_command command = hooks->poll ? hooks->poll(hooks->ctx) : OCK_GO_ON;
    if (command == OCK_COMMAND_CHECKPOINT)
        atomic_store(&search->save_wanted, true);
    if (command != OCK_COMMAND_PAUSE && command != OCK_COMMAND_STOP)
        return OCK_GO_ON;
    atomic_store(&search->leave, command == OCK_COMMAND_PAUSE ? OCK_LEAVE_PAUSE : OCK_LEAVE_STOP);
    return OCK_COMMAND_PAUSE;
}

static enum ock_command peek_search(void *ctx)
{
    struct ock_search *search = ctx;
    const struct ock_job_hooks *hooks = search->order->hooks;
    if (ock_search_has_left(search))
        return OCK_COMMAND_PAUSE;
    enum ock_command command = hooks->peek ? hooks->peek(hooks->ctx) : OCK_GO_ON;
    return command == OCK_COMMAND_PAUSE || command == OCK_COMMAND_STOP ? poll_search(ctx)
                                                                       : OCK_GO_ON;
}

static bool must_leave(void *ctx)
{
    return peek_search(ctx) == OCK_COMMAND_PAUSE;
}

/* --- Before the trials ------------------------------------------------------------------------- */

/* Once for all strengths and folds, on all rows (SPEC.md, lr: auto), as the first trial: the strongest
 * decay bounds the rate. *left: a command came first. */
static enum ock_status find_lr(struct ock_search *search, const struct ock_data *data, bool *left,
                               struct ock_err *err)
{
    const struct ock_tune_order *order = search->order;
    struct ock_spec *spec = order->spec;
    struct ock_tune_run *run = calloc(1, sizeof(*run));
    struct ock_lr_found found;
    if (!run)
        return ock_fail(err, OCK_NOMEM, "out of memory for the learning rate's search");
    struct ock_run_order run_order = {.spec = spec,
                                      .values = search->table.trials[0].values,
                                      .data = data,
                                      .kernels = order->kernels,
                                      .threads = search->threads,
                                      .tile_rows = order->job->tile_rows,
                                      .init_path = order->job->init_path,
                                      .data_sha256 = order->data_sha256,
                                      .hooks = &search->run_hooks};
    enum ock_status status = ock_tune_run_open(run, &run_order, left, err);
    if (status == OCK_OK && !*left)
        *left = !ock_lr_find(run->trainer, &found);
    if (status == OCK_OK && !*left) {
        search->found.lr = found.lr;
        spec->optimizer.lr = found.lr;
        status = ock_run_log_lr(order->hooks, &found, err);
    }
    if (status == OCK_OK || run->trainer)
        ock_tune_run_close(run, false);
    free(run);
    return status;
}

static bool wants_bound(const struct ock_search *search)
{
    const struct ock_axis_spec *l1 = &search->order->spec->tune.axes[OCK_AXIS_L1];
    return l1->given && (l1->max_auto || l1->min_auto);
}

static enum ock_status find_bound(struct ock_search *search, const struct ock_data *data,
                                  bool *left, struct ock_err *err)
{
    struct ock_axis_spec *l1 = &search->order->spec->tune.axes[OCK_AXIS_L1];
    struct ock_leave leave = {must_leave, search};
    double bound = 0;
    enum ock_status status =
        ock_tune_l1_bound(&bound, left, search->order->spec, data, &leave, err);
    if (status != OCK_OK || *left)
        return status;
    if (!(bound > 0))
        return ock_fail(err, OCK_INVALID,
                        "no strength of l1 can be found: at weights of 0 no feature says anything "
                        "of the target");
    search->found.l1_max = bound;
    search->found.l1_min = l1->min_auto ? bound / 1000 : l1->min;
    if (search->found.l1_min >= bound)
        return ock_fail(err, OCK_INVALID,
                        "tune.l1.min is %.6g, but already %.6g leaves no weight; give a smaller "
                        "min, or auto",
                        l1->min, bound);
    return OCK_OK;
}

/* Ends that are known now; the resolved spec keeps them. */
static enum ock_status apply_bound(struct ock_search *search, struct ock_err *err)
{
    struct ock_axis_spec *l1 = &search->order->spec->tune.axes[OCK_AXIS_L1];
    l1->max = search->found.l1_max;
    l1->min = search->found.l1_min;
    l1->max_auto = false;
    l1->min_auto = false;
    return ock_search_tell_bound(search, err);
}

static enum ock_status make_table(struct ock_search *search, struct ock_err *err)
{
    const struct ock_spec *spec = search->order->spec;
    const double fixed[OCK_AXES] = {
        [OCK_AXIS_L1] = spec->regularization.l1,
        [OCK_AXIS_L2] = spec->regularization.l2,
        [OCK_AXIS_WEIGHT_DECAY] = spec->optimizer.weight_decay,
    };
    enum ock_status status = ock_tune_table_init(&search->table, &spec->tune, fixed, err);
    if (status != OCK_OK)
        return status;
    search->table.classes = spec->data.target_type == OCK_TARGET_TYPE_CLASSES;
    search->table.early_stopping = spec->train.early_stopping.on;
    search->table.rows = ock_dataset_schema(search->order->train)->rows;
    return OCK_OK;
}

/* Sizes that depend on the data. The strongest trial has the most layers. */
static enum ock_status plan_search(struct ock_search *search, const struct ock_data *data,
                                   struct ock_err *err)
{
    const struct ock_tune_order *order = search->order;
    struct ock_plan_data sizes = ock_plan_data_of(data);
    struct ock_plan *plan = calloc(1, sizeof(*plan));
    struct ock_spec *spec = NULL;
    if (!plan)
        return ock_fail(err, OCK_NOMEM, "out of memory for the plan of a search");
    enum ock_status status = ock_spec_copy(&spec, order->spec, err);
    if (status == OCK_OK)
        status = ock_spec_set_strength(spec, search->table.trials[0].values, err);
    if (status == OCK_OK)
        status = ock_plan_make(plan, spec, &sizes, err);
    if (status == OCK_OK) {
        search->table.weight_count = plan->parameters;
        search->threads = order->threads > 0 ? order->threads
                                             : ock_tune_threads(order->spec, plan->threads_useful);
        search->layout =
            ock_tune_layout_make(&order->spec->tune, search->threads, plan->threads_useful,
                                 ock_trainer_bytes(spec, plan, &sizes, 1));
        if (order->spec->tune.warm)
            status = ock_tune_path_init(&search->path, search->table.count, plan->parameters,
                                        data->outputs, err);
    }
    ock_spec_free(spec);
    free(plan);
    return status;
}

/* The learning rate and the ends of ranges, from the state or found; then the table and its sizes. */
static enum ock_status find_first(struct ock_search *search, bool *left, struct ock_err *err)
{
    const struct ock_tune_order *order = search->order;
    struct ock_spec *spec = order->spec;
    struct ock_data *data = NULL;
    bool known = search->state_path[0] &&
                 ock_tune_state_read_found(search->state_path, &search->name, &search->found);
    enum ock_status status =
        ock_data_open_cut(&data, spec, order->train, order->validation, NULL, OCK_CUT_ALL, err);
    bool bound = wants_bound(search);
    if (status == OCK_OK && !known)
        status = ock_search_tell_foreign(search, err);
    if (status == OCK_OK && bound && !known)
        status = find_bound(search, data, left, err);
    if (status == OCK_OK && bound && !*left)
        status = apply_bound(search, err);
    if (status == OCK_OK && !*left)
        status = make_table(search, err);
    if (status == OCK_OK && !*left)
        status = plan_search(search, data, err);
    if (status == OCK_OK && !*left && spec->optimizer.lr_auto && known)
        spec->optimizer.lr = search->found.lr;
    else if (status == OCK_OK && !*left && spec->optimizer.lr_auto)
        status = find_lr(search, data, left, err);
    ock_data_free(data);
    if (status == OCK_OK && !*left)
        spec->optimizer.lr_auto = false;
    return status;
}

/* --- Rungs ------------------------------------------------------------------------------------- */

static enum ock_status make_slots(struct ock_search *search, struct ock_err *err)
{
    const struct ock_tune_table *table = &search->table;
    search->cut_count = table->fold_count + (search->order->spec->tune.warm ? 1 : 0);
    search->cuts = calloc(search->cut_count, sizeof(*search->cuts));
    search->runs = calloc(table->count * search->cut_count, sizeof(struct ock_tune_run *));
    search->reached = calloc(table->count * search->cut_count, sizeof(*search->reached));
    search->alive = calloc(table->count, sizeof(*search->alive));
    search->groups = calloc(table->count * search->cut_count, sizeof(*search->groups));
    if (!search->cuts || !search->runs || !search->reached || !search->alive || !search->groups)
        return ock_fail(err, OCK_NOMEM, "out of memory for the runs of a search");
    return OCK_OK;
}

/* Groups of this rung: some trials on all cuts, then the next ones, so that trials are settled, and
 * told, one after the other. */
static void make_groups(struct ock_search *search)
{
    bool warm = search->order->spec->tune.warm;
    size_t size = warm ? search->alive_count : search->layout.group_trials;
    size_t pieces = (search->alive_count + size - 1) / size;
    search->group_count = 0;
    search->next_group = 0;
    for (size_t i = 0; i < pieces; i++) {
        for (size_t cut = 0; cut < search->cut_count; cut++)
            search->groups[search->group_count++] =
                (struct ock_tune_group){.cut = cut,
                                        .begin = search->alive_count * i / pieces,
                                        .end = search->alive_count * (i + 1) / pieces};
    }
    for (size_t cut = 0; cut < search->cut_count; cut++)
        search->cuts[cut].groups = pieces;
}

/* Trials that are settled and not told: after a resumption, or ended by a rung. */
static enum ock_status tell_settled(struct ock_search *search, struct ock_err *err)
{
    enum ock_status status = OCK_OK;
    for (size_t t = 0; t < search->table.count && status == OCK_OK; t++) {
        if (ock_trial_is_done(&search->table, t) && !search->table.trials[t].told)
            status = ock_search_tell_trial(search, t, err);
    }
    return status;
}

static void gather_alive(struct ock_search *search)
{
    search->alive_count = 0;
    for (size_t t = 0; t < search->table.count; t++) {
        if (search->order->spec->tune.warm || !ock_trial_is_done(&search->table, t))
            search->alive[search->alive_count++] = t;
    }
}

/* One rung; search->found.rung is the next one's afterwards. */
static enum ock_status run_rung(struct ock_search *search, struct ock_err *err)
{
    const struct ock_spec *spec = search->order->spec;
    search->until_epoch = ock_halving_epochs(&spec->tune, spec->train.epochs, search->found.rung);
    search->is_last_rung = search->until_epoch >= spec->train.epochs;
    make_groups(search);
    ock_search_run_lanes(search);
    if (search->status != OCK_OK)
        return ock_fail(err, search->status, "%s", search->err.text);
    if (ock_search_has_left(search))
        return OCK_OK;
    if (!search->is_last_rung) {
        ock_search_end_worst(search);
        search->found.rung++;
    }
    enum ock_status status = tell_settled(search, err);
    return status == OCK_OK ? ock_search_save(search, !search->is_last_rung, err) : status;
}

static enum ock_status run_rungs(struct ock_search *search, struct ock_err *err)
{
    enum ock_status status = tell_settled(search, err);
    if (search->found.stopped)
        return status;
    gather_alive(search);
    do {
        search->is_last_rung = true;
        if (status == OCK_OK && search->alive_count > 0)
            status = run_rung(search, err);
    } while (status == OCK_OK && !search->is_last_rung && !ock_search_has_left(search));
    return status;
}

/* --- The choice -------------------------------------------------------------------------------- */

/* The spec of the refit. With early stopping it trains as long as the folds did well. */
static enum ock_status make_refit(const struct ock_search *search, size_t trial,
                                  struct ock_tuned *out, struct ock_err *err)
{
    const struct ock_tune_path *path = &search->path;
    struct ock_spec *spec = NULL;
    enum ock_status status = ock_spec_copy(&spec, search->order->spec, err);
    if (status != OCK_OK)
        return status;
    spec->optimizer.lr = search->order->spec->optimizer.lr;
    spec->optimizer.lr_auto = false;
    status = ock_spec_set_strength(spec, search->table.trials[trial].values, err);
    if (status == OCK_OK && spec->train.early_stopping.on) {
        spec->train.epochs = ock_tune_table_epochs(&search->table, trial);
        spec->train.early_stopping = (struct ock_early_stopping_spec){0};
    }
    if (status == OCK_OK && path->weights && search->found.path_done && trial > 0) {
        out->init = malloc(path->parameters * sizeof(*out->init));
        if (out->init)
            memcpy(out->init, &path->weights[(trial - 1) * path->parameters],
                   path->parameters * sizeof(*out->init));
        else
            status = ock_fail(err, OCK_NOMEM, "out of memory for the refit's first weights");
    }
    if (status != OCK_OK) {
        ock_spec_free(spec);
        return status;
    }
    out->refit = spec;
    return OCK_OK;
}

static const char *first_error(const struct ock_tune_table *table)
{
    for (size_t i = 0; i < table->count * table->fold_count; i++) {
        if (table->folds[i].status == OCK_FOLD_FAILED)
            return table->folds[i].error;
    }
    return "no fold has a validation row with a weight above 0";
}

static enum ock_status choose(struct ock_search *search, struct ock_tuned *out, struct ock_err *err)
{
    struct ock_table_best best = ock_tune_table_best(&search->table);
    out->stopped = search->found.stopped != 0;
    out->summary = ock_search_summary(search, &best);
    if (!out->summary)
        return ock_fail(err, OCK_NOMEM, "out of memory for the choice");
    enum ock_status status = ock_search_tell_document(search, &best, err);
    if (status == OCK_OK)
        status = ock_search_tell_choice(search, &best, err);
    if (status != OCK_OK || (best.chosen == SIZE_MAX && out->stopped))
        return status;
    if (best.chosen == SIZE_MAX)
        return ock_fail(err, OCK_NONFINITE,
                        "no strength can be chosen: all failed, the first so: %s",
                        first_error(&search->table));
    return search->order->spec->tune.refit ? make_refit(search, best.chosen, out, err) : OCK_OK;
}

/* --- The way ----------------------------------------------------------------------------------- */

static enum ock_status init_search(struct ock_search *search, const struct ock_tune_order *order,
                                   struct ock_err *err)
{
    search->order = order;
    search->run_hooks = (struct ock_job_hooks){
        .ctx = search, .event = hear_nothing, .poll = poll_search, .peek = peek_search};
    search->saved_s = search->told_s = ock_clock_s();
    pthread_mutex_init(&search->mutex, NULL);
    pthread_cond_init(&search->opened, NULL);
    (void)snprintf(search->name.data_sha256, sizeof(search->name.data_sha256), "%s",
                   order->data_sha256);
    (void)snprintf(search->name.numerics, sizeof(search->name.numerics), "%s",
                   ock_kernels_numerics(order->kernels));
    if (order->job->checkpoint_path &&
        !ock_tune_state_path(search->state_path, order->job->checkpoint_path))
        search->state_path[0] = '\0';
    return ock_spec_hash(order->spec, search->name.spec_hash) == OCK_OK
               ? OCK_OK
               : ock_fail(err, OCK_NOMEM, "out of memory for the spec's hash");
}

static void deinit_search(struct ock_search *search)
{
    for (size_t i = 0; search->runs && i < search->table.count * search->cut_count; i++) {
        if (search->runs[i])
            ock_search_close_run(search, i / search->cut_count, i % search->cut_count, false);
    }
    for (size_t i = 0; search->cuts && i < search->cut_count; i++)
        ock_data_free(search->cuts[i].data);
    free(search->cuts);
    free(search->runs);
    free(search->reached);
    free(search->alive);
    free(search->groups);
    ock_tune_path_deinit(&search->path);
    ock_tune_table_deinit(&search->table);
    pthread_cond_destroy(&search->opened);
    pthread_mutex_destroy(&search->mutex);
}

static enum ock_status run_search(struct ock_search *search, struct ock_tuned *out,
                                  struct ock_err *err)
{
    bool left = false;
    enum ock_status status = find_first(search, &left, err);
    out->stopped_before = search->found.stopped != 0;
    if (status == OCK_OK && !left)
        status = ock_search_tell_resolved(search, err);
    if (status == OCK_OK && !left)
        status = make_slots(search, err);
    if (status == OCK_OK && !left && search->state_path[0])
        (void)ock_tune_state_read(search->state_path, &search->name, &search->table, &search->path);
    if (status == OCK_OK && !left)
        status = run_rungs(search, err);
    int reason = atomic_load(&search->leave);
    if (status == OCK_OK && reason == OCK_LEAVE_STOP)
        search->found.stopped = 1;
    if (status == OCK_OK && !left) /* else the learning rate may not be found yet */
        status = ock_search_save(search, true, err);
    out->paused = status == OCK_OK && reason == OCK_LEAVE_PAUSE;
    if (status != OCK_OK || out->paused)
        return status;
    if (!search->table.trials) { /* stopped before there was anything to choose from */
        out->stopped = true;
        return OCK_OK;
    }
    return choose(search, out, err);
}

enum ock_status ock_tune_search(struct ock_tuned *out, const struct ock_tune_order *order,
                                struct ock_err *err)
{
    struct ock_tuned tuned = {0};
    struct ock_search *search = calloc(1, sizeof(*search));
    if (!search)
        return ock_fail(err, OCK_NOMEM, "out of memory for a search");
    enum ock_status status = init_search(search, order, err);
    if (status == OCK_OK)
        status = run_search(search, &tuned, err);
    deinit_search(search);
    free(search);
    if (status == OCK_OK)
        *out = tuned;
    else
        ock_tuned_deinit(&tuned);
    return status;
}

void ock_tuned_deinit(struct ock_tuned *tuned)
{
    ock_spec_free(tuned->refit);
    free(tuned->init);
    free(tuned->summary);
    *tuned = (struct ock_tuned){0};
}
