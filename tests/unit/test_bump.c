/* Goal: arrays are zeroed, aligned, apart from each other and stay where they are; threads may take them at
 * once; after a clear all memory is used again.
 * Method: many arrays of many sizes, each filled with its own number and looked at after all were taken. */
#include <check.h>
#include <omp.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/bump.h"

enum { COUNT = 20000 };

static size_t size_of(size_t i)
{
    return i % 1000 == 999 ? OCK_BUMP_BYTES_MAX - i : 1 + i * 7919 % 300;
}

/* Takes the i-th and fills it; false: it was not zeroed, or not aligned. */
static bool take(struct ock_bump *bump, size_t i, unsigned char **out)
{
    void *data = NULL;
    struct ock_err err = {0};
    if (ock_bump_take(bump, size_of(i), &data, &err) != OCK_OK)
        return false;
    unsigned char *bytes = data;
    bool good = (uintptr_t)data % alignof(max_align_t) == 0;
    for (size_t k = 0; k < size_of(i); k++)
        good &= bytes[k] == 0;
    memset(bytes, (int)(1 + i % 255), size_of(i));
    *out = bytes;
    return good;
}

static void check_all(unsigned char **arrays)
{
    for (size_t i = 0; i < COUNT; i++) {
        size_t wrong = 0;
        for (size_t k = 0; k < size_of(i); k++)
            wrong += arrays[i][k] != 1 + i % 255;
        ck_assert_msg(wrong == 0, "array %zu has %zu bytes of others", i, wrong);
    }
}

START_TEST(arrays_are_apart)
{
    unsigned char **arrays = calloc(COUNT, sizeof(*arrays));
    struct ock_bump bump;
    ck_assert_ptr_nonnull(arrays);
    ock_bump_init(&bump, "/tmp/bump");
    for (int again = 0; again < 2; again++) {
        for (size_t i = 0; i < COUNT; i++)
            ck_assert_msg(take(&bump, i, &arrays[i]), "array %zu", i);
        check_all(arrays);
        ock_bump_clear(&bump);
        ck_assert_uint_eq(bump.count, 0);
    }
    ock_bump_deinit(&bump);
    free(arrays);
}
END_TEST

START_TEST(threads_take_at_once)
{
    unsigned char **arrays = calloc(COUNT, sizeof(*arrays));
    size_t bad = 0;
    struct ock_bump bump;
    ck_assert_ptr_nonnull(arrays);
    ock_bump_init(&bump, NULL);
#pragma omp parallel for num_threads(4) default(none) shared(bump, arrays) reduction(+ : bad)
    for (size_t i = 0; i < COUNT; i++)
        bad += !take(&bump, i, &arrays[i]);
    ck_assert_uint_eq(bad, 0);
    check_all(arrays);
    ock_bump_deinit(&bump);
    free(arrays);
}
END_TEST

START_TEST(small_needs_are_small)
{
    void *data = NULL;
    struct ock_bump bump;
    ock_bump_init(&bump, NULL);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(ock_bump_take(&bump, 32, &data, NULL), OCK_OK);
    ck_assert_uint_eq(bump.count, 1);
    ck_assert_uint_le(bump.rooms[0].bytes, 1 << 14);
    ock_bump_deinit(&bump);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bump");
    TCase *tests = tcase_create("bump");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, arrays_are_apart);
    tcase_add_test(tests, threads_take_at_once);
    tcase_add_test(tests, small_needs_are_small);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
