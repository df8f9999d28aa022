/* Names to columns, and what a column must be to serve. */
#include "core/data/selection.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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

/* Sparse columns bear their index as a name, without a gap. SIZE_MAX: not among them. */
static size_t sparse_column(const struct ock_schema *schema, const char *name)
{
    size_t first = strtoul(schema->columns[0].name, NULL, 10);
    size_t index = strtoul(name, NULL, 10) - first; /* below the first: huge, SIZE_MAX too */
    bool there = index < schema->column_count - 1 && strcmp(schema->columns[index].name, name) == 0;
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
