/* Folding shards, and summing rows for a bias. */
#include "core/model/gradient.h"

void ock_fold_shards(const struct ock_network *net, size_t count, size_t stride, float *stack,
                     void (*part)(void *ctx, size_t shard, float *out), void *ctx)
{
    const struct ock_kernels *kernels = net->kernels;
    size_t depth = 0;
    for (size_t s = 0; s < net->shards; s++) {
        part(ctx, s, stack + depth * stride);
        for (size_t bits = s; bits & 1; bits >>= 1, depth--)
            kernels->add(count, stack + depth * stride, stack + (depth - 1) * stride);
        depth++;
    }
    for (; depth > 1; depth--)
        kernels->add(count, stack + (depth - 1) * stride, stack + (depth - 2) * stride);
}

struct bias {
    const struct ock_network *net;
    size_t rows, outputs;
    const float *dy;
};

static void bias_part(void *ctx, size_t shard, float *out)
{
    const struct bias *bias = ctx;
    size_t begin = 0;
    size_t end = 0;
    ock_shard_rows(bias->net, bias->rows, shard, &begin, &end);
    size_t O = bias->outputs;
    bias->net->kernels->sum_rows(bias->dy + begin * O, O, end - begin, 0, O, out);
}

void ock_bias_gradient(const struct ock_network *net, const struct ock_plan_layer *layer,
                       size_t rows, const float *dy, const struct ock_sink *sink)
{
    struct bias bias = {net, rows, layer->out, dy};
    ock_fold_shards(net, layer->out, net->bias_stride, net->bias_sums, bias_part, &bias);
    sink->take(sink->ctx, layer->bias_offset, layer->bias_count, net->bias_sums);
}
