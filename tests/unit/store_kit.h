/* For tests of the store's long life: a store in a directory of its own, jobs made by a line, and
 * SQL beside it. Include in one file of a test program. */
#ifndef OCK_TESTS_STORE_KIT_H
#define OCK_TESTS_STORE_KIT_H

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/base/limits.h"
#include "server/ids.h"
#include "server/log.h"
#include "server/store_datasets.h"
#include "server/store_jobs.h"
#include "server/store_private.h"

static char kit_dir[64], kit_path[96];
static struct ock_store *kit_store;

static inline void kit_make(void)
{
    ock_log_set_level(OCK_LOG_ERROR);
    (void)snprintf(kit_dir, sizeof(kit_dir), "/tmp/ock-store-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(kit_dir));
    (void)snprintf(kit_path, sizeof(kit_path), "%s/ockham.db", kit_dir);
}

static inline void kit_open_store(void)
{
    struct ock_err err = {0};
    ck_assert_msg(ock_store_open(&kit_store, kit_path, &err) == OCK_OK, "%s", err.text);
}

static inline void kit_close_store(void)
{
    ock_store_close(kit_store);
    kit_store = NULL;
}

static inline void kit_setup(void)
{
    kit_make();
    kit_open_store();
}

static inline void kit_remove(const char *path)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        execlp("rm", "rm", "-rf", path, (char *)NULL);
        _exit(127);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
}

static inline void kit_teardown(void)
{
    kit_close_store();
    kit_remove(kit_dir);
}

/* SQL on a connection of its own; the store may be open. */
static inline sqlite3 *kit_connect(const char *path)
{
    sqlite3 *handle = NULL;
    ck_assert_int_eq(sqlite3_open(path, &handle), SQLITE_OK);
    (void)sqlite3_busy_timeout(handle, 5000);
    return handle;
}

static inline void kit_sql(const char *path, const char *sql)
{
    sqlite3 *handle = kit_connect(path);
    char *said = NULL;
    (void)sqlite3_exec(handle, sql, NULL, NULL, &said);
    ck_assert_msg(said == NULL, "%s: %s", said, sql);
    (void)sqlite3_close(handle);
}

/* The first column of the first row. */
static inline int64_t kit_value(const char *path, const char *sql)
{
    sqlite3 *handle = kit_connect(path);
    sqlite3_stmt *stmt = NULL;
    ck_assert_msg(sqlite3_prepare_v2(handle, sql, -1, &stmt, NULL) == SQLITE_OK, "%s: %s", sql,
                  sqlite3_errmsg(handle));
    ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(handle);
    return value;
}

/* --- Writes ------------------------------------------------------------------------------------ */

static inline enum ock_status kit_apply_insert(struct ock_db *db, void *ctx, struct ock_err *err)
{
    return ock_store_insert_job(db, ctx, err);
}

static inline int64_t kit_insert(const char *id)
{
    struct ock_err err = {0};
    struct ock_job_new job = {.id = id,
                              .labels = "{}",
                              .epochs = 10,
                              .spec = "{\"data\":{}}",
                              .run_spec = "{}",
                              .resolved = "{\"resolved\":true}",
                              .warnings = "[]"};
    ck_assert_msg(ock_store_write(kit_store, kit_apply_insert, &job, &err) == OCK_OK, "%s",
                  err.text);
    return job.number;
}

static inline enum ock_status kit_apply_events(struct ock_db *db, void *ctx, struct ock_err *err)
{
    return ock_store_append_events(db, ctx, err);
}

static inline void kit_append(int64_t number, const char *id, const struct ock_event_line *lines,
                              size_t count)
{
    struct ock_err err = {0};
    struct ock_event_batch batch = {.number = number, .id = id, .count = count, .lines = lines};
    ck_assert_msg(ock_store_write(kit_store, kit_apply_events, &batch, &err) == OCK_OK, "%s",
                  err.text);
}

/* `count` epochs from `first` on, each of about `bytes`. */
static inline void kit_epochs(int64_t number, const char *id, int first, int count, int bytes)
{
    enum { AT_ONCE = 250 };
    for (int done = 0; done < count; done += AT_ONCE) {
        int some = count - done < AT_ONCE ? count - done : AT_ONCE;
        struct ock_event_line *lines = calloc((size_t)some, sizeof(*lines));
        char(*keys)[32] = calloc((size_t)some, sizeof(*keys));
        char *bodies = calloc((size_t)some, (size_t)bytes + 128);
        ck_assert(lines && keys && bodies);
        for (int i = 0; i < some; i++) {
            int epoch = first + done + i;
            char *body = bodies + (size_t)i * ((size_t)bytes + 128);
            (void)snprintf(keys[i], sizeof(keys[i]), "epoch:%d", epoch);
            (void)snprintf(body, (size_t)bytes + 128, "{\"epoch\":%d,\"filling\":\"%0*d\"}", epoch,
                           bytes, epoch);
            lines[i] = (struct ock_event_line){"epoch", keys[i], body};
        }
        kit_append(number, id, lines, (size_t)some);
        free(bodies);
        free(keys);
        free(lines);
    }
}

static inline enum ock_status kit_apply_end(struct ock_db *db, void *ctx, struct ock_err *err)
{
    return ock_store_end_job(db, ctx, err);
}

static inline void kit_end(int64_t number, const char *id, enum ock_job_status status)
{
    struct ock_err err = {0};
    struct ock_model_bytes model = {.which = "best", .bytes = 5, .sha256 = "cafe", .blob = "12345"};
    struct ock_job_end end = {.number = number,
                              .id = id,
                              .status = status,
                              .stop_reason = "epochs",
                              .model_count = status == OCK_JOB_SUCCEEDED,
                              .models = &model};
    ck_assert_msg(ock_store_write(kit_store, kit_apply_end, &end, &err) == OCK_OK, "%s", err.text);
}

static inline enum ock_status kit_apply_delete(struct ock_db *db, void *ctx, struct ock_err *err)
{
    return ock_store_delete_job(db, ctx, err);
}

/* How often jobs.bytes differs from what the rows take: 0, always. */
static inline int64_t kit_wrong_bytes(const char *path)
{
    return kit_value(
        path,
        "SELECT count(*) FROM jobs j WHERE j.bytes <>"
        " (SELECT coalesce(sum(length(CAST(body AS BLOB))), 0) FROM events e WHERE e.job = "
        "j.number)"
        " + (SELECT length(CAST(spec AS BLOB)) + length(CAST(resolved AS BLOB))"
        "    + coalesce(length(CAST(run_spec AS BLOB)), 0) FROM specs s WHERE s.job = j.number)"
        " + (SELECT coalesce(sum(m.bytes), 0) FROM models m WHERE m.job = j.number)"
        " + (SELECT coalesce(sum(length(CAST(body AS BLOB))), 0) FROM documents d"
        "    WHERE d.job = j.number)");
}

static inline double kit_now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static inline int kit_run(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
