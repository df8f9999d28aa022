/* What the training rows say of each column: means, values and how often they stand there. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/data/encoder_private.h"

enum { CHUNK_ROWS = 4096 };

/* What the training rows say of a column. */
struct tally {
    size_t column;
    size_t count; /* rows that have a value */
    double sum, first;
    bool constant;
    uint32_t *codes; /* owned: categories: [value_count] rows with each code */
};

struct fit {
    const struct ock_dataset *train;
    const uint32_t *rows;
    size_t row_count;
    size_t rare; /* values in fewer rows are */
};

/* A value of a category and the rows that have it. */
struct value {
    const char *text;
    size_t code, count;
};

bool ock_encoder_is_plain(const struct ock_dataset *train, size_t column)
{
    const struct ock_schema *schema = ock_dataset_schema(train);
    const struct ock_column *of = &schema->columns[column];
    return schema->sparse || of->type == OCK_COLUMN_BYTE ||
           (of->type == OCK_COLUMN_NUMBER && of->missing == 0);
}

static void add_number(struct tally *tally, double value)
{
    if (isnan(value))
        return;
    if (tally->count == 0)
        tally->first = value;
    tally->constant = tally->constant && value == tally->first;
    tally->sum += value;
    tally->count++;
}

static enum ock_status add_rows(const struct fit *fit, size_t begin, size_t end,
                                struct tally *tally, struct ock_err *err)
{
    const struct ock_column *column = &ock_dataset_schema(fit->train)->columns[tally->column];
    for (size_t i = begin; i < end; i++) {
        double value = ock_dataset_number(fit->train, tally->column, fit->rows[i]);
        if (!tally->codes) {
            add_number(tally, value);
        } else if (value < (double)column->value_count) {
            tally->codes[(size_t)value]++;
            tally->count++;
        } else if (value != (double)UINT32_MAX) {
            return ock_fail(err, OCK_CORRUPT, "a category's code is out of range");
        }
    }
    return OCK_OK;
}

/* One pass over the rows, some at a time: a row's columns lie side by side, and the file may be
 * larger than memory. */
static enum ock_status read_rows(const struct fit *fit, struct tally *tallies, size_t count,
                                 struct ock_err *err)
{
    const struct ock_schema *schema = ock_dataset_schema(fit->train);
    if (schema->sparse) /* what sparse rows do not name is 0 */
        return OCK_OK;
    for (size_t begin = 0; begin < fit->row_count; begin += CHUNK_ROWS) {
        size_t left = fit->row_count - begin;
        size_t end = begin + (left < CHUNK_ROWS ? left : CHUNK_ROWS);
        for (size_t i = 0; i < count; i++) {
            if (schema->columns[tallies[i].column].type == OCK_COLUMN_BYTE)
                continue;
            enum ock_status status = add_rows(fit, begin, end, &tallies[i], err);
            if (status != OCK_OK)
                return status;
        }
    }
    return OCK_OK;
}

static int by_count(const void *a, const void *b)
{
    const struct value *x = a;
    const struct value *y = b;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return (x->code > y->code) - (x->code < y->code);
}

static int by_text(const void *a, const void *b)
{
    const struct value *x = a;
    const struct value *y = b;
    return strcmp(x->text, y->text);
}

/* The values that are worth a feature, the most frequent ones, sorted by their bytes. */
static enum ock_status keep_values(const struct fit *fit, const struct tally *tally,
                                   struct ock_encoding *encoding, struct ock_err *err)
{
    const struct ock_column *column = &ock_dataset_schema(fit->train)->columns[tally->column];
    size_t count = 0, kept = 0;
    struct value *values = malloc((column->value_count + 1) * sizeof(*values));
    const char **texts = malloc((OCK_CATEGORY_VALUES_MAX + 1) * sizeof(*texts));
    if (!values || !texts) {
        free(values);
        free(texts);
        return ock_fail(err, OCK_NOMEM, "out of memory for the values of \"%.100s\"", column->name);
    }
    for (size_t code = 0; code < column->value_count; code++) {
        if (tally->codes[code] >= fit->rare)
            values[count++] = (struct value){column->values[code], code, tally->codes[code]};
    }
    qsort(values, count, sizeof(*values), by_count);
    if (count > OCK_CATEGORY_VALUES_MAX)
        count = OCK_CATEGORY_VALUES_MAX;
    qsort(values, count, sizeof(*values), by_text);
    for (size_t i = 0; i < count; i++) {
        texts[i] = values[i].text;
        kept += values[i].count;
    }
    encoding->values = texts;
    encoding->value_count = count;
    encoding->other = kept < tally->count;
    free(values);
    return OCK_OK;
}

static enum ock_status fit_column(const struct fit *fit, const struct tally *tally,
                                  struct ock_encoding *encoding, struct ock_err *err)
{
    const struct ock_schema *schema = ock_dataset_schema(fit->train);
    const struct ock_column *column = &schema->columns[tally->column];
    *encoding = (struct ock_encoding){.name = column->name};
    if (column->type == OCK_COLUMN_BYTE) {
        encoding->kind = OCK_ENCODE_BYTE;
        return OCK_OK;
    }
    encoding->missing = !schema->sparse && tally->count < fit->row_count;
    if (column->type == OCK_COLUMN_NUMBER) {
        double mean = tally->count > 0 ? tally->sum / (double)tally->count : 0;
        encoding->kind = OCK_ENCODE_NUMBER;
        encoding->fill = tally->constant ? tally->first : isfinite(mean) ? mean : 0;
        return OCK_OK;
    }
    encoding->kind = column->boolean ? OCK_ENCODE_BOOLEAN : OCK_ENCODE_CATEGORY;
    return column->boolean ? OCK_OK : keep_values(fit, tally, encoding, err);
}

static enum ock_status make_tallies(const struct fit *fit, const size_t *columns, size_t count,
                                    struct tally **out, struct ock_err *err)
{
    const struct ock_schema *schema = ock_dataset_schema(fit->train);
    struct tally *tallies = calloc(count + 1, sizeof(*tallies));
    *out = tallies;
    if (!tallies)
        return ock_fail(err, OCK_NOMEM, "out of memory for the encoder");
    for (size_t i = 0; i < count; i++) {
        const struct ock_column *column = &schema->columns[columns[i]];
        tallies[i] = (struct tally){.column = columns[i], .constant = true};
        if (column->type != OCK_COLUMN_CATEGORY)
            continue;
        tallies[i].codes = calloc(column->value_count + 1, sizeof(*tallies[i].codes));
        if (!tallies[i].codes)
            return ock_fail(err, OCK_NOMEM, "out of memory for the values of \"%.100s\"",
                            column->name);
    }
    return OCK_OK;
}

static void free_tallies(struct tally *tallies, size_t count)
{
    for (size_t i = 0; tallies && i < count; i++)
        free(tallies[i].codes);
    free(tallies);
}

enum ock_status ock_encoder_fit(struct ock_encoder *out, const struct ock_dataset *train,
                                const size_t *columns, size_t count, const uint32_t *rows,
                                size_t row_count, struct ock_err *err)
{
    struct fit fit = {.train = train, .rows = rows, .row_count = row_count};
    struct tally *tallies = NULL;
    fit.rare = row_count / 100 < OCK_CATEGORY_ROWS_MIN ? row_count / 100 : OCK_CATEGORY_ROWS_MIN;
    fit.rare = fit.rare < 2 ? 2 : fit.rare;
    struct ock_encoding *encodings = calloc(count + 1, sizeof(*encodings));
    if (!encodings)
        return ock_fail(err, OCK_NOMEM, "out of memory for the encoder");
    enum ock_status status = make_tallies(&fit, columns, count, &tallies, err);
    if (status == OCK_OK)
        status = read_rows(&fit, tallies, count, err);
    for (size_t i = 0; i < count && status == OCK_OK; i++)
        status = fit_column(&fit, &tallies[i], &encodings[i], err);
    if (status == OCK_OK)
        status = ock_encoder_make(out, encodings, count, err);
    for (size_t i = 0; i < count; i++)
        free((void *)(uintptr_t)encodings[i].values);
    free(encodings);
    free_tallies(tallies, count);
    return status;
}
