/* Goal: the table of a search that still runs is what its stored trials say, in the order of their
 * strength. Method: a store with jobs and events made by hand. */
#include "core/base/json.h"
#include "server/tuning.h"
#include "server/tuning_table.h"
#include "store_kit.h"

static int64_t make_job(const char *id, const char *name, const char *spec, const char *resolved)
{
    struct ock_err err = {0};
    struct ock_job_new job = {.id = id,
                              .name = name,
                              .labels = "{}",
                              .epochs = 10,
                              .spec = spec,
                              .resolved = resolved,
                              .warnings = "[]"};
    ck_assert_msg(ock_store_write(kit_store, kit_apply_insert, &job, &err) == OCK_OK, "%s",
                  err.text);
    return job.number;
}

/* Trial n of 4, as a worker tells it. */
static void tell_trial(int64_t number, const char *id, int n)
{
    char key[16], body[256];
    (void)snprintf(key, sizeof(key), "trial:%d", n);
    (void)snprintf(body, sizeof(body),
                   "{\"trial\":%d,\"trials\":4,\"l1\":0,\"l2\":%d,\"mean_data_loss\":0.5,"
                   "\"folds\":[0.25,0.75],\"status\":\"succeeded\"}",
                   n, 10 - n);
    const struct ock_event_line line = {"trial", key, body};
    kit_append(number, id, &line, 1);
}

/* The table's text, the caller's (free), or NULL and the status. */
static char *read_table(const char *id, char label[64], enum ock_status *status)
{
    struct ock_err err = {0};
    struct ock_buf out, name;
    ock_buf_init(&out, OCK_MIB);
    ock_buf_init(&name, OCK_KIB);
    struct ock_db *db = ock_store_read(kit_store, &err);
    ck_assert_ptr_nonnull(db);
    *status = ock_tuning_table(db, id, &out, &name, &err);
    ock_store_read_end(kit_store, db);
    (void)snprintf(label, 64, "%s", name.size > 0 ? name.data : "");
    ock_buf_deinit(&name);
    char *text = ock_buf_take(&out);
    if (*status == OCK_OK)
        return text;
    free(text);
    return NULL;
}

#define TUNE "{\"tune\":{\"l2\":[1],\"folds\":2,\"rule\":\"1se\",\"fold_assignment\":\"random\"}}"

START_TEST(what_was_told_so_far)
{
    char label[64];
    enum ock_status status;
    kit_setup();
    int64_t number = make_job("job_1", "a name", "{}", TUNE);
    char *text = read_table("job_1", label, &status);
    ck_assert_str_eq(text, "{\"job\":\"job_1\",\"status\":\"queued\",\"rule\":\"1se\",\"folds\":2,"
                           "\"fold_assignment\":\"random\",\"rows\":null,\"trials_total\":null,"
                           "\"chosen\":null,\"min\":null,\"one_se\":null,\"trials\":[]}");
    ck_assert_str_eq(label, "a name");
    free(text);
    kit_epochs(number, "job_1", 1, 2, 10); /* not rows of it */
    tell_trial(number, "job_1", 3);
    tell_trial(number, "job_1", 1);
    tell_trial(number, "job_1", 1); /* told again after a crash: once */
    text = read_table("job_1", label, &status);
    const char *trials = strstr(text, "\"trials_total\":4");
    ck_assert_ptr_nonnull(trials);
    ck_assert_str_eq(
        strstr(trials, "\"trials\":["),
        "\"trials\":[{\"trial\":1,\"trials\":4,\"l1\":0,\"l2\":9,\"mean_data_loss\":0.5,"
        "\"folds\":[0.25,0.75],\"status\":\"succeeded\"},"
        "{\"trial\":3,\"trials\":4,\"l1\":0,\"l2\":7,\"mean_data_loss\":0.5,"
        "\"folds\":[0.25,0.75],\"status\":\"succeeded\"}]}");
    free(text);
    kit_teardown();
}
END_TEST

/* The worker's own table, with the job's id and state in front. */
START_TEST(the_table_of_a_search_that_is_over)
{
    static const struct ock_event_line line = {"document", "document:tuning",
                                               "{\"rule\":\"1se\",\"trials\":[],\"rows\":7}"};
    char label[64];
    enum ock_status status;
    kit_setup();
    int64_t number = make_job("job_1", NULL, "{}", TUNE);
    tell_trial(number, "job_1", 1);
    kit_append(number, "job_1", &line, 1);
    kit_end(number, "job_1", OCK_JOB_SUCCEEDED);
    char *text = read_table("job_1", label, &status);
    ck_assert_str_eq(text, "{\"job\":\"job_1\",\"status\":\"succeeded\",\"rule\":\"1se\","
                           "\"trials\":[],\"rows\":7}");
    free(text);
    kit_teardown();
}
END_TEST

static const struct {
    const char *id, *spec, *resolved;
    enum ock_status status;
    const char *rule;
} jobs[] = {
    {"job_0", "{}", TUNE, OCK_OK, "\"rule\":\"1se\""},
    {"job_1", TUNE, "{}", OCK_OK, "\"rule\":\"1se\""}, /* its dataset is being prepared */
    {"job_2", "{\"tune\":{}}", "null", OCK_OK, "\"rule\":null,\"folds\":null"},
    {"job_3", "{}", "{}", OCK_UNSUPPORTED, NULL},
    {"job_4", "{\"tune\":null}", "{\"tune\":null}", OCK_UNSUPPORTED, NULL},
    {"job_none", NULL, NULL, OCK_NOTFOUND, NULL},
};

START_TEST(jobs_with_and_without_a_search)
{
    char label[64];
    enum ock_status status;
    kit_setup();
    for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
        if (jobs[i].spec)
            (void)make_job(jobs[i].id, NULL, jobs[i].spec, jobs[i].resolved);
        char *text = read_table(jobs[i].id, label, &status);
        ck_assert_int_eq(status, jobs[i].status);
        if (jobs[i].rule) {
            ck_assert_msg(strstr(text, jobs[i].rule) != NULL, "%s", text);
            ck_assert_str_eq(label, jobs[i].id);
        }
        free(text);
    }
    kit_teardown();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tuning_table");
    TCase *t = tcase_create("table");
    tcase_add_test(t, what_was_told_so_far);
    tcase_add_test(t, the_table_of_a_search_that_is_over);
    tcase_add_test(t, jobs_with_and_without_a_search);
    suite_add_tcase(suite, t);
    return kit_run(suite);
}
