/* Uploads and idempotency keys: a retry is harmless, a name belongs to one dataset, halves wait for
 * each other, and what is wrong with the bytes is said in the importer's own sentence. */
#include <pthread.h>

#include "engine_kit.h"

static const char table[] = "a,b,kind\n1,2,x\n3,4,y\n5,6,x\n7,8,y\n";
static const char other[] = "a,b,kind\n1,2,x\n3,4,y\n5,6,x\n7,9,y\n";
/* IDX (type, dimensions, sizes big-endian): four images of 1 x 2 bytes, four labels, three labels. */
static const char images[] =
    "\0\0\x08\x03\0\0\0\x04\0\0\0\x01\0\0\0\x02\x01\x02\x03\x04\x05\x06\x07\x08";
static const char labels[] = "\0\0\x08\x01\0\0\0\x04\0\x01\0\x01";
static const char others[] = "\0\0\x08\x01\0\0\0\x04\x01\x01\x01\0";
static const char too_few[] = "\0\0\x08\x01\0\0\0\x03\0\x01\0";

static struct ock_problem problem;

static cJSON *put(struct ock_engine *engine, const struct ock_upload_options *options,
                  const char *bytes, size_t size, int *http)
{
    return kit_upload_bytes(engine, options, bytes, size, http, &problem);
}

START_TEST(same_bytes_again_are_the_same_dataset)
{
    kit_make_dir();
    struct ock_engine *engine = kit_open();
    struct ock_upload_options options = {.name = "t", .target = "kind"};
    int http;
    cJSON *first = put(engine, &options, table, sizeof(table) - 1, &http);
    ck_assert_int_eq(http, 201);
    ck_assert_str_eq(kit_text(first, "status"), "ready");
    ck_assert(kit_number(first, "rows") == 4);
    ck_assert_str_eq(kit_text(ock_json_get(first, "target"), "kind"), "classes");
    ck_assert_str_eq(kit_text(ock_json_get(first, "target"), "name"), "kind");

    cJSON *again = put(engine, &options, table, sizeof(table) - 1, &http);
    ck_assert_int_eq(http, 200);
    ck_assert_str_eq(kit_text(again, "id"), kit_text(first, "id"));
    cJSON_Delete(again);

    ck_assert_ptr_null(put(engine, &options, other, sizeof(other) - 1, &http));
    ck_assert_int_eq(problem.status, 409);
    options.target = "a"; /* the same bytes with other options are another dataset */
    ck_assert_ptr_null(put(engine, &options, table, sizeof(table) - 1, &http));
    ck_assert_int_eq(problem.status, 409);

    options = (struct ock_upload_options){.name = "t", .target = "kind", .replace = true};
    cJSON *replaced = put(engine, &options, other, sizeof(other) - 1, &http);
    ck_assert_int_eq(http, 201);
    ck_assert_str_ne(kit_text(replaced, "id"), kit_text(first, "id"));
    struct ock_buf out;
    ock_buf_init(&out, OCK_MIB);
    ck_assert(ock_engine_dataset(engine, "t", &out, &problem));
    ck_assert_ptr_nonnull(strstr(out.data, kit_text(replaced, "id")));
    ock_buf_clear(&out);
    ck_assert(ock_engine_dataset(engine, kit_text(first, "id"), &out, &problem)); /* still there */
    ock_buf_deinit(&out);
    cJSON_Delete(first);
    cJSON_Delete(replaced);
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

START_TEST(halves_wait_for_each_other)
{
    kit_make_dir();
    struct ock_engine *engine = kit_open();
    struct ock_upload_options x = {.name = "pair", .part = OCK_PART_X},
                              y = {.name = "pair", .part = OCK_PART_Y};
    int http;
    char id[OCK_ID_SIZE];
    cJSON *half = put(engine, &x, images, sizeof(images) - 1, &http);
    ck_assert_int_eq(http, 201);
    ck_assert_str_eq(kit_text(half, "status"), "incomplete");
    (void)snprintf(id, sizeof(id), "%s", kit_text(half, "id"));
    cJSON_Delete(half);
    ck_assert(!kit_try_submit(engine, "{\"data\":{\"dataset\":\"pair\"}}", id, &problem));
    ck_assert_str_eq(problem.faults.items[0].code, "dataset_not_ready");

    ck_assert_ptr_null(put(engine, &y, too_few, sizeof(too_few) - 1, &http));
    ck_assert_int_eq(problem.status, 422);
    ck_assert_str_eq(problem.code, "invalid_data");

    /* A restart does not lose the first half. */
    ock_engine_close(engine);
    engine = kit_open();
    cJSON *whole = put(engine, &y, labels, sizeof(labels) - 1, &http);
    ck_assert_int_eq(http, 201);
    ck_assert_str_eq(kit_text(whole, "status"), "ready");
    ck_assert_str_eq(kit_text(whole, "id"), id);
    ck_assert(kit_number(whole, "rows") == 4);
    ck_assert_int_eq(cJSON_GetArraySize(ock_json_get(whole, "shape")), 2);
    cJSON_Delete(whole);
    cJSON_Delete(put(engine, &x, images, sizeof(images) - 1, &http));
    ck_assert_int_eq(http, 200);
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

static void *put_labels(void *ctx)
{
    static struct ock_problem refusal;
    struct ock_upload_options y = {.name = "pair", .part = OCK_PART_Y};
    int http;
    cJSON *whole = kit_upload_bytes(ctx, &y, labels, sizeof(labels) - 1, &http, &refusal);
    ck_assert_int_eq(http, 201);
    ck_assert_str_eq(kit_text(whole, "status"), "ready");
    cJSON_Delete(whole);
    return NULL;
}

/* What the file of the second half holds; 0 bytes: it is not there yet. */
static size_t read_labels(const char *id, char out[64])
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/uploads/%s/y", kit_dir, id);
    FILE *file = fopen(path, "rbe");
    size_t size = file ? fread(out, 1, 64, file) : 0;
    if (file)
        (void)fclose(file);
    return size;
}

/* While a pair is being imported its name is taken: what is refused changes nothing. */
START_TEST(pair_under_way_is_left_alone)
{
    struct ock_upload_options x = {.name = "pair", .part = OCK_PART_X},
                              y = {.name = "pair", .part = OCK_PART_Y};
    char id[OCK_ID_SIZE], bytes[64];
    pthread_t other_client;
    int http;
    kit_make_dir();
    struct ock_engine *engine = kit_open();
    cJSON *half = put(engine, &x, images, sizeof(images) - 1, &http);
    (void)snprintf(id, sizeof(id), "%s", kit_text(half, "id"));
    cJSON_Delete(half);
    kit_hold_imports(engine);
    ck_assert_int_eq(pthread_create(&other_client, NULL, put_labels, engine), 0);
    while (read_labels(id, bytes) == 0)
        kit_sleep();

    ck_assert_ptr_null(put(engine, &y, others, sizeof(others) - 1, &http));
    ck_assert_int_eq(problem.status, 409);
    ck_assert_uint_eq(read_labels(id, bytes), sizeof(labels) - 1);
    ck_assert_mem_eq(bytes, labels, sizeof(labels) - 1);
    x.replace = true;
    ck_assert_ptr_null(put(engine, &x, images, sizeof(images) - 2, &http));
    ck_assert_int_eq(problem.status, 409);
    ck_assert(!ock_engine_dataset_delete(engine, "pair", &problem));
    ck_assert_int_eq(problem.status, 409);

    kit_signal_children(SIGCONT);
    ck_assert_int_eq(pthread_join(other_client, NULL), 0);
    ck_assert(ock_engine_dataset_delete(engine, id, &problem));
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

START_TEST(half_can_be_deleted)
{
    struct ock_upload_options x = {.name = "pair", .part = OCK_PART_X};
    int http;
    kit_make_dir();
    struct ock_engine *engine = kit_open();
    cJSON_Delete(put(engine, &x, images, sizeof(images) - 1, &http));
    ck_assert(ock_engine_dataset_delete(engine, "pair", &problem));
    ck_assert(!ock_engine_dataset_delete(engine, "pair", &problem));
    ck_assert_int_eq(problem.status, 404);
    cJSON_Delete(put(engine, &x, images, sizeof(images) - 1, &http)); /* the name is free again */
    ck_assert_int_eq(http, 201);
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

static const struct {
    const char *name, *delimiter, *header, *format, *bytes, *code;
} bad_uploads[] = {
    {"", NULL, NULL, NULL, table, "invalid_name"},
    {"ds_x", NULL, NULL, NULL, table, "invalid_name"},
    {"job_x", NULL, NULL, NULL, table, "invalid_name"},
    {"../x", NULL, NULL, NULL, table, "invalid_name"},
    {".x", NULL, NULL, NULL, table, "invalid_name"},
    {"a b", NULL, NULL, NULL, table, "invalid_name"},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL, NULL, NULL, table,
     "invalid_name"},
    {"t", ";;", NULL, NULL, table, "invalid_delimiter"},
    {"t", NULL, "maybe", NULL, table, "invalid_header"},
    {"t", NULL, NULL, "xls", table, "invalid_format"},
    {"t", NULL, NULL, NULL, "", "invalid_data"},
    {"t", NULL, NULL, "csv", "a,b\n1,2\n3\n", "invalid_data"},
};

START_TEST(bad_upload_leaves_nothing)
{
    kit_make_dir();
    struct ock_engine *engine = kit_open();
    struct ock_upload_options options = {.name = bad_uploads[_i].name,
                                         .delimiter = bad_uploads[_i].delimiter,
                                         .header = bad_uploads[_i].header,
                                         .format = bad_uploads[_i].format};
    int http;
    const char *bytes = bad_uploads[_i].bytes;
    ck_assert_ptr_null(put(engine, &options, bytes, strlen(bytes), &http));
    ck_assert_int_eq(problem.status, 422);
    ck_assert_str_eq(problem.code, bad_uploads[_i].code);
    ck_assert_uint_gt(strlen(problem.detail), 10);
    ck_assert_ptr_null(strstr(problem.detail, kit_dir)); /* no path of the server */
    struct ock_buf out;
    ock_buf_init(&out, OCK_MIB);
    ck_assert(ock_engine_datasets(engine, &out, &problem));
    ck_assert_str_eq(out.data, "{\"items\":[]}");
    ock_buf_deinit(&out);
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

START_TEST(upload_has_a_limit)
{
    kit_make_dir();
    struct ock_engine *engine =
        kit_open_with((struct ock_engine_config){.cores = 1, .upload_bytes_max = 10});
    struct ock_upload *upload = NULL;
    struct ock_upload_options options = {.name = "t"};
    ck_assert(ock_upload_begin(engine, &upload, &options, &problem));
    ck_assert(ock_upload_add(upload, "0123456789", 10, &problem));
    ck_assert(!ock_upload_add(upload, "x", 1, &problem));
    ck_assert_int_eq(problem.status, 413);
    ock_upload_discard(upload);
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

START_TEST(dataset_in_use_stays)
{
    kit_make_dir();
    struct ock_engine *engine = kit_open();
    char id[OCK_ID_SIZE];
    int http;
    kit_upload_digits(engine);
    kit_submit(engine, "{\"data\":{\"dataset\":\"digits\"},\"train\":{\"epochs\":100000}}", id);
    ck_assert(!ock_engine_dataset_delete(engine, "digits", &problem));
    ck_assert_int_eq(problem.status, 409);
    ck_assert_ptr_nonnull(strstr(problem.detail, id));
    ck_assert(kit_act(engine, id, "cancel", &http));
    kit_wait_and_forget(engine, id, "cancelled", 0);
    ck_assert(ock_engine_dataset_delete(engine, "digits", &problem));
    ck_assert(!ock_engine_dataset_delete(engine, "digits", &problem));
    ck_assert_int_eq(problem.status, 404);
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

static int claim(struct ock_engine *engine, const char *body_sha256, struct ock_buf *body,
                 char job[OCK_ID_SIZE])
{
    int status = 0;
    ock_buf_clear(body);
    int claimed =
        ock_engine_idempotency_claim(engine, "k", body_sha256, &status, body, job, &problem);
    ck_assert(claimed != 0 || status == 202);
    return claimed;
}

/* The first answer again, to the byte, also after the server's end; a refused job keeps no key. */
START_TEST(idempotency_key_answers_again)
{
    static const char good[] = "{\"data\":{\"dataset\":\"digits\"},\"train\":{\"epochs\":1}}";
    kit_make_dir();
    struct ock_engine *engine = kit_open();
    struct ock_buf body, first;
    char id[OCK_ID_SIZE] = "", job[OCK_ID_SIZE] = "";
    ock_buf_init(&body, OCK_MIB);
    ock_buf_init(&first, OCK_MIB);
    kit_upload_digits(engine);
    ck_assert_int_eq(claim(engine, "aaaa", &body, job), 1);
    ck_assert_int_eq(claim(engine, "aaaa", &body, job), -1);
    ck_assert_int_eq(problem.status, 409); /* in flight */
    ck_assert(!kit_submit_with(engine, "{\"data\":{}}", "k", &first, id, &problem));
    ck_assert_uint_eq(first.size, 0);
    ock_engine_idempotency_release(engine, "k");
    ck_assert_int_eq(claim(engine, "aaaa", &body, job), 1);
    ck_assert(kit_submit_with(engine, good, "k", &first, id, &problem));
    /* No release: a server that ended here must still know the key. */
    kit_wait_and_forget(engine, id, "succeeded", 1);
    ock_engine_close(engine);
    engine = kit_open();
    ck_assert_int_eq(claim(engine, "aaaa", &body, job), 0);
    ck_assert_str_eq(body.data, first.data);
    ck_assert_str_eq(job, id);
    ck_assert_int_eq(claim(engine, "bbbb", &body, job), -1);
    ck_assert_int_eq(problem.status, 422);
    ock_buf_deinit(&body);
    ock_buf_deinit(&first);
    ock_engine_close(engine);
    kit_remove_dir();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine: datasets");
    TCase *tcase = tcase_create("datasets");
    tcase_add_test(tcase, same_bytes_again_are_the_same_dataset);
    tcase_add_test(tcase, halves_wait_for_each_other);
    tcase_add_test(tcase, pair_under_way_is_left_alone);
    tcase_add_test(tcase, half_can_be_deleted);
    tcase_add_loop_test(tcase, bad_upload_leaves_nothing, 0,
                        (int)(sizeof(bad_uploads) / sizeof(bad_uploads[0])));
    tcase_add_test(tcase, upload_has_a_limit);
    tcase_add_test(tcase, dataset_in_use_stays);
    tcase_add_test(tcase, idempotency_key_answers_again);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
