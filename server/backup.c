/* The backup's order, and what it asks the two stores for. */
#include "server/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/backup_private.h"
#include "server/log.h"
#include "server/uploads.h"

enum { ROUNDS_MAX = 1000 };

/* --- Begin ------------------------------------------------------------------------------------- */

/* A connection that only reads. SQLite would fold the log into the file when the last connection
 * closes, which is the server's to do. */
static enum ock_status open_live(struct ock_backup *backup, struct ock_err *err)
{
    char path[PATH_MAX];
    bool is_there = false;
    (void)snprintf(path, sizeof(path), "%s/ockham.db", backup->from);
    enum ock_status status = ock_store_look(path, &is_there, err);
    if (status == OCK_OK && !is_there)
        return ock_fail(err, OCK_INVALID, "%s is no data directory: there is no ockham.db in it",
                        backup->from);
    if (status == OCK_OK)
        status = ock_db_new(&backup->live, path, 0,
                            "PRAGMA query_only=1; PRAGMA wal_autocheckpoint=0;", err);
    if (status != OCK_OK)
        return status;
    (void)sqlite3_db_config(backup->live->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    return ock_store_same_version(backup->live, err);
}

static enum ock_status make_directories(struct ock_backup *backup, struct ock_err *err)
{
    static const char *const names[] = {"jobs", "datasets", "uploads"};
    char made[OCK_BACKUP_PATH];
    struct stat info;
    if (lstat(backup->dest, &info) == 0)
        return ock_fail(err, OCK_CONFLICT, "%s exists already", backup->dest);
    int length = snprintf(made, sizeof(made), "%s.partial-XXXXXX", backup->dest);
    if (length < 0 || (size_t)length >= sizeof(made))
        return ock_fail(err, OCK_LIMIT, "the backup's path is too long");
    if (!mkdtemp(made))
        return ock_fail_errno(err, errno, "cannot make the directory %s", made);
    memcpy(backup->to, made, sizeof(backup->to));
    enum ock_status status = OCK_OK;
    for (size_t i = 0; status == OCK_OK && i < sizeof(names) / sizeof(names[0]); i++)
        status = ock_backup_directory(backup, names[i], err);
    return status;
}

/* Without slashes behind it, so that what is made stands beside it. */
static enum ock_status put_path(char out[OCK_BACKUP_PATH], const char *path, struct ock_err *err)
{
    size_t size = strlen(path);
    while (size > 1 && path[size - 1] == '/')
        size--;
    if (size == 0 || size >= OCK_BACKUP_PATH)
        return ock_fail(err, OCK_LIMIT, "a path is empty or too long");
    (void)snprintf(out, OCK_BACKUP_PATH, "%.*s", (int)size, path);
    return OCK_OK;
}

enum ock_status ock_backup_begin(struct ock_backup *backup, const char *data_dir, const char *dest,
                                 struct ock_err *err)
{
    *backup = (struct ock_backup){.stopped = NULL};
    enum ock_status status = put_path(backup->from, data_dir, err);
    if (status == OCK_OK)
        status = put_path(backup->dest, dest, err);
    if (status == OCK_OK)
        status = open_live(backup, err);
    return status == OCK_OK ? make_directories(backup, err) : status;
}

/* --- The snapshot ------------------------------------------------------------------------------ */

/* All pages in one step: one read transaction, one snapshot. Writers go on meanwhile. */
static enum ock_status copy_pages(struct ock_backup *backup, struct ock_db *to, struct ock_err *err)
{
    sqlite3_backup *pages = sqlite3_backup_init(to->handle, "main", backup->live->handle, "main");
    if (!pages)
        return ock_db_fail(to, sqlite3_errcode(to->handle), err);
    int code = sqlite3_backup_step(pages, -1);
    int finished = sqlite3_backup_finish(pages);
    if (code == SQLITE_DONE && finished == SQLITE_OK)
        return OCK_OK;
    if (code == SQLITE_DONE)
        code = finished;
    return code == SQLITE_FULL || code == SQLITE_IOERR ? ock_db_fail(to, code, err)
                                                       : ock_db_fail(backup->live, code, err);
}

enum ock_status ock_backup_take_snapshot(struct ock_backup *backup, struct ock_err *err)
{
    char path[PATH_MAX];
    struct ock_db *db = NULL;
    (void)snprintf(path, sizeof(path), "%s/ockham.db", backup->to);
    /* All files are synced at the end. */
    enum ock_status status =
        ock_db_new(&db, path, SQLITE_OPEN_CREATE, "PRAGMA synchronous=OFF;", err);
    if (status == OCK_OK)
        status = copy_pages(backup, db, err);
    ock_db_free(db);
    if (status == OCK_OK)
        status = ock_db_new(&backup->copy, path, 0, "PRAGMA synchronous=OFF;", err);
    return status;
}

/* --- Files ------------------------------------------------------------------------------------- */

/* A file that a row needs; name "": what the row needs is a row that is gone. */
struct need {
    bool of_job;
    char id[OCK_ID_SIZE];
    char name[112];
    int64_t bytes;   /* -1: not known */
    char sha256[65]; /* "": not known */
};
struct needs {
    size_t count, capacity;
    struct need *items; /* owned */
};

/* clang-format off */
static const char *const needs_sql =
    "SELECT 0, id, 'datasets/' || id || '.ockds', NULL, bytes FROM datasets WHERE status = 'ready' "
    "UNION ALL SELECT 0, id, 'uploads/' || id || '/source', NULL, NULL FROM datasets"
    " WHERE status = 'preparing' AND options <> ?1 "
    "UNION ALL SELECT 0, id, 'uploads/' || id || '/x', NULL, NULL FROM datasets"
    " WHERE status IN ('incomplete', 'preparing') AND options = ?1 AND source_sha256 IS NOT NULL "
    "UNION ALL SELECT 0, id, 'uploads/' || id || '/y', NULL, NULL FROM datasets"
    " WHERE status IN ('incomplete', 'preparing') AND options = ?1 AND labels_sha256 IS NOT NULL "
    "UNION ALL SELECT 1, id, 'jobs/' || id || '/inline.ockds', NULL, NULL FROM jobs"
    " WHERE status < 3 AND dataset IS NULL "
    "UNION ALL SELECT 1, id, 'jobs/' || id || '/init.safetensors', NULL, NULL FROM jobs"
    " WHERE status < 3 AND has_init "
    "UNION ALL SELECT 1, id, '', NULL, NULL FROM jobs WHERE status < 3 AND"
    " (dataset NOT IN (SELECT id FROM datasets) OR validation NOT IN (SELECT id FROM datasets)"
    "  OR test NOT IN (SELECT id FROM datasets)) "
    "UNION ALL SELECT 1, j.id, 'jobs/' || j.id || '/' || m.which || '.safetensors', m.sha256, m.bytes"
    " FROM models m JOIN jobs j ON j.number = m.job WHERE m.blob IS NULL";
/* clang-format on */

static enum ock_status add_need(struct needs *needs, sqlite3_stmt *row, struct ock_err *err)
{
    if (needs->count == needs->capacity) {
        size_t capacity = needs->capacity ? 2 * needs->capacity : 256;
        struct need *items = realloc(needs->items, capacity * sizeof(*items));
        if (!items)
            return ock_fail(err, OCK_NOMEM, "no memory for a backup");
        needs->items = items;
        needs->capacity = capacity;
    }
    struct need *need = &needs->items[needs->count++];
    const char *sha256 = ock_db_text(row, 3);
    need->of_job = sqlite3_column_int(row, 0);
    (void)snprintf(need->id, sizeof(need->id), "%s", ock_db_text(row, 1));
    (void)snprintf(need->name, sizeof(need->name), "%s", ock_db_text(row, 2));
    (void)snprintf(need->sha256, sizeof(need->sha256), "%s", sha256 ? sha256 : "");
    need->bytes = sqlite3_column_type(row, 4) == SQLITE_NULL ? -1 : sqlite3_column_int64(row, 4);
    return OCK_OK;
}

static enum ock_status list_needs(struct ock_backup *backup, struct needs *needs,
                                  struct ock_err *err)
{
    needs->count = 0;
    sqlite3_stmt *stmt = ock_db_prepare(backup->copy, needs_sql, err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_text(stmt, 1, OCK_PAIR_OPTIONS);
    for (;;) {
        int got = ock_db_next(backup->copy, stmt, err);
        if (got != 1)
            return got < 0 ? OCK_IO : OCK_OK;
        enum ock_status status = add_need(needs, stmt, err);
        if (status != OCK_OK) {
            ock_db_reset(stmt);
            return status;
        }
    }
}

/* Copies the file. One that is gone was taken along by its job's end or by a deletion: the row is
 * brought up to date, and what it needs then is another round's. */
static enum ock_status meet_need(struct ock_backup *backup, const struct need *need, bool *changed,
                                 struct ock_err *err)
{
    const struct ock_backup_file file = {
        .name = need->name, .bytes = need->bytes, .sha256 = need->sha256[0] ? need->sha256 : NULL};
    bool found = false;
    enum ock_status status = OCK_OK;
    *changed = false;
    if (need->name[0])
        status = ock_backup_copy(backup, &file, &found, err);
    if (status != OCK_OK || found)
        return status;
    status = need->of_job ? ock_backup_refresh_job(backup, need->id, changed, err)
                          : ock_backup_refresh_dataset(backup, need->id, changed, err);
    if (status == OCK_OK && !*changed && need->name[0]) {
        ock_log(OCK_LOG_WARNING, "%s/%s is not there, though the store needs it", backup->from,
                need->name);
        backup->absent++;
    }
    return status;
}

static enum ock_status take_round(struct ock_backup *backup, struct needs *needs, bool *changed,
                                  struct ock_err *err)
{
    enum ock_status status = list_needs(backup, needs, err);
    *changed = false;
    backup->absent = 0;
    for (size_t i = 0; status == OCK_OK && i < needs->count; i++) {
        bool some = false;
        status = meet_need(backup, &needs->items[i], &some, err);
        *changed = *changed || some;
    }
    return status;
}

enum ock_status ock_backup_take_files(struct ock_backup *backup, struct ock_err *err)
{
    struct needs needs = {0};
    bool changed = true;
    enum ock_status status = OCK_OK;
    for (int round = 0; status == OCK_OK && changed; round++) {
        status = round < ROUNDS_MAX
                     ? take_round(backup, &needs, &changed, err)
                     : ock_fail(err, OCK_IO, "the directory changes faster than it can be copied");
    }
    free(needs.items);
    if (status == OCK_OK)
        ock_backup_sweep(backup);
    return status;
}

/* --- The end ----------------------------------------------------------------------------------- */

static enum ock_status check_copy(struct ock_backup *backup, struct ock_err *err)
{
    sqlite3_stmt *stmt = ock_db_prepare(backup->copy, "PRAGMA integrity_check(1)", err);
    if (!stmt || ock_db_next(backup->copy, stmt, err) != 1)
        return err->status;
    const char *words = ock_db_text(stmt, 0);
    enum ock_status status = OCK_OK;
    if (!words || strcmp(words, "ok") != 0)
        status = ock_fail(err, OCK_CORRUPT, "the store of %s is damaged: %.200s", backup->from,
                          words ? words : "?");
    ock_db_reset(stmt);
    return status;
}

static enum ock_status count_rows(struct ock_backup *backup, struct ock_backup_report *report,
                                  struct ock_err *err)
{
    sqlite3_stmt *stmt = ock_db_prepare(
        backup->copy, "SELECT (SELECT count(*) FROM jobs), (SELECT count(*) FROM datasets)", err);
    if (!stmt || ock_db_next(backup->copy, stmt, err) != 1)
        return err->status;
    report->jobs = (uint64_t)sqlite3_column_int64(stmt, 0);
    report->datasets = (uint64_t)sqlite3_column_int64(stmt, 1);
    ock_db_reset(stmt);
    return OCK_OK;
}

static enum ock_status sync_and_rename(struct ock_backup *backup, struct ock_err *err)
{
    char parent[OCK_BACKUP_PATH];
    (void)snprintf(parent, sizeof(parent), "%s", backup->dest);
    char *slash = strrchr(parent, '/');
    if (slash)
        slash[slash == parent] = '\0';
    int fd = open(slash ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return ock_fail_errno(err, errno, "cannot open the directory of %s", backup->dest);
    int failed = syncfs(fd) == 0 ? 0 : errno;
    if (!failed && renameat2(AT_FDCWD, backup->to, AT_FDCWD, backup->dest, RENAME_NOREPLACE) != 0)
        failed = errno;
    if (!failed)
        backup->to[0] = '\0'; /* it is no temporary name any more */
    if (!failed && fsync(fd) != 0)
        failed = errno;
    (void)close(fd);
    return failed ? ock_fail_errno(err, failed, "cannot finish the backup %s", backup->dest)
                  : OCK_OK;
}

enum ock_status ock_backup_finish(struct ock_backup *backup, struct ock_backup_report *report,
                                  struct ock_err *err)
{
    struct ock_backup_report made = {.faulty = backup->absent + backup->damaged};
    enum ock_status status = check_copy(backup, err);
    if (status == OCK_OK)
        status = count_rows(backup, &made, err);
    if (status == OCK_OK)
        status = ock_db_exec(backup->copy, "PRAGMA wal_checkpoint(TRUNCATE)", err);
    if (status != OCK_OK)
        return status;
    ock_db_free(backup->copy); /* removes its log */
    backup->copy = NULL;
    made.bytes = ock_backup_tree_bytes(backup->to);
    status = sync_and_rename(backup, err);
    if (status == OCK_OK)
        *report = made;
    return status;
}

void ock_backup_end(struct ock_backup *backup)
{
    ock_db_free(backup->copy);
    ock_db_free(backup->live);
    if (backup->to[0])
        ock_backup_remove(backup->to);
    *backup = (struct ock_backup){.stopped = NULL};
}

enum ock_status ock_backup_run(const char *data_dir, const char *dest, bool (*stopped)(void),
                               struct ock_backup_report *report, struct ock_err *err)
{
    struct ock_err own = {0};
    struct ock_backup_report made = {0};
    struct ock_backup *backup = calloc(1, sizeof(*backup));
    int64_t begin_ms = ock_store_now_ms();
    err = err ? err : &own;
    if (!backup)
        return ock_fail(err, OCK_NOMEM, "no memory for a backup");
    enum ock_status status = ock_backup_begin(backup, data_dir, dest, err);
    backup->stopped = stopped;
    if (status == OCK_OK)
        status = ock_backup_take_checkpoints(backup, err);
    if (status == OCK_OK)
        status = ock_backup_take_snapshot(backup, err);
    if (status == OCK_OK)
        status = ock_backup_take_files(backup, err);
    if (status == OCK_OK)
        status = ock_backup_finish(backup, &made, err);
    ock_backup_end(backup);
    free(backup);
    if (status != OCK_OK)
        return err->status != OCK_OK ? err->status : status;
    made.seconds = (double)(ock_store_now_ms() - begin_ms) / 1000;
    *report = made;
    return OCK_OK;
}
