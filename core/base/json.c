/* Strict JSON: the scan decides what JSON is, cJSON builds the tree, a walk finds what the grammar
 * allows but no spec can mean: a key twice, a number beyond double. */
#include "core/base/json.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/json_scan.h"
#include "core/base/jsonw.h"
#include "core/base/limits.h"
#include "core/base/utf8.h"

/* cJSON writes its last error into a global on every parse. */
static pthread_mutex_t parse_mutex = PTHREAD_MUTEX_INITIALIZER;

static void shorten_number(char *number, size_t length)
{
    char text[OCK_NUMBER_TEXT_SIZE] = "1e999"; /* what overflows stays an overflow */
    char behind = number[length];
    number[length] = '\0';
    double value = strtod(number, NULL);
    number[length] = behind;
    if (isfinite(value))
        ock_number_text(text, value);
    else if (number[0] == '-')
        (void)snprintf(text, sizeof(text), "-1e999");
    memset(number, ' ', length);
    memcpy(number, text, strlen(text));
}

/* A copy of a valid document in which numbers too long for cJSON stand in their shortest form,
 * padded with spaces. NULL if out of memory. */
static char *shorten_numbers(const char *text, size_t size)
{
    char *copy = malloc(size + 1);
    if (!copy)
        return NULL;
    memcpy(copy, text, size);
    copy[size] = '\0';
    size_t at = 0;
    while (at < size) {
        if (copy[at] == '"') {
            for (at++; copy[at] != '"'; at++)
                at += copy[at] == '\\';
        }
        size_t stopped;
        size_t length = ock_json_number_length(copy + at, size - at, &stopped);
        if (length > OCK_JSON_NUMBER_BYTES_MAX)
            shorten_number(copy + at, length);
        at += length > 0 ? length : 1;
    }
    return copy;
}

static cJSON *parse_locked(const char *text, size_t size)
{
    (void)pthread_mutex_lock(&parse_mutex);
    cJSON *json = cJSON_ParseWithLength(text, size);
    (void)pthread_mutex_unlock(&parse_mutex);
    return json;
}

/* A member's name and its place among its siblings. */
struct member {
    const char *name;
    size_t index;
};

static int compare_members(const void *a, const void *b)
{
    const struct member *left = a, *right = b;
    int order = strcmp(left->name, right->name);
    return order != 0 ? order : (left->index > right->index) - (left->index < right->index);
}

/* Sets repeated[i] for each member whose name an earlier one has. Sorted, so that an object of a
 * million keys is no way to make a server busy. */
static enum ock_status find_repeated(const cJSON *object, size_t count, bool *repeated,
                                     struct ock_err *err)
{
    struct member *members = malloc(count * sizeof(*members));
    if (!members)
        return ock_fail(err, OCK_NOMEM, "out of memory for the keys of an object");
    size_t i = 0;
    for (const cJSON *child = object->child; child; child = child->next, i++)
        members[i] = (struct member){.name = child->string, .index = i};
    qsort(members, count, sizeof(*members), compare_members);
    for (i = 1; i < count; i++)
        if (strcmp(members[i - 1].name, members[i].name) == 0)
            repeated[members[i].index] = true;
    free(members);
    return OCK_OK;
}

static void pointer_add_child(char *pointer, size_t size, const cJSON *child, size_t index)
{
    char text[24];
    if (child->string) {
        ock_json_pointer_add(pointer, size, child->string);
        return;
    }
    (void)snprintf(text, sizeof(text), "%zu", index);
    ock_json_pointer_add(pointer, size, text);
}

static enum ock_status check_duplicates(const cJSON *object, char *pointer, size_t size,
                                        struct ock_faults *faults, struct ock_err *err)
{
    size_t count = (size_t)cJSON_GetArraySize(object);
    size_t length = strlen(pointer);
    if (count < 2)
        return OCK_OK;
    bool *repeated = calloc(count, sizeof(*repeated));
    if (!repeated)
        return ock_fail(err, OCK_NOMEM, "out of memory for the keys of an object");
    enum ock_status status = find_repeated(object, count, repeated, err);
    size_t i = 0;
    for (const cJSON *child = object->child; status == OCK_OK && child; child = child->next, i++) {
        if (!repeated[i])
            continue;
        ock_json_pointer_add(pointer, size, child->string);
        (void)ock_faults_add(faults, pointer, "duplicate_key",
                             "the key \"%.100s\" stands here a second time", child->string);
        pointer[length] = '\0';
    }
    free(repeated);
    return status;
}

/* Recursion is bounded: the scan has refused what nests deeper than OCK_JSON_DEPTH_MAX. */
// NOLINTNEXTLINE(misc-no-recursion)
static enum ock_status check_values(const cJSON *value, char *pointer, size_t size,
                                    struct ock_faults *faults, struct ock_err *err)
{
    if (cJSON_IsNumber(value) && !isfinite(value->valuedouble))
        (void)ock_faults_add(faults, pointer, "not_finite",
                             "the number is too large: its size must be below 1.8e308");
    enum ock_status status = OCK_OK;
    if (cJSON_IsObject(value))
        status = check_duplicates(value, pointer, size, faults, err);
    size_t length = strlen(pointer);
    size_t index = 0;
    for (const cJSON *child = value->child; status == OCK_OK && child; child = child->next) {
        /* Only what can be at fault needs its pointer: a matrix' numbers are many. */
        bool leaf = !child->child && !(cJSON_IsNumber(child) && !isfinite(child->valuedouble));
        if (!leaf) {
            pointer_add_child(pointer, size, child, index);
            status = check_values(child, pointer, size, faults, err);
            pointer[length] = '\0';
        }
        index++;
    }
    return status;
}

enum ock_status ock_json_parse(cJSON **out, const char *text, size_t size,
                               struct ock_faults *faults, struct ock_err *err)
{
    char pointer[sizeof(faults->items[0].pointer)] = "";
    char *copy = NULL;
    cJSON *json = NULL;
    size_t long_numbers = 0;
    enum ock_status status = ock_json_scan(text, size, &long_numbers, err);
    if (status != OCK_OK)
        goto done;
    if (long_numbers > 0) {
        copy = shorten_numbers(text, size);
        if (!copy) {
            status = ock_fail(err, OCK_NOMEM, "out of memory for a JSON text of %zu bytes", size);
            goto done;
        }
    }
    json = parse_locked(copy ? copy : text, size);
    if (!json) {
        status = ock_fail(err, OCK_NOMEM, "out of memory for a JSON text of %zu bytes", size);
        goto done;
    }
    status = check_values(json, pointer, sizeof(pointer), faults, err);
    if (status != OCK_OK)
        goto done;
    *out = json;
    json = NULL;
done:
    cJSON_Delete(json);
    free(copy);
    return status;
}

const cJSON *ock_json_get(const cJSON *object, const char *key)
{
    return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, key) : NULL;
}

bool ock_json_whole(const cJSON *number)
{
    return cJSON_IsNumber(number) && fabs(number->valuedouble) < 0x1p53 &&
           number->valuedouble == trunc(number->valuedouble);
}

void ock_json_pointer_add(char *pointer, size_t size, const char *key)
{
    size_t at = strlen(pointer);
    assert(at < size);
    if (at + 1 < size)
        pointer[at++] = '/';
    for (; *key != '\0'; key++) {
        const char *escaped = *key == '~' ? "~0" : *key == '/' ? "~1" : NULL;
        size_t length = escaped ? 2 : 1;
        if (at + length >= size)
            break;
        memcpy(pointer + at, escaped ? escaped : key, length);
        at += length;
    }
    pointer[at] = '\0';
    ock_utf8_trim(pointer);
}
