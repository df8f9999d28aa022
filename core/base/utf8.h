/* UTF-8, one character at a time. */
#ifndef OCK_BASE_UTF8_H
#define OCK_BASE_UTF8_H

#include <stddef.h>

/* Bytes of the character that begins at text[0], 1 to 4; 0 if the `size` bytes there don't begin
 * with a whole and valid one (overlong forms, surrogates and what is above U+10FFFF are invalid).
 * Source: RFC 3629, section 4. */
size_t ock_utf8_char(const char *text, size_t size);

/* Takes half a character off the end of a C string that was cut to fit its buffer. */
void ock_utf8_trim(char *text);

#endif
