/* A growing byte buffer whose maximum is fixed when it is made.
 *
 * Errors are sticky: after the first append that fails, all later ones do nothing, and
 * ock_buf_status() tells at the end. So a writer of many small pieces checks once. */
#ifndef OCK_BASE_BUF_H
#define OCK_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>

#include "core/base/status.h"

struct ock_buf {
    char *data;  /* owned; NUL-terminated whenever size > 0 or capacity > 0 */
    size_t size; /* bytes in use, without the NUL */
    size_t capacity;
    size_t size_max;
    enum ock_status failed; /* OCK_OK, OCK_NOMEM or OCK_LIMIT */
};

/* An empty buffer that will hold at most size_max bytes. Allocates nothing. */
void ock_buf_init(struct ock_buf *buf, size_t size_max);
void ock_buf_deinit(struct ock_buf *buf); /* frees; an all-zero buffer is a no-op */
void ock_buf_clear(struct ock_buf *buf);  /* size 0, no error; keeps the memory */

void ock_buf_add(struct ock_buf *buf, const void *bytes, size_t size);
void ock_buf_puts(struct ock_buf *buf, const char *text);
void ock_buf_putc(struct ock_buf *buf, char c);
void ock_buf_printf(struct ock_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Removes the first `size` bytes (size <= buf->size). */
void ock_buf_consume(struct ock_buf *buf, size_t size);

/* OCK_OK, or the first append's error: NOMEM, LIMIT. */
enum ock_status ock_buf_status(const struct ock_buf *buf, struct ock_err *err);

/* The bytes as a C string, owned by the caller (free); the buffer is empty afterwards.
 * NULL if an append had failed or nothing can be allocated. */
char *ock_buf_take(struct ock_buf *buf);

#endif
