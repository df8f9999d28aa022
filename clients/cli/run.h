/* A prepared job in a worker of its own, its events on stdout. */
#ifndef OCK_CLI_RUN_H
#define OCK_CLI_RUN_H

#include <stdint.h>

#include "clients/cli/job.h"

struct cli_run_options {
    const char *model;      /* where the best model goes; NULL: nowhere */
    const char *checkpoint; /* resumed from and kept at; NULL: neither */
    const char *init;       /* starting weights; NULL: none */
    uint32_t threads;       /* 0: by the spec, else auto */
    bool json;              /* NDJSON, also on a terminal */
};

/* Runs the job to its end and returns CLI_DONE or CLI_FAILED. If a signal ended it, *died_of is
 * that signal, and the caller dies of it once it has cleaned up. */
enum cli_exit cli_run(struct cli_job *job, const struct cli_run_options *options,
                      struct cli_signals *signals, int *died_of);

#endif
