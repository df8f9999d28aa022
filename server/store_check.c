/* What only reading everything can find: after an end that was not clean (SQLite's log is still
 * there), a thread of its own reads the whole store in the background and says what it found. */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "server/log.h"
#include "server/store_private.h"

enum { NICE = 10 };

/* db is used by the thread alone, but for sqlite3_interrupt. */
struct ock_store_check {
    struct ock_store *store;
    struct ock_db *db;
    pthread_t thread;
    atomic_bool is_over;
};

static void report(struct ock_store_check *check, int code, int findings, double seconds)
{
    if (code == SQLITE_INTERRUPT)
        return;
    if (code != SQLITE_DONE)
        (void)ock_db_fail(check->db, code, NULL); /* marks the store if it is damaged */
    if (code != SQLITE_DONE)
        ock_log(OCK_LOG_WARNING, "the store could not be checked: %s",
                sqlite3_errmsg(check->db->handle));
    else if (findings == 0)
        ock_log(OCK_LOG_INFO, "the store was checked after an unclean end and is sound (%.1f s)",
                seconds);
}

static double now_s(void)
{
    return (double)ock_store_now_ms() / 1000;
}

static void *run_check(void *arg)
{
    struct ock_store_check *check = arg;
    sqlite3_stmt *stmt = ock_db_prepare(check->db, "PRAGMA quick_check(5)", NULL);
    double begin = now_s();
    int findings = 0;
    (void)setpriority(PRIO_PROCESS, 0, NICE); /* on Linux: this thread's */
    int code = stmt ? sqlite3_step(stmt) : sqlite3_errcode(check->db->handle);
    for (; code == SQLITE_ROW; code = sqlite3_step(stmt)) {
        const char *words = ock_db_text(stmt, 0);
        if (words && strcmp(words, "ok") == 0)
            continue;
        ock_log(OCK_LOG_ERROR, "the store is damaged: %s", words ? words : "?");
        atomic_store(&check->store->damaged, true);
        findings++;
    }
    report(check, code, findings, now_s() - begin);
    if (stmt)
        ock_db_reset(stmt);
    atomic_store(&check->is_over, true);
    return NULL;
}

enum ock_status ock_store_start_check(struct ock_store *store, const char *path,
                                      struct ock_err *err)
{
    struct ock_store_check *check = calloc(1, sizeof(*check));
    if (!check)
        return ock_fail(err, OCK_NOMEM, "no memory to check the store");
    check->store = store;
    enum ock_status status =
        ock_db_new(&check->db, path, 0, "PRAGMA query_only=1; PRAGMA wal_autocheckpoint=0;", err);
    if (status == OCK_OK) {
        check->db->damaged = &store->damaged;
        int failed = pthread_create(&check->thread, NULL, run_check, check);
        if (failed)
            status = ock_fail_errno(err, failed, "cannot start a thread");
    }
    if (status != OCK_OK) {
        ock_db_free(check->db);
        free(check);
        return status;
    }
    store->check = check;
    return OCK_OK;
}

void ock_store_stop_check(struct ock_store *store)
{
    struct ock_store_check *check = store->check;
    if (!check)
        return;
    /* An interrupt reaches only a statement that runs: again, until the thread has seen one. */
    while (!atomic_load(&check->is_over)) {
        struct timespec pause = {.tv_nsec = 2000000L};
        sqlite3_interrupt(check->db->handle);
        (void)nanosleep(&pause, NULL);
    }
    (void)pthread_join(check->thread, NULL);
    ock_db_free(check->db);
    free(check);
    store->check = NULL;
}

bool ock_store_is_damaged(const struct ock_store *store)
{
    return atomic_load(&store->damaged);
}
