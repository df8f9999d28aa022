/* What store.c and store_commit.c share. */
#ifndef OCK_SERVER_STORE_PRIVATE_H
#define OCK_SERVER_STORE_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "server/store.h"

enum { OCK_STORE_READERS = 4, OCK_STATEMENTS_MAX = 96, OCK_STORE_BUSY_MS = 5000 };

struct ock_db {
    sqlite3 *handle;
    size_t count;
    struct {
        const char *sql;
        sqlite3_stmt *stmt;
    } statements[OCK_STATEMENTS_MAX];
    atomic_bool *damaged; /* set when SQLite finds damage; NULL: nobody asks */
    int wal_pages;        /* in the log, after the last commit; write connection only */
};

/* Lock table: queue, queue_tail, urgent, closing → queue_mutex; free_readers → read_mutex; writer → the
 * committer thread alone (after open). */
struct ock_store {
    struct ock_db writer;
    struct ock_db readers[OCK_STORE_READERS];
    pthread_mutex_t read_mutex;
    pthread_cond_t read_free;
    struct ock_db *free_readers[OCK_STORE_READERS];
    size_t free_count;
    pthread_mutex_t queue_mutex;
    pthread_cond_t queue_filled;
    struct ock_write *queue, *queue_tail;
    size_t urgent; /* writes in the queue that are not lazy */
    bool closing;
    bool has_committer;
    pthread_t committer;
    struct ock_store_check *check; /* NULL: none was needed */
    atomic_bool damaged;
    struct ock_taken *taken, *spare; /* the committer's batch, and room to part it; owned */
    bool unfolded;                   /* the committer's: the log holds what the file does not */
    /* Immutable once writes come: a log of so many pages is folded, cut when nobody reads. */
    int fold_pages, truncate_pages;
    int64_t truncate_ms;   /* the committer's: not tried again before that */
    char *room_path;       /* of the file that keeps room for deletions; immutable, owned */
    int64_t room_bytes;    /* the committer's: what the file keeps now */
    int64_t room_retry_ms; /* the committer's: not made again before that */
    atomic_llong full_ms;  /* when a transaction last met a full disk; 0: the last one did not */
};

int64_t ock_store_now_ms(void); /* monotonic */
enum ock_status ock_store_start_committer(struct ock_store *store, struct ock_err *err);
void ock_store_stop_committer(struct ock_store *store);
/* Folds the log into the file, as far as no reader has to wait for it. The committer's thread. */
void ock_store_fold(struct ock_store *store);
/* A full disk could not even take the deletions that would make room: a log has to grow first. So
 * a file beside the store keeps a little room for them. keep fills it up if the disk has plenty; give
 * takes a slice of it off, unless less than `reserve` bytes would be left (false). The committer's
 * thread alone. */
enum { OCK_STORE_ROOM_BYTES = 4 << 20 };
void ock_store_keep_room(struct ock_store *store);
bool ock_store_give_room(struct ock_store *store, int64_t reserve);

/* A write that the committer has taken from the queue. */
struct ock_taken {
    struct ock_write *write; /* gone once it is told */
    int64_t job;             /* the write's */
    int rank;                /* store_settle.c's */
    bool failed;             /* not stored, by a fault of the disk; status and err say which */
    bool again;              /* … and goes back to the queue */
    enum ock_status status;
    struct ock_err err;
};
/* Stores the batch, in one transaction if nothing is wrong, and tells everyone but those that are to
 * be tried again, which it leaves in an order that is right for the queue. closing: none are. */
void ock_store_settle(struct ock_store *store, struct ock_taken *taken, size_t count, bool closing);
/* Commutes with all that waits beside it. */
static inline bool ock_write_is_deletion(const struct ock_write *write)
{
    return write->makes_room && write->job == 0;
}

/* A connection of its own, with the pragmas run; flags are beyond READWRITE. Errors: as
 * ock_store_open. */
enum ock_status ock_db_new(struct ock_db **out, const char *path, int flags, const char *pragmas,
                           struct ock_err *err);
void ock_db_free(struct ock_db *db); /* NULL is a no-op */
/* Whether the file is there and can be a store. Errors: CORRUPT, IO. */
enum ock_status ock_store_look(const char *path, bool *is_there, struct ock_err *err);
/* Makes a new store under another name and renames it. */
enum ock_status ock_store_make(const char *path, struct ock_err *err);
/* Nothing is changed. Errors: CORRUPT (foreign, damaged), UNSUPPORTED (another version). */
enum ock_status ock_store_same_version(struct ock_db *db, struct ock_err *err);
/* True after an end that was not clean. */
bool ock_store_has_log(const char *path);
/* Reads everything in the background; stop ends it where it is. */
enum ock_status ock_store_start_check(struct ock_store *store, const char *path,
                                      struct ock_err *err);
void ock_store_stop_check(struct ock_store *store);
/* SQLite's result as a status of ours, with its words. */
enum ock_status ock_db_fail(struct ock_db *db, int code, struct ock_err *err);

#endif
