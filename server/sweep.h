/* What an abrupt end left in jobs/: directories of jobs that were never stored, and what ended jobs do
 * not need any more. Thousands of directories take a second to look through, so the start only lists
 * them; the keeper's thread does the rest while the server serves. */
#ifndef OCK_SERVER_SWEEP_H
#define OCK_SERVER_SWEEP_H

#include "server/engine_private.h"

/* Names of jobs that had ended or were never stored when the list was made. No job can become one of
 * them later, and of these nobody writes in the directory. */
struct ock_sweep {
    size_t count, next;
    char (*ids)[OCK_ID_SIZE]; /* owned */
};

/* Before the runner starts and jobs are accepted. Errors: NOMEM, and the store's. */
enum ock_status ock_sweep_list(struct ock_sweep *out, const struct ock_engine *engine,
                               struct ock_err *err);
/* Cleans the next one; false: there is none. */
bool ock_sweep_next(struct ock_sweep *sweep, const struct ock_engine *engine);
void ock_sweep_deinit(struct ock_sweep *sweep);

#endif
