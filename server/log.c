/* The log. Line breaks and control characters in a message become '?', so that no text from outside
 * can forge a line. */
#include "server/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { LINE_SIZE = 2048 };

static atomic_int level_min = OCK_LOG_INFO;

void ock_log_set_level(enum ock_log_level level)
{
    atomic_store(&level_min, level);
}

void ock_log(enum ock_log_level level, const char *format, ...)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    if ((int)level < atomic_load(&level_min))
        return;
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &utc);
    char line[LINE_SIZE];
    size_t used = strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%S", &utc);
    int more = snprintf(line + used, sizeof(line) - used, ".%03ldZ %s ", now.tv_nsec / 1000000,
                        names[level]);
    used += more > 0 ? (size_t)more : 0;
    va_list args;
    va_start(args, format);
    more = vsnprintf(line + used, sizeof(line) - used - 1, format, args);
    va_end(args);
    size_t room = sizeof(line) - used - 2;
    size_t end = used + (more < 0 ? 0 : (size_t)more < room ? (size_t)more : room);
    for (size_t i = 0; i < end; i++) {
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = '?';
    }
    line[end] = '\n';
    ssize_t done = write(STDERR_FILENO, line, end + 1);
    (void)done; /* there is nowhere to tell of a log that cannot be written */
}
