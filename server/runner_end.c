/* A job's end on its way to the store: first its models are read back and on the disk, then the row
 * that names them is posted. What the machine refuses meanwhile (no descriptor, no memory, a read or
 * a sync that fails) delays the end: it goes back to the runner, which sends it again after a pause
 * that grows. A model that is not what the worker said is trained again.
 *
 * Large files take seconds, so they have a thread of their own and hold up nobody's end but each
 * other's. What is not stored when the server closes is left: the next server's worker comes from
 * its checkpoint to the same end. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/json.h"
#include "core/base/limits.h"
#include "core/base/sha256.h"
#include "server/log.h"
#include "server/runner_private.h"

enum { PAUSE_MS_MIN = 1000, PAUSE_MS_MAX = 30000 };

static const size_t blob_bytes_max = (size_t)256 << 10;
static const size_t piece_bytes = (size_t)4 << 20;

static struct ock_post *post_of(struct ock_letter *letter)
{
    return (struct ock_post *)(void *)((char *)letter - offsetof(struct ock_post, letter));
}

static void model_path(const struct ock_post *post, const char *which, char path[OCK_PATH_SIZE])
{
    char name[32];
    (void)snprintf(name, sizeof(name), "%s.safetensors", which);
    ock_job_path(post->runner->engine, path, post->change.id, name);
}

/* --- Models ------------------------------------------------------------------------------------ */

/* A file on its way to the disk, piece by piece, so that closing the server can stop it. */
struct passage {
    struct ock_post *post;
    int in;
    struct ock_newfile copy; /* fd -1: the file itself is synced */
    char *piece;             /* owned, piece_bytes */
    struct ock_sha256 sha;
    uint64_t bytes;
};

/* One piece; *size 0: that was all. The range is only begun early: the sync at the end tells. */
static enum ock_status pass_piece(struct passage *passage, size_t *size, struct ock_err *err)
{
    if (atomic_load(&passage->post->runner->abandons))
        return ock_fail(err, OCK_STOPPED, "the server closes");
    ssize_t got = read(passage->in, passage->piece, piece_bytes);
    if (got < 0 && errno == EINTR)
        return OCK_OK; /* *size is not 0: once more */
    if (got < 0)
        return ock_fail_errno(err, errno, "cannot read a model");
    *size = (size_t)got;
    if (got == 0)
        return OCK_OK;
    ock_sha256_add(&passage->sha, passage->piece, *size);
    enum ock_status status = OCK_OK;
    if (passage->copy.fd >= 0)
        status = ock_newfile_write(&passage->copy, passage->piece, *size, err);
    (void)sync_file_range(
        passage->copy.fd >= 0 ? passage->copy.fd : passage->in, (off_t)passage->bytes, got,
        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
    passage->bytes += *size;
    return status;
}

/* After a sync that failed the kernel may take the pages for written, so another sync would tell
 * nothing: the file is written anew. */
static enum ock_status finish_passage(struct passage *passage, struct ock_err *err)
{
    if (passage->copy.fd >= 0)
        return ock_newfile_commit(&passage->copy, err);
    if (fsync(passage->in) == 0)
        return OCK_OK;
    passage->post->rewrite = true;
    return ock_fail_errno(err, errno, "cannot sync a model");
}

static enum ock_status run_passage(struct passage *passage, const char *path, struct ock_err *err)
{
    passage->piece = malloc(piece_bytes);
    if (!passage->piece)
        return ock_fail(err, OCK_NOMEM, "no memory to read a model");
    passage->in = open(path, O_RDONLY | O_CLOEXEC);
    if (passage->in < 0)
        return ock_fail_errno(err, errno, "cannot open a model");
    enum ock_status status = OCK_OK;
    if (passage->post->rewrite)
        status = ock_newfile_open(&passage->copy, path, err);
    size_t size = 1;
    while (status == OCK_OK && size > 0)
        status = pass_piece(passage, &size, err);
    return status == OCK_OK ? finish_passage(passage, err) : status;
}

/* A large model stays where the worker put it: it and its directories have to be on the disk before
 * the row that names it. */
static enum ock_status take_file(struct ock_post *post, const char *path,
                                 struct ock_model_bytes *model, struct ock_err *err)
{
    struct passage passage = {.post = post, .in = -1, .copy = {.fd = -1}};
    char name[OCK_ID_SIZE + 8];
    ock_sha256_init(&passage.sha);
    enum ock_status status = run_passage(&passage, path, err);
    ock_newfile_discard(&passage.copy);
    if (passage.in >= 0)
        (void)close(passage.in);
    free(passage.piece);
    (void)snprintf(name, sizeof(name), "jobs/%s", post->change.id);
    if (status == OCK_OK)
        status = ock_sync_directory(post->runner->engine, name, err);
    if (status == OCK_OK)
        status = ock_sync_directory(post->runner->engine, "jobs", err);
    ock_sha256_text(&passage.sha, model->sha256);
    model->bytes = passage.bytes;
    return status;
}

/* A small one becomes a blob. */
static enum ock_status take_blob(struct ock_buf *blob, const char *path,
                                 struct ock_model_bytes *model, struct ock_err *err)
{
    struct ock_sha256 sha;
    ock_buf_deinit(blob); /* of an earlier try */
    ock_buf_init(blob, blob_bytes_max + 1);
    enum ock_status status = ock_file_read(path, blob, err);
    if (status != OCK_OK)
        return status;
    ock_sha256_init(&sha);
    ock_sha256_add(&sha, blob->data, blob->size);
    ock_sha256_text(&sha, model->sha256);
    model->bytes = blob->size;
    model->blob = blob->data;
    return OCK_OK;
}

/* The file's size. Errors: NOTFOUND, IO. */
static enum ock_status measure(const char *path, uint64_t *bytes, struct ock_err *err)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return errno == ENOENT ? ock_fail(err, OCK_NOTFOUND, "a model is not there")
                               : ock_fail_errno(err, errno, "cannot look at a model");
    *bytes = (uint64_t)info.st_size;
    return OCK_OK;
}

/* Adds the model file to the end. Errors: NOTFOUND (it is not there), CORRUPT (it is nothing), and
 * what the machine refuses. */
static enum ock_status take_model(struct ock_post *post, const char *which, struct ock_err *err)
{
    char path[OCK_PATH_SIZE];
    uint64_t bytes = 0;
    size_t i = post->end.model_count;
    struct ock_model_bytes *model = &post->models[i];
    *model = (struct ock_model_bytes){.which = which};
    model_path(post, which, path);
    enum ock_status status = measure(path, &bytes, err);
    if (status == OCK_OK && bytes <= blob_bytes_max)
        status = take_blob(&post->blobs[i], path, model, err);
    else if (status == OCK_OK)
        status = take_file(post, path, model, err);
    if (status == OCK_OK && model->bytes == 0)
        status = ock_fail(err, OCK_CORRUPT, "its model %s is empty", which);
    if (status == OCK_OK)
        post->end.model_count++;
    return status;
}

/* Only what the worker told of is a model of this end: a file may be there from an earlier attempt
 * that got further. */
static enum ock_status take_models(struct ock_post *post, struct ock_err *err)
{
    post->end.model_count = 0;
    if (!post->model_sha256[0])
        return OCK_OK;
    enum ock_status status = take_model(post, "best", err);
    if (status == OCK_NOTFOUND)
        return ock_fail(err, OCK_CORRUPT, "its model is gone");
    if (status != OCK_OK)
        return status;
    if (strcmp(post->models[0].sha256, post->model_sha256) != 0)
        return ock_fail(err, OCK_CORRUPT, "its model is not the one that was trained");
    status = take_model(post, "last", err);
    if (status == OCK_OK && strcmp(post->models[1].sha256, post->models[0].sha256) == 0)
        post->end.model_count--; /* one row is enough */
    return status == OCK_NOTFOUND ? OCK_OK : status;
}

static bool is_large(const struct ock_post *post)
{
    static const char *const names[] = {"best", "last"};
    char path[OCK_PATH_SIZE];
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        uint64_t bytes = 0;
        model_path(post, names[i], path);
        if (measure(path, &bytes, NULL) == OCK_OK && bytes > blob_bytes_max)
            return true;
    }
    return false;
}

/* --- The way ----------------------------------------------------------------------------------- */

static void keep_text(char *out, size_t size, const cJSON *item)
{
    if (cJSON_IsString(item))
        (void)snprintf(out, size, "%s", item->valuestring);
}

/* status, stop_reason, error and the model's sum of the worker's own end. Errors: NOMEM. */
static enum ock_status read_body(struct ock_post *post, struct ock_err *err)
{
    struct ock_faults *faults = ock_patient_calloc(sizeof(*faults));
    cJSON *body = NULL;
    enum ock_status status = ock_json_parse(&body, post->text.data, post->text.size, faults, err);
    if (status == OCK_OK) {
        const cJSON *word = ock_json_get(body, "status");
        const cJSON *error = ock_json_get(body, "error");
        const cJSON *model = ock_json_get(body, "model");
        if (cJSON_IsString(word) && strcmp(word->valuestring, "succeeded") == 0)
            post->end.status = OCK_JOB_SUCCEEDED;
        keep_text(post->stop_reason, sizeof(post->stop_reason), ock_json_get(body, "stop_reason"));
        keep_text(post->model_sha256, sizeof(post->model_sha256), ock_json_get(model, "sha256"));
        free(post->error);
        post->error = cJSON_IsObject(error) ? ock_json_print(error) : NULL;
    }
    cJSON_Delete(body);
    free(faults);
    return status == OCK_NOMEM ? status : OCK_OK;
}

static void leave_parked(struct ock_runner *runner, struct ock_post *post)
{
    unsigned shift = post->tries < 5 ? post->tries : 5;
    int64_t pause_ms = (int64_t)PAUSE_MS_MIN << shift;
    post->again_ms = ock_monotonic_ms() + (pause_ms < PAUSE_MS_MAX ? pause_ms : PAUSE_MS_MAX);
    post->tries++;
    post->letter.next = runner->unstored;
    runner->unstored = &post->letter;
    runner->posts--; /* nothing is under way: closing need not wait for it */
}

/* The job is trained again from its checkpoint, as after a worker's death: to the same bits, and not
 * for ever. */
static void train_again(struct ock_runner *runner, struct ock_post *post)
{
    post->live->ending = false;
    ock_post_death(runner, post->live, "its model was lost or damaged before it was stored", false);
    post->status = OCK_STOPPED; /* nothing else follows from this end */
    post->letter.open(runner, &post->letter);
}

/* On the runner's thread: an end that could not be posted. */
static void open_unposted(struct ock_runner *runner, struct ock_letter *letter)
{
    struct ock_post *post = post_of(letter);
    letter->open = post->open;
    if (!runner->engine->store)
        letter->open(runner, letter); /* too late; it is freed */
    else if (post->status == OCK_CORRUPT && !post->live->has_worker && !runner->closing)
        train_again(runner, post);
    else
        leave_parked(runner, post);
}

static void come_back(struct ock_post *post, const struct ock_err *err)
{
    if (err->status != OCK_STOPPED)
        ock_log(OCK_LOG_ERROR, "the end of %s is not stored yet: %s", post->change.id, err->text);
    post->status = err->status;
    post->open = post->letter.open;
    post->letter.open = open_unposted;
    ock_runner_post_letter(post->runner, &post->letter);
}

void ock_end_run(struct ock_errand *errand)
{
    struct ock_post *post =
        (struct ock_post *)(void *)((char *)errand - offsetof(struct ock_post, errand));
    struct ock_engine *engine = post->runner->engine;
    struct ock_err err = {0};
    if (post->text.data && !post->is_large && is_large(post)) {
        post->is_large = true;
        ock_errands_post(engine->large_errands, errand);
        return;
    }
    enum ock_status status = post->text.data ? read_body(post, &err) : OCK_OK;
    if (status == OCK_OK && post->text.data)
        status = take_models(post, &err);
    if (status != OCK_OK) {
        come_back(post, &err);
        return;
    }
    post->end.body = post->text.data;
    post->end.stop_reason = post->stop_reason[0] ? post->stop_reason : NULL;
    post->end.error = post->error;
    post->end.models = post->models;
    ock_store_post(engine->store, &post->write);
}

void ock_runner_store_ends(struct ock_runner *runner)
{
    if (!runner->unstored || runner->closing)
        return;
    int64_t now = ock_monotonic_ms();
    struct ock_letter **at = &runner->unstored;
    while (*at) {
        struct ock_post *post = post_of(*at);
        if (post->again_ms > now) {
            at = &(*at)->next;
            continue;
        }
        *at = post->letter.next;
        runner->posts++;
        ock_errands_post(runner->engine->errands, &post->errand);
    }
}

void ock_runner_drop_ends(struct ock_runner *runner)
{
    while (runner->unstored) {
        struct ock_letter *letter = runner->unstored;
        runner->unstored = letter->next;
        runner->posts++; /* opening counts it down */
        letter->open(runner, letter);
    }
}
