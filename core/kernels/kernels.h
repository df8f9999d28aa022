/* The arithmetic of training: one table of functions for each instruction family.
 *
 * The promise: every number is one sum, in one order that the shapes alone decide. An element of a
 * product sums k in order with fused multiply-add, in blocks of OCK_K_BLOCK that are each summed
 * from zero and added in order. So no cut of the work (rows, columns, tiles, threads) and no
 * vector width changes a bit: v3 (AVX2), v4 (AVX-512) and reference (scalar fmaf) agree to the last
 * one. v2 (SSE, no FMA: multiply, then add) has bits of its own, the same for every cut too.
 *
 * All functions are pure but for what they write, may be called from any thread, and never fail.
 * Matrices are row-major; strides count floats. Pointers need 4-byte alignment only. */
#ifndef OCK_KERNELS_KERNELS_H
#define OCK_KERNELS_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/random.h"
#include "core/base/sparse.h"

enum { OCK_K_BLOCK = 384 };

/* C[M,N] = A[M,K] * B[K,N] + bias[N], any rectangle of it at a time. */
struct ock_product {
    size_t M, N, K; /* M or N may be 0; K = 0 gives the bias, or zeros */
    const float *A;
    size_t a_row, a_col; /* element (m,k) of A is A[m*a_row + k*a_col]; one of the strides is 1 */
    const float *B;      /* [K,N]: element (k,n) is B[k*b_row + n*b_col], one of them 1; or NULL: */
    size_t b_row, b_col;
    const float *packed; /* all of B as pack() laid it out; read instead of B when not NULL */
    float *C;
    size_t c_row;
    const float *bias; /* [N], added after the sum; NULL: none */
};

/* C[M,N] = A[M,K] * B[K,N] + bias[N], A sparse. The same bits as ock_product's with A's zeros
 * written out, as long as B is finite: a zero's term changes no sum, and the blocks are the same. */
struct ock_sparse_product {
    size_t N;
    struct ock_sparse_rows A;
    const float *B; /* element (k,n) is B[k*b_row + n] */
    size_t b_row;
    float *C; /* [M,N] */
    size_t c_row;
    const float *bias; /* [N], added after the sum; NULL: none */
};

/* G[N,O] = the sum over rows [begin,end) of A's columns n0 … n1 - 1, transposed, times dY's rows:
 * what a product A' dY would be, to the bit. */
struct ock_sparse_gradient {
    size_t begin, end; /* rows */
    struct ock_sparse_rows A;
    size_t n0, n1;   /* A's columns */
    const float *dY; /* row r, output o is dY[r*dy_row + o] */
    size_t dy_row, O;
    float *G;     /* [n1 - n0, O] */
    float *block; /* [n1 - n0, O] scratch; not touched for up to OCK_K_BLOCK rows */
};

enum ock_activation {
    OCK_IDENTITY = 0,
    OCK_RELU,       /* max(0, x) */
    OCK_TANH,       /* tanh x */
    OCK_SIGMOID,    /* 1 / (1 + exp(-x)) */
    OCK_GELU,       /* x/2 (1 + erf(x/sqrt 2)), PyTorch's default, not the tanh form */
    OCK_LEAKY_RELU, /* x > 0 ? x : 0.01 x */
};
enum { OCK_ACTIVATION_COUNT = 6 };

enum ock_rule { OCK_SGD = 0, OCK_ADAM, OCK_ADAMW };
enum ock_l1_method { OCK_SUBGRADIENT = 0, OCK_PROXIMAL, OCK_CUMULATIVE };

/* One shared update of `count` parameters that have the same coefficients: SPEC.md, One step,
 * points 1 (the division) and 3 to 6, in that order. Arithmetic is float, operation by operation
 * without contraction, so that every vector width gives the same bits. Arrays don't overlap. */
struct ock_update {
    enum ock_rule rule;
    enum ock_l1_method l1_method;
    bool nesterov;
    bool first_step;  /* v has no past: v = g (SGD with momentum) */
    float grad_scale; /* g is multiplied by it first: clip factor / batch weight */
    float lr;
    float momentum;     /* 0: v is not touched and may be NULL */
    float keep;         /* decoupled decay: w *= keep first; 1 is none */
    float l1;           /* alpha of the objective */
    float l2;           /* coupled: g += 2*l2*w */
    float weight_decay; /* coupled: g += weight_decay*w */
    float beta1, beta2, eps;
    float bias1;      /* adam: 1 - beta1^t */
    float bias2_sqrt; /* adam: sqrt(1 - beta2^t) */
    double l1_total;  /* cumulative: u, with this step's lr*alpha already added */
    float *w;         /* [count] parameters, updated */
    const float *g;   /* [count] sums of the data gradient over the minibatch */
    float *v;         /* [count] momentum, or adam's first moment */
    float *s;         /* [count] adam's second moment, else NULL */
    double *q;        /* [count] cumulative L1's running totals, else NULL */
};

struct ock_kernels {
    const char *family; /* "reference", "v2", "v3", "v4" */
    bool fused;         /* multiply-add is fused: the bits of v3, v4 and reference */

    /* --- Matrix products ------------------------------------------------------------------- */

    size_t
        panel_columns; /* columns of a packed panel; panel p starts at float p * K * panel_columns */
    size_t scratch_floats; /* scratch that product() needs, for any shape (64-byte aligned) */

    /* Floats that pack() needs for a B of [K,N]. */
    size_t (*packed_floats)(size_t K, size_t N);

    /* Lays out panels [panel_begin, panel_end) of B[K,N] (element (k,n) at b[k*row + n*col]) in
     * `packed`, the buffer of the whole matrix. Panel p has columns from p*panel_columns on;
     * different panels may be packed by different threads. There are ceil(N/panel_columns). */
    void (*pack)(float *packed, const float *b, size_t row, size_t col, size_t K, size_t N,
                 size_t panel_begin, size_t panel_end);

    /* Computes rows [m0,m1) and columns [n0,n1) of the product. With `packed`, n0 must be a
     * multiple of panel_columns (n1 a multiple too, or N). Writes nothing outside of the rectangle.
     * scratch: scratch_floats floats of the calling thread's own.
     *
     * Unpacked is as fast as packed or faster when a call has all rows (a panel is packed into
     * scratch, used while in cache, and B is read once); small ones are read in place. So in a
     * step let threads share out the columns, at multiples of panel_columns. pack() pays where a B
     * with b_row = 1 serves several calls: rows that are cut, or weights that stay as they are. */
    void (*product)(const struct ock_product *product, size_t m0, size_t m1, size_t n0, size_t n1,
                    float *scratch);

    /* Rows [m0,m1) of a sparse product. */
    void (*sparse_product)(const struct ock_sparse_product *product, size_t m0, size_t m1);
    /* All of a sparse gradient. */
    void (*sparse_gradient)(const struct ock_sparse_gradient *gradient);

    /* sum[c] = sum over r of x[r*x_row + c], c0 <= c < c1: rows in order, in blocks of
     * OCK_K_BLOCK added in order, like a product with ones. sum is indexed by c (sum[c0] first). */
    void (*sum_rows)(const float *x, size_t x_row, size_t rows, size_t c0, size_t c1, float *sum);

    /* y[i] += x[i] */
    void (*add)(size_t count, const float *x, float *y);
    /* y[i] = x[i] * m[i]; y may be x */
    void (*multiply)(size_t count, const float *x, const float *m, float *y);

    /* --- Elementwise functions: the same bits for every family but v2, alone or in a vector --- */

    void (*exp)(size_t count, const float *x, float *y); /* <= 2 ulp; underflow to 0; y may be x */
    void (*log1p)(size_t count, const float *x, float *y); /* x > -1, <= 3 ulp; y may be x */
    /* y = act(x); y must not be x unless the activation is identity or relu */
    void (*activate)(enum ock_activation activation, size_t count, const float *x, float *y);
    /* dx = dy * act'(x); y = act(x) is at hand too; dx may be dy */
    void (*activate_back)(enum ock_activation activation, size_t count, const float *x,
                          const float *y, const float *dy, float *dx);

    /* mask[i] = ock_random_u32(stream, index + i) < rate*2^32 ? 0 : 1/(1 - rate), for any index. */
    void (*dropout_mask)(struct ock_stream stream, uint64_t index, size_t count, float rate,
                         float *mask);

    /* --- Update ------------------------------------------------------------------------------ */

    /* Applies the update to elements [begin, end). Returns false when a scaled gradient or a new
     * weight among them is not finite (all are still written). */
    bool (*update)(const struct ock_update *update, size_t begin, size_t end);

    /* Sum of x[i]^2 in double: 8 partial sums by i % 8, added in order 0..7. */
    double (*sum_squares)(size_t count, const float *x);
};

/* The best family that this processor can run, or the one that is forced by `family` (one of the
 * names above; NULL: the best). NULL when the processor cannot run it or there is no such name.
 * The table is static. Reads the processor's features, never an environment variable. */
const struct ock_kernels *ock_kernels_get(const char *family);

/* Sets flush-to-zero and denormals-are-zero in the calling thread, so that every thread computes
 * alike. Every thread that calls a kernel does this first. */
void ock_kernels_thread_init(void);

/* "1-fma" or "1-v2": the kernels' version and whether multiply-add is fused; the `numerics` of
 * /version, events and checkpoints. Bits agree where this agrees. */
const char *ock_kernels_numerics(const struct ock_kernels *kernels);

#endif
