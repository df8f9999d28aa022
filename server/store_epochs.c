/* Epoch events: found by the index over (job, key), which holds the event's number too. Of a million epochs
 * that are shown as a thousand points, a thousand texts are read. */
#include "server/store_epochs.h"

#include <stdlib.h>

#include "server/store_jobs.h"

enum { FIRST_REFS = 64 };

static enum ock_status add(struct ock_epoch_refs *refs, size_t *capacity, int64_t event,
                           int64_t epoch, struct ock_err *err)
{
    if (refs->count == *capacity) {
        size_t larger = *capacity > 0 ? 2 * *capacity : FIRST_REFS;
        struct ock_epoch_ref *grown = realloc(refs->refs, larger * sizeof(*grown));
        if (!grown)
            return ock_fail(err, OCK_NOMEM, "no memory for the epochs' places");
        refs->refs = grown;
        *capacity = larger;
    }
    refs->refs[refs->count++] = (struct ock_epoch_ref){.event = event, .epoch = epoch};
    return OCK_OK;
}

/* Events get rising numbers as they are told. */
static int as_told(const void *left, const void *right)
{
    int64_t a = ((const struct ock_epoch_ref *)left)->event;
    int64_t b = ((const struct ock_epoch_ref *)right)->event;
    return (a > b) - (a < b);
}

enum ock_status ock_store_epochs(struct ock_db *db, const char *id, struct ock_epoch_refs *out,
                                 struct ock_err *err)
{
    int64_t number = 0;
    size_t capacity = 0;
    enum ock_job_status job_status;
    *out = (struct ock_epoch_refs){0};
    enum ock_status status = ock_store_find_job(db, id, &number, &job_status, err);
    if (status != OCK_OK)
        return status;
    /* "epoch:17"; the index is in the order of these texts (10 before 2). */
    sqlite3_stmt *stmt = ock_db_prepare(db,
                                        "SELECT id, CAST(substr(key, 7) AS INTEGER) FROM events"
                                        " WHERE job = ? AND key >= 'epoch:' AND key < 'epoch;'",
                                        err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_int(stmt, 1, number);
    int got = ock_db_next(db, stmt, err);
    for (; got == 1 && status == OCK_OK; got = ock_db_next(db, stmt, err))
        status =
            add(out, &capacity, sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1), err);
    if (got < 0)
        return OCK_IO;
    if (got == 1)
        ock_db_reset(stmt);
    if (out->count > 1)
        qsort(out->refs, out->count, sizeof(*out->refs), as_told);
    return status;
}

void ock_epoch_refs_free(struct ock_epoch_refs *refs)
{
    free(refs->refs);
    *refs = (struct ock_epoch_refs){0};
}

enum ock_status ock_store_epoch(struct ock_db *db, int64_t event,
                                enum ock_status (*take)(void *ctx, const char *body,
                                                        struct ock_err *err),
                                void *ctx, struct ock_err *err)
{
    sqlite3_stmt *stmt = ock_db_prepare(db, "SELECT body FROM events WHERE id = ?", err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_int(stmt, 1, event);
    int got = ock_db_next(db, stmt, err);
    if (got != 1)
        return got < 0 ? OCK_IO : ock_fail(err, OCK_NOTFOUND, "there is no such event");
    const char *body = ock_db_text(stmt, 0);
    enum ock_status status =
        body ? take(ctx, body, err) : ock_fail(err, OCK_NOMEM, "no memory for an event");
    ock_db_reset(stmt);
    return status;
}
