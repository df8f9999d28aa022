/* The rules, one function each.
 *
 * Without a token, the check of Host is what keeps a web page from reaching us through a name that
 * it lets point to 127.0.0.1; with one, a page has no token. Origin is checked on every method, so
 * that no page of another origin can send even what a browser lets it send blindly. */
#include "server/http/access.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

struct host_port {
    char host[256]; /* lower case; IPv6 in its brackets */
    unsigned port;  /* 0: not given */
};

static bool parse_port(const char *text, unsigned *port)
{
    if (!*text || strlen(text) > 5)
        return false;
    unsigned value = 0;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        value = value * 10 + (unsigned)(*text - '0');
    }
    *port = value;
    return value > 0 && value < 65536;
}

/* "host", "host:port", "[::1]:port". */
static bool parse_host_port(const char *text, struct host_port *out)
{
    size_t length = text[0] == '[' ? strcspn(text, "]") : strcspn(text, ":");
    if (text[0] == '[') {
        if (text[length] != ']')
            return false;
        length++;
    }
    if (length == 0 || length >= sizeof(out->host))
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!isgraph((unsigned char)text[i]) || strchr("/@?#\\\"", text[i]))
            return false;
        out->host[i] = (char)tolower((unsigned char)text[i]);
    }
    out->host[length] = '\0';
    out->port = 0;
    if (!text[length])
        return true;
    return text[length] == ':' && parse_port(text + length + 1, &out->port);
}

/* "https://host[:port]" and nothing behind it but one slash; the scheme's port where none is. */
static bool parse_origin(const char *text, struct host_port *out)
{
    char rest[280] = "";
    unsigned port = 80;
    if (strncasecmp(text, "http://", 7) == 0) {
        text += 7;
    } else if (strncasecmp(text, "https://", 8) == 0) {
        text += 8;
        port = 443;
    } else {
        return false;
    }
    size_t length = strlen(text);
    if (length > 0 && text[length - 1] == '/')
        length--;
    if (length >= sizeof(rest))
        return false;
    memcpy(rest, text, length);
    rest[length] = '\0';
    if (!parse_host_port(rest, out))
        return false;
    if (out->port == 0)
        out->port = port;
    return true;
}

static bool host_is_loopback(const char *host)
{
    struct in_addr v4;
    if (strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
        return true;
    return inet_pton(AF_INET, host, &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127;
}

static bool check_host(const struct ock_access *access, const char *field,
                       struct ock_problem *problem)
{
    struct host_port host;
    if (field && parse_host_port(field, &host)) {
        if (host_is_loopback(host.host))
            return true;
        for (size_t i = 0; i < access->allowed_host_count; i++) {
            if (strcasecmp(host.host, access->allowed_hosts[i]) == 0)
                return true;
        }
    }
    ock_problem_set(problem, 403, "host_not_allowed", "The Host is not one of this server's",
                    "a server without a token answers to localhost, 127.0.0.1 and [::1]; add "
                    "others with --allowed-host NAME");
    return false;
}

static bool check_origin(const struct ock_access *access, const struct ock_headers *headers,
                         struct ock_problem *problem)
{
    const char *field = headers->values[OCK_HTTP_ORIGIN];
    const char *host_field = headers->values[OCK_HTTP_HOST];
    struct host_port origin, host;
    if (!field)
        return true;
    if (parse_origin(field, &origin)) {
        if (access->public_host[0] && strcmp(origin.host, access->public_host) == 0 &&
            origin.port == access->public_port)
            return true;
        if (host_field && parse_host_port(host_field, &host)) {
            unsigned standard = strncasecmp(field, "https", 5) == 0 ? 443 : 80;
            unsigned port = host.port ? host.port : standard;
            if (strcmp(origin.host, host.host) == 0 && origin.port == port)
                return true;
        }
    }
    ock_problem_set(problem, 403, "origin_not_allowed",
                    "Pages of that origin may not use this server",
                    "Origin must be the server's own or --public-url's");
    return false;
}

/* The time depends on the length of what was sent alone. */
static bool same_token(const struct ock_access *access, const char *sent)
{
    size_t size = strlen(sent);
    unsigned difference = size == access->token_size ? 0 : 1;
    for (size_t i = 0; i < size; i++) {
        char right = access->token[i % access->token_size];
        difference |= (unsigned)(unsigned char)(sent[i] ^ right);
    }
    return difference == 0;
}

static bool check_token(const struct ock_access *access, const char *field,
                        struct ock_problem *problem)
{
    if (field && strncasecmp(field, "Bearer ", 7) == 0) {
        const char *sent = field + 7 + strspn(field + 7, " ");
        if (same_token(access, sent))
            return true;
    }
    ock_problem_set(problem, 401, "unauthorized", "A token is needed",
                    "send 'Authorization: Bearer TOKEN' with the server's token");
    return false;
}

bool ock_access_check(const struct ock_access *access, const struct ock_headers *headers,
                      struct ock_problem *problem)
{
    if (!check_origin(access, headers, problem))
        return false;
    if (access->token_size > 0)
        return check_token(access, headers->values[OCK_HTTP_AUTHORIZATION], problem);
    return check_host(access, headers->values[OCK_HTTP_HOST], problem);
}

/* The first line of the file, without its end. */
static enum ock_status read_token_file(const char *path, char *token, size_t size,
                                       struct ock_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return ock_fail_errno(err, errno, "cannot open the token's file %s", path);
    ssize_t got = read(fd, token, size - 1);
    int error_number = errno;
    close(fd);
    if (got < 0)
        return ock_fail_errno(err, error_number, "cannot read the token's file %s", path);
    token[got] = '\0';
    token[strcspn(token, "\r\n")] = '\0';
    return OCK_OK;
}

static enum ock_status check_token_text(const char *token, struct ock_err *err)
{
    size_t size = strlen(token);
    if (size < OCK_TOKEN_BYTES_MIN || size > OCK_TOKEN_BYTES_MAX)
        return ock_fail(err, OCK_INVALID,
                        "the token has %zu characters; %d to %d are taken (make one with "
                        "'openssl rand -hex 32')",
                        size, OCK_TOKEN_BYTES_MIN, OCK_TOKEN_BYTES_MAX);
    for (const char *c = token; *c; c++) {
        if (!isgraph((unsigned char)*c))
            return ock_fail(err, OCK_INVALID, "the token has characters that are not printable");
    }
    return OCK_OK;
}

static enum ock_status find_token(char *token, size_t size, const struct ock_serve_options *options,
                                  struct ock_err *err)
{
    const char *given = options->token;
    token[0] = '\0';
    if (!given && options->token_file) {
        enum ock_status status = read_token_file(options->token_file, token, size, err);
        return status == OCK_OK ? check_token_text(token, err) : status;
    }
    if (!given)
        given = getenv("OCKHAM_TOKEN"); /* NOLINT(concurrency-mt-unsafe): no thread is there yet */
    if (!given || !*given)
        return OCK_OK;
    enum ock_status status = check_token_text(given, err);
    if (status == OCK_OK)
        (void)snprintf(token, size, "%s", given);
    return status;
}

enum ock_status ock_access_init(struct ock_access *out, const struct ock_serve_options *options,
                                const struct ock_address *address, struct ock_err *err)
{
    struct ock_access access = {.allowed_host_count = options->allowed_host_count,
                                .allowed_hosts = options->allowed_hosts};
    char token[OCK_TOKEN_BYTES_MAX + 2];
    enum ock_status status = find_token(token, sizeof(token), options, err);
    if (status != OCK_OK)
        return status;
    access.token_size = strlen(token);
    memcpy(access.token, token, access.token_size + 1);
    if (options->public_url) {
        struct host_port url;
        if (!parse_origin(options->public_url, &url))
            return ock_fail(err, OCK_INVALID,
                            "'%.100s' is no public URL; write https://ockham.example.org",
                            options->public_url);
        memcpy(access.public_host, url.host, sizeof(access.public_host));
        access.public_port = url.port;
    }
    if (!address->loopback && access.token_size == 0)
        return ock_fail(err, OCK_INVALID,
                        "an address beyond loopback needs a token: set OCKHAM_TOKEN or give "
                        "--token-file FILE (make one with 'openssl rand -hex 32'), or listen on "
                        "127.0.0.1");
    *out = access;
    return OCK_OK;
}
