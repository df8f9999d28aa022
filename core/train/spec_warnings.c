/* What a person should know before the run and the spec does not forbid. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/utf8.h"
#include "core/train/spec_keys.h"

struct warnings {
    struct ock_warning *items; /* [OCK_WARNINGS_MAX] */
    size_t count;
};

static void warn(struct warnings *warnings, const char *code, const char *message, ...)
    __attribute__((format(printf, 3, 4)));

static void warn(struct warnings *warnings, const char *code, const char *message, ...)
{
    if (warnings->count == OCK_WARNINGS_MAX)
        return;
    struct ock_warning *item = &warnings->items[warnings->count++];
    (void)snprintf(item->code, sizeof(item->code), "%s", code);
    va_list args;
    va_start(args, message);
    (void)vsnprintf(item->message, sizeof(item->message), message, args);
    va_end(args);
    ock_utf8_trim(item->message);
}

/* The largest penalty of any layer, in any trial of a search. */
static double largest(const struct ock_spec *spec, bool l1)
{
    const struct ock_axis_spec *axis = &spec->tune.axes[l1 ? OCK_AXIS_L1 : OCK_AXIS_L2];
    /* auto: more than 0 is known of it */
    double most = axis->max_auto ? 1 : ock_axis_strongest(axis);
    for (size_t i = 0; i < spec->layer_count; i++) {
        const struct ock_layer_spec *layer = &spec->layers[i];
        double strength = l1 ? layer->l1 : layer->l2;
        if (layer->type == OCK_LINEAR && strength > most)
            most = strength;
    }
    return most;
}

static void warn_of_decay(const struct ock_spec *spec, struct warnings *warnings)
{
    const struct ock_optimizer_spec *optimizer = &spec->optimizer;
    double l2 = largest(spec, false);
    double momentum = optimizer->momentum;
    double strength = 2 * optimizer->lr * l2;
    if (optimizer->decoupled && optimizer->name == OCK_SGD && momentum > 0 && l2 > 0)
        warn(warnings, "decoupled_momentum",
             "with momentum %g, decoupled decay acts like a coupled l2 of %g instead of %g "
             "(1 - momentum times as much)",
             momentum, (1 - momentum) * l2, l2);
    if (optimizer->decoupled && optimizer->name == OCK_SGD && momentum > 0 &&
        optimizer->weight_decay > 0)
        warn(warnings, "decoupled_momentum_weight_decay",
             "with momentum %g, decoupled weight_decay acts like a coupled one of %g instead of %g",
             momentum, (1 - momentum) * optimizer->weight_decay, optimizer->weight_decay);
    if (strength > 0.1)
        warn(warnings, "strong_decay",
             "2 * lr * l2 is %g: each step shrinks the weights by that share; above 0.1 the "
             "penalty drowns the data, and from 1 on the weights would flip sign",
             strength);
}

static void warn_of_l1(const struct ock_spec *spec, struct warnings *warnings)
{
    enum ock_l1_method method = spec->regularization.l1_method;
    double l1 = largest(spec, true);
    if (l1 > 0 && method == OCK_SUBGRADIENT)
        warn(warnings, "l1_without_zeros",
             "the subgradient method leaves weights within about lr * l1 of zero and hardly ever "
             "at it; for true zeros set regularization.l1_method to proximal");
    if (!(l1 > 0) && method != OCK_SUBGRADIENT)
        warn(warnings, "l1_method_unused", "l1_method is %s, but l1 is 0 in every layer",
             ock_l1_method_name(method));
}

static void warn_of_validation(const struct ock_spec *spec, struct warnings *warnings)
{
    const struct ock_data_spec *data = &spec->data;
    const struct ock_early_stopping_spec *stopping = &spec->train.early_stopping;
    bool folds = spec->tune.on && spec->tune.folds > 0;
    if (!(data->validation.fraction > 0) && !data->validation.dataset && !folds)
        warn(warnings, "no_validation",
             "without validation rows nothing can tell learning from memorising, and the best "
             "epoch is the last");
    if (data->validation.dataset && data->dataset &&
        strcmp(data->validation.dataset, data->dataset) == 0)
        warn(warnings, "validation_is_training",
             "validation uses the training dataset: the gap will say nothing");
    if (stopping->on && stopping->patience >= spec->train.epochs)
        warn(warnings, "patience_beyond_epochs",
             "early stopping can't act: its patience of %u is not below the %u epochs",
             stopping->patience, spec->train.epochs);
}

static void warn_of_text(const char *rare_text, struct warnings *warnings)
{
    if (rare_text && rare_text[0] != '\0')
        warn(warnings, "text_without_features",
             "the values of \"%.100s\" are all too rare in the training rows to be features: it "
             "becomes \"other\" alone and teaches nothing; leave it out with data.features",
             rare_text);
}

size_t ock_spec_warnings(const struct ock_spec *spec, const char *rare_text,
                         struct ock_warning out[OCK_WARNINGS_MAX])
{
    struct warnings warnings = {.items = out};
    warn_of_decay(spec, &warnings);
    warn_of_l1(spec, &warnings);
    warn_of_validation(spec, &warnings);
    warn_of_text(rare_text, &warnings);
    return warnings.count;
}
