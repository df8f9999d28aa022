/* A JSON writer on a buffer: commas and escapes are its business, errors are the buffer's. */
#ifndef OCK_BASE_JSONW_H
#define OCK_BASE_JSONW_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"

struct ock_jsonw {
    struct ock_buf *out; /* borrowed */
    bool comma;          /* the next value or key needs one before it */
};

struct ock_jsonw ock_jsonw_make(struct ock_buf *out);

/* key is NULL inside an array (or for the document itself), a member's name inside an object. */
void ock_jsonw_object(struct ock_jsonw *w, const char *key); /* opens { */
void ock_jsonw_array(struct ock_jsonw *w, const char *key);  /* opens [ */
void ock_jsonw_end_object(struct ock_jsonw *w);
void ock_jsonw_end_array(struct ock_jsonw *w);
void ock_jsonw_string(struct ock_jsonw *w, const char *key, const char *text); /* NULL: null */
void ock_jsonw_double(struct ock_jsonw *w, const char *key, double value); /* not finite: null */
void ock_jsonw_int(struct ock_jsonw *w, const char *key, int64_t value);
void ock_jsonw_uint(struct ock_jsonw *w, const char *key, uint64_t value);
void ock_jsonw_bool(struct ock_jsonw *w, const char *key, bool value);
void ock_jsonw_null(struct ock_jsonw *w, const char *key);
void ock_jsonw_raw(struct ock_jsonw *w, const char *key,
                   const char *json); /* a JSON value as it is */

/* Appends text as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD. */
void ock_json_quote(struct ock_buf *out, const char *text);

/* The shortest decimal text that reads back as the same double ("0.1", "3e-05", "310"); value must
 * be finite. Independent of the locale. */
enum { OCK_NUMBER_TEXT_SIZE = 32 };
void ock_number_text(char text[OCK_NUMBER_TEXT_SIZE], double value);

#endif
