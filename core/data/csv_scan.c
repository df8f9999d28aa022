/* Rows of a CSV out of a buffer that holds at least one of them as a whole: a row is looked through
 * without a change, so that it can be begun again with more bytes behind it; once it is whole its
 * fields are ended by NULs where they stand. No byte is copied but those behind the last whole row
 * of a full buffer. */
#include "core/data/csv_scan.h"

#include <stdlib.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "core/base/limits.h"
#include "core/data/field.h"

enum {
    BUFFER_BYTES = 1 << 18,
    SLACK_BYTES = 1 + OCK_FIELD_PADDING, /* for loads beyond the last byte */
    /* Rows are told that many at a time, or once they have that many fields. */
    ROWS = 4096,
    FIELDS = 1 << 16
};

/* How an attempt at a row ended. MORE: it is not whole in the buffer. */
enum outcome { ROW, MORE, END, FAULT };

struct scan {
    struct ock_reader *reader;
    char *bytes; /* owned, [capacity + SLACK_BYTES]; bytes[end] is a line end, so that loops end */
    size_t capacity;
    size_t begin, end;            /* what is not parsed yet; begin is a line's first byte */
    size_t row_end;               /* of the row that was found: the next one's begin */
    bool last;                    /* nothing comes behind end */
    bool nul;                     /* because there is a NUL */
    size_t line, row_lines;       /* of begin, from 1; line ends of the row that was found */
    struct ock_csv_field *fields; /* owned, [field_capacity] */
    size_t field_capacity;
    size_t used;              /* fields of the rows that wait to be told */
    size_t count;             /* fields behind them: of the row that is looked at */
    struct ock_csv_row *rows; /* owned, [ROWS]; fields are set when they are told */
    size_t row_count;
    char delimiter;
    bool ends[256]; /* bytes that end a field without quotes */
    enum ock_status status;
    struct ock_err *err;
};

/* Line ends among bytes: LF, CRLF, or CR alone. */
static size_t count_lines(const char *from, const char *to)
{
    size_t lines = 0;
    for (; from < to; from++)
        lines += *from == '\n' || (*from == '\r' && from[1] != '\n');
    return lines;
}

struct place {
    size_t line, column;
};

static struct place place_of(const struct scan *scan, const char *at)
{
    const char *begin = scan->bytes + scan->begin;
    const char *line = at;
    while (line > begin && line[-1] != '\n' && line[-1] != '\r')
        line--;
    return (struct place){scan->line + count_lines(begin, line), (size_t)(at - line) + 1};
}

static enum outcome too_long(struct scan *scan)
{
    scan->status = ock_fail(scan->err, OCK_INVALID,
                            "line %zu, field %zu: is longer than %zu bytes, the limit; "
                            "does a quote lack its end?",
                            scan->line, scan->count + 1, OCK_CSV_FIELD_BYTES_MAX);
    return FAULT;
}

/* The buffer ends here. END: so does the file, and the row may. */
static enum outcome at_end(struct scan *scan)
{
    if (!scan->last)
        return MORE;
    if (!scan->nul)
        return END;
    struct place place = place_of(scan, scan->bytes + scan->end);
    scan->status = ock_fail(scan->err, OCK_INVALID,
                            "line %zu, column %zu: has a NUL byte, so this is no text in UTF-8",
                            place.line, place.column);
    return FAULT;
}

static bool grow_fields(struct scan *scan)
{
    size_t capacity = scan->field_capacity ? 2 * scan->field_capacity : 64;
    struct ock_csv_field *fields = realloc(scan->fields, capacity * sizeof(*fields));
    if (!fields) {
        scan->status = ock_fail(scan->err, OCK_NOMEM, "out of memory for a row");
        return false;
    }
    scan->fields = fields;
    scan->field_capacity = capacity;
    return true;
}

static inline enum outcome add_field(struct scan *scan, char *text, size_t size, bool doubled)
{
    if (size > OCK_CSV_FIELD_BYTES_MAX)
        return too_long(scan);
    if (scan->count == OCK_COLUMNS_MAX) {
        scan->status = ock_fail(scan->err, OCK_LIMIT, "line %zu: has more than %zu columns",
                                scan->line, OCK_COLUMNS_MAX);
        return FAULT;
    }
    if (scan->used + scan->count == scan->field_capacity && !grow_fields(scan))
        return FAULT;
    scan->fields[scan->used + scan->count++] =
        (struct ock_csv_field){.text = text, .size = (uint32_t)size, .doubled = doubled};
    return ROW;
}

static inline bool is_space(const struct scan *scan, char c)
{
    return (c == ' ' || c == '\t') && c != scan->delimiter;
}

static inline char *skip_spaces(const struct scan *scan, char *next)
{
    while (is_space(scan, *next))
        next++;
    return next;
}

/* The delimiter or line end at or behind `next`; there is one at the buffer's end. */
#ifdef __SSE2__
/* Sixteen bytes at a time: most fields end among the first, without a jump that depends on where. */
static inline char *find_end(const struct scan *scan, char *next)
{
    const __m128i delimiter = _mm_set1_epi8(scan->delimiter);
    const __m128i lf = _mm_set1_epi8('\n');
    const __m128i cr = _mm_set1_epi8('\r');
    for (;; next += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)next);
        __m128i found = _mm_or_si128(_mm_cmpeq_epi8(bytes, delimiter), _mm_cmpeq_epi8(bytes, lf));
        found = _mm_or_si128(found, _mm_cmpeq_epi8(bytes, cr));
        unsigned mask = (unsigned)_mm_movemask_epi8(found);
        if (mask)
            return next + __builtin_ctz(mask);
    }
}
#else
static inline char *find_end(const struct scan *scan, char *next)
{
    while (!scan->ends[(unsigned char)*next])
        next++;
    return next;
}
#endif

/* A field without quotes from *next on; *next becomes the byte that ends it. */
static inline enum outcome plain_field(struct scan *scan, char **next)
{
    char *begin = *next;
    char *end = find_end(scan, begin);
    if (end == scan->bytes + scan->end) {
        if (end - begin > (ptrdiff_t)OCK_CSV_FIELD_BYTES_MAX)
            return too_long(scan);
        enum outcome outcome = at_end(scan);
        if (outcome != END)
            return outcome;
    }
    *next = end;
    while (end > begin && is_space(scan, end[-1]))
        end--;
    return add_field(scan, begin, (size_t)(end - begin), false);
}

/* The quote that closes the field whose text begins at `text`; NULL: none up to the buffer's end. */
static char *find_closing(const struct scan *scan, char *text, size_t *doubled)
{
    char *end = scan->bytes + scan->end;
    for (char *next = text; next < end; next += 2) {
        next = memchr(next, '"', (size_t)(end - next));
        if (!next)
            return NULL;
        if (next + 1 == end)
            return scan->last ? next : NULL;
        if (next[1] != '"')
            return next;
        (*doubled)++;
    }
    return NULL;
}

static enum outcome quoted_field(struct scan *scan, char **next)
{
    char *text = *next + 1;
    size_t doubled = 0;
    char *closing = find_closing(scan, text, &doubled);
    if (!closing) {
        if (scan->bytes + scan->end - text > 2 * (ptrdiff_t)OCK_CSV_FIELD_BYTES_MAX + 1)
            return too_long(scan);
        enum outcome outcome = at_end(scan);
        if (outcome == END) {
            struct place place = place_of(scan, *next);
            scan->status = ock_fail(
                scan->err, OCK_INVALID,
                "line %zu, column %zu: a quote begins here and never ends; expected another",
                place.line, place.column);
            outcome = FAULT;
        }
        return outcome;
    }
    char *end = skip_spaces(scan, closing + 1);
    if (end == scan->bytes + scan->end) {
        enum outcome outcome = at_end(scan);
        if (outcome != END)
            return outcome;
    } else if (!scan->ends[(unsigned char)*end]) {
        struct place place = place_of(scan, end);
        scan->status = ock_fail(scan->err, OCK_INVALID,
                                "line %zu, column %zu: text stands behind the quote that closes a "
                                "field; expected the delimiter or the line's end (inner quotes are "
                                "doubled, RFC 4180)",
                                place.line, place.column);
        return FAULT;
    }
    *next = end;
    scan->row_lines += count_lines(text, closing);
    size_t size = (size_t)(closing - text);
    if (size - doubled > OCK_CSV_FIELD_BYTES_MAX)
        return too_long(scan);
    return add_field(scan, text, size - doubled, doubled > 0);
}

/* Between tabs: does the quoted field at `quote` end in its line, with a tab behind it? ROW: yes,
 * END: no, the quote is a character like others. */
static enum outcome quotes_in_line(struct scan *scan, const char *quote)
{
    const char *next = quote + 1;
    for (; *next != '\n' && *next != '\r'; next++) {
        if (*next != '"')
            continue;
        if (next[1] != '"')
            break;
        next++;
    }
    const char *end = scan->bytes + scan->end;
    if (next >= end || (*next == '"' && next + 1 == end)) {
        enum outcome outcome = at_end(scan);
        if (outcome != END)
            return outcome;
        return next < end ? ROW : END;
    }
    if (*next != '"')
        return END;
    while (next[1] == ' ')
        next++;
    return scan->ends[(unsigned char)next[1]] ? ROW : END;
}

static inline enum outcome any_field(struct scan *scan, char **next)
{
    *next = skip_spaces(scan, *next);
    if (**next != '"')
        return plain_field(scan, next);
    if (scan->delimiter == '\t') {
        enum outcome outcome = quotes_in_line(scan, *next);
        if (outcome == END)
            return plain_field(scan, next);
        if (outcome != ROW)
            return outcome;
    }
    return quoted_field(scan, next);
}

/* Past the line end at *next. END: the file ends there too. */
static enum outcome skip_line_end(struct scan *scan, char **next)
{
    const char *end = scan->bytes + scan->end;
    if (*next == end)
        return at_end(scan);
    if (**next == '\r' && *next + 1 == end && !scan->last)
        return MORE;
    *next += **next == '\r' && *next + 1 < end && (*next)[1] == '\n' ? 2 : 1;
    return ROW;
}

static enum outcome skip_blank_lines(struct scan *scan)
{
    for (;;) {
        if (scan->begin == scan->end) /* where the last row's NUL may stand */
            return at_end(scan);
        char *next = skip_spaces(scan, scan->bytes + scan->begin);
        if (*next != '\n' && *next != '\r')
            return ROW;
        enum outcome outcome = skip_line_end(scan, &next);
        if (outcome != ROW)
            return outcome;
        scan->begin = (size_t)(next - scan->bytes);
        scan->line++;
    }
}

/* Looks for the fields of the row at begin. */
static enum outcome find_row(struct scan *scan)
{
    enum outcome outcome = skip_blank_lines(scan);
    char *next = scan->bytes + scan->begin;
    scan->count = 0;
    scan->row_lines = 0;
    while (outcome == ROW) {
        outcome = any_field(scan, &next);
        if (outcome != ROW || *next != scan->delimiter || next == scan->bytes + scan->end)
            break;
        next++;
    }
    if (outcome != ROW)
        return outcome;
    outcome = skip_line_end(scan, &next);
    scan->row_lines += outcome == ROW;
    scan->row_end = (size_t)(next - scan->bytes);
    return outcome == END ? ROW : outcome;
}

static void undouble(struct ock_csv_field *field)
{
    const char *from = field->text;
    for (uint32_t i = 0; i < field->size; i++) {
        field->text[i] = *from;
        from += *from == '"' ? 2 : 1;
    }
}

/* Ends the fields of the row that was found. */
static void take_row(struct scan *scan)
{
    struct ock_csv_field *fields = scan->fields + scan->used;
    for (size_t i = 0; i < scan->count; i++) {
        if (fields[i].doubled)
            undouble(&fields[i]);
        fields[i].text[fields[i].size] = '\0';
    }
    scan->rows[scan->row_count++] = (struct ock_csv_row){scan->line, scan->count, NULL};
    scan->used += scan->count;
    scan->begin = scan->row_end;
    scan->line += scan->row_lines;
}

/* Tells the rows that wait. */
static enum ock_status tell(struct scan *scan, ock_csv_rows_fn *on_rows, void *ctx)
{
    size_t count = scan->row_count;
    const struct ock_csv_field *fields = scan->fields;
    for (size_t i = 0; i < count; i++) {
        scan->rows[i].fields = fields;
        fields += scan->rows[i].count;
    }
    scan->row_count = 0;
    scan->used = 0;
    return count > 0 ? on_rows(ctx, scan->rows, count, scan->err) : OCK_OK;
}

/* Makes room behind end: for the bytes of another read. */
static enum ock_status make_room(struct scan *scan)
{
    size_t kept = scan->end - scan->begin;
    if (kept > 0)
        memmove(scan->bytes, scan->bytes + scan->begin, kept);
    scan->begin = 0;
    scan->end = kept;
    bool widest = scan->capacity >= OCK_CSV_ROW_BYTES_MAX;
    if (kept <= scan->capacity / 2 || (widest && kept < scan->capacity))
        return OCK_OK;
    if (widest)
        return ock_fail(scan->err, OCK_LIMIT,
                        "line %zu: the row is longer than %zu bytes, the limit", scan->line,
                        OCK_CSV_ROW_BYTES_MAX);
    char *bytes = realloc(scan->bytes, 2 * scan->capacity + SLACK_BYTES);
    if (!bytes)
        return ock_fail(scan->err, OCK_NOMEM, "out of memory for a row");
    scan->bytes = bytes;
    scan->capacity *= 2;
    return OCK_OK;
}

static enum ock_status read_more(struct scan *scan)
{
    enum ock_status status = make_room(scan);
    size_t got = 0;
    size_t wanted = scan->capacity - scan->end;
    if (status == OCK_OK)
        status = ock_reader_read(scan->reader, scan->bytes + scan->end, wanted, &got, scan->err);
    if (status != OCK_OK)
        return status;
    const char *nul = memchr(scan->bytes + scan->end, '\0', got);
    scan->nul = nul != NULL;
    scan->last = nul || got < wanted;
    scan->end = nul ? (size_t)(nul - scan->bytes) : scan->end + got;
    scan->bytes[scan->end] = '\n';
    return OCK_OK;
}

/* Past a byte order mark at the start; UTF-16 is refused. */
static enum ock_status skip_mark(struct scan *scan)
{
    if (scan->end >= 3 && memcmp(scan->bytes, "\xef\xbb\xbf", 3) == 0)
        scan->begin = 3;
    if (scan->end >= 2 &&
        (memcmp(scan->bytes, "\xff\xfe", 2) == 0 || memcmp(scan->bytes, "\xfe\xff", 2) == 0))
        return ock_fail(scan->err, OCK_INVALID, "byte 0: the file is UTF-16; save it as UTF-8");
    return OCK_OK;
}

static enum ock_status scan_all(struct scan *scan, ock_csv_rows_fn *on_rows, void *ctx)
{
    enum ock_status status = ock_reader_rewind(scan->reader, scan->err);
    if (status == OCK_OK)
        status = read_more(scan);
    if (status == OCK_OK)
        status = skip_mark(scan);
    enum outcome outcome = ROW;
    while (status == OCK_OK && (outcome == ROW || outcome == MORE)) {
        outcome = find_row(scan);
        if (outcome == ROW)
            take_row(scan);
        if (outcome != ROW || scan->row_count == ROWS || scan->used >= FIELDS)
            status = tell(scan, on_rows, ctx);
        if (status == OCK_OK && outcome == MORE)
            status = read_more(scan);
    }
    return status == OCK_OK && outcome == FAULT ? scan->status : status;
}

enum ock_status ock_csv_scan(struct ock_reader *reader, char delimiter, ock_csv_rows_fn *on_rows,
                             void *ctx, struct ock_err *err)
{
    struct scan scan = {
        .reader = reader, .capacity = BUFFER_BYTES, .line = 1, .delimiter = delimiter, .err = err};
    scan.ends[(unsigned char)delimiter] = true;
    scan.ends['\n'] = true;
    scan.ends['\r'] = true;
    scan.bytes = calloc(1, scan.capacity + SLACK_BYTES);
    scan.rows = malloc(ROWS * sizeof(*scan.rows));
    enum ock_status status = scan.bytes && scan.rows
                                 ? scan_all(&scan, on_rows, ctx)
                                 : ock_fail(err, OCK_NOMEM, "out of memory for reading");
    free(scan.bytes);
    free(scan.rows);
    free(scan.fields);
    return status;
}
