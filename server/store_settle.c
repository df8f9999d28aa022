/* How a batch of writes becomes transactions: one, as long as nothing is wrong. A fault parts the
 * batch, so that it stops no more than it must.
 *
 * A full disk: deletions go first, then what sets jobs aside, then the rest. Only the first two get
 * the room that is kept, else the events of the jobs that run would take it. An I/O error that one
 * write meets, as at a sector that cannot be read: that write is set apart, the others go on.
 * Damage: each write has a transaction of its own.
 *
 * Whatever happens, no write of a job is stored while one that was posted before it is not. */
#include <assert.h>
#include <string.h>

#include "server/log.h"
#include "server/store_private.h"

enum rank { RANK_DELETION, RANK_ASIDE, RANK_REST, RANK_COUNT };

/* How much of the kept room is not for a rank: deletions may take all, the rest nothing. */
static const int64_t reserves[RANK_COUNT] = {
    [RANK_ASIDE] = OCK_STORE_ROOM_BYTES / 2, [RANK_REST] = OCK_STORE_ROOM_BYTES};

struct batch {
    struct ock_store *store;
    struct ock_taken *taken;
    bool closing;
};

/* What ended a transaction. culprit: the write that met it; the group's end if it was no write. */
struct fault {
    enum ock_status status;
    size_t culprit;
    struct ock_err err;
};

/* --- One transaction --------------------------------------------------------------------------- */

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

/* Undoes the whole transaction; any other status undoes its write alone. */
static bool is_fault_of_the_disk(enum ock_status status)
{
    return status == OCK_NOSPACE || status == OCK_IO || status == OCK_NOMEM ||
           status == OCK_CORRUPT;
}

/* Applies each; false: one met a fault of the disk. */
static bool apply_all(struct ock_db *db, struct ock_taken *taken, size_t begin, size_t end,
                      struct fault *fault)
{
    for (size_t i = begin; i < end; i++) {
        struct ock_taken *one = &taken[i];
        one->err = (struct ock_err){0};
        one->status = apply_one(db, one->write, &one->err);
        if (one->status != OCK_OK && one->err.status != OCK_OK)
            one->status = one->err.status; /* the sentence knows it better */
        if (is_fault_of_the_disk(one->status)) {
            *fault = (struct fault){one->status, i, one->err};
            return false;
        }
    }
    return true;
}

/* fault->status not OK: nothing of it happened. */
static void commit_once(struct ock_db *db, struct ock_taken *taken, size_t begin, size_t end,
                        struct fault *fault)
{
    *fault = (struct fault){.status = OCK_NOMEM, .culprit = end};
    sqlite3_stmt *start = ock_db_prepare(db, "BEGIN IMMEDIATE", &fault->err);
    sqlite3_stmt *commit = ock_db_prepare(db, "COMMIT", &fault->err);
    if (!start || !commit)
        return;
    fault->status = ock_db_run(db, start, &fault->err);
    if (fault->status == OCK_OK && apply_all(db, taken, begin, end, fault))
        fault->status = ock_db_run(db, commit, &fault->err);
    if (fault->status != OCK_OK && !sqlite3_get_autocommit(db->handle))
        (void)ock_db_exec(db, "ROLLBACK", NULL);
}

/* --- Who is told, and who is parted from whom -------------------------------------------------- */

static void tell_stored(struct batch *batch, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++) {
        struct ock_taken *one = &batch->taken[i];
        one->write->done(one->write->ctx, one->status, &one->err);
    }
}

/* A damaged page stays damaged: nobody waits for it. */
static void fail_one(struct batch *batch, struct ock_taken *one, enum ock_status status,
                     const struct ock_err *err)
{
    one->failed = true;
    one->status = status;
    one->err = *err;
    one->again = one->write->keep_trying && !batch->closing && status != OCK_CORRUPT;
    if (!one->again)
        one->write->done(one->write->ctx, status, err);
}

static void fail_all(struct batch *batch, size_t begin, size_t end, const struct fault *fault)
{
    ock_log(OCK_LOG_ERROR, "a transaction failed: %s", fault->err.text);
    for (size_t i = begin; i < end; i++)
        fail_one(batch, &batch->taken[i], fault->status, &fault->err);
}

/* Sorts by rank; within a rank the order stays. counts gets how many there are of each. */
static void arrange(struct batch *batch, size_t begin, size_t end, size_t counts[RANK_COUNT])
{
    struct ock_taken *taken = batch->taken, *spare = batch->store->spare;
    size_t sorted = 0;
    for (int rank = 0; rank < RANK_COUNT; rank++) {
        size_t before = sorted;
        for (size_t i = begin; i < end; i++) {
            if (taken[i].rank == rank)
                spare[sorted++] = taken[i];
        }
        counts[rank] = sorted - before;
    }
    memcpy(taken + begin, spare, sorted * sizeof(*spare));
}

/* The write before `limit` that was not stored and that one of this job builds on; NULL: none. */
static const struct ock_taken *find_failed(const struct batch *batch, size_t limit, int64_t job)
{
    for (size_t i = 0; job != 0 && i < limit; i++) {
        if (batch->taken[i].failed && batch->taken[i].job == job)
            return &batch->taken[i];
    }
    return NULL;
}

/* Those that build on a write that was not stored share its lot. Returns the end of the others. */
static size_t part_followers(struct batch *batch, size_t begin, size_t end)
{
    size_t counts[RANK_COUNT];
    for (size_t i = begin; i < end; i++) {
        bool follows = find_failed(batch, begin, batch->taken[i].job) != NULL;
        batch->taken[i].rank = follows ? RANK_REST : RANK_ASIDE;
    }
    arrange(batch, begin, end, counts);
    size_t left = end - counts[RANK_REST];
    for (size_t i = left; i < end; i++) {
        const struct ock_taken *before = find_failed(batch, begin, batch->taken[i].job);
        assert(before);
        fail_one(batch, &batch->taken[i], before->status, &before->err);
    }
    return left;
}

/* Moves the culprit and what builds on it behind the others. Returns the end of those. */
static size_t part_culprit(struct batch *batch, size_t begin, size_t end, size_t culprit)
{
    size_t counts[RANK_COUNT];
    int64_t job = batch->taken[culprit].job;
    for (size_t i = begin; i < end; i++) {
        bool follows = i > culprit && job != 0 && batch->taken[i].job == job;
        batch->taken[i].rank = i == culprit || follows ? RANK_REST : RANK_ASIDE;
    }
    arrange(batch, begin, end, counts);
    return end - counts[RANK_REST];
}

/* --- The batch --------------------------------------------------------------------------------- */

/* For who may have it, room is made: by the log, which is written anew from its beginning once it is
 * folded, then by what is kept. A single write that met damage gets a second transaction: a read that
 * failed once may look like damage to SQLite. */
static void commit_group(struct batch *batch, size_t begin, size_t end, int64_t reserve,
                         struct fault *fault)
{
    struct ock_store *store = batch->store;
    commit_once(&store->writer, batch->taken, begin, end, fault);
    if (fault->status == OCK_NOSPACE && reserve < OCK_STORE_ROOM_BYTES) {
        ock_store_fold(store);
        do
            commit_once(&store->writer, batch->taken, begin, end, fault);
        while (fault->status == OCK_NOSPACE && ock_store_give_room(store, reserve));
    }
    if (fault->status == OCK_CORRUPT && end - begin == 1)
        commit_once(&store->writer, batch->taken, begin, end, fault);
}

/* Commits a group and tells everyone. Of several writes, one of which met damage, none is told: the
 * caller gives each its own transaction. */
static bool settle_group(struct batch *batch, size_t begin, size_t end, int64_t reserve)
{
    struct fault fault;
    end = part_followers(batch, begin, end);
    while (begin < end) {
        commit_group(batch, begin, end, reserve, &fault);
        if (fault.status == OCK_OK) {
            tell_stored(batch, begin, end);
            return true;
        }
        if (fault.status == OCK_CORRUPT && end - begin > 1)
            return false;
        bool by_one = fault.status == OCK_IO && fault.culprit < end;
        size_t left = by_one ? part_culprit(batch, begin, end, fault.culprit) : begin;
        fail_all(batch, left, end, &fault);
        end = left;
    }
    return true;
}

static void settle_rank(struct batch *batch, size_t begin, size_t end, int64_t reserve)
{
    if (settle_group(batch, begin, end, reserve))
        return;
    for (size_t i = begin; i < end; i++) {
        if (!batch->taken[i].failed)
            (void)settle_group(batch, i, i + 1, reserve);
    }
}

/* What sets a job aside takes with it what was posted for the job before. */
static void rank_for_room(struct batch *batch, size_t count)
{
    struct ock_taken *taken = batch->taken;
    for (size_t i = 0; i < count; i++)
        taken[i].rank = ock_write_is_deletion(taken[i].write) ? RANK_DELETION : RANK_REST;
    for (size_t i = count; i > 0; i--) {
        const struct ock_taken *act = &taken[i - 1];
        if (!act->write->makes_room || act->rank != RANK_REST)
            continue;
        for (size_t j = 0; j < i; j++) {
            if (taken[j].job == act->job)
                taken[j].rank = RANK_ASIDE;
        }
    }
}

/* The rest is tried once more where others went first: a deletion may have made room. */
static void settle_without_room(struct batch *batch, size_t count, const struct fault *fault)
{
    size_t counts[RANK_COUNT], begin = 0;
    rank_for_room(batch, count);
    arrange(batch, 0, count, counts);
    if (counts[RANK_REST] == count) {
        fail_all(batch, 0, count, fault);
        return;
    }
    for (int rank = 0; rank < RANK_COUNT; rank++) {
        settle_rank(batch, begin, begin + counts[rank], reserves[rank]);
        begin += counts[rank];
    }
}

/* Whether the disk is full is what a whole batch meets, not what the kept room allows. */
static void note_room(struct ock_store *store, enum ock_status status)
{
    if (status == OCK_OK || status == OCK_NOSPACE)
        atomic_store(&store->full_ms, status == OCK_OK ? 0 : ock_store_now_ms());
}

void ock_store_settle(struct ock_store *store, struct ock_taken *taken, size_t count, bool closing)
{
    struct batch batch = {.store = store, .taken = taken, .closing = closing};
    struct fault fault;
    commit_once(&store->writer, taken, 0, count, &fault);
    note_room(store, fault.status);
    if (fault.status == OCK_OK)
        tell_stored(&batch, 0, count);
    else if (fault.status == OCK_NOSPACE)
        settle_without_room(&batch, count, &fault);
    else
        settle_rank(&batch, 0, count, reserves[RANK_REST]);
}
