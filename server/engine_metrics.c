/* A job's curves: as columns of numbers, and as a picture. */
#include "server/chart.h"
#include "server/metrics_table.h"

#include "server/engine_private.h"

bool ock_engine_metrics(struct ock_engine *engine, const char *id, const char *names,
                        size_t max_points, bool csv, struct ock_buf *out,
                        struct ock_problem *problem)
{
    struct ock_err err = {0};
    struct ock_metrics *metrics = NULL;
    size_t begin = out->size, points = max_points > 0 ? max_points : (size_t)OCK_METRICS_POINTS;
    struct ock_db *db = ock_store_read(engine->store, &err);
    enum ock_status status =
        db ? ock_metrics_read(&metrics, db, id, names, points, &err) : err.status;
    if (db)
        ock_store_read_end(engine->store, db);
    if (status == OCK_OK) {
        if (csv)
            ock_metrics_csv(metrics, out);
        else
            ock_metrics_json(metrics, out);
        status = ock_buf_status(out, &err);
    }
    ock_metrics_free(metrics);
    if (status == OCK_OK)
        return true;
    ock_answer_undo(out, begin);
    ock_problem_from_err(problem, &err);
    return false;
}

bool ock_engine_chart(struct ock_engine *engine, const char *id, size_t max_points,
                      struct ock_buf *out, struct ock_problem *problem)
{
    struct ock_err err = {0};
    size_t begin = out->size;
    struct ock_db *db = ock_store_read(engine->store, &err);
    enum ock_status status = db ? ock_chart_read(db, id, max_points, out, &err) : err.status;
    if (db)
        ock_store_read_end(engine->store, db);
    if (status == OCK_OK)
        return true;
    ock_answer_undo(out, begin);
    ock_problem_from_err(problem, &err);
    return false;
}
