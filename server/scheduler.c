/* The choice of the next job. No clock, no state: what it needs to know is in the arguments. */
#include "server/scheduler.h"

#include <stdbool.h>

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t cores_needed(const struct ock_need *need, const struct ock_budget *budget)
{
    return need->threads == 0 ? 1 : least(need->threads, budget->cores_total);
}

static bool is_patient(const struct ock_need *need)
{
    return need->waited_ms < OCK_SCHEDULE_PATIENCE_MS;
}

/* Where a core at least is free. */
static bool fits(const struct ock_need *need, const struct ock_budget *budget)
{
    if (budget->running == 0)
        return true;
    return (cores_needed(need, budget) <= budget->cores_free || !is_patient(need)) &&
           need->memory_bytes <= budget->memory_free;
}

/* When a job that does not fit will do so by waiting alone; 0: never. */
static int64_t fits_in_ms(const struct ock_need *need, const struct ock_budget *budget)
{
    if (need->memory_bytes > budget->memory_free || !is_patient(need))
        return 0;
    return OCK_SCHEDULE_PATIENCE_MS - need->waited_ms;
}

static struct ock_pick pick_at(const struct ock_need *need, size_t index, size_t count,
                               const struct ock_budget *budget)
{
    struct ock_pick pick = {.index = index};
    if (need->threads > 0) {
        pick.threads = need->threads;
        pick.cores = least(cores_needed(need, budget), budget->cores_free);
        return pick;
    }
    uint32_t others = count - 1 < budget->cores_free ? (uint32_t)(count - 1) : budget->cores_free;
    uint32_t share = budget->cores_free > others ? budget->cores_free - others : 1;
    uint32_t useful = need->threads_useful > 0 ? need->threads_useful : 1;
    pick.threads = least(useful, share > 0 ? share : 1);
    pick.cores = pick.threads;
    return pick;
}

struct ock_pick ock_schedule_pick(const struct ock_need *waiting, size_t count,
                                  const struct ock_budget *budget)
{
    struct ock_pick none = {.index = SIZE_MAX};
    if (budget->cores_free == 0)
        return none;
    size_t look = count < OCK_SCHEDULE_LOOK_MAX + 1 ? count : OCK_SCHEDULE_LOOK_MAX + 1;
    for (size_t i = 0; i < look; i++) {
        if (fits(&waiting[i], budget))
            return pick_at(&waiting[i], i, count, budget);
        int64_t again_ms = fits_in_ms(&waiting[i], budget);
        if (again_ms > 0 && (none.again_ms == 0 || again_ms < none.again_ms))
            none.again_ms = again_ms;
        if (waiting[i].passed >= OCK_SCHEDULE_PASSES_MAX)
            return none;
    }
    return none;
}
