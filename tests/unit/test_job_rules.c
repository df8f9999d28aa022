/* Goal: what a job does besides stepping: closed forms reached, weights counted, best and patience,
 * cuts, rollback, starting weights, what is told when.
 *
 * Method: small jobs whose outcome follows by hand or from their own events. */
#include <math.h>

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

struct place {
    char directory[KIT_PATH_SIZE], data[KIT_PATH_SIZE];
};

static void place_make(struct place *place, const char *table, const char *target)
{
    kit_directory(place->directory);
    kit_path(place->data, place->directory, "data.ockds");
    if (table)
        kit_import(table, target, place->data);
}

/* x = (-1, 1), y = 2x, no bias: J(w) = (w-2)^2 + alpha |w| + lambda w^2 is least at
 * w = (2 - alpha/2)/(1 + lambda) (or 0), with data_loss (w-2)^2. */
START_TEST(least_squares_closed_form)
{
    static const struct {
        const char *text;
        double alpha, lambda, tolerance;
    } cases[] = {
        {"\"optimizer\":{\"lr\":0.1}", 0, 0, 1e-6},
        {"\"regularization\":{\"l2\":0.5},\"optimizer\":{\"lr\":0.1,\"momentum\":0.5}", 0, 0.5,
         1e-6},
        {"\"regularization\":{\"l1\":1,\"l1_method\":\"proximal\"},"
         "\"optimizer\":{\"lr\":0.1,\"momentum\":0.9}",
         1, 0, 1e-6},
        {"\"regularization\":{\"l1\":5,\"l1_method\":\"proximal\"},\"optimizer\":{\"lr\":0.1}", 5,
         0, 0},
        {"\"regularization\":{\"l1\":1,\"l1_method\":\"cumulative\"},\"optimizer\":{\"lr\":0.1}", 1,
         0, 1e-5},
        {"\"regularization\":{\"l1\":5,\"l1_method\":\"cumulative\"},\"optimizer\":{\"lr\":0.1}", 5,
         0, 0},
        {"\"regularization\":{\"l1\":0.5,\"l2\":0.25,\"l1_method\":\"proximal\"},"
         "\"optimizer\":{\"name\":\"adam\",\"lr\":0.05}",
         0.5, 0.25, 1e-4},
        {"\"optimizer\":{\"lr\":0.1,\"weight_decay\":0.8}", 0, 0.4, 1e-6},
    };
    struct place place;
    char text[1024];
    place_make(&place, NULL, NULL);
    import_text("{\"x\":[[-1],[1]],\"y\":[-2,2]}", place.data);
    (void)snprintf(text, sizeof(text),
                   "{\"data\":{\"validation\":0,\"scaling\":\"none\",\"target_scaling\":\"none\","
                   "\"target_type\":\"number\"},\"model\":{\"layers\":[{\"type\":\"linear\","
                   "\"bias\":false}]},%s,\"train\":{\"epochs\":800,\"batch_size\":2}}",
                   cases[_i].text);
    struct kit kit = {.train = place.data, .threads = 1};
    kit_run(&kit, text);
    const cJSON *epoch = kit_event(&kit, "epoch", -1);
    double wanted = fmax(0, (2 - cases[_i].alpha / 2) / (1 + cases[_i].lambda));
    double w = kit_number(epoch, "weights.l1_norm");
    ck_assert_double_le(fabs(w - wanted), cases[_i].tolerance);
    ck_assert_double_eq_tol(kit_number(epoch, "train.data_loss"), (w - 2) * (w - 2), 1e-5);
    ck_assert_double_eq_tol(kit_number(epoch, "train.rmse"), fabs(w - 2), 1e-5);
    ck_assert_double_eq_tol(kit_number(epoch, "train.r2"), 1 - (w - 2) * (w - 2) / 4, 1e-5);
    kit_free(&kit);
    kit_remove(place.directory);
}
END_TEST

/* A constant model: weighted mean, weighted loss. y = (0, 0, 3), weights (1, 1, 2): mean 1.5. */
START_TEST(weights_weigh)
{
    struct place place;
    place_make(&place, NULL, NULL);
    import_text("{\"x\":[[0,1],[0,1],[0,2]],\"y\":[0,0,3]}", place.data);
    struct kit kit = {.train = place.data, .threads = 1};
    kit_run(&kit, "{\"data\":{\"validation\":0,\"scaling\":\"none\",\"target_scaling\":\"none\","
                  "\"target_type\":\"number\",\"weights\":\"x1\"},\"model\":{\"hidden\":[]},"
                  "\"optimizer\":{\"lr\":0.2},\"train\":{\"epochs\":400,\"batch_size\":3}}");
    const cJSON *epoch = kit_event(&kit, "epoch", -1);
    ck_assert_double_eq_tol(kit_number(epoch, "weights.l1_norm"), 1.5, 1e-5);
    ck_assert_double_eq_tol(kit_number(epoch, "train.data_loss"), 2.25, 1e-5);
    ck_assert_double_eq_tol(kit_number(epoch, "train.mae"), 1.5, 1e-5);
    kit_free(&kit);
    kit_remove(place.directory);
}
END_TEST

/* A learning rate of almost nothing: the start is told. ln 10 for ten classes at zero weights. */
START_TEST(first_loss_of_zeros_is_ln_classes)
{
    struct place place;
    place_make(&place, "digits.csv.gz", "64");
    struct kit kit = {.train = place.data, .threads = 1};
    kit_run(&kit, "{\"data\":{\"validation\":0.2},\"model\":{\"hidden\":[]},"
                  "\"optimizer\":{\"lr\":1e-30},\"train\":{\"epochs\":3}}");
    const cJSON *epoch = kit_event(&kit, "epoch", -1);
    ck_assert_double_eq_tol(kit_number(epoch, "train.data_loss"), log(10), 1e-6);
    ck_assert_double_eq_tol(kit_number(epoch, "train.running_loss"), log(10), 1e-6);
    ck_assert_double_eq_tol(kit_number(epoch, "validation.data_loss"), log(10), 1e-6);
    ck_assert_double_eq(kit_number(epoch, "weights.count"), 650);
    ck_assert_str_eq(kit_text(kit_event(&kit, "warning", 0), "code"), "not_learning");
    kit_free(&kit);
    kit_remove(place.directory);
}
END_TEST

/* Best and patience, recomputed from the epochs that were told. */
START_TEST(early_stopping_counts_epochs)
{
    struct place place;
    place_make(&place, "heart_scale.csv", "label");
    struct kit kit = {.train = place.data, .threads = 1};
    kit_run(&kit, "{\"data\":{},\"model\":{\"hidden\":[64]},\"optimizer\":{\"lr\":0.3},"
                  "\"train\":{\"epochs\":500,\"early_stopping\":{\"patience\":4}}}");
    const cJSON *end = kit_event(&kit, "end", 0);
    ck_assert_str_eq(kit_text(end, "stop_reason"), "early_stopping");
    double best = 1e9;
    int best_epoch = 0;
    int last = 0;
    for (; kit_number(kit_event(&kit, "epoch", last), "epoch") <
           kit_number(kit_event(&kit, "epoch", -1), "epoch");
         last++) {
        double value = kit_number(kit_event(&kit, "epoch", last), "validation.data_loss");
        ck_assert_int_lt(last + 1 - best_epoch, 5);
        if (value < best) {
            best = value;
            best_epoch = last + 1;
        }
    }
    ck_assert_int_eq(last + 1, best_epoch + 4);
    ck_assert_double_eq(kit_number(end, "best.epoch"), best_epoch);
    ck_assert_double_eq(kit_number(end, "best.value"), best);
    kit_free(&kit);
    kit_remove(place.directory);
}
END_TEST

/* 1,438 training rows in minibatches of 32: 45 steps an epoch. */
START_TEST(cuts_end_a_job_well)
{
    static const struct {
        const char *train, *reason;
        uint64_t stop_after;
        int epochs, step;
    } cases[] = {
        {"\"epochs\":9,\"max_steps\":50", "max_steps", 0, 2, 50},
        {"\"epochs\":9,\"max_steps\":45", "max_steps", 0, 1, 45},
        {"\"epochs\":9", "stopped", 100, 3, 100},
        {"\"epochs\":100000,\"deadline_s\":0.05", "deadline", 0, -1, -1},
        {"\"epochs\":2", "epochs", 0, 2, 90},
    };
    struct place place;
    char text[1024];
    place_make(&place, "digits.csv.gz", "64");
    (void)snprintf(text, sizeof(text),
                   "{\"data\":{},\"model\":{\"hidden\":[16]},\"optimizer\":{\"lr\":0.1},"
                   "\"train\":{%s}}",
                   cases[_i].train);
    struct kit kit = {.train = place.data, .threads = 1, .stop_after = cases[_i].stop_after};
    kit_run(&kit, text);
    const cJSON *end = kit_event(&kit, "end", 0);
    ck_assert_str_eq(kit_text(end, "status"), "succeeded");
    ck_assert_str_eq(kit_text(end, "stop_reason"), cases[_i].reason);
    if (cases[_i].epochs > 0) {
        ck_assert_double_eq(kit_number(end, "latest.epoch"), cases[_i].epochs);
        ck_assert_double_eq(kit_number(end, "latest.step"), cases[_i].step);
    }
    kit_free(&kit);
    kit_remove(place.directory);
}
END_TEST

/* Far too large a rate: three rollbacks, each halving it, then the job fails and says so. */
START_TEST(divergence_rolls_back_then_fails)
{
    struct place place;
    place_make(&place, "digits.csv.gz", "64");
    struct kit kit = {.train = place.data, .threads = 1};
    kit_run(&kit, "{\"data\":{\"target_type\":\"number\"},\"model\":{\"hidden\":[16]},"
                  "\"optimizer\":{\"lr\":1e6},\"train\":{\"epochs\":5}}");
    ck_assert_int_eq(kit.outcome, OCK_FAILED);
    ck_assert_ptr_null(kit_event(&kit, "epoch", 0));
    for (int i = 0; i < 3; i++)
        ck_assert_str_eq(kit_text(kit_event(&kit, "warning", i), "code"), "rollback");
    const cJSON *end = kit_event(&kit, "end", 0);
    ck_assert_str_eq(kit_text(end, "stop_reason"), "nonfinite");
    ck_assert_str_eq(kit_text(ock_json_get(end, "error"), "code"), "nonfinite");
    kit_free(&kit);

    kit_run(&kit, "{\"data\":{\"target_type\":\"number\"},\"model\":{\"hidden\":[16]},"
                  "\"optimizer\":{\"lr\":1e6},\"train\":{\"epochs\":5,\"on_nonfinite\":\"fail\"}}");
    ck_assert_int_eq(kit.outcome, OCK_FAILED);
    ck_assert_ptr_null(kit_event(&kit, "warning", 0));
    kit_free(&kit);
    kit_remove(place.directory);
}
END_TEST

/* A rate that is too large by less than 8: the job goes on at half, a quarter or an eighth of it. */
START_TEST(rollback_rescues)
{
    struct place place;
    place_make(&place, "digits.csv.gz", "64");
    struct kit kit = {.train = place.data, .threads = 1};
    kit_run(&kit, "{\"data\":{\"target_type\":\"number\"},\"model\":{\"hidden\":[16]},"
                  "\"optimizer\":{\"lr\":0.8},\"train\":{\"epochs\":5}}");
    ck_assert_int_eq(kit.outcome, OCK_SUCCEEDED);
    ck_assert_str_eq(kit_text(kit_event(&kit, "warning", 0), "code"), "rollback");
    double lr = kit_number(kit_event(&kit, "epoch", -1), "lr");
    ck_assert(lr == 0.4 || lr == 0.2 || lr == 0.1);
    for (int i = 0; i < 5; i++)
        ck_assert_double_eq(kit_number(kit_event(&kit, "epoch", i), "epoch"), i + 1);
    kit_free(&kit);
    kit_remove(place.directory);
}
END_TEST

/* best.safetensors as `init` of a job that does not move gives the same weights. */
START_TEST(starting_weights_come_from_a_model)
{
    struct place place;
    char best[KIT_PATH_SIZE];
    char last[KIT_PATH_SIZE];
    place_make(&place, "digits.csv.gz", "64");
    kit_path(best, place.directory, "best.safetensors");
    kit_path(last, place.directory, "last.safetensors");
    struct kit kit = {.train = place.data, .threads = 1, .best = best, .last = last};
    kit_run(&kit, "{\"data\":{},\"optimizer\":{\"lr\":0.1},\"train\":{\"epochs\":2}}");
    char sha[65];
    (void)snprintf(sha, sizeof(sha), "%s",
                   kit_text(kit_event(&kit, "epoch", -1), "weights_sha256"));
    struct kit second = {.train = place.data, .threads = 1, .init = last};
    kit_run(&second, "{\"data\":{},\"optimizer\":{\"lr\":1e-30},\"train\":{\"epochs\":1}}");
    ck_assert_str_eq(sha, kit_text(kit_event(&second, "epoch", 0), "weights_sha256"));
    /* Another network cannot take them, and the job says which tensor it misses. */
    kit_run(&second, "{\"data\":{},\"model\":{\"hidden\":[65]},\"train\":{\"epochs\":1}}");
    ck_assert_int_eq(second.outcome, OCK_FAILED);
    const cJSON *error = ock_json_get(kit_event(&second, "end", 0), "error");
    ck_assert_ptr_nonnull(strstr(kit_text(error, "detail"), "0.weight"));
    kit_free(&kit);
    kit_free(&second);
    kit_remove(place.directory);
}
END_TEST

START_TEST(shards_are_the_same_for_any_threads)
{
    struct place place;
    char sha[3][65];
    place_make(&place, "digits.csv.gz", "64");
    for (uint32_t threads = 1; threads <= 3; threads++) {
        struct kit kit = {.train = place.data, .threads = threads};
        kit_run(&kit, "{\"data\":{},\"optimizer\":{\"lr\":0.1},"
                      "\"train\":{\"epochs\":2,\"shards\":5,\"batch_size\":70}}");
        (void)snprintf(sha[threads - 1], 65, "%s",
                       kit_text(kit_event(&kit, "epoch", -1), "weights_sha256"));
        kit_free(&kit);
    }
    ck_assert_str_eq(sha[0], sha[1]);
    ck_assert_str_eq(sha[0], sha[2]);
    kit_remove(place.directory);
}
END_TEST

START_TEST(a_long_job_reports_sparsely)
{
    struct place place;
    place_make(&place, NULL, NULL);
    import_text("{\"x\":[[-1],[1]],\"y\":[-2,2]}", place.data);
    struct kit kit = {.train = place.data, .threads = 1};
    kit_run(&kit, "{\"data\":{\"validation\":0,\"target_type\":\"number\"},"
                  "\"model\":{\"hidden\":[]},\"optimizer\":{\"lr\":0.01},"
                  "\"train\":{\"epochs\":25001}}");
    double previous = 0;
    int count = 0;
    for (const cJSON *epoch = kit_event(&kit, "epoch", 0);
         kit_number(epoch, "epoch") > previous && count < 9000;
         epoch = kit_event(&kit, "epoch", count)) {
        previous = kit_number(epoch, "epoch");
        ck_assert(previous == 1 || previous == 25001 || fmod(previous, 3) == 0);
        count++;
        if (previous == 25001)
            break;
    }
    ck_assert_int_eq(count, 1 + 25001 / 3 + 1);
    kit_free(&kit);
    kit_remove(place.directory);
}
END_TEST

/* J(w) = (w-2)^2 from w = 0: at lr 1.2 each epoch's one step multiplies w-2 by -1.4. The loss goes
 * 4, 7.84, 15.4, …, and the limit is 8; at lr 0.6 the factor is -0.2. */
#define ONE_WEIGHT                                                                                 \
    "{\"data\":{\"validation\":0,\"scaling\":\"none\",\"target_scaling\":\"none\","                \
    "\"target_type\":\"number\"},\"model\":{\"layers\":[{\"type\":\"linear\",\"bias\":false}]},"   \
    "\"optimizer\":{\"lr\":1.2},\"train\":{\"batch_size\":2,"

/* The epoch that failed was the one that max_steps had ended: its step is still to be done. */
START_TEST(max_steps_counts_no_failed_step)
{
    struct place place;
    place_make(&place, NULL, NULL);
    import_text("{\"x\":[[-1],[1]],\"y\":[-2,2]}", place.data);
    struct kit kit = {.train = place.data, .threads = 1};
    kit_run(&kit, ONE_WEIGHT "\"epochs\":9,\"max_steps\":2}}");
    ck_assert_str_eq(kit_text(kit_event(&kit, "warning", -1), "code"), "rollback");
    const cJSON *end = kit_event(&kit, "end", 0);
    ck_assert_str_eq(kit_text(end, "stop_reason"), "max_steps");
    ck_assert_double_eq(kit_number(end, "latest.step"), 2);
    ck_assert_double_eq_tol(kit_number(end, "latest.train.data_loss"), 7.84 * 0.04, 1e-5);
    kit_free(&kit);
    /* A stop is a person's word: the job ends with what was good. */
    kit.stop_after = 2;
    kit_run(&kit, ONE_WEIGHT "\"epochs\":9}}");
    end = kit_event(&kit, "end", 0);
    ck_assert_str_eq(kit_text(end, "stop_reason"), "stopped");
    ck_assert_double_eq(kit_number(end, "latest.step"), 1);
    kit_free(&kit);
    kit_remove(place.directory);
}
END_TEST

/* Epochs 2 to 49 are not looked at, so the last that is known to be good is the first: from the
 * loss of epoch 49, 1e15, three halvings of the rate would not have led back. */
START_TEST(rollback_goes_to_an_epoch_that_was_good)
{
    struct place place;
    char checkpoint[KIT_PATH_SIZE];
    place_make(&place, NULL, NULL);
    kit_path(checkpoint, place.directory, "checkpoint");
    import_text("{\"x\":[[-1],[1]],\"y\":[-2,2]}", place.data);
    const char *spec = ONE_WEIGHT "\"epochs\":50,\"report_every\":50}}";
    struct kit kit = {.train = place.data, .threads = 1};
    kit_run(&kit, spec);
    ck_assert_int_eq(kit.outcome, OCK_SUCCEEDED);
    const cJSON *warning = kit_event(&kit, "warning", -1);
    ck_assert_str_eq(kit_text(warning, "code"), "rollback");
    ck_assert_ptr_nonnull(strstr(kit_text(warning, "message"), "epoch 50 diverged"));
    ck_assert_ptr_nonnull(strstr(kit_text(warning, "message"), "the end of epoch 1,"));
    const cJSON *end = kit_event(&kit, "end", 0);
    ck_assert_double_eq(kit_number(end, "latest.epoch"), 50);
    ck_assert_double_eq(kit_number(end, "latest.step"), 50);
    ck_assert_double_le(kit_number(end, "latest.train.data_loss"), 1e-10);
    /* A checkpoint among the bad epochs knows the good one too. */
    struct kit resumed = {
        .train = place.data, .threads = 1, .checkpoint = checkpoint, .pause_after = 30};
    kit_run(&resumed, spec);
    ck_assert_int_eq(resumed.outcome, OCK_PAUSED);
    resumed.pause_after = 0;
    kit_run(&resumed, spec);
    ck_assert_str_eq(kit_text(end, "state_sha256"),
                     kit_text(kit_event(&resumed, "end", 0), "state_sha256"));
    kit_free(&resumed);
    kit_free(&kit);
    kit_remove(place.directory);
}
END_TEST

/* What is told does not change what is trained: plateau's patience counts every epoch. */
START_TEST(reporting_changes_no_plateau)
{
    struct place place;
    char sha[2][65];
    place_make(&place, "heart_scale.csv", "label");
    for (int i = 0; i < 2; i++) {
        char text[512];
        struct kit kit = {.train = place.data, .threads = 1};
        (void)snprintf(text, sizeof(text),
                       "{\"data\":{},\"model\":{\"hidden\":[64]},\"optimizer\":{\"lr\":0.3,"
                       "\"schedule\":{\"name\":\"plateau\",\"factor\":0.5,\"patience\":1}},"
                       "\"train\":{\"epochs\":40,\"report_every\":%d}}",
                       i == 0 ? 1 : 7);
        kit_run(&kit, text);
        ck_assert_double_lt(kit_number(kit_event(&kit, "epoch", -1), "lr"), 0.1);
        (void)snprintf(sha[i], sizeof(sha[i]), "%s",
                       kit_text(kit_event(&kit, "epoch", -1), "weights_sha256"));
        if (i == 1)
            ck_assert_double_eq(kit_number(kit_event(&kit, "epoch", 1), "epoch"), 7);
        kit_free(&kit);
    }
    ck_assert_str_eq(sha[0], sha[1]);
    kit_remove(place.directory);
}
END_TEST

/* 45 minibatches an epoch, the last of 30 rows: resumed behind it, no row is trained any more. */
START_TEST(a_pause_behind_the_last_minibatch)
{
    struct place place;
    char checkpoint[KIT_PATH_SIZE];
    place_make(&place, "digits.csv.gz", "64");
    kit_path(checkpoint, place.directory, "checkpoint");
    struct kit kit = {
        .train = place.data, .threads = 1, .checkpoint = checkpoint, .pause_after = 45};
    const char *spec = "{\"data\":{},\"optimizer\":{\"lr\":0.1},\"train\":{\"epochs\":2}}";
    kit_run(&kit, spec);
    ck_assert_int_eq(kit.outcome, OCK_PAUSED);
    kit.pause_after = 0;
    kit_run(&kit, spec);
    const cJSON *epoch = kit_event(&kit, "epoch", 0);
    ck_assert_double_eq(kit_number(epoch, "epoch"), 1);
    ck_assert_double_eq(kit_number(epoch, "samples_per_s"), 0);
    kit_free(&kit);
    kit_remove(place.directory);
}
END_TEST

#define WEIGHTED                                                                                   \
    "{\"data\":{\"validation\":{\"dataset\":\"other\"},\"target_type\":\"number\","                \
    "\"weights\":\"x1\"},\"model\":{\"hidden\":[]},\"optimizer\":{\"lr\":0.01},"                   \
    "\"train\":{\"epochs\":4"

/* Validation rows without weight measure nothing: best is the last, and nothing stops early. */
START_TEST(validation_without_weight_is_none)
{
    struct place place;
    char other[KIT_PATH_SIZE];
    place_make(&place, NULL, NULL);
    kit_path(other, place.directory, "data.csv");
    import_text("{\"x\":[[0,1],[1,1],[2,1],[3,1]],\"y\":[0,1,2,4]}", place.data);
    import_text("{\"x\":[[0,0],[1,0],[2,0]],\"y\":[0,1,3]}", other);
    struct kit kit = {.train = place.data, .validation = other, .threads = 1};
    kit_run(&kit, WEIGHTED "}}");
    const cJSON *end = kit_event(&kit, "end", 0);
    ck_assert_double_eq(kit_number(end, "best.epoch"), 4);
    ck_assert_str_eq(kit_text(ock_json_get(end, "best"), "metric"), "train.data_loss");
    ck_assert_ptr_null(ock_json_get(ock_json_get(end, "latest"), "validation"));
    kit_free(&kit);
    kit_run(&kit, WEIGHTED ",\"early_stopping\":{\"patience\":2}}}");
    ck_assert_int_eq(kit.outcome, OCK_FAILED);
    const cJSON *error = ock_json_get(kit_event(&kit, "end", 0), "error");
    ck_assert_ptr_nonnull(strstr(kit_text(error, "detail"), "validation"));
    kit_free(&kit);
    import_text("{\"x\":[[0],[1],[2],[3],[4]],\"y\":[\"a\",\"b\",\"c\",\"d\",\"e\"]}", place.data);
    kit.validation = NULL; /* and a class of one row stays in training */
    kit_run(&kit, "{\"data\":{},\"train\":{\"early_stopping\":{\"patience\":2}}}");
    error = ock_json_get(kit_event(&kit, "end", 0), "error");
    ck_assert_ptr_nonnull(strstr(kit_text(error, "detail"), "no validation row"));
    kit_free(&kit);
    kit_remove(place.directory);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rules");
    TCase *all = tcase_create("rules");
    tcase_set_timeout(all, 120);
    tcase_add_loop_test(all, least_squares_closed_form, 0, 8);
    tcase_add_test(all, weights_weigh);
    tcase_add_test(all, first_loss_of_zeros_is_ln_classes);
    tcase_add_test(all, early_stopping_counts_epochs);
    tcase_add_loop_test(all, cuts_end_a_job_well, 0, 5);
    tcase_add_test(all, divergence_rolls_back_then_fails);
    tcase_add_test(all, rollback_rescues);
    tcase_add_test(all, starting_weights_come_from_a_model);
    tcase_add_test(all, shards_are_the_same_for_any_threads);
    tcase_add_test(all, a_long_job_reports_sparsely);
    tcase_add_test(all, max_steps_counts_no_failed_step);
    tcase_add_test(all, rollback_goes_to_an_epoch_that_was_good);
    tcase_add_test(all, reporting_changes_no_plateau);
    tcase_add_test(all, a_pause_behind_the_last_minibatch);
    tcase_add_test(all, validation_without_weight_is_none);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
