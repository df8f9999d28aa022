/* Goal: sparse rows train to the bits of the same numbers written out, zeros and all, for any number
 * of threads, tiles, shards and kernels.
 *
 * Method: one table of 200 x 450 numbers, 2 % of them not zero, as svmlight and as CSV; jobs of all
 * kinds on both. Then what only sparse data have: validation rows with other columns, features left
 * out, refusals. */
#include <stdarg.h>

#include "core/kernels/kernels.h"
#include "core/train/plan.h"
#include "tests/unit/job_kit.h"

enum { ROWS = 200, COLUMNS = 450, TEXT_BYTES = 1 << 20 };

struct place {
    char directory[KIT_PATH_SIZE], sparse[KIT_PATH_SIZE], dense[KIT_PATH_SIZE];
    char checkpoint[KIT_PATH_SIZE];
};
static struct place place;
static char text[TEXT_BYTES];

__attribute__((format(printf, 2, 3))) static void append(char **next, const char *format, ...)
{
    size_t room = (size_t)(text + TEXT_BYTES - *next);
    va_list args;
    va_start(args, format);
    int length = vsnprintf(*next, room, format, args);
    va_end(args);
    ck_assert_uint_lt((size_t)length, room);
    *next += length;
}

static void import_text(const char *out, enum ock_format format, const char *target)
{
    char path[KIT_PATH_SIZE];
    struct ock_err err = {0};
    kit_path(path, place.directory, "data.csv");
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
    struct ock_import import = {.source = path, .out = out, .format = format, .target = target};
    ck_assert_msg(ock_import_run(&import, &err) == OCK_OK, "%s", err.text);
}

/* value(row, column): 0 or a number; the last row names the last column, so that it is there. */
static int value_at(size_t row, size_t column)
{
    uint32_t mixed = (uint32_t)(row * 1000003 + column) * 2654435761u;
    mixed ^= mixed >> 15;
    mixed *= 2246822519u;
    mixed ^= mixed >> 13;
    if (row == ROWS - 1 && column == COLUMNS - 1)
        return 3;
    return mixed % 50 == 0 ? (int)(mixed / 50 % 41) - 20 : 0;
}

static size_t label_of(size_t row)
{
    return (row * 7 + (size_t)(value_at(row, row % COLUMNS) > 0)) % 5;
}

static void make_sparse(void)
{
    char *next = text;
    for (size_t row = 0; row < ROWS; row++) {
        append(&next, "%zu", label_of(row));
        for (size_t c = 0; c < COLUMNS; c++) {
            if (value_at(row, c) != 0)
                append(&next, " %zu:%g", c + 1, value_at(row, c) / 8.0);
        }
        append(&next, "\n");
    }
    import_text(place.sparse, OCK_FORMAT_SVMLIGHT, NULL);
}

static void make_dense(void)
{
    char *next = text;
    for (size_t c = 0; c < COLUMNS; c++)
        append(&next, "%zu,", c + 1);
    append(&next, "label\n");
    for (size_t row = 0; row < ROWS; row++) {
        for (size_t c = 0; c < COLUMNS; c++)
            append(&next, "%g,", value_at(row, c) / 8.0);
        append(&next, "%zu\n", label_of(row));
    }
    import_text(place.dense, OCK_FORMAT_CSV, "label");
}

static void setup(void)
{
    kit_directory(place.directory);
    kit_path(place.sparse, place.directory, "data.ockds");
    kit_path(place.dense, place.directory, "init.safetensors"); /* a name that kit_remove knows */
    kit_path(place.checkpoint, place.directory, "checkpoint");
    make_sparse();
    make_dense();
}

static void teardown(void)
{
    kit_remove(place.directory);
}

static void check_same_end(const struct kit *a, const struct kit *b, const char *what)
{
    static const char *const numbers[] = {"train.data_loss", "train.running_loss",
                                          "validation.data_loss", "objective", "weights.zeros"};
    const cJSON *x = kit_event(a, "epoch", -1);
    const cJSON *y = kit_event(b, "epoch", -1);
    ck_assert_msg(strcmp(kit_text(x, "weights_sha256"), kit_text(y, "weights_sha256")) == 0, "%s",
                  what);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        ck_assert_double_eq(kit_number(x, numbers[i]), kit_number(y, numbers[i]));
    ck_assert_str_eq(kit_text(kit_event(a, "end", 0), "state_sha256"),
                     kit_text(kit_event(b, "end", 0), "state_sha256"));
}

static const char *const specs[] = {
    "\"model\":{\"hidden\":[]},\"optimizer\":{\"lr\":0.1,\"momentum\":0.9},"
    "\"regularization\":{\"l1\":1e-3,\"l2\":1e-3,\"l1_method\":\"proximal\"}",
    "\"model\":{\"hidden\":[33,8],\"dropout\":0.2},\"optimizer\":{\"lr\":0.05},"
    "\"regularization\":{\"l1\":1e-4,\"l1_method\":\"cumulative\"}",
    "\"model\":{\"hidden\":[70],\"activation\":\"tanh\"},"
    "\"optimizer\":{\"name\":\"adamw\",\"lr\":0.01,\"weight_decay\":0.01,\"clip_norm\":1},"
    "\"regularization\":{\"max_norm\":2}",
    "\"data\":{\"target_type\":\"number\",\"scaling\":{\"divide\":4}},"
    "\"model\":{\"hidden\":[]},\"optimizer\":{\"lr\":\"auto\"}",
};
enum { SPECS = sizeof specs / sizeof specs[0] };

static void make_spec(char out[1024], int number, bool dense, const char *train)
{
    const char *data = dense ? "\"data\":{\"scaling\":\"none\"}," : "";
    if (strncmp(specs[number], "\"data\"", 6) == 0)
        data = "";
    (void)snprintf(out, 1024, "{%s%s,\"train\":{\"epochs\":3,\"seed\":3%s}}", data, specs[number],
                   train);
}

START_TEST(sparse_rows_train_to_the_dense_bits)
{
    static const char *const trains[] = {",\"batch_size\":32", ",\"batch_size\":\"all\"",
                                         ",\"batch_size\":100,\"shards\":3"};
    static const struct {
        uint32_t threads;
        size_t tile_rows;
        const char *kernels;
    } ways[] = {{1, 0, NULL}, {3, 0, NULL}, {2, 7, NULL}, {2, 0, "v3"}, {1, 0, "reference"}};
    /* Under a sanitizer one way of each kind is enough. */
    const size_t step = OCK_TEST_STRIDE > 1 ? 2 : 1;
    for (size_t t = (size_t)_i % step; t < sizeof(trains) / sizeof(trains[0]); t += step) {
        char spec[1024];
        struct kit dense = {.train = place.dense, .threads = 1};
        make_spec(spec, _i, true, trains[t]);
        kit_run(&dense, spec);
        make_spec(spec, _i, false, trains[t]);
        for (size_t w = step - 1; w < sizeof(ways) / sizeof(ways[0]); w += 2 * step - 1) {
            struct kit sparse = {.train = place.sparse,
                                 .threads = ways[w].threads,
                                 .tile_rows = ways[w].tile_rows,
                                 .kernels = ways[w].kernels};
            if (!ock_kernels_get(ways[w].kernels) || !ock_kernels_get("v3"))
                continue;
            kit_run(&sparse, spec);
            check_same_end(&dense, &sparse, trains[t]);
            kit_free(&sparse);
        }
        kit_free(&dense);
    }
}
END_TEST

START_TEST(a_paused_run_ends_with_the_same_bits)
{
    char spec[1024];
    make_spec(spec, 1, false, ",\"batch_size\":32");
    struct kit whole = {.train = place.sparse, .threads = 1};
    kit_run(&whole, spec);
    struct kit cut = {
        .train = place.sparse, .checkpoint = place.checkpoint, .threads = 2, .pause_after = 11};
    kit_run(&cut, spec);
    ck_assert_int_eq(cut.outcome, OCK_PAUSED);
    struct kit rest = {.train = place.sparse, .checkpoint = place.checkpoint, .threads = 1};
    kit_run(&rest, spec);
    check_same_end(&whole, &rest, "resumed");
    kit_free(&whole);
    kit_free(&cut);
    kit_free(&rest);
}
END_TEST

/* A validation file may lack columns, and have some that training never saw. */
START_TEST(a_validation_file_may_name_other_columns)
{
    static const char tail[] = "0 2:1 3:0.5 450:1\n3 1:2 950:7\n4 449:1\n";
    char spec[1024];
    char other[KIT_PATH_SIZE];
    make_spec(spec, 0, false, ",\"batch_size\":32},\"data\":{\"validation\":{\"dataset\":\"v\"}");
    kit_path(other, place.directory, "best.safetensors"); /* a name that kit_remove knows */
    (void)snprintf(text, sizeof(text), "%s", tail);
    import_text(other, OCK_FORMAT_SVMLIGHT, NULL);
    struct kit more = {.train = place.sparse, .validation = other, .threads = 1};
    kit_run(&more, spec);
    double loss = kit_number(kit_event(&more, "epoch", -1), "validation.data_loss");

    (void)snprintf(text, sizeof(text), "0 2:1 3:0.5 450:1\n3 1:2\n4 449:1\n");
    import_text(other, OCK_FORMAT_SVMLIGHT, NULL);
    struct kit same = {.train = place.sparse, .validation = other, .threads = 1};
    kit_run(&same, spec);
    ck_assert_double_eq(kit_number(kit_event(&same, "epoch", -1), "validation.data_loss"), loss);
    kit_free(&more);
    kit_free(&same);

    (void)snprintf(text, sizeof(text), "0 2:1\n3 1:2\n4 3:1\n");
    import_text(other, OCK_FORMAT_SVMLIGHT, NULL);
    struct kit fewer = {.train = place.sparse, .validation = other, .threads = 1};
    kit_run(&fewer, spec);
    ck_assert_double_gt(kit_number(kit_event(&fewer, "epoch", -1), "validation.data_loss"), 0);
    kit_free(&fewer);
}
END_TEST

/* One file counts from 0, the other from 1: the column "0" is below the other's first. */
START_TEST(a_validation_file_may_count_from_1_where_training_counts_from_0)
{
    char other[KIT_PATH_SIZE], spec[1024];
    char *next = text;
    for (int row = 0; row < 40; row++)
        append(&next, "%d 0:1 %d:2\n", row % 2, 1 + row % 2);
    import_text(place.sparse, OCK_FORMAT_SVMLIGHT, NULL);
    kit_path(other, place.directory, "best.safetensors"); /* a name that kit_remove knows */
    make_spec(spec, 0, false, ",\"batch_size\":32},\"data\":{\"validation\":{\"dataset\":\"v\"}");
    next = text;
    append(&next, "0 1:2\n1 2:2\n");
    import_text(other, OCK_FORMAT_SVMLIGHT, NULL);
    struct kit from_1 = {.train = place.sparse, .validation = other, .threads = 1};
    kit_run(&from_1, spec);
    double loss = kit_number(kit_event(&from_1, "epoch", -1), "validation.data_loss");
    next = text;
    append(&next, "0 0:0 1:2\n1 2:2\n");
    import_text(other, OCK_FORMAT_SVMLIGHT, NULL);
    struct kit from_0 = {.train = place.sparse, .validation = other, .threads = 1};
    kit_run(&from_0, spec);
    ck_assert_double_eq(kit_number(kit_event(&from_0, "epoch", -1), "validation.data_loss"), loss);
    kit_free(&from_1);
    kit_free(&from_0);
}
END_TEST

START_TEST(features_can_be_left_out)
{
    char spec[1024];
    static const char features[] = ",\"features\":[\"2\",\"5\",\"400\",\"401\",\"449\"]";
    struct kit runs[2];
    for (int dense = 0; dense < 2; dense++) {
        (void)snprintf(spec, sizeof(spec),
                       "{\"data\":{\"scaling\":\"none\"%s},\"model\":{\"hidden\":[4]},"
                       "\"optimizer\":{\"lr\":0.1},\"train\":{\"epochs\":2}}",
                       features);
        runs[dense] = (struct kit){.train = dense ? place.dense : place.sparse, .threads = 1};
        kit_run(&runs[dense], spec);
    }
    check_same_end(&runs[0], &runs[1], "features");
    kit_free(&runs[0]);
    kit_free(&runs[1]);
}
END_TEST

static const struct {
    const char *spec, *pointer, *says;
} refusals[] = {
    {"{\"data\":{\"scaling\":\"standard\"}}", "/data/scaling", "fill the zeros"},
    {"{\"data\":{\"scaling\":\"minmax\"}}", "/data/scaling", "fill the zeros"},
    {"{\"model\":{\"input_dropout\":0.1}}", "/model/input_dropout", "behind it"},
    {"{\"model\":{\"layers\":[{\"type\":\"activation\",\"name\":\"tanh\"},"
     "{\"type\":\"linear\"}]}}",
     "/model/layers/0", "linear layer first"},
    {"{\"data\":{\"features\":[\"7\",\"3\"]}}", "/data/features", "order"},
};

/* 396 bytes a column were measured of sparse rows; of dense ones 257 more than was counted before.
 * Loop index: whether they are sparse. */
START_TEST(the_plan_counts_what_columns_cost)
{
    static const size_t columns = 1000000;
    struct ock_layer_spec layer = {.type = OCK_LINEAR, .units = 1};
    struct ock_spec spec = {
        .layer_count = 1, .layers = &layer, .train = {.batch_size = 2, .epochs = 1, .shards = 1}};
    struct ock_plan_data data = {.rows = {.train_rows = 2,
                                          .features = columns,
                                          .sparse = _i == 1,
                                          .nonzeros = 2,
                                          .row_terms_max = 1},
                                 .outputs = 1};
    struct ock_plan *plan = calloc(1, sizeof(*plan));
    ck_assert_int_eq(ock_plan_make(plan, &spec, &data, NULL), OCK_OK);
    ck_assert_uint_gt(plan->memory_bytes, 400 * columns);
    free(plan);
}
END_TEST

START_TEST(what_would_fill_the_zeros_is_refused)
{
    struct ock_err err = {0};
    struct ock_faults *faults = calloc(1, sizeof(*faults));
    struct ock_spec *spec = NULL;
    struct ock_dataset *dataset = NULL;
    cJSON *json = NULL;
    const char *source = refusals[_i].spec;
    ck_assert_int_eq(ock_json_parse(&json, source, strlen(source), faults, &err), OCK_OK);
    ck_assert_int_eq(ock_spec_parse(&spec, json, false, faults, &err), OCK_OK);
    ck_assert_int_eq(ock_dataset_open(&dataset, place.sparse, &err), OCK_OK);
    ck_assert_int_eq(ock_spec_resolve(spec, ock_dataset_schema(dataset), NULL, NULL, faults, &err),
                     OCK_INVALID);
    ck_assert_uint_eq(faults->count, 1);
    ck_assert_str_eq(faults->items[0].pointer, refusals[_i].pointer);
    ck_assert_str_eq(faults->items[0].code, "unsupported_combination");
    ck_assert_msg(strstr(faults->items[0].detail, refusals[_i].says) != NULL, "%s",
                  faults->items[0].detail);
    ock_dataset_free(dataset);
    ock_spec_free(spec);
    cJSON_Delete(json);
    free(faults);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sparse jobs");
    TCase *tests = tcase_create("jobs");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, sparse_rows_train_to_the_dense_bits, 0, SPECS);
    tcase_add_test(tests, a_paused_run_ends_with_the_same_bits);
    tcase_add_test(tests, a_validation_file_may_name_other_columns);
    tcase_add_test(tests, a_validation_file_may_count_from_1_where_training_counts_from_0);
    tcase_add_test(tests, features_can_be_left_out);
    tcase_add_loop_test(tests, the_plan_counts_what_columns_cost, 0, 2);
    tcase_add_loop_test(tests, what_would_fill_the_zeros_is_refused, 0,
                        (int)(sizeof(refusals) / sizeof(refusals[0])));
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
