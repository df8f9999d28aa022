/* What a chart shows: its panels one below the other, their ranges, the epochs that they share.
 * Between the numbers and the SVG, so that each can be seen alone. */
#ifndef OCK_SERVER_CHART_PLOT_H
#define OCK_SERVER_CHART_PLOT_H

#include "server/chart.h"
#include "server/svg.h"

enum { OCK_CHART_PANELS_MAX = 3, OCK_CHART_RATES_MAX = 12 };

struct ock_chart_panel {
    struct ock_svg_frame frame;
    const char *title;
    const double *train, *validation; /* [count]; NULL: none */
    bool has_range;                   /* a number is finite: there is a y axis */
    struct ock_axis y;
};

struct ock_chart_plot {
    const struct ock_chart *chart; /* borrowed */
    size_t panel_count;            /* the loss is the first, and always there */
    struct ock_chart_panel panels[OCK_CHART_PANELS_MAX];
    struct ock_axis x;
    size_t best;      /* its place among the epochs; count: not marked */
    size_t nonfinite; /* epochs of which a loss is not finite */
    /* Places at which the learning rate is another than before; more than OCK_CHART_RATES_MAX, or at
     * most epochs, as a schedule makes them: none. */
    size_t rate_count;
    size_t rates[OCK_CHART_RATES_MAX];
};

struct ock_chart_plot ock_chart_plot_make(const struct ock_chart *chart);

/* Whether the i-th epoch has a loss that is not finite where it should have one. */
bool ock_chart_is_broken(const struct ock_chart *chart, size_t i);

#endif
