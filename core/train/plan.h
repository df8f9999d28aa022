/* The plan: every size, before anything is allocated. Pure arithmetic on the resolved spec. */
#ifndef OCK_TRAIN_PLAN_H
#define OCK_TRAIN_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"
#include "core/data/data.h"
#include "core/train/spec.h"

/* What the plan needs to know of the data. */
struct ock_plan_data {
    struct ock_data_sizes rows;
    size_t outputs; /* of the last layer */
};

/* A linear layer's parameters: weight [out,in] at weight_offset, then bias [out] (if any), both in
 * the one flat vector of all parameters. */
struct ock_plan_layer {
    const struct ock_layer_spec *spec; /* borrowed from the resolved spec */
    size_t in, out;
    size_t weight_offset, weight_count; /* 0 for layers without parameters */
    size_t bias_offset, bias_count;
    bool sparse; /* takes sparse rows: only the first layer */
};

struct ock_plan {
    size_t layer_count;
    struct ock_plan_layer layers[OCK_LAYERS_MAX];
    size_t parameters;      /* P, of all layers */
    size_t batch_rows;      /* B: the largest minibatch */
    size_t evaluation_rows; /* rows of one block of evaluation */
    size_t batch_terms;     /* sparse: the most terms of a minibatch, or of a block of evaluation */
    uint64_t steps_per_epoch;
    uint64_t steps_total;
    double flops_per_step;
    size_t memory_bytes;     /* what a worker allocates for it, everything counted */
    uint32_t threads_useful; /* more would not pay: what `auto` takes, before cores are counted */
};

/* Sizes of open data, for the plan. */
struct ock_plan_data ock_plan_data_of(const struct ock_data *data);

/* Errors: LIMIT (which, and how large it would be). */
enum ock_status ock_plan_make(struct ock_plan *out, const struct ock_spec *spec,
                              const struct ock_plan_data *data, struct ock_err *err);

#endif
