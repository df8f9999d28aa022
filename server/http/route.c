/* Matching and checking against the table. It is short: a walk over it is not what a request waits
 * for. */
#include "server/http/route.h"

#include <stdio.h>
#include <string.h>

#include "core/base/json.h"
#include "core/base/jsonw.h"

/* Compares the template's segments with the target's. */
static bool matches(const char *path, const struct ock_target *target,
                    const char *args[OCK_ROUTE_ARGS_MAX])
{
    size_t at = 0, arg = 0;
    const char *rest = path + 1;
    while (*rest) {
        size_t length = strcspn(rest, "/");
        if (at == target->segment_count)
            return false;
        const char *segment = target->segments[at++];
        if (rest[0] == '{') {
            if (!*segment || arg == OCK_ROUTE_ARGS_MAX)
                return false;
            args[arg++] = segment;
        } else if (strlen(segment) != length || memcmp(segment, rest, length) != 0) {
            return false;
        }
        rest += length + (rest[length] == '/');
    }
    return at == target->segment_count;
}

/* Appends ", METHOD" (and HEAD behind GET) to the Allow value. */
static void allow_add(char allow[OCK_ALLOW_SIZE], enum ock_method method)
{
    size_t used = strlen(allow);
    (void)snprintf(allow + used, OCK_ALLOW_SIZE - used, "%s%s%s", used ? ", " : "",
                   ock_method_name(method), method == OCK_GET ? ", HEAD" : "");
}

/* Whether the path itself stands in the table: "/v1/jobs/validate" is then no "/v1/jobs/{id}". */
static bool is_literal(const struct ock_target *target, const char *args[OCK_ROUTE_ARGS_MAX])
{
    for (size_t i = 0; i < ock_route_count; i++) {
        if (!strchr(ock_routes[i].path, '{') && matches(ock_routes[i].path, target, args))
            return true;
    }
    return false;
}

bool ock_route_find(const struct ock_route **out, enum ock_method method,
                    const struct ock_target *target, const char *args[OCK_ROUTE_ARGS_MAX],
                    char allow[OCK_ALLOW_SIZE], struct ock_problem *problem)
{
    enum ock_method asked = method == OCK_HEAD ? OCK_GET : method;
    bool literal = is_literal(target, args);
    allow[0] = '\0';
    for (size_t i = 0; i < ock_route_count; i++) {
        const struct ock_route *route = &ock_routes[i];
        if ((literal && strchr(route->path, '{')) || !matches(route->path, target, args))
            continue;
        if (route->method == asked) {
            *out = route;
            return true;
        }
        allow_add(allow, route->method);
    }
    if (!allow[0])
        ock_problem_set(problem, 404, "not_found", "There is nothing at this path",
                        "GET / shows what there is, /openapi.json all of it");
    else
        ock_problem_set(problem, 405, "method_not_allowed", "This path has no such method",
                        "allowed: %s", allow);
    return false;
}

static bool is_whole(const char *text, int64_t *value)
{
    size_t size = strlen(text);
    if (size == 0 || size > 18)
        return false;
    *value = 0;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        *value = *value * 10 + (*text - '0');
    }
    return true;
}

static bool is_choice(const char *choices, const char *value)
{
    size_t size = strlen(value);
    while (*choices) {
        size_t length = strcspn(choices, ",");
        if (length == size && memcmp(choices, value, size) == 0)
            return true;
        choices += length + (choices[length] == ',');
    }
    return false;
}

static void fault_value(struct ock_faults *faults, const char *name, const char *value,
                        const char *wanted)
{
    struct ock_fault *fault = ock_faults_add(faults, "", "invalid_parameter",
                                             "query parameter %.60s must be %s", name, wanted);
    struct ock_buf got;
    ock_buf_init(&got, sizeof(fault->got) - 1);
    ock_json_quote(&got, value);
    if (fault && ock_buf_status(&got, NULL) == OCK_OK)
        (void)snprintf(fault->got, sizeof(fault->got), "%s", got.data);
    ock_buf_deinit(&got);
}

static void check_value(const struct ock_parameter *parameter, const struct ock_query *query,
                        struct ock_faults *faults)
{
    char wanted[160];
    int64_t number;
    switch (parameter->kind) {
    case OCK_PARAMETER_WHOLE:
        (void)snprintf(wanted, sizeof(wanted), "a whole number from %lld to %lld",
                       (long long)parameter->min, (long long)parameter->max);
        if (!is_whole(query->value, &number) || number < parameter->min || number > parameter->max)
            fault_value(faults, query->name, query->value, wanted);
        break;
    case OCK_PARAMETER_BOOL:
        if (!is_choice("true,false,1,0", query->value))
            fault_value(faults, query->name, query->value, "true or false");
        break;
    case OCK_PARAMETER_CHOICE:
        (void)snprintf(wanted, sizeof(wanted), "one of %s", parameter->choices);
        if (!is_choice(parameter->choices, query->value))
            fault_value(faults, query->name, query->value, wanted);
        break;
    case OCK_PARAMETER_TEXT:
    case OCK_PARAMETER_PREFIX:
    default:
        break;
    }
}

static const struct ock_parameter *find_parameter(const struct ock_route *route, const char *name)
{
    if (!route->parameters)
        return NULL;
    for (size_t i = 0; route->parameters[i]; i++) {
        const struct ock_parameter *parameter = route->parameters[i];
        size_t size = strlen(parameter->name);
        if (strcmp(parameter->name, name) == 0)
            return parameter->kind == OCK_PARAMETER_PREFIX ? NULL : parameter;
        if (parameter->kind == OCK_PARAMETER_PREFIX && strncmp(name, parameter->name, size) == 0)
            return parameter;
    }
    return NULL;
}

static void fault_unknown(const struct ock_route *route, const char *name,
                          struct ock_faults *faults)
{
    const char *words[16];
    size_t count = 0;
    for (size_t i = 0; route->parameters && route->parameters[i] && count < 16; i++)
        words[count++] = route->parameters[i]->name;
    struct ock_fault *fault =
        ock_faults_add(faults, "", "unknown_parameter", "unknown query parameter %.60s", name);
    const char *nearest = count ? ock_nearest_word(name, words, count) : NULL;
    if (fault && nearest)
        (void)snprintf(fault->suggestion, sizeof(fault->suggestion), "%s", nearest);
}

static bool came_before(const struct ock_target *target, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (strcmp(target->query[i].name, target->query[index].name) == 0)
            return true;
    }
    return false;
}

bool ock_route_check_query(const struct ock_route *route, const struct ock_target *target,
                           struct ock_problem *problem)
{
    for (size_t i = 0; i < target->query_count; i++) {
        const struct ock_query *query = &target->query[i];
        const struct ock_parameter *parameter = find_parameter(route, query->name);
        if (!parameter)
            fault_unknown(route, query->name, &problem->faults);
        else if (came_before(target, i))
            (void)ock_faults_add(&problem->faults, "", "repeated_parameter",
                                 "query parameter %.60s is there twice", query->name);
        else
            check_value(parameter, query, &problem->faults);
    }
    if (problem->faults.count == 0)
        return true;
    ock_problem_set(problem, 400, "invalid_query", "The query is not valid", "%s",
                    problem->faults.items[0].detail);
    return false;
}

int64_t ock_query_whole(const struct ock_target *target, const char *name, int64_t fallback)
{
    int64_t value = fallback;
    const char *text = ock_target_get(target, name);
    if (text && !is_whole(text, &value))
        value = fallback;
    return value;
}

bool ock_query_bool(const struct ock_target *target, const char *name, bool fallback)
{
    const char *text = ock_target_get(target, name);
    return text ? strcmp(text, "true") == 0 || strcmp(text, "1") == 0 : fallback;
}
