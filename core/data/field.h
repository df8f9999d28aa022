/* One field of a table: a number, nothing, infinity, or text. */
#ifndef OCK_DATA_FIELD_H
#define OCK_DATA_FIELD_H

#include <stdbool.h>
#include <stddef.h>

struct ock_missing;

enum ock_field {
    OCK_FIELD_NUMBER,
    OCK_FIELD_MISSING,  /* empty, or a word for it (letters in any case) */
    OCK_FIELD_INFINITE, /* inf, infinity with or without a sign, or beyond the largest double */
    OCK_FIELD_TEXT,
};

/* Reads text [size], NUL-terminated. A number is [+-] digits [. digits] [e [+-] digits] with a
 * digit before or after the point; *value is the nearest double, whatever the locale. Missing
 * are ?, NA, N/A, NaN and null. */
enum ock_field ock_field_read(const char *text, size_t size, double *value);

/* The same with these words for missing values in place of the usual ones; they come before numbers,
 * so that -999 can be one. */
enum ock_field ock_field_read_as(const struct ock_missing *missing, const char *text, size_t size,
                                 double *value);

/* The same, sooner for long numbers; OCK_FIELD_PADDING bytes from text on can be read, whatever they
 * hold behind its NUL. */
enum { OCK_FIELD_PADDING = 32 };
enum ock_field ock_field_read_padded(const struct ock_missing *missing, const char *text,
                                     size_t size, double *value);

/* Whether read_as says OCK_FIELD_MISSING of it, sooner. */
bool ock_field_is_missing(const struct ock_missing *missing, const char *text, size_t size);

/* All bytes are UTF-8. */
bool ock_text_is_utf8(const char *text, size_t size);

#endif
