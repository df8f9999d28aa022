/* The `end` event, always a job's last, and the models that it speaks of. */
#ifndef OCK_TRAIN_ENDING_H
#define OCK_TRAIN_ENDING_H

#include "core/train/job.h"
#include "core/train/trainer.h"

/* Measures the test rows with the best weights, writes last and best model, sends `end`. *paused:
 * it was left while it measured, and a checkpoint taken now leads here again. Errors: IO, NOSPACE,
 * NOMEM, the hook's. */
enum ock_status ock_ending_succeeded(struct ock_trainer *trainer, const struct ock_job *job,
                                     bool *paused, struct ock_err *err);

/* Sends the `end` of a search without a refit, so without a model. tuning: its summary, or NULL. */
enum ock_status ock_ending_search(const struct ock_job_hooks *hooks, const char *tuning,
                                  bool stopped, struct ock_err *err);

/* Sends `end` with status failed. stop_reason by the status: nonfinite, memory (NOMEM), data (all
 * else). trainer may be NULL: it failed before there was one. */
enum ock_status ock_ending_failed(const struct ock_job_hooks *hooks,
                                  const struct ock_trainer *trainer, enum ock_status why,
                                  const char *text, struct ock_err *err);

#endif
