/* Goal: svmlight rows say of a model of sparse data what its training rows said, and memory that is
 * refused is no more than a status.
 *
 * Method: a small model, trained on svmlight; its rows as svmlight and as JSON, with terms that it does
 * not know; other models; every allocation failing in turn. */
#include "core/export/safetensors.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/predict_kit.h"

enum { SPARSE_ROWS = 60 };

/* Indices 2, 3, 5, 7 and 11, a few in a row; row 3 has none. JSON as the model's names have it. */
static void write_rows(const struct place *place, struct ock_buf *json)
{
    static const int primes[] = {2, 3, 5, 7, 11};
    FILE *file = fopen(place->csv, "w");
    ck_assert_ptr_nonnull(file);
    ock_buf_puts(json, "{\"rows\":[");
    for (int i = 0; i < SPARSE_ROWS; i++) {
        const char *comma = "";
        (void)fprintf(file, "%d", i % 2);
        ock_buf_puts(json, i > 0 ? ",{" : "{");
        for (int k = 0; k < 5 && i != 3; k++) {
            double value = (i * 31 + k * 17) % 23 * 0.25 - 1;
            if ((i + k) % 3 == 0 || value == 0)
                continue;
            (void)fprintf(file, " %d:%g", primes[k], value);
            ock_buf_printf(json, "%s\"%d\":%g", comma, primes[k], value);
            comma = ",";
        }
        (void)fputs("\n", file);
        ock_buf_puts(json, "}");
    }
    ock_buf_puts(json, "]}");
    ck_assert_int_eq(fclose(file), 0);
}

struct sparse {
    struct place place;
    struct kit kit;
    struct ock_buf json;
};

static void open_sparse(struct sparse *sparse)
{
    struct ock_err err = {0};
    struct place *place = &sparse->place;
    open_place(place);
    ock_buf_init(&sparse->json, TEXT_BYTES_MAX);
    write_rows(place, &sparse->json);
    struct ock_import import = {.source = place->csv, .out = place->data};
    ck_assert_msg(ock_import_run(&import, &err) == OCK_OK, "%s", err.text);
    sparse->kit = (struct kit){.train = place->data, .last = place->model, .threads = 1};
    kit_run(&sparse->kit, "{\"data\":{\"validation\":0,\"scaling\":{\"divide\":3}},\"model\":"
                          "{\"hidden\":[4]},\"train\":{\"epochs\":2,\"seed\":3}}");
}

static void close_sparse(struct sparse *sparse)
{
    kit_free(&sparse->kit);
    ock_buf_deinit(&sparse->json);
    close_place(&sparse->place);
}

START_TEST(svmlight_and_json_say_the_same)
{
    struct sparse sparse;
    struct ock_err err = {0};
    struct ock_faults faults = {0};
    struct ock_buf rows, answers[3];
    open_sparse(&sparse);
    struct place *place = &sparse.place;
    for (int i = 0; i < 3; i++)
        ock_buf_init(&answers[i], TEXT_BYTES_MAX);
    write_text(place->rows, sparse.json.data);
    ck_assert_int_eq(
        predict(place, place->rows, true, OCK_ANSWER_NDJSON, &answers[0], &faults, &err), OCK_OK);
    ck_assert_int_eq(
        predict(place, place->csv, false, OCK_ANSWER_NDJSON, &answers[1], &faults, &err), OCK_OK);
    ck_assert_str_eq(answers[0].data, answers[1].data);

    /* Terms that it does not know, between and behind its own. */
    ock_buf_init(&rows, TEXT_BYTES_MAX);
    ck_assert_int_eq(ock_file_read(place->csv, &rows, &err), OCK_OK);
    FILE *file = fopen(place->rows, "w");
    ck_assert_ptr_nonnull(file);
    for (const char *at = rows.data; *at; at = strchr(at, '\n') + 1)
        (void)fprintf(file, "%.*s 12:1 1000000:2\n", (int)strcspn(at, "\n"), at);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(
        predict(place, place->rows, false, OCK_ANSWER_NDJSON, &answers[2], &faults, &err), OCK_OK);
    ck_assert_str_eq(answers[0].data, answers[2].data);

    ock_buf_deinit(&rows);
    for (int i = 0; i < 3; i++)
        ock_buf_deinit(&answers[i]);
    close_sparse(&sparse);
}
END_TEST

START_TEST(a_model_of_columns_takes_none)
{
    struct place place;
    struct kit kit;
    struct ock_buf answer;
    struct ock_err err = {0};
    struct ock_faults faults = {0};
    open_place(&place);
    ock_buf_init(&answer, TEXT_BYTES_MAX);
    make_data(&place, NUMBERS);
    train(&kit, &place, "{\"hidden\":[]}", "\"mse\"");
    write_text(place.rows, "1 1:2 3:4\n");
    ck_assert_int_eq(predict(&place, place.rows, false, OCK_ANSWER_NDJSON, &answer, &faults, &err),
                     OCK_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(err.text, "models of sparse data"));
    kit_free(&kit);
    ock_buf_deinit(&answer);
    close_place(&place);
}
END_TEST

/* A stranger's file, which calls itself sparse and moves zeros. */
START_TEST(a_scaler_that_moves_zeros_is_refused)
{
    struct sparse sparse;
    struct ock_err err = {0};
    struct ock_faults faults = {0};
    struct ock_safetensors *file = NULL;
    struct ock_metadata metadata[16];
    struct ock_buf answer;
    size_t count = 0;
    open_sparse(&sparse);
    ock_buf_init(&answer, TEXT_BYTES_MAX);
    ck_assert_int_eq(ock_safetensors_open(&file, sparse.place.model, &err), OCK_OK);
    const struct ock_tensor *tensors = ock_safetensors_tensors(file, &count);
    size_t entries = ock_safetensors_metadata_all(file, metadata, 16);
    for (size_t i = 0; i < entries; i++) {
        if (strcmp(metadata[i].key, "scaler") == 0)
            metadata[i].value = "{\"mean\":[0,0,0,1,0,0,0,0,0,0,0],\"scale\":"
                                "[1,1,1,1,1,1,1,1,1,1,1]}";
    }
    ck_assert_int_eq(ock_safetensors_write(sparse.place.model, tensors, count, metadata, entries,
                                           NULL, NULL, &err),
                     OCK_OK);
    ock_safetensors_free(file);
    ck_assert_int_eq(
        predict(&sparse.place, sparse.place.csv, false, OCK_ANSWER_NDJSON, &answer, &faults, &err),
        OCK_INVALID);
    ck_assert_msg(strstr(err.text, "moves the zeros") != NULL, "%s", err.text);
    ock_buf_deinit(&answer);
    close_sparse(&sparse);
}
END_TEST

static enum ock_status count_rows(void *ctx, const struct ock_predictions *predictions,
                                  struct ock_err *err)
{
    (void)err;
    *(size_t *)ctx += predictions->rows;
    return OCK_OK;
}

START_TEST(every_allocation_failing_once)
{
    struct sparse sparse;
    struct ock_err err = {0};
    struct ock_predictor *predictor = NULL;
    struct ock_dataset *dataset = NULL;
    open_sparse(&sparse);
    ck_assert_int_eq(ock_predictor_open(&predictor, sparse.place.model, 1, &err), OCK_OK);
    ck_assert_uint_eq(ock_predictor_index_max(predictor), 11);
    ck_assert_int_eq(ock_dataset_open(&dataset, sparse.place.data, &err), OCK_OK);
    long n = 0;
    for (bool failed = true; failed && n < 1000; n++) {
        size_t rows = 0;
        alloc_fail_after(n);
        enum ock_status status = ock_predictor_run(predictor, dataset, count_rows, &rows, &err);
        failed = alloc_fail_stop();
        ck_assert_int_eq(status, failed ? OCK_NOMEM : OCK_OK);
        ck_assert_uint_eq(rows, failed ? 0 : SPARSE_ROWS);
    }
    ck_assert_int_gt(n, 2);
    ck_assert_int_lt(n, 1000);
    ock_dataset_free(dataset);
    ock_predictor_free(predictor);
    close_sparse(&sparse);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("predict sparse");
    TCase *all = tcase_create("predict sparse");
    tcase_add_test(all, svmlight_and_json_say_the_same);
    tcase_add_test(all, a_model_of_columns_takes_none);
    tcase_add_test(all, a_scaler_that_moves_zeros_is_refused);
    if (ALLOC_CAN_FAIL)
        tcase_add_test(all, every_allocation_failing_once);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
