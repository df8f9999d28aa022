/* Linear layers: y = x W' + b with W [O,I], b [O].
 *
 *   forward   y [B,O]  = x [B,I] W' + b    tiles of rows x outputs
 *   backward  dx [B,I] = dy [B,O] W        tiles of rows x inputs
 *             dW [O,I] = dy' x             tiles of outputs x inputs
 *             db [O]   = sum of dy's rows
 *
 * Each tile of dW sums the minibatch's rows in order: that *is* the reduction of the gradients, in a
 * fixed order and without a gradient of its own for each worker. With train.shards > 1 each tile
 * sums shard by shard and folds the shards by a binary tree over their index; this alone is a cut
 * that changes bits.
 *
 * A copy in panels (see kernels.h) pays where it serves many rows: of W for evaluation, where it
 * serves a whole set, and of x for dW, where it serves all outputs. In training W changes with every
 * minibatch, and a product that takes it as it is was measured 10 to 20 % faster. The bits are the
 * same either way. */
#include <assert.h>
#include <math.h>

#include "core/model/gradient.h"
#include "core/model/network.h"
#include "core/model/sparse_linear.h"

/* Outputs that must share a panel of x before laying it out pays. */
enum { PACK_OUTPUTS_MIN = 48 };

/* At least one tile a thread; up to four, so that threads end together, while a tile still has this
 * many multiplications: below that its own overhead (B laid out once more for each) costs more. */
enum { TILES_PER_THREAD_MAX = 4 };
static const double TILE_MULTIPLICATIONS = 12e6;

/* --- Cutting [M,N] into tiles ------------------------------------------------------------------
 */

struct cut {
    size_t M, N;
    size_t rows, columns; /* of a tile */
    size_t column_tiles, count;
};

static size_t tiles_of(size_t size, size_t tile)
{
    return (size + tile - 1) / tile;
}

/* Halves the tiles until there are at least `wanted`: columns while they are wide, for a product
 * lays out B once for all rows of a tile; then rows; then what is left of both. */
static void cut_finer(struct cut *cut, size_t wanted, size_t panel)
{
    while (tiles_of(cut->M, cut->rows) * tiles_of(cut->N, cut->columns) < wanted) {
        bool wide = cut->columns > 4 * panel || (cut->rows < 64 && cut->columns > panel);
        if (wide || (cut->rows <= 8 && cut->columns > panel))
            cut->columns = tiles_of(tiles_of(cut->columns, panel), 2) * panel;
        else if (cut->rows > 8)
            cut->rows = (tiles_of(cut->rows, 2) + 7) / 8 * 8;
        else
            break;
    }
}

static size_t tiles_wanted(const struct ock_network *net, size_t M, size_t N, size_t K)
{
    size_t threads = (size_t)net->team.threads;
    double tiles = (double)M * (double)N * (double)K / TILE_MULTIPLICATIONS;
    if (tiles < (double)threads)
        return threads;
    size_t most = TILES_PER_THREAD_MAX * threads;
    return tiles < (double)most ? (size_t)tiles : most;
}

/* Tiles of at most floats_max elements (0: any) of a product of depth K, enough of them to keep all
 * threads at work. No bit depends on the cut. */
static struct cut cut_make(const struct ock_network *net, size_t M, size_t N, size_t K,
                           size_t floats_max)
{
    size_t panel = net->kernels->panel_columns;
    struct cut cut = {.M = M, .N = N, .rows = M, .columns = N};
    if (floats_max > 0 && cut.columns > net->tile_columns)
        cut.columns = net->tile_columns;
    if (floats_max > 0 && cut.rows > floats_max / cut.columns)
        cut.rows = floats_max / cut.columns;
    if (net->tile_rows_forced) {
        cut.rows = cut.rows < net->tile_rows ? cut.rows : net->tile_rows;
        cut.columns = cut.columns < panel ? cut.columns : panel;
    } else if (net->team.threads > 1) {
        cut_finer(&cut, tiles_wanted(net, M, N, K), panel);
    }
    cut.column_tiles = tiles_of(N, cut.columns);
    cut.count = tiles_of(M, cut.rows) * cut.column_tiles;
    return cut;
}

struct rectangle {
    size_t m0, m1, n0, n1;
};

static struct rectangle rectangle_of(const struct cut *cut, size_t index)
{
    struct rectangle r = {.m0 = index / cut->column_tiles * cut->rows,
                          .n0 = index % cut->column_tiles * cut->columns};
    r.m1 = r.m0 + cut->rows < cut->M ? r.m0 + cut->rows : cut->M;
    r.n1 = r.n0 + cut->columns < cut->N ? r.n0 + cut->columns : cut->N;
    return r;
}

static float *scratch_of(const struct ock_network *net, size_t thread)
{
    return net->scratch + thread * net->scratch_stride;
}

/* --- First values
 * -------------------------------------------------------------------------------*/

/* The next activation in the network, identity if there is none before the next linear layer. */
static enum ock_activation activation_after(const struct ock_plan *plan, size_t layer)
{
    for (size_t i = layer + 1; i < plan->layer_count; i++) {
        if (plan->layers[i].spec->type == OCK_LINEAR)
            break;
        if (plan->layers[i].spec->type == OCK_ACTIVATION)
            return plan->layers[i].spec->activation;
    }
    return OCK_IDENTITY;
}

static size_t linear_layers(const struct ock_plan *plan)
{
    size_t count = 0;
    for (size_t i = 0; i < plan->layer_count; i++)
        count += plan->layers[i].spec->type == OCK_LINEAR;
    return count;
}

/* He et al. 2015: std sqrt(2/I); Glorot and Bengio 2010: std sqrt(2/(I+O)). */
void ock_linear_init(const struct ock_network *net, size_t layer, uint64_t seed, float *w)
{
    const struct ock_plan_layer *plan = &net->plan->layers[layer];
    if (linear_layers(net->plan) == 1)
        return; /* convex: zeros are as good a start as any, and the same for every seed */
    enum ock_activation activation = activation_after(net->plan, layer);
    int relu_like =
        activation == OCK_RELU || activation == OCK_LEAKY_RELU || activation == OCK_GELU;
    double std = sqrt(2.0 / (double)(relu_like ? plan->in : plan->in + plan->out));
    struct ock_stream stream = ock_stream_make(seed, OCK_RANDOM_INIT, (uint32_t)layer, 0);
    for (size_t i = 0; i < plan->weight_count; i++)
        w[plan->weight_offset + i] = (float)(std * ock_random_normal(stream, i));
}

/* --- Packing ----------------------------------------------------------------------------------- */

struct packing {
    const struct ock_network *net;
    const float *w;
};

static size_t panels_of(const struct ock_network *net, size_t columns)
{
    return tiles_of(columns, net->kernels->panel_columns);
}

static size_t pieces_of(const struct ock_network *net, const struct ock_plan_layer *layer)
{
    if (layer->spec->type != OCK_LINEAR)
        return 0;
    return layer->sparse ? ock_sparse_pieces(layer) : panels_of(net, layer->out);
}

/* Task `index` is a panel of W', or a piece of a sparse layer's, counted over all linear layers. */
static void pack_task(void *ctx, size_t index, size_t thread)
{
    (void)thread;
    const struct packing *packing = ctx;
    const struct ock_network *net = packing->net;
    for (size_t i = 0; i < net->plan->layer_count; i++) {
        const struct ock_plan_layer *plan = &net->plan->layers[i];
        size_t pieces = pieces_of(net, plan);
        if (index >= pieces) {
            index -= pieces;
            continue;
        }
        if (plan->sparse)
            ock_sparse_pack(net, i, packing->w, index);
        else
            net->kernels->pack(net->layers[i].packed, packing->w + plan->weight_offset, 1, plan->in,
                               plan->in, plan->out, index, index + 1);
        return;
    }
}

void ock_network_pack(const struct ock_network *net, const float *w)
{
    struct packing packing = {net, w};
    size_t count = 0;
    for (size_t i = 0; i < net->plan->layer_count; i++)
        count += pieces_of(net, &net->plan->layers[i]);
    struct ock_team alone = {.threads = 1};
    ock_team_run(net->plan->parameters < OCK_SERIAL_ELEMENTS ? &alone : &net->team, count,
                 pack_task, &packing);
}

/* --- Forward -----------------------------------------------------------------------------------
 */

struct forward_work {
    const struct ock_network *net;
    struct ock_product product;
    struct cut cut;
};

static void forward_task(void *ctx, size_t index, size_t thread)
{
    const struct forward_work *work = ctx;
    struct rectangle r = rectangle_of(&work->cut, index);
    work->net->kernels->product(&work->product, r.m0, r.m1, r.n0, r.n1,
                                scratch_of(work->net, thread));
}

static void forward(const struct ock_network *net, size_t layer, const struct ock_pass *pass,
                    const float *x, float *y)
{
    const struct ock_plan_layer *plan = &net->plan->layers[layer];
    const float *w = pass->w + plan->weight_offset;
    struct forward_work work = {
        .net = net,
        .product = {.M = pass->rows,
                    .N = plan->out,
                    .K = plan->in,
                    .A = x,
                    .a_row = plan->in,
                    .a_col = 1,
                    .B = w,
                    .b_row = 1,
                    .b_col = plan->in,
                    .packed = pass->training ? NULL : net->layers[layer].packed,
                    .C = y,
                    .c_row = plan->out,
                    .bias = plan->bias_count > 0 ? pass->w + plan->bias_offset : NULL},
        .cut = cut_make(net, pass->rows, plan->out, plan->in, 0)};
    ock_team_run(&net->team, work.cut.count, forward_task, &work);
}

/* --- Backward ----------------------------------------------------------------------------------
 */

struct backward_work {
    const struct ock_network *net;
    const struct ock_plan_layer *plan;
    const struct ock_pass *pass;
    const float *x;  /* [B,I] */
    const float *dy; /* [B,O] */
    const struct ock_sink *sink;
    struct ock_product dx; /* product and cut of dX; dx_cut.count 0: not wanted */
    struct cut dx_cut;
    bool pack_x;
    struct cut dW_cut;
};

/* Tiles of dX first, then panels of x for dW: neither reads what the other writes. */
static void dx_and_pack_task(void *ctx, size_t index, size_t thread)
{
    const struct backward_work *work = ctx;
    if (index < work->dx_cut.count) {
        struct rectangle r = rectangle_of(&work->dx_cut, index);
        work->net->kernels->product(&work->dx, r.m0, r.m1, r.n0, r.n1,
                                    scratch_of(work->net, thread));
        return;
    }
    size_t panel = index - work->dx_cut.count;
    work->net->kernels->pack(work->net->packed_x, work->x, work->plan->in, 1, work->pass->rows,
                             work->plan->in, panel, panel + 1);
}

struct dW_tile {
    const struct backward_work *work;
    struct rectangle r;
    float *scratch;
};

/* x from column n0 (a multiple of the panel) on, as pack() would lay it out by itself: a panel
 * starts K * panel_columns floats behind the last. */
static const float *packed_columns(const struct backward_work *work, size_t n0)
{
    return work->pack_x ? work->net->packed_x + n0 * work->pass->rows : NULL;
}

/* One tile of dW over one shard's rows, into out [m1-m0, n1-n0]. */
static void dW_part(void *ctx, size_t shard, float *out)
{
    const struct dW_tile *tile = ctx;
    const struct backward_work *work = tile->work;
    const struct ock_plan_layer *plan = work->plan;
    size_t begin = 0;
    size_t end = 0;
    ock_shard_rows(work->net, work->pass->rows, shard, &begin, &end);
    size_t columns = tile->r.n1 - tile->r.n0;
    struct ock_product product = {.M = tile->r.m1 - tile->r.m0,
                                  .N = columns,
                                  .K = end - begin,
                                  .A = work->dy + begin * plan->out + tile->r.m0,
                                  .a_row = 1,
                                  .a_col = plan->out,
                                  .B = work->x + begin * plan->in + tile->r.n0,
                                  .b_row = plan->in,
                                  .b_col = 1,
                                  .packed = packed_columns(work, tile->r.n0),
                                  .C = out,
                                  .c_row = columns};
    work->net->kernels->product(&product, 0, product.M, 0, columns, tile->scratch);
}

/* Task 0 is db (if there is a bias), the others are tiles of dW. */
static void dW_task(void *ctx, size_t index, size_t thread)
{
    struct backward_work *work = ctx;
    const struct ock_network *net = work->net;
    const struct ock_plan_layer *plan = work->plan;
    if (plan->bias_count > 0 && index-- == 0) {
        ock_bias_gradient(net, plan, work->pass->rows, work->dy, work->sink);
        return;
    }
    struct dW_tile tile = {work, rectangle_of(&work->dW_cut, index), scratch_of(net, thread)};
    size_t rows = tile.r.m1 - tile.r.m0;
    size_t columns = tile.r.n1 - tile.r.n0;
    float *g = net->tiles + thread * net->tile_stride;
    ock_fold_shards(net, rows * columns, net->tile_floats, g, dW_part, &tile);

    size_t begin = plan->weight_offset + tile.r.m0 * plan->in + tile.r.n0;
    if (columns == plan->in) {
        work->sink->take(work->sink->ctx, begin, rows * columns, g);
        return;
    }
    for (size_t i = 0; i < rows; i++)
        work->sink->take(work->sink->ctx, begin + i * plan->in, columns, g + i * columns);
}

static float *backward(const struct ock_network *net, size_t layer, const struct ock_pass *pass,
                       const float *x, float *dy, float *other, bool want_dx,
                       const struct ock_sink *sink)
{
    const struct ock_plan_layer *plan = &net->plan->layers[layer];
    struct backward_work work = {.net = net,
                                 .plan = plan,
                                 .pass = pass,
                                 .x = x,
                                 .dy = dy,
                                 .sink = sink,
                                 .pack_x = net->shards == 1 && plan->out >= PACK_OUTPUTS_MIN};
    if (want_dx) {
        work.dx = (struct ock_product){.M = pass->rows,
                                       .N = plan->in,
                                       .K = plan->out,
                                       .A = dy,
                                       .a_row = plan->out,
                                       .a_col = 1,
                                       .B = pass->w + plan->weight_offset,
                                       .b_row = plan->in,
                                       .b_col = 1,
                                       .C = other,
                                       .c_row = plan->in};
        work.dx_cut = cut_make(net, pass->rows, plan->in, plan->out, 0);
    }
    size_t panels = work.pack_x ? panels_of(net, plan->in) : 0;
    ock_team_run(&net->team, work.dx_cut.count + panels, dx_and_pack_task, &work);

    /* Only now may the sink change the weights: dX has read them. */
    work.dW_cut = cut_make(net, plan->out, plan->in, pass->rows, net->tile_floats);
    size_t tasks = work.dW_cut.count + (plan->bias_count > 0 ? 1 : 0);
    ock_team_run(&net->team, tasks, dW_task, &work);
    return want_dx ? other : dy;
}

const struct ock_layer_ops ock_linear_ops = {
    .init = ock_linear_init, .forward = forward, .backward = backward};
