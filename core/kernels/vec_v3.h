/* The vector operations of x86-64-v3 (AVX2 and FMA): 8 floats or 4 doubles at once.
 *
 * vec_v2.h, vec_v3.h and vec_v4.h offer the same names. The bodies that are included after one of
 * them are written once and do the same operations on each element, whatever the width. */
#ifndef OCK_KERNELS_VEC_V3_H
#define OCK_KERNELS_VEC_V3_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define VEC_FAMILY   "v3"
#define VEC_FUSED    true
#define MASKED_LOADS true /* vf_load_first is as cheap as vf_load */

enum { V_WIDTH = 8 }; /* floats of a vector */

#define TILE_ROWS    6 /* rows of C that a tile keeps in registers */
#define TILE_VECTORS 2 /* vectors of each row */

typedef __m256 vf;   /* V_WIDTH floats */
typedef __m256d vd;  /* V_WIDTH / 2 doubles */
typedef __m256i vi;  /* V_WIDTH 32-bit or V_WIDTH / 2 64-bit integers */
typedef __m256 vm;   /* a truth value a float: all bits or none */
typedef __m256d vmd; /* a truth value a double */

/* --- Floats --- */

static inline vf vf_zero(void)
{
    return _mm256_setzero_ps();
}

static inline vf vf_set(float x)
{
    return _mm256_set1_ps(x);
}

static inline vf vf_load(const float *p)
{
    return _mm256_loadu_ps(p);
}

static inline void vf_store(float *p, vf x)
{
    _mm256_storeu_ps(p, x);
}

/* All bits in the first count of 8 numbers: a window on eight set words and eight clear ones. */
static inline vi vi_first(size_t count)
{
    static const int32_t window[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
    return _mm256_loadu_si256((const __m256i *)(const void *)(window + 8 - count));
}

/* The first count floats (count < V_WIDTH), the others 0; reads nothing behind them. */
static inline vf vf_load_first(const float *p, size_t count)
{
    return _mm256_maskload_ps(p, vi_first(count));
}

static inline void vf_store_first(float *p, vf x, size_t count)
{
    _mm256_maskstore_ps(p, vi_first(count), x);
}

static inline vf vf_add(vf a, vf b)
{
    return _mm256_add_ps(a, b);
}

static inline vf vf_sub(vf a, vf b)
{
    return _mm256_sub_ps(a, b);
}

static inline vf vf_mul(vf a, vf b)
{
    return _mm256_mul_ps(a, b);
}

static inline vf vf_div(vf a, vf b)
{
    return _mm256_div_ps(a, b);
}

static inline vf vf_sqrt(vf a)
{
    return _mm256_sqrt_ps(a);
}

/* a*b + c, rounded once where VEC_FUSED */
static inline vf vf_fma(vf a, vf b, vf c)
{
    return _mm256_fmadd_ps(a, b, c);
}

static inline vf vf_abs(vf a)
{
    return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a);
}

/* magnitude of a, sign of b */
static inline vf vf_copysign(vf a, vf b)
{
    const vf sign = _mm256_set1_ps(-0.0f);
    return _mm256_or_ps(_mm256_andnot_ps(sign, a), _mm256_and_ps(sign, b));
}

/* Comparisons are false when an operand is NaN. */
static inline vm vf_lt(vf a, vf b)
{
    return _mm256_cmp_ps(a, b, _CMP_LT_OQ);
}

static inline vm vf_le(vf a, vf b)
{
    return _mm256_cmp_ps(a, b, _CMP_LE_OQ);
}

static inline vm vf_eq(vf a, vf b)
{
    return _mm256_cmp_ps(a, b, _CMP_EQ_OQ);
}

/* true in the first count elements, count <= V_WIDTH */
static inline vm vm_first(size_t count)
{
    return _mm256_castsi256_ps(vi_first(count));
}

static inline vm vm_none(void)
{
    return _mm256_setzero_ps();
}

static inline vm vm_and(vm a, vm b)
{
    return _mm256_and_ps(a, b);
}

static inline vm vm_or(vm a, vm b)
{
    return _mm256_or_ps(a, b);
}

static inline vm vm_not(vm a)
{
    return _mm256_xor_ps(a, _mm256_castsi256_ps(_mm256_set1_epi32(-1)));
}

static inline int vm_any(vm a)
{
    return _mm256_movemask_ps(a) != 0;
}

/* yes where m is true, else no */
static inline vf vf_select(vm m, vf yes, vf no)
{
    return _mm256_blendv_ps(no, yes, m);
}

/* x where m is true, else +0 */
static inline vf vf_keep(vm m, vf x)
{
    return _mm256_and_ps(m, x);
}

/* --- 32-bit integers --- */

static inline vi vi_set(int32_t x)
{
    return _mm256_set1_epi32(x);
}

static inline vi vi_from_bits(vf x)
{
    return _mm256_castps_si256(x);
}

static inline vf vf_from_bits(vi x)
{
    return _mm256_castsi256_ps(x);
}

static inline vi vi_add(vi a, vi b)
{
    return _mm256_add_epi32(a, b);
}

static inline vi vi_sub(vi a, vi b)
{
    return _mm256_sub_epi32(a, b);
}

static inline vi vi_and(vi a, vi b)
{
    return _mm256_and_si256(a, b);
}

static inline vi vi_shift_left_23(vi a)
{
    return _mm256_slli_epi32(a, 23);
}

static inline vi vi_shift_right_23(vi a)
{
    return _mm256_srai_epi32(a, 23);
}

static inline vf vf_from_int(vi a)
{
    return _mm256_cvtepi32_ps(a);
}

/* a < b as unsigned numbers */
static inline vm vi_below(vi a, vi b)
{
    const vi flip = _mm256_set1_epi32(INT32_MIN); /* unsigned order to signed */
    return _mm256_castsi256_ps(
        _mm256_cmpgt_epi32(_mm256_xor_si256(b, flip), _mm256_xor_si256(a, flip)));
}

/* --- 64-bit integers --- */

static inline vi vi64_set(uint64_t x)
{
    return _mm256_set1_epi64x((int64_t)x);
}

static inline vi vi64_load(const uint64_t *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

static inline vi vi64_add(vi a, vi b)
{
    return _mm256_add_epi64(a, b);
}

static inline vi vi_xor(vi a, vi b)
{
    return _mm256_xor_si256(a, b);
}

static inline vi vi_or(vi a, vi b)
{
    return _mm256_or_si256(a, b);
}

static inline vi vi64_high(vi a)
{
    return _mm256_srli_epi64(a, 32);
}

static inline vi vi64_shift_up(vi a)
{
    return _mm256_slli_epi64(a, 32);
}

/* the low halves' product, 64 bits */
static inline vi vi64_mul_low(vi a, vi b)
{
    return _mm256_mul_epu32(a, b);
}

static inline vi vi64_unpack_low(vi a, vi b)
{
    return _mm256_unpacklo_epi64(a, b);
}

static inline vi vi64_unpack_high(vi a, vi b)
{
    return _mm256_unpackhi_epi64(a, b);
}

/* --- Doubles --- */

static inline vd vd_zero(void)
{
    return _mm256_setzero_pd();
}

static inline vd vd_set(double x)
{
    return _mm256_set1_pd(x);
}

static inline vd vd_load(const double *p)
{
    return _mm256_loadu_pd(p);
}

static inline void vd_store(double *p, vd x)
{
    _mm256_storeu_pd(p, x);
}

static inline vi vi64_first(size_t count)
{
    static const int64_t window[8] = {-1, -1, -1, -1};
    return _mm256_loadu_si256((const __m256i *)(const void *)(window + 4 - count));
}

static inline vd vd_load_first(const double *p, size_t count)
{
    return _mm256_maskload_pd(p, vi64_first(count));
}

static inline void vd_store_first(double *p, vd x, size_t count)
{
    _mm256_maskstore_pd(p, vi64_first(count), x);
}

/* V_WIDTH / 2 floats as doubles */
static inline vd vd_load_floats(const float *p)
{
    return _mm256_cvtps_pd(_mm_loadu_ps(p));
}

static inline vd vd_add(vd a, vd b)
{
    return _mm256_add_pd(a, b);
}

static inline vd vd_sub(vd a, vd b)
{
    return _mm256_sub_pd(a, b);
}

static inline vd vd_mul(vd a, vd b)
{
    return _mm256_mul_pd(a, b);
}

static inline vmd vd_lt(vd a, vd b)
{
    return _mm256_cmp_pd(a, b, _CMP_LT_OQ);
}

static inline vmd vd_le(vd a, vd b)
{
    return _mm256_cmp_pd(a, b, _CMP_LE_OQ);
}

static inline vd vd_select(vmd m, vd yes, vd no)
{
    return _mm256_blendv_pd(no, yes, m);
}

static inline vd vd_from_low(vf x)
{
    return _mm256_cvtps_pd(_mm256_castps256_ps128(x));
}

static inline vd vd_from_high(vf x)
{
    return _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1));
}

static inline vf vf_from_doubles(vd low, vd high)
{
    return _mm256_set_m128(_mm256_cvtpd_ps(high), _mm256_cvtpd_ps(low));
}

/* --- Transposing: TRANSPOSED_COLUMNS floats, in lanes of four --- */

enum { TRANSPOSED_COLUMNS = 8 };
typedef __m256 vt;

/* Lane l (4 floats) is read from p + 4*l*stride. */
static inline vt vt_load_lanes(const float *p, size_t stride)
{
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)),
                                _mm_loadu_ps(p + 4 * stride), 1);
}

static inline void vt_store(float *p, vt x)
{
    _mm256_storeu_ps(p, x);
}

static inline vt vt_unpack_low(vt a, vt b)
{
    return _mm256_unpacklo_ps(a, b);
}

static inline vt vt_unpack_high(vt a, vt b)
{
    return _mm256_unpackhi_ps(a, b);
}

static inline vt vt_unpack_low_pairs(vt a, vt b)
{
    return _mm256_castpd_ps(_mm256_unpacklo_pd(_mm256_castps_pd(a), _mm256_castps_pd(b)));
}

static inline vt vt_unpack_high_pairs(vt a, vt b)
{
    return _mm256_castpd_ps(_mm256_unpackhi_pd(_mm256_castps_pd(a), _mm256_castps_pd(b)));
}

#endif
