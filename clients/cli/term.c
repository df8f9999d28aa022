/* What the terminal can show: its width, colours, and how wide a text is on it. */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "clients/cli/cli.h"

enum { WIDTH_MIN = 20, WIDTH_DEFAULT = 80, HEIGHT_DEFAULT = 24 };

/* By the first of the variables that says anything, as setlocale would look at them. */
static bool locale_is_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    const char *value = NULL;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !(value && *value); i++)
        value = getenv(names[i]);
    return value && (strcasestr(value, "utf-8") || strcasestr(value, "utf8"));
}

struct cli_term cli_term_make(void)
{
    const char *kind = getenv("TERM");
    const char *no_colour = getenv("NO_COLOR");
    struct cli_term term = {0};
    term.tty = isatty(STDOUT_FILENO) && kind && strcmp(kind, "dumb") != 0;
    term.colour = term.tty && !(no_colour && *no_colour);
    term.utf8 = locale_is_utf8();
    return term;
}

size_t cli_term_width(void)
{
    struct winsize size = {0};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return WIDTH_DEFAULT;
    return size.ws_col < WIDTH_MIN ? WIDTH_MIN : size.ws_col;
}

size_t cli_term_height(void)
{
    struct winsize size = {0};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0)
        return HEIGHT_DEFAULT;
    return size.ws_row;
}

const char *cli_style(const struct cli_term *term, enum cli_style style)
{
    static const char *const escapes[] = {
        [CLI_PLAIN] = "\033[0m",  [CLI_BOLD] = "\033[1m",    [CLI_DIM] = "\033[2m",
        [CLI_GREEN] = "\033[32m", [CLI_YELLOW] = "\033[33m", [CLI_RED] = "\033[31m",
        [CLI_CYAN] = "\033[36m"};
    return term->colour ? escapes[style] : "";
}

size_t cli_text_width(const char *text)
{
    size_t width = 0;
    for (const char *p = text; *p; p++)
        width += ((unsigned char)*p & 0xc0) != 0x80;
    return width;
}
