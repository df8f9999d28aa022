/* How far a number's predictions lie from the truth: errors, quantiles, histogram, the worst rows.
 * A residual is the prediction less the truth, in the target's own unit. */
#ifndef OCK_TRAIN_RESIDUAL_REPORT_H
#define OCK_TRAIN_RESIDUAL_REPORT_H

#include "core/base/jsonw.h"
#include "core/base/status.h"

enum { OCK_RESIDUALS_MAX = 1000000, OCK_RESIDUALS_WORST = 10 };

/* A row, and the number that it has in its dataset (from 0). */
struct ock_residual_row {
    double s, truth, prediction;
    uint32_t number;
};

struct ock_residual_item {
    double residual, s;
};

struct ock_residual_report {
    size_t room, rows;
    double weight, squares, absolute;
    double shift, target, target2; /* for r2 */
    double min, max;
    /* Up to OCK_RESIDUALS_MAX rows are kept and sorted: exact. Beyond, weights are counted in bins on
     * a logarithmic scale, a 128th of a residual wide. */
    struct ock_residual_item *items; /* [room], or NULL: */
    double *bins;                    /* [65536] */
    size_t worst_count;
    struct ock_residual_row worst[OCK_RESIDUALS_WORST]; /* the largest |residual| first */
};

/* Errors: NOMEM. */
enum ock_status ock_residual_report_init(struct ock_residual_report *out, size_t rows,
                                         struct ock_err *err);
void ock_residual_report_deinit(struct ock_residual_report *report); /* all-zero: a no-op */
size_t ock_residual_report_bytes(size_t rows);

/* No more than `rows`. */
void ock_residual_report_add(struct ock_residual_report *report,
                             const struct ock_residual_row *row);
/* The members of the document `evaluation`, docs/evaluation.md. */
void ock_residual_report_write(struct ock_residual_report *report, struct ock_jsonw *w);

#endif
