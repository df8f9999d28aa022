/* Long polls (?wait=): a suspended request whose handler is called again when its job changes, at
 * a set time, and at the server's end. No thread waits. */
#ifndef OCK_SERVER_HTTP_WAIT_H
#define OCK_SERVER_HTTP_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "server/engine.h"

struct ock_exchange;

struct ock_wait {
    bool active;
    struct ock_exchange *exchange;
    struct ock_subscription *subscription;
    int64_t begun_ms;
    int64_t deadline_ms;
    int64_t look_ms;                  /* no sooner look at the job again */
    struct ock_wait *previous, *next; /* guarded by the ticker's lock, as is wake_ms */
    int64_t wake_ms;
};

enum { OCK_WAIT_S_MAX = 55, OCK_WAIT_LOOK_MS = 10 };

/* Subscribes to the job (NULL: to none, the clock alone calls); from now on the handler is called again. False: problem (404). */
bool ock_wait_begin(struct ock_exchange *x, const char *job, int64_t seconds,
                    struct ock_problem *problem);
/* Whether to look at the job now (at most every 10 ms: a tiny job tells thousands of epochs a
 * second); false: the handler returns OCK_HANDLE_AGAIN and is called in time. */
bool ock_wait_look(struct ock_exchange *x);
bool ock_wait_over(const struct ock_exchange *x); /* the deadline has come, or the server's end */
/* Calls the handler again at wake_ms or at the deadline, whatever comes first. */
void ock_wait_until(struct ock_exchange *x, int64_t wake_ms);
/* After it, nothing pokes the exchange any more. Inactive: a no-op. */
void ock_wait_end(struct ock_exchange *x);

struct ock_http;
/* Calls all of them; http->stopping is set, so that they answer with what there is. */
void ock_waits_stop(struct ock_http *http);

#endif
