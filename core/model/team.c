/* The one place where Ockham opens a parallel region. */
#include "core/model/team.h"

#include <omp.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/kernels/kernels.h"

void ock_team_run(const struct ock_team *team, size_t count, ock_task *task, void *ctx)
{
    int threads = team->threads;
    if (threads == 1 || count <= 1) {
        ock_kernels_thread_init();
        for (size_t i = 0; i < count; i++)
            task(ctx, i, 0);
        return;
    }
#pragma omp parallel num_threads(threads) default(none) firstprivate(count, task, ctx)
    {
        ock_kernels_thread_init();
        size_t thread = (size_t)omp_get_thread_num();
        /* Any order and any thread will do: a task owns what it writes. */
#pragma omp for schedule(runtime)
        for (size_t i = 0; i < count; i++)
            task(ctx, i, thread);
    }
}

/* --- Starting ---------------------------------------------------------------------------------- */

/* What the threads of the trial wait for: all of them have to be there at once. */
struct gate {
    pthread_mutex_t mutex;
    pthread_cond_t opened;
    int is_open; /* guarded by mutex */
};

static void *wait_at(void *arg)
{
    struct gate *gate = arg;
    pthread_mutex_lock(&gate->mutex);
    while (!gate->is_open)
        pthread_cond_wait(&gate->opened, &gate->mutex);
    pthread_mutex_unlock(&gate->mutex);
    return NULL;
}

static void open_gate(struct gate *gate)
{
    pthread_mutex_lock(&gate->mutex);
    gate->is_open = 1;
    pthread_cond_broadcast(&gate->opened);
    pthread_mutex_unlock(&gate->mutex);
}

/* Starts `count` threads at once and ends them; *started: how many came. Returns pthread_create's
 * error. */
static int try_threads(pthread_t *threads, int count, int *started)
{
    struct gate gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
    int failed = 0;
    int made = 0;
    for (; made < count && !failed; made += !failed)
        failed = pthread_create(&threads[made], NULL, wait_at, &gate);
    open_gate(&gate);
    for (int i = 0; i < made; i++)
        (void)pthread_join(threads[i], NULL);
    *started = made;
    return failed;
}

static void do_nothing(void *ctx, size_t index, size_t thread)
{
    (void)ctx;
    (void)index;
    (void)thread;
}

enum ock_status ock_team_start(const struct ock_team *team, struct ock_err *err)
{
    int others = team->threads - 1;
    if (others == 0)
        return OCK_OK;
    pthread_t *threads = calloc((size_t)others, sizeof(*threads));
    if (!threads)
        return ock_fail(err, OCK_NOMEM, "out of memory for %d threads", team->threads);
    int started = 0;
    int failed = try_threads(threads, others, &started);
    free(threads);
    if (failed)
        return ock_fail(err, OCK_NOMEM, "of %d threads only %d can be started (errno %d)",
                        team->threads, started + 1, failed);
    ock_team_run(team, (size_t)team->threads, do_nothing, NULL);
    return OCK_OK;
}
