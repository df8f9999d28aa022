/* The runner: one thread that owns all jobs that have not ended.
 *
 * It decides every change of state, starts the workers, reads their pipes and posts what they say
 * to the store. Others speak to it by letters (a mailbox and an eventfd), so there is no lock on a
 * job. Since it alone posts a job's writes, the store sees them in the order of the decisions. */
#ifndef OCK_SERVER_RUNNER_H
#define OCK_SERVER_RUNNER_H

#include "server/engine_private.h"
#include "server/store_jobs.h"

/* Loads what has not ended and starts the thread: what was running is requeued. */
enum ock_status ock_runner_new(struct ock_runner **out, struct ock_engine *engine,
                               struct ock_err *err);
/* Asks all workers to pause, waits at most 6.5 s, kills what is left, ends the thread. A second call
 * is a no-op. */
void ock_runner_stop(struct ock_runner *runner);
/* After the store was closed: opens the last letters and frees. NULL is a no-op. */
void ock_runner_free(struct ock_runner *runner);

/* A job that was stored as queued. The engine's `waiting` counts it already. Errors: NOMEM. */
enum ock_status ock_runner_add(struct ock_runner *runner, const struct ock_job_row *row,
                               struct ock_err *err);

/* action as in ock_engine_act; waits for the commit. */
bool ock_runner_act(struct ock_runner *runner, const char *id, const char *action, int *status,
                    struct ock_problem *problem);
/* A dataset that was being prepared is ready or has failed: jobs that wait for it are planned. */
void ock_runner_dataset_settled(struct ock_runner *runner, const char *dataset);
void ock_runner_set_priority(struct ock_runner *runner, const char *id, int priority);

/* What is taken of the budgets now. */
void ock_runner_usage(struct ock_runner *runner, unsigned *cores, size_t *memory_bytes,
                      size_t *running);

#endif
