/* The list of jobs: filters, order and pages, whatever the statuses that are asked for. */
#include "core/base/json.h"
#include "store_kit.h"

enum { JOBS = 24 };

/* job_00 to job_23; the status counts around in sixes, every third job has a label. */
static void make_jobs(void)
{
    char id[16], sql[200];
    for (int i = 0; i < JOBS; i++) {
        (void)snprintf(id, sizeof(id), "job_%02d", i);
        int64_t number = kit_insert(id);
        (void)snprintf(sql, sizeof(sql),
                       "UPDATE jobs SET status = %d, labels = '%s' WHERE number = %lld", i % 6,
                       i % 3 == 0 ? "{\"team\":\"a\"}" : "{}", (long long)number);
        kit_sql(kit_path, sql);
    }
}

static const struct {
    const char *status, *label;
    size_t limit;
    const char *all; /* the numbers of all pages, newest first, with a bar between pages */
} lists[] = {
    {NULL, NULL, 100, "23 22 21 20 19 18 17 16 15 14 13 12 11 10 9 8 7 6 5 4 3 2 1 0"},
    {"succeeded", NULL, 100, "21 15 9 3"},
    {"succeeded,failed", NULL, 3, "22 21 16|15 10 9|4 3"},
    {"failed,succeeded,failed,failed", NULL, 3, "22 21 16|15 10 9|4 3"},
    {"queued,running,paused,succeeded,failed,cancelled", NULL, 12,
     "23 22 21 20 19 18 17 16 15 14 13 12|11 10 9 8 7 6 5 4 3 2 1 0"},
    {NULL, "a", 5, "21 18 15 12 9|6 3 0"},
    {"queued,succeeded", "a", 5, "21 18 15 12 9|6 3 0"},
    {"queued,cancelled", "a", 2, "18 12|6 0"},
    {"running", "a", 2, ""},
    {NULL, "b", 2, ""},
};

static void write_page(struct ock_buf *out, const char *text)
{
    cJSON *page = cJSON_Parse(text);
    const cJSON *item = NULL;
    ck_assert_ptr_nonnull(page);
    cJSON_ArrayForEach(item, ock_json_get(page, "items"))
    {
        const char *id = ock_json_get(item, "id")->valuestring;
        bool first = out->size == 0 || out->data[out->size - 1] == '|';
        ock_buf_printf(out, "%s%ld", first ? "" : " ", strtol(id + 4, NULL, 10));
    }
    cJSON_Delete(page);
}

START_TEST(pages_have_each_job_once_in_order)
{
    static const char *const key = "team";
    struct ock_err err = {0};
    struct ock_buf got, page;
    char next[OCK_ID_SIZE] = "", after[OCK_ID_SIZE];
    struct ock_job_query query = {.status = lists[_i].status,
                                  .label_count = lists[_i].label != NULL,
                                  .label_keys = &key,
                                  .label_values = &lists[_i].label,
                                  .limit = lists[_i].limit};
    kit_setup();
    make_jobs();
    ock_buf_init(&got, OCK_MIB);
    ock_buf_puts(&got, "");
    struct ock_db *db = ock_store_read(kit_store, &err);
    do {
        if (next[0])
            ock_buf_putc(&got, '|');
        memcpy(after, next, sizeof(after));
        query.after = after[0] ? after : NULL;
        ock_buf_init(&page, OCK_MIB);
        ck_assert_msg(ock_store_jobs_json(db, &query, &page, next, &err) == OCK_OK, "%s", err.text);
        write_page(&got, page.data);
        ock_buf_deinit(&page);
    } while (next[0]);
    ock_store_read_end(kit_store, db);
    ck_assert_str_eq(got.data ? got.data : "", lists[_i].all);
    ock_buf_deinit(&got);
    kit_teardown();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store: list");
    TCase *tcase = tcase_create("list");
    tcase_add_loop_test(tcase, pages_have_each_job_once_in_order, 0,
                        sizeof(lists) / sizeof(lists[0]));
    suite_add_tcase(suite, tcase);
    return kit_run(suite);
}
