/* Goal: the texts of a request (target, Accept, entity tags, addresses, sizes) are read as their RFCs
 * and headers say, and what is wrong in them is refused. Method: tables by hand. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "server/http/address.h"
#include "server/http/headers.h"
#include "server/http/target.h"
#include "server/member.h"
#include "server/serve.h"

START_TEST(a_target_is_cut_and_decoded)
{
    struct ock_target target;
    ck_assert_int_eq(
        ock_target_parse(&target, "/v1/jobs/a%2Fb%20c?x=1&label.k=a+b%2B&y&z==&", NULL), OCK_OK);
    ck_assert_uint_eq(target.segment_count, 3);
    ck_assert_str_eq(target.segments[0], "v1");
    ck_assert_str_eq(target.segments[2], "a/b c");
    ck_assert_uint_eq(target.query_count, 4);
    ck_assert_str_eq(ock_target_get(&target, "x"), "1");
    ck_assert_str_eq(ock_target_get(&target, "label.k"), "a b+");
    ck_assert_str_eq(ock_target_get(&target, "y"), "");
    ck_assert_str_eq(ock_target_get(&target, "z"), "=");
    ck_assert_ptr_null(ock_target_get(&target, "w"));
    ock_target_deinit(&target);

    ck_assert_int_eq(ock_target_parse(&target, "/", NULL), OCK_OK);
    ck_assert_uint_eq(target.segment_count, 0);
    ock_target_deinit(&target);
    ck_assert_int_eq(ock_target_parse(&target, "/a//b/", NULL), OCK_OK);
    ck_assert_uint_eq(target.segment_count, 4); /* "a", "", "b", "" */
    ock_target_deinit(&target);
}
END_TEST

static const char *const bad_targets[] = {"",          "x",
                                          "http://h/", "*",
                                          "/%",        "/%4",
                                          "/%zz",      "/%00",
                                          "/a%0ab",    "/%7f",
                                          "/..",       "/a/../b",
                                          "/%2e%2E/x", "/.",
                                          "/%c3%28",   "/%ff",
                                          "/%c0%af",   "/?a=%",
                                          "/?a=%00",   "/?%ed%a0%80",
                                          "/?a=\x01",  "/1/2/3/4/5/6/7/8/9"};

START_TEST(a_bad_target_is_refused_and_leaves_nothing)
{
    struct ock_target target = {.segment_count = 77};
    struct ock_err err;
    ck_assert_int_ne(ock_target_parse(&target, bad_targets[_i], &err), OCK_OK);
    ck_assert_uint_eq(target.segment_count, 77);
    ck_assert(err.text[0]);
}
END_TEST

START_TEST(a_tab_is_a_delimiter_in_a_query_alone)
{
    struct ock_target target;
    ck_assert_int_eq(ock_target_parse(&target, "/a?delimiter=%09", NULL), OCK_OK);
    ck_assert_str_eq(ock_target_get(&target, "delimiter"), "\t");
    ock_target_deinit(&target);
    ck_assert_int_eq(ock_target_parse(&target, "/a%09b", NULL), OCK_INVALID);
}
END_TEST

START_TEST(a_target_has_its_limits)
{
    struct ock_target target;
    static char text[OCK_TARGET_BYTES_MAX + 2];
    memset(text, 'a', sizeof(text));
    text[0] = '/';
    text[OCK_TARGET_BYTES_MAX] = '\0';
    ck_assert_int_eq(ock_target_parse(&target, text, NULL), OCK_OK);
    ock_target_deinit(&target);
    text[OCK_TARGET_BYTES_MAX] = 'a';
    text[OCK_TARGET_BYTES_MAX + 1] = '\0';
    ck_assert_int_eq(ock_target_parse(&target, text, NULL), OCK_LIMIT);

    text[1] = '?';
    for (size_t i = 0; i <= OCK_PARAMETERS_QUERY_MAX; i++)
        memcpy(text + 2 + 4 * i, "k=v&", 4);
    text[2 + 4 * OCK_PARAMETERS_QUERY_MAX] = '\0';
    ck_assert_int_eq(ock_target_parse(&target, text, NULL), OCK_OK);
    ck_assert_uint_eq(target.query_count, OCK_PARAMETERS_QUERY_MAX);
    ock_target_deinit(&target);
    text[2 + 4 * OCK_PARAMETERS_QUERY_MAX] = 'k';
    text[6 + 4 * OCK_PARAMETERS_QUERY_MAX] = '\0';
    ck_assert_int_eq(ock_target_parse(&target, text, NULL), OCK_LIMIT);
}
END_TEST

START_TEST(percent_encoding_comes_back)
{
    struct ock_buf text;
    struct ock_target target;
    ock_buf_init(&text, 1000);
    ock_buf_puts(&text, "/?k=");
    ock_percent_encode(&text, "a b&c=d/é%~");
    ck_assert_str_eq(text.data, "/?k=a%20b%26c%3Dd%2F%C3%A9%25~");
    ck_assert_int_eq(ock_target_parse(&target, text.data, NULL), OCK_OK);
    ck_assert_str_eq(ock_target_get(&target, "k"), "a b&c=d/é%~");
    ock_target_deinit(&target);
    ock_buf_deinit(&text);
}
END_TEST

static const struct {
    const char *accept;
    int best; /* of SSE, NDJSON, JSON */
} accepts[] = {
    {NULL, 0},
    {"", 0},
    {"*/*", 0},
    {"text/*", 0},
    {"application/*", 1},
    {"application/json", 2},
    {"Application/JSON; charset=utf-8", 2},
    {"application/x-ndjson, application/json", 1},
    {"application/x-ndjson;q=0.2, application/json;q=0.21", 2},
    {"application/x-ndjson; q=0.9 , */*;q=0.1", 1},
    {"text/html,application/xhtml+xml,*/*;q=0.8", 0},
    {"text/event-stream;q=0, */*", 1}, /* the closest range counts, not the best one */
    {"*/*;q=0", -1},
    {"image/png", -1},
    {"application/jso", -1},
    {", ,", -1},
    {"application/json;q=1.000, text/event-stream;q=1", 0},
    {"application/json;version=1;q=0.5, application/x-ndjson;q=0.4", 2},
};

START_TEST(accept_chooses_by_quality_and_closeness)
{
    static const char *const types[] = {"text/event-stream", "application/x-ndjson",
                                        "application/json"};
    ck_assert_int_eq(ock_accept_best(accepts[_i].accept, types, 3), accepts[_i].best);
}
END_TEST

static const struct {
    const char *field;
    bool gzip;
} codings[] = {
    {NULL, false},
    {"", false},
    {"gzip", true},
    {"GZip", true},
    {"deflate, gzip;q=1.0, *;q=0.5", true},
    {"br, zstd , gzip ; q=0.001", true},
    {"*", true},
    {"br;q=1, *;q=0.1", true},
    {"gzip;q=0", false},
    {"gzip;q=0.000, *", false}, /* named: what stands for all others does not count */
    {"*, gzip;q=0", false},
    {"*;q=0", false},
    {"identity", false},
    {"x-gzip, gzipped, gzi", false},
    {"br,deflate", false},
};

START_TEST(codings_are_taken_by_name_or_by_star)
{
    ck_assert(ock_accept_coding(codings[_i].field, "gzip") == codings[_i].gzip);
}
END_TEST

START_TEST(entity_tags_are_found_in_lists)
{
    ck_assert(ock_etag_listed("\"a\"", "\"a\""));
    ck_assert(ock_etag_listed("W/\"a\"", "\"a\""));
    ck_assert(ock_etag_listed("\"b\", W/\"a\" ,\"c\"", "\"a\""));
    ck_assert(ock_etag_listed("*", "\"a\""));
    ck_assert(!ock_etag_listed(NULL, "\"a\""));
    ck_assert(!ock_etag_listed("", "\"a\""));
    ck_assert(!ock_etag_listed("a", "\"a\""));
    ck_assert(!ock_etag_listed("\"aa\"", "\"a\""));
    ck_assert(!ock_etag_listed("\"A\"", "\"a\""));
}
END_TEST

START_TEST(members_are_found_on_the_top_level_only)
{
    static const char json[] =
        "{\"id\":\"job_1\",\"name\":\"\\\"status\\\":\\\"x\\\"\",\"labels\":{\"status\":\"no\"},"
        "\"list\":[1,{\"status\":2}], \"status\" : \"running\",\"seq\":17,\"last\":null}";
    size_t size = sizeof(json) - 1, value_size;
    const char *value;
    char text[16];
    uint64_t number;
    ck_assert(ock_member_string(json, size, "status", text, sizeof(text)));
    ck_assert_str_eq(text, "running");
    ck_assert(ock_member_uint(json, size, "seq", &number));
    ck_assert_uint_eq(number, 17);
    ck_assert(ock_member_find(json, size, "labels", &value, &value_size));
    ck_assert_uint_eq(value_size, strlen("{\"status\":\"no\"}"));
    ck_assert(!ock_member_string(json, size, "name", text, sizeof(text))); /* has escapes */
    ck_assert(!ock_member_string(json, size, "status", text, 7));          /* would not fit */
    ck_assert(!ock_member_uint(json, size, "last", &number));
    ck_assert(!ock_member_find(json, size, "stat", &value, &value_size));
    ck_assert(!ock_member_find("[1]", 3, "a", &value, &value_size));
    /* However it is cut, nothing behind the end is read (the sanitizers would tell). */
    for (size_t cut = 0; cut < size; cut++) {
        char *part = malloc(cut + 1);
        memcpy(part, json, cut);
        (void)ock_member_find(part, cut, "nosuchkey", &value, &value_size);
        (void)ock_member_uint(part, cut, "seq", &number);
        free(part);
    }
}
END_TEST

static const struct {
    const char *text, *url;
    bool loopback;
} addresses[] = {
    {"127.0.0.1:8080", "http://127.0.0.1:8080", true},
    {"127.3.2.1:1", "http://127.3.2.1:1", true},
    {"localhost:80", "http://127.0.0.1:80", true},
    {"8080", "http://127.0.0.1:8080", true},
    {"[::1]:8080", "http://[::1]:8080", true},
    {"0.0.0.0:8080", "http://localhost:8080", false},
    {":8080", "http://localhost:8080", false},
    {"*:8080", "http://localhost:8080", false},
    {"[::]:8080", "http://localhost:8080", false},
    {"10.1.2.3:65535", "http://10.1.2.3:65535", false},
    {"[fe80::2]:7", "http://[fe80::2]:7", false},
};

START_TEST(listen_addresses)
{
    struct ock_address address;
    char url[96];
    ck_assert_int_eq(ock_address_parse(&address, addresses[_i].text, NULL), OCK_OK);
    ock_address_url(&address, url, sizeof(url));
    ck_assert_str_eq(url, addresses[_i].url);
    ck_assert_int_eq(address.loopback, addresses[_i].loopback);
}
END_TEST

static const char *const bad_addresses[] = {"",
                                            ":",
                                            "x",
                                            "127.0.0.1",
                                            "127.0.0.1:",
                                            "127.0.0.1:x",
                                            "127.0.0.1:65536",
                                            "127.0.0.1:-1",
                                            "127.0.0.1:080808",
                                            "::1:8080",
                                            "[::1]",
                                            "[::1:8080",
                                            "[127.0.0.1]:80",
                                            "host.example:80",
                                            "1.2.3:80",
                                            "127.0.0.1 :80",
                                            " 127.0.0.1:80",
                                            "[aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                                            "aaaaaaaaaaaaaaa]:80"};

START_TEST(bad_listen_addresses)
{
    struct ock_address address;
    ck_assert_int_eq(ock_address_parse(&address, bad_addresses[_i], NULL), OCK_INVALID);
}
END_TEST

START_TEST(sizes)
{
    size_t size = 5;
    static const struct {
        const char *text;
        size_t bytes;
    } good[] = {{"0", 0},
                {"1", 1},
                {"512MiB", (size_t)512 << 20},
                {"64KiB", 65536},
                {"7B", 7},
                {"4GiB", (size_t)4 << 30},
                {"2GB", 2000000000},
                {"3TiB", (size_t)3 << 40},
                {"18446744073709551615", SIZE_MAX}};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        ck_assert_int_eq(ock_size_parse(&size, good[i].text, NULL), OCK_OK);
        ck_assert_uint_eq(size, good[i].bytes);
    }
    static const char *const bad[] = {"",     "x",      "-1",   "+1",  "1 MiB",
                                      "1mib", "1.5GiB", "0x10", "MiB", "1MiBB"};
    size = 5;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_int_eq(ock_size_parse(&size, bad[i], NULL), OCK_INVALID);
    ck_assert_int_eq(ock_size_parse(&size, "18446744073709551616", NULL), OCK_LIMIT);
    ck_assert_int_eq(ock_size_parse(&size, "16777216TiB", NULL), OCK_LIMIT);
    ck_assert_uint_eq(size, 5);
}
END_TEST

START_TEST(log_levels)
{
    enum ock_log_level level = OCK_LOG_ERROR;
    ck_assert_int_eq(ock_log_level_parse(&level, "debug", NULL), OCK_OK);
    ck_assert_int_eq(level, OCK_LOG_DEBUG);
    ck_assert_int_eq(ock_log_level_parse(&level, "Debug", NULL), OCK_INVALID);
    ck_assert_int_eq(level, OCK_LOG_DEBUG);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

int main(void)
{
    Suite *suite = suite_create("http_texts");
    TCase *tests = tcase_create("all");
    tcase_add_test(tests, a_target_is_cut_and_decoded);
    tcase_add_loop_test(tests, a_bad_target_is_refused_and_leaves_nothing, 0, COUNT(bad_targets));
    tcase_add_test(tests, a_tab_is_a_delimiter_in_a_query_alone);
    tcase_add_test(tests, a_target_has_its_limits);
    tcase_add_test(tests, percent_encoding_comes_back);
    tcase_add_loop_test(tests, accept_chooses_by_quality_and_closeness, 0, COUNT(accepts));
    tcase_add_loop_test(tests, codings_are_taken_by_name_or_by_star, 0, COUNT(codings));
    tcase_add_test(tests, entity_tags_are_found_in_lists);
    tcase_add_test(tests, members_are_found_on_the_top_level_only);
    tcase_add_loop_test(tests, listen_addresses, 0, COUNT(addresses));
    tcase_add_loop_test(tests, bad_listen_addresses, 0, COUNT(bad_addresses));
    tcase_add_test(tests, sizes);
    tcase_add_test(tests, log_levels);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
