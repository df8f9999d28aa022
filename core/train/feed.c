/* Order, reading ahead, gathering. */
#include "core/train/feed.h"

#include "core/data/readahead.h"
#include "core/train/gather.h"
#include "core/train/trainer.h"

enum { AHEAD_ROWS = 1024, ASK_ROWS = 256 };

void ock_feed_layout(struct ock_feed *feed, const struct ock_spec *spec,
                     const struct ock_plan *plan, const struct ock_plan_data *data,
                     struct ock_arena *arena)
{
    struct ock_batch *batch = &feed->batch;
    size_t rows =
        plan->batch_rows > plan->evaluation_rows ? plan->batch_rows : plan->evaluation_rows;
    bool classes = spec->loss == OCK_CROSS_ENTROPY || spec->loss == OCK_BINARY_CROSS_ENTROPY;
    batch->x =
        ock_arena_take(arena, data->rows.sparse ? 0 : rows * data->rows.features, sizeof(float));
    if (data->rows.sparse) {
        batch->sparse.begin = ock_arena_take(arena, rows + 1, sizeof(size_t));
        batch->sparse.index = ock_arena_take(arena, plan->batch_terms, sizeof(uint32_t));
        batch->sparse.value = ock_arena_take(arena, plan->batch_terms, sizeof(float));
    }
    batch->label = ock_arena_take(arena, classes ? rows : 0, sizeof(int32_t));
    batch->target = ock_arena_take(arena, classes ? 0 : rows, sizeof(float));
    batch->weight = ock_arena_take(arena, rows, sizeof(float));
    feed->order = ock_arena_take(arena, data->rows.train_rows, sizeof(uint32_t));
}

/* The training rows, shuffled by (seed, epoch) alone. */
static void make_order(struct ock_feed *feed, const struct ock_trainer *trainer)
{
    const struct ock_rows *train = &trainer->data->train;
    uint32_t epoch = trainer->progress.epoch;
    feed->asked = 0;
    feed->order_epoch = epoch;
    for (size_t i = 0; i < train->count; i++)
        feed->order[i] = train->rows[i];
    if (trainer->spec->train.shuffle)
        ock_random_shuffle(ock_stream_make(trainer->spec->train.seed, OCK_RANDOM_SHUFFLE, 0, epoch),
                           feed->order, train->count);
}

/* Asks for the rows of the coming minibatches while this one is computed: enough of them to keep a
 * disk busy, few beside what a page cache holds. */
static void read_ahead(struct ock_feed *feed, const struct ock_trainer *trainer)
{
    const struct ock_rows *train = &trainer->data->train;
    uint64_t begin = trainer->progress.batch * trainer->plan->batch_rows;
    uint64_t end = begin + trainer->plan->batch_rows + AHEAD_ROWS;
    end = end < train->count ? end : train->count;
    if (!ock_source_is_scattered(train->source))
        return;
    begin = begin > feed->asked ? begin : feed->asked;
    for (; begin < end; begin += ASK_ROWS)
        ock_source_read_ahead(train->source, feed->order + begin,
                              end - begin < ASK_ROWS ? end - begin : ASK_ROWS);
    feed->asked = end;
}

size_t ock_feed_take(struct ock_trainer *trainer)
{
    struct ock_feed *feed = trainer->feed;
    const struct ock_progress *progress = &trainer->progress;
    if (feed->order_epoch != progress->epoch)
        make_order(feed, trainer);
    read_ahead(feed, trainer);
    if (feed->epoch == progress->epoch && feed->number == progress->batch)
        return feed->count;
    size_t begin = progress->batch * trainer->plan->batch_rows;
    size_t left = trainer->data->train.count - begin;
    feed->count = left < trainer->plan->batch_rows ? left : trainer->plan->batch_rows;
    feed->epoch = progress->epoch;
    feed->number = progress->batch;
    ock_gather(&trainer->net.team, trainer->data->train.source, feed->order + begin, feed->count,
               trainer->data->features, &feed->batch);
    return feed->count;
}
