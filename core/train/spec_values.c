/* Parsers of the remaining keys that have a shape of their own: labels, lr, betas, schedule,
 * early stopping, strengths of single layers. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/train/spec_keys.h"

void ock_spec_parse_labels(struct ock_spec_parser *parser, const struct ock_key *key,
                           const cJSON *value, void *base)
{
    enum { KEY_BYTES_MAX = 63, VALUE_BYTES_MAX = 200 };
    (void)key;
    (void)base;
    if (cJSON_IsNull(value))
        return;
    if (!cJSON_IsObject(value)) {
        (void)ock_spec_fault(parser, value, "wrong_type", "must be an object of texts");
        return;
    }
    if ((size_t)cJSON_GetArraySize(value) > OCK_LABELS_MAX) {
        (void)ock_spec_fault(parser, NULL, "out_of_range", "must have at most %u labels",
                             OCK_LABELS_MAX);
        return;
    }
    for (const cJSON *child = value->child; child; child = child->next) {
        const char *text = cJSON_GetStringValue(child);
        size_t mark = ock_spec_enter(parser, child->string);
        if (strlen(child->string) == 0 || strlen(child->string) > KEY_BYTES_MAX)
            (void)ock_spec_fault(parser, NULL, "out_of_range", "a label's name has 1 to %d bytes",
                                 KEY_BYTES_MAX);
        if (!text)
            (void)ock_spec_fault(parser, child, "wrong_type", "must be a text");
        else if (strlen(text) > VALUE_BYTES_MAX)
            (void)ock_spec_fault(parser, NULL, "out_of_range", "must have at most %d bytes",
                                 VALUE_BYTES_MAX);
        ock_spec_leave(parser, mark);
    }
    parser->spec->labels = cJSON_Duplicate(value, true);
    if (!parser->spec->labels)
        ock_spec_nomem(parser);
}

void ock_spec_parse_lr(struct ock_spec_parser *parser, const struct ock_key *key,
                       const cJSON *value, void *base)
{
    struct ock_optimizer_spec *optimizer = base;
    const char *text = cJSON_GetStringValue(value);
    if (text && strcmp(text, key->word) == 0) {
        optimizer->lr_auto = true;
        return;
    }
    struct ock_key number = *key;
    number.kind = OCK_KEY_NUMBER;
    number.offset = offsetof(struct ock_optimizer_spec, lr);
    ock_spec_parse_key(parser, &number, value, base);
}

void ock_spec_parse_betas(struct ock_spec_parser *parser, const struct ock_key *key,
                          const cJSON *value, void *base)
{
    struct ock_optimizer_spec *optimizer = base;
    const struct ock_key beta = {.kind = OCK_KEY_NUMBER, .flags = OCK_KEY_BELOW_MAX, .max = 1};
    double *const targets[] = {&optimizer->beta1, &optimizer->beta2};
    (void)key;
    if (!cJSON_IsArray(value) || cJSON_GetArraySize(value) != 2) {
        (void)ock_spec_fault(parser, value, "wrong_type",
                             "must be an array of two numbers, >= 0 and < 1");
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        size_t mark = ock_spec_enter_index(parser, i);
        ock_spec_parse_key(parser, &beta, cJSON_GetArrayItem(value, (int)i), targets[i]);
        ock_spec_leave(parser, mark);
    }
}

/* Which keys a schedule has besides name and warmup_epochs: needed, allowed. */
static const struct {
    const char *needed[2], *allowed[1];
} schedule_uses[] = {
    [OCK_STEP] = {.needed = {"every", "factor"}},
    [OCK_EXPONENTIAL] = {.needed = {"factor"}},
    [OCK_COSINE] = {.allowed = {"min"}},
    [OCK_PLATEAU] = {.needed = {"factor", "patience"}},
};

static bool is_one_of(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (names[i] && strcmp(names[i], name) == 0)
            return true;
    return false;
}

static void check_schedule_keys(struct ock_spec_parser *parser, const cJSON *value,
                                enum ock_schedule_name name)
{
    static const char *const keys[] = {"every", "factor", "min", "patience"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const cJSON *given = ock_json_get(value, keys[i]);
        bool needed = is_one_of(schedule_uses[name].needed, 2, keys[i]);
        bool allowed = needed || is_one_of(schedule_uses[name].allowed, 1, keys[i]);
        size_t mark = ock_spec_enter(parser, keys[i]);
        if (given && !allowed)
            (void)ock_spec_fault(parser, given, "unsupported_combination",
                                 "the schedule %s has no use for it", ock_schedule_text(name));
        if (!given && needed)
            (void)ock_spec_fault(parser, NULL, "missing_key", "the schedule %s needs it",
                                 ock_schedule_text(name));
        ock_spec_leave(parser, mark);
    }
}

static void check_schedule_values(struct ock_spec_parser *parser, const cJSON *value,
                                  const struct ock_schedule_spec *schedule)
{
    size_t mark = ock_spec_enter(parser, "factor");
    if (schedule->name == OCK_PLATEAU && schedule->factor >= 1)
        (void)ock_spec_fault(parser, ock_json_get(value, "factor"), "out_of_range",
                             "must be > 0 and < 1: a plateau is left by a smaller step");
    ock_spec_leave(parser, mark);
}

void ock_spec_parse_schedule(struct ock_spec_parser *parser, const struct ock_key *key,
                             const cJSON *value, void *base)
{
    struct ock_schedule_spec *schedule =
        (struct ock_schedule_spec *)(void *)((char *)base + key->offset);
    if (cJSON_IsObject(value)) {
        ock_spec_parse_section(parser, key->section, value, schedule);
        size_t mark = ock_spec_enter(parser, "name");
        bool named = ock_spec_clean(parser->faults, parser->pointer);
        ock_spec_leave(parser, mark);
        if (named) {
            check_schedule_keys(parser, value, schedule->name);
            check_schedule_values(parser, value, schedule);
        }
        return;
    }
    if (!cJSON_IsString(value)) {
        (void)ock_spec_fault(parser, value, "wrong_type",
                             "must be the name of a schedule or an object with a name");
        return;
    }
    if (strcmp(value->valuestring, "auto") == 0) {
        schedule->name = OCK_SCHEDULE_AUTO;
        return;
    }
    int place = ock_spec_find_word(key->words, value->valuestring);
    if (place < 0) {
        ock_spec_unknown_value(parser, value, key->words, " or auto");
        return;
    }
    schedule->name = (enum ock_schedule_name)place;
    check_schedule_keys(parser, value, schedule->name);
}

/* A cosine has to know where it ends, and is there for the noise of minibatches. A rate that was named is
 * kept, so that a job can be compared step by step with another program's; and a search keeps it since
 * its refit may take fewer epochs than its folds. */
void ock_spec_settle_schedule(struct ock_spec *spec)
{
    enum { WARMUP_PART = 10 }; /* of the epochs, and one at most */
    const struct ock_train_spec *train = &spec->train;
    struct ock_schedule_spec *schedule = &spec->optimizer.schedule;
    if (schedule->name != OCK_SCHEDULE_AUTO)
        return;
    bool ends_elsewhere = train->early_stopping.on || train->deadline_s > 0 || train->max_steps > 0;
    bool full = train->batch_size == SIZE_MAX;
    *schedule = (struct ock_schedule_spec){.name = OCK_CONSTANT};
    if (!spec->optimizer.lr_auto || ends_elsewhere || full || spec->tune.on)
        return;
    schedule->name = OCK_COSINE;
    schedule->warmup_epochs = train->epochs < WARMUP_PART ? (double)train->epochs / WARMUP_PART : 1;
}

void ock_spec_parse_early_stopping(struct ock_spec_parser *parser, const struct ock_key *key,
                                   const cJSON *value, void *base)
{
    struct ock_early_stopping_spec *stopping =
        (struct ock_early_stopping_spec *)(void *)((char *)base + key->offset);
    if (cJSON_IsNull(value))
        return;
    if (!cJSON_IsObject(value)) {
        (void)ock_spec_fault(parser, value, "wrong_type",
                             "must be null or an object, such as {\"patience\": 10}");
        return;
    }
    ock_spec_parse_section(parser, key->section, value, stopping);
    stopping->on = true;
}

/* The layer that a name means: a plain number without leading zeros; SIZE_MAX if it is none. */
static size_t layer_of(const char *name)
{
    size_t length = strlen(name);
    if (length == 0 || length > 4 || (length > 1 && name[0] == '0'))
        return SIZE_MAX;
    size_t position = 0;
    for (size_t i = 0; i < length; i++) {
        if (name[i] < '0' || name[i] > '9')
            return SIZE_MAX;
        position = position * 10 + (size_t)(name[i] - '0');
    }
    return position;
}

/* "0", "2", "4": the layers that have weights, as many as fit. */
static void list_linear(const struct ock_spec *spec, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < spec->layer_count && used + 16 < size; i++) {
        if (spec->layers[i].type != OCK_LINEAR)
            continue;
        (void)snprintf(text + used, size - used, "%s\"%zu\"", used > 0 ? ", " : "", i);
        used = strlen(text);
    }
}

static void parse_penalty(struct ock_spec_parser *parser, const struct ock_key *key,
                          const cJSON *value)
{
    struct ock_spec *spec = parser->spec;
    struct ock_layer_spec nowhere = {0};
    struct ock_layer_spec *layer = &nowhere; /* takes the values of a layer that is not there */
    size_t position = layer_of(value->string);
    char names[200];
    list_linear(spec, names, sizeof(names));
    if (!ock_spec_clean(parser->faults, "/model"))
        position = 0; /* which layers there would be is not known */
    else if (position >= spec->layer_count)
        (void)ock_spec_fault(parser, NULL, "unknown_key",
                             "no such layer; by their positions the layers with weights are %s",
                             names);
    else if (spec->layers[position].type != OCK_LINEAR)
        (void)ock_spec_fault(parser, NULL, "unsupported_combination",
                             "layer \"%zu\" has no weights; those that have are %s", position,
                             names);
    else
        layer = &spec->layers[position];
    if (cJSON_IsObject(value))
        ock_spec_parse_section(parser, key->section, value, layer);
    else
        (void)ock_spec_fault(parser, value, "wrong_type", "must be an object with l1, l2 or both");
}

void ock_spec_parse_penalties(struct ock_spec_parser *parser, const struct ock_key *key,
                              const cJSON *value, void *base)
{
    (void)base;
    if (cJSON_IsNull(value))
        return;
    if (!cJSON_IsObject(value)) {
        (void)ock_spec_fault(parser, value, "wrong_type",
                             "must be an object, such as {\"0\": {\"l2\": 0.001}}");
        return;
    }
    for (const cJSON *child = value->child; child; child = child->next) {
        size_t mark = ock_spec_enter(parser, child->string);
        parse_penalty(parser, key, child);
        ock_spec_leave(parser, mark);
    }
}
