/* The split is arithmetic on class counts first (quotas), then a walk over the rows in the order of
 * their random keys. */
#include "core/data/split.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "core/base/random.h"

enum { INSERTION_MAX = 32, BUCKET_BITS_MAX = 20 };

struct quota {
    size_t rows;  /* of the class */
    size_t taken; /* by earlier parts */
    size_t part[OCK_PARTS];
};

/* What floor took away from a class's share. */
struct rest {
    double fraction;
    size_t number; /* of the class */
};

static int by_fraction(const void *a, const void *b)
{
    const struct rest *x = a;
    const struct rest *y = b;
    if (x->fraction != y->fraction)
        return x->fraction > y->fraction ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

/* Gives `total` rows to the part: whole shares first, then the remainder. rests [classes] is room
 * for sorting. Returns what could be given. */
static size_t give(struct quota *quotas, struct rest *rests, size_t classes,
                   enum ock_part_name part, double fraction, size_t total)
{
    size_t given = 0;
    for (size_t c = 0; c < classes; c++) {
        double share = fraction * (double)quotas[c].rows;
        size_t free_rows = quotas[c].rows - quotas[c].taken;
        size_t whole = quotas[c].rows > 1 ? (size_t)share : 0;
        whole = whole < free_rows ? whole : free_rows;
        whole = whole < total - given ? whole : total - given;
        quotas[c].part[part] = whole;
        given += whole;
        rests[c] = (struct rest){share - floor(share), c};
    }
    qsort(rests, classes, sizeof(*rests), by_fraction);
    for (size_t i = 0; i < classes && given < total; i++) {
        struct quota *quota = &quotas[rests[i].number];
        if (quota->rows > 1 && quota->taken + quota->part[part] < quota->rows) {
            quota->part[part]++;
            given++;
        }
    }
    for (size_t c = 0; c < classes; c++)
        quotas[c].taken += quotas[c].part[part];
    return given;
}

/* The quotas of all classes: owned by the caller (free). Errors: NOMEM. */
static enum ock_status make_quotas(const struct ock_split *split, struct quota **out,
                                   size_t counts[OCK_PARTS], struct ock_err *err)
{
    assert(split->rows >= 1);
    size_t classes = split->labels ? split->classes : 1;
    struct quota *quotas = calloc(classes, sizeof(*quotas));
    struct rest *rests = calloc(classes, sizeof(*rests));
    if (!quotas || !rests) {
        free(quotas);
        free(rests);
        return ock_fail(err, OCK_NOMEM, "out of memory for the split");
    }
    if (!split->labels)
        quotas[0].rows = split->rows;
    for (size_t row = 0; split->labels && row < split->rows; row++)
        quotas[split->labels[row]].rows++;

    double fractions[OCK_PARTS] = {0, split->validation, split->test};
    size_t left = split->rows;
    for (enum ock_part_name p = OCK_PART_VALIDATION; p <= OCK_PART_TEST; p++) {
        size_t total = (size_t)floor(fractions[p] * (double)split->rows + 0.5);
        total = total < left - 1 ? total : left - 1;
        counts[p] = total ? give(quotas, rests, classes, p, fractions[p], total) : 0;
        left -= counts[p];
    }
    counts[OCK_PART_TRAIN] = left;
    free(rests);
    *out = quotas;
    return OCK_OK;
}

enum ock_status ock_split_counts(const struct ock_split *split, size_t counts[OCK_PARTS],
                                 struct ock_err *err)
{
    struct quota *quotas = NULL;
    enum ock_status status = make_quotas(split, &quotas, counts, err);
    free(quotas);
    return status;
}

/* Twelve bytes a row; with one 64-bit number it would be sixteen. */
struct keyed {
    uint32_t high, low; /* of the key */
    uint32_t row;
};

static int by_key(const void *a, const void *b)
{
    const struct keyed *x = a;
    const struct keyed *y = b;
    if (x->high != y->high)
        return x->high < y->high ? -1 : 1;
    if (x->low != y->low)
        return x->low < y->low ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* Sorts a few in place. */
static void sort_few(struct keyed *keyed, size_t count)
{
    if (count > INSERTION_MAX) {
        qsort(keyed, count, sizeof(*keyed), by_key);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        struct keyed moved = keyed[i];
        size_t place = i;
        for (; place > 0 && by_key(&keyed[place - 1], &moved) > 0; place--)
            keyed[place] = keyed[place - 1];
        keyed[place] = moved;
    }
}

/* The rows by key. Random keys fall evenly into buckets by their first bits, so each bucket holds a
 * few rows and the whole takes time in proportion to them. *out is the caller's (free). */
static enum ock_status sort_rows(struct ock_stream stream, size_t rows, struct keyed **out,
                                 struct ock_err *err)
{
    assert(rows > 0);
    unsigned bits = 1;
    while (bits < BUCKET_BITS_MAX && rows >> (bits + 2) > 0)
        bits++;
    size_t *begins = calloc(((size_t)1 << bits) + 1, sizeof(*begins));
    struct keyed *keyed = calloc(rows, sizeof(*keyed));
    if (!begins || !keyed) {
        free(begins);
        free(keyed);
        return ock_fail(err, OCK_NOMEM, "out of memory for the split of %zu rows", rows);
    }
    for (size_t row = 0; row < rows; row++)
        begins[(ock_random_u64(stream, row) >> (64 - bits)) + 1]++;
    for (size_t b = 0; b < (size_t)1 << bits; b++)
        begins[b + 1] += begins[b];
    /* Each begin moves up to its bucket's end, which is the next one's begin. */
    for (size_t row = 0; row < rows; row++) {
        uint64_t key = ock_random_u64(stream, row);
        keyed[begins[key >> (64 - bits)]++] =
            (struct keyed){(uint32_t)(key >> 32), (uint32_t)key, (uint32_t)row};
    }
    for (size_t b = 0, begin = 0; b < (size_t)1 << bits; begin = begins[b++])
        sort_few(keyed + begin, begins[b] - begin);
    free(begins);
    *out = keyed;
    return OCK_OK;
}

enum ock_status ock_split_order(const struct ock_split *split, uint32_t *order, struct ock_err *err)
{
    struct keyed *keyed = NULL;
    enum ock_status status =
        sort_rows(ock_stream_make(split->seed, OCK_RANDOM_SPLIT, 0, 0), split->rows, &keyed, err);
    for (size_t i = 0; i < split->rows && status == OCK_OK; i++)
        order[i] = keyed[i].row;
    free(keyed);
    return status;
}

static enum ock_part_name next_part(struct quota *quota)
{
    for (enum ock_part_name p = OCK_PART_VALIDATION; p <= OCK_PART_TEST; p++) {
        if (quota->part[p] > 0) {
            quota->part[p]--;
            return p;
        }
    }
    return OCK_PART_TRAIN;
}

enum ock_status ock_split_make(const struct ock_split *split, unsigned char *part,
                               size_t counts[OCK_PARTS], struct ock_err *err)
{
    struct quota *quotas = NULL;
    struct keyed *keyed = NULL;
    enum ock_status status = make_quotas(split, &quotas, counts, err);
    if (status != OCK_OK)
        return status;
    assert(quotas);
    for (size_t row = 0; row < split->rows; row++)
        part[row] = OCK_PART_TRAIN;
    if (counts[OCK_PART_TRAIN] == split->rows)
        goto done;

    status =
        sort_rows(ock_stream_make(split->seed, OCK_RANDOM_SPLIT, 0, 0), split->rows, &keyed, err);
    if (status != OCK_OK)
        goto done;
    assert(keyed);
    for (size_t i = 0; i < split->rows; i++) {
        size_t row = keyed[i].row;
        struct quota *quota = &quotas[split->labels ? (size_t)split->labels[row] : 0];
        part[row] = (unsigned char)next_part(quota);
    }
done:
    free(keyed);
    free(quotas);
    return status;
}

struct ock_split ock_split_of(const struct ock_data_spec *spec, size_t rows, const int32_t *labels,
                              size_t classes, bool validation_given, bool test_given)
{
    return (struct ock_split){
        .rows = rows,
        .labels = spec->stratify ? labels : NULL,
        .classes = classes,
        .validation = validation_given ? 0 : spec->validation.fraction,
        .test = test_given ? 0 : spec->test.fraction,
        .seed = spec->split_seed,
    };
}
