/* What the small commands have in common on the command line: --json, --chart and a job's id. */
#ifndef OCK_CLI_ARGS_H
#define OCK_CLI_ARGS_H

#include "clients/cli/cli.h"

enum cli_form { CLI_FORM_PLAIN, CLI_FORM_JSON, CLI_FORM_CHART };

struct cli_args {
    const char *name; /* the argument, NULL: none was given */
    enum cli_form form;
};

/* Which options there are. */
enum cli_args_kind { CLI_ARGS_ALONE, CLI_ARGS_JSON_OR_CHART };

/* Parses a command that takes one argument, called `what` ("JOB"), and the options of its kind. doc
 * is argp's (before \v: what it does). Ends the program with CLI_USAGE on bad usage. */
void cli_args_parse(struct cli_args *args, int argc, char **argv, const char *what,
                    enum cli_args_kind kind, const char *doc);

/* POST /v1/jobs/{id}/{action}: cancel.c's way, which pause, resume and stop share. */
enum cli_exit cli_act(const char *job, const char *action);

/* watch.c: follows a job's events until it ends, as NDJSON, as a chart, or plainly: as a table on a
 * terminal, else NDJSON. CLI_DONE when it has succeeded. */
enum cli_exit cli_follow(const char *job, enum cli_form form);

/* The path "/v1/jobs/ID", with `rest` behind it, in buf (made here, the caller's to deinit). */
void cli_job_path(struct ock_buf *buf, const char *job, const char *rest);

#endif
