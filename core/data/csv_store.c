/* Rows of a CSV to a dataset file. The first block that has columns grows in the file itself; those
 * behind it begin where it ends, so they wait in memory, and once they are long in nameless files
 * beside it. Codes wait in any case, until their dictionaries are sorted. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/limits.h"
#include "core/data/csv_table.h"
#include "core/data/format.h"
#include "core/data/formats.h"

enum {
    TILE_BYTES = 1 << 14,  /* of rows that are made at once: they stay near the processor */
    CHUNK_BYTES = 1 << 17, /* that are written at once */
    SPOOL_BYTES = 1 << 17  /* that wait in memory */
};

static const enum ock_storage storages[BLOCKS] = {
    [BLOCK_F32] = OCK_STORE_F32, [BLOCK_F64] = OCK_STORE_F64, [BLOCK_U32] = OCK_STORE_U32};

/* Bytes that wait. */
struct spool {
    int fd;               /* -1: none yet */
    uint64_t filed;       /* bytes in it */
    unsigned char *bytes; /* owned, [capacity]: those behind them */
    size_t size, capacity;
};

struct ock_csv_store {
    const struct ock_csv_table *table;
    struct ock_builder builder;
    size_t lead;       /* the block that is written at once; BLOCK_U32: none */
    size_t text_count; /* widths[BLOCK_U32] */
    struct spool spools[BLOCKS];
    const uint32_t *members[BLOCKS]; /* [widths[b]]: the block's columns; in member_room */
    struct ock_room member_room;
    struct ock_room columns; /* struct ock_build_column [count] */
    struct ock_room values;  /* const char *: the texts of one category after another, sorted */
};

/* What the texts of each category have become. */
struct maps {
    struct ock_room begins; /* size_t [text_count + 1]: where each category begins in the others */
    struct ock_room codes;  /* uint32_t: each old code's place among the category's values */
};

void ock_csv_store_free(struct ock_csv_store *store)
{
    if (!store)
        return;
    ock_builder_discard(&store->builder);
    for (size_t b = 0; b < BLOCKS; b++) {
        if (store->spools[b].fd >= 0)
            (void)close(store->spools[b].fd);
        free(store->spools[b].bytes);
    }
    ock_room_free(&store->values);
    ock_room_free(&store->member_room);
    ock_room_free(&store->columns);
    free(store);
}

/* --- Bytes that wait --------------------------------------------------------------------------- */

static enum ock_status file_spool(struct ock_csv_store *store, struct spool *spool,
                                  struct ock_err *err)
{
    enum ock_status status = OCK_OK;
    if (spool->fd < 0)
        status = ock_scratch_open(&spool->fd, store->table->import->out, err);
    const unsigned char *next = spool->bytes;
    while (status == OCK_OK && spool->size > 0) {
        ssize_t count = pwrite(spool->fd, next, spool->size, (off_t)spool->filed);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return ock_fail_errno(err, errno, "cannot write the dataset");
        next += count;
        spool->filed += (size_t)count;
        spool->size -= (size_t)count;
    }
    return status;
}

/* `size` bytes for the block: at its end, or to its spool. */
static enum ock_status put_bytes(struct ock_csv_store *store, size_t b, const unsigned char *bytes,
                                 size_t size, struct ock_err *err)
{
    struct spool *spool = &store->spools[b];
    enum ock_status status = OCK_OK;
    if (b == store->lead && b != BLOCK_U32)
        return ock_builder_append(&store->builder, bytes, size, err);
    while (size > 0 && status == OCK_OK) {
        size_t room = spool->capacity - spool->size;
        size_t count = size < room ? size : room;
        memcpy(spool->bytes + spool->size, bytes, count);
        spool->size += count;
        bytes += count;
        size -= count;
        if (spool->size == spool->capacity)
            status = file_spool(store, spool, err);
    }
    return status;
}

/* The next `size` bytes that waited, from *at on. */
static enum ock_status take_bytes(const struct spool *spool, uint64_t *at, unsigned char *bytes,
                                  size_t size, struct ock_err *err)
{
    while (size > 0) {
        ssize_t count = 0;
        if (*at >= spool->filed) {
            memcpy(bytes, spool->bytes + (*at - spool->filed), size);
            count = (ssize_t)size;
        } else {
            size_t left = (size_t)(spool->filed - *at);
            count = pread(spool->fd, bytes, size < left ? size : left, (off_t)*at);
        }
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return ock_fail_errno(err, count < 0 ? errno : EIO, "cannot read the dataset");
        bytes += count;
        *at += (size_t)count;
        size -= (size_t)count;
    }
    return OCK_OK;
}

/* --- Beginning --------------------------------------------------------------------------------- */

static enum ock_status make_spools(struct ock_csv_store *store, struct ock_err *err)
{
    for (size_t b = 0; b < BLOCKS; b++) {
        struct spool *spool = &store->spools[b];
        spool->capacity = SPOOL_BYTES;
        if (store->table->widths[b] == 0 || (b == store->lead && b != BLOCK_U32))
            continue;
        spool->bytes = malloc(SPOOL_BYTES);
        if (!spool->bytes)
            return ock_fail(err, OCK_NOMEM, "out of memory for rows");
    }
    return OCK_OK;
}

static enum ock_status list_members(struct ock_csv_store *store, struct ock_err *err)
{
    const struct ock_csv_table *table = store->table;
    enum ock_status status =
        ock_room_take(&store->member_room, table->count, sizeof(uint32_t), table->import->out, err);
    if (status != OCK_OK)
        return status;
    uint32_t *members = store->member_room.data, *of_block[BLOCKS];
    for (size_t b = 0; b < BLOCKS; b++) {
        store->members[b] = of_block[b] = members;
        members += table->widths[b];
    }
    for (size_t c = 0; c < table->count; c++)
        of_block[table->places[c].block][table->places[c].offset] = (uint32_t)c;
    return OCK_OK;
}

enum ock_status ock_csv_store_new(struct ock_csv_store **out, const struct ock_csv_table *table,
                                  struct ock_err *err)
{
    struct ock_csv_store *store = calloc(1, sizeof(*store));
    if (!store)
        return ock_fail(err, OCK_NOMEM, "out of memory for a dataset");
    store->table = table;
    store->text_count = table->widths[BLOCK_U32];
    store->builder = (struct ock_builder){.file.fd = -1, .fd = -1};
    for (size_t b = 0; b < BLOCKS; b++)
        store->spools[b].fd = -1;
    while (store->lead < BLOCK_U32 && table->widths[store->lead] == 0)
        store->lead++;
    enum ock_status status = make_spools(store, err);
    if (status == OCK_OK)
        status = list_members(store, err);
    if (status == OCK_OK)
        status = ock_builder_start(&store->builder, table->import->out, err);
    store->builder.file.quick = table->import->rows != NULL;
    for (size_t b = 0; b <= store->lead && status == OCK_OK; b++)
        status = ock_builder_begin_block(&store->builder, storages[b], table->widths[b], err);
    if (status == OCK_OK) {
        *out = store;
        store = NULL;
    }
    ock_csv_store_free(store);
    return status;
}

/* --- Rows -------------------------------------------------------------------------------------- */

/* Rows [row, row + count) of a batch, columns as block b has them. */
struct tile {
    const struct ock_csv_batch *batch;
    size_t row, count;
};

static void make_floats(const struct ock_csv_store *store, const struct tile *tile, float *out)
{
    size_t width = store->table->widths[BLOCK_F32];
    for (size_t i = 0; i < width; i++) {
        const double *values =
            tile->batch->values + store->members[BLOCK_F32][i] * tile->batch->stride + tile->row;
        for (size_t r = 0; r < tile->count; r++)
            out[r * width + i] = (float)values[r];
    }
}

static void make_doubles(const struct ock_csv_store *store, const struct tile *tile, double *out)
{
    size_t width = store->table->widths[BLOCK_F64];
    for (size_t i = 0; i < width; i++) {
        size_t c = store->members[BLOCK_F64][i];
        const double *values = tile->batch->values + c * tile->batch->stride + tile->row;
        bool float32 = store->table->places[c].float32;
        for (size_t r = 0; r < tile->count; r++)
            out[r * width + i] = float32 ? (double)(float)values[r] : values[r];
    }
}

static void make_codes(const struct ock_csv_store *store, const struct tile *tile, uint32_t *out)
{
    size_t width = store->table->widths[BLOCK_U32];
    for (size_t i = 0; i < width; i++) {
        size_t c = store->members[BLOCK_U32][i];
        const uint32_t *codes =
            (const uint32_t *)(const void *)(tile->batch->values + c * tile->batch->stride) +
            tile->row;
        for (size_t r = 0; r < tile->count; r++)
            out[r * width + i] = codes[r];
    }
}

static void make_rows(const struct ock_csv_store *store, size_t b, const struct tile *tile,
                      unsigned char *out)
{
    if (b == BLOCK_F32)
        make_floats(store, tile, (float *)(void *)out);
    else if (b == BLOCK_F64)
        make_doubles(store, tile, (double *)(void *)out);
    else
        make_codes(store, tile, (uint32_t *)(void *)out);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* A batch's rows of one block. */
static enum ock_status add_block(struct ock_csv_store *store, size_t b,
                                 const struct ock_csv_batch *batch, struct ock_err *err)
{
    size_t row_bytes = store->table->widths[b] * ock_storage_bytes(storages[b]);
    size_t tile_rows = row_bytes < TILE_BYTES ? TILE_BYTES / row_bytes : 1;
    size_t chunk_rows = tile_rows * (row_bytes < TILE_BYTES ? CHUNK_BYTES / TILE_BYTES : 1);
    chunk_rows = smaller(chunk_rows, batch->count);
    unsigned char *bytes = malloc(chunk_rows * row_bytes);
    if (!bytes)
        return ock_fail(err, OCK_NOMEM, "out of memory for rows");
    enum ock_status status = OCK_OK;
    for (size_t row = 0; row < batch->count && status == OCK_OK; row += chunk_rows) {
        size_t end = smaller(row + chunk_rows, batch->count);
        for (size_t r = row; r < end; r += tile_rows) {
            struct tile tile = {batch, r, smaller(tile_rows, end - r)};
            make_rows(store, b, &tile, bytes + (r - row) * row_bytes);
        }
        status = put_bytes(store, b, bytes, (end - row) * row_bytes, err);
    }
    free(bytes);
    return status;
}

enum ock_status ock_csv_store_add(struct ock_csv_store *store, const struct ock_csv_batch *batch,
                                  struct ock_err *err)
{
    enum ock_status status = OCK_OK;
    for (size_t b = 0; b < BLOCKS && status == OCK_OK && batch->count > 0; b++) {
        if (store->table->widths[b] > 0)
            status = add_block(store, b, batch, err);
    }
    return status;
}

/* --- Ending ------------------------------------------------------------------------------------ */

static struct ock_dictionary *dictionary_of(const struct ock_csv_store *store, size_t i)
{
    return &store->table->columns[store->members[BLOCK_U32][i]].dictionary;
}

/* Makes room for the texts of all categories. */
static enum ock_status take_maps(struct ock_csv_store *store, struct maps *maps,
                                 struct ock_err *err)
{
    const char *path = store->table->import->out;
    size_t all = 0;
    enum ock_status status =
        ock_room_take(&maps->begins, store->text_count + 1, sizeof(size_t), path, err);
    for (size_t i = 0; i < store->text_count && status == OCK_OK; i++) {
        all += dictionary_of(store, i)->count;
        ((size_t *)maps->begins.data)[i + 1] = all;
    }
    if (status == OCK_OK)
        status = ock_room_take(&maps->codes, all + 1, sizeof(uint32_t), path, err);
    return status == OCK_OK ? ock_room_take(&store->values, all + 1, sizeof(char *), path, err)
                            : status;
}

/* Sorts the texts of the i-th category. */
static enum ock_status sort_texts(struct ock_csv_store *store, size_t i, const struct maps *maps,
                                  struct ock_err *err)
{
    size_t c = store->members[BLOCK_U32][i], begin = ((const size_t *)maps->begins.data)[i];
    struct ock_build_column *column = (struct ock_build_column *)store->columns.data + c;
    const char **values = (const char **)store->values.data + begin;
    column->values = values;
    return ock_dictionary_sort(dictionary_of(store, i), values,
                               (uint32_t *)maps->codes.data + begin, &column->value_count, err);
}

/* A block that waited goes to the file; codes by their maps. */
static enum ock_status add_spool(struct ock_csv_store *store, size_t b, const struct maps *maps,
                                 struct ock_err *err)
{
    size_t width = store->table->widths[b];
    size_t row_bytes = width * ock_storage_bytes(storages[b]);
    size_t rows = row_bytes < CHUNK_BYTES ? CHUNK_BYTES / row_bytes : 1;
    const size_t *begins = maps->begins.data;
    const uint32_t *new_codes = maps->codes.data;
    unsigned char *bytes = malloc(rows * row_bytes);
    uint64_t at = 0;
    enum ock_status status =
        bytes ? OCK_OK : ock_fail(err, OCK_NOMEM, "out of memory for %zu columns", width);
    for (size_t row = 0; row < store->table->rows && status == OCK_OK; row += rows) {
        size_t count = smaller(rows, store->table->rows - row);
        status = take_bytes(&store->spools[b], &at, bytes, count * row_bytes, err);
        uint32_t *codes = (uint32_t *)(void *)bytes;
        for (size_t r = 0; b == BLOCK_U32 && status == OCK_OK && r < count; r++) {
            for (size_t i = 0; i < width; i++, codes++)
                *codes = *codes == UINT32_MAX ? UINT32_MAX : new_codes[begins[i] + *codes];
        }
        if (status == OCK_OK)
            status = ock_builder_append(&store->builder, bytes, count * row_bytes, err);
    }
    free(bytes);
    return status;
}

static enum ock_status add_spools(struct ock_csv_store *store, struct ock_err *err)
{
    struct maps maps = {.begins = {.data = NULL}};
    enum ock_status status = take_maps(store, &maps, err);
    for (size_t i = 0; i < store->text_count && status == OCK_OK; i++)
        status = sort_texts(store, i, &maps, err);
    for (size_t b = store->lead; b < BLOCKS && status == OCK_OK; b++) {
        if (b > store->lead)
            status =
                ock_builder_begin_block(&store->builder, storages[b], store->table->widths[b], err);
        bool waits = b > store->lead || b == BLOCK_U32;
        if (status == OCK_OK && waits && store->table->widths[b] > 0)
            status = add_spool(store, b, &maps, err);
    }
    ock_room_free(&maps.begins);
    ock_room_free(&maps.codes);
    return status == OCK_OK ? ock_builder_end_blocks(&store->builder, store->table->rows, err)
                            : status;
}

static void describe(const struct ock_csv_store *store, struct ock_build_column *columns)
{
    static const enum ock_build_boolean is_told_boolean[] = {[OCK_TOLD_NOTHING] = OCK_BOOLEAN_FOUND,
                                                             [OCK_TOLD_NUMBER] = OCK_BOOLEAN_NO,
                                                             [OCK_TOLD_CATEGORY] = OCK_BOOLEAN_NO,
                                                             [OCK_TOLD_BOOLEAN] = OCK_BOOLEAN_YES};
    for (size_t c = 0; c < store->table->count; c++) {
        struct ock_csv_column *column = &store->table->columns[c];
        const struct ock_csv_place *place = &store->table->places[c];
        if (place->text)
            column->stats.missing = column->text_missing;
        columns[c].name = store->table->names[c];
        columns[c].type = place->text ? OCK_COLUMN_CATEGORY : OCK_COLUMN_NUMBER;
        columns[c].block = place->block;
        columns[c].offset = place->offset;
        columns[c].stats = &column->stats;
        columns[c].boolean = is_told_boolean[place->told];
    }
}

enum ock_status ock_csv_store_finish(struct ock_csv_store *store, size_t target,
                                     struct ock_err *err)
{
    const struct ock_csv_table *table = store->table;
    enum ock_status status = ock_room_take(
        &store->columns, table->count, sizeof(struct ock_build_column), table->import->out, err);
    if (status == OCK_OK)
        status = add_spools(store, err);
    if (status != OCK_OK)
        return status;
    struct ock_build_column *columns = store->columns.data;
    describe(store, columns);
    struct ock_build_schema schema = {.format = OCK_FILE_CSV,
                                      .column_count = table->count,
                                      .columns = columns,
                                      .target = target,
                                      .missing = table->import->missing};
    return ock_builder_finish(&store->builder, &schema, err);
}
