/* One run of a search: a trial on one cut of the data. Its bits are those of the same job alone. */
#ifndef OCK_TRAIN_TUNE_RUN_H
#define OCK_TRAIN_TUNE_RUN_H

#include "core/train/checkpoint.h"
#include "core/train/trainer.h"
#include "core/train/tune_table.h"

/* What a run is made of; everything is borrowed as long as the run is. */
struct ock_run_order {
    const struct ock_spec *spec; /* the job's, resolved, lr found; tune says what is searched */
    const double *values;        /* [OCK_AXES] the trial's */
    const struct ock_data *data;
    const struct ock_kernels *kernels;
    uint32_t threads;
    size_t tile_rows;
    const char *init_path;       /* safetensors with the first weights; NULL: */
    const float *init_weights;   /* [P] those of the strength before; NULL: drawn */
    const char *checkpoint_path; /* NULL: none */
    const char *data_sha256;
    const struct ock_job_hooks *hooks; /* hears nothing but poll and peek that is of use */
};

struct ock_tune_run {
    struct ock_spec *spec; /* owned: the trial as a job of its own */
    struct ock_plan plan;
    struct ock_trainer *trainer; /* owned */
    struct ock_checkpoint_plan checkpoint;
    char checkpoint_path[4096]; /* "": none */
};

/* Makes the run's trainer and brings it to its checkpoint or its first weights. *interrupted: left
 * while it measured its start; close it. On an error *run is closed.
 * Errors: INVALID (first weights that do not fit), LIMIT, NOMEM, IO. */
enum ock_status ock_tune_run_open(struct ock_tune_run *run, const struct ock_run_order *order,
                                  bool *interrupted, struct ock_err *err);
/* Closes it, and removes its checkpoint if it is not needed any more. All-zero: a no-op. */
void ock_tune_run_close(struct ock_tune_run *run, bool remove_checkpoint);

/* The weights that the run is judged by: the best epoch's with early stopping, else the last. [P] */
const float *ock_tune_run_weights(const struct ock_tune_run *run);
/* Measures them. false: left, *out is untouched. */
bool ock_tune_run_measure(struct ock_tune_run *run, struct ock_fold *out);

#endif
