/* `ockham serve` from its options to its exit code.
 *
 * Order: options, token, socket (a taken port is told before anything is opened), engine, HTTP.
 * Clients that connect while the engine opens wait in the socket's backlog. The end goes the other
 * way round. */
#include "server/serve.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "server/http/assets.h"
#include "server/http/server.h"

enum { STOP_WAIT_MS = 1500, EXIT_AT_ONCE = 130, DESCRIPTORS_WANTED = 65536 };

/* What a signal handler can reach, on whatever thread it runs: lock-free atomics. */
static atomic_int signals_seen;
static atomic_int signal_fd = -1;
static_assert(ATOMIC_INT_LOCK_FREE == 2, "a signal handler must not wait for a lock");

static void on_signal(int number)
{
    int kept = errno;
    (void)number;
    if (atomic_fetch_add(&signals_seen, 1) > 0)
        _exit(EXIT_AT_ONCE);
    const uint64_t one = 1;
    ssize_t written = write(atomic_load(&signal_fd), &one, sizeof(one));
    (void)written;
    errno = kept;
}

/* Handlers, not a blocked mask: workers inherit a mask, and would be deaf to SIGTERM. */
static enum ock_status catch_signals(struct ock_err *err)
{
    int fd = eventfd(0, EFD_CLOEXEC);
    if (fd < 0)
        return ock_fail_errno(err, errno, "cannot make an eventfd");
    atomic_store(&signal_fd, fd);
    struct sigaction ends = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    struct sigaction ignored = {.sa_handler = SIG_IGN};
    sigemptyset(&ends.sa_mask);
    sigemptyset(&ignored.sa_mask);
    (void)sigaction(SIGTERM, &ends, NULL);
    (void)sigaction(SIGINT, &ends, NULL);
    (void)sigaction(SIGPIPE, &ignored, NULL);
    return OCK_OK;
}

static void wait_for_signal(void)
{
    struct pollfd ready = {.fd = atomic_load(&signal_fd), .events = POLLIN};
    while (atomic_load(&signals_seen) == 0)
        (void)poll(&ready, 1, -1);
}

/* Thousands of streams need as many descriptors as the system lets us have. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= DESCRIPTORS_WANTED)
        return;
    limit.rlim_cur =
        limit.rlim_max < DESCRIPTORS_WANTED ? limit.rlim_max : (rlim_t)DESCRIPTORS_WANTED;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int fail(const struct ock_err *err)
{
    (void)fprintf(stderr, "ockham: %s\n", err->text);
    return err->status == OCK_INVALID ? 2 : 1;
}

static void print_welcome(const struct ock_http *http, const char *url)
{
    (void)printf("Ockham " OCK_VERSION " listens on %s\n", url);
    if (ock_asset_count > 0)
        (void)printf("The dashboard: %s/\n", url);
    (void)printf("\n%s\n", http->welcome_text);
    (void)fflush(stdout);
}

/* The engine is open, HTTP answers: until a signal comes. Returns whether all ended in time. */
static bool run(struct ock_engine *engine, struct ock_http *http, const char *url)
{
    ock_log(OCK_LOG_INFO, "listening on %s", url);
    wait_for_signal();
    ock_log(OCK_LOG_INFO, "ending: running jobs write a checkpoint and go on at the next start");
    atomic_store(&http->draining, true);
    ock_engine_halt(engine); /* while streams are open: they tell what becomes of the jobs */
    return ock_http_stop(http, STOP_WAIT_MS);
}

static enum ock_status open_engine(struct ock_engine **engine,
                                   const struct ock_serve_options *options, struct ock_err *err)
{
    const struct ock_engine_config config = {
        .data_dir = options->data_dir,
        .worker_path = options->worker_path,
        .cores = options->cores,
        .memory_bytes = options->memory_bytes,
        .queue_max = options->queue_max,
        .upload_bytes_max = options->upload_bytes_max,
        .keep = options->keep,
    };
    return ock_engine_open(engine, &config, err);
}

int ock_serve_main(const struct ock_serve_options *options)
{
    struct ock_err err;
    struct ock_address address;
    struct ock_access access;
    struct ock_engine *engine = NULL;
    struct ock_http *http = NULL;
    char url[96];
    int fd = -1;
    ock_log_set_level(options->log_level);
    raise_descriptor_limit();
    enum ock_status status = ock_address_parse(&address, options->listen, &err);
    if (status == OCK_OK)
        status = ock_access_init(&access, options, &address, &err);
    if (status == OCK_OK)
        status = catch_signals(&err);
    if (status == OCK_OK)
        status = ock_address_listen(&address, &fd, &err);
    if (status != OCK_OK)
        return fail(&err);
    ock_address_url(&address, url, sizeof(url));
    status = open_engine(&engine, options, &err);
    if (status == OCK_OK) {
        struct ock_http_config config = {
            .engine = engine, .options = options, .access = &access, .url = url, .listen_fd = fd};
        status = ock_http_start(&http, &config, &err);
    }
    if (status != OCK_OK) {
        ock_engine_close(engine);
        close(fd);
        return fail(&err);
    }
    if (!options->quiet)
        print_welcome(http, url);
    if (!run(engine, http, url)) {
        /* A request still waits, most likely for the disk. The jobs are safe, and the store needs no
         * farewell. */
        ock_log(OCK_LOG_WARNING, "a request did not end in time; leaving without it");
        _exit(0);
    }
    ock_engine_close(engine);
    ock_log(OCK_LOG_INFO, "ended");
    return 0;
}
