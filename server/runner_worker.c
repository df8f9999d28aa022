/* A running job's worker: its directory, its start, its lines, its exit. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/jsonw.h"
#include "core/base/limits.h"
#include "server/log.h"
#include "server/resources.h"
#include "server/runner_private.h"
#include "server/store_events.h"

/* Of a job's news that are not committed yet: then its worker waits. Little, since on a full disk all
 * that was told before a pause has to go with it into one transaction, and into half of the room that
 * the store keeps. The log of a transaction takes up to a sixth more than its texts do, and what one
 * read of the pipe brings may come on top. */
static const size_t inflight_bytes_max = (size_t)512 << 10;
static const unsigned inflight_posts_max = 64;

enum { LINES_START = 16 };

size_t ock_worker_overhead_bytes(uint32_t threads)
{
    struct rlimit stack;
    size_t each = (size_t)8 << 20;
    if (getrlimit(RLIMIT_STACK, &stack) == 0 && stack.rlim_cur != RLIM_INFINITY)
        each = stack.rlim_cur;
    return ((size_t)64 << 20) + threads * (each + ((size_t)1 << 20));
}

/* Measured: 3.8 MiB beside the plan, of which 2.5 are the program's pages, and less than 100 KiB a
 * thread. */
size_t ock_job_memory_bytes(const struct ock_engine *engine, size_t plan_bytes, uint32_t threads,
                            uint32_t threads_useful)
{
    uint32_t most = threads_useful < engine->cores ? threads_useful : engine->cores;
    return plan_bytes + 8 * OCK_MIB + (threads > 0 ? threads : most) * (OCK_MIB / 8);
}

static void write_path(struct ock_jsonw *w, const struct ock_engine *engine, const char *key,
                       const char *dataset)
{
    char path[OCK_PATH_SIZE];
    if (!dataset[0]) {
        ock_jsonw_null(w, key);
        return;
    }
    ock_dataset_path(engine, path, dataset);
    ock_jsonw_string(w, key, path);
}

static void write_in_directory(struct ock_jsonw *w, const struct ock_engine *engine,
                               const char *key, const char *id, const char *name)
{
    char path[OCK_PATH_SIZE];
    ock_job_path(engine, path, id, name);
    ock_jsonw_string(w, key, path);
}

/* RLIMIT_DATA gives a quarter more than the plan: the plan is exact for what is allocated, the
 * allocator is not. */
static size_t data_bytes_max(const struct ock_live *live, uint32_t threads)
{
    size_t planned = live->need.memory_bytes;
    return planned + planned / 4 + ock_worker_overhead_bytes(threads);
}

static size_t file_bytes(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && info.st_size > 0 ? (size_t)info.st_size : 0;
}

/* Room in the cgroup for the pages of the datasets, so that they are read from the disk once and not
 * in every epoch; as far as there is memory at all. */
static size_t mapped_bytes(const struct ock_engine *engine, const struct ock_live *live)
{
    const char *const sets[] = {live->dataset, live->validation, live->test};
    char path[OCK_PATH_SIZE];
    size_t bytes = 0;
    ock_job_path(engine, path, live->id, "inline.ockds");
    bytes += file_bytes(path);
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        if (!sets[i][0])
            continue;
        ock_dataset_path(engine, path, sets[i]);
        bytes += file_bytes(path);
    }
    return bytes < engine->memory_bytes ? bytes : engine->memory_bytes;
}

static void make_cgroup(const struct ock_engine *engine, struct ock_live *live, uint32_t threads)
{
    live->has_cgroup = live->need.memory_bytes >= OCK_CGROUP_BYTES_MIN &&
                       ock_cgroup_make(&engine->cgroups, live->id,
                                       data_bytes_max(live, threads) + mapped_bytes(engine, live));
}

static void remove_cgroup(const struct ock_engine *engine, struct ock_live *live)
{
    if (live->has_cgroup)
        ock_cgroup_remove(&engine->cgroups, live->id);
    live->has_cgroup = false;
}

/* job.json (protocol.h). */
static void write_job(const struct ock_engine *engine, const struct ock_live *live,
                      const char *spec, uint64_t told_step, uint32_t threads, struct ock_buf *out)
{
    char procs[OCK_CGROUP_PATH_SIZE + OCK_CGROUP_NAME_SIZE];
    struct ock_jsonw w = ock_jsonw_make(out);
    ock_jsonw_object(&w, NULL);
    ock_jsonw_string(&w, "job", live->id);
    ock_jsonw_raw(&w, "spec", spec);
    if (live->dataset[0])
        write_path(&w, engine, "train", live->dataset);
    else
        write_in_directory(&w, engine, "train", live->id, "inline.ockds");
    write_path(&w, engine, "validation", live->validation);
    write_path(&w, engine, "test", live->test);
    if (live->has_init)
        write_in_directory(&w, engine, "init", live->id, "init.safetensors");
    else
        ock_jsonw_null(&w, "init");
    ock_jsonw_uint(&w, "told_step", told_step);
    ock_jsonw_uint(&w, "threads", threads);
    ock_jsonw_uint(&w, "data_bytes_max", data_bytes_max(live, threads));
    ock_jsonw_uint(&w, "memory_bytes", engine->memory_bytes);
    ock_cgroup_procs(&engine->cgroups, live->id, procs);
    ock_jsonw_string(&w, "cgroup", live->has_cgroup ? procs : NULL);
    ock_jsonw_end_object(&w);
}

/* Not synced: it is written anew at every start. */
static enum ock_status write_plain(const char *path, const struct ock_buf *text,
                                   struct ock_err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return ock_fail_errno(err, errno, "cannot write job.json");
    size_t at = 0;
    while (at < text->size) {
        ssize_t done = write(fd, text->data + at, text->size - at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0) {
            int error_number = errno;
            (void)close(fd);
            return ock_fail_errno(err, error_number, "cannot write job.json");
        }
        at += (size_t)done;
    }
    return close(fd) == 0 ? OCK_OK : ock_fail_errno(err, errno, "cannot write job.json");
}

static enum ock_status prepare(struct ock_runner *runner, const struct ock_live *live,
                               uint32_t threads, struct ock_err *err)
{
    char path[OCK_PATH_SIZE];
    struct ock_buf spec, text;
    uint64_t told_step = 0;
    ock_buf_init(&spec, OCK_JSON_BYTES_MAX);
    ock_buf_init(&text, OCK_JSON_BYTES_MAX + OCK_MIB);
    struct ock_db *db = ock_store_read(runner->engine->store, err);
    enum ock_status status =
        db ? ock_store_run_spec(db, live->number, &spec, &told_step, err) : OCK_IO;
    if (db)
        ock_store_read_end(runner->engine->store, db);
    if (status == OCK_OK)
        status = ock_job_directory(runner->engine, live->id, err);
    if (status == OCK_OK) {
        write_job(runner->engine, live, spec.data, told_step, threads, &text);
        status = ock_buf_status(&text, err);
    }
    if (status == OCK_OK) {
        ock_job_path(runner->engine, path, live->id, "job.json");
        status = write_plain(path, &text, err);
    }
    ock_buf_deinit(&spec);
    ock_buf_deinit(&text);
    return status;
}

static void watch(struct ock_runner *runner, int fd, struct ock_watch *source)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};
    if (fd >= 0 && epoll_ctl(runner->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
        ock_log(OCK_LOG_ERROR, "cannot watch a worker's pipe (errno %d)", errno);
}

static void unwatch(struct ock_runner *runner, int fd)
{
    struct epoll_event event = {0}; /* old kernels want one */
    if (fd >= 0)
        (void)epoll_ctl(runner->epoll_fd, EPOLL_CTL_DEL, fd, &event);
}

enum ock_status ock_live_start(struct ock_runner *runner, struct ock_live *live, uint32_t threads,
                               struct ock_err *err)
{
    char dir[OCK_PATH_SIZE];
    make_cgroup(runner->engine, live, threads);
    enum ock_status status = prepare(runner, live, threads, err);
    ock_job_path(runner->engine, dir, live->id, "");
    if (status == OCK_OK)
        status =
            ock_worker_start(&live->worker, runner->engine->program_fd, "train", dir, false, err);
    if (status != OCK_OK) {
        remove_cgroup(runner->engine, live);
        return status;
    }
    live->has_worker = live->out_open = live->err_open = true;
    live->out_paused = live->killed_for_end = live->is_told = false;
    live->out_watch = (struct ock_watch){OCK_SOURCE_OUT, live};
    live->err_watch = (struct ock_watch){OCK_SOURCE_ERR, live};
    live->pid_watch = (struct ock_watch){OCK_SOURCE_PID, live};
    live->oom_kills = ock_oom_kills();
    runner->pidless += live->worker.pidfd < 0;
    watch(runner, live->worker.out, &live->out_watch);
    watch(runner, live->worker.err, &live->err_watch);
    watch(runner, live->worker.pidfd, &live->pid_watch);
    return OCK_OK;
}

/* --- Lines ------------------------------------------------------------------------------------- */

/* A post in the making. Bodies stand in text, one after the other, each with its NUL; offsets
 * become pointers once the buffer has stopped moving. */
struct batch {
    struct ock_post post;
    size_t capacity;
};

static void batch_add(struct batch *batch, const struct ock_worker_line *line)
{
    struct ock_post *post = &batch->post;
    size_t count = post->batch.count;
    if (count == batch->capacity) {
        size_t capacity = batch->capacity ? 2 * batch->capacity : LINES_START;
        struct ock_event_line *lines = ock_patient_calloc(capacity * sizeof(*lines));
        if (count > 0)
            memcpy(lines, post->lines, count * sizeof(*lines));
        free(post->lines);
        post->lines = lines;
        batch->capacity = capacity;
    }
    ock_buf_add(&post->text, line->type, strlen(line->type) + 1);
    ock_buf_add(&post->text, line->key, strlen(line->key) + 1);
    ock_buf_add(&post->text, line->body, strlen(line->body) + 1);
    post->batch.count = count + 1;
    post->last_number = line->number;
}

/* Posts what was gathered, if anything; the batch is empty again. */
static void batch_send(struct ock_runner *runner, struct ock_live *live, struct batch *batch)
{
    struct ock_post *post = &batch->post;
    const char *at = post->text.data;
    for (size_t i = 0; i < post->batch.count; i++) {
        const char *key = at + strlen(at) + 1;
        const char *body = key + strlen(key) + 1;
        post->lines[i] = (struct ock_event_line){.type = at, .key = key, .body = body};
        at = body + strlen(body) + 1;
    }
    if (post->batch.count > 0)
        ock_post_events(runner, live, post);
    *batch = (struct batch){0};
    ock_buf_init(&post->text, (size_t)4 * OCK_WORKER_LINE_BYTES_MAX);
}

static void tell_progress(struct ock_runner *runner, struct ock_live *live, const char *body)
{
    struct ock_buf text;
    ock_buf_init(&text, 2 * OCK_EVENT_BYTES_MAX);
    ock_event_write(&text, "progress", live->id, 0, body);
    if (ock_buf_status(&text, NULL) == OCK_OK)
        ock_hub_progress(runner->engine->hub, live->id, text.data);
    ock_buf_deinit(&text);
}

/* The worker's last word. Its cores are free from here on: it only has to exit. */
static void take_end(struct ock_runner *runner, struct ock_live *live, const char *body)
{
    struct ock_buf text;
    ock_buf_init(&text, 2 * OCK_EVENT_BYTES_MAX);
    ock_buf_puts(&text, body);
    ock_runner_release(runner, live);
    ock_post_end(runner, live, &(struct ock_ending){.status = OCK_JOB_FAILED, .text = text});
}

static bool is_document(const struct ock_worker_line *line)
{
    return ock_document_name(line->key) && strlen(line->body) <= OCK_DOCUMENT_BYTES_MAX;
}

/* false: the worker does not keep to the protocol. */
static bool take_line(struct ock_runner *runner, struct ock_live *live, struct batch *batch,
                      char *text)
{
    struct ock_worker_line line;
    if (!ock_worker_parse_line(text, &line))
        return false;
    if (strcmp(line.type, "document") == 0 && !is_document(&line))
        return false;
    if (strcmp(line.type, "progress") == 0) {
        if (live->is_told)
            tell_progress(runner, live, line.body);
    } else if (strcmp(line.type, "end") == 0) {
        batch_send(runner, live, batch);
        take_end(runner, live, line.body);
    } else {
        if (strcmp(line.type, "checkpoint") == 0)
            live->holds = 0; /* there was room */
        if (strcmp(line.type, "epoch") == 0)
            ock_meters_epoch(&runner->engine->meters, &live->told, line.body);
        batch_add(batch, &line);
    }
    return true;
}

static void pause_reading(struct ock_runner *runner, struct ock_live *live)
{
    unwatch(runner, live->worker.out);
    live->out_paused = true;
}

void ock_live_resume_reading(struct ock_runner *runner, struct ock_live *live)
{
    live->out_paused = false;
    if (live->out_open)
        watch(runner, live->worker.out, &live->out_watch);
}

/* Only with bytes: their commit is what resumes the reading. */
static bool has_too_much_inflight(const struct ock_live *live)
{
    return live->inflight_bytes > inflight_bytes_max ||
           (live->inflight_bytes > 0 && live->posts > inflight_posts_max);
}

void ock_live_read(struct ock_runner *runner, struct ock_live *live)
{
    struct batch batch = {0};
    ock_buf_init(&batch.post.text, (size_t)4 * OCK_WORKER_LINE_BYTES_MAX);
    bool open = ock_worker_read(&live->worker);
    /* Nothing counts after the end, and nothing of a worker that is being killed for it. */
    while (!live->ending && !live->killed_for_end) {
        size_t size;
        char *text = ock_worker_next_line(&live->worker, &size);
        if (!text)
            break;
        if (!take_line(runner, live, &batch, text)) {
            ock_log(OCK_LOG_ERROR, "%s: a line of its worker is not of the protocol", live->id);
            ock_worker_kill(&live->worker, SIGKILL);
            break;
        }
    }
    batch_send(runner, live, &batch);
    if (!open) {
        unwatch(runner, live->worker.out);
        live->out_open = false;
    } else if (!live->out_paused && has_too_much_inflight(live)) {
        pause_reading(runner, live);
    }
}

/* --- The exit ---------------------------------------------------------------------------------- */

void ock_live_reap(struct ock_runner *runner, struct ock_live *live)
{
    int wait_status = 0;
    if (!ock_worker_ended(&live->worker, false, &wait_status))
        return;
    /* What it wrote before it ended is still in the pipes. */
    while (live->out_open)
        ock_live_read(runner, live);
    while (live->err_open)
        live->err_open = ock_worker_read_err(&live->worker);
    unwatch(runner, live->worker.out);
    unwatch(runner, live->worker.err);
    unwatch(runner, live->worker.pidfd);
    runner->pidless -= live->worker.pidfd < 0;
    live->has_worker = false;
    ock_runner_release(runner, live);
    ock_runner_after_exit(runner, live, wait_status);
    remove_cgroup(runner->engine, live);
    ock_worker_close(&live->worker);
    ock_runner_drop_if_over(runner, live);
}
