/* Datasets as readers see them, and their end. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/dataset_cache.h"
#include "server/engine_private.h"
#include "server/store_datasets.h"
#include "server/summaries.h"
#include "server/uploads.h"

static bool finish_read(struct ock_engine *engine, struct ock_db *db, enum ock_status status,
                        const struct ock_err *err, struct ock_buf *out, size_t begin,
                        struct ock_problem *problem)
{
    if (db)
        ock_store_read_end(engine->store, db);
    if (status == OCK_OK)
        return true;
    ock_answer_undo(out, begin);
    ock_problem_from_err(problem, err);
    return false;
}

bool ock_engine_datasets(struct ock_engine *engine, struct ock_buf *out,
                         struct ock_problem *problem)
{
    struct ock_err err = {0};
    size_t begin = out->size;
    struct ock_db *db = ock_store_read(engine->store, &err);
    enum ock_status status = db ? ock_store_datasets_json(db, out, &err) : err.status;
    return finish_read(engine, db, status, &err, out, begin, problem);
}

bool ock_engine_dataset(struct ock_engine *engine, const char *id_or_name, struct ock_buf *out,
                        struct ock_problem *problem)
{
    struct ock_err err = {0};
    size_t begin = out->size;
    struct ock_db *db = ock_store_read(engine->store, &err);
    enum ock_status status = db ? ock_store_dataset_json(db, id_or_name, out, &err) : err.status;
    return finish_read(engine, db, status, &err, out, begin, problem);
}

struct deletion {
    const char *id_or_name;
    struct ock_dataset_row row;
};

static enum ock_status apply_deletion(struct ock_db *db, void *ctx, struct ock_err *err)
{
    struct deletion *deletion = ctx;
    enum ock_status status = ock_store_find_dataset(db, deletion->id_or_name, &deletion->row, err);
    if (status != OCK_OK)
        return status;
    if (strcmp(deletion->row.status, "preparing") == 0)
        return ock_fail(err, OCK_CONFLICT, "the dataset is being prepared");
    return ock_store_delete_dataset(db, deletion->row.id, err);
}

/* Of half a pair the name is reserved meanwhile: the other half may be there, and its import under
 * way. *task is NULL where there is nothing to reserve. */
static enum ock_status reserve_half(struct ock_engine *engine, struct ock_dataset_row *row,
                                    const char *id_or_name, struct ock_import_task **task,
                                    struct ock_err *err)
{
    struct ock_db *db = ock_store_read(engine->store, err);
    enum ock_status status = db ? ock_store_find_dataset(db, id_or_name, row, err) : err->status;
    if (db)
        ock_store_read_end(engine->store, db);
    if (status != OCK_OK || strcmp(row->status, "incomplete") != 0)
        return status;
    status = ock_import_reserve(task, engine->uploads, row->name, err);
    if (status == OCK_CONFLICT)
        return ock_fail(err, OCK_CONFLICT, "the dataset is being prepared");
    return status;
}

bool ock_engine_dataset_delete(struct ock_engine *engine, const char *id_or_name,
                               struct ock_problem *problem)
{
    struct deletion deletion = {0};
    struct ock_dataset_row row = {0};
    struct ock_import_task *task = NULL;
    struct ock_err err = {0};
    char path[OCK_PATH_SIZE];
    enum ock_status status = reserve_half(engine, &row, id_or_name, &task, &err);
    deletion.id_or_name = row.id; /* the name may be another's in a moment */
    if (status == OCK_OK)
        status = ock_store_delete(engine->store, apply_deletion, &deletion, &err);
    if (status != OCK_OK) {
        ock_import_cancel(task);
        ock_problem_from_err(problem, &err);
        return false;
    }
    /* The row is gone for good; files that a crash leaves are swept at the next start. */
    ock_dataset_cache_forget(engine->datasets, row.id);
    ock_summaries_forget(engine->summaries, row.id);
    ock_dataset_path(engine, path, row.id);
    (void)unlink(path);
    ock_upload_path(engine, path, row.id, "");
    ock_remove_directory(path, false);
    ock_import_cancel(task);
    return true;
}
