/* The split against SPEC.md's rule: quotas worked by hand, and the rows against a slow twin that
 * ranks every row among its class by counting. */
#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/random.h"
#include "core/data/split.h"

enum { ROWS_MAX = 400, CLASSES_MAX = 8 };

/* Labels that give class c sizes[c] rows, in turns. */
static size_t label_rows(const size_t *sizes, size_t classes, int32_t *labels)
{
    size_t rows = 0, left[CLASSES_MAX];
    memcpy(left, sizes, classes * sizeof(*left));
    for (int more = 1; more;) {
        more = 0;
        for (size_t c = 0; c < classes; c++) {
            if (left[c] > 0) {
                left[c]--;
                labels[rows++] = (int32_t)c;
                more = 1;
            }
        }
    }
    return rows;
}

/* Class sizes, fractions, and how many rows of each class go where, by hand. */
static const struct {
    size_t classes, sizes[CLASSES_MAX];
    double validation, test;
    size_t to_validation[CLASSES_MAX], to_test[CLASSES_MAX];
} cases[] = {
    {1, {10}, 0.2, 0, {2}, {0}},
    {1, {10}, 0, 0, {0}, {0}},
    {1, {10}, 0.25, 0, {3}, {0}}, /* 2.5 rounds up */
    {1, {10}, 0.24, 0, {2}, {0}},
    {1, {1}, 0.9, 0, {0}, {0}}, /* never the last row */
    {1, {2}, 0.9, 0, {1}, {0}},
    {1, {3}, 0.9, 0.9, {2}, {0}},
    {1, {10}, 0.2, 0.3, {2}, {3}},
    {2, {50, 50}, 0.2, 0, {10, 10}, {0, 0}},
    {2, {7, 3}, 0.5, 0, {4, 1}, {0, 0}}, /* 3.5 and 1.5: 5 in all, a tie, the first class */
    {2, {3, 7}, 0.5, 0, {2, 3}, {0, 0}},
    {3, {8, 6, 6}, 0.2, 0, {2, 1, 1}, {0}}, /* 1.6, 1.2, 1.2: the largest fraction */
    {3, {5, 5, 1}, 0.2, 0, {1, 1, 0}, {0}}, /* a class of one row stays */
    {3, {6, 3, 1}, 0.3, 0, {2, 1, 0}, {0}}, /* 1.8, .9, .3: 3 in all */
    {4, {1, 1, 1, 1}, 0.5, 0, {0, 0, 0, 0}, {0}},
    {2, {10, 10}, 0.2, 0.2, {2, 2}, {2, 2}},
    {2, {2, 2}, 0.5, 0.5, {1, 1}, {1, 0}}, /* one row of all stays */
};

START_TEST(quotas_are_those_worked_by_hand)
{
    static int32_t labels[ROWS_MAX];
    unsigned char part[ROWS_MAX];
    size_t counts[OCK_PARTS], only_counted[OCK_PARTS];
    size_t rows = label_rows(cases[_i].sizes, cases[_i].classes, labels);
    struct ock_split split = {.rows = rows,
                              .labels = labels,
                              .classes = cases[_i].classes,
                              .validation = cases[_i].validation,
                              .test = cases[_i].test};
    ck_assert_int_eq(ock_split_make(&split, part, counts, NULL), OCK_OK);
    ck_assert_int_eq(ock_split_counts(&split, only_counted, NULL), OCK_OK);
    ck_assert_mem_eq(counts, only_counted, sizeof(counts));
    size_t found[OCK_PARTS][CLASSES_MAX] = {{0}}, all[OCK_PARTS] = {0};
    for (size_t row = 0; row < rows; row++) {
        found[part[row]][labels[row]]++;
        all[part[row]]++;
    }
    ck_assert_mem_eq(counts, all, sizeof(counts));
    for (size_t c = 0; c < cases[_i].classes; c++) {
        ck_assert_uint_eq(found[OCK_PART_VALIDATION][c], cases[_i].to_validation[c]);
        ck_assert_uint_eq(found[OCK_PART_TEST][c], cases[_i].to_test[c]);
    }
    ck_assert_uint_ge(counts[OCK_PART_TRAIN], 1);
}
END_TEST

START_TEST(rows_go_by_their_random_keys)
{
    static const size_t sizes[] = {120, 37, 1, 60};
    /* .2 · 218 = 43.6, so 44 rows: 24, 7.4, .2, 12, and the remainder for 7.4.
     * .1 · 218 = 21.8, so 22 rows: 12, 3.7, .1, 6, and the remainder for 3.7. */
    static const size_t validation[] = {24, 8, 0, 12}, test[] = {12, 4, 0, 6};
    static int32_t labels[ROWS_MAX];
    unsigned char part[ROWS_MAX];
    size_t counts[OCK_PARTS];
    size_t rows = label_rows(sizes, 4, labels);
    for (uint64_t seed = 0; seed < 3; seed++) {
        struct ock_split split = {.rows = rows,
                                  .labels = labels,
                                  .classes = 4,
                                  .validation = 0.2,
                                  .test = 0.1,
                                  .seed = seed};
        struct ock_stream stream = ock_stream_make(seed, OCK_RANDOM_SPLIT, 0, 0);
        ck_assert_int_eq(ock_split_make(&split, part, counts, NULL), OCK_OK);
        ck_assert_uint_eq(counts[OCK_PART_VALIDATION], 44);
        for (size_t row = 0; row < rows; row++) {
            size_t rank = 0;
            for (size_t other = 0; other < rows; other++)
                rank += labels[other] == labels[row] &&
                        ock_random_u64(stream, other) < ock_random_u64(stream, row);
            size_t c = (size_t)labels[row];
            enum ock_part_name expected = rank < validation[c]             ? OCK_PART_VALIDATION
                                          : rank < validation[c] + test[c] ? OCK_PART_TEST
                                                                           : OCK_PART_TRAIN;
            ck_assert_int_eq(part[row], expected);
        }
    }
}
END_TEST

START_TEST(another_seed_is_another_split)
{
    unsigned char one[ROWS_MAX], two[ROWS_MAX], again[ROWS_MAX];
    size_t counts[OCK_PARTS];
    struct ock_split split = {.rows = ROWS_MAX, .classes = 1, .validation = 0.5};
    ck_assert_int_eq(ock_split_make(&split, one, counts, NULL), OCK_OK);
    ck_assert_int_eq(ock_split_make(&split, again, counts, NULL), OCK_OK);
    split.seed = UINT64_C(1) << 40;
    ck_assert_int_eq(ock_split_make(&split, two, counts, NULL), OCK_OK);
    ck_assert_mem_eq(one, again, sizeof(one));
    ck_assert_mem_ne(one, two, sizeof(one));
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

int main(void)
{
    Suite *suite = suite_create("data_split");
    TCase *tcase = tcase_create("split");
    tcase_add_loop_test(tcase, quotas_are_those_worked_by_hand, 0, COUNT(cases));
    tcase_add_test(tcase, rows_go_by_their_random_keys);
    tcase_add_test(tcase, another_seed_is_another_split);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
