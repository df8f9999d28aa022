/* Which part a row of the training dataset is in, for a job, a search's fold, or its refit. */
#ifndef OCK_DATA_CUT_H
#define OCK_DATA_CUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"
#include "core/train/spec.h"

struct ock_cut_rows {
    size_t rows;
    const int32_t *labels; /* [rows]; NULL: a number target */
    size_t classes;
    bool validation_given, test_given; /* as datasets of their own */
};

/* part [rows]: of enum ock_part_name, or OCK_PARTS for rows that are in none. cut: a fold's number or
 * of OCK_CUT_… (data.h). In a fold the rows of the test part are in none: they are measured once, when
 * all is chosen. Errors: INVALID (a fold without a row), NOMEM. */
enum ock_status ock_cut_make(const struct ock_spec *spec, const struct ock_cut_rows *of, int cut,
                             unsigned char *part, struct ock_err *err);

#endif
