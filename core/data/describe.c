/* Numbers described pass by pass: in the first one moments, in the second (the mean and the range
 * are known) squares and bins, and in all of them the selection of the quantiles' neighbours. */
#include "core/data/describe.h"

#include <assert.h>
#include <math.h>

const double ock_quantiles[OCK_QUANTILES] = {0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1};

/* Two neighbours for each quantile but the first and the last one, which are min and max. */
enum { WANTED = 2 * (OCK_QUANTILES - 2) };
static_assert((int)WANTED == (int)OCK_SELECT_RANKS_MAX, "the selection has room for them");

/* --- Quantiles --------------------------------------------------------------------------------- */

static double position(double quantile, size_t count)
{
    return quantile * (double)(count - 1);
}

static size_t rank_below(double quantile, size_t count)
{
    return (size_t)floor(position(quantile, count));
}

static size_t rank_above(double quantile, size_t count)
{
    size_t rank = rank_below(quantile, count) + 1;
    return rank < count ? rank : count - 1;
}

/* Between two neighbours; from the nearer one, so that it never leaves them. */
static double interpolate(double below, double above, double share)
{
    double step = above - below;
    if (!isfinite(step))
        return below * (1 - share) + above * share;
    return share < 0.5 ? below + step * share : above - step * (1 - share);
}

static void set_quantile(struct ock_description *is, size_t index, double below, double above)
{
    double at = position(ock_quantiles[index], is->count);
    is->quantiles[index] = interpolate(below, above, at - floor(at));
}

/* The ranks on both sides of the inner quantiles, rising: when rows are few, neighbours of two
 * quantiles overlap. */
static void want_quantiles(struct ock_describer *describer)
{
    size_t count = describer->is.count;
    for (size_t i = 0; i < WANTED; i++) {
        double quantile = ock_quantiles[i / 2 + 1];
        size_t rank = i % 2 == 0 ? rank_below(quantile, count) : rank_above(quantile, count);
        size_t at = i;
        for (; at > 0 && describer->wanted[at - 1] > rank; at--)
            describer->wanted[at] = describer->wanted[at - 1];
        describer->wanted[at] = rank;
    }
    ock_select_want(&describer->select, describer->wanted, WANTED);
}

static double selected(const struct ock_describer *describer, size_t rank)
{
    size_t index = 0;
    while (describer->wanted[index] != rank)
        index++;
    return ock_select_value(&describer->select, index);
}

static void take_quantiles(struct ock_describer *describer)
{
    struct ock_description *is = &describer->is;
    is->quantiles[0] = is->min;
    is->quantiles[OCK_QUANTILES - 1] = is->max;
    for (size_t i = 1; i + 1 < OCK_QUANTILES; i++)
        set_quantile(is, i, selected(describer, rank_below(ock_quantiles[i], is->count)),
                     selected(describer, rank_above(ock_quantiles[i], is->count)));
}

/* --- The histogram ----------------------------------------------------------------------------- */

/* Edges rise although their arithmetic rounds, and end at the range's ends. */
static double set_edges(struct ock_description *is)
{
    is->bins = is->min == is->max ? 1 : OCK_BINS;
    is->edges[0] = is->min;
    for (size_t i = 1; i < is->bins; i++) {
        double share = (double)i / OCK_BINS;
        double edge = is->min * (1 - share) + is->max * share;
        is->edges[i] = fmin(fmax(edge, is->edges[i - 1]), is->max);
    }
    is->edges[is->bins] = is->max;
    double range = is->max - is->min;
    return range > 0 && isfinite(range) ? OCK_BINS / range : 0;
}

/* A guess by division, set right by the edges. */
static void add_to_bin(struct ock_description *is, double to_bins, double value, uint32_t times)
{
    double guess = (value - is->min) * to_bins;
    size_t last = is->bins - 1;
    size_t bin = guess > 0 && guess < (double)is->bins ? (size_t)guess : guess > 0 ? last : 0;
    while (bin > 0 && value < is->edges[bin])
        bin--;
    while (bin < last && value >= is->edges[bin + 1])
        bin++;
    is->bin_counts[bin] += times;
}

/* --- Passes ------------------------------------------------------------------------------------ */

void ock_describer_init(struct ock_describer *describer, unsigned key_bytes)
{
    ock_select_init(&describer->select, key_bytes);
}

static void widen(struct ock_description *is, double value)
{
    if (is->count == 0)
        is->min = is->max = value;
    is->min = value < is->min ? value : is->min;
    is->max = value > is->max ? value : is->max;
}

static void add_moments(struct ock_describer *describer, const double *values, size_t count)
{
    struct ock_description *is = &describer->is;
    double sum = describer->sum;
    for (size_t i = 0; i < count; i++) {
        double value = values[i] + 0.0; /* -0 and 0 are one value */
        if (!isfinite(value)) {
            is->missing++;
            continue;
        }
        widen(is, value);
        is->count++;
        sum += value;
        ock_select_add(&describer->select, value, 1);
    }
    describer->sum = sum;
}

static void add_squares(struct ock_describer *describer, const double *values, size_t count)
{
    struct ock_description *is = &describer->is;
    double sum = describer->sum;
    for (size_t i = 0; i < count; i++) {
        double value = values[i] + 0.0;
        if (!isfinite(value))
            continue;
        double away = value - is->mean;
        sum += away * away;
        add_to_bin(is, describer->to_bins, value, 1);
        ock_select_add(&describer->select, value, 1);
    }
    describer->sum = sum;
}

void ock_describer_add(struct ock_describer *describer, const double *values, size_t count)
{
    if (describer->pass == 0) {
        add_moments(describer, values, count);
    } else if (describer->pass == 1) {
        add_squares(describer, values, count);
    } else {
        for (size_t i = 0; i < count; i++) {
            double value = values[i] + 0.0;
            if (isfinite(value))
                ock_select_add(&describer->select, value, 1);
        }
    }
}

void ock_describer_add_zeros(struct ock_describer *describer, uint32_t count)
{
    struct ock_description *is = &describer->is;
    if (count == 0)
        return;
    if (describer->pass == 0) {
        widen(is, 0);
        is->count += count;
    } else if (describer->pass == 1) {
        describer->sum += (double)count * (is->mean * is->mean);
        add_to_bin(is, describer->to_bins, 0, count);
    }
    ock_select_add(&describer->select, 0, count);
}

bool ock_describer_end_pass(struct ock_describer *describer)
{
    struct ock_description *is = &describer->is;
    if (is->count == 0)
        return false;
    if (describer->pass == 0) {
        is->mean = is->min == is->max ? is->min : describer->sum / (double)is->count;
        describer->to_bins = set_edges(is);
        want_quantiles(describer);
    } else if (describer->pass == 1) {
        is->std = sqrt(describer->sum / (double)is->count);
    }
    describer->sum = 0;
    describer->pass++;
    ock_select_end_pass(&describer->select);
    if (describer->pass < describer->select.key_bytes)
        return true;
    take_quantiles(describer);
    return false;
}

/* --- Bytes ------------------------------------------------------------------------------------- */

static double byte_of_rank(const uint32_t counts[256], size_t rank)
{
    size_t value = 0;
    while (rank >= counts[value])
        rank -= counts[value++];
    return (double)value;
}

void ock_describe_bytes(struct ock_description *out, const uint32_t counts[256])
{
    uint64_t sum = 0;
    double squares = 0;
    *out = (struct ock_description){.count = 0};
    for (size_t v = 0; v < 256; v++) {
        if (counts[v] == 0)
            continue;
        widen(out, (double)v);
        out->count += counts[v];
        sum += (uint64_t)counts[v] * v;
    }
    if (out->count == 0)
        return;
    out->mean = (double)sum / (double)out->count; /* exact but for the division */
    double to_bins = set_edges(out);
    for (size_t v = 0; v < 256; v++) {
        if (counts[v] == 0)
            continue;
        squares += (double)counts[v] * (((double)v - out->mean) * ((double)v - out->mean));
        add_to_bin(out, to_bins, (double)v, counts[v]);
    }
    out->std = sqrt(squares / (double)out->count);
    for (size_t i = 0; i < OCK_QUANTILES; i++)
        set_quantile(out, i, byte_of_rank(counts, rank_below(ock_quantiles[i], out->count)),
                     byte_of_rank(counts, rank_above(ock_quantiles[i], out->count)));
}
