/* Fields of tables. Most numbers are short: at most 2^53 as a whole number and a power of ten that
 * a double holds exactly, so one multiplication or division rounds once and is right (Clinger 1990,
 * "How to read floating point numbers accurately", section 3). The rest goes to strtod. */
#include "core/data/field.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"

static bool same_word(const char *text, size_t size, const char *word)
{
    return strlen(word) == size && strncasecmp(text, word, size) == 0;
}

static enum ock_field read_word(const char *text, size_t size)
{
    static const char *const missing[] = {"?", "na", "nan", "n/a", "null"};
    static const char *const infinite[] = {"inf", "infinity"};
    if (size == 0)
        return OCK_FIELD_MISSING;
    if (size > 9) /* longer than "-infinity" */
        return OCK_FIELD_TEXT;
    for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
        if (same_word(text, size, missing[i]))
            return OCK_FIELD_MISSING;
    }
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
    uint64_t digits; /* as a whole number, while `exact` */
    size_t count;    /* digits read */
    int exponent;    /* of ten */
    bool exact;      /* digits has them all */
};

static const char *read_digits(const char *text, struct decimal *d)
{
    for (; is_digit(*text); text++) {
        if (d->digits > (UINT64_C(1) << 53) / 10)
            d->exact = false;
        if (d->exact)
            d->digits = 10 * d->digits + (uint64_t)(*text - '0');
        d->count++;
    }
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
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    struct decimal d = {.exact = true};
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
        return read_word(text, size);

    if (d.exact && d.digits <= UINT64_C(1) << 53 && d.exponent >= -22 && d.exponent <= 22) {
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
