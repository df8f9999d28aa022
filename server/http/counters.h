/* Counts of requests for /metrics: by method, route template and status. */
#ifndef OCK_SERVER_HTTP_COUNTERS_H
#define OCK_SERVER_HTTP_COUNTERS_H

#include <pthread.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "server/http/headers.h"

struct ock_route;

enum { OCK_COUNTERS_MAX = 512, OCK_TIMED_ROUTES_MAX = 64, OCK_DURATION_BUCKETS = 8 };

struct ock_counter {
    const struct ock_route *route; /* NULL: no route */
    enum ock_method method;
    int status;
    uint64_t count;
};

/* How long a route's answers took. */
struct ock_durations {
    const struct ock_route *route;          /* NULL: no route */
    uint64_t buckets[OCK_DURATION_BUCKETS]; /* not cumulative; the last one: beyond */
    uint64_t count;
    double sum_s;
};

struct ock_counters {
    pthread_mutex_t lock; /* guards all below */
    size_t used, timed;
    struct ock_counter items[OCK_COUNTERS_MAX];
    struct ock_durations durations[OCK_TIMED_ROUTES_MAX];
};

void ock_counters_init(struct ock_counters *counters);
void ock_counters_deinit(struct ock_counters *counters);
void ock_counters_add(struct ock_counters *counters, const struct ock_route *route,
                      enum ock_method method, int status, double seconds);
/* Prometheus' text format. */
void ock_counters_write(struct ock_counters *counters, struct ock_buf *out);

#endif
