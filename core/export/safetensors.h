/* The safetensors format: 8 bytes of header length (little-endian), a JSON header, the tensors'
 * bytes. Data only, so a model file can do nothing but be read.
 * Source: the format's description in the safetensors project; names as in nn.Sequential. */
#ifndef OCK_EXPORT_SAFETENSORS_H
#define OCK_EXPORT_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/file.h"
#include "core/base/sha256.h"
#include "core/base/status.h"

enum { OCK_TENSOR_NAME_SIZE = 64, OCK_TENSOR_DIMS_MAX = 4 };

/* A float32 tensor, row-major. */
struct ock_tensor {
    char name[OCK_TENSOR_NAME_SIZE]; /* "0.weight" */
    size_t dims;
    size_t shape[OCK_TENSOR_DIMS_MAX];
    const float *data; /* borrowed */
};

struct ock_metadata {
    const char *key;
    const char *value; /* safetensors allows strings only; JSON goes in as its text */
};

/* Writes the file whole or not at all; it is not synced: a model can be made again until somebody
 * keeps it, and who keeps it syncs it (a server before the job's `end`). bytes and sha256 (of the file) may be NULL. Tensor data start
 * at a multiple of 8. Errors: LIMIT, IO, NOSPACE, NOMEM. */
enum ock_status ock_safetensors_write(const char *path, const struct ock_tensor *tensors,
                                      size_t tensor_count, const struct ock_metadata *metadata,
                                      size_t metadata_count, uint64_t *bytes,
                                      char sha256[OCK_SHA256_TEXT_SIZE], struct ock_err *err);

/* A mapped safetensors file, checked: header within the file, offsets within the data and without
 * overlap, shapes that fit the offsets, dtype F32 for what is asked for. */
struct ock_safetensors;
/* Errors: NOTFOUND, IO, INVALID (not a safetensors file, and why), LIMIT, NOMEM. */
enum ock_status ock_safetensors_open(struct ock_safetensors **out, const char *path,
                                     struct ock_err *err);
void ock_safetensors_free(struct ock_safetensors *file); /* NULL is a no-op */
/* The tensors in the header's order; data may be unaligned in the file, so they are copies owned by
 * the file object. Other dtypes than F32 are left out. */
const struct ock_tensor *ock_safetensors_tensors(const struct ock_safetensors *file, size_t *count);
/* NULL if there is none. */
const struct ock_tensor *ock_safetensors_find(const struct ock_safetensors *file, const char *name);
/* A value of __metadata__, NULL if there is none. */
const char *ock_safetensors_metadata(const struct ock_safetensors *file, const char *key);

#endif
