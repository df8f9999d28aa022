/* `ockham summary`: what the columns of a server's dataset hold. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "clients/cli/cli.h"
#include "clients/cli/remote.h"
#include "clients/cli/table.h"
#include "core/base/json.h"
#include "core/base/limits.h"

enum { KEY_COLUMNS = 'c', KEY_JSON = 0x100, TEXT_SIZE = 400 };

static const struct argp_option options[] = {
    {"columns", KEY_COLUMNS, "COLUMNS", 0,
     "Names or positions (3, -1, 10-19) between commas; the first 1000 if left out", 0},
    {"json", KEY_JSON, NULL, 0, "All of it, with quantiles and histograms, as JSON", 0},
    {0},
};

static const char doc[] =
    "Describes the columns of a dataset of the server, by its id or name.\v"
    "Numbers by their range, mean, standard deviation and median, categories by the most frequent "
    "values; the target by the counts of its classes. The first time takes a second or so for a "
    "gigabyte.";

struct summary_options {
    const char *dataset, *columns;
    bool json;
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct summary_options *o = state->input;
    switch (key) {
    case KEY_COLUMNS:
        o->columns = arg;
        return 0;
    case KEY_JSON:
        o->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (o->dataset)
            argp_error(state, "one DATASET at a time: %s and %s", o->dataset, arg);
        o->dataset = arg;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which DATASET?");
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* "red 40, blue 20, 7 others 12" of counts. */
static void list_counts(char text[TEXT_SIZE], const cJSON *counts, double others, double rows)
{
    size_t length = 0;
    text[0] = '\0';
    for (const cJSON *item = counts ? counts->child : NULL; item; item = item->next) {
        const char *value = cli_text_at(item, "value");
        int added = snprintf(text + length, TEXT_SIZE - length, "%s%.60s %.0f", length ? ", " : "",
                             value ? value : "", cli_number_at(item, "count"));
        if (added < 0 || length + (size_t)added >= TEXT_SIZE - 64)
            return;
        length += (size_t)added;
    }
    if (others > 0)
        (void)snprintf(text + length, TEXT_SIZE - length, ", %.0f other%s %.0f", others,
                       others > 1 ? "s" : "", rows);
}

static void format(char text[CLI_NUMBER_SIZE], const cJSON *column, const char *path)
{
    double value = cli_number_at(column, path);
    if (isnan(value))
        (void)snprintf(text, CLI_NUMBER_SIZE, "-");
    else
        (void)snprintf(text, CLI_NUMBER_SIZE, "%.6g", value);
}

static void add_row(struct cli_table *table, const cJSON *column)
{
    static const char *const paths[] = {"min", "quantiles.p50", "max", "mean", "std"};
    char numbers[5][CLI_NUMBER_SIZE], missing[CLI_NUMBER_SIZE], distinct[CLI_NUMBER_SIZE];
    char values[TEXT_SIZE] = "";
    for (size_t i = 0; i < 5; i++)
        format(numbers[i], column, paths[i]);
    cli_format_count(missing, cli_number_at(column, "missing"));
    cli_format_count(distinct, cli_number_at(column, "distinct"));
    const cJSON *top = cli_at(column, "top");
    if (top)
        list_counts(values, top, cli_number_at(column, "other_values"),
                    cli_number_at(column, "other_count"));
    else if (cJSON_IsTrue(cli_at(column, "constant")))
        (void)snprintf(values, sizeof(values), "constant");
    const char *const cells[] = {cli_text_at(column, "name"),
                                 cli_text_at(column, "type"),
                                 missing,
                                 distinct,
                                 numbers[0],
                                 numbers[1],
                                 numbers[2],
                                 numbers[3],
                                 numbers[4],
                                 values};
    cli_table_row(table, cells);
}

static void print_head(const cJSON *summary)
{
    char rows[CLI_NUMBER_SIZE], columns[CLI_NUMBER_SIZE], classes[TEXT_SIZE];
    cli_format_count(rows, cli_number_at(summary, "rows"));
    cli_format_count(columns, cli_number_at(summary, "columns_count"));
    cli_printf("%s rows, %s columns", rows, columns);
    const char *target = cli_text_at(summary, "target.name");
    if (target) {
        cli_puts("; target ");
        cli_puts(target);
    }
    if (cli_at(summary, "target.classes")) {
        list_counts(classes, cli_at(summary, "target.classes"), 0, 0);
        cli_puts(": ");
        cli_puts(classes);
    }
    cli_puts("\n\n");
}

static enum cli_exit print(const struct cli_answer *answer)
{
    static const char *const titles[] = {"COLUMN", "TYPE", "MISSING", "DISTINCT", "MIN",
                                         "MEDIAN", "MAX",  "MEAN",    "STD",      "VALUES"};
    struct cli_term term = cli_term_make();
    struct cli_table table;
    cJSON *summary = cli_answer_json(answer);
    const cJSON *columns = ock_json_get(summary, "columns");
    if (!cJSON_IsArray(columns)) {
        cli_say("the server's summary is not what it should be");
        cJSON_Delete(summary);
        return CLI_FAILED;
    }
    print_head(summary);
    cli_table_init(&table, sizeof(titles) / sizeof(titles[0]), titles);
    size_t shown = 0;
    for (const cJSON *column = columns->child; column; column = column->next, shown++)
        add_row(&table, column);
    cli_table_print(&table, &term);
    cli_table_deinit(&table);
    if ((double)shown < cli_number_at(summary, "columns_count"))
        cli_say("there are more columns; --columns chooses");
    cJSON_Delete(summary);
    return CLI_DONE;
}

enum cli_exit cli_summary(int argc, char **argv)
{
    static const struct argp argp = {options, parse_option, "DATASET", doc, NULL, NULL, NULL};
    struct summary_options o = {0};
    struct ock_buf path;
    argp_parse(&argp, argc, argv, 0, NULL, &o);
    ock_buf_init(&path, 64 * OCK_KIB);
    ock_buf_puts(&path, "/v1/datasets/");
    cli_url_add(&path, o.dataset);
    ock_buf_puts(&path, "/summary");
    if (o.columns) {
        ock_buf_puts(&path, "?columns=");
        cli_url_add(&path, o.columns);
    }
    enum cli_exit code = cli_get(&path, o.json, print);
    ock_buf_deinit(&path);
    return code;
}
