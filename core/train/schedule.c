/* Learning rates from a formula each, in double without libm: the same everywhere. */
#include "core/train/schedule.h"

#include <math.h>

#include "core/base/real.h"

static double cosine(double lr, double min, uint64_t step, uint64_t steps_total)
{
    double place = steps_total > 0 ? (double)step / (double)steps_total : 0;
    return min + (lr - min) * 0.5 * (1 + ock_cos_pi(place < 1 ? place : 1));
}

static double scheduled(const struct ock_schedule_spec *spec, double lr,
                        const struct ock_plateau *plateau, const struct ock_schedule_place *place)
{
    switch (spec->name) {
    case OCK_CONSTANT:
    case OCK_SCHEDULE_AUTO: /* is settled when a spec is parsed */
        return lr;
    case OCK_STEP:
        return lr * ock_power(spec->factor, (place->epoch - 1) / spec->every);
    case OCK_EXPONENTIAL:
        return lr * ock_power(spec->factor, place->epoch - 1);
    case OCK_COSINE:
        return cosine(lr, spec->min, place->step, place->steps_total);
    case OCK_PLATEAU:
        return lr * (plateau->factor > 0 ? plateau->factor : 1);
    }
    return lr;
}

double ock_schedule_lr(const struct ock_schedule_spec *spec, double lr,
                       const struct ock_plateau *plateau, const struct ock_schedule_place *place)
{
    double result = scheduled(spec, lr, plateau, place);
    double warmup = spec->warmup_epochs * (double)place->steps_per_epoch;
    double done = (double)(place->step + 1);
    return done < warmup ? result * (done / warmup) : result;
}

void ock_plateau_observe(const struct ock_schedule_spec *spec, struct ock_plateau *plateau,
                         double loss)
{
    if (spec->name != OCK_PLATEAU)
        return;
    if (plateau->factor <= 0)
        plateau->factor = 1;
    bool first = plateau->seen++ == 0 || (isnan(plateau->best) && !isnan(loss));
    if (first || loss < plateau->best) {
        plateau->best = loss;
        plateau->bad_epochs = 0;
        return;
    }
    if (++plateau->bad_epochs > spec->patience) {
        plateau->factor *= spec->factor;
        plateau->bad_epochs = 0;
    }
}
