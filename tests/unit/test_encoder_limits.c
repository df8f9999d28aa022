/* The encoder at its edges: when a value is rare, how much text it takes, and every damage of the
 * JSON that a model file may bring. What it does in general: test_data_encoder.c. */
#include "tests/unit/data_kit.h"

#include "core/base/json.h"
#include "core/base/limits.h"
#include "core/data/data.h"
#include "core/data/encoder.h"
#include "core/data/table.h"

enum { ROWS_MAX = 4000 };

static const struct ock_import plain = {.header = OCK_HEADER_YES};

/* A fitted encoder; all columns but the last are features. */
static struct ock_encoder fit(const struct ock_dataset *dataset, const uint32_t *rows, size_t count)
{
    static uint32_t all[ROWS_MAX];
    const struct ock_schema *schema = ock_dataset_schema(dataset);
    struct ock_encoder encoder = {0};
    struct ock_err err = {.text = ""};
    size_t columns[16];
    ck_assert_uint_le(schema->column_count - 1, 16);
    ck_assert_uint_le(schema->rows, ROWS_MAX);
    for (size_t c = 0; c + 1 < schema->column_count; c++)
        columns[c] = c;
    for (size_t i = 0; i < schema->rows; i++)
        all[i] = (uint32_t)i;
    enum ock_status status = ock_encoder_fit(&encoder, dataset, columns, schema->column_count - 1,
                                             rows ? rows : all, rows ? count : schema->rows, &err);
    ck_assert_msg(status == OCK_OK, "%s", err.text);
    return encoder;
}

static void expect_names(const struct ock_encoder *encoder, const char *names)
{
    char all[1024] = "";
    for (size_t f = 0; f < encoder->features; f++)
        (void)snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", f > 0 ? " " : "",
                       encoder->names[f]);
    ck_assert_str_eq(all, names);
}

/* Row 0 of a dataset behind the encoder, unscaled but for a factor of 1. */
static void encode(const struct ock_dataset *dataset, const struct ock_encoder *encoder, size_t row,
                   bool cache, float *x)
{
    static double mean[256], scale[256];
    struct ock_table table = {0};
    struct ock_err err = {.text = ""};
    size_t columns[16];
    for (size_t i = 0; i < encoder->count; i++)
        columns[i] = ock_schema_column(ock_dataset_schema(dataset), encoder->columns[i].name);
    for (size_t f = 0; f < 256; f++)
        scale[f] = 1;
    enum ock_status status = ock_table_init(&table, dataset, columns, encoder, "", &err);
    if (status == OCK_OK)
        status = ock_table_scale(&table, mean, scale, (double)INFINITY, cache, &err);
    ck_assert_msg(status == OCK_OK, "%s", err.text);
    const uint32_t index = (uint32_t)row;
    ock_table_encode(&table, &index, 1, x);
    ock_table_deinit(&table);
}

static void expect_row(const struct ock_dataset *dataset, const struct ock_encoder *encoder,
                       size_t row, const float *expected)
{
    float x[256];
    for (int cache = 0; cache < 2; cache++) {
        encode(dataset, encoder, row, cache, x);
        for (size_t f = 0; f < encoder->features; f++)
            ck_assert_msg(x[f] == expected[f], "row %zu, %s: %g instead of %g", row,
                          encoder->names[f], (double)x[f], (double)expected[f]);
    }
}

/* All kinds in one table. job: a 3 times, b 2, c and d once. member: one is missing. */
static const char mixed[] = "age,job,member,pay,y\n"
                            "10,b,yes,1.5,p\n"
                            ",a,no,2.5,q\n"
                            "20,,no,3,p\n"
                            "60,a,yes,1,q\n"
                            "30,b,,1,p\n"
                            "30,c,no,1,q\n"
                            "30,a,yes,1,p\n"
                            "30,d,yes,1,q\n";

/* Another file numbers its values anew; they are matched by their texts. */
START_TEST(another_dataset_is_matched_by_text)
{
    static const float rows[][9] = {
        {1, 0, 0, 0, 1, 0, 0, 0, 0}, /* zebra is unknown: other; maybe is no yes */
        {2, 0, 0, 1, 0, 0, 1, 0, 0},
        {30, 1, 0, 0, 0, 1, 0, 1, 1.5f}, /* all are missing; pay never was in training: its mean */
    };
    struct ock_dataset *train = kit_csv(mixed, plain);
    struct ock_encoder encoder = fit(train, NULL, 0);
    struct ock_dataset *other = kit_csv_as(
        "other", "y,member,job,age,pay\np,maybe,zebra,1,0\nq,TRUE,b,2,0\nq,,,,\n", plain);
    for (size_t row = 0; row < 3; row++)
        expect_row(other, &encoder, row, rows[row]);
    ock_dataset_free(other);
    ock_encoder_deinit(&encoder);
    ock_dataset_free(train);
}
END_TEST

/* So many rows, of which so many hold the value "b": is it kept? The least are 2 rows, a hundredth
 * of the rows, 10. */
static const struct {
    size_t rows, b;
    bool kept;
} rarity[] = {
    {8, 1, false},    {8, 2, true},     {199, 2, true},   {200, 2, true},
    {300, 2, false},  {300, 3, true},   {999, 8, false},  {999, 9, true},
    {1000, 9, false}, {1000, 10, true}, {4000, 9, false}, {4000, 10, true},
};

START_TEST(rare_values_are_one_feature)
{
    struct ock_buf text;
    ock_buf_init(&text, OCK_MIB);
    ock_buf_puts(&text, "a,y\n");
    for (size_t i = 0; i < rarity[_i].rows; i++)
        ock_buf_puts(&text, i < rarity[_i].b ? "b,1\n" : "c,1\n");
    struct ock_dataset *dataset = kit_csv(text.data, plain);
    struct ock_encoder encoder = fit(dataset, NULL, 0);
    expect_names(&encoder, rarity[_i].kept ? "a=b a=c" : "a=c a=(other)");
    ock_encoder_deinit(&encoder);
    ock_dataset_free(dataset);
    ock_buf_deinit(&text);
}
END_TEST

/* 101 values, v000 in four rows and the others in three each: the last in order has to go. */
START_TEST(the_most_frequent_values_are_kept)
{
    struct ock_buf text;
    ock_buf_init(&text, OCK_MIB);
    ock_buf_puts(&text, "a,y\nv000,1\n");
    for (int i = 0; i < 303; i++) {
        char line[16];
        (void)snprintf(line, sizeof(line), "v%03d,1\n", i % 101);
        ock_buf_puts(&text, line);
    }
    struct ock_dataset *dataset = kit_csv(text.data, plain);
    struct ock_encoder encoder = fit(dataset, NULL, 0);
    ck_assert_uint_eq(encoder.features, OCK_CATEGORY_VALUES_MAX + 1);
    ck_assert_str_eq(encoder.names[0], "a=v000");
    ck_assert_str_eq(encoder.names[99], "a=v099");
    ck_assert_str_eq(encoder.names[100], "a=(other)");
    ock_encoder_deinit(&encoder);
    ock_dataset_free(dataset);
    ock_buf_deinit(&text);
}
END_TEST

/* 100 values of 64 KiB each are more than a model's header should carry. */
START_TEST(long_texts_are_limited)
{
    enum { LENGTH = 60000 };
    struct ock_buf text;
    struct ock_err err = {.text = ""};
    struct ock_encoder encoder = {0};
    const uint32_t rows[200] = {0};
    char *value = malloc(LENGTH + 1);
    ck_assert_ptr_nonnull(value);
    memset(value, 'x', LENGTH);
    value[LENGTH] = '\0';
    ock_buf_init(&text, 64 * OCK_MIB);
    ock_buf_puts(&text, "a,y\n");
    uint32_t order[200];
    for (int i = 0; i < 100; i++) {
        char line[16];
        (void)snprintf(line, sizeof(line), "%d,1\n", i);
        ock_buf_puts(&text, value);
        ock_buf_puts(&text, line);
        order[2 * i] = order[2 * i + 1] = (uint32_t)i;
    }
    struct ock_dataset *dataset = kit_csv(text.data, plain);
    const size_t column = 0;
    ck_assert_int_eq(ock_encoder_fit(&encoder, dataset, &column, 1, order, 200, &err), OCK_LIMIT);
    ck_assert_msg(strstr(err.text, "\"a\"") && strstr(err.text, "data.features"), "%s", err.text);
    ck_assert_ptr_null(encoder.columns);
    /* One of them, in 200 rows, is fine. */
    ck_assert_int_eq(ock_encoder_fit(&encoder, dataset, &column, 1, rows, 200, &err), OCK_OK);
    ck_assert_uint_eq(encoder.features, 1);
    ock_encoder_deinit(&encoder);
    ock_dataset_free(dataset);
    ock_buf_deinit(&text);
    free(value);
}
END_TEST

/* 8 names, and a missing one: nothing but other and missing; a column of two values does well. */
START_TEST(text_of_rare_values_alone_is_told)
{
    struct ock_dataset *dataset =
        kit_csv("b,a,y\nu,a,1\nu,b,1\nv,c,1\nv,d,1\nu,e,1\nv,f,1\nu,,1\nu,h,1\n", plain);
    struct ock_encoder encoder = fit(dataset, NULL, 0);
    expect_names(&encoder, "b=u b=v a=(other) a=(missing)");
    ck_assert_str_eq(ock_encoder_rare_text(&encoder), "a");
    ock_encoder_deinit(&encoder);
    const size_t column = 0;
    const uint32_t rows[] = {0, 1, 2, 3};
    struct ock_err err = {.text = ""};
    ck_assert_int_eq(ock_encoder_fit(&encoder, dataset, &column, 1, rows, 4, &err), OCK_OK);
    ck_assert_ptr_null(ock_encoder_rare_text(&encoder));
    ock_encoder_deinit(&encoder);
    ock_dataset_free(dataset);
}
END_TEST

/* Numbers that are all equal stand in exactly, whatever their sum is rounded to. */
START_TEST(a_constant_fills_exactly)
{
    struct ock_dataset *dataset =
        kit_csv("a,b,y\n0.1,,1\n0.1,,2\n0.1,,3\n,,4\n0.1,,5\n0.1,,6\n0.1,,7\n", plain);
    struct ock_encoder encoder = fit(dataset, NULL, 0);
    float a = 0.1f;
    expect_names(&encoder, "a a=(missing) b b=(missing)");
    ck_assert_double_eq(encoder.columns[0].fill, ock_dataset_number(dataset, 0, 0));
    ck_assert_double_eq(encoder.columns[1].fill, 0); /* there is none */
    expect_row(dataset, &encoder, 3, (const float[]){a, 1, 0, 1});
    ock_encoder_deinit(&encoder);
    ock_dataset_free(dataset);
}
END_TEST

/* Of 1, 3, 5 and a missing value: mean 3, variance 8/3. The missing one is the mean, so exactly 0, and
 * its flag, like those of text, is 0 or 1 whatever the scaling. */
START_TEST(missing_values_and_text_beside_scaled_numbers)
{
    static const struct {
        enum ock_scaling scaling;
        float x[4];
    } cases[] = {
        {OCK_SCALING_AUTO, {-1.22474487f, 0, 1.22474487f, 0}},
        {OCK_SCALING_STANDARD, {-1.22474487f, 0, 1.22474487f, 0}},
        {OCK_SCALING_MINMAX, {0, 0.5f, 1, 0.5f}},
        {OCK_SCALING_NONE, {1, 3, 5, 3}},
        {OCK_SCALING_DIVIDE, {0.25f, 0.75f, 1.25f, 0.75f}},
    };
    char a[] = "a", b[] = "b", y[] = "y";
    char *features[] = {a, b};
    struct ock_dataset *dataset = kit_csv("a,b,y\n1,r,p\n3,g,q\n5,r,p\n,g,q\n", plain);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ock_spec spec = {.loss = OCK_CROSS_ENTROPY,
                                .data = {.target = y,
                                         .target_type = OCK_TARGET_TYPE_CLASSES,
                                         .features = features,
                                         .feature_count = 2,
                                         .scaling = cases[i].scaling,
                                         .divide = 4}};
        struct ock_data *data = NULL;
        struct ock_data_sizes sizes;
        struct ock_err err = {.text = ""};
        enum ock_status status = ock_data_open(&data, &spec, dataset, NULL, NULL, &err);
        ck_assert_msg(status == OCK_OK, "%s", err.text);
        ck_assert_uint_eq(data->features, 4);
        ck_assert_int_eq(ock_data_measure(&sizes, &spec, dataset, NULL, NULL, NULL), OCK_OK);
        ck_assert_uint_eq(sizes.features, 4);
        float x[16];
        struct ock_batch batch = {.x = x};
        ock_source_gather(data->train.source, data->train.rows, 4, &batch);
        for (size_t row = 0; row < 4; row++) {
            ck_assert_float_eq(x[4 * row], cases[i].x[row]);
            ck_assert_float_eq(x[4 * row + 1], row == 3 ? 1.0f : 0.0f); /* a=(missing) */
            ck_assert_float_eq(x[4 * row + 2], row % 2 ? 1.0f : 0.0f);  /* b=g */
            ck_assert_float_eq(x[4 * row + 3], row % 2 ? 0.0f : 1.0f);  /* b=r */
        }
        ock_data_free(data);
    }
    ock_dataset_free(dataset);
}
END_TEST

static enum ock_status read_text(struct ock_encoder *encoder, const char *text, struct ock_err *err)
{
    struct ock_faults faults = {.count = 0};
    cJSON *json = NULL;
    ck_assert_int_eq(ock_json_parse(&json, text, strlen(text), &faults, err), OCK_OK);
    enum ock_status status = ock_encoder_read(encoder, json, err);
    cJSON_Delete(json);
    return status;
}

#define NAMED  "\"name\":\"a\","
#define NUMBER "{" NAMED "\"type\":\"number\",\"fill\":1}"
#define TEXT   "{" NAMED "\"type\":\"category\",\"values\":"

static const char *const damages[] = {
    "{}",
    "[]",
    "null",
    "[1]",
    "[{}]",
    "[null]",
    "[{" NAMED "\"type\":\"text\"}]",
    "[{" NAMED "\"type\":1}]",
    "[{\"name\":1,\"type\":\"byte\"}]",
    "[{\"type\":\"byte\"}]",
    "[{" NAMED "\"type\":\"byte\",\"missing\":true}]",
    "[{" NAMED "\"type\":\"byte\",\"fill\":1}]",
    "[{" NAMED "\"type\":\"boolean\",\"other\":true}]",
    "[{" NAMED "\"type\":\"boolean\",\"missing\":false}]",
    "[{" NAMED "\"type\":\"boolean\",\"missing\":1}]",
    "[{" NAMED "\"type\":\"number\"}]",
    "[{" NAMED "\"type\":\"number\",\"fill\":\"1\"}]",
    "[{" NAMED "\"type\":\"number\",\"fill\":null}]",
    "[{" NAMED "\"type\":\"number\",\"fill\":1,\"other\":true}]",
    "[{" NAMED "\"type\":\"number\",\"fill\":1,\"values\":[\"a\"]}]",
    "[{" NAMED "\"type\":\"number\",\"fill\":1,\"mean\":1}]",
    "[{" NAMED "\"type\":\"category\"}]",
    "[" TEXT "{}}]",
    "[" TEXT "\"a\"}]",
    "[" TEXT "[\"a\"],\"other\":\"true\"}]",
    "\"[]\"",
    "[" TEXT "[]}]",
    "[" TEXT "[1]}]",
    "[" TEXT "[\"a\",null]}]",
    "[" TEXT "[\"b\",\"a\"]}]",
    "[" TEXT "[\"a\",\"a\"]}]",
    "[" NUMBER "," NUMBER "]",
    "[" NUMBER "," TEXT "[\"a\"]}]",
};

START_TEST(damaged_json_is_refused)
{
    struct ock_err err = {.text = ""};
    struct ock_encoder encoder = {0};
    ck_assert_int_eq(read_text(&encoder, damages[_i], &err), OCK_INVALID);
    ck_assert_msg(strstr(err.text, "encoding") != NULL, "%s", err.text);
    ck_assert_ptr_null(encoder.columns);
}
END_TEST

START_TEST(what_is_at_the_edge_of_damage_is_read)
{
    static const char *const good[] = {
        "[" NUMBER "]",
        "[" TEXT "[],\"other\":true}]",
        "[" TEXT "[],\"missing\":true}]",
        "[" TEXT "[\"\",\"a\"]},{\"name\":\"\",\"type\":\"byte\"}]",
    };
    static const size_t features[] = {1, 1, 1, 3};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct ock_err err = {.text = ""};
        struct ock_encoder encoder = {0};
        ck_assert_msg(read_text(&encoder, good[i], &err) == OCK_OK, "%s", err.text);
        ck_assert_uint_eq(encoder.features, features[i]);
        ock_encoder_deinit(&encoder);
    }
}
END_TEST

/* Values in order, with one more than a column may have; a name of 255 bytes, and of 256. */
START_TEST(limits_hold_for_strangers)
{
    for (size_t over = 0; over < 2; over++) {
        struct ock_buf text;
        struct ock_err err = {.text = ""};
        struct ock_encoder encoder = {0};
        char item[300];
        ock_buf_init(&text, OCK_MIB);
        ock_buf_puts(&text, "[" TEXT "[");
        for (size_t v = 0; v < OCK_CATEGORY_VALUES_MAX + over; v++) {
            (void)snprintf(item, sizeof(item), "%s\"%04zu\"", v > 0 ? "," : "", v);
            ock_buf_puts(&text, item);
        }
        ock_buf_puts(&text, "]}]");
        ck_assert_int_eq(read_text(&encoder, text.data, &err), over ? OCK_INVALID : OCK_OK);
        ock_encoder_deinit(&encoder);
        (void)snprintf(item, sizeof(item), "[{\"name\":\"%0*d\",\"type\":\"byte\"}]",
                       (int)(OCK_NAME_BYTES_MAX - 1 + over), 0);
        ck_assert_int_eq(read_text(&encoder, item, &err), over ? OCK_INVALID : OCK_OK);
        ock_encoder_deinit(&encoder);
        ock_buf_deinit(&text);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("encoder limits");
    TCase *tcase = tcase_create("encoder");
    tcase_add_checked_fixture(tcase, kit_setup, kit_teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, another_dataset_is_matched_by_text);
    tcase_add_loop_test(tcase, rare_values_are_one_feature, 0,
                        (int)(sizeof(rarity) / sizeof(rarity[0])));
    tcase_add_test(tcase, the_most_frequent_values_are_kept);
    tcase_add_test(tcase, long_texts_are_limited);
    tcase_add_test(tcase, text_of_rare_values_alone_is_told);
    tcase_add_test(tcase, a_constant_fills_exactly);
    tcase_add_test(tcase, missing_values_and_text_beside_scaled_numbers);
    tcase_add_loop_test(tcase, damaged_json_is_refused, 0,
                        (int)(sizeof(damages) / sizeof(damages[0])));
    tcase_add_test(tcase, what_is_at_the_edge_of_damage_is_read);
    tcase_add_test(tcase, limits_hold_for_strangers);
    suite_add_tcase(suite, tcase);
    return kit_run(suite);
}
