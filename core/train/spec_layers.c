/* The model section: `hidden` is spelt out as layers, so that only layers go further. */
#include <stdlib.h>
#include <string.h>

#include "core/train/spec_keys.h"

void ock_spec_parse_hidden(struct ock_spec_parser *parser, const struct ock_key *key,
                           const cJSON *value, void *base)
{
    const struct ock_key units = {
        .kind = OCK_KEY_SIZE, .min = 1, .max = (double)OCK_UNITS_MAX, .name = "units"};
    struct ock_model_draft *draft = base;
    (void)key;
    if (!cJSON_IsArray(value)) {
        (void)ock_spec_fault(parser, value, "wrong_type",
                             "must be an array of the hidden layers' units, such as [128, 64]");
        return;
    }
    size_t count = (size_t)cJSON_GetArraySize(value);
    if (count > OCK_LAYERS_MAX) {
        (void)ock_spec_fault(parser, NULL, "out_of_range", "must have at most %u layers",
                             OCK_LAYERS_MAX);
        return;
    }
    draft->hidden_count = count;
    size_t index = 0;
    for (const cJSON *item = value->child; item; item = item->next, index++) {
        size_t mark = ock_spec_enter_index(parser, index);
        ock_spec_parse_key(parser, &units, item, &draft->hidden[index]);
        ock_spec_leave(parser, mark);
    }
}

/* Which keys a layer has is known once its type is. */
static void parse_layer(struct ock_spec_parser *parser, const cJSON *value,
                        struct ock_layer_spec *layer)
{
    static const struct ock_section *const sections[] = {
        [OCK_LINEAR] = &ock_spec_linear,
        [OCK_ACTIVATION] = &ock_spec_activation,
        [OCK_DROPOUT] = &ock_spec_dropout,
    };
    if (!cJSON_IsObject(value)) {
        (void)ock_spec_fault(parser, value, "wrong_type",
                             "must be an object, such as {\"type\": \"linear\", \"units\": 16}");
        return;
    }
    const cJSON *type = ock_json_get(value, "type");
    int place =
        cJSON_IsString(type) ? ock_spec_find_word(ock_layer_type_words, type->valuestring) : -1;
    if (place >= 0) {
        ock_spec_parse_section(parser, sections[place], value, layer);
        return;
    }
    size_t mark = ock_spec_enter(parser, "type");
    if (!type)
        (void)ock_spec_fault(parser, NULL, "missing_key", "must say linear, activation or dropout");
    else
        ock_spec_parse_key(parser, ock_spec_find_key(&ock_spec_linear, "type"), type, layer);
    ock_spec_leave(parser, mark);
}

/* What only the whole list can tell. */
static void check_layers(struct ock_spec_parser *parser, const struct ock_layer_spec *layers,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool last = i + 1 == count;
        size_t mark = ock_spec_enter_index(parser, i);
        if (ock_spec_clean(parser->faults, parser->pointer)) {
            if (last && layers[i].type != OCK_LINEAR) {
                (void)ock_spec_fault(parser, NULL, "unsupported_combination",
                                     "the last layer must be linear: the loss comes behind it");
            } else if (!last && layers[i].type == OCK_LINEAR && layers[i].units == 0) {
                (void)ock_spec_enter(parser, "units");
                (void)ock_spec_fault(parser, NULL, "missing_key",
                                     "only the last layer may leave its units to the target");
            }
        }
        ock_spec_leave(parser, mark);
    }
}

void ock_spec_parse_layers(struct ock_spec_parser *parser, const struct ock_key *key,
                           const cJSON *value, void *base)
{
    struct ock_model_draft *draft = base;
    (void)key;
    if (cJSON_IsNull(value))
        return;
    if (!cJSON_IsArray(value)) {
        (void)ock_spec_fault(parser, value, "wrong_type", "must be an array of layers");
        return;
    }
    size_t count = (size_t)cJSON_GetArraySize(value);
    if (count == 0 || count > OCK_LAYERS_MAX) {
        (void)ock_spec_fault(parser, NULL, "out_of_range", "must have 1 to %u layers",
                             OCK_LAYERS_MAX);
        return;
    }
    draft->layers = calloc(count, sizeof(*draft->layers));
    if (!draft->layers) {
        ock_spec_nomem(parser);
        return;
    }
    draft->layer_count = count;
    size_t index = 0;
    for (const cJSON *item = value->child; item; item = item->next, index++) {
        size_t mark = ock_spec_enter_index(parser, index);
        parse_layer(parser, item, &draft->layers[index]);
        ock_spec_leave(parser, mark);
    }
    check_layers(parser, draft->layers, count);
}

void ock_spec_parse_init(struct ock_spec_parser *parser, const struct ock_key *key,
                         const cJSON *value, void *base)
{
    static const char id_letters[] =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
    struct ock_init_spec *init = &parser->spec->init;
    (void)base;
    if (cJSON_IsNull(value))
        return;
    if (!cJSON_IsObject(value)) {
        (void)ock_spec_fault(parser, value, "wrong_type",
                             "must be null or an object, such as {\"job\": \"job_…\"}");
        return;
    }
    ock_spec_parse_section(parser, key->section, value, init);
    if (!init->job)
        return;
    size_t mark = ock_spec_enter(parser, "job");
    if (strncmp(init->job, "job_", 4) != 0 || strspn(init->job, id_letters) != strlen(init->job))
        (void)ock_spec_fault(parser, ock_json_get(value, "job"), "unknown_value",
                             "must be a job's id, which begins with job_");
    ock_spec_leave(parser, mark);
}

/* Either the list or its shorthand, not both. */
static void check_shorthand(struct ock_spec_parser *parser, const struct ock_model_draft *draft)
{
    const struct {
        const char *name;
        bool given;
    } keys[] = {{"hidden", draft->hidden_given},
                {"activation", draft->activation_given},
                {"dropout", draft->dropout_given},
                {"input_dropout", draft->input_dropout_given}};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        size_t mark = ock_spec_enter(parser, keys[i].name);
        if (draft->layers_given && keys[i].given)
            (void)ock_spec_fault(parser, NULL, "unsupported_combination",
                                 "layers says it all; leave %s out or describe the model by "
                                 "hidden, activation, dropout and input_dropout alone",
                                 keys[i].name);
        ock_spec_leave(parser, mark);
    }
}

static size_t expanded_count(const struct ock_model_draft *draft)
{
    size_t each = draft->dropout > 0 ? 3 : 2;
    return (draft->input_dropout > 0 ? 1 : 0) + draft->hidden_count * each + 1;
}

/* input dropout, then linear, activation, dropout for each hidden layer, then linear. */
static void expand(const struct ock_model_draft *draft, struct ock_layer_spec *layers)
{
    size_t n = 0;
    if (draft->input_dropout > 0)
        layers[n++] = (struct ock_layer_spec){.type = OCK_DROPOUT, .rate = draft->input_dropout};
    for (size_t i = 0; i < draft->hidden_count; i++) {
        layers[n++] =
            (struct ock_layer_spec){.type = OCK_LINEAR, .units = draft->hidden[i], .bias = true};
        layers[n++] =
            (struct ock_layer_spec){.type = OCK_ACTIVATION, .activation = draft->activation};
        if (draft->dropout > 0)
            layers[n++] = (struct ock_layer_spec){.type = OCK_DROPOUT, .rate = draft->dropout};
    }
    layers[n] = (struct ock_layer_spec){.type = OCK_LINEAR, .bias = true};
}

static void use_hidden(struct ock_spec_parser *parser, struct ock_model_draft *draft)
{
    size_t count = expanded_count(draft);
    if (count > OCK_LAYERS_MAX) {
        size_t mark = ock_spec_enter(parser, "hidden");
        (void)ock_spec_fault(parser, NULL, "out_of_range",
                             "makes %zu layers, activations and dropouts counted; the limit is %u",
                             count, OCK_LAYERS_MAX);
        ock_spec_leave(parser, mark);
        return;
    }
    if (draft->hidden_count == 0 && draft->dropout > 0) {
        size_t mark = ock_spec_enter(parser, "dropout");
        (void)ock_spec_fault(parser, NULL, "unsupported_combination",
                             "dropout follows hidden layers and this model has none; "
                             "input_dropout drops features");
        ock_spec_leave(parser, mark);
        return;
    }
    draft->layers = calloc(count, sizeof(*draft->layers));
    if (!draft->layers) {
        ock_spec_nomem(parser);
        return;
    }
    draft->layer_count = count;
    expand(draft, draft->layers);
}

void ock_spec_parse_model(struct ock_spec_parser *parser, const struct ock_key *key,
                          const cJSON *value, void *base)
{
    struct ock_model_draft draft = {0};
    (void)base;
    if (!cJSON_IsObject(value)) {
        (void)ock_spec_fault(parser, value, "wrong_type", "must be an object");
        return;
    }
    ock_spec_parse_section(parser, key->section, value, &draft);
    check_shorthand(parser, &draft);
    if (!draft.layers && !draft.layers_given && parser->status == OCK_OK)
        use_hidden(parser, &draft);
    /* A model with faults is kept too: it is freed with the spec, which is never published. */
    parser->spec->layers = draft.layers;
    parser->spec->layer_count = draft.layer_count;
}
