/* The runner's list of jobs, the queue in its order, and the budgets. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/log.h"
#include "server/runner_private.h"

enum { RETRY_START_MS = 1000 };

/* --- The list and the queue -------------------------------------------------------------------- */

static struct ock_live **bucket_of(struct ock_runner *runner, const char *id)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (const char *c = id; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 16777619u;
    return &runner->buckets[hash % OCK_LIVE_BUCKETS];
}

struct ock_live *ock_runner_find(struct ock_runner *runner, const char *id)
{
    struct ock_live *live = *bucket_of(runner, id);
    while (live && strcmp(live->id, id) != 0)
        live = live->next_in_bucket;
    return live;
}

void ock_runner_link(struct ock_runner *runner, struct ock_live *live)
{
    struct ock_live **bucket = bucket_of(runner, live->id);
    live->next_in_bucket = *bucket;
    *bucket = live;
    live->next = runner->lives;
    if (live->next)
        live->next->prev = live;
    runner->lives = live;
}

static void unlink_live(struct ock_runner *runner, struct ock_live *live)
{
    struct ock_live **at = bucket_of(runner, live->id);
    while (*at != live)
        at = &(*at)->next_in_bucket;
    *at = live->next_in_bucket;
    if (live->prev)
        live->prev->next = live->next;
    else
        runner->lives = live->next;
    if (live->next)
        live->next->prev = live->prev;
}

/* Before: a runs before b. Ids made later sort later. */
static bool goes_before(const struct ock_live *a, const struct ock_live *b)
{
    if (a->priority != b->priority)
        return a->priority > b->priority;
    return strcmp(a->id, b->id) < 0;
}

void ock_runner_enqueue(struct ock_runner *runner, struct ock_live *live)
{
    if (runner->waiting_count == runner->waiting_capacity) {
        size_t capacity = runner->waiting_capacity ? 2 * runner->waiting_capacity : 64;
        struct ock_live **more = ock_patient_calloc(capacity * sizeof(*more));
        if (runner->waiting_count > 0)
            memcpy(more, runner->waiting, runner->waiting_count * sizeof(*more));
        free(runner->waiting);
        runner->waiting = more;
        runner->waiting_capacity = capacity;
    }
    size_t low = 0, high = runner->waiting_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (goes_before(runner->waiting[middle], live))
            low = middle + 1;
        else
            high = middle;
    }
    memmove(runner->waiting + low + 1, runner->waiting + low,
            (runner->waiting_count - low) * sizeof(*runner->waiting));
    runner->waiting[low] = live;
    live->queued_ms = ock_monotonic_ms();
    runner->waiting_count++;
    runner->delayed += live->not_before_ms > 0;
    atomic_fetch_add(&runner->engine->waiting, 1);
}

static void take_out(struct ock_runner *runner, size_t index)
{
    runner->delayed -= runner->waiting[index]->not_before_ms > 0;
    runner->waiting_count--;
    memmove(runner->waiting + index, runner->waiting + index + 1,
            (runner->waiting_count - index) * sizeof(*runner->waiting));
    atomic_fetch_sub(&runner->engine->waiting, 1);
}

void ock_runner_dequeue(struct ock_runner *runner, struct ock_live *live)
{
    for (size_t i = 0; i < runner->waiting_count; i++) {
        if (runner->waiting[i] == live) {
            take_out(runner, i);
            return;
        }
    }
}

static void publish_usage(struct ock_runner *runner)
{
    atomic_store(&runner->usage_cores, runner->cores_used);
    atomic_store(&runner->usage_memory, runner->memory_used);
    atomic_store(&runner->usage_running, runner->running);
}

void ock_runner_release(struct ock_runner *runner, struct ock_live *live)
{
    if (live->cores == 0)
        return;
    runner->cores_used -= live->cores;
    runner->memory_used -= live->memory_bytes;
    runner->running--;
    live->cores = 0;
    live->memory_bytes = 0;
    publish_usage(runner);
}

struct cleaning {
    struct ock_errand errand;
    const struct ock_engine *engine;
    char id[OCK_ID_SIZE];
};

static void run_cleaning(struct ock_errand *errand)
{
    struct cleaning *cleaning = (struct cleaning *)(void *)errand;
    ock_job_clean(cleaning->engine, cleaning->id);
    free(cleaning);
}

static void clean_up(struct ock_runner *runner, const struct ock_live *live)
{
    struct cleaning *cleaning = ock_patient_calloc(sizeof(*cleaning));
    cleaning->errand.run = run_cleaning;
    cleaning->engine = runner->engine;
    memcpy(cleaning->id, live->id, sizeof(cleaning->id));
    ock_errands_post(runner->engine->errands, &cleaning->errand);
}

void ock_runner_drop_if_over(struct ock_runner *runner, struct ock_live *live)
{
    if (!live->ended || live->has_worker || live->posts > 0)
        return;
    if (!live->aside)
        clean_up(runner, live);
    unlink_live(runner, live);
    free(live);
}

/* --- Starting ---------------------------------------------------------------------------------- */

/* Of the budget: the plan and the worker's own. */
static size_t memory_of(const struct ock_runner *runner, const struct ock_live *live)
{
    const struct ock_need *need = &live->need;
    return ock_job_memory_bytes(runner->engine, need->memory_bytes, need->threads,
                                need->threads_useful);
}

static void start(struct ock_runner *runner, struct ock_live *live, const struct ock_pick *pick)
{
    struct ock_err err = {0};
    if (ock_live_start(runner, live, pick->threads, &err) != OCK_OK) {
        /* The machine's fault, not the job's: no attempt is counted. */
        ock_log(OCK_LOG_ERROR, "%s cannot start: %s", live->id, err.text);
        live->not_before_ms = ock_monotonic_ms() + RETRY_START_MS;
        ock_runner_enqueue(runner, live);
        return;
    }
    ock_meters_start(&runner->engine->meters,
                     (double)(ock_monotonic_ms() - live->queued_ms) / 1000);
    live->not_before_ms = 0;
    live->held = false;
    live->need.passed = 0;
    live->cores = pick->cores;
    live->memory_bytes = memory_of(runner, live);
    runner->cores_used += live->cores;
    runner->memory_used += live->memory_bytes;
    runner->running++;
    publish_usage(runner);
    ock_post_change(runner, live, OCK_JOB_RUNNING, live->was_started ? "resumed" : NULL, NULL,
                    false, true);
    live->was_started = true;
    if (live->want == OCK_WANT_STOP)
        ock_worker_send(&live->worker, "stop");
}

static struct ock_budget budget_of(const struct ock_runner *runner)
{
    const struct ock_engine *engine = runner->engine;
    uint32_t cores = engine->cores;
    return (struct ock_budget){
        .cores_total = cores,
        .cores_free = cores > runner->cores_used ? cores - runner->cores_used : 0,
        .memory_free = engine->memory_bytes > runner->memory_used
                           ? engine->memory_bytes - runner->memory_used
                           : 0,
        .running = runner->running,
    };
}

/* What its last worker told has to be stored before the next one starts: that one is told where the
 * stored epochs end, and must not be confirmed lines that are not its own. */
static bool may_start(const struct ock_live *live, int64_t now)
{
    return live->not_before_ms <= now && live->need.memory_bytes > 0 && live->inflight_bytes == 0;
}

bool ock_runner_start_one(struct ock_runner *runner)
{
    struct ock_need needs[OCK_SCHEDULE_LOOK_MAX + 1];
    size_t index[OCK_SCHEDULE_LOOK_MAX + 1];
    size_t count = 0;
    int64_t now = ock_monotonic_ms();
    if (atomic_load(&runner->engine->disk_low))
        return false;
    for (size_t i = 0; i < runner->waiting_count && count <= OCK_SCHEDULE_LOOK_MAX; i++) {
        if (!may_start(runner->waiting[i], now))
            continue;
        needs[count] = runner->waiting[i]->need;
        needs[count].memory_bytes = memory_of(runner, runner->waiting[i]);
        needs[count].waited_ms = now - runner->waiting[i]->queued_ms;
        index[count++] = i;
    }
    struct ock_budget budget = budget_of(runner);
    struct ock_pick pick = ock_schedule_pick(needs, count, &budget);
    runner->again_ms = pick.again_ms > 0 ? now + pick.again_ms : 0;
    if (pick.index == SIZE_MAX)
        return false;
    for (size_t i = 0; i < pick.index; i++)
        runner->waiting[index[i]]->need.passed++;
    struct ock_live *live = runner->waiting[index[pick.index]];
    take_out(runner, index[pick.index]);
    start(runner, live, &pick);
    return true;
}
