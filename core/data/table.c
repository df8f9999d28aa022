/* Reading rows. All paths compute (x - mean) / scale in double and round once, so it does not matter
 * to the bits which one a row takes: a cached row, a table of the 256 bytes, or the division itself. */
#include "core/data/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/data/format.h"

/* Bytes that go through a table are about as fast as floats that come from memory, so a cache of
 * them pays only while it stays near the processor. */
#define BYTE_CACHE_MAX (2 * OCK_MIB)

/* A cache beyond this does not stay in the processor's. */
#define FAR_BYTES OCK_MIB

enum { CACHE_LINE_BYTES = 64, PREFETCH_ROWS = 2, PREFETCH_CACHED_ROWS = 8 };

void ock_table_deinit(struct ock_table *table)
{
    for (size_t s = 0; s < table->segment_count; s++)
        free(table->segments[s].map);
    free(table->segments);
    free(table->byte_values);
    free(table->cache);
    ock_sparse_table_deinit(&table->sparse);
    free(table->labels);
    free(table->targets);
    *table = (struct ock_table){0};
}

/* The features of a category's codes in this dataset, whose dictionary is its own. */
static enum ock_status map_codes(struct ock_segment *segment, const struct ock_column *column,
                                 const struct ock_encoding *encoding, struct ock_err *err)
{
    segment->value_count = column->value_count;
    segment->map = malloc((column->value_count + 1) * sizeof(*segment->map));
    if (!segment->map)
        return ock_fail(err, OCK_NOMEM, "out of memory for the values of \"%.100s\"", column->name);
    for (size_t code = 0; code <= column->value_count; code++) {
        size_t feature = code < column->value_count
                             ? ock_encoding_feature(encoding, column->values[code])
                             : ock_encoding_missing(encoding);
        segment->map[code] =
            feature == SIZE_MAX ? UINT32_MAX : (uint32_t)(feature - encoding->feature);
    }
    return OCK_OK;
}

/* A segment of its own for a column, or one more column of the last segment. */
static enum ock_status add_column(struct ock_table *table, const struct ock_column *column,
                                  const struct ock_block *block,
                                  const struct ock_encoding *encoding, const char *what,
                                  struct ock_err *err)
{
    bool text = column->type == OCK_COLUMN_CATEGORY;
    bool numbers = encoding->kind == OCK_ENCODE_NUMBER || encoding->kind == OCK_ENCODE_BYTE;
    if (text == numbers)
        return ock_fail(
            err, OCK_INVALID,
            "%sthe column \"%.100s\" is %s, in training it was %s; types=%.100s:%s says "
            "what it is when the file is read",
            what, column->name, text ? "text" : "numbers", text ? "numbers" : "text", column->name,
            text ? "number" : "category");
    struct ock_segment *last =
        table->segment_count > 0 ? &table->segments[table->segment_count - 1] : NULL;
    bool plain = numbers && !encoding->missing && column->missing == 0;
    if (plain && last && !last->map && !last->holes && last->data == block->data &&
        last->offset + last->columns == column->offset) {
        last->columns++;
        last->width++;
        return OCK_OK;
    }
    struct ock_segment *segment = &table->segments[table->segment_count++];
    *segment = (struct ock_segment){.storage = block->storage,
                                    .data = block->data,
                                    .stride = block->width,
                                    .offset = column->offset,
                                    .columns = 1,
                                    .width = encoding->width,
                                    .feature = encoding->feature,
                                    .holes = numbers && !plain ? encoding : NULL};
    return text ? map_codes(segment, column, encoding, err) : OCK_OK;
}

enum ock_status ock_table_init(struct ock_table *table, const struct ock_dataset *dataset,
                               const size_t *columns, const struct ock_encoder *encoder,
                               const char *what, struct ock_err *err)
{
    const struct ock_schema *schema = ock_dataset_schema(dataset);
    size_t block_count;
    const struct ock_block *blocks = ock_dataset_blocks(dataset, &block_count);
    table->dataset = dataset;
    table->rows = schema->rows;
    table->features = encoder->features;
    table->encoder = encoder;
    if (schema->sparse)
        return ock_sparse_table_init(&table->sparse, dataset, columns, encoder->count, err);
    table->segments = calloc(encoder->count + 1, sizeof(*table->segments));
    if (!table->segments)
        return ock_fail(err, OCK_NOMEM, "out of memory for %zu columns", encoder->count);
    enum ock_status status = OCK_OK;
    for (size_t i = 0; i < encoder->count && status == OCK_OK; i++) {
        const struct ock_column *column = &schema->columns[columns[i]];
        status = add_column(table, column, &blocks[column->block], &encoder->columns[i], what, err);
    }
    return status;
}

/* One element as a double. */
static inline double element(const struct ock_segment *segment, size_t at)
{
    if (segment->storage == OCK_STORE_U8)
        return ((const uint8_t *)segment->data)[at];
    if (segment->storage == OCK_STORE_F32)
        return (double)((const float *)segment->data)[at];
    return ((const double *)segment->data)[at];
}

/* The feature that is 1 for a category's row, among the segment's; UINT32_MAX: none. */
static inline uint32_t flag_of(const struct ock_segment *segment, size_t at)
{
    uint32_t code = ((const uint32_t *)segment->data)[at];
    return segment->map[code < segment->value_count ? code : segment->value_count];
}

/* Features of a row's column that are looked at by value, before scaling. */
static void raw_special(const struct ock_segment *segment, size_t at, double *out)
{
    if (segment->map) {
        uint32_t flag = flag_of(segment, at);
        for (size_t i = 0; i < segment->width; i++)
            out[i] = i == flag ? 1 : 0;
        return;
    }
    out[0] = element(segment, at);
    if (segment->width > 1)
        out[1] = isnan(out[0]) ? 1 : 0;
}

void ock_table_raw(const struct ock_table *table, size_t row, double *values)
{
    for (size_t s = 0; s < table->segment_count; s++) {
        const struct ock_segment *segment = &table->segments[s];
        size_t at = row * segment->stride + segment->offset;
        double *out = values + segment->feature;
        if (segment->map || segment->holes) {
            raw_special(segment, at, out);
        } else if (segment->storage == OCK_STORE_U8) {
            const uint8_t *in = (const uint8_t *)segment->data + at;
            for (size_t i = 0; i < segment->width; i++)
                out[i] = in[i];
        } else if (segment->storage == OCK_STORE_F32) {
            const float *in = (const float *)segment->data + at;
            for (size_t i = 0; i < segment->width; i++)
                out[i] = (double)in[i];
        } else {
            memcpy(out, (const double *)segment->data + at, segment->width * sizeof(*out));
        }
    }
}

/* The one formula. Neither comparison holds for NaN, which passes. */
static inline float encode(double x, double mean, double scale, double clip)
{
    double y = (x - mean) / scale;
    y = y > clip ? clip : y;
    y = y < -clip ? -clip : y;
    return (float)y;
}

static void encode_special(const struct ock_table *table, const struct ock_segment *segment,
                           size_t at, float *restrict x)
{
    if (segment->map) {
        uint32_t flag = flag_of(segment, at);
        memset(x, 0, segment->width * sizeof(*x));
        if (flag != UINT32_MAX)
            x[flag] = 1.0f;
        return;
    }
    double value = element(segment, at);
    x[0] = encode(isnan(value) ? segment->holes->fill : value, table->mean[segment->feature],
                  table->scale[segment->feature], table->clip);
    if (segment->width > 1)
        x[1] = isnan(value) ? 1.0f : 0.0f;
}

static void encode_segment(const struct ock_table *table, const struct ock_segment *segment,
                           size_t row, float *restrict x)
{
    size_t at = row * segment->stride + segment->offset;
    size_t width = segment->width;
    const double *restrict mean = table->mean + segment->feature;
    const double *restrict scale = table->scale + segment->feature;
    double clip = table->clip;
    x += segment->feature;
    if (segment->map || segment->holes) {
        encode_special(table, segment, at, x);
    } else if (segment->bytes) {
        const uint8_t *restrict in = (const uint8_t *)segment->data + at;
        const float *restrict values = segment->bytes;
        for (size_t i = 0; i < width; i++)
            x[i] = values[in[i]];
    } else if (segment->storage == OCK_STORE_U8) {
        const uint8_t *restrict in = (const uint8_t *)segment->data + at;
        for (size_t i = 0; i < width; i++)
            x[i] = encode(in[i], mean[i], scale[i], clip);
    } else if (segment->storage == OCK_STORE_F32) {
        const float *restrict in = (const float *)segment->data + at;
        for (size_t i = 0; i < width; i++)
            x[i] = encode((double)in[i], mean[i], scale[i], clip);
    } else {
        const double *restrict in = (const double *)segment->data + at;
        for (size_t i = 0; i < width; i++)
            x[i] = encode(in[i], mean[i], scale[i], clip);
    }
}

static void encode_row(const struct ock_table *table, size_t row, float *x)
{
    for (size_t s = 0; s < table->segment_count; s++)
        encode_segment(table, &table->segments[s], row, x);
}

/* A table of the 256 encoded values for every byte segment whose columns are scaled alike. */
static enum ock_status make_byte_values(struct ock_table *table, struct ock_err *err)
{
    table->byte_values = malloc(table->segment_count * 256 * sizeof(*table->byte_values));
    if (!table->byte_values)
        return ock_fail(err, OCK_NOMEM, "out of memory for the scaler");
    for (size_t s = 0; s < table->segment_count; s++) {
        struct ock_segment *segment = &table->segments[s];
        const double *mean = table->mean + segment->feature;
        const double *scale = table->scale + segment->feature;
        bool alike = segment->storage == OCK_STORE_U8 && !segment->holes;
        for (size_t i = 1; i < segment->width && alike; i++)
            alike = mean[i] == mean[0] && scale[i] == scale[0];
        if (!alike)
            continue;
        float *values = table->byte_values + 256 * s;
        for (size_t v = 0; v < 256; v++)
            values[v] = encode((double)v, mean[0], scale[0], table->clip);
        segment->bytes = values;
    }
    return OCK_OK;
}

/* Are there bytes alone, too many to be near the processor as floats? */
static bool better_as_bytes(const struct ock_table *table)
{
    for (size_t s = 0; s < table->segment_count; s++) {
        if (!table->segments[s].bytes)
            return false;
    }
    return table->rows > BYTE_CACHE_MAX / sizeof(float) / table->features;
}

enum ock_status ock_table_scale(struct ock_table *table, const double *mean, const double *scale,
                                double clip, bool cache, struct ock_err *err)
{
    table->mean = mean;
    table->scale = scale;
    table->clip = clip;
    if (table->sparse.feature) {
        table->sparse.divisor = scale[0];
        return OCK_OK;
    }
    enum ock_status status = make_byte_values(table, err);
    if (status != OCK_OK || !cache || better_as_bytes(table))
        return status;
    size_t bytes = table->rows * table->features * sizeof(float);
    /* Whole cache lines, as aligned_alloc asks for. */
    float *rows = aligned_alloc(OCK_FILE_ALIGNMENT, (bytes + OCK_FILE_ALIGNMENT - 1) /
                                                        OCK_FILE_ALIGNMENT * OCK_FILE_ALIGNMENT);
    if (!rows)
        return ock_fail(err, OCK_NOMEM, "out of memory for %zu bytes of encoded rows", bytes);
    for (size_t row = 0; row < table->rows; row++)
        encode_row(table, row, rows + row * table->features);
    table->cache = rows;
    return OCK_OK;
}

static void prefetch(const void *begin, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += CACHE_LINE_BYTES)
        __builtin_prefetch((const char *)begin + i);
}

/* Shuffled rows lie anywhere in memory: ask for one while the rows before it are encoded. */
static void prefetch_row(const struct ock_table *table, size_t row)
{
    for (size_t s = 0; s < table->segment_count; s++) {
        const struct ock_segment *segment = &table->segments[s];
        size_t bytes = ock_storage_bytes(segment->storage);
        prefetch((const char *)segment->data + (row * segment->stride + segment->offset) * bytes,
                 segment->columns * bytes);
    }
}

void ock_table_encode(const struct ock_table *table, const uint32_t *rows, size_t count, float *x)
{
    size_t features = table->features;
    if (!table->cache) {
        for (size_t i = 0; i < count; i++) {
            if (i + PREFETCH_ROWS < count)
                prefetch_row(table, rows[i + PREFETCH_ROWS]);
            encode_row(table, rows[i], x + i * features);
        }
        return;
    }
    bool far = table->rows * features * sizeof(*x) > FAR_BYTES;
    /* Rows that follow each other, as in every evaluation, are one copy. */
    for (size_t i = 0; i < count;) {
        size_t run = 1;
        while (i + run < count && rows[i + run] == rows[i] + run)
            run++;
        if (far && i + PREFETCH_CACHED_ROWS < count)
            prefetch(table->cache + rows[i + PREFETCH_CACHED_ROWS] * features,
                     features * sizeof(*x));
        memcpy(x + i * features, table->cache + rows[i] * features, run * features * sizeof(*x));
        i += run;
    }
}
