/* The spec meets its data: columns by name, the target's kind, loss, outputs. Everything is judged
 * first and applied at the end, so that a spec with faults stays as it was sent. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/train/spec_columns.h"
#include "core/train/spec_keys.h"

/* The kind that the spec demands, by type or loss, else the one that the column suggests. */
static enum ock_target_kind kind_of(const struct ock_spec *spec, const struct ock_schema *schema,
                                    size_t target)
{
    if (spec->data.target_type != OCK_TARGET_TYPE_AUTO)
        return spec->data.target_type == OCK_TARGET_TYPE_CLASSES ? OCK_TARGET_CLASSES
                                                                 : OCK_TARGET_NUMBER;
    if (spec->loss != OCK_LOSS_AUTO)
        return spec->loss >= OCK_MSE ? OCK_TARGET_NUMBER : OCK_TARGET_CLASSES;
    const char *because;
    return ock_schema_target_kind(schema, target, &because);
}

static void check_classes(const struct ock_spec *spec, const struct ock_column *column,
                          struct ock_faults *faults)
{
    if (column->value_count == 0)
        (void)ock_faults_add(faults, "/data/target", "out_of_range",
                             "the column \"%.100s\" has more than %d distinct values, too many to "
                             "be classes; for a number target set target_type to number",
                             column->name, OCK_DISTINCT_MAX);
    else if (column->value_count < 2)
        (void)ock_faults_add(faults, "/data/target", "out_of_range",
                             "the column \"%.100s\" has one class alone, \"%.100s\"; telling "
                             "classes apart needs two",
                             column->name, column->values[0]);
    else if (column->value_count > OCK_CLASSES_MAX)
        (void)ock_faults_add(faults, "/data/target", "out_of_range",
                             "the column \"%.100s\" has %zu classes, the limit is %zu",
                             column->name, column->value_count, OCK_CLASSES_MAX);
    else if (spec->loss == OCK_BINARY_CROSS_ENTROPY && column->value_count != 2)
        (void)ock_faults_add(faults, "/loss", "unsupported_combination",
                             "binary_cross_entropy tells two classes apart and \"%.100s\" has "
                             "%zu; take cross_entropy",
                             column->name, column->value_count);
}

static void check_class_weights(const struct ock_spec *spec, const struct ock_column *column,
                                struct ock_faults *faults)
{
    for (size_t i = 0; i < spec->data.class_weight_count; i++) {
        const char *name = spec->data.class_weights[i].name;
        char pointer[320] = "/data/class_weight";
        if (ock_column_has_value(column, name))
            continue;
        ock_json_pointer_add(pointer, sizeof(pointer), name);
        struct ock_fault *fault = ock_faults_add(faults, pointer, "unknown_value",
                                                 "the column \"%.100s\" has no class "
                                                 "of this name",
                                                 column->name);
        const char *nearest = ock_nearest_word(name, column->values, column->value_count);
        if (fault && nearest)
            (void)snprintf(fault->suggestion, sizeof(fault->suggestion), "%s", nearest);
    }
}

static void check_target(const struct ock_spec *spec, struct ock_columns *columns,
                         struct ock_faults *faults)
{
    const struct ock_column *column = &columns->schema->columns[columns->target];
    if (column->missing > 0)
        (void)ock_faults_add(faults, "/data/target", "unsupported",
                             "the column \"%.100s\" has %zu rows without a value; leave these rows "
                             "out of the file",
                             column->name, column->missing);
    columns->kind = kind_of(spec, columns->schema, columns->target);
    if (columns->kind == OCK_TARGET_CLASSES) {
        check_classes(spec, column, faults);
        check_class_weights(spec, column, faults);
    } else if (column->type == OCK_COLUMN_CATEGORY) {
        (void)ock_faults_add(faults, "/data/target", "wrong_type",
                             "the column \"%.100s\" holds text and can't be a number target",
                             column->name);
    }
    ock_spec_check_target(spec, columns->kind, faults);
}

static enum ock_loss loss_of(const struct ock_spec *spec, enum ock_target_kind kind)
{
    if (spec->loss != OCK_LOSS_AUTO)
        return spec->loss;
    return kind == OCK_TARGET_CLASSES ? OCK_CROSS_ENTROPY : OCK_MSE;
}

static size_t outputs_of(const struct ock_spec *spec, const struct ock_columns *columns)
{
    if (loss_of(spec, columns->kind) != OCK_CROSS_ENTROPY)
        return 1;
    return columns->schema->columns[columns->target].value_count;
}

static void check_units(const struct ock_spec *spec, const struct ock_columns *columns,
                        struct ock_faults *faults)
{
    size_t units = spec->layers[spec->layer_count - 1].units;
    size_t outputs = outputs_of(spec, columns);
    char pointer[64];
    (void)snprintf(pointer, sizeof(pointer), "/model/layers/%zu/units", spec->layer_count - 1);
    if (units != 0 && units != outputs && ock_spec_clean(faults, "/data/target") &&
        ock_spec_clean(faults, "/loss"))
        (void)ock_faults_add(faults, pointer, "unsupported_combination",
                             "the target \"%.100s\" with %s needs %zu outputs; leave units out",
                             columns->schema->columns[columns->target].name,
                             ock_loss_name(loss_of(spec, columns->kind)), outputs);
}

/* Rows for validation: none when a fraction of few rows is less than one. */
static void check_rows(const struct ock_spec *spec, const struct ock_schema *train,
                       const struct ock_schema *validation, struct ock_faults *faults)
{
    const struct ock_early_stopping_spec *stopping = &spec->train.early_stopping;
    const char *metric = ock_metric_name(stopping->metric);
    bool folds = spec->tune.on && spec->tune.folds > 0;
    double rows = spec->data.validation.dataset
                      ? validation ? (double)validation->rows : 1
                      : spec->data.validation.fraction * (double)train->rows;
    if (train->rows == 0)
        (void)ock_faults_add(faults, "/data/dataset", "out_of_range", "the dataset has no rows");
    else if (stopping->on && !folds && strncmp(metric, "validation.", 11) == 0 && rows < 1)
        (void)ock_faults_add(faults, "/train/early_stopping", "unsupported_combination",
                             "it watches validation rows and %g of %zu rows is none",
                             spec->data.validation.fraction, train->rows);
}

static void check_tune(const struct ock_spec *spec, const struct ock_columns *columns,
                       struct ock_faults *faults)
{
    const struct ock_tune_spec *tune = &spec->tune;
    if (tune->folds > columns->schema->rows)
        (void)ock_faults_add(faults, "/tune/folds", "unsupported_combination",
                             "each of %u folds needs a row, and there are %zu rows", tune->folds,
                             columns->schema->rows);
    if (tune->fold_assignment == OCK_FOLDS_STRATIFIED && columns->kind == OCK_TARGET_NUMBER)
        (void)ock_faults_add(faults, "/tune/fold_assignment", "unsupported_combination",
                             "rows are stratified by class and the target is a number; take "
                             "random");
}

static char **copy_names(const struct ock_columns *columns)
{
    char **names = calloc(columns->feature_count, sizeof(*names));
    bool whole = names != NULL;
    for (size_t i = 0; whole && i < columns->feature_count; i++) {
        names[i] = strdup(columns->schema->columns[columns->features[i]].name);
        whole = names[i] != NULL;
    }
    for (size_t i = 0; names && !whole && i < columns->feature_count; i++)
        free(names[i]);
    if (!whole) {
        free(names);
        return NULL;
    }
    return names;
}

void ock_spec_spread_penalty(struct ock_spec *spec)
{
    for (size_t i = 0; i < spec->layer_count; i++) {
        struct ock_layer_spec *layer = &spec->layers[i];
        if (layer->type != OCK_LINEAR)
            continue;
        if (!layer->l1_given)
            layer->l1 = spec->regularization.l1;
        if (!layer->l2_given)
            layer->l2 = spec->regularization.l2;
    }
}

/* Cannot fail once the names are copied: takes them. */
static void apply(struct ock_spec *spec, const struct ock_columns *columns, char *target,
                  char **features)
{
    bool classes = columns->kind == OCK_TARGET_CLASSES;
    struct ock_data_spec *data = &spec->data;
    free(data->target);
    data->target = target;
    for (size_t i = 0; i < data->feature_count; i++)
        free(data->features[i]);
    free(data->features);
    data->features = features;
    data->feature_count = columns->feature_count;
    data->target_type = classes ? OCK_TARGET_TYPE_CLASSES : OCK_TARGET_TYPE_NUMBER;
    if (!data->stratify_given)
        data->stratify = classes;
    if (!data->target_scaling_given)
        data->target_scaling = !classes;
    spec->layers[spec->layer_count - 1].units = outputs_of(spec, columns);
    ock_spec_spread_penalty(spec);
    if (spec->tune.on && spec->tune.fold_assignment == OCK_FOLDS_AUTO && spec->tune.folds > 0)
        spec->tune.fold_assignment = classes ? OCK_FOLDS_STRATIFIED : OCK_FOLDS_RANDOM;
    spec->loss = loss_of(spec, columns->kind);
    if (spec->train.report_every == 0)
        spec->train.report_every = (spec->train.epochs + 9999) / 10000;
    spec->resolved = true;
}

static enum ock_status publish(struct ock_spec *spec, const struct ock_columns *columns,
                               struct ock_err *err)
{
    char *target = strdup(columns->schema->columns[columns->target].name);
    char **features = copy_names(columns);
    if (!target || !features) {
        for (size_t i = 0; features && i < columns->feature_count; i++)
            free(features[i]);
        free(features);
        free(target);
        return ock_fail(err, OCK_NOMEM, "out of memory for the names of %zu features",
                        columns->feature_count);
    }
    apply(spec, columns, target, features);
    return OCK_OK;
}

static void check_all(const struct ock_spec *spec, struct ock_columns *columns,
                      const struct ock_schema *validation, const struct ock_schema *test,
                      struct ock_faults *faults)
{
    ock_columns_find(columns, spec, faults);
    ock_columns_check_sparse(columns, spec, faults);
    if (columns->target != SIZE_MAX) {
        check_target(spec, columns, faults);
        check_units(spec, columns, faults);
        if (spec->tune.on)
            check_tune(spec, columns, faults);
    }
    check_rows(spec, columns->schema, validation, faults);
    if (validation && spec->data.validation.dataset)
        ock_columns_compare(columns, validation, "/data/validation", faults);
    if (test && spec->data.test.dataset)
        ock_columns_compare(columns, test, "/data/test", faults);
}

enum ock_status ock_spec_resolve(struct ock_spec *spec, const struct ock_schema *train,
                                 const struct ock_schema *validation, const struct ock_schema *test,
                                 struct ock_faults *faults, struct ock_err *err)
{
    struct ock_columns columns = {.schema = train};
    size_t faults_before = faults->count + faults->dropped;
    enum ock_status status = OCK_OK;
    if (spec->resolved)
        return OCK_OK;
    assert(spec->layer_count > 0);
    columns.features = calloc(train->column_count + 1, sizeof(*columns.features));
    if (!columns.features)
        return ock_fail(err, OCK_NOMEM, "out of memory for the features of %zu columns",
                        train->column_count);
    check_all(spec, &columns, validation, test, faults);
    size_t found = faults->count + faults->dropped - faults_before;
    if (found > 0)
        status = ock_fail(err, OCK_INVALID,
                          "the job spec has %zu faults with this data, the first "
                          "at \"%s\": %s",
                          found,
                          faults_before < faults->count ? faults->items[faults_before].pointer : "",
                          faults_before < faults->count ? faults->items[faults_before].detail
                                                        : "see the list of faults");
    else
        status = publish(spec, &columns, err);
    free(columns.features);
    return status;
}
