/* The `end` event is found behind the last epoch's: few events are. */
#include "clients/cli/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "clients/cli/args.h"
#include "clients/cli/remote.h"
#include "core/base/json.h"

enum { LAYERS_SHOWN = 12 };

typedef void print_line(const char *name, const char *text);

/* "data loss 0.3900, accuracy 91.20%" of train or validation. */
static void format_scores(char *out, size_t size, const cJSON *scores)
{
    char loss[CLI_NUMBER_SIZE], score[CLI_NUMBER_SIZE];
    cli_format_loss(loss, cli_number_at(scores, "data_loss"));
    bool classes = cli_at(scores, "accuracy") != NULL;
    if (classes)
        cli_format_share(score, cli_number_at(scores, "accuracy"));
    else
        cli_format_loss(score, cli_number_at(scores, "rmse"));
    (void)snprintf(out, size, "data loss %s, %s %s", loss, classes ? "accuracy" : "rmse", score);
}

static void show_gap(const cJSON *epoch, print_line *line)
{
    char loss[CLI_NUMBER_SIZE], low[CLI_NUMBER_SIZE], high[CLI_NUMBER_SIZE], text[160];
    if (!cli_at(epoch, "gap"))
        return;
    cli_format_loss(loss, cli_number_at(epoch, "gap.loss"));
    cli_format_loss(low, cli_number_at(epoch, "gap.low"));
    cli_format_loss(high, cli_number_at(epoch, "gap.high"));
    if (isnan(cli_number_at(epoch, "gap.low")))
        (void)snprintf(text, sizeof(text), "%s", loss);
    else
        (void)snprintf(text, sizeof(text), "%s (95%%: %s to %s)", loss, low, high);
    line("  gap", text);
}

/* "best epoch   8", then a line each for both sets and the gap. */
static void show_epoch(const cJSON *report, const char *which, print_line *line)
{
    char name[32], text[160];
    const cJSON *epoch = ock_json_get(report, which);
    if (!cJSON_IsObject(epoch))
        return;
    (void)snprintf(name, sizeof(name), "%s epoch", which);
    (void)snprintf(text, sizeof(text), "%.0f", cli_number_at(epoch, "epoch"));
    line(name, text);
    static const char *const sets[] = {"train", "validation"};
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        const cJSON *scores = ock_json_get(epoch, sets[i]);
        if (!scores)
            continue;
        (void)snprintf(name, sizeof(name), "  %s", sets[i]);
        format_scores(text, sizeof(text), scores);
        line(name, text);
    }
    show_gap(epoch, line);
}

static void show_layer(const cJSON *layer, print_line *line)
{
    char name[32], text[200], zeros[CLI_NUMBER_SIZE], count[CLI_NUMBER_SIZE];
    const char *of = cli_text_at(layer, "name");
    double share = cli_number_at(layer, "penalty_share");
    cli_format_count(zeros, cli_number_at(layer, "zeros"));
    cli_format_count(count, cli_number_at(layer, "count"));
    (void)snprintf(name, sizeof(name), "layer %.12s", of ? of : "?");
    int length = snprintf(text, sizeof(text), "%s of %s zero", zeros, count);
    static const char *const words[] = {"dead", "unread"};
    for (size_t i = 0; i < 2; i++) {
        double units = cli_number_at(layer, words[i]);
        if (units >= 0)
            length += snprintf(text + length, sizeof(text) - (size_t)length, ", %.0f units %s",
                               units, words[i]);
    }
    if (share > 0) {
        cli_format_share(count, share);
        (void)snprintf(text + length, sizeof(text) - (size_t)length, ", penalty %s of the gradient",
                       count);
    }
    line(name, text);
}

static void show_layers(const cJSON *report, print_line *line)
{
    const cJSON *layers = ock_json_get(report, "layers");
    int shown = 0;
    const cJSON *layer = NULL;
    cJSON_ArrayForEach(layer, layers)
    {
        if (shown++ < LAYERS_SHOWN)
            show_layer(layer, line);
    }
    if (shown > LAYERS_SHOWN) {
        char text[80];
        (void)snprintf(text, sizeof(text), "%d layers more: GET /v1/jobs/JOB/layers",
                       shown - LAYERS_SHOWN);
        line("", text);
    }
}

static void show(const cJSON *end, print_line *line)
{
    char text[64];
    const cJSON *report = ock_json_get(end, "report");
    if (!cJSON_IsObject(report))
        return;
    line("verdict", cli_text_at(report, "sentence"));
    show_epoch(report, "best", line);
    if (cli_number_at(report, "best.epoch") != cli_number_at(report, "last.epoch"))
        show_epoch(report, "last", line);
    double lambda_hat = cli_number_at(end, "lambda_hat");
    if (!isnan(lambda_hat)) {
        (void)snprintf(text, sizeof(text), "%.2g", lambda_hat);
        line("lambda_hat", text);
    }
    show_layers(report, line);
}

/* The last event of a page, if it is an `end`. */
static const cJSON *end_of(const cJSON *page)
{
    const cJSON *items = ock_json_get(page, "items");
    const cJSON *last = cJSON_GetArrayItem(items, cJSON_GetArraySize(items) - 1);
    const char *type = cli_text_at(last, "type");
    return type && strcmp(type, "end") == 0 ? last : NULL;
}

void cli_report_show(const cJSON *job, print_line *line)
{
    struct ock_buf path;
    struct cli_answer answer;
    char after[64];
    const char *status = cli_text_at(job, "status"), *id = cli_text_at(job, "id");
    double seq = cli_number_at(job, "latest.seq");
    if (!status || !id || strcmp(status, "succeeded") != 0)
        return;
    (void)snprintf(after, sizeof(after), "/events?format=json&after=%.0f", seq > 0 ? seq : 0);
    cli_job_path(&path, id, after);
    cli_answer_init(&answer);
    struct cli_request request = {.method = "GET", .path = path.data, .timeout_s = 60};
    /* The job was shown: a server that is gone by now is no fault. */
    if (cli_remote(&request, &answer) && answer.status == 200) {
        cJSON *page = cli_answer_json(&answer);
        show(end_of(page), line);
        cJSON_Delete(page);
    }
    cli_answer_deinit(&answer);
    ock_buf_deinit(&path);
}
