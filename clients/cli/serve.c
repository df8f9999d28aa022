/* `ockham serve`: the command line of the server; server/serve.h does the rest. */
#include "server/serve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clients/cli/cli.h"

enum {
    KEY_LISTEN = 0x100,
    KEY_DATA_DIR,
    KEY_CORES,
    KEY_MEMORY,
    KEY_QUEUE,
    KEY_UPLOAD,
    KEY_KEEP_JOBS,
    KEY_KEEP_DAYS,
    KEY_KEEP_BYTES,
    KEY_KEEP_EVENTS,
    KEY_TOKEN_FILE,
    KEY_ALLOWED_HOST,
    KEY_PUBLIC_URL,
    KEY_CONNECTIONS,
    KEY_CONNECTIONS_PER_IP,
    KEY_HTTP_THREADS,
    KEY_HANDLER_THREADS,
    KEY_WORKER,
    KEY_LOG_LEVEL,
    KEY_QUIET
};

static const struct argp_option options[] = {
    {0, 0, 0, 0, "Where:", 1},
    {"listen", KEY_LISTEN, "ADDRESS", 0,
     "Host and port (default 127.0.0.1:8080; port 0: any free one). Any address but loopback "
     "needs a token",
     1},
    {"data-dir", KEY_DATA_DIR, "DIR", 0,
     "Everything the server keeps (default ./ockham-data); one server at a time", 1},
    {0, 0, 0, 0, "For training:", 2},
    {"cores", KEY_CORES, "N", 0, "Default: what the cgroup and the affinity mask give", 2},
    {"memory", KEY_MEMORY, "SIZE", 0,
     "Bytes for all jobs together, as 512MiB or 4GiB (default: 80 % of the cgroup's or the "
     "machine's)",
     2},
    {"queue", KEY_QUEUE, "N", 0, "Jobs that may wait (default 10000); beyond: 429", 2},
    {0, 0, 0, 0,
     "What stays of jobs that have ended (default: everything; the oldest go first, each whole; 0: "
     "no limit):",
     3},
    {"keep-jobs", KEY_KEEP_JOBS, "N", 0, "At most so many", 3},
    {"keep-days", KEY_KEEP_DAYS, "D", 0, "So long, as 30 or 0.5", 3},
    {"keep-bytes", KEY_KEEP_BYTES, "SIZE", 0, "So much of events, specs and models, as 20GiB", 3},
    {"keep-events", KEY_KEEP_EVENTS, "N", 0, "So many events, of all of them together", 3},
    {0, 0, 0, 0, "Who may:", 4},
    {"token-file", KEY_TOKEN_FILE, "FILE", 0,
     "Its first line is the token that requests must bear (else OCKHAM_TOKEN of the environment)",
     4},
    {"allowed-host", KEY_ALLOWED_HOST, "NAME", 0,
     "A further name by which the server is called (Host header); may be repeated, at most 32", 4},
    {"public-url", KEY_PUBLIC_URL, "URL", 0,
     "The server's address as browsers see it, as https://ockham.example.org or, with a proxy's "
     "prefix, https://example.org/ockham",
     4},
    {0, 0, 0, 0, "Limits of HTTP:", 5},
    {"upload-max", KEY_UPLOAD, "SIZE", 0, "One dataset's body (default 64GiB); beyond: 413", 5},
    {"connections", KEY_CONNECTIONS, "N", 0,
     "At once (default: what the limit of open files, ulimit -n, allows less 1024, and 32768 at "
     "most); beyond: 503",
     5},
    {"connections-per-ip", KEY_CONNECTIONS_PER_IP, "N", 0,
     "From one address (default: no limit of its own)", 5},
    {"http-threads", KEY_HTTP_THREADS, "N", 0, "Event loops (default 2)", 5},
    {"handler-threads", KEY_HANDLER_THREADS, "N", 0,
     "Threads that may wait for the disk (default 16)", 5},
    {0, 0, 0, 0, "Other:", 6},
    {"worker", KEY_WORKER, "FILE", 0, "The worker program (default: ockham-worker beside this one)",
     6},
    {"log-level", KEY_LOG_LEVEL, "LEVEL", 0, "error, warning, info (default) or debug", 6},
    {"quiet", KEY_QUIET, NULL, 0, "No welcome text", 6},
    {0},
};

static const char doc[] =
    "Serves the HTTP API until SIGTERM or Ctrl-C.\v"
    "Fixed limits: a job's JSON 64 MiB, 32 levels deep, 4 million values; a dataset 256 GiB, "
    "4,294,967,294 rows, 1,048,576 columns, 65,536 classes; a network 256 layers, 1,048,576 units "
    "a layer, 2,147,483,648 parameters; 100,000,000 epochs; 1024 threads a job; a request's "
    "headers within 10 s, its body at 1 KiB/s or faster.\n\n"
    "Example:\n"
    "  ockham serve --listen 127.0.0.1:8080 --data-dir /srv/ockham --memory 4GiB\n\n"
    "Exit code: 0 after a clean end, 1 when the server could not start, 2 bad usage.";

static size_t parse_count(const char *option, const char *text, size_t least, size_t most,
                          struct argp_state *state)
{
    char *end = NULL;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (errno || end == text || *end || *text == '-' || value < least || value > most)
        argp_error(state, "%s %s: must be a whole number from %zu to %zu", option, text, least,
                   most);
    return value;
}

/* A number of days; NAN compares false. */
static double parse_days(const char *text, struct argp_state *state)
{
    char *end = NULL;
    double value = strtod(text, &end);
    if (end == text || *end || !(value >= 0 && value <= 1e6))
        argp_error(state, "--keep-days %s: must be a number from 0 to 1000000", text);
    return value;
}

static size_t parse_size(const char *option, const char *text, struct argp_state *state)
{
    size_t bytes = 0;
    struct ock_err err = {0};
    if (ock_size_parse(&bytes, text, &err) != OCK_OK)
        argp_error(state, "%s: %s", option, err.text);
    return bytes;
}

/* Who may, and what is written where. */
static error_t parse_text(int key, char *arg, struct argp_state *state)
{
    struct ock_serve_options *o = state->input;
    struct ock_err err = {0};
    switch (key) {
    case KEY_LISTEN:
        o->listen = arg;
        return 0;
    case KEY_DATA_DIR:
        o->data_dir = arg;
        return 0;
    case KEY_TOKEN_FILE:
        o->token_file = arg;
        return 0;
    case KEY_PUBLIC_URL:
        o->public_url = arg;
        return 0;
    case KEY_WORKER:
        o->worker_path = arg;
        return 0;
    case KEY_QUIET:
        o->quiet = true;
        return 0;
    case KEY_ALLOWED_HOST:
        if (o->allowed_host_count == OCK_ALLOWED_HOSTS_MAX)
            argp_error(state, "--allowed-host: at most %d", OCK_ALLOWED_HOSTS_MAX);
        o->allowed_hosts[o->allowed_host_count++] = arg;
        return 0;
    case KEY_LOG_LEVEL:
        if (ock_log_level_parse(&o->log_level, arg, &err) != OCK_OK)
            argp_error(state, "--log-level: %s", err.text);
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "serve takes options only, not \"%s\"", arg);
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* What stays of ended jobs. */
static error_t parse_keep(int key, char *arg, struct argp_state *state)
{
    struct ock_keep *keep = &((struct ock_serve_options *)state->input)->keep;
    switch (key) {
    case KEY_KEEP_JOBS:
        keep->jobs = parse_count("--keep-jobs", arg, 0, UINT32_MAX, state);
        return 0;
    case KEY_KEEP_DAYS:
        keep->days = parse_days(arg, state);
        return 0;
    case KEY_KEEP_BYTES:
        keep->bytes = parse_size("--keep-bytes", arg, state);
        return 0;
    case KEY_KEEP_EVENTS:
        keep->events = parse_count("--keep-events", arg, 0, UINT32_MAX, state);
        return 0;
    default:
        return parse_text(key, arg, state);
    }
}

/* The limits; everything else is parse_keep's and parse_text's. */
static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct ock_serve_options *o = state->input;
    switch (key) {
    case KEY_CORES:
        o->cores = (unsigned)parse_count("--cores", arg, 1, 4096, state);
        return 0;
    case KEY_MEMORY:
        o->memory_bytes = parse_size("--memory", arg, state);
        return 0;
    case KEY_QUEUE:
        o->queue_max = parse_count("--queue", arg, 1, 100000000, state);
        return 0;
    case KEY_UPLOAD:
        o->upload_bytes_max = parse_size("--upload-max", arg, state);
        return 0;
    case KEY_CONNECTIONS:
        o->connections_max = parse_count("--connections", arg, 1, 1000000, state);
        return 0;
    case KEY_CONNECTIONS_PER_IP:
        o->connections_per_ip_max = parse_count("--connections-per-ip", arg, 1, 1000000, state);
        return 0;
    case KEY_HTTP_THREADS:
        o->http_threads = (unsigned)parse_count("--http-threads", arg, 1, 64, state);
        return 0;
    case KEY_HANDLER_THREADS:
        o->handler_threads = (unsigned)parse_count("--handler-threads", arg, 1, 1024, state);
        return 0;
    default:
        return parse_keep(key, arg, state);
    }
}

enum cli_exit cli_serve(int argc, char **argv)
{
    static const struct argp argp = {options, parse_option, NULL, doc, NULL, NULL, NULL};
    struct ock_serve_options o = ock_serve_defaults();
    argp_parse(&argp, argc, argv, 0, NULL, &o);
    return (enum cli_exit)ock_serve_main(&o);
}
