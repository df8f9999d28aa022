/* IDX, the format of MNIST: two zero bytes, a type, a rank, the dimensions as big-endian 32-bit
 * numbers, then the elements in row order, big-endian. Bytes go straight from the file (or zlib)
 * into the dataset; wider types are read twice, once to learn which of them float32 would blur. */
#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/limits.h"
#include "core/data/formats.h"

enum { RANK_MAX = 5, BLOCKS_MAX = 4, NO_BLOCK = BLOCKS_MAX };
#define CHUNK_BYTES (OCK_MIB)

enum idx_type {
    IDX_U8 = 0x08,
    IDX_I8 = 0x09,
    IDX_I16 = 0x0b,
    IDX_I32 = 0x0c,
    IDX_F32 = 0x0d,
    IDX_F64 = 0x0e,
};

struct array {
    const char *what; /* "x" or "labels", for errors */
    struct ock_reader *reader;
    enum idx_type type;
    size_t element_bytes;
    size_t rank;
    size_t dimensions[RANK_MAX];
    size_t rows, width;
    size_t header_bytes;
    struct ock_stats *stats;               /* owned, [width] */
    uint64_t (*bitmaps)[OCK_BITMAP_WORDS]; /* owned, [width]; bytes only */
    uint64_t *sums;                        /* owned, [width]; bytes only */
    size_t *blocks, *offsets;              /* owned, [width] each */
};

static void array_deinit(struct array *array)
{
    for (size_t c = 0; array->stats && c < array->width; c++)
        ock_stats_deinit(&array->stats[c]);
    free(array->stats);
    free(array->bitmaps);
    free(array->sums);
    free(array->blocks);
    free(array->offsets);
}

static uint32_t big_u32(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static size_t element_bytes_of(unsigned type)
{
    switch (type) {
    case IDX_U8:
    case IDX_I8:
        return 1;
    case IDX_I16:
        return 2;
    case IDX_I32:
    case IDX_F32:
        return 4;
    case IDX_F64:
        return 8;
    default:
        return 0;
    }
}

/* Exactly `size` bytes. */
static enum ock_status read_all(const struct array *array, void *bytes, size_t size, size_t at,
                                struct ock_err *err)
{
    size_t got = 0;
    enum ock_status status = ock_reader_read(array->reader, bytes, size, &got, err);
    if (status == OCK_OK && got < size)
        return ock_fail(err, OCK_INVALID,
                        "%s: ends at byte %zu, where %zu more were expected by its IDX header",
                        array->what, at + got, size - got);
    return status;
}

static enum ock_status read_magic(struct array *array, struct ock_err *err)
{
    unsigned char magic[4];
    enum ock_status status = read_all(array, magic, sizeof(magic), 0, err);
    if (status != OCK_OK)
        return status;
    array->element_bytes = element_bytes_of(magic[2]);
    if (magic[0] != 0 || magic[1] != 0 || array->element_bytes == 0)
        return ock_fail(err, OCK_INVALID,
                        "%s: byte 0: not IDX, it begins with %02x %02x %02x %02x instead of "
                        "00 00, a type (08, 09, 0b to 0e) and a rank",
                        array->what, magic[0], magic[1], magic[2], magic[3]);
    array->type = (enum idx_type)magic[2];
    array->rank = magic[3];
    if (array->rank < 1 || array->rank > RANK_MAX)
        return ock_fail(err, OCK_INVALID, "%s: byte 3: has %zu dimensions, 1 to %d are read",
                        array->what, array->rank, RANK_MAX);
    return OCK_OK;
}

static enum ock_status read_dimensions(struct array *array, struct ock_err *err)
{
    unsigned char bytes[4 * RANK_MAX];
    enum ock_status status = read_all(array, bytes, 4 * array->rank, 4, err);
    if (status != OCK_OK)
        return status;
    array->width = 1;
    for (size_t i = 0; i < array->rank; i++) {
        size_t dimension = big_u32(bytes + 4 * i);
        array->dimensions[i] = dimension;
        if (dimension == 0)
            return ock_fail(err, OCK_INVALID, "%s: byte %zu: dimension %zu is 0", array->what,
                            4 + 4 * i, i);
        if (i > 0)
            array->width *= dimension;
        if (array->width >= OCK_COLUMNS_MAX)
            return ock_fail(err, OCK_LIMIT, "%s: a row has %zu numbers or more, the limit is %zu",
                            array->what, array->width, OCK_COLUMNS_MAX - 1);
    }
    array->rows = array->dimensions[0];
    if (array->rows > OCK_ROWS_MAX)
        return ock_fail(err, OCK_LIMIT, "%s: has %zu rows, the limit is %zu", array->what,
                        array->rows, OCK_ROWS_MAX);
    array->header_bytes = 4 + 4 * array->rank;
    return OCK_OK;
}

/* Reads the header and makes room for what is learnt of the columns. A file that is too short for
 * its header is refused before anything is allocated for it. */
static enum ock_status array_open(struct array *array, struct ock_err *err)
{
    enum ock_status status = ock_reader_rewind(array->reader, err);
    if (status == OCK_OK)
        status = read_magic(array, err);
    if (status == OCK_OK)
        status = read_dimensions(array, err);
    if (status != OCK_OK)
        return status;
    size_t bytes = array->rows * array->width * array->element_bytes; /* below 2^55 */
    uint64_t most = ock_reader_bytes_max(array->reader);
    if (bytes > most)
        return ock_fail(err, OCK_INVALID,
                        "%s: its IDX header promises %zu bytes of data, the file can't hold more "
                        "than %llu",
                        array->what, bytes, (unsigned long long)most);
    array->stats = calloc(array->width, sizeof(*array->stats));
    array->bitmaps = calloc(array->width, sizeof(*array->bitmaps));
    array->sums = calloc(array->width, sizeof(*array->sums));
    array->blocks = calloc(array->width, sizeof(*array->blocks));
    array->offsets = calloc(array->width, sizeof(*array->offsets));
    if (!array->stats || !array->bitmaps || !array->sums || !array->blocks || !array->offsets)
        return ock_fail(err, OCK_NOMEM, "out of memory for %zu columns", array->width);
    return OCK_OK;
}

static double element(enum idx_type type, const unsigned char *bytes)
{
    switch (type) {
    case IDX_U8:
        return bytes[0];
    case IDX_I8:
        return (int8_t)bytes[0];
    case IDX_I16:
        return (int16_t)((unsigned)bytes[0] << 8 | bytes[1]);
    case IDX_I32:
        return (int32_t)big_u32(bytes);
    case IDX_F32: {
        uint32_t bits = big_u32(bytes);
        float value;
        memcpy(&value, &bits, sizeof(value));
        return (double)value;
    }
    case IDX_F64: {
        uint64_t bits = (uint64_t)big_u32(bytes) << 32 | big_u32(bytes + 4);
        double value;
        memcpy(&value, &bits, sizeof(value));
        return value;
    }
    }
    return 0;
}

/* What happens to `rows` rows of elements that begin at row `first`. */
typedef enum ock_status chunk_fn(struct array *array, const unsigned char *bytes, size_t first,
                                 size_t rows, void *ctx, struct ock_err *err);

/* All rows, in chunks, through on_chunk; then nothing may follow. */
static enum ock_status each_chunk(struct array *array, chunk_fn *on_chunk, void *ctx,
                                  struct ock_err *err)
{
    size_t row_bytes = array->width * array->element_bytes;
    assert(row_bytes > 0);
    size_t chunk_rows = row_bytes < CHUNK_BYTES ? CHUNK_BYTES / row_bytes : 1;
    unsigned char *chunk = malloc(chunk_rows * row_bytes);
    if (!chunk)
        return ock_fail(err, OCK_NOMEM, "out of memory for reading");
    size_t skipped = 0;
    enum ock_status status = ock_reader_rewind(array->reader, err);
    if (status == OCK_OK)
        status = ock_reader_read(array->reader, chunk, 4, &skipped, err);
    for (size_t i = 0; status == OCK_OK && i < array->rank; i++)
        status = ock_reader_read(array->reader, chunk, 4, &skipped, err);
    for (size_t row = 0; status == OCK_OK && row < array->rows; row += chunk_rows) {
        size_t rows = array->rows - row < chunk_rows ? array->rows - row : chunk_rows;
        status =
            read_all(array, chunk, rows * row_bytes, array->header_bytes + row * row_bytes, err);
        if (status == OCK_OK)
            status = on_chunk(array, chunk, row, rows, ctx, err);
    }
    size_t more = 0;
    if (status == OCK_OK)
        status = ock_reader_read(array->reader, chunk, 1, &more, err);
    if (status == OCK_OK && more > 0)
        status = ock_fail(err, OCK_INVALID, "%s: goes on after byte %zu, its IDX header's end",
                          array->what, array->header_bytes + array->rows * row_bytes);
    free(chunk);
    return status;
}

/* First pass, wider types: ranges and distinct values. */
static enum ock_status examine(struct array *array, const unsigned char *bytes, size_t first,
                               size_t rows, void *ctx, struct ock_err *err)
{
    (void)ctx;
    for (size_t i = 0; i < rows * array->width; i++) {
        struct ock_stats *stats = &array->stats[i % array->width];
        double value = element(array->type, bytes + i * array->element_bytes);
        if (isnan(value)) {
            stats->missing++;
            continue;
        }
        if (isinf(value))
            return ock_fail(err, OCK_INVALID, "%s: byte %zu: an infinite number in row %zu",
                            array->what,
                            array->header_bytes + (first * array->width + i) * array->element_bytes,
                            first + i / array->width + 1);
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
static enum ock_status array_lay_out(struct array *array, size_t distinct_max,
                                     struct ock_build_block *blocks, size_t *count,
                                     struct ock_err *err)
{
    for (size_t c = 0; c < array->width; c++)
        ock_stats_init(&array->stats[c], distinct_max);
    if (array->type == IDX_U8) {
        size_t block = add_block(blocks, count, OCK_STORE_U8);
        for (size_t c = 0; c < array->width; c++) {
            array->blocks[c] = block;
            array->offsets[c] = blocks[block].width++;
        }
        return OCK_OK;
    }
    enum ock_status status = each_chunk(array, examine, NULL, err);
    if (status != OCK_OK)
        return status;
    size_t of_storage[2] = {NO_BLOCK, NO_BLOCK};
    for (size_t c = 0; c < array->width; c++) {
        bool wide = ock_stats_storage(&array->stats[c]) == OCK_STORE_F64;
        if (of_storage[wide] == NO_BLOCK)
            of_storage[wide] = add_block(blocks, count, wide ? OCK_STORE_F64 : OCK_STORE_F32);
        array->blocks[c] = of_storage[wide];
        array->offsets[c] = blocks[of_storage[wide]].width++;
    }
    return OCK_OK;
}

static enum ock_status fill_bytes(struct array *array, const unsigned char *bytes, size_t first,
                                  size_t rows, void *ctx, struct ock_err *err)
{
    const struct ock_build_block *blocks = ctx;
    size_t width = array->width;
    (void)err;
    memcpy(blocks[array->blocks[0]].data + first * width, bytes, rows * width);
    for (size_t row = 0; row < rows; row++) {
        const unsigned char *values = bytes + row * width;
        for (size_t c = 0; c < width; c++) {
            array->sums[c] += values[c];
            array->bitmaps[c][values[c] / 64] |= UINT64_C(1) << (values[c] % 64);
        }
    }
    return OCK_OK;
}

static enum ock_status fill_numbers(struct array *array, const unsigned char *bytes, size_t first,
                                    size_t rows, void *ctx, struct ock_err *err)
{
    const struct ock_build_block *blocks = ctx;
    (void)err;
    for (size_t row = 0; row < rows; row++) {
        for (size_t c = 0; c < array->width; c++) {
            double value = element(array->type, bytes);
            ock_put_number(&blocks[array->blocks[c]], first + row, array->offsets[c], value);
            bytes += array->element_bytes;
        }
    }
    return OCK_OK;
}

/* Puts all rows into their blocks; byte columns get their statistics on the way. */
static enum ock_status array_fill(struct array *array, struct ock_build_block *blocks,
                                  struct ock_err *err)
{
    if (array->type != IDX_U8)
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

static void describe(const struct array *array, struct ock_build_column *columns)
{
    for (size_t c = 0; c < array->width; c++) {
        columns[c].type = array->type == IDX_U8 ? OCK_COLUMN_BYTE : OCK_COLUMN_NUMBER;
        columns[c].block = array->blocks[c];
        columns[c].offset = array->offsets[c];
        columns[c].stats = &array->stats[c];
        columns[c].bitmap = array->bitmaps[c];
    }
}

/* Names x0, x1, … [width] and "label" behind them; *text and *names are the caller's to free. */
static enum ock_status make_names(size_t width, char **text, const char ***names,
                                  struct ock_err *err)
{
    struct ock_buf buf;
    ock_buf_init(&buf, OCK_GIB);
    const char **made = malloc((width + 1) * sizeof(*made));
    for (size_t c = 0; c < width; c++) {
        ock_buf_printf(&buf, "x%zu", c);
        ock_buf_putc(&buf, '\0');
    }
    ock_buf_puts(&buf, "label");
    char *bytes = ock_buf_take(&buf);
    ock_buf_deinit(&buf);
    if (!made || !bytes) {
        free(made);
        free(bytes);
        return ock_fail(err, OCK_NOMEM, "out of memory for %zu names", width);
    }
    const char *next = bytes;
    for (size_t c = 0; c <= width; c++) {
        made[c] = next;
        next += strlen(next) + 1;
    }
    *text = bytes;
    *names = made;
    return OCK_OK;
}

/* Opens the labels and holds them against x. */
static enum ock_status open_labels(struct array *labels, const struct array *x, struct ock_err *err)
{
    enum ock_status status = array_open(labels, err);
    if (status != OCK_OK)
        return status;
    if (labels->rank != 1)
        return ock_fail(err, OCK_INVALID, "labels: have %zu dimensions, one is expected",
                        labels->rank);
    if (labels->rows != x->rows)
        return ock_fail(err, OCK_INVALID, "x has %zu rows, there are %zu labels", x->rows,
                        labels->rows);
    return OCK_OK;
}

static enum ock_status write_file(const struct ock_import *import, struct array *x,
                                  struct array *labels, struct ock_build_block *blocks,
                                  size_t block_count, struct ock_err *err)
{
    struct ock_builder builder = {.file.fd = -1, .fd = -1};
    char *text = NULL;
    const char **names = NULL;
    size_t count = x->width + (labels->reader ? 1 : 0);
    struct ock_build_schema schema = {.format = OCK_FILE_IDX,
                                      .column_count = count,
                                      .target = labels->reader ? x->width : SIZE_MAX,
                                      .has_labels = labels->reader != NULL};
    enum ock_status status = make_names(x->width, &text, &names, err);
    struct ock_build_column *columns = calloc(count, sizeof(*columns));
    if (status == OCK_OK && !columns)
        status = ock_fail(err, OCK_NOMEM, "out of memory for %zu columns", count);
    if (status == OCK_OK && import->target)
        status = ock_find_target(names, count, import->target, &schema.target, err);
    if (status == OCK_OK)
        status = ock_builder_open(&builder, import->out, x->rows, blocks, block_count, err);
    if (status == OCK_OK)
        status = array_fill(x, blocks, err);
    if (status == OCK_OK && labels->reader)
        status = array_fill(labels, blocks, err);
    if (status != OCK_OK)
        goto done;

    assert(names && columns);
    describe(x, columns);
    if (labels->reader)
        describe(labels, columns + x->width);
    for (size_t c = 0; c < count; c++)
        columns[c].name = names[c];
    schema.columns = columns;
    schema.shape_count = x->rank > 2 ? x->rank - 1 : 0;
    for (size_t i = 0; i < schema.shape_count; i++)
        schema.shape[i] = x->dimensions[i + 1];
    status = ock_builder_finish(&builder, &schema, err);
done:
    ock_builder_discard(&builder);
    free(columns);
    free(names);
    free(text);
    return status;
}

enum ock_status ock_idx_import(const struct ock_import *import, struct ock_reader *x_reader,
                               struct ock_reader *labels_reader, struct ock_err *err)
{
    struct array x = {.what = "x", .reader = x_reader};
    struct array labels = {.what = "labels", .reader = labels_reader};
    struct ock_build_block blocks[BLOCKS_MAX];
    size_t block_count = 0;

    enum ock_status status = array_open(&x, err);
    if (status == OCK_OK && labels_reader)
        status = open_labels(&labels, &x, err);
    if (status == OCK_OK)
        status = array_lay_out(&x, OCK_DISTINCT_MAX, blocks, &block_count, err);
    if (status == OCK_OK && labels_reader)
        status = array_lay_out(&labels, OCK_CLASSES_MAX, blocks, &block_count, err);
    if (status == OCK_OK)
        status = write_file(import, &x, &labels, blocks, block_count, err);
    array_deinit(&labels);
    array_deinit(&x);
    return status;
}
