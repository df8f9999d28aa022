/* The libc calls by which state reaches the disk and the pipes, defined anew: whoever includes this
 * (in one file of a program or of a preloaded module) decides before each of them whether it
 * happens, and hears of it afterwards. SQLite and our own code come through here alike.
 *
 * The calls go to the kernel directly, so that nothing depends on when libc's symbols are found.
 * What SQLite maps (the -shm file) is not seen; it holds nothing that a crash may not lose. */
#ifndef OCK_TESTS_IO_CALLS_H
#define OCK_TESTS_IO_CALLS_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum io_kind {
    IO_CREATE, /* an open that may make a file */
    IO_OPEN,   /* any other */
    IO_READ,
    IO_WRITE,
    IO_SYNC,
    IO_RENAME,
    IO_TRUNCATE,
    IO_ALLOCATE,
    IO_UNLINK, /* files and directories */
    IO_MKDIR,
    IO_CLOSE,
    IO_KIND_COUNT,
};

struct io_call {
    enum io_kind kind;
    int fd;           /* of what is open; -1: it is named by path */
    const char *path; /* a new file's final name, a rename's old one */
};

/* The includer's two functions. before: 0 lets the call happen; else it fails with this errno. *size
 * is what a write would write (0 for other calls); less makes it a short write. after: it has
 * happened and succeeded. Both may be called from any thread. */
static int io_before(const struct io_call *call, size_t *size);
static void io_after(const struct io_call *call);

/* The path of what a call is about; "" if there is none (a pipe says "pipe:[…]"). */
static inline void io_path(const struct io_call *call, char path[PATH_MAX])
{
    char link[64];
    path[0] = '\0';
    if (call->path) {
        (void)snprintf(path, PATH_MAX, "%s", call->path);
        return;
    }
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", call->fd);
    long size = syscall(SYS_readlink, link, path, PATH_MAX - 1);
    path[size > 0 ? size : 0] = '\0';
}

/* Whether a full disk refuses it: what makes or lengthens a file. Not the -shm file: it is cut to
 * nothing before it grows again, and gets the room that it gave. */
static inline bool io_takes_room(const struct io_call *call)
{
    char path[PATH_MAX];
    io_path(call, path);
    size_t size = strlen(path);
    if (size >= 4 && strcmp(path + size - 4, "-shm") == 0)
        return false;
    if (call->kind == IO_CREATE || call->kind == IO_MKDIR)
        return syscall(SYS_faccessat, AT_FDCWD, path, F_OK) != 0;
    return call->kind == IO_WRITE || call->kind == IO_ALLOCATE;
}

static inline bool io_allows(const struct io_call *call, size_t *size)
{
    int error_number = errno;
    int failed = io_before(call, size);
    errno = failed ? failed : error_number;
    return failed == 0;
}

/* Passes a result on; hears of it if it is one. */
static inline long io_result(const struct io_call *call, long result)
{
    int error_number = errno;
    if (result >= 0)
        io_after(call);
    errno = error_number;
    return result;
}

/* --- Files ------------------------------------------------------------------------------------- */

static inline int io_openat(int dir, const char *path, int flags, mode_t mode)
{
    struct io_call call = {(flags & O_CREAT) ? IO_CREATE : IO_OPEN, -1, path};
    size_t none = 0;
    if (!io_allows(&call, &none))
        return -1;
    return (int)io_result(&call, syscall(SYS_openat, dir, path, flags, mode));
}

/* The mode is there only where a file may be made. */
#define IO_MODE(flags, last)                                                                       \
    mode_t mode = 0;                                                                               \
    if ((flags) & (O_CREAT | __O_TMPFILE)) {                                                       \
        va_list list;                                                                              \
        va_start(list, last);                                                                      \
        mode = va_arg(list, mode_t);                                                               \
        va_end(list);                                                                              \
    }

int open(const char *path, int flags, ...)
{
    IO_MODE(flags, flags)
    return io_openat(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    IO_MODE(flags, flags)
    return io_openat(AT_FDCWD, path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
    IO_MODE(flags, flags)
    return io_openat(dir, path, flags, mode);
}

int openat64(int dir, const char *path, int flags, ...)
{
    IO_MODE(flags, flags)
    return io_openat(dir, path, flags, mode);
}

#undef IO_MODE

int close(int fd)
{
    struct io_call call = {IO_CLOSE, fd, NULL};
    size_t none = 0;
    bool fails = !io_allows(&call, &none);
    int error_number = errno;
    long result = syscall(SYS_close, fd); /* in any case: a failed close closes too */
    if (fails)
        errno = error_number;
    return fails ? -1 : (int)result;
}

/* --- Bytes ------------------------------------------------------------------------------------- */

ssize_t read(int fd, void *bytes, size_t size)
{
    struct io_call call = {IO_READ, fd, NULL};
    size_t none = 0;
    return io_allows(&call, &none) ? io_result(&call, syscall(SYS_read, fd, bytes, size)) : -1;
}

static inline ssize_t io_pread(int fd, void *bytes, size_t size, off_t at)
{
    struct io_call call = {IO_READ, fd, NULL};
    size_t none = 0;
    return io_allows(&call, &none) ? io_result(&call, syscall(SYS_pread64, fd, bytes, size, at))
                                   : -1;
}

ssize_t pread(int fd, void *bytes, size_t size, off_t at)
{
    return io_pread(fd, bytes, size, at);
}

ssize_t pread64(int fd, void *bytes, size_t size, off_t at)
{
    return io_pread(fd, bytes, size, at);
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    struct io_call call = {IO_WRITE, fd, NULL};
    return io_allows(&call, &size) ? io_result(&call, syscall(SYS_write, fd, bytes, size)) : -1;
}

static inline ssize_t io_pwrite(int fd, const void *bytes, size_t size, off_t at)
{
    struct io_call call = {IO_WRITE, fd, NULL};
    return io_allows(&call, &size) ? io_result(&call, syscall(SYS_pwrite64, fd, bytes, size, at))
                                   : -1;
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at)
{
    return io_pwrite(fd, bytes, size, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off_t at)
{
    return io_pwrite(fd, bytes, size, at);
}

/* A short one writes a part of its first piece. */
ssize_t writev(int fd, const struct iovec *pieces, int count)
{
    struct io_call call = {IO_WRITE, fd, NULL};
    size_t size = count > 0 ? pieces[0].iov_len : 0, room = size;
    if (!io_allows(&call, &room))
        return -1;
    if (room < size)
        return io_result(&call, syscall(SYS_write, fd, pieces[0].iov_base, room));
    return io_result(&call, syscall(SYS_writev, fd, pieces, count));
}

ssize_t copy_file_range(int in, off64_t *in_at, int out, off64_t *out_at, size_t size,
                        unsigned flags)
{
    struct io_call call = {IO_WRITE, out, NULL};
    if (!io_allows(&call, &size))
        return -1;
    return io_result(&call, syscall(SYS_copy_file_range, in, in_at, out, out_at, size, flags));
}

/* --- Syncs and sizes --------------------------------------------------------------------------- */

static inline int io_sync(int fd, long number)
{
    struct io_call call = {IO_SYNC, fd, NULL};
    size_t none = 0;
    return io_allows(&call, &none) ? (int)io_result(&call, syscall(number, fd)) : -1;
}

int fsync(int fd)
{
    return io_sync(fd, SYS_fsync);
}

int fdatasync(int fd)
{
    return io_sync(fd, SYS_fdatasync);
}

int syncfs(int fd)
{
    return io_sync(fd, SYS_syncfs);
}

int sync_file_range(int fd, off64_t at, off64_t size, unsigned flags)
{
    struct io_call call = {IO_SYNC, fd, NULL};
    size_t none = 0;
    if (!io_allows(&call, &none))
        return -1;
    return (int)io_result(&call, syscall(SYS_sync_file_range, fd, at, size, flags));
}

static inline int io_truncate(int fd, off_t size)
{
    struct io_call call = {IO_TRUNCATE, fd, NULL};
    size_t none = 0;
    return io_allows(&call, &none) ? (int)io_result(&call, syscall(SYS_ftruncate, fd, size)) : -1;
}

int ftruncate(int fd, off_t size)
{
    return io_truncate(fd, size);
}

int ftruncate64(int fd, off_t size)
{
    return io_truncate(fd, size);
}

static inline int io_fallocate(int fd, int mode, off_t at, off_t size)
{
    struct io_call call = {IO_ALLOCATE, fd, NULL};
    size_t none = 0;
    if (!io_allows(&call, &none))
        return -1;
    return (int)io_result(&call, syscall(SYS_fallocate, fd, mode, at, size));
}

int fallocate(int fd, int mode, off_t at, off_t size)
{
    return io_fallocate(fd, mode, at, size);
}

int fallocate64(int fd, int mode, off_t at, off_t size)
{
    return io_fallocate(fd, mode, at, size);
}

/* These answer the error itself. */
int posix_fallocate(int fd, off_t at, off_t size)
{
    return io_fallocate(fd, 0, at, size) == 0 ? 0 : errno;
}

int posix_fallocate64(int fd, off_t at, off_t size)
{
    return io_fallocate(fd, 0, at, size) == 0 ? 0 : errno;
}

/* --- Names ------------------------------------------------------------------------------------- */

static inline int io_renameat(int old_dir, const char *old, int new_dir, const char *new,
                              unsigned flags)
{
    struct io_call call = {IO_RENAME, -1, old};
    size_t none = 0;
    if (!io_allows(&call, &none))
        return -1;
    return (int)io_result(&call, syscall(SYS_renameat2, old_dir, old, new_dir, new, flags));
}

int rename(const char *old, const char *new)
{
    return io_renameat(AT_FDCWD, old, AT_FDCWD, new, 0);
}

int renameat(int old_dir, const char *old, int new_dir, const char *new)
{
    return io_renameat(old_dir, old, new_dir, new, 0);
}

int renameat2(int old_dir, const char *old, int new_dir, const char *new, unsigned flags)
{
    return io_renameat(old_dir, old, new_dir, new, flags);
}

/* A second name, which is as new as a new file's. */
int linkat(int old_dir, const char *old, int new_dir, const char *new, int flags)
{
    struct io_call call = {IO_CREATE, -1, new};
    size_t none = 0;
    return io_allows(&call, &none)
               ? (int)io_result(&call, syscall(SYS_linkat, old_dir, old, new_dir, new, flags))
               : -1;
}

static inline int io_unlinkat(int dir, const char *path, int flags)
{
    struct io_call call = {IO_UNLINK, -1, path};
    size_t none = 0;
    return io_allows(&call, &none) ? (int)io_result(&call, syscall(SYS_unlinkat, dir, path, flags))
                                   : -1;
}

int unlinkat(int dir, const char *path, int flags)
{
    return io_unlinkat(dir, path, flags);
}

int unlink(const char *path)
{
    return io_unlinkat(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
    return io_unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

int mkdir(const char *path, mode_t mode)
{
    struct io_call call = {IO_MKDIR, -1, path};
    size_t none = 0;
    return io_allows(&call, &none) ? (int)io_result(&call, syscall(SYS_mkdir, path, mode)) : -1;
}

#endif
