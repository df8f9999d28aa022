/* The table of a job that still runs is made from its stored events, each of which is a row: what a
 * reader of the events has seen, the table has too. */
#include "server/tuning_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"
#include "core/base/jsonw.h"
#include "core/base/limits.h"
#include "server/store_jobs.h"
#include "server/tuning.h"

static cJSON *parse(const char *text, struct ock_err *err)
{
    cJSON *json = NULL;
    struct ock_faults *faults = calloc(1, sizeof(*faults));
    if (faults)
        (void)ock_json_parse(&json, text, strlen(text), faults, err);
    else
        (void)ock_fail(err, OCK_NOMEM, "no memory for a tuning table");
    free(faults);
    return json;
}

/* --- Rows -------------------------------------------------------------------------------------- */

struct row {
    double trial; /* its place, from 1 */
    cJSON *json;  /* owned */
};

struct rows {
    struct row *items; /* owned */
    size_t count, capacity;
    double total; /* how many there will be; NaN: not told */
};

static void rows_deinit(struct rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        cJSON_Delete(rows->items[i].json);
    free(rows->items);
}

/* Takes json. */
static enum ock_status rows_add(struct rows *rows, cJSON *json, struct ock_err *err)
{
    static const char *const not_of_a_row[] = {"type", "job", "seq", "time"};
    const cJSON *trial = ock_json_get(json, "trial"), *total = ock_json_get(json, "trials");
    if (rows->count == rows->capacity) {
        size_t capacity = rows->capacity * 2 + 16;
        struct row *larger = realloc(rows->items, capacity * sizeof(*larger));
        if (!larger) {
            cJSON_Delete(json);
            return ock_fail(err, OCK_NOMEM, "no memory for a tuning table");
        }
        rows->items = larger;
        rows->capacity = capacity;
    }
    if (cJSON_IsNumber(total))
        rows->total = total->valuedouble;
    rows->items[rows->count++] =
        (struct row){cJSON_IsNumber(trial) ? trial->valuedouble : HUGE_VAL, json};
    for (size_t i = 0; i < sizeof(not_of_a_row) / sizeof(not_of_a_row[0]); i++)
        cJSON_DeleteItemFromObjectCaseSensitive(json, not_of_a_row[i]);
    return OCK_OK;
}

static int compare_rows(const void *one, const void *other)
{
    const struct row *a = one, *b = other;
    return (a->trial > b->trial) - (a->trial < b->trial);
}

static enum ock_status read_rows(struct ock_db *db, int64_t number, struct rows *rows,
                                 struct ock_err *err)
{
    enum ock_status status = OCK_OK;
    sqlite3_stmt *stmt = ock_db_prepare(
        db, "SELECT body FROM events WHERE job = ? AND key GLOB 'trial:*' ORDER BY seq", err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_int(stmt, 1, number);
    while (status == OCK_OK) {
        int got = ock_db_next(db, stmt, err);
        if (got < 0)
            return OCK_IO;
        if (got == 0) {
            if (rows->count > 1)
                qsort(rows->items, rows->count, sizeof(*rows->items), compare_rows);
            return OCK_OK;
        }
        cJSON *json = parse(ock_db_text(stmt, 0), err);
        status = json ? rows_add(rows, json, err) : err->status;
    }
    ock_db_reset(stmt);
    return status;
}

/* --- The table --------------------------------------------------------------------------------- */

struct job {
    int64_t number;
    enum ock_job_status status;
    cJSON *tune; /* owned; the spec's section, every default filled in once it is known */
};

static void copy_member(struct ock_jsonw *w, const cJSON *tune, const char *key)
{
    const cJSON *item = ock_json_get(tune, key);
    if (cJSON_IsString(item))
        ock_jsonw_string(w, key, item->valuestring);
    else
        ock_jsonw_double(w, key, cJSON_IsNumber(item) ? item->valuedouble : (double)NAN);
}

static void write_begin(const struct job *job, const char *id, struct ock_jsonw *w)
{
    ock_jsonw_object(w, NULL);
    ock_jsonw_string(w, "job", id);
    ock_jsonw_string(w, "status", ock_job_status_name(job->status));
}

/* The worker's table, which has neither the job's id nor its end. *found false: there is none. */
static enum ock_status copy_document(struct ock_db *db, const struct job *job, const char *id,
                                     struct ock_buf *out, bool *found, struct ock_err *err)
{
    struct ock_err missing;
    struct ock_buf document;
    ock_buf_init(&document, OCK_DOCUMENT_BYTES_MAX);
    enum ock_status status = ock_store_document(db, id, "tuning", &document, &missing);
    *found = status == OCK_OK && document.size > 1;
    if (*found) {
        struct ock_jsonw w = ock_jsonw_make(out);
        write_begin(job, id, &w);
        ock_buf_putc(out, ',');
        ock_buf_add(out, document.data + 1, document.size - 1); /* behind its brace */
        status = ock_buf_status(out, err);
    } else if (status == OCK_NOTFOUND) {
        status = OCK_OK;
    } else if (err) {
        *err = missing;
    }
    ock_buf_deinit(&document);
    return status;
}

static enum ock_status write_table(const struct job *job, const char *id, const struct rows *rows,
                                   struct ock_buf *out, struct ock_err *err)
{
    static const char *const unknown[] = {"chosen", "min", "one_se"};
    static const char *const copied[] = {"rule", "folds", "fold_assignment"};
    struct ock_jsonw w = ock_jsonw_make(out);
    write_begin(job, id, &w);
    for (size_t i = 0; i < sizeof(copied) / sizeof(copied[0]); i++)
        copy_member(&w, job->tune, copied[i]);
    ock_jsonw_null(&w, "rows");
    ock_jsonw_double(&w, "trials_total", rows->total);
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
        ock_jsonw_null(&w, unknown[i]);
    ock_jsonw_array(&w, "trials");
    for (size_t i = 0; i < rows->count; i++) {
        char *text = ock_json_print(rows->items[i].json);
        if (!text)
            return ock_fail(err, OCK_NOMEM, "no memory for a tuning table");
        ock_jsonw_raw(&w, NULL, text);
        free(text);
    }
    ock_jsonw_end_array(&w);
    ock_jsonw_end_object(&w);
    return ock_buf_status(out, err);
}

static enum ock_status read_job(struct ock_db *db, const char *id, struct job *job,
                                struct ock_buf *label, struct ock_err *err)
{
    /* A job that waits for its dataset is not resolved yet: then what was sent says it. */
    sqlite3_stmt *stmt = ock_db_prepare(
        db,
        "SELECT j.number, j.status, coalesce(j.name, j.id),"
        " coalesce(json_extract(s.resolved, '$.tune'), json_extract(s.spec, '$.tune'))"
        " FROM jobs j JOIN specs s ON s.job = j.number WHERE j.id = ?",
        err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_text(stmt, 1, id);
    int got = ock_db_next(db, stmt, err);
    if (got < 0)
        return OCK_IO;
    if (got == 0)
        return ock_fail(err, OCK_NOTFOUND, "there is no job %.40s", id);
    const char *tune = ock_db_text(stmt, 3);
    job->number = sqlite3_column_int64(stmt, 0);
    job->status = (enum ock_job_status)sqlite3_column_int(stmt, 1);
    enum ock_status status = OCK_OK;
    ock_buf_puts(label, ock_db_text(stmt, 2));
    if (!tune) {
        status = ock_fail(err, OCK_UNSUPPORTED, "job %.40s has no tune section", id);
    } else {
        job->tune = parse(tune, err);
        status = job->tune ? ock_buf_status(label, err) : err->status;
    }
    ock_db_reset(stmt);
    return status;
}

enum ock_status ock_tuning_table(struct ock_db *db, const char *id, struct ock_buf *out,
                                 struct ock_buf *label, struct ock_err *err)
{
    struct job job = {0};
    struct rows rows = {.total = (double)NAN};
    bool found = false;
    enum ock_status status = read_job(db, id, &job, label, err);
    if (status == OCK_OK)
        status = copy_document(db, &job, id, out, &found, err);
    if (status == OCK_OK && !found)
        status = read_rows(db, job.number, &rows, err);
    if (status == OCK_OK && !found)
        status = write_table(&job, id, &rows, out, err);
    rows_deinit(&rows);
    cJSON_Delete(job.tune);
    return status;
}
