/* Lines are collected whole, then cut at blanks. */
#include "core/data/svmlight_scan.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/limits.h"
#include "core/data/field.h"

enum { PIECE_BYTES = 1 << 16, SHOWN_BYTES = 40 };

struct scan {
    ock_svmlight_row_fn *on_row;
    void *ctx;
    struct ock_buf text; /* the line so far */
    size_t line;         /* its number */
    uint32_t *index;     /* owned, [capacity] */
    float *value;        /* owned, [capacity] */
    size_t capacity;
    struct ock_err *err;
};

/* A word of the line. */
struct word {
    const char *text;
    size_t size;
    size_t column; /* byte in the line, from 1 */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The next word behind *at, or false at the line's end. */
static bool next_word(const char *line, size_t size, size_t *at, struct word *word)
{
    size_t i = *at;
    while (i < size && is_blank(line[i]))
        i++;
    size_t begin = i;
    while (i < size && !is_blank(line[i]))
        i++;
    *at = i;
    *word = (struct word){line + begin, i - begin, begin + 1};
    return i > begin;
}

static enum ock_status expected(const struct scan *scan, const struct word *word, const char *what)
{
    int shown = word->size < SHOWN_BYTES ? (int)word->size : SHOWN_BYTES;
    return ock_fail(scan->err, OCK_INVALID, "line %zu, column %zu: expected %s, found \"%.*s\"",
                    scan->line, word->column, what, shown, word->text);
}

static enum ock_status read_label(const struct scan *scan, const struct word *word, double *label)
{
    if (memchr(word->text, ':', word->size))
        return expected(scan, word, "a label before the first index:value");
    if (memchr(word->text, ',', word->size))
        return expected(scan, word, "one label (several for one row are not supported)");
    enum ock_field field = ock_field_read(word->text, word->size, label);
    return field == OCK_FIELD_NUMBER ? OCK_OK : expected(scan, word, "a number as the label");
}

/* "12:0.5" */
static enum ock_status read_term(const struct scan *scan, const struct word *word, uint32_t *index,
                                 float *value)
{
    static const char what[] = "index:value, a whole number and a finite one";
    uint64_t number = 0;
    size_t i = 0;
    for (; i < word->size && word->text[i] >= '0' && word->text[i] <= '9'; i++)
        number = number <= UINT32_MAX ? 10 * number + (uint64_t)(word->text[i] - '0') : number;
    if (i == 0 || i + 1 >= word->size || word->text[i] != ':')
        return expected(scan, word, what);
    if (number > OCK_COLUMNS_MAX)
        return ock_fail(scan->err, OCK_LIMIT,
                        "line %zu, column %zu: an index above %zu, the limit of columns",
                        scan->line, word->column, OCK_COLUMNS_MAX);
    double read = 0;
    if (ock_field_read(word->text + i + 1, word->size - i - 1, &read) != OCK_FIELD_NUMBER ||
        isinf((float)read))
        return expected(scan, word, what);
    *index = (uint32_t)number;
    *value = (float)read;
    return OCK_OK;
}

static enum ock_status make_room(struct scan *scan, size_t count)
{
    if (count < scan->capacity)
        return OCK_OK;
    size_t capacity = scan->capacity ? 2 * scan->capacity : 256;
    uint32_t *index = realloc(scan->index, capacity * sizeof(*index));
    scan->index = index ? index : scan->index;
    float *value = realloc(scan->value, capacity * sizeof(*value));
    scan->value = value ? value : scan->value;
    if (!index || !value)
        return ock_fail(scan->err, OCK_NOMEM, "out of memory for a row");
    scan->capacity = capacity;
    return OCK_OK;
}

static enum ock_status add_term(struct scan *scan, struct ock_svmlight_row *row,
                                const struct word *word)
{
    uint32_t index = 0;
    float value = 0;
    enum ock_status status = read_term(scan, word, &index, &value);
    if (status != OCK_OK)
        return status;
    if (row->least != UINT32_MAX && index <= row->most)
        return ock_fail(scan->err, OCK_INVALID,
                        "line %zu, column %zu: the index %u stands behind %u; expected rising ones",
                        scan->line, word->column, index, row->most);
    row->least = row->least == UINT32_MAX ? index : row->least;
    row->most = index;
    if (value == 0.0f)
        return OCK_OK;
    status = make_room(scan, row->count);
    if (status == OCK_OK) {
        scan->index[row->count] = index;
        scan->value[row->count++] = value;
    }
    return status;
}

static enum ock_status read_line(struct scan *scan, const char *line, size_t size)
{
    struct word word;
    struct ock_svmlight_row row = {.line = scan->line, .least = UINT32_MAX};
    const char *comment = memchr(line, '#', size);
    size_t at = 0;
    const char *nul = memchr(line, '\0', size);
    if (nul)
        return ock_fail(scan->err, OCK_INVALID,
                        "line %zu, column %zu: has a NUL byte, so this is no text", scan->line,
                        (size_t)(nul - line) + 1);
    size = comment ? (size_t)(comment - line) : size;
    if (!next_word(line, size, &at, &word))
        return OCK_OK;
    enum ock_status status = read_label(scan, &word, &row.label);
    while (status == OCK_OK && next_word(line, size, &at, &word)) {
        if (word.size > 4 && memcmp(word.text, "qid:", 4) == 0)
            continue;
        status = add_term(scan, &row, &word);
    }
    row.index = scan->index;
    row.value = scan->value;
    return status == OCK_OK ? scan->on_row(scan->ctx, &row, scan->err) : status;
}

/* The line that is collected; its text ends in a NUL, for strtod. */
static enum ock_status finish_line(struct scan *scan)
{
    size_t size = scan->text.size;
    if (scan->text.failed == OCK_LIMIT)
        return ock_fail(scan->err, OCK_LIMIT, "line %zu: is longer than %zu bytes, the limit",
                        scan->line, OCK_SVMLIGHT_LINE_BYTES_MAX);
    enum ock_status status = ock_buf_status(&scan->text, scan->err);
    if (status == OCK_OK && size > 0)
        status = read_line(scan, scan->text.data, size);
    ock_buf_clear(&scan->text);
    scan->line++;
    return status;
}

static enum ock_status feed(struct scan *scan, const char *bytes, size_t size)
{
    enum ock_status status = OCK_OK;
    while (size > 0 && status == OCK_OK) {
        const char *end = memchr(bytes, '\n', size);
        size_t length = end ? (size_t)(end - bytes) : size;
        ock_buf_add(&scan->text, bytes, length);
        if (end || scan->text.failed)
            status = finish_line(scan);
        length += end != NULL;
        bytes += length;
        size -= length;
    }
    return status;
}

enum ock_status ock_svmlight_scan(struct ock_reader *reader, ock_svmlight_row_fn *on_row, void *ctx,
                                  struct ock_err *err)
{
    struct scan scan = {.on_row = on_row, .ctx = ctx, .line = 1, .err = err};
    ock_buf_init(&scan.text, OCK_SVMLIGHT_LINE_BYTES_MAX);
    char *piece = malloc(PIECE_BYTES);
    if (!piece)
        return ock_fail(err, OCK_NOMEM, "out of memory for reading");
    size_t got = PIECE_BYTES;
    enum ock_status status = ock_reader_rewind(reader, err);
    for (bool first = true; status == OCK_OK && got == PIECE_BYTES; first = false) {
        status = ock_reader_read(reader, piece, PIECE_BYTES, &got, err);
        size_t skip = first && got >= 3 && memcmp(piece, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
        if (status == OCK_OK)
            status = feed(&scan, piece + skip, got - skip);
    }
    if (status == OCK_OK && scan.text.size > 0)
        status = finish_line(&scan);
    free(piece);
    free(scan.index);
    free(scan.value);
    ock_buf_deinit(&scan.text);
    return status;
}
