/* libcsv's strict parser, fed a line at a time so that every fault has its place. */
#include "core/data/csv_scan.h"

#include <csv.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/limits.h"

enum { PIECE_BYTES = 1 << 16, SNIFFED_LINES = 20 };
#define ROW_BYTES_MAX (256 * OCK_MIB)

struct scan {
    ock_csv_row_fn *on_row;
    void *ctx;
    struct csv_parser parser;
    struct ock_buf texts; /* the row's fields, each with a NUL */
    size_t *begins;       /* owned, [capacity] */
    size_t capacity;
    size_t count;    /* fields of the row so far */
    size_t line;     /* that is being parsed */
    size_t row_line; /* that the row began in */
    enum ock_status status;
    struct ock_err *err;
};

static void too_long(struct scan *scan)
{
    scan->status = ock_fail(scan->err, OCK_INVALID,
                            "line %zu, field %zu: is longer than %zu bytes, the limit; "
                            "does a quote lack its end?",
                            scan->row_line, scan->count + 1, OCK_CSV_FIELD_BYTES_MAX);
}

static void on_field(void *field, size_t size, void *ctx)
{
    struct scan *scan = ctx;
    if (scan->status != OCK_OK)
        return;
    if (size > OCK_CSV_FIELD_BYTES_MAX) {
        too_long(scan);
        return;
    }
    if (scan->count == OCK_COLUMNS_MAX) {
        scan->status = ock_fail(scan->err, OCK_LIMIT, "line %zu: has more than %zu columns",
                                scan->row_line, OCK_COLUMNS_MAX);
        return;
    }
    if (scan->count + 2 > scan->capacity) {
        size_t capacity = scan->capacity ? 2 * scan->capacity : 64;
        size_t *begins = realloc(scan->begins, capacity * sizeof(*begins));
        if (!begins) {
            scan->status = ock_fail(scan->err, OCK_NOMEM, "out of memory for a row");
            return;
        }
        scan->begins = begins;
        scan->capacity = capacity;
    }
    scan->begins[scan->count++] = scan->texts.size;
    ock_buf_add(&scan->texts, field, size);
    ock_buf_putc(&scan->texts, '\0');
    scan->begins[scan->count] = scan->texts.size;
}

static void on_row_end(int terminator, void *ctx)
{
    struct scan *scan = ctx;
    (void)terminator;
    if (scan->status == OCK_OK)
        scan->status = ock_buf_status(&scan->texts, scan->err);
    if (scan->status != OCK_OK || scan->count == 0)
        return;
    struct ock_csv_row row = {scan->row_line, scan->count, scan->texts.data, scan->begins};
    scan->status = scan->on_row(scan->ctx, &row, scan->err);
    scan->count = 0;
    ock_buf_clear(&scan->texts);
}

/* Parses (a part of) one line. Returns false once something is wrong. */
static bool feed(struct scan *scan, const char *piece, size_t size)
{
    if (scan->parser.pstate == 0) /* between rows */
        scan->row_line = scan->line;
    size_t done = csv_parse(&scan->parser, piece, size, on_field, on_row_end, scan);
    if (scan->status != OCK_OK)
        return false;
    if (done == size && scan->parser.entry_pos <= OCK_CSV_FIELD_BYTES_MAX)
        return true;
    if (done == size)
        too_long(scan);
    else if (csv_error(&scan->parser) == CSV_ENOMEM)
        scan->status = ock_fail(scan->err, OCK_NOMEM, "out of memory for a field");
    else
        scan->status = ock_fail(scan->err, OCK_INVALID,
                                "line %zu, column %zu: a quote stands within a field; the whole "
                                "field must be quoted and inner quotes doubled (RFC 4180)",
                                scan->line, done + 1);
    return false;
}

/* Cuts what was read into lines. */
static void feed_lines(struct scan *scan, const char *bytes, size_t size)
{
    const char *nul = memchr(bytes, '\0', size);
    if (nul)
        size = (size_t)(nul - bytes);
    while (size > 0) {
        const char *end = memchr(bytes, '\n', size);
        size_t length = end ? (size_t)(end - bytes) + 1 : size;
        if (!feed(scan, bytes, length))
            return;
        scan->line += end != NULL;
        bytes += length;
        size -= length;
    }
    if (nul)
        scan->status =
            ock_fail(scan->err, OCK_INVALID,
                     "line %zu: has a NUL byte, so this is no text in UTF-8", scan->line);
}

static void finish(struct scan *scan)
{
    int failed = csv_fini(&scan->parser, on_field, on_row_end, scan);
    if (scan->status == OCK_OK && failed && csv_error(&scan->parser) == CSV_EPARSE)
        scan->status =
            ock_fail(scan->err, OCK_INVALID, "line %zu: a quote begins in this row and never ends",
                     scan->row_line);
    else if (scan->status == OCK_OK && failed)
        scan->status = ock_fail(scan->err, OCK_NOMEM, "out of memory for a field");
}

/* Bytes of a byte order mark at the start; UTF-16 is refused. */
static enum ock_status skip_mark(const char *bytes, size_t size, size_t *skip, struct ock_err *err)
{
    *skip = size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    if (size >= 2 && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0))
        return ock_fail(err, OCK_INVALID, "the file is UTF-16; save it as UTF-8");
    return OCK_OK;
}

enum ock_status ock_csv_scan(struct ock_reader *reader, char delimiter, ock_csv_row_fn *on_row,
                             void *ctx, struct ock_err *err)
{
    struct scan scan = {.on_row = on_row, .ctx = ctx, .line = 1, .row_line = 1, .err = err};
    ock_buf_init(&scan.texts, ROW_BYTES_MAX);
    char *piece = malloc(PIECE_BYTES);
    if (!piece)
        return ock_fail(err, OCK_NOMEM, "out of memory for reading");
    if (csv_init(&scan.parser, CSV_STRICT | CSV_STRICT_FINI) != 0) {
        free(piece);
        return ock_fail(err, OCK_NOMEM, "out of memory for reading");
    }
    csv_set_delim(&scan.parser, (unsigned char)delimiter);

    size_t got = PIECE_BYTES;
    scan.status = ock_reader_rewind(reader, err);
    for (bool first = true; scan.status == OCK_OK && got == PIECE_BYTES; first = false) {
        scan.status = ock_reader_read(reader, piece, PIECE_BYTES, &got, err);
        size_t skip = 0;
        if (scan.status == OCK_OK && first)
            scan.status = skip_mark(piece, got, &skip, err);
        if (scan.status == OCK_OK)
            feed_lines(&scan, piece + skip, got - skip);
    }
    if (scan.status == OCK_OK)
        finish(&scan);
    csv_free(&scan.parser);
    free(piece);
    free(scan.begins);
    ock_buf_deinit(&scan.texts);
    return scan.status;
}

/* How often c stands outside quotes in each of the first whole lines; returns the lines. */
static size_t count_in_lines(const char *bytes, size_t size, char c, size_t counts[SNIFFED_LINES])
{
    size_t line = 0;
    bool quoted = false;
    bool blank = true;
    counts[0] = 0;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '"')
            quoted = !quoted;
        if (quoted)
            continue;
        if (bytes[i] == '\n' || bytes[i] == '\r') {
            line += !blank;
            if (line == SNIFFED_LINES)
                return line;
            counts[line] = 0;
            blank = true;
            continue;
        }
        blank = false;
        counts[line] += bytes[i] == c;
    }
    return line > 0 ? line : line + !blank;
}

enum ock_status ock_csv_delimiter(struct ock_reader *reader, char *delimiter, struct ock_err *err)
{
    static const char candidates[] = {',', ';', '\t', '|'};
    char *bytes = malloc(PIECE_BYTES);
    if (!bytes)
        return ock_fail(err, OCK_NOMEM, "out of memory for reading");
    size_t got = 0;
    enum ock_status status = ock_reader_rewind(reader, err);
    if (status == OCK_OK)
        status = ock_reader_read(reader, bytes, PIECE_BYTES, &got, err);

    /* Best is the candidate that is in all lines, most often as often as in the first one; among
     * equals the one that makes more columns. */
    size_t best_same = 0, best_count = 0;
    *delimiter = ',';
    for (size_t i = 0; status == OCK_OK && i < sizeof(candidates); i++) {
        size_t counts[SNIFFED_LINES];
        size_t lines = count_in_lines(bytes, got, candidates[i], counts);
        size_t same = 0;
        for (size_t line = 0; line < lines && counts[0] > 0; line++)
            same += counts[line] == counts[0];
        if (same > best_same || (same == best_same && same > 0 && counts[0] > best_count)) {
            best_same = same;
            best_count = counts[0];
            *delimiter = candidates[i];
        }
    }
    free(bytes);
    return status;
}
