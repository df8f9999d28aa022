/* A job file and its data, made ready to run here: read, checked, imported, resolved. */
#ifndef OCK_CLI_JOB_H
#define OCK_CLI_JOB_H

#include <cjson/cJSON.h>

#include "clients/cli/cli.h"
#include "clients/cli/signals.h"
#include "clients/cli/workdir.h"
#include "core/data/dataset.h"
#include "core/train/spec.h"

/* How CSV files are to be read; NULL: as they look. */
struct cli_csv {
    const char *delimiter, *header, *types, *missing; /* as in `ockham upload` */
};

/* --data, --validation-data, --test-data are "FILE" or "FILE,LABELS"; NULL: not given. */
struct cli_files {
    const char *train, *validation, *test;
    const char *target; /* a column's name, else its position; NULL: by the spec */
    const char *init;   /* starting weights */
    struct cli_csv csv;
};

enum cli_part { CLI_TRAIN, CLI_VALIDATION, CLI_TEST, CLI_PARTS };

struct cli_job {
    struct cli_workdir dir;
    cJSON *json;                             /* owned; the spec as the worker gets it */
    struct ock_spec *spec;                   /* owned; resolved once there is data */
    char paths[CLI_PARTS][CLI_PATH_SIZE];    /* dataset files, "": none */
    struct ock_dataset *datasets[CLI_PARTS]; /* owned; NULL: none */
    int program_fd;                          /* the worker's executable; -1: not open */
};

void cli_job_init(struct cli_job *job);
/* Frees everything and removes the directory. */
void cli_job_deinit(struct cli_job *job);

/* Reads the spec at `path` ("-": standard input) and checks it; all faults go to stderr.
 * data_needed: files or inline data must be there. With data, imports them and resolves the spec.
 */
enum cli_exit cli_job_prepare(struct cli_job *job, const char *path, const struct cli_files *files,
                              bool data_needed, struct cli_signals *signals);

/* The spec alone, as text and JSON, both the caller's (free, cJSON_Delete). Faults of the JSON
 * itself go to `faults`; what is no JSON is said on stderr and is CLI_USAGE. */
enum cli_exit cli_spec_read(const char *path, char **text, cJSON **json, struct ock_faults *faults);

/* --- import.c ------------------------------------------------------------------------------------
 */

/* --delimiter, --header, --types and --missing, the children of a command that takes CSV files; the
 * input is a struct cli_csv. */
extern const struct argp cli_csv_argp;

/* Imports "FILE[,LABELS]" into `out` by a worker process. A signal ends it. */
enum cli_exit cli_import(const struct cli_job *job, const char *files, const struct cli_csv *csv,
                         const char *out, struct cli_signals *signals);

/* Splits "FILE[,LABELS]": file and labels (NULL: none), both owned by the caller. A file whose own
 * name has a comma is found first. */
bool cli_split_files(const char *files, char **file, char **labels);

/* Waits for the one line of a worker that imports or predicts, borrowed from it. NULL: it ended
 * without one, or a signal came. */
struct ock_worker;
char *cli_worker_line(struct ock_worker *worker, struct cli_signals *signals);

#endif
