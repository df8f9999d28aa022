/* Pictures: what all of them are made of. */
#include "server/svg.h"

#include <math.h>
#include <string.h>

#include "core/base/utf8.h"

enum { LEGEND_ROW = 21, LEGEND_SAMPLE = 30, LEGEND_GAP = 22, TITLE_APART = 57, TICK_APART = 15 };

static const char style[] =
    "<style>"
    "text{font-family:\"Helvetica Neue\",Helvetica,Arial,\"Liberation Sans\",sans-serif;"
    "font-size:12.5px;fill:#24292f}"
    ".back{fill:#ffffff}.name{font-size:17px;font-weight:600}.soft{fill:#5f6872}"
    ".small{font-size:11.5px}.axis{stroke:#8a929b;fill:none}.grid{stroke:#e7eaee}"
    ".train{stroke:#8a929b;stroke-width:1.6;stroke-dasharray:5 4;fill:none}"
    ".traindot{fill:#8a929b}.line{stroke-width:2;stroke-linejoin:round}"
    ".bar{stroke-width:1.1;opacity:.55}.band{stroke:none;opacity:.16}"
    ".fail{stroke:#c2362b;stroke-width:1.8;fill:none}"
    ".choice{stroke:#5f6872;stroke-width:1.2;stroke-dasharray:3 3}"
    ".chosen{stroke:#24292f;stroke-dasharray:none}.bold{font-weight:600}"
    ".ring{fill:none;stroke:#24292f;stroke-width:1.6}"
    ".s0{stroke:#1f5fb0;fill:#1f5fb0}.s1{stroke:#0f8fa8;fill:#0f8fa8}"
    ".s2{stroke:#1a9469;fill:#1a9469}.s3{stroke:#6d9a1f;fill:#6d9a1f}"
    ".s4{stroke:#b58900;fill:#b58900}.s5{stroke:#d0661a;fill:#d0661a}"
    ".s6{stroke:#b8325a;fill:#b8325a}.s7{stroke:#6f42a8;fill:#6f42a8}"
    ".line{fill:none}.band{stroke:none}.dot{stroke:none}.hollow{fill:#ffffff;stroke-width:1.6}"
    "@media(prefers-color-scheme:dark){"
    "text{fill:#e6e9ed}.back{fill:#14181d}.soft{fill:#a3abb5}.axis{stroke:#6f7883}"
    ".grid{stroke:#2a3038}.train{stroke:#8a929b}.fail{stroke:#ff7a6e}.choice{stroke:#a3abb5}"
    ".chosen,.ring{stroke:#e6e9ed}.hollow{fill:#14181d}"
    ".s0{stroke:#6ea8fe;fill:#6ea8fe}.s1{stroke:#45c4d8;fill:#45c4d8}"
    ".s2{stroke:#4ccb98;fill:#4ccb98}.s3{stroke:#a5d152;fill:#a5d152}"
    ".s4{stroke:#e6c34a;fill:#e6c34a}.s5{stroke:#ff9f5c;fill:#ff9f5c}"
    ".s6{stroke:#ff7d9c;fill:#ff7d9c}.s7{stroke:#bb98f0;fill:#bb98f0}"
    ".line{fill:none}.band,.dot{stroke:none}.hollow{fill:#14181d}}"
    "</style>";

/* --- Head -------------------------------------------------------------------------------------- */

/* Whether XML 1.0 has a place for this character. */
static bool is_xml(const char *text, size_t size)
{
    unsigned char c = (unsigned char)text[0];
    if (size == 1)
        return c >= 0x20 || c == '\t' || c == '\n' || c == '\r';
    return size != 3 || memcmp(text, "\xef\xbf", 2) != 0 || (unsigned char)text[2] < 0xbe;
}

void ock_svg_escape(struct ock_buf *out, const char *text, size_t characters_max)
{
    size_t left = strlen(text), count = 0;
    while (left > 0) {
        size_t size = ock_utf8_char(text, left), taken = size > 0 ? size : 1;
        if (count++ == characters_max) {
            ock_buf_puts(out, "…");
            return;
        }
        if (size == 0 || !is_xml(text, size))
            ock_buf_puts(out, "\xef\xbf\xbd");
        else if (*text == '&')
            ock_buf_puts(out, "&amp;");
        else if (*text == '<')
            ock_buf_puts(out, "&lt;");
        else if (*text == '>')
            ock_buf_puts(out, "&gt;");
        else if (*text == '"')
            ock_buf_puts(out, "&quot;");
        else if (*text == '\'')
            ock_buf_puts(out, "&#39;");
        else
            ock_buf_add(out, text, size);
        text += taken;
        left -= taken;
    }
}

void ock_svg_begin(struct ock_buf *out, double height, const char *what, const char *name)
{
    ock_buf_printf(out,
                   "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\" width=\"%d\""
                   " height=\"%.0f\" role=\"img\" aria-labelledby=\"ock-title ock-desc\">\n"
                   "<title id=\"ock-title\">%s",
                   OCK_SVG_WIDTH, height, OCK_SVG_WIDTH, height, what);
    ock_svg_escape(out, name, 10 * (size_t)OCK_SVG_NAME_MAX);
    ock_buf_puts(out, "</title>\n<desc id=\"ock-desc\">");
}

void ock_svg_heading(struct ock_buf *out, double height, int left, const char *name)
{
    ock_buf_printf(out,
                   "</desc>\n%s\n<rect class=\"back\" width=\"%d\" height=\"%.0f\"/>\n"
                   "<text class=\"name\" x=\"%d\" y=\"32\">",
                   style, OCK_SVG_WIDTH, height, left);
    ock_svg_escape(out, name, OCK_SVG_NAME_MAX);
    ock_buf_printf(out, "</text>\n<text class=\"soft\" x=\"%d\" y=\"53\">", left);
}

void ock_svg_heading_end(struct ock_buf *out)
{
    ock_buf_puts(out, "</text>\n");
}

void ock_svg_end(struct ock_buf *out)
{
    ock_buf_puts(out, "</svg>\n");
}

/* --- Frames and axes --------------------------------------------------------------------------- */

void ock_svg_outline(struct ock_buf *out, const struct ock_svg_frame *frame)
{
    ock_buf_printf(out, "<rect class=\"axis\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n",
                   frame->left, frame->top, frame->right - frame->left, frame->bottom - frame->top);
}

static void write_tick_text(struct ock_buf *out, const struct ock_tick *tick)
{
    if (tick->is_power)
        ock_buf_printf(out, "10<tspan dy=\"-5\" font-size=\"9.5px\">%s</tspan>", tick->text);
    else
        ock_buf_puts(out, tick->text);
    ock_buf_puts(out, "</text>\n");
}

void ock_svg_y_axis(struct ock_buf *out, const struct ock_svg_frame *frame,
                    const struct ock_axis *axis, const char *title)
{
    struct ock_tick ticks[OCK_TICKS_MAX];
    size_t count = axis ? ock_axis_ticks(axis, ticks) : 0;
    double last = HUGE_VAL;
    for (size_t i = 0; i < count; i++) {
        double y = ock_axis_at(axis, ticks[i].value);
        if (!ticks[i].major || fabs(last - y) < TICK_APART)
            continue;
        last = y;
        ock_buf_printf(out,
                       "<path class=\"grid\" d=\"M%d %.1fH%d\"/>"
                       "<text class=\"small\" text-anchor=\"end\" x=\"%d\" y=\"%.1f\">",
                       frame->left, y, frame->right, frame->left - 9, y + 4);
        write_tick_text(out, &ticks[i]);
    }
    ock_buf_printf(out,
                   "<text text-anchor=\"middle\" transform=\"translate(%d %d) rotate(-90)\">"
                   "%s</text>\n",
                   frame->left - TITLE_APART, (frame->top + frame->bottom) / 2, title);
}

void ock_svg_x_tick(struct ock_buf *out, const struct ock_svg_frame *frame, double x,
                    const struct ock_tick *tick)
{
    ock_buf_printf(out, "<path class=\"axis\" d=\"M%.1f %dv%d\"/>", x, frame->bottom,
                   tick->major ? 6 : 3);
    if (!tick->major)
        return;
    ock_buf_printf(out, "<text class=\"small\" text-anchor=\"middle\" x=\"%.1f\" y=\"%d\">", x,
                   frame->bottom + 19);
    write_tick_text(out, tick);
}

void ock_svg_x_title(struct ock_buf *out, const struct ock_svg_frame *frame, const char *title)
{
    ock_buf_printf(out, "<text text-anchor=\"middle\" x=\"%d\" y=\"%d\">%s</text>\n",
                   (frame->left + frame->right) / 2, frame->bottom + 41, title);
}

/* --- Curves ------------------------------------------------------------------------------------ */

void ock_svg_clip(struct ock_buf *out, const struct ock_svg_frame *frame, const char *id)
{
    ock_buf_printf(out,
                   "<clipPath id=\"%s\"><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>"
                   "</clipPath><g clip-path=\"url(#%s)\">\n",
                   id, frame->left, frame->top, frame->right - frame->left,
                   frame->bottom - frame->top, id);
}

void ock_svg_clip_end(struct ock_buf *out)
{
    ock_buf_puts(out, "</g>\n");
}

struct ock_svg_path ock_svg_path_begin(struct ock_buf *out, const char *kind)
{
    struct ock_svg_path path = {.begin = out->size};
    ock_buf_printf(out, "<path class=\"%s\" d=\"", kind);
    path.empty = out->size;
    return path;
}

void ock_svg_path_end(struct ock_buf *out, struct ock_svg_path path)
{
    if (out->size > path.empty) {
        ock_buf_puts(out, "\"/>\n");
    } else if (out->size > path.begin) {
        out->size = path.begin;
        out->data[path.begin] = '\0';
    }
}

/* --- Legends ----------------------------------------------------------------------------------- */

struct ock_svg_legend ock_svg_legend_make(struct ock_buf *out, const struct ock_svg_frame *frame,
                                          double y)
{
    return (struct ock_svg_legend){
        .out = out, .left = frame->left, .right = frame->right, .x = frame->left, .y = y};
}

/* The width that a text may take: no font here is wider than this on average. */
static double text_width(const char *text)
{
    size_t characters = 0;
    for (const char *p = text; *p; p++)
        characters += ((unsigned char)*p & 0xc0) != 0x80;
    return 7.1 * (double)characters;
}

void ock_svg_legend_add(struct ock_svg_legend *legend, const char *sample, const char *text)
{
    double width = LEGEND_SAMPLE + text_width(text);
    if (legend->x > legend->left && legend->x + width > legend->right) {
        legend->x = legend->left;
        legend->y += LEGEND_ROW;
    }
    ock_buf_printf(legend->out,
                   "<g transform=\"translate(%.1f %.1f)\">%s"
                   "<text class=\"small\" x=\"%d\" y=\"0\">%s</text></g>\n",
                   legend->x, legend->y, sample, LEGEND_SAMPLE, text);
    legend->x += width + LEGEND_GAP;
}
