/* exp, log1p, the activations and their derivatives on vectors: included after a vec_*.h.
 *
 * reference.c does the same operations in the same order on single floats; a change here is a
 * change there. Products and sums that are not in vf_fma are rounded one by one. */
#ifndef OCK_KERNELS_MATH_BODY_H
#define OCK_KERNELS_MATH_BODY_H

#include <float.h>
#include <math.h>

#include "core/kernels/inline.h"
#include "core/kernels/kernels.h"
#include "core/kernels/math_constants.h"

/* c[0] + x (c[1] + x (c[2] + …)) */
ALWAYS_INLINE vf vf_polynomial(vf x, const float *c, const int degree)
{
    vf sum = vf_set(c[degree]);
    for (int i = degree - 1; i >= 0; i--)
        sum = vf_fma(sum, x, vf_set(c[i]));
    return sum;
}

/* exp(x + low), |low| far below ulp(1): 2^n exp(r) with n the nearest integer to x/ln 2. */
ALWAYS_INLINE vf vf_exp_sum(vf x, vf low)
{
    const vf shifted = vf_fma(x, vf_set(LOG2_E), vf_set(ROUND_MAGIC));
    const vf n = vf_sub(shifted, vf_set(ROUND_MAGIC));
    vf r = vf_fma(n, vf_set(-LN2_HIGH), x);
    r = vf_fma(n, vf_set(-LN2_LOW), r);
    r = vf_add(r, low);
    const vf q = vf_polynomial(r, exp_q, EXP_DEGREE);
    const vf p = vf_add(vf_fma(vf_mul(r, r), q, r), vf_set(1.0f));
    const vi exponent = vi_shift_left_23(vi_from_bits(shifted));
    vf y = vf_from_bits(vi_add(vi_from_bits(p), exponent));
    y = vf_select(vf_lt(x, vf_set(EXP_MIN)), vf_zero(), y);
    y = vf_select(vf_lt(vf_set(EXP_MAX), x), vf_set(INFINITY), y);
    return vf_select(vf_eq(x, x), y, x);
}

ALWAYS_INLINE vf vf_exp(vf x)
{
    return vf_exp_sum(x, vf_zero());
}

/* k ln 2 + log(1 + f) with 1 + x = 2^k (1 + f), 0.75 <= 1 + f < 1.5. f is taken from x and 2^-k,
 * not from the rounded 1 + x. 2^-k may be below the normal numbers, 4 2^-k never is. */
ALWAYS_INLINE vf vf_log1p(vf x)
{
    const vf u = vf_add(vf_set(1.0f), x);
    const vi above = vi_sub(vi_from_bits(u), vi_from_bits(vf_set(0.75f)));
    const vi k = vi_and(above, vi_set((int32_t)0xff800000u));
    const vf scaled_x = vf_from_bits(vi_sub(vi_from_bits(x), k));
    const vf scale4 = vf_from_bits(vi_sub(vi_from_bits(vf_set(4.0f)), k));
    const vf f = vf_add(scaled_x, vf_sub(vf_mul(scale4, vf_set(0.25f)), vf_set(1.0f)));
    const vf n = vf_from_int(vi_shift_right_23(k));

    const vf f2 = vf_mul(f, f);
    const vf q = vf_polynomial(f, log1p_q, LOG1P_DEGREE);
    vf y = vf_fma(vf_mul(f2, f), q, vf_fma(vf_set(-0.5f), f2, f));
    y = vf_fma(n, vf_set(LN2_LOW), y);
    y = vf_fma(n, vf_set(LN2_HIGH), y);
    y = vf_select(vf_eq(u, vf_zero()), vf_set(-INFINITY), y);
    y = vf_select(vf_lt(u, vf_zero()), vf_set(NAN), y);
    y = vf_select(vf_lt(vf_set(FLT_MAX), x), x, y);
    return vf_select(vf_eq(x, x), y, x);
}

ALWAYS_INLINE vf vf_tanh(vf x)
{
    const vf a = vf_abs(x);
    const vf e = vf_exp(vf_add(a, a));
    const vf large = vf_sub(vf_set(1.0f), vf_div(vf_set(2.0f), vf_add(e, vf_set(1.0f))));
    const vf s = vf_mul(x, x);
    const vf small = vf_fma(vf_mul(x, s), vf_polynomial(s, tanh_q, TANH_DEGREE), x);
    return vf_select(vf_lt(a, vf_set(TANH_SMALL)), small, vf_copysign(large, x));
}

ALWAYS_INLINE vf vf_sigmoid(vf x)
{
    return vf_div(vf_set(1.0f), vf_add(vf_set(1.0f), vf_exp(vf_sub(vf_zero(), x))));
}

/* The normal distribution at x: its integral from -infinity (returned) and its density. |x| is cut
 * at TAIL_MAX in *cut. The exponent -a^2/2 is the exact square of a's head and a small rest. */
ALWAYS_INLINE vf vf_normal(vf x, vf *density, vf *cut)
{
    vf a = vf_abs(x);
    a = vf_select(vf_le(vf_set(TAIL_MAX), a), vf_set(TAIL_MAX), a);
    const vf head = vf_from_bits(vi_and(vi_from_bits(a), vi_set((int32_t)TAIL_HEAD_BITS)));
    const vf rest = vf_mul(vf_sub(a, head), vf_add(a, head));
    const vf e = vf_exp_sum(vf_mul(vf_set(-0.5f), vf_mul(head, head)), vf_mul(vf_set(-0.5f), rest));
    const vf t = vf_div(vf_set(1.0f), vf_fma(vf_set(TAIL_SLOPE), a, vf_set(1.0f)));
    const vf tail = vf_mul(e, vf_mul(t, vf_polynomial(t, tail_q, TAIL_DEGREE)));
    *density = vf_mul(vf_set(NORMAL_PEAK), e);
    *cut = vf_copysign(a, x);
    const vf s = vf_mul(x, x);
    const vf center = vf_fma(x, vf_polynomial(s, center_q, CENTER_DEGREE), vf_set(0.5f));
    const vf outer = vf_select(vf_lt(x, vf_zero()), tail, vf_sub(vf_set(1.0f), tail));
    return vf_select(vf_lt(a, vf_set(CENTER_MAX)), center, outer);
}

ALWAYS_INLINE vf vf_gelu(vf x)
{
    vf density, cut;
    const vf integral = vf_normal(x, &density, &cut);
    return vf_mul(vf_select(vf_lt(x, vf_zero()), cut, x), integral);
}

/* NaN stays NaN, so that training sees it. */
ALWAYS_INLINE vf vf_relu(vf x)
{
    return vf_keep(vm_not(vf_le(x, vf_zero())), x);
}

ALWAYS_INLINE vf vf_leaky_relu(vf x)
{
    return vf_select(vf_lt(vf_zero(), x), x, vf_mul(vf_set(LEAKY_SLOPE), x));
}

ALWAYS_INLINE vf vf_identity(vf x)
{
    return x;
}

/* y = f(x), vector by vector; f is inlined. */
ALWAYS_INLINE void map(vf (*f)(vf), size_t count, const float *x, float *y)
{
    size_t i = 0;
    for (; i + V_WIDTH <= count; i += V_WIDTH)
        vf_store(y + i, f(vf_load(x + i)));
    if (i < count)
        vf_store_first(y + i, f(vf_load_first(x + i, count - i)), count - i);
}

static void kernel_exp(size_t count, const float *x, float *y)
{
    map(vf_exp, count, x, y);
}

static void kernel_log1p(size_t count, const float *x, float *y)
{
    map(vf_log1p, count, x, y);
}

static void kernel_activate(enum ock_activation activation, size_t count, const float *x, float *y)
{
    switch (activation) {
    case OCK_IDENTITY:
        map(vf_identity, count, x, y);
        break;
    case OCK_RELU:
        map(vf_relu, count, x, y);
        break;
    case OCK_TANH:
        map(vf_tanh, count, x, y);
        break;
    case OCK_SIGMOID:
        map(vf_sigmoid, count, x, y);
        break;
    case OCK_GELU:
        map(vf_gelu, count, x, y);
        break;
    case OCK_LEAKY_RELU:
        map(vf_leaky_relu, count, x, y);
        break;
    }
}

/* --- Derivatives: dx from x, y = act(x) and dy --- */

ALWAYS_INLINE vf back_identity(vf x, vf y, vf dy)
{
    (void)x;
    (void)y;
    return dy;
}

ALWAYS_INLINE vf back_relu(vf x, vf y, vf dy)
{
    (void)y;
    return vf_keep(vf_lt(vf_zero(), x), dy);
}

ALWAYS_INLINE vf back_tanh(vf x, vf y, vf dy)
{
    (void)x;
    return vf_mul(dy, vf_sub(vf_set(1.0f), vf_mul(y, y)));
}

ALWAYS_INLINE vf back_sigmoid(vf x, vf y, vf dy)
{
    (void)x;
    return vf_mul(dy, vf_mul(y, vf_sub(vf_set(1.0f), y)));
}

ALWAYS_INLINE vf back_gelu(vf x, vf y, vf dy)
{
    (void)y;
    vf density, cut;
    const vf integral = vf_normal(x, &density, &cut);
    return vf_mul(dy, vf_fma(cut, density, integral));
}

ALWAYS_INLINE vf back_leaky_relu(vf x, vf y, vf dy)
{
    (void)y;
    return vf_select(vf_lt(vf_zero(), x), dy, vf_mul(vf_set(LEAKY_SLOPE), dy));
}

ALWAYS_INLINE void map_back(vf (*f)(vf, vf, vf), size_t count, const float *x, const float *y,
                            const float *dy, float *dx)
{
    size_t i = 0;
    for (; i + V_WIDTH <= count; i += V_WIDTH)
        vf_store(dx + i, f(vf_load(x + i), vf_load(y + i), vf_load(dy + i)));
    if (i < count) {
        const size_t n = count - i;
        const vf d = f(vf_load_first(x + i, n), vf_load_first(y + i, n), vf_load_first(dy + i, n));
        vf_store_first(dx + i, d, n);
    }
}

static void kernel_activate_back(enum ock_activation activation, size_t count, const float *x,
                                 const float *y, const float *dy, float *dx)
{
    switch (activation) {
    case OCK_IDENTITY:
        map_back(back_identity, count, x, y, dy, dx);
        break;
    case OCK_RELU:
        map_back(back_relu, count, x, y, dy, dx);
        break;
    case OCK_TANH:
        map_back(back_tanh, count, x, y, dy, dx);
        break;
    case OCK_SIGMOID:
        map_back(back_sigmoid, count, x, y, dy, dx);
        break;
    case OCK_GELU:
        map_back(back_gelu, count, x, y, dy, dx);
        break;
    case OCK_LEAKY_RELU:
        map_back(back_leaky_relu, count, x, y, dy, dx);
        break;
    }
}

#endif
