/* Who wants to know when a job has news, or when any has (id ""). A wake-up says only "look again":
 * the reader takes what is new from the store, so that a slow one costs nobody anything. `progress`
 * lines, which are not stored, wait here for whoever subscribes: a job's newest one, and the last
 * few of all jobs. */
#ifndef OCK_SERVER_HUB_H
#define OCK_SERVER_HUB_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/status.h"

struct ock_hub;
struct ock_subscription;

enum { OCK_HUB_RECENT_MAX = 64 }; /* progress lines of all jobs that wait for a slow reader */

enum ock_status ock_hub_new(struct ock_hub **out, struct ock_err *err);
void ock_hub_free(struct ock_hub *hub); /* subscriptions have ended; NULL is a no-op */

/* wake runs under the hub's mutex: it must not block and not call the hub or the engine.
 * After ock_hub_unsubscribe has returned it does not run again. Errors: NOMEM. */
enum ock_status ock_hub_subscribe(struct ock_hub *hub, const char *id, void (*wake)(void *ctx),
                                  void *ctx, struct ock_subscription **out, struct ock_err *err);
void ock_hub_unsubscribe(struct ock_subscription *subscription); /* NULL is a no-op */

/* Wakes those who subscribe to the job or to all of them. */
void ock_hub_wake(struct ock_hub *hub, const char *id);
/* Keeps the line (copied) if anyone subscribes to the job or to all of them, and wakes them. */
void ock_hub_progress(struct ock_hub *hub, const char *id, const char *line);
/* As ock_engine_progress; id is known to be one of a job or "". */
bool ock_hub_read_progress(struct ock_hub *hub, const char *id, uint64_t *stamp,
                           struct ock_buf *out);
/* How many subscriptions there are. */
uint64_t ock_hub_count(struct ock_hub *hub);

#endif
