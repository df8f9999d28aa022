/* Axes and their ticks. */
#include "core/base/axis.h"

#include <math.h>
#include <stdio.h>

enum { LINEAR_TICKS = 5, POWERS_MAX = 9, MINOR_POWERS_MAX = 7 };

/* From this ratio on, on a linear axis, the least values lie within an eighth of it. */
static const double LINEAR_RATIO_MAX = 8;

static const double TRAIN_SHARE_MIN = 0.01, TINY = 1e-300;

bool ock_axis_wants_log(double low, double high)
{
    return low > 0 && high > LINEAR_RATIO_MAX * low;
}

struct ock_axis ock_axis_make(bool log, double low, double high, double from, double to)
{
    struct ock_axis axis = {.log = log, .low = low, .high = high, .from = from, .to = to};
    if (log) {
        axis.low = log10(low);
        axis.high = log10(high);
    }
    if (axis.high - axis.low <= 1e-9 * fabs(axis.high)) {
        double pad = log ? 0.5 : low == 0.0 ? 0.5 : 0.1 * fabs(low);
        axis.low -= pad;
        axis.high += pad;
    }
    axis.zero_at = from;
    return axis;
}

struct range {
    double low, high; /* low > high: empty */
};

/* least > 0: of positive values alone, and none below it. */
static void widen(struct range *range, const double *values, size_t count, double least)
{
    for (size_t i = 0; values && i < count; i++) {
        if (!isfinite(values[i]) || (least > 0 && !(values[i] > 0)))
            continue;
        range->low = fmin(range->low, fmax(values[i], least));
        range->high = fmax(range->high, values[i]);
    }
}

bool ock_axis_losses(struct ock_axis *out, const double *train, const double *validation,
                     size_t count, double from, double to)
{
    struct range lead = {HUGE_VAL, -HUGE_VAL}, all = {HUGE_VAL, -HUGE_VAL};
    widen(&lead, validation, count, TINY);
    double least = lead.low <= lead.high ? fmax(TRAIN_SHARE_MIN * lead.low, TINY) : TINY;
    widen(&all, train, count, least);
    widen(&all, validation, count, least);
    bool log = all.low <= all.high && ock_axis_wants_log(all.low, all.high);
    if (!log) {
        widen(&all, train, count, -HUGE_VAL);
        widen(&all, validation, count, -HUGE_VAL);
    }
    if (!(all.low <= all.high))
        return false;
    *out = ock_axis_make(log, all.low, all.high, from, to);
    return true;
}

double ock_axis_at(const struct ock_axis *axis, double value)
{
    if (axis->log && !(value > 0))
        return axis->zero_at;
    double place = axis->log ? log10(value) : value;
    return axis->from + (axis->to - axis->from) * (place - axis->low) / (axis->high - axis->low);
}

/* A little beyond the ends counts as within: 0.1 is no sum of tenths. */
static bool is_within(const struct ock_axis *axis, double place)
{
    double slack = 1e-9 * (axis->high - axis->low);
    return place >= axis->low - slack && place <= axis->high + slack;
}

static void add(struct ock_tick *ticks, size_t *count, struct ock_tick tick)
{
    if (*count < OCK_TICKS_MAX)
        ticks[(*count)++] = tick;
}

/* Multiples of 1, 2 or 5 times a power of ten, about LINEAR_TICKS of them from low to high. */
static size_t linear_ticks(const struct ock_axis *axis, double low, double high,
                           struct ock_tick *ticks)
{
    double rough = (high - low) / LINEAR_TICKS;
    double power = floor(log10(rough)), unit = pow(10, power), digit = rough / unit;
    double step = digit < 1.5 ? 1 : digit < 3.5 ? 2 : digit < 7.5 ? 5 : 10;
    int decimals = step == 10 ? -(int)power - 1 : -(int)power;
    bool plain = decimals <= 4 && fabs(high) < 1e6;
    size_t count = 0;
    for (double k = ceil(low / (step * unit) - 1e-9); k * step * unit <= high + 1e-9 * (high - low);
         k++) {
        struct ock_tick tick = {.value = k * step * unit, .major = true};
        if (k == 0.0)
            (void)snprintf(tick.text, sizeof(tick.text), "0");
        else if (plain)
            (void)snprintf(tick.text, sizeof(tick.text), "%.*f", decimals > 0 ? decimals : 0,
                           tick.value);
        else
            (void)snprintf(tick.text, sizeof(tick.text), "%.4g", tick.value);
        if (is_within(axis, axis->log ? log10(tick.value) : tick.value))
            add(ticks, &count, tick);
    }
    return count;
}

/* Powers of ten as far as labels have room, or 1, 2 and 5 times them where there are few. */
static size_t log_ticks(const struct ock_axis *axis, struct ock_tick *ticks)
{
    int first = (int)floor(axis->low), last = (int)ceil(axis->high);
    int powers = (int)floor(axis->high + 1e-9) - (int)ceil(axis->low - 1e-9) + 1;
    int stride = (powers + POWERS_MAX - 1) / POWERS_MAX;
    bool plain = axis->low >= -3 - 1e-9 && axis->high <= 3 + 1e-9;
    size_t count = 0;
    for (int power = first; power <= last; power++) {
        for (int digit = 1; digit < 10; digit++) {
            double place = power + log10(digit);
            bool round = powers < 3
                             ? digit == 1 || digit == 2 || digit == 5
                             : digit == 1 && (power - first) % (stride > 0 ? stride : 1) == 0;
            bool minor = powers <= MINOR_POWERS_MAX || digit == 1;
            if (!is_within(axis, place) || !(round || minor))
                continue;
            struct ock_tick tick = {.value = digit * pow(10, power), .major = round};
            tick.is_power = round && powers >= 3 && !plain;
            if (tick.is_power)
                (void)snprintf(tick.text, sizeof(tick.text), "%s%d", power < 0 ? "−" : "",
                               power < 0 ? -power : power);
            else if (round)
                (void)snprintf(tick.text, sizeof(tick.text), "%.4g", tick.value);
            add(ticks, &count, tick);
        }
    }
    return count;
}

size_t ock_axis_ticks(const struct ock_axis *axis, struct ock_tick ticks[OCK_TICKS_MAX])
{
    if (!axis->log)
        return linear_ticks(axis, axis->low, axis->high, ticks);
    size_t majors = 0, count = log_ticks(axis, ticks);
    for (size_t i = 0; i < count; i++)
        majors += ticks[i].major;
    return majors >= 2 ? count : linear_ticks(axis, pow(10, axis->low), pow(10, axis->high), ticks);
}
