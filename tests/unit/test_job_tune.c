/* Goal: a search's trials are the jobs that they stand for, whatever happens around them.
 *
 * Method: SPEC.md's table on heart_scale; searches on iris and heart_scale run as they are and then
 * with other threads, interrupted after each of their minibatches, stopped, ended early; every trial's
 * weights against those of the same job alone on the rows of the fold. */
#include <math.h>

#include "tests/unit/tune_kit.h"

#define HEART                                                                                      \
    "\"data\":{\"target\":\"label\",\"scaling\":\"none\"},\"model\":{\"hidden\":[]},"              \
    "\"loss\":\"binary_cross_entropy\","                                                           \
    "\"regularization\":{\"l1_method\":\"proximal\",\"biases\":false},"                            \
    "\"optimizer\":{\"lr\":1.0,\"momentum\":0.9},"
#define IRIS "\"data\":{\"target\":\"virginica\"},\"optimizer\":{\"lr\":0.1},"

static const cJSON *trial(const struct kit *kit, int number)
{
    for (size_t i = 0; i < kit->count; i++) {
        if (strcmp(kit->events[i].type, "trial") == 0 &&
            kit_number(kit->events[i].body, "trial") == number)
            return kit->events[i].body;
    }
    ck_abort_msg("no trial %d", number);
    return NULL;
}

/* Source: SPEC.md, exact answers; docs say how they were found. */
START_TEST(heart_s_table_is_the_contract_s)
{
    static const struct {
        int k;
        double mean, error;
    } rows[] = {{3, .44448602, .01951262}, {4, .41655560, .02686043}, {5, .40321351, .03271667},
                {6, .39498293, .03536749}, {7, .39096094, .03828898}, {8, .39182878, .04080852},
                {12, .39751022, .04464610}};
    struct place place;
    char spec[4000], list[1000] = "";
    for (int k = 3; k <= 12; k++)
        (void)snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%.17g",
                       k > 3 ? "," : "", .2526748971 * pow(10, -k / 4.0));
    (void)snprintf(spec, sizeof(spec),
                   "{" HEART "\"train\":{\"epochs\":1200,\"batch_size\":\"all\",\"shuffle\":false},"
                   "\"tune\":{\"l1\":[%s],\"fold_assignment\":\"modulo\",\"refit\":false}}",
                   list);
    place_make(&place, "heart_scale.csv", "label");
    struct kit kit = {.train = place.data, .threads = 2};
    kit_run(&kit, spec);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const cJSON *row = trial(&kit, rows[i].k - 2);
        ck_assert_double_eq_tol(kit_number(row, "mean_data_loss") / rows[i].mean, 1, 1e-4);
        ck_assert_double_eq_tol(kit_number(row, "standard_error") / rows[i].error, 1, 1e-3);
    }
    const cJSON *end = kit_event(&kit, "end", 0);
    ck_assert_str_eq(kit_text(end, "status"), "succeeded");
    ck_assert(cJSON_IsNull(ock_json_get(end, "model")));
    ck_assert_uint_eq(count_of(&kit, "epoch"), 0);
    ck_assert_double_eq(kit_number(end, "tuning.min.trial"), 7 - 2);
    ck_assert_double_eq(kit_number(end, "tuning.one_se.trial"), 4 - 2);
    ck_assert_double_eq(kit_number(end, "tuning.chosen.trial"), 4 - 2);
    kit_free(&kit);
    kit_remove(place.directory);
}
END_TEST

/* --- Same bits --------------------------------------------------------------------------------- */

static const char *const searches[] = {
    "{" IRIS
    "\"model\":{\"hidden\":[9],\"dropout\":0.1},\"train\":{\"epochs\":6,\"batch_size\":20},"
    "\"tune\":{\"l2\":[0.1,0.001,0],\"folds\":3}}",
    "{" IRIS "\"model\":{\"hidden\":[7]},"
    "\"train\":{\"epochs\":9,\"early_stopping\":{\"patience\":2},\"batch_size\":20},"
    "\"tune\":{\"weight_decay\":[0.1,0.001],\"dropout\":[0,0.2],\"folds\":2,\"rule\":\"min\"}}",
    "{\"data\":{\"target\":\"virginica\"},\"model\":{\"hidden\":[]},\"optimizer\":{\"lr\":\"auto\"}"
    ","
    "\"regularization\":{\"l1_method\":\"proximal\"},\"train\":{\"epochs\":5},"
    "\"tune\":{\"l1\":{\"min\":\"auto\",\"max\":\"auto\",\"count\":4},\"folds\":3,\"warm\":true}}",
    "{" IRIS "\"model\":{\"hidden\":[8]},\"train\":{\"epochs\":8,\"batch_size\":30},"
    "\"tune\":{\"l2\":{\"min\":1e-4,\"max\":1,\"count\":8},\"folds\":2,"
    "\"halving\":{\"min_epochs\":2}}}",
    "{" IRIS "\"model\":{\"hidden\":[8]},\"train\":{\"epochs\":3},"
    "\"tune\":{\"l2\":[0.1,0.01],\"l1\":[0.01,0],\"folds\":0,\"rule\":\"min\"}}",
};
enum { SEARCHES = 5 };

START_TEST(threads_and_tiles_change_nothing)
{
    static const uint32_t threads[] = {2, 3, 8, 40};
    struct place place;
    struct ock_buf want, got;
    place_make(&place, "iris.csv", "virginica");
    struct kit one = {.train = place.data, .threads = 1, .best = place.best};
    kit_run(&one, searches[_i]);
    ck_assert_str_eq(kit_text(kit_event(&one, "end", 0), "status"), "succeeded");
    fingerprint(&one, &want);
    for (size_t i = 0; i < 4; i++) {
        struct kit many = {.train = place.data,
                           .threads = threads[i],
                           .tile_rows = i == 1 ? 5 : 0,
                           .best = place.best};
        kit_run(&many, searches[_i]);
        fingerprint(&many, &got);
        ck_assert_str_eq(got.data, want.data);
        ock_buf_deinit(&got);
        kit_free(&many);
    }
    ock_buf_deinit(&want);
    kit_free(&one);
    kit_remove(place.directory);
}
END_TEST

/* Paused after `steps` minibatches again and again, until it ends; what has been told is not told
 * otherwise. */
static void run_in_pieces(const struct place *place, const char *spec, uint64_t steps,
                          const char *want)
{
    struct ock_buf got;
    for (int piece = 0; piece < 2000; piece++) {
        struct kit kit = {.train = place->data,
                          .threads = 1,
                          .checkpoint = place->checkpoint,
                          .best = place->best,
                          .pause_after = piece == 0 ? steps : 0,
                          .pause_at = piece == 1 ? steps : 0};
        kit_run(&kit, spec);
        if (kit.outcome == OCK_SUCCEEDED) {
            fingerprint(&kit, &got);
            ck_assert_str_eq(got.data, want);
            ock_buf_deinit(&got);
            kit_free(&kit);
            return;
        }
        ck_assert_int_eq(kit.outcome, OCK_PAUSED);
        ck_assert_ptr_null(kit_event(&kit, "end", 0));
        kit_free(&kit);
    }
    ck_abort_msg("it does not end");
}

START_TEST(interruptions_change_nothing)
{
    struct place place;
    struct ock_buf want;
    place_make(&place, "iris.csv", "virginica");
    struct kit whole = {.train = place.data, .threads = 1, .best = place.best};
    kit_run(&whole, searches[_i]);
    fingerprint(&whole, &want);
    for (uint64_t steps = 1; steps < whole.polls; steps += 1 + whole.polls / 25 * OCK_TEST_STRIDE) {
        run_in_pieces(&place, searches[_i], steps, want.data);
        kit_empty(place.directory);
        kit_import("iris.csv", "virginica", place.data);
    }
    ock_buf_deinit(&want);
    kit_free(&whole);
    kit_remove(place.directory);
}
END_TEST

/* The rows of iris in a fold of a search, or those that are not, as a CSV of their own. */
static void write_rows(const char *path, const cJSON *fold_ids, int fold, bool inside)
{
    char line[200];
    FILE *in = fopen(OCK_TEST_DATA "/iris.csv", "r");
    FILE *out = fopen(path, "w");
    ck_assert(in && out && fgets(line, sizeof(line), in));
    fputs(line, out); /* the header */
    for (const cJSON *id = fold_ids->child; fgets(line, sizeof(line), in); id = id->next) {
        ck_assert_ptr_nonnull(id);
        if ((id->valueint == fold) == inside)
            fputs(line, out);
    }
    fclose(in);
    fclose(out);
}

static void import_rows(const char *csv, const char *out)
{
    struct ock_err err = {0};
    struct ock_import import = {.source = csv, .out = out, .target = "virginica"};
    ck_assert_msg(ock_import_run(&import, &err) == OCK_OK, "%s", err.text);
}

/* Whoever trains a strength alone on a fold's rows gets the trial's weights, loss and accuracy. */
START_TEST(a_trial_is_the_job_that_it_stands_for)
{
    static const double strengths[] = {0.1, 0.001, 0};
    struct place place;
    char csv[KIT_PATH_SIZE], train[KIT_PATH_SIZE], validation[KIT_PATH_SIZE], spec[600];
    place_make(&place, "iris.csv", "virginica");
    kit_path(csv, place.directory, "data.csv");
    kit_path(train, place.directory, "train.ockds");
    kit_path(validation, place.directory, "validation.ockds");
    struct kit search = {.train = place.data, .threads = 2};
    kit_run(&search, searches[0]);
    const cJSON *fold_ids = ock_json_get(table_of(&search), "fold_ids");
    ck_assert_int_eq(cJSON_GetArraySize(fold_ids), 150);
    for (int fold = 0; fold < 3; fold++) {
        write_rows(csv, fold_ids, fold, false);
        import_rows(csv, train);
        write_rows(csv, fold_ids, fold, true);
        import_rows(csv, validation);
        for (int t = 0; t < 3; t++) {
            struct kit alone = {.train = train, .validation = validation, .threads = 1};
            (void)snprintf(
                spec, sizeof(spec),
                "{\"data\":{\"target\":\"virginica\",\"validation\":{\"dataset\":\"v\"}},"
                "\"optimizer\":{\"lr\":0.1},\"regularization\":{\"l2\":%g},"
                "\"model\":{\"hidden\":[9],\"dropout\":0.1},"
                "\"train\":{\"epochs\":6,\"batch_size\":20}}",
                strengths[t]);
            kit_run(&alone, spec);
            const cJSON *row = trial(&search, t + 1);
            const cJSON *last = kit_event(&alone, "epoch", -1);
            ck_assert_str_eq(
                cJSON_GetArrayItem(ock_json_get(row, "weights_sha256"), fold)->valuestring,
                kit_text(last, "weights_sha256"));
            ck_assert_double_eq(cJSON_GetArrayItem(ock_json_get(row, "folds"), fold)->valuedouble,
                                kit_number(last, "validation.data_loss"));
            kit_free(&alone);
        }
    }
    kit_free(&search);
    kit_remove(place.directory);
}
END_TEST

/* --- Ends of ranges ---------------------------------------------------------------------------- */

/* Source: SPEC.md: the smallest alpha that leaves no weight is 0.2526748971. */
START_TEST(auto_is_the_least_that_leaves_no_weight)
{
    struct place place;
    place_make(&place, "heart_scale.csv", "label");
    struct kit kit = {.train = place.data, .threads = 1};
    kit_run(&kit,
            "{" HEART "\"train\":{\"epochs\":300,\"batch_size\":\"all\"},"
            "\"tune\":{\"l1\":{\"min\":\"auto\",\"max\":\"auto\",\"count\":5},\"warm\":true}}");
    const cJSON *table = table_of(&kit);
    const cJSON *path = ock_json_get(table, "path");
    ck_assert_double_eq_tol(kit_number(trial(&kit, 1), "l1") / .2526748971, 1, 1e-9);
    ck_assert_double_eq_tol(kit_number(trial(&kit, 5), "l1") / .0002526748971, 1, 1e-9);
    ck_assert_int_eq(cJSON_GetArraySize(path), 5);
    ck_assert_double_eq(kit_number(path->child, "zeros"), 13); /* all but the bias */
    ck_assert_double_eq(kit_number(cJSON_GetArrayItem(path, 4), "zeros"), 0);
    const cJSON *bias = ock_json_get(path->child, "bias")->child;
    ck_assert_double_eq_tol(fabs(bias->valuedouble), log(150.0 / 120),
                            1e-4); /* the classes' share */
    kit_free(&kit);
    kit_remove(place.directory);
}
END_TEST

/* The zeros of the exact optima, weights alone. Source: an accelerated proximal gradient method in
 * double, run until no weight moves by 1e-13; heart_scale logistic, digits / 16 softmax, biases free.
 * alpha = the least that leaves no weight, times 10^(-k/4). */
static const struct {
    const char *table, *target, *spec;
    double most;
    int first, count, zeros[12];
} paths[] = {
    {"heart_scale.csv",
     "label",
     HEART "\"train\":{\"epochs\":300,\"batch_size\":\"all\"},",
     .2526748971,
     1,
     12,
     {11, 9, 6, 5, 3, 2, 1, 1, 0, 0, 0, 0}},
    {"digits.csv.gz",
     "64",
     "\"data\":{\"target\":\"c64\",\"scaling\":{\"divide\":16}},\"model\":{\"hidden\":[]},"
     "\"regularization\":{\"l1_method\":\"proximal\",\"biases\":false},"
     "\"optimizer\":{\"lr\":0.5,\"momentum\":0.9},"
     "\"train\":{\"epochs\":800,\"batch_size\":\"all\"},",
     .06349774821016567,
     1,
     4,
     {619, 593, 572, 541}},
};

START_TEST(the_warm_path_has_the_zeros_of_the_optima)
{
    struct place place;
    char spec[2000], list[600] = "";
    int last = paths[_i].first + paths[_i].count;
    for (int k = paths[_i].first; k < last; k++)
        (void)snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%.17g",
                       list[0] ? "," : "", paths[_i].most * pow(10, -k / 4.0));
    (void)snprintf(spec, sizeof(spec),
                   "{%s\"tune\":{\"l1\":[%s],\"folds\":2,\"warm\":true,\"refit\":false}}",
                   paths[_i].spec, list);
    place_make(&place, paths[_i].table, paths[_i].target);
    struct kit kit = {.train = place.data, .threads = 2};
    kit_run(&kit, spec);
    const cJSON *point = ock_json_get(table_of(&kit), "path")->child;
    for (int i = 0; i < paths[_i].count; i++, point = point->next)
        ck_assert_double_eq_tol(kit_number(point, "zeros"), paths[_i].zeros[i], 1.5);
    kit_free(&kit);
    kit_remove(place.directory);
}
END_TEST

/* --- Ends of searches -------------------------------------------------------------------------- */

START_TEST(a_stop_chooses_among_what_is_done)
{
    struct place place;
    place_make(&place, "iris.csv", "virginica");
    struct kit whole = {.train = place.data, .threads = 1, .best = place.best};
    kit_run(&whole, searches[0]);
    /* The lanes' groups go fold by fold: late in the last one, two of three trials are done. */
    struct kit kit = {.train = place.data,
                      .threads = 1,
                      .best = place.best,
                      .stop_after = whole.polls - 6 * 8 - 1};
    kit_run(&kit, searches[0]);
    const cJSON *end = kit_event(&kit, "end", 0);
    ck_assert_str_eq(kit_text(end, "status"), "succeeded");
    ck_assert_str_eq(kit_text(end, "stop_reason"), "stopped");
    size_t done = count_of(&kit, "trial");
    ck_assert_uint_lt(done, 3);
    ck_assert_int_eq(done > 0, count_of(&kit, "epoch") > 0);
    struct kit early = {.train = place.data, .threads = 1, .best = place.best, .stop_after = 1};
    kit_run(&early, searches[0]);
    end = kit_event(&early, "end", 0);
    ck_assert_str_eq(kit_text(end, "stop_reason"), "stopped");
    ck_assert(cJSON_IsNull(ock_json_get(end, "model")));
    ck_assert(cJSON_IsNull(ock_json_get(ock_json_get(end, "tuning"), "chosen")));
    kit_free(&early);
    kit_free(&kit);
    kit_free(&whole);
    kit_remove(place.directory);
}
END_TEST

/* A rate at which every strength diverges; one bad strength alone is not chosen. */
START_TEST(what_diverges_is_not_chosen)
{
    struct place place;
    place_make(&place, "iris.csv", "virginica");
    struct kit kit = {.train = place.data, .threads = 2};
    kit_run(&kit, "{\"data\":{\"target\":\"150\",\"scaling\":\"none\"},\"loss\":\"mse\",\"model\":{"
                  "\"hidden\":[]},"
                  "\"optimizer\":{\"lr\":1000},\"train\":{\"epochs\":3,\"on_nonfinite\":\"fail\"},"
                  "\"tune\":{\"l1\":[0.1,0],\"folds\":2}}");
    const cJSON *end = kit_event(&kit, "end", 0);
    ck_assert_str_eq(kit_text(end, "status"), "failed");
    ck_assert_str_eq(kit_text(end, "stop_reason"), "nonfinite");
    ck_assert_str_eq(kit_text(trial(&kit, 1), "status"), "failed");
    ck_assert_ptr_nonnull(strstr(kit_text(trial(&kit, 1), "error"), "diverged"));
    ck_assert(cJSON_IsNull(ock_json_get(trial(&kit, 1), "mean_data_loss")));
    kit_free(&kit);
    kit_remove(place.directory);
}
END_TEST

/* 20 rows; in every fifth one the weight is 0, or the feature what is given. */
static void write_table(const char *path, const char *weight, const char *feature)
{
    FILE *out = fopen(path, "w");
    ck_assert_ptr_nonnull(out);
    fputs("a,w,virginica\n", out);
    for (int i = 0; i < 20; i++)
        (void)fprintf(out, "%s,%s,%d\n",
                      i % 5 == 2 ? feature
                      : i % 2    ? "0.5"
                                 : "-1.25",
                      i % 5 == 2 ? weight : "1", 100 + i * 7 % 20);
    fclose(out);
}

/* Such rows cannot judge, which is said before all is trained for nothing. */
START_TEST(a_fold_without_weight_is_told)
{
    static const char *const tunes[] = {"\"folds\":5,\"fold_assignment\":\"modulo\"",
                                        "\"folds\":0,\"rule\":\"min\""};
    static const char *const words[] = {"no row of fold 3 of 5 has a weight above 0",
                                        "none has a weight above 0"};
    struct place place;
    char csv[KIT_PATH_SIZE], validation[KIT_PATH_SIZE], spec[600];
    place_make(&place, "iris.csv", "virginica");
    kit_path(csv, place.directory, "data.csv");
    kit_path(validation, place.directory, "validation.ockds");
    write_table(csv, _i == 0 ? "0" : "1", "0.25");
    import_rows(csv, place.data);
    FILE *out = fopen(csv, "w");
    ck_assert(out && fputs("a,w,virginica\n1,0,100\n2,0,110\n", out) >= 0);
    fclose(out);
    import_rows(csv, validation);
    struct kit kit = {.train = place.data, .validation = _i == 1 ? validation : NULL, .threads = 2};
    (void)snprintf(spec, sizeof(spec),
                   "{\"data\":{\"target\":\"virginica\",\"weights\":\"w\"%s},\"loss\":\"mse\","
                   "\"optimizer\":{\"lr\":0.01},\"train\":{\"epochs\":2},"
                   "\"tune\":{\"l2\":[0.1,0.01],%s}}",
                   _i == 1 ? ",\"validation\":{\"dataset\":\"v\"}" : "", tunes[_i]);
    kit_run(&kit, spec);
    const cJSON *end = kit_event(&kit, "end", 0);
    ck_assert_str_eq(kit_text(end, "stop_reason"), "data");
    ck_assert_ptr_nonnull(strstr(kit_text(ock_json_get(end, "error"), "detail"), words[_i]));
    kit_free(&kit);
    kit_remove(place.directory);
}
END_TEST

/* All weights are finite, and the validation rows' loss is not. */
START_TEST(a_loss_that_is_not_finite_is_a_failure)
{
    struct place place;
    char csv[KIT_PATH_SIZE], validation[KIT_PATH_SIZE];
    place_make(&place, "iris.csv", "virginica");
    kit_path(csv, place.directory, "data.csv");
    kit_path(validation, place.directory, "validation.ockds");
    write_table(csv, "1", "0.25");
    import_rows(csv, place.data);
    write_table(csv, "1", "1e30");
    import_rows(csv, validation);
    struct kit kit = {.train = place.data, .validation = validation, .threads = 2};
    kit_run(&kit, "{\"data\":{\"target\":\"virginica\",\"features\":[\"a\"],\"scaling\":\"none\","
                  "\"validation\":{\"dataset\":\"v\"}},\"loss\":\"mse\",\"model\":{\"hidden\":[]},"
                  "\"optimizer\":{\"lr\":0.01},\"train\":{\"epochs\":2},"
                  "\"tune\":{\"l2\":[0.1,0.01],\"folds\":0,\"rule\":\"min\"}}");
    const cJSON *end = kit_event(&kit, "end", 0);
    ck_assert_str_eq(kit_text(end, "status"), "failed");
    ck_assert_str_eq(kit_text(trial(&kit, 1), "status"), "failed");
    ck_assert_ptr_nonnull(strstr(kit_text(trial(&kit, 1), "error"), "not finite"));
    kit_free(&kit);
    kit_remove(place.directory);
}
END_TEST

/* Strong penalties have settled after a few steps and are ended; weak ones never are. */
START_TEST(halving_ends_strong_penalties_that_have_settled)
{
    struct place place;
    place_make(&place, "iris.csv", "virginica");
    struct kit kit = {.train = place.data, .threads = 2};
    kit_run(&kit, "{" IRIS "\"model\":{\"hidden\":[8]},\"train\":{\"epochs\":16,\"batch_size\":10},"
                  "\"tune\":{\"l2\":[2,1,1e-5,1e-6],\"folds\":2,\"halving\":{\"min_epochs\":4}}}");
    ck_assert_str_eq(kit_text(trial(&kit, 1), "status"), "ended");
    ck_assert_double_eq(kit_number(trial(&kit, 1), "epochs"), 4);
    ck_assert_str_eq(kit_text(trial(&kit, 2), "status"), "ended");
    ck_assert_str_eq(kit_text(trial(&kit, 3), "status"), "succeeded");
    ck_assert_str_eq(kit_text(trial(&kit, 4), "status"), "succeeded");
    ck_assert_double_eq(kit_number(trial(&kit, 4), "epochs"), 16);
    kit_free(&kit);
    kit_remove(place.directory);
}
END_TEST

/* The test part is in no fold, and is measured once. */
START_TEST(the_test_part_is_kept_for_the_end)
{
    struct place place;
    place_make(&place, "iris.csv", "virginica");
    struct kit kit = {.train = place.data, .threads = 1};
    kit_run(&kit, "{\"data\":{\"target\":\"virginica\",\"test\":0.2},\"optimizer\":{\"lr\":0.1},"
                  "\"train\":{\"epochs\":3},\"tune\":{\"l2\":[0.1,0.01],\"folds\":2}}");
    const cJSON *ids = ock_json_get(table_of(&kit), "fold_ids");
    int counts[3] = {0};
    for (const cJSON *id = ids->child; id; id = id->next)
        counts[id->valueint + 1]++;
    ck_assert_int_eq(counts[0], 30);
    ck_assert_int_eq(counts[1], 60);
    ck_assert_int_eq(counts[2], 60);
    ck_assert_double_ge(kit_number(kit_event(&kit, "end", 0), "test.accuracy"), 0.5);
    ck_assert_double_eq(kit_number(kit_event(&kit, "epoch", 0), "samples"), 120);
    kit_free(&kit);
    kit_remove(place.directory);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tuning");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 240);
    tcase_add_test(all, heart_s_table_is_the_contract_s);
    tcase_add_loop_test(all, threads_and_tiles_change_nothing, 0, SEARCHES);
    tcase_add_loop_test(all, interruptions_change_nothing, 0, SEARCHES);
    tcase_add_test(all, a_trial_is_the_job_that_it_stands_for);
    tcase_add_test(all, auto_is_the_least_that_leaves_no_weight);
    tcase_add_loop_test(all, the_warm_path_has_the_zeros_of_the_optima, 0,
                        OCK_TEST_STRIDE > 1 ? 1 : 2); /* digits take a sanitizer a minute */
    tcase_add_test(all, a_stop_chooses_among_what_is_done);
    tcase_add_test(all, what_diverges_is_not_chosen);
    tcase_add_loop_test(all, a_fold_without_weight_is_told, 0, 2);
    tcase_add_test(all, a_loss_that_is_not_finite_is_a_failure);
    tcase_add_test(all, halving_ends_strong_penalties_that_have_settled);
    tcase_add_test(all, the_test_part_is_kept_for_the_end);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
