/* The request target's parser. */
#include "server/http/target.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Decodes in place; false for a bad escape, a NUL, a control character or bytes that aren't UTF-8.
 * In a query '+' is a space, and a tab may stand: ?delimiter=%09. */
static bool decode(char *text, bool in_query)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        char c = *from;
        if (c == '%') {
            int high = hex_digit(from[1]);
            int low = high < 0 ? -1 : hex_digit(from[2]);
            if (low < 0)
                return false;
            c = (char)(high * 16 + low);
            from += 2;
        } else if (c == '+' && in_query) {
            c = ' ';
        }
        bool is_tab = c == '\t' && in_query;
        if (((unsigned char)c < 0x20 && !is_tab) || c == 0x7f)
            return false;
        *to++ = c;
    }
    *to = '\0';
    size_t size = (size_t)(to - text);
    for (size_t at = 0, step; at < size; at += step) {
        step = ock_utf8_char(text + at, size - at);
        if (step == 0)
            return false;
    }
    return true;
}

static enum ock_status parse_path(struct ock_target *target, char *path, struct ock_err *err)
{
    char *rest = path + 1;
    if (!*rest)
        return OCK_OK;
    while (rest) {
        char *segment = strsep(&rest, "/");
        if (target->segment_count == OCK_SEGMENTS_MAX)
            return ock_fail(err, OCK_LIMIT, "the path has more than %d parts", OCK_SEGMENTS_MAX);
        if (!decode(segment, false))
            return ock_fail(err, OCK_INVALID, "the path is not well encoded");
        if (strcmp(segment, ".") == 0 || strcmp(segment, "..") == 0)
            return ock_fail(err, OCK_INVALID, "the path has a dot segment");
        target->segments[target->segment_count++] = segment;
    }
    return OCK_OK;
}

static enum ock_status parse_query(struct ock_target *target, char *query, struct ock_err *err)
{
    char *rest = query;
    target->query = calloc(OCK_PARAMETERS_QUERY_MAX, sizeof(*target->query));
    if (!target->query)
        return ock_fail(err, OCK_NOMEM, "out of memory for the request target");
    while (rest) {
        char *value = strsep(&rest, "&");
        if (!*value)
            continue;
        if (target->query_count == OCK_PARAMETERS_QUERY_MAX)
            return ock_fail(err, OCK_LIMIT, "there are more than %d query parameters",
                            OCK_PARAMETERS_QUERY_MAX);
        char *name = strsep(&value, "=");
        if (!value)
            value = name + strlen(name);
        if (!decode(name, true) || !decode(value, true))
            return ock_fail(err, OCK_INVALID, "the query is not well encoded");
        target->query[target->query_count++] = (struct ock_query){name, value};
    }
    return OCK_OK;
}

enum ock_status ock_target_parse(struct ock_target *out, const char *raw, struct ock_err *err)
{
    struct ock_target target = {0};
    if (raw[0] != '/')
        return ock_fail(err, OCK_INVALID, "the request target does not begin with '/'");
    if (strlen(raw) > OCK_TARGET_BYTES_MAX)
        return ock_fail(err, OCK_LIMIT, "the request target is longer than %d bytes",
                        OCK_TARGET_BYTES_MAX);
    target.text = strdup(raw);
    if (!target.text)
        return ock_fail(err, OCK_NOMEM, "out of memory for the request target");
    char *query = strchr(target.text, '?');
    if (query)
        *query++ = '\0';
    enum ock_status status = parse_path(&target, target.text, err);
    if (status == OCK_OK && query)
        status = parse_query(&target, query, err);
    if (status != OCK_OK) {
        ock_target_deinit(&target);
        return status;
    }
    *out = target;
    return OCK_OK;
}

void ock_target_deinit(struct ock_target *target)
{
    free(target->text);
    free(target->query);
    *target = (struct ock_target){0};
}

const char *ock_target_get(const struct ock_target *target, const char *name)
{
    for (size_t i = 0; i < target->query_count; i++) {
        if (strcmp(target->query[i].name, name) == 0)
            return target->query[i].value;
    }
    return NULL;
}

void ock_percent_encode(struct ock_buf *out, const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (const char *c = text; *c; c++) {
        if (strchr(plain, *c))
            ock_buf_putc(out, *c);
        else
            ock_buf_printf(out, "%%%02X", (unsigned)(unsigned char)*c);
    }
}
