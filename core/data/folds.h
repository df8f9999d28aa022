/* Which fold a row is in: k-fold cross-validation. */
#ifndef OCK_DATA_FOLDS_H
#define OCK_DATA_FOLDS_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/limits.h"
#include "core/base/status.h"
#include "core/data/split.h"
#include "core/train/spec.h"

enum { OCK_FOLD_NONE = 255 };
static_assert(OCK_FOLDS_MAX < OCK_FOLD_NONE, "a fold's number is a byte");

/* What is dealt. */
struct ock_folds {
    struct ock_split
        split;             /* its test part is in no fold; a validation fraction is not taken off */
    const int32_t *labels; /* [rows]; for stratified folds, else NULL */
    size_t classes;
    uint32_t count; /* 1..OCK_FOLDS_MAX */
    enum ock_fold_assignment assignment;
};

/* The folds of a resolved spec with tune.folds > 0. labels as for ock_split_of. */
struct ock_folds ock_folds_of(const struct ock_spec *spec, size_t rows, const int32_t *labels,
                              size_t classes, bool test_given);

/* fold [rows]: 0..count-1, or NONE for the rows of the test part.
 *
 *   stratified  the rows of each class, in the order of their split keys, are dealt to the folds one
 *               by one, the next class going on where the last one ended
 *   random      the same with all rows as one class
 *   modulo      row i in fold i mod count
 *
 * Errors: INVALID (a fold has no row), NOMEM. */
enum ock_status ock_folds_make(const struct ock_folds *folds, unsigned char *fold,
                               struct ock_err *err);

#endif
