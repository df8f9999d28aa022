/* The one place that gives an event its seq. */
#ifndef OCK_SERVER_STORE_EVENTS_H
#define OCK_SERVER_STORE_EVENTS_H

#include "core/base/buf.h"
#include "server/store.h"

/* Appends one event of the server's own: body gets type, job, seq and time in front. key may be
 * NULL. Bumps the job's seq and version. */
enum ock_status ock_store_append_event(struct ock_db *db, int64_t number, const char *id,
                                       const char *type, const char *key, const char *body,
                                       struct ock_err *err);

/* The same for a `warning`, which joins the job's list of warnings. */
enum ock_status ock_store_append_warning(struct ock_db *db, int64_t number, const char *id,
                                         const char *body, struct ock_err *err);

/* The resolved spec, when more of it is known. */
enum ock_status ock_store_replace_resolved(struct ock_db *db, int64_t number, const char *body,
                                           struct ock_err *err);

/* Adds to what the job takes (jobs.bytes); negative when something went. */
enum ock_status ock_store_add_bytes(struct ock_db *db, int64_t number, int64_t bytes,
                                    struct ock_err *err);

/* {"type":…,"job":…,"seq":…,"time":…, and the rest of body; seq 0 is left out (progress). */
void ock_event_write(struct ock_buf *out, const char *type, const char *id, uint64_t seq,
                     const char *body);

#endif
