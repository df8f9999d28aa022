/* precision = right / predicted, recall = right / support, F1 = 2 right / (support + predicted). */
#include "core/train/class_report.h"

#include <math.h>
#include <stdlib.h>

/* A class takes up to 400 bytes of text, and a document has 8 MiB. */
enum { CLASSES_WRITTEN_MAX = 20000 };

static size_t columns_of(size_t classes)
{
    return classes == 2 ? 1 : classes;
}

size_t ock_class_report_bytes(size_t rows, size_t classes)
{
    return 3 * classes * sizeof(double) + ock_confusion_bytes(classes) +
           ock_auc_bytes(rows, columns_of(classes));
}

enum ock_status ock_class_report_init(struct ock_class_report *out, size_t rows, size_t classes,
                                      const char *const *names, struct ock_err *err)
{
    struct ock_class_report report = {.classes = classes, .names = names};
    report.support = calloc(3 * classes, sizeof(*report.support));
    enum ock_status status =
        report.support ? OCK_OK : ock_fail(err, OCK_NOMEM, "no memory for a report on classes");
    if (status == OCK_OK)
        status = ock_confusion_init(&report.confusion, classes, err);
    if (status == OCK_OK)
        status = ock_auc_new(&report.auc, rows, columns_of(classes), err);
    if (status != OCK_OK) {
        ock_class_report_deinit(&report);
        return status;
    }
    report.predicted = report.support + classes;
    report.correct = report.predicted + classes;
    *out = report;
    return OCK_OK;
}

void ock_class_report_deinit(struct ock_class_report *report)
{
    free(report->support);
    ock_confusion_deinit(&report->confusion);
    ock_auc_free(report->auc);
    *report = (struct ock_class_report){0};
}

void ock_class_report_add(struct ock_class_report *report, const struct ock_class_row *row)
{
    bool is_right = row->label == row->predicted;
    report->rows++;
    report->weight += row->s;
    report->right += is_right ? row->s : 0;
    report->loss += row->s * row->loss;
    report->support[row->label] += row->s;
    report->predicted[row->predicted] += row->s;
    report->correct[row->label] += is_right ? row->s : 0;
    ock_confusion_add(&report->confusion, row->label, row->predicted, row->s);
    if (report->classes == 2) {
        double miss = (double)row->p[1] - row->label;
        report->brier += row->s * (miss * miss);
        ock_auc_add(report->auc, row->p + 1, row->label == 1 ? 0 : -1, (float)row->s);
    } else {
        ock_auc_add(report->auc, row->p, (int32_t)row->label, (float)row->s);
    }
}

/* --- Writing ----------------------------------------------------------------------------------- */

struct figures {
    double precision, recall, f1, auc;
};

/* Of two classes the curve of the one is that of the other, turned around. */
static struct figures figures_of(struct ock_class_report *report, size_t k)
{
    double support = report->support[k], predicted = report->predicted[k];
    double correct = report->correct[k];
    return (struct figures){.precision = predicted > 0 ? correct / predicted : (double)NAN,
                            .recall = support > 0 ? correct / support : (double)NAN,
                            .f1 = support + predicted > 0 ? 2 * correct / (support + predicted)
                                                          : (double)NAN,
                            .auc = ock_auc_of(report->auc, report->classes == 2 ? 0 : k)};
}

static void write_figures(struct ock_jsonw *w, const struct figures *figures)
{
    ock_jsonw_double(w, "precision", figures->precision);
    ock_jsonw_double(w, "recall", figures->recall);
    ock_jsonw_double(w, "f1", figures->f1);
    ock_jsonw_double(w, "auc", figures->auc);
}

/* Means over the classes that there are rows of; a class that is never predicted has precision 0. */
struct means {
    struct figures sum;
    size_t classes, curves;
};

static void add_to_means(struct means *means, const struct figures *figures)
{
    if (isnan(figures->recall))
        return;
    means->classes++;
    means->sum.precision += isnan(figures->precision) ? 0 : figures->precision;
    means->sum.recall += figures->recall;
    means->sum.f1 += figures->f1;
    if (isnan(figures->auc))
        return;
    means->curves++;
    means->sum.auc += figures->auc;
}

static void write_means(struct ock_jsonw *w, const struct means *means)
{
    double n = (double)means->classes;
    struct figures figures = {means->sum.precision / n, means->sum.recall / n, means->sum.f1 / n,
                              means->sum.auc / (double)means->curves};
    ock_jsonw_object(w, "macro");
    write_figures(w, &figures);
    ock_jsonw_end_object(w);
}

static void write_classes(struct ock_class_report *report, struct ock_jsonw *w, struct means *means)
{
    ock_jsonw_array(w, "classes");
    for (size_t k = 0; k < report->classes; k++) {
        struct figures figures = figures_of(report, k);
        add_to_means(means, &figures);
        if (k >= CLASSES_WRITTEN_MAX)
            continue;
        ock_jsonw_object(w, NULL);
        ock_jsonw_string(w, "name", report->names[k]);
        ock_jsonw_double(w, "support", report->support[k]);
        ock_jsonw_double(w, "predicted", report->predicted[k]);
        write_figures(w, &figures);
        ock_jsonw_end_object(w);
    }
    ock_jsonw_end_array(w);
    if (report->classes > CLASSES_WRITTEN_MAX)
        ock_jsonw_uint(w, "classes_left_off", report->classes - CLASSES_WRITTEN_MAX);
}

/* The second class is the positive one, predicted above a probability of 1/2. */
static void write_binary(struct ock_class_report *report, struct ock_jsonw *w)
{
    struct figures figures = figures_of(report, 1);
    ock_jsonw_object(w, "binary");
    ock_jsonw_string(w, "positive", report->names[1]);
    ock_jsonw_double(w, "threshold", 0.5);
    write_figures(w, &figures);
    ock_jsonw_double(w, "log_loss", report->loss / report->weight);
    ock_jsonw_double(w, "brier", report->brier / report->weight);
    ock_jsonw_end_object(w);
}

static void write_matrix(const struct ock_class_report *report, struct ock_jsonw *w)
{
    const double *cell = report->confusion.matrix;
    ock_jsonw_array(w, "confusion");
    for (size_t label = 0; label < report->classes; label++) {
        ock_jsonw_array(w, NULL);
        for (size_t k = 0; k < report->classes; k++)
            ock_jsonw_double(w, NULL, *cell++);
        ock_jsonw_end_array(w);
    }
    ock_jsonw_end_array(w);
}

static void write_mistakes(struct ock_class_report *report, struct ock_jsonw *w)
{
    size_t count = ock_confusion_top(&report->confusion);
    ock_jsonw_array(w, "mistakes");
    for (size_t i = 0; i < count; i++) {
        const struct ock_mistake *mistake = &report->confusion.mistakes[i];
        ock_jsonw_object(w, NULL);
        ock_jsonw_string(w, "true", report->names[mistake->label]);
        ock_jsonw_string(w, "predicted", report->names[mistake->predicted]);
        ock_jsonw_double(w, "weight", mistake->weight);
        ock_jsonw_end_object(w);
    }
    ock_jsonw_end_array(w);
}

void ock_class_report_write(struct ock_class_report *report, struct ock_jsonw *w)
{
    struct means means = {0};
    ock_jsonw_uint(w, "rows", report->rows);
    ock_jsonw_double(w, "weight", report->weight);
    ock_jsonw_double(w, "data_loss", report->loss / report->weight);
    ock_jsonw_double(w, "accuracy", report->right / report->weight);
    if (report->confusion.matrix)
        write_matrix(report, w);
    else
        write_mistakes(report, w);
    write_classes(report, w, &means);
    write_means(w, &means);
    if (report->classes == 2)
        write_binary(report, w);
    ock_jsonw_bool(w, "approximate",
                   ock_auc_is_approximate(report->auc) || report->confusion.approximate);
}
