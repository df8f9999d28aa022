/* Losses: the exponentials of the whole minibatch in one vector call, the rest row by row. */
#include "core/model/loss.h"

#include <assert.h>
#include <math.h>

static size_t first_largest(size_t count, const float *z)
{
    size_t best = 0;
    for (size_t j = 1; j < count; j++) {
        if (z[j] > z[best])
            best = j;
    }
    return best;
}

/* With m the largest output, ln sum exp(z) - z_y = (m - z_y) + ln(1 + sum over the others of
 * exp(z_j - m)): exact for a sure network too, where 1 + tiny would lose the tiny. */
static void cross_entropy(const struct ock_kernels *kernels, const struct ock_loss_rows *r)
{
    size_t C = r->outputs;
    for (size_t i = 0; i < r->rows; i++) {
        const float *z = r->z + i * C;
        float largest = z[first_largest(C, z)];
        for (size_t j = 0; j < C; j++)
            r->work[i * C + j] = z[j] - largest;
    }
    kernels->exp(r->rows * C, r->work, r->work);
    for (size_t i = 0; i < r->rows; i++) {
        const float *e = r->work + i * C;
        size_t top = first_largest(C, r->z + i * C);
        float others = 0.0f;
        for (size_t j = 0; j < C; j++)
            others += j == top ? 0.0f : e[j];
        r->loss[i] = others;
        if (!r->dz)
            continue;
        float scale = r->weight[i] / (e[top] + others);
        for (size_t j = 0; j < C; j++)
            r->dz[i * C + j] = e[j] * scale;
        r->dz[i * C + (size_t)r->label[i]] -= r->weight[i];
    }
    kernels->log1p(r->rows, r->loss, r->loss);
    for (size_t i = 0; i < r->rows; i++) {
        const float *z = r->z + i * C;
        r->loss[i] += z[first_largest(C, z)] - z[r->label[i]];
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
    for (size_t i = 0; i < rows; i++) {
        float largest = z[i * C + first_largest(C, z + i * C)];
        for (size_t j = 0; j < C; j++)
            p[i * C + j] = z[i * C + j] - largest;
    }
    kernels->exp(rows * C, p, p);
    for (size_t i = 0; i < rows; i++) {
        float *e = p + i * C;
        size_t top = first_largest(C, z + i * C);
        float others = 0.0f;
        for (size_t j = 0; j < C; j++)
            others += j == top ? 0.0f : e[j];
        float scale = 1.0f / (e[top] + others);
        for (size_t j = 0; j < C; j++)
            e[j] *= scale;
    }
}
