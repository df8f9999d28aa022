/* Listen addresses. Nothing is looked up in DNS: what a server binds to should be written down. */
#include "server/http/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LISTEN_BACKLOG = 4096, GONE_MS = 60000 };

/* Digits only, 0 to 65535. */
static bool parse_port(const char *text, uint16_t *port)
{
    unsigned value = 0;
    if (!*text || strlen(text) > 5)
        return false;
    for (const char *c = text; *c; c++) {
        if (*c < '0' || *c > '9')
            return false;
        value = value * 10 + (unsigned)(*c - '0');
    }
    if (value > 65535)
        return false;
    *port = (uint16_t)value;
    return true;
}

static void set_v4(struct ock_address *address, struct in_addr host, uint16_t port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = host};
    memcpy(&address->storage, &v4, sizeof(v4));
    address->size = sizeof(v4);
    address->port = port;
    address->loopback = (ntohl(host.s_addr) >> 24) == 127;
    address->any = host.s_addr == htonl(INADDR_ANY);
}

static void set_v6(struct ock_address *address, struct in6_addr host, uint16_t port)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = host};
    memcpy(&address->storage, &v6, sizeof(v6));
    address->size = sizeof(v6);
    address->port = port;
    address->loopback = IN6_IS_ADDR_LOOPBACK(&host);
    address->any = IN6_IS_ADDR_UNSPECIFIED(&host);
}

/* Splits "host:port" or "[host]:port"; a text without a colon is a port. */
static bool split(const char *text, char *host, size_t host_size, uint16_t *port, bool *v6)
{
    const char *colon = strrchr(text, ':');
    size_t length = colon ? (size_t)(colon - text) : 0;
    *v6 = length >= 2 && text[0] == '[' && text[length - 1] == ']';
    const char *begin = *v6 ? text + 1 : text;
    if (*v6)
        length -= 2;
    if (length >= host_size || (!*v6 && memchr(begin, ':', length)))
        return false;
    memcpy(host, begin, length);
    host[length] = '\0';
    return parse_port(colon ? colon + 1 : text, port);
}

enum ock_status ock_address_parse(struct ock_address *out, const char *text, struct ock_err *err)
{
    char host[INET6_ADDRSTRLEN + 1];
    uint16_t port = 0;
    bool v6 = false;
    struct ock_address address = {0};
    struct in_addr host4 = {.s_addr = htonl(INADDR_LOOPBACK)};
    struct in6_addr host6 = IN6ADDR_ANY_INIT;
    if (!split(text, host, sizeof(host), &port, &v6))
        goto invalid;
    if (v6) {
        if (inet_pton(AF_INET6, host, &host6) != 1)
            goto invalid;
        set_v6(&address, host6, port);
    } else if (strchr(text, ':') && (!*host || strcmp(host, "*") == 0)) {
        set_v6(&address, host6, port);
    } else if (!*host || strcmp(host, "localhost") == 0) {
        set_v4(&address, host4, port);
    } else {
        if (inet_pton(AF_INET, host, &host4) != 1)
            goto invalid;
        set_v4(&address, host4, port);
    }
    *out = address;
    return OCK_OK;
invalid:
    return ock_fail(err, OCK_INVALID,
                    "'%.100s' is no address to listen on; write 127.0.0.1:8080, [::1]:8080, "
                    "0.0.0.0:8080 or :8080",
                    text);
}

/* A kernel without IPv6 can't bind [::]; every IPv4 interface is then all there is. */
static int open_socket(struct ock_address *address)
{
    int type = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
    int fd = socket(address->storage.ss_family, type, 0);
    if (fd < 0 && errno == EAFNOSUPPORT && address->any && address->storage.ss_family == AF_INET6) {
        struct in_addr any = {.s_addr = htonl(INADDR_ANY)};
        set_v4(address, any, address->port);
        fd = socket(AF_INET, type, 0);
    }
    return fd;
}

static void learn_port(struct ock_address *address, int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } real = {.v6 = {.sin6_port = 0}};
    socklen_t size = sizeof(real);
    if (getsockname(fd, &real.any, &size) != 0)
        return;
    address->port = ntohs(real.any.sa_family == AF_INET ? real.v4.sin_port : real.v6.sin6_port);
}

enum ock_status ock_address_listen(struct ock_address *address, int *fd, struct ock_err *err)
{
    int on = 1, off = 0;
    unsigned gone_ms = GONE_MS;
    int sock = open_socket(address);
    if (sock < 0)
        return ock_fail_errno(err, errno, "cannot make a socket");
    (void)setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (address->storage.ss_family == AF_INET6)
        (void)setsockopt(sock, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    /* Connections inherit it: whoever is gone without a word is noticed by what he does not confirm.
     */
    (void)setsockopt(sock, IPPROTO_TCP, TCP_USER_TIMEOUT, &gone_ms, sizeof(gone_ms));
    if (bind(sock, (const struct sockaddr *)&address->storage, address->size) != 0 ||
        listen(sock, LISTEN_BACKLOG) != 0) {
        int error_number = errno;
        close(sock);
        return ock_fail_errno(err, error_number, "cannot listen on port %u",
                              (unsigned)address->port);
    }
    learn_port(address, sock);
    *fd = sock;
    return OCK_OK;
}

void ock_address_url(const struct ock_address *address, char *text, size_t size)
{
    char host[INET6_ADDRSTRLEN + 3] = "localhost";
    if (!address->any && address->storage.ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)&address->storage;
        (void)inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
    } else if (!address->any) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address->storage;
        char inner[INET6_ADDRSTRLEN];
        if (inet_ntop(AF_INET6, &v6->sin6_addr, inner, sizeof(inner)))
            (void)snprintf(host, sizeof(host), "[%s]", inner);
    }
    (void)snprintf(text, size, "http://%s:%u", host, (unsigned)address->port);
}
