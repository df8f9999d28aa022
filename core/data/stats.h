/* What an importer learns of a column of numbers while the rows pass by. */
#ifndef OCK_DATA_STATS_H
#define OCK_DATA_STATS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/status.h"
#include "core/data/dataset.h"

struct ock_stats {
    size_t count; /* numbers seen, without missing ones */
    size_t missing;
    bool fraction; /* some number was not whole */
    bool
        long_whole; /* some whole number was beyond 2^24: float32 could not tell it from the next */
    double min, max, sum; /* of the numbers seen; 0 before the first */
    double *set;         /* owned: an open hash table of the distinct values; NaN is a free place */
    size_t set_capacity; /* a power of two, or 0 */
    size_t set_count;
    size_t set_max; /* beyond it the set is dropped */
    bool set_dropped;
    bool set_lent; /* set is an array of set_max in the caller's memory */
};

void ock_stats_init(struct ock_stats *stats, size_t distinct_max);
void ock_stats_deinit(struct ock_stats *stats);

/* Of many columns that keep few values each: set [set_max] is borrowed in place of a table that is
 * allocated. It is looked through from its begin. Before the first add. */
void ock_stats_lend(struct ock_stats *stats, double *set);

/* Counts one finite value. Errors: NOMEM. */
enum ock_status ock_stats_add(struct ock_stats *stats, double value, struct ock_err *err);

/* Counts the finite ones of values [count], in their order, to the same bits. Errors: NOMEM. */
enum ock_status ock_stats_add_all(struct ock_stats *stats, const double *values, size_t count,
                                  struct ock_err *err);

/* How many of values [count] are finite before the first that is not. */
size_t ock_stats_finite(const double *values, size_t count);

/* The least type that does not blur the column: float32 unless it holds a whole number beyond 2^24,
 * or its range is below a thousandth of its size, or all of it is tiny: then float64. */
enum ock_storage ock_stats_storage(const struct ock_stats *stats);

/* The distinct values, sorted: values has room for set_count. */
void ock_stats_distinct(const struct ock_stats *stats, double *values);

#endif
