/* The inputs of a pruned model: what of encoder, columns and scaler it still needs. */
#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"
#include "core/data/encoder_private.h"
#include "core/predict/model_parts.h"

/* Places of features, ascending. */
static enum ock_status read_places(struct ock_model_parts *parts, const cJSON *json,
                                   struct ock_err *err)
{
    size_t features = parts->features.count, count = 0;
    parts->inputs = malloc(features * sizeof(*parts->inputs));
    if (!parts->inputs)
        return ock_fail(err, OCK_NOMEM, "out of memory for the model's inputs");
    bool good = cJSON_IsArray(json);
    for (const cJSON *item = good ? json->child : NULL; item && good; item = item->next) {
        good = cJSON_IsNumber(item) && ock_json_whole(item) && item->valuedouble >= 0 &&
               item->valuedouble < (double)features &&
               (count == 0 || item->valuedouble > (double)parts->inputs[count - 1]);
        if (good)
            parts->inputs[count++] = (size_t)item->valuedouble;
    }
    if (!good || count == 0)
        return ock_fail(err, OCK_INVALID,
                        "the model's \"inputs\" is not a list of places among its %zu features, "
                        "in order",
                        features);
    parts->input_count = count;
    return OCK_OK;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of the columns that are not read: the encoder that has them goes. */
static enum ock_status keep_names(struct ock_model_parts *parts, const bool *read,
                                  struct ock_err *err)
{
    const struct ock_encoder *encoder = &parts->encoder;
    size_t bytes = 1, count = 0;
    for (size_t c = 0; c < encoder->count; c++)
        bytes += read[c] ? 0 : strlen(encoder->columns[c].name) + 1;
    parts->unread_texts = malloc(bytes);
    parts->unread = malloc((encoder->count + 1) * sizeof(*parts->unread));
    if (!parts->unread_texts || !parts->unread)
        return ock_fail(err, OCK_NOMEM, "out of memory for the model's columns");
    char *at = parts->unread_texts;
    for (size_t c = 0; c < encoder->count; c++) {
        if (read[c])
            continue;
        size_t size = strlen(encoder->columns[c].name) + 1;
        parts->unread[count++] = memcpy(at, encoder->columns[c].name, size);
        at += size;
    }
    qsort(parts->unread, count, sizeof(*parts->unread), by_text);
    return OCK_OK;
}

/* Scaler and inputs of the columns that are read, at their features' new places. */
static void close_up(struct ock_model_parts *parts, const bool *read)
{
    const struct ock_encoder *encoder = &parts->encoder;
    size_t features = 0, input = 0;
    for (size_t c = 0; c < encoder->count; c++) {
        const struct ock_encoding *column = &encoder->columns[c];
        size_t end = column->feature + column->width;
        if (!read[c])
            continue;
        memmove(parts->mean + features, parts->mean + column->feature,
                column->width * sizeof(*parts->mean));
        memmove(parts->scale + features, parts->scale + column->feature,
                column->width * sizeof(*parts->scale));
        for (; input < parts->input_count && parts->inputs[input] < end; input++)
            parts->inputs[input] = parts->inputs[input] - column->feature + features;
        features += column->width;
    }
}

/* Encoder and columns of those alone that are read. */
static enum ock_status shrink(struct ock_model_parts *parts, const bool *read, struct ock_err *err)
{
    struct ock_encoder whole = parts->encoder, shrunk = {0};
    size_t count = 0;
    struct ock_encoding *columns = calloc(whole.count, sizeof(*columns));
    if (!columns)
        return ock_fail(err, OCK_NOMEM, "out of memory for the model's columns");
    for (size_t c = 0; c < whole.count; c++) {
        if (!read[c])
            continue;
        parts->columns[count] = parts->columns[c];
        columns[count++] = whole.columns[c];
    }
    enum ock_status status = ock_encoder_make(&shrunk, columns, count, err);
    free(columns);
    if (status != OCK_OK)
        return status;
    parts->encoder = shrunk;
    for (size_t c = 0; c < count; c++)
        parts->columns[c].name = shrunk.columns[c].name;
    ock_encoder_deinit(&whole);
    return OCK_OK;
}

enum ock_status ock_model_parts_take_inputs(struct ock_model_parts *parts, const cJSON *inputs,
                                            struct ock_err *err)
{
    const struct ock_encoder *encoder = &parts->encoder;
    enum ock_status status = read_places(parts, inputs, err);
    if (status != OCK_OK)
        return status;
    bool *read = calloc(encoder->count, sizeof(*read));
    if (!read)
        return ock_fail(err, OCK_NOMEM, "out of memory for the model's columns");
    size_t input = 0;
    for (size_t c = 0; c < encoder->count; c++) {
        size_t end = encoder->columns[c].feature + encoder->columns[c].width;
        for (; input < parts->input_count && parts->inputs[input] < end; input++)
            read[c] = true;
    }
    status = keep_names(parts, read, err);
    if (status == OCK_OK) {
        close_up(parts, read);
        status = shrink(parts, read, err);
    }
    free(read);
    return status;
}
