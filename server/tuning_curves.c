/* What stands within the frame of a tuning picture: curves, error bars, trials, the choices. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "server/tuning_svg.h"

enum { LABEL_APART = 4 };

static const struct ock_tuning_trial *trial_of(const struct ock_plot *plot,
                                               const struct ock_plot_point *point)
{
    return &plot->tuning->trials[point->trial];
}

static double x_of(const struct ock_plot *plot, const struct ock_plot_point *point)
{
    return ock_axis_at(&plot->x, point->along);
}

/* Within the frame: a log axis has no place for what is not positive, or far below. */
static double y_of(const struct ock_plot *plot, double loss)
{
    return fmin(fmax(ock_axis_at(&plot->y, loss), OCK_PLOT_TOP), OCK_PLOT_BOTTOM);
}

/* A curve through the trials that succeeded: what failed leaves a gap, what ended early is passed
 * over, its loss being of fewer epochs. A trial between two gaps is a mark alone. */
static void write_line(const struct ock_plot *plot, const struct ock_plot_series *series,
                       bool training, const char *kind, struct ock_buf *out)
{
    char command = 'M';
    struct ock_svg_path path = ock_svg_path_begin(out, kind);
    for (size_t i = 0; i < series->count; i++) {
        const struct ock_plot_point *point = &plot->points[series->first + i];
        const struct ock_tuning_trial *trial = trial_of(plot, point);
        double loss = training ? trial->train_data_loss : trial->mean_data_loss;
        if (trial->status == OCK_TRIAL_ENDED)
            continue;
        if (trial->status == OCK_TRIAL_FAILED || isnan(loss)) {
            command = 'M';
            continue;
        }
        ock_buf_printf(out, "%c%.1f %.1f", command, x_of(plot, point), ock_axis_at(&plot->y, loss));
        command = plot->has_zero && !(point->along > 0) ? 'M' : 'L'; /* the axis breaks, too */
    }
    ock_svg_path_end(out, path);
}

static void write_training_dots(const struct ock_plot *plot, const struct ock_plot_series *series,
                                struct ock_buf *out)
{
    for (size_t i = 0; i < series->count; i++) {
        const struct ock_plot_point *point = &plot->points[series->first + i];
        const struct ock_tuning_trial *trial = trial_of(plot, point);
        double y = ock_axis_at(&plot->y, trial->train_data_loss);
        if (trial->status == OCK_TRIAL_SUCCEEDED && y <= OCK_PLOT_BOTTOM) /* not if NaN */
            ock_buf_printf(out, "<circle class=\"traindot\" cx=\"%.1f\" cy=\"%.1f\" r=\"2\"/>\n",
                           x_of(plot, point), y);
    }
}

static bool has_error(const struct ock_tuning_trial *trial)
{
    return trial->status != OCK_TRIAL_FAILED && !isnan(trial->standard_error);
}

static void write_bars(const struct ock_plot *plot, size_t number, struct ock_buf *out)
{
    const struct ock_plot_series *series = &plot->series[number];
    char kind[32];
    (void)snprintf(kind, sizeof(kind), "bar s%zu", number);
    struct ock_svg_path path = ock_svg_path_begin(out, kind);
    for (size_t i = 0; i < series->count; i++) {
        const struct ock_plot_point *point = &plot->points[series->first + i];
        const struct ock_tuning_trial *trial = trial_of(plot, point);
        if (!has_error(trial))
            continue;
        double x = x_of(plot, point);
        ock_buf_printf(out, "M%.1f %.1fh6m-3 0V%.1fm-3 0h6", x - 3,
                       y_of(plot, trial->mean_data_loss + trial->standard_error),
                       y_of(plot, trial->mean_data_loss - trial->standard_error));
    }
    ock_svg_path_end(out, path);
}

/* Error bars of so many trials that they would touch: one area for each run without a gap. */
static void write_band(const struct ock_plot *plot, size_t number, struct ock_buf *out)
{
    const struct ock_plot_series *series = &plot->series[number];
    const struct ock_plot_point *points = &plot->points[series->first];
    char kind[32];
    (void)snprintf(kind, sizeof(kind), "band s%zu", number);
    struct ock_svg_path path = ock_svg_path_begin(out, kind);
    for (size_t i = 0; i < series->count;) {
        size_t begin = i;
        for (; i < series->count && has_error(trial_of(plot, &points[i])); i++) {
            const struct ock_tuning_trial *trial = trial_of(plot, &points[i]);
            ock_buf_printf(out, "%c%.1f %.1f", i == begin ? 'M' : 'L', x_of(plot, &points[i]),
                           y_of(plot, trial->mean_data_loss + trial->standard_error));
        }
        for (size_t k = i; k-- > begin;) {
            const struct ock_tuning_trial *trial = trial_of(plot, &points[k]);
            ock_buf_printf(out, "L%.1f %.1f", x_of(plot, &points[k]),
                           y_of(plot, trial->mean_data_loss - trial->standard_error));
        }
        ock_buf_puts(out, i > begin ? "Z" : "");
        i += i == begin;
    }
    ock_svg_path_end(out, path);
}

/* What a pointer that rests on a mark is told. */
static void write_hint(const struct ock_plot *plot, const struct ock_plot_point *point,
                       struct ock_buf *out)
{
    char text[OCK_SERIES_TEXT_SIZE];
    const struct ock_tuning_trial *trial = trial_of(plot, point);
    ock_plot_trial_text(plot, point->trial, text);
    ock_buf_printf(out, "<title>%s: ", text);
    if (trial->status == OCK_TRIAL_FAILED) {
        ock_buf_puts(out, "failed</title>");
        return;
    }
    ock_buf_printf(out, "%.4g", trial->mean_data_loss);
    if (!isnan(trial->standard_error))
        ock_buf_printf(out, " ± %.2g", trial->standard_error);
    if (!isnan(trial->score) && plot->tuning->numbers)
        ock_buf_printf(out, ", rmse %.4g", trial->score);
    else if (!isnan(trial->score))
        ock_buf_printf(out, ", accuracy %.4g", trial->score);
    if (!isnan(trial->count - trial->zeros))
        ock_buf_printf(out, ", %.0f of %.0f weights not zero", trial->count - trial->zeros,
                       trial->count);
    ock_buf_puts(out, trial->status == OCK_TRIAL_ENDED ? "; ended early</title>" : "</title>");
}

static bool is_choice(const struct ock_tuning *tuning, size_t trial)
{
    return trial == tuning->min || trial == tuning->one_se || trial == tuning->chosen;
}

static void write_mark(const struct ock_plot *plot, const struct ock_plot_point *point,
                       size_t number, double radius, struct ock_buf *out)
{
    const struct ock_tuning_trial *trial = trial_of(plot, point);
    double x = x_of(plot, point);
    ock_buf_puts(out, "<g>");
    write_hint(plot, point, out);
    if (trial->status == OCK_TRIAL_FAILED) {
        ock_buf_printf(out, "<path class=\"fail\" d=\"M%.1f %.1fl7 7m0 -7l-7 7\"/></g>\n", x - 3.5,
                       OCK_PLOT_BOTTOM - OCK_PLOT_FLOOR / 2.0 - 3.5);
        return;
    }
    double y = y_of(plot, trial->mean_data_loss);
    if (trial->status == OCK_TRIAL_ENDED)
        ock_buf_printf(out, "<circle class=\"s%zu hollow\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"/>",
                       number, x, y, radius - 0.3);
    else
        ock_buf_printf(out, "<circle class=\"s%zu dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"/>",
                       number, x, y, radius);
    if (is_choice(plot->tuning, point->trial))
        ock_buf_printf(out, "<circle class=\"ring\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"/>", x, y,
                       radius + 2.6);
    ock_buf_puts(out, "</g>\n");
}

/* All trials of a short series; of a long one those that a curve cannot show. */
static void write_marks(const struct ock_plot *plot, size_t number, struct ock_buf *out)
{
    const struct ock_plot_series *series = &plot->series[number];
    double radius = series->count <= 30 ? 3.6 : 2.6;
    for (size_t i = 0; i < series->count; i++) {
        const struct ock_plot_point *point = &plot->points[series->first + i];
        if (series->count <= OCK_SVG_MARKS_MAX || is_choice(plot->tuning, point->trial) ||
            trial_of(plot, point)->status != OCK_TRIAL_SUCCEEDED)
            write_mark(plot, point, number, radius, out);
    }
}

/* Training losses may be far below all others: their curve leaves the frame then. */
static void write_training(const struct ock_plot *plot, const struct ock_plot_series *lead,
                           struct ock_buf *out)
{
    ock_svg_clip(out, &ock_plot_frame, "ock-frame");
    write_line(plot, lead, true, "train", out);
    if (lead->count <= OCK_SVG_MARKS_MAX)
        write_training_dots(plot, lead, out);
    ock_svg_clip_end(out);
}

void ock_svg_curves(const struct ock_plot *plot, struct ock_buf *out)
{
    char kind[32];
    if (plot->series_count == 0)
        return;
    const struct ock_plot_series *lead = &plot->series[plot->lead];
    /* Errors and training of one curve alone: eight of each could not be told apart. */
    if (plot->has_range && lead->count > OCK_SVG_MARKS_MAX)
        write_band(plot, plot->lead, out);
    if (plot->has_range)
        write_training(plot, lead, out);
    for (size_t i = 0; i < plot->series_count && plot->has_range; i++) {
        (void)snprintf(kind, sizeof(kind), "s%zu line", i);
        write_line(plot, &plot->series[i], false, kind, out);
    }
    if (plot->has_range && lead->count <= OCK_SVG_MARKS_MAX)
        write_bars(plot, plot->lead, out);
    for (size_t i = 0; i < plot->series_count; i++)
        write_marks(plot, i, out);
}

/* --- The choices ------------------------------------------------------------------------------- */

struct choice {
    const char *name;
    double x;
    bool chosen;
};

static void write_choice(const struct choice *choice, bool left, struct ock_buf *out)
{
    ock_buf_printf(out,
                   "<path class=\"choice%s\" d=\"M%.1f %dV%d\"/>"
                   "<text class=\"small%s\" text-anchor=\"%s\" x=\"%.1f\" y=\"%d\">%s</text>\n",
                   choice->chosen ? " chosen" : "", choice->x, OCK_PLOT_TOP, OCK_PLOT_BOTTOM,
                   choice->chosen ? " bold" : "", left ? "end" : "start",
                   choice->x + (left ? -LABEL_APART : LABEL_APART), OCK_PLOT_TOP + 16,
                   choice->name);
}

static struct choice make_choice(const struct ock_plot *plot, const char *name, size_t trial)
{
    const struct ock_tuning *tuning = plot->tuning;
    return (struct choice){
        .name = name,
        .x = ock_axis_at(&plot->x, tuning->trials[trial].strengths[plot->along]),
        .chosen = trial == tuning->chosen,
    };
}

/* Names stand outside of the two lines, so that they never meet. */
void ock_svg_choices(const struct ock_plot *plot, struct ock_buf *out)
{
    const struct ock_tuning *tuning = plot->tuning;
    bool has_min = tuning->min < tuning->trial_count;
    bool has_one_se = tuning->one_se < tuning->trial_count;
    struct choice min = {0}, one_se = {0};
    if (has_min)
        min = make_choice(plot, "min", tuning->min);
    if (has_one_se)
        one_se = make_choice(plot, "1se", tuning->one_se);
    if (has_min && has_one_se && min.x == one_se.x) {
        min.name = tuning->min == tuning->one_se ? "min = 1se" : "min, 1se";
        min.chosen = min.chosen || one_se.chosen;
        has_one_se = false;
    }
    double middle = (OCK_PLOT_LEFT + OCK_PLOT_RIGHT) / 2.0;
    if (has_min)
        write_choice(&min, has_one_se ? min.x < one_se.x : min.x > middle, out);
    if (has_one_se)
        write_choice(&one_se, has_min ? one_se.x < min.x : one_se.x > middle, out);
}
