/* A job's end is stored with its model or not yet: whatever the machine refuses while the models are
 * read back and synced delays the end, and only that job's.
 *
 * Calls of the server on chosen files fail (its workers are other processes). Then: the end comes
 * later, with the model that the worker told; other jobs end meanwhile; the server closes in time,
 * and the next one comes to the same end; a model that is gone or damaged is trained again. */
#include <stdatomic.h>

#include "core/base/sha256.h"
#include "engine_kit.h"
#include "tests/shim/io_calls.h"

enum { CLOSE_MS_MAX = 5000, CLOSE_MS_MAX_EVER = 10000, SLOW_READ_S = 4 };

/* Its best epoch is not its last, so there are two models; each is 260 KiB and more. */
static const char *const large =
    "{\"data\":{\"dataset\":\"digits\"},\"model\":{\"hidden\":[1000]},"
    "\"optimizer\":{\"lr\":0.8},\"train\":{\"epochs\":8,\"threads\":1}}";
static const char *const small =
    "{\"data\":{\"dataset\":\"digits\"},\"model\":{\"hidden\":[20]},"
    "\"optimizer\":{\"lr\":2.5},\"train\":{\"epochs\":8,\"threads\":1}}";

/* 6 MB: read in more than one piece. */
static const char *const larger =
    "{\"data\":{\"dataset\":\"digits\"},\"model\":{\"hidden\":[1000,1500]},"
    "\"optimizer\":{\"lr\":0.01},\"train\":{\"epochs\":1,\"threads\":1}}";

static struct ock_problem problem;

/* --- Faults ------------------------------------------------------------------------------------ */

static char fault_end[128]; /* of the path; set while nothing is armed */
static enum io_kind fault_kind;
static int fault_errno; /* or one of these two, and then it succeeds */
enum { UNTIL_DISARMED = 0, SLOWLY = -1 };
static atomic_int faults_left, faults_done;

static void arm(enum io_kind kind, int error_number, int count, const char *end)
{
    (void)snprintf(fault_end, sizeof(fault_end), "%s", end);
    fault_kind = kind;
    fault_errno = error_number;
    atomic_store(&faults_done, 0);
    atomic_store(&faults_left, count);
}

static void disarm(void)
{
    atomic_store(&faults_left, 0);
}

static int io_before(const struct io_call *call, size_t *size)
{
    char path[PATH_MAX];
    (void)size;
    if (atomic_load(&faults_left) <= 0 || call->kind != fault_kind)
        return 0;
    io_path(call, path);
    size_t length = strlen(path), end = strlen(fault_end);
    if (length < end || strcmp(path + length - end, fault_end) != 0)
        return 0;
    atomic_fetch_add(&faults_done, 1);
    if (fault_errno == SLOWLY)
        return (int)sleep(SLOW_READ_S); /* 0: no signal came */
    while (fault_errno == UNTIL_DISARMED && atomic_load(&faults_left) > 0)
        kit_sleep();
    return fault_errno > 0 && atomic_fetch_sub(&faults_left, 1) > 0 ? fault_errno : 0;
}

static void io_after(const struct io_call *call)
{
    (void)call;
}

static void wait_for_fault(void)
{
    for (int waited = 0; atomic_load(&faults_done) == 0; waited += KIT_STEP_MS) {
        ck_assert_int_lt(waited, KIT_WAIT_MS);
        kit_sleep();
    }
}

/* --- What is there ----------------------------------------------------------------------------- */

/* The sum of the model that is served; "" if there is none. */
static void served(struct ock_engine *engine, const char *id, const char *which, char sha256[65])
{
    static char piece[1 << 16];
    struct ock_model model;
    struct ock_sha256 sha;
    sha256[0] = '\0';
    if (!ock_engine_model(engine, id, which, &model, &problem))
        return;
    ock_sha256_init(&sha);
    if (model.fd < 0)
        ock_sha256_add(&sha, model.bytes.data, model.bytes.size);
    for (ssize_t got = 1; model.fd >= 0 && got > 0;) {
        got = read(model.fd, piece, sizeof(piece));
        ck_assert_int_ge(got, 0);
        ock_sha256_add(&sha, piece, (size_t)got);
    }
    ock_sha256_text(&sha, sha256);
    ck_assert_str_eq(model.sha256, sha256);
    if (model.fd >= 0)
        (void)close(model.fd);
    ock_buf_deinit(&model.bytes);
}

/* It succeeded, and what it serves is what its end says. */
static void check_end(struct ock_engine *engine, const char *id)
{
    char best[65], last[65];
    kit_wait_and_forget(engine, id, "succeeded", 8);
    cJSON *events = kit_events(engine, id);
    const cJSON *end = cJSON_GetArrayItem(events, cJSON_GetArraySize(events) - 1);
    ck_assert_str_eq(kit_text(end, "type"), "end");
    ck_assert_double_lt(kit_number(ock_json_get(end, "best"), "epoch"), 8);
    served(engine, id, "best", best);
    served(engine, id, "last", last);
    ck_assert_str_eq(best, kit_text(ock_json_get(end, "model"), "sha256"));
    ck_assert_str_ne(last, best);
    ck_assert_uint_eq(strlen(last), 64);
    cJSON_Delete(events);
}

static struct ock_engine *open_quiet(void)
{
    kit_make_dir();
    ock_log_set_level((enum ock_log_level)(OCK_LOG_ERROR + 1)); /* they are expected */
    struct ock_engine *engine = kit_open();
    kit_upload_digits(engine);
    return engine;
}

/* A sync comes twice: its beginning, whose failure tells nothing, and the one that counts. */
static const struct {
    const char *const *spec;
    enum io_kind kind;
    int error_number, count;
    const char *end;
} refusals[] = {
    {&large, IO_OPEN, EMFILE, 1, "/best.safetensors"},
    {&small, IO_OPEN, ENOMEM, 1, "/best.safetensors"},
    {&large, IO_OPEN, EMFILE, 1, "/last.safetensors"},
    {&small, IO_READ, EIO, 1, "/last.safetensors"},
    {&large, IO_READ, EIO, 1, "/best.safetensors"},
    {&large, IO_SYNC, EIO, 2, "/best.safetensors"},
    {&large, IO_SYNC, EIO, 2, "/last.safetensors"},
    {&large, IO_SYNC, EIO, 1, "/jobs"},
};

START_TEST(what_is_refused_delays_the_end)
{
    char id[OCK_ID_SIZE];
    struct ock_engine *engine = open_quiet();
    arm(refusals[_i].kind, refusals[_i].error_number, refusals[_i].count, refusals[_i].end);
    kit_submit(engine, *refusals[_i].spec, id);
    check_end(engine, id);
    ck_assert_int_eq(atomic_load(&faults_done), refusals[_i].count);
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

static void arm_for(const char *id, enum io_kind kind, int error_number)
{
    char end[128];
    (void)snprintf(end, sizeof(end), "%s/best.safetensors", id);
    arm(kind, error_number, 1 << 20, end);
}

static int close_ms(struct ock_engine *engine)
{
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    ock_engine_close(engine);
    clock_gettime(CLOCK_MONOTONIC, &end);
    return (int)((end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000);
}

START_TEST(others_end_and_the_next_server_goes_on)
{
    char stuck[OCK_ID_SIZE], other[OCK_ID_SIZE];
    struct ock_engine *engine = open_quiet();
    kit_submit(engine, large, stuck);
    arm_for(stuck, IO_OPEN, EMFILE);
    wait_for_fault();
    kit_submit(engine, small, other);
    check_end(engine, other);
    kit_submit(engine, large, other);
    check_end(engine, other);
    kit_wait_and_forget(engine, stuck, "running", 8);
    ck_assert_int_lt(close_ms(engine), CLOSE_MS_MAX);
    disarm();
    engine = kit_open();
    check_end(engine, stuck);
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

START_TEST(a_large_model_holds_up_no_small_one)
{
    char slow[OCK_ID_SIZE], other[OCK_ID_SIZE];
    struct ock_engine *engine = open_quiet();
    kit_submit(engine, large, slow);
    arm_for(slow, IO_READ, UNTIL_DISARMED);
    wait_for_fault();
    kit_submit(engine, small, other);
    check_end(engine, other);
    kit_wait_and_forget(engine, slow, "running", 8);
    disarm();
    check_end(engine, slow);
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

/* A disk so slow that the model is not read back when the server has to go. */
START_TEST(what_takes_too_long_is_left)
{
    char id[OCK_ID_SIZE], best[65];
    struct ock_engine *engine = open_quiet();
    kit_submit(engine, larger, id);
    arm_for(id, IO_READ, SLOWLY);
    wait_for_fault();
    ck_assert_int_lt(close_ms(engine), CLOSE_MS_MAX_EVER);
    disarm();
    engine = kit_open();
    cJSON *job = kit_wait(engine, id, "succeeded", 1);
    ck_assert_double_eq(kit_number(job, "attempt"), 2); /* it had not been stored */
    cJSON_Delete(job);
    served(engine, id, "best", best);
    ck_assert_uint_eq(strlen(best), 64);
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

/* Loop index: gone, or one byte is another. */
START_TEST(a_lost_model_is_trained_again)
{
    char id[OCK_ID_SIZE], path[256];
    struct ock_engine *engine = open_quiet();
    kit_submit(engine, large, id);
    arm_for(id, IO_OPEN, EMFILE);
    wait_for_fault();
    (void)snprintf(path, sizeof(path), "%s/jobs/%s/best.safetensors", kit_dir, id);
    if (_i == 0) {
        ck_assert_int_eq(unlink(path), 0);
    } else {
        FILE *file = fopen(path, "r+be");
        ck_assert_ptr_nonnull(file);
        (void)fseek(file, -1, SEEK_END);
        ck_assert_int_eq(fputc(0x55, file), 0x55);
        ck_assert_int_eq(fclose(file), 0);
    }
    disarm();
    check_end(engine, id);
    cJSON *job = kit_job(engine, id);
    ck_assert_double_eq(kit_number(job, "attempt"), 2);
    cJSON_Delete(job);
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ends");
    TCase *tcase = tcase_create("ends");
    tcase_add_loop_test(tcase, what_is_refused_delays_the_end, 0,
                        sizeof(refusals) / sizeof(refusals[0]));
    tcase_add_test(tcase, others_end_and_the_next_server_goes_on);
    tcase_add_test(tcase, a_large_model_holds_up_no_small_one);
    tcase_add_test(tcase, what_takes_too_long_is_left);
    tcase_add_loop_test(tcase, a_lost_model_is_trained_again, 0, 2);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
