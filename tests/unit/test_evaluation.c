/* The evaluation's figures: small cases by hand, AUC against all pairs, what is counted in bins
 * against what is sorted, every allocation failing. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"
#include "core/base/random.h"
#include "core/train/class_report.h"
#include "core/train/residual_report.h"
#include "tests/unit/alloc_fail.h"

static double draw(uint64_t i)
{
    return ock_random_uniform(ock_stream_make(5, OCK_RANDOM_PROBE, 0, 0), i);
}

/* --- AUC --------------------------------------------------------------------------------------- */

enum { ROWS = 200 };

struct sample {
    float score[ROWS], s[ROWS];
    int32_t positive[ROWS]; /* 0 or -1 */
};

/* Scores in steps, so that many are equal, or near 0 and 1. */
static void sample_make(struct sample *sample, bool extreme)
{
    for (uint64_t i = 0; i < ROWS; i++) {
        double u = draw(3 * i);
        sample->score[i] =
            (float)(extreme ? (u < 0.5 ? u * 1e-5 : 1 - (1 - u) * 1e-5) : floor(20 * u) / 20);
        sample->positive[i] = draw(3 * i + 1) < 0.2 + 0.6 * u ? 0 : -1;
        sample->s[i] = (float)floor(4 * draw(3 * i + 2)) / 2;
    }
}

static double of_all_pairs(const struct sample *sample)
{
    double pairs = 0, weight = 0;
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t j = 0; j < ROWS; j++) {
            if (sample->positive[i] != 0 || sample->positive[j] == 0)
                continue;
            double s = (double)sample->s[i] * (double)sample->s[j];
            weight += s;
            pairs += sample->score[i] > sample->score[j]   ? s
                     : sample->score[i] < sample->score[j] ? 0
                                                           : s / 2;
        }
    }
    return pairs / weight;
}

/* With room for so many rows: above a million, scores are counted in bins. */
static double auc_of(const struct sample *sample, size_t room, bool *approximate)
{
    struct ock_auc *auc = NULL;
    ck_assert_int_eq(ock_auc_new(&auc, room, 1, NULL), OCK_OK);
    for (size_t i = 0; i < ROWS; i++)
        ock_auc_add(auc, &sample->score[i], sample->positive[i], sample->s[i]);
    double out = ock_auc_of(auc, 0);
    *approximate = ock_auc_is_approximate(auc);
    ock_auc_free(auc);
    return out;
}

START_TEST(auc_is_that_of_all_pairs)
{
    struct sample sample;
    bool approximate = true;
    sample_make(&sample, _i == 1);
    double wanted = of_all_pairs(&sample);
    ck_assert_double_gt(wanted, 0.55);
    ck_assert_double_eq_tol(auc_of(&sample, ROWS, &approximate), wanted, 1e-12);
    ck_assert(!approximate);
    ck_assert_double_eq_tol(auc_of(&sample, OCK_AUC_SCORES_MAX + 1, &approximate), wanted, 2e-3);
    ck_assert(approximate);
}
END_TEST

START_TEST(auc_by_hand)
{
    static const struct {
        float score[4];
        int32_t positive[4];
        double auc; /* NaN: none */
    } cases[] = {
        {{0.1f, 0.4f, 0.35f, 0.8f}, {-1, -1, 0, 0}, 0.75},
        {{0.5f, 0.5f, 0.5f, 0.5f}, {-1, 0, 0, -1}, 0.5},
        {{0, 0.25f, 0.75f, 1}, {-1, -1, 0, 0}, 1},
        {{0, 0.25f, 0.75f, 1}, {0, 0, -1, -1}, 0},
        {{0, 0.25f, 0.75f, 1}, {0, 0, 0, 0}, NAN},
        {{0, 0.25f, 0.75f, 1}, {-1, -1, -1, -1}, NAN},
    };
    for (size_t room = 4; room <= OCK_AUC_SCORES_MAX + 1; room += OCK_AUC_SCORES_MAX - 3) {
        struct ock_auc *auc = NULL;
        ck_assert_int_eq(ock_auc_new(&auc, room, 1, NULL), OCK_OK);
        for (size_t i = 0; i < 4; i++)
            ock_auc_add(auc, &cases[_i].score[i], cases[_i].positive[i], 1.0f);
        double got = ock_auc_of(auc, 0);
        ck_assert(isnan(cases[_i].auc) ? isnan(got) : fabs(got - cases[_i].auc) < 1e-12);
        ock_auc_free(auc);
    }
}
END_TEST

/* More columns than leave bins worth having. */
START_TEST(auc_of_very_many_classes_is_none)
{
    struct ock_auc *auc = NULL;
    float *scores = calloc(OCK_AUC_BINS_MAX, sizeof(*scores));
    ck_assert_int_eq(ock_auc_new(&auc, 1000, OCK_AUC_BINS_MAX / 32, NULL), OCK_OK);
    ock_auc_add(auc, scores, 0, 1.0f);
    ock_auc_add(auc, scores, 1, 1.0f);
    ck_assert(isnan(ock_auc_of(auc, 0)));
    ck_assert_uint_lt(ock_auc_bytes(1000, OCK_AUC_BINS_MAX / 32), 16 * OCK_MIB);
    ock_auc_free(auc);
    ock_auc_free(NULL);
    free(scores);
}
END_TEST

/* --- Classes ----------------------------------------------------------------------------------- */

static cJSON *classes_json(struct ock_class_report *report)
{
    struct ock_buf out;
    ock_buf_init(&out, OCK_DOCUMENT_BYTES_MAX);
    struct ock_jsonw w = ock_jsonw_make(&out);
    ock_jsonw_object(&w, NULL);
    ock_class_report_write(report, &w);
    ock_jsonw_end_object(&w);
    cJSON *json = cJSON_Parse(out.data);
    ck_assert_ptr_nonnull(json);
    ock_buf_deinit(&out);
    return json;
}

static void expect(const cJSON *object, const char *key, double value)
{
    const cJSON *item = ock_json_get(object, key);
    if (isnan(value)) {
        ck_assert_msg(cJSON_IsNull(item), "%s is not null", key);
        return;
    }
    ck_assert_msg(cJSON_IsNumber(item), "no number %s", key);
    ck_assert_msg(fabs(item->valuedouble - value) < 1e-6, "%s is %g, not %g", key,
                  item->valuedouble, value);
}

static void expect_figures(const cJSON *object, double precision, double recall, double f1)
{
    expect(object, "precision", precision);
    expect(object, "recall", recall);
    expect(object, "f1", f1);
}

/* truth a: taken for a, b; truth b: for b twice, once with weight 2; truth c: for a. */
START_TEST(three_classes_by_hand)
{
    static const char *const names[] = {"a", "b", "c"};
    const struct ock_class_row rows[] = {{1, 0, 0, 0.5, (const float[]){0.6f, 0.3f, 0.1f}},
                                         {1, 0, 1, 1.0, (const float[]){0.4f, 0.5f, 0.1f}},
                                         {2, 1, 1, 0.1, (const float[]){0.1f, 0.9f, 0}},
                                         {1, 1, 1, 0.2, (const float[]){0.2f, 0.8f, 0}},
                                         {1, 2, 0, 2.0, (const float[]){0.7f, 0.1f, 0.2f}}};
    struct ock_class_report report;
    ck_assert_int_eq(ock_class_report_init(&report, 5, 3, names, NULL), OCK_OK);
    for (size_t i = 0; i < 5; i++)
        ock_class_report_add(&report, &rows[i]);
    cJSON *json = classes_json(&report);
    expect(json, "rows", 5);
    expect(json, "weight", 6);
    expect(json, "accuracy", 4.0 / 6);
    expect(json, "data_loss", (0.5 + 1 + 0.2 + 0.2 + 2) / 6);
    char *matrix = cJSON_PrintUnformatted(ock_json_get(json, "confusion"));
    ck_assert_str_eq(matrix, "[[1,1,0],[0,3,0],[1,0,0]]");
    const cJSON *classes = ock_json_get(json, "classes");
    const cJSON *a = cJSON_GetArrayItem(classes, 0), *b = cJSON_GetArrayItem(classes, 1),
                *c = cJSON_GetArrayItem(classes, 2);
    expect(a, "support", 2);
    expect(a, "predicted", 2);
    expect_figures(a, 0.5, 0.5, 0.5);
    expect_figures(b, 0.75, 1, 6.0 / 7);
    expect_figures(c, NAN, 0, 0);
    expect(a, "auc", 6.0 / 8); /* 0.6 and 0.4 above the three of b, below c's 0.7 */
    expect(b, "auc", 1);
    expect(c, "auc", 1);
    const cJSON *macro = ock_json_get(json, "macro");
    expect_figures(macro, 1.25 / 3, 0.5, (0.5 + 6.0 / 7) / 3);
    expect(macro, "auc", 2.75 / 3);
    ck_assert_ptr_null(ock_json_get(json, "binary"));
    ck_assert(cJSON_IsFalse(ock_json_get(json, "approximate")));
    free(matrix);
    cJSON_Delete(json);
    ock_class_report_deinit(&report);
}
END_TEST

START_TEST(two_classes_by_hand)
{
    static const char *const names[] = {"no", "yes"};
    const struct ock_class_row rows[] = {{1, 1, 1, 1, (const float[]){0.2f, 0.8f}},
                                         {1, 0, 1, 2, (const float[]){0.4f, 0.6f}},
                                         {1, 0, 0, 3, (const float[]){0.8f, 0.2f}},
                                         {1, 1, 0, 4, (const float[]){0.6f, 0.4f}}};
    struct ock_class_report report;
    ck_assert_int_eq(ock_class_report_init(&report, 4, 2, names, NULL), OCK_OK);
    for (size_t i = 0; i < 4; i++)
        ock_class_report_add(&report, &rows[i]);
    cJSON *json = classes_json(&report);
    const cJSON *binary = ock_json_get(json, "binary");
    expect_figures(binary, 0.5, 0.5, 0.5);
    expect(binary, "auc", 0.75);
    expect(binary, "log_loss", 2.5);
    expect(binary, "brier", (0.04 + 0.36 + 0.04 + 0.36) / 4);
    expect(binary, "threshold", 0.5);
    ck_assert_str_eq(ock_json_get(binary, "positive")->valuestring, "yes");
    expect(cJSON_GetArrayItem(ock_json_get(json, "classes"), 0), "auc", 0.75);
    cJSON_Delete(json);
    ock_class_report_deinit(&report);
}
END_TEST

/* More classes than a matrix is for: mistakes by weight, then by class. */
START_TEST(many_classes_tell_the_most_frequent_mistakes)
{
    enum { CLASSES = OCK_CONFUSION_CLASSES_MAX + 1 };
    char texts[CLASSES][16];
    const char *names[CLASSES];
    float p[CLASSES] = {0};
    struct ock_class_report report;
    for (int i = 0; i < CLASSES; i++) {
        (void)snprintf(texts[i], sizeof(texts[i]), "k%d", i);
        names[i] = texts[i];
    }
    ck_assert_int_eq(ock_class_report_init(&report, 500, CLASSES, names, NULL), OCK_OK);
    static const uint32_t pairs[][2] = {{7, 3}, {200, 256}, {7, 3}, {1, 2}, {5, 5}, {256, 200}};
    for (size_t i = 0; i < 6; i++)
        ock_class_report_add(
            &report, &(struct ock_class_row){i == 5 ? 3 : 1, pairs[i][0], pairs[i][1], 1, p});
    cJSON *json = classes_json(&report);
    ck_assert_ptr_null(ock_json_get(json, "confusion"));
    char *mistakes = cJSON_PrintUnformatted(ock_json_get(json, "mistakes"));
    ck_assert_str_eq(mistakes, "[{\"true\":\"k256\",\"predicted\":\"k200\",\"weight\":3},"
                               "{\"true\":\"k7\",\"predicted\":\"k3\",\"weight\":2},"
                               "{\"true\":\"k1\",\"predicted\":\"k2\",\"weight\":1},"
                               "{\"true\":\"k200\",\"predicted\":\"k256\",\"weight\":1}]");
    free(mistakes);
    cJSON_Delete(json);
    ock_class_report_deinit(&report);
}
END_TEST

/* More kinds of mistakes than there is room for: the rare ones go, the frequent one stays. */
START_TEST(frequent_mistakes_outlive_the_rare)
{
    enum { CLASSES = 600 };
    struct ock_confusion confusion;
    ck_assert_int_eq(ock_confusion_init(&confusion, CLASSES, NULL), OCK_OK);
    for (int i = 0; i < 5; i++)
        ock_confusion_add(&confusion, 599, 0, 1);
    for (uint32_t i = 0; i < CLASSES; i++) {
        for (uint32_t k = 0; k < CLASSES; k++)
            ock_confusion_add(&confusion, i, k, 1);
    }
    ck_assert(confusion.approximate);
    ck_assert_uint_eq(ock_confusion_top(&confusion), OCK_CONFUSION_TOP);
    ck_assert_uint_eq(confusion.mistakes[0].label, 599);
    ck_assert_uint_eq(confusion.mistakes[0].predicted, 0);
    ck_assert_double_eq(confusion.mistakes[0].weight, 6);
    ock_confusion_deinit(&confusion);
}
END_TEST

/* --- Numbers ----------------------------------------------------------------------------------- */

static cJSON *numbers_json(struct ock_residual_report *report)
{
    struct ock_buf out;
    ock_buf_init(&out, OCK_DOCUMENT_BYTES_MAX);
    struct ock_jsonw w = ock_jsonw_make(&out);
    ock_jsonw_object(&w, NULL);
    ock_residual_report_write(report, &w);
    ock_jsonw_end_object(&w);
    cJSON *json = cJSON_Parse(out.data);
    ck_assert_ptr_nonnull(json);
    ock_buf_deinit(&out);
    return json;
}

/* Residuals 3, -1, 0, 2 of the truths 1, 2, 3, 4; a fifth row without weight is nowhere. */
START_TEST(residuals_by_hand)
{
    static const struct ock_residual_row rows[] = {
        {1, 1, 4, 70}, {1, 2, 1, 71}, {1, 3, 3, 72}, {1, 4, 6, 73}, {0, 5, 1e9, 74}};
    struct ock_residual_report report;
    ck_assert_int_eq(ock_residual_report_init(&report, 5, NULL), OCK_OK);
    for (size_t i = 0; i < 5; i++)
        ock_residual_report_add(&report, &rows[i]);
    cJSON *json = numbers_json(&report);
    expect(json, "weight", 4);
    expect(json, "mse", 3.5);
    expect(json, "rmse", sqrt(3.5));
    expect(json, "mae", 1.5);
    expect(json, "r2", 1 - 14.0 / 5);
    const cJSON *residuals = ock_json_get(json, "residuals");
    const cJSON *quantiles = ock_json_get(residuals, "quantiles");
    expect(quantiles, "0", -1);
    expect(quantiles, "0.25", -1);
    expect(quantiles, "0.5", 0);
    expect(quantiles, "0.75", 2);
    expect(quantiles, "0.95", 3);
    expect(quantiles, "1", 3);
    const cJSON *counts = ock_json_get(ock_json_get(residuals, "histogram"), "counts");
    ck_assert_int_eq(cJSON_GetArraySize(counts), 32);
    for (int i = 0; i < 32; i++) /* an eighth wide */
        ck_assert_double_eq(cJSON_GetArrayItem(counts, i)->valuedouble,
                            i == 0 || i == 8 || i == 24 || i == 31);
    const cJSON *worst = ock_json_get(residuals, "worst");
    ck_assert_int_eq(cJSON_GetArraySize(worst), 4);
    expect(cJSON_GetArrayItem(worst, 0), "row", 70);
    expect(cJSON_GetArrayItem(worst, 0), "residual", 3);
    expect(cJSON_GetArrayItem(worst, 1), "row", 73);
    expect(cJSON_GetArrayItem(worst, 2), "row", 71);
    expect(cJSON_GetArrayItem(worst, 3), "row", 72);
    ck_assert(cJSON_IsFalse(ock_json_get(json, "approximate")));
    cJSON_Delete(json);
    ock_residual_report_deinit(&report);
}
END_TEST

/* Ten are kept: the largest, and of equal ones the first. */
START_TEST(worst_rows_are_the_first_of_equals)
{
    struct ock_residual_report report;
    ck_assert_int_eq(ock_residual_report_init(&report, 40, NULL), OCK_OK);
    for (uint32_t i = 0; i < 40; i++)
        ock_residual_report_add(&report, &(struct ock_residual_row){1, 0,
                                                                    i == 30 ? -9
                                                                    : i % 2 ? 5
                                                                            : 1,
                                                                    i});
    ck_assert_uint_eq(report.worst_count, OCK_RESIDUALS_WORST);
    ck_assert_uint_eq(report.worst[0].number, 30);
    for (uint32_t i = 1; i < OCK_RESIDUALS_WORST; i++)
        ck_assert_uint_eq(report.worst[i].number, 2 * i - 1);
    ock_residual_report_deinit(&report);
}
END_TEST

/* Both ways on the same rows: quantiles differ by a 128th at most. */
START_TEST(residuals_in_bins_are_near_the_sorted)
{
    static const char *const names[] = {"0.01", "0.05", "0.25", "0.5", "0.75", "0.95", "0.99"};
    cJSON *json[2];
    for (size_t way = 0; way < 2; way++) {
        struct ock_residual_report report;
        size_t room = way == 0 ? 1000 : OCK_RESIDUALS_MAX + 1;
        ck_assert_int_eq(ock_residual_report_init(&report, room, NULL), OCK_OK);
        for (uint32_t i = 0; i < 1000; i++)
            ock_residual_report_add(
                &report, &(struct ock_residual_row){1 + i % 3, i, i + pow(draw(i) - 0.4, 3), i});
        json[way] = numbers_json(&report);
        ock_residual_report_deinit(&report);
    }
    ck_assert(cJSON_IsTrue(ock_json_get(json[1], "approximate")));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const cJSON *exact = ock_json_get(ock_json_get(json[0], "residuals"), "quantiles");
        const cJSON *binned = ock_json_get(ock_json_get(json[1], "residuals"), "quantiles");
        double a = ock_json_get(exact, names[i])->valuedouble;
        double b = ock_json_get(binned, names[i])->valuedouble;
        ck_assert_msg(fabs(a - b) <= fabs(a) / 100, "%s: %g, %g", names[i], a, b);
    }
    cJSON_Delete(json[0]);
    cJSON_Delete(json[1]);
}
END_TEST

/* --- Memory ------------------------------------------------------------------------------------ */

static enum ock_status make_classes(size_t classes)
{
    static const char *const names[2] = {"a", "b"};
    struct ock_class_report report = {0};
    enum ock_status status = ock_class_report_init(&report, 5, classes, names, NULL);
    bool untouched = report.support == NULL; /* no check here: check allocates too */
    ock_class_report_deinit(&report);
    return status == OCK_NOMEM && !untouched ? OCK_CORRUPT : status;
}

static enum ock_status make_numbers(size_t rows)
{
    struct ock_residual_report report = {0};
    enum ock_status status = ock_residual_report_init(&report, rows, NULL);
    ock_residual_report_deinit(&report);
    return status;
}

START_TEST(every_allocation_failing)
{
    static const struct {
        enum ock_status (*make)(size_t);
        size_t size;
    } cases[] = {{make_classes, 2},
                 {make_classes, OCK_CONFUSION_CLASSES_MAX + 1},
                 {make_classes, 300000},
                 {make_numbers, 5},
                 {make_numbers, OCK_RESIDUALS_MAX + 1}};
    for (long n = 0;; n++) {
        alloc_fail_after(n);
        enum ock_status status = cases[_i].make(cases[_i].size);
        bool failed = alloc_fail_stop();
        ck_assert_int_eq(status, failed ? OCK_NOMEM : OCK_OK);
        if (!failed)
            break;
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("evaluation");
    TCase *tcase = tcase_create("evaluation");
    tcase_add_loop_test(tcase, auc_is_that_of_all_pairs, 0, 2);
    tcase_add_loop_test(tcase, auc_by_hand, 0, 6);
    tcase_add_test(tcase, auc_of_very_many_classes_is_none);
    tcase_add_test(tcase, three_classes_by_hand);
    tcase_add_test(tcase, two_classes_by_hand);
    tcase_add_test(tcase, many_classes_tell_the_most_frequent_mistakes);
    tcase_add_test(tcase, frequent_mistakes_outlive_the_rare);
    tcase_add_test(tcase, residuals_by_hand);
    tcase_add_test(tcase, worst_rows_are_the_first_of_equals);
    tcase_add_test(tcase, residuals_in_bins_are_near_the_sorted);
    if (ALLOC_CAN_FAIL)
        tcase_add_loop_test(tcase, every_allocation_failing, 0, 5);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
