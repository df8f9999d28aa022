/* What the engine's files share. */
#ifndef OCK_SERVER_ENGINE_PRIVATE_H
#define OCK_SERVER_ENGINE_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "server/cgroups.h"
#include "server/engine.h"
#include "server/errands.h"
#include "server/hub.h"
#include "server/meters.h"
#include "server/store.h"

enum { OCK_PATH_SIZE = 4096 };

struct ock_runner;
struct ock_uploads;
struct ock_dataset_cache;
struct ock_keys;
struct ock_keeper;
struct ock_summaries;

/* Immutable after ock_engine_open, but for what is atomic; the parts have locks of their own. */
struct ock_engine {
    char data_dir[OCK_PATH_SIZE - 256]; /* absolute; leaves room for names below it */
    int lock_fd;
    int program_fd;
    unsigned cores;
    size_t memory_bytes;
    size_t queue_max;
    size_t upload_bytes_max;
    struct ock_keep keep;
    struct ock_cgroups cgroups;
    struct ock_meters meters;
    int64_t opened_ms;
    atomic_bool draining;
    atomic_bool disk_low;      /* the runner's last look at the disk */
    atomic_ullong predictions; /* names of their directories */
    atomic_int prunings;       /* of large models, under way */
    atomic_size_t waiting;     /* jobs in the queue, and those that are being sent */
    struct ock_store *store;
    struct ock_hub *hub;
    struct ock_errands *errands;
    struct ock_errands *large_errands; /* ends with large models: they take seconds */
    struct ock_runner *runner;
    struct ock_uploads *uploads;
    struct ock_dataset_cache *datasets;
    struct ock_summaries *summaries;
    struct ock_keys *keys;
    struct ock_keeper *keeper;
};

/* data_dir/jobs/ID[/name]; data_dir/datasets/ID.ockds. The ids are ours (ock_id_valid). */
void ock_job_path(const struct ock_engine *engine, char path[OCK_PATH_SIZE], const char *id,
                  const char *name);
void ock_dataset_path(const struct ock_engine *engine, char path[OCK_PATH_SIZE], const char *id);
/* Makes the job's directory if it is not there. Errors: IO, NOSPACE. */
enum ock_status ock_job_directory(const struct ock_engine *engine, const char *id,
                                  struct ock_err *err);
/* What follows from a job's deletion once it is committed: files go, readers are told. */
void ock_job_forget(struct ock_engine *engine, const char *id);
/* Removes a directory of plain files; keep_models leaves the job's models (and the directory, if
 * any is left). Nothing to remove is no error. */
void ock_remove_directory(const char *path, bool keep_models);
void ock_job_remove(const struct ock_engine *engine, const char *id); /* its directory, whole */
/* Removes what an ended job does not need any more: all but the models that the store names as
 * files. Where that cannot be found out, models stay. */
void ock_job_clean(const struct ock_engine *engine, const char *id);
/* Calls take for each entry of data_dir/NAME. A directory that cannot be read has none. */
void ock_each_entry(const struct ock_engine *engine, const char *name,
                    void (*take)(void *ctx, const char *entry), void *ctx);
/* Makes a directory's names (name "" is the data directory itself) survive a power cut. */
enum ock_status ock_sync_directory(const struct ock_engine *engine, const char *name,
                                   struct ock_err *err);
/* Takes back what was appended behind `begin` bytes, and its error: an answer that failed. */
void ock_answer_undo(struct ock_buf *out, size_t begin);

/* Cores that no job has now, 1 at least: the threads of an import or a prediction that begins. */
unsigned ock_engine_cores_free(const struct ock_engine *engine);

/* What a worker may allocate beside its job's plan: the program's own needs, its stacks' addresses. */
size_t ock_worker_overhead_bytes(uint32_t threads);
/* What a job takes of the memory budget: its plan and what a worker holds in memory anyway. */
size_t ock_job_memory_bytes(const struct ock_engine *engine, size_t plan_bytes, uint32_t threads,
                            uint32_t threads_useful);

#endif
