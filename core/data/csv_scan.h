/* Rows of a CSV, one after another, with the line that each begins in. */
#ifndef OCK_DATA_CSV_SCAN_H
#define OCK_DATA_CSV_SCAN_H

#include <stddef.h>

#include "core/base/status.h"
#include "core/data/reader.h"

/* One row: field i is the NUL-terminated text from begins[i], begins[i + 1] - begins[i] - 1 bytes
 * long. Borrowed until the callback returns. */
struct ock_csv_row {
    size_t line; /* from 1 */
    size_t count;
    const char *texts;
    const size_t *begins; /* [count + 1] */
};

static inline const char *ock_csv_field(const struct ock_csv_row *row, size_t i, size_t *size)
{
    *size = row->begins[i + 1] - row->begins[i] - 1;
    return row->texts + row->begins[i];
}

typedef enum ock_status ock_csv_row_fn(void *ctx, const struct ock_csv_row *row,
                                       struct ock_err *err);

/* Calls on_row for every row that is not blank, from the reader's first byte on; its first error
 * ends the scan. RFC 4180 quoting, LF or CRLF, a byte order mark is skipped, spaces around fields
 * that are not quoted are not theirs.
 * Errors: on_row's; INVALID with the line and column: NUL bytes, UTF-16, stray or open quotes, a
 * field beyond OCK_CSV_FIELD_BYTES_MAX; LIMIT (a row); the reader's; NOMEM. */
enum ock_status ock_csv_scan(struct ock_reader *reader, char delimiter, ock_csv_row_fn *on_row,
                             void *ctx, struct ock_err *err);

/* The delimiter among , ; tab and | that cuts the first lines most evenly; ',' if none does.
 * Errors: the reader's. */
enum ock_status ock_csv_delimiter(struct ock_reader *reader, char *delimiter, struct ock_err *err);

#endif
