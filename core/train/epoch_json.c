/* The epoch event's body, in SPEC.md's order of keys. */
#include <math.h>
#include <stdio.h>

#include "core/train/metrics.h"

enum { NONFINITE_MAX = 24 };

/* A writer that remembers the numbers that JSON cannot hold. */
struct report {
    struct ock_jsonw w;
    size_t nonfinite_count;
    struct {
        char path[48];
        const char *value;
    } nonfinite[NONFINITE_MAX];
};

/* A number under `key`; `prefix` is its object's name, NULL at the top. */
static void number(struct report *report, const char *prefix, const char *key, double value)
{
    ock_jsonw_double(&report->w, key, value);
    if (isfinite(value) || report->nonfinite_count == NONFINITE_MAX)
        return;
    size_t i = report->nonfinite_count++;
    (void)snprintf(report->nonfinite[i].path, sizeof(report->nonfinite[i].path), "%s%s%s",
                   prefix ? prefix : "", prefix ? "." : "", key);
    report->nonfinite[i].value = isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

static void metrics_members(struct report *report, const char *name,
                            const struct ock_metrics *metrics, bool classes)
{
    number(report, name, "data_loss", metrics->data_loss);
    if (classes) {
        number(report, name, "accuracy", metrics->accuracy);
        return;
    }
    number(report, name, "mse", metrics->mse);
    number(report, name, "rmse", metrics->rmse);
    number(report, name, "mae", metrics->mae);
    number(report, name, "r2", metrics->r2);
}

static void write_sets(struct report *report, const struct ock_epoch *epoch)
{
    struct ock_jsonw *w = &report->w;
    ock_jsonw_object(w, "train");
    if (epoch->train.present)
        metrics_members(report, "train", &epoch->train, epoch->classes);
    number(report, "train", "running_loss", epoch->running_loss);
    ock_jsonw_end_object(w);
    if (!epoch->validation.present)
        return;
    ock_jsonw_object(w, "validation");
    metrics_members(report, "validation", &epoch->validation, epoch->classes);
    ock_jsonw_end_object(w);
}

static void write_gap(struct report *report, const struct ock_epoch *epoch)
{
    if (!epoch->validation.present || !epoch->train.present)
        return;
    ock_jsonw_object(&report->w, "gap");
    number(report, "gap", "loss", epoch->validation.data_loss - epoch->train.data_loss);
    if (epoch->classes)
        number(report, "gap", "accuracy", epoch->train.accuracy - epoch->validation.accuracy);
    ock_jsonw_end_object(&report->w);
}

static void write_weights(struct report *report, const struct ock_weight_report *weights)
{
    struct ock_jsonw *w = &report->w;
    ock_jsonw_object(w, "weights");
    number(report, "weights", "l1_norm", weights->l1_norm);
    number(report, "weights", "l2_norm", weights->l2_norm);
    ock_jsonw_uint(w, "zeros", weights->zeros);
    ock_jsonw_uint(w, "count", weights->count);
    ock_jsonw_uint(w, "near_zeros", weights->near_zeros);
    ock_jsonw_end_object(w);
}

static void write_penalty(struct report *report, const struct ock_epoch *epoch)
{
    ock_jsonw_object(&report->w, "penalty");
    number(report, "penalty", "l1", epoch->weights.penalty_l1);
    number(report, "penalty", "l2", epoch->weights.penalty_l2);
    ock_jsonw_end_object(&report->w);
    number(report, NULL, "objective", epoch->objective);
}

static void write_nonfinite(struct report *report)
{
    if (report->nonfinite_count == 0)
        return;
    ock_jsonw_object(&report->w, "nonfinite");
    for (size_t i = 0; i < report->nonfinite_count; i++)
        ock_jsonw_string(&report->w, report->nonfinite[i].path, report->nonfinite[i].value);
    ock_jsonw_end_object(&report->w);
}

void ock_epoch_write(const struct ock_epoch *epoch, struct ock_buf *out)
{
    struct report report = {.w = ock_jsonw_make(out)};
    struct ock_jsonw *w = &report.w;
    ock_jsonw_object(w, NULL);
    ock_jsonw_uint(w, "epoch", epoch->epoch);
    ock_jsonw_uint(w, "epochs", epoch->epochs);
    ock_jsonw_uint(w, "step", epoch->step);
    write_sets(&report, epoch);
    write_penalty(&report, epoch);
    write_gap(&report, epoch);
    write_weights(&report, &epoch->weights);
    number(&report, NULL, "lr", epoch->lr);
    ock_best_write(w, "best", &epoch->best);
    if (epoch->skipped > 0)
        ock_jsonw_uint(w, "skipped_batches", epoch->skipped);
    ock_jsonw_uint(w, "samples", epoch->samples);
    number(&report, NULL, "samples_per_s", epoch->samples_per_s);
    ock_jsonw_uint(w, "threads", epoch->threads);
    number(&report, NULL, "elapsed_s", epoch->elapsed_s);
    number(&report, NULL, "eta_s", epoch->eta_s);
    ock_jsonw_string(w, "numerics", epoch->numerics);
    ock_jsonw_string(w, "weights_sha256", epoch->weights_sha256);
    write_nonfinite(&report);
    ock_jsonw_end_object(w);
}

void ock_metrics_write(struct ock_jsonw *w, const char *key, const struct ock_metrics *metrics,
                       bool classes)
{
    struct report report = {.w = *w};
    ock_jsonw_object(&report.w, key);
    metrics_members(&report, key, metrics, classes);
    ock_jsonw_end_object(&report.w);
    write_nonfinite(&report);
    *w = report.w;
}

void ock_best_write(struct ock_jsonw *w, const char *key, const struct ock_best *best)
{
    if (best->epoch == 0) {
        ock_jsonw_null(w, key);
        return;
    }
    ock_jsonw_object(w, key);
    ock_jsonw_uint(w, "epoch", best->epoch);
    ock_jsonw_string(w, "metric", ock_metric_name(best->metric));
    ock_jsonw_double(w, "value", best->value);
    ock_jsonw_end_object(w);
}
