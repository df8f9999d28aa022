/* Goal: a model file says of rows what validation said of them, to the last bit.
 *
 * Method: small jobs with a validation dataset; the last model predicts that dataset's CSV, whole and
 * row by row, and accuracy and squared errors, added in the same order, are those of the last epoch
 * event. Probabilities by hand. */
#include <math.h>

#include "core/model/loss.h"
#include "tests/unit/predict_kit.h"

/* Each row alone gets the text that it gets among the others. */
static void check_alone(const struct place *place, const struct ock_buf *all, enum kind kind)
{
    struct ock_buf one;
    struct ock_faults faults = {0};
    struct ock_err err = {0};
    char wanted[512], got[512];
    ock_buf_init(&one, TEXT_BYTES_MAX);
    for (int i = 0; i < ROWS; i += 29) {
        FILE *file = fopen(place->rows, "w");
        ck_assert_ptr_nonnull(file);
        (void)fputs(header_of(kind), file);
        put_row(file, i, kind);
        ck_assert_int_eq(fclose(file), 0);
        ck_assert_msg(predict(place, place->rows, false, OCK_ANSWER_CSV, &one, &faults, &err) ==
                          OCK_OK,
                      "%s", err.text);
        ck_assert_str_eq(line_of(&one, 0, got), line_of(all, i, wanted));
    }
    ock_buf_deinit(&one);
}

static const struct {
    const char *model, *loss;
    enum kind kind;
} class_cases[] = {{"{\"hidden\":[8]}", "\"cross_entropy\"", CLASSES},
                   {"{\"hidden\":[]}", "\"cross_entropy\"", CLASSES},
                   {"{\"hidden\":[8],\"dropout\":0.5}", "\"cross_entropy\"", CLASSES},
                   {"{\"hidden\":[5]}", "\"binary_cross_entropy\"", PAIRS}};

START_TEST(classes_are_those_of_validation)
{
    struct place place;
    struct kit kit;
    struct ock_buf answer;
    struct ock_faults faults = {0};
    struct ock_err err = {0};
    open_place(&place);
    ock_buf_init(&answer, TEXT_BYTES_MAX);
    make_data(&place, class_cases[_i].kind);
    train(&kit, &place, class_cases[_i].model, class_cases[_i].loss);
    ck_assert_msg(predict(&place, place.csv, false, OCK_ANSWER_CSV, &answer, &faults, &err) ==
                      OCK_OK,
                  "%s", err.text);

    int right = 0;
    for (int i = 0; i < ROWS; i++) {
        char line[512], row[512], *end = NULL;
        FILE *file = fmemopen(row, sizeof(row), "w");
        put_row(file, i, class_cases[_i].kind);
        ck_assert_int_eq(fclose(file), 0);
        const char *truth = strrchr(row, ',') + 1;
        if (strcmp(truth, " it is\"\n") == 0)
            truth = strrchr(row, '"') - strlen("\"yes, it is");
        (void)line_of(&answer, i, line);
        size_t size = line[0] == '"' ? strlen("\"yes, it is\"") : strcspn(line, ",");
        right += strncmp(line, truth, size) == 0;
        double sum = 0;
        for (const char *at = line + size; *at == ','; at = end)
            sum += strtod(at + 1, &end);
        ck_assert_double_eq_tol(sum, 1, 1e-6);
    }
    double accuracy = kit_number(kit_event(&kit, "epoch", -1), "validation.accuracy");
    ck_assert_double_eq(right / (double)ROWS, accuracy);
    ck_assert_int_gt(right, ROWS / 4);
    check_alone(&place, &answer, class_cases[_i].kind);
    kit_free(&kit);
    ock_buf_deinit(&answer);
    close_place(&place);
}
END_TEST

START_TEST(numbers_are_those_of_validation)
{
    static const char *const losses[] = {"\"mse\"", "\"huber\""};
    struct place place;
    struct kit kit;
    struct ock_buf answer;
    struct ock_faults faults = {0};
    struct ock_err err = {0};
    open_place(&place);
    ock_buf_init(&answer, TEXT_BYTES_MAX);
    make_data(&place, NUMBERS);
    train(&kit, &place, "{\"hidden\":[8]}", losses[_i]);
    ck_assert_msg(predict(&place, place.csv, false, OCK_ANSWER_CSV, &answer, &faults, &err) ==
                      OCK_OK,
                  "%s", err.text);

    struct ock_dataset *dataset = NULL;
    ck_assert_int_eq(ock_dataset_open(&dataset, place.data, &err), OCK_OK);
    double squares = 0;
    for (int i = 0; i < ROWS; i++) {
        char line[512];
        double error =
            strtod(line_of(&answer, i, line), NULL) - ock_dataset_number(dataset, 3, (size_t)i);
        squares += error * error;
    }
    double mse = kit_number(kit_event(&kit, "epoch", -1), "validation.mse");
    ck_assert_double_eq(squares / ROWS, mse);
    ck_assert_double_lt(mse, 1e4);
    check_alone(&place, &answer, NUMBERS);
    ock_dataset_free(dataset);
    kit_free(&kit);
    ock_buf_deinit(&answer);
    close_place(&place);
}
END_TEST

START_TEST(all_forms_of_rows_are_one)
{
    static const struct {
        const char *rows;
        bool json;
    } forms[] = {
        {"{\"rows\":[{\"c\":3,\"a\":0.1,\"stamp\":1700000977},[2.5,1700000000,6]]}", true},
        {"{\"rows\":[{\"a\":0.1,\"stamp\":1700000977,\"c\":3.0,\"y\":null},[2.5,17e8,6]]}", true},
        {"{\"x\":[[0.1,1700000977,3],[2.5,1700000000,6]]}", true},
        {"c,id,stamp,a\n3,x,1700000977,0.1\n6,y,1700000000,2.5\n", false},
        {"0.1;1700000977;3\n2.5;1700000000;6\n", false},
        {"a\tstamp\tc\r\n0.1\t1700000977\t3\r\n2.5\t1700000000\t6\r\n\r\n", false},
    };
    struct place place;
    struct kit kit;
    struct ock_buf answer;
    struct ock_faults faults = {0};
    char first[1024] = "";
    open_place(&place);
    ock_buf_init(&answer, TEXT_BYTES_MAX);
    make_data(&place, NUMBERS);
    train(&kit, &place, "{\"hidden\":[4]}", "\"mse\"");
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct ock_err err = {0};
        write_text(place.rows, forms[i].rows);
        ck_assert_msg(predict(&place, place.rows, forms[i].json, OCK_ANSWER_NDJSON, &answer,
                              &faults, &err) == OCK_OK,
                      "%zu: %s %s", i, err.text, faults.count ? faults.items[0].detail : "");
        if (i == 0)
            (void)snprintf(first, sizeof(first), "%s", answer.data);
        ck_assert_str_eq(answer.data, first);
    }
    kit_free(&kit);
    ock_buf_deinit(&answer);
    close_place(&place);
}
END_TEST

/* What no training row had: an unknown value goes with the rare ones, a hole gets the mean. */
START_TEST(strange_values_are_predicted)
{
    static const char *const alike[][2] = {
        {"{\"rows\":[{\"a\":1,\"stamp\":1700000000,\"c\":1,\"job\":\"pilot\",\"member\":\"no\"}]}",
         "{\"rows\":[{\"a\":1,\"stamp\":1700000000,\"c\":1,\"job\":\"diver\",\"member\":false}]}"},
        {"{\"rows\":[{\"a\":1,\"stamp\":17e8,\"c\":1,\"job\":7,\"member\":true}]}",
         "{\"rows\":[{\"a\":1,\"stamp\":17e8,\"c\":1,\"job\":\"7\",\"member\":\"Yes\"}]}"},
        {"{\"rows\":[{\"stamp\":17e8,\"c\":1,\"member\":true}]}",
         "{\"rows\":[{\"a\":null,\"stamp\":17e8,\"c\":1,\"job\":\"\",\"member\":\"y\"}]}"},
    };
    struct place place;
    struct kit kit;
    struct ock_buf answers[2];
    open_place(&place);
    make_data(&place, CLASSES);
    train(&kit, &place, "{\"hidden\":[8]}", "\"cross_entropy\"");
    for (size_t i = 0; i < sizeof(alike) / sizeof(alike[0]); i++) {
        for (int k = 0; k < 2; k++) {
            struct ock_err err = {0};
            struct ock_faults faults = {0};
            ock_buf_init(&answers[k], TEXT_BYTES_MAX);
            write_text(place.rows, alike[i][k]);
            ck_assert_msg(predict(&place, place.rows, true, OCK_ANSWER_NDJSON, &answers[k], &faults,
                                  &err) == OCK_OK,
                          "%s: %s", err.text, faults.items[0].detail);
        }
        ck_assert_str_eq(answers[0].data, answers[1].data);
        for (int k = 0; k < 2; k++)
            ock_buf_deinit(&answers[k]);
    }
    kit_free(&kit);
    close_place(&place);
}
END_TEST

START_TEST(probabilities_by_hand)
{
    const struct ock_kernels *kernels = ock_kernels_get(NULL);
    const float z[] = {0, 0, 0, 1000, -1000, 0, 0.6931472f, 0, 0};
    const float wanted[] = {1 / 3.0f, 1 / 3.0f, 1 / 3.0f, 1, 0, 0, 0.5f, 0.25f, 0.25f};
    float p[9];
    ock_loss_probabilities(kernels, 3, 3, z, p);
    for (int i = 0; i < 9; i++)
        ck_assert_float_eq_tol(p[i], wanted[i], 1e-6f);

    const float s[] = {0, 2000, -2000, 1.0986123f};
    const float pairs[] = {0.5f, 0.5f, 0, 1, 1, 0, 0.25f, 0.75f};
    ock_loss_probabilities(kernels, 4, 1, s, p);
    for (int i = 0; i < 8; i++)
        ck_assert_float_eq_tol(p[i], pairs[i], 1e-6f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("predict");
    TCase *all = tcase_create("predict");
    tcase_add_loop_test(all, classes_are_those_of_validation, 0,
                        sizeof(class_cases) / sizeof(class_cases[0]));
    tcase_add_loop_test(all, numbers_are_those_of_validation, 0, 2);
    tcase_add_test(all, all_forms_of_rows_are_one);
    tcase_add_test(all, strange_values_are_predicted);
    tcase_add_test(all, probabilities_by_hand);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
