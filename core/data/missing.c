/* The words for missing values that a user gives. */
#include "core/data/missing.h"

#include <string.h>

#include "core/data/field.h"

static enum ock_status add_word(struct ock_missing *missing, const char *word, size_t size,
                                struct ock_err *err)
{
    size_t used = missing->begins[missing->count];
    if (size == 0) /* is missing anyhow */
        return OCK_OK;
    if (missing->count == OCK_MISSING_WORDS_MAX || size >= OCK_MISSING_BYTES_MAX - used)
        return ock_fail(err, OCK_INVALID, "missing: has more than %d words or %d bytes, the limits",
                        OCK_MISSING_WORDS_MAX, OCK_MISSING_BYTES_MAX - 1);
    if (!ock_text_is_utf8(word, size))
        return ock_fail(err, OCK_INVALID, "missing: the words must be UTF-8");
    memcpy(missing->text + used, word, size);
    missing->text[used + size] = '\0';
    missing->begins[++missing->count] = used + size + 1;
    double value;
    missing->numbers |= ock_field_read(missing->text + used, size, &value) == OCK_FIELD_NUMBER;
    return OCK_OK;
}

enum ock_status ock_missing_parse(struct ock_missing *missing, const char *words,
                                  struct ock_err *err)
{
    *missing = (struct ock_missing){.count = 0};
    const char *next = words;
    enum ock_status status = OCK_OK;
    while (status == OCK_OK && *next) {
        size_t size = strcspn(next, ",");
        status = add_word(missing, next, size, err);
        next += size + (next[size] == ',');
    }
    return status;
}

bool ock_missing_has(const struct ock_missing *missing, const char *text, size_t size)
{
    for (size_t i = 0; i < missing->count; i++) {
        size_t begin = missing->begins[i];
        if (missing->begins[i + 1] - begin - 1 == size &&
            strncasecmp(missing->text + begin, text, size) == 0)
            return true;
    }
    return false;
}
