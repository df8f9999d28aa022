/* Which format it is, and who reads it. */
#include "core/data/import.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"
#include "core/base/limits.h"
#include "core/data/field.h"
#include "core/data/formats.h"

enum { SNIFFED_BYTES = 512 };

static bool is_one_of(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(word, words[i]) == 0)
            return true;
    }
    return false;
}

size_t ock_guess_target(const char *const *names, size_t count)
{
    static const char *const words[] = {"target", "label", "class", "y"};
    size_t found = 0;
    size_t target = count - 1;
    for (size_t c = 0; c < count; c++) {
        if (is_one_of(names[c], words, sizeof(words) / sizeof(words[0]))) {
            found++;
            target = c;
        }
    }
    return found == 1 ? target : count - 1;
}

enum ock_status ock_find_target(const char *const *names, size_t count, const char *text,
                                size_t *target, struct ock_err *err)
{
    for (size_t c = 0; c < count; c++) {
        if (strcmp(names[c], text) == 0) {
            *target = c;
            return OCK_OK;
        }
    }
    char *end = NULL;
    long long place = strtoll(text, &end, 10);
    bool number = end != text && *end == '\0' && !isspace((unsigned char)text[0]);
    if (number && place < 0 && place >= -(long long)count)
        place += (long long)count;
    if (number && place >= 0 && place < (long long)count) {
        *target = (size_t)place;
        return OCK_OK;
    }
    if (number)
        return ock_fail(err, OCK_INVALID, "target %s: there are %zu columns, 0 to %zu", text, count,
                        count - 1);
    const char *near = ock_nearest_word(text, names, count);
    if (near)
        return ock_fail(err, OCK_INVALID, "there is no column \"%.100s\"; did you mean \"%s\"?",
                        text, near);
    return ock_fail(err, OCK_INVALID, "there is no column \"%.100s\"; the last one is \"%s\"", text,
                    names[count - 1]);
}

static size_t skip_while(const char *text, size_t size, size_t i, const char *these)
{
    while (i < size && text[i] && strchr(these, text[i]))
        i++;
    return i;
}

/* A label, then index:value pairs: "+1 3:0.5 7:1", or "2 qid:1 …", perhaps below lines of comment. */
static bool looks_like_svmlight(const char *text, size_t size)
{
    size_t i = 0;
    while (i < size && text[i] == '#') {
        const char *end = memchr(text + i, '\n', size - i);
        i = end ? (size_t)(end - text) + 1 : size;
    }
    size_t label = i;
    double value;
    i = skip_while(text, size, i, "0123456789+-.eE");
    size_t space = i;
    i = skip_while(text, size, i, " \t");
    /* A date before a time of day is no number. */
    if (i == space || ock_field_read(text + label, space - label, &value) != OCK_FIELD_NUMBER)
        return false;
    if (size - i > 4 && memcmp(text + i, "qid:", 4) == 0)
        return true;
    size_t index = i;
    i = skip_while(text, size, i, "0123456789");
    return i > index && i < size && text[i] == ':';
}

/* The format by the first bytes, unpacked. */
static enum ock_status find_format(struct ock_reader *reader, enum ock_format *format,
                                   struct ock_err *err)
{
    char first[SNIFFED_BYTES];
    size_t got = 0;
    enum ock_status status = ock_reader_rewind(reader, err);
    if (status == OCK_OK)
        status = ock_reader_read(reader, first, sizeof(first), &got, err);
    if (status != OCK_OK)
        return status;
    if (got >= 4 && first[0] == 0 && first[1] == 0)
        *format = OCK_FORMAT_IDX;
    else if (got >= 6 && memcmp(first, "\x93NUMPY", 6) == 0)
        *format = OCK_FORMAT_NPY;
    else if (looks_like_svmlight(first, got))
        *format = OCK_FORMAT_SVMLIGHT;
    else
        *format = OCK_FORMAT_CSV;
    return OCK_OK;
}

static enum ock_status import_as(enum ock_format format, const struct ock_import *import,
                                 struct ock_reader *reader, struct ock_reader *labels,
                                 struct ock_err *err)
{
    switch (format) {
    case OCK_FORMAT_IDX:
    case OCK_FORMAT_NPY:
        return ock_array_import(import, format, reader, labels, err);
    case OCK_FORMAT_SVMLIGHT:
        if (labels)
            break;
        return ock_svmlight_import(import, reader, err);
    case OCK_FORMAT_AUTO:
    case OCK_FORMAT_CSV:
        break;
    }
    if (labels)
        return ock_fail(err, OCK_INVALID,
                        "x: byte 0: neither NPY nor IDX, which a labels file goes with; CSV and "
                        "svmlight have their labels in them");
    return ock_csv_import(import, reader, err);
}

enum ock_status ock_import_run(const struct ock_import *import, struct ock_err *err)
{
    struct ock_reader *reader = NULL;
    struct ock_reader *labels = NULL;
    struct ock_err inner = {.status = OCK_OK};
    enum ock_format format = import->format;
    enum ock_status status = ock_reader_open(&reader, import->source, import->out, err);
    if (status == OCK_OK && import->labels)
        status = ock_reader_open(&labels, import->labels, import->out, err);
    if (status == OCK_OK && format == OCK_FORMAT_AUTO)
        status = find_format(reader, &format, &inner);
    if (inner.status != OCK_OK)
        status = ock_fail(err, inner.status, "%s%s", labels ? "x: " : "", inner.text);
    if (status == OCK_OK)
        status = import_as(format, import, reader, labels, err);
    ock_reader_free(labels);
    ock_reader_free(reader);
    return status;
}

enum ock_status ock_import_delimiter(const char *text, char *delimiter, struct ock_err *err)
{
    if (strcmp(text, "tab") == 0) {
        *delimiter = '\t';
        return OCK_OK;
    }
    if (strcmp(text, "space") == 0) {
        *delimiter = ' ';
        return OCK_OK;
    }
    bool ascii = text[0] != '\0' && text[1] == '\0' && (unsigned char)text[0] < 0x80;
    if (!ascii || strchr("\"\r\n", text[0]))
        return ock_fail(err, OCK_INVALID,
                        "the delimiter must be one character of ASCII, but no quote and no line "
                        "end, or tab or space");
    *delimiter = text[0];
    return OCK_OK;
}
