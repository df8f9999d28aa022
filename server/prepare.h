/* From a spec to everything that the engine must know before a job may wait: checked, resolved
 * against its data, planned. Nothing is stored here. */
#ifndef OCK_SERVER_PREPARE_H
#define OCK_SERVER_PREPARE_H

#include "core/train/plan.h"
#include "core/train/spec.h"
#include "server/engine_private.h"
#include "server/store_datasets.h"

enum ock_role { OCK_ROLE_TRAIN, OCK_ROLE_VALIDATION, OCK_ROLE_TEST, OCK_ROLE_COUNT };

struct ock_prepared {
    struct ock_engine *engine;
    char id[OCK_ID_SIZE]; /* the job's; its directory holds inline data and starting weights */
    struct ock_spec *spec;
    bool has_inline, has_init, has_directory;
    struct ock_dataset_row rows[OCK_ROLE_COUNT];        /* id "": none */
    const struct ock_dataset *datasets[OCK_ROLE_COUNT]; /* of the cache */
    struct ock_dataset *own;                            /* inline data */
    size_t row_counts[OCK_ROLE_COUNT];                  /* that train, validate and test */
    struct ock_plan *plan;
    struct ock_buf resolved, warnings; /* JSON */
};

/* spec is the request's JSON; faults that were found in it before stand in problem->faults. On
 * false, problem is set. Call ock_prepared_deinit in any case. */
bool ock_prepare(struct ock_prepared *prepared, struct ock_engine *engine, const cJSON *spec,
                 struct ock_problem *problem);
/* keep_directory: the job was stored and its directory is its own now. */
void ock_prepared_deinit(struct ock_prepared *prepared, bool keep_directory);

#endif
