/* Starting and stopping the daemon, and the only two places that suspend and resume. */
#include "server/http/server.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "server/handlers/handlers.h"
#include "server/http/exchange.h"
#include "server/log.h"

enum {
    CONNECTIONS_MAX = 32768, /* by default, if there are descriptors for so many */
    DESCRIPTORS_KEPT = 1024, /* for the store, datasets, workers, uploads, models */
    HTTP_THREADS = 2,
    HANDLER_THREADS = 16,
    STOP_POLL_MS = 2,
    DRAIN_MS = 500,     /* for streams to read their last events */
    STOP_SEND_MS = 700, /* for answers that are on their way when the daemon is to stop */
};
#define UPLOAD_BYTES_MAX ((uint64_t)64 << 30)

int64_t ock_http_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Counted first, looked second: either we see `stopping`, or who sets it sees the count. */
bool ock_http_suspend(struct ock_http *http, struct MHD_Connection *connection)
{
    atomic_fetch_add(&http->suspended, 1);
    if (atomic_load(&http->stopping)) {
        atomic_fetch_sub(&http->suspended, 1);
        return false;
    }
    MHD_suspend_connection(connection);
    return true;
}

void ock_http_resume(struct ock_http *http, struct MHD_Connection *connection)
{
    MHD_resume_connection(connection);
    atomic_fetch_sub(&http->suspended, 1);
}

/* The library's own messages. */
__attribute__((format(printf, 2, 0))) static void log_library(void *ctx, const char *format,
                                                              va_list args)
{
    char text[512];
    (void)ctx;
    int length = vsnprintf(text, sizeof(text), format, args);
    if (length > 0)
        ock_log(OCK_LOG_DEBUG, "http: %s", text);
}

/* The target is decoded by us, from its raw text: the library's copy stays as it came. */
static size_t keep_escapes(void *ctx, struct MHD_Connection *connection, char *text)
{
    (void)ctx;
    (void)connection;
    return strlen(text);
}

/* How many connections the process's descriptors are enough for. */
static size_t connections_possible(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > CONNECTIONS_MAX * 2)
        return CONNECTIONS_MAX;
    size_t descriptors = (size_t)limit.rlim_cur;
    size_t kept = descriptors / 2 < DESCRIPTORS_KEPT ? descriptors / 2 : DESCRIPTORS_KEPT;
    return descriptors - kept < CONNECTIONS_MAX ? descriptors - kept : CONNECTIONS_MAX;
}

/* The option, or what is possible. */
static size_t choose_connections(const struct ock_serve_options *options)
{
    size_t asked = options->connections_max, possible = connections_possible();
    if (asked > possible)
        ock_log(OCK_LOG_WARNING,
                "the limit of open files is enough for %zu connections, not for %zu: raise it "
                "(ulimit -n, LimitNOFILE=)",
                possible, asked);
    return asked ? asked : possible;
}

static struct MHD_Daemon *start_daemon(struct ock_http *http, const struct ock_http_config *config)
{
    const struct ock_serve_options *options = config->options;
    unsigned threads = options->http_threads ? options->http_threads : HTTP_THREADS;
    size_t connections = http->peers.count_max + OCK_SURPLUS_MAX;
    /* A pool of one is no pool: the library wants none then. */
    struct MHD_OptionItem more[] = {
        {threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, (intptr_t)threads, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    return MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL,
        ock_exchange_access, http, MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL,
        MHD_OPTION_LISTEN_SOCKET, config->listen_fd, MHD_OPTION_URI_LOG_CALLBACK, ock_exchange_new,
        http, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_NOTIFY_COMPLETED,
        ock_exchange_completed, http, MHD_OPTION_NOTIFY_CONNECTION, ock_peers_notify, &http->peers,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        (unsigned)options->connections_per_ip_max, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)OCK_IDLE_TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)OCK_CONNECTION_MEMORY_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_ARRAY, more, MHD_OPTION_END);
}

static void free_http(struct ock_http *http)
{
    ock_ticker_stop(&http->ticker);
    ock_pool_free(http->imports);
    ock_pool_free(http->predicts);
    ock_pool_free(http->acts);
    ock_pool_free(http->pool);
    ock_ticker_deinit(&http->ticker);
    ock_feeds_deinit(&http->feeds);
    ock_peers_deinit(&http->peers);
    ock_counters_deinit(&http->counters);
    free(http->schema);
    free(http->openapi);
    free(http->welcome_text);
    free(http->welcome_html);
    free(http->version);
    free(http);
}

enum ock_status ock_http_start(struct ock_http **out, const struct ock_http_config *config,
                               struct ock_err *err)
{
    const struct ock_serve_options *options = config->options;
    unsigned threads = options->handler_threads ? options->handler_threads : HANDLER_THREADS;
    struct ock_http *http = calloc(1, sizeof(*http));
    if (!http)
        return ock_fail(err, OCK_NOMEM, "out of memory for the HTTP server");
    http->engine = config->engine;
    http->access = *config->access;
    http->data_dir = options->data_dir;
    http->listen_fd = config->listen_fd;
    http->upload_bytes_max =
        options->upload_bytes_max ? options->upload_bytes_max : UPLOAD_BYTES_MAX;
    ock_feeds_init(&http->feeds);
    ock_peers_init(&http->peers, choose_connections(options));
    ock_counters_init(&http->counters);
    if (getrandom(&http->id_key, sizeof(http->id_key), 0) != (ssize_t)sizeof(http->id_key))
        http->id_key = (uint64_t)time(NULL);
    enum ock_status status = ock_handlers_prepare(http, config->url, err);
    if (status == OCK_OK)
        status = ock_pool_new(&http->pool, threads, err);
    if (status == OCK_OK)
        status = ock_pool_new(&http->imports, OCK_IMPORT_THREADS, err);
    if (status == OCK_OK)
        status = ock_pool_new(&http->acts, OCK_ACT_THREADS, err);
    if (status == OCK_OK)
        status = ock_pool_new(&http->predicts, OCK_PREDICT_THREADS, err);
    if (status == OCK_OK)
        status = ock_ticker_start(&http->ticker, http, err);
    if (status == OCK_OK) {
        http->daemon = start_daemon(http, config);
        if (!http->daemon)
            status = ock_fail(err, OCK_IO, "the HTTP library could not start");
    }
    if (status != OCK_OK) {
        free_http(http);
        return status;
    }
    *out = http;
    return OCK_OK;
}

static void pause_briefly(void)
{
    struct timespec pause = {.tv_nsec = STOP_POLL_MS * 1000000L};
    (void)nanosleep(&pause, NULL);
}

/* The engine has told its last: streams pass it on before they end. */
static void drain_feeds(struct ock_http *http)
{
    int64_t deadline = ock_http_now_ms() + DRAIN_MS;
    atomic_store(&http->ending, true);
    while (!ock_feeds_drain(http) && ock_http_now_ms() < deadline)
        pause_briefly();
}

/* What has been resumed is not sent yet; those who are still sending to us get no longer either. */
static void wait_for_answers(struct ock_http *http)
{
    int64_t deadline = ock_http_now_ms() + STOP_SEND_MS;
    while (atomic_load(&http->active) > 0 && ock_http_now_ms() < deadline)
        pause_briefly();
}

/* Nobody gets in any more: a socket that nobody can find takes the listening one's place, under the same
 * descriptor. The library's own way, MHD_quiesce_daemon, takes the socket out of a pool's epoll sets while
 * their threads may be doing the same, and aborts the process when it comes second (0.9.75). The kernel
 * takes it out when it closes it. Where there is no descriptor left for this, those who come are told that
 * the server is ending. */
static void close_door(struct ock_http *http)
{
    struct sockaddr nowhere = {.sa_family = AF_UNIX}; /* no more than the family: any free name */
    int blind = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (blind < 0)
        return;
    if (bind(blind, &nowhere, sizeof(nowhere.sa_family)) == 0 && listen(blind, 1) == 0)
        (void)dup3(blind, http->listen_fd, O_CLOEXEC);
    close(blind);
}

bool ock_http_stop(struct ock_http *http, unsigned wait_ms)
{
    int64_t deadline = ock_http_now_ms() + wait_ms;
    close_door(http);
    drain_feeds(http);
    atomic_store(&http->stopping, true);
    ock_waits_stop(http);
    while (atomic_load(&http->suspended) > 0) {
        /* Again and again: one that was opening when we looked was not on the list yet. */
        ock_feeds_stop(http);
        if (ock_http_now_ms() > deadline)
            return false;
        pause_briefly();
    }
    wait_for_answers(http);
    MHD_stop_daemon(http->daemon);
    free_http(http);
    return true;
}
