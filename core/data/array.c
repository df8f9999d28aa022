/* Arrays to a dataset file. Bytes go straight from the file (or its unpacking) into the dataset;
 * wider types are read twice, once to learn which of them float32 would blur. */
#include "core/data/array.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/limits.h"
#include "core/data/formats.h"

enum { NO_BLOCK = OCK_ARRAY_BLOCKS_MAX };
#define CHUNK_BYTES (OCK_MIB)

void ock_array_deinit(struct ock_array *array)
{
    for (size_t c = 0; array->stats && c < array->width; c++)
        ock_stats_deinit(&array->stats[c]);
    for (size_t i = 0; i < array->room_count; i++)
        ock_room_free(&array->rooms[i]);
}

/* width * size zeroed bytes, or NULL: *status says why. */
static void *take_room(struct ock_array *array, size_t size, enum ock_status *status,
                       struct ock_err *err)
{
    struct ock_room *room = &array->rooms[array->room_count];
    assert(array->room_count < OCK_ARRAY_ROOMS_MAX);
    if (*status == OCK_OK)
        *status = ock_room_take(room, array->width, size, array->scratch, err);
    if (*status != OCK_OK)
        return NULL;
    array->room_count++;
    return room->data;
}

/* A fault of the packing, with the array's name in front. */
static enum ock_status name_fault(const struct ock_array *array, enum ock_status status,
                                  struct ock_err *err)
{
    struct ock_err inner;
    if (!err || (status != OCK_INVALID && status != OCK_LIMIT))
        return status;
    inner = *err;
    return ock_fail(err, status, "%s: %s", array->what, inner.text);
}

enum ock_status ock_array_read(const struct ock_array *array, void *bytes, size_t size, size_t at,
                               struct ock_err *err)
{
    size_t got = 0;
    enum ock_status status = ock_reader_read(array->reader, bytes, size, &got, err);
    if (status == OCK_OK && got < size)
        return ock_fail(err, OCK_INVALID,
                        "%s: ends at byte %zu, where %zu more were expected by its %s header",
                        array->what, at + got, size - got, array->format);
    return name_fault(array, status, err);
}

enum ock_status ock_array_add_dimension(struct ock_array *array, uint64_t dimension, size_t at,
                                        struct ock_err *err)
{
    assert(array->rank < OCK_ARRAY_RANK_MAX);
    size_t i = array->rank++;
    if (i == 0)
        array->shape_at = at;
    if (dimension == 0)
        return ock_fail(err, OCK_INVALID,
                        "%s: byte %zu: dimension %zu is 0; expected one number at least",
                        array->what, at, i);
    if (i == 0 && dimension > OCK_ROWS_MAX)
        return ock_fail(err, OCK_LIMIT, "%s: byte %zu: has too many rows, the limit is %zu",
                        array->what, at, OCK_ROWS_MAX);
    array->dimensions[i] = (size_t)dimension;
    if (i == 0) {
        array->rows = (size_t)dimension;
        array->width = 1;
    } else if (dimension >= OCK_COLUMNS_MAX || array->width * dimension >= OCK_COLUMNS_MAX) {
        return ock_fail(err, OCK_LIMIT,
                        "%s: byte %zu: a row has too many numbers, the limit is %zu", array->what,
                        at, OCK_COLUMNS_MAX - 1);
    } else {
        array->width *= (size_t)dimension;
    }
    return OCK_OK;
}

static enum ock_status read_header(struct ock_array *array, enum ock_format format,
                                   struct ock_err *err)
{
    unsigned char first = 0;
    size_t got = 0;
    enum ock_status status = ock_reader_rewind(array->reader, err);
    if (status == OCK_OK && format == OCK_FORMAT_AUTO)
        status = name_fault(array, ock_reader_read(array->reader, &first, 1, &got, err), err);
    if (status == OCK_OK && format == OCK_FORMAT_AUTO)
        status = ock_reader_rewind(array->reader, err);
    if (status != OCK_OK)
        return status;
    bool npy = format == OCK_FORMAT_NPY || (format == OCK_FORMAT_AUTO && first == 0x93);
    return npy ? ock_npy_header(array, err) : ock_idx_header(array, err);
}

/* Reads the header and makes room for what is learnt of the columns. A file that is too short for
 * its header is refused before anything is allocated for it. */
enum ock_status ock_array_open(struct ock_array *array, enum ock_format format, struct ock_err *err)
{
    enum ock_status status = read_header(array, format, err);
    if (status != OCK_OK)
        return status;
    size_t bytes = array->rows * array->width * array->element_bytes; /* below 2^55 */
    if (bytes > ock_reader_bytes_max(array->reader)) {
        char what[96];
        (void)snprintf(what, sizeof(what), "%s: byte %zu: its %s header promises %zu bytes, more",
                       array->what, array->shape_at, array->format, bytes);
        return ock_reader_refuse_size(array->reader, what, err);
    }
    array->blocks = take_room(array, sizeof(*array->blocks), &status, err);
    array->offsets = take_room(array, sizeof(*array->offsets), &status, err);
    if (array->element == OCK_ELEMENT_BYTE) {
        array->bitmaps = take_room(array, sizeof(*array->bitmaps), &status, err);
        array->sums = take_room(array, sizeof(*array->sums), &status, err);
    }
    array->stats = take_room(array, sizeof(*array->stats), &status, err);
    return status;
}

/* IEEE 754's binary16, exactly. */
static double half(uint64_t bits)
{
    int exponent = (int)(bits >> 10 & 31);
    int mantissa = (int)(bits & 1023);
    double size = exponent == 31  ? (mantissa ? (double)NAN : (double)INFINITY)
                  : exponent == 0 ? ldexp(mantissa, -24)
                                  : ldexp(1024 + mantissa, exponent - 25);
    return bits >> 15 ? -size : size;
}

static double float_of(uint64_t bits, size_t bytes)
{
    if (bytes == 8) {
        double value;
        memcpy(&value, &bits, sizeof(value));
        return value;
    }
    if (bytes == 2)
        return half(bits);
    uint32_t low = (uint32_t)bits;
    float value;
    memcpy(&value, &low, sizeof(value));
    return (double)value;
}

/* Whole numbers beyond 2^53 are rounded to the nearest double. */
static double element(const struct ock_array *array, const unsigned char *bytes)
{
    size_t size = array->element_bytes;
    uint64_t bits = 0;
    for (size_t i = 0; i < size; i++)
        bits |= (uint64_t)bytes[i] << (8 * (array->big_endian ? size - 1 - i : i));
    if (array->element == OCK_ELEMENT_FLOAT)
        return float_of(bits, size);
    uint64_t sign = UINT64_C(1) << (8 * size - 1);
    if (array->element == OCK_ELEMENT_SIGNED)
        return (double)(int64_t)((bits ^ sign) - sign); /* extends the sign */
    return (double)bits;
}

/* The element that comes next in the file. */
struct cursor {
    size_t row, column;
    size_t place; /* Fortran order: which of the columns it is in the file */
};

/* The column, with its last index the fastest, of the n-th with its first one the fastest. */
static size_t column_of(const struct ock_array *array, size_t n)
{
    size_t column = 0, stride = array->width;
    for (size_t i = 1; i < array->rank; i++) {
        stride /= array->dimensions[i];
        column += n % array->dimensions[i] * stride;
        n /= array->dimensions[i];
    }
    return column;
}

/* How many elements stand together, from the cursor on: in its row, or in Fortran order its column. */
static size_t run_at(const struct ock_array *array, const struct cursor *cursor)
{
    return array->fortran ? array->rows - cursor->row : array->width - cursor->column;
}

/* Within the run or to the next one's begin. */
static void cursor_skip(const struct ock_array *array, struct cursor *cursor, size_t count)
{
    if (array->fortran) {
        cursor->row += count;
        if (cursor->row == array->rows) {
            cursor->row = 0;
            cursor->column = column_of(array, ++cursor->place);
        }
    } else {
        cursor->column += count;
        if (cursor->column == array->width) {
            cursor->column = 0;
            cursor->row++;
        }
    }
}

/* What happens to `count` elements, the first of them at the cursor. */
typedef enum ock_status chunk_fn(struct ock_array *array, const unsigned char *bytes, size_t count,
                                 struct cursor *cursor, void *ctx, struct ock_err *err);

/* All elements, in chunks, through on_chunk; then nothing may follow. */
static enum ock_status each_chunk(struct ock_array *array, chunk_fn *on_chunk, void *ctx,
                                  struct ock_err *err)
{
    unsigned char *chunk = malloc(CHUNK_BYTES); /* a header fits in */
    if (!chunk)
        return ock_fail(err, OCK_NOMEM, "out of memory for reading");
    struct cursor cursor = {0};
    size_t total = array->rows * array->width * array->element_bytes, more = 0;
    enum ock_status status = ock_reader_rewind(array->reader, err);
    if (status == OCK_OK)
        status = ock_array_read(array, chunk, array->header_bytes, 0, err);
    for (size_t at = 0; status == OCK_OK && at < total; at += CHUNK_BYTES) {
        size_t size = total - at < CHUNK_BYTES ? total - at : CHUNK_BYTES;
        status = ock_array_read(array, chunk, size, array->header_bytes + at, err);
        if (status == OCK_OK)
            status = on_chunk(array, chunk, size / array->element_bytes, &cursor, ctx, err);
    }
    if (status == OCK_OK)
        status = name_fault(array, ock_reader_read(array->reader, chunk, 1, &more, err), err);
    if (status == OCK_OK && more > 0)
        status = ock_fail(err, OCK_INVALID, "%s: goes on after byte %zu, its %s header's end",
                          array->what, array->header_bytes + total, array->format);
    free(chunk);
    return status;
}

/* First pass, wider types: ranges and distinct values. */
static enum ock_status examine(struct ock_array *array, const unsigned char *bytes, size_t count,
                               struct cursor *cursor, void *ctx, struct ock_err *err)
{
    (void)ctx;
    for (size_t i = 0; i < count; i++, cursor_skip(array, cursor, 1)) {
        struct ock_stats *stats = &array->stats[cursor->column];
        double value = element(array, bytes + i * array->element_bytes);
        if (isnan(value)) {
            stats->missing++;
            continue;
        }
        if (isinf(value)) {
            size_t place = array->fortran ? cursor->place * array->rows + cursor->row
                                          : cursor->row * array->width + cursor->column;
            return ock_fail(
                err, OCK_INVALID,
                "%s: byte %zu: an infinite number in row %zu; expected a finite one, or "
                "NaN where a value is missing",
                array->what, array->header_bytes + place * array->element_bytes, cursor->row + 1);
        }
        enum ock_status status = ock_stats_add(stats, value, err);
        if (status != OCK_OK)
            return status;
    }
    return OCK_OK;
}

static size_t add_block(struct ock_build_block *blocks, size_t *count, enum ock_storage storage)
{
    blocks[*count] = (struct ock_build_block){.storage = storage};
    return (*count)++;
}

/* Gives every column its block and place, adding blocks as they are needed. */
enum ock_status ock_array_lay_out(struct ock_array *array, size_t distinct_max,
                                  struct ock_build_block *blocks, size_t *count,
                                  struct ock_err *err)
{
    for (size_t c = 0; c < array->width; c++)
        ock_stats_init(&array->stats[c], distinct_max);
    if (array->element == OCK_ELEMENT_BYTE) {
        size_t block = add_block(blocks, count, OCK_STORE_U8);
        for (size_t c = 0; c < array->width; c++) {
            array->blocks[c] = (uint32_t)block;
            array->offsets[c] = (uint32_t)blocks[block].width++;
        }
        return OCK_OK;
    }
    enum ock_status status = OCK_OK;
    double *sets = NULL;
    if (distinct_max <= OCK_LENT_VALUES_MAX)
        sets = take_room(array, distinct_max * sizeof(*sets), &status, err);
    for (size_t c = 0; sets && c < array->width; c++)
        ock_stats_lend(&array->stats[c], sets + c * distinct_max);
    if (status == OCK_OK)
        status = each_chunk(array, examine, NULL, err);
    if (status != OCK_OK)
        return status;
    size_t of_storage[2] = {NO_BLOCK, NO_BLOCK};
    for (size_t c = 0; c < array->width; c++) {
        bool wide = ock_stats_storage(&array->stats[c]) == OCK_STORE_F64;
        if (of_storage[wide] == NO_BLOCK)
            of_storage[wide] = add_block(blocks, count, wide ? OCK_STORE_F64 : OCK_STORE_F32);
        array->blocks[c] = (uint32_t)of_storage[wide];
        array->offsets[c] = (uint32_t)blocks[of_storage[wide]].width++;
    }
    return OCK_OK;
}

static enum ock_status fill_bytes(struct ock_array *array, const unsigned char *bytes, size_t count,
                                  struct cursor *cursor, void *ctx, struct ock_err *err)
{
    const struct ock_build_block *blocks = ctx;
    unsigned char *data = blocks[array->blocks[0]].data; /* all columns, in their order */
    size_t step = array->fortran ? array->width : 1, column_step = array->fortran ? 0 : 1;
    (void)err;
    while (count > 0) {
        size_t run = run_at(array, cursor);
        run = run < count ? run : count;
        unsigned char *to = data + cursor->row * array->width + cursor->column;
        for (size_t i = 0, c = cursor->column; i < run; i++, c += column_step) {
            to[i * step] = bytes[i];
            array->sums[c] += bytes[i];
            array->bitmaps[c][bytes[i] / 64] |= UINT64_C(1) << (bytes[i] % 64);
        }
        cursor_skip(array, cursor, run);
        bytes += run;
        count -= run;
    }
    return OCK_OK;
}

static enum ock_status fill_numbers(struct ock_array *array, const unsigned char *bytes,
                                    size_t count, struct cursor *cursor, void *ctx,
                                    struct ock_err *err)
{
    const struct ock_build_block *blocks = ctx;
    (void)err;
    for (size_t i = 0; i < count; i++, cursor_skip(array, cursor, 1)) {
        size_t c = cursor->column;
        double value = element(array, bytes + i * array->element_bytes);
        ock_put_number(&blocks[array->blocks[c]], cursor->row, array->offsets[c], value);
    }
    return OCK_OK;
}

/* Puts all rows into their blocks; byte columns get their statistics on the way. */
enum ock_status ock_array_fill(struct ock_array *array, struct ock_build_block *blocks,
                               struct ock_err *err)
{
    if (array->element != OCK_ELEMENT_BYTE)
        return each_chunk(array, fill_numbers, blocks, err);
    enum ock_status status = each_chunk(array, fill_bytes, blocks, err);
    for (size_t c = 0; c < array->width; c++) {
        struct ock_stats *stats = &array->stats[c];
        size_t low = 0, high = 255;
        while (low < 255 && !(array->bitmaps[c][low / 64] >> (low % 64) & 1))
            low++;
        while (high > 0 && !(array->bitmaps[c][high / 64] >> (high % 64) & 1))
            high--;
        stats->count = array->rows;
        stats->min = (double)low;
        stats->max = (double)high;
        stats->sum = (double)array->sums[c];
    }
    return status;
}
