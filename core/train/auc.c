/* Exact by sorting a column at a time, or by bins. Equal scores are summed in the rows' order, so the
 * digits are always the same. */
#include "core/train/auc.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* With fewer bins a column's number would mean nothing. */
enum { BINS_MIN = 64 };
static const uint32_t half_bits = 0x3f000000u; /* 0.5f */

struct place {
    float score;
    uint32_t row;
};

struct bin {
    double positive, negative;
};

struct ock_auc {
    size_t rows, columns, count; /* room, columns, rows added */
    /* exact: */
    float *scores;      /* [columns, rows] */
    int32_t *positive;  /* [rows] */
    float *weight;      /* [rows] */
    struct place *room; /* [rows] */
    /* else: */
    struct bin *bins; /* [columns, bin_count]; NULL: too many columns */
    unsigned shift;
    size_t bin_count;
};

static bool is_exact(size_t rows, size_t columns)
{
    return rows <= OCK_AUC_SCORES_MAX / columns;
}

/* A float's bits grow with it, so their front is a bin on a logarithmic scale; above 1/2 it is that
 * of 1 - x, mirrored. Bins of both halves for a shift of the bits. */
static size_t bins_of(unsigned shift)
{
    return 2 * ((size_t)(half_bits >> shift) + 1);
}

static unsigned shift_for(size_t columns)
{
    unsigned shift = 15; /* 64514 bins */
    while (shift < 31 && bins_of(shift) > OCK_AUC_BINS_MAX / columns)
        shift++;
    return shift;
}

size_t ock_auc_bytes(size_t rows, size_t columns)
{
    if (is_exact(rows, columns))
        return rows * (columns * sizeof(float) + sizeof(int32_t) + sizeof(float) +
                       2 * sizeof(struct place)); /* sorting takes as much again */
    return columns * bins_of(shift_for(columns)) * sizeof(struct bin);
}

static bool allocate_exact(struct ock_auc *auc)
{
    auc->scores = calloc(auc->rows * auc->columns + 1, sizeof(*auc->scores));
    auc->positive = calloc(auc->rows + 1, sizeof(*auc->positive));
    auc->weight = calloc(auc->rows + 1, sizeof(*auc->weight));
    auc->room = calloc(auc->rows + 1, sizeof(*auc->room));
    return auc->scores && auc->positive && auc->weight && auc->room;
}

static bool allocate_bins(struct ock_auc *auc)
{
    auc->shift = shift_for(auc->columns);
    auc->bin_count = bins_of(auc->shift);
    if (auc->bin_count < BINS_MIN)
        return true;
    auc->bins = calloc(auc->columns * auc->bin_count, sizeof(*auc->bins));
    return auc->bins != NULL;
}

enum ock_status ock_auc_new(struct ock_auc **out, size_t rows, size_t columns, struct ock_err *err)
{
    assert(columns > 0);
    struct ock_auc *auc = calloc(1, sizeof(*auc));
    bool done = false;
    if (auc) {
        auc->rows = rows;
        auc->columns = columns;
        done = is_exact(rows, columns) ? allocate_exact(auc) : allocate_bins(auc);
    }
    if (!done) {
        ock_auc_free(auc);
        return ock_fail(err, OCK_NOMEM, "no memory for the scores of %zu rows", rows);
    }
    *out = auc;
    return OCK_OK;
}

void ock_auc_free(struct ock_auc *auc)
{
    if (!auc)
        return;
    free(auc->scores);
    free(auc->positive);
    free(auc->weight);
    free(auc->room);
    free(auc->bins);
    free(auc);
}

bool ock_auc_is_approximate(const struct ock_auc *auc)
{
    return !auc->scores;
}

static size_t bin_of(const struct ock_auc *auc, float score)
{
    float small = score > 0.5f ? 1.0f - score : score;
    uint32_t bits;
    small = small > 0.0f ? small : 0.0f;
    memcpy(&bits, &small, sizeof(bits));
    size_t bin = bits >> auc->shift;
    return score > 0.5f ? auc->bin_count - 1 - bin : bin;
}

void ock_auc_add(struct ock_auc *auc, const float *scores, int32_t positive, float s)
{
    assert(auc->count < auc->rows);
    size_t row = auc->count++;
    if (auc->scores) {
        auc->positive[row] = positive;
        auc->weight[row] = s;
    }
    for (size_t k = 0; (auc->scores || auc->bins) && k < auc->columns; k++) {
        float score = isnan(scores[k]) ? 0.0f : scores[k];
        if (auc->scores) {
            auc->scores[k * auc->rows + row] = score;
        } else {
            struct bin *bin = &auc->bins[k * auc->bin_count + bin_of(auc, score)];
            *((int32_t)k == positive ? &bin->positive : &bin->negative) += (double)s;
        }
    }
}

static int by_score(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->score < y->score || x->score > y->score)
        return x->score < y->score ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* Bins in the order of their scores, one at a time. */
struct area {
    double positive, negative; /* so far */
    double pairs;
};

static void add_bin(struct area *area, const struct bin *bin)
{
    area->pairs += bin->positive * (area->negative + bin->negative / 2);
    area->positive += bin->positive;
    area->negative += bin->negative;
}

static void sort_column(struct ock_auc *auc, size_t column, struct area *area)
{
    for (size_t i = 0; i < auc->count; i++)
        auc->room[i] = (struct place){auc->scores[column * auc->rows + i], (uint32_t)i};
    qsort(auc->room, auc->count, sizeof(*auc->room), by_score);
    for (size_t i = 0; i < auc->count;) {
        struct bin ties = {0};
        float score = auc->room[i].score;
        for (; i < auc->count && !(auc->room[i].score > score); i++) {
            size_t row = auc->room[i].row;
            bool is_positive = auc->positive[row] == (int32_t)column;
            *(is_positive ? &ties.positive : &ties.negative) += (double)auc->weight[row];
        }
        add_bin(area, &ties);
    }
}

double ock_auc_of(struct ock_auc *auc, size_t column)
{
    struct area area = {0};
    if (auc->scores)
        sort_column(auc, column, &area);
    for (size_t i = 0; auc->bins && i < auc->bin_count; i++)
        add_bin(&area, &auc->bins[column * auc->bin_count + i]);
    if (!(area.positive > 0) || !(area.negative > 0))
        return NAN;
    return area.pairs / (area.positive * area.negative);
}
