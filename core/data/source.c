/* The batch source: rows by index, encoded, with their labels or targets and weights. */
#include "core/data/source.h"

#include <string.h>

void ock_source_gather(const struct ock_source *source, const uint32_t *rows, size_t count,
                       struct ock_batch *batch)
{
    const struct ock_table *table = source->table;
    if (batch->x)
        ock_table_encode(table, rows, count, batch->x);
    if (batch->label && table->labels) {
        for (size_t i = 0; i < count; i++)
            batch->label[i] = table->labels[rows[i]];
    }
    if (batch->target && table->targets) {
        for (size_t i = 0; i < count; i++)
            batch->target[i] = table->targets[rows[i]];
    }
    if (batch->weight && source->weights) {
        for (size_t i = 0; i < count; i++)
            batch->weight[i] = source->weights[rows[i]];
    } else if (batch->weight) {
        for (size_t i = 0; i < count; i++)
            batch->weight[i] = 1.0f;
    }
}

double ock_source_target(const struct ock_source *source, uint32_t row)
{
    return ock_dataset_number(source->table->dataset, source->table->target, row);
}
