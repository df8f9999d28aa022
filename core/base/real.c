/* Series that are short because their arguments are reduced first. */
#include "core/base/real.h"

#include <math.h>

/* x = 2^e m with m in [sqrt(1/2), sqrt 2); ln m = 2 atanh(t), t = (m-1)/(m+1), |t| < 0.172: the
 * series' 12th term is below 1e-18. */
double ock_ln(double x)
{
    int exponent;
    double m = frexp(x, &exponent);
    if (m < 0.70710678118654752) {
        m *= 2;
        exponent--;
    }
    double t = (m - 1) / (m + 1);
    double t2 = t * t;
    double series = 0;
    for (int k = 11; k >= 0; k--)
        series = series * t2 + 1.0 / (2 * k + 1);
    return 2 * t * series + exponent * 0.69314718055994530942;
}

/* cos y for |y| <= pi/4, sin likewise: Taylor, the first omitted term is below 1e-17. */
static double cos_small(double y)
{
    double y2 = y * y;
    double sum = 1;
    for (int k = 9; k >= 1; k--)
        sum = 1 - y2 / ((2.0 * k - 1) * (2.0 * k)) * sum;
    return sum;
}

static double sin_small(double y)
{
    double y2 = y * y;
    double sum = 1;
    for (int k = 9; k >= 1; k--)
        sum = 1 - y2 / ((2.0 * k) * (2.0 * k + 1)) * sum;
    return y * sum;
}

double ock_cos_pi(double x)
{
    const double pi = 3.14159265358979323846;
    if (x > 0.5)
        return -ock_cos_pi(1 - x);
    return x <= 0.25 ? cos_small(pi * x) : sin_small(pi * (0.5 - x));
}

double ock_power(double x, uint64_t exponent)
{
    double result = 1;
    for (; exponent > 0; exponent >>= 1) {
        if (exponent & 1)
            result *= x;
        x *= x;
    }
    return result;
}
