/* From a spec to everything that the engine must know before a job may wait: checked, resolved
 * against its data, planned. Nothing is stored here. */
#ifndef OCK_SERVER_PREPARE_H
#define OCK_SERVER_PREPARE_H

#include "core/train/plan.h"
#include "core/train/spec.h"
#include "server/engine_private.h"
#include "server/scheduler.h"
#include "server/store_datasets.h"
#include "server/store_jobs.h"

enum ock_role { OCK_ROLE_TRAIN, OCK_ROLE_VALIDATION, OCK_ROLE_TEST, OCK_ROLE_COUNT };

struct ock_prepared {
    struct ock_engine *engine;
    char id[OCK_ID_SIZE]; /* the job's; its directory holds inline data and starting weights */
    struct ock_spec *spec;
    bool has_inline, has_init, has_directory;
    bool may_wait; /* a dataset may still be in preparation … */
    bool waits;    /* … and one is: nothing that depends on data is known, there is no plan */
    struct ock_dataset_row rows[OCK_ROLE_COUNT];        /* id "": none */
    const struct ock_dataset *datasets[OCK_ROLE_COUNT]; /* of the cache */
    struct ock_dataset *own;                            /* inline data */
    size_t row_counts[OCK_ROLE_COUNT];                  /* that train, validate and test */
    char rare_text[OCK_NAME_BYTES_MAX]; /* a text column that teaches nothing; "": none */
    struct ock_plan *plan;
    struct ock_buf resolved, warnings; /* JSON */
};

/* spec is the request's JSON; faults that were found in it before stand in problem->faults.
 * may_wait: a job may be sent while its datasets are being prepared. On false, problem is set. Call
 * ock_prepared_deinit in any case. */
bool ock_prepare(struct ock_prepared *prepared, struct ock_engine *engine, const cJSON *spec,
                 bool may_wait, struct ock_problem *problem);
/* keep_directory: the job was stored and its directory is its own now. */
void ock_prepared_deinit(struct ock_prepared *prepared, bool keep_directory);

enum ock_plan_outcome {
    OCK_PLAN_WAITS,  /* a dataset is still being prepared */
    OCK_PLAN_MADE,   /* the row is complete, *need has its sizes */
    OCK_PLAN_FAULTY, /* the spec does not go with its data, or a dataset failed, or a file of the
                        job's is damaged or gone: problem is set */
    OCK_PLAN_FAILED, /* the machine's fault (the log has it): try again */
};
/* Plans a stored job that was sent while a dataset of it was being prepared, and completes its row.
 * May wait for the disk. */
enum ock_plan_outcome ock_prepare_again(struct ock_engine *engine, const struct ock_job_row *row,
                                        struct ock_need *need, struct ock_problem *problem);

#endif
