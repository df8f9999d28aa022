/* The types that a user gives to columns, over what their fields look like. */
#ifndef OCK_DATA_COLUMN_TYPES_H
#define OCK_DATA_COLUMN_TYPES_H

#include <stddef.h>

#include "core/base/status.h"

enum ock_told_kind { OCK_TOLD_NOTHING, OCK_TOLD_NUMBER, OCK_TOLD_CATEGORY, OCK_TOLD_BOOLEAN };

struct ock_told_type {
    char *column; /* owned: a name, else a place, as ock_find_target takes it */
    enum ock_told_kind type;
};

struct ock_column_types {
    struct ock_told_type *items; /* owned, [count] */
    size_t count;
};

/* text: "zip:category,age:number", where the last colon of a part ends the name; or, for names with
 * commas, a JSON object, {"last, first": "category"}. NULL and "": none.
 * Errors: INVALID (not of this form; a type that is not one of number, category and boolean; a
 * column twice), LIMIT, NOMEM. On error types is empty. */
enum ock_status ock_column_types_parse(struct ock_column_types *types, const char *text,
                                       struct ock_err *err);
void ock_column_types_deinit(struct ock_column_types *types); /* all-zero: a no-op */

#endif
