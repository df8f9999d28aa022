/* Sums, sums of squares, dropout masks, and the choice of a family. */
#include <immintrin.h>
#include <math.h>

#include "tests/unit/kernels_common.h"

/* sum_rows is a product with ones: the same blocks, the same order. */
START_TEST(sum_rows_is_a_product_with_ones)
{
    const struct ock_kernels *kernels = family_of(_i);
    if (!kernels)
        return;
    static const size_t shapes[][2] = {{0, 5},    {1, 1},    {32, 2},    {32, 10},   {383, 17},
                                       {384, 64}, {385, 70}, {1000, 33}, {770, 131}, {7, 200}};
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
        const size_t rows = shapes[s][0], columns = shapes[s][1], stride = columns + 3;
        float *x = test_floats(rows * stride, s);
        float *sum = test_floats(columns, 5);
        float *ones = test_alloc(rows, sizeof *ones);
        for (size_t r = 0; r < rows; r++)
            ones[r] = 1.0f;
        float *want = test_floats(columns, 6);
        float *scratch = aligned_alloc(64, (kernels->scratch_floats * 4 + 63) / 64 * 64);
        ck_assert_ptr_nonnull(scratch);
        const struct ock_product product = {.M = 1,
                                            .N = columns,
                                            .K = rows,
                                            .A = ones,
                                            .a_row = rows,
                                            .a_col = 1,
                                            .B = x,
                                            .b_row = stride,
                                            .b_col = 1,
                                            .C = want,
                                            .c_row = columns};
        kernels->product(&product, 0, 1, 0, columns, scratch);
        kernels->sum_rows(x, stride, rows, 0, columns, sum);
        ck_assert_mem_eq(sum, want, columns * sizeof(float));
        memset(sum, 0x55, columns * sizeof(float));
        for (size_t c = 0; c < columns; c += 11)
            kernels->sum_rows(x, stride, rows, c, c + 11 < columns ? c + 11 : columns, sum);
        ck_assert_mem_eq(sum, want, columns * sizeof(float));
        free(x);
        free(sum);
        free(ones);
        free(want);
        free(scratch);
    }
}
END_TEST

START_TEST(add_and_multiply_by_hand)
{
    const struct ock_kernels *kernels = family_of(_i);
    if (!kernels)
        return;
    float x[70], y[70], z[70];
    for (size_t n = 0; n < 70; n++) {
        for (size_t i = 0; i < 70; i++) {
            x[i] = (float)i;
            y[i] = 100.0f;
            z[i] = -1.0f;
        }
        kernels->add(n, x, y);
        kernels->multiply(n, x, y, z);
        kernels->multiply(n, x, x, x); /* in place */
        for (size_t i = 0; i < 70; i++) {
            const float f = (float)i;
            ck_assert(y[i] == (i < n ? 100.0f + f : 100.0f));
            ck_assert(z[i] == (i < n ? f * (100.0f + f) : -1.0f));
            ck_assert(x[i] == (i < n ? f * f : f));
        }
    }
}
END_TEST

/* All families, v2 too: squares of floats are exact in double. */
START_TEST(sum_squares_has_eight_parts)
{
    const struct ock_kernels *kernels = family_of(_i);
    if (!kernels)
        return;
    float *x = test_floats(1003, 3);
    for (size_t n = 0; n <= 1003; n += n < 40 ? 1 : 321) {
        double part[8] = {0}, want = 0;
        for (size_t i = 0; i < n; i++)
            part[i % 8] += (double)x[i] * (double)x[i];
        for (int j = 0; j < 8; j++)
            want += part[j];
        const double got = kernels->sum_squares(n, x);
        ck_assert_mem_eq(&got, &want, sizeof want);
    }
    free(x);
}
END_TEST

START_TEST(dropout_mask_is_the_streams_words)
{
    const struct ock_kernels *kernels = family_of(_i);
    if (!kernels)
        return;
    static const uint64_t starts[] = {0, 1, 6, 4 * (uint64_t)UINT32_MAX - 30, UINT64_MAX - 900};
    static const float rates[] = {0.0f, 0.1f, 0.5f, 1e-9f, 0.9375f};
    float mask[301];
    for (size_t s = 0; s < 5; s++)
        for (size_t r = 0; r < 5; r++) {
            const struct ock_stream stream =
                ock_stream_make(0x123456789abcdef0u + s, OCK_RANDOM_DROPOUT, (uint32_t)r, 7);
            for (size_t n = 0; n <= 300; n += n < 70 ? 1 : 46) {
                memset(mask, 0x7e, sizeof mask);
                kernels->dropout_mask(stream, starts[s], n, rates[r], mask);
                for (size_t i = 0; i < n; i++) {
                    const double word = (double)ock_random_u32(stream, starts[s] + i);
                    const bool dropped = word < (double)rates[r] * 0x1p32;
                    ck_assert(mask[i] == (dropped ? 0.0f : 1.0f / (1.0f - rates[r])));
                }
                uint32_t behind;
                memcpy(&behind, mask + n, sizeof behind);
                ck_assert_uint_eq(behind, 0x7e7e7e7e);
            }
        }
}
END_TEST

START_TEST(dropout_keeps_its_share)
{
    const struct ock_kernels *kernels = family_of(_i);
    if (!kernels)
        return;
    enum { COUNT = 100000 };
    float *mask = test_alloc(COUNT, sizeof *mask);
    kernels->dropout_mask(ock_stream_make(1, OCK_RANDOM_DROPOUT, 2, 3), 5, COUNT, 0.3f, mask);
    int dropped = 0;
    for (size_t i = 0; i < COUNT; i++)
        dropped += mask[i] == 0.0f;
    ck_assert_int_gt(dropped, 30000 - 600); /* four standard deviations */
    ck_assert_int_lt(dropped, 30000 + 600);
    free(mask);
}
END_TEST

START_TEST(families_are_found_by_name)
{
    const struct ock_kernels *best = ock_kernels_get(NULL);
    ck_assert_ptr_nonnull(best);
    ck_assert_ptr_null(ock_kernels_get(""));
    ck_assert_ptr_null(ock_kernels_get("v5"));
    ck_assert_str_ne(best->family, "reference");
    for (int i = 0; i < FAMILY_COUNT; i++) {
        const struct ock_kernels *kernels = ock_kernels_get(all_families[i]);
        if (!kernels)
            continue;
        ck_assert_str_eq(kernels->family, all_families[i]);
        ck_assert_int_eq(kernels->fused, strcmp(kernels->family, "v2") != 0);
        ck_assert_str_eq(ock_kernels_numerics(kernels), kernels->fused ? "1-fma" : "1-v2");
        ck_assert_ptr_eq(ock_kernels_get(all_families[i]), kernels);
    }
}
END_TEST

START_TEST(thread_init_flushes_to_zero)
{
    volatile float tiny = 0x1p-126f, half = 0.5f, denormal = 0x1p-127f;
    ck_assert(tiny * half > 0.0f);
    ock_kernels_thread_init();
    ck_assert(tiny * half == 0.0f);
    ck_assert(denormal * 2.0f == 0.0f);
    ck_assert_uint_eq(_mm_getcsr() & 0x8040u, 0x8040u);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kernels: sums, masks, dispatch");
    TCase *tests = tcase_create("sums");
    tcase_add_loop_test(tests, sum_rows_is_a_product_with_ones, 0, FAMILY_COUNT);
    tcase_add_loop_test(tests, add_and_multiply_by_hand, 0, FAMILY_COUNT);
    tcase_add_loop_test(tests, sum_squares_has_eight_parts, 0, FAMILY_COUNT);
    tcase_add_loop_test(tests, dropout_mask_is_the_streams_words, 0, FAMILY_COUNT);
    tcase_add_loop_test(tests, dropout_keeps_its_share, 0, FAMILY_COUNT);
    tcase_add_test(tests, families_are_found_by_name);
    tcase_add_test(tests, thread_init_flushes_to_zero);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
