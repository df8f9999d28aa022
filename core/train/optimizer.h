/* The optimizer: its state vectors and the one shared update (SPEC.md, One step).
 *
 * It is the sink of a backward pass: each finished piece of the gradient updates its weights at
 * once, while it is in the cache. Only clip_norm, which has to know the whole gradient first,
 * collects it and updates afterwards. P parameters. */
#ifndef OCK_TRAIN_OPTIMIZER_H
#define OCK_TRAIN_OPTIMIZER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/model/network.h"
#include "core/train/regularizer.h"

/* All that an update reads and writes between steps. Vectors are NULL when the method has no use
 * for them. */
struct ock_optimizer_state {
    float *w;          /* [P] */
    float *v;          /* [P] momentum or first moment */
    float *s;          /* [P] second moment */
    double *q;         /* [P] cumulative L1 */
    double *l1_totals; /* [groups] u of each group */
};

struct ock_optimizer {
    const struct ock_spec *spec;
    const struct ock_plan *plan;
    const struct ock_kernels *kernels;
    const struct ock_team *team;
    size_t group_count;
    struct ock_group groups[OCK_GROUPS_MAX];
    struct ock_optimizer_state state;
    float *gradient;  /* [P], with clip_norm only */
    double *partials; /* [chunks] with clip_norm only */
    /* Of the step at work: */
    struct ock_update updates[OCK_GROUPS_MAX]; /* each group's coefficients, without pointers */
    double weight_sum;
    float grad_scale; /* clip factor / weight_sum */
    atomic_bool nonfinite;
};

/* Lays out a state for the spec's method (also for copies of it). */
void ock_optimizer_state_layout(struct ock_optimizer_state *state, const struct ock_spec *spec,
                                size_t parameters, size_t group_count, struct ock_arena *arena);
/* dst = src, both laid out for the same spec. */
void ock_optimizer_state_copy(struct ock_optimizer_state *dst,
                              const struct ock_optimizer_state *src, size_t parameters,
                              size_t group_count);

void ock_optimizer_layout(struct ock_optimizer *optimizer, const struct ock_spec *spec,
                          const struct ock_plan *plan, const struct ock_kernels *kernels,
                          const struct ock_team *team, struct ock_arena *arena);

/* Before a backward pass: lr of the step, the minibatch's weight (> 0), updates made so far. */
void ock_optimizer_begin(struct ock_optimizer *optimizer, double lr, double weight_sum,
                         uint64_t updates);
/* What the backward pass is given. */
struct ock_sink ock_optimizer_sink(struct ock_optimizer *optimizer);
/* After it: clipping and max_norm, where asked for. Returns false when a gradient or a weight was
 * not finite. */
bool ock_optimizer_end(struct ock_optimizer *optimizer);

#endif
