/* Goal: folds are what docs/spec.md says: every row but the test part's in one fold, their sizes and
 * each class' share as even as can be, the same for the same seed.
 *
 * Method: small cases by hand, and counts over random labels. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/data/folds.h"

enum { ROWS = 103, CLASSES = 3 };

static struct ock_folds folds_of(const int32_t *labels, uint32_t count,
                                 enum ock_fold_assignment assignment, double test)
{
    return (struct ock_folds){.split = {.rows = ROWS,
                                        .labels = labels,
                                        .classes = labels ? CLASSES : 1,
                                        .test = test,
                                        .seed = 7},
                              .labels = labels,
                              .classes = labels ? CLASSES : 1,
                              .count = count,
                              .assignment = assignment};
}

/* 60, 30 and 13 rows. */
static void label(int32_t labels[ROWS])
{
    for (int row = 0; row < ROWS; row++)
        labels[row] = row % 10 < 6 && row < 100 ? 0 : row % 10 < 9 && row < 100 ? 1 : 2;
}

START_TEST(modulo_is_the_row_s_number)
{
    unsigned char fold[ROWS];
    struct ock_folds folds = folds_of(NULL, 5, OCK_FOLDS_MODULO, 0);
    ck_assert_int_eq(ock_folds_make(&folds, fold, NULL), OCK_OK);
    for (size_t row = 0; row < ROWS; row++)
        ck_assert_uint_eq(fold[row], row % 5);
}
END_TEST

START_TEST(random_folds_are_even_and_not_in_order)
{
    unsigned char fold[ROWS], again[ROWS];
    size_t counts[5] = {0}, in_order = 0;
    struct ock_folds folds = folds_of(NULL, 5, OCK_FOLDS_RANDOM, 0);
    ck_assert_int_eq(ock_folds_make(&folds, fold, NULL), OCK_OK);
    ck_assert_int_eq(ock_folds_make(&folds, again, NULL), OCK_OK);
    ck_assert_mem_eq(fold, again, sizeof(fold));
    for (size_t row = 0; row < ROWS; row++) {
        counts[fold[row]]++;
        in_order += fold[row] == row % 5;
    }
    ck_assert_uint_lt(in_order, ROWS / 2);
    for (size_t f = 0; f < 5; f++)
        ck_assert_uint_eq(counts[f], f < 3 ? 21 : 20); /* 103 = 3*21 + 2*20 */
    folds.split.seed = 8;
    ck_assert_int_eq(ock_folds_make(&folds, again, NULL), OCK_OK);
    ck_assert_mem_ne(fold, again, sizeof(fold));
}
END_TEST

START_TEST(stratified_folds_share_every_class)
{
    unsigned char fold[ROWS];
    int32_t labels[ROWS];
    size_t counts[4][CLASSES] = {{0}}, rows[4] = {0};
    label(labels);
    struct ock_folds folds = folds_of(labels, 4, OCK_FOLDS_STRATIFIED, 0);
    ck_assert_int_eq(ock_folds_make(&folds, fold, NULL), OCK_OK);
    for (size_t row = 0; row < ROWS; row++) {
        counts[fold[row]][labels[row]]++;
        rows[fold[row]]++;
    }
    for (size_t f = 0; f < 4; f++) {
        ck_assert_uint_eq(counts[f][0], 15);             /* 60 / 4 */
        ck_assert_uint_eq(counts[f][1], f < 2 ? 8 : 7);  /* 30 = 2*8 + 2*7 */
        ck_assert_uint_eq(counts[f][2], f == 2 ? 4 : 3); /* dealt on from fold 2 */
        ck_assert_uint_eq(rows[f], counts[f][0] + counts[f][1] + counts[f][2]);
        ck_assert_uint_ge(rows[f], 25);
        ck_assert_uint_le(rows[f], 26);
    }
}
END_TEST

START_TEST(test_rows_are_in_no_fold)
{
    static const enum ock_fold_assignment ways[] = {OCK_FOLDS_STRATIFIED, OCK_FOLDS_RANDOM,
                                                    OCK_FOLDS_MODULO};
    unsigned char fold[ROWS], part[ROWS];
    int32_t labels[ROWS];
    size_t counts[OCK_PARTS];
    label(labels);
    struct ock_folds folds = folds_of(labels, 3, ways[_i], 0.2);
    ck_assert_int_eq(ock_split_make(&folds.split, part, counts, NULL), OCK_OK);
    ck_assert_int_eq(ock_folds_make(&folds, fold, NULL), OCK_OK);
    ck_assert_uint_eq(counts[OCK_PART_TEST], 21);
    for (size_t row = 0; row < ROWS; row++)
        ck_assert_int_eq(fold[row] == OCK_FOLD_NONE, part[row] == OCK_PART_TEST);
}
END_TEST

START_TEST(an_empty_fold_is_a_fault)
{
    unsigned char fold[ROWS];
    struct ock_err err = {0};
    struct ock_folds folds = folds_of(NULL, 100, OCK_FOLDS_RANDOM, 0.5);
    ck_assert_int_eq(ock_folds_make(&folds, fold, &err), OCK_INVALID);
    ck_assert_ptr_nonnull(strstr(err.text, "fold 52 of 100 has no row")); /* 51 rows are left */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("folds");
    TCase *all = tcase_create("all");
    tcase_add_test(all, modulo_is_the_row_s_number);
    tcase_add_test(all, random_folds_are_even_and_not_in_order);
    tcase_add_test(all, stratified_folds_share_every_class);
    tcase_add_loop_test(all, test_rows_are_in_no_fold, 0, 3);
    tcase_add_test(all, an_empty_fold_is_a_fault);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
