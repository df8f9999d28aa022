/* `ockham model`: a job's weights, to a file or to standard output. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "clients/cli/args.h"
#include "clients/cli/remote.h"
#include "core/base/file.h"

enum { KEY_OUTPUT = 'o', KEY_WHICH = 0x100, KEY_PRUNE };

static const struct argp_option options[] = {
    {"output", KEY_OUTPUT, "FILE", 0,
     "Where to (default: the name that the server gives; - is standard output)", 0},
    {"which", KEY_WHICH, "best|last", 0, "Of the best epoch (default) or of the last", 0},
    {"prune", KEY_PRUNE, NULL, 0,
     "Without units and inputs that nothing reads (weights of exactly 0): the same predictions "
     "from a "
     "smaller file",
     0},
    {0},
};

static const char doc[] = "Downloads a job's model as safetensors.\v"
                          "The file appears whole or not at all. Without -o an existing file is "
                          "not replaced.";

struct model_options {
    const char *job, *output, *which;
    bool prune;
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct model_options *o = state->input;
    switch (key) {
    case KEY_OUTPUT:
        o->output = arg;
        return 0;
    case KEY_WHICH:
        if (strcmp(arg, "best") != 0 && strcmp(arg, "last") != 0)
            argp_error(state, "--which %s: must be best or last", arg);
        o->which = arg;
        return 0;
    case KEY_PRUNE:
        o->prune = true;
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

/* Where the bytes go. The file is made with the first of them, when the answer's head has come. */
struct target {
    const struct model_options *options;
    const struct cli_answer *answer; /* for the file's name */
    struct ock_newfile file;
    char path[256];
    bool to_stdout;
    bool open;
    struct ock_err err;
};

static bool open_target(struct target *target)
{
    const struct model_options *o = target->options;
    if (o->output)
        (void)snprintf(target->path, sizeof(target->path), "%s", o->output);
    else if (*target->answer->filename)
        (void)snprintf(target->path, sizeof(target->path), "%s", target->answer->filename);
    else
        (void)snprintf(target->path, sizeof(target->path), "%.120s%s.safetensors", o->job,
                       o->prune ? "-pruned" : "");
    if (o->output && strlen(o->output) >= sizeof(target->path)) {
        ock_fail(&target->err, OCK_LIMIT, "--output: the path is too long");
        return false;
    }
    if (!o->output && access(target->path, F_OK) == 0) {
        ock_fail(&target->err, OCK_CONFLICT, "%s is there already; -o FILE names another",
                 target->path);
        return false;
    }
    target->open = ock_newfile_open(&target->file, target->path, &target->err) == OCK_OK;
    return target->open;
}

static bool sink(void *ctx, const char *bytes, size_t size)
{
    struct target *target = ctx;
    if (target->to_stdout) {
        cli_out(bytes, size);
        return !cli_out_closed();
    }
    if (!target->open && !open_target(target))
        return false;
    return ock_newfile_write(&target->file, bytes, size, &target->err) == OCK_OK;
}

static enum cli_exit finish(struct target *target, const struct cli_answer *answer)
{
    if (target->err.status != OCK_OK) {
        cli_say("%s", target->err.text);
        return CLI_FAILED;
    }
    enum cli_exit code = cli_remote_judge(answer);
    if (code != CLI_DONE || target->to_stdout)
        return code;
    if (!target->open || ock_newfile_commit(&target->file, &target->err) != OCK_OK) {
        cli_say("%s", target->open ? target->err.text : "the server sent an empty model");
        return CLI_FAILED;
    }
    cli_printf("%s\n", target->path);
    return CLI_DONE;
}

enum cli_exit cli_model(int argc, char **argv)
{
    static const struct argp argp = {options, parse_option, "JOB", doc, NULL, NULL, NULL};
    struct model_options o = {.which = "best"};
    struct ock_buf path;
    struct cli_answer answer;
    char rest[48];
    argp_parse(&argp, argc, argv, 0, NULL, &o);
    struct target target = {.options = &o, .answer = &answer, .file = {.fd = -1}};
    target.to_stdout = o.output && strcmp(o.output, "-") == 0;
    if (target.to_stdout && isatty(STDOUT_FILENO)) {
        cli_say("a model is no text: give -o FILE, or send it through a pipe");
        return CLI_USAGE;
    }
    (void)snprintf(rest, sizeof(rest), "/model?which=%s%s", o.which, o.prune ? "&prune=true" : "");
    cli_job_path(&path, o.job, rest);
    cli_answer_init(&answer);
    struct cli_request request = {.method = "GET",
                                  .path = path.data,
                                  .accept = "application/octet-stream, application/problem+json",
                                  .sink = sink,
                                  .ctx = &target};
    (void)cli_remote(&request, &answer);
    enum cli_exit code = finish(&target, &answer);
    ock_newfile_discard(&target.file);
    cli_answer_deinit(&answer);
    ock_buf_deinit(&path);
    return code;
}
