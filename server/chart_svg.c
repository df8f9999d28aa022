/* The picture of a job's curves, on the axes of the tuning picture (tuning_svg.c):
 *
 *      name of the job
 *      how far it is, and what was best so far
 *       lr 0.1                lr 0.05     <- where the learning rate changed
 *      +----------------------------------+
 *    l | \     best: epoch 7              |
 *    o |  \_______|____..----             |   <- validation
 *    s |    ~~~~~~|~~~~~~~~~~~~~          |   <- training
 *    s |          |          x            |   <- a strip for what is not finite
 *      +----------------------------------+
 *      | accuracy or rmse                 |
 *      +----------------------------------+
 *      | penalty, if there is one         |
 *      +----------------------------------+
 *               5          10        15
 *                       epoch
 *      legend
 *
 * Pixels have one decimal: more cannot be seen. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "server/chart_plot.h"

enum { FOOT = 18, LEGEND_APART = 68, DOTS_MAX = 60, CROSS_APART = 8, LABEL_APART = 5 };
enum { RATE_CHARACTER = 6, FAR = 4000 };

/* --- Texts ------------------------------------------------------------------------------------- */

/* "running · epoch 7 of 20 · best: epoch 3, validation.data_loss 0.4473" */
static void write_summary(const struct ock_chart *chart, const char *dot, struct ock_buf *out)
{
    /* That all epochs are done, or that it was cancelled, has been said. */
    bool plain = !chart->reason || strcmp(chart->reason, "epochs") == 0 ||
                 strcmp(chart->reason, chart->status) == 0;
    ock_svg_escape(out, chart->status, 32);
    if (!plain) {
        ock_buf_puts(out, " (");
        ock_svg_escape(out, chart->reason, 32);
        ock_buf_puts(out, ")");
    }
    if (chart->count == 0)
        return;
    ock_buf_printf(out, "%sepoch %.0f", dot, chart->epoch[chart->count - 1]);
    if (chart->epochs > 0)
        ock_buf_printf(out, " of %.0f", chart->epochs);
    /* Without validation rows the best is the last. */
    bool last =
        !chart->lines[OCK_CHART_VALID_LOSS] && chart->best == chart->epoch[chart->count - 1];
    if (!isfinite(chart->best) || !chart->metric || last)
        return;
    ock_buf_printf(out, "%sbest: epoch %.0f, ", dot, chart->best);
    ock_svg_escape(out, chart->metric, 48);
    if (isfinite(chart->best_value))
        ock_buf_printf(out, " %.4g", chart->best_value);
}

static void write_last(const char *what, const double *values, size_t count, struct ock_buf *out)
{
    if (values && count > 0 && isfinite(values[count - 1]))
        ock_buf_printf(out, " The last %s is %.4g.", what, values[count - 1]);
}

static void write_description(const struct ock_chart *chart, struct ock_buf *out)
{
    ock_buf_printf(out, "%s over epochs. ",
                   chart->lines[OCK_CHART_VALID_LOSS] ? "Training and validation data_loss"
                                                      : "data_loss");
    write_summary(chart, ", ", out);
    ock_buf_puts(out, ".");
    write_last("training data_loss", chart->lines[OCK_CHART_TRAIN_LOSS], chart->count, out);
    write_last("validation data_loss", chart->lines[OCK_CHART_VALID_LOSS], chart->count, out);
}

static void write_nothing(const struct ock_chart_plot *plot, struct ock_buf *out)
{
    const struct ock_chart *chart = plot->chart;
    const struct ock_svg_frame *frame = &plot->panels[0].frame;
    const char *says = chart->ended ? "no epoch has ended" : "no epoch has ended yet";
    if (chart->count > 0)
        says = "no loss is finite";
    else if (chart->search)
        says = chart->ended ? "no model was trained with the strength that was chosen"
                            : "the search for the strength comes first";
    int x = (frame->left + frame->right) / 2, y = (frame->top + frame->bottom) / 2;
    ock_buf_printf(out, "<text class=\"soft\" text-anchor=\"middle\" x=\"%d\" y=\"%d\">%s</text>\n",
                   x, y, says);
    if (chart->count > 0 || !chart->search)
        return;
    ock_buf_printf(out,
                   "<text class=\"small soft\" text-anchor=\"middle\" x=\"%d\" y=\"%d\">"
                   "its picture: /v1/jobs/",
                   x, y + 21);
    ock_svg_escape(out, chart->id, 64);
    ock_buf_puts(out, "/tuning?format=svg</text>\n");
}

/* --- Curves ------------------------------------------------------------------------------------ */

static double x_of(const struct ock_chart_plot *plot, size_t i)
{
    return ock_axis_at(&plot->x, plot->chart->epoch[i]);
}

static double y_of(const struct ock_chart_panel *panel, double value)
{
    return fmin(fmax(ock_axis_at(&panel->y, value), -FAR), FAR);
}

static void write_line(const struct ock_chart_plot *plot, const struct ock_chart_panel *panel,
                       const double *values, const char *kind, struct ock_buf *out)
{
    char command = 'M';
    struct ock_svg_path path = ock_svg_path_begin(out, kind);
    for (size_t i = 0; i < plot->chart->count; i++) {
        if (!isfinite(values[i])) {
            command = 'M';
            continue;
        }
        ock_buf_printf(out, "%c%.1f %.1f", command, x_of(plot, i), y_of(panel, values[i]));
        command = 'L';
    }
    ock_svg_path_end(out, path);
}

/* A point between two gaps has no line. */
static bool is_alone(const double *values, size_t i, size_t count)
{
    bool before = i > 0 && isfinite(values[i - 1]);
    bool after = i + 1 < count && isfinite(values[i + 1]);
    return !before && !after;
}

/* All epochs of a short curve, with what a pointer that rests on them is told; of a long one those
 * that a line cannot show. */
static void write_dots(const struct ock_chart_plot *plot, const struct ock_chart_panel *panel,
                       const double *values, const char *kind, struct ock_buf *out)
{
    size_t count = plot->chart->count;
    double radius = count <= DOTS_MAX / 2 ? 3 : 2.2;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(values[i]) || (count > DOTS_MAX && !is_alone(values, i, count)))
            continue;
        ock_buf_printf(out,
                       "<circle class=\"%s dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\">"
                       "<title>epoch %.0f: %.4g</title></circle>\n",
                       kind, x_of(plot, i), y_of(panel, values[i]), radius, plot->chart->epoch[i],
                       values[i]);
    }
}

static void write_curve(const struct ock_chart_plot *plot, const struct ock_chart_panel *panel,
                        const double *values, const char *kind, struct ock_buf *out)
{
    char line[32];
    if (!values)
        return;
    (void)snprintf(line, sizeof(line), "%s line", kind);
    write_line(plot, panel, values, line, out);
    write_dots(plot, panel, values, kind, out);
}

static void write_ring(const struct ock_chart_plot *plot, const struct ock_chart_panel *panel,
                       struct ock_buf *out)
{
    const double *values = panel->validation ? panel->validation : panel->train;
    if (plot->best < plot->chart->count && values && isfinite(values[plot->best]))
        ock_buf_printf(out, "<circle class=\"ring\" cx=\"%.1f\" cy=\"%.1f\" r=\"5.2\"/>\n",
                       x_of(plot, plot->best), y_of(panel, values[plot->best]));
}

static void write_panel(const struct ock_chart_plot *plot, size_t number, struct ock_buf *out)
{
    const struct ock_chart_panel *panel = &plot->panels[number];
    bool penalty = panel->train && panel->train == plot->chart->lines[OCK_CHART_PENALTY];
    char id[32];
    ock_svg_y_axis(out, &panel->frame, panel->has_range ? &panel->y : NULL, panel->title);
    if (plot->best < plot->chart->count)
        ock_buf_printf(out, "<path class=\"choice\" d=\"M%.1f %dV%d\"/>\n", x_of(plot, plot->best),
                       panel->frame.top, panel->frame.bottom);
    if (panel->has_range) {
        (void)snprintf(id, sizeof(id), "ock-panel-%zu", number);
        ock_svg_clip(out, &panel->frame, id);
        write_curve(plot, panel, panel->train, penalty ? "s7" : "s5", out);
        write_curve(plot, panel, panel->validation, "s0", out);
        if (!penalty)
            write_ring(plot, panel, out);
        ock_svg_clip_end(out);
    }
    ock_svg_outline(out, &panel->frame);
}

/* --- Marks ------------------------------------------------------------------------------------- */

static void write_best(const struct ock_chart_plot *plot, struct ock_buf *out)
{
    const struct ock_svg_frame *frame = &plot->panels[0].frame;
    if (plot->best == plot->chart->count)
        return;
    double x = x_of(plot, plot->best);
    bool left = x > (frame->left + frame->right) / 2.0;
    ock_buf_printf(out,
                   "<text class=\"small bold\" text-anchor=\"%s\" x=\"%.1f\" y=\"%d\">"
                   "best: epoch %.0f</text>\n",
                   left ? "end" : "start", x + (left ? -LABEL_APART : LABEL_APART), frame->top + 16,
                   plot->chart->best);
}

/* Epochs that are not finite, as crosses at the floor, as many as have room side by side. */
static void write_crosses(const struct ock_chart_plot *plot, struct ock_buf *out)
{
    double last = -HUGE_VAL;
    for (size_t i = 0; i < plot->chart->count && plot->nonfinite > 0; i++) {
        double x = x_of(plot, i);
        if (!ock_chart_is_broken(plot->chart, i) || x - last < CROSS_APART)
            continue;
        ock_buf_printf(out, "<path class=\"fail\" d=\"M%.1f %dl7 7m0 -7l-7 7\"/>\n", x - 3.5,
                       plot->panels[0].frame.bottom - 15);
        last = x;
    }
}

/* One learning rate above the frame, if it does not meet the last one's text. */
static double write_rate(const struct ock_chart_plot *plot, size_t i, bool first, double free_from,
                         struct ock_buf *out)
{
    char text[OCK_TICK_TEXT_SIZE + 8];
    const struct ock_svg_frame *frame = &plot->panels[0].frame;
    double x = first ? frame->left : x_of(plot, i);
    (void)snprintf(text, sizeof(text), "lr %.3g", plot->chart->lines[OCK_CHART_LR][i]);
    double half = first ? 0 : RATE_CHARACTER * (double)strlen(text) / 2;
    if (!first)
        ock_buf_printf(out, "<path class=\"axis\" d=\"M%.1f %dv-5\"/>\n", x, frame->top);
    if (x - half < free_from || x + half > frame->right + 20)
        return free_from;
    ock_buf_printf(out,
                   "<text class=\"small soft\" text-anchor=\"%s\" x=\"%.1f\" y=\"%d\">%s</text>\n",
                   first ? "start" : "middle", x, frame->top - 9, text);
    return x + RATE_CHARACTER * (double)strlen(text) - half + LABEL_APART;
}

static void write_rates(const struct ock_chart_plot *plot, struct ock_buf *out)
{
    if (plot->rate_count == 0)
        return;
    double free_from = write_rate(plot, 0, true, 0, out);
    for (size_t k = 0; k < plot->rate_count; k++)
        free_from = write_rate(plot, plot->rates[k], false, free_from, out);
}

/* Whole epochs alone. */
static void write_x_axis(const struct ock_chart_plot *plot, struct ock_buf *out)
{
    struct ock_tick ticks[OCK_TICKS_MAX];
    const struct ock_svg_frame *frame = &plot->panels[plot->panel_count - 1].frame;
    size_t count = plot->chart->count > 0 ? ock_axis_ticks(&plot->x, ticks) : 0;
    for (size_t i = 0; i < count; i++) {
        double epoch = round(ticks[i].value);
        if (fabs(ticks[i].value - epoch) > 1e-6)
            continue;
        if (epoch < 1e6)
            (void)snprintf(ticks[i].text, sizeof(ticks[i].text), "%.0f", epoch);
        ock_svg_x_tick(out, frame, ock_axis_at(&plot->x, ticks[i].value), &ticks[i]);
    }
    ock_svg_x_title(out, frame, "epoch");
}

static double write_legend(const struct ock_chart_plot *plot, struct ock_buf *out)
{
    char text[64];
    const struct ock_svg_frame *frame = &plot->panels[plot->panel_count - 1].frame;
    struct ock_svg_legend legend = ock_svg_legend_make(out, frame, frame->bottom + LEGEND_APART);
    const double *const *lines = plot->chart->lines;
    if (lines[OCK_CHART_TRAIN_LOSS])
        ock_svg_legend_add(&legend, "<path class=\"s5 line\" d=\"M0 -4h22\"/>", "training");
    if (lines[OCK_CHART_VALID_LOSS])
        ock_svg_legend_add(&legend, "<path class=\"s0 line\" d=\"M0 -4h22\"/>", "validation");
    if (lines[OCK_CHART_PENALTY])
        ock_svg_legend_add(&legend, "<path class=\"s7 line\" d=\"M0 -4h22\"/>",
                           "penalty (L1 + L2)");
    (void)snprintf(text, sizeof(text), "not finite (%zu)", plot->nonfinite);
    if (plot->nonfinite > 0)
        ock_svg_legend_add(&legend, "<path class=\"fail\" d=\"M7 -8l7 7m0 -7l-7 7\"/>", text);
    return legend.y;
}

enum ock_status ock_chart_svg(const struct ock_chart *chart, struct ock_buf *out,
                              struct ock_err *err)
{
    struct ock_buf body; /* the head says how high all of it is */
    struct ock_chart_plot plot = ock_chart_plot_make(chart);
    ock_buf_init(&body, out->size_max);
    for (size_t i = 0; i < plot.panel_count; i++)
        write_panel(&plot, i, &body);
    if (!plot.panels[0].has_range)
        write_nothing(&plot, &body);
    write_best(&plot, &body);
    write_crosses(&plot, &body);
    write_rates(&plot, &body);
    write_x_axis(&plot, &body);
    double height = write_legend(&plot, &body) + FOOT;
    enum ock_status status = ock_buf_status(&body, err);
    if (status == OCK_OK) {
        ock_svg_begin(out, height, "Learning curves: ", chart->name);
        write_description(chart, out);
        ock_svg_heading(out, height, plot.panels[0].frame.left, chart->name);
        write_summary(chart, " · ", out);
        ock_svg_heading_end(out);
        ock_buf_add(out, body.data, body.size);
        ock_svg_end(out);
        status = ock_buf_status(out, err);
    }
    ock_buf_deinit(&body);
    return status;
}
