/* What a picture of a tuning table shows: which strength goes along, what makes a curve, the ranges
 * of both axes. Between the table and the SVG, so that each can be seen alone. */
#ifndef OCK_SERVER_TUNING_PLOT_H
#define OCK_SERVER_TUNING_PLOT_H

#include "server/svg.h"
#include "server/tuning.h"

enum { OCK_SERIES_MAX = 8, OCK_SERIES_TEXT_SIZE = 96 };

/* The frame, in pixels. The axes' values keep off it: labels and marks stand in between. */
enum {
    OCK_PLOT_LEFT = 78,
    OCK_PLOT_RIGHT = 736,
    OCK_PLOT_TOP = 108,
    OCK_PLOT_BOTTOM = 396,
    OCK_PLOT_SIDE = 40,  /* left and right of the values */
    OCK_PLOT_ZERO = 58,  /* from 0's place to the least other one */
    OCK_PLOT_ROOF = 30,  /* above them: the names of the choices */
    OCK_PLOT_FLOOR = 22, /* below them: trials that failed */
};

extern const struct ock_svg_frame ock_plot_frame;

struct ock_plot_point {
    double strengths[OCK_STRENGTH_COUNT];
    double along; /* the strength on the x axis */
    size_t trial; /* its place in the table */
};

struct ock_plot_series {
    size_t first, count; /* of the points; in the order of `along` */
};

struct ock_plot {
    const struct ock_tuning *tuning; /* borrowed */
    enum ock_strength along;         /* what the x axis shows */
    bool varies[OCK_STRENGTH_COUNT]; /* apart from `along`: what tells the series apart */
    struct ock_plot_point *points;   /* [tuning->trial_count] owned; series by series */
    size_t series_total;
    size_t series_count; /* shown */
    struct ock_plot_series series[OCK_SERIES_MAX];
    size_t lead;    /* the series with the choice, or with the least loss */
    bool has_range; /* a trial has a loss: there is a y axis */
    bool has_zero;  /* 0 is among the strengths of a log axis */
    struct ock_axis x, y;
};

/* Errors: NOMEM. */
enum ock_status ock_plot_make(struct ock_plot *out, const struct ock_tuning *tuning,
                              struct ock_err *err);
void ock_plot_deinit(struct ock_plot *plot);

/* "l1 = 0.01", by what the series differ; "" if there is only one. */
void ock_plot_series_text(const struct ock_plot *plot, size_t series,
                          char text[OCK_SERIES_TEXT_SIZE]);
/* All that was searched, of one trial: "l1 = 0.01, l2 = 0.001". */
void ock_plot_trial_text(const struct ock_plot *plot, size_t trial,
                         char text[OCK_SERIES_TEXT_SIZE]);

#endif
