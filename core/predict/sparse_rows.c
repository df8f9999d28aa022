/* From terms to blocks of features. */
#include "core/predict/sparse_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The number that a name is, as an importer writes it; SIZE_MAX: none. */
static size_t index_of(const char *name)
{
    size_t index = 0;
    if (!*name || (name[0] == '0' && name[1]))
        return SIZE_MAX;
    for (; *name >= '0' && *name <= '9'; name++) {
        if (index > OCK_COLUMNS_MAX)
            return SIZE_MAX;
        index = index * 10 + (size_t)(*name - '0');
    }
    return *name ? SIZE_MAX : index;
}

uint32_t ock_sparse_rows_index_max(const struct ock_model_parts *parts)
{
    size_t most = 0;
    for (size_t c = 0; c < parts->encoder.count && parts->sparse; c++) {
        size_t index = index_of(parts->encoder.columns[c].name);
        most = index != SIZE_MAX && index > most ? index : most;
    }
    return most < OCK_COLUMNS_MAX ? (uint32_t)most : 0;
}

/* Zeros must stay zeros. */
static enum ock_status check_model(const struct ock_model_parts *parts, struct ock_err *err)
{
    if (!parts->sparse)
        return ock_fail(
            err, OCK_UNSUPPORTED,
            "svmlight rows are for models of sparse data, and this one takes columns by "
            "name; give the rows as a CSV with a header or as JSON objects");
    for (size_t f = 0; f < parts->encoder.features; f++) {
        if (parts->mean[f] != 0)
            return ock_fail(err, OCK_INVALID, "the model's scaler moves the zeros of sparse rows");
    }
    return OCK_OK;
}

enum ock_status ock_sparse_rows_open(struct ock_sparse_table *out,
                                     const struct ock_model_parts *parts,
                                     const struct ock_dataset *dataset, struct ock_err *err)
{
    const struct ock_schema *schema = ock_dataset_schema(dataset);
    const struct ock_encoder *encoder = &parts->encoder;
    size_t width = schema->column_count - 1; /* the label is the last one */
    enum ock_status status = check_model(parts, err);
    if (status != OCK_OK)
        return status;
    size_t first = index_of(schema->columns[0].name); /* columns count on from there */
    size_t *columns = malloc((encoder->count + 1) * sizeof(*columns));
    if (!columns)
        return ock_fail(err, OCK_NOMEM, "out of memory for %zu columns", encoder->count);
    for (size_t f = 0; f < encoder->count; f++) {
        size_t index = index_of(encoder->columns[f].name);
        bool known = index != SIZE_MAX && index >= first && index - first < width;
        columns[f] = known ? index - first : SIZE_MAX;
    }
    status = ock_sparse_table_init(out, dataset, columns, encoder->count, err);
    free(columns);
    return status;
}

void ock_sparse_rows_encode(const struct ock_sparse_table *table,
                            const struct ock_model_parts *parts, size_t begin, size_t count,
                            float *x)
{
    size_t features = parts->encoder.features;
    memset(x, 0, count * features * sizeof(*x));
    for (size_t r = 0; r < count; r++, x += features) {
        size_t end = table->rows.begin[begin + r + 1];
        for (size_t t = table->rows.begin[begin + r]; t < end; t++) {
            uint32_t f = table->feature[table->rows.index[t]];
            if (f == UINT32_MAX)
                continue;
            double value = (double)table->rows.value[t] / parts->scale[f];
            x[f] = (float)fmin(fmax(value, -parts->clip), parts->clip);
        }
    }
}
