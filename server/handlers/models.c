/* A job's model: bytes that never change under their name, so that Range and ETag are simple. A pruned
 * one is made anew for each request, to the same bytes; its tag follows from the whole one's, so that
 * a client who has it already is told so without making it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/handlers/handlers.h"
#include "server/pruned.h"

struct span {
    uint64_t first, count;
};

enum range { WHOLE, PART, UNSATISFIABLE };

/* Digits at *at; false if there are none or too many. */
static bool read_number(const char **at, uint64_t *value)
{
    const char *begin = *at;
    *value = 0;
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        if (*at - begin == 18)
            return false;
        *value = *value * 10 + (uint64_t)(**at - '0');
    }
    return *at > begin;
}

/* "bytes=a-b", "bytes=a-", "bytes=-n" (RFC 9110, 14.1.2). Several ranges, and what is no range,
 * may be ignored: then the whole is sent. */
static enum range parse_range(const char *field, uint64_t size, struct span *span)
{
    uint64_t first = 0, last = 0;
    *span = (struct span){0, size};
    if (!field || strncmp(field, "bytes=", 6) != 0)
        return WHOLE;
    const char *at = field + 6;
    if (*at == '-') {
        at++;
        if (!read_number(&at, &last) || *at)
            return WHOLE;
        if (last == 0 || size == 0)
            return UNSATISFIABLE;
        span->count = last < size ? last : size;
        span->first = size - span->count;
        return PART;
    }
    if (!read_number(&at, &first) || *at++ != '-')
        return WHOLE;
    bool open = *at == '\0';
    if (!open && (!read_number(&at, &last) || *at || last < first))
        return WHOLE;
    if (first >= size)
        return UNSATISFIABLE;
    if (open || last >= size)
        last = size - 1;
    *span = (struct span){first, last - first + 1};
    return PART;
}

/* Puts the model's bytes of the span into the reply; takes the model's descriptor or bytes. */
static void give(struct ock_reply *reply, struct ock_model *model, const struct span *span)
{
    if (model->fd >= 0) {
        reply->fd = model->fd;
        reply->fd_offset = span->first;
        reply->fd_size = span->count;
        return;
    }
    reply->body = model->bytes;
    ock_buf_init(&model->bytes, 0);
    ock_buf_consume(&reply->body, (size_t)span->first);
    if (reply->body.size > span->count)
        reply->body.size = (size_t)span->count;
}

static void drop(struct ock_model *model)
{
    if (model->fd >= 0)
        close(model->fd);
    ock_buf_deinit(&model->bytes);
}

static void answer_unsatisfiable(struct ock_exchange *x, uint64_t size)
{
    struct ock_problem problem = {0};
    ock_problem_set(&problem, 416, "range_not_satisfiable", "The range is beyond the model's end",
                    "the model has %" PRIu64 " bytes", size);
    ock_reply_field(&x->reply, "Content-Range", "bytes */%" PRIu64, size);
    ock_exchange_problem(x, &problem);
}

static enum ock_handled answer_model(struct ock_exchange *x, struct ock_model *model, bool prune)
{
    struct ock_reply *reply = &x->reply;
    struct ock_problem problem = {0};
    struct span span;
    char etag[80];
    (void)snprintf(etag, sizeof(etag), "\"%s%s\"", model->sha256, prune ? "-pruned" : "");
    const char *if_range = ock_exchange_field(x, OCK_HTTP_IF_RANGE);
    const char *range = ock_exchange_field(x, OCK_HTTP_RANGE);
    if (if_range && strcmp(if_range, etag) != 0)
        range = NULL;
    reply->cache = "private, no-cache";
    ock_reply_field(reply, "ETag", "%s", etag);
    if (ock_etag_listed(ock_exchange_field(x, OCK_HTTP_IF_NONE_MATCH), etag)) {
        drop(model);
        ock_reply_empty(reply, 304);
        return OCK_HANDLED;
    }
    if (prune && !ock_engine_prune_model(x->http->engine, model, &problem)) {
        drop(model);
        return ock_exchange_problem(x, &problem);
    }
    enum range kind = parse_range(range, model->size, &span);
    if (kind == UNSATISFIABLE) {
        drop(model);
        answer_unsatisfiable(x, model->size);
        return OCK_HANDLED;
    }
    ock_reply_field(reply, "Accept-Ranges", "bytes");
    ock_reply_field(reply, "Content-Disposition", "attachment; filename=\"%s\"", model->filename);
    if (kind == PART)
        ock_reply_field(reply, "Content-Range", "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64,
                        span.first, span.first + span.count - 1, model->size);
    reply->status = kind == PART ? 206 : 200;
    reply->content_type = "application/octet-stream";
    give(reply, model, &span);
    return OCK_HANDLED;
}

enum ock_handled ock_job_model(struct ock_exchange *x)
{
    struct ock_problem problem = {0};
    struct ock_model model = {.fd = -1};
    const char *which = ock_target_get(&x->target, "which");
    ock_buf_init(&model.bytes, OCK_REPLY_BYTES_MAX);
    if (!ock_engine_model(x->http->engine, x->args[0], which ? which : "best", &model, &problem)) {
        ock_buf_deinit(&model.bytes);
        return ock_exchange_problem(x, &problem);
    }
    return answer_model(x, &model, ock_query_bool(&x->target, "prune", false));
}
