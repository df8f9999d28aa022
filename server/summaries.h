/* Summaries of datasets: made once by a worker process, kept beside the datasets.
 *
 * A page (OCK_SUMMARY_COLUMNS_MAX columns, core/data/summary.h) is the file summaries/ID/FIRST: a line
 * with version and hashes, then the page's lines. It is written behind a rename, without syncing:
 * what a crash leaves of it does not fit its hash and is made again. Where the disk takes no file, the
 * page stays in memory for a while. */
#ifndef OCK_SERVER_SUMMARIES_H
#define OCK_SERVER_SUMMARIES_H

#include "core/data/dataset.h"
#include "server/engine_private.h"

struct ock_summaries;

/* Starts the threads, and removes what datasets that are gone, or a killed server, left behind. */
enum ock_status ock_summaries_new(struct ock_summaries **out, struct ock_engine *engine,
                                  struct ock_err *err);
void ock_summaries_stop(struct ock_summaries *summaries); /* ends the workers */
void ock_summaries_free(struct ock_summaries *summaries); /* after stop; NULL is a no-op */

/* Appends the lines of the page that begins with the column `first`; or sets *pending: it is being
 * made, ask again. Never waits for a worker. Thread-safe. Errors: what the worker said (for a second
 * or two, then it is tried again), CONFLICT (too many pages are being made), STOPPED, NOMEM. */
enum ock_status ock_summaries_page(struct ock_summaries *summaries, const char *id,
                                   const struct ock_dataset *dataset, size_t first,
                                   struct ock_buf *out, bool *pending, struct ock_err *err);

/* The dataset is deleted: its summary goes, and nobody makes another. */
void ock_summaries_forget(struct ock_summaries *summaries, const char *id);

#endif
