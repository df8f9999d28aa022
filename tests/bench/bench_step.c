/* Time per training step of five networks, with one and two threads, with and without L1+L2, beside
 * the machine's own rate of matrix products in the same run.
 *
 *   bench_step [SECONDS [NETWORK]]      how long each of the 20 cases runs in all (default 1); one
 *                                       network alone, by its name
 *
 * One JSON line a case: {"network", "threads", "penalty", "us_per_step_min", "us_per_step_median",
 * "gflops", "sgemm_gflops", "share"}. A step counts 6 flops a weight and row, 4 in the first layer.
 * sgemm_gflops is the better of OpenBLAS and our kernels on a product of 512 x 512 x 512, as many
 * of them at once as there are threads. Cases take turns, so that a slow minute meets all alike. */
#include <cblas.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/json.h"
#include "core/data/import.h"
#include "core/train/trainer.h"

extern void openblas_set_num_threads(int threads);

enum { NETWORKS = 5, THREADS = 2, VARIANTS = 2, ROUNDS = 15, SIDE = 512 };

struct network {
    const char *name;
    size_t features, classes, batch;
    const char *hidden;
};

static const struct network networks[NETWORKS] = {
    {"20-2", 20, 2, 32, "[]"},
    {"64-32-10", 64, 10, 32, "[32]"},
    {"784-256-128-10", 784, 10, 128, "[256,128]"},
    {"784-1024-1024-10", 784, 10, 128, "[1024,1024]"},
    {"3072-2048-2048-10", 3072, 10, 256, "[2048,2048]"},
};

static void check(enum ock_status status, const struct ock_err *err)
{
    if (status == OCK_OK)
        return;
    (void)fprintf(stderr, "bench_step: %s\n", err->text);
    exit(1);
}

static void put_u32(FILE *file, uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        (void)fputc((int)(value >> shift & 255), file);
}

/* Random rows and labels as two IDX files of the network's size: float32 x, byte y. */
static void write_idx(const struct network *network, size_t rows, const char *x_path,
                      const char *y_path)
{
    struct ock_stream stream = ock_stream_make(1, OCK_RANDOM_PROBE, 0, 0);
    FILE *x = fopen(x_path, "wb");
    FILE *y = fopen(y_path, "wb");
    if (!x || !y)
        exit(1);
    put_u32(x, 0x0d02);
    put_u32(x, (uint32_t)rows);
    put_u32(x, (uint32_t)network->features);
    for (size_t i = 0; i < rows * network->features; i++) {
        float value = (float)ock_random_uniform(stream, i);
        uint32_t bits;
        memcpy(&bits, &value, sizeof(bits));
        put_u32(x, bits);
    }
    put_u32(y, 0x0801);
    put_u32(y, (uint32_t)rows);
    for (size_t i = 0; i < rows; i++)
        (void)fputc((int)(i % network->classes), y);
    if (fclose(x) != 0 || fclose(y) != 0)
        exit(1);
}

/* All that one case needs, opened once. */
struct bench {
    struct ock_dataset *dataset;
    struct ock_spec *spec;
    struct ock_data *data;
    struct ock_plan plan;
    struct ock_trainer *trainer;
    uint32_t *rows;
    size_t row_count, steps;
    double times[ROUNDS];
};

static struct ock_spec *make_spec(const struct network *network, bool penalty,
                                  const struct ock_dataset *dataset)
{
    char text[512];
    struct ock_err err = {0};
    struct ock_faults *faults = calloc(1, sizeof(*faults));
    (void)snprintf(text, sizeof(text),
                   "{\"data\":{\"validation\":0,\"scaling\":\"none\"},\"model\":{\"hidden\":%s},"
                   "\"regularization\":{\"l1\":%s,\"l2\":%s},"
                   "\"optimizer\":{\"lr\":0.001,\"momentum\":0.9},\"train\":{\"batch_size\":%zu}}",
                   network->hidden, penalty ? "1e-6" : "0", penalty ? "1e-5" : "0", network->batch);
    cJSON *json = NULL;
    struct ock_spec *spec = NULL;
    check(ock_json_parse(&json, text, strlen(text), faults, &err), &err);
    check(ock_spec_parse(&spec, json, false, faults, &err), &err);
    check(ock_spec_resolve(spec, ock_dataset_schema(dataset), NULL, NULL, faults, &err), &err);
    cJSON_Delete(json);
    free(faults);
    return spec;
}

static enum ock_status ignore_event(void *ctx, const struct ock_event *event, struct ock_err *err)
{
    (void)ctx;
    (void)event;
    (void)err;
    return OCK_OK;
}

static const struct ock_job_hooks hooks = {.event = ignore_event};

static void bench_open(struct bench *bench, const struct network *network, uint32_t threads,
                       bool penalty, const char *path)
{
    struct ock_err err = {0};
    check(ock_dataset_open(&bench->dataset, path, &err), &err);
    bench->spec = make_spec(network, penalty, bench->dataset);
    check(ock_data_open(&bench->data, bench->spec, bench->dataset, NULL, NULL, &err), &err);
    struct ock_plan_data sizes = ock_plan_data_of(bench->data);
    check(ock_plan_make(&bench->plan, bench->spec, &sizes, &err), &err);
    check(ock_trainer_new(&bench->trainer, bench->spec, &bench->plan, bench->data,
                          ock_kernels_get(NULL), threads, 0, &hooks, &err),
          &err);
    ock_network_init(&bench->trainer->net, 1, bench->trainer->optimizer.state.w);
    bench->row_count = bench->data->train.count;
    bench->rows = malloc(bench->row_count * sizeof(*bench->rows));
    if (!bench->rows)
        exit(1);
    for (size_t i = 0; i < bench->row_count; i++)
        bench->rows[i] = (uint32_t)(i * 7919 % bench->row_count);
}

static void run_steps(struct bench *bench, size_t steps)
{
    size_t batch = bench->plan.batch_rows;
    size_t batches = bench->row_count / batch;
    for (size_t i = 0; i < steps; i++) {
        double loss = 0;
        double weight = 0;
        (void)ock_trainer_step(bench->trainer, bench->rows + i % batches * batch, batch, i * batch,
                               0.001, &loss, &weight);
        bench->trainer->progress.updates++;
    }
}

/* --- The machine's rate of products ------------------------------------------------------------- */

static float *matrix(float value)
{
    float *m = aligned_alloc(64, SIDE * SIDE * sizeof(*m));
    if (!m)
        exit(1);
    for (size_t i = 0; i < SIDE * SIDE; i++)
        m[i] = value;
    return m;
}

static void our_product(const float *a, const float *b, float *c, float *packed, float *scratch)
{
    const struct ock_kernels *kernels = ock_kernels_get(NULL);
    struct ock_product product = {.M = SIDE,
                                  .N = SIDE,
                                  .K = SIDE,
                                  .A = a,
                                  .a_row = SIDE,
                                  .a_col = 1,
                                  .B = b,
                                  .b_row = SIDE,
                                  .b_col = 1,
                                  .packed = packed,
                                  .C = c,
                                  .c_row = SIDE};
    size_t panels = (SIDE + kernels->panel_columns - 1) / kernels->panel_columns;
    kernels->pack(packed, b, SIDE, 1, SIDE, SIDE, 0, panels);
    kernels->product(&product, 0, SIDE, 0, SIDE, scratch);
}

/* GF/s of `threads` products at once; the best of some tries. */
static double product_rate(int threads, bool ours)
{
    double best = 0;
    const struct ock_kernels *kernels = ock_kernels_get(NULL);
    for (int try = 0; try < 5; try++) {
        double begin = omp_get_wtime();
#pragma omp parallel num_threads(threads) default(none) shared(kernels) firstprivate(ours)
        {
            float *a = matrix(0.5f);
            float *b = matrix(0.25f);
            float *c = matrix(0.0f);
            float *packed = malloc(kernels->packed_floats(SIDE, SIDE) * sizeof(float));
            float *scratch = aligned_alloc(64, (kernels->scratch_floats + 16) / 16 * 64);
            if (!packed || !scratch)
                exit(1);
            for (int i = 0; i < 12; i++) {
                if (ours)
                    our_product(a, b, c, packed, scratch);
                else
                    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, SIDE, SIDE, SIDE, 1, a,
                                SIDE, b, SIDE, 0, c, SIDE);
            }
            free(a);
            free(b);
            free(c);
            free(packed);
            free(scratch);
        }
        double rate = 12.0 * threads * 2 * SIDE * SIDE * SIDE / (omp_get_wtime() - begin) / 1e9;
        best = rate > best ? rate : best;
    }
    return best;
}

/* --- Main -------------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(const struct network *network, struct bench *bench, int threads, bool penalty,
                   double rate)
{
    qsort(bench->times, ROUNDS, sizeof(double), by_value);
    double least = bench->times[0];
    double gflops = bench->plan.flops_per_step / least / 1e3;
    printf("{\"network\":\"%s\",\"batch\":%zu,\"threads\":%d,\"penalty\":%s,"
           "\"us_per_step_min\":%.3f,\"us_per_step_median\":%.3f,\"gflops\":%.1f,"
           "\"sgemm_gflops\":%.1f,\"share\":%.3f}\n",
           network->name, network->batch, threads, penalty ? "true" : "false", least,
           bench->times[ROUNDS / 2], gflops, rate, gflops / rate);
    (void)fflush(stdout);
}

static void bench_network(const struct network *network, double seconds, const double *rates)
{
    static struct bench benches[THREADS][VARIANTS];
    const char *x_path = "bench-x.idx";
    const char *y_path = "bench-y.idx";
    const char *path = "bench.ockds";
    struct ock_err err = {0};
    write_idx(network, 8 * network->batch, x_path, y_path);
    struct ock_import import = {.source = x_path, .labels = y_path, .out = path};
    check(ock_import_run(&import, &err), &err);
    for (int t = 0; t < THREADS; t++) {
        for (int v = 0; v < VARIANTS; v++) {
            struct bench *bench = &benches[t][v];
            bench_open(bench, network, (uint32_t)t + 1, v == 1, path);
            run_steps(bench, 2);
            double begin = omp_get_wtime();
            run_steps(bench, 8);
            double step_s = (omp_get_wtime() - begin) / 8;
            bench->steps = (size_t)(seconds / ROUNDS / step_s) + 1;
        }
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < THREADS * VARIANTS; i++) {
            struct bench *bench = &benches[i / VARIANTS][i % VARIANTS];
            double begin = omp_get_wtime();
            run_steps(bench, bench->steps);
            bench->times[round] = (omp_get_wtime() - begin) / (double)bench->steps * 1e6;
        }
    }
    for (int i = 0; i < THREADS * VARIANTS; i++) {
        struct bench *bench = &benches[i / VARIANTS][i % VARIANTS];
        report(network, bench, i / VARIANTS + 1, i % VARIANTS == 1, rates[i / VARIANTS]);
        ock_trainer_free(bench->trainer);
        ock_data_free(bench->data);
        ock_spec_free(bench->spec);
        ock_dataset_free(bench->dataset);
        free(bench->rows);
        *bench = (struct bench){0};
    }
    (void)unlink(x_path);
    (void)unlink(y_path);
    (void)unlink(path);
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 1;
    double rates[THREADS];
    openblas_set_num_threads(1);
    omp_set_schedule(omp_sched_dynamic, 1);
    for (int t = 0; t < THREADS; t++) {
        double blas = product_rate(t + 1, false);
        double ours = product_rate(t + 1, true);
        rates[t] = blas > ours ? blas : ours;
    }
    char directory[] = "/tmp/ockham-bench-XXXXXX";
    if (!mkdtemp(directory) || chdir(directory) != 0)
        return 1;
    for (size_t i = 0; i < NETWORKS; i++) {
        if (argc > 2 && strcmp(argv[2], networks[i].name) != 0)
            continue;
        bench_network(&networks[i], seconds, rates);
    }
    return rmdir(directory) == 0 ? 0 : 1;
}
