/* Goal: how far a job is, also while it searches. Method: a table worked by hand; without memory the
 * trials are left out, or the buffer says so. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc_fail.h"
#include "core/base/buf.h"
#include "server/store_progress.h"

#define TWO_AXES                                                                                   \
    "{\"l1\":{\"min\":\"auto\",\"max\":\"auto\",\"count\":3,\"scale\":\"log\"},\"l2\":null,"       \
    "\"weight_decay\":null,\"dropout\":[0,0.5],\"folds\":2,\"refit\":true}" /* 6 trials, 13 runs */

static const struct {
    struct ock_job_progress progress;
    const char *want;
} rows[] = {
    {{.epochs = 4, .eta_s = NAN}, "\"fraction\":0,\"epoch\":0,\"epochs\":4,\"eta_s\":null"},
    {{.epoch = 1, .epochs = 4, .eta_s = 2},
     "\"fraction\":0.25,\"epoch\":1,\"epochs\":4,\"eta_s\":2"},
    {{.epoch = 1, .epochs = 4, .succeeded = true, .eta_s = 0},
     "\"fraction\":1,\"epoch\":1,\"epochs\":4,\"eta_s\":0"},
    {{.eta_s = NAN}, "\"fraction\":0,\"epoch\":0,\"epochs\":0,\"eta_s\":null"},
    {{.epochs = 4, .eta_s = NAN, .tune = "{\"l2\":[1,0],\"folds\":0,\"refit\":false}"},
     "\"fraction\":0,\"epoch\":0,\"epochs\":4,\"eta_s\":null,\"trials\":{\"done\":0,\"total\":2}"},
    /* 1 of 2 runs, without a refit */
    {{.epochs = 4,
      .eta_s = NAN,
      .tune = "{\"l2\":[1,0],\"folds\":0,\"refit\":false}",
      .trials_told = 1},
     "\"fraction\":0.5,\"epoch\":0,\"epochs\":4,\"eta_s\":null,"
     "\"trials\":{\"done\":1,\"total\":2}"},
    /* (3 of 4) 3 runs of 4 and the refit: the default */
    {{.epochs = 4, .eta_s = NAN, .tune = "{\"l2\":[3,2,1,0],\"folds\":0}", .trials_told = 3},
     "\"fraction\":0.6,\"epoch\":0,\"epochs\":4,\"eta_s\":null,"
     "\"trials\":{\"done\":3,\"total\":4}"},
    /* 6.5 of 13 runs are not told by trials; 12 are, and a quarter of the refit */
    {{.epochs = 4, .eta_s = 3, .epoch = 1, .tune = TWO_AXES, .trials_told = 6},
     "\"fraction\":0.9423076923076923,\"epoch\":1,\"epochs\":4,\"eta_s\":3,"
     "\"trials\":{\"done\":6,\"total\":6}"},
    /* stopped after one: the refit tells that the search is over */
    {{.epochs = 4, .eta_s = 3, .epoch = 4, .tune = TWO_AXES, .trials_told = 1},
     "\"fraction\":1,\"epoch\":4,\"epochs\":4,\"eta_s\":3,"
     "\"trials\":{\"done\":1,\"total\":6}"},
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

START_TEST(how_far)
{
    struct ock_buf out, want;
    ock_buf_init(&out, 4096);
    ock_buf_init(&want, 4096);
    struct ock_jsonw w = ock_jsonw_make(&out);
    ock_jsonw_object(&w, NULL);
    ock_job_progress_write(&w, &rows[_i].progress);
    ock_jsonw_end_object(&w);
    ock_buf_printf(&want, "{\"progress\":{%s}}", rows[_i].want);
    ck_assert_str_eq(out.data, want.data);
    ock_buf_deinit(&out);
    ock_buf_deinit(&want);
}
END_TEST

START_TEST(without_memory)
{
    const struct ock_job_progress progress = {.epochs = 4, .eta_s = NAN, .tune = TWO_AXES};
    if (!ALLOC_CAN_FAIL)
        return;
    for (long n = 0;; n++) {
        struct ock_buf out;
        ock_buf_init(&out, 4096);
        alloc_fail_after(n);
        struct ock_jsonw w = ock_jsonw_make(&out);
        ock_jsonw_object(&w, NULL);
        ock_job_progress_write(&w, &progress);
        ock_jsonw_end_object(&w);
        bool failed = alloc_fail_stop();
        bool told = out.data && strstr(out.data, "\"total\":6");
        bool whole = out.data && strstr(out.data, "\"eta_s\":null");
        if (!failed)
            ck_assert(told);
        else
            ck_assert(out.failed || (whole && !told));
        ock_buf_deinit(&out);
        if (!failed)
            break;
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("progress");
    TCase *all = tcase_create("all");
    tcase_add_loop_test(all, how_far, 0, ROWS);
    tcase_add_test(all, without_memory);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
