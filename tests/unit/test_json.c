/* Goal: nothing but RFC 8259 gets in, with the place of the first fault; what gets in means what it
 * says, numbers to the last bit. Method: tables of texts, and every allocation failing in turn.
 * What goes out: test_json_texts.c. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"
#include "core/base/json_scan.h"
#include "core/base/jsonw.h"
#include "core/base/utf8.h"
#include "tests/unit/alloc_fail.h"

static struct ock_faults faults;
static struct ock_err err;

static enum ock_status parse(cJSON **out, const char *text)
{
    memset(&faults, 0, sizeof(faults));
    memset(&err, 0, sizeof(err));
    return ock_json_parse(out, text, strlen(text), &faults, &err);
}

static const struct {
    const char *text;
    const char *sentence;
} not_json[] = {
    {"", "line 1, column 1: expected a value but the text ends here"},
    {"   \n ", "line 2, column 2: expected a value but the text ends here"},
    {"{", "line 1, column 2: expected a key in double quotes or '}' but the text ends here"},
    {"{\n  \"a\": 1\n  \"b\": 2}", "line 3, column 3: expected ',' or '}' but found '\"'"},
    {"[1, 2\n, 3}", "line 2, column 4: expected ',' or ']' but found '}'"},
    {"[1,]", "line 1, column 4: expected a value but found ']'"},
    {"{\"a\":1,}", "line 1, column 8: expected a key in double quotes but found '}'"},
    {"{\"a\" 1}", "line 1, column 6: expected ':' but found '1'"},
    {"{a:1}", "line 1, column 2: expected a key in double quotes or '}' but found 'a'"},
    {"{'a':1}", "line 1, column 2: expected a key in double quotes or '}' but found '''"},
    {"{\"a\":}", "line 1, column 6: expected a value but found '}'"},
    {"[,1]", "line 1, column 2: expected a value but found ','"},
    {"]", "line 1, column 1: expected a value but found ']'"},
    {"1 x", "line 1, column 3: expected the end of the text but found 'x'"},
    {"{} {}", "line 1, column 4: expected the end of the text but found '{'"},
    {"01", "line 1, column 2: a number must not begin with a zero before other digits"},
    {"-01", "line 1, column 3: a number must not begin with a zero before other digits"},
    {"1.", "line 1, column 3: expected a digit but the text ends here"},
    {"[1.e3]", "line 1, column 4: expected a digit but found 'e'"},
    {"1e", "line 1, column 3: expected a digit but the text ends here"},
    {"1e+", "line 1, column 4: expected a digit but the text ends here"},
    {"-", "line 1, column 2: expected a digit but the text ends here"},
    {"+1", "line 1, column 1: expected a value but found '+'"},
    {".5", "line 1, column 1: expected a value but found '.'"},
    {"1.5.5", "line 1, column 4: expected the end of the text but found '.'"},
    {"0x10", "line 1, column 2: expected the end of the text but found 'x'"},
    {"NaN", "line 1, column 1: expected a value but found 'N'"},
    {"Infinity", "line 1, column 1: expected a value but found 'I'"},
    {"nul", "line 1, column 1: expected a value but found 'n'"},
    {"True", "line 1, column 1: expected a value but found 'T'"},
    {"truely", "line 1, column 5: expected the end of the text but found 'l'"},
    {"// a comment\n1", "line 1, column 1: expected a value but found '/'"},
    {"\"abc", "line 1, column 1: this string has no end"},
    {"\"a\\", "line 1, column 4: expected one of \" \\ / b f n r t u behind '\\' but the text ends "
              "here"},
    {"\"a\\x\"", "line 1, column 4: expected one of \" \\ / b f n r t u behind '\\' but found 'x'"},
    {"\"\\u12g4\"", "line 1, column 2: \\u needs four hexadecimal digits"},
    {"\"\\u0000\"", "line 1, column 2: \\u0000 is not allowed in a string"},
    {"\"\\ud800\"", "line 1, column 2: half of a surrogate pair stands alone"},
    {"\"\\udc00\\ud800\"", "line 1, column 2: half of a surrogate pair stands alone"},
    {"\"\\ud800\\u0041\"", "line 1, column 2: half of a surrogate pair stands alone"},
    {"\"a\tb\"", "line 1, column 3: a control character in a string must be escaped, as in \\n"},
    {"\"a\nb\"", "line 1, column 3: a control character in a string must be escaped, as in \\n"},
    {"\"\xff\"", "line 1, column 2: these bytes are not UTF-8"},
    {"\"\xc0\x80\"", "line 1, column 2: these bytes are not UTF-8"},         /* overlong */
    {"\"\xed\xa0\x80\"", "line 1, column 2: these bytes are not UTF-8"},     /* surrogate */
    {"\"\xf4\x90\x80\x80\"", "line 1, column 2: these bytes are not UTF-8"}, /* U+110000 */
    {"\"\xe2\x82\"", "line 1, column 2: these bytes are not UTF-8"},         /* cut */
    {"[\"äö\", x]", "line 1, column 8: expected a value but found 'x'"},     /* characters count */
    {"\xef\xbb\xbf{}", "line 1, column 1: a byte order mark stands before the text; leave it out"},
    {"\x01", "line 1, column 1: expected a value but found byte 0x01"},
    {"é", "line 1, column 1: expected a value but found 'é'"},
};
enum { NOT_JSON_COUNT = sizeof(not_json) / sizeof(not_json[0]) };

START_TEST(what_is_not_json_is_refused_with_its_place)
{
    cJSON *json = NULL;
    ck_assert_int_eq(parse(&json, not_json[_i].text), OCK_INVALID);
    ck_assert_str_eq(err.text, not_json[_i].sentence);
    ck_assert_ptr_null(json);
    ck_assert_uint_eq(faults.count, 0);
}
END_TEST

START_TEST(a_nul_byte_is_no_end)
{
    static const char text[] = "[1]\0[2]";
    cJSON *json = NULL;
    memset(&faults, 0, sizeof(faults));
    ck_assert_int_eq(ock_json_parse(&json, text, sizeof(text) - 1, &faults, &err), OCK_INVALID);
    ck_assert_str_eq(err.text,
                     "line 1, column 4: expected the end of the text but found byte 0x00");
}
END_TEST

/* Documents that print as they are written here. */
static const char *const documents[] = {
    "null",
    "true",
    "false",
    "0",
    "-0",
    "-1",
    "310",
    "0.1",
    "3e-05",
    "1e+22",
    "5e-324",
    "1.7976931348623157e+308",
    "9007199254740991",
    "\"\"",
    "\"a\\\"b\\\\c\\/\"",
    "[]",
    "{}",
    "[[],[[]],{}]",
    "{\"a\":[1,2.5,{\"b\":null}],\"A\":\"\\n\\t\"}",
    "\"äöü€😀\"",
    "{\"\":1,\"~/\":2}",
};
enum { DOCUMENT_COUNT = sizeof(documents) / sizeof(documents[0]) };

START_TEST(documents_read_and_print_back)
{
    cJSON *json = NULL;
    ck_assert_int_eq(parse(&json, documents[_i]), OCK_OK);
    ck_assert_uint_eq(faults.count, 0);
    char *text = ock_json_print(json);
    const char *want = strstr(documents[_i], "\\/") ? "\"a\\\"b\\\\c/\"" : documents[_i];
    ck_assert_str_eq(text, want);
    free(text);
    cJSON_Delete(json);
}
END_TEST

START_TEST(escapes_become_characters)
{
    cJSON *json = NULL;
    ck_assert_int_eq(parse(&json, " \"\\u0041\\u00e4\\u20AC\\ud83D\\uDE00\\b\\f\\r\" "), OCK_OK);
    ck_assert_str_eq(json->valuestring, "Aä€😀\b\f\r");
    cJSON_Delete(json);
}
END_TEST

START_TEST(numbers_come_in_right)
{
    /* 70 digits: more than cJSON takes; the value is the nearest double all the same. */
    static const struct {
        const char *text;
        double value;
    } cases[] = {
        {"0.1000000000000000000000000000000000000000000000000000000000000000000001", 0.1},
        {"1000000000000000000000000000000000000000000000000000000000000000000000", 1e69},
        {"-0.30000000000000004440892098500626161694526672363281250000000000000000",
         -0x1.3333333333334p-2},
        {"2.2250738585072011e-308", 0x0.fffffffffffffp-1022},
        {"123456789012345678", 123456789012345680.0},
        {"1e-400", 0.0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[200];
        cJSON *json = NULL;
        (void)snprintf(text, sizeof(text), "[\"\\\"[1\", %s ]", cases[i].text);
        ck_assert_int_eq(parse(&json, text), OCK_OK);
        ck_assert_double_eq(cJSON_GetArrayItem(json, 1)->valuedouble, cases[i].value);
        cJSON_Delete(json);
    }
}
END_TEST

START_TEST(duplicates_and_infinities_are_faults_with_pointers)
{
    cJSON *json = NULL;
    ck_assert_int_eq(
        parse(&json, "{\"a\":1,\"b/c\":[0,{\"~\":1,\"~\":2}],\"a\":{\"x\":1e999},\"A\":-1e999,"
                     "\"long\":10000000000000000000000000000000000000000000000000000000000000000"
                     "e400}"),
        OCK_OK);
    ck_assert_uint_eq(faults.count, 5);
    static const char *const want[][2] = {{"/a", "duplicate_key"},
                                          {"/b~1c/1/~0", "duplicate_key"},
                                          {"/a/x", "not_finite"},
                                          {"/A", "not_finite"},
                                          {"/long", "not_finite"}};
    for (size_t i = 0; i < 5; i++) {
        ck_assert_str_eq(faults.items[i].pointer, want[i][0]);
        ck_assert_str_eq(faults.items[i].code, want[i][1]);
    }
    cJSON_Delete(json);
}
END_TEST

/* `count` brackets, open and closed. */
static char *nested(size_t count)
{
    char *text = malloc(2 * count + 1);
    ck_assert_ptr_nonnull(text);
    memset(text, '[', count);
    memset(text + count, ']', count);
    text[2 * count] = '\0';
    return text;
}

START_TEST(depth_has_a_limit)
{
    cJSON *json = NULL;
    char *text = nested(OCK_JSON_DEPTH_MAX);
    ck_assert_int_eq(parse(&json, text), OCK_OK);
    cJSON_Delete(json);
    free(text);

    json = NULL;
    text = nested(OCK_JSON_DEPTH_MAX + 1);
    ck_assert_int_eq(parse(&json, text), OCK_LIMIT);
    ck_assert_ptr_null(json);
    ck_assert_ptr_nonnull(strstr(err.text, "more than 32"));
    free(text);
}
END_TEST

START_TEST(values_and_bytes_have_limits)
{
    size_t count = OCK_JSON_NODES_MAX; /* with the array itself one more */
    size_t size = 2 * count + 1;
    char *text = malloc(size + 1);
    ck_assert_ptr_nonnull(text);
    size_t long_numbers;
    for (size_t i = 0; i < size; i++)
        text[i] = i % 2 ? '1' : ',';
    text[0] = '[';
    text[size - 1] = ']';
    ck_assert_int_eq(ock_json_scan(text, size, &long_numbers, &err), OCK_LIMIT);
    text[size - 3] = ']'; /* one value fewer: exactly the limit */
    ck_assert_int_eq(ock_json_scan(text, size - 2, &long_numbers, &err), OCK_OK);
    free(text);

    text = calloc(1, OCK_JSON_BYTES_MAX + 1);
    ck_assert_ptr_nonnull(text);
    memset(text, ' ', OCK_JSON_BYTES_MAX + 1);
    text[0] = '1';
    ck_assert_int_eq(ock_json_scan(text, OCK_JSON_BYTES_MAX, &long_numbers, &err), OCK_OK);
    ck_assert_int_eq(ock_json_scan(text, OCK_JSON_BYTES_MAX + 1, &long_numbers, &err), OCK_LIMIT);
    free(text);
}
END_TEST

START_TEST(keys_are_found_by_their_exact_name)
{
    cJSON *json = NULL;
    ck_assert_int_eq(parse(&json, "{\"A\":1,\"a\":2}"), OCK_OK);
    ck_assert_double_eq(ock_json_get(json, "a")->valuedouble, 2);
    ck_assert_ptr_null(ock_json_get(json, "b"));
    ck_assert_ptr_null(ock_json_get(NULL, "a"));
    ck_assert_ptr_null(ock_json_get(ock_json_get(json, "a"), "a"));
    cJSON_Delete(json);
}
END_TEST

START_TEST(whole_means_not_rounded)
{
    static const struct {
        const char *text;
        bool whole;
    } cases[] = {{"0", true},
                 {"-3", true},
                 {"1e3", true},
                 {"1.5", false},
                 {"\"1\"", false},
                 {"9007199254740991", true},
                 {"9007199254740992", false},
                 {"1e300", false},
                 {"true", false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cJSON *json = NULL;
        ck_assert_int_eq(parse(&json, cases[i].text), OCK_OK);
        ck_assert_msg(ock_json_whole(json) == cases[i].whole, "%s", cases[i].text);
        cJSON_Delete(json);
    }
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    static const char text[] =
        "{\"a\":[1,2,{\"b\":\"c\",\"d\":null}],\"n\":"
        "0.1000000000000000000000000000000000000000000000000000000000000000000001}";
    long n = 0;
    for (;; n++) {
        cJSON *json = NULL;
        alloc_fail_after(n);
        enum ock_status status = parse(&json, text);
        bool failed = alloc_fail_stop();
        ck_assert_int_eq(status, failed ? OCK_NOMEM : OCK_OK);
        ck_assert(failed == (json == NULL));
        if (!failed) {
            alloc_fail_after(0);
            ck_assert_ptr_null(ock_json_print(json));
            ck_assert(alloc_fail_stop());
        }
        cJSON_Delete(json);
        if (!failed)
            break;
    }
    ck_assert_int_gt(n, 10);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("json");
    TCase *tcase = tcase_create("json");
    tcase_set_timeout(tcase, 60); /* documents at the limit are large, sanitizers slow */
    tcase_add_loop_test(tcase, what_is_not_json_is_refused_with_its_place, 0, NOT_JSON_COUNT);
    tcase_add_loop_test(tcase, documents_read_and_print_back, 0, DOCUMENT_COUNT);
    tcase_add_test(tcase, a_nul_byte_is_no_end);
    tcase_add_test(tcase, escapes_become_characters);
    tcase_add_test(tcase, numbers_come_in_right);
    tcase_add_test(tcase, duplicates_and_infinities_are_faults_with_pointers);
    tcase_add_test(tcase, depth_has_a_limit);
    tcase_add_test(tcase, values_and_bytes_have_limits);
    tcase_add_test(tcase, keys_are_found_by_their_exact_name);
    tcase_add_test(tcase, whole_means_not_rounded);
    if (ALLOC_CAN_FAIL)
        tcase_add_test(tcase, every_allocation_may_fail);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
