/* svmlight: from "label index:value …" to sparse rows, and every fault with its place. */
#include "tests/unit/data_kit.h"

static struct ock_dataset *read_text(const char *text)
{
    return kit_csv(text, (struct ock_import){.format = OCK_FORMAT_SVMLIGHT});
}

static const struct ock_block *sparse_block(const struct ock_dataset *dataset)
{
    size_t count;
    const struct ock_block *blocks = ock_dataset_blocks(dataset, &count);
    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(blocks[0].storage, OCK_STORE_CSR);
    return &blocks[0];
}

START_TEST(rows_become_sparse_rows)
{
    struct ock_dataset *dataset = read_text("\xef\xbb\xbf# a comment\n"
                                            "+1 1:0.5 3:-2e1 # the rest: 4:4\r\n"
                                            "\n"
                                            "-1\t2:1\t3:0 \n"
                                            "-1\n"
                                            "+1 qid:7 4:3");
    const struct ock_schema *schema = ock_dataset_schema(dataset);
    const struct ock_block *block = sparse_block(dataset);
    struct ock_err err = {.text = ""};
    ck_assert_uint_eq(schema->rows, 4);
    ck_assert_uint_eq(schema->column_count, 5);
    ck_assert_uint_eq(schema->target, 4);
    ck_assert_str_eq(schema->columns[0].name, "1");
    ck_assert_str_eq(schema->columns[3].name, "4");
    ck_assert_str_eq(schema->columns[4].name, "label");
    ck_assert_str_eq(schema->format, "svmlight");
    ck_assert(schema->sparse);
    ck_assert_uint_eq(schema->nonzeros, 4);
    const size_t begin[] = {0, 2, 3, 3, 4};
    const uint32_t index[] = {0, 2, 1, 3};
    const float value[] = {0.5f, -20.0f, 1.0f, 3.0f};
    ck_assert_mem_eq(block->sparse.begin, begin, sizeof(begin));
    ck_assert_mem_eq(block->sparse.index, index, sizeof(index));
    ck_assert_mem_eq(block->sparse.value, value, sizeof(value));
    ck_assert_int_eq(ock_block_check_sparse(block, schema->rows, &err), OCK_OK);
    ck_assert_double_eq(kit_number(dataset, "3", 0), -20);
    ck_assert_double_eq(kit_number(dataset, "3", 1), 0);
    ck_assert_double_eq(kit_number(dataset, "label", 1), -1);
    ck_assert_double_eq(schema->columns[2].min, -20);
    ck_assert_double_eq(schema->columns[2].max, 0);
    ck_assert_double_eq(schema->columns[2].mean, -5);
    const char *because;
    ck_assert_int_eq(ock_schema_target_kind(schema, 4, &because), OCK_TARGET_CLASSES);
    ck_assert_int_eq(ock_dataset_verify(dataset, &err), OCK_OK);
    ock_dataset_free(dataset);
}
END_TEST

START_TEST(a_zero_index_counts_from_zero)
{
    struct ock_dataset *dataset = read_text("2.5 1:1\n3.5 0:1 2:1\n");
    const struct ock_schema *schema = ock_dataset_schema(dataset);
    ck_assert_uint_eq(schema->column_count, 4);
    ck_assert_str_eq(schema->columns[0].name, "0");
    ck_assert_double_eq(kit_number(dataset, "0", 1), 1);
    ck_assert_double_eq(kit_number(dataset, "1", 0), 1);
    const char *because;
    ck_assert_int_eq(ock_schema_target_kind(schema, 3, &because), OCK_TARGET_NUMBER);
    ock_dataset_free(dataset);
}
END_TEST

/* Rows for a model that knows indices up to 4: what is beyond takes no columns. */
START_TEST(terms_beyond_a_models_are_passed_over)
{
    static const struct {
        const char *text;
        size_t columns, terms; /* columns without the label */
    } cases[] = {
        {"1 2:1 4:2 5:3 1000000:4\n0 3:1\n", 4, 3},
        {"1 0:1 9:2\n0\n", 5, 1},
        {"1 9:1\n", 1, 0},
        {"1\n", 1, 0},
        {"1 3:0 7:1\n", 4, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ock_dataset *dataset = kit_csv(
            cases[i].text, (struct ock_import){.format = OCK_FORMAT_SVMLIGHT, .index_max = 4});
        const struct ock_schema *schema = ock_dataset_schema(dataset);
        ck_assert_uint_eq(schema->column_count, cases[i].columns + 1);
        ck_assert_uint_eq(schema->nonzeros, cases[i].terms);
        ck_assert_int_eq(ock_block_check_sparse(sparse_block(dataset), schema->rows, NULL), OCK_OK);
        ock_dataset_free(dataset);
    }
}
END_TEST

START_TEST(it_is_found_by_its_content)
{
    static const char *const texts[] = {"+1 1:0.5 3:1\n-1 2:1\n", "# c\n1 1:1\n", "3 qid:1 1:2\n"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct ock_dataset *dataset = kit_csv(texts[i], (struct ock_import){0});
        ck_assert_str_eq(ock_dataset_schema(dataset)->format, "svmlight");
        ock_dataset_free(dataset);
    }
}
END_TEST

static const struct {
    const char *text;
    enum ock_status status;
    const char *says[2];
} faults[] = {
    {"", OCK_INVALID, {"empty", ""}},
    {"# nothing\n\n", OCK_INVALID, {"empty", ""}},
    {"1\n-1\n", OCK_INVALID, {"no features", ""}},
    {"1 1:1\n1:1 2:1\n", OCK_INVALID, {"line 2, column 1", "a label"}},
    {"1 1:1\nx 2:1\n", OCK_INVALID, {"line 2, column 1", "a number as the label, found \"x\""}},
    {"nan 1:1\n", OCK_INVALID, {"line 1, column 1", "a number as the label"}},
    {"1e999 1:1\n", OCK_INVALID, {"line 1, column 1", "a number as the label"}},
    {"1,3 1:1\n", OCK_INVALID, {"line 1, column 1", "one label"}},
    {"1 1:1 2\n", OCK_INVALID, {"line 1, column 7", "index:value"}},
    {"1 1:1 2:\n", OCK_INVALID, {"line 1, column 7", "index:value"}},
    {"1 1:1 :2\n", OCK_INVALID, {"line 1, column 7", "index:value"}},
    {"1 1:1 -2:2\n", OCK_INVALID, {"line 1, column 7", "index:value"}},
    {"1 1:1 2:x\n", OCK_INVALID, {"line 1, column 7", "found \"2:x\""}},
    {"1 1:1 2:nan\n", OCK_INVALID, {"line 1, column 7", "finite"}},
    {"1 1:1 2:inf\n", OCK_INVALID, {"line 1, column 7", "finite"}},
    {"1 1:1 2:1e39\n", OCK_INVALID, {"line 1, column 7", "finite"}},
    {"1 1:1 2:1:3\n", OCK_INVALID, {"line 1, column 7", "found \"2:1:3\""}},
    {"1 2:1 2:1\n", OCK_INVALID, {"line 1, column 7", "expected rising ones"}},
    {"1 2:1 1:1\n", OCK_INVALID, {"line 1, column 7", "the index 1 stands behind 2"}},
    {"1 9223372036854775808:1\n", OCK_LIMIT, {"line 1, column 3", "1048576"}},
    {"1 99999999999999999999999999:1\n", OCK_LIMIT, {"line 1, column 3", "1048576"}},
    {"1 1048577:1\n", OCK_LIMIT, {"line 1, column 3", "limit"}},
};

START_TEST(faults_are_told_with_their_place)
{
    struct ock_err err = {.text = ""};
    kit_write("in", faults[_i].text, strlen(faults[_i].text));
    enum ock_status status =
        kit_import((struct ock_import){.format = OCK_FORMAT_SVMLIGHT}, 0, &err);
    ck_assert_msg(status == faults[_i].status, "%s: %s", ock_status_name(status), err.text);
    for (size_t i = 0; i < 2; i++)
        ck_assert_msg(strstr(err.text, faults[_i].says[i]) != NULL, "%s", err.text);
    ck_assert_int_ne(access(kit_path("out"), F_OK), 0);
    ck_assert_int_ne(access(kit_path("out.tmp"), F_OK), 0);
}
END_TEST

START_TEST(the_target_is_the_label)
{
    struct ock_err err = {.text = ""};
    const char *text = "1 1:1\n2 2:1\n";
    kit_write("in", text, strlen(text));
    struct ock_import import = {.format = OCK_FORMAT_SVMLIGHT, .target = "1"};
    ck_assert_int_eq(kit_import(import, 0, &err), OCK_INVALID);
    ck_assert_msg(strstr(err.text, "label") != NULL, "%s", err.text);
    import.target = "label";
    ck_assert_int_eq(kit_import(import, 0, &err), OCK_OK);
}
END_TEST

/* What the file says of its terms is not believed. */
START_TEST(damaged_sparse_rows_are_refused)
{
    struct ock_err err = {.text = ""};
    struct ock_dataset *dataset = read_text("1 1:1 3:1\n2 2:1\n1 1:1\n");
    ock_dataset_free(dataset);

    FILE *file = fopen(kit_path("out"), "rb");
    ck_assert_ptr_nonnull(file);
    static char bytes[4096];
    size_t size = fread(bytes, 1, sizeof(bytes), file);
    ck_assert_int_eq(fclose(file), 0);
    /* The block stands behind the header of 512 bytes: four begins, then indices. */
    const struct {
        size_t at;
        uint64_t value;
        size_t width;
        bool opens;
    } changes[] = {
        {512 + 24, UINT64_MAX, 8, false},
        {512 + 24, 1000000, 8, false},
        {512 + 8, 5, 8, true},
        {512 + 8, 3, 8, true},
        {512 + 64, 7, 4, true},
        {512 + 64, 2, 4, true},
        {512, 1, 8, true},
    };
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        static char copy[4096];
        memcpy(copy, bytes, size);
        memcpy(copy + changes[i].at, &changes[i].value, changes[i].width);
        kit_write("other", copy, size);
        struct ock_dataset *damaged = NULL;
        enum ock_status status = ock_dataset_open(&damaged, kit_path("other"), &err);
        ck_assert_int_eq(status, changes[i].opens ? OCK_OK : OCK_CORRUPT);
        if (status == OCK_OK) {
            ck_assert_int_eq(ock_block_check_sparse(sparse_block(damaged), 3, &err), OCK_CORRUPT);
            for (size_t row = 0; row < 3; row++)
                (void)ock_dataset_number(damaged, 0, row);
        }
        ock_dataset_free(damaged);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("svmlight");
    TCase *tests = tcase_create("import");
    tcase_add_checked_fixture(tests, kit_setup, kit_teardown);
    tcase_add_test(tests, rows_become_sparse_rows);
    tcase_add_test(tests, a_zero_index_counts_from_zero);
    tcase_add_test(tests, it_is_found_by_its_content);
    tcase_add_test(tests, terms_beyond_a_models_are_passed_over);
    tcase_add_loop_test(tests, faults_are_told_with_their_place, 0,
                        (int)(sizeof(faults) / sizeof(faults[0])));
    tcase_add_test(tests, the_target_is_the_label);
    tcase_add_test(tests, damaged_sparse_rows_are_refused);
    suite_add_tcase(suite, tests);
    return kit_run(suite);
}
