/* The runner's thread: mailbox, epoll loop, queue and budgets.
 *
 * Invariant of the loop: after each turn, as many of the waiting jobs run as the budgets allow. */
#include "server/runner.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/base/limits.h"
#include "server/log.h"
#include "server/problem.h"
#include "server/resources.h"
#include "server/runner_private.h"

enum {
    EVENTS_MAX = 64,
    CLOSE_MS = 6500, /* SIGTERM to the exit is to take less than 10 s */
    POLL_PID_MS = 2, /* where the system has no pidfd */
};

int64_t ock_monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

void ock_runner_post_letter(struct ock_runner *runner, struct ock_letter *letter)
{
    letter->next = NULL;
    (void)pthread_mutex_lock(&runner->mutex);
    if (runner->last_letter)
        runner->last_letter->next = letter;
    else
        runner->letters = letter;
    runner->last_letter = letter;
    (void)pthread_mutex_unlock(&runner->mutex);
    uint64_t one = 1;
    ssize_t done = write(runner->event_fd, &one, sizeof(one));
    (void)done; /* a full counter has woken the thread already */
}

/* Opens all letters that are there. */
static void open_letters(struct ock_runner *runner)
{
    (void)pthread_mutex_lock(&runner->mutex);
    struct ock_letter *letter = runner->letters;
    runner->letters = runner->last_letter = NULL;
    (void)pthread_mutex_unlock(&runner->mutex);
    while (letter) {
        struct ock_letter *next = letter->next; /* opening frees it */
        letter->open(runner, letter);
        letter = next;
    }
}

/* --- After a worker ---------------------------------------------------------------------------- */

static bool was_killed(int wait_status)
{
    return WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGKILL;
}

/* OpenMP's library knows no other way than to print and to exit; the worker has tried its threads
 * before, so this is rare. */
static bool said_so(int wait_status, const char *said)
{
    int code = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1;
    bool by_openmp = code == 1 && strncmp(said, "libgomp: ", 9) == 0 &&
                     (strstr(said, "Thread creation failed") || strstr(said, "Out of memory"));
    return code == OCK_WORKER_NO_MEMORY || by_openmp;
}

/* Memory ran out, for sure: it would again, so the job ends with this attempt. */
static bool ended_by_memory(const struct ock_runner *runner, const struct ock_live *live,
                            int wait_status, char *text, size_t size)
{
    if (said_so(wait_status, live->worker.said)) {
        (void)snprintf(text, size, "%s", live->worker.said);
        return true;
    }
    if (!was_killed(wait_status) || !live->has_cgroup ||
        ock_cgroup_oom_kills(&runner->engine->cgroups, live->id) == 0)
        return false;
    (void)snprintf(text, size,
                   "the kernel ended the worker because memory ran out; the job's plan is %zu MiB, "
                   "the program and its data come on top. Fewer units or a smaller batch_size need "
                   "less, and fewer jobs at once (--cores, --memory) leave more",
                   live->need.memory_bytes / OCK_MIB);
    return true;
}

static void after_crash(struct ock_runner *runner, struct ock_live *live, int wait_status)
{
    char text[320];
    bool by_memory = ended_by_memory(runner, live, wait_status, text, sizeof(text));
    if (!by_memory)
        ock_worker_explain(wait_status, live->worker.said, text, sizeof(text));
    ock_log(OCK_LOG_WARNING, "%s: %s", live->id, text);
    ock_problem_hide_path(text, runner->engine->data_dir); /* the log has said it in full */
    if (by_memory) {
        ock_post_out_of_memory(runner, live, text);
        return;
    }
    /* The machine's count may be of another process: only three such deaths are the job's. */
    bool perhaps = !live->has_cgroup && ock_oom_kills() > live->oom_kills;
    ock_post_death(runner, live, text, perhaps && was_killed(wait_status));
}

/* The worker left on request, with a checkpoint (or was too slow when the server closed). */
static void after_pause(struct ock_runner *runner, struct ock_live *live)
{
    if (live->want == OCK_WANT_PAUSE) {
        live->want = OCK_WANT_NOTHING;
        ock_live_unhold(live);
        ock_post_change(runner, live, OCK_JOB_PAUSED, NULL, NULL, false, false);
        return;
    }
    if (live->held && !runner->closing) {
        ock_runner_hold(runner, live);
        return;
    }
    ock_live_unhold(live);
    ock_post_change(runner, live, OCK_JOB_QUEUED, runner->closing ? "server_stopped" : "resumed",
                    NULL, false, false);
    ock_runner_enqueue(runner, live);
}

static void after_no_space(struct ock_runner *runner, struct ock_live *live)
{
    ock_log(OCK_LOG_WARNING, "%s: %s", live->id, live->worker.said);
    live->held = true;
    after_pause(runner, live);
}

void ock_runner_after_exit(struct ock_runner *runner, struct ock_live *live, int wait_status)
{
    if (live->ending)
        return;
    int code = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1;
    if (live->want == OCK_WANT_CANCEL)
        ock_post_cancelled(runner, live, NULL);
    else if (code == OCK_WORKER_PAUSED || code == OCK_WORKER_ORPHANED || runner->closing)
        after_pause(runner, live);
    else if (code == OCK_WORKER_NO_SPACE)
        after_no_space(runner, live);
    else
        after_crash(runner, live, wait_status);
}

/* --- The loop ---------------------------------------------------------------------------------- */

static void handle(struct ock_runner *runner, const struct ock_watch *source)
{
    struct ock_live *live = source->live;
    switch (source->kind) {
    case OCK_SOURCE_OUT:
        if (live->has_worker && live->out_open)
            ock_live_read(runner, live);
        break;
    case OCK_SOURCE_ERR:
        if (live->has_worker && live->err_open && !ock_worker_read_err(&live->worker)) {
            live->err_open = false;
            (void)epoll_ctl(runner->epoll_fd, EPOLL_CTL_DEL, live->worker.err, NULL);
        }
        break;
    case OCK_SOURCE_PID:
        if (live->has_worker)
            ock_live_reap(runner, live);
        break;
    case OCK_SOURCE_MAILBOX:
    default: {
        uint64_t count;
        ssize_t got = read(runner->event_fd, &count, sizeof(count));
        (void)got; /* only the waking matters */
        break;
    }
    }
}

/* Without a pidfd, a worker that closed its pipe is asked after. */
static void poll_pids(struct ock_runner *runner)
{
    struct ock_live *next = NULL;
    for (struct ock_live *live = runner->lives; live && runner->pidless > 0; live = next) {
        next = live->next;
        if (live->has_worker && live->worker.pidfd < 0)
            ock_live_reap(runner, live);
    }
}

/* Until the next thing that no descriptor tells of; this runs at every turn, so a long queue is
 * walked only if one of it is delayed. */
static int timeout_ms(const struct ock_runner *runner)
{
    int64_t now = ock_monotonic_ms(), until = INT64_MAX;
    if (runner->pidless > 0)
        return POLL_PID_MS;
    if (runner->closing)
        until = runner->deadline_ms > now ? runner->deadline_ms : now + 100;
    else if (runner->lives || atomic_load(&runner->engine->disk_low))
        until = runner->disk_look_ms;
    for (size_t i = 0; !runner->closing && runner->delayed > 0 && i < runner->waiting_count; i++) {
        int64_t at = runner->waiting[i]->not_before_ms;
        if (at > now && at < until)
            until = at;
    }
    if (!runner->closing && runner->again_ms > now && runner->again_ms < until)
        until = runner->again_ms;
    if (until == INT64_MAX)
        return -1;
    return until <= now ? 0 : until - now < 60000 ? (int)(until - now) + 1 : 60000;
}

/* Closing is over when no worker is left and the store has answered, or does not. */
static bool is_over(struct ock_runner *runner)
{
    if (!runner->closing)
        return false;
    bool late = ock_monotonic_ms() >= runner->deadline_ms;
    size_t workers = 0;
    for (struct ock_live *live = runner->lives; live; live = live->next) {
        if (!live->has_worker)
            continue;
        workers++;
        if (late)
            ock_worker_kill(&live->worker, SIGKILL);
    }
    return workers == 0 && (runner->posts == 0 || late);
}

static void *run(void *arg)
{
    struct ock_runner *runner = arg;
    struct epoll_event events[EVENTS_MAX];
    for (;;) {
        open_letters(runner);
        ock_runner_watch_disk(runner);
        ock_runner_make_plans(runner);
        ock_runner_store_ends(runner);
        while (!runner->closing && ock_runner_start_one(runner))
            continue;
        if (is_over(runner))
            return NULL;
        poll_pids(runner);
        int count = epoll_wait(runner->epoll_fd, events, EVENTS_MAX, timeout_ms(runner));
        if (count < 0 && errno != EINTR)
            ock_log(OCK_LOG_ERROR, "epoll_wait failed (errno %d)", errno);
        /* A job is freed by its process' event or by a letter. The process' event comes last here,
         * so that no event of the same turn finds the job gone. */
        for (int i = 0; i < count; i++) {
            const struct ock_watch *source = events[i].data.ptr;
            if (source->kind != OCK_SOURCE_PID)
                handle(runner, source);
        }
        for (int i = 0; i < count; i++) {
            const struct ock_watch *source = events[i].data.ptr;
            if (source->kind == OCK_SOURCE_PID)
                handle(runner, source);
        }
    }
}

/* --- From outside ------------------------------------------------------------------------------ */

void ock_runner_usage(struct ock_runner *runner, unsigned *cores, size_t *memory_bytes,
                      size_t *running)
{
    *cores = atomic_load(&runner->usage_cores);
    *memory_bytes = atomic_load(&runner->usage_memory);
    *running = atomic_load(&runner->usage_running);
}

static void put_text(char *out, const char *text)
{
    (void)snprintf(out, OCK_ID_SIZE, "%s", text ? text : "");
}

static struct ock_live *live_new(const struct ock_job_row *row)
{
    struct ock_live *live = calloc(1, sizeof(*live));
    if (!live)
        return NULL;
    live->number = row->number;
    put_text(live->id, row->id);
    live->status = row->status;
    live->held = row->want == OCK_WANT_ROOM || row->want == OCK_WANT_ROOM_TO_STOP;
    live->want = row->want == OCK_WANT_ROOM           ? OCK_WANT_NOTHING
                 : row->want == OCK_WANT_ROOM_TO_STOP ? OCK_WANT_STOP
                                                      : row->want;
    live->priority = row->priority;
    live->was_started = row->was_started;
    live->has_init = row->has_init;
    put_text(live->dataset, row->dataset);
    put_text(live->validation, row->validation);
    put_text(live->test, row->test);
    live->need = (struct ock_need){.memory_bytes = row->memory_bytes,
                                   .threads = row->threads,
                                   .threads_useful = row->threads_useful};
    return live;
}

struct addition {
    struct ock_letter letter;
    struct ock_live *live;
};

static void open_addition(struct ock_runner *runner, struct ock_letter *letter)
{
    struct addition *addition = (struct addition *)(void *)letter;
    atomic_fetch_sub(&runner->engine->waiting, 1); /* enqueue counts it again */
    ock_runner_link(runner, addition->live);
    ock_runner_enqueue(runner, addition->live);
    ock_runner_plan(runner, addition->live);
    free(addition);
}

enum ock_status ock_runner_add(struct ock_runner *runner, const struct ock_job_row *row,
                               struct ock_err *err)
{
    struct addition *addition = calloc(1, sizeof(*addition));
    struct ock_live *live = live_new(row);
    if (!addition || !live) {
        free(addition);
        free(live);
        return ock_fail(err, OCK_NOMEM, "no memory for the job; it starts after a restart");
    }
    addition->letter.open = open_addition;
    addition->live = live;
    ock_runner_post_letter(runner, &addition->letter);
    return OCK_OK;
}

static enum ock_status load_one(void *ctx, const struct ock_job_row *row, struct ock_err *err)
{
    struct ock_runner *runner = ctx;
    struct ock_live *live = live_new(row);
    if (!live)
        return ock_fail(err, OCK_NOMEM, "no memory for the queue");
    ock_runner_link(runner, live);
    return OCK_OK;
}

/* What an earlier server left: queued jobs wait again, running ones are requeued, and what was
 * asked for before the end of that server is done now. */
static void take_over(struct ock_runner *runner)
{
    struct ock_live *next = NULL;
    for (struct ock_live *live = runner->lives; live; live = next) {
        next = live->next;
        if (live->want == OCK_WANT_CANCEL) {
            ock_post_cancelled(runner, live, NULL);
        } else if (live->status == OCK_JOB_RUNNING && live->want == OCK_WANT_PAUSE) {
            live->want = OCK_WANT_NOTHING;
            ock_post_change(runner, live, OCK_JOB_PAUSED, "server_restarted", NULL, true, false);
        } else if (live->status == OCK_JOB_RUNNING) {
            ock_post_change(runner, live, OCK_JOB_QUEUED, "server_restarted", NULL, true, false);
            ock_runner_enqueue(runner, live);
        } else if (live->status == OCK_JOB_QUEUED && live->want == OCK_WANT_PAUSE) {
            live->want = OCK_WANT_NOTHING; /* its worker had died before it could obey */
            ock_post_change(runner, live, OCK_JOB_PAUSED, "server_restarted", NULL, false, false);
        } else if (live->status == OCK_JOB_QUEUED) {
            ock_runner_enqueue(runner, live);
        }
        ock_runner_plan(runner, live);
    }
}

static enum ock_status load(struct ock_runner *runner, struct ock_err *err)
{
    struct ock_db *db = ock_store_read(runner->engine->store, err);
    if (!db)
        return OCK_IO;
    enum ock_status status = ock_store_unended_jobs(db, load_one, runner, err);
    ock_store_read_end(runner->engine->store, db);
    return status;
}

static enum ock_status open_fds(struct ock_runner *runner, struct ock_err *err)
{
    runner->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    runner->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    runner->mailbox_watch = (struct ock_watch){.kind = OCK_SOURCE_MAILBOX};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &runner->mailbox_watch};
    if (runner->epoll_fd < 0 || runner->event_fd < 0 ||
        epoll_ctl(runner->epoll_fd, EPOLL_CTL_ADD, runner->event_fd, &event) != 0)
        return ock_fail_errno(err, errno, "cannot make the runner's descriptors");
    return OCK_OK;
}

enum ock_status ock_runner_new(struct ock_runner **out, struct ock_engine *engine,
                               struct ock_err *err)
{
    struct ock_runner *runner = calloc(1, sizeof(*runner));
    if (!runner)
        return ock_fail(err, OCK_NOMEM, "no memory for the runner");
    runner->engine = engine;
    runner->epoll_fd = runner->event_fd = -1;
    (void)pthread_mutex_init(&runner->mutex, NULL);
    enum ock_status status = open_fds(runner, err);
    if (status == OCK_OK)
        status = load(runner, err);
    if (status == OCK_OK) {
        take_over(runner);
        int failed = pthread_create(&runner->thread, NULL, run, runner);
        runner->has_thread = failed == 0;
        if (failed)
            status = ock_fail_errno(err, failed, "cannot start the runner");
    }
    if (status != OCK_OK) {
        ock_runner_free(runner);
        return status;
    }
    *out = runner;
    return OCK_OK;
}

struct closing {
    struct ock_letter letter;
};

static void open_closing(struct ock_runner *runner, struct ock_letter *letter)
{
    (void)letter;
    runner->closing = true;
    runner->deadline_ms = ock_monotonic_ms() + CLOSE_MS;
    for (struct ock_live *live = runner->lives; live; live = live->next) {
        if (live->has_worker && !live->ending)
            ock_worker_send(&live->worker, "pause");
    }
}

void ock_runner_stop(struct ock_runner *runner)
{
    if (!runner || !runner->has_thread)
        return;
    struct closing closing = {.letter.open = open_closing};
    ock_runner_post_letter(runner, &closing.letter);
    (void)pthread_join(runner->thread, NULL);
    runner->has_thread = false;
    atomic_store(&runner->abandons, true);
}

void ock_runner_free(struct ock_runner *runner)
{
    if (!runner)
        return;
    runner->closing = true;
    while (runner->letters)
        open_letters(runner);
    ock_runner_drop_ends(runner);
    while (runner->lives) {
        struct ock_live *live = runner->lives;
        runner->lives = live->next;
        if (live->has_worker)
            ock_worker_close(&live->worker);
        free(live);
    }
    free(runner->waiting);
    if (runner->epoll_fd >= 0)
        (void)close(runner->epoll_fd);
    if (runner->event_fd >= 0)
        (void)close(runner->event_fd);
    (void)pthread_mutex_destroy(&runner->mutex);
    free(runner);
}
