/* Who runs next: a pure function of what waits, for how long, and what is free.
 *
 * The order is priority, then first come. A job that does not fit may be passed by smaller ones,
 * but only so often: then everything waits for it, so no large job starves. (A lower priority does
 * wait for all of a higher one: that is what it is for.)
 * A number of threads is obeyed, also beyond the cores, and waits for as many cores only for a while:
 * then it takes those that are free. The bits are the same, and a slow start beats none. */
#ifndef OCK_SERVER_SCHEDULER_H
#define OCK_SERVER_SCHEDULER_H

#include <stddef.h>
#include <stdint.h>

enum {
    OCK_SCHEDULE_LOOK_MAX = 64,      /* jobs looked at behind the first */
    OCK_SCHEDULE_PASSES_MAX = 32,    /* how often a job that does not fit is passed */
    OCK_SCHEDULE_PATIENCE_MS = 2000, /* how long threads wait for a core each */
};

struct ock_need {
    size_t memory_bytes;
    uint32_t threads;        /* 0: auto */
    uint32_t threads_useful; /* for auto; 0 counts as 1 */
    uint32_t passed;         /* how often later jobs went first */
    int64_t waited_ms;       /* in the queue */
};

struct ock_budget {
    uint32_t cores_total, cores_free;
    size_t memory_free;
    size_t running; /* jobs */
};

struct ock_pick {
    size_t index;     /* SIZE_MAX: none may start now */
    uint32_t threads; /* for the worker */
    uint32_t cores;   /* taken from the budget */
    int64_t again_ms; /* none may start now: ask again then even if nothing changes; 0: no need */
};

/* waiting: in order of priority, then age. The caller counts a pass for each job before
 * pick.index. A job alone on the machine always fits (its plan was checked when it was sent).
 * auto takes as many threads as are useful, but leaves a core for each other job that waits.
 * Worked by hand in tests/unit/test_scheduler.c. */
struct ock_pick ock_schedule_pick(const struct ock_need *waiting, size_t count,
                                  const struct ock_budget *budget);

#endif
