/* Goal: the only cookie that counts is the one that was made from this token and has not ended.
 * Method: one value computed by another implementation of HMAC; then every way to get it wrong: each
 * character changed, each length, other tokens, other times. */
#include "server/http/session.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

enum { END_S = 1800000000 };

static const char token[] = "0123456789abcdef-a-good-token";
/* Python: k = hmac.digest(token, b"ockham session key", "sha256");
 * hmac.new(k, b"v1.1800000000", "sha256").hexdigest() */
static const char right[] =
    "v1.1800000000.e12c6d48fffa8d4c6672e67d82ab8016d4e2ce45ba4920b2d6a133f4be78df3e";
static const char name[] = "ockham_9af0a3cd";

static bool find(const char *field, int64_t now_s)
{
    struct ock_session_key key;
    int64_t expires_s = -1;
    ock_session_key_init(&key, token, strlen(token));
    bool found = ock_session_find(&key, field, now_s, &expires_s);
    ck_assert_int_eq(expires_s, found ? END_S : -1);
    return found;
}

START_TEST(value_and_name_are_those_of_another_implementation)
{
    struct ock_session_key key;
    char value[OCK_SESSION_VALUE_SIZE], longest[OCK_SESSION_VALUE_SIZE];
    ock_session_key_init(&key, token, strlen(token));
    ock_session_make(&key, END_S, value);
    ck_assert_str_eq(value, right);
    ck_assert_str_eq(key.name, name);
    ock_session_make(&key, INT64_MIN, longest);
    ck_assert_uint_eq(strlen(longest), strlen("v1.-9223372036854775808.") + 64);
}
END_TEST

static const struct {
    const char *format; /* %1$s: the name, %2$s: the value */
    bool found;
} fields[] = {
    {"%1$s=%2$s", true},
    {"a=b; %1$s=%2$s", true},
    {"a=b;%1$s=%2$s;c=d", true},
    {" ;; %1$s=%2$s ; ", true},
    {"%1$s=old; %1$s=%2$s", true}, /* of another path */
    {"", false},
    {"%1$s", false},
    {"%1$s=", false},
    {"%2$s", false},
    {"x%1$s=%2$s", false},
    {"%1$sx=%2$s", false},
    {"%1$s=x%2$s", false},
    {"%1$s=%2$sx", false},
    {"%1$s=\"%2$s\"", false},
    {"%1$s=v1.", false},
    {"%1$s=v1.1800000000", false},
    {"%1$s=v1.1800000000.", false},
    {"%1$s=v1.99999999999999999999999.00", false},
    {"a=%1$s=%2$s", false},
};

/* A format that is no literal is what this table is for. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
START_TEST(found_among_cookies)
{
    char field[300];
    (void)snprintf(field, sizeof(field), fields[_i].format, name, right);
    ck_assert(find(field, END_S - 1) == fields[_i].found);
}
END_TEST
#pragma GCC diagnostic pop

START_TEST(it_ends)
{
    char field[200];
    ck_assert(!find(NULL, 0));
    (void)snprintf(field, sizeof(field), "%s=%s", name, right);
    ck_assert(find(field, 0));
    ck_assert(find(field, END_S - 1));
    ck_assert(!find(field, END_S));
    ck_assert(!find(field, END_S + 1));
}
END_TEST

START_TEST(no_character_may_differ)
{
    char field[200];
    size_t before = strlen(name) + 1;
    for (size_t i = 0; i < strlen(right); i++) {
        for (char c = '!'; c <= '~'; c++) {
            (void)snprintf(field, sizeof(field), "%s=%s", name, right);
            field[before + i] = c;
            ck_assert_msg(find(field, 0) == (c == right[i]), "%s", field);
        }
        (void)snprintf(field, sizeof(field), "%s=%.*s", name, (int)i, right);
        ck_assert_msg(!find(field, 0), "%s", field);
    }
}
END_TEST

START_TEST(another_token_is_another_key)
{
    static const char *const others[] = {"0123456789abcdef-a-good-tokem",
                                         "0123456789abcdef-a-good-toke",
                                         "0123456789abcdef-a-good-token2", ""};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        struct ock_session_key key;
        char field[200];
        int64_t expires_s = -1;
        ock_session_key_init(&key, others[i], strlen(others[i]));
        ck_assert_str_ne(key.name, name);
        (void)snprintf(field, sizeof(field), "%s=%s", key.name, right);
        ck_assert(!ock_session_find(&key, field, 0, &expires_s));
        ck_assert_int_eq(expires_s, -1);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http_session");
    TCase *tests = tcase_create("all");
    tcase_add_test(tests, value_and_name_are_those_of_another_implementation);
    tcase_add_loop_test(tests, found_among_cookies, 0, (int)(sizeof(fields) / sizeof(fields[0])));
    tcase_add_test(tests, it_ends);
    tcase_add_test(tests, no_character_may_differ);
    tcase_add_test(tests, another_token_is_another_key);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
