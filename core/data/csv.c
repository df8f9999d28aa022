/* CSV to a dataset file, in two passes over the same bytes. The first decides every column's type
 * from all of its fields, so that no guess from the first lines has to be taken back; the second
 * puts the values where they belong. Memory grows with columns and distinct texts, not with rows.
 */
#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/limits.h"
#include "core/data/csv_scan.h"
#include "core/data/dictionary.h"
#include "core/data/field.h"
#include "core/data/formats.h"

enum { BLOCK_F32, BLOCK_F64, BLOCK_U32, BLOCKS };

struct column {
    struct ock_stats stats;
    bool text;            /* some field is neither a number nor missing: a category */
    bool number;          /* a model takes numbers here: a text is a fault */
    bool float32;         /* … as float32 */
    size_t infinite_line; /* of the first infinite number, 0: none */
    size_t block, offset;
    struct ock_dictionary dictionary; /* of a category, in the second pass */
    const char **values;              /* owned: sorted */
    size_t value_count;
};

struct table {
    struct column *columns; /* owned, [count] */
    size_t count;
    size_t rows;                     /* after the first row in the first pass; of data later */
    size_t row;                      /* second pass: the next one */
    bool header;                     /* the first row holds names */
    bool first_seen;                 /* in this pass */
    size_t first_line;               /* line of the first row */
    struct ock_buf first;            /* the first row's texts */
    size_t *first_begins;            /* owned, [count + 1] */
    struct ock_buf made;             /* names that the file does not have */
    const char **names;              /* owned, [count] */
    const struct ock_import *import; /* borrowed */
    struct ock_build_block blocks[BLOCKS];
};

static void table_deinit(struct table *table)
{
    for (size_t c = 0; table->columns && c < table->count; c++) {
        ock_stats_deinit(&table->columns[c].stats);
        ock_dictionary_deinit(&table->columns[c].dictionary);
        free(table->columns[c].values);
    }
    free(table->columns);
    free(table->first_begins);
    free(table->names);
    ock_buf_deinit(&table->first);
    ock_buf_deinit(&table->made);
}

static struct ock_csv_row first_row(const struct table *table)
{
    return (struct ock_csv_row){table->first_line, table->count, table->first.data,
                                table->first_begins};
}

/* Keeps the first row until it is known whether it holds names. */
static enum ock_status keep_first(struct table *table, const struct ock_csv_row *row,
                                  struct ock_err *err)
{
    if (row->count < 2 && !table->import->rows)
        return ock_fail(err, OCK_INVALID,
                        "line %zu: has one column, two are needed: a feature and a target; "
                        "is the delimiter another one?",
                        row->line);
    table->columns = calloc(row->count, sizeof(*table->columns));
    table->first_begins = malloc((row->count + 1) * sizeof(*table->first_begins));
    if (!table->columns || !table->first_begins)
        return ock_fail(err, OCK_NOMEM, "out of memory for %zu columns", row->count);
    table->count = row->count;
    table->first_line = row->line;
    table->first_seen = true;
    for (size_t c = 0; c < row->count; c++)
        ock_stats_init(&table->columns[c].stats, OCK_DISTINCT_MAX);
    memcpy(table->first_begins, row->begins, (row->count + 1) * sizeof(*row->begins));
    ock_buf_add(&table->first, row->texts, row->begins[row->count]);
    return ock_buf_status(&table->first, err);
}

/* First pass: what each column's fields are. */
static enum ock_status examine(struct table *table, const struct ock_csv_row *row,
                               struct ock_err *err)
{
    for (size_t c = 0; c < row->count; c++) {
        struct column *column = &table->columns[c];
        if (column->text)
            continue;
        size_t size;
        const char *text = ock_csv_field(row, c, &size);
        double value = 0;
        enum ock_field field = ock_field_read(text, size, &value);
        if (field == OCK_FIELD_TEXT) {
            column->text = true;
        } else if (field == OCK_FIELD_MISSING) {
            column->stats.missing++;
        } else if (field == OCK_FIELD_INFINITE) {
            if (column->infinite_line == 0)
                column->infinite_line = row->line;
        } else {
            enum ock_status status = ock_stats_add(&column->stats, value, err);
            if (status != OCK_OK)
                return status;
        }
    }
    return OCK_OK;
}

static enum ock_status on_first_pass(void *ctx, const struct ock_csv_row *row, struct ock_err *err)
{
    struct table *table = ctx;
    if (!table->first_seen)
        return keep_first(table, row, err);
    if (row->count != table->count)
        return ock_fail(err, OCK_INVALID, "line %zu, column %zu: has %zu fields, line %zu has %zu",
                        row->line, (row->count < table->count ? row->count : table->count) + 1,
                        row->count, table->first_line, table->count);
    size_t rows_max = table->import->rows_max ? table->import->rows_max : OCK_ROWS_MAX;
    if (table->rows == rows_max)
        return ock_fail(err, OCK_LIMIT, "line %zu: there are more than %zu rows, the limit",
                        row->line, rows_max);
    table->rows++;
    return examine(table, row, err);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A name that stands twice among names [count], or NULL. Errors: NOMEM. */
static enum ock_status find_twice(const char *const *names, size_t count, const char **twice,
                                  struct ock_err *err)
{
    assert(count > 0);
    const char **sorted = calloc(count, sizeof(char *));
    if (!sorted)
        return ock_fail(err, OCK_NOMEM, "out of memory for %zu names", count);
    memcpy(sorted, names, count * sizeof(*sorted));
    qsort(sorted, count, sizeof(*sorted), by_text);
    *twice = NULL;
    for (size_t i = 1; i < count && !*twice; i++) {
        if (strcmp(sorted[i - 1], sorted[i]) == 0)
            *twice = sorted[i];
    }
    free(sorted);
    return OCK_OK;
}

/* How the first row's fields compare with the columns below them. */
struct look {
    bool all_text;      /* no field is a number */
    bool numbers_below; /* some column has nothing but numbers below the first row */
    bool odd_text;      /* and the first row's field there is text */
    bool fit;           /* no field is too long for a name */
};

static struct look look_at_first(const struct table *table)
{
    struct ock_csv_row row = first_row(table);
    struct look look = {.all_text = true, .fit = true};
    for (size_t c = 0; c < row.count; c++) {
        size_t size;
        const char *text = ock_csv_field(&row, c, &size);
        double value;
        enum ock_field field = ock_field_read(text, size, &value);
        bool numbers = !table->columns[c].text && table->columns[c].stats.count > 0;
        look.all_text &= field == OCK_FIELD_TEXT || field == OCK_FIELD_MISSING;
        look.numbers_below |= numbers;
        look.odd_text |= numbers && field == OCK_FIELD_TEXT;
        look.fit &= size < OCK_NAME_BYTES_MAX;
        table->names[c] = text;
    }
    return look;
}

/* Does the first row hold names? Yes if all of it is text and some column is numbers below it, or
 * all names are different. And if all names are different and one is text over numbers, as in
 * "id,2019,2020". */
static enum ock_status guess_header(struct table *table, struct ock_err *err)
{
    struct look look = look_at_first(table);
    const char *twice = NULL;
    enum ock_status status = find_twice(table->names, table->count, &twice, err);
    bool different = !twice;
    const struct ock_row_columns *rows = table->import->rows;
    bool named = false;
    for (size_t c = 0; rows && c < table->count && !named; c++)
        named = ock_row_columns_has(rows, table->names[c]);
    if (rows)
        table->header = look.fit && (named || (look.odd_text && different));
    else if (look.all_text)
        table->header = look.fit && (look.numbers_below || different);
    else
        table->header = look.fit && look.odd_text && different;
    return status;
}

/* Names from the first row, or c0, c1, …; a column without a name is called by its place too. */
static enum ock_status name_columns(struct table *table, struct ock_err *err)
{
    struct ock_csv_row row = first_row(table);
    size_t *made = malloc(table->count * sizeof(*made));
    if (!made)
        return ock_fail(err, OCK_NOMEM, "out of memory for %zu names", table->count);
    enum ock_status status = OCK_OK;
    for (size_t c = 0; c < table->count && status == OCK_OK; c++) {
        size_t size;
        table->names[c] = ock_csv_field(&row, c, &size);
        made[c] = SIZE_MAX;
        if (!table->header || size == 0) {
            made[c] = table->made.size;
            ock_buf_printf(&table->made, "c%zu", c);
            ock_buf_putc(&table->made, '\0');
        } else if (size >= OCK_NAME_BYTES_MAX) {
            status = ock_fail(err, OCK_INVALID,
                              "line %zu, column %zu: the name is longer than %u bytes, the limit",
                              row.line, c + 1, OCK_NAME_BYTES_MAX - 1);
        } else if (!ock_text_is_utf8(table->names[c], size)) {
            status = ock_fail(err, OCK_INVALID,
                              "line %zu, column %zu: the name is not UTF-8; convert the file",
                              row.line, c + 1);
        }
    }
    if (status == OCK_OK)
        status = ock_buf_status(&table->made, err);
    for (size_t c = 0; c < table->count && status == OCK_OK; c++) {
        if (made[c] != SIZE_MAX)
            table->names[c] = table->made.data + made[c];
    }
    free(made);
    const char *twice = NULL;
    if (status == OCK_OK)
        status = find_twice(table->names, table->count, &twice, err);
    if (status == OCK_OK && twice)
        status = ock_fail(err, OCK_INVALID, "line %zu: two columns are named \"%s\"; rename one",
                          row.line, twice);
    return status;
}

/* The types that a model's columns had when it was trained. */
static enum ock_status take_types(struct table *table, struct ock_err *err)
{
    const struct ock_row_columns *rows = table->import->rows;
    if (!rows)
        return OCK_OK;
    size_t *places = malloc((rows->count + 1) * sizeof(*places));
    if (!places)
        return ock_fail(err, OCK_NOMEM, "out of memory for %zu columns", rows->count);
    enum ock_status status = ock_row_columns_find(rows, table->names, table->count, places, err);
    for (size_t i = 0; i < rows->count && status == OCK_OK; i++) {
        struct column *column = &table->columns[places[i]];
        column->text = rows->items[i].category;
        column->number = !rows->items[i].category;
        column->float32 = column->number && rows->items[i].float32;
    }
    free(places);
    return status;
}

static size_t block_of(const struct column *column)
{
    if (column->text)
        return BLOCK_U32;
    bool wide = column->number || ock_stats_storage(&column->stats) == OCK_STORE_F64;
    return wide ? BLOCK_F64 : BLOCK_F32;
}

/* Between the passes: names, types, places. */
static enum ock_status decide(struct table *table, struct ock_err *err)
{
    if (!table->first_seen)
        return ock_fail(err, OCK_INVALID, "the file is empty");
    table->names = calloc(table->count, sizeof(*table->names));
    if (!table->names)
        return ock_fail(err, OCK_NOMEM, "out of memory for %zu columns", table->count);
    enum ock_status status = OCK_OK;
    table->header = table->import->header == OCK_HEADER_YES;
    if (table->import->header == OCK_HEADER_AUTO)
        status = guess_header(table, err);
    if (status == OCK_OK)
        status = name_columns(table, err);
    if (status != OCK_OK)
        return status;
    if (table->header && table->rows == 0)
        return ock_fail(err, OCK_INVALID, "the file has a header but no rows");
    if (!table->header) {
        struct ock_csv_row row = first_row(table);
        table->rows++;
        status = examine(table, &row, err);
    }
    if (status == OCK_OK)
        status = take_types(table, err);
    table->blocks[BLOCK_F32].storage = OCK_STORE_F32;
    table->blocks[BLOCK_F64].storage = OCK_STORE_F64;
    table->blocks[BLOCK_U32].storage = OCK_STORE_U32;
    for (size_t c = 0; c < table->count && status == OCK_OK; c++) {
        struct column *column = &table->columns[c];
        column->block = block_of(column);
        column->offset = table->blocks[column->block].width++;
        if (!column->text && column->infinite_line > 0)
            status = ock_fail(err, OCK_INVALID,
                              "line %zu, column \"%s\": an infinite number; mark what is missing "
                              "by an empty field",
                              column->infinite_line, table->names[c]);
        if (column->text) {
            column->stats.missing = 0;
            ock_dictionary_init(&column->dictionary);
        }
    }
    return status;
}

/* A text's code, provisional until the dictionary is sorted. */
static enum ock_status put_text(struct table *table, size_t c, const struct ock_csv_row *row,
                                const char *text, size_t size, struct ock_err *err)
{
    struct column *column = &table->columns[c];
    uint32_t code;
    int added;
    struct ock_err inner = {.status = OCK_OK};
    enum ock_status status =
        ock_dictionary_code(&column->dictionary, text, size, &code, &added, &inner);
    if (status != OCK_OK)
        return ock_fail(err, status, "line %zu, column \"%s\": %s", row->line, table->names[c],
                        inner.text);
    if (added && !ock_text_is_utf8(text, size))
        return ock_fail(err, OCK_INVALID,
                        "line %zu, column \"%s\": the text is not UTF-8; convert the file",
                        row->line, table->names[c]);
    const struct ock_build_block *block = &table->blocks[BLOCK_U32];
    ((uint32_t *)(void *)block->data)[table->row * block->width + column->offset] = code;
    return OCK_OK;
}

static enum ock_status refuse_text(const struct table *table, size_t c,
                                   const struct ock_csv_row *row, const char *text,
                                   struct ock_err *err)
{
    bool utf8 = ock_text_is_utf8(text, strlen(text));
    return ock_fail(
        err, OCK_INVALID,
        "line %zu, column %zu (\"%s\"): expected a number, as in training, got \"%.60s\"",
        row->line, c + 1, table->names[c], utf8 ? text : "bytes that are not UTF-8");
}

static enum ock_status on_second_pass(void *ctx, const struct ock_csv_row *row, struct ock_err *err)
{
    struct table *table = ctx;
    if (!table->first_seen && table->header) {
        table->first_seen = true;
        return OCK_OK;
    }
    table->first_seen = true;
    if (table->row == table->rows || row->count != table->count)
        return ock_fail(err, OCK_IO, "the file was changed while it was read");
    for (size_t c = 0; c < row->count; c++) {
        struct column *column = &table->columns[c];
        size_t size;
        const char *text = ock_csv_field(row, c, &size);
        double value = (double)NAN;
        enum ock_field field = ock_field_read(text, size, &value);
        if (column->number && field == OCK_FIELD_TEXT) {
            return refuse_text(table, c, row, text, err);
        } else if (!column->text) {
            value = column->float32 ? (double)(float)value : value;
            ock_put_number(&table->blocks[column->block], table->row, column->offset, value);
        } else if (field == OCK_FIELD_MISSING) {
            const struct ock_build_block *block = &table->blocks[BLOCK_U32];
            ((uint32_t *)(void *)block->data)[table->row * block->width + column->offset] =
                UINT32_MAX;
            column->stats.missing++;
        } else {
            enum ock_status status = put_text(table, c, row, text, size, err);
            if (status != OCK_OK)
                return status;
        }
    }
    table->row++;
    return OCK_OK;
}

/* Sorts a category's values and gives its codes their places. */
static enum ock_status sort_category(struct table *table, struct column *column,
                                     struct ock_err *err)
{
    size_t count = column->dictionary.count;
    uint32_t *codes = malloc((count + 1) * sizeof(*codes));
    column->values = malloc((count + 1) * sizeof(*column->values));
    enum ock_status status = OCK_OK;
    if (!codes || !column->values)
        status = ock_fail(err, OCK_NOMEM, "out of memory for a column's texts");
    else
        status = ock_dictionary_sort(&column->dictionary, column->values, codes,
                                     &column->value_count, err);
    const struct ock_build_block *block = &table->blocks[BLOCK_U32];
    uint32_t *data = (uint32_t *)(void *)block->data;
    for (size_t row = 0; status == OCK_OK && row < table->rows; row++) {
        uint32_t *code = &data[row * block->width + column->offset];
        if (*code != UINT32_MAX)
            *code = codes[*code];
    }
    free(codes);
    return status;
}

static enum ock_status write_table(struct table *table, struct ock_builder *builder, size_t target,
                                   struct ock_err *err)
{
    enum ock_status status = OCK_OK;
    struct ock_build_column *columns = calloc(table->count, sizeof(*columns));
    if (!columns)
        return ock_fail(err, OCK_NOMEM, "out of memory for %zu columns", table->count);
    for (size_t c = 0; c < table->count && status == OCK_OK; c++) {
        struct column *column = &table->columns[c];
        if (column->text)
            status = sort_category(table, column, err);
        columns[c] = (struct ock_build_column){.name = table->names[c],
                                               .type = column->text ? OCK_COLUMN_CATEGORY
                                                                    : OCK_COLUMN_NUMBER,
                                               .block = column->block,
                                               .offset = column->offset,
                                               .stats = &column->stats,
                                               .values = column->values,
                                               .value_count = column->value_count};
    }
    struct ock_build_schema schema = {
        .format = OCK_FILE_CSV, .column_count = table->count, .columns = columns, .target = target};
    if (status == OCK_OK)
        status = ock_builder_finish(builder, &schema, err);
    free(columns);
    return status;
}

static enum ock_status find_target(const struct table *table, const struct ock_import *import,
                                   size_t *target, struct ock_err *err)
{
    *target = SIZE_MAX;
    if (import->rows)
        return OCK_OK;
    if (import->target)
        return ock_find_target(table->names, table->count, import->target, target, err);
    *target = ock_guess_target(table->names, table->count);
    return OCK_OK;
}

enum ock_status ock_csv_import(const struct ock_import *import, struct ock_reader *reader,
                               struct ock_err *err)
{
    struct table table = {.import = import};
    struct ock_builder builder = {.file.fd = -1, .fd = -1};
    char delimiter = import->delimiter;
    size_t target = SIZE_MAX;
    ock_buf_init(&table.first, OCK_GIB);
    ock_buf_init(&table.made, OCK_GIB);

    enum ock_status status = OCK_OK;
    if (!delimiter)
        status = ock_csv_delimiter(reader, &delimiter, err);
    if (status == OCK_OK)
        status = ock_csv_scan(reader, delimiter, on_first_pass, &table, err);
    if (status == OCK_OK)
        status = decide(&table, err);
    if (status == OCK_OK)
        status = find_target(&table, import, &target, err);
    if (status == OCK_OK)
        status = ock_builder_open(&builder, import->out, table.rows, table.blocks, BLOCKS, err);
    builder.file.quick = import->rows != NULL;
    table.first_seen = false;
    if (status == OCK_OK)
        status = ock_csv_scan(reader, delimiter, on_second_pass, &table, err);
    if (status == OCK_OK && table.row != table.rows)
        status = ock_fail(err, OCK_IO, "the file was changed while it was read");
    if (status == OCK_OK)
        status = write_table(&table, &builder, target, err);
    ock_builder_discard(&builder);
    table_deinit(&table);
    return status;
}
