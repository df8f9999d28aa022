/* A chart's numbers, and the lines that show them:
 *
 *      data loss over epochs, log axis
 *      0.8 ┤⠑⢄
 *          │  ⠑⠤⣀    ◆
 *      0.4 ┤      ⠉⠒⠤⢄⣀
 *          └──┬─────┬─────
 *             5     10
 *      ━ train 0.3910   ━ valid 0.4500   ◆ best: epoch 7, 0.4470
 *      epoch 12/20: 45%   4.50 s left */
#include "clients/cli/chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "clients/cli/canvas.h"
#include "core/base/axis.h"
#include "core/base/limits.h"

enum {
    ROWS_MIN = 4,
    COLUMNS_MIN = 8,
    LINE_SIZE = 512,
    AROUND = 4,
    LABEL_SIZE = OCK_TICK_TEXT_SIZE
};

/* --- Numbers ----------------------------------------------------------------------------------- */

void cli_chart_init(struct cli_chart *chart)
{
    *chart = (struct cli_chart){.epochs = (double)NAN,
                                .best = (double)NAN,
                                .at_work = (double)NAN,
                                .fraction = (double)NAN,
                                .eta_s = (double)NAN,
                                .drawn_s = -1e9};
}

void cli_chart_deinit(struct cli_chart *chart)
{
    free(chart->epoch);
    free(chart->train);
    free(chart->validation);
    cli_chart_init(chart);
}

static bool grow(double **values, size_t capacity)
{
    double *larger = realloc(*values, capacity * sizeof(**values));
    if (larger)
        *values = larger;
    return larger != NULL;
}

static bool has_room(struct cli_chart *chart)
{
    size_t capacity = 2 * chart->capacity + 64;
    if (chart->count < chart->capacity)
        return true;
    if (!grow(&chart->epoch, capacity) || !grow(&chart->train, capacity) ||
        !grow(&chart->validation, capacity))
        return false;
    chart->capacity = capacity;
    return true;
}

void cli_chart_add(struct cli_chart *chart, double epoch, double train, double validation)
{
    chart->failed = chart->failed || !has_room(chart);
    if (chart->failed)
        return;
    chart->epoch[chart->count] = epoch;
    chart->train[chart->count] = train;
    chart->validation[chart->count] = validation;
    chart->has_validation = chart->has_validation || isfinite(validation);
    chart->count++;
}

void cli_chart_epoch(struct cli_chart *chart, const cJSON *event)
{
    chart->epochs = cli_number_at(event, "epochs");
    chart->best = cli_number_at(event, "best.epoch");
    chart->eta_s = cli_number_at(event, "eta_s");
    chart->fraction = (double)NAN;
    cli_chart_add(chart, cli_number_at(event, "epoch"), cli_number_at(event, "train.data_loss"),
                  cli_number_at(event, "validation.data_loss"));
}

void cli_chart_progress(struct cli_chart *chart, const cJSON *event)
{
    double fraction = cli_number_at(event, "fraction");
    chart->fraction = fraction >= 0 && fraction <= 1 ? fraction : (double)NAN;
    chart->at_work = cli_number_at(event, "epoch");
}

/* --- Curves ------------------------------------------------------------------------------------ */

struct layout {
    const struct cli_chart *chart;
    const struct cli_term *term;
    size_t columns; /* that a line may take */
    size_t margin;  /* left of the axis */
    struct ock_axis x, y;
    struct cli_canvas canvas;
    size_t tick_count;
    struct ock_tick ticks[OCK_TICKS_MAX]; /* of the y axis */
};

static double x_of(const struct layout *layout, size_t i)
{
    return ock_axis_at(&layout->x, layout->chart->epoch[i]);
}

static void draw_curve(struct layout *layout, const double *values, enum cli_ink ink)
{
    const struct cli_chart *chart = layout->chart;
    for (size_t i = 0; i < chart->count; i++) {
        size_t from = i > 0 && isfinite(values[i - 1]) ? i - 1 : i;
        if (isfinite(values[i]))
            cli_canvas_line(&layout->canvas, x_of(layout, from),
                            ock_axis_at(&layout->y, values[from]), x_of(layout, i),
                            ock_axis_at(&layout->y, values[i]), ink);
    }
}

/* Its place among the epochs; count: none, or without validation rows, when the best is the last. */
static size_t find_best(const struct cli_chart *chart)
{
    for (size_t i = 0; i < chart->count && chart->has_validation; i++)
        if (chart->epoch[i] == chart->best)
            return i;
    return chart->count;
}

static void draw_curves(struct layout *layout)
{
    const struct cli_chart *chart = layout->chart;
    size_t best = find_best(chart);
    draw_curve(layout, chart->train, CLI_INK_TRAIN);
    draw_curve(layout, chart->validation, CLI_INK_VALIDATION);
    if (best < chart->count && isfinite(chart->validation[best]))
        cli_canvas_mark(&layout->canvas, x_of(layout, best),
                        ock_axis_at(&layout->y, chart->validation[best]), CLI_INK_BEST);
}

/* --- Axes -------------------------------------------------------------------------------------- */

static void tick_text(char text[LABEL_SIZE], const struct ock_tick *tick)
{
    if (tick->is_power)
        (void)snprintf(text, LABEL_SIZE, "%.0e", tick->value);
    else
        (void)snprintf(text, LABEL_SIZE, "%s", tick->text);
}

/* The label of a row, the one nearest to its upper edge; NULL: none. Two rows one below the other
 * are not both labelled. */
static const struct ock_tick *tick_of(const struct layout *layout, size_t row)
{
    size_t last = layout->canvas.rows + 1;
    const struct ock_tick *found = NULL;
    for (size_t i = 0; i < layout->tick_count; i++) {
        const struct ock_tick *tick = &layout->ticks[i];
        size_t at = cli_canvas_row_of(&layout->canvas, ock_axis_at(&layout->y, tick->value));
        if (!tick->major || at + 2 > last)
            continue;
        last = at;
        if (at == row)
            found = tick;
    }
    return found;
}

/* Axes of that size; the margin is as wide as the widest label. False: no memory. */
static bool make_layout(struct layout *layout, size_t rows)
{
    const struct cli_chart *chart = layout->chart;
    struct ock_axis first;
    const double *validation = chart->has_validation ? chart->validation : NULL;
    char text[LABEL_SIZE];
    if (!ock_axis_losses(&first, chart->train, validation, chart->count, 1, 0))
        first = ock_axis_make(false, 0, 1, 1, 0);
    layout->tick_count = ock_axis_ticks(&first, layout->ticks);
    layout->margin = 1;
    for (size_t i = 0; i < layout->tick_count; i++) {
        tick_text(text, &layout->ticks[i]);
        if (layout->ticks[i].major && strlen(text) + 1 > layout->margin)
            layout->margin = strlen(text) + 1;
    }
    size_t around = layout->margin + 1;
    size_t columns =
        layout->columns > around + COLUMNS_MIN ? layout->columns - around : COLUMNS_MIN;
    if (!cli_canvas_init(&layout->canvas, columns, rows, layout->term))
        return false;
    layout->y = first;
    layout->y.from = (double)cli_canvas_height(&layout->canvas) - 1;
    layout->y.to = 0;
    layout->y.zero_at = 2 * layout->y.from + 2; /* out of sight */
    layout->x = ock_axis_make(false, chart->epoch[0], chart->epoch[chart->count - 1], 0,
                              (double)cli_canvas_width(&layout->canvas) - 1);
    return true;
}

static void write_row(const struct layout *layout, size_t row, struct ock_buf *out)
{
    char text[LABEL_SIZE] = "";
    const struct ock_tick *tick = tick_of(layout, row);
    bool utf8 = layout->term->utf8;
    if (tick)
        tick_text(text, tick);
    ock_buf_printf(out, "%s%*s %s%s", cli_style(layout->term, CLI_DIM), (int)layout->margin - 1,
                   text, tick ? (utf8 ? "┤" : "+") : (utf8 ? "│" : "|"),
                   cli_style(layout->term, CLI_PLAIN));
    cli_canvas_write(&layout->canvas, row, layout->term, out);
    ock_buf_putc(out, '\n');
}

static size_t column_of(const struct layout *layout, double epoch)
{
    double dots = (double)cli_canvas_width(&layout->canvas) / (double)layout->canvas.columns;
    double column = floor(round(ock_axis_at(&layout->x, epoch)) / dots);
    return column <= 0 ? 0 : (size_t)column;
}

/* Below its column, but not beyond the canvas. */
static size_t label_begin(const struct layout *layout, size_t column, size_t length)
{
    size_t half = length / 2, begin = column > half ? column - half : 0;
    return begin + length > layout->canvas.columns ? layout->canvas.columns - length : begin;
}

/* The line below the canvas, and the whole epochs under its ticks, as many as do not meet. */
static void write_x_axis(const struct layout *layout, struct ock_buf *out)
{
    struct ock_tick ticks[OCK_TICKS_MAX];
    struct ock_buf labels;
    char text[LABEL_SIZE];
    bool utf8 = layout->term->utf8;
    size_t count = ock_axis_ticks(&layout->x, ticks), at = 0, used = 0;
    ock_buf_init(&labels, LINE_SIZE + layout->columns);
    ock_buf_printf(out, "%s%*s%s", cli_style(layout->term, CLI_DIM), (int)layout->margin, "",
                   utf8 ? "└" : "+");
    for (size_t i = 0; i < count; i++) {
        double epoch = round(ticks[i].value);
        size_t column = column_of(layout, epoch);
        int length = snprintf(text, sizeof(text), "%.0f", epoch);
        size_t begin = label_begin(layout, column, (size_t)length);
        bool meets = used > 0 && begin < used + 2;
        if (fabs(ticks[i].value - epoch) > 1e-6 || meets)
            continue;
        for (; at < column; at++)
            ock_buf_puts(out, utf8 ? "─" : "-");
        ock_buf_puts(out, utf8 ? "┬" : "+");
        at++;
        ock_buf_printf(&labels, "%*s%s", (int)(begin - used), "", text);
        used = begin + (size_t)length;
    }
    for (; at < layout->canvas.columns; at++)
        ock_buf_puts(out, utf8 ? "─" : "-");
    ock_buf_printf(out, "\n%*s%s%s\n", (int)layout->margin + 1, "", labels.data ? labels.data : "",
                   cli_style(layout->term, CLI_PLAIN));
    if (ock_buf_status(&labels, NULL) != OCK_OK)
        out->failed = labels.failed;
    ock_buf_deinit(&labels);
}

/* --- Words ------------------------------------------------------------------------------------- */

struct words {
    const struct cli_term *term;
    size_t left; /* columns */
    bool begun;
    struct ock_buf *out;
};

/* "━ train 0.3910". False: there is no room for it. */
static bool add_words(struct words *words, enum cli_ink ink, const char *text)
{
    const char *sample = ink == CLI_INK_NONE ? "" : cli_ink_text(words->term, ink);
    size_t width = cli_text_width(sample) + (*sample ? 1 : 0) + cli_text_width(text);
    width += words->begun ? 3 : 0;
    if (width > words->left)
        return false;
    words->left -= width;
    ock_buf_puts(words->out, words->begun ? "   " : "");
    if (*sample)
        ock_buf_printf(words->out, "%s%s%s ", cli_ink_style(words->term, ink), sample,
                       cli_style(words->term, CLI_PLAIN));
    ock_buf_puts(words->out, text);
    words->begun = true;
    return true;
}

static void write_legend(const struct layout *layout, struct ock_buf *out)
{
    const struct cli_chart *chart = layout->chart;
    struct words words = {.term = layout->term, .left = layout->columns, .out = out};
    char number[CLI_NUMBER_SIZE], text[96];
    size_t best = find_best(chart), last = chart->count - 1;
    cli_format_loss(number, chart->train[last]);
    (void)snprintf(text, sizeof(text), "train %s", number);
    (void)add_words(&words, CLI_INK_TRAIN, text);
    cli_format_loss(number, chart->validation[last]);
    (void)snprintf(text, sizeof(text), "valid %s", number);
    if (chart->has_validation)
        (void)add_words(&words, CLI_INK_VALIDATION, text);
    if (best < chart->count) {
        cli_format_loss(number, chart->validation[best]);
        int length = snprintf(text, sizeof(text), "best: epoch %.0f", chart->best);
        (void)snprintf(text + length, sizeof(text) - (size_t)length, ", %s", number);
        if (!add_words(&words, CLI_INK_BEST, text)) {
            text[length] = '\0';
            (void)add_words(&words, CLI_INK_BEST, text);
        }
    }
    ock_buf_putc(out, '\n');
}

/* "epoch 12/20: 45%   4.50 s left" */
static void write_status(const struct cli_chart *chart, const struct cli_term *term, size_t columns,
                         struct ock_buf *out)
{
    char number[CLI_NUMBER_SIZE], text[96];
    struct words words = {.term = term, .left = columns, .out = out};
    bool within = isfinite(chart->fraction) && chart->at_work > 0;
    double epoch = within ? chart->at_work : chart->count > 0 ? chart->epoch[chart->count - 1] : 0;
    int length = snprintf(text, sizeof(text), "epoch %.0f", epoch);
    if (chart->epochs > 0)
        length += snprintf(text + length, sizeof(text) - (size_t)length, "/%.0f", chart->epochs);
    if (within)
        (void)snprintf(text + length, sizeof(text) - (size_t)length, ": %.0f%%",
                       100 * chart->fraction);
    (void)add_words(&words, CLI_INK_NONE, epoch > 0 ? text : "no epoch yet");
    cli_format_time(number, chart->eta_s);
    (void)snprintf(text, sizeof(text), "%s left", number);
    if (isfinite(chart->eta_s))
        (void)add_words(&words, CLI_INK_NONE, text);
    ock_buf_putc(out, '\n');
}

/* As much of it as there is room for. */
static void write_title(const struct layout *layout, struct ock_buf *out)
{
    static const char *const pieces[] = {"data loss", " over epochs", ", log axis"};
    size_t count = layout->y.log ? 3 : 2, used = 0;
    ock_buf_puts(out, cli_style(layout->term, CLI_BOLD));
    for (size_t i = 0; i < count; i++) {
        if (used + strlen(pieces[i]) > layout->columns)
            break;
        used += strlen(pieces[i]);
        ock_buf_puts(out, pieces[i]);
        ock_buf_puts(out, i == 0 ? cli_style(layout->term, CLI_PLAIN) : "");
    }
    ock_buf_putc(out, '\n');
}

static size_t write_chart(struct layout *layout, size_t rows, struct ock_buf *out)
{
    if (!make_layout(layout, rows))
        return 0;
    write_title(layout, out);
    draw_curves(layout);
    for (size_t row = 0; row < layout->canvas.rows; row++)
        write_row(layout, row, out);
    write_x_axis(layout, out);
    write_legend(layout, out);
    size_t lines = layout->canvas.rows + AROUND;
    cli_canvas_deinit(&layout->canvas);
    return lines;
}

size_t cli_chart_write(const struct cli_chart *chart, const struct cli_term *term, size_t columns,
                       size_t lines, bool status, struct ock_buf *out)
{
    struct layout layout = {.chart = chart, .term = term, .columns = columns};
    size_t around = AROUND + (status ? 1 : 0), written = 0;
    if (chart->count > 0) {
        written = write_chart(&layout, lines > around + ROWS_MIN ? lines - around : ROWS_MIN, out);
        if (written == 0)
            return 0;
    }
    if (status || chart->count == 0)
        write_status(chart, term, columns, out);
    written += status || chart->count == 0;
    return ock_buf_status(out, NULL) == OCK_OK ? written : 0;
}
