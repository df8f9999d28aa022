/* What a person asks of a job: cancel, pause, resume, stop, another priority.
 *
 * A table in words. queued: cancel → cancelled, pause → paused, stop → 409. running: the wish is
 * stored first and then told to the worker, so that no crash forgets it. paused: resume → queued,
 * stop → queued, to end at the first minibatch. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/runner_private.h"

/* On a full or very slow disk; the wish stands all the same. */
enum { ACT_WAIT_S = 8 };

static void act_free(struct ock_act *act)
{
    (void)pthread_cond_destroy(&act->told);
    (void)pthread_mutex_destroy(&act->mutex);
    free(act);
}

void ock_act_tell(struct ock_act *act, int http_status, const char *why)
{
    (void)pthread_mutex_lock(&act->mutex);
    act->http_status = http_status;
    act->why = why;
    act->is_done = true;
    bool is_left = act->is_left;
    (void)pthread_cond_signal(&act->told);
    (void)pthread_mutex_unlock(&act->mutex);
    if (is_left)
        act_free(act);
}

/* It is so already, but that may not be stored yet: no answer before it is. */
static void tell_when_stored(struct ock_live *live, struct ock_act *act, int http_status)
{
    if (live->posts == 0) {
        ock_act_tell(act, http_status, NULL);
        return;
    }
    act->http_when_stored = http_status;
    act->next = live->acts;
    live->acts = act;
}

void ock_live_tell_acts(struct ock_live *live)
{
    while (live->acts) {
        struct ock_act *act = live->acts;
        live->acts = act->next;
        ock_act_tell(act, act->http_when_stored, NULL);
    }
}

static void cancel(struct ock_runner *runner, struct ock_live *live, struct ock_act *act)
{
    live->want = OCK_WANT_CANCEL;
    if (!live->has_worker && !live->burying) {
        ock_runner_dequeue(runner, live);
        ock_post_cancelled(runner, live, act);
        return;
    }
    ock_post_want(runner, live, act);
    if (live->has_worker) {
        live->killed_for_end = true;
        ock_worker_kill(&live->worker, SIGKILL);
    }
}

static void pause_job(struct ock_runner *runner, struct ock_live *live, struct ock_act *act)
{
    if (live->status == OCK_JOB_PAUSED && live->held) {
        ock_live_unhold(live); /* it would have gone on by itself */
        ock_post_want(runner, live, act);
    } else if (live->status == OCK_JOB_PAUSED) {
        tell_when_stored(live, act, 200);
    } else if (live->has_worker || live->burying) {
        live->want = OCK_WANT_PAUSE;
        ock_post_want(runner, live, act);
        if (live->has_worker)
            ock_worker_send(&live->worker, "pause");
    } else {
        ock_runner_dequeue(runner, live);
        ock_live_unhold(live);
        live->want = OCK_WANT_NOTHING;
        ock_post_change(runner, live, OCK_JOB_PAUSED, NULL, act, false, false);
    }
}

static void requeue(struct ock_runner *runner, struct ock_live *live, struct ock_act *act)
{
    ock_live_unhold(live);
    ock_post_change(runner, live, OCK_JOB_QUEUED, "resumed", act, false, false);
    ock_runner_enqueue(runner, live);
}

static void resume(struct ock_runner *runner, struct ock_live *live, struct ock_act *act)
{
    if (live->status == OCK_JOB_PAUSED) {
        requeue(runner, live, act);
    } else if (live->want == OCK_WANT_PAUSE) {
        /* The worker may be leaving already: then it is queued again at once. */
        live->want = OCK_WANT_NOTHING;
        ock_post_want(runner, live, act);
    } else {
        tell_when_stored(live, act, 200);
    }
}

static void stop(struct ock_runner *runner, struct ock_live *live, struct ock_act *act)
{
    if (live->has_worker || live->burying) {
        live->want = OCK_WANT_STOP;
        ock_post_want(runner, live, act);
        if (live->has_worker)
            ock_worker_send(&live->worker, "stop");
    } else if (live->status == OCK_JOB_PAUSED && live->was_started) {
        live->want = OCK_WANT_STOP;
        requeue(runner, live, act);
    } else {
        ock_act_tell(act, 409, "the job has not begun, so there is nothing to keep; cancel it");
    }
}

void ock_runner_open_act(struct ock_runner *runner, struct ock_letter *letter)
{
    struct ock_act *act = (struct ock_act *)(void *)letter;
    struct ock_live *live = ock_runner_find(runner, act->id);
    if (runner->closing)
        ock_act_tell(act, 503, NULL);
    else if (!live || live->ended)
        ock_act_tell(act, 404, NULL); /* ended, or never there: the caller looks */
    else if (live->want == OCK_WANT_CANCEL && strcmp(act->action, "cancel") == 0)
        tell_when_stored(live, act, 202);
    else if (live->ending || live->want == OCK_WANT_CANCEL)
        ock_act_tell(act, 409, "the job is ending");
    else if (strcmp(act->action, "cancel") == 0)
        cancel(runner, live, act);
    else if (strcmp(act->action, "pause") == 0)
        pause_job(runner, live, act);
    else if (strcmp(act->action, "resume") == 0)
        resume(runner, live, act);
    else
        stop(runner, live, act);
}

/* The job is not among the live ones: it has ended, or never was. */
static bool act_on_ended(struct ock_runner *runner, const char *id, const char *action, int *status,
                         struct ock_problem *problem)
{
    struct ock_err err = {0};
    int64_t number;
    enum ock_job_status job_status = OCK_JOB_FAILED;
    struct ock_db *db = ock_store_read(runner->engine->store, &err);
    enum ock_status found =
        db ? ock_store_find_job(db, id, &number, &job_status, &err) : err.status;
    if (db)
        ock_store_read_end(runner->engine->store, db);
    if (found != OCK_OK) {
        ock_problem_from_err(problem, &err);
        return false;
    }
    if (job_status == OCK_JOB_CANCELLED && strcmp(action, "cancel") == 0) {
        *status = 200;
        return true;
    }
    ock_problem_set(problem, 409, "wrong_state", "The job's state does not allow this",
                    job_status < OCK_JOB_SUCCEEDED ? "the job is changing its state; try again"
                                                   : "the job has ended: %s",
                    ock_job_status_name(job_status));
    return false;
}

static struct ock_act *act_new(const char *id, const char *action)
{
    struct ock_act *act = calloc(1, sizeof(*act));
    if (!act)
        return NULL;
    act->letter.open = ock_runner_open_act;
    (void)snprintf(act->id, sizeof(act->id), "%s", id);
    (void)snprintf(act->action, sizeof(act->action), "%s", action);
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&act->mutex, NULL);
    (void)pthread_cond_init(&act->told, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    return act;
}

/* The status, or 0 when the store takes too long: then the act is the runner's. */
static int wait_for(struct ock_act *act, const char **why)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ACT_WAIT_S;
    int late = 0;
    (void)pthread_mutex_lock(&act->mutex);
    while (!act->is_done && !late)
        late = pthread_cond_timedwait(&act->told, &act->mutex, &until);
    bool is_done = act->is_done;
    int http_status = is_done ? act->http_status : 0;
    *why = act->why;
    act->is_left = true;
    (void)pthread_mutex_unlock(&act->mutex);
    if (is_done)
        act_free(act);
    return http_status;
}

static bool fail_draining(struct ock_problem *problem)
{
    ock_problem_set(problem, 503, "draining", "The server is closing", "try again later");
    problem->retry_after_s = 5;
    return false;
}

static bool fail_late(const struct ock_runner *runner, struct ock_problem *problem)
{
    if (ock_store_is_full(runner->engine->store)) {
        ock_problem_set(problem, 507, "no_space", "The disk is full",
                        "the job was told, but there is no room on the server's disk to remember "
                        "it; delete jobs or datasets, then look at the job");
        return false;
    }
    ock_problem_set(problem, 503, "busy", "The server's disk is slow",
                    "the job was told, but that is not stored yet; look at the job, or try again");
    problem->retry_after_s = 5;
    return false;
}

bool ock_runner_act(struct ock_runner *runner, const char *id, const char *action, int *status,
                    struct ock_problem *problem)
{
    const char *why = NULL;
    if (atomic_load(&runner->engine->draining))
        return fail_draining(problem); /* nobody may read the letter any more */
    struct ock_act *act = act_new(id, action);
    if (!act) {
        ock_problem_set(problem, 500, "out_of_memory", "The server is out of memory",
                        "there is not enough memory for this request; try again later");
        return false;
    }
    ock_runner_post_letter(runner, &act->letter);
    int http_status = wait_for(act, &why);
    switch (http_status) {
    case 200:
    case 202:
        *status = http_status;
        return true;
    case 404:
        return act_on_ended(runner, id, action, status, problem);
    case 409:
        ock_problem_set(problem, 409, "wrong_state", "The job's state does not allow this", "%s",
                        why);
        return false;
    case 503:
        return fail_draining(problem);
    case 0:
        return fail_late(runner, problem);
    default:
        ock_problem_set(problem, 500, "internal", "Something went wrong in the server",
                        "the store could not be written");
        return false;
    }
}

struct priority {
    struct ock_letter letter;
    char id[OCK_ID_SIZE];
    int priority;
};

static void open_priority(struct ock_runner *runner, struct ock_letter *letter)
{
    struct priority *change = (struct priority *)(void *)letter;
    struct ock_live *live = ock_runner_find(runner, change->id);
    if (live) {
        bool waits = live->status == OCK_JOB_QUEUED && !live->has_worker && !live->ending;
        if (waits)
            ock_runner_dequeue(runner, live);
        live->priority = change->priority;
        if (waits)
            ock_runner_enqueue(runner, live);
    }
    free(change);
}

void ock_runner_set_priority(struct ock_runner *runner, const char *id, int priority)
{
    struct priority *change = ock_patient_calloc(sizeof(*change));
    change->letter.open = open_priority;
    memcpy(change->id, id, strnlen(id, OCK_ID_SIZE - 1));
    change->priority = priority;
    ock_runner_post_letter(runner, &change->letter);
}
