/* The dataset file: what a damaged or foreign one does, how columns serve as targets, and the schema
 * as JSON. Damage is tried at every byte of a small file: opening may refuse it or not, but never
 * reads outside (the sanitizers watch), and the checksum always notices. */
#include "tests/unit/data_kit.h"

#include <time.h>

#include "core/base/file.h"
#include "core/base/json.h"

static const char table[] = "n,kind,half\n1,red,0.5\n2,blue,1.5\n3,red,\n";

/* With words for missing values, which then are the last of its texts. */
static const struct ock_import worded = {.missing = "-,lost"};

/* Touches all that a schema points to. */
static size_t touch(const struct ock_dataset *dataset)
{
    const struct ock_schema *schema = ock_dataset_schema(dataset);
    size_t sum = strlen(schema->format) + strlen(ock_dataset_sha256(dataset));
    sum += schema->missing ? strlen(schema->missing) : 0;
    for (size_t c = 0; c < schema->column_count; c++) {
        sum += strlen(schema->columns[c].name);
        for (size_t i = 0; i < schema->columns[c].value_count; i++)
            sum += strlen(schema->columns[c].values[i]);
        for (size_t row = 0; row < schema->rows; row++)
            sum += ock_dataset_number(dataset, c, row) > 0;
    }
    return sum;
}

START_TEST(damage_at_any_byte_is_found)
{
    ock_dataset_free(kit_csv(table, worded));
    struct ock_buf bytes;
    ock_buf_init(&bytes, 1 << 20);
    ck_assert_int_eq(ock_file_read(kit_path("out"), &bytes, NULL), OCK_OK);
    size_t opened = 0;
    for (size_t i = 0; i < bytes.size; i++) {
        char *copy = malloc(bytes.size);
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, bytes.data, bytes.size);
        copy[i] = (char)(copy[i] ^ (i % 2 ? 0xff : 0x01));
        kit_write("other", copy, bytes.size);
        free(copy);
        struct ock_dataset *dataset = NULL;
        struct ock_err err = {.text = ""};
        enum ock_status status = ock_dataset_open(&dataset, kit_path("other"), &err);
        if (status != OCK_OK) {
            ck_assert_int_eq(status, OCK_CORRUPT);
            ck_assert_ptr_null(dataset);
            continue;
        }
        opened++;
        ck_assert_uint_gt(touch(dataset), 0);
        ck_assert_int_eq(ock_dataset_verify(dataset, &err), OCK_CORRUPT);
        ock_dataset_free(dataset);
    }
    ck_assert_uint_gt(opened, 0); /* numbers in the blocks are not looked at */
    ck_assert_uint_lt(opened, bytes.size);
    ock_buf_deinit(&bytes);
}
END_TEST

START_TEST(a_cut_file_is_refused)
{
    ock_dataset_free(kit_csv(table, (struct ock_import){0}));
    struct ock_buf bytes;
    ock_buf_init(&bytes, 1 << 20);
    ck_assert_int_eq(ock_file_read(kit_path("out"), &bytes, NULL), OCK_OK);
    for (size_t size = 0; size < bytes.size; size += 1 + size / 16) {
        struct ock_dataset *dataset = NULL;
        kit_write("other", bytes.data, size);
        ck_assert_int_eq(ock_dataset_open(&dataset, kit_path("other"), NULL), OCK_CORRUPT);
    }
    ock_buf_deinit(&bytes);
}
END_TEST

START_TEST(foreign_files_are_refused)
{
    struct ock_dataset *dataset = NULL;
    struct ock_err err = {.text = ""};
    ck_assert_int_eq(ock_dataset_open(&dataset, kit_path("other"), &err), OCK_NOTFOUND);
    char zeros[4096] = {0};
    kit_write("other", zeros, sizeof(zeros));
    ck_assert_int_eq(ock_dataset_open(&dataset, kit_path("other"), &err), OCK_CORRUPT);
    ck_assert_ptr_nonnull(strstr(err.text, "not a dataset file"));
    ck_assert_int_eq(ock_dataset_open(&dataset, "/tmp", &err), OCK_INVALID);
    ck_assert_ptr_null(dataset);
    ock_dataset_free(NULL);
}
END_TEST

START_TEST(a_good_file_is_verified)
{
    struct ock_dataset *dataset = kit_csv(table, (struct ock_import){0});
    ck_assert_int_eq(ock_dataset_verify(dataset, NULL), OCK_OK);
    ck_assert_uint_eq(strlen(ock_dataset_sha256(dataset)), 64);
    struct ock_dataset *other = kit_csv_as("other", "n,kind,half\n1,red,0.5\n2,blue,1.5\n3,red,0\n",
                                           (struct ock_import){0});
    ck_assert_str_ne(ock_dataset_sha256(dataset), ock_dataset_sha256(other));
    struct ock_dataset *third = kit_csv_as("third", table, (struct ock_import){.target = "kind"});
    ck_assert_str_ne(ock_dataset_sha256(dataset),
                     ock_dataset_sha256(third)); /* the schema counts */
    ock_dataset_free(dataset);
    ock_dataset_free(other);
    ock_dataset_free(third);
}
END_TEST

static const struct {
    const char *text;
    enum ock_target_kind kind;
    const char *because;
} kinds[] = {
    {"v,t\n1,a\n2,b\n", OCK_TARGET_CLASSES, "text"},
    {"v,t\n1,yes\n2,no\n", OCK_TARGET_CLASSES, "true or false"},
    {"v,t\n1,0\n2,1\n", OCK_TARGET_CLASSES, "whole numbers with 2 distinct values"},
    {"v,t\n1,7\n2,7\n", OCK_TARGET_CLASSES, "whole numbers with one value"},
    {"v,t\n1,0.5\n2,1\n", OCK_TARGET_NUMBER, "numbers with fractions"},
};

START_TEST(a_target_is_classes_or_a_number)
{
    struct ock_dataset *dataset = kit_csv(kinds[_i].text, (struct ock_import){0});
    const char *because = NULL;
    ck_assert_int_eq(ock_schema_target_kind(ock_dataset_schema(dataset), 1, &because),
                     kinds[_i].kind);
    ck_assert_str_eq(because, kinds[_i].because);
    ock_dataset_free(dataset);
}
END_TEST

/* 20 distinct whole numbers are classes, 21 are a number. */
START_TEST(twenty_whole_numbers_are_classes)
{
    for (int count = 20; count <= 21; count++) {
        char text[512];
        const char *because = NULL;
        int used = snprintf(text, sizeof(text), "v,t\n");
        for (int i = 0; i < count; i++)
            used += snprintf(text + used, sizeof(text) - (size_t)used, "0,%d\n", i);
        struct ock_dataset *dataset = kit_csv(text, (struct ock_import){0});
        ck_assert_int_eq(ock_schema_target_kind(ock_dataset_schema(dataset), 1, &because),
                         count == 20 ? OCK_TARGET_CLASSES : OCK_TARGET_NUMBER);
        ck_assert_str_eq(because, count == 20 ? "whole numbers with 20 distinct values"
                                              : "whole numbers with more than 20 distinct values");
        ock_dataset_free(dataset);
    }
}
END_TEST

START_TEST(the_schema_is_told_as_json)
{
    struct ock_dataset *dataset = kit_csv(table, (struct ock_import){.target = "kind"});
    struct ock_buf out;
    ock_buf_init(&out, 1 << 16);
    ock_schema_write(ock_dataset_schema(dataset), 2, &out);
    ck_assert_str_eq(
        out.data,
        "{\"rows\":3,\"format\":\"csv\",\"columns_count\":3,\"columns\":["
        "{\"name\":\"n\",\"type\":\"number\",\"missing\":0,\"min\":1,\"max\":3,\"mean\":2,"
        "\"distinct\":3},"
        "{\"name\":\"kind\",\"type\":\"category\",\"missing\":0,\"distinct\":2}],"
        "\"target\":{\"name\":\"kind\",\"kind\":\"classes\",\"classes\":[\"blue\",\"red\"],"
        "\"classes_count\":2,\"because\":\"text\"}}");
    ock_buf_deinit(&out);
    ock_dataset_free(dataset);
}
END_TEST

START_TEST(words_for_missing_values_are_kept)
{
    struct ock_dataset *usual = kit_csv(table, (struct ock_import){0});
    ck_assert_ptr_null(ock_dataset_schema(usual)->missing);
    static const char *const words[] = {"-,lost", ""};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        struct ock_dataset *told =
            kit_csv_as("other", table, (struct ock_import){.missing = words[i]});
        ck_assert_str_eq(ock_dataset_schema(told)->missing, words[i]);
        ck_assert_str_eq(ock_dataset_schema(told)->columns[1].values[1], "red");
        ck_assert_int_eq(ock_dataset_verify(told, NULL), OCK_OK);
        struct ock_buf out;
        ock_buf_init(&out, 1 << 16);
        ock_schema_write(ock_dataset_schema(told), 0, &out);
        char wanted[64];
        (void)snprintf(wanted, sizeof(wanted), ",\"missing_words\":\"%s\",", words[i]);
        ck_assert_ptr_nonnull(strstr(out.data, wanted));
        ock_buf_deinit(&out);
        ock_dataset_free(told);
    }
    ock_dataset_free(usual);
}
END_TEST

/* Nothing of a small file's opening may grow with anything but its columns. */
START_TEST(opening_is_quick)
{
    struct ock_import import = {.source = OCK_TEST_DATA "/digits.csv.gz", .out = kit_path("out")};
    ck_assert_int_eq(ock_import_run(&import, NULL), OCK_OK);
    double best_s = 1;
    for (int i = 0; i < 20; i++) {
        struct timespec begin, end;
        struct ock_dataset *dataset = NULL;
        (void)clock_gettime(CLOCK_MONOTONIC, &begin);
        ck_assert_int_eq(ock_dataset_open(&dataset, kit_path("out"), NULL), OCK_OK);
        (void)clock_gettime(CLOCK_MONOTONIC, &end);
        ock_dataset_free(dataset);
        double took_s =
            (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec);
        best_s = took_s < best_s ? took_s : best_s;
    }
    ck_assert_double_lt(best_s, 1e-3);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

int main(void)
{
    Suite *suite = suite_create("data_dataset");
    TCase *tcase = tcase_create("dataset");
    tcase_add_checked_fixture(tcase, kit_setup, kit_teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, damage_at_any_byte_is_found);
    tcase_add_test(tcase, a_cut_file_is_refused);
    tcase_add_test(tcase, foreign_files_are_refused);
    tcase_add_test(tcase, a_good_file_is_verified);
    tcase_add_loop_test(tcase, a_target_is_classes_or_a_number, 0, COUNT(kinds));
    tcase_add_test(tcase, twenty_whole_numbers_are_classes);
    tcase_add_test(tcase, the_schema_is_told_as_json);
    tcase_add_test(tcase, words_for_missing_values_are_kept);
    tcase_add_test(tcase, opening_is_quick);
    suite_add_tcase(suite, tcase);
    return kit_run(suite);
}
