/* A consistent copy of a data directory, made while a server uses it.
 *
 * The order makes it consistent: first the files of jobs that have not ended (a checkpoint that is
 * older than the store's snapshot makes the restored job train some epochs again, which are compared
 * with what it told; a newer one would make it pass over epochs that the snapshot does not have),
 * then the store in one snapshot, then the files that the snapshot names and that never change. What
 * ended or was deleted in between takes its files along; its rows are then brought up to date from
 * the live store, so that the copy asks for no file that nobody has.
 *
 * The live store is only read. It is neither written nor checkpointed, not even when its server
 * ends meanwhile (two connections that write and checkpoint could damage it). */
#ifndef OCK_SERVER_BACKUP_H
#define OCK_SERVER_BACKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

struct ock_backup_report {
    uint64_t jobs, datasets;
    uint64_t bytes;  /* of all files of the copy */
    uint64_t faulty; /* files that the directory itself lacks or that are damaged in it */
    double seconds;
};

/* Copies data_dir to dest, which must not exist; it appears when it is whole, checked and synced.
 * stopped (may be NULL) is asked now and then: true ends it.
 * Errors: INVALID (no data directory), CONFLICT (dest exists), UNSUPPORTED (a store of another
 * version), CORRUPT, STOPPED, NOSPACE, IO, NOMEM. Nothing of it stays after an error. */
enum ock_status ock_backup_run(const char *data_dir, const char *dest, bool (*stopped)(void),
                               struct ock_backup_report *report, struct ock_err *err);

#endif
