/* The request's header: what the HTTP library lets through and RFC 9112 does not, and a copy of the
 * fields that handlers look at. */
#ifndef OCK_SERVER_HTTP_HEADERS_H
#define OCK_SERVER_HTTP_HEADERS_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

enum ock_method {
    OCK_GET,
    OCK_POST,
    OCK_PUT,
    OCK_PATCH,
    OCK_DELETE,
    OCK_HEAD,
    OCK_OPTIONS,
    OCK_METHOD_COUNT,
};
/* "GET", …; and back: OCK_METHOD_COUNT if it is none of ours. */
const char *ock_method_name(enum ock_method method);
enum ock_method ock_method_find(const char *name);

enum ock_http_field {
    OCK_HTTP_ACCEPT,
    OCK_HTTP_ACCEPT_ENCODING,
    OCK_HTTP_AUTHORIZATION,
    OCK_HTTP_CONTENT_ENCODING,
    OCK_HTTP_CONTENT_LENGTH,
    OCK_HTTP_CONTENT_TYPE,
    OCK_HTTP_COOKIE,
    OCK_HTTP_EXPECT,
    OCK_HTTP_HOST,
    OCK_HTTP_IDEMPOTENCY_KEY,
    OCK_HTTP_IF_NONE_MATCH,
    OCK_HTTP_IF_RANGE,
    OCK_HTTP_LAST_EVENT_ID,
    OCK_HTTP_ORIGIN,
    OCK_HTTP_RANGE,
    OCK_HTTP_TRANSFER_ENCODING,
    OCK_HTTP_COUNT,
};

struct ock_headers {
    char *values[OCK_HTTP_COUNT]; /* owned; NULL: not sent */
    uint64_t content_length;      /* of Content-Length, else 0 */
    bool has_length, chunked, expects_continue;
    bool http_1_0; /* the client can't read chunks */
};

/* Copies the fields and checks them all: names are tokens, values have no control characters, at
 * most one of each field in the list (those that are lists, and Cookie, are joined), never both
 * Content-Length and Transfer-Encoding, the latter exactly "chunked" and not with HTTP/1.0, an HTTP
 * version of 1.0 or 1.1, a Host with 1.1.
 * Errors: INVALID (a sentence for the client), NOMEM. *out is to be freed in any case. */
enum ock_status ock_headers_read(struct ock_headers *out, struct MHD_Connection *connection,
                                 const char *version, struct ock_err *err);
void ock_headers_deinit(struct ock_headers *headers);

/* Content negotiation (RFC 9110, 12.5.1): the index of the type that `accept` likes best, the first
 * one on a tie; 0 if accept is NULL or empty; -1 if none is acceptable. Types are "text/csv". */
int ock_accept_best(const char *accept, const char *const *types, size_t count);
/* Whether accept names this very type, not by a wildcard, with a quality above 0. */
bool ock_accept_names(const char *accept, const char *type);

/* Whether an Accept-Encoding field takes a coding ("gzip"), by its name or by "*", with a quality
 * above 0. NULL takes none. */
bool ock_accept_coding(const char *field, const char *coding);

/* Whether a field like If-None-Match has this entity tag (weak comparison) or "*". */
bool ock_etag_listed(const char *field, const char *etag);

/* Content-Type without its parameters, in lower case, cut to fit; "" if there is none. */
void ock_media_type(const char *content_type, char *text, size_t size);

#endif
