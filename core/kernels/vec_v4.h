/* The vector operations of x86-64-v4 (AVX-512): 16 floats or 8 doubles at once.
 *
 * vec_v2.h, vec_v3.h and vec_v4.h offer the same names. The bodies that are included after one of
 * them are written once and do the same operations on each element, whatever the width. */
#ifndef OCK_KERNELS_VEC_V4_H
#define OCK_KERNELS_VEC_V4_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define VEC_FAMILY   "v4"
#define VEC_FUSED    true
#define MASKED_LOADS true /* vf_load_first is as cheap as vf_load */

enum { V_WIDTH = 16 }; /* floats of a vector */

#define TILE_ROWS    8 /* rows of C that a tile keeps in registers */
#define TILE_VECTORS 3 /* vectors of each row */

typedef __m512 vf;    /* V_WIDTH floats */
typedef __m512d vd;   /* V_WIDTH / 2 doubles */
typedef __m512i vi;   /* V_WIDTH 32-bit or V_WIDTH / 2 64-bit integers */
typedef __mmask16 vm; /* a truth value a float */
typedef __mmask8 vmd; /* a truth value a double */

/* --- Floats --- */

static inline vf vf_zero(void)
{
    return _mm512_setzero_ps();
}

static inline vf vf_set(float x)
{
    return _mm512_set1_ps(x);
}

static inline vf vf_load(const float *p)
{
    return _mm512_loadu_ps(p);
}

static inline void vf_store(float *p, vf x)
{
    _mm512_storeu_ps(p, x);
}

/* true in the first count elements, count <= V_WIDTH */
static inline vm vm_first(size_t count)
{
    return (vm)((1u << count) - 1u);
}

/* The first count floats (count < V_WIDTH), the others 0; reads nothing behind them. */
static inline vf vf_load_first(const float *p, size_t count)
{
    return _mm512_maskz_loadu_ps(vm_first(count), p);
}

static inline void vf_store_first(float *p, vf x, size_t count)
{
    _mm512_mask_storeu_ps(p, vm_first(count), x);
}

static inline vf vf_add(vf a, vf b)
{
    return _mm512_add_ps(a, b);
}

static inline vf vf_sub(vf a, vf b)
{
    return _mm512_sub_ps(a, b);
}

static inline vf vf_mul(vf a, vf b)
{
    return _mm512_mul_ps(a, b);
}

static inline vf vf_div(vf a, vf b)
{
    return _mm512_div_ps(a, b);
}

static inline vf vf_sqrt(vf a)
{
    return _mm512_sqrt_ps(a);
}

/* a*b + c, rounded once where VEC_FUSED */
static inline vf vf_fma(vf a, vf b, vf c)
{
    return _mm512_fmadd_ps(a, b, c);
}

static inline vf vf_abs(vf a)
{
    return _mm512_abs_ps(a);
}

/* magnitude of a, sign of b */
static inline vf vf_copysign(vf a, vf b)
{
    return _mm512_castsi512_ps(_mm512_ternarylogic_epi32(
        _mm512_set1_epi32(INT32_MIN), _mm512_castps_si512(b), _mm512_castps_si512(a), 0xca));
}

/* Comparisons are false when an operand is NaN. */
static inline vm vf_lt(vf a, vf b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ);
}

static inline vm vf_le(vf a, vf b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ);
}

static inline vm vf_eq(vf a, vf b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ);
}

static inline vm vm_none(void)
{
    return 0;
}

static inline vm vm_and(vm a, vm b)
{
    return (vm)(a & b);
}

static inline vm vm_or(vm a, vm b)
{
    return (vm)(a | b);
}

static inline vm vm_not(vm a)
{
    return (vm)~a;
}

static inline int vm_any(vm a)
{
    return a != 0;
}

/* yes where m is true, else no */
static inline vf vf_select(vm m, vf yes, vf no)
{
    return _mm512_mask_blend_ps(m, no, yes);
}

/* x where m is true, else +0 */
static inline vf vf_keep(vm m, vf x)
{
    return _mm512_maskz_mov_ps(m, x);
}

/* --- 32-bit integers --- */

static inline vi vi_set(int32_t x)
{
    return _mm512_set1_epi32(x);
}

static inline vi vi_from_bits(vf x)
{
    return _mm512_castps_si512(x);
}

static inline vf vf_from_bits(vi x)
{
    return _mm512_castsi512_ps(x);
}

static inline vi vi_add(vi a, vi b)
{
    return _mm512_add_epi32(a, b);
}

static inline vi vi_sub(vi a, vi b)
{
    return _mm512_sub_epi32(a, b);
}

static inline vi vi_and(vi a, vi b)
{
    return _mm512_and_si512(a, b);
}

static inline vi vi_shift_left_23(vi a)
{
    return _mm512_slli_epi32(a, 23);
}

static inline vi vi_shift_right_23(vi a)
{
    return _mm512_srai_epi32(a, 23);
}

static inline vf vf_from_int(vi a)
{
    return _mm512_cvtepi32_ps(a);
}

/* a < b as unsigned numbers */
static inline vm vi_below(vi a, vi b)
{
    return _mm512_cmplt_epu32_mask(a, b);
}

/* --- 64-bit integers --- */

static inline vi vi64_set(uint64_t x)
{
    return _mm512_set1_epi64((int64_t)x);
}

static inline vi vi64_load(const uint64_t *p)
{
    return _mm512_loadu_si512(p);
}

static inline vi vi64_add(vi a, vi b)
{
    return _mm512_add_epi64(a, b);
}

static inline vi vi_xor(vi a, vi b)
{
    return _mm512_xor_si512(a, b);
}

static inline vi vi_or(vi a, vi b)
{
    return _mm512_or_si512(a, b);
}

static inline vi vi64_high(vi a)
{
    return _mm512_srli_epi64(a, 32);
}

static inline vi vi64_shift_up(vi a)
{
    return _mm512_slli_epi64(a, 32);
}

/* the low halves' product, 64 bits */
static inline vi vi64_mul_low(vi a, vi b)
{
    return _mm512_mul_epu32(a, b);
}

static inline vi vi64_unpack_low(vi a, vi b)
{
    return _mm512_unpacklo_epi64(a, b);
}

static inline vi vi64_unpack_high(vi a, vi b)
{
    return _mm512_unpackhi_epi64(a, b);
}

/* --- Doubles --- */

static inline vd vd_zero(void)
{
    return _mm512_setzero_pd();
}

static inline vd vd_set(double x)
{
    return _mm512_set1_pd(x);
}

static inline vd vd_load(const double *p)
{
    return _mm512_loadu_pd(p);
}

static inline void vd_store(double *p, vd x)
{
    _mm512_storeu_pd(p, x);
}

static inline vd vd_load_first(const double *p, size_t count)
{
    return _mm512_maskz_loadu_pd((vmd)((1u << count) - 1u), p);
}

static inline void vd_store_first(double *p, vd x, size_t count)
{
    _mm512_mask_storeu_pd(p, (vmd)((1u << count) - 1u), x);
}

/* V_WIDTH / 2 floats as doubles */
static inline vd vd_load_floats(const float *p)
{
    return _mm512_cvtps_pd(_mm256_loadu_ps(p));
}

static inline vd vd_add(vd a, vd b)
{
    return _mm512_add_pd(a, b);
}

static inline vd vd_sub(vd a, vd b)
{
    return _mm512_sub_pd(a, b);
}

static inline vd vd_mul(vd a, vd b)
{
    return _mm512_mul_pd(a, b);
}

static inline vmd vd_lt(vd a, vd b)
{
    return _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ);
}

static inline vmd vd_le(vd a, vd b)
{
    return _mm512_cmp_pd_mask(a, b, _CMP_LE_OQ);
}

static inline vd vd_select(vmd m, vd yes, vd no)
{
    return _mm512_mask_blend_pd(m, no, yes);
}

static inline vd vd_from_low(vf x)
{
    return _mm512_cvtps_pd(_mm512_castps512_ps256(x));
}

static inline vd vd_from_high(vf x)
{
    return _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1));
}

static inline vf vf_from_doubles(vd low, vd high)
{
    return _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(low)), _mm512_cvtpd_ps(high),
                              1);
}

/* --- Transposing: TRANSPOSED_COLUMNS floats, in lanes of four --- */

/* Half a vector: 16 columns that lie a multiple of 4096 bytes apart would push each other out of
 * the first-level cache. */
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
