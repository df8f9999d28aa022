/* Uploads: spooled to the disk as they come, imported by a worker process, stored as a dataset. */
#ifndef OCK_SERVER_UPLOADS_H
#define OCK_SERVER_UPLOADS_H

#include "server/engine_private.h"
#include "server/store_datasets.h"

/* Also removes what an earlier server left that nobody needs. */
enum ock_status ock_uploads_new(struct ock_uploads **out, struct ock_engine *engine,
                                struct ock_err *err);
/* Takes up again the imports that an earlier server had promised (202). The engine's runner is
 * there: it hears of their ends. */
enum ock_status ock_uploads_resume(struct ock_uploads *uploads, struct ock_err *err);
void ock_uploads_stop(
    struct ock_uploads *uploads); /* ends the imports; what was promised is kept */
void ock_uploads_free(struct ock_uploads *uploads); /* NULL is a no-op */

/* An import in the making: one thread, one worker process. Reference-counted: the thread and who
 * waits. */
struct ock_import_task;
struct ock_import_answer {
    bool ok;
    enum ock_status status; /* when not ok */
    char text[OCK_ERR_TEXT_SIZE];
};
/* Reserves the name: whoever holds it decides alone what the name's dataset becomes. Until
 * ock_import_start takes it, it goes back by ock_import_cancel. Errors: CONFLICT (an import of that
 * name is under way), NOMEM. */
enum ock_status ock_import_reserve(struct ock_import_task **out, struct ock_uploads *uploads,
                                   const char *name, struct ock_err *err);
void ock_import_cancel(struct ock_import_task *task); /* NULL is a no-op */

/* An import of the dataset in row, whose files stand in uploads/ROW.id: "source", or "x" and "y"
 * for an array pair. */
struct ock_import_order {
    struct ock_dataset_row row;
    bool replace, promised;
    unsigned promise_ms; /* when it is promised, if it is not yet */
    const char *undo;    /* static: the file to remove if it fails unpromised; NULL: all */
};
/* Starts it. The task is the import's then, and the caller's until ock_import_release; on error it
 * is gone. Errors: IO. */
enum ock_status ock_import_start(struct ock_import_task *task, const struct ock_import_order *order,
                                 struct ock_err *err);
/* Waits until it is over (true) or has been promised: its row is stored as "preparing" (false). */
bool ock_import_wait(struct ock_import_task *task, struct ock_import_answer *answer);
void ock_import_release(struct ock_import_task *task);

/* uploads/ID[/name] */
void ock_upload_path(const struct ock_engine *engine, char path[OCK_PATH_SIZE], const char *id,
                     const char *name);
/* Syncs the files of an upload and their directories. Errors: IO, NOSPACE. */
enum ock_status ock_upload_sync(const struct ock_engine *engine, const char *id,
                                struct ock_err *err);

#define OCK_PAIR_OPTIONS "{\"part\":\"pair\"}"

#endif
