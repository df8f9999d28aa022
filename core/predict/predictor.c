/* From a model file to predictions. One allocation holds the network's buffers; a block of rows is
 * small enough that wide networks stay within some megabytes. */
#include "core/predict/predictor.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "core/base/arena.h"
#include "core/data/table.h"
#include "core/model/loss.h"
#include "core/model/network.h"
#include "core/predict/model_parts.h"
#include "core/predict/sparse_rows.h"
#include "core/train/model_file.h"

enum { BLOCK_ROWS_MAX = 256, BLOCK_FLOATS_MAX = 1 << 21 };

struct ock_predictor {
    struct ock_model_parts parts;
    struct ock_row_columns columns;
    struct ock_plan plan;
    const struct ock_kernels *kernels;
    struct ock_network net;
    struct ock_arena arena; /* owns all below */
    float *w;               /* [P] */
    float *x;               /* [block, features of the columns that are read] */
    float *taken;           /* [block, inputs] those that the network takes; NULL: all of x */
    uint32_t *rows;         /* [block] */
    int32_t *label;         /* [block] */
    float *probabilities;   /* [block, classes] */
    double *value;          /* [block] */
};

const struct ock_row_columns *ock_predictor_columns(const struct ock_predictor *predictor)
{
    return &predictor->columns;
}

const struct ock_spec *ock_predictor_spec(const struct ock_predictor *predictor)
{
    return predictor->parts.spec;
}

const char *const *ock_predictor_classes(const struct ock_predictor *predictor, size_t *count)
{
    *count = predictor->parts.classes.count;
    return *count > 0 ? predictor->parts.classes.items : NULL;
}

const char *ock_predictor_missing(const struct ock_predictor *predictor)
{
    return predictor->parts.missing;
}

uint32_t ock_predictor_index_max(const struct ock_predictor *predictor)
{
    return ock_sparse_rows_index_max(&predictor->parts);
}

/* Bytes have no stand-in, nor have the numbers of a model from before there were any. */
bool ock_predictor_takes_missing(const struct ock_predictor *predictor, size_t column)
{
    const struct ock_model_parts *parts = &predictor->parts;
    return parts->has_fills && parts->encoder.columns[column].kind != OCK_ENCODE_BYTE;
}

/* Rows of a block: fewer for networks whose layers are wide in all. */
static size_t choose_block(const struct ock_model_parts *parts)
{
    size_t width = parts->input_count,
           floats = parts->encoder.features + (parts->inputs ? width : 0);
    for (size_t i = 0; i < parts->spec->layer_count; i++) {
        const struct ock_layer_spec *layer = &parts->spec->layers[i];
        width = layer->type == OCK_LINEAR ? layer->units : width;
        floats += width; /* at most 258 layers of 2^20 */
    }
    size_t rows = BLOCK_FLOATS_MAX / floats;
    return rows < 1 ? 1 : rows < BLOCK_ROWS_MAX ? rows : BLOCK_ROWS_MAX;
}

static void layout(struct ock_predictor *p, uint32_t threads)
{
    size_t block = p->plan.evaluation_rows;
    size_t classes = p->parts.classes.count;
    ock_network_layout(&p->net, &p->plan, p->kernels, threads, 1, 0, &p->arena);
    p->w = ock_arena_take(&p->arena, p->plan.parameters, sizeof(float));
    p->x = ock_arena_take(&p->arena, block * p->parts.encoder.features, sizeof(float));
    p->taken = ock_arena_take(&p->arena, p->parts.inputs ? block * p->parts.input_count : 0,
                              sizeof(float));
    p->rows = ock_arena_take(&p->arena, block, sizeof(uint32_t));
    p->label = ock_arena_take(&p->arena, block, sizeof(int32_t));
    p->probabilities = ock_arena_take(&p->arena, block * classes, sizeof(float));
    p->value = ock_arena_take(&p->arena, block, sizeof(double));
}

/* Sizes by the spec, then the weights against them, and only then memory. */
static enum ock_status build(struct ock_predictor *p, const struct ock_safetensors *file,
                             uint32_t threads, struct ock_err *err)
{
    struct ock_plan_data sizes = {
        .rows = {.train_rows = choose_block(&p->parts), .features = p->parts.input_count},
        .outputs = p->parts.outputs};
    p->parts.spec->train.shards = 1;
    enum ock_status status = ock_plan_make(&p->plan, p->parts.spec, &sizes, err);
    if (status == OCK_OK)
        status = ock_model_take_weights(&p->plan, file, NULL, err);
    if (status != OCK_OK)
        return status;
    p->plan.batch_rows = p->plan.evaluation_rows;
    p->kernels = ock_kernels_get(NULL);
    threads = threads < p->plan.threads_useful ? threads : p->plan.threads_useful;
    layout(p, threads > 0 ? threads : 1);
    status = ock_arena_allocate(&p->arena, err);
    if (status != OCK_OK)
        return status;
    layout(p, threads > 0 ? threads : 1);
    status = ock_model_take_weights(&p->plan, file, p->w, err);
    if (status == OCK_OK)
        ock_network_pack(&p->net, p->w);
    return status;
}

enum ock_status ock_predictor_open(struct ock_predictor **out, const char *path, uint32_t threads,
                                   struct ock_err *err)
{
    struct ock_safetensors *file = NULL;
    struct ock_predictor *made = calloc(1, sizeof(*made));
    if (!made)
        return ock_fail(err, OCK_NOMEM, "out of memory for a model");
    enum ock_status status = ock_safetensors_open(&file, path, err);
    if (status == OCK_OK)
        status = ock_model_parts_read(&made->parts, file, err);
    if (status == OCK_OK)
        status = build(made, file, threads, err);
    if (status == OCK_OK) {
        const struct ock_model_parts *parts = &made->parts;
        made->columns = (struct ock_row_columns){parts->encoder.count, parts->columns,
                                                 parts->column_total, parts->unread};
        *out = made;
        made = NULL;
    }
    ock_safetensors_free(file);
    ock_predictor_free(made);
    return status;
}

void ock_predictor_free(struct ock_predictor *predictor)
{
    if (!predictor)
        return;
    ock_arena_deinit(&predictor->arena);
    ock_model_parts_deinit(&predictor->parts);
    free(predictor);
}

/* --- Rows -------------------------------------------------------------------------------------- */

static enum ock_status refuse_missing(const struct ock_dataset *dataset, size_t place,
                                      struct ock_err *err)
{
    const struct ock_schema *schema = ock_dataset_schema(dataset);
    size_t row = 0;
    while (row + 1 < schema->rows && !isnan(ock_dataset_number(dataset, place, row)))
        row++;
    return ock_fail(err, OCK_INVALID,
                    "row %zu has no value for \"%s\", and the model knows no stand-in for one",
                    row + 1, schema->columns[place].name);
}

static enum ock_status check_columns(const struct ock_predictor *p,
                                     const struct ock_dataset *dataset, const size_t *places,
                                     struct ock_err *err)
{
    const struct ock_schema *schema = ock_dataset_schema(dataset);
    for (size_t i = 0; i < p->columns.count; i++) {
        const struct ock_column *column = &schema->columns[places[i]];
        if (column->type == OCK_COLUMN_CATEGORY && !p->columns.items[i].category)
            return ock_fail(err, OCK_INVALID, "\"%s\" is text, the model takes numbers there",
                            column->name);
        if (column->missing > 0 && !ock_predictor_takes_missing(p, i))
            return refuse_missing(dataset, places[i], err);
    }
    return OCK_OK;
}

/* The dataset's columns in the model's order. */
static enum ock_status open_table(struct ock_table *table, const struct ock_predictor *p,
                                  const struct ock_dataset *dataset, struct ock_err *err)
{
    const struct ock_schema *schema = ock_dataset_schema(dataset);
    const char **names = malloc((schema->column_count + 1) * sizeof(*names));
    size_t *places = malloc((p->columns.count + 1) * sizeof(*places));
    enum ock_status status = OCK_OK;
    if (!names || !places) {
        status = ock_fail(err, OCK_NOMEM, "out of memory for the rows' columns");
        goto done;
    }
    for (size_t c = 0; c < schema->column_count; c++)
        names[c] = schema->columns[c].name;
    status = ock_row_columns_find(&p->columns, names, schema->column_count, places, err);
    if (status == OCK_OK)
        status = check_columns(p, dataset, places, err);
    if (status == OCK_OK)
        status = ock_table_init(table, dataset, places, &p->parts.encoder, "", err);
    if (status == OCK_OK)
        status = ock_table_scale(table, p->parts.mean, p->parts.scale, p->parts.clip, false, err);
done:
    free(places);
    free(names);
    return status;
}

/* The network's inputs among the features of `count` rows. */
static const float *take_inputs(struct ock_predictor *p, size_t count)
{
    const struct ock_model_parts *parts = &p->parts;
    if (!parts->inputs)
        return p->x;
    float *to = p->taken;
    for (size_t r = 0; r < count; r++) {
        const float *from = p->x + r * parts->encoder.features;
        for (size_t i = 0; i < parts->input_count; i++)
            *to++ = from[parts->inputs[i]];
    }
    return p->taken;
}

static void judge(struct ock_predictor *p, size_t count, const float *z,
                  struct ock_predictions *out)
{
    size_t outputs = p->parts.outputs;
    *out = (struct ock_predictions){.rows = count, .classes = p->parts.classes.count};
    if (out->classes == 0) {
        for (size_t i = 0; i < count; i++)
            p->value[i] = (double)z[i] * p->parts.target_scale + p->parts.target_mean;
        out->value = p->value;
        return;
    }
    for (size_t i = 0; i < count; i++)
        p->label[i] = ock_loss_predicted(outputs, z + i * outputs);
    ock_loss_probabilities(p->kernels, count, outputs, z, p->probabilities);
    out->label = p->label;
    out->probabilities = p->probabilities;
}

/* Rows, of whichever kind. */
struct rows {
    struct ock_table dense;
    struct ock_sparse_table sparse;
    bool is_sparse;
};

static enum ock_status open_rows(struct rows *rows, const struct ock_predictor *p,
                                 const struct ock_dataset *dataset, struct ock_err *err)
{
    rows->is_sparse = ock_dataset_schema(dataset)->sparse;
    if (rows->is_sparse)
        return ock_sparse_rows_open(&rows->sparse, &p->parts, dataset, err);
    return open_table(&rows->dense, p, dataset, err);
}

/* Encodes rows begin to begin + count into p->x. */
static void encode_rows(const struct rows *rows, struct ock_predictor *p, size_t begin,
                        size_t count)
{
    if (rows->is_sparse) {
        ock_sparse_rows_encode(&rows->sparse, &p->parts, begin, count, p->x);
        return;
    }
    for (size_t i = 0; i < count; i++)
        p->rows[i] = (uint32_t)(begin + i);
    ock_table_encode(&rows->dense, p->rows, count, p->x);
}

enum ock_status ock_predictor_run(struct ock_predictor *p, const struct ock_dataset *dataset,
                                  ock_predictions_fn *take, void *ctx, struct ock_err *err)
{
    struct rows source = {0};
    size_t block = p->plan.evaluation_rows;
    size_t rows = ock_dataset_schema(dataset)->rows;
    enum ock_status status = open_rows(&source, p, dataset, err);
    for (size_t begin = 0; begin < rows && status == OCK_OK; begin += block) {
        size_t count = rows - begin < block ? rows - begin : block;
        struct ock_pass pass = {.w = p->w, .rows = count};
        struct ock_predictions predictions;
        encode_rows(&source, p, begin, count);
        const float *x = take_inputs(p, count);
        judge(p, count, ock_network_forward(&p->net, &pass, x), &predictions);
        status = take(ctx, &predictions, err);
    }
    ock_table_deinit(&source.dense);
    ock_sparse_table_deinit(&source.sparse);
    return status;
}
