/* The spec as JSON, by the same table that the parser reads: what is printed parses again to the
 * same meaning. */
#include <stdio.h>
#include <string.h>

#include "core/base/sha256.h"
#include "core/train/spec_keys.h"

static void write_section(struct ock_jsonw *w, const char *name, const struct ock_section *section,
                          const struct ock_spec *spec, const void *base);

static uint64_t load_whole(const struct ock_key *key, const void *source)
{
    if (key->kind == OCK_KEY_U32)
        return *(const uint32_t *)source;
    return key->kind == OCK_KEY_U64 ? *(const uint64_t *)source : *(const size_t *)source;
}

static void write_whole(struct ock_jsonw *w, const struct ock_key *key, const void *source)
{
    uint64_t number = load_whole(key, source);
    if (key->word && number == key->word_value)
        ock_jsonw_string(w, key->name, key->word);
    else if ((key->flags & OCK_KEY_NULL) && number == 0)
        ock_jsonw_null(w, key->name);
    else
        ock_jsonw_uint(w, key->name, number);
}

static void write_number(struct ock_jsonw *w, const struct ock_key *key, const void *source)
{
    double number = *(const double *)source;
    if ((key->flags & OCK_KEY_NULL) && number == 0)
        ock_jsonw_null(w, key->name);
    else
        ock_jsonw_double(w, key->name, number);
}

static void write_word(struct ock_jsonw *w, const struct ock_key *key, const void *source)
{
    unsigned place;
    memcpy(&place, source, sizeof(place));
    ock_jsonw_string(w, key->name, key->words[place]);
}

static void write_key(struct ock_jsonw *w, const struct ock_key *key, const struct ock_spec *spec,
                      const void *base)
{
    const void *source = (const char *)base + key->offset;
    bool given = key->given == 0 || *((const bool *)base + key->given);
    if (key->write) {
        key->write(w, key, spec, base);
        return;
    }
    if (!given && !spec->resolved) {
        ock_jsonw_null(w, key->name); /* depends on data that are not known yet */
        return;
    }
    switch (key->kind) {
    case OCK_KEY_NUMBER:
        write_number(w, key, source);
        break;
    case OCK_KEY_U32:
    case OCK_KEY_U64:
    case OCK_KEY_SIZE:
        write_whole(w, key, source);
        break;
    case OCK_KEY_BOOL:
        ock_jsonw_bool(w, key->name, *(const bool *)source);
        break;
    case OCK_KEY_WORD:
        write_word(w, key, source);
        break;
    case OCK_KEY_TEXT:
        ock_jsonw_string(w, key->name, *(char *const *)source);
        break;
    case OCK_KEY_SECTION:
    case OCK_KEY_OTHER:
        write_section(w, key->name, key->section, spec, source);
        break;
    }
}

/* The tables nest three deep, so does this. */
// NOLINTNEXTLINE(misc-no-recursion)
static void write_section(struct ock_jsonw *w, const char *name, const struct ock_section *section,
                          const struct ock_spec *spec, const void *base)
{
    ock_jsonw_object(w, name);
    for (size_t i = 0; i < section->count; i++)
        write_key(w, &section->keys[i], spec, base);
    ock_jsonw_end_object(w);
}

void ock_spec_write_nothing(struct ock_jsonw *w, const struct ock_key *key,
                            const struct ock_spec *spec, const void *base)
{
    (void)w;
    (void)key;
    (void)spec;
    (void)base;
}

void ock_spec_write_labels(struct ock_jsonw *w, const struct ock_key *key,
                           const struct ock_spec *spec, const void *base)
{
    (void)base;
    if (!spec->labels) {
        ock_jsonw_null(w, key->name);
        return;
    }
    ock_jsonw_object(w, key->name);
    for (const cJSON *label = spec->labels->child; label; label = label->next)
        ock_jsonw_string(w, label->string, label->valuestring);
    ock_jsonw_end_object(w);
}

void ock_spec_write_features(struct ock_jsonw *w, const struct ock_key *key,
                             const struct ock_spec *spec, const void *base)
{
    (void)base;
    if (spec->data.feature_count == 0) {
        ock_jsonw_null(w, key->name);
        return;
    }
    ock_jsonw_array(w, key->name);
    for (size_t i = 0; i < spec->data.feature_count; i++)
        ock_jsonw_string(w, NULL, spec->data.features[i]);
    ock_jsonw_end_array(w);
}

void ock_spec_write_part(struct ock_jsonw *w, const struct ock_key *key,
                         const struct ock_spec *spec, const void *base)
{
    const struct ock_part *part =
        (const struct ock_part *)(const void *)((const char *)base + key->offset);
    if (part->dataset)
        write_section(w, key->name, key->section, spec, part);
    else if (part->fraction == 0 && strcmp(key->initial, "null") == 0)
        ock_jsonw_null(w, key->name);
    else
        ock_jsonw_double(w, key->name, part->fraction);
}

void ock_spec_write_scaling(struct ock_jsonw *w, const struct ock_key *key,
                            const struct ock_spec *spec, const void *base)
{
    if (spec->data.scaling == OCK_SCALING_DIVIDE)
        write_section(w, key->name, key->section, spec, base);
    else
        ock_jsonw_string(w, key->name, key->words[spec->data.scaling]);
}

void ock_spec_write_target_scaling(struct ock_jsonw *w, const struct ock_key *key,
                                   const struct ock_spec *spec, const void *base)
{
    (void)base;
    if (!spec->data.target_scaling_given && !spec->resolved)
        ock_jsonw_null(w, key->name);
    else
        ock_jsonw_string(w, key->name, spec->data.target_scaling ? "standard" : "none");
}

void ock_spec_write_class_weight(struct ock_jsonw *w, const struct ock_key *key,
                                 const struct ock_spec *spec, const void *base)
{
    const struct ock_data_spec *data = &spec->data;
    (void)base;
    if (data->class_weight == OCK_CLASS_WEIGHT_NONE) {
        ock_jsonw_null(w, key->name);
        return;
    }
    if (data->class_weight == OCK_CLASS_WEIGHT_BALANCED) {
        ock_jsonw_string(w, key->name, "balanced");
        return;
    }
    ock_jsonw_object(w, key->name);
    for (size_t i = 0; i < data->class_weight_count; i++)
        ock_jsonw_double(w, data->class_weights[i].name, data->class_weights[i].weight);
    ock_jsonw_end_object(w);
}

static void write_layer(struct ock_jsonw *w, const struct ock_layer_spec *layer)
{
    ock_jsonw_object(w, NULL);
    ock_jsonw_string(w, "type", ock_layer_type_words[layer->type]);
    switch (layer->type) {
    case OCK_LINEAR:
        if (layer->units > 0)
            ock_jsonw_uint(w, "units", layer->units);
        ock_jsonw_bool(w, "bias", layer->bias);
        break;
    case OCK_ACTIVATION:
        ock_jsonw_string(w, "name", ock_activation_name(layer->activation));
        break;
    case OCK_DROPOUT:
        ock_jsonw_double(w, "rate", layer->rate);
        break;
    }
    ock_jsonw_end_object(w);
}

void ock_spec_write_model(struct ock_jsonw *w, const struct ock_key *key,
                          const struct ock_spec *spec, const void *base)
{
    (void)base;
    ock_jsonw_object(w, key->name);
    ock_jsonw_array(w, "layers");
    for (size_t i = 0; i < spec->layer_count; i++)
        write_layer(w, &spec->layers[i]);
    ock_jsonw_end_array(w);
    if (spec->init.job)
        write_section(w, "init", &ock_spec_init, spec, &spec->init);
    else
        ock_jsonw_null(w, "init");
    ock_jsonw_end_object(w);
}

void ock_spec_write_penalties(struct ock_jsonw *w, const struct ock_key *key,
                              const struct ock_spec *spec, const void *base)
{
    (void)base;
    ock_jsonw_object(w, key->name);
    for (size_t i = 0; i < spec->layer_count; i++) {
        const struct ock_layer_spec *layer = &spec->layers[i];
        char name[24];
        if (!layer->l1_given && !layer->l2_given)
            continue;
        (void)snprintf(name, sizeof(name), "%zu", i);
        ock_jsonw_object(w, name);
        if (layer->l1_given)
            ock_jsonw_double(w, "l1", layer->l1);
        if (layer->l2_given)
            ock_jsonw_double(w, "l2", layer->l2);
        ock_jsonw_end_object(w);
    }
    ock_jsonw_end_object(w);
}

void ock_spec_write_lr(struct ock_jsonw *w, const struct ock_key *key, const struct ock_spec *spec,
                       const void *base)
{
    (void)base;
    if (spec->optimizer.lr_auto && spec->optimizer.lr == 0)
        ock_jsonw_string(w, key->name, key->word);
    else
        ock_jsonw_double(w, key->name, spec->optimizer.lr);
}

void ock_spec_write_betas(struct ock_jsonw *w, const struct ock_key *key,
                          const struct ock_spec *spec, const void *base)
{
    (void)base;
    ock_jsonw_array(w, key->name);
    ock_jsonw_double(w, NULL, spec->optimizer.beta1);
    ock_jsonw_double(w, NULL, spec->optimizer.beta2);
    ock_jsonw_end_array(w);
}

void ock_spec_write_schedule(struct ock_jsonw *w, const struct ock_key *key,
                             const struct ock_spec *spec, const void *base)
{
    const struct ock_schedule_spec *schedule = &spec->optimizer.schedule;
    (void)base;
    ock_jsonw_object(w, key->name);
    ock_jsonw_string(w, "name", ock_schedule_text(schedule->name));
    if (schedule->name == OCK_STEP)
        ock_jsonw_uint(w, "every", schedule->every);
    if (schedule->name == OCK_STEP || schedule->name == OCK_EXPONENTIAL ||
        schedule->name == OCK_PLATEAU)
        ock_jsonw_double(w, "factor", schedule->factor);
    if (schedule->name == OCK_COSINE)
        ock_jsonw_double(w, "min", schedule->min);
    if (schedule->name == OCK_PLATEAU)
        ock_jsonw_uint(w, "patience", schedule->patience);
    ock_jsonw_double(w, "warmup_epochs", schedule->warmup_epochs);
    ock_jsonw_end_object(w);
}

void ock_spec_write_early_stopping(struct ock_jsonw *w, const struct ock_key *key,
                                   const struct ock_spec *spec, const void *base)
{
    (void)base;
    if (spec->train.early_stopping.on)
        write_section(w, key->name, key->section, spec, &spec->train.early_stopping);
    else
        ock_jsonw_null(w, key->name);
}

static void write_end(struct ock_jsonw *w, const char *name, bool is_auto, double value)
{
    if (is_auto)
        ock_jsonw_string(w, name, "auto");
    else
        ock_jsonw_double(w, name, value);
}

static void write_axis(struct ock_jsonw *w, const char *name, const struct ock_axis_spec *axis)
{
    if (!axis->given) {
        ock_jsonw_null(w, name);
    } else if (axis->list) {
        ock_jsonw_array(w, name);
        for (size_t i = 0; i < axis->count; i++)
            ock_jsonw_double(w, NULL, axis->list[i]);
        ock_jsonw_end_array(w);
    } else {
        ock_jsonw_object(w, name);
        write_end(w, "min", axis->min_auto, axis->min);
        write_end(w, "max", axis->max_auto, axis->max);
        ock_jsonw_uint(w, "count", axis->count);
        ock_jsonw_string(w, "scale", ock_axis_scale_words[axis->scale]);
        ock_jsonw_end_object(w);
    }
}

void ock_spec_write_tune(struct ock_jsonw *w, const struct ock_key *key,
                         const struct ock_spec *spec, const void *base)
{
    const struct ock_tune_spec *tune = &spec->tune;
    (void)base;
    if (!tune->on)
        return; /* nothing: a spec without a search keeps the hash that its checkpoints know */
    ock_jsonw_object(w, key->name);
    for (size_t i = 0; i < OCK_AXES; i++)
        write_axis(w, ock_axis_label((enum ock_axis_name)i), &tune->axes[i]);
    ock_jsonw_uint(w, "folds", tune->folds);
    ock_jsonw_string(w, "fold_assignment", ock_fold_assignment_name(tune->fold_assignment));
    ock_jsonw_string(w, "rule", ock_tune_rule_name(tune->rule));
    ock_jsonw_bool(w, "refit", tune->refit);
    ock_jsonw_bool(w, "warm", tune->warm);
    if (tune->halving.on)
        write_section(w, "halving", &ock_spec_halving, spec, &tune->halving);
    else
        ock_jsonw_null(w, "halving");
    ock_jsonw_end_object(w);
}

void ock_spec_write(const struct ock_spec *spec, struct ock_buf *out)
{
    struct ock_jsonw w = ock_jsonw_make(out);
    write_section(&w, NULL, &ock_spec_root, spec, spec);
}

enum ock_status ock_spec_hash(const struct ock_spec *spec, char text[OCK_SHA256_TEXT_SIZE])
{
    struct ock_buf out;
    struct ock_sha256 sha;
    struct ock_spec plain = *spec; /* borrows all that spec owns */
    text[0] = '\0';
    plain.name = NULL;
    plain.labels = NULL;
    plain.train.threads = 0;
    if (plain.optimizer.lr_auto)
        plain.optimizer.lr = 0;
    ock_buf_init(&out, OCK_JSON_BYTES_MAX);
    ock_spec_write(&plain, &out);
    enum ock_status status = ock_buf_status(&out, NULL);
    if (status == OCK_OK) {
        ock_sha256_init(&sha);
        ock_sha256_add(&sha, out.data, out.size);
        ock_sha256_text(&sha, text);
    }
    ock_buf_deinit(&out);
    return status;
}
