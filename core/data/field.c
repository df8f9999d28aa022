/* Fields of tables. Most numbers are short: at most 2^53 as a whole number and a power of ten that
 * a double holds exactly, so one multiplication or division rounds once and is right (Clinger 1990,
 * "How to read floating point numbers accurately", section 3). Longer ones, up to 19 digits, are
 * multiplied or divided as whole numbers of 128 bits, and rounded then. The rest goes to strtod. */
#include "core/data/field.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"
#include "core/data/field_short.h"
#include "core/data/missing.h"

static bool same_word(const char *text, size_t size, const char *word)
{
    return strlen(word) == size && strncasecmp(text, word, size) == 0;
}

static bool is_usual_missing(const char *text, size_t size)
{
    if (text[0] != '?' && (text[0] | 0x20) != 'n')
        return false;
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

/* padded: as many bytes as the digits, and 8 more, can be read. */
static inline const char *read_digits(const char *text, struct decimal *d, bool padded)
{
    const char *begin = text;
    uint64_t digits = d->digits, eight;
    while (padded && ock_eight_digits(text, &eight)) {
        digits = 100000000 * digits + eight;
        text += 8;
    }
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

bool ock_field_is_missing(const struct ock_missing *missing, const char *text, size_t size)
{
    bool word = size == 0 || (missing ? ock_missing_has(missing, text, size)
                                      : size <= 4 && is_usual_missing(text, size));
    double value;
    /* A word that is a number beyond the largest double is not looked for. */
    return word && ock_field_read_as(missing, text, size, &value) == OCK_FIELD_MISSING;
}

__extension__ typedef unsigned __int128 u128;

/* 5^27 is the last power of five in 64 bits. */
enum { FIVES_MAX = 27 };

static uint64_t power_of_five(unsigned exponent)
{
    uint64_t power = 1;
    for (uint64_t base = 5; exponent > 0; exponent >>= 1, base *= base)
        power *= exponent & 1 ? base : 1;
    return power;
}

/* size * 2^exponent, rounded once, to even where it lies in the middle. `more` says that the true
 * value is larger by less than one. size has more than 54 bits, and the result is a normal number. */
static double round_once(uint64_t size, bool more, int exponent)
{
    int excess = 64 - __builtin_clzll(size) - DBL_MANT_DIG;
    uint64_t half = UINT64_C(1) << (excess - 1);
    uint64_t rest = size & (2 * half - 1);
    uint64_t mantissa = size >> excess;
    mantissa += rest > half || (rest == half && (more || mantissa % 2 == 1));
    uint64_t bits = (uint64_t)(exponent + excess + DBL_MAX_EXP - 1) << (DBL_MANT_DIG - 1);
    double power;
    memcpy(&power, &bits, sizeof(power));
    return (double)(int64_t)mantissa * power;
}

/* digits * 10^exponent; digits > 0, |exponent| <= FIVES_MAX. */
static double scale_long(uint64_t digits, int exponent)
{
    int zeros = __builtin_clzll(digits);
    uint64_t five = power_of_five((unsigned)(exponent < 0 ? -exponent : exponent));
    if (exponent >= 0) {
        int up = __builtin_clzll(five);
        u128 product = (u128)(digits << zeros) * five << up; /* of 127 or 128 bits */
        return round_once((uint64_t)(product >> 64), (uint64_t)product != 0,
                          exponent + 64 - zeros - up);
    }
    int up = __builtin_clzll(five);
    uint64_t divisor = five << up;
    u128 dividend = (u128)(digits << zeros) << 63; /* its upper half is below the divisor */
    uint64_t quotient = (uint64_t)(dividend / divisor);
    return round_once(quotient, (u128)quotient * divisor != dividend, exponent - zeros - 63 + up);
}

static inline enum ock_field read_field(const struct ock_missing *missing, const char *text,
                                        size_t size, double *value, bool padded)
{
    struct decimal d = {.count = 0};
    const char *next = text + (text[0] == '-' || text[0] == '+');
    next = read_digits(next, &d, padded);
    if (*next == '.') {
        size_t before = d.count;
        next = read_digits(next + 1, &d, padded);
        d.exponent -= (int)(d.count - before);
    }
    if (d.count > 0 && (*next == 'e' || *next == 'E'))
        next = read_exponent(next, &d);
    if (d.count == 0 || next != text + size)
        return read_word(missing, text, size);

    double number;
    if (d.count <= DIGITS_EXACT && d.digits <= UINT64_C(1) << 53 && d.exponent >= -22 &&
        d.exponent <= 22) {
        number = (double)d.digits;
        number = d.exponent < 0 ? number / powers[-d.exponent] : number * powers[d.exponent];
    } else if (d.count <= DIGITS_EXACT && d.digits > 0 && d.exponent >= -FIVES_MAX &&
               d.exponent <= FIVES_MAX) {
        number = scale_long(d.digits, d.exponent);
    } else {
        *value = strtod(text, NULL);
        return isinf(*value) ? OCK_FIELD_INFINITE : OCK_FIELD_NUMBER;
    }
    *value = text[0] == '-' ? -number : number;
    return OCK_FIELD_NUMBER;
}

enum ock_field ock_field_read_as(const struct ock_missing *missing, const char *text, size_t size,
                                 double *value)
{
    if (missing && missing->numbers && ock_missing_has(missing, text, size))
        return OCK_FIELD_MISSING;
    return read_field(missing, text, size, value, false);
}

enum ock_field ock_field_read_padded(const struct ock_missing *missing, const char *text,
                                     size_t size, double *value)
{
    if (missing && missing->numbers && ock_missing_has(missing, text, size))
        return OCK_FIELD_MISSING;
    return read_field(missing, text, size, value, size <= OCK_FIELD_PADDING - 8);
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
