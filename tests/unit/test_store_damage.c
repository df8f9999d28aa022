/* Stores that are damaged or no stores at all: refused with a sentence where a look at the file
 * tells it, found by the check in the background where only reading everything does, and met by a
 * write that fails alone, as an I/O error does. Damage is done to the file by hand. */
#include <stdatomic.h>

#include "store_kit.h"

static void overwrite(off_t at, unsigned char byte, size_t count)
{
    int fd = open(kit_path, O_WRONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(pwrite(fd, &byte, 1, at + (off_t)i), 1);
    (void)close(fd);
}

static off_t root_of(const char *table)
{
    char sql[128];
    (void)snprintf(sql, sizeof(sql), "SELECT rootpage FROM sqlite_schema WHERE name = '%s'", table);
    return (off_t)((kit_value(kit_path, sql) - 1) * kit_value(kit_path, "PRAGMA page_size"));
}

static void break_table(const char *table)
{
    overwrite(root_of(table), 0xee, 8);
}

/* --- What opening refuses ---------------------------------------------------------------------- */

static void foreign(void)
{
    (void)unlink(kit_path);
    kit_sql(kit_path, "CREATE TABLE theirs(x); PRAGMA user_version=3;");
}

static void cut_short(void)
{
    struct stat info;
    ck_assert_int_eq(stat(kit_path, &info), 0);
    ck_assert_int_eq(truncate(kit_path, info.st_size / 2), 0);
}

static void cut_to_nothing(void)
{
    ck_assert_int_eq(truncate(kit_path, 0), 0);
}

static void cut_to_a_word(void)
{
    ck_assert_int_eq(truncate(kit_path, 50), 0);
}

static void garbage_in_front(void)
{
    overwrite(0, 'x', 100);
}

static void schema_page(void)
{
    overwrite(100, 0xff, 200);
}

static void schema_row(void)
{
    kit_sql(kit_path, "PRAGMA writable_schema=1; DELETE FROM sqlite_schema"
                      " WHERE tbl_name = 'models';");
}

static void directory(void)
{
    (void)unlink(kit_path);
    ck_assert_int_eq(mkdir(kit_path, 0700), 0);
}

static void loop(void)
{
    (void)unlink(kit_path);
    ck_assert_int_eq(symlink("ockham.db", kit_path), 0);
}

static void only_the_log(void)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s-wal", kit_path);
    ck_assert_int_eq(rename(kit_path, path), 0);
}

static void newer(void)
{
    kit_sql(kit_path, "PRAGMA user_version=99");
}

static void below_zero(void)
{
    kit_sql(kit_path, "PRAGMA user_version=-3");
}

static const struct {
    void (*harm)(void);
    enum ock_status status;
    const char *why;
} harms[] = {
    {foreign, OCK_CORRUPT, "database of another program"},
    {cut_short, OCK_CORRUPT, "cut short"},
    {cut_to_nothing, OCK_CORRUPT, "is empty"},
    {cut_to_a_word, OCK_CORRUPT, "it has 50 bytes"},
    {garbage_in_front, OCK_CORRUPT, "does not begin as an SQLite database"},
    {schema_page, OCK_CORRUPT, "the store is damaged"},
    {schema_row, OCK_CORRUPT, "it has no table models"},
    {directory, OCK_CORRUPT, "is a directory"},
    {loop, OCK_IO, "cannot open the store"},
    {only_the_log, OCK_CORRUPT, "its log"},
    {newer, OCK_CORRUPT, "use a newer Ockham"},
    {below_zero, OCK_CORRUPT, "its version is -3"},
};

START_TEST(what_is_no_store_is_refused)
{
    struct ock_err err = {0};
    struct ock_store *other = NULL;
    struct stat before, after;
    kit_setup();
    (void)kit_insert("job_a");
    kit_close_store();
    harms[_i].harm();
    int was_there = lstat(kit_path, &before);
    ck_assert_int_eq(ock_store_open(&other, kit_path, &err), harms[_i].status);
    ck_assert_ptr_null(other);
    ck_assert_msg(strstr(err.text, harms[_i].why) != NULL, "%s", err.text);
    ck_assert_int_eq(lstat(kit_path, &after), was_there); /* nothing was made in its place */
    if (was_there == 0)
        ck_assert_int_eq(before.st_size, after.st_size);
    kit_teardown();
}
END_TEST

START_TEST(creation_that_was_cut_off_begins_anew)
{
    char path[128];
    kit_make();
    (void)snprintf(path, sizeof(path), "%s.new", kit_path);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_eq(write(fd, "half of it", 10), 10);
    (void)close(fd);
    kit_open_store();
    (void)kit_insert("job_a");
    ck_assert_int_ne(access(path, F_OK), 0);
    kit_teardown();
}
END_TEST

/* --- The check in the background --------------------------------------------------------------- */

/* A server that ends without closing: its log stays. (SQL of the test's own would fold it.) */
static void end_abruptly(void)
{
    static int count;
    int status;
    char id[32];
    (void)snprintf(id, sizeof(id), "job_abrupt_%d", count++);
    pid_t child = fork();
    if (child == 0) {
        kit_open_store();
        (void)kit_insert(id);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}

static bool is_found_damaged(void)
{
    double begin = kit_now_s();
    while (!ock_store_is_damaged(kit_store) && kit_now_s() - begin < 1.5) {
        struct timespec pause = {.tv_nsec = 5000000L};
        (void)nanosleep(&pause, NULL);
    }
    return ock_store_is_damaged(kit_store);
}

static const struct {
    bool breaks, abrupt, found;
} checks[] = {
    {true, true, true},   /* the case that it is for */
    {false, true, false}, /* a sound one */
    {true, false, false}, /* after a clean end nobody reads it all */
};

START_TEST(damage_in_the_middle_is_found_after_an_abrupt_end)
{
    ock_log_set_level(OCK_LOG_ERROR);
    kit_setup();
    (void)kit_insert("job_a");
    kit_close_store();
    off_t models = root_of("models");
    if (checks[_i].abrupt)
        end_abruptly();
    if (checks[_i].breaks)
        overwrite(models, 0xee, 8);
    kit_open_store();
    ck_assert_int_eq(is_found_damaged(), checks[_i].found);
    kit_teardown();
}
END_TEST

/* Closing does not wait until all is read. */
START_TEST(check_ends_with_the_store)
{
    enum { EPOCHS = 60000 };
    kit_setup();
    kit_epochs(kit_insert("job_a"), "job_a", 1, EPOCHS, 800);
    kit_close_store();
    end_abruptly();
    double begin = kit_now_s();
    for (int i = 0; i < 5; i++) {
        kit_open_store();
        kit_close_store();
        if (i < 4)
            end_abruptly();
    }
    ck_assert_double_lt(kit_now_s() - begin, 5);
    kit_teardown();
}
END_TEST

/* --- Damage met by a write --------------------------------------------------------------------- */

struct told {
    struct ock_write write;
    enum ock_status (*apply)(struct ock_db *, void *, struct ock_err *);
    void *ctx;
    atomic_int status; /* -1: not told yet */
};

static enum ock_status apply_told(struct ock_db *db, void *ctx, struct ock_err *err)
{
    struct told *told = ctx;
    return told->apply(db, told->ctx, err);
}

static void take_told(void *ctx, enum ock_status status, const struct ock_err *err)
{
    struct told *told = ctx;
    (void)err;
    atomic_store(&told->status, (int)status);
}

static void post_told(struct told *told, int64_t job,
                      enum ock_status (*apply)(struct ock_db *, void *, struct ock_err *),
                      void *ctx)
{
    told->apply = apply;
    told->ctx = ctx;
    atomic_init(&told->status, -1);
    told->write = (struct ock_write){.apply = apply_told,
                                     .done = take_told,
                                     .ctx = told,
                                     .job = job,
                                     .keep_trying = true,
                                     .lazy = true};
    ock_store_post(kit_store, &told->write);
}

static int wait_told(struct told *told)
{
    double begin = kit_now_s();
    while (atomic_load(&told->status) < 0 && kit_now_s() - begin < 3) {
        struct timespec pause = {.tv_nsec = 1000000L};
        (void)nanosleep(&pause, NULL);
    }
    return atomic_load(&told->status);
}

/* Three writes in one group, all of them "keep trying": the one that needs the damaged page is told
 * so, at once and not for ever again; the two others are stored, in their order. */
START_TEST(damaged_page_fails_one_write_alone)
{
    static struct told first, damaged, last;
    struct ock_event_line one = {"log", "log:1", "{}"}, two = {"log", "log:2", "{}"};
    struct ock_model_bytes model = {.which = "best", .bytes = 5, .sha256 = "cafe", .blob = "12345"};
    ock_log_set_level(OCK_LOG_ERROR);
    kit_setup();
    int64_t a = kit_insert("job_a"), b = kit_insert("job_b");
    kit_close_store();
    break_table("models");
    kit_open_store();
    struct ock_job_end end = {.number = b,
                              .id = "job_b",
                              .status = OCK_JOB_SUCCEEDED,
                              .body = "{}",
                              .model_count = 1,
                              .models = &model};
    struct ock_event_batch before = {.number = a, .id = "job_a", .count = 1, .lines = &one};
    struct ock_event_batch after = {.number = a, .id = "job_a", .count = 1, .lines = &two};
    post_told(&first, a, kit_apply_events, &before);
    post_told(&damaged, b, kit_apply_end, &end);
    post_told(&last, a, kit_apply_events, &after);
    ck_assert_int_eq(wait_told(&last), OCK_OK);
    ck_assert_int_eq(wait_told(&first), OCK_OK);
    ck_assert_int_eq(wait_told(&damaged), OCK_CORRUPT);
    ck_assert(ock_store_is_damaged(kit_store));
    ck_assert_int_eq(kit_value(kit_path, "SELECT seq FROM events WHERE key = 'log:1'"), 2);
    ck_assert_int_eq(kit_value(kit_path, "SELECT seq FROM events WHERE key = 'log:2'"), 3);
    ck_assert_int_eq(kit_value(kit_path, "SELECT status FROM jobs WHERE id = 'job_b'"), 0);
    ck_assert_int_eq(kit_value(kit_path, "SELECT count(*) FROM events WHERE key = 'end'"), 0);
    kit_teardown();
}
END_TEST

/* --- A sector that cannot be read -------------------------------------------------------------- */

static atomic_bool is_unreadable;

static enum ock_status apply_at_bad_sector(struct ock_db *db, void *ctx, struct ock_err *err)
{
    if (atomic_load(&is_unreadable))
        return ock_fail(err, OCK_IO, "the store failed: disk I/O error");
    return ock_store_append_events(db, ctx, err);
}

/* Four writes in one group, the second of which meets an I/O error for as long as the test likes:
 * the other job's are stored meanwhile, its own job's waits behind it, and in the end all are there
 * in their order. */
START_TEST(io_error_of_one_write_stops_its_job_alone)
{
    static struct told told[4];
    struct ock_event_line lines[2] = {{"log", "log:1", "{}"}, {"log", "log:2", "{}"}};
    struct ock_event_batch batches[4];
    ock_log_set_level((enum ock_log_level)(OCK_LOG_ERROR + 1)); /* they are expected */
    kit_setup();
    const char *ids[2] = {"job_a", "job_b"};
    const int64_t numbers[2] = {kit_insert(ids[0]), kit_insert(ids[1])};
    static const int of[4] = {0, 1, 1, 0}; /* whose the writes are */
    atomic_store(&is_unreadable, true);
    for (int i = 0; i < 4; i++) {
        batches[i] = (struct ock_event_batch){
            .number = numbers[of[i]], .id = ids[of[i]], .count = 1, .lines = &lines[i / 2]};
        post_told(&told[i], numbers[of[i]], i == 1 ? apply_at_bad_sector : kit_apply_events,
                  &batches[i]);
    }
    ck_assert_int_eq(wait_told(&told[0]), OCK_OK);
    ck_assert_int_eq(wait_told(&told[3]), OCK_OK);
    (void)kit_insert("job_c"); /* and so is what comes later */
    ck_assert_int_eq(atomic_load(&told[1].status), -1);
    ck_assert_int_eq(atomic_load(&told[2].status), -1);
    atomic_store(&is_unreadable, false);
    ck_assert_int_eq(wait_told(&told[2]), OCK_OK);
    ck_assert_int_eq(wait_told(&told[1]), OCK_OK);
    for (int job = 1; job <= 2; job++) {
        char sql[160];
        (void)snprintf(sql, sizeof(sql),
                       "SELECT group_concat(key || seq) = 'log:12,log:23' FROM (SELECT * FROM"
                       " events WHERE job = %d AND key IS NOT NULL ORDER BY seq)",
                       job);
        ck_assert_int_eq(kit_value(kit_path, sql), 1);
    }
    kit_teardown();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store: damage");
    TCase *tcase = tcase_create("damage");
    tcase_add_loop_test(tcase, what_is_no_store_is_refused, 0, sizeof(harms) / sizeof(harms[0]));
    tcase_add_test(tcase, creation_that_was_cut_off_begins_anew);
    tcase_add_loop_test(tcase, damage_in_the_middle_is_found_after_an_abrupt_end, 0,
                        sizeof(checks) / sizeof(checks[0]));
    tcase_add_test(tcase, check_ends_with_the_store);
    tcase_add_test(tcase, damaged_page_fails_one_write_alone);
    tcase_add_test(tcase, io_error_of_one_write_stops_its_job_alone);
    suite_add_tcase(suite, tcase);
    return kit_run(suite);
}
