/* Every I/O call of the store failing in turn: what was answered OK is there after reopening, what
 * was answered with an error is wholly there or wholly absent, and the file is sound.
 *
 * Method: a fixed sequence of writes on a store of its own; its n-th call fails (by ENOSPC, EIO, a
 * short write), alone or with all that follow until the store is closed, for every n until none is
 * left to fail. Then the file is looked at by SQL of the test's own. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/limits.h"
#include "server/log.h"
#include "server/store_datasets.h"
#include "server/store_events.h"
#include "server/store_jobs.h"
#include "tests/unit/io_fail.h"

/* The committer waits between two tries; here nobody gains by that. */
int nanosleep(const struct timespec *wanted, struct timespec *left)
{
    (void)wanted;
    (void)left;
    struct timespec moment = {.tv_nsec = 50000};
    return (int)syscall(SYS_nanosleep, &moment, NULL);
}

/* The sequence's writes, in order. */
enum step {
    INSERT,
    RUN,
    EVENTS,
    DATASET,
    KEY,
    END,
    OTHER,
    OTHER_END,
    DELETE,
    STEP_COUNT,
};

static char dir[64], path[96];
static struct ock_store *store;

/* What came of each step. Written by the committer's thread, read when `told`. */
struct outcome {
    struct ock_write write;
    enum step step;
    atomic_int told; /* how often */
    enum ock_status status;
};
static struct outcome outcomes[STEP_COUNT];
static bool was_sent[STEP_COUNT];
static int64_t number, other_number;

/* --- The sequence ------------------------------------------------------------------------------ */

static const struct ock_event_line lines[] = {
    {"epoch", "epoch:1", "{\"epoch\":1,\"epochs\":9,\"step\":5,\"weights_sha256\":\"aa\"}"},
    {"checkpoint", "", "{\"epoch\":2,\"step\":5,\"bytes\":9}"},
    {"epoch", "epoch:2", "{\"epoch\":2,\"epochs\":9,\"step\":10,\"weights_sha256\":\"bb\"}"},
};

static enum ock_status insert(struct ock_db *db, const char *id, int64_t *out, struct ock_err *err)
{
    static char spec[20000]; /* several pages */
    memset(spec, ' ', sizeof(spec) - 1);
    struct ock_job_new job = {
        .id = id, .labels = "{}", .epochs = 9, .spec = spec, .resolved = "{}", .warnings = "[]"};
    enum ock_status status = ock_store_insert_job(db, &job, err);
    *out = job.number;
    return status;
}

static enum ock_status end(struct ock_db *db, int64_t of, const char *id, bool with_model,
                           struct ock_err *err)
{
    static char blob[30000];
    struct ock_model_bytes model = {
        .which = "best", .bytes = sizeof(blob), .sha256 = "cc", .blob = blob};
    struct ock_job_end ending = {.number = of,
                                 .id = id,
                                 .status = with_model ? OCK_JOB_SUCCEEDED : OCK_JOB_CANCELLED,
                                 .stop_reason = with_model ? "epochs" : "cancelled",
                                 .body = with_model ? "{\"status\":\"succeeded\"}" : NULL,
                                 .model_count = with_model,
                                 .models = &model};
    return ock_store_end_job(db, &ending, err);
}

static enum ock_status put_dataset(struct ock_db *db, struct ock_err *err)
{
    struct ock_dataset_row row = {
        .id = "ds_a", .name = "digits", .status = "ready", .sha256 = "dd", .options = "{}"};
    return ock_store_put_dataset(db, &row, "{}", false, err);
}

static enum ock_status put_key(struct ock_db *db, struct ock_err *err)
{
    struct ock_key_row row = {.body_sha256 = "ee", .status = 202, .job = "job_a"};
    return ock_store_put_key(db, "a key", &row, "{}", err);
}

static enum ock_status apply(struct ock_db *db, void *ctx, struct ock_err *err)
{
    const struct outcome *outcome = ctx;
    struct ock_job_change change = {
        .number = number, .id = "job_a", .status = OCK_JOB_RUNNING, .begins = true};
    struct ock_event_batch batch = {.number = number, .id = "job_a", .count = 3, .lines = lines};
    switch (outcome->step) {
    case INSERT:
        return insert(db, "job_a", &number, err);
    case RUN:
        return ock_store_change_job(db, &change, err);
    case EVENTS:
        return ock_store_append_events(db, &batch, err);
    case DATASET:
        return put_dataset(db, err);
    case KEY:
        return put_key(db, err);
    case END:
        return end(db, number, "job_a", true, err);
    case OTHER:
        return insert(db, "job_b", &other_number, err);
    case OTHER_END:
        return end(db, other_number, "job_b", false, err);
    case DELETE:
        return ock_store_delete_job(db, "job_b", err);
    case STEP_COUNT:
    default:
        return OCK_INVALID;
    }
}

static void note(void *ctx, enum ock_status status, const struct ock_err *err)
{
    struct outcome *outcome = ctx;
    (void)err;
    outcome->status = status;
    atomic_fetch_add(&outcome->told, 1);
}

/* As the runner writes: tried again until it works. For good: not awaited once a call has failed. */
static bool keeps_trying(enum step step)
{
    return step == RUN || step == EVENTS || step == END || step == OTHER_END;
}

static void send_step(enum step step)
{
    struct outcome *outcome = &outcomes[step];
    outcome->step = step;
    outcome->write = (struct ock_write){.apply = apply,
                                        .done = note,
                                        .ctx = outcome,
                                        .keep_trying = keeps_trying(step),
                                        .makes_room = step == DELETE};
    was_sent[step] = true;
    ock_store_post(store, &outcome->write);
    for (int waited = 0; atomic_load(&outcome->told) == 0; waited++) {
        if (io_for_good && io_has_failed() && keeps_trying(step) && waited > 2)
            return;
        ck_assert_int_lt(waited, 200000);
        (void)nanosleep(NULL, NULL);
    }
}

static bool is_done(enum step step)
{
    return was_sent[step] && atomic_load(&outcomes[step].told) > 0 &&
           outcomes[step].status == OCK_OK;
}

/* What depends on a job is asked for only where it is there, as the engine does. */
static void work(void)
{
    static const enum step needs[STEP_COUNT] = {
        [RUN] = INSERT, [EVENTS] = INSERT, [END] = INSERT, [OTHER_END] = OTHER, [DELETE] = OTHER};
    memset(was_sent, 0, sizeof(was_sent));
    memset(outcomes, 0, sizeof(outcomes));
    struct ock_err err = {0};
    if (ock_store_open(&store, path, &err) != OCK_OK) {
        ck_assert(io_has_failed());
        return;
    }
    for (enum step step = INSERT; step < STEP_COUNT; step++) {
        if (needs[step] == INSERT && (step == DATASET || step == KEY || step == OTHER))
            send_step(step);
        else if (step == INSERT || is_done(needs[step]))
            send_step(step);
    }
    ock_store_close(store);
    for (enum step step = INSERT; step < STEP_COUNT; step++)
        ck_assert_int_eq(atomic_load(&outcomes[step].told), was_sent[step]);
}

/* --- What is there ----------------------------------------------------------------------------- */

static sqlite3 *db;

static int64_t ask(const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    ck_assert_msg(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK, "%s",
                  sqlite3_errmsg(db));
    ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    return value;
}

/* Whole or not at all, whatever was answered. */
static void check_whole(void)
{
    ck_assert_int_eq(ask("SELECT count(*) = 1 AND max(integrity_check) = 'ok'"
                         " FROM pragma_integrity_check"),
                     1);
    ck_assert_int_eq(ask("SELECT count(*) FROM jobs WHERE NOT EXISTS"
                         " (SELECT 1 FROM specs WHERE job = number)"),
                     0);
    ck_assert_int_eq(ask("SELECT count(*) FROM jobs WHERE seq != (SELECT count(*) FROM events"
                         " WHERE job = number) OR seq != (SELECT max(seq) FROM events"
                         " WHERE job = number)"),
                     0);
    ck_assert_int_eq(ask("SELECT count(*) FROM jobs WHERE (status >= 3) != EXISTS"
                         " (SELECT 1 FROM events WHERE job = number AND key = 'end')"),
                     0);
    ck_assert_int_eq(ask("SELECT count(*) FROM jobs WHERE (status = 3) != EXISTS"
                         " (SELECT 1 FROM models WHERE job = number AND length(blob) = 30000)"),
                     0);
    /* Job 0 tells deletions: of the other job, once it is gone. */
    int64_t deletions = ask("SELECT count(*) FROM events WHERE job = 0");
    ck_assert(deletions == 0 ||
              (deletions == 1 && ask("SELECT count(*) FROM jobs WHERE id = 'job_b'") == 0));
    ck_assert_int_eq(ask("SELECT (SELECT count(*) FROM events WHERE job > 0 AND job NOT IN"
                         " (SELECT number FROM jobs)) + (SELECT count(*) FROM specs WHERE job NOT"
                         " IN (SELECT number FROM jobs))"),
                     0);
    int64_t told = ask("SELECT count(*) FROM events WHERE key LIKE 'epoch:%'"
                       " OR key LIKE 'checkpoint:%'");
    ck_assert(told == 0 || told == 3);
}

static const char *const proofs[STEP_COUNT] = {
    [INSERT] = "SELECT count(*) FROM jobs WHERE id = 'job_a'",
    [RUN] = "SELECT count(*) FROM events WHERE body LIKE '%\"running\"%'",
    [EVENTS] = "SELECT count(*) FROM events WHERE key = 'epoch:2'",
    [DATASET] = "SELECT count(*) FROM datasets WHERE name = 'digits'",
    [KEY] = "SELECT count(*) FROM idempotency WHERE key = 'a key'",
    [END] = "SELECT count(*) FROM jobs WHERE id = 'job_a' AND status = 3",
    [OTHER] = "SELECT count(*) FROM jobs WHERE id = 'job_b'",
    [OTHER_END] = "SELECT count(*) FROM jobs WHERE id = 'job_b' AND status = 5",
    [DELETE] = "SELECT (SELECT count(*) = 0 FROM jobs WHERE id = 'job_b') AND"
               " (SELECT count(*) = 1 FROM events WHERE job = 0)",
};

static void check_answers(long n)
{
    for (enum step step = INSERT; step < STEP_COUNT; step++) {
        bool is_gone = (step == OTHER || step == OTHER_END) &&
                       (was_sent[DELETE] && atomic_load(&outcomes[DELETE].told) > 0);
        if (is_done(step) && !is_gone)
            ck_assert_msg(ask(proofs[step]) == 1, "call %ld: step %d was OK and is lost", n,
                          (int)step);
        if (was_sent[step] && keeps_trying(step) && !io_for_good)
            ck_assert_msg(outcomes[step].status == OCK_OK, "call %ld: step %d has status %d", n,
                          (int)step, (int)outcomes[step].status);
    }
}

/* Nothing fails any more: the store opens, goes on, and is what was promised. */
static void check(long n)
{
    struct ock_err err = {0};
    ck_assert_msg(ock_store_open(&store, path, &err) == OCK_OK, "call %ld: %s", n, err.text);
    ock_store_close(store);
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    check_whole();
    check_answers(n);
    (void)sqlite3_close(db);
}

static void make_dir(void)
{
    ock_log_set_level((enum ock_log_level)(OCK_LOG_ERROR + 1)); /* they are expected */
    /* In memory where that can be: thousands of syncs. */
    const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    (void)snprintf(dir, sizeof(dir), "%s/ock-store-io-XXXXXX", base);
    ck_assert_ptr_nonnull(mkdtemp(dir));
    (void)snprintf(path, sizeof(path), "%s/ockham.db", dir);
}

static void remove_dir(void)
{
    static const char *const ends[] = {"", "-wal", "-shm", ".room"};
    char name[128];
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        (void)snprintf(name, sizeof(name), "%s%s", path, ends[i]);
        (void)unlink(name);
    }
    ck_assert_int_eq(rmdir(dir), 0);
}

/* Loop index: the fault, and whether it stays. */
START_TEST(every_call_fails_in_turn)
{
    enum io_fault fault = (enum io_fault)(_i % IO_FAULT_COUNT);
    bool for_good = _i >= IO_FAULT_COUNT;
    long n = 0;
    for (bool failed = true; failed; n += OCK_TEST_STRIDE) {
        make_dir();
        io_fail_after(n, fault, for_good, dir);
        work();
        failed = io_fail_stop();
        check(n);
        for (enum step step = INSERT; !failed && step < STEP_COUNT; step++)
            ck_assert(is_done(step));
        remove_dir();
    }
    ck_assert_int_gt(n, 20); /* calls that failed */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store: failing I/O");
    TCase *tcase = tcase_create("io");
    tcase_set_timeout(tcase, 300);
    tcase_add_loop_test(tcase, every_call_fails_in_turn, 0, IO_FAULT_COUNT);
    /* A disk that stays full, or broken. */
    tcase_add_loop_test(tcase, every_call_fails_in_turn, IO_FAULT_COUNT, IO_FAULT_COUNT + 2);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
