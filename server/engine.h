/* The engine: datasets, jobs, their events and workers. Everything of the server but HTTP.
 *
 * Handlers (server/handlers) call these from any thread; calls may wait for the disk, so they are
 * not made from libmicrohttpd's own threads. Answers are JSON texts appended to a buffer, as API.md
 * shows them. On false, `problem` is set and nothing was appended.
 *
 * Threads: one scheduler thread starts workers and reads all their pipes (epoll); one committer
 * groups writes into transactions (store.h). A stored event is told to the subscribers by a wake-up
 * only; they read it from the engine. */
#ifndef OCK_SERVER_ENGINE_H
#define OCK_SERVER_ENGINE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/status.h"
#include "server/problem.h"

struct ock_engine;

enum { OCK_ID_SIZE = 32 }; /* "job_" or "ds_", 26 characters (ULID), NUL */

/* Limits on jobs that have ended; the oldest go first. 0: no limit. */
struct ock_keep {
    uint64_t jobs;
    double days;    /* since a job finished */
    uint64_t bytes; /* of their events, specs and models, files too */
    uint64_t events;
};

struct ock_engine_config {
    const char *data_dir;    /* made if it is not there; locked (flock) while open */
    const char *worker_path; /* NULL: ockham-worker beside /proc/self/exe */
    unsigned cores;          /* 0: cgroup quota and affinity mask */
    size_t memory_bytes;     /* 0: 80 % of the cgroup's limit or the machine's memory */
    size_t queue_max;        /* jobs that wait, default 10000; beyond: 429 */
    size_t upload_bytes_max; /* default 64 GiB */
    struct ock_keep keep;
};

/* Opens the data directory, requeues what ran, starts the threads.
 * Errors: CONFLICT (another server holds the directory), CORRUPT (foreign or damaged store), IO,
 * NOSPACE, NOMEM. */
enum ock_status ock_engine_open(struct ock_engine **out, const struct ock_engine_config *config,
                                struct ock_err *err);
/* No new jobs, uploads and actions (503) from now on. */
void ock_engine_drain(struct ock_engine *engine);
/* Drains, ends imports (those who wait for them get 503), checkpoints and requeues what runs (at
 * most 6.5 s). Readers still read. */
void ock_engine_halt(struct ock_engine *engine);
/* Halts and frees everything. NULL is a no-op. */
void ock_engine_close(struct ock_engine *engine);

/* --- Datasets ---------------------------------------------------------------------------------- */

/* An upload: bytes are spooled to the data directory as they come. One thread at a time. */
struct ock_upload;
enum ock_upload_part { OCK_PART_TABLE, OCK_PART_X, OCK_PART_Y };
struct ock_upload_options {
    const char *name; /* checked here: [A-Za-z0-9][A-Za-z0-9._-]{0,63}, not ds_ or job_ in front */
    enum ock_upload_part part;
    const char *format;    /* ?format=, or from Content-Type; NULL: found from the content */
    const char *target;    /* ?target= or NULL */
    const char *delimiter; /* ?delimiter= or NULL: one character of ASCII, "tab" or "space" */
    const char *header;    /* ?header=: "true", "false", "auto", or NULL */
    const char *types;     /* ?types= or NULL, as ock_column_types_parse takes it */
    const char *missing;   /* ?missing= or NULL: words between commas */
    bool replace;
};
bool ock_upload_begin(struct ock_engine *engine, struct ock_upload **out,
                      const struct ock_upload_options *options, struct ock_problem *problem);
bool ock_upload_add(struct ock_upload *upload, const void *bytes, size_t size,
                    struct ock_problem *problem);
/* Imports (in a worker process), waits at most wait_ms, answers the dataset's JSON and the status:
 * 201, 200 (the same bytes and options again), or 202 while it is being prepared. Takes the upload
 * in any case. */
bool ock_upload_finish(struct ock_upload *upload, unsigned wait_ms, struct ock_buf *out,
                       int *status, struct ock_problem *problem);
void ock_upload_discard(struct ock_upload *upload); /* NULL is a no-op */

bool ock_engine_datasets(struct ock_engine *engine, struct ock_buf *out,
                         struct ock_problem *problem);
bool ock_engine_dataset(struct ock_engine *engine, const char *id_or_name, struct ock_buf *out,
                        struct ock_problem *problem);
bool ock_engine_dataset_delete(struct ock_engine *engine, const char *id_or_name,
                               struct ock_problem *problem);

/* The id of a dataset that is ready to be used; else 404 or 409. */
bool ock_engine_dataset_ready(struct ock_engine *engine, const char *id_or_name,
                              char id[OCK_ID_SIZE], struct ock_problem *problem);
/* The summary of a ready dataset: {"dataset", "sha256", "format", "rows", "columns_count",
 * "nonzeros" of sparse columns, "target", "constant_columns", "constant_count", "columns"}
 * (core/data/summary.h); it never changes. columns: names and positions between commas, or NULL: the
 * first ones. *pending: nothing was appended, a worker makes it; ask again. */
bool ock_engine_summary(struct ock_engine *engine, const char *id, const char *columns,
                        struct ock_buf *out, bool *pending, struct ock_problem *problem);

/* --- Jobs -------------------------------------------------------------------------------------- */

struct ock_submission {
    const cJSON *spec;
    const char *spec_text;   /* the same as it was sent */
    const char *key;         /* an Idempotency-Key that is claimed; NULL: none */
    const char *body_sha256; /* what the key was claimed with */
};
struct ock_submitted {
    char id[OCK_ID_SIZE];
    uint64_t version;
};
/* Checks the spec (all faults at once), stores the job durably, queues it. faults found by the JSON
 * parser already may stand in problem->faults. Appends the job's JSON as it was stored: the first
 * answer, which a key keeps from the same transaction on. */
bool ock_engine_submit(struct ock_engine *engine, const struct ock_submission *submission,
                       struct ock_buf *out, struct ock_submitted *submitted,
                       struct ock_problem *problem);
/* {resolved, parameters, memory_bytes, steps_per_epoch, warnings, conversions} */
bool ock_engine_validate(struct ock_engine *engine, const cJSON *spec, struct ock_buf *out,
                         struct ock_problem *problem);

/* The job's JSON. version (may be NULL) grows with every change, PATCH too: the ETag. */
bool ock_engine_job(struct ock_engine *engine, const char *id, struct ock_buf *out,
                    uint64_t *version, struct ock_problem *problem);

struct ock_job_query {
    const char *status; /* "running,queued", NULL: all */
    size_t label_count; /* pairs */
    const char *const *label_keys;
    const char *const *label_values;
    size_t limit;      /* 1 to 100 */
    const char *after; /* cursor or NULL */
};
/* {"items", "next", "events_after"}; next (may be NULL) is the cursor for the Link header. */
bool ock_engine_jobs(struct ock_engine *engine, const struct ock_job_query *query,
                     struct ock_buf *out, char next[OCK_ID_SIZE], struct ock_problem *problem);

/* action: "cancel", "pause", "resume", "stop". status: 202, or 200 when it is so already. */
bool ock_engine_act(struct ock_engine *engine, const char *id, const char *action, int *status,
                    struct ock_buf *out, struct ock_problem *problem);
/* {"labels", "name", "priority"}, any of them. */
bool ock_engine_patch(struct ock_engine *engine, const char *id, const cJSON *patch,
                      struct ock_buf *out, struct ock_problem *problem);
bool ock_engine_delete(struct ock_engine *engine, const char *id, struct ock_problem *problem);

/* Metrics history of API.md as JSON, or CSV. names is comma-separated or NULL (all). */
bool ock_engine_metrics(struct ock_engine *engine, const char *id, const char *names,
                        size_t max_points, bool csv, struct ock_buf *out,
                        struct ock_problem *problem);

/* The job's curves as an SVG picture of at most max_points epochs. */
bool ock_engine_chart(struct ock_engine *engine, const char *id, size_t max_points,
                      struct ock_buf *out, struct ock_problem *problem);

/* A tuning job's table (API.md, /tuning). 404 `not_tuning`: the job has no tune section. */
enum ock_tuning_form { OCK_TUNING_JSON, OCK_TUNING_CSV, OCK_TUNING_SVG };
bool ock_engine_tuning(struct ock_engine *engine, const char *id, enum ock_tuning_form form,
                       struct ock_buf *out, struct ock_problem *problem);

/* The model's bytes: appended when they are small, else the file is opened (owned by the caller). */
struct ock_model {
    int fd; /* -1: the bytes are in `bytes` */
    struct ock_buf bytes;
    uint64_t size;
    char which[8]; /* "best", "last": the one that there is, if it is not the one asked for */
    char sha256[65];
    char filename[128]; /* made safe: "digits-l2.safetensors" */
};
bool ock_engine_model(struct ock_engine *engine, const char *id, const char *which,
                      struct ock_model *out, struct ock_problem *problem);

/* Appends the document (protocol.h) of that name: "layers", …. 404: no such job, or it ended without
 * the document; 409 `not_ended`: it may come yet. */
bool ock_engine_document(struct ock_engine *engine, const char *id, const char *name,
                         struct ock_buf *out, struct ock_problem *problem);

/* --- Events ------------------------------------------------------------------------------------ */

/* Appends stored event objects with seq > after, one JSON object a line ('\n' behind each), until
 * `limit` events or bytes_max bytes. *last is the last seq appended (or `after`), *ended true when
 * "end" was among them or is at or before `after`. */
bool ock_engine_events(struct ock_engine *engine, const char *id, uint64_t after, size_t limit,
                       size_t bytes_max, struct ock_buf *out, uint64_t *last, bool *ended,
                       struct ock_problem *problem);

/* The events of all jobs in the store's own order: those numbered after < number <= until, "NUMBER
 * {…}\n" each, until bytes_max bytes. Of a job's epoch events only the last one in that range is
 * told. *last is the number up to which all has been told. */
bool ock_engine_all_events(struct ock_engine *engine, uint64_t after, uint64_t until,
                           size_t bytes_max, struct ock_buf *out, uint64_t *last,
                           struct ock_problem *problem);
/* The number of the last event: a job's seq, or for "" the store's own over all jobs. 0: none. */
bool ock_engine_last_event(struct ock_engine *engine, const char *id, uint64_t *out,
                           struct ock_problem *problem);

/* Wake-ups: `wake` is called (from an engine thread, must not block nor call the engine) whenever
 * job `id` (any job, if it is "") has new events, changed its state, or has a `progress` line.
 * Idempotent wake-ups may be merged. After ock_engine_unsubscribe has returned, wake is not called again. */
struct ock_subscription;
bool ock_engine_subscribe(struct ock_engine *engine, const char *id, void (*wake)(void *ctx),
                          void *ctx, struct ock_subscription **out, struct ock_problem *problem);
void ock_engine_unsubscribe(struct ock_subscription *subscription); /* NULL is a no-op */
/* Appends the job's newest `progress` object (a JSON text and '\n') if it is newer than *stamp; for
 * "" those of all jobs that are newer, the last few at most. False: none. */
bool ock_engine_progress(struct ock_engine *engine, const char *id, uint64_t *stamp,
                         struct ock_buf *out);

/* --- Service ----------------------------------------------------------------------------------- */

/* What does not work as it should, as a set. Any thread; does not wait for the disk. */
enum {
    OCK_DEGRADED_DISK = 1 << 0,  /* nearly full */
    OCK_DEGRADED_STORE = 1 << 1, /* damaged */
};
unsigned ock_engine_degraded(struct ock_engine *engine);
/* Appends ["disk", "store"], either of them, or []. */
void ock_engine_degraded_write(unsigned degraded, struct ock_buf *out);

/* {"version", "numerics", "cores", "memory_bytes", "jobs": {status: count}, "limits", "uptime_s", …} */
bool ock_engine_system(struct ock_engine *engine, struct ock_buf *out, struct ock_problem *problem);

/* What the engine measures, in Prometheus' text format: jobs finished, waiting times, epochs, rows,
 * and the budgets. (Jobs by status are in ock_engine_system.) */
void ock_engine_meters(struct ock_engine *engine, struct ock_buf *out);

/* Answers kept for Idempotency-Key, 24 h, across restarts. claim: 1 the key is ours until it is
 * released (ock_engine_submit stores its answer), 0 it has an answer (status, body appended), -1 a
 * problem (other body 422, in flight 409). */
int ock_engine_idempotency_claim(struct ock_engine *engine, const char *key,
                                 const char *body_sha256, int *status, struct ock_buf *body,
                                 char job_id[OCK_ID_SIZE], struct ock_problem *problem);
void ock_engine_idempotency_release(struct ock_engine *engine, const char *key);

#endif
