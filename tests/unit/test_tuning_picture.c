/* Goal: what stands in the picture of a search stands where its numbers say, and nothing that a name
 * may hold breaks it. Method: ticks and pixels computed by hand; names as a table; the shapes that
 * tables have, from none of anything to more than can be shown. */
#include "server/tuning_svg.h"
#include "tuning_kit.h"

struct row {
    double l2, mean, error; /* error < 0: null */
    const char *status;
};

/* A table of l2 alone; head is what goes in front of the trials. The caller's (free). */
static char *table(const char *head, size_t count, const struct row *rows)
{
    struct ock_buf json;
    ock_buf_init(&json, OCK_MIB);
    ock_buf_printf(&json, "{%s\"trials\":[", head);
    for (size_t i = 0; i < count; i++) {
        const struct row *row = &rows[i];
        ock_buf_printf(&json, "%s{\"l1\":0,\"l2\":%g,\"status\":\"%s\"", i > 0 ? "," : "", row->l2,
                       row->status);
        if (strcmp(row->status, "failed") != 0)
            ock_buf_printf(&json, ",\"mean_data_loss\":%g", row->mean);
        if (row->error >= 0)
            ock_buf_printf(&json, ",\"standard_error\":%g", row->error);
        ock_buf_puts(&json, "}");
    }
    ock_buf_puts(&json, "]}");
    return ock_buf_take(&json);
}

/* The picture of such a table. */
static char *draw(const char *head, size_t count, const struct row *rows)
{
    char *json = table(head, count, rows), *svg = kit_svg(json, "a name");
    free(json);
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

static size_t count(const char *text, const char *piece)
{
    size_t found = 0;
    for (const char *at = strstr(text, piece); at; at = strstr(at + 1, piece))
        found++;
    return found;
}

/* --- Axes -------------------------------------------------------------------------------------- */

static const struct {
    bool log;
    double low, high;
    const char *majors;
    size_t minors;
} axes[] = {
    {false, 0, 1, "0 0.2 0.4 0.6 0.8 1.0", 0},
    {false, 0.313, 0.588, "0.35 0.40 0.45 0.50 0.55", 0},
    {false, -1, 1, "-1.0 -0.5 0 0.5 1.0", 0},
    {false, 12, 950, "200 400 600 800", 0},
    {false, 5, 5, "4.6 4.8 5.0 5.2 5.4", 0},
    {false, 0, 0, "-0.4 -0.2 0 0.2 0.4", 0},
    {false, 1e-7, 3e-7, "1e-07 1.5e-07 2e-07 2.5e-07 3e-07", 0},
    {false, 0, 2e6, "0 5e+05 1e+06 1.5e+06 2e+06", 0},
    {true, 1e-6, 1e-1, "^−6 ^−5 ^−4 ^−3 ^−2 ^−1", 40},
    {true, 1e-3, 1, "0.001 0.01 0.1 1", 24},
    {true, 0.2, 0.9, "0.2 0.5", 6},
    {true, 1, 1, "0.5 1 2", 6},
    {true, 0.02, 1, "0.02 0.05 0.1 0.2 0.5 1", 12},
    {true, 2, 4, "2.0 2.5 3.0 3.5 4.0", 0},
    {true, 1e-12, 1e6, "^−12 ^−9 ^−6 ^−3 ^0 ^3 ^6", 12},
};

START_TEST(ticks_are_round)
{
    struct ock_tick ticks[OCK_TICKS_MAX];
    struct ock_axis axis = ock_axis_make(axes[_i].log, axes[_i].low, axes[_i].high, 0, 100);
    struct ock_buf majors;
    size_t minors = 0, total = ock_axis_ticks(&axis, ticks);
    ock_buf_init(&majors, OCK_KIB);
    for (size_t i = 0; i < total; i++) {
        double at = ock_axis_at(&axis, ticks[i].value);
        ck_assert_msg(at >= -1e-6 && at <= 100 + 1e-6, "a tick at %g", at);
        ck_assert(i == 0 || at > ock_axis_at(&axis, ticks[i - 1].value));
        minors += !ticks[i].major;
        if (ticks[i].major)
            ock_buf_printf(&majors, "%s%s%s", majors.size > 0 ? " " : "",
                           ticks[i].is_power ? "^" : "", ticks[i].text);
    }
    ck_assert_str_eq(majors.data, axes[_i].majors);
    ck_assert_uint_eq(minors, axes[_i].minors);
    ock_buf_deinit(&majors);
}
END_TEST

/* --- Places ------------------------------------------------------------------------------------ */

/* The frame's values reach from 118 to 696 and from 374 up to 138. Losses with their errors are 0.4
 * to 0.8: 0.5 is a quarter of the way up, at 374 - 59, and 0.7 three of them. */
START_TEST(numbers_at_their_pixels)
{
    static const struct row rows[] = {{0.1, 0.7, 0.1, "succeeded"}, {0.01, 0.5, 0.1, "succeeded"}};
    char *svg = draw("\"rule\":\"1se\",\"folds\":5,\"min\":{\"trial\":2},\"one_se\":{\"trial\":1},"
                     "\"chosen\":{\"trial\":1},",
                     2, rows);
    assert_has(svg, "<path class=\"s0 line\" d=\"M118.0 315.0L696.0 197.0\"/>");
    assert_has(svg, "M115.0 256.0h6m-3 0V374.0m-3 0h6M693.0 138.0h6m-3 0V256.0m-3 0h6");
    assert_has(svg, "<path class=\"choice\" d=\"M118.0 108V396\"/>"
                    "<text class=\"small\" text-anchor=\"end\" x=\"114.0\" y=\"124\">min</text>");
    assert_has(svg, "<path class=\"choice chosen\" d=\"M696.0 108V396\"/>"
                    "<text class=\"small bold\" text-anchor=\"start\" x=\"700.0\" y=\"124\">1se<");
    assert_has(svg, "5-fold cross-validation · 2 strengths · 1se chose l2 = 0.1</text>");
    assert_has(svg, "The least is 0.5, at l2 = 0.01.");
    ck_assert_uint_eq(count(svg, "class=\"ring\""), 2);
    free(svg);
}
END_TEST

/* 0 stands at 118, apart from the others, which begin at 176; no line crosses the break. */
START_TEST(zero_has_a_place_of_its_own)
{
    static const struct row rows[] = {
        {0.1, 0.8, 0, "succeeded"}, {0.01, 0.4, 0, "succeeded"}, {0, 0.6, 0, "succeeded"}};
    char *svg = draw("", 3, rows);
    assert_has(svg, "<path class=\"s0 line\" d=\"M118.0 256.0M176.0 374.0L696.0 138.0\"/>");
    assert_has(svg, "text-anchor=\"middle\" x=\"118.0\" y=\"415\">0</text>");
    free(svg);
}
END_TEST

/* Failed: a gap and a cross. Ended: hollow, and not on the line. */
START_TEST(trials_that_did_not_succeed)
{
    static const struct row rows[] = {{1, 0.8, -1, "succeeded"},
                                      {0.1, 0, -1, "failed"},
                                      {0.01, 0.4, -1, "succeeded"},
                                      {0.001, 0.6, -1, "ended"},
                                      {0.0001, 0.4, -1, "succeeded"}};
    char *svg = draw("\"status\":\"running\",\"trials_total\":9,", 5, rows);
    assert_has(svg, "<path class=\"s0 line\" d=\"M118.0 374.0L407.0 374.0M696.0 138.0\"/>");
    assert_has(svg, "class=\"s0 hollow\" cx=\"262.5\" cy=\"256.0\"");
    assert_has(svg, "failed (1)</text>");
    assert_has(svg, "ended early (1)</text>");
    assert_has(svg, "l2 = 0.1: failed</title><path class=\"fail\" d=\"M548.0 381.5");
    assert_has(svg, "5 of 9 strengths so far");
    assert_has_not(svg, "standard error");
    assert_has_not(svg, "d=\"\"");
    free(svg);
}
END_TEST

/* Losses apart by more than eight times: powers of ten upwards, from 1 at 374 to 100 at 138. */
START_TEST(far_losses_are_on_a_log_axis)
{
    static const struct row rows[] = {{1, 100, -1, "succeeded"}, {0.1, 1, -1, "succeeded"}};
    char *svg = draw("", 2, rows);
    assert_has(svg, "y=\"260.0\">10</text>");
    free(svg);
}
END_TEST

/* Training that is far below all validation leaves the frame instead of pressing it flat. */
START_TEST(training_may_leave_the_frame)
{
    char *svg =
        kit_svg("{\"trials\":[{\"l1\":0,\"l2\":1,\"mean_data_loss\":100,\"train_data_loss\":100,"
                "\"status\":\"succeeded\"},{\"l1\":0,\"l2\":0.1,\"mean_data_loss\":1,"
                "\"train_data_loss\":1e-9,\"status\":\"succeeded\"}]}",
                "deep");
    const char *line = strstr(svg, "<g clip-path=\"url(#ock-frame)\">\n<path class=\"train\"");
    ck_assert_ptr_nonnull(line);
    ck_assert_uint_eq(count(svg, "class=\"traindot\""), 2); /* one in the legend */
    /* The axis goes down to a quarter of the least validation loss: lg 0.25 to lg 100. */
    assert_has(svg, "<path class=\"s0 line\" d=\"M118.0 319.4L696.0 138.0\"/>");
    free(svg);
}
END_TEST

/* --- Series ------------------------------------------------------------------------------------ */

static char *grid_json(int l1_count, int l2_count, int chosen)
{
    struct ock_buf json;
    ock_buf_init(&json, OCK_MIB);
    ock_buf_printf(&json,
                   "{\"rule\":\"min\",\"chosen\":{\"trial\":%d},\"min\":{\"trial\":%d},"
                   "\"trials\":[",
                   chosen, chosen);
    for (int i = 0; i < l1_count; i++)
        for (int k = 0; k < l2_count; k++)
            ock_buf_printf(&json,
                           "%s{\"l1\":%d,\"l2\":%d,\"mean_data_loss\":%d,\"zeros\":%d,\"count\":20,"
                           "\"train_data_loss\":1,\"status\":\"succeeded\"}",
                           i + k > 0 ? "," : "", l1_count - i, l2_count - k, i + k + 1, k);
    ock_buf_puts(&json, "]}");
    return ock_buf_take(&json);
}

static const struct {
    int l1_count, l2_count, chosen;
    size_t curves;
    const char *names[4];
} grids[] = {
    {1, 3, 1, 1, {"validation</text>", "l2 (lambda)"}},
    {3, 1, 1, 1, {"validation</text>", "l1 (alpha)"}},
    {3,
     4,
     5,
     3,
     {"l1 = 1</text>", "l1 = 3</text>", "training, l1 = 2", "min chose l1 = 2, l2 = 4"}},
    {8, 2, 1, 8, {"l1 = 8</text>", "non-zero weights, for l1 = 8"}},
    {20, 2, 1, 8, {"l1 = 1</text>", "l1 = 20</text>", "8 of 20 curves are shown"}},
    {20, 2, 25, 8, {"l1 = 8</text>", "training, l1 = 8", "8 of 20 curves are shown"}},
};

START_TEST(a_curve_for_each_l1)
{
    char *json = grid_json(grids[_i].l1_count, grids[_i].l2_count, grids[_i].chosen);
    char *svg = kit_svg(json, "grid");
    ck_assert_uint_eq(count(svg, " line\" d=\"M1"), grids[_i].curves);
    ck_assert_uint_eq(count(svg, " line\" d=\"M0"), grids[_i].curves); /* the legend's */
    for (size_t i = 0; i < 4 && grids[_i].names[i]; i++)
        assert_has(svg, grids[_i].names[i]);
    free(svg);
    free(json);
}
END_TEST

START_TEST(weights_that_are_not_zero)
{
    char *json = grid_json(1, 3, 1), *svg = kit_svg(json, "l2");
    assert_has(svg, ">20</text>");
    assert_has(svg, ">18</text>");
    assert_has(svg, "non-zero weights</text>");
    free(svg);
    free(json);
    svg =
        kit_svg("{\"trials\":[{\"l1\":0,\"l2\":1,\"mean_data_loss\":1,\"zeros\":1,\"count\":12346,"
                "\"status\":\"succeeded\"}]}",
                "one");
    assert_has(svg, ">12.3k non-zero weights at every strength</text>");
    free(svg);
}
END_TEST

/* --- Whole pictures ---------------------------------------------------------------------------- */

static const struct {
    const char *name, *shown;
} names[] = {
    {"plain", ">plain</text>"},
    {"a<b>&\"c'", ">a&lt;b&gt;&amp;&quot;c&#39;</text>"},
    {"</text><script>", ">&lt;/text&gt;&lt;script&gt;</text>"},
    {"]]>", ">]]&gt;</text>"},
    {"bell\a tab\t", ">bell\xef\xbf\xbd tab\t</text>"},
    {"\xef\xbf\xbe\xef\xbf\xbf\xef\xbf\xbd", ">\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd</text>"},
    {"half \xc3", ">half \xef\xbf\xbd</text>"},
    {"grün 日本", ">grün 日本</text>"},
    {"", "y=\"32\"></text>"},
    {"0123456789012345678901234567890123456789012345678901234567890123", "90123</text>"},
    {"ü1234567890123456789012345678901234567890123456789012345678901234", "90123…</text>"},
};

START_TEST(names_cannot_break_it)
{
    char *svg = kit_svg("{\"trials\":[]}", names[_i].name);
    assert_has(svg, names[_i].shown);
    assert_has_not(svg, "<script");
    free(svg);
}
END_TEST

static const struct {
    const char *json, *says;
} shapes[] = {
    {"{\"trials\":[]}", "no strength has been tried yet"},
    {"{\"trials_total\":4,\"trials\":[]}", "0 of 4 strengths so far"},
    {"{\"status\":\"failed\",\"trials_total\":4,\"trials\":[]}", "0 of 4 strengths</text>"},
    {"{\"trials\":[{\"l1\":0,\"l2\":1,\"status\":\"failed\"}]}", "no strength has succeeded"},
    {"{\"trials\":[{\"l1\":0,\"l2\":0,\"mean_data_loss\":0.5,\"status\":\"succeeded\"}]}",
     "cx=\"407.0\""},
    {"{\"trials\":[{\"l1\":0,\"l2\":3,\"mean_data_loss\":0.5,\"status\":\"succeeded\"}]}",
     "cx=\"407.0\""},
    {"{\"trials\":[{\"l1\":3,\"l2\":0,\"mean_data_loss\":0.5,\"status\":\"succeeded\"}]}",
     "l1 (alpha)"},
    {"{\"trials\":[{\"l1\":0,\"l2\":0,\"dropout\":0.5,\"mean_data_loss\":1,\"status\":"
     "\"succeeded\"},{\"l1\":0,\"l2\":0,\"dropout\":0,\"mean_data_loss\":1,\"status\":"
     "\"succeeded\"}]}",
     ">dropout</text>"},
};

START_TEST(every_shape_is_a_picture)
{
    char *svg = kit_svg(shapes[_i].json, "shape");
    assert_has(svg, shapes[_i].says);
    ck_assert_int_eq(
        strncmp(svg, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 760 ", 57), 0);
    ck_assert_str_eq(svg + strlen(svg) - 7, "</svg>\n");
    assert_has_not(svg, "nan");
    assert_has_not(svg, "inf");
    free(svg);
}
END_TEST

/* Hundreds of trials: an area for the errors, and marks for the choices alone. */
START_TEST(many_trials_are_a_curve)
{
    struct ock_buf json;
    ock_buf_init(&json, OCK_MIB);
    ock_buf_puts(&json, "{\"min\":{\"trial\":7},\"trials\":[");
    for (int i = 0; i < 500; i++)
        ock_buf_printf(
            &json,
            "%s{\"l1\":0,\"l2\":%d,\"mean_data_loss\":%d,\"standard_error\":1,\"status\":"
            "\"succeeded\"}",
            i > 0 ? "," : "", 500 - i, 100 + i % 7);
    ock_buf_puts(&json, "]}");
    char *svg = kit_svg(json.data, "many");
    ck_assert_uint_eq(count(svg, "class=\"band s0\""), 1);
    ck_assert_uint_eq(count(svg, "<circle class=\"s0 dot\" cx=\""), 2); /* one in the legend */
    ck_assert_uint_lt(strlen(svg), 40000);
    free(svg);
    ock_buf_deinit(&json);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tuning_picture");
    TCase *t = tcase_create("picture");
    tcase_add_loop_test(t, ticks_are_round, 0, sizeof(axes) / sizeof(axes[0]));
    tcase_add_test(t, numbers_at_their_pixels);
    tcase_add_test(t, zero_has_a_place_of_its_own);
    tcase_add_test(t, trials_that_did_not_succeed);
    tcase_add_test(t, training_may_leave_the_frame);
    tcase_add_test(t, far_losses_are_on_a_log_axis);
    tcase_add_loop_test(t, a_curve_for_each_l1, 0, sizeof(grids) / sizeof(grids[0]));
    tcase_add_test(t, weights_that_are_not_zero);
    tcase_add_loop_test(t, names_cannot_break_it, 0, sizeof(names) / sizeof(names[0]));
    tcase_add_loop_test(t, every_shape_is_a_picture, 0, sizeof(shapes) / sizeof(shapes[0]));
    tcase_add_test(t, many_trials_are_a_curve);
    suite_add_tcase(suite, t);
    return kit_run(suite);
}
