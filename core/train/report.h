/* The overfitting report: a member of every `end` event, docs/overfitting.md. */
#ifndef OCK_TRAIN_REPORT_H
#define OCK_TRAIN_REPORT_H

#include "core/base/jsonw.h"
#include "core/train/layers.h"
#include "core/train/trainer.h"

/* "lambda_hat" and "report". best: the layers with the best weights; NULL: they could not be
 * examined. */
void ock_report_write(struct ock_jsonw *w, const struct ock_trainer *trainer,
                      const struct ock_layers_report *best);

#endif
