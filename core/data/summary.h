/* A finished dataset described for people and dashboards: a pure function of its file.
 *
 * Columns are described in pages of OCK_SUMMARY_COLUMNS_MAX, so that the memory that it takes beside
 * the mapping has a bound (64 MiB) whatever the numbers of rows, columns and categories. */
#ifndef OCK_DATA_SUMMARY_H
#define OCK_DATA_SUMMARY_H

#include "core/base/buf.h"
#include "core/base/limits.h"
#include "core/data/dataset.h"

enum {
    OCK_SUMMARY_VERSION = 1, /* of what is said below: what an older program kept is made again */
    OCK_SUMMARY_TOP = 10,    /* categories that are named */
};

/* Appends JSON, a line each. First the target: null, {"name", "kind": "number", "because"}, or
 * {"name", "kind": "classes", "because", "classes": [{"value", "count"}, …], "classes_count",
 * "missing"}, at most OCK_DISTINCT_MAX classes. Then each column from `first` on, at most
 * OCK_SUMMARY_COLUMNS_MAX of them:
 *   {"name", "type": "number" or "byte", "missing", "distinct" or null, "constant", "min", "max",
 *    "mean", "std", "quantiles": {"p0", "p1", "p5", "p25", "p50", "p75", "p95", "p99", "p100"},
 *    "histogram": {"edges", "counts"}}            describe.h; all null where every value is missing
 *   {"name", "type": "category" or "boolean", "missing", "distinct", "constant",
 *    "top": [{"value", "count"}, …], "other_values", "other_count"}     the most frequent ones first
 * first is a multiple of OCK_SUMMARY_COLUMNS_MAX below the number of columns.
 * Errors: CORRUPT, NOMEM, LIMIT. */
enum ock_status ock_summary_write(const struct ock_dataset *dataset, size_t first,
                                  struct ock_buf *out, struct ock_err *err);

/* Whether the column has one value in all rows, or none in any. */
bool ock_column_is_constant(const struct ock_column *column, size_t rows);

#endif
