/* /v1/datasets. An upload's bytes go to the engine as they come (body.c); here is its beginning and
 * its end. */
#include <stdio.h>
#include <string.h>

#include "core/data/summary.h"
#include "server/handlers/handlers.h"
#include "server/member.h"

enum { SUMMARY_WAIT_S = 25, SUMMARY_RETRY_S = 5, SUMMARY_LOOK_MS = 20 };

static enum ock_upload_part part_of(const struct ock_exchange *x)
{
    if (x->target.segment_count < 4)
        return OCK_PART_TABLE;
    return strcmp(x->target.segments[3], "x") == 0 ? OCK_PART_X : OCK_PART_Y;
}

/* What Content-Type or ?format= says: a TSV is a CSV between tabs. */
static void find_format(const struct ock_exchange *x, struct ock_upload_options *options)
{
    char type[64];
    const char *format = ock_target_get(&x->target, "format");
    ock_media_type(ock_exchange_field(x, OCK_HTTP_CONTENT_TYPE), type, sizeof(type));
    if (!format && strcmp(type, "text/csv") == 0)
        format = "csv";
    if (!format && strcmp(type, "text/tab-separated-values") == 0)
        format = "tsv";
    options->format = format;
    if (!format || strcmp(format, "tsv") != 0)
        return;
    options->format = "csv";
    if (!options->delimiter)
        options->delimiter = "tab";
}

bool ock_dataset_put_begin(struct ock_exchange *x, struct ock_problem *problem)
{
    const char *header = ock_target_get(&x->target, "header");
    if (header && strcmp(header, "auto") != 0)
        header = ock_query_bool(&x->target, "header", true) ? "true" : "false";
    struct ock_upload_options options = {
        .name = x->args[0],
        .part = part_of(x),
        .target = ock_target_get(&x->target, "target"),
        .delimiter = ock_target_get(&x->target, "delimiter"),
        .header = header,
        .types = ock_target_get(&x->target, "types"),
        .missing = ock_target_get(&x->target, "missing"),
        .replace = ock_query_bool(&x->target, "replace", false),
    };
    find_format(x, &options);
    return ock_upload_begin(x->http->engine, &x->upload, &options, problem);
}

enum ock_handled ock_dataset_put(struct ock_exchange *x)
{
    struct ock_problem problem = {0};
    struct ock_buf *out = &x->reply.body;
    struct ock_upload *upload = x->upload;
    char id[OCK_ID_SIZE];
    int status = 0;
    x->upload = NULL; /* the engine takes it in any case */
    if (!ock_upload_finish(upload, OCK_IMPORT_WAIT_MS, out, &status, &problem))
        return ock_exchange_problem(x, &problem);
    if (ock_member_string(out->data, out->size, "id", id, sizeof(id)))
        ock_reply_field(&x->reply, "Location", "/v1/datasets/%s", id);
    ock_reply_json(&x->reply, status);
    return OCK_HANDLED;
}

enum ock_handled ock_dataset_list(struct ock_exchange *x)
{
    struct ock_problem problem = {0};
    if (!ock_engine_datasets(x->http->engine, &x->reply.body, &problem))
        return ock_exchange_problem(x, &problem);
    ock_reply_json(&x->reply, 200);
    return OCK_HANDLED;
}

enum ock_handled ock_dataset_get(struct ock_exchange *x)
{
    struct ock_problem problem = {0};
    if (!ock_engine_dataset(x->http->engine, x->args[0], &x->reply.body, &problem))
        return ock_exchange_problem(x, &problem);
    ock_reply_json(&x->reply, 200);
    return OCK_HANDLED;
}

/* A summary is made once, in seconds at most for what is usual; whoever asks meanwhile waits, on no
 * thread. */
static enum ock_handled wait_for_summary(struct ock_exchange *x)
{
    struct ock_problem problem = {.retry_after_s = SUMMARY_RETRY_S};
    if (!x->wait.active && !ock_wait_begin(x, NULL, SUMMARY_WAIT_S, &problem))
        return ock_exchange_problem(x, &problem);
    if (ock_wait_over(x)) {
        ock_problem_set(&problem, 503, "summary_not_ready", "The summary is not ready yet",
                        "it is being made; ask again in %d s", SUMMARY_RETRY_S);
        return ock_exchange_problem(x, &problem);
    }
    int64_t now = ock_http_now_ms(), waited = now - x->wait.begun_ms;
    ock_wait_until(x, now + (waited < 200 ? SUMMARY_LOOK_MS : waited / 10));
    return OCK_HANDLE_AGAIN;
}

/* The id stands for the content, the version for the program: the query is the client's business. */
static bool client_has_it(struct ock_exchange *x, const char *id)
{
    char etag[OCK_ID_SIZE + 16];
    (void)snprintf(etag, sizeof(etag), "\"%s-%d\"", id, OCK_SUMMARY_VERSION);
    ock_reply_field(&x->reply, "ETag", "%s", etag);
    x->reply.cache = "no-cache";
    return ock_etag_listed(ock_exchange_field(x, OCK_HTTP_IF_NONE_MATCH), etag);
}

enum ock_handled ock_dataset_summary(struct ock_exchange *x)
{
    struct ock_problem problem = {0};
    char id[OCK_ID_SIZE];
    bool pending = false;
    if (!ock_engine_dataset_ready(x->http->engine, x->args[0], id, &problem))
        return ock_exchange_problem(x, &problem);
    if (!ock_engine_summary(x->http->engine, id, ock_target_get(&x->target, "columns"),
                            &x->reply.body, &pending, &problem))
        return ock_exchange_problem(x, &problem);
    if (pending)
        return wait_for_summary(x);
    if (client_has_it(x, id)) {
        ock_buf_clear(&x->reply.body);
        ock_reply_empty(&x->reply, 304);
    } else {
        ock_reply_json(&x->reply, 200);
    }
    return OCK_HANDLED;
}

enum ock_handled ock_dataset_delete(struct ock_exchange *x)
{
    struct ock_problem problem = {0};
    if (!ock_engine_dataset_delete(x->http->engine, x->args[0], &problem))
        return ock_exchange_problem(x, &problem);
    ock_reply_empty(&x->reply, 204);
    return OCK_HANDLED;
}
