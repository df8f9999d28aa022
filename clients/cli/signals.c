/* Signals go through a pipe: the handler writes one byte, the loop reads it. Handlers, unlike a
 * blocked mask, are not inherited by the worker. SA_RESTART: a signal must not fail a write. */
#include "clients/cli/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

static int write_end = -1; /* immutable once the handlers are set */

static void on_signal(int signal_number)
{
    int saved = errno;
    unsigned char byte = (unsigned char)signal_number;
    ssize_t done = write(write_end, &byte, 1);
    (void)done; /* a full pipe holds enough signals */
    errno = saved;
}

static void take(int signal_number, bool keep_ignored)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART}, old;
    sigemptyset(&action.sa_mask);
    if (sigaction(signal_number, NULL, &old) != 0)
        return;
    if (keep_ignored && old.sa_handler == SIG_IGN)
        return;
    (void)sigaction(signal_number, &action, NULL);
}

bool cli_signals_open(struct cli_signals *signals)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return false;
    write_end = ends[1];
    *signals = (struct cli_signals){.fd = ends[0]};
    take(SIGINT, false);
    take(SIGTERM, false);
    take(SIGHUP, true);
    return true;
}

void cli_signals_read(struct cli_signals *signals)
{
    unsigned char bytes[16];
    for (;;) {
        ssize_t got = read(signals->fd, bytes, sizeof(bytes));
        if (got <= 0)
            return;
        for (ssize_t i = 0; i < got; i++) {
            if (bytes[i] == SIGINT)
                signals->interrupts++;
            else
                signals->fatal = bytes[i];
        }
    }
}

_Noreturn void cli_signals_die(int signal_number)
{
    (void)signal(signal_number, SIG_DFL);
    (void)raise(signal_number);
    _exit(128 + signal_number); /* not reached unless the signal is blocked */
}
