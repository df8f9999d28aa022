/* From a table to what its picture shows. */
#include "server/tuning_plot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct ock_svg_frame ock_plot_frame = {
    .left = OCK_PLOT_LEFT, .right = OCK_PLOT_RIGHT, .top = OCK_PLOT_TOP, .bottom = OCK_PLOT_BOTTOM};

/* --- Points and series ------------------------------------------------------------------------- */

static int compare_double(double a, double b)
{
    return (a > b) - (a < b);
}

/* By what tells series apart (`along` is 0 in strengths), then along the axis. */
static int compare_points(const void *one, const void *other)
{
    const struct ock_plot_point *a = one, *b = other;
    for (size_t i = 0; i < OCK_STRENGTH_COUNT; i++) {
        int order = compare_double(a->strengths[i], b->strengths[i]);
        if (order != 0)
            return order;
    }
    int order = compare_double(a->along, b->along);
    return order != 0 ? order : (a->trial > b->trial) - (a->trial < b->trial);
}

/* The first that varies of l2, l1, weight_decay, dropout; where none does, the first above 0. */
static void choose_along(struct ock_plot *plot)
{
    static const enum ock_strength order[OCK_STRENGTH_COUNT] = {
        OCK_STRENGTH_L2, OCK_STRENGTH_L1, OCK_STRENGTH_WEIGHT_DECAY, OCK_STRENGTH_DROPOUT};
    const struct ock_tuning *tuning = plot->tuning;
    for (size_t i = 0; i < tuning->trial_count; i++)
        for (size_t k = 0; k < OCK_STRENGTH_COUNT; k++)
            plot->varies[k] |= tuning->tuned[k] &&
                               tuning->trials[i].strengths[k] != tuning->trials[0].strengths[k];
    plot->along = OCK_STRENGTH_L2;
    for (size_t k = OCK_STRENGTH_COUNT; tuning->trial_count > 0 && k-- > 0;)
        if (tuning->trials[0].strengths[order[k]] > 0)
            plot->along = order[k];
    for (size_t k = OCK_STRENGTH_COUNT; k-- > 0;)
        if (plot->varies[order[k]])
            plot->along = order[k];
    plot->varies[plot->along] = false;
}

static void fill_points(struct ock_plot *plot)
{
    const struct ock_tuning *tuning = plot->tuning;
    for (size_t i = 0; i < tuning->trial_count; i++) {
        struct ock_plot_point *point = &plot->points[i];
        point->trial = i;
        point->along = tuning->trials[i].strengths[plot->along];
        for (size_t k = 0; k < OCK_STRENGTH_COUNT; k++)
            point->strengths[k] = plot->varies[k] ? tuning->trials[i].strengths[k] : 0;
    }
    if (tuning->trial_count > 1)
        qsort(plot->points, tuning->trial_count, sizeof(*plot->points), compare_points);
}

static bool same_series(const struct ock_plot_point *a, const struct ock_plot_point *b)
{
    return memcmp(a->strengths, b->strengths, sizeof(a->strengths)) == 0;
}

/* The series of that number, and the number of the one with this trial; a pass over the points. */
static struct ock_plot_series find_series(const struct ock_plot *plot, size_t number)
{
    struct ock_plot_series series = {0};
    size_t seen = 0;
    for (size_t i = 0; i < plot->tuning->trial_count; i++) {
        if (i > 0 && !same_series(&plot->points[i - 1], &plot->points[i]))
            seen++;
        if (seen != number)
            continue;
        if (series.count++ == 0)
            series.first = i;
    }
    return series;
}

static size_t series_of(const struct ock_plot *plot, size_t trial)
{
    size_t seen = 0;
    for (size_t i = 0; i < plot->tuning->trial_count; i++) {
        if (i > 0 && !same_series(&plot->points[i - 1], &plot->points[i]))
            seen++;
        if (plot->points[i].trial == trial)
            return seen;
    }
    return 0;
}

/* The choice, the least loss, or the least so far; trial_count if no trial has succeeded. */
static size_t leading_trial(const struct ock_tuning *tuning)
{
    size_t best = tuning->trial_count;
    if (tuning->chosen < tuning->trial_count)
        return tuning->chosen;
    if (tuning->min < tuning->trial_count)
        return tuning->min;
    for (size_t i = 0; i < tuning->trial_count; i++) {
        const struct ock_tuning_trial *trial = &tuning->trials[i];
        if (trial->status == OCK_TRIAL_SUCCEEDED &&
            (best == tuning->trial_count ||
             trial->mean_data_loss < tuning->trials[best].mean_data_loss))
            best = i;
    }
    return best;
}

/* Puts `number` in place of the nearest pick but `keep`, and the picks in order again. */
static void force_pick(size_t picks[OCK_SERIES_MAX], size_t number, size_t keep)
{
    size_t nearest = OCK_SERIES_MAX;
    for (size_t k = 0; k < OCK_SERIES_MAX; k++) {
        if (picks[k] == number)
            return;
        size_t apart = picks[k] > number ? picks[k] - number : number - picks[k];
        if (picks[k] != keep &&
            (nearest == OCK_SERIES_MAX ||
             apart < (picks[nearest] > number ? picks[nearest] - number : number - picks[nearest])))
            nearest = k;
    }
    picks[nearest] = number;
    for (size_t k = 1; k < OCK_SERIES_MAX; k++)
        for (size_t i = k; i > 0 && picks[i - 1] > picks[i]; i--) {
            size_t other = picks[i];
            picks[i] = picks[i - 1];
            picks[i - 1] = other;
        }
}

/* All series, or OCK_SERIES_MAX at even distances with those of the two choices among them. */
static void choose_series(struct ock_plot *plot)
{
    const struct ock_tuning *tuning = plot->tuning;
    size_t total = 0, picks[OCK_SERIES_MAX], lead = leading_trial(tuning);
    for (size_t i = 0; i < tuning->trial_count; i++)
        total += i == 0 || !same_series(&plot->points[i - 1], &plot->points[i]);
    size_t lead_series = series_of(plot, lead);
    bool all = total <= OCK_SERIES_MAX;
    for (size_t k = 0; k < OCK_SERIES_MAX; k++)
        picks[k] = all ? k : k * (total - 1) / (OCK_SERIES_MAX - 1);
    if (!all) {
        force_pick(picks, lead_series, lead_series);
        if (tuning->min < tuning->trial_count)
            force_pick(picks, series_of(plot, tuning->min), lead_series);
    }
    plot->series_total = total;
    plot->series_count = all ? total : OCK_SERIES_MAX;
    for (size_t k = 0; k < plot->series_count; k++) {
        plot->series[k] = find_series(plot, picks[k]);
        if (picks[k] == lead_series)
            plot->lead = k;
    }
}

/* --- Axes -------------------------------------------------------------------------------------- */

static void make_x_axis(struct ock_plot *plot)
{
    double low = HUGE_VAL, high = -HUGE_VAL;
    double from = OCK_PLOT_LEFT + OCK_PLOT_SIDE, to = OCK_PLOT_RIGHT - OCK_PLOT_SIDE;
    bool log = plot->along != OCK_STRENGTH_DROPOUT;
    for (size_t i = 0; i < plot->tuning->trial_count; i++) {
        double along = plot->points[i].along;
        if (log && !(along > 0)) {
            plot->has_zero = true;
            continue;
        }
        low = fmin(low, along);
        high = fmax(high, along);
    }
    if (!(low <= high)) { /* 0 alone, or nothing: it stands in the middle */
        plot->x = ock_axis_make(false, -1, 1, from, to);
        plot->has_zero = false;
        return;
    }
    plot->x = ock_axis_make(log, low, high, plot->has_zero ? from + OCK_PLOT_ZERO : from, to);
    plot->x.zero_at = from;
}

static void widen(double *low, double *high, double value)
{
    if (isfinite(value)) {
        *low = fmin(*low, value);
        *high = fmax(*high, value);
    }
}

/* All validation losses with their errors; training losses, unless a log axis would give them most
 * of the picture. */
static void make_y_axis(struct ock_plot *plot)
{
    double low = HUGE_VAL, high = -HUGE_VAL, bar_low = HUGE_VAL, bar_high = -HUGE_VAL;
    const struct ock_tuning *tuning = plot->tuning;
    for (size_t i = 0; i < tuning->trial_count; i++)
        if (tuning->trials[i].status != OCK_TRIAL_FAILED)
            widen(&low, &high, tuning->trials[i].mean_data_loss);
    plot->has_range = low <= high;
    if (!plot->has_range)
        return;
    bool log = ock_axis_wants_log(low, high);
    for (size_t i = 0; i < tuning->trial_count; i++) {
        const struct ock_tuning_trial *trial = &tuning->trials[i];
        double error = isnan(trial->standard_error) ? 0 : trial->standard_error;
        if (trial->status == OCK_TRIAL_FAILED)
            continue;
        widen(&bar_low, &bar_high, fmax(trial->mean_data_loss - error, log ? low / 2 : -HUGE_VAL));
        widen(&bar_low, &bar_high, trial->mean_data_loss + error);
        if (!isnan(trial->train_data_loss))
            widen(&bar_low, &bar_high, fmax(trial->train_data_loss, log ? low / 4 : -HUGE_VAL));
    }
    plot->y = ock_axis_make(log, bar_low, bar_high, OCK_PLOT_BOTTOM - OCK_PLOT_FLOOR,
                            OCK_PLOT_TOP + OCK_PLOT_ROOF);
    plot->y.zero_at = OCK_PLOT_BOTTOM + OCK_PLOT_FLOOR; /* out of sight */
}

/* --- Whole ------------------------------------------------------------------------------------- */

enum ock_status ock_plot_make(struct ock_plot *out, const struct ock_tuning *tuning,
                              struct ock_err *err)
{
    struct ock_plot plot = {.tuning = tuning};
    plot.points = calloc(tuning->trial_count + 1, sizeof(*plot.points));
    if (!plot.points)
        return ock_fail(err, OCK_NOMEM, "no memory for a picture");
    choose_along(&plot);
    fill_points(&plot);
    choose_series(&plot);
    make_x_axis(&plot);
    make_y_axis(&plot);
    *out = plot;
    return OCK_OK;
}

void ock_plot_deinit(struct ock_plot *plot)
{
    free(plot->points);
    plot->points = NULL;
}

static void add_strength(char text[OCK_SERIES_TEXT_SIZE], enum ock_strength what, double value)
{
    size_t length = strlen(text);
    (void)snprintf(text + length, OCK_SERIES_TEXT_SIZE - length, "%s%s = %.4g",
                   length > 0 ? ", " : "", ock_strength_name(what), value);
}

void ock_plot_series_text(const struct ock_plot *plot, size_t series,
                          char text[OCK_SERIES_TEXT_SIZE])
{
    text[0] = '\0';
    for (size_t k = 0; k < OCK_STRENGTH_COUNT; k++)
        if (plot->varies[k])
            add_strength(text, (enum ock_strength)k,
                         plot->points[plot->series[series].first].strengths[k]);
}

void ock_plot_trial_text(const struct ock_plot *plot, size_t trial, char text[OCK_SERIES_TEXT_SIZE])
{
    text[0] = '\0';
    for (size_t k = 0; k < OCK_STRENGTH_COUNT; k++)
        if (plot->varies[k] || k == plot->along)
            add_strength(text, (enum ock_strength)k, plot->tuning->trials[trial].strengths[k]);
}
