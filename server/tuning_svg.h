/* Pieces of the picture. Each appends to the buffer; nothing of it can fail but the buffer. */
#ifndef OCK_SERVER_TUNING_SVG_H
#define OCK_SERVER_TUNING_SVG_H

#include "server/svg.h"
#include "server/tuning_plot.h"

/* tuning_curves.c: curves, error bars and trials, within the frame. */
void ock_svg_curves(const struct ock_plot *plot, struct ock_buf *out);
/* The two choices: lines with their names. */
void ock_svg_choices(const struct ock_plot *plot, struct ock_buf *out);

/* tuning_legend.c: what the picture's marks mean, in rows from the pixel y on. Returns where the
 * rows end. */
double ock_svg_legend(const struct ock_plot *plot, double y, struct ock_buf *out);

/* More trials than this in a series: no marks, and a band for the error bars. */
enum { OCK_SVG_MARKS_MAX = 60 };

#endif
