/* Columns by name. What can't serve is told here, while it is still a 422 with a pointer, and not
 * by a job that fails a minute later. */
#include "core/train/spec_columns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"

enum { SUGGESTION_COLUMNS_MAX = 1000 }; /* of more, the nearest is no help and takes long */

static void unknown_column(const struct ock_schema *schema, const char *pointer, const char *name,
                           struct ock_faults *faults)
{
    const char *names[SUGGESTION_COLUMNS_MAX];
    struct ock_fault *fault = ock_faults_add(faults, pointer, "unknown_value",
                                             "the dataset has no column \"%.100s\"", name);
    size_t count = 0;
    while (count < schema->column_count && count < SUGGESTION_COLUMNS_MAX) {
        names[count] = schema->columns[count].name;
        count++;
    }
    const char *nearest = ock_nearest_word(name, names, count);
    if (fault && nearest)
        (void)snprintf(fault->suggestion, sizeof(fault->suggestion), "%s", nearest);
}

/* A list of names that grows until its text is full; the rest is counted. */
struct name_list {
    char text[200];
    size_t shown, count;
};

static void list_name(struct name_list *list, const char *name)
{
    size_t used = strlen(list->text);
    list->count++;
    if (used + strlen(name) + 8 >= sizeof(list->text))
        return;
    (void)snprintf(list->text + used, sizeof(list->text) - used, "%s\"%s\"",
                   list->shown > 0 ? ", " : "", name);
    list->shown++;
}

/* "a", "b" and 3 more */
static void list_end(struct name_list *list, char *text, size_t size)
{
    if (list->shown == 0)
        (void)snprintf(text, size, "%zu columns", list->count);
    else if (list->shown < list->count)
        (void)snprintf(text, size, "%s and %zu more", list->text, list->count - list->shown);
    else
        (void)snprintf(text, size, "%s", list->text);
}

static void find_target(struct ock_columns *columns, const struct ock_spec *spec,
                        struct ock_faults *faults)
{
    const struct ock_schema *schema = columns->schema;
    columns->target = schema->target;
    if (spec->data.target) {
        columns->target = ock_schema_column(schema, spec->data.target);
        if (columns->target == SIZE_MAX)
            unknown_column(schema, "/data/target", spec->data.target, faults);
    } else if (columns->target == SIZE_MAX) {
        struct name_list list = {0};
        char names[240];
        for (size_t i = 0; i < schema->column_count; i++)
            list_name(&list, schema->columns[i].name);
        list_end(&list, names, sizeof(names));
        (void)ock_faults_add(faults, "/data/target", "missing_key",
                             "which column is to be predicted? The dataset has %s", names);
    }
}

static void find_weights(struct ock_columns *columns, const struct ock_spec *spec,
                         struct ock_faults *faults)
{
    static const char pointer[] = "/data/weights";
    columns->weights = SIZE_MAX;
    if (!spec->data.weights)
        return;
    columns->weights = ock_schema_column(columns->schema, spec->data.weights);
    if (columns->weights == SIZE_MAX) {
        unknown_column(columns->schema, pointer, spec->data.weights, faults);
        return;
    }
    const struct ock_column *column = &columns->schema->columns[columns->weights];
    if (columns->weights == columns->target)
        (void)ock_faults_add(faults, pointer, "unsupported_combination",
                             "the target can't be the weights of its own rows");
    else if (column->type == OCK_COLUMN_CATEGORY)
        (void)ock_faults_add(faults, pointer, "wrong_type",
                             "the column \"%.100s\" holds text; weights are numbers", column->name);
    else if (column->missing > 0)
        (void)ock_faults_add(faults, pointer, "out_of_range",
                             "the column \"%.100s\" has %zu rows without a weight", column->name,
                             column->missing);
    else if (!(column->min >= 0))
        (void)ock_faults_add(faults, pointer, "out_of_range",
                             "the column \"%.100s\" goes down to %g; weights are >= 0",
                             column->name, column->min);
}

static void default_features(struct ock_columns *columns)
{
    for (size_t i = 0; i < columns->schema->column_count; i++) {
        if (i != columns->target && i != columns->weights)
            columns->features[columns->feature_count++] = i;
    }
}

/* The column of that name; those of a file stand mostly in order, so the next is tried first. */
static size_t find_near(const struct ock_schema *schema, size_t guess, const char *name)
{
    if (guess < schema->column_count && strcmp(schema->columns[guess].name, name) == 0)
        return guess;
    return ock_schema_column(schema, name);
}

static void given_features(struct ock_columns *columns, const struct ock_data_spec *data,
                           struct ock_faults *faults)
{
    const struct ock_schema *schema = columns->schema;
    size_t index = SIZE_MAX;
    for (size_t i = 0; i < data->feature_count; i++) {
        char pointer[64];
        (void)snprintf(pointer, sizeof(pointer), "/data/features/%zu", i);
        index = find_near(schema, index + 1, data->features[i]);
        if (index == SIZE_MAX) {
            unknown_column(schema, pointer, data->features[i], faults);
            continue;
        }
        if (index == columns->target || index == columns->weights)
            (void)ock_faults_add(faults, pointer, "unsupported_combination",
                                 "the %s can't be a feature",
                                 index == columns->target ? "target" : "weights");
        else if (columns->feature_count < schema->column_count)
            columns->features[columns->feature_count++] = index;
    }
}

void ock_columns_find(struct ock_columns *columns, const struct ock_spec *spec,
                      struct ock_faults *faults)
{
    size_t before = faults->count + faults->dropped;
    find_target(columns, spec, faults);
    find_weights(columns, spec, faults);
    columns->feature_count = 0;
    if (spec->data.feature_count > 0)
        given_features(columns, &spec->data, faults);
    else
        default_features(columns);
    if (columns->feature_count == 0 && faults->count + faults->dropped == before)
        (void)ock_faults_add(faults, "/data/features", "out_of_range",
                             "no column is left to learn from");
}

static int compare_text(const void *a, const void *b)
{
    return strcmp(a, *(const char *const *)b);
}

bool ock_column_has_value(const struct ock_column *column, const char *text)
{
    if (column->type == OCK_COLUMN_CATEGORY) /* sorted by bytes; numbers are sorted by value */
        return column->value_count > 0 && bsearch(text, column->values, column->value_count,
                                                  sizeof(column->values[0]), compare_text) != NULL;
    for (size_t i = 0; i < column->value_count; i++)
        if (strcmp(column->values[i], text) == 0)
            return true;
    return false;
}

static bool same_type(const struct ock_column *a, const struct ock_column *b)
{
    return (a->type == OCK_COLUMN_CATEGORY) == (b->type == OCK_COLUMN_CATEGORY);
}

/* Columns of another dataset that are not what they are in the training data. */
struct unlike {
    struct name_list absent, text, numbers, missing;
};

static void compare_column(const struct ock_column *column, const struct ock_schema *other,
                           size_t guess, bool whole, struct unlike *unlike)
{
    size_t index = find_near(other, guess, column->name);
    if (index == SIZE_MAX)
        list_name(&unlike->absent, column->name);
    else if (!same_type(column, &other->columns[index]))
        list_name(column->type == OCK_COLUMN_CATEGORY ? &unlike->numbers : &unlike->text,
                  column->name);
    else if (whole && other->columns[index].missing > 0)
        list_name(&unlike->missing, column->name);
}

static void tell_unlike(struct name_list *list, const char *before, const char *behind,
                        const char *pointer, struct ock_faults *faults)
{
    char names[240];
    list_end(list, names, sizeof(names));
    if (list->count > 0)
        (void)ock_faults_add(faults, pointer, "unsupported_combination", "%s%s%s", before, names,
                             behind);
}

static void compare_classes(const struct ock_column *column, const struct ock_column *other,
                            const char *pointer, struct ock_faults *faults)
{
    struct name_list strange = {0};
    char names[240];
    for (size_t i = 0; i < other->value_count; i++)
        if (!ock_column_has_value(column, other->values[i]))
            list_name(&strange, other->values[i]);
    list_end(&strange, names, sizeof(names));
    if (strange.count > 0)
        (void)ock_faults_add(faults, pointer, "unsupported_combination",
                             "the training data lack what stands in \"%.100s\" here: %s",
                             column->name, names);
}

void ock_columns_compare(const struct ock_columns *columns, const struct ock_schema *other,
                         const char *pointer, struct ock_faults *faults)
{
    const struct ock_schema *schema = columns->schema;
    struct unlike unlike = {0};
    if (schema->sparse != other->sparse)
        (void)ock_faults_add(faults, pointer, "unsupported_combination", "%s",
                             schema->sparse
                                 ? "the training data are sparse rows, this dataset is not"
                                 : "this dataset is sparse rows, the training data are not");
    /* Columns that sparse rows never name are 0 in all of them. */
    for (size_t i = 0; i < columns->feature_count && !schema->sparse; i++)
        compare_column(&schema->columns[columns->features[i]], other, columns->features[i], false,
                       &unlike);
    if (columns->weights != SIZE_MAX)
        compare_column(&schema->columns[columns->weights], other, columns->weights, true, &unlike);
    if (columns->target != SIZE_MAX) {
        const struct ock_column *target = &schema->columns[columns->target];
        compare_column(target, other, columns->target, true, &unlike);
        size_t index = ock_schema_column(other, target->name);
        if (columns->kind == OCK_TARGET_CLASSES && index != SIZE_MAX &&
            same_type(target, &other->columns[index]))
            compare_classes(target, &other->columns[index], pointer, faults);
    }
    tell_unlike(&unlike.absent, "this dataset lacks ", " of the training data", pointer, faults);
    tell_unlike(&unlike.numbers,
                "numbers, or nothing, stand where the training data have text, in ",
                "; send it with ?types=COLUMN:category (ockham: --types)", pointer, faults);
    tell_unlike(&unlike.text, "text stands where the training data have numbers, in ",
                "; ?types=COLUMN:number (ockham: --types) tells where", pointer, faults);
    tell_unlike(&unlike.missing, "targets or weights are missing, in ",
                "; leave out the rows without them", pointer, faults);
    if (other->rows == 0)
        (void)ock_faults_add(faults, pointer, "out_of_range", "this dataset has no rows");
}
