/* The inside of a batch source. */
#ifndef OCK_DATA_SOURCE_H
#define OCK_DATA_SOURCE_H

#include "core/data/data.h"
#include "core/data/table.h"

struct ock_source {
    const struct ock_table *table; /* borrowed */
    const float *weights;          /* borrowed, [rows of the table]; NULL: all are 1 */
};

#endif
