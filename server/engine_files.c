/* The data directory: where things are, and how they go. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/engine_private.h"
#include "server/ids.h"
#include "server/log.h"
#include "server/store_datasets.h"
#include "server/store_jobs.h"

void ock_job_path(const struct ock_engine *engine, char path[OCK_PATH_SIZE], const char *id,
                  const char *name)
{
    (void)snprintf(path, OCK_PATH_SIZE, "%s/jobs/%s%s%s", engine->data_dir, id, name[0] ? "/" : "",
                   name);
}

void ock_dataset_path(const struct ock_engine *engine, char path[OCK_PATH_SIZE], const char *id)
{
    (void)snprintf(path, OCK_PATH_SIZE, "%s/datasets/%s.ockds", engine->data_dir, id);
}

enum ock_status ock_job_directory(const struct ock_engine *engine, const char *id,
                                  struct ock_err *err)
{
    char path[OCK_PATH_SIZE];
    ock_job_path(engine, path, id, "");
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return ock_fail_errno(err, errno, "cannot make the job's directory");
    return OCK_OK;
}

enum ock_status ock_sync_directory(const struct ock_engine *engine, const char *name,
                                   struct ock_err *err)
{
    char path[OCK_PATH_SIZE];
    (void)snprintf(path, sizeof(path), "%s/%s", engine->data_dir, name);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return ock_fail_errno(err, errno, "cannot open the directory %s", path);
    int failed = fsync(fd) == 0 ? 0 : errno;
    (void)close(fd);
    return failed ? ock_fail_errno(err, failed, "cannot sync the directory %s", path) : OCK_OK;
}

static bool is_kept(const char *name, struct ock_model_files keep)
{
    return (keep.best && strcmp(name, "best.safetensors") == 0) ||
           (keep.last && strcmp(name, "last.safetensors") == 0);
}

static void remove_all_but(const char *path, struct ock_model_files keep)
{
    DIR *dir = opendir(path);
    if (!dir)
        return;
    for (;;) {
        const struct dirent *entry = readdir(dir); /* a stream of our own: thread-safe */
        if (!entry)
            break;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (is_kept(entry->d_name, keep))
            continue;
        if (unlinkat(dirfd(dir), entry->d_name, 0) != 0 && errno != ENOENT)
            ock_log(OCK_LOG_WARNING, "cannot remove a file of an ended job (errno %d)", errno);
    }
    (void)closedir(dir);
    if (!keep.best && !keep.last)
        (void)rmdir(path);
}

void ock_remove_directory(const char *path, bool keep_models)
{
    remove_all_but(path, (struct ock_model_files){.best = keep_models, .last = keep_models});
}

static struct ock_model_files model_files(const struct ock_engine *engine, const char *id)
{
    struct ock_model_files files = {.best = true, .last = true};
    struct ock_err err = {0};
    struct ock_db *db = engine->store ? ock_store_read(engine->store, &err) : NULL;
    if (!db)
        return files;
    (void)ock_store_model_files(db, id, &files, &err); /* untouched on an error */
    ock_store_read_end(engine->store, db);
    return files;
}

void ock_job_clean(const struct ock_engine *engine, const char *id)
{
    char path[OCK_PATH_SIZE];
    ock_job_path(engine, path, id, "");
    remove_all_but(path, model_files(engine, id));
}

void ock_job_remove(const struct ock_engine *engine, const char *id)
{
    char path[OCK_PATH_SIZE];
    ock_job_path(engine, path, id, "");
    ock_remove_directory(path, false);
}

void ock_job_forget(struct ock_engine *engine, const char *id)
{
    ock_job_remove(engine, id);
    ock_hub_wake(engine->hub, id);
}

void ock_each_entry(const struct ock_engine *engine, const char *name,
                    void (*take)(void *ctx, const char *entry), void *ctx)
{
    char path[OCK_PATH_SIZE];
    (void)snprintf(path, sizeof(path), "%s/%s", engine->data_dir, name);
    DIR *dir = opendir(path);
    if (!dir)
        return;
    for (;;) {
        const struct dirent *entry = readdir(dir);
        if (!entry)
            break;
        if (entry->d_name[0] != '.')
            take(ctx, entry->d_name);
    }
    (void)closedir(dir);
}

void ock_answer_undo(struct ock_buf *out, size_t begin)
{
    out->failed = OCK_OK;
    if (out->size > begin) {
        out->size = begin;
        out->data[begin] = '\0';
    }
}
