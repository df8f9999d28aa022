/* A job that starts from another job's model, which is a file: it is copied without holding one of
 * the store's readers, of which there are few, and goes on when the other job is deleted meanwhile.
 *
 * Every write to the copy first takes all readers (and would wait for ever for one that the copy
 * held), and the first of them removes the model. */
#include "engine_kit.h"
#include "server/engine_private.h"
#include "server/store.h"
#include "tests/shim/io_calls.h"

enum { READERS = 4 };

static struct ock_engine *engine; /* set before anything is copied */
static char first_job[OCK_ID_SIZE];
static int writes;

static void take_all_readers(void)
{
    struct ock_db *db[READERS];
    for (int i = 0; i < READERS; i++)
        db[i] = ock_store_read(engine->store, NULL);
    for (int i = 0; i < READERS; i++) {
        ck_assert_ptr_nonnull(db[i]);
        ock_store_read_end(engine->store, db[i]);
    }
}

static int io_before(const struct io_call *call, size_t *size)
{
    char path[PATH_MAX];
    (void)size;
    if (call->kind != IO_WRITE)
        return 0;
    io_path(call, path);
    if (!strstr(path, "/init.safetensors.tmp"))
        return 0;
    take_all_readers();
    (void)snprintf(path, sizeof(path), "%s/jobs/%s/best.safetensors", kit_dir, first_job);
    if (writes++ == 0)
        ck_assert_int_eq(unlink(path), 0);
    return 0;
}

static void io_after(const struct io_call *call)
{
    (void)call;
}

START_TEST(copy_of_a_model_holds_no_reader)
{
    static const char spec[] =
        "{\"data\":{\"dataset\":\"digits\"},\"model\":{\"hidden\":[300,200]%s%s%s},"
        "\"optimizer\":{\"lr\":0.1},\"train\":{\"epochs\":1}}";
    char text[512], id[OCK_ID_SIZE];
    kit_make_dir();
    engine = kit_open();
    kit_upload_digits(engine);
    (void)snprintf(text, sizeof(text), spec, "", "", "");
    kit_submit(engine, text, first_job);
    kit_wait_and_forget(engine, first_job, "succeeded", 1);
    (void)snprintf(text, sizeof(text), spec, ",\"init\":{\"job\":\"", first_job, "\"}");
    kit_submit(engine, text, id);
    ck_assert_int_gt(writes, 1); /* by pieces */
    kit_wait_and_forget(engine, id, "succeeded", 1);
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("prepare: starting weights");
    TCase *tcase = tcase_create("weights");
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, copy_of_a_model_holds_no_reader);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
