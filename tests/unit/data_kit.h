/* For tests of data: files in a folder of the test's own, and datasets made of them. */
#ifndef OCK_TESTS_DATA_KIT_H
#define OCK_TESTS_DATA_KIT_H

#include <check.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "core/data/dataset.h"
#include "core/data/import.h"

enum { KIT_PATH_SIZE = 128 };

static char kit_folder[KIT_PATH_SIZE - 32];
static const char *const kit_names[] = {"in", "labels", "out", "out.tmp", "other", "third"};

static const char *kit_path(const char *name)
{
    static char paths[8][KIT_PATH_SIZE];
    static size_t next;
    char *path = paths[next++ % 8];
    (void)snprintf(path, KIT_PATH_SIZE, "%s/%s", kit_folder, name);
    return path;
}

static void kit_setup(void)
{
    (void)snprintf(kit_folder, sizeof(kit_folder), "/tmp/ock-data-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(kit_folder));
}

static void kit_teardown(void)
{
    for (size_t i = 0; i < sizeof(kit_names) / sizeof(kit_names[0]); i++)
        (void)unlink(kit_path(kit_names[i]));
    /* Fails, and the test with it, if something else was left behind. */
    ck_assert_int_eq(rmdir(kit_folder), 0);
}

static inline void kit_write(const char *name, const void *bytes, size_t size)
{
    (void)unlink(kit_path(name)); /* some disks flush a file that is cut and written anew */
    FILE *file = fopen(kit_path(name), "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

static inline void kit_write_gzip(const char *name, const void *bytes, size_t size)
{
    gzFile file = gzopen(kit_path(name), "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(gzwrite(file, bytes, (unsigned)size), (int)size);
    ck_assert_int_eq(gzclose(file), Z_OK);
}

/* Imports "in" (and "labels", if asked to) to "out". */
static inline enum ock_status kit_import(struct ock_import import, int labels, struct ock_err *err)
{
    import.source = kit_path("in");
    import.labels = labels ? kit_path("labels") : NULL;
    import.out = kit_path("out");
    return ock_import_run(&import, err);
}

static inline struct ock_dataset *kit_open(const char *name)
{
    struct ock_err err = {.text = ""};
    struct ock_dataset *dataset = NULL;
    enum ock_status status = ock_dataset_open(&dataset, kit_path(name), &err);
    ck_assert_msg(status == OCK_OK, "%s", err.text);
    return dataset;
}

/* A CSV text as an open dataset; the file is called `out`. */
static inline struct ock_dataset *kit_csv_as(const char *out, const char *text,
                                             struct ock_import import)
{
    struct ock_err err = {.text = ""};
    kit_write("in", text, strlen(text));
    import.source = kit_path("in");
    import.out = kit_path(out);
    enum ock_status status = ock_import_run(&import, &err);
    ck_assert_msg(status == OCK_OK, "%s\n%s", err.text, text);
    return kit_open(out);
}

static inline struct ock_dataset *kit_csv(const char *text, struct ock_import import)
{
    return kit_csv_as("out", text, import);
}

/* The value of a number, by the column's name. */
static inline double kit_number(const struct ock_dataset *dataset, const char *name, size_t row)
{
    size_t column = ock_schema_column(ock_dataset_schema(dataset), name);
    ck_assert_uint_ne(column, SIZE_MAX);
    return ock_dataset_number(dataset, column, row);
}

static inline const struct ock_column *kit_column(const struct ock_dataset *dataset,
                                                  const char *name)
{
    const struct ock_schema *schema = ock_dataset_schema(dataset);
    size_t column = ock_schema_column(schema, name);
    ck_assert_uint_ne(column, SIZE_MAX);
    return &schema->columns[column];
}

/* The text of a category's value in a row. */
static inline const char *kit_text(const struct ock_dataset *dataset, const char *name, size_t row)
{
    const struct ock_column *column = kit_column(dataset, name);
    ck_assert_int_eq(column->type, OCK_COLUMN_CATEGORY);
    double code = kit_number(dataset, name, row);
    ck_assert_double_lt(code, (double)column->value_count);
    return column->values[(size_t)code];
}

static inline int kit_run(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
