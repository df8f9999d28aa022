/* What a column of numbers is like: moments, quantiles, a histogram.
 *
 * Definitions. mean = (1/n) sum x, std = sqrt((1/n) sum (x - mean)^2), sums in double in row order.
 * Quantile q lies at the position h = q (n - 1) among the sorted numbers, between two of them by
 * linear interpolation (numpy's default). The histogram has OCK_BINS bins between edges[0] = min and
 * edges[OCK_BINS] = max; a bin holds its lower edge, the last one both. A constant column has one. */
#ifndef OCK_DATA_DESCRIBE_H
#define OCK_DATA_DESCRIBE_H

#include <stdbool.h>

#include "core/data/select.h"

enum { OCK_QUANTILES = 9, OCK_BINS = 32 };
extern const double ock_quantiles[OCK_QUANTILES]; /* 0, 0.01, … 1 */

struct ock_description {
    size_t count, missing; /* numbers, and the rest of the rows */
    double min, max;       /* these and all below: of count > 0 */
    double mean, std;      /* infinite or NaN where a sum is beyond double */
    double quantiles[OCK_QUANTILES];
    size_t bins;
    double edges[OCK_BINS + 1];
    uint32_t bin_counts[OCK_BINS];
};

/* A description in the making. */
struct ock_describer {
    struct ock_description is;
    unsigned pass;
    size_t terms;                        /* rows that a sparse column has a value for */
    double sum;                          /* in the first pass of the numbers, then of the squares */
    double to_bins;                      /* 32 / (max - min) */
    size_t wanted[OCK_SELECT_RANKS_MAX]; /* ranks of the quantiles' neighbours */
    struct ock_select select;
};

/* *describer is all zero. key_bytes: 4 for float32, 8 for doubles: as many passes are to be made. */
void ock_describer_init(struct ock_describer *describer, unsigned key_bytes);
/* Rows of the pass under way; each pass sees the same ones in the same order. NaN and infinities are
 * missing. */
void ock_describer_add(struct ock_describer *describer, const double *values, size_t count);
/* So many rows that are 0 (of a sparse column), at any place: a sum does not notice. */
void ock_describer_add_zeros(struct ock_describer *describer, uint32_t count);
/* true: one more pass. After the last one `is` stands. */
bool ock_describer_end_pass(struct ock_describer *describer);

/* The same of bytes, from how often each value occurs. */
void ock_describe_bytes(struct ock_description *out, const uint32_t counts[256]);

#endif
