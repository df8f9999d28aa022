/* The store's versions: one that version 1 made is brought forward and reads the same, also when
 * the way there is cut off at any step; what a job takes is counted right all along. */
#include "store_kit.h"

/* As version 1 made it. */
/* clang-format off */
static const char *const version_1 =
    "PRAGMA auto_vacuum=INCREMENTAL;"
    "PRAGMA journal_mode=WAL;"
    "BEGIN IMMEDIATE;"
    "CREATE TABLE jobs("
    " number INTEGER PRIMARY KEY AUTOINCREMENT,"
    " id TEXT NOT NULL UNIQUE,"
    " name TEXT,"
    " labels TEXT NOT NULL,"          /* a JSON object */
    " status INTEGER NOT NULL,"       /* enum ock_job_status */
    " want INTEGER NOT NULL DEFAULT 0,"
    " priority INTEGER NOT NULL DEFAULT 0,"
    " created_ms INTEGER NOT NULL,"
    " started_ms INTEGER,"
    " finished_ms INTEGER,"
    " dataset TEXT, dataset_name TEXT, dataset_sha256 TEXT," /* id NULL: inline data */
    " validation TEXT, test TEXT,"    /* ids */
    " has_init INTEGER NOT NULL,"
    " memory_bytes INTEGER NOT NULL,"
    " threads INTEGER NOT NULL,"      /* 0: auto */
    " threads_useful INTEGER NOT NULL,"
    " attempt INTEGER NOT NULL DEFAULT 1,"
    " stalls INTEGER NOT NULL DEFAULT 0,"        /* attempts in a row that got no further */
    " reach INTEGER NOT NULL DEFAULT 0,"         /* the last step that is known to be saved */
    " reach_before INTEGER NOT NULL DEFAULT 0,"  /* reach when the attempt began */
    " broken TEXT,"                   /* why it is not reproducible */
    " seq INTEGER NOT NULL DEFAULT 0,"
    " version INTEGER NOT NULL DEFAULT 1,"
    " latest_seq INTEGER,"            /* the last epoch event */
    " best TEXT,"
    " epoch INTEGER, epochs INTEGER, eta_s REAL,"
    " stop_reason TEXT, error TEXT,"
    " warnings TEXT NOT NULL);"       /* a JSON array */
    "CREATE INDEX jobs_status ON jobs(status, id);"
    "CREATE TABLE specs("
    " job INTEGER PRIMARY KEY,"
    " spec TEXT NOT NULL,"            /* as sent */
    " run_spec TEXT,"                 /* without inline data; NULL: as sent */
    " resolved TEXT NOT NULL);"
    "CREATE TABLE events("
    " id INTEGER PRIMARY KEY AUTOINCREMENT," /* never used twice: the count of /v1/events */
    " job INTEGER NOT NULL,"
    " seq INTEGER NOT NULL,"
    " key TEXT,"
    " body TEXT NOT NULL);"
    "CREATE UNIQUE INDEX events_seq ON events(job, seq);"
    "CREATE UNIQUE INDEX events_key ON events(job, key) WHERE key IS NOT NULL;"
    "CREATE TABLE models("
    " job INTEGER NOT NULL,"
    " which TEXT NOT NULL,"           /* best, last (only where it differs) */
    " bytes INTEGER NOT NULL,"
    " sha256 TEXT NOT NULL,"
    " blob BLOB,"                     /* NULL: a file in the job's directory */
    " PRIMARY KEY(job, which));"
    "CREATE TABLE datasets("
    " id TEXT PRIMARY KEY,"
    " name TEXT NOT NULL,"
    " status TEXT NOT NULL,"          /* incomplete, preparing, ready, failed */
    " replaced INTEGER NOT NULL DEFAULT 0,"
    " created_ms INTEGER NOT NULL,"
    " row_count INTEGER, bytes INTEGER, sha256 TEXT,"
    " schema TEXT,"
    " source_sha256 TEXT,"            /* of the table, or of x */
    " labels_sha256 TEXT,"
    " options TEXT NOT NULL,"         /* import.json's, without paths */
    " error TEXT);"
    "CREATE UNIQUE INDEX datasets_name ON datasets(name) WHERE replaced = 0;"
    "CREATE TABLE idempotency("
    " key TEXT PRIMARY KEY,"
    " body_sha256 TEXT NOT NULL,"
    " status INTEGER NOT NULL,"
    " body TEXT NOT NULL,"
    " job TEXT NOT NULL,"
    " created_ms INTEGER NOT NULL);"
    "PRAGMA application_id=1331915624;"
    "PRAGMA user_version=1;"
    "COMMIT;";
/* clang-format on */

/* A job in each status, each with a spec and events (one of them not ASCII), two with models. */
static const char *const old_rows =
    "BEGIN;"
    "INSERT INTO jobs(number, id, name, labels, status, created_ms, started_ms, finished_ms,"
    " has_init, memory_bytes, threads, threads_useful, seq, latest_seq, warnings, epoch, epochs)"
    " SELECT value + 1, 'job_' || value, 'n' || value, '{\"team\":\"a\"}', value, 1000 + value,"
    " 2000, CASE WHEN value >= 3 THEN 3000 + value END, 0, 5, 1, 1, 4, 3, '[]', 2, 9"
    " FROM generated;"
    "INSERT INTO specs SELECT value + 1, '{\"name\":\"n' || value || '\"}', NULL,"
    " '{\"resolved\":1}' FROM generated;"
    "UPDATE specs SET run_spec = '{}' WHERE job = 2;"
    "INSERT INTO events(job, seq, key, body) SELECT g.value + 1, e.value + 1, 'epoch:' || e.value,"
    " '{\"type\":\"epoch\",\"job\":\"job_' || g.value || '\",\"seq\":' || (e.value + 1) ||"
    " ',\"word\":\"Gewölbe\"}' FROM generated g, generated e WHERE e.value < 4;"
    "INSERT INTO models VALUES(4, 'best', 3, 'cafe', x'010203');"
    "INSERT INTO models VALUES(4, 'last', 1000000, 'beef', NULL);"
    "INSERT INTO models VALUES(5, 'best', 2, 'feed', x'0405');"
    "INSERT INTO datasets(id, name, status, created_ms, options) VALUES('ds_a', 'a', 'ready', 1,"
    " '{}');"
    "INSERT INTO idempotency VALUES('k', 'sha', 202, '{}', 'job_0', 99);"
    "COMMIT;"
    "DROP TABLE generated;";

static void make_old_store(void)
{
    kit_make();
    kit_sql(kit_path, version_1);
    kit_sql(kit_path, "CREATE TABLE generated(value INTEGER);"
                      "INSERT INTO generated VALUES(0),(1),(2),(3),(4),(5);");
    kit_sql(kit_path, old_rows);
}

/* Everything that readers see of all jobs, as one text; the caller frees it. */
static char *read_all(void)
{
    struct ock_err err = {0};
    struct ock_buf out, model;
    ock_buf_init(&out, OCK_MIB);
    struct ock_db *db = ock_store_read(kit_store, &err);
    ck_assert_ptr_nonnull(db);
    for (int i = 0; i < OCK_JOB_STATUS_COUNT; i++) {
        char id[16];
        uint64_t last;
        bool ended;
        struct ock_model_row row = {0};
        (void)snprintf(id, sizeof(id), "job_%d", i);
        ck_assert_msg(ock_store_job_json(db, id, &out, NULL, &err) == OCK_OK, "%s", err.text);
        ck_assert_int_eq(ock_store_events_json(db, id, 0, 100, OCK_MIB, &out, &last, &ended, &err),
                         OCK_OK);
        ck_assert_uint_eq(last, 4);
        ck_assert_int_eq(ended, i >= OCK_JOB_SUCCEEDED);
        ock_buf_init(&model, OCK_MIB);
        if (ock_store_model(db, id, "best", &row, &model, &err) == OCK_OK)
            ock_buf_printf(&out, "model %s %zu\n", row.sha256, model.size);
        ock_buf_deinit(&model);
    }
    ock_store_read_end(kit_store, db);
    return ock_buf_take(&out);
}

START_TEST(store_of_version_1_reads_the_same)
{
    make_old_store();
    kit_open_store();
    ck_assert_int_eq(kit_value(kit_path, "PRAGMA user_version"), 3);
    ck_assert_int_eq(kit_wrong_bytes(kit_path), 0);
    /* By hand: {"name":"n0"}, {"resolved":1}, and four events of 56 bytes (the umlaut has two). */
    ck_assert_int_eq(kit_value(kit_path, "SELECT bytes FROM jobs WHERE number = 1"),
                     13 + 14 + 4 * 56);
    ck_assert_int_eq(kit_value(kit_path, "SELECT bytes FROM jobs WHERE number = 4"),
                     13 + 14 + 4 * 56 + 1000003);
    char *first = read_all();
    ck_assert_ptr_nonnull(strstr(first, "\"job\":\"job_3\",\"seq\":4,\"word\":\"Gewölbe\"}"));
    ck_assert_ptr_nonnull(strstr(first, "model cafe 3\n"));
    ck_assert_ptr_nonnull(strstr(first, "\"labels\":{\"team\":\"a\"}"));
    kit_close_store();
    kit_open_store(); /* nothing to do any more */
    char *second = read_all();
    ck_assert_str_eq(first, second);
    free(first);
    free(second);
    kit_teardown();
}
END_TEST

static int count_down(void *ctx)
{
    int *left = ctx;
    if (--*left == 0)
        (void)kill(getpid(), SIGKILL);
    return 0;
}

/* Migrates in a child that dies after so many of SQLite's steps; true: it got to the end. */
static bool migrate_for(int steps)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        struct ock_db db = {0};
        if (sqlite3_open(kit_path, &db.handle) != SQLITE_OK)
            _exit(2);
        sqlite3_progress_handler(db.handle, 1, count_down, &steps);
        _exit(ock_store_migrate(&db, NULL) == OCK_OK ? 0 : 3);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    return WIFEXITED(status);
}

START_TEST(migration_that_was_killed_is_done_again)
{
    int kills = 0;
    make_old_store();
    for (int steps = 1; !migrate_for(steps); steps += 1 + steps / 8) {
        int64_t version = kit_value(kit_path, "PRAGMA user_version");
        ck_assert(version >= 1 && version <= 3);
        ck_assert_int_eq(kit_value(kit_path, "SELECT count(*) FROM jobs"), 6);
        ck_assert_int_eq(kit_value(kit_path, "SELECT count(*) FROM sqlite_schema"
                                             " WHERE name = 'jobs_ended'"),
                         version >= 2);
        ck_assert_int_eq(kit_value(kit_path, "SELECT count(*) FROM sqlite_schema"
                                             " WHERE name = 'documents'"),
                         version >= 3);
        kills += version < 3;
    }
    ck_assert_int_gt(kills, 10);
    kit_open_store();
    ck_assert_int_eq(kit_wrong_bytes(kit_path), 0);
    char *all = read_all();
    ck_assert_ptr_nonnull(strstr(all, "model feed 2\n"));
    free(all);
    kit_teardown();
}
END_TEST

START_TEST(bytes_are_counted_in_the_same_transactions)
{
    static const struct ock_event_line lines[] = {
        {"resolved", "", "{\"longer\":\"than the one before\"}"},
        {"epoch", "epoch:1", "{\"epoch\":1}"},
        {"epoch", "epoch:1", "{\"epoch\":1}"}, /* told again: takes nothing */
        {"warning", "", "{\"code\":\"a\"}"},
        {"document", "document:layers", "{\"a\":\"Gewölbe\"}"},
        {"document", "document:evaluation", "{}"},
        {"document", "document:layers", "{\"a\":1}"}}; /* in place of the longer one */
    kit_setup();
    int64_t number = kit_insert("job_a");
    ck_assert_int_gt(kit_value(kit_path, "SELECT bytes FROM jobs"), 30);
    ck_assert_int_eq(kit_wrong_bytes(kit_path), 0);
    kit_append(number, "job_a", lines, 7);
    ck_assert_int_eq(kit_value(kit_path, "SELECT count(*) FROM events"), 3);
    ck_assert_int_eq(kit_wrong_bytes(kit_path), 0);
    kit_end(number, "job_a", OCK_JOB_SUCCEEDED);
    ck_assert_int_eq(kit_wrong_bytes(kit_path), 0);
    kit_teardown();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store: versions");
    TCase *tcase = tcase_create("versions");
    tcase_add_test(tcase, store_of_version_1_reads_the_same);
    tcase_add_test(tcase, migration_that_was_killed_is_done_again);
    tcase_add_test(tcase, bytes_are_counted_in_the_same_transactions);
    suite_add_tcase(suite, tcase);
    return kit_run(suite);
}
