/* The rules, one function each, asked in order. */
#include "core/train/verdict.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* docs/overfitting.md names these. */
static const double risen = 1.01;         /* of the least validation loss */
static const double improved = 0.001;     /* of the validation loss, from one look to the next */
static const double apart = 1.5;          /* validation loss : training loss */
static const double apart_share = 0.05;   /* of the constant's loss, the gap */
static const double poor = 0.9;           /* training loss : the constant's */
static const double normal_95 = 1.959964; /* quantile of the normal distribution */
enum { EPOCHS_RISEN = 2 };

void ock_history_observe(struct ock_history *history, const struct ock_epoch *epoch, bool is_best)
{
    double validation = epoch->validation.present ? epoch->validation.data_loss : (double)NAN;
    double train = epoch->train.present ? epoch->train.data_loss : (double)NAN;
    history->before = history->measured > 0 ? history->last_validation : (double)NAN;
    history->measured++;
    history->last_epoch = epoch->epoch;
    history->last_validation = validation;
    history->last_train = train;
    history->after_low++;
    if (history->low_epoch == 0 ? !isnan(validation) : validation < history->low_validation) {
        history->low_epoch = epoch->epoch;
        history->low_validation = validation;
        history->low_train = train;
        history->after_low = 0;
    }
    if (is_best) {
        history->best_train = epoch->train;
        history->best_validation = epoch->validation;
    }
}

struct ock_gap ock_gap_of(const struct ock_metrics *train, const struct ock_metrics *validation)
{
    double loss = validation->data_loss - train->data_loss;
    double half = normal_95 * sqrt(train->loss_error2 + validation->loss_error2);
    return (struct ock_gap){loss, loss - half, loss + half};
}

const char *ock_verdict_name(enum ock_verdict verdict)
{
    static const char *const names[] = {"not_measured",    "no_validation", "not_learning",
                                        "too_early",       "overfits",      "unstable",
                                        "still_improving", "underfits",     "fits"};
    return names[verdict];
}

/* --- Advice ------------------------------------------------------------------------------------ */

/* To one digit. */
static double rounded(double value)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "%.0e", value);
    return strtod(text, NULL);
}

/* lambda_hat's order of magnitude, where it asks for more than the job has. */
static double l2_to_try(const struct ock_verdict_facts *facts)
{
    if (!facts->one_l2 || !isfinite(facts->lambda_hat) || !(facts->lambda_hat > 0))
        return NAN;
    double l2 = rounded(facts->lambda_hat);
    return l2 > facts->l2 ? l2 : (double)NAN;
}

static void advise(const struct ock_verdict_facts *facts, struct ock_judgement *out, char text[80])
{
    out->suggested_l2 = l2_to_try(facts);
    if (!isnan(out->suggested_l2))
        (void)snprintf(text, 80, "try l2 >= %g", out->suggested_l2);
    else if (facts->one_l2 && facts->l2 > 0)
        (void)snprintf(text, 80, "try more than l2 = %g", facts->l2);
    else
        (void)snprintf(text, 80, "try a stronger penalty");
}

/* --- Rules: true, and the judgement is made ---------------------------------------------------- */

static bool nothing_measured(const struct ock_verdict_facts *facts, struct ock_judgement *out)
{
    out->verdict = OCK_VERDICT_NOT_MEASURED;
    (void)snprintf(out->sentence, sizeof(out->sentence),
                   "no epoch was measured, so nothing can be said");
    return facts->history.measured == 0;
}

static bool no_validation(const struct ock_verdict_facts *facts, struct ock_judgement *out)
{
    out->verdict = OCK_VERDICT_NO_VALIDATION;
    (void)snprintf(out->sentence, sizeof(out->sentence),
                   "no validation rows, so nothing can be said");
    return facts->history.low_epoch == 0;
}

static bool not_learning(const struct ock_verdict_facts *facts, struct ock_judgement *out)
{
    const struct ock_history *history = &facts->history;
    double least =
        history->last_train < history->low_train ? history->last_train : history->low_train;
    out->verdict = OCK_VERDICT_NOT_LEARNING;
    (void)snprintf(out->sentence, sizeof(out->sentence),
                   "underfits: training loss %.3g is no better than the %.3g of a constant "
                   "prediction; look at the learning rate, the penalty and the features",
                   least, facts->constant_loss);
    return least >= facts->constant_loss;
}

static bool too_early(const struct ock_verdict_facts *facts, struct ock_judgement *out)
{
    out->verdict = OCK_VERDICT_TOO_EARLY;
    (void)snprintf(out->sentence, sizeof(out->sentence),
                   "too early to say: only one epoch was measured; train longer");
    return facts->history.measured == 1;
}

static bool has_risen(const struct ock_history *history)
{
    return history->after_low >= EPOCHS_RISEN &&
           history->last_validation > risen * history->low_validation;
}

static bool overfits_in_time(const struct ock_verdict_facts *facts, struct ock_judgement *out)
{
    const struct ock_history *history = &facts->history;
    char advice[80];
    if (!has_risen(history) || !(history->last_train < history->low_train))
        return false;
    advise(facts, out, advice);
    out->verdict = OCK_VERDICT_OVERFITS;
    (void)snprintf(out->sentence, sizeof(out->sentence),
                   "overfits: validation loss has risen for %u epochs while training loss fell; %s "
                   "or stop at epoch %u",
                   history->last_epoch - history->low_epoch, advice, history->low_epoch);
    return true;
}

static bool unstable(const struct ock_verdict_facts *facts, struct ock_judgement *out)
{
    const struct ock_history *history = &facts->history;
    out->verdict = OCK_VERDICT_UNSTABLE;
    (void)snprintf(out->sentence, sizeof(out->sentence),
                   "unstable: both training and validation loss are above those of epoch %u; try a "
                   "smaller learning rate",
                   history->low_epoch);
    return has_risen(history);
}

static bool still_improving(const struct ock_verdict_facts *facts, struct ock_judgement *out)
{
    const struct ock_history *history = &facts->history;
    out->verdict = OCK_VERDICT_STILL_IMPROVING;
    (void)snprintf(out->sentence, sizeof(out->sentence),
                   "still improving: validation loss fell until the last epoch; train longer");
    return facts->was_cut && history->last_epoch == history->low_epoch &&
           history->last_validation <= (1 - improved) * history->before;
}

static bool overfits_by_gap(const struct ock_verdict_facts *facts, struct ock_judgement *out)
{
    const struct ock_metrics *train = &facts->history.best_train;
    const struct ock_metrics *validation = &facts->history.best_validation;
    struct ock_gap gap = ock_gap_of(train, validation);
    char advice[80];
    if (!(gap.low > 0) || !(validation->data_loss > apart * train->data_loss) ||
        !(gap.loss > apart_share * facts->constant_loss))
        return false;
    advise(facts, out, advice);
    out->verdict = OCK_VERDICT_OVERFITS;
    (void)snprintf(out->sentence, sizeof(out->sentence),
                   "overfits: validation loss %.3g is far above training loss %.3g even at the "
                   "best epoch; %s, a smaller model or more rows",
                   validation->data_loss, train->data_loss, advice);
    return true;
}

static bool underfits(const struct ock_verdict_facts *facts, struct ock_judgement *out)
{
    double loss = facts->history.best_train.data_loss;
    out->verdict = OCK_VERDICT_UNDERFITS;
    (void)snprintf(out->sentence, sizeof(out->sentence),
                   "underfits: training loss %.3g is hardly below the %.3g of a constant "
                   "prediction; try a larger model, better features%s",
                   loss, facts->constant_loss, facts->penalised ? " or a weaker penalty" : "");
    return loss > poor * facts->constant_loss;
}

static bool fits(const struct ock_verdict_facts *facts, struct ock_judgement *out)
{
    out->verdict = OCK_VERDICT_FITS;
    (void)snprintf(out->sentence, sizeof(out->sentence),
                   "fits: validation loss %.3g is close to training loss %.3g, and has stopped "
                   "falling",
                   facts->history.best_validation.data_loss, facts->history.best_train.data_loss);
    return true;
}

struct ock_judgement ock_verdict_make(const struct ock_verdict_facts *facts)
{
    static bool (*const rules[])(const struct ock_verdict_facts *, struct ock_judgement *) = {
        nothing_measured, no_validation,   not_learning,    too_early, overfits_in_time,
        unstable,         still_improving, overfits_by_gap, underfits, fits};
    struct ock_judgement out;
    size_t rule = 0;
    do
        out = (struct ock_judgement){.suggested_l2 = NAN};
    while (!rules[rule++](facts, &out));
    return out;
}
