/* /openapi.json, made from the routes table: what is in the document is what is answered to. */
#include <stdio.h>
#include <string.h>

#include "core/base/jsonw.h"
#include "server/handlers/handlers.h"

/* What the table does not know: the shapes of the objects. Clients ignore keys that they don't know. */
static const char components[] =
    "{\"securitySchemes\":{\"token\":{\"type\":\"http\",\"scheme\":\"bearer\"}},\"schemas\":{"
    "\"Problem\":{\"type\":\"object\",\"description\":\"RFC 9457, all faults at once\","
    "\"required\":[\"type\",\"title\",\"status\",\"code\"],\"properties\":{"
    "\"type\":{\"type\":\"string\"},\"title\":{\"type\":\"string\"},"
    "\"status\":{\"type\":\"integer\"},\"code\":{\"type\":\"string\"},"
    "\"detail\":{\"type\":\"string\"},\"request_id\":{\"type\":\"string\"},"
    "\"errors\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
    "\"required\":[\"pointer\",\"code\",\"detail\"],\"properties\":{"
    "\"pointer\":{\"type\":\"string\",\"description\":\"a JSON pointer into the body\"},"
    "\"code\":{\"type\":\"string\"},\"detail\":{\"type\":\"string\"},"
    "\"suggestion\":{\"type\":\"string\"},\"got\":{}}}}}},"
    "\"Job\":{\"type\":\"object\",\"required\":[\"id\",\"status\"],\"properties\":{"
    "\"id\":{\"type\":\"string\"},\"name\":{\"type\":[\"string\",\"null\"]},"
    "\"status\":{\"enum\":[\"queued\",\"running\",\"paused\",\"succeeded\",\"failed\","
    "\"cancelled\"]},\"labels\":{\"type\":\"object\"},\"priority\":{\"type\":\"integer\"},"
    "\"created_at\":{\"type\":\"string\",\"format\":\"date-time\"},"
    "\"started_at\":{\"type\":[\"string\",\"null\"]},"
    "\"finished_at\":{\"type\":[\"string\",\"null\"]},\"dataset\":{},"
    "\"progress\":{\"type\":\"object\",\"properties\":{\"fraction\":{\"type\":\"number\"},"
    "\"epoch\":{\"type\":\"integer\"},\"epochs\":{\"type\":\"integer\"},"
    "\"eta_s\":{\"type\":[\"number\",\"null\"]},\"trials\":{\"type\":\"object\","
    "\"description\":\"of a search only\",\"properties\":{\"done\":{\"type\":\"integer\"},"
    "\"total\":{\"type\":\"integer\"}}}}},"
    "\"latest\":{},\"best\":{},\"spec\":{\"type\":\"object\"},\"resolved\":{},"
    "\"attempt\":{\"type\":\"integer\"},\"stop_reason\":{\"type\":[\"string\",\"null\"]},"
    "\"warnings\":{\"type\":\"array\"},\"error\":{},\"model\":{\"type\":[\"object\",\"null\"],"
    "\"description\":\"bytes, sha256, parameters, and pruned: parameters and bytes of the model "
    "without "
    "what nothing reads\"},\"links\":{\"type\":\"object\"}}},"
    "\"Spec\":{\"type\":\"object\",\"description\":\"see /v1/schema/job\","
    "\"properties\":{\"data\":{\"type\":\"object\"},\"model\":{\"type\":\"object\"},"
    "\"loss\":{\"type\":\"string\"},\"regularization\":{\"type\":\"object\"},"
    "\"optimizer\":{\"type\":\"object\"},\"train\":{\"type\":\"object\"},"
    "\"tune\":{\"type\":\"object\"}}},"
    "\"Rows\":{\"type\":\"object\",\"description\":\"rows, or x: one of them\",\"properties\":{"
    "\"rows\":{\"type\":\"array\",\"items\":{\"oneOf\":[{\"type\":\"object\",\"description\":"
    "\"a value for each column by name\"},{\"type\":\"array\",\"description\":"
    "\"the values in the order of the model's columns\"}]}},"
    "\"x\":{\"type\":\"array\",\"items\":{\"type\":\"array\"}}}},"
    "\"Predictions\":{\"type\":\"object\",\"required\":[\"predictions\",\"rows\"],\"properties\":{"
    "\"job\":{\"type\":\"string\"},\"which\":{\"type\":\"string\"},"
    "\"model_sha256\":{\"type\":\"string\"},\"target\":{\"type\":[\"string\",\"null\"]},"
    "\"classes\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"description\":"
    "\"in the model's order; left out for a number\"},\"rows\":{\"type\":\"integer\"},"
    "\"predictions\":{\"type\":\"array\",\"items\":{\"oneOf\":[{\"type\":[\"number\",\"null\"],"
    "\"description\":\"in the target's own unit\"},{\"type\":\"object\",\"properties\":{"
    "\"class\":{\"type\":\"string\"},\"probabilities\":{\"type\":\"object\","
    "\"additionalProperties\":{\"type\":\"number\"}}}}]}}}},"
    "\"Patch\":{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"},"
    "\"labels\":{\"type\":\"object\"},\"priority\":{\"type\":\"integer\"}}}";

/* The same, of what is told at a job's end. */
static const char ending_components[] =
    ","
    "\"Token\":{\"type\":\"object\",\"required\":[\"token\"],\"properties\":{"
    "\"token\":{\"type\":\"string\"}}},"
    "\"Session\":{\"type\":\"object\",\"required\":[\"token_required\",\"signed_in\",\"by\","
    "\"expires_at\"],\"properties\":{\"token_required\":{\"type\":\"boolean\"},"
    "\"signed_in\":{\"type\":\"boolean\",\"description\":\"true where no token is required\"},"
    "\"by\":{\"enum\":[\"token\",\"cookie\",null]},"
    "\"expires_at\":{\"type\":[\"string\",\"null\"],\"description\":\"of the cookie\"}}},"
    "\"LayersOf\":{\"type\":\"object\",\"properties\":{\"epoch\":{\"type\":\"integer\"},"
    "\"lambda_hat\":{\"type\":[\"number\",\"null\"]},\"layers\":{\"type\":\"array\","
    "\"items\":{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"},"
    "\"in\":{\"type\":\"integer\"},\"out\":{\"type\":\"integer\"},"
    "\"count\":{\"type\":\"integer\"},\"l1_norm\":{\"type\":[\"number\",\"null\"]},"
    "\"l2_norm\":{\"type\":[\"number\",\"null\"]},\"zeros\":{\"type\":\"integer\"},"
    "\"near_zeros\":{\"type\":\"integer\"},\"dead\":{\"type\":[\"integer\",\"null\"]},"
    "\"unread\":{\"type\":[\"integer\",\"null\"]},\"data_gradient\":{\"type\":[\"number\","
    "\"null\"]},\"penalty_gradient\":{\"type\":[\"number\",\"null\"]},"
    "\"penalty_share\":{\"type\":[\"number\",\"null\"]},\"histogram\":{\"type\":\"object\","
    "\"properties\":{\"min\":{\"type\":\"number\"},\"max\":{\"type\":\"number\"},"
    "\"counts\":{\"type\":\"array\",\"items\":{\"type\":\"number\"}}}}}}}}},"
    "\"Layers\":{\"type\":\"object\",\"required\":[\"rows\",\"best\",\"last\"],"
    "\"properties\":{\"rows\":{\"type\":\"integer\"},"
    "\"best\":{\"$ref\":\"#/components/schemas/LayersOf\"},"
    "\"last\":{\"$ref\":\"#/components/schemas/LayersOf\"}}},"
    "\"Evaluation\":{\"type\":\"object\",\"required\":[\"kind\",\"epoch\",\"rows\","
    "\"weight\",\"approximate\"],\"properties\":{\"kind\":{\"enum\":[\"classes\","
    "\"numbers\"]},\"epoch\":{\"type\":\"integer\"},\"rows\":{\"type\":\"integer\"},"
    "\"weight\":{\"type\":\"number\"},\"approximate\":{\"type\":\"boolean\"},"
    "\"data_loss\":{\"type\":[\"number\",\"null\"]},\"accuracy\":{\"type\":[\"number\","
    "\"null\"]},\"confusion\":{\"type\":\"array\",\"items\":{\"type\":\"array\","
    "\"items\":{\"type\":\"number\"}}},\"mistakes\":{\"type\":\"array\"},"
    "\"classes\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
    "\"properties\":{\"name\":{\"type\":\"string\"},\"support\":{\"type\":\"number\"},"
    "\"predicted\":{\"type\":\"number\"},\"precision\":{\"type\":[\"number\",\"null\"]},"
    "\"recall\":{\"type\":[\"number\",\"null\"]},\"f1\":{\"type\":[\"number\",\"null\"]},"
    "\"auc\":{\"type\":[\"number\",\"null\"]}}}},\"macro\":{\"type\":\"object\","
    "\"properties\":{\"precision\":{\"type\":[\"number\",\"null\"]},"
    "\"recall\":{\"type\":[\"number\",\"null\"]},\"f1\":{\"type\":[\"number\",\"null\"]},"
    "\"auc\":{\"type\":[\"number\",\"null\"]}}},\"binary\":{\"type\":\"object\","
    "\"properties\":{\"positive\":{\"type\":\"string\"},\"threshold\":{\"type\":\"number\"},"
    "\"precision\":{\"type\":[\"number\",\"null\"]},\"recall\":{\"type\":[\"number\","
    "\"null\"]},\"f1\":{\"type\":[\"number\",\"null\"]},\"auc\":{\"type\":[\"number\","
    "\"null\"]},\"log_loss\":{\"type\":[\"number\",\"null\"]},"
    "\"brier\":{\"type\":[\"number\",\"null\"]}}},\"mse\":{\"type\":[\"number\",\"null\"]},"
    "\"rmse\":{\"type\":[\"number\",\"null\"]},\"mae\":{\"type\":[\"number\",\"null\"]},"
    "\"r2\":{\"type\":[\"number\",\"null\"]},\"residuals\":{\"type\":\"object\","
    "\"properties\":{\"quantiles\":{\"type\":\"object\","
    "\"additionalProperties\":{\"type\":\"number\"}},\"histogram\":{\"type\":\"object\","
    "\"properties\":{\"min\":{\"type\":\"number\"},\"max\":{\"type\":\"number\"},"
    "\"counts\":{\"type\":\"array\",\"items\":{\"type\":\"number\"}}}},"
    "\"worst\":{\"type\":\"array\"}}}}}";

/* The same, of a search: a compiler need take no text as long as both. The last piece. */
static const char tuning_components[] =
    ","
    "\"Tuning\":{\"type\":\"object\",\"required\":[\"job\",\"status\",\"trials\"],"
    "\"properties\":{\"job\":{\"type\":\"string\"},\"status\":{\"type\":\"string\"},"
    "\"rule\":{\"enum\":[\"min\",\"1se\",null]},\"folds\":{\"type\":[\"integer\",\"null\"]},"
    "\"fold_assignment\":{\"type\":[\"string\",\"null\"]},"
    "\"rows\":{\"type\":[\"integer\",\"null\"]},"
    "\"trials_total\":{\"type\":[\"integer\",\"null\"]},"
    "\"chosen\":{\"$ref\":\"#/components/schemas/Strength\"},"
    "\"min\":{\"$ref\":\"#/components/schemas/Strength\"},"
    "\"one_se\":{\"$ref\":\"#/components/schemas/Strength\"},"
    "\"trials\":{\"type\":\"array\",\"description\":\"from the strongest to the weakest\","
    "\"items\":{\"$ref\":\"#/components/schemas/Trial\"}},"
    "\"path\":{\"type\":\"array\",\"description\":\"with warm: the weights at each strength\","
    "\"items\":{\"type\":\"object\"}},"
    "\"fold_ids\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"description\":"
    "\"row by row; -1: in no fold\"}}},"
    "\"Strength\":{\"type\":[\"object\",\"null\"],\"description\":\"null: not known yet, or "
    "none\",\"properties\":{\"trial\":{\"type\":\"integer\"},\"l1\":{\"type\":\"number\"},"
    "\"l2\":{\"type\":\"number\"}}},"
    "\"Trial\":{\"type\":\"object\",\"required\":[\"l1\",\"l2\",\"status\"],\"properties\":{"
    "\"trial\":{\"type\":\"integer\"},\"l1\":{\"type\":\"number\"},"
    "\"l2\":{\"type\":\"number\"},\"weight_decay\":{\"type\":\"number\"},"
    "\"dropout\":{\"type\":\"number\"},"
    "\"mean_data_loss\":{\"type\":[\"number\",\"null\"]},"
    "\"standard_error\":{\"type\":[\"number\",\"null\"]},"
    "\"mean_accuracy\":{\"type\":[\"number\",\"null\"]},"
    "\"mean_rmse\":{\"type\":[\"number\",\"null\"]},"
    "\"train_data_loss\":{\"type\":[\"number\",\"null\"]},"
    "\"zeros\":{\"type\":[\"number\",\"null\"]},\"count\":{\"type\":[\"integer\",\"null\"]},"
    "\"l2_norm\":{\"type\":[\"number\",\"null\"]},"
    "\"folds\":{\"type\":\"array\",\"items\":{\"type\":[\"number\",\"null\"]},"
    "\"description\":\"data_loss of each\"},\"best_epochs\":{\"type\":\"array\"},"
    "\"weights_sha256\":{\"type\":\"array\"},"
    "\"status\":{\"enum\":[\"succeeded\",\"failed\",\"ended\"]},"
    "\"epochs\":{\"type\":[\"integer\",\"null\"]},\"error\":{}}}}}";

static void write_parameter(struct ock_jsonw *w, const char *name, const char *place,
                            const char *about)
{
    ock_jsonw_object(w, NULL);
    ock_jsonw_string(w, "name", name);
    ock_jsonw_string(w, "in", place);
    if (strcmp(place, "path") == 0)
        ock_jsonw_bool(w, "required", true);
    if (about)
        ock_jsonw_string(w, "description", about);
}

static void write_path_parameters(struct ock_jsonw *w, const char *path)
{
    for (const char *at = strchr(path, '{'); at; at = strchr(at + 1, '{')) {
        char name[32];
        (void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(at + 1, "}"), at + 1);
        write_parameter(w, name, "path", NULL);
        ock_jsonw_raw(w, "schema", "{\"type\":\"string\"}");
        ock_jsonw_end_object(w);
    }
}

static void write_choices(struct ock_jsonw *w, const char *choices)
{
    ock_jsonw_array(w, "enum");
    while (*choices) {
        char word[32];
        size_t size = strcspn(choices, ",");
        (void)snprintf(word, sizeof(word), "%.*s", (int)size, choices);
        ock_jsonw_string(w, NULL, word);
        choices += size + (choices[size] == ',');
    }
    ock_jsonw_end_array(w);
}

static void write_query_schema(struct ock_jsonw *w, const struct ock_parameter *parameter)
{
    ock_jsonw_object(w, "schema");
    switch (parameter->kind) {
    case OCK_PARAMETER_WHOLE:
        ock_jsonw_string(w, "type", "integer");
        ock_jsonw_int(w, "minimum", parameter->min);
        ock_jsonw_int(w, "maximum", parameter->max);
        break;
    case OCK_PARAMETER_BOOL:
        ock_jsonw_string(w, "type", "boolean");
        break;
    case OCK_PARAMETER_PREFIX:
        ock_jsonw_string(w, "type", "object");
        ock_jsonw_raw(w, "additionalProperties", "{\"type\":\"string\"}");
        break;
    case OCK_PARAMETER_CHOICE:
        ock_jsonw_string(w, "type", "string");
        write_choices(w, parameter->choices);
        break;
    case OCK_PARAMETER_TEXT:
    default:
        ock_jsonw_string(w, "type", "string");
        break;
    }
    ock_jsonw_end_object(w);
}

static void write_parameters(struct ock_jsonw *w, const struct ock_route *route)
{
    ock_jsonw_array(w, "parameters");
    write_path_parameters(w, route->path);
    for (size_t i = 0; route->parameters && route->parameters[i]; i++) {
        write_parameter(w, route->parameters[i]->name, "query", route->parameters[i]->about);
        write_query_schema(w, route->parameters[i]);
        ock_jsonw_end_object(w);
    }
    ock_jsonw_end_array(w);
}

static void write_body(struct ock_jsonw *w, const struct ock_route *route)
{
    if (route->body == OCK_BODY_NONE)
        return;
    ock_jsonw_object(w, "requestBody");
    ock_jsonw_bool(w, "required", route->body != OCK_BODY_BRIEF);
    ock_jsonw_object(w, "content");
    if (route->body == OCK_BODY_ROWS) {
        ock_jsonw_raw(w, "application/json",
                      "{\"schema\":{\"$ref\":\"#/components/schemas/Rows\"}}");
        ock_jsonw_raw(w, "text/csv", "{}");
        ock_jsonw_raw(w, "text/x-svmlight", "{}");
        ock_jsonw_raw(w, "text/tab-separated-values", "{}");
        ock_jsonw_raw(w, "application/octet-stream", "{}");
    } else if (route->body == OCK_BODY_FILE)
        ock_jsonw_raw(w, "application/octet-stream", "{}");
    else if (route->body == OCK_BODY_BRIEF)
        ock_jsonw_raw(w, "application/json",
                      "{\"schema\":{\"$ref\":\"#/components/schemas/Token\"}}");
    else if (route->method == OCK_PATCH)
        ock_jsonw_raw(w, "application/json",
                      "{\"schema\":{\"$ref\":\"#/components/schemas/Patch\"}}");
    else
        ock_jsonw_raw(w, "application/json",
                      "{\"schema\":{\"$ref\":\"#/components/schemas/Spec\"}}");
    ock_jsonw_end_object(w);
    ock_jsonw_end_object(w);
}

/* "application/json,text/csv": the schema is that of the first. */
static void write_types(struct ock_jsonw *w, const char *types, const char *schema)
{
    ock_jsonw_object(w, "content");
    while (*types) {
        char type[40];
        size_t size = strcspn(types, ",");
        (void)snprintf(type, sizeof(type), "%.*s", (int)size, types);
        ock_jsonw_object(w, type);
        if (schema) {
            char reference[64];
            (void)snprintf(reference, sizeof(reference), "#/components/schemas/%s", schema);
            ock_jsonw_object(w, "schema");
            ock_jsonw_string(w, "$ref", reference);
            ock_jsonw_end_object(w);
        }
        ock_jsonw_end_object(w);
        schema = NULL;
        types += size + (types[size] == ',');
    }
    ock_jsonw_end_object(w);
}

static void write_answers(struct ock_jsonw *w, const struct ock_route *route)
{
    ock_jsonw_object(w, "responses");
    for (size_t i = 0; i < 6 && route->answers[i].status; i++) {
        const struct ock_answer *answer = &route->answers[i];
        char status[8];
        (void)snprintf(status, sizeof(status), "%d", answer->status);
        ock_jsonw_object(w, status);
        ock_jsonw_string(w, "description", answer->about);
        if (answer->type)
            write_types(w, answer->type, answer->schema);
        ock_jsonw_end_object(w);
    }
    ock_jsonw_raw(w, "default",
                  "{\"description\":\"a problem\",\"content\":{\"application/problem+json\":{"
                  "\"schema\":{\"$ref\":\"#/components/schemas/Problem\"}}}}");
    ock_jsonw_end_object(w);
}

static void write_operation(struct ock_jsonw *w, const struct ock_route *route)
{
    static const char *const names[OCK_METHOD_COUNT] = {
        [OCK_GET] = "get",         [OCK_POST] = "post",     [OCK_PUT] = "put",
        [OCK_PATCH] = "patch",     [OCK_DELETE] = "delete", [OCK_HEAD] = "head",
        [OCK_OPTIONS] = "options",
    };
    ock_jsonw_object(w, names[route->method]);
    ock_jsonw_string(w, "operationId", route->operation);
    ock_jsonw_string(w, "summary", route->summary);
    if (route->probe || route->open)
        ock_jsonw_raw(w, "security", "[]");
    write_parameters(w, route);
    write_body(w, route);
    write_answers(w, route);
    ock_jsonw_end_object(w);
}

/* Whether two templates are one path, whatever their parameters are called. */
static bool same_path(const char *a, const char *b)
{
    while (*a && *b) {
        if (*a != *b)
            return false;
        if (*a == '{') {
            a += strcspn(a, "}");
            b += strcspn(b, "}");
        } else {
            a++;
            b++;
        }
    }
    return *a == *b;
}

static bool came_before(size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (same_path(ock_routes[i].path, ock_routes[index].path))
            return true;
    }
    return false;
}

void ock_openapi_write(struct ock_buf *out)
{
    struct ock_jsonw w = ock_jsonw_make(out);
    ock_jsonw_object(&w, NULL);
    ock_jsonw_string(&w, "openapi", "3.1.0");
    ock_jsonw_raw(&w, "info",
                  "{\"title\":\"Ockham\",\"version\":\"" OCK_VERSION "\",\"description\":\"A "
                  "training server: JSON jobs in, events and models out. A token is needed where "
                  "the server has one.\",\"license\":{\"name\":\"Apache-2.0\","
                  "\"identifier\":\"Apache-2.0\"}}");
    ock_jsonw_raw(&w, "security", "[{},{\"token\":[]}]");
    ock_jsonw_object(&w, "paths");
    for (size_t i = 0; i < ock_route_count; i++) {
        if (came_before(i))
            continue;
        ock_jsonw_object(&w, ock_routes[i].path);
        for (size_t k = i; k < ock_route_count; k++) {
            if (same_path(ock_routes[i].path, ock_routes[k].path))
                write_operation(&w, &ock_routes[k]);
        }
        ock_jsonw_end_object(&w);
    }
    ock_jsonw_end_object(&w);
    ock_jsonw_raw(&w, "components", components);
    ock_buf_puts(out, ending_components);
    ock_buf_puts(out, tuning_components);
    ock_jsonw_end_object(&w);
}
