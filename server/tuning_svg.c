/* The picture of a tuning table: mean validation loss over the strength of the penalty.
 *
 * It is drawn for a page of a paper:
 *
 *      name of the job
 *      how it was made, and what was chosen
 *                  non-zero weights
 *       12        10         7        3     <- of the curve with the choice
 *      +-----------+----------+---------+
 *      |       min |          | 1se     |   <- the choices; their names have a strip of their own
 *    y |   \_______|__________|____/    |   <- validation, error bars; training, muted
 *      |                x               |   <- a strip for what failed
 *      +--+-----------------------------+
 *         0 //  0.001     0.01     0.1
 *                   l2 (lambda)
 *      legend
 *
 * Pixels have one decimal: more cannot be seen. */
#include "server/tuning_svg.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { TOP_LABEL_GAP = 58, FOOT = 18 };

/* --- Texts ------------------------------------------------------------------------------------- */

static void write_folds(const struct ock_tuning *tuning, struct ock_buf *out)
{
    if (tuning->folds > 1)
        ock_buf_printf(out, "%zu-fold cross-validation", tuning->folds);
    else
        ock_buf_puts(out, "one validation split");
}

static bool has_ended(const struct ock_tuning *tuning)
{
    return strcmp(tuning->status, "succeeded") == 0 || strcmp(tuning->status, "failed") == 0 ||
           strcmp(tuning->status, "cancelled") == 0;
}

/* "5-fold cross-validation · 16 strengths · 1se chose l2 = 0.0251" */
static void write_summary(const struct ock_plot *plot, const char *dot, struct ock_buf *out)
{
    const struct ock_tuning *tuning = plot->tuning;
    char text[OCK_SERIES_TEXT_SIZE];
    write_folds(tuning, out);
    if (tuning->trials_total > tuning->trial_count)
        ock_buf_printf(out, "%s%zu of %zu strengths%s", dot, tuning->trial_count,
                       tuning->trials_total, has_ended(tuning) ? "" : " so far");
    else
        ock_buf_printf(out, "%s%zu strength%s", dot, tuning->trial_count,
                       tuning->trial_count == 1 ? "" : "s");
    if (tuning->chosen < tuning->trial_count) {
        ock_plot_trial_text(plot, tuning->chosen, text);
        ock_buf_printf(out, "%s%s chose %s", dot, strcmp(tuning->rule, "min") == 0 ? "min" : "1se",
                       text);
    }
}

/* One sentence for those who cannot see the picture. */
static void write_description(const struct ock_plot *plot, struct ock_buf *out)
{
    const struct ock_tuning *tuning = plot->tuning;
    char text[OCK_SERIES_TEXT_SIZE];
    ock_buf_printf(out, "Mean validation data_loss over %s. ", ock_strength_name(plot->along));
    write_summary(plot, ", ", out);
    ock_buf_puts(out, ".");
    if (tuning->min < tuning->trial_count) {
        ock_plot_trial_text(plot, tuning->min, text);
        ock_buf_printf(out, " The least is %.4g, at %s.",
                       tuning->trials[tuning->min].mean_data_loss, text);
    }
    if (tuning->one_se < tuning->trial_count) {
        ock_plot_trial_text(plot, tuning->one_se, text);
        ock_buf_printf(out, " Within one standard error the strongest has %.4g, at %s.",
                       tuning->trials[tuning->one_se].mean_data_loss, text);
    }
}

static void write_head(const struct ock_plot *plot, const char *name, double height,
                       struct ock_buf *out)
{
    ock_svg_begin(out, height, "How strong? ", name);
    write_description(plot, out);
    ock_svg_heading(out, height, OCK_PLOT_LEFT, name);
    write_summary(plot, " · ", out);
    ock_svg_heading_end(out);
}

/* --- Axes -------------------------------------------------------------------------------------- */

/* 0's own place: a tick, and two strokes that break the axis behind it. */
static void write_zero(const struct ock_plot *plot, struct ock_buf *out)
{
    double x = plot->x.zero_at, gap = x + OCK_PLOT_ZERO / 2.0;
    ock_buf_printf(out,
                   "<path class=\"axis\" d=\"M%.1f %dv6M%.1f %dl6 -10M%.1f %dl6 -10\"/>"
                   "<text class=\"small\" text-anchor=\"middle\" x=\"%.1f\" y=\"%d\">0</text>\n",
                   x, OCK_PLOT_BOTTOM, gap - 6, OCK_PLOT_BOTTOM + 5, gap, OCK_PLOT_BOTTOM + 5, x,
                   OCK_PLOT_BOTTOM + 19);
}

static void write_x_axis(const struct ock_plot *plot, struct ock_buf *out)
{
    static const char *const titles[OCK_STRENGTH_COUNT] = {"l1 (alpha)", "l2 (lambda)",
                                                           "weight_decay", "dropout"};
    struct ock_tick ticks[OCK_TICKS_MAX];
    size_t count = plot->tuning->trial_count > 0 ? ock_axis_ticks(&plot->x, ticks) : 0;
    bool nothing = plot->x.low == -1 && !plot->x.log; /* 0 alone */
    for (size_t i = 0; i < count; i++)
        if (!nothing || ticks[i].value == 0.0)
            ock_svg_x_tick(out, &ock_plot_frame, ock_axis_at(&plot->x, ticks[i].value), &ticks[i]);
    if (plot->has_zero)
        write_zero(plot, out);
    ock_svg_x_title(out, &ock_plot_frame, titles[plot->along]);
}

/* 9034, 18.2k, 1.3M: at most five characters. */
static void write_count(double value, struct ock_buf *out)
{
    if (value < 9999.5)
        ock_buf_printf(out, "%.0f", value);
    else if (value < 999950)
        ock_buf_printf(out, "%.*fk", value < 99950 ? 1 : 0, value / 1e3);
    else
        ock_buf_printf(out, "%.*fM", value < 99.95e6 ? 1 : 0, value / 1e6);
}

static double non_zero(const struct ock_plot *plot, const struct ock_plot_point *point)
{
    const struct ock_tuning_trial *trial = &plot->tuning->trials[point->trial];
    return trial->status == OCK_TRIAL_FAILED ? (double)NAN : trial->count - trial->zeros;
}

/* The one number of weights that are not zero, at all of these points; NaN: they differ. */
static double same_non_zero(const struct ock_plot *plot, const struct ock_plot_series *series)
{
    double same = (double)NAN;
    for (size_t i = 0; i < series->count; i++) {
        double weights = non_zero(plot, &plot->points[series->first + i]);
        if (!isnan(same) && !isnan(weights) && weights != same)
            return (double)NAN;
        same = isnan(weights) ? same : weights;
    }
    return same;
}

/* The numbers of weights that are not zero, where there is room for one. False: there are none. */
static bool write_top_ticks(const struct ock_plot *plot, const struct ock_plot_series *series,
                            struct ock_buf *out)
{
    double last = -HUGE_VAL;
    for (size_t i = 0; i < series->count; i++) {
        const struct ock_plot_point *point = &plot->points[series->first + i];
        double x = ock_axis_at(&plot->x, point->along), weights = non_zero(plot, point);
        if (isnan(weights) || x - last < TOP_LABEL_GAP)
            continue;
        ock_buf_printf(out,
                       "<path class=\"axis\" d=\"M%.1f %dv-5\"/>"
                       "<text class=\"small\" text-anchor=\"middle\" x=\"%.1f\" y=\"%d\">",
                       x, OCK_PLOT_TOP, x, OCK_PLOT_TOP - 10);
        write_count(weights, out);
        ock_buf_puts(out, "</text>\n");
        last = x;
    }
    return last > -HUGE_VAL;
}

/* Of the leading series. Where all its numbers are one, as they are without L1, a sentence says it. */
static void write_top_axis(const struct ock_plot *plot, struct ock_buf *out)
{
    char text[OCK_SERIES_TEXT_SIZE];
    if (plot->series_count == 0)
        return;
    const struct ock_plot_series *series = &plot->series[plot->lead];
    double same = same_non_zero(plot, series);
    if (isnan(same) && !write_top_ticks(plot, series, out))
        return;
    ock_plot_series_text(plot, plot->lead, text);
    ock_buf_printf(out, "<text class=\"small soft\" text-anchor=\"middle\" x=\"%d\" y=\"%d\">",
                   (OCK_PLOT_LEFT + OCK_PLOT_RIGHT) / 2, OCK_PLOT_TOP - (isnan(same) ? 27 : 12));
    if (isnan(same)) {
        ock_buf_puts(out, "non-zero weights");
    } else {
        write_count(same, out);
        ock_buf_printf(out, " non-zero weights at every strength");
    }
    ock_buf_printf(out, "%s%s</text>\n", *text ? ", for " : "", text);
}

static void write_nothing(const struct ock_plot *plot, struct ock_buf *out)
{
    ock_buf_printf(out, "<text class=\"soft\" text-anchor=\"middle\" x=\"%d\" y=\"%d\">%s</text>\n",
                   (OCK_PLOT_LEFT + OCK_PLOT_RIGHT) / 2, (OCK_PLOT_TOP + OCK_PLOT_BOTTOM) / 2,
                   plot->tuning->trial_count > 0 ? "no strength has succeeded"
                                                 : "no strength has been tried yet");
}

enum ock_status ock_tuning_svg(const struct ock_tuning *tuning, const char *name,
                               struct ock_buf *out, struct ock_err *err)
{
    struct ock_plot plot;
    struct ock_buf body; /* the head says how high all of it is */
    enum ock_status status = ock_plot_make(&plot, tuning, err);
    if (status != OCK_OK)
        return status;
    ock_buf_init(&body, out->size_max);
    ock_svg_y_axis(&body, &ock_plot_frame, plot.has_range ? &plot.y : NULL, "validation data_loss");
    write_x_axis(&plot, &body);
    write_top_axis(&plot, &body);
    if (!plot.has_range)
        write_nothing(&plot, &body);
    ock_svg_choices(&plot, &body);
    ock_svg_curves(&plot, &body);
    ock_svg_outline(&body, &ock_plot_frame);
    double end = ock_svg_legend(&plot, OCK_PLOT_BOTTOM + 68, &body);
    status = ock_buf_status(&body, err);
    if (status == OCK_OK) {
        write_head(&plot, name, end + FOOT, out);
        ock_buf_add(out, body.data, body.size);
        ock_svg_end(out);
        status = ock_buf_status(out, err);
    }
    ock_buf_deinit(&body);
    ock_plot_deinit(&plot);
    return status;
}
