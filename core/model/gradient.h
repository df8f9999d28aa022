/* What the layers' gradients share: shards and their tree, and the bias. */
#ifndef OCK_MODEL_GRADIENT_H
#define OCK_MODEL_GRADIENT_H

#include "core/model/network.h"

/* Rows [*begin, *end) of a minibatch are shard s. */
static inline void ock_shard_rows(const struct ock_network *net, size_t rows, size_t s,
                                  size_t *begin, size_t *end)
{
    *begin = rows * s / net->shards;
    *end = rows * (s + 1) / net->shards;
}

/* Folds the shards' parts by a binary tree over their index: parts that are ready stand on a stack,
 * and part s completes as many pairs as s has trailing ones. part(ctx, s, out) writes `count`
 * floats; stack has room for one part of `stride` floats a level of the tree; the sum is left at
 * its bottom. */
void ock_fold_shards(const struct ock_network *net, size_t count, size_t stride, float *stack,
                     void (*part)(void *ctx, size_t shard, float *out), void *ctx);

/* The gradient of a layer's bias, the sum of dy's rows [rows, layer->out], to the sink. Uses
 * net->bias_sums. */
void ock_bias_gradient(const struct ock_network *net, const struct ock_plan_layer *layer,
                       size_t rows, const float *dy, const struct ock_sink *sink);

#endif
