/* Inside of the spec: one table of keys drives the parser, the writer and the JSON Schema, so that
 * what is taken, what is printed and what is documented cannot differ. Only core/train/spec*.c
 * include this. */
#ifndef OCK_TRAIN_SPEC_KEYS_H
#define OCK_TRAIN_SPEC_KEYS_H

#include <math.h>

#include "core/base/json.h"
#include "core/base/jsonw.h"
#include "core/train/spec.h"

/* One parse in progress. Faults are collected; only running out of memory ends it (status). */
struct ock_spec_parser {
    struct ock_spec *spec; /* being filled */
    struct ock_faults *faults;
    struct ock_err *err;
    enum ock_status status; /* OCK_OK or OCK_NOMEM */
    bool need_dataset;
    char pointer[320]; /* of the value in hand */
};

struct ock_key;
struct ock_section;

/* How a key's value is stored at its offset. */
enum ock_key_kind {
    OCK_KEY_NUMBER,  /* double */
    OCK_KEY_U32,     /* uint32_t */
    OCK_KEY_U64,     /* uint64_t */
    OCK_KEY_SIZE,    /* size_t */
    OCK_KEY_BOOL,    /* bool */
    OCK_KEY_WORD,    /* an enum whose numbers are the places in `words` */
    OCK_KEY_TEXT,    /* char *, owned by the spec */
    OCK_KEY_SECTION, /* the section's struct */
    OCK_KEY_OTHER,   /* the key's own functions know */
};

enum {
    OCK_KEY_ABOVE_MIN = 1, /* min itself is out of range */
    OCK_KEY_BELOW_MAX = 2, /* max itself is out of range */
    OCK_KEY_NULL = 4,      /* null is allowed and means 0, NULL or not given */
    OCK_KEY_FLOAT = 8,     /* used as a float32: neither too large nor too small for one */
    OCK_KEY_REQUIRED = 16,
    OCK_KEY_PRINTABLE = 32, /* a text without control characters */
};

#define OCK_KEY_UNBOUNDED ((double)INFINITY) /* a max: any finite number */

/* A key of the spec. Offsets count from the section's base struct. */
struct ock_key {
    const char *name;
    enum ock_key_kind kind;
    unsigned flags;
    size_t offset;
    size_t given;             /* offset of a bool that tells whether the key was there; 0: none */
    double min, max;          /* numbers; bytes of a text */
    const char *word;         /* what may stand instead of a number: "auto", "all" */
    uint64_t word_value;      /* what is stored then */
    const char *const *words; /* OCK_KEY_WORD; ends with NULL */
    const struct ock_section *section; /* keys of the object, where it can be one */
    const char *initial; /* the default as JSON text; NULL: none, or it depends on the data */
    void (*parse)(struct ock_spec_parser *parser, const struct ock_key *key, const cJSON *value,
                  void *base);
    void (*write)(struct ock_jsonw *w, const struct ock_key *key, const struct ock_spec *spec,
                  const void *base);
    void (*schema)(struct ock_jsonw *w,
                   const struct ock_key *key); /* type and what belongs to it */
    const char *title, *help;
};

struct ock_section {
    const struct ock_key *keys;
    size_t count;
};

/* The tables (spec_table.c, spec_table_train.c). */
extern const struct ock_section ock_spec_root, ock_spec_data, ock_spec_part, ock_spec_scaling,
    ock_spec_model, ock_spec_linear, ock_spec_activation, ock_spec_dropout, ock_spec_init,
    ock_spec_regularization, ock_spec_penalty, ock_spec_optimizer, ock_spec_schedule,
    ock_spec_train, ock_spec_early_stopping, ock_spec_tune, ock_spec_range, ock_spec_halving;

/* Names in the order of their enums, ending with NULL (spec.c). */
extern const char *const ock_loss_words[],
    *const ock_target_type_words[],
        *const ock_scaling_words[],
            *const ock_layer_type_words[],
                *const ock_activation_words[],
                    *const ock_l1_method_words[],
                        *const ock_rule_words[],
                            *const ock_schedule_words[],
                                *const ock_metric_words[],
                                    *const ock_which_words[],
                                        *const ock_on_nonfinite_words[],
                                            *const ock_fold_assignment_words[],
                                                *const ock_tune_rule_words[],
                                                    *const ock_axis_scale_words[];

/* What the model section says, before it becomes layers. */
struct ock_model_draft {
    size_t hidden_count;
    size_t hidden[OCK_LAYERS_MAX];
    bool hidden_given;
    enum ock_activation activation;
    bool activation_given;
    double dropout;
    bool dropout_given;
    double input_dropout;
    bool input_dropout_given;
    size_t layer_count;
    struct ock_layer_spec *layers; /* owned, becomes the spec's */
    bool layers_given;
};

/* --- spec_parse.c: what all parsers of values use ------------------------------------------- */

/* Appends "/key" to the pointer and returns its former length, for ock_spec_leave. */
size_t ock_spec_enter(struct ock_spec_parser *parser, const char *key);
size_t ock_spec_enter_index(struct ock_spec_parser *parser, size_t index);
void ock_spec_leave(struct ock_spec_parser *parser, size_t length);

/* A fault at the value in hand, which is shown as `got` when it is short. value may be NULL. */
struct ock_fault *ock_spec_fault(struct ock_spec_parser *parser, const cJSON *value,
                                 const char *code, const char *detail, ...)
    __attribute__((format(printf, 4, 5)));

/* An unknown word, with the nearest of `words` (ends with NULL) as suggestion. `also` is put behind
 * the list of words in the sentence; "" if nothing. */
void ock_spec_unknown_value(struct ock_spec_parser *parser, const cJSON *value,
                            const char *const *words, const char *also);

void ock_spec_nomem(struct ock_spec_parser *parser);
char *ock_spec_strdup(struct ock_spec_parser *parser, const char *text);

/* All keys of a section: those that are there, the defaults of the others, and unknown ones.
 * json must be an object. */
void ock_spec_parse_section(struct ock_spec_parser *parser, const struct ock_section *section,
                            const cJSON *json, void *base);

/* The value of one key, into base + key->offset. */
void ock_spec_parse_key(struct ock_spec_parser *parser, const struct ock_key *key,
                        const cJSON *value, void *base);

const struct ock_key *ock_spec_find_key(const struct ock_section *section, const char *name);

/* The place of `text` in words (ends with NULL), -1 if it is none. */
int ock_spec_find_word(const char *const *words, const char *text);

/* --- Parsers of single keys (spec_values.c, spec_parse_data.c, spec_layers.c) ---------------- */

void ock_spec_parse_labels(struct ock_spec_parser *parser, const struct ock_key *key,
                           const cJSON *value, void *base);
void ock_spec_parse_tune(struct ock_spec_parser *parser, const struct ock_key *key,
                         const cJSON *value, void *base);
void ock_spec_parse_data(struct ock_spec_parser *parser, const struct ock_key *key,
                         const cJSON *value, void *base);
void ock_spec_parse_inline(struct ock_spec_parser *parser, const struct ock_key *key,
                           const cJSON *value, void *base);
void ock_spec_parse_features(struct ock_spec_parser *parser, const struct ock_key *key,
                             const cJSON *value, void *base);
void ock_spec_parse_part(struct ock_spec_parser *parser, const struct ock_key *key,
                         const cJSON *value, void *base);
void ock_spec_parse_scaling(struct ock_spec_parser *parser, const struct ock_key *key,
                            const cJSON *value, void *base);
void ock_spec_parse_target_scaling(struct ock_spec_parser *parser, const struct ock_key *key,
                                   const cJSON *value, void *base);
void ock_spec_parse_class_weight(struct ock_spec_parser *parser, const struct ock_key *key,
                                 const cJSON *value, void *base);
void ock_spec_parse_model(struct ock_spec_parser *parser, const struct ock_key *key,
                          const cJSON *value, void *base);
void ock_spec_parse_hidden(struct ock_spec_parser *parser, const struct ock_key *key,
                           const cJSON *value, void *base);
void ock_spec_parse_layers(struct ock_spec_parser *parser, const struct ock_key *key,
                           const cJSON *value, void *base);
void ock_spec_parse_init(struct ock_spec_parser *parser, const struct ock_key *key,
                         const cJSON *value, void *base);
void ock_spec_parse_penalties(struct ock_spec_parser *parser, const struct ock_key *key,
                              const cJSON *value, void *base);
void ock_spec_parse_axis(struct ock_spec_parser *parser, const struct ock_key *key,
                         const cJSON *value, void *base);
void ock_spec_parse_end(struct ock_spec_parser *parser, const struct ock_key *key,
                        const cJSON *value, void *base);
void ock_spec_parse_halving(struct ock_spec_parser *parser, const struct ock_key *key,
                            const cJSON *value, void *base);
void ock_spec_parse_lr(struct ock_spec_parser *parser, const struct ock_key *key,
                       const cJSON *value, void *base);
void ock_spec_parse_betas(struct ock_spec_parser *parser, const struct ock_key *key,
                          const cJSON *value, void *base);
/* Makes of an auto schedule what it stands for, once all keys are read. */
void ock_spec_settle_schedule(struct ock_spec *spec);
void ock_spec_parse_schedule(struct ock_spec_parser *parser, const struct ock_key *key,
                             const cJSON *value, void *base);
void ock_spec_parse_early_stopping(struct ock_spec_parser *parser, const struct ock_key *key,
                                   const cJSON *value, void *base);

/* --- Writers of single keys (spec_write.c) --------------------------------------------------- */

void ock_spec_write_labels(struct ock_jsonw *w, const struct ock_key *key,
                           const struct ock_spec *spec, const void *base);
void ock_spec_write_features(struct ock_jsonw *w, const struct ock_key *key,
                             const struct ock_spec *spec, const void *base);
void ock_spec_write_part(struct ock_jsonw *w, const struct ock_key *key,
                         const struct ock_spec *spec, const void *base);
void ock_spec_write_scaling(struct ock_jsonw *w, const struct ock_key *key,
                            const struct ock_spec *spec, const void *base);
void ock_spec_write_target_scaling(struct ock_jsonw *w, const struct ock_key *key,
                                   const struct ock_spec *spec, const void *base);
void ock_spec_write_class_weight(struct ock_jsonw *w, const struct ock_key *key,
                                 const struct ock_spec *spec, const void *base);
void ock_spec_write_model(struct ock_jsonw *w, const struct ock_key *key,
                          const struct ock_spec *spec, const void *base);
void ock_spec_write_penalties(struct ock_jsonw *w, const struct ock_key *key,
                              const struct ock_spec *spec, const void *base);
void ock_spec_write_lr(struct ock_jsonw *w, const struct ock_key *key, const struct ock_spec *spec,
                       const void *base);
void ock_spec_write_betas(struct ock_jsonw *w, const struct ock_key *key,
                          const struct ock_spec *spec, const void *base);
void ock_spec_write_schedule(struct ock_jsonw *w, const struct ock_key *key,
                             const struct ock_spec *spec, const void *base);
void ock_spec_write_early_stopping(struct ock_jsonw *w, const struct ock_key *key,
                                   const struct ock_spec *spec, const void *base);
void ock_spec_write_tune(struct ock_jsonw *w, const struct ock_key *key,
                         const struct ock_spec *spec, const void *base);
void ock_spec_write_nothing(struct ock_jsonw *w, const struct ock_key *key,
                            const struct ock_spec *spec, const void *base);

/* --- Schemas of single keys (spec_schema.c) -------------------------------------------------- */

void ock_spec_schema_labels(struct ock_jsonw *w, const struct ock_key *key);
void ock_spec_schema_object(struct ock_jsonw *w, const struct ock_key *key);
void ock_spec_schema_null_object(struct ock_jsonw *w, const struct ock_key *key);
void ock_spec_schema_inline(struct ock_jsonw *w, const struct ock_key *key);
void ock_spec_schema_features(struct ock_jsonw *w, const struct ock_key *key);
void ock_spec_schema_part(struct ock_jsonw *w, const struct ock_key *key);
void ock_spec_schema_scaling(struct ock_jsonw *w, const struct ock_key *key);
void ock_spec_schema_target_scaling(struct ock_jsonw *w, const struct ock_key *key);
void ock_spec_schema_class_weight(struct ock_jsonw *w, const struct ock_key *key);
void ock_spec_schema_hidden(struct ock_jsonw *w, const struct ock_key *key);
void ock_spec_schema_layers(struct ock_jsonw *w, const struct ock_key *key);
void ock_spec_schema_penalties(struct ock_jsonw *w, const struct ock_key *key);
void ock_spec_schema_lr(struct ock_jsonw *w, const struct ock_key *key);
void ock_spec_schema_betas(struct ock_jsonw *w, const struct ock_key *key);
void ock_spec_schema_schedule(struct ock_jsonw *w, const struct ock_key *key);
void ock_spec_schema_axis(struct ock_jsonw *w, const struct ock_key *key);
void ock_spec_schema_end(struct ock_jsonw *w, const struct ock_key *key);
void ock_spec_schema_halving(struct ock_jsonw *w, const struct ock_key *key);

/* --- What does not go together (spec_combinations.c) ------------------------------------------ */

/* Adds unsupported_combination faults for settings that no data could reconcile. Keys that have a
 * fault of their own are left out of the judgement. */
void ock_spec_check_combinations(struct ock_spec_parser *parser);

/* The same for a target that is known to be classes or a number. */
void ock_spec_check_target(const struct ock_spec *spec, enum ock_target_kind kind,
                           struct ock_faults *faults);

/* The job's l1 and l2 to the linear layers that have none of their own (spec_resolve.c). */
void ock_spec_spread_penalty(struct ock_spec *spec);

/* Whether there are validation rows besides a search's folds. */
bool ock_spec_has_validation(const struct ock_spec *spec);

/* What a search cannot be combined with (spec_tune.c). */
void ock_spec_check_tune(const struct ock_spec *spec, struct ock_faults *faults);

/* A fault unsupported_combination at `pointer`, unless it or `other` has a fault of its own. */
void ock_spec_refuse(struct ock_faults *faults, const char *pointer, const char *other,
                     const char *why);

/* True if no fault stands at the pointer, below it, or at a section around it. */
bool ock_spec_clean(const struct ock_faults *faults, const char *pointer);

#endif
