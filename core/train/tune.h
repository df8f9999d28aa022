/* The search for a strength: trials on folds, many at once, and the choice (SPEC.md, "Choosing the
 * strength"). What comes out is the spec of one more training, the refit, which is a job as any. */
#ifndef OCK_TRAIN_TUNE_H
#define OCK_TRAIN_TUNE_H

#include <stdbool.h>

#include "core/data/dataset.h"
#include "core/kernels/kernels.h"
#include "core/train/job.h"
#include "core/train/plan.h"

struct ock_tune_order {
    const struct ock_job *job; /* files, first weights, checkpoint */
    const struct ock_job_hooks *hooks;
    struct ock_spec *spec; /* resolved; the ends of ranges and lr are written here once found */
    const struct ock_dataset *train, *validation, *test; /* the last two may be NULL */
    const struct ock_kernels *kernels;
    uint32_t threads; /* 0: as many as pay, of those that the machine has */
    const char *data_sha256;
};

struct ock_tuned {
    bool paused;            /* nothing else is set */
    bool stopped;           /* somebody ended the search: the choice is among what was done */
    bool stopped_before;    /* a resumption: that stop is told once more after it */
    struct ock_spec *refit; /* owned; NULL: none is wanted, or nothing was done before the stop */
    float *init;            /* owned, [P] the refit's first weights; NULL: as any job's */
    char *summary;          /* owned, for the end: {"rule", "folds", "chosen", "min", "one_se"} */
};

/* Runs the search: events `trial` as trials are settled, the document "tuning" at its end.
 * Errors: NONFINITE (no strength is eligible), INVALID, LIMIT, NOMEM, IO, NOSPACE, a hook's. */
enum ock_status ock_tune_search(struct ock_tuned *out, const struct ock_tune_order *order,
                                struct ock_err *err);
void ock_tuned_deinit(struct ock_tuned *tuned); /* all-zero: a no-op */

/* How a search is spread: groups of trials train side by side on one cut, a lane does one group after
 * the other. Pure arithmetic. */
struct ock_tune_layout {
    size_t runs;         /* in all */
    size_t group_trials; /* of a group, at most */
    uint32_t lanes;      /* at once */
    uint32_t lane_threads;
    size_t live; /* runs that are in memory at once */
};
/* trainer_bytes: of one run with lane_threads threads. */
struct ock_tune_layout ock_tune_layout_make(const struct ock_tune_spec *tune, uint32_t threads,
                                            uint32_t threads_useful, size_t trainer_bytes);

#endif
