/* A job's curves over its epochs as a picture: numbers in, SVG out. */
#ifndef OCK_SERVER_CHART_H
#define OCK_SERVER_CHART_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/buf.h"
#include "core/base/status.h"
#include "server/store.h"

enum ock_chart_line {
    OCK_CHART_TRAIN_LOSS,
    OCK_CHART_VALID_LOSS,
    OCK_CHART_TRAIN_SCORE, /* accuracy of classes, RMSE of numbers */
    OCK_CHART_VALID_SCORE,
    OCK_CHART_PENALTY,
    OCK_CHART_LR,
    OCK_CHART_LINES,
};

/* All texts and numbers are borrowed. */
struct ock_chart {
    const char *id;
    const char *name;   /* UTF-8; whatever it holds, the picture is well-formed XML */
    const char *status; /* "running", … */
    const char *reason; /* why it ended; NULL: it has not, or for no reason */
    bool ended;
    bool search;        /* has a tune section: its epochs are the refit's */
    bool numbers;       /* the score is an RMSE, not an accuracy */
    double epochs;      /* planned */
    double best;        /* the best epoch; NaN: none */
    double best_value;  /* of its metric; may be NaN */
    const char *metric; /* that chose it; NULL: none */
    size_t count;
    const double *epoch;                  /* [count], ascending */
    const double *lines[OCK_CHART_LINES]; /* [count] each, NaN: no number; NULL: no such curve */
};

/* Appends the picture (server/chart_svg.c says how). Errors: NOMEM, LIMIT. */
enum ock_status ock_chart_svg(const struct ock_chart *chart, struct ock_buf *out,
                              struct ock_err *err);

/* chart_read.c: appends the picture of a job in the store, of at most `points` epochs. Errors:
 * NOTFOUND (no such job), and those of the store. */
enum ock_status ock_chart_read(struct ock_db *db, const char *id, size_t points,
                               struct ock_buf *out, struct ock_err *err);

#endif
