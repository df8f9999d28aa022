/* Sizes first: too large is refused here, before anything is allocated. */
#include "core/train/plan.h"

#include "core/train/appraisal.h"
#include "core/train/trainer.h"
#include "core/train/tune_plan.h"

enum { EVALUATION_ROWS = 256 };

/* Below this much work a second thread costs more than it brings (about 80 us on one core). */
static const double FLOPS_PER_THREAD = 8e6;

/* Each column has its record, its place, its encoding, its scale and its name, in the spec and, at the
 * end, in the model file's texts. Measured with a million of them, sparse and dense. */
enum { COLUMN_BYTES = 512 };

/* What a term and a weight's update cost, in a dense product's operations. */
static const double TERM_FLOPS = 16, UPDATE_FLOPS = 16;

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Forward and gradient of an average batch's terms; the update of all weights is the larger part
 * where rows are very sparse. */
static double sparse_flops(const struct ock_plan_layer *layer, const struct ock_plan_data *data,
                           size_t batch_rows)
{
    size_t rows = data->rows.train_rows + data->rows.validation_rows + data->rows.test_rows;
    double terms = (double)data->rows.nonzeros / (double)rows * (double)batch_rows;
    return TERM_FLOPS * terms * (double)layer->out + UPDATE_FLOPS * (double)layer->weight_count;
}

static enum ock_status plan_layers(struct ock_plan *plan, const struct ock_spec *spec,
                                   const struct ock_plan_data *data, struct ock_err *err)
{
    size_t width = data->rows.features;
    size_t weights_before = 0;
    for (size_t i = 0; i < spec->layer_count; i++) {
        const struct ock_layer_spec *layer = &spec->layers[i];
        struct ock_plan_layer *out = &plan->layers[i];
        *out = (struct ock_plan_layer){.spec = layer, .in = width, .out = width};
        if (layer->type != OCK_LINEAR)
            continue;
        out->out = layer->units;
        out->weight_offset = plan->parameters;
        out->weight_count = out->in * out->out; /* each below 2^20 */
        out->bias_count = layer->bias ? out->out : 0;
        out->sparse = data->rows.sparse && i == 0;
        out->bias_offset = out->weight_offset + out->weight_count;
        plan->parameters = out->bias_offset + out->bias_count;
        if (plan->parameters > OCK_PARAMETERS_MAX)
            return ock_fail(err, OCK_LIMIT,
                            "the network has more than %zu parameters, the limit: layer %zu alone "
                            "would have %zu; use fewer units",
                            OCK_PARAMETERS_MAX, i, out->weight_count + out->bias_count);
        plan->flops_per_step += out->sparse
                                    ? sparse_flops(out, data, plan->batch_rows)
                                    : (weights_before > 0 ? 6.0 : 4.0) * (double)out->weight_count *
                                          (double)plan->batch_rows;
        weights_before += out->weight_count;
        width = out->out;
    }
    return OCK_OK;
}

/* What the data keep in memory: row numbers, and encoded rows where they are cached. */
static size_t data_bytes(const struct ock_plan_data *data)
{
    size_t rows = data->rows.train_rows + data->rows.validation_rows + data->rows.test_rows;
    size_t encoded = rows * data->rows.features * sizeof(float);
    bool is_cached = !data->rows.sparse && encoded <= OCK_CACHE_BYTES_MAX;
    return rows * 16 + data->rows.features * COLUMN_BYTES + (is_cached ? encoded : 0);
}

struct ock_plan_data ock_plan_data_of(const struct ock_data *data)
{
    return (struct ock_plan_data){.rows = {.train_rows = data->train.count,
                                           .validation_rows = data->validation.count,
                                           .test_rows = data->test.count,
                                           .features = data->features,
                                           .sparse = data->sparse,
                                           .nonzeros = data->nonzeros,
                                           .row_terms_max = data->row_terms_max},
                                  .outputs = data->outputs};
}

enum ock_status ock_plan_make(struct ock_plan *out, const struct ock_spec *spec,
                              const struct ock_plan_data *data, struct ock_err *err)
{
    struct ock_plan plan = {.layer_count = spec->layer_count};
    if (data->rows.train_rows == 0)
        return ock_fail(err, OCK_INVALID, "there are no training rows");
    plan.batch_rows = smaller(spec->train.batch_size, data->rows.train_rows);
    if (plan.batch_rows > OCK_BATCH_ROWS_MAX)
        return ock_fail(err, OCK_LIMIT, "a minibatch of %zu rows is above the limit of %zu",
                        plan.batch_rows, OCK_BATCH_ROWS_MAX);
    size_t most_rows = data->rows.train_rows;
    most_rows = data->rows.validation_rows > most_rows ? data->rows.validation_rows : most_rows;
    most_rows = data->rows.test_rows > most_rows ? data->rows.test_rows : most_rows;
    plan.evaluation_rows = smaller(EVALUATION_ROWS, most_rows);
    size_t block_rows =
        plan.batch_rows > plan.evaluation_rows ? plan.batch_rows : plan.evaluation_rows;
    plan.batch_terms = smaller(data->rows.nonzeros, block_rows * data->rows.row_terms_max);
    plan.steps_per_epoch = (data->rows.train_rows + plan.batch_rows - 1) / plan.batch_rows;
    plan.steps_total = plan.steps_per_epoch * spec->train.epochs;
    if (spec->train.max_steps > 0 && spec->train.max_steps < plan.steps_total)
        plan.steps_total = spec->train.max_steps;
    enum ock_status status = plan_layers(&plan, spec, data, err);
    if (status != OCK_OK)
        return status;

    double useful = plan.flops_per_step / FLOPS_PER_THREAD;
    plan.threads_useful = useful < 1 ? 1 : useful > 256 ? 256 : (uint32_t)useful;
    uint32_t threads = spec->train.threads > 0 ? spec->train.threads : plan.threads_useful;
    plan.memory_bytes = ock_trainer_bytes(spec, &plan, data, threads) + data_bytes(data) +
                        ock_appraisal_bytes(data->rows.validation_rows, data->outputs);
    if (spec->tune.on)
        status = ock_tune_plan(&plan, spec, data, data_bytes(data), err);
    if (status == OCK_OK)
        *out = plan;
    return status;
}
