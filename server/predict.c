/* One prediction: files, a worker, its line, its answer. */
#include "server/predict.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/json.h"
#include "core/base/jsonw.h"
#include "core/base/limits.h"
#include "server/engine_private.h"
#include "server/log.h"
#include "server/member.h"
#include "server/runner_private.h"
#include "server/worker_process.h"

enum { POLL_MS = 50, NAME_SIZE = 32 };

/* A JSON value of two bytes becomes a node of some sixty; a table is read in pieces. */
static const size_t base_bytes = 160 * OCK_MIB;
enum { JSON_FACTOR = 48, MODEL_FACTOR = 6, HEADER_FACTOR = 40 };

struct prediction {
    struct ock_engine *engine;
    const struct ock_predict_order *order;
    struct ock_model model;
    char dir[OCK_PATH_SIZE];
    struct ock_worker worker;
};

static void path_of(const struct prediction *p, char path[OCK_PATH_SIZE], const char *name)
{
    (void)snprintf(path, OCK_PATH_SIZE, "%.*s/%.*s", OCK_PATH_SIZE - 2 * NAME_SIZE, p->dir,
                   NAME_SIZE, name);
}

static void remove_one(void *ctx, const char *entry)
{
    const struct ock_engine *engine = ctx;
    char path[OCK_PATH_SIZE];
    (void)snprintf(path, sizeof(path), "%s/predictions/%s", engine->data_dir, entry);
    ock_remove_directory(path, false);
}

enum ock_status ock_predictions_prepare(const struct ock_engine *engine, struct ock_err *err)
{
    union {
        const struct ock_engine *in;
        void *out;
    } ctx = {.in = engine};
    char path[OCK_PATH_SIZE];
    (void)snprintf(path, sizeof(path), "%s/predictions", engine->data_dir);
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return ock_fail_errno(err, errno, "cannot make the directory %s", path);
    ock_each_entry(engine, "predictions", remove_one, ctx.out);
    return OCK_OK;
}

/* --- Before the worker ------------------------------------------------------------------------- */

static enum ock_status write_file(const char *path, const void *bytes, size_t size,
                                  struct ock_err *err)
{
    const char *at = bytes;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return ock_fail_errno(err, errno, "cannot make a prediction's file");
    enum ock_status status = OCK_OK;
    while (size > 0 && status == OCK_OK) {
        ssize_t written = write(fd, at, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            status = ock_fail_errno(err, errno, "cannot write a prediction's file");
        at += written < 0 ? 0 : written;
        size -= written < 0 ? 0 : (size_t)written;
    }
    if (close(fd) != 0 && status == OCK_OK)
        status = ock_fail_errno(err, errno, "cannot write a prediction's file");
    return status;
}

/* The model's bytes, or a second name of its file, which stays even if the job is deleted. */
static enum ock_status place_model(struct prediction *p, struct ock_err *err)
{
    char path[OCK_PATH_SIZE], from[64];
    path_of(p, path, "model");
    if (p->model.fd < 0)
        return write_file(path, p->model.bytes.data, p->model.bytes.size, err);
    (void)snprintf(from, sizeof(from), "/proc/self/fd/%d", p->model.fd);
    if (linkat(AT_FDCWD, from, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0)
        return OCK_OK;
    return ock_file_copy(path, p->model.fd, err); /* its last name has gone */
}

/* The model's header, whose texts and their tree take far more room than the weights do. */
static size_t header_bytes(const struct prediction *p)
{
    uint64_t bytes = 0; /* its length stands first, little-endian */
    if (p->model.fd >= 0) {
        if (pread(p->model.fd, &bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
            bytes = 0;
    } else if (p->model.bytes.size >= sizeof(bytes)) {
        memcpy(&bytes, p->model.bytes.data, sizeof(bytes));
    }
    return bytes < (uint64_t)p->model.size ? (size_t)bytes : (size_t)p->model.size;
}

static size_t memory_of(const struct prediction *p)
{
    size_t bytes = base_bytes + MODEL_FACTOR * (size_t)p->model.size +
                   HEADER_FACTOR * header_bytes(p) +
                   (p->order->json ? JSON_FACTOR : 4) * p->order->size;
    return bytes < p->engine->memory_bytes ? bytes : p->engine->memory_bytes;
}

static void write_header(struct ock_jsonw *w, const char *header)
{
    if (header)
        ock_jsonw_bool(w, "header", strcmp(header, "true") == 0 || strcmp(header, "1") == 0);
}

static enum ock_status write_request(const struct prediction *p, struct ock_err *err)
{
    const struct ock_predict_order *order = p->order;
    char path[OCK_PATH_SIZE];
    struct ock_buf text;
    ock_buf_init(&text, OCK_MIB);
    struct ock_jsonw w = ock_jsonw_make(&text);
    ock_jsonw_object(&w, NULL);
    path_of(p, path, "model");
    ock_jsonw_string(&w, "model", path);
    path_of(p, path, "source");
    ock_jsonw_string(&w, "source", path);
    path_of(p, path, "answer");
    ock_jsonw_string(&w, "out", path);
    ock_jsonw_bool(&w, "json", order->json);
    ock_jsonw_bool(&w, "svmlight", order->svmlight);
    ock_jsonw_string(&w, "format", order->format);
    ock_jsonw_string(&w, "delimiter", order->delimiter);
    ock_jsonw_string(&w, "missing", order->missing);
    write_header(&w, order->header);
    ock_jsonw_string(&w, "job", order->job);
    ock_jsonw_string(&w, "which", p->model.which);
    ock_jsonw_string(&w, "model_sha256", p->model.sha256);
    ock_jsonw_uint(&w, "threads", ock_engine_cores_free(p->engine));
    ock_jsonw_uint(&w, "rows_max", OCK_PREDICT_ROWS_MAX);
    ock_jsonw_uint(&w, "values_max", OCK_PREDICT_VALUES_MAX);
    ock_jsonw_uint(&w, "bytes_max", OCK_PREDICT_BYTES_MAX);
    ock_jsonw_uint(&w, "data_bytes_max", memory_of(p));
    ock_jsonw_end_object(&w);
    enum ock_status status = ock_buf_status(&text, err);
    path_of(p, path, "predict.json");
    if (status == OCK_OK)
        status = write_file(path, text.data, text.size, err);
    ock_buf_deinit(&text);
    return status;
}

static enum ock_status prepare(struct prediction *p, struct ock_err *err)
{
    char path[OCK_PATH_SIZE];
    if (mkdir(p->dir, 0700) != 0)
        return ock_fail_errno(err, errno, "cannot make a prediction's directory");
    enum ock_status status = place_model(p, err);
    path_of(p, path, "source");
    if (status == OCK_OK)
        status = write_file(path, p->order->rows, p->order->size, err);
    if (status == OCK_OK)
        status = write_request(p, err);
    if (status == OCK_OK)
        status = ock_worker_start(&p->worker, p->engine->program_fd, "predict", p->dir, false, err);
    return status;
}

/* --- The worker -------------------------------------------------------------------------------- */

enum heard { HEARD_LINE, HEARD_NOTHING, HEARD_TOO_LATE, HEARD_DRAINING };

/* The worker's line, borrowed from it. */
static enum heard listen_to(struct prediction *p, char **line)
{
    const int64_t deadline = ock_monotonic_ms() + OCK_PREDICT_S_MAX * 1000;
    struct ock_worker *worker = &p->worker;
    for (;;) {
        struct pollfd polled[2] = {{.fd = worker->out, .events = POLLIN},
                                   {.fd = worker->err, .events = POLLIN}};
        size_t size;
        (void)poll(polled, 2, POLL_MS);
        if (polled[1].revents && !ock_worker_read_err(worker)) {
            (void)close(worker->err);
            worker->err = -1;
        }
        bool open = polled[0].revents == 0 || ock_worker_read(worker);
        *line = ock_worker_next_line(worker, &size);
        if (*line)
            return HEARD_LINE;
        if (!open)
            return HEARD_NOTHING;
        if (atomic_load(&p->engine->draining))
            return HEARD_DRAINING;
        if (ock_monotonic_ms() >= deadline)
            return HEARD_TOO_LATE;
    }
}

/* --- What it said ------------------------------------------------------------------------------ */

static const char *known_code(const char *text)
{
    static const char *const codes[] = {"unknown_key",   "wrong_type",   "out_of_range",
                                        "missing_key",   "wrong_length", "unsupported_combination",
                                        "duplicate_key", "not_finite",   "missing_value",
                                        "invalid_json"};
    for (size_t i = 0; text && i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (strcmp(codes[i], text) == 0)
            return codes[i];
    }
    return "invalid";
}

static const char *text_of(const cJSON *object, const char *key)
{
    const cJSON *item = ock_json_get(object, key);
    return cJSON_IsString(item) ? item->valuestring : "";
}

/* The worker's list of faults, which the strict parser reads as it would a stranger's. */
static void take_faults(struct ock_problem *problem, const char *text)
{
    struct ock_faults *own = calloc(1, sizeof(*own));
    struct ock_err err = {0};
    cJSON *json = NULL;
    if (own)
        (void)ock_json_parse(&json, text, strlen(text), own, &err);
    for (const cJSON *item = json ? json->child : NULL; item; item = item->next) {
        struct ock_fault *fault =
            ock_faults_add(&problem->faults, text_of(item, "pointer"),
                           known_code(text_of(item, "code")), "%s", text_of(item, "detail"));
        if (fault)
            (void)snprintf(fault->suggestion, sizeof(fault->suggestion), "%s",
                           text_of(item, "suggestion"));
    }
    cJSON_Delete(json);
    free(own);
    const struct ock_faults *faults = &problem->faults;
    if (faults->count == 1 && strcmp(faults->items[0].code, "invalid_json") == 0) {
        ock_problem_set(problem, 400, "invalid_json", "The body is not JSON", "%s",
                        faults->items[0].detail);
        problem->faults.count = 0;
        return;
    }
    ock_problem_set(problem, 422, "invalid_rows", "The rows can't be predicted", "%s", "");
}

static bool begins_with(const char *line, enum ock_status status, const char **rest)
{
    const char *name = ock_status_name(status);
    size_t size = strlen(name);
    if (strncmp(line, name, size) != 0 || line[size] != ' ')
        return false;
    *rest = line + size + 1;
    return true;
}

static void set_no_memory(struct ock_problem *problem)
{
    problem->retry_after_s = 5;
    ock_problem_set(problem, 503, "out_of_memory", "There is not enough memory for this prediction",
                    "predict fewer rows at a time, or try again later");
}

/* True for "ok". */
static bool judge(char *line, struct ock_problem *problem)
{
    const char *rest = "";
    if (strcmp(line, "ok") == 0)
        return true;
    if (strncmp(line, "faults ", 7) == 0) {
        take_faults(problem, line + 7);
    } else if (strncmp(line, "model ", 6) == 0) {
        struct ock_err err;
        (void)ock_fail(&err, OCK_CORRUPT, "a stored model cannot be read: %.400s", line + 6);
        ock_problem_from_err(problem, &err);
    } else if (begins_with(line, OCK_INVALID, &rest) || begins_with(line, OCK_LIMIT, &rest) ||
               begins_with(line, OCK_UNSUPPORTED, &rest)) {
        ock_problem_set(problem, 422, "invalid_rows", "The rows can't be predicted", "%s", rest);
    } else if (begins_with(line, OCK_NOMEM, &rest)) {
        set_no_memory(problem);
    } else if (begins_with(line, OCK_NOSPACE, &rest)) {
        ock_problem_set(problem, 507, "no_space", "There is no room on the disk",
                        "there is no room for the rows; delete jobs or datasets");
    } else {
        ock_log(OCK_LOG_ERROR, "a prediction failed: %s", line);
        ock_problem_set(problem, 500, "internal", "The prediction failed",
                        "the server's log has the reason");
    }
    return false;
}

static void explain_silence(struct prediction *p, enum heard heard, struct ock_problem *problem)
{
    char text[320];
    int wait_status = 0;
    ock_worker_kill(&p->worker, heard == HEARD_NOTHING ? 0 : SIGKILL);
    (void)ock_worker_ended(&p->worker, true, &wait_status);
    if (heard == HEARD_DRAINING) {
        problem->retry_after_s = 5;
        ock_problem_set(problem, 503, "draining", "The server is ending", "try again later");
    } else if (heard == HEARD_TOO_LATE) {
        ock_problem_set(problem, 503, "too_slow", "The prediction took too long",
                        "it was ended after %d s, the limit; predict fewer rows at a time",
                        OCK_PREDICT_S_MAX);
    } else {
        ock_worker_explain(wait_status, p->worker.said, text, sizeof(text));
        ock_log(OCK_LOG_ERROR, "a prediction broke off: %s", text);
        problem->retry_after_s = 5;
        ock_problem_set(problem, 503, "worker_died", "The prediction broke off",
                        "%s, most likely for want of memory; predict fewer rows at a time", text);
    }
}

/* --- All of it --------------------------------------------------------------------------------- */

static bool open_answer(const struct prediction *p, struct ock_predicted *out,
                        struct ock_problem *problem)
{
    char path[OCK_PATH_SIZE];
    struct stat status;
    path_of(p, path, "answer");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &status) == 0) {
        *out = (struct ock_predicted){.fd = fd, .size = (uint64_t)status.st_size};
        return true;
    }
    struct ock_err err = {0};
    (void)ock_fail_errno(&err, errno, "cannot open the predictions");
    ock_problem_from_err(problem, &err);
    if (fd >= 0)
        (void)close(fd);
    return false;
}

static bool run(struct prediction *p, struct ock_predicted *out, struct ock_problem *problem)
{
    struct ock_err err = {0};
    char *line = NULL;
    if (prepare(p, &err) != OCK_OK) {
        ock_problem_from_err(problem, &err);
        return false;
    }
    enum heard heard = listen_to(p, &line);
    if (heard != HEARD_LINE) {
        explain_silence(p, heard, problem);
        return false;
    }
    return judge(line, problem) && open_answer(p, out, problem);
}

/* A job that is there but has no model is in the wrong state: says which, and what to do. */
static void explain_no_model(struct prediction *p, struct ock_problem *problem)
{
    char status[24] = "";
    struct ock_buf job;
    struct ock_problem none = {0};
    ock_buf_init(&job, OCK_JSON_BYTES_MAX);
    if (problem->status == 404 && ock_engine_job(p->engine, p->order->job, &job, NULL, &none) &&
        ock_member_string(job.data, job.size, "status", status, sizeof(status))) {
        bool ended = strcmp(status, "succeeded") == 0 || strcmp(status, "failed") == 0 ||
                     strcmp(status, "cancelled") == 0;
        ock_problem_set(problem, 409, "no_model", "The job has no model", "the job is %s%s", status,
                        ended ? " and left no model; predict with another one"
                              : "; it can predict when it has ended");
    }
    ock_buf_deinit(&job);
}

bool ock_engine_predict(struct ock_engine *engine, const struct ock_predict_order *order,
                        struct ock_predicted *out, struct ock_problem *problem)
{
    struct prediction p = {.engine = engine, .order = order, .model = {.fd = -1}};
    if (atomic_load(&engine->draining)) {
        problem->retry_after_s = 5;
        ock_problem_set(problem, 503, "draining", "The server is ending", "try again later");
        return false;
    }
    if (!ock_engine_model(engine, order->job, order->which, &p.model, problem)) {
        explain_no_model(&p, problem);
        return false;
    }
    (void)snprintf(p.dir, sizeof(p.dir), "%s/predictions/%llu", engine->data_dir,
                   (unsigned long long)atomic_fetch_add(&engine->predictions, 1));
    bool done = run(&p, out, problem);
    ock_worker_close(&p.worker);
    ock_remove_directory(p.dir, false);
    if (p.model.fd >= 0)
        (void)close(p.model.fd);
    ock_buf_deinit(&p.model.bytes);
    return done;
}
