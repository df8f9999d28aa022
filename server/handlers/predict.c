/* POST /v1/jobs/{id}/predict. */
#include <ctype.h>
#include <string.h>

#include "server/handlers/handlers.h"
#include "server/predict.h"

struct form {
    const char *name, *type;
};
static const struct form forms[] = {
    {"json", "application/json"}, {"csv", "text/csv"}, {"ndjson", "application/x-ndjson"}};
enum { FORMS = sizeof(forms) / sizeof(forms[0]) };

/* Mostly found by the first row; one without terms could be anything. */
static const char svmlight_type[] = "text/x-svmlight";

/* ?format= goes before Accept; an Accept that names none of them gets JSON. */
static const struct form *choose_form(const struct ock_exchange *x)
{
    const char *types[FORMS];
    const char *asked = ock_target_get(&x->target, "format");
    for (size_t i = 0; i < FORMS; i++) {
        types[i] = forms[i].type;
        if (asked && strcmp(asked, forms[i].name) == 0)
            return &forms[i];
    }
    int best = ock_accept_best(ock_exchange_field(x, OCK_HTTP_ACCEPT), types, FORMS);
    return &forms[best < 0 ? 0 : best];
}

/* By the type where it says something; curl sends everything as a form, so else by the content. */
static bool is_json(const char *type, const struct ock_buf *body)
{
    size_t size = strlen(type);
    if (strcmp(type, "application/json") == 0 ||
        (size > 5 && strcmp(type + size - 5, "+json") == 0))
        return true;
    if (strcmp(type, "text/csv") == 0 || strcmp(type, "text/tab-separated-values") == 0 ||
        strcmp(type, svmlight_type) == 0)
        return false;
    size_t at = 0;
    while (at < body->size && isspace((unsigned char)body->data[at]))
        at++;
    return at < body->size && (body->data[at] == '{' || body->data[at] == '[');
}

enum ock_handled ock_job_predict(struct ock_exchange *x)
{
    struct ock_problem problem = {0};
    struct ock_predicted predicted;
    char type[64];
    const struct form *form = choose_form(x);
    const char *which = ock_target_get(&x->target, "which");
    const char *delimiter = ock_target_get(&x->target, "delimiter");
    ock_media_type(ock_exchange_field(x, OCK_HTTP_CONTENT_TYPE), type, sizeof(type));
    if (!delimiter && strcmp(type, "text/tab-separated-values") == 0)
        delimiter = "tab";
    if (x->body.size == 0) {
        ock_problem_set(&problem, 400, "invalid_json", "The body is empty",
                        "send rows: {\"rows\": [{\"column\": value, …}]}, or a CSV with a header");
        return ock_exchange_problem(x, &problem);
    }
    struct ock_predict_order order = {.job = x->args[0],
                                      .which = which ? which : "best",
                                      .rows = x->body.data,
                                      .size = x->body.size,
                                      .json = is_json(type, &x->body),
                                      .svmlight = strcmp(type, svmlight_type) == 0,
                                      .format = form->name,
                                      .delimiter = delimiter,
                                      .missing = ock_target_get(&x->target, "missing"),
                                      .header = ock_target_get(&x->target, "header")};
    if (!ock_engine_predict(x->http->engine, &order, &predicted, &problem))
        return ock_exchange_problem(x, &problem);
    x->reply.status = 200;
    x->reply.content_type = form->type;
    x->reply.fd = predicted.fd;
    x->reply.fd_size = predicted.size;
    return OCK_HANDLED;
}
