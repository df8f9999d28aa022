/* What readers of jobs see: one row and the texts beside it. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/jsonw.h"
#include "core/base/limits.h"
#include "server/ids.h"
#include "server/store_all_events.h"
#include "server/store_jobs.h"
#include "server/store_progress.h"

/* The columns of write_job, in its order. */
#define JOB_COLUMNS                                                                                \
    "j.id, j.name, j.status, j.labels, j.priority, j.created_ms, j.started_ms, j.finished_ms,"     \
    " j.dataset, j.dataset_name, j.dataset_sha256, j.epoch, j.epochs, j.eta_s,"                    \
    " (SELECT body FROM events e WHERE e.job = j.number AND e.seq = j.latest_seq), j.best,"        \
    " s.spec, s.resolved, j.attempt, j.stop_reason, j.warnings, j.error, j.version,"               \
    " (SELECT json_extract(e.body, '$.model') FROM events e"                                       \
    " WHERE e.job = j.number AND e.key = 'end'),"                                                  \
    " CASE WHEN instr(s.resolved, '\"tune\":{') > 0 THEN json_extract(s.resolved, '$.tune') END,"  \
    " (SELECT count(*) FROM events e WHERE e.job = j.number AND e.key GLOB 'trial:*')"
enum column {
    C_ID,
    C_NAME,
    C_STATUS,
    C_LABELS,
    C_PRIORITY,
    C_CREATED,
    C_STARTED,
    C_FINISHED,
    C_DATASET,
    C_DATASET_NAME,
    C_DATASET_SHA,
    C_EPOCH,
    C_EPOCHS,
    C_ETA,
    C_LATEST,
    C_BEST,
    C_SPEC,
    C_RESOLVED,
    C_ATTEMPT,
    C_STOP_REASON,
    C_WARNINGS,
    C_ERROR,
    C_VERSION,
    C_MODEL,
    C_TUNE, /* NULL: nothing is searched */
    C_TRIALS,
};

static void write_time(struct ock_jsonw *w, const char *key, sqlite3_stmt *row, enum column column)
{
    char text[OCK_TIME_TEXT_SIZE];
    if (sqlite3_column_type(row, (int)column) == SQLITE_NULL) {
        ock_jsonw_null(w, key);
        return;
    }
    ock_time_text(text, sqlite3_column_int64(row, (int)column));
    ock_jsonw_string(w, key, text);
}

static void write_raw(struct ock_jsonw *w, const char *key, sqlite3_stmt *row, enum column column)
{
    const char *json = ock_db_text(row, (int)column);
    ock_jsonw_raw(w, key, json ? json : "null");
}

static void write_dataset(struct ock_jsonw *w, sqlite3_stmt *row)
{
    if (!ock_db_text(row, C_DATASET)) {
        ock_jsonw_null(w, "dataset"); /* inline data */
        return;
    }
    ock_jsonw_object(w, "dataset");
    ock_jsonw_string(w, "id", ock_db_text(row, C_DATASET));
    ock_jsonw_string(w, "name", ock_db_text(row, C_DATASET_NAME));
    ock_jsonw_string(w, "sha256", ock_db_text(row, C_DATASET_SHA));
    ock_jsonw_end_object(w);
}

static void write_progress(struct ock_jsonw *w, sqlite3_stmt *row)
{
    bool timed = sqlite3_column_type(row, C_ETA) != SQLITE_NULL;
    const struct ock_job_progress progress = {
        .succeeded = sqlite3_column_int(row, C_STATUS) == OCK_JOB_SUCCEEDED,
        .epoch = sqlite3_column_int64(row, C_EPOCH),
        .epochs = sqlite3_column_int64(row, C_EPOCHS),
        .eta_s = timed ? sqlite3_column_double(row, C_ETA) : (double)NAN,
        .tune = ock_db_text(row, C_TUNE),
        .trials_told = sqlite3_column_int64(row, C_TRIALS),
    };
    ock_job_progress_write(w, &progress);
}

static void write_links(struct ock_jsonw *w, const char *id)
{
    struct ock_buf path;
    static const char *const names[] = {"self", "events", "model"};
    static const char *const ends[] = {"", "/events", "/model"};
    ock_jsonw_object(w, "links");
    for (size_t i = 0; i < 3; i++) {
        ock_buf_init(&path, 256);
        ock_buf_printf(&path, "/v1/jobs/%s%s", id, ends[i]);
        ock_jsonw_string(w, names[i], path.data);
        ock_buf_deinit(&path);
    }
    ock_jsonw_end_object(w);
}

static void write_job(struct ock_buf *out, sqlite3_stmt *row)
{
    struct ock_jsonw w = ock_jsonw_make(out);
    const char *id = ock_db_text(row, C_ID);
    ock_jsonw_object(&w, NULL);
    ock_jsonw_string(&w, "id", id);
    ock_jsonw_string(&w, "name", ock_db_text(row, C_NAME));
    ock_jsonw_string(&w, "status",
                     ock_job_status_name((enum ock_job_status)sqlite3_column_int(row, C_STATUS)));
    write_raw(&w, "labels", row, C_LABELS);
    ock_jsonw_int(&w, "priority", sqlite3_column_int64(row, C_PRIORITY));
    write_time(&w, "created_at", row, C_CREATED);
    write_time(&w, "started_at", row, C_STARTED);
    write_time(&w, "finished_at", row, C_FINISHED);
    write_dataset(&w, row);
    write_progress(&w, row);
    write_raw(&w, "latest", row, C_LATEST);
    write_raw(&w, "best", row, C_BEST);
    write_raw(&w, "spec", row, C_SPEC);
    write_raw(&w, "resolved", row, C_RESOLVED);
    ock_jsonw_int(&w, "attempt", sqlite3_column_int64(row, C_ATTEMPT));
    ock_jsonw_string(&w, "stop_reason", ock_db_text(row, C_STOP_REASON));
    write_raw(&w, "warnings", row, C_WARNINGS);
    write_raw(&w, "error", row, C_ERROR);
    write_raw(&w, "model", row, C_MODEL);
    write_links(&w, id);
    ock_jsonw_end_object(&w);
}

enum ock_status ock_store_job_json(struct ock_db *db, const char *id, struct ock_buf *out,
                                   uint64_t *version, struct ock_err *err)
{
    sqlite3_stmt *stmt = ock_db_prepare(
        db, "SELECT " JOB_COLUMNS " FROM jobs j JOIN specs s ON s.job = j.number WHERE j.id = ?",
        err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_text(stmt, 1, id);
    int got = ock_db_next(db, stmt, err);
    if (got < 0)
        return OCK_IO;
    if (got == 0)
        return ock_fail(err, OCK_NOTFOUND, "there is no job %s", id);
    write_job(out, stmt);
    if (version)
        *version = (uint64_t)sqlite3_column_int64(stmt, C_VERSION);
    ock_db_reset(stmt);
    return ock_buf_status(out, err);
}

/* Bits 0 and 1 from "queued,running". */
static enum ock_status parse_statuses(const char *names, unsigned *mask, struct ock_err *err)
{
    unsigned found = 0;
    for (const char *at = names;; at++) {
        size_t size = strcspn(at, ",");
        enum ock_job_status status = ock_job_status_parse(at, size);
        if (status == OCK_JOB_STATUS_COUNT)
            return ock_fail(err, OCK_INVALID,
                            "'%.*s' is not a status: queued, running, paused, succeeded, failed or "
                            "cancelled",
                            (int)(size < 40 ? size : 40), at);
        found |= 1u << status;
        at += size;
        if (*at == '\0') {
            *mask = found;
            return OCK_OK;
        }
    }
}

/* The newest jobs of one status (OCK_JOB_STATUS_COUNT: of any) that the rest of the query lets
 * through, in the order of an index. Parameters are numbered: each pick uses the same. */
static void write_pick(struct ock_buf *sql, const struct ock_job_query *query,
                       enum ock_job_status status)
{
    size_t index = 1;
    ock_buf_puts(sql, "SELECT number, id FROM jobs j WHERE 1");
    if (status != OCK_JOB_STATUS_COUNT)
        ock_buf_printf(sql, " AND status = %d", (int)status);
    for (size_t i = 0; i < query->label_count; i++, index += 2)
        ock_buf_printf(sql,
                       " AND EXISTS (SELECT 1 FROM json_each(j.labels) WHERE key = ?%zu"
                       " AND value = ?%zu)",
                       index, index + 1);
    if (query->after)
        ock_buf_printf(sql, " AND id < ?%zu", index);
}

/* Numbers are picked first, one pick for each status, and merged: sorting whole jobs by id takes
 * 60 ms among 10,000, this 0.1 ms. */
static enum ock_status list_sql(const struct ock_job_query *query, struct ock_buf *sql,
                                struct ock_err *err)
{
    unsigned mask = 1u << OCK_JOB_STATUS_COUNT;
    enum ock_status status = query->status ? parse_statuses(query->status, &mask, err) : OCK_OK;
    if (status != OCK_OK)
        return status;
    ock_buf_puts(sql, "SELECT " JOB_COLUMNS " FROM jobs j JOIN specs s ON s.job = j.number"
                      " WHERE j.number IN (SELECT number FROM (");
    const char *comma = "";
    for (int i = 0; i <= OCK_JOB_STATUS_COUNT; i++) {
        if (!(mask & 1u << i))
            continue;
        ock_buf_puts(sql, comma);
        write_pick(sql, query, (enum ock_job_status)i);
        comma = " UNION ALL ";
    }
    ock_buf_printf(sql, " ORDER BY id DESC LIMIT ?%zu)) ORDER BY j.id DESC",
                   2 * query->label_count + (query->after != NULL) + 1);
    return ock_buf_status(sql, err);
}

static void bind_list(sqlite3_stmt *stmt, const struct ock_job_query *query)
{
    int index = 1;
    for (size_t i = 0; i < query->label_count; i++) {
        ock_db_bind_text(stmt, index++, query->label_keys[i]);
        ock_db_bind_text(stmt, index++, query->label_values[i]);
    }
    if (query->after)
        ock_db_bind_text(stmt, index++, query->after);
    ock_db_bind_int(stmt, index, (int64_t)query->limit + 1); /* one more tells of a next page */
}

/* Writes the items; `next` is the last one's id when there are more. */
static enum ock_status write_items(struct ock_db *db, sqlite3_stmt *stmt, size_t limit,
                                   struct ock_buf *out, char next[OCK_ID_SIZE], struct ock_err *err)
{
    char last[OCK_ID_SIZE] = "";
    size_t count = 0;
    int got;
    for (;;) {
        got = ock_db_next(db, stmt, err);
        if (got != 1 || count == limit)
            break;
        if (count > 0)
            ock_buf_putc(out, ',');
        write_job(out, stmt);
        const char *id = ock_db_text(stmt, C_ID);
        size_t size = strnlen(id, sizeof(last) - 1);
        memcpy(last, id, size);
        last[size] = '\0';
        count++;
    }
    if (got < 0)
        return OCK_IO;
    next[0] = '\0';
    if (got == 1)
        memcpy(next, last, sizeof(last));
    return OCK_OK;
}

enum ock_status ock_store_jobs_json(struct ock_db *db, const struct ock_job_query *query,
                                    struct ock_buf *out, char next[OCK_ID_SIZE],
                                    struct ock_err *err)
{
    struct ock_buf sql;
    sqlite3_stmt *stmt = NULL;
    uint64_t events_after = 0;
    ock_buf_init(&sql, OCK_MIB);
    enum ock_status status = list_sql(query, &sql, err);
    if (status == OCK_OK)
        status = ock_store_newest_event(db, &events_after, err); /* of the same snapshot */
    if (status == OCK_OK) {
        stmt = ock_db_prepare_once(db, sql.data, err);
        status = stmt ? OCK_OK : OCK_IO;
    }
    if (status == OCK_OK) {
        bind_list(stmt, query);
        ock_buf_puts(out, "{\"items\":[");
        status = write_items(db, stmt, query->limit, out, next, err);
    }
    if (status == OCK_OK) {
        ock_buf_puts(out, "],\"next\":");
        if (next[0])
            ock_json_quote(out, next);
        else
            ock_buf_puts(out, "null");
        ock_buf_printf(out, ",\"events_after\":%" PRIu64 "}", events_after);
        status = ock_buf_status(out, err);
    }
    (void)sqlite3_finalize(stmt);
    ock_buf_deinit(&sql);
    return status;
}

enum ock_status ock_store_find_job(struct ock_db *db, const char *id, int64_t *number,
                                   enum ock_job_status *status, struct ock_err *err)
{
    sqlite3_stmt *stmt = ock_db_prepare(db, "SELECT number, status FROM jobs WHERE id = ?", err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_text(stmt, 1, id);
    int got = ock_db_next(db, stmt, err);
    if (got < 0)
        return OCK_IO;
    if (got == 0)
        return ock_fail(err, OCK_NOTFOUND, "there is no job %.40s", id);
    *number = sqlite3_column_int64(stmt, 0);
    *status = (enum ock_job_status)sqlite3_column_int(stmt, 1);
    ock_db_reset(stmt);
    return OCK_OK;
}

enum ock_status ock_store_run_spec(struct ock_db *db, int64_t number, struct ock_buf *out,
                                   uint64_t *told_step, struct ock_err *err)
{
    sqlite3_stmt *stmt =
        ock_db_prepare(db,
                       "SELECT coalesce(s.run_spec, s.spec), json_extract(e.body, '$.step')"
                       " FROM specs s JOIN jobs j ON j.number = s.job"
                       " LEFT JOIN events e ON e.job = j.number AND e.seq = j.latest_seq"
                       " WHERE s.job = ?",
                       err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_int(stmt, 1, number);
    int got = ock_db_next(db, stmt, err);
    if (got != 1)
        return got < 0 ? OCK_IO : ock_fail(err, OCK_NOTFOUND, "the job has no spec");
    ock_buf_puts(out, ock_db_text(stmt, 0));
    *told_step = (uint64_t)sqlite3_column_int64(stmt, 1); /* NULL: 0 */
    ock_db_reset(stmt);
    return ock_buf_status(out, err);
}

enum ock_status ock_store_count_jobs(struct ock_db *db, uint64_t counts[OCK_JOB_STATUS_COUNT],
                                     struct ock_err *err)
{
    sqlite3_stmt *stmt =
        ock_db_prepare(db, "SELECT status, count(*) FROM jobs GROUP BY status", err);
    if (!stmt)
        return OCK_IO;
    memset(counts, 0, OCK_JOB_STATUS_COUNT * sizeof(*counts));
    int got;
    for (;;) {
        got = ock_db_next(db, stmt, err);
        if (got != 1)
            break;
        int status = sqlite3_column_int(stmt, 0);
        if (status >= 0 && status < OCK_JOB_STATUS_COUNT)
            counts[status] = (uint64_t)sqlite3_column_int64(stmt, 1);
    }
    return got < 0 ? OCK_IO : OCK_OK;
}

enum ock_status ock_store_unended_jobs(struct ock_db *db,
                                       enum ock_status (*take)(void *ctx,
                                                               const struct ock_job_row *row,
                                                               struct ock_err *err),
                                       void *ctx, struct ock_err *err)
{
    sqlite3_stmt *stmt = ock_db_prepare(
        db,
        "SELECT number, id, status, want, priority, memory_bytes, threads, threads_useful, attempt,"
        " dataset, validation, test, has_init, started_ms IS NOT NULL FROM jobs"
        " WHERE status IN (0, 1, 2) ORDER BY id",
        err);
    if (!stmt)
        return OCK_IO;
    for (;;) {
        int got = ock_db_next(db, stmt, err);
        if (got != 1)
            return got < 0 ? OCK_IO : OCK_OK;
        struct ock_job_row row = {
            .number = sqlite3_column_int64(stmt, 0),
            .id = ock_db_text(stmt, 1),
            .status = (enum ock_job_status)sqlite3_column_int(stmt, 2),
            .want = (enum ock_want)sqlite3_column_int(stmt, 3),
            .priority = sqlite3_column_int(stmt, 4),
            .memory_bytes = (size_t)sqlite3_column_int64(stmt, 5),
            .threads = (uint32_t)sqlite3_column_int64(stmt, 6),
            .threads_useful = (uint32_t)sqlite3_column_int64(stmt, 7),
            .attempt = (uint32_t)sqlite3_column_int64(stmt, 8),
            .dataset = ock_db_text(stmt, 9),
            .validation = ock_db_text(stmt, 10),
            .test = ock_db_text(stmt, 11),
            .has_init = sqlite3_column_int(stmt, 12),
            .was_started = sqlite3_column_int(stmt, 13),
        };
        enum ock_status status = take(ctx, &row, err);
        if (status != OCK_OK) {
            ock_db_reset(stmt);
            return status;
        }
    }
}

/* One event; false: it does not fit any more (the first one always does). */
static bool add_event(struct ock_buf *out, size_t begin, size_t bytes_max, const char *body)
{
    size_t size = strlen(body) + 1, used = out->size - begin;
    if (used > 0 && used + size > bytes_max)
        return false;
    ock_buf_puts(out, body);
    ock_buf_putc(out, '\n');
    return true;
}

enum ock_status ock_store_events_json(struct ock_db *db, const char *id, uint64_t after,
                                      size_t limit, size_t bytes_max, struct ock_buf *out,
                                      uint64_t *last, bool *ended, struct ock_err *err)
{
    int64_t number = 0;
    enum ock_job_status job_status;
    enum ock_status status = ock_store_find_job(db, id, &number, &job_status, err);
    if (status != OCK_OK)
        return status;
    sqlite3_stmt *stmt = ock_db_prepare(
        db, "SELECT seq, body FROM events WHERE job = ? AND seq > ? ORDER BY seq LIMIT ?", err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_int(stmt, 1, number);
    ock_db_bind_int(stmt, 2, after > INT64_MAX ? INT64_MAX : (int64_t)after);
    ock_db_bind_int(stmt, 3, limit > INT32_MAX ? INT32_MAX : (int64_t)limit);
    size_t begin = out->size;
    *last = after;
    int got;
    for (;;) {
        got = ock_db_next(db, stmt, err);
        if (got != 1 || !add_event(out, begin, bytes_max, ock_db_text(stmt, 1)))
            break;
        *last = (uint64_t)sqlite3_column_int64(stmt, 0);
    }
    if (got == 1)
        ock_db_reset(stmt);
    /* `end` is the last event of an ended job: ended when nothing is left behind *last. */
    stmt = ock_db_prepare(db, "SELECT seq FROM jobs WHERE number = ?", err);
    if (got < 0 || !stmt)
        return OCK_IO;
    ock_db_bind_int(stmt, 1, number);
    if (ock_db_next(db, stmt, err) != 1)
        return OCK_IO;
    *ended = job_status >= OCK_JOB_SUCCEEDED && *last >= (uint64_t)sqlite3_column_int64(stmt, 0);
    ock_db_reset(stmt);
    return ock_buf_status(out, err);
}

enum ock_status ock_store_last_seq(struct ock_db *db, const char *id, uint64_t *out,
                                   struct ock_err *err)
{
    sqlite3_stmt *stmt = ock_db_prepare(db, "SELECT seq FROM jobs WHERE id = ?", err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_text(stmt, 1, id);
    int got = ock_db_next(db, stmt, err);
    if (got < 0)
        return OCK_IO;
    if (got == 0)
        return ock_fail(err, OCK_NOTFOUND, "there is no job %.40s", id);
    *out = (uint64_t)sqlite3_column_int64(stmt, 0);
    ock_db_reset(stmt);
    return OCK_OK;
}
