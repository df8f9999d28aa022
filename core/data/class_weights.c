/* Class weights: one factor a class, multiplied in double and rounded once. */
#include "core/data/class_weights.h"

#include <stdlib.h>

static void find_balanced(const struct ock_class_weighing *weighing, double *factors)
{
    size_t classes = weighing->classes->count;
    size_t count = weighing->training_count;
    for (size_t i = 0; i < count; i++)
        factors[weighing->labels[weighing->training[i]]]++;
    for (size_t c = 0; c < classes; c++) {
        if (factors[c] > 0)
            factors[c] = (double)count / ((double)classes * factors[c]);
    }
}

static enum ock_status find_given(const struct ock_class_weighing *weighing,
                                  const struct ock_data_spec *spec, double *factors,
                                  struct ock_err *err)
{
    for (size_t c = 0; c < weighing->classes->count; c++)
        factors[c] = 1;
    for (size_t i = 0; i < spec->class_weight_count; i++) {
        size_t c = ock_classes_find(weighing->classes, spec->class_weights[i].name);
        if (c == SIZE_MAX)
            return ock_fail(err, OCK_INVALID, "class_weight: there is no class \"%.100s\"",
                            spec->class_weights[i].name);
        factors[c] = spec->class_weights[i].weight;
    }
    return OCK_OK;
}

enum ock_status ock_class_weights(const struct ock_class_weighing *weighing,
                                  const struct ock_data_spec *spec, float **out,
                                  struct ock_err *err)
{
    enum ock_status status = OCK_OK;
    double *factors = calloc(weighing->classes->count, sizeof(*factors));
    float *weights = malloc(weighing->rows * sizeof(*weights));
    if (!factors || !weights) {
        status = ock_fail(err, OCK_NOMEM, "out of memory for the weights");
        goto done;
    }
    if (spec->class_weight == OCK_CLASS_WEIGHT_BALANCED)
        find_balanced(weighing, factors);
    else
        status = find_given(weighing, spec, factors, err);
    if (status != OCK_OK)
        goto done;
    for (size_t row = 0; row < weighing->rows; row++) {
        double weight = weighing->weights ? (double)weighing->weights[row] : 1;
        weights[row] = (float)(weight * factors[weighing->labels[row]]);
    }
    *out = weights;
    weights = NULL;
done:
    free(factors);
    free(weights);
    return status;
}
