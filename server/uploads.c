/* One upload: checked options, a spool file with its hash, and the decision what it means for the
 * name: the same again, the missing half of a pair, a conflict, or a new dataset. */
#include "server/uploads_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/json.h"
#include "core/base/jsonw.h"
#include "core/base/sha256.h"
#include "core/data/column_types.h"
#include "core/data/import.h"
#include "core/data/missing.h"
#include "server/ids.h"
#include "server/log.h"

struct ock_upload {
    struct ock_engine *engine;
    struct ock_dataset_row row; /* of the dataset that it would make */
    enum ock_upload_part part;
    bool replace;
    int fd;
    uint64_t size;
    unsigned char head[2];        /* its first bytes */
    struct ock_import_task *task; /* its name, reserved; NULL: another import has it */
    struct ock_sha256 sha;
};

static bool name_is_good(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    size_t size = strlen(name);
    if (size == 0 || size >= OCK_DATASET_NAME_SIZE || !strchr(letters, name[0]))
        return false;
    if (strncmp(name, "ds_", 3) == 0 || strncmp(name, "job_", 4) == 0)
        return false;
    for (const char *c = name; *c; c++) {
        if (!strchr(letters, *c) && !strchr("._-", *c))
            return false;
    }
    return true;
}

static bool is_one_of(const char *text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text, words[i]) == 0)
            return true;
    }
    return false;
}

static bool refuse_option(struct ock_problem *problem, const char *code, const char *title,
                          const struct ock_err *err)
{
    ock_problem_set(problem, 422, code, title, "%s", err->text);
    return false;
}

/* What can be said of them without the table. */
static bool check_table_options(const struct ock_upload_options *options,
                                struct ock_problem *problem)
{
    char delimiter;
    struct ock_err err = {0};
    struct ock_missing missing;
    struct ock_column_types types;
    if (options->delimiter && ock_import_delimiter(options->delimiter, &delimiter, &err) != OCK_OK)
        return refuse_option(problem, "invalid_delimiter", "The delimiter is not valid", &err);
    if (options->missing && ock_missing_parse(&missing, options->missing, &err) != OCK_OK)
        return refuse_option(problem, "invalid_missing",
                             "The words for missing values are not valid", &err);
    if (ock_column_types_parse(&types, options->types, &err) != OCK_OK)
        return refuse_option(problem, "invalid_types", "The columns' types are not valid", &err);
    ock_column_types_deinit(&types);
    return true;
}

static bool check_options(const struct ock_upload_options *options, struct ock_problem *problem)
{
    static const char *const formats[] = {"auto", "csv", "idx", "svmlight", "npy"};
    static const char *const headers[] = {"true", "false", "auto"};
    if (!name_is_good(options->name)) {
        ock_problem_set(problem, 422, "invalid_name", "The dataset's name is not valid",
                        "a name has 1 to 64 of A-Z a-z 0-9 . _ -, begins with a letter or digit, "
                        "and not with ds_ or job_");
        return false;
    }
    if (options->format && !is_one_of(options->format, formats, 5)) {
        ock_problem_set(problem, 422, "invalid_format", "The format is not known",
                        "format must be csv, idx, svmlight or npy");
        return false;
    }
    if (options->header && !is_one_of(options->header, headers, 3)) {
        ock_problem_set(problem, 422, "invalid_header", "header is not valid",
                        "header must be true, false or auto");
        return false;
    }
    return check_table_options(options, problem);
}

/* The options as import.json has them: a part of the upload's identity. */
static bool write_options(const struct ock_upload_options *options, char text[OCK_OPTIONS_SIZE],
                          struct ock_problem *problem)
{
    struct ock_buf out;
    ock_buf_init(&out, OCK_OPTIONS_SIZE - 1);
    struct ock_jsonw w = ock_jsonw_make(&out);
    if (options->part != OCK_PART_TABLE) {
        ock_buf_puts(&out, OCK_PAIR_OPTIONS);
    } else {
        ock_jsonw_object(&w, NULL);
        ock_jsonw_string(&w, "format", options->format ? options->format : "auto");
        ock_jsonw_string(&w, "target", options->target);
        ock_jsonw_string(&w, "delimiter", options->delimiter);
        if (options->header && strcmp(options->header, "auto") != 0)
            ock_jsonw_bool(&w, "header", strcmp(options->header, "true") == 0);
        /* Left out where they are not given: what was stored before they were known stays the same. */
        if (options->types && options->types[0])
            ock_jsonw_string(&w, "types", options->types);
        if (options->missing)
            ock_jsonw_string(&w, "missing", options->missing);
        ock_jsonw_end_object(&w);
    }
    bool ok = ock_buf_status(&out, NULL) == OCK_OK;
    if (ok)
        memcpy(text, out.data, out.size + 1);
    else
        ock_problem_set(problem, 422, "invalid_options", "The options are too long",
                        "the options of an upload have at most %d bytes", OCK_OPTIONS_SIZE - 1);
    ock_buf_deinit(&out);
    return ok;
}

static bool fail_errno(struct ock_problem *problem, int error_number, const char *what)
{
    struct ock_err err = {0};
    (void)ock_fail_errno(&err, error_number, "%s", what);
    ock_problem_from_err(problem, &err);
    return false;
}

static bool open_spool(struct ock_upload *upload, struct ock_problem *problem)
{
    char path[OCK_PATH_SIZE];
    ock_upload_path(upload->engine, path, upload->row.id, "");
    if (mkdir(path, 0700) != 0)
        return fail_errno(problem, errno, "cannot make a directory for an upload");
    ock_upload_path(upload->engine, path, upload->row.id, "source");
    upload->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (upload->fd < 0)
        return fail_errno(problem, errno, "cannot make a file for an upload");
    return true;
}

bool ock_upload_begin(struct ock_engine *engine, struct ock_upload **out,
                      const struct ock_upload_options *options, struct ock_problem *problem)
{
    if (atomic_load(&engine->draining)) {
        ock_problem_set(problem, 503, "draining", "The server is closing", "try again later");
        problem->retry_after_s = 5;
        return false;
    }
    if (atomic_load(&engine->disk_low)) {
        ock_problem_set(problem, 507, "no_space", "The disk is almost full",
                        "the room that is left is for the checkpoints of jobs; delete jobs or "
                        "datasets");
        return false;
    }
    if (!check_options(options, problem))
        return false;
    struct ock_upload *upload = calloc(1, sizeof(*upload));
    if (!upload)
        return fail_errno(problem, ENOMEM, "no memory for an upload");
    upload->engine = engine;
    upload->part = options->part;
    upload->replace = options->replace;
    upload->fd = -1;
    ock_sha256_init(&upload->sha);
    ock_id_make(upload->row.id, "ds_");
    upload->row.created_ms = ock_now_ms();
    (void)snprintf(upload->row.name, sizeof(upload->row.name), "%s", options->name);
    (void)snprintf(upload->row.status, sizeof(upload->row.status), "incomplete");
    if (!write_options(options, upload->row.options, problem) || !open_spool(upload, problem)) {
        ock_upload_discard(upload);
        return false;
    }
    *out = upload;
    return true;
}

bool ock_upload_add(struct ock_upload *upload, const void *bytes, size_t size,
                    struct ock_problem *problem)
{
    if (size > upload->engine->upload_bytes_max ||
        upload->size > upload->engine->upload_bytes_max - size) {
        ock_problem_set(problem, 413, "too_large", "The upload is too large",
                        "an upload has at most %zu bytes (--upload-max)",
                        upload->engine->upload_bytes_max);
        return false;
    }
    const char *at = bytes;
    for (size_t i = 0; i < size && upload->size + i < sizeof(upload->head); i++)
        upload->head[upload->size + i] = (unsigned char)at[i];
    ock_sha256_add(&upload->sha, bytes, size);
    upload->size += size;
    while (size > 0) {
        ssize_t done = write(upload->fd, at, size);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return fail_errno(problem, errno, "cannot spool an upload");
        at += done;
        size -= (size_t)done;
    }
    return true;
}

void ock_upload_discard(struct ock_upload *upload)
{
    if (!upload)
        return;
    char path[OCK_PATH_SIZE];
    ock_import_cancel(upload->task);
    if (upload->fd >= 0)
        (void)close(upload->fd);
    ock_upload_path(upload->engine, path, upload->row.id, "");
    ock_remove_directory(path, false);
    free(upload);
}

/* --- What it means ----------------------------------------------------------------------------- */

static bool fail_err(struct ock_problem *problem, const struct ock_err *err)
{
    ock_problem_from_err(problem, err);
    return false;
}

static bool find_by_name(struct ock_engine *engine, const char *name, struct ock_dataset_row *row,
                         bool *found, struct ock_err *err)
{
    struct ock_db *db = ock_store_read(engine->store, err);
    enum ock_status status = db ? ock_store_find_dataset(db, name, row, err) : OCK_IO;
    if (db)
        ock_store_read_end(engine->store, db);
    *found = status == OCK_OK;
    return status == OCK_OK || status == OCK_NOTFOUND;
}

static bool answer_dataset(struct ock_engine *engine, const char *id, struct ock_buf *out,
                           struct ock_problem *problem)
{
    struct ock_err err = {0};
    size_t begin = out->size;
    struct ock_db *db = ock_store_read(engine->store, &err);
    enum ock_status status = db ? ock_store_dataset_json(db, id, out, &err) : err.status;
    if (db)
        ock_store_read_end(engine->store, db);
    if (status == OCK_OK)
        return true;
    ock_answer_undo(out, begin);
    return fail_err(problem, &err);
}

struct storing {
    const struct ock_dataset_row *row;
    bool replace;
};

static enum ock_status apply_storing(struct ock_db *db, void *ctx, struct ock_err *err)
{
    const struct storing *storing = ctx;
    return ock_store_put_dataset(db, storing->row, NULL, storing->replace, err);
}

static enum ock_status rename_part(struct ock_upload *upload, const char *id, const char *name,
                                   struct ock_err *err)
{
    char from[OCK_PATH_SIZE], to[OCK_PATH_SIZE];
    ock_upload_path(upload->engine, from, upload->row.id, "source");
    ock_upload_path(upload->engine, to, id, name);
    if (rename(from, to) != 0)
        return ock_fail_errno(err, errno, "cannot move an upload to its place");
    return OCK_OK;
}

static const char *part_name(const struct ock_upload *upload)
{
    return upload->part == OCK_PART_X ? "x" : "y";
}

/* The first half of a pair: on the disk and in the store, to wait for the other. */
static bool keep_half(struct ock_upload *upload, struct ock_buf *out, int *status,
                      struct ock_problem *problem)
{
    struct ock_err err = {0};
    struct storing storing = {.row = &upload->row, .replace = upload->replace};
    enum ock_status result = rename_part(upload, upload->row.id, part_name(upload), &err);
    if (result == OCK_OK)
        result = ock_upload_sync(upload->engine, upload->row.id, &err);
    if (result == OCK_OK)
        result = ock_store_write(upload->engine->store, apply_storing, &storing, &err);
    if (result != OCK_OK) {
        ock_upload_discard(upload);
        return fail_err(problem, &err);
    }
    *status = 201;
    bool ok = answer_dataset(upload->engine, upload->row.id, out, problem);
    ock_import_cancel(upload->task);
    (void)close(upload->fd);
    free(upload); /* its directory stays */
    return ok;
}

static bool answer_failure(const struct ock_import_answer *answer, struct ock_problem *problem)
{
    struct ock_err err = {0};
    if (answer->status == OCK_STOPPED) {
        ock_problem_set(problem, 503, "draining", "The server is closing", "try again later");
        problem->retry_after_s = 5;
        return false;
    }
    (void)ock_fail(&err, answer->status, "%s", answer->text);
    ock_problem_from_err(problem, &err);
    if (problem->status == 422) {
        problem->code = "invalid_data";
        problem->title = "The data cannot be read";
    }
    return false;
}

/* Imports what the order names (its files are in place), answers. */
static bool import(struct ock_import_task *task, const struct ock_import_order *order,
                   struct ock_buf *out, int *status, struct ock_problem *problem)
{
    struct ock_err err = {0};
    struct ock_import_answer answer = {0};
    struct ock_engine *engine = task->uploads->engine;
    if (ock_import_start(task, order, &err) != OCK_OK)
        return fail_err(problem, &err);
    bool over = ock_import_wait(task, &answer);
    ock_import_release(task);
    if (over && !answer.ok)
        return answer_failure(&answer, problem);
    *status = over ? 201 : 202;
    return answer_dataset(engine, order->row.id, out, problem);
}

static bool import_table(struct ock_upload *upload, unsigned wait_ms, struct ock_buf *out,
                         int *status, struct ock_problem *problem)
{
    const struct ock_import_order order = {
        .row = upload->row, .replace = upload->replace, .promise_ms = wait_ms};
    struct ock_import_task *task = upload->task;
    (void)close(upload->fd);
    free(upload); /* its directory is the import's now */
    return import(task, &order, out, status, problem);
}

/* The second half joins the first and both are imported. The name is reserved: no other second half
 * can come between. */
static bool complete_pair(struct ock_upload *upload, const struct ock_dataset_row *half,
                          unsigned wait_ms, struct ock_buf *out, int *status,
                          struct ock_problem *problem)
{
    struct ock_err err = {0};
    struct ock_import_order order = {
        .row = *half, .promise_ms = wait_ms, .undo = part_name(upload)};
    if (upload->part == OCK_PART_X)
        memcpy(order.row.source_sha256, upload->row.source_sha256, sizeof(order.row.source_sha256));
    else
        memcpy(order.row.labels_sha256, upload->row.labels_sha256, sizeof(order.row.labels_sha256));
    enum ock_status moved = rename_part(upload, half->id, order.undo, &err);
    struct ock_import_task *task = upload->task;
    upload->task = moved == OCK_OK ? NULL : task;
    ock_upload_discard(upload);
    if (moved != OCK_OK)
        return fail_err(problem, &err);
    return import(task, &order, out, status, problem);
}

static bool conflict(struct ock_upload *upload, struct ock_problem *problem)
{
    ock_problem_set(problem, 409, "name_taken", "The name belongs to another dataset",
                    "%s has other bytes or options; ?replace=true gives the name to this upload",
                    upload->row.name);
    ock_upload_discard(upload);
    return false;
}

/* The same bytes and options as the dataset that has the name. */
static bool is_same(const struct ock_upload *upload, const struct ock_dataset_row *old)
{
    if (strcmp(upload->row.options, old->options) != 0 || strcmp(old->status, "failed") == 0)
        return false;
    return upload->part == OCK_PART_Y ? strcmp(upload->row.labels_sha256, old->labels_sha256) == 0
                                      : strcmp(upload->row.source_sha256, old->source_sha256) == 0;
}

static bool is_other_half(const struct ock_upload *upload, const struct ock_dataset_row *old)
{
    if (upload->part == OCK_PART_TABLE || strcmp(old->status, "incomplete") != 0)
        return false;
    return upload->part == OCK_PART_X ? !old->source_sha256[0] : !old->labels_sha256[0];
}

/* By its first two bytes. */
static bool may_be_array(const unsigned char head[2])
{
    /* IDX, NPY, gzip, zstd */
    static const unsigned char begins[][2] = {{0, 0}, {0x93, 'N'}, {0x1f, 0x8b}, {0x28, 0xb5}};
    bool found = (head[0] & 0xf0) == 0x50 && head[1] == 0x2a; /* a frame that zstd skips */
    for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
        found |= memcmp(head, begins[i], sizeof(begins[i])) == 0;
    return found;
}

/* The import reads a pair when both halves are there. What can't be a half is told at once, else it
 * would hold the name until somebody finds out. */
static bool check_content(const struct ock_upload *upload, struct ock_problem *problem)
{
    if (upload->size == 0) {
        ock_problem_set(problem, 422, "invalid_data", "The data cannot be read",
                        "byte 0: the upload is empty; expected a file");
        return false;
    }
    if (upload->part == OCK_PART_TABLE || may_be_array(upload->head))
        return true;
    ock_problem_set(problem, 422, "invalid_data", "The data cannot be read",
                    "%s must be NPY or IDX, packed or not, and begins with %02x %02x; a CSV goes to"
                    " /v1/datasets/NAME as a whole",
                    part_name(upload), upload->head[0], upload->head[1]);
    return false;
}

/* The name is free, or another dataset's that this one follows, or its other half's. */
static bool store_upload(struct ock_upload *upload, unsigned wait_ms, struct ock_buf *out,
                         int *status, struct ock_problem *problem)
{
    if (upload->part != OCK_PART_TABLE)
        return keep_half(upload, out, status, problem);
    return import_table(upload, wait_ms, out, status, problem);
}

/* The decision. busy: why the name could not be reserved, if it could not. */
static bool decide(struct ock_upload *upload, const struct ock_dataset_row *old,
                   const struct ock_err *busy, unsigned wait_ms, struct ock_buf *out, int *status,
                   struct ock_problem *problem)
{
    if (old && is_same(upload, old)) {
        struct ock_engine *engine = upload->engine;
        ock_upload_discard(upload);
        *status = strcmp(old->status, "preparing") == 0 ? 202 : 200;
        return answer_dataset(engine, old->id, out, problem);
    }
    /* A failed import holds no data that anybody could miss. */
    if (old && strcmp(old->status, "failed") == 0)
        upload->replace = true;
    bool joins = old && is_other_half(upload, old);
    if (old && !joins && !upload->replace)
        return conflict(upload, problem);
    if (!upload->task) {
        ock_upload_discard(upload);
        return fail_err(problem, busy);
    }
    return joins ? complete_pair(upload, old, wait_ms, out, status, problem)
                 : store_upload(upload, wait_ms, out, status, problem);
}

bool ock_upload_finish(struct ock_upload *upload, unsigned wait_ms, struct ock_buf *out,
                       int *status, struct ock_problem *problem)
{
    struct ock_err err = {0}, busy = {0};
    struct ock_dataset_row old = {0};
    bool found = false;
    ock_sha256_text(&upload->sha, upload->part == OCK_PART_Y ? upload->row.labels_sha256
                                                             : upload->row.source_sha256);
    if (!check_content(upload, problem)) {
        ock_upload_discard(upload);
        return false;
    }
    /* First the name, then the look at who has it: nothing may change between. */
    (void)ock_import_reserve(&upload->task, upload->engine->uploads, upload->row.name, &busy);
    if (!find_by_name(upload->engine, upload->row.name, &old, &found, &err)) {
        ock_upload_discard(upload);
        return fail_err(problem, &err);
    }
    return decide(upload, found ? &old : NULL, &busy, wait_ms, out, status, problem);
}
