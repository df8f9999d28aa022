/* Probes, version, system, metrics, and the texts that are made once at the start. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/jsonw.h"
#include "core/kernels/kernels.h"
#include "core/train/spec.h"
#include "server/handlers/handlers.h"
#include "server/member.h"

enum { TEXT_BYTES_MAX = 4 << 20 };

enum ock_handled ock_service_live(struct ock_exchange *x)
{
    ock_reply_text(&x->reply, 200, "application/json", "{\"status\":\"live\"}");
    return OCK_HANDLED;
}

enum ock_handled ock_service_ready(struct ock_exchange *x)
{
    if (atomic_load(&x->http->draining)) {
        struct ock_problem problem = {.retry_after_s = 5};
        ock_problem_set(&problem, 503, "draining", "The server is ending", "try again later");
        return ock_exchange_problem(x, &problem);
    }
    /* A full disk is no reason to take the server away: who deletes has to reach it. */
    struct ock_buf *out = &x->reply.body;
    unsigned degraded = ock_engine_degraded(x->http->engine);
    ock_buf_puts(out, "{\"status\":\"ready\"");
    if (degraded) {
        ock_buf_puts(out, ",\"degraded\":");
        ock_engine_degraded_write(degraded, out);
    }
    ock_buf_putc(out, '}');
    ock_reply_json(&x->reply, 200);
    return OCK_HANDLED;
}

enum ock_handled ock_service_version(struct ock_exchange *x)
{
    ock_reply_text(&x->reply, 200, "application/json", x->http->version);
    return OCK_HANDLED;
}

enum ock_handled ock_service_system(struct ock_exchange *x)
{
    struct ock_problem problem = {0};
    struct ock_buf *out = &x->reply.body;
    if (!ock_engine_system(x->http->engine, out, &problem))
        return ock_exchange_problem(x, &problem);
    out->size--; /* the brace: streams are not the engine's to count */
    ock_buf_printf(out, ",\"subscribers\":%zu}", ock_feeds_count(&x->http->feeds));
    ock_reply_json(&x->reply, 200);
    return OCK_HANDLED;
}

enum ock_handled ock_service_schema(struct ock_exchange *x)
{
    x->reply.cache = "no-cache";
    ock_reply_text(&x->reply, 200, "application/schema+json", x->http->schema);
    return OCK_HANDLED;
}

enum ock_handled ock_service_openapi(struct ock_exchange *x)
{
    x->reply.cache = "no-cache";
    ock_reply_text(&x->reply, 200, "application/json", x->http->openapi);
    return OCK_HANDLED;
}

/* ockham_jobs{status} from the system's "jobs": {status: count}. */
static void write_jobs(struct ock_exchange *x, struct ock_buf *out)
{
    static const char *const states[] = {"queued",    "running", "paused",
                                         "succeeded", "failed",  "cancelled"};
    struct ock_problem problem = {0};
    struct ock_buf text;
    const char *jobs;
    size_t size;
    ock_buf_init(&text, TEXT_BYTES_MAX);
    if (ock_engine_system(x->http->engine, &text, &problem) &&
        ock_member_find(text.data, text.size, "jobs", &jobs, &size)) {
        ock_buf_puts(out, "# HELP ockham_jobs Jobs by status.\n# TYPE ockham_jobs gauge\n");
        for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
            uint64_t count = 0;
            (void)ock_member_uint(jobs, size, states[i], &count);
            ock_buf_printf(out, "ockham_jobs{status=\"%s\"} %" PRIu64 "\n", states[i], count);
        }
    }
    ock_buf_deinit(&text);
}

enum ock_handled ock_service_metrics(struct ock_exchange *x)
{
    struct ock_buf *out = &x->reply.body;
    write_jobs(x, out);
    ock_engine_meters(x->http->engine, out);
    ock_buf_printf(out,
                   "# HELP ockham_event_subscribers Streams of events that are open.\n"
                   "# TYPE ockham_event_subscribers gauge\n"
                   "ockham_event_subscribers %zu\n",
                   ock_feeds_count(&x->http->feeds));
    ock_counters_write(&x->http->counters, out);
    x->reply.status = 200;
    x->reply.content_type = "text/plain; version=0.0.4; charset=utf-8";
    return OCK_HANDLED;
}

static void write_version(struct ock_buf *out)
{
    const struct ock_kernels *kernels = ock_kernels_get(NULL);
    struct ock_jsonw w = ock_jsonw_make(out);
    ock_jsonw_object(&w, NULL);
    ock_jsonw_string(&w, "version", OCK_VERSION);
    ock_jsonw_string(&w, "numerics", kernels ? ock_kernels_numerics(kernels) : NULL);
    ock_jsonw_end_object(&w);
}

enum ock_status ock_handlers_prepare(struct ock_http *http, const char *url, struct ock_err *err)
{
    struct ock_buf text;
    bool token = http->access.token_size > 0;
    ock_buf_init(&text, TEXT_BYTES_MAX);
    ock_spec_write_schema(&text);
    http->schema = ock_buf_take(&text);
    ock_openapi_write(&text);
    http->openapi = ock_buf_take(&text);
    ock_welcome_write(&text, url, token, false);
    http->welcome_text = ock_buf_take(&text);
    ock_welcome_write(&text, url, token, true);
    http->welcome_html = ock_buf_take(&text);
    write_version(&text);
    http->version = ock_buf_take(&text);
    ock_buf_deinit(&text);
    if (http->schema && http->openapi && http->welcome_text && http->welcome_html && http->version)
        return OCK_OK;
    return ock_fail(err, OCK_NOMEM, "out of memory for the server's texts");
}
