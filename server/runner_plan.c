/* Jobs that wait for a dataset that is being prepared: their need is not known yet.
 *
 * Such a job stands in the queue with a need of 0 bytes and is passed over. Whenever a dataset is
 * settled (ready or failed), the jobs that name it are planned again, on the errand thread because
 * that reads files; the outcome comes back as a letter. What only the data can tell may be a fault
 * of the spec: then the job has failed, with the problem that its POST would have been answered. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/limits.h"
#include "server/prepare.h"
#include "server/runner_private.h"

enum { RETRY_MS = 1000, DOUBLINGS_MAX = 6 };

struct planning {
    struct ock_errand errand; /* goes out */
    struct ock_letter letter; /* comes back */
    struct ock_runner *runner;
    char id[OCK_ID_SIZE], dataset[OCK_ID_SIZE], validation[OCK_ID_SIZE], test[OCK_ID_SIZE];
    int64_t number;
    bool has_init;
    enum ock_plan_outcome outcome;
    struct ock_need need;
    char *error; /* of OCK_PLAN_FAULTY, owned */
};

static const char *id_or_null(const char *id)
{
    return id[0] ? id : NULL;
}

static char *problem_text(const struct ock_problem *problem)
{
    struct ock_buf text;
    ock_buf_init(&text, OCK_MIB);
    ock_problem_write(problem, NULL, &text);
    char *out = ock_buf_take(&text);
    ock_buf_deinit(&text);
    return out;
}

static void run_planning(struct ock_errand *errand)
{
    struct planning *planning = (struct planning *)(void *)errand;
    struct ock_problem *problem = ock_patient_calloc(sizeof(*problem));
    const struct ock_job_row row = {
        .number = planning->number,
        .id = planning->id,
        .dataset = id_or_null(planning->dataset),
        .validation = id_or_null(planning->validation),
        .test = id_or_null(planning->test),
        .has_init = planning->has_init,
    };
    struct ock_engine *engine = planning->runner->engine;
    planning->outcome = atomic_load(&engine->draining) /* the next server does it */
                            ? OCK_PLAN_WAITS
                            : ock_prepare_again(engine, &row, &planning->need, problem);
    if (planning->outcome == OCK_PLAN_FAULTY)
        planning->error = problem_text(problem);
    free(problem);
    ock_runner_post_letter(planning->runner, &planning->letter);
}

static void take_outcome(struct ock_runner *runner, struct ock_live *live,
                         struct planning *planning)
{
    switch (planning->outcome) {
    case OCK_PLAN_MADE:
        live->need.memory_bytes = planning->need.memory_bytes;
        live->need.threads_useful = planning->need.threads_useful;
        live->plan_again = false;
        break;
    case OCK_PLAN_FAULTY:
        ock_runner_dequeue(runner, live);
        ock_post_end(runner, live,
                     &(struct ock_ending){.status = OCK_JOB_FAILED,
                                          .stop_reason = "data",
                                          .error = planning->error});
        planning->error = NULL;
        break;
    case OCK_PLAN_FAILED:
        live->plan_again = runner->plans_due = true; /* the machine's fault */
        live->plan_not_before_ms = ock_monotonic_ms() + ((int64_t)RETRY_MS << live->plan_failures);
        live->plan_failures += live->plan_failures < DOUBLINGS_MAX;
        break;
    case OCK_PLAN_WAITS:
    default:
        break;
    }
}

static void open_planning(struct ock_runner *runner, struct ock_letter *letter)
{
    struct planning *planning =
        (struct planning *)(void *)((char *)letter - offsetof(struct planning, letter));
    struct ock_live *live = ock_runner_find(runner, planning->id);
    runner->is_planning = false;
    if (live && !live->ending && !runner->closing)
        take_outcome(runner, live, planning);
    free(planning->error);
    free(planning);
}

static void plan(struct ock_runner *runner, struct ock_live *live)
{
    struct planning *planning = ock_patient_calloc(sizeof(*planning));
    planning->errand.run = run_planning;
    planning->letter.open = open_planning;
    planning->runner = runner;
    planning->number = live->number;
    planning->has_init = live->has_init;
    memcpy(planning->id, live->id, sizeof(planning->id));
    memcpy(planning->dataset, live->dataset, sizeof(planning->dataset));
    memcpy(planning->validation, live->validation, sizeof(planning->validation));
    memcpy(planning->test, live->test, sizeof(planning->test));
    runner->is_planning = true;
    live->plan_again = false;
    ock_errands_post(runner->engine->errands, &planning->errand);
}

void ock_runner_plan(struct ock_runner *runner, struct ock_live *live)
{
    if (live->need.memory_bytes > 0 || live->ending)
        return;
    runner->plans_due = true;
    live->plan_again = true;
}

/* One at a time: a thousand jobs that waited for one dataset must not hold up the ends of others. */
void ock_runner_make_plans(struct ock_runner *runner)
{
    if (!runner->plans_due || runner->is_planning || runner->closing)
        return;
    int64_t now = ock_monotonic_ms();
    bool any = false;
    for (struct ock_live *live = runner->lives; live; live = live->next) {
        if (!live->plan_again)
            continue;
        any = true;
        if (live->plan_not_before_ms <= now) {
            plan(runner, live);
            return;
        }
    }
    runner->plans_due = any;
}

/* --- A dataset is ready or has failed ---------------------------------------------------------- */

struct settled {
    struct ock_letter letter;
    char dataset[OCK_ID_SIZE];
};

static bool uses(const struct ock_live *live, const char *dataset)
{
    return strcmp(live->dataset, dataset) == 0 || strcmp(live->validation, dataset) == 0 ||
           strcmp(live->test, dataset) == 0;
}

static void open_settled(struct ock_runner *runner, struct ock_letter *letter)
{
    struct settled *settled = (struct settled *)(void *)letter;
    for (struct ock_live *live = runner->lives; live; live = live->next) {
        if (uses(live, settled->dataset))
            ock_runner_plan(runner, live);
    }
    free(settled);
}

void ock_runner_dataset_settled(struct ock_runner *runner, const char *dataset)
{
    struct settled *settled = ock_patient_calloc(sizeof(*settled));
    settled->letter.open = open_settled;
    (void)snprintf(settled->dataset, sizeof(settled->dataset), "%s", dataset);
    ock_runner_post_letter(runner, &settled->letter);
}
