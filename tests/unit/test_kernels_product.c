/* Matrix products: every family, every way to cut and store a product, gives the reference's bits.
 *
 * Method: the reference itself is checked by hand and against double; then v3 and v4 must agree
 * with it to the bit, and v2 with its own product of single elements. */
#include <math.h>

#include "tests/unit/kernels_common.h"

struct shape {
    size_t M, N, K;
};

/* Around every tile's and block's edge, and the networks' own. */
static const struct shape shapes[] = {
    {1, 1, 1},    {1, 1, 0},     {3, 5, 0},     {32, 2, 20},   {2, 20, 32},   {32, 20, 2},
    {1, 48, 7},   {5, 49, 3},    {6, 16, 9},    {7, 17, 383},  {8, 47, 384},  {9, 15, 385},
    {10, 64, 33}, {16, 10, 32},  {13, 37, 301}, {12, 95, 769}, {17, 97, 100}, {64, 33, 1200},
    {25, 144, 5}, {33, 260, 64}, {300, 40, 50}, {250, 200, 3}, {31, 8, 31},   {4, 200, 400},
};
enum { SHAPE_COUNT = sizeof shapes / sizeof shapes[0] };

/* A product with its memory: A and B each stored plainly or transposed. */
struct problem {
    struct ock_product product;
    float *A, *B, *bias, *C;
};

static struct problem problem_make(struct shape s, bool a_transposed, bool b_transposed, bool bias)
{
    struct problem p = {
        .A = test_floats(s.M * s.K, 1),
        .B = test_floats(s.K * s.N, 2),
        .bias = bias ? test_floats(s.N, 3) : NULL,
        .C = test_floats(s.M * s.N, 4),
    };
    p.product = (struct ock_product){
        .M = s.M,
        .N = s.N,
        .K = s.K,
        .A = p.A,
        .a_row = a_transposed ? 1 : s.K,
        .a_col = a_transposed ? s.M : 1,
        .B = p.B,
        .b_row = b_transposed ? 1 : s.N,
        .b_col = b_transposed ? s.K : 1,
        .C = p.C,
        .c_row = s.N,
        .bias = p.bias,
    };
    return p;
}

static void problem_free(struct problem *p)
{
    free(p->A);
    free(p->B);
    free(p->bias);
    free(p->C);
}

static float *scratch_of(const struct ock_kernels *kernels)
{
    const size_t size = (kernels->scratch_floats * sizeof(float) + 63) / 64 * 64;
    float *scratch = aligned_alloc(64, size);
    ck_assert_ptr_nonnull(scratch);
    return scratch;
}

static float *packed_of(const struct ock_kernels *kernels, const struct ock_product *p)
{
    float *packed = test_floats(kernels->packed_floats(p->K, p->N), 9);
    const size_t panels = (p->N + kernels->panel_columns - 1) / kernels->panel_columns;
    for (size_t i = panels; i > 0; i--) /* any order, one at a time */
        kernels->pack(packed, p->B, p->b_row, p->b_col, p->K, p->N, i - 1, i);
    return packed;
}

/* What the product should be: the reference's, or for v2 its own, element by element. */
static float *expected_of(const struct ock_kernels *kernels, const struct problem *p)
{
    const struct ock_kernels *truth = kernels->fused ? ock_kernels_get("reference") : kernels;
    struct ock_product one = p->product;
    float *C = test_floats(one.M * one.N, 5);
    one.C = C;
    float *scratch = scratch_of(truth);
    for (size_t m = 0; m < one.M; m++)
        for (size_t n = 0; n < one.N; n++)
            truth->product(&one, m, m + 1, n, n + 1, scratch);
    free(scratch);
    return C;
}

static void check_whole(const struct ock_kernels *kernels, struct problem *p, const float *expected)
{
    float *scratch = scratch_of(kernels);
    const struct ock_product *product = &p->product;
    test_fill(p->C, product->M * product->N, 6);
    kernels->product(product, 0, product->M, 0, product->N, scratch);
    ck_assert_mem_eq(p->C, expected, product->M * product->N * sizeof(float));
    free(scratch);
}

static void check_packed(const struct ock_kernels *kernels, struct problem *p,
                         const float *expected)
{
    float *packed = packed_of(kernels, &p->product);
    struct ock_product product = p->product;
    product.packed = packed;
    product.B = NULL;
    float *scratch = scratch_of(kernels);
    const size_t panel = kernels->panel_columns;
    test_fill(p->C, product.M * product.N, 7);
    for (size_t m = 0; m < product.M; m += 11)
        for (size_t n = 0; n < product.N; n += panel)
            kernels->product(&product, m, m + 11 < product.M ? m + 11 : product.M, n,
                             n + panel < product.N ? n + panel : product.N, scratch);
    ck_assert_mem_eq(p->C, expected, product.M * product.N * sizeof(float));
    free(scratch);
    free(packed);
}

/* Rectangles of odd sizes; what is outside of each stays as it was. */
static void check_cut(const struct ock_kernels *kernels, struct problem *p, const float *expected,
                      size_t rows, size_t columns)
{
    const struct ock_product *product = &p->product;
    const size_t size = product->M * product->N * sizeof(float);
    float *scratch = scratch_of(kernels);
    float *want = test_floats(product->M * product->N, 8);
    memcpy(p->C, want, size);
    for (size_t m = 0; m < product->M; m += rows)
        for (size_t n = 0; n < product->N; n += columns) {
            const size_t m1 = m + rows < product->M ? m + rows : product->M;
            const size_t n1 = n + columns < product->N ? n + columns : product->N;
            kernels->product(product, m, m1, n, n1, scratch);
            for (size_t r = m; r < m1; r++)
                memcpy(want + r * product->N + n, expected + r * product->N + n,
                       (n1 - n) * sizeof(float));
            ck_assert_mem_eq(p->C, want, size);
        }
    free(want);
    free(scratch);
}

START_TEST(product_is_the_same_bits_for_every_cut_and_layout)
{
    const struct ock_kernels *kernels = family_of(_i / SHAPE_COUNT);
    if (!kernels)
        return;
    for (int layout = 0; layout < 8; layout++) {
        struct problem p =
            problem_make(shapes[_i % SHAPE_COUNT], layout & 1, layout & 2, layout & 4);
        float *expected = expected_of(kernels, &p);
        check_whole(kernels, &p, expected);
        check_packed(kernels, &p, expected);
        check_cut(kernels, &p, expected, 5, 19);
        check_cut(kernels, &p, expected, 23, 7);
        free(expected);
        problem_free(&p);
    }
}
END_TEST

/* The same products with each array before a page that must not be touched. */
START_TEST(product_touches_nothing_outside_of_its_arrays)
{
    const struct ock_kernels *kernels = family_of(_i / SHAPE_COUNT);
    if (!kernels)
        return;
    const struct shape s = shapes[_i % SHAPE_COUNT];
    for (int layout = 0; layout < 8; layout++) {
        struct problem p = problem_make(s, layout & 1, layout & 2, layout & 4);
        struct ock_product guarded = p.product;
        guarded.A = test_guarded(s.M * s.K, 1);
        guarded.B = test_guarded(s.K * s.N, 2);
        guarded.C = test_guarded(s.M * s.N, 4);
        guarded.bias = p.bias ? test_guarded(s.N, 3) : NULL;
        float *scratch = test_guarded(kernels->scratch_floats, 5);
        kernels->product(&p.product, 0, s.M, 0, s.N, scratch);
        kernels->product(&guarded, 0, s.M, 0, s.N, scratch);
        ck_assert_mem_eq(guarded.C, p.C, s.M * s.N * sizeof(float));
        float *packed = test_guarded(kernels->packed_floats(s.K, s.N), 6);
        const size_t panels = (s.N + kernels->panel_columns - 1) / kernels->panel_columns;
        kernels->pack(packed, guarded.B, guarded.b_row, guarded.b_col, s.K, s.N, 0, panels);
        guarded.packed = packed;
        test_fill(guarded.C, s.M * s.N, 7);
        kernels->product(&guarded, 0, s.M, 0, s.N, scratch);
        ck_assert_mem_eq(guarded.C, p.C, s.M * s.N * sizeof(float));
        problem_free(&p);
    }
}
END_TEST

/* [1 2; 3 4] [5 6; 7 8] + [10 20] = [29 42; 53 70], within strided C. */
START_TEST(product_by_hand)
{
    const struct ock_kernels *kernels = family_of(_i);
    if (!kernels)
        return;
    static const float A[] = {1, 2, 3, 4}, B[] = {5, 6, 7, 8}, bias[] = {10, 20};
    float C[] = {-1, -1, -1, -1, -1, -1};
    const struct ock_product product = {.M = 2,
                                        .N = 2,
                                        .K = 2,
                                        .A = A,
                                        .a_row = 2,
                                        .a_col = 1,
                                        .B = B,
                                        .b_row = 2,
                                        .b_col = 1,
                                        .C = C,
                                        .c_row = 3,
                                        .bias = bias};
    float *scratch = scratch_of(kernels);
    kernels->product(&product, 0, 2, 0, 2, scratch);
    static const float want[] = {29, 42, -1, 53, 70, -1};
    ck_assert_mem_eq(C, want, sizeof want);
    kernels->product(&product, 1, 1, 0, 2, scratch); /* nothing to do */
    kernels->product(&product, 0, 2, 2, 2, scratch);
    ck_assert_mem_eq(C, want, sizeof want);
    free(scratch);
}
END_TEST

/* Blocks of k: 384 terms of 2^-24 vanish beside 1 one by one, not as a block. */
START_TEST(product_sums_blocks_from_zero)
{
    const struct ock_kernels *kernels = family_of(_i);
    if (!kernels)
        return;
    enum { K = 2 * OCK_K_BLOCK };
    float A[K], B[K], C = 0.0f;
    for (size_t k = 0; k < K; k++) {
        A[k] = 1.0f;
        B[k] = k == 0 ? 1.0f : k < OCK_K_BLOCK ? 0.0f : 0x1p-25f;
    }
    const struct ock_product product = {.M = 1,
                                        .N = 1,
                                        .K = K,
                                        .A = A,
                                        .a_row = K,
                                        .a_col = 1,
                                        .B = B,
                                        .b_row = 1,
                                        .b_col = K,
                                        .C = &C,
                                        .c_row = 1};
    float *scratch = scratch_of(kernels);
    kernels->product(&product, 0, 1, 0, 1, scratch);
    ck_assert(C == 1.0f + 384 * 0x1p-25f);
    free(scratch);
}
END_TEST

START_TEST(product_is_near_the_double_one)
{
    const struct ock_kernels *kernels = family_of(_i);
    if (!kernels)
        return;
    struct problem p = problem_make((struct shape){19, 53, 1000}, false, true, true);
    float *scratch = scratch_of(kernels);
    kernels->product(&p.product, 0, 19, 0, 53, scratch);
    for (size_t m = 0; m < 19; m++)
        for (size_t n = 0; n < 53; n++) {
            double sum = (double)p.bias[n];
            for (size_t k = 0; k < 1000; k++)
                sum += (double)p.A[m * 1000 + k] * (double)p.B[n * 1000 + k];
            ck_assert_double_eq_tol((double)p.C[m * 53 + n], sum, 1e-4);
        }
    free(scratch);
    problem_free(&p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kernels: products");
    TCase *tests = tcase_create("products");
    tcase_add_loop_test(tests, product_is_the_same_bits_for_every_cut_and_layout, 0,
                        FAMILY_COUNT * SHAPE_COUNT);
    tcase_add_loop_test(tests, product_touches_nothing_outside_of_its_arrays, 0,
                        FAMILY_COUNT * SHAPE_COUNT);
    tcase_add_loop_test(tests, product_by_hand, 0, FAMILY_COUNT);
    tcase_add_loop_test(tests, product_sums_blocks_from_zero, 0, FAMILY_COUNT);
    tcase_add_loop_test(tests, product_is_near_the_double_one, 0, FAMILY_COUNT);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
