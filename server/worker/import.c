/* `ockham-worker import DIR`: what strangers send is parsed here, never in the server. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/json.h"
#include "core/base/limits.h"
#include "core/data/import.h"
#include "server/worker/control.h"
#include "server/worker/protocol.h"
#include "server/worker/worker.h"

static enum ock_status read_format(const cJSON *json, enum ock_format *out, struct ock_err *err)
{
    static const struct {
        const char *name;
        enum ock_format format;
    } formats[] = {{"auto", OCK_FORMAT_AUTO},
                   {"csv", OCK_FORMAT_CSV},
                   {"idx", OCK_FORMAT_IDX},
                   {"svmlight", OCK_FORMAT_SVMLIGHT},
                   {"npy", OCK_FORMAT_NPY}};
    const char *text = ock_worker_text(json, "format");
    if (!text)
        text = "auto";
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (strcmp(text, formats[i].name) == 0) {
            *out = formats[i].format;
            return OCK_OK;
        }
    }
    return ock_fail(err, OCK_INVALID, "the format '%s' is not one of csv, idx, svmlight, npy",
                    text);
}

enum ock_status ock_worker_delimiter(const cJSON *json, char *out, struct ock_err *err)
{
    const char *text = ock_worker_text(json, "delimiter");
    *out = '\0';
    return text ? ock_import_delimiter(text, out, err) : OCK_OK;
}

enum ock_header ock_worker_header(const cJSON *json)
{
    const cJSON *header = ock_json_get(json, "header");
    return cJSON_IsTrue(header)    ? OCK_HEADER_YES
           : cJSON_IsFalse(header) ? OCK_HEADER_NO
                                   : OCK_HEADER_AUTO;
}

static enum ock_status run(const cJSON *json, struct ock_err *err)
{
    struct ock_import import = {
        .source = ock_worker_text(json, "source"),
        .labels = ock_worker_text(json, "labels"),
        .out = ock_worker_text(json, "out"),
        .target = ock_worker_text(json, "target"),
        .types = ock_worker_text(json, "types"),
        .missing = ock_worker_text(json, "missing"),
    };
    import.header = ock_worker_header(json);
    const cJSON *threads = ock_json_get(json, "threads");
    if (ock_json_whole(threads) && threads->valuedouble <= OCK_IMPORT_THREADS_MAX)
        import.threads = (int)threads->valuedouble;
    if (!import.source || !import.out)
        return ock_fail(err, OCK_INVALID, "import.json needs source and out");
    enum ock_status status = read_format(json, &import.format, err);
    if (status == OCK_OK)
        status = ock_worker_delimiter(json, &import.delimiter, err);
    if (status == OCK_OK)
        status = ock_import_run(&import, err);
    return status;
}

/* Nothing of these modes is kept by half: when the parent is gone, so is the reason for it. */
static void *leave_with_parent(void *arg)
{
    struct ock_control *control = arg;
    while (!atomic_load(&control->orphaned)) {
        struct timespec step = {.tv_nsec = 50000000L};
        (void)nanosleep(&step, NULL);
    }
    _exit(OCK_WORKER_ORPHANED);
}

static enum ock_status leave_with_its_parent(struct ock_control *control, struct ock_err *err)
{
    pthread_t watcher;
    int failed = pthread_create(&watcher, NULL, leave_with_parent, control);
    return failed ? ock_fail_errno(err, failed, "cannot start a thread") : OCK_OK;
}

/* The one line of the answer: the status' name and the sentence. */
int ock_worker_answer(struct ock_control *control, enum ock_status status,
                      const struct ock_err *err)
{
    char line[OCK_ERR_TEXT_SIZE + 32];
    int length = status == OCK_OK
                     ? snprintf(line, sizeof(line), "ok\n")
                     : snprintf(line, sizeof(line), "%s %s\n", ock_status_name(status), err->text);
    if (length < 0 || (size_t)length >= sizeof(line))
        return OCK_WORKER_FAILED;
    for (int i = 0; i + 1 < length; i++) {
        if (line[i] == '\n')
            line[i] = ' ';
    }
    return ock_control_write(control, line, (size_t)length) ? OCK_WORKER_ENDED
                                                            : OCK_WORKER_ORPHANED;
}

enum ock_status ock_worker_listen(struct ock_control *control, struct ock_err *err)
{
    enum ock_status status = ock_control_start(control, err);
    return status == OCK_OK ? leave_with_its_parent(control, err) : status;
}

enum ock_status ock_worker_read_order(cJSON **out, const char *dir, const char *name,
                                      struct ock_err *err)
{
    enum ock_status status = ock_worker_read_json(out, dir, name, err);
    if (status == OCK_OK)
        ock_worker_limit_memory(*out);
    return status;
}

int ock_worker_import(const char *dir)
{
    static struct ock_control control;
    struct ock_err err = {0};
    cJSON *json = NULL;
    if (ock_worker_listen(&control, &err) != OCK_OK)
        return ock_worker_fail(&err);
    enum ock_status status = ock_worker_read_order(&json, dir, "import.json", &err);
    if (status == OCK_OK)
        status = run(json, &err);
    cJSON_Delete(json);
    return ock_worker_answer(&control, status, &err);
}
