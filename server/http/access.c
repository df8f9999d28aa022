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

#include "server/ids.h"

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

bool ock_access_token_is(const struct ock_access *access, const char *sent)
{
    size_t size = strlen(sent);
    unsigned difference = size == access->token_size ? 0 : 1;
    for (size_t i = 0; i < size && access->token_size > 0; i++) {
        char right = access->token[i % access->token_size];
        difference |= (unsigned)(unsigned char)(sent[i] ^ right);
    }
    return difference == 0 && access->token_size > 0;
}

enum ock_credential ock_access_credential(const struct ock_access *access,
                                          const struct ock_headers *headers, int64_t *expires_s)
{
    const char *field = headers->values[OCK_HTTP_AUTHORIZATION];
    if (access->token_size == 0)
        return OCK_CREDENTIAL_NONE;
    if (field && strncasecmp(field, "Bearer ", 7) == 0)
        return ock_access_token_is(access, field + 7 + strspn(field + 7, " "))
                   ? OCK_CREDENTIAL_TOKEN
                   : OCK_CREDENTIAL_NONE;
    /* Another scheme is a proxy's own. */
    return ock_session_find(&access->session, headers->values[OCK_HTTP_COOKIE], ock_now_ms() / 1000,
                            expires_s)
               ? OCK_CREDENTIAL_COOKIE
               : OCK_CREDENTIAL_NONE;
}

static bool check_credential(const struct ock_access *access, const struct ock_headers *headers,
                             enum ock_method method, struct ock_problem *problem)
{
    int64_t expires_s;
    bool safe = method == OCK_GET || method == OCK_HEAD || method == OCK_OPTIONS;
    enum ock_credential by = ock_access_credential(access, headers, &expires_s);
    if (by == OCK_CREDENTIAL_NONE) {
        ock_problem_set(problem, 401, "unauthorized", "A token is needed",
                        "send 'Authorization: Bearer TOKEN' with the server's token");
        return false;
    }
    if (by == OCK_CREDENTIAL_COOKIE && !safe && !headers->values[OCK_HTTP_ORIGIN]) {
        ock_problem_set(problem, 403, "origin_needed", "A cookie alone may not change anything",
                        "with a cookie, Origin must be there and the server's own; programs send "
                        "'Authorization: Bearer TOKEN'");
        return false;
    }
    return true;
}

bool ock_access_check(const struct ock_access *access, const struct ock_headers *headers,
                      enum ock_method method, bool open, struct ock_problem *problem)
{
    if (!check_origin(access, headers, problem))
        return false;
    if (access->token_size > 0)
        return open || check_credential(access, headers, method, problem);
    return check_host(access, headers->values[OCK_HTTP_HOST], problem);
}

/* "https://host[:port][/path]". */
static bool parse_public_url(struct ock_access *access, const char *url)
{
    static const char path_characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                          "0123456789-._~/";
    char origin[300];
    struct host_port host;
    const char *authority = strstr(url, "://");
    const char *path = authority ? strchr(authority + 3, '/') : NULL;
    size_t size = path ? (size_t)(path - url) : strlen(url), path_size = path ? strlen(path) : 0;
    while (path_size > 0 && path[path_size - 1] == '/')
        path_size--;
    if (size >= sizeof(origin) || path_size >= sizeof(access->public_path) ||
        (path && strspn(path, path_characters) < path_size))
        return false;
    memcpy(origin, url, size);
    origin[size] = '\0';
    if (!parse_origin(origin, &host))
        return false;
    if (path_size > 0)
        memcpy(access->public_path, path, path_size);
    access->public_path[path_size] = '\0';
    memcpy(access->public_host, host.host, sizeof(access->public_host));
    access->public_port = host.port;
    access->public_tls = strncasecmp(url, "https", 5) == 0;
    return true;
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
    ock_session_key_init(&access.session, token, access.token_size);
    if (options->public_url && !parse_public_url(&access, options->public_url))
        return ock_fail(err, OCK_INVALID,
                        "'%.100s' is no public URL; write https://ockham.example.org, or with a "
                        "proxy's prefix https://example.org/ockham",
                        options->public_url);
    if (!address->loopback && access.token_size == 0)
        return ock_fail(err, OCK_INVALID,
                        "an address beyond loopback needs a token: set OCKHAM_TOKEN or give "
                        "--token-file FILE (make one with 'openssl rand -hex 32'), or listen on "
                        "127.0.0.1");
    *out = access;
    return OCK_OK;
}
