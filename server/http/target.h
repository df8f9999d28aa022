/* The request target: path segments and query parameters, decoded strictly.
 *
 * The path is cut at '/' before %XX is decoded, so that an encoded slash stays inside its segment;
 * nothing of it ever becomes a path of a file. */
#ifndef OCK_SERVER_HTTP_TARGET_H
#define OCK_SERVER_HTTP_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/buf.h"
#include "core/base/status.h"

enum {
    OCK_TARGET_BYTES_MAX = 8000,
    OCK_SEGMENTS_MAX = 8,
    OCK_PARAMETERS_QUERY_MAX = 64,
};

struct ock_query {
    const char *name;
    const char *value;
};

struct ock_target {
    char *text; /* owned: all strings below point into it */
    size_t segment_count;
    const char *segments[OCK_SEGMENTS_MAX];
    size_t query_count;
    struct ock_query *query; /* owned; NULL: there are none */
};

/* Parses "/v1/jobs/job_1?limit=20". A plus sign in the query is a space, as forms write it.
 * Errors: INVALID (no slash in front, bad %XX, a NUL, a dot segment, bytes that are not UTF-8),
 * LIMIT (too long, too many segments or parameters), NOMEM. */
enum ock_status ock_target_parse(struct ock_target *out, const char *raw, struct ock_err *err);
void ock_target_deinit(struct ock_target *target); /* all-zero: a no-op */

/* The first parameter of this name, NULL if there is none. */
const char *ock_target_get(const struct ock_target *target, const char *name);

/* Appends text with everything but RFC 3986's unreserved characters as %XX. */
void ock_percent_encode(struct ock_buf *out, const char *text);

#endif
