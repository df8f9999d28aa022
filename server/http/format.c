/* The two texts of a stream. Type and seq stand at the front of an event, so that looking for them
 * is quick. */
#include "server/http/format.h"

#include <inttypes.h>
#include <string.h>

#include "server/member.h"

const char *ock_format_type(enum ock_feed_format format)
{
    return format == OCK_FEED_SSE ? "text/event-stream" : "application/x-ndjson";
}

void ock_format_begin(struct ock_buf *out, enum ock_feed_format format)
{
    if (format == OCK_FEED_SSE)
        ock_buf_puts(out, "retry: 3000\n\n");
}

void ock_format_heartbeat(struct ock_buf *out, enum ock_feed_format format)
{
    ock_buf_puts(out, format == OCK_FEED_SSE ? ": heartbeat\n\n" : "\n");
}

/* number 0: the event has no id. */
static void add_event(struct ock_buf *out, enum ock_feed_format format, uint64_t number,
                      const char *line, size_t size)
{
    char type[32];
    if (format == OCK_FEED_NDJSON) {
        ock_buf_add(out, line, size);
        ock_buf_putc(out, '\n');
        return;
    }
    if (number > 0)
        ock_buf_printf(out, "id: %" PRIu64 "\n", number);
    if (ock_member_string(line, size, "type", type, sizeof(type)))
        ock_buf_printf(out, "event: %s\n", type);
    ock_buf_puts(out, "data: ");
    ock_buf_add(out, line, size);
    ock_buf_puts(out, "\n\n");
}

/* Reads "17 " and moves *line behind it. */
static uint64_t take_number(const char **line, size_t *size)
{
    uint64_t number = 0;
    while (*size > 0 && **line >= '0' && **line <= '9') {
        number = number * 10 + (uint64_t)(**line - '0');
        (*line)++, (*size)--;
    }
    if (*size > 0 && **line == ' ')
        (*line)++, (*size)--;
    return number;
}

void ock_format_events(struct ock_buf *out, enum ock_feed_format format,
                       enum ock_numbering numbering, const struct ock_buf *lines)
{
    const char *at = lines->data, *end = lines->data + lines->size;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        const char *line = at;
        size_t size = (size_t)((stop ? stop : end) - at);
        uint64_t number = 0;
        at += size + 1;
        if (numbering == OCK_NUMBER_IN_FRONT)
            number = take_number(&line, &size);
        else if (!ock_member_uint(line, size, "seq", &number))
            number = 0;
        if (size > 0)
            add_event(out, format, number, line, size);
    }
}
