/* GET /v1/jobs/{id}/tuning: the table of a search, for programs, spreadsheets and eyes. */
#include <stdio.h>
#include <string.h>

#include "core/base/sha256.h"
#include "server/handlers/handlers.h"

static const struct {
    const char *name, *type;
} forms[] = {
    [OCK_TUNING_JSON] = {"json", "application/json"},
    [OCK_TUNING_CSV] = {"csv", "text/csv"},
    [OCK_TUNING_SVG] = {"svg", "image/svg+xml"},
};
enum { FORMS = sizeof(forms) / sizeof(forms[0]) };

/* ?format= or else Accept; -1: none that we have. */
static int choose_form(const struct ock_exchange *x)
{
    const char *types[FORMS];
    const char *asked = ock_target_get(&x->target, "format");
    for (size_t i = 0; i < FORMS; i++) {
        types[i] = forms[i].type;
        if (asked && strcmp(asked, forms[i].name) == 0)
            return (int)i;
    }
    return ock_accept_best(ock_exchange_field(x, OCK_HTTP_ACCEPT), types, FORMS);
}

/* A table grows while its job runs: what it is, is what its tag is made of. */
static void make_tag(const struct ock_buf *body, char tag[OCK_SHA256_TEXT_SIZE])
{
    struct ock_sha256 sha;
    ock_sha256_init(&sha);
    ock_sha256_add(&sha, body->data, body->size);
    ock_sha256_text(&sha, tag);
    tag[32] = '\0';
}

enum ock_handled ock_job_tuning(struct ock_exchange *x)
{
    struct ock_problem problem = {0};
    char tag[OCK_SHA256_TEXT_SIZE], field[OCK_SHA256_TEXT_SIZE + 2];
    struct ock_reply *reply = &x->reply;
    int form = choose_form(x);
    ock_reply_field(reply, "Vary", "Accept");
    if (form < 0) {
        ock_problem_set(&problem, 406, "not_acceptable",
                        "A tuning table does not come in that type",
                        "application/json, text/csv or image/svg+xml");
        return ock_exchange_problem(x, &problem);
    }
    if (!ock_engine_tuning(x->http->engine, x->args[0], (enum ock_tuning_form)form, &reply->body,
                           &problem))
        return ock_exchange_problem(x, &problem);
    make_tag(&reply->body, tag);
    (void)snprintf(field, sizeof(field), "\"%s\"", tag);
    reply->cache = "private, no-cache";
    ock_reply_field(reply, "ETag", "%s", field);
    if (ock_etag_listed(ock_exchange_field(x, OCK_HTTP_IF_NONE_MATCH), field)) {
        ock_reply_empty(reply, 304);
        return OCK_HANDLED;
    }
    reply->status = 200;
    reply->content_type = forms[form].type;
    return OCK_HANDLED;
}
