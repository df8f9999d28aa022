/* Jobs as readers see and change them; events, models, subscriptions. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/json.h"
#include "core/base/limits.h"
#include "server/ids.h"
#include "server/keeper.h"
#include "server/runner.h"
#include "server/store_all_events.h"
#include "server/store_datasets.h"

static const size_t model_blob_max = (size_t)1 << 20;

static bool fail_err(struct ock_problem *problem, const struct ock_err *err)
{
    ock_problem_from_err(problem, err);
    return false;
}

/* The end of every read: the snapshot goes back, a half-written answer goes. */
static bool finish_read(struct ock_engine *engine, struct ock_db *db, enum ock_status status,
                        const struct ock_err *err, struct ock_buf *out, size_t begin,
                        struct ock_problem *problem)
{
    if (db)
        ock_store_read_end(engine->store, db);
    if (status == OCK_OK)
        return true;
    ock_answer_undo(out, begin);
    return fail_err(problem, err);
}

bool ock_engine_job(struct ock_engine *engine, const char *id, struct ock_buf *out,
                    uint64_t *version, struct ock_problem *problem)
{
    struct ock_err err = {0};
    size_t begin = out->size;
    struct ock_db *db = ock_store_read(engine->store, &err);
    enum ock_status status = db ? ock_store_job_json(db, id, out, version, &err) : err.status;
    return finish_read(engine, db, status, &err, out, begin, problem);
}

bool ock_engine_jobs(struct ock_engine *engine, const struct ock_job_query *query,
                     struct ock_buf *out, char next[OCK_ID_SIZE], struct ock_problem *problem)
{
    struct ock_err err = {0};
    size_t begin = out->size;
    char own_next[OCK_ID_SIZE] = "";
    struct ock_db *db = ock_store_read(engine->store, &err);
    enum ock_status status = db ? ock_store_jobs_json(db, query, out, own_next, &err) : err.status;
    bool ok = finish_read(engine, db, status, &err, out, begin, problem);
    if (status == OCK_INVALID)
        ock_problem_set(problem, 400, "invalid_query", "A query parameter is not valid", "%s",
                        err.text);
    if (ok && next)
        memcpy(next, own_next, sizeof(own_next));
    return ok;
}

bool ock_engine_act(struct ock_engine *engine, const char *id, const char *action, int *status,
                    struct ock_buf *out, struct ock_problem *problem)
{
    return ock_runner_act(engine->runner, id, action, status, problem) &&
           ock_engine_job(engine, id, out, NULL, problem);
}

static enum ock_status apply_delete(struct ock_db *db, void *ctx, struct ock_err *err)
{
    return ock_store_delete_job(db, ctx, err);
}

bool ock_engine_delete(struct ock_engine *engine, const char *id, struct ock_problem *problem)
{
    struct ock_err err = {0};
    char copy[OCK_ID_SIZE];
    (void)snprintf(copy, sizeof(copy), "%s", id);
    if (strcmp(copy, id) != 0)
        (void)ock_fail(&err, OCK_NOTFOUND, "there is no job %.40s", id);
    else if (ock_store_delete(engine->store, apply_delete, copy, &err) == OCK_OK)
        err.status = OCK_OK;
    if (err.status != OCK_OK)
        return fail_err(problem, &err);
    ock_job_forget(engine, copy);
    ock_keeper_wake(engine->keeper);
    return true;
}

/* --- PATCH ------------------------------------------------------------------------------------- */

static bool read_labels(const cJSON *labels, struct ock_faults *faults)
{
    if (!cJSON_IsObject(labels)) {
        (void)ock_faults_add(faults, "/labels", "wrong_type", "must be an object of strings");
        return false;
    }
    if (cJSON_GetArraySize(labels) > (int)OCK_LABELS_MAX)
        (void)ock_faults_add(faults, "/labels", "out_of_range", "at most %u labels",
                             OCK_LABELS_MAX);
    const cJSON *label = NULL;
    cJSON_ArrayForEach(label, labels)
    {
        char pointer[320] = "/labels";
        ock_json_pointer_add(pointer, sizeof(pointer), label->string);
        if (!cJSON_IsString(label))
            (void)ock_faults_add(faults, pointer, "wrong_type", "must be a string");
    }
    return faults->count == 0;
}

/* The patch's members, checked. labels_text is owned by the caller. */
static void read_patch(const cJSON *json, struct ock_job_patch *patch, int *priority,
                       char **labels_text, struct ock_faults *faults)
{
    static const char *const keys[] = {"labels", "name", "priority"};
    const cJSON *item = NULL;
    if (!cJSON_IsObject(json))
        (void)ock_faults_add(faults, "", "wrong_type", "must be an object");
    cJSON_ArrayForEach(item, json)
    {
        char pointer[320] = "";
        ock_json_pointer_add(pointer, sizeof(pointer), item->string);
        if (strcmp(item->string, "labels") == 0) {
            if (read_labels(item, faults))
                *labels_text = ock_json_print(item);
            patch->labels = *labels_text;
        } else if (strcmp(item->string, "name") == 0) {
            if (cJSON_IsNull(item))
                patch->name = "";
            else if (cJSON_IsString(item) && strlen(item->valuestring) <= OCK_JOB_NAME_BYTES_MAX)
                patch->name = item->valuestring;
            else
                (void)ock_faults_add(faults, pointer, "wrong_type",
                                     "must be a text of at most %u bytes, or null",
                                     OCK_JOB_NAME_BYTES_MAX);
        } else if (strcmp(item->string, "priority") == 0) {
            if (cJSON_IsNumber(item) && ock_json_whole(item) && item->valuedouble >= -1000 &&
                item->valuedouble <= 1000) {
                *priority = (int)item->valuedouble;
                patch->priority = priority;
            } else {
                (void)ock_faults_add(faults, pointer, "out_of_range",
                                     "must be a whole number from -1000 to 1000");
            }
        } else {
            struct ock_fault *fault = ock_faults_add(faults, pointer, "unknown_key", "unknown key");
            const char *near = ock_nearest_word(item->string, keys, 3);
            if (fault && near)
                (void)snprintf(fault->suggestion, sizeof(fault->suggestion), "%s", near);
        }
    }
}

static enum ock_status apply_patch(struct ock_db *db, void *ctx, struct ock_err *err)
{
    return ock_store_patch_job(db, ctx, err);
}

bool ock_engine_patch(struct ock_engine *engine, const char *id, const cJSON *patch,
                      struct ock_buf *out, struct ock_problem *problem)
{
    struct ock_job_patch change = {.id = id};
    struct ock_err err = {0};
    int priority = 0;
    char *labels_text = NULL;
    read_patch(patch, &change, &priority, &labels_text, &problem->faults);
    if (problem->faults.count > 0) {
        free(labels_text);
        ock_problem_set(problem, 422, "invalid_patch", "The change is not valid", "%s", "");
        return false;
    }
    enum ock_status status = ock_store_write(engine->store, apply_patch, &change, &err);
    free(labels_text);
    if (status != OCK_OK)
        return fail_err(problem, &err);
    if (change.priority)
        ock_runner_set_priority(engine->runner, id, priority);
    ock_hub_wake(engine->hub, id);
    return ock_engine_job(engine, id, out, NULL, problem);
}

/* --- Models ------------------------------------------------------------------------------------ */

/* "digits-l2.safetensors": only what no file system and no header minds. */
static void safe_filename(char *out, size_t size, const char *name, const char *id)
{
    char stem[96];
    size_t used = 0;
    for (const char *c = name; *c && used + 1 < sizeof(stem); c++) {
        bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                     (*c >= '0' && *c <= '9') || *c == '-' || *c == '_' || (*c == '.' && used > 0);
        stem[used++] = plain ? *c : '_';
    }
    stem[used] = '\0';
    (void)snprintf(out, size, "%s.safetensors", used > 0 ? stem : id);
}

bool ock_engine_model(struct ock_engine *engine, const char *id, const char *which,
                      struct ock_model *out, struct ock_problem *problem)
{
    struct ock_err err = {0};
    struct ock_model_row row = {0};
    struct ock_model model = {.fd = -1};
    char path[OCK_PATH_SIZE], name[32];
    if (which && strcmp(which, "best") != 0 && strcmp(which, "last") != 0) {
        ock_problem_set(problem, 400, "invalid_query", "A query parameter is not valid",
                        "which must be best or last");
        return false;
    }
    ock_buf_init(&model.bytes, model_blob_max);
    int64_t number;
    enum ock_job_status job_status;
    struct ock_db *db = ock_store_read(engine->store, &err);
    enum ock_status status =
        db ? ock_store_find_job(db, id, &number, &job_status, &err) : err.status;
    if (status == OCK_OK)
        status = ock_store_model(db, id, which, &row, &model.bytes, &err);
    if (db)
        ock_store_read_end(engine->store, db);
    if (status == OCK_OK && row.is_file) {
        (void)snprintf(name, sizeof(name), "%s.safetensors", row.which);
        ock_job_path(engine, path, id, name);
        model.fd = open(path, O_RDONLY | O_CLOEXEC);
        if (model.fd < 0)
            status = ock_fail_errno(&err, errno, "cannot open a model file");
    }
    if (status != OCK_OK) {
        ock_buf_deinit(&model.bytes);
        return fail_err(problem, &err);
    }
    model.size = row.bytes;
    memcpy(model.sha256, row.sha256, sizeof(model.sha256));
    (void)snprintf(model.which, sizeof(model.which), "%s", row.which);
    safe_filename(model.filename, sizeof(model.filename), row.name, id);
    *out = model;
    return true;
}

/* --- Documents --------------------------------------------------------------------------------- */

bool ock_engine_document(struct ock_engine *engine, const char *id, const char *name,
                         struct ock_buf *out, struct ock_problem *problem)
{
    struct ock_err err = {0};
    size_t begin = out->size;
    int64_t number;
    enum ock_job_status job_status = OCK_JOB_FAILED;
    struct ock_db *db = ock_store_read(engine->store, &err);
    enum ock_status status =
        db ? ock_store_find_job(db, id, &number, &job_status, &err) : err.status;
    if (status == OCK_OK)
        status = ock_store_document(db, id, name, out, &err);
    bool ok = finish_read(engine, db, status, &err, out, begin, problem);
    if (status == OCK_NOTFOUND && job_status < OCK_JOB_SUCCEEDED)
        ock_problem_set(problem, 409, "not_ended", "The job has not ended",
                        "the job is %s; its %s come with its end", ock_job_status_name(job_status),
                        name);
    return ok;
}

/* --- Events ------------------------------------------------------------------------------------ */

bool ock_engine_events(struct ock_engine *engine, const char *id, uint64_t after, size_t limit,
                       size_t bytes_max, struct ock_buf *out, uint64_t *last, bool *ended,
                       struct ock_problem *problem)
{
    struct ock_err err = {0};
    size_t begin = out->size;
    struct ock_db *db = ock_store_read(engine->store, &err);
    enum ock_status status =
        db ? ock_store_events_json(db, id, after, limit, bytes_max, out, last, ended, &err)
           : err.status;
    return finish_read(engine, db, status, &err, out, begin, problem);
}

bool ock_engine_all_events(struct ock_engine *engine, uint64_t after, uint64_t until,
                           size_t bytes_max, struct ock_buf *out, uint64_t *last,
                           struct ock_problem *problem)
{
    struct ock_err err = {0};
    size_t begin = out->size;
    struct ock_db *db = ock_store_read(engine->store, &err);
    enum ock_status status =
        db ? ock_store_all_events_json(db, after, until, bytes_max, out, last, &err) : err.status;
    return finish_read(engine, db, status, &err, out, begin, problem);
}

bool ock_engine_last_event(struct ock_engine *engine, const char *id, uint64_t *out,
                           struct ock_problem *problem)
{
    struct ock_err err = {0};
    struct ock_db *db = ock_store_read(engine->store, &err);
    enum ock_status status = !db     ? err.status
                             : id[0] ? ock_store_last_seq(db, id, out, &err)
                                     : ock_store_newest_event(db, out, &err);
    if (db)
        ock_store_read_end(engine->store, db);
    return status == OCK_OK || fail_err(problem, &err);
}

bool ock_engine_subscribe(struct ock_engine *engine, const char *id, void (*wake)(void *ctx),
                          void *ctx, struct ock_subscription **out, struct ock_problem *problem)
{
    struct ock_err err = {0};
    int64_t number;
    enum ock_job_status job_status;
    enum ock_status status = OCK_OK;
    if (id[0]) {
        struct ock_db *db = ock_store_read(engine->store, &err);
        status = db ? ock_store_find_job(db, id, &number, &job_status, &err) : err.status;
        if (db)
            ock_store_read_end(engine->store, db);
    }
    if (status == OCK_OK)
        status = ock_hub_subscribe(engine->hub, id, wake, ctx, out, &err);
    return status == OCK_OK || fail_err(problem, &err);
}

void ock_engine_unsubscribe(struct ock_subscription *subscription)
{
    ock_hub_unsubscribe(subscription);
}

bool ock_engine_progress(struct ock_engine *engine, const char *id, uint64_t *stamp,
                         struct ock_buf *out)
{
    return ock_hub_read_progress(engine->hub, id, stamp, out);
}
