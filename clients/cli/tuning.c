/* `ockham tuning`: the table of a search, for eyes, spreadsheets and papers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clients/cli/args.h"
#include "clients/cli/remote.h"
#include "clients/cli/trials.h"
#include "core/base/json.h"

enum { KEY_CSV = 0x100, KEY_SVG, KEY_JSON };

static const struct argp_option options[] = {
    {"csv", KEY_CSV, NULL, 0, "Print it as CSV", 0},
    {"svg", KEY_SVG, NULL, 0, "Print a picture of it", 0},
    {"json", KEY_JSON, NULL, 0, "Print it as JSON, folds and all", 0},
    {0},
};

static const char doc[] =
    "Shows what each strength of a tuning job came to, so far or in the end.\v"
    "The strongest comes first. min is the strength with the least mean loss, 1se the strongest "
    "within one standard error of it.\n\n"
    "Example:\n"
    "  ockham tuning JOB --svg > strengths.svg";

struct tuning_options {
    const char *job;
    const char *type; /* of the answer; NULL: a table is made here */
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    static const char *const types[] = {"text/csv", "image/svg+xml", "application/json"};
    struct tuning_options *o = state->input;
    switch (key) {
    case KEY_CSV:
    case KEY_SVG:
    case KEY_JSON:
        if (o->type)
            argp_error(state, "one of --csv, --svg and --json");
        o->type = types[key - KEY_CSV];
        return 0;
    case ARGP_KEY_ARG:
        if (o->job)
            argp_error(state, "one job at a time: %s and %s", o->job, arg);
        o->job = arg;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which job?");
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static enum cli_exit show(const cJSON *table)
{
    struct cli_term term = cli_term_make();
    struct cli_trials trials = {.total = cli_number_at(table, "trials_total")};
    const cJSON *row = NULL;
    bool done = true;
    cli_trials_rule(&trials, table);
    cJSON_ArrayForEach(row, ock_json_get(table, "trials")) done =
        done && cli_trials_add(&trials, row);
    if (!done)
        cli_say("no memory for a table");
    else if (trials.count == 0)
        cli_puts("No strength has been tried yet.\n");
    else
        cli_trials_close(&trials, &term);
    cli_trials_deinit(&trials);
    return done ? CLI_DONE : CLI_FAILED;
}

static enum cli_exit print(const struct cli_answer *answer, const struct tuning_options *o)
{
    if (o->type) {
        bool line = strcmp(o->type, "application/json") == 0;
        cli_out(answer->body.data, answer->body.size);
        cli_puts(line ? "\n" : "");
        return CLI_DONE;
    }
    cJSON *table = cli_answer_json(answer);
    if (!table) {
        cli_say("the server's answer is no JSON");
        return CLI_FAILED;
    }
    enum cli_exit code = show(table);
    cJSON_Delete(table);
    return code;
}

enum cli_exit cli_tuning(int argc, char **argv)
{
    static const struct argp argp = {options, parse_option, "JOB", doc, NULL, NULL, NULL};
    struct tuning_options o = {0};
    struct ock_buf path;
    struct cli_answer answer;
    argp_parse(&argp, argc, argv, 0, NULL, &o);
    cli_job_path(&path, o.job, "/tuning");
    cli_answer_init(&answer);
    struct cli_request request = {
        .method = "GET", .path = path.data, .accept = o.type, .timeout_s = 60};
    (void)cli_remote(&request, &answer);
    enum cli_exit code = cli_remote_judge(&answer);
    if (code == CLI_DONE)
        code = print(&answer, &o);
    cli_answer_deinit(&answer);
    ock_buf_deinit(&path);
    return code;
}
