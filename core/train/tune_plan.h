/* What a search adds to a plan. */
#ifndef OCK_TRAIN_TUNE_PLAN_H
#define OCK_TRAIN_TUNE_PLAN_H

#include "core/train/plan.h"

/* Trials of a search: the grid of its axes. */
size_t ock_tune_trials(const struct ock_tune_spec *tune);

/* Trainings in all: each trial on each cut of the data, and the refit. */
size_t ock_tune_runs(const struct ock_tune_spec *tune);

/* Threads of a search that was given none: as many as pay, of those that the machine has. No bit
 * depends on it. threads_useful: of one trial's plan. */
uint32_t ock_tune_threads(const struct ock_spec *spec, uint32_t threads_useful);

/* Memory and threads of a spec with tune; plan is that of the spec without. data_bytes: of one cut.
 * Errors: LIMIT, NOMEM. */
enum ock_status ock_tune_plan(struct ock_plan *plan, const struct ock_spec *spec,
                              const struct ock_plan_data *data, size_t data_bytes,
                              struct ock_err *err);

#endif
