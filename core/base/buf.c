/* The growing buffer: doubles until size_max, errors stay. */
#include "core/base/buf.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ock_buf_init(struct ock_buf *buf, size_t size_max)
{
    assert(size_max < SIZE_MAX / 4);
    *buf = (struct ock_buf){.size_max = size_max};
}

void ock_buf_deinit(struct ock_buf *buf)
{
    free(buf->data);
    *buf = (struct ock_buf){.size_max = buf->size_max};
}

void ock_buf_clear(struct ock_buf *buf)
{
    buf->size = 0;
    buf->failed = OCK_OK;
    if (buf->data)
        buf->data[0] = '\0';
}

/* Makes room for `more` bytes and a NUL; false, with the error noted, if there is none. */
static int reserve(struct ock_buf *buf, size_t more)
{
    if (buf->failed != OCK_OK)
        return 0;
    if (more > buf->size_max || buf->size > buf->size_max - more) {
        buf->failed = OCK_LIMIT;
        return 0;
    }
    size_t needed = buf->size + more + 1;
    if (needed <= buf->capacity)
        return 1;
    size_t capacity = buf->capacity ? buf->capacity : 128;
    while (capacity < needed)
        capacity *= 2;
    char *data = realloc(buf->data, capacity);
    if (!data) {
        buf->failed = OCK_NOMEM;
        return 0;
    }
    buf->data = data;
    buf->capacity = capacity;
    return 1;
}

void ock_buf_add(struct ock_buf *buf, const void *bytes, size_t size)
{
    if (!reserve(buf, size))
        return;
    if (size > 0)
        memcpy(buf->data + buf->size, bytes, size);
    buf->size += size;
    buf->data[buf->size] = '\0';
}

void ock_buf_puts(struct ock_buf *buf, const char *text)
{
    ock_buf_add(buf, text, strlen(text));
}

void ock_buf_putc(struct ock_buf *buf, char c)
{
    ock_buf_add(buf, &c, 1);
}

void ock_buf_printf(struct ock_buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(length >= 0);
    if (reserve(buf, (size_t)length)) {
        (void)vsnprintf(buf->data + buf->size, (size_t)length + 1, format, again);
        buf->size += (size_t)length;
    }
    va_end(again);
}

void ock_buf_consume(struct ock_buf *buf, size_t size)
{
    assert(size <= buf->size);
    if (size == 0)
        return;
    memmove(buf->data, buf->data + size, buf->size - size + 1);
    buf->size -= size;
}

enum ock_status ock_buf_status(const struct ock_buf *buf, struct ock_err *err)
{
    if (buf->failed == OCK_NOMEM)
        return ock_fail(err, OCK_NOMEM, "out of memory for a text of %zu bytes", buf->size);
    if (buf->failed == OCK_LIMIT)
        return ock_fail(err, OCK_LIMIT, "a text would exceed its limit of %zu bytes",
                        buf->size_max);
    return OCK_OK;
}

char *ock_buf_take(struct ock_buf *buf)
{
    if (!reserve(buf, 0))
        return NULL;
    buf->data[buf->size] = '\0';
    char *text = buf->data;
    *buf = (struct ock_buf){.size_max = buf->size_max};
    return text;
}
