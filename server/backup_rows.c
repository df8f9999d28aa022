/* Rows of a backup: what ended or went away after the snapshot is brought up to date, row by row,
 * in one transaction of the copy and one snapshot of the live store. */
#include <stdio.h>
#include <string.h>

#include "server/backup_private.h"
#include "server/store_jobs.h"

/* Copies the rows that `where` selects by its one parameter; the tables are the same on both sides. */
static enum ock_status copy_rows(struct ock_backup *backup, const char *table, const char *where,
                                 sqlite3_value *key, struct ock_err *err)
{
    char sql[1024];
    sqlite3_stmt *to = NULL;
    (void)snprintf(sql, sizeof(sql), "SELECT * FROM %s WHERE %s = ?", table, where);
    sqlite3_stmt *from = ock_db_prepare_once(backup->live, sql, err);
    enum ock_status status = from ? OCK_OK : OCK_IO;
    if (from) {
        int length = snprintf(sql, sizeof(sql), "INSERT OR REPLACE INTO %s VALUES (?", table);
        for (int i = 1; i < sqlite3_column_count(from); i++)
            length += snprintf(sql + length, sizeof(sql) - (size_t)length, ",?");
        (void)snprintf(sql + length, sizeof(sql) - (size_t)length, ")");
        to = ock_db_prepare_once(backup->copy, sql, err);
        status = to ? OCK_OK : OCK_IO;
        (void)sqlite3_bind_value(from, 1, key);
    }
    while (status == OCK_OK) {
        int got = ock_db_next(backup->live, from, err);
        if (got != 1) {
            status = got < 0 ? OCK_IO : OCK_OK;
            break;
        }
        for (int i = 0; i < sqlite3_column_count(from); i++)
            (void)sqlite3_bind_value(to, i + 1, sqlite3_column_value(from, i));
        status = ock_db_run(backup->copy, to, err);
    }
    (void)sqlite3_finalize(from);
    (void)sqlite3_finalize(to);
    return status;
}

static enum ock_status delete_rows(struct ock_backup *backup, const char *table, const char *where,
                                   sqlite3_value *key, struct ock_err *err)
{
    char sql[128];
    (void)snprintf(sql, sizeof(sql), "DELETE FROM %s WHERE %s = ?", table, where);
    sqlite3_stmt *stmt = ock_db_prepare_once(backup->copy, sql, err);
    if (!stmt)
        return OCK_IO;
    (void)sqlite3_bind_value(stmt, 1, key);
    enum ock_status status = ock_db_run(backup->copy, stmt, err);
    (void)sqlite3_finalize(stmt);
    return status;
}

struct place {
    const char *table, *where;
};
static const struct place job_places[] = {{"events", "job"},
                                          {"models", "job"},
                                          {"documents", "job"},
                                          {"specs", "job"},
                                          {"jobs", "number"}};
static const struct place dataset_places[] = {{"datasets", "id"}};

static enum ock_status replace_rows(struct ock_backup *backup, const struct place *places,
                                    size_t count, sqlite3_value *key, struct ock_err *err)
{
    enum ock_status status = ock_db_exec(backup->copy, "BEGIN", err);
    if (status == OCK_OK)
        status = ock_db_exec(backup->live, "BEGIN", err);
    for (size_t i = 0; status == OCK_OK && i < count; i++) {
        status = delete_rows(backup, places[i].table, places[i].where, key, err);
        if (status == OCK_OK)
            status = copy_rows(backup, places[i].table, places[i].where, key, err);
    }
    if (!sqlite3_get_autocommit(backup->live->handle))
        (void)ock_db_exec(backup->live, "COMMIT", NULL);
    if (status == OCK_OK)
        status = ock_db_exec(backup->copy, "COMMIT", err);
    if (!sqlite3_get_autocommit(backup->copy->handle))
        (void)ock_db_exec(backup->copy, "ROLLBACK", NULL);
    return status;
}

/* A row's key (a number or an id) and its state as one text, "" for none. */
struct state {
    sqlite3_value *key; /* owned */
    char text[64];
};

static enum ock_status read_state(struct ock_db *db, const char *sql, const char *id,
                                  struct state *out, struct ock_err *err)
{
    sqlite3_stmt *stmt = ock_db_prepare(db, sql, err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_text(stmt, 1, id);
    int got = ock_db_next(db, stmt, err);
    out->text[0] = '\0';
    if (got != 1)
        return got < 0 ? OCK_IO : OCK_OK;
    const char *text = ock_db_text(stmt, 1);
    (void)snprintf(out->text, sizeof(out->text), "%s", text ? text : "?");
    out->key = sqlite3_value_dup(sqlite3_column_value(stmt, 0));
    ock_db_reset(stmt);
    return out->key ? OCK_OK : ock_fail(err, OCK_NOMEM, "no memory for a backup");
}

static enum ock_status refresh(struct ock_backup *backup, const char *sql, const char *id,
                               const struct place *places, size_t count, bool *changed,
                               struct ock_err *err)
{
    struct state mine = {0}, theirs = {0};
    enum ock_status status = read_state(backup->copy, sql, id, &mine, err);
    if (status == OCK_OK)
        status = read_state(backup->live, sql, id, &theirs, err);
    bool differs = status == OCK_OK && mine.key && strcmp(mine.text, theirs.text) != 0;
    if (differs)
        status = replace_rows(backup, places, count, mine.key, err);
    sqlite3_value_free(mine.key);
    sqlite3_value_free(theirs.key);
    if (status == OCK_OK)
        *changed = differs;
    return status;
}

enum ock_status ock_backup_refresh_job(struct ock_backup *backup, const char *id, bool *changed,
                                       struct ock_err *err)
{
    return refresh(backup, "SELECT number, status FROM jobs WHERE id = ?", id, job_places,
                   sizeof(job_places) / sizeof(job_places[0]), changed, err);
}

enum ock_status ock_backup_refresh_dataset(struct ock_backup *backup, const char *id, bool *changed,
                                           struct ock_err *err)
{
    return refresh(backup, "SELECT id, status FROM datasets WHERE id = ?", id, dataset_places,
                   sizeof(dataset_places) / sizeof(dataset_places[0]), changed, err);
}
