/* `ockham-worker predict DIR`: rows that strangers send through a model, away from the server. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"
#include "core/base/limits.h"
#include "core/predict/predict.h"
#include "server/worker/control.h"
#include "server/worker/protocol.h"
#include "server/worker/worker.h"

static uint64_t read_count(const cJSON *json, const char *key)
{
    const cJSON *item = ock_json_get(json, key);
    return item && ock_json_whole(item) && item->valuedouble > 0 ? (uint64_t)item->valuedouble : 0;
}

static enum ock_status read_format(const cJSON *json, enum ock_answer_format *out,
                                   struct ock_err *err)
{
    const char *text = ock_worker_text(json, "format");
    if (!text || strcmp(text, "json") == 0)
        *out = OCK_ANSWER_JSON;
    else if (strcmp(text, "ndjson") == 0)
        *out = OCK_ANSWER_NDJSON;
    else if (strcmp(text, "csv") == 0)
        *out = OCK_ANSWER_CSV;
    else
        return ock_fail(err, OCK_INVALID, "the format '%.40s' is not one of json, ndjson, csv",
                        text);
    return OCK_OK;
}

static enum ock_status run(const cJSON *json, const char *dir, bool *in_model,
                           struct ock_faults *faults, struct ock_err *err)
{
    struct ock_predict predict = {
        .model = ock_worker_text(json, "model"),
        .source = ock_worker_text(json, "source"),
        .json = cJSON_IsTrue(ock_json_get(json, "json")),
        .svmlight = cJSON_IsTrue(ock_json_get(json, "svmlight")),
        .header = ock_worker_header(json),
        .dir = dir,
        .out = ock_worker_text(json, "out"),
        .head = {.job = ock_worker_text(json, "job"),
                 .which = ock_worker_text(json, "which"),
                 .model_sha256 = ock_worker_text(json, "model_sha256")},
        .missing = ock_worker_text(json, "missing"),
        .threads = (uint32_t)read_count(json, "threads"),
        .rows_max = read_count(json, "rows_max"),
        .values_max = read_count(json, "values_max"),
        .bytes_max = read_count(json, "bytes_max"),
        .in_model = in_model,
    };
    if (!predict.model || !predict.source || !predict.out)
        return ock_fail(err, OCK_INVALID, "predict.json needs model, source and out");
    if (predict.threads > OCK_THREADS_MAX)
        predict.threads = OCK_THREADS_MAX;
    enum ock_status status = read_format(json, &predict.format, err);
    if (status == OCK_OK)
        status = ock_worker_delimiter(json, &predict.delimiter, err);
    return status == OCK_OK ? ock_predict_run(&predict, faults, err) : status;
}

/* "faults [{…}, …]": what is wrong with rows in JSON, each with its pointer. */
static int answer_faults(struct ock_control *control, const struct ock_faults *faults)
{
    struct ock_buf line;
    ock_buf_init(&line, OCK_WORKER_LINE_BYTES_MAX);
    ock_buf_puts(&line, "faults ");
    ock_faults_write(faults, &line);
    ock_buf_putc(&line, '\n');
    bool good = ock_buf_status(&line, NULL) == OCK_OK;
    int code = !good                                              ? OCK_WORKER_FAILED
               : ock_control_write(control, line.data, line.size) ? OCK_WORKER_ENDED
                                                                  : OCK_WORKER_ORPHANED;
    ock_buf_deinit(&line);
    return code;
}

int ock_worker_predict(const char *dir)
{
    static struct ock_control control;
    static struct ock_faults faults;
    struct ock_err err = {0};
    cJSON *json = NULL;
    bool in_model = false;
    if (ock_worker_listen(&control, &err) != OCK_OK)
        return ock_worker_fail(&err);
    enum ock_status status = ock_worker_read_order(&json, dir, "predict.json", &err);
    if (status == OCK_OK)
        status = run(json, dir, &in_model, &faults, &err);
    cJSON_Delete(json);
    if (status != OCK_OK && faults.count > 0)
        return answer_faults(&control, &faults);
    if (in_model && !ock_control_write(&control, "model ", strlen("model ")))
        return OCK_WORKER_ORPHANED;
    return ock_worker_answer(&control, status, &err);
}
