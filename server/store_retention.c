/* Retention in the store: which jobs go, and how they go in small steps.
 *
 * A job is gone for everyone with its row. Its events, if they are many, stay behind in a grave and
 * are removed a few at a time; since a job's number is never used twice, nobody can see them. */
#include "server/store_retention.h"

#include <stdio.h>

#include "server/store_jobs.h"
#include "server/store_private.h"

static const double day_ms = 24.0 * 3600 * 1000;

/* What the ended jobs take together. */
struct totals {
    int64_t jobs, bytes, events;
};

static enum ock_status read_totals(struct ock_db *db, struct totals *out, struct ock_err *err)
{
    sqlite3_stmt *stmt =
        ock_db_prepare(db,
                       "SELECT count(*), coalesce(sum(bytes), 0), coalesce(sum(seq), 0) FROM jobs"
                       " INDEXED BY jobs_ended WHERE finished_ms IS NOT NULL",
                       err);
    if (!stmt || ock_db_next(db, stmt, err) != 1)
        return OCK_IO;
    *out = (struct totals){sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1),
                           sqlite3_column_int64(stmt, 2)};
    ock_db_reset(stmt);
    return OCK_OK;
}

static bool is_over(const struct ock_keep *keep, const struct totals *totals, int64_t finished_ms,
                    int64_t now_ms)
{
    if (keep->jobs > 0 && (uint64_t)totals->jobs > keep->jobs)
        return true;
    if (keep->bytes > 0 && (uint64_t)totals->bytes > keep->bytes)
        return true;
    if (keep->events > 0 && (uint64_t)totals->events > keep->events)
        return true;
    return keep->days > 0 && (double)(now_ms - finished_ms) > keep->days * day_ms;
}

/* Walks from the oldest on until what is left fits. */
static int pick_rows(struct ock_db *db, sqlite3_stmt *stmt, const struct ock_keep *keep,
                     int64_t now_ms, struct totals *left, struct ock_pick_over *out,
                     struct ock_err *err)
{
    int got;
    for (;;) {
        got = ock_db_next(db, stmt, err);
        if (got != 1 || out->count == OCK_STEP_JOBS ||
            !is_over(keep, left, sqlite3_column_int64(stmt, 0), now_ms))
            return got;
        (void)snprintf(out->ids[out->count++], OCK_ID_SIZE, "%s", ock_db_text(stmt, 1));
        left->jobs--;
        left->bytes -= sqlite3_column_int64(stmt, 2);
        left->events -= sqlite3_column_int64(stmt, 3);
    }
}

enum ock_status ock_store_pick_over(struct ock_db *db, const struct ock_keep *keep, int64_t now_ms,
                                    struct ock_pick_over *out, struct ock_err *err)
{
    struct totals left = {0};
    struct ock_pick_over pick = {0};
    enum ock_status status = read_totals(db, &left, err);
    sqlite3_stmt *stmt =
        ock_db_prepare(db,
                       "SELECT finished_ms, id, bytes, seq FROM jobs INDEXED BY jobs_ended"
                       " WHERE finished_ms IS NOT NULL ORDER BY finished_ms, number",
                       err);
    if (status != OCK_OK || !stmt)
        return OCK_IO;
    int got = pick_rows(db, stmt, keep, now_ms, &left, &pick, err);
    if (got < 0)
        return OCK_IO;
    if (got == 1)
        ock_db_reset(stmt);
    *out = pick;
    return OCK_OK;
}

enum ock_status ock_store_delete_step(struct ock_db *db, void *ctx, struct ock_err *err)
{
    struct ock_deletion_step *step = ctx;
    int64_t before = sqlite3_total_changes64(db->handle);
    step->done = step->begin;
    while (step->done < step->pick->count &&
           sqlite3_total_changes64(db->handle) - before < OCK_STEP_EVENTS) {
        enum ock_status status = ock_store_delete_job(db, step->pick->ids[step->done], err);
        if (status != OCK_OK && status != OCK_NOTFOUND)
            return status;
        if (err)
            *err = (struct ock_err){0};
        step->done++;
    }
    return OCK_OK;
}

/* The oldest grave's job; 0: there is none. */
static enum ock_status find_grave(struct ock_db *db, int64_t *job, struct ock_err *err)
{
    sqlite3_stmt *stmt = ock_db_prepare(db, "SELECT coalesce(min(job), 0) FROM graves", err);
    if (!stmt || ock_db_next(db, stmt, err) != 1)
        return OCK_IO;
    *job = sqlite3_column_int64(stmt, 0);
    ock_db_reset(stmt);
    return OCK_OK;
}

static enum ock_status close_grave(struct ock_db *db, int64_t job, struct ock_err *err)
{
    sqlite3_stmt *stmt = ock_db_prepare(db, "DELETE FROM graves WHERE job = ?", err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_int(stmt, 1, job);
    return ock_db_run(db, stmt, err);
}

enum ock_status ock_store_bury_step(struct ock_db *db, void *ctx, struct ock_err *err)
{
    bool *is_left = ctx, all = false;
    int64_t job = 0;
    enum ock_status status = find_grave(db, &job, err);
    if (status == OCK_OK && job > 0)
        status = ock_store_delete_events(db, job, &all, err);
    if (status == OCK_OK && job > 0 && all)
        status = close_grave(db, job, err);
    if (status == OCK_OK && job > 0)
        status = find_grave(db, &job, err);
    *is_left = job > 0;
    return status;
}

enum ock_status ock_store_shrink_step(struct ock_db *db, void *ctx, struct ock_err *err)
{
    char sql[64];
    (void)ctx;
    (void)snprintf(sql, sizeof(sql), "PRAGMA incremental_vacuum(%d)", OCK_STEP_PAGES);
    return ock_db_exec(db, sql, err);
}

static enum ock_status read_number(struct ock_db *db, const char *sql, int64_t *out,
                                   struct ock_err *err)
{
    sqlite3_stmt *stmt = ock_db_prepare(db, sql, err);
    if (!stmt || ock_db_next(db, stmt, err) != 1)
        return OCK_IO;
    *out = sqlite3_column_int64(stmt, 0);
    ock_db_reset(stmt);
    return OCK_OK;
}

enum ock_status ock_store_free_pages(struct ock_db *db, int64_t *free_pages, int64_t *pages,
                                     struct ock_err *err)
{
    enum ock_status status = read_number(db, "PRAGMA freelist_count", free_pages, err);
    return status == OCK_OK ? read_number(db, "PRAGMA page_count", pages, err) : status;
}
