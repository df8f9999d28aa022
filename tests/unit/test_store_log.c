/* SQLite's log beside the store: a reader that takes its time stalls no writer, and an idle moment
 * brings everything into the file. */
#include "store_kit.h"

static int64_t log_bytes(void)
{
    char path[128];
    struct stat info;
    (void)snprintf(path, sizeof(path), "%s-wal", kit_path);
    return stat(path, &info) == 0 ? (int64_t)info.st_size : -1;
}

/* Before, each commit waited five seconds for the reader: 97 s in all. */
START_TEST(long_reader_stalls_nobody)
{
    enum { COMMITS = 20 };
    struct ock_err err = {0};
    kit_setup();
    kit_store->fold_pages = 20;
    kit_store->truncate_pages = 50;
    ck_assert_int_eq(ock_db_exec(&kit_store->writer, "PRAGMA journal_size_limit=100000", &err),
                     OCK_OK);
    int64_t number = kit_insert("job_a");
    struct ock_db *db = ock_store_read(kit_store, &err);
    int64_t found;
    enum ock_job_status status;
    ck_assert_int_eq(ock_store_find_job(db, "job_a", &found, &status, &err), OCK_OK);
    double begin = kit_now_s();
    for (int i = 0; i < COMMITS; i++)
        kit_epochs(number, "job_a", 1 + 250 * i, 250, 800);
    ck_assert_double_lt(kit_now_s() - begin, 4);
    int64_t longest = log_bytes();
    ck_assert_int_gt(longest, COMMITS * 200000);
    ock_store_read_end(kit_store, db);
    for (int waited = 0; log_bytes() >= longest && waited < 100; waited++) {
        struct timespec pause = {.tv_nsec = 100000000L};
        (void)nanosleep(&pause, NULL);
        kit_epochs(number, "job_a", 100000 + waited, 1, 10);
    }
    ck_assert_int_lt(log_bytes(), longest / 10); /* cut, once nobody reads */
    kit_teardown();
}
END_TEST

/* The file alone, without its log, has everything. */
static int64_t events_in_the_file(void)
{
    char copy[128];
    int status;
    (void)snprintf(copy, sizeof(copy), "%s/copy.db", kit_dir);
    pid_t child = fork();
    if (child == 0) {
        execlp("cp", "cp", kit_path, copy, (char *)NULL);
        _exit(127);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    sqlite3 *handle = kit_connect(copy);
    sqlite3_stmt *stmt = NULL;
    int64_t count = -1;
    if (sqlite3_prepare_v2(handle, "SELECT count(*) FROM events", -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW)
        count = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(handle);
    return count;
}

START_TEST(idle_log_is_folded)
{
    kit_setup();
    kit_epochs(kit_insert("job_a"), "job_a", 1, 100, 100);
    ck_assert_int_ne(events_in_the_file(), 101);
    double begin = kit_now_s();
    while (events_in_the_file() != 101 && kit_now_s() - begin < 20) {
        struct timespec pause = {.tv_nsec = 100000000L};
        (void)nanosleep(&pause, NULL);
    }
    ck_assert_int_eq(events_in_the_file(), 101);
    kit_teardown();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store: log");
    TCase *tcase = tcase_create("log");
    tcase_add_test(tcase, long_reader_stalls_nobody);
    tcase_add_test(tcase, idle_log_is_folded);
    suite_add_tcase(suite, tcase);
    return kit_run(suite);
}
