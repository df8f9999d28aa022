/* Rows of a CSV out of a buffer that holds at least one of them as a whole: a row that is not is begun
 * again with more bytes behind it. Fields are ended by NULs where they stand, so no byte is copied but
 * those behind the last whole row of a full buffer, into the other of two buffers.
 *
 * Most rows have no field that begins with a quote or is framed by spaces. They are taken by the ends
 * that stand in 64 bytes at a time (as in Langdale and Lemire, "Parsing gigabytes of JSON per second",
 * 2019); all others, a row at a time, by a walk over their bytes, which knows all the rules. */
#include <stdlib.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "core/base/limits.h"
#include "core/data/csv_walk.h"
#include "core/data/field.h"

enum {
    SLACK_BYTES = 64 + OCK_FIELD_PADDING, /* for loads beyond the last byte */
    FIELDS = 1 << 18,                     /* rows are given at the latest once they have so many */
};

#ifdef __SSE2__

/* Which of 64 bytes end a field, a bit each, and whether others are no simple field's first or last. */
struct ends {
    uint64_t mask;
    bool odd;
};

static inline struct ends ends_in(const char *bytes, __m128i delimiter)
{
    const __m128i lf = _mm_set1_epi8('\n'), cr = _mm_set1_epi8('\r');
    const __m128i quote = _mm_set1_epi8('"'), space = _mm_set1_epi8(' '), tab = _mm_set1_epi8('\t');
    uint64_t mask = 0;
    __m128i odd = _mm_setzero_si128();
    for (unsigned i = 0; i < 4; i++) {
        __m128i part = _mm_loadu_si128((const __m128i *)(const void *)(bytes + 16 * i));
        __m128i found = _mm_or_si128(_mm_cmpeq_epi8(part, delimiter), _mm_cmpeq_epi8(part, lf));
        found = _mm_or_si128(found, _mm_cmpeq_epi8(part, cr));
        odd = _mm_or_si128(odd, _mm_or_si128(_mm_cmpeq_epi8(part, quote),
                                             _mm_or_si128(_mm_cmpeq_epi8(part, space),
                                                          _mm_cmpeq_epi8(part, tab))));
        mask |= (uint64_t)(unsigned)_mm_movemask_epi8(found) << (16 * i);
    }
    return (struct ends){mask, _mm_movemask_epi8(odd) != 0};
}

/* Gives back the ends of a row's fields whose rest is not simple. */
static void undo_row(struct ock_csv_scanner *scan, const struct ock_csv_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++)
        scan->bytes[fields[i].at + fields[i].size] = scan->delimiter;
}

/* A place among a buffer's fields. */
struct walk {
    char *block;          /* 64 bytes whose ends are known */
    uint64_t mask;        /* those that were not passed yet */
    bool odd, odd_before; /* there are odd bytes in it, in the one before */
};

/* On to the first block behind that has an end. False: there is none, or what comes is not simple: the
 * field that begins at `field` may be too long, or there may be too little room for all fields. */
static bool next_block(const struct ock_csv_scanner *scan, struct walk *walk, const char *field,
                       size_t room)
{
    const __m128i delimiter = _mm_set1_epi8(scan->delimiter);
    const char *end = scan->bytes + scan->end;
    do {
        walk->block += 64;
        if (walk->block >= end || walk->block - field > (ptrdiff_t)OCK_CSV_FIELD_BYTES_MAX - 64 ||
            room < 64)
            return false;
        struct ends ends = ends_in(walk->block, delimiter);
        walk->odd_before |= walk->odd;
        walk->odd = ends.odd;
        walk->mask = ends.mask;
    } while (!walk->mask);
    if (end - walk->block < 64)
        walk->mask &= (UINT64_C(1) << (end - walk->block)) - 1;
    return walk->mask != 0;
}

/* Takes simple rows while there are some, up to the most that are given at a time. */
static void take_simple_rows(struct ock_csv_scanner *scan)
{
    char *bytes = scan->bytes;
    const char *end = bytes + scan->end;
    const char delimiter = scan->delimiter;
    char *field = bytes + scan->begin; /* the next one's first byte */
    struct ock_csv_field *row = scan->fields + scan->used, *next = row;
    const struct ock_csv_field *most = scan->fields + scan->field_capacity;
    struct walk walk = {.block = field - 64};
    bool more = true;
    while (more && scan->row_count < OCK_CSV_ROWS_MAX && scan->used < FIELDS) {
        if (!walk.mask) {
            walk.odd_before = false;
            if (!next_block(scan, &walk, field, (size_t)(most - next)))
                break;
        }
        char *at = walk.block + __builtin_ctzll(walk.mask);
        size_t size = (size_t)(at - field);
        char found = *at;
        if ((walk.odd | walk.odd_before) &&
            (scan->odd[(unsigned char)*field] || (size > 0 && scan->odd[(unsigned char)at[-1]])))
            break;
        /* An empty line is no row, and the end of a CRLF must be in sight. */
        if (found != delimiter && ((next == row && size == 0) || at + 1 >= end ||
                                   next - row >= (ptrdiff_t)OCK_COLUMNS_MAX))
            break;
        walk.mask &= walk.mask - 1;
        *next++ = (struct ock_csv_field){(uint32_t)(field - bytes), (uint32_t)size};
        *at = '\0';
        field = at + 1;
        if (found == delimiter)
            continue;
        if (found == '\r' && *field == '\n') {
            if (!walk.mask)
                more = next_block(scan, &walk, field, (size_t)(most - next));
            walk.mask &= walk.mask - 1;
            field++;
        }
        scan->count = (size_t)(next - row);
        scan->row_end = (size_t)(field - bytes);
        scan->row_lines = 1;
        ock_csv_note_row(scan);
        row = next;
    }
    undo_row(scan, row, (size_t)(next - row));
}

#endif

/* Fills the buffer behind its bytes. */
static enum ock_status fill(struct ock_csv_scanner *scan)
{
    size_t got = 0;
    size_t wanted = scan->capacities[scan->buffer] - scan->end;
    enum ock_status status =
        ock_reader_read(scan->reader, scan->bytes + scan->end, wanted, &got, scan->err);
    if (status != OCK_OK)
        return status;
    const char *nul = memchr(scan->bytes + scan->end, '\0', got);
    scan->nul = nul != NULL;
    scan->last = nul || got < wanted;
    scan->end = nul ? (size_t)(nul - scan->bytes) : scan->end + got;
    scan->bytes[scan->end] = '\n';
    return OCK_OK;
}

/* On to the other buffer, with the bytes that are not parsed yet: the rows that were given last stand
 * in this one. */
static enum ock_status change_buffer(struct ock_csv_scanner *scan)
{
    unsigned other = scan->buffer ^ 1;
    size_t kept = scan->end - scan->begin;
    size_t capacity = scan->capacities[scan->buffer];
    if (scan->capacities[other] < capacity || !scan->buffers[other].data) {
        enum ock_status status =
            ock_room_grow(&scan->buffers[other], capacity + SLACK_BYTES, scan->path, scan->err);
        if (status != OCK_OK)
            return status;
        scan->capacities[other] = capacity;
    }
    char *bytes = scan->buffers[other].data;
    if (kept > 0)
        memcpy(bytes, scan->bytes + scan->begin, kept);
    scan->buffer = other;
    scan->bytes = bytes;
    scan->begin = 0;
    scan->end = kept;
    scan->bytes[kept] = '\n';
    return scan->last ? OCK_OK : fill(scan);
}

/* More room for the one row that is in the buffer. */
static enum ock_status grow_buffer(struct ock_csv_scanner *scan)
{
    size_t capacity = scan->capacities[scan->buffer];
    if (scan->begin > 0) {
        memmove(scan->bytes, scan->bytes + scan->begin, scan->end - scan->begin);
        scan->end -= scan->begin;
        scan->begin = 0;
        return fill(scan);
    }
    if (capacity >= OCK_CSV_ROW_BYTES_MAX)
        return ock_fail(scan->err, OCK_LIMIT,
                        "line %zu: the row is longer than %zu bytes, the limit", scan->line,
                        OCK_CSV_ROW_BYTES_MAX);
    struct ock_room *buffer = &scan->buffers[scan->buffer];
    enum ock_status status =
        ock_room_grow(buffer, 2 * capacity + SLACK_BYTES, scan->path, scan->err);
    if (status != OCK_OK)
        return status;
    scan->bytes = buffer->data;
    scan->capacities[scan->buffer] = 2 * capacity;
    return fill(scan);
}

/* Past a byte order mark at the start; UTF-16 is refused. */
static enum ock_status skip_mark(struct ock_csv_scanner *scan)
{
    if (scan->end >= 3 && memcmp(scan->bytes, "\xef\xbb\xbf", 3) == 0)
        scan->begin = 3;
    if (scan->end >= 2 &&
        (memcmp(scan->bytes, "\xff\xfe", 2) == 0 || memcmp(scan->bytes, "\xfe\xff", 2) == 0))
        return ock_fail(scan->err, OCK_INVALID, "byte 0: the file is UTF-16; save it as UTF-8");
    return OCK_OK;
}

static enum ock_status start(struct ock_csv_scanner *scan)
{
    enum ock_status status = ock_reader_rewind(scan->reader, scan->err);
    if (status == OCK_OK)
        status = change_buffer(scan);
    scan->begun = true;
    return status == OCK_OK ? skip_mark(scan) : status;
}

/* Finds rows until there are enough of them or the buffer ends. */
static enum ock_outcome find_rows(struct ock_csv_scanner *scan)
{
    enum ock_outcome outcome = ROW;
    size_t capacity = FIELDS + 64 + scan->count; /* the last row may be the longest yet */
    if (scan->field_capacity < capacity && !ock_csv_grow_fields(scan, capacity))
        return FAULT;
    while (outcome == ROW && scan->row_count < OCK_CSV_ROWS_MAX && scan->used < FIELDS) {
#ifdef __SSE2__
        take_simple_rows(scan);
        if (scan->row_count == OCK_CSV_ROWS_MAX || scan->used >= FIELDS)
            break;
#endif
        outcome = ock_csv_walk_row(scan);
    }
    return outcome;
}

static void begin_turn(struct ock_csv_scanner *scan)
{
    scan->turn ^= 1;
    scan->fields = scan->given[scan->turn].fields.data;
    scan->field_capacity = scan->given[scan->turn].fields.bytes / sizeof(*scan->fields);
    scan->used = 0;
    scan->row_count = 0;
}

enum ock_status ock_csv_scanner_next(struct ock_csv_scanner *scan, struct ock_csv_rows *rows,
                                     struct ock_err *err)
{
    enum ock_outcome outcome = MORE;
    scan->err = err;
    begin_turn(scan);
    enum ock_status status = scan->begun ? change_buffer(scan) : start(scan);
    while (status == OCK_OK && outcome == MORE) {
        outcome = find_rows(scan);
        if (scan->row_count > 0)
            break; /* whatever stopped it is met again */
        if (outcome == FAULT)
            status = scan->status;
        else if (outcome == MORE)
            status = grow_buffer(scan);
    }
    *rows = (struct ock_csv_rows){scan->given[scan->turn].rows, scan->row_count, scan->fields,
                                  scan->bytes};
    return status;
}

enum ock_status ock_csv_scanner_new(struct ock_csv_scanner **out, struct ock_reader *reader,
                                    char delimiter, const char *path, struct ock_err *err)
{
    struct ock_csv_scanner *scan = calloc(1, sizeof(*scan));
    if (!scan)
        return ock_fail(err, OCK_NOMEM, "out of memory for reading");
    scan->reader = reader;
    scan->path = path;
    scan->delimiter = delimiter;
    scan->line = 1;
    scan->ends[(unsigned char)delimiter] = true;
    scan->ends['\n'] = true;
    scan->ends['\r'] = true;
    scan->odd['"'] = true;
    scan->odd[' '] = delimiter != ' ';
    scan->odd['\t'] = delimiter != '\t';
    scan->capacities[0] = OCK_CSV_BUFFER_BYTES;
    for (unsigned i = 0; i < 2; i++)
        scan->given[i].rows = malloc(OCK_CSV_ROWS_MAX * sizeof(*scan->given[i].rows));
    if (!scan->given[0].rows || !scan->given[1].rows) {
        ock_csv_scanner_free(scan);
        return ock_fail(err, OCK_NOMEM, "out of memory for reading");
    }
    *out = scan;
    return OCK_OK;
}

void ock_csv_scanner_free(struct ock_csv_scanner *scan)
{
    if (!scan)
        return;
    for (unsigned i = 0; i < 2; i++) {
        ock_room_free(&scan->buffers[i]);
        ock_room_free(&scan->given[i].fields);
        free(scan->given[i].rows);
    }
    free(scan);
}
