/* Goal: a page lives as long as someone holds it; a chain keeps what somebody has still to reach, and
 * no more than its bytes; events become the two texts of a stream. Method: small chains by hand, with
 * every page's holders counted, and the texts in full. */
#include <check.h>
#include <stdlib.h>

#include "server/http/format.h"
#include "server/http/page.h"

static struct ock_page *make(uint64_t from, uint64_t to, size_t size)
{
    struct ock_buf text;
    ock_buf_init(&text, 1 << 20);
    for (size_t i = 0; i < size; i++)
        ock_buf_putc(&text, 'x');
    struct ock_page *page = ock_page_new(&text, from, to, false);
    ck_assert_ptr_nonnull(page);
    ck_assert_uint_eq(text.size, 0); /* taken */
    return page;
}

/* Adds a page that the chain alone holds. */
static struct ock_page *add(struct ock_chain *chain, uint64_t from, uint64_t to, size_t size)
{
    struct ock_page *page = make(from, to, size);
    ock_chain_add(chain, page);
    ock_page_release(page);
    return page;
}

START_TEST(a_page_takes_its_text_and_outlives_the_chain)
{
    struct ock_chain chain = {.bytes_max = 100};
    struct ock_page *page = make(3, 7, 10);
    ck_assert_uint_eq(page->holders, 1);
    ck_assert_uint_eq(page->text.size, 10);
    ock_chain_add(&chain, page);
    ck_assert_uint_eq(page->holders, 2);
    ck_assert_ptr_eq(ock_page_hold(page), page);
    ock_page_release(page);
    ock_chain_clear(&chain);
    ck_assert_uint_eq(page->holders, 1);
    ck_assert_ptr_null(chain.oldest);
    ck_assert_ptr_null(chain.newest);
    ck_assert_uint_eq(chain.bytes, 0);
    ock_page_release(page);
    ock_page_release(NULL);
}
END_TEST

START_TEST(who_is_on_a_page_finds_the_next_one)
{
    struct ock_chain chain = {.bytes_max = 100};
    struct ock_page *first = ock_page_hold(add(&chain, 0, 4, 10));
    struct ock_page *second = add(&chain, 4, 9, 10), *third = add(&chain, 9, 9, 10);
    ock_chain_trim(&chain); /* somebody is on the first: all stay */
    ck_assert_ptr_eq(chain.oldest, first);
    ck_assert_ptr_eq(first->next, second);
    ck_assert_ptr_eq(second->next, third);
    ck_assert_ptr_null(third->next);
    ck_assert_ptr_eq(ock_chain_find(&chain, 4), second);
    ck_assert_ptr_eq(ock_chain_find(&chain, 9), third);
    ck_assert_ptr_null(ock_chain_find(&chain, 5)); /* inside of a page */
    ock_page_hold(second);
    ock_page_release(first);
    ock_chain_trim(&chain); /* he has gone on to the second */
    ck_assert_ptr_eq(chain.oldest, second);
    ck_assert_uint_eq(chain.bytes, 20);
    ock_page_release(second);
    ock_chain_trim(&chain);
    ck_assert_ptr_null(chain.oldest);
    ck_assert_ptr_null(chain.newest);
    ck_assert_uint_eq(chain.bytes, 0);
}
END_TEST

START_TEST(who_falls_behind_keeps_his_page_and_finds_no_next)
{
    struct ock_chain chain = {.bytes_max = 100};
    struct ock_page *slow = ock_page_hold(add(&chain, 0, 1, 50));
    add(&chain, 1, 2, 50);
    ck_assert_ptr_eq(chain.oldest, slow); /* 100 bytes are no more than 100 */
    struct ock_page *newest = add(&chain, 2, 3, 1);
    ck_assert_uint_eq(slow->holders, 1);
    ck_assert_ptr_null(slow->next);
    ck_assert_uint_eq(slow->text.size, 50);
    ck_assert_uint_eq(chain.bytes, 51);
    ck_assert_ptr_null(ock_chain_find(&chain, 0));
    ck_assert_ptr_eq(chain.newest, newest);
    struct ock_page *large =
        add(&chain, 3, 4, 1000); /* a page larger than the chain stands alone */
    ck_assert_ptr_eq(chain.oldest, large);
    ck_assert_uint_eq(chain.bytes, 1000);
    ock_page_release(slow);
    ock_chain_clear(&chain);
}
END_TEST

static void check_text(enum ock_feed_format format, enum ock_numbering numbering, const char *lines,
                       const char *want)
{
    struct ock_buf in, out;
    ock_buf_init(&in, 1 << 10);
    ock_buf_init(&out, 1 << 10);
    ock_buf_puts(&in, lines);
    ock_format_events(&out, format, numbering, &in);
    ck_assert_str_eq(out.size > 0 ? out.data : "", want);
    ock_buf_deinit(&in);
    ock_buf_deinit(&out);
}

START_TEST(events_as_texts)
{
    check_text(OCK_FEED_SSE, OCK_NUMBER_IS_SEQ,
               "{\"type\":\"state\",\"job\":\"j\",\"seq\":7}\n{\"type\":\"progress\"}\n",
               "id: 7\nevent: state\ndata: {\"type\":\"state\",\"job\":\"j\",\"seq\":7}\n\n"
               "event: progress\ndata: {\"type\":\"progress\"}\n\n");
    check_text(OCK_FEED_SSE, OCK_NUMBER_IN_FRONT, "123 {\"type\":\"end\",\"seq\":7}\n",
               "id: 123\nevent: end\ndata: {\"type\":\"end\",\"seq\":7}\n\n");
    check_text(OCK_FEED_NDJSON, OCK_NUMBER_IN_FRONT, "123 {\"type\":\"end\"}\n4 {}\n",
               "{\"type\":\"end\"}\n{}\n");
    check_text(OCK_FEED_NDJSON, OCK_NUMBER_IS_SEQ, "{\"seq\":1}\n", "{\"seq\":1}\n");
    check_text(OCK_FEED_SSE, OCK_NUMBER_IS_SEQ, "", "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http pages");
    TCase *tests = tcase_create("pages");
    tcase_add_test(tests, a_page_takes_its_text_and_outlives_the_chain);
    tcase_add_test(tests, who_is_on_a_page_finds_the_next_one);
    tcase_add_test(tests, who_falls_behind_keeps_his_page_and_finds_no_next);
    tcase_add_test(tests, events_as_texts);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
