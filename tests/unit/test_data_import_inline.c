/* Arrays in a job's JSON to datasets, and every fault in them by its JSON pointer. */
#include "tests/unit/data_kit.h"

#include "core/base/json.h"

static cJSON *parse(const char *text)
{
    static struct ock_faults faults;
    struct ock_err err = {.text = ""};
    cJSON *json = NULL;
    ck_assert_msg(ock_json_parse(&json, text, strlen(text), &faults, &err) == OCK_OK, "%s",
                  err.text);
    return json;
}

static struct ock_dataset *import(const char *text)
{
    static struct ock_faults faults;
    struct ock_err err = {.text = ""};
    cJSON *json = parse(text);
    enum ock_status status =
        ock_import_inline(json, "/data/inline", kit_path("out"), &faults, &err);
    ck_assert_msg(status == OCK_OK, "%s", err.text);
    ck_assert_uint_eq(faults.count, 0);
    cJSON_Delete(json);
    return kit_open("out");
}

START_TEST(numbers_become_columns)
{
    struct ock_dataset *dataset =
        import("{\"x\": [[1, 0.5], [2, 16777217], [-3, 1]], \"y\": [1.5, 2, 2.5]}");
    const struct ock_schema *schema = ock_dataset_schema(dataset);
    ck_assert_str_eq(schema->format, "inline");
    ck_assert_uint_eq(schema->rows, 3);
    ck_assert_uint_eq(schema->column_count, 3);
    ck_assert_uint_eq(schema->target, 2);
    ck_assert_str_eq(schema->columns[0].name, "x0");
    ck_assert_str_eq(schema->columns[1].name, "x1");
    ck_assert_str_eq(schema->columns[2].name, "y");
    ck_assert_double_eq(kit_number(dataset, "x0", 2), -3);
    ck_assert_double_eq(kit_number(dataset, "x1", 1), 16777217); /* as float64 */
    ck_assert_double_eq(kit_number(dataset, "y", 2), 2.5);
    const char *because = NULL;
    ck_assert_int_eq(ock_schema_target_kind(schema, 2, &because), OCK_TARGET_NUMBER);
    ock_dataset_free(dataset);
}
END_TEST

START_TEST(texts_and_booleans_become_classes)
{
    const char *because = NULL;
    struct ock_dataset *dataset =
        import("{\"x\": [[1], [2], [3]], \"y\": [\"b\", \"\\u00e9\", \"a\"]}");
    ck_assert_str_eq(kit_text(dataset, "y", 0), "b");
    ck_assert_str_eq(kit_text(dataset, "y", 1), "\xc3\xa9");
    ck_assert_str_eq(kit_column(dataset, "y")->values[0], "a");
    ck_assert_int_eq(ock_schema_target_kind(ock_dataset_schema(dataset), 1, &because),
                     OCK_TARGET_CLASSES);
    ck_assert_str_eq(because, "text");
    ock_dataset_free(dataset);

    dataset = import("{\"x\": [[1], [2]], \"y\": [true, false]}");
    ck_assert_str_eq(kit_text(dataset, "y", 0), "true");
    ck_assert(kit_column(dataset, "y")->boolean);
    ck_assert_int_eq(ock_schema_target_kind(ock_dataset_schema(dataset), 1, &because),
                     OCK_TARGET_CLASSES);
    ck_assert_str_eq(because, "true or false");
    ock_dataset_free(dataset);
}
END_TEST

/* By bytes "10" would come before "2", and "1.0" would be a class of its own. */
START_TEST(texts_that_are_numbers_are_sorted_by_value)
{
    struct ock_dataset *dataset =
        import("{\"x\": [[1], [2], [3], [4]], \"y\": [\"10\", \"2\", \"1.0\", \"1\"]}");
    const struct ock_column *y = kit_column(dataset, "y");
    ck_assert_uint_eq(y->value_count, 3);
    ck_assert_str_eq(y->values[1], "2");
    ck_assert_str_eq(y->values[2], "10");
    ck_assert_double_eq(kit_number(dataset, "y", 0), 2);
    ck_assert_double_eq(kit_number(dataset, "y", 2), 0);
    ck_assert_double_eq(kit_number(dataset, "y", 3), 0);
    ock_dataset_free(dataset);
}
END_TEST

static const struct {
    const char *text, *pointer, *code, *says;
} cases[] = {
    {"[]", "/data/inline", "wrong_type", "object"},
    {"{\"y\": [1]}", "/data/inline/x", "missing_key", ""},
    {"{\"x\": [[1]]}", "/data/inline/y", "missing_key", ""},
    {"{\"x\": [[1]], \"y\": [1], \"z/a\": 1}", "/data/inline/z~1a", "unknown_key", "x and y"},
    {"{\"x\": 1, \"y\": [1]}", "/data/inline/x", "wrong_type", "array"},
    {"{\"x\": [], \"y\": []}", "/data/inline/x", "out_of_range", "empty"},
    {"{\"x\": [1], \"y\": [1]}", "/data/inline/x/0", "wrong_type", "array"},
    {"{\"x\": [[]], \"y\": [1]}", "/data/inline/x/0", "out_of_range", "no numbers"},
    {"{\"x\": [[1, 2], [3]], \"y\": [1, 2]}", "/data/inline/x/1", "wrong_length",
     "has 1 numbers, the rows before have 2"},
    {"{\"x\": [[1, \"a\"]], \"y\": [1]}", "/data/inline/x/0/1", "wrong_type", "number"},
    {"{\"x\": [[1, null]], \"y\": [1]}", "/data/inline/x/0/1", "wrong_type", "number"},
    {"{\"x\": [[1]], \"y\": [null]}", "/data/inline/y/0", "wrong_type", "number, a string"},
    {"{\"x\": [[1]], \"y\": [[1]]}", "/data/inline/y/0", "wrong_type", "number, a string"},
    {"{\"x\": [[1], [2]], \"y\": [1, \"a\"]}", "/data/inline/y/1", "wrong_type", "is a string"},
    {"{\"x\": [[1], [2]], \"y\": [true, 1]}", "/data/inline/y/1", "wrong_type", "is a number"},
    {"{\"x\": [[1], [2]], \"y\": [1]}", "/data/inline/y", "wrong_length", "1 targets"},
    {"{\"x\": [[1]], \"y\": [1, 2]}", "/data/inline/y", "wrong_length", "2 targets"},
};

START_TEST(faults_have_their_pointer)
{
    static struct ock_faults faults;
    struct ock_err err = {.text = ""};
    cJSON *json = parse(cases[_i].text);
    ck_assert_int_eq(ock_import_inline(json, "/data/inline", kit_path("out"), &faults, &err),
                     OCK_INVALID);
    ck_assert_uint_ge(faults.count, 1);
    ck_assert_str_eq(faults.items[0].pointer, cases[_i].pointer);
    ck_assert_str_eq(faults.items[0].code, cases[_i].code);
    ck_assert_ptr_nonnull(strstr(faults.items[0].detail, cases[_i].says));
    ck_assert_int_ne(access(kit_path("out"), F_OK), 0);
    cJSON_Delete(json);
}
END_TEST

START_TEST(all_faults_come_at_once)
{
    static struct ock_faults faults;
    cJSON *json = parse("{\"x\": [[1, 2], [3], [4, \"b\"]], \"y\": [1, 2, null]}");
    ck_assert_int_eq(ock_import_inline(json, "/d", kit_path("out"), &faults, NULL), OCK_INVALID);
    ck_assert_uint_eq(faults.count, 3);
    ck_assert_str_eq(faults.items[1].pointer, "/d/x/2/1");
    ck_assert_str_eq(faults.items[2].pointer, "/d/y/2");
    cJSON_Delete(json);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

int main(void)
{
    Suite *suite = suite_create("data_import_inline");
    TCase *tcase = tcase_create("inline");
    tcase_add_checked_fixture(tcase, kit_setup, kit_teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, numbers_become_columns);
    tcase_add_test(tcase, texts_and_booleans_become_classes);
    tcase_add_test(tcase, texts_that_are_numbers_are_sorted_by_value);
    tcase_add_loop_test(tcase, faults_have_their_pointer, 0, COUNT(cases));
    tcase_add_test(tcase, all_faults_come_at_once);
    suite_add_tcase(suite, tcase);
    return kit_run(suite);
}
