/* What the engine counts for /metrics. Any thread may add and read; a reader may see one number of a
 * histogram a moment before the other, never a number that goes back. */
#ifndef OCK_SERVER_METERS_H
#define OCK_SERVER_METERS_H

#include <stdatomic.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "server/store_jobs.h"

enum { OCK_METER_BUCKETS = 10 };

struct ock_histogram {
    atomic_ullong buckets[OCK_METER_BUCKETS]; /* not cumulative; the last one: beyond all bounds */
    atomic_ullong sum_us;
};

/* All zero at the start. */
struct ock_meters {
    struct ock_histogram queue_wait, epoch;
    atomic_ullong samples;
    atomic_ullong succeeded, failed, cancelled;
};

/* How far a job's epochs are counted; all zero for a job that this server has not heard of yet. */
struct ock_told {
    uint64_t epoch, samples;
    double elapsed_s;
};

void ock_meters_start(struct ock_meters *meters, double waited_s);
void ock_meters_end(struct ock_meters *meters, enum ock_job_status status);
/* An epoch event's body, a worker's own. What is told again after a crash counts once. Of a job that
 * an earlier server began, the first line only says where it stands. */
void ock_meters_epoch(struct ock_meters *meters, struct ock_told *told, const char *body);

/* Prometheus' text format, 0.0.4. */
void ock_meters_write(struct ock_meters *meters, struct ock_buf *out);

#endif
