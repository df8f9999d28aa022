/* Losses: the exponentials of the whole minibatch in one vector call, the rest row by row. */
#include "core/model/loss.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>

/* Without a branch that depends on the numbers: which output is largest is news in every row. */
static size_t first_largest(size_t count, const float *z)
{
    float largest = z[0];
    size_t best = 0;
    for (size_t j = 1; j < count; j++) {
        bool better = z[j] > largest;
        best = better ? j : best;
        largest = better ? z[j] : largest;
    }
    return best;
}

enum { ROWS_AT_ONCE = 64 };

/* exp(z - largest) of some rows in one call, and where each row has its largest. */
static void exponentials(const struct ock_kernels *kernels, size_t rows, size_t C, const float *z,
                         float *e, size_t top[ROWS_AT_ONCE])
{
    for (size_t i = 0; i < rows; i++) {
        const float *row = z + i * C;
        top[i] = first_largest(C, row);
        float largest = row[top[i]];
        for (size_t j = 0; j < C; j++)
            e[i * C + j] = row[j] - largest;
    }
    kernels->exp(rows * C, e, e);
}

/* The sum of a row's exponentials but the largest one's, in order. */
static float sum_others(size_t C, const float *e, size_t top)
{
    float others = 0.0f;
    for (size_t j = 0; j < top; j++)
        others += e[j];
    for (size_t j = top + 1; j < C; j++)
        others += e[j];
    return others;
}

/* With m the largest output, ln sum exp(z) - z_y = (m - z_y) + ln(1 + sum over the others of
 * exp(z_j - m)): exact for a sure network too, where 1 + tiny would lose the tiny. */
static void cross_entropy_rows(const struct ock_kernels *kernels, const struct ock_loss_rows *r,
                               size_t begin, size_t rows)
{
    size_t C = r->outputs;
    size_t top[ROWS_AT_ONCE];
    const float *z = r->z + begin * C;
    float *e = r->work + begin * C, *loss = r->loss + begin;
    exponentials(kernels, rows, C, z, e, top);
    for (size_t i = 0; i < rows; i++) {
        float weight = r->weight[begin + i];
        loss[i] = sum_others(C, e + i * C, top[i]);
        if (!r->dz)
            continue;
        float *dz = r->dz + (begin + i) * C;
        float scale = weight / (e[i * C + top[i]] + loss[i]);
        for (size_t j = 0; j < C; j++)
            dz[j] = e[i * C + j] * scale;
        dz[r->label[begin + i]] -= weight;
    }
    kernels->log1p(rows, loss, loss);
    for (size_t i = 0; i < rows; i++)
        loss[i] += z[i * C + top[i]] - z[i * C + (size_t)r->label[begin + i]];
}

static void cross_entropy(const struct ock_kernels *kernels, const struct ock_loss_rows *r)
{
    for (size_t begin = 0; begin < r->rows; begin += ROWS_AT_ONCE) {
        size_t left = r->rows - begin;
        cross_entropy_rows(kernels, r, begin, left < ROWS_AT_ONCE ? left : ROWS_AT_ONCE);
    }
}

/* With e = exp(-|z|): sigmoid(|z|) = 1/(1+e), sigmoid(-|z|) = e/(1+e). */
static void binary_cross_entropy(const struct ock_kernels *kernels, const struct ock_loss_rows *r)
{
    for (size_t i = 0; i < r->rows; i++)
        r->work[i] = -fabsf(r->z[i]);
    kernels->exp(r->rows, r->work, r->work);
    kernels->log1p(r->rows, r->work, r->loss);
    for (size_t i = 0; i < r->rows; i++) {
        float z = r->z[i];
        float y = (float)r->label[i];
        float e = r->work[i];
        r->loss[i] += (z > 0.0f ? z : 0.0f) - z * y;
        if (isnan(z))
            r->loss[i] = z;
        if (r->dz)
            r->dz[i] = r->weight[i] * ((z >= 0.0f ? 1.0f : e) / (1.0f + e) - y);
    }
}

static void squared(const struct ock_loss_rows *r)
{
    for (size_t i = 0; i < r->rows; i++) {
        float d = r->z[i] - r->target[i];
        r->loss[i] = d * d;
        if (r->dz)
            r->dz[i] = r->weight[i] * (2.0f * d);
    }
}

static void huber(const struct ock_loss_rows *r)
{
    for (size_t i = 0; i < r->rows; i++) {
        float d = r->z[i] - r->target[i];
        float size = fabsf(d);
        r->loss[i] = size <= 1.0f ? 0.5f * d * d : size - 0.5f;
        if (r->dz)
            r->dz[i] = r->weight[i] * (size <= 1.0f ? d : copysignf(1.0f, d));
    }
}

static void absolute(const struct ock_loss_rows *r)
{
    for (size_t i = 0; i < r->rows; i++) {
        float d = r->z[i] - r->target[i];
        r->loss[i] = fabsf(d);
        if (r->dz)
            r->dz[i] = r->weight[i] * (float)((d > 0.0f) - (d < 0.0f));
    }
}

void ock_loss_compute(enum ock_loss loss, const struct ock_kernels *kernels,
                      const struct ock_loss_rows *rows)
{
    assert(loss == OCK_CROSS_ENTROPY || rows->outputs == 1);
    switch (loss) {
    case OCK_CROSS_ENTROPY:
        cross_entropy(kernels, rows);
        return;
    case OCK_BINARY_CROSS_ENTROPY:
        binary_cross_entropy(kernels, rows);
        return;
    case OCK_MSE:
        squared(rows);
        return;
    case OCK_HUBER:
        huber(rows);
        return;
    case OCK_MAE:
        absolute(rows);
        return;
    case OCK_LOSS_AUTO:
        break;
    }
    assert(!"the loss is resolved before training");
}

int32_t ock_loss_predicted(size_t outputs, const float *z)
{
    if (outputs == 1)
        return z[0] > 0.0f;
    return (int32_t)first_largest(outputs, z);
}

/* Two numbers a row, the second half of p serves as scratch for the exponentials of all rows. */
static void sigmoid_pairs(const struct ock_kernels *kernels, size_t rows, const float *z, float *p)
{
    float *e = p + rows;
    for (size_t i = 0; i < rows; i++)
        e[i] = -fabsf(z[i]);
    kernels->exp(rows, e, e);
    for (size_t i = 0; i < rows;
         i++) { /* e[i] is read before pair i, at or before it, is written */
        float one = (z[i] >= 0.0f ? 1.0f : e[i]) / (1.0f + e[i]);
        p[2 * i] = 1.0f - one;
        p[2 * i + 1] = one;
    }
}

void ock_loss_probabilities(const struct ock_kernels *kernels, size_t rows, size_t outputs,
                            const float *z, float *p)
{
    size_t C = outputs;
    if (C == 1) {
        sigmoid_pairs(kernels, rows, z, p);
        return;
    }
    for (size_t begin = 0; begin < rows; begin += ROWS_AT_ONCE) {
        size_t top[ROWS_AT_ONCE];
        size_t count = rows - begin < ROWS_AT_ONCE ? rows - begin : ROWS_AT_ONCE;
        exponentials(kernels, count, C, z + begin * C, p + begin * C, top);
        for (size_t i = 0; i < count; i++) {
            float *e = p + (begin + i) * C;
            float scale = 1.0f / (e[top[i]] + sum_others(C, e, top[i]));
            for (size_t j = 0; j < C; j++)
                e[j] *= scale;
        }
    }
}
