/* Rows of a CSV, one after another, with the line that each begins in. */
#ifndef OCK_DATA_CSV_SCAN_H
#define OCK_DATA_CSV_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"
#include "core/data/reader.h"

struct ock_csv_field {
    char *text; /* NUL-terminated; OCK_FIELD_PADDING bytes from here on can be read */
    uint32_t size;
    bool doubled; /* while it is scanned: has quotes that stand for one */
};

/* One row. Everything is borrowed until the callback returns. */
struct ock_csv_row {
    size_t line; /* that it begins in, from 1 */
    size_t count;
    const struct ock_csv_field *fields; /* [count] */
};

static inline const char *ock_csv_field(const struct ock_csv_row *row, size_t i, size_t *size)
{
    *size = row->fields[i].size;
    return row->fields[i].text;
}

typedef enum ock_status ock_csv_rows_fn(void *ctx, const struct ock_csv_row *rows, size_t count,
                                        struct ock_err *err);

/* Calls on_rows for all rows that are not blank, some at a time (count > 0), from the reader's first byte on; its first error
 * ends the scan. RFC 4180 quoting; lines end by LF, CRLF or CR; a byte order mark is skipped; spaces
 * and tabs around a field are not part of it unless they delimit. A quote within a field that does not
 * begin with one is an ordinary character. Between tabs, where quoting is no rule, so is a quote
 * whose field does not end with another in the same line.
 * Errors: on_rows'; INVALID with the line and column: NUL bytes, UTF-16, text behind a closing quote,
 * a quote without its end, a field beyond OCK_CSV_FIELD_BYTES_MAX; LIMIT (a row); the reader's;
 * NOMEM. */
enum ock_status ock_csv_scan(struct ock_reader *reader, char delimiter, ock_csv_rows_fn *on_rows,
                             void *ctx, struct ock_err *err);

/* The delimiter among , ; tab and | that cuts the first lines most evenly; ',' if none does.
 * Errors: the reader's. */
enum ock_status ock_csv_delimiter(struct ock_reader *reader, char *delimiter, struct ock_err *err);

#endif
