/* How far a job is. A search is counted by its trials: each stands for as many runs as it has folds.
 * What is stored alone counts, so that a job's fraction never falls, whatever dies. */
#include "server/store_progress.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"

struct search {
    double trials, folds;
    bool refit;
};

/* How many strengths an axis has. */
static double strengths_of(const cJSON *axis)
{
    const cJSON *count = ock_json_get(axis, "count");
    if (cJSON_IsArray(axis))
        return cJSON_GetArraySize(axis);
    return cJSON_IsNumber(count) ? count->valuedouble : 1;
}

/* false: out of memory. */
static bool read_search(struct search *out, const char *tune)
{
    static const char *const axes[] = {"l1", "l2", "weight_decay", "dropout"};
    struct ock_faults *faults = calloc(1, sizeof(*faults));
    cJSON *json = NULL;
    if (faults)
        (void)ock_json_parse(&json, tune, strlen(tune), faults, NULL);
    free(faults);
    if (!json)
        return false;
    const cJSON *folds = ock_json_get(json, "folds");
    *out = (struct search){.trials = 1, .folds = 1};
    for (size_t i = 0; i < sizeof(axes) / sizeof(axes[0]); i++)
        out->trials *= strengths_of(ock_json_get(json, axes[i]));
    if (cJSON_IsNumber(folds) && folds->valuedouble > 0)
        out->folds = folds->valuedouble;
    out->refit = !cJSON_IsFalse(ock_json_get(json, "refit"));
    cJSON_Delete(json);
    return true;
}

static double share(double part, double whole)
{
    return part < whole ? part / whole : whole > 0;
}

/* An epoch is the refit's: then the search is over, whether all trials were told or it was stopped. */
static double fraction_of(const struct ock_job_progress *progress, const struct search *search)
{
    double trained = share((double)progress->epoch, (double)progress->epochs);
    if (progress->succeeded)
        return 1;
    if (!search)
        return trained;
    double runs = search->trials * search->folds;
    double told = share((double)progress->trials_told, search->trials);
    return (runs * (progress->epoch > 0 ? 1 : told) + trained) / (runs + search->refit);
}

void ock_job_progress_write(struct ock_jsonw *w, const struct ock_job_progress *progress)
{
    struct search search;
    bool searches = progress->tune && read_search(&search, progress->tune);
    ock_jsonw_object(w, "progress");
    ock_jsonw_double(w, "fraction", fraction_of(progress, searches ? &search : NULL));
    ock_jsonw_int(w, "epoch", progress->epoch);
    ock_jsonw_int(w, "epochs", progress->epochs);
    ock_jsonw_double(w, "eta_s", progress->eta_s);
    if (searches) {
        ock_jsonw_object(w, "trials");
        ock_jsonw_int(w, "done", progress->trials_told);
        ock_jsonw_double(w, "total", search.trials);
        ock_jsonw_end_object(w);
    }
    ock_jsonw_end_object(w);
}
