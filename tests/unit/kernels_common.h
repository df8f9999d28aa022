/* What the kernels' tests share: the families that this machine can run, and test numbers. */
#ifndef OCK_TESTS_KERNELS_COMMON_H
#define OCK_TESTS_KERNELS_COMMON_H

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/kernels/kernels.h"

static const char *const all_families[] = {"reference", "v2", "v3", "v4"};
enum { FAMILY_COUNT = sizeof all_families / sizeof all_families[0] };

/* The family of a loop test's index; NULL (the test passes) when the processor lacks it. */
static inline const struct ock_kernels *family_of(int index)
{
    ock_kernels_thread_init();
    return ock_kernels_get(all_families[index]);
}

/* Uniform in [-1, 1), one of 2^24 values. */
static inline float test_number(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (float)(int32_t)(*state >> 40) * 0x1p-23f - 1.0f;
}

static inline void test_fill(float *x, size_t count, uint64_t seed)
{
    uint64_t state = seed;
    for (size_t i = 0; i < count; i++)
        x[i] = test_number(&state);
}

/* Memory that ends where the array ends, so that a sanitizer sees one element too many. */
static inline void *test_alloc(size_t count, size_t size)
{
    void *memory = malloc(count > 0 ? count * size : 1);
    ck_assert_ptr_nonnull(memory);
    return memory;
}

static inline float *test_floats(size_t count, uint64_t seed)
{
    float *x = test_alloc(count, sizeof *x);
    test_fill(x, count, seed);
    return x;
}

/* count floats that end right before a page that cannot be touched, and begin right after one when
 * they fill their pages. Never freed: each test is its own process. */
static inline float *test_guarded(size_t count, uint64_t seed)
{
    const size_t page = 4096;
    const size_t size = (count * sizeof(float) + page - 1) / page * page;
    char *pages =
        mmap(NULL, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ck_assert(pages != MAP_FAILED);
    if (size > 0)
        ck_assert_int_eq(mprotect(pages + page, size, PROT_READ | PROT_WRITE), 0);
    float *x = (float *)(void *)(pages + page + size) - count;
    test_fill(x, count, seed);
    return x;
}

/* ck_assert for loops over very many values: that one writes to check's pipe each time it passes. */
#define require(fact)                                                                              \
    do {                                                                                           \
        if (!(fact))                                                                               \
            ck_abort_msg("not true: %s", #fact);                                                   \
    } while (0)

static inline int run_suite(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
