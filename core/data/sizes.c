/* The sizes of a job's data, reading no more of them than they depend on. */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/limits.h"
#include "core/data/classes.h"
#include "core/data/data.h"
#include "core/data/encoder.h"
#include "core/data/selection.h"
#include "core/data/sparse_table.h"
#include "core/data/split.h"

/* What the sizes are found with, in this order. */
struct measure {
    const struct ock_data_spec *spec;
    const struct ock_dataset *train;
    struct ock_selection columns;
    struct ock_classes classes;
    int32_t *labels;     /* [rows]; NULL: the split does not look at them */
    unsigned char *part; /* [rows] */
    uint32_t *rows;      /* of training */
};

static void measure_deinit(struct measure *measure)
{
    ock_selection_deinit(&measure->columns);
    ock_classes_deinit(&measure->classes);
    free(measure->labels);
    free(measure->part);
    free(measure->rows);
}

static enum ock_status no_memory(struct ock_err *err)
{
    return ock_fail(err, OCK_NOMEM, "out of memory for the sizes of the data");
}

static enum ock_status label(struct measure *measure, struct ock_err *err)
{
    const struct ock_dataset *train = measure->train;
    size_t target = measure->columns.target;
    measure->labels = malloc(ock_dataset_schema(train)->rows * sizeof(*measure->labels));
    enum ock_status status =
        measure->labels ? ock_classes_init(&measure->classes, train, target, err) : no_memory(err);
    if (status == OCK_OK)
        status = ock_classes_label(&measure->classes, train, target, measure->labels, "", err);
    return status;
}

/* Leaves the columns that depend on the rows that train; the others make one feature each. */
static size_t count_plain(struct measure *measure)
{
    struct ock_selection *columns = &measure->columns;
    size_t left = 0;
    for (size_t i = 0; i < columns->count; i++) {
        if (!ock_encoder_is_plain(measure->train, columns->features[i]))
            columns->features[left++] = columns->features[i];
    }
    size_t plain = columns->count - left;
    columns->count = left;
    return plain;
}

/* Adds the features of the columns that are left. */
static enum ock_status count_features(struct measure *measure, const struct ock_split *split,
                                      struct ock_data_sizes *sizes, struct ock_err *err)
{
    size_t counts[OCK_PARTS];
    size_t count = 0;
    struct ock_encoder encoder = {0};
    measure->part = malloc(split->rows);
    measure->rows = malloc(split->rows * sizeof(*measure->rows));
    if (!measure->part || !measure->rows)
        return no_memory(err);
    enum ock_status status = ock_split_make(split, measure->part, counts, err);
    for (size_t row = 0; row < split->rows && status == OCK_OK; row++) {
        if (measure->part[row] == OCK_PART_TRAIN)
            measure->rows[count++] = (uint32_t)row;
    }
    if (status == OCK_OK)
        status = ock_encoder_fit(&encoder, measure->train, measure->columns.features,
                                 measure->columns.count, measure->rows, count, err);
    const char *rare = ock_encoder_rare_text(&encoder);
    sizes->features += encoder.features;
    (void)snprintf(sizes->rare_text, sizeof(sizes->rare_text), "%s", rare ? rare : "");
    ock_encoder_deinit(&encoder);
    return status;
}

static void count_terms(struct ock_data_sizes *sizes, const struct ock_dataset *dataset)
{
    size_t terms, row_max;
    ock_dataset_terms(dataset, &terms, &row_max);
    sizes->nonzeros += terms;
    sizes->row_terms_max = row_max > sizes->row_terms_max ? row_max : sizes->row_terms_max;
}

enum ock_status ock_data_measure(struct ock_data_sizes *out, const struct ock_spec *spec,
                                 const struct ock_dataset *train,
                                 const struct ock_dataset *validation,
                                 const struct ock_dataset *test, struct ock_err *err)
{
    const struct ock_schema *schema = ock_dataset_schema(train);
    struct measure measure = {.spec = &spec->data, .train = train};
    struct ock_data_sizes sizes = {.sparse = schema->sparse};
    size_t counts[OCK_PARTS];
    enum ock_status status = ock_selection_init(&measure.columns, &spec->data, train, "", err);
    if (status == OCK_OK && spec->data.stratify &&
        spec->data.target_type == OCK_TARGET_TYPE_CLASSES)
        status = label(&measure, err);
    bool no_fraction = validation || spec->tune.on; /* a search's refit takes all rows */
    struct ock_split split = ock_split_of(&spec->data, schema->rows, measure.labels,
                                          measure.classes.count, no_fraction, test != NULL);
    if (status == OCK_OK)
        status = ock_split_counts(&split, counts, err);
    sizes.features = count_plain(&measure);
    if (status == OCK_OK && measure.columns.count > 0)
        status = count_features(&measure, &split, &sizes, err);
    if (status == OCK_OK && sizes.features > OCK_COLUMNS_MAX)
        status = ock_fail(err, OCK_LIMIT,
                          "the columns make %zu features, the limit is %zu; leave out text columns "
                          "of many values with data.features",
                          sizes.features, OCK_COLUMNS_MAX);
    if (status == OCK_OK) {
        sizes.train_rows = counts[OCK_PART_TRAIN];
        sizes.validation_rows =
            validation ? ock_dataset_schema(validation)->rows : counts[OCK_PART_VALIDATION];
        sizes.test_rows = test ? ock_dataset_schema(test)->rows : counts[OCK_PART_TEST];
        count_terms(&sizes, train);
        count_terms(&sizes, validation);
        count_terms(&sizes, test);
        *out = sizes;
    }
    measure_deinit(&measure);
    return status;
}
