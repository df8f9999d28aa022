/* UTF-8 by the table of RFC 3629: the second byte's range depends on the first. */
#include "core/base/utf8.h"

#include <stdint.h>
#include <string.h>

size_t ock_utf8_char(const char *text, size_t size)
{
    if (size == 0)
        return 0;
    uint8_t first = (uint8_t)text[0];
    if (first < 0x80)
        return 1;
    size_t length = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
    if (length == 0 || length > size)
        return 0;
    uint8_t low = 0x80, high = 0xBF;
    if (first == 0xE0)
        low = 0xA0; /* else overlong */
    else if (first == 0xED)
        high = 0x9F; /* else a surrogate */
    else if (first == 0xF0)
        low = 0x90; /* else overlong */
    else if (first == 0xF4)
        high = 0x8F; /* else above U+10FFFF */
    uint8_t second = (uint8_t)text[1];
    if (second < low || second > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if (((uint8_t)text[i] & 0xC0) != 0x80)
            return 0;
    return length;
}

void ock_utf8_trim(char *text)
{
    size_t size = strlen(text);
    size_t begin = size;
    while (begin > 0 && size - begin < 3 && ((uint8_t)text[begin - 1] & 0xC0) == 0x80)
        begin--;
    if (begin == 0 || (uint8_t)text[begin - 1] < 0x80)
        return; /* ends in ASCII; stray continuation bytes are not a cut character */
    begin--;
    if (ock_utf8_char(text + begin, size - begin) == 0)
        text[begin] = '\0';
}
