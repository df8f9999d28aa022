/* Goal: whatever is wrong with a spec is told, each fault once, with its own pointer, code and the
 * nearest right word. Method: a table of specs with one fault each, then some with many. */
#include <stdio.h>

#include "tests/unit/spec_kit.h"

static const struct {
    const char *spec;
    const char *pointer, *code, *suggestion;
} bad[] = {
    /* the document */
    {"[]", "", "wrong_type", NULL},
    {"null", "", "wrong_type", NULL},
    {"{\"regularisation\":{\"l2\":1}}", "/regularisation", "unknown_key", "regularization"},
    {"{\"Model\":{}}", "/Model", "unknown_key", "model"},
    {"{\"lr\":0.1}", "/lr", "unknown_key", NULL},
    {"{\"a/b~c\":1}", "/a~1b~0c", "unknown_key", NULL},
    {"{\"train\":{\"epochs\":1,\"epochs\":2}}", "/train/epochs", "duplicate_key", NULL},
    {"{\"optimizer\":{\"lr\":1e999}}", "/optimizer/lr", "not_finite", NULL},
    {"{\"name\":7}", "/name", "wrong_type", NULL},
    {"{\"name\":\"\"}", "/name", "out_of_range", NULL},
    {"{\"name\":\"a\\nb\"}", "/name", "out_of_range", NULL},
    {"{\"labels\":[]}", "/labels", "wrong_type", NULL},
    {"{\"labels\":{\"team\":1}}", "/labels/team", "wrong_type", NULL},
    {"{\"labels\":{\"\":\"x\"}}", "/labels/", "out_of_range", NULL},
    {"{\"tune\":3}", "/tune", "wrong_type", NULL},
    {"{\"tune\":{}}", "/tune", "unsupported_combination", NULL},
    {"{\"tune\":{\"l2\":3}}", "/tune/l2", "wrong_type", NULL},
    {"{\"tune\":{\"l2\":[]}}", "/tune/l2", "out_of_range", NULL},
    {"{\"tune\":{\"l2\":[1,-2]}}", "/tune/l2/1", "out_of_range", NULL},
    {"{\"tune\":{\"l2\":[1e-3,1e-4,1e-3]}}", "/tune/l2/2", "out_of_range", NULL},
    {"{\"tune\":{\"l2\":[1e-50]}}", "/tune/l2/0", "out_of_range", NULL},
    {"{\"tune\":{\"lambda\":[1e-3]}}", "/tune/lambda", "unknown_key", "l2"},
    {"{\"tune\":{\"l2\":{\"max\":1}}}", "/tune/l2/min", "missing_key", NULL},
    {"{\"tune\":{\"l2\":{\"min\":1,\"max\":1}}}", "/tune/l2", "out_of_range", NULL},
    {"{\"tune\":{\"l2\":{\"min\":0,\"max\":1}}}", "/tune/l2", "out_of_range", NULL},
    {"{\"tune\":{\"l2\":{\"min\":1e-3,\"max\":\"auto\"}}}", "/tune/l2", "unsupported_combination",
     NULL},
    {"{\"model\":{\"hidden\":[]},\"tune\":{\"l1\":{\"min\":\"auto\",\"max\":1}}}", "/tune/l1",
     "unsupported_combination", NULL},
    {"{\"tune\":{\"l1\":{\"min\":1e-4,\"max\":\"auto\"}}}", "/tune/l1/max",
     "unsupported_combination", NULL},
    {"{\"tune\":{\"dropout\":[0.1,1]}}", "/tune/dropout/1", "out_of_range", NULL},
    {"{\"tune\":{\"dropout\":{\"min\":0,\"max\":1}}}", "/tune/dropout", "out_of_range", NULL},
    {"{\"model\":{\"hidden\":[]},\"tune\":{\"dropout\":[0.1]}}", "/tune/dropout",
     "unsupported_combination", NULL},
    {"{\"tune\":{\"l2\":[1e-3],\"folds\":1}}", "/tune/folds", "unsupported_combination", NULL},
    {"{\"tune\":{\"l2\":[1e-3],\"folds\":101}}", "/tune/folds", "out_of_range", NULL},
    {"{\"tune\":{\"l2\":[1e-3],\"folds\":0}}", "/tune/rule", "unsupported_combination", NULL},
    {"{\"data\":{\"validation\":0},\"tune\":{\"l2\":[1e-3],\"folds\":0,\"rule\":\"min\"}}",
     "/tune/folds", "unsupported_combination", NULL},
    {"{\"tune\":{\"l2\":[1e-3],\"rule\":\"2se\"}}", "/tune/rule", "unknown_value", "1se"},
    {"{\"tune\":{\"l2\":[1e-3],\"warm\":true}}", "/tune/warm", "unsupported_combination", NULL},
    {"{\"model\":{\"hidden\":[3]},\"regularization\":{\"layers\":{\"0\":{\"l2\":1e-3},\"2\":{"
     "\"l2\":0}}},\"tune\":{\"l2\":[1e-3]}}",
     "/tune/l2", "unsupported_combination", NULL},
    {"{\"model\":{\"hidden\":[]},\"regularization\":{\"layers\":{\"0\":{\"l1\":1e-3}}},"
     "\"tune\":{\"l1\":[1e-3],\"l2\":[1e-3]}}",
     "/tune/l1", "unsupported_combination", NULL},
    {"{\"train\":{\"deadline_s\":5},\"tune\":{\"l2\":[1e-3]}}", "/train/deadline_s",
     "unsupported_combination", NULL},
    {"{\"optimizer\":{\"lr\":1},\"tune\":{\"l2\":[1e-3,0.5]}}", "/tune/l2",
     "unsupported_combination", NULL},
    {"{\"optimizer\":{\"name\":\"adam\"},\"tune\":{\"l2\":[1e-3],\"halving\":true}}",
     "/tune/halving", "unsupported_combination", NULL},
    {"{\"tune\":{\"l2\":{\"min\":1e-6,\"max\":1,\"count\":40},\"l1\":{\"min\":1e-6,\"max\":1,"
     "\"count\":40}}}",
     "/tune", "unsupported_combination", NULL},
    {"{\"loss\":\"crossentropy\"}", "/loss", "unknown_value", "cross_entropy"},
    {"{\"loss\":1}", "/loss", "wrong_type", NULL},
    /* data */
    {"{\"data\":[]}", "/data", "wrong_type", NULL},
    {"{\"data\":{\"dataset\":3}}", "/data/dataset", "wrong_type", NULL},
    {"{\"data\":{\"dataset\":\"a\",\"inline\":{\"x\":[[1]],\"y\":[1]}}}", "/data/dataset",
     "unsupported_combination", NULL},
    {"{\"data\":{\"inline\":[]}}", "/data/inline", "wrong_type", NULL},
    {"{\"data\":{\"inline\":{\"x\":[[1]]}}}", "/data/inline/y", "missing_key", NULL},
    {"{\"data\":{\"inline\":{\"x\":1,\"y\":[1]}}}", "/data/inline/x", "wrong_type", NULL},
    {"{\"data\":{\"inline\":{\"x\":[],\"y\":[],\"z\":[]}}}", "/data/inline/z", "unknown_key", NULL},
    {"{\"data\":{\"tarjet\":\"y\"}}", "/data/tarjet", "unknown_key", "target"},
    {"{\"data\":{\"label\":\"y\"}}", "/data/label", "unknown_key", "target"},
    {"{\"data\":{\"features\":\"a\"}}", "/data/features", "wrong_type", NULL},
    {"{\"data\":{\"features\":[]}}", "/data/features", "out_of_range", NULL},
    {"{\"data\":{\"features\":[\"a\",1]}}", "/data/features/1", "wrong_type", NULL},
    {"{\"data\":{\"features\":[\"a\",\"b\",\"a\"]}}", "/data/features", "unsupported_combination",
     NULL},
    {"{\"data\":{\"target\":\"b\",\"features\":[\"a\",\"b\"]}}", "/data/features/1",
     "unsupported_combination", NULL},
    {"{\"data\":{\"weights\":\"b\",\"features\":[\"b\"]}}", "/data/features/0",
     "unsupported_combination", NULL},
    {"{\"data\":{\"weights\":\"b\",\"target\":\"b\"}}", "/data/weights", "unsupported_combination",
     NULL},
    {"{\"data\":{\"target_type\":\"class\"}}", "/data/target_type", "unknown_value", "classes"},
    {"{\"data\":{\"target_type\":\"clases\"}}", "/data/target_type", "unknown_value", "classes"},
    {"{\"data\":{\"validation\":1}}", "/data/validation", "out_of_range", NULL},
    {"{\"data\":{\"validation\":-0.1}}", "/data/validation", "out_of_range", NULL},
    {"{\"data\":{\"validation\":\"0.2\"}}", "/data/validation", "wrong_type", NULL},
    {"{\"data\":{\"validation\":{}}}", "/data/validation/dataset", "missing_key", NULL},
    {"{\"data\":{\"test\":{\"datasets\":\"x\",\"dataset\":\"y\"}}}", "/data/test/datasets",
     "unknown_key", "dataset"},
    {"{\"data\":{\"validation\":0.6,\"test\":0.4}}", "/data/test", "out_of_range", NULL},
    {"{\"data\":{\"stratify\":1}}", "/data/stratify", "wrong_type", NULL},
    {"{\"data\":{\"split_seed\":-1}}", "/data/split_seed", "out_of_range", NULL},
    {"{\"data\":{\"split_seed\":9007199254740992}}", "/data/split_seed", "out_of_range", NULL},
    {"{\"data\":{\"scaling\":\"standart\"}}", "/data/scaling", "unknown_value", "standard"},
    {"{\"data\":{\"scaling\":{\"divide\":0}}}", "/data/scaling/divide", "out_of_range", NULL},
    {"{\"data\":{\"scaling\":{}}}", "/data/scaling/divide", "missing_key", NULL},
    {"{\"data\":{\"scaling\":true}}", "/data/scaling", "wrong_type", NULL},
    {"{\"data\":{\"target_scaling\":\"non\"}}", "/data/target_scaling", "unknown_value", "none"},
    {"{\"data\":{\"target_scaling\":false}}", "/data/target_scaling", "wrong_type", NULL},
    {"{\"data\":{\"class_weight\":\"balance\"}}", "/data/class_weight", "unknown_value",
     "balanced"},
    {"{\"data\":{\"class_weight\":{\"a\":-1}}}", "/data/class_weight/a", "out_of_range", NULL},
    {"{\"data\":{\"class_weight\":{}}}", "/data/class_weight", "out_of_range", NULL},
    {"{\"data\":{\"class_weight\":2}}", "/data/class_weight", "wrong_type", NULL},
    /* model */
    {"{\"model\":{\"hidden\":64}}", "/model/hidden", "wrong_type", NULL},
    {"{\"model\":{\"hidden\":[64,0]}}", "/model/hidden/1", "out_of_range", NULL},
    {"{\"model\":{\"hidden\":[1.5]}}", "/model/hidden/0", "wrong_type", NULL},
    {"{\"model\":{\"hidden\":[\"x\"]}}", "/model/hidden/0", "wrong_type", NULL},
    {"{\"model\":{\"hidden\":[1048577]}}", "/model/hidden/0", "out_of_range", NULL},
    {"{\"model\":{\"activation\":\"ReLU\"}}", "/model/activation", "unknown_value", "relu"},
    {"{\"model\":{\"dropout\":1}}", "/model/dropout", "out_of_range", NULL},
    {"{\"model\":{\"input_dropout\":\"0\"}}", "/model/input_dropout", "wrong_type", NULL},
    {"{\"model\":{\"hidden\":[],\"dropout\":0.5}}", "/model/dropout", "unsupported_combination",
     NULL},
    {"{\"model\":{\"layers\":[]}}", "/model/layers", "out_of_range", NULL},
    {"{\"model\":{\"layers\":{}}}", "/model/layers", "wrong_type", NULL},
    {"{\"model\":{\"layers\":[{\"type\":\"linear\"}],\"hidden\":[3]}}", "/model/hidden",
     "unsupported_combination", NULL},
    {"{\"model\":{\"layers\":[{\"type\":\"linear\"}],\"activation\":\"relu\"}}",
     "/model/activation", "unsupported_combination", NULL},
    {"{\"model\":{\"layers\":[{\"type\":\"linear\"}],\"dropout\":0}}", "/model/dropout",
     "unsupported_combination", NULL},
    {"{\"model\":{\"layers\":[{\"type\":\"linear\"},{\"type\":\"linear\"}]}}",
     "/model/layers/0/units", "missing_key", NULL},
    {"{\"model\":{\"layers\":[{\"type\":\"linear\",\"units\":3},{\"type\":\"dropout\","
     "\"rate\":0.1}]}}",
     "/model/layers/1", "unsupported_combination", NULL},
    {"{\"model\":{\"layers\":[{\"units\":3}]}}", "/model/layers/0/type", "missing_key", NULL},
    {"{\"model\":{\"layers\":[{\"type\":\"conv2d\"}]}}", "/model/layers/0/type", "unknown_value",
     NULL},
    {"{\"model\":{\"layers\":[{\"type\":\"lineer\"}]}}", "/model/layers/0/type", "unknown_value",
     "linear"},
    {"{\"model\":{\"layers\":[7]}}", "/model/layers/0", "wrong_type", NULL},
    {"{\"model\":{\"layers\":[{\"type\":\"activation\"},{\"type\":\"linear\"}]}}",
     "/model/layers/0/name", "missing_key", NULL},
    {"{\"model\":{\"layers\":[{\"type\":\"dropout\",\"rate\":0.1,\"units\":3},"
     "{\"type\":\"linear\"}]}}",
     "/model/layers/0/units", "unknown_key", NULL},
    {"{\"model\":{\"init\":\"job_1\"}}", "/model/init", "wrong_type", NULL},
    {"{\"model\":{\"init\":{}}}", "/model/init/job", "missing_key", NULL},
    {"{\"model\":{\"init\":{\"job\":\"../etc\"}}}", "/model/init/job", "unknown_value", NULL},
    {"{\"model\":{\"init\":{\"job\":\"job_1\",\"which\":\"lats\"}}}", "/model/init/which",
     "unknown_value", "last"},
    /* regularization */
    {"{\"regularization\":0.1}", "/regularization", "wrong_type", NULL},
    {"{\"regularization\":{\"l1\":-1e-9}}", "/regularization/l1", "out_of_range", NULL},
    {"{\"regularization\":{\"L2\":0.1}}", "/regularization/L2", "unknown_key", "l2"},
    {"{\"regularization\":{\"l2\":null}}", "/regularization/l2", "wrong_type", NULL},
    {"{\"regularization\":{\"l2\":1e-60}}", "/regularization/l2", "out_of_range", NULL},
    {"{\"regularization\":{\"lambda\":1}}", "/regularization/lambda", "unknown_key", "l2"},
    {"{\"regularization\":{\"weight_decay\":1}}", "/regularization/weight_decay", "unknown_key",
     NULL},
    {"{\"regularization\":{\"l1_method\":\"proximale\"}}", "/regularization/l1_method",
     "unknown_value", "proximal"},
    {"{\"regularization\":{\"biases\":\"yes\"}}", "/regularization/biases", "wrong_type", NULL},
    {"{\"regularization\":{\"max_norm\":0}}", "/regularization/max_norm", "out_of_range", NULL},
    {"{\"model\":{\"hidden\":[]},\"regularization\":{\"max_norm\":3}}", "/regularization/max_norm",
     "unsupported_combination", NULL},
    {"{\"regularization\":{\"layers\":[]}}", "/regularization/layers", "wrong_type", NULL},
    {"{\"regularization\":{\"layers\":{\"1\":{\"l2\":1}}}}", "/regularization/layers/1",
     "unsupported_combination", NULL},
    {"{\"regularization\":{\"layers\":{\"3\":{\"l2\":1}}}}", "/regularization/layers/3",
     "unknown_key", NULL},
    {"{\"regularization\":{\"layers\":{\"00\":{\"l2\":1}}}}", "/regularization/layers/00",
     "unknown_key", NULL},
    {"{\"regularization\":{\"layers\":{\"0\":{\"l3\":1}}}}", "/regularization/layers/0/l3",
     "unknown_key", "l1"},
    {"{\"regularization\":{\"layers\":{\"0\":1}}}", "/regularization/layers/0", "wrong_type", NULL},
    /* optimizer */
    {"{\"optimizer\":\"adam\"}", "/optimizer", "wrong_type", NULL},
    {"{\"optimizer\":{\"name\":\"adamv\"}}", "/optimizer/name", "unknown_value", "adam"},
    {"{\"optimizer\":{\"lr\":0}}", "/optimizer/lr", "out_of_range", NULL},
    {"{\"optimizer\":{\"lr\":-0.1}}", "/optimizer/lr", "out_of_range", NULL},
    {"{\"optimizer\":{\"lr\":1e-50}}", "/optimizer/lr", "out_of_range", NULL},
    {"{\"optimizer\":{\"lr\":1e39}}", "/optimizer/lr", "out_of_range", NULL},
    {"{\"optimizer\":{\"lr\":\"atuo\"}}", "/optimizer/lr", "unknown_value", "auto"},
    {"{\"optimizer\":{\"lr\":\"0.1\"}}", "/optimizer/lr", "wrong_type", NULL},
    {"{\"optimizer\":{\"lr\":null}}", "/optimizer/lr", "wrong_type", NULL},
    {"{\"optimizer\":{\"learning_rate\":0.1}}", "/optimizer/learning_rate", "unknown_key", "lr"},
    {"{\"optimizer\":{\"momentum\":1}}", "/optimizer/momentum", "out_of_range", NULL},
    {"{\"optimizer\":{\"nesterov\":true}}", "/optimizer/nesterov", "unsupported_combination", NULL},
    {"{\"optimizer\":{\"name\":\"adam\",\"momentum\":0.9}}", "/optimizer/momentum",
     "unsupported_combination", NULL},
    {"{\"optimizer\":{\"name\":\"adam\",\"nesterov\":true}}", "/optimizer/nesterov",
     "unsupported_combination", NULL},
    {"{\"optimizer\":{\"betas\":[0.9]}}", "/optimizer/betas", "wrong_type", NULL},
    {"{\"optimizer\":{\"name\":\"adam\",\"betas\":[0.9,1]}}", "/optimizer/betas/1", "out_of_range",
     NULL},
    {"{\"optimizer\":{\"betas\":[0.8,0.999]}}", "/optimizer/betas", "unsupported_combination",
     NULL},
    {"{\"optimizer\":{\"eps\":1e-6}}", "/optimizer/eps", "unsupported_combination", NULL},
    {"{\"optimizer\":{\"name\":\"adam\",\"eps\":0}}", "/optimizer/eps", "out_of_range", NULL},
    {"{\"optimizer\":{\"clip_norm\":-1}}", "/optimizer/clip_norm", "out_of_range", NULL},
    {"{\"optimizer\":{\"decoupled\":true}}", "/optimizer/decoupled", "unsupported_combination",
     NULL},
    {"{\"optimizer\":{\"schedule\":\"cosin\"}}", "/optimizer/schedule", "unknown_value", "cosine"},
    {"{\"optimizer\":{\"schedule\":{\"name\":\"auto\"}}}", "/optimizer/schedule/name",
     "unknown_value", NULL},
    {"{\"optimizer\":{\"schedule\":{}}}", "/optimizer/schedule/name", "missing_key", NULL},
    {"{\"optimizer\":{\"schedule\":{\"name\":\"step\",\"factor\":0.1}}}",
     "/optimizer/schedule/every", "missing_key", NULL},
    {"{\"optimizer\":{\"schedule\":\"exponential\"}}", "/optimizer/schedule/factor", "missing_key",
     NULL},
    {"{\"optimizer\":{\"schedule\":{\"name\":\"plateau\",\"factor\":0.5}}}",
     "/optimizer/schedule/patience", "missing_key", NULL},
    {"{\"optimizer\":{\"schedule\":{\"name\":\"plateau\",\"factor\":1,\"patience\":3}}}",
     "/optimizer/schedule/factor", "out_of_range", NULL},
    {"{\"optimizer\":{\"schedule\":{\"name\":\"cosine\",\"every\":3}}}",
     "/optimizer/schedule/every", "unsupported_combination", NULL},
    {"{\"optimizer\":{\"lr\":0.1,\"schedule\":{\"name\":\"cosine\",\"min\":0.2}}}",
     "/optimizer/schedule/min", "unsupported_combination", NULL},
    {"{\"optimizer\":{\"schedule\":{\"name\":\"constant\",\"warmup_epochs\":10}}}",
     "/optimizer/schedule/warmup_epochs", "unsupported_combination", NULL},
    {"{\"optimizer\":{\"schedule\":{\"name\":\"step\",\"every\":0,\"factor\":0.1}}}",
     "/optimizer/schedule/every", "out_of_range", NULL},
    /* regularization and optimizer together */
    {"{\"regularization\":{\"l1\":0.001,\"l1_method\":\"cumulative\"},\"optimizer\":"
     "{\"momentum\":0.9}}",
     "/regularization/l1_method", "unsupported_combination", NULL},
    {"{\"regularization\":{\"l1_method\":\"cumulative\"},\"optimizer\":{\"name\":\"adamw\"}}",
     "/regularization/l1_method", "unsupported_combination", NULL},
    {"{\"regularization\":{\"l1_method\":\"proximal\"},\"optimizer\":{\"momentum\":0.9,"
     "\"nesterov\":true}}",
     "/regularization/l1_method", "unsupported_combination", NULL},
    {"{\"regularization\":{\"l2\":0.5},\"optimizer\":{\"lr\":1}}", "/regularization/l2",
     "unsupported_combination", NULL},
    {"{\"regularization\":{\"layers\":{\"2\":{\"l2\":5}}},\"optimizer\":{\"lr\":0.1}}",
     "/regularization/layers/2/l2", "unsupported_combination", NULL},
    {"{\"optimizer\":{\"lr\":1,\"weight_decay\":1}}", "/optimizer/weight_decay",
     "unsupported_combination", NULL},
    /* train */
    {"{\"train\":{\"epochs\":1.5}}", "/train/epochs", "wrong_type", NULL},
    {"{\"train\":{\"epochs\":0}}", "/train/epochs", "out_of_range", NULL},
    {"{\"train\":{\"epochs\":100000001}}", "/train/epochs", "out_of_range", NULL},
    {"{\"train\":{\"epochs\":\"10\"}}", "/train/epochs", "wrong_type", NULL},
    {"{\"train\":{\"max_steps\":0}}", "/train/max_steps", "out_of_range", NULL},
    {"{\"train\":{\"batch_size\":0}}", "/train/batch_size", "out_of_range", NULL},
    {"{\"train\":{\"batch_size\":\"al\"}}", "/train/batch_size", "unknown_value", "all"},
    {"{\"train\":{\"batchsize\":1}}", "/train/batchsize", "unknown_key", "batch_size"},
    {"{\"train\":{\"shuffle\":\"true\"}}", "/train/shuffle", "wrong_type", NULL},
    {"{\"train\":{\"threads\":0}}", "/train/threads", "out_of_range", NULL},
    {"{\"train\":{\"threads\":1025}}", "/train/threads", "out_of_range", NULL},
    {"{\"train\":{\"seed\":1.5}}", "/train/seed", "wrong_type", NULL},
    {"{\"train\":{\"early_stopping\":true}}", "/train/early_stopping", "wrong_type", NULL},
    {"{\"train\":{\"early_stopping\":{\"patience\":0}}}", "/train/early_stopping/patience",
     "out_of_range", NULL},
    {"{\"train\":{\"early_stopping\":{\"metric\":\"validation.loss\"}}}",
     "/train/early_stopping/metric", "unknown_value", "validation.data_loss"},
    {"{\"train\":{\"early_stopping\":{\"min_delta\":-1}}}", "/train/early_stopping/min_delta",
     "out_of_range", NULL},
    {"{\"data\":{\"validation\":0},\"train\":{\"early_stopping\":{}}}", "/train/early_stopping",
     "unsupported_combination", NULL},
    {"{\"data\":{\"validation\":null},\"train\":{\"early_stopping\":{}}}", "/train/early_stopping",
     "unsupported_combination", NULL},
    {"{\"train\":{\"deadline_s\":0}}", "/train/deadline_s", "out_of_range", NULL},
    {"{\"train\":{\"evaluate_train\":0}}", "/train/evaluate_train", "out_of_range", NULL},
    {"{\"train\":{\"report_every\":0}}", "/train/report_every", "out_of_range", NULL},
    {"{\"train\":{\"checkpoint_every\":-1}}", "/train/checkpoint_every", "out_of_range", NULL},
    {"{\"train\":{\"on_nonfinite\":\"rolback\"}}", "/train/on_nonfinite", "unknown_value",
     "rollback"},
    {"{\"train\":{\"shards\":0}}", "/train/shards", "out_of_range", NULL},
    {"{\"train\":{\"shards\":64}}", "/train/shards", "unsupported_combination", NULL},
    {"{\"train\":{\"lr\":0.1}}", "/train/lr", "unknown_key", NULL},
    /* loss against data */
    {"{\"loss\":\"mse\",\"data\":{\"target_type\":\"classes\"}}", "/loss",
     "unsupported_combination", NULL},
    {"{\"loss\":\"cross_entropy\",\"data\":{\"target_type\":\"number\"}}", "/loss",
     "unsupported_combination", NULL},
    {"{\"loss\":\"huber\",\"data\":{\"class_weight\":\"balanced\"}}", "/data/class_weight",
     "unsupported_combination", NULL},
    {"{\"loss\":\"mae\",\"data\":{\"stratify\":true}}", "/data/stratify", "unsupported_combination",
     NULL},
    {"{\"loss\":\"cross_entropy\",\"data\":{\"target_scaling\":\"standard\"}}",
     "/data/target_scaling", "unsupported_combination", NULL},
    {"{\"loss\":\"mse\",\"train\":{\"early_stopping\":{\"metric\":\"validation.accuracy\"}}}",
     "/train/early_stopping/metric", "unsupported_combination", NULL},
    {"{\"loss\":\"cross_entropy\",\"train\":{\"early_stopping\":{\"metric\":\"validation.r2\"}}}",
     "/train/early_stopping/metric", "unsupported_combination", NULL},
    {"{\"loss\":\"cross_entropy\",\"model\":{\"layers\":[{\"type\":\"linear\",\"units\":1}]}}",
     "/model/layers/0/units", "unsupported_combination", NULL},
    {"{\"loss\":\"binary_cross_entropy\",\"model\":{\"layers\":[{\"type\":\"linear\","
     "\"units\":2}]}}",
     "/model/layers/0/units", "unsupported_combination", NULL},
    {"{\"loss\":\"mse\",\"model\":{\"layers\":[{\"type\":\"linear\",\"units\":2}]}}",
     "/model/layers/0/units", "unsupported_combination", NULL},
};
enum { BAD_COUNT = sizeof(bad) / sizeof(bad[0]) };

START_TEST(one_fault_is_told_once)
{
    struct ock_spec *spec = kit_parse(bad[_i].spec);
    ck_assert_msg(spec == NULL, "%s was taken", bad[_i].spec);
    ck_assert_int_eq(kit_err.status, OCK_INVALID);
    kit_only_fault(bad[_i].spec, bad[_i].pointer, bad[_i].code, bad[_i].suggestion);
}
END_TEST

/* The validation fraction, 0.2 by itself, is nothing to a search with folds. */
START_TEST(folds_leave_the_validation_rows_to_training)
{
    struct ock_spec *spec =
        kit_parse("{\"data\":{\"test\":0.9},\"tune\":{\"l2\":[1e-3],\"folds\":2}}");
    ck_assert_ptr_nonnull(spec);
    ock_spec_free(spec);
    spec = kit_parse(
        "{\"data\":{\"test\":0.9},\"tune\":{\"l2\":[1e-3],\"folds\":0,\"rule\":\"min\"}}");
    ck_assert_ptr_null(spec);
}
END_TEST

static bool has_fault(const char *pointer, const char *code)
{
    for (size_t i = 0; i < kit_faults.count; i++)
        if (strcmp(kit_faults.items[i].pointer, pointer) == 0 &&
            strcmp(kit_faults.items[i].code, code) == 0)
            return true;
    return false;
}

START_TEST(all_faults_are_told_at_once)
{
    ck_assert_ptr_null(kit_parse_for("{\"data\":{\"dataset\":\"digits\"},"
                                     "\"regularisation\":{\"l2\":1},\"optimizer\":{\"lr\":-1},"
                                     "\"train\":{\"epochs\":1.5,\"batch_size\":0},"
                                     "\"model\":{\"hidden\":[0,\"x\"]}}",
                                     true));
    ck_assert_uint_eq(kit_faults.count, 6);
    ck_assert(has_fault("/regularisation", "unknown_key"));
    ck_assert(has_fault("/optimizer/lr", "out_of_range"));
    ck_assert(has_fault("/train/epochs", "wrong_type"));
    ck_assert(has_fault("/train/batch_size", "out_of_range"));
    ck_assert(has_fault("/model/hidden/0", "out_of_range"));
    ck_assert(has_fault("/model/hidden/1", "wrong_type"));
}
END_TEST

START_TEST(a_fault_shows_what_was_sent)
{
    ck_assert_ptr_null(kit_parse("{\"optimizer\":{\"lr\":-0.1}}"));
    ck_assert_str_eq(kit_faults.items[0].detail, "must be > 0 and finite or \"auto\"");
    ck_assert_str_eq(kit_faults.items[0].got, "-0.1");
    ck_assert_ptr_null(kit_parse("{\"train\":{\"threads\":2000}}"));
    ck_assert_str_eq(kit_faults.items[0].detail,
                     "must be a whole number from 1 to 1024 or \"auto\"");
    ck_assert_ptr_null(kit_parse("{\"optimizer\":{\"momentum\":1}}"));
    ck_assert_str_eq(kit_faults.items[0].detail, "must be >= 0 and < 1");
    ck_assert_ptr_null(kit_parse("{\"epochs\":3}"));
    ck_assert_str_eq(kit_faults.items[0].detail, "unknown key here; it belongs in train");
    ck_assert_ptr_null(kit_parse("{\"loss\":\"a text of more than sixty-four bytes is not shown "
                                 "again to the one who sent it\"}"));
    ck_assert_str_eq(kit_faults.items[0].got, "");
    ck_assert_ptr_nonnull(strstr(kit_faults.items[0].detail, "huber or mae"));
}
END_TEST

START_TEST(a_wrong_key_takes_no_part_in_combinations)
{
    /* nesterov needs momentum; that momentum is a text is the one fault to tell */
    ck_assert_ptr_null(kit_parse("{\"optimizer\":{\"momentum\":\"0.9\",\"nesterov\":true}}"));
    kit_only_fault("momentum", "/optimizer/momentum", "wrong_type", NULL);
    /* which layers there would be is not known */
    ck_assert_ptr_null(kit_parse("{\"model\":{\"hidden\":[\"x\"]},"
                                 "\"regularization\":{\"layers\":{\"6\":{\"l1\":1}}}}"));
    kit_only_fault("layers", "/model/hidden/0", "wrong_type", NULL);
}
END_TEST

START_TEST(data_is_needed_when_asked_for)
{
    static const char *const specs[] = {"{}", "{\"data\":{}}", "{\"data\":{\"dataset\":null}}"};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_ptr_null(kit_parse_for(specs[i], true));
        kit_only_fault(specs[i], "/data/dataset", "missing_key", NULL);
        ock_spec_free(kit_good(specs[i]));
    }
    struct ock_spec *spec = kit_parse_for("{\"data\":{\"inline\":{\"x\":[],\"y\":[]}}}", true);
    ck_assert_ptr_nonnull(spec);
    ck_assert(spec->data.has_inline);
    ock_spec_free(spec);
}
END_TEST

START_TEST(test_rows_are_not_validation_rows)
{
    static const char text[] = "{\"data\":{\"dataset\":\"d\",\"validation\":{\"dataset\":\"v\"},"
                               "\"test\":{\"dataset\":\"v\"}}}";
    ck_assert_ptr_null(kit_parse_for(text, true));
    kit_only_fault(text, "/data/test", "unsupported_combination", NULL);
    ock_spec_free(kit_good(text)); /* two files may have one name */
}
END_TEST

START_TEST(more_faults_than_fit_are_counted)
{
    char text[8000] = "{\"model\":{\"hidden\":[";
    for (int i = 0; i < 100; i++)
        (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s0", i ? "," : "");
    (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "]}}");
    ck_assert_ptr_null(kit_parse(text));
    ck_assert_uint_eq(kit_faults.count, OCK_FAULTS_MAX);
    ck_assert_uint_eq(kit_faults.dropped, 100 - OCK_FAULTS_MAX);
}
END_TEST

START_TEST(too_many_layers_are_refused)
{
    char text[8000] = "{\"model\":{\"hidden\":[";
    for (int i = 0; i < 128; i++) /* 128 * 2 + 1 layers */
        (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s2", i ? "," : "");
    (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "]}}");
    ck_assert_ptr_null(kit_parse(text));
    kit_only_fault(text, "/model/hidden", "out_of_range", NULL);
    text[20] = ' '; /* one hidden layer fewer: 255 layers */
    text[21] = ' ';
    ock_spec_free(kit_good(text));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("spec_faults");
    TCase *tcase = tcase_create("faults");
    tcase_add_loop_test(tcase, one_fault_is_told_once, 0, BAD_COUNT);
    tcase_add_test(tcase, folds_leave_the_validation_rows_to_training);
    tcase_add_test(tcase, all_faults_are_told_at_once);
    tcase_add_test(tcase, a_fault_shows_what_was_sent);
    tcase_add_test(tcase, a_wrong_key_takes_no_part_in_combinations);
    tcase_add_test(tcase, data_is_needed_when_asked_for);
    tcase_add_test(tcase, test_rows_are_not_validation_rows);
    tcase_add_test(tcase, more_faults_than_fit_are_counted);
    tcase_add_test(tcase, too_many_layers_are_refused);
    suite_add_tcase(suite, tcase);
    return kit_run(suite);
}
