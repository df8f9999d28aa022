/* The end of a job: models, the row and the `end` event in one transaction, so that whoever sees
 * `end` can fetch the model. */
#include <string.h>

#include "core/base/jsonw.h"
#include "core/base/limits.h"
#include "server/ids.h"
#include "server/store_events.h"
#include "server/store_jobs.h"

static enum ock_status insert_model(struct ock_db *db, int64_t number,
                                    const struct ock_model_bytes *model, struct ock_err *err)
{
    sqlite3_stmt *stmt = ock_db_prepare(
        db, "INSERT OR REPLACE INTO models(job, which, bytes, sha256, blob) VALUES (?, ?, ?, ?, ?)",
        err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_int(stmt, 1, number);
    ock_db_bind_text(stmt, 2, model->which);
    ock_db_bind_int(stmt, 3, (int64_t)model->bytes);
    ock_db_bind_text(stmt, 4, model->sha256);
    if (model->blob)
        (void)sqlite3_bind_blob64(stmt, 5, model->blob, model->bytes, SQLITE_STATIC);
    enum ock_status status = ock_db_run(db, stmt, err);
    return status == OCK_OK ? ock_store_add_bytes(db, number, (int64_t)model->bytes, err) : status;
}

/* {"status", "stop_reason", "best", "latest", "error", and null for "model", "lambda_hat" and "report"} for an end that no worker
 * told: cancelled, crashed, not reproducible. */
static enum ock_status write_body(struct ock_db *db, const struct ock_job_end *end,
                                  struct ock_buf *out, struct ock_err *err)
{
    sqlite3_stmt *stmt =
        ock_db_prepare(db,
                       "SELECT j.best, e.body FROM jobs j LEFT JOIN events e"
                       " ON e.job = j.number AND e.seq = j.latest_seq WHERE j.number = ?",
                       err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_int(stmt, 1, end->number);
    int got = ock_db_next(db, stmt, err);
    if (got != 1)
        return got < 0 ? OCK_IO : ock_fail(err, OCK_NOTFOUND, "there is no such job");
    const char *best = ock_db_text(stmt, 0), *latest = ock_db_text(stmt, 1);
    struct ock_jsonw w = ock_jsonw_make(out);
    ock_jsonw_object(&w, NULL);
    ock_jsonw_string(&w, "status", ock_job_status_name(end->status));
    ock_jsonw_string(&w, "stop_reason", end->stop_reason);
    ock_jsonw_raw(&w, "best", best ? best : "null");
    ock_jsonw_raw(&w, "latest", latest ? latest : "null");
    ock_jsonw_raw(&w, "error", end->error ? end->error : "null");
    ock_jsonw_null(&w, "model");
    ock_jsonw_null(&w, "lambda_hat");
    ock_jsonw_null(&w, "report");
    ock_jsonw_end_object(&w);
    ock_db_reset(stmt);
    return ock_buf_status(out, err);
}

static enum ock_status update_row(struct ock_db *db, const struct ock_job_end *end,
                                  struct ock_err *err)
{
    sqlite3_stmt *stmt =
        ock_db_prepare(db,
                       "UPDATE jobs SET status = ?, want = 0, stop_reason = ?, error = ?,"
                       " finished_ms = ?, eta_s = NULL, version = version + 1 WHERE number = ?",
                       err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_int(stmt, 1, end->status);
    ock_db_bind_text(stmt, 2, end->stop_reason);
    ock_db_bind_text(stmt, 3, end->error);
    ock_db_bind_int(stmt, 4, ock_now_ms());
    ock_db_bind_int(stmt, 5, end->number);
    return ock_db_run(db, stmt, err);
}

/* A worker's end is void if one of its epochs did not repeat itself. */
static enum ock_status check_broken(struct ock_db *db, struct ock_job_end *end, struct ock_err *err)
{
    sqlite3_stmt *stmt = ock_db_prepare(db, "SELECT broken FROM jobs WHERE number = ?", err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_int(stmt, 1, end->number);
    int got = ock_db_next(db, stmt, err);
    if (got != 1)
        return got < 0 ? OCK_IO : ock_fail(err, OCK_NOTFOUND, "there is no such job");
    end->broken = ock_db_text(stmt, 0) != NULL;
    ock_db_reset(stmt);
    return OCK_OK;
}

enum ock_status ock_store_end_job(struct ock_db *db, struct ock_job_end *end, struct ock_err *err)
{
    end->broken = false;
    enum ock_status status = end->body ? check_broken(db, end, err) : OCK_OK;
    if (status != OCK_OK || end->broken)
        return status;
    struct ock_buf made;
    ock_buf_init(&made, 2 * OCK_EVENT_BYTES_MAX);
    if (!end->body)
        status = write_body(db, end, &made, err);
    for (size_t i = 0; status == OCK_OK && i < end->model_count; i++)
        status = insert_model(db, end->number, &end->models[i], err);
    if (status == OCK_OK)
        status = update_row(db, end, err);
    if (status == OCK_OK)
        status = ock_store_append_event(db, end->number, end->id, "end", "end",
                                        end->body ? end->body : made.data, err);
    ock_buf_deinit(&made);
    return status;
}
