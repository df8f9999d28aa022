/* A scan over one JSON object that only counts brackets and skips strings. */
#include "server/member.h"

#include <string.h>

/* The place behind the string that begins at json[at] == '"'. */
static size_t skip_string(const char *json, size_t size, size_t at)
{
    for (at++; at < size && json[at] != '"'; at++) {
        if (json[at] == '\\')
            at++;
    }
    return at < size ? at + 1 : size;
}

static size_t skip_space(const char *json, size_t size, size_t at)
{
    while (at < size && strchr(" \t\r\n", json[at]) && json[at])
        at++;
    return at;
}

/* The place behind the value that begins at json[at]. */
static size_t skip_value(const char *json, size_t size, size_t at)
{
    unsigned depth = 0;
    while (at < size) {
        char c = json[at];
        if (c == '"') {
            at = skip_string(json, size, at);
            if (depth == 0)
                return at;
            continue;
        }
        if (depth == 0 && (c == ',' || c == '}' || c == ']'))
            return at;
        if (c == '{' || c == '[')
            depth++;
        if ((c == '}' || c == ']') && --depth == 0)
            return at + 1;
        at++;
    }
    return size;
}

bool ock_member_find(const char *json, size_t size, const char *key, const char **value,
                     size_t *value_size)
{
    size_t key_size = strlen(key);
    size_t at = skip_space(json, size, 0);
    if (at >= size || json[at] != '{')
        return false;
    at = skip_space(json, size, at + 1);
    while (at < size && json[at] == '"') {
        size_t name = at + 1;
        at = skip_string(json, size, at);
        bool found = at - name == key_size + 1 && memcmp(json + name, key, key_size) == 0;
        at = skip_space(json, size, at);
        if (at >= size || json[at] != ':')
            return false;
        at = skip_space(json, size, at + 1);
        size_t end = skip_value(json, size, at);
        if (found) {
            *value = json + at;
            *value_size = end - at;
            return true;
        }
        at = skip_space(json, size, end);
        if (at >= size || json[at] != ',')
            return false;
        at = skip_space(json, size, at + 1);
    }
    return false;
}

bool ock_member_string(const char *json, size_t size, const char *key, char *text, size_t text_size)
{
    const char *value;
    size_t value_size;
    if (!ock_member_find(json, size, key, &value, &value_size))
        return false;
    if (value_size < 2 || value[0] != '"' || memchr(value, '\\', value_size) ||
        value_size - 2 >= text_size)
        return false;
    memcpy(text, value + 1, value_size - 2);
    text[value_size - 2] = '\0';
    return true;
}

bool ock_member_uint(const char *json, size_t size, const char *key, uint64_t *value)
{
    const char *digits;
    size_t count;
    if (!ock_member_find(json, size, key, &digits, &count) || count == 0 || count > 18)
        return false;
    uint64_t number = 0;
    for (size_t i = 0; i < count; i++) {
        if (digits[i] == ' ' && i > 0)
            break;
        if (digits[i] < '0' || digits[i] > '9')
            return false;
        number = number * 10 + (uint64_t)(digits[i] - '0');
    }
    *value = number;
    return true;
}
