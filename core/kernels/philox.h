/* The constants of Philox4x32-10 (Salmon, Moraes, Dror, Shaw, SC'11, section 4.3). */
#ifndef OCK_KERNELS_PHILOX_H
#define OCK_KERNELS_PHILOX_H

#include <math.h>
#include <stdint.h>

enum { PHILOX_ROUNDS = 10, PHILOX_WORDS = 4 };
#define PHILOX_MUL0 0xD2511F53u
#define PHILOX_MUL1 0xCD9E8D57u
#define PHILOX_KEY0 0x9E3779B9u /* added to the key's words after each round */
#define PHILOX_KEY1 0xBB67AE85u

/* The number of 32-bit words below rate*2^32 (0 <= rate < 1): a word is dropped if it is less. */
static inline uint32_t dropout_limit(float rate)
{
    return (uint32_t)ceil((double)rate * 0x1p32);
}

#endif
