/* From JSON rows to CSV. The importer then is the one that reads numbers and texts, as it was in
 * training; here is checked what only JSON can get wrong, so that a fault has a JSON pointer. */
#include "core/predict/rows_json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"
#include "core/base/jsonw.h"

enum { POINTER_SIZE = 320 };

struct named {
    const char *name;
    size_t place;
};

struct writer {
    const struct ock_predictor *predictor;
    const struct ock_row_columns *columns;
    struct named *sorted; /* owned, [count]: for keys out of order */
    const cJSON **values; /* owned, [count]: of the row at work */
    const char **names;   /* owned, [count]: for suggestions */
    const char *key;      /* "rows" or "x" */
    struct ock_buf *out;
    struct ock_faults *faults;
};

static int by_name(const void *a, const void *b)
{
    const struct named *x = a;
    const struct named *y = b;
    return strcmp(x->name, y->name);
}

static enum ock_status open_writer(struct writer *w, struct ock_err *err)
{
    size_t count = w->columns->count;
    w->sorted = calloc(count, sizeof(*w->sorted));
    w->values = calloc(count, sizeof(*w->values));
    w->names = calloc(count, sizeof(*w->names));
    if (!w->sorted || !w->values || !w->names)
        return ock_fail(err, OCK_NOMEM, "out of memory for %zu columns", count);
    for (size_t i = 0; i < count; i++) {
        w->names[i] = w->columns->items[i].name;
        w->sorted[i] = (struct named){w->names[i], i};
    }
    qsort(w->sorted, count, sizeof(*w->sorted), by_name);
    return OCK_OK;
}

/* The column of a key; `hint` is looked at first. SIZE_MAX: none. */
static size_t find(const struct writer *w, const char *key, size_t hint)
{
    if (hint < w->columns->count && strcmp(w->names[hint], key) == 0)
        return hint;
    const struct named wanted = {.name = key};
    const struct named *found =
        bsearch(&wanted, w->sorted, w->columns->count, sizeof(*w->sorted), by_name);
    return found ? found->place : SIZE_MAX;
}

static void pointer_to(char pointer[POINTER_SIZE], const struct writer *w, size_t row,
                       const char *key)
{
    (void)snprintf(pointer, POINTER_SIZE, "/%s/%zu", w->key, row);
    if (key)
        ock_json_pointer_add(pointer, POINTER_SIZE, key);
}

static bool is_passed_over(const struct writer *w, const char *key)
{
    const struct ock_data_spec *data = &ock_predictor_spec(w->predictor)->data;
    return ock_row_columns_is_unread(w->columns, key) ||
           (data->target && strcmp(data->target, key) == 0) ||
           (data->weights && strcmp(data->weights, key) == 0);
}

static void refuse_key(struct writer *w, size_t row, const char *key)
{
    char pointer[POINTER_SIZE];
    pointer_to(pointer, w, row, key);
    struct ock_fault *fault =
        ock_faults_add(w->faults, pointer, "unknown_key", "the model has no such column");
    const char *near = ock_nearest_word(key, w->names, w->columns->count);
    if (fault && near)
        (void)snprintf(fault->suggestion, sizeof(fault->suggestion), "%s", near);
}

/* The values of a row in the model's order; false: it is none, which has been said. */
static bool gather(struct writer *w, const cJSON *row, size_t index)
{
    char pointer[POINTER_SIZE];
    size_t count = 0;
    memset(w->values, 0, w->columns->count * sizeof(*w->values));
    pointer_to(pointer, w, index, NULL);
    if (cJSON_IsObject(row) && strcmp(w->key, "rows") == 0) {
        size_t hint = 0;
        for (const cJSON *item = row->child; item; item = item->next) {
            size_t place = find(w, item->string, hint);
            if (place != SIZE_MAX)
                w->values[place] = item;
            else if (!is_passed_over(w, item->string))
                refuse_key(w, index, item->string);
            hint = place != SIZE_MAX ? place + 1 : hint;
        }
        return true;
    }
    if (!cJSON_IsArray(row)) {
        ock_faults_add(w->faults, pointer, "wrong_type", "must be an %s",
                       strcmp(w->key, "rows") == 0 ? "object or an array" : "array");
        return false;
    }
    size_t next = 0; /* of the columns that are read */
    for (const cJSON *item = row->child; item; item = item->next, count++) {
        if (next < w->columns->count && w->columns->items[next].place == count)
            w->values[next++] = item;
    }
    if (count != w->columns->total)
        ock_faults_add(w->faults, pointer, "wrong_length", "has %zu values, the model takes %zu",
                       count, w->columns->total);
    return count == w->columns->total;
}

/* As a CSV has it, always in quotes, so that what is in it stays one text. */
static void put_text(struct ock_buf *out, const char *text)
{
    ock_buf_putc(out, '"');
    for (const char *next = strchr(text, '"'); next; next = strchr(text, '"')) {
        ock_buf_add(out, text, (size_t)(next - text) + 1);
        ock_buf_putc(out, '"');
        text = next + 1;
    }
    ock_buf_puts(out, text);
    ock_buf_putc(out, '"');
}

static void refuse_value(struct writer *w, size_t row, size_t column, const cJSON *value,
                         const char *code, const char *detail)
{
    char pointer[POINTER_SIZE], place[32];
    (void)snprintf(place, sizeof(place), "%zu", w->columns->items[column].place);
    bool named = value && value->string;
    pointer_to(pointer, w, row, named || !value ? w->names[column] : place);
    ock_faults_add(w->faults, pointer, code, "%s", detail);
}

static void put_value(struct writer *w, size_t row, size_t column)
{
    const cJSON *value = w->values[column];
    bool category = w->columns->items[column].category;
    char text[OCK_NUMBER_TEXT_SIZE];
    if (!value || cJSON_IsNull(value)) {
        if (!ock_predictor_takes_missing(w->predictor, column))
            refuse_value(w, row, column, value, "missing_value",
                         "has no value, and the model knows no stand-in for one");
    } else if (cJSON_IsNumber(value) && !isfinite(value->valuedouble)) {
        return; /* 1e999: the parser has said so */
    } else if (cJSON_IsNumber(value)) {
        ock_number_text(text, value->valuedouble);
        ock_buf_puts(w->out, text);
    } else if (category && cJSON_IsString(value)) {
        put_text(w->out, value->valuestring);
    } else if (category && cJSON_IsBool(value)) {
        ock_buf_puts(w->out, cJSON_IsTrue(value) ? "true" : "false");
    } else {
        refuse_value(w, row, column, value, "wrong_type",
                     category ? "must be a text, as in training"
                              : "must be a number, as in training");
    }
}

static void put_row(struct writer *w, const cJSON *row, size_t index)
{
    if (!gather(w, row, index))
        return;
    for (size_t c = 0; c < w->columns->count; c++) {
        if (c > 0)
            ock_buf_putc(w->out, ',');
        put_value(w, index, c);
    }
    /* A line of nothing would be no row: there is one more column, which the model does not take. */
    ock_buf_puts(w->out, ",0\n");
}

/* The columns' names, and one that is none of them. */
static void put_header(struct writer *w)
{
    char spare[OCK_NAME_BYTES_MAX] = "#";
    for (size_t used = 1; find(w, spare, 0) != SIZE_MAX && used + 1 < sizeof(spare); used++)
        spare[used] = '#';
    for (size_t c = 0; c < w->columns->count; c++) {
        put_text(w->out, w->names[c]);
        ock_buf_putc(w->out, ',');
    }
    ock_buf_printf(w->out, "%s\n", spare);
}

/* The one member with the rows; NULL: faults were added. */
static const cJSON *find_rows(struct writer *w, const cJSON *json)
{
    static const char *const keys[] = {"rows", "x"};
    const cJSON *rows = NULL;
    if (!cJSON_IsObject(json)) {
        ock_faults_add(w->faults, "", "wrong_type",
                       "must be an object {\"rows\": [{\"column\": value, …}, …]}");
        return NULL;
    }
    for (const cJSON *item = json->child; item; item = item->next) {
        char pointer[POINTER_SIZE] = "";
        bool known = strcmp(item->string, "rows") == 0 || strcmp(item->string, "x") == 0;
        ock_json_pointer_add(pointer, sizeof(pointer), item->string);
        if (!known) {
            struct ock_fault *fault = ock_faults_add(w->faults, pointer, "unknown_key",
                                                     "unknown key; there are rows and x");
            const char *near = ock_nearest_word(item->string, keys, 2);
            if (fault && near)
                (void)snprintf(fault->suggestion, sizeof(fault->suggestion), "%s", near);
        } else if (rows) {
            ock_faults_add(w->faults, pointer, "unsupported_combination",
                           "there are rows already: give rows or x, not both");
        } else if (!cJSON_IsArray(item)) {
            ock_faults_add(w->faults, pointer, "wrong_type", "must be an array");
        } else if (!item->child) {
            ock_faults_add(w->faults, pointer, "out_of_range", "must not be empty");
        } else {
            rows = item;
            w->key = strcmp(item->string, "x") == 0 ? "x" : "rows";
        }
    }
    if (!rows && w->faults->count == 0)
        ock_faults_add(w->faults, "/rows", "missing_key", "is missing");
    return rows;
}

enum ock_status ock_rows_json_write(const cJSON *json, const struct ock_predictor *predictor,
                                    size_t rows_max, struct ock_buf *out, struct ock_faults *faults,
                                    struct ock_err *err)
{
    struct writer w = {.predictor = predictor,
                       .columns = ock_predictor_columns(predictor),
                       .out = out,
                       .faults = faults};
    size_t before = faults->count + faults->dropped;
    enum ock_status status = open_writer(&w, err);
    const cJSON *rows = status == OCK_OK ? find_rows(&w, json) : NULL;
    size_t index = 0;
    if (rows)
        put_header(&w);
    /* Without the look at out, a million empty objects of a wide model would be written to nowhere. */
    for (const cJSON *row = rows ? rows->child : NULL; row && status == OCK_OK && !out->failed;
         row = row->next) {
        if (index == rows_max)
            status =
                ock_fail(err, OCK_LIMIT,
                         "there are more than %zu rows of %zu columns, the limit; predict fewer "
                         "at a time",
                         rows_max, w.columns->total);
        else
            put_row(&w, row, index++);
    }
    free(w.sorted);
    free(w.values);
    free(w.names);
    if (status == OCK_OK)
        status = ock_buf_status(out, err);
    if (status == OCK_OK && faults->count + faults->dropped > before)
        status = ock_fail(err, OCK_INVALID, "the rows are not valid");
    return status;
}
