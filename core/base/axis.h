/* An axis of a picture: values to pixels (or the dots of a terminal), and round numbers for its
 * ticks. */
#ifndef OCK_BASE_AXIS_H
#define OCK_BASE_AXIS_H

#include <stdbool.h>
#include <stddef.h>

enum { OCK_TICKS_MAX = 128, OCK_TICK_TEXT_SIZE = 24 };

struct ock_axis {
    bool log;
    double low, high; /* log10 of the values on a log axis; low < high */
    double from, to;  /* their pixels; from > to on an axis that points up */
    double zero_at;   /* log axis: where 0 stands, a place of its own; else unused */
};

/* An axis over low <= value <= high, both finite (and positive, if log). Where they are one, it is
 * widened around it. */
struct ock_axis ock_axis_make(bool log, double low, double high, double from, double to);

/* Whether positive values from low to high ask for a log axis: one that is far from the others must
 * not press these into a line. */
bool ock_axis_wants_log(double low, double high);

/* An axis for what is positive if all is well: losses, of training rows and of validation rows, both
 * [count]; either may be NULL. Values that are not finite are passed over. A log axis has no end for
 * training losses below a hundredth of the least validation loss: a network that knows its rows by
 * heart must not press the validation curve flat. False: no value is finite, *out is untouched. */
bool ock_axis_losses(struct ock_axis *out, const double *train, const double *validation,
                     size_t count, double from, double to);

/* The pixel of a value; on a log axis zero_at for what is not positive. */
double ock_axis_at(const struct ock_axis *axis, double value);

struct ock_tick {
    double value;
    bool major;    /* has a text */
    bool is_power; /* its text is that of 10 to a power: text is the exponent */
    char text[OCK_TICK_TEXT_SIZE];
};
/* Ticks at round numbers, in the order of their values: 1, 2 or 5 times a power of ten on a linear
 * axis; powers of ten on a log axis that has three of them, else also 2 and 5 times those, with minor ticks at their multiples
 * where there is room. Returns how many. */
size_t ock_axis_ticks(const struct ock_axis *axis, struct ock_tick ticks[OCK_TICKS_MAX]);

#endif
