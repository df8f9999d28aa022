/* A job's own small arrays, {"x": [[…], …], "y": […]}, to a dataset file like any other. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"
#include "core/base/limits.h"
#include "core/data/builder.h"
#include "core/data/dictionary.h"
#include "core/data/formats.h"
#include "core/data/import.h"

enum { BLOCK_F32, BLOCK_F64, BLOCK_U32, BLOCKS };

struct arrays {
    const cJSON *x, *y;
    size_t rows, features;
    bool text;                        /* y holds texts or booleans */
    struct ock_stats *stats;          /* owned, [features + 1]; the last is y's */
    struct ock_build_column *columns; /* owned, [features + 1] */
    struct ock_buf names;
    struct ock_dictionary labels;
    const char **values; /* owned: y's texts, sorted */
    uint32_t *codes;     /* owned: from the order in y to the sorted one */
    struct ock_build_block blocks[BLOCKS];
};

static void arrays_deinit(struct arrays *arrays)
{
    for (size_t c = 0; arrays->stats && c <= arrays->features; c++)
        ock_stats_deinit(&arrays->stats[c]);
    free(arrays->stats);
    free(arrays->columns);
    free(arrays->values);
    free(arrays->codes);
    ock_buf_deinit(&arrays->names);
    ock_dictionary_deinit(&arrays->labels);
}

/* "/data/inline" + "/x/3/1"; places that are SIZE_MAX are left out. */
struct place {
    char text[320];
};
static struct place place_of(const char *pointer, const char *key, size_t row, size_t column)
{
    struct place place;
    int used = snprintf(place.text, sizeof(place.text), "%s/%s", pointer, key);
    size_t at = used < 0 ? 0 : (size_t)used;
    if (row != SIZE_MAX && at < sizeof(place.text)) {
        used = snprintf(place.text + at, sizeof(place.text) - at, "/%zu", row);
        at += used < 0 ? 0 : (size_t)used;
    }
    if (column != SIZE_MAX && at < sizeof(place.text))
        (void)snprintf(place.text + at, sizeof(place.text) - at, "/%zu", column);
    return place;
}

/* Unknown keys, and x and y that are no arrays. */
static void check_keys(struct arrays *arrays, const cJSON *data, const char *pointer,
                       struct ock_faults *faults)
{
    static const char *const keys[] = {"x", "y"};
    if (!cJSON_IsObject(data)) {
        ock_faults_add(faults, pointer, "wrong_type",
                       "must be an object {\"x\": [[numbers], …], \"y\": […]}");
        return;
    }
    for (const cJSON *item = data->child; item; item = item->next) {
        if (strcmp(item->string, "x") == 0 || strcmp(item->string, "y") == 0)
            continue;
        char place[320];
        (void)snprintf(place, sizeof(place), "%s", pointer);
        ock_json_pointer_add(place, sizeof(place), item->string);
        ock_faults_add(faults, place, "unknown_key", "unknown key; there are x and y");
    }
    arrays->x = ock_json_get(data, "x");
    arrays->y = ock_json_get(data, "y");
    const cJSON *arrays_found[] = {arrays->x, arrays->y};
    for (size_t i = 0; i < 2; i++) {
        struct place place = place_of(pointer, keys[i], SIZE_MAX, SIZE_MAX);
        if (!arrays_found[i])
            ock_faults_add(faults, place.text, "missing_key", "is missing");
        else if (!cJSON_IsArray(arrays_found[i]))
            ock_faults_add(faults, place.text, "wrong_type", "must be an array");
        else if (!arrays_found[i]->child)
            ock_faults_add(faults, place.text, "out_of_range", "must not be empty");
    }
}

static void check_row(struct arrays *arrays, const cJSON *row, size_t index, const char *pointer,
                      struct ock_faults *faults)
{
    struct place place = place_of(pointer, "x", index, SIZE_MAX);
    if (!cJSON_IsArray(row)) {
        ock_faults_add(faults, place.text, "wrong_type", "must be an array of numbers");
        return;
    }
    size_t count = 0;
    for (const cJSON *item = row->child; item; item = item->next) {
        if (!cJSON_IsNumber(item)) {
            struct place inner = place_of(pointer, "x", index, count);
            ock_faults_add(faults, inner.text, "wrong_type", "must be a number");
        }
        count++;
    }
    if (index == 0)
        arrays->features = count;
    if (count == 0)
        ock_faults_add(faults, place.text, "out_of_range", "has no numbers");
    else if (count >= OCK_COLUMNS_MAX)
        ock_faults_add(faults, place.text, "out_of_range", "has %zu numbers, the limit is %zu",
                       count, OCK_COLUMNS_MAX - 1);
    else if (count != arrays->features)
        ock_faults_add(faults, place.text, "wrong_length",
                       "has %zu numbers, the rows before have %zu", count, arrays->features);
}

static const char *kind_of(const cJSON *item)
{
    if (cJSON_IsNumber(item))
        return "number";
    if (cJSON_IsString(item))
        return "string";
    return cJSON_IsBool(item) ? "boolean" : NULL;
}

static void check_targets(struct arrays *arrays, const char *pointer, struct ock_faults *faults)
{
    size_t count = 0;
    const char *kind = kind_of(arrays->y->child);
    for (const cJSON *item = arrays->y->child; item; item = item->next) {
        const char *found = kind_of(item);
        bool too_long = cJSON_IsString(item) && strlen(item->valuestring) >= OCK_NAME_BYTES_MAX;
        size_t index = count++;
        if (found && kind && strcmp(found, kind) == 0 && !too_long)
            continue;
        struct place place = place_of(pointer, "y", index, SIZE_MAX);
        if (!found)
            ock_faults_add(faults, place.text, "wrong_type",
                           "must be a number, a string or a boolean");
        else if (kind && strcmp(found, kind) != 0)
            ock_faults_add(faults, place.text, "wrong_type", "is a %s, the targets before are %ss",
                           found, kind);
        else if (too_long)
            ock_faults_add(faults, place.text, "out_of_range", "is longer than %u bytes, the limit",
                           OCK_NAME_BYTES_MAX - 1);
    }
    arrays->text = kind && strcmp(kind, "number") != 0;
    if (count != arrays->rows) {
        struct place place = place_of(pointer, "y", SIZE_MAX, SIZE_MAX);
        ock_faults_add(faults, place.text, "wrong_length", "has %zu targets, x has %zu rows", count,
                       arrays->rows);
    }
}

/* Ranges of the numbers. Errors: NOMEM. */
static enum ock_status examine(struct arrays *arrays, struct ock_err *err)
{
    arrays->stats = calloc(arrays->features + 1, sizeof(*arrays->stats));
    arrays->columns = calloc(arrays->features + 1, sizeof(*arrays->columns));
    if (!arrays->stats || !arrays->columns)
        return ock_fail(err, OCK_NOMEM, "out of memory for %zu columns", arrays->features);
    for (size_t c = 0; c <= arrays->features; c++)
        ock_stats_init(&arrays->stats[c], OCK_DISTINCT_MAX);
    enum ock_status status = OCK_OK;
    for (const cJSON *row = arrays->x->child; row; row = row->next) {
        size_t c = 0;
        for (const cJSON *item = row->child; item && status == OCK_OK; item = item->next)
            status = ock_stats_add(&arrays->stats[c++], item->valuedouble, err);
    }
    struct ock_stats *of_y = &arrays->stats[arrays->features];
    for (const cJSON *item = arrays->y->child; item && !arrays->text; item = item->next) {
        if (status == OCK_OK)
            status = ock_stats_add(of_y, item->valuedouble, err);
    }
    return status;
}

static const char *text_of(const cJSON *item)
{
    if (cJSON_IsString(item))
        return item->valuestring;
    return cJSON_IsTrue(item) ? "true" : "false";
}

/* Codes of y's texts, sorted. */
static enum ock_status sort_labels(struct arrays *arrays, struct ock_err *err)
{
    uint32_t code;
    int added;
    enum ock_status status = OCK_OK;
    for (const cJSON *item = arrays->y->child; item && status == OCK_OK; item = item->next)
        status = ock_dictionary_code(&arrays->labels, text_of(item), strlen(text_of(item)), &code,
                                     &added, err);
    if (status != OCK_OK)
        return status;
    arrays->values = malloc(arrays->labels.count * sizeof(*arrays->values));
    arrays->codes = malloc(arrays->labels.count * sizeof(*arrays->codes));
    if (!arrays->values || !arrays->codes)
        return ock_fail(err, OCK_NOMEM, "out of memory for the targets");
    struct ock_build_column *column = &arrays->columns[arrays->features];
    column->values = arrays->values;
    return ock_dictionary_sort(&arrays->labels, arrays->values, arrays->codes, &column->value_count,
                               err);
}

static enum ock_status lay_out(struct arrays *arrays, struct ock_err *err)
{
    static const enum ock_storage storages[BLOCKS] = {OCK_STORE_F32, OCK_STORE_F64, OCK_STORE_U32};
    for (size_t i = 0; i < BLOCKS; i++)
        arrays->blocks[i].storage = storages[i];
    for (size_t c = 0; c < arrays->features; c++) {
        ock_buf_printf(&arrays->names, "x%zu", c);
        ock_buf_putc(&arrays->names, '\0');
    }
    ock_buf_puts(&arrays->names, "y");
    enum ock_status status = ock_buf_status(&arrays->names, err);
    if (status != OCK_OK)
        return status;
    const char *name = arrays->names.data;
    for (size_t c = 0; c <= arrays->features; c++) {
        struct ock_build_column *column = &arrays->columns[c];
        bool text = arrays->text && c == arrays->features;
        column->name = name;
        column->type = text ? OCK_COLUMN_CATEGORY : OCK_COLUMN_NUMBER;
        column->stats = &arrays->stats[c];
        column->block = text                                                    ? BLOCK_U32
                        : ock_stats_storage(&arrays->stats[c]) == OCK_STORE_F64 ? BLOCK_F64
                                                                                : BLOCK_F32;
        column->offset = arrays->blocks[column->block].width++;
        name += strlen(name) + 1;
    }
    return OCK_OK;
}

static enum ock_status fill(struct arrays *arrays, struct ock_err *err)
{
    size_t r = 0;
    for (const cJSON *row = arrays->x->child; row; row = row->next, r++) {
        const struct ock_build_column *column = arrays->columns;
        for (const cJSON *item = row->child; item; item = item->next, column++)
            ock_put_number(&arrays->blocks[column->block], r, column->offset, item->valuedouble);
    }
    const struct ock_build_column *target = &arrays->columns[arrays->features];
    const struct ock_build_block *block = &arrays->blocks[target->block];
    r = 0;
    for (const cJSON *item = arrays->y->child; item; item = item->next, r++) {
        if (!arrays->text) {
            ock_put_number(block, r, target->offset, item->valuedouble);
            continue;
        }
        uint32_t code;
        int added;
        enum ock_status status = ock_dictionary_code(&arrays->labels, text_of(item),
                                                     strlen(text_of(item)), &code, &added, err);
        if (status != OCK_OK)
            return status;
        ((uint32_t *)(void *)block->data)[r * block->width + target->offset] = arrays->codes[code];
    }
    return OCK_OK;
}

static enum ock_status write_arrays(struct arrays *arrays, const char *out, struct ock_err *err)
{
    struct ock_builder builder = {.file.fd = -1, .fd = -1};
    enum ock_status status = examine(arrays, err);
    if (status == OCK_OK && arrays->text)
        status = sort_labels(arrays, err);
    if (status == OCK_OK)
        status = lay_out(arrays, err);
    if (status == OCK_OK)
        status = ock_builder_open(&builder, out, arrays->rows, arrays->blocks, BLOCKS, err);
    if (status == OCK_OK)
        status = fill(arrays, err);
    struct ock_build_schema schema = {.format = OCK_FILE_INLINE,
                                      .column_count = arrays->features + 1,
                                      .columns = arrays->columns,
                                      .target = arrays->features};
    if (status == OCK_OK)
        status = ock_builder_finish(&builder, &schema, err);
    ock_builder_discard(&builder);
    return status;
}

enum ock_status ock_import_inline(const cJSON *data, const char *pointer, const char *out,
                                  struct ock_faults *faults, struct ock_err *err)
{
    struct arrays arrays = {0};
    size_t faults_before = faults->count + faults->dropped;
    check_keys(&arrays, data, pointer, faults);
    if (faults->count + faults->dropped == faults_before && arrays.x && arrays.y) {
        for (const cJSON *row = arrays.x->child; row; row = row->next)
            check_row(&arrays, row, arrays.rows++, pointer, faults);
        check_targets(&arrays, pointer, faults);
    }
    if (faults->count + faults->dropped > faults_before)
        return ock_fail(err, OCK_INVALID, "the inline data are not valid");

    ock_buf_init(&arrays.names, OCK_GIB);
    ock_dictionary_init(&arrays.labels, NULL);
    enum ock_status status = write_arrays(&arrays, out, err);
    arrays_deinit(&arrays);
    return status;
}
