/* The committer: takes all that waits, applies it in one transaction, syncs once, tells everyone.
 *
 * Invariant of the loop: writes leave the queue in the order of their posts. A batch that meets a
 * full disk is undone as a whole; what keeps trying goes back to the front, the rest is told. */
#include <stdlib.h>
#include <time.h>

#include "server/log.h"
#include "server/store_private.h"

enum {
    BATCH_MAX = 1000,
    RETRY_MS = 500,
    CHECKPOINT_PAGES = 2000, /* 8 MiB: folded into the file as far as readers allow */
    TRUNCATE_PAGES = 100000, /* 400 MiB: cut when nobody reads */
    TRUNCATE_EVERY_MS = 1000,
    TRUNCATE_WAIT_MS = 20,
    IDLE_MS =
        2000, /* without a write: the log is folded, so that the next start has none to read */
};

struct result {
    struct ock_write *write;
    enum ock_status status;
    bool again; /* goes back to the queue */
    struct ock_err err;
};

/* Lets a write of the batch fail alone. */
static enum ock_status apply_one(struct ock_db *db, struct ock_write *write, struct ock_err *err)
{
    sqlite3_stmt *savepoint = ock_db_prepare(db, "SAVEPOINT one", err);
    sqlite3_stmt *release = ock_db_prepare(db, "RELEASE one", err);
    sqlite3_stmt *back = ock_db_prepare(db, "ROLLBACK TO one", err);
    if (!savepoint || !release || !back)
        return OCK_NOMEM;
    enum ock_status status = ock_db_run(db, savepoint, err);
    if (status != OCK_OK)
        return status;
    status = write->apply(db, write->ctx, err);
    /* SQLite itself may have rolled back all of it (disk full): then there is no savepoint. */
    if (status != OCK_OK && !sqlite3_get_autocommit(db->handle))
        (void)ock_db_run(db, back, NULL);
    if (!sqlite3_get_autocommit(db->handle)) {
        enum ock_status released = ock_db_run(db, release, status == OCK_OK ? err : NULL);
        status = status == OCK_OK ? released : status;
    }
    return status;
}

/* Undoes the whole batch: tried again later, or (damage) each write apart. */
static bool is_fault_of_the_disk(enum ock_status status)
{
    return status == OCK_NOSPACE || status == OCK_IO || status == OCK_NOMEM ||
           status == OCK_CORRUPT;
}

/* One transaction. Not OK: nothing of it happened, and err says why. */
static enum ock_status commit_batch(struct ock_db *db, struct result *results, size_t count,
                                    struct ock_err *err)
{
    sqlite3_stmt *begin = ock_db_prepare(db, "BEGIN IMMEDIATE", err);
    sqlite3_stmt *commit = ock_db_prepare(db, "COMMIT", err);
    if (!begin || !commit)
        return OCK_NOMEM;
    enum ock_status status = ock_db_run(db, begin, err);
    for (size_t i = 0; status == OCK_OK && i < count; i++) {
        struct result *result = &results[i];
        result->err = (struct ock_err){0};
        result->status = apply_one(db, result->write, &result->err);
        if (result->status != OCK_OK && result->err.status != OCK_OK)
            result->status = result->err.status; /* the sentence knows it better */
        if (is_fault_of_the_disk(result->status)) {
            status = result->status;
            if (err)
                *err = result->err;
        }
    }
    if (status == OCK_OK)
        status = ock_db_run(db, commit, err);
    if (status != OCK_OK && !sqlite3_get_autocommit(db->handle))
        (void)ock_db_exec(db, "ROLLBACK", NULL);
    return status;
}

/* Puts what is to be tried again back to the front of the queue; false: there is none. */
static bool put_back(struct ock_store *store, const struct result *results, size_t count)
{
    bool any = false;
    (void)pthread_mutex_lock(&store->queue_mutex);
    for (size_t i = count; i > 0;
         i--) { /* from the last on, so that the first comes to the front */
        struct ock_write *write = results[i - 1].write;
        if (!results[i - 1].again)
            continue;
        any = true;
        store->urgent += !write->lazy;
        write->next = store->queue;
        store->queue = write;
        if (!store->queue_tail)
            store->queue_tail = write;
    }
    (void)pthread_mutex_unlock(&store->queue_mutex);
    return any;
}

static void tell_results(struct result *results, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct result *result = &results[i];
        result->again = false;
        result->write->done(result->write->ctx, result->status, &result->err);
    }
}

/* After a batch that failed. A damaged page stays damaged: nobody waits for it. */
static void tell_failure(struct result *results, size_t count, bool give_up,
                         const struct ock_err *err)
{
    for (size_t i = 0; i < count; i++) {
        struct ock_write *write = results[i].write;
        results[i].again = write->keep_trying && !give_up && err->status != OCK_CORRUPT;
        if (!results[i].again)
            write->done(write->ctx, err->status, err);
    }
}

/* Does not wait for a reader (a backup reads for seconds): what cannot be folded now stays in the
 * log and is folded later. Only of a log that is very long, readers that follow upon each other
 * without a gap are asked to wait, shortly and not often. */
static void fold_wal(struct ock_store *store)
{
    sqlite3 *handle = store->writer.handle;
    int mode = SQLITE_CHECKPOINT_PASSIVE, pages = 0, folded = 0, wait_ms = 0;
    if (store->writer.wal_pages > store->truncate_pages &&
        ock_store_now_ms() >= store->truncate_ms) {
        mode = SQLITE_CHECKPOINT_TRUNCATE;
        wait_ms = TRUNCATE_WAIT_MS;
        store->truncate_ms = ock_store_now_ms() + TRUNCATE_EVERY_MS;
    }
    (void)sqlite3_busy_timeout(handle, wait_ms);
    int code = sqlite3_wal_checkpoint_v2(handle, NULL, mode, &pages, &folded);
    (void)sqlite3_busy_timeout(handle, OCK_STORE_BUSY_MS);
    if (code == SQLITE_OK && pages == folded)
        store->unfolded = false;
}

static struct timespec after_ms(long ms)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += ms % 1000 * 1000000L;
    if (at.tv_nsec >= 1000000000L) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000L;
    }
    return at;
}

/* Under queue_mutex: waits for any write, or until the log can be folded in peace. */
static void wait_for_any(struct ock_store *store)
{
    const struct timespec deadline = after_ms(IDLE_MS);
    int late = 0;
    while (!store->queue && !store->closing && !late)
        late = store->unfolded
                   ? pthread_cond_timedwait(&store->queue_filled, &store->queue_mutex, &deadline)
                   : pthread_cond_wait(&store->queue_filled, &store->queue_mutex);
}

/* Under queue_mutex: waits for a write that somebody waits for, or for a lazy one's time. */
static void wait_for_writes(struct ock_store *store)
{
    wait_for_any(store);
    if (!store->queue)
        return;
    const struct timespec deadline = after_ms(OCK_STORE_LAZY_MS);
    int late = 0;
    while (store->urgent == 0 && !store->closing && !late)
        late = pthread_cond_timedwait(&store->queue_filled, &store->queue_mutex, &deadline);
}

/* Takes up to BATCH_MAX writes; 0: nothing is to be written, for a while or (closing) for ever. */
static size_t take_batch(struct ock_store *store, struct result *results, bool *closing)
{
    (void)pthread_mutex_lock(&store->queue_mutex);
    wait_for_writes(store);
    size_t count = 0;
    while (store->queue && count < BATCH_MAX) {
        results[count++] = (struct result){.write = store->queue};
        store->urgent -= !store->queue->lazy;
        store->queue = store->queue->next;
    }
    if (!store->queue)
        store->queue_tail = NULL;
    *closing = store->closing;
    (void)pthread_mutex_unlock(&store->queue_mutex);
    return count;
}

static bool any_makes_room(const struct result *results, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (results[i].write->makes_room)
            return true;
    }
    return false;
}

/* commit_batch, and once more with the room that is kept for deletions. */
static enum ock_status commit(struct ock_store *store, struct result *results, size_t count,
                              struct ock_err *err)
{
    enum ock_status status = commit_batch(&store->writer, results, count, err);
    if (status != OCK_NOSPACE || !any_makes_room(results, count) || !ock_store_give_room(store))
        return status;
    *err = (struct ock_err){0};
    return commit_batch(&store->writer, results, count, err);
}

static void note_room(struct ock_store *store, enum ock_status status)
{
    if (status == OCK_OK || status == OCK_NOSPACE)
        atomic_store(&store->full_ms, status == OCK_OK ? 0 : ock_store_now_ms());
}

/* A failure says nothing for long: who waited for room may have got it, or nobody writes. */
bool ock_store_is_full(struct ock_store *store)
{
    int64_t full_ms = atomic_load(&store->full_ms);
    return full_ms != 0 && ock_store_now_ms() - full_ms < 4 * RETRY_MS;
}

static enum ock_status commit_noting(struct ock_store *store, struct result *results, size_t count,
                                     struct ock_err *err)
{
    *err = (struct ock_err){0};
    enum ock_status status = commit(store, results, count, err);
    note_room(store, status);
    return status == OCK_OK || err->status == OCK_OK ? status : err->status;
}

/* Commits a batch and tells everyone. Where the store is damaged, each write has a transaction of its
 * own, so that a bad page takes down only the writes that need it; and a second one, since a read
 * that failed once may look like damage to SQLite. */
static void settle(struct ock_store *store, struct result *results, size_t count, bool closing)
{
    struct ock_err err;
    enum ock_status status = commit_noting(store, results, count, &err);
    if (status == OCK_CORRUPT && count > 1) {
        for (size_t i = 0; i < count; i++)
            settle(store, &results[i], 1, closing);
        return;
    }
    if (status == OCK_CORRUPT)
        status = commit_noting(store, results, count, &err);
    if (status == OCK_OK) {
        tell_results(results, count);
        return;
    }
    ock_log(OCK_LOG_ERROR, "a transaction failed: %s", err.text);
    tell_failure(results, count, closing, &err);
}

static void *run_committer(void *arg)
{
    struct ock_store *store = arg;
    struct result *results = store->results;
    for (;;) {
        bool closing = false;
        size_t count = take_batch(store, results, &closing);
        if (count == 0 && closing)
            return NULL;
        if (count == 0) {
            fold_wal(store);
            continue;
        }
        settle(store, results, count, closing);
        if (put_back(store, results, count)) {
            struct timespec pause = {.tv_nsec = RETRY_MS * 1000000L};
            (void)nanosleep(&pause, NULL);
            continue;
        }
        store->unfolded = true;
        if (store->writer.wal_pages >= store->fold_pages)
            fold_wal(store);
        ock_store_keep_room(store);
    }
}

enum ock_status ock_store_start_committer(struct ock_store *store, struct ock_err *err)
{
    store->unfolded = true; /* what an abrupt end may have left */
    store->fold_pages = CHECKPOINT_PAGES;
    store->truncate_pages = TRUNCATE_PAGES;
    store->results = calloc(BATCH_MAX, sizeof(struct result));
    if (!store->results)
        return ock_fail(err, OCK_NOMEM, "no memory for the committer");
    int failed = pthread_create(&store->committer, NULL, run_committer, store);
    if (failed)
        return ock_fail_errno(err, failed, "cannot start the committer");
    store->has_committer = true;
    return OCK_OK;
}

void ock_store_stop_committer(struct ock_store *store)
{
    if (!store->has_committer)
        return;
    (void)pthread_mutex_lock(&store->queue_mutex);
    store->closing = true;
    (void)pthread_cond_signal(&store->queue_filled);
    (void)pthread_mutex_unlock(&store->queue_mutex);
    (void)pthread_join(store->committer, NULL);
    store->has_committer = false;
}

void ock_store_post(struct ock_store *store, struct ock_write *write)
{
    write->next = NULL;
    (void)pthread_mutex_lock(&store->queue_mutex);
    if (store->queue_tail)
        store->queue_tail->next = write;
    else
        store->queue = write;
    store->queue_tail = write;
    store->urgent += !write->lazy;
    (void)pthread_cond_signal(&store->queue_filled);
    (void)pthread_mutex_unlock(&store->queue_mutex);
}

/* A write that someone waits for. */
struct waiter {
    enum ock_status (*apply)(struct ock_db *, void *, struct ock_err *);
    void *ctx;
    pthread_mutex_t mutex;
    pthread_cond_t told;
    bool is_done;
    enum ock_status status;
    struct ock_err err;
};

static enum ock_status apply_waiter(struct ock_db *db, void *ctx, struct ock_err *err)
{
    struct waiter *waiter = ctx;
    return waiter->apply(db, waiter->ctx, err);
}

static void tell_waiter(void *ctx, enum ock_status status, const struct ock_err *err)
{
    struct waiter *waiter = ctx;
    (void)pthread_mutex_lock(&waiter->mutex);
    waiter->status = status;
    waiter->err = *err;
    waiter->is_done = true;
    (void)pthread_cond_signal(&waiter->told);
    (void)pthread_mutex_unlock(&waiter->mutex);
}

static enum ock_status post_and_wait(struct ock_store *store, struct waiter waiter, bool makes_room,
                                     struct ock_err *err)
{
    (void)pthread_mutex_init(&waiter.mutex, NULL);
    (void)pthread_cond_init(&waiter.told, NULL);
    struct ock_write write = {
        .apply = apply_waiter, .done = tell_waiter, .ctx = &waiter, .makes_room = makes_room};
    ock_store_post(store, &write);
    (void)pthread_mutex_lock(&waiter.mutex);
    while (!waiter.is_done)
        (void)pthread_cond_wait(&waiter.told, &waiter.mutex);
    (void)pthread_mutex_unlock(&waiter.mutex);
    (void)pthread_cond_destroy(&waiter.told);
    (void)pthread_mutex_destroy(&waiter.mutex);
    if (waiter.status != OCK_OK && err)
        *err = waiter.err;
    return waiter.status;
}

enum ock_status ock_store_write(struct ock_store *store,
                                enum ock_status (*apply)(struct ock_db *, void *, struct ock_err *),
                                void *ctx, struct ock_err *err)
{
    return post_and_wait(store, (struct waiter){.apply = apply, .ctx = ctx}, false, err);
}

enum ock_status ock_store_delete(struct ock_store *store,
                                 enum ock_status (*apply)(struct ock_db *, void *,
                                                          struct ock_err *),
                                 void *ctx, struct ock_err *err)
{
    return post_and_wait(store, (struct waiter){.apply = apply, .ctx = ctx}, true, err);
}
