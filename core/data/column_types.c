/* "name:type,…" or a JSON object, as a list. */
#include "core/data/column_types.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/faults.h"
#include "core/base/json.h"
#include "core/base/limits.h"

static enum ock_status read_type(const char *column, const char *name, size_t size,
                                 enum ock_told_kind *type, struct ock_err *err)
{
    static const struct {
        const char *name;
        enum ock_told_kind type;
    } known[] = {{"number", OCK_TOLD_NUMBER},
                 {"category", OCK_TOLD_CATEGORY},
                 {"boolean", OCK_TOLD_BOOLEAN}};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strlen(known[i].name) == size && memcmp(known[i].name, name, size) == 0) {
            *type = known[i].type;
            return OCK_OK;
        }
    }
    return ock_fail(err, OCK_INVALID,
                    "types: \"%.100s\" cannot be \"%.*s\"; the types are number, category, boolean",
                    column, size < 40 ? (int)size : 40, name);
}

/* Takes the name in any case. */
static enum ock_status add(struct ock_column_types *types, char *column, const char *type,
                           size_t type_size, struct ock_err *err)
{
    struct ock_told_type item = {.column = column};
    enum ock_status status = OCK_OK;
    if (!column)
        return ock_fail(err, OCK_NOMEM, "out of memory for the types");
    for (size_t i = 0; i < types->count && status == OCK_OK; i++) {
        if (strcmp(types->items[i].column, column) == 0)
            status = ock_fail(err, OCK_INVALID, "types: \"%.100s\" stands twice", column);
    }
    if (status == OCK_OK && types->count == OCK_COLUMN_TYPES_MAX)
        status = ock_fail(err, OCK_LIMIT, "types: has more than %d columns, the limit",
                          OCK_COLUMN_TYPES_MAX);
    if (status == OCK_OK)
        status = read_type(column, type, type_size, &item.type, err);
    if (status == OCK_OK) {
        struct ock_told_type *items =
            realloc(types->items, (types->count + 1) * sizeof(*types->items));
        if (items) {
            types->items = items;
            types->items[types->count++] = item;
            return OCK_OK;
        }
        status = ock_fail(err, OCK_NOMEM, "out of memory for the types");
    }
    free(column);
    return status;
}

static enum ock_status parse_list(struct ock_column_types *types, const char *text,
                                  struct ock_err *err)
{
    enum ock_status status = OCK_OK;
    while (status == OCK_OK && *text) {
        size_t size = strcspn(text, ",");
        const char *colon = memrchr(text, ':', size);
        if (!colon || colon == text)
            return ock_fail(err, OCK_INVALID,
                            "types: \"%.*s\" is not column:type; a name with a comma needs the "
                            "form {\"name\":\"type\"}",
                            size < 60 ? (int)size : 60, text);
        size_t name_size = (size_t)(colon - text);
        status = add(types, strndup(text, name_size), colon + 1, size - name_size - 1, err);
        text += size + (text[size] == ',');
    }
    return status;
}

static enum ock_status parse_object(struct ock_column_types *types, const char *text,
                                    struct ock_err *err)
{
    cJSON *json = NULL;
    struct ock_faults *faults = calloc(1, sizeof(*faults));
    struct ock_err inner = {.status = OCK_OK};
    if (!faults)
        return ock_fail(err, OCK_NOMEM, "out of memory for the types");
    enum ock_status status = ock_json_parse(&json, text, strlen(text), faults, &inner);
    if (status != OCK_OK)
        status = ock_fail(err, status, "types: %s", inner.text);
    else if (!cJSON_IsObject(json) || faults->count > 0)
        status = ock_fail(err, OCK_INVALID,
                          "types: must be an object of different columns, each with its type");
    for (const cJSON *item = json ? json->child : NULL; item && status == OCK_OK;
         item = item->next) {
        const char *type = cJSON_IsString(item) ? item->valuestring : "";
        status = add(types, strdup(item->string), type, strlen(type), err);
    }
    cJSON_Delete(json);
    free(faults);
    return status;
}

enum ock_status ock_column_types_parse(struct ock_column_types *types, const char *text,
                                       struct ock_err *err)
{
    *types = (struct ock_column_types){0};
    if (!text)
        return OCK_OK;
    enum ock_status status =
        text[0] == '{' ? parse_object(types, text, err) : parse_list(types, text, err);
    if (status != OCK_OK)
        ock_column_types_deinit(types);
    return status;
}

void ock_column_types_deinit(struct ock_column_types *types)
{
    for (size_t i = 0; i < types->count; i++)
        free(types->items[i].column);
    free(types->items);
    *types = (struct ock_column_types){0};
}
