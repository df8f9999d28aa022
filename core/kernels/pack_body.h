/* Panels of B: included after a vec_*.h.
 *
 * A panel is PANEL columns of B, row after row, so that a tile reads it from front to back. Its
 * rows are whole vectors: the last panel is only as wide as it needs to be, filled up with zeros. */
#ifndef OCK_KERNELS_PACK_BODY_H
#define OCK_KERNELS_PACK_BODY_H

#include "core/kernels/inline.h"
#include "core/kernels/kernels.h"

enum { PANEL = V_WIDTH * TILE_VECTORS };

/* Vectors that `columns` (at most PANEL) columns take. */
ALWAYS_INLINE size_t panel_vectors(size_t columns)
{
    return (columns + V_WIDTH - 1) / V_WIDTH;
}

static size_t kernel_packed_floats(size_t K, size_t N)
{
    return K * ((N + V_WIDTH - 1) / V_WIDTH) * V_WIDTH;
}

/* Rows of B are contiguous: copies `columns` columns of K rows, vector by vector. */
static void pack_rows(float *out, const float *b, size_t b_row, size_t K, size_t columns)
{
    const size_t whole = columns / V_WIDTH;
    const size_t rest = columns % V_WIDTH;
    for (size_t k = 0; k < K; k++) {
        const float *row = b + k * b_row;
        for (size_t j = 0; j < whole; j++)
            vf_store(out + j * V_WIDTH, vf_load(row + j * V_WIDTH));
        out += whole * V_WIDTH;
        if (rest > 0) {
            vf_store(out, vf_load_first(row + whole * V_WIDTH, rest));
            out += V_WIDTH;
        }
    }
}

/* 4 rows of TRANSPOSED_COLUMNS columns that are contiguous in k, b_col apart: the lanes are
 * transposed as 4x4 blocks. */
ALWAYS_INLINE void transpose_four(float *out, size_t out_row, const float *b, size_t b_col)
{
    const vt c0 = vt_load_lanes(b, b_col);
    const vt c1 = vt_load_lanes(b + b_col, b_col);
    const vt c2 = vt_load_lanes(b + 2 * b_col, b_col);
    const vt c3 = vt_load_lanes(b + 3 * b_col, b_col);
    const vt low01 = vt_unpack_low(c0, c1);
    const vt high01 = vt_unpack_high(c0, c1);
    const vt low23 = vt_unpack_low(c2, c3);
    const vt high23 = vt_unpack_high(c2, c3);
    vt_store(out, vt_unpack_low_pairs(low01, low23));
    vt_store(out + out_row, vt_unpack_high_pairs(low01, low23));
    vt_store(out + 2 * out_row, vt_unpack_low_pairs(high01, high23));
    vt_store(out + 3 * out_row, vt_unpack_high_pairs(high01, high23));
}

/* out[k*out_row + n] = b[n*b_col + k], for k < K and n < columns. */
static void transpose(float *out, size_t out_row, const float *b, size_t b_col, size_t K,
                      size_t columns)
{
    size_t n = 0;
    for (; n + TRANSPOSED_COLUMNS <= columns; n += TRANSPOSED_COLUMNS) {
        const float *from = b + n * b_col;
        size_t k = 0;
        for (; k + 4 <= K; k += 4)
            transpose_four(out + k * out_row + n, out_row, from + k, b_col);
        for (; k < K; k++)
            for (size_t j = 0; j < TRANSPOSED_COLUMNS; j++)
                out[k * out_row + n + j] = from[j * b_col + k];
    }
    for (; n < columns; n++)
        for (size_t k = 0; k < K; k++)
            out[k * out_row + n] = b[n * b_col + k];
}

/* Columns of B are contiguous: the same panel, transposed. */
static void pack_columns(float *out, const float *b, size_t b_col, size_t K, size_t columns)
{
    const size_t width = panel_vectors(columns) * V_WIDTH;
    if (columns < width)
        for (size_t k = 0; k < K; k++)
            vf_store(out + (k + 1) * width - V_WIDTH, vf_zero());
    transpose(out, width, b, b_col, K, columns);
}

/* K rows of a panel whose first element is b. */
static void pack_panel(float *out, const float *b, size_t b_row, size_t b_col, size_t K,
                       size_t columns)
{
    if (b_col == 1)
        pack_rows(out, b, b_row, K, columns);
    else
        pack_columns(out, b, b_col, K, columns);
}

static void kernel_pack(float *packed, const float *b, size_t row, size_t col, size_t K, size_t N,
                        size_t panel_begin, size_t panel_end)
{
    for (size_t p = panel_begin; p < panel_end; p++) {
        const size_t n = p * PANEL;
        const size_t columns = N - n < PANEL ? N - n : PANEL;
        pack_panel(packed + n * K, b + n * col, row, col, K, columns);
    }
}

#endif
