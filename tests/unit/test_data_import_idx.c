/* IDX to datasets: every element type worked by hand, shapes, labels, and headers that lie. */
#include "tests/unit/data_kit.h"

#include "core/base/limits.h"

#define BYTES(text) text, sizeof(text) - 1

/* Two images of 2 x 3 and their labels. */
static const char images[] = "\0\0\x08\3\0\0\0\2\0\0\0\2\0\0\0\3"
                             "\0\1\2\3\4\5"
                             "\xff\1\x80\3\4\7";
static const char labels[] = "\0\0\x08\1\0\0\0\2\x09\2";

START_TEST(images_keep_bytes_and_shape)
{
    struct ock_err err = {.text = ""};
    kit_write("in", BYTES(images));
    kit_write_gzip("labels", BYTES(labels));
    ck_assert_msg(kit_import((struct ock_import){0}, 1, &err) == OCK_OK, "%s", err.text);
    struct ock_dataset *dataset = kit_open("out");
    const struct ock_schema *schema = ock_dataset_schema(dataset);
    ck_assert_str_eq(schema->format, "idx");
    ck_assert_uint_eq(schema->rows, 2);
    ck_assert_uint_eq(schema->column_count, 7);
    ck_assert_uint_eq(schema->target, 6);
    ck_assert(schema->has_labels);
    ck_assert_uint_eq(schema->shape_count, 2);
    ck_assert_uint_eq(schema->shape[0], 2);
    ck_assert_uint_eq(schema->shape[1], 3);
    ck_assert_str_eq(schema->columns[0].name, "x0");
    ck_assert_str_eq(schema->columns[5].name, "x5");
    ck_assert_str_eq(schema->columns[6].name, "label");

    size_t count;
    const struct ock_block *blocks = ock_dataset_blocks(dataset, &count);
    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(blocks[0].storage, OCK_STORE_U8);
    ck_assert_mem_eq(blocks[0].data, images + 16, 12); /* as they stood in the file */

    const struct ock_column *x0 = &schema->columns[0];
    ck_assert_int_eq(x0->type, OCK_COLUMN_BYTE);
    ck_assert_double_eq(x0->min, 0);
    ck_assert_double_eq(x0->max, 255);
    ck_assert_double_eq(x0->mean, 127.5);
    ck_assert_uint_eq(x0->value_count, 2); /* with a gap between */
    ck_assert_str_eq(x0->values[0], "0");
    ck_assert_str_eq(x0->values[1], "255");
    ck_assert_uint_eq(schema->columns[1].value_count, 1);
    ck_assert_str_eq(schema->columns[1].values[0], "1");

    const char *because = NULL;
    ck_assert_int_eq(ock_schema_target_kind(schema, 6, &because), OCK_TARGET_CLASSES);
    ck_assert_str_eq(because, "labels of a labels file");
    ck_assert_double_eq(kit_number(dataset, "label", 0), 9);
    ck_assert_int_eq(ock_dataset_verify(dataset, &err), OCK_OK);
    ock_dataset_free(dataset);
}
END_TEST

/* Every byte value's text. */
START_TEST(a_byte_column_of_all_values_lists_them)
{
    char whole[12 + 512] = "\0\0\x08\2\0\0\1\0\0\0\0\2";
    for (size_t i = 0; i < 256; i++) {
        whole[12 + 2 * i] = (char)i;
        whole[13 + 2 * i] = (char)(i | 1); /* odd values: a gap at each even one */
    }
    kit_write("in", whole, sizeof(whole));
    ck_assert_int_eq(kit_import((struct ock_import){0}, 0, NULL), OCK_OK);
    struct ock_dataset *dataset = kit_open("out");
    const struct ock_column *all = kit_column(dataset, "x0");
    const struct ock_column *odd = kit_column(dataset, "x1");
    ck_assert_uint_eq(all->value_count, 256);
    ck_assert_uint_eq(odd->value_count, 128);
    for (size_t i = 0; i < 256; i++) {
        char text[8];
        (void)snprintf(text, sizeof(text), "%zu", i);
        ck_assert_str_eq(all->values[i], text);
        if (i % 2 == 1)
            ck_assert_str_eq(odd->values[i / 2], text);
    }
    ck_assert_uint_eq(ock_dataset_schema(dataset)->target, SIZE_MAX); /* no labels, none named */
    ck_assert(!ock_dataset_schema(dataset)->has_labels);
    ock_dataset_free(dataset);
}
END_TEST

/* Two rows of one column in each type. */
static const struct {
    const char *bytes;
    size_t size;
    double values[2];
    enum ock_storage storage;
} types[] = {
    {BYTES("\0\0\x08\1\0\0\0\2\x01\xff"), {1, 255}, OCK_STORE_U8},
    {BYTES("\0\0\x09\1\0\0\0\2\x01\xff"), {1, -1}, OCK_STORE_F32},
    {BYTES("\0\0\x0b\1\0\0\0\2\x01\x02\xff\xfe"), {258, -2}, OCK_STORE_F32},
    {BYTES("\0\0\x0c\1\0\0\0\2\0\0\1\0\xff\xff\xff\xff"), {256, -1}, OCK_STORE_F32},
    {BYTES("\0\0\x0c\1\0\0\0\2\x7f\xff\xff\xff\x80\0\0\0"),
     {2147483647.0, -2147483648.0},
     OCK_STORE_F64},
    {BYTES("\0\0\x0d\1\0\0\0\2\x3f\xc0\0\0\xc0\x20\0\0"), {1.5, -2.5}, OCK_STORE_F32},
    {BYTES("\0\0\x0e\1\0\0\0\2\x3f\xf8\0\0\0\0\0\0\xc0\x04\0\0\0\0\0\0"),
     {1.5, -2.5},
     OCK_STORE_F32},
    {BYTES("\0\0\x0e\1\0\0\0\2\x3f\xf0\0\0\0\0\0\1\x3f\xf0\0\0\0\0\0\0"),
     {1.0000000000000002, 1},
     OCK_STORE_F64},
};

START_TEST(every_type_is_read)
{
    struct ock_err err = {.text = ""};
    kit_write("in", types[_i].bytes, types[_i].size);
    ck_assert_msg(kit_import((struct ock_import){0}, 0, &err) == OCK_OK, "%s", err.text);
    struct ock_dataset *dataset = kit_open("out");
    size_t count;
    const struct ock_block *blocks = ock_dataset_blocks(dataset, &count);
    ck_assert_int_eq(blocks[kit_column(dataset, "x0")->block].storage, types[_i].storage);
    ck_assert_double_eq(kit_number(dataset, "x0", 0), types[_i].values[0]);
    ck_assert_double_eq(kit_number(dataset, "x0", 1), types[_i].values[1]);
    ock_dataset_free(dataset);
}
END_TEST

/* Float32 and float64 columns of one array stand in two blocks, and a NaN is a missing value. */
START_TEST(wide_and_narrow_columns_keep_their_order)
{
    static const char bytes[] = "\0\0\x0e\2\0\0\0\2\0\0\0\3"
                                "\x3f\xf0\0\0\0\0\0\0"   /* 1 */
                                "\x40\x8f\x40\0\0\0\0\0" /* 1000 */
                                "\x3f\xf0\0\0\0\0\0\0"
                                "\x40\0\0\0\0\0\0\0" /* 2 */
                                "\x40\x8f\x40\0\0\0\0\1"
                                "\x7f\xf8\0\0\0\0\0\0"; /* NaN */
    kit_write("in", BYTES(bytes));
    ck_assert_int_eq(kit_import((struct ock_import){0}, 0, NULL), OCK_OK);
    struct ock_dataset *dataset = kit_open("out");
    ck_assert_double_eq(kit_number(dataset, "x0", 1), 2);
    ck_assert_double_eq(kit_number(dataset, "x1", 0), 1000);
    ck_assert(kit_number(dataset, "x1", 1) > 1000); /* by the last bit of a double */
    ck_assert_double_nan(kit_number(dataset, "x2", 1));
    ck_assert_uint_eq(kit_column(dataset, "x2")->missing, 1);
    ck_assert_uint_ne(kit_column(dataset, "x0")->block, kit_column(dataset, "x1")->block);
    ock_dataset_free(dataset);
}
END_TEST

START_TEST(float_labels_with_fractions_are_numbers)
{
    const char *because = NULL;
    kit_write("in", BYTES(images));
    kit_write("labels", BYTES("\0\0\x0d\1\0\0\0\2\x3f\xc0\0\0\xc0\x20\0\0"));
    ck_assert_int_eq(kit_import((struct ock_import){0}, 1, NULL), OCK_OK);
    struct ock_dataset *dataset = kit_open("out");
    ck_assert_int_eq(ock_schema_target_kind(ock_dataset_schema(dataset), 6, &because),
                     OCK_TARGET_NUMBER);
    ck_assert_str_eq(because, "numbers with fractions");
    ock_dataset_free(dataset);
}
END_TEST

/* More classes than OCK_DISTINCT_MAX: labels keep them all. */
START_TEST(labels_may_have_many_classes)
{
    enum { ROWS = 3000 };
    static unsigned char x[8 + ROWS] = {0, 0, 8, 1, 0, 0, ROWS >> 8, ROWS & 255};
    static unsigned char y[8 + 2 * ROWS] = {0, 0, 11, 1, 0, 0, ROWS >> 8, ROWS & 255};
    for (size_t i = 0; i < ROWS; i++) {
        y[8 + 2 * i] = (unsigned char)(i >> 8);
        y[9 + 2 * i] = (unsigned char)i;
    }
    kit_write("in", x, sizeof(x));
    kit_write("labels", y, sizeof(y));
    ck_assert_int_eq(kit_import((struct ock_import){0}, 1, NULL), OCK_OK);
    struct ock_dataset *dataset = kit_open("out");
    ck_assert_uint_eq(kit_column(dataset, "label")->value_count, ROWS);
    ck_assert_str_eq(kit_column(dataset, "label")->values[ROWS - 1], "2999");
    ock_dataset_free(dataset);
}
END_TEST

static const struct {
    const char *x;
    size_t x_size;
    const char *labels; /* NULL: none */
    size_t labels_size;
    enum ock_status status;
    const char *says;
} faults[] = {
    {BYTES("\0\0"), NULL, 0, OCK_INVALID, "ends at byte 2"},
    {BYTES("\0\0\x07\1\0\0\0\1x"), NULL, 0, OCK_INVALID, "not IDX"},
    {BYTES("\0\0\x0a\1\0\0\0\1x"), NULL, 0, OCK_INVALID, "not IDX"},
    {BYTES("\0\1\x08\1\0\0\0\1x"), NULL, 0, OCK_INVALID, "not IDX"},
    {BYTES("hello, world"), NULL, 0, OCK_INVALID, "not IDX"},
    {BYTES("\0\0\x08\0x"), NULL, 0, OCK_INVALID, "byte 3: has 0 dimensions"},
    {BYTES("\0\0\x08\6\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1x"), NULL, 0, OCK_INVALID,
     "byte 3: has 6 dimensions"},
    {BYTES("\0\0\x08\xff"), NULL, 0, OCK_INVALID, "byte 3"},
    {BYTES("\0\0\x08\2\0\0\0\1\0\0"), NULL, 0, OCK_INVALID, "ends at byte 10"},
    {BYTES("\0\0\x08\1\0\0\0\0"), NULL, 0, OCK_INVALID, "dimension 0 is 0"},
    {BYTES("\0\0\x08\2\0\0\0\3\0\0\0\0"), NULL, 0, OCK_INVALID, "dimension 1 is 0"},
    {BYTES("\0\0\x08\1\0\0\0\5abcd"), NULL, 0, OCK_INVALID, "ends at byte 12, where 1 more"},
    {BYTES("\0\0\x08\1\0\0\0\3abcd"), NULL, 0, OCK_INVALID, "goes on after byte 11"},
    {BYTES("\0\0\x08\1\x7f\xff\xff\xff"), NULL, 0, OCK_INVALID, "more than the file's 8"},
    {BYTES("\0\0\x08\2\x80\0\0\0\x80\0\0\0"), NULL, 0, OCK_LIMIT, "the limit is"},
    {BYTES("\0\0\x0e\5\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
           "\xff"),
     NULL, 0, OCK_LIMIT, "the limit is"},
    {BYTES("\0\0\x08\1\xff\xff\xff\xff"), NULL, 0, OCK_LIMIT, "too many rows, the limit"},
    {BYTES("\0\0\x0d\1\0\0\0\2\x3f\x80\0\0\x7f\x80\0\0"), NULL, 0, OCK_INVALID,
     "byte 12: an infinite number in row 2"},
    {BYTES(images), BYTES("\0\0\x08\1\0\0\0\3abc"), OCK_INVALID, "2 rows, there are 3 labels"},
    {BYTES(images), BYTES("\0\0\x08\1\0\0\0\0"), OCK_INVALID, "labels: byte 4"},
    {BYTES(images), BYTES("\0\0\x08\2\0\0\0\2\0\0\0\2abcd"), OCK_INVALID, "one is expected"},
    {BYTES(images), BYTES("\0\0\x08\1\0\0\0\2a"), OCK_INVALID, "labels: ends at byte 9"},
    {BYTES(images), BYTES("\0\0\x08\1\0\0\0\2abc"), OCK_INVALID, "labels: goes on"},
    {BYTES(images), BYTES("label\n1\n2\n"), OCK_INVALID, "labels: byte 0: not IDX"},
};

START_TEST(wrong_arrays_are_refused_with_their_place)
{
    struct ock_err err = {.text = ""};
    kit_write("in", faults[_i].x, faults[_i].x_size);
    if (faults[_i].labels)
        kit_write("labels", faults[_i].labels, faults[_i].labels_size);
    struct ock_import import = {.format = OCK_FORMAT_IDX};
    enum ock_status status = kit_import(import, faults[_i].labels != NULL, &err);
    ck_assert_msg(status == faults[_i].status, "%s: %s", ock_status_name(status), err.text);
    ck_assert_msg(strstr(err.text, faults[_i].says) != NULL, "%s", err.text);
    ck_assert_int_ne(access(kit_path("out"), F_OK), 0);
    ck_assert_int_ne(access(kit_path("out.tmp"), F_OK), 0);
}
END_TEST

/* A packed file may promise a thousand times its size, not more; what follows the data is refused
 * after one byte of it, so a bomb costs what an honest file of its promise would. */
START_TEST(a_gzip_bomb_is_refused)
{
    struct ock_err err = {.text = ""};
    static char zeros[4 << 20];
    memcpy(zeros, "\0\0\x08\1\0\0\0\4", 8);
    kit_write_gzip("in", zeros, sizeof(zeros));
    ck_assert_int_eq(kit_import((struct ock_import){0}, 0, &err), OCK_INVALID);
    ck_assert_ptr_nonnull(strstr(err.text, "goes on after byte 12"));

    memcpy(zeros, "\0\0\x08\1\x7f\xff\xff\xff", 8);
    kit_write_gzip("in", zeros, sizeof(zeros));
    ck_assert_int_eq(kit_import((struct ock_import){0}, 0, &err), OCK_LIMIT);
    ck_assert_ptr_nonnull(strstr(err.text, "promises 2147483647 bytes, more than"));
}
END_TEST

START_TEST(labels_do_not_go_with_a_table)
{
    struct ock_err err = {.text = ""};
    kit_write("in", BYTES("a,b\n1,2\n"));
    kit_write("labels", BYTES(labels));
    ck_assert_int_eq(kit_import((struct ock_import){0}, 1, &err), OCK_INVALID);
    ck_assert_ptr_nonnull(strstr(err.text, "neither NPY nor IDX, which a labels file goes with"));
}
END_TEST

START_TEST(fashion_mnist_is_the_known_one)
{
    static const char folder[] = "/usr/share/datasets/fashion-mnist";
    char x[128], y[128];
    (void)snprintf(x, sizeof(x), "%s/train-images-idx3-ubyte.gz", folder);
    (void)snprintf(y, sizeof(y), "%s/train-labels-idx1-ubyte.gz", folder);
    if (access(x, R_OK) != 0) {
        (void)fprintf(stderr, "skipped: the package dataset-fashion-mnist is not installed\n");
        return;
    }
    struct ock_err err = {.text = ""};
    struct ock_import import = {.source = x, .labels = y, .out = kit_path("out")};
    ck_assert_msg(ock_import_run(&import, &err) == OCK_OK, "%s", err.text);
    struct ock_dataset *dataset = kit_open("out");
    const struct ock_schema *schema = ock_dataset_schema(dataset);
    ck_assert_uint_eq(schema->rows, 60000);
    ck_assert_uint_eq(schema->column_count, 785);
    ck_assert_uint_eq(schema->shape[0], 28);
    double sum = 0;
    for (size_t c = 0; c < 784; c++)
        sum += schema->columns[c].mean;
    /* The training set's published mean and deviation are .2860 and .3530 of 255. */
    ck_assert_double_eq_tol(sum / 784 / 255, 0.2860, 5e-5);
    ck_assert_uint_eq(schema->columns[784].value_count, 10);
    ck_assert_double_eq(schema->columns[784].mean, 4.5); /* 6,000 of each class */
    ock_dataset_free(dataset);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

int main(void)
{
    Suite *suite = suite_create("data_import_idx");
    TCase *tcase = tcase_create("idx");
    tcase_add_checked_fixture(tcase, kit_setup, kit_teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, images_keep_bytes_and_shape);
    tcase_add_test(tcase, a_byte_column_of_all_values_lists_them);
    tcase_add_loop_test(tcase, every_type_is_read, 0, COUNT(types));
    tcase_add_test(tcase, wide_and_narrow_columns_keep_their_order);
    tcase_add_test(tcase, float_labels_with_fractions_are_numbers);
    tcase_add_test(tcase, labels_may_have_many_classes);
    tcase_add_loop_test(tcase, wrong_arrays_are_refused_with_their_place, 0, COUNT(faults));
    tcase_add_test(tcase, a_gzip_bomb_is_refused);
    tcase_add_test(tcase, labels_do_not_go_with_a_table);
    tcase_add_test(tcase, fashion_mnist_is_the_known_one);
    suite_add_tcase(suite, tcase);
    return kit_run(suite);
}
