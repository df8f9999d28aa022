/* Retention: which jobs go under which limits, as a table; that a job goes in small steps that
 * nobody sees; that the file shrinks. */
#include "server/store_retention.h"
#include "store_kit.h"

static const int64_t day_ms = INT64_C(86400000);

/* Jobs 0 to 5 finished on the days 10 to 15 in the order 0, 2, 1, 3, 4, 5; 6 runs and 7 is queued,
 * and both are older and larger than all others. bytes and seq are set by hand. */
static void make_jobs(void)
{
    static const int days[] = {10, 12, 11, 13, 14, 15};
    char id[16], sql[300];
    for (int i = 0; i < 8; i++) {
        (void)snprintf(id, sizeof(id), "job_%d", i);
        int64_t number = kit_insert(id);
        if (i < 6)
            kit_end(number, id, OCK_JOB_SUCCEEDED + i % 3);
        (void)snprintf(sql, sizeof(sql),
                       "UPDATE jobs SET bytes = %d, seq = %d, finished_ms = CASE WHEN %d >= 6 THEN"
                       " NULL ELSE %lld END WHERE number = %lld",
                       i < 6 ? 100 : 100000, i < 6 ? 10 : 100000, i,
                       (long long)(i < 6 ? days[i] * day_ms : 0), (long long)number);
        kit_sql(kit_path, sql);
    }
}

static const struct {
    struct ock_keep keep;
    const char *gone; /* in order */
} rules[] = {
    {{0}, ""},
    {{.jobs = 6}, ""},
    {{.jobs = 5}, "0"},
    {{.jobs = 1}, "02134"},
    {{.bytes = 600}, ""},
    {{.bytes = 599}, "0"},
    {{.bytes = 250}, "0213"},
    {{.bytes = 1}, "021345"},
    {{.events = 60}, ""},
    {{.events = 59}, "0"},
    {{.events = 15}, "02134"},
    {{.days = 10}, ""}, /* now is day 20: exactly ten days old is not over */
    {{.days = 9.5}, "0"},
    {{.days = 7.9}, "021"},
    {{.days = 0.5}, "021345"},
    {{.jobs = 5, .days = 7.9, .bytes = 550}, "021"},
    {{.jobs = 2, .days = 7.9}, "0213"},
};

START_TEST(oldest_go_until_all_limits_hold)
{
    struct ock_err err = {0};
    struct ock_pick_over over;
    char gone[16] = "";
    kit_setup();
    make_jobs();
    struct ock_db *db = ock_store_read(kit_store, &err);
    ck_assert_msg(ock_store_pick_over(db, &rules[_i].keep, 20 * day_ms, &over, &err) == OCK_OK,
                  "%s", err.text);
    ock_store_read_end(kit_store, db);
    for (size_t i = 0; i < over.count; i++)
        gone[i] = over.ids[i][4];
    ck_assert_str_eq(gone, rules[_i].gone);
    kit_teardown();
}
END_TEST

/* What ended after a pick is not lost to it, what was deleted meanwhile does not stop it, and what
 * has not ended is refused. */
START_TEST(deletion_passes_over_what_is_gone)
{
    struct ock_err err = {0};
    struct ock_pick_over over = {.count = 3};
    struct ock_deletion_step step = {.pick = &over};
    kit_setup();
    make_jobs();
    (void)snprintf(over.ids[0], OCK_ID_SIZE, "job_0");
    (void)snprintf(over.ids[1], OCK_ID_SIZE, "job_none");
    (void)snprintf(over.ids[2], OCK_ID_SIZE, "job_2");
    ck_assert_int_eq(ock_store_delete(kit_store, ock_store_delete_step, &step, &err), OCK_OK);
    ck_assert_uint_eq(step.done, 3);
    ck_assert_int_eq(kit_value(kit_path, "SELECT count(*) FROM jobs"), 6);
    (void)snprintf(over.ids[0], OCK_ID_SIZE, "job_6");
    ck_assert_int_eq(ock_store_delete(kit_store, ock_store_delete_step, &step, &err), OCK_CONFLICT);
    ck_assert_int_eq(kit_value(kit_path, "SELECT count(*) FROM jobs"), 6);
    kit_teardown();
}
END_TEST

static int64_t free_pages(void)
{
    struct ock_err err = {0};
    int64_t count = 0, pages = 0;
    struct ock_db *db = ock_store_read(kit_store, &err);
    ck_assert_int_eq(ock_store_free_pages(db, &count, &pages, &err), OCK_OK);
    ock_store_read_end(kit_store, db);
    return count;
}

enum { MANY = 10000 };

START_TEST(many_events_go_in_small_steps_and_the_file_shrinks)
{
    struct ock_err err = {0};
    char big[] = "job_big";
    bool is_left = true;
    int steps = 0;
    kit_setup();
    int64_t number = kit_insert(big), other = kit_insert("job_other");
    kit_epochs(number, big, 1, MANY, 800);
    kit_end(number, big, OCK_JOB_SUCCEEDED);
    kit_epochs(other, "job_other", 1, 10, 800);
    int64_t pages = kit_value(kit_path, "PRAGMA page_count");
    ck_assert_int_eq(ock_store_delete(kit_store, kit_apply_delete, big, &err), OCK_OK);
    ck_assert_int_eq(kit_value(kit_path, "SELECT count(*) FROM jobs"), 1);
    ck_assert_int_eq(kit_value(kit_path, "SELECT count(*) FROM graves"), 1);
    ck_assert_int_eq(kit_value(kit_path, "SELECT count(*) FROM events WHERE job = 1"),
                     MANY + 2 - OCK_STEP_EVENTS);
    for (; is_left; steps++) {
        ck_assert_int_eq(ock_store_delete(kit_store, ock_store_bury_step, &is_left, &err), OCK_OK);
        if (steps % 7 == 3) { /* an end in the middle forgets nothing */
            kit_close_store();
            kit_open_store();
        }
    }
    ck_assert_int_eq(steps, (MANY + 2) / OCK_STEP_EVENTS);
    ck_assert_int_eq(kit_value(kit_path, "SELECT count(*) FROM graves"), 0);
    ck_assert_int_eq(kit_value(kit_path, "SELECT count(*) FROM events WHERE job = 1"), 0);
    ck_assert_int_eq(kit_value(kit_path, "SELECT count(*) FROM events WHERE job > 0"), 11);
    ck_assert_int_gt(free_pages(), 2000);
    ck_assert_int_eq(ock_store_delete(kit_store, ock_store_shrink_step, NULL, &err), OCK_OK);
    int64_t shrunk = pages - kit_value(kit_path, "PRAGMA page_count");
    ck_assert_int_ge(shrunk, OCK_STEP_PAGES); /* and a page of SQLite's own, perhaps */
    ck_assert_int_le(shrunk, OCK_STEP_PAGES + 2);
    while (free_pages() > 0)
        ck_assert_int_eq(ock_store_delete(kit_store, ock_store_shrink_step, NULL, &err), OCK_OK);
    kit_close_store();
    struct stat info;
    ck_assert_int_eq(stat(kit_path, &info), 0);
    ck_assert_int_lt(info.st_size, 200000);
    ck_assert_int_eq(kit_wrong_bytes(kit_path), 0);
    kit_teardown();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("retention");
    TCase *tcase = tcase_create("retention");
    tcase_add_loop_test(tcase, oldest_go_until_all_limits_hold, 0,
                        sizeof(rules) / sizeof(rules[0]));
    tcase_add_test(tcase, deletion_passes_over_what_is_gone);
    tcase_add_test(tcase, many_events_go_in_small_steps_and_the_file_shrinks);
    suite_add_tcase(suite, tcase);
    return kit_run(suite);
}
