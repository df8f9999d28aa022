/* The table of a search: its trials, strongest first, what each fold gave, and what follows. A plain
 * value; SPEC.md, "Choosing the strength". */
#ifndef OCK_TRAIN_TUNE_TABLE_H
#define OCK_TRAIN_TUNE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/jsonw.h"
#include "core/base/sha256.h"
#include "core/train/spec.h"

enum ock_fold_status {
    OCK_FOLD_PENDING = 0,
    OCK_FOLD_DONE,
    OCK_FOLD_FAILED,
    OCK_FOLD_ENDED, /* early: its figures are those of the rung that it reached */
};

/* One run: a trial in one fold. Figures of its last epoch, or of its best with early stopping. */
struct ock_fold {
    enum ock_fold_status status;
    uint32_t epochs;     /* trained */
    uint32_t best_epoch; /* with early stopping, else 0 */
    double data_loss;    /* of the fold's validation rows */
    double score;        /* their accuracy; rmse for numbers */
    double train_data_loss;
    double l1_norm, l2_norm;
    uint64_t zeros;
    char weights_sha256[OCK_SHA256_TEXT_SIZE];
    char error[160];
};

struct ock_trial {
    double values[OCK_AXES];
    struct ock_fold *folds; /* [fold_count] */
    bool told;
    /* Of all folds, once none is pending: */
    double mean_data_loss, standard_error, mean_score, train_data_loss, zeros, l2_norm;
};

struct ock_table_best {
    size_t chosen, min, one_se; /* places; SIZE_MAX: none is eligible, or folds is 0 */
};

struct ock_tune_table {
    struct ock_tune_spec spec; /* borrowed lists */
    bool classes;
    bool early_stopping;
    size_t weight_count;      /* parameters of a run, biases too */
    size_t rows;              /* of the training dataset */
    size_t count, fold_count; /* trials; runs of each (1 where folds is 0) */
    struct ock_trial *trials; /* owned, [count] strongest first */
    struct ock_fold *folds;   /* owned, [count * fold_count] */
};

/* The trials of a spec whose ranges have their ends. fixed: the strengths of axes that are not
 * searched. Errors: NOMEM. */
enum ock_status ock_tune_table_init(struct ock_tune_table *out, const struct ock_tune_spec *spec,
                                    const double fixed[OCK_AXES], struct ock_err *err);
void ock_tune_table_deinit(struct ock_tune_table *table); /* all-zero: a no-op */

/* Whether no fold of the trial is pending. */
bool ock_trial_is_done(const struct ock_tune_table *table, size_t trial);
/* Whether it may be chosen: every fold trained to its end and has a finite loss. */
bool ock_trial_is_eligible(const struct ock_tune_table *table, size_t trial);

/* mean[data_loss] = (1/K) sum of the folds'; its standard error = sqrt(sum (l - mean)^2 / (K-1) / K),
 * NaN for K = 1. Folds in order, in double. Source: SPEC.md; by hand in test_tune_table.c. */
void ock_trial_settle(struct ock_tune_table *table, size_t trial);

/* min: the least mean loss, the strongest on a tie; one_se: the strongest whose mean is within one
 * standard error of it; chosen by the spec's rule. Ineligible trials take no part. */
struct ock_table_best ock_tune_table_best(const struct ock_tune_table *table);

/* Epochs of the refit: the rounded median of the chosen trial's best epochs (half up). */
uint32_t ock_tune_table_epochs(const struct ock_tune_table *table, size_t trial);

/* A row as the `trial` event has it; without hashes: all but "weights_sha256". */
void ock_trial_write(struct ock_jsonw *w, const struct ock_tune_table *table, size_t trial,
                     bool hashes);
/* {"chosen": …, "min": …, "one_se": …}'s members. */
void ock_table_best_write(struct ock_jsonw *w, const struct ock_tune_table *table,
                          const struct ock_table_best *best);

#endif
