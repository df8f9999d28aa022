/* A job's life in the engine: what can be asked of it and when, what is refused and how, and what
 * becomes of it when its worker misbehaves.
 *
 * Misbehaving workers are this very program, started as "ockham-worker train DIR": main() looks at
 * its arguments first. What they do stands in the job's name. */
#include "engine_kit.h"

#include "core/base/file.h"
#include "server/worker/protocol.h"

enum { HASHES_SIZE = KIT_EPOCHS_MAX * 64 + 1 };

static const char *const long_job =
    "{\"data\":{\"dataset\":\"digits\"},\"model\":{\"hidden\":[300,200]},"
    "\"optimizer\":{\"lr\":0.01},"
    "\"train\":{\"epochs\":2000,\"batch_size\":8}}";

static struct ock_problem problem;

/* --- The misbehaving worker -------------------------------------------------------------------- */

static void say(const char *text)
{
    ssize_t done = write(STDOUT_FILENO, text, strlen(text));
    (void)done;
}

/* Counts its starts in the job's directory. */
static int count_start(const char *dir)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/starts", dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ssize_t done = write(fd, "x", 1);
    (void)done;
    off_t size = lseek(fd, 0, SEEK_END);
    (void)close(fd);
    return (int)size;
}

static int misbehave(const char *dir)
{
    char path[512], line[512];
    struct ock_buf text;
    ock_buf_init(&text, OCK_MIB);
    (void)snprintf(path, sizeof(path), "%s/job.json", dir);
    if (ock_file_read(path, &text, NULL) != OCK_OK)
        return 1;
    char spec[OCK_KIB];
    int start = count_start(dir);
    (void)snprintf(spec, sizeof(spec), "%s", text.data);
    ock_buf_deinit(&text);
    if (strstr(spec, "\"name\":\"crash\""))
        abort();
    if (strstr(spec, "\"name\":\"silent\""))
        return 0;
    if (strstr(spec, "\"name\":\"gives-up\"")) {
        (void)fprintf(stderr, "the dataset is on fire\n");
        return 1;
    }
    if (strstr(spec, "\"name\":\"poor\"")) {
        (void)fprintf(stderr, "no memory to parse the spec\n");
        return OCK_WORKER_NO_MEMORY;
    }
    if (strstr(spec, "\"name\":\"threadless\"")) {
        (void)fprintf(stderr, "\nlibgomp: Thread creation failed: Cannot allocate memory\n");
        return 1;
    }
    if (strstr(spec, "\"name\":\"babble\"")) {
        say("this is no line of the protocol\n");
        pause();
    }
    if (strstr(spec, "\"name\":\"nameless\"")) {
        say("1 document document:../up {\"a\":1}\n");
        pause();
    }
    if (strstr(spec, "\"name\":\"fickle\"")) {
        /* The same epoch with other weights at every start. */
        (void)snprintf(line, sizeof(line),
                       "1 epoch epoch:1 {\"epoch\":1,\"step\":%d,\"weights_sha256\":\"%064d\"}\n",
                       start, start);
        say(line);
        abort();
    }
    if (strstr(spec, "\"name\":\"slow\"")) {
        /* Gets one epoch further at every start, and tells the earlier ones again. */
        for (int i = 1; i <= start; i++) {
            (void)snprintf(line, sizeof(line),
                           "%d epoch epoch:%d {\"epoch\":%d,\"epochs\":6,\"step\":%d,"
                           "\"weights_sha256\":\"%064d\"}\n",
                           i, i, i, i, i);
            say(line);
        }
        (void)snprintf(line, sizeof(line), "7 document document:layers {\"start\":%d}\n", start);
        say(line);
        if (start < 6)
            abort();
        say("8 end end {\"status\":\"succeeded\",\"stop_reason\":\"epochs\",\"error\":null}\n");
        return 0;
    }
    return 1;
}

static struct ock_engine *open_misbehaving(void)
{
    return kit_open_with((struct ock_engine_config){
        .cores = 2, .memory_bytes = OCK_GIB, .worker_path = "/proc/self/exe"});
}

static const char *named(const char *name)
{
    static char spec[256];
    (void)snprintf(spec, sizeof(spec),
                   "{\"name\":\"%s\",\"data\":{\"inline\":{\"x\":[[1],[2],[3],[4]],"
                   "\"y\":[0,1,0,1]}},\"train\":{\"epochs\":6}}",
                   name);
    return spec;
}

static const struct {
    const char *name, *stop_reason, *detail;
    int attempts;
} fates[] = {
    {"crash", "crash", "signal 6", 3},
    {"silent", "crash", "without a result", 3},
    {"gives-up", "crash", "the dataset is on fire", 3},
    {"babble", "crash", "signal 9", 3},
    {"nameless", "crash", "signal 9", 3}, /* a document of that name would be none */
    {"poor", "memory", "no memory to parse", 1},
    {"threadless", "memory", "Thread creation failed", 1},
    {"fickle", "not_reproducible", "different weights", 2},
};

START_TEST(bad_worker_fails_its_job_alone)
{
    kit_make_dir();
    struct ock_engine *engine = open_misbehaving();
    char id[OCK_ID_SIZE];
    kit_submit(engine, named(fates[_i].name), id);
    cJSON *job = kit_wait(engine, id, NULL, 0);
    const cJSON *error = ock_json_get(job, "error");
    ck_assert_str_eq(kit_text(job, "status"), "failed");
    ck_assert_str_eq(kit_text(job, "stop_reason"), fates[_i].stop_reason);
    ck_assert_str_eq(kit_text(error, "code"), fates[_i].stop_reason);
    ck_assert_msg(strstr(kit_text(error, "detail"), fates[_i].detail) != NULL, "%s",
                  kit_text(error, "detail"));
    ck_assert_int_eq((int)kit_number(job, "attempt"), fates[_i].attempts);
    cJSON_Delete(job);
    cJSON *events = kit_events(engine, id);
    ck_assert_int_eq(kit_count(events, "end"), 1);
    ck_assert_int_le(kit_count(events, "epoch"), 1);
    cJSON_Delete(events);
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

static void expect_document(struct ock_engine *engine, const char *id, const char *name,
                            const char *text, int status)
{
    struct ock_buf out;
    static struct ock_problem why;
    ock_buf_init(&out, OCK_MIB);
    ock_buf_puts(&out, "");
    ck_assert_int_eq(ock_engine_document(engine, id, name, &out, &why), status == 200);
    ck_assert_str_eq(out.data, text);
    if (status != 200)
        ck_assert_int_eq(why.status, status);
    ock_buf_deinit(&out);
}

START_TEST(worker_that_gets_further_is_started_as_often_as_it_takes)
{
    kit_make_dir();
    struct ock_engine *engine = open_misbehaving();
    char id[OCK_ID_SIZE];
    kit_submit(engine, named("slow"), id);
    cJSON *job = kit_wait(engine, id, NULL, 0);
    ck_assert_str_eq(kit_text(job, "status"), "succeeded");
    ck_assert_int_eq((int)kit_number(job, "attempt"), 6);
    cJSON_Delete(job);
    cJSON *events = kit_events(engine, id);
    ck_assert_int_eq(kit_count(events, "epoch"), 6); /* 21 were told */
    ck_assert_int_eq(kit_count(events, "document"), 0);
    cJSON_Delete(events);
    expect_document(engine, id, "layers", "{\"start\":6}", 200);
    expect_document(engine, id, "evaluation", "", 404);
    expect_document(engine, "job_nope", "layers", "", 404);
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

/* --- A good worker ----------------------------------------------------------------------------- */

START_TEST(job_runs_and_tells_all)
{
    kit_make_dir();
    struct ock_engine *engine = kit_open();
    char id[OCK_ID_SIZE];
    kit_upload_digits(engine);
    kit_submit(engine,
               "{\"name\":\"my job/1\",\"labels\":{\"team\":\"vision\"},"
               "\"data\":{\"dataset\":\"digits\"},\"train\":{\"epochs\":8}}",
               id);
    cJSON *job = kit_wait(engine, id, "succeeded", 8);
    ck_assert_str_eq(kit_text(job, "stop_reason"), "epochs");
    ck_assert_str_eq(kit_text(ock_json_get(job, "labels"), "team"), "vision");
    ck_assert_str_eq(kit_text(ock_json_get(job, "dataset"), "name"), "digits");
    ck_assert(kit_number(ock_json_get(job, "progress"), "fraction") == 1);
    ck_assert(kit_number(ock_json_get(ock_json_get(job, "resolved"), "optimizer"), "lr") > 0);
    ck_assert_str_eq(kit_text(ock_json_get(job, "latest"), "type"), "epoch");
    cJSON_Delete(job);

    struct ock_model model;
    ck_assert(ock_engine_model(engine, id, NULL, &model, &problem));
    ck_assert_int_eq(model.fd, -1);
    ck_assert_uint_eq(model.size, model.bytes.size);
    ck_assert_str_eq(model.filename, "my_job_1.safetensors");
    ock_buf_deinit(&model.bytes);

    struct ock_buf out;
    ock_buf_init(&out, OCK_MIB);
    ck_assert(ock_engine_metrics(engine, id, "train.data_loss,nothing", 4, false, &out, &problem));
    cJSON *metrics = kit_parse(out.data);
    const cJSON *epochs = ock_json_get(metrics, "epoch");
    int points = cJSON_GetArraySize(epochs);
    ck_assert(points >= 4 && points <= 5);
    ck_assert(cJSON_GetArrayItem(epochs, 0)->valuedouble == 1);
    ck_assert(cJSON_GetArrayItem(epochs, points - 1)->valuedouble == 8);
    ck_assert_int_eq(cJSON_GetArraySize(ock_json_get(metrics, "train.data_loss")), points);
    ck_assert(cJSON_IsNull(cJSON_GetArrayItem(ock_json_get(metrics, "nothing"), 0)));
    cJSON_Delete(metrics);
    ock_buf_deinit(&out);
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

START_TEST(states_allow_what_they_should)
{
    kit_make_dir();
    struct ock_engine *engine =
        kit_open_with((struct ock_engine_config){.cores = 1, .memory_bytes = OCK_GIB});
    char first[OCK_ID_SIZE], second[OCK_ID_SIZE];
    int http = 0;
    kit_upload_digits(engine);
    kit_submit(engine, long_job, first);
    kit_submit(engine, long_job, second);
    kit_wait_and_forget(engine, first, "running", 1);
    kit_wait_and_forget(engine, second, "queued", 0); /* one core */

    ck_assert(!kit_act(engine, second, "stop", &http)); /* it has nothing to keep */
    ck_assert_int_eq(http, 409);
    ck_assert(kit_act(engine, second, "pause", &http));
    kit_wait_and_forget(engine, second, "paused", 0);
    ck_assert(kit_act(engine, second, "resume", &http));
    ck_assert_int_eq(http, 202);
    ck_assert(kit_act(engine, second, "resume", &http));
    ck_assert_int_eq(http, 200); /* it is queued already */
    ck_assert(kit_act(engine, second, "cancel", &http));
    ck_assert_int_eq(http, 202);
    kit_wait_and_forget(engine, second, "cancelled", 0);
    ck_assert(kit_act(engine, second, "cancel", &http));
    ck_assert_int_eq(http, 200);
    ck_assert(!kit_act(engine, second, "resume", &http));
    ck_assert_int_eq(http, 409);

    ck_assert(!ock_engine_delete(engine, first, &problem)); /* it runs */
    ck_assert_int_eq(problem.status, 409);
    ck_assert(kit_act(engine, first, "stop", &http));
    ck_assert_int_eq(http, 202);
    cJSON *job = kit_wait(engine, first, "succeeded", 1);
    ck_assert_str_eq(kit_text(job, "stop_reason"), "stopped");
    cJSON_Delete(job);
    struct ock_model model;
    ck_assert(ock_engine_model(engine, first, "last", &model, &problem));
    if (model.fd >= 0)
        (void)close(model.fd);
    ock_buf_deinit(&model.bytes);
    ck_assert(ock_engine_delete(engine, first, &problem));
    ck_assert(!kit_act(engine, first, "cancel", &http));
    ck_assert_int_eq(http, 404);
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

START_TEST(running_job_is_cancelled)
{
    kit_make_dir();
    struct ock_engine *engine = kit_open();
    char id[OCK_ID_SIZE];
    int http = 0;
    kit_upload_digits(engine);
    kit_submit(engine, long_job, id);
    kit_wait_and_forget(engine, id, "running", 1);
    ck_assert(kit_act(engine, id, "cancel", &http));
    ck_assert_int_eq(http, 202);
    cJSON *job = kit_wait(engine, id, NULL, 1);
    ck_assert_str_eq(kit_text(job, "status"), "cancelled");
    ck_assert_str_eq(kit_text(job, "stop_reason"), "cancelled");
    cJSON_Delete(job);
    cJSON *events = kit_events(engine, id);
    const cJSON *end = cJSON_GetArrayItem(events, cJSON_GetArraySize(events) - 1);
    ck_assert_str_eq(kit_text(end, "type"), "end");
    ck_assert(cJSON_IsObject(ock_json_get(end, "latest")));
    cJSON_Delete(events);
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

START_TEST(full_queue_is_429)
{
    kit_make_dir();
    struct ock_engine *engine = kit_open_with(
        (struct ock_engine_config){.cores = 1, .memory_bytes = OCK_GIB, .queue_max = 2});
    char ids[3][OCK_ID_SIZE], none[OCK_ID_SIZE];
    int http = 0;
    kit_upload_digits(engine);
    kit_submit(engine, long_job, ids[0]);
    kit_wait_and_forget(engine, ids[0], "running", 0); /* it waits no more */
    kit_submit(engine, long_job, ids[1]);
    kit_submit(engine, long_job, ids[2]);
    ck_assert(!kit_try_submit(engine, long_job, none, &problem));
    ck_assert_int_eq(problem.status, 429);
    ck_assert_int_gt(problem.retry_after_s, 0);
    ck_assert(kit_act(engine, ids[2], "cancel", &http));
    ck_assert(kit_try_submit(engine, long_job, none, &problem)); /* its place is free again */
    ock_engine_drain(engine);
    ck_assert(!kit_try_submit(engine, long_job, none, &problem));
    ck_assert_int_eq(problem.status, 503);
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

static const struct {
    const char *spec, *pointer, *code, *suggestion;
} refusals[] = {
    {"{\"data\":{\"dataset\":\"digit\"}}", "/data/dataset", "unknown_dataset", "digits"},
    {"{\"data\":{\"dataset\":\"digits\",\"validation\":{\"dataset\":\"nope\"}}}",
     "/data/validation/dataset", "unknown_dataset", ""},
    {"{\"data\":{\"dataset\":\"digits\"},\"model\":{\"init\":{\"job\":\"job_nope\"}}}",
     "/model/init/job", "unknown_job", ""},
    {"{\"data\":{\"dataset\":\"digits\"},\"train\":{\"epohs\":3}}", "/train/epohs", "unknown_key",
     "epochs"},
    {"{\"data\":{\"dataset\":\"digits\",\"target\":\"nope\"}}", "/data/target", NULL, ""},
    {"{\"data\":{\"inline\":{\"x\":[[1],[2,3]],\"y\":[1,2]}}}", "/data/inline/x/1", NULL, ""},
    {"{\"data\":{\"dataset\":\"digits\"},\"model\":{\"hidden\":[20000,20000]}}", "/model",
     "too_large", ""},
};

START_TEST(refusal_says_where_and_why)
{
    kit_make_dir();
    struct ock_engine *engine = kit_open();
    char id[OCK_ID_SIZE];
    kit_upload_digits(engine);
    ck_assert(!kit_try_submit(engine, refusals[_i].spec, id, &problem));
    ck_assert_int_eq(problem.status, 422);
    ck_assert_uint_ge(problem.faults.count, 1);
    const struct ock_fault *fault = &problem.faults.items[0];
    ck_assert_str_eq(fault->pointer, refusals[_i].pointer);
    ck_assert_str_eq(fault->suggestion, refusals[_i].suggestion);
    if (refusals[_i].code)
        ck_assert_str_eq(fault->code, refusals[_i].code);
    struct ock_job_query query = {.limit = 10};
    struct ock_buf out;
    ock_buf_init(&out, OCK_MIB);
    ck_assert(ock_engine_jobs(engine, &query, &out, NULL, &problem));
    cJSON *list = kit_parse(out.data);
    ck_assert_int_eq(cJSON_GetArraySize(ock_json_get(list, "items")), 0);
    cJSON_Delete(list);
    ock_buf_deinit(&out);
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

START_TEST(list_pages_filters_and_patches)
{
    kit_make_dir();
    struct ock_engine *engine = kit_open();
    char ids[5][OCK_ID_SIZE], next[OCK_ID_SIZE];
    for (int i = 0; i < 5; i++) {
        kit_submit(engine,
                   "{\"data\":{\"inline\":{\"x\":[[1],[2],[3],[4]],\"y\":[0.5,1.5,2.5,3]}},"
                   "\"train\":{\"epochs\":1}}",
                   ids[i]);
        kit_wait_and_forget(engine, ids[i], "succeeded", 1);
    }
    struct ock_buf out;
    ock_buf_init(&out, OCK_MIB);
    cJSON *patch = kit_parse("{\"labels\":{\"team\":\"a\"},\"name\":\"n\",\"priority\":7}");
    ck_assert(ock_engine_patch(engine, ids[1], patch, &out, &problem));
    cJSON_Delete(patch);
    ock_buf_clear(&out);
    patch = kit_parse("{\"label\":{},\"priority\":0.5}");
    ck_assert(!ock_engine_patch(engine, ids[1], patch, &out, &problem));
    ck_assert_int_eq(problem.status, 422);
    ck_assert_uint_eq(problem.faults.count, 2);
    ck_assert_str_eq(problem.faults.items[0].suggestion, "labels");
    ck_assert_uint_eq(out.size, 0);
    cJSON_Delete(patch);

    struct ock_job_query query = {.limit = 2, .status = "succeeded,failed"};
    ck_assert(ock_engine_jobs(engine, &query, &out, next, &problem));
    cJSON *list = kit_parse(out.data);
    const cJSON *items = ock_json_get(list, "items");
    ck_assert_int_eq(cJSON_GetArraySize(items), 2);
    ck_assert_str_eq(kit_text(cJSON_GetArrayItem(items, 0), "id"), ids[4]); /* newest first */
    ck_assert_str_eq(next, ids[3]);
    cJSON_Delete(list);
    ock_buf_clear(&out);

    const char *keys[] = {"team"}, *values[] = {"a"};
    query = (struct ock_job_query){
        .limit = 10, .label_count = 1, .label_keys = keys, .label_values = values};
    ck_assert(ock_engine_jobs(engine, &query, &out, next, &problem));
    list = kit_parse(out.data);
    items = ock_json_get(list, "items");
    ck_assert_int_eq(cJSON_GetArraySize(items), 1);
    ck_assert_str_eq(kit_text(cJSON_GetArrayItem(items, 0), "id"), ids[1]);
    ck_assert_str_eq(next, "");
    cJSON_Delete(list);
    ock_buf_clear(&out);

    query = (struct ock_job_query){.limit = 10, .status = "done"};
    ck_assert(!ock_engine_jobs(engine, &query, &out, next, &problem));
    ck_assert_int_eq(problem.status, 400);
    ock_buf_deinit(&out);
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "train") == 0)
        return misbehave(argv[2]);
    Suite *suite = suite_create("engine: jobs");
    TCase *tcase = tcase_create("jobs");
    tcase_add_loop_test(tcase, bad_worker_fails_its_job_alone, 0,
                        (int)(sizeof(fates) / sizeof(fates[0])));
    tcase_add_test(tcase, worker_that_gets_further_is_started_as_often_as_it_takes);
    tcase_add_test(tcase, job_runs_and_tells_all);
    tcase_add_test(tcase, states_allow_what_they_should);
    tcase_add_test(tcase, running_job_is_cancelled);
    tcase_add_test(tcase, full_queue_is_429);
    tcase_add_loop_test(tcase, refusal_says_where_and_why, 0,
                        (int)(sizeof(refusals) / sizeof(refusals[0])));
    tcase_add_test(tcase, list_pages_filters_and_patches);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
