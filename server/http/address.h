/* Where the server listens: the text of --listen, and the socket. */
#ifndef OCK_SERVER_HTTP_ADDRESS_H
#define OCK_SERVER_HTTP_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "core/base/status.h"

struct ock_address {
    struct sockaddr_storage storage;
    socklen_t size;
    bool loopback; /* nobody but this machine can connect */
    bool any;      /* every interface */
    uint16_t port;
};

/* "127.0.0.1:8080", "[::1]:8080", "::1" is not taken (ambiguous), "localhost:8080" is 127.0.0.1,
 * ":8080" and "*:8080" are every interface (IPv6 and IPv4), a number alone is that port of
 * 127.0.0.1. Names are not looked up.
 * Errors: INVALID. */
enum ock_status ock_address_parse(struct ock_address *out, const char *text, struct ock_err *err);

/* A listening socket, close-on-exec and non-blocking, into *fd; address->port becomes the real one
 * where it was 0. Errors: IO (in use, not ours to bind), INVALID. */
enum ock_status ock_address_listen(struct ock_address *address, int *fd, struct ock_err *err);

/* "http://127.0.0.1:8080"; every interface is spelt as localhost. */
void ock_address_url(const struct ock_address *address, char *text, size_t size);

#endif
