/* The path as a value. */
#include "core/train/tune_path.h"

#include <stdlib.h>

enum ock_status ock_tune_path_init(struct ock_tune_path *out, size_t count, size_t parameters,
                                   size_t outputs, struct ock_err *err)
{
    struct ock_tune_path path = {.count = count, .parameters = parameters, .outputs = outputs};
    bool keeps = parameters <= OCK_PATH_NUMBERS_MAX / count;
    path.zeros = calloc(count, sizeof(*path.zeros));
    if (keeps)
        path.weights = calloc(count * parameters, sizeof(*path.weights));
    if (!path.zeros || (keeps && !path.weights)) {
        ock_tune_path_deinit(&path);
        return ock_fail(err, OCK_NOMEM, "out of memory for the path of coefficients");
    }
    *out = path;
    return OCK_OK;
}

void ock_tune_path_deinit(struct ock_tune_path *path)
{
    free(path->zeros);
    free(path->weights);
    path->zeros = NULL;
    path->weights = NULL;
}

static void write_numbers(struct ock_jsonw *w, const char *key, const float *numbers, size_t count)
{
    ock_jsonw_array(w, key);
    for (size_t i = 0; i < count; i++)
        ock_jsonw_double(w, NULL, (double)numbers[i]);
    ock_jsonw_end_array(w);
}

void ock_tune_path_write(struct ock_jsonw *w, const struct ock_tune_path *path,
                         const struct ock_tune_table *table, bool biases)
{
    size_t bias_count = biases ? path->outputs : 0;
    size_t weight_count = path->parameters - bias_count;
    ock_jsonw_array(w, "path");
    for (size_t i = 0; i < path->count; i++) {
        ock_jsonw_object(w, NULL);
        ock_jsonw_double(w, "l1", table->trials[i].values[OCK_AXIS_L1]);
        ock_jsonw_double(w, "l2", table->trials[i].values[OCK_AXIS_L2]);
        ock_jsonw_uint(w, "zeros", path->zeros[i]);
        if (path->weights) {
            const float *weights = &path->weights[i * path->parameters];
            write_numbers(w, "weights", weights, weight_count);
            write_numbers(w, "bias", weights + weight_count, bias_count);
        }
        ock_jsonw_end_object(w);
    }
    ock_jsonw_end_array(w);
}
