/* Rows of an svmlight file, one after another: "label index:value … # comment". */
#ifndef OCK_DATA_SVMLIGHT_SCAN_H
#define OCK_DATA_SVMLIGHT_SCAN_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"
#include "core/data/reader.h"

/* One row; borrowed until the callback returns. Terms that are 0 are left out. */
struct ock_svmlight_row {
    size_t line; /* from 1 */
    double label;
    size_t count;
    const uint32_t *index; /* [count], rising, as in the file */
    const float *value;    /* [count], finite */
    /* Of all the row's terms, those that are 0 too; least is UINT32_MAX, most 0 without any. */
    uint32_t least, most;
};

typedef enum ock_status ock_svmlight_row_fn(void *ctx, const struct ock_svmlight_row *row,
                                            struct ock_err *err);

/* Calls on_row for every line that is not blank, from the reader's first byte on; its first error
 * ends the scan. Comments (#) and query ids (qid:7) are passed over; a byte order mark and CR before
 * LF are skipped. Errors: on_row's; INVALID with the line and column and what was expected; LIMIT (an
 * index, a line); the reader's; NOMEM. */
enum ock_status ock_svmlight_scan(struct ock_reader *reader, ock_svmlight_row_fn *on_row, void *ctx,
                                  struct ock_err *err);

#endif
