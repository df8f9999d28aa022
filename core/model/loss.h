/* Losses of a minibatch and their gradients, in numerically stable forms.
 *
 * z [B,C] is the network's output; s_i the row's weight.
 *   cross_entropy         loss = ln sum_j exp(z_j) - z_y
 *                         dz_j = s (softmax(z)_j - [j = y])
 *   binary_cross_entropy  loss = max(z,0) - z y + ln(1 + exp(-|z|))
 *                         dz   = s (sigmoid(z) - y)
 *   mse                   loss = d^2
 *                         dz   = s 2 d
 *   huber (delta 1)       loss = d^2/2 for |d| <= 1, else |d| - 1/2
 *                         dz   = s clamp(d, -1, 1)
 *   mae                   loss = |d|
 *                         dz   = s sign(d), sign(0) = 0
 * with d = z - t; C = 1 for all but the first. dz is not divided by the minibatch's weight. */
#ifndef OCK_MODEL_LOSS_H
#define OCK_MODEL_LOSS_H

#include <stddef.h>
#include <stdint.h>

#include "core/kernels/kernels.h"
#include "core/train/spec.h"

/* Rows of a minibatch behind the network. All arrays are the caller's. */
struct ock_loss_rows {
    size_t rows;          /* B */
    size_t outputs;       /* C */
    const float *z;       /* [B,C] */
    const int32_t *label; /* [B], for classes */
    const float *target;  /* [B], for numbers (C = 1) */
    const float *weight;  /* [B] */
    float *work;          /* [B,C] scratch; may not alias z */
    float *loss;          /* [B] out: the row's loss, unweighted */
    float *dz;            /* [B,C] out; NULL: not wanted */
};

/* Fills loss, and dz where wanted. Rows do not influence each other. */
void ock_loss_compute(enum ock_loss loss, const struct ock_kernels *kernels,
                      const struct ock_loss_rows *rows);

/* The predicted class of a row: the first of the largest outputs, or z > 0 for one sigmoid. */
int32_t ock_loss_predicted(size_t outputs, const float *z);

/* What the network thinks of each class, by the same exponentials: p [B,C] is the softmax of z [B,C];
 * for one output (sigmoid) p is [B,2]: 1 - sigmoid(z) and sigmoid(z). p may not alias z. */
void ock_loss_probabilities(const struct ock_kernels *kernels, size_t rows, size_t outputs,
                            const float *z, float *p);

#endif
