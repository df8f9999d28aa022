/* Statistics of one column in a single pass: range, sum, and the distinct values while they are
 * few, in an open hash table with linear probing, at most half full. */
#include "core/data/stats.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void ock_stats_init(struct ock_stats *stats, size_t distinct_max)
{
    *stats = (struct ock_stats){.set_max = distinct_max};
}

void ock_stats_deinit(struct ock_stats *stats)
{
    if (!stats->set_lent)
        free(stats->set);
    *stats = (struct ock_stats){0};
}

void ock_stats_lend(struct ock_stats *stats, double *set)
{
    stats->set = set;
    stats->set_lent = true;
}

static void drop_set(struct ock_stats *stats)
{
    if (!stats->set_lent)
        free(stats->set);
    stats->set = NULL;
    stats->set_capacity = 0;
    stats->set_count = 0;
    stats->set_dropped = true;
}

/* In an array without free places. */
static void remember_lent(struct ock_stats *stats, double value)
{
    for (size_t i = 0; i < stats->set_count; i++) {
        if (stats->set[i] == value)
            return;
    }
    if (stats->set_count == stats->set_max) {
        drop_set(stats);
        return;
    }
    stats->set[stats->set_count++] = value;
    stats->set_capacity = stats->set_count;
}

/* The place of value in a table of `capacity` places: where it is, or where it belongs. */
static size_t find(const double *set, size_t capacity, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    bits *= UINT64_C(0x9e3779b97f4a7c15);
    size_t place = (size_t)(bits >> 32) & (capacity - 1);
    while (!isnan(set[place]) && set[place] != value)
        place = (place + 1) & (capacity - 1);
    return place;
}

static enum ock_status grow(struct ock_stats *stats, struct ock_err *err)
{
    size_t capacity = stats->set_capacity ? 2 * stats->set_capacity : 16;
    double *set = malloc(capacity * sizeof(*set));
    if (!set)
        return ock_fail(err, OCK_NOMEM, "out of memory for a column's distinct values");
    for (size_t i = 0; i < capacity; i++)
        set[i] = (double)NAN;
    for (size_t i = 0; i < stats->set_capacity; i++) {
        if (!isnan(stats->set[i]))
            set[find(set, capacity, stats->set[i])] = stats->set[i];
    }
    free(stats->set);
    stats->set = set;
    stats->set_capacity = capacity;
    return OCK_OK;
}

static enum ock_status remember(struct ock_stats *stats, double value, struct ock_err *err)
{
    if (stats->set_lent) {
        remember_lent(stats, value);
        return OCK_OK;
    }
    if (2 * (stats->set_count + 1) > stats->set_capacity) {
        enum ock_status status = grow(stats, err);
        if (status != OCK_OK)
            return status;
    }
    size_t place = find(stats->set, stats->set_capacity, value);
    if (!isnan(stats->set[place]))
        return OCK_OK;
    if (stats->set_count == stats->set_max) {
        drop_set(stats);
        return OCK_OK;
    }
    stats->set[place] = value;
    stats->set_count++;
    return OCK_OK;
}

/* Beyond 2^24 float32 does not tell all whole numbers, beyond 2^53 every double is whole. */
#define FLOAT_WHOLE_MAX  16777216.0
#define DOUBLE_WHOLE_MAX 9007199254740992.0

static inline void note_kind(struct ock_stats *stats, double value)
{
    double size = fabs(value);
    if (size < DOUBLE_WHOLE_MAX && value != (double)(int64_t)value)
        stats->fraction = true;
    else if (size > FLOAT_WHOLE_MAX)
        stats->long_whole = true;
}

enum ock_status ock_stats_add(struct ock_stats *stats, double value, struct ock_err *err)
{
    value += 0.0; /* -0 and 0 are one value */
    if (stats->count == 0) {
        stats->min = value;
        stats->max = value;
    }
    stats->count++;
    stats->sum += value;
    if (value < stats->min)
        stats->min = value;
    if (value > stats->max)
        stats->max = value;
    note_kind(stats, value);
    return stats->set_dropped ? OCK_OK : remember(stats, value, err);
}

/* The same of many, the sum in their order. */
static enum ock_status add_finite(struct ock_stats *stats, const double *values, size_t count,
                                  struct ock_err *err)
{
    double sum = stats->sum, min = stats->min, max = stats->max;
    if (stats->count == 0)
        min = max = values[0] + 0.0;
    for (size_t i = 0; i < count; i++) {
        double value = values[i] + 0.0;
        sum += value;
        min = value < min ? value : min;
        max = value > max ? value : max;
    }
    stats->count += count;
    stats->sum = sum;
    stats->min = min;
    stats->max = max;
    bool large = max > FLOAT_WHOLE_MAX || min < -FLOAT_WHOLE_MAX;
    for (size_t i = 0; i < count && (large || !stats->fraction); i++)
        note_kind(stats, values[i]);
    enum ock_status status = OCK_OK;
    for (size_t i = 0; i < count && !stats->set_dropped && status == OCK_OK; i++)
        status = remember(stats, values[i] + 0.0, err);
    return status;
}

size_t ock_stats_finite(const double *values, size_t count)
{
    enum { BLOCK = 16 };
    size_t i = 0;
    for (; i + BLOCK <= count; i += BLOCK) {
        /* x - x is 0, or NaN. */
        double rest = 0;
        for (size_t j = 0; j < BLOCK; j += 4)
            rest +=
                (values[i + j] - values[i + j]) + (values[i + j + 1] - values[i + j + 1]) +
                ((values[i + j + 2] - values[i + j + 2]) + (values[i + j + 3] - values[i + j + 3]));
        if (isnan(rest))
            break;
    }
    while (i < count && isfinite(values[i]))
        i++;
    return i;
}

enum ock_status ock_stats_add_all(struct ock_stats *stats, const double *values, size_t count,
                                  struct ock_err *err)
{
    enum ock_status status = OCK_OK;
    for (size_t i = 0; i < count && status == OCK_OK;) {
        size_t run = ock_stats_finite(values + i, count - i);
        if (run > 0)
            status = add_finite(stats, values + i, run, err);
        i += run;
        while (i < count && !isfinite(values[i]))
            i++;
    }
    return status;
}

enum ock_storage ock_stats_storage(const struct ock_stats *stats)
{
    double size = fmax(fabs(stats->min), fabs(stats->max));
    if (stats->count == 0 || size == 0)
        return OCK_STORE_F32;
    bool tiny = size < 1e-30;
    bool narrow = stats->max - stats->min < 1e-3 * size;
    return stats->long_whole || tiny || narrow ? OCK_STORE_F64 : OCK_STORE_F32;
}

static int by_value(const void *a, const void *b)
{
    const double *x = a;
    const double *y = b;
    return (*x > *y) - (*x < *y);
}

void ock_stats_distinct(const struct ock_stats *stats, double *values)
{
    size_t count = 0;
    for (size_t i = 0; i < stats->set_capacity; i++) {
        if (!isnan(stats->set[i]))
            values[count++] = stats->set[i];
    }
    if (count > 1)
        qsort(values, count, sizeof(*values), by_value);
}
