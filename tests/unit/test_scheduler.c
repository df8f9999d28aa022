/* The choice of the next job, ids, and the cgroup's texts: pure functions, worked by hand. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "server/ids.h"
#include "server/resources.h"
#include "server/scheduler.h"

static const size_t none = SIZE_MAX;

static const struct {
    const char *what;
    struct ock_need waiting[3];
    size_t count;
    struct ock_budget budget;
    size_t index;
    uint32_t threads, cores;
} picks[] = {
    {"nobody waits", {{0}}, 0, {4, 4, 100, 0}, SIZE_MAX, 0, 0},
    {"alone: as many as are useful", {{10, 0, 3, 0, 0}}, 1, {4, 4, 100, 0}, 0, 3, 3},
    {"alone: as many as there are", {{10, 0, 9, 0, 0}}, 1, {4, 4, 100, 0}, 0, 4, 4},
    {"a core is left for each other",
     {{10, 0, 9, 0, 0}, {10, 0, 9, 0, 0}},
     2,
     {4, 4, 100, 0},
     0,
     3,
     3},
    {"never less than one thread",
     {{10, 0, 9, 0, 0}, {10, 0, 9, 0, 0}, {10, 0, 9, 0, 0}},
     3,
     {2, 2, 100, 0},
     0,
     1,
     1},
    {"nothing useful is one", {{10, 0, 0, 0, 0}}, 1, {4, 4, 100, 0}, 0, 1, 1},
    {"a number is obeyed beyond the cores", {{10, 7, 1, 0, 0}}, 1, {2, 2, 100, 0}, 0, 7, 2},
    {"a number waits for its cores", {{10, 2, 1, 0, 0}}, 1, {2, 1, 100, 1}, SIZE_MAX, 0, 0},
    {"but not for long", {{10, 2, 1, 0, OCK_SCHEDULE_PATIENCE_MS}}, 1, {2, 1, 100, 1}, 0, 2, 1},
    {"a moment earlier it waits",
     {{10, 2, 1, 0, OCK_SCHEDULE_PATIENCE_MS - 1}},
     1,
     {2, 1, 100, 1},
     SIZE_MAX,
     0,
     0},
    {"memory does not become more by waiting",
     {{101, 2, 1, 0, OCK_SCHEDULE_PATIENCE_MS}},
     1,
     {2, 1, 100, 1},
     SIZE_MAX,
     0,
     0},
    {"no core is free", {{10, 0, 1, 0, 0}}, 1, {2, 0, 100, 2}, SIZE_MAX, 0, 0},
    {"memory decides too", {{101, 0, 1, 0, 0}}, 1, {2, 1, 100, 1}, SIZE_MAX, 0, 0},
    {"the last byte fits", {{100, 0, 1, 0, 0}}, 1, {2, 1, 100, 1}, 0, 1, 1},
    {"alone on the machine it starts", {{101, 0, 1, 0, 0}}, 1, {2, 2, 100, 0}, 0, 1, 1},
    {"a small one passes", {{101, 0, 1, 0, 0}, {10, 0, 1, 0, 0}}, 2, {4, 2, 100, 1}, 1, 1, 1},
    {"but not for ever",
     {{101, 0, 1, OCK_SCHEDULE_PASSES_MAX, 0}, {10, 0, 1, 0, 0}},
     2,
     {4, 2, 100, 1},
     SIZE_MAX,
     0,
     0},
    {"passed often, it goes as soon as it fits",
     {{100, 0, 1, OCK_SCHEDULE_PASSES_MAX, 0}, {10, 0, 1, 0, 0}},
     2,
     {4, 2, 100, 1},
     0,
     1,
     1},
};

START_TEST(pick_is_as_worked_by_hand)
{
    struct ock_pick pick = ock_schedule_pick(picks[_i].waiting, picks[_i].count, &picks[_i].budget);
    ck_assert_msg(pick.index == picks[_i].index, "%s: index %zu", picks[_i].what, pick.index);
    if (pick.index == none)
        return;
    ck_assert_msg(pick.threads == picks[_i].threads, "%s: %u threads", picks[_i].what,
                  pick.threads);
    ck_assert_msg(pick.cores == picks[_i].cores, "%s: %u cores", picks[_i].what, pick.cores);
}
END_TEST

/* The answer names the first moment at which waiting alone changes it. */
START_TEST(pick_says_when_to_ask_again)
{
    const struct ock_budget budget = {
        .cores_total = 4, .cores_free = 1, .memory_free = 100, .running = 1};
    struct ock_need waiting[3] = {{.memory_bytes = 101, .threads = 2},
                                  {.memory_bytes = 10, .threads = 2, .waited_ms = 300},
                                  {.memory_bytes = 10, .threads = 3, .waited_ms = 500}};
    struct ock_pick pick = ock_schedule_pick(waiting, 3, &budget);
    ck_assert_uint_eq(pick.index, none);
    ck_assert_int_eq(pick.again_ms, OCK_SCHEDULE_PATIENCE_MS - 500);
    ck_assert_int_eq(ock_schedule_pick(waiting, 1, &budget).again_ms, 0); /* memory: no use */
    waiting[1].waited_ms = OCK_SCHEDULE_PATIENCE_MS;
    pick = ock_schedule_pick(waiting, 3, &budget);
    ck_assert_uint_eq(pick.index, 1);
    ck_assert_uint_eq(pick.threads, 2);
    ck_assert_uint_eq(pick.cores, 1);
}
END_TEST

/* A large job among an endless stream of small ones starts after at most PASSES_MAX of them. */
START_TEST(nobody_starves)
{
    struct ock_need waiting[2] = {{.memory_bytes = 80, .threads_useful = 1},
                                  {.memory_bytes = 30, .threads_useful = 1}};
    unsigned passes = 0;
    for (;;) {
        struct ock_budget busy = {
            .cores_total = 2, .cores_free = 1, .memory_free = 70, .running = 1};
        struct ock_pick pick = ock_schedule_pick(waiting, 2, &busy);
        if (pick.index == none)
            break;
        ck_assert_uint_eq(pick.index, 1);
        waiting[0].passed++;
        ck_assert_uint_le(++passes, OCK_SCHEDULE_PASSES_MAX);
    }
    ck_assert_uint_eq(passes, OCK_SCHEDULE_PASSES_MAX);
}
END_TEST

START_TEST(ids_grow_and_are_valid)
{
    static char ids[2000][OCK_ID_SIZE];
    for (size_t i = 0; i < 2000; i++) {
        ock_id_make(ids[i], "job_");
        ck_assert(ock_id_valid(ids[i], "job_"));
        ck_assert(!ock_id_valid(ids[i], "ds_"));
        if (i > 0)
            ck_assert_int_lt(strcmp(ids[i - 1], ids[i]), 0);
    }
    static const char *const bad[] = {"",
                                      "job_",
                                      "job_../../etc/passwd0000000000",
                                      "job_01J8ZZZZZZZZZZZZZZZZZZZZZ",   /* 25 */
                                      "job_01J8ZZZZZZZZZZZZZZZZZZZZZZZ", /* 27 */
                                      "job_01J8ZZZZZZZZZZZZZZZZZZZZZI"}; /* no I in base 32 */
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(!ock_id_valid(bad[i], "job_"), "%s", bad[i]);
}
END_TEST

START_TEST(times_are_rfc_3339)
{
    char text[OCK_TIME_TEXT_SIZE];
    ock_time_text(text, 0);
    ck_assert_str_eq(text, "1970-01-01T00:00:00.000Z");
    ock_time_text(text, INT64_C(1769850764120));
    ck_assert_str_eq(text, "2026-01-31T09:12:44.120Z");
}
END_TEST

static const struct {
    const char *text;
    unsigned cores;
} quotas[] = {{"max 100000", 0}, {"200000 100000", 2}, {"150000 100000", 1}, {"50000 100000", 1},
              {"", 0},           {"100000", 0},        {"-1 100000", 0}};

START_TEST(quota_becomes_cores)
{
    /* A negative quota reads as a huge one: never fewer cores than there are. */
    unsigned cores = ock_parse_cpu_max(quotas[_i].text);
    if (quotas[_i].text[0] == '-')
        ck_assert_uint_gt(cores, 100000);
    else
        ck_assert_uint_eq(cores, quotas[_i].cores);
}
END_TEST

START_TEST(machine_has_something)
{
    ck_assert_uint_ge(ock_cores_available(), 1);
    ck_assert_uint_gt(ock_memory_available(), (size_t)64 << 20);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scheduler");
    TCase *tcase = tcase_create("scheduler");
    tcase_add_loop_test(tcase, pick_is_as_worked_by_hand, 0,
                        (int)(sizeof(picks) / sizeof(picks[0])));
    tcase_add_test(tcase, pick_says_when_to_ask_again);
    tcase_add_test(tcase, nobody_starves);
    tcase_add_test(tcase, ids_grow_and_are_valid);
    tcase_add_test(tcase, times_are_rfc_3339);
    tcase_add_loop_test(tcase, quota_becomes_cores, 0, (int)(sizeof(quotas) / sizeof(quotas[0])));
    tcase_add_test(tcase, machine_has_something);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
