/* Status codes and error texts.
 *
 * Every function that can fail returns enum ock_status and takes a struct ock_err * last. Who finds
 * the fault writes the sentence, callers pass it up unchanged. On error, out-parameters stay as
 * they were. */
#ifndef OCK_BASE_STATUS_H
#define OCK_BASE_STATUS_H

#include <stddef.h>

enum ock_status {
    OCK_OK = 0,
    OCK_INVALID,     /* what was given is wrong */
    OCK_UNSUPPORTED, /* right, but not something Ockham does */
    OCK_LIMIT,       /* beyond a limit of limits.h; the text names it */
    OCK_NOMEM,       /* an allocation failed */
    OCK_IO,          /* the system refused a read or a write; the text has errno's words */
    OCK_NOSPACE,     /* the disk is full */
    OCK_CORRUPT,     /* a file of ours is damaged or foreign */
    OCK_NOTFOUND,
    OCK_CONFLICT,
    OCK_NONFINITE, /* training produced NaN or infinity and could not go on */
    OCK_STOPPED,   /* ended on request */
};

enum { OCK_ERR_TEXT_SIZE = 512 };

struct ock_err {
    enum ock_status status;
    char text[OCK_ERR_TEXT_SIZE]; /* one sentence, no full stop, for a person */
};

/* Writes status and text (printf's format; cut to fit) into err and returns status.
 * err may be NULL: then only the status goes up. */
enum ock_status ock_fail(struct ock_err *err, enum ock_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ock_fail with errno's words behind the text; ENOSPC and EDQUOT become OCK_NOSPACE, ENOMEM
 * OCK_NOMEM, all else OCK_IO. */
enum ock_status ock_fail_errno(struct ock_err *err, int error_number, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The status' name in snake_case, for logs: "no_space". Never NULL. */
const char *ock_status_name(enum ock_status status);

#endif
