/* Bytes as a model file: whatever they are, opening them ends with a status; of a file that is taken
 * every value can be read, and written again it holds the same tensors. Pruned, it is a file again, of
 * which nothing more can go. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/limits.h"
#include "core/export/prune.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In memory: a disk would set the pace. */
static const char *path_of(size_t which)
{
    static char paths[2][64];
    (void)snprintf(paths[which], sizeof(paths[which]), "/dev/shm/ock-fuzz-st-%ld-%zu",
                   (long)getpid(), which);
    return paths[which];
}

static void write_file(const uint8_t *data, size_t size)
{
    FILE *file = fopen(path_of(0), "wb");
    assert(file);
    assert(fwrite(data, 1, size, file) == size);
    assert(fclose(file) == 0);
}

static struct ock_safetensors *open_file(size_t which)
{
    struct ock_safetensors *file = NULL;
    struct ock_err err = {0};
    enum ock_status status = ock_safetensors_open(&file, path_of(which), &err);
    assert((status == OCK_OK) == (file != NULL));
    assert(status == OCK_OK || err.text[0] != '\0');
    return file;
}

static size_t values_of(const struct ock_tensor *tensor)
{
    size_t values = 1;
    for (size_t i = 0; i < tensor->dims; i++)
        values *= tensor->shape[i];
    return values;
}

static void compare(const struct ock_safetensors *a, const struct ock_safetensors *b)
{
    size_t count = 0, again = 0;
    const struct ock_tensor *x = ock_safetensors_tensors(a, &count);
    const struct ock_tensor *y = ock_safetensors_tensors(b, &again);
    assert(count == again);
    for (size_t i = 0; i < count; i++) {
        assert(strcmp(x[i].name, y[i].name) == 0 && x[i].dims == y[i].dims);
        assert(values_of(&x[i]) == values_of(&y[i]));
        assert(memcmp(x[i].data, y[i].data, values_of(&x[i]) * sizeof(float)) == 0);
        assert(ock_safetensors_find(a, x[i].name) == &x[i]);
    }
}

static enum ock_status take(void *ctx, const void *bytes, size_t size, struct ock_err *err)
{
    ock_buf_add(ctx, bytes, size);
    return ock_buf_status(ctx, err);
}

/* Appends the file without what can go to out; false: nothing can, or it is no model. */
static bool prune(const struct ock_safetensors *file, struct ock_buf *out)
{
    struct ock_metadata metadata[16];
    struct ock_pruning *pruning = NULL;
    struct ock_model_view view = {.metadata = metadata};
    view.tensors = ock_safetensors_tensors(file, &view.tensor_count);
    view.metadata_count = ock_safetensors_metadata_all(file, metadata, 16);
    if (view.metadata_count > 16 || ock_pruning_make(&pruning, &view, NULL) != OCK_OK)
        return false;
    struct ock_pruned_sizes sizes = ock_pruning_sizes(pruning);
    assert(sizes.pruned_parameters <= sizes.parameters);
    if (sizes.pruned_bytes > 0)
        assert(ock_pruning_write(pruning, take, out, NULL) == OCK_OK);
    assert(out->size == sizes.pruned_bytes);
    ock_pruning_free(pruning);
    return sizes.pruned_bytes > 0;
}

static void prune_twice(const uint8_t *data, size_t size)
{
    struct ock_safetensors *file = NULL, *again = NULL;
    struct ock_buf first, second;
    ock_buf_init(&first, OCK_GIB);
    ock_buf_init(&second, OCK_GIB);
    assert(ock_safetensors_read(&file, data, size, NULL) == OCK_OK);
    if (prune(file, &first)) {
        assert(ock_safetensors_read(&again, first.data, first.size, NULL) == OCK_OK);
        assert(!prune(again, &second));
    }
    ock_safetensors_free(again);
    ock_safetensors_free(file);
    ock_buf_deinit(&first);
    ock_buf_deinit(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    write_file(data, size);
    struct ock_safetensors *file = open_file(0);
    if (!file)
        return 0;
    size_t count = 0;
    const struct ock_tensor *tensors = ock_safetensors_tensors(file, &count);
    assert(ock_safetensors_write(path_of(1), tensors, count, NULL, 0, NULL, NULL, NULL) == OCK_OK);
    struct ock_safetensors *again = open_file(1);
    assert(again);
    compare(file, again);
    prune_twice(data, size);
    ock_safetensors_free(again);
    ock_safetensors_free(file);
    return 0;
}
