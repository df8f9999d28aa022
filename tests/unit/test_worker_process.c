/* The line protocol from the parent's side, with the real worker: what it says, what it obeys, and
 * what it leaves behind when its parent is gone. */
#include "engine_kit.h"

#include <poll.h>
#include <sys/ioctl.h>

#include "core/data/import.h"
#include "server/worker_process.h"

enum { LINES_MAX = 4096 };

/* A worker with a sanitizer has no RLIMIT_DATA: its shadow memory would count. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { IS_LIMITED = 0 };
#elif defined(__has_feature)
enum { IS_LIMITED = !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer) };
#else
enum { IS_LIMITED = 1 };
#endif

static int program = -1;
static char job_dir[96];
static char *lines[LINES_MAX];
static size_t line_count;

static void write_limited_job(const char *train, unsigned threads, size_t data_bytes_max)
{
    char path[160], text[1024];
    struct ock_err err = {0};
    struct ock_import import = {.source = OCK_TEST_DATA "/digits.csv.gz", .target = "-1"};
    (void)snprintf(path, sizeof(path), "%s/data.ockds", job_dir);
    import.out = path;
    ck_assert_msg(ock_import_run(&import, &err) == OCK_OK, "%s", err.text);
    (void)snprintf(text, sizeof(text),
                   "{\"job\":\"local\",\"spec\":{\"data\":{},\"optimizer\":{\"lr\":0.05},"
                   "\"model\":{\"hidden\":[100]},\"train\":%s},\"train\":\"%s\","
                   "\"validation\":null,\"test\":null,\"init\":null,\"threads\":%u,"
                   "\"data_bytes_max\":%zu}",
                   train, path, threads, data_bytes_max);
    (void)snprintf(path, sizeof(path), "%s/job.json", job_dir);
    FILE *file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

static void write_job(const char *train)
{
    write_limited_job(train, 1, 0);
}

static void setup(void)
{
    struct ock_err err = {0};
    kit_make_dir();
    (void)snprintf(job_dir, sizeof(job_dir), "%s", kit_dir);
    ck_assert_msg(ock_worker_program_open(&program, kit_worker, &err) == OCK_OK, "%s", err.text);
    line_count = 0;
}

static void teardown(void)
{
    for (size_t i = 0; i < line_count; i++)
        free(lines[i]);
    (void)close(program);
    kit_remove_dir();
}

static void start(struct ock_worker *worker)
{
    struct ock_err err = {0};
    enum ock_status status = ock_worker_start(worker, program, "train", job_dir, false, &err);
    ck_assert_msg(status == OCK_OK, "%s", err.text);
}

/* Reads lines (copied to lines[]) until one of that type, or to the end of file: false. */
static bool read_until(struct ock_worker *worker, const char *type)
{
    for (;;) {
        struct pollfd polled = {.fd = worker->out, .events = POLLIN};
        ck_assert_int_eq(poll(&polled, 1, KIT_WAIT_MS), 1);
        bool open = ock_worker_read(worker), found = false;
        for (;;) {
            size_t size;
            struct ock_worker_line line;
            char *text = ock_worker_next_line(worker, &size);
            if (!text)
                break;
            ck_assert_uint_eq(strlen(text), size);
            ck_assert_uint_lt(line_count, LINES_MAX);
            lines[line_count++] = strdup(text);
            ck_assert_msg(ock_worker_parse_line(text, &line), "%s", text);
            ck_assert_uint_gt(line.number, 0);
            found = found || (type && strcmp(line.type, type) == 0);
        }
        if (found || !open)
            return found;
    }
}

static int wait_for_exit(struct ock_worker *worker)
{
    int wait_status;
    ck_assert(ock_worker_ended(worker, true, &wait_status));
    ck_assert(WIFEXITED(wait_status));
    return WEXITSTATUS(wait_status);
}

/* How many of lines[from..] begin with "N TYPE ". */
static size_t count_lines(size_t from, const char *type)
{
    size_t count = 0;
    for (size_t i = from; i < line_count; i++) {
        const char *rest = strchr(lines[i], ' ');
        count +=
            rest && strncmp(rest + 1, type, strlen(type)) == 0 && rest[1 + strlen(type)] == ' ';
    }
    return count;
}

START_TEST(worker_tells_all_and_ends)
{
    struct ock_worker worker;
    write_job("{\"epochs\":5}");
    start(&worker);
    ck_assert(read_until(&worker, "end"));
    (void)read_until(&worker, NULL);
    ck_assert_int_eq(wait_for_exit(&worker), OCK_WORKER_ENDED);
    ck_assert_uint_eq(count_lines(0, "epoch"), 5);
    for (size_t i = 0; i < line_count; i++)
        ck_assert_uint_eq(strtoull(lines[i], NULL, 10), i + 1); /* counted from 1, no gap */
    ock_worker_close(&worker);
    ock_worker_close(&worker); /* twice is harmless */
}
END_TEST

START_TEST(unconfirmed_lines_come_again_first)
{
    struct ock_worker worker;
    char checkpoint[160];
    write_job("{\"epochs\":100000}");
    start(&worker);
    while (count_lines(0, "epoch") < 6)
        ck_assert(read_until(&worker, "epoch"));
    /* All up to the third epoch are stored; the rest must come again. */
    size_t third = 0;
    for (size_t seen = 0; seen < 3; third++)
        seen += strstr(lines[third], " epoch ") != NULL;
    while (strstr(lines[third], " progress ") || strstr(lines[third], " checkpoint "))
        third++; /* those are told once, or never */
    ock_worker_confirm(&worker, strtoull(lines[third - 1], NULL, 10));
    ock_worker_send(&worker, "pause");
    ck_assert(!read_until(&worker, "nothing"));
    ck_assert_int_eq(wait_for_exit(&worker), OCK_WORKER_PAUSED);
    ock_worker_close(&worker);
    (void)snprintf(checkpoint, sizeof(checkpoint), "%s/checkpoint", job_dir);
    ck_assert_int_eq(access(checkpoint, R_OK), 0);

    size_t told = line_count;
    start(&worker);
    ck_assert(read_until(&worker, "epoch"));
    ock_worker_close(&worker); /* kills it */
    const char *before = strchr(lines[third], ' '), *after = strchr(lines[told], ' ');
    ck_assert_uint_eq(strtoull(lines[told], NULL, 10), 1);
    ck_assert_str_eq(after, before); /* the same text but for its number */
}
END_TEST

START_TEST(a_checkpoint_does_not_undo_a_stop)
{
    struct ock_worker worker;
    write_job("{\"epochs\":2000}");
    start(&worker);
    ck_assert(read_until(&worker, "epoch"));
    ock_worker_send(&worker, "stop\ncheckpoint"); /* both are there before the next minibatch */
    ck_assert(read_until(&worker, "end"));
    ck_assert_ptr_nonnull(strstr(lines[line_count - 1], "\"stop_reason\":\"stopped\""));
    ck_assert_int_eq(wait_for_exit(&worker), OCK_WORKER_ENDED);
    ock_worker_close(&worker);
}
END_TEST

START_TEST(orphan_leaves_a_checkpoint_within_two_seconds)
{
    struct ock_worker worker;
    struct timespec begin, end;
    char checkpoint[160];
    write_job("{\"epochs\":100000}");
    start(&worker);
    ck_assert(read_until(&worker, "epoch"));
    clock_gettime(CLOCK_MONOTONIC, &begin);
    (void)close(worker.in);
    (void)close(worker.out); /* nobody reads any more, as when the server died */
    worker.in = worker.out = -1;
    ck_assert_int_eq(wait_for_exit(&worker), OCK_WORKER_ORPHANED);
    clock_gettime(CLOCK_MONOTONIC, &end);
    ck_assert_int_le(end.tv_sec - begin.tv_sec, 2);
    (void)snprintf(checkpoint, sizeof(checkpoint), "%s/checkpoint", job_dir);
    ck_assert_int_eq(access(checkpoint, R_OK), 0);
    ock_worker_close(&worker);
}
END_TEST

/* Nobody reads its events, so the training thread waits for ever; the control thread does not. */
START_TEST(orphan_that_hangs_ends_within_two_seconds)
{
    struct ock_worker worker;
    struct timespec begin, end;
    write_job("{\"epochs\":100000}");
    start(&worker);
    /* The pipe fills up (lines leave gaps at its pages' ends) and stays so for a second. */
    int size = fcntl(worker.out, F_GETPIPE_SZ), full = 0, before = -1;
    for (int same = 0; same < 5; same = full == before && full > size / 4 * 3 ? same + 1 : 0) {
        struct timespec some = {.tv_nsec = 200000000L};
        (void)nanosleep(&some, NULL);
        before = full;
        ck_assert_int_eq(ioctl(worker.out, FIONREAD, &full), 0);
    }
    clock_gettime(CLOCK_MONOTONIC, &begin);
    (void)close(worker.in);
    worker.in = -1;
    ck_assert_int_eq(wait_for_exit(&worker), OCK_WORKER_ORPHANED);
    clock_gettime(CLOCK_MONOTONIC, &end);
    double waited_s =
        (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec);
    ck_assert_double_gt(waited_s, 1.8); /* what a checkpoint may take */
    ck_assert_double_lt(waited_s,
                        IS_LIMITED ? 2.5 : 5); /* 1.9; a sanitizer takes its time to end */
    ock_worker_close(&worker);
}
END_TEST

START_TEST(second_worker_waits_for_the_first)
{
    struct ock_worker first, second;
    write_job("{\"epochs\":100000}");
    start(&first);
    ck_assert(read_until(&first, "epoch"));
    start(&second);
    struct timespec some = {.tv_nsec = 100000000L};
    (void)nanosleep(&some, NULL);
    ock_worker_send(&first, "pause");
    (void)read_until(&first, NULL);
    ck_assert_int_eq(wait_for_exit(&first), OCK_WORKER_PAUSED);
    ck_assert(read_until(&second, "epoch")); /* it has the lock now */
    ock_worker_close(&second);
    ock_worker_close(&first);
}
END_TEST

START_TEST(bad_directory_is_a_sentence)
{
    struct ock_worker worker;
    char text[400];
    int wait_status;
    start(&worker); /* there is no job.json */
    (void)read_until(&worker, NULL);
    ck_assert(ock_worker_ended(&worker, true, &wait_status));
    while (ock_worker_read_err(&worker))
        continue;
    ock_worker_explain(wait_status, worker.said, text, sizeof(text));
    ck_assert_ptr_nonnull(strstr(text, "exit code 1"));
    ck_assert_ptr_nonnull(strstr(text, "job.json"));
    ock_worker_close(&worker);
}
END_TEST

/* What the plan did not foresee, or the machine does not give: memory for the network, for the
 * threads' stacks (OpenMP's library would end the process), for the very first lines. Each is told as
 * what it is, with numbers and a cure. */
static const struct {
    const char *what;
    unsigned threads;
    size_t data_bytes_max;
    const char *says;
} shortages[] = {
    {"the network", 1, 2 * OCK_MIB, "MiB, the process may have 2 MiB): fewer units"},
    {"threads", 8, 48 * OCK_MIB, "of 8 threads only"},
    {"anything", 1, 1, "out of memory"},
};

START_TEST(shortage_of_memory_is_told)
{
    struct ock_worker worker;
    write_limited_job("{\"epochs\":2}", shortages[_i].threads, shortages[_i].data_bytes_max);
    start(&worker);
    ck_assert_msg(read_until(&worker, "end"), "%s", shortages[_i].what);
    (void)read_until(&worker, NULL);
    ck_assert_int_eq(wait_for_exit(&worker), OCK_WORKER_ENDED);
    const char *told = lines[line_count - 1];
    ck_assert_msg(strstr(told, shortages[_i].says) != NULL, "%s", told);
    ck_assert_ptr_nonnull(strstr(told, "\"stop_reason\":\"memory\""));
    ock_worker_close(&worker);
}
END_TEST

static const struct {
    const char *line;
    bool good;
    const char *key;
} forms[] = {
    {"1 epoch epoch:1 {}", true, "epoch:1"},
    {"12 progress - {\"a\": 1}", true, ""},
    {"0 epoch k {}", false, NULL},
    {"x epoch k {}", false, NULL},
    {"1 epoch {}", false, NULL},
    {"1  k {}", false, NULL},
    {"1 epoch  {}", false, NULL},
    {"1 epoch k []", false, NULL},
    {"1 epoch k", false, NULL},
    {"99999999999999999999999 epoch k {}", false, NULL},
    {"", false, NULL},
};

START_TEST(line_has_one_form)
{
    char text[64];
    struct ock_worker_line line;
    (void)snprintf(text, sizeof(text), "%s", forms[_i].line);
    ck_assert_msg(ock_worker_parse_line(text, &line) == forms[_i].good, "%s", forms[_i].line);
    if (forms[_i].good)
        ck_assert_str_eq(line.key, forms[_i].key);
}
END_TEST

START_TEST(missing_program_is_named)
{
    int fd = -5;
    struct ock_err err = {0};
    ck_assert_int_eq(ock_worker_program_open(&fd, "/nowhere/worker", &err), OCK_NOTFOUND);
    ck_assert_int_eq(fd, -5);
    ck_assert_ptr_nonnull(strstr(err.text, "/nowhere/worker"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("worker process");
    TCase *tcase = tcase_create("worker");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, worker_tells_all_and_ends);
    tcase_add_test(tcase, unconfirmed_lines_come_again_first);
    tcase_add_test(tcase, a_checkpoint_does_not_undo_a_stop);
    tcase_add_test(tcase, orphan_leaves_a_checkpoint_within_two_seconds);
    tcase_add_test(tcase, orphan_that_hangs_ends_within_two_seconds);
    tcase_add_test(tcase, second_worker_waits_for_the_first);
    tcase_add_test(tcase, bad_directory_is_a_sentence);
    if (IS_LIMITED)
        tcase_add_loop_test(tcase, shortage_of_memory_is_told, 0,
                            (int)(sizeof(shortages) / sizeof(shortages[0])));
    suite_add_tcase(suite, tcase);
    TCase *pure = tcase_create("lines");
    tcase_add_loop_test(pure, line_has_one_form, 0, (int)(sizeof(forms) / sizeof(forms[0])));
    tcase_add_test(pure, missing_program_is_named);
    suite_add_tcase(suite, pure);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
