/* What the training rows say of each column: means, values and how often they stand there. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/data/encoder_private.h"

struct fit {
    const struct ock_dataset *train;
    const uint32_t *rows;
    size_t row_count;
    size_t rare; /* values in fewer rows are */
};

/* A value of a category and the rows that have it. */
struct value {
    size_t code, count;
};

static bool is_plain(const struct ock_column *column)
{
    return column->type == OCK_COLUMN_BYTE ||
           (column->type == OCK_COLUMN_NUMBER && column->missing == 0);
}

bool ock_encoder_is_plain(const struct ock_dataset *train, const size_t *columns, size_t count)
{
    const struct ock_schema *schema = ock_dataset_schema(train);
    for (size_t i = 0; i < count && !schema->sparse; i++) {
        if (!is_plain(&schema->columns[columns[i]]))
            return false;
    }
    return true;
}

/* Mean of the values that are there, in the rows' order; 0 without any. */
static void fit_number(const struct fit *fit, size_t column, struct ock_encoding *encoding)
{
    double sum = 0;
    size_t count = 0;
    for (size_t i = 0; i < fit->row_count; i++) {
        double value = ock_dataset_number(fit->train, column, fit->rows[i]);
        if (isnan(value))
            continue;
        sum += value;
        count++;
    }
    double mean = count > 0 ? sum / (double)count : 0;
    encoding->fill = isfinite(mean) ? mean : 0;
    encoding->missing = count < fit->row_count;
}

/* counts [value_count + 1]: rows with each code, and at the end those without one. */
static enum ock_status count_codes(const struct fit *fit, size_t column, size_t *counts,
                                   struct ock_err *err)
{
    const struct ock_column *of = &ock_dataset_schema(fit->train)->columns[column];
    for (size_t i = 0; i < fit->row_count; i++) {
        double code = ock_dataset_number(fit->train, column, fit->rows[i]);
        if (code >= (double)of->value_count && code != (double)UINT32_MAX)
            return ock_fail(err, OCK_CORRUPT, "a category's code is out of range");
        counts[code == (double)UINT32_MAX ? of->value_count : (size_t)code]++;
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

static int by_code(const void *a, const void *b)
{
    const struct value *x = a;
    const struct value *y = b;
    return (x->code > y->code) - (x->code < y->code);
}

/* The values that are worth a feature, the most frequent ones, back in the file's order. */
static enum ock_status keep_values(const struct fit *fit, const struct ock_column *column,
                                   const size_t *counts, struct ock_encoding *encoding,
                                   struct ock_err *err)
{
    size_t count = 0, others = 0;
    struct value *values = malloc((column->value_count + 1) * sizeof(*values));
    const char **kept = malloc((OCK_CATEGORY_VALUES_MAX + 1) * sizeof(*kept));
    if (!values || !kept) {
        free(values);
        free(kept);
        return ock_fail(err, OCK_NOMEM, "out of memory for the values of \"%.100s\"", column->name);
    }
    for (size_t code = 0; code < column->value_count; code++) {
        if (counts[code] >= fit->rare)
            values[count++] = (struct value){code, counts[code]};
        else
            others += counts[code];
    }
    qsort(values, count, sizeof(*values), by_count);
    for (; count > OCK_CATEGORY_VALUES_MAX; count--)
        others += values[count - 1].count;
    qsort(values, count, sizeof(*values), by_code);
    for (size_t i = 0; i < count; i++)
        kept[i] = column->values[values[i].code];
    encoding->values = kept;
    encoding->value_count = count;
    encoding->other = others > 0;
    free(values);
    return OCK_OK;
}

static enum ock_status fit_category(const struct fit *fit, size_t index,
                                    struct ock_encoding *encoding, struct ock_err *err)
{
    const struct ock_column *column = &ock_dataset_schema(fit->train)->columns[index];
    size_t *counts = calloc(column->value_count + 1, sizeof(*counts));
    if (!counts)
        return ock_fail(err, OCK_NOMEM, "out of memory for the values of \"%.100s\"", column->name);
    enum ock_status status = count_codes(fit, index, counts, err);
    encoding->missing = counts[column->value_count] > 0;
    if (status == OCK_OK && encoding->kind == OCK_ENCODE_CATEGORY)
        status = keep_values(fit, column, counts, encoding, err);
    free(counts);
    return status;
}

static enum ock_status fit_column(const struct fit *fit, size_t index,
                                  struct ock_encoding *encoding, struct ock_err *err)
{
    const struct ock_schema *schema = ock_dataset_schema(fit->train);
    const struct ock_column *column = &schema->columns[index];
    *encoding = (struct ock_encoding){.name = column->name};
    switch (column->type) {
    case OCK_COLUMN_BYTE:
        encoding->kind = OCK_ENCODE_BYTE;
        return OCK_OK;
    case OCK_COLUMN_NUMBER:
        encoding->kind = OCK_ENCODE_NUMBER;
        if (!schema->sparse) /* what sparse rows do not name is 0 */
            fit_number(fit, index, encoding);
        return OCK_OK;
    case OCK_COLUMN_CATEGORY:
        break;
    }
    encoding->kind = column->boolean ? OCK_ENCODE_BOOLEAN : OCK_ENCODE_CATEGORY;
    return fit_category(fit, index, encoding, err);
}

enum ock_status ock_encoder_fit(struct ock_encoder *out, const struct ock_dataset *train,
                                const size_t *columns, size_t count, const uint32_t *rows,
                                size_t row_count, struct ock_err *err)
{
    struct fit fit = {.train = train, .rows = rows, .row_count = row_count};
    fit.rare = row_count / 100 < OCK_CATEGORY_ROWS_MIN ? row_count / 100 : OCK_CATEGORY_ROWS_MIN;
    fit.rare = fit.rare < 2 ? 2 : fit.rare;
    struct ock_encoding *encodings = calloc(count + 1, sizeof(*encodings));
    if (!encodings)
        return ock_fail(err, OCK_NOMEM, "out of memory for the encoder");
    enum ock_status status = OCK_OK;
    for (size_t i = 0; i < count && status == OCK_OK; i++)
        status = fit_column(&fit, columns[i], &encodings[i], err);
    if (status == OCK_OK)
        status = ock_encoder_make(out, encodings, count, err);
    for (size_t i = 0; i < count; i++)
        free((void *)(uintptr_t)encodings[i].values);
    free(encodings);
    return status;
}
