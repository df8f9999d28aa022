/* What the fuzz targets of imports do: files in a folder of their own, and the checks. */
#ifndef OCK_TESTS_FUZZ_IMPORT_H
#define OCK_TESTS_FUZZ_IMPORT_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/data/dataset.h"
#include "core/data/import.h"

enum { NAMES_CHECKED = 500 };

static void fuzz_check(int holds, const char *what)
{
    if (holds)
        return;
    (void)fprintf(stderr, "%s\n", what);
    abort();
}

static const char *fuzz_path(const char *name)
{
    /* In memory: an import syncs its file, and a disk would set the pace. */
    static char folder[] = "/dev/shm/ock-fuzz-XXXXXX";
    static int made;
    static char paths[4][64];
    static size_t next;
    if (!made)
        fuzz_check(mkdtemp(folder) != NULL, "cannot make a folder");
    made = 1;
    char *path = paths[next++ % 4];
    (void)snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static void fuzz_write(const char *name, const uint8_t *bytes, size_t size)
{
    FILE *file = fopen(fuzz_path(name), "wb");
    fuzz_check(file != NULL, "cannot write");
    if (size > 0)
        fuzz_check(fwrite(bytes, 1, size, file) == size, "cannot write");
    (void)fclose(file);
}

/* A dataset that was written is whole, and its schema is true of its values. */
static void fuzz_look(const struct ock_dataset *dataset)
{
    const struct ock_schema *schema = ock_dataset_schema(dataset);
    fuzz_check(ock_dataset_verify(dataset, NULL) == OCK_OK, "not verified");
    size_t block_count;
    const struct ock_block *blocks = ock_dataset_blocks(dataset, &block_count);
    for (size_t i = 0; i < block_count; i++) {
        if (blocks[i].storage == OCK_STORE_CSR)
            fuzz_check(ock_block_check_sparse(&blocks[i], schema->rows, NULL) == OCK_OK,
                       "damaged sparse rows");
    }
    for (size_t c = 0; c < schema->column_count; c++) {
        const struct ock_column *column = &schema->columns[c];
        size_t missing = 0;
        /* A search: of wide data only the first ones, or a run would take minutes. */
        if (c < NAMES_CHECKED)
            fuzz_check(ock_schema_column(schema, column->name) == c, "a name stands twice");
        for (size_t row = 0; row < schema->rows; row++) {
            double value = ock_dataset_number(dataset, c, row);
            if (column->type == OCK_COLUMN_CATEGORY) {
                missing += value == (double)UINT32_MAX;
                fuzz_check(value == (double)UINT32_MAX || value < (double)column->value_count,
                           "a code is out of range");
                continue;
            }
            missing += isnan(value) ? 1 : 0;
            fuzz_check(!isinf(value), "an infinite number");
            /* float32 may round a value over the column's ends. */
            double slack = 1e-6 * fmax(fabs(column->min), fabs(column->max)) + 1e-44;
            fuzz_check(isnan(value) ||
                           (value >= column->min - slack && value <= column->max + slack),
                       "a value out of the column's range");
        }
        fuzz_check(missing == column->missing, "missing values miscounted");
    }
}

static void fuzz_import(struct ock_import import, int labels)
{
    struct ock_err err = {.text = ""};
    import.source = fuzz_path("in");
    import.labels = labels ? fuzz_path("labels") : NULL;
    import.out = fuzz_path("out");
    enum ock_status status = ock_import_run(&import, &err);
    if (status != OCK_OK) {
        fuzz_check(err.text[0] != '\0', "an error without a text");
        fuzz_check(access(fuzz_path("out"), F_OK) != 0, "a refused file left something behind");
        fuzz_check(access(fuzz_path("out.tmp"), F_OK) != 0, "a refused file left something behind");
        return;
    }
    struct ock_dataset *dataset = NULL;
    fuzz_check(ock_dataset_open(&dataset, fuzz_path("out"), &err) == OCK_OK, err.text);
    fuzz_look(dataset);
    ock_dataset_free(dataset);
    (void)unlink(fuzz_path("out"));
}

#endif
