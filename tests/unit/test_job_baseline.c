/* Goal: what a constant prediction would do is known for any number of classes.
 *
 * Method: half of the rows are of one class, the others each of a class of its own; a network that
 * does not move has ln(classes), and the warning says what a constant has. */
#include <math.h>

#include "tests/unit/job_kit.h"

/* n rows of class 0 and n of classes 1 to n: the entropy is ln 2 / 2 + ln(2 n) / 2. */
static void import_classes(int n, const char *csv, const char *out)
{
    struct ock_err err = {0};
    FILE *file = fopen(csv, "w");
    ck_assert_ptr_nonnull(file);
    (void)fputs("x,y\n", file);
    for (int i = 0; i < 2 * n; i++)
        (void)fprintf(file, "%d,c%05d\n", i % 10, i < n ? 0 : i - n + 1);
    ck_assert_int_eq(fclose(file), 0);
    struct ock_import import = {.source = csv, .out = out, .target = "y"};
    ck_assert_msg(ock_import_run(&import, &err) == OCK_OK, "%s", err.text);
}

START_TEST(constant_of_many_classes)
{
    static const int counts[] = {3, 999, 1000, 1022, 1023, 1024, 2500};
    char directory[KIT_PATH_SIZE];
    char csv[KIT_PATH_SIZE];
    char data[KIT_PATH_SIZE];
    char wanted[64];
    int n = counts[_i];
    kit_directory(directory);
    kit_path(csv, directory, "data.csv");
    kit_path(data, directory, "data.ockds");
    import_classes(n, csv, data);
    struct kit kit = {.train = data, .threads = 1};
    kit_run(&kit, "{\"data\":{\"validation\":0},\"model\":{\"hidden\":[]},"
                  "\"optimizer\":{\"lr\":1e-9},\"train\":{\"epochs\":3,\"batch_size\":\"all\"}}");
    const cJSON *warning = kit_event(&kit, "warning", -1);
    ck_assert_str_eq(kit_text(warning, "code"), "not_learning");
    (void)snprintf(wanted, sizeof(wanted), "no better than the %.6g of a constant",
                   0.5 * log(2) + 0.5 * log(2 * n));
    ck_assert_msg(strstr(kit_text(warning, "message"), wanted) != NULL, "%s, not %s",
                  kit_text(warning, "message"), wanted);
    kit_free(&kit);
    kit_remove(directory);
}
END_TEST

/* The first epoch is better than a constant, and the rate, which still rises, makes the third worse:
 * that is no want of learning. */
START_TEST(a_rise_after_learning_is_not_told)
{
    char directory[KIT_PATH_SIZE];
    char data[KIT_PATH_SIZE];
    kit_directory(directory);
    kit_path(data, directory, "data.ockds");
    kit_import("heart_scale.csv", "label", data);
    struct kit kit = {.train = data, .threads = 1};
    kit_run(&kit, "{\"data\":{\"validation\":0},\"model\":{\"hidden\":[]},\"optimizer\":{\"lr\":4,"
                  "\"schedule\":{\"name\":\"constant\",\"warmup_epochs\":3}},"
                  "\"train\":{\"epochs\":4}}");
    const double constant = 0.68697; /* 150 of 270 */
    ck_assert_double_lt(kit_number(kit_event(&kit, "epoch", 0), "train.data_loss"), constant);
    ck_assert_double_gt(kit_number(kit_event(&kit, "epoch", 2), "train.data_loss"), constant);
    ck_assert_ptr_null(kit_event(&kit, "warning", 1)); /* but for no_validation */
    kit_free(&kit);
    kit_remove(directory);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("baseline");
    TCase *all = tcase_create("baseline");
    tcase_add_loop_test(all, constant_of_many_classes, 0, 7);
    tcase_add_test(all, a_rise_after_learning_is_not_told);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
