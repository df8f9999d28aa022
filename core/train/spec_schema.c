/* The spec as a JSON Schema (draft 2020-12), written from the parser's table. Keys whose value has
 * a shape of its own have a function here; everything else follows from the table's columns. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/train/spec_keys.h"

static void write_section(struct ock_jsonw *w, const struct ock_section *section);

/* "type": "number", or ["number", "null"]. */
static void write_type(struct ock_jsonw *w, const char *type, bool null)
{
    if (!null) {
        ock_jsonw_string(w, "type", type);
        return;
    }
    ock_jsonw_array(w, "type");
    ock_jsonw_string(w, NULL, type);
    ock_jsonw_string(w, NULL, "null");
    ock_jsonw_end_array(w);
}

static void write_range(struct ock_jsonw *w, const struct ock_key *key)
{
    ock_jsonw_double(w, key->flags & OCK_KEY_ABOVE_MIN ? "exclusiveMinimum" : "minimum", key->min);
    if (isfinite(key->max))
        ock_jsonw_double(w, key->flags & OCK_KEY_BELOW_MAX ? "exclusiveMaximum" : "maximum",
                         key->max);
}

static void write_words(struct ock_jsonw *w, const char *const *words)
{
    ock_jsonw_array(w, "enum");
    for (size_t i = 0; words[i]; i++)
        ock_jsonw_string(w, NULL, words[i]);
    ock_jsonw_end_array(w);
}

static void write_number(struct ock_jsonw *w, const struct ock_key *key, const char *type)
{
    bool null = (key->flags & OCK_KEY_NULL) != 0;
    if (!key->word) {
        write_type(w, type, null);
        write_range(w, key);
        return;
    }
    ock_jsonw_array(w, "oneOf");
    ock_jsonw_object(w, NULL);
    write_type(w, type, null);
    write_range(w, key);
    ock_jsonw_end_object(w);
    ock_jsonw_object(w, NULL);
    ock_jsonw_string(w, "const", key->word);
    ock_jsonw_end_object(w);
    ock_jsonw_end_array(w);
}

static void write_text(struct ock_jsonw *w, const struct ock_key *key)
{
    write_type(w, "string", (key->flags & OCK_KEY_NULL) != 0);
    ock_jsonw_uint(w, "minLength", 1);
    ock_jsonw_double(w, "maxLength", key->max);
}

static void write_key(struct ock_jsonw *w, const struct ock_key *key)
{
    switch (key->kind) {
    case OCK_KEY_NUMBER:
        write_number(w, key, "number");
        break;
    case OCK_KEY_U32:
    case OCK_KEY_U64:
    case OCK_KEY_SIZE:
        write_number(w, key, "integer");
        break;
    case OCK_KEY_BOOL:
        write_type(w, "boolean", (key->flags & OCK_KEY_NULL) != 0);
        break;
    case OCK_KEY_WORD:
        write_words(w, key->words);
        break;
    case OCK_KEY_TEXT:
        write_text(w, key);
        break;
    case OCK_KEY_SECTION:
        write_section(w, key->section);
        break;
    case OCK_KEY_OTHER:
        key->schema(w, key);
        break;
    }
}

static void write_property(struct ock_jsonw *w, const struct ock_key *key)
{
    ock_jsonw_object(w, key->name);
    ock_jsonw_string(w, "title", key->title);
    ock_jsonw_string(w, "description", key->help);
    write_key(w, key);
    if (key->initial)
        ock_jsonw_raw(w, "default", key->initial);
    ock_jsonw_end_object(w);
}

static void write_required(struct ock_jsonw *w, const struct ock_section *section)
{
    ock_jsonw_array(w, "required");
    for (size_t i = 0; i < section->count; i++)
        if (section->keys[i].flags & OCK_KEY_REQUIRED)
            ock_jsonw_string(w, NULL, section->keys[i].name);
    /* `ockham train --data` can do without, a job that is sent can't. */
    if (section == &ock_spec_root)
        ock_jsonw_string(w, NULL, "data");
    ock_jsonw_end_array(w);
}

/* The tables nest three deep, so does this. */
// NOLINTNEXTLINE(misc-no-recursion)
static void write_section(struct ock_jsonw *w, const struct ock_section *section)
{
    ock_jsonw_string(w, "type", "object");
    ock_jsonw_bool(w, "additionalProperties", false);
    write_required(w, section);
    ock_jsonw_object(w, "properties");
    for (size_t i = 0; i < section->count; i++)
        write_property(w, &section->keys[i]);
    ock_jsonw_end_object(w);
}

/* One of the shapes in a "oneOf". */
static void write_choice(struct ock_jsonw *w, const struct ock_section *section)
{
    ock_jsonw_object(w, NULL);
    write_section(w, section);
    ock_jsonw_end_object(w);
}

static void write_null_choice(struct ock_jsonw *w)
{
    ock_jsonw_object(w, NULL);
    ock_jsonw_string(w, "type", "null");
    ock_jsonw_end_object(w);
}

static void write_words_choice(struct ock_jsonw *w, const char *const *words)
{
    ock_jsonw_object(w, NULL);
    write_words(w, words);
    ock_jsonw_end_object(w);
}

static void write_number_range(struct ock_jsonw *w, double min, const char *max_name, double max)
{
    ock_jsonw_object(w, NULL);
    ock_jsonw_string(w, "type", "number");
    ock_jsonw_double(w, "minimum", min);
    if (max_name)
        ock_jsonw_double(w, max_name, max);
    ock_jsonw_end_object(w);
}

void ock_spec_schema_object(struct ock_jsonw *w, const struct ock_key *key)
{
    write_section(w, key->section);
}

void ock_spec_schema_null_object(struct ock_jsonw *w, const struct ock_key *key)
{
    ock_jsonw_array(w, "oneOf");
    write_null_choice(w);
    write_choice(w, key->section);
    ock_jsonw_end_array(w);
}

void ock_spec_schema_labels(struct ock_jsonw *w, const struct ock_key *key)
{
    (void)key;
    write_type(w, "object", true);
    ock_jsonw_uint(w, "maxProperties", OCK_LABELS_MAX);
    ock_jsonw_raw(w, "additionalProperties", "{\"type\":\"string\",\"maxLength\":200}");
}

void ock_spec_schema_inline(struct ock_jsonw *w, const struct ock_key *key)
{
    (void)key;
    ock_jsonw_string(w, "type", "object");
    ock_jsonw_bool(w, "additionalProperties", false);
    ock_jsonw_raw(w, "required", "[\"x\",\"y\"]");
    ock_jsonw_raw(w, "properties",
                  "{\"x\":{\"type\":\"array\",\"items\":{\"type\":\"array\",\"items\":"
                  "{\"type\":\"number\"}}},\"y\":{\"type\":\"array\",\"items\":"
                  "{\"type\":[\"number\",\"string\",\"boolean\"]}}}");
}

void ock_spec_schema_features(struct ock_jsonw *w, const struct ock_key *key)
{
    (void)key;
    write_type(w, "array", true);
    ock_jsonw_uint(w, "minItems", 1);
    ock_jsonw_bool(w, "uniqueItems", true);
    ock_jsonw_raw(w, "items", "{\"type\":\"string\",\"minLength\":1}");
}

void ock_spec_schema_part(struct ock_jsonw *w, const struct ock_key *key)
{
    ock_jsonw_array(w, "oneOf");
    write_number_range(w, 0, "exclusiveMaximum", 1);
    write_choice(w, key->section);
    write_null_choice(w);
    ock_jsonw_end_array(w);
}

void ock_spec_schema_scaling(struct ock_jsonw *w, const struct ock_key *key)
{
    ock_jsonw_array(w, "oneOf");
    write_words_choice(w, key->words);
    write_choice(w, key->section);
    ock_jsonw_end_array(w);
}

void ock_spec_schema_target_scaling(struct ock_jsonw *w, const struct ock_key *key)
{
    (void)key;
    ock_jsonw_raw(w, "enum", "[\"standard\",\"none\",null]");
}

void ock_spec_schema_class_weight(struct ock_jsonw *w, const struct ock_key *key)
{
    static const char *const words[] = {"balanced", NULL};
    (void)key;
    ock_jsonw_array(w, "oneOf");
    write_null_choice(w);
    write_words_choice(w, words);
    ock_jsonw_object(w, NULL);
    ock_jsonw_string(w, "type", "object");
    ock_jsonw_uint(w, "minProperties", 1);
    ock_jsonw_raw(w, "additionalProperties", "{\"type\":\"number\",\"minimum\":0}");
    ock_jsonw_end_object(w);
    ock_jsonw_end_array(w);
}

void ock_spec_schema_hidden(struct ock_jsonw *w, const struct ock_key *key)
{
    (void)key;
    ock_jsonw_string(w, "type", "array");
    ock_jsonw_uint(w, "maxItems", OCK_LAYERS_MAX);
    ock_jsonw_object(w, "items");
    ock_jsonw_string(w, "type", "integer");
    ock_jsonw_uint(w, "minimum", 1);
    ock_jsonw_uint(w, "maximum", OCK_UNITS_MAX);
    ock_jsonw_end_object(w);
}

/* A layer's keys, with its type nailed down. */
static void write_layer(struct ock_jsonw *w, const struct ock_section *section, const char *type)
{
    ock_jsonw_object(w, NULL);
    ock_jsonw_string(w, "type", "object");
    ock_jsonw_bool(w, "additionalProperties", false);
    write_required(w, section);
    ock_jsonw_object(w, "properties");
    for (size_t i = 0; i < section->count; i++) {
        if (strcmp(section->keys[i].name, "type") != 0) {
            write_property(w, &section->keys[i]);
            continue;
        }
        ock_jsonw_object(w, "type");
        ock_jsonw_string(w, "title", section->keys[i].title);
        ock_jsonw_string(w, "description", section->keys[i].help);
        ock_jsonw_string(w, "const", type);
        ock_jsonw_end_object(w);
    }
    ock_jsonw_end_object(w);
    ock_jsonw_end_object(w);
}

void ock_spec_schema_layers(struct ock_jsonw *w, const struct ock_key *key)
{
    (void)key;
    write_type(w, "array", true);
    ock_jsonw_uint(w, "minItems", 1);
    ock_jsonw_uint(w, "maxItems", OCK_LAYERS_MAX);
    ock_jsonw_object(w, "items");
    ock_jsonw_array(w, "oneOf");
    write_layer(w, &ock_spec_linear, "linear");
    write_layer(w, &ock_spec_activation, "activation");
    write_layer(w, &ock_spec_dropout, "dropout");
    ock_jsonw_end_array(w);
    ock_jsonw_end_object(w);
}

void ock_spec_schema_penalties(struct ock_jsonw *w, const struct ock_key *key)
{
    write_type(w, "object", true);
    ock_jsonw_bool(w, "additionalProperties", false);
    ock_jsonw_object(w, "patternProperties");
    ock_jsonw_object(w, "^(0|[1-9][0-9]{0,3})$");
    write_section(w, key->section);
    ock_jsonw_end_object(w);
    ock_jsonw_end_object(w);
}

void ock_spec_schema_lr(struct ock_jsonw *w, const struct ock_key *key)
{
    write_number(w, key, "number");
}

void ock_spec_schema_betas(struct ock_jsonw *w, const struct ock_key *key)
{
    (void)key;
    ock_jsonw_string(w, "type", "array");
    ock_jsonw_uint(w, "minItems", 2);
    ock_jsonw_uint(w, "maxItems", 2);
    ock_jsonw_raw(w, "items", "{\"type\":\"number\",\"minimum\":0,\"exclusiveMaximum\":1}");
}

void ock_spec_schema_schedule(struct ock_jsonw *w, const struct ock_key *key)
{
    ock_jsonw_array(w, "oneOf");
    /* The others need keys of their own and so an object. */
    ock_jsonw_raw(w, NULL, "{\"enum\":[\"auto\",\"constant\",\"cosine\"]}");
    write_choice(w, key->section);
    ock_jsonw_end_array(w);
}

/* A range's end: a number, or "auto". */
void ock_spec_schema_end(struct ock_jsonw *w, const struct ock_key *key)
{
    write_number(w, key, "number");
}

void ock_spec_schema_axis(struct ock_jsonw *w, const struct ock_key *key)
{
    ock_jsonw_array(w, "oneOf");
    ock_jsonw_object(w, NULL);
    write_section(w, key->section);
    ock_jsonw_end_object(w);
    ock_jsonw_object(w, NULL);
    ock_jsonw_string(w, "type", "array");
    ock_jsonw_uint(w, "minItems", 1);
    ock_jsonw_uint(w, "maxItems", OCK_TRIALS_MAX);
    ock_jsonw_object(w, "items");
    write_type(w, "number", false);
    write_range(w, key);
    ock_jsonw_end_object(w);
    ock_jsonw_end_object(w);
    ock_jsonw_raw(w, NULL, "{\"type\":\"null\"}");
    ock_jsonw_end_array(w);
}

void ock_spec_schema_halving(struct ock_jsonw *w, const struct ock_key *key)
{
    ock_jsonw_array(w, "oneOf");
    ock_jsonw_object(w, NULL);
    write_section(w, key->section);
    ock_jsonw_end_object(w);
    ock_jsonw_raw(w, NULL, "{\"type\":[\"boolean\",\"null\"]}");
    ock_jsonw_end_array(w);
}

void ock_spec_write_schema(struct ock_buf *out)
{
    struct ock_jsonw w = ock_jsonw_make(out);
    ock_jsonw_object(&w, NULL);
    ock_jsonw_string(&w, "$schema", "https://json-schema.org/draft/2020-12/schema");
    ock_jsonw_string(&w, "$id", "/v1/schema/job");
    ock_jsonw_string(&w, "title", "Ockham job");
    ock_jsonw_string(&w, "description",
                     "What to learn, from which data, how. Only data is needed; everything else "
                     "has a default.");
    write_section(&w, &ock_spec_root);
    ock_jsonw_end_object(&w);
}
