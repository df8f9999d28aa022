/* Goal: the events of all jobs come in the store's order, once, within the asked range; of a job's
 * epochs in that range only the last one; deletions are among them and no more than enough are kept.
 * Method: a store with a few events whose numbers are known, and every range of them. */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/limits.h"
#include "server/store_all_events.h"
#include "server/store_jobs.h"

static char dir[64], path[96];
static struct ock_store *store;

static void setup(void)
{
    struct ock_err err = {0};
    (void)snprintf(dir, sizeof(dir), "/tmp/ock-all-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    (void)snprintf(path, sizeof(path), "%s/ockham.db", dir);
    ck_assert_msg(ock_store_open(&store, path, &err) == OCK_OK, "%s", err.text);
}

static void teardown(void)
{
    static const char *const ends[] = {"", "-wal", "-shm", ".room"};
    char name[128];
    ock_store_close(store);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        (void)snprintf(name, sizeof(name), "%s%s", path, ends[i]);
        (void)unlink(name);
    }
    (void)rmdir(dir);
}

static void write_ok(enum ock_status (*apply)(struct ock_db *, void *, struct ock_err *), void *ctx)
{
    struct ock_err err = {0};
    ck_assert_msg(ock_store_write(store, apply, ctx, &err) == OCK_OK, "%s", err.text);
}

static enum ock_status apply_insert(struct ock_db *db, void *ctx, struct ock_err *err)
{
    return ock_store_insert_job(db, ctx, err);
}

static enum ock_status apply_events(struct ock_db *db, void *ctx, struct ock_err *err)
{
    return ock_store_append_events(db, ctx, err);
}

static enum ock_status apply_end(struct ock_db *db, void *ctx, struct ock_err *err)
{
    return ock_store_end_job(db, ctx, err);
}

static enum ock_status apply_delete(struct ock_db *db, void *ctx, struct ock_err *err)
{
    return ock_store_delete_job(db, ctx, err);
}

static enum ock_status apply_sql(struct ock_db *db, void *ctx, struct ock_err *err)
{
    return ock_db_exec(db, ctx, err);
}

static int64_t insert_job(const char *id)
{
    struct ock_job_new job = {
        .id = id, .labels = "{}", .epochs = 10, .spec = "{}", .resolved = "{}", .warnings = "[]"};
    write_ok(apply_insert, &job);
    return job.number;
}

/* One epoch event, or a log line for epoch 0. */
static void tell(int64_t number, const char *id, unsigned epoch)
{
    char key[32], body[64];
    (void)snprintf(key, sizeof(key), "epoch:%u", epoch);
    (void)snprintf(body, sizeof(body), "{\"epoch\":%u}", epoch);
    struct ock_event_line line = {epoch ? "epoch" : "log", epoch ? key : "", body};
    struct ock_event_batch batch = {.number = number, .id = id, .count = 1, .lines = &line};
    write_ok(apply_events, &batch);
}

static void end_job(int64_t number, const char *id)
{
    struct ock_job_end end = {
        .number = number, .id = id, .status = OCK_JOB_CANCELLED, .stop_reason = "cancelled"};
    write_ok(apply_end, &end);
}

/* The numbers that a range tells, as "1 2 5", and *last. */
static const char *numbers(uint64_t after, uint64_t until, size_t bytes_max, uint64_t *last)
{
    static char text[256];
    struct ock_err err = {0};
    struct ock_buf out;
    size_t used = 0;
    ock_buf_init(&out, OCK_MIB);
    struct ock_db *db = ock_store_read(store, &err);
    ck_assert_ptr_nonnull(db);
    ck_assert_msg(ock_store_all_events_json(db, after, until, bytes_max, &out, last, &err) ==
                      OCK_OK,
                  "%s", err.text);
    ock_store_read_end(store, db);
    text[0] = '\0';
    for (const char *at = out.data; at && *at; at = strchr(at, '\n') + 1) {
        uint64_t number = strtoull(at, NULL, 10);
        ck_assert_int_eq(strchr(at, ' ')[1], '{');
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%" PRIu64, used ? " " : "",
                                 number);
    }
    ock_buf_deinit(&out);
    return text;
}

static uint64_t newest(void)
{
    uint64_t id = UINT64_MAX;
    struct ock_db *db = ock_store_read(store, NULL);
    ck_assert_int_eq(ock_store_newest_event(db, &id, NULL), OCK_OK);
    ock_store_read_end(store, db);
    return id;
}

/* 1 a queued, 2 b queued, 3 a epoch 1, 4 b epoch 1, 5 a epoch 2, 6 a log, 7 a epoch 3, 8 b epoch 2 */
static void fill(void)
{
    int64_t a = insert_job("job_a"), b = insert_job("job_b");
    tell(a, "job_a", 1);
    tell(b, "job_b", 1);
    tell(a, "job_a", 2);
    tell(a, "job_a", 0);
    tell(a, "job_a", 3);
    tell(b, "job_b", 2);
    ck_assert_uint_eq(newest(), 8);
}

START_TEST(the_latest_epoch_of_a_range_wins)
{
    static const struct {
        uint64_t after, until;
        const char *told;
        uint64_t last;
    } cases[] = {
        {0, UINT64_MAX, "1 2 6 7 8", 8}, /* 3, 4, 5 are followed by later ones */
        {0, 0, "", 0},
        {0, 1, "1", 1},
        {0, 4, "1 2 3 4", 4},
        {0, 5, "1 2 4 5", 5},
        {2, 6, "4 5 6", 6},
        {3, 4, "4", 4},
        {4, 7, "6 7", 7},
        {7, UINT64_MAX, "8", 8},
        {8, UINT64_MAX, "", 8},
        {9, UINT64_MAX, "", 9},
        {5, 3, "", 5},
    };
    fill();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t last = 99;
        ck_assert_str_eq(numbers(cases[i].after, cases[i].until, OCK_MIB, &last), cases[i].told);
        ck_assert_uint_eq(last, cases[i].last);
    }
}
END_TEST

START_TEST(a_page_that_is_full_goes_on_behind_its_last_event)
{
    uint64_t last = 0;
    fill();
    ck_assert_str_eq(numbers(0, UINT64_MAX, 1, &last), "1"); /* one fits in any case */
    ck_assert_uint_eq(last, 1);
    char all[64] = "";
    for (uint64_t after = 1; after < 8; after = last) {
        size_t used = strlen(all);
        (void)snprintf(all + used, sizeof(all) - used, "%s ",
                       numbers(after, UINT64_MAX, 150, &last));
        ck_assert_uint_gt(last, after);
    }
    ck_assert_str_eq(all, "2 6 7 8 ");
}
END_TEST

START_TEST(deletions_are_told_with_numbers_of_their_own)
{
    char a[] = "job_a", c[] = "job_c";
    uint64_t last = 0;
    fill();
    end_job(1, a); /* 9 */
    ck_assert_int_eq(ock_store_write(store, apply_delete, c, NULL), OCK_NOTFOUND);
    ck_assert_uint_eq(newest(), 9);
    write_ok(apply_delete, a);
    ck_assert_uint_eq(newest(), 10);
    ck_assert_str_eq(numbers(0, UINT64_MAX, OCK_MIB, &last), "2 8 10");
    ck_assert_str_eq(numbers(4, 7, OCK_MIB, &last), ""); /* all of job_a: gone */
    ck_assert_uint_eq(last, 7);
    int64_t number = insert_job(c); /* 11 */
    ck_assert_int_gt(number, 2);
    end_job(number, c); /* 12 */
    write_ok(apply_delete, c);
    ck_assert_str_eq(numbers(8, UINT64_MAX, OCK_MIB, &last), "10 13");

    struct ock_buf out;
    ock_buf_init(&out, OCK_MIB);
    struct ock_db *db = ock_store_read(store, NULL);
    ck_assert_int_eq(ock_store_all_events_json(db, 12, 13, OCK_MIB, &out, &last, NULL), OCK_OK);
    ock_store_read_end(store, db);
    ck_assert_int_eq(
        strncmp(out.data, "13 {\"type\":\"deleted\",\"job\":\"job_c\",\"time\":\"", 43), 0);
    ock_buf_deinit(&out);
}
END_TEST

static int64_t count(const char *sql)
{
    struct ock_db *db = ock_store_read(store, NULL);
    sqlite3_stmt *stmt = ock_db_prepare(db, sql, NULL);
    ck_assert_int_eq(ock_db_next(db, stmt, NULL), 1);
    int64_t value = sqlite3_column_int64(stmt, 0);
    ock_db_reset(stmt);
    ock_store_read_end(store, db);
    return value;
}

START_TEST(old_deletions_go)
{
    char sql[] =
        "INSERT INTO events(job, seq, body) WITH RECURSIVE n(i) AS"
        " (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10005) SELECT 0, i, '{}' FROM n";
    char a[] = "job_a";
    end_job(insert_job(a), a);
    write_ok(apply_sql, sql);
    write_ok(apply_delete, a);
    ck_assert_int_eq(count("SELECT count(*) FROM events WHERE job = 0"), OCK_NOTICES_MAX);
    ck_assert_int_eq(count("SELECT min(seq) FROM events WHERE job = 0"), 7);
    ck_assert_int_eq(count("SELECT max(seq) FROM events WHERE job = 0"), 10006);
}
END_TEST

START_TEST(what_lies_in_a_grave_is_not_told)
{
    char sql[] = "INSERT INTO graves(job) VALUES (1)";
    uint64_t last = 0;
    fill();
    write_ok(apply_sql, sql);
    ck_assert_str_eq(numbers(0, UINT64_MAX, OCK_MIB, &last), "2 8");
    ck_assert_str_eq(numbers(4, 7, OCK_MIB, &last), "");
    ck_assert_uint_eq(last, 7);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store all events");
    TCase *tests = tcase_create("all events");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, the_latest_epoch_of_a_range_wins);
    tcase_add_test(tests, a_page_that_is_full_goes_on_behind_its_last_event);
    tcase_add_test(tests, deletions_are_told_with_numbers_of_their_own);
    tcase_add_test(tests, what_lies_in_a_grave_is_not_told);
    tcase_add_test(tests, old_deletions_go);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
