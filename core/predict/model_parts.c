/* The texts in a model's header. Who wrote the file is not known, so nothing follows from one text
 * that the others do not bear out. */
#include "core/predict/model_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"
#include "core/base/limits.h"
#include "core/data/encoder_private.h"
#include "core/data/missing.h"

void ock_model_parts_deinit(struct ock_model_parts *parts)
{
    ock_spec_free(parts->spec);
    cJSON_Delete(parts->classes.json);
    cJSON_Delete(parts->features.json);
    free(parts->classes.items);
    free(parts->features.items);
    ock_encoder_deinit(&parts->encoder);
    free(parts->columns);
    free(parts->unread);
    free(parts->unread_texts);
    free(parts->inputs);
    free(parts->missing);
    free(parts->mean);
    free(parts->scale);
    *parts = (struct ock_model_parts){0};
}

/* A value of the metadata as JSON, the caller's; absent: INVALID. */
static enum ock_status parse(cJSON **out, const struct ock_safetensors *file, const char *key,
                             struct ock_err *err)
{
    const char *text = ock_safetensors_metadata(file, key);
    if (!text)
        return ock_fail(err, OCK_INVALID,
                        "the file has no \"%s\" in its metadata: it is not a model of Ockham's",
                        key);
    struct ock_faults *faults = calloc(1, sizeof(*faults));
    if (!faults)
        return ock_fail(err, OCK_NOMEM, "out of memory for the model's metadata");
    struct ock_err inner = {0};
    cJSON *json = NULL;
    enum ock_status status = ock_json_parse(&json, text, strlen(text), faults, &inner);
    if (status != OCK_OK)
        status = ock_fail(err, status, "the model's \"%s\": %.300s", key, inner.text);
    else if (faults->count > 0)
        status = ock_fail(err, OCK_INVALID, "the model's \"%s\": %s: %s", key,
                          faults->items[0].pointer, faults->items[0].detail);
    free(faults);
    if (status != OCK_OK) {
        cJSON_Delete(json);
        return status;
    }
    *out = json;
    return OCK_OK;
}

static enum ock_status read_spec(struct ock_model_parts *parts, const struct ock_safetensors *file,
                                 struct ock_err *err)
{
    cJSON *json = NULL;
    enum ock_status status = parse(&json, file, "spec", err);
    if (status != OCK_OK)
        return status;
    struct ock_faults *faults = calloc(1, sizeof(*faults));
    if (!faults) {
        cJSON_Delete(json);
        return ock_fail(err, OCK_NOMEM, "out of memory for the model's spec");
    }
    status = ock_spec_parse(&parts->spec, json, false, faults, err);
    if (status == OCK_INVALID && faults->count > 0)
        status = ock_fail(err, OCK_INVALID, "the model's spec is not valid: %s: %s",
                          faults->items[0].pointer, faults->items[0].detail);
    free(faults);
    cJSON_Delete(json);
    return status;
}

/* A list of texts, each a name. */
static enum ock_status read_names(struct ock_names *names, const struct ock_safetensors *file,
                                  const char *key, size_t count_max, size_t bytes_max,
                                  struct ock_err *err)
{
    enum ock_status status = parse(&names->json, file, key, err);
    if (status != OCK_OK)
        return status;
    if (!cJSON_IsArray(names->json))
        return ock_fail(err, OCK_INVALID, "the model's \"%s\" is not a list", key);
    size_t count = 0;
    for (const cJSON *item = names->json->child; item; item = item->next, count++) {
        if (!cJSON_IsString(item) || strlen(item->valuestring) >= bytes_max)
            return ock_fail(err, OCK_INVALID, "the model's \"%s\" holds something that is no name",
                            key);
    }
    if (count > count_max)
        return ock_fail(err, OCK_LIMIT, "the model has %zu %s, the limit is %zu", count, key,
                        count_max);
    names->items = calloc(count + 1, sizeof(*names->items));
    if (!names->items)
        return ock_fail(err, OCK_NOMEM, "out of memory for the model's %s", key);
    for (const cJSON *item = names->json->child; item; item = item->next)
        names->items[names->count++] = item->valuestring;
    return OCK_OK;
}

/* A member of the scaler that is a number; absent or null: fallback. */
static enum ock_status read_number(double *out, const cJSON *scaler, const char *key,
                                   double fallback, struct ock_err *err)
{
    const cJSON *item = ock_json_get(scaler, key);
    if (item && !cJSON_IsNumber(item) && !cJSON_IsNull(item))
        return ock_fail(err, OCK_INVALID, "the model's scaler.%s is not a number", key);
    *out = cJSON_IsNumber(item) ? item->valuedouble : fallback;
    return OCK_OK;
}

static enum ock_status read_numbers(double *out, size_t count, const cJSON *scaler, const char *key,
                                    double fallback, struct ock_err *err)
{
    const cJSON *list = ock_json_get(scaler, key);
    size_t i = 0;
    if (!list) {
        for (; i < count; i++)
            out[i] = fallback;
        return OCK_OK;
    }
    if (!cJSON_IsArray(list))
        return ock_fail(err, OCK_INVALID, "the model's scaler.%s is not a list", key);
    for (const cJSON *item = list->child; item; item = item->next, i++) {
        if (i == count || !cJSON_IsNumber(item))
            return ock_fail(err, OCK_INVALID, "the model's scaler.%s is not %zu numbers", key,
                            count);
        out[i] = item->valuedouble;
    }
    return i == count
               ? OCK_OK
               : ock_fail(err, OCK_INVALID, "the model's scaler.%s is not %zu numbers", key, count);
}

static enum ock_status read_scaler(struct ock_model_parts *parts,
                                   const struct ock_safetensors *file, struct ock_err *err)
{
    size_t count = parts->features.count;
    cJSON *json = NULL;
    enum ock_status status = parse(&json, file, "scaler", err);
    if (status != OCK_OK)
        return status;
    if (!cJSON_IsObject(json)) {
        cJSON_Delete(json);
        return ock_fail(err, OCK_INVALID, "the model's \"scaler\" is not an object");
    }
    parts->mean = malloc(count * sizeof(*parts->mean));
    parts->scale = malloc(count * sizeof(*parts->scale));
    if (!parts->mean || !parts->scale)
        status = ock_fail(err, OCK_NOMEM, "out of memory for the model's scaler");
    if (status == OCK_OK)
        status = read_numbers(parts->mean, count, json, "mean", 0, err);
    if (status == OCK_OK)
        status = read_numbers(parts->scale, count, json, "scale", 1, err);
    for (size_t i = 0; i < count && status == OCK_OK; i++) {
        if (parts->scale[i] == 0)
            status = ock_fail(err, OCK_INVALID, "the model's scaler.scale has a 0");
    }
    if (status == OCK_OK)
        status = read_number(&parts->clip, json, "clip", (double)INFINITY, err);
    if (status == OCK_OK)
        status = read_number(&parts->target_mean, json, "target_mean", 0, err);
    if (status == OCK_OK)
        status = read_number(&parts->target_scale, json, "target_scale", 1, err);
    if (status == OCK_OK && !(parts->clip > 0))
        status = ock_fail(err, OCK_INVALID, "the model's scaler.clip is not above 0");
    cJSON_Delete(json);
    return status;
}

/* The network's end against the classes. */
static enum ock_status check_outputs(struct ock_model_parts *parts, struct ock_err *err)
{
    const struct ock_spec *spec = parts->spec;
    size_t classes = parts->classes.count;
    parts->outputs = parts->features.count; /* of a network without a linear layer */
    for (size_t i = 0; i < spec->layer_count; i++) {
        if (spec->layers[i].type != OCK_LINEAR)
            continue;
        parts->outputs = spec->layers[i].units;
        if (parts->outputs == 0)
            return ock_fail(err, OCK_INVALID,
                            "the model's spec is not resolved: layer %zu has no "
                            "units",
                            i);
    }
    size_t wanted = 1;
    bool fits = false;
    switch (spec->loss) {
    case OCK_CROSS_ENTROPY:
        wanted = classes;
        fits = classes >= 2;
        break;
    case OCK_BINARY_CROSS_ENTROPY:
        fits = classes == 2;
        break;
    case OCK_MSE:
    case OCK_HUBER:
    case OCK_MAE:
        fits = classes == 0;
        break;
    case OCK_LOSS_AUTO:
        return ock_fail(err, OCK_INVALID, "the model's spec is not resolved: it has no loss");
    }
    if (!fits || parts->outputs != wanted)
        return ock_fail(err, OCK_INVALID,
                        "the model does not fit together: %zu classes, %zu outputs, loss %s",
                        classes, parts->outputs, ock_loss_name(spec->loss));
    return OCK_OK;
}

/* A model of sparse data, or one that is older than encodings: all of its features are numbers. */
static enum ock_status assume_numbers(struct ock_model_parts *parts, struct ock_err *err)
{
    size_t count = parts->features.count;
    struct ock_encoding *columns = calloc(count, sizeof(*columns));
    if (!columns)
        return ock_fail(err, OCK_NOMEM, "out of memory for the model's columns");
    for (size_t i = 0; i < count; i++)
        columns[i] =
            (struct ock_encoding){.name = parts->features.items[i], .kind = OCK_ENCODE_NUMBER};
    enum ock_status status = ock_encoder_make(&parts->encoder, columns, count, err);
    free(columns);
    return status;
}

static enum ock_status read_encoder(struct ock_model_parts *parts,
                                    const struct ock_safetensors *file, struct ock_err *err)
{
    cJSON *json = NULL;
    if (!ock_safetensors_metadata(file, "encoding")) {
        parts->sparse = ock_safetensors_metadata(file, "sparse") != NULL;
        parts->has_fills = parts->sparse; /* 0 */
        return assume_numbers(parts, err);
    }
    enum ock_status status = parse(&json, file, "encoding", err);
    if (status == OCK_OK)
        status = ock_encoder_read(&parts->encoder, json, err);
    cJSON_Delete(json);
    if (status != OCK_OK)
        return status;
    parts->has_fills = true;
    bool fits = parts->encoder.count > 0 && parts->encoder.features == parts->features.count;
    for (size_t i = 0; i < parts->features.count && fits; i++)
        fits = strcmp(parts->encoder.names[i], parts->features.items[i]) == 0;
    return fits ? OCK_OK
                : ock_fail(err, OCK_INVALID, "the model's encoding does not make its features");
}

/* Numbers, of which those in "float64" kept all their digits in training. A model without that list
 * is older than it: nothing is rounded then. */
static enum ock_status make_columns(struct ock_model_parts *parts,
                                    const struct ock_safetensors *file, struct ock_err *err)
{
    struct ock_names wide = {0};
    bool told = ock_safetensors_metadata(file, "float64") != NULL;
    size_t count = parts->encoder.count;
    parts->columns = calloc(count, sizeof(*parts->columns));
    if (!parts->columns)
        return ock_fail(err, OCK_NOMEM, "out of memory for the model's columns");
    enum ock_status status =
        told ? read_names(&wide, file, "float64", OCK_COLUMNS_MAX, OCK_NAME_BYTES_MAX, err)
             : OCK_OK;
    size_t next = 0; /* they stand in the columns' order */
    for (size_t i = 0; i < count && status == OCK_OK; i++) {
        const struct ock_encoding *encoding = &parts->encoder.columns[i];
        bool category =
            encoding->kind == OCK_ENCODE_CATEGORY || encoding->kind == OCK_ENCODE_BOOLEAN;
        bool is_wide = next < wide.count && strcmp(wide.items[next], encoding->name) == 0;
        next += is_wide;
        parts->columns[i] = (struct ock_row_column){.name = encoding->name,
                                                    .category = category,
                                                    .float32 = !category && told && !is_wide,
                                                    .place = i};
    }
    cJSON_Delete(wide.json);
    free(wide.items);
    return status;
}

static enum ock_status read_inputs(struct ock_model_parts *parts,
                                   const struct ock_safetensors *file, struct ock_err *err)
{
    cJSON *json = NULL;
    parts->column_total = parts->encoder.count;
    parts->input_count = parts->features.count;
    if (!ock_safetensors_metadata(file, "inputs"))
        return OCK_OK;
    enum ock_status status = parse(&json, file, "inputs", err);
    if (status == OCK_OK)
        status = ock_model_parts_take_inputs(parts, json, err);
    cJSON_Delete(json);
    return status;
}

static enum ock_status read_missing(struct ock_model_parts *parts,
                                    const struct ock_safetensors *file, struct ock_err *err)
{
    struct ock_missing missing;
    const char *words = ock_safetensors_metadata(file, "missing");
    if (!words)
        return OCK_OK;
    struct ock_err inner = {0};
    if (ock_missing_parse(&missing, words, &inner) != OCK_OK)
        return ock_fail(err, OCK_INVALID, "the model's words for missing values: %.300s",
                        inner.text);
    parts->missing = strdup(words);
    return parts->missing ? OCK_OK
                          : ock_fail(err, OCK_NOMEM, "out of memory for the model's metadata");
}

enum ock_status ock_model_parts_read(struct ock_model_parts *parts,
                                     const struct ock_safetensors *file, struct ock_err *err)
{
    enum ock_status status = read_spec(parts, file, err);
    if (status == OCK_OK)
        status =
            read_names(&parts->classes, file, "classes", OCK_CLASSES_MAX, OCK_NAME_BYTES_MAX, err);
    if (status == OCK_OK)
        status = read_names(&parts->features, file, "features", OCK_COLUMNS_MAX,
                            2 * OCK_CSV_FIELD_BYTES_MAX, err);
    if (status == OCK_OK && parts->features.count == 0)
        status = ock_fail(err, OCK_INVALID, "the model has no features");
    if (status == OCK_OK)
        status = read_scaler(parts, file, err);
    if (status == OCK_OK)
        status = check_outputs(parts, err);
    if (status == OCK_OK)
        status = read_encoder(parts, file, err);
    if (status == OCK_OK)
        status = make_columns(parts, file, err);
    if (status == OCK_OK)
        status = read_inputs(parts, file, err);
    if (status == OCK_OK)
        status = read_missing(parts, file, err);
    return status;
}
