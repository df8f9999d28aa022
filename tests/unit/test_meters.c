/* Counters by hand: what an epoch line adds, and what one adds that was told before, or by another
 * server. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/meters.h"

static struct ock_meters meters;

static void tell(struct ock_told *told, unsigned epoch, unsigned samples, double elapsed_s)
{
    char body[256];
    (void)snprintf(body, sizeof(body),
                   "{\"epoch\":%u,\"epochs\":90,\"step\":7,\"best\":{\"epoch\":1},"
                   "\"samples\":%u,\"samples_per_s\":5,\"elapsed_s\":%g,\"eta_s\":1}",
                   epoch, samples, elapsed_s);
    ock_meters_epoch(&meters, told, body);
}

static void check_text(const char *line)
{
    struct ock_buf out;
    ock_buf_init(&out, 1 << 20);
    ock_meters_write(&meters, &out);
    ck_assert_msg(strstr(out.data, line) != NULL, "%s is not in\n%s", line, out.data);
    ock_buf_deinit(&out);
}

static void setup(void)
{
    meters = (struct ock_meters){.samples = 0};
}

START_TEST(epochs_count_once)
{
    struct ock_told told = {0};
    tell(&told, 1, 100, 0.05);
    check_text("ockham_samples_total 100\n");
    tell(&told, 2, 200, 0.25);
    tell(&told, 1, 100, 0.30); /* told again after a crash */
    tell(&told, 2, 200, 0.40);
    check_text("ockham_samples_total 200\n");
    check_text("ockham_epoch_seconds_bucket{le=\"0.01\"} 0\n");
    check_text("ockham_epoch_seconds_bucket{le=\"0.1\"} 1\n");
    check_text("ockham_epoch_seconds_bucket{le=\"0.5\"} 2\n");
    check_text("ockham_epoch_seconds_bucket{le=\"+Inf\"} 2\n");
    check_text("ockham_epoch_seconds_sum 0.250000\n");
    check_text("ockham_epoch_seconds_count 2\n");
}
END_TEST

/* Reported every tenth epoch: nine were not. */
START_TEST(a_line_stands_for_those_before_it)
{
    struct ock_told told = {0};
    tell(&told, 1, 100, 0.5);
    tell(&told, 10, 1000, 1.4);
    check_text("ockham_samples_total 1000\n");
    check_text("ockham_epoch_seconds_bucket{le=\"0.1\"} 9\n");
    check_text("ockham_epoch_seconds_bucket{le=\"0.5\"} 10\n");
    check_text("ockham_epoch_seconds_sum 1.400000\n");
}
END_TEST

START_TEST(what_an_earlier_server_saw_is_not_ours)
{
    struct ock_told told = {0};
    tell(&told, 50, 5000, 60);
    check_text("ockham_samples_total 0\n");
    check_text("ockham_epoch_seconds_count 0\n");
    tell(&told, 51, 5100, 61);
    check_text("ockham_samples_total 100\n");
    check_text("ockham_epoch_seconds_sum 1.000000\n");
    tell(&told, 52, 5200, 60.5); /* from an older checkpoint: its time is not known */
    check_text("ockham_samples_total 200\n");
    check_text("ockham_epoch_seconds_count 1\n");
}
END_TEST

START_TEST(starts_and_ends_are_counted)
{
    ock_meters_start(&meters, 0);
    ock_meters_start(&meters, 0.001); /* a bound is in its own bucket */
    ock_meters_start(&meters, 1000);
    check_text("ockham_queue_wait_seconds_bucket{le=\"0.001\"} 2\n");
    check_text("ockham_queue_wait_seconds_bucket{le=\"600\"} 2\n");
    check_text("ockham_queue_wait_seconds_bucket{le=\"+Inf\"} 3\n");
    check_text("ockham_queue_wait_seconds_sum 1000.001000\n");
    ock_meters_end(&meters, OCK_JOB_SUCCEEDED);
    ock_meters_end(&meters, OCK_JOB_SUCCEEDED);
    ock_meters_end(&meters, OCK_JOB_FAILED);
    check_text("ockham_jobs_finished_total{outcome=\"succeeded\"} 2\n");
    check_text("ockham_jobs_finished_total{outcome=\"failed\"} 1\n");
    check_text("ockham_jobs_finished_total{outcome=\"cancelled\"} 0\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("meters");
    TCase *tcase = tcase_create("meters");
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, epochs_count_once);
    tcase_add_test(tcase, a_line_stands_for_those_before_it);
    tcase_add_test(tcase, what_an_earlier_server_saw_is_not_ours);
    tcase_add_test(tcase, starts_and_ends_are_counted);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
