/* The epochs of a run: what follows from each, and what is told of it. */
#ifndef OCK_TRAIN_RUN_H
#define OCK_TRAIN_RUN_H

#include "core/train/job.h"
#include "core/train/lr_search.h"
#include "core/train/trainer.h"

/* Trains from where progress stands until the end or a pause, sends every event on the way, the
 * `end` too, and writes the models. Errors: NONFINITE (the job failed), IO, NOSPACE, NOMEM, a
 * hook's. */
enum ock_status ock_run_epochs(struct ock_trainer *trainer, const struct ock_job *job,
                               enum ock_outcome *outcome, struct ock_err *err);

/* Trains the next minibatch and, if it is an epoch's last, does all that follows from the epoch; not
 * for a run that is trained. *paused: left, at a place where a checkpoint can be taken. Errors:
 * NONFINITE, a hook's. */
enum ock_status ock_run_minibatch(struct ock_trainer *trainer, bool *paused, struct ock_err *err);
/* Trains up to the end of an epoch, or of the run; nothing is told of an ending. *paused: left, at a
 * place where a checkpoint can be taken. Errors: NONFINITE, a hook's. */
enum ock_status ock_run_until(struct ock_trainer *trainer, uint32_t epoch, bool *paused,
                              struct ock_err *err);
/* Nothing is left to train: the ending remains. */
bool ock_run_is_trained(const struct ock_trainer *trainer);

/* Sends an event whose body is a buffer, which is ended here, whatever happens. Errors: the buffer's,
 * the hook's. */
enum ock_status ock_run_send(const struct ock_job_hooks *hooks, const char *type, const char *key,
                             struct ock_buf *body, struct ock_err *err);
/* A `warning` event; key "warning:<code>:<number>". */
enum ock_status ock_run_warn(const struct ock_trainer *trainer, const char *code, uint64_t number,
                             const char *message, struct ock_err *err);
/* The warnings that follow from the spec alone. */
enum ock_status ock_run_tell_warnings(const struct ock_trainer *trainer, struct ock_err *err);
/* The `log` event of the learning rate that was found. */
enum ock_status ock_run_log_lr(const struct ock_job_hooks *hooks, const struct ock_lr_found *found,
                               struct ock_err *err);
/* "resolved": the spec with the learning rate in it. */
enum ock_status ock_run_tell_resolved(const struct ock_trainer *trainer, struct ock_err *err);
/* A document (protocol.h) of that name, lower case letters and '_'; the JSON object in `body`, which is
 * ended here, whatever happens. One above OCK_DOCUMENT_BYTES_MAX is not told: nobody needs that much.
 * Told before `end`, so that whoever sees `end` can read it. Errors: NOMEM, the hook's. */
enum ock_status ock_run_tell_document(const struct ock_job_hooks *hooks, const char *name,
                                      struct ock_buf *body, struct ock_err *err);

#endif
