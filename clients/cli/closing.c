/* The last words on a job: how it ended, which epoch is the best, and in plain words what
 * regularization did to the objective, the gap and the weights. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "clients/cli/canvas.h"
#include "clients/cli/view.h"

enum { TEXT_MAX = 2048, INDENT = 2 };

static const char *reason_words(const char *reason)
{
    static const struct {
        const char *reason, *words;
    } table[] = {
        {"epochs", "all epochs done"},
        {"early_stopping", "stopped early, it had ceased to get better"},
        {"deadline", "the deadline came"},
        {"stopped", "stopped on request"},
        {"cancelled", "cancelled"},
        {"nonfinite", "the numbers grew beyond all bounds"},
        {"crash", "the worker crashed"},
        {"memory", "out of memory"},
        {"not_reproducible", "a repeated epoch gave other bits"},
        {"data", "the data can't be used"},
    };
    for (size_t i = 0; reason && i < sizeof(table) / sizeof(table[0]); i++)
        if (strcmp(table[i].reason, reason) == 0)
            return table[i].words;
    return reason ? reason : "ended";
}

/* Prints words with line breaks before the terminal's edge; further lines are indented. */
static void print_wrapped(const struct cli_term *term, enum cli_style style, const char *text)
{
    size_t width = cli_term_width(), at = 0;
    cli_puts(style == CLI_PLAIN ? "" : cli_style(term, style));
    for (const char *word = text; *word;) {
        size_t bytes = strcspn(word, " ");
        char copy[256];
        (void)snprintf(copy, sizeof(copy), "%.*s", (int)(bytes < 255 ? bytes : 255), word);
        size_t columns = cli_text_width(copy);
        if (at > INDENT && at + 1 + columns > width) {
            cli_puts("\n  ");
            at = INDENT;
        } else if (at > 0 && word != text) {
            cli_puts(" ");
            at++;
        }
        cli_out(word, bytes);
        at += columns;
        word += bytes;
        word += strspn(word, " ");
    }
    cli_printf("%s\n", style == CLI_PLAIN ? "" : cli_style(term, CLI_PLAIN));
}

static void add(char *text, const char *more)
{
    size_t length = strlen(text);
    (void)snprintf(text + length, TEXT_MAX - length, "%s", more);
}

/* "data loss 0.4500, accuracy 90.00%" of a part of an event ("validation", "test"). */
static void add_scores(char *text, const cJSON *part)
{
    char number[CLI_NUMBER_SIZE], words[128];
    cli_format_loss(number, cli_number_at(part, "data_loss"));
    (void)snprintf(words, sizeof(words), "data loss %s", number);
    add(text, words);
    if (cli_at(part, "accuracy")) {
        cli_format_share(number, cli_number_at(part, "accuracy"));
        (void)snprintf(words, sizeof(words), ", accuracy %s", number);
        add(text, words);
    } else if (cli_at(part, "rmse")) {
        cli_format_loss(number, cli_number_at(part, "rmse"));
        (void)snprintf(words, sizeof(words), ", rmse %s", number);
        add(text, words);
    }
}

static void close_run(const struct cli_view *view)
{
    char text[TEXT_MAX] = "", words[160], time[CLI_NUMBER_SIZE];
    const char *status = cli_text_at(view->end, "status");
    double epoch = cli_number_at(view->last, "epoch");
    bool good = status && strcmp(status, "succeeded") == 0;
    cli_format_time(time, cli_number_at(view->last, "elapsed_s"));
    if (epoch > 0)
        (void)snprintf(words, sizeof(words), "%.0f epoch%s in %s: ", epoch, epoch == 1 ? "" : "s",
                       time);
    else if (view->trials.count > 0) /* without a refit, or before it */
        (void)snprintf(words, sizeof(words),
                       "%zu strength%s tried, no model trained: ", view->trials.count,
                       view->trials.count == 1 ? "" : "s");
    else
        (void)snprintf(words, sizeof(words), "No epoch was finished: ");
    add(text, words);
    add(text, reason_words(cli_text_at(view->end, "stop_reason")));
    add(text, ".");
    print_wrapped(&view->term, good ? CLI_BOLD : CLI_RED, text);
}

/* What went wrong, if the job failed: the problem's title and detail. */
static void close_error(const struct cli_view *view)
{
    const char *title = cli_text_at(view->end, "error.title");
    const char *detail = cli_text_at(view->end, "error.detail");
    char text[TEXT_MAX] = "Error: ";
    if (!title && !detail)
        return;
    add(text, title ? title : "");
    add(text, title && detail ? ": " : "");
    add(text, detail ? detail : "");
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = ' ';
    print_wrapped(&view->term, CLI_RED, text);
}

static void close_best(const struct cli_view *view)
{
    char text[TEXT_MAX] = "", words[160];
    double epoch = cli_number_at(view->end, "best.epoch");
    if (!(epoch > 0))
        return;
    if (view->has_validation) {
        (void)snprintf(words, sizeof(words), "Best is epoch %.0f", epoch);
        add(text, words);
        if (view->best && cli_number_at(view->best, "epoch") == epoch) {
            add(text, " (");
            add(text, view->as_chart ? cli_ink_text(&view->term, CLI_INK_BEST) : "*");
            add(text, "): validation ");
            add_scores(text, cli_at(view->best, "validation"));
        }
        add(text, ".");
    } else {
        (void)snprintf(words, sizeof(words),
                       "Without validation rows the best is the last, epoch %.0f.", epoch);
        add(text, words);
    }
    print_wrapped(&view->term, CLI_PLAIN, text);
    if (!cli_at(view->end, "test") || cJSON_IsNull(cli_at(view->end, "test")))
        return;
    (void)snprintf(text, sizeof(text), "On the test rows: ");
    add_scores(text, cli_at(view->end, "test"));
    add(text, ".");
    print_wrapped(&view->term, CLI_PLAIN, text);
}

/* "the penalty (L1 0.0100, L2 0.0210) is 7.1% of the objective" */
static void add_penalty(char *text, const cJSON *event)
{
    double l1 = cli_number_at(event, "penalty.l1"), l2 = cli_number_at(event, "penalty.l2");
    char a[CLI_NUMBER_SIZE], b[CLI_NUMBER_SIZE], share[CLI_NUMBER_SIZE], words[200];
    cli_format_loss(a, l1);
    cli_format_loss(b, l2);
    cli_format_share(share, (l1 + l2) / cli_number_at(event, "objective"));
    if (l1 > 0 && l2 > 0)
        (void)snprintf(words, sizeof(words), "the penalty (L1 %s, L2 %s) is %s of the objective", a,
                       b, share);
    else if (l1 > 0 || l2 > 0)
        (void)snprintf(words, sizeof(words), "the %s penalty, %s, is %s of the objective",
                       l1 > 0 ? "L1" : "L2", l1 > 0 ? a : b, share);
    else
        (void)snprintf(words, sizeof(words), "no penalty is in the objective");
    add(text, words);
}

/* "validation loss lies 0.0590 above training loss" */
static void add_gap(char *text, const cJSON *at, const cJSON *last)
{
    char gap[CLI_NUMBER_SIZE], words[200];
    double value = cli_number_at(at, "gap.loss");
    if (isnan(value))
        return;
    cli_format_loss(gap, fabs(value));
    (void)snprintf(words, sizeof(words), "; validation loss lies %s %s training loss", gap,
                   value < 0 ? "below" : "above");
    add(text, words);
    value = cli_number_at(last, "gap.loss");
    if (last == at || isnan(value))
        return;
    cli_format_loss(gap, fabs(value));
    (void)snprintf(words, sizeof(words), " (%s %s at the last epoch)", gap,
                   value < 0 ? "below" : "above");
    add(text, words);
}

static void close_regularization(const struct cli_view *view)
{
    bool at_best = view->has_validation && view->best &&
                   cli_number_at(view->best, "epoch") == cli_number_at(view->end, "best.epoch");
    const cJSON *at = at_best ? view->best : view->last;
    bool same = cli_number_at(at, "epoch") == cli_number_at(view->last, "epoch");
    char zeros[CLI_NUMBER_SIZE], count[CLI_NUMBER_SIZE], norm[CLI_NUMBER_SIZE], words[200];
    char text[TEXT_MAX] = "";
    if (!at)
        return;
    add(text, at_best ? "Regularization, at the best epoch: " : "Regularization: ");
    add_penalty(text, at);
    add_gap(text, at, same ? at : view->last);
    cli_format_count(zeros, cli_number_at(at, "weights.zeros"));
    cli_format_count(count, cli_number_at(at, "weights.count"));
    cli_format_loss(norm, cli_number_at(at, "weights.l2_norm"));
    (void)snprintf(words, sizeof(words),
                   "; %s of %s weights are exactly zero, their L2 norm is %s.", zeros, count, norm);
    add(text, words);
    print_wrapped(&view->term, CLI_PLAIN, text);
}

/* The verdict, as a sentence. */
static void close_verdict(const struct cli_view *view)
{
    char text[TEXT_MAX] = "";
    const char *sentence = cli_text_at(view->end, "report.sentence");
    if (!sentence || !*sentence)
        return;
    (void)snprintf(text, sizeof(text), "%.500s.", sentence);
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = ' ';
    if (text[0] >= 'a' && text[0] <= 'z')
        text[0] = (char)(text[0] - 'a' + 'A');
    print_wrapped(&view->term, CLI_BOLD, text);
}

void cli_closing_print(const struct cli_view *view, const char *model_path, const char *hint)
{
    close_run(view);
    close_error(view);
    if (view->last) {
        close_best(view);
        close_regularization(view);
    }
    if (model_path) {
        char bytes[CLI_NUMBER_SIZE];
        cli_format_bytes(bytes, cli_number_at(view->end, "model.bytes"));
        cli_printf("Model: %s (%s)\n", model_path, bytes);
    } else if (hint && cJSON_IsObject(cli_at(view->end, "model"))) {
        print_wrapped(&view->term, CLI_DIM, hint);
    }
    close_verdict(view);
}
