/* The network: layers in a row, and buffers that are laid out once. */
#include "core/model/network.h"

#include <assert.h>

#include "core/model/sparse_linear.h"

static const struct ock_layer_ops *ops_of(const struct ock_network *net, size_t layer)
{
    switch (net->plan->layers[layer].spec->type) {
    case OCK_LINEAR:
        return net->plan->layers[layer].sparse ? &ock_sparse_linear_ops : &ock_linear_ops;
    case OCK_ACTIVATION:
        return &ock_activation_ops;
    case OCK_DROPOUT:
        return &ock_dropout_ops;
    }
    assert(!"a layer type without operations");
    return NULL;
}

/* A bound on packed_floats for every family: panels are at most 64 columns wide. */
static size_t packed_bound(size_t K, size_t N)
{
    return K * ((N + 63) / 64 * 64) + 64;
}

/* ceil(log2(shards)) + 2: one tile for each level of the tree, one for the shard at work. */
static size_t tree_tiles(size_t shards)
{
    size_t levels = 2;
    for (size_t width = 1; width < shards; width *= 2)
        levels++;
    return levels;
}

static void layout_layers(struct ock_network *net, size_t rows, struct ock_arena *arena,
                          size_t *widest, size_t *widest_linear_input)
{
    const struct ock_plan *plan = net->plan;
    *widest = 1;
    *widest_linear_input = 1;
    for (size_t i = 0; i < plan->layer_count; i++) {
        const struct ock_plan_layer *layer = &plan->layers[i];
        struct ock_layer_buffers *buffers = &net->layers[i];
        *buffers = (struct ock_layer_buffers){0};
        buffers->y = ock_arena_take(arena, rows * layer->out, sizeof(float));
        if (layer->out > *widest)
            *widest = layer->out;
        if (layer->spec->type == OCK_DROPOUT)
            buffers->mask = ock_arena_take(arena, rows * layer->out, sizeof(float));
        if (layer->spec->type != OCK_LINEAR)
            continue;
        if (layer->sparse) {
            buffers->packed = ock_arena_take(arena, ock_sparse_packed_floats(layer), sizeof(float));
            continue;
        }
        buffers->packed = ock_arena_take(arena, packed_bound(layer->in, layer->out), sizeof(float));
        if (layer->in > *widest_linear_input)
            *widest_linear_input = layer->in;
        assert(net->kernels->packed_floats(layer->in, layer->out) <=
               packed_bound(layer->in, layer->out));
    }
}

void ock_network_layout(struct ock_network *net, const struct ock_plan *plan,
                        const struct ock_kernels *kernels, uint32_t threads, size_t shards,
                        size_t tile_rows, struct ock_arena *arena)
{
    *net = (struct ock_network){.plan = plan,
                                .kernels = kernels,
                                .team = {.threads = (int)threads},
                                .shards = shards,
                                .tile_rows = tile_rows > 0 ? tile_rows : 48,
                                .tile_rows_forced = tile_rows > 0,
                                .tile_columns = 1008};
    assert(net->tile_columns % kernels->panel_columns == 0);
    size_t rows =
        plan->batch_rows > plan->evaluation_rows ? plan->batch_rows : plan->evaluation_rows;
    size_t widest = 0;
    size_t widest_input = 0;
    layout_layers(net, rows, arena, &widest, &widest_input);
    for (int i = 0; i < 2; i++) {
        size_t width = widest > widest_input ? widest : widest_input;
        net->gradient[i] = ock_arena_take(arena, rows * width, sizeof(float));
    }
    net->packed_x =
        ock_arena_take(arena, packed_bound(plan->batch_rows, widest_input), sizeof(float));
    net->scratch_stride = (kernels->scratch_floats + 63) / 64 * 64;
    net->scratch = ock_arena_take(arena, threads * net->scratch_stride, sizeof(float));
    net->tile_floats = net->tile_rows * net->tile_columns;
    net->tile_stride = net->tile_floats * tree_tiles(shards);
    net->tiles = ock_arena_take(arena, threads * net->tile_stride, sizeof(float));
    bool sparse = plan->layers[0].sparse;
    net->sparse_room =
        ock_arena_take(arena, sparse ? threads * net->tile_floats : 0, sizeof(float));
    net->bias_stride = widest;
    net->bias_sums = ock_arena_take(arena, tree_tiles(shards) * widest, sizeof(float));
}

void ock_network_init(const struct ock_network *net, uint64_t seed, float *w)
{
    for (size_t i = 0; i < net->plan->parameters; i++)
        w[i] = 0.0f;
    for (size_t i = 0; i < net->plan->layer_count; i++) {
        const struct ock_layer_ops *ops = ops_of(net, i);
        if (ops->init)
            ops->init(net, i, seed, w);
    }
}

float *ock_network_forward(const struct ock_network *net, const struct ock_pass *pass,
                           const float *x)
{
    float *y = NULL;
    for (size_t i = 0; i < net->plan->layer_count; i++) {
        y = net->layers[i].y;
        ops_of(net, i)->forward(net, i, pass, x, y);
        x = y;
    }
    return y;
}

void ock_network_backward(const struct ock_network *net, const struct ock_pass *pass,
                          const float *x, const struct ock_sink *sink)
{
    size_t first = 0; /* no gradient is wanted below the first layer that has parameters */
    while (net->plan->layers[first].weight_count == 0)
        first++;
    float *dy = net->gradient[0];
    for (size_t i = net->plan->layer_count; i-- > first;) {
        const float *input = i == 0 ? x : net->layers[i - 1].y;
        float *other = dy == net->gradient[0] ? net->gradient[1] : net->gradient[0];
        dy = ops_of(net, i)->backward(net, i, pass, input, dy, other, i > first, sink);
    }
}
