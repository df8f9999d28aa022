/* Goal: the terminal's curves stand where their numbers say, and every line fits. Method: a picture
 * worked out by hand, character by character; dots of braille; shapes and sizes as tables; every
 * allocation failing in turn. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc_fail.h"
#include "clients/cli/canvas.h"
#include "clients/cli/chart.h"
#include "core/base/limits.h"

static const struct cli_term ascii = {0}, unicode = {.utf8 = true},
                             coloured = {.tty = true, .colour = true, .utf8 = true};

/* Losses from 1 down to 0 by `count` equal steps, validation losses 1 above them, the best one last
 * but one. */
static struct cli_chart make(size_t count, bool validation)
{
    struct cli_chart chart;
    cli_chart_init(&chart);
    for (size_t i = 0; i < count; i++) {
        double loss = count > 1 ? 1 - (double)i / (double)(count - 1) : 1;
        cli_chart_add(&chart, (double)i + 1, loss, validation ? loss + 1 : (double)NAN);
    }
    chart.best = (double)count - 1;
    return chart;
}

/* The caller's (free). */
static char *text_of(const struct cli_chart *chart, const struct cli_term *term, size_t columns,
                     size_t lines, bool status, size_t *written)
{
    struct ock_buf out;
    ock_buf_init(&out, OCK_MIB);
    *written = cli_chart_write(chart, term, columns, lines, status, &out);
    return ock_buf_take(&out);
}

/* Sixteen columns, of which four are labels and one the axis; five rows. Epochs are at 0, 5 and 10,
 * losses at 0, 2 and 4. Of the ticks 0.4 is nearest to the middle row (2.4). */
START_TEST(a_picture_by_hand)
{
    size_t lines;
    struct cli_chart chart = make(3, false);
    char *text = text_of(&chart, &ascii, 16, 9, false, &lines);
    ck_assert_str_eq(text, "data loss\n"
                           "1.0 +..\n"
                           "    |  ..\n"
                           "0.4 +    ...\n"
                           "    |       ..\n"
                           "  0 +         ..\n"
                           "    ++----+----+\n"
                           "     1    2    3\n"
                           ". train 0\n");
    ck_assert_uint_eq(lines, 9);
    free(text);
    cli_chart_deinit(&chart);
}
END_TEST

START_TEST(dots_of_braille)
{
    struct cli_canvas canvas;
    struct ock_buf out;
    ock_buf_init(&out, OCK_KIB);
    ck_assert(cli_canvas_init(&canvas, 3, 1, &coloured));
    ck_assert_uint_eq(cli_canvas_width(&canvas), 6);
    ck_assert_uint_eq(cli_canvas_height(&canvas), 4);
    cli_canvas_line(&canvas, 0, 0, 3, 3, CLI_INK_TRAIN);
    cli_canvas_line(&canvas, 2, -1e300, 2, 1e300, CLI_INK_VALIDATION); /* 2847: all four of it */
    cli_canvas_line(&canvas, -9, 2, -1, 2, CLI_INK_BEST);              /* outside */
    cli_canvas_mark(&canvas, 5, 0, CLI_INK_BEST);
    cli_canvas_write(&canvas, 0, &coloured, &out);
    ck_assert_str_eq(out.data, "\033[33m⠑\033[0m\033[36m⣇\033[0m\033[1m◆\033[0m");
    ock_buf_deinit(&out);
    cli_canvas_deinit(&canvas);
}
END_TEST

START_TEST(the_best_is_marked)
{
    size_t lines;
    struct cli_chart chart = make(5, true);
    char *text = text_of(&chart, &unicode, 70, 12, true, &lines);
    ck_assert_ptr_nonnull(strstr(text, "· train 0   • valid 1.0000   ◆ best: epoch 4, 1.2500\n"));
    ck_assert_ptr_nonnull(strstr(text, "•◆"));
    ck_assert_ptr_null(strchr(text, '\033'));
    free(text);
    text = text_of(&chart, &unicode, 50, 12, true, &lines); /* no room for its loss */
    ck_assert_ptr_nonnull(strstr(text, "◆ best: epoch 4\n"));
    free(text);
    cli_chart_deinit(&chart);
}
END_TEST

/* Gaps are gaps, and one value alone is a mark. */
START_TEST(what_is_not_finite)
{
    size_t lines;
    struct cli_chart chart;
    cli_chart_init(&chart);
    for (int i = 1; i <= 5; i++)
        cli_chart_add(&chart, i, i % 2 ? 1 : (double)NAN, (double)NAN);
    char *text = text_of(&chart, &ascii, 17, 0, false, &lines);
    ck_assert_ptr_nonnull(strstr(text, ".    .    .\n"));
    free(text);
    cli_chart_deinit(&chart);
    cli_chart_init(&chart);
    cli_chart_add(&chart, 1, (double)INFINITY, (double)NAN);
    text = text_of(&chart, &ascii, 40, 0, false, &lines);
    ck_assert_ptr_nonnull(strstr(text, "data loss over epochs\n"));
    free(text);
    cli_chart_deinit(&chart);
}
END_TEST

START_TEST(what_is_told_of_a_job_at_work)
{
    size_t lines;
    struct cli_chart chart;
    cli_chart_init(&chart);
    char *text = text_of(&chart, &ascii, 40, 20, true, &lines);
    ck_assert_str_eq(text, "no epoch yet\n");
    ck_assert_uint_eq(lines, 1);
    free(text);
    cJSON *event = cJSON_Parse("{\"epoch\":3,\"epochs\":20,\"train\":{\"data_loss\":0.5},"
                               "\"validation\":{\"data_loss\":0.75},\"best\":{\"epoch\":3},"
                               "\"eta_s\":4.5}");
    cJSON *progress = cJSON_Parse("{\"epoch\":4,\"fraction\":0.45}");
    cli_chart_progress(&chart, progress);
    text = text_of(&chart, &ascii, 40, 20, true, &lines);
    ck_assert_str_eq(text, "epoch 4: 45%\n");
    free(text);
    cli_chart_epoch(&chart, event);
    text = text_of(&chart, &ascii, 60, 20, true, &lines);
    ck_assert_ptr_nonnull(strstr(text, "\nepoch 3/20   4.50 s left\n"));
    free(text);
    cli_chart_progress(&chart, progress);
    text = text_of(&chart, &ascii, 60, 20, true, &lines);
    ck_assert_ptr_nonnull(strstr(text, "epoch 4/20: 45%   4.50 s left\n"));
    ck_assert_ptr_nonnull(strstr(text, "@ best: epoch 3, 0.7500\n"));
    free(text);
    cJSON_Delete(event);
    cJSON_Delete(progress);
    cli_chart_deinit(&chart);
}
END_TEST

static const struct {
    size_t count, columns, lines;
} sizes[] = {{1, 19, 5},   {2, 19, 24},    {3, 40, 9},      {30, 79, 23},
             {99, 59, 23}, {500, 200, 60}, {10000, 79, 23}, {12345, 30, 12}};

START_TEST(every_line_fits)
{
    static const struct cli_term *const terms[] = {&ascii, &unicode};
    for (size_t t = 0; t < 2; t++) {
        size_t lines, seen = 0;
        struct cli_chart chart = make(sizes[_i].count, true);
        char *text = text_of(&chart, terms[t], sizes[_i].columns, sizes[_i].lines, true, &lines);
        for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1, seen++) {
            *end = '\0';
            ck_assert_msg(cli_text_width(line) <= sizes[_i].columns, "%zu: %s",
                          cli_text_width(line), line);
        }
        ck_assert_uint_eq(seen, lines);
        ck_assert(lines <= sizes[_i].lines || lines == 9); /* the least */
        free(text);
        cli_chart_deinit(&chart);
    }
}
END_TEST

/* Of the chart's own memory: an end at the epoch it was at; of the drawing's: nothing is drawn. */
START_TEST(every_allocation_fails_in_turn)
{
    struct cli_chart chart = make(64, true);
    alloc_fail_after(0);
    cli_chart_add(&chart, 65, 1, 1);
    ck_assert(alloc_fail_stop());
    ck_assert(chart.failed && chart.count == 64);
    for (long n = 0;; n++) {
        struct ock_buf out;
        ock_buf_init(&out, OCK_MIB);
        alloc_fail_after(n);
        size_t lines = cli_chart_write(&chart, &coloured, 79, 23, true, &out);
        bool failed = alloc_fail_stop();
        ock_buf_deinit(&out);
        ck_assert_uint_eq(lines, failed ? 0 : 23);
        if (!failed)
            break;
    }
    cli_chart_deinit(&chart);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli_chart");
    TCase *t = tcase_create("chart");
    tcase_add_test(t, a_picture_by_hand);
    tcase_add_test(t, dots_of_braille);
    tcase_add_test(t, the_best_is_marked);
    tcase_add_test(t, what_is_not_finite);
    tcase_add_test(t, what_is_told_of_a_job_at_work);
    tcase_add_loop_test(t, every_line_fits, 0, sizeof(sizes) / sizeof(sizes[0]));
    if (ALLOC_CAN_FAIL)
        tcase_add_test(t, every_allocation_fails_in_turn);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
