/* Our matrix products against OpenBLAS on the products of five networks, one thread each.
 *
 * Method: for every layer of every network the forward product, the gradient of the inputs and that
 * of the weights, with the layouts that training has. The contenders take turns within each round,
 * so that a change of the processor's pace meets all of them; each turn repeats small products to
 * last at least 20 us. Ratios are OpenBLAS's time over ours (above 1: we are faster), of the minima
 * and of the medians. "packed" counts pack() and product(), "plain" is product() alone on an
 * unpacked B.
 *
 *   bench_gemm [family…]   default: v3 v4 */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/kernels/kernels.h"

enum { ROUNDS_MAX = 400, ROUNDS_MIN = 15, CONTENDERS_MAX = 9, LAYERS_MAX = 4 };
static const double turn_s = 20e-6, shape_s = 0.6;

enum kind { FORWARD, INPUT_GRADIENT, WEIGHT_GRADIENT };
static const char *const kind_names[] = {"y", "dx", "dW"};

struct network {
    size_t batch;
    size_t units[LAYERS_MAX + 1]; /* inputs, then each layer's outputs, 0 ends */
};

static const struct network networks[] = {
    {32, {20, 2}},
    {32, {64, 32, 10}},
    {128, {784, 256, 128, 10}},
    {128, {784, 1024, 1024, 10}},
    {256, {3072, 2048, 2048, 10}},
};

struct shape {
    size_t M, N, K;
    bool a_transposed, b_transposed;
};

static struct shape shape_make(enum kind kind, size_t batch, size_t in, size_t out)
{
    switch (kind) {
    case FORWARD:
        return (struct shape){batch, out, in, false, true};
    case INPUT_GRADIENT:
        return (struct shape){batch, in, out, false, false};
    case WEIGHT_GRADIENT:
        break;
    }
    return (struct shape){out, in, batch, true, false};
}

struct race {
    struct shape shape;
    struct ock_product product;
    float *A, *B, *C, *packed, *scratch;
    size_t repeats; /* products a turn */
    size_t rounds;
};

struct contender {
    const struct ock_kernels *kernels; /* NULL: OpenBLAS */
    bool packed;
    double seconds[ROUNDS_MAX]; /* of a product, a round each */
};

static float *filled(size_t count)
{
    float *x = aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64);
    if (!x) {
        fputs("bench_gemm: out of memory\n", stderr);
        exit(EXIT_FAILURE);
    }
    for (size_t i = 0; i < count; i++)
        x[i] = (float)(i * 2654435761u % 1000) * 1e-3f - 0.5f;
    return x;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void run_openblas(const struct race *race)
{
    const struct shape *s = &race->shape;
    cblas_sgemm(CblasRowMajor, s->a_transposed ? CblasTrans : CblasNoTrans,
                s->b_transposed ? CblasTrans : CblasNoTrans, (int)s->M, (int)s->N, (int)s->K, 1.0f,
                race->A, (int)(s->a_transposed ? s->M : s->K), race->B,
                (int)(s->b_transposed ? s->K : s->N), 0.0f, race->C, (int)s->N);
}

static void run_ours(const struct race *race, const struct ock_kernels *kernels, bool packed)
{
    struct ock_product p = race->product;
    if (packed) {
        const size_t panels = (p.N + kernels->panel_columns - 1) / kernels->panel_columns;
        kernels->pack(race->packed, p.B, p.b_row, p.b_col, p.K, p.N, 0, panels);
        p.packed = race->packed;
    }
    kernels->product(&p, 0, p.M, 0, p.N, race->scratch);
}

static double turn(const struct race *race, const struct contender *contender)
{
    const double begin = now();
    for (size_t i = 0; i < race->repeats; i++) {
        if (contender->kernels)
            run_ours(race, contender->kernels, contender->packed);
        else
            run_openblas(race);
    }
    return (now() - begin) / (double)race->repeats;
}

static struct race race_make(struct shape s, size_t scratch_floats)
{
    struct race race = {
        .shape = s,
        .A = filled(s.M * s.K),
        .B = filled(s.K * s.N),
        .C = filled(s.M * s.N),
        .packed = filled(s.K * (s.N + 64)),
        .scratch = filled(scratch_floats),
        .repeats = 1,
        .rounds = 1,
    };
    race.product = (struct ock_product){
        .M = s.M,
        .N = s.N,
        .K = s.K,
        .A = race.A,
        .a_row = s.a_transposed ? 1 : s.K,
        .a_col = s.a_transposed ? s.M : 1,
        .B = race.B,
        .b_row = s.b_transposed ? 1 : s.N,
        .b_col = s.b_transposed ? s.K : 1,
        .C = race.C,
        .c_row = s.N,
    };
    return race;
}

static void race_free(struct race *race)
{
    free(race->A);
    free(race->B);
    free(race->C);
    free(race->packed);
    free(race->scratch);
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void race_run(struct race *race, struct contender *contenders, size_t count)
{
    double once = 0.0;
    for (size_t c = 0; c < count; c++) /* warms up, too */
        once = turn(race, &contenders[c]);
    once = turn(race, &contenders[0]);
    race->repeats = once < turn_s ? (size_t)(turn_s / once) + 1 : 1;
    const double round_s = once * (double)race->repeats * (double)count;
    race->rounds = (size_t)(shape_s / round_s);
    race->rounds = race->rounds > ROUNDS_MAX   ? ROUNDS_MAX
                   : race->rounds < ROUNDS_MIN ? ROUNDS_MIN
                                               : race->rounds;
    for (size_t r = 0; r < race->rounds; r++)
        for (size_t c = 0; c < count; c++)
            contenders[c].seconds[r] = turn(race, &contenders[c]);
    for (size_t c = 0; c < count; c++)
        qsort(contenders[c].seconds, race->rounds, sizeof(double), ascending);
}

static void report(const struct race *race, enum kind kind, const struct contender *contenders,
                   size_t count)
{
    const struct shape *s = &race->shape;
    const double work = 2e-9 * (double)s->M * (double)s->N * (double)s->K;
    const size_t middle = race->rounds / 2;
    const double *blas = contenders[0].seconds;
    printf("%-2s %4zu x %4zu x %4zu | %6.1f", kind_names[kind], s->M, s->N, s->K, work / blas[0]);
    for (size_t c = 1; c < count; c++) {
        const double *ours = contenders[c].seconds;
        printf(" | %6.1f %4.2f %4.2f", work / ours[0], blas[0] / ours[0],
               blas[middle] / ours[middle]);
    }
    putchar('\n');
    fflush(stdout);
}

static void run_network(const struct network *network, struct contender *contenders, size_t count,
                        size_t scratch_floats)
{
    for (size_t layer = 0; layer < LAYERS_MAX && network->units[layer + 1] > 0; layer++)
        for (int kind = FORWARD; kind <= WEIGHT_GRADIENT; kind++) {
            if (kind == INPUT_GRADIENT && layer == 0)
                continue; /* nobody asks for it */
            struct race race =
                race_make(shape_make((enum kind)kind, network->batch, network->units[layer],
                                     network->units[layer + 1]),
                          scratch_floats);
            race_run(&race, contenders, count);
            report(&race, (enum kind)kind, contenders, count);
            race_free(&race);
        }
}

int main(int argc, char **argv)
{
    static const char *const best_families[] = {"v3", "v4"};
    static struct contender contenders[CONTENDERS_MAX];
    size_t count = 1, scratch_floats = 1;
    const size_t families = argc > 1 ? (size_t)argc - 1 : 2;
    ock_kernels_thread_init();
    openblas_set_num_threads(1);
    printf("OpenBLAS: %s, one thread; GF/s, then ratio of minima and of medians\n",
           openblas_get_corename());
    printf("     M      N      K    |  blas ");
    for (size_t i = 0; i < families && count + 2 <= CONTENDERS_MAX; i++) {
        const struct ock_kernels *kernels =
            ock_kernels_get(argc > 1 ? argv[i + 1] : best_families[i]);
        if (!kernels)
            continue;
        contenders[count++] = (struct contender){.kernels = kernels, .packed = true};
        contenders[count++] = (struct contender){.kernels = kernels, .packed = false};
        printf("|   %-4s packed    |   %-4s plain     ", kernels->family, kernels->family);
        if (scratch_floats < kernels->scratch_floats)
            scratch_floats = kernels->scratch_floats;
    }
    putchar('\n');
    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++)
        run_network(&networks[i], contenders, count, scratch_floats);
    return EXIT_SUCCESS;
}
