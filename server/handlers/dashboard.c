/* The dashboard: a page and its files, from the program's own table.
 *
 * A file's name tells its content, so browsers keep it for ever; the page that names the files is
 * asked for each time, and costs nothing while its tag is the same. Nothing in it is secret: it loads
 * without a token, since somebody has to see where to sign in. */
#include <stdio.h>
#include <string.h>

#include "server/handlers/handlers.h"
#include "server/http/assets.h"

/* The page runs its own files and talks to its own server. Also on scripts: a worker's script has a
 * policy of its own. */
static const char content_policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; worker-src 'self'; font-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/* All that a page could ask a person or a machine for, but writing to the clipboard: lines of curl
 * are there to be copied. Features that browsers have known for long: of others they complain. */
static const char permissions_policy[] =
    "accelerometer=(), autoplay=(), camera=(), clipboard-read=(), display-capture=(), "
    "encrypted-media=(), fullscreen=(), geolocation=(), gyroscope=(), hid=(), idle-detection=(), "
    "magnetometer=(), microphone=(), midi=(), payment=(), picture-in-picture=(), "
    "publickey-credentials-get=(), screen-wake-lock=(), serial=(), usb=(), "
    "xr-spatial-tracking=()";

/* The file, packed where the client takes that and it is worth it, or 304 for one that has it. Both
 * forms have tags of their own: they are different bytes. */
static enum ock_handled answer(struct ock_exchange *x, const struct ock_asset *asset)
{
    struct ock_reply *reply = &x->reply;
    const char *accepted = ock_exchange_field(x, OCK_HTTP_ACCEPT_ENCODING);
    bool packed = asset->gzip && ock_accept_coding(accepted, "gzip");
    char tag[80];
    (void)snprintf(tag, sizeof(tag), "\"%s%s\"", asset->tag, packed ? "-gzip" : "");
    ock_reply_field(reply, "ETag", "%s", tag);
    ock_reply_field(reply, "Cross-Origin-Resource-Policy", "same-origin");
    if (ock_etag_listed(ock_exchange_field(x, OCK_HTTP_IF_NONE_MATCH), tag)) {
        ock_reply_empty(reply, 304);
        return OCK_HANDLED;
    }
    if (packed)
        ock_reply_field(reply, "Content-Encoding", "gzip");
    ock_reply_bytes(reply, 200, asset->type, packed ? asset->gzip : asset->bytes,
                    packed ? asset->gzip_size : asset->size);
    return OCK_HANDLED;
}

enum ock_handled ock_dashboard_index(struct ock_exchange *x)
{
    struct ock_reply *reply = &x->reply;
    const struct ock_asset *page = ock_asset_find("index.html");
    bool html = ock_accept_names(ock_exchange_field(x, OCK_HTTP_ACCEPT), "text/html");
    ock_reply_field(reply, "Vary", page ? "Accept, Accept-Encoding" : "Accept");
    if (!html) {
        ock_reply_text(reply, 200, "text/plain; charset=utf-8", x->http->welcome_text);
        return OCK_HANDLED;
    }
    ock_reply_field(reply, "Referrer-Policy", "no-referrer");
    if (!page) {
        ock_reply_field(reply, "Content-Security-Policy",
                        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; "
                        "base-uri 'none'; form-action 'none'");
        ock_reply_text(reply, 200, "text/html; charset=utf-8", x->http->welcome_html);
        return OCK_HANDLED;
    }
    reply->cache = "no-cache";
    ock_reply_field(reply, "Content-Security-Policy", "%s", content_policy);
    ock_reply_field(reply, "Cross-Origin-Opener-Policy", "same-origin");
    ock_reply_field(reply, "Permissions-Policy", "%s", permissions_policy);
    return answer(x, page);
}

enum ock_handled ock_dashboard_file(struct ock_exchange *x)
{
    struct ock_problem problem = {0};
    const struct ock_asset *asset = ock_asset_find(x->args[0]);
    /* The page has its own path, and must not be kept for ever. */
    if (!asset || strcmp(asset->name, "index.html") == 0) {
        ock_problem_set(&problem, 404, "not_found", "The dashboard has no such file",
                        "a page that was loaded before the server was updated: load it again");
        return ock_exchange_problem(x, &problem);
    }
    x->reply.cache = "public, max-age=31536000, immutable";
    ock_reply_field(&x->reply, "Vary", "Accept-Encoding");
    if (strncmp(asset->type, "text/javascript", 15) == 0)
        ock_reply_field(&x->reply, "Content-Security-Policy", "%s", content_policy);
    return answer(x, asset);
}

enum ock_handled ock_dashboard_docs(struct ock_exchange *x)
{
    /* Relative: behind a proxy, the server does not know under which path it is. */
    ock_reply_field(&x->reply, "Location", "%s", ock_asset_count ? "./#/api" : "./openapi.json");
    ock_reply_empty(&x->reply, 303);
    return OCK_HANDLED;
}
