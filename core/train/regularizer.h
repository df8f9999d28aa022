/* The penalty: which parameters it covers and with which strength, its value, max_norm.
 *
 *   penalty = sum over layers of alpha * sum|w| + lambda * sum w^2
 *
 * Its gradient, alpha*sign(w) + 2*lambda*w, is added once a step, in the update (kernels.h). */
#ifndef OCK_TRAIN_REGULARIZER_H
#define OCK_TRAIN_REGULARIZER_H

#include <stddef.h>

#include "core/kernels/kernels.h"
#include "core/model/team.h"
#include "core/train/plan.h"

/* A run of parameters with the same coefficients: a layer's weights, or its bias. */
struct ock_group {
    size_t begin, count;
    size_t layer;
    bool bias;
    double l1, l2; /* 0 for a bias that `"biases": false` leaves out */
};

enum { OCK_GROUPS_MAX = 2 * OCK_LAYERS_MAX };

/* The groups in the order of the parameters; returns how many. */
size_t ock_groups_make(struct ock_group groups[OCK_GROUPS_MAX], const struct ock_spec *spec,
                       const struct ock_plan *plan);

/* What an epoch reports of the weights, all sums in double in the parameters' order. */
struct ock_weight_report {
    double penalty_l1, penalty_l2; /* parts of the objective */
    double l1_norm, l2_norm;       /* sum|w|, sqrt(sum w^2) over all trainable parameters */
    size_t zeros;                  /* w == 0 exactly */
    size_t near_zeros; /* |w| < 1e-3 * max|w| of its layer (weights and bias together) */
    size_t count;
};
void ock_weights_report(struct ock_weight_report *out, const struct ock_group *groups,
                        size_t group_count, const float *w);

/* Projects each unit's incoming weights of all linear layers but the last to norm <= max_norm
 * (bias excluded): w *= max_norm/norm, the norm in double. */
void ock_max_norm(const struct ock_plan *plan, const struct ock_kernels *kernels,
                  const struct ock_team *team, double max_norm, float *w);

#endif
