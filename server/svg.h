/* What pictures have in common: head, style, frames, axes, curves, legends. Each function appends to
 * the buffer; nothing of it can fail but the buffer. A picture is one file that needs nothing else:
 * no script, no font, no style from outside; its colours follow the reader's light or dark scheme. */
#ifndef OCK_SERVER_SVG_H
#define OCK_SERVER_SVG_H

#include "core/base/axis.h"
#include "core/base/buf.h"

/* Characters of a name that are drawn; the title, which is not, has more. */
enum { OCK_SVG_WIDTH = 760, OCK_SVG_NAME_MAX = 64 };

/* Where curves are, in pixels. Its axes' texts stand outside. */
struct ock_svg_frame {
    int left, right, top, bottom;
};

/* Text as XML character data, in attributes too: the five characters escaped, what XML 1.0 has no
 * place for (control characters, U+FFFE, U+FFFF, bytes that are not UTF-8) as U+FFFD. More than
 * characters_max characters: cut, with "…" behind. */
void ock_svg_escape(struct ock_buf *out, const char *text, size_t characters_max);

/* From the beginning to within <desc>, which the caller writes: one sentence for those who cannot
 * see the picture. The title is `what` and the name. */
void ock_svg_begin(struct ock_buf *out, double height, const char *what, const char *name);
/* From the end of <desc> to within the line below the name, which the caller writes, to be ended by
 * ock_svg_heading_end. */
void ock_svg_heading(struct ock_buf *out, double height, int left, const char *name);
void ock_svg_heading_end(struct ock_buf *out);
void ock_svg_end(struct ock_buf *out);

void ock_svg_outline(struct ock_buf *out, const struct ock_svg_frame *frame);
/* Grid lines with their texts, and the axis' title, which is upright. Ticks
 * whose texts would touch are left out. axis may be NULL: no ticks. */
void ock_svg_y_axis(struct ock_buf *out, const struct ock_svg_frame *frame,
                    const struct ock_axis *axis, const char *title);
/* A tick below the frame, with its text if it is a major one. */
void ock_svg_x_tick(struct ock_buf *out, const struct ock_svg_frame *frame, double x,
                    const struct ock_tick *tick);
void ock_svg_x_title(struct ock_buf *out, const struct ock_svg_frame *frame, const char *title);

/* What is added until ock_svg_clip_end shows within the frame alone. id: "ock-…", once a picture. */
void ock_svg_clip(struct ock_buf *out, const struct ock_svg_frame *frame, const char *id);
void ock_svg_clip_end(struct ock_buf *out);

/* A <path> of that class, up to its data, which the caller adds. If none was added, ock_svg_path_end
 * takes it back. */
struct ock_svg_path {
    size_t begin, empty; /* sizes of the buffer */
};
struct ock_svg_path ock_svg_path_begin(struct ock_buf *out, const char *kind);
void ock_svg_path_end(struct ock_buf *out, struct ock_svg_path path);

/* What the marks mean. Entries flow from left to right, row by row. */
struct ock_svg_legend {
    struct ock_buf *out;
    int left, right;
    double x, y; /* of the next entry; in the end y is the last row's */
};
struct ock_svg_legend ock_svg_legend_make(struct ock_buf *out, const struct ock_svg_frame *frame,
                                          double y);
/* sample: a mark drawn around (0, -4), up to 22 wide; text: XML already. */
void ock_svg_legend_add(struct ock_svg_legend *legend, const char *sample, const char *text);

#endif
