/* How far a job is, as its row tells it. */
#ifndef OCK_SERVER_STORE_PROGRESS_H
#define OCK_SERVER_STORE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/jsonw.h"

struct ock_job_progress {
    bool succeeded;
    int64_t epoch, epochs;
    double eta_s;        /* NaN: not known */
    const char *tune;    /* borrowed: the spec's section as JSON; NULL: nothing is searched */
    int64_t trials_told; /* stored `trial` events */
};

/* "progress": {"fraction", "epoch", "epochs", "eta_s"} and, of a search, "trials": {"done", "total"}.
 * fraction = (runs of the trials told + epoch / epochs) / runs, the refit being one run; by hand in
 * test_store_progress.c. */
void ock_job_progress_write(struct ock_jsonw *w, const struct ock_job_progress *progress);

#endif
