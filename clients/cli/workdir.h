/* The private directory of a job that runs here: datasets, checkpoint, models; removed at the end.
 */
#ifndef OCK_CLI_WORKDIR_H
#define OCK_CLI_WORKDIR_H

#include "core/base/status.h"

enum { CLI_PATH_SIZE = 4096 };

struct cli_workdir {
    char path[CLI_PATH_SIZE - 64]; /* "": there is none */
};

/* Makes a directory that only this user may enter, under $TMPDIR (else /tmp). Errors: IO, NOSPACE,
 * LIMIT. */
enum ock_status cli_workdir_make(struct cli_workdir *dir, struct ock_err *err);
/* Removes it with the files in it. Twice, or without one: a no-op. */
void cli_workdir_remove(struct cli_workdir *dir);
/* "DIR/name" into path. */
void cli_workdir_path(const struct cli_workdir *dir, const char *name, char path[CLI_PATH_SIZE]);

/* Copies a file; the copy appears whole or not at all. Errors: NOTFOUND, IO, NOSPACE, LIMIT. */
enum ock_status cli_file_copy(const char *from, const char *to, struct ock_err *err);

#endif
