/* svmlight in two passes: the first counts and checks, the second writes. Columns bear the indices of
 * the file as their names ("0" is one of them only if it occurs), and the label is the last column. */
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/limits.h"
#include "core/data/formats.h"
#include "core/data/svmlight_scan.h"

enum { BLOCK_SPARSE, BLOCK_LABEL, BLOCKS };

static const char label_name[] = "label";

struct table {
    const struct ock_import *import;
    size_t rows, terms;
    uint32_t least, most; /* indices; least above most: there is none */
    struct ock_stats label;
    struct ock_stats *stats; /* owned, [columns]: of the terms, then of all rows */
    size_t columns;          /* without the label */
    struct ock_build_block blocks[BLOCKS];
    size_t row, term; /* that the second pass is at */
};

/* How many of the row's terms are kept: they stand in the order of their indices. */
static size_t kept_terms(const struct table *table, const struct ock_svmlight_row *row)
{
    size_t count = row->count;
    uint32_t most = table->import->index_max;
    while (most > 0 && count > 0 && row->index[count - 1] > most)
        count--;
    return count;
}

static enum ock_status on_first_pass(void *ctx, const struct ock_svmlight_row *row,
                                     struct ock_err *err)
{
    struct table *table = ctx;
    if (table->rows == OCK_ROWS_MAX)
        return ock_fail(err, OCK_LIMIT, "line %zu: there are more than %zu rows", row->line,
                        OCK_ROWS_MAX);
    table->rows++;
    uint32_t most = table->import->index_max > 0 ? table->import->index_max : UINT32_MAX;
    table->terms += kept_terms(table, row);
    if (row->least <= most) {
        most = row->most < most ? row->most : most;
        table->least = row->least < table->least ? row->least : table->least;
        table->most = most > table->most ? most : table->most;
    }
    return ock_stats_add(&table->label, row->label, err);
}

/* Indices count from 1, or from 0 if a 0 occurs. */
static uint32_t first_index(const struct table *table)
{
    return table->least == 0 ? 0 : 1;
}

static enum ock_status on_second_pass(void *ctx, const struct ock_svmlight_row *row,
                                      struct ock_err *err)
{
    struct table *table = ctx;
    const struct ock_build_block *sparse = &table->blocks[BLOCK_SPARSE];
    size_t count = kept_terms(table, row);
    if (table->row == table->rows || count > table->terms - table->term)
        return ock_fail(err, OCK_IO, "the file was changed while it was read");
    struct ock_csr_layout layout = ock_csr_layout_of(table->rows, table->terms);
    uint64_t *begin = (void *)sparse->data;
    uint32_t *index = (void *)(sparse->data + layout.index_at);
    float *value = (void *)(sparse->data + layout.value_at);
    for (size_t i = 0; i < count; i++) {
        uint32_t column = row->index[i] - first_index(table);
        if (column >= table->columns)
            return ock_fail(err, OCK_IO, "the file was changed while it was read");
        index[table->term] = column;
        value[table->term++] = row->value[i];
        enum ock_status status = ock_stats_add(&table->stats[column], (double)row->value[i], err);
        if (status != OCK_OK)
            return status;
    }
    ock_put_number(&table->blocks[BLOCK_LABEL], table->row, 0, row->label);
    begin[++table->row] = table->term;
    return OCK_OK;
}

/* Between the passes: how many columns, and which type the label needs. */
static enum ock_status decide(struct table *table, struct ock_err *err)
{
    if (table->rows == 0)
        return ock_fail(err, OCK_INVALID,
                        "line 1: the file is empty; expected rows of label index:value …");
    if (table->least > table->most && table->import->index_max > 0)
        table->least = table->most = 1; /* rows of nothing but zeros */
    if (table->least > table->most)
        return ock_fail(err, OCK_INVALID,
                        "line 1: labels but no features; expected index:value behind the label of "
                        "some row");
    table->columns = table->most - first_index(table) + 1;
    if (table->columns >= OCK_COLUMNS_MAX)
        return ock_fail(err, OCK_LIMIT, "there are more than %zu columns, the limit",
                        OCK_COLUMNS_MAX - 1);
    table->stats = calloc(table->columns, sizeof(*table->stats));
    if (!table->stats)
        return ock_fail(err, OCK_NOMEM, "out of memory for %zu columns", table->columns);
    for (size_t c = 0; c < table->columns; c++) {
        ock_stats_init(&table->stats[c], 0);
        table->stats[c].set_dropped = true; /* distinct values are not counted */
    }
    table->blocks[BLOCK_SPARSE] = (struct ock_build_block){
        .storage = OCK_STORE_CSR, .width = table->columns, .terms = table->terms};
    table->blocks[BLOCK_LABEL] =
        (struct ock_build_block){.storage = ock_stats_storage(&table->label), .width = 1};
    return OCK_OK;
}

/* The rows without a term have a 0 there. */
static void add_zeros(struct ock_stats *stats, size_t rows)
{
    if (stats->count == rows)
        return;
    bool none = stats->count == 0;
    stats->min = none || stats->min > 0 ? 0 : stats->min;
    stats->max = none || stats->max < 0 ? 0 : stats->max;
    stats->count = rows;
}

static enum ock_status write_table(struct table *table, struct ock_builder *builder,
                                   struct ock_err *err)
{
    size_t first = first_index(table);
    struct ock_buf names;
    ock_buf_init(&names, OCK_GIB);
    struct ock_build_column *columns = calloc(table->columns + 1, sizeof(*columns));
    enum ock_status status =
        columns ? OCK_OK
                : ock_fail(err, OCK_NOMEM, "out of memory for %zu columns", table->columns);
    for (size_t c = 0; c < table->columns; c++) {
        ock_buf_printf(&names, "%zu", first + c);
        ock_buf_putc(&names, '\0');
    }
    if (status == OCK_OK)
        status = ock_buf_status(&names, err);
    const char *name = names.data;
    for (size_t c = 0; c < table->columns && status == OCK_OK; c++) {
        add_zeros(&table->stats[c], table->rows);
        columns[c] = (struct ock_build_column){.name = name,
                                               .type = OCK_COLUMN_NUMBER,
                                               .block = BLOCK_SPARSE,
                                               .offset = c,
                                               .stats = &table->stats[c]};
        name += strlen(name) + 1;
    }
    if (status == OCK_OK) {
        columns[table->columns] = (struct ock_build_column){.name = label_name,
                                                            .type = OCK_COLUMN_NUMBER,
                                                            .block = BLOCK_LABEL,
                                                            .stats = &table->label};
        struct ock_build_schema schema = {.format = OCK_FILE_SVMLIGHT,
                                          .column_count = table->columns + 1,
                                          .columns = columns,
                                          .target = table->columns};
        status = ock_builder_finish(builder, &schema, err);
    }
    free(columns);
    ock_buf_deinit(&names);
    return status;
}

/* The label is the target; who names another column is told so. */
static enum ock_status check_target(const struct table *table, const char *target,
                                    struct ock_err *err)
{
    if (!target || strcmp(target, label_name) == 0 || strcmp(target, "-1") == 0)
        return OCK_OK;
    return ock_fail(err, OCK_INVALID,
                    "the target of svmlight is its label, \"%s\"; \"%.100s\" can't be it (there "
                    "are %zu columns besides)",
                    label_name, target, table->columns);
}

enum ock_status ock_svmlight_import(const struct ock_import *import, struct ock_reader *reader,
                                    struct ock_err *err)
{
    struct table table = {.import = import, .least = UINT32_MAX};
    struct ock_builder builder = {.file.fd = -1, .fd = -1};
    ock_stats_init(&table.label, OCK_DISTINCT_MAX);
    enum ock_status status = ock_svmlight_scan(reader, on_first_pass, &table, err);
    if (status == OCK_OK)
        status = decide(&table, err);
    if (status == OCK_OK)
        status = check_target(&table, import->target, err);
    if (status == OCK_OK)
        status = ock_builder_open(&builder, import->out, table.rows, table.blocks, BLOCKS, err);
    if (status == OCK_OK)
        status = ock_svmlight_scan(reader, on_second_pass, &table, err);
    if (status == OCK_OK && (table.row != table.rows || table.term != table.terms))
        status = ock_fail(err, OCK_IO, "the file was changed while it was read");
    if (status == OCK_OK)
        status = write_table(&table, &builder, err);
    ock_builder_discard(&builder);
    ock_stats_deinit(&table.label);
    free(table.stats);
    return status;
}
