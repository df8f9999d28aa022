/* From the flat vector of parameters to named tensors and back. */
#include "core/train/model_file.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/jsonw.h"
#include "core/export/safetensors.h"

enum {
    TENSORS_MAX = 2 * OCK_LAYERS_MAX + 4,
    TEXTS = 6,
    METADATA_MAX = 9,
    METADATA_BYTES_MAX = 64 * 1024 * 1024
};

/* A model on its way out: tensors, the float32 copies that some of them need, and the metadata. */
struct model {
    size_t count;
    struct ock_tensor tensors[TENSORS_MAX];
    float *scaler; /* owned: mean and scale, [2, features] */
    float target[2];
    struct ock_buf texts[TEXTS];
    size_t metadata_count;
    struct ock_metadata metadata[METADATA_MAX];
};

static void add_tensor(struct model *model, const char *name, size_t rows, size_t columns,
                       const float *data)
{
    struct ock_tensor *tensor = &model->tensors[model->count++];
    *tensor = (struct ock_tensor){.dims = columns > 0 ? 2 : 1, .shape = {rows, columns}};
    (void)snprintf(tensor->name, sizeof(tensor->name), "%s", name);
    tensor->data = data;
}

static void add_layers(struct model *model, const struct ock_plan *plan, const float *w)
{
    for (size_t i = 0; i < plan->layer_count; i++) {
        const struct ock_plan_layer *layer = &plan->layers[i];
        char name[OCK_TENSOR_NAME_SIZE];
        if (layer->weight_count == 0)
            continue;
        (void)snprintf(name, sizeof(name), "%zu.weight", i);
        add_tensor(model, name, layer->out, layer->in, w + layer->weight_offset);
        (void)snprintf(name, sizeof(name), "%zu.bias", i);
        if (layer->bias_count > 0)
            add_tensor(model, name, layer->out, 0, w + layer->bias_offset);
    }
}

static enum ock_status add_scalers(struct model *model, const struct ock_data *data,
                                   struct ock_err *err)
{
    size_t n = data->features;
    if (data->scaler.mean) {
        model->scaler = malloc(2 * n * sizeof(*model->scaler));
        if (!model->scaler)
            return ock_fail(err, OCK_NOMEM, "out of memory for the model's scaler");
        for (size_t i = 0; i < n; i++) {
            model->scaler[i] = (float)data->scaler.mean[i];
            model->scaler[n + i] = (float)data->scaler.scale[i];
        }
        add_tensor(model, "scaler.mean", n, 0, model->scaler);
        add_tensor(model, "scaler.scale", n, 0, model->scaler + n);
    }
    if (data->classes == 0 && (data->target_mean != 0 || data->target_scale != 1)) {
        model->target[0] = (float)data->target_mean;
        model->target[1] = (float)data->target_scale;
        add_tensor(model, "target_scaler.mean", 1, 0, &model->target[0]);
        add_tensor(model, "target_scaler.scale", 1, 0, &model->target[1]);
    }
    return OCK_OK;
}

static void write_names(struct ock_buf *out, const char *const *names, size_t count)
{
    struct ock_jsonw w = ock_jsonw_make(out);
    ock_jsonw_array(&w, NULL);
    for (size_t i = 0; i < count; i++)
        ock_jsonw_string(&w, NULL, names[i]);
    ock_jsonw_end_array(&w);
}

/* The scaler in full precision: the tensors are rounded to float32. */
static void write_scaler(struct ock_buf *out, const struct ock_data *data)
{
    struct ock_jsonw w = ock_jsonw_make(out);
    ock_jsonw_object(&w, NULL);
    ock_jsonw_string(&w, "name", data->scaler.name);
    ock_jsonw_double(&w, "clip", data->scaler.clip); /* null: none */
    for (int part = 0; part < 2 && data->scaler.mean; part++) {
        const double *values = part == 0 ? data->scaler.mean : data->scaler.scale;
        ock_jsonw_array(&w, part == 0 ? "mean" : "scale");
        for (size_t i = 0; i < data->features; i++)
            ock_jsonw_double(&w, NULL, values[i]);
        ock_jsonw_end_array(&w);
    }
    if (data->classes == 0) {
        ock_jsonw_double(&w, "target_mean", data->target_mean);
        ock_jsonw_double(&w, "target_scale", data->target_scale);
    }
    ock_jsonw_end_object(&w);
}

static void model_free(struct model *model)
{
    if (!model)
        return;
    free(model->scaler);
    for (size_t i = 0; i < TEXTS; i++)
        ock_buf_deinit(&model->texts[i]);
    free(model);
}

static enum ock_status add_texts(struct model *model, const struct ock_trainer *trainer,
                                 struct ock_err *err)
{
    const struct ock_data *data = trainer->data;
    struct ock_buf *texts = model->texts;
    enum ock_status status = OCK_OK;
    for (size_t i = 0; i < TEXTS; i++)
        ock_buf_init(&texts[i], METADATA_BYTES_MAX);
    ock_spec_write(trainer->spec, &texts[0]);
    write_names(&texts[1], data->class_names, data->classes);
    write_names(&texts[2], data->feature_names, data->features);
    write_scaler(&texts[3], data);
    if (!data->sparse) /* whose columns are all numbers, up to a million of them */
        ock_encoder_write(data->encoder, &texts[4]);
    write_names(&texts[5], data->wide_names, data->wide_count);
    for (size_t i = 0; i < TEXTS && status == OCK_OK; i++)
        status = ock_buf_status(&texts[i], err);
    const struct ock_metadata metadata[] = {
        {"format", "pt"},
        {"ockham_version", OCK_VERSION},
        {"spec", texts[0].data},
        {"classes", texts[1].data},
        {"features", texts[2].data},
        {"scaler", texts[3].data},
        {data->sparse ? "sparse" : "encoding", data->sparse ? "true" : texts[4].data},
        {"float64", texts[5].data},
        {"missing", data->missing}, /* only where they are not the usual ones */
    };
    static_assert(sizeof(metadata) / sizeof(metadata[0]) <= METADATA_MAX, "room for all of them");
    model->metadata_count = sizeof(metadata) / sizeof(metadata[0]) - (data->missing ? 0 : 1);
    memcpy(model->metadata, metadata, sizeof(metadata));
    return status;
}

/* The model of weights w ([P], borrowed): all that its file has. Errors: NOMEM, LIMIT. */
static enum ock_status model_make(struct model **out, const struct ock_trainer *trainer,
                                  const float *w, struct ock_err *err)
{
    struct model *model = calloc(1, sizeof(*model));
    if (!model)
        return ock_fail(err, OCK_NOMEM, "out of memory for the model's header");
    add_layers(model, trainer->plan, w);
    enum ock_status status = add_scalers(model, trainer->data, err);
    if (status == OCK_OK)
        status = add_texts(model, trainer, err);
    if (status == OCK_OK)
        *out = model;
    else
        model_free(model);
    return status;
}

enum ock_status ock_model_write(const struct ock_trainer *trainer, const float *w, const char *path,
                                uint64_t *bytes, char sha256[OCK_SHA256_TEXT_SIZE],
                                struct ock_err *err)
{
    struct model *model = NULL;
    enum ock_status status = model_make(&model, trainer, w, err);
    if (status == OCK_OK)
        status = ock_safetensors_write(path, model->tensors, model->count, model->metadata,
                                       model->metadata_count, bytes, sha256, err);
    model_free(model);
    return status;
}

enum ock_status ock_model_sizes(struct ock_pruned_sizes *out, const struct ock_trainer *trainer,
                                const float *w, struct ock_err *err)
{
    struct model *model = NULL;
    struct ock_pruning *pruning = NULL;
    if (trainer->data->sparse) { /* whole in any case, and its texts may be large */
        *out = (struct ock_pruned_sizes){.parameters = trainer->plan->parameters,
                                         .pruned_parameters = trainer->plan->parameters};
        return OCK_OK;
    }
    enum ock_status status = model_make(&model, trainer, w, err);
    if (status == OCK_OK) {
        const struct ock_model_view view = {model->tensors, model->count, model->metadata,
                                            model->metadata_count};
        status = ock_pruning_make(&pruning, &view, err);
    }
    if (status == OCK_OK)
        *out = ock_pruning_sizes(pruning);
    ock_pruning_free(pruning);
    model_free(model);
    return status;
}

void ock_model_sizes_write(struct ock_jsonw *w, const struct ock_pruned_sizes *sizes)
{
    ock_jsonw_uint(w, "parameters", sizes->parameters);
    if (sizes->pruned_bytes == 0)
        return;
    ock_jsonw_object(w, "pruned");
    ock_jsonw_uint(w, "parameters", sizes->pruned_parameters);
    ock_jsonw_uint(w, "bytes", sizes->pruned_bytes);
    ock_jsonw_end_object(w);
}

/* "[3, 4]", or "[]". */
static void shape_text(char *out, size_t size, size_t dims, const size_t *shape)
{
    size_t used = (size_t)snprintf(out, size, "[");
    for (size_t i = 0; i < dims && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%zu", i > 0 ? ", " : "", shape[i]);
    if (used < size)
        (void)snprintf(out + used, size - used, "]");
}

static enum ock_status refuse_shape(const struct ock_tensor *tensor, const size_t wanted[2],
                                    struct ock_err *err)
{
    char has[96], needs[96];
    shape_text(has, sizeof(has), tensor->dims, tensor->shape);
    shape_text(needs, sizeof(needs), wanted[1] > 0 ? 2 : 1, wanted);
    return ock_fail(err, OCK_INVALID,
                    "the starting weights' tensor \"%s\" has the shape %s; this network needs %s",
                    tensor->name, has, needs);
}

/* Copies one tensor after a check of its shape; columns 0: a vector; out NULL: only the check. */
static enum ock_status take_tensor(const struct ock_safetensors *file, const char *name,
                                   size_t rows, size_t columns, float *out, struct ock_err *err)
{
    const struct ock_tensor *tensor = ock_safetensors_find(file, name);
    if (!tensor)
        return ock_fail(err, OCK_INVALID,
                        "the file of starting weights has no float32 tensor \"%s\"; it needs the "
                        "names of this network's layers",
                        name);
    const size_t wanted[2] = {rows, columns};
    bool fits = columns > 0 ? tensor->dims == 2 && tensor->shape[1] == columns : tensor->dims == 1;
    if (!fits || tensor->shape[0] != rows)
        return refuse_shape(tensor, wanted, err);
    if (out)
        memcpy(out, tensor->data, rows * (columns > 0 ? columns : 1) * sizeof(*out));
    return OCK_OK;
}

enum ock_status ock_model_take_weights(const struct ock_plan *plan,
                                       const struct ock_safetensors *file, float *w,
                                       struct ock_err *err)
{
    enum ock_status status = OCK_OK;
    for (size_t i = 0; i < plan->layer_count && status == OCK_OK; i++) {
        const struct ock_plan_layer *layer = &plan->layers[i];
        char name[OCK_TENSOR_NAME_SIZE];
        if (layer->weight_count == 0)
            continue;
        (void)snprintf(name, sizeof(name), "%zu.weight", i);
        status = take_tensor(file, name, layer->out, layer->in, w ? w + layer->weight_offset : NULL,
                             err);
        (void)snprintf(name, sizeof(name), "%zu.bias", i);
        if (status == OCK_OK && layer->bias_count > 0)
            status = take_tensor(file, name, layer->out, 0, w ? w + layer->bias_offset : NULL, err);
    }
    return status;
}

enum ock_status ock_model_read_weights(const struct ock_plan *plan, const char *path, float *w,
                                       struct ock_err *err)
{
    struct ock_safetensors *file = NULL;
    enum ock_status status = ock_safetensors_open(&file, path, err);
    /* The shapes may fit, by chance: the weights would belong to other features. */
    if (status == OCK_OK && ock_safetensors_metadata(file, "inputs"))
        status = ock_fail(err, OCK_INVALID,
                          "the starting weights are those of a pruned model, which takes only some "
                          "of its features; start from the whole model");
    if (status == OCK_OK)
        status = ock_model_take_weights(plan, file, w, err);
    ock_safetensors_free(file);
    return status;
}
