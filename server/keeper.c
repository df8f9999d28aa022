/* Wakes by a call or by the clock, gathers for a moment, works, and sleeps again. */
#include "server/keeper.h"

#include <stdlib.h>
#include <time.h>

#include "server/ids.h"
#include "server/log.h"
#include "server/store_retention.h"
#include "server/sweep.h"

enum {
    GATHER_MS = 100, /* jobs that end together make one round */
    PAUSE_MS = 5,    /* between two writes, so that others are not slowed by more than half */
    LOOK_STEPS = 20, /* of a long clean-up: then the limits are looked at again */
    CLOCK_MS_MIN = 500,
    CLOCK_MS_MAX = 60000,
    FREE_PAGES_MIN = 256, /* 1 MiB: fewer are left for the next jobs */
    FREE_SHARE = 16,      /* and so is up to a 16th of the file */
};

/* woken, stopping → mutex; sweep, steps → the thread, after the start; the rest is immutable or the
 * owner's. */
struct ock_keeper {
    struct ock_engine *engine;
    struct ock_sweep sweep;
    unsigned steps; /* of clean-ups */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool woken, stopping;
    bool is_running;
    pthread_t thread;
};

static struct timespec after_ms(int64_t ms)
{
    struct timespec at;
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += (time_t)(ms / 1000);
    at.tv_nsec += (long)(ms % 1000) * 1000000L;
    if (at.tv_nsec >= 1000000000L) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000L;
    }
    return at;
}

/* Waits so long; false: the keeper is to end. early: a wake-up ends it before. */
static bool wait_ms(struct ock_keeper *keeper, int64_t ms, bool early)
{
    const struct timespec deadline = after_ms(ms);
    int late = 0;
    (void)pthread_mutex_lock(&keeper->mutex);
    while (!keeper->stopping && !late && !(early && keeper->woken))
        late = pthread_cond_timedwait(&keeper->changed, &keeper->mutex, &deadline);
    bool goes_on = !keeper->stopping;
    (void)pthread_mutex_unlock(&keeper->mutex);
    return goes_on;
}

/* How often age alone can matter. */
static int64_t clock_ms(const struct ock_keep *keep)
{
    double ms = keep->days * 24 * 3600 * 1000 / 10;
    if (!(ms > 0) || ms > CLOCK_MS_MAX)
        return CLOCK_MS_MAX;
    return ms < CLOCK_MS_MIN ? CLOCK_MS_MIN : (int64_t)ms;
}

/* --- Jobs -------------------------------------------------------------------------------------- */

static bool has_limits(const struct ock_keep *keep)
{
    return keep->jobs > 0 || keep->days > 0 || keep->bytes > 0 || keep->events > 0;
}

static enum ock_status pick(struct ock_keeper *keeper, struct ock_pick_over *out,
                            struct ock_err *err)
{
    struct ock_db *db = ock_store_read(keeper->engine->store, err);
    if (!db)
        return OCK_IO;
    enum ock_status status = ock_store_pick_over(db, &keeper->engine->keep, ock_now_ms(), out, err);
    ock_store_read_end(keeper->engine->store, db);
    return status;
}

/* Deletes what was picked; false: it failed, or the keeper is to end. */
static bool delete_picked(struct ock_keeper *keeper, const struct ock_pick_over *over,
                          struct ock_err *err)
{
    struct ock_deletion_step step = {.pick = over};
    while (step.begin < over->count) {
        if (ock_store_delete(keeper->engine->store, ock_store_delete_step, &step, err) != OCK_OK)
            return false;
        for (size_t i = step.begin; i < step.done; i++)
            ock_job_forget(keeper->engine, over->ids[i]);
        step.begin = step.done;
        if (!wait_ms(keeper, PAUSE_MS, false))
            return false;
    }
    return true;
}

static bool enforce_limits(struct ock_keeper *keeper, struct ock_err *err)
{
    struct ock_pick_over over;
    size_t count = 0;
    if (!has_limits(&keeper->engine->keep))
        return true;
    do {
        if (pick(keeper, &over, err) != OCK_OK || !delete_picked(keeper, &over, err))
            return false;
        count += over.count;
    } while (over.count > 0);
    if (count > 0)
        ock_log(OCK_LOG_DEBUG, "%zu ended jobs were beyond the limits and are gone", count);
    return true;
}

/* --- What deletions leave ---------------------------------------------------------------------- */

/* Between two steps of a clean-up, which may take long; jobs go on ending meanwhile, so the limits
 * cannot wait until it is over. False: it failed, or the keeper is to end. */
static bool pause_between(struct ock_keeper *keeper, struct ock_err *err)
{
    if (!wait_ms(keeper, PAUSE_MS, false))
        return false;
    keeper->steps++;
    return keeper->steps % LOOK_STEPS != 0 || enforce_limits(keeper, err);
}

static bool empty_graves(struct ock_keeper *keeper, struct ock_err *err)
{
    bool is_left = false;
    do {
        if (ock_store_delete(keeper->engine->store, ock_store_bury_step, &is_left, err) != OCK_OK)
            return false;
    } while (is_left && pause_between(keeper, err));
    return !is_left;
}

static bool count_free(struct ock_keeper *keeper, int64_t *free_pages, int64_t *pages,
                       struct ock_err *err)
{
    struct ock_db *db = ock_store_read(keeper->engine->store, err);
    if (!db)
        return false;
    bool ok = ock_store_free_pages(db, free_pages, pages, err) == OCK_OK;
    ock_store_read_end(keeper->engine->store, db);
    return ok;
}

/* Free pages are used again by the next jobs; only what is much is given back. */
static bool shrink_file(struct ock_keeper *keeper, struct ock_err *err)
{
    int64_t left = 0, pages = 0;
    if (!count_free(keeper, &left, &pages, err))
        return false;
    if (left <= FREE_PAGES_MIN || left <= pages / FREE_SHARE)
        return true;
    for (; left > 0; left -= OCK_STEP_PAGES) {
        if (ock_store_delete(keeper->engine->store, ock_store_shrink_step, NULL, err) != OCK_OK ||
            !pause_between(keeper, err))
            return false;
    }
    return true;
}

static void *run(void *arg)
{
    struct ock_keeper *keeper = arg;
    while (wait_ms(keeper, 0, false) && ock_sweep_next(&keeper->sweep, keeper->engine))
        continue;
    do {
        struct ock_err err = {0};
        (void)pthread_mutex_lock(&keeper->mutex);
        keeper->woken = false;
        (void)pthread_mutex_unlock(&keeper->mutex);
        bool ok =
            enforce_limits(keeper, &err) && empty_graves(keeper, &err) && shrink_file(keeper, &err);
        if (!ok && err.status != OCK_OK)
            ock_log(OCK_LOG_WARNING, "old jobs could not be removed now: %s", err.text);
    } while (wait_ms(keeper, clock_ms(&keeper->engine->keep), true) &&
             wait_ms(keeper, GATHER_MS, false));
    return NULL;
}

/* --- From outside ------------------------------------------------------------------------------ */

enum ock_status ock_keeper_new(struct ock_keeper **out, struct ock_engine *engine,
                               struct ock_err *err)
{
    struct ock_keeper *keeper = calloc(1, sizeof(*keeper));
    if (!keeper)
        return ock_fail(err, OCK_NOMEM, "no memory for the keeper");
    keeper->engine = engine;
    (void)pthread_mutex_init(&keeper->mutex, NULL);
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&keeper->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    enum ock_status status = ock_sweep_list(&keeper->sweep, engine, err);
    int failed = status == OCK_OK ? pthread_create(&keeper->thread, NULL, run, keeper) : 0;
    if (failed)
        status = ock_fail_errno(err, failed, "cannot start a thread");
    if (status != OCK_OK) {
        ock_keeper_free(keeper);
        return status;
    }
    keeper->is_running = true;
    *out = keeper;
    return OCK_OK;
}

void ock_keeper_wake(struct ock_keeper *keeper)
{
    if (!keeper)
        return;
    (void)pthread_mutex_lock(&keeper->mutex);
    keeper->woken = true;
    (void)pthread_cond_signal(&keeper->changed);
    (void)pthread_mutex_unlock(&keeper->mutex);
}

void ock_keeper_stop(struct ock_keeper *keeper)
{
    if (!keeper || !keeper->is_running)
        return;
    (void)pthread_mutex_lock(&keeper->mutex);
    keeper->stopping = true;
    (void)pthread_cond_signal(&keeper->changed);
    (void)pthread_mutex_unlock(&keeper->mutex);
    (void)pthread_join(keeper->thread, NULL);
    keeper->is_running = false;
}

void ock_keeper_free(struct ock_keeper *keeper)
{
    if (!keeper)
        return;
    ock_keeper_stop(keeper);
    (void)pthread_cond_destroy(&keeper->changed);
    (void)pthread_mutex_destroy(&keeper->mutex);
    ock_sweep_deinit(&keeper->sweep);
    free(keeper);
}
