/* What the run of an epoch's numbers says: does the job overfit, underfit, or stop too early.
 *
 * The rules stand in docs/overfitting.md as a table; the first that holds speaks. */
#ifndef OCK_TRAIN_VERDICT_H
#define OCK_TRAIN_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/train/metrics.h"

/* What the rules need of the epochs that were measured; plain numbers, part of struct ock_progress.
 * All zero: none yet. */
struct ock_history {
    uint32_t measured;  /* epochs that were looked at */
    uint32_t low_epoch; /* the one with the least validation loss, the earliest; 0: none */
    uint32_t after_low; /* looked at after it */
    uint32_t last_epoch;
    double low_validation, low_train;   /* losses in low_epoch */
    double last_validation, last_train; /* losses in last_epoch */
    double before; /* validation loss of the epoch that was looked at before the last */
    struct ock_metrics best_train, best_validation; /* of the epoch that `best` names */
};

/* An epoch was measured and found good; is_best: its weights are the best now. */
void ock_history_observe(struct ock_history *history, const struct ock_epoch *epoch, bool is_best);

/* validation - train of the mean losses, with the interval that holds the difference of the means
 * with 95 % by the normal approximation: +- 1.96 sqrt(se_train^2 + se_validation^2). NaN where a set
 * has too few rows to say. */
struct ock_gap {
    double loss, low, high;
};
struct ock_gap ock_gap_of(const struct ock_metrics *train, const struct ock_metrics *validation);

enum ock_verdict {
    OCK_VERDICT_NOT_MEASURED = 0,
    OCK_VERDICT_NO_VALIDATION,
    OCK_VERDICT_NOT_LEARNING,
    OCK_VERDICT_TOO_EARLY,
    OCK_VERDICT_OVERFITS,
    OCK_VERDICT_UNSTABLE,
    OCK_VERDICT_STILL_IMPROVING,
    OCK_VERDICT_UNDERFITS,
    OCK_VERDICT_FITS,
};
const char *ock_verdict_name(enum ock_verdict verdict);

struct ock_verdict_facts {
    struct ock_history history;
    double constant_loss; /* training loss of the best constant prediction */
    bool was_cut;         /* it ended by epochs, steps, time or a stop: more was possible */
    bool penalised;       /* there is a penalty */
    bool one_l2;          /* all layers have this l2, and no weight_decay stands beside it */
    double l2;
    double lambda_hat; /* NaN: not known */
};

enum { OCK_VERDICT_TEXT_SIZE = 256 };
struct ock_judgement {
    enum ock_verdict verdict;
    double suggested_l2; /* NaN: none */
    char sentence[OCK_VERDICT_TEXT_SIZE];
};
struct ock_judgement ock_verdict_make(const struct ock_verdict_facts *facts);

#endif
