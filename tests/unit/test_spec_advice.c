/* Goal: warnings that hold, conversions that are equalities, a schema that says what the parser
 * does. Method: by hand from SPEC.md's table; the schema is read back and walked. */
#include <math.h>
#include <stdio.h>

#include "tests/unit/spec_kit.h"

static const struct ock_column columns[] = {
    {.name = "x", .type = OCK_COLUMN_NUMBER, .min = -1, .max = 1},
    {.name = "y", .type = OCK_COLUMN_NUMBER, .min = 0, .max = 50},
};
static const struct ock_schema table = {
    .rows = 100, .column_count = 2, .columns = columns, .target = 1};

static struct ock_spec *resolved(const char *text)
{
    struct ock_spec *spec = kit_good(text);
    ck_assert_msg(ock_spec_resolve(spec, &table, &table, NULL, &kit_faults, &kit_err) == OCK_OK,
                  "%s", kit_show_faults());
    return spec;
}

static const struct {
    const char *spec;
    const char *codes; /* in order, each with a space behind */
    const char *words; /* stand in the first message */
} advice[] = {
    {"{}", "", NULL},
    {"{\"regularization\":{\"l2\":0.04},\"optimizer\":{\"lr\":1}}", "", NULL},
    {"{\"regularization\":{\"l2\":0.06},\"optimizer\":{\"lr\":1}}", "strong_decay ", "0.12"},
    {"{\"regularization\":{\"layers\":{\"2\":{\"l2\":0.25}}},\"optimizer\":{\"lr\":1}}",
     "strong_decay ", "0.5"},
    {"{\"regularization\":{\"l2\":0.01},\"optimizer\":{\"lr\":0.1,\"momentum\":0.9,"
     "\"decoupled\":true}}",
     "decoupled_momentum ", "0.001 instead of 0.01"},
    {"{\"optimizer\":{\"lr\":0.1,\"momentum\":0.75,\"weight_decay\":0.4,\"decoupled\":true}}",
     "decoupled_momentum_weight_decay ", "0.1 instead of 0.4"},
    {"{\"regularization\":{\"l1\":0.001}}", "l1_without_zeros ", "proximal"},
    {"{\"regularization\":{\"l1\":0.001,\"l1_method\":\"proximal\"}}", "", NULL},
    {"{\"regularization\":{\"l1_method\":\"proximal\"}}", "l1_method_unused ", "proximal"},
    {"{\"tune\":{\"l1\":[0.001]}}", "l1_without_zeros ", "proximal"},
    {"{\"tune\":{\"l1\":[0.001]},\"regularization\":{\"l1_method\":\"proximal\"}}", "", NULL},
    {"{\"tune\":{\"l2\":[0.001,0.06]},\"optimizer\":{\"lr\":1}}", "strong_decay ", "0.12"},
    {"{\"data\":{\"validation\":0},\"tune\":{\"l2\":[0.001]}}", "", NULL},
    {"{\"data\":{\"validation\":0}}", "no_validation ", "validation"},
    {"{\"data\":{\"dataset\":\"d\",\"validation\":{\"dataset\":\"d\"}}}", "validation_is_training ",
     "gap"},
    {"{\"train\":{\"early_stopping\":{}}}", "patience_beyond_epochs ", "10"},
    {"{\"train\":{\"epochs\":11,\"early_stopping\":{}}}", "", NULL},
    {"{\"data\":{\"validation\":0},\"regularization\":{\"l1\":1},\"train\":{\"early_stopping\":"
     "{\"metric\":\"objective\"}}}",
     "l1_without_zeros no_validation patience_beyond_epochs ", NULL},
};
enum { ADVICE_COUNT = sizeof(advice) / sizeof(advice[0]) };

START_TEST(warnings_are_given_where_they_hold)
{
    struct ock_warning warnings[OCK_WARNINGS_MAX];
    struct ock_spec *spec = resolved(advice[_i].spec);
    size_t count = ock_spec_warnings(spec, NULL, warnings);
    struct ock_buf codes;
    ock_buf_init(&codes, 4000);
    ock_buf_puts(&codes, "");
    for (size_t i = 0; i < count; i++)
        ock_buf_printf(&codes, "%s ", warnings[i].code);
    ck_assert_str_eq(codes.data, advice[_i].codes);
    ock_buf_deinit(&codes);
    if (advice[_i].words)
        ck_assert_msg(strstr(warnings[0].message, advice[_i].words) != NULL, "%s",
                      warnings[0].message);
    ock_spec_free(spec);
}
END_TEST

START_TEST(text_that_teaches_nothing_is_named)
{
    struct ock_warning warnings[OCK_WARNINGS_MAX];
    struct ock_spec *spec = resolved("{}");
    ck_assert_uint_eq(ock_spec_warnings(spec, "", warnings), 0);
    ck_assert_uint_eq(ock_spec_warnings(spec, "names", warnings), 1);
    ck_assert_str_eq(warnings[0].code, "text_without_features");
    ck_assert_ptr_nonnull(strstr(warnings[0].message, "\"names\""));
    ock_spec_free(spec);
}
END_TEST

/* With 80 training rows in batches of 20. */
static const struct {
    const char *spec, *text;
} conversions[] = {
    {"{}", "{}"},
    {"{\"loss\":\"mse\",\"regularization\":{\"l2\":0.5,\"biases\":false}}",
     "{\"pytorch\":{\"weight_decay\":1},\"keras\":{\"l1\":0,\"l2\":0.5},"
     "\"sklearn_MLP\":{\"alpha\":20},\"glmnet_gaussian\":{\"lambda\":0.5,\"alpha\":0},"
     "\"sklearn_Ridge\":{\"alpha\":40},\"h2o\":{\"l1\":0,\"l2\":1}}"},
    {"{\"loss\":\"mse\",\"regularization\":{\"l1\":0.5,\"biases\":false}}",
     "{\"keras\":{\"l1\":0.5,\"l2\":0},\"glmnet_gaussian\":{\"lambda\":0.25,\"alpha\":1},"
     "\"sklearn_Lasso\":{\"alpha\":0.25},\"h2o\":{\"l1\":0.5,\"l2\":0}}"},
    {"{\"loss\":\"mse\",\"regularization\":{\"l1\":0.5,\"l2\":0.25,\"biases\":false}}",
     "{\"pytorch\":{\"weight_decay\":0.5},\"keras\":{\"l1\":0.5,\"l2\":0.25},"
     "\"glmnet_gaussian\":{\"lambda\":0.5,\"alpha\":0.5},\"h2o\":{\"l1\":0.5,\"l2\":0.5}}"},
};
enum { CONVERSION_COUNT = sizeof(conversions) / sizeof(conversions[0]) };

START_TEST(strengths_are_told_in_other_tools_terms)
{
    struct ock_buf out;
    ock_buf_init(&out, 10000);
    struct ock_spec *spec = resolved(conversions[_i].spec);
    ock_spec_write_conversions(spec, 80, 20, &out);
    ck_assert_str_eq(out.data, conversions[_i].text);
    ock_buf_deinit(&out);
    ock_spec_free(spec);
}
END_TEST

START_TEST(classes_have_their_own_tools)
{
    static const struct {
        const char *regularization, *text;
    } cases[] = {
        /* alpha = 2 l2; C = 1/(2 n l2); L = 2 l2 */
        {"{\"l2\":0.25,\"biases\":false}",
         "\"sklearn_SGDClassifier\":{\"penalty\":\"l2\",\"alpha\":0.5},"
         "\"sklearn_LogisticRegression\":{\"penalty\":\"l2\",\"C\":0.025},"
         "\"glmnet_logistic\":{\"lambda\":0.5,\"alpha\":0}"},
        /* alpha = l1; C = 1/(n l1); L = l1, a = 1 */
        {"{\"l1\":0.5,\"biases\":false}",
         "\"sklearn_SGDClassifier\":{\"penalty\":\"l1\",\"alpha\":0.5},"
         "\"sklearn_LogisticRegression\":{\"penalty\":\"l1\",\"C\":0.025},"
         "\"glmnet_logistic\":{\"lambda\":0.5,\"alpha\":1}"},
        {"{\"l1\":0.5,\"l2\":0.75,\"biases\":false}",
         "\"glmnet_logistic\":{\"lambda\":2,\"alpha\":0.25}"},
        {"{\"l2\":0.25}", "\"note\":\"pytorch penalises biases too"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[300];
        struct ock_buf out;
        ock_buf_init(&out, 10000);
        (void)snprintf(text, sizeof(text), "{\"loss\":\"cross_entropy\",\"regularization\":%s}",
                       cases[i].regularization);
        struct ock_spec *spec = kit_good(text);
        ock_spec_write_conversions(spec, 80, 20, &out);
        ck_assert_msg(strstr(out.data, cases[i].text) != NULL, "%s", out.data);
        ock_buf_deinit(&out);
        ock_spec_free(spec);
    }
}
END_TEST

static cJSON *schema(void)
{
    struct ock_buf out;
    struct ock_err err;
    cJSON *json = NULL;
    ock_buf_init(&out, OCK_MIB);
    memset(&kit_faults, 0, sizeof(kit_faults));
    ock_spec_write_schema(&out);
    ck_assert_int_eq(ock_buf_status(&out, &err), OCK_OK);
    enum ock_status status = ock_json_parse(&json, out.data, out.size, &kit_faults, &err);
    ck_assert_msg(status == OCK_OK && kit_faults.count == 0, "%s", status ? err.text : "faults");
    ock_buf_deinit(&out);
    return json;
}

/* Each property of an object schema, and of those in its properties. */
static size_t check_properties(const cJSON *object)
{
    size_t count = 0;
    const cJSON *properties = ock_json_get(object, "properties");
    ck_assert_ptr_nonnull(properties);
    for (const cJSON *property = properties->child; property; property = property->next) {
        const cJSON *title = ock_json_get(property, "title");
        const cJSON *help = ock_json_get(property, "description");
        ck_assert_msg(cJSON_IsString(title) && cJSON_IsString(help), "%s", property->string);
        ck_assert_msg(ock_json_get(property, "type") || ock_json_get(property, "enum") ||
                          ock_json_get(property, "oneOf"),
                      "%s has no type", property->string);
        count++;
        if (ock_json_get(property, "properties") && ock_json_get(property, "default"))
            count += check_properties(property);
    }
    return count;
}

START_TEST(the_schema_documents_every_key)
{
    cJSON *json = schema();
    size_t count = check_properties(json);
    ck_assert_uint_ge(count, 50);
    const cJSON *required = ock_json_get(json, "required");
    ck_assert_int_eq(cJSON_GetArraySize(required), 1);
    ck_assert_str_eq(required->child->valuestring, "data");
    cJSON_Delete(json);
}
END_TEST

/* What the schema calls the default, sent explicitly, must change nothing. */
START_TEST(the_defaults_of_the_schema_are_those_of_the_parser)
{
    static const char *const sections[] = {"data", "model", "regularization", "optimizer", "train"};
    struct ock_spec *plain = kit_good("{}");
    char *want = kit_write(plain);
    cJSON *json = schema();
    cJSON *sent = cJSON_CreateObject();
    size_t count = 0;
    for (size_t i = 0; i < 5; i++) {
        cJSON *section = cJSON_AddObjectToObject(sent, sections[i]);
        const cJSON *keys =
            ock_json_get(ock_json_get(ock_json_get(json, "properties"), sections[i]), "properties");
        for (const cJSON *key = keys->child; key; key = key->next) {
            const cJSON *value = ock_json_get(key, "default");
            if (!value)
                continue;
            cJSON_AddItemToObject(section, key->string, cJSON_Duplicate(value, true));
            count++;
        }
    }
    char *text = ock_json_print(sent);
    struct ock_spec *spec = kit_good(text);
    char *got = kit_write(spec);
    ck_assert_str_eq(got, want);
    ck_assert_uint_ge(count, 35);
    ock_spec_free(plain);
    ock_spec_free(spec);
    cJSON_Delete(json);
    cJSON_Delete(sent);
    free(want);
    free(text);
    free(got);
}
END_TEST

/* The keys of the schema are the keys that the parser takes: each is sent with a value that no key
 * can have, and must be told as wrong, not as unknown. */
START_TEST(the_parser_knows_every_key_of_the_schema)
{
    static const char *const sections[] = {"",          "data", "model", "regularization",
                                           "optimizer", "train"};
    cJSON *json = schema();
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
        const cJSON *object = json;
        if (sections[i][0] != '\0')
            object = ock_json_get(ock_json_get(json, "properties"), sections[i]);
        const cJSON *keys = ock_json_get(object, "properties");
        for (const cJSON *key = keys->child; key; key = key->next) {
            char text[200];
            (void)snprintf(text, sizeof(text),
                           sections[i][0] != '\0' ? "{\"%s\":{\"%s\":[[]]}}" : "{\"%s%s\":[[]]}",
                           sections[i], key->string);
            struct ock_spec *spec = kit_parse(text);
            ck_assert_msg(spec == NULL, "%s was taken", text);
            for (size_t f = 0; f < kit_faults.count; f++)
                ck_assert_str_ne(kit_faults.items[f].code, "unknown_key");
        }
    }
    cJSON_Delete(json);
}
END_TEST

START_TEST(decay_limits_the_learning_rate)
{
    static const struct {
        const char *spec;
        double limit;
    } cases[] = {
        {"{}", (double)INFINITY},
        {"{\"regularization\":{\"l2\":0.25}}", 2},
        {"{\"regularization\":{\"l2\":0.25,\"layers\":{\"0\":{\"l2\":1}}}}", 0.5},
        {"{\"optimizer\":{\"weight_decay\":0.5}}", 2},
        {"{\"regularization\":{\"l2\":0.25},\"optimizer\":{\"weight_decay\":0.5}}", 1},
        {"{\"optimizer\":{\"name\":\"adam\",\"weight_decay\":0.5}}", (double)INFINITY},
        {"{\"optimizer\":{\"name\":\"adamw\",\"weight_decay\":0.5}}", 2},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ock_spec *spec = kit_good(cases[i].spec);
        ck_assert_double_eq(ock_spec_lr_limit(spec), cases[i].limit);
        ock_spec_free(spec);
    }
}
END_TEST

START_TEST(names_are_the_specs_words)
{
    ck_assert_str_eq(ock_loss_name(OCK_BINARY_CROSS_ENTROPY), "binary_cross_entropy");
    ck_assert_str_eq(ock_loss_name(OCK_MAE), "mae");
    ck_assert_str_eq(ock_activation_name(OCK_IDENTITY), "identity");
    ck_assert_str_eq(ock_activation_name(OCK_LEAKY_RELU), "leaky_relu");
    ck_assert_str_eq(ock_rule_name(OCK_ADAMW), "adamw");
    ck_assert_str_eq(ock_l1_method_name(OCK_CUMULATIVE), "cumulative");
    ck_assert_str_eq(ock_schedule_text(OCK_PLATEAU), "plateau");
    ck_assert_str_eq(ock_metric_name(OCK_METRIC_OBJECTIVE), "objective");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("spec_advice");
    TCase *tcase = tcase_create("advice");
    tcase_add_test(tcase, text_that_teaches_nothing_is_named);
    tcase_add_loop_test(tcase, warnings_are_given_where_they_hold, 0, ADVICE_COUNT);
    tcase_add_loop_test(tcase, strengths_are_told_in_other_tools_terms, 0, CONVERSION_COUNT);
    tcase_add_test(tcase, classes_have_their_own_tools);
    tcase_add_test(tcase, the_schema_documents_every_key);
    tcase_add_test(tcase, the_defaults_of_the_schema_are_those_of_the_parser);
    tcase_add_test(tcase, the_parser_knows_every_key_of_the_schema);
    tcase_add_test(tcase, decay_limits_the_learning_rate);
    tcase_add_test(tcase, names_are_the_specs_words);
    suite_add_tcase(suite, tcase);
    return kit_run(suite);
}
