/* The fields of a batch, first row by row, as text lies in memory, then column by column. Every field
 * becomes a double; what is no finite number is told by doubles that no text gives. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/data/csv_table.h"
#include "core/data/field.h"
#include "core/data/field_short.h"

/* A NaN with a payload: the field is text. One without: it is missing. */
static const uint64_t text_bits = UINT64_C(0x7ff8000000000001);

static double text_mark(void)
{
    double mark;
    memcpy(&mark, &text_bits, sizeof(mark));
    return mark;
}

static bool is_text(const double *value)
{
    uint64_t bits;
    memcpy(&bits, value, sizeof(bits));
    return bits == text_bits;
}

enum ock_status ock_csv_batch_take(struct ock_csv_batch *batch, const struct ock_csv_table *table,
                                   const struct ock_csv_rows *rows, size_t begin, size_t count,
                                   struct ock_err *err)
{
    batch->rows = *rows;
    batch->begin = begin;
    batch->count = count;
    /* Whole cache lines, and no power of two, for which the columns would fight for places. */
    batch->stride = count < 64 ? count : (count + 7) / 8 * 8 + 8;
    size_t bytes = batch->stride * table->count * sizeof(*batch->values);
    if (bytes > batch->room.bytes || !batch->room.data) {
        ock_room_free(&batch->room);
        enum ock_status status = ock_room_take(&batch->room, bytes, 1, table->import->out, err);
        if (status != OCK_OK)
            return status;
    }
    batch->values = batch->room.data;
    return OCK_OK;
}

static double mark_of(const struct ock_missing *missing, const char *text, size_t size)
{
    double value = 0;
    switch (ock_field_read_padded(missing, text, size, &value)) {
    case OCK_FIELD_NUMBER:
        return value;
    case OCK_FIELD_MISSING:
        return (double)NAN;
    case OCK_FIELD_INFINITE:
        return (double)INFINITY;
    case OCK_FIELD_TEXT:
        break;
    }
    return text_mark();
}

typedef bool field_fn(const char *text, size_t size, double *value);

/* Compiled once for each field_fn. */
static inline __attribute__((always_inline)) void read_rows(const struct ock_csv_batch *batch,
                                                            const struct ock_csv_table *table,
                                                            size_t row, size_t row_end,
                                                            field_fn *read_short)
{
    const struct ock_missing *missing = table->missing;
    const bool *skip = table->skip;
    const char *bytes = batch->rows.bytes;
    bool quick = !missing || !missing->numbers;
    size_t count = table->count, stride = batch->stride;
    for (size_t r = row; r < row_end; r++) {
        const struct ock_csv_field *fields =
            batch->rows.fields + batch->rows.items[batch->begin + r].first;
        double *value = batch->values + r;
        for (size_t c = 0; c < count; c++, value += stride) {
            const char *text = bytes + fields[c].at;
            if (skip[c] || (quick && read_short(text, fields[c].size, value)))
                continue;
            *value = mark_of(missing, text, fields[c].size);
        }
    }
}

#ifdef __SSE2__
OCK_SSSE3 static void read_rows_ssse3(const struct ock_csv_batch *batch,
                                      const struct ock_csv_table *table, size_t row, size_t row_end)
{
    read_rows(batch, table, row, row_end, ock_field_short_ssse3);
}
#endif

void ock_csv_read(const struct ock_csv_batch *batch, const struct ock_csv_table *table, size_t row,
                  size_t row_end)
{
#ifdef __SSE2__
    if (__builtin_cpu_supports("ssse3")) {
        read_rows_ssse3(batch, table, row, row_end);
        return;
    }
#endif
    read_rows(batch, table, row, row_end, ock_field_short);
}

enum ock_status ock_csv_examine(const struct ock_csv_batch *batch, struct ock_csv_table *table,
                                size_t c, size_t *row, struct ock_err *err)
{
    struct ock_csv_column *column = &table->columns[c];
    const double *values = batch->values + c * batch->stride;
    *row = 0;
    if (column->text)
        return OCK_OK;
    for (size_t r = ock_stats_finite(values, batch->count); r < batch->count; r++) {
        if (isfinite(values[r]))
            continue;
        if (is_text(&values[r])) {
            column->text = table->skip[c] = true;
            return OCK_OK;
        }
        if (isnan(values[r]))
            column->stats.missing++;
        else if (column->infinite_line == 0)
            column->infinite_line = batch->rows.items[batch->begin + r].line;
    }
    return ock_stats_add_all(&column->stats, values, batch->count, err);
}

/* A field of a column that is put, for errors. */
struct spot {
    const struct ock_csv_table *table;
    size_t c, line;
    const char *text;
    size_t size;
};

static struct spot spot_of(const struct ock_csv_batch *batch, const struct ock_csv_table *table,
                           size_t c, size_t r)
{
    struct spot spot = {.table = table, .c = c, .line = batch->rows.items[batch->begin + r].line};
    spot.text = ock_csv_field(&batch->rows, batch->begin + r, c, &spot.size);
    return spot;
}

static enum ock_status refuse_text(const struct spot *spot, struct ock_err *err)
{
    bool utf8 = ock_text_is_utf8(spot->text, spot->size);
    return ock_fail(
        err, OCK_INVALID,
        "line %zu, column %zu (\"%s\"): expected a number, as in training, got \"%.60s\"",
        spot->line, spot->c + 1, spot->table->names[spot->c],
        utf8 ? spot->text : "bytes that are not UTF-8");
}

static enum ock_status refuse_told(const struct spot *spot, struct ock_err *err)
{
    bool number = spot->table->places[spot->c].told == OCK_TOLD_NUMBER;
    bool utf8 = ock_text_is_utf8(spot->text, spot->size);
    return ock_fail(err, OCK_INVALID,
                    "line %zu, column %zu (\"%s\"): expected %s, as types says; found \"%.60s\"",
                    spot->line, spot->c + 1, spot->table->names[spot->c],
                    number ? "a number"
                           : "a boolean (true and false, yes and no, t and f, y and n or 1 and 0, "
                             "the same pair in all rows)",
                    utf8 ? spot->text : "bytes that are not UTF-8");
}

/* The pair of words that mean yes and no and that text is one of, -1: none. */
static int boolean_pair(const char *text)
{
    static const char *const pairs[][2] = {
        {"false", "true"}, {"no", "yes"}, {"f", "t"}, {"n", "y"}, {"0", "1"}};
    for (int p = 0; p < (int)(sizeof(pairs) / sizeof(pairs[0])); p++) {
        if (strcasecmp(text, pairs[p][0]) == 0 || strcasecmp(text, pairs[p][1]) == 0)
            return p;
    }
    return -1;
}

/* A text's code, provisional until the dictionary is sorted. */
static enum ock_status code_of(struct ock_csv_column *column, const struct spot *spot,
                               uint32_t *code, struct ock_err *err)
{
    int added;
    bool first = column->dictionary.count == 0;
    struct ock_err inner = {.status = OCK_OK};
    enum ock_status status =
        ock_dictionary_code(&column->dictionary, spot->text, spot->size, code, &added, &inner);
    if (status != OCK_OK)
        return ock_fail(err, status, "line %zu, column %zu (\"%s\"): %s", spot->line, spot->c + 1,
                        spot->table->names[spot->c], inner.text);
    if (!added)
        return OCK_OK;
    if (spot->table->places[spot->c].told == OCK_TOLD_BOOLEAN) {
        int pair = boolean_pair(spot->text);
        column->pair = first ? pair : column->pair;
        if (pair < 0 || pair != column->pair)
            return refuse_told(spot, err);
    }
    if (!ock_text_is_utf8(spot->text, spot->size))
        return ock_fail(err, OCK_INVALID,
                        "line %zu, column %zu (\"%s\"): the text is not UTF-8; convert the file",
                        spot->line, spot->c + 1, spot->table->names[spot->c]);
    return OCK_OK;
}

/* A field that may stand for a missing value, by its first byte; with words of the user's, any. */
static inline bool may_be_missing(const struct ock_missing *missing, const char *text)
{
    return missing || text[0] == '\0' || text[0] == '?' || (text[0] | 0x20) == 'n';
}

static enum ock_status put_codes(const struct ock_csv_batch *batch, struct ock_csv_table *table,
                                 size_t c, size_t *row, struct ock_err *err)
{
    struct ock_csv_column *column = &table->columns[c];
    uint32_t *codes = (uint32_t *)(void *)(batch->values + c * batch->stride);
    enum ock_status status = OCK_OK;
    if (column->dictionary.capacity == 0)
        ock_dictionary_init(&column->dictionary, &table->bump);
    for (size_t r = 0; r < batch->count && status == OCK_OK; r++) {
        size_t size;
        const char *text = ock_csv_field(&batch->rows, batch->begin + r, c, &size);
        if (may_be_missing(table->missing, text) &&
            ock_field_is_missing(table->missing, text, size)) {
            column->text_missing++;
            codes[r] = UINT32_MAX;
        } else if (!ock_dictionary_find(&column->dictionary, text, size, &codes[r])) {
            struct spot spot = spot_of(batch, table, c, r);
            *row = r;
            status = code_of(column, &spot, &codes[r], err);
        }
    }
    return status;
}

enum ock_status ock_csv_put(const struct ock_csv_batch *batch, struct ock_csv_table *table,
                            size_t c, size_t *row, struct ock_err *err)
{
    const struct ock_csv_place *place = &table->places[c];
    double *values = batch->values + c * batch->stride;
    *row = 0;
    if (place->text)
        return put_codes(batch, table, c, row, err);
    if (!place->number && place->told != OCK_TOLD_NUMBER) /* else it would be a category */
        return OCK_OK;
    for (size_t r = 0; r < batch->count; r++) {
        if (!is_text(&values[r]))
            continue;
        struct spot spot = spot_of(batch, table, c, r);
        *row = r;
        return place->told == OCK_TOLD_NUMBER ? refuse_told(&spot, err) : refuse_text(&spot, err);
    }
    return OCK_OK;
}
