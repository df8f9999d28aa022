/* The document `evaluation`: what the model that is served does on the validation rows. */
#ifndef OCK_TRAIN_APPRAISAL_H
#define OCK_TRAIN_APPRAISAL_H

#include "core/train/trainer.h"

/* One forward pass over the validation rows with weights w ([P]), then the document into out; out stays
 * empty if there are none (or none with weight), or only one class. *left: a pause was obeyed. Errors: NOMEM, LIMIT. */
enum ock_status ock_appraise(struct ock_trainer *trainer, const float *w, uint32_t epoch,
                             struct ock_buf *out, bool *left, struct ock_err *err);

/* What it allocates; outputs: of the network. */
size_t ock_appraisal_bytes(size_t validation_rows, size_t outputs);

#endif
