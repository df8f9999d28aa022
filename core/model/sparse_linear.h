/* A linear layer whose input is sparse rows: the network's first one, on sparse data. */
#ifndef OCK_MODEL_SPARSE_LINEAR_H
#define OCK_MODEL_SPARSE_LINEAR_H

#include "core/model/network.h"

extern const struct ock_layer_ops ock_sparse_linear_ops;

/* As of every linear layer (linear.c). */
void ock_linear_init(const struct ock_network *net, size_t layer, uint64_t seed, float *w);

/* Floats of the layer's copy of its weights. */
size_t ock_sparse_packed_floats(const struct ock_plan_layer *layer);
/* Tasks that make the copy, and one of them. */
size_t ock_sparse_pieces(const struct ock_plan_layer *layer);
void ock_sparse_pack(const struct ock_network *net, size_t layer, const float *w, size_t piece);

#endif
