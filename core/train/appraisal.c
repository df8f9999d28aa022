/* The pass: blocks as in an epoch's evaluation, rows handed on in the set's order. */
#include "core/train/appraisal.h"

#include <stdlib.h>

#include "core/base/jsonw.h"
#include "core/data/readahead.h"
#include "core/model/loss.h"
#include "core/train/class_report.h"
#include "core/train/gather.h"
#include "core/train/residual_report.h"

struct appraisal {
    struct ock_trainer *trainer;
    const float *w;
    float *p; /* classes: [evaluation_rows, classes] */
    struct ock_class_report classes;
    struct ock_residual_report numbers;
};

static size_t classes_of(size_t outputs)
{
    return outputs == 1 ? 2 : outputs;
}

size_t ock_appraisal_bytes(size_t validation_rows, size_t outputs)
{
    if (validation_rows == 0)
        return 0;
    /* One output is a number's or that of two classes. */
    size_t classes = ock_class_report_bytes(validation_rows, classes_of(outputs));
    size_t numbers = outputs == 1 ? ock_residual_report_bytes(validation_rows) : 0;
    return classes > numbers ? classes : numbers;
}

static enum ock_status appraisal_init(struct appraisal *appraisal, struct ock_err *err)
{
    const struct ock_trainer *trainer = appraisal->trainer;
    const struct ock_data *data = trainer->data;
    if (data->classes == 0)
        return ock_residual_report_init(&appraisal->numbers, data->validation.count, err);
    size_t classes = classes_of(data->outputs);
    appraisal->p = calloc(trainer->plan->evaluation_rows * classes, sizeof(*appraisal->p));
    if (!appraisal->p)
        return ock_fail(err, OCK_NOMEM, "no memory for the classes' probabilities");
    return ock_class_report_init(&appraisal->classes, data->validation.count, classes,
                                 data->class_names, err);
}

static void appraisal_deinit(struct appraisal *appraisal)
{
    free(appraisal->p);
    ock_class_report_deinit(&appraisal->classes);
    ock_residual_report_deinit(&appraisal->numbers);
}

static void add_classes(struct appraisal *appraisal, size_t count, const float *z)
{
    struct ock_trainer *trainer = appraisal->trainer;
    size_t outputs = trainer->data->outputs, classes = classes_of(outputs);
    struct ock_loss_rows losses = {.rows = count,
                                   .outputs = outputs,
                                   .z = z,
                                   .label = trainer->batch.label,
                                   .weight = trainer->batch.weight,
                                   .work = trainer->work,
                                   .loss = trainer->row_loss};
    ock_loss_compute(trainer->spec->loss, trainer->kernels, &losses);
    ock_loss_probabilities(trainer->kernels, count, outputs, z, appraisal->p);
    for (size_t i = 0; i < count; i++) {
        struct ock_class_row row = {.s = (double)trainer->batch.weight[i],
                                    .label = (uint32_t)trainer->batch.label[i],
                                    .predicted =
                                        (uint32_t)ock_loss_predicted(outputs, z + i * outputs),
                                    .loss = (double)trainer->row_loss[i],
                                    .p = appraisal->p + i * classes};
        ock_class_report_add(&appraisal->classes, &row);
    }
}

static void add_numbers(struct appraisal *appraisal, const uint32_t *rows, size_t count,
                        const float *z)
{
    const struct ock_trainer *trainer = appraisal->trainer;
    const struct ock_data *data = trainer->data;
    for (size_t i = 0; i < count; i++) {
        struct ock_residual_row row = {.s = (double)trainer->batch.weight[i],
                                       .truth = ock_source_target(data->validation.source, rows[i]),
                                       .prediction =
                                           (double)z[i] * data->target_scale + data->target_mean,
                                       .number = rows[i]};
        ock_residual_report_add(&appraisal->numbers, &row);
    }
}

static void add_block(struct appraisal *appraisal, const uint32_t *rows, size_t count)
{
    struct ock_trainer *trainer = appraisal->trainer;
    const struct ock_rows *set = &trainer->data->validation;
    ock_source_read_ahead(set->source, rows, count);
    ock_gather(&trainer->net.team, set->source, rows, count, trainer->data->features,
               &trainer->batch);
    struct ock_pass pass = {
        .w = appraisal->w, .rows = count, .sparse = ock_batch_sparse(&trainer->batch)};
    const float *z = ock_network_forward(&trainer->net, &pass, trainer->batch.x);
    if (trainer->data->classes > 0)
        add_classes(appraisal, count, z);
    else
        add_numbers(appraisal, rows, count, z);
}

/* false: a pause was obeyed. */
static bool pass_over_rows(struct appraisal *appraisal)
{
    struct ock_trainer *trainer = appraisal->trainer;
    const struct ock_rows *set = &trainer->data->validation;
    size_t block = trainer->plan->evaluation_rows;
    ock_network_pack(&trainer->net, appraisal->w);
    for (size_t begin = 0; begin < set->count; begin += block) {
        if (ock_trainer_is_told(trainer, OCK_COMMAND_PAUSE))
            return false;
        size_t left = set->count - begin;
        add_block(appraisal, set->rows + begin, left < block ? left : block);
    }
    return true;
}

static void write(struct appraisal *appraisal, uint32_t epoch, struct ock_buf *out)
{
    bool classes = appraisal->trainer->data->classes > 0;
    struct ock_jsonw w = ock_jsonw_make(out);
    ock_jsonw_object(&w, NULL);
    ock_jsonw_string(&w, "kind", classes ? "classes" : "numbers");
    ock_jsonw_uint(&w, "epoch", epoch);
    if (classes)
        ock_class_report_write(&appraisal->classes, &w);
    else
        ock_residual_report_write(&appraisal->numbers, &w);
    ock_jsonw_end_object(&w);
}

enum ock_status ock_appraise(struct ock_trainer *trainer, const float *w, uint32_t epoch,
                             struct ock_buf *out, bool *left, struct ock_err *err)
{
    struct appraisal appraisal = {.trainer = trainer, .w = w};
    if (!(trainer->data->validation.weight_sum > 0) || trainer->data->classes == 1)
        return OCK_OK; /* of one class there is nothing to tell apart */
    enum ock_status status = appraisal_init(&appraisal, err);
    if (status == OCK_OK)
        *left = !pass_over_rows(&appraisal);
    if (status == OCK_OK && !*left) {
        write(&appraisal, epoch, out);
        status = ock_buf_status(out, err);
    }
    appraisal_deinit(&appraisal);
    return status;
}
