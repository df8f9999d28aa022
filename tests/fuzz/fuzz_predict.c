/* Bytes as a model file and as rows. The first byte says which: a stranger's model must open or be
 * refused, and of one that opens rows are predicted; JSON rows for a model of our own end with a
 * status, faults or an answer. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/export/safetensors.h"
#include "core/predict/predict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *path_of(const char *name)
{
    static char paths[4][64];
    static size_t next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, sizeof(paths[0]), "/dev/shm/ock-fuzz-predict-%ld-%s", (long)getpid(),
                   name);
    return path;
}

static void write_file(const char *path, const uint8_t *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert(file);
    assert(fwrite(data, 1, size, file) == size);
    assert(fclose(file) == 0);
}

static void write_model(const char *path)
{
    static const float weights[6] = {1, 2, 3, 4, 5, 6};
    const struct ock_tensor tensors[] = {
        {.name = "0.weight", .dims = 2, .shape = {2, 2}, .data = weights},
        {.name = "0.bias", .dims = 1, .shape = {2}, .data = weights}};
    const struct ock_metadata metadata[] = {
        {"spec", "{\"data\":{\"target\":\"y\"},\"loss\":\"cross_entropy\",\"model\":{\"layers\":"
                 "[{\"type\":\"linear\",\"units\":2}]}}"},
        {"classes", "[\"no\",\"yes\"]"},
        {"features", "[\"a\",\"b\"]"},
        {"scaler", "{\"clip\":10,\"mean\":[1,2],\"scale\":[1,3]}"},
        {"float64", "[\"b\"]"}};
    assert(ock_safetensors_write(path, tensors, 2, metadata, 5, NULL, NULL, NULL) == OCK_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char model[64], rows[64], answer[64], dir[64];
    static struct ock_faults faults;
    if (!model[0]) {
        (void)snprintf(model, sizeof(model), "%s", path_of("model"));
        (void)snprintf(rows, sizeof(rows), "%s", path_of("rows"));
        (void)snprintf(answer, sizeof(answer), "%s", path_of("answer"));
        (void)snprintf(dir, sizeof(dir), "/dev/shm/ock-fuzz-XXXXXX");
        assert(mkdtemp(dir));
    }
    if (size == 0)
        return 0;
    bool of_model = data[0] & 1;
    if (of_model) {
        write_file(model, data + 1, size - 1);
        write_file(rows, (const uint8_t *)"{\"x\":[[1,2],[3,4]]}", 19);
    } else {
        write_model(model);
        write_file(rows, data + 1, size - 1);
    }
    struct ock_predict predict = {.model = model,
                                  .source = rows,
                                  .json = of_model || (data[0] & 2),
                                  .dir = dir,
                                  .out = answer,
                                  .format = data[0] & 4 ? OCK_ANSWER_CSV : OCK_ANSWER_JSON,
                                  .threads = 1,
                                  .rows_max = 100,
                                  .bytes_max = 1 << 20};
    struct ock_err err = {0};
    memset(&faults, 0, sizeof(faults.count) + sizeof(faults.dropped));
    enum ock_status status = ock_predict_run(&predict, &faults, &err);
    assert(status == OCK_OK || err.text[0] != '\0' || faults.count > 0);
    assert(status != OCK_OK || faults.count == 0);
    return 0;
}
