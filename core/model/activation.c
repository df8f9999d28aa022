/* Activation layers: elementwise, [B,O] in and out. */
#include "core/model/network.h"

struct work {
    const struct ock_network *net;
    enum ock_activation activation;
    size_t count; /* elements */
    const float *x, *y;
    float *out;
};

/* Elements of task `index`, which has at most OCK_SERIAL_ELEMENTS of them. */
static size_t piece(const struct work *work, size_t index, size_t *begin)
{
    *begin = index * OCK_SERIAL_ELEMENTS;
    size_t left = work->count - *begin;
    return left < OCK_SERIAL_ELEMENTS ? left : OCK_SERIAL_ELEMENTS;
}

static void forward_task(void *ctx, size_t index, size_t thread)
{
    (void)thread;
    const struct work *work = ctx;
    size_t begin = 0;
    size_t count = piece(work, index, &begin);
    work->net->kernels->activate(work->activation, count, work->x + begin, work->out + begin);
}

/* dx = dy * act'(x), in place. */
static void backward_task(void *ctx, size_t index, size_t thread)
{
    (void)thread;
    const struct work *work = ctx;
    size_t begin = 0;
    size_t count = piece(work, index, &begin);
    work->net->kernels->activate_back(work->activation, count, work->x + begin, work->y + begin,
                                      work->out + begin, work->out + begin);
}

static struct work work_of(const struct ock_network *net, size_t layer, const struct ock_pass *pass,
                           const float *x, float *out)
{
    const struct ock_plan_layer *plan = &net->plan->layers[layer];
    return (struct work){.net = net,
                         .activation = plan->spec->activation,
                         .count = pass->rows * plan->out,
                         .x = x,
                         .y = net->layers[layer].y,
                         .out = out};
}

static size_t tasks_of(const struct work *work)
{
    return (work->count + OCK_SERIAL_ELEMENTS - 1) / OCK_SERIAL_ELEMENTS;
}

static void forward(const struct ock_network *net, size_t layer, const struct ock_pass *pass,
                    const float *x, float *y)
{
    struct work work = work_of(net, layer, pass, x, y);
    ock_team_run(&net->team, tasks_of(&work), forward_task, &work);
}

static float *backward(const struct ock_network *net, size_t layer, const struct ock_pass *pass,
                       const float *x, float *dy, float *other, bool want_dx,
                       const struct ock_sink *sink)
{
    (void)other;
    (void)want_dx;
    (void)sink;
    struct work work = work_of(net, layer, pass, x, dy);
    ock_team_run(&net->team, tasks_of(&work), backward_task, &work);
    return dy;
}

const struct ock_layer_ops ock_activation_ops = {.forward = forward, .backward = backward};
