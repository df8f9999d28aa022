/* A thread for work that may wait for the disk and that nobody waits for at once: reading an
 * ended job's models, removing directories. In order, one at a time. */
#ifndef OCK_SERVER_ERRANDS_H
#define OCK_SERVER_ERRANDS_H

#include "core/base/status.h"

struct ock_errands;
struct ock_errand {
    void (*run)(struct ock_errand *errand); /* may free the errand */
    struct ock_errand *next;
};

enum ock_status ock_errands_new(struct ock_errands **out, struct ock_err *err);
void ock_errands_post(struct ock_errands *errands, struct ock_errand *errand);
/* Runs all that is left and ends the thread; errands posted later run at once in their poster. */
void ock_errands_stop(struct ock_errands *errands);
void ock_errands_free(struct ock_errands *errands); /* after stop; NULL is a no-op */

#endif
