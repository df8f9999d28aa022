/* Finding a model's columns. Names mostly come in the model's order: the one behind the last found
 * is looked at first; whoever shuffles his columns pays for one sorted list. */
#include "core/data/row_columns.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"

struct named {
    const char *name;
    size_t place;
};

static int by_name(const void *a, const void *b)
{
    const struct named *x = a;
    const struct named *y = b;
    return strcmp(x->name, y->name);
}

static struct named *sort_names(const char *const *names, size_t count)
{
    struct named *sorted = malloc((count + 1) * sizeof(*sorted));
    if (!sorted)
        return NULL;
    for (size_t i = 0; i < count; i++)
        sorted[i] = (struct named){names[i], i};
    qsort(sorted, count, sizeof(*sorted), by_name);
    return sorted;
}

/* c0, c1, … or x0, x1, …: what an importer calls columns without names. */
static bool are_made(const char *const *names, size_t count)
{
    char made[32];
    for (size_t i = 0; i < count; i++) {
        char letter = names[i][0];
        (void)snprintf(made, sizeof(made), "%c%zu", letter, i);
        if ((letter != 'c' && letter != 'x') || strcmp(names[i], made) != 0)
            return false;
    }
    return true;
}

static enum ock_status refuse(const struct ock_row_columns *columns, size_t missing,
                              const char *const *names, size_t name_count, struct ock_err *err)
{
    const char *name = columns->items[missing].name;
    const char *near = ock_nearest_word(name, names, name_count);
    if (are_made(names, name_count))
        return ock_fail(err, OCK_INVALID,
                        "the rows have %zu columns without names, the model takes %zu; give as "
                        "many, in the model's order, or a first line with their names",
                        name_count, columns->total);
    if (near)
        return ock_fail(err, OCK_INVALID,
                        "there is no column \"%.100s\", which the model takes; is it \"%.100s\"?",
                        name, near);
    return ock_fail(err, OCK_INVALID,
                    "there is no column \"%.100s\", which the model takes (the first one here is "
                    "\"%.100s\"; where the first line has no names, say so: header=false)",
                    name, name_count > 0 ? names[0] : "");
}

enum ock_status ock_row_columns_find(const struct ock_row_columns *columns,
                                     const char *const *names, size_t name_count, size_t *places,
                                     struct ock_err *err)
{
    struct named *sorted = NULL;
    enum ock_status status = OCK_OK;
    if (name_count == columns->total && are_made(names, name_count)) {
        for (size_t i = 0; i < columns->count; i++)
            places[i] = columns->items[i].place;
        return OCK_OK;
    }
    size_t hint = 0;
    for (size_t i = 0; i < columns->count && status == OCK_OK; i++, hint++) {
        if (hint >= name_count || strcmp(names[hint], columns->items[i].name) != 0) {
            if (!sorted)
                sorted = sort_names(names, name_count);
            if (!sorted) {
                status = ock_fail(err, OCK_NOMEM, "out of memory for %zu names", name_count);
                break;
            }
            const struct named key = {.name = columns->items[i].name};
            const struct named *found = bsearch(&key, sorted, name_count, sizeof(*sorted), by_name);
            if (!found) {
                status = refuse(columns, i, names, name_count, err);
                break;
            }
            hint = found->place;
        }
        places[i] = hint;
    }
    free(sorted);
    return status;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool ock_row_columns_is_unread(const struct ock_row_columns *columns, const char *text)
{
    size_t count = columns->total - columns->count;
    return count > 0 && bsearch(&text, columns->unread, count, sizeof(*columns->unread), by_text);
}
