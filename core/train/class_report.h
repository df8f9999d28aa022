/* How well classes are told apart on some rows: confusion, per class figures, averages. All sums are
 * weighted by the rows' s, in double, in the rows' order. */
#ifndef OCK_TRAIN_CLASS_REPORT_H
#define OCK_TRAIN_CLASS_REPORT_H

#include "core/base/jsonw.h"
#include "core/train/auc.h"
#include "core/train/confusion.h"

struct ock_class_report {
    size_t classes;
    const char *const *names; /* [classes], borrowed */
    size_t rows;
    double weight, right, loss, brier;
    double *support, *predicted, *correct; /* [classes], one allocation, owned by support */
    struct ock_confusion confusion;
    struct ock_auc *auc; /* of two classes only the second has a column */
};

/* A row: its weight, true class, prediction, loss, and what the model thinks of each class. */
struct ock_class_row {
    double s;
    uint32_t label, predicted;
    double loss;
    const float *p; /* [classes] */
};

/* Errors: NOMEM. */
enum ock_status ock_class_report_init(struct ock_class_report *out, size_t rows, size_t classes,
                                      const char *const *names, struct ock_err *err);
void ock_class_report_deinit(struct ock_class_report *report); /* all-zero: a no-op */
size_t ock_class_report_bytes(size_t rows, size_t classes);

void ock_class_report_add(struct ock_class_report *report, const struct ock_class_row *row);
/* The members of the document `evaluation`, docs/evaluation.md. */
void ock_class_report_write(struct ock_class_report *report, struct ock_jsonw *w);

#endif
