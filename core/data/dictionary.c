/* Texts to codes by an open hash table, at most half full. */
#include "core/data/dictionary.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/data/field.h"

/* A column of more text than this is no category: names, comments, keys. */
#define OCK_DICTIONARY_BYTES_MAX (512 * OCK_MIB)

void ock_dictionary_init(struct ock_dictionary *dictionary)
{
    *dictionary = (struct ock_dictionary){0};
    ock_buf_init(&dictionary->texts, OCK_DICTIONARY_BYTES_MAX);
}

void ock_dictionary_deinit(struct ock_dictionary *dictionary)
{
    ock_buf_deinit(&dictionary->texts);
    free(dictionary->begins);
    free(dictionary->table);
    *dictionary = (struct ock_dictionary){0};
}

/* FNV-1a, 64 bits. */
static uint64_t hash(const char *text)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return h ^ h >> 32;
}

static const char *text_at(const struct ock_dictionary *dictionary, size_t code)
{
    return dictionary->texts.data + dictionary->begins[code];
}

static size_t find(const struct ock_dictionary *dictionary, const char *text)
{
    size_t place = hash(text) & (dictionary->capacity - 1);
    while (dictionary->table[place] &&
           strcmp(text_at(dictionary, dictionary->table[place] - 1), text) != 0)
        place = (place + 1) & (dictionary->capacity - 1);
    return place;
}

static enum ock_status grow(struct ock_dictionary *dictionary, struct ock_err *err)
{
    size_t capacity = dictionary->capacity ? 2 * dictionary->capacity : 32;
    uint64_t *begins = realloc(dictionary->begins, capacity / 2 * sizeof(*begins));
    if (!begins)
        return ock_fail(err, OCK_NOMEM, "out of memory for a column's texts");
    dictionary->begins = begins;
    uint32_t *table = calloc(capacity, sizeof(*table));
    if (!table)
        return ock_fail(err, OCK_NOMEM, "out of memory for a column's texts");
    free(dictionary->table);
    dictionary->table = table;
    dictionary->capacity = capacity;
    for (size_t code = 0; code < dictionary->count; code++)
        table[find(dictionary, text_at(dictionary, code))] = (uint32_t)code + 1;
    return OCK_OK;
}

enum ock_status ock_dictionary_code(struct ock_dictionary *dictionary, const char *text,
                                    size_t size, uint32_t *code, int *added, struct ock_err *err)
{
    *added = 0;
    if (2 * (dictionary->count + 1) > dictionary->capacity) {
        enum ock_status status = grow(dictionary, err);
        if (status != OCK_OK)
            return status;
    }
    size_t place = find(dictionary, text);
    if (dictionary->table[place]) {
        *code = dictionary->table[place] - 1;
        return OCK_OK;
    }
    size_t begin = dictionary->texts.size;
    ock_buf_add(&dictionary->texts, text, size + 1);
    if (dictionary->texts.failed == OCK_LIMIT)
        return ock_fail(err, OCK_LIMIT,
                        "has more than %zu bytes of distinct texts; leave the column out",
                        OCK_DICTIONARY_BYTES_MAX);
    if (dictionary->texts.failed != OCK_OK)
        return ock_buf_status(&dictionary->texts, err);
    dictionary->begins[dictionary->count] = begin;
    *code = (uint32_t)dictionary->count++;
    dictionary->table[place] = *code + 1;
    *added = 1;
    return OCK_OK;
}

struct entry {
    const char *text;
    double number;
    uint32_t code;
};

static int by_bytes(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;
    return strcmp(x->text, y->text);
}

static int by_number(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return strcmp(x->text, y->text);
}

enum ock_status ock_dictionary_sort(const struct ock_dictionary *dictionary, const char **values,
                                    uint32_t *codes, size_t *value_count, struct ock_err *err)
{
    size_t count = dictionary->count;
    struct entry *entries = malloc((count + 1) * sizeof(*entries));
    if (!entries)
        return ock_fail(err, OCK_NOMEM, "out of memory for a column's texts");
    bool numbers = true;
    for (size_t i = 0; i < count; i++) {
        entries[i] = (struct entry){.text = text_at(dictionary, i), .code = (uint32_t)i};
        numbers = numbers && ock_field_read(entries[i].text, strlen(entries[i].text),
                                            &entries[i].number) == OCK_FIELD_NUMBER;
    }
    if (count > 1)
        qsort(entries, count, sizeof(*entries), numbers ? by_number : by_bytes);
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        bool again = numbers && i > 0 && entries[i].number == entries[i - 1].number;
        if (!again)
            values[found++] = entries[i].text;
        codes[entries[i].code] = (uint32_t)found - 1;
    }
    free(entries);
    *value_count = found;
    return OCK_OK;
}
