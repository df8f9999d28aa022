/* What a schema says: columns by name, how one would serve as a target, and the whole as JSON. */
#include <string.h>

#include "core/base/jsonw.h"
#include "core/base/limits.h"
#include "core/data/dataset.h"

size_t ock_schema_column(const struct ock_schema *schema, const char *name)
{
    for (size_t c = 0; c < schema->column_count; c++) {
        if (strcmp(schema->columns[c].name, name) == 0)
            return c;
    }
    return SIZE_MAX;
}

/* Static sentences, one for each count of classes that a whole number may have. */
static const char *whole_numbers_text(size_t count)
{
#define TEXT(n) "whole numbers with " n " distinct values"
    static const char *const texts[OCK_WHOLE_CLASSES_MAX + 1] = {
        TEXT("no"), "whole numbers with one value",
        TEXT("2"),  TEXT("3"),
        TEXT("4"),  TEXT("5"),
        TEXT("6"),  TEXT("7"),
        TEXT("8"),  TEXT("9"),
        TEXT("10"), TEXT("11"),
        TEXT("12"), TEXT("13"),
        TEXT("14"), TEXT("15"),
        TEXT("16"), TEXT("17"),
        TEXT("18"), TEXT("19"),
        TEXT("20")};
#undef TEXT
    return texts[count];
}

enum ock_target_kind ock_schema_target_kind(const struct ock_schema *schema, size_t column,
                                            const char **because)
{
    const struct ock_column *c = &schema->columns[column];
    if (c->type == OCK_COLUMN_CATEGORY) {
        *because = c->boolean ? "true or false" : "text";
        return OCK_TARGET_CLASSES;
    }
    bool few = c->value_count > 0 && c->value_count <= OCK_WHOLE_CLASSES_MAX;
    bool whole = c->type == OCK_COLUMN_BYTE || c->whole;
    if (schema->has_labels && column + 1 == schema->column_count && whole && c->value_count > 0) {
        *because = "labels of a labels file";
        return OCK_TARGET_CLASSES;
    }
    if (whole && few) {
        *because = whole_numbers_text(c->value_count);
        return OCK_TARGET_CLASSES;
    }
    *because = whole ? "whole numbers with more than 20 distinct values" : "numbers with fractions";
    return OCK_TARGET_NUMBER;
}

static const char *type_name(const struct ock_column *column)
{
    switch (column->type) {
    case OCK_COLUMN_BYTE:
        return "byte";
    case OCK_COLUMN_NUMBER:
        return "number";
    case OCK_COLUMN_CATEGORY:
        return column->boolean ? "boolean" : "category";
    }
    return "";
}

static void write_column(const struct ock_column *column, size_t rows, struct ock_jsonw *w)
{
    ock_jsonw_object(w, NULL);
    ock_jsonw_string(w, "name", column->name);
    ock_jsonw_string(w, "type", type_name(column));
    ock_jsonw_uint(w, "missing", column->missing);
    if (column->type != OCK_COLUMN_CATEGORY) {
        if (column->missing < rows) {
            ock_jsonw_double(w, "min", column->min);
            ock_jsonw_double(w, "max", column->max);
            ock_jsonw_double(w, "mean", column->mean);
        } else {
            ock_jsonw_null(w, "min");
            ock_jsonw_null(w, "max");
            ock_jsonw_null(w, "mean");
        }
    }
    if (column->value_count > 0)
        ock_jsonw_uint(w, "distinct", column->value_count);
    else
        ock_jsonw_null(w, "distinct");
    ock_jsonw_end_object(w);
}

static void write_target(const struct ock_schema *schema, struct ock_jsonw *w)
{
    if (schema->target == SIZE_MAX) {
        ock_jsonw_null(w, "target");
        return;
    }
    const struct ock_column *column = &schema->columns[schema->target];
    const char *because = NULL;
    enum ock_target_kind kind = ock_schema_target_kind(schema, schema->target, &because);
    ock_jsonw_object(w, "target");
    ock_jsonw_string(w, "name", column->name);
    ock_jsonw_string(w, "kind", kind == OCK_TARGET_CLASSES ? "classes" : "number");
    if (kind == OCK_TARGET_CLASSES) {
        ock_jsonw_array(w, "classes");
        for (size_t i = 0; i < column->value_count && i < OCK_DISTINCT_MAX; i++)
            ock_jsonw_string(w, NULL, column->values[i]);
        ock_jsonw_end_array(w);
        ock_jsonw_uint(w, "classes_count", column->value_count);
    }
    ock_jsonw_string(w, "because", because);
    ock_jsonw_end_object(w);
}

void ock_schema_write(const struct ock_schema *schema, size_t columns_max, struct ock_buf *out)
{
    struct ock_jsonw w = ock_jsonw_make(out);
    ock_jsonw_object(&w, NULL);
    ock_jsonw_uint(&w, "rows", schema->rows);
    ock_jsonw_string(&w, "format", schema->format);
    ock_jsonw_uint(&w, "columns_count", schema->column_count);
    if (schema->sparse)
        ock_jsonw_uint(&w, "nonzeros", schema->nonzeros);
    if (schema->missing)
        ock_jsonw_string(&w, "missing_words", schema->missing);
    ock_jsonw_array(&w, "columns");
    for (size_t c = 0; c < schema->column_count && c < columns_max; c++)
        write_column(&schema->columns[c], schema->rows, &w);
    ock_jsonw_end_array(&w);
    write_target(schema, &w);
    if (schema->shape_count > 0) {
        ock_jsonw_array(&w, "shape");
        for (size_t i = 0; i < schema->shape_count; i++)
            ock_jsonw_uint(&w, NULL, schema->shape[i]);
        ock_jsonw_end_array(&w);
    }
    ock_jsonw_end_object(&w);
}
