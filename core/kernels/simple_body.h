/* Sums and elementwise products on vectors: included after a vec_*.h. */
#ifndef OCK_KERNELS_SIMPLE_BODY_H
#define OCK_KERNELS_SIMPLE_BODY_H

#include "core/kernels/kernels.h"

static void kernel_add(size_t count, const float *x, float *y)
{
    size_t i = 0;
    for (; i + V_WIDTH <= count; i += V_WIDTH)
        vf_store(y + i, vf_add(vf_load(y + i), vf_load(x + i)));
    if (i < count) {
        const size_t n = count - i;
        vf_store_first(y + i, vf_add(vf_load_first(y + i, n), vf_load_first(x + i, n)), n);
    }
}

static void kernel_multiply(size_t count, const float *x, const float *m, float *y)
{
    size_t i = 0;
    for (; i + V_WIDTH <= count; i += V_WIDTH)
        vf_store(y + i, vf_mul(vf_load(x + i), vf_load(m + i)));
    if (i < count) {
        const size_t n = count - i;
        vf_store_first(y + i, vf_mul(vf_load_first(x + i, n), vf_load_first(m + i, n)), n);
    }
}

/* Columns of four vectors (the last ones alone, and first n < V_WIDTH of a vector) down all rows,
 * in the blocks of a product. */
enum { SUM_VECTORS = 4 };

static void sum_wide(const float *x, size_t x_row, size_t rows, float *sum)
{
    vf total[SUM_VECTORS] = {vf_zero(), vf_zero(), vf_zero(), vf_zero()};
    for (size_t begin = 0; begin < rows; begin += OCK_K_BLOCK) {
        const size_t end = rows - begin < OCK_K_BLOCK ? rows : begin + OCK_K_BLOCK;
        vf block[SUM_VECTORS] = {vf_zero(), vf_zero(), vf_zero(), vf_zero()};
        for (size_t r = begin; r < end; r++)
            for (int j = 0; j < SUM_VECTORS; j++)
                block[j] = vf_add(block[j], vf_load(x + r * x_row + j * V_WIDTH));
        for (int j = 0; j < SUM_VECTORS; j++)
            total[j] = begin == 0 ? block[j] : vf_add(total[j], block[j]);
    }
    for (int j = 0; j < SUM_VECTORS; j++)
        vf_store(sum + j * V_WIDTH, total[j]);
}

static void sum_narrow(const float *x, size_t x_row, size_t rows, size_t columns, float *sum)
{
    vf total = vf_zero();
    for (size_t begin = 0; begin < rows; begin += OCK_K_BLOCK) {
        const size_t end = rows - begin < OCK_K_BLOCK ? rows : begin + OCK_K_BLOCK;
        vf block = vf_zero();
        if (columns == V_WIDTH)
            for (size_t r = begin; r < end; r++)
                block = vf_add(block, vf_load(x + r * x_row));
        else
            for (size_t r = begin; r < end; r++)
                block = vf_add(block, vf_load_first(x + r * x_row, columns));
        total = begin == 0 ? block : vf_add(total, block);
    }
    if (columns == V_WIDTH)
        vf_store(sum, total);
    else
        vf_store_first(sum, total, columns);
}

static void kernel_sum_rows(const float *x, size_t x_row, size_t rows, size_t c0, size_t c1,
                            float *sum)
{
    size_t c = c0;
    for (; c + (size_t)SUM_VECTORS * V_WIDTH <= c1; c += (size_t)SUM_VECTORS * V_WIDTH)
        sum_wide(x + c, x_row, rows, sum + c);
    for (; c < c1; c += V_WIDTH)
        sum_narrow(x + c, x_row, rows, c1 - c < V_WIDTH ? c1 - c : V_WIDTH, sum + c);
}

/* 8 partial sums whatever the width: squares of floats are exact in double. */
static double kernel_sum_squares(size_t count, const float *x)
{
    enum { PARTS = 8, LANES = V_WIDTH / 2, VECTORS = PARTS / LANES };
    vd sum[VECTORS];
    for (int j = 0; j < VECTORS; j++)
        sum[j] = vd_zero();
    size_t i = 0;
    for (; i + PARTS <= count; i += PARTS)
        for (int j = 0; j < VECTORS; j++) {
            const vd v = vd_load_floats(x + i + j * LANES);
            sum[j] = vd_add(sum[j], vd_mul(v, v));
        }
    double part[PARTS];
    for (int j = 0; j < VECTORS; j++)
        vd_store(part + j * LANES, sum[j]);
    for (size_t j = 0; i + j < count; j++)
        part[j] += (double)x[i + j] * (double)x[i + j];
    double total = 0.0;
    for (int j = 0; j < PARTS; j++)
        total += part[j];
    return total;
}

#endif
