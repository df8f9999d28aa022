/* The table of a search, drawn in place.
 *
 *        l2        valid loss  accuracy  non-zero
 *       0.1   0.4666 ± 0.0222    84.07%        14               ───●───
 *      0.01   0.4066 ± 0.0215    85.19%        14      ───●───            1se
 *     0.001   0.3910 ± 0.0383    85.93%        14  ─────●──────           min
 *     0.0001            failed
 *     trial 4 of 16
 *
 * The scale goes from the least mean minus its error to the largest plus its own; where losses
 * differ by more than eight times it is logarithmic. */
#include "clients/cli/trials.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"

enum { STRENGTH_WIDTH = 10, LOSS_WIDTH = 17, SCORE_WIDTH = 9, WEIGHTS_WIDTH = 8 };
enum { PLOT_MIN = 10, PLOT_MAX = 44, MARKS_WIDTH = 8, LINES_AROUND = 4 };
static const double LINEAR_RATIO_MAX = 8;

static const char *const strengths[CLI_STRENGTHS] = {"l1", "l2", "weight_decay", "dropout"};

void cli_trials_deinit(struct cli_trials *trials)
{
    free(trials->rows);
    *trials = (struct cli_trials){0};
}

void cli_trials_rule(struct cli_trials *trials, const cJSON *table)
{
    const char *rule = cli_text_at(table, "rule");
    (void)snprintf(trials->rule, sizeof(trials->rule), "%s", rule ? rule : "");
}

/* --- Rows -------------------------------------------------------------------------------------- */

static void read_row(struct cli_trial *row, const cJSON *json, bool numbers)
{
    const char *status = cli_text_at(json, "status");
    row->number = cli_number_at(json, "trial");
    for (size_t i = 0; i < CLI_STRENGTHS; i++)
        row->strengths[i] = cli_number_at(json, strengths[i]);
    row->mean = cli_number_at(json, "mean_data_loss");
    row->error = cli_number_at(json, "standard_error");
    row->score = cli_number_at(json, numbers ? "mean_rmse" : "mean_accuracy");
    row->weights = cli_number_at(json, "count") - cli_number_at(json, "zeros");
    row->succeeded = status && strcmp(status, "succeeded") == 0 && isfinite(row->mean);
    row->ended = status && strcmp(status, "ended") == 0 && isfinite(row->mean);
}

/* The least mean, the strongest on a tie; the strongest within one error of it. */
static void choose(struct cli_trials *trials)
{
    trials->min = trials->one_se = trials->count;
    for (size_t i = 0; i < trials->count; i++)
        if (trials->rows[i].succeeded &&
            (trials->min == trials->count || trials->rows[i].mean < trials->rows[trials->min].mean))
            trials->min = i;
    if (trials->min == trials->count || isnan(trials->rows[trials->min].error))
        return;
    double limit = trials->rows[trials->min].mean + trials->rows[trials->min].error;
    for (size_t i = trials->count; i-- > 0;)
        if (trials->rows[i].succeeded && trials->rows[i].mean <= limit)
            trials->one_se = i;
}

bool cli_trials_add(struct cli_trials *trials, const cJSON *json)
{
    struct cli_trial row;
    double total = cli_number_at(json, "trials");
    if (trials->count == trials->capacity) {
        size_t capacity = 2 * trials->capacity + 32;
        struct cli_trial *larger = realloc(trials->rows, capacity * sizeof(*larger));
        if (!larger)
            return false;
        trials->rows = larger;
        trials->capacity = capacity;
    }
    trials->numbers = trials->numbers || ock_json_get(json, "mean_rmse");
    read_row(&row, json, trials->numbers);
    size_t at = trials->count++;
    for (; at > 0 && trials->rows[at - 1].number > row.number; at--)
        trials->rows[at] = trials->rows[at - 1];
    trials->rows[at] = row;
    trials->newest = at;
    trials->total = isnan(total) ? trials->total : total;
    choose(trials);
    return true;
}

/* --- Columns ----------------------------------------------------------------------------------- */

struct layout {
    bool strength[CLI_STRENGTHS];
    bool score, weights;
    size_t plot; /* its width; 0: no room */
    bool log;
    double low, high; /* of the scale, after the logarithm */
};

/* The strengths that differ between rows; where none does, those above 0, or l2. */
static void choose_strengths(const struct cli_trials *trials, struct layout *layout)
{
    bool any = false;
    const struct cli_trial *first = trials->rows;
    for (size_t k = 0; k < CLI_STRENGTHS; k++)
        for (size_t i = 0; i < trials->count; i++)
            layout->strength[k] |= !isnan(trials->rows[i].strengths[k]) &&
                                   trials->rows[i].strengths[k] != first->strengths[k];
    for (size_t k = 0; k < CLI_STRENGTHS; k++)
        any |= layout->strength[k];
    for (size_t k = 0; k < CLI_STRENGTHS && !any; k++)
        layout->strength[k] = trials->count > 0 && first->strengths[k] > 0;
    for (size_t k = 0; k < CLI_STRENGTHS; k++)
        any |= layout->strength[k];
    layout->strength[1] |= !any;
}

static double bound(double value, double sign, const struct cli_trial *row)
{
    return isnan(row->error) ? value : value + sign * row->error;
}

static void choose_scale(const struct cli_trials *trials, struct layout *layout)
{
    double least = HUGE_VAL, most = -HUGE_VAL;
    layout->low = HUGE_VAL;
    layout->high = -HUGE_VAL;
    for (size_t i = 0; i < trials->count; i++) {
        const struct cli_trial *row = &trials->rows[i];
        if (!row->succeeded && !row->ended)
            continue;
        least = fmin(least, row->mean);
        most = fmax(most, row->mean);
        layout->low = fmin(layout->low, bound(row->mean, -1, row));
        layout->high = fmax(layout->high, bound(row->mean, 1, row));
    }
    layout->log = least > 0 && most > LINEAR_RATIO_MAX * least;
    if (layout->log) {
        layout->low = log10(fmax(layout->low, least / 2));
        layout->high = log10(layout->high);
    }
}

/* As wide as the terminal: the plot takes what is left, and takes the place of other columns where
 * that would be nothing. */
static struct layout make_layout(const struct cli_trials *trials, const struct cli_term *term)
{
    struct layout layout = {.score = true, .weights = true};
    size_t width = term->tty ? cli_term_width() : 100, used = LOSS_WIDTH + MARKS_WIDTH + 2;
    choose_strengths(trials, &layout);
    choose_scale(trials, &layout);
    for (size_t k = 0; k < CLI_STRENGTHS; k++)
        used += layout.strength[k] ? STRENGTH_WIDTH : 0;
    layout.weights = used + WEIGHTS_WIDTH + SCORE_WIDTH + 4 + PLOT_MIN <= width;
    used += layout.weights ? WEIGHTS_WIDTH + 2 : 0;
    layout.score = used + SCORE_WIDTH + 2 + PLOT_MIN <= width;
    used += layout.score ? SCORE_WIDTH + 2 : 0;
    size_t left = width > used + 2 ? width - used - 2 : 0;
    layout.plot = left < PLOT_MIN ? 0 : left > PLOT_MAX ? PLOT_MAX : left;
    return layout;
}

/* --- Lines ------------------------------------------------------------------------------------- */

static size_t place_of(const struct layout *layout, double value)
{
    double place = layout->log ? log10(fmax(value, 1e-300)) : value;
    double share =
        layout->high > layout->low ? (place - layout->low) / (layout->high - layout->low) : 0.5;
    share = share < 0 ? 0 : share > 1 ? 1 : share;
    return (size_t)lround(share * (double)(layout->plot - 1));
}

/* "  ───●───   ", or "  ---o---   ". */
static void draw_plot(const struct layout *layout, const struct cli_trial *row,
                      const struct cli_term *term)
{
    const char *line = term->utf8 ? "─" : "-";
    const char *dot = row->succeeded ? (term->utf8 ? "●" : "o") : (term->utf8 ? "○" : ".");
    bool shown = row->succeeded || row->ended;
    size_t at = shown ? place_of(layout, row->mean) : 0;
    size_t from = shown ? place_of(layout, bound(row->mean, -1, row)) : 1;
    size_t to = shown ? place_of(layout, bound(row->mean, 1, row)) : 0;
    cli_puts("  ");
    for (size_t i = 0; i < layout->plot; i++)
        cli_puts(shown && i == at ? dot : i >= from && i <= to ? line : " ");
}

static void format_loss(char text[80], const struct cli_trial *row, const struct cli_term *term)
{
    char mean[CLI_NUMBER_SIZE], error[CLI_NUMBER_SIZE];
    cli_format_loss(mean, row->mean);
    cli_format_loss(error, row->error);
    if (!row->succeeded && !row->ended)
        (void)snprintf(text, 80, "failed");
    else if (isnan(row->error))
        (void)snprintf(text, 80, "%s", mean);
    else
        (void)snprintf(text, 80, "%s %s %s", mean, term->utf8 ? "±" : "+-", error);
}

/* printf counts bytes, and "±" has two. */
static void put_right(const char *text, size_t width)
{
    for (size_t i = cli_text_width(text); i < width; i++)
        cli_puts(" ");
    cli_puts(text);
}

static void draw_marks(const struct cli_trials *trials, size_t place)
{
    if (place == trials->min)
        cli_puts("  min");
    if (place == trials->one_se)
        cli_puts(place == trials->min ? " 1se" : "  1se");
}

static bool by_min(const struct cli_trials *trials)
{
    return strcmp(trials->rule, "min") == 0 || trials->one_se == trials->count;
}

static bool is_choice(const struct cli_trials *trials, size_t place)
{
    if (!trials->rule[0])
        return place == trials->min || place == trials->one_se;
    return place == (by_min(trials) ? trials->min : trials->one_se);
}

static void draw_row(const struct cli_trials *trials, size_t place, const struct layout *layout,
                     const struct cli_term *term)
{
    const struct cli_trial *row = &trials->rows[place];
    char text[80], number[CLI_NUMBER_SIZE];
    bool good = is_choice(trials, place);
    cli_puts(good ? cli_style(term, CLI_GREEN) : "");
    for (size_t k = 0; k < CLI_STRENGTHS; k++) {
        (void)snprintf(number, sizeof(number), "%.4g", row->strengths[k]);
        if (layout->strength[k])
            put_right(number, STRENGTH_WIDTH);
    }
    format_loss(text, row, term);
    cli_puts("  ");
    put_right(text, LOSS_WIDTH);
    if (trials->numbers)
        cli_format_loss(number, row->score);
    else
        cli_format_share(number, row->score);
    cli_puts(layout->score ? "  " : "");
    if (layout->score)
        put_right(number, SCORE_WIDTH);
    cli_format_rate(number, row->weights);
    cli_puts(layout->weights ? "  " : "");
    if (layout->weights)
        put_right(number, WEIGHTS_WIDTH);
    if (layout->plot > 0)
        draw_plot(layout, row, term);
    draw_marks(trials, place);
    cli_puts(good ? cli_style(term, CLI_PLAIN) : "");
    cli_puts("\n");
}

static void draw_header(const struct cli_trials *trials, const struct layout *layout,
                        const struct cli_term *term)
{
    cli_puts(cli_style(term, CLI_DIM));
    for (size_t k = 0; k < CLI_STRENGTHS; k++)
        if (layout->strength[k])
            put_right(k == 2 ? "decay" : strengths[k], STRENGTH_WIDTH);
    cli_puts("  ");
    put_right("valid loss", LOSS_WIDTH);
    cli_puts(layout->score ? "  " : "");
    if (layout->score)
        put_right(trials->numbers ? "rmse" : "accuracy", SCORE_WIDTH);
    cli_puts(layout->weights ? "  " : "");
    if (layout->weights)
        put_right("non-zero", WEIGHTS_WIDTH);
    cli_printf("%s\n", cli_style(term, CLI_PLAIN));
}

/* --- The table --------------------------------------------------------------------------------- */

void cli_trials_hide(struct cli_trials *trials)
{
    if (trials->drawn > 0)
        cli_printf("\r\033[%zuA\033[J", trials->drawn);
    trials->drawn = 0;
}

void cli_trials_leave(struct cli_trials *trials)
{
    trials->drawn = 0;
}

void cli_trials_draw(struct cli_trials *trials, const struct cli_term *term)
{
    cli_trials_hide(trials);
    if (trials->closed || trials->count == 0)
        return;
    size_t height = cli_term_height(), rows = height > LINES_AROUND + 1 ? height - LINES_AROUND : 1;
    size_t first = trials->newest >= rows ? trials->newest - rows + 1 : 0;
    struct layout layout = make_layout(trials, term);
    draw_header(trials, &layout, term);
    for (size_t i = first; i < trials->count && i < first + rows; i++, trials->drawn++)
        draw_row(trials, i, &layout, term);
    cli_printf("%strial %zu", cli_style(term, CLI_DIM), trials->count);
    if (trials->total > 0)
        cli_printf(" of %.0f", trials->total);
    cli_printf("%s\n", cli_style(term, CLI_PLAIN));
    trials->drawn += 2;
}

static void format_strengths(char *text, size_t size, const struct layout *layout,
                             const struct cli_trial *row)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t k = 0; k < CLI_STRENGTHS; k++) {
        if (!layout->strength[k] || used >= size)
            continue;
        int added = snprintf(text + used, size - used, "%s%s = %.4g", used > 0 ? ", " : "",
                             strengths[k], row->strengths[k]);
        used += added > 0 ? (size_t)added : 0;
    }
}

/* "1se chose l2 = 0.01: the strongest within one standard error (0.0383) of the least loss, 0.3910
 * at l2 = 0.001." */
static void say_choice(const struct cli_trials *trials, const struct layout *layout,
                       const struct cli_term *term)
{
    char chosen[96], least[96], loss[CLI_NUMBER_SIZE], error[CLI_NUMBER_SIZE];
    bool least_one = by_min(trials);
    const struct cli_trial *min = &trials->rows[trials->min];
    format_strengths(chosen, sizeof(chosen), layout,
                     least_one ? min : &trials->rows[trials->one_se]);
    format_strengths(least, sizeof(least), layout, min);
    cli_format_loss(loss, min->mean);
    cli_format_loss(error, min->error);
    cli_printf("%s%s chose %s%s: ", cli_style(term, CLI_BOLD), least_one ? "min" : "1se", chosen,
               cli_style(term, CLI_PLAIN));
    if (least_one)
        cli_printf("the least mean loss, %s.\n", loss);
    else
        cli_printf("the strongest within one standard error (%s)\n"
                   "  of the least mean loss, %s at %s.\n",
                   error, loss, least);
}

void cli_trials_close(struct cli_trials *trials, const struct cli_term *term)
{
    if (trials->closed || trials->count == 0)
        return;
    struct layout layout = make_layout(trials, term);
    cli_trials_hide(trials);
    trials->closed = true;
    draw_header(trials, &layout, term);
    for (size_t i = 0; i < trials->count; i++)
        draw_row(trials, i, &layout, term);
    if (trials->min == trials->count)
        cli_puts("No strength has succeeded.\n");
    else if (trials->total > (double)trials->count)
        cli_printf("%zu of %.0f strengths have been tried.\n", trials->count, trials->total);
    else if (trials->rule[0])
        say_choice(trials, &layout, term);
}
