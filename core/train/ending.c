/* How a job ends. */
#include "core/train/ending.h"

#include <string.h>

#include "core/base/jsonw.h"
#include "core/train/appraisal.h"
#include "core/train/layers.h"
#include "core/train/model_file.h"
#include "core/train/report.h"
#include "core/train/run.h"

static void write_latest(struct ock_jsonw *w, const struct ock_trainer *trainer)
{
    struct ock_buf latest;
    ock_buf_init(&latest, OCK_EVENT_BYTES_MAX);
    if (trainer && trainer->last_epoch.epoch > 0)
        ock_epoch_write(&trainer->last_epoch, &latest);
    ock_jsonw_raw(w, "latest", latest.size > 0 ? latest.data : "null");
    ock_buf_deinit(&latest);
}

static enum ock_status send_end(const struct ock_job_hooks *hooks, struct ock_buf *body,
                                struct ock_err *err)
{
    enum ock_status status = ock_buf_status(body, err);
    if (status == OCK_OK) {
        struct ock_event event = {"end", "end", body->data};
        status = hooks->event(hooks->ctx, &event, err);
    }
    ock_buf_deinit(body);
    return status;
}

/* The best model, written; NULL path: nothing is written and *bytes stays 0. */
static enum ock_status write_models(struct ock_trainer *trainer, const struct ock_job *job,
                                    uint64_t *bytes, char sha256[OCK_SHA256_TEXT_SIZE],
                                    struct ock_err *err)
{
    enum ock_status status = OCK_OK;
    uint64_t last_bytes = 0;
    char last_sha256[OCK_SHA256_TEXT_SIZE];
    if (job->last_path)
        status = ock_model_write(trainer, trainer->optimizer.state.w, job->last_path, &last_bytes,
                                 last_sha256, err);
    if (status == OCK_OK && job->best_path)
        status = ock_model_write(trainer, trainer->best_w, job->best_path, bytes, sha256, err);
    return status;
}

/* The test rows, seen once, by the weights that are served. The last weights stay where they are: a
 * checkpoint may still be taken. */
static bool measure_test(struct ock_trainer *trainer, struct ock_metrics *out)
{
    if (trainer->data->test.count == 0)
        return true;
    ock_network_pack(&trainer->net, trainer->best_w);
    return ock_trainer_measure(trainer, &trainer->data->test, trainer->best_w, out);
}

/* What is told of the weights beside the models. What there is no memory for is left out: a job does
 * not fail for its report. */
struct findings {
    struct ock_layers_report best, last;
    bool has_layers;
    struct ock_buf evaluation; /* the document; empty: there is none */
};

static void findings_deinit(struct findings *findings)
{
    ock_layers_deinit(&findings->best);
    ock_layers_deinit(&findings->last);
    ock_buf_deinit(&findings->evaluation);
}

/* false: it was left. */
static bool evaluate(struct ock_trainer *trainer, struct findings *out)
{
    bool left = false;
    ock_buf_init(&out->evaluation, OCK_DOCUMENT_BYTES_MAX);
    enum ock_status status = ock_appraise(trainer, trainer->best_w, trainer->progress.best.epoch,
                                          &out->evaluation, &left, NULL);
    if (status != OCK_OK)
        ock_buf_deinit(&out->evaluation);
    return !left;
}

/* false: it was left. */
static bool examine_layers(struct ock_trainer *trainer, struct findings *out)
{
    const float *w = trainer->optimizer.state.w;
    uint32_t best_epoch = trainer->progress.best.epoch;
    bool left = false;
    enum ock_status status =
        ock_layers_examine(&out->best, trainer, trainer->best_w, best_epoch, &left, NULL);
    bool same = memcmp(trainer->best_w, w, trainer->plan->parameters * sizeof(*w)) == 0;
    if (status == OCK_OK && !left && !same)
        status = ock_layers_examine(&out->last, trainer, w, trainer->last_epoch.epoch, &left, NULL);
    out->has_layers = status == OCK_OK && !left;
    return !left;
}

static enum ock_status tell_layers(const struct ock_trainer *trainer,
                                   const struct findings *findings, struct ock_err *err)
{
    struct ock_layers_report last = findings->last;
    struct ock_buf body;
    ock_buf_init(&body, OCK_DOCUMENT_BYTES_MAX);
    if (!last.layers) { /* the best weights are the last */
        last = findings->best;
        last.epoch = trainer->last_epoch.epoch;
    }
    ock_layers_write(&findings->best, &last, &body);
    if (body.failed != OCK_OK) {
        ock_buf_deinit(&body);
        return OCK_OK;
    }
    return ock_run_tell_document(trainer->hooks, "layers", &body, err);
}

static enum ock_status tell_documents(struct ock_trainer *trainer, struct findings *findings,
                                      struct ock_err *err)
{
    enum ock_status status = findings->has_layers ? tell_layers(trainer, findings, err) : OCK_OK;
    if (status != OCK_OK || findings->evaluation.size == 0)
        return status;
    return ock_run_tell_document(trainer->hooks, "evaluation", &findings->evaluation, err);
}

static const char *stop_reason_of(const struct ock_trainer *trainer)
{
    switch ((enum ock_stop)trainer->progress.stop) {
    case OCK_STOP_EARLY_STOPPING:
        return "early_stopping";
    case OCK_STOP_MAX_STEPS:
        return "max_steps";
    case OCK_STOP_DEADLINE:
        return "deadline";
    case OCK_STOP_ASKED:
        return "stopped";
    case OCK_STOP_NONE:
    default:
        return trainer->search_stopped ? "stopped" : "epochs";
    }
}

/* What was found of the model that is served. */
struct ending {
    struct ock_metrics test;
    struct findings findings;
    uint64_t bytes; /* of the best model's file; 0: none was written */
    char sha256[OCK_SHA256_TEXT_SIZE];
    char state_sha256[OCK_SHA256_TEXT_SIZE];
    struct ock_pruned_sizes sizes; /* where a file was written */
};

static void write_model(struct ock_jsonw *w, const struct ending *ending)
{
    if (ending->bytes == 0) {
        ock_jsonw_null(w, "model");
        return;
    }
    ock_jsonw_object(w, "model");
    ock_jsonw_uint(w, "bytes", ending->bytes);
    ock_jsonw_string(w, "sha256", ending->sha256);
    ock_model_sizes_write(w, &ending->sizes);
    ock_jsonw_end_object(w);
}

static enum ock_status tell_end(const struct ock_trainer *trainer, const struct ending *ending,
                                struct ock_err *err)
{
    struct ock_buf body;
    ock_buf_init(&body, OCK_EVENT_BYTES_MAX);
    struct ock_jsonw w = ock_jsonw_make(&body);
    ock_jsonw_object(&w, NULL);
    ock_jsonw_string(&w, "status", "succeeded");
    ock_jsonw_string(&w, "stop_reason", stop_reason_of(trainer));
    ock_best_write(&w, "best", &trainer->progress.best);
    write_latest(&w, trainer);
    if (ending->test.present)
        ock_metrics_write(&w, "test", &ending->test, trainer->data->classes > 0);
    write_model(&w, ending);
    if (trainer->tuning)
        ock_jsonw_raw(&w, "tuning", trainer->tuning);
    ock_report_write(&w, trainer, ending->findings.has_layers ? &ending->findings.best : NULL);
    ock_jsonw_string(&w, "state_sha256", ending->state_sha256);
    ock_jsonw_string(&w, "numerics", ock_kernels_numerics(trainer->kernels));
    ock_jsonw_null(&w, "error");
    ock_jsonw_end_object(&w);
    return send_end(trainer->hooks, &body, err);
}

enum ock_status ock_ending_search(const struct ock_job_hooks *hooks, const char *tuning,
                                  bool stopped, struct ock_err *err)
{
    struct ock_buf body;
    ock_buf_init(&body, OCK_EVENT_BYTES_MAX);
    struct ock_jsonw w = ock_jsonw_make(&body);
    ock_jsonw_object(&w, NULL);
    ock_jsonw_string(&w, "status", "succeeded");
    ock_jsonw_string(&w, "stop_reason", stopped ? "stopped" : "epochs");
    ock_jsonw_null(&w, "best");
    ock_jsonw_null(&w, "latest");
    ock_jsonw_null(&w, "model");
    ock_jsonw_null(&w, "lambda_hat");
    ock_jsonw_null(&w, "report");
    ock_jsonw_raw(&w, "tuning", tuning ? tuning : "null");
    ock_jsonw_null(&w, "error");
    ock_jsonw_end_object(&w);
    return send_end(hooks, &body, err);
}

enum ock_status ock_ending_succeeded(struct ock_trainer *trainer, const struct ock_job *job,
                                     bool *paused, struct ock_err *err)
{
    struct ending ending = {0};
    enum ock_status status = OCK_OK;
    ock_trainer_state_sha256(trainer, ending.state_sha256);
    if (trainer->progress.best.epoch == 0) /* ended before the first epoch did: what there is */
        memcpy(trainer->best_w, trainer->optimizer.state.w,
               trainer->plan->parameters * sizeof(*trainer->best_w));
    *paused = !measure_test(trainer, &ending.test) || !examine_layers(trainer, &ending.findings) ||
              !evaluate(trainer, &ending.findings);
    if (*paused)
        goto done;
    status = write_models(trainer, job, &ending.bytes, ending.sha256, err);
    if (status == OCK_OK && ending.bytes > 0)
        status = ock_model_sizes(&ending.sizes, trainer, trainer->best_w, err);
    if (status == OCK_OK)
        status = tell_documents(trainer, &ending.findings, err);
    if (status == OCK_OK)
        status = tell_end(trainer, &ending, err);
done:
    findings_deinit(&ending.findings);
    return status;
}

struct failure {
    const char *stop_reason, *type, *title;
};

static struct failure failure_of(enum ock_status why)
{
    if (why == OCK_NONFINITE)
        return (struct failure){"nonfinite", "/problems/nonfinite", "Training diverged"};
    if (why == OCK_NOMEM)
        return (struct failure){"memory", "/problems/memory", "The job ran out of memory"};
    return (struct failure){"data", "/problems/data", "The job does not fit its data"};
}

enum ock_status ock_ending_failed(const struct ock_job_hooks *hooks,
                                  const struct ock_trainer *trainer, enum ock_status why,
                                  const char *text, struct ock_err *err)
{
    struct failure failure = failure_of(why);
    struct ock_best none = {0};
    struct ock_buf body;
    ock_buf_init(&body, OCK_EVENT_BYTES_MAX);
    struct ock_jsonw w = ock_jsonw_make(&body);
    ock_jsonw_object(&w, NULL);
    ock_jsonw_string(&w, "status", "failed");
    ock_jsonw_string(&w, "stop_reason", failure.stop_reason);
    ock_best_write(&w, "best", trainer ? &trainer->progress.best : &none);
    write_latest(&w, trainer);
    ock_jsonw_null(&w, "model");
    ock_jsonw_null(&w, "lambda_hat");
    ock_jsonw_null(&w, "report");
    ock_jsonw_object(&w, "error");
    ock_jsonw_string(&w, "type", failure.type);
    ock_jsonw_string(&w, "title", failure.title);
    ock_jsonw_int(&w, "status", 422);
    ock_jsonw_string(&w, "code", failure.stop_reason);
    ock_jsonw_string(&w, "detail", text);
    ock_jsonw_end_object(&w);
    ock_jsonw_end_object(&w);
    return send_end(hooks, &body, err);
}
