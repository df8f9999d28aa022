/* CSV to a dataset file, in two passes over the same bytes. The first decides every column's type
 * from all of its fields, so that no guess from the first lines has to be taken back; the second
 * puts the values where they belong. Memory grows with columns and distinct texts, not with rows.
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/limits.h"
#include "core/data/csv_table.h"
#include "core/data/field.h"
#include "core/data/formats.h"

static void table_deinit(struct ock_csv_table *table)
{
    for (size_t c = 0; table->columns && c < table->count; c++) {
        ock_stats_deinit(&table->columns[c].stats);
        ock_dictionary_deinit(&table->columns[c].dictionary);
        free(table->columns[c].values);
    }
    free(table->columns);
    free(table->first_fields);
    ock_column_types_deinit(&table->types);
    free(table->names);
    ock_buf_deinit(&table->first);
    ock_buf_deinit(&table->made);
}

/* Keeps the first row until it is known whether it holds names. */
static enum ock_status keep_first(struct ock_csv_table *table, const struct ock_csv_row *row,
                                  struct ock_err *err)
{
    if (row->count < 2 && !table->import->rows)
        return ock_fail(
            err, OCK_INVALID,
            "line %zu, column 1: has one field, two are needed: a feature and a target; "
            "is the delimiter another one?",
            row->line);
    table->columns = calloc(row->count, sizeof(*table->columns));
    table->first_fields = malloc(row->count * sizeof(*table->first_fields));
    if (!table->columns || !table->first_fields)
        return ock_fail(err, OCK_NOMEM, "out of memory for %zu columns", row->count);
    table->count = row->count;
    table->first_line = row->line;
    table->first_seen = true;
    for (size_t c = 0; c < row->count; c++)
        ock_stats_init(&table->columns[c].stats, ock_distinct_share(row->count));
    memcpy(table->first_fields, row->fields, row->count * sizeof(*row->fields));
    for (size_t c = 0; c < row->count; c++)
        ock_buf_add(&table->first, row->fields[c].text, row->fields[c].size + 1);
    ock_buf_add(&table->first, (const char[OCK_FIELD_PADDING]){0}, OCK_FIELD_PADDING);
    enum ock_status status = ock_buf_status(&table->first, err);
    char *text = table->first.data;
    for (size_t c = 0; c < row->count && status == OCK_OK; c++) {
        table->first_fields[c].text = text;
        text += row->fields[c].size + 1;
    }
    return status;
}

enum { PARALLEL_FIELDS = 4096 }; /* fewer are done sooner than threads are told of them */

/* Rows at work. */
struct batch {
    struct ock_csv_table *table;
    const struct ock_csv_row *rows;
    size_t count;
};

/* Does the work of one column; *row is where it failed. */
typedef enum ock_status column_fn(const struct batch *batch, size_t c, size_t *row,
                                  struct ock_err *err);

struct fault {
    size_t row, column;
    struct ock_err err;
};

static void work_column(const struct batch *batch, column_fn *work, size_t c, struct fault *first)
{
    struct fault fault = {.column = c};
    if (work(batch, c, &fault.row, &fault.err) == OCK_OK)
        return;
#pragma omp critical(ock_csv_fault)
    if (fault.row < first->row || (fault.row == first->row && c < first->column))
        *first = fault;
}

/* All columns, shared out among the threads: each column is one thread's, its rows come in order,
 * and of faults the first in the file is told, so the number of threads changes nothing. */
static enum ock_status for_columns(const struct batch *batch, column_fn *work, struct ock_err *err)
{
    struct fault first = {.row = SIZE_MAX, .column = SIZE_MAX};
    size_t columns = batch->table->count;
    int threads = batch->table->import->threads;
    if (threads > 1 && columns > 1 && columns * batch->count >= PARALLEL_FIELDS) {
#pragma omp parallel for schedule(static) num_threads(threads) default(none) shared(first)         \
    firstprivate(batch, work, columns)
        for (size_t c = 0; c < columns; c++)
            work_column(batch, work, c, &first);
    } else {
        for (size_t c = 0; c < columns; c++)
            work_column(batch, work, c, &first);
    }
    if (first.row == SIZE_MAX)
        return OCK_OK;
    return ock_fail(err, first.err.status, "%s", first.err.text);
}

/* First pass: what a column's fields are. */
static enum ock_status examine(const struct batch *batch, size_t c, size_t *row_at,
                               struct ock_err *err)
{
    struct ock_csv_column *column = &batch->table->columns[c];
    const struct ock_missing *missing = batch->table->missing;
    enum ock_status status = OCK_OK;
    for (size_t r = 0; r < batch->count && !column->text && status == OCK_OK; r++) {
        const struct ock_csv_row *row = &batch->rows[r];
        size_t size;
        const char *text = ock_csv_field(row, c, &size);
        double value = 0;
        enum ock_field field = ock_field_read_padded(missing, text, size, &value);
        *row_at = r;
        if (field == OCK_FIELD_TEXT)
            column->text = true;
        else if (field == OCK_FIELD_MISSING)
            column->stats.missing++;
        else if (field == OCK_FIELD_NUMBER)
            status = ock_stats_add(&column->stats, value, err);
        else if (column->infinite_line == 0)
            column->infinite_line = row->line;
    }
    return status;
}

static enum ock_status on_first_pass(void *ctx, const struct ock_csv_row *rows, size_t count,
                                     struct ock_err *err)
{
    struct ock_csv_table *table = ctx;
    size_t r = table->first_seen ? 0 : 1;
    enum ock_status status = table->first_seen ? OCK_OK : keep_first(table, &rows[0], err);
    if (status != OCK_OK)
        return status;
    size_t rows_max = table->import->rows_max ? table->import->rows_max : OCK_ROWS_MAX;
    struct batch batch = {.table = table, .rows = rows + r};
    while (r < count && rows[r].count == table->count && table->rows < rows_max) {
        table->rows++;
        batch.count++;
        r++;
    }
    status = for_columns(&batch, examine, err);
    if (status != OCK_OK || r == count)
        return status;
    size_t found = rows[r].count;
    if (found != table->count)
        return ock_fail(err, OCK_INVALID,
                        "line %zu, column %zu: has %zu field%s, expected the %zu of line %zu",
                        rows[r].line, (found < table->count ? found : table->count) + 1, found,
                        found == 1 ? "" : "s", table->count, table->first_line);
    return ock_fail(err, OCK_LIMIT, "line %zu: there are more than %zu rows, the limit",
                    rows[r].line, rows_max);
}

/* Gives the told columns their types. */
static enum ock_status apply_types(struct ock_csv_table *table, struct ock_err *err)
{
    for (size_t i = 0; i < table->types.count; i++) {
        const struct ock_told_type *item = &table->types.items[i];
        struct ock_err inner = {.status = OCK_OK};
        size_t c = 0;
        enum ock_status status =
            ock_find_target(table->names, table->count, item->column, &c, &inner);
        if (status != OCK_OK)
            return ock_fail(err, status, "types: %s", inner.text);
        struct ock_csv_column *column = &table->columns[c];
        if (column->told != OCK_TOLD_NOTHING)
            return ock_fail(err, OCK_INVALID, "types: the column \"%s\" stands twice",
                            table->names[c]);
        column->told = item->type;
        column->text = item->type != OCK_TOLD_NUMBER;
    }
    return OCK_OK;
}

/* The types that a model's columns had when it was trained. */
static enum ock_status take_types(struct ock_csv_table *table, struct ock_err *err)
{
    const struct ock_row_columns *rows = table->import->rows;
    if (!rows)
        return OCK_OK;
    size_t *places = malloc((rows->count + 1) * sizeof(*places));
    if (!places)
        return ock_fail(err, OCK_NOMEM, "out of memory for %zu columns", rows->count);
    enum ock_status status = ock_row_columns_find(rows, table->names, table->count, places, err);
    for (size_t i = 0; i < rows->count && status == OCK_OK; i++) {
        struct ock_csv_column *column = &table->columns[places[i]];
        column->text = rows->items[i].category;
        column->number = !rows->items[i].category;
        column->float32 = column->number && rows->items[i].float32;
    }
    free(places);
    return status;
}

static size_t block_of(const struct ock_csv_column *column)
{
    if (column->text)
        return BLOCK_U32;
    bool wide = column->number || ock_stats_storage(&column->stats) == OCK_STORE_F64;
    return wide ? BLOCK_F64 : BLOCK_F32;
}

/* Between the passes: names, types, places. */
static enum ock_status decide(struct ock_csv_table *table, struct ock_err *err)
{
    if (!table->first_seen)
        return ock_fail(err, OCK_INVALID,
                        "line 1: the file is empty; expected rows of two columns or more");
    enum ock_status status = ock_csv_name_columns(table, err);
    if (status != OCK_OK)
        return status;
    if (table->header && table->rows == 0)
        return ock_fail(err, OCK_INVALID,
                        "line %zu: the file has a header but no rows; expected some below it (or "
                        "header=false, if this is one)",
                        table->first_line);
    if (!table->header) {
        struct ock_csv_row row = ock_csv_first_row(table);
        table->rows++;
        status = for_columns(&(struct batch){table, &row, 1}, examine, err);
    }
    if (status == OCK_OK)
        status = apply_types(table, err);
    if (status == OCK_OK)
        status = take_types(table, err);
    table->blocks[BLOCK_F32].storage = OCK_STORE_F32;
    table->blocks[BLOCK_F64].storage = OCK_STORE_F64;
    table->blocks[BLOCK_U32].storage = OCK_STORE_U32;
    for (size_t c = 0; c < table->count && status == OCK_OK; c++) {
        struct ock_csv_column *column = &table->columns[c];
        column->block = block_of(column);
        column->offset = table->blocks[column->block].width++;
        if (!column->text && column->infinite_line > 0)
            status =
                ock_fail(err, OCK_INVALID,
                         "line %zu, column %zu (\"%s\"): an infinite number; expected a finite "
                         "one; mark what is missing by an empty field",
                         column->infinite_line, c + 1, table->names[c]);
        if (column->text) {
            column->stats.missing = 0;
            ock_dictionary_init(&column->dictionary);
        }
    }
    return status;
}

/* A text's code, provisional until the dictionary is sorted. */
static enum ock_status code_of(struct ock_csv_table *table, size_t c, const struct ock_csv_row *row,
                               uint32_t *code, struct ock_err *err)
{
    int added;
    size_t size;
    const char *text = ock_csv_field(row, c, &size);
    struct ock_err inner = {.status = OCK_OK};
    enum ock_status status =
        ock_dictionary_code(&table->columns[c].dictionary, text, size, code, &added, &inner);
    if (status != OCK_OK)
        return ock_fail(err, status, "line %zu, column %zu (\"%s\"): %s", row->line, c + 1,
                        table->names[c], inner.text);
    if (added && !ock_text_is_utf8(text, size))
        return ock_fail(err, OCK_INVALID,
                        "line %zu, column %zu (\"%s\"): the text is not UTF-8; convert the file",
                        row->line, c + 1, table->names[c]);
    return OCK_OK;
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

/* The column may have this field, by what the user says of it. */
static bool fits_told(struct ock_csv_column *column, enum ock_field field, const char *text)
{
    if (field == OCK_FIELD_MISSING || column->told == OCK_TOLD_NOTHING)
        return true;
    if (column->told == OCK_TOLD_NUMBER)
        return field == OCK_FIELD_NUMBER;
    if (column->told == OCK_TOLD_CATEGORY)
        return true;
    int pair = boolean_pair(text);
    if (column->dictionary.count == 0)
        column->pair = pair;
    return pair >= 0 && pair == column->pair;
}

static enum ock_status refuse_text(const struct ock_csv_table *table, size_t c,
                                   const struct ock_csv_row *row, const char *text,
                                   struct ock_err *err)
{
    bool utf8 = ock_text_is_utf8(text, strlen(text));
    return ock_fail(
        err, OCK_INVALID,
        "line %zu, column %zu (\"%s\"): expected a number, as in training, got \"%.60s\"",
        row->line, c + 1, table->names[c], utf8 ? text : "bytes that are not UTF-8");
}

static enum ock_status refuse_told(const struct ock_csv_table *table, size_t c,
                                   const struct ock_csv_row *row, const char *text,
                                   struct ock_err *err)
{
    bool number = table->columns[c].told == OCK_TOLD_NUMBER;
    const char *utf8 = ock_text_is_utf8(text, strlen(text)) ? text : "bytes that are not UTF-8";
    return ock_fail(err, OCK_INVALID,
                    "line %zu, column %zu (\"%s\"): expected %s, as types says; found \"%.60s\"",
                    row->line, c + 1, table->names[c],
                    number ? "a number"
                           : "a boolean (true and false, yes and no, t and f, y and n or 1 and 0, "
                             "the same pair in all rows)",
                    utf8);
}

/* Second pass: puts a column's values into its block. */
static enum ock_status put_column(const struct batch *batch, size_t c, size_t *row_at,
                                  struct ock_err *err)
{
    struct ock_csv_table *table = batch->table;
    struct ock_csv_column *column = &table->columns[c];
    const struct ock_build_block *block = &table->blocks[column->block];
    for (size_t r = 0; r < batch->count; r++) {
        size_t size;
        const char *text = ock_csv_field(&batch->rows[r], c, &size);
        double value = (double)NAN;
        enum ock_field field = ock_field_read_padded(table->missing, text, size, &value);
        *row_at = r;
        if (!fits_told(column, field, text))
            return refuse_told(table, c, &batch->rows[r], text, err);
        if (column->number && field == OCK_FIELD_TEXT)
            return refuse_text(table, c, &batch->rows[r], text, err);
        if (!column->text) {
            value = column->float32 ? (double)(float)value : value;
            ock_put_number(block, table->row + r, column->offset, value);
            continue;
        }
        uint32_t code = UINT32_MAX;
        enum ock_status status = OCK_OK;
        if (field == OCK_FIELD_MISSING)
            column->stats.missing++;
        else
            status = code_of(table, c, &batch->rows[r], &code, err);
        if (status != OCK_OK)
            return status;
        ((uint32_t *)(void *)block->data)[(table->row + r) * block->width + column->offset] = code;
    }
    return OCK_OK;
}

static enum ock_status on_second_pass(void *ctx, const struct ock_csv_row *rows, size_t count,
                                      struct ock_err *err)
{
    struct ock_csv_table *table = ctx;
    size_t skip = !table->first_seen && table->header;
    table->first_seen = true;
    struct batch batch = {table, rows + skip, count - skip};
    bool same = batch.count <= table->rows - table->row;
    for (size_t r = 0; r < batch.count && same; r++)
        same = batch.rows[r].count == table->count;
    if (!same)
        return ock_fail(err, OCK_IO, "the file was changed while it was read");
    enum ock_status status = for_columns(&batch, put_column, err);
    table->row += batch.count;
    return status;
}

/* Sorts a category's values and gives its codes their places. */
static enum ock_status sort_category(struct ock_csv_table *table, struct ock_csv_column *column,
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

static enum ock_status write_table(struct ock_csv_table *table, struct ock_builder *builder,
                                   size_t target, struct ock_err *err)
{
    static const enum ock_build_boolean is_told_boolean[] = {[OCK_TOLD_NOTHING] = OCK_BOOLEAN_FOUND,
                                                             [OCK_TOLD_NUMBER] = OCK_BOOLEAN_NO,
                                                             [OCK_TOLD_CATEGORY] = OCK_BOOLEAN_NO,
                                                             [OCK_TOLD_BOOLEAN] = OCK_BOOLEAN_YES};
    enum ock_status status = OCK_OK;
    struct ock_build_column *columns = calloc(table->count, sizeof(*columns));
    if (!columns)
        return ock_fail(err, OCK_NOMEM, "out of memory for %zu columns", table->count);
    for (size_t c = 0; c < table->count && status == OCK_OK; c++) {
        struct ock_csv_column *column = &table->columns[c];
        if (column->text)
            status = sort_category(table, column, err);
        columns[c] = (struct ock_build_column){.name = table->names[c],
                                               .type = column->text ? OCK_COLUMN_CATEGORY
                                                                    : OCK_COLUMN_NUMBER,
                                               .block = column->block,
                                               .offset = column->offset,
                                               .stats = &column->stats,
                                               .values = column->values,
                                               .value_count = column->value_count,
                                               .boolean = is_told_boolean[column->told]};
    }
    struct ock_build_schema schema = {
        .format = OCK_FILE_CSV, .column_count = table->count, .columns = columns, .target = target};
    schema.missing = table->import->missing;
    if (status == OCK_OK)
        status = ock_builder_finish(builder, &schema, err);
    free(columns);
    return status;
}

static enum ock_status find_target(const struct ock_csv_table *table,
                                   const struct ock_import *import, size_t *target,
                                   struct ock_err *err)
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
    struct ock_csv_table table = {.import = import};
    struct ock_builder builder = {.file.fd = -1, .fd = -1};
    char delimiter = import->delimiter;
    size_t target = SIZE_MAX;
    ock_buf_init(&table.first, OCK_GIB);
    ock_buf_init(&table.made, OCK_GIB);

    struct ock_missing missing;
    enum ock_status status = ock_column_types_parse(&table.types, import->types, err);
    if (status == OCK_OK && import->missing) {
        status = ock_missing_parse(&missing, import->missing, err);
        table.missing = &missing;
    }
    if (status == OCK_OK && !delimiter)
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
