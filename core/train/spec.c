/* The spec as a value: its words, its end, its copy. */
#include "core/train/spec.h"

#include <stdlib.h>

#include "core/base/json.h"
#include "core/train/spec_keys.h"

/* Each list in the order of its enum. */
const char *const ock_loss_words[] = {
    "auto", "cross_entropy", "binary_cross_entropy", "mse", "huber", "mae", NULL};
const char *const ock_target_type_words[] = {"auto", "classes", "number", NULL};
const char *const ock_scaling_words[] = {"auto", "standard", "minmax", "none", NULL};
const char *const ock_layer_type_words[] = {"linear", "activation", "dropout", NULL};
const char *const ock_activation_words[] = {"identity", "relu",       "tanh", "sigmoid",
                                            "gelu",     "leaky_relu", NULL};
const char *const ock_l1_method_words[] = {"subgradient", "proximal", "cumulative", NULL};
const char *const ock_rule_words[] = {"sgd", "adam", "adamw", NULL};
const char *const ock_schedule_words[] = {"constant", "step",    "exponential",
                                          "cosine",   "plateau", NULL};
const char *const ock_metric_words[] = {
    "validation.data_loss", "validation.accuracy", "train.data_loss",
    "train.accuracy",       "validation.rmse",     "validation.mae",
    "validation.r2",        "objective",           NULL};
const char *const ock_which_words[] = {"best", "last", NULL};
const char *const ock_on_nonfinite_words[] = {"rollback", "fail", NULL};
const char *const ock_fold_assignment_words[] = {"auto", "stratified", "random", "modulo", NULL};
const char *const ock_tune_rule_words[] = {"1se", "min", NULL};
const char *const ock_axis_scale_words[] = {"log", "linear", NULL};

const char *ock_loss_name(enum ock_loss loss)
{
    return ock_loss_words[loss];
}

const char *ock_activation_name(enum ock_activation activation)
{
    return ock_activation_words[activation];
}

const char *ock_rule_name(enum ock_rule rule)
{
    return ock_rule_words[rule];
}

const char *ock_l1_method_name(enum ock_l1_method method)
{
    return ock_l1_method_words[method];
}

const char *ock_schedule_text(enum ock_schedule_name name)
{
    return ock_schedule_words[name];
}

const char *ock_metric_name(enum ock_metric metric)
{
    return ock_metric_words[metric];
}

const char *ock_fold_assignment_name(enum ock_fold_assignment assignment)
{
    return ock_fold_assignment_words[assignment];
}

const char *ock_tune_rule_name(enum ock_tune_rule rule)
{
    return ock_tune_rule_words[rule];
}

static void free_texts(char **texts, size_t count)
{
    for (size_t i = 0; texts && i < count; i++)
        free(texts[i]);
    free(texts);
}

static void free_data(struct ock_data_spec *data)
{
    free(data->dataset);
    free_texts(data->features, data->feature_count);
    free(data->target);
    free(data->validation.dataset);
    free(data->test.dataset);
    free(data->weights);
    for (size_t i = 0; data->class_weights && i < data->class_weight_count; i++)
        free(data->class_weights[i].name);
    free(data->class_weights);
}

void ock_spec_free(struct ock_spec *spec)
{
    if (!spec)
        return;
    free(spec->name);
    cJSON_Delete(spec->labels);
    free_data(&spec->data);
    free(spec->layers);
    free(spec->init.job);
    for (size_t i = 0; i < OCK_AXES; i++)
        free(spec->tune.axes[i].list);
    free(spec);
}

/* What the text of a spec does not tell. */
static void copy_state(struct ock_spec *to, const struct ock_spec *from)
{
    to->data.has_inline = from->data.has_inline;
    to->data.stratify_given = from->data.stratify_given;
    to->data.target_scaling_given = from->data.target_scaling_given;
    for (size_t i = 0; i < to->layer_count; i++) {
        to->layers[i].l1 = from->layers[i].l1;
        to->layers[i].l2 = from->layers[i].l2;
    }
    to->optimizer.lr_auto = from->optimizer.lr_auto;
    to->optimizer.lr = from->optimizer.lr;
    to->resolved = from->resolved;
}

enum ock_status ock_spec_copy(struct ock_spec **out, const struct ock_spec *spec,
                              struct ock_err *err)
{
    struct ock_buf text;
    struct ock_spec *copy = NULL;
    cJSON *json = NULL;
    /* Heap, not stack: 55 KiB. */
    struct ock_faults *faults = calloc(1, sizeof(*faults));
    ock_buf_init(&text, OCK_JSON_BYTES_MAX);
    enum ock_status status = OCK_OK;
    if (!faults) {
        status = ock_fail(err, OCK_NOMEM, "out of memory for a copy of the job spec");
        goto done;
    }
    struct ock_spec plain = *spec; /* borrows all that spec owns */
    if (plain.optimizer.lr_auto)
        plain.optimizer.lr = 0; /* a found one need not pass the checks of a given one */
    ock_spec_write(&plain, &text);
    status = ock_buf_status(&text, err);
    if (status != OCK_OK)
        goto done;
    status = ock_json_parse(&json, text.data, text.size, faults, err);
    if (status != OCK_OK)
        goto done;
    status = ock_spec_parse(&copy, json, false, faults, err);
    if (status != OCK_OK)
        goto done;
    copy_state(copy, spec);
    *out = copy;
done:
    cJSON_Delete(json);
    ock_buf_deinit(&text);
    free(faults);
    return status;
}
