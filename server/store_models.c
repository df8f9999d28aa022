/* Model bytes and idempotency keys: the store's smaller readers. */
#include <stdio.h>
#include <string.h>

#include "server/ids.h"
#include "server/store_datasets.h"
#include "server/store_jobs.h"

static const int64_t key_life_ms = INT64_C(24) * 3600 * 1000;

enum ock_status ock_store_model(struct ock_db *db, const char *id, const char *which,
                                struct ock_model_row *out, struct ock_buf *bytes,
                                struct ock_err *err)
{
    /* "last" is stored only where it differs from "best". */
    sqlite3_stmt *stmt =
        ock_db_prepare(db,
                       "SELECT m.which, m.bytes, m.sha256, m.blob, j.name FROM jobs j"
                       " JOIN models m ON m.job = j.number WHERE j.id = ?1"
                       " ORDER BY m.which = ?2 DESC, m.which LIMIT 1",
                       err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_text(stmt, 1, id);
    ock_db_bind_text(stmt, 2, which ? which : "best");
    int got = ock_db_next(db, stmt, err);
    if (got != 1)
        return got < 0 ? OCK_IO : ock_fail(err, OCK_NOTFOUND, "the job has no model");
    (void)snprintf(out->which, sizeof(out->which), "%s", ock_db_text(stmt, 0));
    out->bytes = (uint64_t)sqlite3_column_int64(stmt, 1);
    (void)snprintf(out->sha256, sizeof(out->sha256), "%s", ock_db_text(stmt, 2));
    out->is_file = sqlite3_column_type(stmt, 3) == SQLITE_NULL;
    const char *name = ock_db_text(stmt, 4);
    (void)snprintf(out->name, sizeof(out->name), "%s", name ? name : "");
    if (!out->is_file)
        ock_buf_add(bytes, sqlite3_column_blob(stmt, 3), (size_t)sqlite3_column_bytes(stmt, 3));
    ock_db_reset(stmt);
    return ock_buf_status(bytes, err);
}

enum ock_status ock_store_model_files(struct ock_db *db, const char *id,
                                      struct ock_model_files *out, struct ock_err *err)
{
    sqlite3_stmt *stmt = ock_db_prepare(db,
                                        "SELECT count(*) FILTER (WHERE m.which = 'best'),"
                                        " count(*) FILTER (WHERE m.which = 'last')"
                                        " FROM jobs j JOIN models m ON m.job = j.number"
                                        " WHERE j.id = ? AND m.blob IS NULL",
                                        err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_text(stmt, 1, id);
    if (ock_db_next(db, stmt, err) != 1) /* a sum has always a row */
        return OCK_IO;
    *out = (struct ock_model_files){.best = sqlite3_column_int(stmt, 0) > 0,
                                    .last = sqlite3_column_int(stmt, 1) > 0};
    ock_db_reset(stmt);
    return OCK_OK;
}

enum ock_status ock_store_find_key(struct ock_db *db, const char *key, struct ock_key_row *out,
                                   struct ock_buf *body, bool *found, struct ock_err *err)
{
    sqlite3_stmt *stmt = ock_db_prepare(
        db,
        "SELECT body_sha256, status, job, body FROM idempotency WHERE key = ? AND created_ms > ?",
        err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_text(stmt, 1, key);
    ock_db_bind_int(stmt, 2, ock_now_ms() - key_life_ms);
    int got = ock_db_next(db, stmt, err);
    if (got < 0)
        return OCK_IO;
    *found = got == 1;
    if (!*found)
        return OCK_OK;
    (void)snprintf(out->body_sha256, sizeof(out->body_sha256), "%s", ock_db_text(stmt, 0));
    out->status = sqlite3_column_int(stmt, 1);
    (void)snprintf(out->job, sizeof(out->job), "%s", ock_db_text(stmt, 2));
    ock_buf_puts(body, ock_db_text(stmt, 3));
    ock_db_reset(stmt);
    return ock_buf_status(body, err);
}

enum ock_status ock_store_put_key(struct ock_db *db, const char *key, const struct ock_key_row *row,
                                  const char *body, struct ock_err *err)
{
    sqlite3_stmt *stmt = ock_db_prepare(db, "DELETE FROM idempotency WHERE created_ms < ?", err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_int(stmt, 1, ock_now_ms() - key_life_ms);
    enum ock_status status = ock_db_run(db, stmt, err);
    if (status != OCK_OK)
        return status;
    stmt = ock_db_prepare(db,
                          "INSERT OR REPLACE INTO idempotency(key, body_sha256, status, body, job,"
                          " created_ms) VALUES (?, ?, ?, ?, ?, ?)",
                          err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_text(stmt, 1, key);
    ock_db_bind_text(stmt, 2, row->body_sha256);
    ock_db_bind_int(stmt, 3, row->status);
    ock_db_bind_text(stmt, 4, body);
    ock_db_bind_text(stmt, 5, row->job);
    ock_db_bind_int(stmt, 6, ock_now_ms());
    return ock_db_run(db, stmt, err);
}
