/* Pruned models: from what is stored to bytes or a file. */
#include "server/pruned.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/limits.h"
#include "core/export/prune.h"
#include "server/disk.h"
#include "server/engine_private.h"

/* Larger ones go to a file. */
static const size_t bytes_max = OCK_MIB;

enum { METADATA_MAX = 64 };

/* Where a pruned model goes: the bytes, or the file where fd is one. */
struct sink {
    struct ock_buf bytes;
    int fd;
};

static enum ock_status take(void *ctx, const void *bytes, size_t size, struct ock_err *err)
{
    struct sink *sink = ctx;
    const char *at = bytes;
    if (sink->fd < 0) {
        ock_buf_add(&sink->bytes, bytes, size);
        return ock_buf_status(&sink->bytes, err);
    }
    while (size > 0) {
        ssize_t written = write(sink->fd, at, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return ock_fail_errno(err, errno, "cannot write a pruned model");
        at += written;
        size -= (size_t)written;
    }
    return OCK_OK;
}

/* A file of the data directory whose name is gone already. A server that dies between the two leaves
 * it where the next one clears away (predict.h). */
static enum ock_status open_unnamed(struct ock_engine *engine, int *out, struct ock_err *err)
{
    char dir[OCK_PATH_SIZE], path[OCK_PATH_SIZE + 16];
    (void)snprintf(dir, sizeof(dir), "%s/predictions/%llu", engine->data_dir,
                   (unsigned long long)atomic_fetch_add(&engine->predictions, 1));
    (void)snprintf(path, sizeof(path), "%s/pruned", dir);
    if (mkdir(dir, 0700) != 0)
        return ock_fail_errno(err, errno, "cannot make a pruned model's directory");
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int failed = errno;
    ock_remove_directory(dir, false);
    if (fd < 0)
        return ock_fail_errno(err, failed, "cannot make a pruned model's file");
    *out = fd;
    return OCK_OK;
}

/* Room that jobs and datasets need is not given to a copy. */
static enum ock_status check_disk(const struct ock_engine *engine, uint64_t bytes,
                                  struct ock_err *err)
{
    struct ock_disk disk;
    if (!ock_disk_look(&disk, engine->data_dir) ||
        disk.free_bytes >= bytes + ock_disk_low_bytes(&disk))
        return OCK_OK;
    return ock_fail(err, OCK_NOSPACE, "there is no room for a pruned model");
}

static enum ock_status write_pruned(struct ock_engine *engine, const struct ock_pruning *pruning,
                                    struct sink *sink, struct ock_err *err)
{
    uint64_t bytes = ock_pruning_sizes(pruning).pruned_bytes;
    enum ock_status status = OCK_OK;
    if (bytes > bytes_max) {
        status = check_disk(engine, bytes, err);
        if (status == OCK_OK)
            status = open_unnamed(engine, &sink->fd, err);
    }
    return status == OCK_OK ? ock_pruning_write(pruning, take, sink, err) : status;
}

/* The sink stays empty where nothing can go. */
static enum ock_status prune(struct ock_engine *engine, const void *bytes, size_t size,
                             struct sink *sink, struct ock_err *err)
{
    struct ock_safetensors *file = NULL;
    struct ock_pruning *pruning = NULL;
    struct ock_metadata metadata[METADATA_MAX];
    enum ock_status status = ock_safetensors_read(&file, bytes, size, err);
    if (status != OCK_OK)
        return status;
    struct ock_model_view view = {.metadata = metadata};
    view.tensors = ock_safetensors_tensors(file, &view.tensor_count);
    view.metadata_count = ock_safetensors_metadata_all(file, metadata, METADATA_MAX);
    if (view.metadata_count > METADATA_MAX)
        status = ock_fail(err, OCK_LIMIT, "the model has more than %d entries of metadata",
                          METADATA_MAX);
    if (status == OCK_OK)
        status = ock_pruning_make(&pruning, &view, err);
    if (status == OCK_OK && ock_pruning_sizes(pruning).pruned_bytes > 0)
        status = write_pruned(engine, pruning, sink, err);
    ock_pruning_free(pruning);
    ock_safetensors_free(file);
    return status;
}

static enum ock_status prune_model(struct ock_engine *engine, const struct ock_model *model,
                                   struct sink *sink, struct ock_err *err)
{
    struct ock_mapping mapping = {0};
    char path[64];
    if (model->fd < 0)
        return prune(engine, model->bytes.data, model->bytes.size, sink, err);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", model->fd);
    enum ock_status status = ock_mapping_open(&mapping, path, err);
    if (status == OCK_OK)
        status = prune(engine, mapping.data, mapping.size, sink, err);
    ock_mapping_close(&mapping);
    return status;
}

static void rename_model(struct ock_model *model)
{
    static const char end[] = ".safetensors";
    size_t size = strlen(model->filename);
    if (size >= sizeof(end) - 1 && strcmp(model->filename + size - (sizeof(end) - 1), end) == 0)
        size -= sizeof(end) - 1;
    (void)snprintf(model->filename + size, sizeof(model->filename) - size, "-pruned%s", end);
}

/* Takes the sink's content. */
static void replace(struct ock_model *model, struct sink *sink)
{
    off_t size = sink->fd >= 0 ? lseek(sink->fd, 0, SEEK_CUR) : (off_t)sink->bytes.size;
    if (size == 0)
        return;
    if (model->fd >= 0)
        (void)close(model->fd);
    ock_buf_deinit(&model->bytes);
    model->fd = sink->fd;
    model->bytes = sink->bytes;
    model->size = (uint64_t)size;
    *sink = (struct sink){.fd = -1};
}

bool ock_engine_prune_model(struct ock_engine *engine, struct ock_model *model,
                            struct ock_problem *problem)
{
    struct ock_err err = {0};
    struct sink sink = {.fd = -1};
    ock_buf_init(&sink.bytes, bytes_max);
    bool large = model->fd >= 0;
    if (large && atomic_fetch_add(&engine->prunings, 1) >= OCK_PRUNINGS_MAX) {
        atomic_fetch_sub(&engine->prunings, 1);
        problem->retry_after_s = 5;
        ock_problem_set(problem, 503, "busy", "Too many models are being pruned",
                        "%d of them are, the limit; try again in a moment", OCK_PRUNINGS_MAX);
        return false;
    }
    enum ock_status status = prune_model(engine, model, &sink, &err);
    if (large)
        atomic_fetch_sub(&engine->prunings, 1);
    if (status == OCK_OK) {
        replace(model, &sink);
        rename_model(model);
    } else {
        if (status == OCK_INVALID || status == OCK_LIMIT) /* no fault of who asked for it */
            err.status = OCK_CORRUPT;
        ock_problem_from_err(problem, &err);
    }
    if (sink.fd >= 0)
        (void)close(sink.fd);
    ock_buf_deinit(&sink.bytes);
    return status == OCK_OK;
}
