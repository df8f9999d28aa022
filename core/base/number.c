/* Doubles as text, the shortest that reads back.
 *
 * A decimal of at most 15 digits survives the way to a double and back, and 17 digits always tell
 * one double from its neighbours. So the shortest text is the nearest decimal of 15 digits (less
 * its zeros at the end), 16 or 17: the first that lies between the halfway points to the
 * neighbours. For the sizes that metrics have, that is exact arithmetic in 128 bits; for the rest
 * of the doubles, printf and strtod do it, some ten times slower.
 * Source: the halfway test is Steele and White's (PLDI 1990). */
#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/jsonw.h"

__extension__ typedef unsigned __int128 u128;

/* Sizes for which every product below stays within 128 bits. */
#define EXACT_MIN 1e-10
#define EXACT_MAX 1e15

/* 5^0 to 5^27. */
static const uint64_t fives[] = {
    1u,
    5u,
    25u,
    125u,
    625u,
    3125u,
    15625u,
    78125u,
    390625u,
    1953125u,
    9765625u,
    48828125u,
    244140625u,
    1220703125u,
    6103515625u,
    30517578125u,
    152587890625u,
    762939453125u,
    3814697265625u,
    19073486328125u,
    95367431640625u,
    476837158203125u,
    2384185791015625u,
    11920928955078125u,
    59604644775390625u,
    298023223876953125u,
    1490116119384765625u,
    7450580596923828125u,
};

static const uint64_t tens17 = 100000000000000000u;

/* value = digits * 10^(exponent + 1 - count): 0.d1d2d3… times a power, as digits and their count. */
struct decimal {
    char digits[20];
    size_t count;
    int exponent; /* of the first digit */
};

/* Appends the digits of n without the zeros at its end. */
static void set_digits(struct decimal *decimal, uint64_t n)
{
    char reversed[20];
    size_t count = 0;
    while (n % 10 == 0 && n > 0)
        n /= 10;
    for (; n > 0; n /= 10)
        reversed[count++] = (char)('0' + n % 10);
    for (size_t i = 0; i < count; i++)
        decimal->digits[i] = reversed[count - 1 - i];
    decimal->count = count;
}

/* The nearest multiple of `unit` to value / 2^shift (ties to even), in units. */
static uint64_t round_to(u128 value, unsigned shift, uint64_t unit)
{
    uint64_t quotient = (uint64_t)(value >> shift) / unit;
    u128 rest = value - ((u128)(quotient * unit) << shift);
    u128 half = (u128)unit << shift >> 1;
    return quotient + (rest > half || (rest == half && quotient % 2 == 1));
}

/* size must be within EXACT_MIN and EXACT_MAX. All numbers are scaled by 4 * 10^p / 2^e, so that
 * the value, the halfway points and the candidates are integers; p puts 17 digits before the
 * point. */
static void shortest(struct decimal *out, double size)
{
    uint64_t bits;
    memcpy(&bits, &size, sizeof(bits));
    uint64_t mantissa = (bits & ((UINT64_C(1) << 52) - 1)) | UINT64_C(1) << 52;
    int log2 = (int)(bits >> 52) - 1023;
    /* floor(log2 * log10(2)): the decimal exponent or one less */
    int exponent = (log2 * 1233 - (log2 < 0 ? 4095 : 0)) / 4096;
    u128 value = 0;
    unsigned shift = 0;
    uint64_t five = 0;
    for (;; exponent++) {
        int p = 16 - exponent;
        five = fives[p];
        value = (u128)(4 * mantissa) * five;
        shift = (unsigned)(52 - log2 - p + 2);
        if ((uint64_t)(value >> shift) < tens17)
            break;
    }
    u128 low = value - (u128)(mantissa == UINT64_C(1) << 52 ? 1 : 2) * five;
    u128 high = value + (u128)2 * five;
    bool even = mantissa % 2 == 0; /* then a halfway point is read as this number */
    uint64_t digits = 0;
    uint64_t unit = 100;
    for (; unit > 0; unit /= 10) {
        digits = round_to(value, shift, unit) * unit;
        u128 candidate = (u128)digits << shift;
        if ((candidate > low && candidate < high) ||
            (even && (candidate == low || candidate == high)))
            break;
    }
    out->exponent = digits == tens17 ? exponent + 1 : exponent;
    set_digits(out, digits);
}

/* As printf's %g lays it out: 0.001, 12.5, 3e-05. */
static void layout(char *text, const struct decimal *decimal)
{
    size_t at = 0;
    int exponent = decimal->exponent;
    size_t whole = exponent >= 0 ? (size_t)exponent + 1 : exponent < -4 ? 1 : 0;
    if (whole == 0) {
        text[at++] = '0';
        text[at++] = '.';
        for (int i = -1; i > exponent; i--)
            text[at++] = '0';
    }
    for (size_t i = 0; i < decimal->count || i < whole; i++) {
        if (i == whole && whole > 0)
            text[at++] = '.';
        text[at++] = i < decimal->count ? decimal->digits[i] : '0';
    }
    if (exponent < -4) {
        text[at++] = 'e';
        text[at++] = '-';
        text[at++] = (char)('0' + -exponent / 10);
        text[at++] = (char)('0' + -exponent % 10);
    }
    text[at] = '\0';
}

/* Whole numbers below 1e15: no rounding is possible, so no search either. */
static void whole_text(char *text, double size)
{
    char digits[OCK_NUMBER_TEXT_SIZE];
    uint64_t rest = (uint64_t)size;
    size_t begin = sizeof(digits);
    do {
        digits[--begin] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    memcpy(text, digits + begin, sizeof(digits) - begin);
    text[sizeof(digits) - begin] = '\0';
}

static bool reads_back(char text[OCK_NUMBER_TEXT_SIZE], int precision, double value)
{
    (void)snprintf(text, OCK_NUMBER_TEXT_SIZE, "%.*g", precision, value);
    return strtod(text, NULL) == value;
}

void ock_number_text(char text[OCK_NUMBER_TEXT_SIZE], double value)
{
    double size = fabs(value);
    size_t sign = signbit(value) ? 1 : 0;
    assert(isfinite(value));
    if (size < EXACT_MAX && size == trunc(size)) {
        text[0] = '-';
        whole_text(text + sign, size);
        return;
    }
    if (size >= EXACT_MIN && size < EXACT_MAX) {
        struct decimal decimal;
        shortest(&decimal, size);
        text[0] = '-';
        layout(text + sign, &decimal);
        return;
    }
    /* Subnormal numbers have fewer than 15 digits to tell. */
    int precision = size < DBL_MIN ? 1 : 15;
    while (!reads_back(text, precision, value) && precision < 17)
        precision++;
}
