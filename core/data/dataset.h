/* A dataset: one immutable file, mapped read-only and shared by all workers.
 *
 * Columns keep their own types. Columns of one type stand together in a block, row by row, so that
 * a row is gathered with one read a block: an image is one block of bytes, a CSV of numbers one
 * block of float32 (float64 for columns that float32 would blur), category codes one of uint32.
 * Columns that are mostly zeros (svmlight) share one block of compressed sparse rows.
 * The file (format.h): a header, the blocks, each at a multiple of 64 bytes, a record for each
 * column, and the texts; a SHA-256 of everything stands in the header. */
#ifndef OCK_DATA_DATASET_H
#define OCK_DATA_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/sparse.h"
#include "core/base/status.h"

enum ock_column_type {
    OCK_COLUMN_BYTE,     /* uint8: pixels */
    OCK_COLUMN_NUMBER,   /* float32 or float64; a missing value is NaN */
    OCK_COLUMN_CATEGORY, /* uint32 codes into values, in sorted order; missing is UINT32_MAX */
};

enum ock_storage { OCK_STORE_U8, OCK_STORE_F32, OCK_STORE_F64, OCK_STORE_U32, OCK_STORE_CSR };

/* A block: [rows, width] elements of one storage type. */
struct ock_block {
    enum ock_storage storage;
    size_t width;     /* columns in it */
    const void *data; /* mapped, 64-byte aligned; not of CSR */
    /* CSR: float32 values of columns by index, and how many there are. Not checked when the file is
     * opened: ock_block_check_sparse. */
    struct ock_sparse_rows sparse;
    size_t terms;
};

struct ock_column {
    const char *name;
    enum ock_column_type type;
    size_t block;  /* index into blocks */
    size_t offset; /* position within the block's row */
    size_t missing;
    bool whole;   /* numbers: all are whole */
    bool boolean; /* category whose values are true/false, yes/no, t/f, y/n (any case) */
    /* Distinct values: all of a category's (sorted by UTF-8 bytes); of a number's or a byte's the
     * sorted texts ("-1", "2.5"), by value, if they are at most OCK_DISTINCT_MAX (in a labels file
     * OCK_CLASSES_MAX), else NULL, 0. A category whose texts are all numbers, which only inline
     * data can have, is sorted by value. */
    size_t value_count;
    const char *const *values;
    double min, max, mean; /* numbers and bytes, without missing ones */
};

enum {
    OCK_DISTINCT_MAX = 1000,
    OCK_WHOLE_CLASSES_MAX = 20, /* more distinct whole numbers are an amount, not a class */
};

struct ock_schema {
    size_t rows;
    size_t column_count;
    const struct ock_column *columns;
    size_t target;      /* column index that the importer was told or guessed; SIZE_MAX: none */
    size_t shape_count; /* of one example's image: {28, 28}; 0: no image */
    size_t shape[4];
    const char *format;  /* "csv", "npy", "idx", "inline", "svmlight" */
    bool sparse;         /* there is a CSR block, */
    size_t nonzeros;     /* with so many terms */
    const char *missing; /* words for missing values, between commas; NULL: the usual ones */
    bool has_labels;     /* the target came as a labels file of its own: it is the last column */
};

struct ock_dataset; /* opaque; immutable, may be shared by threads */

/* Maps a dataset file and checks its header and trailer (not every byte: ock_dataset_verify).
 * Errors: NOTFOUND, IO, CORRUPT (with what is wrong), NOMEM. */
enum ock_status ock_dataset_open(struct ock_dataset **out, const char *path, struct ock_err *err);
void ock_dataset_free(struct ock_dataset *dataset); /* NULL is a no-op */

const struct ock_schema *ock_dataset_schema(const struct ock_dataset *dataset); /* borrowed */
const struct ock_block *ock_dataset_blocks(const struct ock_dataset *dataset, size_t *count);
const char *ock_dataset_sha256(const struct ock_dataset *dataset); /* of the content, in hex */

/* From now on rows are read in any order, with so much memory for their pages. Where the file does not
 * fit into half of it, the kernel is told not to read what lies around a row, which costs megabytes a
 * row, and the dataset is `scattered`: whoever reads rows asks for them before (readahead.h). */
void ock_dataset_expect_rows(struct ock_dataset *dataset, size_t memory_bytes);
bool ock_dataset_is_scattered(const struct ock_dataset *dataset);

/* Recomputes the SHA-256. Errors: CORRUPT. */
enum ock_status ock_dataset_verify(const struct ock_dataset *dataset, struct ock_err *err);

/* Looks at every term of a CSR block of `rows` rows: they lie in it, and indices rise below its
 * width. Errors: CORRUPT. */
enum ock_status ock_block_check_sparse(const struct ock_block *block, size_t rows,
                                       struct ock_err *err);

/* The column's index, SIZE_MAX if there is none. */
size_t ock_schema_column(const struct ock_schema *schema, const char *name);

/* The value of a number or byte column (NaN if missing); for categories the code. */
double ock_dataset_number(const struct ock_dataset *dataset, size_t column, size_t row);

/* How a column would serve as a target, SPEC.md's target_type: classes for text, boolean, labels of
 * a labels file, and whole numbers with at most 20 distinct values; else a number. `because` is a
 * sentence for a person ("text", "whole numbers with 10 distinct values", …), static. */
enum ock_target_kind { OCK_TARGET_CLASSES, OCK_TARGET_NUMBER };
enum ock_target_kind ock_schema_target_kind(const struct ock_schema *schema, size_t column,
                                            const char **because);

/* Appends the schema as the API shows it: {"rows", "columns": [{"name", "type", "missing", "min",
 * "max", "mean", "distinct"}, …], "target": {"name", "kind", "classes", "because"} or null,
 * "shape", "format", "nonzeros" of sparse
 * columns, "missing_words" that were given}; "distinct" is null where it was not counted. At most `columns_max` columns
 * are listed, "columns_count" tells all. */
void ock_schema_write(const struct ock_schema *schema, size_t columns_max, struct ock_buf *out);

#endif
