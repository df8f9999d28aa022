/* A page of columns: the numbers' and the bytes' passes over their blocks, then a line for each
 * column; categories are counted as their line is written. */
#include "core/data/summary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/jsonw.h"
#include "core/base/utf8.h"
#include "core/data/field.h"
#include "core/data/scan.h"

enum {
    CODES_AT_ONCE = 1 << 20, /* counted in one pass: 4 MiB */
    VALUE_BYTES_MAX = 256,   /* of a category's text that is shown */
};

struct page {
    const struct ock_dataset *dataset;
    const struct ock_schema *schema;
    const struct ock_block *blocks;
    size_t first, count;
    struct ock_describer *numbers; /* owned, one for each column of numbers */
    uint32_t (*bytes)[256];        /* owned, … of bytes */
    size_t *slots;                 /* owned: [count] the column's place in either */
    uint32_t *codes;               /* owned: [CODES_AT_ONCE] */
};

static const struct ock_column *column_at(const struct page *page, size_t i)
{
    return &page->schema->columns[page->first + i];
}

static void page_deinit(struct page *page)
{
    free(page->numbers);
    free(page->bytes);
    free(page->slots);
    free(page->codes);
}

/* The large arrays are zero pages until they are written to: a float32 needs half of its passes'
 * tables. */
static enum ock_status page_init(struct page *page, struct ock_err *err)
{
    size_t numbers = 0, bytes = 0;
    page->slots = calloc(page->count, sizeof(*page->slots));
    for (size_t i = 0; page->slots && i < page->count; i++) {
        if (column_at(page, i)->type == OCK_COLUMN_NUMBER)
            page->slots[i] = numbers++;
        else if (column_at(page, i)->type == OCK_COLUMN_BYTE)
            page->slots[i] = bytes++;
    }
    page->numbers = calloc(numbers + 1, sizeof(*page->numbers));
    page->bytes = calloc(bytes + 1, sizeof(*page->bytes));
    page->codes = calloc(CODES_AT_ONCE, sizeof(*page->codes));
    if (!page->slots || !page->numbers || !page->bytes || !page->codes)
        return ock_fail(err, OCK_NOMEM, "out of memory to describe %zu columns", page->count);
    return OCK_OK;
}

/* --- Passes ------------------------------------------------------------------------------------ */

/* Of a block: the range of offsets that the page's columns in it have. Empty: end <= low. */
struct range {
    size_t low, end;
};

static struct range range_of(const struct page *page, size_t block)
{
    struct range range = {.low = SIZE_MAX, .end = 0};
    for (size_t i = 0; i < page->count; i++) {
        const struct ock_column *column = column_at(page, i);
        if (column->block != block)
            continue;
        range.low = column->offset < range.low ? column->offset : range.low;
        range.end = column->offset + 1 > range.end ? column->offset + 1 : range.end;
    }
    return range;
}

static enum ock_status scan_block(struct page *page, size_t b, struct ock_err *err)
{
    const struct ock_block *block = &page->blocks[b];
    size_t rows = page->schema->rows;
    struct range range = range_of(page, b);
    if (range.end <= range.low || block->storage == OCK_STORE_U32)
        return OCK_OK;
    size_t count = range.end - range.low;
    void **wanted = calloc(count, sizeof(*wanted));
    if (!wanted)
        return ock_fail(err, OCK_NOMEM, "out of memory to describe %zu columns", count);
    for (size_t i = 0; i < page->count; i++) {
        const struct ock_column *column = column_at(page, i);
        if (column->block != b)
            continue;
        void **at = &wanted[column->offset - range.low];
        if (column->type == OCK_COLUMN_BYTE) {
            *at = &page->bytes[page->slots[i]];
        } else {
            *at = &page->numbers[page->slots[i]];
            ock_describer_init(*at, block->storage == OCK_STORE_F64 ? 8 : 4);
        }
    }
    enum ock_status status = OCK_OK;
    if (block->storage == OCK_STORE_U8)
        ock_scan_bytes(block, rows, range.low, (uint32_t(*const *)[256])(void *)wanted, count);
    else
        status = ock_scan_numbers(block, rows, range.low, (struct ock_describer *const *)wanted,
                                  count, err);
    free(wanted);
    return status;
}

/* --- Numbers as JSON --------------------------------------------------------------------------- */

/* The number with the fewest digits that is the same float32: 4.3, not 4.300000190734863. What is no
 * float32 (an edge, a quantile between two) stays. */
static double shortest(double value)
{
    char text[32];
    float number = (float)value;
    if ((double)number != value)
        return value;
    for (int digits = 6; digits <= 9; digits++) {
        (void)snprintf(text, sizeof(text), "%.*g", digits, value);
        double read = strtod(text, NULL);
        if ((float)read == number)
            return read;
    }
    return value;
}

static void shorten(struct ock_description *is)
{
    is->min = shortest(is->min);
    is->max = shortest(is->max);
    for (size_t i = 0; i < OCK_QUANTILES; i++)
        is->quantiles[i] = shortest(is->quantiles[i]);
    for (size_t i = 0; i <= is->bins; i++)
        is->edges[i] = shortest(is->edges[i]);
}

static void write_quantiles(struct ock_jsonw *w, const struct ock_description *is)
{
    static const char *const names[OCK_QUANTILES] = {"p0",  "p1",  "p5",  "p25", "p50",
                                                     "p75", "p95", "p99", "p100"};
    ock_jsonw_object(w, "quantiles");
    for (size_t i = 0; i < OCK_QUANTILES; i++)
        ock_jsonw_double(w, names[i], is->quantiles[i]);
    ock_jsonw_end_object(w);
}

static void write_histogram(struct ock_jsonw *w, const struct ock_description *is)
{
    ock_jsonw_object(w, "histogram");
    ock_jsonw_array(w, "edges");
    for (size_t i = 0; i <= is->bins; i++)
        ock_jsonw_double(w, NULL, is->edges[i]);
    ock_jsonw_end_array(w);
    ock_jsonw_array(w, "counts");
    for (size_t i = 0; i < is->bins; i++)
        ock_jsonw_uint(w, NULL, is->bin_counts[i]);
    ock_jsonw_end_array(w);
    ock_jsonw_end_object(w);
}

static void write_description(struct ock_jsonw *w, const struct ock_description *is)
{
    static const char *const names[] = {"min", "max", "mean", "std", "quantiles", "histogram"};
    for (size_t i = 0; is->count == 0 && i < sizeof(names) / sizeof(names[0]); i++)
        ock_jsonw_null(w, names[i]);
    if (is->count == 0)
        return;
    ock_jsonw_double(w, "min", is->min);
    ock_jsonw_double(w, "max", is->max);
    ock_jsonw_double(w, "mean", is->mean);
    ock_jsonw_double(w, "std", is->std);
    write_quantiles(w, is);
    write_histogram(w, is);
}

/* --- Categories as JSON ------------------------------------------------------------------------ */

/* A value and how often it occurs; a long text is cut. */
static void write_count(struct ock_jsonw *w, const char *value, size_t count)
{
    char text[VALUE_BYTES_MAX + 4];
    size_t size = strlen(value);
    (void)snprintf(text, VALUE_BYTES_MAX, "%s", value);
    if (size >= VALUE_BYTES_MAX) {
        ock_utf8_trim(text);
        memcpy(text + strlen(text), "…", sizeof("…"));
    }
    ock_jsonw_object(w, NULL);
    ock_jsonw_string(w, "value", text);
    ock_jsonw_uint(w, "count", count);
    ock_jsonw_end_object(w);
}

struct top {
    size_t count, missing, named; /* values; rows without one; rows of those below */
    size_t codes[OCK_SUMMARY_TOP];
    uint32_t rows[OCK_SUMMARY_TOP];
};

/* Values come in rising order: of equally frequent ones, the first stays in front. */
static void top_add(struct top *top, size_t code, uint32_t rows)
{
    size_t at = top->count;
    while (at > 0 && top->rows[at - 1] < rows)
        at--;
    if (at == OCK_SUMMARY_TOP)
        return;
    size_t kept = top->count < OCK_SUMMARY_TOP ? top->count : OCK_SUMMARY_TOP - 1;
    memmove(&top->codes[at + 1], &top->codes[at], (kept - at) * sizeof(top->codes[0]));
    memmove(&top->rows[at + 1], &top->rows[at], (kept - at) * sizeof(top->rows[0]));
    top->codes[at] = code;
    top->rows[at] = rows;
    top->count = kept + 1;
}

/* More values than can be counted at once take more passes. */
static struct top count_categories(struct page *page, const struct ock_column *column)
{
    struct top top = {.count = 0};
    size_t begin = 0;
    do {
        size_t span = column->value_count - begin;
        span = span > CODES_AT_ONCE ? CODES_AT_ONCE : span;
        memset(page->codes, 0, span * sizeof(*page->codes));
        ock_scan_codes(&page->blocks[column->block], page->schema->rows, column->offset, begin,
                       page->codes, span, &top.missing);
        for (size_t i = 0; i < span; i++)
            top_add(&top, begin + i, page->codes[i]);
        begin += span;
    } while (begin < column->value_count);
    for (size_t i = 0; i < top.count; i++)
        top.named += top.rows[i];
    return top;
}

/* --- Lines ------------------------------------------------------------------------------------- */

bool ock_column_is_constant(const struct ock_column *column, size_t rows)
{
    if (column->missing > 0)
        return column->missing == rows;
    return column->type == OCK_COLUMN_CATEGORY ? column->value_count == 1
                                               : column->min == column->max;
}

static void write_head(struct ock_jsonw *w, const struct page *page,
                       const struct ock_column *column, const char *type, size_t missing)
{
    ock_jsonw_object(w, NULL);
    ock_jsonw_string(w, "name", column->name);
    ock_jsonw_string(w, "type", type);
    ock_jsonw_uint(w, "missing", missing);
    if (column->value_count > 0)
        ock_jsonw_uint(w, "distinct", column->value_count);
    else
        ock_jsonw_null(w, "distinct");
    ock_jsonw_bool(w, "constant", ock_column_is_constant(column, page->schema->rows));
}

static void write_category(struct page *page, const struct ock_column *column, struct ock_jsonw *w)
{
    struct top top = count_categories(page, column);
    write_head(w, page, column, column->boolean ? "boolean" : "category", top.missing);
    ock_jsonw_array(w, "top");
    for (size_t i = 0; i < top.count; i++)
        write_count(w, column->values[top.codes[i]], top.rows[i]);
    ock_jsonw_end_array(w);
    ock_jsonw_uint(w, "other_values", column->value_count - top.count);
    ock_jsonw_uint(w, "other_count", page->schema->rows - top.missing - top.named);
    ock_jsonw_end_object(w);
}

static void write_column(struct page *page, size_t i, struct ock_buf *out)
{
    const struct ock_column *column = column_at(page, i);
    struct ock_jsonw w = ock_jsonw_make(out);
    if (column->type == OCK_COLUMN_CATEGORY) {
        write_category(page, column, &w);
    } else if (column->type == OCK_COLUMN_BYTE) {
        struct ock_description is;
        ock_describe_bytes(&is, page->bytes[page->slots[i]]);
        write_head(&w, page, column, "byte", 0);
        write_description(&w, &is);
        ock_jsonw_end_object(&w);
    } else {
        struct ock_description *is = &page->numbers[page->slots[i]].is;
        if (page->blocks[column->block].storage != OCK_STORE_F64)
            shorten(is);
        write_head(&w, page, column, "number", is->missing);
        write_description(&w, is);
        ock_jsonw_end_object(&w);
    }
    ock_buf_putc(out, '\n');
}

/* --- The target -------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Classes that are numbers: their texts, as the column's type has them, in rising order. */
static enum ock_status count_numbers(const struct page *page, uint32_t *counts, size_t count,
                                     size_t *missing, struct ock_err *err)
{
    const struct ock_column *column = &page->schema->columns[page->schema->target];
    bool single = page->blocks[column->block].storage != OCK_STORE_F64;
    double *values = calloc(count, sizeof(*values));
    if (!values)
        return ock_fail(err, OCK_NOMEM, "out of memory for the classes");
    for (size_t i = 0; i < count; i++) {
        (void)ock_field_read(column->values[i], strlen(column->values[i]), &values[i]);
        values[i] = single ? (double)(float)values[i] : values[i];
    }
    for (size_t row = 0; row < page->schema->rows; row++) {
        double value = ock_dataset_number(page->dataset, page->schema->target, row);
        const double *found = bsearch(&value, values, count, sizeof(*values), compare);
        if (value != value)
            (*missing)++;
        else if (found && *found == value)
            counts[found - values]++;
    }
    free(values);
    return OCK_OK;
}

static enum ock_status write_classes(const struct page *page, struct ock_jsonw *w,
                                     struct ock_err *err)
{
    const struct ock_column *column = &page->schema->columns[page->schema->target];
    size_t count = column->value_count < OCK_DISTINCT_MAX ? column->value_count : OCK_DISTINCT_MAX;
    size_t missing = 0;
    enum ock_status status = OCK_OK;
    memset(page->codes, 0, count * sizeof(*page->codes));
    if (column->type == OCK_COLUMN_CATEGORY)
        ock_scan_codes(&page->blocks[column->block], page->schema->rows, column->offset, 0,
                       page->codes, count, &missing);
    else
        status = count_numbers(page, page->codes, count, &missing, err);
    ock_jsonw_array(w, "classes");
    for (size_t i = 0; i < count; i++)
        write_count(w, column->values[i], page->codes[i]);
    ock_jsonw_end_array(w);
    ock_jsonw_uint(w, "classes_count", column->value_count);
    ock_jsonw_uint(w, "missing", missing);
    return status;
}

static enum ock_status write_target(const struct page *page, struct ock_buf *out,
                                    struct ock_err *err)
{
    struct ock_jsonw w = ock_jsonw_make(out);
    enum ock_status status = OCK_OK;
    if (page->schema->target == SIZE_MAX) {
        ock_buf_puts(out, "null\n");
        return OCK_OK;
    }
    const char *because = NULL;
    enum ock_target_kind kind =
        ock_schema_target_kind(page->schema, page->schema->target, &because);
    ock_jsonw_object(&w, NULL);
    ock_jsonw_string(&w, "name", page->schema->columns[page->schema->target].name);
    ock_jsonw_string(&w, "kind", kind == OCK_TARGET_CLASSES ? "classes" : "number");
    ock_jsonw_string(&w, "because", because);
    if (kind == OCK_TARGET_CLASSES)
        status = write_classes(page, &w, err);
    ock_jsonw_end_object(&w);
    ock_buf_putc(out, '\n');
    return status;
}

enum ock_status ock_summary_write(const struct ock_dataset *dataset, size_t first,
                                  struct ock_buf *out, struct ock_err *err)
{
    size_t block_count;
    struct page page = {.dataset = dataset,
                        .schema = ock_dataset_schema(dataset),
                        .blocks = ock_dataset_blocks(dataset, &block_count),
                        .first = first};
    size_t rest = page.schema->column_count - first;
    page.count = rest < OCK_SUMMARY_COLUMNS_MAX ? rest : OCK_SUMMARY_COLUMNS_MAX;
    enum ock_status status = page_init(&page, err);
    for (size_t b = 0; status == OCK_OK && b < block_count; b++)
        status = scan_block(&page, b, err);
    if (status == OCK_OK)
        status = write_target(&page, out, err);
    for (size_t i = 0; status == OCK_OK && i < page.count; i++)
        write_column(&page, i, out);
    if (status == OCK_OK)
        status = ock_buf_status(out, err);
    page_deinit(&page);
    return status;
}
