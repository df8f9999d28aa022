/* A network of layers and its buffers: forward and backward passes over a minibatch.
 *
 * A layer type is one file with a struct ock_layer_ops: parameters' first values, forward,
 * backward. A convolution will be one more such file. Gradients of parameters do not end up in a
 * vector here: a layer hands each finished piece to a sink, which may update the weights while the
 * piece is in the cache.
 *
 * B rows of a minibatch, I inputs and O outputs of a layer, P parameters in all. */
#ifndef OCK_MODEL_NETWORK_H
#define OCK_MODEL_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/kernels/kernels.h"
#include "core/model/team.h"
#include "core/train/plan.h"

/* Takes g[0..count-1], the sum over the minibatch of the data gradient of parameters begin…
 * begin+count-1. Called from any thread of the team, each parameter once a backward pass; after the
 * call the weights may have changed. */
struct ock_sink {
    void *ctx;
    void (*take)(void *ctx, size_t begin, size_t count, const float *g);
};

/* One pass over a minibatch. */
struct ock_pass {
    const float *w; /* [P] parameters */
    size_t rows;    /* B */
    struct ock_sparse_rows
        sparse;    /* the rows, where the first layer takes sparse ones; x is NULL */
    bool training; /* dropout is on; off: linear layers take the packed weights */
    /* dropout's place in the random numbers */
    uint64_t seed;
    uint32_t epoch;
    uint64_t position; /* of the first row within the epoch */
};

/* What a layer owns besides its parameters. */
struct ock_layer_buffers {
    float *y;      /* [B,O] output */
    float *mask;   /* [B,O] dropout */
    float *packed; /* linear: W' [I,O] in panels, for evaluation; sparse: row by row, always */
};

struct ock_network {
    const struct ock_plan *plan;
    const struct ock_kernels *kernels;
    struct ock_team team;
    size_t shards;         /* of a minibatch, SPEC.md train.shards */
    size_t tile_rows;      /* rows of a tile of work: no bit depends on it */
    bool tile_rows_forced; /* smallest tiles of these rows: tests cut the work otherwise */
    size_t tile_columns;   /* a multiple of every family's panel */
    struct ock_layer_buffers layers[OCK_LAYERS_MAX];
    float *gradient[2]; /* [B, widest layer]: dY and dX, taking turns */
    float *packed_x;    /* [B, widest input] in panels, for dW */
    float *scratch;     /* [threads, scratch_stride]: for product() */
    size_t scratch_stride;
    float
        *tiles; /* [threads, tile_stride]: gradient tiles, one for each level of the shards' tree */
    size_t tile_stride;
    size_t tile_floats; /* of one gradient tile */
    float *sparse_room; /* [threads, tile_floats], if the first layer is sparse */
    float *bias_sums;   /* [levels of the tree, bias_stride] */
    size_t bias_stride;
};

struct ock_layer_ops {
    /* First values of the layer's parameters in w ([P]); NULL: it has none. */
    void (*init)(const struct ock_network *net, size_t layer, uint64_t seed, float *w);
    /* y [B,O] from x [B,I]. */
    void (*forward)(const struct ock_network *net, size_t layer, const struct ock_pass *pass,
                    const float *x, float *y);
    /* Returns the buffer that holds dx [B,I]: dy itself when it was changed in place, or `other`.
     * When dx is not wanted, only the parameters' gradients go to the sink. */
    float *(*backward)(const struct ock_network *net, size_t layer, const struct ock_pass *pass,
                       const float *x, float *dy, float *other, bool want_dx,
                       const struct ock_sink *sink);
};
extern const struct ock_layer_ops ock_linear_ops, ock_activation_ops, ock_dropout_ops;

/* Lays out all buffers in the arena (counting or carving). kernels and team stay borrowed. */
void ock_network_layout(struct ock_network *net, const struct ock_plan *plan,
                        const struct ock_kernels *kernels, uint32_t threads, size_t shards,
                        size_t tile_rows, struct ock_arena *arena);

/* He normal before relu-like activations, Glorot normal else, biases 0; a linear model all 0
 * (SPEC.md, model). Drawn from (seed, layer, place), so independent of everything else. */
void ock_network_init(const struct ock_network *net, uint64_t seed, float *w);

/* Packs the weights for forward passes without training; to be called whenever w has changed. */
void ock_network_pack(const struct ock_network *net, const float *w);

/* The network's output [B, outputs] for x [B, features]; borrowed until the next pass. */
float *ock_network_forward(const struct ock_network *net, const struct ock_pass *pass,
                           const float *x);

/* Backward from dz [B, outputs] (held in net->gradient[0]) after a forward pass on the same x, of at
 * most plan->batch_rows rows. Every parameter's gradient goes to the sink once. */
void ock_network_backward(const struct ock_network *net, const struct ock_pass *pass,
                          const float *x, const struct ock_sink *sink);

/* Elements of a layer's work below which one thread does it alone. */
enum { OCK_SERIAL_ELEMENTS = 16384 };

#endif
