/* Nothing acknowledged is lost: workers and servers die in the middle, and every job ends with the
 * events and the bits of an undisturbed run.
 *
 * Real workers train on digits. A "server" is a child process with an engine of its own, so that it
 * can be killed by SIGKILL. */
#include <sqlite3.h>
#include <sys/file.h>

#include "engine_kit.h"
#include "server/store_jobs.h"

enum { HASHES_SIZE = KIT_EPOCHS_MAX * 64 + 1, EPOCHS = 80 };

/* Under the sanitizers an epoch of a small model takes as long as one of a large model does else. */
#if OCK_TEST_STRIDE > 1
#define HIDDEN "[48,24]"
#else
#define HIDDEN "[200,100]"
#endif
static const char *const spec =
    "{\"data\":{\"dataset\":\"digits\"},\"model\":{\"hidden\":" HIDDEN ",\"dropout\":0.1},"
    "\"regularization\":{\"l1\":1e-5,\"l2\":1e-4},"
    "\"optimizer\":{\"lr\":0.02,\"momentum\":0.9},"
    "\"train\":{\"epochs\":80,\"batch_size\":16,\"seed\":3}}";

static char undisturbed[HASHES_SIZE], disturbed[HASHES_SIZE];

/* The death has been noticed: from here on another worker is meant. */
static void wait_for_attempt(struct ock_engine *engine, const char *id, int attempt)
{
    for (int waited = 0; waited < KIT_WAIT_MS; waited += KIT_STEP_MS) {
        cJSON *job = kit_job(engine, id);
        bool there = (int)kit_number(job, "attempt") >= attempt;
        cJSON_Delete(job);
        if (there)
            return;
        kit_sleep();
    }
    ck_abort_msg("attempt %d has not begun", attempt);
}

START_TEST(worker_killed_in_the_middle_gives_the_same_bits)
{
    kit_make_dir();
    struct ock_engine *engine = kit_open();
    char calm[OCK_ID_SIZE], shaken[OCK_ID_SIZE];
    kit_upload_digits(engine);
    kit_submit(engine, spec, calm);
    kit_wait_and_forget(engine, calm, "succeeded", EPOCHS);
    kit_hashes(engine, calm, undisturbed, sizeof(undisturbed));
    ck_assert_uint_eq(strlen(undisturbed), (size_t)EPOCHS * 64);

    while (kit_worker_pid() != 0) /* the sanitizers' take a second to exit */
        kit_sleep();
    kit_submit(engine, spec, shaken);
    static const int at[] = {2, 6, 10}; /* far from the end, which a busy machine may skip to */
    for (size_t i = 0; i < 3; i++) {
        kit_wait_and_forget(engine, shaken, "running", at[i]);
        pid_t pid = kit_worker_pid();
        ck_assert_int_gt(pid, 0);
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        wait_for_attempt(engine, shaken, (int)i + 2);
    }
    cJSON *job = kit_wait(engine, shaken, NULL, 0);
    ck_assert_str_eq(kit_text(job, "status"), "succeeded");
    ck_assert_int_eq((int)kit_number(job, "attempt"), 4);
    cJSON_Delete(job);
    kit_hashes(engine, shaken, disturbed, sizeof(disturbed));
    ck_assert_str_eq(disturbed, undisturbed);
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

/* The worker that comes after the death has no checkpoint: it begins again, and the stop has to wait
 * until all has been told again, else an epoch would have two ends. */
START_TEST(stop_after_a_death_keeps_what_was_told)
{
    char id[OCK_ID_SIZE];
    int http = 0;
    kit_make_dir();
    struct ock_engine *engine = kit_open();
    kit_upload_digits(engine);
    kit_submit(engine, spec, id);
    kit_wait_and_forget(engine, id, "running", 4);
    ck_assert_int_eq(kill(kit_worker_pid(), SIGKILL), 0);
    wait_for_attempt(engine, id, 2);
    kit_wait_and_forget(engine, id, "running", 4);
    ck_assert(kit_act(engine, id, "stop", &http));
    ck_assert_int_eq(http, 202);
    cJSON *job = kit_wait(engine, id, NULL, 4);
    ck_assert_str_eq(kit_text(job, "status"), "succeeded");
    ck_assert_str_eq(kit_text(job, "stop_reason"), "stopped");
    cJSON_Delete(job);
    kit_hashes(engine, id, disturbed, sizeof(disturbed));
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

/* The child: an engine that runs until it is killed. What it has committed it tells by a pipe. */
static void serve_until_killed(int told, const char *id_or_null)
{
    struct ock_engine *engine = kit_open();
    char id[OCK_ID_SIZE];
    if (!id_or_null) {
        kit_submit(engine, spec, id); /* the calm run has left the dataset */
        if (write(told, id, sizeof(id)) != (ssize_t)sizeof(id))
            _exit(3);
    }
    for (;;)
        pause();
}

static pid_t start_server(const char *id_or_null, char id[OCK_ID_SIZE])
{
    int ends[2];
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    pid_t child = fork();
    if (child == 0)
        serve_until_killed(ends[1], id_or_null);
    ck_assert_int_gt(child, 0);
    (void)close(ends[1]);
    if (!id_or_null)
        ck_assert_int_eq(read(ends[0], id, OCK_ID_SIZE), OCK_ID_SIZE);
    (void)close(ends[0]);
    return child;
}

static void kill_server(pid_t child)
{
    int status;
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
}

/* The undisturbed run in an engine of its own; returns how long it took. */
static double run_calmly_s(void)
{
    struct timespec begin, end;
    char calm[OCK_ID_SIZE];
    struct ock_engine *engine = kit_open();
    kit_upload_digits(engine);
    (void)clock_gettime(CLOCK_MONOTONIC, &begin);
    kit_submit(engine, spec, calm);
    kit_wait_and_forget(engine, calm, "succeeded", EPOCHS);
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    kit_hashes(engine, calm, undisturbed, sizeof(undisturbed));
    ock_engine_close(engine);
    return (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec);
}

/* Three lives, each a quarter of the time that the job takes: the first cannot see its end. */
START_TEST(server_killed_in_the_middle_loses_nothing)
{
    char id[OCK_ID_SIZE];
    kit_make_dir();
    double life_s = run_calmly_s() / 4;
    struct timespec life = {.tv_sec = (time_t)life_s,
                            .tv_nsec = (long)((life_s - (double)(time_t)life_s) * 1e9)};
    pid_t server = start_server(NULL, id);
    for (int lives = 0; lives < 3; lives++) {
        (void)nanosleep(&life, NULL);
        kill_server(server);
        if (lives < 2)
            server = start_server(id, NULL);
    }
    struct ock_engine *engine = kit_open();
    cJSON *job = kit_wait(engine, id, NULL, 0);
    ck_assert_str_eq(kit_text(job, "status"), "succeeded");
    ck_assert_int_ge((int)kit_number(job, "attempt"), 2);
    cJSON_Delete(job);
    kit_hashes(engine, id, disturbed, sizeof(disturbed));
    ck_assert_str_eq(disturbed, undisturbed);
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

START_TEST(closing_requeues_what_runs_with_its_checkpoint)
{
    char id[OCK_ID_SIZE], calm[OCK_ID_SIZE];
    kit_make_dir();
    struct ock_engine *engine = kit_open();
    kit_upload_digits(engine);
    kit_submit(engine, spec, id);
    kit_wait_and_forget(engine, id, "running", 3);
    ock_engine_close(engine);

    engine = kit_open();
    cJSON *job = kit_wait(engine, id, NULL, 0);
    ck_assert_str_eq(kit_text(job, "status"), "succeeded");
    ck_assert_int_eq((int)kit_number(job, "attempt"), 1); /* nobody died */
    cJSON_Delete(job);
    kit_hashes(engine, id, disturbed, sizeof(disturbed));
    kit_submit(engine, spec, calm);
    kit_wait_and_forget(engine, calm, "succeeded", EPOCHS);
    kit_hashes(engine, calm, undisturbed, sizeof(undisturbed));
    ck_assert_str_eq(disturbed, undisturbed);
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

START_TEST(pause_and_resume_give_the_same_bits)
{
    char id[OCK_ID_SIZE], calm[OCK_ID_SIZE];
    int http = 0;
    kit_make_dir();
    struct ock_engine *engine = kit_open();
    kit_upload_digits(engine);
    kit_submit(engine, spec, id);
    kit_wait_and_forget(engine, id, "running", 5);
    ck_assert(kit_act(engine, id, "pause", &http));
    ck_assert_int_eq(http, 202);
    kit_wait_and_forget(engine, id, "paused", 5);
    ck_assert_int_eq(kit_worker_pid(), 0); /* it holds no process */
    ck_assert(kit_act(engine, id, "pause", &http));
    ck_assert_int_eq(http, 200);
    ck_assert(kit_act(engine, id, "resume", &http));
    ck_assert_int_eq(http, 202);
    kit_wait_and_forget(engine, id, "succeeded", EPOCHS);
    kit_hashes(engine, id, disturbed, sizeof(disturbed));
    kit_submit(engine, spec, calm);
    kit_wait_and_forget(engine, calm, "succeeded", EPOCHS);
    kit_hashes(engine, calm, undisturbed, sizeof(undisturbed));
    ck_assert_str_eq(disturbed, undisturbed);
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

/* What a server leaves that ends between a worker's death and the pause that was asked for before:
 * the death is stored (queued, one more attempt), and so is the wish. */
static void leave_wish(const char *id)
{
    char path[96], sql[200];
    sqlite3 *store = NULL;
    (void)snprintf(path, sizeof(path), "%s/ockham.db", kit_dir);
    (void)snprintf(sql, sizeof(sql),
                   "UPDATE jobs SET status = %d, want = %d, attempt = 2 WHERE id = '%s'",
                   OCK_JOB_QUEUED, OCK_WANT_PAUSE, id);
    ck_assert_int_eq(sqlite3_open(path, &store), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(store, sql, NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_changes(store), 1);
    ck_assert_int_eq(sqlite3_close(store), SQLITE_OK);
}

START_TEST(pause_that_a_death_had_not_obeyed_survives_a_restart)
{
    char id[OCK_ID_SIZE];
    int http = 0;
    kit_make_dir();
    struct ock_engine *engine = kit_open();
    kit_upload_digits(engine);
    kit_submit(engine, spec, id);
    kit_wait_and_forget(engine, id, "running", 3);
    ock_engine_close(engine);
    leave_wish(id);

    engine = kit_open();
    cJSON *job = kit_wait(engine, id, "paused", 0);
    ck_assert_int_eq((int)kit_number(job, "attempt"), 2); /* the death was counted before */
    cJSON_Delete(job);
    ck_assert_int_eq(kit_worker_pid(), 0);
    ck_assert(kit_act(engine, id, "resume", &http)); /* and once obeyed, the wish is forgotten */
    ck_assert_int_eq(http, 202);
    kit_wait_and_forget(engine, id, "succeeded", EPOCHS);
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

START_TEST(second_server_is_refused)
{
    struct ock_engine *second = NULL;
    struct ock_err err = {0};
    kit_make_dir();
    struct ock_engine *engine = kit_open();
    struct ock_engine_config config = {.data_dir = kit_dir, .worker_path = kit_worker};
    ck_assert_int_eq(ock_engine_open(&second, &config, &err), OCK_CONFLICT);
    ck_assert_ptr_null(second);
    ock_engine_close(engine);
    ck_assert_int_eq(ock_engine_open(&second, &config, &err), OCK_OK); /* the lock went with it */
    ock_engine_close(second);
    kit_remove_dir();
}
END_TEST

/* As a child does that was killed with its server's descriptors before it became a worker. */
START_TEST(lock_of_a_dead_server_is_waited_for)
{
    char path[96];
    int ready[2], byte;
    kit_make_dir();
    ock_engine_close(kit_open());
    (void)snprintf(path, sizeof(path), "%s/lock", kit_dir);
    ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
    pid_t child = fork();
    if (child == 0) {
        int fd = open(path, O_RDWR | O_CLOEXEC);
        struct timespec moment = {.tv_nsec = 50000000L};
        if (flock(fd, LOCK_EX) != 0 || write(ready[1], "", 1) != 1)
            _exit(1);
        (void)nanosleep(&moment, NULL);
        _exit(0);
    }
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    ock_engine_close(kit_open());
    ck_assert_int_eq(waitpid(child, &byte, 0), child);
    ck_assert_int_eq(byte, 0);
    (void)close(ready[0]);
    (void)close(ready[1]);
    kit_remove_dir();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine: recovery");
    TCase *tcase = tcase_create("recovery");
    tcase_add_test(tcase, worker_killed_in_the_middle_gives_the_same_bits);
    tcase_add_test(tcase, stop_after_a_death_keeps_what_was_told);
    tcase_add_test(tcase, server_killed_in_the_middle_loses_nothing);
    tcase_add_test(tcase, closing_requeues_what_runs_with_its_checkpoint);
    tcase_add_test(tcase, pause_and_resume_give_the_same_bits);
    tcase_add_test(tcase, pause_that_a_death_had_not_obeyed_survives_a_restart);
    tcase_add_test(tcase, second_server_is_refused);
    tcase_add_test(tcase, lock_of_a_dead_server_is_waited_for);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
