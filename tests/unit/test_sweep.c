/* What an abrupt end leaves in jobs/ is cleaned up after the next start, and nothing else. */
#include <sys/stat.h>

#include "engine_kit.h"

static const char *const large = "{\"data\":{\"dataset\":\"digits\"},\"model\":{\"hidden\":[1000]},"
                                 "\"train\":{\"epochs\":2}}";
static const char *const endless =
    "{\"data\":{\"dataset\":\"digits\"},\"model\":{\"hidden\":[1000]},"
    "\"train\":{\"epochs\":1000000}}";

static void path_of(char path[256], const char *id, const char *name)
{
    (void)snprintf(path, 256, "%s/jobs/%s%s%s", kit_dir, id, name[0] ? "/" : "", name);
}

static void put_file(const char *id, const char *name)
{
    char path[256];
    path_of(path, id, "");
    (void)mkdir(path, 0700);
    path_of(path, id, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_eq(write(fd, "x", 1), 1);
    (void)close(fd);
}

static bool is_there(const char *id, const char *name)
{
    char path[256];
    path_of(path, id, name);
    return access(path, F_OK) == 0;
}

static void wait_gone(const char *id, const char *name)
{
    for (int waited = 0; is_there(id, name) && waited < KIT_WAIT_MS; waited += KIT_STEP_MS)
        kit_sleep();
    ck_assert_msg(!is_there(id, name), "%s/%s", id, name);
}

START_TEST(leftovers_go_and_what_is_needed_stays)
{
    char ended[OCK_ID_SIZE], paused[OCK_ID_SIZE];
    static const char never[] = "job_01M88000000000000000000000";
    int http = 0;
    kit_make_dir();
    struct ock_engine *engine = kit_open();
    kit_upload_digits(engine);
    kit_submit(engine, large, ended);
    kit_wait_and_forget(engine, ended, "succeeded", 2);
    kit_submit(engine, endless, paused);
    kit_wait_and_forget(engine, paused, "running", 1);
    wait_gone(ended, "last.safetensors"); /* the best is the last: no row names a second one */
    ck_assert(kit_act(engine, paused, "pause", &http));
    kit_wait_and_forget(engine, paused, "paused", 1);
    ock_engine_close(engine);
    ck_assert(is_there(ended, "best.safetensors"));
    put_file(ended, "checkpoint");
    put_file(ended, "last.safetensors");
    put_file(ended, "best.safetensors.tmp");
    put_file(never, "inline.ockds");
    put_file(never, "best.safetensors");
    put_file("not-a-job", "notes");

    engine = kit_open();
    wait_gone(ended, "checkpoint");
    wait_gone(ended, "last.safetensors");
    wait_gone(ended, "best.safetensors.tmp");
    wait_gone(never, "");
    ck_assert(is_there(ended, "best.safetensors"));
    ck_assert(is_there(paused, "checkpoint"));
    ck_assert(is_there("not-a-job", "notes"));
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sweep");
    TCase *tcase = tcase_create("sweep");
    tcase_add_test(tcase, leftovers_go_and_what_is_needed_stays);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
