/* Exact order statistics of many numbers, in a few passes and bounded memory.
 *
 * A number becomes an unsigned key whose order is the numbers'. The first pass counts the keys'
 * first bytes, which tells in which of the 256 ranges each wanted rank lies; each further pass
 * counts the next byte of those keys alone that lie in such a range. After as many passes as a key
 * has bytes, the ranges are single numbers. Counts do not depend on the order of the numbers. */
#ifndef OCK_DATA_SELECT_H
#define OCK_DATA_SELECT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    OCK_SELECT_RANKS_MAX = 14,
    OCK_SELECT_DIGITS = 256,
    OCK_SELECT_BYTES_MAX = 8, /* of a key */
};

/* A path is a range: the beginning of a key that leads to a wanted rank. */
struct ock_select {
    unsigned key_bytes; /* 4: the numbers are float32; 8: doubles */
    unsigned pass;      /* which byte is counted, from the first one on */
    size_t path_count, rank_count;
    uint64_t paths[OCK_SELECT_RANKS_MAX];
    size_t ranks[OCK_SELECT_RANKS_MAX]; /* rising, each counted from its path's first number */
    unsigned path_of[OCK_SELECT_RANKS_MAX];
    uint32_t counts[OCK_SELECT_RANKS_MAX][OCK_SELECT_DIGITS];
    /* Of each pass that is over: 1 + the path that goes on with this digit, 0: none does. */
    uint8_t next[OCK_SELECT_BYTES_MAX - 1][OCK_SELECT_RANKS_MAX][OCK_SELECT_DIGITS];
};

/* key_bytes is 4 or 8. *select is all zero. */
void ock_select_init(struct ock_select *select, unsigned key_bytes);

/* Before the first pass ends: the wanted ranks, from 0, not falling, below the count of numbers. */
void ock_select_want(struct ock_select *select, const size_t *ranks, size_t count);

/* After each of key_bytes passes over the same numbers. */
void ock_select_end_pass(struct ock_select *select);

/* After the last pass: the number of a wanted rank. */
double ock_select_value(const struct ock_select *select, size_t rank_index);

static inline uint64_t ock_select_key(const struct ock_select *select, double value)
{
    if (select->key_bytes == 4) {
        float number = (float)value;
        uint32_t bits;
        memcpy(&bits, &number, sizeof(bits));
        return bits >> 31 ? ~bits : bits | UINT32_C(1) << 31;
    }
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

/* Shows a number (finite, no -0) so often to the pass under way. */
static inline void ock_select_add(struct ock_select *select, double value, uint32_t times)
{
    uint64_t key = ock_select_key(select, value);
    unsigned shift = 8 * (select->key_bytes - 1);
    size_t path = 0;
    for (unsigned pass = 0; pass < select->pass; pass++, shift -= 8) {
        unsigned next = select->next[pass][path][key >> shift & 0xff];
        if (next == 0)
            return;
        path = next - 1;
    }
    select->counts[path][key >> shift & 0xff] += times;
}

#endif
