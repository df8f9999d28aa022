/* Texts to codes by an open hash table, at most half full. */
#include "core/data/dictionary.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/data/field.h"

/* A column of more text than this is no category: names, comments, keys. */
#define OCK_DICTIONARY_BYTES_MAX (512 * OCK_MIB)

void ock_dictionary_init(struct ock_dictionary *dictionary, struct ock_bump *bump)
{
    *dictionary = (struct ock_dictionary){.bump = bump};
}

void ock_dictionary_deinit(struct ock_dictionary *dictionary)
{
    ock_room_free(&dictionary->texts.room);
    ock_room_free(&dictionary->begins.room);
    ock_room_free(&dictionary->table.room);
    *dictionary = (struct ock_dictionary){.count = 0};
}

static const char *path_of(const struct ock_dictionary *dictionary)
{
    return dictionary->bump ? dictionary->bump->path : NULL;
}

/* A zeroed array of so many bytes. */
static enum ock_status array_take(const struct ock_dictionary *dictionary,
                                  struct ock_dictionary_array *out, size_t bytes,
                                  struct ock_err *err)
{
    *out = (struct ock_dictionary_array){.bytes = bytes};
    if (dictionary->bump && bytes <= OCK_BUMP_BYTES_MAX)
        return ock_bump_take(dictionary->bump, bytes, &out->data, err);
    enum ock_status status = ock_room_take(&out->room, bytes, 1, path_of(dictionary), err);
    out->data = out->room.data;
    return status;
}

/* At least `bytes`, with what is there. What it leaves in the bump allocator by growing is in all no more than it
 * has in the end. */
static enum ock_status array_grow(const struct ock_dictionary *dictionary,
                                  struct ock_dictionary_array *array, size_t bytes,
                                  struct ock_err *err)
{
    struct ock_dictionary_array larger;
    size_t doubled = 2 * array->bytes;
    if (bytes <= array->bytes)
        return OCK_OK;
    enum ock_status status =
        array_take(dictionary, &larger, doubled > bytes ? doubled : bytes, err);
    if (status != OCK_OK)
        return status;
    if (array->bytes > 0)
        memcpy(larger.data, array->data, array->bytes);
    ock_room_free(&array->room);
    *array = larger;
    return OCK_OK;
}

static uint64_t load8(const char *bytes)
{
    uint64_t v;
    memcpy(&v, bytes, sizeof(v));
    return v;
}

static uint64_t load4(const char *bytes)
{
    uint32_t v;
    memcpy(&v, bytes, sizeof(v));
    return v;
}

/* Eight bytes at a time; the last of them may be some of those before. */
static uint64_t hash(const char *text, size_t size)
{
    static const uint64_t factor = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t h = size * factor;
    const char *last = text + size;
    for (; last - text > 8; text += 8)
        h = (h ^ load8(text)) * factor, h ^= h >> 32;
    if (size >= 8)
        h ^= load8(last - 8);
    else if (size >= 4)
        h ^= load4(text) | load4(last - 4) << 32;
    else if (size > 0)
        h ^= (unsigned char)text[0] | (uint64_t)(unsigned char)text[size / 2] << 8 |
             (uint64_t)(unsigned char)last[-1] << 16;
    /* Twice, so that the last bytes, which are the highest, reach the lowest bits. */
    h *= factor;
    h = (h ^ h >> 32) * factor;
    return h ^ h >> 32;
}

static const uint32_t *begins_of(const struct ock_dictionary *dictionary)
{
    return dictionary->begins.data;
}

static const char *text_at(const struct ock_dictionary *dictionary, size_t code)
{
    return (const char *)dictionary->texts.data + begins_of(dictionary)[code];
}

/* With its NUL. */
static size_t bytes_at(const struct ock_dictionary *dictionary, size_t code)
{
    const uint32_t *begins = begins_of(dictionary);
    size_t end = code + 1 < dictionary->count ? begins[code + 1] : dictionary->texts_bytes;
    return end - begins[code];
}

static bool is_at(const struct ock_dictionary *dictionary, size_t code, const char *text,
                  size_t size)
{
    return bytes_at(dictionary, code) == size + 1 &&
           memcmp(text_at(dictionary, code), text, size) == 0;
}

/* Where in a table of `capacity` places the text is, or belongs. */
static size_t find(const struct ock_dictionary *dictionary, const uint32_t *table, size_t capacity,
                   const char *text, size_t size)
{
    size_t place = hash(text, size) & (capacity - 1);
    while (table[place] && !is_at(dictionary, table[place] - 1, text, size))
        place = (place + 1) & (capacity - 1);
    return place;
}

bool ock_dictionary_find(const struct ock_dictionary *dictionary, const char *text, size_t size,
                         uint32_t *code)
{
    const uint32_t *table = dictionary->table.data;
    if (dictionary->count == 0)
        return false;
    uint32_t found = table[find(dictionary, table, dictionary->capacity, text, size)];
    *code = found - 1;
    return found != 0;
}

static enum ock_status grow(struct ock_dictionary *dictionary, struct ock_err *err)
{
    size_t capacity = dictionary->capacity ? 2 * dictionary->capacity : 8;
    struct ock_dictionary_array array;
    enum ock_status status =
        array_grow(dictionary, &dictionary->begins, capacity / 2 * sizeof(uint32_t), err);
    if (status == OCK_OK)
        status = array_take(dictionary, &array, capacity * sizeof(uint32_t), err);
    if (status != OCK_OK)
        return status;
    uint32_t *table = array.data;
    for (size_t code = 0; code < dictionary->count; code++) {
        const char *text = text_at(dictionary, code);
        size_t size = bytes_at(dictionary, code) - 1;
        table[find(dictionary, table, capacity, text, size)] = (uint32_t)code + 1;
    }
    ock_room_free(&dictionary->table.room);
    dictionary->table = array;
    dictionary->capacity = capacity;
    return OCK_OK;
}

/* A new text, for this place in the table. */
static enum ock_status add(struct ock_dictionary *dictionary, size_t place, const char *text,
                           size_t size, struct ock_err *err)
{
    size_t begin = dictionary->texts_bytes, end = begin + size + 1;
    if (end > OCK_DICTIONARY_BYTES_MAX)
        return ock_fail(err, OCK_LIMIT,
                        "has more than %zu bytes of distinct texts; leave the column out",
                        OCK_DICTIONARY_BYTES_MAX);
    enum ock_status status = array_grow(dictionary, &dictionary->texts, end, err);
    if (status != OCK_OK)
        return status;
    memcpy((char *)dictionary->texts.data + begin, text, size + 1);
    dictionary->texts_bytes = end;
    ((uint32_t *)dictionary->begins.data)[dictionary->count++] = (uint32_t)begin;
    ((uint32_t *)dictionary->table.data)[place] = (uint32_t)dictionary->count;
    return OCK_OK;
}

enum ock_status ock_dictionary_code(struct ock_dictionary *dictionary, const char *text,
                                    size_t size, uint32_t *code, int *added, struct ock_err *err)
{
    enum ock_status status = OCK_OK;
    *added = 0;
    if (2 * (dictionary->count + 1) > dictionary->capacity)
        status = grow(dictionary, err);
    if (status != OCK_OK)
        return status;
    const uint32_t *table = dictionary->table.data;
    size_t place = find(dictionary, table, dictionary->capacity, text, size);
    *added = table[place] == 0;
    if (*added)
        status = add(dictionary, place, text, size, err);
    *code = status == OCK_OK ? table[place] - 1 : 0;
    return status;
}

/* --- Sorting ----------------------------------------------------------------------------------- */

/* What codes are compared by. */
struct order {
    const struct ock_dictionary *dictionary;
    const double *numbers; /* NULL: the texts alone */
};

static int compare(const void *a, const void *b, void *ctx)
{
    const struct order *order = ctx;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    if (order->numbers && order->numbers[x] != order->numbers[y])
        return order->numbers[x] < order->numbers[y] ? -1 : 1;
    return strcmp(text_at(order->dictionary, x), text_at(order->dictionary, y));
}

/* numbers [count]; false: some text is none. */
static bool read_numbers(const struct ock_dictionary *dictionary, double *numbers)
{
    for (size_t i = 0; i < dictionary->count; i++) {
        const char *text = text_at(dictionary, i);
        if (ock_field_read(text, bytes_at(dictionary, i) - 1, &numbers[i]) != OCK_FIELD_NUMBER)
            return false;
    }
    return true;
}

enum ock_status ock_dictionary_sort(const struct ock_dictionary *dictionary, const char **values,
                                    uint32_t *codes, size_t *value_count, struct ock_err *err)
{
    size_t count = dictionary->count, found = 0;
    struct ock_room sorted = {.data = NULL}, numbers = {.data = NULL};
    const char *path = path_of(dictionary);
    enum ock_status status = ock_room_take(&sorted, count, sizeof(uint32_t), path, err);
    if (status == OCK_OK)
        status = ock_room_take(&numbers, count, sizeof(double), path, err);
    if (status != OCK_OK)
        goto done;
    uint32_t *order = sorted.data;
    struct order by = {dictionary, numbers.data};
    if (!read_numbers(dictionary, numbers.data))
        by.numbers = NULL;
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)i;
    qsort_r(order, count, sizeof(*order), compare, &by);
    for (size_t i = 0; i < count; i++) {
        bool again = by.numbers && i > 0 && by.numbers[order[i]] == by.numbers[order[i - 1]];
        if (!again)
            values[found++] = text_at(dictionary, order[i]);
        codes[order[i]] = (uint32_t)found - 1;
    }
    *value_count = found;
done:
    ock_room_free(&sorted);
    ock_room_free(&numbers);
    return status;
}
