/* The life of a job's row: made, changed, buried, deleted. Each change of state is one event. */
#include "server/store_jobs.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/jsonw.h"
#include "server/ids.h"
#include "server/store_all_events.h"
#include "server/store_events.h"
#include "server/store_retention.h"

enum { STALLS_MAX = 3 };

static const char *const status_names[OCK_JOB_STATUS_COUNT] = {"queued",    "running", "paused",
                                                               "succeeded", "failed",  "cancelled"};

const char *ock_job_status_name(enum ock_job_status status)
{
    return (size_t)status < OCK_JOB_STATUS_COUNT ? status_names[status] : "unknown";
}

enum ock_job_status ock_job_status_parse(const char *name, size_t size)
{
    size_t i = 0;
    while (i < OCK_JOB_STATUS_COUNT &&
           (strlen(status_names[i]) != size || memcmp(status_names[i], name, size) != 0))
        i++;
    return (enum ock_job_status)i;
}

/* Jobs keep the dataset that they were submitted with: it has to be there when they are stored. */
static enum ock_status check_dataset(struct ock_db *db, const char *id, struct ock_err *err)
{
    if (!id)
        return OCK_OK;
    sqlite3_stmt *stmt = ock_db_prepare(
        db, "SELECT 1 FROM datasets WHERE id = ? AND status IN ('ready', 'preparing')", err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_text(stmt, 1, id);
    int got = ock_db_next(db, stmt, err);
    if (got < 0)
        return OCK_IO;
    if (got == 0)
        return ock_fail(err, OCK_CONFLICT,
                        "a dataset of the job was deleted, or could not be read, a moment ago");
    ock_db_reset(stmt);
    return OCK_OK;
}

static enum ock_status state_event(struct ock_db *db, int64_t number, const char *id,
                                   enum ock_job_status status, int64_t attempt, const char *reason,
                                   struct ock_err *err)
{
    struct ock_buf body;
    ock_buf_init(&body, 4096);
    struct ock_jsonw w = ock_jsonw_make(&body);
    ock_jsonw_object(&w, NULL);
    ock_jsonw_string(&w, "status", ock_job_status_name(status));
    ock_jsonw_int(&w, "attempt", attempt);
    ock_jsonw_string(&w, "reason", reason);
    ock_jsonw_end_object(&w);
    enum ock_status result = ock_buf_status(&body, err);
    if (result == OCK_OK)
        result = ock_store_append_event(db, number, id, "state", NULL, body.data, err);
    ock_buf_deinit(&body);
    return result;
}

static enum ock_status insert_spec(struct ock_db *db, const struct ock_job_new *job,
                                   struct ock_err *err)
{
    sqlite3_stmt *stmt = ock_db_prepare(
        db, "INSERT INTO specs(job, spec, run_spec, resolved) VALUES (?, ?, ?, ?)", err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_int(stmt, 1, job->number);
    ock_db_bind_text(stmt, 2, job->spec);
    ock_db_bind_text(stmt, 3, job->run_spec);
    ock_db_bind_text(stmt, 4, job->resolved);
    enum ock_status status = ock_db_run(db, stmt, err);
    size_t bytes =
        strlen(job->spec) + strlen(job->resolved) + (job->run_spec ? strlen(job->run_spec) : 0);
    return status == OCK_OK ? ock_store_add_bytes(db, job->number, (int64_t)bytes, err) : status;
}

static enum ock_status insert_row(struct ock_db *db, struct ock_job_new *job, struct ock_err *err)
{
    sqlite3_stmt *stmt = ock_db_prepare(
        db,
        "INSERT INTO jobs(id, name, labels, status, created_ms, dataset, dataset_name,"
        " dataset_sha256, validation, test, has_init, memory_bytes, threads, threads_useful,"
        " epochs, warnings) VALUES (?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_text(stmt, 1, job->id);
    ock_db_bind_text(stmt, 2, job->name);
    ock_db_bind_text(stmt, 3, job->labels);
    ock_db_bind_int(stmt, 4, ock_now_ms());
    ock_db_bind_text(stmt, 5, job->dataset);
    ock_db_bind_text(stmt, 6, job->dataset_name);
    ock_db_bind_text(stmt, 7, job->dataset_sha256);
    ock_db_bind_text(stmt, 8, job->validation);
    ock_db_bind_text(stmt, 9, job->test);
    ock_db_bind_int(stmt, 10, job->has_init);
    ock_db_bind_int(stmt, 11, (int64_t)job->memory_bytes);
    ock_db_bind_int(stmt, 12, job->threads);
    ock_db_bind_int(stmt, 13, job->threads_useful);
    ock_db_bind_int(stmt, 14, job->epochs);
    ock_db_bind_text(stmt, 15, job->warnings);
    enum ock_status status = ock_db_run(db, stmt, err);
    if (status == OCK_OK)
        job->number = ock_db_last_id(db);
    return status;
}

enum ock_status ock_store_insert_job(struct ock_db *db, struct ock_job_new *job,
                                     struct ock_err *err)
{
    enum ock_status status = check_dataset(db, job->dataset, err);
    if (status == OCK_OK)
        status = check_dataset(db, job->validation, err);
    if (status == OCK_OK)
        status = check_dataset(db, job->test, err);
    if (status == OCK_OK)
        status = insert_row(db, job, err);
    if (status == OCK_OK)
        status = insert_spec(db, job, err);
    if (status == OCK_OK)
        status = state_event(db, job->number, job->id, OCK_JOB_QUEUED, 1,
                             job->memory_bytes > 0 ? NULL : "dataset_preparing", err);
    return status;
}

enum ock_status ock_store_plan_job(struct ock_db *db, const struct ock_job_plan *plan,
                                   struct ock_err *err)
{
    sqlite3_stmt *stmt =
        ock_db_prepare(db,
                       "UPDATE jobs SET memory_bytes = ?1, threads_useful = ?2,"
                       " dataset_sha256 = nullif(?3, ''),"
                       " warnings = CASE WHEN warnings = '[]' THEN ?4 ELSE warnings END,"
                       " version = version + 1 WHERE number = ?5",
                       err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_int(stmt, 1, (int64_t)plan->memory_bytes);
    ock_db_bind_int(stmt, 2, plan->threads_useful);
    ock_db_bind_text(stmt, 3, plan->dataset_sha256);
    ock_db_bind_text(stmt, 4, plan->warnings);
    ock_db_bind_int(stmt, 5, plan->number);
    enum ock_status status = ock_db_run(db, stmt, err);
    if (status != OCK_OK)
        return status;
    return ock_store_replace_resolved(db, plan->number, plan->resolved, err);
}

static enum ock_status read_attempt(struct ock_db *db, int64_t number, int64_t *attempt,
                                    struct ock_err *err)
{
    sqlite3_stmt *stmt = ock_db_prepare(db, "SELECT attempt FROM jobs WHERE number = ?", err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_int(stmt, 1, number);
    int got = ock_db_next(db, stmt, err);
    if (got < 0)
        return OCK_IO;
    if (got == 0)
        return ock_fail(err, OCK_NOTFOUND, "there is no such job");
    *attempt = sqlite3_column_int64(stmt, 0);
    ock_db_reset(stmt);
    return OCK_OK;
}

enum ock_status ock_store_change_job(struct ock_db *db, const struct ock_job_change *change,
                                     struct ock_err *err)
{
    sqlite3_stmt *stmt = ock_db_prepare(
        db,
        "UPDATE jobs SET status = ?1, want = ?2, attempt = attempt + ?3,"
        " started_ms = CASE WHEN ?4 THEN coalesce(started_ms, ?5) ELSE started_ms END,"
        " reach_before = CASE WHEN ?4 THEN reach ELSE reach_before END,"
        " version = version + 1 WHERE number = ?6",
        err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_int(stmt, 1, change->status);
    ock_db_bind_int(stmt, 2, change->want);
    ock_db_bind_int(stmt, 3, change->more_attempt);
    ock_db_bind_int(stmt, 4, change->begins);
    ock_db_bind_int(stmt, 5, ock_now_ms());
    ock_db_bind_int(stmt, 6, change->number);
    int64_t attempt = 0;
    enum ock_status status = ock_db_run(db, stmt, err);
    if (status == OCK_OK && change->warning)
        status = ock_store_append_warning(db, change->number, change->id, change->warning, err);
    if (status == OCK_OK)
        status = read_attempt(db, change->number, &attempt, err);
    if (status == OCK_OK)
        status = state_event(db, change->number, change->id, change->status, attempt,
                             change->reason, err);
    return status;
}

enum ock_status ock_store_set_want(struct ock_db *db, int64_t number, enum ock_want want,
                                   struct ock_err *err)
{
    sqlite3_stmt *stmt =
        ock_db_prepare(db, "UPDATE jobs SET want = ?, version = version + 1 WHERE number = ?", err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_int(stmt, 1, want);
    ock_db_bind_int(stmt, 2, number);
    return ock_db_run(db, stmt, err);
}

enum ock_status ock_store_bury_worker(struct ock_db *db, struct ock_job_death *death,
                                      struct ock_err *err)
{
    sqlite3_stmt *stmt = ock_db_prepare(
        db,
        "SELECT attempt, CASE WHEN reach > reach_before THEN 0 ELSE stalls + 1 END, broken, want"
        " FROM jobs WHERE number = ?",
        err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_int(stmt, 1, death->number);
    int got = ock_db_next(db, stmt, err);
    if (got < 0)
        return OCK_IO;
    if (got == 0)
        return ock_fail(err, OCK_NOTFOUND, "there is no such job");
    death->attempt = (uint32_t)sqlite3_column_int64(stmt, 0);
    int64_t stalls = sqlite3_column_int64(stmt, 1);
    const char *broken = ock_db_text(stmt, 2);
    (void)snprintf(death->broken, sizeof(death->broken), "%s", broken ? broken : "");
    enum ock_want want = (enum ock_want)sqlite3_column_int(stmt, 3);
    ock_db_reset(stmt);
    death->give_up = death->broken[0] || stalls >= STALLS_MAX;
    if (death->give_up)
        return OCK_OK;
    stmt = ock_db_prepare(db, "UPDATE jobs SET stalls = ? WHERE number = ?", err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_int(stmt, 1, stalls);
    ock_db_bind_int(stmt, 2, death->number);
    enum ock_status status = ock_db_run(db, stmt, err);
    struct ock_job_change change = {.number = death->number,
                                    .id = death->id,
                                    .status = OCK_JOB_QUEUED,
                                    .reason = death->reason,
                                    .more_attempt = true,
                                    .want = want};
    if (status == OCK_OK)
        status = ock_store_change_job(db, &change, err);
    death->attempt++;
    return status;
}

/* Runs a statement whose one parameter is the job. */
static enum ock_status run_for(struct ock_db *db, const char *sql, int64_t number,
                               struct ock_err *err)
{
    sqlite3_stmt *stmt = ock_db_prepare(db, sql, err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_int(stmt, 1, number);
    return ock_db_run(db, stmt, err);
}

enum ock_status ock_store_delete_events(struct ock_db *db, int64_t number, bool *all,
                                        struct ock_err *err)
{
    sqlite3_stmt *stmt = ock_db_prepare(
        db, "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE job = ? LIMIT ?)", err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_int(stmt, 1, number);
    ock_db_bind_int(stmt, 2, OCK_STEP_EVENTS);
    enum ock_status status = ock_db_run(db, stmt, err);
    if (status == OCK_OK)
        *all = ock_db_changes(db) < OCK_STEP_EVENTS;
    return status;
}

enum ock_status ock_store_delete_job(struct ock_db *db, const char *id, struct ock_err *err)
{
    int64_t number = 0;
    enum ock_job_status job_status;
    enum ock_status status = ock_store_find_job(db, id, &number, &job_status, err);
    if (status != OCK_OK)
        return status;
    if (job_status < OCK_JOB_SUCCEEDED)
        return ock_fail(err, OCK_CONFLICT, "the job is %s; cancel it before it is deleted",
                        ock_job_status_name(job_status));
    bool all = false;
    status = ock_store_delete_events(db, number, &all, err);
    if (status == OCK_OK && !all)
        status = run_for(db, "INSERT INTO graves(job) VALUES (?)", number, err);
    if (status == OCK_OK)
        status = run_for(db, "DELETE FROM models WHERE job = ?", number, err);
    if (status == OCK_OK)
        status = run_for(db, "DELETE FROM documents WHERE job = ?", number, err);
    if (status == OCK_OK)
        status = run_for(db, "DELETE FROM specs WHERE job = ?", number, err);
    if (status == OCK_OK)
        status = run_for(db, "DELETE FROM jobs WHERE number = ?", number, err);
    if (status == OCK_OK)
        status = ock_store_tell_notice(db, "deleted", id, err);
    return status;
}

enum ock_status ock_store_patch_job(struct ock_db *db, const struct ock_job_patch *patch,
                                    struct ock_err *err)
{
    sqlite3_stmt *stmt =
        ock_db_prepare(db,
                       "UPDATE jobs SET"
                       " name = CASE WHEN ?1 IS NULL THEN name ELSE nullif(?1, '') END,"
                       " labels = coalesce(?2, labels), priority = coalesce(?3, priority),"
                       " version = version + 1 WHERE id = ?4",
                       err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_text(stmt, 1, patch->name);
    ock_db_bind_text(stmt, 2, patch->labels);
    if (patch->priority)
        ock_db_bind_int(stmt, 3, *patch->priority);
    ock_db_bind_text(stmt, 4, patch->id);
    enum ock_status status = ock_db_run(db, stmt, err);
    if (status == OCK_OK && ock_db_changes(db) == 0)
        status = ock_fail(err, OCK_NOTFOUND, "there is no job %s", patch->id);
    return status == OCK_OK ? ock_store_tell_notice(db, "changed", patch->id, err) : status;
}
