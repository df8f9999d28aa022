/* Goal: wake-ups reach the job's subscribers and those of all jobs, and nobody else; progress waits
 * for both, newest or last few. Method: counters as subscribers, lines that carry their number. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/hub.h"

static struct ock_hub *hub;

static void setup(void)
{
    ck_assert_int_eq(ock_hub_new(&hub, NULL), OCK_OK);
}

static void teardown(void)
{
    ck_assert_uint_eq(ock_hub_count(hub), 0);
    ock_hub_free(hub);
}

static void count_up(void *ctx)
{
    (*(int *)ctx)++;
}

static struct ock_subscription *subscribe(const char *id, int *count)
{
    struct ock_subscription *made = NULL;
    ck_assert_int_eq(ock_hub_subscribe(hub, id, count_up, count, &made, NULL), OCK_OK);
    return made;
}

START_TEST(wakes_the_job_and_all)
{
    int a = 0, b = 0, all = 0;
    struct ock_subscription *of_a = subscribe("job_a", &a), *of_b = subscribe("job_b", &b),
                            *of_all = subscribe("", &all);
    ock_hub_wake(hub, "job_a");
    ock_hub_wake(hub, "job_c");
    ck_assert_int_eq(a, 1);
    ck_assert_int_eq(b, 0);
    ck_assert_int_eq(all, 2);
    ock_hub_unsubscribe(of_all);
    ock_hub_wake(hub, "job_b");
    ck_assert_int_eq(b, 1);
    ck_assert_int_eq(all, 2);
    ock_hub_unsubscribe(of_a);
    ock_hub_unsubscribe(of_b);
    ock_hub_unsubscribe(NULL);
}
END_TEST

/* What there is behind *stamp, as one text. */
static const char *progress_of(const char *id, uint64_t *stamp)
{
    static char text[4096];
    struct ock_buf out;
    ock_buf_init(&out, sizeof(text) - 1);
    bool newer = ock_hub_read_progress(hub, id, stamp, &out);
    ck_assert_int_eq(newer, out.size > 0);
    (void)snprintf(text, sizeof(text), "%s", newer ? out.data : "");
    ock_buf_deinit(&out);
    return text;
}

START_TEST(progress_of_a_job_is_its_newest)
{
    int a = 0;
    uint64_t stamp = 0, late = 0;
    ock_hub_progress(hub, "job_a", "0"); /* nobody listens: not kept */
    struct ock_subscription *of_a = subscribe("job_a", &a);
    ck_assert_str_eq(progress_of("job_a", &stamp), "");
    ock_hub_progress(hub, "job_a", "1");
    ock_hub_progress(hub, "job_b", "2");
    ck_assert_int_eq(a, 1);
    ck_assert_str_eq(progress_of("job_a", &stamp), "1\n");
    ck_assert_str_eq(progress_of("job_a", &stamp), "");
    ock_hub_progress(hub, "job_a", "3");
    ock_hub_progress(hub, "job_a", "4");
    ck_assert_str_eq(progress_of("job_a", &stamp), "4\n");
    ck_assert_str_eq(progress_of("job_a", &late), "4\n");
    ock_hub_unsubscribe(of_a);
}
END_TEST

START_TEST(progress_of_all_is_the_last_few_in_order)
{
    int all = 0;
    uint64_t stamp = 0, slow = 0;
    struct ock_subscription *of_all = subscribe("", &all);
    ock_hub_progress(hub, "job_a", "1");
    ock_hub_progress(hub, "job_b", "2");
    ck_assert_int_eq(all, 2);
    ck_assert_str_eq(progress_of("", &stamp), "1\n2\n");
    ock_hub_progress(hub, "job_a", "3");
    ck_assert_str_eq(progress_of("", &stamp), "3\n");
    ck_assert_str_eq(progress_of("", &stamp), "");
    for (int i = 0; i < OCK_HUB_RECENT_MAX; i++) {
        char line[16];
        (void)snprintf(line, sizeof(line), "n%d", i);
        ock_hub_progress(hub, "job_a", line);
    }
    const char *text = progress_of("", &slow); /* 1, 2 and 3 have been pushed out */
    ck_assert_int_eq(strncmp(text, "n0\nn1\n", 6), 0);
    ck_assert_ptr_nonnull(strstr(text, "n63\n"));
    ock_hub_unsubscribe(of_all);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hub");
    TCase *tests = tcase_create("hub");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, wakes_the_job_and_all);
    tcase_add_test(tests, progress_of_a_job_is_its_newest);
    tcase_add_test(tests, progress_of_all_is_the_last_few_in_order);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
