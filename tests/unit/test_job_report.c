/* What a job tells at its end: the layers, lambda_hat, the report.
 *
 * Method: starting weights from a file and steps that underflow to nothing, so that the weights at
 * the end are known and everything follows by hand. That no number of threads, no kernels and no
 * interruption changes a bit of it is test_job_bits.c's. */
#include <math.h>

#include "core/base/file.h"
#include "tests/unit/job_kit.h"

struct place {
    char directory[KIT_PATH_SIZE], data[KIT_PATH_SIZE], init[KIT_PATH_SIZE];
};

static void place_make(struct place *place, const char *inline_json)
{
    struct ock_err err = {0};
    struct ock_faults *faults = calloc(1, sizeof(*faults));
    cJSON *data = cJSON_Parse(inline_json);
    ck_assert_ptr_nonnull(data);
    kit_directory(place->directory);
    kit_path(place->data, place->directory, "data.ockds");
    kit_path(place->init, place->directory, "init.safetensors");
    ck_assert_msg(ock_import_inline(data, "/data/inline", place->data, faults, &err) == OCK_OK,
                  "%s", err.text);
    cJSON_Delete(data);
    free(faults);
}

/* Weights of a network 1 - 3 - 1: layers "0" and "2" (or another digit). */
static void write_init(const struct place *place, const float w[10], char second)
{
    char header[] = "{\"0.weight\":{\"dtype\":\"F32\",\"shape\":[3,1],\"data_offsets\":[0,12]},"
                    "\"0.bias\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[12,24]},"
                    "\"2.weight\":{\"dtype\":\"F32\",\"shape\":[1,3],\"data_offsets\":[24,36]},"
                    "\"2.bias\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[36,40]}}";
    uint64_t size = sizeof(header) - 1;
    for (char *name = strstr(header, "\"2."); name; name = strstr(name + 1, "\"2."))
        name[1] = second;
    FILE *file = fopen(place->init, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(&size, sizeof(size), 1, file), 1);
    ck_assert_uint_eq(fwrite(header, size, 1, file), 1);
    ck_assert_uint_eq(fwrite(w, sizeof(*w), 10, file), 10);
    ck_assert_int_eq(fclose(file), 0);
}

static const cJSON *document(const struct kit *kit, const char *key)
{
    for (size_t i = 0; i < kit->count; i++) {
        if (strcmp(kit->events[i].key, key) == 0)
            return kit->events[i].body;
    }
    return NULL;
}

static void expect(const cJSON *body, const char *path, double value)
{
    double got = kit_number(body, path);
    ck_assert_msg(fabs(got - value) <= 1e-6 * (1 + fabs(value)), "%s is %.9g, not %.9g", path, got,
                  value);
}

static void expect_null(const cJSON *body, const char *key)
{
    ck_assert_msg(cJSON_IsNull(ock_json_get(body, key)), "%s is not null", key);
}

static void expect_counts(const cJSON *layer, int a, int bin_a, int b, int bin_b, int c, int bin_c)
{
    const cJSON *counts = ock_json_get(ock_json_get(layer, "histogram"), "counts");
    ck_assert_int_eq(cJSON_GetArraySize(counts), 32);
    int wanted[32] = {0};
    wanted[bin_a] += a;
    wanted[bin_b] += b;
    wanted[bin_c] += c;
    for (int i = 0; i < 32; i++)
        ck_assert_int_eq((int)cJSON_GetArrayItem(counts, i)->valuedouble, wanted[i]);
}

#define STILL                                                                                      \
    "\"data\":{\"validation\":0,\"scaling\":\"none\",\"target_scaling\":\"none\","                 \
    "\"target_type\":\"number\"},\"optimizer\":{\"lr\":1e-30,\"clip_norm\":1e-30}"

/* Rows x = -1, 1 with y = 0, 1. Units: relu(x) = (0, 1), read with 2; relu(-1) = (0, 0), dead, read
 * with 3; relu(x + 1) = (0, 2), not read. z = (0.5, 2.5), so dz = 2 (z - y) / 2 = (0.5, 1.5):
 *   layer 2: dW = (1.5, 0, 3), db = 2; layer 0: dW = (3, 0, 0), db = (3, 0, 0). */
static const float by_hand[10] = {1, 0, 1, 0, -1, 1, 2, 3, 0, 0.5f};

START_TEST(layers_by_hand)
{
    struct place place;
    place_make(&place, "{\"x\":[[-1],[1]],\"y\":[0,1]}");
    write_init(&place, by_hand, '2');
    struct kit kit = {.train = place.data, .init = place.init, .threads = 1};
    kit_run(&kit, "{" STILL ",\"model\":{\"hidden\":[3]},"
                  "\"regularization\":{\"l1\":0.1,\"l2\":0.2,\"biases\":false},"
                  "\"train\":{\"epochs\":2,\"batch_size\":1}}"); /* two blocks */
    const cJSON *all = document(&kit, "document:layers");
    const cJSON *end = kit_event(&kit, "end", 0);
    ck_assert_ptr_nonnull(all);
    expect(all, "rows", 2);
    expect(all, "best.epoch", 2);
    expect(all, "last.epoch", 2);
    const cJSON *layers = ock_json_get(ock_json_get(all, "best"), "layers");
    ck_assert(cJSON_Compare(layers, ock_json_get(ock_json_get(all, "last"), "layers"), 1));
    ck_assert_int_eq(cJSON_GetArraySize(layers), 2);
    const cJSON *layer = cJSON_GetArrayItem(layers, 0);
    ck_assert_str_eq(kit_text(layer, "name"), "0");
    expect(layer, "in", 1);
    expect(layer, "out", 3);
    expect(layer, "count", 6);
    expect(layer, "l1_norm", 4);
    expect(layer, "l2_norm", 2);
    expect(layer, "zeros", 2);
    expect(layer, "near_zeros", 2);
    expect(layer, "dead", 1);
    expect(layer, "unread", 1);
    expect(layer, "data_gradient", sqrt(18));
    expect(layer, "penalty_gradient", sqrt(0.5)); /* 0.1 + 0.4, twice */
    expect(layer, "penalty_share", sqrt(0.5) / (sqrt(0.5) + sqrt(18)));
    expect(layer, "histogram.min", 0);
    expect(layer, "histogram.max", 1);
    expect_counts(layer, 1, 0, 2, 31, 0, 5);
    layer = cJSON_GetArrayItem(layers, 1);
    ck_assert_str_eq(kit_text(layer, "name"), "2");
    expect_null(layer, "dead");
    expect_null(layer, "unread");
    expect(layer, "data_gradient", sqrt(1.5 * 1.5 + 9 + 4));
    expect(layer, "penalty_gradient", sqrt(0.9 * 0.9 + 1.3 * 1.3));
    expect_counts(layer, 1, 0, 1, 21, 1, 31); /* 0, 2 and 3 of 0 to 3 */
    /* Without biases: gradient 3, 1.5, 3; weights 1, 1, 2, 3. */
    expect(end, "lambda_hat", 4.5 / (2 * sqrt(15)));
    expect(all, "best.lambda_hat", 4.5 / (2 * sqrt(15)));
    const cJSON *report = ock_json_get(end, "report");
    ck_assert_str_eq(kit_text(report, "verdict"), "no_validation");
    expect(report, "best.train.data_loss", 1.25); /* (0.25 + 2.25) / 2 */
    expect(report, "best.train.rmse", sqrt(1.25));
    ck_assert_ptr_null(ock_json_get(ock_json_get(report, "best"), "gap"));
    layer = cJSON_GetArrayItem(ock_json_get(report, "layers"), 0);
    expect(layer, "zeros", 2);
    expect(layer, "dead", 1);
    expect(layer, "unread", 1);
    expect(layer, "penalty_share", sqrt(0.5) / (sqrt(0.5) + sqrt(18)));
    kit_free(&kit);
    kit_remove(place.directory);
}
END_TEST

/* Dropout is off where gradients are examined, whatever it did in training. */
START_TEST(biases_and_dropout)
{
    struct place place;
    place_make(&place, "{\"x\":[[-1],[1]],\"y\":[0,1]}");
    write_init(&place, by_hand, '3');
    struct kit kit = {.train = place.data, .init = place.init, .threads = 2};
    kit_run(&kit, "{" STILL ",\"model\":{\"hidden\":[3],\"dropout\":0.5},"
                  "\"train\":{\"epochs\":1}}");
    const cJSON *end = kit_event(&kit, "end", 0);
    expect(end, "lambda_hat", sqrt(33.25) / (2 * sqrt(17.25)));
    const cJSON *layers = ock_json_get(ock_json_get(end, "report"), "layers");
    expect(cJSON_GetArrayItem(layers, 0), "penalty_share", 0);
    kit_free(&kit);
    kit_remove(place.directory);
}
END_TEST

/* Weights of 0 have no lambda_hat; a gradient of 0 beside no penalty has no share. */
START_TEST(nothing_to_divide_by)
{
    struct place place;
    place_make(&place, "{\"x\":[[-1],[1]],\"y\":[0,0]}");
    struct kit kit = {.train = place.data, .threads = 1};
    kit_run(&kit, "{" STILL ",\"model\":{\"hidden\":[]},\"train\":{\"epochs\":1}}");
    const cJSON *end = kit_event(&kit, "end", 0);
    expect_null(end, "lambda_hat");
    const cJSON *layers = ock_json_get(ock_json_get(end, "report"), "layers");
    expect_null(cJSON_GetArrayItem(layers, 0), "penalty_share");
    kit_free(&kit);
    kit_remove(place.directory);
}
END_TEST

/* A row of weight 3 counts three times: in the mean, not as three rows in its error. Losses are
 * (z - y)^2 at weights 0: 0, 4, 4 with weights 1, 1, 2; mean 3; sum s^2 (l - m)^2 = 9 + 1 + 4. */
START_TEST(interval_is_of_the_rows_weights)
{
    struct place place;
    place_make(&place, "{\"x\":[[0,1],[0,1],[0,2]],\"y\":[0,2,2]}");
    struct kit kit = {.train = place.data, .validation = place.data, .threads = 1};
    kit_run(&kit, "{\"data\":{\"validation\":{\"dataset\":\"v\"},\"scaling\":\"none\","
                  "\"target_scaling\":\"none\",\"target_type\":\"number\",\"weights\":\"x1\"},"
                  "\"model\":{\"hidden\":[]},\"optimizer\":{\"lr\":1e-30,\"clip_norm\":1e-30},"
                  "\"train\":{\"epochs\":1}}");
    const cJSON *best = ock_json_get(ock_json_get(kit_event(&kit, "end", 0), "report"), "best");
    double error2 = 14.0 / 16 * 3 / 2;
    expect(best, "validation.data_loss", 3);
    expect(best, "gap.loss", 0);
    expect(best, "gap.high", 1.959964 * sqrt(2 * error2));
    expect(best, "gap.low", -1.959964 * sqrt(2 * error2));
    kit_free(&kit);
    kit_remove(place.directory);
}
END_TEST

/* The best weights are not the last: both are told, and each is its own epoch's. */
START_TEST(best_and_last_differ)
{
    struct place place;
    kit_directory(place.directory);
    kit_path(place.data, place.directory, "data.ockds");
    kit_import("heart_scale.csv", "label", place.data);
    struct kit kit = {.train = place.data, .threads = 1};
    kit_run(&kit, "{\"data\":{},\"model\":{\"hidden\":[64]},\"optimizer\":{\"lr\":0.5},"
                  "\"train\":{\"epochs\":40,\"batch_size\":8}}");
    const cJSON *all = document(&kit, "document:layers");
    const cJSON *report = ock_json_get(kit_event(&kit, "end", 0), "report");
    ck_assert_str_eq(kit_text(report, "verdict"), "overfits");
    double best = kit_number(report, "best.epoch");
    ck_assert_double_lt(best, 40);
    expect(report, "last.epoch", 40);
    expect(all, "best.epoch", best);
    expect(all, "last.epoch", 40);
    const cJSON *epoch = kit_event(&kit, "epoch", (int)best - 1);
    expect(report, "best.train.data_loss", kit_number(epoch, "train.data_loss"));
    expect(report, "best.validation.accuracy", kit_number(epoch, "validation.accuracy"));
    double squares[2] = {0};
    for (int i = 0; i < 2; i++) {
        const cJSON *of = ock_json_get(all, i == 0 ? "best" : "last"), *layer = NULL;
        cJSON_ArrayForEach(layer, ock_json_get(of, "layers"))
        {
            squares[i] += pow(kit_number(layer, "l2_norm"), 2);
        }
    }
    expect(epoch, "weights.l2_norm", sqrt(squares[0]));
    expect(kit_event(&kit, "epoch", -1), "weights.l2_norm", sqrt(squares[1]));
    kit_free(&kit);
    kit_remove(place.directory);
}
END_TEST

/* As many layers as there may be: `end` is still an event. */
START_TEST(end_of_256_layers_fits)
{
    struct place place;
    struct ock_buf text;
    place_make(&place, "{\"x\":[[-1],[1]],\"y\":[0,1]}");
    ock_buf_init(&text, OCK_MIB);
    ock_buf_puts(&text, "{" STILL ",\"model\":{\"layers\":[");
    for (int i = 0; i < 255; i++)
        ock_buf_puts(&text, "{\"type\":\"linear\",\"units\":3},");
    ock_buf_puts(&text, "{\"type\":\"linear\"}]},\"regularization\":{\"l2\":1e-5},"
                        "\"train\":{\"epochs\":1}}");
    struct kit kit = {.train = place.data, .threads = 1};
    kit_run(&kit, text.data);
    const cJSON *end = kit_event(&kit, "end", 0);
    ck_assert_str_eq(kit_text(end, "status"), "succeeded");
    const cJSON *layers = ock_json_get(ock_json_get(end, "report"), "layers");
    ck_assert_int_eq(cJSON_GetArraySize(layers), 256);
    char *printed = cJSON_PrintUnformatted(end);
    ck_assert_uint_lt(strlen(printed), OCK_EVENT_BYTES_MAX * 3 / 4);
    free(printed);
    ock_buf_deinit(&text);
    kit_free(&kit);
    kit_remove(place.directory);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("report");
    TCase *tcase = tcase_create("report");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, layers_by_hand);
    tcase_add_test(tcase, biases_and_dropout);
    tcase_add_test(tcase, nothing_to_divide_by);
    tcase_add_test(tcase, interval_is_of_the_rows_weights);
    tcase_add_test(tcase, best_and_last_differ);
    tcase_add_test(tcase, end_of_256_layers_fits);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
