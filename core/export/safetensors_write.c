/* Writing safetensors files.
 *
 * The header is made first, for its length decides where the data begin. It is padded with spaces
 * to a multiple of 8, as the format allows, so that a reader may map the data and use them in
 * place. Tensors stand in the order given, without holes. */
#include <assert.h>
#include <string.h>

#include "core/base/jsonw.h"
#include "core/base/limits.h"
#include "core/export/safetensors.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "safetensors data are little-endian");
static_assert(sizeof(float) == 4, "float is F32");

/* Bytes of the tensor's data; false when they don't fit into 64 bits. */
static bool tensor_bytes(const struct ock_tensor *tensor, uint64_t *bytes)
{
    uint64_t product = sizeof(float);
    for (size_t i = 0; i < tensor->dims; i++)
        if (__builtin_mul_overflow(product, tensor->shape[i], &product))
            return false;
    *bytes = product;
    return true;
}

static void write_metadata(struct ock_jsonw *w, const struct ock_metadata *metadata, size_t count)
{
    if (count == 0)
        return;
    ock_jsonw_object(w, "__metadata__");
    for (size_t i = 0; i < count; i++)
        ock_jsonw_string(w, metadata[i].key, metadata[i].value);
    ock_jsonw_end_object(w);
}

static void write_tensor(struct ock_jsonw *w, const struct ock_tensor *tensor, uint64_t begin,
                         uint64_t end)
{
    ock_jsonw_object(w, tensor->name);
    ock_jsonw_string(w, "dtype", "F32");
    ock_jsonw_array(w, "shape");
    for (size_t i = 0; i < tensor->dims; i++)
        ock_jsonw_uint(w, NULL, tensor->shape[i]);
    ock_jsonw_end_array(w);
    ock_jsonw_array(w, "data_offsets");
    ock_jsonw_uint(w, NULL, begin);
    ock_jsonw_uint(w, NULL, end);
    ock_jsonw_end_array(w);
    ock_jsonw_end_object(w);
}

enum ock_status ock_safetensors_header(struct ock_buf *header, const struct ock_tensor *tensors,
                                       size_t tensor_count, const struct ock_metadata *metadata,
                                       size_t metadata_count, uint64_t *data_bytes,
                                       struct ock_err *err)
{
    uint64_t length = 0, offset = 0;
    ock_buf_add(header, &length, sizeof(length)); /* set below, once it is known */
    struct ock_jsonw w = ock_jsonw_make(header);
    ock_jsonw_object(&w, NULL);
    write_metadata(&w, metadata, metadata_count);
    for (size_t i = 0; i < tensor_count; i++) {
        assert(tensors[i].dims <= OCK_TENSOR_DIMS_MAX);
        uint64_t bytes = 0, end = 0;
        if (!tensor_bytes(&tensors[i], &bytes) || __builtin_add_overflow(offset, bytes, &end))
            return ock_fail(err, OCK_LIMIT, "tensor %s does not fit into a file", tensors[i].name);
        write_tensor(&w, &tensors[i], offset, end);
        offset = end;
    }
    ock_jsonw_end_object(&w);
    while (header->failed == OCK_OK && header->size % 8 != 0)
        ock_buf_putc(header, ' ');
    enum ock_status status = ock_buf_status(header, err);
    if (status != OCK_OK)
        return status;
    length = header->size - sizeof(length);
    memcpy(header->data, &length, sizeof(length));
    *data_bytes = offset;
    return OCK_OK;
}

/* Writes bytes to the file and into its checksum. */
static enum ock_status put(struct ock_newfile *file, struct ock_sha256 *sha, const void *bytes,
                           size_t size, struct ock_err *err)
{
    if (size == 0)
        return OCK_OK;
    ock_sha256_add(sha, bytes, size);
    return ock_newfile_write(file, bytes, size, err);
}

enum ock_status ock_safetensors_write(const char *path, const struct ock_tensor *tensors,
                                      size_t tensor_count, const struct ock_metadata *metadata,
                                      size_t metadata_count, uint64_t *bytes,
                                      char sha256[OCK_SHA256_TEXT_SIZE], struct ock_err *err)
{
    struct ock_newfile file = {.fd = -1};
    struct ock_sha256 sha;
    ock_sha256_init(&sha);
    struct ock_buf header;
    ock_buf_init(&header, OCK_JSON_BYTES_MAX);
    uint64_t data_bytes = 0;
    enum ock_status status = ock_safetensors_header(&header, tensors, tensor_count, metadata,
                                                    metadata_count, &data_bytes, err);
    if (status != OCK_OK)
        goto done;
    status = ock_newfile_open(&file, path, err);
    if (status != OCK_OK)
        goto done;
    file.quick = true;
    status = put(&file, &sha, header.data, header.size, err);
    for (size_t i = 0; i < tensor_count && status == OCK_OK; i++) {
        uint64_t size = 0;
        (void)tensor_bytes(&tensors[i], &size); /* the header has refused what overflows */
        status = put(&file, &sha, tensors[i].data, size, err);
    }
    if (status == OCK_OK)
        status = ock_newfile_commit(&file, err);
    if (status != OCK_OK)
        goto done;
    if (bytes)
        *bytes = header.size + data_bytes;
    if (sha256)
        ock_sha256_text(&sha, sha256);
done:
    ock_newfile_discard(&file);
    ock_buf_deinit(&header);
    return status;
}
