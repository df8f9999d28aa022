/* The table of the spec's keys, third part: tune. */
#include "core/train/spec_keys.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct ock_key range_keys[] = {
    {.name = "min",
     .kind = OCK_KEY_OTHER,
     .flags = OCK_KEY_REQUIRED,
     .offset = offsetof(struct ock_axis_spec, min),
     .max = OCK_KEY_UNBOUNDED,
     .word = "auto",
     .parse = ock_spec_parse_end,
     .schema = ock_spec_schema_end,
     .title = "Weakest",
     .help = "auto (linear models with l1): a thousandth of max."},
    {.name = "max",
     .kind = OCK_KEY_OTHER,
     .flags = OCK_KEY_REQUIRED,
     .offset = offsetof(struct ock_axis_spec, max),
     .max = OCK_KEY_UNBOUNDED,
     .word = "auto",
     .parse = ock_spec_parse_end,
     .schema = ock_spec_schema_end,
     .title = "Strongest",
     .help = "auto (linear models with l1): the least strength that leaves no weight."},
    {.name = "count",
     .kind = OCK_KEY_SIZE,
     .offset = offsetof(struct ock_axis_spec, count),
     .min = 1,
     .max = OCK_TRIALS_MAX,
     .initial = "16",
     .title = "Count",
     .help = "How many strengths, both ends counted."},
    {.name = "scale",
     .kind = OCK_KEY_WORD,
     .offset = offsetof(struct ock_axis_spec, scale),
     .words = ock_axis_scale_words,
     .initial = "\"log\"",
     .title = "Scale",
     .help = "log: by even factors; linear: by even steps."},
};
const struct ock_section ock_spec_range = {range_keys, COUNT(range_keys)};

static const struct ock_key halving_keys[] = {
    {.name = "factor",
     .kind = OCK_KEY_U32,
     .offset = offsetof(struct ock_halving_spec, factor),
     .min = 2,
     .max = 16,
     .initial = "2",
     .title = "Factor",
     .help = "At each rung one trial in so many goes on."},
    {.name = "min_epochs",
     .kind = OCK_KEY_U32,
     .offset = offsetof(struct ock_halving_spec, min_epochs),
     .min = 1,
     .max = OCK_EPOCHS_MAX,
     .word = "auto",
     .initial = "\"auto\"",
     .title = "Epochs of the first rung",
     .help = "auto: epochs / factor². The next rungs are factor times longer each. A trial is "
             "ended only once it has trained for three half-lives of its shrinkage."},
};
const struct ock_section ock_spec_halving = {halving_keys, COUNT(halving_keys)};

#define AXIS(axis_name, axis, key_flags, most, text, words)                                        \
    {                                                                                              \
        .name = (axis_name), .kind = OCK_KEY_OTHER, .flags = OCK_KEY_NULL | (key_flags),           \
        .offset = offsetof(struct ock_tune_spec, axes[axis]), .max = (most),                       \
        .section = &ock_spec_range, .initial = "null", .parse = ock_spec_parse_axis,               \
        .schema = ock_spec_schema_axis, .title = (text), .help = (words)                           \
    }

static const struct ock_key tune_keys[] = {
    AXIS("l1", OCK_AXIS_L1, OCK_KEY_FLOAT, OCK_KEY_UNBOUNDED, "L1 strengths",
         "A range or a list, in place of regularization.l1."),
    AXIS("l2", OCK_AXIS_L2, OCK_KEY_FLOAT, OCK_KEY_UNBOUNDED, "L2 strengths",
         "A range or a list, in place of regularization.l2. With l1: the grid of both."),
    AXIS("weight_decay", OCK_AXIS_WEIGHT_DECAY, OCK_KEY_FLOAT, OCK_KEY_UNBOUNDED, "Weight decays",
         "A range or a list, in place of optimizer.weight_decay."),
    AXIS("dropout", OCK_AXIS_DROPOUT, OCK_KEY_BELOW_MAX, 1, "Dropout rates",
         "A range or a list: the rate of all dropout layers but the inputs'; where there are none, "
         "of one behind every activation."),
    {.name = "folds",
     .kind = OCK_KEY_U32,
     .offset = offsetof(struct ock_tune_spec, folds),
     .max = OCK_FOLDS_MAX,
     .initial = "5",
     .title = "Folds",
     .help = "k-fold cross-validation, 2 or more; 0: the one validation split, with rule min."},
    {.name = "fold_assignment",
     .kind = OCK_KEY_WORD,
     .offset = offsetof(struct ock_tune_spec, fold_assignment),
     .words = ock_fold_assignment_words,
     .initial = "\"auto\"",
     .title = "Assignment of rows to folds",
     .help = "stratified (auto for classes), random (auto for numbers), or modulo: row i, from 0, "
             "in fold i mod folds."},
    {.name = "rule",
     .kind = OCK_KEY_WORD,
     .offset = offsetof(struct ock_tune_spec, rule),
     .words = ock_tune_rule_words,
     .initial = "\"1se\"",
     .title = "Rule",
     .help = "min: the least mean validation loss; 1se: the strongest within one standard error "
             "of it."},
    {.name = "refit",
     .kind = OCK_KEY_BOOL,
     .offset = offsetof(struct ock_tune_spec, refit),
     .initial = "true",
     .title = "Refit",
     .help = "Train the chosen strength on all the rows; false: no model."},
    {.name = "warm",
     .kind = OCK_KEY_BOOL,
     .offset = offsetof(struct ock_tune_spec, warm),
     .initial = "false",
     .title = "Warm path",
     .help = "Linear models with l1: strongest first, each strength starts from the last one's "
             "weights; the path of coefficients on all rows is in the result."},
    {.name = "halving",
     .kind = OCK_KEY_OTHER,
     .flags = OCK_KEY_NULL,
     .offset = offsetof(struct ock_tune_spec, halving),
     .section = &ock_spec_halving,
     .initial = "null",
     .parse = ock_spec_parse_halving,
     .schema = ock_spec_schema_halving,
     .title = "Early ending",
     .help = "Successive halving: true, or an object; null or false: every strength trains to the "
             "end."},
};
const struct ock_section ock_spec_tune = {tune_keys, COUNT(tune_keys)};
