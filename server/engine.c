/* The engine's frame: its directory, its parts, their order. */
#include "server/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "server/dataset_cache.h"
#include "server/engine_private.h"
#include "server/ids.h"
#include "server/keeper.h"
#include "server/keys.h"
#include "server/log.h"
#include "server/predict.h"
#include "server/resources.h"
#include "server/runner.h"
#include "server/summaries.h"
#include "server/uploads.h"
#include "server/worker_process.h"

enum { LOCK_WAIT_MS = 500, LOCK_STEP_MS = 5 };

static const size_t queue_default = 10000;
static const size_t upload_default = (size_t)64 << 30;

static enum ock_status make_directory(const char *parent, const char *name, struct ock_err *err)
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof(path), "%s%s%s", parent, name[0] ? "/" : "", name);
    if (length < 0 || (size_t)length >= sizeof(path))
        return ock_fail(err, OCK_LIMIT, "the data directory's path is too long");
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return ock_fail_errno(err, errno, "cannot make the directory %s", path);
    return OCK_OK;
}

static enum ock_status open_directory(struct ock_engine *engine, const char *data_dir,
                                      struct ock_err *err)
{
    static const char *const names[] = {"jobs", "datasets", "uploads", "summaries"};
    char real[PATH_MAX];
    enum ock_status status = make_directory(data_dir, "", err);
    if (status != OCK_OK)
        return status;
    if (!realpath(data_dir, real))
        return ock_fail_errno(err, errno, "cannot use the data directory %s", data_dir);
    if (strlen(real) >= sizeof(engine->data_dir))
        return ock_fail(err, OCK_LIMIT, "the data directory's path is too long");
    (void)snprintf(engine->data_dir, sizeof(engine->data_dir), "%.*s",
                   (int)sizeof(engine->data_dir) - 1, real);
    for (size_t i = 0; status == OCK_OK && i < sizeof(names) / sizeof(names[0]); i++)
        status = make_directory(engine->data_dir, names[i], err);
    return status;
}

/* A server that was killed while it started a worker left a child that holds its descriptors until
 * the worker's program is executed: the lock comes free a moment after the death. */
static enum ock_status lock_directory(struct ock_engine *engine, struct ock_err *err)
{
    char path[OCK_PATH_SIZE];
    (void)snprintf(path, sizeof(path), "%s/lock", engine->data_dir);
    engine->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (engine->lock_fd < 0)
        return ock_fail_errno(err, errno, "cannot open %s", path);
    for (int waited_ms = 0;; waited_ms += LOCK_STEP_MS) {
        if (flock(engine->lock_fd, LOCK_EX | LOCK_NB) == 0)
            return OCK_OK;
        if (waited_ms >= LOCK_WAIT_MS || (errno != EWOULDBLOCK && errno != EINTR))
            break;
        struct timespec step = {.tv_nsec = LOCK_STEP_MS * 1000000L};
        (void)nanosleep(&step, NULL);
    }
    if (errno == EWOULDBLOCK)
        return ock_fail(err, OCK_CONFLICT, "another server uses the data directory %s",
                        engine->data_dir);
    return ock_fail_errno(err, errno, "cannot lock %s", path);
}

static void apply_config(struct ock_engine *engine, const struct ock_engine_config *config)
{
    engine->cores = config->cores ? config->cores : ock_cores_available();
    engine->memory_bytes =
        config->memory_bytes ? config->memory_bytes : ock_memory_available() / 10 * 8;
    engine->queue_max = config->queue_max ? config->queue_max : queue_default;
    engine->upload_bytes_max = config->upload_bytes_max ? config->upload_bytes_max : upload_default;
    engine->keep = config->keep;
    engine->opened_ms = ock_now_ms();
}

struct finding {
    bool any;
};

static void find_entry(void *ctx, const char *entry)
{
    struct finding *finding = ctx;
    finding->any = finding->any || strncmp(entry, "job_", 4) == 0 || strncmp(entry, "ds_", 3) == 0;
}

/* Beside a new store, what belongs to a lost one would be swept away. */
static enum ock_status check_store_is_not_lost(const struct ock_engine *engine, const char *path,
                                               struct ock_err *err)
{
    struct finding finding = {0};
    if (access(path, F_OK) == 0 || errno != ENOENT)
        return OCK_OK;
    ock_each_entry(engine, "jobs", find_entry, &finding);
    ock_each_entry(engine, "datasets", find_entry, &finding);
    if (!finding.any)
        return OCK_OK;
    return ock_fail(err, OCK_CORRUPT,
                    "%s holds jobs or datasets, but its store ockham.db is gone: put it back, or "
                    "begin in another directory",
                    engine->data_dir);
}

static void open_cgroups(struct ock_engine *engine)
{
    ock_cgroups_open(&engine->cgroups);
    if (engine->cgroups.version == 0)
        ock_log(OCK_LOG_INFO, "workers get no memory cgroup: %s", engine->cgroups.why);
}

static enum ock_status open_parts(struct ock_engine *engine, struct ock_err *err)
{
    char path[OCK_PATH_SIZE];
    (void)snprintf(path, sizeof(path), "%s/ockham.db", engine->data_dir);
    enum ock_status status = check_store_is_not_lost(engine, path, err);
    if (status == OCK_OK)
        status = ock_predictions_prepare(engine, err);
    if (status == OCK_OK)
        status = ock_store_open(&engine->store, path, err);
    if (status == OCK_OK)
        status = ock_sync_directory(engine, "", err);
    if (status == OCK_OK)
        status = ock_hub_new(&engine->hub, err);
    if (status == OCK_OK)
        status = ock_errands_new(&engine->errands, err);
    if (status == OCK_OK)
        status = ock_errands_new(&engine->large_errands, err);
    if (status == OCK_OK)
        status = ock_dataset_cache_new(&engine->datasets, engine, err);
    if (status == OCK_OK)
        status = ock_keys_new(&engine->keys, engine, err);
    if (status == OCK_OK)
        status = ock_uploads_new(&engine->uploads, engine, err);
    if (status == OCK_OK)
        status = ock_summaries_new(&engine->summaries, engine, err);
    if (status != OCK_OK)
        return status;
    open_cgroups(engine);
    status = ock_keeper_new(&engine->keeper, engine, err);
    if (status == OCK_OK)
        status = ock_runner_new(&engine->runner, engine, err);
    if (status == OCK_OK)
        status = ock_uploads_resume(engine->uploads, err);
    return status;
}

enum ock_status ock_engine_open(struct ock_engine **out, const struct ock_engine_config *config,
                                struct ock_err *err)
{
    struct ock_engine *engine = calloc(1, sizeof(*engine));
    if (!engine)
        return ock_fail(err, OCK_NOMEM, "no memory for the engine");
    engine->lock_fd = engine->program_fd = -1;
    apply_config(engine, config);
    enum ock_status status = open_directory(engine, config->data_dir, err);
    if (status == OCK_OK)
        status = lock_directory(engine, err);
    if (status == OCK_OK)
        status = ock_worker_program_open(&engine->program_fd, config->worker_path, err);
    if (status == OCK_OK)
        status = open_parts(engine, err);
    if (status != OCK_OK) {
        ock_engine_close(engine);
        return status;
    }
    *out = engine;
    return OCK_OK;
}

void ock_engine_halt(struct ock_engine *engine)
{
    ock_engine_drain(engine);
    ock_summaries_stop(engine->summaries);
    ock_uploads_stop(engine->uploads);
    ock_runner_stop(engine->runner);
}

/* The order matters: what posts to the store ends before the store, what the store tells of its
 * last commits is opened after it. */
void ock_engine_close(struct ock_engine *engine)
{
    if (!engine)
        return;
    ock_engine_halt(engine);
    ock_errands_stop(engine->errands);
    ock_errands_stop(engine->large_errands); /* after those that hand on to it */
    ock_keeper_stop(engine->keeper);
    ock_store_close(engine->store);
    engine->store = NULL; /* letters that are opened now write nothing more */
    ock_runner_free(engine->runner);
    ock_keeper_free(engine->keeper);
    ock_uploads_free(engine->uploads);
    ock_keys_free(engine->keys);
    ock_summaries_free(engine->summaries);
    ock_dataset_cache_free(engine->datasets);
    ock_errands_free(engine->large_errands);
    ock_errands_free(engine->errands);
    ock_hub_free(engine->hub);
    ock_cgroups_close(&engine->cgroups);
    if (engine->program_fd >= 0)
        (void)close(engine->program_fd);
    if (engine->lock_fd >= 0)
        (void)close(engine->lock_fd);
    free(engine);
}

void ock_engine_drain(struct ock_engine *engine)
{
    atomic_store(&engine->draining, true);
}
