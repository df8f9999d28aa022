/* A job's metrics over its epochs as columns, thinned out to what a reader can use. */
#ifndef OCK_SERVER_METRICS_TABLE_H
#define OCK_SERVER_METRICS_TABLE_H

#include "core/base/buf.h"
#include "server/store.h"

enum { OCK_METRICS_POINTS = 1000, OCK_METRICS_POINTS_MAX = 100000 };

struct ock_metrics; /* opaque */

/* Reads the epochs' numeric leaves ("train.data_loss"). names: which, between commas, all of which
 * become columns; NULL: all that there are. points: at most so many rows, taken as between 2 and
 * OCK_METRICS_POINTS_MAX; the first, the last and, from 3 points on, the best epoch are among them,
 * the others at even distances. *out is the caller's (ock_metrics_free). Errors: NOMEM, NOTFOUND,
 * and those of the store. */
enum ock_status ock_metrics_read(struct ock_metrics **out, struct ock_db *db, const char *id,
                                 const char *names, size_t points, struct ock_err *err);
void ock_metrics_free(struct ock_metrics *metrics); /* NULL is a no-op */

size_t ock_metrics_rows(const struct ock_metrics *metrics);
/* The column's values, [rows], NaN where there is none; the table's. NULL: no such column. */
const double *ock_metrics_column(const struct ock_metrics *metrics, const char *name);

/* {"epoch": […], "train.data_loss": […]}, null where a value is missing. */
void ock_metrics_json(const struct ock_metrics *metrics, struct ock_buf *out);
void ock_metrics_csv(const struct ock_metrics *metrics, struct ock_buf *out);

#endif
