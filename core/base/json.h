/* Strict JSON over cJSON.
 *
 * cJSON alone takes 1e999, 01, trailing garbage, duplicate and wrong-case keys, and writes a global
 * on every parse. So a scan for RFC 8259 comes first (grammar, UTF-8, depth, size, no \u0000 and
 * no lone surrogates), then cJSON under a mutex, then a walk that finds duplicate keys and numbers
 * that are not finite. */
#ifndef OCK_BASE_JSON_H
#define OCK_BASE_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "core/base/faults.h"
#include "core/base/status.h"

/* Parses one document of `size` bytes; *out is owned by the caller (cJSON_Delete).
 * Not JSON (or over a limit): returns INVALID or LIMIT and err has line and column
 * ("line 3, column 7: expected ',' or '}'"); an HTTP server answers 400 (413 for the size).
 * JSON with duplicate keys or numbers that are not finite: returns OCK_OK with the document, the
 * faults added (duplicate_key, not_finite): an HTTP server answers 422 with them and all others.
 * Errors: INVALID, LIMIT, NOMEM. Thread-safe. */
enum ock_status ock_json_parse(cJSON **out, const char *text, size_t size,
                               struct ock_faults *faults, struct ock_err *err);

/* The member named exactly so, NULL if there is none or object is NULL or no object. */
const cJSON *ock_json_get(const cJSON *object, const char *key);

/* The number is a whole one and |value| < 2^53, so that no rounding can have happened. */
bool ock_json_whole(const cJSON *number);

/* Prints without white space, owned by the caller (free); NULL if out of memory. Thread-safe.
 * Numbers read back as the same doubles. */
char *ock_json_print(const cJSON *value);

/* Appends "/key" with RFC 6901's escapes to a pointer text, cut to fit. */
void ock_json_pointer_add(char *pointer, size_t size, const char *key);

/* The nearest of `count` words by edit distance (with swaps), NULL if none is near enough
 * (distance <= 1 + length/4). Borrowed from words. */
const char *ock_nearest_word(const char *word, const char *const *words, size_t count);

#endif
