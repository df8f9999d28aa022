/* Classes are compared by value where all of them are numbers, else byte by byte. Numbers with a
 * fraction are compared as float32 has them, because one dataset may keep a column as float32 and
 * another as float64. */
#include "core/data/classes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/jsonw.h"
#include "core/base/limits.h"
#include "core/data/field.h"
#include "core/data/stats.h"

static double comparable(double value)
{
    return value == rint(value) ? value + 0.0 : (double)(float)value;
}

void ock_classes_deinit(struct ock_classes *classes)
{
    free(classes->values);
    free(classes->texts);
    free(classes->made);
    *classes = (struct ock_classes){0};
}

/* Values and names of a column that the schema keeps no texts of. */
static enum ock_status scan_numbers(struct ock_classes *classes, const struct ock_dataset *dataset,
                                    size_t column, struct ock_err *err)
{
    struct ock_stats stats;
    struct ock_buf texts;
    size_t rows = ock_dataset_schema(dataset)->rows;
    enum ock_status status = OCK_OK;
    ock_stats_init(&stats, OCK_CLASSES_MAX);
    ock_buf_init(&texts, OCK_GIB);
    for (size_t row = 0; row < rows && status == OCK_OK && !stats.set_dropped; row++) {
        double value = ock_dataset_number(dataset, column, row);
        if (!isnan(value))
            status = ock_stats_add(&stats, value, err);
    }
    if (status == OCK_OK && stats.set_dropped)
        status = ock_fail(err, OCK_LIMIT, "the target has more than %zu classes, the limit",
                          OCK_CLASSES_MAX);
    double *values = malloc((stats.set_count + 1) * sizeof(*values));
    classes->made = malloc((stats.set_count + 1) * sizeof(*classes->made));
    if (status != OCK_OK)
        goto done;
    if (!values || !classes->made) {
        status = ock_fail(err, OCK_NOMEM, "out of memory for the classes");
        goto done;
    }

    ock_stats_distinct(&stats, values);
    for (size_t i = 0; i < stats.set_count; i++) {
        char text[OCK_NUMBER_TEXT_SIZE];
        ock_number_text(text, values[i]);
        ock_buf_add(&texts, text, strlen(text) + 1);
    }
    classes->texts = ock_buf_take(&texts);
    if (!classes->texts) {
        status = ock_fail(err, OCK_NOMEM, "out of memory for the classes");
        goto done;
    }
    const char *next = classes->texts;
    for (size_t i = 0; i < stats.set_count; i++) {
        classes->made[i] = next;
        next += strlen(next) + 1;
    }
    classes->count = stats.set_count;
    classes->names = classes->made;
done:
    free(values);
    ock_stats_deinit(&stats);
    ock_buf_deinit(&texts);
    return status;
}

/* The names as numbers, if all of them are. */
static enum ock_status find_values(struct ock_classes *classes, struct ock_err *err)
{
    classes->values = malloc((classes->count + 1) * sizeof(*classes->values));
    if (!classes->values)
        return ock_fail(err, OCK_NOMEM, "out of memory for the classes");
    classes->numeric = true;
    for (size_t i = 0; i < classes->count; i++) {
        size_t size = strlen(classes->names[i]);
        double value = 0;
        if (size >= OCK_NAME_BYTES_MAX)
            return ock_fail(err, OCK_LIMIT,
                            "the target has a text of %zu bytes, a class's name may have %u; "
                            "is it the right column?",
                            size, OCK_NAME_BYTES_MAX - 1);
        if (ock_field_read(classes->names[i], size, &value) != OCK_FIELD_NUMBER)
            classes->numeric = false;
        classes->values[i] = comparable(value);
    }
    return OCK_OK;
}

enum ock_status ock_classes_init(struct ock_classes *classes, const struct ock_dataset *dataset,
                                 size_t column, struct ock_err *err)
{
    const struct ock_column *target = &ock_dataset_schema(dataset)->columns[column];
    struct ock_classes made = {.count = target->value_count, .names = target->values};
    enum ock_status status = OCK_OK;
    if (made.count == 0 && target->type != OCK_COLUMN_CATEGORY)
        status = scan_numbers(&made, dataset, column, err);
    if (status == OCK_OK && made.count == 0)
        status = ock_fail(err, OCK_INVALID, "the target \"%s\" has no values", target->name);
    if (status == OCK_OK && made.count > OCK_CLASSES_MAX)
        status = ock_fail(err, OCK_LIMIT,
                          "the target \"%s\" has %zu classes, the limit is %zu; is it the right "
                          "column?",
                          target->name, made.count, OCK_CLASSES_MAX);
    if (status == OCK_OK)
        status = find_values(&made, err);
    if (status != OCK_OK) {
        ock_classes_deinit(&made);
        return status;
    }
    *classes = made;
    return OCK_OK;
}

static size_t find_value(const struct ock_classes *classes, double value)
{
    value = comparable(value);
    size_t low = 0, high = classes->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (classes->values[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low < classes->count && classes->values[low] == value ? low : SIZE_MAX;
}

size_t ock_classes_find(const struct ock_classes *classes, const char *name)
{
    double value;
    if (classes->numeric) {
        bool number = ock_field_read(name, strlen(name), &value) == OCK_FIELD_NUMBER;
        return number ? find_value(classes, value) : SIZE_MAX;
    }
    size_t low = 0, high = classes->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(classes->names[middle], name);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return SIZE_MAX;
}

static enum ock_status missing(const char *what, const struct ock_column *column, size_t row,
                               struct ock_err *err)
{
    return ock_fail(err, OCK_INVALID,
                    "%sthe target \"%s\" is missing in row %zu; remove the rows without one", what,
                    column->name, row + 1);
}

static enum ock_status unknown(const char *what, const struct ock_column *column, const char *value,
                               size_t row, struct ock_err *err)
{
    return ock_fail(err, OCK_INVALID,
                    "%sthe label \"%.100s\" of row %zu in \"%s\" is no class of the training "
                    "dataset",
                    what, value, row + 1, column->name);
}

static enum ock_status label_category(const struct ock_classes *classes,
                                      const struct ock_dataset *dataset, size_t column,
                                      int32_t *labels, const char *what, struct ock_err *err)
{
    const struct ock_schema *schema = ock_dataset_schema(dataset);
    const struct ock_column *target = &schema->columns[column];
    enum ock_status status = OCK_OK;
    size_t *map = malloc((target->value_count + 1) * sizeof(*map));
    if (!map)
        return ock_fail(err, OCK_NOMEM, "out of memory for the labels");
    for (size_t i = 0; i < target->value_count; i++)
        map[i] = ock_classes_find(classes, target->values[i]);
    for (size_t row = 0; row < schema->rows && status == OCK_OK; row++) {
        double code = ock_dataset_number(dataset, column, row);
        if (code == (double)UINT32_MAX)
            status = missing(what, target, row, err);
        else if (code >= (double)target->value_count)
            status = ock_fail(err, OCK_CORRUPT, "%sa category's code is out of range", what);
        else if (map[(size_t)code] == SIZE_MAX)
            status = unknown(what, target, target->values[(size_t)code], row, err);
        else
            labels[row] = (int32_t)map[(size_t)code];
    }
    free(map);
    return status;
}

static enum ock_status label_numbers(const struct ock_classes *classes,
                                     const struct ock_dataset *dataset, size_t column,
                                     int32_t *labels, const char *what, struct ock_err *err)
{
    const struct ock_schema *schema = ock_dataset_schema(dataset);
    const struct ock_column *target = &schema->columns[column];
    double last = (double)NAN;
    size_t found = SIZE_MAX;
    for (size_t row = 0; row < schema->rows; row++) {
        double value = ock_dataset_number(dataset, column, row);
        if (isnan(value))
            return missing(what, target, row, err);
        if (value != last) {
            char text[OCK_NUMBER_TEXT_SIZE];
            if (classes->numeric) {
                found = find_value(classes, value);
            } else {
                ock_number_text(text, value);
                found = ock_classes_find(classes, text);
            }
            if (found == SIZE_MAX) {
                ock_number_text(text, value);
                return unknown(what, target, text, row, err);
            }
            last = value;
        }
        labels[row] = (int32_t)found;
    }
    return OCK_OK;
}

enum ock_status ock_classes_label(const struct ock_classes *classes,
                                  const struct ock_dataset *dataset, size_t column, int32_t *labels,
                                  const char *what, struct ock_err *err)
{
    const struct ock_column *target = &ock_dataset_schema(dataset)->columns[column];
    if (target->type == OCK_COLUMN_CATEGORY)
        return label_category(classes, dataset, column, labels, what, err);
    return label_numbers(classes, dataset, column, labels, what, err);
}
