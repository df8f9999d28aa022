/* Goal: rows and model files that are wrong are told what is wrong, and where.
 *
 * Method: tables of bad rows for a small model, and of model files that do not hold together. */
#include "core/export/safetensors.h"
#include "core/predict/rows_json.h"
#include "tests/unit/predict_kit.h"

START_TEST(bad_rows_are_told)
{
    static const struct {
        const char *rows, *said; /* pointer and code of the first fault, or part of the sentence */
        bool json;
    } cases[] = {
        {"[]", " wrong_type", true},
        {"{}", "/rows missing_key", true},
        {"{\"rows\":{}}", "/rows wrong_type", true},
        {"{\"rows\":[]}", "/rows out_of_range", true},
        {"{\"row\":[[1,2,3]]}", "/row unknown_key", true},
        {"{\"rows\":[[1,2,3]],\"x\":[[1,2,3]]}", "/x unsupported_combination", true},
        {"{\"rows\":[[1,2,3],[1,2]]}", "/rows/1 wrong_length", true},
        {"{\"rows\":[[1,2,3],7]}", "/rows/1 wrong_type", true},
        {"{\"x\":[{\"a\":1}]}", "/x/0 wrong_type", true},
        {"{\"rows\":[[1,2,\"3\"]]}", "/rows/0/2 wrong_type", true},
        {"{\"rows\":[{\"a\":1,\"stamp\":true,\"c\":1}]}", "/rows/0/stamp wrong_type", true},
        {"{\"rows\":[{\"a\":1,\"stamp\":2,\"b/d\":3,\"c\":1}]}", "/rows/0/b~1d unknown_key", true},
        {"{\"rows\":[{\"a\":1,\"a\":2,\"stamp\":2,\"c\":1}]}", "/rows/0/a duplicate_key", true},
        {"{\"rows\":[[1e999,2,3]]}", "/rows/0/0 not_finite", true},
        {"{\"rows\":", " invalid_json", true},
        {"a,stamp\n1,2\n", "no column \"c\"", false},
        {"a,stmap,c\n1,2,3\n", "is it \"stmap\"?", false},
        {"1,2\n", "2 columns without names, the model takes 3", false},
        {"a,stamp,c\n1,2,3\n1,x,3\n", "line 3, column 2 (\"stamp\"): expected a number", false},
        {"a,stamp,c\n1,2,3\n1,2\n", "line 3", false},
        {"", "empty", false},
    };
    struct place place;
    struct kit kit;
    struct ock_buf answer;
    open_place(&place);
    ock_buf_init(&answer, TEXT_BYTES_MAX);
    make_data(&place, NUMBERS);
    train(&kit, &place, "{\"hidden\":[4]}", "\"mse\"");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ock_err err = {0};
        struct ock_faults *faults = calloc(1, sizeof(*faults));
        char said[1024];
        write_text(place.rows, cases[i].rows);
        enum ock_status status =
            predict(&place, place.rows, cases[i].json, OCK_ANSWER_JSON, &answer, faults, &err);
        (void)snprintf(said, sizeof(said), "%s %s", faults->items[0].pointer,
                       faults->count > 0 ? faults->items[0].code : err.text);
        ck_assert_msg(status == OCK_INVALID, "%s: status %d", cases[i].rows, (int)status);
        ck_assert_msg(strstr(said, cases[i].said) != NULL, "%s: %s", cases[i].rows, said);
        free(faults);
    }
    kit_free(&kit);
    ock_buf_deinit(&answer);
    close_place(&place);
}
END_TEST

START_TEST(too_many_rows_are_refused)
{
    struct place place;
    struct kit kit;
    struct ock_buf answer, rows;
    struct ock_faults faults = {0};
    open_place(&place);
    ock_buf_init(&answer, TEXT_BYTES_MAX);
    ock_buf_init(&rows, TEXT_BYTES_MAX);
    make_data(&place, NUMBERS);
    train(&kit, &place, "{\"hidden\":[]}", "\"mse\"");
    for (int extra = 0; extra < 2; extra++) {
        struct ock_err err = {0};
        ock_buf_clear(&rows);
        ock_buf_puts(&rows, "a,stamp,c\n");
        for (int i = 0; i < 1000 + extra; i++)
            ock_buf_puts(&rows, "1,2,3\n");
        write_text(place.rows, rows.data);
        ck_assert_int_eq(
            predict(&place, place.rows, false, OCK_ANSWER_NDJSON, &answer, &faults, &err),
            extra ? OCK_LIMIT : OCK_OK);
    }
    kit_free(&kit);
    ock_buf_deinit(&rows);
    ock_buf_deinit(&answer);
    close_place(&place);
}
END_TEST

/* Rows behind the buffer's limit are not looked at: the wrong one there adds no fault. */
START_TEST(rows_beyond_the_text_end_the_work)
{
    struct place place;
    struct kit kit;
    struct ock_buf out;
    struct ock_err err = {0};
    struct ock_faults *faults = calloc(1, sizeof(*faults));
    struct ock_predictor *predictor = NULL;
    open_place(&place);
    make_data(&place, NUMBERS);
    train(&kit, &place, "{\"hidden\":[]}", "\"mse\"");
    ck_assert_int_eq(ock_predictor_open(&predictor, place.model, 1, &err), OCK_OK);
    cJSON *json = cJSON_Parse("{\"rows\":[[1,2,3],[1,2,3],[1,2,3],7]}");
    ock_buf_init(&out, 24);
    ck_assert_int_eq(ock_rows_json_write(json, predictor, 9, &out, faults, &err), OCK_LIMIT);
    ck_assert_uint_eq(faults->count, 0);
    ock_buf_deinit(&out);
    cJSON_Delete(json);
    ock_predictor_free(predictor);
    kit_free(&kit);
    close_place(&place);
    free(faults);
}
END_TEST

/* --- Model files ------------------------------------------------------------------------------- */

static const char good_spec[] = "{\"data\":{\"target\":\"y\",\"features\":[\"a\",\"b\"]},"
                                "\"model\":{\"layers\":[{\"type\":\"linear\",\"units\":2}]},"
                                "\"loss\":\"cross_entropy\"}";
static const char good_scaler[] = "{\"name\":\"standard\",\"clip\":null,\"mean\":[1,2],"
                                  "\"scale\":[1,1]}";

struct bad_model {
    const char *spec, *classes, *features, *scaler, *said; /* NULL: the good one; "": left out */
    const char *missing;                                   /* NULL: left out */
};

static enum ock_status open_model(const char *path, const struct bad_model *bad, size_t in,
                                  struct ock_err *err)
{
    static const float weights[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    const char *const good[] = {good_spec, "[\"no\",\"yes\"]", "[\"a\",\"b\"]", good_scaler};
    const char *const given[] = {bad->spec, bad->classes, bad->features, bad->scaler};
    const char *const keys[] = {"spec", "classes", "features", "scaler"};
    struct ock_tensor tensors[] = {
        {.name = "0.weight", .dims = 2, .shape = {2, in}, .data = weights},
        {.name = "0.bias", .dims = 1, .shape = {2}, .data = weights}};
    struct ock_metadata metadata[5];
    size_t count = 0;
    if (bad->missing)
        metadata[count++] = (struct ock_metadata){"missing", bad->missing};
    for (size_t i = 0; i < 4; i++) {
        if (!given[i] || given[i][0])
            metadata[count++] = (struct ock_metadata){keys[i], given[i] ? given[i] : good[i]};
    }
    ck_assert_int_eq(ock_safetensors_write(path, tensors, 2, metadata, count, NULL, NULL, err),
                     OCK_OK);
    struct ock_predictor *predictor = NULL;
    enum ock_status status = ock_predictor_open(&predictor, path, 1, err);
    ck_assert_int_eq(status == OCK_OK, predictor != NULL);
    ock_predictor_free(predictor);
    return status;
}

START_TEST(strange_models_are_refused)
{
    static const struct bad_model cases[] = {
        {.spec = "", .said = "no \"spec\""},
        {.spec = "{", .said = "\"spec\""},
        {.spec = "[]", .said = "spec is not valid"},
        {.spec = "{\"loss\":\"hinge\"}", .said = "/loss"},
        {.spec = "{\"model\":{\"layers\":[{\"type\":\"linear\",\"units\":2}]}}", .said = "no loss"},
        {.spec = "{\"loss\":\"mse\",\"model\":{\"layers\":[{\"type\":\"linear\",\"units\":2}]}}",
         .said = "a number target has one output"},
        {.spec = "{\"loss\":\"cross_entropy\",\"model\":{\"layers\":[{\"type\":\"linear\","
                 "\"units\":3}]}}",
         .said = "does not fit together"},
        {.spec = "{\"loss\":\"cross_entropy\",\"model\":{\"layers\":[{\"type\":\"linear\","
                 "\"units\":1000000},"
                 "{\"type\":\"linear\",\"units\":2}]}}",
         .said = "0.weight"},
        {.classes = "", .said = "no \"classes\""},
        {.classes = "{}", .said = "not a list"},
        {.classes = "[1,2]", .said = "no name"},
        {.classes = "[\"a\"]", .said = "does not fit together"},
        {.features = "[]", .said = "no features"},
        {.features = "[\"a\"]", .said = "scaler.mean"},
        {.scaler = "", .said = "no \"scaler\""},
        {.scaler = "[]", .said = "\"scaler\" is not an object"},
        {.scaler = "null", .said = "\"scaler\" is not an object"},
        {.scaler = "{\"mean\":[1,2,3],\"scale\":[1,1]}", .said = "scaler.mean is not 2 numbers"},
        {.scaler = "{\"mean\":[1,\"2\"],\"scale\":[1,1]}", .said = "scaler.mean"},
        {.scaler = "{\"mean\":[1,2],\"scale\":[1,0]}", .said = "has a 0"},
        {.scaler = "{\"clip\":-1}", .said = "clip"},
        {.missing = "1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,"
                    "0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5",
         .said = "words for missing values: missing: has more than 64 words"},
        {.scaler = "{\"clip\":\"10\"}", .said = "scaler.clip is not a number"},
        {.scaler = "{\"clip\":[10]}", .said = "scaler.clip is not a number"},
        {.scaler = "{\"target_mean\":\"1\"}", .said = "scaler.target_mean is not a number"},
        {.scaler = "{\"target_scale\":true}", .said = "scaler.target_scale is not a number"},
        {.scaler = "{\"mean\":\"1\"}", .said = "scaler.mean is not a list"},
    };
    struct place place;
    struct ock_err err = {0};
    open_place(&place);
    ck_assert_msg(open_model(place.model, &(struct bad_model){0}, 2, &err) == OCK_OK, "%s",
                  err.text);
    ck_assert_int_eq(open_model(place.model, &(struct bad_model){0}, 3, &err), OCK_INVALID);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ck_assert_msg(open_model(place.model, &cases[i], 2, &err) == OCK_INVALID, "%zu", i);
        ck_assert_msg(strstr(err.text, cases[i].said) != NULL, "%zu: %s", i, err.text);
    }
    close_place(&place);
}
END_TEST

/* A model from before encodings takes numbers, and none may be missing. */
START_TEST(an_older_model_knows_no_stand_in)
{
    static const struct {
        const char *rows, *said;
        bool json;
    } cases[] = {
        {"a,b\n1,2\n,3\n", "row 2 has no value for \"a\"", false},
        {"{\"rows\":[{\"a\":1}]}", "/rows/0/b", true},
        {"{\"rows\":[[1,null]]}", "/rows/0/1", true},
        {"{\"rows\":[[1,2]]}", "", true},
    };
    struct place place;
    struct ock_buf answer;
    open_place(&place);
    ock_buf_init(&answer, TEXT_BYTES_MAX);
    struct ock_err err = {0};
    ck_assert_int_eq(open_model(place.model, &(struct bad_model){0}, 2, &err), OCK_OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ock_faults *faults = calloc(1, sizeof(*faults));
        write_text(place.rows, cases[i].rows);
        enum ock_status status =
            predict(&place, place.rows, cases[i].json, OCK_ANSWER_JSON, &answer, faults, &err);
        ck_assert_int_eq(status, cases[i].said[0] ? OCK_INVALID : OCK_OK);
        const char *said = faults->count > 0 ? faults->items[0].pointer : err.text;
        ck_assert_msg(strstr(said, cases[i].said) != NULL, "%s: %s", cases[i].rows, said);
        free(faults);
    }
    /* x - mean = (0, 0): the biases 1 and 2 alone, of which the second class has the larger. */
    ck_assert_ptr_nonnull(
        strstr(answer.data, "{\"class\":\"yes\",\"probabilities\":{\"no\":0.26894"));
    ock_buf_deinit(&answer);
    close_place(&place);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("predict faults");
    TCase *all = tcase_create("predict faults");
    tcase_add_test(all, bad_rows_are_told);
    tcase_add_test(all, too_many_rows_are_refused);
    tcase_add_test(all, rows_beyond_the_text_end_the_work);
    tcase_add_test(all, strange_models_are_refused);
    tcase_add_test(all, an_older_model_knows_no_stand_in);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
