/* `ockham-worker train DIR`: DIR/job.json to events and model files. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "core/base/json.h"
#include "core/base/limits.h"
#include "core/train/job.h"
#include "server/worker/control.h"
#include "server/worker/protocol.h"
#include "server/worker/worker.h"

enum { PATH_SIZE = 4096, LOCK_WAIT_MS = 2000, LOCK_STEP_MS = 5 };
static const double STEPS_MAX = 9007199254740992.0; /* 2^53: whole in a double */

struct paths {
    char lock[PATH_SIZE], checkpoint[PATH_SIZE], best[PATH_SIZE], last[PATH_SIZE];
};

static enum ock_status join(char path[PATH_SIZE], const char *dir, const char *name,
                            struct ock_err *err)
{
    int length = snprintf(path, PATH_SIZE, "%s/%s", dir, name);
    if (length < 0 || length >= PATH_SIZE)
        return ock_fail(err, OCK_LIMIT, "the directory's path is too long");
    return OCK_OK;
}

static enum ock_status make_paths(struct paths *paths, const char *dir, struct ock_err *err)
{
    enum ock_status status = join(paths->lock, dir, "lock", err);
    if (status == OCK_OK)
        status = join(paths->checkpoint, dir, "checkpoint", err);
    if (status == OCK_OK)
        status = join(paths->best, dir, "best.safetensors", err);
    if (status == OCK_OK)
        status = join(paths->last, dir, "last.safetensors", err);
    return status;
}

/* Holds the directory until this process ends, however it ends. A predecessor that lost its server
 * may still be writing its checkpoint: it gets two seconds. */
static enum ock_status lock_directory(const char *path, struct ock_err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return ock_fail_errno(err, errno, "cannot open the job's lock");
    for (int waited_ms = 0;; waited_ms += LOCK_STEP_MS) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return OCK_OK; /* the descriptor stays open on purpose */
        if (errno != EWOULDBLOCK && errno != EINTR)
            break;
        if (waited_ms >= LOCK_WAIT_MS) {
            (void)close(fd);
            return ock_fail(err, OCK_CONFLICT, "another worker holds the job's directory");
        }
        struct timespec step = {.tv_nsec = LOCK_STEP_MS * 1000000L};
        (void)nanosleep(&step, NULL);
    }
    int error_number = errno;
    (void)close(fd);
    return ock_fail_errno(err, error_number, "cannot lock the job's directory");
}

static enum ock_status parse_spec(struct ock_spec **spec, const cJSON *json, struct ock_err *err)
{
    struct ock_faults *faults = calloc(1, sizeof(*faults));
    if (!faults)
        return ock_fail(err, OCK_NOMEM, "no memory to parse the spec");
    enum ock_status status = ock_spec_parse(spec, ock_json_get(json, "spec"), false, faults, err);
    if (status != OCK_OK && faults->count > 0)
        (void)ock_fail(err, status, "the spec is not valid: %s: %s", faults->items[0].pointer,
                       faults->items[0].detail);
    free(faults);
    return status;
}

/* 0: it is not there, or no whole number from 0 to max. */
static uint64_t read_count(const cJSON *json, const char *key, double max)
{
    const cJSON *item = ock_json_get(json, key);
    if (!item || !ock_json_whole(item) || item->valuedouble < 0 || item->valuedouble > max)
        return 0;
    return (uint64_t)item->valuedouble;
}

static enum ock_status run(const cJSON *json, const struct paths *paths,
                           struct ock_control *control, enum ock_outcome *outcome,
                           struct ock_err *err)
{
    struct ock_spec *spec = NULL;
    enum ock_status status = parse_spec(&spec, json, err);
    if (status != OCK_OK)
        return status;
    struct ock_job job = {
        .spec = spec,
        .train_path = ock_worker_text(json, "train"),
        .validation_path = ock_worker_text(json, "validation"),
        .test_path = ock_worker_text(json, "test"),
        .init_path = ock_worker_text(json, "init"),
        .checkpoint_path = paths->checkpoint,
        .best_path = paths->best,
        .last_path = paths->last,
        .memory_bytes = read_count(json, "memory_bytes", STEPS_MAX),
        .told_step = read_count(json, "told_step", STEPS_MAX),
        .threads = (uint32_t)read_count(json, "threads", OCK_THREADS_MAX),
    };
    struct ock_job_hooks hooks = ock_control_hooks(control);
    if (!job.train_path)
        status = ock_fail(err, OCK_INVALID, "job.json names no training data");
    else
        status = ock_job_run(&job, &hooks, outcome, err);
    ock_spec_free(spec);
    return status;
}

int ock_worker_train(const char *dir)
{
    /* Static: the control thread uses it until the process ends. */
    static struct ock_control control;
    struct ock_err err = {0};
    struct paths paths;
    cJSON *json = NULL;
    enum ock_outcome outcome = OCK_FAILED;
    enum ock_status status = make_paths(&paths, dir, &err);
    if (status == OCK_OK)
        status = ock_control_start(&control, &err); /* first: an orphan has to notice */
    if (status == OCK_OK)
        status = lock_directory(paths.lock, &err);
    if (status == OCK_OK)
        status = ock_worker_read_json(&json, dir, "job.json", &err);
    if (status == OCK_OK) {
        ock_worker_join_cgroup(json);
        ock_worker_limit_memory(json);
    }
    if (status == OCK_OK)
        status = run(json, &paths, &control, &outcome, &err);
    cJSON_Delete(json);
    if (status != OCK_OK) {
        int code = ock_worker_fail(&err);
        return status == OCK_NOSPACE ? OCK_WORKER_NO_SPACE : code;
    }
    if (atomic_load(&control.orphaned))
        return OCK_WORKER_ORPHANED;
    return outcome == OCK_PAUSED ? OCK_WORKER_PAUSED : OCK_WORKER_ENDED;
}
