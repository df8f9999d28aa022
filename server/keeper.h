/* The keeper: one thread that cleans up after an abrupt end, lets ended jobs go when they are beyond
 * the limits of `ock_keep`, removes what deletions left behind, and gives free pages back to the
 * disk. It works in small writes among all others and pauses between them. */
#ifndef OCK_SERVER_KEEPER_H
#define OCK_SERVER_KEEPER_H

#include "server/engine_private.h"

enum ock_status ock_keeper_new(struct ock_keeper **out, struct ock_engine *engine,
                               struct ock_err *err);
/* A job has ended or was deleted: look soon. Any thread; does not block; NULL is a no-op. */
void ock_keeper_wake(struct ock_keeper *keeper);
/* Ends the thread after the write that it is at; the store is still open. NULL is a no-op. */
void ock_keeper_stop(struct ock_keeper *keeper);
void ock_keeper_free(struct ock_keeper *keeper); /* after stop; NULL is a no-op */

#endif
