/* Rows of a CSV, one after another, with the line that each begins in. */
#ifndef OCK_DATA_CSV_SCAN_H
#define OCK_DATA_CSV_SCAN_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"
#include "core/data/reader.h"

enum {
    OCK_CSV_BUFFER_BYTES = 1 << 20, /* that are looked at as one, unless a row is longer, */
    OCK_CSV_ROWS_MAX = 1 << 14      /* or until there are so many rows */
};

struct ock_csv_field {
    uint32_t at, size; /* in the rows' bytes */
};

struct ock_csv_row {
    size_t line; /* that it begins in, from 1 */
    uint32_t first, count;
};

/* Some rows. Everything is borrowed. */
struct ock_csv_rows {
    const struct ock_csv_row *items; /* [count] */
    size_t count;
    const struct ock_csv_field *fields; /* row r has items[r].count from items[r].first on */
    const char *bytes;
};

/* A field's text, NUL-terminated; OCK_FIELD_PADDING bytes from it on can be read. */
static inline const char *ock_csv_field(const struct ock_csv_rows *rows, size_t r, size_t c,
                                        size_t *size)
{
    const struct ock_csv_field *field = &rows->fields[rows->items[r].first + c];
    *size = field->size;
    return rows->bytes + field->at;
}

struct ock_csv_scanner; /* opaque; one thread at a time */

/* The reader is borrowed and read from its first byte on. The fields of very long rows lie in files
 * beside path (borrowed; NULL: in memory). Errors: NOMEM. */
enum ock_status ock_csv_scanner_new(struct ock_csv_scanner **out, struct ock_reader *reader,
                                    char delimiter, const char *path, struct ock_err *err);
void ock_csv_scanner_free(struct ock_csv_scanner *scanner); /* NULL is a no-op */

/* The next rows that are not blank; none (count 0) at the end. They stay until the next call but one,
 * so that some can be worked on while others are looked for. RFC 4180 quoting; lines end by LF, CRLF or CR; a byte order mark is skipped; spaces
 * and tabs around a field are not part of it unless they delimit. A quote within a field that does not
 * begin with one is an ordinary character. Between tabs, where quoting is no rule, so is a quote
 * whose field does not end with another in the same line.
 * Errors, once all rows before the fault were given: INVALID with the line and column: NUL bytes, UTF-16, text behind a closing quote,
 * a quote without its end, a field beyond OCK_CSV_FIELD_BYTES_MAX; LIMIT (a row); the reader's;
 * NOMEM. */
enum ock_status ock_csv_scanner_next(struct ock_csv_scanner *scanner, struct ock_csv_rows *rows,
                                     struct ock_err *err);

/* The delimiter among , ; tab and | that cuts the first lines most evenly; ',' if none does.
 * Errors: the reader's. */
enum ock_status ock_csv_delimiter(struct ock_reader *reader, char *delimiter, struct ock_err *err);

#endif
