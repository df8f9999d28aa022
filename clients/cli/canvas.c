/* Dots and their characters. */
#include "clients/cli/canvas.h"

#include <math.h>
#include <stdlib.h>

enum { DOTS_ACROSS = 2, DOTS_DOWN = 4, BRAILLE = 0x2800, MARK = 0xff };

bool cli_canvas_is_braille(const struct cli_term *term)
{
    return term->utf8 && term->colour;
}

bool cli_canvas_init(struct cli_canvas *canvas, size_t columns, size_t rows,
                     const struct cli_term *term)
{
    *canvas =
        (struct cli_canvas){.columns = columns > 0 ? columns : 1, .rows = rows > 0 ? rows : 1};
    canvas->braille = cli_canvas_is_braille(term);
    canvas->dots = calloc(canvas->rows, canvas->columns);
    canvas->inks = calloc(canvas->rows, canvas->columns);
    if (canvas->dots && canvas->inks)
        return true;
    cli_canvas_deinit(canvas);
    return false;
}

void cli_canvas_deinit(struct cli_canvas *canvas)
{
    free(canvas->dots);
    free(canvas->inks);
    *canvas = (struct cli_canvas){0};
}

size_t cli_canvas_width(const struct cli_canvas *canvas)
{
    return canvas->columns * (canvas->braille ? DOTS_ACROSS : 1);
}

size_t cli_canvas_height(const struct cli_canvas *canvas)
{
    return canvas->rows * (canvas->braille ? DOTS_DOWN : 1);
}

size_t cli_canvas_row_of(const struct cli_canvas *canvas, double y)
{
    double row = floor(round(y) / (canvas->braille ? DOTS_DOWN : 1));
    return row <= 0 ? 0 : row >= (double)canvas->rows ? canvas->rows - 1 : (size_t)row;
}

/* The cell of a dot, and the dot's bit in it. False: outside. */
static bool find(const struct cli_canvas *canvas, double x, double y, size_t *cell,
                 unsigned char *bit)
{
    static const unsigned char bits[DOTS_DOWN][DOTS_ACROSS] = {
        {0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    if (!(x >= 0 && y >= 0 && x < (double)cli_canvas_width(canvas) &&
          y < (double)cli_canvas_height(canvas)))
        return false;
    size_t across = (size_t)x, down = (size_t)y;
    *bit = canvas->braille ? bits[down % DOTS_DOWN][across % DOTS_ACROSS] : 1;
    if (canvas->braille) {
        across /= DOTS_ACROSS;
        down /= DOTS_DOWN;
    }
    *cell = down * canvas->columns + across;
    return true;
}

static void put(struct cli_canvas *canvas, double x, double y, enum cli_ink ink)
{
    size_t cell;
    unsigned char bit;
    if (!find(canvas, x, y, &cell, &bit))
        return;
    canvas->dots[cell] |= bit;
    if (ink > canvas->inks[cell])
        canvas->inks[cell] = (unsigned char)ink;
}

void cli_canvas_line(struct cli_canvas *canvas, double x0, double y0, double x1, double y1,
                     enum cli_ink ink)
{
    double height = (double)cli_canvas_height(canvas);
    /* Far outside, dots are not worth the steps; the line's slope hardly changes. */
    y0 = fmin(fmax(y0, -4 * height), 5 * height);
    y1 = fmin(fmax(y1, -4 * height), 5 * height);
    double steps = fmax(1, ceil(fmax(fabs(x1 - x0), fabs(y1 - y0))));
    for (double i = 0; i <= steps; i++)
        put(canvas, round(x0 + (x1 - x0) * i / steps), round(y0 + (y1 - y0) * i / steps), ink);
}

void cli_canvas_mark(struct cli_canvas *canvas, double x, double y, enum cli_ink ink)
{
    size_t cell;
    unsigned char bit;
    if (!find(canvas, round(x), round(y), &cell, &bit))
        return;
    canvas->dots[cell] = MARK;
    canvas->inks[cell] = (unsigned char)ink;
}

const char *cli_ink_text(const struct cli_term *term, enum cli_ink ink)
{
    static const char *const ascii[CLI_INKS] = {" ", ".", "o", "@"};
    static const char *const unicode[CLI_INKS] = {" ", "·", "•", "◆"};
    static const char *const coloured[CLI_INKS] = {" ", "━", "━", "◆"};
    if (cli_canvas_is_braille(term))
        return coloured[ink];
    return term->utf8 ? unicode[ink] : ascii[ink];
}

/* Yellow and cyan differ for those who see no red or no green. */
const char *cli_ink_style(const struct cli_term *term, enum cli_ink ink)
{
    static const enum cli_style styles[CLI_INKS] = {CLI_PLAIN, CLI_YELLOW, CLI_CYAN, CLI_BOLD};
    return cli_style(term, styles[ink]);
}

static void write_cell(const struct cli_canvas *canvas, size_t cell, const struct cli_term *term,
                       struct ock_buf *out)
{
    unsigned code = BRAILLE + canvas->dots[cell];
    enum cli_ink ink = (enum cli_ink)canvas->inks[cell];
    if (!canvas->braille || canvas->dots[cell] == MARK || ink == CLI_INK_NONE) {
        ock_buf_puts(out, cli_ink_text(term, ink));
        return;
    }
    ock_buf_putc(out, (char)(0xe0 | code >> 12));
    ock_buf_putc(out, (char)(0x80 | (code >> 6 & 0x3f)));
    ock_buf_putc(out, (char)(0x80 | (code & 0x3f)));
}

void cli_canvas_write(const struct cli_canvas *canvas, size_t row, const struct cli_term *term,
                      struct ock_buf *out)
{
    const unsigned char *inks = canvas->inks + row * canvas->columns;
    enum cli_ink last = CLI_INK_NONE;
    size_t end = canvas->columns;
    while (end > 0 && inks[end - 1] == CLI_INK_NONE)
        end--;
    for (size_t i = 0; i < end; i++) {
        enum cli_ink ink = (enum cli_ink)inks[i];
        if (ink != last && last != CLI_INK_NONE)
            ock_buf_puts(out, cli_style(term, CLI_PLAIN));
        if (ink != last && ink != CLI_INK_NONE)
            ock_buf_puts(out, cli_ink_style(term, ink));
        last = ink;
        write_cell(canvas, row * canvas->columns + i, term, out);
    }
    if (last != CLI_INK_NONE)
        ock_buf_puts(out, cli_style(term, CLI_PLAIN));
}
