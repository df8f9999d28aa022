/* Goal: same bits. The same spec gives the same weights_sha256 in every epoch and the same
 * state_sha256, for any number of threads, any tiles, schedules and kernels that fuse, and from any
 * minibatch, block of an evaluation or step of the search for a rate at which it was interrupted.
 *
 * Method: one job a variant (all optimizers and L1 methods, dropout, uneven last minibatch), run as
 * it is, then run otherwise; events are compared whole but for times. */
#include <omp.h>

#include "core/kernels/kernels.h"
#include "tests/unit/job_kit.h"

static const char *const variants[] = {
    "\"optimizer\":{\"lr\":0.05,\"momentum\":0.9,\"nesterov\":true},"
    "\"regularization\":{\"l1\":1e-5,\"l2\":1e-4}",
    "\"optimizer\":{\"lr\":0.05,\"momentum\":0.9},"
    "\"regularization\":{\"l1\":1e-4,\"l1_method\":\"proximal\",\"max_norm\":1.5}",
    "\"optimizer\":{\"lr\":0.05},\"regularization\":{\"l1\":1e-4,\"l1_method\":\"cumulative\"}",
    "\"optimizer\":{\"name\":\"adamw\",\"lr\":0.002,\"weight_decay\":0.01,\"clip_norm\":1}",
    "\"optimizer\":{\"name\":\"adam\",\"lr\":0.002,\"schedule\":{\"name\":\"cosine\","
    "\"warmup_epochs\":1}},\"regularization\":{\"l1\":1e-4,\"l1_method\":\"proximal\"}",
    "\"optimizer\":{\"lr\":\"auto\",\"momentum\":0.5,\"weight_decay\":0.001,\"decoupled\":true,"
    "\"schedule\":{\"name\":\"plateau\",\"factor\":0.5,\"patience\":1}}",
};
enum { VARIANTS = 6 };

/* 1,797 x 80 % = 1,438 training rows: 14 minibatches of 100 and one of 38. */
static void variant_spec(char text[1024], int variant, const char *more)
{
    (void)snprintf(text, 1024,
                   "{\"data\":{\"target\":\"c64\"},"
                   "\"model\":{\"hidden\":[40,33],\"activation\":\"%s\",\"dropout\":0.2,"
                   "\"input_dropout\":0.1},%s,"
                   "\"train\":{\"epochs\":3,\"batch_size\":100,\"seed\":5,"
                   "\"evaluate_train\":200%s}}",
                   variant % 2 ? "gelu" : "relu", variants[variant], more);
}

struct place {
    char directory[KIT_PATH_SIZE], data[KIT_PATH_SIZE], checkpoint[KIT_PATH_SIZE];
};

static void place_make(struct place *place)
{
    kit_directory(place->directory);
    kit_path(place->data, place->directory, "data.ockds");
    kit_path(place->checkpoint, place->directory, "checkpoint");
    kit_import("digits.csv.gz", "64", place->data);
}

/* Takes out what a clock decides, at any depth. */
static void drop_times(cJSON *body)
{
    static const char *const times[] = {"samples_per_s", "elapsed_s", "eta_s", "threads"};
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
        cJSON_DeleteItemFromObjectCaseSensitive(body, times[i]);
    cJSON *item = NULL;
    cJSON_ArrayForEach(item, body)
    {
        if (cJSON_IsObject(item))
            drop_times(item);
    }
}

static bool is_compared(const struct kit_event *event)
{
    return event->key[0] != '\0'; /* progress, checkpoint and resolved have none */
}

/* The events of b, from its first on, are those of a from number `from` on (keyed ones alone). */
static void check_same(struct kit *a, struct kit *b, size_t from, const char *what)
{
    size_t i = 0;
    for (size_t skipped = 0; skipped < from; i++)
        skipped += is_compared(&a->events[i]);
    for (size_t j = 0; j < b->count; j++) {
        if (!is_compared(&b->events[j]))
            continue;
        while (i < a->count && !is_compared(&a->events[i]))
            i++;
        ck_assert_msg(i < a->count, "%s: one event more, %s", what, b->events[j].key);
        ck_assert_str_eq(a->events[i].key, b->events[j].key);
        drop_times(a->events[i].body);
        drop_times(b->events[j].body);
        ck_assert_msg(cJSON_Compare(a->events[i].body, b->events[j].body, 1),
                      "%s: other %s:\n%s\n%s", what, a->events[i].key,
                      cJSON_PrintUnformatted(a->events[i].body),
                      cJSON_PrintUnformatted(b->events[j].body));
        i++;
    }
    while (i < a->count && !is_compared(&a->events[i]))
        i++;
    ck_assert_msg(i == a->count, "%s: events are missing", what);
}

START_TEST(threads_tiles_and_kernels_change_nothing)
{
    static const struct {
        uint32_t threads;
        const char *kernels;
        size_t tile_rows;
        omp_sched_t schedule;
    } ways[] = {
        {2, NULL, 0, omp_sched_dynamic},       {3, NULL, 8, omp_sched_static},
        {8, NULL, 0, omp_sched_guided},        {1, "v3", 0, omp_sched_static},
        {2, "v3", 5, omp_sched_dynamic},       {1, "v4", 13, omp_sched_dynamic},
        {1, "reference", 0, omp_sched_static},
    };
    struct place place;
    char text[1024];
    place_make(&place);
    variant_spec(text, _i, "");
    struct kit one = {.train = place.data, .threads = 1};
    kit_run(&one, text);
    ck_assert_str_eq(kit_text(kit_event(&one, "end", 0), "status"), "succeeded");
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        if (ways[i].kernels && !ock_kernels_get(ways[i].kernels))
            continue; /* not on this processor */
        struct kit other = {.train = place.data,
                            .threads = ways[i].threads,
                            .kernels = ways[i].kernels,
                            .tile_rows = ways[i].tile_rows};
        char what[64];
        (void)snprintf(what, sizeof(what), "way %zu", i);
        omp_set_schedule(ways[i].schedule, 1);
        kit_run(&other, text);
        check_same(&one, &other, 0, what);
        kit_free(&other);
    }
    kit_free(&one);
    kit_remove(place.directory);
}
END_TEST

START_TEST(another_seed_is_another_run)
{
    struct place place;
    char text[1024];
    place_make(&place);
    struct kit one = {.train = place.data, .threads = 1};
    struct kit other = {.train = place.data, .threads = 1};
    variant_spec(text, 0, "");
    kit_run(&one, text);
    variant_spec(text, 0, ",\"threads\":2");
    kit_run(&other, text);
    ck_assert_str_eq(kit_text(kit_event(&one, "epoch", -1), "weights_sha256"),
                     kit_text(kit_event(&other, "epoch", -1), "weights_sha256"));
    char *seed = strstr(text, "\"seed\":5");
    seed[7] = '6';
    kit_run(&other, text);
    ck_assert_str_ne(kit_text(kit_event(&one, "epoch", -1), "weights_sha256"),
                     kit_text(kit_event(&other, "epoch", -1), "weights_sha256"));
    kit_free(&one);
    kit_free(&other);
    kit_remove(place.directory);
}
END_TEST

static size_t compared_events(const struct kit *kit)
{
    size_t count = 0;
    for (size_t i = 0; i < kit->count; i++)
        count += is_compared(&kit->events[i]);
    return count;
}

/* Removes both checkpoints; false: there was none. */
static bool drop_checkpoints(const struct place *place)
{
    char previous[KIT_PATH_SIZE];
    kit_path(previous, place->directory, "checkpoint.previous");
    (void)unlink(previous);
    return unlink(place->checkpoint) == 0;
}

/* Interrupted after every one of the 45 minibatches (fewer in a slow build), one interruption a run. */
START_TEST(any_interruption_changes_nothing)
{
    struct place place;
    char text[1024];
    place_make(&place);
    variant_spec(text, _i, "");
    struct kit whole = {.train = place.data, .threads = 1};
    kit_run(&whole, text);
    for (uint64_t step = 1; step < 45; step += OCK_TEST_STRIDE) {
        char what[64];
        struct kit before = {.train = place.data,
                             .checkpoint = place.checkpoint,
                             .threads = 1 + (uint32_t)(step % 2),
                             .pause_after = step};
        struct kit after = {.train = place.data, .checkpoint = place.checkpoint, .threads = 1};
        (void)snprintf(what, sizeof(what), "interrupted after %d", (int)step);
        kit_run(&before, text);
        ck_assert_int_eq(before.outcome, OCK_PAUSED);
        kit_run(&after, text);
        ck_assert_int_eq(after.outcome, OCK_SUCCEEDED);
        check_same(&whole, &after, compared_events(&before), what);
        kit_free(&before);
        kit_free(&after);
        ck_assert(drop_checkpoints(&place));
    }
    kit_free(&whole);
    kit_remove(place.directory);
}
END_TEST

/* Interrupted before every block of rows that is measured: by the search for a rate and its steps,
 * before the first epoch (no checkpoint, the run begins anew), in each epoch's evaluation, on the
 * test rows. What was told is told again only where there was no checkpoint. */
static void interrupt_everywhere(const struct place *place, const char *text)
{
    struct kit whole = {.train = place->data, .threads = 1};
    kit_run(&whole, text);
    size_t with_checkpoint = 0;
    for (uint64_t peek = 1; peek <= whole.peeks; peek += OCK_TEST_STRIDE) {
        char what[64];
        struct kit before = {
            .train = place->data, .checkpoint = place->checkpoint, .threads = 1, .pause_at = peek};
        struct kit after = {.train = place->data, .checkpoint = place->checkpoint, .threads = 2};
        (void)snprintf(what, sizeof(what), "interrupted before block %d", (int)peek);
        kit_run(&before, text);
        ck_assert_msg(before.outcome == OCK_PAUSED, "%s", what);
        /* At once, or, asked behind an epoch, at the next minibatch. */
        ck_assert_uint_eq(before.peeks, peek);
        bool resumes = access(place->checkpoint, F_OK) == 0;
        kit_run(&after, text);
        check_same(&whole, &after, resumes ? compared_events(&before) : 0, what);
        with_checkpoint += resumes;
        kit_free(&before);
        kit_free(&after);
        (void)drop_checkpoints(place);
    }
    ck_assert_uint_ge(with_checkpoint * OCK_TEST_STRIDE, 5);
    kit_free(&whole);
}

START_TEST(an_interrupted_evaluation_changes_nothing)
{
    struct place place;
    char text[1024];
    place_make(&place);
    variant_spec(text, _i, "");
    interrupt_everywhere(&place, text);
    kit_remove(place.directory);
}
END_TEST

/* What ended the training is remembered through a pause in the last evaluations. */
START_TEST(an_interrupted_ending_stays_an_ending)
{
    static const char *const train[] = {
        "\"epochs\":9,\"max_steps\":20",
        "\"epochs\":9,\"early_stopping\":{\"patience\":1,\"min_delta\":0.5}",
        "\"epochs\":2",
    };
    static const char *const reasons[] = {"max_steps", "early_stopping", "epochs"};
    struct place place;
    char text[1024];
    place_make(&place);
    (void)snprintf(text, sizeof(text),
                   "{\"data\":{\"target\":\"c64\",\"test\":0.2},\"optimizer\":{\"lr\":0.05},"
                   "\"train\":{\"batch_size\":100,\"seed\":5,%s}}",
                   train[_i]);
    struct kit whole = {.train = place.data, .threads = 1};
    kit_run(&whole, text);
    ck_assert_str_eq(kit_text(kit_event(&whole, "end", 0), "stop_reason"), reasons[_i]);
    kit_free(&whole);
    interrupt_everywhere(&place, text);
    kit_remove(place.directory);
}
END_TEST

/* A stop while an epoch is measured makes that epoch the last: no further minibatch. */
START_TEST(a_stop_in_an_evaluation_ends_there)
{
    struct place place;
    char text[1024];
    place_make(&place);
    variant_spec(text, 0, "");
    struct kit kit = {.train = place.data, .threads = 1};
    kit_run(&kit, text);
    uint64_t peeks = kit.peeks_of_epochs;
    kit.stop_at =
        peeks - 2; /* three blocks: the first of the last epoch, which ends the job anyway */
    kit_run(&kit, text);
    const cJSON *end = kit_event(&kit, "end", 0);
    ck_assert_str_eq(kit_text(end, "stop_reason"), "epochs");
    kit.stop_at = peeks - 2 - 3; /* the second of the epoch before, and the question behind it */
    kit_run(&kit, text);
    end = kit_event(&kit, "end", 0);
    ck_assert_str_eq(kit_text(end, "stop_reason"), "stopped");
    ck_assert_double_eq(kit_number(end, "latest.step"), 30);
    kit_free(&kit);
    kit_remove(place.directory);
}
END_TEST

/* A crash goes back to the last checkpoint and trains again what came after it: the same events. */
START_TEST(a_crash_repeats_the_same_epochs)
{
    struct place place;
    char text[1024];
    place_make(&place);
    variant_spec(text, _i, "");
    struct kit whole = {.train = place.data, .threads = 1};
    kit_run(&whole, text);
    struct kit crashed = {
        .train = place.data, .checkpoint = place.checkpoint, .threads = 1, .checkpoint_after = 20};
    kit_run(&crashed, text);
    check_same(&whole, &crashed, 0, "with a checkpoint");
    struct kit again = {.train = place.data, .checkpoint = place.checkpoint, .threads = 2};
    kit_run(&again, text);
    const cJSON *first = kit_event(&again, "epoch", 0);
    ck_assert_double_eq(kit_number(first, "epoch"), 2);
    ck_assert_str_eq(kit_text(kit_event(&whole, "end", 0), "state_sha256"),
                     kit_text(kit_event(&again, "end", 0), "state_sha256"));
    kit_free(&whole);
    kit_free(&crashed);
    kit_free(&again);
    kit_remove(place.directory);
}
END_TEST

static void damage(const char *path, long at)
{
    FILE *file = fopen(path, "r+b");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fseek(file, at, SEEK_SET), 0);
    int byte = fgetc(file);
    ck_assert_int_eq(fseek(file, at, SEEK_SET), 0);
    (void)fputc(byte ^ 0x10, file);
    ck_assert_int_eq(fclose(file), 0);
}

/* A damaged checkpoint is noticed, the one before is used, and a warning says so. */
START_TEST(a_damaged_checkpoint_is_passed_over)
{
    struct place place;
    char text[1024];
    place_make(&place);
    variant_spec(text, 0, "");
    struct kit whole = {.train = place.data, .threads = 1};
    kit_run(&whole, text);
    struct kit before = {.train = place.data,
                         .checkpoint = place.checkpoint,
                         .threads = 1,
                         .checkpoint_after = 10,
                         .pause_after = 25};
    kit_run(&before, text);
    damage(place.checkpoint, _i);
    struct kit after = {.train = place.data, .checkpoint = place.checkpoint, .threads = 1};
    kit_run(&after, text);
    ck_assert_str_eq(kit_text(kit_event(&after, "warning", 0), "code"), "checkpoint");
    ck_assert_double_eq(kit_number(kit_event(&after, "epoch", 0), "epoch"), 1);
    ck_assert_str_eq(kit_text(kit_event(&whole, "end", 0), "state_sha256"),
                     kit_text(kit_event(&after, "end", 0), "state_sha256"));
    kit_free(&whole);
    kit_free(&before);
    kit_free(&after);
    kit_remove(place.directory);
}
END_TEST

/* The sound one before a damaged checkpoint stays until a sound one has taken the damaged's place. */
START_TEST(a_damaged_checkpoint_pushes_nothing_out)
{
    struct place place;
    char text[1024];
    char previous[KIT_PATH_SIZE];
    place_make(&place);
    variant_spec(text, 0, "");
    struct kit before = {.train = place.data,
                         .checkpoint = place.checkpoint,
                         .threads = 1,
                         .checkpoint_after = 10,
                         .pause_after = 25};
    kit_run(&before, text);
    damage(place.checkpoint, 1000);
    struct kit again = {
        .train = place.data, .checkpoint = place.checkpoint, .threads = 1, .pause_after = 2};
    kit_run(&again, text);
    damage(place.checkpoint,
           1000); /* the newest again: the one before must be the first sound one */
    struct kit after = {.train = place.data, .checkpoint = place.checkpoint, .threads = 1};
    kit_run(&after, text);
    ck_assert_double_eq(kit_number(kit_event(&after, "epoch", 0), "epoch"), 1);
    kit_path(previous, place.directory, "checkpoint.previous");
    ck_assert_int_eq(access(previous, F_OK), 0);
    const cJSON *warning = kit_event(&after, "warning", 0);
    ck_assert_ptr_nonnull(strstr(kit_text(warning, "message"), "the one before is"));
    kit_free(&before);
    kit_free(&again);
    kit_free(&after);
    kit_remove(place.directory);
}
END_TEST

/* l2 = weight_decay/2 is the same run to the bit. */
START_TEST(l2_is_half_of_weight_decay)
{
    static const char *const pairs[][2] = {
        {"\"optimizer\":{\"lr\":0.1,\"momentum\":0.9},\"regularization\":{\"l2\":0.0005}",
         "\"optimizer\":{\"lr\":0.1,\"momentum\":0.9,\"weight_decay\":0.001}"},
        {"\"optimizer\":{\"name\":\"adam\",\"lr\":0.01},\"regularization\":{\"l2\":0.003}",
         "\"optimizer\":{\"name\":\"adam\",\"lr\":0.01,\"weight_decay\":0.006}"},
    };
    struct place place;
    place_make(&place);
    char sha[2][65];
    for (int i = 0; i < 2; i++) {
        char text[1024];
        struct kit kit = {.train = place.data, .threads = 1};
        (void)snprintf(text, sizeof(text),
                       "{\"data\":{\"target\":\"c64\"},%s,\"train\":{\"epochs\":3}}", pairs[_i][i]);
        kit_run(&kit, text);
        (void)snprintf(sha[i], sizeof(sha[i]), "%s",
                       kit_text(kit_event(&kit, "epoch", -1), "weights_sha256"));
        kit_free(&kit);
    }
    ck_assert_str_eq(sha[0], sha[1]);
    kit_remove(place.directory);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bits");
    TCase *all = tcase_create("bits");
    tcase_set_timeout(all, 300);
    tcase_add_loop_test(all, threads_tiles_and_kernels_change_nothing, 0, VARIANTS);
    tcase_add_test(all, another_seed_is_another_run);
    tcase_add_loop_test(all, any_interruption_changes_nothing, 0, VARIANTS);
    tcase_add_loop_test(all, an_interrupted_evaluation_changes_nothing, 0, VARIANTS);
    tcase_add_loop_test(all, an_interrupted_ending_stays_an_ending, 0, 3);
    tcase_add_test(all, a_stop_in_an_evaluation_ends_there);
    tcase_add_loop_test(all, a_crash_repeats_the_same_epochs, 0, VARIANTS);
    /* A byte of the header and one of the weights. */
    tcase_add_loop_test(all, a_damaged_checkpoint_is_passed_over, 9, 10);
    tcase_add_loop_test(all, a_damaged_checkpoint_is_passed_over, 1000, 1001);
    tcase_add_test(all, a_damaged_checkpoint_pushes_nothing_out);
    tcase_add_loop_test(all, l2_is_half_of_weight_decay, 0, 2);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
