/* `ockham backup`: a copy of a data directory, also while a server uses it; server/backup.h does the
 * rest. */
#include "server/backup.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>

#include "clients/cli/cli.h"
#include "clients/cli/signals.h"
#include "server/serve.h"

enum { KEY_DATA_DIR = 0x100 };

struct options {
    const char *data_dir, *dest;
};

static const struct argp_option options[] = {
    {"data-dir", KEY_DATA_DIR, "DIR", 0, "What to copy, as of serve (default ./ockham-data)", 0},
    {0},
};

static const char doc[] =
    "Copies a data directory to DEST, which must not exist yet; the server that uses it may run on."
    "\v"
    "The copy is what the directory was at one moment: every job that was accepted before is in "
    "it, "
    "with all events that anybody has seen. Jobs that run are copied with their checkpoint, and go "
    "on to the same bits. DEST appears when it is whole, checked and on the disk; to use it, serve "
    "it:\n"
    "  ockham backup --data-dir /srv/ockham /backup/monday\n"
    "  ockham serve --data-dir /backup/monday\n\n"
    "Exit code: 0 done, 1 it failed (and left nothing), or DEST is there and files of it were "
    "absent or damaged in DIR already, which is said; 2 bad usage.";

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case KEY_DATA_DIR:
        o->data_dir = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (o->dest)
            argp_error(state, "one DEST, not also \"%s\"", arg);
        o->dest = arg;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "where to? Name a directory that does not exist yet");
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static struct cli_signals signals;

static bool is_interrupted(void)
{
    struct pollfd polled = {.fd = signals.fd, .events = POLLIN};
    return poll(&polled, 1, 0) > 0;
}

static void say_done(const char *dest, const struct ock_backup_report *report)
{
    char bytes[CLI_NUMBER_SIZE], seconds[CLI_NUMBER_SIZE];
    cli_format_bytes(bytes, (double)report->bytes);
    cli_format_time(seconds, report->seconds);
    cli_say("%s: %" PRIu64 " jobs, %" PRIu64 " datasets, %s in %s", dest, report->jobs,
            report->datasets, bytes, seconds);
    if (report->faulty > 0)
        cli_say("%" PRIu64 " files were absent or damaged where they were copied from",
                report->faulty);
}

enum cli_exit cli_backup(int argc, char **argv)
{
    static const struct argp argp = {options, parse, "DEST", doc, NULL, NULL, NULL};
    struct options o = {.data_dir = ock_serve_defaults().data_dir};
    struct ock_backup_report report = {0};
    struct ock_err err = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &o);
    if (!cli_signals_open(&signals)) {
        cli_say("cannot take signals");
        return CLI_FAILED;
    }
    enum ock_status status = ock_backup_run(o.data_dir, o.dest, is_interrupted, &report, &err);
    cli_signals_read(&signals);
    if (status == OCK_STOPPED)
        cli_signals_die(signals.fatal ? signals.fatal : SIGINT);
    if (status != OCK_OK) {
        cli_say("%s", err.text);
        return CLI_FAILED;
    }
    say_done(o.dest, &report);
    return report.faulty > 0 ? CLI_FAILED : CLI_DONE;
}
