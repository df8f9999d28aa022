/* The best constant, in a few passes over the targets. Double sums in the rows' order. */
#include "core/train/baseline.h"

#include <math.h>

#include "core/base/real.h"

/* Calls add(ctx, batch, count) for all training rows, block by block. */
static void for_each_block(const struct ock_data *data, const struct ock_batch *buffer, size_t rows,
                           void (*add)(void *ctx, const struct ock_batch *, size_t), void *ctx)
{
    struct ock_batch batch = *buffer;
    batch.x = NULL;
    for (size_t begin = 0; begin < data->train.count; begin += rows) {
        size_t left = data->train.count - begin;
        size_t count = left < rows ? left : rows;
        ock_source_gather(data->train.source, data->train.rows + begin, count, &batch);
        add(ctx, &batch, count);
    }
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

static double entropy(const struct ock_data *data, const struct ock_batch *buffer, size_t rows)
{
    double sum = 0;
    for (size_t first = 0; first < data->classes; first += CLASSES_AT_ONCE) {
        struct class_weights sums = {.first = first};
        for_each_block(data, buffer, rows, add_class, &sums);
        for (size_t i = 0; i < CLASSES_AT_ONCE; i++) {
            if (sums.weight[i] > 0)
                sum -= sums.weight[i] / sums.total * ock_ln(sums.weight[i] / sums.total);
        }
    }
    return sum;
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

static struct slope slope_at(const struct ock_data *data, const struct ock_batch *buffer,
                             size_t rows, enum ock_loss loss, double constant)
{
    struct slope slope = {
        .loss = loss, .constant = constant, .least = INFINITY, .largest = -INFINITY};
    for_each_block(data, buffer, rows, add_number, &slope);
    return slope;
}

static double number_loss(enum ock_loss loss, const struct ock_data *data,
                          const struct ock_batch *buffer, size_t rows)
{
    struct slope at = slope_at(data, buffer, rows, loss, 0);
    double low = at.least;
    double high = at.largest;
    for (int i = 0; i < 30 && low < high; i++) {
        double middle = low + (high - low) / 2;
        at = slope_at(data, buffer, rows, loss, middle);
        if (at.slope_sum > 0)
            high = middle;
        else
            low = middle;
    }
    at = slope_at(data, buffer, rows, loss, low + (high - low) / 2);
    return at.loss_sum / at.weight;
}

double ock_baseline_loss(enum ock_loss loss, const struct ock_data *data,
                         const struct ock_batch *buffer, size_t rows)
{
    return data->classes > 0 ? entropy(data, buffer, rows) : number_loss(loss, data, buffer, rows);
}
