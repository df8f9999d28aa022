/* `lr: auto`: the learning rate, found on the training rows before the first epoch. */
#ifndef OCK_TRAIN_LR_SEARCH_H
#define OCK_TRAIN_LR_SEARCH_H

#include "core/train/trainer.h"

struct ock_lr_found {
    double lr;
    bool limited;       /* the strength of the penalty asked for a smaller one than was found */
    double cost_epochs; /* rows that were looked at, in epochs (a forward pass counts a third) */
};

/* Tries a ladder of learning rates on the same few minibatches from the same first weights, with
 * the given optimizer but without momentum, penalty and decay, and takes a share of the one whose loss
 * on those rows and as many others is least, by optimizer, momentum and schedule
 * (docs/learning-rate.md). Costs less than an epoch, depends on nothing but spec, data and seed. The
 * trainer is as before afterwards: first weights, empty optimizer. false: interrupted
 * by a pause, nothing is known. */
bool ock_lr_search(struct ock_trainer *trainer, struct ock_lr_found *out);

/* The same, and never so large that decay alone would flip signs (SPEC.md, L1 methods). */
bool ock_lr_find(struct ock_trainer *trainer, struct ock_lr_found *out);

#endif
