/* A spec's names as columns of a dataset. */
#ifndef OCK_DATA_SELECTION_H
#define OCK_DATA_SELECTION_H

#include <stddef.h>

#include "core/base/status.h"
#include "core/data/dataset.h"
#include "core/train/spec.h"

struct ock_selection {
    size_t count;     /* feature columns */
    size_t *features; /* owned, [count]; SIZE_MAX: sparse data that never name it */
    size_t target;
    size_t weights; /* SIZE_MAX: none */
};

/* Finds target, weights and features. what: "" or "validation dataset: ", for errors. Errors:
 * INVALID, naming the column; NOMEM. */
enum ock_status ock_selection_init(struct ock_selection *columns, const struct ock_data_spec *spec,
                                   const struct ock_dataset *dataset, const char *what,
                                   struct ock_err *err);
void ock_selection_deinit(struct ock_selection *columns); /* all-zero: a no-op */

/* A column's index by name, SIZE_MAX if there is none; `hint` is looked at first, because names
 * mostly come in the file's order. */
size_t ock_column_near(const struct ock_schema *schema, const char *name, size_t hint);

#endif
