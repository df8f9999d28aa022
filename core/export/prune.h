/* A model without what nothing reads, which predicts the same.
 *
 * A zero weight reads nothing. So a hidden unit all of whose outgoing weights are exactly 0 may go,
 * its row of the layer's weights and its bias with it, and so may an input all of whose weights in the
 * first linear layer are 0. What a unit that goes has read may be read by nobody then: going from the
 * last layer to the first finds all of it at once, for what is kept depends on later layers only.
 * Activations and dropouts between are as wide as the layer before them and have no say.
 *
 * A layer keeps one unit at least. A unit whose incoming weights are all 0 is a constant, and stays:
 * folding it into the next bias would round otherwise. Models of sparse data ("sparse" in the
 * metadata), and what has been pruned already, stay as they are. */
#ifndef OCK_EXPORT_PRUNE_H
#define OCK_EXPORT_PRUNE_H

#include <stdbool.h>

#include "core/export/safetensors.h"

/* A model: linear layers are the tensors "<position>.weight" [out,in] and "<position>.bias" [out], in
 * the order of their positions; whatever else there is stays. All is borrowed. */
struct ock_model_view {
    const struct ock_tensor *tensors;
    size_t tensor_count;
    const struct ock_metadata *metadata;
    size_t metadata_count;
};

struct ock_pruning; /* opaque; immutable once made */

/* Finds what can go and makes the header of what stays: "units" of the spec's layers changed, and,
 * where inputs go, "inputs": the features that the first linear layer still takes, by their places
 * from 0, ascending. The model stays borrowed until the pruning is freed.
 * Errors: INVALID (layers that do not follow each other, a spec without them), LIMIT, NOMEM. */
enum ock_status ock_pruning_make(struct ock_pruning **out, const struct ock_model_view *model,
                                 struct ock_err *err);
void ock_pruning_free(struct ock_pruning *pruning); /* NULL is a no-op */

struct ock_pruned_sizes {
    uint64_t parameters;        /* of the linear layers, whole */
    uint64_t pruned_parameters; /* after */
    uint64_t pruned_bytes;      /* of the pruned file; 0: nothing can go */
};
struct ock_pruned_sizes ock_pruning_sizes(const struct ock_pruning *pruning);

/* Takes the next bytes of the file. */
typedef enum ock_status ock_prune_take(void *ctx, const void *bytes, size_t size,
                                       struct ock_err *err);

/* The pruned file, in pieces of some 64 KiB, weights row by row: the memory that it takes does not
 * grow with the model. Only where something can go. Errors: NOMEM, and take's. */
enum ock_status ock_pruning_write(const struct ock_pruning *pruning, ock_prune_take *take,
                                  void *ctx, struct ock_err *err);

#endif
