/* The search for a learning rate. */
#include "core/train/lr_search.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/data/readahead.h"

/* The ladder: each rung four times the last, 0.0016 to 1.6 for SGD, 0.00032 to 0.33 for adam. */
enum { RUNGS = 6, STEPS_MIN = 4, STEPS_MAX = 32 };
static const double RUNG_RATIO = 4;
static const double FIRST_SGD = 1.6e-3;
static const double FIRST_ADAM = 3.2e-4;
static const double BUDGET_EPOCHS = 0.9;
/* Of the best rung: long runs are less stable than short ones, adam's steps above all, whose size does
 * not shrink with the gradient. */
static const double MARGIN_SGD = 0.75;
static const double MARGIN_ADAM = 0.25;
/* A cosine's rate is half of its first on average, and small at the end, where a large one would do
 * harm; with a warm-up in front it may begin with more, up to a rate that seldom breaks a network. */
static const double COSINE_SGD = 3, MOST_SGD = 0.8;
static const double COSINE_ADAM = 2, MOST_ADAM = 0.02;

/* What each rung is tried on. */
struct probe {
    size_t batch_rows, steps;
    struct ock_rows judge; /* those rows and as many others, for the loss afterwards */
};

/* A rung costs steps*batch rows of training and a forward pass (a third) of twice as many. */
static struct probe probe_make(struct ock_trainer *trainer)
{
    const struct ock_rows *train = &trainer->data->train;
    size_t rows = (size_t)(BUDGET_EPOCHS * 0.6 * (double)train->count / RUNGS);
    struct probe probe = {.batch_rows = trainer->plan->batch_rows};
    if (probe.batch_rows > rows / STEPS_MIN)
        probe.batch_rows = rows / STEPS_MIN > 0 ? rows / STEPS_MIN : 1;
    probe.steps = rows / probe.batch_rows;
    if (probe.steps < 1)
        probe.steps = 1;
    if (probe.steps > STEPS_MAX)
        probe.steps = STEPS_MAX;
    return probe;
}

/* order: a shuffle of its own; the first rows train, they and the next ones judge. By other rows
 * alone, on small data the smallest rate would win by doing nothing; by the trained ones alone, one
 * that merely memorizes them. */
static void choose_rows(struct ock_trainer *trainer, struct probe *probe)
{
    const struct ock_rows *train = &trainer->data->train;
    ock_feed_use_order(trainer->feed);
    for (size_t i = 0; i < train->count; i++)
        trainer->feed->order[i] = train->rows[i];
    struct ock_stream stream = ock_stream_make(trainer->spec->train.seed, OCK_RANDOM_PROBE, 0, 0);
    ock_random_shuffle(stream, trainer->feed->order, train->count);
    size_t count = 2 * probe->steps * probe->batch_rows;
    probe->judge = (struct ock_rows){.source = train->source,
                                     .rows = trainer->feed->order,
                                     .count = count < train->count ? count : train->count};
}

static void clear_state(struct ock_trainer *trainer, const float *first)
{
    struct ock_optimizer_state *state = &trainer->optimizer.state;
    size_t P = trainer->plan->parameters;
    memcpy(state->w, first, P * sizeof(float));
    if (state->v)
        memset(state->v, 0, P * sizeof(float));
    if (state->s)
        memset(state->s, 0, P * sizeof(float));
    if (state->q)
        memset(state->q, 0, P * sizeof(double));
    memset(state->l1_totals, 0, trainer->optimizer.group_count * sizeof(double));
    trainer->progress.updates = 0;
}

/* *out: the judging rows' loss after the probe's steps at one rate, infinite when it diverged. false:
 * interrupted. */
static bool try_rate(struct ock_trainer *trainer, const struct probe *probe, double lr, double *out)
{
    *out = (double)INFINITY;
    for (size_t i = 0; i < probe->steps; i++) {
        size_t begin = i * probe->batch_rows;
        double loss = 0;
        double weight = 0;
        if (begin + probe->batch_rows > trainer->data->train.count)
            break;
        if (ock_trainer_is_told(trainer, OCK_COMMAND_PAUSE))
            return false;
        ock_source_read_ahead(trainer->data->train.source, trainer->feed->order + begin,
                              probe->batch_rows);
        if (!ock_trainer_step(trainer, trainer->feed->order + begin, probe->batch_rows, begin, lr,
                              &loss, &weight))
            return true;
        trainer->progress.updates += weight > 0 ? 1u : 0u;
    }
    struct ock_metrics metrics = {0};
    ock_network_pack(&trainer->net, trainer->optimizer.state.w);
    if (!ock_trainer_measure(trainer, &probe->judge, trainer->optimizer.state.w, &metrics))
        return false;
    if (metrics.present && isfinite(metrics.data_loss))
        *out = metrics.data_loss;
    return true;
}

/* The penalty is left out, so that all strengths of a search share one rate. */
static void set_penalty(struct ock_optimizer *optimizer, const struct ock_group *groups, bool on)
{
    for (size_t i = 0; i < optimizer->group_count; i++) {
        optimizer->groups[i].l1 = on ? groups[i].l1 : 0;
        optimizer->groups[i].l2 = on ? groups[i].l2 : 0;
    }
}

/* 0.0204799… is told, stored and typed again as 0.02. */
static double round_to_two_digits(double lr)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "%.2g", lr);
    return strtod(text, NULL);
}

/* Where a parabola through the best rung's loss and its neighbours' has its least, in rungs from the
 * best one, -1/2 to 1/2. A neighbour that diverged, or is not there, counts like the other one. */
static double least_between(double below, double best, double above)
{
    below = isfinite(below) ? below : above;
    above = isfinite(above) ? above : below;
    double bend = below - best + (above - best);
    return isfinite(bend) && bend > 0 ? 0.5 * (below - above) / bend : 0;
}

/* How much of the ladder's best rate the job takes. */
static double take_share(double best, const struct ock_optimizer_spec *optimizer)
{
    bool sgd = optimizer->name == OCK_SGD;
    double lr = best * (sgd ? MARGIN_SGD : MARGIN_ADAM), most = sgd ? MOST_SGD : MOST_ADAM;
    if (optimizer->schedule.name == OCK_COSINE && optimizer->schedule.warmup_epochs > 0 &&
        lr < most) {
        lr *= sgd ? COSINE_SGD : COSINE_ADAM;
        lr = lr < most ? lr : most;
    }
    return sgd ? lr * (1 - optimizer->momentum) : lr;
}

/* *out: the best rate by the ladder, before the margin. false: interrupted. */
static bool climb(struct ock_trainer *trainer, const float *first, struct ock_lr_found *out)
{
    struct probe probe = probe_make(trainer);
    choose_rows(trainer, &probe);
    bool sgd = trainer->spec->optimizer.name == OCK_SGD;
    double lr = sgd ? FIRST_SGD : FIRST_ADAM;
    struct ock_lr_found found = {.lr = lr};
    double losses[RUNGS + 2]; /* with a place before the first rung and one behind the last */
    losses[0] = losses[RUNGS + 1] = (double)INFINITY;
    int best = 1;
    for (int rung = 1; rung <= RUNGS; rung++, lr *= RUNG_RATIO) {
        clear_state(trainer, first);
        if (!try_rate(trainer, &probe, lr, &losses[rung]))
            return false;
        found.cost_epochs +=
            (1.0 / 2 + 1.0 / 3) * (double)probe.judge.count / (double)trainer->data->train.count;
        if (losses[rung] < losses[best]) {
            best = rung;
            found.lr = lr;
        }
    }
    /* By quarters of a rung, whose powers are told: libm's last bits depend on the processor. */
    static const double powers[] = {0.5, 0.70710678118654752, 1, 1.4142135623730951, 2};
    double shift = least_between(losses[best - 1], losses[best], losses[best + 1]);
    found.lr *= powers[(int)(4 * shift + 2.5)];
    *out = found;
    return true;
}

bool ock_lr_search(struct ock_trainer *trainer, struct ock_lr_found *out)
{
    float *first = trainer->best_w; /* not in use before the first epoch */
    memcpy(first, trainer->optimizer.state.w, trainer->plan->parameters * sizeof(float));
    struct ock_group groups[OCK_GROUPS_MAX];
    memcpy(groups, trainer->optimizer.groups, sizeof(groups));
    set_penalty(&trainer->optimizer, groups, false);
    uint32_t epoch = trainer->progress.epoch;
    trainer->progress.epoch = 0; /* dropout's masks are none of the run's */
    /* Momentum needs more steps than a probe has until it moves 1/(1 - momentum) times as far: the
     * ladder is climbed without it, and the rate divided by that. Decay is a penalty too. */
    struct ock_optimizer_spec given = trainer->spec->optimizer;
    trainer->spec->optimizer.momentum = 0;
    trainer->spec->optimizer.nesterov = false;
    trainer->spec->optimizer.weight_decay = 0;

    struct ock_lr_found found = {0};
    bool whole = climb(trainer, first, &found);

    trainer->spec->optimizer = given;
    found.lr = round_to_two_digits(take_share(found.lr, &given));
    clear_state(trainer, first);
    set_penalty(&trainer->optimizer, groups, true);
    trainer->progress.epoch = epoch;
    if (whole)
        *out = found;
    return whole;
}

bool ock_lr_find(struct ock_trainer *trainer, struct ock_lr_found *out)
{
    struct ock_lr_found found;
    if (!ock_lr_search(trainer, &found))
        return false;
    double limit = ock_spec_lr_limit(trainer->spec);
    found.limited = found.lr > limit / 4;
    if (found.limited)
        found.lr = limit / 4;
    *out = found;
    return true;
}
