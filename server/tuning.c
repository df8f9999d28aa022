/* The table's JSON as a value. Two passes over the trials: the first counts folds, so that all their
 * losses stand in one piece. */
#include "server/tuning.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"

const char *ock_strength_name(enum ock_strength what)
{
    static const char *const names[OCK_STRENGTH_COUNT] = {"l1", "l2", "weight_decay", "dropout"};
    return names[what];
}

/* A member that is a number, or null or absent: then NaN. */
static enum ock_status read_number(const cJSON *object, const char *key, size_t trial, double *out,
                                   struct ock_err *err)
{
    const cJSON *item = ock_json_get(object, key);
    if (item && !cJSON_IsNumber(item) && !cJSON_IsNull(item))
        return ock_fail(err, OCK_INVALID, "tuning table: trial %zu: %s is no number", trial + 1,
                        key);
    *out = cJSON_IsNumber(item) ? item->valuedouble : (double)NAN;
    return OCK_OK;
}

static enum ock_status read_size(const cJSON *object, const char *key, size_t *out,
                                 struct ock_err *err)
{
    const cJSON *item = ock_json_get(object, key);
    if (!item || cJSON_IsNull(item))
        return OCK_OK;
    if (!cJSON_IsNumber(item) || !ock_json_whole(item) || item->valuedouble < 0 ||
        item->valuedouble > OCK_TUNING_TRIALS_MAX)
        return ock_fail(err, OCK_INVALID, "tuning table: %s is no count", key);
    *out = (size_t)item->valuedouble;
    return OCK_OK;
}

static enum ock_status read_status(const cJSON *object, size_t trial, enum ock_trial_status *out,
                                   struct ock_err *err)
{
    static const char *const names[] = {
        [OCK_TRIAL_SUCCEEDED] = "succeeded",
        [OCK_TRIAL_FAILED] = "failed",
        [OCK_TRIAL_ENDED] = "ended",
    };
    const cJSON *item = ock_json_get(object, "status");
    for (size_t i = 0; cJSON_IsString(item) && i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(item->valuestring, names[i]) == 0) {
            *out = (enum ock_trial_status)i;
            return OCK_OK;
        }
    }
    return ock_fail(err, OCK_INVALID,
                    "tuning table: trial %zu: status is not succeeded, failed or ended", trial + 1);
}

static enum ock_status read_folds(const cJSON *object, size_t index, struct ock_tuning_trial *trial,
                                  double *losses, struct ock_err *err)
{
    const cJSON *item = NULL, *folds = ock_json_get(object, "folds");
    if (folds && !cJSON_IsArray(folds) && !cJSON_IsNull(folds))
        return ock_fail(err, OCK_INVALID, "tuning table: trial %zu: folds is no list", index + 1);
    trial->folds = losses;
    cJSON_ArrayForEach(item, folds)
    {
        if (!cJSON_IsNumber(item) && !cJSON_IsNull(item))
            return ock_fail(err, OCK_INVALID, "tuning table: trial %zu: folds has no numbers",
                            index + 1);
        losses[trial->fold_count++] = cJSON_IsNumber(item) ? item->valuedouble : (double)NAN;
    }
    return OCK_OK;
}

/* The figures of a succeeded or ended trial are needed; a failed one's are NaN. */
static enum ock_status check_trial(const struct ock_tuning_trial *trial, size_t index,
                                   struct ock_err *err)
{
    if (isnan(trial->strengths[OCK_STRENGTH_L1]) || isnan(trial->strengths[OCK_STRENGTH_L2]))
        return ock_fail(err, OCK_INVALID, "tuning table: trial %zu: l1 or l2 is missing",
                        index + 1);
    if (trial->status != OCK_TRIAL_FAILED && isnan(trial->mean_data_loss))
        return ock_fail(err, OCK_INVALID, "tuning table: trial %zu: mean_data_loss is missing",
                        index + 1);
    return OCK_OK;
}

static enum ock_status read_trial(const cJSON *object, size_t index, bool numbers,
                                  struct ock_tuning_trial *trial, double *losses,
                                  struct ock_err *err)
{
    const struct {
        const char *key;
        double *out;
    } figures[] = {
        {"l1", &trial->strengths[OCK_STRENGTH_L1]},
        {"l2", &trial->strengths[OCK_STRENGTH_L2]},
        {"weight_decay", &trial->strengths[OCK_STRENGTH_WEIGHT_DECAY]},
        {"dropout", &trial->strengths[OCK_STRENGTH_DROPOUT]},
        {"mean_data_loss", &trial->mean_data_loss},
        {"standard_error", &trial->standard_error},
        {numbers ? "mean_rmse" : "mean_accuracy", &trial->score},
        {"train_data_loss", &trial->train_data_loss},
        {"zeros", &trial->zeros},
        {"count", &trial->count},
        {"l2_norm", &trial->l2_norm},
    };
    if (!cJSON_IsObject(object))
        return ock_fail(err, OCK_INVALID, "tuning table: trial %zu is no object", index + 1);
    trial->number = index + 1;
    enum ock_status status = read_size(object, "trial", &trial->number, err);
    if (status == OCK_OK)
        status = read_status(object, index, &trial->status, err);
    for (size_t i = 0; status == OCK_OK && i < sizeof(figures) / sizeof(figures[0]); i++)
        status = read_number(object, figures[i].key, index, figures[i].out, err);
    if (status == OCK_OK)
        status = read_folds(object, index, trial, losses, err);
    return status == OCK_OK ? check_trial(trial, index, err) : status;
}

static void read_word(const cJSON *object, const char *key, char out[OCK_TUNING_WORD_SIZE])
{
    const cJSON *item = ock_json_get(object, key);
    size_t size = cJSON_IsString(item) ? strlen(item->valuestring) : 0;
    if (size < OCK_TUNING_WORD_SIZE && size > 0)
        memcpy(out, item->valuestring, size);
}

/* "chosen": {"trial": 3, …} as a place in trials; null, or no such trial: none. */
static size_t read_place(const cJSON *table, const char *key, const struct ock_tuning *tuning)
{
    double number = (double)NAN;
    const cJSON *trial = ock_json_get(ock_json_get(table, key), "trial");
    if (cJSON_IsNumber(trial))
        number = trial->valuedouble;
    for (size_t i = 0; i < tuning->trial_count; i++)
        if ((double)tuning->trials[i].number == number)
            return i;
    return tuning->trial_count;
}

/* What one trial searched, all did. */
static enum ock_status check_same(const struct ock_tuning *tuning, struct ock_err *err)
{
    for (size_t i = 0; i < tuning->trial_count; i++)
        for (size_t k = 0; k < OCK_STRENGTH_COUNT; k++)
            if (tuning->tuned[k] && isnan(tuning->trials[i].strengths[k]))
                return ock_fail(err, OCK_INVALID,
                                "tuning table: trial %zu: %s is missing, and others have it", i + 1,
                                ock_strength_name((enum ock_strength)k));
    return OCK_OK;
}

static enum ock_status read_trials(const cJSON *trials, struct ock_tuning *tuning,
                                   struct ock_err *err)
{
    const cJSON *item = NULL;
    double *losses = tuning->fold_losses;
    size_t index = 0;
    cJSON_ArrayForEach(item, trials)
    {
        struct ock_tuning_trial *trial = &tuning->trials[index];
        enum ock_status status = read_trial(item, index, tuning->numbers, trial, losses, err);
        if (status != OCK_OK)
            return status;
        losses += trial->fold_count;
        for (size_t i = 0; i < OCK_STRENGTH_COUNT; i++)
            tuning->tuned[i] |= !isnan(trial->strengths[i]);
        index++;
    }
    return check_same(tuning, err);
}

static enum ock_status allocate(const cJSON *trials, struct ock_tuning *tuning, struct ock_err *err)
{
    const cJSON *item = NULL;
    size_t losses = 0;
    if (!cJSON_IsArray(trials))
        return ock_fail(err, OCK_INVALID, "tuning table: it has no trials");
    cJSON_ArrayForEach(item, trials)
    {
        const cJSON *folds = ock_json_get(item, "folds");
        losses += cJSON_IsArray(folds) ? (size_t)cJSON_GetArraySize(folds) : 0;
        tuning->numbers |= ock_json_get(item, "mean_rmse") != NULL;
        tuning->trial_count++;
    }
    if (tuning->trial_count > OCK_TUNING_TRIALS_MAX)
        return ock_fail(err, OCK_LIMIT, "tuning table: more than %d trials", OCK_TUNING_TRIALS_MAX);
    tuning->trials = calloc(tuning->trial_count + 1, sizeof(*tuning->trials));
    tuning->fold_losses = calloc(losses + 1, sizeof(*tuning->fold_losses));
    if (!tuning->trials || !tuning->fold_losses)
        return ock_fail(err, OCK_NOMEM, "no memory for a tuning table");
    return OCK_OK;
}

static enum ock_status read_table(const cJSON *table, struct ock_tuning *tuning,
                                  struct ock_err *err)
{
    const cJSON *trials = ock_json_get(table, "trials");
    read_word(table, "status", tuning->status);
    read_word(table, "rule", tuning->rule);
    enum ock_status status = read_size(table, "folds", &tuning->folds, err);
    if (status == OCK_OK)
        status = read_size(table, "trials_total", &tuning->trials_total, err);
    if (status == OCK_OK)
        status = allocate(trials, tuning, err);
    if (status == OCK_OK)
        status = read_trials(trials, tuning, err);
    if (status != OCK_OK)
        return status;
    tuning->chosen = read_place(table, "chosen", tuning);
    tuning->min = read_place(table, "min", tuning);
    tuning->one_se = read_place(table, "one_se", tuning);
    return OCK_OK;
}

enum ock_status ock_tuning_parse(struct ock_tuning *out, const char *json, size_t size,
                                 struct ock_err *err)
{
    struct ock_tuning tuning = {0};
    cJSON *table = NULL;
    struct ock_faults *faults = calloc(1, sizeof(*faults));
    if (!faults)
        return ock_fail(err, OCK_NOMEM, "no memory for a tuning table");
    enum ock_status status = ock_json_parse(&table, json, size, faults, err);
    if (status == OCK_OK && faults->count > 0)
        status = ock_fail(err, OCK_INVALID, "tuning table: %s: %.200s", faults->items[0].pointer,
                          faults->items[0].detail);
    if (status == OCK_OK)
        status = read_table(table, &tuning, err);
    if (status == OCK_OK)
        *out = tuning;
    else
        ock_tuning_deinit(&tuning);
    cJSON_Delete(table);
    free(faults);
    return status;
}

void ock_tuning_deinit(struct ock_tuning *tuning)
{
    free(tuning->trials);
    free(tuning->fold_losses);
    *tuning = (struct ock_tuning){0};
}
