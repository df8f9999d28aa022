/* A pool of threads that may wait (for the disk, for the engine), fed with tasks.
 *
 * A task is an actor: it is poked, and then its run function is called once on some thread of the
 * pool, never twice at the same time. A poke while it runs makes it run once more; pokes while it
 * is queued are merged. So a wake-up can be told from any thread without a lock of the task's own
 * and without allocating, and none is lost.
 *
 * Locks: everything in struct ock_task is guarded by its pool's mutex. */
#ifndef OCK_SERVER_HTTP_POOL_H
#define OCK_SERVER_HTTP_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/status.h"

struct ock_pool;

enum ock_task_state { OCK_TASK_IDLE = 0, OCK_TASK_QUEUED, OCK_TASK_RUNNING, OCK_TASK_AGAIN };

struct ock_task {
    /* False: the task has been freed or handed over (see release), the pool must not touch it. */
    bool (*run)(struct ock_task *task);
    struct ock_task *next;
    enum ock_task_state state;
};

/* Errors: NOMEM, LIMIT (the system refuses a thread). */
enum ock_status ock_pool_new(struct ock_pool **out, unsigned threads, struct ock_err *err);
/* Runs what is queued, then ends the threads. NULL is a no-op. */
void ock_pool_free(struct ock_pool *pool);

void ock_pool_poke(struct ock_pool *pool, struct ock_task *task);

/* From within run: the task is idle again, whoever comes may poke it (on another pool, too), and
 * run must return false. */
void ock_pool_release(struct ock_pool *pool, struct ock_task *task);

/* Tasks that wait for a thread. */
size_t ock_pool_depth(struct ock_pool *pool);

#endif
