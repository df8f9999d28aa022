/* Goal: what stands in the picture of a job's curves stands where its numbers say, and nothing that a
 * name may hold breaks it. Method: pixels computed by hand; shapes as a table; jobs in a store, from
 * none of anything to more epochs than can be shown; every allocation failing in turn. */
#include "server/chart.h"

#include <math.h>

#include "alloc_fail.h"
#include "core/base/limits.h"
#include "store_kit.h"

static const double epochs[] = {1, 2, 3, 4, 5};

static struct ock_chart job(size_t count, const double *train, const double *validation)
{
    return (struct ock_chart){
        .id = "job_1",
        .name = "a name",
        .status = "running",
        .epochs = 20,
        .best = (double)NAN,
        .best_value = (double)NAN,
        .count = count,
        .epoch = epochs,
        .lines = {[OCK_CHART_TRAIN_LOSS] = train, [OCK_CHART_VALID_LOSS] = validation},
    };
}

/* The caller's (free). */
static char *draw(const struct ock_chart *chart)
{
    struct ock_buf out;
    struct ock_err err = {0};
    ock_buf_init(&out, OCK_MIB);
    ck_assert_msg(ock_chart_svg(chart, &out, &err) == OCK_OK, "%s", err.text);
    char *svg = ock_buf_take(&out);
    ck_assert_int_eq(strncmp(svg, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"", 49), 0);
    ck_assert_str_eq(svg + strlen(svg) - 7, "</svg>\n");
    ck_assert_ptr_null(strstr(svg, "d=\"\""));
    ck_assert_ptr_null(strstr(svg, "nan"));
    ck_assert_ptr_null(strstr(svg, "inf"));
    return svg;
}

static void assert_has(const char *svg, const char *piece)
{
    ck_assert_msg(strstr(svg, piece) != NULL, "no %s in\n%s", piece, svg);
}

static void assert_has_not(const char *svg, const char *piece)
{
    ck_assert_msg(strstr(svg, piece) == NULL, "there is %s in\n%s", piece, svg);
}

static size_t count_of(const char *text, const char *piece)
{
    size_t found = 0;
    for (const char *at = strstr(text, piece); at; at = strstr(at + 1, piece))
        found++;
    return found;
}

/* --- Places ------------------------------------------------------------------------------------ */

/* The frame is 78 to 736 by 86 to 350. Epochs go from 92 to 722. With a best epoch, values go from
 * 340 up to 112: 0.75 is half of the way from 0.5 to 1, 0.6 a fifth of it: 340 - 45.6. */
START_TEST(numbers_at_their_pixels)
{
    static const double train[] = {1, 0.5}, validation[] = {0.75, 0.6}, rates[] = {0.1, 0.05};
    struct ock_chart chart = job(2, train, validation);
    chart.best = 2;
    chart.best_value = 0.6;
    chart.metric = "validation.data_loss";
    chart.lines[OCK_CHART_LR] = rates;
    char *svg = draw(&chart);
    assert_has(svg, "<path class=\"s5 line\" d=\"M92.0 112.0L722.0 340.0\"/>");
    assert_has(svg, "<path class=\"s0 line\" d=\"M92.0 226.0L722.0 294.4\"/>");
    assert_has(svg, "<circle class=\"ring\" cx=\"722.0\" cy=\"294.4\"");
    assert_has(svg, "<path class=\"choice\" d=\"M722.0 86V350\"/>");
    assert_has(svg, "text-anchor=\"end\" x=\"717.0\" y=\"102\">best: epoch 2</text>");
    assert_has(svg, "cx=\"92.0\" cy=\"226.0\" r=\"3.0\"><title>epoch 1: 0.75</title>");
    assert_has(svg, "text-anchor=\"start\" x=\"78.0\" y=\"77\">lr 0.1</text>");
    assert_has(svg, "text-anchor=\"middle\" x=\"722.0\" y=\"77\">lr 0.05</text>");
    assert_has(svg, ">running · epoch 2 of 20 · best: epoch 2, validation.data_loss 0.6</text>");
    assert_has(svg, "The last validation data_loss is 0.6.</desc>");
    assert_has_not(svg, "1.5</text>"); /* no half epochs */
    free(svg);
}
END_TEST

/* Below the losses (to 350) stand 108 pixels of accuracy, from 366, and 76 of the penalty, from 490.
 * Accuracies 0.5 to 1 go from 464 up to 376; penalties 1 to 100, on a log axis, from 556 to 500. */
START_TEST(panels_below_one_another)
{
    static const double train[] = {1, 0.5, 0.5}, right[] = {0.5, 1, 0.75}, penalty[] = {100, 1, 10};
    struct ock_chart chart = job(3, train, NULL);
    chart.lines[OCK_CHART_TRAIN_SCORE] = right;
    chart.lines[OCK_CHART_PENALTY] = penalty;
    char *svg = draw(&chart);
    assert_has(svg, "<path class=\"s5 line\" d=\"M92.0 464.0L407.0 376.0L722.0 420.0\"/>");
    assert_has(svg, "<path class=\"s7 line\" d=\"M92.0 500.0L407.0 556.0L722.0 528.0\"/>");
    assert_has(svg, ">accuracy</text>");
    assert_has(svg, ">penalty (L1 + L2)</text>");
    assert_has(svg, "y=\"585\">3</text>"); /* the epochs stand below the last */
    assert_has_not(svg, "validation");
    assert_has_not(svg, "class=\"ring\"");
    chart.numbers = true;
    free(svg);
    svg = draw(&chart);
    assert_has(svg, ">rmse</text>");
    free(svg);
}
END_TEST

/* 0.01 to 1 on a log axis: 340 up to 96, and 0.1 in their middle. */
START_TEST(far_losses_are_on_a_log_axis)
{
    static const double train[] = {1, 0.1, 0.01};
    struct ock_chart chart = job(3, train, NULL);
    char *svg = draw(&chart);
    assert_has(svg, "d=\"M92.0 96.0L407.0 218.0L722.0 340.0\"/>");
    free(svg);
}
END_TEST

/* The axis ends at a hundredth of the least validation loss: 0.01 to 1. */
START_TEST(training_may_leave_the_frame)
{
    static const double train[] = {1, 0.1, 1e-9}, validation[] = {1, 1, 1};
    struct ock_chart chart = job(3, train, validation);
    char *svg = draw(&chart);
    assert_has(svg, "<path class=\"s5 line\" d=\"M92.0 96.0L407.0 218.0L722.0 1194.0\"/>");
    assert_has(svg, "<g clip-path=\"url(#ock-panel-0)\">");
    free(svg);
}
END_TEST

/* A gap, a cross at the floor, and a mark for what stands between two gaps. */
START_TEST(what_is_not_finite)
{
    static const double train[] = {4, 3, 2, 1, 2};
    static const double holes[] = {2, (double)NAN, 3, (double)INFINITY, (double)NAN};
    struct ock_chart chart = job(5, train, holes);
    char *svg = draw(&chart);
    assert_has(svg, "<path class=\"s0 line\" d=\"M92.0 249.3M407.0 172.7\"/>");
    assert_has(svg, "<path class=\"fail\" d=\"M246.0 335l7 7m0 -7l-7 7\"/>");
    assert_has(svg, ">not finite (3)</text>");
    ck_assert_uint_eq(count_of(svg, "class=\"s0 dot\""), 2);
    free(svg);
}
END_TEST

/* --- Shapes ------------------------------------------------------------------------------------ */

static const double ones[] = {1, 1, 1, 1, 1}, zeros[] = {0, 0, 0, 0, 0},
                    huge[] = {1e300, 1e-300, 0, 1, 2}, none[] = {NAN, NAN, NAN, NAN, NAN};
static const struct {
    size_t count;
    const double *train;
    bool search, ended;
    const char *reason, *says;
} shapes[] = {
    {0, NULL, false, false, NULL, ">no epoch has ended yet</text>"},
    {0, NULL, false, true, "nonfinite", ">running (nonfinite)</text>"},
    {0, NULL, false, true, NULL, ">no epoch has ended</text>"},
    {0, NULL, true, false, NULL, ">the search for the strength comes first</text>"},
    {0, NULL, true, false, NULL, ">its picture: /v1/jobs/job_1/tuning?format=svg</text>"},
    {0, NULL, true, true, NULL, ">no model was trained with the strength that was chosen</text>"},
    {1, ones, false, false, "epochs", ">running · epoch 1 of 20</text>"},
    {1, ones, true, false, NULL, "cx=\"407.0\""},
    {5, ones, false, false, NULL, ">5</text>"},
    {5, zeros, false, false, NULL, ">0</text>"},
    {5, huge, false, false, NULL, "class=\"s5 line\""},
    {5, none, false, false, NULL, ">no loss is finite</text>"},
};

START_TEST(every_shape_is_a_picture)
{
    struct ock_chart chart = job(shapes[_i].count, shapes[_i].train, NULL);
    chart.search = shapes[_i].search;
    chart.ended = shapes[_i].ended;
    chart.reason = shapes[_i].reason;
    char *svg = draw(&chart);
    assert_has(svg, shapes[_i].says);
    free(svg);
}
END_TEST

START_TEST(names_cannot_break_it)
{
    struct ock_chart chart = job(1, ones, ones);
    chart.name = "</text><script>&\"'\a";
    char *svg = draw(&chart);
    assert_has(svg, "y=\"32\">&lt;/text&gt;&lt;script&gt;&amp;&quot;&#39;\xef\xbf\xbd</text>");
    assert_has(svg, "<title id=\"ock-title\">Learning curves: &lt;/text&gt;");
    assert_has_not(svg, "<script");
    free(svg);
}
END_TEST

/* A schedule that never rests has no marks. */
START_TEST(rates_that_change_too_often)
{
    enum { COUNT = 40 };
    double axis[COUNT], rates[COUNT];
    for (int i = 0; i < COUNT; i++) {
        axis[i] = i + 1;
        rates[i] = 1.0 / (1 + i / 3); /* 13 changes */
    }
    struct ock_chart chart = job(COUNT, axis, NULL);
    chart.epoch = axis;
    chart.lines[OCK_CHART_LR] = rates;
    char *svg = draw(&chart);
    assert_has_not(svg, ">lr ");
    free(svg);
    chart.count = COUNT - 1; /* 12 */
    svg = draw(&chart);
    assert_has(svg, ">lr 0.5</text>");
    free(svg);
    for (int i = 0; i < COUNT; i++)
        rates[i] = 1.0 / (1 + i);
    chart.count = 10; /* 9 changes, at most epochs */
    svg = draw(&chart);
    assert_has_not(svg, ">lr ");
    free(svg);
}
END_TEST

START_TEST(every_allocation_fails_in_turn)
{
    struct ock_chart chart = job(5, epochs, ones);
    for (long n = 0;; n++) {
        struct ock_buf out;
        struct ock_err err = {0};
        ock_buf_init(&out, OCK_MIB);
        alloc_fail_after(n);
        enum ock_status status = ock_chart_svg(&chart, &out, &err);
        bool failed = alloc_fail_stop();
        ock_buf_deinit(&out);
        ck_assert_int_eq(status, failed ? OCK_NOMEM : OCK_OK);
        if (!failed)
            break;
    }
}
END_TEST

/* --- Jobs in a store --------------------------------------------------------------------------- */

static enum ock_status read_chart(const char *id, size_t points, struct ock_buf *out)
{
    struct ock_err err = {0};
    struct ock_db *db = ock_store_read(kit_store, &err);
    ck_assert_msg(db != NULL, "%s", err.text);
    enum ock_status status = ock_chart_read(db, id, points, out, &err);
    ock_store_read_end(kit_store, db);
    return status;
}

/* Losses that fall, the best of them in the middle of all. */
static void tell_epochs(int64_t number, int count, int best)
{
    struct ock_event_line *lines = calloc((size_t)count, sizeof(*lines));
    char(*texts)[2][320] = calloc((size_t)count, sizeof(*texts));
    for (int i = 0; i < count; i++) {
        (void)snprintf(texts[i][0], sizeof(texts[i][0]), "epoch:%d", i + 1);
        (void)snprintf(texts[i][1], sizeof(texts[i][1]),
                       "{\"epoch\":%d,\"epochs\":%d,\"step\":%d,"
                       "\"train\":{\"data_loss\":%g,\"accuracy\":0.5},"
                       "\"validation\":{\"data_loss\":%g,\"accuracy\":0.5},"
                       "\"penalty\":{\"l1\":0,\"l2\":0.5},\"lr\":0.1,"
                       "\"best\":{\"epoch\":%d,\"metric\":\"validation.data_loss\",\"value\":1}}",
                       i + 1, count, i + 1, 1.0 / (i + 1), 2.0, i + 1 < best ? i + 1 : best);
        lines[i] = (struct ock_event_line){"epoch", texts[i][0], texts[i][1]};
    }
    kit_append(number, "job_1", lines, (size_t)count);
    free(texts);
    free(lines);
}

START_TEST(a_job_is_thinned_out)
{
    struct ock_buf out;
    ock_buf_init(&out, OCK_MIB);
    kit_setup();
    ck_assert_int_eq(read_chart("job_1", 10, &out), OCK_NOTFOUND);
    int64_t number = kit_insert("job_1");
    ck_assert_int_eq(read_chart("job_1", 10, &out), OCK_OK);
    assert_has(out.data, ">no epoch has ended yet</text>");
    tell_epochs(number, 101, 48);
    ock_buf_clear(&out);
    ck_assert_int_eq(read_chart("job_1", 11, &out), OCK_OK);
    ck_assert_uint_eq(count_of(out.data, "<title>epoch "), 5 * 11);
    assert_has(out.data, "<title>epoch 1: ");
    assert_has(out.data, "<title>epoch 101: ");
    assert_has(out.data, "<title>epoch 48: "); /* the best, in place of 51 */
    assert_has_not(out.data, "<title>epoch 51: ");
    assert_has(out.data, ">best: epoch 48</text>");
    assert_has(out.data, "epoch 101 of ");
    ock_buf_deinit(&out);
    kit_teardown();
}
END_TEST

/* A picture is whole or it is an error: a curve for which there was no memory is not left out. */
START_TEST(every_allocation_of_a_reading_fails_in_turn)
{
    struct ock_buf whole, out;
    long n = 0;
    ock_buf_init(&whole, OCK_MIB);
    ock_buf_init(&out, OCK_MIB);
    kit_setup();
    tell_epochs(kit_insert("job_1"), 5, 2);
    ck_assert_int_eq(read_chart("job_1", 3, &whole), OCK_OK);
    struct ock_err err = {0};
    struct ock_db *db = ock_store_read(kit_store, &err);
    for (bool failed = true; failed; n++) {
        ock_buf_clear(&out);
        alloc_fail_after(n);
        enum ock_status status = ock_chart_read(db, "job_1", 3, &out, &err);
        failed = alloc_fail_stop();
        ck_assert(failed || status == OCK_OK);
        ck_assert_msg(status != OCK_OK || strcmp(out.data, whole.data) == 0, "allocation %ld", n);
    }
    ck_assert_int_gt(n, 20);
    ock_store_read_end(kit_store, db);
    kit_teardown();
    ock_buf_deinit(&out);
    ock_buf_deinit(&whole);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("chart");
    TCase *t = tcase_create("chart");
    tcase_add_test(t, numbers_at_their_pixels);
    tcase_add_test(t, panels_below_one_another);
    tcase_add_test(t, far_losses_are_on_a_log_axis);
    tcase_add_test(t, training_may_leave_the_frame);
    tcase_add_test(t, what_is_not_finite);
    tcase_add_loop_test(t, every_shape_is_a_picture, 0, sizeof(shapes) / sizeof(shapes[0]));
    tcase_add_test(t, names_cannot_break_it);
    tcase_add_test(t, rates_that_change_too_often);
    if (ALLOC_CAN_FAIL)
        tcase_add_test(t, every_allocation_fails_in_turn);
    if (ALLOC_CAN_FAIL)
        tcase_add_test(t, every_allocation_of_a_reading_fails_in_turn);
    tcase_add_test(t, a_job_is_thinned_out);
    suite_add_tcase(suite, t);
    return kit_run(suite);
}
