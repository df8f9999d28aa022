/* Columns' names: from the first row, if that is a header, or made. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/data/csv_table.h"
#include "core/data/field.h"

enum { MADE_BYTES = sizeof("c4294967295") }; /* of a name that is made */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The table's names in the order of their bytes: const char * [count], the caller's to free.
 * Errors: as ock_room_take. */
static enum ock_status sort_names(const struct ock_csv_table *table, struct ock_room *out,
                                  struct ock_err *err)
{
    size_t size = sizeof(*table->names);
    assert(table->count > 0);
    enum ock_status status = ock_room_take(out, table->count, size, table->import->out, err);
    if (status != OCK_OK)
        return status;
    memcpy(out->data, table->names, table->count * size);
    qsort(out->data, table->count, size, by_text);
    return OCK_OK;
}

/* A name that stands twice, or NULL. */
static const char *find_twice(const char *const *sorted, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (strcmp(sorted[i - 1], sorted[i]) == 0)
            return sorted[i];
    }
    return NULL;
}

static bool is_among(const char *const *sorted, size_t count, const char *name)
{
    return bsearch(&name, sorted, count, sizeof(*sorted), by_text) != NULL;
}

/* How the first row's fields compare with the columns below them. */
struct look {
    bool all_text;      /* no field is a number */
    bool numbers_below; /* some column has nothing but numbers below the first row */
    bool odd_text;      /* and the first row's field there is text */
    bool fit;           /* no field is too long for a name */
};

static struct look look_at_first(const struct ock_csv_table *table)
{
    struct ock_csv_rows row = ock_csv_first_row(table);
    struct look look = {.all_text = true, .fit = true};
    for (size_t c = 0; c < table->count; c++) {
        size_t size;
        const char *text = ock_csv_field(&row, 0, c, &size);
        double value;
        enum ock_field field = ock_field_read_as(table->missing, text, size, &value);
        bool numbers = !table->columns[c].text && table->columns[c].stats.count > 0;
        look.all_text &= field == OCK_FIELD_TEXT || field == OCK_FIELD_MISSING;
        look.numbers_below |= numbers;
        look.odd_text |= numbers && field == OCK_FIELD_TEXT;
        look.fit &= size < OCK_NAME_BYTES_MAX;
        table->names[c] = text;
    }
    return look;
}

/* A column whose type is told has its name in the first row. A number may be a place as well. */
static bool names_one_told(const struct ock_csv_table *table, const char *const *sorted)
{
    for (size_t i = 0; i < table->types.count; i++) {
        const char *name = table->types.items[i].column;
        double value;
        if (ock_field_read(name, strlen(name), &value) != OCK_FIELD_NUMBER &&
            is_among(sorted, table->count, name))
            return true;
    }
    return false;
}

static bool names_a_models(const struct ock_row_columns *rows, const char *const *sorted,
                           size_t count)
{
    for (size_t i = 0; i < rows->count; i++) {
        if (is_among(sorted, count, rows->items[i].name))
            return true;
    }
    return false;
}

/* Does the first row hold names? Yes if one of them is told, or a model's. Yes if all of it is text
 * and some column is numbers below it, or all names are different. And if all names are different
 * and one is text over numbers, as in "id,2019,2020". */
static enum ock_status guess_header(struct ock_csv_table *table, struct ock_err *err)
{
    struct look look = look_at_first(table);
    struct ock_room room = {.data = NULL};
    enum ock_status status = sort_names(table, &room, err);
    if (status != OCK_OK)
        return status;
    const char *const *sorted = room.data;
    bool different = !find_twice(sorted, table->count);
    const struct ock_row_columns *rows = table->import->rows;
    if (rows)
        table->header = look.fit && (names_a_models(rows, sorted, table->count) ||
                                     (look.odd_text && different));
    else if (names_one_told(table, sorted))
        table->header = look.fit;
    else if (look.all_text)
        table->header = look.fit && (look.numbers_below || different);
    else
        table->header = look.fit && look.odd_text && different;
    ock_room_free(&room);
    return OCK_OK;
}

static size_t find_name(const struct ock_csv_table *table, size_t from, const char *name)
{
    while (from < table->count && strcmp(table->names[from], name) != 0)
        from++;
    return from;
}

static enum ock_status refuse_twice(const struct ock_csv_table *table, size_t line,
                                    const char *name, struct ock_err *err)
{
    size_t first = find_name(table, 0, name), second = find_name(table, first + 1, name);
    return ock_fail(err, OCK_INVALID,
                    "line %zu, column %zu: two columns are named \"%s\", column %zu is the other; "
                    "rename one",
                    line, second + 1, name, first + 1);
}

/* No two columns have one name. */
static enum ock_status compare_names(const struct ock_csv_table *table, size_t line,
                                     struct ock_err *err)
{
    struct ock_room sorted = {.data = NULL};
    enum ock_status status = sort_names(table, &sorted, err);
    if (status != OCK_OK)
        return status;
    const char *twice = find_twice(sorted.data, table->count);
    ock_room_free(&sorted);
    return twice ? refuse_twice(table, line, twice, err) : OCK_OK;
}

static enum ock_status refuse_name(size_t line, size_t c, size_t size, struct ock_err *err)
{
    if (size >= OCK_NAME_BYTES_MAX)
        return ock_fail(err, OCK_INVALID,
                        "line %zu, column %zu: the name is longer than %u bytes, the limit", line,
                        c + 1, OCK_NAME_BYTES_MAX - 1);
    return ock_fail(err, OCK_INVALID,
                    "line %zu, column %zu: the name is not UTF-8; convert the file", line, c + 1);
}

/* Names from the first row, or c0, c1, …; a column without a name is called by its place too. */
static enum ock_status name_columns(struct ock_csv_table *table, struct ock_err *err)
{
    struct ock_csv_rows row = ock_csv_first_row(table);
    size_t line = table->first_row.line;
    for (size_t c = 0; c < table->count; c++) {
        size_t size;
        const char *name = ock_csv_field(&row, 0, c, &size);
        if (table->header && size > 0) {
            if (size >= OCK_NAME_BYTES_MAX || !ock_text_is_utf8(name, size))
                return refuse_name(line, c, size, err);
            table->names[c] = name;
            continue;
        }
        enum ock_status status = OCK_OK;
        if (!table->made.data)
            status = ock_room_take(&table->made, table->count, MADE_BYTES, table->import->out, err);
        if (status != OCK_OK)
            return status;
        char *made = (char *)table->made.data + c * MADE_BYTES;
        (void)snprintf(made, MADE_BYTES, "c%u", (unsigned)c);
        table->names[c] = made;
    }
    return compare_names(table, line, err);
}

enum ock_status ock_csv_name_columns(struct ock_csv_table *table, struct ock_err *err)
{
    enum ock_header header = table->import->header;
    enum ock_status status = OCK_OK;
    status = ock_room_take(&table->name_room, table->count, sizeof(*table->names),
                           table->import->out, err);
    if (status != OCK_OK)
        return status;
    table->names = table->name_room.data;
    table->header = header == OCK_HEADER_YES;
    if (header == OCK_HEADER_AUTO)
        status = guess_header(table, err);
    return status == OCK_OK ? name_columns(table, err) : status;
}
