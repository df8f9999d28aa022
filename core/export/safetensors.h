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

/* What stands before the tensors' bytes: the length and the JSON, padded so that the data start at a
 * multiple of 8. Appended to an empty header; *data_bytes: of all tensors together. The tensors' data
 * are not looked at. Errors: LIMIT, NOMEM. */
enum ock_status ock_safetensors_header(struct ock_buf *header, const struct ock_tensor *tensors,
                                       size_t tensor_count, const struct ock_metadata *metadata,
                                       size_t metadata_count, uint64_t *data_bytes,
                                       struct ock_err *err);

/* Writes the file whole or not at all; it is not synced: a model can be made again until somebody
 * keeps it, and who keeps it syncs it (a server before the job's `end`). bytes and sha256 (of the
 * file) may be NULL. Errors: LIMIT, IO, NOSPACE, NOMEM. */
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
/* The same of bytes in memory, borrowed until the file is freed: tensors that stand at a multiple of 4
 * are not copied, so that a mapped file takes no memory. */
enum ock_status ock_safetensors_read(struct ock_safetensors **out, const void *bytes, size_t size,
                                     struct ock_err *err);
void ock_safetensors_free(struct ock_safetensors *file); /* NULL is a no-op */
/* The tensors in the header's order. Other dtypes than F32 are left out. Of an opened file they are
 * copies owned by the file object. */
const struct ock_tensor *ock_safetensors_tensors(const struct ock_safetensors *file, size_t *count);
/* NULL if there is none. */
const struct ock_tensor *ock_safetensors_find(const struct ock_safetensors *file, const char *name);
/* A value of __metadata__, NULL if there is none. */
const char *ock_safetensors_metadata(const struct ock_safetensors *file, const char *key);
/* All of __metadata__ in the file's order, as far as there is room in out [room] (NULL: 0); returns
 * how many there are. Borrowed from the file object. */
size_t ock_safetensors_metadata_all(const struct ock_safetensors *file, struct ock_metadata *out,
                                    size_t room);

#endif
