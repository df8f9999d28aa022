/* The committer: takes all that waits, applies it in one transaction, syncs once, tells everyone.
 *
 * Invariant of the loop: writes leave the queue in the order of their posts, but deletions, which
 * go first. What could not be stored and keeps trying goes back to the front; store_settle.c says
 * how a batch that meets a fault is parted. */
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

/* Puts what is to be tried again back to the front of the queue; false: there is none. */
static bool put_back(struct ock_store *store, const struct ock_taken *taken, size_t count)
{
    bool any = false;
    (void)pthread_mutex_lock(&store->queue_mutex);
    for (size_t i = count; i > 0;
         i--) { /* from the last on, so that the first comes to the front */
        struct ock_write *write = taken[i - 1].write;
        if (!taken[i - 1].again)
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

/* Does not wait for a reader (a backup reads for seconds): what cannot be folded now stays in the
 * log and is folded later. Only of a log that is very long, readers that follow upon each other
 * without a gap are asked to wait, shortly and not often. */
void ock_store_fold(struct ock_store *store)
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
static size_t take_batch(struct ock_store *store, struct ock_taken *taken, bool *closing)
{
    (void)pthread_mutex_lock(&store->queue_mutex);
    wait_for_writes(store);
    size_t count = 0;
    while (store->queue && count < BATCH_MAX) {
        taken[count++] = (struct ock_taken){.write = store->queue, .job = store->queue->job};
        store->urgent -= !store->queue->lazy;
        store->queue = store->queue->next;
    }
    if (!store->queue)
        store->queue_tail = NULL;
    *closing = store->closing;
    (void)pthread_mutex_unlock(&store->queue_mutex);
    return count;
}

/* A failure says nothing for long: who waited for room may have got it, or nobody writes. */
bool ock_store_is_full(struct ock_store *store)
{
    int64_t full_ms = atomic_load(&store->full_ms);
    return full_ms != 0 && ock_store_now_ms() - full_ms < 4 * RETRY_MS;
}

static void *run_committer(void *arg)
{
    struct ock_store *store = arg;
    for (;;) {
        bool closing = false;
        size_t count = take_batch(store, store->taken, &closing);
        if (count == 0 && closing)
            return NULL;
        if (count == 0) {
            ock_store_fold(store);
            ock_store_keep_room(store);
            continue;
        }
        ock_store_settle(store, store->taken, count, closing);
        store->unfolded = true;
        if (store->writer.wal_pages >= store->fold_pages)
            ock_store_fold(store);
        ock_store_keep_room(store);
        if (put_back(store, store->taken, count)) {
            struct timespec pause = {.tv_nsec = RETRY_MS * 1000000L};
            (void)nanosleep(&pause, NULL);
        }
    }
}

enum ock_status ock_store_start_committer(struct ock_store *store, struct ock_err *err)
{
    store->unfolded = true; /* what an abrupt end may have left */
    store->fold_pages = CHECKPOINT_PAGES;
    store->truncate_pages = TRUNCATE_PAGES;
    store->taken = calloc(BATCH_MAX, sizeof(*store->taken));
    store->spare = calloc(BATCH_MAX, sizeof(*store->spare));
    if (!store->taken || !store->spare)
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

/* More writes than one batch takes may wait for room, and a deletion must not wait behind them. */
static void link_write(struct ock_store *store, struct ock_write *write)
{
    bool goes_first = ock_write_is_deletion(write);
    write->next = goes_first ? store->queue : NULL;
    if (goes_first || !store->queue)
        store->queue = write;
    else
        store->queue_tail->next = write;
    if (!write->next)
        store->queue_tail = write;
}

void ock_store_post(struct ock_store *store, struct ock_write *write)
{
    (void)pthread_mutex_lock(&store->queue_mutex);
    link_write(store, write);
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
