/* Jobs on datasets that are still being prepared: they wait in the queue, are planned when the data
 * are there, and fail with the problem of a POST when they do not go with them.
 *
 * Method: only two imports run at once, so behind two whose processes are stopped a small one stays
 * "preparing" as long as a test needs; uploads are answered at once (wait_ms 0). */
#include "engine_kit.h"

static struct ock_problem problem;

/* A small table behind two imports that stand still. */
static void upload_behind(struct ock_engine *engine, const char *name, const char *table,
                          char id[OCK_ID_SIZE])
{
    kit_hold_imports(engine);
    ck_assert_int_eq(kit_upload_at_once(engine, name, "-1", table, strlen(table), id), 202);
}

static const char small_table[] = "x,y\n1,2.5\n2,3.5\n3,4.75\n4,5\n5,6.25\n6,7\n7,8\n8,9.5\n";
static const char small_spec[] = "{\"data\":{\"dataset\":\"small\"},\"train\":{\"epochs\":3}}";

static void check_waits(struct ock_engine *engine, const char *id, const char *dataset)
{
    cJSON *job = kit_job(engine, id);
    ck_assert_str_eq(kit_text(job, "status"), "queued");
    ck_assert_str_eq(kit_text(ock_json_get(job, "dataset"), "id"), dataset);
    cJSON_Delete(job);
}

START_TEST(job_waits_and_runs)
{
    char id[OCK_ID_SIZE], dataset[OCK_ID_SIZE];
    kit_make_dir();
    struct ock_engine *engine = kit_open();
    upload_behind(engine, "small", small_table, dataset);
    kit_submit(engine, small_spec, id);
    check_waits(engine, id, dataset);
    kit_signal_children(SIGCONT);
    cJSON *job = kit_wait(engine, id, NULL, 3);
    ck_assert_str_eq(kit_text(job, "status"), "succeeded");
    ck_assert_uint_eq(strlen(kit_text(ock_json_get(job, "dataset"), "sha256")), 64);
    const cJSON *data = ock_json_get(ock_json_get(job, "resolved"), "data");
    ck_assert_str_eq(kit_text(data, "target"), "y");
    cJSON_Delete(job);
    cJSON *events = kit_events(engine, id);
    ck_assert_str_eq(kit_text(cJSON_GetArrayItem(events, 0), "reason"), "dataset_preparing");
    cJSON_Delete(events);
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

START_TEST(job_waits_across_a_restart)
{
    char id[OCK_ID_SIZE], paused[OCK_ID_SIZE], dataset[OCK_ID_SIZE];
    int http = 0;
    kit_make_dir();
    struct ock_engine *engine = kit_open();
    upload_behind(engine, "small", small_table, dataset);
    kit_submit(engine, small_spec, id);
    kit_submit(engine, small_spec, paused);
    ck_assert(kit_act(engine, paused, "pause", &http));
    check_waits(engine, id, dataset);
    ock_engine_close(engine);
    engine = kit_open();
    kit_wait_and_forget(engine, id, "succeeded", 3);
    ck_assert(kit_act(engine, paused, "resume", &http));
    kit_wait_and_forget(engine, paused, "succeeded", 3);
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

static void check_failed(struct ock_engine *engine, const char *id, const char *pointer,
                         const char *code)
{
    kit_signal_children(SIGCONT);
    cJSON *job = kit_wait(engine, id, NULL, 0);
    ck_assert_str_eq(kit_text(job, "status"), "failed");
    ck_assert_str_eq(kit_text(job, "stop_reason"), "data");
    const cJSON *error = ock_json_get(job, "error");
    ck_assert_str_eq(kit_text(error, "code"), "invalid_spec");
    const cJSON *first = cJSON_GetArrayItem(ock_json_get(error, "errors"), 0);
    ck_assert_str_eq(kit_text(first, "pointer"), pointer);
    ck_assert_str_eq(kit_text(first, "code"), code);
    cJSON_Delete(job);
}

/* Planned one after the other; an end in the middle leaves the rest to the next start. */
START_TEST(many_jobs_wait_for_one_dataset)
{
    enum { JOBS = 60 };
    static char ids[JOBS][OCK_ID_SIZE];
    char dataset[OCK_ID_SIZE];
    kit_make_dir();
    struct ock_engine *engine = kit_open();
    upload_behind(engine, "small", small_table, dataset);
    for (int i = 0; i < JOBS; i++)
        kit_submit(engine, small_spec, ids[i]);
    kit_signal_children(SIGCONT);
    kit_wait_and_forget(engine, ids[0], "succeeded", 3);
    ock_engine_close(engine);
    engine = kit_open();
    for (int i = 0; i < JOBS; i++)
        kit_wait_and_forget(engine, ids[i], "succeeded", 3);
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

START_TEST(what_only_the_data_can_tell_fails_the_job)
{
    char id[OCK_ID_SIZE], dataset[OCK_ID_SIZE];
    kit_make_dir();
    struct ock_engine *engine = kit_open();
    upload_behind(engine, "small", small_table, dataset);
    kit_submit(engine, "{\"data\":{\"dataset\":\"small\",\"target\":\"z\"}}", id);
    check_failed(engine, id, "/data/target", "unknown_value");
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

START_TEST(failed_import_fails_the_job)
{
    char id[OCK_ID_SIZE], dataset[OCK_ID_SIZE];
    kit_make_dir();
    struct ock_engine *engine = kit_open();
    upload_behind(engine, "small", "x,y\n1,2\n3\n", dataset);
    kit_submit(engine, small_spec, id);
    check_failed(engine, id, "/data/dataset", "dataset_not_ready");
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

/* Cuts the file to nothing, or removes it. */
static void lose(const char *path, bool remove)
{
    ck_assert_int_eq(remove ? unlink(path) : truncate(path, 0), 0);
}

/* What is lost while a job waits stays lost: it is told, not looked for every second. */
START_TEST(lost_file_fails_the_job)
{
    static const char *const data[] = {"\"dataset\":\"whole\"",
                                       "\"inline\":{\"x\":[[1],[2],[3],[4]],\"y\":[1,2,3,4]}"};
    char id[OCK_ID_SIZE], whole[OCK_ID_SIZE], dataset[OCK_ID_SIZE], spec[256], path[128];
    int of = _i % 2;
    kit_make_dir();
    struct ock_engine *engine = kit_open();
    (void)kit_upload_at_once(engine, "whole", "y", small_table, strlen(small_table), whole);
    while (!kit_is(engine, whole, "ready"))
        kit_sleep();
    upload_behind(engine, "small", small_table, dataset);
    (void)snprintf(spec, sizeof(spec), "{\"data\":{%s,\"validation\":{\"dataset\":\"small\"}}}",
                   data[of]);
    kit_submit(engine, spec, id);
    if (of == 0)
        (void)snprintf(path, sizeof(path), "%s/datasets/%s.ockds", kit_dir, whole);
    else
        (void)snprintf(path, sizeof(path), "%s/jobs/%s/inline.ockds", kit_dir, id);
    lose(path, _i < 2);
    kit_signal_children(SIGCONT);
    cJSON *job = kit_wait(engine, id, NULL, 0);
    ck_assert_str_eq(kit_text(job, "status"), "failed");
    ck_assert_str_eq(kit_text(job, "stop_reason"), "data");
    ck_assert_str_eq(kit_text(ock_json_get(job, "error"), "code"), "damaged");
    cJSON_Delete(job);
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

START_TEST(waiting_job_can_be_cancelled)
{
    char id[OCK_ID_SIZE], dataset[OCK_ID_SIZE];
    int http = 0;
    kit_make_dir();
    struct ock_engine *engine = kit_open();
    upload_behind(engine, "small", small_table, dataset);
    kit_submit(engine, small_spec, id);
    ck_assert(!kit_act(engine, id, "stop", &http)); /* nothing to keep */
    ck_assert_int_eq(http, 409);
    ck_assert(!ock_engine_dataset_delete(engine, dataset, &problem));
    ck_assert_int_eq(problem.status, 409);
    ck_assert(kit_act(engine, id, "cancel", &http));
    kit_wait_and_forget(engine, id, "cancelled", 0);
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

START_TEST(faults_of_the_spec_are_told_at_once)
{
    char id[OCK_ID_SIZE], dataset[OCK_ID_SIZE];
    struct ock_buf out;
    kit_make_dir();
    struct ock_engine *engine = kit_open();
    upload_behind(engine, "small", small_table, dataset);
    ck_assert(!kit_try_submit(engine, "{\"data\":{\"dataset\":\"small\"},\"train\":{\"epochs\":0}}",
                              id, &problem));
    ck_assert_int_eq(problem.status, 422);
    ck_assert_str_eq(problem.faults.items[0].pointer, "/train/epochs");
    /* Only asked, it cannot be answered yet. */
    ock_buf_init(&out, OCK_MIB);
    cJSON *json = kit_parse(small_spec);
    memset(&problem, 0, sizeof(problem));
    ck_assert(!ock_engine_validate(engine, json, &out, &problem));
    ck_assert_str_eq(problem.faults.items[0].code, "dataset_not_ready");
    cJSON_Delete(json);
    ock_buf_deinit(&out);
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine: jobs that wait for data");
    TCase *tcase = tcase_create("waiting");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, job_waits_and_runs);
    tcase_add_test(tcase, job_waits_across_a_restart);
    tcase_add_test(tcase, many_jobs_wait_for_one_dataset);
    tcase_add_test(tcase, what_only_the_data_can_tell_fails_the_job);
    tcase_add_test(tcase, failed_import_fails_the_job);
    tcase_add_loop_test(tcase, lost_file_fails_the_job, 0, 4);
    tcase_add_test(tcase, waiting_job_can_be_cancelled);
    tcase_add_test(tcase, faults_of_the_spec_are_told_at_once);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
