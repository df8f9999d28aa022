/* The inside of a search. Only core/train/tune*.c and their tests include this. */
#ifndef OCK_TRAIN_TUNE_PRIVATE_H
#define OCK_TRAIN_TUNE_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/data/data.h"
#include "core/train/metrics.h"
#include "core/train/tune.h"
#include "core/train/tune_path.h"
#include "core/train/tune_run.h"
#include "core/train/tune_state.h"
#include "core/train/tune_table.h"

/* Why all lanes leave what they do. */
enum ock_leave_reason {
    OCK_LEAVE_NOT = 0,
    OCK_LEAVE_PAUSE,
    OCK_LEAVE_STOP,
    OCK_LEAVE_ERROR,
};

/* The data of one cut, open from its first group to the end of its last. */
struct ock_cut {
    enum { OCK_CUT_CLOSED, OCK_CUT_OPENING, OCK_CUT_OPEN } state;
    struct ock_data *data;
    size_t groups; /* that are still to be trained on it in this rung */
};

/* Trials that train side by side on one cut; with the warm path one after the other. */
struct ock_tune_group {
    size_t cut;
    size_t begin, end; /* places in `alive` */
};

/* Lock table. leave, save_wanted: atomic. mutex: cuts, next_group, table's folds and trials, path,
 * status and err, saved_s, told_s, reached. runs: the lane whose group they are in; it alone writes a
 * run's fold, so it may read that without the mutex. All else is set before the lanes start. */
struct ock_search {
    const struct ock_tune_order *order;
    struct ock_job_hooks run_hooks; /* what runs are given: they tell nothing */
    struct ock_tune_table table;
    struct ock_tune_path path;
    struct ock_tune_found found;
    struct ock_tune_name name;
    char state_path[4096]; /* "": nothing is remembered */
    struct ock_tune_layout layout;
    size_t cut_count; /* folds, and all rows for the warm path */
    struct ock_cut *cuts;
    struct ock_tune_run **runs; /* [trials, cuts]; NULL: not at work */
    size_t alive_count;
    size_t *alive;        /* trials that go on, strongest first */
    uint32_t until_epoch; /* of this rung */
    bool is_last_rung;
    size_t group_count, next_group;
    struct ock_tune_group *groups;
    pthread_mutex_t mutex;
    pthread_cond_t opened;
    atomic_int leave;
    atomic_bool save_wanted;
    uint32_t threads; /* all of them */
    enum ock_status status;
    struct ock_err err;
    double saved_s, save_cost_s, told_s;
    uint32_t *reached; /* [trials, cuts] epochs that a run has behind it */
};

/* --- tune_lanes.c ------------------------------------------------------------------------------ */

/* Trains all groups of this rung; what happened stands in leave, status and err. */
void ock_search_run_lanes(struct ock_search *search);
/* The data of a cut, until the group is done with it. Errors: of ock_data_open. */
enum ock_status ock_search_acquire(struct ock_search *search, size_t cut,
                                   const struct ock_data **out, struct ock_err *err);
/* The group is done. Where runs go on in the next rung, their data stay. */
void ock_search_release(struct ock_search *search, size_t cut);
bool ock_search_has_left(const struct ock_search *search);
/* The first error is the search's. */
void ock_search_fail(struct ock_search *search, enum ock_status status, const struct ock_err *err);

/* --- tune_group.c ------------------------------------------------------------------------------ */

enum ock_status ock_search_run_group(struct ock_search *search, const struct ock_tune_group *group,
                                     struct ock_err *err);
void ock_search_close_run(struct ock_search *search, size_t trial, size_t cut, bool done);

/* --- tune_halving.c ---------------------------------------------------------------------------- */

/* Epochs at which rung `rung` ends; the last one's are the spec's. */
uint32_t ock_halving_epochs(const struct ock_tune_spec *tune, uint32_t epochs, uint32_t rung);
/* After a rung: ends the trials that are not among the best and have trained long enough. */
void ock_search_end_worst(struct ock_search *search);

/* --- tune_tell.c: all under the mutex, or after the lanes --------------------------------------- */

/* The trial is settled: its figures, its event. */
enum ock_status ock_search_tell_trial(struct ock_search *search, size_t trial, struct ock_err *err);
enum ock_status ock_search_tell_progress(struct ock_search *search, struct ock_err *err);
enum ock_status ock_search_tell_resolved(struct ock_search *search, struct ock_err *err);
enum ock_status ock_search_tell_bound(struct ock_search *search, struct ock_err *err);
enum ock_status ock_search_tell_choice(struct ock_search *search, const struct ock_table_best *best,
                                       struct ock_err *err);
/* The document "tuning" in at most bytes_max: a large one without the folds' hashes, which the trials'
 * events have, then without fold_ids too. *body is the caller's, also after an error; one that is
 * still too large has failed with LIMIT. Errors: NOMEM, and those of ock_data_folds. */
enum ock_status ock_search_write_document(const struct ock_search *search,
                                          const struct ock_table_best *best, size_t bytes_max,
                                          struct ock_buf *body, struct ock_err *err);
enum ock_status ock_search_tell_document(struct ock_search *search,
                                         const struct ock_table_best *best, struct ock_err *err);
char *ock_search_summary(const struct ock_search *search, const struct ock_table_best *best);
/* There is a state and it is none of this search's, or damaged: a warning. */
enum ock_status ock_search_tell_foreign(struct ock_search *search, struct ock_err *err);
/* Writes the state; a no-op without a path. forced: else only when it is due. */
enum ock_status ock_search_save(struct ock_search *search, bool forced, struct ock_err *err);

/* --- tune_bound.c ------------------------------------------------------------------------------ */

/* The least alpha that leaves no weight of a linear model: max_j |d data_loss / d w_j| at w = 0 with
 * the best bias; where biases are penalised, at bias 0, and biases count. *left: it was left, *out is
 * untouched. Errors: NOMEM. Source: SPEC.md; heart_scale's is 0.2526748971. */
enum ock_status ock_tune_l1_bound(double *out, bool *left, const struct ock_spec *spec,
                                  const struct ock_data *data, const struct ock_leave *leave,
                                  struct ock_err *err);

#endif
