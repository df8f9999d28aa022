/* Doubles as text. A decimal of at most 15 digits survives the way to a double and back, so %.15g
 * finds every short number; most sums and means need 16 or 17 digits. */
#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/jsonw.h"

/* Whole numbers below 1e15: no rounding is possible, so no search either. */
static void whole_text(char text[OCK_NUMBER_TEXT_SIZE], double value)
{
    char digits[OCK_NUMBER_TEXT_SIZE];
    uint64_t rest = (uint64_t)fabs(value);
    size_t begin = sizeof(digits);
    do {
        digits[--begin] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (signbit(value))
        digits[--begin] = '-';
    memcpy(text, digits + begin, sizeof(digits) - begin);
    text[sizeof(digits) - begin] = '\0';
}

static int reads_back(char text[OCK_NUMBER_TEXT_SIZE], int precision, double value)
{
    (void)snprintf(text, OCK_NUMBER_TEXT_SIZE, "%.*g", precision, value);
    return strtod(text, NULL) == value;
}

void ock_number_text(char text[OCK_NUMBER_TEXT_SIZE], double value)
{
    assert(isfinite(value));
    if (fabs(value) < 1e15 && value == trunc(value)) {
        whole_text(text, value);
        return;
    }
    /* Subnormal numbers have fewer than 15 digits to tell. */
    int precision = fabs(value) < DBL_MIN ? 1 : 15;
    while (!reads_back(text, precision, value) && precision < 17)
        precision++;
}
