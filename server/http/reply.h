/* What a handler answers: status, header fields and a body of one kind. */
#ifndef OCK_SERVER_HTTP_REPLY_H
#define OCK_SERVER_HTTP_REPLY_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "server/problem.h"

struct ock_feed;

enum { OCK_REPLY_FIELDS_MAX = 12, OCK_REPLY_BYTES_MAX = 256 << 20 };

struct ock_reply {
    int status;               /* 0: not answered yet */
    const char *content_type; /* static; NULL: no body */
    const char *cache;        /* Cache-Control, static; NULL: no-store */
    bool close;               /* the connection ends with this answer */
    bool http_1_0;            /* for a client that can't read chunks */
    size_t field_count;
    struct ock_reply_field {
        const char *name; /* static */
        char *value;      /* owned */
    } fields[OCK_REPLY_FIELDS_MAX];
    /* One of these is the body: */
    struct ock_buf body;
    const void *bytes; /* static */
    size_t size;
    struct ock_feed *feed; /* owned until it is sent */
    int fd;                /* owned until it is sent; -1: none */
    uint64_t fd_offset, fd_size;
};

void ock_reply_init(struct ock_reply *reply);
void ock_reply_deinit(struct ock_reply *reply);

/* Adds a header field; value is printf's. One that does not fit is left out. */
void ock_reply_field(struct ock_reply *reply, const char *name, const char *value, ...)
    __attribute__((format(printf, 3, 4)));

/* 200 (or another status) with the JSON that stands in reply->body. */
void ock_reply_json(struct ock_reply *reply, int status);

/* An answer without a body: 204, 304. */
void ock_reply_empty(struct ock_reply *reply, int status);

/* A static text, or static bytes, of a static type. */
void ock_reply_text(struct ock_reply *reply, int status, const char *type, const char *text);
void ock_reply_bytes(struct ock_reply *reply, int status, const char *type, const void *bytes,
                     size_t size);

/* The problem object in place of whatever stood in reply (header fields are kept). */
void ock_reply_problem(struct ock_reply *reply, const struct ock_problem *problem,
                       const char *request_id);

/* Makes the library's response and queues it; bodies are handed over. */
enum MHD_Result ock_reply_send(struct ock_reply *reply, struct MHD_Connection *connection,
                               const char *request_id);

#endif
