/* Key, name and MAC are HMACs with texts of their own, so that none can be taken for another. */
#include "server/http/session.h"

#include <inttypes.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void authenticate(const void *key, size_t key_size, const char *text,
                         unsigned char mac[OCK_SESSION_KEY_BYTES])
{
    struct hmac_sha256_ctx hmac;
    hmac_sha256_set_key(&hmac, key_size, key);
    hmac_sha256_update(&hmac, strlen(text), (const uint8_t *)text);
    hmac_sha256_digest(&hmac, OCK_SESSION_KEY_BYTES, mac);
}

void ock_session_key_init(struct ock_session_key *key, const char *token, size_t token_size)
{
    unsigned char name[OCK_SESSION_KEY_BYTES];
    authenticate(token, token_size, "ockham session key", key->bytes);
    authenticate(token, token_size, "ockham session name", name);
    (void)snprintf(key->name, sizeof(key->name), "ockham_%02x%02x%02x%02x", name[0], name[1],
                   name[2], name[3]);
}

void ock_session_make(const struct ock_session_key *key, int64_t expires_s,
                      char value[OCK_SESSION_VALUE_SIZE])
{
    unsigned char mac[OCK_SESSION_KEY_BYTES];
    int length = snprintf(value, OCK_SESSION_VALUE_SIZE, "v1.%" PRId64, expires_s);
    authenticate(key->bytes, sizeof(key->bytes), value, mac);
    value[length++] = '.';
    for (size_t i = 0; i < sizeof(mac); i++, length += 2)
        (void)snprintf(value + length, 3, "%02x", mac[i]);
}

/* The value is exactly the one that would be made for the time that it names. */
static bool value_is_valid(const struct ock_session_key *key, const char *value, size_t size,
                           int64_t now_s, int64_t *expires_s)
{
    char right[OCK_SESSION_VALUE_SIZE], digits[12];
    size_t length = 0;
    if (size < 3 || memcmp(value, "v1.", 3) != 0)
        return false;
    while (3 + length < size && value[3 + length] >= '0' && value[3 + length] <= '9')
        length++;
    if (length == 0 || length >= sizeof(digits))
        return false;
    memcpy(digits, value + 3, length);
    digits[length] = '\0';
    int64_t expires = strtoll(digits, NULL, 10);
    ock_session_make(key, expires, right);
    if (size != strlen(right) || !memeql_sec(right, value, size) || expires <= now_s)
        return false;
    *expires_s = expires;
    return true;
}

bool ock_session_find(const struct ock_session_key *key, const char *field, int64_t now_s,
                      int64_t *expires_s)
{
    size_t name_size = strlen(key->name);
    while (field && *field) {
        field += strspn(field, "; \t");
        size_t size = strcspn(field, "; \t");
        if (size > name_size && memcmp(field, key->name, name_size) == 0 &&
            field[name_size] == '=' &&
            value_is_valid(key, field + name_size + 1, size - name_size - 1, now_s, expires_s))
            return true;
        field += size;
    }
    return false;
}
