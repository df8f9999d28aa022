/* Imports that were promised (202) and then meet trouble: nothing but the data themselves may end
 * them. Their workers are killed, the datasets' directory is taken away, the server's own writes
 * fail; when all is well again the dataset is ready and the job that waited for it runs.
 *
 * Uploads are answered at once, and their first worker is stopped as soon as it is there; the table
 * is large enough for it to be caught alive. */
#include <pthread.h>

#include "engine_kit.h"
#include "tests/unit/io_fail.h"

static const char spec[] = "{\"data\":{\"dataset\":\"t\"},\"train\":{\"epochs\":1,"
                           "\"batch_size\":4096}}";

static void make_dir(void)
{
    kit_make_dir();
    ock_log_set_level((enum ock_log_level)(OCK_LOG_ERROR + 1)); /* they are expected */
}

/* A child that is still this program holds its parent until it is the worker. */
static bool is_worker(pid_t pid)
{
    char link[64], path[256] = "";
    (void)snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
    return pid != 0 && readlink(link, path, sizeof(path) - 1) > 0 && strcmp(path, kit_worker) == 0;
}

static void *stop_worker(void *arg)
{
    (void)arg;
    while (!is_worker(kit_worker_pid()))
        kit_sleep();
    kit_signal_children(SIGSTOP);
    return NULL;
}

/* Its worker is there, and stopped. */
static void upload_large(struct ock_engine *engine, bool is_bad, char id[OCK_ID_SIZE])
{
    size_t size;
    pthread_t stopper;
    char *table = kit_large_table(&size);
    if (is_bad)
        table[size - 3] = '\n'; /* the last row ends before its label */
    ck_assert_int_eq(pthread_create(&stopper, NULL, stop_worker, NULL), 0);
    ck_assert_int_eq(kit_upload_at_once(engine, "t", "label", table, size, id), 202);
    ck_assert_int_eq(pthread_join(stopper, NULL), 0);
    free(table);
}

/* Its JSON once it is settled. */
static cJSON *wait_settled(struct ock_engine *engine, const char *id)
{
    for (int waited = 0; waited < KIT_WAIT_MS && kit_is(engine, id, "preparing");
         waited += KIT_STEP_MS)
        kit_sleep();
    return kit_dataset(engine, id);
}

static void check_settled(struct ock_engine *engine, const char *id, const char *status,
                          const char *sentence)
{
    cJSON *json = wait_settled(engine, id);
    ck_assert_str_eq(kit_text(json, "status"), status);
    ck_assert_msg(strstr(kit_text(json, "error"), sentence) != NULL, "%s", kit_text(json, "error"));
    cJSON_Delete(json);
}

static bool has_spool(const char *id)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/uploads/%s/source", kit_dir, id);
    return access(path, F_OK) == 0;
}

static void wait_no_spool(const char *id)
{
    for (int waited = 0; waited < KIT_WAIT_MS && has_spool(id); waited += KIT_STEP_MS)
        kit_sleep();
    ck_assert(!has_spool(id));
}

START_TEST(killed_worker_is_followed_by_another)
{
    char id[OCK_ID_SIZE], job[OCK_ID_SIZE];
    make_dir();
    struct ock_engine *engine = kit_open();
    upload_large(engine, false, id);
    kit_submit(engine, spec, job);
    ck_assert_int_gt(kit_worker_pid(), 0);
    kit_signal_children(SIGKILL);
    check_settled(engine, id, "ready", "");
    kit_wait_and_forget(engine, job, "succeeded", 1);
    wait_no_spool(id);
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

/* Data that kill every worker must not do so for ever. */
START_TEST(third_death_in_a_row_is_the_last)
{
    char id[OCK_ID_SIZE], job[OCK_ID_SIZE];
    int deaths = 0;
    pid_t last = 0;
    make_dir();
    struct ock_engine *engine = kit_open();
    upload_large(engine, false, id);
    kit_submit(engine, spec, job);
    while (kit_is(engine, id, "preparing")) {
        pid_t pid = kit_worker_pid();
        if (pid != 0 && pid != last) {
            deaths++;
            ck_assert_int_eq(kill(pid, SIGKILL), 0);
            last = pid;
        }
        kit_sleep();
    }
    ck_assert_int_eq(deaths, 3);
    check_settled(engine, id, "failed", "3 times in a row");
    cJSON *ended = kit_wait(engine, job, NULL, 0);
    ck_assert_str_eq(kit_text(ended, "stop_reason"), "data");
    cJSON_Delete(ended);
    wait_no_spool(id);
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

/* While it is away no worker can write a dataset: "io". */
static void take_away_datasets(bool away)
{
    char there[128], aside[128];
    (void)snprintf(there, sizeof(there), "%s/datasets", kit_dir);
    (void)snprintf(aside, sizeof(aside), "%s/aside", kit_dir);
    ck_assert_int_eq(away ? rename(there, aside) : rename(aside, there), 0);
}

static void wait_no_worker(void)
{
    for (int waited = 0; waited < KIT_WAIT_MS && kit_worker_pid() != 0; waited += KIT_STEP_MS)
        kit_sleep();
    ck_assert_int_eq(kit_worker_pid(), 0);
}

START_TEST(io_error_is_waited_out)
{
    char id[OCK_ID_SIZE], job[OCK_ID_SIZE], other[OCK_ID_SIZE];
    make_dir();
    struct ock_engine *engine = kit_open();
    take_away_datasets(true);
    upload_large(engine, false, id);
    kit_submit(engine, spec, job);
    kit_signal_children(SIGCONT);
    wait_no_worker();
    kit_sleep();
    ck_assert(kit_is(engine, id, "preparing") && has_spool(id));
    take_away_datasets(false);
    /* The one that rests holds no turn. */
    ck_assert_int_lt(kit_upload_at_once(engine, "u", NULL, "a,b\n1,2\n3,4\n", 12, other), 300);
    check_settled(engine, id, "ready", "");
    kit_wait_and_forget(engine, job, "succeeded", 1);
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

START_TEST(server_may_stop_while_an_import_rests)
{
    char id[OCK_ID_SIZE], job[OCK_ID_SIZE];
    struct timespec before, after;
    make_dir();
    struct ock_engine *engine = kit_open();
    take_away_datasets(true);
    upload_large(engine, false, id);
    kit_submit(engine, spec, job);
    kit_signal_children(SIGCONT);
    wait_no_worker();
    (void)clock_gettime(CLOCK_MONOTONIC, &before);
    ock_engine_close(engine);
    (void)clock_gettime(CLOCK_MONOTONIC, &after);
    ck_assert_int_lt(after.tv_sec - before.tv_sec, 2); /* the shortest rest */
    ck_assert(has_spool(id));
    take_away_datasets(false);
    engine = kit_open();
    check_settled(engine, id, "ready", "");
    kit_wait_and_forget(engine, job, "succeeded", 1);
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

/* The disk is full when the outcome, good or bad, is to be stored. */
START_TEST(outcome_waits_for_room)
{
    char id[OCK_ID_SIZE], job[OCK_ID_SIZE];
    bool is_bad = _i == 1;
    make_dir();
    struct ock_engine *engine = kit_open();
    upload_large(engine, is_bad, id);
    kit_submit(engine, spec, job);
    io_fail_after(0, IO_ENOSPC, true, kit_dir);
    kit_signal_children(SIGCONT);
    while (!io_has_failed())
        kit_sleep();
    wait_no_worker();
    ck_assert(kit_is(engine, id, "preparing") && has_spool(id));
    ck_assert(io_fail_stop());
    check_settled(engine, id, is_bad ? "failed" : "ready", is_bad ? "line 400001" : "");
    kit_wait_and_forget(engine, job, is_bad ? "failed" : "succeeded", is_bad ? 0 : 1);
    wait_no_spool(id);
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("imports: promised ones are tried again");
    TCase *tcase = tcase_create("retries");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, killed_worker_is_followed_by_another);
    tcase_add_test(tcase, third_death_in_a_row_is_the_last);
    tcase_add_test(tcase, io_error_is_waited_out);
    tcase_add_test(tcase, server_may_stop_while_an_import_rests);
    tcase_add_loop_test(tcase, outcome_waits_for_room, 0, 2);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
