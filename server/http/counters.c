/* Request counters. A table with a linear look-up: there are a few dozen rows in it. */
#include "server/http/counters.h"

#include <string.h>

#include "server/http/route.h"

/* Upper bounds of the buckets in seconds; the last bucket has none. */
static const double bounds_s[OCK_DURATION_BUCKETS - 1] = {0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0};

void ock_counters_init(struct ock_counters *counters)
{
    *counters = (struct ock_counters){.used = 0};
    pthread_mutex_init(&counters->lock, NULL);
}

void ock_counters_deinit(struct ock_counters *counters)
{
    pthread_mutex_destroy(&counters->lock);
}

static void count(struct ock_counters *counters, const struct ock_route *route,
                  enum ock_method method, int status)
{
    for (size_t i = 0; i < counters->used; i++) {
        struct ock_counter *item = &counters->items[i];
        if (item->route == route && item->method == method && item->status == status) {
            item->count++;
            return;
        }
    }
    if (counters->used < OCK_COUNTERS_MAX)
        counters->items[counters->used++] = (struct ock_counter){route, method, status, 1};
}

/* Methods of one path share their durations: the label has no method. */
static bool same_path(const struct ock_route *a, const struct ock_route *b)
{
    return a == b || (a && b && strcmp(a->path, b->path) == 0);
}

static void time_it(struct ock_counters *counters, const struct ock_route *route, double seconds)
{
    size_t at = 0, bucket = 0;
    while (at < counters->timed && !same_path(counters->durations[at].route, route))
        at++;
    if (at == OCK_TIMED_ROUTES_MAX)
        return;
    if (at == counters->timed)
        counters->durations[counters->timed++] = (struct ock_durations){.route = route};
    while (bucket < OCK_DURATION_BUCKETS - 1 && seconds > bounds_s[bucket])
        bucket++;
    counters->durations[at].buckets[bucket]++;
    counters->durations[at].count++;
    counters->durations[at].sum_s += seconds;
}

void ock_counters_add(struct ock_counters *counters, const struct ock_route *route,
                      enum ock_method method, int status, double seconds)
{
    pthread_mutex_lock(&counters->lock);
    count(counters, route, method, status);
    time_it(counters, route, seconds);
    pthread_mutex_unlock(&counters->lock);
}

static void write_durations(const struct ock_durations *item, struct ock_buf *out)
{
    static const char name[] = "ockham_http_request_duration_seconds";
    const char *path = item->route ? item->route->path : "";
    uint64_t below = 0;
    for (size_t i = 0; i < OCK_DURATION_BUCKETS - 1; i++) {
        below += item->buckets[i];
        ock_buf_printf(out, "%s_bucket{route=\"%s\",le=\"%g\"} %llu\n", name, path, bounds_s[i],
                       (unsigned long long)below);
    }
    ock_buf_printf(out,
                   "%s_bucket{route=\"%s\",le=\"+Inf\"} %llu\n%s_sum{route=\"%s\"} %.6f\n"
                   "%s_count{route=\"%s\"} %llu\n",
                   name, path, (unsigned long long)item->count, name, path, item->sum_s, name, path,
                   (unsigned long long)item->count);
}

void ock_counters_write(struct ock_counters *counters, struct ock_buf *out)
{
    pthread_mutex_lock(&counters->lock);
    ock_buf_puts(out, "# HELP ockham_http_requests_total Requests answered.\n"
                      "# TYPE ockham_http_requests_total counter\n");
    for (size_t i = 0; i < counters->used; i++) {
        const struct ock_counter *item = &counters->items[i];
        ock_buf_printf(out,
                       "ockham_http_requests_total{method=\"%s\",route=\"%s\",code=\"%d\"} %llu\n",
                       ock_method_name(item->method), item->route ? item->route->path : "",
                       item->status, (unsigned long long)item->count);
    }
    ock_buf_puts(out, "# HELP ockham_http_request_duration_seconds From a request's line to its "
                      "answer (a stream's: to its beginning).\n"
                      "# TYPE ockham_http_request_duration_seconds histogram\n");
    for (size_t i = 0; i < counters->timed; i++)
        write_durations(&counters->durations[i], out);
    pthread_mutex_unlock(&counters->lock);
}
