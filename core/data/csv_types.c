/* What each column of a CSV is: by its fields, by what the user says, by what a model takes. */
#include <stdlib.h>
#include <string.h>

#include "core/data/csv_table.h"
#include "core/data/formats.h"

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
        struct ock_csv_place *place = &table->places[c];
        if (place->told != OCK_TOLD_NOTHING)
            return ock_fail(err, OCK_INVALID, "types: the column \"%s\" stands twice",
                            table->names[c]);
        place->told = item->type;
        place->text = item->type != OCK_TOLD_NUMBER;
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
        struct ock_csv_place *place = &table->places[places[i]];
        place->text = rows->items[i].category;
        place->number = !rows->items[i].category;
        place->float32 = place->number && rows->items[i].float32;
    }
    free(places);
    return status;
}

static size_t block_of(const struct ock_csv_column *column, const struct ock_csv_place *place)
{
    if (place->text)
        return BLOCK_U32;
    bool wide = place->number || ock_stats_storage(&column->stats) == OCK_STORE_F64;
    return wide ? BLOCK_F64 : BLOCK_F32;
}

static enum ock_status place_columns(struct ock_csv_table *table, struct ock_err *err)
{
    memset(table->widths, 0, sizeof(table->widths));
    for (size_t c = 0; c < table->count; c++) {
        const struct ock_csv_column *column = &table->columns[c];
        struct ock_csv_place *place = &table->places[c];
        place->block = (uint8_t)block_of(column, place);
        place->offset = (uint32_t)table->widths[place->block]++;
        if (!place->text && column->infinite_line > 0)
            return ock_fail(err, OCK_INVALID,
                            "line %zu, column %zu (\"%s\"): an infinite number; expected a finite "
                            "one; mark what is missing by an empty field",
                            column->infinite_line, c + 1, table->names[c]);
    }
    return OCK_OK;
}

/* The first row is one of data, and was not looked at yet. */
static enum ock_status examine_first(struct ock_csv_table *table, struct ock_err *err)
{
    struct ock_csv_batch batch = {.count = 0};
    struct ock_csv_rows rows = ock_csv_first_row(table);
    table->rows++;
    enum ock_status status = ock_csv_batch_take(&batch, table, &rows, 0, 1, err);
    if (status == OCK_OK) {
        ock_csv_read(&batch, table, 0, 1);
        status = ock_csv_each_column(&batch, table, ock_csv_examine, err);
    }
    ock_room_free(&batch.room);
    return status;
}

enum ock_status ock_csv_decide(struct ock_csv_table *table, bool all, struct ock_err *err)
{
    enum ock_status status = ock_csv_name_columns(table, err);
    if (status != OCK_OK)
        return status;
    if (table->header && table->rows == 0)
        return ock_fail(err, OCK_INVALID,
                        "line %zu: the file has a header but no rows; expected some below it (or "
                        "header=false, if this is one)",
                        table->first_row.line);
    if (!table->header && all)
        status = examine_first(table, err);
    if (status != OCK_OK)
        return status;
    status = ock_room_take(&table->place_room, table->count, sizeof(*table->places),
                           table->import->out, err);
    if (status != OCK_OK)
        return status;
    table->places = table->place_room.data;
    for (size_t c = 0; c < table->count; c++)
        table->places[c].text = table->columns[c].text;
    status = apply_types(table, err);
    if (status == OCK_OK)
        status = take_types(table, err);
    return status == OCK_OK ? place_columns(table, err) : status;
}

void ock_csv_forget(struct ock_csv_table *table)
{
    ock_room_free(&table->name_room);
    ock_room_free(&table->place_room);
    ock_room_free(&table->made);
    table->names = NULL;
    table->places = NULL;
}
