/* A job that was sent while a dataset of it was being prepared, planned when the data are there. */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/json.h"
#include "core/base/limits.h"
#include "server/log.h"
#include "server/prepare_private.h"

/* The datasets that the job was sent with: by id, as their names may have been given away. */
static enum ock_status find_stored(struct ock_prepared *prepared, const struct ock_job_row *row,
                                   struct ock_faults *faults, struct ock_err *err)
{
    const char *const ids[OCK_ROLE_COUNT] = {row->dataset, row->validation, row->test};
    static const char *const pointers[OCK_ROLE_COUNT] = {
        "/data/dataset", "/data/validation/dataset", "/data/test/dataset"};
    enum ock_status status = OCK_OK;
    for (size_t i = 0; status == OCK_OK && i < OCK_ROLE_COUNT; i++) {
        if (ids[i])
            status = ock_prepare_find_dataset(prepared, (enum ock_role)i, ids[i], pointers[i],
                                              faults, err);
    }
    if (status != OCK_OK || row->dataset)
        return status;
    char path[OCK_PATH_SIZE];
    prepared->has_inline = true;
    ock_job_path(prepared->engine, path, prepared->id, "inline.ockds");
    status = ock_dataset_open(&prepared->own, path, err);
    prepared->datasets[OCK_ROLE_TRAIN] = prepared->own;
    return status;
}

static enum ock_status load_spec(struct ock_prepared *prepared, int64_t number,
                                 struct ock_faults *faults, struct ock_err *err)
{
    struct ock_buf text;
    cJSON *json = NULL;
    uint64_t told_step; /* the worker's business */
    ock_buf_init(&text, OCK_JSON_BYTES_MAX);
    struct ock_db *db = ock_store_read(prepared->engine->store, err);
    enum ock_status status = db ? ock_store_run_spec(db, number, &text, &told_step, err) : OCK_IO;
    if (db)
        ock_store_read_end(prepared->engine->store, db);
    if (status == OCK_OK)
        status = ock_json_parse(&json, text.data, text.size, faults, err);
    if (status == OCK_OK)
        status = ock_spec_parse(&prepared->spec, json, false, faults, err);
    cJSON_Delete(json);
    ock_buf_deinit(&text);
    return status;
}

static enum ock_status apply_plan(struct ock_db *db, void *ctx, struct ock_err *err)
{
    const struct ock_job_plan *made = ctx;
    return ock_store_plan_job(db, made, err);
}

static enum ock_status store_plan(const struct ock_prepared *prepared, int64_t number,
                                  struct ock_err *err)
{
    struct ock_job_plan made = {
        .number = number,
        .memory_bytes = prepared->plan->memory_bytes,
        .threads_useful = prepared->plan->threads_useful,
        .dataset_sha256 = prepared->rows[OCK_ROLE_TRAIN].sha256,
        .resolved = prepared->resolved.data,
        .warnings = prepared->warnings.data,
    };
    return ock_store_write(prepared->engine->store, apply_plan, &made, err);
}

/* Of a file; the store tells such a thing of itself in the error alone. */
static bool is_lost(enum ock_status status)
{
    return status == OCK_CORRUPT || status == OCK_NOTFOUND;
}

/* A file that is damaged or gone stays so: another try would find it again. */
static enum ock_plan_outcome end_for_lost(const struct ock_job_row *row,
                                          struct ock_problem *problem, const struct ock_err *err)
{
    ock_log(OCK_LOG_ERROR, "%s can never be planned: %s", row->id, err->text);
    ock_problem_set(problem, 500, "damaged", "The server's data is damaged",
                    "a file that the job needs is damaged or gone; send the data, and the job, "
                    "again");
    return OCK_PLAN_FAULTY;
}

static enum ock_plan_outcome prepare_stored(struct ock_prepared *prepared,
                                            const struct ock_job_row *row,
                                            struct ock_problem *problem, struct ock_err *err)
{
    enum ock_status status = load_spec(prepared, row->number, &problem->faults, err);
    if (status != OCK_OK)
        return OCK_PLAN_FAILED;
    status = find_stored(prepared, row, &problem->faults, err);
    if (is_lost(status))
        return end_for_lost(row, problem, err);
    if (status != OCK_OK)
        return OCK_PLAN_FAILED;
    if (problem->faults.count > 0) {
        ock_problem_set(problem, 422, "invalid_spec", "The job spec is not valid", "%s", "");
        return OCK_PLAN_FAULTY;
    }
    if (prepared->waits)
        return OCK_PLAN_WAITS;
    if (!ock_prepare_complete(prepared, problem, err)) {
        if (problem->status == 422)
            return OCK_PLAN_FAULTY;
        return is_lost(err->status) ? end_for_lost(row, problem, err) : OCK_PLAN_FAILED;
    }
    return store_plan(prepared, row->number, err) == OCK_OK ? OCK_PLAN_MADE : OCK_PLAN_FAILED;
}

enum ock_plan_outcome ock_prepare_again(struct ock_engine *engine, const struct ock_job_row *row,
                                        struct ock_need *need, struct ock_problem *problem)
{
    struct ock_err err = {0};
    struct ock_prepared *prepared = calloc(1, sizeof(*prepared));
    if (!prepared)
        return OCK_PLAN_FAILED;
    ock_prepared_init(prepared, engine, true);
    (void)snprintf(prepared->id, sizeof(prepared->id), "%s", row->id);
    prepared->has_init = row->has_init;
    enum ock_plan_outcome outcome = prepare_stored(prepared, row, problem, &err);
    if (outcome == OCK_PLAN_MADE)
        *need = (struct ock_need){.memory_bytes = prepared->plan->memory_bytes,
                                  .threads_useful = prepared->plan->threads_useful};
    if (outcome == OCK_PLAN_FAILED)
        ock_log(OCK_LOG_ERROR, "%s cannot be planned yet: %s", row->id, err.text);
    ock_prepared_deinit(prepared, true);
    free(prepared);
    return outcome;
}
