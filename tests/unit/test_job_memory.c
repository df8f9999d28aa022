/* Goal: a job that runs out of memory says so, wherever it happens, and leaves nothing behind.
 *
 * Method: a whole job (data, plan, training, checkpoint, resume, models, `end`) with its n-th
 * allocation failing, for every n; the leak sanitizer watches in the asan build. */
#include <omp.h>

#include "tests/unit/alloc_fail.h"
#include "tests/unit/job_kit.h"

struct seen {
    char stop_reason[32];
    bool ended;
};

static enum ock_status see(void *ctx, const struct ock_event *event, struct ock_err *err)
{
    (void)err;
    struct seen *seen = ctx;
    if (strcmp(event->type, "end") != 0)
        return OCK_OK;
    seen->ended = true;
    const char *reason = strstr(event->body, "\"stop_reason\":\"");
    if (reason) /* no check here: check allocates too */
        (void)sscanf(reason, "\"stop_reason\":\"%31[a-z_]", seen->stop_reason);
    return OCK_OK;
}

static struct ock_spec *parse(const char *text)
{
    struct ock_faults *faults = calloc(1, sizeof(*faults));
    struct ock_spec *spec = NULL;
    cJSON *json = cJSON_Parse(text);
    ck_assert_int_eq(ock_spec_parse(&spec, json, false, faults, NULL), OCK_OK);
    cJSON_Delete(json);
    free(faults);
    return spec;
}

static const char *const specs[] = {
    "{\"data\":{\"test\":0.1},\"model\":{\"hidden\":[4]},"
    "\"train\":{\"epochs\":2,\"checkpoint_every\":1,\"threads\":1}}",
    "{\"data\":{\"test\":0.1},\"model\":{\"hidden\":[]},"
    "\"train\":{\"epochs\":2,\"checkpoint_every\":1,\"threads\":1},"
    "\"tune\":{\"l1\":{\"min\":\"auto\",\"max\":\"auto\",\"count\":2},\"folds\":2,\"warm\":true}}",
};
enum { SPECS = 2 };

START_TEST(every_allocation_failing)
{
    char directory[KIT_PATH_SIZE];
    char data[KIT_PATH_SIZE];
    char checkpoint[KIT_PATH_SIZE];
    char best[KIT_PATH_SIZE];
    kit_directory(directory);
    kit_path(data, directory, "data.ockds");
    kit_path(checkpoint, directory, "checkpoint");
    kit_path(best, directory, "best.safetensors");
    kit_import("heart_scale.csv", "label", data);
    omp_set_dynamic(0); /* libgomp ends the process if its own first allocation fails */
    long n = 0;
    for (bool failed = true; failed; n++) {
        struct ock_spec *spec = parse(specs[_i]);
        struct seen seen = {0};
        struct ock_job job = {.spec = spec,
                              .train_path = data,
                              .checkpoint_path = checkpoint,
                              .best_path = best,
                              .threads = 1};
        struct ock_job_hooks hooks = {.ctx = &seen, .event = see};
        enum ock_outcome outcome = OCK_PAUSED;
        alloc_fail_after(n);
        enum ock_status status = ock_job_run(&job, &hooks, &outcome, NULL);
        failed = alloc_fail_stop();
        ck_assert_msg(status == OCK_NOMEM || status == OCK_OK, "allocation %ld: %s", n,
                      ock_status_name(status));
        if (status == OCK_OK) {
            ck_assert(seen.ended);
            ck_assert_msg(strcmp(seen.stop_reason, outcome == OCK_FAILED ? "memory" : "epochs") ==
                              0,
                          "allocation %ld: %s", n, seen.stop_reason);
            ck_assert(failed || outcome == OCK_SUCCEEDED);
        }
        ock_spec_free(spec);
        (void)unlink(checkpoint);
        for (size_t i = 0; i < 2; i++) {
            char beside[KIT_PATH_SIZE];
            kit_path(beside, directory, i == 0 ? "checkpoint.previous" : "checkpoint.tuning");
            (void)unlink(beside);
        }
    }
    ck_assert_int_gt(n, 30);
    kit_remove(directory);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("memory");
    TCase *all = tcase_create("memory");
    tcase_set_timeout(all, 120);
    if (ALLOC_CAN_FAIL)
        tcase_add_loop_test(all, every_allocation_failing, 0, SPECS);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
