/* The shared update on vectors: included after a vec_*.h. SPEC.md, One step and L1 methods.
 *
 * One pass over weights, gradients and momentum, bound by memory: the rule and the L1 method are
 * constants of each loop, what else may vary costs a predicted branch a vector. reference.c does
 * the same operations on single floats. */
#ifndef OCK_KERNELS_UPDATE_BODY_H
#define OCK_KERNELS_UPDATE_BODY_H

#include <float.h>

#include "core/kernels/inline.h"
#include "core/kernels/kernels.h"
#include "core/kernels/update_terms.h"

struct update_vectors {
    vf grad_scale, keep, decay, l1, lr, threshold, divisor, momentum;
    vf beta1, one_beta1, beta2, one_beta2, bias2_sqrt, eps, adam_step;
    vd total;
};

static struct update_vectors update_vectors_make(const struct ock_update *u,
                                                 const struct update_terms *t)
{
    return (struct update_vectors){
        .grad_scale = vf_set(u->grad_scale),
        .keep = vf_set(u->keep),
        .decay = vf_set(t->decay),
        .l1 = vf_set(u->l1),
        .lr = vf_set(u->lr),
        .threshold = vf_set(t->threshold),
        .divisor = vf_set(t->divisor),
        .momentum = vf_set(u->momentum),
        .beta1 = vf_set(u->beta1),
        .one_beta1 = vf_set(t->one_beta1),
        .beta2 = vf_set(u->beta2),
        .one_beta2 = vf_set(t->one_beta2),
        .bias2_sqrt = vf_set(u->bias2_sqrt),
        .eps = vf_set(u->eps),
        .adam_step = vf_set(t->adam_step),
        .total = vd_set(u->l1_total),
    };
}

/* n is V_WIDTH, known when compiled, but for the last vector of an array. */
ALWAYS_INLINE vf load_n(const float *p, size_t n)
{
    return n == V_WIDTH ? vf_load(p) : vf_load_first(p, n);
}

ALWAYS_INLINE void store_n(float *p, vf x, size_t n)
{
    if (n == V_WIDTH)
        vf_store(p, x);
    else
        vf_store_first(p, x, n);
}

/* sign(h) max(0, |h| - threshold); NaN stays NaN, zeros are +0 */
ALWAYS_INLINE vf soft(vf h, vf threshold)
{
    const vf rest = vf_sub(vf_abs(h), threshold);
    return vf_keep(vm_not(vf_le(rest, vf_zero())), vf_copysign(rest, h));
}

/* Points 5 and 6 of SGD: returns the step's direction, and in *momentum what v becomes. */
ALWAYS_INLINE vf sgd_direction(const struct ock_update *u, const struct update_vectors *c, vf g,
                               size_t i, size_t n, vf *momentum)
{
    if (u->momentum == 0.0f)
        return g;
    vf v = g;
    if (!u->first_step)
        v = vf_add(vf_mul(c->momentum, load_n(u->v + i, n)), g);
    *momentum = v;
    return u->nesterov ? vf_add(g, vf_mul(c->momentum, v)) : v;
}

ALWAYS_INLINE vf sgd_step(const struct ock_update *u, const struct update_vectors *c,
                          enum l1_kind l1, vf w, vf g, size_t i, size_t n)
{
    vf v = g;
    const vf direction = sgd_direction(u, c, g, i, n, &v);
    vf h = vf_sub(w, vf_mul(c->lr, direction));
    if (l1 == L1_PROXIMAL) {
        const vf pull = vf_div(h, c->divisor);
        const vm inside = vf_le(vf_abs(pull), c->l1);
        v = vf_add(v, vf_select(inside, pull, vf_copysign(c->l1, h)));
        h = soft(h, c->threshold);
    }
    if (u->momentum != 0.0f)
        store_n(u->v + i, v, n);
    return h;
}

ALWAYS_INLINE vf adam_step(const struct ock_update *u, const struct update_vectors *c,
                           enum l1_kind l1, vf w, vf g, size_t i, size_t n)
{
    const vf m = vf_add(vf_mul(c->beta1, load_n(u->v + i, n)), vf_mul(c->one_beta1, g));
    const vf g2 = vf_mul(vf_mul(c->one_beta2, g), g);
    const vf s = vf_add(vf_mul(c->beta2, load_n(u->s + i, n)), g2);
    const vf root = vf_add(vf_div(vf_sqrt(s), c->bias2_sqrt), c->eps);
    store_n(u->v + i, m, n);
    store_n(u->s + i, s, n);
    const vf h = vf_sub(w, vf_mul(c->adam_step, vf_div(m, root)));
    return l1 == L1_PROXIMAL ? soft(h, vf_div(c->threshold, root)) : h;
}

/* Tsuruoka's clipping of half a vector in double: z towards zero by at most u + q or u - q. */
ALWAYS_INLINE vd clip_half(vd z, vd q, vd total)
{
    const vd up = vd_sub(z, vd_add(total, q));
    const vd down = vd_add(z, vd_sub(total, q));
    const vd positive = vd_select(vd_lt(vd_zero(), up), up, vd_zero());
    const vd negative = vd_select(vd_le(vd_zero(), down), vd_zero(), down);
    return vd_select(vd_lt(vd_zero(), z), positive, negative);
}

ALWAYS_INLINE vf clip_cumulative(const struct ock_update *u, const struct update_vectors *c, vf z,
                                 size_t i, size_t n)
{
    enum { HALF = V_WIDTH / 2 };
    double *low_at = u->q + i;
    double *high_at = u->q + i + HALF;
    const size_t low_n = n < HALF ? n : HALF;
    const size_t high_n = n - low_n;
    const vd low_q = low_n == HALF ? vd_load(low_at) : vd_load_first(low_at, low_n);
    const vd high_q = high_n == HALF ? vd_load(high_at) : vd_load_first(high_at, high_n);
    const vd low = vd_from_low(z);
    const vd high = vd_from_high(z);
    const vf w =
        vf_from_doubles(clip_half(low, low_q, c->total), clip_half(high, high_q, c->total));
    const vd low_new = vd_add(low_q, vd_sub(vd_from_low(w), low));
    const vd high_new = vd_add(high_q, vd_sub(vd_from_high(w), high));
    if (low_n == HALF)
        vd_store(low_at, low_new);
    else
        vd_store_first(low_at, low_new, low_n);
    if (high_n == HALF)
        vd_store(high_at, high_new);
    else if (high_n > 0)
        vd_store_first(high_at, high_new, high_n);
    return w;
}

/* Elements i to i + n; returns where a scaled gradient or a new weight is not finite. */
ALWAYS_INLINE vm update_vector(const struct ock_update *u, const struct update_vectors *c,
                               bool adam, enum l1_kind l1, size_t i, size_t n)
{
    const vf data = vf_mul(load_n(u->g + i, n), c->grad_scale);
    vf w = vf_mul(load_n(u->w + i, n), c->keep);
    vf g = vf_add(data, vf_mul(c->decay, w));
    if (l1 == L1_SUBGRADIENT)
        g = vf_add(g, vf_keep(vm_not(vf_eq(w, vf_zero())), vf_copysign(c->l1, w)));
    w = adam ? adam_step(u, c, l1, w, g, i, n) : sgd_step(u, c, l1, w, g, i, n);
    if (l1 == L1_CUMULATIVE)
        w = clip_cumulative(u, c, w, i, n);
    store_n(u->w + i, w, n);
    const vf limit = vf_set(FLT_MAX);
    return vm_not(vm_and(vf_le(vf_abs(data), limit), vf_le(vf_abs(w), limit)));
}

/* The update is taken by value: stores through its pointers can't make its fields be read again. */
ALWAYS_INLINE bool update_range(struct ock_update u, const struct update_terms *t, bool adam,
                                enum l1_kind l1, size_t begin, size_t end)
{
    const struct update_vectors c = update_vectors_make(&u, t);
    vm bad = vm_none();
    size_t i = begin;
    for (; i + V_WIDTH <= end; i += V_WIDTH)
        bad = vm_or(bad, update_vector(&u, &c, adam, l1, i, V_WIDTH));
    if (i < end) {
        const vm last = update_vector(&u, &c, adam, l1, i, end - i);
        bad = vm_or(bad, vm_and(last, vm_first(end - i)));
    }
    return !vm_any(bad);
}

ALWAYS_INLINE bool update_rule(const struct ock_update *u, const struct update_terms *t, bool adam,
                               size_t begin, size_t end)
{
    switch (t->l1_kind) {
    case L1_SUBGRADIENT:
        return update_range(*u, t, adam, L1_SUBGRADIENT, begin, end);
    case L1_PROXIMAL:
        return update_range(*u, t, adam, L1_PROXIMAL, begin, end);
    case L1_CUMULATIVE:
        return update_range(*u, t, adam, L1_CUMULATIVE, begin, end);
    case L1_NONE:
        break;
    }
    return update_range(*u, t, adam, L1_NONE, begin, end);
}

static bool kernel_update(const struct ock_update *update, size_t begin, size_t end)
{
    const struct update_terms terms = update_terms_make(update);
    if (update->rule == OCK_SGD)
        return update_rule(update, &terms, false, begin, end);
    return update_rule(update, &terms, true, begin, end);
}

#endif
