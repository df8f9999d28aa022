/* The minibatches of an epoch: the order of its rows, and the rows of the one at work.
 *
 * A search's runs on one cut of the data see the same rows in the same order, so those that train
 * side by side share a feed: each minibatch is drawn and gathered once for all of them. */
#ifndef OCK_TRAIN_FEED_H
#define OCK_TRAIN_FEED_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/data/data.h"
#include "core/train/plan.h"

struct ock_feed {
    struct ock_batch batch; /* [batch_rows or evaluation_rows, …] */
    uint32_t *order;        /* [train rows] row numbers, as the epoch takes them */
    uint32_t order_epoch;   /* whose order it is; 0: nobody's */
    uint64_t asked;         /* of it, read ahead up to there */
    uint32_t epoch;         /* of the minibatch in batch; 0: something else is in it */
    uint64_t number;
    size_t count;
};

struct ock_trainer;

/* Lays the buffers out in the arena (counting or carving). */
void ock_feed_layout(struct ock_feed *feed, const struct ock_spec *spec,
                     const struct ock_plan *plan, const struct ock_plan_data *data,
                     struct ock_arena *arena);

/* The trainer's minibatch at work (progress.epoch, progress.batch) into feed->batch, unless it is
 * there; returns its rows. Rows of the coming ones are asked for. */
size_t ock_feed_take(struct ock_trainer *trainer);

/* Something else is in batch now, or in order too. */
static inline void ock_feed_use_batch(struct ock_feed *feed)
{
    feed->epoch = 0;
}
static inline void ock_feed_use_order(struct ock_feed *feed)
{
    feed->epoch = 0;
    feed->order_epoch = 0;
}

#endif
