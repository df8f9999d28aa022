/* An array, or a pair of rows and labels, to a dataset file. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/limits.h"
#include "core/data/array.h"
#include "core/data/formats.h"

static void describe(const struct ock_array *array, struct ock_build_column *columns)
{
    for (size_t c = 0; c < array->width; c++) {
        columns[c].type = array->element == OCK_ELEMENT_BYTE ? OCK_COLUMN_BYTE : OCK_COLUMN_NUMBER;
        columns[c].block = array->blocks[c];
        columns[c].offset = array->offsets[c];
        columns[c].stats = &array->stats[c];
        columns[c].bitmap = array->bitmaps ? array->bitmaps[c] : NULL;
    }
}

/* Names x0, x1, … [width] and "label" behind them, or c0, c1, … of a table; *text and *names are the
 * caller's to free. */
static enum ock_status make_names(char letter, size_t width, char **text, const char ***names,
                                  struct ock_err *err)
{
    struct ock_buf buf;
    ock_buf_init(&buf, OCK_GIB);
    const char **made = malloc((width + 1) * sizeof(*made));
    for (size_t c = 0; c < width; c++) {
        ock_buf_printf(&buf, "%c%zu", letter, c);
        ock_buf_putc(&buf, '\0');
    }
    ock_buf_puts(&buf, "label");
    char *bytes = ock_buf_take(&buf);
    ock_buf_deinit(&buf);
    if (!made || !bytes) {
        free(made);
        free(bytes);
        return ock_fail(err, OCK_NOMEM, "out of memory for %zu names", width);
    }
    const char *next = bytes;
    for (size_t c = 0; c <= width; c++) {
        made[c] = next;
        next += strlen(next) + 1;
    }
    *text = bytes;
    *names = made;
    return OCK_OK;
}

/* Opens the labels and holds them against x. A column of them is as good as a row. */
static enum ock_status open_labels(struct ock_array *labels, const struct ock_array *x,
                                   struct ock_err *err)
{
    enum ock_status status = ock_array_open(labels, OCK_FORMAT_AUTO, err);
    if (status != OCK_OK)
        return status;
    if (labels->width != 1 || labels->rank > 2)
        return ock_fail(err, OCK_INVALID, "labels: byte %zu: have %zu dimensions, one is expected",
                        labels->shape_at, labels->rank);
    if (labels->rows != x->rows)
        return ock_fail(err, OCK_INVALID,
                        "x has %zu rows, there are %zu labels (byte %zu of x, byte %zu of the "
                        "labels); as many were expected",
                        x->rows, labels->rows, x->shape_at, labels->shape_at);
    return OCK_OK;
}

/* A NumPy array without labels is a table, and one of its columns the target. */
static enum ock_status check_table(const struct ock_array *x, struct ock_err *err)
{
    if (x->rank != 2)
        return ock_fail(err, OCK_INVALID,
                        "%s: byte %zu: has %zu dimension%s, a table has two; or give its labels as "
                        "a second array",
                        x->what, x->shape_at, x->rank, x->rank == 1 ? "" : "s");
    if (x->width < 2)
        return ock_fail(err, OCK_INVALID,
                        "%s: byte %zu: has one column, two are needed: a feature and a target",
                        x->what, x->shape_at);
    return OCK_OK;
}

static enum ock_status write_file(const struct ock_import *import, struct ock_array *x,
                                  struct ock_array *labels, struct ock_build_block *blocks,
                                  size_t block_count, bool table, struct ock_err *err)
{
    struct ock_builder builder = {.file.fd = -1, .fd = -1};
    char *text = NULL;
    const char **names = NULL;
    size_t count = x->width + (labels->reader ? 1 : 0);
    struct ock_build_schema schema = {.format = x->file_format,
                                      .column_count = count,
                                      .target = labels->reader || table ? count - 1 : SIZE_MAX,
                                      .has_labels = labels->reader != NULL};
    enum ock_status status = make_names(table ? 'c' : 'x', x->width, &text, &names, err);
    struct ock_room room = {.data = NULL};
    if (status == OCK_OK)
        status = ock_room_take(&room, count, sizeof(struct ock_build_column), import->out, err);
    struct ock_build_column *columns = room.data;
    if (status == OCK_OK && import->target)
        status = ock_find_target(names, count, import->target, &schema.target, err);
    if (status == OCK_OK)
        status = ock_builder_open(&builder, import->out, x->rows, blocks, block_count, err);
    if (status == OCK_OK)
        status = ock_array_fill(x, blocks, err);
    if (status == OCK_OK && labels->reader)
        status = ock_array_fill(labels, blocks, err);
    if (status != OCK_OK)
        goto done;

    assert(names && columns);
    describe(x, columns);
    if (labels->reader)
        describe(labels, columns + x->width);
    for (size_t c = 0; c < count; c++)
        columns[c].name = names[c];
    schema.columns = columns;
    schema.shape_count = x->rank > 2 ? x->rank - 1 : 0;
    for (size_t i = 0; i < schema.shape_count; i++)
        schema.shape[i] = x->dimensions[i + 1];
    status = ock_builder_finish(&builder, &schema, err);
done:
    ock_builder_discard(&builder);
    ock_room_free(&room);
    free(names);
    free(text);
    return status;
}

enum ock_status ock_array_import(const struct ock_import *import, enum ock_format format,
                                 struct ock_reader *x_reader, struct ock_reader *labels_reader,
                                 struct ock_err *err)
{
    struct ock_array x = {
        .what = labels_reader ? "x" : "the array", .scratch = import->out, .reader = x_reader};
    struct ock_array labels = {.what = "labels", .scratch = import->out, .reader = labels_reader};
    struct ock_build_block blocks[OCK_ARRAY_BLOCKS_MAX];
    size_t block_count = 0;

    enum ock_status status = ock_array_open(&x, format, err);
    bool table = format == OCK_FORMAT_NPY && !labels_reader;
    if (status == OCK_OK && table)
        status = check_table(&x, err);
    if (status == OCK_OK && labels_reader)
        status = open_labels(&labels, &x, err);
    if (status == OCK_OK)
        status = ock_array_lay_out(&x, ock_distinct_share(x.width), blocks, &block_count, err);
    if (status == OCK_OK && labels_reader)
        status = ock_array_lay_out(&labels, OCK_CLASSES_MAX, blocks, &block_count, err);
    if (status == OCK_OK)
        status = write_file(import, &x, &labels, blocks, block_count, table, err);
    ock_array_deinit(&labels);
    ock_array_deinit(&x);
    return status;
}
