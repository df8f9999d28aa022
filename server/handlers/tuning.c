/* GET /v1/jobs/{id}/tuning: the table of a search, for programs, spreadsheets and eyes. */
#include <string.h>

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

enum ock_handled ock_job_tuning(struct ock_exchange *x)
{
    struct ock_problem problem = {0};
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
    return ock_handler_tagged(x, forms[form].type);
}
