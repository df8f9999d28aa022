/* What a search remembers on the disk: the learning rate, the ends that were found, and the figures of
 * the runs that are done. Runs at work have checkpoints of their own beside it, "<path>.<trial>.<cut>";
 * what neither tells is done again, to the same bits. */
#ifndef OCK_TRAIN_TUNE_STATE_H
#define OCK_TRAIN_TUNE_STATE_H

#include <stdbool.h>

#include "core/base/status.h"
#include "core/train/tune_path.h"
#include "core/train/tune_table.h"

/* Whose state it is; another search's is passed over. */
struct ock_tune_name {
    char spec_hash[OCK_SHA256_TEXT_SIZE];
    char data_sha256[OCK_SHA256_TEXT_SIZE];
    char numerics[16];
};

/* Kept in front of the folds, written as it is. */
struct ock_tune_found {
    double lr;
    double l1_min, l1_max; /* of an axis whose ends are auto; 0: not found */
    uint32_t stopped;      /* somebody ended the search: what is pending stays so */
    uint32_t path_done;
    uint32_t rung; /* the next one of a halving */
};

/* Errors: IO, NOSPACE, NOMEM, LIMIT. */
enum ock_status ock_tune_state_write(const char *path, const struct ock_tune_name *name,
                                     const struct ock_tune_found *found,
                                     const struct ock_tune_table *table,
                                     const struct ock_tune_path *coefficients, struct ock_err *err);

/* What was found, before there is a table. false: there is no sound state of this search. Then the
 * folds and the path, into a table and a path of the same sizes. */
bool ock_tune_state_read_found(const char *path, const struct ock_tune_name *name,
                               struct ock_tune_found *found);
bool ock_tune_state_read(const char *path, const struct ock_tune_name *name,
                         struct ock_tune_table *table, struct ock_tune_path *coefficients);

/* The name of the file for a path of a checkpoint, and of a run's own checkpoint. false: too long. */
bool ock_tune_state_path(char out[4096], const char *checkpoint_path);
bool ock_tune_run_path(char out[4096], const char *checkpoint_path, size_t trial, size_t cut);

#endif
