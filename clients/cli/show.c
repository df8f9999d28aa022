/* `ockham show`: one job. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "clients/cli/args.h"
#include "clients/cli/chart.h"
#include "clients/cli/remote.h"
#include "clients/cli/report.h"
#include "core/base/json.h"

static void line(const char *name, const char *text)
{
    if (!text || !*text)
        return;
    cli_printf("%-12s ", name);
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p >= 0x20 && *p != 0x7f)
            cli_out(p, 1);
    cli_puts("\n");
}

/* Before the first epoch of its refit; false: nothing is searched, or it is over. */
static bool show_search(const cJSON *job)
{
    char text[128];
    double total = cli_number_at(job, "progress.trials.total");
    if (!(total > 0) || cli_number_at(job, "progress.epoch") > 0)
        return false;
    (void)snprintf(text, sizeof(text), "search %.0f of %.0f",
                   cli_number_at(job, "progress.trials.done"), total);
    line("progress", text);
    return true;
}

static void show_progress(const cJSON *job)
{
    char text[128], left[CLI_NUMBER_SIZE];
    double epoch = cli_number_at(job, "progress.epoch");
    double epochs = cli_number_at(job, "progress.epochs");
    if (show_search(job) || !(epoch >= 0 && epochs > 0))
        return;
    int length = snprintf(text, sizeof(text), "%.0f of %.0f epochs", epoch, epochs);
    const char *status = cli_text_at(job, "status");
    double eta_s = cli_number_at(job, "progress.eta_s");
    if (status && strcmp(status, "running") == 0 && eta_s >= 0) {
        cli_format_time(left, eta_s);
        (void)snprintf(text + length, sizeof(text) - (size_t)length, ", %s left", left);
    }
    line("progress", text);
}

/* The scores of one part of the latest epoch ("train", "validation"). */
static void show_part(const cJSON *job, const char *part)
{
    char path[64], loss[CLI_NUMBER_SIZE], score[CLI_NUMBER_SIZE], text[128];
    (void)snprintf(path, sizeof(path), "latest.%s", part);
    const cJSON *values = cli_at(job, path);
    if (!cJSON_IsObject(values))
        return;
    cli_format_loss(loss, cli_number_at(values, "data_loss"));
    if (cli_at(values, "accuracy")) {
        cli_format_share(score, cli_number_at(values, "accuracy"));
        (void)snprintf(text, sizeof(text), "data loss %s, accuracy %s", loss, score);
    } else {
        cli_format_loss(score, cli_number_at(values, "rmse"));
        (void)snprintf(text, sizeof(text), "data loss %s, rmse %s", loss, score);
    }
    line(part, text);
}

static void show_weights(const cJSON *job)
{
    char zeros[CLI_NUMBER_SIZE], count[CLI_NUMBER_SIZE], norm[CLI_NUMBER_SIZE], text[160];
    if (!cli_at(job, "latest.weights"))
        return;
    cli_format_count(zeros, cli_number_at(job, "latest.weights.zeros"));
    cli_format_count(count, cli_number_at(job, "latest.weights.count"));
    cli_format_loss(norm, cli_number_at(job, "latest.weights.l2_norm"));
    (void)snprintf(text, sizeof(text), "%s of %s exactly zero, L2 norm %s", zeros, count, norm);
    line("weights", text);
}

static void show_best(const cJSON *job)
{
    char value[CLI_NUMBER_SIZE], text[160];
    const char *metric = cli_text_at(job, "best.metric");
    if (!metric)
        return;
    cli_format_loss(value, cli_number_at(job, "best.value"));
    (void)snprintf(text, sizeof(text), "epoch %.0f, %.60s %s", cli_number_at(job, "best.epoch"),
                   metric, value);
    line("best", text);
}

/* The model's size, and what a pruned one would have. */
static void show_model(const cJSON *job)
{
    char bytes[CLI_NUMBER_SIZE], count[CLI_NUMBER_SIZE], pruned[2][CLI_NUMBER_SIZE], text[160];
    if (!cli_at(job, "model.bytes") || !cli_at(job, "model.parameters"))
        return;
    cli_format_count(bytes, cli_number_at(job, "model.bytes"));
    cli_format_count(count, cli_number_at(job, "model.parameters"));
    int length = snprintf(text, sizeof(text), "%s parameters, %s bytes", count, bytes);
    if (cli_at(job, "model.pruned")) {
        cli_format_count(pruned[0], cli_number_at(job, "model.pruned.parameters"));
        cli_format_count(pruned[1], cli_number_at(job, "model.pruned.bytes"));
        (void)snprintf(text + length, sizeof(text) - (size_t)length,
                       "; pruned %s parameters, %s bytes", pruned[0], pruned[1]);
    }
    line("model", text);
}

static void show_warnings(const cJSON *job)
{
    const cJSON *warnings = ock_json_get(job, "warnings");
    if (!cJSON_IsArray(warnings))
        return;
    for (const cJSON *item = warnings->child; item; item = item->next)
        line("warning", cJSON_IsString(item) ? item->valuestring : cli_text_at(item, "message"));
}

static void show(const cJSON *job)
{
    line("job", cli_text_at(job, "id"));
    line("name", cli_text_at(job, "name"));
    line("status", cli_text_at(job, "status"));
    line("because", cli_text_at(job, "stop_reason"));
    line("dataset", cli_text_at(job, "dataset.name"));
    line("created", cli_text_at(job, "created_at"));
    line("started", cli_text_at(job, "started_at"));
    line("finished", cli_text_at(job, "finished_at"));
    show_progress(job);
    show_part(job, "train");
    show_part(job, "validation");
    show_weights(job);
    show_best(job);
    show_model(job);
    show_warnings(job);
    cli_report_show(job, line);
    line("error", cli_text_at(job, "error.title"));
    line("", cli_text_at(job, "error.detail"));
}

/* --- The chart --------------------------------------------------------------------------------- */

static double number_of(const cJSON *item)
{
    return cJSON_IsNumber(item) ? item->valuedouble : (double)NAN;
}

/* The columns of /metrics, side by side. */
static void fill_chart(struct cli_chart *chart, const cJSON *metrics, const cJSON *job)
{
    const cJSON *epoch = ock_json_get(metrics, "epoch");
    const cJSON *train = ock_json_get(metrics, "train.data_loss");
    const cJSON *validation = ock_json_get(metrics, "validation.data_loss");
    epoch = cJSON_IsArray(epoch) ? epoch->child : NULL;
    train = cJSON_IsArray(train) ? train->child : NULL;
    validation = cJSON_IsArray(validation) ? validation->child : NULL;
    for (; epoch && train && validation; epoch = epoch->next) {
        cli_chart_add(chart, number_of(epoch), number_of(train), number_of(validation));
        train = train->next;
        validation = validation->next;
    }
    chart->epochs = cli_number_at(job, "progress.epochs");
    chart->best = cli_number_at(job, "best.epoch");
}

static enum cli_exit show_chart(const char *id, const cJSON *job)
{
    struct cli_term term = cli_term_make();
    struct cli_chart chart;
    struct cli_answer answer;
    struct ock_buf path;
    cli_job_path(&path, id, "/metrics?names=train.data_loss,validation.data_loss");
    cli_answer_init(&answer);
    struct cli_request request = {.method = "GET", .path = path.data, .timeout_s = 60};
    (void)cli_remote(&request, &answer);
    enum cli_exit code = cli_remote_judge(&answer);
    if (code == CLI_DONE) {
        cJSON *metrics = cli_answer_json(&answer);
        cli_chart_init(&chart);
        fill_chart(&chart, metrics, job);
        line("job", cli_text_at(job, "name") ? cli_text_at(job, "name") : id);
        line("status", cli_text_at(job, "status"));
        show_progress(job);
        cli_puts("\n");
        cli_chart_close(&chart, &term);
        if (chart.count == 0 && cJSON_IsObject(cli_at(job, "spec.tune")))
            cli_printf("The epochs will be the refit's; ockham tuning %s shows the search.\n", id);
        cli_chart_deinit(&chart);
        cJSON_Delete(metrics);
    }
    cli_answer_deinit(&answer);
    ock_buf_deinit(&path);
    return code;
}

enum cli_exit cli_show(int argc, char **argv)
{
    struct cli_args args;
    struct ock_buf path;
    struct cli_answer answer;
    cli_args_parse(
        &args, argc, argv, "JOB", CLI_ARGS_JSON_OR_CHART,
        "Shows one job of the server, as words, as JSON, or as the curves of its losses.");
    cli_job_path(&path, args.name, "");
    cli_answer_init(&answer);
    struct cli_request request = {.method = "GET", .path = path.data, .timeout_s = 60};
    (void)cli_remote(&request, &answer);
    enum cli_exit code = cli_remote_judge(&answer);
    if (code == CLI_DONE && args.form == CLI_FORM_JSON) {
        cli_out(answer.body.data, answer.body.size);
        cli_puts("\n");
    } else if (code == CLI_DONE) {
        cJSON *job = cli_answer_json(&answer);
        if (args.form == CLI_FORM_CHART)
            code = show_chart(args.name, job);
        else
            show(job);
        cJSON_Delete(job);
    }
    cli_answer_deinit(&answer);
    ock_buf_deinit(&path);
    return code;
}
