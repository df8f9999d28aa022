/* `ockham train`: a job right here, without a server. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clients/cli/run.h"

enum {
    KEY_DATA = 0x100,
    KEY_VALIDATION,
    KEY_TEST,
    KEY_TARGET,
    KEY_INIT,
    KEY_MODEL,
    KEY_CHECKPOINT,
    KEY_THREADS,
    KEY_JSON
};

static const struct argp_option options[] = {
    {"data", KEY_DATA, "FILE[,LABELS]", 0,
     "Training data: CSV, svmlight, NPY or IDX, packed (gzip, zstd) or not; arrays with their "
     "labels",
     1},
    {"validation-data", KEY_VALIDATION, "FILE[,LABELS]", 0,
     "Validation rows from a file of their own (else data.validation: 0.2 of the rows)", 1},
    {"test-data", KEY_TEST, "FILE[,LABELS]", 0, "Rows for one test at the very end", 1},
    {"target", KEY_TARGET, "NAME", 0,
     "The column to predict: its name, or its position from 0 (-1: the last)", 1},
    {"init", KEY_INIT, "FILE", 0, "Start from the weights of this safetensors file", 2},
    {"model", KEY_MODEL, "FILE", 0, "Write the best model here, as safetensors", 2},
    {"checkpoint", KEY_CHECKPOINT, "FILE", 0,
     "Resume from this checkpoint if it is there; keep one there when the job is stopped, ended by "
     "a signal or a crash, and FILE.tuning beside it if the job searches. Removed when the job is "
     "done",
     2},
    {"threads", KEY_THREADS, "N", 0, "Threads (default: as many as pay; never changes the result)",
     2},
    {"json", KEY_JSON, NULL, 0, "Events as NDJSON, also on a terminal", 2},
    {0},
};

static const char doc[] =
    "Trains the job of a JSON file here and now, without a server.\v"
    "On a terminal: a table row an epoch, and at the end what regularization did. (A job of more "
    "than 200 fast epochs shows about 20 rows a second.) Else, or with --json: one event a line, "
    "as the server's /v1/jobs/ID/events has them.\n\n"
    "The first Ctrl-C stops and keeps the best model, the second aborts. JOB.json may be - for "
    "standard input.\n\n"
    "Example:\n"
    "  ockham train job.json --data flowers.csv --target species --model m.safetensors\n\n"
    "Exit code: 0 done, 1 failed, 2 bad usage or spec. NO_COLOR and TMPDIR are respected.";

struct train_options {
    const char *job;
    struct cli_files files;
    struct cli_run_options run;
};

static error_t parse_threads(const char *text, struct argp_state *state, uint32_t *threads)
{
    char *end = NULL;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (errno || end == text || *end || *text == '-' || value < 1 || value > OCK_THREADS_MAX)
        argp_error(state, "--threads %s: must be a whole number from 1 to %u", text,
                   OCK_THREADS_MAX);
    *threads = (uint32_t)value;
    return 0;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct train_options *o = state->input;
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
    case KEY_INIT:
        o->files.init = o->run.init = arg;
        return 0;
    case KEY_MODEL:
        o->run.model = arg;
        return 0;
    case KEY_CHECKPOINT:
        o->run.checkpoint = arg;
        return 0;
    case KEY_THREADS:
        return parse_threads(arg, state, &o->run.threads);
    case KEY_JSON:
        o->run.json = true;
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

/* A file that will be written: its directory must take it. Better said now than after an hour. */
static bool can_write(const char *option, const char *path)
{
    if (!path)
        return true;
    const char *slash = strrchr(path, '/');
    char *dir = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
    bool good = dir && access(dir, W_OK | X_OK) == 0;
    struct stat status;
    if (!good) {
        cli_say("%s %s: %s", option, path, strerror(errno));
    } else if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
        cli_say("%s %s: is there already, and no ordinary file", option, path);
        good = false;
    }
    free(dir);
    return good;
}

static bool can_read(const char *option, const char *path)
{
    if (!path || access(path, R_OK) == 0)
        return true;
    cli_say("%s %s: %s", option, path, strerror(errno));
    return false;
}

/* A search that ends with its table leaves nothing to be written. */
static bool will_have_model(const struct cli_job *job, const char *path)
{
    bool none = path && job->spec->tune.on && !job->spec->tune.refit;
    if (none)
        cli_say("--model %s: tune.refit is false in the job, which then has no model; leave one of "
                "them out",
                path);
    return !none;
}

enum cli_exit cli_train(int argc, char **argv)
{
    static const struct argp_child children[] = {{&cli_csv_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {options, parse_option, "JOB.json", doc, children, NULL, NULL};
    struct train_options o = {0};
    struct cli_signals signals;
    struct cli_job job;
    int died_of = 0;
    argp_parse(&argp, argc, argv, 0, NULL, &o);
    if (!can_write("--model", o.run.model) || !can_write("--checkpoint", o.run.checkpoint) ||
        !can_read("--init", o.run.init))
        return CLI_USAGE;
    if (!cli_signals_open(&signals)) {
        cli_say("cannot make a pipe: %s", strerror(errno));
        return CLI_FAILED;
    }
    cli_job_init(&job);
    enum cli_exit code = cli_job_prepare(&job, o.job, &o.files, true, &signals);
    cli_signals_read(&signals);
    if (signals.fatal || signals.interrupts)
        died_of = signals.fatal ? signals.fatal : SIGINT;
    else if (code == CLI_DONE && !will_have_model(&job, o.run.model))
        code = CLI_USAGE;
    else if (code == CLI_DONE)
        code = cli_run(&job, &o.run, &signals, &died_of);
    cli_job_deinit(&job);
    if (died_of)
        cli_signals_die(died_of);
    return code;
}
