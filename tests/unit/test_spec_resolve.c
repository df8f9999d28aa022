/* Goal: the spec fits its data or says why not, and all that depends on data is filled in. Method:
 * a small table in memory with a column of each sort, by hand; bad pairs as a table; allocations
 * failing in turn. */
#include <math.h>
#include <stdio.h>

#include "tests/unit/alloc_fail.h"
#include "tests/unit/spec_kit.h"

static const char *const species[] = {"lily", "rose", "tulip"};
static const char *const yes_no[] = {"no", "yes"};
static const char *const zero_one[] = {"0", "1"};
static const char *const one_value[] = {"7"};

enum { A, B, GAPS, COLOUR, CLASS, BINARY, PRICE, WEIGHT, SAME, COLUMN_COUNT };

/* Four hundred rows; min and max as the importer would tell them. */
static const struct ock_column columns[COLUMN_COUNT] = {
    [A] = {.name = "a", .type = OCK_COLUMN_NUMBER, .min = -1, .max = 1},
    [B] = {.name = "b", .type = OCK_COLUMN_BYTE, .min = 0, .max = 255},
    [GAPS] = {.name = "gaps", .type = OCK_COLUMN_NUMBER, .missing = 3},
    [COLOUR] = {.name = "colour", .type = OCK_COLUMN_CATEGORY, .value_count = 2, .values = yes_no},
    [CLASS] = {.name = "class", .type = OCK_COLUMN_CATEGORY, .value_count = 3, .values = species},
    [BINARY] = {.name = "binary",
                .type = OCK_COLUMN_NUMBER,
                .whole = true,
                .value_count = 2,
                .values = zero_one,
                .max = 1},
    [PRICE] = {.name = "price", .type = OCK_COLUMN_NUMBER, .min = 1, .max = 1e6},
    [WEIGHT] = {.name = "weight", .type = OCK_COLUMN_NUMBER, .min = 0, .max = 9},
    [SAME] = {.name = "same",
              .type = OCK_COLUMN_NUMBER,
              .whole = true,
              .value_count = 1,
              .values = one_value,
              .min = 7,
              .max = 7},
};

static const struct ock_schema table = {.rows = 400,
                                        .column_count = COLUMN_COUNT,
                                        .columns = columns,
                                        .target = SIZE_MAX,
                                        .format = "csv"};

/* Without text and gaps: a, b, class. */
static const struct ock_column clean_columns[] = {
    {.name = "a", .type = OCK_COLUMN_NUMBER, .min = -1, .max = 1},
    {.name = "b", .type = OCK_COLUMN_BYTE, .min = 0, .max = 255},
    {.name = "class", .type = OCK_COLUMN_CATEGORY, .value_count = 3, .values = species},
};
static const struct ock_schema clean = {
    .rows = 400, .column_count = 3, .columns = clean_columns, .target = 2};

static enum ock_status resolve(struct ock_spec *spec, const struct ock_schema *train,
                               const struct ock_schema *validation)
{
    return ock_spec_resolve(spec, train, validation, validation, &kit_faults, &kit_err);
}

START_TEST(defaults_come_from_the_dataset)
{
    struct ock_spec *spec = kit_good("{\"regularization\":{\"l1\":0.5,\"l2\":0.25,"
                                     "\"layers\":{\"2\":{\"l1\":0}}}}");
    ck_assert_int_eq(resolve(spec, &clean, NULL), OCK_OK);
    ck_assert(spec->resolved);
    ck_assert_str_eq(spec->data.target, "class");
    ck_assert_int_eq(spec->data.target_type, OCK_TARGET_TYPE_CLASSES);
    ck_assert_uint_eq(spec->data.feature_count, 2);
    ck_assert_str_eq(spec->data.features[0], "a");
    ck_assert_str_eq(spec->data.features[1], "b");
    ck_assert(spec->data.stratify && !spec->data.target_scaling);
    ck_assert_int_eq(spec->loss, OCK_CROSS_ENTROPY);
    ck_assert_uint_eq(spec->layers[2].units, 3);
    ck_assert_double_eq(spec->layers[0].l1, 0.5);
    ck_assert_double_eq(spec->layers[0].l2, 0.25);
    ck_assert_double_eq(spec->layers[2].l1, 0);
    ck_assert_double_eq(spec->layers[2].l2, 0.25);
    ck_assert_uint_eq(spec->train.report_every, 1);
    /* a second time changes nothing, whatever the data */
    ck_assert_int_eq(resolve(spec, &table, NULL), OCK_OK);
    ck_assert_str_eq(spec->data.target, "class");
    ock_spec_free(spec);
}
END_TEST

/* What a target makes of type, loss, outputs and scaling. */
static const struct {
    const char *target, *more;
    enum ock_target_type type;
    enum ock_loss loss;
    size_t outputs;
    bool stratify, target_scaling;
} targets[] = {
    {"class", "", OCK_TARGET_TYPE_CLASSES, OCK_CROSS_ENTROPY, 3, true, false},
    {"binary", "", OCK_TARGET_TYPE_CLASSES, OCK_CROSS_ENTROPY, 2, true, false},
    {"binary", ",\"loss\":\"binary_cross_entropy\"", OCK_TARGET_TYPE_CLASSES,
     OCK_BINARY_CROSS_ENTROPY, 1, true, false},
    {"binary", ",\"loss\":\"mse\"", OCK_TARGET_TYPE_NUMBER, OCK_MSE, 1, false, true},
    {"price", "", OCK_TARGET_TYPE_NUMBER, OCK_MSE, 1, false, true},
    {"price", ",\"loss\":\"huber\"", OCK_TARGET_TYPE_NUMBER, OCK_HUBER, 1, false, true},
    {"price", ",\"loss\":\"mae\"", OCK_TARGET_TYPE_NUMBER, OCK_MAE, 1, false, true},
};
enum { TARGET_COUNT = sizeof(targets) / sizeof(targets[0]) };

START_TEST(the_target_decides_loss_and_outputs)
{
    char text[300];
    (void)snprintf(text, sizeof(text),
                   "{\"data\":{\"target\":\"%s\",\"features\":[\"b\",\"a\"]}%s}",
                   targets[_i].target, targets[_i].more);
    struct ock_spec *spec = kit_good(text);
    ck_assert_msg(resolve(spec, &table, NULL) == OCK_OK, "%s", kit_show_faults());
    ck_assert_int_eq(spec->data.target_type, targets[_i].type);
    ck_assert_int_eq(spec->loss, targets[_i].loss);
    ck_assert_uint_eq(spec->layers[spec->layer_count - 1].units, targets[_i].outputs);
    ck_assert(spec->data.stratify == targets[_i].stratify);
    ck_assert(spec->data.target_scaling == targets[_i].target_scaling);
    ck_assert_str_eq(spec->data.features[0], "b"); /* in the order that was given */
    /* the resolved text says all that again */
    char *once = kit_write(spec);
    struct ock_spec *again = kit_good(once);
    ck_assert_msg(resolve(again, &table, NULL) == OCK_OK, "%s", kit_show_faults());
    char *twice = kit_write(again);
    ck_assert_str_eq(once, twice);
    free(once);
    free(twice);
    ock_spec_free(spec);
    ock_spec_free(again);
}
END_TEST

START_TEST(given_choices_stay)
{
    struct ock_spec *spec = kit_good("{\"data\":{\"stratify\":false},\"train\":"
                                     "{\"report_every\":7,\"batch_size\":100000}}");
    ck_assert_int_eq(resolve(spec, &clean, NULL), OCK_OK);
    ck_assert(!spec->data.stratify);
    ck_assert_uint_eq(spec->train.report_every, 7);
    ck_assert_uint_eq(spec->train.batch_size, 100000);
    ock_spec_free(spec);
    spec = kit_good("{\"data\":{\"target\":\"price\",\"features\":[\"a\"],"
                    "\"target_scaling\":\"none\"}}");
    ck_assert_int_eq(resolve(spec, &table, NULL), OCK_OK);
    ck_assert(!spec->data.target_scaling);
    ock_spec_free(spec);
}
END_TEST

START_TEST(reports_are_bounded)
{
    static const struct {
        unsigned epochs, every;
    } cases[] = {{1, 1}, {10000, 1}, {10001, 2}, {20000, 2}, {100000000, 10000}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[100];
        (void)snprintf(text, sizeof(text), "{\"train\":{\"epochs\":%u}}", cases[i].epochs);
        struct ock_spec *spec = kit_good(text);
        ck_assert_int_eq(resolve(spec, &clean, NULL), OCK_OK);
        ck_assert_uint_eq(spec->train.report_every, cases[i].every);
        ock_spec_free(spec);
    }
}
END_TEST

#define FEATURES "\"features\":[\"a\",\"b\"]"

static const struct {
    const char *spec;
    const char *pointer, *code, *suggestion;
} bad[] = {
    {"{\"data\":{\"target\":\"clas\"," FEATURES "}}", "/data/target", "unknown_value", "class"},
    {"{\"data\":{" FEATURES "}}", "/data/target", "missing_key", NULL},
    {"{\"data\":{\"target\":\"class\",\"features\":[\"a\",\"bb\"]}}", "/data/features/1",
     "unknown_value", "b"},
    {"{\"data\":{\"target\":\"gaps\"," FEATURES "}}", "/data/target", "unsupported", NULL},
    {"{\"data\":{\"target\":\"same\"," FEATURES "}}", "/data/target", "out_of_range", NULL},
    {"{\"data\":{\"target\":\"price\",\"target_type\":\"classes\"," FEATURES "}}", "/data/target",
     "out_of_range", NULL},
    {"{\"data\":{\"target\":\"class\"," FEATURES "},\"loss\":\"mse\"}", "/data/target",
     "wrong_type", NULL},
    {"{\"data\":{\"target\":\"class\"," FEATURES "},\"loss\":\"binary_cross_entropy\"}", "/loss",
     "unsupported_combination", NULL},
    {"{\"data\":{\"target\":\"class\"," FEATURES "},\"model\":{\"layers\":[{\"type\":\"linear\","
     "\"units\":4}]}}",
     "/model/layers/0/units", "unsupported_combination", NULL},
    {"{\"data\":{\"target\":\"class\",\"class_weight\":{\"rosa\":2}," FEATURES "}}",
     "/data/class_weight/rosa", "unknown_value", "rose"},
    {"{\"data\":{\"target\":\"binary\",\"class_weight\":{\"2\":2}," FEATURES "}}",
     "/data/class_weight/2", "unknown_value", NULL},
    {"{\"data\":{\"target\":\"price\",\"class_weight\":\"balanced\"," FEATURES "}}",
     "/data/class_weight", "unsupported_combination", NULL},
    {"{\"data\":{\"target\":\"price\",\"stratify\":true," FEATURES "}}", "/data/stratify",
     "unsupported_combination", NULL},
    {"{\"data\":{\"target\":\"class\",\"target_scaling\":\"standard\"," FEATURES "}}",
     "/data/target_scaling", "unsupported_combination", NULL},
    {"{\"data\":{\"target\":\"class\",\"weights\":\"wait\"," FEATURES "}}", "/data/weights",
     "unknown_value", NULL},
    {"{\"data\":{\"target\":\"class\",\"weights\":\"weigth\"," FEATURES "}}", "/data/weights",
     "unknown_value", "weight"},
    {"{\"data\":{\"target\":\"class\",\"weights\":\"colour\"," FEATURES "}}", "/data/weights",
     "wrong_type", NULL},
    {"{\"data\":{\"target\":\"class\",\"weights\":\"gaps\"," FEATURES "}}", "/data/weights",
     "out_of_range", NULL},
    {"{\"data\":{\"target\":\"class\",\"weights\":\"a\",\"features\":[\"b\"]}}", "/data/weights",
     "out_of_range", NULL},
    {"{\"data\":{\"target\":\"price\"," FEATURES "},\"train\":{\"early_stopping\":"
     "{\"metric\":\"validation.accuracy\"}}}",
     "/train/early_stopping/metric", "unsupported_combination", NULL},
    {"{\"data\":{\"target\":\"class\"," FEATURES "},\"train\":{\"early_stopping\":"
     "{\"metric\":\"validation.mae\"}}}",
     "/train/early_stopping/metric", "unsupported_combination", NULL},
    {"{\"data\":{\"target\":\"class\",\"validation\":0.001," FEATURES "},\"train\":"
     "{\"early_stopping\":{}}}",
     "/train/early_stopping", "unsupported_combination", NULL},
};
enum { BAD_COUNT = sizeof(bad) / sizeof(bad[0]) };

START_TEST(what_does_not_fit_the_data_is_told_once)
{
    struct ock_spec *spec = kit_good(bad[_i].spec);
    char *before = kit_write(spec);
    ck_assert_int_eq(resolve(spec, &table, NULL), OCK_INVALID);
    kit_only_fault(bad[_i].spec, bad[_i].pointer, bad[_i].code, bad[_i].suggestion);
    char *after = kit_write(spec);
    ck_assert_str_eq(before, after); /* judged, not touched */
    ck_assert(!spec->resolved);
    free(before);
    free(after);
    ock_spec_free(spec);
}
END_TEST

START_TEST(all_other_columns_are_features)
{
    struct ock_spec *spec = kit_good("{\"data\":{\"target\":\"class\"}}");
    ck_assert_int_eq(resolve(spec, &table, NULL), OCK_OK);
    ck_assert_uint_eq(spec->data.feature_count, table.column_count - 1);
    ock_spec_free(spec);
}
END_TEST

START_TEST(the_target_alone_is_not_enough)
{
    struct ock_schema one = clean;
    one.columns = &clean_columns[2];
    one.column_count = 1;
    one.target = 0;
    struct ock_spec *spec = kit_good("{}");
    ck_assert_int_eq(resolve(spec, &one, NULL), OCK_INVALID);
    kit_only_fault("{}", "/data/features", "out_of_range", NULL);
    ock_spec_free(spec);
}
END_TEST

START_TEST(no_rows_are_refused)
{
    struct ock_schema empty = clean;
    empty.rows = 0;
    struct ock_spec *spec = kit_good("{}");
    ck_assert_int_eq(resolve(spec, &empty, NULL), OCK_INVALID);
    kit_only_fault("{}", "/data/dataset", "out_of_range", NULL);
    ock_spec_free(spec);
}
END_TEST

/* Validation datasets by what is wrong with them; the words that the fault must hold. */
START_TEST(another_dataset_must_have_the_same_columns)
{
    static const char *const strange[] = {"lily", "orchid"};
    struct ock_column other[3];
    struct ock_schema schema = clean;
    const struct {
        const char *words; /* NULL: it is good */
        size_t column;
        struct ock_column changed;
    } cases[] = {
        {NULL, 0, clean_columns[0]},
        {"lacks \"a\"", 0, {.name = "A", .type = OCK_COLUMN_NUMBER}},
        {"\"b\"",
         1,
         {.name = "b", .type = OCK_COLUMN_CATEGORY, .value_count = 2, .values = yes_no}},
        {NULL, 0, {.name = "a", .type = OCK_COLUMN_NUMBER, .missing = 1}},
        {"\"class\"",
         2,
         {.name = "class",
          .type = OCK_COLUMN_CATEGORY,
          .missing = 1,
          .value_count = 2,
          .values = clean_columns[2].values}},
        {"\"orchid\"",
         2,
         {.name = "class", .type = OCK_COLUMN_CATEGORY, .value_count = 2, .values = strange}},
        {"lacks \"class\"", 2, {.name = "kind", .type = OCK_COLUMN_CATEGORY}},
    };
    schema.columns = other;
    schema.rows = 40;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ock_spec *spec = kit_good("{\"data\":{\"validation\":{\"dataset\":\"v\"}},"
                                         "\"train\":{\"early_stopping\":{}}}");
        memcpy(other, clean_columns, sizeof(other));
        other[cases[i].column] = cases[i].changed;
        enum ock_status status = resolve(spec, &clean, &schema);
        ck_assert_int_eq(status, cases[i].words ? OCK_INVALID : OCK_OK);
        if (cases[i].words) {
            kit_only_fault(cases[i].words, "/data/validation", "unsupported_combination", NULL);
            ck_assert_msg(strstr(kit_faults.items[0].detail, cases[i].words) != NULL, "%s",
                          kit_faults.items[0].detail);
        }
        ock_spec_free(spec);
    }
}
END_TEST

START_TEST(many_unknown_columns_are_quick_and_counted)
{
    char text[4000] = "{\"data\":{\"target\":\"class\",\"features\":[";
    for (int i = 0; i < 100; i++)
        (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s\"column-%d\"",
                       i ? "," : "", i);
    (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "]}}");
    struct ock_spec *spec = kit_good(text);
    ck_assert_int_eq(resolve(spec, &table, NULL), OCK_INVALID);
    ck_assert_uint_eq(kit_faults.count, OCK_FAULTS_MAX);
    ck_assert_uint_eq(kit_faults.dropped, 100 - OCK_FAULTS_MAX);
    ock_spec_free(spec);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    struct ock_spec *spec = kit_good("{\"data\":{\"target\":\"class\",\"features\":[\"b\"]}}");
    char *before = kit_write(spec);
    long n = 0;
    for (;; n++) {
        alloc_fail_after(n);
        enum ock_status status = resolve(spec, &table, NULL);
        bool failed = alloc_fail_stop();
        ck_assert_int_eq(status, failed ? OCK_NOMEM : OCK_OK);
        ck_assert(spec->resolved == !failed);
        if (!failed)
            break;
        char *after = kit_write(spec);
        ck_assert_str_eq(before, after);
        free(after);
    }
    ck_assert_int_ge(n, 2);
    free(before);
    ock_spec_free(spec);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("spec_resolve");
    TCase *tcase = tcase_create("resolve");
    tcase_add_test(tcase, defaults_come_from_the_dataset);
    tcase_add_loop_test(tcase, the_target_decides_loss_and_outputs, 0, TARGET_COUNT);
    tcase_add_test(tcase, given_choices_stay);
    tcase_add_test(tcase, reports_are_bounded);
    tcase_add_loop_test(tcase, what_does_not_fit_the_data_is_told_once, 0, BAD_COUNT);
    tcase_add_test(tcase, all_other_columns_are_features);
    tcase_add_test(tcase, the_target_alone_is_not_enough);
    tcase_add_test(tcase, no_rows_are_refused);
    tcase_add_test(tcase, another_dataset_must_have_the_same_columns);
    tcase_add_test(tcase, many_unknown_columns_are_quick_and_counted);
    if (ALLOC_CAN_FAIL)
        tcase_add_test(tcase, every_allocation_may_fail);
    suite_add_tcase(suite, tcase);
    return kit_run(suite);
}
