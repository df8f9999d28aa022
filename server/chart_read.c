/* A job's chart out of the store: its row says what it is, its metrics are the curves. */
#include <math.h>
#include <stdlib.h>

#include "server/chart.h"
#include "server/metrics_table.h"
#include "server/store_jobs.h"

static double number_of(sqlite3_stmt *row, int column)
{
    return sqlite3_column_type(row, column) == SQLITE_NULL ? (double)NAN
                                                           : sqlite3_column_double(row, column);
}

/* NULL where no number is finite: then there is no such curve. */
static const double *curve(const struct ock_metrics *metrics, const char *name)
{
    const double *values = ock_metrics_column(metrics, name);
    for (size_t i = 0; values && i < ock_metrics_rows(metrics); i++)
        if (isfinite(values[i]))
            return values;
    return NULL;
}

/* Both penalties as one curve, the caller's (free). NULL in *out: the job has none. */
static enum ock_status sum_penalties(const struct ock_metrics *metrics, double **out,
                                     struct ock_err *err)
{
    const double *l1 = curve(metrics, "penalty.l1"), *l2 = curve(metrics, "penalty.l2");
    size_t rows = ock_metrics_rows(metrics);
    bool any = false;
    *out = NULL;
    if (!l1 || !l2)
        return OCK_OK;
    double *sums = malloc(rows * sizeof(*sums));
    if (!sums)
        return ock_fail(err, OCK_NOMEM, "no memory for a picture");
    for (size_t i = 0; i < rows; i++) {
        sums[i] = l1[i] + l2[i];
        any |= sums[i] > 0;
    }
    if (any)
        *out = sums;
    else
        free(sums);
    return OCK_OK;
}

static enum ock_status draw(struct ock_chart *chart, const struct ock_metrics *metrics,
                            struct ock_buf *out, struct ock_err *err)
{
    double *penalties = NULL;
    enum ock_status status = sum_penalties(metrics, &penalties, err);
    if (status != OCK_OK)
        return status;
    chart->count = ock_metrics_rows(metrics);
    chart->epoch = ock_metrics_column(metrics, "epoch");
    chart->numbers = !curve(metrics, "train.accuracy");
    chart->lines[OCK_CHART_TRAIN_LOSS] = curve(metrics, "train.data_loss");
    chart->lines[OCK_CHART_VALID_LOSS] = curve(metrics, "validation.data_loss");
    chart->lines[OCK_CHART_TRAIN_SCORE] =
        curve(metrics, chart->numbers ? "train.rmse" : "train.accuracy");
    chart->lines[OCK_CHART_VALID_SCORE] =
        curve(metrics, chart->numbers ? "validation.rmse" : "validation.accuracy");
    chart->lines[OCK_CHART_PENALTY] = penalties;
    chart->lines[OCK_CHART_LR] = curve(metrics, "lr");
    if (chart->epoch)
        status = ock_chart_svg(chart, out, err);
    else
        status = ock_fail(err, OCK_NOMEM, "no memory for a picture");
    free(penalties);
    return status;
}

/* A text of the row, which lives until it is reset; NULL: none, or *failed, no memory for it. */
static const char *text_of(sqlite3_stmt *row, int column, bool *failed)
{
    if (sqlite3_column_type(row, column) == SQLITE_NULL)
        return NULL;
    const char *text = ock_db_text(row, column);
    *failed = *failed || !text;
    return text;
}

static struct ock_chart chart_of(sqlite3_stmt *row, const char *id, bool *failed)
{
    enum ock_job_status status = (enum ock_job_status)sqlite3_column_int(row, 1);
    return (struct ock_chart){
        .id = id,
        .name = text_of(row, 0, failed),
        .status = ock_job_status_name(status),
        .ended = status >= OCK_JOB_SUCCEEDED,
        .reason = text_of(row, 2, failed),
        .epochs = number_of(row, 3),
        .best = number_of(row, 4),
        .metric = text_of(row, 5, failed),
        .best_value = number_of(row, 6),
        .search = sqlite3_column_int(row, 7) != 0,
    };
}

enum ock_status ock_chart_read(struct ock_db *db, const char *id, size_t points,
                               struct ock_buf *out, struct ock_err *err)
{
    static const char names[] = "train.data_loss,validation.data_loss,train.accuracy,"
                                "validation.accuracy,train.rmse,validation.rmse,penalty.l1,"
                                "penalty.l2,lr";
    struct ock_metrics *metrics = NULL;
    enum ock_status status = ock_metrics_read(&metrics, db, id, names, points, err);
    if (status != OCK_OK)
        return status;
    sqlite3_stmt *row = ock_db_prepare(
        db,
        "SELECT coalesce(j.name, j.id), j.status, j.stop_reason, j.epochs,"
        " json_extract(j.best, '$.epoch'), json_extract(j.best, '$.metric'),"
        " json_extract(j.best, '$.value'),"
        " coalesce(json_extract(s.resolved, '$.tune'), json_extract(s.spec, '$.tune')) IS NOT NULL"
        " FROM jobs j JOIN specs s ON s.job = j.number WHERE j.id = ?",
        err);
    if (!row) {
        ock_metrics_free(metrics);
        return OCK_IO;
    }
    ock_db_bind_text(row, 1, id);
    int got = ock_db_next(db, row, err);
    if (got == 1) {
        bool failed = false;
        struct ock_chart chart = chart_of(row, id, &failed);
        status = failed ? ock_fail(err, OCK_NOMEM, "no memory for a picture")
                        : draw(&chart, metrics, out, err);
        ock_db_reset(row);
    } else {
        status = got < 0 ? OCK_IO : ock_fail(err, OCK_NOTFOUND, "there is no job %.40s", id);
    }
    ock_metrics_free(metrics);
    return status;
}
