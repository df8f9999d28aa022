/* Request counters. A table with a linear look-up: there are a few dozen rows in it. */
#include "server/http/counters.h"

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

void ock_counters_add(struct ock_counters *counters, const struct ock_route *route,
                      enum ock_method method, int status, double seconds)
{
    size_t bucket = 0;
    while (bucket < OCK_DURATION_BUCKETS - 1 && seconds > bounds_s[bucket])
        bucket++;
    pthread_mutex_lock(&counters->lock);
    count(counters, route, method, status);
    counters->duration_buckets[bucket]++;
    counters->duration_count++;
    counters->duration_sum_s += seconds;
    pthread_mutex_unlock(&counters->lock);
}

static void write_durations(const struct ock_counters *counters, struct ock_buf *out)
{
    uint64_t below = 0;
    ock_buf_puts(out, "# HELP ockham_http_request_duration_seconds From a request's line to its "
                      "answer's end (streams: to their first byte).\n"
                      "# TYPE ockham_http_request_duration_seconds histogram\n");
    for (size_t i = 0; i < OCK_DURATION_BUCKETS - 1; i++) {
        below += counters->duration_buckets[i];
        ock_buf_printf(out, "ockham_http_request_duration_seconds_bucket{le=\"%g\"} %llu\n",
                       bounds_s[i], (unsigned long long)below);
    }
    ock_buf_printf(out,
                   "ockham_http_request_duration_seconds_bucket{le=\"+Inf\"} %llu\n"
                   "ockham_http_request_duration_seconds_sum %.6f\n"
                   "ockham_http_request_duration_seconds_count %llu\n",
                   (unsigned long long)counters->duration_count, counters->duration_sum_s,
                   (unsigned long long)counters->duration_count);
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
    write_durations(counters, out);
    pthread_mutex_unlock(&counters->lock);
}
