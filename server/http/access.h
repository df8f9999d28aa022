/* Who may: API.md's rules on Host, Origin and the token. */
#ifndef OCK_SERVER_HTTP_ACCESS_H
#define OCK_SERVER_HTTP_ACCESS_H

#include <stdbool.h>

#include "server/http/address.h"
#include "server/http/headers.h"
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
};

/* Finds the token (option, file, OCKHAM_TOKEN) and refuses what would be open to strangers.
 * Errors: INVALID (no token for an address beyond loopback, a token that is too short or not
 * printable, a public URL that is none), IO (the token's file). */
enum ock_status ock_access_init(struct ock_access *out, const struct ock_serve_options *options,
                                const struct ock_address *address, struct ock_err *err);

/* False: 401 or 403 in problem. */
bool ock_access_check(const struct ock_access *access, const struct ock_headers *headers,
                      struct ock_problem *problem);

#endif
