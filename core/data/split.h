/* Which rows train, which validate, which test. */
#ifndef OCK_DATA_SPLIT_H
#define OCK_DATA_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"
#include "core/train/spec.h"

enum ock_part_name { OCK_PART_TRAIN = 0, OCK_PART_VALIDATION, OCK_PART_TEST, OCK_PARTS };

struct ock_split {
    size_t rows;             /* >= 1 */
    const int32_t *labels;   /* [rows] each in 0..classes-1; NULL: all rows are of one class */
    size_t classes;          /* >= 1 */
    double validation, test; /* fractions in [0, 1) */
    uint64_t seed;
};

/* The split that a spec asks for; a part that is a dataset of its own takes no rows. */
struct ock_split ock_split_of(const struct ock_data_spec *spec, size_t rows, const int32_t *labels,
                              size_t classes, bool validation_given, bool test_given);

/* Rows of each part. With n rows, n_c of them in class c, and a fraction f: the part gets
 * round-half-up(f n) rows, of each class floor(f n_c), the remainder one each by the largest
 * fractional part of f n_c, then by class. Classes of one row stay in training, and so does at
 * least one row of all. Errors: NOMEM. */
enum ock_status ock_split_counts(const struct ock_split *split, size_t counts[OCK_PARTS],
                                 struct ock_err *err);

/* part [rows]: each row's. The rows of a class are sorted by the random number of (seed, row), ties
 * by row; the first go to validation, the next to test. Errors: NOMEM. */
enum ock_status ock_split_make(const struct ock_split *split, unsigned char *part,
                               size_t counts[OCK_PARTS], struct ock_err *err);

/* order [rows]: all rows in the order of their keys, which split and folds deal from. Errors: NOMEM. */
enum ock_status ock_split_order(const struct ock_split *split, uint32_t *order,
                                struct ock_err *err);

#endif
