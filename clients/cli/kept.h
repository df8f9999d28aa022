/* What --checkpoint keeps for the next run: the worker's checkpoint as FILE and, of a job that
 * searches, what its search remembers as FILE.tuning. */
#ifndef OCK_CLI_KEPT_H
#define OCK_CLI_KEPT_H

#include <stdbool.h>

#include "clients/cli/workdir.h"

struct cli_kept {
    const char *file;                /* borrowed; NULL: nothing is kept */
    bool searches;                   /* the job does */
    bool frozen;                     /* what stands there stays */
    char checkpoint[CLI_PATH_SIZE];  /* the worker's */
    char search[CLI_PATH_SIZE];      /* the worker's */
    char search_file[CLI_PATH_SIZE]; /* FILE.tuning; "": too long a name */
};

void cli_kept_init(struct cli_kept *kept, const char *file, bool searches,
                   const struct cli_workdir *dir);

/* Brings both to the worker, as far as they are there. Errors: IO, NOSPACE; LIMIT (the name is too
 * long); INVALID (FILE without FILE.tuning: it is none of a job that searches). */
enum ock_status cli_kept_bring(const struct cli_kept *kept, struct ock_err *err);
/* Keeps both, as far as the worker has written them; a no-op once frozen. Errors: IO, NOSPACE. */
enum ock_status cli_kept_take(const struct cli_kept *kept, struct ock_err *err);
/* The job is done: nothing to resume. */
void cli_kept_remove(const struct cli_kept *kept);

#endif
