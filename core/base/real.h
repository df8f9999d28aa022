/* Elementary functions in double from IEEE operations alone: libm's last bit depends on the
 * processor, and a learning rate or a threshold must not. */
#ifndef OCK_BASE_REAL_H
#define OCK_BASE_REAL_H

#include <stdint.h>

/* ln x for normal x > 0, relative error below 1e-15. */
double ock_ln(double x);

/* cos(pi x) for 0 <= x <= 1, absolute error below 1e-15. */
double ock_cos_pi(double x);

/* x to a whole power by squaring. */
double ock_power(double x, uint64_t exponent);

#endif
