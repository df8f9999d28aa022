/* Goal: what goes out is JSON that reads back to the same values, and what a person reads of it is
 * whole. Method: cases by hand, random bit patterns against the C library. */
#include <check.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"
#include "core/base/jsonw.h"
#include "core/base/utf8.h"

static struct ock_faults faults;

START_TEST(the_number_text_is_the_shortest_that_reads_back)
{
    uint64_t state = 88172645463325252u;
    char text[OCK_NUMBER_TEXT_SIZE];
    for (int i = 0; i < 200000; i++) {
        state ^= state << 13; /* xorshift64: any bit pattern will do */
        state ^= state >> 7;
        state ^= state << 17;
        double value;
        memcpy(&value, &state, sizeof(value));
        if (!isfinite(value))
            continue;
        ock_number_text(text, value);
        ck_assert_double_eq(strtod(text, NULL), value);
        ck_assert_uint_lt(strlen(text), OCK_NUMBER_TEXT_SIZE);
        ock_number_text(text, (double)(int32_t)state / 1000);
        ck_assert_uint_le(strlen(text), 12); /* -2147483.648 */
    }
}
END_TEST

/* The fast way against printf and strtod, which try 15, 16 and 17 digits; powers of two and their
 * neighbours are where a halfway point moves. */
START_TEST(the_fast_number_text_is_printfs)
{
    uint64_t state = 1234567;
    char text[OCK_NUMBER_TEXT_SIZE], want[OCK_NUMBER_TEXT_SIZE];
    for (int i = 0; i < 300000; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        double unit = (double)(state >> 11) * 0x1p-53;
        double power = ldexp(1, (int)(state % 84) - 34);
        double value = i % 3 == 0   ? exp((unit - 0.4) * 57)
                       : i % 3 == 1 ? nextafter(power, state >> 63 ? 0 : 1e30)
                                    : power;
        if (value >= 1e15)
            continue;
        ock_number_text(text, -value);
        int precision = 15;
        do {
            (void)snprintf(want, sizeof(want), "%.*g", precision, -value);
        } while (strtod(want, NULL) != -value && precision++ < 17);
        ck_assert_double_eq(strtod(text, NULL), -value);
        if (value != trunc(value)) /* whole ones have no exponent here: 100000000000 */
            ck_assert_str_eq(text, want);
    }
}
END_TEST

START_TEST(writer_sets_commas_and_escapes)
{
    struct ock_buf out;
    ock_buf_init(&out, 1000);
    struct ock_jsonw w = ock_jsonw_make(&out);
    ock_jsonw_object(&w, NULL);
    ock_jsonw_string(&w, "a\"", "x\x01\x1f\n\xff\xe2\x82z");
    ock_jsonw_string(&w, "n", NULL);
    ock_jsonw_array(&w, "list");
    ock_jsonw_double(&w, NULL, 0.1);
    ock_jsonw_double(&w, NULL, (double)NAN);
    ock_jsonw_double(&w, NULL, (double)-INFINITY);
    ock_jsonw_int(&w, NULL, INT64_MIN);
    ock_jsonw_uint(&w, NULL, UINT64_MAX);
    ock_jsonw_array(&w, NULL);
    ock_jsonw_end_array(&w);
    ock_jsonw_object(&w, NULL);
    ock_jsonw_end_object(&w);
    ock_jsonw_end_array(&w);
    ock_jsonw_bool(&w, "t", true);
    ock_jsonw_null(&w, "z");
    ock_jsonw_raw(&w, "r", "{\"q\":1}");
    ock_jsonw_end_object(&w);
    ck_assert_int_eq(ock_buf_status(&out, NULL), OCK_OK);
    ck_assert_str_eq(out.data,
                     "{\"a\\\"\":\"x\\u0001\\u001f\\n\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz\","
                     "\"n\":null,\"list\":[0.1,null,null,-9223372036854775808,"
                     "18446744073709551615,[],{}],\"t\":true,\"z\":null,\"r\":{\"q\":1}}");
    ock_buf_deinit(&out);
}
END_TEST

START_TEST(nearest_word_is_near)
{
    static const char *const words[] = {"regularization", "lr", "l1", "l2", "momentum", "relu"};
    static const struct {
        const char *word, *nearest;
    } cases[] = {
        {"regularisation", "regularization"},
        {"regulraization", "regularization"},
        {"LR", "lr"},
        {"L2", "l2"},
        {"momentun", "momentum"},
        {"ReLU", "relu"},
        {"rl", "lr"},
        {"x", NULL},
        {"xyz", NULL},
        {"", NULL},
        {"completely different words that are far longer than sixty-four bytes in all", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *nearest = ock_nearest_word(cases[i].word, words, 6);
        if (cases[i].nearest)
            ck_assert_str_eq(nearest, cases[i].nearest);
        else
            ck_assert_ptr_null(nearest);
    }
}
END_TEST

START_TEST(pointers_are_escaped_and_cut_to_fit)
{
    char pointer[16] = "";
    ock_json_pointer_add(pointer, sizeof(pointer), "a~/b");
    ck_assert_str_eq(pointer, "/a~0~1b");
    ock_json_pointer_add(pointer, sizeof(pointer), "12345€");
    ck_assert_str_eq(pointer, "/a~0~1b/12345"); /* no half a character */
    ock_json_pointer_add(pointer, sizeof(pointer), "xyz");
    ck_assert_str_eq(pointer, "/a~0~1b/12345/x");
    ock_json_pointer_add(pointer, sizeof(pointer), "xyz");
    ck_assert_str_eq(pointer, "/a~0~1b/12345/x");
}
END_TEST

START_TEST(faults_beyond_the_list_are_counted)
{
    memset(&faults, 0, sizeof(faults));
    for (unsigned i = 0; i < OCK_FAULTS_MAX; i++)
        ck_assert_ptr_nonnull(ock_faults_add(&faults, "/a", "wrong_type", "number %u", i));
    ck_assert_ptr_null(ock_faults_add(&faults, "/a", "wrong_type", "one more"));
    ck_assert_uint_eq(faults.count, OCK_FAULTS_MAX);
    ck_assert_uint_eq(faults.dropped, 1);
}
END_TEST

START_TEST(faults_are_written_as_the_api_shows_them)
{
    struct ock_buf out;
    ock_buf_init(&out, 10000);
    memset(&faults, 0, sizeof(faults));
    struct ock_fault *fault = ock_faults_add(&faults, "/lr", "out_of_range", "must be > %d", 0);
    (void)snprintf(fault->got, sizeof(fault->got), "-0.1");
    fault = ock_faults_add(&faults, "/x", "unknown_key", "unknown key");
    (void)snprintf(fault->suggestion, sizeof(fault->suggestion), "y");
    ock_faults_write(&faults, &out);
    ck_assert_str_eq(out.data,
                     "[{\"pointer\":\"/lr\",\"code\":\"out_of_range\",\"detail\":\"must be > 0\","
                     "\"got\":-0.1},{\"pointer\":\"/x\",\"code\":\"unknown_key\","
                     "\"detail\":\"unknown key\",\"suggestion\":\"y\"}]");
    ock_buf_deinit(&out);
}
END_TEST

START_TEST(a_cut_text_ends_with_a_whole_character)
{
    char text[8];
    static const char *const cases[][2] = {
        {"ab\xe2\x82", "ab"}, {"ab€", "ab€"}, {"\xf0\x9f\x98", ""},
        {"ä\xc3", "ä"},       {"", ""},       {"abc", "abc"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        (void)snprintf(text, sizeof(text), "%s", cases[i][0]);
        ock_utf8_trim(text);
        ck_assert_str_eq(text, cases[i][1]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("json_texts");
    TCase *tcase = tcase_create("texts");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, the_number_text_is_the_shortest_that_reads_back);
    tcase_add_test(tcase, the_fast_number_text_is_printfs);
    tcase_add_test(tcase, writer_sets_commas_and_escapes);
    tcase_add_test(tcase, nearest_word_is_near);
    tcase_add_test(tcase, pointers_are_escaped_and_cut_to_fit);
    tcase_add_test(tcase, faults_beyond_the_list_are_counted);
    tcase_add_test(tcase, faults_are_written_as_the_api_shows_them);
    tcase_add_test(tcase, a_cut_text_ends_with_a_whole_character);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
