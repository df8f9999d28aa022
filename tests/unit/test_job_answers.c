/* Goal: training reaches the optima that SPEC.md states, with its zeros.
 *
 * Method: full-batch jobs on heart_scale and digits; the objective to 1e-5 relative, the number of
 * weights that are not zero to one, and with the proximal method the KKT conditions, whose gradient
 * a loop in double computes from the data and the model file. */
#include <math.h>

#include "core/data/dataset.h"
#include "core/export/safetensors.h"
#include "tests/unit/job_kit.h"

struct answer {
    double l1, l2, objective, data_loss;
    int nonzero, right;
};

static const struct answer answers[] = {
    {0, .01, .3903223980, .3551566874, 13, 231},     {0, .001, .3434998623, .3343093988, 13, 228},
    {.01, 0, .4119981287, .3542575084, 11, 231},     {.05, 0, .5510229068, .4363967500, 7, 230},
    {.005, .005, .4022636577, .3541806167, 12, 230},
};

enum { HEART_ROWS = 270, HEART_FEATURES = 13 };

static void heart_spec(char text[1024], double l1, double l2, const char *method)
{
    (void)snprintf(text, 1024,
                   "{\"data\":{\"target\":\"label\",\"validation\":0,\"scaling\":\"none\"},"
                   "\"model\":{\"hidden\":[]},\"loss\":\"binary_cross_entropy\","
                   "\"regularization\":{\"l1\":%.10g,\"l2\":%.10g,\"l1_method\":\"%s\","
                   "\"biases\":false},\"optimizer\":{\"lr\":1.0,\"momentum\":0.9},"
                   "\"train\":{\"epochs\":6000,\"batch_size\":270,\"shuffle\":false,"
                   "\"report_every\":500}}",
                   l1, l2, method);
}

/* d data_loss / d w_j and d/d bias at the model's weights, in double over the file's rows. */
static void heart_gradient(const char *data_path, const float *w, double bias,
                           double g[HEART_FEATURES])
{
    struct ock_dataset *dataset = NULL;
    ck_assert_int_eq(ock_dataset_open(&dataset, data_path, NULL), OCK_OK);
    for (size_t j = 0; j < HEART_FEATURES; j++)
        g[j] = 0;
    for (size_t i = 0; i < HEART_ROWS; i++) {
        double z = bias;
        for (size_t j = 0; j < HEART_FEATURES; j++)
            z += (double)w[j] * ock_dataset_number(dataset, j, i);
        double difference = 1 / (1 + exp(-z)) - ock_dataset_number(dataset, HEART_FEATURES, i);
        for (size_t j = 0; j < HEART_FEATURES; j++)
            g[j] += difference * ock_dataset_number(dataset, j, i) / HEART_ROWS;
    }
    ock_dataset_free(dataset);
}

/* |g + alpha sign w| <= 1e-3 alpha where w != 0, |g| <= alpha (1 + 1e-3) where w = 0. */
static void check_kkt(const char *data_path, const char *model_path, double alpha, double lambda)
{
    struct ock_safetensors *model = NULL;
    ck_assert_int_eq(ock_safetensors_open(&model, model_path, NULL), OCK_OK);
    const float *w = ock_safetensors_find(model, "0.weight")->data;
    double g[HEART_FEATURES];
    heart_gradient(data_path, w, (double)ock_safetensors_find(model, "0.bias")->data[0], g);
    for (size_t j = 0; j < HEART_FEATURES; j++) {
        double smooth = g[j] + 2 * lambda * (double)w[j];
        if (w[j] == 0.0f)
            ck_assert_double_le(fabs(smooth), alpha * (1 + 1e-3));
        else
            ck_assert_double_le(fabs(smooth + copysign(alpha, (double)w[j])), 1e-3 * alpha);
    }
    ock_safetensors_free(model);
}

START_TEST(heart_reaches_its_optima)
{
    const struct answer *answer = &answers[_i];
    char directory[KIT_PATH_SIZE];
    char data[KIT_PATH_SIZE];
    char model[KIT_PATH_SIZE];
    char text[1024];
    kit_directory(directory);
    kit_path(data, directory, "data.ockds");
    kit_path(model, directory, "last.safetensors");
    kit_import("heart_scale.csv", "label", data);
    heart_spec(text, answer->l1, answer->l2, "proximal");
    struct kit kit = {.train = data, .last = model, .threads = 1};
    kit_run(&kit, text);
    const cJSON *epoch = kit_event(&kit, "epoch", -1);
    ck_assert_double_eq_tol(kit_number(epoch, "objective"), answer->objective,
                            1e-5 * answer->objective);
    ck_assert_double_eq_tol(kit_number(epoch, "train.data_loss"), answer->data_loss, 2e-4);
    ck_assert_double_eq_tol(kit_number(epoch, "train.accuracy") * HEART_ROWS, answer->right, 1.01);
    double nonzero = kit_number(epoch, "weights.count") - kit_number(epoch, "weights.zeros") - 1;
    ck_assert_double_eq_tol(nonzero, answer->nonzero, 1.01);
    if (answer->l1 > 0)
        check_kkt(data, model, answer->l1, answer->l2);
    kit_free(&kit);
    kit_remove(directory);
}
END_TEST

START_TEST(heart_at_zero_weights)
{
    char directory[KIT_PATH_SIZE];
    char data[KIT_PATH_SIZE];
    char text[1024];
    kit_directory(directory);
    kit_path(data, directory, "data.ockds");
    kit_import("heart_scale.csv", "label", data);
    heart_spec(text, .2526748971 * 1.0001, 0, "proximal"); /* the smallest alpha that leaves none */
    struct kit kit = {.train = data, .threads = 1};
    kit_run(&kit, text);
    const cJSON *epoch = kit_event(&kit, "epoch", -1);
    ck_assert_double_eq_tol(kit_number(epoch, "train.data_loss"), .6869615766, 1e-6);
    ck_assert_double_eq(kit_number(epoch, "weights.zeros"), HEART_FEATURES);
    kit_free(&kit);
    kit_remove(directory);
}
END_TEST

/* The classic subgradient hovers: near the optimum, but without a zero. */
START_TEST(subgradient_has_no_zeros)
{
    char directory[KIT_PATH_SIZE];
    char data[KIT_PATH_SIZE];
    char text[1024];
    kit_directory(directory);
    kit_path(data, directory, "data.ockds");
    kit_import("heart_scale.csv", "label", data);
    heart_spec(text, .05, 0, "subgradient");
    struct kit kit = {.train = data, .threads = 1};
    kit_run(&kit, text);
    const cJSON *epoch = kit_event(&kit, "epoch", -1);
    ck_assert_double_eq_tol(kit_number(epoch, "objective"), .5510229068, 0.02);
    ck_assert_double_le(kit_number(epoch, "weights.zeros"), 1);
    kit_free(&kit);
    kit_remove(directory);
}
END_TEST

struct digits_answer {
    const char *penalty;
    int epochs;
    double data_loss, objective, accuracy, zero_share;
};

static const struct digits_answer digits_answers[] = {
    {"\"l2\":0.001", 3000, .1954660253, .3600413399, .971063, -1},
    {"\"l2\":0.01", 2000, .5945815486, .9834184311, .940456, -1},
    {"\"l1\":0.001,\"l1_method\":\"proximal\"", 12000, .13370500, .33705064, -1, .7641},
};

static void check_digits(const cJSON *epoch, const struct digits_answer *answer)
{
    ck_assert_double_le(kit_number(epoch, "objective"), (1 + 1e-5) * answer->objective);
    ck_assert_double_eq_tol(kit_number(epoch, "train.data_loss"), answer->data_loss, 1e-3);
    if (answer->accuracy > 0)
        ck_assert_double_eq_tol(kit_number(epoch, "train.accuracy"), answer->accuracy, 1.5 / 1797);
    if (answer->zero_share > 0)
        ck_assert_double_eq_tol(kit_number(epoch, "weights.zeros") / 640, answer->zero_share,
                                1.5 / 640);
}

/* A slow build goes a part of the way: what it looks for is in every epoch. */
START_TEST(digits_reach_their_optima)
{
    const struct digits_answer *answer = &digits_answers[_i];
    char directory[KIT_PATH_SIZE];
    char data[KIT_PATH_SIZE];
    char text[1024];
    kit_directory(directory);
    kit_path(data, directory, "data.ockds");
    kit_import("digits.csv.gz", "64", data);
    (void)snprintf(text, sizeof(text),
                   "{\"data\":{\"validation\":0,\"scaling\":{\"divide\":16}},"
                   "\"model\":{\"hidden\":[]},\"regularization\":{%s,\"biases\":false},"
                   "\"optimizer\":{\"lr\":0.5,\"momentum\":0.95},\"train\":{\"epochs\":%d,"
                   "\"batch_size\":\"all\",\"shuffle\":false,\"report_every\":1000}}",
                   answer->penalty, answer->epochs / OCK_TEST_STRIDE);
    struct kit kit = {.train = data, .threads = 1};
    kit_run(&kit, text);
    const cJSON *epoch = kit_event(&kit, "epoch", -1);
    ck_assert_double_ge(kit_number(epoch, "objective"), (1 - 1e-5) * answer->objective);
    if (OCK_TEST_STRIDE == 1)
        check_digits(epoch, answer);
    kit_free(&kit);
    kit_remove(directory);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("answers");
    TCase *all = tcase_create("answers");
    tcase_set_timeout(all, 300);
    tcase_add_loop_test(all, heart_reaches_its_optima, 0,
                        (int)(sizeof(answers) / sizeof(answers[0])));
    tcase_add_test(all, heart_at_zero_weights);
    tcase_add_test(all, subgradient_has_no_zeros);
    tcase_add_loop_test(all, digits_reach_their_optima, 0,
                        (int)(sizeof(digits_answers) / sizeof(digits_answers[0])));
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
