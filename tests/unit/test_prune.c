/* Goal: of a model goes what nothing reads, no more and no less, and the rest predicts the same bits.
 *
 * Method: small networks by hand, what stays of them worked out on paper; a trained model some of
 * whose weights are set to 0, pruned, against the whole one on rows in every form. */
#include <math.h>

#include "core/export/prune.h"
#include "core/train/model_file.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/predict_kit.h"

/* --- By hand ------------------------------------------------------------------------------------ */

static enum ock_status take_bytes(void *ctx, const void *bytes, size_t size, struct ock_err *err)
{
    ock_buf_add(ctx, bytes, size);
    return ock_buf_status(ctx, err);
}

/* The pruned file's bytes appended to out. */
static enum ock_status prune(const struct ock_model_view *view, struct ock_buf *out,
                             struct ock_pruned_sizes *sizes, struct ock_err *err)
{
    struct ock_pruning *pruning = NULL;
    enum ock_status status = ock_pruning_make(&pruning, view, err);
    if (status == OCK_OK) {
        *sizes = ock_pruning_sizes(pruning);
        if (sizes->pruned_bytes > 0)
            status = ock_pruning_write(pruning, take_bytes, out, err);
    }
    ock_pruning_free(pruning);
    return status;
}

#define SPEC_OF(a, b)                                                                              \
    "{\"model\":{\"layers\":[{\"type\":\"dropout\",\"rate\":0.5},{\"type\":\"linear\","            \
    "\"units\":" #a                                                                                \
    ",\"bias\":true},{\"type\":\"activation\",\"name\":\"relu\"},{\"type\":\"linear\","            \
    "\"units\":" #b ",\"bias\":false},{\"type\":\"linear\",\"units\":2,\"bias\":true}]},"          \
    "\"loss\":\"cross_entropy\"}"

/* 4 features, 3 units, 2 units, 2 outputs. The last layer reads unit 0 alone, so unit 1 of the middle
 * one goes, which alone read unit 2 of the first one, which alone read feature 3. Feature 1 is read by
 * none (one of its zeros is negative). Unit 0 of the first layer has nothing but zeros before it: a
 * constant, which stays. */
static const float first[3 * 4] = {0, 0, 0, 0, 1, 0, 2, 0, 3, -0.0f, 4, 5};
static const float first_bias[3] = {6, 7, 8};
static const float middle[2 * 3] = {9, 10, 0, 11, 12, 13};
static const float last[2 * 2] = {14, 0, 15, 0};
static const float last_bias[2] = {16, 17};
static const float mean[4] = {18, 19, 20, 21};

static const struct ock_tensor chain[] = {
    {.name = "scaler.mean", .dims = 1, .shape = {4}, .data = mean},
    {.name = "1.weight", .dims = 2, .shape = {3, 4}, .data = first},
    {.name = "1.bias", .dims = 1, .shape = {3}, .data = first_bias},
    {.name = "3.weight", .dims = 2, .shape = {2, 3}, .data = middle},
    {.name = "4.weight", .dims = 2, .shape = {2, 2}, .data = last},
    {.name = "4.bias", .dims = 1, .shape = {2}, .data = last_bias},
};
enum { CHAIN = sizeof(chain) / sizeof(chain[0]) };

static void check_tensor(const struct ock_safetensors *file, const char *name, size_t rows,
                         size_t columns, const float *wanted)
{
    const struct ock_tensor *tensor = ock_safetensors_find(file, name);
    ck_assert_msg(tensor != NULL, "no %s", name);
    ck_assert_uint_eq(tensor->shape[0], rows);
    ck_assert_uint_eq(tensor->dims, columns > 0 ? 2 : 1);
    if (columns > 0)
        ck_assert_uint_eq(tensor->shape[1], columns);
    ck_assert_mem_eq(tensor->data, wanted, rows * (columns > 0 ? columns : 1) * sizeof(float));
}

START_TEST(a_chain_goes_from_the_last_layer_to_the_inputs)
{
    static const struct ock_metadata metadata[] = {{"format", "pt"}, {"spec", SPEC_OF(3, 2)}};
    const struct ock_model_view view = {chain, CHAIN, metadata, 2};
    struct ock_pruned_sizes sizes;
    struct ock_safetensors *file = NULL;
    struct ock_err err = {0};
    struct ock_buf out;
    ock_buf_init(&out, TEXT_BYTES_MAX);
    ck_assert_msg(prune(&view, &out, &sizes, &err) == OCK_OK, "%s", err.text);
    ck_assert_uint_eq(sizes.parameters, 12 + 3 + 6 + 4 + 2);
    ck_assert_uint_eq(sizes.pruned_parameters, 4 + 2 + 2 + 2 + 2);
    ck_assert_uint_eq(sizes.pruned_bytes, out.size);

    ck_assert_int_eq(ock_safetensors_read(&file, out.data, out.size, &err), OCK_OK);
    size_t count = 0;
    (void)ock_safetensors_tensors(file, &count);
    ck_assert_uint_eq(count, CHAIN);
    check_tensor(file, "scaler.mean", 4, 0, mean);
    check_tensor(file, "1.weight", 2, 2, (const float[]){0, 0, 1, 2});
    check_tensor(file, "1.bias", 2, 0, (const float[]){6, 7});
    check_tensor(file, "3.weight", 1, 2, (const float[]){9, 10});
    check_tensor(file, "4.weight", 2, 1, (const float[]){14, 15});
    check_tensor(file, "4.bias", 2, 0, last_bias);
    ck_assert_str_eq(ock_safetensors_metadata(file, "format"), "pt");
    ck_assert_str_eq(ock_safetensors_metadata(file, "spec"), SPEC_OF(2, 1));
    ck_assert_str_eq(ock_safetensors_metadata(file, "inputs"), "[0,2]");
    ock_safetensors_free(file);
    ock_buf_deinit(&out);
}
END_TEST

/* A linear model of one output, four features; which parameters stay. */
START_TEST(what_stays_of_a_linear_model)
{
    static const struct {
        float w[4];
        const char *key, *value; /* of the metadata */
        uint64_t parameters;     /* that stay; the bias is one of them */
        const char *inputs;
    } cases[] = {
        {{1, 2, 3, 4}, "x", "", 5, NULL},
        {{0, 0, 3, 0}, "x", "", 2, "[2]"},
        {{0, 0, 0, 0}, "x", "", 2, "[0]"}, /* one at least */
        {{1, NAN, 1e-45f, 0}, "x", "", 4, "[0,1,2]"},
        {{0, 0, 3, 0}, "sparse", "true", 5, NULL},
        {{0, 0, 3, 0}, "inputs", "[1,3,5,7]", 5, "[1,3,5,7]"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct ock_tensor tensors[] = {
            {.name = "0.weight", .dims = 2, .shape = {1, 4}, .data = cases[i].w},
            {.name = "0.bias", .dims = 1, .shape = {1}, .data = last_bias}};
        const struct ock_metadata metadata[] = {{"spec", "{}"}, {cases[i].key, cases[i].value}};
        const struct ock_model_view view = {tensors, 2, metadata, 2};
        struct ock_pruned_sizes sizes;
        struct ock_safetensors *file = NULL;
        struct ock_err err = {0};
        struct ock_buf out;
        ock_buf_init(&out, TEXT_BYTES_MAX);
        ck_assert_msg(prune(&view, &out, &sizes, &err) == OCK_OK, "%zu: %s", i, err.text);
        ck_assert_uint_eq(sizes.parameters, 5);
        ck_assert_uint_eq(sizes.pruned_parameters, cases[i].parameters);
        ck_assert_int_eq(sizes.pruned_bytes > 0, cases[i].parameters < 5);
        ck_assert_uint_eq(sizes.pruned_bytes, out.size);
        if (out.size > 0) {
            ck_assert_int_eq(ock_safetensors_read(&file, out.data, out.size, &err), OCK_OK);
            ck_assert_str_eq(ock_safetensors_metadata(file, "inputs"), cases[i].inputs);
            ock_safetensors_free(file);
        }
        ock_buf_deinit(&out);
    }
}
END_TEST

START_TEST(models_that_do_not_fit_together_are_refused)
{
    static const struct {
        size_t out, in, bias; /* of the layer behind one of two features and three units, all 0 */
        const char *spec, *said;
    } cases[] = {
        {1, 2, 1, "{\"model\":{\"layers\":[{\"units\":3},{\"units\":1}]}}", "1.weight"},
        {1, 3, 2, "{\"model\":{\"layers\":[{\"units\":3},{\"units\":1}]}}", "1.weight"},
        {1, 3, 1, "{\"model\":{\"layers\":[{},{\"units\":1}]}}", "no units for layer 0"},
        {1, 3, 1, "{\"model\":{}}", "no units for layer 0"},
        {1, 3, 1, "[]", "no units for layer 0"},
        {1, 3, 1, "{", "\"spec\""},
        {1, 3, 1, "{\"a\":1,\"a\":1}", "\"spec\""},
        {1, 3, 1, NULL, "no \"spec\""},
    };
    static const float zeros[6];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct ock_tensor tensors[] = {
            {.name = "0.weight", .dims = 2, .shape = {3, 2}, .data = zeros},
            {.name = "1.weight", .dims = 2, .shape = {cases[i].out, cases[i].in}, .data = zeros},
            {.name = "1.bias", .dims = 1, .shape = {cases[i].bias}, .data = zeros}};
        const struct ock_metadata metadata[] = {{cases[i].spec ? "spec" : "x", cases[i].spec}};
        const struct ock_model_view view = {tensors, 3, metadata, 1};
        struct ock_pruning *pruning = NULL;
        struct ock_err err = {0};
        ck_assert_int_eq(ock_pruning_make(&pruning, &view, &err), OCK_INVALID);
        ck_assert_msg(strstr(err.text, cases[i].said) != NULL, "%zu: %s", i, err.text);
        ck_assert_ptr_null(pruning);
    }
}
END_TEST

/* --- Predictions ------------------------------------------------------------------------------- */

/* Columns of CLASSES: a and a's mark (0, 1), stamp (2), c (3), job (from 4), member, last. Nothing
 * reads stamp, a's mark, the first of the jobs, and every unit with an odd number. */
static void set_zeros(float *w, size_t units, size_t features, float *next, size_t outputs)
{
    for (size_t u = 0; u < units; u++) {
        static const size_t unread[] = {1, 2, 4};
        for (size_t i = 0; i < 3; i++)
            w[u * features + unread[i]] = 0;
        for (size_t o = 0; o < outputs && u % 2 == 1; o++)
            next[o * units + u] = 0;
    }
}

/* The trained model in place of itself with zeros; the pruned one at `pruned`. */
static void make_models(const struct place *place, const char *pruned)
{
    struct ock_err err = {0};
    struct ock_safetensors *file = NULL;
    struct ock_metadata metadata[16];
    struct ock_tensor tensors[8];
    struct ock_buf out;
    struct ock_pruned_sizes sizes;
    size_t count = 0;
    ck_assert_int_eq(ock_safetensors_open(&file, place->model, &err), OCK_OK);
    const struct ock_tensor *own = ock_safetensors_tensors(file, &count);
    ck_assert_uint_le(count, 8);
    memcpy(tensors, own, count * sizeof(*own));
    const struct ock_tensor *w = ock_safetensors_find(file, "0.weight"),
                            *next = ock_safetensors_find(file, "2.weight");
    float copies[2][1024];
    memcpy(copies[0], w->data, w->shape[0] * w->shape[1] * sizeof(float));
    memcpy(copies[1], next->data, next->shape[0] * next->shape[1] * sizeof(float));
    set_zeros(copies[0], w->shape[0], w->shape[1], copies[1], next->shape[0]);
    tensors[w - own].data = copies[0];
    tensors[next - own].data = copies[1];
    struct ock_model_view view = {tensors, count, metadata,
                                  ock_safetensors_metadata_all(file, metadata, 16)};
    ck_assert_int_eq(ock_safetensors_write(place->model, tensors, count, metadata,
                                           view.metadata_count, NULL, NULL, &err),
                     OCK_OK);
    ock_buf_init(&out, TEXT_BYTES_MAX);
    ck_assert_int_eq(prune(&view, &out, &sizes, &err), OCK_OK);
    size_t units = w->shape[0], features = w->shape[1], outputs = next->shape[0];
    ck_assert_uint_eq(sizes.parameters, units * (features + 1) + outputs * (units + 1));
    ck_assert_uint_eq(sizes.pruned_parameters,
                      units / 2 * (features - 3 + 1) + outputs * (units / 2 + 1));
    ck_assert_int_eq(ock_file_replace(pruned, out.data, out.size, &err), OCK_OK);
    ock_buf_deinit(&out);
    ock_safetensors_free(file);
}

struct pair {
    struct place whole, pruned; /* of one directory */
    struct kit kit;
};

static void open_pair(struct pair *pair)
{
    open_place(&pair->whole);
    pair->pruned = pair->whole;
    kit_path(pair->pruned.model, pair->whole.directory, "best.safetensors");
    make_data(&pair->whole, CLASSES);
    train(&pair->kit, &pair->whole, "{\"hidden\":[16]}", "\"cross_entropy\"");
    make_models(&pair->whole, pair->pruned.model);
}

static void close_pair(struct pair *pair)
{
    (void)unlink(pair->pruned.model);
    kit_free(&pair->kit);
    close_place(&pair->whole);
}

START_TEST(a_pruned_model_predicts_the_same)
{
    static const char *const forms[][2] = {
        /* for the whole model and for the pruned one; NULL: the same */
        {NULL, NULL}, /* the training data */
        {"{\"rows\":[{\"a\":3,\"stamp\":1700000000,\"c\":2,\"job\":\"clerk\",\"member\":true}]}",
         NULL},
        {"{\"rows\":[{\"a\":3,\"stamp\":1700000000,\"c\":2,\"job\":\"7\",\"member\":true}]}",
         "{\"rows\":[{\"a\":3,\"c\":2,\"job\":\"7\",\"member\":true}]}"},
        {"{\"rows\":[[3,1700000000,2,\"clerk\",false],[null,1,4,null,true]]}", NULL},
        {"{\"rows\":[[3,1700000000,2,\"clerk\",false]]}",
         "{\"rows\":[[3,\"what?\",2,\"clerk\",false]]}"},
        {"a,stamp,c,job,member\n1,2,3,pilot,no\n,2,3,,yes\n", NULL},
        {"a,stamp,c,job,member\n1,2,3,pilot,no\n,2,3,,yes\n",
         "c,job,member,a\n3,pilot,no,1\n3,,yes,\n"},
        {"a,stamp,c,job,member\n1,2,3,pilot,no\n",
         "a,stamp,c,job,member\n1,yesterday,3,pilot,no\n"},
        {"1,2,3,pilot,no\n2,2,3,clerk,no\n", NULL},
    };
    struct pair pair;
    struct ock_buf answers[2];
    open_pair(&pair);
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        for (int k = 0; k < 2; k++) {
            const struct place *place = k == 0 ? &pair.whole : &pair.pruned;
            const char *rows = forms[i][k] ? forms[i][k] : forms[i][0];
            struct ock_err err = {0};
            struct ock_faults faults = {0};
            if (rows)
                write_text(place->rows, rows);
            ock_buf_init(&answers[k], TEXT_BYTES_MAX);
            ck_assert_msg(predict(place, rows ? place->rows : place->csv, rows && rows[0] == '{',
                                  OCK_ANSWER_NDJSON, &answers[k], &faults, &err) == OCK_OK,
                          "%zu: %s %s: %s", i, err.text, faults.items[0].pointer,
                          faults.items[0].detail);
        }
        ck_assert_str_eq(answers[0].data, answers[1].data);
        for (int k = 0; k < 2; k++)
            ock_buf_deinit(&answers[k]);
    }
    close_pair(&pair);
}
END_TEST

START_TEST(rows_that_a_pruned_model_refuses)
{
    static const struct {
        const char *rows, *said;
    } cases[] = {
        {"{\"rows\":[[1,2,3,\"x\"]]}", "/rows/0 wrong_length has 4 values, the model takes 5"},
        {"{\"rows\":[[1,2,\"3\",\"x\",true]]}", "/rows/0/2 wrong_type"},
        {"{\"rows\":[{\"a\":1,\"stump\":2}]}", "/rows/0/stump unknown_key"},
        {"1,2,3\n", "3 columns without names, the model takes 5"},
        {"a,stamp,job,member\n1,2,x,no\n", "no column \"c\""},
    };
    struct pair pair;
    struct ock_buf answer;
    open_pair(&pair);
    ock_buf_init(&answer, TEXT_BYTES_MAX);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ock_err err = {0};
        struct ock_faults faults = {0};
        char said[1024];
        write_text(pair.pruned.rows, cases[i].rows);
        ck_assert_int_eq(predict(&pair.pruned, pair.pruned.rows, cases[i].rows[0] == '{',
                                 OCK_ANSWER_NDJSON, &answer, &faults, &err),
                         OCK_INVALID);
        (void)snprintf(said, sizeof(said), "%s %s %s", faults.items[0].pointer,
                       faults.items[0].code, faults.count > 0 ? faults.items[0].detail : err.text);
        ck_assert_msg(strstr(said, cases[i].said) != NULL, "%zu: %s", i, said);
    }
    ock_buf_deinit(&answer);
    close_pair(&pair);
}
END_TEST

/* The file with another list of inputs. */
static enum ock_status open_with_inputs(const struct place *place, const char *inputs,
                                        struct ock_err *err)
{
    struct ock_safetensors *file = NULL;
    struct ock_predictor *predictor = NULL;
    struct ock_metadata metadata[16];
    size_t count = 0;
    ck_assert_int_eq(ock_safetensors_open(&file, place->model, err), OCK_OK);
    const struct ock_tensor *tensors = ock_safetensors_tensors(file, &count);
    size_t entries = ock_safetensors_metadata_all(file, metadata, 16);
    ck_assert_str_eq(metadata[entries - 1].key, "inputs");
    metadata[entries - 1].value = inputs;
    ck_assert_int_eq(
        ock_safetensors_write(place->rows, tensors, count, metadata, entries, NULL, NULL, err),
        OCK_OK);
    ock_safetensors_free(file);
    enum ock_status status = ock_predictor_open(&predictor, place->rows, 1, err);
    ck_assert_int_eq(status == OCK_OK, predictor != NULL);
    ock_predictor_free(predictor);
    return status;
}

START_TEST(strange_inputs_are_refused)
{
    static const struct {
        const char *inputs, *said;
    } cases[] = {
        {"", "\"inputs\""},         {"{}", "not a list of places"}, {"[]", "not a list of places"},
        {"[0,0]", "not a list of"}, {"[3,1]", "not a list of"},     {"[-1]", "not a list of"},
        {"[0.5]", "not a list of"}, {"[\"0\"]", "not a list of"},   {"[1000]", "not a list of"},
        {"[0]", "0.weight"},
    };
    struct pair pair;
    struct ock_err err = {0};
    open_pair(&pair);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ck_assert_int_eq(open_with_inputs(&pair.pruned, cases[i].inputs, &err), OCK_INVALID);
        ck_assert_msg(strstr(err.text, cases[i].said) != NULL, "%s: %s", cases[i].inputs, err.text);
    }
    close_pair(&pair);
}
END_TEST

/* As a job's first weights: the shapes would fit a network of as many features as it has inputs. */
START_TEST(nothing_starts_from_a_pruned_model)
{
    struct pair pair;
    struct ock_err err = {0};
    struct ock_plan plan = {0};
    open_pair(&pair);
    ck_assert_int_eq(ock_model_read_weights(&plan, pair.whole.model, NULL, &err), OCK_OK);
    ck_assert_int_eq(ock_model_read_weights(&plan, pair.pruned.model, NULL, &err), OCK_INVALID);
    ck_assert_msg(strstr(err.text, "a pruned model") != NULL, "%s", err.text);

    struct ock_layer_spec layer = {.type = OCK_LINEAR, .units = 16};
    plan.layer_count = 1;
    plan.layers[0] =
        (struct ock_plan_layer){.spec = &layer, .in = 3, .out = 16, .weight_count = 48};
    ck_assert_int_eq(ock_model_read_weights(&plan, pair.whole.model, NULL, &err), OCK_INVALID);
    ck_assert_msg(strstr(err.text, "this network needs [16, 3]") != NULL, "%s", err.text);
    close_pair(&pair);
}
END_TEST

START_TEST(every_allocation_failing_once)
{
    static const struct ock_metadata metadata[] = {{"format", "pt"}, {"spec", SPEC_OF(3, 2)}};
    const struct ock_model_view view = {chain, CHAIN, metadata, 2};
    struct ock_err err = {0};
    long n = 0;
    for (bool failed = true; failed && n < 1000; n++) {
        struct ock_pruned_sizes sizes;
        struct ock_buf out;
        ock_buf_init(&out, TEXT_BYTES_MAX);
        alloc_fail_after(n);
        enum ock_status status = prune(&view, &out, &sizes, &err);
        failed = alloc_fail_stop();
        ck_assert_int_eq(status, failed ? OCK_NOMEM : OCK_OK);
        ock_buf_deinit(&out);
    }
    ck_assert_int_gt(n, 20);

    struct pair pair;
    open_pair(&pair);
    n = 0;
    for (bool failed = true; failed && n < 10000; n += OCK_TEST_STRIDE) {
        struct ock_predictor *predictor = NULL;
        alloc_fail_after(n);
        enum ock_status status = ock_predictor_open(&predictor, pair.pruned.model, 1, &err);
        failed = alloc_fail_stop();
        if (status != OCK_OK || !failed) /* a plan's estimate for trainers does without one */
            ck_assert_int_eq(status, failed ? OCK_NOMEM : OCK_OK);
        ck_assert_int_eq(status == OCK_OK, predictor != NULL);
        ock_predictor_free(predictor);
    }
    ck_assert_int_gt(n, 100);
    ck_assert_int_lt(n, 10000);
    close_pair(&pair);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("prune");
    TCase *all = tcase_create("prune");
    tcase_add_test(all, a_chain_goes_from_the_last_layer_to_the_inputs);
    tcase_add_test(all, what_stays_of_a_linear_model);
    tcase_add_test(all, models_that_do_not_fit_together_are_refused);
    tcase_add_test(all, a_pruned_model_predicts_the_same);
    tcase_add_test(all, rows_that_a_pruned_model_refuses);
    tcase_add_test(all, strange_inputs_are_refused);
    tcase_add_test(all, nothing_starts_from_a_pruned_model);
    if (ALLOC_CAN_FAIL)
        tcase_add_test(all, every_allocation_failing_once);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
