/* Dropout masks: Philox4x32-10 on vectors, included after a vec_*.h.
 *
 * Each 64-bit lane holds one block's word in its low half; what a product leaves in the high half
 * is never looked at, since the next product reads low halves only. */
#ifndef OCK_KERNELS_RANDOM_BODY_H
#define OCK_KERNELS_RANDOM_BODY_H

#include <string.h>

#include "core/kernels/inline.h"
#include "core/kernels/kernels.h"
#include "core/kernels/philox.h"

enum {
    PHILOX_LANES = V_WIDTH / 2,     /* blocks at once */
    PHILOX_BATCH = PHILOX_LANES * 4 /* words at once */
};

struct dropout {
    struct ock_stream stream;
    vi limit;
    vf keep;  /* 1/(1 - rate) */
    vi order; /* the block of each lane, such that the words come out in order */
};

static struct dropout dropout_make(struct ock_stream stream, float rate)
{
    /* Unpacking puts the blocks of each pair of lanes, 2l and 2l + 1, into lane pair l of the first
     * and the second half of the batch. */
    uint64_t order[PHILOX_LANES];
    for (int lane = 0; lane < PHILOX_LANES; lane++)
        order[lane] = (uint64_t)((lane % 2) * (PHILOX_LANES / 2) + lane / 2);
    return (struct dropout){
        .stream = stream,
        .limit = vi_set((int32_t)dropout_limit(rate)),
        .keep = vf_set(1.0f / (1.0f - rate)),
        .order = vi64_load(order),
    };
}

/* The mask of the PHILOX_BATCH words from block `block` on, as two vectors in out. */
ALWAYS_INLINE void dropout_batch(const struct dropout *d, uint64_t block, vf out[2])
{
    const vi counter = vi64_add(vi64_set(block), d->order);
    vi c0 = vi64_set(d->stream.purpose_layer);
    vi c1 = vi64_set(d->stream.epoch);
    vi c2 = counter;
    vi c3 = vi64_high(counter);
    uint32_t key0 = (uint32_t)d->stream.seed;
    uint32_t key1 = (uint32_t)(d->stream.seed >> 32);
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        const vi p0 = vi64_mul_low(vi64_set(PHILOX_MUL0), c0);
        const vi p1 = vi64_mul_low(vi64_set(PHILOX_MUL1), c2);
        c0 = vi_xor(vi_xor(vi64_high(p1), c1), vi64_set(key0));
        c1 = p1;
        c2 = vi_xor(vi_xor(vi64_high(p0), c3), vi64_set(key1));
        c3 = p0;
        key0 += PHILOX_KEY0;
        key1 += PHILOX_KEY1;
    }
    const vi low = vi64_set(UINT32_MAX);
    const vi words01 = vi_or(vi_and(c0, low), vi64_shift_up(c1));
    const vi words23 = vi_or(vi_and(c2, low), vi64_shift_up(c3));
    const vm dropped0 = vi_below(vi64_unpack_low(words01, words23), d->limit);
    const vm dropped1 = vi_below(vi64_unpack_high(words01, words23), d->limit);
    out[0] = vf_keep(vm_not(dropped0), d->keep);
    out[1] = vf_keep(vm_not(dropped1), d->keep);
}

/* Words skip to skip + count of the batch at block `block`. */
static void dropout_part(const struct dropout *d, uint64_t block, size_t skip, size_t count,
                         float *mask)
{
    vf both[2];
    float all[PHILOX_BATCH];
    dropout_batch(d, block, both);
    vf_store(all, both[0]);
    vf_store(all + V_WIDTH, both[1]);
    memcpy(mask, all + skip, count * sizeof(float));
}

static void kernel_dropout_mask(struct ock_stream stream, uint64_t index, size_t count, float rate,
                                float *mask)
{
    const struct dropout d = dropout_make(stream, rate);
    const size_t skip = (size_t)(index % PHILOX_WORDS);
    uint64_t block = index / PHILOX_WORDS;
    size_t i = 0;
    if (skip != 0) {
        i = count < PHILOX_WORDS - skip ? count : PHILOX_WORDS - skip;
        dropout_part(&d, block, skip, i, mask);
        block++;
    }
    for (; i + PHILOX_BATCH <= count; i += PHILOX_BATCH) {
        vf both[2];
        dropout_batch(&d, block, both);
        vf_store(mask + i, both[0]);
        vf_store(mask + i + V_WIDTH, both[1]);
        block += PHILOX_LANES;
    }
    if (i < count)
        dropout_part(&d, block, 0, count - i, mask + i);
}

#endif
