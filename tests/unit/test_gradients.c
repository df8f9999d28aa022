/* Goal: every gradient of every layer and loss is right, and no cut of the work changes a bit of it.
 *
 * Method: a second, naive network in double stands below, written from the formulas. Its central
 * differences (h = 1e-6) are what the float gradients are compared with. Then the same gradients
 * are computed with other numbers of threads, tiles, kernels and schedules: bytes must be equal. */
#include <check.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "core/model/loss.h"
#include "core/model/network.h"
#include "core/train/plan.h"

enum { FEATURES = 5, ROWS = 7, PARAMETERS_MAX = 4096, OUTPUTS_MAX = 4 };

/* A network, a minibatch and what belongs to them. */
struct setup {
    struct ock_layer_spec layers[9];
    struct ock_spec spec;
    struct ock_plan plan;
    enum ock_loss loss;
    size_t rows, outputs;
    float x[512 * 64];
    int32_t label[512];
    float target[512];
    float weight[512];
    float w[PARAMETERS_MAX * 8];
};

static float draw(uint32_t purpose, uint64_t i)
{
    return (float)ock_random_normal(ock_stream_make(99, OCK_RANDOM_PROBE, purpose, 0), i);
}

static size_t outputs_of(enum ock_loss loss)
{
    return loss == OCK_CROSS_ENTROPY ? OUTPUTS_MAX : 1;
}

/* [dropout] linear activation [dropout] linear activation linear */
static void setup_make(struct setup *s, enum ock_loss loss, enum ock_activation activation,
                       bool dropout, size_t features, size_t hidden, size_t rows)
{
    memset(s, 0, sizeof(*s));
    size_t n = 0;
    s->loss = loss;
    s->rows = rows;
    s->outputs = outputs_of(loss);
    if (dropout)
        s->layers[n++] = (struct ock_layer_spec){.type = OCK_DROPOUT, .rate = 0.2};
    for (int i = 0; i < 2; i++) {
        s->layers[n++] = (struct ock_layer_spec){
            .type = OCK_LINEAR, .units = hidden - (size_t)i, .bias = i == 0};
        s->layers[n++] = (struct ock_layer_spec){.type = OCK_ACTIVATION, .activation = activation};
        if (dropout)
            s->layers[n++] = (struct ock_layer_spec){.type = OCK_DROPOUT, .rate = 0.5};
    }
    s->layers[n++] = (struct ock_layer_spec){.type = OCK_LINEAR, .units = s->outputs, .bias = true};
    s->spec = (struct ock_spec){.layers = s->layers,
                                .layer_count = n,
                                .loss = loss,
                                .resolved = true,
                                .train = {.epochs = 1,
                                          .batch_size = rows,
                                          .shards = 1,
                                          .threads = 1,
                                          .evaluate_train = SIZE_MAX}};
    struct ock_plan_data data = {.rows = {.train_rows = rows, .features = features},
                                 .outputs = s->outputs};
    ck_assert_int_eq(ock_plan_make(&s->plan, &s->spec, &data, NULL), OCK_OK);
    ck_assert_uint_lt(s->plan.parameters, sizeof(s->w) / sizeof(s->w[0]));
    for (size_t i = 0; i < rows * features; i++)
        s->x[i] = draw(1, i);
    for (size_t i = 0; i < rows; i++) {
        s->label[i] = (int32_t)(i % (loss == OCK_CROSS_ENTROPY ? OUTPUTS_MAX : 2));
        s->target[i] = 2 * draw(2, i);
        s->weight[i] = 0.5f + (float)(i % 3);
    }
    for (size_t i = 0; i < s->plan.parameters; i++)
        s->w[i] = 0.4f * draw(3, i);
}

/* --- The gradient under test ------------------------------------------------------------------- */

struct how {
    const char *family;
    uint32_t threads;
    size_t shards, tile_rows;
};

static void keep(void *ctx, size_t begin, size_t count, const float *g)
{
    memcpy((float *)ctx + begin, g, count * sizeof(*g));
}

/* Sums of the data gradient into g [P]; returns the weighted loss sum. masks gets dropout's. */
static double gradient_of(const struct setup *s, const struct how *how, float *g,
                          float *masks[OCK_LAYERS_MAX])
{
    struct ock_arena arena = {0};
    struct ock_network *net = calloc(1, sizeof(*net));
    const struct ock_kernels *kernels = ock_kernels_get(how->family);
    ck_assert_ptr_nonnull(kernels);
    ock_network_layout(net, &s->plan, kernels, how->threads, how->shards, how->tile_rows, &arena);
    ck_assert_int_eq(ock_arena_allocate(&arena, NULL), OCK_OK);
    ock_network_layout(net, &s->plan, kernels, how->threads, how->shards, how->tile_rows, &arena);
    struct ock_pass pass = {
        .w = s->w, .rows = s->rows, .training = true, .seed = 3, .epoch = 2, .position = 70};
    ock_network_pack(net, s->w);
    const float *z = ock_network_forward(net, &pass, s->x);
    float *work = calloc(2 * s->rows * s->outputs, sizeof(*work));
    struct ock_loss_rows rows = {.rows = s->rows,
                                 .outputs = s->outputs,
                                 .z = z,
                                 .label = s->label,
                                 .target = s->target,
                                 .weight = s->weight,
                                 .work = work,
                                 .loss = work + s->rows * s->outputs,
                                 .dz = net->gradient[0]};
    ock_loss_compute(s->loss, kernels, &rows);
    double loss = 0;
    for (size_t i = 0; i < s->rows; i++)
        loss += (double)s->weight[i] * (double)rows.loss[i];
    memset(g, 0, s->plan.parameters * sizeof(*g));
    struct ock_sink sink = {g, keep};
    ock_network_backward(net, &pass, s->x, &sink);
    for (size_t i = 0; masks && i < s->plan.layer_count; i++) {
        if (net->layers[i].mask)
            memcpy(masks[i], net->layers[i].mask, s->rows * s->plan.layers[i].out * sizeof(float));
    }
    free(work);
    free(net);
    ock_arena_deinit(&arena);
    return loss;
}

/* --- The naive network in double --------------------------------------------------------------- */

static double activation_of(enum ock_activation activation, double x)
{
    switch (activation) {
    case OCK_RELU:
        return x > 0 ? x : 0;
    case OCK_TANH:
        return tanh(x);
    case OCK_SIGMOID:
        return 1 / (1 + exp(-x));
    case OCK_GELU:
        return x / 2 * (1 + erf(x / sqrt(2)));
    case OCK_LEAKY_RELU:
        return x > 0 ? x : 0.01 * x;
    case OCK_IDENTITY:
        break;
    }
    return x;
}

static double row_loss(const struct setup *s, const double *z, size_t row)
{
    double d = z[0] - (double)s->target[row];
    double sum = 0;
    switch (s->loss) {
    case OCK_CROSS_ENTROPY:
        for (size_t j = 0; j < s->outputs; j++)
            sum += exp(z[j]);
        return log(sum) - z[s->label[row]];
    case OCK_BINARY_CROSS_ENTROPY:
        return log(1 + exp(z[0])) - z[0] * s->label[row];
    case OCK_MSE:
        return d * d;
    case OCK_HUBER:
        return fabs(d) <= 1 ? d * d / 2 : fabs(d) - 0.5;
    case OCK_MAE:
        return fabs(d);
    case OCK_LOSS_AUTO:
        break;
    }
    ck_abort_msg("a loss without a formula");
    return 0;
}

static double naive_loss(const struct setup *s, const double *w, float *const *masks)
{
    double total = 0;
    for (size_t row = 0; row < s->rows; row++) {
        double now[128] = {0};
        double next[128] = {0};
        for (size_t k = 0; k < s->plan.layers[0].in; k++)
            now[k] = (double)s->x[row * s->plan.layers[0].in + k];
        for (size_t i = 0; i < s->plan.layer_count; i++) {
            const struct ock_plan_layer *layer = &s->plan.layers[i];
            for (size_t o = 0; o < layer->out; o++) {
                if (layer->spec->type == OCK_LINEAR) {
                    next[o] = layer->bias_count > 0 ? w[layer->bias_offset + o] : 0;
                    for (size_t k = 0; k < layer->in; k++)
                        next[o] += w[layer->weight_offset + o * layer->in + k] * now[k];
                } else if (layer->spec->type == OCK_ACTIVATION) {
                    next[o] = activation_of(layer->spec->activation, now[o]);
                } else {
                    next[o] = now[o] * (double)masks[i][row * layer->out + o];
                }
            }
            memcpy(now, next, sizeof(now));
        }
        total += (double)s->weight[row] * row_loss(s, now, row);
    }
    return total;
}

static const enum ock_loss losses[] = {OCK_CROSS_ENTROPY, OCK_BINARY_CROSS_ENTROPY, OCK_MSE,
                                       OCK_HUBER, OCK_MAE};

START_TEST(gradients_match_central_differences)
{
    enum ock_loss loss = losses[_i / OCK_ACTIVATION_COUNT / 2];
    enum ock_activation activation = (enum ock_activation)(_i / 2 % OCK_ACTIVATION_COUNT);
    bool dropout = _i % 2;
    struct setup *s = malloc(sizeof(*s));
    setup_make(s, loss, activation, dropout, FEATURES, 6, ROWS);
    float *masks[OCK_LAYERS_MAX] = {0};
    for (size_t i = 0; i < s->plan.layer_count; i++)
        masks[i] = calloc(ROWS * 16, sizeof(float));
    float *g = calloc(s->plan.parameters, sizeof(*g));
    double *w = calloc(s->plan.parameters, sizeof(*w));
    struct how how = {NULL, 1, 1, 0};
    double loss_here = gradient_of(s, &how, g, masks);

    for (size_t i = 0; i < s->plan.parameters; i++)
        w[i] = (double)s->w[i];
    ck_assert_double_eq_tol(loss_here, naive_loss(s, w, masks), 1e-5 * (1 + fabs(loss_here)));
    double largest = 0;
    for (size_t i = 0; i < s->plan.parameters; i++)
        largest = fmax(largest, fabs((double)g[i]));
    ck_assert_double_gt(largest, 1e-3);
    for (size_t i = 0; i < s->plan.parameters; i++) {
        const double h = 1e-6;
        double middle = w[i];
        w[i] = middle + h;
        double above = naive_loss(s, w, masks);
        w[i] = middle - h;
        double below = naive_loss(s, w, masks);
        w[i] = middle;
        double difference = (above - below) / (2 * h);
        ck_assert_msg(fabs(difference - (double)g[i]) <= 3e-6 * largest + 1e-7 * loss_here,
                      "parameter %zu: gradient %g, central difference %g", i, (double)g[i],
                      difference);
    }
    for (size_t i = 0; i < s->plan.layer_count; i++)
        free(masks[i]);
    free(g);
    free(w);
    free(s);
}
END_TEST

/* Large enough that tiles, panels and blocks of rows are all cut: 61 features, 70 units, 403 rows. */
START_TEST(no_cut_changes_a_bit)
{
    static const struct how hows[] = {
        {"reference", 1, 1, 0}, {"v3", 1, 1, 0},  {"v3", 2, 1, 0}, {"v3", 3, 1, 8},
        {"v3", 8, 1, 1},        {"v4", 1, 1, 0},  {"v4", 2, 1, 5}, {"v4", 3, 1, 0},
        {"v4", 8, 1, 16},       {"v4", 2, 1, 64},
    };
    static const omp_sched_t schedules[] = {omp_sched_static, omp_sched_dynamic, omp_sched_guided};
    struct setup *s = malloc(sizeof(*s));
    setup_make(s, OCK_CROSS_ENTROPY, OCK_GELU, true, 61, 70, 403);
    size_t bytes = s->plan.parameters * sizeof(float);
    float *first = malloc(bytes);
    float *other = malloc(bytes);
    double loss = gradient_of(s, &hows[0], first, NULL);
    for (size_t i = 1; i < sizeof(hows) / sizeof(hows[0]); i++) {
        if (!ock_kernels_get(hows[i].family))
            continue; /* not on this processor */
        omp_set_schedule(schedules[i % 3], 1 + (int)i % 2);
        double other_loss = gradient_of(s, &hows[i], other, NULL);
        ck_assert_msg(memcmp(first, other, bytes) == 0, "cut %zu: %s, %u threads, tiles of %zu", i,
                      hows[i].family, hows[i].threads, hows[i].tile_rows);
        ck_assert_mem_eq(&loss, &other_loss, sizeof(loss));
    }
    free(first);
    free(other);
    free(s);
}
END_TEST

/* Shards change bits, but not by more than rounding, and not with the number of threads. */
START_TEST(shards_fold_the_same_for_any_threads)
{
    struct setup *s = malloc(sizeof(*s));
    setup_make(s, OCK_MSE, OCK_TANH, false, 33, 50, 101);
    size_t P = s->plan.parameters;
    float *whole = malloc(P * sizeof(float));
    float *one = malloc(P * sizeof(float));
    float *many = malloc(P * sizeof(float));
    struct how alone = {NULL, 1, 1, 0};
    (void)gradient_of(s, &alone, whole, NULL);
    for (size_t shards = 2; shards <= 9; shards++) {
        struct how single = {NULL, 1, shards, 0};
        struct how team = {NULL, 3, shards, 8};
        (void)gradient_of(s, &single, one, NULL);
        (void)gradient_of(s, &team, many, NULL);
        ck_assert_mem_eq(one, many, P * sizeof(float));
        for (size_t i = 0; i < P; i++)
            ck_assert_float_eq_tol(one[i], whole[i], 1e-4f * (1 + fabsf(whole[i])));
    }
    free(whole);
    free(one);
    free(many);
    free(s);
}
END_TEST

/* A row alone gives the same output bits as in a batch. */
START_TEST(a_row_alone_is_a_row_in_a_batch)
{
    struct setup *s = malloc(sizeof(*s));
    setup_make(s, OCK_CROSS_ENTROPY, OCK_SIGMOID, false, 61, 70, 130);
    struct ock_arena arena = {0};
    struct ock_network *net = calloc(1, sizeof(*net));
    const struct ock_kernels *kernels = ock_kernels_get(NULL);
    ock_network_layout(net, &s->plan, kernels, 1, 1, 0, &arena);
    ck_assert_int_eq(ock_arena_allocate(&arena, NULL), OCK_OK);
    ock_network_layout(net, &s->plan, kernels, 1, 1, 0, &arena);
    ock_network_pack(net, s->w);
    struct ock_pass pass = {.w = s->w, .rows = s->rows};
    float all[130 * OUTPUTS_MAX];
    memcpy(all, ock_network_forward(net, &pass, s->x), sizeof(all));
    pass.rows = 1;
    for (size_t i = 0; i < s->rows; i++) {
        const float *z = ock_network_forward(net, &pass, s->x + i * 61);
        ck_assert_mem_eq(z, all + i * OUTPUTS_MAX, OUTPUTS_MAX * sizeof(float));
    }
    free(net);
    ock_arena_deinit(&arena);
    free(s);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gradients");
    TCase *all = tcase_create("gradients");
    tcase_set_timeout(all, 120);
    tcase_add_loop_test(all, gradients_match_central_differences, 0,
                        (int)(sizeof(losses) / sizeof(losses[0])) * OCK_ACTIVATION_COUNT * 2);
    tcase_add_test(all, no_cut_changes_a_bit);
    tcase_add_test(all, shards_fold_the_same_for_any_threads);
    tcase_add_test(all, a_row_alone_is_a_row_in_a_batch);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
