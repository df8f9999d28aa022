/* A small file: header, what was found, the folds, the path, a checksum over all of it. */
#include "core/train/tune_state.h"

#include <stdio.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/limits.h"

static const char magic[8] = "OCKTUNE";
static const uint32_t version = 1;

struct header {
    char magic[8];
    uint32_t version, fold_size;
    struct ock_tune_name name;
    uint64_t trials, folds, path_numbers, path_count;
};

static struct header header_of(const struct ock_tune_name *name, const struct ock_tune_table *table,
                               const struct ock_tune_path *path)
{
    struct header header;
    memset(&header, 0, sizeof(header)); /* padding too: the bytes go to disk */
    memcpy(header.magic, magic, sizeof(header.magic));
    header.version = version;
    header.fold_size = sizeof(struct ock_fold);
    header.name = *name;
    header.trials = table->count;
    header.folds = table->fold_count;
    header.path_count = path->count;
    header.path_numbers = path->weights ? path->count * path->parameters : 0;
    return header;
}

enum ock_status ock_tune_state_write(const char *path, const struct ock_tune_name *name,
                                     const struct ock_tune_found *found,
                                     const struct ock_tune_table *table,
                                     const struct ock_tune_path *coefficients, struct ock_err *err)
{
    struct header header = header_of(name, table, coefficients);
    struct ock_sha256 sha;
    char digest[OCK_SHA256_TEXT_SIZE];
    struct ock_buf out;
    ock_buf_init(&out, OCK_GIB);
    ock_buf_add(&out, &header, sizeof(header));
    ock_buf_add(&out, found, sizeof(*found));
    ock_buf_add(&out, table->folds, table->count * table->fold_count * sizeof(*table->folds));
    ock_buf_add(&out, coefficients->zeros, coefficients->count * sizeof(*coefficients->zeros));
    ock_buf_add(&out, coefficients->weights, header.path_numbers * sizeof(float));
    enum ock_status status = ock_buf_status(&out, err);
    if (status == OCK_OK) {
        ock_sha256_init(&sha);
        ock_sha256_add(&sha, out.data, out.size);
        ock_sha256_text(&sha, digest);
        ock_buf_add(&out, digest, sizeof(digest));
        status = ock_buf_status(&out, err);
    }
    if (status == OCK_OK)
        status = ock_file_replace(path, out.data, out.size, err);
    ock_buf_deinit(&out);
    return status;
}

/* The file's bytes without the checksum, if they are sound and of this search. */
static bool load(const char *path, const struct ock_tune_name *name, struct ock_buf *out,
                 struct header *header)
{
    struct ock_sha256 sha;
    char digest[OCK_SHA256_TEXT_SIZE];
    if (ock_file_read(path, out, NULL) != OCK_OK ||
        out->size < sizeof(*header) + sizeof(struct ock_tune_found) + sizeof(digest))
        return false;
    out->size -= sizeof(digest);
    ock_sha256_init(&sha);
    ock_sha256_add(&sha, out->data, out->size);
    ock_sha256_text(&sha, digest);
    memcpy(header, out->data, sizeof(*header));
    return memcmp(digest, out->data + out->size, sizeof(digest)) == 0 &&
           memcmp(header->magic, magic, sizeof(magic)) == 0 && header->version == version &&
           header->fold_size == sizeof(struct ock_fold) &&
           memcmp(&header->name, name, sizeof(*name)) == 0;
}

bool ock_tune_state_read_found(const char *path, const struct ock_tune_name *name,
                               struct ock_tune_found *found)
{
    struct header header;
    struct ock_buf bytes;
    ock_buf_init(&bytes, OCK_GIB);
    bool sound = load(path, name, &bytes, &header);
    if (sound)
        memcpy(found, bytes.data + sizeof(header), sizeof(*found));
    ock_buf_deinit(&bytes);
    return sound;
}

bool ock_tune_state_read(const char *path, const struct ock_tune_name *name,
                         struct ock_tune_table *table, struct ock_tune_path *coefficients)
{
    struct header header, wanted = header_of(name, table, coefficients);
    size_t folds_size = table->count * table->fold_count * sizeof(*table->folds);
    size_t zeros_size = coefficients->count * sizeof(*coefficients->zeros);
    size_t weights_size = wanted.path_numbers * sizeof(float);
    size_t begin = sizeof(header) + sizeof(struct ock_tune_found);
    struct ock_buf bytes;
    ock_buf_init(&bytes, OCK_GIB);
    bool sound = load(path, name, &bytes, &header) &&
                 memcmp(&header, &wanted, sizeof(header)) == 0 &&
                 bytes.size == begin + folds_size + zeros_size + weights_size;
    if (sound) {
        memcpy(table->folds, bytes.data + begin, folds_size);
        if (zeros_size > 0)
            memcpy(coefficients->zeros, bytes.data + begin + folds_size, zeros_size);
        if (weights_size > 0)
            memcpy(coefficients->weights, bytes.data + begin + folds_size + zeros_size,
                   weights_size);
    }
    ock_buf_deinit(&bytes);
    return sound;
}

bool ock_tune_state_path(char out[4096], const char *checkpoint_path)
{
    int length = snprintf(out, 4096, "%s.tuning", checkpoint_path);
    return length > 0 && length < 4096;
}

bool ock_tune_run_path(char out[4096], const char *checkpoint_path, size_t trial, size_t cut)
{
    int length = snprintf(out, 4096, "%s.%zu.%zu", checkpoint_path, trial + 1, cut + 1);
    return length > 0 && length < 4096;
}
