/* What the marks of a tuning picture mean. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "server/tuning_svg.h"

static size_t count_status(const struct ock_tuning *tuning, enum ock_trial_status status)
{
    size_t count = 0;
    for (size_t i = 0; i < tuning->trial_count; i++)
        count += tuning->trials[i].status == status;
    return count;
}

static bool has_training(const struct ock_tuning *tuning)
{
    for (size_t i = 0; i < tuning->trial_count; i++)
        if (!isnan(tuning->trials[i].train_data_loss))
            return true;
    return false;
}

static bool has_errors(const struct ock_tuning *tuning)
{
    for (size_t i = 0; i < tuning->trial_count; i++)
        if (!isnan(tuning->trials[i].standard_error))
            return true;
    return false;
}

static void add_series(struct ock_svg_legend *legend, const struct ock_plot *plot, size_t number)
{
    char sample[160], text[OCK_SERIES_TEXT_SIZE], name[160];
    const char *errors =
        has_errors(plot->tuning) && number == plot->lead ? " ± standard error" : "";
    const char *validation = plot->tuning->folds > 1 ? "validation, mean" : "validation";
    (void)snprintf(sample, sizeof(sample),
                   "<path class=\"s%zu line\" d=\"M0 -4h22\"/>"
                   "<circle class=\"s%zu dot\" cx=\"11\" cy=\"-4\" r=\"3.6\"/>",
                   number, number);
    ock_plot_series_text(plot, number, text);
    (void)snprintf(name, sizeof(name), "%s%s", *text ? text : validation, errors);
    ock_svg_legend_add(legend, sample, name);
}

static void add_count(struct ock_svg_legend *legend, const char *sample, const char *what,
                      size_t count)
{
    char text[64];
    (void)snprintf(text, sizeof(text), "%s (%zu)", what, count);
    if (count > 0)
        ock_svg_legend_add(legend, sample, text);
}

double ock_svg_legend(const struct ock_plot *plot, double y, struct ock_buf *out)
{
    struct ock_svg_legend legend = ock_svg_legend_make(out, &ock_plot_frame, y);
    char text[128], series[OCK_SERIES_TEXT_SIZE];
    for (size_t i = 0; i < plot->series_count && plot->has_range; i++)
        add_series(&legend, plot, i);
    if (plot->has_range && has_training(plot->tuning)) {
        ock_plot_series_text(plot, plot->lead, series);
        (void)snprintf(text, sizeof(text), "training%s%s", *series ? ", " : "", series);
        ock_svg_legend_add(&legend,
                           "<path class=\"train\" d=\"M0 -4h22\"/>"
                           "<circle class=\"traindot\" cx=\"11\" cy=\"-4\" r=\"2\"/>",
                           text);
    }
    add_count(&legend, "<path class=\"fail\" d=\"M7 -8l7 7m0 -7l-7 7\"/>", "failed",
              count_status(plot->tuning, OCK_TRIAL_FAILED));
    add_count(&legend, "<circle class=\"s0 hollow\" cx=\"11\" cy=\"-4\" r=\"3.3\"/>", "ended early",
              count_status(plot->tuning, OCK_TRIAL_ENDED));
    if (plot->series_total > plot->series_count) {
        (void)snprintf(text, sizeof(text), "%zu of %zu curves are shown", plot->series_count,
                       plot->series_total);
        ock_svg_legend_add(&legend, "", text);
    }
    return legend.y;
}
