/* NPY, the file of one NumPy array: a magic, a version, and the literal of a Python dictionary such
 * as {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }, then the elements.
 * Source: NEP 1, "A Simple File Format for NumPy Arrays", versions 1.0 to 3.0. Objects would have to
 * be unpickled, which may run anything: they are refused. */
#include <stdlib.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/data/array.h"

enum { MAGIC_BYTES = 8, WORD_SIZE = 32 };
static const size_t text_bytes_max = 64 * OCK_KIB;

/* The literal, and where in it we are. */
struct literal {
    const struct ock_array *array;
    const char *text;
    size_t size, at;
    size_t begin; /* of the text in the file */
};

static enum ock_status expected(const struct literal *l, const char *what, struct ock_err *err)
{
    return ock_fail(err, OCK_INVALID, "%s: byte %zu: expected %s in the NPY header", l->array->what,
                    l->begin + l->at, what);
}

static void skip_spaces(struct literal *l)
{
    while (l->at < l->size && (l->text[l->at] == ' ' || l->text[l->at] == '\n'))
        l->at++;
}

/* Takes the character if it is the next one. */
static bool take(struct literal *l, char c)
{
    skip_spaces(l);
    if (l->at == l->size || l->text[l->at] != c)
        return false;
    l->at++;
    return true;
}

/* A short text in quotes, without escapes. */
static bool take_string(struct literal *l, char word[WORD_SIZE])
{
    char quote = '\'';
    if (!take(l, quote)) {
        quote = '"';
        if (!take(l, quote))
            return false;
    }
    const char *begin = l->text + l->at;
    const char *end = memchr(begin, quote, l->size - l->at);
    if (!end || end - begin >= WORD_SIZE)
        return false;
    memcpy(word, begin, (size_t)(end - begin));
    word[end - begin] = '\0';
    l->at += (size_t)(end - begin) + 1;
    return true;
}

static bool take_word(struct literal *l, const char *word)
{
    size_t length = strlen(word);
    skip_spaces(l);
    if (l->size - l->at < length || memcmp(l->text + l->at, word, length) != 0)
        return false;
    l->at += length;
    return true;
}

static enum ock_status refuse_type(const struct ock_array *array, size_t at, const char *descr,
                                   struct ock_err *err)
{
    const char *kind = descr + strspn(descr, "<>|=");
    if (*kind == 'O')
        return ock_fail(
            err, OCK_INVALID,
            "%s: byte %zu: holds Python objects ('%s'), which are never unpickled; save "
            "it with a numeric dtype, as by a.astype('float32')",
            array->what, at, descr);
    return ock_fail(err, OCK_INVALID,
                    "%s: byte %zu: its dtype '%s' is not read; booleans, integers, and floats of "
                    "16, 32 and 64 bits are",
                    array->what, at, descr);
}

/* '<f8': order, kind, bytes. One byte has no order; without one it is the machine's, as with '='. */
static enum ock_status set_element(struct ock_array *array, size_t at, const char *descr,
                                   struct ock_err *err)
{
    static const struct {
        const char *name;
        enum ock_element element;
    } types[] = {
        {"b1", OCK_ELEMENT_UNSIGNED}, {"u1", OCK_ELEMENT_BYTE},     {"u2", OCK_ELEMENT_UNSIGNED},
        {"u4", OCK_ELEMENT_UNSIGNED}, {"u8", OCK_ELEMENT_UNSIGNED}, {"i1", OCK_ELEMENT_SIGNED},
        {"i2", OCK_ELEMENT_SIGNED},   {"i4", OCK_ELEMENT_SIGNED},   {"i8", OCK_ELEMENT_SIGNED},
        {"f2", OCK_ELEMENT_FLOAT},    {"f4", OCK_ELEMENT_FLOAT},    {"f8", OCK_ELEMENT_FLOAT},
    };
    char order = *descr && strchr("<>|=", *descr) ? *descr : '=';
    const char *name = descr + strspn(descr, "<>|=");
    for (size_t i = 0; name - descr < 2 && i < sizeof(types) / sizeof(types[0]); i++) {
        size_t bytes = (size_t)(types[i].name[1] - '0');
        if (strcmp(name, types[i].name) != 0 || (order == '|' && bytes > 1))
            continue;
        array->element = types[i].element;
        array->element_bytes = bytes;
        array->big_endian = order == '>'; /* the machine's is little-endian */
        return OCK_OK;
    }
    return refuse_type(array, at, descr, err);
}

static enum ock_status read_type(struct literal *l, struct ock_array *array, struct ock_err *err)
{
    char descr[WORD_SIZE];
    skip_spaces(l);
    size_t at = l->begin + l->at;
    if (l->at < l->size && l->text[l->at] == '[')
        return ock_fail(
            err, OCK_INVALID,
            "%s: byte %zu: is a structured array; save one with a single numeric dtype, "
            "or a CSV",
            array->what, at);
    if (!take_string(l, descr))
        return expected(l, "a dtype such as '<f4'", err);
    return set_element(array, at, descr, err);
}

/* (3, 4), with a comma behind a single one. */
static enum ock_status read_shape(struct literal *l, struct ock_array *array, struct ock_err *err)
{
    if (!take(l, '('))
        return expected(l, "a shape such as (3, 4)", err);
    while (!take(l, ')')) {
        uint64_t dimension = 0;
        size_t begin = l->at;
        while (l->at < l->size && l->text[l->at] >= '0' && l->text[l->at] <= '9') {
            uint64_t digit = (uint64_t)(l->text[l->at++] - '0');
            dimension = dimension > (UINT64_MAX - digit) / 10 ? UINT64_MAX : 10 * dimension + digit;
        }
        if (l->at == begin)
            return expected(l, "a dimension", err);
        if (array->rank == OCK_ARRAY_RANK_MAX)
            return ock_fail(err, OCK_INVALID, "%s: byte %zu: has more than %d dimensions",
                            array->what, l->begin + begin, OCK_ARRAY_RANK_MAX);
        enum ock_status status = ock_array_add_dimension(array, dimension, l->begin + begin, err);
        if (status != OCK_OK)
            return status;
        (void)take(l, 'L'); /* Python 2's long */
        if (!take(l, ',')) {
            if (!take(l, ')'))
                return expected(l, "',' or ')'", err);
            break;
        }
    }
    if (array->rank == 0)
        return ock_fail(err, OCK_INVALID,
                        "%s: byte %zu: is a single number, its shape is (); expected rows",
                        array->what, l->begin + l->at - 1);
    return OCK_OK;
}

static enum ock_status read_order(struct literal *l, struct ock_array *array, struct ock_err *err)
{
    array->fortran = take_word(l, "True");
    if (!array->fortran && !take_word(l, "False"))
        return expected(l, "True or False", err);
    return OCK_OK;
}

static enum ock_status read_literal(struct literal *l, struct ock_array *array, struct ock_err *err)
{
    bool descr = false, order = false, shape = false;
    if (!take(l, '{'))
        return expected(l, "'{'", err);
    while (!take(l, '}')) {
        char key[WORD_SIZE];
        size_t begin = l->at;
        if (!take_string(l, key) || !take(l, ':'))
            return expected(l, "a key and ':'", err);
        bool *seen = strcmp(key, "descr") == 0           ? &descr
                     : strcmp(key, "fortran_order") == 0 ? &order
                     : strcmp(key, "shape") == 0         ? &shape
                                                         : NULL;
        if (!seen || *seen) {
            l->at = begin;
            return expected(l, "'descr', 'fortran_order' and 'shape', each once,", err);
        }
        *seen = true;
        enum ock_status status = seen == &descr   ? read_type(l, array, err)
                                 : seen == &order ? read_order(l, array, err)
                                                  : read_shape(l, array, err);
        if (status != OCK_OK)
            return status;
        if (!take(l, ',')) {
            if (!take(l, '}'))
                return expected(l, "',' or '}'", err);
            break;
        }
    }
    if (!descr || !order || !shape)
        return expected(l, "'descr', 'fortran_order' and 'shape'", err);
    skip_spaces(l);
    return l->at == l->size ? OCK_OK : expected(l, "spaces up to its end", err);
}

/* The length of the literal: two bytes in version 1, four later, little-endian. */
static enum ock_status read_length(struct ock_array *array, size_t *length, struct ock_err *err)
{
    unsigned char magic[MAGIC_BYTES], bytes[4] = {0};
    enum ock_status status = ock_array_read(array, magic, sizeof(magic), 0, err);
    if (status != OCK_OK)
        return status;
    if (memcmp(magic, "\x93NUMPY", 6) != 0)
        return ock_fail(err, OCK_INVALID,
                        "%s: byte 0: not NPY, it begins with %02x %02x instead of 93 'NUMPY'",
                        array->what, magic[0], magic[1]);
    if (magic[6] < 1 || magic[6] > 3)
        return ock_fail(err, OCK_INVALID, "%s: byte 6: is NPY of version %u, 1 to 3 are read",
                        array->what, magic[6]);
    size_t width = magic[6] == 1 ? 2 : 4;
    status = ock_array_read(array, bytes, width, MAGIC_BYTES, err);
    *length = bytes[0] | (size_t)bytes[1] << 8 | (size_t)bytes[2] << 16 | (size_t)bytes[3] << 24;
    array->header_bytes = MAGIC_BYTES + width + *length;
    if (status == OCK_OK && *length > text_bytes_max)
        return ock_fail(err, OCK_INVALID, "%s: byte %d: its NPY header has %zu bytes, up to %zu",
                        array->what, MAGIC_BYTES, *length, text_bytes_max);
    return status;
}

enum ock_status ock_npy_header(struct ock_array *array, struct ock_err *err)
{
    size_t length = 0;
    array->file_format = OCK_FILE_NPY;
    array->format = "NPY";
    enum ock_status status = read_length(array, &length, err);
    if (status != OCK_OK)
        return status;
    char *text = malloc(length + 1);
    if (!text)
        return ock_fail(err, OCK_NOMEM, "out of memory for an NPY header");
    struct literal l = {
        .array = array, .text = text, .size = length, .begin = array->header_bytes - length};
    status = ock_array_read(array, text, length, l.begin, err);
    if (status == OCK_OK)
        status = read_literal(&l, array, err);
    free(text);
    return status;
}
