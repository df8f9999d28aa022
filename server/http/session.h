/* The cookie that stands for the token in a browser: no script can read it, and no other site's page
 * can have it sent.
 *
 * "v1.EXPIRY.MAC": seconds since 1970, and HMAC-SHA256 of that by a key which is made from the token.
 * The server keeps nothing: a cookie outlives its restarts and dies with its token or its time. */
#ifndef OCK_SERVER_HTTP_SESSION_H
#define OCK_SERVER_HTTP_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    OCK_SESSION_KEY_BYTES = 32,
    OCK_SESSION_NAME_SIZE = 16,
    OCK_SESSION_VALUE_SIZE = 96,
    OCK_SESSION_S = 30 * 24 * 3600,
};

struct ock_session_key {
    unsigned char bytes[OCK_SESSION_KEY_BYTES];
    char name[OCK_SESSION_NAME_SIZE]; /* of the cookie: a browser does not tell the ports of a host
                                       * apart, so servers with other tokens need other names */
};

void ock_session_key_init(struct ock_session_key *key, const char *token, size_t token_size);

/* The cookie's value until expires_s. */
void ock_session_make(const struct ock_session_key *key, int64_t expires_s,
                      char value[OCK_SESSION_VALUE_SIZE]);

/* Whether a Cookie field (NULL: none) has one of ours that is valid at now_s, and until when. How
 * long it takes does not depend on how much of the MAC is right. */
bool ock_session_find(const struct ock_session_key *key, const char *field, int64_t now_s,
                      int64_t *expires_s);

#endif
