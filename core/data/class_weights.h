/* The weights that classes give to training rows. */
#ifndef OCK_DATA_CLASS_WEIGHTS_H
#define OCK_DATA_CLASS_WEIGHTS_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"
#include "core/data/classes.h"
#include "core/train/spec.h"

/* What is weighed. Everything is borrowed. */
struct ock_class_weighing {
    const struct ock_classes *classes;
    const int32_t *labels;    /* [rows] */
    const float *weights;     /* [rows] from a weights column; NULL: all are 1 */
    size_t rows;              /* of the dataset */
    const uint32_t *training; /* [training_count] */
    size_t training_count;
};

/* *out [rows], owned by the caller (free): each row's weight times that of its class: n / (k n_c)
 * for balanced, with n training rows, n_c of them in class c, and k classes; else what the spec
 * gives, 1 where it gives nothing. Errors: INVALID (a class that is not there), NOMEM. */
enum ock_status ock_class_weights(const struct ock_class_weighing *weighing,
                                  const struct ock_data_spec *spec, float **out,
                                  struct ock_err *err);

#endif
