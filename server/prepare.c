/* Checks in the order that finds the most at once: the spec's own faults and its datasets' together,
 * then what only the data can tell, then the sizes. */
#include "server/prepare_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/json.h"
#include "core/base/jsonw.h"
#include "core/base/limits.h"
#include "core/data/data.h"
#include "core/data/import.h"
#include "core/train/model_file.h"
#include "server/dataset_cache.h"
#include "server/ids.h"

static bool fail_err(struct ock_problem *problem, const struct ock_err *err)
{
    ock_problem_from_err(problem, err);
    return false;
}

static bool fail_faults(struct ock_problem *problem)
{
    ock_problem_set(problem, 422, "invalid_spec", "The job spec is not valid", "%s", "");
    return false;
}

/* --- Datasets ---------------------------------------------------------------------------------- */

enum { NAMES_MAX = 10000 };

struct names {
    size_t count;
    char *items[NAMES_MAX]; /* owned */
};

static void take_name(void *ctx, const char *id, const char *name)
{
    struct names *names = ctx;
    (void)id;
    char *copy = names->count < NAMES_MAX ? strdup(name) : NULL;
    if (copy)
        names->items[names->count++] = copy;
}

/* The name that was most likely meant. */
static void suggest(struct ock_db *db, const char *name, struct ock_fault *fault)
{
    struct names *names = calloc(1, sizeof(*names));
    if (!names || !fault) {
        free(names);
        return;
    }
    (void)ock_store_each_dataset(db, NULL, take_name, names, NULL);
    const char *near =
        ock_nearest_word(name, (const char *const *)(const void *)names->items, names->count);
    if (near)
        (void)snprintf(fault->suggestion, sizeof(fault->suggestion), "%s", near);
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i]);
    free(names);
}

enum ock_status ock_prepare_find_dataset(struct ock_prepared *prepared, enum ock_role role,
                                         const char *name, const char *pointer,
                                         struct ock_faults *faults, struct ock_err *err)
{
    struct ock_dataset_row *row = &prepared->rows[role];
    struct ock_db *db = ock_store_read(prepared->engine->store, err);
    if (!db)
        return err->status;
    enum ock_status status = ock_store_find_dataset(db, name, row, err);
    if (status == OCK_NOTFOUND) {
        suggest(
            db, name,
            ock_faults_add(faults, pointer, "unknown_dataset", "there is no dataset %.70s", name));
        status = OCK_OK;
    } else if (status == OCK_OK && prepared->may_wait && strcmp(row->status, "preparing") == 0) {
        prepared->waits = true;
    } else if (status == OCK_OK && strcmp(row->status, "ready") != 0) {
        (void)ock_faults_add(faults, pointer, "dataset_not_ready", "the dataset %.70s is %s%s%s",
                             row->name, row->status, row->error[0] ? ": " : "", row->error);
        row->id[0] = '\0';
    }
    ock_store_read_end(prepared->engine->store, db);
    return status;
}

static const char *text_of(const cJSON *object, const char *key)
{
    const cJSON *item = ock_json_get(object, key);
    return cJSON_IsString(item) ? item->valuestring : NULL;
}

/* By the JSON, not by the parsed spec: so that an unknown dataset is told beside other faults. */
static enum ock_status find_datasets(struct ock_prepared *prepared, const cJSON *spec,
                                     struct ock_faults *faults, struct ock_err *err)
{
    const cJSON *data = ock_json_get(spec, "data");
    const struct {
        enum ock_role role;
        const char *name, *pointer;
    } wanted[] = {
        {OCK_ROLE_TRAIN, text_of(data, "dataset"), "/data/dataset"},
        {OCK_ROLE_VALIDATION, text_of(ock_json_get(data, "validation"), "dataset"),
         "/data/validation/dataset"},
        {OCK_ROLE_TEST, text_of(ock_json_get(data, "test"), "dataset"), "/data/test/dataset"},
    };
    enum ock_status status = OCK_OK;
    for (size_t i = 0; status == OCK_OK && i < OCK_ROLE_COUNT; i++) {
        if (wanted[i].name)
            status = ock_prepare_find_dataset(prepared, wanted[i].role, wanted[i].name,
                                              wanted[i].pointer, faults, err);
    }
    return status;
}

static enum ock_status open_datasets(struct ock_prepared *prepared, struct ock_err *err)
{
    enum ock_status status = OCK_OK;
    for (size_t i = 0; status == OCK_OK && i < OCK_ROLE_COUNT; i++) {
        if (prepared->rows[i].id[0])
            status = ock_dataset_cache_get(prepared->engine->datasets, prepared->rows[i].id,
                                           &prepared->datasets[i], err);
    }
    return status;
}

/* --- What comes with the spec ------------------------------------------------------------------ */

static enum ock_status make_directory(struct ock_prepared *prepared, struct ock_err *err)
{
    if (prepared->has_directory)
        return OCK_OK;
    enum ock_status status = ock_job_directory(prepared->engine, prepared->id, err);
    prepared->has_directory = status == OCK_OK;
    return status;
}

static enum ock_status import_inline(struct ock_prepared *prepared, const cJSON *data,
                                     struct ock_faults *faults, struct ock_err *err)
{
    char path[OCK_PATH_SIZE];
    prepared->has_inline = true;
    enum ock_status status = make_directory(prepared, err);
    if (status != OCK_OK)
        return status;
    ock_job_path(prepared->engine, path, prepared->id, "inline.ockds");
    status = ock_import_inline(data, "/data/inline", path, faults, err);
    if (status == OCK_INVALID && faults->count > 0)
        return OCK_OK;
    if (status == OCK_OK)
        status = ock_dataset_open(&prepared->own, path, err);
    prepared->datasets[OCK_ROLE_TRAIN] = prepared->own;
    return status;
}

/* The other job's weights: in the store, or a file. */
struct weights {
    struct ock_buf bytes;
    int fd; /* -1: the bytes are all */
    bool found;
};

static enum ock_status open_weights(struct ock_prepared *prepared, struct ock_db *db,
                                    struct weights *weights, struct ock_faults *faults,
                                    struct ock_err *err)
{
    const struct ock_init_spec *init = &prepared->spec->init;
    struct ock_model_row row = {0};
    char path[OCK_PATH_SIZE], name[32];
    enum ock_status status = ock_store_model(
        db, init->job, init->which == OCK_LAST ? "last" : "best", &row, &weights->bytes, err);
    if (status == OCK_NOTFOUND) {
        (void)ock_faults_add(faults, "/model/init/job", "no_model", "the job %.40s has no model",
                             init->job);
        return OCK_OK;
    }
    if (status == OCK_OK && row.is_file) {
        (void)snprintf(name, sizeof(name), "%s.safetensors", row.which);
        ock_job_path(prepared->engine, path, init->job, name);
        weights->fd = open(path, O_RDONLY | O_CLOEXEC);
        if (weights->fd < 0) /* of a succeeded job: the server's fault, not the client's */
            return ock_fail_errno(err, errno, "cannot open the model %s", path);
    }
    weights->found = status == OCK_OK;
    return status;
}

static enum ock_status find_weights(struct ock_prepared *prepared, struct weights *weights,
                                    struct ock_faults *faults, struct ock_err *err)
{
    int64_t number;
    enum ock_job_status job_status;
    const char *job = prepared->spec->init.job;
    struct ock_db *db = ock_store_read(prepared->engine->store, err);
    if (!db)
        return err->status;
    enum ock_status status = ock_store_find_job(db, job, &number, &job_status, err);
    if (status == OCK_NOTFOUND) {
        (void)ock_faults_add(faults, "/model/init/job", "unknown_job", "there is no job %.40s",
                             job);
        status = OCK_OK;
    } else if (status == OCK_OK && job_status != OCK_JOB_SUCCEEDED) {
        (void)ock_faults_add(faults, "/model/init/job", "wrong_state",
                             "the job %.40s has no model to start from: it is %s", job,
                             ock_job_status_name(job_status));
    } else if (status == OCK_OK) {
        status = open_weights(prepared, db, weights, faults, err);
    }
    ock_store_read_end(prepared->engine->store, db);
    return status;
}

/* Copied, because that job may be deleted before this one starts: even now, which an open file
 * survives. They may be gigabytes, so nobody waits for this: the store's few readers are free. */
static enum ock_status copy_weights(struct ock_prepared *prepared, const struct weights *weights,
                                    struct ock_err *err)
{
    char path[OCK_PATH_SIZE];
    enum ock_status status = make_directory(prepared, err);
    if (status != OCK_OK)
        return status;
    ock_job_path(prepared->engine, path, prepared->id, "init.safetensors");
    status = weights->fd >= 0
                 ? ock_file_copy(path, weights->fd, err)
                 : ock_file_replace(path, weights->bytes.data, weights->bytes.size, err);
    prepared->has_init = status == OCK_OK;
    return status;
}

static enum ock_status take_weights(struct ock_prepared *prepared, struct ock_faults *faults,
                                    struct ock_err *err)
{
    struct weights weights = {.fd = -1};
    if (!prepared->spec->init.job)
        return OCK_OK;
    ock_buf_init(&weights.bytes, OCK_GIB);
    enum ock_status status = find_weights(prepared, &weights, faults, err);
    if (status == OCK_OK && weights.found)
        status = copy_weights(prepared, &weights, err);
    if (weights.fd >= 0)
        (void)close(weights.fd);
    ock_buf_deinit(&weights.bytes);
    return status;
}

/* --- Resolve and plan -------------------------------------------------------------------------- */

static const struct ock_schema *schema_of(const struct ock_prepared *prepared, enum ock_role role)
{
    const struct ock_dataset *dataset = prepared->datasets[role];
    return dataset ? ock_dataset_schema(dataset) : NULL;
}

static size_t outputs_of(const struct ock_spec *spec)
{
    for (size_t i = spec->layer_count; i > 0; i--) {
        if (spec->layers[i - 1].type == OCK_LINEAR)
            return spec->layers[i - 1].units;
    }
    return 0;
}

static enum ock_status plan(struct ock_prepared *prepared, struct ock_err *err)
{
    const struct ock_spec *spec = prepared->spec;
    size_t *counts = prepared->row_counts;
    struct ock_data_sizes found;
    enum ock_status status = ock_data_measure(&found, spec, prepared->datasets[OCK_ROLE_TRAIN],
                                              prepared->datasets[OCK_ROLE_VALIDATION],
                                              prepared->datasets[OCK_ROLE_TEST], err);
    if (status != OCK_OK)
        return status;
    counts[OCK_ROLE_TRAIN] = found.train_rows;
    counts[OCK_ROLE_VALIDATION] = found.validation_rows;
    counts[OCK_ROLE_TEST] = found.test_rows;
    (void)snprintf(prepared->rare_text, sizeof(prepared->rare_text), "%s", found.rare_text);
    struct ock_plan_data sizes = {.rows = found, .outputs = outputs_of(spec)};
    prepared->plan = calloc(1, sizeof(*prepared->plan));
    if (!prepared->plan)
        return ock_fail(err, OCK_NOMEM, "no memory for the plan");
    return ock_plan_make(prepared->plan, spec, &sizes, err);
}

/* Starting weights of another shape would fail the job later, when nobody looks. */
static enum ock_status check_weights(const struct ock_prepared *prepared, struct ock_faults *faults,
                                     struct ock_err *err)
{
    char path[OCK_PATH_SIZE];
    if (!prepared->has_init)
        return OCK_OK;
    ock_job_path(prepared->engine, path, prepared->id, "init.safetensors");
    enum ock_status status = ock_model_read_weights(prepared->plan, path, NULL, err);
    if (status != OCK_INVALID)
        return status;
    (void)ock_faults_add(faults, "/model/init", "wrong_shape", "%s", err->text);
    return OCK_OK;
}

static bool check_memory(const struct ock_prepared *prepared, struct ock_problem *problem)
{
    size_t needed =
        ock_job_memory_bytes(prepared->engine, prepared->plan->memory_bytes,
                             prepared->spec->train.threads, prepared->plan->threads_useful);
    if (needed <= prepared->engine->memory_bytes)
        return true;
    ock_problem_set(problem, 422, "too_large", "The job can never fit into memory",
                    "it needs %.1f MiB (%zu parameters, batches of %zu rows), the server may use "
                    "%.1f MiB (--memory)",
                    (double)needed / (double)OCK_MIB, prepared->plan->parameters,
                    prepared->plan->batch_rows,
                    (double)prepared->engine->memory_bytes / (double)OCK_MIB);
    (void)ock_faults_add(&problem->faults, "/model", "too_large",
                         "needs more memory than there is");
    return false;
}

static enum ock_status write_texts(struct ock_prepared *prepared, struct ock_err *err)
{
    struct ock_warning warnings[OCK_WARNINGS_MAX];
    size_t count = ock_spec_warnings(prepared->spec, prepared->rare_text, warnings);
    struct ock_jsonw w = ock_jsonw_make(&prepared->warnings);
    ock_jsonw_array(&w, NULL);
    for (size_t i = 0; i < count; i++) {
        ock_jsonw_object(&w, NULL);
        ock_jsonw_string(&w, "code", warnings[i].code);
        ock_jsonw_string(&w, "message", warnings[i].message);
        ock_jsonw_end_object(&w);
    }
    ock_jsonw_end_array(&w);
    ock_spec_write(prepared->spec, &prepared->resolved);
    enum ock_status status = ock_buf_status(&prepared->warnings, err);
    return status == OCK_OK ? ock_buf_status(&prepared->resolved, err) : status;
}

/* The spec's own faults, those of its datasets, of inline data and of the starting weights. */
static enum ock_status check_spec(struct ock_prepared *prepared, const cJSON *json,
                                  struct ock_faults *faults, struct ock_err *err)
{
    const cJSON *arrays = ock_json_get(ock_json_get(json, "data"), "inline");
    enum ock_status status = ock_spec_parse(&prepared->spec, json, true, faults, err);
    if (status == OCK_INVALID && faults->count > 0)
        status = OCK_OK;
    if (status == OCK_OK)
        status = find_datasets(prepared, json, faults, err);
    if (status == OCK_OK && prepared->spec && arrays && faults->count == 0)
        status = import_inline(prepared, arrays, faults, err);
    if (status == OCK_OK && prepared->spec)
        status = take_weights(prepared, faults, err);
    return status;
}

static enum ock_status check_data(struct ock_prepared *prepared, struct ock_faults *faults,
                                  struct ock_err *err)
{
    enum ock_status status = open_datasets(prepared, err);
    if (status != OCK_OK)
        return status;
    status = ock_spec_resolve(prepared->spec, schema_of(prepared, OCK_ROLE_TRAIN),
                              schema_of(prepared, OCK_ROLE_VALIDATION),
                              schema_of(prepared, OCK_ROLE_TEST), faults, err);
    return status == OCK_INVALID && faults->count > 0 ? OCK_OK : status;
}

bool ock_prepare_complete(struct ock_prepared *prepared, struct ock_problem *problem,
                          struct ock_err *err)
{
    if (check_data(prepared, &problem->faults, err) != OCK_OK)
        return fail_err(problem, err);
    if (problem->faults.count > 0)
        return fail_faults(problem);
    if (plan(prepared, err) != OCK_OK || check_weights(prepared, &problem->faults, err) != OCK_OK)
        return fail_err(problem, err);
    if (problem->faults.count > 0)
        return fail_faults(problem);
    if (!check_memory(prepared, problem))
        return false;
    return write_texts(prepared, err) == OCK_OK || fail_err(problem, err);
}

void ock_prepared_init(struct ock_prepared *prepared, struct ock_engine *engine, bool may_wait)
{
    *prepared = (struct ock_prepared){.engine = engine, .may_wait = may_wait};
    ock_buf_init(&prepared->resolved, OCK_JSON_BYTES_MAX);
    ock_buf_init(&prepared->warnings, OCK_MIB);
}

bool ock_prepare(struct ock_prepared *prepared, struct ock_engine *engine, const cJSON *spec,
                 bool may_wait, struct ock_problem *problem)
{
    struct ock_err err = {0};
    ock_prepared_init(prepared, engine, may_wait);
    ock_id_make(prepared->id, "job_");
    if (check_spec(prepared, spec, &problem->faults, &err) != OCK_OK)
        return fail_err(problem, &err);
    if (problem->faults.count > 0)
        return fail_faults(problem);
    if (prepared->waits)
        return write_texts(prepared, &err) == OCK_OK || fail_err(problem, &err);
    return ock_prepare_complete(prepared, problem, &err);
}

void ock_prepared_deinit(struct ock_prepared *prepared, bool keep_directory)
{
    ock_spec_free(prepared->spec);
    free(prepared->plan);
    for (size_t i = 0; i < OCK_ROLE_COUNT; i++) {
        if (prepared->datasets[i] != prepared->own)
            ock_dataset_cache_release(prepared->engine->datasets, prepared->datasets[i]);
    }
    ock_dataset_free(prepared->own);
    ock_buf_deinit(&prepared->resolved);
    ock_buf_deinit(&prepared->warnings);
    if (prepared->has_directory && !keep_directory)
        ock_job_remove(prepared->engine, prepared->id);
}
