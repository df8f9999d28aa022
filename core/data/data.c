/* From a resolved spec and open datasets to rows that can be trained on. The order is the one in
 * which things depend on each other: columns, classes and labels, split, scalers (of the training
 * rows alone), weights; then everything is immutable. */
#include "core/data/data.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/data/class_weights.h"
#include "core/data/classes.h"
#include "core/data/cut.h"
#include "core/data/folds.h"
#include "core/data/scaler.h"
#include "core/data/selection.h"
#include "core/data/source.h"
#include "core/data/split.h"
#include "core/data/table.h"

/* One dataset of the job; [0] is the training dataset. */
struct input {
    const struct ock_dataset *dataset; /* NULL: not given */
    const char *what;                  /* "", "validation dataset: ", for errors */
    struct ock_selection columns;
    struct ock_table table;
    float *weights; /* owned, [rows]; NULL: all are 1 */
};

struct job_data {
    struct ock_data data;
    int cut;         /* a fold's number, or of OCK_CUT_… */
    bool test_given; /* the test rows are a dataset of their own */
    struct input inputs[OCK_PARTS];
    struct ock_classes classes;
    float *train_weights; /* owned: with class_weight, for training rows; or NULL */
    struct ock_source sources[OCK_PARTS];
    uint32_t *rows[OCK_PARTS]; /* owned */
    double *mean, *scale;      /* owned, [features] */
    struct ock_encoder encoder;
    const char **wide_names; /* owned: of the columns that are float64 */
};

static void job_data_free(struct job_data *job)
{
    if (!job)
        return;
    for (size_t i = 0; i < OCK_PARTS; i++) {
        ock_selection_deinit(&job->inputs[i].columns);
        ock_table_deinit(&job->inputs[i].table);
        free(job->inputs[i].weights);
        free(job->rows[i]);
    }
    ock_classes_deinit(&job->classes);
    free(job->train_weights);
    free(job->mean);
    free(job->scale);
    ock_encoder_deinit(&job->encoder);
    free(job->wide_names);
    free(job);
}

void ock_data_free(struct ock_data *data)
{
    if (data)
        job_data_free(data->owned);
}

static enum ock_status no_memory(struct ock_err *err)
{
    return ock_fail(err, OCK_NOMEM, "out of memory for the job's rows");
}

static size_t rows_of(const struct input *input)
{
    return ock_dataset_schema(input->dataset)->rows;
}

static bool wants_classes(const struct ock_spec *spec)
{
    return spec->data.target_type == OCK_TARGET_TYPE_CLASSES;
}

/* Columns of a dataset. */
static enum ock_status open_input(struct input *input, const struct ock_spec *spec,
                                  const struct ock_dataset *train, struct ock_err *err)
{
    const struct ock_schema *schema = ock_dataset_schema(input->dataset);
    const struct ock_schema *of_train = ock_dataset_schema(train);
    if (of_train->has_labels && schema->column_count != of_train->column_count)
        return ock_fail(err, OCK_INVALID, "%shas %zu columns, the training dataset has %zu",
                        input->what, schema->column_count, of_train->column_count);
    enum ock_status status =
        ock_selection_init(&input->columns, &spec->data, input->dataset, input->what, err);
    input->table.target = input->columns.target;
    return status;
}

/* Labels of all rows, by the training dataset's classes. */
static enum ock_status label_input(struct input *input, const struct ock_classes *classes,
                                   struct ock_err *err)
{
    input->table.labels = malloc(rows_of(input) * sizeof(*input->table.labels));
    if (!input->table.labels)
        return no_memory(err);
    return ock_classes_label(classes, input->dataset, input->columns.target, input->table.labels,
                             input->what, err);
}

/* A number target must be a number in every row. */
static enum ock_status check_target(const struct input *input, struct ock_err *err)
{
    const struct ock_column *column =
        &ock_dataset_schema(input->dataset)->columns[input->columns.target];
    if (column->type == OCK_COLUMN_CATEGORY)
        return ock_fail(err, OCK_INVALID,
                        "%sthe target \"%s\" is text, so it can't be trained as a number",
                        input->what, column->name);
    for (size_t row = 0; column->missing > 0 && row < rows_of(input); row++) {
        if (isnan(ock_dataset_number(input->dataset, input->columns.target, row)))
            return ock_fail(err, OCK_INVALID,
                            "%sthe target \"%s\" is missing in row %zu; remove the rows without "
                            "one",
                            input->what, column->name, row + 1);
    }
    return OCK_OK;
}

/* The weights column as floats. */
static enum ock_status weigh_input(struct input *input, struct ock_err *err)
{
    size_t column = input->columns.weights;
    if (column == SIZE_MAX)
        return OCK_OK;
    const struct ock_column *weights = &ock_dataset_schema(input->dataset)->columns[column];
    if (weights->type == OCK_COLUMN_CATEGORY)
        return ock_fail(err, OCK_INVALID, "%sthe weights column \"%s\" is text", input->what,
                        weights->name);
    size_t rows = rows_of(input);
    input->weights = malloc(rows * sizeof(*input->weights));
    if (!input->weights)
        return no_memory(err);
    for (size_t row = 0; row < rows; row++) {
        double weight = ock_dataset_number(input->dataset, column, row);
        input->weights[row] = (float)weight;
        if (!(weight >= 0) || isinf(input->weights[row]))
            return ock_fail(err, OCK_INVALID,
                            "%sthe weight in row %zu of \"%s\" is %s; weights must be finite and "
                            "not below 0",
                            input->what, row + 1, weights->name,
                            isnan(weight) ? "missing"
                            : weight < 0  ? "negative"
                                          : "too large");
    }
    return OCK_OK;
}

/* The rows of each part, in the file's order. */
static enum ock_status collect_rows(struct job_data *job, const unsigned char *part,
                                    struct ock_err *err)
{
    size_t rows = rows_of(&job->inputs[OCK_PART_TRAIN]);
    size_t counts[OCK_PARTS + 1] = {0};
    size_t next[OCK_PARTS] = {0};
    for (size_t row = 0; row < rows; row++)
        counts[part[row]]++;
    for (size_t p = 0; p < OCK_PARTS; p++) {
        job->rows[p] = malloc((counts[p] + 1) * sizeof(*job->rows[p]));
        if (!job->rows[p])
            return no_memory(err);
    }
    for (size_t row = 0; row < rows; row++) {
        if (part[row] < OCK_PARTS)
            job->rows[part[row]][next[part[row]]++] = (uint32_t)row;
    }
    job->data.train.count = counts[OCK_PART_TRAIN];
    job->data.validation.count = counts[OCK_PART_VALIDATION];
    job->data.test.count = counts[OCK_PART_TEST];
    return OCK_OK;
}

static struct ock_cut_rows cut_rows_of(const struct job_data *job)
{
    const struct input *train = &job->inputs[OCK_PART_TRAIN];
    return (struct ock_cut_rows){.rows = rows_of(train),
                                 .labels = train->table.labels,
                                 .classes = job->classes.count,
                                 .validation_given = job->inputs[OCK_PART_VALIDATION].dataset,
                                 .test_given = job->test_given};
}

static enum ock_status split_rows(struct job_data *job, const struct ock_spec *spec,
                                  struct ock_err *err)
{
    size_t rows = rows_of(&job->inputs[OCK_PART_TRAIN]);
    assert(rows > 0); /* a dataset has some */
    unsigned char *part = malloc(rows);
    if (!part)
        return no_memory(err);
    const struct ock_cut_rows of = cut_rows_of(job);
    enum ock_status status = ock_cut_make(spec, &of, job->cut, part, err);
    if (status == OCK_OK)
        status = collect_rows(job, part, err);
    free(part);
    return status;
}

/* A part that is a dataset of its own: all of its rows, in order. */
static enum ock_status take_all_rows(struct job_data *job, enum ock_part_name part,
                                     struct ock_rows *out, struct ock_err *err)
{
    const struct input *input = &job->inputs[part];
    if (!input->dataset)
        return OCK_OK;
    size_t count = rows_of(input);
    uint32_t *rows = realloc(job->rows[part], count * sizeof(*rows));
    if (!rows)
        return no_memory(err);
    job->rows[part] = rows;
    for (size_t row = 0; row < count; row++)
        rows[row] = (uint32_t)row;
    out->count = count;
    return OCK_OK;
}

/* One limit for all datasets of the job, as the plan counts it. */
static bool fits_the_cache(const struct job_data *job)
{
    size_t rows = 0;
    for (size_t i = 0; i < OCK_PARTS; i++)
        rows += job->inputs[i].dataset ? rows_of(&job->inputs[i]) : 0;
    size_t features = job->encoder.features;
    return rows <= OCK_CACHE_BYTES_MAX / sizeof(float) / features;
}

/* The encoder of the training rows, and every dataset's rows behind it. */
static enum ock_status encode_inputs(struct job_data *job, struct ock_err *err)
{
    const struct input *train = &job->inputs[OCK_PART_TRAIN];
    enum ock_status status = ock_encoder_fit(&job->encoder, train->dataset, train->columns.features,
                                             train->columns.count, job->rows[OCK_PART_TRAIN],
                                             job->data.train.count, err);
    for (size_t i = 0; i < OCK_PARTS && status == OCK_OK; i++) {
        struct input *input = &job->inputs[i];
        if (input->dataset)
            status = ock_table_init(&input->table, input->dataset, input->columns.features,
                                    &job->encoder, input->what, err);
    }
    return status;
}

static enum ock_status fit_features(struct job_data *job, const struct ock_spec *spec,
                                    struct ock_err *err)
{
    const struct input *train = &job->inputs[OCK_PART_TRAIN];
    const struct ock_schema *schema = ock_dataset_schema(train->dataset);
    size_t features = job->encoder.features;
    struct ock_scaler *scaler = &job->data.scaler;
    assert(features > 0);
    job->mean = malloc(features * sizeof(*job->mean));
    job->scale = malloc(features * sizeof(*job->scale));
    if (!job->mean || !job->scale)
        return no_memory(err);
    enum ock_status status =
        ock_scaler_fit(&spec->data, &train->table, job->rows[OCK_PART_TRAIN], job->data.train.count,
                       job->mean, job->scale, &scaler->clip, &scaler->name, err);
    for (size_t f = 0; f < features && status == OCK_OK; f++) {
        if (!isfinite(job->mean[f]) || !isfinite(job->scale[f]))
            status = ock_fail(err, OCK_INVALID, "the numbers in \"%s\" are too large to be scaled",
                              job->encoder.names[f]);
    }
    bool cache = fits_the_cache(job);
    for (size_t i = 0; i < OCK_PARTS && status == OCK_OK; i++) {
        if (job->inputs[i].dataset)
            status = ock_table_scale(&job->inputs[i].table, job->mean, job->scale, scaler->clip,
                                     cache, err);
    }
    bool scaled = spec->data.scaling != OCK_SCALING_NONE &&
                  !(schema->sparse && spec->data.scaling == OCK_SCALING_AUTO);
    scaler->mean = scaled ? job->mean : NULL;
    scaler->scale = scaled ? job->scale : NULL;
    return status;
}

/* The scaled targets of all rows of a dataset. */
static enum ock_status scale_targets(struct job_data *job, struct input *input, struct ock_err *err)
{
    size_t rows = rows_of(input);
    float *targets = malloc(rows * sizeof(*targets));
    if (!targets)
        return no_memory(err);
    for (size_t row = 0; row < rows; row++) {
        double y = ock_dataset_number(input->dataset, input->columns.target, row);
        targets[row] = (float)((y - job->data.target_mean) / job->data.target_scale);
    }
    input->table.targets = targets;
    return OCK_OK;
}

/* The training rows' weights with the classes' multiplied in; the others keep theirs. */
static enum ock_status weigh_classes(struct job_data *job, const struct ock_spec *spec,
                                     struct ock_err *err)
{
    const struct input *train = &job->inputs[OCK_PART_TRAIN];
    if (spec->data.class_weight == OCK_CLASS_WEIGHT_NONE || job->classes.count == 0)
        return OCK_OK;
    struct ock_class_weighing weighing = {.classes = &job->classes,
                                          .labels = train->table.labels,
                                          .weights = train->weights,
                                          .rows = rows_of(train),
                                          .training = job->rows[OCK_PART_TRAIN],
                                          .training_count = job->data.train.count};
    return ock_class_weights(&weighing, &spec->data, &job->train_weights, err);
}

static void connect(struct job_data *job, enum ock_part_name part, struct ock_rows *out)
{
    const struct input *input = &job->inputs[job->inputs[part].dataset ? part : OCK_PART_TRAIN];
    struct ock_source *source = &job->sources[part];
    source->table = &input->table;
    source->weights = input->weights;
    if (part == OCK_PART_TRAIN && job->train_weights)
        source->weights = job->train_weights;
    out->source = source;
    out->rows = job->rows[part];
    out->weight_sum = 0;
    for (size_t i = 0; i < out->count; i++)
        out->weight_sum += source->weights ? (double)source->weights[out->rows[i]] : 1;
}

/* Columns, targets and weights of every dataset. */
static enum ock_status open_inputs(struct job_data *job, const struct ock_spec *spec,
                                   struct ock_err *err)
{
    enum ock_status status = OCK_OK;
    const struct ock_dataset *train = job->inputs[OCK_PART_TRAIN].dataset;
    for (size_t i = 0; i < OCK_PARTS && status == OCK_OK; i++) {
        struct input *input = &job->inputs[i];
        if (!input->dataset)
            continue;
        status = open_input(input, spec, train, err);
        if (status == OCK_OK && i == OCK_PART_TRAIN && wants_classes(spec))
            status = ock_classes_init(&job->classes, train, input->columns.target, err);
        if (status == OCK_OK)
            status = wants_classes(spec) ? label_input(input, &job->classes, err)
                                         : check_target(input, err);
        if (status == OCK_OK)
            status = weigh_input(input, err);
    }
    return status;
}

static enum ock_status make_rows(struct job_data *job, const struct ock_spec *spec,
                                 struct ock_err *err)
{
    enum ock_status status = split_rows(job, spec, err);
    if (status == OCK_OK)
        status = take_all_rows(job, OCK_PART_VALIDATION, &job->data.validation, err);
    if (status == OCK_OK)
        status = take_all_rows(job, OCK_PART_TEST, &job->data.test, err);
    if (status == OCK_OK)
        status = encode_inputs(job, err);
    if (status == OCK_OK)
        status = fit_features(job, spec, err);
    if (status == OCK_OK)
        status = weigh_classes(job, spec, err);
    if (status != OCK_OK || wants_classes(spec))
        return status;
    job->data.target_mean = 0;
    job->data.target_scale = 1;
    if (spec->data.target_scaling)
        ock_target_scaler_fit(job->inputs[OCK_PART_TRAIN].dataset,
                              job->inputs[OCK_PART_TRAIN].columns.target, job->rows[OCK_PART_TRAIN],
                              job->data.train.count, &job->data.target_mean,
                              &job->data.target_scale);
    if (!isfinite(job->data.target_mean) || !isfinite(job->data.target_scale))
        return ock_fail(err, OCK_INVALID, "the target's numbers are too large to be scaled");
    for (size_t i = 0; i < OCK_PARTS && status == OCK_OK; i++) {
        if (job->inputs[i].dataset)
            status = scale_targets(job, &job->inputs[i], err);
    }
    return status;
}

/* Which feature columns the training dataset keeps as float64: rows from elsewhere are rounded as it
 * rounds them. */
static enum ock_status name_wide(struct job_data *job, struct ock_err *err)
{
    const struct input *train = &job->inputs[OCK_PART_TRAIN];
    const struct ock_schema *schema = ock_dataset_schema(train->dataset);
    size_t block_count;
    const struct ock_block *blocks = ock_dataset_blocks(train->dataset, &block_count);
    job->wide_names = malloc((train->columns.count + 1) * sizeof(*job->wide_names));
    if (!job->wide_names)
        return no_memory(err);
    for (size_t f = 0; f < train->columns.count; f++) {
        const struct ock_column *column = &schema->columns[train->columns.features[f]];
        if (blocks[column->block].storage == OCK_STORE_F64)
            job->wide_names[job->data.wide_count++] = column->name;
    }
    job->data.wide_names = job->wide_names;
    job->data.missing = schema->missing;
    return OCK_OK;
}

/* What the caller sees of it all. */
static enum ock_status publish(struct job_data *job, const struct ock_spec *spec,
                               struct ock_err *err)
{
    struct ock_data *data = &job->data;
    const struct ock_schema *schema = ock_dataset_schema(job->inputs[OCK_PART_TRAIN].dataset);
    connect(job, OCK_PART_TRAIN, &data->train);
    connect(job, OCK_PART_VALIDATION, &data->validation);
    connect(job, OCK_PART_TEST, &data->test);
    if (!(data->train.weight_sum > 0))
        return ock_fail(err, OCK_INVALID, "the weights of all training rows are 0");
    if (spec->loss == OCK_BINARY_CROSS_ENTROPY && job->classes.count != 2)
        return ock_fail(err, OCK_INVALID,
                        "binary_cross_entropy needs two classes, the target \"%s\" has %zu",
                        spec->data.target, job->classes.count);
    data->features = job->encoder.features;
    data->encoder = &job->encoder;
    data->sparse = schema->sparse;
    for (size_t i = 0; i < OCK_PARTS; i++) {
        size_t terms, row_max;
        ock_dataset_terms(job->inputs[i].dataset, &terms, &row_max);
        data->nonzeros += terms;
        data->row_terms_max = row_max > data->row_terms_max ? row_max : data->row_terms_max;
    }
    data->classes = job->classes.count;
    data->class_names = job->classes.names;
    data->feature_names = job->encoder.names;
    data->outputs =
        spec->loss == OCK_BINARY_CROSS_ENTROPY || !wants_classes(spec) ? 1 : data->classes;
    data->shape_count = schema->shape_count;
    memcpy(data->shape, schema->shape, sizeof(data->shape));
    data->owned = job;
    return OCK_OK;
}

enum ock_status ock_data_open_cut(struct ock_data **out, const struct ock_spec *spec,
                                  const struct ock_dataset *train,
                                  const struct ock_dataset *validation,
                                  const struct ock_dataset *test, int cut, struct ock_err *err)
{
    struct job_data *job = calloc(1, sizeof(*job));
    if (!job)
        return no_memory(err);
    job->cut = cut;
    job->test_given = test != NULL;
    job->inputs[OCK_PART_TRAIN] = (struct input){.dataset = train, .what = ""};
    if (cut < 0) {
        job->inputs[OCK_PART_VALIDATION] =
            (struct input){.dataset = validation, .what = "validation dataset: "};
        job->inputs[OCK_PART_TEST] = (struct input){.dataset = test, .what = "test dataset: "};
    }
    enum ock_status status = open_inputs(job, spec, err);
    if (status == OCK_OK)
        status = make_rows(job, spec, err);
    if (status == OCK_OK)
        status = name_wide(job, err);
    if (status == OCK_OK)
        status = publish(job, spec, err);
    if (status == OCK_OK) {
        *out = &job->data;
        job = NULL;
    }
    job_data_free(job);
    return status;
}

enum ock_status ock_data_open(struct ock_data **out, const struct ock_spec *spec,
                              const struct ock_dataset *train, const struct ock_dataset *validation,
                              const struct ock_dataset *test, struct ock_err *err)
{
    return ock_data_open_cut(out, spec, train, validation, test, OCK_CUT_SPLIT, err);
}

enum ock_status ock_data_folds(const struct ock_spec *spec, const struct ock_dataset *train,
                               bool test_given, unsigned char *fold, struct ock_err *err)
{
    struct job_data *job = calloc(1, sizeof(*job));
    if (!job)
        return no_memory(err);
    struct input *input = &job->inputs[OCK_PART_TRAIN];
    *input = (struct input){.dataset = train, .what = ""};
    enum ock_status status = open_inputs(job, spec, err);
    if (status == OCK_OK) {
        struct ock_folds folds =
            ock_folds_of(spec, rows_of(input), input->table.labels, job->classes.count, test_given);
        status = ock_folds_make(&folds, fold, err);
    }
    job_data_free(job);
    return status;
}
