/* Sending a job, or only asking what it would be. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"
#include "core/base/jsonw.h"
#include "core/base/limits.h"
#include "core/train/tune_plan.h"
#include "server/ids.h"
#include "server/log.h"
#include "server/prepare.h"
#include "server/runner.h"

static bool fail_err(struct ock_problem *problem, const struct ock_err *err)
{
    ock_problem_from_err(problem, err);
    return false;
}

/* Takes a place in the queue; given back if the job is not stored. */
static bool take_place(struct ock_engine *engine, struct ock_problem *problem)
{
    if (atomic_load(&engine->draining)) {
        ock_problem_set(problem, 503, "draining", "The server is closing", "try again later");
        problem->retry_after_s = 5;
        return false;
    }
    size_t before = atomic_fetch_add(&engine->waiting, 1);
    if (before < engine->queue_max)
        return true;
    atomic_fetch_sub(&engine->waiting, 1);
    ock_problem_set(problem, 429, "queue_full", "The queue is full",
                    "%zu jobs wait already (--queue-max); try again later", engine->queue_max);
    problem->retry_after_s = 2;
    return false;
}

/* The spec without its arrays: the worker reads those from a dataset file. NULL: out of memory. */
static char *without_inline(const cJSON *spec)
{
    cJSON *copy = cJSON_Duplicate(spec, true);
    char *text = NULL;
    if (copy) {
        cJSON *data = cJSON_GetObjectItemCaseSensitive(copy, "data");
        cJSON_DeleteItemFromObjectCaseSensitive(data, "inline");
        text = ock_json_print(copy);
    }
    cJSON_Delete(copy);
    return text;
}

struct texts {
    char *labels, *run_spec; /* owned */
};

static enum ock_status make_texts(struct texts *texts, const struct ock_prepared *prepared,
                                  const cJSON *spec, struct ock_err *err)
{
    const cJSON *labels = prepared->spec->labels;
    texts->labels = labels ? ock_json_print(labels) : strdup("{}");
    if (prepared->has_inline)
        texts->run_spec = without_inline(spec);
    if (!texts->labels || (prepared->has_inline && !texts->run_spec))
        return ock_fail(err, OCK_NOMEM, "no memory for a job");
    return OCK_OK;
}

static const char *id_or_null(const struct ock_dataset_row *row)
{
    return row->id[0] ? row->id : NULL;
}

/* A job on its way into the store. */
struct insertion {
    struct ock_job_new job;
    const struct ock_submission *submission;
    struct ock_buf *answer; /* the job's JSON is appended */
    size_t answer_begin;
    uint64_t version;
};

/* The job, its JSON and its key are one transaction: a crash leaves all of them or none. */
static enum ock_status apply_insertion(struct ock_db *db, void *ctx, struct ock_err *err)
{
    struct insertion *insertion = ctx;
    struct ock_buf *answer = insertion->answer;
    const char *key = insertion->submission->key;
    ock_answer_undo(answer, insertion->answer_begin); /* of a try that failed */
    enum ock_status status = ock_store_insert_job(db, &insertion->job, err);
    if (status == OCK_OK)
        status = ock_store_job_json(db, insertion->job.id, answer, &insertion->version, err);
    if (status != OCK_OK || !key)
        return status;
    struct ock_key_row row = {.status = 202};
    (void)snprintf(row.body_sha256, sizeof(row.body_sha256), "%s",
                   insertion->submission->body_sha256);
    (void)snprintf(row.job, sizeof(row.job), "%s", insertion->job.id);
    return ock_store_put_key(db, key, &row, answer->data + insertion->answer_begin, err);
}

static struct ock_job_new job_of(const struct ock_prepared *prepared, const struct texts *texts,
                                 const char *spec_text)
{
    const struct ock_dataset_row *rows = prepared->rows;
    const struct ock_dataset_row *train = &rows[OCK_ROLE_TRAIN];
    const struct ock_spec *spec = prepared->spec;
    const struct ock_plan *plan = prepared->plan; /* NULL: it waits for a dataset */
    return (struct ock_job_new){
        .id = prepared->id,
        .name = spec->name,
        .labels = texts->labels,
        .dataset = id_or_null(train),
        .dataset_name = train->name,
        .dataset_sha256 = train->sha256[0] ? train->sha256 : NULL,
        .validation = id_or_null(&rows[OCK_ROLE_VALIDATION]),
        .test = id_or_null(&rows[OCK_ROLE_TEST]),
        .has_init = prepared->has_init,
        .memory_bytes = plan ? plan->memory_bytes : 0,
        .threads = spec->train.threads,
        .threads_useful = plan ? plan->threads_useful : 0,
        .epochs = spec->train.epochs,
        .spec = spec_text,
        .run_spec = texts->run_spec,
        .resolved = prepared->resolved.data,
        .warnings = prepared->warnings.data,
    };
}

static void queue_job(struct ock_engine *engine, const struct ock_job_new *job)
{
    const struct ock_job_row row = {
        .number = job->number,
        .id = job->id,
        .status = OCK_JOB_QUEUED,
        .memory_bytes = job->memory_bytes,
        .threads = job->threads,
        .threads_useful = job->threads_useful,
        .attempt = 1,
        .dataset = job->dataset,
        .validation = job->validation,
        .test = job->test,
        .has_init = job->has_init,
    };
    struct ock_err late = {0};
    if (ock_runner_add(engine->runner, &row, &late) != OCK_OK)
        ock_log(OCK_LOG_ERROR, "%s: %s", job->id, late.text); /* it is stored: not lost */
}

static enum ock_status store_job(const struct ock_prepared *prepared, const struct texts *texts,
                                 const struct ock_submission *submission, struct ock_buf *answer,
                                 struct ock_submitted *submitted, struct ock_err *err)
{
    struct ock_engine *engine = prepared->engine;
    struct insertion insertion = {.job = job_of(prepared, texts, submission->spec_text),
                                  .submission = submission,
                                  .answer = answer,
                                  .answer_begin = answer->size};
    enum ock_status status = OCK_OK;
    if (prepared->has_directory) /* inline data or starting weights */
        status = ock_sync_directory(engine, "jobs", err);
    if (status == OCK_OK)
        status = ock_store_write(engine->store, apply_insertion, &insertion, err);
    if (status != OCK_OK) {
        ock_answer_undo(answer, insertion.answer_begin);
        return status;
    }
    memcpy(submitted->id, prepared->id, sizeof(prepared->id));
    submitted->version = insertion.version;
    ock_hub_wake(engine->hub, submitted->id); /* news for the readers of all jobs */
    queue_job(engine, &insertion.job);
    return OCK_OK;
}

bool ock_engine_submit(struct ock_engine *engine, const struct ock_submission *submission,
                       struct ock_buf *out, struct ock_submitted *submitted,
                       struct ock_problem *problem)
{
    struct ock_err err = {0};
    struct texts texts = {0};
    if (!take_place(engine, problem))
        return false;
    struct ock_prepared *prepared = calloc(1, sizeof(*prepared));
    bool ok = false;
    if (!prepared) {
        (void)ock_fail(&err, OCK_NOMEM, "no memory for a job");
        (void)fail_err(problem, &err);
    } else if (ock_prepare(prepared, engine, submission->spec, true, problem)) {
        ok = make_texts(&texts, prepared, submission->spec, &err) == OCK_OK &&
             store_job(prepared, &texts, submission, out, submitted, &err) == OCK_OK;
        if (!ok)
            (void)fail_err(problem, &err);
    }
    if (!ok)
        atomic_fetch_sub(&engine->waiting, 1);
    if (prepared)
        ock_prepared_deinit(prepared, ok);
    free(prepared);
    free(texts.labels);
    free(texts.run_spec);
    return ok;
}

static void write_answer(const struct ock_prepared *prepared, struct ock_buf *out)
{
    struct ock_jsonw w = ock_jsonw_make(out);
    ock_jsonw_object(&w, NULL);
    ock_jsonw_raw(&w, "resolved", prepared->resolved.data);
    ock_jsonw_uint(&w, "parameters", prepared->plan->parameters);
    ock_jsonw_uint(&w, "memory_bytes", prepared->plan->memory_bytes);
    ock_jsonw_uint(&w, "steps_per_epoch", prepared->plan->steps_per_epoch);
    if (prepared->spec->tune.on) {
        ock_jsonw_uint(&w, "trials", ock_tune_trials(&prepared->spec->tune));
        ock_jsonw_uint(&w, "runs", ock_tune_runs(&prepared->spec->tune));
    }
    ock_jsonw_raw(&w, "warnings", prepared->warnings.data);
    struct ock_buf conversions;
    ock_buf_init(&conversions, OCK_MIB);
    ock_spec_write_conversions(prepared->spec, prepared->row_counts[OCK_ROLE_TRAIN],
                               prepared->plan->batch_rows, &conversions);
    if (ock_buf_status(&conversions, NULL) == OCK_OK)
        ock_jsonw_raw(&w, "conversions", conversions.data);
    ock_buf_deinit(&conversions);
    ock_jsonw_end_object(&w);
}

bool ock_engine_validate(struct ock_engine *engine, const cJSON *spec, struct ock_buf *out,
                         struct ock_problem *problem)
{
    struct ock_err err = {0};
    size_t begin = out->size;
    struct ock_prepared *prepared = calloc(1, sizeof(*prepared));
    if (!prepared) {
        (void)ock_fail(&err, OCK_NOMEM, "no memory to check a job");
        return fail_err(problem, &err);
    }
    bool ok = ock_prepare(prepared, engine, spec, false, problem);
    if (ok) {
        write_answer(prepared, out);
        ok = ock_buf_status(out, &err) == OCK_OK;
        if (!ok) {
            ock_answer_undo(out, begin);
            (void)fail_err(problem, &err);
        }
    }
    ock_prepared_deinit(prepared, false);
    free(prepared);
    return ok;
}
