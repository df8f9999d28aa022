/* Request bodies: what is refused before they come, and where their bytes go. */
#ifndef OCK_SERVER_HTTP_BODY_H
#define OCK_SERVER_HTTP_BODY_H

#include "server/http/exchange.h"

/* On the first call: 411, 413, 415 and 507, by the header alone. */
bool ock_body_check(const struct ock_exchange *x, struct ock_problem *problem);

/* A piece: into x->body or x->upload, or dropped. False: problem; the rest is to be dropped. */
bool ock_body_add(struct ock_exchange *x, const char *bytes, size_t size,
                  struct ock_problem *problem);

#endif
