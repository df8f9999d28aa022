/* The best constant, in a few passes over the targets. Double sums in the rows' order. */
#include "core/train/baseline.h"

#include <math.h>

#include "core/base/real.h"

/* The training rows, `rows` at once. */
struct blocks {
    const struct ock_data *data;
    const struct ock_batch *buffer;
    size_t rows;
    const struct ock_leave *leave;
};

/* Calls add(ctx, batch, count) for all training rows, block by block. false: left. */
static bool for_each_block(const struct blocks *blocks,
                           void (*add)(void *ctx, const struct ock_batch *, size_t), void *ctx)
{
    const struct ock_rows *train = &blocks->data->train;
    struct ock_batch batch = *blocks->buffer;
    batch.x = NULL;
    for (size_t begin = 0; begin < train->count; begin += blocks->rows) {
        if (blocks->leave->ask && blocks->leave->ask(blocks->leave->ctx))
            return false;
        size_t left = train->count - begin;
        size_t count = left < blocks->rows ? left : blocks->rows;
        ock_source_gather(train->source, train->rows + begin, count, &batch);
        add(ctx, &batch, count);
    }
    return true;
}

/* --- Classes: the entropy ----------------------------------------------------------------------
 */

enum { CLASSES_AT_ONCE = 1024 }; /* what a pass over the labels counts */

struct class_weights {
    size_t first; /* class of weight[0] */
    double weight[CLASSES_AT_ONCE];
    double total; /* of all classes */
};

static void add_class(void *ctx, const struct ock_batch *batch, size_t count)
{
    struct class_weights *sums = ctx;
    for (size_t i = 0; i < count; i++) {
        double s = (double)batch->weight[i];
        size_t place = (size_t)batch->label[i] - sums->first; /* huge below the first */
        sums->total += s;
        if (place < CLASSES_AT_ONCE)
            sums->weight[place] += s;
    }
}

static bool entropy(double *out, const struct blocks *blocks)
{
    double sum = 0;
    for (size_t first = 0; first < blocks->data->classes; first += CLASSES_AT_ONCE) {
        struct class_weights sums = {.first = first};
        if (!for_each_block(blocks, add_class, &sums))
            return false;
        for (size_t i = 0; i < CLASSES_AT_ONCE; i++) {
            if (sums.weight[i] > 0)
                sum -= sums.weight[i] / sums.total * ock_ln(sums.weight[i] / sums.total);
        }
    }
    *out = sum;
    return true;
}

/* --- Numbers: a convex function of one constant -------------------------------------------------
 */

struct slope {
    enum ock_loss loss;
    double constant;
    double loss_sum, slope_sum, weight;
    double least, largest; /* targets */
};

static void add_number(void *ctx, const struct ock_batch *batch, size_t count)
{
    struct slope *sum = ctx;
    for (size_t i = 0; i < count; i++) {
        double s = (double)batch->weight[i];
        double t = (double)batch->target[i];
        double d = sum->constant - t;
        double size = fabs(d);
        sum->weight += s;
        sum->least = t < sum->least ? t : sum->least;
        sum->largest = t > sum->largest ? t : sum->largest;
        if (sum->loss == OCK_MSE) {
            sum->loss_sum += s * d * d;
            sum->slope_sum += s * 2 * d;
        } else if (sum->loss == OCK_HUBER && size <= 1) {
            sum->loss_sum += s * 0.5 * d * d;
            sum->slope_sum += s * d;
        } else {
            sum->loss_sum += s * (sum->loss == OCK_HUBER ? size - 0.5 : size);
            sum->slope_sum += s * (double)((d > 0) - (d < 0));
        }
    }
}

static bool slope_at(struct slope *out, const struct blocks *blocks, enum ock_loss loss,
                     double constant)
{
    struct slope slope = {
        .loss = loss, .constant = constant, .least = INFINITY, .largest = -INFINITY};
    bool whole = for_each_block(blocks, add_number, &slope);
    *out = slope;
    return whole;
}

static bool number_loss(double *out, const struct blocks *blocks, enum ock_loss loss)
{
    struct slope at;
    bool whole = slope_at(&at, blocks, loss, 0);
    double low = at.least;
    double high = at.largest;
    for (int i = 0; i < 30 && low < high && whole; i++) {
        double middle = low + (high - low) / 2;
        whole = slope_at(&at, blocks, loss, middle);
        if (at.slope_sum > 0)
            high = middle;
        else
            low = middle;
    }
    if (!whole || !slope_at(&at, blocks, loss, low + (high - low) / 2))
        return false;
    *out = at.loss_sum / at.weight;
    return true;
}

bool ock_baseline_loss(double *out, enum ock_loss loss, const struct ock_data *data,
                       const struct ock_batch *buffer, size_t rows, const struct ock_leave *leave)
{
    struct blocks blocks = {data, buffer, rows, leave};
    return data->classes > 0 ? entropy(out, &blocks) : number_loss(out, &blocks, loss);
}
