/* One pass and two give the same dataset. A table is imported as it is, and again with a last row
 * that makes the guess from the first rows wrong: all other rows must have the same values. The tables
 * are longer than what is looked at at once. */
#include "tests/unit/data_kit.h"

#include "core/base/buf.h"
#include "core/data/csv_scan.h"
#include "core/data/stats.h"

/* Rows of five kinds of columns: more than are looked at as one, and more codes and doubles than wait
 * in memory. */
enum { ROWS = OCK_CSV_ROWS_MAX + 1000 };

static void add_row(struct ock_buf *text, size_t r)
{
    static const char *const kinds[] = {"red", "green", "", "\"a, b\"", "NA", "blue"};
    ock_buf_printf(text, "%zu,%zu.%zu,%s,id%zu,%d\n", r % 100, r, r % 7, kinds[r % 6], r % 5000,
                   1600000000 + (int)r);
}

static const char header[] = "n,x,kind,id,time\n";

/* Made once for all tests. */
static struct ock_buf rows_text;

static void make_rows(void)
{
    ock_buf_init(&rows_text, OCK_GIB);
    for (size_t r = 0; r < ROWS; r++)
        add_row(&rows_text, r);
}

static void free_rows(void)
{
    ock_buf_deinit(&rows_text);
}

/* The table with `last` as its last row (NULL: none), imported to `out`. */
static struct ock_dataset *import_with(const char *first, const char *last, int threads,
                                       const char *out)
{
    struct ock_buf text;
    ock_buf_init(&text, OCK_GIB);
    ock_buf_puts(&text, first);
    ock_buf_add(&text, rows_text.data, rows_text.size);
    if (last)
        ock_buf_puts(&text, last);
    ck_assert_int_eq(ock_buf_status(&text, NULL), OCK_OK);
    struct ock_dataset *dataset =
        kit_csv_as(out, text.data, (struct ock_import){.threads = threads});
    ock_buf_deinit(&text);
    return dataset;
}

/* Values as texts and numbers, from the table's rule. */
static void check_rows(const struct ock_dataset *dataset)
{
    static const char *const kinds[] = {"red", "green", NULL, "a, b", NULL, "blue"};
    bool n_is_text = kit_column(dataset, "n")->type == OCK_COLUMN_CATEGORY;
    char text[32];
    for (size_t r = 0; r < ROWS; r += r < 50 || r > ROWS - 50 ? 1 : 97) {
        (void)snprintf(text, sizeof(text), "%zu", r % 100);
        if (n_is_text)
            ck_assert_str_eq(kit_text(dataset, "n", r), text);
        else
            ck_assert_double_eq(kit_number(dataset, "n", r), (double)(r % 100));
        (void)snprintf(text, sizeof(text), "%zu.%zu", r, r % 7);
        ck_assert_float_eq((float)kit_number(dataset, "x", r), strtof(text, NULL));
        if (kinds[r % 6])
            ck_assert_str_eq(kit_text(dataset, "kind", r), kinds[r % 6]);
        else
            ck_assert_double_eq(kit_number(dataset, "kind", r), (double)UINT32_MAX);
        (void)snprintf(text, sizeof(text), "id%zu", r % 5000);
        ck_assert_str_eq(kit_text(dataset, "id", r), text);
        ck_assert_double_eq(kit_number(dataset, "time", r), 1600000000.0 + (double)r);
    }
}

static const struct {
    const char *last;
    enum ock_column_type n_type;
    enum ock_storage n_storage;
} lasts[] = {
    {NULL, OCK_COLUMN_NUMBER, OCK_STORE_F32},
    {"7,1.5,red,id1,1600000001\n", OCK_COLUMN_NUMBER, OCK_STORE_F32},
    {"none such,1.5,red,id1,1600000001\n", OCK_COLUMN_CATEGORY, OCK_STORE_U32}, /* a text at last */
    {"16777217,1.5,red,id1,1600000001\n", OCK_COLUMN_NUMBER,
     OCK_STORE_F64}, /* too long for float32 */
};

START_TEST(a_late_row_changes_its_column_alone)
{
    struct ock_dataset *dataset = import_with(header, lasts[_i].last, _i % 2 + 1, "out");
    size_t count;
    const struct ock_block *blocks = ock_dataset_blocks(dataset, &count);
    const struct ock_column *n = kit_column(dataset, "n");
    struct ock_err err;
    ck_assert_int_eq(ock_dataset_verify(dataset, &err), OCK_OK);
    ck_assert_uint_eq(ock_dataset_schema(dataset)->rows, ROWS + (lasts[_i].last ? 1 : 0));
    ck_assert_int_eq(n->type, lasts[_i].n_type);
    ck_assert_int_eq(blocks[n->block].storage, lasts[_i].n_storage);
    size_t missing = 0;
    for (size_t r = 0; r < ROWS; r++)
        missing += r % 6 == 2 || r % 6 == 4;
    ck_assert_uint_eq(kit_column(dataset, "kind")->missing, missing);
    check_rows(dataset);
    ock_dataset_free(dataset);
}
END_TEST

/* Without a header, "id" over numbers is a name only if no other row has text there. */
START_TEST(a_late_text_makes_the_first_row_data)
{
    struct ock_dataset *dataset =
        import_with("id,1,2,3,4\n", "none,1.5,red,id1,1600000001\n", 1, "out");
    ck_assert_uint_eq(ock_dataset_schema(dataset)->rows, ROWS + 2);
    ck_assert_str_eq(kit_text(dataset, "c0", 0), "id");
    ck_assert_str_eq(kit_text(dataset, "c0", ROWS + 1), "none");
    ock_dataset_free(dataset);
    dataset = import_with("id,1,2,3,4\n", NULL, 1, "out");
    ck_assert_uint_eq(ock_dataset_schema(dataset)->rows, ROWS);
    ck_assert_double_eq(kit_number(dataset, "id", 1), 1);
    ock_dataset_free(dataset);
}
END_TEST

START_TEST(threads_change_no_bit)
{
    static const int threads[] = {2, 3, 8};
    const char *last = lasts[_i < 3 ? 0 : 2].last;
    struct ock_dataset *one = import_with(header, last, 1, "out");
    struct ock_dataset *many = import_with(header, last, threads[_i % 3], "other");
    ck_assert_str_eq(ock_dataset_sha256(one), ock_dataset_sha256(many));
    ock_dataset_free(one);
    ock_dataset_free(many);
}
END_TEST

/* A fault behind all rows is told, whatever the second pass would say of those before. */
START_TEST(faults_come_in_the_files_order)
{
    static const struct {
        const char *last, *types, *fault;
    } cases[] = {
        {"1,2,3\n", "kind:number", "line 17386, column 4: has 3 fields, expected the 5 of line 1"},
        {"1,1.5,red,id1,1e999\n", "kind:number",
         "line 17386, column 5 (\"time\"): an infinite number; expected a finite one; mark what is "
         "missing by an empty field"},
        {"1,1.5,red,id1,5\n", "kind:number",
         "line 2, column 3 (\"kind\"): expected a number, as types says; found \"red\""},
        {"x,1.5,red,id1,5\n", "n:number",
         "line 17386, column 1 (\"n\"): expected a number, as types says; found \"x\""},
        {"1,1.5,\xff,id1,5\n", NULL,
         "line 17386, column 3 (\"kind\"): the text is not UTF-8; convert the file"},
    };
    struct ock_buf text;
    ock_buf_init(&text, OCK_GIB);
    ock_buf_puts(&text, header);
    ock_buf_add(&text, rows_text.data, rows_text.size);
    ock_buf_puts(&text, cases[_i].last);
    kit_write("in", text.data, text.size);
    ock_buf_deinit(&text);
    struct ock_err err = {.text = ""};
    struct ock_import import = {.types = cases[_i].types, .threads = 2};
    ck_assert_int_eq(kit_import(import, 0, &err), OCK_INVALID);
    ck_assert_str_eq(err.text, cases[_i].fault);
    ck_assert_int_ne(access(kit_path("out"), F_OK), 0);
}
END_TEST

/* Many at a time as one by one: all fields of the statistics, to the last bit. */
START_TEST(statistics_of_many_are_those_of_each)
{
    double values[257];
    uint32_t state = (uint32_t)_i;
    static const double odd[] = {NAN, INFINITY, -0.0, 0.0, 16777217, 1e300, 0.5, -3};
    struct ock_stats each, many;
    ock_stats_init(&each, 100);
    ock_stats_init(&many, 100);
    for (size_t round = 0; round < 5; round++) {
        for (size_t i = 0; i < 257; i++) {
            state = state * 1664525U + 1013904223U;
            values[i] = state >> 28 < (unsigned)_i % 4 ? odd[state >> 20 & 7]
                                                       : (double)(state >> 16 & 63) / (_i % 2 + 1);
            if (isfinite(values[i]))
                ck_assert_int_eq(ock_stats_add(&each, values[i], NULL), OCK_OK);
        }
        ck_assert_int_eq(ock_stats_add_all(&many, values, 257, NULL), OCK_OK);
        ck_assert_uint_eq(each.count, many.count);
        ck_assert_mem_eq(&each.sum, &many.sum, sizeof(double));
        ck_assert_mem_eq(&each.min, &many.min, sizeof(double));
        ck_assert_mem_eq(&each.max, &many.max, sizeof(double));
        ck_assert(each.fraction == many.fraction && each.long_whole == many.long_whole);
        ck_assert(each.set_dropped == many.set_dropped && each.set_count == many.set_count);
    }
    ock_stats_deinit(&each);
    ock_stats_deinit(&many);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("data_csv_pass");
    TCase *tcase = tcase_create("pass");
    tcase_add_unchecked_fixture(tcase, make_rows, free_rows);
    tcase_add_checked_fixture(tcase, kit_setup, kit_teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, a_late_row_changes_its_column_alone, 0, 4);
    tcase_add_test(tcase, a_late_text_makes_the_first_row_data);
    tcase_add_loop_test(tcase, threads_change_no_bit, 0, 6);
    tcase_add_loop_test(tcase, faults_come_in_the_files_order, 0, 5);
    tcase_add_loop_test(tcase, statistics_of_many_are_those_of_each, 0, 8);
    suite_add_tcase(suite, tcase);
    return kit_run(suite);
}
