/* Answers that grow while their job runs: what they are, is what their tag is made of. */
#include <stdio.h>

#include "core/base/sha256.h"
#include "server/handlers/handlers.h"

enum { TAG_CHARACTERS = 32 };

enum ock_handled ock_handler_tagged(struct ock_exchange *x, const char *content_type)
{
    char text[OCK_SHA256_TEXT_SIZE], tag[TAG_CHARACTERS + 3];
    struct ock_sha256 sha;
    struct ock_reply *reply = &x->reply;
    ock_sha256_init(&sha);
    ock_sha256_add(&sha, reply->body.data, reply->body.size);
    ock_sha256_text(&sha, text);
    (void)snprintf(tag, sizeof(tag), "\"%.*s\"", TAG_CHARACTERS, text);
    reply->cache = "private, no-cache";
    ock_reply_field(reply, "ETag", "%s", tag);
    if (ock_etag_listed(ock_exchange_field(x, OCK_HTTP_IF_NONE_MATCH), tag)) {
        ock_reply_empty(reply, 304);
        return OCK_HANDLED;
    }
    reply->status = 200;
    reply->content_type = content_type;
    return OCK_HANDLED;
}
