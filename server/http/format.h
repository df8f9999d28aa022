/* Events as the text of a stream: SSE or NDJSON. */
#ifndef OCK_SERVER_HTTP_FORMAT_H
#define OCK_SERVER_HTTP_FORMAT_H

#include "core/base/buf.h"

enum ock_feed_format { OCK_FEED_SSE, OCK_FEED_NDJSON };

const char *ock_format_type(enum ock_feed_format format); /* the media type */
/* What a stream begins with: how soon an EventSource comes back. */
void ock_format_begin(struct ock_buf *out, enum ock_feed_format format);
/* What says that the connection lives: a comment, or an empty line. */
void ock_format_heartbeat(struct ock_buf *out, enum ock_feed_format format);

/* Where an event's id comes from. */
enum ock_numbering {
    OCK_NUMBER_IS_SEQ,  /* its own seq; none: no id */
    OCK_NUMBER_IN_FRONT /* "17 {…}": the number in front of the line */
};
/* Adds events: JSON objects of our own making, '\n' behind each. */
void ock_format_events(struct ock_buf *out, enum ock_feed_format format,
                       enum ock_numbering numbering, const struct ock_buf *lines);

#endif
