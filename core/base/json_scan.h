/* The strict scan that stands before cJSON: RFC 8259's grammar, nothing else. */
#ifndef OCK_BASE_JSON_SCAN_H
#define OCK_BASE_JSON_SCAN_H

#include <stddef.h>

#include "core/base/status.h"

/* cJSON copies a number into 64 bytes and drops what does not fit. */
enum { OCK_JSON_NUMBER_BYTES_MAX = 60 };

/* Checks that the bytes are one JSON document in UTF-8, without \u0000, lone surrogates or a byte
 * order mark, within the limits on size, depth and values.
 *   long_numbers  how many numbers are longer than OCK_JSON_NUMBER_BYTES_MAX
 * Errors: INVALID with line and column, LIMIT. Pure; allocates nothing. */
enum ock_status ock_json_scan(const char *text, size_t size, size_t *long_numbers,
                              struct ock_err *err);

/* Length of the number, as the grammar has it, that begins at text[0]; 0 if there is none. On 0,
 * *stopped is how many bytes could still begin one. */
size_t ock_json_number_length(const char *text, size_t size, size_t *stopped);

#endif
