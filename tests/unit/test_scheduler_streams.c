/* Goal: whatever is sent, the budgets hold, the order holds, and everybody runs.
 *
 * Method: streams of random jobs, each from a seed, on a machine of numbers: the queue is kept as the
 * runner keeps it, the pure function is asked as the runner asks it, and time jumps from one event to
 * the next (a job comes, a job ends, the answer's own moment). Every start is judged by what was true
 * of the others then, not by the function's own counters. */
#include <check.h>
#include <stdbool.h>
#include <stdlib.h>

#include "server/scheduler.h"

enum { JOBS = 400, SEEDS = 60 };

struct job {
    struct ock_need need;
    int priority;
    int64_t comes_ms, lasts_ms, starts_ms, ends_ms; /* starts_ms -1: not yet */
    uint32_t cores;
    unsigned passed_by; /* jobs that came later, matter no more and started before */
};

struct machine {
    uint64_t random;
    uint32_t cores;
    size_t memory;
    int64_t now_ms, again_ms;
    uint32_t cores_used;
    size_t memory_used, running, arrived, started;
    struct job jobs[JOBS];
};

/* splitmix64 */
static uint64_t draw(struct machine *machine, uint64_t below)
{
    uint64_t z = machine->random += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (z ^ (z >> 31)) % below;
}

/* Half the streams come faster than the machine works. */
static void make_jobs(struct machine *machine, uint64_t seed)
{
    *machine = (struct machine){.random = seed, .memory = 1000};
    machine->cores = 1 + (uint32_t)draw(machine, 16);
    uint64_t pause_ms = seed % 2 ? 20 : 400;
    int64_t at = 0;
    for (size_t i = 0; i < JOBS; i++) {
        struct job *job = &machine->jobs[i];
        at += (int64_t)draw(machine, pause_ms);
        job->comes_ms = at;
        job->lasts_ms = 1 + (int64_t)draw(machine, draw(machine, 8) == 0 ? 9000 : 300);
        job->starts_ms = -1;
        job->priority = seed % 3 == 0 ? (int)draw(machine, 3) : 0;
        /* Few are large, and a plan that fits no machine was refused when it was sent. */
        job->need.memory_bytes = 1 + draw(machine, draw(machine, 10) == 0 ? 1000 : 200);
        if (draw(machine, 3) == 0)
            job->need.threads = 1 + (uint32_t)draw(machine, 2 * machine->cores);
        job->need.threads_useful = (uint32_t)draw(machine, 20);
    }
}

static bool waits(const struct machine *machine, size_t i)
{
    return i < machine->arrived && machine->jobs[i].starts_ms < 0;
}

/* The queue: by priority, then as they came. */
static size_t list_waiting(const struct machine *machine, size_t order[JOBS])
{
    size_t count = 0;
    for (int priority = 2; priority >= 0; priority--) {
        for (size_t i = 0; i < machine->arrived; i++) {
            if (waits(machine, i) && machine->jobs[i].priority == priority)
                order[count++] = i;
        }
    }
    return count;
}

static struct ock_budget budget_of(const struct machine *machine)
{
    return (struct ock_budget){
        .cores_total = machine->cores,
        .cores_free = machine->cores - machine->cores_used,
        .memory_free =
            machine->memory > machine->memory_used ? machine->memory - machine->memory_used : 0,
        .running = machine->running,
    };
}

static void check_budgets(const struct machine *machine)
{
    ck_assert_uint_le(machine->cores_used, machine->cores);
    ck_assert(machine->memory_used <= machine->memory || machine->running == 1);
}

/* Nobody of the same needs who stood in front may be left behind, and nobody is passed too often. */
static void judge_start(struct machine *machine, const size_t *order, size_t place)
{
    const struct job *job = &machine->jobs[order[place]];
    bool takes_any = machine->now_ms - job->comes_ms >= OCK_SCHEDULE_PATIENCE_MS;
    uint32_t threads = takes_any ? 1 : job->need.threads;
    for (size_t i = 0; i < place; i++) {
        struct job *other = &machine->jobs[order[i]];
        const struct ock_need *need = &other->need;
        ck_assert_msg(need->memory_bytes > job->need.memory_bytes || need->threads > threads,
                      "job %zu passed %zu, which needs no more", order[place], order[i]);
        other->passed_by++;
        ck_assert_uint_le(other->passed_by, OCK_SCHEDULE_PASSES_MAX);
    }
    if (job->need.threads == 0)
        ck_assert_uint_le(job->cores, job->need.threads_useful > 0 ? job->need.threads_useful : 1);
}

static void start(struct machine *machine, size_t number, const struct ock_pick *pick)
{
    struct job *job = &machine->jobs[number];
    ck_assert_uint_ge(pick->cores, 1);
    ck_assert_uint_ge(pick->threads, pick->cores);
    if (job->need.threads > 0)
        ck_assert_uint_eq(pick->threads, job->need.threads); /* obeyed */
    job->cores = pick->cores;
    job->starts_ms = machine->now_ms;
    job->ends_ms = machine->now_ms + job->lasts_ms;
    machine->cores_used += job->cores;
    machine->memory_used += job->need.memory_bytes;
    machine->running++;
    machine->started++;
    check_budgets(machine);
}

/* Whoever is first, with memory and a core at hand, has not waited beyond its patience. */
static void judge_rest(const struct machine *machine, const size_t *order, size_t count)
{
    ck_assert_msg(count == 0 || machine->running > 0, "the machine is idle and jobs wait");
    if (count == 0 || machine->cores_used == machine->cores)
        return;
    const struct job *first = &machine->jobs[order[0]];
    struct ock_budget budget = budget_of(machine);
    if (first->need.memory_bytes > budget.memory_free)
        return;
    ck_assert_int_lt(machine->now_ms - first->comes_ms, OCK_SCHEDULE_PATIENCE_MS);
    ck_assert_int_le(machine->again_ms, first->comes_ms + OCK_SCHEDULE_PATIENCE_MS);
}

static void start_all(struct machine *machine)
{
    static struct ock_need needs[JOBS];
    static size_t order[JOBS];
    for (;;) {
        size_t count = list_waiting(machine, order);
        for (size_t i = 0; i < count; i++) {
            needs[i] = machine->jobs[order[i]].need;
            needs[i].waited_ms = machine->now_ms - machine->jobs[order[i]].comes_ms;
        }
        struct ock_budget budget = budget_of(machine);
        struct ock_pick pick = ock_schedule_pick(needs, count, &budget);
        machine->again_ms = pick.again_ms > 0 ? machine->now_ms + pick.again_ms : INT64_MAX;
        if (pick.index == SIZE_MAX) {
            judge_rest(machine, order, count);
            return;
        }
        ck_assert_uint_lt(pick.index, count);
        for (size_t i = 0; i < pick.index; i++)
            machine->jobs[order[i]].need.passed++;
        start(machine, order[pick.index], &pick);
        judge_start(machine, order, pick.index);
    }
}

static void end_jobs(struct machine *machine)
{
    for (size_t i = 0; i < machine->arrived; i++) {
        struct job *job = &machine->jobs[i];
        if (job->starts_ms < 0 || job->cores == 0 || job->ends_ms > machine->now_ms)
            continue;
        machine->cores_used -= job->cores;
        machine->memory_used -= job->need.memory_bytes;
        machine->running--;
        job->cores = 0;
    }
}

/* The next moment at which anything happens; INT64_MAX: never. */
static int64_t next_ms(const struct machine *machine)
{
    int64_t next = machine->again_ms;
    if (machine->arrived < JOBS && machine->jobs[machine->arrived].comes_ms < next)
        next = machine->jobs[machine->arrived].comes_ms;
    for (size_t i = 0; i < machine->arrived; i++) {
        const struct job *job = &machine->jobs[i];
        if (job->cores > 0 && job->ends_ms < next)
            next = job->ends_ms;
    }
    return next;
}

START_TEST(every_stream_ends_well)
{
    static struct machine machine;
    make_jobs(&machine, (uint64_t)_i);
    machine.again_ms = INT64_MAX;
    for (int64_t at = next_ms(&machine); at != INT64_MAX; at = next_ms(&machine)) {
        ck_assert_int_ge(at, machine.now_ms);
        machine.now_ms = at;
        end_jobs(&machine);
        while (machine.arrived < JOBS && machine.jobs[machine.arrived].comes_ms <= at)
            machine.arrived++;
        start_all(&machine);
    }
    ck_assert_uint_eq(machine.started, JOBS);
    ck_assert_uint_eq(machine.cores_used, 0);
    ck_assert_uint_eq(machine.memory_used, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scheduler streams");
    TCase *tcase = tcase_create("streams");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, every_stream_ends_well, 0, SEEDS);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
