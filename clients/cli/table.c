/* A plain table in the terminal. Cells are kept as texts until all are known, then aligned. */
#include "clients/cli/table.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMN_GAP = 2, CELL_WIDTH_MIN = 16 };

static bool grow(struct cli_table *table, size_t cells)
{
    if (cells <= table->capacity)
        return true;
    size_t capacity = cells * 2;
    char **larger = realloc(table->cells, capacity * sizeof(*larger));
    if (!larger)
        return false;
    table->cells = larger;
    table->capacity = capacity;
    return true;
}

void cli_table_init(struct cli_table *table, size_t columns, const char *const *titles)
{
    *table = (struct cli_table){.columns = columns};
    cli_table_row(table, titles);
}

void cli_table_deinit(struct cli_table *table)
{
    for (size_t i = 0; i < table->rows * table->columns; i++)
        free(table->cells[i]);
    free(table->cells);
    *table = (struct cli_table){0};
}

/* Names come from servers and files: no control characters reach the terminal. */
static char *clean_copy(const char *text)
{
    char *copy = strdup(text ? text : "-");
    for (char *p = copy; p && *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = ' ';
    return copy;
}

void cli_table_row(struct cli_table *table, const char *const *texts)
{
    size_t begin = table->rows * table->columns;
    if (table->failed || !grow(table, begin + table->columns)) {
        table->failed = true;
        return;
    }
    for (size_t i = 0; i < table->columns; i++) {
        table->cells[begin + i] = clean_copy(texts[i]);
        if (table->cells[begin + i])
            continue;
        while (i > 0)
            free(table->cells[begin + --i]);
        table->failed = true;
        return;
    }
    table->rows++;
}

/* Each column's widest cell. */
static void measure(const struct cli_table *table, size_t widths[CLI_COLUMNS_MAX])
{
    memset(widths, 0, CLI_COLUMNS_MAX * sizeof(*widths));
    for (size_t r = 0; r < table->rows; r++) {
        for (size_t c = 0; c < table->columns; c++) {
            size_t width = cli_text_width(table->cells[r * table->columns + c]);
            if (width > widths[c])
                widths[c] = width;
        }
    }
}

/* Makes a row fit into `room`, and returns how many columns it then has. The first one is what other
 * commands take (a job's id) and stays whole; of the others the widest gives first, down to
 * CELL_WIDTH_MIN; what does not fit then loses its last column. */
static size_t fit(size_t *widths, size_t columns, size_t room)
{
    while (columns > 1) {
        size_t sum = COLUMN_GAP * (columns - 1), widest = 1;
        for (size_t c = 0; c < columns; c++)
            sum += widths[c];
        for (size_t c = 1; c < columns; c++)
            if (widths[c] > widths[widest])
                widest = c;
        if (sum <= room)
            return columns;
        if (widths[widest] > CELL_WIDTH_MIN)
            widths[widest]--;
        else
            columns--;
    }
    return columns;
}

/* The text, cut to `width` code points ("…" for the last one), padded but in the last column. */
static void print_cell(const char *text, size_t width, bool last)
{
    size_t length = cli_text_width(text);
    if (length <= width) {
        cli_puts(text);
        for (size_t i = length; i < width && !last; i++)
            cli_puts(" ");
        return;
    }
    const char *end = text;
    for (size_t seen = 0; *end; end++) {
        seen += ((unsigned char)*end & 0xc0) != 0x80;
        if (seen == width)
            break;
    }
    cli_out(text, (size_t)(end - text));
    cli_puts("…");
}

void cli_table_print(const struct cli_table *table, const struct cli_term *term)
{
    size_t widths[CLI_COLUMNS_MAX];
    if (table->failed) {
        cli_say("no memory for a table");
        return;
    }
    size_t columns = table->columns;
    measure(table, widths);
    if (term->tty)
        columns = fit(widths, columns, cli_term_width());
    for (size_t r = 0; r < table->rows; r++) {
        cli_puts(r == 0 ? cli_style(term, CLI_DIM) : "");
        for (size_t c = 0; c < columns; c++) {
            bool last = c + 1 == columns;
            print_cell(table->cells[r * table->columns + c], widths[c], last);
            cli_puts(last ? "" : "  ");
        }
        cli_puts(r == 0 ? cli_style(term, CLI_PLAIN) : "");
        cli_puts("\n");
    }
}
