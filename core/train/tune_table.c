/* Trials, their figures, and the choice between them. */
#include "core/train/tune_table.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/train/tune_plan.h"

/* --- Making ------------------------------------------------------------------------------------ */

/* The grid, l1 outermost, each axis from its strongest value on. */
static void fill_grid(struct ock_tune_table *table, double *values, const double fixed[OCK_AXES])
{
    const struct ock_axis_spec *axes = table->spec.axes;
    size_t repeat = table->count;
    for (size_t a = 0; a < OCK_AXES; a++) {
        size_t count = axes[a].given ? axes[a].count : 1;
        if (axes[a].given)
            ock_axis_values(&axes[a], values);
        repeat /= count;
        for (size_t t = 0; t < table->count; t++)
            table->trials[t].values[a] = axes[a].given ? values[t / repeat % count] : fixed[a];
    }
}

enum ock_status ock_tune_table_init(struct ock_tune_table *out, const struct ock_tune_spec *spec,
                                    const double fixed[OCK_AXES], struct ock_err *err)
{
    struct ock_tune_table table = {.spec = *spec,
                                   .count = ock_tune_trials(spec),
                                   .fold_count = spec->folds > 0 ? spec->folds : 1};
    assert(table.count > 0 && table.count <= OCK_TRIALS_MAX);
    double *values = calloc(table.count, sizeof(*values));
    table.trials = calloc(table.count, sizeof(*table.trials));
    table.folds = calloc(table.count * table.fold_count, sizeof(*table.folds));
    if (!values || !table.trials || !table.folds) {
        free(values);
        ock_tune_table_deinit(&table);
        return ock_fail(err, OCK_NOMEM, "out of memory for the trials of a search");
    }
    for (size_t t = 0; t < table.count; t++)
        table.trials[t].folds = &table.folds[t * table.fold_count];
    fill_grid(&table, values, fixed);
    free(values);
    *out = table;
    return OCK_OK;
}

void ock_tune_table_deinit(struct ock_tune_table *table)
{
    free(table->trials);
    free(table->folds);
    table->trials = NULL;
    table->folds = NULL;
}

/* --- Judging ----------------------------------------------------------------------------------- */

bool ock_trial_is_done(const struct ock_tune_table *table, size_t trial)
{
    for (size_t f = 0; f < table->fold_count; f++) {
        if (table->trials[trial].folds[f].status == OCK_FOLD_PENDING)
            return false;
    }
    return true;
}

bool ock_trial_is_eligible(const struct ock_tune_table *table, size_t trial)
{
    for (size_t f = 0; f < table->fold_count; f++) {
        const struct ock_fold *fold = &table->trials[trial].folds[f];
        if (fold->status != OCK_FOLD_DONE || !isfinite(fold->data_loss))
            return false;
    }
    return true;
}

void ock_trial_settle(struct ock_tune_table *table, size_t trial)
{
    struct ock_trial *out = &table->trials[trial];
    double K = (double)table->fold_count;
    double loss = 0, score = 0, train = 0, zeros = 0, norm = 0, squares = 0;
    for (size_t f = 0; f < table->fold_count; f++) {
        const struct ock_fold *fold = &out->folds[f];
        loss += fold->data_loss;
        score += fold->score;
        train += fold->train_data_loss;
        zeros += (double)fold->zeros;
        norm += fold->l2_norm;
    }
    out->mean_data_loss = loss / K;
    out->mean_score = score / K;
    out->train_data_loss = train / K;
    out->zeros = zeros / K;
    out->l2_norm = norm / K;
    for (size_t f = 0; f < table->fold_count; f++) {
        double away = out->folds[f].data_loss - out->mean_data_loss;
        squares += away * away;
    }
    out->standard_error = K > 1 ? sqrt(squares / (K - 1) / K) : (double)NAN;
}

struct ock_table_best ock_tune_table_best(const struct ock_tune_table *table)
{
    struct ock_table_best best = {SIZE_MAX, SIZE_MAX, SIZE_MAX};
    for (size_t t = 0; t < table->count; t++) {
        if (ock_trial_is_eligible(table, t) &&
            (best.min == SIZE_MAX ||
             table->trials[t].mean_data_loss < table->trials[best.min].mean_data_loss))
            best.min = t;
    }
    if (best.min == SIZE_MAX)
        return best;
    const struct ock_trial *least = &table->trials[best.min];
    for (size_t t = table->fold_count > 1 ? 0 : table->count;
         t < table->count && best.one_se == SIZE_MAX; t++) {
        if (ock_trial_is_eligible(table, t) &&
            table->trials[t].mean_data_loss <= least->mean_data_loss + least->standard_error)
            best.one_se = t;
    }
    best.chosen = table->spec.rule == OCK_RULE_1SE ? best.one_se : best.min;
    return best;
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

uint32_t ock_tune_table_epochs(const struct ock_tune_table *table, size_t trial)
{
    uint32_t epochs[OCK_FOLDS_MAX];
    size_t count = table->fold_count;
    for (size_t f = 0; f < count; f++)
        epochs[f] = table->trials[trial].folds[f].best_epoch;
    qsort(epochs, count, sizeof(*epochs), by_size);
    uint32_t low = epochs[(count - 1) / 2], high = epochs[count / 2];
    uint32_t median = low + (high - low + 1) / 2;
    return median > 0 ? median : 1;
}

/* --- Writing ----------------------------------------------------------------------------------- */

/* The trial's word: failed before ended before succeeded. */
static const char *status_of(const struct ock_tune_table *table, size_t trial)
{
    const char *word = "succeeded";
    for (size_t f = 0; f < table->fold_count; f++) {
        enum ock_fold_status status = table->trials[trial].folds[f].status;
        if (status == OCK_FOLD_FAILED)
            return "failed";
        if (status == OCK_FOLD_ENDED || status == OCK_FOLD_PENDING)
            word = "ended";
    }
    return word;
}

static void write_strength(struct ock_jsonw *w, const struct ock_tune_table *table, size_t trial)
{
    for (size_t a = 0; a < OCK_AXES; a++) {
        if (a <= OCK_AXIS_L2 || table->spec.axes[a].given)
            ock_jsonw_double(w, ock_axis_label((enum ock_axis_name)a),
                             table->trials[trial].values[a]);
    }
}

static void write_folds(struct ock_jsonw *w, const struct ock_tune_table *table,
                        const struct ock_trial *trial)
{
    ock_jsonw_array(w, "folds");
    for (size_t f = 0; f < table->fold_count; f++)
        ock_jsonw_double(w, NULL,
                         trial->folds[f].status == OCK_FOLD_DONE ||
                                 trial->folds[f].status == OCK_FOLD_ENDED
                             ? trial->folds[f].data_loss
                             : (double)NAN);
    ock_jsonw_end_array(w);
    if (table->early_stopping) {
        ock_jsonw_array(w, "best_epochs");
        for (size_t f = 0; f < table->fold_count; f++)
            ock_jsonw_uint(w, NULL, trial->folds[f].best_epoch);
        ock_jsonw_end_array(w);
    }
}

static void write_hashes(struct ock_jsonw *w, const struct ock_tune_table *table,
                         const struct ock_trial *trial)
{
    ock_jsonw_array(w, "weights_sha256");
    for (size_t f = 0; f < table->fold_count; f++)
        ock_jsonw_string(w, NULL,
                         trial->folds[f].weights_sha256[0] ? trial->folds[f].weights_sha256 : NULL);
    ock_jsonw_end_array(w);
}

static uint32_t epochs_of(const struct ock_tune_table *table, const struct ock_trial *trial)
{
    uint32_t most = 0;
    for (size_t f = 0; f < table->fold_count; f++)
        most = trial->folds[f].epochs > most ? trial->folds[f].epochs : most;
    return most;
}

static void write_error(struct ock_jsonw *w, const struct ock_tune_table *table,
                        const struct ock_trial *trial)
{
    for (size_t f = 0; f < table->fold_count; f++) {
        if (trial->folds[f].status == OCK_FOLD_FAILED) {
            ock_jsonw_string(w, "error", trial->folds[f].error);
            return;
        }
    }
}

void ock_trial_write(struct ock_jsonw *w, const struct ock_tune_table *table, size_t trial,
                     bool hashes)
{
    const struct ock_trial *row = &table->trials[trial];
    const char *status = status_of(table, trial);
    bool failed = strcmp(status, "failed") == 0;
    double nothing = (double)NAN;
    ock_jsonw_object(w, NULL);
    ock_jsonw_uint(w, "trial", trial + 1);
    ock_jsonw_uint(w, "trials", table->count);
    write_strength(w, table, trial);
    ock_jsonw_double(w, "mean_data_loss", failed ? nothing : row->mean_data_loss);
    ock_jsonw_double(w, "standard_error", failed ? nothing : row->standard_error);
    ock_jsonw_double(w, table->classes ? "mean_accuracy" : "mean_rmse",
                     failed ? nothing : row->mean_score);
    ock_jsonw_double(w, "train_data_loss", failed ? nothing : row->train_data_loss);
    ock_jsonw_double(w, "zeros", failed ? nothing : row->zeros);
    ock_jsonw_uint(w, "count", table->weight_count);
    ock_jsonw_double(w, "l2_norm", failed ? nothing : row->l2_norm);
    write_folds(w, table, row);
    if (hashes)
        write_hashes(w, table, row);
    ock_jsonw_uint(w, "epochs", epochs_of(table, row));
    ock_jsonw_string(w, "status", status);
    write_error(w, table, row);
    ock_jsonw_end_object(w);
}

static void write_place(struct ock_jsonw *w, const char *key, const struct ock_tune_table *table,
                        size_t trial)
{
    if (trial == SIZE_MAX) {
        ock_jsonw_null(w, key);
        return;
    }
    ock_jsonw_object(w, key);
    ock_jsonw_uint(w, "trial", trial + 1);
    write_strength(w, table, trial);
    ock_jsonw_end_object(w);
}

void ock_table_best_write(struct ock_jsonw *w, const struct ock_tune_table *table,
                          const struct ock_table_best *best)
{
    write_place(w, "chosen", table, best->chosen);
    write_place(w, "min", table, best->min);
    write_place(w, "one_se", table, best->one_se);
}
