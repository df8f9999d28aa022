/* Ctrl-C and its kin as something that poll can wait for. */
#ifndef OCK_CLI_SIGNALS_H
#define OCK_CLI_SIGNALS_H

#include <stdbool.h>

struct cli_signals {
    int fd;         /* readable when a signal has come; poll it */
    int interrupts; /* SIGINT so far */
    int fatal;      /* SIGTERM or SIGHUP, 0: none */
};

/* Takes SIGINT, SIGTERM and SIGHUP until the process ends (SIGHUP stays ignored under nohup).
 * false: no pipe. Called once. */
bool cli_signals_open(struct cli_signals *signals);
/* Reads what has come into interrupts and fatal. */
void cli_signals_read(struct cli_signals *signals);
/* Ends the process as if the signal had ended it, with the default action. Flushes nothing. */
_Noreturn void cli_signals_die(int signal_number);

#endif
