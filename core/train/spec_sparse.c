/* What sparse data do not allow: whatever would turn their zeros into something else. */
#include "core/train/spec_columns.h"

static void refuse(struct ock_faults *faults, const char *pointer, const char *why)
{
    (void)ock_faults_add(faults, pointer, "unsupported_combination", "%s", why);
}

void ock_columns_check_sparse(const struct ock_columns *columns, const struct ock_spec *spec,
                              struct ock_faults *faults)
{
    if (!columns->schema->sparse)
        return;
    if (spec->data.scaling == OCK_SCALING_STANDARD || spec->data.scaling == OCK_SCALING_MINMAX)
        refuse(faults, "/data/scaling",
               "a shift would fill the zeros of sparse data; auto and none leave them as they are, "
               "{\"divide\": d} scales them");
    if (spec->layers[0].type == OCK_DROPOUT)
        refuse(faults, "/model/input_dropout",
               "sparse data go into a linear layer as they are; use dropout behind it");
    else if (spec->layers[0].type != OCK_LINEAR)
        refuse(faults, "/model/layers/0", "sparse data need a linear layer first");
    for (size_t f = 1; f < columns->feature_count; f++) {
        if (columns->features[f] < columns->features[f - 1]) {
            refuse(faults, "/data/features",
                   "features of sparse data must stand in the order of their indices");
            return;
        }
    }
}
