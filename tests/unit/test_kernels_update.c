/* The shared update: SPEC.md's scalar check, each rule against its formula in double, the L1
 * methods by hand, and equal bits for every family and every cut.
 *
 * One rule for all: the reference and the vectors are held against the same expectations. */
#include <float.h>
#include <math.h>

#include "tests/unit/kernels_common.h"

static struct ock_update plain(float lr)
{
    return (struct ock_update){.grad_scale = 1.0f,
                               .lr = lr,
                               .keep = 1.0f,
                               .bias1 = 1.0f,
                               .bias2_sqrt = 1.0f,
                               .beta1 = 0.9f,
                               .beta2 = 0.999f,
                               .eps = 1e-8f};
}

/* w = 0.1, gradient 0.5, lr 0.1, momentum 0.9, lambda 0.01, alpha 0.02, four steps. */
static void check_scalar(const struct ock_kernels *kernels, enum ock_l1_method method,
                         const double *want)
{
    float w = 0.1f, g = 0.5f, v = NAN;
    struct ock_update u = plain(0.1f);
    u.l1_method = method;
    u.momentum = 0.9f;
    u.l1 = 0.02f;
    u.l2 = 0.01f;
    u.w = &w;
    u.g = &g;
    u.v = &v;
    for (int step = 0; step < 4; step++) {
        u.first_step = step == 0;
        ck_assert(kernels->update(&u, 0, 1));
        ck_assert_double_eq_tol((double)w, want[step], 1e-7);
    }
}

START_TEST(spec_scalar_check)
{
    static const double subgradient[] = {0.0478, -0.0512756, -0.1883410888, -0.359323346542};
    static const double proximal[] = {0.0478, -0.0472756, -0.1807490888, -0.34851373054};
    const struct ock_kernels *kernels = family_of(_i);
    if (!kernels)
        return;
    check_scalar(kernels, OCK_SUBGRADIENT, subgradient);
    check_scalar(kernels, OCK_PROXIMAL, proximal);
}
END_TEST

/* lr 0.5, alpha 0.5 (u grows by 0.25), gradients 0, w = 1, -0.3, 0.1, 0:
 * step 1, u = 0.25: w = 0.75, -0.05, 0, 0; q = -0.25, 0.25, -0.1, 0.
 * step 2, u = 0.5, gradients 0.4, 0, -1, 0.1: z = 0.55, -0.05, 0.5, -0.05;
 *   0.55 - (0.5 - 0.25) = 0.3; -0.05 + (0.5 - 0.25) > 0: 0; 0.5 - (0.5 - 0.1) = 0.1;
 *   -0.05 + (0.5 - 0) > 0: 0. */
START_TEST(cumulative_by_hand)
{
    const struct ock_kernels *kernels = family_of(_i);
    if (!kernels)
        return;
    float w[] = {1.0f, -0.3f, 0.1f, 0.0f};
    double q[] = {0, 0, 0, 0};
    const float none[] = {0, 0, 0, 0};
    const float some[] = {0.4f, 0, -1, 0.1f};
    struct ock_update u = plain(0.5f);
    u.l1_method = OCK_CUMULATIVE;
    u.l1 = 0.5f;
    u.w = w;
    u.q = q;
    u.g = none;
    u.l1_total = 0.25;
    ck_assert(kernels->update(&u, 0, 4));
    static const double first[] = {0.75, -0.05, 0, 0};
    static const double first_q[] = {-0.25, 0.25, -0.1, 0};
    for (int i = 0; i < 4; i++) {
        ck_assert_double_eq_tol((double)w[i], first[i], 1e-7);
        ck_assert_double_eq_tol(q[i], first_q[i], 1e-7);
    }
    u.g = some;
    u.l1_total = 0.5;
    ck_assert(kernels->update(&u, 0, 4));
    static const double second[] = {0.3, 0, 0.1, 0};
    static const double second_q[] = {-0.5, 0.3, -0.5, 0.05};
    for (int i = 0; i < 4; i++) {
        ck_assert_double_eq_tol((double)w[i], second[i], 1e-7);
        ck_assert_double_eq_tol(q[i], second_q[i], 1e-7);
    }
}
END_TEST

/* PyTorch's Adam in double, 50 steps on a gradient that changes sign. */
static void adam_double(int step, double g, double wd, double keep, double *w, double *m, double *s)
{
    *w *= keep;
    g += wd * *w;
    *m = 0.9 * *m + 0.1 * g;
    *s = 0.999 * *s + 0.001 * g * g;
    const double bias1 = 1 - pow(0.9, step);
    const double root = sqrt(*s) / sqrt(1 - pow(0.999, step)) + 1e-8;
    *w -= 0.01 / bias1 * (*m / root);
}

static void check_adam(const struct ock_kernels *kernels, enum ock_rule rule, float wd, float keep)
{
    float w = 0.3f, m = 0.0f, s = 0.0f;
    double want = (double)w, want_m = 0, want_s = 0;
    for (int step = 1; step <= 50; step++) {
        const float g = (float)((step * 7) % 11) * 0.1f - 0.35f;
        struct ock_update u = plain(0.01f);
        u.rule = rule;
        u.weight_decay = wd;
        u.keep = keep;
        u.bias1 = (float)(1 - pow(0.9, step));
        u.bias2_sqrt = (float)sqrt(1 - pow(0.999, step));
        u.w = &w;
        u.g = &g;
        u.v = &m;
        u.s = &s;
        ck_assert(kernels->update(&u, 0, 1));
        adam_double(step, (double)g, (double)wd, (double)keep, &want, &want_m, &want_s);
        ck_assert_double_eq_tol((double)w, want, 2e-6);
    }
}

START_TEST(adam_against_double)
{
    const struct ock_kernels *kernels = family_of(_i);
    if (!kernels)
        return;
    check_adam(kernels, OCK_ADAM, 0.0f, 1.0f);
    check_adam(kernels, OCK_ADAM, 0.1f, 1.0f);
    check_adam(kernels, OCK_ADAMW, 0.0f, 1.0f - 0.01f * 0.1f);
}
END_TEST

/* The first step has m/(1-beta1) = g and sqrt(s)/bias2_sqrt = |g|: w moves by lr, and what is left
 * is pulled to zero by lr*alpha/(|g| + eps): 0.3 - 0.01 - 0.01*0.2/0.5 = 0.286. */
START_TEST(adam_proximal_by_hand)
{
    const struct ock_kernels *kernels = family_of(_i);
    if (!kernels)
        return;
    float w[] = {0.3f, -0.003f, 0.012f}, m[3] = {0}, s[3] = {0};
    const float g[] = {0.5f, -0.5f, 0.5f};
    struct ock_update u = plain(0.01f);
    u.rule = OCK_ADAM;
    u.l1_method = OCK_PROXIMAL;
    u.l1 = 0.2f;
    u.bias1 = 0.1f;
    u.bias2_sqrt = sqrtf(0.001f);
    u.w = w;
    u.g = g;
    u.v = m;
    u.s = s;
    ck_assert(kernels->update(&u, 0, 3));
    ck_assert_double_eq_tol((double)w[0], 0.286, 1e-6);
    ck_assert_double_eq_tol((double)w[1], 0.003, 1e-6); /* -0.003 + 0.01 - 0.004 */
    ck_assert(w[2] == 0.0f);                            /* 0.002 is below 0.004 */
}
END_TEST

/* An update of every kind, with its memory. */
enum { COUNT = 101, KINDS = 2 * 2 * 4 * 3 * 2, KIND_GROUPS = 12 };

struct state {
    float w[COUNT], g[COUNT], v[COUNT], s[COUNT];
    double q[COUNT];
};

static void state_fill(struct state *state)
{
    memset(state, 0, sizeof *state);
    test_fill(state->w, COUNT, 21);
    test_fill(state->g, COUNT, 22);
    test_fill(state->v, COUNT, 23);
    test_fill(state->s, COUNT, 24);
    for (size_t i = 0; i < COUNT; i++) {
        state->s[i] = fabsf(state->s[i]);
        state->q[i] = (double)(state->v[i] * 0.1f);
        if (i % 7 == 0)
            state->w[i] = i % 2 ? 0.0f : -0.0f;
        if (i % 5 == 0)
            state->g[i] *= 0.001f;
    }
}

static struct ock_update kind_make(int kind, struct state *state)
{
    struct ock_update u = plain(0.05f);
    u.grad_scale = 1.0f / 32.0f;
    u.first_step = kind % 2;
    u.nesterov = kind / 2 % 2;
    u.rule = kind / 4 % 4 < 2 ? OCK_SGD : kind / 4 % 4 == 2 ? OCK_ADAM : OCK_ADAMW;
    u.momentum = kind / 4 % 4 == 1 ? 0.9f : 0.0f;
    u.l1_method = (enum ock_l1_method)(kind / 16 % 3);
    u.l1 = kind / 48 % 2 ? 0.3f : 0.0f;
    u.l2 = 0.01f;
    u.weight_decay = 0.003f;
    u.keep = u.rule == OCK_ADAMW ? 0.99f : 1.0f;
    u.bias1 = 0.271f;
    u.bias2_sqrt = 0.0547f;
    u.l1_total = (double)u.l1 * 0.15;
    u.w = state->w;
    u.g = state->g;
    u.v = u.rule == OCK_SGD && u.momentum == 0.0f ? NULL : state->v;
    u.s = u.rule == OCK_SGD ? NULL : state->s;
    u.q = u.l1_method == OCK_CUMULATIVE ? state->q : NULL;
    return u;
}

static void check_same_bits(const struct ock_kernels *kernels, int kind)
{
    static const size_t cuts[][2] = {{COUNT, COUNT}, {1, 1}, {3, 8}, {16, 37}};
    struct state want, got;
    for (size_t cut = 0; cut < sizeof cuts / sizeof cuts[0]; cut++) {
        state_fill(&want);
        state_fill(&got);
        struct ock_update truth = kind_make(kind, &want);
        struct ock_update u = kind_make(kind, &got);
        const struct ock_kernels *reference = ock_kernels_get(kernels->fused ? "reference" : "v2");
        require(reference->update(&truth, 0, COUNT));
        for (size_t begin = 0, turn = 0; begin < COUNT; turn++) {
            const size_t size = cuts[cut][turn % 2];
            const size_t end = begin + size < COUNT ? begin + size : COUNT;
            require(kernels->update(&u, begin, end));
            begin = end;
        }
        ck_assert_msg(memcmp(&got, &want, sizeof want) == 0, "kind %d, cut %zu", kind, cut);
    }
}

/* Loop index: a family and some of the kinds; a process for each kind took longer than the tests. */
START_TEST(update_is_the_same_bits_for_every_family_and_cut)
{
    const struct ock_kernels *kernels = family_of(_i / KIND_GROUPS);
    if (!kernels)
        return;
    for (int kind = _i % KIND_GROUPS; kind < KINDS; kind += KIND_GROUPS)
        check_same_bits(kernels, kind);
}
END_TEST

static void check_arrays(const struct ock_kernels *kernels, int kind)
{
    struct state state;
    state_fill(&state);
    for (size_t n = 1; n <= 33; n++) {
        struct ock_update u = kind_make(kind, &state);
        u.w = test_guarded(n, 1);
        u.g = test_guarded(n, 2);
        u.v = u.v ? test_guarded(n, 3) : NULL;
        u.s = u.s ? test_guarded(n, 4) : NULL;
        for (size_t i = 0; u.s && i < n; i++)
            u.s[i] = fabsf(u.s[i]);
        if (u.q) {
            u.q = (double *)(void *)test_guarded(2 * n, 5);
            memset(u.q, 0, n * sizeof *u.q);
        }
        require(kernels->update(&u, 0, n));
    }
}

START_TEST(update_touches_nothing_outside_of_its_arrays)
{
    const struct ock_kernels *kernels = family_of(_i / KIND_GROUPS);
    if (!kernels)
        return;
    for (int kind = _i % KIND_GROUPS; kind < KINDS; kind += KIND_GROUPS)
        check_arrays(kernels, kind);
}
END_TEST

/* Without alpha, proximal is SGD to the bit; l2 = weight_decay/2 is the same run. */
START_TEST(equal_settings_give_equal_bits)
{
    const struct ock_kernels *kernels = family_of(_i);
    if (!kernels)
        return;
    struct state a, b;
    state_fill(&a);
    state_fill(&b);
    struct ock_update one = kind_make(4, &a);
    struct ock_update two = kind_make(4, &b);
    ck_assert(one.momentum > 0.0f && one.l1 == 0.0f);
    two.l1_method = OCK_PROXIMAL;
    one.l2 = 0.0f;
    one.weight_decay = 0.0123f;
    two.l2 = 0.0123f / 2.0f;
    two.weight_decay = 0.0f;
    for (int step = 0; step < 3; step++) {
        kernels->update(&one, 0, COUNT);
        kernels->update(&two, 0, COUNT);
    }
    ck_assert_mem_eq(&a, &b, sizeof a);
}
END_TEST

/* A warm-up may begin with lr 0: nothing moves and nothing becomes NaN. */
START_TEST(proximal_with_lr_zero_stays)
{
    const struct ock_kernels *kernels = family_of(_i);
    if (!kernels)
        return;
    float w[] = {0.0f, 0.5f, -0.5f}, v[3];
    const float g[] = {1.0f, 1.0f, 1.0f};
    struct ock_update u = plain(0.0f);
    u.l1_method = OCK_PROXIMAL;
    u.l1 = 0.25f;
    u.momentum = 0.9f;
    u.first_step = true;
    u.w = w;
    u.g = g;
    u.v = v;
    ck_assert(kernels->update(&u, 0, 3));
    static const float want[] = {0.0f, 0.5f, -0.5f}, want_v[] = {1.0f, 1.25f, 0.75f};
    ck_assert_mem_eq(w, want, sizeof w);
    ck_assert_mem_eq(v, want_v, sizeof v);
}
END_TEST

static bool finite_with(const struct ock_kernels *kernels, size_t at, float w, float g, size_t end)
{
    float weights[COUNT], gradients[COUNT];
    test_fill(weights, COUNT, 1);
    test_fill(gradients, COUNT, 2);
    weights[at] = w;
    gradients[at] = g;
    struct ock_update u = plain(0.1f);
    u.w = weights;
    u.g = gradients;
    return kernels->update(&u, 0, end);
}

START_TEST(what_is_not_finite_is_told)
{
    const struct ock_kernels *kernels = family_of(_i);
    if (!kernels)
        return;
    for (size_t at = 0; at < COUNT; at++) {
        ck_assert(finite_with(kernels, at, 1.0f, 1.0f, COUNT));
        ck_assert(!finite_with(kernels, at, NAN, 1.0f, COUNT));
        ck_assert(!finite_with(kernels, at, 1.0f, NAN, COUNT));
        ck_assert(!finite_with(kernels, at, 1.0f, -INFINITY, at + 1));
        ck_assert(!finite_with(kernels, at, FLT_MAX, -FLT_MAX, at + 1));
        ck_assert(finite_with(kernels, at, NAN, NAN, at)); /* behind the end */
    }
    /* eps 0 and no gradient: 0/0 in the last vector's unused lanes is nobody's. */
    float w[3] = {1, 1, 1}, v[3] = {0}, s[3] = {1, 1, 1};
    const float g[3] = {1, 1, 1};
    struct ock_update u = plain(0.1f);
    u.rule = OCK_ADAM;
    u.eps = 0.0f;
    u.w = w;
    u.g = g;
    u.v = v;
    u.s = s;
    ck_assert(kernels->update(&u, 0, 3));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kernels: update");
    TCase *tests = tcase_create("update");
    tcase_add_loop_test(tests, spec_scalar_check, 0, FAMILY_COUNT);
    tcase_add_loop_test(tests, cumulative_by_hand, 0, FAMILY_COUNT);
    tcase_add_loop_test(tests, adam_against_double, 0, FAMILY_COUNT);
    tcase_add_loop_test(tests, adam_proximal_by_hand, 0, FAMILY_COUNT);
    tcase_add_loop_test(tests, update_is_the_same_bits_for_every_family_and_cut, 0,
                        FAMILY_COUNT * KIND_GROUPS);
    tcase_add_loop_test(tests, update_touches_nothing_outside_of_its_arrays, 0,
                        FAMILY_COUNT * KIND_GROUPS);
    tcase_add_loop_test(tests, equal_settings_give_equal_bits, 0, FAMILY_COUNT);
    tcase_add_loop_test(tests, proximal_with_lr_zero_stays, 0, FAMILY_COUNT);
    tcase_add_loop_test(tests, what_is_not_finite_is_told, 0, FAMILY_COUNT);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
