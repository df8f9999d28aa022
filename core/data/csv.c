/* CSV to a dataset file. What a column is depends on all of its fields, so no guess from the first rows
 * is final. But it is right for most files: the rows are written by it while all of them are examined,
 * and where it proves wrong, a second pass over the same bytes writes them anew. Memory grows with
 * columns and distinct texts, not with rows. */
#include <stdlib.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/data/csv_table.h"
#include "core/data/field.h"
#include "core/data/formats.h"

void ock_csv_forget_texts(struct ock_csv_table *table)
{
    for (size_t c = 0; table->columns && c < table->count; c++) {
        ock_dictionary_deinit(&table->columns[c].dictionary);
        table->columns[c].text_missing = 0;
    }
    ock_bump_clear(&table->bump);
}

void ock_csv_table_deinit(struct ock_csv_table *table)
{
    ock_csv_forget_texts(table);
    ock_bump_deinit(&table->bump);
    ock_csv_forget(table);
    for (size_t c = 0; table->columns && c < table->count; c++)
        ock_stats_deinit(&table->columns[c].stats);
    ock_room_free(&table->column_room);
    ock_room_free(&table->set_room);
    free(table->skip);
    ock_room_free(&table->first_fields);
    ock_room_free(&table->first);
    ock_column_types_deinit(&table->types);
}

static enum ock_status make_columns(struct ock_csv_table *table, size_t count, struct ock_err *err)
{
    const char *path = table->import->out;
    size_t share = ock_distinct_share(count);
    double *sets = NULL;
    enum ock_status status =
        ock_room_take(&table->column_room, count, sizeof(*table->columns), path, err);
    if (status == OCK_OK && share <= OCK_LENT_VALUES_MAX) {
        status = ock_room_take(&table->set_room, count, share * sizeof(*sets), path, err);
        sets = table->set_room.data;
    }
    if (status != OCK_OK)
        return status;
    table->columns = table->column_room.data;
    table->count = count;
    for (size_t c = 0; c < count; c++) {
        ock_stats_init(&table->columns[c].stats, share);
        if (sets)
            ock_stats_lend(&table->columns[c].stats, sets + c * share);
    }
    return OCK_OK;
}

/* With their NULs. */
static size_t bytes_of_first(const struct ock_csv_rows *rows)
{
    size_t bytes = OCK_FIELD_PADDING;
    for (size_t c = 0; c < rows->items[0].count; c++)
        bytes += rows->fields[rows->items[0].first + c].size + (size_t)1;
    return bytes;
}

static void copy_first(struct ock_csv_table *table, const struct ock_csv_rows *rows)
{
    char *first = table->first.data;
    struct ock_csv_field *fields = table->first_fields.data;
    uint32_t at = 0;
    for (size_t c = 0; c < table->count; c++) {
        size_t size;
        const char *text = ock_csv_field(rows, 0, c, &size);
        fields[c] = (struct ock_csv_field){at, (uint32_t)size};
        memcpy(first + at, text, size + 1);
        at += (uint32_t)size + 1;
    }
}

enum ock_status ock_csv_keep_first(struct ock_csv_table *table, const struct ock_csv_rows *rows,
                                   struct ock_err *err)
{
    const char *path = table->import->out;
    size_t count = rows->items[0].count;
    table->first_row = (struct ock_csv_row){rows->items[0].line, 0, (uint32_t)count};
    if (count < 2 && !table->import->rows)
        return ock_fail(
            err, OCK_INVALID,
            "line %zu, column 1: has one field, two are needed: a feature and a target; "
            "is the delimiter another one?",
            table->first_row.line);
    enum ock_status status = make_columns(table, count, err);
    if (status != OCK_OK)
        return status;
    table->skip = calloc(count, sizeof(*table->skip));
    if (!table->skip)
        return ock_fail(err, OCK_NOMEM, "out of memory for %zu columns", count);
    status = ock_room_take(&table->first_fields, count, sizeof(struct ock_csv_field), path, err);
    if (status == OCK_OK)
        status = ock_room_take(&table->first, bytes_of_first(rows), 1, path, err);
    if (status == OCK_OK)
        copy_first(table, rows);
    return status;
}

/* All rows are known: decides for good, and keeps the store if that is as it was guessed. */
static enum ock_status settle(struct ock_csv_table *table, struct ock_csv_store **store,
                              struct ock_err *err)
{
    struct ock_room guessed_room = table->place_room;
    const struct ock_csv_place *guessed = table->places;
    bool header = table->header;
    table->place_room = (struct ock_room){.data = NULL};
    ock_csv_forget(table);
    if (table->count == 0)
        return ock_fail(err, OCK_INVALID,
                        "line 1: the file is empty; expected rows of two columns or more");
    enum ock_status status = ock_csv_decide(table, true, err);
    bool same = status == OCK_OK && *store && header == table->header;
    for (size_t c = 0; c < table->count && same; c++) {
        const struct ock_csv_place *a = &guessed[c], *b = &table->places[c];
        same = a->text == b->text && a->block == b->block;
    }
    ock_room_free(&guessed_room);
    if (same)
        return OCK_OK;
    ock_csv_store_free(*store);
    *store = NULL;
    ock_csv_forget_texts(table);
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

static enum ock_status read_table(struct ock_csv_table *table, struct ock_reader *reader,
                                  char delimiter, struct ock_err *err)
{
    struct ock_csv_store *store = NULL;
    size_t target = SIZE_MAX;
    enum ock_status status = ock_csv_first_pass(table, reader, delimiter, &store, err);
    if (status == OCK_OK)
        status = settle(table, &store, err);
    if (status == OCK_OK)
        status = find_target(table, table->import, &target, err);
    if (status == OCK_OK && !store) {
        status = ock_csv_store_new(&store, table, err);
        if (status == OCK_OK)
            status = ock_csv_second_pass(table, reader, delimiter, store, err);
    }
    if (status == OCK_OK)
        status = ock_csv_store_finish(store, target, err);
    ock_csv_store_free(store);
    return status;
}

enum ock_status ock_csv_import(const struct ock_import *import, struct ock_reader *reader,
                               struct ock_err *err)
{
    struct ock_csv_table table = {.import = import};
    char delimiter = import->delimiter;
    ock_bump_init(&table.bump, import->out);

    struct ock_missing missing;
    enum ock_status status = ock_column_types_parse(&table.types, import->types, err);
    if (status == OCK_OK && import->missing) {
        status = ock_missing_parse(&missing, import->missing, err);
        table.missing = &missing;
    }
    if (status == OCK_OK && !delimiter)
        status = ock_csv_delimiter(reader, &delimiter, err);
    if (status == OCK_OK)
        status = read_table(&table, reader, delimiter, err);
    ock_csv_table_deinit(&table);
    return status;
}
