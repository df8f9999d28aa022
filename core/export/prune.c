/* What of a model can go, and the file without it. */
#include "core/export/prune.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"
#include "core/base/jsonw.h"
#include "core/base/limits.h"

enum { CHUNK_FLOATS = 16384, METADATA_BYTES_MAX = 64 * 1024 * 1024 };

/* A linear layer. Its inputs are the outputs of the one before it, of the first one the features. */
struct layer {
    size_t position;                        /* among all layers: its name */
    const struct ock_tensor *weight, *bias; /* bias NULL: none */
    size_t in, out;
    size_t kept_in, kept_out;
};

struct ock_pruning {
    struct ock_model_view model; /* borrowed */
    size_t layer_count;
    struct layer layers[OCK_LAYERS_MAX];
    unsigned char *room; /* owned: what keep points to */
    /* keep[k][i]: input i of layer k stays; keep[layer_count]: the last one's outputs, which all do. */
    unsigned char *keep[OCK_LAYERS_MAX + 1];
    struct ock_pruned_sizes sizes;
    struct ock_buf header;
};

static const struct ock_tensor *find_tensor(const struct ock_model_view *model, size_t position,
                                            const char *what)
{
    char name[OCK_TENSOR_NAME_SIZE];
    (void)snprintf(name, sizeof(name), "%zu.%s", position, what);
    for (size_t i = 0; i < model->tensor_count; i++) {
        if (strcmp(model->tensors[i].name, name) == 0)
            return &model->tensors[i];
    }
    return NULL;
}

static const char *find_text(const struct ock_model_view *model, const char *key)
{
    for (size_t i = 0; i < model->metadata_count; i++) {
        if (strcmp(model->metadata[i].key, key) == 0)
            return model->metadata[i].value;
    }
    return NULL;
}

/* The linear layers, each as wide as the one before it says. */
static enum ock_status find_layers(struct ock_pruning *p, struct ock_err *err)
{
    for (size_t i = 0; i < OCK_LAYERS_MAX; i++) {
        const struct ock_tensor *weight = find_tensor(&p->model, i, "weight");
        const struct ock_tensor *bias = find_tensor(&p->model, i, "bias");
        if (!weight)
            continue;
        size_t out = weight->shape[0], in = weight->shape[1];
        bool fits = weight->dims == 2 && out > 0 && in > 0;
        if (fits && p->layer_count > 0)
            fits = p->layers[p->layer_count - 1].out == in;
        if (fits && bias)
            fits = bias->dims == 1 && bias->shape[0] == out;
        if (!fits)
            return ock_fail(err, OCK_INVALID,
                            "the model's tensors do not fit together at \"%s\": it takes what the "
                            "layer before it gives, and its bias has a number for each of its rows",
                            weight->name);
        p->layers[p->layer_count++] = (struct layer){i, weight, bias, in, out, in, out};
        p->sizes.parameters += (uint64_t)in * out + (bias ? out : 0);
    }
    return OCK_OK;
}

/* Room for a mark a width; the last layer's outputs are marked. */
static enum ock_status take_room(struct ock_pruning *p, struct ock_err *err)
{
    size_t bytes = 1;
    for (size_t k = 0; k < p->layer_count; k++)
        bytes += p->layers[k].in + (k + 1 == p->layer_count ? p->layers[k].out : 0);
    p->room = calloc(bytes, 1);
    if (!p->room)
        return ock_fail(err, OCK_NOMEM, "out of memory to prune a model");
    unsigned char *at = p->room;
    for (size_t k = 0; k < p->layer_count; k++) {
        p->keep[k] = at;
        at += p->layers[k].in;
    }
    p->keep[p->layer_count] = at;
    if (p->layer_count > 0)
        memset(at, 1, p->layers[p->layer_count - 1].out);
    return OCK_OK;
}

/* keep[k] from what is kept of the layer's outputs: an input that some weight is not 0 for. */
static void mark_inputs(struct ock_pruning *p, size_t k)
{
    struct layer *layer = &p->layers[k];
    unsigned char *keep = p->keep[k];
    for (size_t o = 0; o < layer->out; o++) {
        const float *row = layer->weight->data + o * layer->in;
        if (!p->keep[k + 1][o])
            continue;
        for (size_t i = 0; i < layer->in; i++)
            keep[i] |= row[i] != 0.0f; /* NaN too */
    }
    layer->kept_in = 0;
    for (size_t i = 0; i < layer->in; i++)
        layer->kept_in += keep[i];
    if (layer->kept_in == 0) { /* nothing is read: what is left of it must have a shape */
        keep[0] = 1;
        layer->kept_in = 1;
    }
    if (k > 0)
        p->layers[k - 1].kept_out = layer->kept_in;
}

static bool is_whole(const struct ock_pruning *p)
{
    for (size_t k = 0; k < p->layer_count; k++) {
        if (p->layers[k].kept_in < p->layers[k].in)
            return false;
    }
    return true;
}

static void keep_all(struct ock_pruning *p)
{
    for (size_t k = 0; k < p->layer_count; k++) {
        p->layers[k].kept_in = p->layers[k].in;
        p->layers[k].kept_out = p->layers[k].out;
    }
}

static void mark(struct ock_pruning *p)
{
    bool stays = find_text(&p->model, "sparse") || find_text(&p->model, "inputs");
    for (size_t k = p->layer_count; !stays && k-- > 0;)
        mark_inputs(p, k);
    if (stays)
        keep_all(p);
    for (size_t k = 0; k < p->layer_count; k++) {
        const struct layer *layer = &p->layers[k];
        p->sizes.pruned_parameters +=
            (uint64_t)layer->kept_in * layer->kept_out + (layer->bias ? layer->kept_out : 0);
    }
}

/* --- The header -------------------------------------------------------------------------------- */

/* Sets the units of the hidden layers in the spec's tree. */
static enum ock_status set_units(const struct ock_pruning *p, const cJSON *spec,
                                 struct ock_err *err)
{
    const cJSON *layers = ock_json_get(ock_json_get(spec, "model"), "layers");
    for (size_t k = 0; k + 1 < p->layer_count; k++) {
        const struct layer *layer = &p->layers[k];
        cJSON *entry =
            cJSON_IsArray(layers) ? cJSON_GetArrayItem(layers, (int)layer->position) : NULL;
        cJSON *units = cJSON_GetObjectItemCaseSensitive(entry, "units");
        if (!cJSON_IsNumber(units))
            return ock_fail(err, OCK_INVALID, "the model's spec has no units for layer %zu",
                            layer->position);
        (void)cJSON_SetNumberHelper(units, (double)layer->kept_out);
    }
    return OCK_OK;
}

/* The spec's text with the units that are left, the caller's. */
static enum ock_status change_spec(const struct ock_pruning *p, char **out, struct ock_err *err)
{
    const char *text = find_text(&p->model, "spec");
    if (!text)
        return ock_fail(err, OCK_INVALID,
                        "the file has no \"spec\" in its metadata: it is not a model of Ockham's");
    struct ock_faults *faults = calloc(1, sizeof(*faults));
    if (!faults)
        return ock_fail(err, OCK_NOMEM, "out of memory for the model's spec");
    struct ock_err inner = {0};
    cJSON *spec = NULL;
    enum ock_status status = ock_json_parse(&spec, text, strlen(text), faults, &inner);
    if (status != OCK_OK)
        status = ock_fail(err, status, "the model's \"spec\": %.300s", inner.text);
    else if (faults->count > 0)
        status = ock_fail(err, OCK_INVALID, "the model's \"spec\": %s: %s",
                          faults->items[0].pointer, faults->items[0].detail);
    free(faults);
    if (status == OCK_OK)
        status = set_units(p, spec, err);
    if (status == OCK_OK) {
        *out = ock_json_print(spec);
        if (!*out)
            status = ock_fail(err, OCK_NOMEM, "out of memory for the model's spec");
    }
    cJSON_Delete(spec);
    return status;
}

/* "inputs": the places of the features that stay. */
static void write_inputs(const struct ock_pruning *p, struct ock_buf *out)
{
    struct ock_jsonw w = ock_jsonw_make(out);
    ock_jsonw_array(&w, NULL);
    for (size_t i = 0; i < p->layers[0].in; i++) {
        if (p->keep[0][i])
            ock_jsonw_uint(&w, NULL, i);
    }
    ock_jsonw_end_array(&w);
}

/* The tensor's place among the layers; layer_count: in none. */
static size_t layer_of(const struct ock_pruning *p, const struct ock_tensor *tensor)
{
    size_t k = 0;
    while (k < p->layer_count && p->layers[k].weight != tensor && p->layers[k].bias != tensor)
        k++;
    return k;
}

/* Copies of the tensors, whose shapes are those that are left. */
static void shape_tensors(const struct ock_pruning *p, struct ock_tensor *out)
{
    for (size_t i = 0; i < p->model.tensor_count; i++) {
        size_t k = layer_of(p, &p->model.tensors[i]);
        out[i] = p->model.tensors[i];
        if (k == p->layer_count)
            continue;
        out[i].shape[0] = p->layers[k].kept_out;
        if (out[i].dims == 2)
            out[i].shape[1] = p->layers[k].kept_in;
    }
}

static enum ock_status make_header(struct ock_pruning *p, struct ock_err *err)
{
    const struct ock_model_view *model = &p->model;
    struct ock_buf inputs;
    char *spec = NULL;
    uint64_t data_bytes = 0;
    ock_buf_init(&inputs, METADATA_BYTES_MAX);
    struct ock_tensor *tensors = calloc(model->tensor_count + 1, sizeof(*tensors));
    struct ock_metadata *metadata = calloc(model->metadata_count + 1, sizeof(*metadata));
    enum ock_status status = OCK_OK;
    if (!tensors || !metadata) {
        status = ock_fail(err, OCK_NOMEM, "out of memory for a model's header");
        goto done;
    }
    status = change_spec(p, &spec, err);
    if (status != OCK_OK)
        goto done;
    size_t count = 0;
    for (; count < model->metadata_count; count++) {
        metadata[count] = model->metadata[count];
        if (strcmp(metadata[count].key, "spec") == 0)
            metadata[count].value = spec;
    }
    if (p->layers[0].kept_in < p->layers[0].in) {
        write_inputs(p, &inputs);
        status = ock_buf_status(&inputs, err);
        metadata[count++] = (struct ock_metadata){"inputs", inputs.data};
    }
    shape_tensors(p, tensors);
    if (status == OCK_OK)
        status = ock_safetensors_header(&p->header, tensors, model->tensor_count, metadata, count,
                                        &data_bytes, err);
    if (status == OCK_OK)
        p->sizes.pruned_bytes = p->header.size + data_bytes;
done:
    free(spec);
    free(metadata);
    free(tensors);
    ock_buf_deinit(&inputs);
    return status;
}

enum ock_status ock_pruning_make(struct ock_pruning **out, const struct ock_model_view *model,
                                 struct ock_err *err)
{
    struct ock_pruning *made = calloc(1, sizeof(*made));
    if (!made)
        return ock_fail(err, OCK_NOMEM, "out of memory to prune a model");
    made->model = *model;
    ock_buf_init(&made->header, OCK_JSON_BYTES_MAX);
    enum ock_status status = find_layers(made, err);
    if (status == OCK_OK)
        status = take_room(made, err);
    if (status == OCK_OK) {
        mark(made);
        status = is_whole(made) ? OCK_OK : make_header(made, err);
    }
    if (status == OCK_OK) {
        *out = made;
        made = NULL;
    }
    ock_pruning_free(made);
    return status;
}

void ock_pruning_free(struct ock_pruning *pruning)
{
    if (!pruning)
        return;
    ock_buf_deinit(&pruning->header);
    free(pruning->room);
    free(pruning);
}

struct ock_pruned_sizes ock_pruning_sizes(const struct ock_pruning *pruning)
{
    return pruning->sizes;
}

/* --- The file ---------------------------------------------------------------------------------- */

/* Floats on their way out, gathered until they are worth a call. */
struct pipe {
    ock_prune_take *take;
    void *ctx;
    struct ock_err *err;
    size_t count;
    float *chunk; /* [CHUNK_FLOATS] */
};

static enum ock_status flush(struct pipe *pipe)
{
    size_t count = pipe->count;
    pipe->count = 0;
    return count > 0 ? pipe->take(pipe->ctx, pipe->chunk, count * sizeof(float), pipe->err)
                     : OCK_OK;
}

/* Those of values [count] that are kept; keep NULL: all. */
static enum ock_status put(struct pipe *pipe, const float *values, const unsigned char *keep,
                           size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (keep && !keep[i])
            continue;
        pipe->chunk[pipe->count++] = values[i];
        if (pipe->count < CHUNK_FLOATS)
            continue;
        enum ock_status status = flush(pipe);
        if (status != OCK_OK)
            return status;
    }
    return OCK_OK;
}

static enum ock_status put_tensor(const struct ock_pruning *p, const struct ock_tensor *tensor,
                                  struct pipe *pipe)
{
    size_t k = layer_of(p, tensor);
    if (k == p->layer_count) {
        size_t count = 1;
        for (size_t i = 0; i < tensor->dims; i++)
            count *= tensor->shape[i];
        return put(pipe, tensor->data, NULL, count);
    }
    const struct layer *layer = &p->layers[k];
    if (tensor == layer->bias)
        return put(pipe, tensor->data, p->keep[k + 1], layer->out);
    enum ock_status status = OCK_OK;
    for (size_t o = 0; o < layer->out && status == OCK_OK; o++) {
        if (p->keep[k + 1][o])
            status = put(pipe, tensor->data + o * layer->in, p->keep[k], layer->in);
    }
    return status;
}

enum ock_status ock_pruning_write(const struct ock_pruning *pruning, ock_prune_take *take,
                                  void *ctx, struct ock_err *err)
{
    assert(pruning->sizes.pruned_bytes > 0);
    struct pipe pipe = {.take = take, .ctx = ctx, .err = err};
    pipe.chunk = malloc(CHUNK_FLOATS * sizeof(*pipe.chunk));
    if (!pipe.chunk)
        return ock_fail(err, OCK_NOMEM, "out of memory to prune a model");
    enum ock_status status = take(ctx, pruning->header.data, pruning->header.size, err);
    for (size_t i = 0; i < pruning->model.tensor_count && status == OCK_OK; i++)
        status = put_tensor(pruning, &pruning->model.tensors[i], &pipe);
    if (status == OCK_OK)
        status = flush(&pipe);
    free(pipe.chunk);
    return status;
}
