/* The first layer on sparse rows: y = x W' + b with W [O,I], x [B,I] in compressed sparse rows.
 *
 *   forward   y [B,O]  a row takes the rows of W' [I,O] that its terms name
 *   backward  dW [O,I] tiles of outputs x inputs; a tile goes through the minibatch's rows in order
 *
 * Nothing has B x I floats. W' is a copy, made once a step, so that a term's weights stand together;
 * with one output W is its own. dW is dense, as penalty and update are: they concern every weight in
 * every step, whether a term named it or not. All sums are those of linear.c with the zeros written
 * out, to the bit. */
#include "core/model/sparse_linear.h"

#include "core/model/gradient.h"

enum { PIECE_COLUMNS = 1024, ROWS_A_TASK_MIN = 64, TILE_OUTPUTS_MAX = 64, TILE_COLUMNS_MIN = 64 };

static size_t ceiling(size_t size, size_t part)
{
    return (size + part - 1) / part;
}

size_t ock_sparse_packed_floats(const struct ock_plan_layer *layer)
{
    return layer->out == 1 ? 0 : layer->in * layer->out;
}

size_t ock_sparse_pieces(const struct ock_plan_layer *layer)
{
    return layer->out == 1 ? 0 : ceiling(layer->in, PIECE_COLUMNS);
}

void ock_sparse_pack(const struct ock_network *net, size_t layer, const float *w, size_t piece)
{
    const struct ock_plan_layer *plan = &net->plan->layers[layer];
    const float *from = w + plan->weight_offset;
    float *to = net->layers[layer].packed;
    size_t end = (piece + 1) * PIECE_COLUMNS < plan->in ? (piece + 1) * PIECE_COLUMNS : plan->in;
    for (size_t k = piece * PIECE_COLUMNS; k < end; k++)
        for (size_t o = 0; o < plan->out; o++)
            to[k * plan->out + o] = from[o * plan->in + k];
}

/* --- Forward -----------------------------------------------------------------------------------
 */

struct forward_work {
    const struct ock_network *net;
    size_t layer, rows;
    const float *w;
    struct ock_sparse_product product;
    size_t rows_a_task;
};

static void pack_task(void *ctx, size_t index, size_t thread)
{
    const struct forward_work *work = ctx;
    (void)thread;
    ock_sparse_pack(work->net, work->layer, work->w, index);
}

static void forward_task(void *ctx, size_t index, size_t thread)
{
    const struct forward_work *work = ctx;
    (void)thread;
    size_t begin = index * work->rows_a_task;
    size_t end = begin + work->rows_a_task;
    work->net->kernels->sparse_product(&work->product, begin, end < work->rows ? end : work->rows);
}

static void forward(const struct ock_network *net, size_t layer, const struct ock_pass *pass,
                    const float *x, float *y)
{
    (void)x;
    const struct ock_plan_layer *plan = &net->plan->layers[layer];
    const float *w = pass->w + plan->weight_offset;
    struct forward_work work = {
        .net = net,
        .layer = layer,
        .rows = pass->rows,
        .w = pass->w,
        .product = {.N = plan->out,
                    .A = pass->sparse,
                    .B = plan->out == 1 ? w : net->layers[layer].packed,
                    .b_row = plan->out,
                    .C = y,
                    .c_row = plan->out,
                    .bias = plan->bias_count > 0 ? pass->w + plan->bias_offset : NULL}};
    if (pass->training)
        ock_team_run(&net->team, ock_sparse_pieces(plan), pack_task, &work);
    size_t even = ceiling(pass->rows, 4 * (size_t)net->team.threads);
    work.rows_a_task = even < ROWS_A_TASK_MIN && !net->tile_rows_forced ? ROWS_A_TASK_MIN : even;
    if (net->tile_rows_forced)
        work.rows_a_task = net->tile_rows;
    ock_team_run(&net->team, ceiling(pass->rows, work.rows_a_task), forward_task, &work);
}

/* --- Backward ----------------------------------------------------------------------------------
 */

struct backward_work {
    const struct ock_network *net;
    const struct ock_plan_layer *plan;
    const struct ock_pass *pass;
    const float *dy; /* [B,O] */
    const struct ock_sink *sink;
    size_t outputs, columns; /* of a tile */
    size_t across;           /* tiles of columns */
};

struct tile {
    const struct backward_work *work;
    size_t o0, o1, n0, n1;
    float *room; /* [columns, outputs] */
};

/* One tile of dW over one shard's rows, transposed: [columns, outputs]. */
static void tile_part(void *ctx, size_t shard, float *out)
{
    const struct tile *tile = ctx;
    const struct backward_work *work = tile->work;
    struct ock_sparse_gradient gradient = {.A = work->pass->sparse,
                                           .n0 = tile->n0,
                                           .n1 = tile->n1,
                                           .dY = work->dy + tile->o0,
                                           .dy_row = work->plan->out,
                                           .O = tile->o1 - tile->o0,
                                           .G = out,
                                           .block = tile->room};
    ock_shard_rows(work->net, work->pass->rows, shard, &gradient.begin, &gradient.end);
    work->net->kernels->sparse_gradient(&gradient);
}

/* Hands the tile to the sink, an output after another. */
static void give(const struct tile *tile, const float *g)
{
    const struct backward_work *work = tile->work;
    const struct ock_plan_layer *plan = work->plan;
    size_t outputs = tile->o1 - tile->o0;
    size_t columns = tile->n1 - tile->n0;
    for (size_t o = 0; o < outputs; o++) {
        const float *line = g;
        if (outputs > 1) {
            for (size_t k = 0; k < columns; k++)
                tile->room[k] = g[k * outputs + o];
            line = tile->room;
        }
        work->sink->take(work->sink->ctx,
                         plan->weight_offset + (tile->o0 + o) * plan->in + tile->n0, columns, line);
    }
}

/* Task 0 is db (if there is a bias), the others are tiles of dW. */
static void backward_task(void *ctx, size_t index, size_t thread)
{
    struct backward_work *work = ctx;
    const struct ock_network *net = work->net;
    const struct ock_plan_layer *plan = work->plan;
    if (plan->bias_count > 0 && index-- == 0) {
        ock_bias_gradient(net, plan, work->pass->rows, work->dy, work->sink);
        return;
    }
    struct tile tile = {.work = work,
                        .o0 = index / work->across * work->outputs,
                        .n0 = index % work->across * work->columns,
                        .room = net->sparse_room + thread * net->tile_floats};
    tile.o1 = tile.o0 + work->outputs < plan->out ? tile.o0 + work->outputs : plan->out;
    tile.n1 = tile.n0 + work->columns < plan->in ? tile.n0 + work->columns : plan->in;
    float *g = net->tiles + thread * net->tile_stride;
    ock_fold_shards(net, (tile.o1 - tile.o0) * (tile.n1 - tile.n0), net->tile_floats, g, tile_part,
                    &tile);
    give(&tile, g);
}

/* Wide tiles, for each goes through all rows; but one a thread at least. No bit depends on it. */
static void cut(struct backward_work *work)
{
    const struct ock_network *net = work->net;
    size_t in = work->plan->in;
    size_t threads = (size_t)net->team.threads;
    work->outputs = work->plan->out < TILE_OUTPUTS_MAX ? work->plan->out : TILE_OUTPUTS_MAX;
    work->columns = net->tile_floats / work->outputs;
    if (work->columns > ceiling(in, threads) && threads > 1)
        work->columns = ceiling(in, threads);
    if (work->columns < TILE_COLUMNS_MIN)
        work->columns = TILE_COLUMNS_MIN;
    if (net->tile_rows_forced) {
        work->outputs = work->outputs < net->tile_rows ? work->outputs : net->tile_rows;
        work->columns = net->tile_rows;
    }
    work->across = ceiling(in, work->columns);
}

static float *backward(const struct ock_network *net, size_t layer, const struct ock_pass *pass,
                       const float *x, float *dy, float *other, bool want_dx,
                       const struct ock_sink *sink)
{
    (void)x;
    (void)other;
    (void)want_dx; /* nothing stands before the first layer */
    const struct ock_plan_layer *plan = &net->plan->layers[layer];
    struct backward_work work = {.net = net, .plan = plan, .pass = pass, .dy = dy, .sink = sink};
    cut(&work);
    size_t tiles = ceiling(plan->out, work.outputs) * work.across;
    ock_team_run(&net->team, tiles + (plan->bias_count > 0 ? 1 : 0), backward_task, &work);
    return dy;
}

const struct ock_layer_ops ock_sparse_linear_ops = {
    .init = ock_linear_init, .forward = forward, .backward = backward};
