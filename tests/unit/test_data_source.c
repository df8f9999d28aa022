/* From spec and datasets to minibatches: scalers by hand, classes over two datasets, weights, and
 * every path of the gather against the formula in double. */
#include "tests/unit/data_kit.h"

#include "core/base/limits.h"
#include "core/data/data.h"

enum { FEATURES_MAX = 64 };

/* A resolved spec: all columns but the target (and the weights) are features. */
struct plain_spec {
    struct ock_spec spec;
    char names[FEATURES_MAX][32];
    char *features[FEATURES_MAX];
    char target[32], weights[32];
};

static struct ock_spec *resolve(struct plain_spec *plain, const struct ock_dataset *dataset,
                                enum ock_target_type type, const char *weights)
{
    const struct ock_schema *schema = ock_dataset_schema(dataset);
    struct ock_data_spec *data = &plain->spec.data;
    (void)snprintf(plain->target, sizeof(plain->target), "%s",
                   schema->columns[schema->target].name);
    data->target = plain->target;
    if (weights) {
        (void)snprintf(plain->weights, sizeof(plain->weights), "%s", weights);
        data->weights = plain->weights;
    }
    for (size_t c = 0; c < schema->column_count; c++) {
        const char *name = schema->columns[c].name;
        if (c == schema->target || (weights && strcmp(name, weights) == 0))
            continue;
        size_t f = data->feature_count++;
        ck_assert_uint_lt(f, FEATURES_MAX);
        (void)snprintf(plain->names[f], sizeof(plain->names[f]), "%s", name);
        plain->features[f] = plain->names[f];
    }
    data->features = plain->features;
    data->target_type = type;
    data->stratify = type == OCK_TARGET_TYPE_CLASSES;
    data->target_scaling = type == OCK_TARGET_TYPE_NUMBER;
    plain->spec.loss = type == OCK_TARGET_TYPE_CLASSES ? OCK_CROSS_ENTROPY : OCK_MSE;
    return &plain->spec;
}

static struct ock_data *open_data(const struct ock_spec *spec, const struct ock_dataset *train,
                                  const struct ock_dataset *validation)
{
    struct ock_err err = {.text = ""};
    struct ock_data *data = NULL;
    enum ock_status status = ock_data_open(&data, spec, train, validation, NULL, &err);
    ck_assert_msg(status == OCK_OK, "%s", err.text);
    return data;
}

static void refuse(const struct ock_spec *spec, const struct ock_dataset *train,
                   const struct ock_dataset *validation, const char *says)
{
    struct ock_err err = {.text = ""};
    struct ock_data *data = NULL;
    enum ock_status status = ock_data_open(&data, spec, train, validation, NULL, &err);
    ck_assert_int_eq(status, OCK_INVALID);
    ck_assert_msg(strstr(err.text, says) != NULL, "%s", err.text);
    ck_assert_ptr_null(data);
}

/* Two columns: 1, 2, 3, 6 (mean 3, variance 3.5) and a constant. Worked by hand. */
static const struct {
    enum ock_scaling scaling;
    double divide;
    const char *name;
    double mean[2], scale[2], clip;
} scalings[] = {
    {OCK_SCALING_STANDARD, 0, "standard", {3, 0.1}, {1.8708286933869707, 1}, INFINITY},
    {OCK_SCALING_AUTO, 0, "auto", {3, 0.1}, {1.8708286933869707, 1}, 10},
    {OCK_SCALING_MINMAX, 0, "minmax", {1, 0.1}, {5, 1}, INFINITY},
    {OCK_SCALING_DIVIDE, 4, "divide", {0, 0}, {4, 4}, INFINITY},
    {OCK_SCALING_NONE, 0, "none", {0, 0}, {1, 1}, INFINITY},
};

START_TEST(scalers_are_the_textbooks)
{
    static const double column[] = {1, 2, 3, 6};
    struct plain_spec plain = {.spec.train.epochs = 1};
    struct ock_dataset *dataset =
        kit_csv("a,b,y\n1,0.1,p\n2,0.1,q\n3,0.1,p\n6,0.1,q\n", (struct ock_import){0});
    struct ock_spec *spec = resolve(&plain, dataset, OCK_TARGET_TYPE_CLASSES, NULL);
    spec->data.scaling = scalings[_i].scaling;
    spec->data.divide = scalings[_i].divide;
    struct ock_data *data = open_data(spec, dataset, NULL);
    ck_assert_str_eq(data->scaler.name, scalings[_i].name);
    ck_assert(data->scaler.clip == scalings[_i].clip);
    ck_assert_uint_eq(data->features, 2);
    ck_assert_str_eq(data->feature_names[1], "b");
    if (scalings[_i].scaling == OCK_SCALING_NONE) {
        ck_assert_ptr_null(data->scaler.mean);
        ck_assert_ptr_null(data->scaler.scale);
    } else {
        for (size_t c = 0; c < 2; c++) {
            ck_assert_double_eq_tol(data->scaler.mean[c], scalings[_i].mean[c], 1e-15);
            ck_assert_double_eq_tol(data->scaler.scale[c], scalings[_i].scale[c], 1e-15);
        }
    }
    float x[8];
    struct ock_batch batch = {.x = x};
    ock_source_gather(data->train.source, data->train.rows, 4, &batch);
    for (size_t i = 0; i < 4; i++) {
        double expected = (column[i] - scalings[_i].mean[0]) / scalings[_i].scale[0];
        ck_assert_double_eq_tol((double)x[2 * i], (double)(float)expected, 1e-7);
        expected = (0.1 - scalings[_i].mean[1]) / scalings[_i].scale[1];
        ck_assert_double_eq_tol((double)x[2 * i + 1], (double)(float)expected, 1e-7);
    }
    ock_data_free(data);
    ock_dataset_free(dataset);
}
END_TEST

/* 1 outlier among 399 zeros lies 20 deviations out: auto clips it, standard does not. */
START_TEST(auto_clips_at_ten)
{
    char text[4096];
    int used = snprintf(text, sizeof(text), "a,y\n");
    for (int i = 0; i < 400; i++)
        used += snprintf(text + used, sizeof(text) - (size_t)used, "%d,%c\n", i == 7 ? -1 : 0,
                         i % 2 ? 'p' : 'q');
    struct ock_dataset *dataset = kit_csv(text, (struct ock_import){0});
    for (int clipped = 0; clipped < 2; clipped++) {
        struct plain_spec plain = {.spec.train.epochs = 1};
        struct ock_spec *spec = resolve(&plain, dataset, OCK_TARGET_TYPE_CLASSES, NULL);
        spec->data.scaling = clipped ? OCK_SCALING_AUTO : OCK_SCALING_STANDARD;
        struct ock_data *data = open_data(spec, dataset, NULL);
        float x;
        struct ock_batch batch = {.x = &x};
        ock_source_gather(data->train.source, (const uint32_t[]){7}, 1, &batch);
        ck_assert_double_eq_tol((double)x, clipped ? -10.0 : -19.9749844, 1e-5);
        ock_data_free(data);
    }
    ock_dataset_free(dataset);
}
END_TEST

/* The scaler knows the training rows alone. */
START_TEST(validation_rows_do_not_fit_the_scaler)
{
    struct plain_spec plain = {.spec.train.epochs = 1};
    char text[2048];
    int used = snprintf(text, sizeof(text), "a,y\n");
    for (int i = 0; i < 100; i++)
        used += snprintf(text + used, sizeof(text) - (size_t)used, "%d,%d.5\n", i * i, i);
    struct ock_dataset *dataset = kit_csv(text, (struct ock_import){0});
    struct ock_spec *spec = resolve(&plain, dataset, OCK_TARGET_TYPE_NUMBER, NULL);
    spec->data.scaling = OCK_SCALING_STANDARD;
    spec->data.validation.fraction = 0.3;
    spec->data.test.fraction = 0.2;
    struct ock_data *data = open_data(spec, dataset, NULL);
    ck_assert_uint_eq(data->train.count, 50);
    ck_assert_uint_eq(data->validation.count, 30);
    ck_assert_uint_eq(data->test.count, 20);
    ck_assert_uint_eq(data->outputs, 1);
    ck_assert_uint_eq(data->classes, 0);

    double mean = 0, variance = 0, target = 0, target_variance = 0;
    bool seen[100] = {false};
    for (size_t i = 0; i < 50; i++) {
        uint32_t row = data->train.rows[i];
        ck_assert(i == 0 || row > data->train.rows[i - 1]); /* the file's order */
        mean += (double)row * row / 50;
        target += (row + 0.5) / 50;
        seen[row] = true;
    }
    for (size_t i = 0; i < 50; i++) {
        double x = data->train.rows[i];
        variance += (x * x - mean) * (x * x - mean) / 50;
        target_variance += (x + 0.5 - target) * (x + 0.5 - target) / 50;
    }
    for (size_t i = 0; i < 30; i++) {
        ck_assert(!seen[data->validation.rows[i]]);
        seen[data->validation.rows[i]] = true;
    }
    for (size_t i = 0; i < 20; i++)
        ck_assert(!seen[data->test.rows[i]]);
    ck_assert_double_eq_tol(data->scaler.mean[0], mean, 1e-9);
    ck_assert_double_eq_tol(data->scaler.scale[0], sqrt(variance), 1e-9);
    ck_assert_double_eq_tol(data->target_mean, target, 1e-12);
    ck_assert_double_eq_tol(data->target_scale, sqrt(target_variance), 1e-12);

    float y;
    uint32_t row = data->validation.rows[3];
    struct ock_batch batch = {.target = &y};
    ock_source_gather(data->validation.source, &row, 1, &batch);
    ck_assert_double_eq_tol((double)y,
                            (double)(float)((row + 0.5 - target) / sqrt(target_variance)), 1e-6);
    ck_assert_double_eq(ock_source_target(data->validation.source, row), row + 0.5);

    struct ock_data_sizes sizes;
    ck_assert_int_eq(ock_data_measure(&sizes, spec, dataset, NULL, NULL, NULL), OCK_OK);
    ck_assert_uint_eq(sizes.train_rows, 50);
    ck_assert_uint_eq(sizes.validation_rows, 30);
    ck_assert_uint_eq(sizes.test_rows, 20);
    ck_assert_uint_eq(sizes.features, data->features);
    ock_data_free(data);
    ock_dataset_free(dataset);
}
END_TEST

START_TEST(targets_may_stay_as_they_are)
{
    struct plain_spec plain = {.spec.train.epochs = 1};
    struct ock_dataset *dataset = kit_csv("a,y\n1,2.5\n2,3.5\n", (struct ock_import){0});
    struct ock_spec *spec = resolve(&plain, dataset, OCK_TARGET_TYPE_NUMBER, NULL);
    spec->data.target_scaling = false;
    struct ock_data *data = open_data(spec, dataset, NULL);
    float y[2];
    struct ock_batch batch = {.target = y};
    ock_source_gather(data->train.source, data->train.rows, 2, &batch);
    ck_assert_double_eq((double)y[0], 2.5);
    ck_assert_double_eq((double)y[1], 3.5);
    ck_assert_double_eq(data->target_scale, 1);
    ock_data_free(data);
    ock_dataset_free(dataset);
}
END_TEST

START_TEST(classes_are_sorted_over_the_whole_dataset)
{
    static const char *const texts[] = {"a,y\n0,10\n1,9\n2,-1\n3,9.0\n",
                                        "a,y\n0,b\n1,B\n2,a\n3,B\n"};
    static const char *const names[2][3] = {{"-1", "9", "10"}, {"B", "a", "b"}};
    static const int32_t labels[2][4] = {{2, 1, 0, 1}, {2, 0, 1, 0}};
    for (size_t t = 0; t < 2; t++) {
        struct plain_spec plain = {.spec.train.epochs = 1};
        struct ock_dataset *dataset =
            kit_csv(texts[t], (struct ock_import){.header = OCK_HEADER_YES});
        struct ock_spec *spec = resolve(&plain, dataset, OCK_TARGET_TYPE_CLASSES, NULL);
        struct ock_data *data = open_data(spec, dataset, NULL);
        ck_assert_uint_eq(data->classes, 3);
        ck_assert_uint_eq(data->outputs, 3);
        int32_t label[4];
        float weight[4];
        struct ock_batch batch = {.label = label, .weight = weight};
        ock_source_gather(data->train.source, data->train.rows, 4, &batch);
        for (size_t i = 0; i < 4; i++) {
            ck_assert_int_eq(label[i], labels[t][i]);
            ck_assert_double_eq((double)weight[i], 1);
        }
        for (size_t c = 0; c < 3; c++)
            ck_assert_str_eq(data->class_names[c], names[t][c]);
        ck_assert_double_eq(data->train.weight_sum, 4);
        ock_data_free(data);
        ock_dataset_free(dataset);
    }
}
END_TEST

/* Fractions as classes: text of the file as the name, and float32 here meets float64 there. */
START_TEST(classes_meet_by_value_across_datasets)
{
    struct plain_spec plain = {.spec.train.epochs = 1};
    struct ock_dataset *train = kit_csv("a,y\n0,0.1\n1,0.2\n2,3\n3,0.1\n", (struct ock_import){0});
    struct ock_dataset *other =
        kit_csv_as("other", "extra,y,a\n9,2e-1,5\n8,0.20,6\n", (struct ock_import){.target = "y"});
    struct ock_spec *spec = resolve(&plain, train, OCK_TARGET_TYPE_CLASSES, NULL);
    spec->data.scaling = OCK_SCALING_NONE;
    struct ock_data *data = open_data(spec, train, other);
    ck_assert_str_eq(data->class_names[0], "0.1");
    int32_t label[2];
    float x[2];
    struct ock_batch batch = {.x = x, .label = label};
    ck_assert_uint_eq(data->validation.count, 2);
    ock_source_gather(data->validation.source, data->validation.rows, 2, &batch);
    ck_assert_int_eq(label[0], 1);
    ck_assert_int_eq(label[1], 1);
    ck_assert_double_eq((double)x[0], 5); /* by name, wherever the column stands */
    ck_assert_double_eq((double)x[1], 6);
    ck_assert_uint_eq(data->train.count, 4); /* no row is split off */
    ock_data_free(data);
    ock_dataset_free(other);
    ock_dataset_free(train);
}
END_TEST

START_TEST(texts_meet_numbers_across_datasets)
{
    struct plain_spec plain = {.spec.train.epochs = 1};
    struct ock_dataset *train = kit_csv("a,y\n0,1\n1,2\n2,x\n", (struct ock_import){0});
    struct ock_dataset *other = kit_csv_as("other", "a,y\n0,2\n1,1\n", (struct ock_import){0});
    struct ock_spec *spec = resolve(&plain, train, OCK_TARGET_TYPE_CLASSES, NULL);
    struct ock_data *data = open_data(spec, train, other);
    int32_t label[2];
    struct ock_batch batch = {.label = label};
    ock_source_gather(data->validation.source, data->validation.rows, 2, &batch);
    ck_assert_int_eq(label[0], 1);
    ck_assert_int_eq(label[1], 0);
    ock_data_free(data);
    ock_dataset_free(other);
    ock_dataset_free(train);
}
END_TEST

START_TEST(weights_are_multiplied_for_training_rows_only)
{
    struct plain_spec plain = {.spec.train.epochs = 1};
    struct ock_dataset *train =
        kit_csv("a,w,y\n0,1,p\n1,2,p\n2,0,p\n3,4,q\n", (struct ock_import){0});
    struct ock_dataset *other = kit_csv_as("other", "a,w,y\n0,3,q\n", (struct ock_import){0});
    struct ock_spec *spec = resolve(&plain, train, OCK_TARGET_TYPE_CLASSES, "w");
    float weight[4];
    struct ock_batch batch = {.weight = weight};

    struct ock_data *data = open_data(spec, train, other);
    ck_assert_uint_eq(data->features, 1);
    ck_assert_double_eq(data->train.weight_sum, 7);
    ock_data_free(data);

    spec->data.class_weight = OCK_CLASS_WEIGHT_BALANCED; /* p: 4/(2·3), q: 4/(2·1) */
    data = open_data(spec, train, other);
    ock_source_gather(data->train.source, data->train.rows, 4, &batch);
    ck_assert_double_eq((double)weight[0], (double)(float)(4.0 / 6));
    ck_assert_double_eq((double)weight[1], (double)(float)(8.0 / 6));
    ck_assert_double_eq((double)weight[2], 0);
    ck_assert_double_eq((double)weight[3], 8);
    ock_source_gather(data->validation.source, data->validation.rows, 1, &batch);
    ck_assert_double_eq((double)weight[0], 3);
    ck_assert_double_eq(data->validation.weight_sum, 3);
    ock_data_free(data);

    char q[] = "q";
    struct ock_class_weight_item item = {.name = q, .weight = 0.5};
    spec->data.class_weight = OCK_CLASS_WEIGHT_GIVEN;
    spec->data.class_weights = &item;
    spec->data.class_weight_count = 1;
    data = open_data(spec, train, other);
    ock_source_gather(data->train.source, data->train.rows, 4, &batch);
    ck_assert_double_eq((double)weight[1], 2);
    ck_assert_double_eq((double)weight[3], 2);
    ock_data_free(data);

    char r[] = "r";
    item.name = r;
    refuse(spec, train, other, "there is no class \"r\"");
    ock_dataset_free(other);
    ock_dataset_free(train);
}
END_TEST

/* Training table, validation table (or NULL), and what is wrong with them. */
static const struct {
    const char *train, *validation, *weights;
    enum ock_target_type type;
    const char *says;
} faults[] = {
    {"a,y\n1,p\n2,\n", NULL, NULL, OCK_TARGET_TYPE_CLASSES, "\"y\" is missing in row 2"},
    {"a,y\n1,1\n2,?\n", NULL, NULL, OCK_TARGET_TYPE_CLASSES, "\"y\" is missing in row 2"},
    {"a,y\n1,1.5\n2,\n", NULL, NULL, OCK_TARGET_TYPE_NUMBER, "\"y\" is missing in row 2"},
    {"a,y\n1,p\n2,q\n", NULL, NULL, OCK_TARGET_TYPE_NUMBER, "\"y\" is text"},
    {"a,y\n1,?\n2,\n", NULL, NULL, OCK_TARGET_TYPE_CLASSES, "\"y\" has no values"},
    {"a,w,y\n1,-1,p\n2,1,q\n", NULL, "w", OCK_TARGET_TYPE_CLASSES, "weight in row 1"},
    {"a,w,y\n1,1,p\n2,,q\n", NULL, "w", OCK_TARGET_TYPE_CLASSES, "row 2 of \"w\" is missing"},
    {"a,w,y\n1,1,p\n2,1e39,q\n", NULL, "w", OCK_TARGET_TYPE_CLASSES, "row 2 of \"w\" is too large"},
    {"a,w,y\n1,x,p\n2,1,q\n", NULL, "w", OCK_TARGET_TYPE_CLASSES, "weights column \"w\" is text"},
    {"a,w,y\n1,0,p\n2,0,q\n", NULL, "w", OCK_TARGET_TYPE_CLASSES, "training rows are 0"},
    {"a,y\n1,p\n2,q\n", "b,y\n1,p\n2,q\n", NULL, OCK_TARGET_TYPE_CLASSES,
     "validation dataset: there is no column \"a\""},
    {"a,y\n1,p\n2,q\n", "a,z\n1,p\n2,q\n", NULL, OCK_TARGET_TYPE_CLASSES,
     "validation dataset: there is no column \"y\""},
    {"a,y\n1,p\n2,q\n", "a,y\n1,p\n2,r\n", NULL, OCK_TARGET_TYPE_CLASSES,
     "validation dataset: the label \"r\" of row 2"},
    {"a,y\n1,0\n2,1\n", "a,y\n1,0\n2,2\n", NULL, OCK_TARGET_TYPE_CLASSES,
     "validation dataset: the label \"2\" of row 2"},
    {"a,y\n1,p\n2,q\n", "a,y\nx,p\n3,q\n", NULL, OCK_TARGET_TYPE_CLASSES,
     "validation dataset: the column \"a\" is text, in training it was numbers"},
    {"a,w,y\n1,1,p\n2,1,q\n", "a,y\n1,p\n2,q\n", "w", OCK_TARGET_TYPE_CLASSES,
     "validation dataset: there is no column \"w\""},
    {"a,y\n-1.7e308,p\n1.7e308,q\n", NULL, NULL, OCK_TARGET_TYPE_CLASSES, "too large to be scaled"},
};

START_TEST(wrong_data_are_refused_by_name)
{
    struct plain_spec plain = {.spec.train.epochs = 1};
    struct ock_import import = {.header = OCK_HEADER_YES};
    struct ock_dataset *train = kit_csv(faults[_i].train, import);
    struct ock_dataset *validation =
        faults[_i].validation ? kit_csv_as("other", faults[_i].validation, import) : NULL;
    struct ock_spec *spec = resolve(&plain, train, faults[_i].type, faults[_i].weights);
    refuse(spec, train, validation, faults[_i].says);
    ock_dataset_free(validation);
    ock_dataset_free(train);
}
END_TEST

START_TEST(binary_cross_entropy_needs_two_classes)
{
    struct plain_spec plain = {.spec.train.epochs = 1};
    struct ock_dataset *dataset = kit_csv("a,y\n1,p\n2,q\n3,r\n", (struct ock_import){0});
    struct ock_spec *spec = resolve(&plain, dataset, OCK_TARGET_TYPE_CLASSES, NULL);
    spec->loss = OCK_BINARY_CROSS_ENTROPY;
    refuse(spec, dataset, NULL, "two classes");
    ock_dataset_free(dataset);
}
END_TEST

/* Bytes, float32 and float64 columns; few rows (a cache) and many (none): always the formula. */
START_TEST(every_path_gathers_the_same_bits)
{
    enum { FEATURES = 8 };
    static const size_t row_counts[] = {500, 3000000};
    for (size_t t = 0; t < 2 * 2; t++) {
        size_t rows = row_counts[t / 2];
        bool bytes = t % 2;
        struct ock_err err = {.text = ""};
        unsigned char header[12] = {0, 0, bytes ? 0x08 : 0x0b, 2};
        for (size_t i = 0; i < 4; i++)
            header[4 + i] = (unsigned char)(rows >> (24 - 8 * i));
        header[11] = FEATURES;
        size_t size = rows * FEATURES * (bytes ? 1 : 2);
        unsigned char *content = malloc(sizeof(header) + size);
        ck_assert_ptr_nonnull(content);
        memcpy(content, header, sizeof(header));
        for (size_t i = 0; i < size; i++)
            content[sizeof(header) + i] = (unsigned char)((i * 2654435761u) >> 13);
        kit_write("in", content, sizeof(header) + size);
        unsigned char *labels = calloc(8 + rows, 1);
        ck_assert_ptr_nonnull(labels);
        memcpy(labels, header, 8);
        labels[2] = 8;
        labels[3] = 1;
        labels[8] = 1;
        kit_write("labels", labels, 8 + rows);
        free(labels);
        free(content);
        ck_assert_msg(kit_import((struct ock_import){0}, 1, &err) == OCK_OK, "%s", err.text);
        struct ock_dataset *dataset = kit_open("out");
        for (enum ock_scaling s = OCK_SCALING_AUTO; s <= OCK_SCALING_DIVIDE; s++) {
            struct plain_spec plain = {.spec.train.epochs = 1};
            struct ock_spec *spec = resolve(&plain, dataset, OCK_TARGET_TYPE_CLASSES, NULL);
            spec->data.scaling = s;
            spec->data.divide = 3;
            struct ock_data *data = open_data(spec, dataset, NULL);
            enum { COUNT = 200 };
            static const uint32_t runs[] = {0, 1, 2, 5, 4, 4, 3};
            uint32_t picked[COUNT];
            float x[COUNT * FEATURES], one[FEATURES];
            for (size_t i = 0; i < COUNT; i++)
                picked[i] = i < 7 ? runs[i] : (uint32_t)(i * 104729 % rows);
            struct ock_batch batch = {.x = x};
            ock_source_gather(data->train.source, picked, COUNT, &batch);
            for (size_t i = 0; i < COUNT; i++) {
                batch.x = one;
                ock_source_gather(data->train.source, &picked[i], 1, &batch);
                ck_assert_mem_eq(one, x + i * FEATURES, sizeof(one)); /* any cut: the same */
                for (size_t c = 0; c < FEATURES; c++) {
                    double y = ock_dataset_number(dataset, c, picked[i]);
                    if (data->scaler.mean)
                        y = (y - data->scaler.mean[c]) / data->scaler.scale[c];
                    y = fmax(fmin(y, data->scaler.clip), -data->scaler.clip);
                    ck_assert(one[c] == (float)y);
                }
            }
            ock_data_free(data);
        }
        ock_dataset_free(dataset);
    }
}
END_TEST

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

int main(void)
{
    Suite *suite = suite_create("data_source");
    TCase *tcase = tcase_create("source");
    tcase_add_checked_fixture(tcase, kit_setup, kit_teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, scalers_are_the_textbooks, 0, COUNT_OF(scalings));
    tcase_add_test(tcase, auto_clips_at_ten);
    tcase_add_test(tcase, validation_rows_do_not_fit_the_scaler);
    tcase_add_test(tcase, targets_may_stay_as_they_are);
    tcase_add_test(tcase, classes_are_sorted_over_the_whole_dataset);
    tcase_add_test(tcase, classes_meet_by_value_across_datasets);
    tcase_add_test(tcase, texts_meet_numbers_across_datasets);
    tcase_add_test(tcase, weights_are_multiplied_for_training_rows_only);
    tcase_add_loop_test(tcase, wrong_data_are_refused_by_name, 0, COUNT_OF(faults));
    tcase_add_test(tcase, binary_cross_entropy_needs_two_classes);
    tcase_add_test(tcase, every_path_gathers_the_same_bits);
    suite_add_tcase(suite, tcase);
    return kit_run(suite);
}
