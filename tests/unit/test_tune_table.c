/* Goal: the table of a search: its grid, its means and standard errors, and the choices that follow,
 * worked by hand. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"
#include "core/train/tune_plan.h"
#include "core/train/tune_private.h"

static const double nothing_fixed[OCK_AXES];

/* Three strengths of l2 in a list that is not in order, `folds` folds. */
static void make(struct ock_tune_table *table, uint32_t folds, enum ock_tune_rule rule)
{
    static double list[] = {0.01, 1, 0.1};
    struct ock_tune_spec spec = {.on = true, .folds = folds, .rule = rule};
    spec.axes[OCK_AXIS_L2] = (struct ock_axis_spec){.given = true, .count = 3, .list = list};
    ck_assert_int_eq(ock_tune_table_init(table, &spec, nothing_fixed, NULL), OCK_OK);
    ck_assert_uint_eq(table->count, 3);
}

static void fill(struct ock_tune_table *table, size_t trial, const double *losses)
{
    for (size_t f = 0; f < table->fold_count; f++)
        table->trials[trial].folds[f] =
            (struct ock_fold){.status = OCK_FOLD_DONE, .data_loss = losses[f]};
    ock_trial_settle(table, trial);
}

START_TEST(the_grid_goes_from_strong_to_weak)
{
    static double l1[] = {0, 2};
    struct ock_tune_spec spec = {.on = true, .folds = 5};
    struct ock_tune_table table;
    const double fixed[OCK_AXES] = {[OCK_AXIS_WEIGHT_DECAY] = 7};
    static const double want[6][2] = {{2, 100}, {2, 10}, {2, 1}, {0, 100}, {0, 10}, {0, 1}};
    spec.axes[OCK_AXIS_L1] = (struct ock_axis_spec){.given = true, .count = 2, .list = l1};
    spec.axes[OCK_AXIS_L2] =
        (struct ock_axis_spec){.given = true, .count = 3, .min = 1, .max = 100};
    ck_assert_int_eq(ock_tune_table_init(&table, &spec, fixed, NULL), OCK_OK);
    ck_assert_uint_eq(table.count, 6);
    for (size_t t = 0; t < 6; t++) {
        ck_assert_double_eq(table.trials[t].values[OCK_AXIS_L1], want[t][0]);
        ck_assert_double_eq(table.trials[t].values[OCK_AXIS_L2], want[t][1]);
        ck_assert_double_eq(table.trials[t].values[OCK_AXIS_WEIGHT_DECAY], 7);
    }
    ock_tune_table_deinit(&table);
}
END_TEST

START_TEST(ranges_have_exact_ends)
{
    double values[4];
    struct ock_axis_spec axis = {.given = true, .count = 4, .min = 1e-7, .max = 0.3};
    ock_axis_values(&axis, values);
    ck_assert_double_eq(values[0], 0.3);
    ck_assert_double_eq(values[3], 1e-7);
    ck_assert_double_eq_tol(values[0] / values[1], values[2] / values[3], 1e-6);
    axis = (struct ock_axis_spec){
        .given = true, .count = 4, .min = 0, .max = 0.6, .scale = OCK_AXIS_LINEAR};
    ock_axis_values(&axis, values);
    ck_assert_double_eq(values[1], 0.4);
    ck_assert_double_eq(values[2], 0.2);
    ck_assert_double_eq(values[3], 0);
}
END_TEST

START_TEST(means_and_errors_are_those_worked_by_hand)
{
    struct ock_tune_table table;
    make(&table, 4, OCK_RULE_MIN);
    fill(&table, 0, (const double[]){1, 2, 3, 6});
    /* mean 3; squares 4 + 1 + 0 + 9 = 14; / 3 / 4 */
    ck_assert_double_eq(table.trials[0].mean_data_loss, 3);
    ck_assert_double_eq_tol(table.trials[0].standard_error, sqrt(14.0 / 12), 1e-15);
    ock_tune_table_deinit(&table);
}
END_TEST

START_TEST(one_standard_error_prefers_the_strong)
{
    struct ock_tune_table table;
    make(&table, 2, OCK_RULE_1SE);
    fill(&table, 0, (const double[]){5, 5});
    fill(&table, 1, (const double[]){3.4, 3.5});
    fill(&table, 2, (const double[]){2, 4}); /* 3 ± 1 */
    struct ock_table_best best = ock_tune_table_best(&table);
    ck_assert_uint_eq(best.min, 2);
    ck_assert_uint_eq(best.one_se, 1);
    ck_assert_uint_eq(best.chosen, 1);
    fill(&table, 0, (const double[]){4, 4}); /* on the edge */
    ck_assert_uint_eq(ock_tune_table_best(&table).one_se, 0);
    table.spec.rule = OCK_RULE_MIN;
    ck_assert_uint_eq(ock_tune_table_best(&table).chosen, 2);
    ock_tune_table_deinit(&table);
}
END_TEST

START_TEST(a_tie_goes_to_the_stronger)
{
    struct ock_tune_table table;
    make(&table, 2, OCK_RULE_MIN);
    for (size_t t = 0; t < 3; t++)
        fill(&table, t, (const double[]){t == 0 ? 9 : 1, 1});
    ck_assert_uint_eq(ock_tune_table_best(&table).min, 1);
    ock_tune_table_deinit(&table);
}
END_TEST

START_TEST(what_failed_or_was_ended_is_not_chosen)
{
    struct ock_tune_table table;
    make(&table, 2, OCK_RULE_1SE);
    for (size_t t = 0; t < 3; t++)
        fill(&table, t, (const double[]){1, 1});
    table.trials[0].folds[1].status = OCK_FOLD_FAILED;
    table.trials[1].folds[0].status = OCK_FOLD_ENDED;
    struct ock_table_best best = ock_tune_table_best(&table);
    ck_assert_uint_eq(best.min, 2);
    ck_assert_uint_eq(best.chosen, 2);
    table.trials[2].folds[0].data_loss = NAN;
    best = ock_tune_table_best(&table);
    ck_assert_uint_eq(best.chosen, SIZE_MAX);
    ck_assert_uint_eq(best.min, SIZE_MAX);
    ock_tune_table_deinit(&table);
}
END_TEST

START_TEST(one_split_has_no_standard_error)
{
    struct ock_tune_table table;
    make(&table, 0, OCK_RULE_MIN);
    ck_assert_uint_eq(table.fold_count, 1);
    for (size_t t = 0; t < 3; t++)
        fill(&table, t, (const double[]){3 - (double)t});
    struct ock_table_best best = ock_tune_table_best(&table);
    ck_assert(isnan(table.trials[0].standard_error));
    ck_assert_uint_eq(best.chosen, 2);
    ck_assert_uint_eq(best.one_se, SIZE_MAX);
    ock_tune_table_deinit(&table);
}
END_TEST

START_TEST(the_refit_trains_for_the_median)
{
    static const struct {
        uint32_t folds, epochs[4], median;
    } cases[] = {{3, {9, 2, 4}, 4}, {4, {1, 2, 5, 9}, 4}, {4, {1, 2, 4, 9}, 3}, {2, {0, 0}, 1}};
    struct ock_tune_table table;
    make(&table, cases[_i].folds, OCK_RULE_MIN);
    for (size_t f = 0; f < cases[_i].folds; f++)
        table.trials[1].folds[f].best_epoch = cases[_i].epochs[f];
    ck_assert_uint_eq(ock_tune_table_epochs(&table, 1), cases[_i].median);
    ock_tune_table_deinit(&table);
}
END_TEST

static const char hash[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/* A large table leaves off what its events have, and keeps what was chosen. */
START_TEST(a_large_document_has_no_hashes)
{
    static const struct {
        size_t bytes_max;
        bool hashes, written;
    } cases[] = {{20000, true, true}, {4000, false, true}, {500, false, false}};
    static const double losses[20] = {0.25, 0.5};
    struct ock_spec *spec = calloc(1, sizeof(*spec));
    struct ock_search *search = calloc(1, sizeof(*search));
    ck_assert(spec && search);
    struct ock_tune_order order = {.spec = spec};
    search->order = &order;
    make(&search->table, 20, OCK_RULE_MIN);
    search->table.rows = 2000000; /* too many for their folds to be told */
    spec->tune = search->table.spec;
    for (size_t t = 0; t < 3; t++) {
        fill(&search->table, t, losses);
        search->table.trials[t].told = true;
        for (size_t f = 0; f < 20; f++)
            memcpy(search->table.trials[t].folds[f].weights_sha256, hash, sizeof(hash));
    }
    struct ock_table_best best = ock_tune_table_best(&search->table);
    struct ock_buf body;
    ck_assert_int_eq(ock_search_write_document(search, &best, cases[_i].bytes_max, &body, NULL),
                     OCK_OK);
    ck_assert_int_eq(body.failed == OCK_OK, cases[_i].written);
    cJSON *json = body.failed == OCK_OK ? cJSON_Parse(body.data) : NULL;
    ck_assert_int_eq(json != NULL, cases[_i].written);
    const cJSON *row = cJSON_GetArrayItem(ock_json_get(json, "trials"), 2);
    ck_assert_int_eq(ock_json_get(row, "weights_sha256") != NULL, cases[_i].hashes);
    ck_assert_int_eq(cJSON_IsObject(ock_json_get(json, "chosen")), cases[_i].written);
    cJSON_Delete(json);
    ock_buf_deinit(&body);
    ock_tune_table_deinit(&search->table);
    free(search);
    free(spec);
}
END_TEST

/* The plan of a linear model's search over `trials` strengths of l1 on 50,000 rows of 8 features. */
static size_t planned(int trials, int folds, bool warm)
{
    char text[500];
    struct ock_faults *faults = calloc(1, sizeof(*faults));
    struct ock_plan *plan = calloc(1, sizeof(*plan));
    struct ock_spec *spec = NULL;
    const struct ock_plan_data data = {
        .rows = {.train_rows = 40000, .validation_rows = 10000, .features = 8}, .outputs = 1};
    (void)snprintf(text, sizeof(text),
                   "{\"data\":{\"dataset\":\"d\"},\"loss\":\"binary_cross_entropy\","
                   "\"model\":{\"layers\":[{\"type\":\"linear\",\"units\":1}]},"
                   "\"train\":{\"threads\":1,\"evaluate_train\":10},\"tune\":{\"l1\":"
                   "{\"min\":0.001,\"max\":1,\"count\":%d},\"folds\":%d,\"warm\":%s}}",
                   trials, folds, warm ? "true" : "false");
    cJSON *json = cJSON_Parse(text);
    ck_assert(faults && plan && json);
    ck_assert_int_eq(ock_spec_parse(&spec, json, true, faults, NULL), OCK_OK);
    ck_assert_int_eq(ock_plan_make(plan, spec, &data, NULL), OCK_OK);
    size_t bytes = plan->memory_bytes;
    ock_spec_free(spec);
    cJSON_Delete(json);
    free(plan);
    free(faults);
    return bytes;
}

/* What a search keeps beside its trainers: all rows once more for the path, and its figures. */
START_TEST(a_plan_counts_cuts_and_figures)
{
    size_t rows = 50000 * (16 + 8 * sizeof(float));
    ck_assert_uint_ge(planned(4, 2, true), 3 * rows);
    ck_assert_uint_ge(planned(1000, 2, false), 2 * rows + 2000 * sizeof(struct ock_fold));
    ck_assert_uint_ge(planned(1000, 100, false), 100 * rows + 100000 * 3 * sizeof(struct ock_fold));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tuning table");
    TCase *all = tcase_create("all");
    tcase_add_test(all, the_grid_goes_from_strong_to_weak);
    tcase_add_test(all, ranges_have_exact_ends);
    tcase_add_test(all, means_and_errors_are_those_worked_by_hand);
    tcase_add_test(all, one_standard_error_prefers_the_strong);
    tcase_add_test(all, a_tie_goes_to_the_stronger);
    tcase_add_test(all, what_failed_or_was_ended_is_not_chosen);
    tcase_add_test(all, one_split_has_no_standard_error);
    tcase_add_loop_test(all, the_refit_trains_for_the_median, 0, 4);
    tcase_add_loop_test(all, a_large_document_has_no_hashes, 0, 3);
    tcase_add_test(all, a_plan_counts_cuts_and_figures);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
