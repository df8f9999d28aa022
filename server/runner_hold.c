/* Jobs on a full disk.
 *
 * A job that cannot write its checkpoint cannot promise anything, so it does not go on: when the
 * disk runs low, running jobs are asked to pause while there is room for their checkpoints; one that
 * meets the wall all the same leaves with its last checkpoint. Both are paused with a warning and go
 * on by themselves when there is room: told apart from a person's pause by `held`, which the store
 * keeps as a wish (OCK_WANT_ROOM), so that a restart does not forget it. */
#include <inttypes.h>
#include <stdio.h>

#include "server/disk.h"
#include "server/log.h"
#include "server/runner_private.h"

enum { LOOK_MS = 1000, AGAIN_MS_MIN = 2000, AGAIN_DOUBLINGS_MAX = 7 };

void ock_live_unhold(struct ock_live *live)
{
    live->held = false;
    live->holds = 0;
}

static void set_aside(struct ock_runner *runner)
{
    for (struct ock_live *live = runner->lives; live; live = live->next) {
        if (!live->has_worker || live->ending || live->killed_for_end || live->held)
            continue;
        live->held = true;
        ock_worker_send(&live->worker, "pause");
    }
}

/* A job that needs more room than there is would start and leave again, so each time in a row it
 * waits twice as long. */
void ock_runner_hold(struct ock_runner *runner, struct ock_live *live)
{
    uint32_t doublings = live->holds < AGAIN_DOUBLINGS_MAX ? live->holds : AGAIN_DOUBLINGS_MAX;
    live->holds++;
    live->held_until_ms = ock_monotonic_ms() + ((int64_t)AGAIN_MS_MIN << doublings);
    ock_post_hold(runner, live);
}

static void go_on(struct ock_runner *runner)
{
    int64_t now = ock_monotonic_ms();
    for (struct ock_live *live = runner->lives; live; live = live->next) {
        if (!live->held || live->status != OCK_JOB_PAUSED || live->ending ||
            live->held_until_ms > now)
            continue;
        live->held = false; /* but holds counts on until it gets further */
        ock_post_change(runner, live, OCK_JOB_QUEUED, "disk_has_room", NULL, false, false);
        ock_runner_enqueue(runner, live);
    }
}

static bool is_low(struct ock_engine *engine, bool was_low)
{
    struct ock_disk disk;
    if (ock_store_is_full(engine->store))
        return true;
    return ock_disk_look(&disk, engine->data_dir) && ock_disk_is_low(&disk, was_low);
}

void ock_runner_watch_disk(struct ock_runner *runner)
{
    struct ock_engine *engine = runner->engine;
    int64_t now = ock_monotonic_ms();
    if (now < runner->disk_look_ms || runner->closing)
        return;
    runner->disk_look_ms = now + LOOK_MS;
    bool was_low = atomic_load(&engine->disk_low), low = is_low(engine, was_low);
    atomic_store(&engine->disk_low, low);
    if (low && !was_low)
        ock_log(OCK_LOG_WARNING, "the disk is almost full: jobs pause until there is room");
    else if (!low && was_low)
        ock_log(OCK_LOG_INFO, "the disk has room again: jobs go on");
    if (low)
        set_aside(runner);
    else
        go_on(runner);
}
