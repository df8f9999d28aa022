/* What was told comes again as it was, whatever is asked for after a crash: a run that goes back to
 * an old checkpoint ends no epoch earlier than it was told. */
#include "core/kernels/kernels.h"
#include "job_kit.h"

static const char *const spec =
    "{\"data\":{\"target\":\"c64\"},\"model\":{\"hidden\":[20]},\"optimizer\":{\"lr\":0.05},"
    "\"train\":{\"epochs\":5,\"batch_size\":100,\"seed\":5%s}}";

enum { STEPS = 15 /* an epoch's: 1,438 training rows in hundreds */ };

static char directory[KIT_PATH_SIZE], data[KIT_PATH_SIZE], checkpoint[KIT_PATH_SIZE], text[512];

static void setup(void)
{
    kit_directory(directory);
    kit_path(data, directory, "data.ockds");
    kit_path(checkpoint, directory, "checkpoint");
    kit_import("digits.csv.gz", "64", data);
    (void)snprintf(text, sizeof(text), spec, "");
}

static void teardown(void)
{
    kit_remove(directory);
}

static uint64_t step_of(const struct kit *kit, int n)
{
    return (uint64_t)kit_number(kit_event(kit, "epoch", n), "step");
}

static void check_epoch(const struct kit *one, int n, const struct kit *other, int m)
{
    const cJSON *first = kit_event(one, "epoch", n), *second = kit_event(other, "epoch", m);
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_nonnull(second);
    ck_assert_double_eq(kit_number(first, "epoch"), kit_number(second, "epoch"));
    ck_assert_str_eq(kit_text(first, "weights_sha256"), kit_text(second, "weights_sha256"));
}

/* Epochs 1 to 3 were told; the checkpoint stands in the second. */
START_TEST(a_stop_waits_for_what_was_told)
{
    struct kit first = {
        .train = data, .checkpoint = checkpoint, .threads = 1, .checkpoint_after = 20};
    kit_run(&first, text);
    ck_assert_uint_eq(step_of(&first, 2), 3 * STEPS);
    struct kit again = {.train = data,
                        .checkpoint = checkpoint,
                        .threads = 1,
                        .told_step = 3 * STEPS,
                        .stop_after = 1};
    kit_run(&again, text);
    check_epoch(&again, 0, &first, 1);
    check_epoch(&again, 1, &first, 2);
    ck_assert_ptr_null(kit_event(&again, "epoch", 2));
    const cJSON *end = kit_event(&again, "end", 0);
    ck_assert_str_eq(kit_text(end, "stop_reason"), "stopped");
    kit_free(&first);
    kit_free(&again);
}
END_TEST

/* The stop had cut the third epoch, and that was told, but the end was not. */
START_TEST(an_epoch_that_was_cut_is_cut_again)
{
    struct kit whole = {
        .train = data, .checkpoint = checkpoint, .threads = 1, .checkpoint_after = 20};
    kit_run(&whole, text);
    struct kit cut = {.train = data, .threads = 1, .stop_after = 2 * STEPS + 4};
    kit_run(&cut, text);
    ck_assert_uint_eq(step_of(&cut, 2), 2 * STEPS + 4);
    ck_assert_str_ne(kit_text(kit_event(&cut, "epoch", 2), "weights_sha256"),
                     kit_text(kit_event(&whole, "epoch", 2), "weights_sha256"));

    struct kit again = {
        .train = data, .checkpoint = checkpoint, .threads = 1, .told_step = 2 * STEPS + 4};
    kit_run(&again, text);
    check_epoch(&again, 1, &cut, 2);
    ck_assert_str_eq(kit_text(kit_event(&again, "end", 0), "stop_reason"), "stopped");
    ck_assert_str_eq(kit_text(kit_event(&again, "end", 0), "state_sha256"),
                     kit_text(kit_event(&cut, "end", 0), "state_sha256"));
    kit_free(&whole);
    kit_free(&cut);
    kit_free(&again);
}
END_TEST

/* A deadline that is over already. */
START_TEST(a_deadline_waits_for_what_was_told)
{
    struct kit first = {.train = data, .threads = 1};
    kit_run(&first, text);
    (void)snprintf(text, sizeof(text), spec, ",\"deadline_s\":1e-9");
    struct kit again = {.train = data, .threads = 1, .told_step = 2 * STEPS};
    kit_run(&again, text);
    check_epoch(&again, 0, &first, 0);
    check_epoch(&again, 1, &first, 1);
    ck_assert_ptr_null(kit_event(&again, "epoch", 2));
    ck_assert_str_eq(kit_text(kit_event(&again, "end", 0), "stop_reason"), "deadline");
    kit_free(&first);
    kit_free(&again);
}
END_TEST

/* A processor of the other kind goes on with the job: the epoch that it tells again has other bits,
 * and says why. */
START_TEST(an_epoch_names_its_arithmetic)
{
    const char *here = ock_kernels_numerics(ock_kernels_get(NULL));
    if (strcmp(here, "1-v2") == 0)
        return; /* this machine has only one */
    struct kit first = {
        .train = data, .checkpoint = checkpoint, .threads = 1, .checkpoint_after = 20};
    kit_run(&first, text);
    ck_assert_str_eq(kit_text(kit_event(&first, "epoch", 1), "numerics"), here);
    struct kit again = {.train = data,
                        .checkpoint = checkpoint,
                        .threads = 1,
                        .kernels = "v2",
                        .told_step = 5 * STEPS};
    kit_run(&again, text);
    const cJSON *one = kit_event(&first, "epoch", 1), *other = kit_event(&again, "epoch", 0);
    ck_assert_double_eq(kit_number(one, "epoch"), kit_number(other, "epoch"));
    ck_assert_str_eq(kit_text(other, "numerics"), "1-v2");
    ck_assert_str_ne(kit_text(one, "weights_sha256"), kit_text(other, "weights_sha256"));
    ck_assert_str_eq(kit_text(kit_event(&again, "end", 0), "status"), "succeeded");
    ck_assert_str_eq(kit_text(ock_json_get(kit_event(&again, "end", 0), "latest"), "numerics"),
                     "1-v2");
    kit_free(&first);
    kit_free(&again);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("told");
    TCase *all = tcase_create("told");
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, a_stop_waits_for_what_was_told);
    tcase_add_test(all, an_epoch_that_was_cut_is_cut_again);
    tcase_add_test(all, a_deadline_waits_for_what_was_told);
    tcase_add_test(all, an_epoch_names_its_arithmetic);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
