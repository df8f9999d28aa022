/* The store: groups of writes, one that fails alone, seq without gaps, keys that are told once, and
 * files that are not ours. */
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/limits.h"
#include "server/store_datasets.h"
#include "server/store_events.h"
#include "server/store_jobs.h"

static char dir[64], path[96];
static struct ock_store *store;

static void setup(void)
{
    struct ock_err err = {0};
    (void)snprintf(dir, sizeof(dir), "/tmp/ock-store-XXXXXX");
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

static void reopen(void)
{
    struct ock_err err = {0};
    ock_store_close(store);
    ck_assert_msg(ock_store_open(&store, path, &err) == OCK_OK, "%s", err.text);
}

/* --- Helpers ----------------------------------------------------------------------------------- */

static enum ock_status apply_insert(struct ock_db *db, void *ctx, struct ock_err *err)
{
    return ock_store_insert_job(db, ctx, err);
}

static int64_t insert_job(const char *id)
{
    struct ock_err err = {0};
    struct ock_job_new job = {
        .id = id, .labels = "{}", .epochs = 10, .spec = "{}", .resolved = "{}", .warnings = "[]"};
    ck_assert_msg(ock_store_write(store, apply_insert, &job, &err) == OCK_OK, "%s", err.text);
    return job.number;
}

static enum ock_status apply_events(struct ock_db *db, void *ctx, struct ock_err *err)
{
    return ock_store_append_events(db, ctx, err);
}

static bool append(int64_t number, const char *id, const struct ock_event_line *lines, size_t count)
{
    struct ock_err err = {0};
    struct ock_event_batch batch = {.number = number, .id = id, .count = count, .lines = lines};
    ck_assert_msg(ock_store_write(store, apply_events, &batch, &err) == OCK_OK, "%s", err.text);
    return !batch.broken;
}

/* The whole log as NDJSON; the caller frees it. */
static char *log_of(const char *id, uint64_t after, bool *ended)
{
    struct ock_err err = {0};
    struct ock_buf out;
    uint64_t last;
    ock_buf_init(&out, 16 * OCK_MIB);
    struct ock_db *db = ock_store_read(store, &err);
    ck_assert_ptr_nonnull(db);
    ck_assert_int_eq(
        ock_store_events_json(db, id, after, 1000000, 16 * OCK_MIB, &out, &last, ended, &err),
        OCK_OK);
    ock_store_read_end(store, db);
    ock_buf_puts(&out, "");
    return ock_buf_take(&out);
}

static cJSON *job_of(const char *id)
{
    struct ock_err err = {0};
    struct ock_buf out;
    ock_buf_init(&out, OCK_MIB);
    struct ock_db *db = ock_store_read(store, &err);
    ck_assert_msg(ock_store_job_json(db, id, &out, NULL, &err) == OCK_OK, "%s", err.text);
    ock_store_read_end(store, db);
    cJSON *json = cJSON_Parse(out.data);
    ck_assert_ptr_nonnull(json);
    ock_buf_deinit(&out);
    return json;
}

static const char *text_of(const cJSON *json, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);
    return cJSON_IsString(item) ? item->valuestring : "";
}

/* --- Events ------------------------------------------------------------------------------------ */

static const struct ock_event_line first_lines[] = {
    {"warning", "warning:a", "{\"code\":\"a\",\"message\":\"m\"}"},
    {"epoch", "epoch:1",
     "{\"epoch\":1,\"epochs\":10,\"step\":5,\"best\":{\"epoch\":1},\"eta_s\":2.5,"
     "\"weights_sha256\":\"aa\"}"},
    {"log", "log:x", "{}"},
};

START_TEST(event_is_told_once)
{
    int64_t number = insert_job("job_a");
    bool ended = true;
    ck_assert(append(number, "job_a", first_lines, 3));
    ck_assert(append(number, "job_a", first_lines, 3)); /* a worker that came back */
    char *log = log_of("job_a", 0, &ended);
    size_t lines = 0;
    for (const char *c = log; *c; c++)
        lines += *c == '\n';
    ck_assert_uint_eq(lines, 4); /* with "queued" */
    ck_assert(!ended);
    ck_assert_ptr_nonnull(strstr(log, "{\"type\":\"log\",\"job\":\"job_a\",\"seq\":4,\"time\":\""));
    ck_assert_ptr_nonnull(strstr(log, "Z\"}\n")); /* an empty body brings no comma */
    free(log);
    cJSON *job = job_of("job_a");
    const cJSON *progress = cJSON_GetObjectItem(job, "progress");
    ck_assert(cJSON_GetObjectItem(progress, "fraction")->valuedouble == 0.1);
    ck_assert(cJSON_GetObjectItem(progress, "eta_s")->valuedouble == 2.5);
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(job, "warnings")), 1);
    ck_assert_str_eq(text_of(cJSON_GetObjectItem(job, "latest"), "weights_sha256"), "aa");
    cJSON_Delete(job);
}
END_TEST

START_TEST(other_weights_break_the_job)
{
    static const struct ock_event_line again[] = {
        {"epoch", "epoch:1", "{\"epoch\":1,\"step\":5,\"weights_sha256\":\"ab\"}"},
        {"epoch", "epoch:2", "{\"epoch\":2,\"step\":9,\"weights_sha256\":\"cc\"}"}};
    int64_t number = insert_job("job_a");
    bool ended;
    ck_assert(append(number, "job_a", first_lines, 3));
    ck_assert(!append(number, "job_a", again, 2));
    ck_assert(!append(number, "job_a", again + 1, 1)); /* and stays broken */
    char *log = log_of("job_a", 0, &ended);
    ck_assert_ptr_null(strstr(log, "epoch\":2"));
    free(log);
}
END_TEST

/* An epoch is told, and told again with other weights: of one arithmetic it breaks the job, and so
 * it does where an older version did not say which. */
static const struct {
    const char *first, *again;
    bool breaks;
} tellings[] = {
    {"1-fma", "1-fma", true}, {"1-fma", "1-v2", false}, {"1-v2", "1-fma", false},
    {NULL, "1-fma", true},    {"1-fma", NULL, true},
};

static void write_epoch(char body[128], const char *numerics, const char *sha256)
{
    char member[40] = "";
    if (numerics)
        (void)snprintf(member, sizeof(member), "\"numerics\":\"%s\",", numerics);
    (void)snprintf(body, 128, "{\"epoch\":1,\"step\":5,%s\"weights_sha256\":\"%s\"}", member,
                   sha256);
}

START_TEST(only_one_arithmetic_is_compared)
{
    char body[128];
    const struct ock_event_line line = {"epoch", "epoch:1", body};
    int64_t number = insert_job("job_a");
    write_epoch(body, tellings[_i].first, "aa");
    ck_assert(append(number, "job_a", &line, 1));
    write_epoch(body, tellings[_i].again, "bb");
    ck_assert(append(number, "job_a", &line, 1) != tellings[_i].breaks);
}
END_TEST

static enum ock_status apply_bury(struct ock_db *db, void *ctx, struct ock_err *err)
{
    return ock_store_bury_worker(db, ctx, err);
}

static enum ock_status apply_change(struct ock_db *db, void *ctx, struct ock_err *err)
{
    return ock_store_change_job(db, ctx, err);
}

static struct ock_job_death die(int64_t number)
{
    struct ock_err err = {0};
    struct ock_job_change begin = {
        .number = number, .id = "job_a", .status = OCK_JOB_RUNNING, .begins = true};
    struct ock_job_death death = {.number = number, .id = "job_a", .reason = "r"};
    ck_assert_int_eq(ock_store_write(store, apply_change, &begin, &err), OCK_OK);
    ck_assert_int_eq(ock_store_write(store, apply_bury, &death, &err), OCK_OK);
    return death;
}

START_TEST(third_attempt_that_got_no_further_is_the_last)
{
    struct ock_err err = {0};
    int64_t number = insert_job("job_a");
    ck_assert(!die(number).give_up);
    ck_assert(!die(number).give_up);
    /* The third gets further: the count begins anew, and this one does not count. */
    struct ock_job_change begin = {
        .number = number, .id = "job_a", .status = OCK_JOB_RUNNING, .begins = true};
    ck_assert_int_eq(ock_store_write(store, apply_change, &begin, &err), OCK_OK);
    ck_assert(append(number, "job_a", first_lines, 3));
    struct ock_job_death death = {.number = number, .id = "job_a", .reason = "r"};
    ck_assert_int_eq(ock_store_write(store, apply_bury, &death, &err), OCK_OK);
    ck_assert(!death.give_up);
    ck_assert_uint_eq(death.attempt, 4);
    ck_assert(!die(number).give_up);
    ck_assert(!die(number).give_up);
    ck_assert(die(number).give_up);
}
END_TEST

/* --- Groups ------------------------------------------------------------------------------------ */

enum { WRITERS = 8, EACH = 100 };

static void *write_many(void *arg)
{
    const int64_t *number = arg;
    struct ock_err err = {0};
    for (int i = 0; i < EACH; i++) {
        char key[32];
        (void)snprintf(key, sizeof(key), "log:%p:%d", (const void *)&err, i);
        struct ock_event_line line = {"log", key, "{\"level\":\"info\"}"};
        struct ock_event_batch batch = {
            .number = *number, .id = "job_a", .count = 1, .lines = &line};
        if (ock_store_write(store, apply_events, &batch, &err) != OCK_OK)
            return arg;
    }
    return NULL;
}

START_TEST(writers_at_once_leave_no_gap)
{
    pthread_t threads[WRITERS];
    int64_t number = insert_job("job_a");
    bool ended;
    for (int i = 0; i < WRITERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, write_many, &number), 0);
    for (int i = 0; i < WRITERS; i++) {
        void *failed;
        ck_assert_int_eq(pthread_join(threads[i], &failed), 0);
        ck_assert_ptr_null(failed);
    }
    reopen();
    char *log = log_of("job_a", 0, &ended), *at = log;
    for (int seq = 1; seq <= WRITERS * EACH + 1; seq++) {
        char want[32];
        (void)snprintf(want, sizeof(want), "\"seq\":%d,", seq);
        char *end = strchr(at, '\n');
        ck_assert_ptr_nonnull(end);
        *end = '\0';
        ck_assert_msg(strstr(at, want) != NULL, "%s is not in %s", want, at);
        at = end + 1;
    }
    ck_assert_str_eq(at, "");
    free(log);
}
END_TEST

static enum ock_status fail_after_writing(struct ock_db *db, void *ctx, struct ock_err *err)
{
    struct ock_job_new job = {
        .id = ctx, .labels = "{}", .spec = "{}", .resolved = "{}", .warnings = "[]"};
    enum ock_status status = ock_store_insert_job(db, &job, err);
    ck_assert_int_eq(status, OCK_OK);
    return ock_fail(err, OCK_CONFLICT, "on purpose");
}

START_TEST(failed_write_is_undone_alone)
{
    struct ock_err err = {0};
    char id[] = "job_b";
    int64_t number;
    enum ock_job_status status;
    (void)insert_job("job_a");
    ck_assert_int_eq(ock_store_write(store, fail_after_writing, id, &err), OCK_CONFLICT);
    ck_assert_str_eq(err.text, "on purpose");
    (void)insert_job("job_c");
    struct ock_db *db = ock_store_read(store, &err);
    ck_assert_int_eq(ock_store_find_job(db, "job_a", &number, &status, &err), OCK_OK);
    ck_assert_int_eq(ock_store_find_job(db, "job_b", &number, &status, &err), OCK_NOTFOUND);
    ck_assert_int_eq(ock_store_find_job(db, "job_c", &number, &status, &err), OCK_OK);
    ock_store_read_end(store, db);
}
END_TEST

static enum ock_status apply_delete(struct ock_db *db, void *ctx, struct ock_err *err)
{
    return ock_store_delete_job(db, ctx, err);
}

static enum ock_status apply_end(struct ock_db *db, void *ctx, struct ock_err *err)
{
    return ock_store_end_job(db, ctx, err);
}

START_TEST(end_keeps_the_model_and_delete_takes_all)
{
    struct ock_err err = {0};
    char id[] = "job_a";
    bool ended = false;
    int64_t number = insert_job(id);
    ck_assert(append(number, id, first_lines, 3));
    ck_assert_int_eq(ock_store_write(store, apply_delete, id, &err), OCK_CONFLICT);
    struct ock_model_bytes model = {.which = "best", .bytes = 5, .sha256 = "cafe", .blob = "12345"};
    struct ock_job_end end = {.number = number,
                              .id = id,
                              .status = OCK_JOB_CANCELLED,
                              .stop_reason = "cancelled",
                              .model_count = 1,
                              .models = &model};
    ck_assert_int_eq(ock_store_write(store, apply_end, &end, &err), OCK_OK);
    char *log = log_of(id, 4, &ended);
    ck_assert(ended);
    ck_assert_ptr_nonnull(strstr(log, "\"status\":\"cancelled\",\"stop_reason\":\"cancelled\""));
    ck_assert_ptr_nonnull(strstr(log, "\"best\":{\"epoch\":1}"));
    free(log);

    struct ock_model_row row = {0};
    struct ock_buf bytes;
    ock_buf_init(&bytes, 100);
    struct ock_db *db = ock_store_read(store, &err);
    ck_assert_int_eq(ock_store_model(db, id, "last", &row, &bytes, &err), OCK_OK); /* the same */
    ck_assert_str_eq(bytes.data, "12345");
    ck_assert_str_eq(row.sha256, "cafe");
    ock_store_read_end(store, db);
    ock_buf_deinit(&bytes);
    ck_assert_int_eq(ock_store_write(store, apply_delete, id, &err), OCK_OK);
    ck_assert_int_eq(ock_store_write(store, apply_delete, id, &err), OCK_NOTFOUND);
}
END_TEST

/* --- Files that are not ours ------------------------------------------------------------------- */

static void write_bytes(const char *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
    (void)close(fd);
}

static void refuse(const char *why)
{
    struct ock_err err = {0};
    struct ock_store *other = NULL;
    ck_assert_int_eq(ock_store_open(&other, path, &err), OCK_CORRUPT);
    ck_assert_ptr_null(other);
    ck_assert_msg(strstr(err.text, why) != NULL, "%s", err.text);
}

static void change(const char *sql)
{
    sqlite3 *handle;
    ck_assert_int_eq(sqlite3_open(path, &handle), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(handle, sql, NULL, NULL, NULL), SQLITE_OK);
    (void)sqlite3_close(handle);
}

START_TEST(foreign_file_is_refused)
{
    char noise[4096];
    struct ock_err err = {0};
    ock_store_close(store);
    store = NULL;
    change("PRAGMA user_version=99");
    refuse("version 99");
    change("PRAGMA application_id=1");
    refuse("another program");
    memset(noise, 'x', sizeof(noise));
    write_bytes(noise, sizeof(noise));
    refuse("damaged or no store");
    (void)unlink(path);
    ck_assert_int_eq(ock_store_open(&store, path, &err), OCK_OK);
}
END_TEST

START_TEST(file_shrinks_when_rows_go)
{
    ock_store_close(store);
    store = NULL;
    sqlite3 *handle;
    sqlite3_stmt *stmt;
    ck_assert_int_eq(sqlite3_open(path, &handle), SQLITE_OK);
    ck_assert_int_eq(sqlite3_prepare_v2(handle, "PRAGMA auto_vacuum", -1, &stmt, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
    ck_assert_int_eq(sqlite3_column_int(stmt, 0), 2); /* incremental */
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(handle);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store");
    TCase *tcase = tcase_create("store");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, event_is_told_once);
    tcase_add_test(tcase, other_weights_break_the_job);
    tcase_add_loop_test(tcase, only_one_arithmetic_is_compared, 0,
                        sizeof(tellings) / sizeof(tellings[0]));
    tcase_add_test(tcase, third_attempt_that_got_no_further_is_the_last);
    tcase_add_test(tcase, writers_at_once_leave_no_gap);
    tcase_add_test(tcase, failed_write_is_undone_alone);
    tcase_add_test(tcase, end_keeps_the_model_and_delete_takes_all);
    tcase_add_test(tcase, foreign_file_is_refused);
    tcase_add_test(tcase, file_shrinks_when_rows_go);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
