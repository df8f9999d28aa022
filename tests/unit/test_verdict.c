/* The verdict: each rule of docs/overfitting.md with an epoch series made by hand, and the series
 * just beside its border. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/train/verdict.h"

enum { EPOCHS_MAX = 8 };

/* Losses of training and validation, epoch by epoch; train 0 ends it, validation < 0: no rows. The
 * best constant loses 1. */
struct series {
    double losses[EPOCHS_MAX][2];
    double error; /* standard error of each loss */
    bool stopped_early, penalised, layers_differ;
    double l2, lambda_hat;
    enum ock_verdict verdict;
    const char *says;
};

static const struct series cases[] = {
    {.verdict = OCK_VERDICT_NOT_MEASURED, .says = "no epoch was measured"},
    {{{0.5, -1}, {0.4, -1}},
     .verdict = OCK_VERDICT_NO_VALIDATION,
     .says = "no validation rows, so nothing can be said"},
    {{{1.2, 1.3}, {1.1, 1.2}, {1.0, 1.2}},
     .verdict = OCK_VERDICT_NOT_LEARNING,
     .says = "underfits: training loss 1 is no better than the 1 of a constant prediction"},
    {{{1.2, 1.3}}, .verdict = OCK_VERDICT_NOT_LEARNING, .says = "underfits"},
    {{{0.5, 0.6}}, .verdict = OCK_VERDICT_TOO_EARLY, .says = "only one epoch"},
    /* The least is in epoch 2. */
    {{{0.6, 0.7}, {0.5, 0.6}, {0.4, 0.61}, {0.3, 0.65}, {0.2, 0.7}},
     .lambda_hat = 3.4e-4,
     .verdict = OCK_VERDICT_OVERFITS,
     .says = "overfits: validation loss has risen for 3 epochs while training loss fell; "
             "try l2 >= 0.0003 or stop at epoch 2"},
    {{{0.6, 0.7}, {0.5, 0.6}, {0.4, 0.61}, {0.3, 0.65}},
     .stopped_early = true,
     .penalised = true,
     .l2 = 0.001,
     .lambda_hat = 3.4e-4,
     .verdict = OCK_VERDICT_OVERFITS,
     .says = "for 2 epochs while training loss fell; try more than l2 = 0.001 or stop at epoch 2"},
    {{{0.6, 0.7}, {0.5, 0.6}, {0.4, 0.61}, {0.3, 0.65}},
     .layers_differ = true,
     .lambda_hat = 3.4e-4,
     .verdict = OCK_VERDICT_OVERFITS,
     .says = "try a stronger penalty or stop at epoch 2"},
    {{{0.6, 0.7}, {0.5, 0.6}, {0.4, 0.61}, {0.3, 0.65}},
     .lambda_hat = NAN,
     .verdict = OCK_VERDICT_OVERFITS,
     .says = "try a stronger penalty"},
    /* Not more than 1 % above the least. */
    {{{0.6, 0.7}, {0.5, 0.6}, {0.4, 0.61}, {0.45, 0.606}},
     .error = 1,
     .verdict = OCK_VERDICT_FITS,
     .says = "fits: validation loss 0.6 is close to training loss 0.5"},
    /* One epoch above it is no rise. */
    {{{0.6, 0.7}, {0.5, 0.6}, {0.4, 0.7}}, .verdict = OCK_VERDICT_FITS, .says = "fits"},
    {{{0.6, 0.7}, {0.5, 0.6}, {0.6, 0.7}, {0.7, 0.8}},
     .verdict = OCK_VERDICT_UNSTABLE,
     .says = "unstable: both training and validation loss are above those of epoch 2"},
    {{{0.6, 0.7}, {0.5, 0.6}, {0.4, 0.5}},
     .verdict = OCK_VERDICT_STILL_IMPROVING,
     .says = "still improving: validation loss fell until the last epoch; train longer"},
    /* Early stopping does not end a run that improves, but by min_delta. */
    {{{0.6, 0.7}, {0.5, 0.6}, {0.4, 0.5}},
     .stopped_early = true,
     .verdict = OCK_VERDICT_FITS,
     .says = "fits"},
    /* It fell by less than a thousandth. */
    {{{0.6, 0.7}, {0.5, 0.6}, {0.5, 0.5995}}, .verdict = OCK_VERDICT_FITS, .says = "fits"},
    {{{0.2, 0.5}, {0.1, 0.4}, {0.1, 0.3999}},
     .error = 0.01,
     .lambda_hat = 0.0271,
     .verdict = OCK_VERDICT_OVERFITS,
     .says = "overfits: validation loss 0.4 is far above training loss 0.1 even at the best epoch; "
             "try l2 >= 0.03, a smaller model or more rows"},
    /* 0.3 +- 1.96 sqrt(2) 0.2 holds 0. */
    {{{0.2, 0.5}, {0.1, 0.4}, {0.1, 0.3999}},
     .error = 0.2,
     .verdict = OCK_VERDICT_FITS,
     .says = "fits"},
    /* Many times as large, but as nothing beside a constant's loss. */
    {{{0.002, 0.02}, {0.001, 0.01}, {0.001, 0.009995}},
     .error = 1e-6,
     .verdict = OCK_VERDICT_FITS,
     .says = "fits"},
    {{{0.96, 0.97}, {0.95, 0.96}, {0.95, 0.96}},
     .verdict = OCK_VERDICT_UNDERFITS,
     .says = "underfits: training loss 0.95 is hardly below the 1 of a constant prediction; try a "
             "larger model, better features"},
    {{{0.96, 0.97}, {0.95, 0.96}, {0.95, 0.96}},
     .penalised = true,
     .l2 = 1,
     .verdict = OCK_VERDICT_UNDERFITS,
     .says = "or a weaker penalty"},
};

static struct ock_verdict_facts facts_of(const struct series *series)
{
    struct ock_verdict_facts facts = {.constant_loss = 1,
                                      .was_cut = !series->stopped_early,
                                      .penalised = series->penalised,
                                      .one_l2 = !series->layers_differ,
                                      .l2 = series->l2,
                                      .lambda_hat = series->lambda_hat};
    double least = INFINITY;
    double error2 = series->error * series->error;
    for (uint32_t i = 0; i < EPOCHS_MAX && series->losses[i][0] > 0; i++) {
        const double *loss = series->losses[i];
        struct ock_epoch epoch = {
            .epoch = i + 1,
            .train = {.present = true, .data_loss = loss[0], .loss_error2 = error2},
            .validation = {.present = loss[1] >= 0, .data_loss = loss[1], .loss_error2 = error2}};
        ock_history_observe(&facts.history, &epoch, loss[1] < least);
        least = loss[1] < least ? loss[1] : least;
    }
    return facts;
}

START_TEST(rule_speaks)
{
    struct ock_verdict_facts facts = facts_of(&cases[_i]);
    struct ock_judgement judgement = ock_verdict_make(&facts);
    ck_assert_msg(judgement.verdict == cases[_i].verdict, "case %d: %s", _i, judgement.sentence);
    ck_assert_msg(strstr(judgement.sentence, cases[_i].says) != NULL, "case %d: %s", _i,
                  judgement.sentence);
    ck_assert_int_eq(!isnan(judgement.suggested_l2), strstr(judgement.sentence, "l2 >=") != NULL);
}
END_TEST

/* Every verdict has a case above and a name of its own. */
START_TEST(every_verdict_is_met)
{
    const size_t count = sizeof(cases) / sizeof(cases[0]);
    for (int verdict = 0; verdict <= OCK_VERDICT_FITS; verdict++) {
        size_t i = 0;
        while (i < count && (int)cases[i].verdict != verdict)
            i++;
        ck_assert_msg(i < count, "no case of %s", ock_verdict_name((enum ock_verdict)verdict));
    }
    ck_assert_str_eq(ock_verdict_name(OCK_VERDICT_NOT_MEASURED), "not_measured");
    ck_assert_str_eq(ock_verdict_name(OCK_VERDICT_OVERFITS), "overfits");
    ck_assert_str_eq(ock_verdict_name(OCK_VERDICT_FITS), "fits");
}
END_TEST

/* Standard errors 0.03 and 0.04: 0.05 together. */
START_TEST(gap_has_its_interval)
{
    struct ock_metrics train = {.present = true, .data_loss = 0.25, .loss_error2 = 0.0009};
    struct ock_metrics validation = {.present = true, .data_loss = 0.5, .loss_error2 = 0.0016};
    struct ock_gap gap = ock_gap_of(&train, &validation);
    ck_assert_double_eq_tol(gap.loss, 0.25, 1e-12);
    ck_assert_double_eq_tol(gap.low, 0.25 - 1.959964 * 0.05, 1e-12);
    ck_assert_double_eq_tol(gap.high, 0.25 + 1.959964 * 0.05, 1e-12);
    validation.loss_error2 = NAN; /* one row */
    ck_assert(isnan(ock_gap_of(&train, &validation).low));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("verdict");
    TCase *tcase = tcase_create("verdict");
    tcase_add_loop_test(tcase, rule_speaks, 0, sizeof(cases) / sizeof(cases[0]));
    tcase_add_test(tcase, every_verdict_is_met);
    tcase_add_test(tcase, gap_has_its_interval);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
