/* The learning rate of every step: schedule, warm-up, and the factors that the run itself adds. */
#ifndef OCK_TRAIN_SCHEDULE_H
#define OCK_TRAIN_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/train/spec.h"

/* What plateau remembers. All zero (factor 1) is the start; part of a checkpoint. */
struct ock_plateau {
    double factor;       /* of all reductions so far */
    double best;         /* least loss seen */
    uint32_t bad_epochs; /* since then */
    uint32_t seen;       /* epochs observed */
};

/* Where a step stands. Steps count from 0 over the whole run, epochs from 1. */
struct ock_schedule_place {
    uint32_t epoch;
    uint64_t step;        /* t */
    uint64_t steps_total; /* T */
    uint64_t steps_per_epoch;
};

/* lr of the step, before the rollback factor:
 *   constant     lr
 *   step         lr * factor^floor((epoch-1)/every)
 *   exponential  lr * factor^(epoch-1)
 *   cosine       min + (lr-min) * (1 + cos(pi t/T))/2
 *   plateau      lr * plateau->factor
 * times min(1, (t+1)/W) with W = warmup_epochs * steps_per_epoch: a straight line that would be 0
 * one step before the first. */
double ock_schedule_lr(const struct ock_schedule_spec *spec, double lr,
                       const struct ock_plateau *plateau, const struct ock_schedule_place *place);

/* Tells plateau the epoch's loss (validation's, else training's): after more than `patience` epochs
 * in a row without a new least loss, the factor applies once more (PyTorch's ReduceLROnPlateau with
 * threshold 0). A no-op for other schedules. */
void ock_plateau_observe(const struct ock_schedule_spec *spec, struct ock_plateau *plateau,
                         double loss);

#endif
