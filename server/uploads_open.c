/* The uploads' beginning and end: what an earlier server promised goes on, what nobody needs goes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "server/ids.h"
#include "server/log.h"
#include "server/uploads_private.h"

static void resume_import(void *ctx, const char *id, const char *name)
{
    struct ock_uploads *uploads = ctx;
    struct ock_import_order order = {.promised = true};
    struct ock_import_task *task = NULL;
    struct ock_err err = {0};
    struct ock_db *db = ock_store_read(uploads->engine->store, &err);
    enum ock_status status = db ? ock_store_find_dataset(db, id, &order.row, &err) : OCK_IO;
    if (db)
        ock_store_read_end(uploads->engine->store, db);
    if (status == OCK_OK)
        status = ock_import_reserve(&task, uploads, name, &err);
    if (status == OCK_OK)
        status = ock_import_start(task, &order, &err);
    if (status == OCK_OK)
        ock_import_release(task);
    else
        ock_log(OCK_LOG_ERROR, "an import cannot go on: %s", err.text);
}

/* A spool directory whose dataset does not need it any more. */
static void sweep_upload(void *ctx, const char *id)
{
    struct ock_uploads *uploads = ctx;
    struct ock_dataset_row row = {0};
    struct ock_err err = {0};
    char path[OCK_PATH_SIZE];
    struct ock_db *db = ock_store_read(uploads->engine->store, &err);
    enum ock_status status = db ? ock_store_find_dataset(db, id, &row, &err) : OCK_IO;
    if (db)
        ock_store_read_end(uploads->engine->store, db);
    bool needed = status == OCK_OK &&
                  (strcmp(row.status, "incomplete") == 0 || strcmp(row.status, "preparing") == 0);
    if (needed || (status != OCK_OK && status != OCK_NOTFOUND))
        return;
    ock_upload_path(uploads->engine, path, id, "");
    ock_remove_directory(path, false);
}

/* A dataset file without a row: the server ended between the two. */
static void sweep_dataset(void *ctx, const char *entry)
{
    struct ock_uploads *uploads = ctx;
    struct ock_dataset_row row;
    struct ock_err err = {0};
    char id[OCK_ID_SIZE], path[OCK_PATH_SIZE];
    (void)snprintf(id, sizeof(id), "%.*s", (int)strcspn(entry, "."), entry);
    if (!ock_id_valid(id, "ds_"))
        return;
    struct ock_db *db = ock_store_read(uploads->engine->store, &err);
    if (!db)
        return;
    bool is_orphan = ock_store_find_dataset(db, id, &row, &err) == OCK_NOTFOUND;
    ock_store_read_end(uploads->engine->store, db);
    (void)snprintf(path, sizeof(path), "%s/datasets/%s", uploads->engine->data_dir, entry);
    if (is_orphan)
        (void)unlink(path);
}

enum ock_status ock_uploads_new(struct ock_uploads **out, struct ock_engine *engine,
                                struct ock_err *err)
{
    struct ock_uploads *uploads = calloc(1, sizeof(*uploads));
    if (!uploads)
        return ock_fail(err, OCK_NOMEM, "no memory for the uploads");
    uploads->engine = engine;
    (void)pthread_mutex_init(&uploads->mutex, NULL);
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&uploads->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    ock_each_entry(engine, "uploads", sweep_upload, uploads);
    ock_each_entry(engine, "datasets", sweep_dataset, uploads);
    *out = uploads;
    return OCK_OK;
}

enum ock_status ock_uploads_resume(struct ock_uploads *uploads, struct ock_err *err)
{
    struct ock_store *store = uploads->engine->store;
    struct ock_db *db = ock_store_read(store, err);
    enum ock_status status =
        db ? ock_store_each_dataset(db, "preparing", resume_import, uploads, err) : OCK_IO;
    if (db)
        ock_store_read_end(store, db);
    return status;
}

void ock_uploads_stop(struct ock_uploads *uploads)
{
    if (!uploads)
        return;
    (void)pthread_mutex_lock(&uploads->mutex);
    uploads->stopping = true;
    (void)pthread_cond_broadcast(&uploads->changed);
    while (uploads->threads > 0)
        (void)pthread_cond_wait(&uploads->changed, &uploads->mutex);
    (void)pthread_mutex_unlock(&uploads->mutex);
}

void ock_uploads_free(struct ock_uploads *uploads)
{
    if (!uploads)
        return;
    (void)pthread_cond_destroy(&uploads->changed);
    (void)pthread_mutex_destroy(&uploads->mutex);
    free(uploads);
}
