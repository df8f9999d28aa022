/* The program `ockham`: one file a command, and what they share.
 *
 * stdout carries what was asked for (events, tables, ids, JSON), stderr everything else. When
 * stdout's reader goes away the program ends as if SIGPIPE had ended it, after it has cleaned up.
 */
#ifndef OCK_CLI_CLI_H
#define OCK_CLI_CLI_H

#include <argp.h>
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base/buf.h"
#include "core/base/faults.h"

/* Exit codes of every command. */
enum cli_exit { CLI_DONE = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

/* A command. argv[0] is "ockham NAME", so that argp's texts read right. */
struct cli_command {
    const char *name;
    const char *summary; /* one line of `ockham --help` */
    enum cli_exit (*run)(int argc, char **argv);
};

enum cli_exit cli_train(int argc, char **argv);
enum cli_exit cli_validate(int argc, char **argv);
enum cli_exit cli_serve(int argc, char **argv);
enum cli_exit cli_backup(int argc, char **argv);
enum cli_exit cli_upload(int argc, char **argv);
enum cli_exit cli_summary(int argc, char **argv);
enum cli_exit cli_submit(int argc, char **argv);
enum cli_exit cli_watch(int argc, char **argv);
enum cli_exit cli_tuning(int argc, char **argv);
enum cli_exit cli_list(int argc, char **argv);
enum cli_exit cli_show(int argc, char **argv);
enum cli_exit cli_cancel(int argc, char **argv);
enum cli_exit cli_pause(int argc, char **argv);
enum cli_exit cli_resume(int argc, char **argv);
enum cli_exit cli_stop(int argc, char **argv);
enum cli_exit cli_delete(int argc, char **argv);
enum cli_exit cli_model(int argc, char **argv);
enum cli_exit cli_predict(int argc, char **argv);
enum cli_exit cli_health(int argc, char **argv);

/* --- say.c: words on stderr, bytes on stdout ------------------------------------------------- */

/* "ockham: …" with printf's format and a newline, on stderr. */
void cli_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A line for each fault: pointer, reason, what was got, suggestion. `what` is the document's name.
 */
void cli_say_faults(const char *what, const struct ock_faults *faults);

/* The same from a server's problem object (RFC 9457), title and detail first. */
void cli_say_problem(const cJSON *problem);

/* Writes to stdout, buffered until the flush. Once its reader is gone, all further output is
 * dropped; cli_out_closed then is true, and a command that runs long should end. */
void cli_out(const void *bytes, size_t size);
void cli_puts(const char *text);
void cli_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
void cli_out_flush(void);
bool cli_out_closed(void);
bool cli_out_failed(void);  /* closed by a full disk or the like, which has been said */
void cli_out_give_up(void); /* its reader was seen to leave: closed from now on */

/* --- term.c: what the terminal can show ---------------------------------------------------------
 */

struct cli_term {
    bool tty;    /* stdout is a terminal that understands carriage returns and colours */
    bool colour; /* and NO_COLOR is not set */
    bool utf8;   /* the locale's characters are Unicode */
};
struct cli_term cli_term_make(void);
size_t cli_term_width(void);  /* columns now, 80 if it can't be told; at least 20 */
size_t cli_term_height(void); /* lines now, 24 if it can't be told */

enum cli_style { CLI_PLAIN, CLI_BOLD, CLI_DIM, CLI_GREEN, CLI_YELLOW, CLI_RED, CLI_CYAN };
/* The escape sequence, "" without colours. CLI_PLAIN ends a style. */
const char *cli_style(const struct cli_term *term, enum cli_style style);

/* Columns that a UTF-8 text takes, each code point counted as one. */
size_t cli_text_width(const char *text);

/* --- format.c: numbers for people ---------------------------------------------------------------
 */

enum { CLI_NUMBER_SIZE = 32 };
void cli_format_loss(char text[CLI_NUMBER_SIZE],
                     double value); /* "0.4512", "3.1e-05", "-" if NaN */
void cli_format_share(char text[CLI_NUMBER_SIZE], double value); /* 0.9123 is "91.23%" */
void cli_format_count(char text[CLI_NUMBER_SIZE], double value); /* 1234567 is "1,234,567" */
void cli_format_rate(char text[CLI_NUMBER_SIZE], double value);  /* 182000 is "182k" */
void cli_format_bytes(char text[CLI_NUMBER_SIZE], double value); /* 36864 is "36 KiB" */
void cli_format_time(char text[CLI_NUMBER_SIZE],
                     double seconds); /* "3.1 ms", "0.42 s", "3 min 20 s" */

/* A number somewhere in an object, by a path of keys with dots ("train.data_loss"); NAN if it is
 * not there or null. cli_text_at likewise: NULL. */
double cli_number_at(const cJSON *object, const char *path);
const char *cli_text_at(const cJSON *object, const char *path);
const cJSON *cli_at(const cJSON *object, const char *path);

#endif
