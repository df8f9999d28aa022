/* The OpenMP workers of one job: a phase is a number of tasks, done by all of them.
 *
 * A task writes only what its index owns and reads only what earlier phases wrote, so neither the
 * number of threads nor the order in which they take tasks can change a bit. */
#ifndef OCK_MODEL_TEAM_H
#define OCK_MODEL_TEAM_H

#include <stddef.h>

#include "core/base/status.h"

struct ock_team {
    int threads; /* >= 1 */
};

/* index: the task, 0 <= index < count; thread: who does it, 0 <= thread < team->threads. */
typedef void ock_task(void *ctx, size_t index, size_t thread);

/* Does all tasks and returns when the last is done. The schedule is OpenMP's run-time one
 * (omp_set_schedule), dynamic unless told otherwise. */
void ock_team_run(const struct ock_team *team, size_t count, ock_task *task, void *ctx);

/* Makes sure that the team's threads can be had, before anything is told: OpenMP's library ends the
 * process when it cannot start one. Then lets it start them. Errors: NOMEM. */
enum ock_status ock_team_start(const struct ock_team *team, struct ock_err *err);

#endif
