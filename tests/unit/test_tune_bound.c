/* Goal: the strength that leaves no weight, where the best constant lies on some rows' targets.
 *
 * Method: five rows worked by hand, whose median two rows share: slopes +1, t, t, -1, -1 with t = 1/2, so
 * that they sum to 0; |sum of slope * x| / 5 = |1 + 2t + 4t - 8 - 16| / 5 = 4. */
#include "tests/unit/tune_kit.h"

static const char rows[] = "x,y\n1,0\n2,1\n4,1\n8,3\n16,9\n";

START_TEST(rows_at_the_median_share_what_is_left)
{
    struct place place;
    struct ock_err err = {0};
    char csv[KIT_PATH_SIZE];
    place_make(&place, "iris.csv", "virginica");
    kit_path(csv, place.directory, "rows.csv");
    FILE *out = fopen(csv, "w");
    ck_assert(out && fputs(rows, out) >= 0 && fclose(out) == 0);
    struct ock_import import = {.source = csv, .out = place.data, .target = "y"};
    ck_assert_msg(ock_import_run(&import, &err) == OCK_OK, "%s", err.text);
    struct kit kit = {.train = place.data, .threads = 1};
    kit_run(&kit,
            "{\"data\":{\"target\":\"y\",\"scaling\":\"none\",\"target_scaling\":\"none\"},"
            "\"loss\":\"mae\",\"model\":{\"hidden\":[]},\"regularization\":{\"biases\":false},"
            "\"optimizer\":{\"lr\":0.01},\"train\":{\"epochs\":1},"
            "\"tune\":{\"l1\":{\"min\":1,\"max\":\"auto\",\"count\":2},\"folds\":2}}");
    const cJSON *strongest = ock_json_get(table_of(&kit), "trials")->child;
    ck_assert_double_eq_tol(kit_number(strongest, "l1"), 4, 1e-12);
    kit_free(&kit);
    kit_remove(place.directory);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("the end of a range");
    TCase *all = tcase_create("all");
    tcase_add_test(all, rows_at_the_median_share_what_is_left);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
