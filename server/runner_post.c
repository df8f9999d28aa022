/* The runner's writes: made here, applied by the committer, answered by a letter.
 *
 * All of them keep trying: a full disk delays them, it does not lose them. */
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/limits.h"
#include "server/keeper.h"
#include "server/log.h"
#include "server/runner_private.h"

void *ock_patient_calloc(size_t size)
{
    for (;;) {
        void *memory = calloc(1, size);
        if (memory)
            return memory;
        ock_log(OCK_LOG_ERROR, "out of memory; trying again");
        struct timespec pause = {.tv_nsec = 100000000L};
        (void)nanosleep(&pause, NULL);
    }
}

static void post_free(struct ock_post *post)
{
    free(post->lines);
    free(post->error);
    ock_buf_deinit(&post->text);
    ock_buf_deinit(&post->blobs[0]);
    ock_buf_deinit(&post->blobs[1]);
    free(post);
}

static enum ock_status apply_post(struct ock_db *db, void *ctx, struct ock_err *err)
{
    struct ock_post *post = ctx;
    switch (post->kind) {
    case OCK_POST_CHANGE:
        return ock_store_change_job(db, &post->change, err);
    case OCK_POST_WANT:
        return ock_store_set_want(db, post->change.number, post->change.want, err);
    case OCK_POST_DEATH:
        return ock_store_bury_worker(db, &post->death, err);
    case OCK_POST_EVENTS:
        return ock_store_append_events(db, &post->batch, err);
    case OCK_POST_END:
    default:
        return ock_store_end_job(db, &post->end, err);
    }
}

/* On the committer's thread: readers may look now; the runner hears of it by letter. */
static void post_done(void *ctx, enum ock_status status, const struct ock_err *err)
{
    struct ock_post *post = ctx;
    post->status = status;
    struct ock_engine *engine = post->runner->engine;
    if (status != OCK_OK)
        ock_log(OCK_LOG_ERROR, "a write for %s failed: %s", post->change.id, err->text);
    /* Counted before anyone is told: who has seen the end finds it in the counters. */
    if (status == OCK_OK && post->kind == OCK_POST_END && !post->end.broken)
        ock_meters_end(&engine->meters, post->end.status);
    if (status == OCK_OK)
        ock_hub_wake(engine->hub, post->change.id);
    ock_runner_post_letter(post->runner, &post->letter);
}

static void answer(struct ock_post *post)
{
    if (!post->act)
        return;
    if (post->status == OCK_OK)
        ock_act_tell(post->act, 202, NULL);
    else
        ock_act_tell(post->act, 500, NULL);
}

/* Why a job failed without a word of its worker's. */
struct verdict {
    const char *stop_reason, *code, *title;
};
static const struct verdict not_reproducible = {"not_reproducible", "not_reproducible",
                                                "The job did not repeat itself"},
                            of_memory = {"memory", "memory", "The job ran out of memory"},
                            crash = {"crash", "crash", "The job's worker failed"};

/* A problem object, owned by the caller; NULL: out of memory. */
static char *error_text(const struct verdict *verdict, const char *detail)
{
    struct ock_problem *problem = ock_patient_calloc(sizeof(*problem));
    struct ock_buf text;
    ock_buf_init(&text, OCK_MIB);
    ock_problem_set(problem, 500, verdict->code, verdict->title, "%s", detail);
    ock_problem_write(problem, NULL, &text);
    char *out = ock_buf_take(&text);
    ock_buf_deinit(&text);
    free(problem);
    return out;
}

static void post_failed(struct ock_runner *runner, struct ock_live *live,
                        const struct verdict *verdict, const char *detail)
{
    ock_post_end(runner, live,
                 &(struct ock_ending){.status = OCK_JOB_FAILED,
                                      .stop_reason = verdict->stop_reason,
                                      .error = error_text(verdict, detail)});
}

void ock_post_out_of_memory(struct ock_runner *runner, struct ock_live *live, const char *detail)
{
    post_failed(runner, live, &of_memory, detail);
}

static void after_death(struct ock_runner *runner, struct ock_live *live,
                        const struct ock_post *post)
{
    live->burying = false;
    ock_live_unhold(live); /* it died before it could be set aside */
    if (post->status != OCK_OK)
        return; /* the store is closing; a restart finds the job as it was */
    if (live->want == OCK_WANT_CANCEL) {
        ock_post_cancelled(runner, live, NULL);
        return;
    }
    if (!post->death.give_up && live->want == OCK_WANT_PAUSE) {
        live->want = OCK_WANT_NOTHING;
        ock_post_change(runner, live, OCK_JOB_PAUSED, NULL, NULL, false, false);
        return;
    }
    if (!post->death.give_up) {
        live->status = OCK_JOB_QUEUED;
        ock_runner_enqueue(runner, live);
        return;
    }
    bool is_broken = post->death.broken[0] != '\0';
    const char *detail = is_broken ? post->death.broken : post->reason;
    const struct verdict *verdict = is_broken             ? &not_reproducible
                                    : post->out_of_memory ? &of_memory
                                                          : &crash;
    post_failed(runner, live, verdict, detail);
}

static void after_events(struct ock_runner *runner, struct ock_live *live,
                         const struct ock_post *post)
{
    live->inflight_bytes -= post->bytes;
    if (post->status != OCK_OK || !live->has_worker)
        return;
    if (post->batch.broken && !live->ending) {
        /* What follows from this worker is void; its death tells the store's verdict. */
        live->killed_for_end = true;
        ock_worker_kill(&live->worker, SIGKILL);
        return;
    }
    ock_worker_confirm(&live->worker, post->last_number);
    if (live->out_paused && live->inflight_bytes == 0)
        ock_live_resume_reading(runner, live);
}

static void after_end(struct ock_runner *runner, struct ock_live *live, const struct ock_post *post)
{
    if (post->status != OCK_OK)
        return;
    if (post->end.broken) {
        ock_post_death(runner, live, "not reproducible", false);
    } else {
        live->ended = true;
        ock_keeper_wake(runner->engine->keeper);
    }
}

/* A page of the store that the job needs is damaged, so its worker would wait for ever to hear that
 * its events are stored. It goes; checkpoints and what was not stored stay, and the job is what the
 * store says that it is: another start of the server, on a sound store, goes on with it. */
static void set_aside(struct ock_runner *runner, struct ock_live *live)
{
    if (!live->aside)
        ock_log(OCK_LOG_ERROR, "%s is set aside until the next start: the store is damaged",
                live->id);
    live->aside = live->ending = live->ended = true;
    ock_runner_dequeue(runner, live);
    if (live->has_worker) {
        live->killed_for_end = true;
        ock_worker_kill(&live->worker, SIGKILL);
    }
}

static void open_post(struct ock_runner *runner, struct ock_letter *letter)
{
    struct ock_post *post =
        (struct ock_post *)(void *)((char *)letter - offsetof(struct ock_post, letter));
    struct ock_live *live = post->live;
    live->posts--;
    runner->posts--;
    answer(post);
    if (live->posts == 0)
        ock_live_tell_acts(live);
    if (!runner->engine->store) {
        post_free(post); /* the server is closing: nothing follows any more */
        return;
    }
    if (post->status == OCK_CORRUPT)
        set_aside(runner, live);
    else if (post->kind == OCK_POST_CHANGE && post->change.begins)
        live->is_told = true;
    else if (post->kind == OCK_POST_DEATH)
        after_death(runner, live, post);
    else if (post->kind == OCK_POST_EVENTS)
        after_events(runner, live, post);
    else if (post->kind == OCK_POST_END)
        after_end(runner, live, post);
    post_free(post);
    ock_runner_drop_if_over(runner, live);
}

/* What the store keeps of live->want and live->held. */
static enum ock_want wish_of(const struct ock_live *live)
{
    if (!live->held || live->status != OCK_JOB_PAUSED)
        return live->want;
    return live->want == OCK_WANT_STOP ? OCK_WANT_ROOM_TO_STOP : OCK_WANT_ROOM;
}

static struct ock_post *post_new(struct ock_runner *runner, struct ock_live *live,
                                 enum ock_post_kind kind, struct ock_act *act)
{
    struct ock_post *post = ock_patient_calloc(sizeof(*post));
    post->write = (struct ock_write){.apply = apply_post,
                                     .done = post_done,
                                     .ctx = post,
                                     .job = live->number,
                                     .keep_trying = true};
    post->letter.open = open_post;
    post->runner = runner;
    post->live = live;
    post->act = act;
    post->kind = kind;
    post->change = (struct ock_job_change){
        .number = live->number, .id = live->id, .status = live->status, .want = wish_of(live)};
    post->write.makes_room = act != NULL; /* a full disk must not keep a person from acting */
    live->posts++;
    runner->posts++;
    return post;
}

void ock_post_change(struct ock_runner *runner, struct ock_live *live, enum ock_job_status status,
                     const char *reason, struct ock_act *act, bool more_attempt, bool begins)
{
    live->status = status;
    struct ock_post *post = post_new(runner, live, OCK_POST_CHANGE, act);
    post->change.reason = reason; /* static */
    post->change.more_attempt = more_attempt;
    post->change.begins = begins;
    post->write.makes_room |= status == OCK_JOB_PAUSED; /* what was asked for, and spares room */
    /* "running" can wait for the first epoch's sync; what a person asked for can't. */
    post->write.lazy = begins && !act;
    ock_store_post(runner->engine->store, &post->write);
}

void ock_post_hold(struct ock_runner *runner, struct ock_live *live)
{
    static const char warning[] =
        "{\"code\":\"disk_full\",\"message\":\"there is no room on the server's disk: the job is "
        "paused and goes on by itself when there is; delete jobs or datasets\"}";
    live->status = OCK_JOB_PAUSED;
    struct ock_post *post = post_new(runner, live, OCK_POST_CHANGE, NULL);
    post->change.reason = "disk_full";
    post->change.warning = warning;
    post->write.makes_room = true;
    ock_store_post(runner->engine->store, &post->write);
}

void ock_post_want(struct ock_runner *runner, struct ock_live *live, struct ock_act *act)
{
    struct ock_post *post = post_new(runner, live, OCK_POST_WANT, act);
    ock_store_post(runner->engine->store, &post->write);
}

void ock_post_death(struct ock_runner *runner, struct ock_live *live, const char *reason,
                    bool out_of_memory)
{
    struct ock_post *post = post_new(runner, live, OCK_POST_DEATH, NULL);
    live->burying = true;
    (void)snprintf(post->reason, sizeof(post->reason), "%s", reason);
    post->death =
        (struct ock_job_death){.number = live->number, .id = live->id, .reason = post->reason};
    post->out_of_memory = out_of_memory;
    ock_store_post(runner->engine->store, &post->write);
}

void ock_post_events(struct ock_runner *runner, struct ock_live *live, struct ock_post *post)
{
    struct ock_post *made = post_new(runner, live, OCK_POST_EVENTS, NULL);
    made->lines = post->lines;
    made->text = post->text;
    made->last_number = post->last_number;
    made->bytes = post->text.size;
    made->batch = (struct ock_event_batch){
        .number = live->number, .id = live->id, .count = post->batch.count, .lines = made->lines};
    live->inflight_bytes += made->bytes;
    ock_store_post(runner->engine->store, &made->write);
}

void ock_post_end(struct ock_runner *runner, struct ock_live *live, const struct ock_ending *ending)
{
    live->ending = true;
    struct ock_post *post = post_new(runner, live, OCK_POST_END, ending->act);
    post->end =
        (struct ock_job_end){.number = live->number, .id = live->id, .status = ending->status};
    if (ending->stop_reason)
        (void)snprintf(post->stop_reason, sizeof(post->stop_reason), "%s", ending->stop_reason);
    post->error = ending->error;
    post->text = ending->text;
    post->errand.run = ock_end_run;
    ock_errands_post(runner->engine->errands, &post->errand);
}

void ock_post_cancelled(struct ock_runner *runner, struct ock_live *live, struct ock_act *act)
{
    ock_post_end(
        runner, live,
        &(struct ock_ending){.status = OCK_JOB_CANCELLED, .stop_reason = "cancelled", .act = act});
}
