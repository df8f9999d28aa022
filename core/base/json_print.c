/* cJSON trees as text. Not by cJSON_Print: it takes numbers that differ in the last bit for equal.
 */
#include <math.h>
#include <stdlib.h>

#include "core/base/json.h"
#include "core/base/jsonw.h"
#include "core/base/limits.h"

/* Recursion is as deep as the tree, which the scan or the writer of a tree in code has bounded. */
// NOLINTNEXTLINE(misc-no-recursion)
static void print_value(struct ock_jsonw *w, const char *key, const cJSON *value)
{
    if (cJSON_IsObject(value)) {
        ock_jsonw_object(w, key);
        for (const cJSON *child = value->child; child; child = child->next)
            print_value(w, child->string, child);
        ock_jsonw_end_object(w);
    } else if (cJSON_IsArray(value)) {
        ock_jsonw_array(w, key);
        for (const cJSON *child = value->child; child; child = child->next)
            print_value(w, NULL, child);
        ock_jsonw_end_array(w);
    } else if (cJSON_IsString(value)) {
        ock_jsonw_string(w, key, value->valuestring);
    } else if (cJSON_IsNumber(value)) {
        ock_jsonw_double(w, key, value->valuedouble);
    } else if (cJSON_IsBool(value)) {
        ock_jsonw_bool(w, key, cJSON_IsTrue(value));
    } else if (cJSON_IsRaw(value)) {
        ock_jsonw_raw(w, key, value->valuestring);
    } else {
        ock_jsonw_null(w, key);
    }
}

char *ock_json_print(const cJSON *value)
{
    struct ock_buf out;
    /* Escapes make a text at most six times as long. */
    ock_buf_init(&out, 6 * OCK_JSON_BYTES_MAX);
    struct ock_jsonw w = ock_jsonw_make(&out);
    print_value(&w, NULL, value);
    char *text = ock_buf_take(&out);
    ock_buf_deinit(&out);
    return text;
}
