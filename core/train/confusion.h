/* Which class is taken for which: the whole matrix up to OCK_CONFUSION_CLASSES_MAX classes, beyond
 * that the most frequent mistakes. */
#ifndef OCK_TRAIN_CONFUSION_H
#define OCK_TRAIN_CONFUSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

enum {
    OCK_CONFUSION_CLASSES_MAX = 256,
    OCK_CONFUSION_PAIRS = 1 << 17, /* kinds of mistakes that are told apart at once */
    OCK_CONFUSION_TOP = 100,       /* that are told */
};

struct ock_mistake {
    uint32_t label, predicted;
    double weight;
};

struct ock_confusion {
    size_t classes;
    double *matrix; /* [classes, classes], rows: the truth; NULL: there are too many classes */
    size_t count, room;
    struct ock_mistake *mistakes; /* [room] */
    bool approximate;             /* rare kinds of mistakes were let go on the way */
};

/* Errors: NOMEM. */
enum ock_status ock_confusion_init(struct ock_confusion *out, size_t classes, struct ock_err *err);
void ock_confusion_deinit(struct ock_confusion *confusion); /* all-zero: a no-op */
size_t ock_confusion_bytes(size_t classes);

void ock_confusion_add(struct ock_confusion *confusion, uint32_t label, uint32_t predicted,
                       double s);
/* Mistakes from the heaviest on, by label and prediction on a tie: up to OCK_CONFUSION_TOP of them
 * at the front of ->mistakes; returns how many. Without a matrix only. */
size_t ock_confusion_top(struct ock_confusion *confusion);

#endif
