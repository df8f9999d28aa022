/* The events of all jobs in the store's own order, and among them what is told of a job here alone: that
 * it was deleted, or is called something else. */
#ifndef OCK_SERVER_STORE_ALL_EVENTS_H
#define OCK_SERVER_STORE_ALL_EVENTS_H

#include "core/base/buf.h"
#include "server/store.h"

enum {
    OCK_NOTICES_JOB = 0,           /* the `job` of these in the table of events */
    OCK_NOTICES_MAX = 10000,       /* as many as a replay could ever need; the oldest ones go */
    OCK_WINDOW_EVENTS_MAX = 50000, /* looked at in one read */
};

/* The number of the newest event; 0: there is none. */
enum ock_status ock_store_newest_event(struct ock_db *db, uint64_t *out, struct ock_err *err);

/* As ock_engine_all_events. */
enum ock_status ock_store_all_events_json(struct ock_db *db, uint64_t after, uint64_t until,
                                          size_t bytes_max, struct ock_buf *out, uint64_t *last,
                                          struct ock_err *err);

/* Tells of a job what is no event of its own: {"type","job","time"}. Of the same write as the change. */
enum ock_status ock_store_tell_notice(struct ock_db *db, const char *type, const char *id,
                                      struct ock_err *err);

#endif
