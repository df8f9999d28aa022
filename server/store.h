/* The store: one SQLite file in WAL mode.
 *
 * Writes are functions that run on the committer thread, the only user of the only write
 * connection. While one transaction is being synced, the next batch gathers: group commit without a
 * timer. A write's `done` is called after its transaction is on the disk (synchronous=FULL), so
 * what was told to anyone survives a power cut. Checkpoints of the WAL happen between two
 * transactions on the same connection: SQLite before 3.51.3 can lose data when one connection
 * writes while another checkpoints.
 *
 * Reads are short transactions on a small pool of connections. */
#ifndef OCK_SERVER_STORE_H
#define OCK_SERVER_STORE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/status.h"

enum { OCK_STORE_LAZY_MS = 20 };

struct ock_store;
struct ock_db; /* a connection and its prepared statements; one thread at a time */

/* Opens or makes the file. After an end that was not clean, all of it is read in the background.
 * Errors: CORRUPT (no store of ours, damaged, or made by a newer version), IO, NOSPACE, NOMEM. */
enum ock_status ock_store_open(struct ock_store **out, const char *path, struct ock_err *err);
/* Finishes all writes that were posted. Nobody may hold a read connection. NULL is a no-op. */
void ock_store_close(struct ock_store *store);

/* Damage was met, by a read, a write or the check in the background. */
bool ock_store_is_damaged(const struct ock_store *store);

/* A write in the queue. `apply` may run more than once (each time from the state before it) and
 * must change nothing but the database and its own results in ctx. A status other than OK undoes
 * this write alone and goes to `done`. `done` runs on the committer thread, must be quick, and may
 * free the write. */
struct ock_write {
    enum ock_status (*apply)(struct ock_db *db, void *ctx, struct ock_err *err);
    void (*done)(void *ctx, enum ock_status status, const struct ock_err *err);
    void *ctx;
    /* The number of the job whose writes have to stay in the order of their posts: none is stored
     * while one before it is not. 0: it is bound to no order. */
    int64_t job;
    /* True: a full disk or an I/O error is tried again until it works or the store closes; the writes
     * of other jobs go on meanwhile. A damaged page would be damaged again: that is told to any
     * write. */
    bool keep_trying;
    /* True: nobody waits for it; it may lie for OCK_STORE_LAZY_MS, to share the next write's sync. */
    bool lazy;
    /* True: on a full disk it goes before the others and gets the room that is kept for such.
     * Deletions (job 0), and the few bytes that set a job aside, with what was posted for the job
     * before them. */
    bool makes_room;
    struct ock_write *next; /* the store's */
};

/* True while transactions fail because the disk is full: the last one did, a moment ago. */
bool ock_store_is_full(struct ock_store *store);

/* Queues a write. Writes happen in the order of their posts, but deletions, which go first. */
void ock_store_post(struct ock_store *store, struct ock_write *write);
/* Posts and waits for the commit. */
enum ock_status ock_store_write(struct ock_store *store,
                                enum ock_status (*apply)(struct ock_db *, void *, struct ock_err *),
                                void *ctx, struct ock_err *err);
/* The same for a deletion (makes_room). */
enum ock_status ock_store_delete(struct ock_store *store,
                                 enum ock_status (*apply)(struct ock_db *, void *,
                                                          struct ock_err *),
                                 void *ctx, struct ock_err *err);

/* A connection with a read transaction (a snapshot); waits while all are taken. NULL: the
 * transaction cannot begin (err says why). */
struct ock_db *ock_store_read(struct ock_store *store, struct ock_err *err);
void ock_store_read_end(struct ock_store *store, struct ock_db *db);

/* --- Statements --------------------------------------------------------------------------------
 */

/* The prepared statement of a SQL text (a string literal: its address is the key), reset and
 * unbound; NULL with err set. Borrowed from the connection. */
sqlite3_stmt *ock_db_prepare(struct ock_db *db, const char *sql, struct ock_err *err);
/* For SQL that is made at run time: the statement is the caller's (sqlite3_finalize). */
sqlite3_stmt *ock_db_prepare_once(struct ock_db *db, const char *sql, struct ock_err *err);
/* Binds text that lives until the statement is done; NULL binds NULL. Parameters count from 1. */
void ock_db_bind_text(sqlite3_stmt *stmt, int index, const char *text);
void ock_db_bind_int(sqlite3_stmt *stmt, int index, int64_t value);
/* Runs to the end and resets. */
enum ock_status ock_db_run(struct ock_db *db, sqlite3_stmt *stmt, struct ock_err *err);
/* 1: a row; 0: no more (the statement is reset); -1: an error (err is set, it is reset). */
int ock_db_next(struct ock_db *db, sqlite3_stmt *stmt, struct ock_err *err);
void ock_db_reset(sqlite3_stmt *stmt);                   /* when rows are left unread */
const char *ock_db_text(sqlite3_stmt *stmt, int column); /* NULL for NULL; columns count from 0 */
int64_t ock_db_last_id(struct ock_db *db);
int ock_db_changes(struct ock_db *db);
/* Runs SQL without parameters or results. */
enum ock_status ock_db_exec(struct ock_db *db, const char *sql, struct ock_err *err);

/* Makes the tables or brings them to this version (store_schema.c). */
enum ock_status ock_store_migrate(struct ock_db *db, struct ock_err *err);

#endif
