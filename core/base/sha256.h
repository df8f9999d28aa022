/* SHA-256, by nettle. */
#ifndef OCK_BASE_SHA256_H
#define OCK_BASE_SHA256_H

#include <nettle/sha2.h>
#include <stddef.h>

enum { OCK_SHA256_TEXT_SIZE = 65 }; /* 64 hex digits and a NUL */

struct ock_sha256 {
    struct sha256_ctx state;
};

void ock_sha256_init(struct ock_sha256 *sha);
void ock_sha256_add(struct ock_sha256 *sha, const void *bytes, size_t size);
void ock_sha256_text(struct ock_sha256 *sha, char text[OCK_SHA256_TEXT_SIZE]); /* ends it */

#endif
