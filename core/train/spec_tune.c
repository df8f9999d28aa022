/* The tune section: what is searched, how trials are judged, and what a search cannot have. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/train/spec_keys.h"
#include "core/train/tune_plan.h"

static const char *const axis_labels[OCK_AXES] = {"l1", "l2", "weight_decay", "dropout"};

const char *ock_axis_label(enum ock_axis_name axis)
{
    return axis_labels[axis];
}

/* --- Parsing ----------------------------------------------------------------------------------- */

/* min or max of a range: "auto" or a number. */
void ock_spec_parse_end(struct ock_spec_parser *parser, const struct ock_key *key,
                        const cJSON *value, void *base)
{
    struct ock_axis_spec *axis = base;
    const char *text = cJSON_GetStringValue(value);
    bool *is_auto = strcmp(key->name, "min") == 0 ? &axis->min_auto : &axis->max_auto;
    *is_auto = text && strcmp(text, key->word) == 0;
    if (*is_auto)
        return;
    struct ock_key number = *key;
    number.kind = OCK_KEY_NUMBER;
    ock_spec_parse_key(parser, &number, value, base);
}

static struct ock_key item_key(const struct ock_key *key)
{
    return (struct ock_key){.name = key->name,
                            .kind = OCK_KEY_NUMBER,
                            .flags = key->flags & (unsigned)(OCK_KEY_FLOAT | OCK_KEY_BELOW_MAX),
                            .max = key->max};
}

static void parse_list(struct ock_spec_parser *parser, const struct ock_key *key,
                       const cJSON *value, struct ock_axis_spec *axis)
{
    const struct ock_key item = item_key(key);
    size_t count = (size_t)cJSON_GetArraySize(value);
    if (count == 0 || count > OCK_TRIALS_MAX) {
        (void)ock_spec_fault(parser, NULL, "out_of_range", "must have 1 to %u strengths",
                             OCK_TRIALS_MAX);
        return;
    }
    axis->list = calloc(count, sizeof(*axis->list));
    if (!axis->list) {
        ock_spec_nomem(parser);
        return;
    }
    axis->count = count;
    size_t i = 0;
    for (const cJSON *one = value->child; one; one = one->next, i++) {
        size_t mark = ock_spec_enter_index(parser, i);
        ock_spec_parse_key(parser, &item, one, &axis->list[i]);
        for (size_t other = 0; other < i && ock_spec_clean(parser->faults, parser->pointer);
             other++) {
            if (axis->list[other] == axis->list[i])
                (void)ock_spec_fault(parser, one, "out_of_range", "stands in the list twice");
        }
        ock_spec_leave(parser, mark);
    }
}

/* What only both ends together can tell. */
static void check_range(struct ock_spec_parser *parser, const struct ock_key *key,
                        const struct ock_axis_spec *axis)
{
    bool l1 = strcmp(key->name, axis_labels[OCK_AXIS_L1]) == 0;
    if ((axis->min_auto || axis->max_auto) && !l1)
        (void)ock_spec_fault(parser, NULL, "unsupported_combination",
                             "auto is known for l1 alone, where some strength leaves no weight; "
                             "give both ends");
    else if (axis->min_auto && !axis->max_auto)
        (void)ock_spec_fault(parser, NULL, "unsupported_combination",
                             "min can be auto where max is: it is a thousandth of it");
    else if (!axis->min_auto && axis->scale == OCK_AXIS_LOG && !(axis->min > 0))
        (void)ock_spec_fault(parser, NULL, "out_of_range",
                             "on a log scale min must be above 0; take a list, or scale linear");
    else if (!axis->min_auto && !axis->max_auto && !(axis->max > axis->min))
        (void)ock_spec_fault(parser, NULL, "out_of_range", "max must be above min");
    else if ((key->flags & OCK_KEY_BELOW_MAX) && !(axis->max < key->max))
        (void)ock_spec_fault(parser, NULL, "out_of_range", "max must be below %g", key->max);
}

void ock_spec_parse_axis(struct ock_spec_parser *parser, const struct ock_key *key,
                         const cJSON *value, void *base)
{
    struct ock_axis_spec *axis = (struct ock_axis_spec *)(void *)((char *)base + key->offset);
    if (cJSON_IsNull(value))
        return;
    axis->given = true;
    if (cJSON_IsArray(value)) {
        parse_list(parser, key, value, axis);
        return;
    }
    if (!cJSON_IsObject(value)) {
        (void)ock_spec_fault(parser, value, "wrong_type",
                             "must be a list of strengths or a range, such as {\"min\": 1e-6, "
                             "\"max\": 0.1, \"count\": 16}");
        return;
    }
    ock_spec_parse_section(parser, key->section, value, axis);
    if ((key->flags & OCK_KEY_BELOW_MAX) && !ock_json_get(value, "scale"))
        axis->scale = OCK_AXIS_LINEAR; /* shares, such as dropout */
    if (ock_spec_clean(parser->faults, parser->pointer))
        check_range(parser, key, axis);
}

/* true is {}, false is null. */
void ock_spec_parse_halving(struct ock_spec_parser *parser, const struct ock_key *key,
                            const cJSON *value, void *base)
{
    struct ock_halving_spec *halving =
        (struct ock_halving_spec *)(void *)((char *)base + key->offset);
    cJSON *empty = NULL;
    if (cJSON_IsNull(value) || cJSON_IsFalse(value))
        return;
    if (cJSON_IsTrue(value)) {
        empty = cJSON_CreateObject();
        value = empty;
        if (!empty) {
            ock_spec_nomem(parser);
            return;
        }
    }
    if (cJSON_IsObject(value))
        ock_spec_parse_section(parser, key->section, value, halving);
    else
        (void)ock_spec_fault(parser, value, "wrong_type",
                             "must be true, false or an object, such as {\"factor\": 2}");
    cJSON_Delete(empty);
    halving->on = true;
}

void ock_spec_parse_tune(struct ock_spec_parser *parser, const struct ock_key *key,
                         const cJSON *value, void *base)
{
    struct ock_tune_spec *tune = &parser->spec->tune;
    (void)base;
    if (cJSON_IsNull(value))
        return;
    if (!cJSON_IsObject(value)) {
        (void)ock_spec_fault(parser, value, "wrong_type",
                             "must be null or an object, such as {\"l2\": {\"min\": 1e-6, "
                             "\"max\": 0.1, \"count\": 16}}");
        return;
    }
    ock_spec_parse_section(parser, key->section, value, tune);
    tune->on = true;
}

/* --- What does not go together ----------------------------------------------------------------- */

static void check_axes(const struct ock_tune_spec *tune, struct ock_faults *faults)
{
    bool any = false;
    char why[160];
    for (size_t i = 0; i < OCK_AXES; i++)
        any = any || tune->axes[i].given;
    if (!any)
        ock_spec_refuse(faults, "/tune", "/tune",
                        "names nothing to search: give l1, l2, weight_decay or dropout");
    size_t trials = ock_tune_trials(tune); /* at most 1000^4 */
    (void)snprintf(why, sizeof(why), "the grid has more than %u trials, the limit; search fewer",
                   OCK_TRIALS_MAX);
    if (trials > OCK_TRIALS_MAX)
        ock_spec_refuse(faults, "/tune", "/tune", why);
}

static void check_folds(const struct ock_spec *spec, struct ock_faults *faults)
{
    const struct ock_tune_spec *tune = &spec->tune;
    if (tune->folds == 1)
        ock_spec_refuse(faults, "/tune/folds", "/tune/folds",
                        "one fold would leave no rows to train on: take 2 or more, or 0 for the "
                        "validation split");
    if (tune->folds > 0)
        return;
    if (tune->rule == OCK_RULE_1SE)
        ock_spec_refuse(faults, "/tune/rule", "/tune/folds",
                        "1se needs a standard error, and one split has none; set rule to min");
    if (!ock_spec_has_validation(spec))
        ock_spec_refuse(faults, "/tune/folds", "/data/validation",
                        "0 judges by the validation rows and there are none");
    if (tune->fold_assignment != OCK_FOLDS_AUTO)
        ock_spec_refuse(faults, "/tune/fold_assignment", "/tune/folds",
                        "there are no folds to assign rows to");
}

static bool is_linear(const struct ock_spec *spec)
{
    return spec->layer_count == 1 && spec->layers[0].type == OCK_LINEAR;
}

/* Dropout behind hidden layers, the inputs' not counted. */
static bool has_dropout(const struct ock_spec *spec)
{
    for (size_t i = 1; i < spec->layer_count; i++) {
        if (spec->layers[i].type == OCK_DROPOUT)
            return true;
    }
    return false;
}

static bool has_activation(const struct ock_spec *spec)
{
    for (size_t i = 0; i < spec->layer_count; i++) {
        if (spec->layers[i].type == OCK_ACTIVATION)
            return true;
    }
    return false;
}

/* Whether no linear layer would have the job's strength: each has one of its own. */
static bool reaches_nothing(const struct ock_spec *spec, enum ock_axis_name axis)
{
    size_t linear = 0, own = 0;
    for (size_t i = 0; i < spec->layer_count; i++) {
        const struct ock_layer_spec *layer = &spec->layers[i];
        linear += layer->type == OCK_LINEAR;
        own +=
            layer->type == OCK_LINEAR && (axis == OCK_AXIS_L1 ? layer->l1_given : layer->l2_given);
    }
    return spec->tune.axes[axis].given && linear > 0 && own == linear;
}

static void check_layers(const struct ock_spec *spec, struct ock_faults *faults)
{
    static const char why[] =
        "every layer has a strength of its own, so that all trials would be the "
        "same; leave it out for some layer";
    if (reaches_nothing(spec, OCK_AXIS_L1))
        ock_spec_refuse(faults, "/tune/l1", "/regularization/layers", why);
    if (reaches_nothing(spec, OCK_AXIS_L2))
        ock_spec_refuse(faults, "/tune/l2", "/regularization/layers", why);
}

static void check_model(const struct ock_spec *spec, struct ock_faults *faults)
{
    const struct ock_tune_spec *tune = &spec->tune;
    const struct ock_axis_spec *l1 = &tune->axes[OCK_AXIS_L1];
    if (l1->given && l1->max_auto && !is_linear(spec))
        ock_spec_refuse(faults, "/tune/l1/max", "/model",
                        "auto is known for linear models alone (hidden: []); give a number");
    if (l1->given && l1->max_auto && spec->init.job)
        ock_spec_refuse(faults, "/tune/l1/max", "/model/init",
                        "auto is a strength at weights of 0, and these start elsewhere");
    if (tune->axes[OCK_AXIS_DROPOUT].given && spec->layer_count > 0 && !has_dropout(spec) &&
        !has_activation(spec))
        ock_spec_refuse(faults, "/tune/dropout", "/model",
                        "dropout follows hidden layers and this model has none");
    if (!tune->warm)
        return;
    if (!is_linear(spec) || !l1->given)
        ock_spec_refuse(faults, "/tune/warm", "/model",
                        "the warm path is for linear models (hidden: []) and strengths of l1");
    if (spec->init.job)
        ock_spec_refuse(faults, "/tune/warm", "/model/init",
                        "the warm path gives each strength its starting weights");
    if (tune->halving.on)
        ock_spec_refuse(faults, "/tune/warm", "/tune/halving",
                        "on a warm path one strength follows the other, so none can be ended for "
                        "the others' sake");
}

static void check_rest(const struct ock_spec *spec, struct ock_faults *faults)
{
    const struct ock_tune_spec *tune = &spec->tune;
    if (spec->train.deadline_s > 0)
        ock_spec_refuse(faults, "/train/deadline_s", "/tune",
                        "a clock must not decide which strengths are compared; stop the job "
                        "instead, or take halving");
    if (tune->halving.on && spec->optimizer.name != OCK_SGD)
        ock_spec_refuse(faults, "/tune/halving", "/optimizer/name",
                        "a trial is ended only after half-lives of its shrinkage, which are known "
                        "for sgd alone");
    if (tune->halving.on && tune->halving.min_epochs > spec->train.epochs)
        ock_spec_refuse(faults, "/tune/halving/min_epochs", "/train/epochs",
                        "the first rung is longer than the training");
}

/* A strength at which a step turns each weight's sign. */
static void check_strength(const struct ock_spec *spec, enum ock_axis_name axis, double factor,
                           struct ock_faults *faults)
{
    const struct ock_axis_spec *values = &spec->tune.axes[axis];
    double most = ock_axis_strongest(values);
    char pointer[40], why[200];
    if (!values->given || spec->optimizer.lr_auto || factor * spec->optimizer.lr * most < 1)
        return;
    (void)snprintf(pointer, sizeof(pointer), "/tune/%s", axis_labels[axis]);
    (void)snprintf(why, sizeof(why),
                   "at %g one step would turn each weight's sign: %slr * %s must be below 1", most,
                   factor > 1 ? "2 * " : "", axis_labels[axis]);
    ock_spec_refuse(faults, pointer, "/optimizer/lr", why);
}

void ock_spec_check_tune(const struct ock_spec *spec, struct ock_faults *faults)
{
    check_axes(&spec->tune, faults);
    check_folds(spec, faults);
    check_model(spec, faults);
    check_layers(spec, faults);
    check_rest(spec, faults);
    check_strength(spec, OCK_AXIS_L2, 2, faults);
    if (spec->optimizer.name != OCK_ADAM)
        check_strength(spec, OCK_AXIS_WEIGHT_DECAY, 1, faults);
}

/* --- Values ------------------------------------------------------------------------------------ */

static int strongest_first(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

/* To ten digits: libm's pow may differ in the last bit between machines, and a strength must not. */
static double rounded(double value)
{
    char text[40];
    (void)snprintf(text, sizeof(text), "%.10g", value);
    return strtod(text, NULL);
}

/* Point i of count, 0 the strongest; the ends are exact. */
static double range_value(const struct ock_axis_spec *axis, size_t i)
{
    if (i == 0)
        return axis->max;
    if (i + 1 == axis->count)
        return axis->min;
    double part = (double)i / (double)(axis->count - 1);
    if (axis->scale == OCK_AXIS_LINEAR)
        return rounded(axis->max + part * (axis->min - axis->max));
    return rounded(axis->max * pow(axis->min / axis->max, part));
}

double ock_axis_strongest(const struct ock_axis_spec *axis)
{
    double most = axis->max;
    for (size_t i = 0; axis->list && i < axis->count; i++)
        most = axis->list[i] > most ? axis->list[i] : most;
    return most;
}

void ock_axis_values(const struct ock_axis_spec *axis, double *out)
{
    for (size_t i = 0; i < axis->count; i++)
        out[i] = axis->list ? axis->list[i] : range_value(axis, i);
    if (axis->list)
        qsort(out, axis->count, sizeof(*out), strongest_first);
}

/* --- One trial's spec -------------------------------------------------------------------------- */

/* A dropout layer behind every activation, as `hidden` has them where dropout is above 0. */
static enum ock_status insert_dropout(struct ock_spec *spec, struct ock_err *err)
{
    struct ock_layer_spec *layers = calloc(2 * spec->layer_count, sizeof(*layers));
    size_t count = 0;
    if (!layers)
        return ock_fail(err, OCK_NOMEM, "out of memory for a trial's layers");
    for (size_t i = 0; i < spec->layer_count; i++) {
        layers[count++] = spec->layers[i];
        if (spec->layers[i].type == OCK_ACTIVATION)
            layers[count++] = (struct ock_layer_spec){.type = OCK_DROPOUT};
    }
    free(spec->layers);
    spec->layers = layers;
    spec->layer_count = count;
    if (count > OCK_LAYERS_MAX)
        return ock_fail(err, OCK_LIMIT, "with dropout the network has %zu layers, the limit is %u",
                        count, OCK_LAYERS_MAX);
    return OCK_OK;
}

/* The layers are there at a rate of 0 too: positions decide the first weights, which have to be the
 * same for all trials. */
static enum ock_status set_dropout(struct ock_spec *spec, double rate, struct ock_err *err)
{
    enum ock_status status = has_dropout(spec) ? OCK_OK : insert_dropout(spec, err);
    for (size_t i = 1; i < spec->layer_count && status == OCK_OK; i++) {
        if (spec->layers[i].type == OCK_DROPOUT)
            spec->layers[i].rate = rate;
    }
    return status;
}

enum ock_status ock_spec_set_strength(struct ock_spec *spec, const double values[OCK_AXES],
                                      struct ock_err *err)
{
    struct ock_axis_spec *axes = spec->tune.axes;
    enum ock_status status = OCK_OK;
    if (axes[OCK_AXIS_L1].given)
        spec->regularization.l1 = values[OCK_AXIS_L1];
    if (axes[OCK_AXIS_L2].given)
        spec->regularization.l2 = values[OCK_AXIS_L2];
    if (axes[OCK_AXIS_WEIGHT_DECAY].given)
        spec->optimizer.weight_decay = values[OCK_AXIS_WEIGHT_DECAY];
    ock_spec_spread_penalty(spec);
    if (axes[OCK_AXIS_DROPOUT].given)
        status = set_dropout(spec, values[OCK_AXIS_DROPOUT], err);
    for (size_t i = 0; i < OCK_AXES; i++)
        free(axes[i].list);
    spec->tune = (struct ock_tune_spec){0};
    return status;
}
