/* Events, a job's or those of all jobs, and metrics' history. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/handlers/handlers.h"

enum { PAGE_LIMIT = 100, PAGE_BYTES_MAX = 8 << 20, METRICS_POINTS = 1000 };

enum format { SSE, NDJSON, JSON_PAGE };

static const char *const types[] = {"text/event-stream", "application/x-ndjson",
                                    "application/json"};

/* ?format= or else Accept, of the first `count` formats; -1: none that we have. */
static int choose_format(const struct ock_exchange *x, size_t count)
{
    const char *asked = ock_target_get(&x->target, "format");
    if (!asked)
        return ock_accept_best(ock_exchange_field(x, OCK_HTTP_ACCEPT), types, count);
    if (strcmp(asked, "sse") == 0)
        return SSE;
    return strcmp(asked, "ndjson") == 0 ? NDJSON : JSON_PAGE;
}

static void add_stream_fields(struct ock_exchange *x, enum ock_feed_format format)
{
    x->reply.status = 200;
    x->reply.content_type = ock_format_type(format);
    ock_reply_field(&x->reply, "X-Accel-Buffering", "no");
    ock_reply_field(&x->reply, "Vary", "Accept");
}

static enum ock_handled answer_stream(struct ock_exchange *x,
                                      const struct ock_feed_request *request)
{
    struct ock_problem problem = {0};
    struct ock_feed *feed = NULL;
    bool over = false;
    if (!ock_feed_open(&feed, x->http, request, &over, &problem))
        return ock_exchange_problem(x, &problem);
    if (over || x->method == OCK_HEAD)
        ock_feed_close(feed);
    else
        x->reply.feed = feed;
    if (over)
        ock_reply_empty(&x->reply, 204);
    else
        add_stream_fields(x, request->format);
    return OCK_HANDLED;
}

enum ock_handled ock_job_stream(struct ock_exchange *x, const char *job, uint64_t after,
                                enum ock_feed_format format)
{
    const struct ock_feed_request request = {.job = job, .after = after, .format = format};
    return answer_stream(x, &request);
}

/* {"items": [...], "next": cursor or null, "ended"}. next is there as long as more can come. */
static enum ock_handled answer_page(struct ock_exchange *x, uint64_t after)
{
    struct ock_problem problem = {0};
    struct ock_buf lines, *out = &x->reply.body;
    uint64_t last = after;
    bool ended = false;
    size_t limit = (size_t)ock_query_whole(&x->target, "limit", PAGE_LIMIT);
    ock_buf_init(&lines, PAGE_BYTES_MAX + (1 << 20));
    if (!ock_engine_events(x->http->engine, x->args[0], after, limit, PAGE_BYTES_MAX, &lines, &last,
                           &ended, &problem)) {
        ock_buf_deinit(&lines);
        return ock_exchange_problem(x, &problem);
    }
    ock_buf_puts(out, "{\"items\":[");
    for (size_t at = 0; at < lines.size;) {
        size_t size = strcspn(lines.data + at, "\n");
        if (at > 0)
            ock_buf_putc(out, ',');
        ock_buf_add(out, lines.data + at, size);
        at += size + 1;
    }
    ock_buf_deinit(&lines);
    if (ended)
        ock_buf_puts(out, "],\"next\":null,\"ended\":true}");
    else
        ock_buf_printf(out, "],\"next\":%" PRIu64 ",\"ended\":false}", last);
    ock_reply_field(&x->reply, "Vary", "Accept");
    ock_reply_json(&x->reply, 200);
    return OCK_HANDLED;
}

/* Last-Event-ID, else ?after=: an EventSource that comes back has both, and the former is newer.
 * *after is untouched if there is neither. */
static bool find_after(const struct ock_exchange *x, uint64_t *after, struct ock_problem *problem)
{
    const char *last = ock_exchange_field(x, OCK_HTTP_LAST_EVENT_ID);
    if (ock_target_get(&x->target, "after"))
        *after = (uint64_t)ock_query_whole(&x->target, "after", 0);
    if (!last || !*last)
        return true;
    uint64_t value = 0;
    size_t size = strlen(last);
    for (size_t i = 0; i < size && i < 19; i++) {
        if (last[i] < '0' || last[i] > '9' || size > 18) {
            ock_problem_set(problem, 400, "invalid_header", "Last-Event-ID is no event's number",
                            "it must be a whole number from 0, as in the stream's id lines");
            return false;
        }
        value = value * 10 + (uint64_t)(last[i] - '0');
    }
    *after = value;
    return true;
}

enum ock_handled ock_job_events(struct ock_exchange *x)
{
    struct ock_problem problem = {0};
    uint64_t after = 0;
    int format = choose_format(x, 3);
    if (!find_after(x, &after, &problem))
        return ock_exchange_problem(x, &problem);
    switch (format) {
    case SSE:
        return ock_job_stream(x, x->args[0], after, OCK_FEED_SSE);
    case NDJSON:
        return ock_job_stream(x, x->args[0], after, OCK_FEED_NDJSON);
    case JSON_PAGE:
        return answer_page(x, after);
    default:
        ock_problem_set(&problem, 406, "not_acceptable", "Events do not come in that type",
                        "text/event-stream, application/x-ndjson or application/json");
        return ock_exchange_problem(x, &problem);
    }
}

enum ock_handled ock_all_events(struct ock_exchange *x)
{
    struct ock_problem problem = {0};
    struct ock_feed_request request = {.job = "", .after = OCK_FEED_FROM_NOW};
    int format = choose_format(x, 2);
    if (!find_after(x, &request.after, &problem))
        return ock_exchange_problem(x, &problem);
    if (format < 0) {
        ock_problem_set(&problem, 406, "not_acceptable",
                        "All jobs' events do not come in that type",
                        "text/event-stream or application/x-ndjson");
        return ock_exchange_problem(x, &problem);
    }
    request.format = format == SSE ? OCK_FEED_SSE : OCK_FEED_NDJSON;
    return answer_stream(x, &request);
}

enum ock_handled ock_job_metrics(struct ock_exchange *x)
{
    static const char *const metric_types[] = {"application/json", "text/csv"};
    struct ock_problem problem = {0};
    const char *asked = ock_target_get(&x->target, "format");
    int best = ock_accept_best(ock_exchange_field(x, OCK_HTTP_ACCEPT), metric_types, 2);
    bool csv = asked ? strcmp(asked, "csv") == 0 : best == 1;
    size_t points = (size_t)ock_query_whole(&x->target, "max_points", METRICS_POINTS);
    if (!asked && best < 0) {
        ock_problem_set(&problem, 406, "not_acceptable", "Metrics do not come in that type",
                        "application/json or text/csv");
        return ock_exchange_problem(x, &problem);
    }
    if (!ock_engine_metrics(x->http->engine, x->args[0], ock_target_get(&x->target, "names"),
                            points, csv, &x->reply.body, &problem))
        return ock_exchange_problem(x, &problem);
    ock_reply_json(&x->reply, 200);
    if (csv)
        x->reply.content_type = "text/csv; charset=utf-8";
    ock_reply_field(&x->reply, "Vary", "Accept");
    return OCK_HANDLED;
}
