/* Uploads on a disk that fails: a dataset is whole or absent, and nothing partial stays.
 *
 * Every I/O call of the import fails in turn; then every one that the server makes for a table and
 * for two parts (its worker is another process: the end-to-end tests kill it). What was answered
 * with success is there and can be trained on after a restart; after anything else the same upload,
 * sent again, succeeds. */
#include <dirent.h>

#include "core/data/dataset.h"
#include "core/data/import.h"
#include "engine_kit.h"
#include "tests/unit/io_fail.h"

static const char table[] = "a,b,kind\n1,2,x\n2,1,y\n1,3,x\n3,1,y\n1,4,x\n4,1,y\n2,5,x\n5,2,y\n";
static const unsigned char x_bytes[] = {0, 0, 8, 2, 0, 0, 0, 4, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8};
static const unsigned char y_bytes[] = {0, 0, 8, 1, 0, 0, 0, 4, 0, 1, 0, 1};

/* The committer's pauses gain nothing here. */
int nanosleep(const struct timespec *wanted, struct timespec *left)
{
    (void)wanted;
    (void)left;
    struct timespec moment = {.tv_nsec = 50000};
    return (int)syscall(SYS_nanosleep, &moment, NULL);
}

static void make_dir(void)
{
    ock_log_set_level((enum ock_log_level)(OCK_LOG_ERROR + 1)); /* they are expected */
    (void)snprintf(kit_dir, sizeof(kit_dir), "%s/ock-upload-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"); /* thousands of syncs */
    ck_assert_ptr_nonnull(mkdtemp(kit_dir));
}

/* Entries of a directory below kit_dir. */
static int count_entries(const char *name)
{
    char path[128];
    int count = 0;
    (void)snprintf(path, sizeof(path), "%s%s%s", kit_dir, name[0] ? "/" : "", name);
    DIR *dir = opendir(path);
    ck_assert_ptr_nonnull(dir);
    for (;;) {
        const struct dirent *entry = readdir(dir);
        if (!entry)
            break;
        count += entry->d_name[0] != '.';
    }
    (void)closedir(dir);
    return count;
}

/* --- The import -------------------------------------------------------------------------------- */

static void check_dataset(const char *path, const char sha256[65])
{
    struct ock_dataset *dataset = NULL;
    ck_assert_int_eq(ock_dataset_open(&dataset, path, NULL), OCK_OK);
    ck_assert_str_eq(ock_dataset_sha256(dataset), sha256);
    ock_dataset_free(dataset);
}

START_TEST(every_call_of_an_import_fails_in_turn)
{
    char path[128], sha256[65];
    struct ock_dataset *dataset = NULL;
    struct ock_import import = {.source = OCK_TEST_DATA "/iris.csv", .out = path};
    make_dir();
    (void)snprintf(path, sizeof(path), "%s/a.ockds", kit_dir);
    ck_assert_int_eq(ock_import_run(&import, NULL), OCK_OK);
    ck_assert_int_eq(ock_dataset_open(&dataset, path, NULL), OCK_OK);
    (void)snprintf(sha256, sizeof(sha256), "%s", ock_dataset_sha256(dataset));
    ock_dataset_free(dataset);
    long n = 0;
    for (bool failed = true; failed; n++) {
        struct ock_err err = {0};
        (void)unlink(path);
        io_fail_after(n, (enum io_fault)(_i % IO_FAULT_COUNT), _i >= IO_FAULT_COUNT, kit_dir);
        enum ock_status status = ock_import_run(&import, &err);
        failed = io_fail_stop();
        ck_assert(failed || status == OCK_OK);
        ck_assert(status == OCK_OK || err.text[0] != '\0');
        if (status == OCK_OK || access(path, F_OK) == 0) /* whole, whatever was answered */
            check_dataset(path, sha256);
        if (_i % IO_FAULT_COUNT != IO_EIO) /* a broken disk may refuse to remove a file */
            ck_assert_int_eq(count_entries(""), access(path, F_OK) == 0);
    }
    ck_assert_int_gt(n, 1);
    kit_remove_dir();
}
END_TEST

/* --- The server -------------------------------------------------------------------------------- */

struct part {
    const char *name;
    enum ock_upload_part part;
    const void *bytes;
    size_t size;
};

static const struct part parts[] = {
    {"table", OCK_PART_TABLE, table, sizeof(table) - 1},
    {"pair", OCK_PART_X, x_bytes, sizeof(x_bytes)},
    {"pair", OCK_PART_Y, y_bytes, sizeof(y_bytes)},
};
enum { PART_COUNT = 3 };

/* The answer's status: of success or of the problem. */
static int upload(struct ock_engine *engine, const struct part *part)
{
    static struct ock_problem problem;
    struct ock_upload *upload = NULL;
    struct ock_upload_options options = {.name = part->name, .part = part->part};
    struct ock_buf out;
    int http = 0;
    memset(&problem, 0, sizeof(problem));
    if (!ock_upload_begin(engine, &upload, &options, &problem))
        return problem.status;
    if (!ock_upload_add(upload, part->bytes, part->size, &problem)) {
        ock_upload_discard(upload);
        return problem.status;
    }
    ock_buf_init(&out, OCK_MIB);
    if (!ock_upload_finish(upload, KIT_WAIT_MS, &out, &http, &problem))
        http = problem.status;
    ock_buf_deinit(&out);
    return http;
}

static cJSON *show(struct ock_engine *engine, const char *name)
{
    static struct ock_problem problem;
    struct ock_buf out;
    cJSON *json = NULL;
    ock_buf_init(&out, OCK_MIB);
    if (ock_engine_dataset(engine, name, &out, &problem))
        json = kit_parse(out.data);
    ock_buf_deinit(&out);
    return json;
}

static void check_status(struct ock_engine *engine, const char *name, const char *status,
                         const char *or_status)
{
    cJSON *json = show(engine, name);
    ck_assert_msg(json != NULL, "%s was acknowledged and is lost", name);
    const char *shown = kit_text(json, "status");
    ck_assert_msg(strcmp(shown, status) == 0 || strcmp(shown, or_status) == 0, "%s is %s", name,
                  shown);
    cJSON_Delete(json);
}

static void check_trains(struct ock_engine *engine, const char *name)
{
    char spec[160], id[OCK_ID_SIZE];
    (void)snprintf(spec, sizeof(spec),
                   "{\"data\":{\"dataset\":\"%s\"},\"optimizer\":{\"lr\":0.1},"
                   "\"train\":{\"epochs\":1,\"threads\":1}}",
                   name);
    kit_submit(engine, spec, id);
    kit_wait_and_forget(engine, id, "succeeded", 1);
}

/* After a restart on a disk that works again. */
static void check(const int answers[PART_COUNT], bool trains)
{
    struct ock_engine *engine = kit_open();
    if (answers[0] < 300)
        check_status(engine, "table", "ready", "ready");
    if (answers[1] < 300 && answers[2] < 300)
        check_status(engine, "pair", "ready", "ready");
    else if (answers[1] < 300 || answers[2] < 300) /* the other may have come all the same */
        check_status(engine, "pair", "incomplete", "ready");
    for (size_t i = 0; i < PART_COUNT; i++) {
        int http = upload(engine, &parts[i]);
        ck_assert_msg(http == 200 || http == 201, "part %zu again: %d", i, http);
    }
    check_status(engine, "table", "ready", "ready");
    check_status(engine, "pair", "ready", "ready");
    ck_assert_int_eq(count_entries("uploads"), 0);
    ck_assert_int_eq(count_entries("datasets"), 2);
    if (trains) {
        check_trains(engine, "table");
        check_trains(engine, "pair");
    }
    ock_engine_close(engine);
}

START_TEST(every_call_of_an_upload_fails_in_turn)
{
    enum io_fault fault = (enum io_fault)(_i % IO_FAULT_COUNT);
    long n = 0, refused = 0;
    for (bool failed = true; failed; n += OCK_TEST_STRIDE) {
        int answers[PART_COUNT];
        make_dir();
        struct ock_engine *engine = kit_open();
        io_fail_after(n, fault, _i >= IO_FAULT_COUNT, kit_dir);
        for (size_t i = 0; i < PART_COUNT; i++) {
            answers[i] = upload(engine, &parts[i]);
            refused += answers[i] >= 300;
            ck_assert(fault != IO_ENOSPC || answers[i] < 300 || answers[i] == 507);
        }
        failed = io_fail_stop();
        ck_assert(failed || (answers[0] == 201 && answers[1] == 201 && answers[2] == 201));
        ock_engine_close(engine);
        check(answers, n % 16 == 0 || !failed);
        kit_remove_dir();
    }
    ck_assert(refused > 0 || fault == IO_SHORT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("uploads: failing I/O");
    TCase *tcase = tcase_create("io");
    tcase_set_timeout(tcase, 300);
    tcase_add_loop_test(tcase, every_call_of_an_import_fails_in_turn, 0, IO_FAULT_COUNT + 2);
    tcase_add_loop_test(tcase, every_call_of_an_upload_fails_in_turn, 0, IO_FAULT_COUNT + 2);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
