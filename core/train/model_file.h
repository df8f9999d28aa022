/* Models as files: the weights as PyTorch's nn.Sequential names them, the scaler beside them, and in
 * __metadata__ all that is needed to use them: resolved spec, class and feature names. */
#ifndef OCK_TRAIN_MODEL_FILE_H
#define OCK_TRAIN_MODEL_FILE_H

#include "core/base/jsonw.h"
#include "core/export/prune.h"
#include "core/train/trainer.h"

/* Writes weights w ([P]) to path. Tensors: "<layer>.weight" [out,in], "<layer>.bias" [out], and,
 * where there is scaling, "scaler.mean", "scaler.scale" [features] ((x - mean)/scale, then clipped
 * to ±metadata's scaler.clip), "target_scaler.mean", "target_scaler.scale" [1].
 * Errors: IO, NOSPACE, NOMEM, LIMIT. */
enum ock_status ock_model_write(const struct ock_trainer *trainer, const float *w, const char *path,
                                uint64_t *bytes, char sha256[OCK_SHA256_TEXT_SIZE],
                                struct ock_err *err);

/* What the model of weights w ([P]) has of parameters, and what a pruned one (prune.h) would have of
 * them and of bytes; no file is written. Errors: NOMEM, LIMIT. */
enum ock_status ock_model_sizes(struct ock_pruned_sizes *out, const struct ock_trainer *trainer,
                                const float *w, struct ock_err *err);
/* As members of an object that is open: "parameters", and "pruned" where something can go. */
void ock_model_sizes_write(struct ock_jsonw *w, const struct ock_pruned_sizes *sizes);

/* Fills w ([P]; NULL: only checks) from a safetensors file with this network's names and shapes.
 * Errors: INVALID (which tensor is missing or has another shape; a pruned model's inputs), NOTFOUND, IO, NOMEM. */
enum ock_status ock_model_read_weights(const struct ock_plan *plan, const char *path, float *w,
                                       struct ock_err *err);

/* The same from a file that is open already. */
enum ock_status ock_model_take_weights(const struct ock_plan *plan,
                                       const struct ock_safetensors *file, float *w,
                                       struct ock_err *err);

#endif
