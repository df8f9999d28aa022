/* The tables, and the way from one version of them to the next.
 *
 * A store is brought forward one version after the other, each in one transaction that ends with
 * the new number: a crash on the way leaves the version before, and the next start does it again. A
 * new store takes the same way from nothing.
 *
 * jobs has a number beside its id: events are found by it, and small keys keep the log small. Texts
 * that may be large (specs) stand apart, so that a row that changes with every epoch stays short.
 */
#include <inttypes.h>
#include <stddef.h>

#include "server/log.h"
#include "server/store_private.h"

static const int64_t application_id = 0x4f636b68; /* "Ockh" */

static const char *const first_pragmas = "PRAGMA auto_vacuum=INCREMENTAL;"
                                         "PRAGMA journal_mode=WAL;"
                                         "PRAGMA synchronous=FULL;";

/* clang-format off */
static const char *const version_1 =
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
    " reach INTEGER NOT NULL DEFAULT 0,"         /* tellings of having got further */
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

/* What each ended job takes, in the order in which retention lets them go. graves: deleted jobs
 * whose events are still to be removed, a few at a time. */
static const char *const version_2 =
    "BEGIN IMMEDIATE;"
    "ALTER TABLE jobs ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;" /* events, spec, models */
    "UPDATE jobs SET bytes ="
    " (SELECT coalesce(sum(length(CAST(body AS BLOB))), 0) FROM events WHERE job = number) +"
    " (SELECT coalesce(sum(length(CAST(spec AS BLOB)) + length(CAST(resolved AS BLOB)) +"
    "   coalesce(length(CAST(run_spec AS BLOB)), 0)), 0) FROM specs WHERE job = number) +"
    " (SELECT coalesce(sum(m.bytes), 0) FROM models m WHERE m.job = number);"
    "CREATE INDEX jobs_ended ON jobs(finished_ms, number, bytes, seq)"
    " WHERE finished_ms IS NOT NULL;"
    "CREATE TABLE graves(job INTEGER PRIMARY KEY);"
    "CREATE INDEX idempotency_age ON idempotency(created_ms);"
    "PRAGMA user_version=2;"
    "COMMIT;";

/* What a job tells beside its events, under a name. */
static const char *const version_3 =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE documents("
    " job INTEGER NOT NULL,"
    " name TEXT NOT NULL,"
    " body TEXT NOT NULL,"            /* a JSON object; jobs.bytes counts it */
    " PRIMARY KEY(job, name));"
    "PRAGMA user_version=3;"
    "COMMIT;";
/* clang-format on */

static const char *const versions[] = {version_1, version_2, version_3};
static const int64_t version_now = sizeof(versions) / sizeof(versions[0]);

static enum ock_status pragma_value(struct ock_db *db, const char *sql, int64_t *out,
                                    struct ock_err *err)
{
    sqlite3_stmt *stmt = ock_db_prepare(db, sql, err);
    if (!stmt)
        return err && err->status != OCK_OK ? err->status : OCK_IO;
    int got = ock_db_next(db, stmt, err);
    if (got < 0)
        return err && err->status != OCK_OK ? err->status : OCK_IO;
    *out = got == 1 ? sqlite3_column_int64(stmt, 0) : 0;
    if (got == 1)
        ock_db_reset(stmt);
    return OCK_OK;
}

/* A schema that lost a row opens well and fails later, at whatever needs the table. */
static enum ock_status check_tables(struct ock_db *db, struct ock_err *err)
{
    static const char *const names[] = {"jobs",   "specs",    "events",      "models",
                                        "graves", "datasets", "idempotency", "documents"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        sqlite3_stmt *stmt = ock_db_prepare(
            db, "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", err);
        if (!stmt)
            return err->status;
        ock_db_bind_text(stmt, 1, names[i]);
        int got = ock_db_next(db, stmt, err);
        if (got == 1)
            ock_db_reset(stmt);
        else
            return got < 0 ? err->status
                           : ock_fail(err, OCK_CORRUPT, "the store is damaged: it has no table %s",
                                      names[i]);
    }
    return OCK_OK;
}

/* 0 for a file without content. */
static enum ock_status read_version(struct ock_db *db, int64_t *out, struct ock_err *err)
{
    int64_t application = 0, version = 0, tables = 0;
    enum ock_status status = pragma_value(db, "PRAGMA application_id", &application, err);
    if (status == OCK_OK)
        status = pragma_value(db, "PRAGMA user_version", &version, err);
    if (status == OCK_OK)
        status = pragma_value(db, "SELECT count(*) FROM sqlite_schema", &tables, err);
    if (status != OCK_OK)
        return status;
    if (application != application_id && (tables > 0 || application != 0))
        return ock_fail(err, OCK_CORRUPT,
                        "the file is a database of another program, not an Ockham store");
    if (version < 0)
        return ock_fail(err, OCK_CORRUPT,
                        "the store is damaged: its version is %" PRId64 ", which none has",
                        version);
    *out = version;
    return OCK_OK;
}

enum ock_status ock_store_same_version(struct ock_db *db, struct ock_err *err)
{
    int64_t version = 0;
    enum ock_status status = read_version(db, &version, err);
    if (status == OCK_OK && version != version_now)
        return ock_fail(err, OCK_UNSUPPORTED,
                        "the store has version %" PRId64 ", this program's is %" PRId64
                        ": use the program that serves it",
                        version, version_now);
    return status == OCK_OK ? check_tables(db, err) : status;
}

enum ock_status ock_store_migrate(struct ock_db *db, struct ock_err *err)
{
    struct ock_err own = {0};
    err = err ? err : &own;
    int64_t version = 0;
    enum ock_status status = read_version(db, &version, err);
    if (status != OCK_OK)
        return status;
    if (version > version_now)
        return ock_fail(err, OCK_CORRUPT,
                        "the store has version %" PRId64 ", this program knows up to %" PRId64
                        ": use a newer Ockham",
                        version, version_now);
    /* auto_vacuum has to come before the first table, else the file never shrinks. */
    if (version == 0)
        status = ock_db_exec(db, first_pragmas, err);
    else if (version < version_now)
        ock_log(OCK_LOG_INFO, "the store is brought from version %" PRId64 " to %" PRId64, version,
                version_now);
    for (; status == OCK_OK && version < version_now; version++)
        status = ock_db_exec(db, versions[version], err);
    if (status != OCK_OK)
        (void)ock_db_exec(db, "ROLLBACK", NULL); /* an error where nothing had begun, harmless */
    return status == OCK_OK ? check_tables(db, err) : status;
}
