/* `ockham validate`: what a job would be, without running it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/cli/job.h"
#include "core/base/json.h"
#include "core/base/jsonw.h"
#include "core/base/limits.h"
#include "core/data/data.h"
#include "core/data/encoder.h"
#include "core/train/plan.h"
#include "core/train/tune_plan.h"

enum { KEY_DATA = 0x100, KEY_VALIDATION, KEY_TEST, KEY_TARGET, KEY_JSON };

static const struct argp_option options[] = {
    {"data", KEY_DATA, "FILE[,LABELS]", 0, "Training data, as in ockham train", 1},
    {"validation-data", KEY_VALIDATION, "FILE[,LABELS]", 0, "Validation rows", 1},
    {"test-data", KEY_TEST, "FILE[,LABELS]", 0, "Test rows", 1},
    {"target", KEY_TARGET, "NAME", 0, "The column to predict", 1},
    {"json", KEY_JSON, NULL, 0, "JSON, also on a terminal", 2},
    {0},
};

static const char doc[] =
    "Checks a job file and says what it would be.\v"
    "All faults are told at once, each with its place in the JSON. With data (--data, or inline in "
    "the file) it prints the resolved spec with every default filled in, the number of parameters, "
    "the memory, the steps, warnings, and what the penalty is called in other tools.\n\n"
    "Example:\n"
    "  ockham validate job.json --data flowers.csv\n\n"
    "Exit code: 0 valid, 1 the data can't be read, 2 bad usage or spec.";

struct validate_options {
    const char *job;
    struct cli_files files;
    bool json;
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct validate_options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->files.csv;
        return 0;
    case KEY_DATA:
        o->files.train = arg;
        return 0;
    case KEY_VALIDATION:
        o->files.validation = arg;
        return 0;
    case KEY_TEST:
        o->files.test = arg;
        return 0;
    case KEY_TARGET:
        o->files.target = arg;
        return 0;
    case KEY_JSON:
        o->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (o->job)
            argp_error(state, "one job file at a time: %s and %s", o->job, arg);
        o->job = arg;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which job? Give its JSON file");
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Everything there is to say, gathered before a word is printed. */
struct facts {
    struct ock_data *data; /* owned; NULL: the spec was given without data */
    struct ock_plan *plan; /* owned; large */
    size_t warning_count;
    struct ock_warning warnings[OCK_WARNINGS_MAX];
    struct ock_buf resolved;    /* JSON */
    struct ock_buf conversions; /* JSON */
};

/* Of a search: what is told of rows and steps is its refit's, which takes all rows. */
static enum ock_status gather(struct facts *facts, const struct cli_job *job, struct ock_err *err)
{
    int cut = job->spec->tune.on ? OCK_CUT_ALL : OCK_CUT_SPLIT;
    enum ock_status status =
        ock_data_open_cut(&facts->data, job->spec, job->datasets[CLI_TRAIN],
                          job->datasets[CLI_VALIDATION], job->datasets[CLI_TEST], cut, err);
    if (status != OCK_OK)
        return status;
    const struct ock_data *data = facts->data;
    struct ock_plan_data sizes = ock_plan_data_of(data);
    facts->plan = calloc(1, sizeof(*facts->plan));
    if (!facts->plan)
        return ock_fail(err, OCK_NOMEM, "no memory for the plan");
    status = ock_plan_make(facts->plan, job->spec, &sizes, err);
    if (status != OCK_OK)
        return status;
    facts->warning_count =
        ock_spec_warnings(job->spec, ock_encoder_rare_text(facts->data->encoder), facts->warnings);
    ock_spec_write(job->spec, &facts->resolved);
    ock_spec_write_conversions(job->spec, sizes.rows.train_rows, facts->plan->batch_rows,
                               &facts->conversions);
    status = ock_buf_status(&facts->resolved, err);
    return status == OCK_OK ? ock_buf_status(&facts->conversions, err) : status;
}

/* The object of POST /v1/jobs/validate. */
static bool print_json(const struct facts *facts, const struct ock_tune_spec *tune)
{
    struct ock_buf out;
    ock_buf_init(&out, OCK_JSON_BYTES_MAX);
    struct ock_jsonw w = ock_jsonw_make(&out);
    ock_jsonw_object(&w, NULL);
    ock_jsonw_raw(&w, "resolved", facts->resolved.data);
    ock_jsonw_uint(&w, "parameters", facts->plan->parameters);
    ock_jsonw_uint(&w, "memory_bytes", facts->plan->memory_bytes);
    ock_jsonw_uint(&w, "steps_per_epoch", facts->plan->steps_per_epoch);
    if (tune->on) {
        ock_jsonw_uint(&w, "trials", ock_tune_trials(tune));
        ock_jsonw_uint(&w, "runs", ock_tune_runs(tune));
    }
    ock_jsonw_array(&w, "warnings");
    for (size_t i = 0; i < facts->warning_count; i++) {
        ock_jsonw_object(&w, NULL);
        ock_jsonw_string(&w, "code", facts->warnings[i].code);
        ock_jsonw_string(&w, "message", facts->warnings[i].message);
        ock_jsonw_end_object(&w);
    }
    ock_jsonw_end_array(&w);
    ock_jsonw_raw(&w, "conversions", facts->conversions.data);
    ock_jsonw_end_object(&w);
    ock_buf_putc(&out, '\n');
    bool good = ock_buf_status(&out, NULL) == OCK_OK;
    if (good)
        cli_out(out.data, out.size);
    ock_buf_deinit(&out);
    return good;
}

/* A JSON text again, as a document, for reading. NULL if out of memory. */
static cJSON *reparse(const struct ock_buf *text)
{
    struct ock_faults *faults = calloc(1, sizeof(*faults));
    cJSON *json = NULL;
    if (faults)
        (void)ock_json_parse(&json, text->data, text->size, faults, NULL);
    free(faults);
    return json;
}

/* "weight_decay 0.0002" of a tool's object. */
static void print_terms(const cJSON *tool)
{
    cli_printf("  %-22s", tool->string);
    for (const cJSON *item = tool->child; item; item = item->next) {
        char *value = ock_json_print(item);
        cli_printf(" %s %s%s", item->string, value ? value : "?", item->next ? "," : "\n");
        free(value);
    }
}

/* A line for each tool that can say the same, then the note. */
static void print_conversions(const struct ock_buf *text)
{
    cJSON *json = reparse(text);
    bool first = true;
    for (const cJSON *tool = json ? json->child : NULL; tool; tool = tool->next) {
        if (!cJSON_IsObject(tool) || !tool->child)
            continue;
        cli_puts(first ? "\nThe same penalty elsewhere:\n" : "");
        print_terms(tool);
        first = false;
    }
    const char *note = cli_text_at(json, "note");
    if (note && !first)
        cli_printf("  (%s)\n", note);
    cJSON_Delete(json);
}

/* The resolved spec for reading: a line a member, down to the second level. */
static bool print_resolved(const struct ock_buf *text)
{
    cJSON *json = reparse(text);
    bool good = json != NULL;
    cli_puts("\nResolved, with every default:\n{\n");
    for (const cJSON *part = json ? json->child : NULL; part && good; part = part->next) {
        bool deep = cJSON_IsObject(part) && part->child;
        cli_printf("  \"%s\": %s", part->string, deep ? "{\n" : "");
        const cJSON *item = deep ? part->child : part;
        for (; item && good; item = deep ? item->next : NULL) {
            char *value = ock_json_print(item);
            good = value != NULL;
            if (deep)
                cli_printf("    \"%s\": ", item->string);
            cli_printf("%s%s", value ? value : "", deep && item->next ? ",\n" : "");
            free(value);
        }
        cli_printf("%s%s\n", deep ? "\n  }" : "", part->next ? "," : "");
    }
    cli_puts("}\n");
    cJSON_Delete(json);
    return good;
}

/* "search           16 strengths in 5 folds: 80 runs, and the refit" */
static void print_search(const struct ock_tune_spec *tune)
{
    char trials[CLI_NUMBER_SIZE], runs[CLI_NUMBER_SIZE];
    cli_format_count(trials, (double)ock_tune_trials(tune));
    cli_format_count(runs, (double)(ock_tune_runs(tune) - tune->refit));
    cli_printf("%-16s %s strengths ", "search", trials);
    if (tune->folds > 0)
        cli_printf("in %u folds", tune->folds);
    else
        cli_puts("on the validation rows");
    cli_printf(": %s runs%s\n", runs, tune->refit ? ", and the refit" : "");
}

static void print_rows(const struct facts *facts, const struct cli_job *job)
{
    char text[CLI_NUMBER_SIZE], steps[CLI_NUMBER_SIZE];
    const struct ock_data *data = facts->data;
    cli_format_count(text, (double)data->train.count);
    cli_format_count(steps, (double)facts->plan->steps_per_epoch);
    cli_printf("%-16s %s rows, %s steps an epoch of at most %zu rows\n", "training", text, steps,
               facts->plan->batch_rows);
    cli_format_count(text, (double)data->validation.count);
    if (data->validation.count > 0 || !job->spec->tune.on)
        cli_printf("%-16s %s rows\n", "validation", text);
    if (data->test.count > 0) {
        cli_format_count(text, (double)data->test.count);
        cli_printf("%-16s %s rows\n", "test", text);
    }
    cli_printf("%-16s %s, ", "target", job->spec->data.target);
    if (data->classes > 0)
        cli_printf("%zu classes\n", data->classes);
    else
        cli_puts("a number\n");
}

static bool print_text(const struct facts *facts, const struct cli_job *job)
{
    char text[CLI_NUMBER_SIZE];
    cli_puts("The job is valid.\n\n");
    print_rows(facts, job);
    if (job->spec->tune.on)
        print_search(&job->spec->tune);
    cli_format_count(text, (double)facts->plan->parameters);
    cli_printf("%-16s %s\n", "parameters", text);
    cli_format_bytes(text, (double)facts->plan->memory_bytes);
    cli_printf("%-16s %s\n", "memory", text);
    cli_format_count(text, (double)facts->plan->steps_total);
    cli_printf("%-16s %s in %u epochs\n", "steps", text, job->spec->train.epochs);
    for (size_t i = 0; i < facts->warning_count; i++)
        cli_printf("%swarning: %s\n", i == 0 ? "\n" : "", facts->warnings[i].message);
    print_conversions(&facts->conversions);
    return print_resolved(&facts->resolved);
}

/* A spec without data: all that can be told is that nothing is wrong with it. */
static enum cli_exit say_no_data(bool json)
{
    if (json)
        cli_puts("{\"resolved\":null,\"warnings\":[]}\n");
    else
        cli_puts("The spec is valid as far as it can be told without data; --data FILE resolves "
                 "the rest.\n");
    return CLI_DONE;
}

static enum cli_exit report(const struct cli_job *job, bool json)
{
    struct facts facts = {0};
    struct ock_err err = {0};
    enum cli_exit code = CLI_DONE;
    if (!job->datasets[CLI_TRAIN])
        return say_no_data(json);
    ock_buf_init(&facts.resolved, OCK_JSON_BYTES_MAX);
    ock_buf_init(&facts.conversions, OCK_MIB);
    if (gather(&facts, job, &err) != OCK_OK) {
        cli_say("%s", err.text);
        code = err.status == OCK_NOMEM || err.status == OCK_IO ? CLI_FAILED : CLI_USAGE;
    } else if (!(json ? print_json(&facts, &job->spec->tune) : print_text(&facts, job))) {
        cli_say("no memory");
        code = CLI_FAILED;
    }
    ock_buf_deinit(&facts.resolved);
    ock_buf_deinit(&facts.conversions);
    free(facts.plan);
    ock_data_free(facts.data);
    return code;
}

enum cli_exit cli_validate(int argc, char **argv)
{
    static const struct argp_child children[] = {{&cli_csv_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {options, parse_option, "JOB.json", doc, children, NULL, NULL};
    struct validate_options o = {0};
    struct cli_signals signals;
    struct cli_job job;
    int died_of = 0;
    argp_parse(&argp, argc, argv, 0, NULL, &o);
    if (!cli_signals_open(&signals)) {
        cli_say("cannot make a pipe: %s", strerror(errno));
        return CLI_FAILED;
    }
    cli_job_init(&job);
    enum cli_exit code = cli_job_prepare(&job, o.job, &o.files, false, &signals);
    if (code == CLI_DONE)
        code = report(&job, o.json || !cli_term_make().tty);
    cli_signals_read(&signals);
    if (signals.fatal || signals.interrupts)
        died_of = signals.fatal ? signals.fatal : SIGINT;
    cli_job_deinit(&job);
    if (died_of)
        cli_signals_die(died_of);
    return code;
}
