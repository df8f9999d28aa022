/* A job's events in front of a person: a table row an epoch, a progress line within long ones,
 * warnings as lines, and at the end what regularization did. `train` and `watch` share it. */
#ifndef OCK_CLI_VIEW_H
#define OCK_CLI_VIEW_H

#include <cjson/cJSON.h>

#include "clients/cli/chart.h"
#include "clients/cli/cli.h"
#include "clients/cli/trials.h"

enum { CLI_VIEW_COLUMNS_MAX = 9 };

struct cli_view {
    struct cli_term term;
    double epochs;  /* the job's, 0 while unknown */
    bool line_open; /* the cursor stands behind a line that will be rewritten */
    bool header_shown;
    bool has_validation; /* of the epoch that the header was made for */
    bool has_accuracy;
    size_t column_count;
    size_t columns[CLI_VIEW_COLUMNS_MAX]; /* indices into view.c's list */
    double row_time_s;                    /* when the last row was printed (monotonic clock) */
    cJSON *best, *last; /* owned; the epoch events of the best and of the last epoch */
    cJSON *end;         /* owned; the end event */
    struct cli_trials trials;
    bool as_chart; /* epochs are curves, not rows; the caller's to set before the first event */
    struct cli_chart chart;
};

void cli_view_init(struct cli_view *view, double epochs);
void cli_view_deinit(struct cli_view *view);

/* Shows one event object (API.md, Events). Types that are not known are passed over. */
void cli_view_event(struct cli_view *view, const cJSON *event);

/* The closing lines, after the end event. model_path is where the model was written, NULL: nowhere;
 * then `hint` (or NULL) says how to get it. */
void cli_view_close(struct cli_view *view, const char *model_path, const char *hint);

/* What is drawn over itself is drawn again, if the terminal has another size. */
void cli_view_fit(struct cli_view *view);

/* Ends a line that was to be rewritten, before something else writes. */
void cli_view_break(struct cli_view *view);

/* --- closing.c ---------------------------------------------------------------------------------
 */

void cli_closing_print(const struct cli_view *view, const char *model_path, const char *hint);

#endif
