/* The command line of commands that take a job's id and little else. */
#include "clients/cli/args.h"

#include <errno.h>
#include <string.h>

#include "clients/cli/remote.h"
#include "core/base/limits.h"

enum { KEY_JSON = 0x100, KEY_CHART };

struct parse {
    struct cli_args *args;
    const char *what;
};

static void choose_form(struct parse *parse, enum cli_form form, const struct argp_state *state)
{
    if (parse->args->form != CLI_FORM_PLAIN && parse->args->form != form)
        argp_error(state, "--json or --chart, not both");
    parse->args->form = form;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct parse *parse = state->input;
    switch (key) {
    case KEY_JSON:
        choose_form(parse, CLI_FORM_JSON, state);
        return 0;
    case KEY_CHART:
        choose_form(parse, CLI_FORM_CHART, state);
        return 0;
    case ARGP_KEY_ARG:
        if (parse->args->name)
            argp_error(state, "one %s at a time: %s and %s", parse->what, parse->args->name, arg);
        parse->args->name = arg;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which %s?", parse->what);
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

void cli_args_parse(struct cli_args *args, int argc, char **argv, const char *what,
                    enum cli_args_kind kind, const char *doc)
{
    static const struct argp_option options[] = {
        {"json", KEY_JSON, NULL, 0, "JSON, also on a terminal", 0},
        {"chart", KEY_CHART, NULL, 0, "The curves of training and validation loss", 0},
        {0}};
    struct parse parse = {.args = args, .what = what};
    struct argp argp = {
        kind == CLI_ARGS_ALONE ? NULL : options, parse_option, what, doc, NULL, NULL, NULL};
    *args = (struct cli_args){0};
    argp_parse(&argp, argc, argv, 0, NULL, &parse);
}

void cli_job_path(struct ock_buf *buf, const char *job, const char *rest)
{
    ock_buf_init(buf, 8 * OCK_KIB);
    ock_buf_puts(buf, "/v1/jobs/");
    cli_url_add(buf, job);
    ock_buf_puts(buf, rest);
}
