/* Fields of tables. Most numbers are short: at most 2^53 as a whole number and a power of ten that
 * a double holds exactly, so one multiplication or division rounds once and is right (Clinger 1990,
 * "How to read floating point numbers accurately", section 3). The rest goes to strtod. */
#include "core/data/field.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "core/base/utf8.h"
#include "core/data/missing.h"

static bool same_word(const char *text, size_t size, const char *word)
{
    return strlen(word) == size && strncasecmp(text, word, size) == 0;
}

static bool is_usual_missing(const char *text, size_t size)
{
    static const char *const words[] = {"?", "na", "nan", "n/a", "null"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (same_word(text, size, words[i]))
            return true;
    }
    return false;
}

static enum ock_field read_word(const struct ock_missing *missing, const char *text, size_t size)
{
    static const char *const infinite[] = {"inf", "infinity"};
    if (size == 0)
        return OCK_FIELD_MISSING;
    if (missing ? ock_missing_has(missing, text, size) : size <= 4 && is_usual_missing(text, size))
        return OCK_FIELD_MISSING;
    if (size > 9) /* longer than "-infinity" */
        return OCK_FIELD_TEXT;
    size_t sign = text[0] == '-' || text[0] == '+';
    for (size_t i = 0; i < sizeof(infinite) / sizeof(infinite[0]); i++) {
        if (same_word(text + sign, size - sign, infinite[i]))
            return OCK_FIELD_INFINITE;
    }
    return OCK_FIELD_TEXT;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A number's parts while it is read. */
struct decimal {
    uint64_t digits; /* as a whole number; too many of them wrap around */
    size_t count;    /* digits read */
    int exponent;    /* of ten */
};

/* More digits than these may not fit 64 bits. */
enum { DIGITS_EXACT = 19 };

static inline const char *read_digits(const char *text, struct decimal *d)
{
    const char *begin = text;
    uint64_t digits = d->digits;
    for (; is_digit(*text); text++)
        digits = 10 * digits + (uint64_t)(*text - '0');
    d->digits = digits;
    d->count += (size_t)(text - begin);
    return text;
}

/* The end of the exponent at text ("e-5"), or text itself if there is none that is whole. */
static const char *read_exponent(const char *text, struct decimal *d)
{
    const char *next = text + 1;
    bool negative = *next == '-';
    next += *next == '-' || *next == '+';
    if (!is_digit(*next))
        return text;
    int exponent = 0;
    for (; is_digit(*next); next++)
        exponent = exponent < 100000 ? 10 * exponent + (*next - '0') : exponent;
    d->exponent += negative ? -exponent : exponent;
    return next;
}

enum ock_field ock_field_read(const char *text, size_t size, double *value)
{
    return ock_field_read_as(NULL, text, size, value);
}

static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

enum ock_field ock_field_read_as(const struct ock_missing *missing, const char *text, size_t size,
                                 double *value)
{
    if (missing && missing->numbers && ock_missing_has(missing, text, size))
        return OCK_FIELD_MISSING;
    struct decimal d = {.count = 0};
    const char *next = text + (text[0] == '-' || text[0] == '+');
    next = read_digits(next, &d);
    if (*next == '.') {
        size_t before = d.count;
        next = read_digits(next + 1, &d);
        d.exponent -= (int)(d.count - before);
    }
    if (d.count > 0 && (*next == 'e' || *next == 'E'))
        next = read_exponent(next, &d);
    if (d.count == 0 || next != text + size)
        return read_word(missing, text, size);

    if (d.count <= DIGITS_EXACT && d.digits <= UINT64_C(1) << 53 && d.exponent >= -22 &&
        d.exponent <= 22) {
        double number = (double)d.digits;
        number = d.exponent < 0 ? number / powers[-d.exponent] : number * powers[d.exponent];
        *value = text[0] == '-' ? -number : number;
        return OCK_FIELD_NUMBER;
    }
    double number = strtod(text, NULL);
    if (isinf(number))
        return OCK_FIELD_INFINITE;
    *value = number;
    return OCK_FIELD_NUMBER;
}

#ifdef __SSE2__

/* `size` digits, at most 8, as a number, by three multiplications: neighbours are joined to pairs,
 * pairs to fours, fours to the eight. */
static inline uint64_t eight_digits(const char *text, size_t size)
{
    uint64_t v;
    memcpy(&v, text, sizeof(v));
    v -= UINT64_C(0x3030303030303030);
    if (size < 8) /* zeros in front; what is behind falls out */
        v = size > 0 ? v << (64 - 8 * size) : 0;
    v = v * 10 + (v >> 8);
    v = ((v & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x000f424000000064) +
         ((v >> 16) & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x0000271000000001)) >>
        32;
    return (uint32_t)v;
}

/* A number of at most 16 characters, digits with a point among them or none, at most 8 on each side:
 * one look at all of them, where a loop would jump at each field's end. */
static inline bool read_short(const char *text, size_t size, double *value)
{
    static const uint64_t shifts[] = {1,      10,      100,      1000,     10000,
                                      100000, 1000000, 10000000, 100000000};
    bool negative = text[0] == '-';
    text += negative;
    size -= negative;
    if (size - 1 >= 16) /* none, or too many */
        return false;
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)text);
    __m128i digits = _mm_sub_epi8(bytes, _mm_set1_epi8('0'));
    __m128i is_digit_at = _mm_cmpeq_epi8(_mm_min_epu8(digits, _mm_set1_epi8(9)), digits);
    unsigned others = ~(unsigned)_mm_movemask_epi8(is_digit_at) & ((1U << size) - 1);
    size_t before = others ? (size_t)__builtin_ctz(others) : size;
    size_t after = others ? size - before - 1 : 0;
    if ((others & (others - 1)) || (others && text[before] != '.') || before > 8 || after > 8 ||
        before + after == 0)
        return false;
    uint64_t whole = eight_digits(text, before);
    uint64_t all = whole * shifts[after] + eight_digits(text + before + 1, after);
    if (all > UINT64_C(1) << 53)
        return false;
    double number = (double)all / powers[after];
    *value = negative ? -number : number;
    return true;
}

#else

static inline bool read_short(const char *text, size_t size, double *value)
{
    (void)text;
    (void)size;
    (void)value;
    return false;
}

#endif

enum ock_field ock_field_read_padded(const struct ock_missing *missing, const char *text,
                                     size_t size, double *value)
{
    if (!(missing && missing->numbers) && read_short(text, size, value))
        return OCK_FIELD_NUMBER;
    return ock_field_read_as(missing, text, size, value);
}

bool ock_text_is_utf8(const char *text, size_t size)
{
    while (size > 0) {
        size_t bytes = ock_utf8_char(text, size);
        if (bytes == 0)
            return false;
        text += bytes;
        size -= bytes;
    }
    return true;
}
