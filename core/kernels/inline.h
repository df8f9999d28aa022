/* Functions whose constant arguments must become constants of the code. */
#ifndef OCK_KERNELS_INLINE_H
#define OCK_KERNELS_INLINE_H

#define ALWAYS_INLINE __attribute__((always_inline)) static inline

#endif
