/* Fields that are lists: Accept, Accept-Encoding and If-None-Match; and Content-Type. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "server/http/headers.h"

/* One range of an Accept field: "text/csv;q=0.5". */
struct range {
    const char *type;
    size_t size;
    int quality; /* thousandths */
};

/* "0.5" as 500; what is no quality counts as 1. */
static int parse_quality(const char *text, const char *end)
{
    int value = 0, digits = 0;
    if (text >= end || (*text != '0' && *text != '1'))
        return 1000;
    value = (*text - '0') * 1000;
    text++;
    if (text < end && *text == '.') {
        int unit = 100;
        for (text++; text < end && isdigit((unsigned char)*text) && digits < 3; text++, digits++) {
            value += (*text - '0') * unit;
            unit /= 10;
        }
    }
    return value > 1000 ? 1000 : value;
}

/* Takes the next range off the list; false at its end. */
static bool next_range(const char **list, struct range *range)
{
    const char *at = *list;
    at += strspn(at, ", \t");
    if (!*at)
        return false;
    const char *end = at + strcspn(at, ",");
    range->type = at;
    range->size = strcspn(at, ",; \t");
    range->quality = 1000;
    for (const char *c = at; c < end; c++) {
        if (*c != ';')
            continue;
        c += 1 + strspn(c + 1, " \t");
        if (c + 1 < end && (*c == 'q' || *c == 'Q') && c[1] == '=')
            range->quality = parse_quality(c + 2, end);
    }
    *list = end;
    return true;
}

/* How closely a range names a type: 3 itself, 2 "text/", 1 anything, 0 not at all. */
static int closeness(const struct range *range, const char *type)
{
    if (range->size == 3 && memcmp(range->type, "*/*", 3) == 0)
        return 1;
    if (strlen(type) == range->size && strncasecmp(range->type, type, range->size) == 0)
        return 3;
    size_t major = strcspn(type, "/") + 1;
    if (range->size == major + 1 && range->type[major] == '*' &&
        strncasecmp(range->type, type, major) == 0)
        return 2;
    return 0;
}

/* The quality of the closest range that covers the type, 0 if none does. */
static int quality_of(const char *accept, const char *type)
{
    struct range range;
    int closest = 0, quality = 0;
    while (next_range(&accept, &range)) {
        int close = closeness(&range, type);
        if (close > closest) {
            closest = close;
            quality = range.quality;
        }
    }
    return quality;
}

int ock_accept_best(const char *accept, const char *const *types, size_t count)
{
    int best = -1, best_quality = 0;
    if (!accept || !*accept)
        return 0;
    for (size_t i = 0; i < count; i++) {
        int quality = quality_of(accept, types[i]);
        if (quality > best_quality) {
            best_quality = quality;
            best = (int)i;
        }
    }
    return best;
}

bool ock_accept_names(const char *accept, const char *type)
{
    struct range range;
    while (accept && next_range(&accept, &range)) {
        if (closeness(&range, type) == 3 && range.quality > 0)
            return true;
    }
    return false;
}

bool ock_accept_coding(const char *field, const char *coding)
{
    struct range range;
    bool any = false;
    while (field && next_range(&field, &range)) {
        if (range.size == strlen(coding) && strncasecmp(range.type, coding, range.size) == 0)
            return range.quality > 0;
        if (range.size == 1 && *range.type == '*')
            any = range.quality > 0;
    }
    return any;
}

bool ock_etag_listed(const char *field, const char *etag)
{
    size_t size = strlen(etag);
    for (const char *at = field; at && *at;) {
        at += strspn(at, ", \t");
        size_t length = strcspn(at, ",");
        const char *next = at + length;
        while (length > 0 && (at[length - 1] == ' ' || at[length - 1] == '\t'))
            length--;
        if (length == 1 && *at == '*')
            return true;
        if (length > 2 && at[0] == 'W' && at[1] == '/') {
            at += 2;
            length -= 2;
        }
        if (length == size && memcmp(at, etag, size) == 0)
            return true;
        at = next;
    }
    return false;
}

void ock_media_type(const char *content_type, char *text, size_t size)
{
    if (!content_type)
        content_type = "";
    size_t length = strcspn(content_type, "; \t");
    if (length >= size)
        length = size - 1;
    for (size_t i = 0; i < length; i++)
        text[i] = (char)tolower((unsigned char)content_type[i]);
    text[length] = '\0';
}
