/* Goal: the update, the schedules and the weight report follow SPEC.md's formulas.
 *
 * Method: SPEC.md's scalar check (w = 0.1, gradient 0.5, four steps) through the optimizer as the
 * trainer uses it; clipping, decay and max_norm by hand; schedules by their closed forms. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/train/optimizer.h"
#include "core/train/schedule.h"

/* A network of one linear layer [1,count] without bias, and its optimizer. */
struct rig {
    struct ock_layer_spec layer[2];
    struct ock_spec spec;
    struct ock_plan plan;
    struct ock_team team;
    struct ock_optimizer *optimizer;
    struct ock_arena arena;
};

static void rig_make(struct rig *rig, size_t inputs)
{
    struct ock_plan_data data = {.rows = {.train_rows = 4, .features = inputs}, .outputs = 1};
    rig->team.threads = 1;
    rig->spec.layers = rig->layer;
    rig->spec.train = (struct ock_train_spec){
        .epochs = 1, .batch_size = 4, .shards = 1, .threads = 1, .evaluate_train = SIZE_MAX};
    rig->spec.regularization.biases = true;
    rig->spec.resolved = true;
    rig->spec.loss = OCK_MSE;
    rig->optimizer = calloc(1, sizeof(*rig->optimizer));
    ck_assert_int_eq(ock_plan_make(&rig->plan, &rig->spec, &data, NULL), OCK_OK);
    for (int pass = 0; pass < 2; pass++) {
        ock_optimizer_layout(rig->optimizer, &rig->spec, &rig->plan, ock_kernels_get(NULL),
                             &rig->team, &rig->arena);
        if (pass == 0)
            ck_assert_int_eq(ock_arena_allocate(&rig->arena, NULL), OCK_OK);
    }
}

static void rig_free(struct rig *rig)
{
    ock_arena_deinit(&rig->arena);
    free(rig->optimizer);
}

/* One step with gradient sums g (of a minibatch of weight 4). */
static void step(struct rig *rig, double lr, const float *g, uint64_t updates)
{
    struct ock_sink sink = ock_optimizer_sink(rig->optimizer);
    ock_optimizer_begin(rig->optimizer, lr, 4, updates);
    sink.take(sink.ctx, 0, rig->plan.parameters, g);
    ck_assert(ock_optimizer_end(rig->optimizer));
}

START_TEST(scalar_check_of_the_spec)
{
    static const double wanted[2][4] = {{0.0478, -0.0512756, -0.1883410888, -0.359323346542},
                                        {0.0478, -0.0472756, -0.1807490888, -0.34851373054}};
    struct rig rig = {0};
    rig.layer[0] = (struct ock_layer_spec){.type = OCK_LINEAR, .units = 1, .l1 = 0.02, .l2 = 0.01};
    rig.spec.layer_count = 1;
    rig.spec.regularization.l1_method = _i == 0 ? OCK_SUBGRADIENT : OCK_PROXIMAL;
    rig.spec.optimizer.momentum = 0.9;
    rig_make(&rig, 1);
    rig.optimizer->state.w[0] = 0.1f;
    const float g = 4 * 0.5f;
    for (uint64_t t = 0; t < 4; t++) {
        step(&rig, 0.1, &g, t);
        ck_assert_double_eq_tol((double)rig.optimizer->state.w[0], wanted[_i][t], 1e-7);
    }
    rig_free(&rig);
}
END_TEST

/* g = (3, 4) has norm 5: clipped to 1 it is (0.6, 0.8), and w = -lr g. */
START_TEST(clip_norm_by_hand)
{
    struct rig rig = {0};
    rig.layer[0] = (struct ock_layer_spec){.type = OCK_LINEAR, .units = 1};
    rig.spec.layer_count = 1;
    rig.spec.optimizer.clip_norm = 1;
    rig_make(&rig, 2);
    const float g[2] = {12, 16};
    step(&rig, 0.5, g, 0);
    ck_assert_float_eq_tol(rig.optimizer->state.w[0], -0.3f, 1e-6f);
    ck_assert_float_eq_tol(rig.optimizer->state.w[1], -0.4f, 1e-6f);
    const float small[2] = {0.4f, 0.0f}; /* 0.1 after the division: not clipped */
    step(&rig, 0.5, small, 1);
    ck_assert_float_eq_tol(rig.optimizer->state.w[0], -0.35f, 1e-6f);
    rig_free(&rig);
}
END_TEST

/* A gradient that stays the same has m/(1-beta1^t) = g and s/(1-beta2^t) = g^2 in every step, so w
 * moves by lr each time: within float32's rounding, as PyTorch's does. */
START_TEST(adam_corrects_its_bias)
{
    static const double betas[][2] = {{0.9, 0.999}, {0.5, 0.99999}, {1 - 1e-9, 1 - 1e-9}};
    struct rig rig = {0};
    rig.layer[0] = (struct ock_layer_spec){.type = OCK_LINEAR, .units = 1};
    rig.spec.layer_count = 1;
    rig.spec.optimizer = (struct ock_optimizer_spec){
        .name = OCK_ADAM, .beta1 = betas[_i][0], .beta2 = betas[_i][1], .eps = 1e-30};
    rig_make(&rig, 1);
    const float g = 4 * 0.5f;
    for (uint64_t t = 0; t < 50; t++) {
        float before = rig.optimizer->state.w[0];
        float tolerance = t == 0 ? 3e-7f : 4e-6f;
        step(&rig, 1, &g, t);
        ck_assert_float_eq_tol(before - rig.optimizer->state.w[0], 1.0f, tolerance);
    }
    rig_free(&rig);
}
END_TEST

/* Decoupled: w *= 1 - lr (weight_decay + 2 lambda) first, then the step. 2 (1 - 0.1 (0.5 + 0.2)) =
 * 1.86, minus 0.1. */
START_TEST(decoupled_decay_by_hand)
{
    struct rig rig = {0};
    rig.layer[0] = (struct ock_layer_spec){.type = OCK_LINEAR, .units = 1, .l2 = 0.1};
    rig.spec.layer_count = 1;
    rig.spec.optimizer.decoupled = true;
    rig.spec.optimizer.weight_decay = 0.5;
    rig_make(&rig, 1);
    rig.optimizer->state.w[0] = 2;
    const float g = 4;
    step(&rig, 0.1, &g, 0);
    ck_assert_float_eq_tol(rig.optimizer->state.w[0], 1.76f, 1e-6f);
    rig_free(&rig);
}
END_TEST

/* Only hidden layers are projected: the first of two, unit by unit, to norm 1. */
START_TEST(max_norm_by_hand)
{
    struct rig rig = {0};
    rig.layer[0] = (struct ock_layer_spec){.type = OCK_LINEAR, .units = 2};
    rig.layer[1] = (struct ock_layer_spec){.type = OCK_LINEAR, .units = 1};
    rig.spec.layer_count = 2;
    rig_make(&rig, 2);
    float w[6] = {3, 4, 0.3f, 0.4f, 30, 40};
    ock_max_norm(&rig.plan, ock_kernels_get(NULL), &rig.team, 1, w);
    static const float wanted[6] = {0.6f, 0.8f, 0.3f, 0.4f, 30, 40};
    for (size_t i = 0; i < 6; i++)
        ck_assert_float_eq_tol(w[i], wanted[i], 1e-6f);
    rig_free(&rig);
}
END_TEST

/* A gradient that is not finite is noticed, wherever it is. */
START_TEST(nonfinite_is_noticed)
{
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    struct rig rig = {0};
    rig.layer[0] = (struct ock_layer_spec){.type = OCK_LINEAR, .units = 1};
    rig.spec.layer_count = 1;
    rig.spec.optimizer.clip_norm = _i / 3;
    rig_make(&rig, 37);
    for (size_t place = 0; place < 37; place++) {
        float g[37] = {0};
        g[place] = bad[_i % 3];
        struct ock_sink sink = ock_optimizer_sink(rig.optimizer);
        ock_optimizer_begin(rig.optimizer, 0.1, 4, 0);
        sink.take(sink.ctx, 0, 37, g);
        ck_assert(!ock_optimizer_end(rig.optimizer));
        memset(rig.optimizer->state.w, 0, 37 * sizeof(float));
    }
    rig_free(&rig);
}
END_TEST

/* Weights (1, -2, 0, 0.0005) with l1 0.5, l2 0.25; bias (4) is left out of the penalty. */
START_TEST(weight_report_by_hand)
{
    struct ock_group groups[2] = {{.begin = 0, .count = 4, .l1 = 0.5, .l2 = 0.25},
                                  {.begin = 4, .count = 1, .bias = true}};
    const float w[5] = {1, -2, 0, 0.0005f, 4};
    struct ock_weight_report report;
    ock_weights_report(&report, groups, 2, w);
    ck_assert_double_eq_tol(report.penalty_l1, 0.5 * 3.0005, 1e-7);
    ck_assert_double_eq_tol(report.penalty_l2, 0.25 * 5.00000025, 1e-7);
    ck_assert_double_eq_tol(report.l1_norm, 7.0005, 1e-6);
    ck_assert_double_eq_tol(report.l2_norm, sqrt(21.00000025), 1e-6);
    ck_assert_uint_eq(report.zeros, 1);
    ck_assert_uint_eq(report.near_zeros, 2); /* below 4e-3 */
    ck_assert_uint_eq(report.count, 5);
}
END_TEST

START_TEST(schedules_by_their_formulas)
{
    struct ock_plateau plateau = {0};
    struct ock_schedule_place place = {
        .epoch = 21, .step = 200, .steps_total = 400, .steps_per_epoch = 10};
    struct ock_schedule_spec step_spec = {.name = OCK_STEP, .every = 10, .factor = 0.1};
    struct ock_schedule_spec exponential = {.name = OCK_EXPONENTIAL, .factor = 0.5};
    struct ock_schedule_spec cosine = {.name = OCK_COSINE, .min = 0.01};
    struct ock_schedule_spec warmup = {.name = OCK_CONSTANT, .warmup_epochs = 2};
    ck_assert_double_eq_tol(ock_schedule_lr(&step_spec, 0.3, &plateau, &place), 0.003, 1e-15);
    ck_assert_double_eq_tol(ock_schedule_lr(&exponential, 0.3, &plateau, &place),
                            0.3 * pow(0.5, 20), 1e-15);
    ck_assert_double_eq_tol(ock_schedule_lr(&cosine, 0.3, &plateau, &place), 0.155, 1e-15);
    for (uint64_t t = 0; t < 400; t += 7) {
        place.step = t;
        double wanted = 0.01 + 0.29 * 0.5 * (1 + cos(acos(-1) * (double)t / 400));
        ck_assert_double_eq_tol(ock_schedule_lr(&cosine, 0.3, &plateau, &place), wanted, 1e-14);
    }
    place.step = 0;
    ck_assert_double_eq_tol(ock_schedule_lr(&warmup, 0.3, &plateau, &place), 0.3 / 20, 1e-15);
    place.step = 19;
    ck_assert_double_eq_tol(ock_schedule_lr(&warmup, 0.3, &plateau, &place), 0.3, 1e-15);
    place.step = 30;
    ck_assert_double_eq_tol(ock_schedule_lr(&warmup, 0.3, &plateau, &place), 0.3, 1e-15);
}
END_TEST

/* patience 1: the second epoch in a row without a new least loss halves the rate. */
START_TEST(plateau_by_hand)
{
    static const double losses[] = {3, 2, 2.5, 2, 1, 1.5, 1.5, 1.5};
    static const double factors[] = {1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25};
    struct ock_schedule_spec spec = {.name = OCK_PLATEAU, .factor = 0.5, .patience = 1};
    struct ock_plateau plateau = {0};
    struct ock_schedule_place place = {.epoch = 1};
    for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++) {
        ock_plateau_observe(&spec, &plateau, losses[i]);
        ck_assert_double_eq(ock_schedule_lr(&spec, 8, &plateau, &place), 8 * factors[i]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("optimizer");
    TCase *all = tcase_create("optimizer");
    tcase_add_loop_test(all, scalar_check_of_the_spec, 0, 2);
    tcase_add_test(all, clip_norm_by_hand);
    tcase_add_loop_test(all, adam_corrects_its_bias, 0, 3);
    tcase_add_test(all, decoupled_decay_by_hand);
    tcase_add_test(all, max_norm_by_hand);
    tcase_add_loop_test(all, nonfinite_is_noticed, 0, 6);
    tcase_add_test(all, weight_report_by_hand);
    tcase_add_test(all, schedules_by_their_formulas);
    tcase_add_test(all, plateau_by_hand);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
