/* A private temporary directory. Nothing in it is a directory itself, so that removing it is one
 * loop that can't leave it. */
#include "clients/cli/workdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"

enum ock_status cli_workdir_make(struct cli_workdir *dir, struct ock_err *err)
{
    const char *base = getenv("TMPDIR");
    struct cli_workdir made;
    if (!base || !*base)
        base = "/tmp";
    int length = snprintf(made.path, sizeof(made.path), "%s/ockham-XXXXXX", base);
    if (length < 0 || (size_t)length >= sizeof(made.path))
        return ock_fail(err, OCK_LIMIT, "the path in TMPDIR is too long");
    if (!mkdtemp(made.path))
        return ock_fail_errno(err, errno, "cannot make a temporary directory in %s (TMPDIR)", base);
    *dir = made;
    return OCK_OK;
}

void cli_workdir_remove(struct cli_workdir *dir)
{
    if (!*dir->path)
        return;
    DIR *entries = opendir(dir->path);
    struct dirent *entry = entries ? readdir(entries) : NULL;
    while (entry) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            (void)unlinkat(dirfd(entries), entry->d_name, 0);
        entry = readdir(entries);
    }
    if (entries)
        (void)closedir(entries);
    (void)rmdir(dir->path);
    *dir->path = '\0';
}

void cli_workdir_path(const struct cli_workdir *dir, const char *name, char path[CLI_PATH_SIZE])
{
    (void)snprintf(path, CLI_PATH_SIZE, "%s/%.60s", dir->path, name);
}

static enum ock_status copy_bytes(int from, const char *name, struct ock_newfile *to,
                                  struct ock_err *err)
{
    char bytes[64 << 10];
    for (;;) {
        ssize_t got = read(from, bytes, sizeof(bytes));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ock_fail_errno(err, errno, "cannot read %s", name);
        if (got == 0)
            return ock_newfile_commit(to, err);
        enum ock_status status = ock_newfile_write(to, bytes, (size_t)got, err);
        if (status != OCK_OK)
            return status;
    }
}

enum ock_status cli_file_copy(const char *from, const char *to, struct ock_err *err)
{
    struct ock_newfile file = {.fd = -1};
    int fd = open(from, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return ock_fail(err, OCK_NOTFOUND, "%s is not there", from);
    if (fd < 0)
        return ock_fail_errno(err, errno, "cannot open %s", from);
    enum ock_status status = ock_newfile_open(&file, to, err);
    if (status == OCK_OK)
        status = copy_bytes(fd, from, &file, err);
    ock_newfile_discard(&file);
    (void)close(fd);
    return status;
}
