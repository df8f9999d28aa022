/* Backups: the steps one by one, with what a busy server may do between them, and the copy's rows
 * and files after each. The store is a real one that is written meanwhile; files are made by hand. */
#include <dirent.h>

#include "core/base/file.h"
#include "core/base/sha256.h"
#include "server/backup_private.h"
#include "store_kit.h"

/* Ids as the server makes them. */
#define JOB_A "job_01M88000000000000000000000"
#define JOB_B "job_01M88000000000000000000001"
#define JOB_C "job_01M88000000000000000000002"
#define SET_A "ds_01M8800000000000000000000A"

static char dest[128];
static struct ock_backup backup;
static struct ock_backup_report report;

static void setup(void)
{
    static const char *const names[] = {"jobs", "datasets", "uploads"};
    char path[128];
    kit_setup();
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", kit_dir, names[i]);
        ck_assert_int_eq(mkdir(path, 0700), 0);
    }
    (void)snprintf(dest, sizeof(dest), "%s.backup", kit_dir);
}

static void teardown(void)
{
    kit_remove(dest);
    kit_teardown();
}

static void put_file(const char *name, const char *content)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s", kit_dir, name);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    (void)mkdir(path, 0700);
    *slash = '/';
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_int_eq(write(fd, content, strlen(content)), (ssize_t)strlen(content));
    (void)close(fd);
}

static void remove_file(const char *name)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s", kit_dir, name);
    ck_assert_int_eq(unlink(path), 0);
}

/* The copy's file has this content; NULL: it is not there. */
static void expect_file(const char *name, const char *content)
{
    char path[256], got[64] = "";
    (void)snprintf(path, sizeof(path), "%s/%s", dest, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ck_assert_msg((fd >= 0) == (content != NULL), "%s", name);
    if (fd < 0)
        return;
    ck_assert_int_ge(read(fd, got, sizeof(got) - 1), 0);
    (void)close(fd);
    ck_assert_str_eq(got, content);
}

static int64_t in_copy(const char *sql)
{
    char path[160];
    (void)snprintf(path, sizeof(path), "%s/ockham.db", dest);
    return kit_value(path, sql);
}

static void ok(enum ock_status status, const struct ock_err *err)
{
    ck_assert_msg(status == OCK_OK, "%s", err->text);
}

/* The steps up to the snapshot, and those after it. */
static void begin(void)
{
    struct ock_err err = {0};
    ok(ock_backup_begin(&backup, kit_dir, dest, &err), &err);
    ok(ock_backup_take_checkpoints(&backup, &err), &err);
}

static void snapshot(void)
{
    struct ock_err err = {0};
    ok(ock_backup_take_snapshot(&backup, &err), &err);
}

static void finish(void)
{
    struct ock_err err = {0};
    ok(ock_backup_take_files(&backup, &err), &err);
    ok(ock_backup_finish(&backup, &report, &err), &err);
    ock_backup_end(&backup);
    ck_assert_int_eq(in_copy("SELECT count(*) = 1 AND max(integrity_check) = 'ok'"
                             " FROM pragma_integrity_check"),
                     1);
    ck_assert_int_eq(in_copy("SELECT count(*) FROM jobs WHERE seq <> (SELECT count(*) FROM events"
                             " WHERE job = number)"),
                     0);
    ck_assert_int_eq(in_copy("SELECT count(*) FROM events WHERE job NOT IN"
                             " (SELECT number FROM jobs)"),
                     0);
    char path[160];
    (void)snprintf(path, sizeof(path), "%s/ockham.db", dest);
    ck_assert_int_eq(kit_wrong_bytes(path), 0);
}

/* A model that is a file, as of a large network. */
static void end_with_file(int64_t number, const char *id)
{
    struct ock_err err = {0};
    struct ock_sha256 sha;
    char name[128];
    struct ock_model_bytes model = {.which = "best", .bytes = 5};
    ock_sha256_init(&sha);
    ock_sha256_add(&sha, "model", 5);
    ock_sha256_text(&sha, model.sha256);
    (void)snprintf(name, sizeof(name), "jobs/%s/best.safetensors", id);
    put_file(name, "model");
    struct ock_job_end end = {.number = number,
                              .id = id,
                              .status = OCK_JOB_SUCCEEDED,
                              .model_count = 1,
                              .models = &model};
    ok(ock_store_write(kit_store, kit_apply_end, &end, &err), &err);
}

static void delete_job(char *id)
{
    struct ock_err err = {0};
    ok(ock_store_delete(kit_store, kit_apply_delete, id, &err), &err);
}

static enum ock_status apply_dataset(struct ock_db *db, void *ctx, struct ock_err *err)
{
    return ock_store_put_dataset(db, ctx, "{}", false, err);
}

static void put_dataset(const char *status)
{
    struct ock_err err = {0};
    struct ock_dataset_row row = {
        .id = SET_A, .name = "a", .options = "{\"format\":\"csv\"}", .bytes = strlen("rows")};
    (void)snprintf(row.status, sizeof(row.status), "%s", status);
    ok(ock_store_write(kit_store, apply_dataset, &row, &err), &err);
}

/* --- What a server does between the steps ------------------------------------------------------ */

START_TEST(quiet_directory_is_copied_whole)
{
    setup();
    int64_t a = kit_insert(JOB_A), b = kit_insert(JOB_B);
    put_dataset("ready");
    kit_sql(kit_path, "UPDATE jobs SET dataset = '" SET_A "' WHERE id = '" JOB_A "'");
    put_file("datasets/" SET_A ".ockds", "rows");
    put_file("jobs/" JOB_A "/checkpoint", "newer");
    put_file("jobs/" JOB_A "/checkpoint.previous", "older");
    kit_epochs(a, JOB_A, 1, 20, 50);
    end_with_file(b, JOB_B);
    begin();
    snapshot();
    finish();
    ck_assert_uint_eq(report.jobs, 2);
    ck_assert_uint_eq(report.datasets, 1);
    ck_assert_uint_eq(report.faulty, 0);
    ck_assert_uint_gt(report.bytes, 19);
    expect_file("jobs/" JOB_A "/checkpoint", "newer");
    expect_file("jobs/" JOB_A "/checkpoint.previous", "older");
    expect_file("jobs/" JOB_B "/best.safetensors", "model");
    expect_file("datasets/" SET_A ".ockds", "rows");
    ck_assert_int_eq(in_copy("SELECT count(*) FROM events"), 23);
    teardown();
}
END_TEST

/* A checkpoint that is written after the snapshot must not get into the copy. */
START_TEST(checkpoints_are_older_than_the_snapshot)
{
    setup();
    int64_t a = kit_insert(JOB_A);
    put_dataset("ready");
    put_file("datasets/" SET_A ".ockds", "rows");
    kit_sql(kit_path, "UPDATE jobs SET dataset = '" SET_A "'");
    put_file("jobs/" JOB_A "/checkpoint", "epoch 1");
    begin();
    kit_epochs(a, JOB_A, 1, 2, 50);
    put_file("jobs/" JOB_A "/checkpoint", "epoch 2");
    snapshot();
    kit_epochs(a, JOB_A, 3, 2, 50);
    put_file("jobs/" JOB_A "/checkpoint", "epoch 4");
    finish();
    expect_file("jobs/" JOB_A "/checkpoint", "epoch 1");
    ck_assert_int_eq(in_copy("SELECT count(*) FROM events WHERE key LIKE 'epoch:%'"), 2);
    teardown();
}
END_TEST

/* It came after the first step and ended after the snapshot, which took its data along. */
START_TEST(job_that_ends_meanwhile_has_ended_in_the_copy)
{
    static const struct ock_event_line layers = {"document", "document:layers", "{\"of\":\"a\"}"};
    setup();
    begin();
    int64_t a = kit_insert(JOB_A), c = kit_insert(JOB_C);
    put_file("jobs/" JOB_A "/inline.ockds", "rows");
    put_file("jobs/" JOB_C "/inline.ockds", "more");
    snapshot();
    kit_epochs(a, JOB_A, 1, 3, 50);
    kit_append(a, JOB_A, &layers, 1);
    end_with_file(a, JOB_A);
    remove_file("jobs/" JOB_A "/inline.ockds");
    kit_epochs(c, JOB_C, 1, 3, 50); /* this one goes on: it stays as it was */
    finish();
    ck_assert_int_eq(in_copy("SELECT status FROM jobs WHERE id = '" JOB_A "'"), OCK_JOB_SUCCEEDED);
    ck_assert_int_eq(in_copy("SELECT count(*) FROM events WHERE key = 'end'"), 1);
    ck_assert_int_eq(in_copy("SELECT count(*) FROM documents WHERE body = '{\"of\":\"a\"}'"), 1);
    ck_assert_int_eq(in_copy("SELECT seq FROM jobs WHERE id = '" JOB_C "'"), 1);
    expect_file("jobs/" JOB_A "/best.safetensors", "model");
    expect_file("jobs/" JOB_C "/inline.ockds", "more");
    ck_assert_uint_eq(report.faulty, 0);
    teardown();
}
END_TEST

START_TEST(what_is_deleted_meanwhile_is_not_in_the_copy)
{
    char a_id[] = JOB_A, b_id[] = JOB_B;
    setup();
    int64_t a = kit_insert(JOB_A), b = kit_insert(JOB_B);
    put_dataset("ready");
    put_file("datasets/" SET_A ".ockds", "rows");
    put_file("jobs/" JOB_B "/checkpoint", "c");
    kit_sql(kit_path, "UPDATE jobs SET dataset = '" SET_A "' WHERE id = '" JOB_B "'");
    end_with_file(a, JOB_A);
    begin();
    snapshot();
    delete_job(a_id);
    remove_file("jobs/" JOB_A "/best.safetensors");
    kit_end(b, JOB_B, OCK_JOB_CANCELLED); /* then nobody uses the dataset */
    delete_job(b_id);
    kit_sql(kit_path, "DELETE FROM datasets");
    remove_file("datasets/" SET_A ".ockds");
    finish();
    ck_assert_uint_eq(report.jobs, 0);
    ck_assert_uint_eq(report.datasets, 0);
    ck_assert_uint_eq(report.faulty, 0);
    ck_assert_int_eq(in_copy("SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM specs)"
                             " + (SELECT count(*) FROM models)"),
                     0);
    expect_file("jobs/" JOB_B "/checkpoint", NULL);
    teardown();
}
END_TEST

START_TEST(dataset_that_gets_ready_meanwhile_is_ready_in_the_copy)
{
    setup();
    put_dataset("preparing");
    put_file("uploads/" SET_A "/source", "a,b");
    begin();
    snapshot();
    put_file("datasets/" SET_A ".ockds", "rows");
    put_dataset("ready");
    remove_file("uploads/" SET_A "/source");
    finish();
    ck_assert_int_eq(in_copy("SELECT count(*) FROM datasets WHERE status = 'ready'"), 1);
    expect_file("datasets/" SET_A ".ockds", "rows");
    teardown();
}
END_TEST

START_TEST(dataset_in_the_making_is_made_by_the_copy)
{
    setup();
    put_dataset("preparing");
    put_file("uploads/" SET_A "/source", "a,b");
    begin();
    snapshot();
    finish();
    expect_file("uploads/" SET_A "/source", "a,b");
    teardown();
}
END_TEST

START_TEST(what_the_directory_lacks_itself_is_counted)
{
    setup();
    int64_t a = kit_insert(JOB_A), b = kit_insert(JOB_B);
    end_with_file(a, JOB_A);
    end_with_file(b, JOB_B);
    put_file("jobs/" JOB_A "/best.safetensors", "other");
    remove_file("jobs/" JOB_B "/best.safetensors");
    put_dataset("ready");
    put_file("datasets/" SET_A ".ockds", "ro"); /* cut short */
    begin();
    snapshot();
    finish();
    ck_assert_uint_eq(report.faulty, 3);
    ck_assert_uint_eq(report.jobs, 2);
    teardown();
}
END_TEST

/* --- The live store ---------------------------------------------------------------------------- */

static void hash_file(const char *end, char text[65])
{
    char path[128];
    struct ock_buf bytes;
    struct ock_err err = {0};
    struct ock_sha256 sha;
    (void)snprintf(path, sizeof(path), "%s%s", kit_path, end);
    ock_buf_init(&bytes, OCK_GIB);
    ok(ock_file_read(path, &bytes, &err), &err);
    ock_sha256_init(&sha);
    ock_sha256_add(&sha, bytes.data, bytes.size);
    ock_sha256_text(&sha, text);
    ock_buf_deinit(&bytes);
}

/* Neither while its server runs nor as the last one that had it open. */
START_TEST(live_store_is_neither_written_nor_folded)
{
    char before[2][65], after[2][65];
    int status;
    setup();
    kit_close_store();
    pid_t child = fork(); /* a server that dies: what it wrote is in the log alone */
    if (child == 0) {
        kit_open_store();
        kit_epochs(kit_insert(JOB_A), JOB_A, 1, 50, 100);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    hash_file("", before[0]);
    hash_file("-wal", before[1]);
    put_file("jobs/" JOB_A "/inline.ockds", "rows");
    begin();
    snapshot();
    finish();
    hash_file("", after[0]);
    hash_file("-wal", after[1]);
    ck_assert_str_eq(before[0], after[0]);
    ck_assert_str_eq(before[1], after[1]);
    ck_assert_int_eq(in_copy("SELECT count(*) FROM events"), 51);
    teardown();
}
END_TEST

/* --- Refused ----------------------------------------------------------------------------------- */

static void dest_exists(void)
{
    ck_assert_int_eq(mkdir(dest, 0700), 0);
}

static void no_directory(void)
{
    kit_close_store();
    ck_assert_int_eq(unlink(kit_path), 0);
}

static void foreign(void)
{
    no_directory();
    kit_sql(kit_path, "CREATE TABLE theirs(x)");
}

static void older(void)
{
    kit_sql(kit_path, "PRAGMA user_version=1");
}

static void dest_nowhere(void)
{
    (void)snprintf(dest, sizeof(dest), "%s/none/there", kit_dir);
}

static const struct {
    void (*make)(void);
    enum ock_status status;
    const char *why;
} refusals[] = {
    {dest_exists, OCK_CONFLICT, "exists already"},
    {no_directory, OCK_INVALID, "is no data directory"},
    {foreign, OCK_CORRUPT, "another program"},
    {older, OCK_UNSUPPORTED, "has version 1"},
    {dest_nowhere, OCK_IO, "cannot make the directory"},
};

/* Nothing is left beside DEST. */
static int partial_count(void)
{
    int count = 0;
    DIR *dir = opendir("/tmp");
    const char *stem = strrchr(kit_dir, '/') + 1;
    for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
        count += strncmp(entry->d_name, stem, strlen(stem)) == 0 &&
                 strstr(entry->d_name, ".partial") != NULL;
    (void)closedir(dir);
    return count;
}

START_TEST(refused_with_a_sentence_and_nothing_left)
{
    struct ock_err err = {0};
    setup();
    refusals[_i].make();
    ck_assert_int_eq(ock_backup_run(kit_dir, dest, NULL, &report, &err), refusals[_i].status);
    ck_assert_msg(strstr(err.text, refusals[_i].why) != NULL, "%s", err.text);
    ck_assert_int_eq(partial_count(), 0);
    teardown();
}
END_TEST

static bool always(void)
{
    return true;
}

START_TEST(stopped_leaves_nothing)
{
    struct ock_err err = {0};
    setup();
    end_with_file(kit_insert(JOB_A), JOB_A);
    ck_assert_int_eq(ock_backup_run(kit_dir, dest, always, &report, &err), OCK_STOPPED);
    ck_assert_int_ne(access(dest, F_OK), 0);
    ck_assert_int_eq(partial_count(), 0);
    teardown();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("backup");
    TCase *tcase = tcase_create("backup");
    tcase_add_test(tcase, quiet_directory_is_copied_whole);
    tcase_add_test(tcase, checkpoints_are_older_than_the_snapshot);
    tcase_add_test(tcase, job_that_ends_meanwhile_has_ended_in_the_copy);
    tcase_add_test(tcase, what_is_deleted_meanwhile_is_not_in_the_copy);
    tcase_add_test(tcase, dataset_that_gets_ready_meanwhile_is_ready_in_the_copy);
    tcase_add_test(tcase, dataset_in_the_making_is_made_by_the_copy);
    tcase_add_test(tcase, what_the_directory_lacks_itself_is_counted);
    tcase_add_test(tcase, live_store_is_neither_written_nor_folded);
    tcase_add_loop_test(tcase, refused_with_a_sentence_and_nothing_left, 0,
                        sizeof(refusals) / sizeof(refusals[0]));
    tcase_add_test(tcase, stopped_leaves_nothing);
    suite_add_tcase(suite, tcase);
    return kit_run(suite);
}
