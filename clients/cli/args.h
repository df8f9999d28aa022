/* What the small commands have in common on the command line: --json and a job's id. */
#ifndef OCK_CLI_ARGS_H
#define OCK_CLI_ARGS_H

#include "clients/cli/cli.h"

struct cli_args {
    const char *name; /* the argument, NULL: none was given */
    bool json;
};

/* Parses a command that takes one argument, called `what` ("JOB"), and, if `json`, --json. doc is
 * argp's (before \v: what it does). Ends the program with CLI_USAGE on bad usage. */
void cli_args_parse(struct cli_args *args, int argc, char **argv, const char *what, bool json,
                    const char *doc);

/* POST /v1/jobs/{id}/{action}: cancel.c's way, which pause, resume and stop share. */
enum cli_exit cli_act(const char *job, const char *action);

/* watch.c: follows a job's events until it ends. json: NDJSON also on a terminal. CLI_DONE when it
 * has succeeded. */
enum cli_exit cli_follow(const char *job, bool json);

/* The path "/v1/jobs/ID", with `rest` behind it, in buf (made here, the caller's to deinit). */
void cli_job_path(struct ock_buf *buf, const char *job, const char *rest);

#endif
