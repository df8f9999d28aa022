/* Terms of rows by index. Each is divided in double and rounded once, as dense numbers are. */
#include "core/data/sparse_table.h"

#include <stdlib.h>

#include "core/data/source.h"

static const struct ock_block *sparse_block(const struct ock_dataset *dataset)
{
    size_t count;
    const struct ock_block *blocks = ock_dataset_blocks(dataset, &count);
    for (size_t i = 0; i < count; i++) {
        if (blocks[i].storage == OCK_STORE_CSR)
            return &blocks[i];
    }
    return NULL;
}

static enum ock_status map_features(struct ock_sparse_table *table, const struct ock_block *block,
                                    const struct ock_schema *schema, const size_t *columns,
                                    size_t features, struct ock_err *err)
{
    for (size_t c = 0; c < block->width; c++)
        table->feature[c] = UINT32_MAX;
    size_t mapped = 0;
    for (size_t f = 0; f < features; f++) {
        if (columns[f] == SIZE_MAX)
            continue;
        const struct ock_column *column = &schema->columns[columns[f]];
        if (column->offset >= block->width || columns[f] + 1 == schema->column_count)
            return ock_fail(err, OCK_INVALID, "the column \"%s\" is not one of the sparse ones",
                            column->name);
        table->feature[column->offset] = (uint32_t)f;
        mapped++;
    }
    table->all = mapped == block->width;
    return OCK_OK;
}

enum ock_status ock_sparse_table_init(struct ock_sparse_table *table,
                                      const struct ock_dataset *dataset, const size_t *columns,
                                      size_t features, struct ock_err *err)
{
    const struct ock_schema *schema = ock_dataset_schema(dataset);
    const struct ock_block *block = sparse_block(dataset);
    if (!block)
        return ock_fail(err, OCK_INVALID, "the dataset is not sparse");
    enum ock_status status = ock_block_check_sparse(block, schema->rows, err);
    if (status != OCK_OK)
        return status;
    struct ock_sparse_table made = {.rows = block->sparse, .divisor = 1};
    made.feature = malloc((block->width + 1) * sizeof(*made.feature));
    if (!made.feature)
        return ock_fail(err, OCK_NOMEM, "out of memory for %zu columns", block->width);
    status = map_features(&made, block, schema, columns, features, err);
    if (status != OCK_OK) {
        free(made.feature);
        return status;
    }
    *table = made;
    return OCK_OK;
}

void ock_sparse_table_deinit(struct ock_sparse_table *table)
{
    free(table->feature);
    *table = (struct ock_sparse_table){0};
}

void ock_dataset_terms(const struct ock_dataset *dataset, size_t *terms, size_t *row_max)
{
    *terms = 0;
    *row_max = 0;
    const struct ock_block *block = dataset ? sparse_block(dataset) : NULL;
    size_t rows = block ? ock_dataset_schema(dataset)->rows : 0;
    for (size_t row = 0; row < rows; row++) {
        size_t begin = block->sparse.begin[row];
        size_t end = block->sparse.begin[row + 1];
        if (end > begin && end - begin > *row_max)
            *row_max = end - begin;
    }
    if (block)
        *terms = block->terms;
}

/* --- The source's rows -------------------------------------------------------------------------
 */

void ock_source_sparse_begins(const struct ock_source *source, const uint32_t *rows, size_t count,
                              struct ock_sparse_batch *batch)
{
    const struct ock_sparse_table *table = &source->table->sparse;
    batch->begin[0] = 0;
    for (size_t i = 0; i < count; i++) {
        size_t begin = table->rows.begin[rows[i]];
        size_t end = table->rows.begin[rows[i] + 1];
        size_t terms = end - begin;
        for (size_t t = begin; t < end && !table->all; t++)
            terms -= table->feature[table->rows.index[t]] == UINT32_MAX;
        batch->begin[i + 1] = batch->begin[i] + terms;
    }
}

void ock_source_sparse_terms(const struct ock_source *source, const uint32_t *rows, size_t begin,
                             size_t end, struct ock_sparse_batch *batch)
{
    const struct ock_sparse_table *table = &source->table->sparse;
    for (size_t i = begin; i < end; i++) {
        size_t out = batch->begin[i];
        for (size_t t = table->rows.begin[rows[i]]; t < table->rows.begin[rows[i] + 1]; t++) {
            uint32_t feature = table->feature[table->rows.index[t]];
            if (feature == UINT32_MAX)
                continue;
            batch->index[out] = feature;
            batch->value[out++] = table->divisor == 1
                                      ? table->rows.value[t]
                                      : (float)((double)table->rows.value[t] / table->divisor);
        }
    }
}
