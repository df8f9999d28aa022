/* Events as a table. Columns are chosen once, at the first epoch: what the event has, and of that
 * what fits into the terminal's width. */
#include "clients/cli/view.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Jobs with more epochs than this, when epochs come faster than that, share one rewritten row. */
static const double EPOCHS_OF_EACH_ROW = 200;
static const double ROW_PAUSE_S = 0.05;

enum { MARK_WIDTH = 2 };

/* What a column needs in the event to be there at all. */
enum need { ALWAYS, VALIDATION, ACCURACY, NUMBERS, BOTH_ACCURACY, BOTH_NUMBERS };

static void text_epoch(char text[CLI_NUMBER_SIZE], const cJSON *event)
{
    (void)snprintf(text, CLI_NUMBER_SIZE, "%.0f/%.0f", cli_number_at(event, "epoch"),
                   cli_number_at(event, "epochs"));
}

static void text_train_loss(char text[CLI_NUMBER_SIZE], const cJSON *event)
{
    cli_format_loss(text, cli_number_at(event, "train.data_loss"));
}

static void text_valid_loss(char text[CLI_NUMBER_SIZE], const cJSON *event)
{
    cli_format_loss(text, cli_number_at(event, "validation.data_loss"));
}

static void text_penalty(char text[CLI_NUMBER_SIZE], const cJSON *event)
{
    cli_format_loss(text, cli_number_at(event, "penalty.l1") + cli_number_at(event, "penalty.l2"));
}

static void text_train_accuracy(char text[CLI_NUMBER_SIZE], const cJSON *event)
{
    cli_format_share(text, cli_number_at(event, "train.accuracy"));
}

static void text_valid_accuracy(char text[CLI_NUMBER_SIZE], const cJSON *event)
{
    cli_format_share(text, cli_number_at(event, "validation.accuracy"));
}

static void text_train_rmse(char text[CLI_NUMBER_SIZE], const cJSON *event)
{
    cli_format_loss(text, cli_number_at(event, "train.rmse"));
}

static void text_valid_rmse(char text[CLI_NUMBER_SIZE], const cJSON *event)
{
    cli_format_loss(text, cli_number_at(event, "validation.rmse"));
}

static void text_gap(char text[CLI_NUMBER_SIZE], const cJSON *event)
{
    cli_format_loss(text, cli_number_at(event, "gap.loss"));
}

static void text_zeros(char text[CLI_NUMBER_SIZE], const cJSON *event)
{
    cli_format_rate(text, cli_number_at(event, "weights.zeros"));
}

static void text_rate(char text[CLI_NUMBER_SIZE], const cJSON *event)
{
    cli_format_rate(text, cli_number_at(event, "samples_per_s"));
}

/* In the order of the table. A narrow terminal drops the largest `drop` first, 0 never. The needs
 * of the two scores differ: beside a validation score, the training one is the first to go. */
static const struct column {
    const char *title;
    int width;
    int drop;
    enum need need;
    void (*text)(char text[CLI_NUMBER_SIZE], const cJSON *event);
} columns[] = {
    {"epoch", 7, 0, ALWAYS, text_epoch},
    {"train loss", 10, 1, ALWAYS, text_train_loss},
    {"valid loss", 10, 0, VALIDATION, text_valid_loss},
    {"penalty", 8, 4, ALWAYS, text_penalty},
    {"train acc", 9, 7, BOTH_ACCURACY, text_train_accuracy},
    {"accuracy", 9, 2, ACCURACY, text_train_accuracy},
    {"valid acc", 9, 2, BOTH_ACCURACY, text_valid_accuracy},
    {"train rmse", 10, 7, BOTH_NUMBERS, text_train_rmse},
    {"rmse", 10, 2, NUMBERS, text_train_rmse},
    {"valid rmse", 10, 2, BOTH_NUMBERS, text_valid_rmse},
    {"gap", 9, 3, VALIDATION, text_gap},
    {"zeros", 6, 5, ALWAYS, text_zeros},
    {"samples/s", 9, 6, ALWAYS, text_rate},
};
enum { COLUMN_COUNT = sizeof(columns) / sizeof(columns[0]) };

static bool wanted(const struct cli_view *view, enum need need)
{
    bool validation = view->has_validation, accuracy = view->has_accuracy;
    switch (need) {
    case ALWAYS:
        return true;
    case VALIDATION:
        return validation;
    case ACCURACY:
        return accuracy && !validation;
    case NUMBERS:
        return !accuracy && !validation;
    case BOTH_ACCURACY:
        return accuracy && validation;
    case BOTH_NUMBERS:
        return !accuracy && validation;
    }
    return false;
}

/* The width of the i-th column shown. Only the first one's depends on the job: "999/100000". */
static int column_width(const struct cli_view *view, size_t i)
{
    char text[CLI_NUMBER_SIZE];
    if (i > 0)
        return columns[view->columns[i]].width;
    int digits = snprintf(text, sizeof(text), "%.0f", view->epochs);
    return 2 * digits + 1 > columns[0].width ? 2 * digits + 1 : columns[0].width;
}

static size_t row_width(const struct cli_view *view)
{
    size_t width = MARK_WIDTH;
    for (size_t i = 0; i < view->column_count; i++)
        width += (size_t)column_width(view, i) + (i > 0);
    return width;
}

/* Removes the column that is dropped first; false when all must stay. */
static bool drop_one(struct cli_view *view)
{
    size_t victim = 0;
    for (size_t i = 1; i < view->column_count; i++)
        if (columns[view->columns[i]].drop > columns[view->columns[victim]].drop)
            victim = i;
    if (columns[view->columns[victim]].drop == 0)
        return false;
    view->column_count--;
    memmove(&view->columns[victim], &view->columns[victim + 1],
            (view->column_count - victim) * sizeof(view->columns[0]));
    return true;
}

static void choose_columns(struct cli_view *view)
{
    view->column_count = 0;
    for (size_t i = 0; i < COLUMN_COUNT && view->column_count < CLI_VIEW_COLUMNS_MAX; i++)
        if (wanted(view, columns[i].need))
            view->columns[view->column_count++] = i;
    while (row_width(view) > cli_term_width() && drop_one(view))
        ;
}

static void clear_line(struct cli_view *view)
{
    if (view->line_open)
        cli_puts("\r\033[K");
    view->line_open = false;
}

void cli_view_break(struct cli_view *view)
{
    clear_line(view);
    cli_trials_leave(&view->trials);
}

static void print_header(struct cli_view *view)
{
    cli_puts(cli_style(&view->term, CLI_DIM));
    for (size_t i = 0; i < view->column_count; i++) {
        const struct column *column = &columns[view->columns[i]];
        cli_printf("%s%*s", i > 0 ? " " : "", column_width(view, i), column->title);
    }
    cli_printf("%s\n", cli_style(&view->term, CLI_PLAIN));
    view->header_shown = true;
}

static void print_row(struct cli_view *view, const cJSON *event, bool best)
{
    cli_puts(best ? cli_style(&view->term, CLI_GREEN) : "");
    for (size_t i = 0; i < view->column_count; i++) {
        char text[CLI_NUMBER_SIZE];
        columns[view->columns[i]].text(text, event);
        cli_printf("%s%*s", i > 0 ? " " : "", column_width(view, i), text);
    }
    cli_puts(best ? " *" : "");
    cli_puts(best ? cli_style(&view->term, CLI_PLAIN) : "");
}

static double now_s(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void keep(cJSON **slot, const cJSON *event)
{
    cJSON_Delete(*slot);
    *slot = cJSON_Duplicate(event, 1);
}

static void show_epoch(struct cli_view *view, const cJSON *event)
{
    double epoch = cli_number_at(event, "epoch"), epochs = cli_number_at(event, "epochs");
    bool best = cli_number_at(event, "best.epoch") == epoch;
    if (epochs > 0)
        view->epochs = epochs;
    keep(&view->last, event);
    if (best)
        keep(&view->best, event);
    clear_line(view);
    if (!view->header_shown) {
        view->has_validation = cli_at(event, "validation") != NULL;
        view->has_accuracy = cli_at(event, "train.accuracy") != NULL;
    }
    if (view->as_chart) {
        cli_chart_epoch(&view->chart, event);
        cli_chart_draw(&view->chart, &view->term, false);
        return;
    }
    if (!view->header_shown) {
        choose_columns(view);
        print_header(view);
    }
    /* Without validation rows the best is the last: a mark on every row would say nothing. */
    print_row(view, event, best && view->has_validation);
    double now = now_s();
    bool fast = epochs > EPOCHS_OF_EACH_ROW && now - view->row_time_s < ROW_PAUSE_S;
    if (fast && epoch < epochs) {
        view->line_open = true; /* the next row takes this one's place */
        return;
    }
    cli_puts("\n");
    view->row_time_s = now;
}

/* "epoch 3/20 [####------]  45%  loss 0.4200  4.5 s left", as much of it as fits; of a search,
 * which counts its trials, "search 7 of 16 [####------]  45%". */
static void show_progress(struct cli_view *view, const cJSON *event)
{
    enum { BAR = 20 };
    double fraction = cli_number_at(event, "fraction");
    double trials = cli_number_at(event, "trials"); /* of a search */
    bool search = trials > 0;
    char loss[CLI_NUMBER_SIZE], left[CLI_NUMBER_SIZE], bar[BAR + 1], line[160];
    int length = 0;
    if (view->as_chart && !search) {
        cli_chart_progress(&view->chart, event);
        cli_chart_draw(&view->chart, &view->term, false);
        return;
    }
    fraction = fraction >= 0 && fraction <= 1 ? fraction : 0;
    for (int i = 0; i < BAR; i++)
        bar[i] = i < (int)(fraction * BAR) ? '#' : '-';
    bar[BAR] = '\0';
    cli_format_loss(loss, cli_number_at(event, "running_loss"));
    cli_format_time(left, cli_number_at(view->last, "eta_s"));
    if (search)
        length = snprintf(line, sizeof(line), "search %.0f of %.0f",
                          cli_number_at(event, "trials_done"), trials);
    else
        length = snprintf(line, sizeof(line), "epoch %.0f", cli_number_at(event, "epoch"));
    if (!search && view->epochs > 0)
        length += snprintf(line + length, sizeof(line) - (size_t)length, "/%.0f", view->epochs);
    length += snprintf(line + length, sizeof(line) - (size_t)length, " [%s] %3.0f%%", bar,
                       100 * fraction);
    if (!search)
        length += snprintf(line + length, sizeof(line) - (size_t)length, "  loss %s", loss);
    if (view->last)
        length += snprintf(line + length, sizeof(line) - (size_t)length, "  %s left", left);
    size_t room = cli_term_width() - 1;
    clear_line(view);
    cli_out(line, (size_t)length < room ? (size_t)length : room);
    view->line_open = true;
}

/* A line of its own; the text comes from a trainer or a server: control characters are dropped. */
static void show_text(struct cli_view *view, enum cli_style style, const char *what,
                      const char *text)
{
    clear_line(view);
    if (*what)
        cli_printf("%s%s%s", cli_style(&view->term, style), what,
                   cli_style(&view->term, CLI_PLAIN));
    for (const char *p = text ? text : ""; *p; p++)
        if ((unsigned char)*p >= 0x20 && *p != 0x7f)
            cli_out(p, 1);
    cli_puts("\n");
}

static void show_state(struct cli_view *view, const cJSON *event)
{
    char text[160];
    const char *status = cli_text_at(event, "status"), *reason = cli_text_at(event, "reason");
    double attempt = cli_number_at(event, "attempt");
    int length = snprintf(text, sizeof(text), "%.40s", status ? status : "?");
    if (attempt > 1)
        length += snprintf(text + length, sizeof(text) - (size_t)length, ", attempt %.0f", attempt);
    if (reason)
        (void)snprintf(text + length, sizeof(text) - (size_t)length, " (%.80s)", reason);
    show_text(view, CLI_PLAIN, "", text);
}

static void show_trial(struct cli_view *view, const cJSON *event)
{
    struct cli_trials *trials = &view->trials;
    clear_line(view);
    if (!cli_trials_add(trials, event))
        return;
    if ((double)trials->count >= trials->total)
        cli_trials_close(trials, &view->term);
    else
        cli_trials_draw(trials, &view->term);
}

/* The table of trials and the chart stand below all else: they give way to a line and come back behind it. The
 * search is over with the first epoch after it, and with the job. */
static void give_way(struct cli_view *view, const char *type)
{
    struct cli_trials *trials = &view->trials;
    if (strcmp(type, "trial") == 0 || strcmp(type, "progress") == 0)
        return;
    if (view->as_chart && strcmp(type, "epoch") != 0)
        cli_chart_hide(&view->chart);
    clear_line(view);
    if (strcmp(type, "epoch") == 0 || strcmp(type, "end") == 0)
        cli_trials_close(trials, &view->term);
    else
        cli_trials_hide(trials);
}

static void come_back(struct cli_view *view, const char *type)
{
    bool has_chart = view->as_chart && view->chart.count > 0;
    if (has_chart && view->chart.drawn == 0 && strcmp(type, "end") != 0)
        cli_chart_draw(&view->chart, &view->term, true);
    if (strcmp(type, "trial") != 0 && strcmp(type, "progress") != 0)
        cli_trials_draw(&view->trials, &view->term);
}

void cli_view_event(struct cli_view *view, const cJSON *event)
{
    const char *type = cli_text_at(event, "type");
    if (!type)
        return;
    give_way(view, type);
    if (strcmp(type, "epoch") == 0)
        show_epoch(view, event);
    else if (strcmp(type, "trial") == 0)
        show_trial(view, event);
    else if (strcmp(type, "progress") == 0)
        show_progress(view, event);
    else if (strcmp(type, "warning") == 0)
        show_text(view, CLI_YELLOW, "warning: ", cli_text_at(event, "message"));
    else if (strcmp(type, "log") == 0)
        show_text(view, CLI_PLAIN, "", cli_text_at(event, "message"));
    else if (strcmp(type, "state") == 0)
        show_state(view, event);
    else if (strcmp(type, "end") == 0)
        keep(&view->end, event);
    come_back(view, type);
    cli_out_flush();
}

void cli_view_init(struct cli_view *view, double epochs)
{
    *view = (struct cli_view){.term = cli_term_make(), .epochs = epochs};
    view->trials.total = (double)NAN;
    cli_chart_init(&view->chart);
    view->row_time_s = -1e9;
}

void cli_view_deinit(struct cli_view *view)
{
    cli_trials_deinit(&view->trials);
    cli_chart_deinit(&view->chart);
    cJSON_Delete(view->best);
    cJSON_Delete(view->last);
    cJSON_Delete(view->end);
    *view = (struct cli_view){0};
}

void cli_view_fit(struct cli_view *view)
{
    if (view->as_chart)
        cli_chart_fit(&view->chart, &view->term);
}

void cli_view_close(struct cli_view *view, const char *model_path, const char *hint)
{
    if (view->as_chart) {
        clear_line(view);
        cli_chart_hide(&view->chart);
        cli_chart_close(&view->chart, &view->term);
    }
    cli_view_break(view);
    if (view->end)
        cli_closing_print(view, model_path, hint);
    cli_out_flush();
}
