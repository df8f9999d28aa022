/* Ids and times as the API shows them. */
#ifndef OCK_SERVER_IDS_H
#define OCK_SERVER_IDS_H

#include <stdbool.h>
#include <stdint.h>

#include "server/engine.h"

/* prefix and a ULID: 48 bits of milliseconds, 80 random bits, Crockford's base 32; ids made later
 * sort later, also within one millisecond (of one process). Thread-safe.
 * Source: the ULID specification, https://github.com/ulid/spec. */
void ock_id_make(char id[OCK_ID_SIZE], const char *prefix);
/* The text is prefix and 26 characters of base 32, so it may become a path. */
bool ock_id_valid(const char *text, const char *prefix);

int64_t ock_now_ms(void); /* since 1970, UTC */
/* "2026-01-31T09:12:44.120Z" */
enum { OCK_TIME_TEXT_SIZE = 32 };
void ock_time_text(char text[OCK_TIME_TEXT_SIZE], int64_t ms);

#endif
