/* The steps of a backup, in their order. */
#ifndef OCK_SERVER_BACKUP_PRIVATE_H
#define OCK_SERVER_BACKUP_PRIVATE_H

#include <limits.h>

#include "server/backup.h"
#include "server/store_private.h"

enum { OCK_BACKUP_PATH = PATH_MAX - 256 }; /* room for names below it */

struct ock_backup {
    char from[OCK_BACKUP_PATH], to[OCK_BACKUP_PATH], dest[OCK_BACKUP_PATH]; /* to: until renamed */
    bool (*stopped)(void);
    struct ock_db *live;      /* read only */
    struct ock_db *copy;      /* after the snapshot */
    uint64_t absent, damaged; /* files; absent in the last round */
};

/* Opens the live store, makes the directory under its temporary name. */
enum ock_status ock_backup_begin(struct ock_backup *backup, const char *data_dir, const char *dest,
                                 struct ock_err *err);
/* Checkpoints, inline data and starting weights of all jobs that have some. */
enum ock_status ock_backup_take_checkpoints(struct ock_backup *backup, struct ock_err *err);
enum ock_status ock_backup_take_snapshot(struct ock_backup *backup, struct ock_err *err);
/* What the snapshot names; what is gone is brought up to date. */
enum ock_status ock_backup_take_files(struct ock_backup *backup, struct ock_err *err);
/* Checks, syncs, renames. */
enum ock_status ock_backup_finish(struct ock_backup *backup, struct ock_backup_report *report,
                                  struct ock_err *err);
/* Closes; removes what was not renamed. */
void ock_backup_end(struct ock_backup *backup);

/* A file and what it should be. */
struct ock_backup_file {
    const char *name;   /* below the directory */
    int64_t bytes;      /* -1: any number */
    const char *sha256; /* NULL: any */
};
/* backup_files.c: copies from/NAME to to/NAME unless it is there already; *found false: the source
 * is not there. One that is not what it should be is copied, told and counted. */
enum ock_status ock_backup_copy(struct ock_backup *backup, const struct ock_backup_file *file,
                                bool *found, struct ock_err *err);
enum ock_status ock_backup_directory(const struct ock_backup *backup, const char *name,
                                     struct ock_err *err);
/* Removes the copy's files of jobs that do not need them any more. */
void ock_backup_sweep(struct ock_backup *backup);
void ock_backup_remove(const char *path); /* a whole tree */
uint64_t ock_backup_tree_bytes(const char *path);

/* backup_rows.c: brings a job's or dataset's rows up to date with the live store; *changed false:
 * they were so already. */
enum ock_status ock_backup_refresh_job(struct ock_backup *backup, const char *id, bool *changed,
                                       struct ock_err *err);
enum ock_status ock_backup_refresh_dataset(struct ock_backup *backup, const char *id, bool *changed,
                                           struct ock_err *err);

#endif
