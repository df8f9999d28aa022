/* NPY to datasets: arrays that NumPy itself wrote (tests/data/npy/make.py), and headers by hand that
 * lie or are damaged. */
#include "tests/unit/data_kit.h"

#include "core/base/limits.h"

#define BYTES(text) text, sizeof(text) - 1

static const char *npy(const char *name)
{
    static char paths[2][512];
    static size_t next;
    char *path = paths[next++ % 2];
    (void)snprintf(path, sizeof(paths[0]), OCK_TEST_DATA "/npy/%s.npy", name);
    return path;
}

static enum ock_status import_npy(const char *x, const char *labels, const char *target,
                                  struct ock_err *err)
{
    struct ock_import import = {.source = npy(x),
                                .labels = labels ? npy(labels) : NULL,
                                .out = kit_path("out"),
                                .target = target};
    return ock_import_run(&import, err);
}

static struct ock_dataset *imported(const char *x, const char *labels, const char *target)
{
    struct ock_err err = {.text = ""};
    ck_assert_msg(import_npy(x, labels, target, &err) == OCK_OK, "%s: %s", x, err.text);
    return kit_open("out");
}

static double cell(const struct ock_dataset *dataset, size_t row, size_t column)
{
    return ock_dataset_number(dataset, column, row);
}

static const struct {
    const char *name;
    double more; /* than 10 i + j */
    enum ock_storage storage;
} tables[] = {
    {"f2", 0.5, OCK_STORE_F32},       {"f4", 0.5, OCK_STORE_F32},
    {"f8", 0.5, OCK_STORE_F32},       {"f4_big", 0.5, OCK_STORE_F32},
    {"version2", 0.5, OCK_STORE_F32}, {"f8_fortran", 0.5, OCK_STORE_F32},
    {"i1", 0, OCK_STORE_F32},         {"i2_big", 0, OCK_STORE_F32},
    {"i4", 0, OCK_STORE_F32},         {"i8_fortran", 0, OCK_STORE_F32},
    {"u2", 0, OCK_STORE_F32},         {"u4_big", 0, OCK_STORE_F32},
    {"u8", 0, OCK_STORE_F32},         {"u1", 0, OCK_STORE_U8},
};

START_TEST(every_type_and_order_is_a_table)
{
    struct ock_dataset *dataset = imported(tables[_i].name, NULL, NULL);
    const struct ock_schema *schema = ock_dataset_schema(dataset);
    ck_assert_str_eq(schema->format, "npy");
    ck_assert_uint_eq(schema->rows, 5);
    ck_assert_uint_eq(schema->column_count, 3);
    ck_assert_uint_eq(schema->target, 2); /* the last one */
    ck_assert(!schema->has_labels);
    ck_assert_uint_eq(schema->shape_count, 0);
    ck_assert_str_eq(schema->columns[2].name, "c2");
    size_t count;
    const struct ock_block *blocks = ock_dataset_blocks(dataset, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(blocks[0].storage, tables[_i].storage);
    for (size_t i = 0; i < 5; i++) {
        for (size_t j = 0; j < 3; j++)
            ck_assert_double_eq(cell(dataset, i, j), (double)(10 * i + j) + tables[_i].more);
    }
    ck_assert_double_eq(schema->columns[1].min, 1 + tables[_i].more);
    ck_assert_double_eq(schema->columns[1].max, 41 + tables[_i].more);
    ck_assert_double_eq(schema->columns[1].mean, 21 + tables[_i].more);
    ck_assert_int_eq(ock_dataset_verify(dataset, NULL), OCK_OK);
    ock_dataset_free(dataset);
}
END_TEST

START_TEST(a_boolean_is_0_or_1)
{
    struct ock_dataset *dataset = imported("bool", NULL, "0");
    ck_assert_uint_eq(ock_dataset_schema(dataset)->target, 0);
    ck_assert_int_eq(kit_column(dataset, "c1")->type, OCK_COLUMN_NUMBER);
    ck_assert_double_eq(cell(dataset, 0, 0), 0);
    ck_assert_double_eq(cell(dataset, 0, 1), 1);
    ock_dataset_free(dataset);
}
END_TEST

START_TEST(images_and_their_labels)
{
    static const char *const x[] = {"images", "images_fortran", "numbers_fortran"};
    static const char *const y[] = {"labels", "column"};
    const char *because = NULL;
    struct ock_dataset *dataset = imported(x[_i % 3], y[_i / 3], NULL);
    const struct ock_schema *schema = ock_dataset_schema(dataset);
    ck_assert_uint_eq(schema->rows, 4);
    ck_assert_uint_eq(schema->column_count, 7);
    ck_assert_uint_eq(schema->target, 6);
    ck_assert(schema->has_labels);
    ck_assert_uint_eq(schema->shape_count, 2);
    ck_assert_uint_eq(schema->shape[0], 2);
    ck_assert_uint_eq(schema->shape[1], 3);
    ck_assert_str_eq(schema->columns[5].name, "x5");
    ck_assert_str_eq(schema->columns[6].name, "label");
    ck_assert_int_eq(schema->columns[0].type, _i % 3 < 2 ? OCK_COLUMN_BYTE : OCK_COLUMN_NUMBER);
    for (size_t i = 0; i < 4; i++) {
        for (size_t c = 0; c < 6; c++)
            ck_assert_double_eq(cell(dataset, i, c), (double)(6 * i + c));
    }
    ck_assert_double_eq(cell(dataset, 0, 6), 2);
    ck_assert_double_eq(cell(dataset, 1, 6), 0);
    ck_assert_int_eq(ock_schema_target_kind(schema, 6, &because), OCK_TARGET_CLASSES);
    ock_dataset_free(dataset);
}
END_TEST

START_TEST(labels_may_be_idx)
{
    kit_write("labels", BYTES("\0\0\x08\1\0\0\0\4\2\0\1\2"));
    struct ock_err err = {.text = ""};
    struct ock_import import = {
        .source = npy("images"), .labels = kit_path("labels"), .out = kit_path("out")};
    ck_assert_msg(ock_import_run(&import, &err) == OCK_OK, "%s", err.text);
    struct ock_dataset *dataset = kit_open("out");
    ck_assert_double_eq(kit_number(dataset, "label", 3), 2);
    ock_dataset_free(dataset);
}
END_TEST

START_TEST(halves_are_exact_and_nan_is_missing)
{
    struct ock_dataset *dataset = imported("special", NULL, NULL);
    ck_assert_double_eq(cell(dataset, 0, 0), 1);
    ck_assert_double_nan(cell(dataset, 0, 1));
    ck_assert_double_eq(cell(dataset, 1, 0), 65504);
    ck_assert_double_eq(cell(dataset, 1, 1), ldexp(1, -24)); /* denormal in 16 bits */
    ck_assert_uint_eq(kit_column(dataset, "c1")->missing, 1);
    ock_dataset_free(dataset);
}
END_TEST

START_TEST(wide_integers_stay_whole)
{
    struct ock_dataset *dataset = imported("wide", NULL, NULL);
    ck_assert_double_eq(cell(dataset, 0, 0), 9007199254740991.0);
    ck_assert_double_eq(cell(dataset, 0, 1), -9007199254740992.0);
    ock_dataset_free(dataset);
}
END_TEST

static const struct {
    const char *x, *labels, *says;
} files[] = {
    {"objects", NULL, "Python objects ('|O'), which are never unpickled"},
    {"text", NULL, "its dtype '<U1' is not read"},
    {"complex", NULL, "its dtype '<c16' is not read"},
    {"structured", NULL, "a structured array"},
    {"infinite", NULL, "byte 152: an infinite number in row 2"},
    {"images", NULL, "has 3 dimensions, a table has two"},
    {"labels", NULL, "byte 61: has 1 dimension, a table has two"},
    {"column", NULL, "has one column, two are needed"},
    {"f4", "labels", "x has 5 rows, there are 4 labels"},
    {"images", "images", "labels: byte 61: have 3 dimensions"},
    {"images", "objects", "labels: byte 20: holds Python objects"},
};

START_TEST(what_is_no_table_is_refused)
{
    struct ock_err err = {.text = ""};
    ck_assert_int_eq(import_npy(files[_i].x, files[_i].labels, NULL, &err), OCK_INVALID);
    ck_assert_msg(strstr(err.text, files[_i].says) != NULL, "%s", err.text);
    ck_assert_int_ne(access(kit_path("out"), F_OK), 0);
}
END_TEST

/* A header of version 1 around a literal, then two bytes of data. */
static const struct {
    const char *literal;
    enum ock_status status;
    const char *says;
} literals[] = {
    {"", OCK_INVALID, "byte 10: expected '{'"},
    {"{", OCK_INVALID, "byte 11: expected a key"},
    {"{}", OCK_INVALID, "expected 'descr', 'fortran_order' and 'shape'"},
    {"{'descr': '|u1'}", OCK_INVALID, "expected 'descr', 'fortran_order' and 'shape'"},
    {"{'descr' '|u1'}", OCK_INVALID, "expected a key and ':'"},
    {"{'descr': 3}", OCK_INVALID, "byte 20: expected a dtype"},
    {"{'descr': '|u1", OCK_INVALID, "expected a dtype"},
    {"{'descr': '|u1 but far longer than any type is called'}", OCK_INVALID, "expected a dtype"},
    {"{'descr': ''}", OCK_INVALID, "its dtype '' is not read"},
    {"{'descr': '<<f4'}", OCK_INVALID, "its dtype '<<f4' is not read"},
    {"{'descr': '|f8'}", OCK_INVALID, "its dtype '|f8' is not read"},
    {"{'descr': '<f16'}", OCK_INVALID, "its dtype '<f16' is not read"},
    {"{'other': '|u1'}", OCK_INVALID, "byte 11: expected 'descr'"},
    {"{'descr': '|u1', 'descr': '|u1'}", OCK_INVALID, "each once"},
    {"{'descr': '|u1', 'fortran_order': 1}", OCK_INVALID, "expected True or False"},
    {"{'shape': 3}", OCK_INVALID, "byte 20: expected a shape"},
    {"{'shape': ()}", OCK_INVALID, "its shape is ()"},
    {"{'shape': (1, x)}", OCK_INVALID, "byte 24: expected a dimension"},
    {"{'shape': (-1, 2)}", OCK_INVALID, "byte 21: expected a dimension"},
    {"{'shape': (1 2)}", OCK_INVALID, "expected ',' or ')'"},
    {"{'shape': (1, 0)}", OCK_INVALID, "dimension 1 is 0"},
    {"{'shape': (1,1,1,1,1,1)}", OCK_INVALID, "byte 31: has more than 5 dimensions"},
    {"{'shape': (9223372036854775808, 2)}", OCK_LIMIT, "byte 21: has too many rows"},
    {"{'shape': (99999999999999999999999, 2)}", OCK_LIMIT, "too many rows"},
    {"{'shape': (1, 9223372036854775808)}", OCK_LIMIT, "too many numbers"},
    {"{'shape': (1, 65536, 65536, 65536, 65536)}", OCK_LIMIT, "too many numbers"},
    {"{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2)} x", OCK_INVALID, "spaces up to"},
    {"{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2) 'x'}", OCK_INVALID, "',' or '}'"},
    {"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2)}", OCK_INVALID, "where 2 more"},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (4000000000, 1000000)}", OCK_INVALID,
     "promises 32000000000000000 bytes, more than the file's"},
    {"{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2)}", OCK_OK, ""},
    {"{'descr': 'u1', 'fortran_order': False, 'shape': (1, 2)}", OCK_OK, ""},
    {"{\"shape\":(1,2L),\"descr\":\"|u1\",\"fortran_order\":True,}  \n", OCK_OK, ""},
};

START_TEST(headers_are_read_to_the_letter)
{
    struct ock_err err = {.text = ""};
    char file[512] = "\x93NUMPY\1\0";
    size_t length = strlen(literals[_i].literal);
    file[8] = (char)length;
    memcpy(file + 10, literals[_i].literal, length);
    memcpy(file + 10 + length, "\3\4", 2);
    kit_write("in", file, 12 + length);
    enum ock_status status = kit_import((struct ock_import){0}, 0, &err);
    ck_assert_msg(status == literals[_i].status, "%s: %s", ock_status_name(status), err.text);
    ck_assert_msg(strstr(err.text, literals[_i].says) != NULL, "%s", err.text);
    if (status != OCK_OK)
        ck_assert_int_ne(access(kit_path("out"), F_OK), 0);
}
END_TEST

static const struct {
    const char *bytes;
    size_t size;
    const char *says;
} damaged[] = {
    {BYTES("\x93NUMP"), "ends at byte 5"},
    {BYTES("\x93NUMPX\1\0"), "not NPY, it begins with 93 4e"},
    {BYTES("\x93NUMPY\0\0\0\0"), "byte 6: is NPY of version 0"},
    {BYTES("\x93NUMPY\4\0\0\0"), "byte 6: is NPY of version 4"},
    {BYTES("\x93NUMPY\1\0\5"), "ends at byte 9"},
    {BYTES("\x93NUMPY\1\0\x99\0{"), "ends at byte 11, where 152 more"},
    {BYTES("\x93NUMPY\2\0\xff\xff\xff\xff{"), "header has 4294967295 bytes"},
};

START_TEST(damaged_headers_are_refused)
{
    struct ock_err err = {.text = ""};
    kit_write("in", damaged[_i].bytes, damaged[_i].size);
    struct ock_import import = {.format = OCK_FORMAT_NPY};
    ck_assert_int_eq(kit_import(import, 0, &err), OCK_INVALID);
    ck_assert_msg(strstr(err.text, damaged[_i].says) != NULL, "%s", err.text);
}
END_TEST

/* Cut off anywhere, and with one byte more: refused with the place. */
START_TEST(a_cut_file_is_refused)
{
    char whole[512];
    FILE *file = fopen(npy("f4"), "rb");
    ck_assert_ptr_nonnull(file);
    size_t size = fread(whole, 1, sizeof(whole), file);
    (void)fclose(file);
    whole[size] = 'x';
    for (size_t cut = 6; cut <= size + 1; cut++) {
        struct ock_err err = {.text = ""};
        kit_write("in", whole, cut);
        enum ock_status status = kit_import((struct ock_import){0}, 0, &err);
        ck_assert_int_eq(status, cut == size ? OCK_OK : OCK_INVALID);
        if (cut > size)
            ck_assert_ptr_nonnull(strstr(err.text, "goes on after byte 188"));
    }
}
END_TEST

/* More than one chunk, packed, in both orders. */
START_TEST(a_large_array_is_read_in_chunks)
{
    enum { ROWS = 100003, WIDTH = 3, BEGIN = 128 };
    bool fortran = _i == 1;
    unsigned char *file = calloc(1, BEGIN + ROWS * WIDTH * 4);
    ck_assert_ptr_nonnull(file);
    memcpy(file, "\x93NUMPY\1\0", 8);
    file[8] = BEGIN - 10;
    memset(file + 10, ' ', BEGIN - 10);
    int length = snprintf((char *)file + 10, BEGIN - 10,
                          "{'descr': '<i4', 'fortran_order': %s, 'shape': (%d, %d), }",
                          fortran ? "True" : "False", ROWS, WIDTH);
    file[10 + length] = ' ';
    for (size_t row = 0; row < ROWS; row++) {
        for (size_t c = 0; c < WIDTH; c++) {
            uint32_t value = (uint32_t)(7 * row + c);
            size_t place = fortran ? c * ROWS + row : row * WIDTH + c;
            memcpy(file + BEGIN + 4 * place, &value, 4);
        }
    }
    kit_write_gzip("in", file, BEGIN + ROWS * WIDTH * 4);
    free(file);
    struct ock_err err = {.text = ""};
    ck_assert_msg(kit_import((struct ock_import){0}, 0, &err) == OCK_OK, "%s", err.text);
    struct ock_dataset *dataset = kit_open("out");
    for (size_t row = 0; row < ROWS; row++) {
        for (size_t c = 0; c < WIDTH; c++)
            ck_assert_double_eq(cell(dataset, row, c), (double)(7 * row + c));
    }
    ock_dataset_free(dataset);
}
END_TEST

/* What is kept of each column's values does not grow with their number beyond all bounds. */
START_TEST(a_wide_array_keeps_enough_to_tell_classes)
{
    enum { ROWS = 30, WIDTH = 60000, BEGIN = 128 };
    size_t size = BEGIN + (size_t)ROWS * WIDTH;
    unsigned char *file = calloc(1, size);
    ck_assert_ptr_nonnull(file);
    memcpy(file, "\x93NUMPY\1\0", 8);
    file[8] = BEGIN - 10;
    memset(file + 10, ' ', BEGIN - 10);
    memcpy(file + 10, BYTES("{'descr': '|i1', 'fortran_order': True, 'shape': (30, 60000)}"));
    for (size_t row = 0; row < ROWS; row++) {
        file[BEGIN + row] = (unsigned char)row;
        file[BEGIN + ROWS + row] = (unsigned char)(row % 20);
    }
    kit_write("in", file, size);
    free(file);
    struct ock_err err = {.text = ""};
    ck_assert_msg(kit_import((struct ock_import){0}, 0, &err) == OCK_OK, "%s", err.text);
    struct ock_dataset *dataset = kit_open("out");
    ck_assert_uint_eq(kit_column(dataset, "c0")->value_count, 0);
    ck_assert_double_eq(kit_column(dataset, "c0")->max, 29);
    ck_assert_uint_eq(kit_column(dataset, "c1")->value_count, 20);
    ck_assert_uint_eq(kit_column(dataset, "c59999")->value_count, 1);
    ock_dataset_free(dataset);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

int main(void)
{
    Suite *suite = suite_create("data_import_npy");
    TCase *tcase = tcase_create("npy");
    tcase_add_checked_fixture(tcase, kit_setup, kit_teardown);
    tcase_add_loop_test(tcase, every_type_and_order_is_a_table, 0, COUNT(tables));
    tcase_add_test(tcase, a_boolean_is_0_or_1);
    tcase_add_loop_test(tcase, images_and_their_labels, 0, 6);
    tcase_add_test(tcase, labels_may_be_idx);
    tcase_add_test(tcase, halves_are_exact_and_nan_is_missing);
    tcase_add_test(tcase, wide_integers_stay_whole);
    tcase_add_loop_test(tcase, what_is_no_table_is_refused, 0, COUNT(files));
    tcase_add_loop_test(tcase, headers_are_read_to_the_letter, 0, COUNT(literals));
    tcase_add_loop_test(tcase, damaged_headers_are_refused, 0, COUNT(damaged));
    tcase_add_test(tcase, a_cut_file_is_refused);
    tcase_add_test(tcase, a_wide_array_keeps_enough_to_tell_classes);
    tcase_add_loop_test(tcase, a_large_array_is_read_in_chunks, 0, 2);
    suite_add_tcase(suite, tcase);
    return kit_run(suite);
}
