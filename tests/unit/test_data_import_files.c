/* CSV as people have it: numbers to the last bit, real files with their known facts, a table longer
 * than any buffer. */
#include "tests/unit/data_kit.h"

#include <inttypes.h>

#include "core/data/field.h"
#include "core/data/field_short.h"

START_TEST(fields_are_the_nearest_doubles)
{
    static const char *const numbers[] = {"0",
                                          "1",
                                          "-1",
                                          "0.1",
                                          "3.14159265358979",
                                          "9007199254740993",
                                          "1e22",
                                          "1e23",
                                          "1e-22",
                                          "1e-23",
                                          "123456789012345678901234",
                                          "0.30000000000000004",
                                          "5e-324",
                                          "4.9e-324",
                                          "2.2250738585072011e-308",
                                          "1.7976931348623157e308",
                                          "8.5e-5",
                                          "1234567890.0123456789",
                                          "00000000000000000000000000012",
                                          "0.000000000000000000000000012",
                                          "9007199254740992e22",
                                          "9007199254740991e-22"};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        double value = -1;
        ck_assert_int_eq(ock_field_read(numbers[i], strlen(numbers[i]), &value), OCK_FIELD_NUMBER);
        ck_assert_msg(value == strtod(numbers[i], NULL), "%s", numbers[i]);
    }
    static const char *const texts[] = {"1e",    "e5",      ".",    "-",   "+",
                                        "1.2.3", "1,2",     "0x1",  "1_0", "--1",
                                        "1e+",   "infinit", "nano", "1 2", "1e5.5"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        double value;
        ck_assert_msg(ock_field_read(texts[i], strlen(texts[i]), &value) == OCK_FIELD_TEXT, "%s",
                      texts[i]);
    }
}
END_TEST

/* Texts of digits, points and signs, behind which other bytes stand. */
START_TEST(padded_fields_are_read_the_same)
{
    static const char bytes[] = "0123456789..-+e";
    uint32_t state = 1;
    for (size_t round = 0; round < 200000; round++) {
        char text[64];
        state = state * 1664525U + 1013904223U;
        size_t size = (state >> 16) % 20;
        for (size_t i = 0; i < sizeof(text); i++) {
            state = state * 1664525U + 1013904223U;
            size_t kinds = i == 0 ? sizeof(bytes) - 1 : round % 2 ? 11 : 13; /* mostly numbers */
            text[i] = bytes[(state >> 16) % kinds];
        }
        text[size] = '\0';
        double plain = -7, padded = -7;
        enum ock_field expected = ock_field_read(text, size, &plain);
        ck_assert_int_eq(ock_field_read_padded(NULL, text, size, &padded), expected);
        ck_assert_msg(memcmp(&plain, &padded, sizeof(plain)) == 0, "%s", text);
        if (expected == OCK_FIELD_NUMBER)
            ck_assert_msg(plain == strtod(text, NULL), "%s", text);
        padded = plain;
        bool by_parts = ock_field_short(text, size, &padded);
        ck_assert_msg(memcmp(&plain, &padded, sizeof(plain)) == 0, "%s", text);
        ck_assert(!by_parts || expected == OCK_FIELD_NUMBER);
#ifdef __SSE2__
        bool at_once =
            __builtin_cpu_supports("ssse3") && ock_field_short_ssse3(text, size, &padded);
        ck_assert_msg(memcmp(&plain, &padded, sizeof(plain)) == 0, "%s", text);
        ck_assert(!at_once || expected == OCK_FIELD_NUMBER);
#endif
    }
}
END_TEST

static uint64_t draw_bits(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 24 ^ *state << 31;
}

/* Up to 19 digits and powers of ten around those that 64 bits hold, rounded as strtod does. */
START_TEST(long_numbers_are_rounded_once)
{
    uint64_t state = 1;
    for (size_t round = 0; round < 100000; round++) {
        char text[64];
        uint64_t digits = draw_bits(&state) >> draw_bits(&state) % 60;
        (void)snprintf(text, sizeof(text), "%s%" PRIu64 "e%d", round % 2 ? "-" : "",
                       digits % UINT64_C(10000000000000000000), (int)(draw_bits(&state) % 60) - 30);
        double value = 0;
        ck_assert_int_eq(ock_field_read(text, strlen(text), &value), OCK_FIELD_NUMBER);
        ck_assert_msg(value == strtod(text, NULL), "%s", text);
    }
}
END_TEST

/* In the middle between two doubles, and just beside it; and at the ends of what is exact. */
START_TEST(middles_are_rounded_to_even)
{
    static const struct {
        const char *text;
        double value;
    } cases[] = {
        {"9007199254740993", 9007199254740992.0},
        {"9007199254740995", 9007199254740996.0},
        {"9007199254740993.0", 9007199254740992.0},
        {"9007199254740993.1", 9007199254740994.0},
        {"9007199254740992.9", 9007199254740992.0},
        {"1125899906842624.125", 0x1p50},
        {"1125899906842624.126", 0x1.0000000000001p50},
        {"1125899906842624.375", 0x1.0000000000002p50},
        {"9999999999999999999", 1e19},
        {"18014398509481985", 18014398509481984.0},
        {"18014398509481987e0", 18014398509481988.0},
        {"-9007199254740993", -9007199254740992.0},
        {"9007199254740993e27", 9007199254740993e27},
        {"9007199254740993e-27", 9007199254740993e-27},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        double value = 0;
        ck_assert_int_eq(ock_field_read(cases[i].text, strlen(cases[i].text), &value),
                         OCK_FIELD_NUMBER);
        ck_assert_msg(value == cases[i].value, "%s: %a", cases[i].text, value);
    }
}
END_TEST

START_TEST(digits_are_the_known_ones)
{
    struct ock_import import = {.source = OCK_TEST_DATA "/digits.csv.gz", .out = kit_path("out")};
    struct ock_err err = {.text = ""};
    ck_assert_msg(ock_import_run(&import, &err) == OCK_OK, "%s", err.text);
    struct ock_dataset *dataset = kit_open("out");
    const struct ock_schema *schema = ock_dataset_schema(dataset);
    ck_assert_uint_eq(schema->rows, 1797);
    ck_assert_uint_eq(schema->column_count, 65);
    ck_assert_uint_eq(schema->target, 64);
    ck_assert_uint_eq(schema->columns[64].value_count, 10);
    const char *because = NULL;
    ck_assert_int_eq(ock_schema_target_kind(schema, 64, &because), OCK_TARGET_CLASSES);
    ck_assert_str_eq(because, "whole numbers with 10 distinct values");
    ck_assert_double_eq(kit_number(dataset, "c2", 0), 5);
    ck_assert_double_eq(kit_number(dataset, "c64", 1), 1);
    ck_assert_int_eq(ock_dataset_verify(dataset, &err), OCK_OK);
    ock_dataset_free(dataset);
}
END_TEST

START_TEST(iris_has_150_rows)
{
    struct ock_import import = {.source = OCK_TEST_DATA "/iris.csv", .out = kit_path("out")};
    ck_assert_int_eq(ock_import_run(&import, NULL), OCK_OK);
    struct ock_dataset *dataset = kit_open("out");
    ck_assert_uint_eq(ock_dataset_schema(dataset)->rows, 150);
    ck_assert_uint_eq(ock_dataset_schema(dataset)->target, 4);
    ck_assert_uint_eq(ock_dataset_schema(dataset)->columns[4].value_count, 3);
    ck_assert_double_eq_tol(ock_dataset_schema(dataset)->columns[2].mean, 3.758, 1e-9);
    ock_dataset_free(dataset);
}
END_TEST

/* Lines that straddle the reader's pieces, and codes sorted after many rows. */
START_TEST(a_long_table_is_whole)
{
    enum { ROWS = 30000 };
    FILE *file = fopen(kit_path("in"), "wb");
    ck_assert_ptr_nonnull(file);
    (void)fprintf(file, "n,text,half\n");
    for (int i = 0; i < ROWS; i++)
        (void)fprintf(file, "%d,name%d,%d.5\n", i, i % 1500, i % 7);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(kit_import((struct ock_import){0}, 0, NULL), OCK_OK);
    struct ock_dataset *dataset = kit_open("out");
    ck_assert_uint_eq(ock_dataset_schema(dataset)->rows, ROWS);
    ck_assert_uint_eq(kit_column(dataset, "n")->value_count, 0); /* too many to keep */
    ck_assert_uint_eq(kit_column(dataset, "text")->value_count, 1500);
    ck_assert_uint_eq(kit_column(dataset, "half")->value_count, 7);
    for (size_t i = 0; i < ROWS; i++) {
        char text[32];
        (void)snprintf(text, sizeof(text), "name%zu", i % 1500);
        ck_assert_double_eq(kit_number(dataset, "n", i), (double)i);
        ck_assert_str_eq(kit_text(dataset, "text", i), text);
    }
    ock_dataset_free(dataset);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("data_import_files");
    TCase *tcase = tcase_create("files");
    tcase_add_checked_fixture(tcase, kit_setup, kit_teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, fields_are_the_nearest_doubles);
    tcase_add_test(tcase, padded_fields_are_read_the_same);
    tcase_add_test(tcase, long_numbers_are_rounded_once);
    tcase_add_test(tcase, middles_are_rounded_to_even);
    tcase_add_test(tcase, digits_are_the_known_ones);
    tcase_add_test(tcase, iris_has_150_rows);
    tcase_add_test(tcase, a_long_table_is_whole);
    suite_add_tcase(suite, tcase);
    return kit_run(suite);
}
