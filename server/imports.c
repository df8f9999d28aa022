/* Imports: a thread each, which runs a worker and stores what it made.
 *
 * The thread alone writes the dataset's row, so "preparing" can never overwrite "ready". An import
 * that was promised (202) fails only by its data: what a full disk, a lack of memory or a killed
 * worker undid is tried again, after a pause, from the spool, which stays until the outcome is
 * stored. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/data/dataset.h"
#include "server/log.h"
#include "server/runner_private.h"
#include "server/uploads_private.h"

enum { AT_ONCE_MAX = 2, COLUMNS_SHOWN_MAX = 1000 };
enum { PAUSE_FIRST_MS = 2000, PAUSE_MAX_MS = 60000 };
/* In a row. A worker's memory has a limit, which the same data may meet every time. */
enum { DEATHS_MAX = 3, STARVED_MAX = 8 };

void ock_upload_path(const struct ock_engine *engine, char path[OCK_PATH_SIZE], const char *id,
                     const char *name)
{
    (void)snprintf(path, OCK_PATH_SIZE, "%s/uploads/%s%s%s", engine->data_dir, id,
                   name[0] ? "/" : "", name);
}

static enum ock_status sync_one(const char *path, struct ock_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? OCK_OK : ock_fail_errno(err, errno, "cannot sync an upload");
    int failed = fsync(fd) == 0 ? 0 : errno;
    (void)close(fd);
    return failed ? ock_fail_errno(err, failed, "cannot sync an upload") : OCK_OK;
}

enum ock_status ock_upload_sync(const struct ock_engine *engine, const char *id,
                                struct ock_err *err)
{
    static const char *const names[] = {"source", "x", "y", ""};
    char path[OCK_PATH_SIZE];
    enum ock_status status = OCK_OK;
    for (size_t i = 0; status == OCK_OK && i < sizeof(names) / sizeof(names[0]); i++) {
        ock_upload_path(engine, path, id, names[i]);
        status = sync_one(path, err);
    }
    (void)snprintf(path, sizeof(path), "%s/uploads", engine->data_dir);
    return status == OCK_OK ? sync_one(path, err) : status;
}

bool ock_uploads_stopping(struct ock_uploads *uploads)
{
    (void)pthread_mutex_lock(&uploads->mutex);
    bool stopping = uploads->stopping;
    (void)pthread_mutex_unlock(&uploads->mutex);
    return stopping;
}

/* --- The row ----------------------------------------------------------------------------------- */

struct putting {
    const struct ock_dataset_row *row;
    const char *schema;
    bool replace;
};

static enum ock_status apply_putting(struct ock_db *db, void *ctx, struct ock_err *err)
{
    const struct putting *putting = ctx;
    return ock_store_put_dataset(db, putting->row, putting->schema, putting->replace, err);
}

static enum ock_status put_row(struct ock_import_task *task, const char *schema,
                               struct ock_err *err)
{
    struct putting putting = {.row = &task->row, .schema = schema, .replace = task->replace};
    return ock_store_write(task->uploads->engine->store, apply_putting, &putting, err);
}

/* Whoever waits has waited long enough: from now on the import is promised, so it has to survive a
 * restart. */
void ock_import_promise(struct ock_import_task *task)
{
    struct ock_err err = {0};
    task->promise_at_ms = INT64_MAX;
    (void)snprintf(task->row.status, sizeof(task->row.status), "preparing");
    enum ock_status status = ock_upload_sync(task->uploads->engine, task->row.id, &err);
    if (status == OCK_OK)
        status = put_row(task, NULL, &err);
    if (status != OCK_OK) { /* the one who waits goes on waiting for the end */
        ock_log(OCK_LOG_ERROR, "an import could not be promised: %s", err.text);
        return;
    }
    (void)pthread_mutex_lock(&task->uploads->mutex);
    task->promised = true;
    (void)pthread_cond_broadcast(&task->uploads->changed);
    (void)pthread_mutex_unlock(&task->uploads->mutex);
}

/* The dataset file is there: its facts go into the row. */
static enum ock_status store_dataset(struct ock_import_task *task, struct ock_err *err)
{
    char path[OCK_PATH_SIZE];
    struct stat file;
    struct ock_dataset *dataset = NULL;
    struct ock_buf schema;
    ock_buf_init(&schema, (size_t)64 << 20);
    ock_dataset_path(task->uploads->engine, path, task->row.id);
    enum ock_status status = ock_dataset_open(&dataset, path, err);
    if (status == OCK_OK && stat(path, &file) != 0)
        status = ock_fail_errno(err, errno, "cannot look at a dataset file");
    if (status == OCK_OK) {
        const struct ock_schema *facts = ock_dataset_schema(dataset);
        ock_schema_write(facts, COLUMNS_SHOWN_MAX, &schema);
        status = ock_buf_status(&schema, err);
        task->row.rows = facts->rows;
        task->row.bytes = (uint64_t)file.st_size;
        (void)snprintf(task->row.sha256, sizeof(task->row.sha256), "%s",
                       ock_dataset_sha256(dataset));
        (void)snprintf(task->row.status, sizeof(task->row.status), "ready");
    }
    if (status == OCK_OK)
        status = put_row(task, schema.data, err);
    ock_dataset_free(dataset);
    ock_buf_deinit(&schema);
    return status;
}

/* --- The thread -------------------------------------------------------------------------------- */

/* The mutex is held: waits for news, at most until then (monotonic). */
static void wait_for_news(struct ock_uploads *uploads, int64_t at_ms)
{
    const struct timespec until = {.tv_sec = at_ms / 1000, .tv_nsec = at_ms % 1000 * 1000000};
    if (at_ms == INT64_MAX)
        (void)pthread_cond_wait(&uploads->changed, &uploads->mutex);
    else
        (void)pthread_cond_timedwait(&uploads->changed, &uploads->mutex, &until);
}

/* Few imports run at once; one that waits for its turn is promised in time, too. */
static void take_turn(struct ock_import_task *task)
{
    struct ock_uploads *uploads = task->uploads;
    (void)pthread_mutex_lock(&uploads->mutex);
    while (uploads->running >= AT_ONCE_MAX && !uploads->stopping) {
        wait_for_news(uploads, task->promise_at_ms);
        if (ock_monotonic_ms() < task->promise_at_ms)
            continue;
        (void)pthread_mutex_unlock(&uploads->mutex);
        ock_import_promise(task);
        (void)pthread_mutex_lock(&uploads->mutex);
    }
    uploads->running++;
    (void)pthread_mutex_unlock(&uploads->mutex);
}

static void give_turn_back(struct ock_uploads *uploads)
{
    (void)pthread_mutex_lock(&uploads->mutex);
    uploads->running--;
    (void)pthread_cond_broadcast(&uploads->changed);
    (void)pthread_mutex_unlock(&uploads->mutex);
}

/* One try. A dataset file that could not be stored is not made again. */
static enum ock_status try_import(struct ock_import_task *task, struct ock_err *err)
{
    enum ock_status status = OCK_OK;
    take_turn(task);
    if (ock_uploads_stopping(task->uploads))
        status = ock_fail(err, OCK_STOPPED, "the server is closing");
    else if (!task->made)
        status = ock_import_run_worker(task, err);
    task->made = status == OCK_OK;
    if (status == OCK_OK)
        status = store_dataset(task, err);
    give_turn_back(task->uploads);
    return status;
}

/* Whether another try may end otherwise: it was not the data's fault. */
static bool may_come_right(const struct ock_import_task *task, enum ock_status status)
{
    if (status == OCK_STOPPED)
        return false;
    if (task->deaths > 0)
        return task->deaths < DEATHS_MAX;
    if (status == OCK_NOMEM)
        return task->starved < STARVED_MAX;
    return status == OCK_IO || status == OCK_NOSPACE;
}

/* Longer every time. false: the server is closing. */
static bool rest(struct ock_import_task *task, const struct ock_err *why)
{
    struct ock_uploads *uploads = task->uploads;
    int64_t pause_ms = (int64_t)PAUSE_FIRST_MS << (task->rests < 8 ? task->rests : 8);
    if (pause_ms > PAUSE_MAX_MS)
        pause_ms = PAUSE_MAX_MS;
    task->rests++;
    ock_log(OCK_LOG_WARNING, "the import of %s is tried again in %lld s: %s", task->row.name,
            (long long)pause_ms / 1000, why->text);
    const int64_t until_ms = ock_monotonic_ms() + pause_ms;
    (void)pthread_mutex_lock(&uploads->mutex);
    while (!uploads->stopping && ock_monotonic_ms() < until_ms)
        wait_for_news(uploads, until_ms);
    bool stopping = uploads->stopping;
    (void)pthread_mutex_unlock(&uploads->mutex);
    return !stopping;
}

/* What the row says of a failure; the server's paths are nobody's business. */
static void write_cause(struct ock_import_task *task, const struct ock_err *cause)
{
    char *text = task->row.error;
    size_t size = sizeof(task->row.error);
    if (task->deaths > 0)
        (void)snprintf(text, size,
                       "the import broke off %u times in a row, most likely for want of memory",
                       task->deaths);
    else if (cause->status == OCK_NOTFOUND)
        (void)snprintf(text, size, "the uploaded bytes are gone");
    else
        (void)snprintf(text, size, "%s", cause->text);
}

/* A promised import that failed says so in its row, and waits for the room to say it; another
 * leaves nothing behind. false: the server is closing, the next one tries again. */
static bool store_failure(struct ock_import_task *task, const struct ock_err *cause)
{
    char path[OCK_PATH_SIZE];
    ock_dataset_path(task->uploads->engine, path, task->row.id);
    (void)unlink(path);
    if (!task->promised)
        return true;
    (void)snprintf(task->row.status, sizeof(task->row.status), "failed");
    write_cause(task, cause);
    for (;;) {
        struct ock_err err = {0};
        if (put_row(task, NULL, &err) == OCK_OK)
            return true;
        if (!rest(task, &err))
            return false;
    }
}

/* The mutex is held. */
static void forget(struct ock_import_task *task)
{
    struct ock_import_task **at = &task->uploads->tasks;
    while (*at != task)
        at = &(*at)->next;
    *at = task->next;
}

static void finish(struct ock_import_task *task, enum ock_status status, const struct ock_err *err)
{
    struct ock_uploads *uploads = task->uploads;
    (void)pthread_mutex_lock(&uploads->mutex);
    forget(task);
    task->over = true;
    task->answer.ok = status == OCK_OK;
    task->answer.status = status;
    (void)snprintf(task->answer.text, sizeof(task->answer.text), "%s", err->text);
    (void)pthread_cond_broadcast(&uploads->changed);
    (void)pthread_mutex_unlock(&uploads->mutex);
}

/* The thread's last touch of the uploads: their owner may free them from here on. */
static void leave(struct ock_uploads *uploads)
{
    (void)pthread_mutex_lock(&uploads->mutex);
    uploads->threads--;
    (void)pthread_cond_broadcast(&uploads->changed);
    (void)pthread_mutex_unlock(&uploads->mutex);
}

static enum ock_status run_to_the_end(struct ock_import_task *task, struct ock_err *err)
{
    enum ock_status status = try_import(task, err);
    while (status != OCK_OK && task->promised && may_come_right(task, status)) {
        status = rest(task, err) ? try_import(task, err) : OCK_STOPPED;
    }
    if (status != OCK_OK && status != OCK_STOPPED && !store_failure(task, err))
        status = OCK_STOPPED;
    return status;
}

static enum ock_status apply_dropping(struct ock_db *db, void *ctx, struct ock_err *err)
{
    return ock_store_delete_dataset(db, ctx, err);
}

/* Whether the fault is in the half that waited, not in the one that came now: then it goes too, else
 * it would hold the name for nothing. */
static void drop_bad_half(struct ock_import_task *task, struct ock_err *fault)
{
    struct ock_err err = {0}, why = *fault;
    if (task->promised || !task->undo)
        return;
    const char *waited = strcmp(task->undo, "x") == 0 ? "labels: " : "x: ";
    if (strncmp(fault->text, waited, strlen(waited)) != 0)
        return;
    if (ock_store_delete(task->uploads->engine->store, apply_dropping, task->row.id, &err) !=
        OCK_OK)
        return;
    task->undo = NULL;
    (void)ock_fail(fault, why.status, "%s; neither part is kept, send both", why.text);
}

/* What was sent and is not needed any more. A half that was there before waits for another. */
static void remove_spool(const struct ock_import_task *task, enum ock_status status)
{
    char path[OCK_PATH_SIZE];
    bool half_stays = status != OCK_OK && !task->promised && task->undo;
    ock_upload_path(task->uploads->engine, path, task->row.id, half_stays ? task->undo : "");
    if (half_stays)
        (void)unlink(path);
    else if (status != OCK_STOPPED)
        ock_remove_directory(path, false);
}

static void *run_import(void *arg)
{
    struct ock_import_task *task = arg;
    struct ock_uploads *uploads = task->uploads;
    struct ock_err err = {0};
    enum ock_status status = run_to_the_end(task, &err);
    if (status != OCK_OK)
        drop_bad_half(task, &err);
    remove_spool(task, status);
    if (task->promised) /* jobs may wait for it */
        ock_runner_dataset_settled(uploads->engine->runner, task->row.id);
    finish(task, status, &err);
    ock_import_release(task);
    leave(uploads);
    return NULL;
}

enum ock_status ock_import_reserve(struct ock_import_task **out, struct ock_uploads *uploads,
                                   const char *name, struct ock_err *err)
{
    struct ock_import_task *task = calloc(1, sizeof(*task));
    if (!task)
        return ock_fail(err, OCK_NOMEM, "no memory for an import");
    task->uploads = uploads;
    (void)snprintf(task->name, sizeof(task->name), "%s", name);
    (void)pthread_mutex_lock(&uploads->mutex);
    const struct ock_import_task *at = uploads->tasks;
    while (at && strcmp(at->name, name) != 0)
        at = at->next;
    if (!at) {
        task->next = uploads->tasks;
        uploads->tasks = task;
    }
    (void)pthread_mutex_unlock(&uploads->mutex);
    if (at) {
        free(task);
        return ock_fail(err, OCK_CONFLICT, "an upload of that name is being prepared; try again");
    }
    *out = task;
    return OCK_OK;
}

void ock_import_cancel(struct ock_import_task *task)
{
    if (!task)
        return;
    (void)pthread_mutex_lock(&task->uploads->mutex);
    forget(task);
    (void)pthread_mutex_unlock(&task->uploads->mutex);
    free(task);
}

static int start_thread(struct ock_import_task *task)
{
    pthread_t thread;
    pthread_attr_t attr;
    (void)pthread_attr_init(&attr);
    (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    int failed = pthread_create(&thread, &attr, run_import, task);
    (void)pthread_attr_destroy(&attr);
    return failed;
}

enum ock_status ock_import_start(struct ock_import_task *task, const struct ock_import_order *order,
                                 struct ock_err *err)
{
    struct ock_uploads *uploads = task->uploads;
    task->row = order->row;
    task->replace = order->replace;
    task->promised = order->promised;
    task->undo = order->undo;
    task->promise_at_ms = order->promised ? INT64_MAX : ock_monotonic_ms() + order->promise_ms;
    task->references = 2;
    (void)pthread_mutex_lock(&uploads->mutex);
    uploads->threads++;
    (void)pthread_mutex_unlock(&uploads->mutex);
    int failed = start_thread(task);
    if (failed == 0)
        return OCK_OK;
    if (!task->promised) /* else the next server goes on with it */
        remove_spool(task, OCK_IO);
    ock_import_cancel(task);
    leave(uploads);
    return ock_fail_errno(err, failed, "cannot start an import");
}

bool ock_import_wait(struct ock_import_task *task, struct ock_import_answer *answer)
{
    struct ock_uploads *uploads = task->uploads;
    (void)pthread_mutex_lock(&uploads->mutex);
    while (!task->over && !task->promised)
        (void)pthread_cond_wait(&uploads->changed, &uploads->mutex);
    bool over = task->over;
    *answer = task->answer;
    (void)pthread_mutex_unlock(&uploads->mutex);
    return over;
}

void ock_import_release(struct ock_import_task *task)
{
    struct ock_uploads *uploads = task->uploads;
    (void)pthread_mutex_lock(&uploads->mutex);
    bool last = --task->references == 0;
    (void)pthread_mutex_unlock(&uploads->mutex);
    if (last)
        free(task);
}
