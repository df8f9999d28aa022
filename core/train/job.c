/* A job's way: open, resolve, plan, resume or begin, epochs, end. */
#include "core/train/job.h"

#include <assert.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "core/data/data.h"
#include "core/train/checkpoint.h"
#include "core/train/ending.h"
#include "core/train/lr_search.h"
#include "core/train/model_file.h"
#include "core/train/run.h"
#include "core/train/trainer.h"
#include "core/train/tune.h"

/* Everything that a run opens, in the order in which it is opened. */
struct inputs {
    struct ock_dataset *train, *validation, *test;
    struct ock_data *data;
    struct ock_plan *plan;
    struct ock_trainer *trainer;
    struct ock_checkpoint_plan checkpoint;
    struct ock_spec *spec; /* borrowed: what is trained, the job's or a search's refit */
    struct ock_tuned tuned;
    char data_sha256[OCK_SHA256_TEXT_SIZE];
};

static void inputs_deinit(struct inputs *in)
{
    ock_trainer_free(in->trainer);
    free(in->plan);
    ock_data_free(in->data);
    ock_dataset_free(in->test);
    ock_dataset_free(in->validation);
    ock_dataset_free(in->train);
    ock_tuned_deinit(&in->tuned);
}

static enum ock_status open_datasets(struct inputs *in, const struct ock_job *job,
                                     struct ock_err *err)
{
    enum ock_status status = ock_dataset_open(&in->train, job->train_path, err);
    if (status == OCK_OK && job->validation_path)
        status = ock_dataset_open(&in->validation, job->validation_path, err);
    if (status == OCK_OK && job->test_path)
        status = ock_dataset_open(&in->test, job->test_path, err);
    return status;
}

static const struct ock_schema *schema_or_null(const struct ock_dataset *dataset)
{
    return dataset ? ock_dataset_schema(dataset) : NULL;
}

/* Resolves the spec against the data; the first fault becomes the error's sentence. */
static enum ock_status resolve(const struct inputs *in, struct ock_spec *spec, struct ock_err *err)
{
    if (spec->resolved)
        return OCK_OK;
    struct ock_faults *faults = calloc(1, sizeof(*faults));
    if (!faults)
        return ock_fail(err, OCK_NOMEM, "out of memory for the spec's faults");
    enum ock_status status =
        ock_spec_resolve(spec, ock_dataset_schema(in->train), schema_or_null(in->validation),
                         schema_or_null(in->test), faults, err);
    if (status == OCK_INVALID && faults->count > 0)
        status =
            ock_fail(err, OCK_INVALID, "%s: %s", faults->items[0].pointer, faults->items[0].detail);
    free(faults);
    return status;
}

static enum ock_status find_kernels(const struct ock_kernels **out, const struct ock_job *job,
                                    struct ock_err *err)
{
    *out = ock_kernels_get(job->kernels);
    if (!*out)
        return ock_fail(err, OCK_UNSUPPORTED, "this processor has no kernels %s",
                        job->kernels ? job->kernels : "");
    omp_set_dynamic(0); /* a number of threads is obeyed, also beyond the cores */
    return OCK_OK;
}

static enum ock_status make_trainer(struct inputs *in, const struct ock_job *job,
                                    const struct ock_job_hooks *hooks, struct ock_err *err)
{
    const struct ock_kernels *kernels = NULL;
    in->plan = calloc(1, sizeof(*in->plan));
    if (!in->plan)
        return ock_fail(err, OCK_NOMEM, "out of memory for the plan");
    struct ock_plan_data sizes = ock_plan_data_of(in->data);
    enum ock_status status = ock_plan_make(in->plan, in->spec, &sizes, err);
    if (status == OCK_OK)
        status = find_kernels(&kernels, job, err);
    if (status != OCK_OK)
        return status;
    uint32_t threads = job->threads > 0 ? job->threads : in->spec->train.threads;
    if (threads == 0)
        threads = in->plan->threads_useful < (uint32_t)omp_get_num_procs()
                      ? in->plan->threads_useful
                      : (uint32_t)omp_get_num_procs();
    status = ock_trainer_new(&in->trainer, in->spec, in->plan, in->data, kernels, threads,
                             job->tile_rows, hooks, err);
    if (status != OCK_OK)
        return status;
    in->trainer->told_step = job->told_step;
    in->trainer->tuning = in->tuned.summary;
    in->trainer->search_stopped = in->tuned.stopped;
    in->trainer->stop_is_old = in->tuned.stopped_before;
    return OCK_OK;
}

/* The dataset's sums stand for the data in a checkpoint; those of validation and test too, as best
 * and early stopping depend on them. */
static void name_data(char out[OCK_SHA256_TEXT_SIZE], const struct inputs *in)
{
    const struct ock_dataset *sets[] = {in->train, in->validation, in->test};
    struct ock_sha256 sha;
    ock_sha256_init(&sha);
    for (size_t i = 0; i < 3; i++) {
        const char *text = sets[i] ? ock_dataset_sha256(sets[i]) : "-";
        ock_sha256_add(&sha, text, strlen(text));
    }
    ock_sha256_text(&sha, out);
}

/* Early stopping has to see something: rows of validation may have no weight, and classes of one row
 * each give none to it. */
static enum ock_status check_validation(const struct ock_data *data,
                                        const struct ock_early_stopping_spec *stopping,
                                        struct ock_err *err)
{
    enum ock_metric metric = stopping->metric;
    bool of_validation = metric != OCK_METRIC_TRAIN_DATA_LOSS &&
                         metric != OCK_METRIC_TRAIN_ACCURACY && metric != OCK_METRIC_OBJECTIVE;
    if (!stopping->on || !of_validation || data->validation.weight_sum > 0)
        return OCK_OK;
    return ock_fail(
        err, OCK_INVALID,
        "early stopping looks at %s, but there is no validation row with a weight above 0",
        ock_metric_name(metric));
}

/* After the passes over all rows that resolving and opening make. */
static void expect_rows(struct inputs *in, const struct ock_job *job)
{
    struct ock_dataset *const sets[] = {in->train, in->validation, in->test};
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        if (sets[i] && job->memory_bytes > 0)
            ock_dataset_expect_rows(sets[i], job->memory_bytes);
    }
}

/* The data and the trainer, from open datasets. */
static enum ock_status open_inputs(struct inputs *in, const struct ock_job *job,
                                   const struct ock_job_hooks *hooks, struct ock_err *err)
{
    bool refit = job->spec->tune.on;
    enum ock_status status = ock_data_open_cut(&in->data, in->spec, in->train, in->validation,
                                               in->test, refit ? OCK_CUT_ALL : OCK_CUT_SPLIT, err);
    if (status == OCK_OK)
        status = check_validation(in->data, &in->spec->train.early_stopping, err);
    if (status == OCK_OK)
        status = make_trainer(in, job, hooks, err);
    if (status == OCK_OK)
        status = ock_team_start(&in->trainer->net.team, err);
    if (status != OCK_OK)
        return status;
    expect_rows(in, job);
    in->checkpoint =
        (struct ock_checkpoint_plan){.path = job->checkpoint_path, .last_s = ock_clock_s()};
    status = ock_spec_hash(in->spec, in->checkpoint.spec_hash);
    if (status != OCK_OK)
        return ock_fail(err, status, "out of memory for the spec's hash");
    memcpy(in->checkpoint.data_sha256, in->data_sha256, sizeof(in->data_sha256));
    in->trainer->checkpoint = &in->checkpoint;
    return OCK_OK;
}

/* The datasets, the spec resolved against them, and, for a tuning job, the search: in->spec is then
 * its refit, or NULL if there is nothing to train. */
static enum ock_status prepare(struct inputs *in, const struct ock_job *job,
                               const struct ock_job_hooks *hooks, struct ock_err *err)
{
    enum ock_status status = open_datasets(in, job, err);
    if (status == OCK_OK)
        status = resolve(in, job->spec, err);
    if (status != OCK_OK)
        return status;
    name_data(in->data_sha256, in);
    in->spec = job->spec;
    if (!job->spec->tune.on)
        return OCK_OK;
    struct ock_tune_order order = {.job = job,
                                   .hooks = hooks,
                                   .spec = job->spec,
                                   .train = in->train,
                                   .validation = in->validation,
                                   .test = in->test,
                                   .threads = job->threads,
                                   .data_sha256 = in->data_sha256};
    expect_rows(in, job);
    status = find_kernels(&order.kernels, job, err);
    if (status == OCK_OK)
        status = ock_tune_search(&in->tuned, &order, err);
    in->spec = in->tuned.refit;
    return status;
}

/* First weights: from a file, those of a warm path, else drawn. */
static enum ock_status first_weights(const struct inputs *in, const char *init_path,
                                     struct ock_err *err)
{
    struct ock_trainer *trainer = in->trainer;
    float *w = trainer->optimizer.state.w;
    if (init_path)
        return ock_model_read_weights(trainer->plan, init_path, w, err);
    if (in->tuned.init)
        memcpy(w, in->tuned.init, trainer->plan->parameters * sizeof(*w));
    else
        ock_network_init(&trainer->net, trainer->spec->train.seed, w);
    return OCK_OK;
}

static enum ock_status find_lr(struct ock_trainer *trainer, bool *paused, struct ock_err *err)
{
    struct ock_spec *spec = trainer->spec;
    if (!spec->optimizer.lr_auto)
        return OCK_OK;
    struct ock_lr_found found;
    *paused = !ock_lr_find(trainer, &found);
    if (*paused)
        return OCK_OK;
    spec->optimizer.lr = found.lr;
    spec->optimizer.lr_auto = false;
    trainer->progress.lr = found.lr;
    enum ock_status status = ock_run_log_lr(trainer->hooks, &found, err);
    return status == OCK_OK ? ock_run_tell_resolved(trainer, err) : status;
}

/* *paused: interrupted before anything was trained. No checkpoint is needed: the next run finds the
 * same rate, and tells it again under the same keys. */
static enum ock_status begin(const struct inputs *in, const struct ock_job *job, bool *paused,
                             struct ock_err *err)
{
    struct ock_trainer *trainer = in->trainer;
    bool resumed = false;
    char note[OCK_ERR_TEXT_SIZE] = "";
    enum ock_status status = ock_checkpoint_resume(trainer, &resumed, note, err);
    if (status == OCK_OK && note[0] != '\0')
        status = ock_run_warn(trainer, "checkpoint", trainer->progress.step, note, err);
    if (status != OCK_OK)
        return status;
    if (resumed) /* a search has told its own */
        return in->tuned.summary ? OCK_OK : ock_run_tell_resolved(trainer, err);
    status = first_weights(in, job->init_path, err);
    if (status == OCK_OK)
        status = find_lr(trainer, paused, err);
    if (status == OCK_OK && !*paused)
        status = ock_run_tell_warnings(trainer, err); /* some depend on the rate */
    if (status == OCK_OK && !*paused)
        *paused = !ock_trainer_begin(trainer);
    return status;
}

/* What is the job's own fault, or its data's, ends it as failed; what is the machine's goes up. */
static bool ends_the_job(enum ock_status status)
{
    return status == OCK_INVALID || status == OCK_UNSUPPORTED || status == OCK_LIMIT ||
           status == OCK_NOMEM || status == OCK_NONFINITE;
}

/* Adds the numbers and the cure to a sentence of memory. */
static void explain_memory(const struct inputs *in, struct ock_err *why)
{
    char limited[64] = "";
    char first[OCK_ERR_TEXT_SIZE];
    struct rlimit limit;
    if (getrlimit(RLIMIT_DATA, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        (void)snprintf(limited, sizeof(limited), ", the process may have %zu MiB",
                       (size_t)limit.rlim_cur >> 20);
    (void)snprintf(first, sizeof(first), "%s", why->text);
    (void)ock_fail(why, OCK_NOMEM,
                   "%.240s (the plan is %zu MiB%s): fewer units, a smaller batch_size or fewer "
                   "threads need less",
                   first, in->plan ? in->plan->memory_bytes >> 20 : 0, limited);
}

static enum ock_status run(struct inputs *in, const struct ock_job *job,
                           const struct ock_job_hooks *hooks, enum ock_outcome *ended,
                           struct ock_err *err)
{
    bool paused = false;
    enum ock_status status = open_inputs(in, job, hooks, err);
    if (status == OCK_OK)
        status = begin(in, job, &paused, err);
    if (status == OCK_OK && !paused)
        status = ock_run_epochs(in->trainer, job, ended, err);
    return status;
}

enum ock_status ock_job_run(const struct ock_job *job, const struct ock_job_hooks *hooks,
                            enum ock_outcome *outcome, struct ock_err *err)
{
    assert(hooks && hooks->event);
    struct inputs in = {0};
    struct ock_err why = {0};
    enum ock_outcome ended = OCK_PAUSED;
    enum ock_status status = prepare(&in, job, hooks, &why);
    bool paused = in.tuned.paused;
    if (status == OCK_OK && !paused && !in.spec) {
        ended = OCK_SUCCEEDED;
        status = ock_ending_search(hooks, in.tuned.summary, in.tuned.stopped, &why);
    } else if (status == OCK_OK && !paused) {
        status = run(&in, job, hooks, &ended, &why);
    }
    if (status == OCK_NOMEM)
        explain_memory(&in, &why);
    if (ends_the_job(status)) {
        ended = OCK_FAILED;
        status = ock_ending_failed(hooks, in.trainer, status, why.text, err);
    } else if (status != OCK_OK) {
        (void)ock_fail(err, status, "%s", why.text);
    }
    inputs_deinit(&in);
    if (status == OCK_OK)
        *outcome = ended;
    return status;
}
