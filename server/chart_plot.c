/* From numbers to what their chart shows. */
#include "server/chart_plot.h"

#include <math.h>

/* Pixels. LEFT is where the tuning picture has it: the two stand side by side in pages. */
enum {
    LEFT = 78,
    RIGHT = 736,
    TOP = 86,
    LOSS_HEIGHT = 264,
    SCORE_HEIGHT = 108,
    PENALTY_HEIGHT = 76,
    APART = 16,
    SIDE = 14,  /* left and right of the values */
    ROOF = 26,  /* above the losses: the name of the best epoch */
    EDGE = 10,  /* above and below the values */
    FLOOR = 24, /* below the losses: epochs that are not finite */
};

/* Accuracies are never nearer than that to one another on their axis. */
static const double ACCURACY_PAD = 0.01;

bool ock_chart_is_broken(const struct ock_chart *chart, size_t i)
{
    const double *train = chart->lines[OCK_CHART_TRAIN_LOSS];
    const double *validation = chart->lines[OCK_CHART_VALID_LOSS];
    return !train || !isfinite(train[i]) || (validation && !isfinite(validation[i]));
}

/* --- Ranges ------------------------------------------------------------------------------------ */

static void make_positive_axis(struct ock_chart_panel *panel, size_t count, int roof, int floor)
{
    panel->has_range = ock_axis_losses(&panel->y, panel->train, panel->validation, count,
                                       panel->frame.bottom - floor, panel->frame.top + roof);
    panel->y.zero_at = panel->frame.bottom + floor; /* out of sight */
}

static void widen(double *low, double *high, const double *values, size_t count)
{
    for (size_t i = 0; values && i < count; i++) {
        if (!isfinite(values[i]))
            continue;
        *low = fmin(*low, values[i]);
        *high = fmax(*high, values[i]);
    }
}

static void make_accuracy_axis(struct ock_chart_panel *panel, size_t count)
{
    double low = HUGE_VAL, high = -HUGE_VAL;
    widen(&low, &high, panel->train, count);
    widen(&low, &high, panel->validation, count);
    panel->has_range = low <= high;
    if (!panel->has_range)
        return;
    if (high - low < ACCURACY_PAD) {
        low = fmax(0, low - ACCURACY_PAD);
        high = fmin(1, high + ACCURACY_PAD);
    }
    panel->y = ock_axis_make(false, low, high, panel->frame.bottom - EDGE, panel->frame.top + EDGE);
}

/* --- Panels ------------------------------------------------------------------------------------ */

static struct ock_chart_panel *add_panel(struct ock_chart_plot *plot, int height, const char *title)
{
    struct ock_chart_panel *panel = &plot->panels[plot->panel_count];
    int top = plot->panel_count > 0 ? panel[-1].frame.bottom + APART : TOP;
    panel->frame = (struct ock_svg_frame){LEFT, RIGHT, top, top + height};
    panel->title = title;
    plot->panel_count++;
    return panel;
}

static void add_panels(struct ock_chart_plot *plot)
{
    const struct ock_chart *chart = plot->chart;
    struct ock_chart_panel *panel = add_panel(plot, LOSS_HEIGHT, "data_loss");
    panel->train = chart->lines[OCK_CHART_TRAIN_LOSS];
    panel->validation = chart->lines[OCK_CHART_VALID_LOSS];
    make_positive_axis(panel, chart->count, plot->best < chart->count ? ROOF : EDGE,
                       plot->nonfinite > 0 ? FLOOR : EDGE);
    if (chart->lines[OCK_CHART_TRAIN_SCORE] || chart->lines[OCK_CHART_VALID_SCORE]) {
        panel = add_panel(plot, SCORE_HEIGHT, chart->numbers ? "rmse" : "accuracy");
        panel->train = chart->lines[OCK_CHART_TRAIN_SCORE];
        panel->validation = chart->lines[OCK_CHART_VALID_SCORE];
        if (chart->numbers)
            make_positive_axis(panel, chart->count, EDGE, EDGE);
        else
            make_accuracy_axis(panel, chart->count);
    }
    if (chart->lines[OCK_CHART_PENALTY]) {
        panel = add_panel(plot, PENALTY_HEIGHT, "penalty");
        panel->train = chart->lines[OCK_CHART_PENALTY];
        make_positive_axis(panel, chart->count, EDGE, EDGE);
    }
}

/* --- Epochs ------------------------------------------------------------------------------------ */

/* Without validation rows the best is the last: a mark would say nothing. */
static void find_best(struct ock_chart_plot *plot)
{
    const struct ock_chart *chart = plot->chart;
    plot->best = chart->count;
    if (!chart->lines[OCK_CHART_VALID_LOSS] && chart->count > 0 &&
        chart->best == chart->epoch[chart->count - 1])
        return;
    for (size_t i = 0; i < chart->count; i++)
        if (chart->epoch[i] == chart->best)
            plot->best = i;
}

static void find_rates(struct ock_chart_plot *plot)
{
    const double *rates = plot->chart->lines[OCK_CHART_LR];
    size_t found = 0;
    for (size_t i = 1; rates && i < plot->chart->count; i++) {
        if (!(fabs(rates[i] - rates[i - 1]) > 1e-9 * fabs(rates[i - 1])))
            continue; /* NaN too */
        if (found < OCK_CHART_RATES_MAX)
            plot->rates[found] = i;
        found++;
    }
    bool curve = plot->chart->count > 3 && 2 * found > plot->chart->count;
    plot->rate_count = found <= OCK_CHART_RATES_MAX && !curve ? found : 0;
}

struct ock_chart_plot ock_chart_plot_make(const struct ock_chart *chart)
{
    struct ock_chart_plot plot = {.chart = chart};
    find_best(&plot);
    find_rates(&plot);
    for (size_t i = 0; i < chart->count; i++)
        plot.nonfinite += ock_chart_is_broken(chart, i);
    add_panels(&plot);
    if (chart->count > 0)
        plot.x = ock_axis_make(false, chart->epoch[0], chart->epoch[chart->count - 1], LEFT + SIDE,
                               RIGHT - SIDE);
    return plot;
}
