/* The classes of a target: their numbers, names, and the label of every row. */
#ifndef OCK_DATA_CLASSES_H
#define OCK_DATA_CLASSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"
#include "core/data/dataset.h"

struct ock_classes {
    size_t count;
    const char *const *names; /* [count], sorted: by value if numeric, else by bytes */
    bool numeric;             /* every name is a number */
    double *values;           /* owned: [count] the numbers, if numeric */
    char *texts;              /* owned: names that the dataset does not hold */
    const char **made;        /* owned: pointers into texts */
};

/* Finds the classes of a column over the whole dataset, whose texts they borrow.
 * Errors: INVALID (no values), LIMIT (too many classes, or a name too long), NOMEM. */
enum ock_status ock_classes_init(struct ock_classes *classes, const struct ock_dataset *dataset,
                                 size_t column, struct ock_err *err);
void ock_classes_deinit(struct ock_classes *classes); /* all-zero: a no-op */

/* labels [rows]: the class number of every row of a dataset, its own or another's, by value.
 * what: "" or "validation dataset: ", for errors. Errors: INVALID (a missing or an unknown value,
 * with its row and name), CORRUPT, NOMEM. */
enum ock_status ock_classes_label(const struct ock_classes *classes,
                                  const struct ock_dataset *dataset, size_t column, int32_t *labels,
                                  const char *what, struct ock_err *err);

/* The class of that name, "1.0" for "1" if numeric; SIZE_MAX: none. */
size_t ock_classes_find(const struct ock_classes *classes, const char *name);

#endif
