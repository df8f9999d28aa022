/* Summaries: what is told of a column is what a sort and plain loops find.
 *
 * Method: random columns (float32 and double, with ties, -0, missing values, few rows, huge and tiny
 * numbers) are described and compared with a sorted copy; then datasets of each form are imported,
 * summarised, and their JSON is compared with values counted by hand. */
#include "core/base/json.h"
#include "core/data/describe.h"
#include "core/data/scan.h"
#include "core/data/summary.h"
#include "data_kit.h"

static uint64_t state;

static uint32_t draw(void)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state >> 33);
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* --- Columns ----------------------------------------------------------------------------------- */

/* One kind of numbers each. */
static double number_of(int kind, size_t row)
{
    double unit = (double)draw() / 2147483648.0;
    switch (kind) {
    case 0: /* around 0, with both zeros and ties */
        return row % 5 == 0 ? -0.0 : row % 5 == 1 ? 0.0 : rint(20 * (unit - 0.5));
    case 1: /* most are missing */
        return row % 4 ? (double)NAN : unit;
    case 2: /* all sizes, both signs */
        return (unit - 0.5) * pow(10, (double)(draw() % 60) - 30);
    case 3: /* constant */
        return 0.1;
    case 4: /* next to each other */
        return 1 + (double)(draw() % 3) * 0x1p-23;
    default: /* a long tail */
        return -log(1 - unit * 0.999);
    }
}
enum { KINDS = 6 };

static size_t sorted_numbers(const double *values, size_t count, double *sorted)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        if (!isnan(values[i]))
            sorted[found++] = values[i] + 0.0;
    }
    qsort(sorted, found, sizeof(*sorted), by_value);
    return found;
}

static void check_description(const struct ock_description *is, const double *sorted, size_t count)
{
    double sum = 0, squares = 0;
    size_t binned = 0;
    for (size_t i = 0; i < count; i++)
        sum += sorted[i];
    for (size_t i = 0; i < count; i++)
        squares += pow(sorted[i] - sum / (double)count, 2);
    double size = fmax(fabs(sorted[0]), fabs(sorted[count - 1]));
    ck_assert(is->min == sorted[0] && is->max == sorted[count - 1]);
    ck_assert_double_le(fabs(is->mean - sum / (double)count), 1e-12 * size);
    ck_assert_double_le(fabs(is->std - sqrt(squares / (double)count)), 1e-7 * size);
    for (size_t q = 0; q < OCK_QUANTILES; q++) {
        double at = ock_quantiles[q] * (double)(count - 1);
        size_t below = (size_t)at, above = below + 1 < count ? below + 1 : below;
        double share = at - (double)below;
        double wanted = sorted[below] * (1 - share) + sorted[above] * share;
        ck_assert_double_le(fabs(is->quantiles[q] - wanted), 1e-14 * size);
        ck_assert(is->quantiles[q] >= sorted[below] && is->quantiles[q] <= sorted[above]);
        if (share == 0)
            ck_assert(is->quantiles[q] == sorted[below]);
    }
    ck_assert_uint_eq(is->bins, sorted[0] == sorted[count - 1] ? 1 : OCK_BINS);
    ck_assert(is->edges[0] == is->min && is->edges[is->bins] == is->max);
    for (size_t b = 0; b < is->bins; b++) {
        size_t inside = 0;
        bool last = b + 1 == is->bins;
        for (size_t i = 0; i < count; i++)
            inside += sorted[i] >= is->edges[b] &&
                      (sorted[i] < is->edges[b + 1] || (last && sorted[i] == is->edges[b + 1]));
        ck_assert_uint_eq(is->bin_counts[b], inside);
        ck_assert_double_le(
            fabs(is->edges[b] - (is->min + (is->max - is->min) * (double)b / OCK_BINS)),
            1e-15 * size);
        binned += inside;
    }
    ck_assert_uint_eq(binned, count);
}

static void describe(struct ock_describer *describer, unsigned key_bytes, const double *values,
                     size_t count, uint32_t zeros)
{
    unsigned passes = 0;
    bool more = true;
    memset(describer, 0, sizeof(*describer));
    ock_describer_init(describer, key_bytes);
    for (; more; passes++) {
        ock_describer_add(describer, values, count / 3); /* pieces are as good as the whole */
        ock_describer_add(describer, values + count / 3, count - count / 3);
        ock_describer_add_zeros(describer, zeros);
        more = ock_describer_end_pass(describer);
    }
    ck_assert_uint_eq(passes, describer->is.count > 0 ? key_bytes : 1);
}

START_TEST(numbers_are_described_as_a_sort_finds_them)
{
    static const size_t counts[] = {1, 2, 3, 5, 20, 101, 1000};
    static struct ock_describer describer;
    static double values[1600], sorted[1600];
    unsigned key_bytes = _i % 2 ? 8 : 4;
    int kind = _i / 2;
    for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
        size_t count = counts[c];
        for (size_t i = 0; i < count; i++) {
            values[i] = number_of(kind, i);
            if (key_bytes == 4)
                values[i] = (double)(float)values[i];
        }
        size_t found = sorted_numbers(values, count, sorted);
        describe(&describer, key_bytes, values, count, 0);
        ck_assert_uint_eq(describer.is.count, found);
        ck_assert_uint_eq(describer.is.missing, count - found);
        check_description(&describer.is, sorted, found);
        if (kind == 3)
            ck_assert(describer.is.std == 0 && describer.is.mean == describer.is.min);

        uint32_t zeros = (uint32_t)(count / 2 + 1); /* as a sparse column's */
        for (size_t i = 0; i < zeros; i++)
            values[count + i] = 0;
        describe(&describer, key_bytes, values, count, zeros);
        found = sorted_numbers(values, count + zeros, sorted);
        check_description(&describer.is, sorted, found);
    }
}
END_TEST

START_TEST(numbers_at_the_end_of_double_are_described)
{
    static struct ock_describer describer;
    static const double wide[] = {-1.7e308, 1.7e308, 1.6e308, 1.5e308, -1.5e308};
    describe(&describer, 8, wide, 5, 0);
    ck_assert(describer.is.min == -1.7e308 && describer.is.max == 1.7e308);
    ck_assert(describer.is.quantiles[4] == 1.5e308);
    ck_assert(!isfinite(describer.is.std));
    ck_assert_uint_eq(describer.is.bin_counts[0], 1);
    size_t all = 0;
    for (size_t b = 0; b < OCK_BINS; b++) {
        ck_assert(b == 0 || describer.is.edges[b] >= describer.is.edges[b - 1]);
        all += describer.is.bin_counts[b];
    }
    ck_assert_uint_eq(all, 5);

    static const double close[] = {1, 1 + 0x1p-52};
    describe(&describer, 8, close, 2, 0);
    check_description(&describer.is, close, 2);
    static const double none[] = {NAN, NAN};
    describe(&describer, 4, none, 2, 0);
    ck_assert_uint_eq(describer.is.count, 0);
    ck_assert_uint_eq(describer.is.missing, 2);
}
END_TEST

START_TEST(bytes_are_described_as_their_numbers)
{
    static double values[700];
    for (size_t range = 1; range <= 256; range *= 4) {
        uint32_t counts[256] = {0};
        struct ock_description is;
        for (size_t i = 0; i < 700; i++) {
            uint32_t value = draw() % (uint32_t)range * (draw() % 2);
            values[i] = value;
            counts[value]++;
        }
        qsort(values, 700, sizeof(*values), by_value);
        ock_describe_bytes(&is, counts);
        ck_assert_uint_eq(is.count, 700);
        check_description(&is, values, 700);
    }
}
END_TEST

/* Several slabs, groups and tiles: every row of every column is seen once. */
START_TEST(all_rows_of_a_wide_block_are_seen)
{
    enum { SCANNED_ROWS = 1201, LOW = 3, SCANNED = 37, LEFT_OUT = 20 };
    static struct ock_describer describers[SCANNED];
    static double sorted[SCANNED_ROWS];
    struct ock_describer *wanted[SCANNED];
    bool is_double = _i == 1;
    size_t width = is_double ? 4000 : 8000; /* a slab of some 500 rows */
    void *data = calloc(SCANNED_ROWS * width, is_double ? sizeof(double) : sizeof(float));
    ck_assert_ptr_nonnull(data);
    memset(describers, 0, sizeof(describers));
    for (size_t i = 0; i < SCANNED; i++) {
        wanted[i] = i == LEFT_OUT ? NULL : &describers[i];
        ock_describer_init(&describers[i], is_double ? 8 : 4);
        for (size_t row = 0; row < SCANNED_ROWS; row++) {
            size_t at = row * width + LOW + i;
            double value = row % 10 == i % 10 ? (double)NAN : (double)(row * (i + 1) % 997);
            if (is_double)
                ((double *)data)[at] = value;
            else
                ((float *)data)[at] = (float)value;
        }
    }
    struct ock_block block = {
        .storage = is_double ? OCK_STORE_F64 : OCK_STORE_F32, .width = width, .data = data};
    ck_assert(ock_scan_numbers(&block, SCANNED_ROWS, LOW, wanted, SCANNED, NULL) == OCK_OK);
    for (size_t i = 0; i < SCANNED; i++) {
        size_t count = 0;
        for (size_t row = 0; row < SCANNED_ROWS; row++) {
            if (row % 10 != i % 10)
                sorted[count++] = (double)(row * (i + 1) % 997);
        }
        qsort(sorted, count, sizeof(*sorted), by_value);
        if (i == LEFT_OUT)
            ck_assert_uint_eq(describers[i].is.count + describers[i].is.missing, 0);
        else
            check_description(&describers[i].is, sorted, count);
        if (i != LEFT_OUT)
            ck_assert_uint_eq(describers[i].is.missing, SCANNED_ROWS - count);
    }
    free(data);
}
END_TEST

START_TEST(all_bytes_of_a_wide_block_are_counted)
{
    enum { SCANNED_ROWS = 1300, WIDTH = 30000, SCANNED = 18 }; /* a slab has 559 rows */
    static uint32_t counts[SCANNED][256];
    uint32_t(*wanted[SCANNED])[256];
    unsigned char *data = calloc(SCANNED_ROWS, WIDTH);
    ck_assert_ptr_nonnull(data);
    memset(counts, 0, sizeof(counts));
    for (size_t i = 0; i < SCANNED; i++) {
        wanted[i] = &counts[i];
        for (size_t row = 0; row < SCANNED_ROWS; row++)
            data[row * WIDTH + i] = (unsigned char)(row % (100 + i));
    }
    struct ock_block block = {.storage = OCK_STORE_U8, .width = WIDTH, .data = data};
    ock_scan_bytes(&block, SCANNED_ROWS, 0, wanted, SCANNED);
    for (size_t i = 0; i < SCANNED; i++) {
        for (size_t v = 0; v < 256; v++) {
            size_t times =
                v >= 100 + i ? 0 : SCANNED_ROWS / (100 + i) + (v < SCANNED_ROWS % (100 + i));
            ck_assert_uint_eq(counts[i][v], times);
        }
    }
    free(data);
}
END_TEST

/* --- Datasets ---------------------------------------------------------------------------------- */

enum { LINES_MAX = 16 };
static cJSON *lines[LINES_MAX];
static size_t line_count;

static void summarise(const struct ock_dataset *dataset, size_t first)
{
    struct ock_err err = {.text = ""};
    struct ock_buf out;
    ock_buf_init(&out, OCK_SUMMARY_PAGE_BYTES_MAX);
    ck_assert_msg(ock_summary_write(dataset, first, &out, &err) == OCK_OK, "%s", err.text);
    line_count = 0;
    for (const char *at = out.data; *at && line_count < LINES_MAX; at += strcspn(at, "\n") + 1)
        lines[line_count++] = cJSON_ParseWithOpts(at, NULL, 0);
    ock_buf_deinit(&out);
}

static void forget(void)
{
    for (size_t i = 0; i < line_count; i++)
        cJSON_Delete(lines[i]);
}

/* The member as a text without spaces, "nothing" if it is not there. */
static const char *text_of(const cJSON *object, const char *key)
{
    static char texts[8][1024];
    static size_t next;
    char *text = texts[next++ % 8];
    (void)snprintf(text, sizeof(texts[0]), "nothing");
    cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    if (item)
        ck_assert(cJSON_PrintPreallocated(item, text, sizeof(texts[0]), 0));
    return text;
}

static double number_at(const cJSON *object, const char *group, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, group);
    item = key ? cJSON_GetObjectItemCaseSensitive(item, key) : item;
    ck_assert(cJSON_IsNumber(item));
    return item->valuedouble;
}

START_TEST(a_table_is_summarised)
{
    struct ock_dataset *dataset = kit_csv("size,colour,ok,same,kind\n"
                                          "1,red,yes,7,b\n"
                                          "2.5,blue,no,7,a\n"
                                          ",red,yes,7,b\n"
                                          "-0,,yes,7,b\n",
                                          (struct ock_import){.target = "kind"});
    const struct ock_schema *schema = ock_dataset_schema(dataset);
    summarise(dataset, 0);
    ck_assert_uint_eq(line_count, 6);
    ck_assert_str_eq(text_of(lines[0], "name"), "\"kind\"");
    ck_assert_str_eq(text_of(lines[0], "classes"),
                     "[{\"value\":\"a\",\"count\":1},{\"value\":\"b\",\"count\":3}]");
    ck_assert_str_eq(text_of(lines[0], "classes_count"), "2");
    ck_assert_str_eq(text_of(lines[1], "missing"), "1");
    ck_assert_str_eq(text_of(lines[1], "type"), "\"number\"");
    ck_assert_str_eq(text_of(lines[1], "distinct"), "3");
    ck_assert_str_eq(text_of(lines[1], "min"), "0");
    ck_assert_double_eq(number_at(lines[1], "quantiles", "p50"), 1);
    ck_assert_double_eq(number_at(lines[1], "quantiles", "p75"), 1.75);
    ck_assert_double_eq_tol(number_at(lines[1], "mean", NULL), 3.5 / 3, 1e-15);
    ck_assert_str_eq(text_of(lines[2], "top"),
                     "[{\"value\":\"red\",\"count\":2},{\"value\":\"blue\",\"count\":1}]");
    ck_assert_str_eq(text_of(lines[2], "missing"), "1");
    ck_assert_str_eq(text_of(lines[2], "other_count"), "0");
    ck_assert_str_eq(text_of(lines[3], "type"), "\"boolean\"");
    ck_assert_str_eq(text_of(lines[3], "constant"), "false");
    ck_assert_str_eq(text_of(lines[4], "constant"), "true");
    ck_assert_str_eq(text_of(lines[4], "histogram"), "{\"edges\":[7,7],\"counts\":[4]}");
    ck_assert(ock_column_is_constant(&schema->columns[3], schema->rows));
    forget();
    ock_dataset_free(dataset);
}
END_TEST

START_TEST(one_row_and_no_value_are_summarised)
{
    struct ock_dataset *dataset =
        kit_csv("a,b,y\n4.3,,1.5\n", (struct ock_import){.header = OCK_HEADER_YES, .target = "y"});
    summarise(dataset, 0);
    ck_assert_str_eq(text_of(lines[1], "min"), "4.3");
    ck_assert_str_eq(text_of(lines[1], "std"), "0");
    ck_assert_double_eq(number_at(lines[1], "quantiles", "p99"), 4.3);
    ck_assert_str_eq(text_of(lines[2], "missing"), "1");
    ck_assert_str_eq(text_of(lines[2], "constant"), "true");
    ck_assert_str_eq(text_of(lines[2], "distinct"), "null");
    if (strcmp(text_of(lines[2], "type"), "\"number\"") == 0)
        ck_assert_str_eq(text_of(lines[2], "quantiles"), "null");
    forget();
    ock_dataset_free(dataset);
}
END_TEST

START_TEST(the_most_frequent_categories_come_first)
{
    static char text[1 << 16];
    size_t size = (size_t)snprintf(text, sizeof(text), "word,x\n");
    for (unsigned i = 0; i < 14; i++) { /* w0 to w13, w5 the most frequent; others tie by threes */
        for (unsigned k = 0; k < (i == 5 ? 20 : 1 + i / 3); k++)
            size += (size_t)snprintf(text + size, sizeof(text) - size, "w%02u,%u\n", i, k);
    }
    struct ock_dataset *dataset = kit_csv(text, (struct ock_import){.target = "x"});
    summarise(dataset, 0);
    const cJSON *top = cJSON_GetObjectItemCaseSensitive(lines[1], "top");
    static const char *const order[] = {"w05", "w12", "w13", "w09", "w10",
                                        "w11", "w06", "w07", "w08", "w03"};
    ck_assert_int_eq(cJSON_GetArraySize(top), OCK_SUMMARY_TOP);
    for (int i = 0; i < OCK_SUMMARY_TOP; i++)
        ck_assert_str_eq(
            cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(top, i), "value")->valuestring,
            order[i]);
    ck_assert_str_eq(text_of(lines[1], "other_values"), "4");
    ck_assert_str_eq(text_of(lines[1], "other_count"), "5"); /* w00 w01 w02: 1 each, w04: 2 */
    forget();
    ock_dataset_free(dataset);
}
END_TEST

START_TEST(sparse_columns_count_their_zeros)
{
    static const char text[] = "1 1:2 3:4\n-1 1:-2\n1 3:8 \n-1\n";
    struct ock_err err = {.text = ""};
    kit_write("in", text, sizeof(text) - 1);
    ck_assert_msg(kit_import((struct ock_import){.format = OCK_FORMAT_SVMLIGHT}, 0, &err) == OCK_OK,
                  "%s", err.text);
    struct ock_dataset *dataset = kit_open("out");
    const struct ock_schema *schema = ock_dataset_schema(dataset);
    ck_assert(schema->sparse);
    summarise(dataset, 0);
    ck_assert_uint_eq(line_count, schema->column_count + 1);
    ck_assert_str_eq(text_of(lines[0], "classes"),
                     "[{\"value\":\"-1\",\"count\":2},{\"value\":\"1\",\"count\":2}]");
    for (size_t c = 0; c < schema->column_count; c++) {
        static struct ock_describer describer;
        double values[4], sorted[4];
        for (size_t row = 0; row < 4; row++)
            values[row] = ock_dataset_number(dataset, c, row);
        (void)sorted_numbers(values, 4, sorted);
        describe(&describer, 8, values, 4, 0);
        check_description(&describer.is, sorted, 4);
        const cJSON *line = lines[c + 1];
        ck_assert_double_eq(number_at(line, "min", NULL), sorted[0]);
        ck_assert_double_eq(number_at(line, "std", NULL), describer.is.std);
        ck_assert_double_eq(number_at(line, "quantiles", "p25"), describer.is.quantiles[3]);
        ck_assert_double_eq(number_at(line, "quantiles", "p50"), (sorted[1] + sorted[2]) / 2);
    }
    forget();
    ock_dataset_free(dataset);
}
END_TEST

/* Wide enough for a second page, with bytes and their labels apart. */
START_TEST(wide_images_are_summarised_by_pages)
{
    enum { ROWS = 3, WIDTH = 1003 };
    static unsigned char file[16 + ROWS * WIDTH] = {0, 0, 8, 3, 0, 0, 0,          ROWS,
                                                    0, 0, 0, 1, 0, 0, WIDTH >> 8, WIDTH & 0xff};
    static const unsigned char labels[] = {0, 0, 8, 1, 0, 0, 0, ROWS, 4, 2, 4};
    struct ock_err err = {.text = ""};
    for (size_t i = 0; i < (size_t)ROWS * WIDTH; i++)
        file[16 + i] = (unsigned char)(i * 31 % 251);
    kit_write("in", file, sizeof(file));
    kit_write("labels", labels, sizeof(labels));
    ck_assert_msg(kit_import((struct ock_import){.out = NULL}, 1, &err) == OCK_OK, "%s", err.text);
    struct ock_dataset *dataset = kit_open("out");
    summarise(dataset, OCK_SUMMARY_COLUMNS_MAX);
    ck_assert_uint_eq(line_count, 1 + 4); /* the target's line, x1000, x1001, x1002, y */
    ck_assert_str_eq(text_of(lines[0], "classes"),
                     "[{\"value\":\"2\",\"count\":1},{\"value\":\"4\",\"count\":2}]");
    for (size_t c = 0; c < 3; c++) {
        double sum = 0;
        for (size_t row = 0; row < ROWS; row++)
            sum += (double)file[16 + row * WIDTH + 1000 + c];
        ck_assert_double_eq_tol(number_at(lines[1 + c], "mean", NULL), sum / ROWS, 1e-12);
    }
    forget();
    ock_dataset_free(dataset);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("data_summary");
    TCase *columns = tcase_create("columns"), *datasets = tcase_create("datasets");
    tcase_add_loop_test(columns, numbers_are_described_as_a_sort_finds_them, 0, 2 * KINDS);
    tcase_add_test(columns, numbers_at_the_end_of_double_are_described);
    tcase_add_test(columns, bytes_are_described_as_their_numbers);
    tcase_add_loop_test(columns, all_rows_of_a_wide_block_are_seen, 0, 2);
    tcase_add_test(columns, all_bytes_of_a_wide_block_are_counted);
    tcase_add_checked_fixture(datasets, kit_setup, kit_teardown);
    tcase_add_test(datasets, a_table_is_summarised);
    tcase_add_test(datasets, one_row_and_no_value_are_summarised);
    tcase_add_test(datasets, the_most_frequent_categories_come_first);
    tcase_add_test(datasets, sparse_columns_count_their_zeros);
    tcase_add_test(datasets, wide_images_are_summarised_by_pages);
    suite_add_tcase(suite, columns);
    suite_add_tcase(suite, datasets);
    return kit_run(suite);
}
