/* Dropout layers, inverted: in training y = x * m with m = 0 or 1/(1-rate), else y = x.
 *
 * m is a pure function of (seed, layer, epoch, position in the epoch, unit), so it depends neither
 * on the minibatch's cut nor on what ran before. */
#include <string.h>

#include "core/model/network.h"

struct work {
    const struct ock_network *net;
    size_t layer;
    const struct ock_pass *pass;
    size_t count; /* elements */
    const float *x;
    float *out;
};

static void forward_task(void *ctx, size_t index, size_t thread)
{
    (void)thread;
    const struct work *work = ctx;
    const struct ock_plan_layer *plan = &work->net->plan->layers[work->layer];
    float *mask = work->net->layers[work->layer].mask;
    size_t begin = index * OCK_SERIAL_ELEMENTS;
    size_t left = work->count - begin;
    size_t count = left < OCK_SERIAL_ELEMENTS ? left : OCK_SERIAL_ELEMENTS;
    struct ock_stream stream = ock_stream_make(work->pass->seed, OCK_RANDOM_DROPOUT,
                                               (uint32_t)work->layer, work->pass->epoch);
    work->net->kernels->dropout_mask(stream, work->pass->position * plan->out + begin, count,
                                     (float)plan->spec->rate, mask + begin);
    work->net->kernels->multiply(count, work->x + begin, mask + begin, work->out + begin);
}

static void backward_task(void *ctx, size_t index, size_t thread)
{
    (void)thread;
    const struct work *work = ctx;
    const float *mask = work->net->layers[work->layer].mask;
    size_t begin = index * OCK_SERIAL_ELEMENTS;
    size_t left = work->count - begin;
    size_t count = left < OCK_SERIAL_ELEMENTS ? left : OCK_SERIAL_ELEMENTS;
    work->net->kernels->multiply(count, work->out + begin, mask + begin, work->out + begin);
}

static void run(const struct ock_network *net, size_t layer, const struct ock_pass *pass,
                const float *x, float *out, ock_task *task)
{
    size_t count = pass->rows * net->plan->layers[layer].out;
    struct work work = {net, layer, pass, count, x, out};
    ock_team_run(&net->team, (count + OCK_SERIAL_ELEMENTS - 1) / OCK_SERIAL_ELEMENTS, task, &work);
}

static void forward(const struct ock_network *net, size_t layer, const struct ock_pass *pass,
                    const float *x, float *y)
{
    if (pass->training)
        run(net, layer, pass, x, y, forward_task);
    else
        memcpy(y, x, pass->rows * net->plan->layers[layer].out * sizeof(*y));
}

static float *backward(const struct ock_network *net, size_t layer, const struct ock_pass *pass,
                       const float *x, float *dy, float *other, bool want_dx,
                       const struct ock_sink *sink)
{
    (void)other;
    (void)want_dx;
    (void)sink;
    if (pass->training)
        run(net, layer, pass, x, dy, backward_task);
    return dy;
}

const struct ock_layer_ops ock_dropout_ops = {.forward = forward, .backward = backward};
