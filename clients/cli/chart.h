/* Loss curves in front of a person: training and validation data_loss over the epochs, the best one
 * marked. `watch --chart` draws them over themselves while the job runs, `show --chart` once. */
#ifndef OCK_CLI_CHART_H
#define OCK_CLI_CHART_H

#include <cjson/cJSON.h>

#include "clients/cli/cli.h"

struct cli_chart {
    size_t count, capacity;
    double *epoch, *train, *validation; /* [capacity] owned; NaN: no number */
    double epochs;                      /* planned; NaN: not known */
    double best;                        /* the best epoch; NaN: none */
    double at_work, fraction; /* the epoch at work, how much of it is done; NaN: not told */
    double eta_s;             /* NaN: not known */
    bool has_validation;
    bool failed; /* out of memory: curves end where it was */
    /* What stands on the terminal: lines that the next drawing goes over, and the size it had. */
    size_t drawn, drawn_columns, drawn_lines;
    double drawn_s; /* when, on the monotonic clock */
};

void cli_chart_init(struct cli_chart *chart);
void cli_chart_deinit(struct cli_chart *chart);

/* One more epoch; NaN: no number. */
void cli_chart_add(struct cli_chart *chart, double epoch, double train, double validation);
/* Takes an `epoch` event, or the fraction out of a `progress` event. */
void cli_chart_epoch(struct cli_chart *chart, const cJSON *event);
void cli_chart_progress(struct cli_chart *chart, const cJSON *event);

/* --- chart.c: what it looks like --------------------------------------------------------------- */

/* Appends the chart, none of its lines wider than `columns`, not more than `lines` of them (as far
 * as there is room at all). status: with a last line that says how far the job is. Returns how many
 * lines there are; 0: no memory. */
size_t cli_chart_write(const struct cli_chart *chart, const struct cli_term *term, size_t columns,
                       size_t lines, bool status, struct ock_buf *out);

/* --- chart_live.c: on a terminal ---------------------------------------------------------------- */

/* Draws over what was drawn before, at the terminal's size; unless `now`, not more often than ten
 * times a second. Where stdout is no terminal: a no-op. */
void cli_chart_draw(struct cli_chart *chart, const struct cli_term *term, bool now);
/* Takes the drawing off the terminal, so that something else can be written. */
void cli_chart_hide(struct cli_chart *chart);
/* Draws it for good, without the status, also where stdout is no terminal. */
void cli_chart_close(struct cli_chart *chart, const struct cli_term *term);
/* Draws again if the terminal has another size. */
void cli_chart_fit(struct cli_chart *chart, const struct cli_term *term);

#endif
