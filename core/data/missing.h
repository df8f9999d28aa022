/* Which fields of a table stand for a value that is not there. */
#ifndef OCK_DATA_MISSING_H
#define OCK_DATA_MISSING_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/limits.h"
#include "core/base/status.h"

struct ock_missing {
    char text[OCK_MISSING_BYTES_MAX]; /* the words, each with a NUL */
    size_t count;
    size_t begins[OCK_MISSING_WORDS_MAX + 1];
    bool numbers; /* some word could be read as a number, such as -999 */
};

/* words: between commas; "": none. An empty field is missing in any case. Errors: INVALID (too many, too long, not UTF-8). */
enum ock_status ock_missing_parse(struct ock_missing *missing, const char *words,
                                  struct ock_err *err);

/* text [size] is one of the words, letters in any case. */
bool ock_missing_has(const struct ock_missing *missing, const char *text, size_t size);

#endif
