/* SHA-256 in hex. */
#include "core/base/sha256.h"

void ock_sha256_init(struct ock_sha256 *sha)
{
    sha256_init(&sha->state);
}

void ock_sha256_add(struct ock_sha256 *sha, const void *bytes, size_t size)
{
    sha256_update(&sha->state, size, bytes);
}

void ock_sha256_text(struct ock_sha256 *sha, char text[OCK_SHA256_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[SHA256_DIGEST_SIZE];
    sha256_digest(&sha->state, sizeof(digest), digest);
    for (size_t i = 0; i < sizeof(digest); i++) {
        text[2 * i] = digits[digest[i] >> 4];
        text[2 * i + 1] = digits[digest[i] & 15];
    }
    text[2 * sizeof(digest)] = '\0';
}
