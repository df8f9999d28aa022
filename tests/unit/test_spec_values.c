/* Goal: every default of SPEC.md, `hidden` as layers, and a spec that means the same after it was
 * written and read again. Method: fields one by one, literal texts, every allocation failing. */
#include <math.h>
#include <stdio.h>

#include "tests/unit/alloc_fail.h"
#include "tests/unit/spec_kit.h"

START_TEST(every_default_is_as_documented)
{
    struct ock_spec *s = kit_good("{}");
    ck_assert_ptr_null(s->name);
    ck_assert_ptr_null(s->labels);
    ck_assert_ptr_null(s->data.dataset);
    ck_assert(!s->data.has_inline);
    ck_assert_uint_eq(s->data.feature_count, 0);
    ck_assert_ptr_null(s->data.target);
    ck_assert_int_eq(s->data.target_type, OCK_TARGET_TYPE_AUTO);
    ck_assert_double_eq(s->data.validation.fraction, 0.2);
    ck_assert_ptr_null(s->data.validation.dataset);
    ck_assert_double_eq(s->data.test.fraction, 0);
    ck_assert(!s->data.stratify_given);
    ck_assert_uint_eq(s->data.split_seed, 0);
    ck_assert_int_eq(s->data.scaling, OCK_SCALING_AUTO);
    ck_assert(!s->data.target_scaling_given);
    ck_assert_ptr_null(s->data.weights);
    ck_assert_int_eq(s->data.class_weight, OCK_CLASS_WEIGHT_NONE);
    ck_assert_ptr_null(s->init.job);
    ck_assert_int_eq(s->loss, OCK_LOSS_AUTO);
    ck_assert_double_eq(s->regularization.l1, 0);
    ck_assert_double_eq(s->regularization.l2, 0);
    ck_assert_int_eq(s->regularization.l1_method, OCK_SUBGRADIENT);
    ck_assert(s->regularization.biases);
    ck_assert_double_eq(s->regularization.max_norm, 0);
    ck_assert_int_eq(s->optimizer.name, OCK_SGD);
    ck_assert(s->optimizer.lr_auto);
    ck_assert_double_eq(s->optimizer.lr, 0);
    ck_assert_double_eq(s->optimizer.momentum, 0);
    ck_assert(!s->optimizer.nesterov && !s->optimizer.decoupled);
    ck_assert_double_eq(s->optimizer.weight_decay, 0);
    ck_assert_double_eq(s->optimizer.beta1, 0.9);
    ck_assert_double_eq(s->optimizer.beta2, 0.999);
    ck_assert_double_eq(s->optimizer.eps, 1e-8);
    ck_assert_double_eq(s->optimizer.clip_norm, 0);
    ck_assert_int_eq(s->optimizer.schedule.name, OCK_COSINE);
    ck_assert_double_eq(s->optimizer.schedule.min, 0);
    ck_assert_double_eq(s->optimizer.schedule.warmup_epochs, 1);
    ck_assert(!s->tune.on);
    ck_assert(!s->resolved);
    ock_spec_free(s);
}
END_TEST

/* What an auto schedule stands for: a cosine, whose warm-up is a tenth of the epochs and one at most,
 * or constant (warm-up -1 here). */
static const struct {
    const char *text;
    double warmup_epochs;
} schedules[] = {
    {"{\"optimizer\":{\"schedule\":\"auto\"}}", 1},
    {"{\"optimizer\":{\"lr\":\"auto\",\"name\":\"adam\"}}", 1},
    {"{\"train\":{\"epochs\":1}}", 0.1},
    {"{\"train\":{\"epochs\":9}}", 0.9},
    {"{\"train\":{\"epochs\":100}}", 1},
    {"{\"train\":{\"early_stopping\":null,\"deadline_s\":null,\"max_steps\":null}}", 1},
    {"{\"optimizer\":{\"lr\":0.1}}", -1},
    {"{\"optimizer\":{\"lr\":0.1,\"schedule\":\"auto\"}}", -1},
    {"{\"optimizer\":{\"schedule\":\"constant\"}}", -1},
    {"{\"train\":{\"early_stopping\":{}}}", -1},
    {"{\"train\":{\"deadline_s\":5}}", -1},
    {"{\"train\":{\"max_steps\":5}}", -1},
    {"{\"train\":{\"batch_size\":\"all\"}}", -1},
    {"{\"tune\":{\"l2\":[0.1,0.01]}}", -1},
    {"{\"optimizer\":{\"schedule\":\"cosine\"}}", 0},
};

START_TEST(auto_schedules)
{
    struct ock_spec *spec = kit_good(schedules[_i].text);
    const struct ock_schedule_spec *schedule = &spec->optimizer.schedule;
    double warmup_epochs = schedules[_i].warmup_epochs;
    ck_assert_int_eq(schedule->name, warmup_epochs < 0 ? OCK_CONSTANT : OCK_COSINE);
    ck_assert_double_eq(schedule->warmup_epochs, fmax(warmup_epochs, 0));
    ck_assert_double_eq(schedule->min, 0);
    ock_spec_free(spec);
}
END_TEST

START_TEST(every_default_of_train_is_as_documented)
{
    struct ock_spec *s = kit_good("{\"train\":{\"early_stopping\":{}}}");
    ck_assert_uint_eq(s->train.epochs, 10);
    ck_assert_uint_eq(s->train.max_steps, 0);
    ck_assert_uint_eq(s->train.batch_size, 32);
    ck_assert(s->train.shuffle);
    ck_assert_uint_eq(s->train.threads, 0);
    ck_assert_uint_eq(s->train.seed, 0);
    ck_assert(s->train.early_stopping.on);
    ck_assert_uint_eq(s->train.early_stopping.patience, 10);
    ck_assert_double_eq(s->train.early_stopping.min_delta, 0);
    ck_assert_int_eq(s->train.early_stopping.metric, OCK_METRIC_VALIDATION_DATA_LOSS);
    ck_assert_double_eq(s->train.deadline_s, 0);
    ck_assert_uint_eq(s->train.evaluate_train, SIZE_MAX);
    ck_assert_uint_eq(s->train.report_every, 0);
    ck_assert_uint_eq(s->train.checkpoint_every, 0);
    ck_assert_int_eq(s->train.on_nonfinite, OCK_ROLLBACK);
    ck_assert_uint_eq(s->train.shards, 1);
    ock_spec_free(s);
    s = kit_good("{\"train\":{\"early_stopping\":null}}");
    ck_assert(!s->train.early_stopping.on);
    ock_spec_free(s);
}
END_TEST

/* The layers as letters: L with units and ' for no bias, the activation's name, D with the rate. */
static const char *show_layers(const struct ock_spec *spec)
{
    static char text[400];
    text[0] = '\0';
    for (size_t i = 0; i < spec->layer_count; i++) {
        const struct ock_layer_spec *layer = &spec->layers[i];
        size_t used = strlen(text);
        if (layer->type == OCK_LINEAR)
            (void)snprintf(text + used, sizeof(text) - used, " L%zu%s", layer->units,
                           layer->bias ? "" : "'");
        else if (layer->type == OCK_ACTIVATION)
            (void)snprintf(text + used, sizeof(text) - used, " %s",
                           ock_activation_name(layer->activation));
        else
            (void)snprintf(text + used, sizeof(text) - used, " D%g", layer->rate);
    }
    return text;
}

static const struct {
    const char *model, *layers;
} models[] = {
    {"{}", " L64 relu L0"},
    {"{\"hidden\":[]}", " L0"},
    {"{\"hidden\":[],\"input_dropout\":0.1}", " D0.1 L0"},
    {"{\"hidden\":[128,64],\"dropout\":0.1}", " L128 relu D0.1 L64 relu D0.1 L0"},
    {"{\"hidden\":[3],\"input_dropout\":0.5,\"activation\":\"gelu\"}", " D0.5 L3 gelu L0"},
    {"{\"activation\":\"identity\"}", " L64 identity L0"},
    {"{\"activation\":\"tanh\",\"dropout\":0}", " L64 tanh L0"},
    {"{\"layers\":[{\"type\":\"linear\"}]}", " L0"},
    {"{\"layers\":[{\"type\":\"linear\",\"units\":3,\"bias\":false}]}", " L3'"},
    {"{\"layers\":[{\"type\":\"dropout\",\"rate\":0},{\"type\":\"linear\",\"units\":2},"
     "{\"type\":\"activation\",\"name\":\"leaky_relu\"},{\"type\":\"linear\",\"units\":null,"
     "\"bias\":false}]}",
     " D0 L2 leaky_relu L0'"},
};
enum { MODEL_COUNT = sizeof(models) / sizeof(models[0]) };

START_TEST(models_become_layers)
{
    char text[400];
    (void)snprintf(text, sizeof(text), "{\"model\":%s}", models[_i].model);
    struct ock_spec *spec = kit_good(text);
    ck_assert_str_eq(show_layers(spec), models[_i].layers);
    ock_spec_free(spec);
}
END_TEST

START_TEST(strengths_go_to_their_layers)
{
    struct ock_spec *spec =
        kit_good("{\"model\":{\"hidden\":[4],\"input_dropout\":0.1},\"regularization\":{\"l1\":1,"
                 "\"layers\":{\"3\":{\"l1\":0},\"1\":{\"l2\":0.25}}}}");
    ck_assert(!spec->layers[1].l1_given && spec->layers[1].l2_given);
    ck_assert_double_eq(spec->layers[1].l2, 0.25);
    ck_assert(spec->layers[3].l1_given && !spec->layers[3].l2_given);
    ck_assert_double_eq(spec->layers[3].l1, 0);
    ock_spec_free(spec);
}
END_TEST

/* Specs as they are written: each key of the tables has another value than its default in one of
 * them. What is read must be written the same. */
static const char *const written[] = {
    "{\"name\":\"digits-ä\",\"labels\":{\"team\":\"vision\",\"\\\"\":\"\"},"
    "\"data\":{\"dataset\":\"ds_1\",\"target\":\"y\",\"features\":[\"a\",\"b c\"],"
    "\"target_type\":\"classes\",\"validation\":{\"dataset\":\"v\"},\"test\":0.125,"
    "\"stratify\":false,\"split_seed\":9007199254740991,\"scaling\":{\"divide\":255},"
    "\"target_scaling\":\"none\",\"weights\":\"w\",\"class_weight\":{\"0\":0.5,\"1\":2}},"
    "\"model\":{\"layers\":[{\"type\":\"dropout\",\"rate\":0.1},{\"type\":\"linear\",\"units\":3,"
    "\"bias\":false},{\"type\":\"activation\",\"name\":\"sigmoid\"},{\"type\":\"linear\","
    "\"bias\":true}],\"init\":{\"job\":\"job_01\",\"which\":\"last\"}},\"loss\":\"cross_entropy\","
    "\"regularization\":{\"l1\":1e-05,\"l2\":0.0001,\"l1_method\":\"proximal\",\"biases\":false,"
    "\"max_norm\":3.5,\"layers\":{\"1\":{\"l1\":0,\"l2\":0.3},\"3\":{\"l1\":0.1}}},"
    "\"optimizer\":{\"name\":\"sgd\",\"lr\":0.05,\"momentum\":0.9,\"nesterov\":false,"
    "\"weight_decay\":0.01,\"decoupled\":true,\"betas\":[0.9,0.999],\"eps\":1e-08,"
    "\"clip_norm\":1,\"schedule\":{\"name\":\"step\",\"every\":10,\"factor\":0.1,"
    "\"warmup_epochs\":0.5}},\"train\":{\"epochs\":20,\"max_steps\":1000,\"batch_size\":\"all\","
    "\"shuffle\":false,\"threads\":7,\"seed\":3,\"early_stopping\":{\"patience\":4,"
    "\"min_delta\":0.001,\"metric\":\"validation.accuracy\"},\"deadline_s\":1.5,"
    "\"evaluate_train\":100,\"report_every\":2,\"checkpoint_every\":3,\"on_nonfinite\":\"fail\","
    "\"shards\":2}}",
    "{\"name\":null,\"labels\":null,\"data\":{\"dataset\":null,\"target\":null,\"features\":null,"
    "\"target_type\":\"number\",\"validation\":0,\"test\":{\"dataset\":\"t\"},\"stratify\":null,"
    "\"split_seed\":0,\"scaling\":\"minmax\",\"target_scaling\":\"standard\",\"weights\":null,"
    "\"class_weight\":null},\"model\":{\"layers\":[{\"type\":\"linear\",\"units\":1,"
    "\"bias\":true}],\"init\":null},\"loss\":\"huber\",\"regularization\":{\"l1\":0,\"l2\":0,"
    "\"l1_method\":\"subgradient\",\"biases\":true,\"max_norm\":null,\"layers\":{}},"
    "\"optimizer\":{\"name\":\"adamw\",\"lr\":\"auto\",\"momentum\":0,\"nesterov\":false,"
    "\"weight_decay\":0,\"decoupled\":false,\"betas\":[0,0.99],\"eps\":1e-06,\"clip_norm\":null,"
    "\"schedule\":{\"name\":\"plateau\",\"factor\":0.5,\"patience\":5,\"warmup_epochs\":0}},"
    "\"train\":{\"epochs\":10,\"max_steps\":null,\"batch_size\":1,\"shuffle\":true,"
    "\"threads\":\"auto\",\"seed\":0,\"early_stopping\":{\"patience\":10,\"min_delta\":0,"
    "\"metric\":\"objective\"},\"deadline_s\":null,\"evaluate_train\":\"all\","
    "\"report_every\":\"auto\",\"checkpoint_every\":\"auto\",\"on_nonfinite\":\"rollback\","
    "\"shards\":1}}",
};
enum { WRITTEN_COUNT = sizeof(written) / sizeof(written[0]) };

START_TEST(what_is_written_reads_the_same)
{
    struct ock_spec *spec = kit_good(written[_i]);
    char *text = kit_write(spec);
    ck_assert_str_eq(text, written[_i]);
    free(text);
    ock_spec_free(spec);
}
END_TEST

/* Each value of the keys that have a few. */
static const char *const choices[] = {
    "\"loss\":\"auto\"",
    "\"loss\":\"binary_cross_entropy\"",
    "\"loss\":\"mse\"",
    "\"loss\":\"mae\"",
    "\"data\":{\"scaling\":\"none\"}",
    "\"data\":{\"scaling\":\"standard\"}",
    "\"data\":{\"class_weight\":\"balanced\"}",
    "\"data\":{\"stratify\":true}",
    "\"regularization\":{\"l1_method\":\"cumulative\"}",
    "\"optimizer\":{\"name\":\"adam\"}",
    "\"optimizer\":{\"nesterov\":true,\"momentum\":0.5}",
    "\"optimizer\":{\"schedule\":\"cosine\"}",
    "\"optimizer\":{\"schedule\":{\"name\":\"cosine\",\"min\":0.001,\"warmup_epochs\":2}}",
    "\"optimizer\":{\"schedule\":{\"name\":\"exponential\",\"factor\":0.9}}",
    "\"train\":{\"early_stopping\":{\"metric\":\"train.accuracy\"}}",
    "\"train\":{\"early_stopping\":{\"metric\":\"validation.rmse\"}}",
    "\"train\":{\"batch_size\":16777216,\"threads\":1024,\"epochs\":100000000}",
};
enum { CHOICE_COUNT = sizeof(choices) / sizeof(choices[0]) };

START_TEST(choices_survive_writing)
{
    char text[400];
    (void)snprintf(text, sizeof(text), "{%s}", choices[_i]);
    struct ock_spec *spec = kit_good(text);
    char *once = kit_write(spec);
    struct ock_spec *again = kit_good(once);
    char *twice = kit_write(again);
    struct ock_spec *plain = kit_good("{}");
    char *defaults = kit_write(plain);
    ck_assert_str_eq(once, twice);
    if (!strstr(choices[_i], "auto"))
        ck_assert_str_ne(once, defaults); /* the choice is in the text */
    ock_spec_free(spec);
    ock_spec_free(again);
    ock_spec_free(plain);
    free(once);
    free(twice);
    free(defaults);
}
END_TEST

static const char *hash_of(const char *text)
{
    static char hash[OCK_SHA256_TEXT_SIZE];
    struct ock_spec *spec = kit_good(text);
    ck_assert_int_eq(ock_spec_hash(spec, hash), OCK_OK);
    ock_spec_free(spec);
    return hash;
}

START_TEST(the_hash_leaves_out_what_changes_no_bit)
{
    char plain[OCK_SHA256_TEXT_SIZE];
    memcpy(plain, hash_of("{}"), sizeof(plain));
    ck_assert_uint_eq(strlen(plain), 64);
    ck_assert_str_eq(hash_of("{\"name\":\"n\",\"labels\":{\"a\":\"b\"},\"train\":{\"threads\":3}}"),
                     plain);
    ck_assert_str_eq(hash_of("{\"optimizer\":{\"lr\":\"auto\"}}"), plain);
    ck_assert_str_ne(hash_of("{\"optimizer\":{\"lr\":0.1}}"), plain);
    ck_assert_str_ne(hash_of("{\"train\":{\"seed\":1}}"), plain);
    ck_assert_str_ne(hash_of("{\"regularization\":{\"layers\":{\"0\":{\"l2\":0}}}}"), plain);

    struct ock_spec *found = kit_good("{}");
    char hash[OCK_SHA256_TEXT_SIZE];
    found->optimizer.lr = 0.125; /* what a search would store */
    ck_assert_int_eq(ock_spec_hash(found, hash), OCK_OK);
    ck_assert_str_eq(hash, plain);
    char *text = kit_write(found);
    ck_assert_ptr_nonnull(strstr(text, "\"lr\":0.125"));
    free(text);
    ock_spec_free(found);
}
END_TEST

START_TEST(a_copy_is_the_same_and_its_own)
{
    struct ock_spec *spec = kit_good("{\"name\":\"n\",\"data\":{\"inline\":{\"x\":[],\"y\":[]}},"
                                     "\"regularization\":{\"l2\":10}}");
    struct ock_spec *copy = NULL;
    spec->optimizer.lr = 1; /* found: judged by who found it, not by the copy */
    ck_assert_int_eq(ock_spec_copy(&copy, spec, NULL), OCK_OK);
    ck_assert(copy->data.has_inline && copy->optimizer.lr_auto && copy->optimizer.lr == 1);
    char *one = kit_write(spec), *two = kit_write(copy);
    ck_assert_str_eq(one, two);
    ock_spec_free(spec);
    ck_assert_str_eq(copy->name, "n");
    ock_spec_free(copy);
    free(one);
    free(two);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    const char *text = written[_i];
    struct ock_faults *faults = calloc(1, sizeof(*faults));
    cJSON *json = NULL;
    ck_assert_int_eq(ock_json_parse(&json, text, strlen(text), faults, NULL), OCK_OK);
    long n = 0;
    for (bool failed = true; failed; n++) {
        struct ock_spec *spec = NULL;
        alloc_fail_after(n);
        enum ock_status status = ock_spec_parse(&spec, json, false, faults, NULL);
        failed = alloc_fail_stop();
        ck_assert_int_eq(status, failed ? OCK_NOMEM : OCK_OK);
        ck_assert(failed == (spec == NULL));
        ck_assert_uint_eq(faults->count, 0); /* out of memory is no fault of the spec's */
        ock_spec_free(spec);
    }
    ck_assert_int_gt(n, 10);
    cJSON_Delete(json);
    free(faults);
}
END_TEST

START_TEST(copy_and_hash_tell_when_memory_runs_out)
{
    struct ock_spec *spec = kit_good(written[0]);
    char hash[OCK_SHA256_TEXT_SIZE];
    for (long n = 0;; n++) {
        struct ock_spec *copy = NULL;
        alloc_fail_after(n);
        enum ock_status status = ock_spec_copy(&copy, spec, NULL);
        bool failed = alloc_fail_stop();
        ck_assert_int_eq(status, failed ? OCK_NOMEM : OCK_OK);
        ck_assert(failed == (copy == NULL));
        ock_spec_free(copy);
        if (!failed)
            break;
    }
    alloc_fail_after(0);
    ck_assert_int_eq(ock_spec_hash(spec, hash), OCK_NOMEM);
    ck_assert(alloc_fail_stop());
    ck_assert_str_eq(hash, "");
    ock_spec_free(spec);
}
END_TEST

START_TEST(free_takes_null)
{
    ock_spec_free(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("spec_values");
    TCase *tcase = tcase_create("values");
    tcase_add_test(tcase, every_default_is_as_documented);
    tcase_add_loop_test(tcase, auto_schedules, 0, sizeof(schedules) / sizeof(schedules[0]));
    tcase_add_test(tcase, every_default_of_train_is_as_documented);
    tcase_add_loop_test(tcase, models_become_layers, 0, MODEL_COUNT);
    tcase_add_test(tcase, strengths_go_to_their_layers);
    tcase_add_loop_test(tcase, what_is_written_reads_the_same, 0, WRITTEN_COUNT);
    tcase_add_loop_test(tcase, choices_survive_writing, 0, CHOICE_COUNT);
    tcase_add_test(tcase, the_hash_leaves_out_what_changes_no_bit);
    tcase_add_test(tcase, a_copy_is_the_same_and_its_own);
    if (ALLOC_CAN_FAIL) {
        tcase_add_loop_test(tcase, every_allocation_may_fail, 0, WRITTEN_COUNT);
        tcase_add_test(tcase, copy_and_hash_tell_when_memory_runs_out);
    }
    tcase_add_test(tcase, free_takes_null);
    suite_add_tcase(suite, tcase);
    return kit_run(suite);
}
