/* The vector operations of x86-64-v2 (SSE4.2): 4 floats or 2 doubles at once, no fused multiply-
 * add.
 *
 * vec_v2.h, vec_v3.h and vec_v4.h offer the same names. The bodies that are included after one of
 * them are written once and do the same operations on each element, whatever the width. */
#ifndef OCK_KERNELS_VEC_V2_H
#define OCK_KERNELS_VEC_V2_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define VEC_FAMILY   "v2"
#define VEC_FUSED    false
#define MASKED_LOADS false /* vf_load_first is as cheap as vf_load */

enum { V_WIDTH = 4 }; /* floats of a vector */

#define TILE_ROWS    4 /* rows of C that a tile keeps in registers */
#define TILE_VECTORS 2 /* vectors of each row */

typedef __m128 vf;   /* V_WIDTH floats */
typedef __m128d vd;  /* V_WIDTH / 2 doubles */
typedef __m128i vi;  /* V_WIDTH 32-bit or V_WIDTH / 2 64-bit integers */
typedef __m128 vm;   /* a truth value a float: all bits or none */
typedef __m128d vmd; /* a truth value a double */

/* --- Floats --- */

static inline vf vf_zero(void)
{
    return _mm_setzero_ps();
}

static inline vf vf_set(float x)
{
    return _mm_set1_ps(x);
}

static inline vf vf_load(const float *p)
{
    return _mm_loadu_ps(p);
}

static inline void vf_store(float *p, vf x)
{
    _mm_storeu_ps(p, x);
}

/* The first count floats (count < V_WIDTH), the others 0; reads nothing behind them. */
static inline vf vf_load_first(const float *p, size_t count)
{
    float all[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    for (size_t i = 0; i < count; i++)
        all[i] = p[i];
    return _mm_loadu_ps(all);
}

static inline void vf_store_first(float *p, vf x, size_t count)
{
    float all[4];
    _mm_storeu_ps(all, x);
    for (size_t i = 0; i < count; i++)
        p[i] = all[i];
}

static inline vf vf_add(vf a, vf b)
{
    return _mm_add_ps(a, b);
}

static inline vf vf_sub(vf a, vf b)
{
    return _mm_sub_ps(a, b);
}

static inline vf vf_mul(vf a, vf b)
{
    return _mm_mul_ps(a, b);
}

static inline vf vf_div(vf a, vf b)
{
    return _mm_div_ps(a, b);
}

static inline vf vf_sqrt(vf a)
{
    return _mm_sqrt_ps(a);
}

/* a*b + c, rounded once where VEC_FUSED */
static inline vf vf_fma(vf a, vf b, vf c)
{
    return _mm_add_ps(_mm_mul_ps(a, b), c);
}

static inline vf vf_abs(vf a)
{
    return _mm_andnot_ps(_mm_set1_ps(-0.0f), a);
}

/* magnitude of a, sign of b */
static inline vf vf_copysign(vf a, vf b)
{
    const vf sign = _mm_set1_ps(-0.0f);
    return _mm_or_ps(_mm_andnot_ps(sign, a), _mm_and_ps(sign, b));
}

/* Comparisons are false when an operand is NaN. */
static inline vm vf_lt(vf a, vf b)
{
    return _mm_cmplt_ps(a, b);
}

static inline vm vf_le(vf a, vf b)
{
    return _mm_cmple_ps(a, b);
}

static inline vm vf_eq(vf a, vf b)
{
    return _mm_cmpeq_ps(a, b);
}

/* true in the first count elements, count <= V_WIDTH */
static inline vm vm_first(size_t count)
{
    static const int32_t window[8] = {-1, -1, -1, -1};
    return _mm_castsi128_ps(_mm_loadu_si128((const __m128i *)(const void *)(window + 4 - count)));
}

static inline vm vm_none(void)
{
    return _mm_setzero_ps();
}

static inline vm vm_and(vm a, vm b)
{
    return _mm_and_ps(a, b);
}

static inline vm vm_or(vm a, vm b)
{
    return _mm_or_ps(a, b);
}

static inline vm vm_not(vm a)
{
    return _mm_xor_ps(a, _mm_castsi128_ps(_mm_set1_epi32(-1)));
}

static inline int vm_any(vm a)
{
    return _mm_movemask_ps(a) != 0;
}

/* yes where m is true, else no */
static inline vf vf_select(vm m, vf yes, vf no)
{
    return _mm_blendv_ps(no, yes, m);
}

/* x where m is true, else +0 */
static inline vf vf_keep(vm m, vf x)
{
    return _mm_and_ps(m, x);
}

/* --- 32-bit integers --- */

static inline vi vi_set(int32_t x)
{
    return _mm_set1_epi32(x);
}

static inline vi vi_from_bits(vf x)
{
    return _mm_castps_si128(x);
}

static inline vf vf_from_bits(vi x)
{
    return _mm_castsi128_ps(x);
}

static inline vi vi_add(vi a, vi b)
{
    return _mm_add_epi32(a, b);
}

static inline vi vi_sub(vi a, vi b)
{
    return _mm_sub_epi32(a, b);
}

static inline vi vi_and(vi a, vi b)
{
    return _mm_and_si128(a, b);
}

static inline vi vi_shift_left_23(vi a)
{
    return _mm_slli_epi32(a, 23);
}

static inline vi vi_shift_right_23(vi a)
{
    return _mm_srai_epi32(a, 23);
}

static inline vf vf_from_int(vi a)
{
    return _mm_cvtepi32_ps(a);
}

/* a < b as unsigned numbers */
static inline vm vi_below(vi a, vi b)
{
    const vi flip = _mm_set1_epi32(INT32_MIN); /* unsigned order to signed */
    return _mm_castsi128_ps(_mm_cmpgt_epi32(_mm_xor_si128(b, flip), _mm_xor_si128(a, flip)));
}

/* --- 64-bit integers --- */

static inline vi vi64_set(uint64_t x)
{
    return _mm_set1_epi64x((int64_t)x);
}

static inline vi vi64_load(const uint64_t *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

static inline vi vi64_add(vi a, vi b)
{
    return _mm_add_epi64(a, b);
}

static inline vi vi_xor(vi a, vi b)
{
    return _mm_xor_si128(a, b);
}

static inline vi vi_or(vi a, vi b)
{
    return _mm_or_si128(a, b);
}

static inline vi vi64_high(vi a)
{
    return _mm_srli_epi64(a, 32);
}

static inline vi vi64_shift_up(vi a)
{
    return _mm_slli_epi64(a, 32);
}

/* the low halves' product, 64 bits */
static inline vi vi64_mul_low(vi a, vi b)
{
    return _mm_mul_epu32(a, b);
}

static inline vi vi64_unpack_low(vi a, vi b)
{
    return _mm_unpacklo_epi64(a, b);
}

static inline vi vi64_unpack_high(vi a, vi b)
{
    return _mm_unpackhi_epi64(a, b);
}

/* --- Doubles --- */

static inline vd vd_zero(void)
{
    return _mm_setzero_pd();
}

static inline vd vd_set(double x)
{
    return _mm_set1_pd(x);
}

static inline vd vd_load(const double *p)
{
    return _mm_loadu_pd(p);
}

static inline void vd_store(double *p, vd x)
{
    _mm_storeu_pd(p, x);
}

static inline vd vd_load_first(const double *p, size_t count)
{
    return count > 0 ? _mm_load_sd(p) : _mm_setzero_pd();
}

static inline void vd_store_first(double *p, vd x, size_t count)
{
    if (count > 0)
        _mm_store_sd(p, x);
}

/* V_WIDTH / 2 floats as doubles */
static inline vd vd_load_floats(const float *p)
{
    return _mm_cvtps_pd(_mm_castsi128_ps(_mm_loadl_epi64((const __m128i *)(const void *)p)));
}

static inline vd vd_add(vd a, vd b)
{
    return _mm_add_pd(a, b);
}

static inline vd vd_sub(vd a, vd b)
{
    return _mm_sub_pd(a, b);
}

static inline vd vd_mul(vd a, vd b)
{
    return _mm_mul_pd(a, b);
}

static inline vmd vd_lt(vd a, vd b)
{
    return _mm_cmplt_pd(a, b);
}

static inline vmd vd_le(vd a, vd b)
{
    return _mm_cmple_pd(a, b);
}

static inline vd vd_select(vmd m, vd yes, vd no)
{
    return _mm_blendv_pd(no, yes, m);
}

static inline vd vd_from_low(vf x)
{
    return _mm_cvtps_pd(x);
}

static inline vd vd_from_high(vf x)
{
    return _mm_cvtps_pd(_mm_movehl_ps(x, x));
}

static inline vf vf_from_doubles(vd low, vd high)
{
    return _mm_movelh_ps(_mm_cvtpd_ps(low), _mm_cvtpd_ps(high));
}

/* --- Transposing: TRANSPOSED_COLUMNS floats, in lanes of four --- */

enum { TRANSPOSED_COLUMNS = 4 };
typedef __m128 vt;

/* Lane l (4 floats) is read from p + 4*l*stride. */
static inline vt vt_load_lanes(const float *p, size_t stride)
{
    (void)stride; /* one lane only */
    return _mm_loadu_ps(p);
}

static inline void vt_store(float *p, vt x)
{
    _mm_storeu_ps(p, x);
}

static inline vt vt_unpack_low(vt a, vt b)
{
    return _mm_unpacklo_ps(a, b);
}

static inline vt vt_unpack_high(vt a, vt b)
{
    return _mm_unpackhi_ps(a, b);
}

static inline vt vt_unpack_low_pairs(vt a, vt b)
{
    return _mm_castpd_ps(_mm_unpacklo_pd(_mm_castps_pd(a), _mm_castps_pd(b)));
}

static inline vt vt_unpack_high_pairs(vt a, vt b)
{
    return _mm_castpd_ps(_mm_unpackhi_pd(_mm_castps_pd(a), _mm_castps_pd(b)));
}

#endif
