/* What does not go together, and why. Each check is a sentence for the one who sent both; a key
 * that is wrong in itself takes no part, so that one slip gives one fault. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/train/spec_keys.h"

static bool is_within(const char *pointer, const char *section)
{
    size_t length = strlen(section);
    return strncmp(pointer, section, length) == 0 &&
           (pointer[length] == '\0' || pointer[length] == '/');
}

bool ock_spec_clean(const struct ock_faults *faults, const char *pointer)
{
    for (size_t i = 0; i < faults->count; i++)
        if (is_within(faults->items[i].pointer, pointer) ||
            is_within(pointer, faults->items[i].pointer))
            return false;
    return true;
}

void ock_spec_refuse(struct ock_faults *faults, const char *pointer, const char *other,
                     const char *why)
{
    if (ock_spec_clean(faults, pointer) && ock_spec_clean(faults, other))
        (void)ock_faults_add(faults, pointer, "unsupported_combination", "%s", why);
}

static void check_l1_method(const struct ock_spec *spec, struct ock_faults *faults)
{
    static const char method[] = "/regularization/l1_method";
    const struct ock_optimizer_spec *optimizer = &spec->optimizer;
    enum ock_l1_method l1_method = spec->regularization.l1_method;
    if (l1_method == OCK_PROXIMAL && optimizer->nesterov)
        ock_spec_refuse(
            faults, method, "/optimizer/nesterov",
            "proximal corrects the momentum for what it took away, which is worked out for "
            "plain momentum alone; switch nesterov off");
    if (l1_method == OCK_CUMULATIVE && optimizer->name != OCK_SGD)
        ock_spec_refuse(faults, method, "/optimizer/name",
                        "cumulative is defined for plain sgd; take proximal with adam");
    if (l1_method == OCK_CUMULATIVE && optimizer->momentum > 0)
        ock_spec_refuse(
            faults, method, "/optimizer/momentum",
            "cumulative is defined for sgd without momentum; take proximal or momentum 0");
}

static void check_optimizer(const struct ock_spec *spec, struct ock_faults *faults)
{
    const struct ock_optimizer_spec *optimizer = &spec->optimizer;
    static const char name[] = "/optimizer/name";
    if (optimizer->name == OCK_SGD) {
        if (optimizer->nesterov && !(optimizer->momentum > 0))
            ock_spec_refuse(faults, "/optimizer/nesterov", "/optimizer/momentum",
                            "nesterov looks ahead along the momentum and needs one above 0");
        if (optimizer->beta1 != 0.9 || optimizer->beta2 != 0.999)
            ock_spec_refuse(faults, "/optimizer/betas", name,
                            "sgd has no betas; momentum is its own key");
        if (optimizer->eps != 1e-8)
            ock_spec_refuse(faults, "/optimizer/eps", name,
                            "sgd divides by nothing and has no eps");
        return;
    }
    if (optimizer->momentum > 0)
        ock_spec_refuse(faults, "/optimizer/momentum", name,
                        "adam has its momentum in betas; leave momentum at 0");
    if (optimizer->nesterov)
        ock_spec_refuse(faults, "/optimizer/nesterov", name, "nesterov is for sgd with momentum");
}

/* The largest l2 of any layer, resolved or not. */
static double largest_l2(const struct ock_spec *spec)
{
    double most = spec->regularization.l2;
    for (size_t i = 0; i < spec->layer_count; i++)
        if (spec->layers[i].l2_given && spec->layers[i].l2 > most)
            most = spec->layers[i].l2;
    return most;
}

/* weight_decay where it acts on the weights at once. Coupled with adam, it passes the division by
 * the gradient's size. */
static double direct_decay(const struct ock_optimizer_spec *optimizer)
{
    bool direct = optimizer->name != OCK_ADAM || optimizer->decoupled;
    return direct ? optimizer->weight_decay : 0;
}

double ock_spec_lr_limit(const struct ock_spec *spec)
{
    double decay = 2 * largest_l2(spec) + direct_decay(&spec->optimizer);
    return decay > 0 ? 1 / decay : (double)INFINITY;
}

/* One step must not turn a weight around: lr * (2 * l2 + weight_decay) < 1. */
static void check_decay_of(const struct ock_spec *spec, const char *pointer, double l2,
                           struct ock_faults *faults)
{
    double lr = spec->optimizer.lr;
    double decay = direct_decay(&spec->optimizer);
    if (!(l2 > 0) || lr * decay >= 1 || lr * (2 * l2 + decay) < 1)
        return;
    char why[300];
    (void)snprintf(why, sizeof(why),
                   "one step would turn each weight's sign: lr * (2 * l2 + weight_decay) is %g and "
                   "must be below 1; lower l2 or lr",
                   lr * (2 * l2 + decay));
    ock_spec_refuse(faults, pointer, "/optimizer/lr", why);
}

static void check_decay(const struct ock_spec *spec, struct ock_faults *faults)
{
    const struct ock_optimizer_spec *optimizer = &spec->optimizer;
    bool searched =
        spec->tune.axes[OCK_AXIS_L2].given || spec->tune.axes[OCK_AXIS_WEIGHT_DECAY].given;
    if (optimizer->decoupled && !(optimizer->weight_decay > 0) && !(largest_l2(spec) > 0) &&
        !searched)
        ock_spec_refuse(faults, "/optimizer/decoupled", "/regularization",
                        "there is no decay to decouple: weight_decay and l2 are 0");
    if (optimizer->lr_auto || !ock_spec_clean(faults, "/optimizer/weight_decay"))
        return;
    if (optimizer->lr * direct_decay(optimizer) >= 1)
        ock_spec_refuse(
            faults, "/optimizer/weight_decay", "/optimizer/lr",
            "one step would turn each weight's sign: lr * weight_decay must be below 1");
    check_decay_of(spec, "/regularization/l2", spec->regularization.l2, faults);
    for (size_t i = 0; i < spec->layer_count; i++) {
        char pointer[64];
        (void)snprintf(pointer, sizeof(pointer), "/regularization/layers/%zu/l2", i);
        if (spec->layers[i].l2_given)
            check_decay_of(spec, pointer, spec->layers[i].l2, faults);
    }
}

static void check_schedule(const struct ock_spec *spec, struct ock_faults *faults)
{
    const struct ock_optimizer_spec *optimizer = &spec->optimizer;
    const struct ock_schedule_spec *schedule = &optimizer->schedule;
    if (schedule->warmup_epochs > 0 && schedule->warmup_epochs >= (double)spec->train.epochs)
        ock_spec_refuse(faults, "/optimizer/schedule/warmup_epochs", "/train/epochs",
                        "the warm-up would never end: it must be shorter than train.epochs");
    if (schedule->name == OCK_COSINE && !optimizer->lr_auto && schedule->min > optimizer->lr)
        ock_spec_refuse(faults, "/optimizer/schedule/min", "/optimizer/lr",
                        "the least learning rate is above lr, where the schedule begins");
}

bool ock_spec_has_validation(const struct ock_spec *spec)
{
    return spec->data.validation.fraction > 0 || spec->data.validation.dataset;
}

/* named: parts are datasets of a server; at the command line they are files, two of which may bear
 * one name. */
static void check_parts(const struct ock_spec *spec, bool named, struct ock_faults *faults)
{
    const struct ock_part *validation = &spec->data.validation;
    const struct ock_part *test = &spec->data.test;
    const struct ock_early_stopping_spec *stopping = &spec->train.early_stopping;
    bool folds = spec->tune.on && spec->tune.folds > 0; /* they take no validation rows off */
    if (!folds && validation->fraction + test->fraction >= 1 &&
        ock_spec_clean(faults, "/data/validation") && ock_spec_clean(faults, "/data/test"))
        (void)ock_faults_add(faults, "/data/test", "out_of_range",
                             "validation and test together take %g of the rows and leave none to "
                             "train on",
                             validation->fraction + test->fraction);
    if (named && validation->dataset && test->dataset &&
        strcmp(validation->dataset, test->dataset) == 0)
        ock_spec_refuse(faults, "/data/test", "/data/validation",
                        "test rows must never have been seen, and validation has seen these");
    if (stopping->on && !folds && !ock_spec_has_validation(spec) &&
        strncmp(ock_metric_name(stopping->metric), "validation.", 11) == 0)
        ock_spec_refuse(
            faults, "/train/early_stopping", "/data/validation",
            "it watches validation rows and there are none; set data.validation or another "
            "metric, such as train.data_loss");
}

static bool names_column(const struct ock_data_spec *data, const char *name, size_t *place)
{
    for (size_t i = 0; i < data->feature_count; i++) {
        if (strcmp(data->features[i], name) == 0) {
            *place = i;
            return true;
        }
    }
    return false;
}

static void check_columns(const struct ock_spec *spec, struct ock_faults *faults)
{
    const struct ock_data_spec *data = &spec->data;
    char pointer[64];
    size_t place;
    if (data->target && data->weights && strcmp(data->target, data->weights) == 0)
        ock_spec_refuse(faults, "/data/weights", "/data/target",
                        "the target can't be the weights of its own rows");
    if (!ock_spec_clean(faults, "/data/features"))
        return; /* places would not be those of the document */
    if (data->target && names_column(data, data->target, &place)) {
        (void)snprintf(pointer, sizeof(pointer), "/data/features/%zu", place);
        ock_spec_refuse(faults, pointer, "/data/target", "the target can't be a feature");
    }
    if (data->weights && names_column(data, data->weights, &place)) {
        (void)snprintf(pointer, sizeof(pointer), "/data/features/%zu", place);
        ock_spec_refuse(faults, pointer, "/data/weights", "the sample weights can't be a feature");
    }
}

static void check_max_norm(const struct ock_spec *spec, struct ock_faults *faults)
{
    size_t linear = 0;
    for (size_t i = 0; i < spec->layer_count; i++)
        linear += spec->layers[i].type == OCK_LINEAR;
    if (spec->regularization.max_norm > 0 && linear == 1)
        ock_spec_refuse(faults, "/regularization/max_norm", "/model",
                        "max_norm limits the units of hidden layers and this model has none");
}

static void check_shards(const struct ock_spec *spec, struct ock_faults *faults)
{
    if (spec->train.shards > spec->train.batch_size)
        ock_spec_refuse(faults, "/train/shards", "/train/batch_size",
                        "a minibatch can't be cut into more shards than it has rows");
}

/* The outputs that the loss has, against the units that the last layer was given. */
static void check_outputs(const struct ock_spec *spec, struct ock_faults *faults)
{
    if (spec->layer_count == 0)
        return;
    size_t units = spec->layers[spec->layer_count - 1].units;
    char pointer[64];
    (void)snprintf(pointer, sizeof(pointer), "/model/layers/%zu/units", spec->layer_count - 1);
    if (units == 1 && spec->loss == OCK_CROSS_ENTROPY)
        ock_spec_refuse(faults, pointer, "/loss",
                        "cross_entropy needs an output for each class; with one output take "
                        "binary_cross_entropy");
    if (units > 1 && spec->loss == OCK_BINARY_CROSS_ENTROPY)
        ock_spec_refuse(faults, pointer, "/loss",
                        "binary_cross_entropy has one output, the second class' probability");
    if (units > 1 && spec->loss >= OCK_MSE)
        ock_spec_refuse(faults, pointer, "/loss", "a number target has one output");
}

void ock_spec_check_target(const struct ock_spec *spec, enum ock_target_kind kind,
                           struct ock_faults *faults)
{
    static const char metric_pointer[] = "/train/early_stopping/metric";
    const struct ock_data_spec *data = &spec->data;
    enum ock_metric metric = spec->train.early_stopping.metric;
    bool accuracy = metric == OCK_METRIC_VALIDATION_ACCURACY || metric == OCK_METRIC_TRAIN_ACCURACY;
    bool error = metric == OCK_METRIC_VALIDATION_RMSE || metric == OCK_METRIC_VALIDATION_MAE ||
                 metric == OCK_METRIC_VALIDATION_R2;
    if (kind == OCK_TARGET_NUMBER) {
        if (data->stratify_given && data->stratify)
            ock_spec_refuse(faults, "/data/stratify", "/loss",
                            "rows are stratified by class and the target is a number");
        if (data->class_weight != OCK_CLASS_WEIGHT_NONE)
            ock_spec_refuse(faults, "/data/class_weight", "/loss",
                            "the target is a number and has no classes to weigh");
        if (accuracy)
            ock_spec_refuse(faults, metric_pointer, "/loss", "a number target has no accuracy");
    } else {
        if (data->target_scaling_given && data->target_scaling)
            ock_spec_refuse(faults, "/data/target_scaling", "/loss", "classes can't be scaled");
        if (error)
            ock_spec_refuse(faults, metric_pointer, "/loss",
                            "classes have no such metric; take validation.data_loss or "
                            "validation.accuracy");
    }
}

static void check_loss(const struct ock_spec *spec, struct ock_faults *faults)
{
    enum ock_target_type type = spec->data.target_type;
    bool number_loss = spec->loss >= OCK_MSE;
    bool class_loss = spec->loss == OCK_CROSS_ENTROPY || spec->loss == OCK_BINARY_CROSS_ENTROPY;
    if (type == OCK_TARGET_TYPE_CLASSES && number_loss)
        ock_spec_refuse(faults, "/loss", "/data/target_type",
                        "this loss is for numbers and target_type says classes");
    if (type == OCK_TARGET_TYPE_NUMBER && class_loss)
        ock_spec_refuse(faults, "/loss", "/data/target_type",
                        "this loss is for classes and target_type says number");
    if (number_loss || type == OCK_TARGET_TYPE_NUMBER)
        ock_spec_check_target(spec, OCK_TARGET_NUMBER, faults);
    else if (class_loss || type == OCK_TARGET_TYPE_CLASSES)
        ock_spec_check_target(spec, OCK_TARGET_CLASSES, faults);
}

void ock_spec_check_combinations(struct ock_spec_parser *parser)
{
    const struct ock_spec *spec = parser->spec;
    struct ock_faults *faults = parser->faults;
    check_l1_method(spec, faults);
    check_optimizer(spec, faults);
    check_decay(spec, faults);
    check_schedule(spec, faults);
    check_parts(spec, parser->need_dataset, faults);
    check_columns(spec, faults);
    check_max_norm(spec, faults);
    check_shards(spec, faults);
    check_outputs(spec, faults);
    check_loss(spec, faults);
    if (spec->tune.on)
        ock_spec_check_tune(spec, faults);
}
