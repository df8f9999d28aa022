/* From a user's bytes to a dataset file: CSV, svmlight, NPY, IDX, or arrays in a job's JSON. */
#ifndef OCK_DATA_IMPORT_H
#define OCK_DATA_IMPORT_H

#include <cjson/cJSON.h>
#include <stddef.h>

#include "core/base/faults.h"
#include "core/base/limits.h"
#include "core/base/status.h"
#include "core/data/row_columns.h"

enum ock_format {
    OCK_FORMAT_AUTO,
    OCK_FORMAT_CSV,
    OCK_FORMAT_IDX,
    OCK_FORMAT_SVMLIGHT,
    OCK_FORMAT_NPY
};
/* AUTO: the first row holds names if all of it is text and some column has only numbers below it or
 * all names differ; and if all names differ and one is text above a column of numbers. Columns
 * without a name are called c0, c1, … by their place. */
enum ock_header { OCK_HEADER_AUTO, OCK_HEADER_YES, OCK_HEADER_NO };

struct ock_import {
    const char *source; /* path of the table, or of x (packed or not, found by its first bytes) */
    const char *labels; /* path of y for NPY or IDX; NULL: none */
    const char *out;    /* path of the dataset file; appears whole or not at all */
    const char *target; /* a column's name, else a place (from 0; negative from the end), or NULL */
    enum ock_format format;
    char delimiter; /* 0: found from the first lines among , ; tab | */
    enum ock_header header;
    /* Of CSV alone. */
    const char *types;   /* as ock_column_types_parse takes it; NULL: all are found */
    const char *missing; /* words between commas in place of ?, NA, N/A, NaN, null; NULL: those */
    int threads;         /* that may share the work, 0: one; the file does not depend on it */
    /* Not NULL: the rows are to be predicted by a model with these columns. There is no target then,
     * one column is enough, its columns have the types that they had in training (numbers keep all
     * their digits), and the file is not synced. */
    const struct ock_row_columns *rows;
    size_t rows_max; /* of a CSV; 0: as many as a dataset may have */
    /* Of svmlight rows: the largest index that the model knows. Terms beyond it are passed over, so
     * that a row takes no more columns than the model has; rows without any term will do. 0: none. */
    uint32_t index_max;
};

/* Reads source (and labels) and writes the dataset file.
 * What is wrong with the data is INVALID and says where: line and column (CSV, svmlight), byte (NPY,
 * IDX), what was expected and what stood there. The
 * target, where none is given: a column named "target", "label", "class" or "y" (any case) if there
 * is just one of them, else the last column. Errors: INVALID, UNSUPPORTED, LIMIT, NOTFOUND, IO,
 * NOSPACE, NOMEM. Nothing stays behind on error. */
enum ock_status ock_import_run(const struct ock_import *import, struct ock_err *err);

/* How many threads an import takes of so many cores: few, as trainings need them too. */
static inline unsigned ock_import_threads(unsigned cores)
{
    return cores < OCK_IMPORT_THREADS_MAX ? cores : OCK_IMPORT_THREADS_MAX;
}

/* A delimiter as it is written: one character of ASCII, but no quote and no line end, or "tab" or
 * "space". Errors: INVALID. */
enum ock_status ock_import_delimiter(const char *text, char *delimiter, struct ock_err *err);

/* {"x": [[…], …], "y": […]} of a spec's data.inline (already parsed strictly): numbers in x,
 * numbers or strings or booleans in y. Columns are x0, x1, …; the target is y. Faults in the arrays
 * are added with pointers below `pointer` ("/data/inline/x/3: has 4 numbers, the rows before have
 * 5"). Errors: INVALID (faults were added), LIMIT, IO, NOSPACE, NOMEM. */
enum ock_status ock_import_inline(const cJSON *data, const char *pointer, const char *out,
                                  struct ock_faults *faults, struct ock_err *err);

#endif
