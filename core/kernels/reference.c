/* The reference: every function as plain loops over single floats, with fmaf where the vectors
 * fuse. It is the truth that the other families are compared with, bit by bit, and the text to read
 * first; it is slow, and nothing but tests and comparisons asks for it. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "core/kernels/families.h"
#include "core/kernels/math_constants.h"
#include "core/kernels/philox.h"
#include "core/kernels/update_terms.h"

/* --- Matrix products ------------------------------------------------------------------------- */

enum { PANEL = 16 };

static size_t reference_packed_floats(size_t K, size_t N)
{
    return K * ((N + PANEL - 1) / PANEL) * PANEL;
}

/* Panel p is [K][PANEL], columns behind N are zeros. */
static void reference_pack(float *packed, const float *b, size_t row, size_t col, size_t K,
                           size_t N, size_t panel_begin, size_t panel_end)
{
    for (size_t p = panel_begin; p < panel_end; p++)
        for (size_t k = 0; k < K; k++)
            for (size_t j = 0; j < PANEL; j++) {
                const size_t n = p * PANEL + j;
                packed[(p * K + k) * PANEL + j] = n < N ? b[k * row + n * col] : 0.0f;
            }
}

static float element_b(const struct ock_product *p, size_t k, size_t n)
{
    if (p->packed)
        return p->packed[(n / PANEL * p->K + k) * PANEL + n % PANEL];
    return p->B[k * p->b_row + n * p->b_col];
}

/* Blocks of OCK_K_BLOCK, each summed from zero, added in order; then the bias. */
static float element_c(const struct ock_product *p, size_t m, size_t n)
{
    float total = 0.0f;
    for (size_t begin = 0; begin < p->K; begin += OCK_K_BLOCK) {
        const size_t end = p->K - begin < OCK_K_BLOCK ? p->K : begin + OCK_K_BLOCK;
        float block = 0.0f;
        for (size_t k = begin; k < end; k++)
            block = fmaf(p->A[m * p->a_row + k * p->a_col], element_b(p, k, n), block);
        total = begin == 0 ? block : total + block;
    }
    return p->bias ? total + p->bias[n] : total;
}

static void reference_product(const struct ock_product *p, size_t m0, size_t m1, size_t n0,
                              size_t n1, float *scratch)
{
    (void)scratch;
    for (size_t m = m0; m < m1; m++)
        for (size_t n = n0; n < n1; n++)
            p->C[m * p->c_row + n] = element_c(p, m, n);
}

/* Row m of the sparse rows, column k. */
static float element_a(const struct ock_sparse_rows *A, size_t m, size_t k)
{
    for (size_t t = A->begin[m]; t < A->begin[m + 1]; t++)
        if (A->index[t] == k)
            return A->value[t];
    return 0.0f;
}

/* Terms in order, a new block where the index leaves the last one's. */
static void reference_sparse_product(const struct ock_sparse_product *p, size_t m0, size_t m1)
{
    for (size_t m = m0; m < m1; m++)
        for (size_t n = 0; n < p->N; n++) {
            float total = 0.0f;
            float block = 0.0f;
            size_t at = 0;
            for (size_t t = p->A.begin[m]; t < p->A.begin[m + 1]; t++) {
                const size_t k = p->A.index[t];
                if (k / OCK_K_BLOCK != at) {
                    total += block;
                    block = 0.0f;
                    at = k / OCK_K_BLOCK;
                }
                block = fmaf(p->A.value[t], p->B[k * p->b_row + n], block);
            }
            total += block;
            p->C[m * p->c_row + n] = p->bias ? total + p->bias[n] : total;
        }
}

static void reference_sparse_gradient(const struct ock_sparse_gradient *p)
{
    for (size_t n = p->n0; n < p->n1; n++)
        for (size_t o = 0; o < p->O; o++) {
            float total = 0.0f;
            for (size_t begin = p->begin; begin < p->end; begin += OCK_K_BLOCK) {
                const size_t end = p->end - begin < OCK_K_BLOCK ? p->end : begin + OCK_K_BLOCK;
                float block = 0.0f;
                for (size_t r = begin; r < end; r++)
                    block = fmaf(element_a(&p->A, r, n), p->dY[r * p->dy_row + o], block);
                total = begin == p->begin ? block : total + block;
            }
            p->G[(n - p->n0) * p->O + o] = total;
        }
}

static void reference_sum_rows(const float *x, size_t x_row, size_t rows, size_t c0, size_t c1,
                               float *sum)
{
    for (size_t c = c0; c < c1; c++) {
        sum[c] = 0.0f;
        for (size_t begin = 0; begin < rows; begin += OCK_K_BLOCK) {
            const size_t end = rows - begin < OCK_K_BLOCK ? rows : begin + OCK_K_BLOCK;
            float block = 0.0f;
            for (size_t r = begin; r < end; r++)
                block += x[r * x_row + c];
            sum[c] = begin == 0 ? block : sum[c] + block;
        }
    }
}

static void reference_add(size_t count, const float *x, float *y)
{
    for (size_t i = 0; i < count; i++)
        y[i] += x[i];
}

static void reference_multiply(size_t count, const float *x, const float *m, float *y)
{
    for (size_t i = 0; i < count; i++)
        y[i] = x[i] * m[i];
}

static double reference_sum_squares(size_t count, const float *x)
{
    double part[8] = {0.0};
    for (size_t i = 0; i < count; i++)
        part[i % 8] += (double)x[i] * (double)x[i];
    double total = 0.0;
    for (int j = 0; j < 8; j++)
        total += part[j];
    return total;
}

/* --- Elementwise functions: math_body.h says what the steps are for --------------------------- */

static uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static float polynomial(float x, const float *c, int degree)
{
    float sum = c[degree];
    for (int i = degree - 1; i >= 0; i--)
        sum = fmaf(sum, x, c[i]);
    return sum;
}

/* exp(x + low) */
static float exp_sum(float x, float low)
{
    if (isnan(x))
        return x;
    if (x < EXP_MIN)
        return 0.0f;
    if (x > EXP_MAX)
        return INFINITY;
    const float shifted = fmaf(x, LOG2_E, ROUND_MAGIC);
    const float n = shifted - ROUND_MAGIC;
    const float r = fmaf(n, -LN2_LOW, fmaf(n, -LN2_HIGH, x)) + low;
    const float p = fmaf(r * r, polynomial(r, exp_q, EXP_DEGREE), r) + 1.0f;
    return float_of(bits_of(p) + (bits_of(shifted) << 23));
}

static float exp_one(float x)
{
    return exp_sum(x, 0.0f);
}

static float log1p_one(float x)
{
    const float u = 1.0f + x;
    if (isnan(x) || x > FLT_MAX)
        return x;
    if (u < 0.0f)
        return NAN;
    if (u == 0.0f)
        return -INFINITY;
    const uint32_t k = (bits_of(u) - bits_of(0.75f)) & 0xff800000u;
    const float scale = float_of(bits_of(4.0f) - k) * 0.25f;
    const float f = float_of(bits_of(x) - k) + (scale - 1.0f);
    const float n = (float)((int32_t)k / (1 << 23));
    const float f2 = f * f;
    const float y = fmaf(f2 * f, polynomial(f, log1p_q, LOG1P_DEGREE), fmaf(-0.5f, f2, f));
    return fmaf(n, LN2_HIGH, fmaf(n, LN2_LOW, y));
}

static float tanh_one(float x)
{
    const float a = fabsf(x);
    if (!(a < TANH_SMALL))
        return copysignf(1.0f - 2.0f / (exp_one(a + a) + 1.0f), x);
    const float s = x * x;
    return fmaf(x * s, polynomial(s, tanh_q, TANH_DEGREE), x);
}

static float sigmoid_one(float x)
{
    return 1.0f / (1.0f + exp_one(0.0f - x));
}

/* The normal distribution's integral up to x, its density, and x cut to +-TAIL_MAX. */
static float normal(float x, float *density, float *cut)
{
    const float a = fabsf(x) >= TAIL_MAX ? TAIL_MAX : fabsf(x);
    const float head = float_of(bits_of(a) & TAIL_HEAD_BITS);
    const float rest = (a - head) * (a + head);
    const float e = exp_sum(-0.5f * (head * head), -0.5f * rest);
    const float t = 1.0f / fmaf(TAIL_SLOPE, a, 1.0f);
    const float tail = e * (t * polynomial(t, tail_q, TAIL_DEGREE));
    *density = NORMAL_PEAK * e;
    *cut = copysignf(a, x);
    const float s = x * x;
    if (a < CENTER_MAX)
        return fmaf(x, polynomial(s, center_q, CENTER_DEGREE), 0.5f);
    return x < 0.0f ? tail : 1.0f - tail;
}

static float activate_one(enum ock_activation activation, float x)
{
    float density, cut;
    switch (activation) {
    case OCK_RELU:
        return !(x <= 0.0f) ? x : 0.0f;
    case OCK_TANH:
        return tanh_one(x);
    case OCK_SIGMOID:
        return sigmoid_one(x);
    case OCK_GELU: {
        const float integral = normal(x, &density, &cut);
        return (x < 0.0f ? cut : x) * integral;
    }
    case OCK_LEAKY_RELU:
        return x > 0.0f ? x : LEAKY_SLOPE * x;
    case OCK_IDENTITY:
        break;
    }
    return x;
}

static float activate_back_one(enum ock_activation activation, float x, float y, float dy)
{
    float density, cut;
    switch (activation) {
    case OCK_RELU:
        return x > 0.0f ? dy : 0.0f;
    case OCK_TANH:
        return dy * (1.0f - y * y);
    case OCK_SIGMOID:
        return dy * (y * (1.0f - y));
    case OCK_GELU: {
        const float integral = normal(x, &density, &cut);
        return dy * fmaf(cut, density, integral);
    }
    case OCK_LEAKY_RELU:
        return x > 0.0f ? dy : LEAKY_SLOPE * dy;
    case OCK_IDENTITY:
        break;
    }
    return dy;
}

static void reference_exp(size_t count, const float *x, float *y)
{
    for (size_t i = 0; i < count; i++)
        y[i] = exp_one(x[i]);
}

static void reference_log1p(size_t count, const float *x, float *y)
{
    for (size_t i = 0; i < count; i++)
        y[i] = log1p_one(x[i]);
}

static void reference_activate(enum ock_activation activation, size_t count, const float *x,
                               float *y)
{
    for (size_t i = 0; i < count; i++)
        y[i] = activate_one(activation, x[i]);
}

static void reference_activate_back(enum ock_activation activation, size_t count, const float *x,
                                    const float *y, const float *dy, float *dx)
{
    for (size_t i = 0; i < count; i++)
        dx[i] = activate_back_one(activation, x[i], y[i], dy[i]);
}

/* --- Dropout ---------------------------------------------------------------------------------- */

static void philox(struct ock_stream stream, uint64_t block, uint32_t word[PHILOX_WORDS])
{
    uint32_t c[PHILOX_WORDS] = {stream.purpose_layer, stream.epoch, (uint32_t)block,
                                (uint32_t)(block >> 32)};
    uint32_t key0 = (uint32_t)stream.seed;
    uint32_t key1 = (uint32_t)(stream.seed >> 32);
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        const uint64_t p0 = (uint64_t)PHILOX_MUL0 * c[0];
        const uint64_t p1 = (uint64_t)PHILOX_MUL1 * c[2];
        c[0] = (uint32_t)(p1 >> 32) ^ c[1] ^ key0;
        c[1] = (uint32_t)p1;
        c[2] = (uint32_t)(p0 >> 32) ^ c[3] ^ key1;
        c[3] = (uint32_t)p0;
        key0 += PHILOX_KEY0;
        key1 += PHILOX_KEY1;
    }
    memcpy(word, c, sizeof c);
}

static void reference_dropout_mask(struct ock_stream stream, uint64_t index, size_t count,
                                   float rate, float *mask)
{
    const uint32_t limit = dropout_limit(rate);
    for (size_t i = 0; i < count; i++) {
        uint32_t word[PHILOX_WORDS];
        philox(stream, (index + i) / PHILOX_WORDS, word);
        mask[i] = word[(index + i) % PHILOX_WORDS] < limit ? 0.0f : 1.0f / (1.0f - rate);
    }
}

/* --- Update ----------------------------------------------------------------------------------- */

/* sign(h) max(0, |h| - threshold) */
static float soft(float h, float threshold)
{
    const float rest = fabsf(h) - threshold;
    return !(rest <= 0.0f) ? copysignf(rest, h) : 0.0f;
}

static float sgd_step(const struct ock_update *u, const struct update_terms *t, float w, float g,
                      size_t i)
{
    float v = g;
    float direction = g;
    if (u->momentum != 0.0f) {
        v = u->first_step ? g : u->momentum * u->v[i] + g;
        direction = u->nesterov ? g + u->momentum * v : v;
    }
    float h = w - u->lr * direction;
    if (t->l1_kind == L1_PROXIMAL) {
        const float pull = h / t->divisor;
        v += fabsf(pull) <= u->l1 ? pull : copysignf(u->l1, h);
        h = soft(h, t->threshold);
    }
    if (u->momentum != 0.0f)
        u->v[i] = v;
    return h;
}

static float adam_step(const struct ock_update *u, const struct update_terms *t, float w, float g,
                       size_t i)
{
    u->v[i] = u->beta1 * u->v[i] + t->one_beta1 * g;
    u->s[i] = u->beta2 * u->s[i] + t->one_beta2 * g * g;
    const float root = sqrtf(u->s[i]) / u->bias2_sqrt + u->eps;
    const float h = w - t->adam_step * (u->v[i] / root);
    return t->l1_kind == L1_PROXIMAL ? soft(h, t->threshold / root) : h;
}

/* Tsuruoka, Tsujii, Ananiadou (ACL 2009), figure 2: z towards zero by what it still owes. */
static float clip_cumulative(double total, double *q, float z)
{
    const double up = (double)z - (total + *q);
    const double down = (double)z + (total - *q);
    const double clipped = z > 0.0f ? (up > 0.0 ? up : 0.0) : (down >= 0.0 ? 0.0 : down);
    const float w = (float)clipped;
    *q += (double)w - (double)z;
    return w;
}

static bool update_one(const struct ock_update *u, const struct update_terms *t, size_t i)
{
    const float data = u->g[i] * u->grad_scale;
    float w = u->w[i] * u->keep;
    float g = data + t->decay * w;
    if (t->l1_kind == L1_SUBGRADIENT)
        g += w != 0.0f ? copysignf(u->l1, w) : 0.0f;
    w = u->rule == OCK_SGD ? sgd_step(u, t, w, g, i) : adam_step(u, t, w, g, i);
    if (t->l1_kind == L1_CUMULATIVE)
        w = clip_cumulative(u->l1_total, &u->q[i], w);
    u->w[i] = w;
    return isfinite(data) && isfinite(w);
}

static bool reference_update(const struct ock_update *update, size_t begin, size_t end)
{
    const struct update_terms terms = update_terms_make(update);
    bool finite = true;
    for (size_t i = begin; i < end; i++)
        finite = update_one(update, &terms, i) && finite;
    return finite;
}

const struct ock_kernels ock_kernels_reference = {
    .family = "reference",
    .fused = true,
    .panel_columns = PANEL,
    .scratch_floats = 16,
    .packed_floats = reference_packed_floats,
    .pack = reference_pack,
    .product = reference_product,
    .sparse_product = reference_sparse_product,
    .sparse_gradient = reference_sparse_gradient,
    .sum_rows = reference_sum_rows,
    .add = reference_add,
    .multiply = reference_multiply,
    .exp = reference_exp,
    .log1p = reference_log1p,
    .activate = reference_activate,
    .activate_back = reference_activate_back,
    .dropout_mask = reference_dropout_mask,
    .update = reference_update,
    .sum_squares = reference_sum_squares,
};
