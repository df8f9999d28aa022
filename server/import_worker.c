/* An import's worker: what it is given, what it answers, and what it means when it does not. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/jsonw.h"
#include "core/base/limits.h"
#include "core/data/import.h"
#include "server/log.h"
#include "server/runner_private.h"
#include "server/uploads_private.h"
#include "server/worker_process.h"

enum { POLL_MS = 100 };

/* The options' members ("format", "target", "types", …) join the paths. */
static enum ock_status write_import(struct ock_import_task *task, struct ock_err *err)
{
    const struct ock_engine *engine = task->uploads->engine;
    const struct ock_dataset_row *row = &task->row;
    char path[OCK_PATH_SIZE];
    struct ock_buf text;
    ock_buf_init(&text, OCK_MIB);
    struct ock_jsonw w = ock_jsonw_make(&text);
    ock_jsonw_object(&w, NULL);
    ock_upload_path(engine, path, row->id, ock_import_is_pair(row) ? "x" : "source");
    ock_jsonw_string(&w, "source", path);
    if (ock_import_is_pair(row)) {
        ock_upload_path(engine, path, row->id, "y");
        ock_jsonw_string(&w, "labels", path);
    }
    ock_dataset_path(engine, path, row->id);
    ock_jsonw_string(&w, "out", path);
    ock_jsonw_uint(&w, "data_bytes_max", engine->memory_bytes);
    ock_jsonw_uint(&w, "threads", ock_import_threads(ock_engine_cores_free(engine)));
    if (!ock_import_is_pair(row) && strlen(row->options) > 2) {
        ock_buf_putc(&text, ',');
        ock_buf_add(&text, row->options + 1, strlen(row->options) - 2);
    }
    ock_jsonw_end_object(&w);
    enum ock_status status = ock_buf_status(&text, err);
    ock_upload_path(engine, path, row->id, "import.json");
    if (status == OCK_OK)
        status = ock_file_replace(path, text.data, text.size, err);
    ock_buf_deinit(&text);
    return status;
}

static enum ock_status status_named(const char *name, size_t size)
{
    static const enum ock_status all[] = {OCK_INVALID, OCK_UNSUPPORTED, OCK_LIMIT,   OCK_NOMEM,
                                          OCK_IO,      OCK_NOSPACE,     OCK_CORRUPT, OCK_NOTFOUND};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        const char *text = ock_status_name(all[i]);
        if (strlen(text) == size && memcmp(text, name, size) == 0)
            return all[i];
    }
    return OCK_IO;
}

/* "ok" or "invalid TEXT". */
static enum ock_status read_answer(const char *line, struct ock_err *err)
{
    if (strcmp(line, "ok") == 0)
        return OCK_OK;
    size_t size = strcspn(line, " ");
    return ock_fail(err, status_named(line, size), "%s", line[size] ? line + size + 1 : line);
}

/* Reads until the worker closes its side; the first line is its answer. */
static bool listen_to(struct ock_import_task *task, struct ock_worker *worker, char *line,
                      size_t line_size)
{
    bool open = true, answered = false;
    while (open) {
        struct pollfd polled[2] = {{.fd = worker->out, .events = POLLIN},
                                   {.fd = worker->err, .events = POLLIN}};
        (void)poll(polled, 2, POLL_MS);
        if (ock_monotonic_ms() >= task->promise_at_ms)
            ock_import_promise(task);
        if (ock_uploads_stopping(task->uploads))
            return false;
        if (polled[1].revents && !ock_worker_read_err(worker)) {
            (void)close(worker->err);
            worker->err = -1;
        }
        if (polled[0].revents == 0)
            continue;
        open = ock_worker_read(worker);
        size_t size;
        const char *text = ock_worker_next_line(worker, &size);
        if (text && !answered) {
            (void)snprintf(line, line_size, "%s", text);
            answered = true;
        }
    }
    return answered;
}

enum ock_status ock_import_run_worker(struct ock_import_task *task, struct ock_err *err)
{
    const struct ock_engine *engine = task->uploads->engine;
    struct ock_worker worker = {0};
    char dir[OCK_PATH_SIZE], line[OCK_ERR_TEXT_SIZE + 32], text[320];
    int wait_status = 0;
    ock_upload_path(engine, dir, task->row.id, "");
    enum ock_status status = write_import(task, err);
    if (status == OCK_OK)
        status = ock_worker_start(&worker, engine->program_fd, "import", dir, false, err);
    if (status != OCK_OK)
        return status;
    bool answered = listen_to(task, &worker, line, sizeof(line));
    if (!answered)
        ock_worker_kill(&worker, SIGKILL);
    (void)ock_worker_ended(&worker, true, &wait_status);
    if (answered) {
        status = read_answer(line, err);
        task->deaths = 0;
        task->starved = status == OCK_NOMEM ? task->starved + 1 : 0;
    } else if (ock_uploads_stopping(task->uploads)) {
        status = ock_fail(err, OCK_STOPPED, "the server is closing");
    } else {
        ock_worker_explain(wait_status, worker.said, text, sizeof(text));
        ock_log(OCK_LOG_ERROR, "the import of %s broke off: %s", task->row.name, text);
        task->deaths++;
        status = ock_fail(err, OCK_LIMIT, "the import broke off, most likely for want of memory");
    }
    ock_worker_close(&worker);
    return status;
}
