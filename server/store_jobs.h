/* Jobs, their events and models in the store. All functions that write are called from a write's
 * `apply` (store.h), those that read from either side. */
#ifndef OCK_SERVER_STORE_JOBS_H
#define OCK_SERVER_STORE_JOBS_H

#include "core/base/buf.h"
#include "server/engine.h"
#include "server/store.h"

enum ock_job_status {
    OCK_JOB_QUEUED = 0,
    OCK_JOB_RUNNING,
    OCK_JOB_PAUSED,
    OCK_JOB_SUCCEEDED, /* from here on: ended */
    OCK_JOB_FAILED,
    OCK_JOB_CANCELLED,
    OCK_JOB_STATUS_COUNT,
};
const char *ock_job_status_name(enum ock_job_status status);
/* OCK_JOB_STATUS_COUNT if there is none of that name (size bytes). */
enum ock_job_status ock_job_status_parse(const char *name, size_t size);

/* What was asked for and has not happened yet; kept, so that a restart does not forget it. The last
 * two are of a job that is paused for want of room on the disk and goes on by itself. */
enum ock_want {
    OCK_WANT_NOTHING = 0,
    OCK_WANT_PAUSE,
    OCK_WANT_STOP,
    OCK_WANT_CANCEL,
    OCK_WANT_ROOM,
    OCK_WANT_ROOM_TO_STOP,
};

/* A new job. Texts are borrowed. */
struct ock_job_new {
    const char *id, *name, *labels; /* name may be NULL; labels is a JSON object */
    const char *dataset, *dataset_name, *dataset_sha256; /* NULL: inline */
    const char *validation, *test;                       /* dataset ids or NULL */
    bool has_init;
    size_t memory_bytes; /* 0: not known yet, a dataset is being prepared */
    uint32_t threads, threads_useful;
    uint32_t epochs;
    const char *spec, *run_spec, *resolved; /* run_spec NULL: the spec */
    const char *warnings;                   /* a JSON array */
    int64_t number;                         /* out */
};
/* Stores the job and its first event. Errors: CONFLICT (a dataset of it is gone), …. */
enum ock_status ock_store_insert_job(struct ock_db *db, struct ock_job_new *job,
                                     struct ock_err *err);

/* What is known only when the datasets of a job that waited for them are ready. */
struct ock_job_plan {
    int64_t number;
    size_t memory_bytes;
    uint32_t threads_useful;
    const char *dataset_sha256, *resolved, *warnings; /* dataset_sha256 "": inline data */
};
enum ock_status ock_store_plan_job(struct ock_db *db, const struct ock_job_plan *plan,
                                   struct ock_err *err);

/* A change of state with its event. started: sets started_ms at the first time. */
struct ock_job_change {
    int64_t number;
    const char *id;
    enum ock_job_status status;
    const char *reason;  /* or NULL */
    const char *warning; /* the body of a `warning` event that goes before it; or NULL */
    bool more_attempt;   /* attempt + 1 */
    bool begins;         /* a worker starts: reach_before = reach */
    enum ock_want want;
};
enum ock_status ock_store_change_job(struct ock_db *db, const struct ock_job_change *change,
                                     struct ock_err *err);
enum ock_status ock_store_set_want(struct ock_db *db, int64_t number, enum ock_want want,
                                   struct ock_err *err);

/* A worker died. Decides by reach: requeued with one more attempt, or, the third time in a row
 * without getting further (or when it is not reproducible), *give_up is true and nothing is
 * changed. broken: receives the sentence of not_reproducible, or "". */
struct ock_job_death {
    int64_t number;
    const char *id;
    const char *reason; /* of the state event */
    bool give_up;       /* out */
    uint32_t attempt;   /* out */
    char broken[200];   /* out */
};
enum ock_status ock_store_bury_worker(struct ock_db *db, struct ock_job_death *death,
                                      struct ock_err *err);

/* The lines of one read from a worker, in order. */
struct ock_event_line {
    const char *type, *key; /* key "": none */
    const char *body;       /* a JSON object */
};
struct ock_event_batch {
    int64_t number;
    const char *id;
    size_t count;
    const struct ock_event_line *lines;
    bool broken; /* out: an epoch was told again with other weights; nothing after it is stored */
};
/* A line whose key is there already is not stored again. "resolved" replaces the resolved spec, a
 * "document" the one of its name. */
enum ock_status ock_store_append_events(struct ock_db *db, struct ock_event_batch *batch,
                                        struct ock_err *err);

/* The end. body is the event's, complete but for type, job, seq and time; it is what the worker
 * sent, or made by ock_end_body. */
struct ock_model_bytes {
    const char *which; /* "best", "last" */
    uint64_t bytes;
    char sha256[65];
    const void *blob; /* NULL: it is a file in the job's directory */
};
struct ock_job_end {
    int64_t number;
    const char *id;
    enum ock_job_status status;
    const char *stop_reason;
    const char *body;  /* NULL: made here from the row */
    const char *error; /* a problem object or NULL */
    size_t model_count;
    const struct ock_model_bytes *models;
    bool broken; /* out: the job is not reproducible; nothing was stored */
};
enum ock_status ock_store_end_job(struct ock_db *db, struct ock_job_end *end, struct ock_err *err);

/* Documents of a job (protocol.h): the name that is in a line's key, lower case letters and '_';
 * NULL: it is no document's key. */
enum { OCK_DOCUMENT_NAME_SIZE = 33 };
const char *ock_document_name(const char *key);
/* Stores the body, in place of what stood under the name. Errors: INVALID (the key, the size). */
enum ock_status ock_store_put_document(struct ock_db *db, int64_t number, const char *key,
                                       const char *body, struct ock_err *err);
/* Appends the document's JSON. Errors: NOTFOUND (the job, or the document). */
enum ock_status ock_store_document(struct ock_db *db, const char *id, const char *name,
                                   struct ock_buf *out, struct ock_err *err);

/* Removes an ended job whole and tells it to the readers of all jobs' events, whom the caller wakes
 * when it is committed (ock_hub_wake). Events that are too many for one transaction stay in a grave,
 * where nobody sees them, until ock_store_bury_step takes them. Errors: NOTFOUND, CONFLICT (it has
 * not ended). */
enum ock_status ock_store_delete_job(struct ock_db *db, const char *id, struct ock_err *err);
/* Removes a step's worth of a job's events; *all: that was the last of them. */
enum ock_status ock_store_delete_events(struct ock_db *db, int64_t number, bool *all,
                                        struct ock_err *err);

/* Any of the members may be NULL: not changed. */
struct ock_job_patch {
    const char *id;
    const char *name;   /* "" removes it */
    const char *labels; /* a JSON object */
    const int *priority;
};
enum ock_status ock_store_patch_job(struct ock_db *db, const struct ock_job_patch *patch,
                                    struct ock_err *err);

/* The job's number and status. Errors: NOTFOUND. */
enum ock_status ock_store_find_job(struct ock_db *db, const char *id, int64_t *number,
                                   enum ock_job_status *status, struct ock_err *err);
/* Appends the job's JSON (API.md). version may be NULL. Errors: NOTFOUND. */
enum ock_status ock_store_job_json(struct ock_db *db, const char *id, struct ock_buf *out,
                                   uint64_t *version, struct ock_err *err);
/* {"items", "next", "events_after"}; next gets the cursor, or "". Errors: INVALID (an unknown
 * status). */
enum ock_status ock_store_jobs_json(struct ock_db *db, const struct ock_job_query *query,
                                    struct ock_buf *out, char next[OCK_ID_SIZE],
                                    struct ock_err *err);
/* As ock_engine_events. */
enum ock_status ock_store_events_json(struct ock_db *db, const char *id, uint64_t after,
                                      size_t limit, size_t bytes_max, struct ock_buf *out,
                                      uint64_t *last, bool *ended, struct ock_err *err);

/* The seq of the job's last event. Errors: NOTFOUND. */
enum ock_status ock_store_last_seq(struct ock_db *db, const char *id, uint64_t *out,
                                   struct ock_err *err);

/* Jobs that have not ended, oldest first: one call of `take` each. */
struct ock_job_row {
    int64_t number;
    const char *id;
    enum ock_job_status status;
    enum ock_want want;
    int priority;
    size_t memory_bytes;
    uint32_t threads, threads_useful, attempt;
    const char *dataset, *validation, *test;
    bool has_init, was_started;
};
enum ock_status ock_store_unended_jobs(struct ock_db *db,
                                       enum ock_status (*take)(void *ctx,
                                                               const struct ock_job_row *row,
                                                               struct ock_err *err),
                                       void *ctx, struct ock_err *err);

/* The spec that the worker gets, and the step at which the last epoch ended that was told (0: none).
 * Errors: NOTFOUND. */
enum ock_status ock_store_run_spec(struct ock_db *db, int64_t number, struct ock_buf *out,
                                   uint64_t *told_step, struct ock_err *err);

/* The number of jobs of each status. */
enum ock_status ock_store_count_jobs(struct ock_db *db, uint64_t counts[OCK_JOB_STATUS_COUNT],
                                     struct ock_err *err);

#endif
