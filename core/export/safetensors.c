/* Reading safetensors files, which may come from anywhere.
 *
 * Nothing of the header is believed before it is checked: the length against the file, the JSON by
 * the strict parser, every offset against the data, every shape against its offsets. As the format
 * demands, the tensors must cover the data without overlap and without holes, so that a file can't
 * be two things at once. The data may stand at any address: what passes is copied, or, of bytes in
 * memory, used where it is if that address suits floats. */
#include "core/export/safetensors.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"
#include "core/base/limits.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "safetensors data are little-endian");
static_assert(sizeof(float) == 4, "float is F32");

enum { LENGTH_BYTES = 8 };

struct ock_safetensors {
    cJSON *header; /* owned; the metadata's texts live here */
    float *data;   /* owned; copies of F32 tensors, one behind the other */
    size_t count;
    struct ock_tensor *tensors; /* owned */
};

/* One entry of the header, checked. */
struct entry {
    const char *name; /* borrowed from the header */
    bool f32;
    size_t dims;
    size_t shape[OCK_TENSOR_DIMS_MAX]; /* F32 only */
    uint64_t begin, end;               /* bytes in the data */
};

/* Bytes of an element, 0 for a type that is not known (a newer one: only its offsets are checked).
 */
static size_t dtype_bytes(const char *dtype)
{
    static const struct {
        const char *name;
        size_t bytes;
    } types[] = {{"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E5M2", 1}, {"F8_E4M3", 1},
                 {"I16", 2},  {"U16", 2}, {"F16", 2}, {"BF16", 2},    {"I32", 4},
                 {"U32", 4},  {"F32", 4}, {"I64", 8}, {"U64", 8},     {"F64", 8}};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(types[i].name, dtype) == 0)
            return types[i].bytes;
    return 0;
}

/* A whole number >= 0, or false. */
static bool whole(const cJSON *number, uint64_t *value)
{
    if (!cJSON_IsNumber(number) || !ock_json_whole(number) || number->valuedouble < 0)
        return false;
    *value = (uint64_t)number->valuedouble;
    return true;
}

static enum ock_status read_offsets(struct entry *entry, const cJSON *json, uint64_t data_bytes,
                                    struct ock_err *err)
{
    const cJSON *offsets = ock_json_get(json, "data_offsets");
    if (!cJSON_IsArray(offsets) || cJSON_GetArraySize(offsets) != 2 ||
        !whole(offsets->child, &entry->begin) || !whole(offsets->child->next, &entry->end))
        return ock_fail(err, OCK_INVALID, "tensor %.64s: data_offsets are not two whole numbers",
                        entry->name);
    if (entry->begin > entry->end || entry->end > data_bytes)
        return ock_fail(
            err, OCK_INVALID,
            "tensor %.64s: data_offsets [%llu, %llu] are not within the %llu data bytes",
            entry->name, (unsigned long long)entry->begin, (unsigned long long)entry->end,
            (unsigned long long)data_bytes);
    return OCK_OK;
}

/* The shape, and its product with the element's size against the offsets. */
static enum ock_status read_shape(struct entry *entry, const cJSON *json, size_t element_bytes,
                                  struct ock_err *err)
{
    const cJSON *shape = ock_json_get(json, "shape");
    if (!cJSON_IsArray(shape))
        return ock_fail(err, OCK_INVALID, "tensor %.64s has no shape", entry->name);
    uint64_t bytes = element_bytes;
    bool overflow = false;
    for (const cJSON *item = shape->child; item; item = item->next) {
        uint64_t extent = 0;
        if (!whole(item, &extent))
            return ock_fail(err, OCK_INVALID, "tensor %.64s: its shape is not whole numbers",
                            entry->name);
        if (entry->f32 && entry->dims == OCK_TENSOR_DIMS_MAX)
            return ock_fail(err, OCK_LIMIT, "tensor %.64s has more than %d dimensions", entry->name,
                            OCK_TENSOR_DIMS_MAX);
        if (entry->f32)
            entry->shape[entry->dims] = extent;
        entry->dims++;
        overflow |= __builtin_mul_overflow(bytes, extent, &bytes);
    }
    if (element_bytes > 0 && (overflow || bytes != entry->end - entry->begin))
        return ock_fail(err, OCK_INVALID, "tensor %.64s: its shape does not fit its %llu bytes",
                        entry->name, (unsigned long long)(entry->end - entry->begin));
    return OCK_OK;
}

static enum ock_status read_entry(struct entry *entry, const cJSON *json, uint64_t data_bytes,
                                  struct ock_err *err)
{
    *entry = (struct entry){.name = json->string};
    if (!cJSON_IsObject(json))
        return ock_fail(err, OCK_INVALID, "header: %.64s is not an object", entry->name);
    const cJSON *dtype = ock_json_get(json, "dtype");
    if (!cJSON_IsString(dtype))
        return ock_fail(err, OCK_INVALID, "tensor %.64s has no dtype", entry->name);
    entry->f32 = strcmp(dtype->valuestring, "F32") == 0;
    if (entry->f32 && strlen(entry->name) >= OCK_TENSOR_NAME_SIZE)
        return ock_fail(err, OCK_LIMIT, "tensor %.64s…: its name is longer than %d bytes",
                        entry->name, OCK_TENSOR_NAME_SIZE - 1);
    enum ock_status status = read_offsets(entry, json, data_bytes, err);
    if (status == OCK_OK)
        status = read_shape(entry, json, dtype_bytes(dtype->valuestring), err);
    return status;
}

static int by_begin(const void *a, const void *b)
{
    const struct entry *p = *(const struct entry *const *)a;
    const struct entry *q = *(const struct entry *const *)b;
    if (p->begin != q->begin)
        return p->begin < q->begin ? -1 : 1;
    return (p->end > q->end) - (p->end < q->end); /* an empty tensor before the one it touches */
}

/* The entries, sorted by their place, must follow each other from 0 to the end of the data. */
static enum ock_status check_cover(const struct entry *entries, size_t count, uint64_t data_bytes,
                                   struct ock_err *err)
{
    const struct entry **order = calloc(count + 1, sizeof(const struct entry *));
    if (!order)
        return ock_fail(err, OCK_NOMEM, "no memory for %zu tensors", count);
    for (size_t i = 0; i < count; i++)
        order[i] = &entries[i];
    qsort(order, count, sizeof(const struct entry *), by_begin);
    enum ock_status status = OCK_OK;
    uint64_t at = 0;
    for (size_t i = 0; i < count && status == OCK_OK; i++) {
        if (order[i]->begin < at)
            status = ock_fail(err, OCK_INVALID, "tensor %.64s overlaps the one before it",
                              order[i]->name);
        else if (order[i]->begin > at)
            status = ock_fail(err, OCK_INVALID, "a hole in the data before tensor %.64s",
                              order[i]->name);
        at = order[i]->end;
    }
    if (status == OCK_OK && at != data_bytes)
        status = ock_fail(err, OCK_INVALID, "%llu bytes behind the last tensor",
                          (unsigned long long)(data_bytes - at));
    free(order);
    return status;
}

static enum ock_status check_metadata(const cJSON *metadata, struct ock_err *err)
{
    if (!cJSON_IsObject(metadata))
        return ock_fail(err, OCK_INVALID, "header: __metadata__ is not an object");
    for (const cJSON *item = metadata->child; item; item = item->next)
        if (!cJSON_IsString(item))
            return ock_fail(err, OCK_INVALID, "__metadata__: %.64s is not a string", item->string);
    return OCK_OK;
}

/* All entries of the header, in its order; `entries` has room for each of its members. */
static enum ock_status read_entries(struct entry *entries, size_t *count, const cJSON *header,
                                    uint64_t data_bytes, struct ock_err *err)
{
    size_t n = 0;
    enum ock_status status = OCK_OK;
    for (const cJSON *item = header->child; item && status == OCK_OK; item = item->next) {
        if (strcmp(item->string, "__metadata__") == 0)
            status = check_metadata(item, err);
        else
            status = read_entry(&entries[n++], item, data_bytes, err);
    }
    if (status == OCK_OK)
        status = check_cover(entries, n, data_bytes, err);
    *count = n;
    return status;
}

/* Whether an entry's data can be used where they are. */
static bool stays(const struct entry *entry, const unsigned char *data, bool borrow)
{
    return borrow && (uintptr_t)(data + entry->begin) % sizeof(float) == 0;
}

/* Where floats stand in somebody's bytes, read only. */
static const float *floats_at(const unsigned char *bytes)
{
    return (const float *)(const void *)bytes;
}

/* The F32 entries as tensors. Copies sum to no more than the file's size: check_cover has passed. */
static enum ock_status take_tensors(struct ock_safetensors *file, const struct entry *entries,
                                    size_t count, const unsigned char *data, bool borrow,
                                    struct ock_err *err)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        if (entries[i].f32 && !stays(&entries[i], data, borrow))
            bytes += entries[i].end - entries[i].begin;
    }
    file->data = malloc(bytes + sizeof(float)); /* never of size 0 */
    file->tensors = calloc(count + 1, sizeof(*file->tensors));
    if (!file->data || !file->tensors)
        return ock_fail(err, OCK_NOMEM, "no memory for %llu bytes of tensors",
                        (unsigned long long)bytes);
    float *at = file->data;
    for (size_t i = 0; i < count; i++) {
        if (!entries[i].f32)
            continue;
        struct ock_tensor *tensor = &file->tensors[file->count++];
        size_t size = entries[i].end - entries[i].begin;
        memcpy(tensor->name, entries[i].name, strlen(entries[i].name) + 1);
        tensor->dims = entries[i].dims;
        memcpy(tensor->shape, entries[i].shape, sizeof(tensor->shape));
        tensor->data = at;
        if (stays(&entries[i], data, borrow)) {
            tensor->data = floats_at(data + entries[i].begin);
            continue;
        }
        if (size > 0)
            memcpy(at, data + entries[i].begin, size);
        at += size / sizeof(float);
    }
    return OCK_OK;
}

/* The header as JSON, *data_begin where the data start in the file. */
static enum ock_status parse_header(cJSON **out, size_t *data_begin,
                                    const struct ock_mapping *mapping, struct ock_err *err)
{
    uint64_t length = 0;
    if (mapping->size < LENGTH_BYTES)
        return ock_fail(err, OCK_INVALID, "%zu bytes are too few for a safetensors file",
                        mapping->size);
    memcpy(&length, mapping->data, LENGTH_BYTES);
    if (length > mapping->size - LENGTH_BYTES)
        return ock_fail(err, OCK_INVALID,
                        "the header should have %llu bytes, but the file has %zu in all",
                        (unsigned long long)length, mapping->size);
    if (length > OCK_JSON_BYTES_MAX)
        return ock_fail(err, OCK_LIMIT, "a header of %llu bytes is beyond the limit of %zu",
                        (unsigned long long)length, OCK_JSON_BYTES_MAX);
    const unsigned char *text = mapping->data + LENGTH_BYTES;
    if (length == 0 || text[0] != '{')
        return ock_fail(err, OCK_INVALID, "the header does not begin with '{'");
    struct ock_faults *faults = calloc(1, sizeof(*faults)); /* too large for the stack */
    if (!faults)
        return ock_fail(err, OCK_NOMEM, "no memory for the header");
    cJSON *json = NULL;
    struct ock_err inner = {0};
    enum ock_status status = ock_json_parse(&json, (const char *)text, length, faults, &inner);
    if (status != OCK_OK)
        status = ock_fail(err, status, "header: %s", inner.text);
    else if (faults->count > 0)
        status = ock_fail(err, OCK_INVALID, "header: %s: %s", faults->items[0].pointer,
                          faults->items[0].detail);
    free(faults);
    if (status != OCK_OK) {
        cJSON_Delete(json);
        return status;
    }
    *out = json;
    *data_begin = LENGTH_BYTES + (size_t)length;
    return OCK_OK;
}

static enum ock_status load(struct ock_safetensors *file, const struct ock_mapping *mapping,
                            bool borrow, struct ock_err *err)
{
    size_t begin = 0, members = 0, count = 0;
    enum ock_status status = parse_header(&file->header, &begin, mapping, err);
    if (status != OCK_OK)
        return status;
    assert(file->header); /* the parser's promise */
    for (const cJSON *item = file->header->child; item; item = item->next)
        members++;
    struct entry *entries = calloc(members + 1, sizeof(*entries));
    if (!entries)
        return ock_fail(err, OCK_NOMEM, "no memory for %zu tensors", members);
    status = read_entries(entries, &count, file->header, mapping->size - begin, err);
    if (status == OCK_OK)
        status = take_tensors(file, entries, count, mapping->data + begin, borrow, err);
    free(entries);
    return status;
}

static enum ock_status open_mapping(struct ock_safetensors **out, const struct ock_mapping *mapping,
                                    bool borrow, struct ock_err *err)
{
    struct ock_safetensors *file = calloc(1, sizeof(*file));
    if (!file)
        return ock_fail(err, OCK_NOMEM, "no memory for a safetensors file");
    enum ock_status status = load(file, mapping, borrow, err);
    if (status == OCK_OK)
        *out = file;
    else
        ock_safetensors_free(file);
    return status;
}

enum ock_status ock_safetensors_open(struct ock_safetensors **out, const char *path,
                                     struct ock_err *err)
{
    struct ock_mapping mapping = {0};
    enum ock_status status = ock_mapping_open(&mapping, path, err);
    if (status == OCK_OK)
        status = open_mapping(out, &mapping, false, err);
    ock_mapping_close(&mapping);
    return status;
}

enum ock_status ock_safetensors_read(struct ock_safetensors **out, const void *bytes, size_t size,
                                     struct ock_err *err)
{
    const struct ock_mapping mapping = {.data = bytes, .size = size};
    return open_mapping(out, &mapping, true, err);
}

void ock_safetensors_free(struct ock_safetensors *file)
{
    if (!file)
        return;
    cJSON_Delete(file->header);
    free(file->data);
    free(file->tensors);
    free(file);
}

const struct ock_tensor *ock_safetensors_tensors(const struct ock_safetensors *file, size_t *count)
{
    *count = file->count;
    return file->tensors;
}

const struct ock_tensor *ock_safetensors_find(const struct ock_safetensors *file, const char *name)
{
    for (size_t i = 0; i < file->count; i++)
        if (strcmp(file->tensors[i].name, name) == 0)
            return &file->tensors[i];
    return NULL;
}

const char *ock_safetensors_metadata(const struct ock_safetensors *file, const char *key)
{
    const cJSON *value = ock_json_get(ock_json_get(file->header, "__metadata__"), key);
    return cJSON_IsString(value) ? value->valuestring : NULL;
}

size_t ock_safetensors_metadata_all(const struct ock_safetensors *file, struct ock_metadata *out,
                                    size_t room)
{
    const cJSON *metadata = ock_json_get(file->header, "__metadata__");
    size_t count = 0;
    for (const cJSON *item = metadata ? metadata->child : NULL; item; item = item->next, count++) {
        if (count < room)
            out[count] = (struct ock_metadata){item->string, item->valuestring};
    }
    return count;
}
