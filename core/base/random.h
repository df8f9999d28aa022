/* Counter-based random numbers: Philox4x32-10 (Salmon et al., SC'11; Random123).
 *
 * key = seed; counter = (purpose and layer, epoch, index as 64 bits). There is no state to save or
 * to race on: every number is a pure function of what it is for. Golden values: test_random.c. */
#ifndef OCK_BASE_RANDOM_H
#define OCK_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

enum ock_purpose {
    OCK_RANDOM_INIT = 1,    /* index: the weight's place in its layer; layer: its position */
    OCK_RANDOM_SHUFFLE = 2, /* index: the place that is swapped */
    OCK_RANDOM_DROPOUT = 3, /* index: position in the epoch x units + unit; layer: its position */
    OCK_RANDOM_SPLIT = 4,   /* index: the row */
    OCK_RANDOM_SAMPLE = 5,  /* index: the row; fixed samples for evaluation */
    OCK_RANDOM_PROBE = 6,   /* the search for a learning rate */
};

/* What the numbers are for; the index comes with each draw. */
struct ock_stream {
    uint64_t seed;
    uint32_t purpose_layer; /* purpose << 16 | layer */
    uint32_t epoch;
};

struct ock_stream ock_stream_make(uint64_t seed, enum ock_purpose purpose, uint32_t layer,
                                  uint32_t epoch);

/* The 32 random bits at index i: word i % 4 of the Philox block whose counter is i / 4. */
uint32_t ock_random_u32(struct ock_stream stream, uint64_t index);

/* Words 2i and 2i+1 (modulo the block) as one 64-bit number: two draws a block. */
uint64_t ock_random_u64(struct ock_stream stream, uint64_t index);

/* Standard normal by the inverse of its distribution (Wichura 1988, AS 241), in double, from the 64
 * bits at index; own logarithm, so the same bits on every machine. */
double ock_random_normal(struct ock_stream stream, uint64_t index);

/* Uniform in (0, 1), 52 bits, never 0 or 1, from the 64 bits at index. */
double ock_random_uniform(struct ock_stream stream, uint64_t index);

/* Fisher-Yates over values[0..count-1] with the stream's numbers. */
void ock_random_shuffle(struct ock_stream stream, uint32_t *values, size_t count);

#endif
