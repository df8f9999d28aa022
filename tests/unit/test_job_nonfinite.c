/* Goal: a number that cannot be had is null and named, in the epochs and at the end; never a wrong
 * one.
 *
 * Method: jobs on a handful of rows in which the number does not exist. */
#include <math.h>

#include "core/train/schedule.h"
#include "tests/unit/job_kit.h"

static void import_text(const char *inline_json, const char *out)
{
    struct ock_err err = {0};
    struct ock_faults *faults = calloc(1, sizeof(*faults));
    cJSON *data = cJSON_Parse(inline_json);
    ck_assert_ptr_nonnull(data);
    ck_assert_msg(ock_import_inline(data, "/data/inline", out, faults, &err) == OCK_OK, "%s",
                  err.text);
    cJSON_Delete(data);
    free(faults);
}

static void check_named(const cJSON *body, const char *name, const char *value)
{
    const cJSON *named = ock_json_get(body, "nonfinite");
    ck_assert_msg(named != NULL, "nothing is named in the event");
    ck_assert_str_eq(kit_text(named, name), value);
}

/* One row has no variance to explain: r2 is 1 - error/0. */
START_TEST(test_rows_name_what_they_lack)
{
    char directory[KIT_PATH_SIZE];
    char data[KIT_PATH_SIZE];
    kit_directory(directory);
    kit_path(data, directory, "data.ockds");
    import_text("{\"x\":[[0],[1],[2],[3],[4]],\"y\":[0,1,2,3,5]}", data);
    struct kit kit = {.train = data, .threads = 1};
    kit_run(&kit, "{\"data\":{\"validation\":0,\"test\":0.2,\"target_type\":\"number\"},"
                  "\"model\":{\"hidden\":[]},\"optimizer\":{\"lr\":0.1},\"train\":{\"epochs\":1}}");
    const cJSON *end = kit_event(&kit, "end", 0);
    const cJSON *test = ock_json_get(end, "test");
    ck_assert(cJSON_IsNumber(ock_json_get(test, "mse")));
    ck_assert(cJSON_IsNull(ock_json_get(test, "r2")));
    check_named(end, "test.r2", "-inf");
    ck_assert(!ock_json_get(ock_json_get(end, "latest"), "nonfinite"));
    kit_free(&kit);
    kit_remove(directory);
}
END_TEST

/* A sample of one row, whose weight is 0 for some of the seeds: no data_loss, so no objective. */
START_TEST(no_objective_without_data_loss)
{
    char directory[KIT_PATH_SIZE];
    char data[KIT_PATH_SIZE];
    int without = 0;
    kit_directory(directory);
    kit_path(data, directory, "data.ockds");
    import_text("{\"x\":[[0,0],[1,1],[2,0],[3,1]],\"y\":[0,1,2,4]}", data);
    for (int seed = 0; seed < 20; seed++) {
        char text[400];
        struct kit kit = {.train = data, .threads = 1};
        (void)snprintf(text, sizeof(text),
                       "{\"data\":{\"validation\":0,\"target_type\":\"number\","
                       "\"weights\":\"x1\"},\"model\":{\"hidden\":[]},\"optimizer\":{\"lr\":0.1},"
                       "\"regularization\":{\"l2\":0.1},"
                       "\"train\":{\"epochs\":1,\"evaluate_train\":1,\"seed\":%d}}",
                       seed);
        kit_run(&kit, text);
        const cJSON *epoch = kit_event(&kit, "epoch", 0);
        if (ock_json_get(ock_json_get(epoch, "train"), "data_loss")) {
            double penalty = kit_number(epoch, "penalty.l2");
            double loss = kit_number(epoch, "train.data_loss");
            ck_assert_double_eq(kit_number(epoch, "objective"), loss + 0 + penalty);
        } else {
            ck_assert(cJSON_IsNull(ock_json_get(epoch, "objective")));
            check_named(epoch, "objective", "nan");
            without++;
        }
        kit_free(&kit);
    }
    ck_assert_int_gt(without, 0);
    ck_assert_int_lt(without, 20);
    kit_remove(directory);
}
END_TEST

/* After the first step the weights are -8 and 8, and 8e38 is no float: validation's loss is NaN.
 * Decay takes them back to a fifth, and from then on it is a number: that is better. */
START_TEST(nan_is_never_best)
{
    char directory[KIT_PATH_SIZE];
    char data[KIT_PATH_SIZE];
    char other[KIT_PATH_SIZE];
    kit_directory(directory);
    kit_path(data, directory, "data.ockds");
    kit_path(other, directory, "data.csv");
    import_text("{\"x\":[[-2],[2]],\"y\":[\"a\",\"b\"]}", data);
    import_text("{\"x\":[[-1e38],[1e38]],\"y\":[\"a\",\"b\"]}", other);
    struct kit kit = {.train = data, .validation = other, .threads = 1};
    kit_run(&kit, "{\"data\":{\"validation\":{\"dataset\":\"other\"},\"scaling\":\"none\"},"
                  "\"model\":{\"hidden\":[]},\"regularization\":{\"l2\":0.05},"
                  "\"optimizer\":{\"lr\":8},\"train\":{\"epochs\":4,\"batch_size\":\"all\","
                  "\"early_stopping\":{\"patience\":2}}}");
    check_named(kit_event(&kit, "epoch", 0), "validation.data_loss", "nan");
    const cJSON *end = kit_event(&kit, "end", 0);
    ck_assert_double_eq(kit_number(end, "best.epoch"), 2);
    ck_assert_double_eq(kit_number(end, "best.value"), 0);
    ck_assert_double_eq(kit_number(end, "latest.epoch"), 4);
    kit_free(&kit);
    kit_remove(directory);
}
END_TEST

START_TEST(plateau_counts_from_the_first_number)
{
    struct ock_schedule_spec spec = {.name = OCK_PLATEAU, .factor = 0.5, .patience = 1};
    struct ock_plateau plateau = {0};
    ock_plateau_observe(&spec, &plateau, (double)NAN);
    ock_plateau_observe(&spec, &plateau, 1);
    ock_plateau_observe(&spec, &plateau, 2);
    ck_assert_double_eq(plateau.factor, 1);
    ock_plateau_observe(&spec, &plateau, (double)NAN);
    ck_assert_double_eq(plateau.factor, 0.5);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("nonfinite");
    TCase *all = tcase_create("nonfinite");
    tcase_add_test(all, test_rows_name_what_they_lack);
    tcase_add_test(all, no_objective_without_data_loss);
    tcase_add_test(all, nan_is_never_best);
    tcase_add_test(all, plateau_counts_from_the_first_number);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
