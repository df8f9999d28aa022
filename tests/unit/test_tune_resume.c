/* Goal: a search goes on as if nothing had been, whatever it finds and is told after a resumption.
 *
 * Method: a small search on iris, paused before it has a learning rate, beside a state that is not
 * its own, stopped and told so twice. */
#include "tests/unit/tune_kit.h"

static const char search[] =
    "{\"data\":{\"target\":\"virginica\"},\"optimizer\":{\"lr\":0.1},"
    "\"model\":{\"hidden\":[9],\"dropout\":0.1},\"train\":{\"epochs\":6,\"batch_size\":20},"
    "\"tune\":{\"l2\":[0.1,0.001,0],\"folds\":3}}";

/* Before there is a learning rate there is nothing to remember: no state says that it is 0. */
START_TEST(a_pause_before_the_learning_rate_changes_nothing)
{
    static const char spec[] = "{\"data\":{\"target\":\"virginica\"},\"model\":{\"hidden\":[4]},"
                               "\"optimizer\":{\"lr\":\"auto\"},"
                               "\"train\":{\"epochs\":1},\"tune\":{\"l2\":[0.1,0.01],\"folds\":2}}";
    struct place place;
    struct ock_buf want, got;
    place_make(&place, "iris.csv", "virginica");
    struct kit whole = {.train = place.data, .threads = 1, .best = place.best};
    kit_run(&whole, spec);
    fingerprint(&whole, &want);
    for (uint64_t at = 1; at < 8; at += 3) {
        struct kit paused = {
            .train = place.data, .threads = 1, .checkpoint = place.checkpoint, .pause_at = at};
        kit_run(&paused, spec);
        ck_assert_int_eq(paused.outcome, OCK_PAUSED);
        ck_assert_uint_eq(count_of(&paused, "log"), 0);
        struct kit later = {
            .train = place.data, .threads = 1, .checkpoint = place.checkpoint, .best = place.best};
        kit_run(&later, spec);
        fingerprint(&later, &got);
        ck_assert_str_eq(got.data, want.data);
        ock_buf_deinit(&got);
        kit_free(&later);
        kit_free(&paused);
        kit_empty(place.directory);
        kit_import("iris.csv", "virginica", place.data);
    }
    ock_buf_deinit(&want);
    kit_free(&whole);
    kit_remove(place.directory);
}
END_TEST

static void write_state(const char *path, const char *bytes)
{
    FILE *file = fopen(path, "w");
    ck_assert(file && fputs(bytes, file) >= 0 && fclose(file) == 0);
}

/* A state that is none of this search's is told and passed over; its own is not spoken of. */
START_TEST(a_foreign_state_is_told)
{
    static const char *const bytes[] = {"", "no state of a search at all"};
    struct place place;
    char state[KIT_PATH_SIZE];
    place_make(&place, "iris.csv", "virginica");
    kit_path(state, place.directory, "checkpoint.tuning");
    for (size_t i = 0; i < 3; i++) {
        struct kit kit = {.train = place.data, .threads = 1, .checkpoint = place.checkpoint};
        if (i < 2)
            write_state(state, bytes[i]);
        kit_run(&kit, search);
        ck_assert_uint_eq(count_of(&kit, "warning"), i < 2);
        if (i < 2)
            ck_assert_str_eq(kit_text(kit_event(&kit, "warning", 0), "code"), "checkpoint");
        ck_assert_uint_eq(count_of(&kit, "trial"), 3);
        kit_free(&kit);
    }
    kit_remove(place.directory);
}
END_TEST

/* Whoever asked for the stop may ask again after a resumption (a server does): that is not for the
 * refit, which trains to its end; another one is. */
START_TEST(a_stop_that_is_told_again_spares_the_refit)
{
    struct place place;
    place_make(&place, "iris.csv", "virginica");
    struct kit whole = {.train = place.data, .threads = 1, .best = place.best};
    kit_run(&whole, search);
    uint64_t late = whole.polls - 6 * 8 - 1; /* in the search's last run */
    struct kit stopped = {
        .train = place.data, .threads = 1, .best = place.best, .stop_after = late};
    kit_run(&stopped, search);
    ck_assert_uint_gt(count_of(&stopped, "epoch"), 0);
    struct kit paused = {.train = place.data,
                         .threads = 1,
                         .checkpoint = place.checkpoint,
                         .best = place.best,
                         .stop_after = late,
                         .pause_after = late + 20};
    kit_run(&paused, search);
    ck_assert_int_eq(paused.outcome, OCK_PAUSED);
    struct kit again = {.train = place.data,
                        .threads = 1,
                        .checkpoint = place.checkpoint,
                        .best = place.best,
                        .stop_after = 1};
    kit_run(&again, search);
    const cJSON *end = kit_event(&again, "end", 0);
    ck_assert_str_eq(kit_text(end, "stop_reason"), "stopped");
    ck_assert_str_eq(kit_text(end, "state_sha256"),
                     kit_text(kit_event(&stopped, "end", 0), "state_sha256"));
    kit_free(&again);
    kit_free(&paused);
    kit_free(&stopped);
    kit_free(&whole);
    kit_remove(place.directory);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tuning: resumption");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 60);
    tcase_add_test(all, a_pause_before_the_learning_rate_changes_nothing);
    tcase_add_test(all, a_foreign_state_is_told);
    tcase_add_test(all, a_stop_that_is_told_again_spares_the_refit);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
