/* Events of all jobs. Their id is the order: the table's AUTOINCREMENT never gives one twice.
 *
 * A deleted job's events are gone, so its deletion is an event of no job: job 0, counted by seq. So is what
 * the numbered events of the job itself have no word for. */
#include "server/store_all_events.h"

#include <inttypes.h>
#include <string.h>

#include "server/store_events.h"

enum { NOTICE_BYTES_MAX = 256 };

enum ock_status ock_store_newest_event(struct ock_db *db, uint64_t *out, struct ock_err *err)
{
    sqlite3_stmt *stmt = ock_db_prepare(db, "SELECT coalesce(max(id), 0) FROM events", err);
    if (!stmt || ock_db_next(db, stmt, err) != 1)
        return OCK_IO;
    *out = (uint64_t)sqlite3_column_int64(stmt, 0);
    ock_db_reset(stmt);
    return OCK_OK;
}

/* Epochs that a later one of the same job follows within the window are left out. The key says what
 * an epoch is, so that their bodies are not even looked at. What is left of a deleted job's events
 * is in a grave. */
static const char *const window_sql =
    "WITH newest AS MATERIALIZED ("
    " SELECT job, max(id) AS id FROM events"
    " WHERE id > ?1 AND id <= ?2 AND key GLOB 'epoch:*' GROUP BY job)"
    " SELECT e.id, e.body FROM events e LEFT JOIN newest n ON n.job = e.job"
    " WHERE e.id > ?1 AND e.id <= ?2 AND NOT coalesce(e.key GLOB 'epoch:*' AND e.id < n.id, 0)"
    " AND e.job NOT IN (SELECT job FROM graves)"
    " ORDER BY e.id";

/* One line; false: it does not fit any more (the first one always does). */
static bool add_line(struct ock_buf *out, size_t begin, size_t bytes_max, sqlite3_stmt *row)
{
    const char *body = ock_db_text(row, 1);
    size_t used = out->size - begin;
    if (used > 0 && used + strlen(body) > bytes_max)
        return false;
    ock_buf_printf(out, "%" PRId64 " ", (int64_t)sqlite3_column_int64(row, 0));
    ock_buf_puts(out, body);
    ock_buf_putc(out, '\n');
    return true;
}

enum ock_status ock_store_all_events_json(struct ock_db *db, uint64_t after, uint64_t until,
                                          size_t bytes_max, struct ock_buf *out, uint64_t *last,
                                          struct ock_err *err)
{
    uint64_t newest = 0;
    enum ock_status status = ock_store_newest_event(db, &newest, err);
    if (status != OCK_OK)
        return status;
    until = until < newest ? until : newest;
    *last = after;
    if (until <= after)
        return OCK_OK;
    if (until - after > OCK_WINDOW_EVENTS_MAX)
        until = after + OCK_WINDOW_EVENTS_MAX;
    sqlite3_stmt *stmt = ock_db_prepare(db, window_sql, err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_int(stmt, 1, (int64_t)after);
    ock_db_bind_int(stmt, 2, (int64_t)until);
    size_t begin = out->size;
    int got;
    for (;;) {
        got = ock_db_next(db, stmt, err);
        if (got != 1 || !add_line(out, begin, bytes_max, stmt))
            break;
        *last = (uint64_t)sqlite3_column_int64(stmt, 0);
    }
    if (got == 1)
        ock_db_reset(stmt);
    else if (got == 0)
        *last = until; /* what is missing in between has been deleted */
    return got < 0 ? OCK_IO : ock_buf_status(out, err);
}

static enum ock_status drop_old_notices(struct ock_db *db, struct ock_err *err)
{
    sqlite3_stmt *stmt = ock_db_prepare(db,
                                        "DELETE FROM events WHERE job = ?1 AND seq <="
                                        " (SELECT max(seq) FROM events WHERE job = ?1) - ?2",
                                        err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_int(stmt, 1, OCK_NOTICES_JOB);
    ock_db_bind_int(stmt, 2, OCK_NOTICES_MAX);
    return ock_db_run(db, stmt, err);
}

enum ock_status ock_store_tell_notice(struct ock_db *db, const char *type, const char *id,
                                      struct ock_err *err)
{
    struct ock_buf text;
    ock_buf_init(&text, NOTICE_BYTES_MAX);
    ock_event_write(&text, type, id, 0, "{}");
    enum ock_status status = ock_buf_status(&text, err);
    sqlite3_stmt *stmt =
        ock_db_prepare(db,
                       "INSERT INTO events(job, seq, body) VALUES (?1,"
                       " (SELECT coalesce(max(seq), 0) + 1 FROM events WHERE job = ?1), ?2)",
                       err);
    if (status == OCK_OK && !stmt)
        status = OCK_IO;
    if (status == OCK_OK) {
        ock_db_bind_int(stmt, 1, OCK_NOTICES_JOB);
        ock_db_bind_text(stmt, 2, text.data);
        status = ock_db_run(db, stmt, err);
    }
    ock_buf_deinit(&text);
    return status == OCK_OK ? drop_old_notices(db, err) : status;
}
