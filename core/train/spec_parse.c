/* The parser of sections: walks the table, not the document, so that each key is taken once and
 * defaults come in by the same door as what a user sends. */
#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/train/spec_keys.h"

size_t ock_spec_enter(struct ock_spec_parser *parser, const char *key)
{
    size_t length = strlen(parser->pointer);
    ock_json_pointer_add(parser->pointer, sizeof(parser->pointer), key);
    return length;
}

size_t ock_spec_enter_index(struct ock_spec_parser *parser, size_t index)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%zu", index);
    return ock_spec_enter(parser, text);
}

void ock_spec_leave(struct ock_spec_parser *parser, size_t length)
{
    assert(length <= strlen(parser->pointer));
    parser->pointer[length] = '\0';
}

void ock_spec_nomem(struct ock_spec_parser *parser)
{
    parser->status = ock_fail(parser->err, OCK_NOMEM, "out of memory for the job spec");
}

char *ock_spec_strdup(struct ock_spec_parser *parser, const char *text)
{
    char *copy = strdup(text);
    if (!copy)
        ock_spec_nomem(parser);
    return copy;
}

struct ock_fault *ock_spec_fault(struct ock_spec_parser *parser, const cJSON *value,
                                 const char *code, const char *detail, ...)
{
    char text[sizeof(((struct ock_fault *)0)->detail)];
    va_list args;
    va_start(args, detail);
    (void)vsnprintf(text, sizeof(text), detail, args);
    va_end(args);
    struct ock_fault *fault = ock_faults_add(parser->faults, parser->pointer, code, "%s", text);
    /* Printing a container could take long; one that is short is empty or hardly worth it. */
    if (!fault || !value || cJSON_IsArray(value) || cJSON_IsObject(value))
        return fault;
    char *got = ock_json_print(value);
    if (!got)
        ock_spec_nomem(parser);
    else if (strlen(got) < sizeof(fault->got))
        (void)snprintf(fault->got, sizeof(fault->got), "%s", got);
    free(got);
    return fault;
}

int ock_spec_find_word(const char *const *words, const char *text)
{
    for (int i = 0; words[i]; i++)
        if (strcmp(words[i], text) == 0)
            return i;
    return -1;
}

/* What others call our keys and words. */
static const char *translate(const char *name)
{
    static const char *const words[][2] = {
        {"learning_rate", "lr"},
        {"lr_schedule", "schedule"},
        {"epsilon", "eps"},
        {"alpha", "l1"},
        {"lambda", "l2"},
        {"penalty", "regularization"},
        {"hidden_layers", "hidden"},
        {"hidden_sizes", "hidden"},
        {"num_epochs", "epochs"},
        {"n_epochs", "epochs"},
        {"max_iter", "epochs"},
        {"batch", "batch_size"},
        {"random_state", "seed"},
        {"criterion", "loss"},
        {"label", "target"},
        {"val", "validation"},
        {"validation_split", "validation"},
        {"validation.loss", "validation.data_loss"},
        {"train.loss", "train.data_loss"},
        {"val_loss", "validation.data_loss"},
        {"bce", "binary_cross_entropy"},
        {"softmax", "cross_entropy"},
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(words[i][0], name) == 0)
            return words[i][1];
    return NULL;
}

/* The right word among `words`, by translation or by likeness; NULL if none is near. */
static const char *suggest(const char *word, const char *const *words, size_t count)
{
    const char *meant = translate(word);
    for (size_t i = 0; meant && i < count; i++)
        if (strcmp(words[i], meant) == 0)
            return words[i];
    return ock_nearest_word(word, words, count);
}

static size_t count_words(const char *const *words)
{
    size_t count = 0;
    while (words[count])
        count++;
    return count;
}

void ock_spec_unknown_value(struct ock_spec_parser *parser, const cJSON *value,
                            const char *const *words, const char *also)
{
    char list[300] = "";
    size_t count = count_words(words);
    for (size_t i = 0; i < count; i++) {
        size_t used = strlen(list);
        const char *between = i == 0 ? "" : i + 1 == count && also[0] == '\0' ? " or " : ", ";
        (void)snprintf(list + used, sizeof(list) - used, "%s%s", between, words[i]);
    }
    struct ock_fault *fault =
        ock_spec_fault(parser, value, "unknown_value", "must be %s%s", list, also);
    const char *nearest = suggest(cJSON_GetStringValue(value), words, count);
    if (fault && nearest)
        (void)snprintf(fault->suggestion, sizeof(fault->suggestion), "%s", nearest);
}

const struct ock_key *ock_spec_find_key(const struct ock_section *section, const char *name)
{
    for (size_t i = 0; i < section->count; i++)
        if (strcmp(section->keys[i].name, name) == 0)
            return &section->keys[i];
    return NULL;
}

/* "must be a whole number from 1 to 1024 or \"auto\"": what the table allows, as a sentence. */
static void describe_range(const struct ock_key *key, char *text, size_t size)
{
    char range[160];
    if (key->kind != OCK_KEY_NUMBER && key->kind != OCK_KEY_OTHER) {
        (void)snprintf(range, sizeof(range), "a whole number from %.0f to %.0f", key->min,
                       key->max);
    } else {
        char min[OCK_NUMBER_TEXT_SIZE], max[OCK_NUMBER_TEXT_SIZE + 8] = " finite";
        ock_number_text(min, key->min);
        if (isfinite(key->max)) {
            max[0] = ' ';
            max[1] = '<';
            max[2] = key->flags & OCK_KEY_BELOW_MAX ? ' ' : '=';
            max[3] = ' ';
            ock_number_text(max + (max[2] == '=' ? 4 : 3), key->max);
        }
        (void)snprintf(range, sizeof(range), "%s %s and%s",
                       key->flags & OCK_KEY_ABOVE_MIN ? ">" : ">=", min, max);
    }
    (void)snprintf(text, size, "must be %s%s%s%s%s", range, key->word ? " or \"" : "",
                   key->word ? key->word : "", key->word ? "\"" : "",
                   key->flags & OCK_KEY_NULL ? " or null" : "");
}

/* A number that is used as a float32 must be one: 1e-50 would silently be 0. */
static bool fits_float(double number)
{
    return number == 0 || (fabs(number) >= (double)FLT_MIN && fabs(number) <= (double)FLT_MAX);
}

/* The number, checked against the table; false after a fault. */
static bool take_number(struct ock_spec_parser *parser, const struct ock_key *key,
                        const cJSON *value, double *out)
{
    char range[300];
    double number = value->valuedouble;
    bool real = key->kind == OCK_KEY_NUMBER || key->kind == OCK_KEY_OTHER;
    describe_range(key, range, sizeof(range));
    /* The strict parser has told of this one already. */
    if (!isfinite(number) && !ock_spec_clean(parser->faults, parser->pointer))
        return false;
    if (isfinite(number) && !real && number != trunc(number)) {
        (void)ock_spec_fault(parser, value, "wrong_type", "%s", range);
        return false;
    }
    bool low = number < key->min || (number == key->min && (key->flags & OCK_KEY_ABOVE_MIN));
    bool high = number > key->max || (number == key->max && (key->flags & OCK_KEY_BELOW_MAX));
    if (!isfinite(number) || low || high) {
        (void)ock_spec_fault(parser, value, "out_of_range", "%s", range);
        return false;
    }
    if ((key->flags & OCK_KEY_FLOAT) && !fits_float(number)) {
        (void)ock_spec_fault(parser, value, "out_of_range",
                             "%s, and within a 32-bit float's range (1.2e-38 to 3.4e38)", range);
        return false;
    }
    *out = number;
    return true;
}

static void store_whole(const struct ock_key *key, void *target, uint64_t number)
{
    if (key->kind == OCK_KEY_U32)
        *(uint32_t *)target = (uint32_t)number;
    else if (key->kind == OCK_KEY_U64)
        *(uint64_t *)target = number;
    else
        *(size_t *)target = (size_t)number;
}

static void parse_number(struct ock_spec_parser *parser, const struct ock_key *key,
                         const cJSON *value, void *target)
{
    char range[300];
    double number;
    const char *text = cJSON_GetStringValue(value);
    if (text && key->word && strcmp(text, key->word) == 0) {
        store_whole(key, target, key->word_value);
    } else if (text && key->word) {
        const char *const words[] = {key->word, NULL};
        describe_range(key, range, sizeof(range));
        bool near = ock_nearest_word(text, words, 1) != NULL;
        struct ock_fault *fault =
            ock_spec_fault(parser, value, near ? "unknown_value" : "wrong_type", "%s", range);
        if (fault && near)
            (void)snprintf(fault->suggestion, sizeof(fault->suggestion), "%s", key->word);
    } else if (!cJSON_IsNumber(value)) {
        describe_range(key, range, sizeof(range));
        (void)ock_spec_fault(parser, value, "wrong_type", "%s",
                             key->kind == OCK_KEY_NUMBER ? "must be a number" : range);
    } else if (take_number(parser, key, value, &number)) {
        if (key->kind == OCK_KEY_NUMBER)
            *(double *)target = number;
        else
            store_whole(key, target, (uint64_t)number);
    }
}

static bool has_control(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7F)
            return true;
    return false;
}

static void parse_text(struct ock_spec_parser *parser, const struct ock_key *key,
                       const cJSON *value, char **target)
{
    const char *text = cJSON_GetStringValue(value);
    if (!text) {
        (void)ock_spec_fault(parser, value, "wrong_type", "must be a text");
        return;
    }
    size_t bytes = strlen(text);
    if (bytes == 0 || (double)bytes > key->max) {
        (void)ock_spec_fault(parser, value, "out_of_range", "must have 1 to %.0f bytes", key->max);
        return;
    }
    if ((key->flags & OCK_KEY_PRINTABLE) && has_control(text)) {
        (void)ock_spec_fault(parser, value, "out_of_range", "must not hold control characters");
        return;
    }
    *target = ock_spec_strdup(parser, text);
}

static void parse_word(struct ock_spec_parser *parser, const struct ock_key *key,
                       const cJSON *value, void *target)
{
    if (!cJSON_IsString(value)) {
        (void)ock_spec_fault(parser, value, "wrong_type", "must be a word, such as \"%s\"",
                             key->words[0]);
        return;
    }
    int place = ock_spec_find_word(key->words, value->valuestring);
    if (place < 0) {
        ock_spec_unknown_value(parser, value, key->words, "");
        return;
    }
    /* Enums without negative numbers are unsigned int with gcc and clang. */
    unsigned stored = (unsigned)place;
    static_assert(sizeof(enum ock_loss) == sizeof(stored), "enums are stored as unsigned int");
    memcpy(target, &stored, sizeof(stored));
}

void ock_spec_parse_key(struct ock_spec_parser *parser, const struct ock_key *key,
                        const cJSON *value, void *base)
{
    void *target = (char *)base + key->offset;
    if (cJSON_IsNull(value) && (key->flags & OCK_KEY_NULL) && key->kind != OCK_KEY_OTHER)
        return; /* the struct begins as zeros */
    switch (key->kind) {
    case OCK_KEY_NUMBER:
    case OCK_KEY_U32:
    case OCK_KEY_U64:
    case OCK_KEY_SIZE:
        parse_number(parser, key, value, target);
        break;
    case OCK_KEY_BOOL:
        if (cJSON_IsBool(value))
            *(bool *)target = cJSON_IsTrue(value);
        else
            (void)ock_spec_fault(parser, value, "wrong_type", "must be true or false");
        break;
    case OCK_KEY_WORD:
        parse_word(parser, key, value, target);
        break;
    case OCK_KEY_TEXT:
        parse_text(parser, key, value, target);
        break;
    case OCK_KEY_SECTION:
        if (cJSON_IsObject(value))
            ock_spec_parse_section(parser, key->section, value, target);
        else
            (void)ock_spec_fault(parser, value, "wrong_type", "must be an object");
        break;
    case OCK_KEY_OTHER:
        key->parse(parser, key, value, base);
        break;
    }
}

/* Where else the key would be right: "train" for "epochs", NULL if nowhere. */
static const char *home_of(const char *name)
{
    for (size_t i = 0; i < ock_spec_root.count; i++) {
        const struct ock_key *key = &ock_spec_root.keys[i];
        if (key->section && ock_spec_find_key(key->section, name))
            return key->name;
    }
    return ock_spec_find_key(&ock_spec_root, name) ? "the document itself" : NULL;
}

static void unknown_key(struct ock_spec_parser *parser, const struct ock_section *section,
                        const char *name)
{
    const char *words[64];
    assert(section->count <= sizeof(words) / sizeof(words[0]));
    for (size_t i = 0; i < section->count; i++)
        words[i] = section->keys[i].name;

    size_t mark = ock_spec_enter(parser, name);
    const char *home = home_of(name);
    const char *nearest = suggest(name, words, section->count);
    struct ock_fault *fault = home ? ock_spec_fault(parser, NULL, "unknown_key",
                                                    "unknown key here; it belongs in %s", home)
                                   : ock_spec_fault(parser, NULL, "unknown_key", "unknown key");
    if (fault && nearest)
        (void)snprintf(fault->suggestion, sizeof(fault->suggestion), "%s", nearest);
    ock_spec_leave(parser, mark);
}

/* The table's defaults are JSON texts: they pass the parser like any other value. */
static void parse_initial(struct ock_spec_parser *parser, const struct ock_key *key, void *base)
{
    cJSON *value = NULL;
    if (parser->status != OCK_OK || !key->initial)
        return;
    parser->status =
        ock_json_parse(&value, key->initial, strlen(key->initial), parser->faults, parser->err);
    if (parser->status == OCK_OK)
        ock_spec_parse_key(parser, key, value, base);
    cJSON_Delete(value);
}

/* True where a value that is there counts as given; null is the default spelt out. */
static bool counts(const struct ock_key *key, const cJSON *value)
{
    return !((key->flags & OCK_KEY_NULL) && cJSON_IsNull(value));
}

void ock_spec_parse_section(struct ock_spec_parser *parser, const struct ock_section *section,
                            const cJSON *json, void *base)
{
    assert(cJSON_IsObject(json));
    for (size_t i = 0; i < section->count; i++) {
        const struct ock_key *key = &section->keys[i];
        const cJSON *value = ock_json_get(json, key->name);
        size_t mark = ock_spec_enter(parser, key->name);
        if (value) {
            ock_spec_parse_key(parser, key, value, base);
            if (key->given)
                *((bool *)base + key->given) = counts(key, value);
        } else if (key->flags & OCK_KEY_REQUIRED) {
            (void)ock_spec_fault(parser, NULL, "missing_key", "this key is needed");
        } else {
            parse_initial(parser, key, base);
        }
        ock_spec_leave(parser, mark);
    }
    for (const cJSON *child = json->child; child; child = child->next)
        if (!ock_spec_find_key(section, child->string))
            unknown_key(parser, section, child->string);
}

enum ock_status ock_spec_parse(struct ock_spec **out, const cJSON *json, bool need_dataset,
                               struct ock_faults *faults, struct ock_err *err)
{
    struct ock_spec_parser parser = {.faults = faults, .err = err, .need_dataset = need_dataset};
    struct ock_spec *spec = calloc(1, sizeof(*spec));
    size_t count = faults->count, dropped = faults->dropped;
    enum ock_status status = OCK_OK;
    if (!spec) {
        status = ock_fail(err, OCK_NOMEM, "out of memory for the job spec");
        goto done;
    }
    parser.spec = spec;
    if (!cJSON_IsObject(json)) {
        (void)ock_spec_fault(&parser, json, "wrong_type", "a job spec is a JSON object");
    } else {
        ock_spec_parse_section(&parser, &ock_spec_root, json, spec);
        ock_spec_settle_schedule(spec);
        ock_spec_check_combinations(&parser);
    }
    status = parser.status;
    if (status == OCK_NOMEM) {
        /* What was left half-read is no fault of the sender's. */
        faults->count = count;
        faults->dropped = dropped;
    }
    if (status == OCK_OK && faults->count + faults->dropped > 0)
        status = ock_fail(err, OCK_INVALID, "the job spec has %zu faults, the first at \"%s\": %s",
                          faults->count + faults->dropped, faults->items[0].pointer,
                          faults->items[0].detail);
    if (status != OCK_OK)
        goto done;
    *out = spec;
    spec = NULL;
done:
    ock_spec_free(spec);
    return status;
}
