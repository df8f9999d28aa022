/* Most fields of tables: numbers of a few digits. */
#ifndef OCK_DATA_FIELD_SHORT_H
#define OCK_DATA_FIELD_SHORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif

/* Eight digits as a number, by three multiplications: neighbours are joined to pairs, pairs to fours,
 * fours to the eight. */
static inline uint64_t ock_join_digits(uint64_t v)
{
    v = v * 10 + (v >> 8);
    v = ((v & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x000f424000000064) +
         ((v >> 16) & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x0000271000000001)) >>
        32;
    return (uint32_t)v;
}

/* False: some of the eight characters is no digit. */
static inline bool ock_eight_digits(const char *text, uint64_t *digits)
{
    uint64_t v;
    memcpy(&v, text, sizeof(v));
    uint64_t above = v + UINT64_C(0x4646464646464646); /* beyond '9', the highest bit is set; */
    v -= UINT64_C(0x3030303030303030);                 /* and here below '0' */
    *digits = ock_join_digits(v);
    return ((above | v) & UINT64_C(0x8080808080808080)) == 0;
}

#ifdef __SSE2__

/* `size` digits, at most 8. Zeros are put in front, and what is behind falls out; in two steps, as no
 * shift may be by 64. */
static inline uint64_t ock_few_digits(const char *text, size_t size)
{
    uint64_t v;
    memcpy(&v, text, sizeof(v));
    v -= UINT64_C(0x3030303030303030);
    unsigned half = 4 * (8 - (unsigned)size);
    return ock_join_digits(v << half << half);
}

/* Reads text [size] if it is a number of at most 16 characters, digits with a point among them or
 * none, at most 8 on each side: one look at all of them, where a loop would jump at each field's end.
 * Neither the sign nor the point is jumped for: in a table, both come at random.
 * 32 bytes from text on can be read. The value is exact before it is divided by a power of ten that
 * is, so it is rounded once (Clinger 1990, section 3). */
static inline bool ock_field_short(const char *text, size_t size, double *value)
{
    static const uint64_t shifts[] = {1,      10,      100,      1000,     10000,
                                      100000, 1000000, 10000000, 100000000};
    static const double powers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8};
    size_t negative = text[0] == '-';
    text += negative;
    size -= negative;
    if (size - 1 >= 16) /* none, or too many */
        return false;
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)text);
    __m128i digits = _mm_sub_epi8(bytes, _mm_set1_epi8('0'));
    __m128i is_digit_at = _mm_cmpeq_epi8(_mm_min_epu8(digits, _mm_set1_epi8(9)), digits);
    unsigned all_of = 1U << size;
    unsigned others = ~(unsigned)_mm_movemask_epi8(is_digit_at) & (all_of - 1);
    size_t before = (size_t)__builtin_ctz(others | all_of);
    size_t point = others != 0;
    size_t after = size - before - point;
    bool other = (others & (others - 1)) | (point & (text[before] != '.'));
    if (other | (before > 8) | (after > 8) | (before + after == 0))
        return false;
    uint64_t whole = ock_few_digits(text, before);
    uint64_t all = whole * shifts[after] + ock_few_digits(text + before + 1, after);
    if (all > UINT64_C(1) << 53)
        return false;
    double number = (double)(int64_t)all / powers[after];
    uint64_t bits;
    memcpy(&bits, &number, sizeof(bits));
    bits |= (uint64_t)negative << 63;
    memcpy(value, &bits, sizeof(bits));
    return true;
}

#define OCK_SSSE3 __attribute__((target("ssse3")))

/* The same where bytes can be moved within a register: the digits are pushed to its end, over the
 * point, and all sixteen are joined at once. Any number of them may be before or behind the point. */
OCK_SSSE3 static inline bool ock_field_short_ssse3(const char *text, size_t size, double *value)
{
    static const double powers[] = {1e0, 1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7, 1e8,
                                    1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16};
    /* From n on: n bytes in their order, behind as many that become zero. */
    static const int8_t places[32] = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
                                      -1, -1, -1, -1, -1, 0,  1,  2,  3,  4,  5,
                                      6,  7,  8,  9,  10, 11, 12, 13, 14, 15};
    size_t negative = text[0] == '-';
    text += negative;
    size -= negative;
    if (size - 1 >= 16) /* none, or too many */
        return false;
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)text);
    __m128i digits = _mm_sub_epi8(bytes, _mm_set1_epi8('0'));
    __m128i is_digit_at = _mm_cmpeq_epi8(_mm_min_epu8(digits, _mm_set1_epi8(9)), digits);
    unsigned all_of = 1U << size;
    unsigned others = ~(unsigned)_mm_movemask_epi8(is_digit_at) & (all_of - 1);
    unsigned before = (unsigned)__builtin_ctz(others | all_of);
    size_t point = others != 0, count = size - point;
    bool other = (others & (others - 1)) | (point & (text[before] != '.'));
    if (other | (count == 0))
        return false;
    __m128i from = _mm_loadu_si128((const __m128i *)(const void *)(places + count));
    __m128i behind = _mm_cmpgt_epi8(from, _mm_set1_epi8((char)(before - 1)));
    digits = _mm_shuffle_epi8(digits, _mm_sub_epi8(from, behind));
    __m128i pairs = _mm_maddubs_epi16(digits, _mm_set1_epi16(0x010a));
    __m128i fours = _mm_madd_epi16(pairs, _mm_set1_epi32(0x00010064));
    fours = _mm_packs_epi32(fours, fours);
    __m128i eights = _mm_madd_epi16(fours, _mm_set1_epi32(0x00012710));
    uint64_t both = (uint64_t)_mm_cvtsi128_si64(eights);
    uint64_t all = (both & UINT32_MAX) * 100000000 + (both >> 32);
    if (all > UINT64_C(1) << 53)
        return false;
    double number = (double)(int64_t)all / powers[size - before - point];
    uint64_t bits;
    memcpy(&bits, &number, sizeof(bits));
    bits |= (uint64_t)negative << 63;
    memcpy(value, &bits, sizeof(bits));
    return true;
}

#else

static inline bool ock_field_short(const char *text, size_t size, double *value)
{
    (void)text;
    (void)size;
    (void)value;
    return false;
}

#endif

#endif
