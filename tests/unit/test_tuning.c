/* Goal: a tuning table becomes a value or a sentence that names the fault, and a CSV to the byte.
 * Method: tables by hand; faults as a table; every allocation failing in turn. */
#include <math.h>

#include "alloc_fail.h"
#include "tuning_kit.h"

static const char whole[] =
    "{\"job\":\"job_1\",\"status\":\"succeeded\",\"rule\":\"1se\",\"folds\":2,"
    "\"fold_assignment\":\"stratified\",\"rows\":9,\"trials_total\":3,"
    "\"chosen\":{\"trial\":1,\"l1\":0,\"l2\":0.1},\"min\":{\"trial\":3,\"l1\":0,\"l2\":0},"
    "\"one_se\":{\"trial\":1,\"l1\":0,\"l2\":0.1},\"trials\":["
    "{\"trial\":1,\"l1\":0,\"l2\":0.1,\"mean_data_loss\":0.5,\"standard_error\":0.125,"
    "\"mean_accuracy\":0.75,\"train_data_loss\":0.25,\"zeros\":1.5,\"count\":9,\"l2_norm\":3,"
    "\"folds\":[0.25,0.75],\"weights_sha256\":[\"a\",\"b\"],\"status\":\"succeeded\"},"
    "{\"trial\":2,\"l1\":0,\"l2\":0.01,\"mean_data_loss\":null,\"standard_error\":null,"
    "\"mean_accuracy\":null,\"train_data_loss\":null,\"zeros\":null,\"count\":null,"
    "\"l2_norm\":null,\"folds\":[],\"status\":\"failed\",\"error\":\"nan\"},"
    "{\"trial\":3,\"l1\":0,\"l2\":0,\"mean_data_loss\":0.375,\"standard_error\":null,"
    "\"mean_accuracy\":1,\"train_data_loss\":1e-7,\"zeros\":0,\"count\":9,\"l2_norm\":4.5,"
    "\"folds\":[0.375,null],\"status\":\"ended\"}],"
    "\"path\":[{\"l1\":0,\"l2\":0.1,\"weights\":[1]}],\"fold_ids\":[0,1,-1]}";

START_TEST(a_table_becomes_a_value)
{
    struct ock_tuning t = kit_tuning(whole);
    ck_assert_str_eq(t.status, "succeeded");
    ck_assert_str_eq(t.rule, "1se");
    ck_assert_uint_eq(t.folds, 2);
    ck_assert_uint_eq(t.trials_total, 3);
    ck_assert_uint_eq(t.trial_count, 3);
    ck_assert_uint_eq(t.chosen, 0);
    ck_assert_uint_eq(t.min, 2);
    ck_assert_uint_eq(t.one_se, 0);
    ck_assert(!t.numbers && t.tuned[OCK_STRENGTH_L1] && t.tuned[OCK_STRENGTH_L2]);
    ck_assert(!t.tuned[OCK_STRENGTH_WEIGHT_DECAY] && !t.tuned[OCK_STRENGTH_DROPOUT]);
    const struct ock_tuning_trial *first = &t.trials[0], *last = &t.trials[2];
    ck_assert_double_eq(first->strengths[OCK_STRENGTH_L2], 0.1);
    ck_assert_double_eq(first->standard_error, 0.125);
    ck_assert_double_eq(first->zeros, 1.5);
    ck_assert_double_eq(first->folds[1], 0.75);
    ck_assert_int_eq(t.trials[1].status, OCK_TRIAL_FAILED);
    ck_assert(isnan(t.trials[1].mean_data_loss));
    ck_assert_int_eq(last->status, OCK_TRIAL_ENDED);
    ck_assert(isnan(last->standard_error) && isnan(last->folds[1]));
    ck_assert_double_eq(last->folds[0], 0.375);
    ock_tuning_deinit(&t);
}
END_TEST

#define ROW   "\"l1\":0,\"l2\":1"
#define GOOD  "{" ROW ",\"mean_data_loss\":1,\"status\":\"succeeded\"}"
#define DECAY "{" ROW ",\"weight_decay\":1,\"mean_data_loss\":1,\"status\":\"succeeded\"}"

static const struct {
    const char *json, *says;
} faults[] = {
    {"", "line 1"},
    {"{\"trials\":[}", "line 1"},
    {"[]", "it has no trials"},
    {"{}", "it has no trials"},
    {"{\"trials\":{}}", "it has no trials"},
    {"{\"trials\":[],\"trials\":[]}", "/trials"},
    {"{\"trials\":[1e999]}", "/trials/0"},
    {"{\"trials\":[],\"folds\":-1}", "folds is no count"},
    {"{\"trials\":[],\"folds\":1.5}", "folds is no count"},
    {"{\"trials\":[],\"trials_total\":\"9\"}", "trials_total is no count"},
    {"{\"trials\":[{\"trial\":-1}]}", "trial is no count"},
    {"{\"trials\":[1]}", "trial 1 is no object"},
    {"{\"trials\":[" GOOD ",null]}", "trial 2 is no object"},
    {"{\"trials\":[{" ROW ",\"mean_data_loss\":1}]}", "trial 1: status is not"},
    {"{\"trials\":[{" ROW ",\"mean_data_loss\":1,\"status\":\"done\"}]}", "trial 1: status is not"},
    {"{\"trials\":[{" ROW ",\"mean_data_loss\":\"1\",\"status\":\"succeeded\"}]}",
     "trial 1: mean_data_loss is no number"},
    {"{\"trials\":[" GOOD ",{" ROW ",\"status\":\"succeeded\"}]}",
     "trial 2: mean_data_loss is missing"},
    {"{\"trials\":[{" ROW ",\"status\":\"ended\"}]}", "trial 1: mean_data_loss is missing"},
    {"{\"trials\":[{\"l1\":0,\"status\":\"failed\"}]}", "trial 1: l1 or l2 is missing"},
    {"{\"trials\":[{" ROW ",\"folds\":{\"a\":1},\"status\":\"failed\"}]}",
     "trial 1: folds is no list"},
    {"{\"trials\":[{" ROW ",\"folds\":7,\"status\":\"failed\"}]}", "trial 1: folds is no list"},
    {"{\"trials\":[{" ROW ",\"folds\":[\"x\"],\"status\":\"failed\"}]}",
     "trial 1: folds has no numbers"},
    {"{\"trials\":[" DECAY "," GOOD "]}", "trial 2: weight_decay is missing"},
};

START_TEST(faults_are_named)
{
    struct ock_tuning t;
    struct ock_err err = {0};
    memset(&t, 0x5a, sizeof(t));
    struct ock_tuning before = t;
    enum ock_status status = ock_tuning_parse(&t, faults[_i].json, strlen(faults[_i].json), &err);
    ck_assert_int_eq(status, OCK_INVALID);
    ck_assert_msg(strstr(err.text, faults[_i].says) != NULL, "%s: %s", faults[_i].json, err.text);
    ck_assert_mem_eq(&t, &before, sizeof(t));
}
END_TEST

/* A search that was stopped: trials are found by their numbers, not by their places. */
START_TEST(choices_by_number)
{
    struct ock_tuning t =
        kit_tuning("{\"trials\":[{\"trial\":2," ROW ",\"status\":\"failed\"},{\"trial\":7," ROW
                   ",\"status\":\"failed\"}],\"chosen\":{\"trial\":7},\"min\":{\"trial\":1},"
                   "\"one_se\":{\"trial\":2}}");
    ck_assert_uint_eq(t.chosen, 1);
    ck_assert_uint_eq(t.min, 2);
    ck_assert_uint_eq(t.one_se, 0);
    ock_tuning_deinit(&t);
}
END_TEST

/* Choices that are null, or name no trial there is, are none. */
START_TEST(unknown_choices_are_none)
{
    struct ock_tuning t = kit_tuning("{\"trials\":[" GOOD "],\"chosen\":null,\"min\":{\"trial\":2},"
                                     "\"one_se\":{\"trial\":0.5}}");
    ck_assert_uint_eq(t.chosen, 1);
    ck_assert_uint_eq(t.min, 1);
    ck_assert_uint_eq(t.one_se, 1);
    ock_tuning_deinit(&t);
    t = kit_tuning("{\"trials\":[]}");
    ck_assert_uint_eq(t.trial_count, 0);
    ck_assert_uint_eq(t.chosen, 0);
    ock_tuning_deinit(&t);
}
END_TEST

static const struct {
    const char *json, *csv;
} csvs[] = {
    {whole,
     "l1,l2,mean_data_loss,standard_error,mean_accuracy,train_data_loss,zeros,l2_norm,status,"
     "fold_1,fold_2\r\n"
     "0,0.1,0.5,0.125,0.75,0.25,1.5,3,succeeded,0.25,0.75\r\n"
     "0,0.01,,,,,,,failed,,\r\n"
     "0,0,0.375,,1,1e-07,0,4.5,ended,0.375,\r\n"},
    {"{\"trials\":[]}",
     "l1,l2,mean_data_loss,standard_error,mean_accuracy,train_data_loss,zeros,l2_norm,status\r\n"},
    {"{\"folds\":3,\"trials\":[]}",
     "l1,l2,mean_data_loss,standard_error,mean_accuracy,train_data_loss,zeros,l2_norm,status,"
     "fold_1,fold_2,fold_3\r\n"},
    {"{\"trials\":[{" ROW ",\"weight_decay\":0.5,\"dropout\":0.1,\"mean_data_loss\":2,"
     "\"mean_rmse\":8,\"folds\":[2],\"status\":\"succeeded\"}]}",
     "l1,l2,weight_decay,dropout,mean_data_loss,standard_error,mean_rmse,train_data_loss,zeros,"
     "l2_norm,status,fold_1\r\n0,1,0.5,0.1,2,,8,,,,succeeded,2\r\n"},
    {"{\"trials\":[{" ROW ",\"dropout\":0,\"status\":\"failed\"}]}",
     "l1,l2,dropout,mean_data_loss,standard_error,mean_accuracy,train_data_loss,zeros,l2_norm,"
     "status\r\n0,1,0,,,,,,,failed\r\n"},
};

START_TEST(csv_to_the_byte)
{
    char *csv = kit_csv(csvs[_i].json);
    ck_assert_str_eq(csv, csvs[_i].csv);
    free(csv);
}
END_TEST

START_TEST(too_many_trials)
{
    struct ock_tuning t = {0};
    struct ock_err err = {0};
    struct ock_buf json;
    ock_buf_init(&json, 16 * OCK_MIB);
    ock_buf_puts(&json, "{\"trials\":[0");
    for (int i = 0; i < OCK_TUNING_TRIALS_MAX; i++)
        ock_buf_puts(&json, ",0");
    ock_buf_puts(&json, "]}");
    ck_assert_int_eq(ock_tuning_parse(&t, json.data, json.size, &err), OCK_LIMIT);
    ck_assert_ptr_nonnull(strstr(err.text, "65536"));
    ock_buf_deinit(&json);
}
END_TEST

/* Parsed and drawn with the n-th allocation failing: NOMEM, and nothing is left behind. */
START_TEST(allocations_that_fail)
{
    if (!ALLOC_CAN_FAIL)
        return;
    for (long n = 0;; n++) {
        struct ock_tuning t = {0};
        struct ock_buf out;
        struct ock_err err = {0};
        ock_buf_init(&out, OCK_MIB);
        alloc_fail_after(n);
        enum ock_status status = ock_tuning_parse(&t, whole, strlen(whole), &err);
        if (status == OCK_OK)
            status = ock_tuning_svg(&t, "name", &out, &err);
        bool failed = alloc_fail_stop();
        ock_tuning_deinit(&t);
        ock_buf_deinit(&out);
        ck_assert_int_eq(status, failed ? OCK_NOMEM : OCK_OK);
        if (!failed)
            break;
        ck_assert_int_lt(n, 10000);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tuning");
    TCase *t = tcase_create("tables");
    tcase_add_test(t, a_table_becomes_a_value);
    tcase_add_loop_test(t, faults_are_named, 0, sizeof(faults) / sizeof(faults[0]));
    tcase_add_test(t, choices_by_number);
    tcase_add_test(t, unknown_choices_are_none);
    tcase_add_loop_test(t, csv_to_the_byte, 0, sizeof(csvs) / sizeof(csvs[0]));
    tcase_add_test(t, too_many_trials);
    tcase_add_test(t, allocations_that_fail);
    suite_add_tcase(suite, t);
    return kit_run(suite);
}
