/* Rows that are mostly zeros, in compressed sparse rows (CSR) form. */
#ifndef OCK_BASE_SPARSE_H
#define OCK_BASE_SPARSE_H

#include <stddef.h>
#include <stdint.h>

/* Row r has the terms begin[r] … begin[r + 1] - 1, their indices rising. */
struct ock_sparse_rows {
    const size_t *begin;
    const uint32_t *index;
    const float *value;
};

#endif
