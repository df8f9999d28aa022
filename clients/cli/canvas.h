/* A drawing out of characters. Where the terminal has Unicode and colours, a cell is two by four dots
 * of braille, in the colour of what was drawn there last; else it is one character for each curve. */
#ifndef OCK_CLI_CANVAS_H
#define OCK_CLI_CANVAS_H

#include "clients/cli/cli.h"

/* What is drawn; in a cell, the later one of these stands above the earlier. */
enum cli_ink { CLI_INK_NONE, CLI_INK_TRAIN, CLI_INK_VALIDATION, CLI_INK_BEST, CLI_INKS };

struct cli_canvas {
    size_t columns, rows; /* cells */
    bool braille;
    unsigned char *dots; /* [rows, columns] owned; braille's bits */
    unsigned char *inks; /* [rows, columns] owned */
};

/* An empty canvas of at least one cell. False: no memory. */
bool cli_canvas_init(struct cli_canvas *canvas, size_t columns, size_t rows,
                     const struct cli_term *term);
void cli_canvas_deinit(struct cli_canvas *canvas);

/* Dots: (0, 0) is at the top left. */
size_t cli_canvas_width(const struct cli_canvas *canvas);
size_t cli_canvas_height(const struct cli_canvas *canvas);
size_t cli_canvas_row_of(const struct cli_canvas *canvas, double y); /* y's cell */

/* A line of dots; what is outside is not drawn. */
void cli_canvas_line(struct cli_canvas *canvas, double x0, double y0, double x1, double y1,
                     enum cli_ink ink);
/* The ink's own character, in place of the cell's dots. */
void cli_canvas_mark(struct cli_canvas *canvas, double x, double y, enum cli_ink ink);

/* Appends a row's cells, up to the last one with something in it. */
void cli_canvas_write(const struct cli_canvas *canvas, size_t row, const struct cli_term *term,
                      struct ock_buf *out);

/* The ink's character and the beginning of its colour. */
const char *cli_ink_text(const struct cli_term *term, enum cli_ink ink);
const char *cli_ink_style(const struct cli_term *term, enum cli_ink ink);
/* Whether curves are told apart by their colours alone. */
bool cli_canvas_is_braille(const struct cli_term *term);

#endif
