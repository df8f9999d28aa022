/* The one place where Ockham opens a parallel region. */
#include "core/model/team.h"

#include <omp.h>

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
