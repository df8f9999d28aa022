/* The life of a request, as the library's callbacks drive it.
 *
 * First call (the header is there): check it, find the route, decide what can be decided without the
 * body, so that a client that asks by Expect: 100-continue never sends it in vain. Then the body, in
 * pieces. Then the handler, on a pool while the connection is suspended. An answer that is known
 * before the body's end is sent after it, since a client that is still sending may not see it
 * otherwise. */
#include "server/http/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/http/body.h"
#include "server/http/server.h"
#include "server/log.h"

enum { SURPLUS_RETRY_S = 5 };

static int64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* A number that looks random and never comes twice (Vigna's splitmix64 finaliser is a bijection). */
static void make_request_id(struct ock_http *http, char text[17])
{
    uint64_t z = http->id_key + 0x9e3779b97f4a7c15u * (uint64_t)atomic_fetch_add(&http->ids, 1);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    (void)snprintf(text, 17, "%016llx", (unsigned long long)(z ^ (z >> 31)));
}

enum ock_handled ock_exchange_problem(struct ock_exchange *x, const struct ock_problem *problem)
{
    ock_reply_problem(&x->reply, problem, x->request_id);
    return OCK_HANDLED;
}

const char *ock_exchange_field(const struct ock_exchange *x, enum ock_http_field header)
{
    return x->headers.values[header];
}

/* 400 and the connection's end: what comes behind a broken request can't be told apart. */
static void refuse(struct ock_exchange *x, int status, const char *detail)
{
    struct ock_problem problem = {0};
    ock_problem_set(&problem, status, "bad_request", "The request is not valid HTTP", "%s", detail);
    x->reply.close = true;
    ock_exchange_problem(x, &problem);
}

void *ock_exchange_new(void *cls, const char *uri, struct MHD_Connection *connection)
{
    struct ock_exchange *x = calloc(1, sizeof(*x));
    if (!x)
        return NULL;
    x->http = cls;
    atomic_fetch_add(&x->http->active, 1);
    x->connection = connection;
    x->begun_us = now_us();
    make_request_id(x->http, x->request_id);
    ock_reply_init(&x->reply);
    ock_buf_init(&x->body, OCK_JSON_BODY_BYTES_MAX);
    struct ock_err err;
    enum ock_status status = ock_target_parse(&x->target, uri, &err);
    x->target_bad = status != OCK_OK;
    if (x->target_bad)
        refuse(x, status == OCK_LIMIT ? 414 : 400, err.text);
    return x;
}

/* Frees what a stream that runs for hours has no use for. */
static void shed(struct ock_exchange *x)
{
    ock_headers_deinit(&x->headers);
    ock_target_deinit(&x->target);
    ock_buf_deinit(&x->body);
}

static enum MHD_Result send_reply(struct ock_exchange *x)
{
    int status = x->reply.status;
    double seconds = (double)(now_us() - x->begun_us) * 1e-6;
    ock_peer_enter(ock_peer_of(x->connection), OCK_PEER_BUSY);
    ock_counters_add(&x->http->counters, x->route, x->method, status, seconds);
    ock_log(status >= 500 ? OCK_LOG_WARNING : OCK_LOG_DEBUG, "%s %s %d %.3f ms, request %s",
            ock_method_name(x->method), x->route ? x->route->path : "-", status, seconds * 1e3,
            x->request_id);
    x->phase = OCK_PHASE_SENT;
    enum MHD_Result queued = ock_reply_send(&x->reply, x->connection, x->request_id);
    shed(x);
    return queued;
}

static bool check_header(struct ock_exchange *x, const char *method, const char *version)
{
    struct ock_err err;
    if (x->target_bad)
        return false;
    x->method = ock_method_find(method);
    enum ock_status status = ock_headers_read(&x->headers, x->connection, version, &err);
    x->reply.http_1_0 = x->headers.http_1_0;
    if (status != OCK_OK) {
        refuse(x, status == OCK_NOMEM ? 500 : 400, err.text);
        return false;
    }
    if (x->method == OCK_METHOD_COUNT) {
        refuse(x, 400, "the method is none that this server knows");
        return false;
    }
    return true;
}

/* One connection too many: only probes are answered, since a busy server is not a dead one. */
static void refuse_surplus(struct ock_exchange *x)
{
    struct ock_problem problem = {.retry_after_s = SURPLUS_RETRY_S};
    ock_problem_set(&problem, 503, "too_many_connections", "Too many connections are open",
                    "%zu are open, and --connections allows no more; try again later",
                    x->http->peers.count_max);
    ock_exchange_problem(x, &problem);
}

/* Finds the route and asks whether this client may. False: the reply stands. */
static bool check_route(struct ock_exchange *x)
{
    char allow[OCK_ALLOW_SIZE];
    struct ock_problem missing = {0}, problem = {0};
    bool found = ock_route_find(&x->route, x->method, &x->target, x->args, allow, &missing);
    bool probe = found && x->route->probe, open = found && x->route->open;
    if (ock_peer_is_surplus(ock_peer_of(x->connection))) {
        x->reply.close = true;
        if (!probe) {
            refuse_surplus(x);
            return false;
        }
    }
    if (!probe && !ock_access_check(&x->http->access, &x->headers, x->method, open, &problem)) {
        ock_exchange_problem(x, &problem);
        return false;
    }
    if (!found && missing.status == 405)
        ock_reply_field(&x->reply, "Allow", "%s", allow);
    if (!found && missing.status == 405 && x->method == OCK_OPTIONS)
        ock_reply_empty(&x->reply, 204);
    else if (!found)
        ock_exchange_problem(x, &missing);
    return found;
}

static bool check_request(struct ock_exchange *x, const char *method, const char *version)
{
    struct ock_problem problem = {0};
    if (!check_header(x, method, version) || !check_route(x))
        return false;
    if (!ock_route_check_query(x->route, &x->target, &problem) || !ock_body_check(x, &problem)) {
        ock_exchange_problem(x, &problem);
        return false;
    }
    return true;
}

/* The reply stands before the body: now, if none will come or it must not; else after it. */
static enum MHD_Result answer_early(struct ock_exchange *x)
{
    bool coming = x->headers.chunked || x->headers.content_length > 0;
    if (x->reply.close || (coming && (x->headers.expects_continue ||
                                      x->headers.content_length > OCK_DISCARD_BYTES_MAX))) {
        x->reply.close = true;
        return send_reply(x);
    }
    x->phase = OCK_PHASE_DISCARD;
    return MHD_YES;
}

/* Lets the pool work while the connection sleeps. */
static enum MHD_Result hand_over(struct ock_exchange *x, enum ock_phase phase,
                                 struct ock_pool *pool)
{
    struct ock_problem problem = {0};
    int depth_max = pool == x->http->predicts ? OCK_PREDICT_DEPTH_MAX : OCK_POOL_DEPTH_MAX;
    if (ock_pool_depth(pool) >= (size_t)depth_max) {
        problem.retry_after_s = 1;
        ock_problem_set(&problem, 503, "busy", "Too many requests wait",
                        "%d requests wait for a thread; try again later", depth_max);
    } else if (ock_http_suspend(x->http, x->connection)) {
        x->phase = phase;
        ock_pool_poke(pool, &x->task);
        return MHD_YES;
    } else {
        problem.retry_after_s = 5;
        x->reply.close = true;
        ock_problem_set(&problem, 503, "draining", "The server is ending", "try again later");
    }
    ock_exchange_problem(x, &problem);
    return phase == OCK_PHASE_WORKING ? send_reply(x) : answer_early(x);
}

static enum MHD_Result expect_body(struct ock_exchange *x)
{
    bool coming = x->headers.chunked || x->headers.content_length > 0;
    ock_peer_enter(ock_peer_of(x->connection), coming ? OCK_PEER_BODY : OCK_PEER_BUSY);
    if (x->reply.status != 0)
        return answer_early(x);
    x->phase = OCK_PHASE_BODY;
    return MHD_YES;
}

static bool run(struct ock_task *task);

static enum MHD_Result first_call(struct ock_exchange *x, const char *method, const char *version)
{
    x->task.run = run;
    if (check_request(x, method, version) && x->route->begin) {
        ock_peer_enter(ock_peer_of(x->connection), OCK_PEER_BUSY);
        return hand_over(x, OCK_PHASE_BEGINNING, x->http->pool);
    }
    return expect_body(x);
}

/* A piece of the body. */
static enum MHD_Result take_body(struct ock_exchange *x, const char *bytes, size_t size)
{
    struct ock_problem problem = {0};
    x->body_bytes += size;
    ock_peer_body(ock_peer_of(x->connection), size);
    if (x->phase == OCK_PHASE_BODY && !ock_body_add(x, bytes, size, &problem)) {
        ock_exchange_problem(x, &problem);
        x->phase = OCK_PHASE_DISCARD;
    }
    if (x->phase == OCK_PHASE_DISCARD && x->body_bytes > OCK_DISCARD_BYTES_MAX)
        return MHD_NO;
    return MHD_YES;
}

static struct ock_pool *pool_of(const struct ock_exchange *x)
{
    switch (x->route->where) {
    case OCK_ON_ACTS:
        return x->http->acts;
    case OCK_ON_IMPORT:
        return x->http->imports;
    case OCK_ON_PREDICT:
        return x->http->predicts;
    case OCK_ON_POOL:
    case OCK_ON_LOOP:
    default:
        return x->http->pool;
    }
}

/* The body is whole. */
static enum MHD_Result work(struct ock_exchange *x)
{
    ock_peer_enter(ock_peer_of(x->connection), OCK_PEER_BUSY);
    if (x->route->where == OCK_ON_LOOP) {
        (void)x->route->handle(x);
        return send_reply(x);
    }
    return hand_over(x, OCK_PHASE_WORKING, pool_of(x));
}

/* On the pool: the handler, or an upload's beginning; then the connection goes on. */
static bool run(struct ock_task *task)
{
    struct ock_exchange *x = (struct ock_exchange *)task; /* its first member */
    struct ock_http *http = x->http;
    struct ock_pool *pool = http->pool;
    if (x->phase == OCK_PHASE_BEGINNING) {
        struct ock_problem problem = {0};
        if (!x->route->begin(x, &problem))
            ock_exchange_problem(x, &problem);
        x->phase = OCK_PHASE_BEGUN;
    } else {
        pool = pool_of(x);
        if (x->route->handle(x) == OCK_HANDLE_AGAIN)
            return true;
        ock_wait_end(x);
        x->phase = OCK_PHASE_WORKED;
    }
    ock_pool_release(pool, task);
    ock_http_resume(http, x->connection);
    return false;
}

enum MHD_Result ock_exchange_access(void *cls, struct MHD_Connection *connection, const char *url,
                                    const char *method, const char *version,
                                    const char *upload_data, size_t *upload_data_size,
                                    void **request)
{
    struct ock_exchange *x = *request;
    size_t size = *upload_data_size;
    (void)cls;
    (void)connection;
    (void)url; /* decoded by the library; ours is x->target */
    if (!x)
        return MHD_NO; /* no memory */
    *upload_data_size = 0;
    switch (x->phase) {
    case OCK_PHASE_NEW:
        return first_call(x, method, version);
    case OCK_PHASE_BEGUN:
        return expect_body(x);
    case OCK_PHASE_BODY:
        return size > 0 ? take_body(x, upload_data, size) : work(x);
    case OCK_PHASE_DISCARD:
        return size > 0 ? take_body(x, upload_data, size) : send_reply(x);
    case OCK_PHASE_WORKED:
        return send_reply(x);
    case OCK_PHASE_BEGINNING:
    case OCK_PHASE_WORKING:
    case OCK_PHASE_SENT:
    default:
        return MHD_NO;
    }
}

void ock_exchange_completed(void *cls, struct MHD_Connection *connection, void **request,
                            enum MHD_RequestTerminationCode code)
{
    struct ock_exchange *x = *request;
    (void)cls;
    (void)code;
    ock_peer_enter(ock_peer_of(connection), OCK_PEER_KEEPALIVE);
    if (!x)
        return;
    *request = NULL;
    ock_upload_discard(x->upload);
    ock_reply_deinit(&x->reply);
    shed(x);
    atomic_fetch_sub(&x->http->active, 1);
    free(x);
}
