/* What an update computes once from its coefficients, the same for every family. */
#ifndef OCK_KERNELS_UPDATE_TERMS_H
#define OCK_KERNELS_UPDATE_TERMS_H

#include <float.h>

#include "core/kernels/kernels.h"

enum l1_kind { L1_NONE, L1_SUBGRADIENT, L1_PROXIMAL, L1_CUMULATIVE };

struct update_terms {
    enum l1_kind l1_kind;
    float decay;     /* coupled decay of both kinds: 2 l2 + weight_decay */
    float threshold; /* proximal: lr l1 */
    float divisor;   /* proximal: lr, or a tiny number in a warm-up's step of lr 0: 0/lr is 0 */
    float one_beta1, one_beta2;
    float adam_step; /* lr/bias1 */
};

/* Without l1 no method has anything to do, and proximal is plain SGD to the bit. */
static inline enum l1_kind update_l1_kind(const struct ock_update *u)
{
    if (u->l1_method == OCK_CUMULATIVE)
        return u->l1_total > 0.0 ? L1_CUMULATIVE : L1_NONE;
    if (!(u->l1 > 0.0f))
        return L1_NONE;
    return u->l1_method == OCK_PROXIMAL ? L1_PROXIMAL : L1_SUBGRADIENT;
}

/* decay is one number so that l2 = weight_decay/2 gives the same bits: 2 l2 is exact. */
static inline struct update_terms update_terms_make(const struct ock_update *u)
{
    return (struct update_terms){
        .l1_kind = update_l1_kind(u),
        .decay = 2.0f * u->l2 + u->weight_decay,
        .threshold = u->lr * u->l1,
        .divisor = u->lr > 0.0f ? u->lr : FLT_MIN,
        .one_beta1 = 1.0f - u->beta1,
        .one_beta2 = 1.0f - u->beta2,
        .adam_step = u->lr / u->bias1,
    };
}

#endif
