/* Checkpoints on a disk that fails, and checkpoints that the disk has changed.
 *
 * Every I/O call of a run with checkpoints and models fails in turn: the run goes on or ends with an
 * error, and a run that comes after it tells the undisturbed run's epochs and ends with its bits.
 * Then every part of a checkpoint is damaged, it is cut at many lengths, and every call that reads it
 * fails: each time that is noticed, and the one before is used. */
#include <dirent.h>
#include <sys/stat.h>

#include "core/base/file.h"
#include "core/base/sha256.h"
#include "job_kit.h"
#include "tests/unit/io_fail.h"

static const char *const spec =
    "{\"data\":{\"target\":\"virginica\"},\"model\":{\"hidden\":[6]},"
    "\"optimizer\":{\"lr\":0.05,\"momentum\":0.9},"
    "\"train\":{\"epochs\":6,\"batch_size\":30,\"checkpoint_every\":1,\"threads\":1}}";

enum { EPOCHS = 6, STEPS = 4 /* 120 training rows in thirties */, HASH_SIZE = 65 };

static char directory[KIT_PATH_SIZE], data[KIT_PATH_SIZE], checkpoint[KIT_PATH_SIZE];
static char previous[KIT_PATH_SIZE], best[KIT_PATH_SIZE], last[KIT_PATH_SIZE];

/* The undisturbed run. */
static char hashes[EPOCHS + 1][HASH_SIZE], state[HASH_SIZE], model[HASH_SIZE];

/* The data lies in a directory that never fails. */
static void make_directory(void)
{
    static const char *const names[] = {"checkpoint", "checkpoint.previous", "best.safetensors",
                                        "last.safetensors"};
    static char *const paths[] = {checkpoint, previous, best, last};
    (void)snprintf(directory, sizeof(directory), "%s/ockham-test-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"); /* thousands of syncs */
    ck_assert_ptr_nonnull(mkdtemp(directory));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        kit_path(paths[i], directory, names[i]);
}

static struct kit make_kit(void)
{
    return (struct kit){.train = data,
                        .checkpoint = checkpoint,
                        .best = best,
                        .last = last,
                        .threads = 1,
                        .may_fail = true};
}

static void setup(void)
{
    char place[KIT_PATH_SIZE];
    kit_directory(place);
    kit_path(data, place, "data.ockds");
    kit_import("iris.csv", "virginica", data);
    make_directory();
    struct kit kit = make_kit();
    kit_run(&kit, spec);
    ck_assert_int_eq(kit.status, OCK_OK);
    for (int i = 0; i < EPOCHS; i++)
        (void)snprintf(hashes[i + 1], HASH_SIZE, "%s",
                       kit_text(kit_event(&kit, "epoch", i), "weights_sha256"));
    const cJSON *end = kit_event(&kit, "end", 0);
    (void)snprintf(state, HASH_SIZE, "%s", kit_text(end, "state_sha256"));
    (void)snprintf(model, HASH_SIZE, "%s", kit_text(ock_json_get(end, "model"), "sha256"));
    kit_free(&kit);
    kit_remove(directory);
}

static void teardown(void)
{
    char *slash = strrchr(data, '/');
    *slash = '\0';
    kit_remove(data);
}

/* Every epoch that was told has the undisturbed weights; marks them. */
static void check_epochs(const struct kit *kit, bool told[EPOCHS + 1])
{
    for (int i = 0;; i++) {
        const cJSON *event = kit_event(kit, "epoch", i);
        if (!event)
            return;
        int epoch = (int)kit_number(event, "epoch");
        ck_assert(epoch >= 1 && epoch <= EPOCHS);
        ck_assert_str_eq(kit_text(event, "weights_sha256"), hashes[epoch]);
        told[epoch] = true;
    }
}

static void check_end(const struct kit *kit)
{
    const cJSON *end = kit_event(kit, "end", 0);
    ck_assert_ptr_nonnull(end);
    ck_assert_str_eq(kit_text(end, "status"), "succeeded");
    ck_assert_str_eq(kit_text(end, "state_sha256"), state);
    ck_assert_str_eq(kit_text(ock_json_get(end, "model"), "sha256"), model);
}

/* What stands under the model's name is whole. */
static void check_model(void)
{
    struct ock_mapping mapping = {0};
    struct ock_sha256 sha;
    char text[OCK_SHA256_TEXT_SIZE];
    ck_assert_int_eq(ock_mapping_open(&mapping, best, NULL), OCK_OK);
    ock_sha256_init(&sha);
    ock_sha256_add(&sha, mapping.data, mapping.size);
    ock_sha256_text(&sha, text);
    ock_mapping_close(&mapping);
    ck_assert_str_eq(text, model);
}

/* Nothing temporary stays. */
static void check_directory(void)
{
    DIR *dir = opendir(directory);
    ck_assert_ptr_nonnull(dir);
    for (;;) {
        const struct dirent *entry = readdir(dir);
        if (!entry)
            break;
        ck_assert_msg(strstr(entry->d_name, ".tmp") == NULL, "%s is left", entry->d_name);
    }
    (void)closedir(dir);
}

/* Loop index: the fault, and whether it stays. */
START_TEST(every_call_fails_in_turn)
{
    enum io_fault fault = (enum io_fault)(_i % IO_FAULT_COUNT);
    long n = 0, errors = 0;
    for (bool failed = true; failed; n++) {
        bool told[EPOCHS + 1] = {false};
        make_directory();
        struct kit first = make_kit();
        io_fail_after(n, fault, _i >= IO_FAULT_COUNT, directory);
        kit_run(&first, spec);
        failed = io_fail_stop();
        ck_assert(failed || first.status == OCK_OK);
        check_epochs(&first, told);
        if (first.status == OCK_OK)
            check_end(&first);
        else
            ck_assert_ptr_null(kit_event(&first, "end", 0));
        errors += first.status != OCK_OK;

        struct kit second = make_kit();
        kit_run(&second, spec);
        ck_assert_int_eq(second.status, OCK_OK);
        check_epochs(&second, told);
        check_end(&second);
        for (int epoch = 1; epoch <= EPOCHS; epoch++)
            ck_assert_msg(told[epoch], "call %ld: epoch %d was never told", n, epoch);
        check_model();
        check_directory();
        kit_free(&first);
        kit_free(&second);
        kit_remove(directory);
    }
    ck_assert_int_gt(n, EPOCHS);
    ck_assert(errors > 0 || fault == IO_SHORT);
}
END_TEST

/* --- Damage ------------------------------------------------------------------------------------ */

static const char newer[] = "7 epoch epoch:4 {\"is\":\"newer\"}\n";
static const char older[] = "5 epoch epoch:3 {\"is\":\"older\"}\n";

/* Two checkpoints: at a pause, and one before it. */
static void make_checkpoints(struct ock_buf *bytes)
{
    struct kit kit = make_kit();
    kit.pending = older;
    kit.pause_after = 3 * STEPS + 1;
    kit_run(&kit, spec);
    ck_assert_int_eq(kit.outcome, OCK_PAUSED);
    kit.pending = newer;
    kit.pause_after = 2;
    kit_run(&kit, spec);
    ck_assert_int_eq(kit.outcome, OCK_PAUSED);
    ck_assert_str_eq(kit.restored, older);
    kit_free(&kit);
    ck_assert_int_eq(ock_file_read(checkpoint, bytes, NULL), OCK_OK);
    ck_assert_int_eq(access(previous, R_OK), 0);
}

static void put(const char *path, const void *bytes, size_t size)
{
    ck_assert_int_eq(ock_file_replace(path, bytes, size, NULL), OCK_OK);
}

/* Resumes from what is there: it must have been noticed, and the older one taken. */
static void check_is_passed_over(const struct ock_buf *sound_previous, size_t at)
{
    bool told[EPOCHS + 1] = {false};
    struct kit kit = make_kit();
    kit_run(&kit, spec);
    ck_assert_int_eq(kit.status, OCK_OK);
    const cJSON *warning = kit_event(&kit, "warning", 0);
    ck_assert_msg(warning != NULL, "byte %zu: nobody noticed", at);
    ck_assert_str_eq(kit_text(warning, "code"), "checkpoint");
    ck_assert_msg(strcmp(kit.restored, older) == 0, "byte %zu: restored %s", at, kit.restored);
    check_epochs(&kit, told);
    check_end(&kit);
    kit_free(&kit);
    put(previous, sound_previous->data, sound_previous->size);
}

/* The key under which the only warning of a run is told. */
static void warning_key(const struct kit *kit, char out[64])
{
    out[0] = '\0';
    for (size_t i = 0; i < kit->count; i++) {
        if (strcmp(kit->events[i].type, "warning") != 0)
            continue;
        ck_assert_str_eq(out, "");
        (void)snprintf(out, 64, "%s", kit->events[i].key);
    }
}

/* Each is news: a second one must not pass for the first, told again. */
START_TEST(damages_at_two_places_are_two_warnings)
{
    char first[64], second[64];
    struct ock_buf bytes;
    ock_buf_init(&bytes, OCK_MIB);
    make_directory();
    make_checkpoints(&bytes);
    put(checkpoint, bytes.data, bytes.size - 1);
    struct kit kit = make_kit();
    kit.pause_after = 2 * STEPS;
    kit_run(&kit, spec);
    ck_assert_int_eq(kit.outcome, OCK_PAUSED);
    warning_key(&kit, first);
    put(checkpoint, bytes.data, bytes.size - 1);
    kit.pause_after = 0;
    kit_run(&kit, spec);
    warning_key(&kit, second);
    ck_assert_uint_gt(strlen(first), 0);
    ck_assert_uint_gt(strlen(second), 0);
    ck_assert_str_ne(first, second);
    kit_free(&kit);
    ock_buf_deinit(&bytes);
    kit_remove(directory);
}
END_TEST

/* Steps through all of a file, closely at its two ends. */
static size_t next_place(size_t at, size_t size)
{
    return at < 280 || at + 140 >= size ? at + 1 : at + 61;
}

START_TEST(any_damage_is_noticed)
{
    struct ock_buf sound, before;
    ock_buf_init(&sound, OCK_MIB);
    ock_buf_init(&before, OCK_MIB);
    make_directory();
    make_checkpoints(&sound);
    ck_assert_int_eq(ock_file_read(previous, &before, NULL), OCK_OK);
    size_t tried = 0;
    for (size_t at = 0; at < sound.size; at = next_place(at, sound.size), tried++) {
        char *byte = sound.data + at;
        *byte = (char)(*byte ^ (1 << (at % 8)));
        put(checkpoint, sound.data, sound.size);
        *byte = (char)(*byte ^ (1 << (at % 8)));
        check_is_passed_over(&before, at);
    }
    ck_assert_uint_gt(tried, 360); /* 280 at the front, 80 and more at the end */
    ock_buf_deinit(&sound);
    ock_buf_deinit(&before);
    kit_remove(directory);
}
END_TEST

START_TEST(any_cut_is_noticed)
{
    struct ock_buf sound, before;
    ock_buf_init(&sound, OCK_MIB);
    ock_buf_init(&before, OCK_MIB);
    make_directory();
    make_checkpoints(&sound);
    ck_assert_int_eq(ock_file_read(previous, &before, NULL), OCK_OK);
    for (size_t size = 0; size < sound.size; size = next_place(size, sound.size)) {
        put(checkpoint, sound.data, size);
        check_is_passed_over(&before, size);
    }
    ock_buf_putc(&sound, '\0'); /* and one that is longer than it says */
    put(checkpoint, sound.data, sound.size);
    check_is_passed_over(&before, sound.size);
    ock_buf_deinit(&sound);
    ock_buf_deinit(&before);
    kit_remove(directory);
}
END_TEST

/* The newest checkpoint's n-th call fails, from the opening to the last read: the one before is used,
 * and a warning says so. false: the n-th is not of its reading any more. */
static bool is_survived(long n)
{
    bool told[EPOCHS + 1] = {false};
    struct ock_buf bytes;
    ock_buf_init(&bytes, OCK_MIB);
    make_directory();
    make_checkpoints(&bytes);
    struct kit kit = make_kit();
    io_fail_after(n, IO_EIO, false, checkpoint);
    kit_run(&kit, spec);
    ck_assert(io_fail_stop());
    const cJSON *warning = kit_event(&kit, "warning", 0);
    bool refused = warning != NULL;
    ck_assert_int_eq(kit.status, OCK_OK);
    ck_assert_str_eq(kit.restored, refused ? older : newer);
    if (refused)
        ck_assert_ptr_nonnull(strstr(kit_text(warning, "message"), "the one before is"));
    check_epochs(&kit, told);
    check_end(&kit);
    kit_free(&kit);
    ock_buf_deinit(&bytes);
    kit_remove(directory);
    return refused;
}

START_TEST(an_unreadable_one_is_passed_over)
{
    long n = 0;
    while (is_survived(n))
        n++;
    ck_assert_int_ge(n, 1 + 3 + 5); /* open; header, content, sum; then at least five parts */
}
END_TEST

/* Nothing sound is left, and the trainer was changed: the run ends, the next one begins again. */
START_TEST(half_a_state_is_not_trained)
{
    bool told[EPOCHS + 1] = {false};
    struct ock_buf bytes;
    ock_buf_init(&bytes, OCK_MIB);
    make_directory();
    make_checkpoints(&bytes);
    ck_assert_int_eq(unlink(previous), 0);
    struct kit kit = make_kit();
    io_fail_after(1 + 3 + 2, IO_EIO, false, checkpoint);
    kit_run(&kit, spec);
    ck_assert(io_fail_stop());
    ck_assert_int_eq(kit.status, OCK_IO);
    ck_assert_ptr_null(kit_event(&kit, "epoch", 0));
    kit_run(&kit, spec);
    ck_assert_int_eq(kit.status, OCK_OK);
    check_epochs(&kit, told);
    check_end(&kit);
    kit_free(&kit);
    ock_buf_deinit(&bytes);
    kit_remove(directory);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("checkpoints: failing I/O");
    TCase *tcase = tcase_create("io");
    tcase_set_timeout(tcase, 300);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, every_call_fails_in_turn, 0, IO_FAULT_COUNT + 2);
    tcase_add_test(tcase, any_damage_is_noticed);
    tcase_add_test(tcase, any_cut_is_noticed);
    tcase_add_test(tcase, damages_at_two_places_are_two_warnings);
    tcase_add_test(tcase, an_unreadable_one_is_passed_over);
    tcase_add_test(tcase, half_a_state_is_not_trained);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
