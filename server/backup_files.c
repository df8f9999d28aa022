/* Files of a backup: copied whole from an open descriptor, so that what is renamed over or removed
 * meanwhile does no harm. All is synced at the end, at once. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/sha256.h"
#include "server/backup_private.h"
#include "server/engine_private.h"
#include "server/ids.h"
#include "server/log.h"
#include "server/store_jobs.h"

enum { PIECE_BYTES = 1 << 20, TREE_DEPTH = 16 };

enum ock_status ock_backup_directory(const struct ock_backup *backup, const char *name,
                                     struct ock_err *err)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s/%s", backup->to, name);
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return ock_fail_errno(err, errno, "cannot make the directory %s", path);
    return OCK_OK;
}

static enum ock_status copy_piece(int in, int out, ssize_t *done, struct ock_err *err)
{
    static _Thread_local char piece[65536];
    *done = copy_file_range(in, NULL, out, NULL, PIECE_BYTES, 0);
    if (*done >= 0)
        return OCK_OK;
    if (errno != EXDEV && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
        return ock_fail_errno(err, errno, "cannot copy a file");
    *done = read(in, piece, sizeof(piece)); /* between file systems that cannot do it themselves */
    if (*done < 0)
        return ock_fail_errno(err, errno, "cannot read a file");
    for (ssize_t at = 0; at < *done;) {
        ssize_t written = write(out, piece + at, (size_t)(*done - at));
        if (written < 0 && errno != EINTR)
            return ock_fail_errno(err, errno, "cannot write a file");
        at += written > 0 ? written : 0;
    }
    return OCK_OK;
}

static enum ock_status copy_bytes(const struct ock_backup *backup, int in, int out,
                                  struct ock_err *err)
{
    ssize_t done = 1;
    while (done > 0) {
        if (backup->stopped && backup->stopped())
            return ock_fail(err, OCK_STOPPED, "the backup was stopped");
        enum ock_status status = copy_piece(in, out, &done, err);
        if (status != OCK_OK)
            return status;
    }
    return OCK_OK;
}

/* Bytes that are not what they should be are copied all the same: the rest must not be lost for them. */
static enum ock_status check_bytes(struct ock_backup *backup, const char *path,
                                   const struct ock_backup_file *file, struct ock_err *err)
{
    struct ock_mapping mapping = {0};
    struct ock_sha256 sha;
    char text[65] = "";
    enum ock_status status = ock_mapping_open(&mapping, path, err);
    if (status != OCK_OK)
        return status;
    if (file->sha256) {
        ock_sha256_init(&sha);
        ock_sha256_add(&sha, mapping.data, mapping.size);
        ock_sha256_text(&sha, text);
    }
    bool fits = (file->bytes < 0 || mapping.size == (uint64_t)file->bytes) &&
                (!file->sha256 || strcmp(text, file->sha256) == 0);
    ock_mapping_close(&mapping);
    if (!fits) {
        ock_log(OCK_LOG_WARNING, "%s/%s is damaged: its size or SHA-256 is not the store's",
                backup->from, file->name);
        backup->damaged++;
    }
    return OCK_OK;
}

static enum ock_status make_parent(const struct ock_backup *backup, const char *name,
                                   struct ock_err *err)
{
    char parent[PATH_MAX];
    (void)snprintf(parent, sizeof(parent), "%.*s", (int)(strrchr(name, '/') - name), name);
    return ock_backup_directory(backup, parent, err);
}

static enum ock_status copy_open(struct ock_backup *backup, int in,
                                 const struct ock_backup_file *file, struct ock_err *err)
{
    char to[PATH_MAX];
    (void)snprintf(to, sizeof(to), "%s/%s", backup->to, file->name);
    enum ock_status status = make_parent(backup, file->name, err);
    if (status != OCK_OK)
        return status;
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (out < 0)
        return ock_fail_errno(err, errno, "cannot create %s", to);
    status = copy_bytes(backup, in, out, err);
    if (close(out) != 0 && status == OCK_OK)
        status = ock_fail_errno(err, errno, "cannot close %s", to);
    if (status == OCK_OK && (file->sha256 || file->bytes >= 0))
        status = check_bytes(backup, to, file, err);
    return status;
}

enum ock_status ock_backup_copy(struct ock_backup *backup, const struct ock_backup_file *file,
                                bool *found, struct ock_err *err)
{
    char from[PATH_MAX], to[PATH_MAX];
    (void)snprintf(from, sizeof(from), "%s/%s", backup->from, file->name);
    (void)snprintf(to, sizeof(to), "%s/%s", backup->to, file->name);
    *found = access(to, F_OK) == 0;
    if (*found)
        return OCK_OK;
    int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0 && errno == ENOENT)
        return OCK_OK;
    if (in < 0)
        return ock_fail_errno(err, errno, "cannot open %s", from);
    enum ock_status status = copy_open(backup, in, file, err);
    (void)close(in);
    if (status == OCK_OK)
        *found = true;
    return status;
}

/* --- Before the snapshot ----------------------------------------------------------------------- */

static enum ock_status take_job(struct ock_backup *backup, const char *id, struct ock_err *err)
{
    static const char *const names[] = {"checkpoint.previous", "checkpoint", "checkpoint.tuning",
                                        "inline.ockds", "init.safetensors"};
    char name[128];
    enum ock_status status = OCK_OK;
    for (size_t i = 0; status == OCK_OK && i < sizeof(names) / sizeof(names[0]); i++) {
        bool found;
        const struct ock_backup_file file = {.name = name, .bytes = -1};
        (void)snprintf(name, sizeof(name), "jobs/%.30s/%s", id, names[i]);
        status = ock_backup_copy(backup, &file, &found, err);
    }
    return status;
}

enum ock_status ock_backup_take_checkpoints(struct ock_backup *backup, struct ock_err *err)
{
    char path[PATH_MAX];
    enum ock_status status = OCK_OK;
    (void)snprintf(path, sizeof(path), "%s/jobs", backup->from);
    DIR *dir = opendir(path);
    if (!dir)
        return errno == ENOENT ? OCK_OK : ock_fail_errno(err, errno, "cannot read %s", path);
    while (status == OCK_OK) {
        /* A stream of our own. NOLINTNEXTLINE(concurrency-mt-unsafe) */
        const struct dirent *entry = readdir(dir);
        if (!entry)
            break;
        if (ock_id_valid(entry->d_name, "job_"))
            status = take_job(backup, entry->d_name, err);
    }
    (void)closedir(dir);
    return status;
}

/* --- Trees ------------------------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    (void)remove(path);
    return 0;
}

void ock_backup_remove(const char *path)
{
    /* Without FTW_CHDIR it touches nothing of other threads. NOLINTNEXTLINE(concurrency-mt-unsafe) */
    (void)nftw(path, remove_one, TREE_DEPTH, FTW_DEPTH | FTW_PHYS);
}

static _Thread_local uint64_t tree_bytes; /* nftw has no argument of the caller's */

static int add_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)path;
    (void)walk;
    if (type == FTW_F)
        tree_bytes += (uint64_t)info->st_size;
    return 0;
}

uint64_t ock_backup_tree_bytes(const char *path)
{
    tree_bytes = 0;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe) */
    (void)nftw(path, add_one, TREE_DEPTH, FTW_PHYS);
    return tree_bytes;
}

void ock_backup_sweep(struct ock_backup *backup)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s/jobs", backup->to);
    DIR *dir = opendir(path);
    if (!dir)
        return;
    for (;;) {
        int64_t number;
        enum ock_job_status job_status = OCK_JOB_QUEUED;
        struct ock_err err = {0};
        /* NOLINTNEXTLINE(concurrency-mt-unsafe) */
        const struct dirent *entry = readdir(dir);
        if (!entry)
            break;
        if (!ock_id_valid(entry->d_name, "job_"))
            continue;
        (void)snprintf(path, sizeof(path), "%s/jobs/%.30s", backup->to, entry->d_name);
        enum ock_status status =
            ock_store_find_job(backup->copy, entry->d_name, &number, &job_status, &err);
        if (status == OCK_NOTFOUND)
            ock_backup_remove(path);
        else if (status == OCK_OK && job_status >= OCK_JOB_SUCCEEDED)
            ock_remove_directory(path, true);
        (void)rmdir(path); /* if nothing is left in it */
    }
    (void)closedir(dir);
}
