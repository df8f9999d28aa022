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

/* Everything that a run opens, in the order in which it is opened. */
struct inputs {
    struct ock_dataset *train, *validation, *test;
    struct ock_data *data;
    struct ock_plan *plan;
    struct ock_trainer *trainer;
    struct ock_checkpoint_plan checkpoint;
};

static void inputs_deinit(struct inputs *in)
{
    ock_trainer_free(in->trainer);
    free(in->plan);
    ock_data_free(in->data);
    ock_dataset_free(in->test);
    ock_dataset_free(in->validation);
    ock_dataset_free(in->train);
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

static enum ock_status make_trainer(struct inputs *in, const struct ock_job *job,
                                    const struct ock_job_hooks *hooks, struct ock_err *err)
{
    in->plan = calloc(1, sizeof(*in->plan));
    if (!in->plan)
        return ock_fail(err, OCK_NOMEM, "out of memory for the plan");
    struct ock_plan_data sizes = ock_plan_data_of(in->data);
    enum ock_status status = ock_plan_make(in->plan, job->spec, &sizes, err);
    if (status != OCK_OK)
        return status;
    const struct ock_kernels *kernels = ock_kernels_get(job->kernels);
    if (!kernels)
        return ock_fail(err, OCK_UNSUPPORTED, "this processor has no kernels %s",
                        job->kernels ? job->kernels : "");
    uint32_t threads = job->threads > 0 ? job->threads : job->spec->train.threads;
    if (threads == 0)
        threads = in->plan->threads_useful < (uint32_t)omp_get_num_procs()
                      ? in->plan->threads_useful
                      : (uint32_t)omp_get_num_procs();
    omp_set_dynamic(0); /* a number of threads is obeyed, also beyond the cores */
    status = ock_trainer_new(&in->trainer, job->spec, in->plan, in->data, kernels, threads,
                             job->tile_rows, hooks, err);
    if (status == OCK_OK)
        in->trainer->told_step = job->told_step;
    return status;
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

static enum ock_status open_inputs(struct inputs *in, const struct ock_job *job,
                                   const struct ock_job_hooks *hooks, struct ock_err *err)
{
    enum ock_status status = open_datasets(in, job, err);
    if (status == OCK_OK)
        status = resolve(in, job->spec, err);
    if (status == OCK_OK)
        status = ock_data_open(&in->data, job->spec, in->train, in->validation, in->test, err);
    if (status == OCK_OK)
        status = check_validation(in->data, &job->spec->train.early_stopping, err);
    if (status == OCK_OK)
        status = make_trainer(in, job, hooks, err);
    if (status == OCK_OK)
        status = ock_team_start(&in->trainer->net.team, err);
    if (status != OCK_OK)
        return status;
    expect_rows(in, job);
    in->checkpoint =
        (struct ock_checkpoint_plan){.path = job->checkpoint_path, .last_s = ock_clock_s()};
    status = ock_spec_hash(job->spec, in->checkpoint.spec_hash);
    if (status != OCK_OK)
        return ock_fail(err, status, "out of memory for the spec's hash");
    name_data(in->checkpoint.data_sha256, in);
    in->trainer->checkpoint = &in->checkpoint;
    return OCK_OK;
}

/* First weights: from a file, else drawn. */
static enum ock_status first_weights(struct ock_trainer *trainer, const char *init_path,
                                     struct ock_err *err)
{
    if (init_path)
        return ock_model_read_weights(trainer->plan, init_path, trainer->optimizer.state.w, err);
    ock_network_init(&trainer->net, trainer->spec->train.seed, trainer->optimizer.state.w);
    return OCK_OK;
}

static enum ock_status find_lr(struct ock_trainer *trainer, bool *paused, struct ock_err *err)
{
    struct ock_spec *spec = trainer->spec;
    if (!spec->optimizer.lr_auto)
        return OCK_OK;
    struct ock_lr_found found;
    *paused = !ock_lr_search(trainer, &found);
    if (*paused)
        return OCK_OK;
    /* Decay alone must not flip signs: from this limit on it would (SPEC.md, L1 methods). */
    double limit = ock_spec_lr_limit(spec);
    found.limited = found.lr > limit / 4;
    if (found.limited)
        found.lr = limit / 4;
    spec->optimizer.lr = found.lr;
    spec->optimizer.lr_auto = false;
    trainer->progress.lr = found.lr;
    enum ock_status status = ock_run_log_lr(trainer, &found, err);
    return status == OCK_OK ? ock_run_tell_resolved(trainer, err) : status;
}

/* *paused: interrupted before anything was trained. No checkpoint is needed: the next run finds the
 * same rate, and tells it again under the same keys. */
static enum ock_status begin(struct ock_trainer *trainer, const struct ock_job *job, bool *paused,
                             struct ock_err *err)
{
    bool resumed = false;
    char note[OCK_ERR_TEXT_SIZE] = "";
    enum ock_status status = ock_checkpoint_resume(trainer, &resumed, note, err);
    if (status == OCK_OK && note[0] != '\0')
        status = ock_run_warn(trainer, "checkpoint", trainer->progress.step, note, err);
    if (status != OCK_OK)
        return status;
    if (resumed)
        return ock_run_tell_resolved(trainer, err);
    status = first_weights(trainer, job->init_path, err);
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

enum ock_status ock_job_run(const struct ock_job *job, const struct ock_job_hooks *hooks,
                            enum ock_outcome *outcome, struct ock_err *err)
{
    assert(hooks && hooks->event);
    struct inputs in = {0};
    struct ock_err why = {0};
    enum ock_outcome ended = OCK_PAUSED;
    bool paused = false;
    enum ock_status status = open_inputs(&in, job, hooks, &why);
    if (status == OCK_OK)
        status = begin(in.trainer, job, &paused, &why);
    if (status == OCK_OK && !paused)
        status = ock_run_epochs(in.trainer, job, &ended, &why);
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
