/* One field of a table: a number, nothing, infinity, or text. */
#ifndef OCK_DATA_FIELD_H
#define OCK_DATA_FIELD_H

#include <stdbool.h>
#include <stddef.h>

enum ock_field {
    OCK_FIELD_NUMBER,
    OCK_FIELD_MISSING,  /* empty, ?, NA, N/A, NaN, null (letters in any case) */
    OCK_FIELD_INFINITE, /* inf, infinity with or without a sign, or beyond the largest double */
    OCK_FIELD_TEXT,
};

/* Reads text [size], NUL-terminated. A number is [+-] digits [. digits] [e [+-] digits] with a
 * digit before or after the point; *value is the nearest double, whatever the locale. */
enum ock_field ock_field_read(const char *text, size_t size, double *value);

/* All bytes are UTF-8. */
bool ock_text_is_utf8(const char *text, size_t size);

#endif
