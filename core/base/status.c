/* Error texts: formatting only, no policy. */
#include "core/base/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum ock_status ock_fail(struct ock_err *err, enum ock_status status, const char *format, ...)
{
    if (!err)
        return status;
    va_list args;
    va_start(args, format);
    err->status = status;
    (void)vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    return status;
}

enum ock_status ock_fail_errno(struct ock_err *err, int error_number, const char *format, ...)
{
    enum ock_status status = OCK_IO;
    if (error_number == ENOSPC || error_number == EDQUOT)
        status = OCK_NOSPACE;
    else if (error_number == ENOMEM)
        status = OCK_NOMEM;
    if (!err)
        return status;

    va_list args;
    va_start(args, format);
    err->status = status;
    (void)vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);

    char buffer[128];
    /* Thread-safe, unlike strerror. With _GNU_SOURCE it returns the words, here or elsewhere. */
    const char *words = strerror_r(error_number, buffer, sizeof(buffer));
    size_t used = strlen(err->text);
    (void)snprintf(err->text + used, sizeof(err->text) - used, ": %s", words);
    return status;
}

const char *ock_status_name(enum ock_status status)
{
    switch (status) {
    case OCK_OK:
        return "ok";
    case OCK_INVALID:
        return "invalid";
    case OCK_UNSUPPORTED:
        return "unsupported";
    case OCK_LIMIT:
        return "limit";
    case OCK_NOMEM:
        return "no_memory";
    case OCK_IO:
        return "io";
    case OCK_NOSPACE:
        return "no_space";
    case OCK_CORRUPT:
        return "corrupt";
    case OCK_NOTFOUND:
        return "not_found";
    case OCK_CONFLICT:
        return "conflict";
    case OCK_NONFINITE:
        return "nonfinite";
    case OCK_STOPPED:
        return "stopped";
    }
    return "unknown";
}
