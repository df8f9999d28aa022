/* The tables that dispatch.c chooses from, one a file. */
#ifndef OCK_KERNELS_FAMILIES_H
#define OCK_KERNELS_FAMILIES_H

#include "core/kernels/kernels.h"

extern const struct ock_kernels ock_kernels_reference; /* scalar fmaf, plain loops: the truth */
extern const struct ock_kernels ock_kernels_v2;
extern const struct ock_kernels ock_kernels_v3;
extern const struct ock_kernels ock_kernels_v4;

#endif
