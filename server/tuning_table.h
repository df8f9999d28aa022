/* A tuning job's table as JSON, out of the store. */
#ifndef OCK_SERVER_TUNING_TABLE_H
#define OCK_SERVER_TUNING_TABLE_H

#include "core/base/buf.h"
#include "server/store.h"

/* Appends the table (API.md, /tuning) as one JSON object: the one that the worker left at the job's
 * end; before that, and of a job that came to no end of its own, one from the trials told so far.
 * label: receives the job's name, or its id, as a C string. Errors: NOTFOUND (no such job),
 * UNSUPPORTED (the job has no tune), and those of the store. */
enum ock_status ock_tuning_table(struct ock_db *db, const char *id, struct ock_buf *out,
                                 struct ock_buf *label, struct ock_err *err);

#endif
