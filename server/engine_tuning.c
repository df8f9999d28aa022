/* A tuning job's table, in the three forms that readers ask for. */
#include <string.h>

#include "core/base/limits.h"
#include "server/tuning.h"
#include "server/tuning_table.h"

#include "server/engine_private.h"

static enum ock_status write_form(const struct ock_buf *table, const char *label,
                                  enum ock_tuning_form form, struct ock_buf *out,
                                  struct ock_err *err)
{
    struct ock_tuning tuning = {0};
    if (form == OCK_TUNING_JSON) {
        ock_buf_add(out, table->data, table->size);
        return ock_buf_status(out, err);
    }
    enum ock_status status = ock_tuning_parse(&tuning, table->data, table->size, err);
    if (status == OCK_OK && form == OCK_TUNING_CSV) {
        ock_tuning_csv(&tuning, out);
        status = ock_buf_status(out, err);
    } else if (status == OCK_OK) {
        status = ock_tuning_svg(&tuning, label, out, err);
    }
    ock_tuning_deinit(&tuning);
    return status;
}

static void set_problem(const struct ock_err *err, struct ock_problem *problem)
{
    struct ock_err damaged = *err;
    if (err->status == OCK_UNSUPPORTED) {
        ock_problem_set(problem, 404, "not_tuning", "The job searches no strength",
                        "its spec has no tune section: there is no table");
        return;
    }
    if (err->status == OCK_INVALID) /* the table is ours, not the reader's */
        damaged.status = OCK_CORRUPT;
    ock_problem_from_err(problem, &damaged);
}

bool ock_engine_tuning(struct ock_engine *engine, const char *id, enum ock_tuning_form form,
                       struct ock_buf *out, struct ock_problem *problem)
{
    struct ock_err err = {0};
    struct ock_buf table, label;
    size_t begin = out->size;
    ock_buf_init(&table, OCK_JSON_BYTES_MAX);
    ock_buf_init(&label, OCK_KIB);
    struct ock_db *db = ock_store_read(engine->store, &err);
    enum ock_status status = db ? ock_tuning_table(db, id, &table, &label, &err) : err.status;
    if (db)
        ock_store_read_end(engine->store, db);
    if (status == OCK_OK)
        status = write_form(&table, label.data, form, out, &err);
    ock_buf_deinit(&table);
    ock_buf_deinit(&label);
    if (status == OCK_OK)
        return true;
    ock_answer_undo(out, begin);
    set_problem(&err, problem);
    return false;
}
