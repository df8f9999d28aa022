/* Predictions: a job's model and a client's rows in a worker process that lives for one answer.
 *
 * Who calls bounds how many run at once (the pool of threads that they run on). What a prediction
 * needs stands in predictions/N of the data directory while it runs; none of it is synced, and what
 * a server's death left there goes with the next start. */
#ifndef OCK_SERVER_PREDICT_H
#define OCK_SERVER_PREDICT_H

#include "server/engine.h"

struct ock_predict_order {
    const char *job;
    const char *which; /* "best" or "last" */
    const void *rows;  /* the body */
    size_t size;
    bool json;             /* else a table */
    bool svmlight;         /* that one; else the table's format is found */
    const char *format;    /* of the answer: "json", "ndjson", "csv" */
    const char *delimiter; /* one character, "tab", or NULL: found */
    const char *missing;   /* words for missing values in a table, or NULL: the usual ones */
    const char *header;    /* "true", "false", or NULL: found */
};

/* The answer's file: owned by the caller, without a name already. */
struct ock_predicted {
    int fd;
    uint64_t size;
};

/* False with the problem: 404 no such job, 409 it has no model, 422 the rows or the model, 503 the
 * server ends, has no memory for it, or it took too long, 507. */
bool ock_engine_predict(struct ock_engine *engine, const struct ock_predict_order *order,
                        struct ock_predicted *out, struct ock_problem *problem);

/* Makes the directory and removes what stands in it. Errors: IO, NOSPACE. */
enum ock_status ock_predictions_prepare(const struct ock_engine *engine, struct ock_err *err);

#endif
