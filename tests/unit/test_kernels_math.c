/* Elementwise functions: accuracy against libm in double over all of float, special values, and
 * the same bits in every family that fuses.
 *
 * Method: bit patterns with an odd stride, so that each power of two and both signs are met many
 * times; then, where a function bends, every float. */
#include <float.h>
#include <math.h>

#include "tests/unit/kernels_common.h"

enum { CHUNK = 1 << 14 };

static float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* Denormals count as zeros everywhere in training. */
static float flushed(float x)
{
    return isfinite(x) && fabsf(x) < FLT_MIN ? 0.0f : x;
}

enum function { EXP, LOG1P, TANH, SIGMOID, GELU, LEAKY, RELU, FUNCTION_COUNT };

static void apply(const struct ock_kernels *kernels, enum function f, size_t count, const float *x,
                  float *y)
{
    static const enum ock_activation activation[FUNCTION_COUNT] = {
        [TANH] = OCK_TANH,        [SIGMOID] = OCK_SIGMOID, [GELU] = OCK_GELU,
        [LEAKY] = OCK_LEAKY_RELU, [RELU] = OCK_RELU,
    };
    if (f == EXP)
        kernels->exp(count, x, y);
    else if (f == LOG1P)
        kernels->log1p(count, x, y);
    else
        kernels->activate(activation[f], count, x, y);
}

static double truth(enum function f, double x)
{
    switch (f) {
    case EXP:
        return exp(x);
    case LOG1P:
        return log1p(x);
    case TANH:
        return tanh(x);
    case SIGMOID:
        return 1.0 / (1.0 + exp(-x));
    case GELU:
        return x * 0.5 * erfc(-x * M_SQRT1_2);
    case LEAKY:
        return x > 0 ? x : (double)0.01f * x;
    case RELU:
        return x <= 0 ? 0 : x;
    case FUNCTION_COUNT:
        break;
    }
    return (double)NAN;
}

/* |y - want| in units of the last place of want as a float; normal results only. */
static double ulps(float y, double want)
{
    int exponent;
    frexp(want, &exponent);
    return fabs((double)y - want) / ldexp(1.0, exponent - 24);
}

/* The worst error over a chunk of results whose truth is a normal float. */
static double worst_of(enum function f, size_t count, const float *x, const float *y, float *where)
{
    double worst = 0.0;
    for (size_t i = 0; i < count; i++) {
        const double want = truth(f, (double)flushed(x[i]));
        if (isnan(want)) {
            require(isnan(y[i]));
            continue;
        }
        if (fabs(want) > (double)FLT_MAX * (1 - 0x1p-24)) {
            require(fabs((double)y[i]) >= (double)FLT_MAX * (1 - 0x1p-22));
            continue;
        }
        if (fabs(want) < 16 * (double)FLT_MIN) { /* it, or a factor of it, may be flushed */
            require(fabs((double)y[i]) <= 16.01 * (double)FLT_MIN);
            continue;
        }
        const double error = ulps(y[i], want);
        if (!(error <= worst)) {
            worst = error;
            *where = x[i];
        }
    }
    return worst;
}

struct bound {
    enum function function;
    const char *name;
    double fused, plain; /* ulp: with fused multiply-add, and for v2 */
};

static const struct bound bounds[] = {
    {EXP, "exp", 2, 2},         {LOG1P, "log1p", 3, 3}, {TANH, "tanh", 4, 4},
    {SIGMOID, "sigmoid", 4, 4}, {GELU, "gelu", 4, 6},   {LEAKY, "leaky_relu", 1, 1},
    {RELU, "relu", 0, 0},
};
enum { BOUND_COUNT = sizeof bounds / sizeof bounds[0] };

START_TEST(functions_are_accurate_over_all_floats)
{
    const struct ock_kernels *kernels = family_of(_i / BOUND_COUNT);
    if (!kernels)
        return;
    const struct bound *bound = &bounds[_i % BOUND_COUNT];
    float *x = test_alloc(CHUNK, sizeof *x);
    float *y = test_alloc(CHUNK, sizeof *y);
    double worst = 0.0;
    float where = 0.0f;
    const uint64_t stride = 4057 * OCK_TEST_STRIDE;
    for (uint64_t bits = 0; bits <= UINT32_MAX;) {
        size_t count = 0;
        for (; count < CHUNK && bits <= UINT32_MAX; bits += stride)
            x[count++] = float_of((uint32_t)bits);
        apply(kernels, bound->function, count, x, y);
        float here = 0.0f;
        const double error = worst_of(bound->function, count, x, y, &here);
        if (error > worst) {
            worst = error;
            where = here;
        }
    }
    ck_assert_msg(worst <= (kernels->fused ? bound->fused : bound->plain), "%s %s: %.2f ulp at %a",
                  kernels->family, bound->name, worst, (double)where);
    free(x);
    free(y);
}
END_TEST

static void back(const struct ock_kernels *kernels, enum ock_activation activation, size_t count,
                 const float *x, float *dx)
{
    float *y = test_alloc(count, sizeof *y);
    float *dy = test_floats(count, 11);
    kernels->activate(activation, count, x, y);
    kernels->activate_back(activation, count, x, y, dy, dx);
    free(y);
    free(dy);
}

/* Equal bits, or both NaN. */
static void check_same(const char *what, size_t count, const float *x, const float *a,
                       const float *b)
{
    for (size_t i = 0; i < count; i++) {
        const bool same = bits_of(a[i]) == bits_of(b[i]) || (isnan(a[i]) && isnan(b[i]));
        if (!same)
            ck_abort_msg("%s(%a): %a and %a", what, (double)x[i], (double)a[i], (double)b[i]);
    }
}

/* All of float by a stride, at every place within a vector, in pieces of odd length. */
START_TEST(functions_are_the_same_bits_as_the_reference)
{
    const struct ock_kernels *kernels = family_of(_i);
    const struct ock_kernels *reference = ock_kernels_get("reference");
    if (!kernels || !reference || !kernels->fused)
        return;
    enum { COUNT = 1037 };
    float x[COUNT], a[COUNT], b[COUNT];
    uint64_t bits = 0;
    while (bits <= UINT32_MAX) {
        for (size_t i = 0; i < COUNT; i++) {
            x[i] = float_of((uint32_t)bits);
            bits += 60013 * OCK_TEST_STRIDE;
        }
        for (int f = 0; f < FUNCTION_COUNT; f++) {
            apply(kernels, (enum function)f, COUNT, x, a);
            apply(reference, (enum function)f, COUNT, x, b);
            check_same(bounds[f].name, COUNT, x, a, b);
        }
        for (int act = 0; act < OCK_ACTIVATION_COUNT; act++) {
            back(kernels, (enum ock_activation)act, COUNT, x, a);
            back(reference, (enum ock_activation)act, COUNT, x, b);
            check_same("derivative", COUNT, x, a, b);
        }
    }
}
END_TEST

/* One element alone, and in place, as in a vector: every family with itself. */
START_TEST(functions_do_not_depend_on_the_place)
{
    const struct ock_kernels *kernels = family_of(_i);
    if (!kernels)
        return;
    enum { COUNT = 67 };
    float x[COUNT], all[COUNT], one[COUNT];
    test_fill(x, COUNT, 5);
    for (size_t i = 0; i < COUNT; i++)
        x[i] *= i % 2 ? 8.0f : 0.9f;
    for (int f = 0; f < FUNCTION_COUNT; f++) {
        apply(kernels, (enum function)f, COUNT, x, all);
        for (size_t i = 0; i < COUNT; i++)
            apply(kernels, (enum function)f, 1, x + i, one + i);
        ck_assert_mem_eq(all, one, sizeof all);
        if (f == EXP || f == LOG1P || f == RELU) {
            memcpy(one, x, sizeof x);
            apply(kernels, (enum function)f, COUNT, one, one);
            ck_assert(f == LOG1P || memcmp(all, one, sizeof all) == 0);
        }
        for (size_t n = 0; n < COUNT; n++) { /* nothing behind the n-th is written */
            memset(one, 0x7e, sizeof one);
            apply(kernels, (enum function)f, n, x, one);
            ck_assert(n == 0 || memcmp(all, one, n * sizeof(float)) == 0);
            ck_assert_uint_eq(bits_of(one[n]), 0x7e7e7e7e);
        }
    }
}
END_TEST

/* Arrays of every short length before a page that must not be touched. */
START_TEST(functions_touch_nothing_outside_of_their_arrays)
{
    const struct ock_kernels *kernels = family_of(_i);
    if (!kernels)
        return;
    for (size_t n = 1; n <= 35; n++) {
        float *x = test_guarded(n, 1), *y = test_guarded(n, 2), *dy = test_guarded(n, 3);
        for (int f = 0; f < FUNCTION_COUNT; f++)
            apply(kernels, (enum function)f, n, x, y);
        for (int act = 0; act < OCK_ACTIVATION_COUNT; act++)
            kernels->activate_back((enum ock_activation)act, n, x, y, dy, dy);
        kernels->add(n, x, y);
        kernels->multiply(n, x, dy, y);
        kernels->sum_rows(x, n, 1, 0, n, y);
        ck_assert_mem_eq(x, y, n * sizeof(float));
        ck_assert(kernels->sum_squares(n, x) > 0.0);
        kernels->dropout_mask(ock_stream_make(1, OCK_RANDOM_DROPOUT, 0, 0), n, n, 0.5f, y);
        for (size_t i = 0; i < n; i++)
            ck_assert(y[i] == 0.0f || y[i] == 2.0f);
    }
}
END_TEST

struct special {
    enum function function;
    float x, y;
};

static const struct special specials[] = {
    {EXP, INFINITY, INFINITY},
    {EXP, -INFINITY, 0},
    {EXP, 0, 1},
    {EXP, -0.0f, 1},
    {EXP, 89, INFINITY},
    {EXP, -88, 0},
    {EXP, 1e30f, INFINITY},
    {EXP, -1e30f, 0},
    {LOG1P, INFINITY, INFINITY},
    {LOG1P, 0, 0},
    {LOG1P, -1, -INFINITY},
    {LOG1P, -2, NAN},
    {LOG1P, -INFINITY, NAN},
    {TANH, INFINITY, 1},
    {TANH, -INFINITY, -1},
    {TANH, 0, 0},
    {TANH, 20, 1},
    {TANH, -1e30f, -1},
    {SIGMOID, INFINITY, 1},
    {SIGMOID, -INFINITY, 0},
    {SIGMOID, 0, 0.5f},
    {SIGMOID, 200, 1},
    {SIGMOID, -200, 0},
    {GELU, INFINITY, INFINITY},
    {GELU, -INFINITY, 0},
    {GELU, 0, 0},
    {GELU, 1e30f, 1e30f},
    {GELU, -1e30f, 0},
    {LEAKY, INFINITY, INFINITY},
    {LEAKY, -INFINITY, -INFINITY},
    {RELU, INFINITY, INFINITY},
    {RELU, -INFINITY, 0},
    {RELU, -0.0f, 0},
    {EXP, NAN, NAN},
    {LOG1P, NAN, NAN},
    {TANH, NAN, NAN},
    {SIGMOID, NAN, NAN},
    {GELU, NAN, NAN},
    {LEAKY, NAN, NAN},
    {RELU, NAN, NAN},
};

START_TEST(special_values_are_right)
{
    const struct ock_kernels *kernels = family_of(_i);
    if (!kernels)
        return;
    for (size_t i = 0; i < sizeof specials / sizeof specials[0]; i++) {
        const struct special *s = &specials[i];
        float y = -7.0f;
        apply(kernels, s->function, 1, &s->x, &y);
        ck_assert_msg(isnan(s->y) ? isnan(y) : y == s->y, "%s %s(%a) is %a", kernels->family,
                      bounds[s->function].name, (double)s->x, (double)y);
    }
}
END_TEST

/* Every float around exp's two ends, where the exponent is put together by hand. */
START_TEST(exp_is_right_at_its_ends)
{
    const struct ock_kernels *kernels = family_of(_i);
    if (!kernels)
        return;
    static const float ends[] = {88.7f, -87.3f};
    enum { COUNT = 1 << 13 };
    float x[COUNT], y[COUNT];
    for (size_t e = 0; e < 2; e++) {
        for (uint32_t i = 0; i < COUNT; i++)
            x[i] = float_of(bits_of(ends[e]) + i);
        kernels->exp(COUNT, x, y);
        for (size_t i = 0; i < COUNT; i++) {
            const double want = exp((double)x[i]);
            if (want > (double)FLT_MAX)
                require(isinf(y[i]));
            else if (want < (double)FLT_MIN)
                require(y[i] == 0.0f || y[i] == FLT_MIN);
            else if (ulps(y[i], want) > 2)
                ck_abort_msg("exp(%a) is %a", (double)x[i], (double)y[i]);
        }
    }
}
END_TEST

/* act'(x) of each activation, in double. */
static double slope(enum ock_activation activation, double x)
{
    const double s = 1.0 / (1.0 + exp(-x));
    switch (activation) {
    case OCK_RELU:
        return x > 0;
    case OCK_TANH:
        return 1.0 - tanh(x) * tanh(x);
    case OCK_SIGMOID:
        return s * (1.0 - s);
    case OCK_GELU:
        return 0.5 * erfc(-x * M_SQRT1_2) + x * exp(-x * x / 2) / sqrt(2 * M_PI);
    case OCK_LEAKY_RELU:
        return x > 0 ? 1.0 : 0.01;
    case OCK_IDENTITY:
        break;
    }
    return 1.0;
}

START_TEST(derivatives_are_near_the_double_ones)
{
    const struct ock_kernels *kernels = family_of(_i / OCK_ACTIVATION_COUNT);
    if (!kernels)
        return;
    const enum ock_activation activation = (enum ock_activation)(_i % OCK_ACTIVATION_COUNT);
    enum { COUNT = 40001 };
    float *x = test_alloc(COUNT, sizeof *x);
    float *y = test_alloc(COUNT, sizeof *y);
    float *dx = test_floats(COUNT, 3);
    float *dy = test_floats(COUNT, 3);
    for (size_t i = 0; i < COUNT; i++)
        x[i] = ((float)i - 20000) * 1e-3f;
    kernels->activate(activation, COUNT, x, y);
    kernels->activate_back(activation, COUNT, x, y, dx, dx); /* dx may be dy */
    for (size_t i = 0; i < COUNT; i++) {
        const double want = (double)dy[i] * slope(activation, (double)x[i]);
        if (!(fabs((double)dx[i] - want) < 4e-7))
            ck_abort_msg("at %a: %a, not %a", (double)x[i], (double)dx[i], want);
    }
    free(x);
    free(y);
    free(dx);
    free(dy);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kernels: elementwise functions");
    TCase *tests = tcase_create("functions");
    tcase_add_loop_test(tests, functions_are_accurate_over_all_floats, 0,
                        FAMILY_COUNT * BOUND_COUNT);
    tcase_add_loop_test(tests, functions_are_the_same_bits_as_the_reference, 0, FAMILY_COUNT);
    tcase_add_loop_test(tests, functions_do_not_depend_on_the_place, 0, FAMILY_COUNT);
    tcase_add_loop_test(tests, functions_touch_nothing_outside_of_their_arrays, 0, FAMILY_COUNT);
    tcase_add_loop_test(tests, special_values_are_right, 0, FAMILY_COUNT);
    tcase_add_loop_test(tests, exp_is_right_at_its_ends, 0, FAMILY_COUNT);
    tcase_add_loop_test(tests, derivatives_are_near_the_double_ones, 0,
                        FAMILY_COUNT * OCK_ACTIVATION_COUNT);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
