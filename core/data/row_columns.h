/* The columns that a model was trained on, for a table of rows that it is to predict. */
#ifndef OCK_DATA_ROW_COLUMNS_H
#define OCK_DATA_ROW_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/status.h"

struct ock_row_column {
    const char *name;
    bool category; /* its values are texts, whatever they look like; else numbers */
    bool float32;  /* numbers that training had as float32: rounded to it, for the same bits */
    size_t place;  /* among all of the model's columns, ascending */
};

/* Borrowed, immutable. A pruned model does not read all of its columns: those that it reads are the
 * items, the others may be there or not. */
struct ock_row_columns {
    size_t count;
    const struct ock_row_column *items; /* [count] */
    size_t total;                       /* of the model, those that it does not read too */
    const char *const *unread;          /* [total - count] their names, sorted by bytes */
};

/* places [count]: where each of the columns that the model reads stands in a table of `name_count`
 * columns. They are found by their names; a table that has none of its own (c0, c1, … or x0, x1, …
 * in order) and as many columns as the model, those that it does not read too, is taken in the
 * model's order.
 * Errors: INVALID (a column is not there: which, and the nearest name), NOMEM. */
enum ock_status ock_row_columns_find(const struct ock_row_columns *columns,
                                     const char *const *names, size_t name_count, size_t *places,
                                     struct ock_err *err);

/* Is text the name of a column that the model does not read? */
bool ock_row_columns_is_unread(const struct ock_row_columns *columns, const char *text);

#endif
