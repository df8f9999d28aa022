/* The overfitting report of a job that has ended, in a few lines. */
#ifndef OCK_CLI_REPORT_H
#define OCK_CLI_REPORT_H

#include "clients/cli/cli.h"

/* Asks the server for the job's `end` and prints the report that is in it; nothing when there is
 * none. job is the job's JSON. line(name, text) prints one line. */
void cli_report_show(const cJSON *job, void (*line)(const char *name, const char *text));

#endif
