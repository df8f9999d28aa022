/* Sparse products against the dense ones of the same family, the zeros written out: the same bits. */
#include "tests/unit/kernels_common.h"

struct sparse {
    size_t M, K;
    struct ock_sparse_rows rows;
    float *dense; /* [M,K] */
};

/* One term in `rarity`; every seventh row has none. */
static struct sparse make_sparse(size_t M, size_t K, unsigned rarity, uint64_t seed)
{
    size_t *begin = test_alloc(M + 1, sizeof *begin);
    uint32_t *index = test_alloc(M * K, sizeof *index);
    float *value = test_alloc(M * K, sizeof *value);
    float *dense = test_alloc(M * K, sizeof *dense);
    uint64_t state = seed;
    size_t count = 0;
    for (size_t m = 0; m < M; m++) {
        begin[m] = count;
        for (size_t k = 0; k < K; k++) {
            const float x = test_number(&state);
            const bool there = m % 7 != 6 && (unsigned)(state >> 33) % rarity == 0;
            dense[m * K + k] = there ? x : 0.0f;
            if (there) {
                index[count] = (uint32_t)k;
                value[count++] = x;
            }
        }
    }
    begin[M] = count;
    return (struct sparse){M, K, {begin, index, value}, dense};
}

static void free_sparse(const struct sparse *a)
{
    free((void *)(uintptr_t)a->rows.begin);
    free((void *)(uintptr_t)a->rows.index);
    free((void *)(uintptr_t)a->rows.value);
    free(a->dense);
}

static const size_t shapes[][3] = {/* M, K, N */
                                   {1, 1, 1},   {9, 30, 1},   {8, 384, 1},  {13, 1000, 1},
                                   {9, 30, 2},  {30, 385, 3}, {11, 770, 7}, {5, 1200, 8},
                                   {7, 400, 9}, {6, 500, 64}, {4, 390, 65}, {3, 800, 131},
                                   {0, 5, 3},   {400, 50, 5}, {770, 9, 33}, {1200, 4, 1}};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

static float *scratch_for(const struct ock_kernels *kernels)
{
    float *scratch = aligned_alloc(64, (kernels->scratch_floats * 4 + 63) / 64 * 64);
    ck_assert_ptr_nonnull(scratch);
    return scratch;
}

START_TEST(a_sparse_product_has_the_dense_ones_bits)
{
    const struct ock_kernels *kernels = family_of(_i);
    if (!kernels)
        return;
    float *scratch = scratch_for(kernels);
    for (size_t s = 0; s < SHAPES; s++) {
        const size_t M = shapes[s][0], K = shapes[s][1], N = shapes[s][2];
        for (unsigned rarity = 1; rarity <= 9; rarity += 4) {
            const struct sparse a = make_sparse(M, K, rarity, s);
            const float *b = test_guarded(K * N, s + 100);
            const float *bias = rarity == 5 ? NULL : test_guarded(N, s + 200);
            float *want = test_floats(M * N, 1);
            float *got = test_guarded(M * N, 2);
            const struct ock_product product = {.M = M,
                                                .N = N,
                                                .K = K,
                                                .A = a.dense,
                                                .a_row = K,
                                                .a_col = 1,
                                                .B = b,
                                                .b_row = N,
                                                .b_col = 1,
                                                .C = want,
                                                .c_row = N,
                                                .bias = bias};
            kernels->product(&product, 0, M, 0, N, scratch);
            const struct ock_sparse_product sparse = {
                .N = N, .A = a.rows, .B = b, .b_row = N, .C = got, .c_row = N, .bias = bias};
            kernels->sparse_product(&sparse, 0, M / 2);
            kernels->sparse_product(&sparse, M / 2, M);
            ck_assert_mem_eq(got, want, M * N * sizeof(float));
            free_sparse(&a);
            free(want);
        }
    }
    free(scratch);
}
END_TEST

START_TEST(a_sparse_gradient_has_the_dense_ones_bits)
{
    const struct ock_kernels *kernels = family_of(_i);
    if (!kernels)
        return;
    float *scratch = scratch_for(kernels);
    for (size_t s = 0; s < SHAPES; s++) {
        const size_t M = shapes[s][0], K = shapes[s][1], O = shapes[s][2];
        const struct sparse a = make_sparse(M, K, 3, s);
        const float *dy = test_guarded(M * O, s + 300);
        float *want = test_floats(K * O, 1);
        const struct ock_product product = {.M = K,
                                            .N = O,
                                            .K = M,
                                            .A = a.dense,
                                            .a_row = 1,
                                            .a_col = K,
                                            .B = dy,
                                            .b_row = O,
                                            .b_col = 1,
                                            .C = want,
                                            .c_row = O};
        kernels->product(&product, 0, K, 0, O, scratch);
        const size_t cuts[] = {0, K / 3, K / 2, K};
        for (size_t c = 0; c + 1 < sizeof cuts / sizeof cuts[0]; c++) {
            const size_t count = (cuts[c + 1] - cuts[c]) * O;
            const struct ock_sparse_gradient sparse = {.end = M,
                                                       .A = a.rows,
                                                       .n0 = cuts[c],
                                                       .n1 = cuts[c + 1],
                                                       .dY = dy,
                                                       .dy_row = O,
                                                       .O = O,
                                                       .G = test_guarded(count, 3),
                                                       .block = test_guarded(count, 4)};
            kernels->sparse_gradient(&sparse);
            ck_assert_mem_eq(sparse.G, want + cuts[c] * O, count * sizeof(float));
        }
        free_sparse(&a);
        free(want);
    }
    free(scratch);
}
END_TEST

/* Rows [begin,end) alone, their blocks counted from begin: what a shard is. */
START_TEST(a_shards_gradient_is_that_of_its_rows)
{
    const struct ock_kernels *kernels = family_of(_i);
    if (!kernels)
        return;
    enum { M = 900, K = 12, O = 10, FIRST = 130 };
    const struct sparse a = make_sparse(M, K, 3, 77);
    const float *dy = test_guarded((size_t)M * O, 5);
    float *want = test_floats((size_t)K * O, 1);
    float *got = test_guarded((size_t)K * O, 2);
    float *block = test_guarded((size_t)K * O, 3);
    const struct ock_product product = {.M = K,
                                        .N = O,
                                        .K = M - FIRST,
                                        .A = a.dense + FIRST * K,
                                        .a_row = 1,
                                        .a_col = K,
                                        .B = dy + FIRST * O,
                                        .b_row = O,
                                        .b_col = 1,
                                        .C = want,
                                        .c_row = O};
    float *scratch = scratch_for(kernels);
    kernels->product(&product, 0, K, 0, O, scratch);
    const struct ock_sparse_gradient sparse = {.begin = FIRST,
                                               .end = M,
                                               .A = a.rows,
                                               .n1 = K,
                                               .dY = dy,
                                               .dy_row = O,
                                               .O = O,
                                               .G = got,
                                               .block = block};
    kernels->sparse_gradient(&sparse);
    ck_assert_mem_eq(got, want, (size_t)K * O * sizeof(float));
    free_sparse(&a);
    free(want);
    free(scratch);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kernels, sparse");
    TCase *tests = tcase_create("bits");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, a_sparse_product_has_the_dense_ones_bits, 0, FAMILY_COUNT);
    tcase_add_loop_test(tests, a_sparse_gradient_has_the_dense_ones_bits, 0, FAMILY_COUNT);
    tcase_add_loop_test(tests, a_shards_gradient_is_that_of_its_rows, 0, FAMILY_COUNT);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
