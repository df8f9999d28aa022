/* Parsers of the data section's own shapes: parts, columns, scalings, class weights. */
#include <stdlib.h>
#include <string.h>

#include "core/train/spec_keys.h"

void ock_spec_parse_data(struct ock_spec_parser *parser, const struct ock_key *key,
                         const cJSON *value, void *base)
{
    struct ock_data_spec *data = (struct ock_data_spec *)(void *)((char *)base + key->offset);
    if (!cJSON_IsObject(value)) {
        (void)ock_spec_fault(parser, value, "wrong_type", "must be an object");
        return;
    }
    ock_spec_parse_section(parser, key->section, value, data);
    const cJSON *dataset = ock_json_get(value, "dataset");
    size_t mark = ock_spec_enter(parser, "dataset");
    if (data->dataset && data->has_inline)
        (void)ock_spec_fault(parser, NULL, "unsupported_combination",
                             "dataset and inline are two sources of one job's data; give one");
    else if (parser->need_dataset && !data->has_inline && !ock_json_get(value, "inline") &&
             (!dataset || cJSON_IsNull(dataset)))
        (void)ock_spec_fault(parser, NULL, "missing_key",
                             "a job needs data: the id or name of a dataset, or data.inline");
    ock_spec_leave(parser, mark);
}

void ock_spec_parse_inline(struct ock_spec_parser *parser, const struct ock_key *key,
                           const cJSON *value, void *base)
{
    struct ock_data_spec *data = base;
    static const char *const names[] = {"x", "y"};
    (void)key;
    if (!cJSON_IsObject(value)) {
        (void)ock_spec_fault(parser, value, "wrong_type", "must be an object with x and y");
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        const cJSON *array = ock_json_get(value, names[i]);
        size_t mark = ock_spec_enter(parser, names[i]);
        if (!array)
            (void)ock_spec_fault(parser, NULL, "missing_key", "inline data need x and y");
        else if (!cJSON_IsArray(array))
            (void)ock_spec_fault(parser, array, "wrong_type", "must be an array");
        ock_spec_leave(parser, mark);
    }
    for (const cJSON *child = value->child; child; child = child->next) {
        if (strcmp(child->string, "x") == 0 || strcmp(child->string, "y") == 0)
            continue;
        size_t mark = ock_spec_enter(parser, child->string);
        (void)ock_spec_fault(parser, NULL, "unknown_key", "inline data have x and y, nothing else");
        ock_spec_leave(parser, mark);
    }
    data->has_inline = true;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A name twice is told once for each repetition, at the place where it stands again. */
static void check_repeated(struct ock_spec_parser *parser, char *const *names, size_t count)
{
    char **sorted = malloc(count * sizeof(*sorted));
    if (!sorted) {
        ock_spec_nomem(parser);
        return;
    }
    memcpy(sorted, names, count * sizeof(*sorted));
    qsort(sorted, count, sizeof(*sorted), compare_texts);
    for (size_t i = 1; i < count; i++)
        if (strcmp(sorted[i - 1], sorted[i]) == 0)
            (void)ock_spec_fault(parser, NULL, "unsupported_combination",
                                 "the column \"%.100s\" stands here twice", sorted[i]);
    free(sorted);
}

void ock_spec_parse_features(struct ock_spec_parser *parser, const struct ock_key *key,
                             const cJSON *value, void *base)
{
    struct ock_data_spec *data = base;
    (void)key;
    if (cJSON_IsNull(value))
        return;
    if (!cJSON_IsArray(value)) {
        (void)ock_spec_fault(parser, value, "wrong_type", "must be an array of column names");
        return;
    }
    size_t count = (size_t)cJSON_GetArraySize(value);
    if (count == 0 || count > OCK_COLUMNS_MAX) {
        (void)ock_spec_fault(parser, value, "out_of_range", "must name 1 to %zu columns",
                             OCK_COLUMNS_MAX);
        return;
    }
    data->features = calloc(count, sizeof(*data->features));
    if (!data->features) {
        ock_spec_nomem(parser);
        return;
    }
    const struct ock_key name = {
        .kind = OCK_KEY_TEXT, .max = OCK_NAME_BYTES_MAX - 1, .name = "feature"};
    size_t index = 0;
    size_t taken = 0;
    for (const cJSON *item = value->child; item; item = item->next, index++) {
        size_t mark = ock_spec_enter_index(parser, index);
        ock_spec_parse_key(parser, &name, item, &data->features[taken]);
        ock_spec_leave(parser, mark);
        taken += data->features[taken] != NULL;
    }
    data->feature_count = taken;
    if (taken == count)
        check_repeated(parser, data->features, taken);
}

void ock_spec_parse_part(struct ock_spec_parser *parser, const struct ock_key *key,
                         const cJSON *value, void *base)
{
    struct ock_part *part = (struct ock_part *)(void *)((char *)base + key->offset);
    const struct ock_key fraction = {.kind = OCK_KEY_NUMBER,
                                     .flags = OCK_KEY_BELOW_MAX,
                                     .offset = offsetof(struct ock_part, fraction),
                                     .max = 1};
    if (cJSON_IsNull(value))
        return;
    if (cJSON_IsObject(value))
        ock_spec_parse_section(parser, key->section, value, part);
    else if (cJSON_IsNumber(value))
        ock_spec_parse_key(parser, &fraction, value, part);
    else
        (void)ock_spec_fault(parser, value, "wrong_type",
                             "must be a fraction of the rows, 0 for none, or {\"dataset\": …}");
}

void ock_spec_parse_scaling(struct ock_spec_parser *parser, const struct ock_key *key,
                            const cJSON *value, void *base)
{
    struct ock_data_spec *data = base;
    if (cJSON_IsObject(value)) {
        ock_spec_parse_section(parser, key->section, value, data);
        data->scaling = OCK_SCALING_DIVIDE;
        return;
    }
    if (!cJSON_IsString(value)) {
        (void)ock_spec_fault(parser, value, "wrong_type",
                             "must be auto, standard, minmax, none or {\"divide\": number}");
        return;
    }
    int place = ock_spec_find_word(key->words, value->valuestring);
    if (place < 0)
        ock_spec_unknown_value(parser, value, key->words, " or {\"divide\": number}");
    else
        data->scaling = (enum ock_scaling)place;
}

void ock_spec_parse_target_scaling(struct ock_spec_parser *parser, const struct ock_key *key,
                                   const cJSON *value, void *base)
{
    static const char *const words[] = {"none", "standard", NULL};
    struct ock_data_spec *data = base;
    (void)key;
    if (cJSON_IsNull(value))
        return;
    if (!cJSON_IsString(value)) {
        (void)ock_spec_fault(parser, value, "wrong_type", "must be standard or none");
        return;
    }
    int place = ock_spec_find_word(words, value->valuestring);
    if (place < 0) {
        ock_spec_unknown_value(parser, value, words, "");
        return;
    }
    data->target_scaling = place == 1;
    data->target_scaling_given = true;
}

static void parse_class_weights(struct ock_spec_parser *parser, const cJSON *value,
                                struct ock_data_spec *data)
{
    const struct ock_key weight = {.kind = OCK_KEY_NUMBER,
                                   .flags = OCK_KEY_FLOAT,
                                   .offset = offsetof(struct ock_class_weight_item, weight),
                                   .max = OCK_KEY_UNBOUNDED};
    size_t count = (size_t)cJSON_GetArraySize(value);
    if (count == 0 || count > OCK_CLASSES_MAX) {
        (void)ock_spec_fault(parser, NULL, "out_of_range", "must name 1 to %zu classes",
                             OCK_CLASSES_MAX);
        return;
    }
    data->class_weights = calloc(count, sizeof(*data->class_weights));
    if (!data->class_weights) {
        ock_spec_nomem(parser);
        return;
    }
    data->class_weight = OCK_CLASS_WEIGHT_GIVEN;
    data->class_weight_count = count;
    struct ock_class_weight_item *item = data->class_weights;
    for (const cJSON *child = value->child; child; child = child->next, item++) {
        size_t mark = ock_spec_enter(parser, child->string);
        item->name = ock_spec_strdup(parser, child->string);
        ock_spec_parse_key(parser, &weight, child, item);
        ock_spec_leave(parser, mark);
    }
}

void ock_spec_parse_class_weight(struct ock_spec_parser *parser, const struct ock_key *key,
                                 const cJSON *value, void *base)
{
    static const char *const words[] = {"balanced", NULL};
    struct ock_data_spec *data = base;
    (void)key;
    if (cJSON_IsNull(value))
        return;
    if (cJSON_IsObject(value))
        parse_class_weights(parser, value, data);
    else if (!cJSON_IsString(value))
        (void)ock_spec_fault(parser, value, "wrong_type",
                             "must be balanced, null or {\"class\": weight}");
    else if (strcmp(value->valuestring, words[0]) == 0)
        data->class_weight = OCK_CLASS_WEIGHT_BALANCED;
    else
        ock_spec_unknown_value(parser, value, words, ", null or {\"class\": weight}");
}
