/* GET …/summary: which columns are wanted, the pages that hold them, one JSON object. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/jsonw.h"
#include "core/data/summary.h"
#include "server/dataset_cache.h"
#include "server/store_datasets.h"
#include "server/summaries.h"

enum { PAGES_MAX = 8 }; /* that one request may touch: each costs a pass over the data */

/* What is asked for; columns and lines: [count], owned. */
struct request {
    const struct ock_schema *schema;
    size_t count;
    size_t *columns;
    char **lines; /* owned, each of them */
    char *target; /* owned: the target's line */
};

static void request_deinit(struct request *request)
{
    for (size_t i = 0; request->lines && i < request->count; i++)
        free(request->lines[i]);
    free(request->lines);
    free(request->columns);
    free(request->target);
}

/* --- ?columns= --------------------------------------------------------------------------------- */

static bool bad_columns(struct ock_problem *problem, const char *word, size_t size)
{
    ock_problem_set(problem, 422, "unknown_column", "There is no such column",
                    "columns: \"%.*s\" is neither a column's name nor a position, such as 3, -1 or "
                    "10-19, between commas",
                    (int)(size < 200 ? size : 200), word);
    return false;
}

static bool too_many(struct ock_problem *problem)
{
    ock_problem_set(problem, 422, "too_many_columns", "Too many columns at once",
                    "at most %zu columns are described in one answer; choose some by ?columns=",
                    OCK_SUMMARY_COLUMNS_MAX);
    return false;
}

/* "3", "-1" or "10-19" → from, to (inclusive). */
static bool read_positions(const char *word, size_t size, size_t columns, size_t *from, size_t *to)
{
    char text[48], *end = NULL;
    if (size == 0 || size >= sizeof(text))
        return false;
    memcpy(text, word, size);
    text[size] = '\0';
    if (strspn(text, "-0123456789") != size)
        return false;
    long long position = strtoll(text, &end, 10);
    if (end == text)
        return false;
    if (position < 0)
        position += (long long)columns;
    long long last = position;
    if (*end == '-' && text[0] != '-' && end[1] != '-' && end[1] != '\0')
        last = strtoll(end + 1, &end, 10);
    if (*end || position < 0 || last < position || last >= (long long)columns)
        return false;
    *from = (size_t)position;
    *to = (size_t)last;
    return true;
}

/* A name goes before a position. */
static bool find_columns(const struct ock_schema *schema, const char *word, size_t size,
                         size_t *from, size_t *to)
{
    char name[OCK_NAME_BYTES_MAX];
    if (size > 0 && size < sizeof(name)) {
        memcpy(name, word, size);
        name[size] = '\0';
        *from = *to = ock_schema_column(schema, name);
        if (*from != SIZE_MAX)
            return true;
    }
    return read_positions(word, size, schema->column_count, from, to);
}

static bool choose(struct request *request, const char *words, struct ock_problem *problem)
{
    for (const char *at = words;; at++) {
        size_t size = strcspn(at, ","), from, to;
        if (!find_columns(request->schema, at, size, &from, &to))
            return bad_columns(problem, at, size);
        if (to - from >= OCK_SUMMARY_COLUMNS_MAX - request->count)
            return too_many(problem);
        while (from <= to)
            request->columns[request->count++] = from++;
        at += size;
        if (*at == '\0')
            return true;
    }
}

static bool request_init(struct request *request, const struct ock_schema *schema,
                         const char *words, struct ock_problem *problem)
{
    request->schema = schema;
    request->columns = calloc(OCK_SUMMARY_COLUMNS_MAX, sizeof(*request->columns));
    request->lines = calloc(OCK_SUMMARY_COLUMNS_MAX, sizeof(*request->lines));
    if (!request->columns || !request->lines) {
        struct ock_err err = {0};
        (void)ock_fail(&err, OCK_NOMEM, "no memory for a summary");
        ock_problem_from_err(problem, &err);
        return false;
    }
    if (words)
        return choose(request, words, problem);
    while (request->count < OCK_SUMMARY_COLUMNS_MAX && request->count < schema->column_count) {
        request->columns[request->count] = request->count;
        request->count++;
    }
    return true;
}

/* --- Pages ------------------------------------------------------------------------------------- */

/* Copies the wanted lines of a page; the first line is the target's. */
static enum ock_status take_lines(struct request *request, const struct ock_buf *page, size_t first,
                                  struct ock_err *err)
{
    size_t line_count = 0;
    const char **lines = calloc(OCK_SUMMARY_COLUMNS_MAX + 2, sizeof(*lines));
    if (!lines)
        return ock_fail(err, OCK_NOMEM, "no memory for a summary");
    for (const char *at = page->data; *at && line_count < OCK_SUMMARY_COLUMNS_MAX + 2;
         at += strcspn(at, "\n") + 1)
        lines[line_count++] = at;
    size_t rest = request->schema->column_count - first;
    rest = rest < OCK_SUMMARY_COLUMNS_MAX ? rest : OCK_SUMMARY_COLUMNS_MAX;
    enum ock_status status = OCK_OK;
    if (line_count != 1 + rest)
        status = ock_fail(err, OCK_CORRUPT, "a summary's page has %zu lines", line_count);
    if (status == OCK_OK && !request->target)
        request->target = strndup(lines[0], strcspn(lines[0], "\n"));
    bool whole = request->target != NULL;
    for (size_t i = 0; status == OCK_OK && i < request->count; i++) {
        size_t column = request->columns[i];
        if (column < first || column - first >= rest || request->lines[i])
            continue;
        const char *line = lines[1 + column - first];
        request->lines[i] = strndup(line, strcspn(line, "\n"));
        whole = whole && request->lines[i];
    }
    free(lines);
    return status == OCK_OK && !whole ? ock_fail(err, OCK_NOMEM, "no memory for a summary")
                                      : status;
}

static enum ock_status take_page(struct ock_engine *engine, const char *id,
                                 const struct ock_dataset *dataset, struct request *request,
                                 size_t first, bool *pending, struct ock_err *err)
{
    struct ock_buf page;
    bool later = false;
    ock_buf_init(&page, OCK_SUMMARY_PAGE_BYTES_MAX);
    enum ock_status status =
        ock_summaries_page(engine->summaries, id, dataset, first, &page, &later, err);
    if (status == OCK_OK && !later)
        status = take_lines(request, &page, first, err);
    ock_buf_deinit(&page);
    *pending = *pending || later;
    return status;
}

/* All pages are asked for, so that those that are missing are made at the same time. */
static bool take_pages(struct ock_engine *engine, const char *id, const struct ock_dataset *dataset,
                       struct request *request, bool *pending, struct ock_problem *problem)
{
    struct ock_err err = {0};
    size_t pages[PAGES_MAX], count = 0;
    enum ock_status status = OCK_OK;
    for (size_t i = 0; status == OCK_OK && i < request->count; i++) {
        size_t first = request->columns[i] / OCK_SUMMARY_COLUMNS_MAX * OCK_SUMMARY_COLUMNS_MAX;
        size_t at = 0;
        while (at < count && pages[at] != first)
            at++;
        if (at == PAGES_MAX) {
            ock_problem_set(problem, 422, "too_many_columns", "These columns lie too far apart",
                            "choose columns from at most %d thousands, or ask several times",
                            PAGES_MAX);
            return false;
        }
        if (at < count)
            continue;
        pages[count++] = first;
        status = take_page(engine, id, dataset, request, first, pending, &err);
    }
    if (status == OCK_OK)
        return true;
    if (status == OCK_CONFLICT || status == OCK_STOPPED) {
        ock_problem_set(problem, 503, "busy", "The summary cannot be made now", "try again later");
        problem->retry_after_s = 5;
    } else {
        ock_problem_from_err(problem, &err);
    }
    return false;
}

/* --- The answer -------------------------------------------------------------------------------- */

static void write_constant(const struct ock_schema *schema, struct ock_jsonw *w)
{
    size_t count = 0;
    ock_jsonw_array(w, "constant_columns");
    for (size_t c = 0; c < schema->column_count; c++) {
        if (!ock_column_is_constant(&schema->columns[c], schema->rows))
            continue;
        if (count++ < OCK_SUMMARY_COLUMNS_MAX)
            ock_jsonw_string(w, NULL, schema->columns[c].name);
    }
    ock_jsonw_end_array(w);
    ock_jsonw_uint(w, "constant_count", count);
}

static void write_answer(const struct request *request, const struct ock_dataset *dataset,
                         const char *id, struct ock_buf *out)
{
    const struct ock_schema *schema = request->schema;
    struct ock_jsonw w = ock_jsonw_make(out);
    ock_jsonw_object(&w, NULL);
    ock_jsonw_string(&w, "dataset", id);
    ock_jsonw_string(&w, "sha256", ock_dataset_sha256(dataset));
    ock_jsonw_string(&w, "format", schema->format);
    ock_jsonw_uint(&w, "rows", schema->rows);
    ock_jsonw_uint(&w, "columns_count", schema->column_count);
    if (schema->sparse)
        ock_jsonw_uint(&w, "nonzeros", schema->nonzeros);
    ock_jsonw_raw(&w, "target", request->target);
    write_constant(schema, &w);
    ock_jsonw_array(&w, "columns");
    for (size_t i = 0; i < request->count; i++)
        ock_jsonw_raw(&w, NULL, request->lines[i]);
    ock_jsonw_end_array(&w);
    ock_jsonw_end_object(&w);
}

static bool answer(struct ock_engine *engine, const char *id, const char *words,
                   struct ock_buf *out, bool *pending, struct ock_problem *problem)
{
    struct ock_err err = {0};
    struct request request = {.count = 0};
    const struct ock_dataset *dataset = NULL;
    size_t begin = out->size;
    if (ock_dataset_cache_get(engine->datasets, id, &dataset, &err) != OCK_OK) {
        ock_problem_from_err(problem, &err);
        return false;
    }
    bool good = request_init(&request, ock_dataset_schema(dataset), words, problem) &&
                take_pages(engine, id, dataset, &request, pending, problem);
    if (good && !*pending) {
        write_answer(&request, dataset, id, out);
        good = ock_buf_status(out, &err) == OCK_OK;
        if (!good) {
            ock_answer_undo(out, begin);
            ock_problem_from_err(problem, &err);
        }
    }
    request_deinit(&request);
    ock_dataset_cache_release(engine->datasets, dataset);
    return good;
}

bool ock_engine_dataset_ready(struct ock_engine *engine, const char *id_or_name,
                              char id[OCK_ID_SIZE], struct ock_problem *problem)
{
    struct ock_dataset_row row = {0};
    struct ock_err err = {0};
    struct ock_db *db = ock_store_read(engine->store, &err);
    enum ock_status status = db ? ock_store_find_dataset(db, id_or_name, &row, &err) : err.status;
    if (db)
        ock_store_read_end(engine->store, db);
    if (status != OCK_OK) {
        ock_problem_from_err(problem, &err);
        return false;
    }
    if (strcmp(row.status, "ready") != 0) {
        ock_problem_set(problem, 409, "dataset_not_ready", "The dataset is not ready",
                        "its status is %s", row.status);
        return false;
    }
    memcpy(id, row.id, OCK_ID_SIZE);
    return true;
}

bool ock_engine_summary(struct ock_engine *engine, const char *id, const char *columns,
                        struct ock_buf *out, bool *pending, struct ock_problem *problem)
{
    *pending = false;
    return answer(engine, id, columns, out, pending, problem);
}
