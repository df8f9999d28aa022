/* Idempotency keys: those in flight in memory, the answered ones in the store. */
#ifndef OCK_SERVER_KEYS_H
#define OCK_SERVER_KEYS_H

#include "server/engine_private.h"

enum ock_status ock_keys_new(struct ock_keys **out, struct ock_engine *engine, struct ock_err *err);
void ock_keys_free(struct ock_keys *keys); /* NULL is a no-op */

#endif
