/* Dealing rows to folds. */
#include "core/data/folds.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The rows of class 0 in key order, then those of class 1, …: a counting sort that keeps the order. */
static enum ock_status sort_by_class(const struct ock_folds *folds, uint32_t *order,
                                     struct ock_err *err)
{
    size_t rows = folds->split.rows;
    size_t *begins = calloc(folds->classes + 1, sizeof(*begins));
    uint32_t *sorted = malloc(rows * sizeof(*sorted));
    if (!begins || !sorted) {
        free(begins);
        free(sorted);
        return ock_fail(err, OCK_NOMEM, "out of memory for the folds");
    }
    for (size_t row = 0; row < rows; row++)
        begins[folds->labels[row] + 1]++;
    for (size_t c = 0; c < folds->classes; c++)
        begins[c + 1] += begins[c];
    for (size_t i = 0; i < rows; i++)
        sorted[begins[folds->labels[order[i]]]++] = order[i];
    memcpy(order, sorted, rows * sizeof(*sorted));
    free(begins);
    free(sorted);
    return OCK_OK;
}

static enum ock_status deal_by_key(const struct ock_folds *folds, unsigned char *fold,
                                   struct ock_err *err)
{
    size_t rows = folds->split.rows;
    uint32_t *order = malloc(rows * sizeof(*order));
    if (!order)
        return ock_fail(err, OCK_NOMEM, "out of memory for the folds");
    enum ock_status status = ock_split_order(&folds->split, order, err);
    if (status == OCK_OK && folds->assignment == OCK_FOLDS_STRATIFIED)
        status = sort_by_class(folds, order, err);
    size_t next = 0;
    for (size_t i = 0; i < rows && status == OCK_OK; i++) {
        if (fold[order[i]] != OCK_FOLD_NONE)
            fold[order[i]] = (unsigned char)(next++ % folds->count);
    }
    free(order);
    return status;
}

static void deal_by_row(const struct ock_folds *folds, unsigned char *fold)
{
    for (size_t row = 0; row < folds->split.rows; row++) {
        if (fold[row] != OCK_FOLD_NONE)
            fold[row] = (unsigned char)(row % folds->count);
    }
}

static enum ock_status leave_out_test(const struct ock_folds *folds, unsigned char *fold,
                                      struct ock_err *err)
{
    size_t counts[OCK_PARTS];
    enum ock_status status = ock_split_make(&folds->split, fold, counts, err);
    for (size_t row = 0; row < folds->split.rows && status == OCK_OK; row++)
        fold[row] = fold[row] == OCK_PART_TEST ? OCK_FOLD_NONE : 0;
    return status;
}

static enum ock_status check(const struct ock_folds *folds, const unsigned char *fold,
                             struct ock_err *err)
{
    size_t counts[OCK_FOLD_NONE + 1] = {0};
    for (size_t row = 0; row < folds->split.rows; row++)
        counts[fold[row]]++;
    for (uint32_t f = 0; f < folds->count; f++) {
        if (counts[f] == 0)
            return ock_fail(err, OCK_INVALID, "fold %u of %u has no row: take fewer folds", f + 1,
                            folds->count);
    }
    return OCK_OK;
}

struct ock_folds ock_folds_of(const struct ock_spec *spec, size_t rows, const int32_t *labels,
                              size_t classes, bool test_given)
{
    struct ock_folds folds = {
        .split = ock_split_of(&spec->data, rows, labels, classes, true, test_given),
        .labels = labels,
        .classes = classes,
        .count = spec->tune.folds,
        .assignment = spec->tune.fold_assignment,
    };
    return folds;
}

enum ock_status ock_folds_make(const struct ock_folds *folds, unsigned char *fold,
                               struct ock_err *err)
{
    assert(folds->count > 0 && folds->count <= OCK_FOLDS_MAX);
    assert(folds->labels || folds->assignment != OCK_FOLDS_STRATIFIED);
    enum ock_status status = leave_out_test(folds, fold, err);
    if (status != OCK_OK)
        return status;
    if (folds->assignment == OCK_FOLDS_MODULO)
        deal_by_row(folds, fold);
    else
        status = deal_by_key(folds, fold, err);
    return status == OCK_OK ? check(folds, fold, err) : status;
}
