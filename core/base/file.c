/* Whole files or none: temporary name, fsync, rename, fsync of the directory. */
#include "core/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum ock_status ock_newfile_open(struct ock_newfile *file, const char *path, struct ock_err *err)
{
    struct ock_newfile made = {.fd = -1};
    int length = snprintf(made.path, sizeof(made.path), "%s", path);
    if (length < 0 || (size_t)length >= sizeof(made.path))
        return ock_fail(err, OCK_LIMIT, "a path is longer than %zu bytes", sizeof(made.path) - 1);
    (void)snprintf(made.tmp_path, sizeof(made.tmp_path), "%s.tmp", made.path);
    made.fd = open(made.tmp_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (made.fd < 0)
        return ock_fail_errno(err, errno, "cannot create %s", made.tmp_path);
    *file = made;
    return OCK_OK;
}

enum ock_status ock_newfile_write(struct ock_newfile *file, const void *bytes, size_t size,
                                  struct ock_err *err)
{
    const char *next = bytes;
    while (size > 0) {
        ssize_t written = write(file->fd, next, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return ock_fail_errno(err, errno, "cannot write %s", file->tmp_path);
        next += written;
        size -= (size_t)written;
    }
    return OCK_OK;
}

/* directory [size]: where the path's file is. path is shorter than size. */
static void directory_of(const char *path, char *directory, size_t size)
{
    (void)snprintf(directory, size, "%s", path);
    char *slash = strrchr(directory, '/');
    if (!slash)
        (void)snprintf(directory, size, ".");
    else if (slash == directory)
        slash[1] = '\0';
    else
        *slash = '\0';
}

/* A rename is durable only when its directory is. */
static enum ock_status sync_directory_of(const char *path, struct ock_err *err)
{
    char directory[4096];
    directory_of(path, directory, sizeof(directory));
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return ock_fail_errno(err, errno, "cannot open the directory %s", directory);
    int failed = fsync(fd) != 0 ? errno : 0;
    (void)close(fd);
    if (failed)
        return ock_fail_errno(err, failed, "cannot sync the directory %s", directory);
    return OCK_OK;
}

enum ock_status ock_newfile_commit(struct ock_newfile *file, struct ock_err *err)
{
    enum ock_status status = OCK_OK;
    if (!file->quick && fsync(file->fd) != 0)
        status = ock_fail_errno(err, errno, "cannot sync %s", file->tmp_path);
    int fd = file->fd;
    file->fd = -1;
    if (close(fd) != 0 && status == OCK_OK)
        status = ock_fail_errno(err, errno, "cannot close %s", file->tmp_path);
    if (status == OCK_OK && rename(file->tmp_path, file->path) != 0)
        status = ock_fail_errno(err, errno, "cannot rename %s", file->tmp_path);
    if (status != OCK_OK) {
        (void)unlink(file->tmp_path);
        return status;
    }
    return file->quick ? OCK_OK : sync_directory_of(file->path, err);
}

void ock_newfile_discard(struct ock_newfile *file)
{
    if (file->fd < 0)
        return;
    (void)close(file->fd);
    file->fd = -1;
    (void)unlink(file->tmp_path);
}

enum ock_status ock_file_replace(const char *path, const void *bytes, size_t size,
                                 struct ock_err *err)
{
    struct ock_newfile file = {.fd = -1};
    enum ock_status status = ock_newfile_open(&file, path, err);
    if (status != OCK_OK)
        return status;
    status = ock_newfile_write(&file, bytes, size, err);
    if (status == OCK_OK)
        status = ock_newfile_commit(&file, err);
    ock_newfile_discard(&file);
    return status;
}

static enum ock_status write_rest(struct ock_newfile *file, int from, struct ock_err *err)
{
    char piece[65536];
    enum ock_status status = OCK_OK;
    while (status == OCK_OK) {
        ssize_t got = read(from, piece, sizeof(piece));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ock_fail_errno(err, errno, "cannot read what becomes %s", file->path);
        if (got == 0)
            break;
        status = ock_newfile_write(file, piece, (size_t)got, err);
    }
    return status;
}

enum ock_status ock_file_copy(const char *path, int from, struct ock_err *err)
{
    struct ock_newfile file = {.fd = -1};
    enum ock_status status = ock_newfile_open(&file, path, err);
    if (status != OCK_OK)
        return status;
    status = write_rest(&file, from, err);
    if (status == OCK_OK)
        status = ock_newfile_commit(&file, err);
    ock_newfile_discard(&file);
    return status;
}

/* For file systems that know no nameless files. */
static int open_unlinked(const char *path)
{
    char name[4096 + 16];
    (void)snprintf(name, sizeof(name), "%s.scratch", path);
    (void)unlink(name); /* of someone who was killed in between */
    int fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        (void)unlink(name);
    return fd;
}

enum ock_status ock_scratch_open(int *fd, const char *path, struct ock_err *err)
{
    char directory[4096];
    if (strlen(path) >= sizeof(directory))
        return ock_fail(err, OCK_LIMIT, "a path is longer than %zu bytes", sizeof(directory) - 1);
    directory_of(path, directory, sizeof(directory));
    int made = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (made < 0 && (errno == EOPNOTSUPP || errno == EISDIR))
        made = open_unlinked(path);
    if (made < 0)
        return ock_fail_errno(err, errno, "cannot create a file in %s", directory);
    *fd = made;
    return OCK_OK;
}

static enum ock_status open_for_reading(const char *path, int *out, struct ock_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return ock_fail(err, OCK_NOTFOUND, "there is no file %s", path);
    if (fd < 0)
        return ock_fail_errno(err, errno, "cannot open %s", path);
    *out = fd;
    return OCK_OK;
}

enum ock_status ock_file_read(const char *path, struct ock_buf *out, struct ock_err *err)
{
    int fd = -1;
    enum ock_status status = open_for_reading(path, &fd, err);
    if (status != OCK_OK)
        return status;
    char piece[65536];
    for (;;) {
        ssize_t got = read(fd, piece, sizeof(piece));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            status = ock_fail_errno(err, errno, "cannot read %s", path);
            break;
        }
        ock_buf_add(out, piece, (size_t)got);
        status = ock_buf_status(out, err);
        if (got == 0 || status != OCK_OK)
            break;
    }
    (void)close(fd);
    return status;
}

enum ock_status ock_mapping_open(struct ock_mapping *out, const char *path, struct ock_err *err)
{
    int fd = -1;
    enum ock_status status = open_for_reading(path, &fd, err);
    if (status != OCK_OK)
        return status;
    struct stat info;
    void *data = NULL;
    if (fstat(fd, &info) != 0) {
        status = ock_fail_errno(err, errno, "cannot stat %s", path);
    } else if (!S_ISREG(info.st_mode)) {
        status = ock_fail(err, OCK_INVALID, "%s is not a file", path);
    } else if (info.st_size > 0) {
        data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, fd, 0);
        if (data == MAP_FAILED)
            status = ock_fail_errno(err, errno, "cannot map %s", path);
    }
    (void)close(fd);
    if (status == OCK_OK)
        *out = (struct ock_mapping){data, (size_t)info.st_size};
    return status;
}

/* The system's calls take no const; the bytes stay untouched. */
static void *address_of(const struct ock_mapping *mapping)
{
    union {
        const unsigned char *in;
        void *out;
    } address = {.in = mapping->data};
    return address.out;
}

void ock_mapping_advise_random(const struct ock_mapping *mapping)
{
    if (mapping->data)
        (void)posix_madvise(address_of(mapping), mapping->size, POSIX_MADV_RANDOM);
}

void ock_mapping_close(struct ock_mapping *mapping)
{
    if (mapping->data)
        (void)munmap(address_of(mapping), mapping->size);
    *mapping = (struct ock_mapping){0};
}
