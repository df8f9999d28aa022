/* The strength at which L1 leaves nothing (SPEC.md, "Choosing the strength").
 *
 * At weights 0 every row has the same outputs, the biases, so that
 *   d data_loss / d W[k][j] = sum_i s_i · dz[i][k] · x[i][j] / sum_i s_i
 * with dz from the biases and the row's label or target alone. All sums in double, rows in order. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/train/metrics.h"
#include "core/train/tune_private.h"

enum { BLOCK_NUMBERS = 1 << 20, BLOCK_ROWS = 256, HALVINGS = 100 };

/* D features, K outputs. */
struct bound {
    const struct ock_spec *spec;
    const struct ock_data *data;
    const struct ock_leave *leave;
    size_t D, K;
    size_t block_rows;
    struct ock_batch batch; /* [block_rows, …], owned */
    double *class_weights;  /* [classes] owned */
    double *p;              /* [K] owned: probabilities; numbers: p[0] is the constant */
    double *dz;             /* [K] owned: of one row */
    double *gradient;       /* [K, D + 1] owned; the bias' is the last */
    double total;           /* sum of s */
    double tie;             /* mae: the slope of rows whose target is p[0] */
};

static void deinit(struct bound *b)
{
    free(b->batch.x);
    free(b->batch.sparse.begin);
    free(b->batch.sparse.index);
    free(b->batch.sparse.value);
    free(b->batch.label);
    free(b->batch.target);
    free(b->batch.weight);
    free(b->class_weights);
    free(b->p);
    free(b->dz);
    free(b->gradient);
}

static bool allocate(struct bound *b)
{
    const struct ock_data *data = b->data;
    size_t rows = b->block_rows;
    bool sparse = data->sparse;
    size_t terms = sparse ? rows * data->row_terms_max + 1 : 0;
    if (sparse) {
        b->batch.sparse.begin = calloc(rows + 1, sizeof(*b->batch.sparse.begin));
        b->batch.sparse.index = calloc(terms, sizeof(*b->batch.sparse.index));
        b->batch.sparse.value = calloc(terms, sizeof(*b->batch.sparse.value));
    } else {
        b->batch.x = calloc(rows * b->D, sizeof(*b->batch.x));
    }
    if (data->classes > 0)
        b->batch.label = calloc(rows, sizeof(*b->batch.label));
    else
        b->batch.target = calloc(rows, sizeof(*b->batch.target));
    b->batch.weight = calloc(rows, sizeof(*b->batch.weight));
    b->class_weights = calloc(data->classes + 1, sizeof(*b->class_weights));
    b->p = calloc(b->K, sizeof(*b->p));
    b->dz = calloc(b->K, sizeof(*b->dz));
    b->gradient = calloc(b->K * (b->D + 1), sizeof(*b->gradient));
    bool rows_there = sparse
                          ? b->batch.sparse.begin && b->batch.sparse.index && b->batch.sparse.value
                          : b->batch.x != NULL;
    return rows_there && (b->batch.label || b->batch.target) && b->batch.weight &&
           b->class_weights && b->p && b->dz && b->gradient;
}

/* Calls add(b, row of the batch) for every training row. false: left. */
static bool for_each_row(struct bound *b, bool with_features,
                         void (*add)(struct bound *b, size_t row, void *ctx), void *ctx)
{
    const struct ock_rows *train = &b->data->train;
    struct ock_batch batch = b->batch;
    batch.x = with_features ? batch.x : NULL;
    batch.sparse.begin = NULL; /* gathered by themselves */
    for (size_t begin = 0; begin < train->count; begin += b->block_rows) {
        if (b->leave->ask && b->leave->ask(b->leave->ctx))
            return false;
        size_t left = train->count - begin;
        size_t count = left < b->block_rows ? left : b->block_rows;
        const uint32_t *rows = train->rows + begin;
        ock_source_gather(train->source, rows, count, &batch);
        if (with_features && b->data->sparse) {
            ock_source_sparse_begins(train->source, rows, count, &b->batch.sparse);
            ock_source_sparse_terms(train->source, rows, 0, count, &b->batch.sparse);
        }
        for (size_t row = 0; row < count; row++)
            add(b, row, ctx);
    }
    return true;
}

/* --- Biases ------------------------------------------------------------------------------------ */

static void add_class(struct bound *b, size_t row, void *ctx)
{
    double s = (double)b->batch.weight[row];
    (void)ctx;
    b->class_weights[b->batch.label[row]] += s;
    b->total += s;
}

/* dz of a number's row with output z: the loss' derivative (SPEC.md, Objective). tie: what mae's is
 * where it turns, any number from -1 to 1. */
static double slope(enum ock_loss loss, double z, double target, double tie)
{
    double away = z - target;
    if (loss == OCK_MSE)
        return 2 * away;
    if (loss == OCK_HUBER)
        return away > 1 ? 1 : away < -1 ? -1 : away;
    return away > 0 ? 1 : away < 0 ? -1 : tie;
}

struct numbers {
    double z, slope, sum, least, largest;
    double at_z; /* weight of the rows whose target is z */
};

static void add_number(struct bound *b, size_t row, void *ctx)
{
    struct numbers *n = ctx;
    double s = (double)b->batch.weight[row], t = (double)b->batch.target[row];
    n->slope += s * slope(b->spec->loss, n->z, t, 0);
    n->at_z += t < n->z || t > n->z ? 0 : s;
    n->sum += s * t;
    n->least = t < n->least ? t : n->least;
    n->largest = t > n->largest ? t : n->largest;
    b->total += s;
}

struct between {
    double low, high, found;
};

static void find_between(struct bound *b, size_t row, void *ctx)
{
    struct between *between = ctx;
    double t = (double)b->batch.target[row];
    if (t >= between->low && t <= between->high)
        between->found = t;
}

/* mae's best constant is some row's target, and the slopes of the rows that have it are what makes the
 * sum of all 0: the bias is at its best there. */
static bool settle_median(struct bound *b, double low, double high, double *out)
{
    struct between between = {low, high, *out};
    if (!for_each_row(b, false, find_between, &between))
        return false;
    struct numbers at = {.z = between.found};
    if (!for_each_row(b, false, add_number, &at))
        return false;
    b->tie = at.at_z > 0 ? fmax(-1, fmin(1, -at.slope / at.at_z)) : 0;
    *out = at.z;
    return true;
}

/* The best constant: the mean, or for huber and mae where the slope turns. */
static bool best_number(struct bound *b, double *out)
{
    struct numbers n = {.least = INFINITY, .largest = -INFINITY};
    if (!for_each_row(b, false, add_number, &n))
        return false;
    double total = b->total;
    double low = n.least, high = n.largest;
    *out = n.sum / total;
    for (int i = 0; i < HALVINGS && b->spec->loss != OCK_MSE && low < high; i++) {
        struct numbers at = {.z = low + (high - low) / 2};
        if (!for_each_row(b, false, add_number, &at))
            return false;
        if (at.z <= low || at.z >= high)
            break;
        *(at.slope > 0 ? &high : &low) = at.z;
        *out = at.z;
    }
    bool whole = b->spec->loss != OCK_MAE || settle_median(b, low, high, out);
    b->total = total;
    return whole;
}

/* p, and the total weight. free_bias: the layer has biases and they cost nothing. */
static bool find_outputs(struct bound *b, bool free_bias)
{
    size_t classes = b->data->classes;
    if (classes == 0) {
        double best = 0;
        if (!best_number(b, &best))
            return false;
        b->p[0] = free_bias ? best : 0;
        b->tie = free_bias ? b->tie : 0;
        return true;
    }
    if (!for_each_row(b, false, add_class, NULL))
        return false;
    for (size_t k = 0; k < b->K; k++) {
        size_t label = b->K == 1 ? 1 : k; /* binary: the second class */
        double even = b->K == 1 ? 0.5 : 1 / (double)b->K;
        b->p[k] = free_bias ? b->class_weights[label] / b->total : even;
    }
    return true;
}

/* --- The gradient ------------------------------------------------------------------------------ */

static void add_gradient(struct bound *b, size_t row, void *ctx)
{
    double s = (double)b->batch.weight[row];
    (void)ctx;
    for (size_t k = 0; k < b->K; k++) {
        if (b->data->classes > 0)
            b->dz[k] = b->p[k] - (double)(b->batch.label[row] == (b->K == 1 ? 1 : (int32_t)k));
        else
            b->dz[k] = slope(b->spec->loss, b->p[0], (double)b->batch.target[row], b->tie);
        double *g = b->gradient + k * (b->D + 1);
        double scale = s * b->dz[k];
        g[b->D] += scale;
        if (!b->data->sparse) {
            const float *x = b->batch.x + row * b->D;
            for (size_t j = 0; j < b->D; j++)
                g[j] += scale * (double)x[j];
            continue;
        }
        const struct ock_sparse_batch *sparse = &b->batch.sparse;
        for (size_t t = sparse->begin[row]; t < sparse->begin[row + 1]; t++)
            g[sparse->index[t]] += scale * (double)sparse->value[t];
    }
}

static double largest(const struct bound *b, bool with_bias)
{
    double most = 0;
    for (size_t k = 0; k < b->K; k++) {
        const double *g = b->gradient + k * (b->D + 1);
        for (size_t j = 0; j < b->D + with_bias; j++) {
            double size = fabs(g[j]) / b->total;
            most = size > most ? size : most;
        }
    }
    return most;
}

enum ock_status ock_tune_l1_bound(double *out, bool *left, const struct ock_spec *spec,
                                  const struct ock_data *data, const struct ock_leave *leave,
                                  struct ock_err *err)
{
    struct bound b = {
        .spec = spec, .data = data, .leave = leave, .D = data->features, .K = data->outputs};
    bool has_bias = spec->layers[0].bias;
    bool penalised = has_bias && spec->regularization.biases;
    b.block_rows = BLOCK_NUMBERS / b.D > BLOCK_ROWS ? BLOCK_ROWS : BLOCK_NUMBERS / b.D + 1;
    if (!allocate(&b)) {
        deinit(&b);
        return ock_fail(err, OCK_NOMEM, "out of memory for the gradient at weights of 0");
    }
    *left =
        !find_outputs(&b, has_bias && !penalised) || !for_each_row(&b, true, add_gradient, NULL);
    if (!*left)
        *out = largest(&b, penalised);
    deinit(&b);
    return OCK_OK;
}
