/* Philox draws and what is made of them. All in integers and IEEE double without libm, so that
 * every machine draws the same. */
#include "core/base/random.h"

#include <assert.h>
#include <math.h>

#include "core/base/real.h"
#include <Random123/philox.h>

__extension__ typedef unsigned __int128 ock_u128;

struct ock_stream ock_stream_make(uint64_t seed, enum ock_purpose purpose, uint32_t layer,
                                  uint32_t epoch)
{
    assert(layer < 1u << 16);
    return (struct ock_stream){seed, (uint32_t)purpose << 16 | layer, epoch};
}

static philox4x32_ctr_t block_at(struct ock_stream stream, uint64_t block)
{
    philox4x32_ctr_t counter = {
        {stream.purpose_layer, stream.epoch, (uint32_t)block, (uint32_t)(block >> 32)}};
    philox4x32_key_t key = {{(uint32_t)stream.seed, (uint32_t)(stream.seed >> 32)}};
    return philox4x32(counter, key);
}

uint32_t ock_random_u32(struct ock_stream stream, uint64_t index)
{
    return block_at(stream, index / 4).v[index % 4];
}

uint64_t ock_random_u64(struct ock_stream stream, uint64_t index)
{
    philox4x32_ctr_t block = block_at(stream, index / 2);
    size_t word = 2 * (size_t)(index % 2);
    return (uint64_t)block.v[word + 1] << 32 | block.v[word];
}

double ock_random_uniform(struct ock_stream stream, uint64_t index)
{
    /* 52 bits and a half step: never 0, never 1. */
    return ((double)(ock_random_u64(stream, index) >> 12) + 0.5) * 0x1p-52;
}

/* p(x)/q(x) for two polynomials of degree 7, coefficients from the constant on. */
static double ratio(const double p[8], const double q[8], double x)
{
    double above = p[7];
    double below = q[7];
    for (int i = 6; i >= 0; i--) {
        above = above * x + p[i];
        below = below * x + q[i];
    }
    return above / below;
}

/* The inverse of the standard normal distribution function: AS 241, PPND16 (Wichura, Applied
 * Statistics 37, 1988), relative error about 1e-16. */
static double normal_quantile(double p)
{
    static const double a[8] = {3.3871328727963666080e0, 1.3314166789178437745e2,
                                1.9715909503065514427e3, 1.3731693765509461125e4,
                                4.5921953931549871457e4, 6.7265770927008700853e4,
                                3.3430575583588128105e4, 2.5090809287301226727e3};
    static const double b[8] = {1.0,
                                4.2313330701600911252e1,
                                6.8718700749205790830e2,
                                5.3941960214247511077e3,
                                2.1213794301586595867e4,
                                3.9307895800092710610e4,
                                2.8729085735721942674e4,
                                5.2264952788528545610e3};
    static const double c[8] = {1.42343711074968357734e0,  4.63033784615654529590e0,
                                5.76949722146069140550e0,  3.64784832476320460504e0,
                                1.27045825245236838258e0,  2.41780725177450611770e-1,
                                2.27238449892691845833e-2, 7.74545014278341407640e-4};
    static const double d[8] = {1.0,
                                2.05319162663775882187e0,
                                1.67638483018380384940e0,
                                6.89767334985100004550e-1,
                                1.48103976427480074590e-1,
                                1.51986665636164571966e-2,
                                5.47593808499534494600e-4,
                                1.05075007164441684324e-9};
    static const double e[8] = {6.65790464350110377720e0,  5.46378491116411436990e0,
                                1.78482653991729133580e0,  2.96560571828504891230e-1,
                                2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                2.71155556874348757815e-5, 2.01033439929228813265e-7};
    static const double f[8] = {1.0,
                                5.99832206555887937690e-1,
                                1.36929880922735805310e-1,
                                1.48753612908506148525e-2,
                                7.86869131145613259100e-4,
                                1.84631831751005468180e-5,
                                1.42151175831644588870e-7,
                                2.04426310338993978564e-15};
    double q = p - 0.5;
    if (fabs(q) <= 0.425)
        return q * ratio(a, b, 0.180625 - q * q);
    double r = sqrt(-ock_ln(q < 0 ? p : 1 - p));
    double x = r <= 5 ? ratio(c, d, r - 1.6) : ratio(e, f, r - 5);
    return q < 0 ? -x : x;
}

double ock_random_normal(struct ock_stream stream, uint64_t index)
{
    return normal_quantile(ock_random_uniform(stream, index));
}

void ock_random_shuffle(struct ock_stream stream, uint32_t *values, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        /* The high half of 64 x 64 bits: bias below count / 2^64. */
        uint64_t bits = ock_random_u64(stream, i - 1);
        size_t j = (size_t)(((ock_u128)bits * i) >> 64);
        uint32_t value = values[i - 1];
        values[i - 1] = values[j];
        values[j] = value;
    }
}
