/* Matrix products on vectors: included after a vec_*.h.
 *
 * A tile of TILE_ROWS x TILE_VECTORS vectors of C stays in registers while k runs over a block of
 * OCK_K_BLOCK. Each vector element is one element of C and sums its k in order, so tiles may be cut
 * at will. The loops around it: blocks of rows (A's part stays in the second-level cache), blocks
 * of k, panels of B, tiles. Between blocks of k the sums so far are in C itself. */
#ifndef OCK_KERNELS_GEMM_BODY_H
#define OCK_KERNELS_GEMM_BODY_H

#include "core/kernels/inline.h"
#include "core/kernels/kernels.h"
#include "core/kernels/pack_body.h"

#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

enum {
    ROW_BLOCK = 336,               /* rows whose part of A is worked on at a time */
    PACK_A_COLUMNS = 4 * PANEL,    /* pack A when it serves at least so many columns */
    IN_PLACE_ROWS = 2 * TILE_ROWS, /* read B in place for so few rows, */
    IN_PLACE_K = 12,               /* or so few terms, */
    IN_PLACE_FLOATS = 8192,        /* or when it all fits into the first-level cache */
    SHORT_K = 16,                  /* rows of C cost more than the sums of so few terms */
    PREFETCH_K = 64                /* terms that give a prefetch of C time to arrive */
};

/* One tile's work: C[0..rows, 0..columns] from k_count terms. */
struct tile {
    const float *a;
    size_t a_row, a_col;
    const float *b;
    size_t b_row;
    size_t k_count;
    float *c;
    size_t c_row;
    size_t columns;
    const float *bias; /* at the tile's first column, NULL: none, or not yet */
    bool add;          /* to what C holds: not the first block of k */
    bool masked;       /* B is read in place and its last vector is not whole */
};

typedef vf tile_sums[TILE_ROWS][TILE_VECTORS];

/* Asks early for the lines of C that the tile will write. */
ALWAYS_INLINE void tile_prefetch(const struct tile *t, const int rows, const int vectors)
{
    UNROLL
    for (int i = 0; i < rows; i++) {
        UNROLL
        for (int j = 0; j < vectors; j++)
            __builtin_prefetch(t->c + (size_t)i * t->c_row + j * V_WIDTH, 1);
    }
}

/* sum = A's rows times B's vectors, k in order. */
ALWAYS_INLINE void tile_multiply(const struct tile *t, tile_sums sum, const int rows,
                                 const int vectors, const bool masked)
{
    const float *a[TILE_ROWS];
    UNROLL
    for (int i = 0; i < rows; i++) {
        a[i] = t->a + (size_t)i * t->a_row;
        UNROLL
        for (int j = 0; j < vectors; j++)
            sum[i][j] = vf_zero();
    }
    const float *b = t->b;
    const size_t b_row = t->b_row;
    const size_t a_col = t->a_col;
    const size_t a_end = t->k_count * a_col;
    const size_t last = t->columns - (size_t)(vectors - 1) * V_WIDTH;
    for (size_t ka = 0; ka < a_end; ka += a_col) {
        vf row[TILE_VECTORS];
        UNROLL
        for (int j = 0; j < vectors; j++)
            row[j] = masked && j == vectors - 1 ? vf_load_first(b + j * V_WIDTH, last)
                                                : vf_load(b + j * V_WIDTH);
        UNROLL
        for (int i = 0; i < rows; i++) {
            const vf x = vf_set(a[i][ka]);
            UNROLL
            for (int j = 0; j < vectors; j++)
                sum[i][j] = vf_fma(x, row[j], sum[i][j]);
        }
        b += b_row;
    }
}

/* C = sum, or C + sum, or either with the bias. The last vector has `last` columns, and is whole
 * unless `ragged`. */
ALWAYS_INLINE void tile_store(const struct tile *t, tile_sums sum, const int rows,
                              const int vectors, const bool ragged)
{
    const size_t last = t->columns - (size_t)(vectors - 1) * V_WIDTH;
    UNROLL
    for (int j = 0; j < vectors; j++) {
        const bool part = ragged && j == vectors - 1;
        float *c = t->c + j * V_WIDTH;
        if (t->add) {
            UNROLL
            for (int i = 0; i < rows; i++) {
                const float *at = c + (size_t)i * t->c_row;
                sum[i][j] = vf_add(part ? vf_load_first(at, last) : vf_load(at), sum[i][j]);
            }
        }
        if (t->bias) {
            const float *at = t->bias + j * V_WIDTH;
            const vf bias = part ? vf_load_first(at, last) : vf_load(at);
            UNROLL
            for (int i = 0; i < rows; i++)
                sum[i][j] = vf_add(sum[i][j], bias);
        }
        UNROLL
        for (int i = 0; i < rows; i++) {
            if (part)
                vf_store_first(c + (size_t)i * t->c_row, sum[i][j], last);
            else
                vf_store(c + (size_t)i * t->c_row, sum[i][j]);
        }
    }
}

/* rows and vectors are constants wherever this is inlined, so that the sums live in registers. */
ALWAYS_INLINE void tile_run(const struct tile *t, const int rows, const int vectors)
{
    tile_sums sum;
    if (t->k_count >= PREFETCH_K)
        tile_prefetch(t, rows, vectors);
    if (t->masked)
        tile_multiply(t, sum, rows, vectors, true);
    else
        tile_multiply(t, sum, rows, vectors, false);
    if (t->columns % V_WIDTH == 0)
        tile_store(t, sum, rows, vectors, false);
    else
        tile_store(t, sum, rows, vectors, true);
}

ALWAYS_INLINE void tile_rows(const struct tile *t, const int rows)
{
    const size_t vectors = panel_vectors(t->columns);
    if (vectors == 1)
        tile_run(t, rows, 1);
    else if (TILE_VECTORS == 2 || vectors == 2)
        tile_run(t, rows, 2);
    else
        tile_run(t, rows, TILE_VECTORS);
}

static void tile_any(const struct tile *t, size_t rows)
{
    switch (rows) {
    case 1:
        tile_rows(t, 1);
        break;
    case 2:
        tile_rows(t, 2);
        break;
    case 3:
        tile_rows(t, 3);
        break;
    case 4:
        tile_rows(t, 4);
        break;
#if TILE_ROWS >= 6
    case 5:
        tile_rows(t, 5);
        break;
    case 6:
        tile_rows(t, 6);
        break;
#endif
#if TILE_ROWS >= 8
    case 7:
        tile_rows(t, 7);
        break;
    case 8:
        tile_rows(t, 8);
        break;
#endif
    default:
        break;
    }
}

/* Rows are shared out evenly over the tiles: 10 rows are 5 and 5, not 8 and 2. */
struct row_cut {
    size_t tiles, base, longer; /* the first `longer` tiles have base + 1 rows */
};

ALWAYS_INLINE struct row_cut row_cut_make(size_t rows)
{
    const size_t tiles = (rows + TILE_ROWS - 1) / TILE_ROWS;
    return (struct row_cut){.tiles = tiles, .base = rows / tiles, .longer = rows % tiles};
}

/* A's tiles one after another, each [k][row]. */
static void pack_a(float *out, const float *a, size_t a_row, size_t a_col, size_t k_count,
                   const struct row_cut *cut)
{
    for (size_t i = 0; i < cut->tiles; i++) {
        const size_t rows = cut->base + (i < cut->longer);
        for (size_t k = 0; k < k_count; k++)
            for (size_t r = 0; r < rows; r++)
                out[k * rows + r] = a[r * a_row + k * a_col];
        out += rows * k_count;
        a += rows * a_row;
    }
}

/* A rectangle of C for one block of k. */
struct block {
    const struct ock_product *p;
    size_t m0, m1, n0, n1;
    size_t k0, k_count;
    float *a_scratch, *b_scratch;
};

/* Points t at the panel's columns in B: packed by the caller, in place, or packed here. */
static void panel_find(const struct block *block, size_t n, struct tile *t)
{
    const struct ock_product *p = block->p;
    const size_t width = panel_vectors(t->columns) * V_WIDTH;
    if (p->packed) {
        const size_t whole = p->N - n < PANEL ? panel_vectors(p->N - n) * V_WIDTH : PANEL;
        t->b = p->packed + n * p->K + block->k0 * whole;
        t->b_row = whole;
        return;
    }
    const float *b = p->B + block->k0 * p->b_row + n * p->b_col;
    const bool in_place = p->b_col == 1 && (MASKED_LOADS || t->columns % V_WIDTH == 0) &&
                          (block->m1 - block->m0 <= IN_PLACE_ROWS || block->k_count <= IN_PLACE_K ||
                           block->k_count * p->b_row <= IN_PLACE_FLOATS);
    if (in_place) {
        t->b = b;
        t->b_row = p->b_row;
        t->masked = t->columns % V_WIDTH != 0;
        return;
    }
    pack_panel(block->b_scratch, b, p->b_row, p->b_col, block->k_count, t->columns);
    t->b = block->b_scratch;
    t->b_row = width;
}

static void block_run(const struct block *block)
{
    const struct ock_product *p = block->p;
    const struct row_cut cut = row_cut_make(block->m1 - block->m0);
    const float *a = p->A + block->m0 * p->a_row + block->k0 * p->a_col;
    const bool packed_a = p->a_col != 1 && block->n1 - block->n0 >= PACK_A_COLUMNS;
    if (packed_a)
        pack_a(block->a_scratch, a, p->a_row, p->a_col, block->k_count, &cut);
    struct tile t = {
        .k_count = block->k_count,
        .a_row = packed_a ? 1 : p->a_row,
        .a_col = p->a_col,
        .c_row = p->c_row,
        .add = block->k0 > 0,
    };
    const bool last = block->k0 + block->k_count == p->K;
    for (size_t n = block->n0; n < block->n1; n += PANEL) {
        t.columns = block->n1 - n < PANEL ? block->n1 - n : PANEL;
        t.bias = last && p->bias ? p->bias + n : NULL;
        t.a = packed_a ? block->a_scratch : a;
        t.c = p->C + block->m0 * p->c_row + n;
        panel_find(block, n, &t);
        for (size_t i = 0; i < cut.tiles; i++) {
            const size_t rows = cut.base + (i < cut.longer);
            if (packed_a)
                t.a_col = rows;
            tile_any(&t, rows);
            t.a += packed_a ? rows * block->k_count : rows * p->a_row;
            t.c += rows * p->c_row;
        }
    }
}

static void kernel_product(const struct ock_product *p, size_t m0, size_t m1, size_t n0, size_t n1,
                           float *scratch)
{
    if (m0 >= m1 || n0 >= n1)
        return;
    struct block block = {
        .p = p,
        .n0 = n0,
        .n1 = n1,
        .b_scratch = scratch,
        .a_scratch = scratch + (size_t)OCK_K_BLOCK * PANEL,
    };
    /* So few terms are bound by writing C: row by row, not column by column. */
    const size_t row_block = p->K <= SHORT_K && n1 - n0 > 4 * PANEL ? IN_PLACE_ROWS : ROW_BLOCK;
    const size_t blocks = (m1 - m0 + row_block - 1) / row_block;
    for (size_t i = 0; i < blocks; i++) {
        block.m0 = m0 + (m1 - m0) * i / blocks;
        block.m1 = m0 + (m1 - m0) * (i + 1) / blocks;
        block.k0 = 0;
        do {
            const size_t left = p->K - block.k0;
            block.k_count = left < OCK_K_BLOCK ? left : OCK_K_BLOCK;
            block_run(&block);
            block.k0 += block.k_count;
        } while (block.k0 < p->K);
    }
}

enum { SCRATCH_FLOATS = OCK_K_BLOCK * PANEL + OCK_K_BLOCK * ROW_BLOCK };

#endif
