/* The header check of TRAPS: everything that two programs could understand in two ways is refused,
 * so that no proxy in front of us sees another request than we do. */
#include "server/http/headers.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const method_names[OCK_METHOD_COUNT] = {
    [OCK_GET] = "GET",       [OCK_POST] = "POST", [OCK_PUT] = "PUT",         [OCK_PATCH] = "PATCH",
    [OCK_DELETE] = "DELETE", [OCK_HEAD] = "HEAD", [OCK_OPTIONS] = "OPTIONS",
};

static const char *const header_names[OCK_HTTP_COUNT] = {
    [OCK_HTTP_ACCEPT] = "accept",
    [OCK_HTTP_ACCEPT_ENCODING] = "accept-encoding",
    [OCK_HTTP_AUTHORIZATION] = "authorization",
    [OCK_HTTP_CONTENT_ENCODING] = "content-encoding",
    [OCK_HTTP_CONTENT_LENGTH] = "content-length",
    [OCK_HTTP_CONTENT_TYPE] = "content-type",
    [OCK_HTTP_COOKIE] = "cookie",
    [OCK_HTTP_EXPECT] = "expect",
    [OCK_HTTP_HOST] = "host",
    [OCK_HTTP_IDEMPOTENCY_KEY] = "idempotency-key",
    [OCK_HTTP_IF_NONE_MATCH] = "if-none-match",
    [OCK_HTTP_IF_RANGE] = "if-range",
    [OCK_HTTP_LAST_EVENT_ID] = "last-event-id",
    [OCK_HTTP_ORIGIN] = "origin",
    [OCK_HTTP_RANGE] = "range",
    [OCK_HTTP_TRANSFER_ENCODING] = "transfer-encoding",
};

const char *ock_method_name(enum ock_method method)
{
    return method < OCK_METHOD_COUNT ? method_names[method] : "OTHER";
}

enum ock_method ock_method_find(const char *name)
{
    for (int i = 0; i < OCK_METHOD_COUNT; i++) {
        if (strcmp(name, method_names[i]) == 0)
            return (enum ock_method)i;
    }
    return OCK_METHOD_COUNT;
}

struct reading {
    struct ock_headers *headers;
    struct ock_err *err;
    enum ock_status status;
};

static bool token_char(unsigned char c)
{
    return isalnum(c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool name_is_token(const char *name, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (!token_char((unsigned char)name[i]))
            return false;
    }
    return size > 0;
}

static bool value_is_clean(const char *value, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)value[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

/* Joins a second field of the same name to the first one, for those that are lists. */
static char *join(const char *first, const char *between, const char *second)
{
    size_t size = strlen(first) + strlen(between) + strlen(second) + 1;
    char *text = malloc(size);
    if (text)
        (void)snprintf(text, size, "%s%s%s", first, between, second);
    return text;
}

static enum ock_status keep(struct reading *reading, enum ock_http_field header, const char *value)
{
    char **slot = &reading->headers->values[header];
    bool list = header == OCK_HTTP_ACCEPT || header == OCK_HTTP_ACCEPT_ENCODING ||
                header == OCK_HTTP_IF_NONE_MATCH;
    bool cookie = header == OCK_HTTP_COOKIE; /* a proxy may have taken one field apart */
    if (*slot && !list && !cookie)
        return ock_fail(reading->err, OCK_INVALID, "the header field %s is there twice",
                        header_names[header]);
    char *text = *slot ? join(*slot, cookie ? "; " : ", ", value) : strdup(value);
    if (!text)
        return ock_fail(reading->err, OCK_NOMEM, "out of memory for the header");
    free(*slot);
    *slot = text;
    return OCK_OK;
}

static enum MHD_Result read_field(void *ctx, enum MHD_ValueKind kind, const char *name,
                                  size_t name_size, const char *value, size_t value_size)
{
    struct reading *reading = ctx;
    (void)kind;
    if (!name_is_token(name, name_size)) {
        reading->status = ock_fail(reading->err, OCK_INVALID, "a header field's name is no token");
        return MHD_NO;
    }
    if (!value)
        value = "";
    if (!value_is_clean(value, value_size)) {
        reading->status =
            ock_fail(reading->err, OCK_INVALID, "a header field has control characters");
        return MHD_NO;
    }
    for (int i = 0; i < OCK_HTTP_COUNT && reading->status == OCK_OK; i++) {
        if (strcasecmp(name, header_names[i]) == 0)
            reading->status = keep(reading, (enum ock_http_field)i, value);
    }
    return reading->status == OCK_OK ? MHD_YES : MHD_NO;
}

static bool parse_length(const char *text, uint64_t *length)
{
    if (!*text || strlen(text) > 18)
        return false;
    *length = 0;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        *length = *length * 10 + (uint64_t)(*text - '0');
    }
    return true;
}

static enum ock_status check_framing(struct ock_headers *headers, bool http_1_0,
                                     struct ock_err *err)
{
    const char *length = headers->values[OCK_HTTP_CONTENT_LENGTH];
    const char *coding = headers->values[OCK_HTTP_TRANSFER_ENCODING];
    if (length && coding)
        return ock_fail(err, OCK_INVALID,
                        "Content-Length and Transfer-Encoding do not go together");
    if (length && !parse_length(length, &headers->content_length))
        return ock_fail(err, OCK_INVALID, "Content-Length is no number");
    if (coding && (http_1_0 || strcasecmp(coding, "chunked") != 0))
        return ock_fail(err, OCK_INVALID,
                        "Transfer-Encoding must be chunked, and only with HTTP/1.1");
    const char *expect = headers->values[OCK_HTTP_EXPECT];
    headers->has_length = length != NULL;
    headers->chunked = coding != NULL;
    headers->expects_continue = expect && strcasecmp(expect, "100-continue") == 0;
    return OCK_OK;
}

enum ock_status ock_headers_read(struct ock_headers *out, struct MHD_Connection *connection,
                                 const char *version, struct ock_err *err)
{
    *out = (struct ock_headers){0};
    struct reading reading = {.headers = out, .err = err, .status = OCK_OK};
    bool http_1_0 = strcmp(version, "HTTP/1.0") == 0;
    out->http_1_0 = http_1_0;
    if (!http_1_0 && strcmp(version, "HTTP/1.1") != 0)
        return ock_fail(err, OCK_INVALID, "the HTTP version is neither 1.0 nor 1.1");
    (void)MHD_get_connection_values_n(connection, MHD_HEADER_KIND, read_field, &reading);
    if (reading.status != OCK_OK)
        return reading.status;
    if (!http_1_0 && !out->values[OCK_HTTP_HOST])
        return ock_fail(err, OCK_INVALID, "the header field Host is missing");
    return check_framing(out, http_1_0, err);
}

void ock_headers_deinit(struct ock_headers *headers)
{
    for (int i = 0; i < OCK_HTTP_COUNT; i++)
        free(headers->values[i]);
    *headers = (struct ock_headers){0};
}
