/* A tuning job's table: what every strength of the penalty came to. The worker makes its JSON
 * (API.md, /tuning); here it becomes a plain value, and that a CSV or a picture. All of it is pure:
 * texts in, texts out. */
#ifndef OCK_SERVER_TUNING_H
#define OCK_SERVER_TUNING_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/buf.h"
#include "core/base/status.h"

enum { OCK_TUNING_TRIALS_MAX = 1 << 16, OCK_TUNING_WORD_SIZE = 32 };

/* What may be searched, in the order of the table's columns. */
enum ock_strength {
    OCK_STRENGTH_L1,
    OCK_STRENGTH_L2,
    OCK_STRENGTH_WEIGHT_DECAY,
    OCK_STRENGTH_DROPOUT,
    OCK_STRENGTH_COUNT,
};
const char *ock_strength_name(enum ock_strength what); /* "l1", … */

enum ock_trial_status {
    OCK_TRIAL_SUCCEEDED,
    OCK_TRIAL_FAILED,
    OCK_TRIAL_ENDED, /* early, by halving: its loss is that of the rung it reached */
};

/* A strength. A figure that is not known is NaN. */
struct ock_tuning_trial {
    size_t number; /* from 1, the strongest first; a search that was stopped has not all of them */
    double strengths[OCK_STRENGTH_COUNT]; /* NaN: not searched */
    double mean_data_loss;
    double standard_error;
    double score; /* mean accuracy of classes, mean RMSE of numbers */
    double train_data_loss;
    double zeros; /* the mean over the folds */
    double count; /* all weights */
    double l2_norm;
    enum ock_trial_status status;
    size_t fold_count;
    const double *folds; /* [fold_count]; the table's */
};

struct ock_tuning {
    char status[OCK_TUNING_WORD_SIZE]; /* of the job: "running", … */
    char rule[OCK_TUNING_WORD_SIZE];   /* "min", "1se"; "": not known */
    size_t folds;                      /* 0: one validation split */
    size_t trials_total;               /* how many there will be */
    bool numbers;                      /* score is an RMSE, not an accuracy */
    bool tuned[OCK_STRENGTH_COUNT];    /* has the figure in some trial */
    /* Places in trials; trial_count: none, or not known yet. */
    size_t chosen, min, one_se;
    size_t trial_count;
    struct ock_tuning_trial *trials; /* [trial_count] owned; strongest first */
    double *fold_losses;             /* owned: all trials' folds */
};

/* Parses a table's JSON. Keys that it does not know are passed over. *out is the caller's
 * (ock_tuning_deinit). Errors: INVALID (the text names the trial and the key), LIMIT, NOMEM. */
enum ock_status ock_tuning_parse(struct ock_tuning *out, const char *json, size_t size,
                                 struct ock_err *err);
void ock_tuning_deinit(struct ock_tuning *tuning); /* all-zero: a no-op */

/* Appends a header and a line a trial, as RFC 4180 has it; what is not known is an empty field:
 * l1,l2,[weight_decay,][dropout,]mean_data_loss,standard_error,mean_accuracy,train_data_loss,zeros,
 * l2_norm,status,fold_1,…. Numbers have mean_rmse in place of mean_accuracy. */
void ock_tuning_csv(const struct ock_tuning *tuning, struct ock_buf *out);

/* Appends the picture: mean loss over strength (server/tuning_svg.c says how). name is the job's, as
 * UTF-8; whatever it holds, the answer is well-formed XML. Errors: NOMEM. */
enum ock_status ock_tuning_svg(const struct ock_tuning *tuning, const char *name,
                               struct ock_buf *out, struct ock_err *err);

#endif
