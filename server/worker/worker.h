/* What the worker's files offer each other. */
#ifndef OCK_WORKER_WORKER_H
#define OCK_WORKER_WORKER_H

#include <cjson/cJSON.h>

#include "core/base/status.h"
#include "core/data/import.h"
#include "server/worker/control.h"

/* The subcommands; dir is the job's directory. They print their sentence and return the exit code
 * of protocol.h. */
int ock_worker_train(const char *dir);
int ock_worker_import(const char *dir);
int ock_worker_predict(const char *dir);
int ock_worker_summary(const char *page);

/* Reads and parses DIR/name; *out is the caller's (cJSON_Delete). */
enum ock_status ock_worker_read_json(cJSON **out, const char *dir, const char *name,
                                     struct ock_err *err);

/* The member's text, borrowed; NULL if it is absent or null. */
const char *ock_worker_text(const cJSON *object, const char *key);

/* Bounds what this process may allocate (RLIMIT_DATA, which lets datasets be mapped: RLIMIT_AS
 * would count them). 0 or absent: no bound. Failing to set it is not an error. */
void ock_worker_limit_memory(const cJSON *object);

/* Joins the cgroup that the parent made, if it made one. Without it the job runs as well. */
void ock_worker_join_cgroup(const cJSON *object);

/* Says the sentence on standard error; returns OCK_WORKER_FAILED, or OCK_WORKER_NO_MEMORY. */
int ock_worker_fail(const struct ock_err *err);

/* What import.json and predict.json have in common (protocol.h). Errors: INVALID. */
enum ock_status ock_worker_delimiter(const cJSON *json, char *out, struct ock_err *err);
enum ock_header ock_worker_header(const cJSON *json);

/* Starts the control of a mode that keeps nothing by half: from now on the process ends with its
 * parent. Errors: IO. */
enum ock_status ock_worker_listen(struct ock_control *control, struct ock_err *err);
/* ock_worker_read_json, and the memory that it allows. */
enum ock_status ock_worker_read_order(cJSON **out, const char *dir, const char *name,
                                      struct ock_err *err);
/* Says the last line of an answer that is no event; returns the exit code. */
int ock_worker_answer(struct ock_control *control, enum ock_status status,
                      const struct ock_err *err);

#endif
