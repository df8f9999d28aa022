/* A CSV on its way to a dataset file: what csv.c and csv_names.c know of it. */
#ifndef OCK_DATA_CSV_TABLE_H
#define OCK_DATA_CSV_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/buf.h"
#include "core/data/builder.h"
#include "core/data/column_types.h"
#include "core/data/csv_scan.h"
#include "core/data/dictionary.h"
#include "core/data/import.h"
#include "core/data/missing.h"
#include "core/data/stats.h"

enum { BLOCK_F32, BLOCK_F64, BLOCK_U32, BLOCKS };

struct ock_csv_column {
    struct ock_stats stats;
    enum ock_told_kind told; /* what the user says it is */
    bool text;               /* some field is neither a number nor missing, or told: a category */
    bool number;             /* a model takes numbers here: a text is a fault */
    bool float32;            /* … as float32 */
    size_t infinite_line;    /* of the first infinite number, 0: none */
    size_t block, offset;
    struct ock_dictionary dictionary; /* of a category, in the second pass */
    const char **values;              /* owned: sorted */
    size_t value_count;
    int pair; /* which words a told boolean has */
};

struct ock_csv_table {
    struct ock_csv_column *columns; /* owned, [count] */
    size_t count;
    size_t rows;                        /* after the first row in the first pass; of data later */
    size_t row;                         /* second pass: the next one */
    bool header;                        /* the first row holds names */
    bool first_seen;                    /* in this pass */
    size_t first_line;                  /* line of the first row */
    struct ock_buf first;               /* the first row's texts */
    struct ock_csv_field *first_fields; /* owned, [count] */
    const struct ock_import *import;    /* borrowed */
    const struct ock_missing *missing;  /* NULL: the usual words */
    struct ock_column_types types;
    struct ock_buf made; /* names that the file does not have */
    const char **names;  /* owned, [count] */
    struct ock_build_block blocks[BLOCKS];
};

static inline struct ock_csv_row ock_csv_first_row(const struct ock_csv_table *table)
{
    return (struct ock_csv_row){table->first_line, table->count, table->first_fields};
}

/* After the first pass: decides whether the first row is a header (table->header) and sets the
 * columns' names, which the table owns. Errors: INVALID (a name too long, not UTF-8 or twice), NOMEM. */
enum ock_status ock_csv_name_columns(struct ock_csv_table *table, struct ock_err *err);

#endif
