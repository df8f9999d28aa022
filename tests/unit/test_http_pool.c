/* Goal: a task of the pool runs once for the pokes before its run, again for those during it, and
 * never twice at a time; a released task may be poked at once. Method: counters, semaphores as gates,
 * and a storm from several threads. */
#include <check.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "server/http/pool.h"

struct probe {
    struct ock_task task; /* first: the pool gives it back */
    struct ock_pool *pool;
    atomic_int runs, inside, clashes;
    sem_t entered, gate;
    int releases_left;
    atomic_int seen;
    atomic_int told;
};

static struct ock_pool *new_pool(unsigned threads)
{
    struct ock_pool *pool = NULL;
    ck_assert_int_eq(ock_pool_new(&pool, threads, NULL), OCK_OK);
    return pool;
}

static bool run_gated(struct ock_task *task)
{
    struct probe *probe = (struct probe *)task;
    atomic_fetch_add(&probe->runs, 1);
    sem_post(&probe->entered);
    sem_wait(&probe->gate);
    return true;
}

START_TEST(pokes_are_merged_and_none_is_lost)
{
    struct ock_pool *pool = new_pool(2);
    struct probe probe = {.task.run = run_gated};
    sem_init(&probe.entered, 0, 0);
    sem_init(&probe.gate, 0, 0);
    ock_pool_poke(pool, &probe.task);
    sem_wait(&probe.entered);
    for (int i = 0; i < 5; i++)
        ock_pool_poke(pool, &probe.task); /* while it runs: one more run */
    sem_post(&probe.gate);
    sem_wait(&probe.entered);
    ck_assert_int_eq(atomic_load(&probe.runs), 2);
    sem_post(&probe.gate);
    ock_pool_free(pool);
    ck_assert_int_eq(atomic_load(&probe.runs), 2);
}
END_TEST

START_TEST(pokes_of_a_queued_task_are_one)
{
    struct ock_pool *pool = new_pool(1);
    struct probe first = {.task.run = run_gated}, second = {.task.run = run_gated};
    sem_init(&first.entered, 0, 0);
    sem_init(&first.gate, 0, 0);
    sem_init(&second.entered, 0, 0);
    sem_init(&second.gate, 0, 1);
    ock_pool_poke(pool, &first.task);
    sem_wait(&first.entered);
    for (int i = 0; i < 5; i++)
        ock_pool_poke(pool, &second.task);
    ck_assert_uint_eq(ock_pool_depth(pool), 1);
    sem_post(&first.gate);
    ock_pool_free(pool); /* runs what is queued */
    ck_assert_int_eq(atomic_load(&second.runs), 1);
}
END_TEST

/* What was told before a poke is seen by a run after it; two runs at once would clash. */
static bool run_storm(struct ock_task *task)
{
    struct probe *probe = (struct probe *)task;
    if (atomic_fetch_add(&probe->inside, 1) != 0)
        atomic_fetch_add(&probe->clashes, 1);
    atomic_store(&probe->seen, atomic_load(&probe->told));
    atomic_fetch_sub(&probe->inside, 1);
    return true;
}

static void *poke_many(void *ctx)
{
    struct probe *probe = ctx;
    for (int i = 0; i < 20000; i++) {
        atomic_fetch_add(&probe->told, 1);
        ock_pool_poke(probe->pool, &probe->task);
    }
    return NULL;
}

START_TEST(a_storm_of_pokes_never_runs_a_task_twice_at_once)
{
    struct ock_pool *pool = new_pool(4);
    struct probe probe = {.task.run = run_storm, .pool = pool};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, poke_many, &probe), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    ock_pool_free(pool);
    ck_assert_int_eq(atomic_load(&probe.clashes), 0);
    ck_assert_int_eq(atomic_load(&probe.seen), 80000);
}
END_TEST

/* Released, poked again from within: as a connection that goes on and comes back at once. */
static bool run_released(struct ock_task *task)
{
    struct probe *probe = (struct probe *)task;
    atomic_fetch_add(&probe->runs, 1);
    if (--probe->releases_left < 0) {
        sem_post(&probe->entered);
        return true;
    }
    ock_pool_release(probe->pool, task);
    ock_pool_poke(probe->pool, task);
    return false;
}

START_TEST(a_released_task_can_be_poked_at_once)
{
    struct ock_pool *pool = new_pool(3);
    struct probe probe = {.task.run = run_released, .pool = pool, .releases_left = 1000};
    sem_init(&probe.entered, 0, 0);
    ock_pool_poke(pool, &probe.task);
    sem_wait(&probe.entered);
    ock_pool_free(pool);
    ck_assert_int_eq(atomic_load(&probe.runs), 1001);
}
END_TEST

START_TEST(no_pool_is_freed_without_harm)
{
    ock_pool_free(NULL);
    ock_pool_free(new_pool(1));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http_pool");
    TCase *tests = tcase_create("all");
    tcase_add_test(tests, pokes_are_merged_and_none_is_lost);
    tcase_add_test(tests, pokes_of_a_queued_task_are_one);
    tcase_add_test(tests, a_storm_of_pokes_never_runs_a_task_twice_at_once);
    tcase_add_test(tests, a_released_task_can_be_poked_at_once);
    tcase_add_test(tests, no_pool_is_freed_without_harm);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
