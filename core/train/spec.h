/* The job spec: SPEC.md's names, types, ranges and defaults as one plain value.
 *
 * Two steps. ock_spec_parse takes strict JSON and reports every fault with its JSON pointer; after
 * it no JSON exists in the core (but for labels and inline data, which are kept for their owners).
 * ock_spec_resolve takes the datasets' schemas and fills in every default that depends on the data:
 * target, its kind, loss, layers with their units, features. */
#ifndef OCK_TRAIN_SPEC_H
#define OCK_TRAIN_SPEC_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/faults.h"
#include "core/base/limits.h"
#include "core/base/sha256.h"
#include "core/base/status.h"
#include "core/data/dataset.h"
#include "core/kernels/kernels.h"

enum ock_loss {
    OCK_LOSS_AUTO = 0,
    OCK_CROSS_ENTROPY,
    OCK_BINARY_CROSS_ENTROPY,
    OCK_MSE,
    OCK_HUBER,
    OCK_MAE
};
enum ock_target_type { OCK_TARGET_TYPE_AUTO = 0, OCK_TARGET_TYPE_CLASSES, OCK_TARGET_TYPE_NUMBER };
enum ock_scaling {
    OCK_SCALING_AUTO = 0,
    OCK_SCALING_STANDARD,
    OCK_SCALING_MINMAX,
    OCK_SCALING_NONE,
    OCK_SCALING_DIVIDE
};
enum ock_layer_type { OCK_LINEAR, OCK_ACTIVATION, OCK_DROPOUT };
enum ock_schedule_name {
    OCK_CONSTANT = 0,
    OCK_STEP,
    OCK_EXPONENTIAL,
    OCK_COSINE,
    OCK_PLATEAU,
    OCK_SCHEDULE_AUTO /* only while parsing, which makes it cosine or constant */
};
enum ock_which { OCK_BEST = 0, OCK_LAST };
enum ock_on_nonfinite { OCK_ROLLBACK = 0, OCK_FAIL };

/* "class_weight": none, balanced, or {"class": weight}. */
enum ock_class_weight {
    OCK_CLASS_WEIGHT_NONE = 0,
    OCK_CLASS_WEIGHT_BALANCED,
    OCK_CLASS_WEIGHT_GIVEN
};

/* A part of the data: none, a fraction of the rows, or a dataset of its own. */
struct ock_part {
    double fraction; /* 0: none or a dataset */
    char *dataset;   /* owned; NULL: none */
};

struct ock_data_spec {
    char *dataset;        /* owned; id or name; NULL for inline data or `ockham train --data` */
    bool has_inline;      /* the arrays themselves are the importer's business */
    size_t feature_count; /* 0: all columns that are not target or weights */
    char **features;      /* owned; resolved: always filled */
    char *target;         /* owned; resolved: always filled */
    enum ock_target_type target_type; /* resolved: classes or number */
    struct ock_part validation, test;
    bool stratify; /* resolved: false for numbers */
    bool stratify_given;
    uint64_t split_seed;
    enum ock_scaling scaling;
    double divide;       /* for OCK_SCALING_DIVIDE */
    bool target_scaling; /* true: standard; resolved: false for classes */
    bool target_scaling_given;
    char *weights; /* owned; a column's name, NULL: none */
    enum ock_class_weight class_weight;
    size_t class_weight_count;
    struct ock_class_weight_item {
        char *name; /* owned */
        double weight;
    } * class_weights; /* owned */
};

/* One layer as in nn.Sequential; its name is its position. */
struct ock_layer_spec {
    enum ock_layer_type type;
    size_t units;                   /* linear; 0 in the last one until resolved */
    bool bias;                      /* linear */
    enum ock_activation activation; /* activation */
    double rate;                    /* dropout */
    double l1, l2;                  /* linear; resolved: the override or the job's */
    bool l1_given, l2_given;
};

struct ock_regularization_spec {
    double l1, l2;
    enum ock_l1_method l1_method;
    bool biases;
    double max_norm; /* 0: none */
};

struct ock_schedule_spec {
    enum ock_schedule_name name;
    uint32_t every;    /* step */
    double factor;     /* step, exponential, plateau */
    double min;        /* cosine */
    uint32_t patience; /* plateau */
    double warmup_epochs;
};

struct ock_optimizer_spec {
    enum ock_rule name;
    bool lr_auto; /* lr is to be found; may stay true once it is */
    double lr;    /* given, or found (then > 0); 0 while it is still to be found */
    double momentum;
    bool nesterov;
    double weight_decay;
    bool decoupled;
    double beta1, beta2, eps;
    double clip_norm; /* 0: none */
    struct ock_schedule_spec schedule;
};

/* What early stopping and `best` look at. */
enum ock_metric {
    OCK_METRIC_VALIDATION_DATA_LOSS = 0,
    OCK_METRIC_VALIDATION_ACCURACY,
    OCK_METRIC_TRAIN_DATA_LOSS,
    OCK_METRIC_TRAIN_ACCURACY,
    OCK_METRIC_VALIDATION_RMSE,
    OCK_METRIC_VALIDATION_MAE,
    OCK_METRIC_VALIDATION_R2,
    OCK_METRIC_OBJECTIVE,
};

struct ock_early_stopping_spec {
    bool on;
    uint32_t patience; /* 10 */
    double min_delta;  /* 0 */
    enum ock_metric metric;
};

struct ock_train_spec {
    uint32_t epochs;
    uint64_t max_steps; /* 0: none */
    size_t batch_size;  /* SIZE_MAX: "all" */
    bool shuffle;
    uint32_t threads; /* 0: auto */
    uint64_t seed;
    struct ock_early_stopping_spec early_stopping;
    double deadline_s;         /* 0: none */
    size_t evaluate_train;     /* rows; SIZE_MAX: all */
    uint32_t report_every;     /* 0: auto; resolved: >= 1 */
    uint32_t checkpoint_every; /* epochs; 0: auto (by time) */
    enum ock_on_nonfinite on_nonfinite;
    uint32_t shards;
};

struct ock_init_spec {
    char *job; /* owned; NULL: random */
    enum ock_which which;
};

/* --- tune: the search for a strength ---------------------------------------------------------- */

/* What a search can vary, in the order in which the table is sorted. */
enum ock_axis_name {
    OCK_AXIS_L1 = 0,
    OCK_AXIS_L2,
    OCK_AXIS_WEIGHT_DECAY,
    OCK_AXIS_DROPOUT,
    OCK_AXES
};

enum ock_axis_scale { OCK_AXIS_LOG = 0, OCK_AXIS_LINEAR }; /* even factors, even steps */

/* The values of one of them: a list, or a range from which they follow. */
struct ock_axis_spec {
    bool given;
    size_t count;    /* of values */
    double *list;    /* owned, [count], as sent; NULL: a range */
    double min, max; /* a range's ends; 0 while auto and not found */
    bool min_auto,
        max_auto; /* max: the least alpha that leaves no weight; min: a thousandth of max */
    enum ock_axis_scale scale;
};

enum ock_fold_assignment {
    OCK_FOLDS_AUTO = 0, /* resolved: stratified for classes, random for numbers */
    OCK_FOLDS_STRATIFIED,
    OCK_FOLDS_RANDOM,
    OCK_FOLDS_MODULO
};
enum ock_tune_rule { OCK_RULE_1SE = 0, OCK_RULE_MIN };

/* Successive halving: at each rung the better trials go on. */
struct ock_halving_spec {
    bool on;
    uint32_t factor;     /* of the trials that go on, one in so many */
    uint32_t min_epochs; /* of the first rung; 0: auto, epochs / factor^2 */
};

struct ock_tune_spec {
    bool on;
    struct ock_axis_spec axes[OCK_AXES];
    uint32_t folds; /* 0: the one validation split */
    enum ock_fold_assignment fold_assignment;
    enum ock_tune_rule rule;
    bool refit;
    bool warm; /* each strength starts from the last, strongest first */
    struct ock_halving_spec halving;
};

struct ock_spec {
    char *name;    /* owned; NULL: none */
    cJSON *labels; /* owned; object of strings, NULL: none */
    struct ock_data_spec data;
    size_t layer_count;            /* input dropout, hidden, or explicit layers, as one list */
    struct ock_layer_spec *layers; /* owned */
    struct ock_init_spec init;
    enum ock_loss loss;
    struct ock_regularization_spec regularization;
    struct ock_optimizer_spec optimizer;
    struct ock_train_spec train;
    struct ock_tune_spec tune;
    bool resolved;
};

/* Parses a spec's JSON object. All faults are added; *out is made only if there is none.
 * Codes: unknown_key (with suggestion), wrong_type, out_of_range, missing_key, unknown_value (with
 * suggestion), unsupported_combination, unsupported.
 * Settings that do not go together and that data cannot change are found here (SPEC.md).
 * need_dataset: `data.dataset` or `data.inline` must be there (not for `ockham train --data`).
 * Errors: INVALID (see faults), NOMEM. */
enum ock_status ock_spec_parse(struct ock_spec **out, const cJSON *json, bool need_dataset,
                               struct ock_faults *faults, struct ock_err *err);
void ock_spec_free(struct ock_spec *spec); /* NULL is a no-op */

/* Fills in all that depends on data. validation and test may be NULL unless named by the spec.
 * Faults: unknown target or feature columns (with suggestion), a loss that does not fit the target,
 * classes that are too few, datasets whose columns differ (named), early stopping on validation
 * without validation rows, batch sizes, 2*lr*lambda >= 1, ….
 * A second call is a no-op. Errors: INVALID (see faults), NOMEM. */
enum ock_status ock_spec_resolve(struct ock_spec *spec, const struct ock_schema *train,
                                 const struct ock_schema *validation, const struct ock_schema *test,
                                 struct ock_faults *faults, struct ock_err *err);

/* The resolved spec as JSON, every default filled in, in SPEC.md's order; what parse takes again
 * with the same meaning. lr is "auto" while lr_auto and lr is 0, the number once found. A spec that
 * is not resolved has null where a default depends on the data. inline data are left out: they are
 * not the spec's. */
void ock_spec_write(const struct ock_spec *spec, struct ock_buf *out);

/* The learning rate from which on a step would turn a weight's sign by decay alone, so that no
 * search may end at or above it: 1 / (2*l2 + weight_decay) with the largest l2 of any layer;
 * INFINITY without decay. For adam, weight_decay counts only where it is decoupled. */
double ock_spec_lr_limit(const struct ock_spec *spec);

/* SHA-256 of ock_spec_write's text before lr was found, in hex: checkpoints carry it. threads, name
 * and labels are left out: they change no bit. A finder that clears lr_auto takes the hash first. Errors: NOMEM, LIMIT; the text is then "". */
enum ock_status ock_spec_hash(const struct ock_spec *spec, char text[OCK_SHA256_TEXT_SIZE]);

/* A deep copy with the same state (resolved, lr found or not). Errors: NOMEM, LIMIT. */
enum ock_status ock_spec_copy(struct ock_spec **out, const struct ock_spec *spec,
                              struct ock_err *err);

/* One sentence of advice or warning: code and message, as the `warning` event has them. */
struct ock_warning {
    char code[48];
    char message[320];
};
enum { OCK_WARNINGS_MAX = 16 };

/* What a person should know before the run: decoupled decay with momentum (with the number),
 * 2*lr*lambda above 0.1, classic L1 asked for zeros, …. Returns the count. Spec is resolved.
 * rare_text: what ock_encoder_rare_text says of the data, or "" or NULL. */
size_t ock_spec_warnings(const struct ock_spec *spec, const char *rare_text,
                         struct ock_warning out[OCK_WARNINGS_MAX]);

/* The spec's strength in other tools' terms (SPEC.md, Conversions), as a JSON object for `validate`:
 * {"pytorch": {"weight_decay": …}, …}. rows: training rows. */
void ock_spec_write_conversions(const struct ock_spec *spec, size_t rows, size_t batch_rows,
                                struct ock_buf *out);

/* The whole spec as a JSON Schema (draft 2020-12) with titles, defaults and help. Static text made
 * from the same table that parse uses, so that they can't differ. */
void ock_spec_write_schema(struct ock_buf *out);

/* The largest value of an axis; 0 of one that is not given, or whose max is auto and not found. */
double ock_axis_strongest(const struct ock_axis_spec *axis);
/* The numbers that stand on an axis, strongest first; out [count]. A range must have its ends. */
void ock_axis_values(const struct ock_axis_spec *axis, double *out);
const char *ock_axis_label(enum ock_axis_name axis);

/* The strength of one trial in a resolved spec, as if it had been sent: where a layer has an l1 or
 * l2 of its own, that stays. tune is switched off.
 * Errors: NOMEM, LIMIT (dropout would make too many layers). */
enum ock_status ock_spec_set_strength(struct ock_spec *spec, const double values[OCK_AXES],
                                      struct ock_err *err);

/* Names as the spec spells them. */
const char *ock_loss_name(enum ock_loss loss);
const char *ock_activation_name(enum ock_activation activation);
const char *ock_rule_name(enum ock_rule rule);
const char *ock_l1_method_name(enum ock_l1_method method);
const char *ock_schedule_text(enum ock_schedule_name name);
const char *ock_metric_name(enum ock_metric metric);
const char *ock_fold_assignment_name(enum ock_fold_assignment assignment);
const char *ock_tune_rule_name(enum ock_tune_rule rule);

#endif
