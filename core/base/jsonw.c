/* The JSON writer. It keeps one bit of state, whether a comma is due: what nests is the caller's
 * business, so there is no stack and no depth limit. */
#include "core/base/jsonw.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/utf8.h"

struct ock_jsonw ock_jsonw_make(struct ock_buf *out)
{
    return (struct ock_jsonw){.out = out, .comma = false};
}

/* The comma that is due, and the member's name if there is one. */
static void begin(struct ock_jsonw *w, const char *key)
{
    if (w->comma)
        ock_buf_putc(w->out, ',');
    w->comma = true;
    if (key) {
        ock_json_quote(w->out, key);
        ock_buf_putc(w->out, ':');
    }
}

void ock_jsonw_object(struct ock_jsonw *w, const char *key)
{
    begin(w, key);
    ock_buf_putc(w->out, '{');
    w->comma = false;
}

void ock_jsonw_array(struct ock_jsonw *w, const char *key)
{
    begin(w, key);
    ock_buf_putc(w->out, '[');
    w->comma = false;
}

void ock_jsonw_end_object(struct ock_jsonw *w)
{
    ock_buf_putc(w->out, '}');
    w->comma = true;
}

void ock_jsonw_end_array(struct ock_jsonw *w)
{
    ock_buf_putc(w->out, ']');
    w->comma = true;
}

void ock_jsonw_string(struct ock_jsonw *w, const char *key, const char *text)
{
    begin(w, key);
    if (text)
        ock_json_quote(w->out, text);
    else
        ock_buf_puts(w->out, "null");
}

void ock_jsonw_double(struct ock_jsonw *w, const char *key, double value)
{
    char text[OCK_NUMBER_TEXT_SIZE] = "null";
    if (isfinite(value))
        ock_number_text(text, value);
    begin(w, key);
    ock_buf_puts(w->out, text);
}

void ock_jsonw_int(struct ock_jsonw *w, const char *key, int64_t value)
{
    begin(w, key);
    ock_buf_printf(w->out, "%" PRId64, value);
}

void ock_jsonw_uint(struct ock_jsonw *w, const char *key, uint64_t value)
{
    begin(w, key);
    ock_buf_printf(w->out, "%" PRIu64, value);
}

void ock_jsonw_bool(struct ock_jsonw *w, const char *key, bool value)
{
    begin(w, key);
    ock_buf_puts(w->out, value ? "true" : "false");
}

void ock_jsonw_null(struct ock_jsonw *w, const char *key)
{
    begin(w, key);
    ock_buf_puts(w->out, "null");
}

void ock_jsonw_raw(struct ock_jsonw *w, const char *key, const char *json)
{
    begin(w, key);
    ock_buf_puts(w->out, json);
}

/* A byte that must not stand in a JSON string as it is. */
static void escape(struct ock_buf *out, char c)
{
    static const char named[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (size_t i = 0; i + 1 < sizeof(named); i += 2) {
        if (c == named[i]) {
            ock_buf_putc(out, '\\');
            ock_buf_putc(out, named[i + 1]);
            return;
        }
    }
    ock_buf_printf(out, "\\u%04x", (unsigned)(unsigned char)c);
}

void ock_json_quote(struct ock_buf *out, const char *text)
{
    size_t size = strlen(text);
    size_t run = 0; /* text[run..i) goes out as it is, in one piece */
    size_t i = 0;
    ock_buf_putc(out, '"');
    while (i < size) {
        unsigned char c = (unsigned char)text[i];
        size_t length = c < 0x80 ? 1 : ock_utf8_char(text + i, size - i);
        if (length > 0 && c >= 0x20 && c != '"' && c != '\\') {
            i += length;
            continue;
        }
        ock_buf_add(out, text + run, i - run);
        if (length == 0)
            ock_buf_puts(out, "\xEF\xBF\xBD");
        else
            escape(out, text[i]);
        i++;
        run = i;
    }
    ock_buf_add(out, text + run, size - run);
    ock_buf_putc(out, '"');
}
