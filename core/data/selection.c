/* Names to columns, and what a column must be to serve. */
#include "core/data/selection.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/data/field.h"

size_t ock_column_near(const struct ock_schema *schema, const char *name, size_t hint)
{
    if (hint < schema->column_count && strcmp(schema->columns[hint].name, name) == 0)
        return hint;
    return ock_schema_column(schema, name);
}

void ock_selection_deinit(struct ock_selection *columns)
{
    free(columns->features);
    *columns = (struct ock_selection){0};
}

static enum ock_status no_column(const char *what, const char *kind, const char *name,
                                 struct ock_err *err)
{
    return ock_fail(err, OCK_INVALID, "%sthere is no column \"%s\" for %s", what, name, kind);
}

/* A category's value is there and is no number. */
static bool is_text(const struct ock_dataset *dataset, size_t index, size_t row)
{
    const struct ock_column *column = &ock_dataset_schema(dataset)->columns[index];
    double code = ock_dataset_number(dataset, index, row);
    if (code >= (double)column->value_count)
        return false;
    const char *text = column->values[(size_t)code];
    double value;
    return ock_field_read(text, strlen(text), &value) == OCK_FIELD_TEXT;
}

/* A feature that training can take: numbers, all there. */
static enum ock_status check_feature(const struct ock_dataset *dataset, size_t index,
                                     const char *what, struct ock_err *err)
{
    const struct ock_schema *schema = ock_dataset_schema(dataset);
    const struct ock_column *column = &schema->columns[index];
    size_t row = 0;
    if (column->type == OCK_COLUMN_CATEGORY) {
        while (row + 1 < schema->rows && !is_text(dataset, index, row))
            row++;
        double code = ock_dataset_number(dataset, index, row);
        return ock_fail(err, OCK_INVALID,
                        "%sthe column \"%s\" is text (row %zu has \"%.60s\"); leave it out with "
                        "data.features",
                        what, column->name, row + 1,
                        code < (double)column->value_count ? column->values[(size_t)code] : "");
    }
    if (column->missing == 0)
        return OCK_OK;
    while (row < schema->rows && !isnan(ock_dataset_number(dataset, index, row)))
        row++;
    return ock_fail(err, OCK_INVALID,
                    "%sthe column \"%s\" has %zu missing values, the first in row %zu; leave it "
                    "out with data.features, or fill them in",
                    what, column->name, column->missing, row + 1);
}

/* Sparse columns bear their index as a name, without a gap. SIZE_MAX: not among them. */
static size_t sparse_column(const struct ock_schema *schema, const char *name)
{
    size_t first = strtoul(schema->columns[0].name, NULL, 10);
    size_t index = strtoul(name, NULL, 10) - first; /* huge below the first */
    bool there = index + 1 < schema->column_count && strcmp(schema->columns[index].name, name) == 0;
    return there ? index : SIZE_MAX;
}

static enum ock_status find_features(struct ock_selection *columns,
                                     const struct ock_data_spec *spec,
                                     const struct ock_dataset *dataset, const char *what,
                                     struct ock_err *err)
{
    const struct ock_schema *schema = ock_dataset_schema(dataset);
    size_t hint = 0;
    for (size_t f = 0; f < spec->feature_count; f++) {
        size_t column = schema->sparse ? sparse_column(schema, spec->features[f])
                                       : ock_column_near(schema, spec->features[f], hint);
        if (column == SIZE_MAX && schema->sparse) {
            columns->features[columns->count++] = SIZE_MAX; /* 0 in all rows */
            continue;
        }
        if (column == SIZE_MAX)
            return no_column(what, "a feature", spec->features[f], err);
        if (column == columns->target || column == columns->weights)
            return ock_fail(err, OCK_INVALID, "%sthe column \"%s\" can't be a feature as well",
                            what, spec->features[f]);
        enum ock_status status =
            schema->sparse ? OCK_OK : check_feature(dataset, column, what, err);
        if (status != OCK_OK)
            return status;
        columns->features[columns->count++] = column;
        hint = column + 1;
    }
    return OCK_OK;
}

enum ock_status ock_selection_init(struct ock_selection *columns, const struct ock_data_spec *spec,
                                   const struct ock_dataset *dataset, const char *what,
                                   struct ock_err *err)
{
    const struct ock_schema *schema = ock_dataset_schema(dataset);
    struct ock_selection made = {.weights = SIZE_MAX};
    if (!spec->target || spec->feature_count == 0)
        return ock_fail(err, OCK_INVALID, "the spec names no target or no features");
    made.target = ock_column_near(schema, spec->target, schema->column_count - 1);
    if (made.target == SIZE_MAX)
        return no_column(what, "the target", spec->target, err);
    if (spec->weights) {
        made.weights = ock_schema_column(schema, spec->weights);
        if (made.weights == SIZE_MAX)
            return no_column(what, "the weights", spec->weights, err);
    }
    made.features = malloc(spec->feature_count * sizeof(*made.features));
    if (!made.features)
        return ock_fail(err, OCK_NOMEM, "out of memory for %zu features", spec->feature_count);
    enum ock_status status = find_features(&made, spec, dataset, what, err);
    if (status != OCK_OK) {
        ock_selection_deinit(&made);
        return status;
    }
    *columns = made;
    return OCK_OK;
}
