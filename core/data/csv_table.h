/* A CSV on its way to a dataset file: what the parts of its reader share.
 *
 * csv_scan.c finds rows and fields, csv_column.c looks at the fields of a column, csv_pass.c has both
 * done by several threads, csv_types.c decides what each column is, csv_store.c writes the rows, and
 * csv.c says what comes after what. */
#ifndef OCK_DATA_CSV_TABLE_H
#define OCK_DATA_CSV_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/room.h"
#include "core/data/builder.h"
#include "core/data/column_types.h"
#include "core/data/csv_scan.h"
#include "core/data/dictionary.h"
#include "core/data/import.h"
#include "core/data/missing.h"
#include "core/data/stats.h"

enum { BLOCK_F32, BLOCK_F64, BLOCK_U32, BLOCKS };

/* What the fields of a column are. */
struct ock_csv_column {
    struct ock_stats stats;
    bool text;            /* some field is neither a number nor missing */
    size_t infinite_line; /* of the first infinite number, 0: none */
    /* Once it has a place among the categories: */
    struct ock_dictionary dictionary;
    size_t text_missing;
    int pair; /* which words a told boolean has */
};

/* What becomes of a column. */
struct ock_csv_place {
    enum ock_told_kind told; /* what the user says it is */
    bool text;               /* a category */
    bool number;             /* a model takes numbers here: a text is a fault */
    bool float32;            /* … as float32 */
    size_t block, offset;
};

struct ock_csv_table {
    const struct ock_import *import;   /* borrowed */
    const struct ock_missing *missing; /* NULL: the usual words */
    struct ock_column_types types;
    struct ock_csv_column *columns; /* [count] */
    struct ock_bump bump;           /* of the columns' dictionaries */
    bool *skip;                     /* owned, [count]: whose fields are not read as numbers */
    struct ock_room column_room, set_room;
    size_t count;
    size_t rows;                  /* after the first row in the first pass; of data later */
    struct ock_room first;        /* the first row's texts */
    struct ock_room first_fields; /* struct ock_csv_field [count] */
    struct ock_csv_row first_row;
    /* Decided from what is known of the columns: */
    bool header;                  /* the first row holds names */
    const char **names;           /* [count] */
    struct ock_csv_place *places; /* [count] */
    struct ock_room name_room, place_room;
    struct ock_room made; /* names that the file does not have */
    size_t widths[BLOCKS];
};

static inline struct ock_csv_rows ock_csv_first_row(const struct ock_csv_table *table)
{
    return (struct ock_csv_rows){&table->first_row, 1, table->first_fields.data, table->first.data};
}

/* Keeps the first row, and makes room for the columns. Errors: INVALID (one column), NOMEM. */
enum ock_status ock_csv_keep_first(struct ock_csv_table *table, const struct ock_csv_rows *rows,
                                   struct ock_err *err);
void ock_csv_table_deinit(struct ock_csv_table *table);

/* Decides whether the first row is a header (table->header) and sets the
 * columns' names, which the table owns. Errors: INVALID (a name too long, not UTF-8 or twice), NOMEM. */
enum ock_status ock_csv_name_columns(struct ock_csv_table *table, struct ock_err *err);

/* Names, types and places, by what is known of the columns so far. Where the first row holds no names,
 * `all` says that every other row was seen: then it is counted and examined too. Before a second
 * decision the first must be forgotten. Errors: INVALID, NOMEM. */
enum ock_status ock_csv_decide(struct ock_csv_table *table, bool all, struct ock_err *err);
void ock_csv_forget(struct ock_csv_table *table);
/* Forgets what put has learnt. */
void ock_csv_forget_texts(struct ock_csv_table *table);

/* Rows at work. */
struct ock_csv_batch {
    struct ock_csv_rows rows; /* borrowed of a scanner */
    size_t begin, count;      /* of these */
    /* Of column c from c * stride on: what its fields are as numbers; of a category that is put, the
     * codes, as uint32_t. */
    double *values; /* in room */
    struct ock_room room;
    size_t stride;
};

/* Makes room for rows [begin, begin + count) of rows. Errors: NOMEM. */
enum ock_status ock_csv_batch_take(struct ock_csv_batch *batch, const struct ock_csv_table *table,
                                   const struct ock_csv_rows *rows, size_t begin, size_t count,
                                   struct ock_err *err);

/* Reads the fields of rows [row, row_end) of the batch, of columns that are not skipped. */
void ock_csv_read(const struct ock_csv_batch *batch, const struct ock_csv_table *table, size_t row,
                  size_t row_end);

/* Learns of column c's fields. Any number of threads, each with columns of its own.
 * Errors: NOMEM. *row is where in the batch it was. */
enum ock_status ock_csv_examine(const struct ock_csv_batch *batch, struct ock_csv_table *table,
                                size_t c, size_t *row, struct ock_err *err);

/* Makes column c's fields what goes to its place. As examine; INVALID (a field does not belong
 * there, or is not UTF-8), LIMIT (too many texts). */
enum ock_status ock_csv_put(const struct ock_csv_batch *batch, struct ock_csv_table *table,
                            size_t c, size_t *row, struct ock_err *err);

/* Examines or puts all columns of a few rows, on this thread. Errors: as these. */
typedef enum ock_status ock_csv_column_fn(const struct ock_csv_batch *batch,
                                          struct ock_csv_table *table, size_t c, size_t *row,
                                          struct ock_err *err);
enum ock_status ock_csv_each_column(const struct ock_csv_batch *batch, struct ock_csv_table *table,
                                    ock_csv_column_fn *work, struct ock_err *err);

/* The rows of a table that has places, on their way to the file. */
struct ock_csv_store;
enum ock_status ock_csv_store_new(struct ock_csv_store **out, const struct ock_csv_table *table,
                                  struct ock_err *err);
void ock_csv_store_free(struct ock_csv_store *store); /* NULL is a no-op */
/* Writes a batch that was put. Errors: LIMIT, IO, NOSPACE, NOMEM. */
enum ock_status ock_csv_store_add(struct ock_csv_store *store, const struct ock_csv_batch *batch,
                                  struct ock_err *err);
/* Writes what is left, and lets the file appear. Errors: as add. */
enum ock_status ock_csv_store_finish(struct ock_csv_store *store, size_t target,
                                     struct ock_err *err);

/* First pass: examines all rows. *store gets what was written on the way, if the columns could be
 * decided by the first rows and all others fitted; else it is NULL.
 * Errors: the scanner's; INVALID (rows of different lengths, one column), LIMIT (rows), NOMEM. */
enum ock_status ock_csv_first_pass(struct ock_csv_table *table, struct ock_reader *reader,
                                   char delimiter, struct ock_csv_store **store,
                                   struct ock_err *err);

/* Second pass: puts and stores all rows. Errors: the scanner's, put's, store_add's; IO (the file was
 * changed). */
enum ock_status ock_csv_second_pass(struct ock_csv_table *table, struct ock_reader *reader,
                                    char delimiter, struct ock_csv_store *store,
                                    struct ock_err *err);

#endif
