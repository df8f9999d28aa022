/* `ockham serve`: the options, and the one call that runs the server until it is told to end.
 *
 * Who parses the command line (clients/cli) fills the options in; everything here has a default, so
 * that a zeroed struct with ock_serve_defaults() applied is a server on 127.0.0.1:8080. */
#ifndef OCK_SERVER_SERVE_H
#define OCK_SERVER_SERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"
#include "server/engine.h"
#include "server/log.h"

enum { OCK_ALLOWED_HOSTS_MAX = 32 }; /* --allowed-host, repeated */

struct ock_serve_options {
    const char *listen;      /* "127.0.0.1:8080" (default), "[::1]:8080", "0.0.0.0:8080", ":8080"
                              * (every interface), "8080" (loopback); port 0: any free one */
    const char *data_dir;    /* default "./ockham-data" */
    const char *worker_path; /* NULL: ockham-worker beside the program */
    unsigned cores;          /* for training; 0: what the cgroup and the affinity mask give */
    size_t memory_bytes;     /* for training; 0: 80 % of the machine's or the cgroup's */
    size_t queue_max;        /* jobs that wait; 0: the engine's default */
    size_t upload_bytes_max; /* one dataset's body; 0: the engine's default */
    struct ock_keep keep;    /* of jobs that have ended; 0: all */

    /* Who may: API.md. The token is asked of every request but probes and the dashboard's files. */
    const char *token; /* NULL: from token_file, else the environment's OCKHAM_TOKEN, else none */
    const char *token_file; /* the first line of it; NULL: none */
    size_t allowed_host_count;
    const char *allowed_hosts[OCK_ALLOWED_HOSTS_MAX]; /* host names, without a port */
    const char
        *public_url; /* "https://ockham.example.org": an Origin that is welcome; NULL: none */

    size_t connections_max;        /* 0: as many as the limit of open files allows, 32768 at most */
    size_t connections_per_ip_max; /* 0: no limit but connections_max */
    unsigned http_threads;         /* event loops; 0: 2 */
    unsigned handler_threads;      /* threads that may wait for the disk; 0: 16 */
    enum ock_log_level log_level;  /* default after ock_serve_defaults: OCK_LOG_INFO */
    bool quiet;                    /* no welcome text on stdout */
};

/* Every field as it is when the command line says nothing. */
struct ock_serve_options ock_serve_defaults(void);

/* Opens the data directory, serves until SIGTERM or SIGINT, drains, and returns the exit code:
 * 0 after a clean end, 1 when the server could not start or failed (a sentence is on stderr),
 * 2 for options that are wrong (likewise). A second signal ends the process at once with 130.
 * Called once, from the main thread, before any other thread was made. */
int ock_serve_main(const struct ock_serve_options *options);

/* "512MiB", "64KiB", "4GiB", "1TiB", "2GB" (powers of ten), "1048576", "1048576B": bytes into *out.
 * Errors: INVALID (no number, unknown unit, negative), LIMIT (beyond 64 bits). *out untouched. */
enum ock_status ock_size_parse(size_t *out, const char *text, struct ock_err *err);

/* "error", "warning", "info" or "debug". Errors: INVALID. */
enum ock_status ock_log_level_parse(enum ock_log_level *out, const char *text, struct ock_err *err);

#endif
