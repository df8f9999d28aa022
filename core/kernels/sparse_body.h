/* Products with sparse rows on vectors: included after a vec_*.h.
 *
 * Vectors lie along the outputs, so each of their elements is one sum over its terms in order, in the
 * blocks of a dense product. A single output (logistic regression) is a scalar loop. */
#ifndef OCK_KERNELS_SPARSE_BODY_H
#define OCK_KERNELS_SPARSE_BODY_H

#include "core/kernels/inline.h"
#include "core/kernels/kernels.h"

enum { SPARSE_VECTORS = 4 }; /* of outputs whose sums stay in registers */

/* a*b + c as the vectors do it */
static inline float one_fma(float a, float b, float c)
{
    return VEC_FUSED ? __builtin_fmaf(a, b, c) : a * b + c;
}

/* The first index behind the block of k. */
static inline size_t block_end(size_t k)
{
    return (k / OCK_K_BLOCK + 1) * OCK_K_BLOCK;
}

static float sparse_dot(const struct ock_sparse_rows *A, size_t m, const float *b, size_t b_row)
{
    float total = 0.0f;
    float block = 0.0f;
    size_t limit = OCK_K_BLOCK;
    for (size_t t = A->begin[m]; t < A->begin[m + 1]; t++) {
        const size_t k = A->index[t];
        if (k >= limit) {
            total += block;
            block = 0.0f;
            limit = block_end(k);
        }
        block = one_fma(A->value[t], b[k * b_row], block);
    }
    return total + block;
}

ALWAYS_INLINE vf load_some(const float *p, const bool whole, size_t count)
{
    return whole ? vf_load(p) : vf_load_first(p, count);
}

/* `vectors` vectors of row m from output n on; the last one has `last` elements. */
ALWAYS_INLINE void sparse_sums(const struct ock_sparse_product *p, size_t m, size_t n,
                               const int vectors, const bool whole, size_t last)
{
    const struct ock_sparse_rows *A = &p->A;
    vf total[SPARSE_VECTORS];
    vf block[SPARSE_VECTORS];
    for (int j = 0; j < vectors; j++) {
        total[j] = vf_zero();
        block[j] = vf_zero();
    }
    size_t limit = OCK_K_BLOCK;
    for (size_t t = A->begin[m]; t < A->begin[m + 1]; t++) {
        const size_t k = A->index[t];
        if (k >= limit) {
            for (int j = 0; j < vectors; j++) {
                total[j] = vf_add(total[j], block[j]);
                block[j] = vf_zero();
            }
            limit = block_end(k);
        }
        const vf a = vf_set(A->value[t]);
        const float *b = p->B + k * p->b_row + n;
        for (int j = 0; j < vectors; j++)
            block[j] =
                vf_fma(a, load_some(b + j * V_WIDTH, whole || j + 1 < vectors, last), block[j]);
    }
    float *c = p->C + m * p->c_row + n;
    for (int j = 0; j < vectors; j++) {
        const bool full = whole || j + 1 < vectors;
        vf sum = vf_add(total[j], block[j]);
        if (p->bias)
            sum = vf_add(sum, load_some(p->bias + n + j * V_WIDTH, full, last));
        if (full)
            vf_store(c + j * V_WIDTH, sum);
        else
            vf_store_first(c + j * V_WIDTH, sum, last);
    }
}

static void kernel_sparse_product(const struct ock_sparse_product *p, size_t m0, size_t m1)
{
    for (size_t m = m0; m < m1; m++) {
        if (p->N == 1) {
            const float sum = sparse_dot(&p->A, m, p->B, p->b_row);
            p->C[m * p->c_row] = p->bias ? sum + p->bias[0] : sum;
            continue;
        }
        size_t n = 0;
        for (; n + (size_t)SPARSE_VECTORS * V_WIDTH <= p->N; n += (size_t)SPARSE_VECTORS * V_WIDTH)
            sparse_sums(p, m, n, SPARSE_VECTORS, true, V_WIDTH);
        for (; n + V_WIDTH <= p->N; n += V_WIDTH)
            sparse_sums(p, m, n, 1, true, V_WIDTH);
        if (n < p->N)
            sparse_sums(p, m, n, 1, false, p->N - n);
    }
}

/* The first of a row's terms whose index is not below n. */
static size_t first_term(const struct ock_sparse_rows *A, size_t row, size_t n)
{
    size_t low = A->begin[row];
    size_t high = n == 0 ? low : A->begin[row + 1];
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (A->index[middle] < n)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* g[count] += a * dy[count] */
static inline void add_scaled(size_t count, float a, const float *dy, float *g)
{
    const vf factor = vf_set(a);
    size_t o = 0;
    for (; o + V_WIDTH <= count; o += V_WIDTH)
        vf_store(g + o, vf_fma(factor, vf_load(dy + o), vf_load(g + o)));
    if (o < count) {
        const size_t n = count - o;
        vf_store_first(g + o, vf_fma(factor, vf_load_first(dy + o, n), vf_load_first(g + o, n)), n);
    }
}

/* Adds the terms of rows [begin,end) to g [n1-n0,O]. */
static void add_rows(const struct ock_sparse_gradient *p, size_t begin, size_t end, float *g)
{
    const struct ock_sparse_rows *A = &p->A;
    for (size_t row = begin; row < end; row++) {
        const float *dy = p->dY + row * p->dy_row;
        const size_t stop = A->begin[row + 1];
        size_t t = first_term(A, row, p->n0);
        if (p->O == 1) {
            for (; t < stop && A->index[t] < p->n1; t++) {
                float *at = g + (A->index[t] - p->n0);
                *at = one_fma(A->value[t], dy[0], *at);
            }
            continue;
        }
        for (; t < stop && A->index[t] < p->n1; t++)
            add_scaled(p->O, A->value[t], dy, g + (A->index[t] - p->n0) * p->O);
    }
}

static void kernel_sparse_gradient(const struct ock_sparse_gradient *p)
{
    const size_t count = (p->n1 - p->n0) * p->O;
    for (size_t i = 0; i < count; i++)
        p->G[i] = 0.0f;
    for (size_t begin = p->begin; begin < p->end; begin += OCK_K_BLOCK) {
        const size_t end = p->end - begin < OCK_K_BLOCK ? p->end : begin + OCK_K_BLOCK;
        if (begin == p->begin) {
            add_rows(p, begin, end, p->G);
            continue;
        }
        for (size_t i = 0; i < count; i++)
            p->block[i] = 0.0f;
        add_rows(p, begin, end, p->block);
        kernel_add(count, p->block, p->G);
    }
}

#endif
