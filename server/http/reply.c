/* Answers. Security headers are put on here, so that none can be forgotten. */
#include "server/http/reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/http/feed.h"

void ock_reply_init(struct ock_reply *reply)
{
    *reply = (struct ock_reply){.fd = -1};
    ock_buf_init(&reply->body, OCK_REPLY_BYTES_MAX);
}

void ock_reply_deinit(struct ock_reply *reply)
{
    ock_buf_deinit(&reply->body);
    for (size_t i = 0; i < reply->field_count; i++)
        free(reply->fields[i].value);
    reply->field_count = 0;
    if (reply->fd >= 0)
        close(reply->fd);
    reply->fd = -1;
    ock_feed_close(reply->feed);
    reply->feed = NULL;
}

void ock_reply_field(struct ock_reply *reply, const char *name, const char *value, ...)
{
    char text[2048];
    va_list args;
    va_start(args, value);
    int length = vsnprintf(text, sizeof(text), value, args);
    va_end(args);
    if (length < 0 || (size_t)length >= sizeof(text) || reply->field_count == OCK_REPLY_FIELDS_MAX)
        return;
    struct ock_reply_field *field = &reply->fields[reply->field_count];
    field->name = name;
    field->value = strdup(text);
    if (field->value)
        reply->field_count++;
}

void ock_reply_json(struct ock_reply *reply, int status)
{
    reply->status = status;
    reply->content_type = "application/json";
}

void ock_reply_empty(struct ock_reply *reply, int status)
{
    ock_buf_clear(&reply->body);
    reply->status = status;
    reply->content_type = NULL;
}

void ock_reply_text(struct ock_reply *reply, int status, const char *type, const char *text)
{
    ock_reply_bytes(reply, status, type, text, strlen(text));
}

void ock_reply_bytes(struct ock_reply *reply, int status, const char *type, const void *bytes,
                     size_t size)
{
    reply->status = status;
    reply->content_type = type;
    reply->bytes = bytes;
    reply->size = size;
}

void ock_reply_problem(struct ock_reply *reply, const struct ock_problem *problem,
                       const char *request_id)
{
    ock_buf_clear(&reply->body);
    ock_problem_write(problem, request_id, &reply->body);
    reply->status = problem->status;
    reply->content_type = "application/problem+json";
    reply->bytes = NULL;
    if (problem->retry_after_s > 0)
        ock_reply_field(reply, MHD_HTTP_HEADER_RETRY_AFTER, "%d", problem->retry_after_s);
    if (problem->status == 401)
        ock_reply_field(reply, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer realm=\"ockham\"");
}

/* Hands the body over to a response of the library. NULL: out of memory. */
static struct MHD_Response *make_response(struct ock_reply *reply,
                                          struct MHD_Connection *connection)
{
    if (reply->feed) {
        struct ock_feed *feed = reply->feed;
        reply->feed = NULL;
        return ock_feed_response(feed, connection, !reply->http_1_0);
    }
    if (reply->fd >= 0) {
        struct MHD_Response *response =
            MHD_create_response_from_fd_at_offset64(reply->fd_size, reply->fd, reply->fd_offset);
        if (response)
            reply->fd = -1;
        return response;
    }
    if (reply->bytes) /* the library does not write to them */
        return MHD_create_response_from_buffer(reply->size, (void *)(uintptr_t)reply->bytes,
                                               MHD_RESPMEM_PERSISTENT);
    size_t size = reply->body.size;
    if (size == 0)
        return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    char *body = ock_buf_take(&reply->body);
    if (!body)
        return NULL;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(size, body, MHD_RESPMEM_MUST_FREE);
    if (!response)
        free(body);
    return response;
}

static void add_fields(const struct ock_reply *reply, struct MHD_Response *response,
                       const char *request_id)
{
    for (size_t i = 0; i < reply->field_count; i++)
        (void)MHD_add_response_header(response, reply->fields[i].name, reply->fields[i].value);
    if (reply->content_type)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->content_type);
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL,
                                  reply->cache ? reply->cache : "no-store");
    (void)MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    (void)MHD_add_response_header(response, "X-Request-Id", request_id);
    if (reply->close)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
}

enum MHD_Result ock_reply_send(struct ock_reply *reply, struct MHD_Connection *connection,
                               const char *request_id)
{
    struct MHD_Response *response = make_response(reply, connection);
    if (!response)
        return MHD_NO;
    add_fields(reply, response, request_id);
    enum MHD_Result queued = MHD_queue_response(connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return queued;
}
