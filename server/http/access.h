/* Who may: API.md's rules on Host, Origin and the token. */
#ifndef OCK_SERVER_HTTP_ACCESS_H
#define OCK_SERVER_HTTP_ACCESS_H

#include <stdbool.h>

#include "server/http/address.h"
#include "server/http/headers.h"
#include "server/http/session.h"
#include "server/problem.h"
#include "server/serve.h"

enum { OCK_TOKEN_BYTES_MIN = 16, OCK_TOKEN_BYTES_MAX = 1024 };

/* Immutable after start. */
struct ock_access {
    char token[OCK_TOKEN_BYTES_MAX + 1]; /* "": none, the server is open to loopback */
    size_t token_size;
    size_t allowed_host_count;
    const char *const *allowed_hosts; /* borrowed from the options */
    char public_host[256];            /* "" if there is no --public-url */
    unsigned public_port;
    char public_path[128]; /* "/ockham": the prefix that a proxy takes off; "": none */
    bool public_tls;       /* browsers come by https */
    struct ock_session_key session;
};

/* Finds the token (option, file, OCKHAM_TOKEN) and refuses what would be open to strangers.
 * Errors: INVALID (no token for an address beyond loopback, a token that is too short or not
 * printable, a public URL that is none), IO (the token's file). */
enum ock_status ock_access_init(struct ock_access *out, const struct ock_serve_options *options,
                                const struct ock_address *address, struct ock_err *err);

/* False: 401 or 403 in problem. Open: no token is asked for. A cookie counts like the token, but
 * where the method may change something, Origin has to be there: a browser sends it. */
bool ock_access_check(const struct ock_access *access, const struct ock_headers *headers,
                      enum ock_method method, bool open, struct ock_problem *problem);

/* What a request shows: the token (Authorization: Bearer, which decides alone where it is), else a
 * valid cookie, with its end in *expires_s (else untouched). */
enum ock_credential { OCK_CREDENTIAL_NONE, OCK_CREDENTIAL_TOKEN, OCK_CREDENTIAL_COOKIE };
enum ock_credential ock_access_credential(const struct ock_access *access,
                                          const struct ock_headers *headers, int64_t *expires_s);
/* The time it takes depends on the length of what was sent alone. */
bool ock_access_token_is(const struct ock_access *access, const char *sent);

#endif
