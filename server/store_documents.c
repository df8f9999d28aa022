/* Documents: what a job tells at length, under a name, and not in the row of its events. */
#include <string.h>

#include "core/base/limits.h"
#include "server/store_events.h"
#include "server/store_jobs.h"

static const char prefix[] = "document:";

const char *ock_document_name(const char *key)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz_";
    if (strncmp(key, prefix, sizeof(prefix) - 1) != 0)
        return NULL;
    const char *name = key + sizeof(prefix) - 1;
    size_t length = strspn(name, letters);
    return length > 0 && length < OCK_DOCUMENT_NAME_SIZE && name[length] == '\0' ? name : NULL;
}

/* Bytes of what stands under the name now; 0: nothing. */
static enum ock_status stored_bytes(struct ock_db *db, int64_t number, const char *name,
                                    int64_t *out, struct ock_err *err)
{
    sqlite3_stmt *stmt = ock_db_prepare(
        db, "SELECT length(CAST(body AS BLOB)) FROM documents WHERE job = ? AND name = ?", err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_int(stmt, 1, number);
    ock_db_bind_text(stmt, 2, name);
    int got = ock_db_next(db, stmt, err);
    if (got < 0)
        return OCK_IO;
    *out = got == 1 ? sqlite3_column_int64(stmt, 0) : 0;
    if (got == 1)
        ock_db_reset(stmt);
    return OCK_OK;
}

enum ock_status ock_store_put_document(struct ock_db *db, int64_t number, const char *key,
                                       const char *body, struct ock_err *err)
{
    const char *name = ock_document_name(key);
    size_t bytes = strlen(body);
    int64_t before = 0;
    if (!name || bytes > OCK_DOCUMENT_BYTES_MAX)
        return ock_fail(err, OCK_INVALID, "a document has no name, or too many bytes");
    enum ock_status status = stored_bytes(db, number, name, &before, err);
    if (status != OCK_OK)
        return status;
    sqlite3_stmt *stmt =
        ock_db_prepare(db,
                       "INSERT INTO documents(job, name, body) VALUES (?, ?, ?)"
                       " ON CONFLICT (job, name) DO UPDATE SET body = excluded.body",
                       err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_int(stmt, 1, number);
    ock_db_bind_text(stmt, 2, name);
    ock_db_bind_text(stmt, 3, body);
    status = ock_db_run(db, stmt, err);
    return status == OCK_OK ? ock_store_add_bytes(db, number, (int64_t)bytes - before, err)
                            : status;
}

enum ock_status ock_store_document(struct ock_db *db, const char *id, const char *name,
                                   struct ock_buf *out, struct ock_err *err)
{
    sqlite3_stmt *stmt = ock_db_prepare(
        db,
        "SELECT d.body FROM jobs j JOIN documents d ON d.job = j.number WHERE j.id = ? AND d.name"
        " = ?",
        err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_text(stmt, 1, id);
    ock_db_bind_text(stmt, 2, name);
    int got = ock_db_next(db, stmt, err);
    if (got != 1)
        return got < 0 ? OCK_IO : ock_fail(err, OCK_NOTFOUND, "the job has no %s", name);
    ock_buf_add(out, ock_db_text(stmt, 0), (size_t)sqlite3_column_bytes(stmt, 0));
    ock_db_reset(stmt);
    return ock_buf_status(out, err);
}
