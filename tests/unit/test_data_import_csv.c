/* CSV to datasets: tables worked by hand, the same table in every spelling, types, header and target
 * by tables of cases, and everything that is wrong with a file by its place. */
#include "tests/unit/data_kit.h"

#include "core/base/limits.h"

START_TEST(a_small_table_is_read_as_it_stands)
{
    struct ock_dataset *dataset =
        kit_csv("a,b,kind\n1,2.5,red\n-3,0,blue\n4e2,?,red\n", (struct ock_import){0});
    const struct ock_schema *schema = ock_dataset_schema(dataset);
    ck_assert_uint_eq(schema->rows, 3);
    ck_assert_uint_eq(schema->column_count, 3);
    ck_assert_str_eq(schema->format, "csv");
    ck_assert_uint_eq(schema->target, 2);
    ck_assert_uint_eq(schema->shape_count, 0);

    const struct ock_column *a = kit_column(dataset, "a");
    ck_assert_int_eq(a->type, OCK_COLUMN_NUMBER);
    ck_assert(a->whole);
    ck_assert_double_eq(a->min, -3);
    ck_assert_double_eq(a->max, 400);
    ck_assert_double_eq_tol(a->mean, 398.0 / 3, 1e-12);
    ck_assert_uint_eq(a->value_count, 3);
    ck_assert_str_eq(a->values[0], "-3");
    ck_assert_str_eq(a->values[2], "400");
    ck_assert_double_eq(kit_number(dataset, "a", 2), 400);

    const struct ock_column *b = kit_column(dataset, "b");
    ck_assert(!b->whole);
    ck_assert_uint_eq(b->missing, 1);
    ck_assert_double_nan(kit_number(dataset, "b", 2));

    ck_assert_str_eq(kit_text(dataset, "kind", 0), "red");
    ck_assert_str_eq(kit_text(dataset, "kind", 1), "blue");
    ck_assert_str_eq(kit_column(dataset, "kind")->values[0], "blue"); /* sorted */
    ock_dataset_free(dataset);
}
END_TEST

/* One table; all of these are spellings of it. */
static const struct {
    const char *text;
    char delimiter;
} spellings[] = {
    {"a,b,y\n1,2.5,p\n3,-4,q\n", 0},
    {"a,b,y\r\n1,2.5,p\r\n3,-4,q\r\n", 0},
    {"\xef\xbb\xbf"
     "a,b,y\n1,2.5,p\n3,-4,q",
     0},
    {"a,b,y\n1,2.5,p\n3,-4,q\n\n\n", 0},
    {"\n\na,b,y\n\n1,2.5,p\n3,-4,q\n", 0},
    {"a,b,y\r1,2.5,p\r3,-4,q\r", 0},
    {"a;b;y\n1;2.5;p\n3;-4;q\n", 0},
    {"a\tb\ty\n1\t2.5\tp\n3\t-4\tq\n", 0},
    {"a|b|y\n1|2.5|p\n3|-4|q\n", 0},
    {"a:b:y\n1:2.5:p\n3:-4:q\n", ':'},
    {"\"a\",\"b\",\"y\"\n\"1\",\"2.5\",\"p\"\n3,-4,q\n", 0},
    {" a , b , y \n 1 ,  2.5,\tp\n3,-4, q\n", 0},
    {"a,b,y\n+1,25e-1,p\n3.0,-4.,q\n", 0},
    {"a,b,y\n1.0E0,.25e+1,p\n0.3e1,-0004,q\n", 0},
};

START_TEST(spellings_of_one_table_are_one_dataset)
{
    struct ock_dataset *first = kit_csv_as("other", spellings[0].text, (struct ock_import){0});
    struct ock_dataset *dataset =
        kit_csv(spellings[_i].text, (struct ock_import){.delimiter = spellings[_i].delimiter});
    ck_assert_str_eq(ock_dataset_sha256(dataset), ock_dataset_sha256(first));
    ck_assert_double_eq(kit_number(dataset, "b", 0), 2.5);
    ck_assert_double_eq(kit_number(dataset, "a", 1), 3);
    ck_assert_str_eq(kit_text(dataset, "y", 1), "q");
    ock_dataset_free(dataset);
    ock_dataset_free(first);
}
END_TEST

START_TEST(gzip_and_a_pipe_give_the_same_dataset)
{
    const char *text = spellings[0].text;
    struct ock_dataset *plain = kit_csv_as("other", text, (struct ock_import){0});
    kit_write_gzip("in", text, strlen(text));
    ck_assert_int_eq(kit_import((struct ock_import){0}, 0, NULL), OCK_OK);
    struct ock_dataset *packed = kit_open("out");
    ck_assert_str_eq(ock_dataset_sha256(packed), ock_dataset_sha256(plain));
    ock_dataset_free(packed);

    int ends[2];
    char path[64];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], text, strlen(text)), (ssize_t)strlen(text));
    ck_assert_int_eq(close(ends[1]), 0);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
    struct ock_import import = {.source = path, .out = kit_path("out")};
    struct ock_err err = {.text = ""};
    ck_assert_msg(ock_import_run(&import, &err) == OCK_OK, "%s", err.text);
    struct ock_dataset *piped = kit_open("out");
    ck_assert_str_eq(ock_dataset_sha256(piped), ock_dataset_sha256(plain));
    ck_assert_int_eq(close(ends[0]), 0);
    ock_dataset_free(piped);
    ock_dataset_free(plain);
}
END_TEST

START_TEST(two_gzip_members_are_one_text)
{
    kit_write_gzip("other", "a,y\n1,p\n", 8);
    kit_write_gzip("third", "2,q\n", 4);
    char bytes[512];
    FILE *one = fopen(kit_path("other"), "rb");
    FILE *two = fopen(kit_path("third"), "rb");
    ck_assert_ptr_nonnull(one);
    ck_assert_ptr_nonnull(two);
    size_t size = fread(bytes, 1, 200, one);
    size += fread(bytes + size, 1, 200, two);
    memset(bytes + size, 0, 20); /* padding, as on a tape */
    (void)fclose(one);
    (void)fclose(two);
    kit_write("in", bytes, size + 20);
    struct ock_err err = {.text = ""};
    ck_assert_msg(kit_import((struct ock_import){0}, 0, &err) == OCK_OK, "%s", err.text);
    struct ock_dataset *dataset = kit_open("out");
    ck_assert_uint_eq(ock_dataset_schema(dataset)->rows, 2);
    ck_assert_double_eq(kit_number(dataset, "a", 1), 2);
    ock_dataset_free(dataset);
}
END_TEST

START_TEST(quotes_hold_delimiters_quotes_and_lines)
{
    struct ock_dataset *dataset = kit_csv(
        "n,y\n1,\"a, b\"\n2,\"say \"\"so\"\"\"\n3,\"two\nlines\"\n", (struct ock_import){0});
    ck_assert_str_eq(kit_text(dataset, "y", 0), "a, b");
    ck_assert_str_eq(kit_text(dataset, "y", 1), "say \"so\"");
    ck_assert_str_eq(kit_text(dataset, "y", 2), "two\nlines");
    ock_dataset_free(dataset);
}
END_TEST

/* A column [5] below a header, and what becomes of it. */
static const struct {
    const char *values[5];
    enum ock_column_type type;
    size_t missing, distinct;
    int boolean, wide;
} columns[] = {
    {{"1", "2", "3", "4", "5"}, OCK_COLUMN_NUMBER, 0, 5, 0, 0},
    {{"1", "", "?", "NA", "5"}, OCK_COLUMN_NUMBER, 3, 2, 0, 0},
    {{"NaN", "nan", "null", "NULL", "n/a"}, OCK_COLUMN_NUMBER, 5, 0, 0, 0},
    {{"1", "2", "x", "4", "5"}, OCK_COLUMN_CATEGORY, 0, 5, 0, 0},
    {{"a", "", "b", "?", "a"}, OCK_COLUMN_CATEGORY, 2, 2, 0, 0},
    {{"true", "false", "TRUE", "False", "true"}, OCK_COLUMN_CATEGORY, 0, 4, 1, 0},
    {{"yes", "no", "", "yes", "no"}, OCK_COLUMN_CATEGORY, 1, 2, 1, 0},
    {{"t", "t", "t", "t", "t"}, OCK_COLUMN_CATEGORY, 0, 1, 1, 0},
    {{"y", "n", "maybe", "y", "n"}, OCK_COLUMN_CATEGORY, 0, 3, 0, 0},
    {{"0x10", "1", "2", "3", "4"}, OCK_COLUMN_CATEGORY, 0, 5, 0, 0},
    {{"1", "1.0", "1e0", "01", "+1"}, OCK_COLUMN_NUMBER, 0, 1, 0, 1}, /* constant: no range */
    {{"0", "-0", "0.0", "0e9", "0"}, OCK_COLUMN_NUMBER, 0, 1, 0, 0},
    {{"16777216", "0", "1", "2", "3"}, OCK_COLUMN_NUMBER, 0, 5, 0, 0}, /* 2^24 fits float32 */
    {{"16777217", "0", "1", "2", "3"}, OCK_COLUMN_NUMBER, 0, 5, 0, 1}, /* 2^24 + 1 does not */
    {{"1000.5", "1000.6", "1000.7", "1000.8", "1000.9"}, OCK_COLUMN_NUMBER, 0, 5, 0, 1},
    {{"0.1", "0.2", "0.3", "0.4", "0.5"}, OCK_COLUMN_NUMBER, 0, 5, 0, 0},
    {{"1e-40", "2e-40", "3e-40", "0", "5e-40"}, OCK_COLUMN_NUMBER, 0, 5, 0, 1},
    {{"1e300", "1", "2", "3", "4"}, OCK_COLUMN_NUMBER, 0, 5, 0, 1},
};

START_TEST(a_column_has_the_type_that_all_its_fields_have)
{
    char text[512];
    int used = snprintf(text, sizeof(text), "v,y\n");
    for (size_t i = 0; i < 5; i++)
        used += snprintf(text + used, sizeof(text) - (size_t)used, "%s,%zu\n",
                         columns[_i].values[i], i);
    struct ock_dataset *dataset = kit_csv(text, (struct ock_import){.header = OCK_HEADER_YES});
    const struct ock_column *column = kit_column(dataset, "v");
    ck_assert_int_eq(column->type, columns[_i].type);
    ck_assert_uint_eq(column->missing, columns[_i].missing);
    ck_assert_uint_eq(column->value_count, columns[_i].distinct);
    ck_assert_int_eq(column->boolean, columns[_i].boolean);
    size_t count;
    const struct ock_block *blocks = ock_dataset_blocks(dataset, &count);
    ck_assert_uint_lt(column->block, count);
    enum ock_storage narrow = column->type == OCK_COLUMN_CATEGORY ? OCK_STORE_U32 : OCK_STORE_F32;
    ck_assert_int_eq(blocks[column->block].storage, columns[_i].wide ? OCK_STORE_F64 : narrow);
    for (size_t i = 0; i < 5 && columns[_i].type == OCK_COLUMN_NUMBER; i++) {
        char *end;
        double expected = strtod(columns[_i].values[i], &end);
        double found = kit_number(dataset, "v", i);
        if (*end || end == columns[_i].values[i] || isnan(expected))
            ck_assert_double_nan(found);
        else
            ck_assert_double_eq(found, columns[_i].wide ? expected : (double)(float)expected);
    }
    ock_dataset_free(dataset);
}
END_TEST

/* Is the first row a header, and what is the first column called? */
static const struct {
    const char *text;
    enum ock_header header;
    size_t rows;
    const char *first;
} headers[] = {
    {"a,b\n1,2\n3,4\n", OCK_HEADER_AUTO, 2, "a"},
    {"1,2\n3,4\n", OCK_HEADER_AUTO, 2, "c0"},
    {"1,x\n3,y\n", OCK_HEADER_AUTO, 2, "c0"}, /* a number in the first row */
    {"x,1\ny,2\n", OCK_HEADER_AUTO, 2, "c0"},
    {"a,b\np,1\nq,2\n", OCK_HEADER_AUTO, 2, "a"},
    {"a,b\np,q\nr,s\n", OCK_HEADER_AUTO, 2, "a"},  /* text alone: different names */
    {"p,p\np,q\nr,s\n", OCK_HEADER_AUTO, 3, "c0"}, /* text alone, the same twice: data */
    {"a,b\n1,\n?,2\n", OCK_HEADER_AUTO, 2, "a"},
    {",a,b\n0,1,2\n1,3,4\n", OCK_HEADER_AUTO, 2, "c0"},         /* an index column without a name */
    {"id,2019,2020\n1,2,3\n4,5,6\n", OCK_HEADER_AUTO, 2, "id"}, /* a text above numbers */
    {"id,7,7\n1,2,3\n4,5,6\n", OCK_HEADER_AUTO, 3, "c0"},       /* but two of one name */
    {"?,7,8\n1,2,3\n4,5,6\n", OCK_HEADER_AUTO, 3, "c0"},        /* a missing value */
    {"a,b\n1,2\n3,4\n", OCK_HEADER_NO, 3, "c0"},
    {"1,2\n3,4\n", OCK_HEADER_YES, 1, "1"},
};

START_TEST(header_is_found_or_told)
{
    struct ock_dataset *dataset =
        kit_csv(headers[_i].text, (struct ock_import){.header = headers[_i].header});
    const struct ock_schema *schema = ock_dataset_schema(dataset);
    ck_assert_uint_eq(schema->rows, headers[_i].rows);
    ck_assert_str_eq(schema->columns[0].name, headers[_i].first);
    ock_dataset_free(dataset);
}
END_TEST

static const struct {
    const char *header, *target;
    size_t column; /* SIZE_MAX: refused */
    const char *says;
} targets[] = {
    {"a,b,c", NULL, 2, ""},
    {"a,Label,c", NULL, 1, ""},
    {"target,b,c", NULL, 0, ""},
    {"y,class,c", NULL, 2, ""}, /* two candidates: the last column */
    {"a,b,c", "b", 1, ""},
    {"a,b,c", "0", 0, ""},
    {"a,b,c", "-1", 2, ""},
    {"a,b,c", "-3", 0, ""},
    {"a,b,0", "0", 2, ""}, /* a name comes before a place */
    {"a,b,c", "3", SIZE_MAX, "0 to 2"},
    {"a,b,c", "-4", SIZE_MAX, "0 to 2"},
    {"a,b,c", "", SIZE_MAX, "no column"},
    {"a,species,c", "specis", SIZE_MAX, "did you mean \"species\""},
};

START_TEST(target_is_guessed_named_or_numbered)
{
    char text[128];
    (void)snprintf(text, sizeof(text), "%s\n1,2,3\n4,5,6\n", targets[_i].header);
    kit_write("in", text, strlen(text));
    struct ock_err err = {.text = ""};
    struct ock_import import = {.target = targets[_i].target, .header = OCK_HEADER_YES};
    enum ock_status status = kit_import(import, 0, &err);
    if (targets[_i].column == SIZE_MAX) {
        ck_assert_int_eq(status, OCK_INVALID);
        ck_assert_ptr_nonnull(strstr(err.text, targets[_i].says));
        return;
    }
    ck_assert_msg(status == OCK_OK, "%s", err.text);
    struct ock_dataset *dataset = kit_open("out");
    ck_assert_uint_eq(ock_dataset_schema(dataset)->target, targets[_i].column);
    ock_dataset_free(dataset);
}
END_TEST

#define BYTES(text) text, sizeof(text) - 1

/* What is wrong with the bytes, and what the error must say. */
static const struct {
    const char *bytes;
    size_t size;
    enum ock_status status;
    const char *says[2];
} faults[] = {
    {BYTES(""), OCK_INVALID, {"empty", ""}},
    {BYTES("\n\n\n"), OCK_INVALID, {"empty", ""}},
    {BYTES("\xef\xbb\xbf"), OCK_INVALID, {"empty", ""}},
    {BYTES("a\n1\n2\n"), OCK_INVALID, {"line 1, column 1: has one field", "delimiter"}},
    {BYTES("a,b\n"), OCK_INVALID, {"header but no rows", ""}},
    {BYTES("a,b\n1,2\n3\n"), OCK_INVALID, {"line 3, column 2", "1 field,"}},
    {BYTES("a,b\n1,2\n\n3,4,5\n"), OCK_INVALID, {"line 4, column 3", "3 fields"}},
    {BYTES("a,b\n1,\"x\ny\"\n3\n"), OCK_INVALID, {"line 4", "1 field,"}},
    {BYTES("a,a\n1,2\n"), OCK_INVALID, {"line 1", "\"a\""}},
    {BYTES("a,c0\n1,2\n"), OCK_OK, {"", ""}},
    {BYTES(",c0\n1,2\n"), OCK_INVALID, {"line 1", "\"c0\""}},
    {BYTES("a,b\n1,2\ninf,3\n"), OCK_INVALID, {"line 3, column 1 (\"a\")", "infinite"}},
    {BYTES("a,b\n1,2\n-Infinity,3\n"), OCK_INVALID, {"line 3", "infinite"}},
    {BYTES("a,b\n1,2\n2,1e999\n"), OCK_INVALID, {"line 3, column 2 (\"b\")", "infinite"}},
    {BYTES("a,b\n1,2\nx,3\ninf,4\n"), OCK_OK, {"", ""}}, /* a text among texts */
    {BYTES("a,b\n1,2\n3,\"4\n5,6\n"), OCK_INVALID, {"line 3", "never ends"}},
    {BYTES("a,b\n1,2\n3,x\"y\n"), OCK_OK, {"", ""}}, /* a quote that begins no field */
    {BYTES("a,b\n1,2\n3,\"x\"y\n"), OCK_INVALID, {"line 3, column 6", "quote"}},
    {BYTES("a,b\n1,2\n3, \"x\ny\" \"\n"), OCK_INVALID, {"line 4, column 4", "quote"}},
    {BYTES("a,b\r1,2\r3\r"), OCK_INVALID, {"line 3, column 2", "1 field,"}},
    {BYTES("a,b\r\n1,2\r\n\r\n3\r\n"), OCK_INVALID, {"line 4, column 2", "1 field,"}},
    {BYTES("a,b\n1,\"x\n\0\"\n"), OCK_INVALID, {"line 3, column 1", "NUL"}},
    {BYTES("a,b\n1,\0\n"), OCK_INVALID, {"line 2", "NUL"}},
    {BYTES("a,b\n1,2\n\0"), OCK_INVALID, {"line 3", "NUL"}},
    {BYTES("a,\xff\xfe\n1,2\n"), OCK_INVALID, {"line 1, column 2", "UTF-8"}},
    {BYTES("a,b\n1,2\n3,caf\xe9\n"), OCK_INVALID, {"line 3, column 2 (\"b\")", "UTF-8"}},
    {BYTES("\xff\xfe"
           "a\0,\0"),
     OCK_INVALID,
     {"UTF-16", "UTF-8"}},
    {BYTES("2024-01-01 12:30:00,5\n2024-01-02 12:30:00,6\n"), OCK_OK, {"", ""}}, /* no svmlight */
    {BYTES("\x28\xb5\x2f\xfd\xff\xff\xff\xff"), OCK_INVALID, {"zstd", "cut off"}},
    {BYTES("PK\x03\x04----"), OCK_UNSUPPORTED, {"zip", ""}},
    {BYTES("\x1f\x8b"), OCK_INVALID, {"gzip", "cut off"}},
    {BYTES("\x1f\x8b\x08----------"), OCK_INVALID, {"gzip", "damaged"}},
};

START_TEST(wrong_files_are_refused_with_their_place)
{
    struct ock_err err = {.text = ""};
    kit_write("in", faults[_i].bytes, faults[_i].size);
    enum ock_status status = kit_import((struct ock_import){0}, 0, &err);
    ck_assert_msg(status == faults[_i].status, "%s: %s", ock_status_name(status), err.text);
    for (size_t i = 0; i < 2; i++)
        ck_assert_msg(strstr(err.text, faults[_i].says[i]) != NULL, "%s", err.text);
    if (status != OCK_OK) {
        ck_assert_int_ne(access(kit_path("out"), F_OK), 0);
        ck_assert_int_ne(access(kit_path("out.tmp"), F_OK), 0);
    }
}
END_TEST

START_TEST(cut_gzip_is_refused)
{
    char text[4000];
    for (size_t i = 0; i + 4 <= sizeof(text); i += 4)
        memcpy(text + i, "1,2\n", 4);
    kit_write_gzip("other", text, sizeof(text));
    char bytes[4000];
    FILE *file = fopen(kit_path("other"), "rb");
    ck_assert_ptr_nonnull(file);
    size_t size = fread(bytes, 1, sizeof(bytes), file);
    (void)fclose(file);
    struct ock_err err = {.text = ""};
    for (size_t cut = 3; cut < size; cut += 3) {
        kit_write("in", bytes, cut);
        ck_assert_int_eq(kit_import((struct ock_import){0}, 0, &err), OCK_INVALID);
        ck_assert_ptr_nonnull(strstr(err.text, "cut off"));
    }
    bytes[size - 6] ^= 1; /* its checksum */
    kit_write("in", bytes, size);
    ck_assert_int_eq(kit_import((struct ock_import){0}, 0, &err), OCK_INVALID);
    ck_assert_ptr_nonnull(strstr(err.text, "damaged"));
}
END_TEST

/* A text in the last field of `size` bytes, the limit and one more; likewise for names. */
START_TEST(fields_and_names_have_a_limit)
{
    struct ock_err err = {.text = ""};
    static char text[OCK_CSV_FIELD_BYTES_MAX + 64];
    for (size_t over = 0; over < 2; over++) {
        size_t size = OCK_CSV_FIELD_BYTES_MAX + over;
        size_t used = (size_t)snprintf(text, sizeof(text), "a,b\n1,");
        memset(text + used, 'x', size);
        text[used + size] = '\n';
        kit_write("in", text, used + size + 1);
        enum ock_status status = kit_import((struct ock_import){0}, 0, &err);
        ck_assert_int_eq(status, over ? OCK_INVALID : OCK_OK);
    }
    ck_assert_ptr_nonnull(strstr(err.text, "line 2, field 2"));
    for (size_t over = 0; over < 2; over++) {
        size_t size = OCK_NAME_BYTES_MAX - 1 + over;
        memset(text, 'n', size);
        size_t used = size + (size_t)snprintf(text + size, sizeof(text) - size, ",b\n1,2\n");
        kit_write("in", text, used);
        struct ock_import import = {.header = OCK_HEADER_YES};
        ck_assert_int_eq(kit_import(import, 0, &err), over ? OCK_INVALID : OCK_OK);
    }
    ck_assert_ptr_nonnull(strstr(err.text, "line 1, column 1"));
}
END_TEST

/* Tabs delimit here, so they are no space to be cut off; blanks alone are an empty field. */
START_TEST(empty_fields_between_tabs_are_missing)
{
    struct ock_dataset *dataset =
        kit_csv("a\tb\ty\n\t2\tp\n1\t\tq\n3\t  \tp\n4\t5\t\n", (struct ock_import){0});
    ck_assert_uint_eq(ock_dataset_schema(dataset)->rows, 4);
    ck_assert_uint_eq(kit_column(dataset, "a")->missing, 1);
    ck_assert_uint_eq(kit_column(dataset, "b")->missing, 2);
    ck_assert_uint_eq(kit_column(dataset, "y")->missing, 1);
    ck_assert_double_eq(kit_number(dataset, "a", 3), 4);
    ck_assert_double_eq(kit_number(dataset, "b", 0), 2);
    ck_assert_double_eq(kit_number(dataset, "y", 3), (double)UINT32_MAX);
    ock_dataset_free(dataset);
}
END_TEST

START_TEST(delimiters_within_quotes_do_not_count)
{
    struct ock_dataset *dataset =
        kit_csv("a;\"b,c,d,e\"\n1;\"x,y,z,w\"\n2;\"p,q,r,s\"\n", (struct ock_import){0});
    ck_assert_uint_eq(ock_dataset_schema(dataset)->column_count, 2);
    ck_assert_str_eq(kit_text(dataset, "b,c,d,e", 1), "p,q,r,s");
    ock_dataset_free(dataset);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

int main(void)
{
    Suite *suite = suite_create("data_import_csv");
    TCase *tcase = tcase_create("csv");
    tcase_add_checked_fixture(tcase, kit_setup, kit_teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, a_small_table_is_read_as_it_stands);
    tcase_add_loop_test(tcase, spellings_of_one_table_are_one_dataset, 0, COUNT(spellings));
    tcase_add_test(tcase, gzip_and_a_pipe_give_the_same_dataset);
    tcase_add_test(tcase, two_gzip_members_are_one_text);
    tcase_add_test(tcase, quotes_hold_delimiters_quotes_and_lines);
    tcase_add_loop_test(tcase, a_column_has_the_type_that_all_its_fields_have, 0, COUNT(columns));
    tcase_add_loop_test(tcase, header_is_found_or_told, 0, COUNT(headers));
    tcase_add_loop_test(tcase, target_is_guessed_named_or_numbered, 0, COUNT(targets));
    tcase_add_loop_test(tcase, wrong_files_are_refused_with_their_place, 0, COUNT(faults));
    tcase_add_test(tcase, cut_gzip_is_refused);
    tcase_add_test(tcase, fields_and_names_have_a_limit);
    tcase_add_test(tcase, empty_fields_between_tabs_are_missing);
    tcase_add_test(tcase, delimiters_within_quotes_do_not_count);
    suite_add_tcase(suite, tcase);
    return kit_run(suite);
}
