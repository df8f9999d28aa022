/* A job's curves: the numbers of its epoch events as columns.
 *
 * Two passes over the events of one snapshot: the first counts, so that the second parses only the
 * rows that are shown. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"
#include "core/base/jsonw.h"
#include "core/base/limits.h"
#include "server/store_datasets.h"
#include "server/store_jobs.h"

#include "server/engine_private.h"

enum { COLUMNS_MAX = 256, POINTS_DEFAULT = 1000, POINTS_MAX = 100000, NAME_SIZE = 96 };

struct column {
    char name[NAME_SIZE];
    double *values; /* [capacity] owned; NaN: missing */
};

struct table {
    const char *names; /* comma-separated; NULL: all */
    size_t points;
    size_t total; /* epoch events */
    size_t seen;  /* in the second pass */
    size_t best;  /* the best epoch's place among them; 0 if there is none */
    size_t rows, capacity;
    size_t column_count;
    struct column columns[COLUMNS_MAX];
};

static int64_t peek(const char *body, const char *member)
{
    const char *at = strstr(body, member);
    return at ? strtoll(at + strlen(member), NULL, 10) : 0;
}

static enum ock_status count_row(void *ctx, const char *body, struct ock_err *err)
{
    struct table *table = ctx;
    (void)err;
    if (peek(body, "\"epoch\":") == peek(body, "\"best\":{\"epoch\":"))
        table->best = table->total; /* so far */
    table->total++;
    return OCK_OK;
}

/* Rows at even distances: point k of 0..steps is row round(k * last / steps). */
static size_t row_of(size_t k, size_t steps, size_t last)
{
    return (k * last + steps / 2) / steps;
}

/* First and last, rows at even distances, and the best in place of the nearest of these. Where two
 * points are all, they are the first and the last. */
static bool is_shown(const struct table *table, size_t index)
{
    size_t last = table->total - 1, steps = table->points - 1;
    if (index == 0 || index == last || table->total <= table->points)
        return true;
    if (steps == 1)
        return false;
    size_t k = (index * steps + last / 2) / last;
    bool even = row_of(k, steps, last) == index;
    size_t near = (table->best * steps + last / 2) / last;
    if (table->best == 0 || table->best == last || row_of(near, steps, last) == table->best)
        return even;
    near = near == 0 ? 1 : near == steps ? steps - 1 : near;
    return index == table->best || (even && k != near);
}

static bool is_wanted(const struct table *table, const char *name)
{
    size_t size = strlen(name);
    if (!table->names || strcmp(name, "epoch") == 0)
        return true;
    for (const char *at = table->names; *at;) {
        size_t length = strcspn(at, ",");
        if (length == size && memcmp(at, name, size) == 0)
            return true;
        at += length + (at[length] == ',');
    }
    return false;
}

/* The column of that name, made on its first appearance; NULL: not wanted, or no room. */
static struct column *find_column(struct table *table, const char *name)
{
    for (size_t i = 0; i < table->column_count; i++) {
        if (strcmp(table->columns[i].name, name) == 0)
            return &table->columns[i];
    }
    if (table->column_count == COLUMNS_MAX || !is_wanted(table, name))
        return NULL;
    struct column *column = &table->columns[table->column_count];
    column->values = malloc(table->capacity * sizeof(double));
    if (!column->values)
        return NULL;
    for (size_t i = 0; i < table->capacity; i++)
        column->values[i] = (double)NAN;
    (void)snprintf(column->name, sizeof(column->name), "%s", name);
    table->column_count++;
    return column;
}

/* Numeric leaves as "train.data_loss"; events are at most three levels deep. */
static void flatten(struct table *table, const cJSON *object, const char *prefix, int depth)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, object)
    {
        char name[NAME_SIZE];
        int length = snprintf(name, sizeof(name), "%s%s%s", prefix, prefix[0] ? "." : "",
                              item->string ? item->string : "");
        if (length < 0 || (size_t)length >= sizeof(name) || strcmp(name, "seq") == 0)
            continue;
        if (cJSON_IsObject(item) && depth < 3) {
            flatten(table, item, name, depth + 1);
        } else if (cJSON_IsNumber(item)) {
            struct column *column = find_column(table, name);
            if (column)
                column->values[table->rows] = item->valuedouble;
        }
    }
}

static enum ock_status take_row(void *ctx, const char *body, struct ock_err *err)
{
    struct table *table = ctx;
    size_t index = table->seen++;
    if (!is_shown(table, index) || table->rows == table->capacity)
        return OCK_OK;
    cJSON *event = NULL;
    struct ock_faults *faults = calloc(1, sizeof(*faults));
    if (!faults)
        return ock_fail(err, OCK_NOMEM, "no memory for the metrics");
    enum ock_status status = ock_json_parse(&event, body, strlen(body), faults, err);
    if (status == OCK_OK) {
        flatten(table, event, "", 0);
        table->rows++;
    }
    cJSON_Delete(event);
    free(faults);
    return status;
}

static void write_json(const struct table *table, struct ock_buf *out)
{
    struct ock_jsonw w = ock_jsonw_make(out);
    ock_jsonw_object(&w, NULL);
    for (size_t c = 0; c < table->column_count; c++) {
        ock_jsonw_array(&w, table->columns[c].name);
        for (size_t r = 0; r < table->rows; r++)
            ock_jsonw_double(&w, NULL, table->columns[c].values[r]);
        ock_jsonw_end_array(&w);
    }
    ock_jsonw_end_object(&w);
}

static void write_csv(const struct table *table, struct ock_buf *out)
{
    for (size_t c = 0; c < table->column_count; c++)
        ock_buf_printf(out, "%s%s", c > 0 ? "," : "", table->columns[c].name);
    ock_buf_puts(out, "\r\n");
    for (size_t r = 0; r < table->rows; r++) {
        for (size_t c = 0; c < table->column_count; c++) {
            char text[OCK_NUMBER_TEXT_SIZE] = "";
            double value = table->columns[c].values[r];
            if (isfinite(value))
                ock_number_text(text, value);
            ock_buf_printf(out, "%s%s", c > 0 ? "," : "", text);
        }
        ock_buf_puts(out, "\r\n");
    }
}

/* The columns that were asked for by name are there even if no row has them. */
static void add_named(struct table *table)
{
    if (!find_column(table, "epoch") || !table->names)
        return;
    for (const char *at = table->names; *at;) {
        size_t length = strcspn(at, ",");
        char name[NAME_SIZE];
        if (length > 0 && length < sizeof(name)) {
            (void)snprintf(name, sizeof(name), "%.*s", (int)length, at);
            (void)find_column(table, name);
        }
        at += length + (at[length] == ',');
    }
}

static enum ock_status fill(struct table *table, struct ock_db *db, const char *id,
                            struct ock_err *err)
{
    enum ock_status status = ock_store_each_epoch(db, id, count_row, table, err);
    if (status != OCK_OK)
        return status;
    table->capacity = table->total < table->points ? table->total : table->points;
    table->capacity += table->capacity == 0; /* columns without rows are there all the same */
    add_named(table);
    return ock_store_each_epoch(db, id, take_row, table, err);
}

bool ock_engine_metrics(struct ock_engine *engine, const char *id, const char *names,
                        size_t max_points, bool csv, struct ock_buf *out,
                        struct ock_problem *problem)
{
    struct ock_err err = {0};
    size_t begin = out->size;
    enum ock_status status = OCK_NOMEM;
    struct table *table = calloc(1, sizeof(*table));
    struct ock_db *db = table ? ock_store_read(engine->store, &err) : NULL;
    if (!table)
        (void)ock_fail(&err, OCK_NOMEM, "no memory for the metrics");
    if (db) {
        table->names = names && names[0] ? names : NULL;
        table->points = max_points == 0           ? POINTS_DEFAULT
                        : max_points < 2          ? 2
                        : max_points > POINTS_MAX ? POINTS_MAX
                                                  : max_points;
        status = fill(table, db, id, &err);
        ock_store_read_end(engine->store, db);
    }
    if (status == OCK_OK) {
        if (csv)
            write_csv(table, out);
        else
            write_json(table, out);
        status = ock_buf_status(out, &err);
    }
    for (size_t i = 0; table && i < table->column_count; i++)
        free(table->columns[i].values);
    free(table);
    if (status == OCK_OK)
        return true;
    ock_answer_undo(out, begin);
    ock_problem_from_err(problem, &err);
    return false;
}
