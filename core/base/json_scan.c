/* RFC 8259 by a machine of six states with a stack of open brackets, so that no input can make it
 * recurse. It finds the first fault and says where it is and what would have been right; building
 * values is left to cJSON, which comes second and never sees bytes that failed here. */
#include "core/base/json_scan.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/base/utf8.h"

enum state {
    STATE_VALUE,        /* a value must come */
    STATE_VALUE_OR_END, /* after '[' */
    STATE_KEY_OR_END,   /* after '{' */
    STATE_KEY,          /* after ',' in an object */
    STATE_COLON,
    STATE_AFTER, /* after a value: a comma, or its container's end */
};

struct scan {
    const char *text;
    size_t size, at;
    enum state state;
    unsigned depth;
    char open[OCK_JSON_DEPTH_MAX]; /* '{' or '[' */
    size_t nodes, long_numbers;
    struct ock_err *err;
};

/* Line and column of a byte, counted from 1, columns in characters. */
static void place_of(const struct scan *scan, size_t at, size_t *line, size_t *column)
{
    *line = 1;
    *column = 1;
    for (size_t i = 0; i < at; i++) {
        if (scan->text[i] == '\n') {
            (*line)++;
            *column = 1;
        } else if (((uint8_t)scan->text[i] & 0xC0) != 0x80) {
            (*column)++;
        }
    }
}

/* The sentence with its place: "line 3, column 7: expected ',' or '}' but found ']'". */
static enum ock_status fault_at(const struct scan *scan, size_t at, const char *what)
{
    size_t line, column;
    place_of(scan, at, &line, &column);
    return ock_fail(scan->err, OCK_INVALID, "line %zu, column %zu: %s", line, column, what);
}

static enum ock_status limit_at(const struct scan *scan, const char *what, size_t limit)
{
    size_t line, column;
    place_of(scan, scan->at, &line, &column);
    return ock_fail(scan->err, OCK_LIMIT, "line %zu, column %zu: more than %zu %s", line, column,
                    limit, what);
}

/* "expected … but found …" for what stands at scan->at. */
static enum ock_status expected(const struct scan *scan, const char *what)
{
    char text[128];
    const char *found = scan->text + scan->at;
    size_t left = scan->size - scan->at;
    size_t length = ock_utf8_char(found, left);
    if (left == 0)
        (void)snprintf(text, sizeof(text), "expected %s but the text ends here", what);
    else if (length == 0 || (uint8_t)*found < 0x20 || *found == 0x7F)
        (void)snprintf(text, sizeof(text), "expected %s but found byte 0x%02X", what,
                       (unsigned)(uint8_t)*found);
    else
        (void)snprintf(text, sizeof(text), "expected %s but found '%.*s'", what, (int)length,
                       found);
    return fault_at(scan, scan->at, text);
}

static void skip_space(struct scan *scan)
{
    while (scan->at < scan->size && (scan->text[scan->at] == ' ' || scan->text[scan->at] == '\t' ||
                                     scan->text[scan->at] == '\n' || scan->text[scan->at] == '\r'))
        scan->at++;
}

/* The byte at scan->at, '\0' at the end (which no state takes for anything). */
static char peek(const struct scan *scan)
{
    return scan->at < scan->size ? scan->text[scan->at] : '\0';
}

static size_t digits(const char *text, size_t size, size_t at)
{
    while (at < size && text[at] >= '0' && text[at] <= '9')
        at++;
    return at;
}

size_t ock_json_number_length(const char *text, size_t size, size_t *stopped)
{
    size_t at = size > 0 && text[0] == '-' ? 1 : 0;
    size_t begin = at;
    at = at < size && text[at] == '0' ? at + 1 : digits(text, size, at);
    *stopped = at;
    if (at == begin)
        return 0;
    if (at < size && text[at] == '.') {
        begin = at + 1;
        at = digits(text, size, begin);
        *stopped = at;
        if (at == begin)
            return 0;
    }
    if (at < size && (text[at] == 'e' || text[at] == 'E')) {
        begin = at + 1;
        if (begin < size && (text[begin] == '+' || text[begin] == '-'))
            begin++;
        at = digits(text, size, begin);
        *stopped = at;
        if (at == begin)
            return 0;
    }
    return at;
}

static enum ock_status scan_number(struct scan *scan)
{
    size_t stopped;
    size_t length = ock_json_number_length(scan->text + scan->at, scan->size - scan->at, &stopped);
    if (length == 0) {
        scan->at += stopped;
        return expected(scan, "a digit");
    }
    if (length > OCK_JSON_NUMBER_BYTES_MAX)
        scan->long_numbers++;
    bool zero = scan->text[scan->at + length - 1] == '0' && length <= 2;
    scan->at += length;
    char next = peek(scan);
    if (zero && next >= '0' && next <= '9')
        return fault_at(scan, scan->at, "a number must not begin with a zero before other digits");
    return OCK_OK;
}

/* Four hex digits as a number, -1 if they are not. */
static int32_t hex4(const char *text, size_t size)
{
    if (size < 4)
        return -1;
    int32_t value = 0;
    for (size_t i = 0; i < 4; i++) {
        char c = text[i];
        int32_t digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* What follows a backslash; scan->at is on the character behind it. */
static enum ock_status scan_escape(struct scan *scan)
{
    char c = peek(scan);
    if (c != 'u') {
        if (c == '\0' || !strchr("\"\\/bfnrt", c))
            return expected(scan, "one of \" \\ / b f n r t u behind '\\'");
        scan->at++;
        return OCK_OK;
    }
    const char *text = scan->text + scan->at + 1;
    size_t left = scan->size - scan->at - 1;
    int32_t unit = hex4(text, left);
    if (unit < 0)
        return fault_at(scan, scan->at - 1, "\\u needs four hexadecimal digits");
    if (unit == 0)
        return fault_at(scan, scan->at - 1, "\\u0000 is not allowed in a string");
    scan->at += 5;
    if (unit < 0xD800 || unit > 0xDFFF)
        return OCK_OK;
    int32_t low = left >= 10 && text[4] == '\\' && text[5] == 'u' ? hex4(text + 6, left - 6) : -1;
    if (unit > 0xDBFF || low < 0xDC00 || low > 0xDFFF)
        return fault_at(scan, scan->at - 6, "half of a surrogate pair stands alone");
    scan->at += 6;
    return OCK_OK;
}

static enum ock_status scan_string(struct scan *scan)
{
    size_t begin = scan->at++;
    while (scan->at < scan->size && scan->text[scan->at] != '"') {
        if (scan->text[scan->at] == '\\') {
            scan->at++;
            enum ock_status status = scan_escape(scan);
            if (status != OCK_OK)
                return status;
            continue;
        }
        if ((uint8_t)scan->text[scan->at] < 0x20)
            return fault_at(scan, scan->at,
                            "a control character in a string must be escaped, as in \\n");
        size_t length = ock_utf8_char(scan->text + scan->at, scan->size - scan->at);
        if (length == 0)
            return fault_at(scan, scan->at, "these bytes are not UTF-8");
        scan->at += length;
    }
    if (scan->at >= scan->size)
        return fault_at(scan, begin, "this string has no end");
    scan->at++;
    return OCK_OK;
}

static enum ock_status scan_word(struct scan *scan)
{
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t length = strlen(words[i]);
        if (scan->size - scan->at >= length &&
            memcmp(scan->text + scan->at, words[i], length) == 0) {
            scan->at += length;
            return OCK_OK;
        }
    }
    return expected(scan, "a value");
}

static enum ock_status scan_open(struct scan *scan, char bracket)
{
    if (scan->depth == OCK_JSON_DEPTH_MAX)
        return limit_at(scan, "arrays and objects inside each other", OCK_JSON_DEPTH_MAX);
    scan->open[scan->depth++] = bracket;
    scan->state = bracket == '{' ? STATE_KEY_OR_END : STATE_VALUE_OR_END;
    scan->at++;
    return OCK_OK;
}

static enum ock_status scan_value(struct scan *scan)
{
    if (scan->nodes++ == OCK_JSON_NODES_MAX)
        return limit_at(scan, "values in one document", OCK_JSON_NODES_MAX);
    char c = peek(scan);
    if (c == '{' || c == '[')
        return scan_open(scan, c);
    scan->state = STATE_AFTER;
    if (c == '"')
        return scan_string(scan);
    if (c == '-' || (c >= '0' && c <= '9'))
        return scan_number(scan);
    return scan_word(scan);
}

static void scan_close(struct scan *scan)
{
    scan->depth--;
    scan->state = STATE_AFTER;
    scan->at++;
}

/* A comma or the container's own bracket. */
static enum ock_status scan_after(struct scan *scan)
{
    bool object = scan->open[scan->depth - 1] == '{';
    char c = peek(scan);
    if (c == (object ? '}' : ']')) {
        scan_close(scan);
        return OCK_OK;
    }
    if (c != ',')
        return expected(scan, object ? "',' or '}'" : "',' or ']'");
    scan->state = object ? STATE_KEY : STATE_VALUE;
    scan->at++;
    return OCK_OK;
}

static enum ock_status scan_key(struct scan *scan)
{
    if (peek(scan) == '}' && scan->state == STATE_KEY_OR_END) {
        scan_close(scan);
        return OCK_OK;
    }
    if (peek(scan) != '"')
        return expected(scan, scan->state == STATE_KEY ? "a key in double quotes"
                                                       : "a key in double quotes or '}'");
    scan->state = STATE_COLON;
    return scan_string(scan);
}

static enum ock_status scan_step(struct scan *scan)
{
    switch (scan->state) {
    case STATE_VALUE_OR_END:
        if (peek(scan) == ']') {
            scan_close(scan);
            return OCK_OK;
        }
        return scan_value(scan);
    case STATE_VALUE:
        return scan_value(scan);
    case STATE_KEY_OR_END:
    case STATE_KEY:
        return scan_key(scan);
    case STATE_COLON:
        if (peek(scan) != ':')
            return expected(scan, "':'");
        scan->at++;
        scan->state = STATE_VALUE;
        return OCK_OK;
    case STATE_AFTER:
        return scan_after(scan);
    }
    return OCK_OK;
}

enum ock_status ock_json_scan(const char *text, size_t size, size_t *long_numbers,
                              struct ock_err *err)
{
    struct scan scan = {.text = text, .size = size, .state = STATE_VALUE, .err = err};
    if (size > OCK_JSON_BYTES_MAX)
        return ock_fail(err, OCK_LIMIT, "the JSON text has %zu bytes, the limit is %zu", size,
                        OCK_JSON_BYTES_MAX);
    if (size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
        return fault_at(&scan, 0, "a byte order mark stands before the text; leave it out");
    do {
        skip_space(&scan);
        enum ock_status status = scan_step(&scan);
        if (status != OCK_OK)
            return status;
    } while (scan.depth > 0 || scan.state != STATE_AFTER);
    skip_space(&scan);
    if (scan.at < size)
        return expected(&scan, "the end of the text");
    *long_numbers = scan.long_numbers;
    return OCK_OK;
}
