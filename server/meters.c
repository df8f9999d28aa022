/* Counters of the engine: relaxed atomics, because each stands for itself. */
#include "server/meters.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Upper bounds of the buckets in seconds; the last bucket has none. */
static const double wait_bounds_s[OCK_METER_BUCKETS - 1] = {0.001, 0.005, 0.02, 0.1, 0.5,
                                                            2,     10,    60,   600};
static const double epoch_bounds_s[OCK_METER_BUCKETS - 1] = {0.0001, 0.001, 0.01, 0.1, 0.5,
                                                             2,      10,    60,   600};

static void add(atomic_ullong *counter, unsigned long long count)
{
    atomic_fetch_add_explicit(counter, count, memory_order_relaxed);
}

static unsigned long long get(atomic_ullong *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void observe(struct ock_histogram *histogram, const double *bounds_s, double seconds,
                    unsigned long long times)
{
    size_t bucket = 0;
    while (bucket < OCK_METER_BUCKETS - 1 && seconds > bounds_s[bucket])
        bucket++;
    add(&histogram->buckets[bucket], times);
    add(&histogram->sum_us, (unsigned long long)llround(seconds * 1e6 * (double)times));
}

void ock_meters_start(struct ock_meters *meters, double waited_s)
{
    observe(&meters->queue_wait, wait_bounds_s, waited_s, 1);
}

void ock_meters_end(struct ock_meters *meters, enum ock_job_status status)
{
    if (status == OCK_JOB_SUCCEEDED)
        add(&meters->succeeded, 1);
    else if (status == OCK_JOB_CANCELLED)
        add(&meters->cancelled, 1);
    else
        add(&meters->failed, 1);
}

/* The number of a member; the body holds no text of a user's that could look like one. */
static double number_of(const char *body, const char *member)
{
    const char *at = strstr(body, member);
    return at ? strtod(at + strlen(member), NULL) : 0;
}

void ock_meters_epoch(struct ock_meters *meters, struct ock_told *told, const char *body)
{
    const struct ock_told now = {
        .epoch = (uint64_t)number_of(body, "\"epoch\":"),
        .samples = (uint64_t)number_of(body, "\"samples\":"),
        .elapsed_s = number_of(body, "\"elapsed_s\":"),
    };
    if (now.epoch <= told->epoch)
        return;
    bool known = told->epoch > 0 || now.epoch == 1;
    if (known && now.samples > told->samples)
        add(&meters->samples, now.samples - told->samples);
    /* A run that went back to a checkpoint has its clock from there. */
    if (known && now.elapsed_s >= told->elapsed_s) {
        uint64_t epochs = now.epoch - told->epoch;
        observe(&meters->epoch, epoch_bounds_s, (now.elapsed_s - told->elapsed_s) / (double)epochs,
                epochs);
    }
    *told = now;
}

/* --- Writing ----------------------------------------------------------------------------------- */

static void write_head(struct ock_buf *out, const char *name, const char *type, const char *help)
{
    ock_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_histogram(struct ock_buf *out, const char *name, const char *help,
                            struct ock_histogram *histogram, const double *bounds_s)
{
    unsigned long long below = 0;
    write_head(out, name, "histogram", help);
    for (size_t i = 0; i < OCK_METER_BUCKETS - 1; i++) {
        below += get(&histogram->buckets[i]);
        ock_buf_printf(out, "%s_bucket{le=\"%g\"} %llu\n", name, bounds_s[i], below);
    }
    below += get(&histogram->buckets[OCK_METER_BUCKETS - 1]);
    ock_buf_printf(out, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %.6f\n%s_count %llu\n", name, below,
                   name, 1e-6 * (double)get(&histogram->sum_us), name, below);
}

void ock_meters_write(struct ock_meters *meters, struct ock_buf *out)
{
    static const char finished[] = "ockham_jobs_finished_total";
    write_head(out, finished, "counter", "Jobs that ended since the server started, by outcome.");
    ock_buf_printf(out,
                   "%s{outcome=\"succeeded\"} %llu\n%s{outcome=\"failed\"} %llu\n"
                   "%s{outcome=\"cancelled\"} %llu\n",
                   finished, get(&meters->succeeded), finished, get(&meters->failed), finished,
                   get(&meters->cancelled));
    write_histogram(out, "ockham_queue_wait_seconds",
                    "From a job's place in the queue to the start of its worker.",
                    &meters->queue_wait, wait_bounds_s);
    write_histogram(out, "ockham_epoch_seconds",
                    "Time of an epoch with its evaluation; the mean of those between two reports.",
                    &meters->epoch, epoch_bounds_s);
    write_head(out, "ockham_samples_total", "counter", "Training rows that went through a step.");
    ock_buf_printf(out, "ockham_samples_total %llu\n", get(&meters->samples));
}
