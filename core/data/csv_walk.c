/* A row of a CSV by all its rules, byte by byte. It is looked through without a change, so that it can
 * be begun again with more bytes behind it; once it is whole its fields are ended by NULs where they
 * stand. */
#include "core/data/csv_walk.h"

#include <stdlib.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "core/base/limits.h"

/* In a size: the field has quotes that stand for one. */
static const uint32_t doubled_bit = UINT32_C(1) << 31;

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

static struct place place_of(const struct ock_csv_scanner *scan, const char *at)
{
    const char *begin = scan->bytes + scan->begin;
    const char *line = at;
    while (line > begin && line[-1] != '\n' && line[-1] != '\r')
        line--;
    return (struct place){scan->line + count_lines(begin, line), (size_t)(at - line) + 1};
}

static enum ock_outcome too_long(struct ock_csv_scanner *scan)
{
    scan->status = ock_fail(scan->err, OCK_INVALID,
                            "line %zu, field %zu: is longer than %zu bytes, the limit; "
                            "does a quote lack its end?",
                            scan->line, scan->count + 1, OCK_CSV_FIELD_BYTES_MAX);
    return FAULT;
}

/* The buffer ends here. END: so does the file, and the row may. */
static enum ock_outcome at_end(struct ock_csv_scanner *scan)
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

bool ock_csv_grow_fields(struct ock_csv_scanner *scan, size_t capacity)
{
    struct ock_room *room = &scan->given[scan->turn].fields;
    scan->status = ock_room_grow(room, capacity * sizeof(*scan->fields), scan->path, scan->err);
    scan->fields = room->data;
    scan->field_capacity = room->bytes / sizeof(*scan->fields);
    return scan->status == OCK_OK;
}

static inline enum ock_outcome add_field(struct ock_csv_scanner *scan, const char *text,
                                         size_t size, bool doubled)
{
    if (size > OCK_CSV_FIELD_BYTES_MAX)
        return too_long(scan);
    if (scan->count == OCK_COLUMNS_MAX) {
        scan->status = ock_fail(scan->err, OCK_LIMIT, "line %zu: has more than %zu columns",
                                scan->line, OCK_COLUMNS_MAX);
        return FAULT;
    }
    if (scan->used + scan->count == scan->field_capacity &&
        !ock_csv_grow_fields(scan, 2 * scan->field_capacity))
        return FAULT;
    scan->fields[scan->used + scan->count++] = (struct ock_csv_field){
        (uint32_t)(text - scan->bytes), (uint32_t)size | (doubled ? doubled_bit : 0)};
    return ROW;
}

static inline bool is_space(const struct ock_csv_scanner *scan, char c)
{
    return (c == ' ' || c == '\t') && c != scan->delimiter;
}

static inline char *skip_spaces(const struct ock_csv_scanner *scan, char *next)
{
    while (is_space(scan, *next))
        next++;
    return next;
}

/* The delimiter or line end at or behind `next`; there is one at the buffer's end. */
#ifdef __SSE2__
/* Sixteen bytes at a time: most fields end among the first, without a jump that depends on where. */
static inline char *find_end(const struct ock_csv_scanner *scan, char *next)
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
static inline char *find_end(const struct ock_csv_scanner *scan, char *next)
{
    while (!scan->ends[(unsigned char)*next])
        next++;
    return next;
}
#endif

/* A field without quotes from *next on; *next becomes the byte that ends it. */
static inline enum ock_outcome plain_field(struct ock_csv_scanner *scan, char **next)
{
    char *begin = *next;
    char *end = find_end(scan, begin);
    if (end == scan->bytes + scan->end) {
        if (end - begin > (ptrdiff_t)OCK_CSV_FIELD_BYTES_MAX)
            return too_long(scan);
        enum ock_outcome outcome = at_end(scan);
        if (outcome != END)
            return outcome;
    }
    *next = end;
    while (end > begin && is_space(scan, end[-1]))
        end--;
    return add_field(scan, begin, (size_t)(end - begin), false);
}

/* The quote that closes the field whose text begins at `text`; NULL: none up to the buffer's end. */
static char *find_closing(const struct ock_csv_scanner *scan, char *text, size_t *doubled)
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

static enum ock_outcome quoted_field(struct ock_csv_scanner *scan, char **next)
{
    char *text = *next + 1;
    size_t doubled = 0;
    char *closing = find_closing(scan, text, &doubled);
    if (!closing) {
        if (scan->bytes + scan->end - text > 2 * (ptrdiff_t)OCK_CSV_FIELD_BYTES_MAX + 1)
            return too_long(scan);
        enum ock_outcome outcome = at_end(scan);
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
        enum ock_outcome outcome = at_end(scan);
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
static enum ock_outcome quotes_in_line(struct ock_csv_scanner *scan, const char *quote)
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
        enum ock_outcome outcome = at_end(scan);
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

static inline enum ock_outcome any_field(struct ock_csv_scanner *scan, char **next)
{
    *next = skip_spaces(scan, *next);
    if (**next != '"')
        return plain_field(scan, next);
    if (scan->delimiter == '\t') {
        enum ock_outcome outcome = quotes_in_line(scan, *next);
        if (outcome == END)
            return plain_field(scan, next);
        if (outcome != ROW)
            return outcome;
    }
    return quoted_field(scan, next);
}

/* Past the line end at *next. END: the file ends there too. */
static enum ock_outcome skip_line_end(struct ock_csv_scanner *scan, char **next)
{
    const char *end = scan->bytes + scan->end;
    if (*next == end)
        return at_end(scan);
    if (**next == '\r' && *next + 1 == end && !scan->last)
        return MORE;
    *next += **next == '\r' && *next + 1 < end && (*next)[1] == '\n' ? 2 : 1;
    return ROW;
}

static enum ock_outcome skip_blank_lines(struct ock_csv_scanner *scan)
{
    for (;;) {
        if (scan->begin == scan->end) /* where the last row's NUL may stand */
            return at_end(scan);
        char *next = skip_spaces(scan, scan->bytes + scan->begin);
        if (*next != '\n' && *next != '\r')
            return ROW;
        enum ock_outcome outcome = skip_line_end(scan, &next);
        if (outcome != ROW)
            return outcome;
        scan->begin = (size_t)(next - scan->bytes);
        scan->line++;
    }
}

/* Looks for the fields of the row at begin. */
static enum ock_outcome find_row(struct ock_csv_scanner *scan)
{
    enum ock_outcome outcome = skip_blank_lines(scan);
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

static void undouble(char *text, size_t size)
{
    const char *from = text;
    for (size_t i = 0; i < size; i++) {
        text[i] = *from;
        from += *from == '"' ? 2 : 1;
    }
}

/* Ends the fields of the row that was found. */
static void take_row(struct ock_csv_scanner *scan)
{
    struct ock_csv_field *fields = scan->fields + scan->used;
    for (size_t i = 0; i < scan->count; i++) {
        char *text = scan->bytes + fields[i].at;
        bool doubled = fields[i].size & doubled_bit;
        fields[i].size &= ~doubled_bit;
        if (doubled)
            undouble(text, fields[i].size);
        text[fields[i].size] = '\0';
    }
    ock_csv_note_row(scan);
}

enum ock_outcome ock_csv_walk_row(struct ock_csv_scanner *scan)
{
    enum ock_outcome outcome = find_row(scan);
    if (outcome == ROW)
        take_row(scan);
    return outcome;
}
