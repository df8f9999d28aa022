/* Files as the store, checkpoints and models need them: whole or not at all. */
#ifndef OCK_BASE_FILE_H
#define OCK_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/buf.h"
#include "core/base/status.h"

/* A file that appears under its name only when it is whole and on the disk: written under
 * "<path>.tmp", fsynced, renamed, the directory fsynced. */
struct ock_newfile {
    int fd;     /* -1: closed */
    bool quick; /* set after opening: commit without syncing, for what can be made again */
    char path[4096];
    char tmp_path[4096 + 8];
};

/* Errors: IO, NOSPACE, LIMIT (path too long). All functions here may be called from any thread, one
 * object from one thread at a time. */
enum ock_status ock_newfile_open(struct ock_newfile *file, const char *path, struct ock_err *err);
enum ock_status ock_newfile_write(struct ock_newfile *file, const void *bytes, size_t size,
                                  struct ock_err *err);
enum ock_status ock_newfile_commit(struct ock_newfile *file, struct ock_err *err);
void ock_newfile_discard(struct ock_newfile *file); /* after commit or twice: a no-op */

/* The whole file in one call of the above. */
enum ock_status ock_file_replace(const char *path, const void *bytes, size_t size,
                                 struct ock_err *err);

/* The same with what is left to read of an open file, by pieces. */
enum ock_status ock_file_copy(const char *path, int from, struct ock_err *err);

/* Appends the file's bytes to out (whose maximum bounds them). Errors: NOTFOUND, IO, NOMEM, LIMIT. */
enum ock_status ock_file_read(const char *path, struct ock_buf *out, struct ock_err *err);

/* A nameless file, to be read and written, in the folder of path; it is gone once *fd is closed.
 * Errors: IO, NOSPACE, LIMIT (path too long). */
enum ock_status ock_scratch_open(int *fd, const char *path, struct ock_err *err);

/* A read-only mapping of a whole file. An empty file has data NULL and size 0. */
struct ock_mapping {
    const unsigned char *data;
    size_t size;
};
enum ock_status ock_mapping_open(struct ock_mapping *out, const char *path, struct ock_err *err);
/* Tells the kernel that pages will be read in any order. Nothing but speed depends on it. */
void ock_mapping_advise_random(const struct ock_mapping *mapping);
void ock_mapping_close(struct ock_mapping *mapping); /* all-zero: a no-op */

#endif
