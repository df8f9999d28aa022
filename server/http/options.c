/* The options' defaults and the texts that stand for sizes and levels. */
#include <stdint.h>
#include <string.h>

#include "server/serve.h"

struct ock_serve_options ock_serve_defaults(void)
{
    return (struct ock_serve_options){
        .listen = "127.0.0.1:8080",
        .data_dir = "ockham-data",
        .log_level = OCK_LOG_INFO,
    };
}

static bool unit_bytes(const char *unit, uint64_t *bytes)
{
    static const struct {
        const char *name;
        uint64_t bytes;
    } units[] = {
        {"", 1},
        {"B", 1},
        {"KiB", (uint64_t)1 << 10},
        {"MiB", (uint64_t)1 << 20},
        {"GiB", (uint64_t)1 << 30},
        {"TiB", (uint64_t)1 << 40},
        {"kB", 1000},
        {"KB", 1000},
        {"MB", 1000000},
        {"GB", 1000000000},
        {"TB", 1000000000000},
    };
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(unit, units[i].name) == 0) {
            *bytes = units[i].bytes;
            return true;
        }
    }
    return false;
}

enum ock_status ock_size_parse(size_t *out, const char *text, struct ock_err *err)
{
    uint64_t value = 0, factor = 1;
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return ock_fail(err, OCK_LIMIT, "'%.60s' is beyond 64 bits", text);
        value = value * 10 + digit;
    }
    if (at == text || !unit_bytes(at, &factor))
        return ock_fail(err, OCK_INVALID, "'%.60s' is no size; write 1048576, 512MiB, 4GiB or 2GB",
                        text);
    if (value > SIZE_MAX / factor)
        return ock_fail(err, OCK_LIMIT, "'%.60s' is beyond 64 bits", text);
    *out = value * factor;
    return OCK_OK;
}

enum ock_status ock_log_level_parse(enum ock_log_level *out, const char *text, struct ock_err *err)
{
    static const struct {
        const char *name;
        enum ock_log_level level;
    } levels[] = {
        {"error", OCK_LOG_ERROR},
        {"warning", OCK_LOG_WARNING},
        {"info", OCK_LOG_INFO},
        {"debug", OCK_LOG_DEBUG},
    };
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        if (strcmp(text, levels[i].name) == 0) {
            *out = levels[i].level;
            return OCK_OK;
        }
    }
    return ock_fail(err, OCK_INVALID,
                    "'%.60s' is no log level; write error, warning, info or debug", text);
}
