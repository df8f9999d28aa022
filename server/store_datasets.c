/* Datasets in the store: a name belongs to one dataset at a time, an id for ever. */
#include "server/store_datasets.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/jsonw.h"
#include "server/ids.h"

static void copy(char *out, size_t size, const char *text)
{
    (void)snprintf(out, size, "%s", text ? text : "");
}

static enum ock_status release_name(struct ock_db *db, const struct ock_dataset_row *row,
                                    bool replace, struct ock_err *err)
{
    sqlite3_stmt *stmt = ock_db_prepare(
        db, "SELECT 1 FROM datasets WHERE name = ? AND replaced = 0 AND id <> ?", err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_text(stmt, 1, row->name);
    ock_db_bind_text(stmt, 2, row->id);
    int got = ock_db_next(db, stmt, err);
    if (got < 0)
        return OCK_IO;
    if (got == 0)
        return OCK_OK;
    ock_db_reset(stmt);
    if (!replace)
        return ock_fail(err, OCK_CONFLICT,
                        "the name %s belongs to a dataset with other bytes or options; "
                        "?replace=true takes it over",
                        row->name);
    stmt = ock_db_prepare(
        db, "UPDATE datasets SET replaced = 1 WHERE name = ? AND replaced = 0 AND id <> ?", err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_text(stmt, 1, row->name);
    ock_db_bind_text(stmt, 2, row->id);
    return ock_db_run(db, stmt, err);
}

enum ock_status ock_store_put_dataset(struct ock_db *db, const struct ock_dataset_row *row,
                                      const char *schema, bool replace, struct ock_err *err)
{
    enum ock_status status = release_name(db, row, replace, err);
    if (status != OCK_OK)
        return status;
    sqlite3_stmt *stmt = ock_db_prepare(
        db,
        "INSERT OR REPLACE INTO datasets(id, name, status, created_ms, row_count, bytes, sha256,"
        " schema, source_sha256, labels_sha256, options, error)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_text(stmt, 1, row->id);
    ock_db_bind_text(stmt, 2, row->name);
    ock_db_bind_text(stmt, 3, row->status);
    ock_db_bind_int(stmt, 4, row->created_ms);
    ock_db_bind_int(stmt, 5, (int64_t)row->rows);
    ock_db_bind_int(stmt, 6, (int64_t)row->bytes);
    ock_db_bind_text(stmt, 7, row->sha256[0] ? row->sha256 : NULL);
    ock_db_bind_text(stmt, 8, schema);
    ock_db_bind_text(stmt, 9, row->source_sha256[0] ? row->source_sha256 : NULL);
    ock_db_bind_text(stmt, 10, row->labels_sha256[0] ? row->labels_sha256 : NULL);
    ock_db_bind_text(stmt, 11, row->options);
    ock_db_bind_text(stmt, 12, row->error[0] ? row->error : NULL);
    return ock_db_run(db, stmt, err);
}

enum ock_status ock_store_find_dataset(struct ock_db *db, const char *id_or_name,
                                       struct ock_dataset_row *out, struct ock_err *err)
{
    sqlite3_stmt *stmt = ock_db_prepare(
        db,
        "SELECT id, name, status, created_ms, row_count, bytes, sha256, source_sha256,"
        " labels_sha256, options, error FROM datasets WHERE id = ?1 OR (name = ?1 AND replaced = "
        "0)",
        err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_text(stmt, 1, id_or_name);
    int got = ock_db_next(db, stmt, err);
    if (got < 0)
        return OCK_IO;
    if (got == 0)
        return ock_fail(err, OCK_NOTFOUND, "there is no dataset %.70s", id_or_name);
    copy(out->id, sizeof(out->id), ock_db_text(stmt, 0));
    copy(out->name, sizeof(out->name), ock_db_text(stmt, 1));
    copy(out->status, sizeof(out->status), ock_db_text(stmt, 2));
    out->created_ms = sqlite3_column_int64(stmt, 3);
    out->rows = (uint64_t)sqlite3_column_int64(stmt, 4);
    out->bytes = (uint64_t)sqlite3_column_int64(stmt, 5);
    copy(out->sha256, sizeof(out->sha256), ock_db_text(stmt, 6));
    copy(out->source_sha256, sizeof(out->source_sha256), ock_db_text(stmt, 7));
    copy(out->labels_sha256, sizeof(out->labels_sha256), ock_db_text(stmt, 8));
    copy(out->options, sizeof(out->options), ock_db_text(stmt, 9));
    copy(out->error, sizeof(out->error), ock_db_text(stmt, 10));
    ock_db_reset(stmt);
    return OCK_OK;
}

/* id, name, status, created_ms, row_count, bytes, sha256, error, schema (or NULL) of a row. */
static void write_dataset(struct ock_buf *out, sqlite3_stmt *row)
{
    char time[OCK_TIME_TEXT_SIZE];
    struct ock_jsonw w = ock_jsonw_make(out);
    const char *schema = ock_db_text(row, 8);
    ock_time_text(time, sqlite3_column_int64(row, 3));
    ock_jsonw_object(&w, NULL);
    ock_jsonw_string(&w, "id", ock_db_text(row, 0));
    ock_jsonw_string(&w, "name", ock_db_text(row, 1));
    ock_jsonw_string(&w, "status", ock_db_text(row, 2));
    ock_jsonw_string(&w, "created_at", time);
    ock_jsonw_int(&w, "bytes", sqlite3_column_int64(row, 5));
    ock_jsonw_string(&w, "sha256", ock_db_text(row, 6));
    if (ock_db_text(row, 7))
        ock_jsonw_string(&w, "error", ock_db_text(row, 7));
    /* The schema's members join this object: {"rows": …, "columns": …, …}. */
    if (schema && strlen(schema) > 2) {
        ock_buf_putc(out, ',');
        ock_buf_add(out, schema + 1, strlen(schema) - 2);
    } else {
        ock_jsonw_int(&w, "rows", sqlite3_column_int64(row, 4));
    }
    ock_jsonw_end_object(&w);
}

enum ock_status ock_store_dataset_json(struct ock_db *db, const char *id, struct ock_buf *out,
                                       struct ock_err *err)
{
    sqlite3_stmt *stmt = ock_db_prepare(
        db,
        "SELECT id, name, status, created_ms, row_count, bytes, sha256, error, schema"
        " FROM datasets WHERE id = ?1 OR (name = ?1 AND replaced = 0)",
        err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_text(stmt, 1, id);
    int got = ock_db_next(db, stmt, err);
    if (got != 1)
        return got < 0 ? OCK_IO : ock_fail(err, OCK_NOTFOUND, "there is no dataset %.70s", id);
    write_dataset(out, stmt);
    ock_db_reset(stmt);
    return ock_buf_status(out, err);
}

enum ock_status ock_store_datasets_json(struct ock_db *db, struct ock_buf *out, struct ock_err *err)
{
    sqlite3_stmt *stmt =
        ock_db_prepare(db,
                       "SELECT id, name, status, created_ms, row_count, bytes, sha256, error,"
                       " json_remove(schema, '$.columns') FROM datasets WHERE replaced = 0"
                       " ORDER BY id DESC LIMIT 10000",
                       err);
    if (!stmt)
        return OCK_IO;
    ock_buf_puts(out, "{\"items\":[");
    const char *comma = "";
    int got;
    for (;;) {
        got = ock_db_next(db, stmt, err);
        if (got != 1)
            break;
        ock_buf_puts(out, comma);
        write_dataset(out, stmt);
        comma = ",";
    }
    ock_buf_puts(out, "]}");
    return got < 0 ? OCK_IO : ock_buf_status(out, err);
}

static enum ock_status check_unused(struct ock_db *db, const char *id, struct ock_err *err)
{
    sqlite3_stmt *stmt =
        ock_db_prepare(db,
                       "SELECT id FROM jobs WHERE status IN (0, 1, 2)"
                       " AND (dataset = ?1 OR validation = ?1 OR test = ?1) LIMIT 1",
                       err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_text(stmt, 1, id);
    int got = ock_db_next(db, stmt, err);
    if (got <= 0)
        return got < 0 ? OCK_IO : OCK_OK;
    enum ock_status status =
        ock_fail(err, OCK_CONFLICT, "%s has not ended and uses the dataset", ock_db_text(stmt, 0));
    ock_db_reset(stmt);
    return status;
}

enum ock_status ock_store_delete_dataset(struct ock_db *db, const char *id, struct ock_err *err)
{
    enum ock_status status = check_unused(db, id, err);
    if (status != OCK_OK)
        return status;
    sqlite3_stmt *stmt = ock_db_prepare(db, "DELETE FROM datasets WHERE id = ?", err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_text(stmt, 1, id);
    status = ock_db_run(db, stmt, err);
    if (status == OCK_OK && ock_db_changes(db) == 0)
        status = ock_fail(err, OCK_NOTFOUND, "there is no dataset %.70s", id);
    return status;
}

enum ock_status ock_store_each_dataset(struct ock_db *db, const char *status,
                                       void (*take)(void *ctx, const char *id, const char *name),
                                       void *ctx, struct ock_err *err)
{
    sqlite3_stmt *stmt = ock_db_prepare(
        db,
        "SELECT id, name FROM datasets WHERE (?1 IS NULL AND replaced = 0) OR status = ?1"
        " ORDER BY name",
        err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_text(stmt, 1, status);
    for (;;) {
        int got = ock_db_next(db, stmt, err);
        if (got != 1)
            return got < 0 ? OCK_IO : OCK_OK;
        take(ctx, ock_db_text(stmt, 0), ock_db_text(stmt, 1));
    }
}
