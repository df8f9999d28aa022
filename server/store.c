/* Connections and statements. */
#include "server/store.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/log.h"
#include "server/store_private.h"

enum ock_status ock_db_fail(struct ock_db *db, int code, struct ock_err *err)
{
    const char *words = db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(code);
    switch (code & 0xff) {
    case SQLITE_NOMEM:
        return ock_fail(err, OCK_NOMEM, "the store is out of memory");
    case SQLITE_FULL:
        return ock_fail(err, OCK_NOSPACE, "the disk is full");
    case SQLITE_CONSTRAINT:
        return ock_fail(err, OCK_CONFLICT, "the store refused a double entry: %s", words);
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        if (db->damaged && !atomic_exchange(db->damaged, true))
            ock_log(OCK_LOG_ERROR, "the store is damaged: %s; put a backup in its place", words);
        return ock_fail(err, OCK_CORRUPT, "the store is damaged: %s", words);
    default:
        return ock_fail(err, OCK_IO, "the store failed: %s (code %d)", words,
                        db->handle ? sqlite3_extended_errcode(db->handle) : code);
    }
}

enum ock_status ock_db_exec(struct ock_db *db, const char *sql, struct ock_err *err)
{
    int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? OCK_OK : ock_db_fail(db, code, err);
}

sqlite3_stmt *ock_db_prepare(struct ock_db *db, const char *sql, struct ock_err *err)
{
    for (size_t i = 0; i < db->count; i++) {
        if (db->statements[i].sql == sql)
            return db->statements[i].stmt;
    }
    assert(db->count < OCK_STATEMENTS_MAX);
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL);
    if (code != SQLITE_OK) {
        (void)ock_db_fail(db, code, err);
        return NULL;
    }
    db->statements[db->count].sql = sql;
    db->statements[db->count].stmt = stmt;
    db->count++;
    return stmt;
}

sqlite3_stmt *ock_db_prepare_once(struct ock_db *db, const char *sql, struct ock_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(db->handle, sql, -1, &stmt, NULL);
    if (code != SQLITE_OK)
        (void)ock_db_fail(db, code, err);
    return code == SQLITE_OK ? stmt : NULL;
}

void ock_db_bind_text(sqlite3_stmt *stmt, int index, const char *text)
{
    /* A failure to bind is out of memory, which the step then meets as well. */
    if (text)
        (void)sqlite3_bind_text(stmt, index, text, -1, SQLITE_STATIC);
    else
        (void)sqlite3_bind_null(stmt, index);
}

void ock_db_bind_int(sqlite3_stmt *stmt, int index, int64_t value)
{
    (void)sqlite3_bind_int64(stmt, index, value);
}

void ock_db_reset(sqlite3_stmt *stmt)
{
    (void)sqlite3_reset(stmt);
    (void)sqlite3_clear_bindings(stmt);
}

int ock_db_next(struct ock_db *db, sqlite3_stmt *stmt, struct ock_err *err)
{
    int code = sqlite3_step(stmt);
    if (code == SQLITE_ROW)
        return 1;
    if (code != SQLITE_DONE)
        (void)ock_db_fail(db, code, err);
    ock_db_reset(stmt);
    return code == SQLITE_DONE ? 0 : -1;
}

enum ock_status ock_db_run(struct ock_db *db, sqlite3_stmt *stmt, struct ock_err *err)
{
    int code;
    do
        code = sqlite3_step(stmt);
    while (code == SQLITE_ROW);
    enum ock_status status = code == SQLITE_DONE ? OCK_OK : ock_db_fail(db, code, err);
    ock_db_reset(stmt);
    return status;
}

const char *ock_db_text(sqlite3_stmt *stmt, int column)
{
    return (const char *)sqlite3_column_text(stmt, column);
}

int64_t ock_db_last_id(struct ock_db *db)
{
    return sqlite3_last_insert_rowid(db->handle);
}

int ock_db_changes(struct ock_db *db)
{
    return sqlite3_changes(db->handle);
}

static int note_wal_pages(void *ctx, sqlite3 *handle, const char *name, int pages)
{
    (void)handle;
    (void)name;
    ((struct ock_db *)ctx)->wal_pages = pages;
    return SQLITE_OK;
}

static void db_close(struct ock_db *db)
{
    for (size_t i = 0; i < db->count; i++)
        (void)sqlite3_finalize(db->statements[i].stmt);
    db->count = 0;
    (void)sqlite3_close(db->handle);
    db->handle = NULL;
}

static enum ock_status db_open(struct ock_db *db, const char *path, int flags, const char *pragmas,
                               struct ock_err *err)
{
    int code = sqlite3_open_v2(path, &db->handle,
                               flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL);
    if (code != SQLITE_OK)
        return ock_db_fail(db, code, err);
    (void)sqlite3_busy_timeout(db->handle, OCK_STORE_BUSY_MS);
    return ock_db_exec(db, pragmas, err);
}

enum ock_status ock_db_new(struct ock_db **out, const char *path, int flags, const char *pragmas,
                           struct ock_err *err)
{
    struct ock_db *db = calloc(1, sizeof(*db));
    if (!db)
        return ock_fail(err, OCK_NOMEM, "no memory for a connection");
    enum ock_status status = db_open(db, path, SQLITE_OPEN_READWRITE | flags, pragmas, err);
    if (status != OCK_OK) {
        ock_db_free(db);
        return status;
    }
    *out = db;
    return OCK_OK;
}

void ock_db_free(struct ock_db *db)
{
    if (!db)
        return;
    db_close(db);
    free(db);
}

static enum ock_status open_writer(struct ock_store *store, const char *path, struct ock_err *err)
{
    struct ock_db *db = &store->writer;
    db->damaged = &store->damaged;
    enum ock_status status =
        db_open(db, path, SQLITE_OPEN_READWRITE, "PRAGMA foreign_keys=OFF;", err);
    if (status == OCK_OK)
        status = ock_store_migrate(db, err);
    if (status == OCK_OK)
        status = ock_db_exec(db,
                             "PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY;"
                             "PRAGMA journal_size_limit=67108864;", /* of a log begun anew */
                             err);
    if (status == OCK_OK) /* also turns SQLite's own automatic checkpoints off */
        (void)sqlite3_wal_hook(db->handle, note_wal_pages, db);
    return status;
}

static enum ock_status open_readers(struct ock_store *store, const char *path, struct ock_err *err)
{
    for (size_t i = 0; i < OCK_STORE_READERS; i++) {
        store->readers[i].damaged = &store->damaged;
        enum ock_status status = db_open(&store->readers[i], path, SQLITE_OPEN_READWRITE,
                                         "PRAGMA query_only=1; PRAGMA wal_autocheckpoint=0;", err);
        if (status != OCK_OK)
            return status;
        store->free_readers[store->free_count++] = &store->readers[i];
    }
    return OCK_OK;
}

enum ock_status ock_store_open(struct ock_store **out, const char *path, struct ock_err *err)
{
    struct ock_store *store = calloc(1, sizeof(*store));
    if (!store)
        return ock_fail(err, OCK_NOMEM, "no memory for the store");
    (void)pthread_mutex_init(&store->read_mutex, NULL);
    (void)pthread_cond_init(&store->read_free, NULL);
    (void)pthread_mutex_init(&store->queue_mutex, NULL);
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&store->queue_filled, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    size_t size = strlen(path) + sizeof(".room");
    enum ock_status status = OCK_OK;
    store->room_path = malloc(size);
    if (!store->room_path)
        status = ock_fail(err, OCK_NOMEM, "no memory for the store");
    else
        (void)snprintf(store->room_path, size, "%s.room", path);
    bool is_there = false;
    if (status == OCK_OK)
        status = ock_store_look(path, &is_there, err);
    if (status == OCK_OK && !is_there)
        status = ock_store_make(path, err);
    bool is_unclean = is_there && ock_store_has_log(path);
    if (status == OCK_OK)
        status = open_writer(store, path, err);
    if (status == OCK_OK)
        ock_store_keep_room(store);
    if (status == OCK_OK)
        status = open_readers(store, path, err);
    if (status == OCK_OK)
        status = ock_store_start_committer(store, err);
    if (status == OCK_OK && is_unclean)
        status = ock_store_start_check(store, path, err);
    if (status != OCK_OK) {
        ock_store_close(store);
        return status;
    }
    *out = store;
    return OCK_OK;
}

void ock_store_close(struct ock_store *store)
{
    if (!store)
        return;
    ock_store_stop_check(store);
    ock_store_stop_committer(store);
    for (size_t i = 0; i < OCK_STORE_READERS; i++)
        db_close(&store->readers[i]);
    db_close(&store->writer); /* the last one: it folds the WAL into the file */
    (void)pthread_cond_destroy(&store->queue_filled);
    (void)pthread_mutex_destroy(&store->queue_mutex);
    (void)pthread_cond_destroy(&store->read_free);
    (void)pthread_mutex_destroy(&store->read_mutex);
    free(store->taken);
    free(store->spare);
    free(store->room_path);
    free(store);
}

struct ock_db *ock_store_read(struct ock_store *store, struct ock_err *err)
{
    (void)pthread_mutex_lock(&store->read_mutex);
    while (store->free_count == 0)
        (void)pthread_cond_wait(&store->read_free, &store->read_mutex);
    struct ock_db *db = store->free_readers[--store->free_count];
    (void)pthread_mutex_unlock(&store->read_mutex);
    sqlite3_stmt *begin = ock_db_prepare(db, "BEGIN", err);
    if (begin && ock_db_run(db, begin, err) == OCK_OK)
        return db;
    ock_store_read_end(store, db);
    return NULL;
}

void ock_store_read_end(struct ock_store *store, struct ock_db *db)
{
    if (!sqlite3_get_autocommit(db->handle)) {
        sqlite3_stmt *end = ock_db_prepare(db, "COMMIT", NULL);
        if (!end || ock_db_run(db, end, NULL) != OCK_OK)
            (void)ock_db_exec(db, "ROLLBACK", NULL);
    }
    (void)pthread_mutex_lock(&store->read_mutex);
    store->free_readers[store->free_count++] = db;
    (void)pthread_cond_signal(&store->read_free);
    (void)pthread_mutex_unlock(&store->read_mutex);
}
