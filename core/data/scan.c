/* The order in which a block is gone through. Slabs of some MiB of rows come one after another, so
 * that a file beyond memory is read once a pass; in a slab, groups of columns that share cache lines
 * and whose tables fit into the cache; in a group, tiles of rows; and in a tile, column by column. */
#include "core/data/scan.h"

#include <string.h>

#include "core/base/limits.h"
#include "core/data/format.h"

#define SLAB_BYTES ((size_t)16 << 20)
enum { GROUP_COLUMNS = 16, TILE_ROWS = 512 };

static size_t slab_rows(const struct ock_block *block)
{
    size_t rows = SLAB_BYTES / (block->width * ock_storage_bytes(block->storage));
    return rows < TILE_ROWS ? TILE_ROWS : rows;
}

/* A rectangle of a block: columns [column, column_end) from offset `low` on, rows [row, row_end). */
struct tile {
    size_t row, row_end, column, column_end;
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The tile after this one, in a block of rows x columns; false: there is none. All zero at first. */
static bool next_tile(struct tile *tile, const struct ock_block *block, size_t rows, size_t columns)
{
    size_t slab = slab_rows(block);
    if (tile->column_end == 0) {
        tile->column_end = smaller(columns, GROUP_COLUMNS);
    } else if (tile->row_end % slab != 0 && tile->row_end < rows) {
        tile->row = tile->row_end;
    } else if (tile->column_end < columns) {
        tile->row = (tile->row_end - 1) / slab * slab;
        tile->column = tile->column_end;
        tile->column_end = smaller(columns, tile->column + GROUP_COLUMNS);
    } else if (tile->row_end < rows) {
        tile->row = tile->row_end;
        tile->column = 0;
        tile->column_end = smaller(columns, GROUP_COLUMNS);
    } else {
        return false;
    }
    size_t slab_end = smaller(rows, (tile->row / slab + 1) * slab);
    tile->row_end = smaller(slab_end, tile->row + TILE_ROWS);
    return true;
}

/* --- Numbers ----------------------------------------------------------------------------------- */

/* values[r] of a column for rows [row, row + count). */
static void gather(const struct ock_block *block, size_t offset, size_t row, size_t count,
                   double *values)
{
    size_t width = block->width;
    if (block->storage == OCK_STORE_F32) {
        const float *from = (const float *)block->data + row * width + offset;
        for (size_t r = 0; r < count; r++)
            values[r] = (double)from[r * width];
    } else {
        const double *from = (const double *)block->data + row * width + offset;
        for (size_t r = 0; r < count; r++)
            values[r] = from[r * width];
    }
}

static void pass_dense(const struct ock_block *block, size_t rows, size_t low,
                       struct ock_describer *const *describers, size_t count)
{
    double values[TILE_ROWS];
    struct tile tile = {.row = 0};
    while (next_tile(&tile, block, rows, count)) {
        size_t take = tile.row_end - tile.row;
        for (size_t i = tile.column; i < tile.column_end; i++) {
            if (!describers[i])
                continue;
            gather(block, low + i, tile.row, take, values);
            ock_describer_add(describers[i], values, take);
        }
    }
}

/* The first term of [begin, end) whose index is not below `low`. */
static size_t lower_bound(const uint32_t *index, size_t begin, size_t end, size_t low)
{
    while (begin < end) {
        size_t middle = begin + (end - begin) / 2;
        if (index[middle] < low)
            begin = middle + 1;
        else
            end = middle;
    }
    return begin;
}

/* The terms, and then, for each column, the zeros between them. */
static void pass_sparse(const struct ock_block *block, size_t rows, size_t low,
                        struct ock_describer *const *describers, size_t count)
{
    const struct ock_sparse_rows *sparse = &block->sparse;
    for (size_t row = 0; row < rows; row++) {
        size_t end = sparse->begin[row + 1];
        size_t at = lower_bound(sparse->index, sparse->begin[row], end, low);
        for (; at < end && sparse->index[at] < low + count; at++) {
            struct ock_describer *describer = describers[sparse->index[at] - low];
            double value = (double)sparse->value[at];
            if (!describer)
                continue;
            if (describer->pass == 0)
                describer->terms++;
            ock_describer_add(describer, &value, 1);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (describers[i])
            ock_describer_add_zeros(describers[i], (uint32_t)(rows - describers[i]->terms));
    }
}

enum ock_status ock_scan_numbers(const struct ock_block *block, size_t rows, size_t low,
                                 struct ock_describer *const *describers, size_t count,
                                 struct ock_err *err)
{
    bool sparse = block->storage == OCK_STORE_CSR, more = true;
    enum ock_status status = sparse ? ock_block_check_sparse(block, rows, err) : OCK_OK;
    while (status == OCK_OK && more) {
        more = false;
        if (sparse)
            pass_sparse(block, rows, low, describers, count);
        else
            pass_dense(block, rows, low, describers, count);
        for (size_t i = 0; i < count; i++)
            more |= describers[i] && ock_describer_end_pass(describers[i]);
    }
    return status;
}

/* --- Bytes and codes --------------------------------------------------------------------------- */

void ock_scan_bytes(const struct ock_block *block, size_t rows, size_t low,
                    uint32_t (*const *counts)[256], size_t count)
{
    size_t width = block->width;
    struct tile tile = {.row = 0};
    while (next_tile(&tile, block, rows, count)) {
        for (size_t i = tile.column; i < tile.column_end; i++) {
            const uint8_t *from = (const uint8_t *)block->data + tile.row * width + low + i;
            for (size_t r = 0; counts[i] && r < tile.row_end - tile.row; r++)
                (*counts[i])[from[r * width]]++;
        }
    }
}

void ock_scan_codes(const struct ock_block *block, size_t rows, size_t offset, size_t begin,
                    uint32_t *counts, size_t span, size_t *missing)
{
    const uint32_t *codes = (const uint32_t *)block->data + offset;
    size_t none = 0;
    for (size_t row = 0; row < rows; row++) {
        size_t code = codes[row * block->width];
        none += code == UINT32_MAX;
        if (code - begin < span) /* below begin, the difference is huge */
            counts[code - begin]++;
    }
    *missing = none;
}
