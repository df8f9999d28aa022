/* What import.c gives to each format's reader, and what the readers share. */
#ifndef OCK_DATA_FORMATS_H
#define OCK_DATA_FORMATS_H

#include <stddef.h>

#include "core/base/limits.h"
#include "core/base/status.h"
#include "core/data/builder.h"
#include "core/data/import.h"
#include "core/data/reader.h"

/* Readers of one format: from an open reader to the dataset file. Errors: as ock_import_run. */
enum ock_status ock_csv_import(const struct ock_import *import, struct ock_reader *reader,
                               struct ock_err *err);
enum ock_status ock_svmlight_import(const struct ock_import *import, struct ock_reader *reader,
                                    struct ock_err *err);
/* IDX or NPY; labels, of either format, NULL: none. */
enum ock_status ock_array_import(const struct ock_import *import, enum ock_format format,
                                 struct ock_reader *x, struct ock_reader *labels,
                                 struct ock_err *err);

/* Finds the target that text names or numbers (from 0; negative from the end).
 * Errors: INVALID, with the nearest name. */
enum ock_status ock_find_target(const char *const *names, size_t count, const char *text,
                                size_t *target, struct ock_err *err);

/* The column that is a target by its name (target, label, class, y), else the last. */
size_t ock_guess_target(const char *const *names, size_t count);

/* How many distinct values a column of x may keep: with many columns fewer, so that all together take
 * at most 32 MiB up to 50,000 columns; enough to tell classes in any case. */
static inline size_t ock_distinct_share(size_t columns)
{
    size_t share = OCK_MIB / columns;
    share = share < OCK_DISTINCT_MAX ? share : OCK_DISTINCT_MAX;
    return share > OCK_WHOLE_CLASSES_MAX ? share : OCK_WHOLE_CLASSES_MAX + 1;
}

/* Columns that may keep so few values keep them in one array, that of all of them. */
enum { OCK_LENT_VALUES_MAX = OCK_WHOLE_CLASSES_MAX + 1 };

/* Writes a number into a block's element, rounded once to its storage (F32 or F64). */
static inline void ock_put_number(const struct ock_build_block *block, size_t row, size_t offset,
                                  double value)
{
    size_t place = row * block->width + offset;
    if (block->storage == OCK_STORE_F64)
        ((double *)(void *)block->data)[place] = value;
    else
        ((float *)(void *)block->data)[place] = (float)value;
}

#endif
