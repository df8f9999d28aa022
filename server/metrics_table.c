/* A job's curves: the numbers of its epoch events as columns. Only those that are shown are read. */
#include "server/metrics_table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"
#include "core/base/jsonw.h"
#include "core/base/limits.h"
#include "server/store_epochs.h"

enum { COLUMNS_MAX = 256, NAME_SIZE = 96 };

struct column {
    char name[NAME_SIZE];
    double *values; /* [capacity] owned; NaN: missing */
};

struct ock_metrics {
    const char *names; /* comma-separated; NULL: all */
    size_t points;
    size_t total; /* epoch events */
    size_t best;  /* the best epoch's place among them; 0 if there is none */
    size_t rows, capacity;
    bool failed;              /* no memory for a column */
    struct ock_faults faults; /* for the parser; our own events have none */
    size_t column_count;
    struct column columns[COLUMNS_MAX];
};

/* Rows at even distances: point k of 0..steps is row round(k * last / steps). */
static size_t row_of(size_t k, size_t steps, size_t last)
{
    return (k * last + steps / 2) / steps;
}

/* First and last, rows at even distances, and the best in place of the nearest of these. Where two
 * points are all, they are the first and the last. */
static bool is_shown(const struct ock_metrics *metrics, size_t index)
{
    size_t last = metrics->total - 1, steps = metrics->points - 1;
    if (index == 0 || index == last || metrics->total <= metrics->points)
        return true;
    if (steps == 1)
        return false;
    size_t k = (index * steps + last / 2) / last;
    bool even = row_of(k, steps, last) == index;
    size_t near = (metrics->best * steps + last / 2) / last;
    if (metrics->best == 0 || metrics->best == last || row_of(near, steps, last) == metrics->best)
        return even;
    near = near == 0 ? 1 : near == steps ? steps - 1 : near;
    return index == metrics->best || (even && k != near);
}

static bool is_wanted(const struct ock_metrics *metrics, const char *name)
{
    size_t size = strlen(name);
    if (!metrics->names || strcmp(name, "epoch") == 0)
        return true;
    for (const char *at = metrics->names; *at;) {
        size_t length = strcspn(at, ",");
        if (length == size && memcmp(at, name, size) == 0)
            return true;
        at += length + (at[length] == ',');
    }
    return false;
}

/* The column of that name, made on its first appearance; NULL: not wanted, or no room
 * (failed, if there is no memory). */
static struct column *find_column(struct ock_metrics *metrics, const char *name)
{
    for (size_t i = 0; i < metrics->column_count; i++) {
        if (strcmp(metrics->columns[i].name, name) == 0)
            return &metrics->columns[i];
    }
    if (metrics->column_count == COLUMNS_MAX || !is_wanted(metrics, name))
        return NULL;
    struct column *column = &metrics->columns[metrics->column_count];
    column->values = malloc(metrics->capacity * sizeof(double));
    if (!column->values) {
        metrics->failed = true;
        return NULL;
    }
    for (size_t i = 0; i < metrics->capacity; i++)
        column->values[i] = (double)NAN;
    (void)snprintf(column->name, sizeof(column->name), "%s", name);
    metrics->column_count++;
    return column;
}

/* Numeric leaves as "train.data_loss"; events are at most three levels deep. */
static void flatten(struct ock_metrics *metrics, const cJSON *object, const char *prefix, int depth)
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
            flatten(metrics, item, name, depth + 1);
        } else if (cJSON_IsNumber(item)) {
            struct column *column = find_column(metrics, name);
            if (column)
                column->values[metrics->rows] = item->valuedouble;
        }
    }
}

static enum ock_status take_row(void *ctx, const char *body, struct ock_err *err)
{
    struct ock_metrics *metrics = ctx;
    cJSON *event = NULL;
    enum ock_status status = ock_json_parse(&event, body, strlen(body), &metrics->faults, err);
    if (status == OCK_OK) {
        flatten(metrics, event, "", 0);
        metrics->rows++;
    }
    cJSON_Delete(event);
    return status;
}

void ock_metrics_json(const struct ock_metrics *metrics, struct ock_buf *out)
{
    struct ock_jsonw w = ock_jsonw_make(out);
    ock_jsonw_object(&w, NULL);
    for (size_t c = 0; c < metrics->column_count; c++) {
        ock_jsonw_array(&w, metrics->columns[c].name);
        for (size_t r = 0; r < metrics->rows; r++)
            ock_jsonw_double(&w, NULL, metrics->columns[c].values[r]);
        ock_jsonw_end_array(&w);
    }
    ock_jsonw_end_object(&w);
}

void ock_metrics_csv(const struct ock_metrics *metrics, struct ock_buf *out)
{
    for (size_t c = 0; c < metrics->column_count; c++)
        ock_buf_printf(out, "%s%s", c > 0 ? "," : "", metrics->columns[c].name);
    ock_buf_puts(out, "\r\n");
    for (size_t r = 0; r < metrics->rows; r++) {
        for (size_t c = 0; c < metrics->column_count; c++) {
            char text[OCK_NUMBER_TEXT_SIZE] = "";
            double value = metrics->columns[c].values[r];
            if (isfinite(value))
                ock_number_text(text, value);
            ock_buf_printf(out, "%s%s", c > 0 ? "," : "", text);
        }
        ock_buf_puts(out, "\r\n");
    }
}

/* The columns that were asked for by name are there even if no row has them. */
static void add_named(struct ock_metrics *metrics)
{
    if (!find_column(metrics, "epoch") || !metrics->names)
        return;
    for (const char *at = metrics->names; *at;) {
        size_t length = strcspn(at, ",");
        char name[NAME_SIZE];
        if (length > 0 && length < sizeof(name)) {
            (void)snprintf(name, sizeof(name), "%.*s", (int)length, at);
            (void)find_column(metrics, name);
        }
        at += length + (at[length] == ',');
    }
}

/* Every event says which epoch was the best one until then, so the last one knows. */
static enum ock_status find_best(void *ctx, const char *body, struct ock_err *err)
{
    static const char member[] = "\"best\":{\"epoch\":";
    const char *at = strstr(body, member);
    (void)err;
    *(int64_t *)ctx = at ? strtoll(at + sizeof(member) - 1, NULL, 10) : 0;
    return OCK_OK;
}

static enum ock_status count(struct ock_metrics *metrics, struct ock_db *db,
                             const struct ock_epoch_refs *refs, struct ock_err *err)
{
    int64_t best = 0;
    metrics->total = refs->count;
    metrics->capacity = refs->count < metrics->points ? refs->count : metrics->points;
    metrics->capacity += metrics->capacity == 0; /* columns without rows are there all the same */
    if (refs->count <= metrics->points)
        return OCK_OK;
    enum ock_status status =
        ock_store_epoch(db, refs->refs[refs->count - 1].event, find_best, &best, err);
    for (size_t i = 0; i < refs->count; i++)
        if (refs->refs[i].epoch == best)
            metrics->best = i;
    return status;
}

static enum ock_status fill(struct ock_metrics *metrics, struct ock_db *db, const char *id,
                            struct ock_err *err)
{
    struct ock_epoch_refs refs;
    enum ock_status status = ock_store_epochs(db, id, &refs, err);
    if (status == OCK_OK)
        status = count(metrics, db, &refs, err);
    if (status == OCK_OK)
        add_named(metrics);
    for (size_t i = 0; status == OCK_OK && i < refs.count; i++)
        if (is_shown(metrics, i) && metrics->rows < metrics->capacity)
            status = ock_store_epoch(db, refs.refs[i].event, take_row, metrics, err);
    ock_epoch_refs_free(&refs);
    if (status == OCK_OK && metrics->failed)
        status = ock_fail(err, OCK_NOMEM, "no memory for the metrics");
    return status;
}

enum ock_status ock_metrics_read(struct ock_metrics **out, struct ock_db *db, const char *id,
                                 const char *names, size_t points, struct ock_err *err)
{
    struct ock_metrics *metrics = calloc(1, sizeof(*metrics));
    if (!metrics)
        return ock_fail(err, OCK_NOMEM, "no memory for the metrics");
    metrics->names = names && names[0] ? names : NULL;
    metrics->points = points < 2                        ? 2
                      : points > OCK_METRICS_POINTS_MAX ? OCK_METRICS_POINTS_MAX
                                                        : points;
    enum ock_status status = fill(metrics, db, id, err);
    metrics->names = NULL; /* borrowed until here */
    if (status == OCK_OK)
        *out = metrics;
    else
        ock_metrics_free(metrics);
    return status;
}

void ock_metrics_free(struct ock_metrics *metrics)
{
    for (size_t i = 0; metrics && i < metrics->column_count; i++)
        free(metrics->columns[i].values);
    free(metrics);
}

size_t ock_metrics_rows(const struct ock_metrics *metrics)
{
    return metrics->rows;
}

const double *ock_metrics_column(const struct ock_metrics *metrics, const char *name)
{
    for (size_t i = 0; i < metrics->column_count; i++)
        if (strcmp(metrics->columns[i].name, name) == 0)
            return metrics->columns[i].values;
    return NULL;
}
