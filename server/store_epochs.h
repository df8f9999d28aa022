/* A job's epoch events: where they are, and each one's text. */
#ifndef OCK_SERVER_STORE_EPOCHS_H
#define OCK_SERVER_STORE_EPOCHS_H

#include "server/store.h"

/* One epoch event: what it is found by, and the epoch that it tells of, from 1. */
struct ock_epoch_ref {
    int64_t event;
    int64_t epoch;
};

struct ock_epoch_refs {
    size_t count;
    struct ock_epoch_ref *refs; /* [count] owned, in the order in which they were told */
};

/* Finds them by the index alone, so that an event's text is read only where it is wanted. *out is the
 * caller's (ock_epoch_refs_free), also after an error. Errors: NOTFOUND, NOMEM, the store's. */
enum ock_status ock_store_epochs(struct ock_db *db, const char *id, struct ock_epoch_refs *out,
                                 struct ock_err *err);
void ock_epoch_refs_free(struct ock_epoch_refs *refs);

/* Calls take with the event's text. Errors: NOTFOUND, what take returns, the store's. */
enum ock_status ock_store_epoch(struct ock_db *db, int64_t event,
                                enum ock_status (*take)(void *ctx, const char *body,
                                                        struct ock_err *err),
                                void *ctx, struct ock_err *err);

#endif
