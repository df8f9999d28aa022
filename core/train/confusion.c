/* Mistakes are gathered one by one; when the room is full those of one kind are merged, and if that is
 * not enough, the rarer half of the kinds goes. */
#include "core/train/confusion.h"

#include <assert.h>
#include <stdlib.h>

enum ock_status ock_confusion_init(struct ock_confusion *out, size_t classes, struct ock_err *err)
{
    struct ock_confusion confusion = {.classes = classes};
    if (classes <= OCK_CONFUSION_CLASSES_MAX) {
        confusion.matrix = calloc(classes * classes, sizeof(*confusion.matrix));
    } else {
        confusion.room = (size_t)2 * OCK_CONFUSION_PAIRS;
        confusion.mistakes = calloc(confusion.room, sizeof(*confusion.mistakes));
    }
    if (!confusion.matrix && !confusion.mistakes)
        return ock_fail(err, OCK_NOMEM, "no memory for a confusion matrix");
    *out = confusion;
    return OCK_OK;
}

void ock_confusion_deinit(struct ock_confusion *confusion)
{
    free(confusion->matrix);
    free(confusion->mistakes);
    *confusion = (struct ock_confusion){0};
}

size_t ock_confusion_bytes(size_t classes)
{
    if (classes <= OCK_CONFUSION_CLASSES_MAX)
        return classes * classes * sizeof(double);
    return (size_t)2 * OCK_CONFUSION_PAIRS * sizeof(struct ock_mistake) * 2; /* and sorting */
}

static int by_kind(const void *a, const void *b)
{
    const struct ock_mistake *x = a, *y = b;
    if (x->label != y->label)
        return x->label < y->label ? -1 : 1;
    return (x->predicted > y->predicted) - (x->predicted < y->predicted);
}

static int by_weight(const void *a, const void *b)
{
    const struct ock_mistake *x = a, *y = b;
    if (x->weight < y->weight || x->weight > y->weight)
        return x->weight > y->weight ? -1 : 1;
    return by_kind(a, b);
}

/* One entry a kind. Weights of a kind are whole numbers or nearly so: their order hardly matters, and
 * is the same for the same rows. */
static void merge(struct ock_confusion *confusion)
{
    struct ock_mistake *items = confusion->mistakes;
    size_t kept = 0;
    qsort(items, confusion->count, sizeof(*items), by_kind);
    for (size_t i = 0; i < confusion->count; i++) {
        if (kept > 0 && by_kind(&items[kept - 1], &items[i]) == 0)
            items[kept - 1].weight += items[i].weight;
        else
            items[kept++] = items[i];
    }
    confusion->count = kept;
}

static void make_room(struct ock_confusion *confusion)
{
    merge(confusion);
    if (confusion->count <= OCK_CONFUSION_PAIRS)
        return;
    qsort(confusion->mistakes, confusion->count, sizeof(*confusion->mistakes), by_weight);
    confusion->count = OCK_CONFUSION_PAIRS;
    confusion->approximate = true;
}

void ock_confusion_add(struct ock_confusion *confusion, uint32_t label, uint32_t predicted,
                       double s)
{
    if (confusion->matrix) {
        confusion->matrix[label * confusion->classes + predicted] += s;
        return;
    }
    if (label == predicted || !(s > 0))
        return;
    if (confusion->count == confusion->room)
        make_room(confusion);
    confusion->mistakes[confusion->count++] = (struct ock_mistake){label, predicted, s};
}

size_t ock_confusion_top(struct ock_confusion *confusion)
{
    assert(!confusion->matrix);
    merge(confusion);
    qsort(confusion->mistakes, confusion->count, sizeof(*confusion->mistakes), by_weight);
    return confusion->count < OCK_CONFUSION_TOP ? confusion->count : OCK_CONFUSION_TOP;
}
