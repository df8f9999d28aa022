/* The encoder: what the training rows decide, and what becomes of values that they never saw. */
#include "core/base/json.h"
#include "core/data/encoder.h"
#include "core/data/table.h"
#include "tests/unit/data_kit.h"

enum { ROWS_MAX = 400, COLUMNS_MAX = 8, FEATURES_MAX = 256 };

static uint32_t all_rows[ROWS_MAX];
static size_t all_columns[COLUMNS_MAX];

/* Fits the first `columns` columns on the first `rows` rows. */
static struct ock_encoder fit(const struct ock_dataset *dataset, size_t columns, size_t rows)
{
    struct ock_encoder encoder = {0};
    struct ock_err err = {.text = ""};
    for (size_t i = 0; i < ROWS_MAX; i++)
        all_rows[i] = (uint32_t)i;
    for (size_t i = 0; i < COLUMNS_MAX; i++)
        all_columns[i] = i;
    enum ock_status status =
        ock_encoder_fit(&encoder, dataset, all_columns, columns, all_rows, rows, &err);
    ck_assert_msg(status == OCK_OK, "%s", err.text);
    return encoder;
}

static void check_names(const struct ock_encoder *encoder, const char *const *names, size_t count)
{
    ck_assert_uint_eq(encoder->features, count);
    for (size_t f = 0; f < count; f++)
        ck_assert_str_eq(encoder->names[f], names[f]);
}

/* What stands for a number that is not there; before scaling it is NaN. */
static double missing_number;

/* A row of the dataset behind the encoder, unscaled, by both roads. */
static void check_row(const struct ock_dataset *dataset, const struct ock_encoder *encoder,
                      uint32_t row, const double *want)
{
    static double zeros[FEATURES_MAX], ones[FEATURES_MAX];
    struct ock_err err = {.text = ""};
    for (size_t f = 0; f < FEATURES_MAX; f++)
        ones[f] = 1;
    for (int cached = 0; cached < 2; cached++) {
        struct ock_table table = {0};
        double raw[FEATURES_MAX];
        float x[FEATURES_MAX];
        ck_assert_msg(ock_table_init(&table, dataset, all_columns, encoder, "", &err) == OCK_OK,
                      "%s", err.text);
        ock_table_raw(&table, row, raw);
        ck_assert_int_eq(ock_table_scale(&table, zeros, ones, (double)INFINITY, cached == 1, &err),
                         OCK_OK);
        ock_table_encode(&table, &row, 1, x);
        for (size_t f = 0; f < encoder->features; f++) {
            ck_assert(isnan(raw[f]) ? want[f] == missing_number : raw[f] == want[f]);
            ck_assert_double_eq((double)x[f], (double)(float)want[f]);
        }
        ock_table_deinit(&table);
    }
}

static const char mixed[] = "age,member,job,y\n"
                            "20,yes,clerk,1\n"
                            "40,no,smith,2\n"
                            ",yes,clerk,1\n"
                            "30,,smith,2\n"
                            "50,no,,1\n"
                            "30,no,baker,2\n";

START_TEST(columns_become_features)
{
    static const char *const names[] = {
        "age",       "age=(missing)", "member",      "member=(missing)",
        "job=clerk", "job=smith",     "job=(other)", "job=(missing)"};
    struct ock_dataset *dataset = kit_csv(mixed, (struct ock_import){0});
    struct ock_encoder encoder = fit(dataset, 3, 6);
    check_names(&encoder, names, sizeof(names) / sizeof(names[0]));
    missing_number = 34;
    check_row(dataset, &encoder, 0, (double[]){20, 0, 1, 0, 1, 0, 0, 0});
    check_row(dataset, &encoder, 1, (double[]){40, 0, 0, 0, 0, 1, 0, 0});
    check_row(dataset, &encoder, 2, (double[]){34, 1, 1, 0, 1, 0, 0, 0});
    check_row(dataset, &encoder, 3, (double[]){30, 0, 0, 1, 0, 1, 0, 0});
    check_row(dataset, &encoder, 4, (double[]){50, 0, 0, 0, 0, 0, 0, 1});
    check_row(dataset, &encoder, 5, (double[]){30, 0, 0, 0, 0, 0, 1, 0});
    const unsigned char kinds[] = {OCK_FEATURE_NUMBER, OCK_FEATURE_FLAG, OCK_FEATURE_FLAG,
                                   OCK_FEATURE_FLAG,   OCK_FEATURE_FLAG, OCK_FEATURE_FLAG,
                                   OCK_FEATURE_FLAG,   OCK_FEATURE_FLAG};
    ck_assert_mem_eq(encoder.kinds, kinds, sizeof(kinds));
    ock_encoder_deinit(&encoder);
    ock_dataset_free(dataset);
}
END_TEST

/* The first two rows train: neither 40 nor what is missing below them counts. */
START_TEST(only_training_rows_decide)
{
    static const char *const names[] = {"age", "member", "job=(other)"};
    struct ock_dataset *dataset = kit_csv(mixed, (struct ock_import){0});
    struct ock_encoder encoder = fit(dataset, 3, 2);
    check_names(&encoder, names, sizeof(names) / sizeof(names[0]));
    missing_number = 30;
    check_row(dataset, &encoder, 2, (double[]){30, 1, 1}); /* the mean of 20 and 40 */
    check_row(dataset, &encoder, 3, (double[]){30, 0, 1});
    check_row(dataset, &encoder, 4, (double[]){50, 0, 1}); /* no job: other takes it */
    ock_encoder_deinit(&encoder);
    ock_dataset_free(dataset);
}
END_TEST

START_TEST(another_dataset_has_a_dictionary_of_its_own)
{
    struct ock_dataset *train =
        kit_csv_as("other", "c,y\na,1\nb,1\nb,2\na,2\n", (struct ock_import){0});
    struct ock_dataset *later =
        kit_csv_as("third", "c,y\nz,1\nb,1\n,2\nNew,2\n", (struct ock_import){0});
    struct ock_encoder encoder = fit(train, 1, 4);
    ck_assert_uint_eq(encoder.features, 2);
    check_row(later, &encoder, 0, (double[]){0, 0}); /* unknown, and there is no other */
    check_row(later, &encoder, 1, (double[]){0, 1});
    check_row(later, &encoder, 2, (double[]){0, 0}); /* nor a missing one */
    check_row(later, &encoder, 3, (double[]){0, 0});
    ock_encoder_deinit(&encoder);
    ock_dataset_free(later);
    ock_dataset_free(train);
}
END_TEST

/* 300 rows, so a value needs 3: the counts are 1, 2, 3, …, 23, the rest is "most". */
START_TEST(rare_values_stand_together)
{
    static char text[8192];
    char *next = stpcpy(text, "c,y\n");
    size_t rows = 0;
    for (int value = 1; rows + (size_t)value <= 276; rows += (size_t)value++) {
        for (int i = 0; i < value; i++)
            next += snprintf(next, 8, "v%02d,%d\n", value, i % 2);
    }
    for (; rows < 300; rows++)
        next = stpcpy(next, "most,1\n");
    struct ock_dataset *dataset = kit_csv(text, (struct ock_import){0});
    struct ock_encoder encoder = fit(dataset, 1, 300);
    ck_assert_uint_eq(encoder.columns[0].value_count, 22);
    ck_assert(encoder.columns[0].other);
    ck_assert(!encoder.columns[0].missing);
    ck_assert_str_eq(encoder.names[0], "c=most");
    ck_assert_str_eq(encoder.names[1], "c=v03");
    ck_assert_str_eq(encoder.names[22], "c=(other)");
    ock_encoder_deinit(&encoder);
    ock_dataset_free(dataset);
}
END_TEST

START_TEST(only_the_most_frequent_values_have_features)
{
    static char text[8192];
    char *next = stpcpy(text, "c,y\n");
    for (int i = 0; i < 300; i++)
        next += snprintf(next, 8, "v%03d,%d\n", i < 90 ? 104 + i % 10 : i % 105, i % 2);
    struct ock_dataset *dataset = kit_csv(text, (struct ock_import){0});
    struct ock_encoder encoder = fit(dataset, 1, 150);
    /* 113 values, all of them in two rows or more only where i % 10 made them so. */
    ck_assert_uint_le(encoder.columns[0].value_count, 100);
    ck_assert(encoder.columns[0].other);
    for (size_t v = 1; v < encoder.columns[0].value_count; v++)
        ck_assert_int_lt(strcmp(encoder.columns[0].values[v - 1], encoder.columns[0].values[v]), 0);
    ock_encoder_deinit(&encoder);
    ock_dataset_free(dataset);
}
END_TEST

START_TEST(it_goes_through_json_and_back)
{
    struct ock_dataset *dataset = kit_csv(mixed, (struct ock_import){0});
    struct ock_encoder encoder = fit(dataset, 3, 6), again = {0};
    struct ock_buf first, second;
    struct ock_err err = {.text = ""};
    ock_buf_init(&first, 1 << 20);
    ock_buf_init(&second, 1 << 20);
    ock_encoder_write(&encoder, &first);
    ck_assert_str_eq(first.data,
                     "[{\"name\":\"age\",\"type\":\"number\",\"fill\":34,\"missing\":true},"
                     "{\"name\":\"member\",\"type\":\"boolean\",\"missing\":true},"
                     "{\"name\":\"job\",\"type\":\"category\",\"values\":[\"clerk\",\"smith\"],"
                     "\"other\":true,\"missing\":true}]");
    cJSON *json = cJSON_Parse(first.data);
    ck_assert_int_eq(ock_encoder_read(&again, json, &err), OCK_OK);
    cJSON_Delete(json);
    ock_encoder_write(&again, &second);
    ck_assert_str_eq(first.data, second.data);
    missing_number = 34;
    check_row(dataset, &again, 2, (double[]){34, 1, 1, 0, 1, 0, 0, 0});
    check_names(&again, encoder.names, encoder.features);
    ock_buf_deinit(&first);
    ock_buf_deinit(&second);
    ock_encoder_deinit(&again);
    ock_encoder_deinit(&encoder);
    ock_dataset_free(dataset);
}
END_TEST

static const char *const damaged[] = {
    "{}",
    "[1]",
    "[{\"name\":\"a\"}]",
    "[{\"name\":\"a\",\"type\":\"matrix\"}]",
    "[{\"name\":1,\"type\":\"byte\"}]",
    "[{\"name\":\"a\",\"type\":\"number\"}]",
    "[{\"name\":\"a\",\"type\":\"number\",\"fill\":\"1\"}]",
    "[{\"name\":\"a\",\"type\":\"number\",\"fill\":1,\"other\":true}]",
    "[{\"name\":\"a\",\"type\":\"byte\",\"missing\":true}]",
    "[{\"name\":\"a\",\"type\":\"category\"}]",
    "[{\"name\":\"a\",\"type\":\"category\",\"values\":[1]}]",
    "[{\"name\":\"a\",\"type\":\"category\",\"values\":{\"x\":\"y\",\"z\":1}}]",
};

START_TEST(damaged_json_is_refused)
{
    struct ock_encoder encoder = {0};
    struct ock_err err = {.text = ""};
    cJSON *json = cJSON_Parse(damaged[_i]);
    ck_assert_ptr_nonnull(json);
    ck_assert_int_eq(ock_encoder_read(&encoder, json, &err), OCK_INVALID);
    ck_assert_str_ne(err.text, "");
    ck_assert_ptr_null(encoder.columns);
    cJSON_Delete(json);
}
END_TEST

START_TEST(text_is_no_number_and_numbers_no_text)
{
    struct ock_dataset *train =
        kit_csv_as("other", "a,b,y\n1,x,1\n2,y,2\n", (struct ock_import){0});
    struct ock_dataset *later =
        kit_csv_as("third", "a,b,y\nx,1,1\ny,2,2\n", (struct ock_import){0});
    struct ock_encoder encoder = fit(train, 2, 2);
    struct ock_table table = {0};
    struct ock_err err = {.text = ""};
    ck_assert_int_eq(
        ock_table_init(&table, later, all_columns, &encoder, "validation dataset: ", &err),
        OCK_INVALID);
    ck_assert_str_eq(err.text,
                     "validation dataset: the column \"a\" is text, in training it was numbers; "
                     "types=a:number says what it is when the file is read");
    ock_table_deinit(&table);
    ock_encoder_deinit(&encoder);
    ock_dataset_free(later);
    ock_dataset_free(train);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("encoder");
    TCase *tests = tcase_create("encoder");
    tcase_add_checked_fixture(tests, kit_setup, kit_teardown);
    tcase_add_test(tests, columns_become_features);
    tcase_add_test(tests, only_training_rows_decide);
    tcase_add_test(tests, another_dataset_has_a_dictionary_of_its_own);
    tcase_add_test(tests, rare_values_stand_together);
    tcase_add_test(tests, only_the_most_frequent_values_have_features);
    tcase_add_test(tests, it_goes_through_json_and_back);
    tcase_add_loop_test(tests, damaged_json_is_refused, 0,
                        (int)(sizeof(damaged) / sizeof(damaged[0])));
    tcase_add_test(tests, text_is_no_number_and_numbers_no_text);
    suite_add_tcase(suite, tests);
    return kit_run(suite);
}
