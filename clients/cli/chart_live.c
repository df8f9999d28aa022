/* A chart that is drawn over itself. */
#include <time.h>

#include "clients/cli/chart.h"
#include "core/base/limits.h"

/* Seconds between two drawings: more often, nobody sees anything but the terminal's work. */
static const double PAUSE_S = 0.1;

/* As high as half of its width at most: a steep curve says less than a flat one. */
enum { LINES_MIN = 9, LINES_STILL = 20 };

static double now_s(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static bool was_resized(const struct cli_chart *chart)
{
    return chart->drawn > 0 &&
           (chart->drawn_columns != cli_term_width() || chart->drawn_lines != cli_term_height());
}

/* Lines that were drawn for another width may have been broken: nobody knows where they are. */
static void go_back(const struct cli_chart *chart)
{
    if (was_resized(chart))
        cli_puts("\033[H\033[J");
    else if (chart->drawn > 0)
        cli_printf("\r\033[%zuA\033[J", chart->drawn);
}

void cli_chart_hide(struct cli_chart *chart)
{
    go_back(chart);
    chart->drawn = 0;
}

static size_t lines_for(size_t columns, size_t lines)
{
    size_t most = columns / 2 > LINES_MIN ? columns / 2 : LINES_MIN;
    return lines < most ? lines : most;
}

/* Written at once, so that it does not flicker. A terminal breaks a line that fills it: a column is
 * left free. */
static void draw(struct cli_chart *chart, const struct cli_term *term, bool still)
{
    struct ock_buf out;
    size_t columns = cli_term_width(), lines = cli_term_height();
    size_t room = lines_for(columns, lines > 1 ? lines - 1 : 1);
    ock_buf_init(&out, OCK_MIB);
    size_t drawn = cli_chart_write(chart, term, columns - 1,
                                   still && room > LINES_STILL ? LINES_STILL : room, !still, &out);
    if (drawn > 0) {
        go_back(chart);
        cli_out(out.data, out.size);
        cli_out_flush();
        chart->drawn = drawn;
        chart->drawn_columns = columns;
        chart->drawn_lines = lines;
        chart->drawn_s = now_s();
    }
    ock_buf_deinit(&out);
}

/* What is higher than the terminal cannot be drawn over: there the chart comes in the end. */
void cli_chart_draw(struct cli_chart *chart, const struct cli_term *term, bool now)
{
    if (term->tty && cli_term_height() > LINES_MIN && (now || now_s() - chart->drawn_s >= PAUSE_S))
        draw(chart, term, false);
}

void cli_chart_fit(struct cli_chart *chart, const struct cli_term *term)
{
    if (term->tty && was_resized(chart) && cli_term_height() > LINES_MIN)
        draw(chart, term, false);
}

void cli_chart_close(struct cli_chart *chart, const struct cli_term *term)
{
    if (chart->failed)
        cli_say("no memory for the whole chart: it ends at epoch %.0f",
                chart->count > 0 ? chart->epoch[chart->count - 1] : 0);
    draw(chart, term, true);
    chart->drawn = 0;
}
