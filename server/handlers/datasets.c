/* /v1/datasets. An upload's bytes go to the engine as they come (body.c); here is its beginning and
 * its end. */
#include <string.h>

#include "server/handlers/handlers.h"
#include "server/http/member.h"

static enum ock_upload_part part_of(const struct ock_exchange *x)
{
    if (x->target.segment_count < 4)
        return OCK_PART_TABLE;
    return strcmp(x->target.segments[3], "x") == 0 ? OCK_PART_X : OCK_PART_Y;
}

/* What Content-Type says about the format, NULL if nothing. */
static const char *format_of_type(const char *content_type)
{
    char type[64];
    ock_media_type(content_type, type, sizeof(type));
    return strcmp(type, "text/csv") == 0 ? "csv" : NULL;
}

bool ock_dataset_put_begin(struct ock_exchange *x, struct ock_problem *problem)
{
    const char *format = ock_target_get(&x->target, "format");
    if (!format)
        format = format_of_type(ock_exchange_field(x, OCK_HTTP_CONTENT_TYPE));
    const char *header = ock_target_get(&x->target, "header");
    if (header)
        header = ock_query_bool(&x->target, "header", true) ? "true" : "false";
    struct ock_upload_options options = {
        .name = x->args[0],
        .part = part_of(x),
        .format = format,
        .target = ock_target_get(&x->target, "target"),
        .delimiter = ock_target_get(&x->target, "delimiter"),
        .header = header,
        .replace = ock_query_bool(&x->target, "replace", false),
    };
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

enum ock_handled ock_dataset_delete(struct ock_exchange *x)
{
    struct ock_problem problem = {0};
    if (!ock_engine_dataset_delete(x->http->engine, x->args[0], &problem))
        return ock_exchange_problem(x, &problem);
    ock_reply_empty(&x->reply, 204);
    return OCK_HANDLED;
}
