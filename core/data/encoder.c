/* An encoder's own copy of what was found out, its features and their names; its JSON. */
#include "core/data/encoder.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"
#include "core/base/jsonw.h"
#include "core/base/limits.h"
#include "core/data/encoder_private.h"

static const char missing_mark[] = "=(missing)", other_mark[] = "=(other)";
static const char *const type_names[] = {"number", "byte", "boolean", "category"};
enum { TYPES = sizeof type_names / sizeof type_names[0] };

void ock_encoder_deinit(struct ock_encoder *encoder)
{
    free(encoder->columns);
    free(encoder->names);
    free(encoder->kinds);
    free(encoder->values);
    free(encoder->texts);
    *encoder = (struct ock_encoder){0};
}

/* --- Building ----------------------------------------------------------------------------------
 */

static size_t width_of(const struct ock_encoding *encoding)
{
    size_t values = encoding->kind == OCK_ENCODE_CATEGORY ? encoding->value_count : 1;
    return values + encoding->other + encoding->missing;
}

static enum ock_status too_many(const struct ock_encoder *made, struct ock_err *err)
{
    const struct ock_encoding *widest = made->columns;
    for (size_t i = 1; i < made->count; i++) {
        if (made->columns[i].width > widest->width)
            widest = &made->columns[i];
    }
    return ock_fail(err, OCK_LIMIT,
                    "the columns make %zu features, the limit is %zu; the most, %zu, are of "
                    "\"%.100s\": leave such out with data.features",
                    made->features, OCK_COLUMNS_MAX, widest->width, widest->name);
}

/* Gives each column its features, and sums up what there is. */
static enum ock_status place(struct ock_encoder *made, size_t *value_count, size_t *text_bytes,
                             struct ock_err *err)
{
    size_t value_bytes = 0;
    for (size_t i = 0; i < made->count; i++) {
        struct ock_encoding *encoding = &made->columns[i];
        size_t name = strlen(encoding->name);
        encoding->feature = made->features;
        encoding->width = width_of(encoding);
        made->features += encoding->width;
        *value_count += encoding->value_count;
        *text_bytes += name + 1 + encoding->width * (name + sizeof(missing_mark) + 1);
        for (size_t v = 0; v < encoding->value_count; v++)
            value_bytes += name + 2 * (strlen(encoding->values[v]) + 1);
        if (value_bytes > OCK_CATEGORY_BYTES_MAX)
            return ock_fail(err, OCK_LIMIT,
                            "with those of \"%.100s\" the values of text columns are longer than "
                            "%zu bytes in all, the limit; leave it out with data.features",
                            encoding->name, OCK_CATEGORY_BYTES_MAX);
    }
    *text_bytes += value_bytes;
    return made->features > OCK_COLUMNS_MAX ? too_many(made, err) : OCK_OK;
}

/* Writes a, then b, and a NUL at *next. */
static const char *put(char **next, const char *a, const char *middle, const char *b)
{
    const char *begin = *next;
    *next = stpcpy(stpcpy(stpcpy(*next, a), middle), b) + 1;
    return begin;
}

/* Copies a column's texts and names its features. */
static void settle(struct ock_encoder *made, struct ock_encoding *encoding, const char ***values,
                   char **next)
{
    const char *name = put(next, encoding->name, "", "");
    size_t feature = encoding->feature;
    enum ock_feature_kind kind = encoding->kind == OCK_ENCODE_NUMBER ? OCK_FEATURE_NUMBER
                                 : encoding->kind == OCK_ENCODE_BYTE ? OCK_FEATURE_BYTE
                                                                     : OCK_FEATURE_FLAG;
    const char **copies = *values;
    for (size_t v = 0; v < encoding->value_count; v++) {
        copies[v] = put(next, encoding->values[v], "", "");
        made->names[feature++] = put(next, name, "=", copies[v]);
    }
    if (encoding->kind != OCK_ENCODE_CATEGORY)
        made->names[feature++] = name;
    if (encoding->other)
        made->names[feature++] = put(next, name, other_mark, "");
    if (encoding->missing)
        made->names[feature++] = put(next, name, missing_mark, "");
    assert(feature == encoding->feature + encoding->width);
    memset(made->kinds + encoding->feature, OCK_FEATURE_FLAG, encoding->width);
    if (encoding->width > 0)
        made->kinds[encoding->feature] = (unsigned char)kind;
    *values += encoding->value_count;
    encoding->name = name;
    encoding->values = encoding->value_count > 0 ? copies : NULL;
}

enum ock_status ock_encoder_make(struct ock_encoder *out, const struct ock_encoding *columns,
                                 size_t count, struct ock_err *err)
{
    struct ock_encoder made = {.count = count};
    size_t value_count = 0, text_bytes = 1;
    made.columns = malloc((count + 1) * sizeof(*made.columns));
    if (!made.columns)
        return ock_fail(err, OCK_NOMEM, "out of memory for the encoder");
    if (count > 0)
        memcpy(made.columns, columns, count * sizeof(*columns));
    enum ock_status status = place(&made, &value_count, &text_bytes, err);
    if (status != OCK_OK) {
        ock_encoder_deinit(&made);
        return status;
    }
    made.names = malloc((made.features + 1) * sizeof(*made.names));
    made.kinds = malloc(made.features + 1);
    made.values = malloc((value_count + 1) * sizeof(*made.values));
    made.texts = malloc(text_bytes);
    if (!made.names || !made.kinds || !made.values || !made.texts) {
        ock_encoder_deinit(&made);
        return ock_fail(err, OCK_NOMEM, "out of memory for the encoder");
    }
    const char **values = made.values;
    char *next = made.texts;
    for (size_t i = 0; i < count; i++)
        settle(&made, &made.columns[i], &values, &next);
    assert((size_t)(next - made.texts) <= text_bytes);
    *out = made;
    return OCK_OK;
}

/* --- Values to features ------------------------------------------------------------------------
 */

/* 1 yes, 0 no, -1 neither. */
static int truth_of(const char *text)
{
    static const char *const words[2][5] = {{"false", "no", "f", "n", "0"},
                                            {"true", "yes", "t", "y", "1"}};
    for (int truth = 0; truth < 2; truth++) {
        for (size_t i = 0; i < 5; i++) {
            if (strcasecmp(text, words[truth][i]) == 0)
                return truth;
        }
    }
    return -1;
}

size_t ock_encoding_feature(const struct ock_encoding *encoding, const char *text)
{
    if (encoding->kind == OCK_ENCODE_BOOLEAN)
        return truth_of(text) == 1 ? encoding->feature : SIZE_MAX;
    size_t low = 0, high = encoding->value_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(encoding->values[middle], text);
        if (order == 0)
            return encoding->feature + middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return encoding->other ? encoding->feature + encoding->value_count : SIZE_MAX;
}

size_t ock_encoding_missing(const struct ock_encoding *encoding)
{
    if (encoding->missing)
        return encoding->feature + encoding->width - 1;
    return encoding->other ? encoding->feature + encoding->value_count : SIZE_MAX;
}

const char *ock_encoder_rare_text(const struct ock_encoder *encoder)
{
    for (size_t i = 0; i < encoder->count; i++) {
        if (encoder->columns[i].kind == OCK_ENCODE_CATEGORY && encoder->columns[i].other &&
            encoder->columns[i].value_count == 0)
            return encoder->columns[i].name;
    }
    return NULL;
}

/* --- JSON --------------------------------------------------------------------------------------
 */

void ock_encoder_write(const struct ock_encoder *encoder, struct ock_buf *out)
{
    struct ock_jsonw w = ock_jsonw_make(out);
    ock_jsonw_array(&w, NULL);
    for (size_t i = 0; i < encoder->count; i++) {
        const struct ock_encoding *encoding = &encoder->columns[i];
        ock_jsonw_object(&w, NULL);
        ock_jsonw_string(&w, "name", encoding->name);
        ock_jsonw_string(&w, "type", type_names[encoding->kind]);
        if (encoding->kind == OCK_ENCODE_NUMBER)
            ock_jsonw_double(&w, "fill", encoding->fill);
        if (encoding->kind == OCK_ENCODE_CATEGORY) {
            ock_jsonw_array(&w, "values");
            for (size_t v = 0; v < encoding->value_count; v++)
                ock_jsonw_string(&w, NULL, encoding->values[v]);
            ock_jsonw_end_array(&w);
        }
        if (encoding->other)
            ock_jsonw_bool(&w, "other", true);
        if (encoding->missing)
            ock_jsonw_bool(&w, "missing", true);
        ock_jsonw_end_object(&w);
    }
    ock_jsonw_end_array(&w);
}

/* The texts of an array into values; false: there is something else, too much, or out of order. */
static bool read_values(const cJSON *array, struct ock_encoding *encoding, const char ***values)
{
    if (!cJSON_IsArray(array))
        return false;
    const char **first = *values;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, array)
    {
        bool rises = *values == first ||
                     (cJSON_IsString(item) && strcmp((*values)[-1], item->valuestring) < 0);
        if (!cJSON_IsString(item) || !rises)
            return false;
        *(*values)++ = item->valuestring;
    }
    encoding->values = first;
    encoding->value_count = (size_t)(*values - first);
    return encoding->value_count <= OCK_CATEGORY_VALUES_MAX;
}

/* true where it stands, false where nothing does; *damaged: something else does. */
static bool read_flag(const cJSON *object, const char *key, bool *damaged)
{
    const cJSON *flag = ock_json_get(object, key);
    *damaged = *damaged || (flag && !cJSON_IsTrue(flag));
    return flag != NULL;
}

static bool knows_key(enum ock_encoding_kind kind, const char *key)
{
    static const char *const keys[TYPES][5] = {{"name", "type", "fill", "missing"},
                                               {"name", "type"},
                                               {"name", "type", "missing"},
                                               {"name", "type", "values", "other", "missing"}};
    for (size_t i = 0; i < 5 && keys[kind][i]; i++) {
        if (strcmp(key, keys[kind][i]) == 0)
            return true;
    }
    return false;
}

static bool read_kind(const cJSON *object, enum ock_encoding_kind *kind)
{
    const cJSON *type = ock_json_get(object, "type");
    int found = 0;
    while (found < TYPES &&
           !(cJSON_IsString(type) && strcmp(type->valuestring, type_names[found]) == 0))
        found++;
    if (found == TYPES)
        return false;
    *kind = (enum ock_encoding_kind)found;
    return true;
}

static bool read_column(const cJSON *object, struct ock_encoding *encoding, const char ***values)
{
    const cJSON *name = ock_json_get(object, "name");
    const cJSON *fill = ock_json_get(object, "fill");
    bool damaged = false;
    *encoding = (struct ock_encoding){.other = read_flag(object, "other", &damaged),
                                      .missing = read_flag(object, "missing", &damaged)};
    if (damaged || !read_kind(object, &encoding->kind) || !cJSON_IsString(name) ||
        strlen(name->valuestring) >= OCK_NAME_BYTES_MAX)
        return false;
    encoding->name = name->valuestring;
    for (const cJSON *item = object->child; item; item = item->next) {
        if (!knows_key(encoding->kind, item->string))
            return false;
    }
    if (encoding->kind == OCK_ENCODE_NUMBER) {
        encoding->fill = cJSON_IsNumber(fill) ? fill->valuedouble : (double)NAN;
        return isfinite(encoding->fill);
    }
    if (encoding->kind != OCK_ENCODE_CATEGORY)
        return true;
    return read_values(ock_json_get(object, "values"), encoding, values) && width_of(encoding) > 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* No name stands twice. names [count] is room. */
static enum ock_status check_names(const struct ock_encoding *columns, size_t count,
                                   const char **names, struct ock_err *err)
{
    for (size_t i = 0; i < count; i++)
        names[i] = columns[i].name;
    qsort(names, count, sizeof(*names), by_text);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(names[i - 1], names[i]) == 0)
            return ock_fail(err, OCK_INVALID, "the encoding has the column \"%.100s\" twice",
                            names[i]);
    }
    return OCK_OK;
}

/* How many columns there are, and values of them all. */
static enum ock_status count_items(const cJSON *json, size_t *columns, size_t *values,
                                   struct ock_err *err)
{
    const cJSON *item = NULL;
    if (!cJSON_IsArray(json) || !json->child)
        return ock_fail(err, OCK_INVALID, "the encoding is not a list of columns");
    cJSON_ArrayForEach(item, json)
    {
        const cJSON *value = NULL;
        (*columns)++;
        cJSON_ArrayForEach(value, ock_json_get(item, "values"))(*values)++;
    }
    if (*columns > OCK_COLUMNS_MAX || *values > OCK_COLUMNS_MAX)
        return ock_fail(err, OCK_LIMIT, "the encoding has more than %zu columns or values",
                        OCK_COLUMNS_MAX);
    return OCK_OK;
}

enum ock_status ock_encoder_read(struct ock_encoder *out, const cJSON *json, struct ock_err *err)
{
    size_t count = 0, value_count = 0;
    enum ock_status status = count_items(json, &count, &value_count, err);
    if (status != OCK_OK)
        return status;
    struct ock_encoding *columns = calloc(count, sizeof(*columns));
    const char **names = malloc(count * sizeof(*names));
    const char **values = calloc(value_count + 1, sizeof(*values));
    if (!columns || !names || !values) {
        status = ock_fail(err, OCK_NOMEM, "out of memory for the encoder");
        goto done;
    }
    const char **next = values;
    const cJSON *item = json->child;
    for (size_t i = 0; i < count && status == OCK_OK; i++, item = item->next) {
        if (!read_column(item, &columns[i], &next))
            status = ock_fail(err, OCK_INVALID, "column %zu of the encoding is damaged", i + 1);
    }
    if (status == OCK_OK)
        status = check_names(columns, count, names, err);
    if (status == OCK_OK)
        status = ock_encoder_make(out, columns, count, err);
done:
    free(columns);
    free(names);
    free(values);
    return status;
}
